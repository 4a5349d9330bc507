"""
Scalogram and pitch of speech
=============================

A scalogram shows which frequencies a signal contains, and when. A ridge follows one component
through it. This example draws a spoken sentence, follows the pitch of the voice and extracts its
signal.
"""

# %%
# Half a second of a recording with 16000 samples per second. ``limits`` are frequencies in hertz,
# ``voices`` the number of rows per octave.
import matplotlib.pyplot as plt
import numpy as np

import liftwave as lw

rate, samples = lw.data.speech()
speech = samples[10000:18000] / 32768
time = np.arange(speech.size) / rate

# %%
# The voice has a pitch between 80 and 250 Hz. ``ridges`` finds the path with the largest power
# there.
pitch = lw.scalogram(speech, rate, "morse(3, 60)", limits=(80, 250), voices=24).ridges()
ridge = pitch[0]
print(f"median pitch: {np.median(ridge.frequencies):.0f} Hz")

# %%
scalogram = lw.scalogram(speech, rate, "morse(3, 60)", limits=(80, 4000), voices=24)
figure = scalogram.plot("speech and the ridge of its pitch", ridges=pitch, time_unit="s")

# %%
# The lowest bright line is the pitch, and the line through it the ridge. The lines above are its
# harmonics at two, three and more times the frequency. A ridge has a frequency at every time, so
# it follows noise in the pause after 0.1 seconds. The shaded area at the ends contains
# coefficients that depend on samples beyond the ends.
#
# The component of the ridge is a signal: the fundamental oscillation of the voice.
fig, axes = plt.subplots(2, 1, figsize=(9, 4), sharex=True)
axes[0].plot(time, speech, color="#1f4e79", linewidth=0.6)
axes[0].set_title("speech", loc="left")
axes[1].plot(time, ridge.component, color="#d1495b", linewidth=0.9)
axes[1].set_title("component of the ridge", loc="left")
axes[1].set(xlabel="time (s)", xlim=(0, time[-1]))
plt.show()

# %%
# The second row has one period for each opening of the vocal folds. It is large in vowels, and
# small in the pause.
#
# Synchrosqueezing moves each coefficient to its instantaneous frequency, so that lines become
# thin:
squeezed = lw.scalogram(speech, rate, "morse(3, 60)", limits=(80, 4000), voices=24).synchrosqueeze()
figure = squeezed.plot("the same, synchrosqueezed", time_unit="s")

# %%
# The harmonics are separate lines up to about 1 kHz. Above, several harmonics are within the
# width of the wavelet, and the lines break up.
