"""
The best basis of a spoken sentence
===================================

A wavelet transform splits the low frequencies again and again. Wavelet packets can split every
band. :func:`liftwave.best_basis` chooses which bands to split for one signal, so that few
coefficients hold its energy.
"""

# %%
# The recording has 16000 samples per second.
import numpy as np

import liftwave as lw

rate, samples = lw.data.speech()
speech = samples / 2**15
options = {"wavelet": "db16", "mode": "periodization"}

# %%
# The search needs the packets of all levels. The leaves of the tree that it returns are a basis.
tree = lw.best_basis(lw.wpdec(speech, **options, level=6, full=True))
leaves = lw.wpdec(speech, **options, tree=tree)
restored = lw.wprec(leaves, **options, tree=tree, shape=speech.shape)
print(f"{len(tree)} bands, round trip exact to {np.abs(restored - speech).max():.0e}")

# %%
# Each tile of the picture is one coefficient: its width is its duration, and its height its band
# of frequencies. The colour is its magnitude in decibels above a level 60 dB below the strongest
# one.
strongest = max(np.abs(leaf).max() for leaf in leaves)
decibels = [np.fmax(20 * np.log10(np.abs(leaf) / strongest + 1e-12) + 60, 0) for leaf in leaves]
figure = tree.plot(decibels, rate)
figure.set_size_inches(9, 5.5)
figure.axes[0].set(xlabel="time (s)", ylabel="frequency (Hz)")

# %%
# Vowels are sums of harmonics of the voice, below 1.2 kHz for the most part. The basis has narrow
# bands there: the tiles are low and long. Between 2 and 3 kHz it does not split the band, so the
# tiles are high and short. The consonants at 1.5 and 2.2 seconds are noise that reaches up to 8
# kHz. The recording begins and ends with silence.
#
# How many coefficients hold 99 % of the energy?


def count(arrays: list[np.ndarray]) -> int:
    """The number of the largest coefficients that hold 99 % of the energy."""
    energy = np.sort(np.concatenate([array**2 for array in arrays]))[::-1].cumsum()
    return int(np.searchsorted(energy, 0.99 * energy[-1])) + 1


print(f"samples             {count([speech]):6}")
print(f"wavelet transform   {count(lw.wavedec(speech, **options, level=6)):6}")
print(f"best basis          {count(leaves):6}")

# %%
# The guide :doc:`/guide/packets` has the costs that a basis can be chosen by, and bases for many
# signals or for classes of signals.
