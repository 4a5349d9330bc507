"""
A lifting scheme of your own
============================

A lifting scheme is a list of steps, and every list of steps is invertible. This example builds a
scheme whose prediction is a cubic polynomial, draws its functions, and compares it with known
wavelets.
"""

# %%
# The prediction of CDF 5/3 is the mean of the two neighbours. A cubic polynomial through four
# neighbours has the weights -1, 9, 9 and -1 sixteenths. A step adds, so the signs are reversed.
# The update is that of CDF 5/3 and preserves the mean in the approximation.
import matplotlib.pyplot as plt
import numpy as np

import liftwave as lw


def cubic() -> lw.LiftingScheme:
    """Odd samples, predicted by the cubic polynomial through their four even neighbours."""
    return lw.LiftingScheme(
        [
            lw.LiftingStep("predict", [1 / 16, -9 / 16, -9 / 16, 1 / 16], offset=-1),
            lw.LiftingStep("update", [1 / 4, 1 / 4], offset=-1),
        ],
        scale=(2**0.5, -(2**-0.5)),
        name="cubic",
    )


scheme = cubic()
print(scheme)
bank = scheme.to_filter_bank()
print(f"as a filter bank: {bank.dec_len} taps, error {bank.reconstruction_error():.0e}")

# %%
# A scheme is accepted wherever a wavelet is. The signal of a single coefficient is the scaling
# function or the wavelet.
schemes = {name: lw.LiftingScheme.from_name(name) for name in ("haar", "cdf5.3")}
schemes["cubic"] = scheme
colors = {"haar": "#9aa5b1", "cdf5.3": "#d1495b", "cubic": "#1f4e79"}


def function(scheme: lw.LiftingScheme, key: str, level: int = 6) -> np.ndarray:
    """The scaling function (``"a"``) or wavelet (``"d"``): the signal of one coefficient."""
    empty = lw.decompose(np.zeros(1024), scheme, level=level, mode="reflect")
    one = np.zeros_like(empty[level, key])
    one[one.size // 2] = 1.0
    return empty.replace({(level, key): one}).reconstruct()


fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for ax, key, title in zip(axes, "ad", ("scaling function", "wavelet"), strict=True):
    for name in ("cdf5.3", "cubic"):
        values = function(schemes[name], key)
        centre = int(np.argmax(np.abs(values)))
        places = np.arange(-260, 261) / 64
        ax.plot(places, values[centre - 260 : centre + 261], color=colors[name], label=name)
    ax.set(title=f"{title} (synthesis)", xlabel="samples of level 6")
    ax.legend()
plt.show()

# %%
# The scaling function of CDF 5/3 consists of straight lines, that of the cubic scheme is smooth.
# The wavelets differ in the same way. Smooth functions represent smooth signals by fewer
# coefficients:
t = np.linspace(0, 1, 4096)
signal = np.sin(9 * t**2) + 0.6 * np.cos(25 * t) + 0.8 * (t > 0.31) - 1.1 * (t > 0.68)
fractions = np.geomspace(0.004, 0.08, 8)


def error(x: np.ndarray, scheme: lw.LiftingScheme, fraction: float) -> float:
    """Root mean square error of the signal from its largest coefficients."""
    bands = lw.decompose(x, scheme, level=6, mode="reflect")
    return float(np.sqrt(np.mean((bands.keep_largest(float(fraction)).reconstruct() - x) ** 2)))


fig, axes = plt.subplots(1, 2, figsize=(9, 3.2))
axes[0].plot(t, signal, color="#1f4e79", linewidth=1)
axes[0].set(title="a signal of smooth pieces", xlabel="time")
for name, each in schemes.items():
    errors = [error(signal, each, fraction) for fraction in fractions]
    axes[1].loglog(100 * fractions, errors, "o-", markersize=4, color=colors[name], label=name)
axes[1].set_xticks([0.5, 1, 2, 5], ["0.5", "1", "2", "5"])
axes[1].minorticks_off()
axes[1].set(xlabel="% of the coefficients kept", title="root mean square error")
axes[1].legend()
plt.show()

# %%
# The signal in the left chart has two jumps. In the right chart, the error of the cubic scheme
# falls fastest as more coefficients are kept.
