"""An electrocardiogram: its bands, and denoising.

Run ``python examples/ecg.py --output pictures``.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pywt
from matplotlib.figure import Figure

import liftwave as lw

WAVELET, LEVEL, NOISE = "sym4", 5, 20.0
METHODS = ("visu", "sure", "bayes")


def noisy(ecg: np.ndarray) -> np.ndarray:
    """The signal with white noise of half its own standard deviation."""
    return ecg + NOISE * np.random.default_rng(0).standard_normal(ecg.size)


def signal_to_noise(ecg: np.ndarray, y: np.ndarray) -> float:
    """Ratio of the signal's power to the error's power, in decibels."""
    return float(10 * np.log10(np.var(ecg) / np.mean((y - ecg) ** 2)))


def denoised(y: np.ndarray) -> dict[tuple[str, int], np.ndarray]:
    """The denoised signal for each method, with and without cycle spinning."""
    return {
        (method, shifts): lw.denoise(y, WAVELET, method=method, level=LEVEL, shifts=shifts)
        for method, shifts in product(METHODS, (1, 8))
    }


def picture(ecg: np.ndarray, y: np.ndarray, clean: np.ndarray) -> Figure:
    """The signal, the noisy signal, and the denoised signal."""
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    rows = {
        "with noise": (y, "#9aa5b1"),
        "denoised": (clean, "#d1495b"),
        "the original": (ecg, "#1f4e79"),
    }
    axes = figure.subplots(len(rows), 1, sharex=True, sharey=True)
    for ax, (name, (values, color)) in zip(axes, rows.items(), strict=True):
        ax.plot(values, color=color, linewidth=0.9)
        title = f"{name}: {signal_to_noise(ecg, values):.1f} dB" if values is not ecg else name
        ax.set_title(title, fontsize=10, loc="left")
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("sample")
    axes[-1].set_xlim(0, ecg.size)
    return figure


def main(argv: list[str] | None = None) -> None:
    """Print the signal-to-noise ratios, and plot the bands and the signals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for pictures")
    output = parser.parse_args(argv).output
    output.mkdir(parents=True, exist_ok=True)

    ecg = pywt.data.ecg().astype(float)
    y = noisy(ecg)
    sigma = float(lw.estimate_sigma(y, WAVELET))
    print(f"noise: {sigma:.1f} by estimate, {NOISE:.1f} in truth")
    print(f"signal-to-noise ratio: {signal_to_noise(ecg, y):.1f} dB")
    results = denoised(y)
    for (method, shifts), clean in results.items():
        print(f"{method:>6}, {shifts} shift(s): {signal_to_noise(ecg, clean):.1f} dB")
    picture(ecg, y, results["sure", 8]).savefig(output / "ecg.png", dpi=100)
    bands = lw.decompose(y, WAVELET, level=4).plot(
        "with noise, sym4: the beats stand out on levels 3 and 4"
    )
    bands.savefig(output / "ecg_bands.png", dpi=100)


if __name__ == "__main__":
    main()
