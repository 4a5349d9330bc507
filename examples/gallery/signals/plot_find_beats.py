"""
Find the beats of an electrocardiogram
======================================

A multiresolution analysis splits a signal into components that add up to it. The components do
not move events in time. So the places of heartbeats can be read from the component of their
scale.
"""

# %%
# PyWavelets' recording does not state its sampling rate. This example assumes 360 samples per
# second.
import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import find_peaks

import liftwave as lw

rate = 360
ecg = lw.data.ecg().astype(float)
time = np.arange(ecg.size) / rate

# %%
# ``mra`` returns the smooth component first, then the details from the coarsest to the finest.
# The details of levels 3 and 4 contain oscillations of about 11 to 45 Hz. That is the range of
# the steep peak of a heartbeat, the QRS complex.
smooth, *details = lw.mra(ecg, "sym4", level=5)
assert np.allclose(smooth + sum(details), ecg)
qrs = details[1] + details[2]

# %%
# The power of this component has one maximum for each beat.
power = qrs**2
beats, _ = find_peaks(power, height=0.3 * power.max(), distance=int(0.4 * rate))
intervals = np.diff(time[beats])
print("beats at", np.round(time[beats], 3), "s")
print("heart rate", np.round(60 / intervals, 1), "beats per minute")

# %%
fig, axes = plt.subplots(3, 1, figsize=(9, 6), sharex=True)
axes[0].plot(time, ecg, color="#1f4e79", linewidth=0.9)
axes[0].plot(time[beats], ecg[beats], "o", color="#d1495b")
axes[0].set_title("the recording, and the detected beats", loc="left")
axes[1].plot(time, smooth + details[0], color="#1f4e79", linewidth=0.9)
axes[1].set_title("smooth component and level 5: baseline and slow waves", loc="left")
axes[2].plot(time, qrs, color="#1f4e79", linewidth=0.9)
axes[2].set_title("levels 3 and 4: the QRS complexes", loc="left")
axes[2].set(xlabel="time (s)", xlim=(0, time[-1]))
plt.show()

# %%
# The second row contains the drift of the baseline, the slow waves at 0.8 and 1.7 seconds and the
# broad part of the peaks. In the third row only the three steep peaks are large, and its baseline
# is zero. So one threshold suits all beats, even if the baseline drifts.
#
# :func:`liftwave.frequency_band` returns the part of a signal between two frequencies in hertz:
band = lw.frequency_band(ecg, (10, 45), fs=rate)
print("largest sample of the band:", band.argmax(), "- largest of the component:", qrs.argmax())
