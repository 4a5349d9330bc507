"""
Port a script from PyWavelets
=============================

liftwave has the names, arguments and results of PyWavelets. This example takes a script that
denoises a photograph with PyWavelets, changes its import, checks that the numbers are the same,
and then shortens it.
"""

# %%
# The script, with PyWavelets
# ---------------------------
import time
from types import ModuleType

import matplotlib.pyplot as plt
import numpy as np
import pywt

import liftwave as lw

photograph = pywt.data.camera().astype(float)
noisy = photograph + 20 * np.random.default_rng(0).standard_normal(photograph.shape)


def denoised(image: np.ndarray, wavelets: ModuleType) -> np.ndarray:
    """Soft thresholding by the universal threshold, with either library."""
    coeffs = wavelets.wavedec2(image, "sym4", mode="symmetric", level=3)
    sigma = np.median(np.abs(coeffs[-1][-1])) / 0.6745
    limit = sigma * np.sqrt(2 * np.log(image.size))
    coeffs[1:] = [
        tuple(wavelets.threshold(band, limit, mode="soft") for band in bands)
        for bands in coeffs[1:]
    ]
    return wavelets.waverec2(coeffs, "sym4", mode="symmetric")


before = denoised(noisy, pywt)

# %%
# The same script, with liftwave
# ------------------------------
#
# In your script, replace ``import pywt`` by ``import liftwave as pywt``. Here the function takes
# the module as an argument.
after = denoised(noisy, lw)
print("largest difference of grey levels:", f"{np.abs(after - before).max():.0e}")


def milliseconds(wavelets: ModuleType) -> float:
    """The shortest of five calls."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        denoised(noisy, wavelets)
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


print(f"PyWavelets {milliseconds(pywt):.0f} ms, liftwave {milliseconds(lw):.0f} ms")

# %%
# The times are those of the machine that built this page, for one photograph, and include the
# work of NumPy. The page :doc:`/benchmarks/index` has careful measurements.
#
# What liftwave adds
# ------------------
#
# ``decompose`` stores the wavelet, the mode and the shape, so that the inverse needs no arguments
# and has the shape of the data for every length. ``denoise`` is the whole script in one call,
# with better rules for the thresholds.
bands = lw.decompose(noisy[:301, :401], "sym4", level=3)
print(
    bands.reconstruct().shape, pywt.waverec2(pywt.wavedec2(noisy[:301, :401], "sym4"), "sym4").shape
)
better = lw.denoise(noisy, "sym4", method="bivariate", shifts=4)


def psnr(result: np.ndarray) -> float:
    """Peak signal-to-noise ratio, in decibels."""
    return float(10 * np.log10(255**2 / np.mean((result - photograph) ** 2)))


panels = {"noisy": noisy, "the script": after, "lw.denoise": better}
fig, axes = plt.subplots(1, 3, figsize=(10, 3.7))
for ax, (title, values) in zip(axes, panels.items(), strict=True):
    ax.imshow(values[60:260, 130:330], vmin=0, vmax=255)
    ax.set_title(f"{title}: {psnr(values):.1f} dB")
    ax.set_axis_off()
plt.show()

# %%
# The middle picture is smooth: the universal threshold removes the noise together with the hair
# and the details of the camera. The right picture has these details and is about 4 dB better.
#
# The guide :doc:`/porting` lists all differences between the libraries.
