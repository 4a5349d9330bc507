"""
Split a temperature series by time scale
========================================

How much of a series varies from season to season, and how much over decades? A multiresolution
analysis shows it over time, and the wavelet variance says it in numbers with confidence
intervals.
"""

# %%
# The series is the sea surface temperature of the Pacific (region Niño 3), four values per year
# from 1950 on. The mean of each season is subtracted.
import matplotlib.pyplot as plt
import numpy as np

import liftwave as lw

years, temperature = lw.data.nino()
seasons = temperature.reshape(-1, 4)
anomaly = (seasons - seasons.mean(axis=0)).ravel()

# %%
# The maximal overlap transform accepts series of all lengths. With ``mode="reflection"`` it
# continues the series by its mirror image, so that the year 2015 does not influence the year
# 1950. The smooth component comes first, then the coarsest detail.
components = lw.modwt_mra(anomaly, "sym4", level=5, mode="reflection")
assert np.allclose(sum(components), anomaly)

spans = ["2 to 4 seasons", "1 to 2 years", "2 to 4 years", "4 to 8 years", "8 to 16 years"]
labels = ["slower", *reversed(spans)]
fig, axes = plt.subplots(7, 1, figsize=(9, 8), sharex=True, sharey=True)
axes[0].plot(years, anomaly, color="#d1495b", linewidth=0.9)
axes[0].set_title("anomaly of the temperature (°C)", loc="left")
for ax, component, label in zip(axes[1:], components, labels, strict=True):
    ax.plot(years, component, color="#1f4e79", linewidth=0.9)
    ax.set_title(label, loc="left")
axes[-1].set(xlabel="year", xlim=(years[0], years[-1]))
plt.show()

# %%
# All rows have the same scale. The rows of 2 to 8 years contain the El Niño events, for example
# those of 1982 and 1997. The row of 2 to 4 seasons is small everywhere. The slowest row rises by
# 0.7 degrees in 66 years.
#
# ``wavelet_variance`` estimates the variance of each scale. By default it uses only coefficients
# that do not depend on samples beyond the ends.
variance = lw.wavelet_variance(anomaly, "haar", level=5)
for span, value, low, high in zip(
    spans, variance.value, variance.lower, variance.upper, strict=True
):
    print(f"{span:>15}: {value:.3f}, 95 % interval {low:.3f} to {high:.3f}")

# %%
below, above = variance.value - variance.lower, variance.upper - variance.value
fig, ax = plt.subplots(figsize=(7, 3.2))
ax.errorbar(spans, variance.value, [below, above], fmt="o", color="#1f4e79", capsize=4)
ax.set(yscale="log", ylabel="variance (°C²)", title="variance of each time scale")
plt.show()

# %%
# The bars are 95 % intervals. Long time scales have few independent values in 66 years, so their
# intervals are wide: those of the slowest two scales overlap.
