"""
Denoise an electrocardiogram
============================

:func:`liftwave.denoise` estimates the noise of a recording and removes it. This example compares
three methods, with and without cycle spinning.
"""

# %%
# The recording has 1024 samples. White noise is added to it, so that the results can be compared
# with the recording.
import matplotlib.pyplot as plt
import numpy as np

import liftwave as lw

ecg = lw.data.ecg().astype(float)
noisy = ecg + 20 * np.random.default_rng(0).standard_normal(ecg.size)

# %%
# The finest details contain almost only noise. :func:`liftwave.estimate_sigma` computes the
# standard deviation of the noise from them. The true value is 20.
print(f"estimated noise: {float(lw.estimate_sigma(noisy, 'sym4')):.1f}")

# %%
# A transform concentrates the heartbeats in few large coefficients. The noise has the same size
# in all coefficients. ``decompose`` returns an object that draws them:
bands = lw.decompose(noisy, "sym4", level=4)
figure = bands.plot("Bands of the noisy recording, sym4")

# %%
# The rows are the approximation and the details, from the coarsest to the finest. The three
# heartbeats are large in the rows of levels 3 and 4. The row of level 1 shows noise of the same
# size everywhere.
#
# ``denoise`` shrinks small coefficients to zero. ``shifts`` is the number of shifts of the signal
# over which cycle spinning averages. It removes artefacts that depend on the position.


def signal_to_noise(result: np.ndarray) -> float:
    """Ratio of the signal's power to the error's power, in decibels."""
    return float(10 * np.log10(np.var(ecg) / np.mean((result - ecg) ** 2)))


print(f"noisy                 {signal_to_noise(noisy):5.1f} dB")
results = {}
for method in ("visu", "sure", "bayes", "neighsure"):
    for shifts in (1, 8):
        result = lw.denoise(noisy, "sym4", method=method, level=5, shifts=shifts)
        results[method, shifts] = result
        print(f"{method:>10}, {shifts} shift(s) {signal_to_noise(result):5.1f} dB")

# %%
# The picture shows the best of these results.
best = max(results, key=lambda key: signal_to_noise(results[key]))
rows = {
    f"with noise: {signal_to_noise(noisy):.1f} dB": (noisy, "#9aa5b1"),
    f"denoised by {best[0]}: {signal_to_noise(results[best]):.1f} dB": (results[best], "#d1495b"),
    "the recording": (ecg, "#1f4e79"),
}
fig, axes = plt.subplots(3, 1, figsize=(9, 5.6), sharex=True, sharey=True)
for ax, (title, (values, color)) in zip(axes, rows.items(), strict=True):
    ax.plot(values, color=color, linewidth=0.9)
    ax.set_title(title, loc="left")
axes[-1].set(xlabel="sample", xlim=(0, ecg.size))
plt.show()

# %%
# The three peaks keep their place and most of their height. The slow waves between them are
# visible again. Small wiggles remain, for example near samples 220 and 480. The fine ripple of
# the recording is removed together with the noise, because it is smaller than the noise.
#
# The guide :doc:`/guide/denoising` compares all methods and explains how to choose one.
