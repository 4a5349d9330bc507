"""
El Niño: which periods are significant?
=======================================

Many series are red noise: each value is close to the one before. A peak in the scalogram of such
a series can be chance. This example tests the periods of El Niño against red noise, as Torrence
and Compo did in *A Practical Guide to Wavelet Analysis* (1998).
"""

# %%
# Sea surface temperature in the Pacific (region Niño 3), four values per year, less the mean of
# each season.
import matplotlib.pyplot as plt

import liftwave as lw

years, temperature = lw.data.nino()
seasons = temperature.reshape(-1, 4)
anomaly = (seasons - seasons.mean(axis=0)).ravel()

# %%
# ``norm="energy"`` and the wavelet ``"morlet(6)"`` are those of Torrence and Compo. Frequencies
# are per year, because the rate is 4 samples per year.
scalogram = lw.scalogram(anomaly, 4, "morlet(6)", norm="energy", limits="resolved", voices=12)
figure = scalogram.plot(
    "sea surface temperature, Niño 3", level=0.95, time_unit="years", period=True
)

# %%
# The vertical axis is the period in years, the horizontal axis counts years from 1950. Lines
# surround the power that red noise exceeds in 5 % of the cases. The large areas are at periods of
# two to six years: around year 22, 35 and 48, that is 1972, 1985 and 1998. Small areas, such as
# those at year 6 and year 60, are expected by chance, because red noise exceeds the limit in 5 %
# of the plane. Shaded areas depend on years before 1950 and after 2015.
#
# The global spectrum averages over time, and has a separate limit.
spectrum = scalogram.global_spectrum()
limit = scalogram.significance(0.95, of="global_spectrum")
periods = 1 / scalogram.frequencies
significant = spectrum > limit
print(
    f"significant: periods of {periods[significant].min():.1f} to "
    f"{periods[significant].max():.1f} years"
)

# %%
fig, ax = plt.subplots(figsize=(7, 3.4))
ax.plot(periods, spectrum, color="#1f4e79", label="mean power")
ax.plot(periods, limit, "--", color="#d1495b", label="95 % limit of red noise")
ax.fill_between(periods, limit, spectrum, where=significant, color="#1f4e79", alpha=0.2)
ax.set(xscale="log", xlabel="period (years)", ylabel="power", title="global spectrum")
ax.set_xticks([0.5, 1, 2, 4, 8, 16, 32], ["½", "1", "2", "4", "8", "16", "32"])
ax.minorticks_off()
ax.legend()
plt.show()

# %%
# The spectrum exceeds its limit in the shaded range only. At longer periods it is far below: red
# noise with the same correlation between neighbours would have more power there.
