"""A photograph from few coefficients: its quality, and a comparison of wavelets.

Run ``python examples/photograph.py --output pictures``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pywt
from matplotlib.figure import Figure

import liftwave as lw

FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
WAVELETS = ("haar", "db4", "bior4.4")
LEVEL, MODE = 5, "periodization"


def psnr(image: np.ndarray, approximation: np.ndarray) -> float:
    """Peak signal-to-noise ratio of an 8-bit image, in decibels."""
    mean_square = float(np.mean((approximation - image) ** 2.0))
    return 10 * np.log10(255.0**2 / mean_square)


def from_largest(image: np.ndarray, wavelet: str, fraction: float) -> np.ndarray:
    """The image reconstructed from its largest coefficients."""
    decomposition = lw.decompose(image, wavelet, level=LEVEL, mode=MODE)
    return decomposition.keep_largest(fraction).reconstruct()


def quality(image: np.ndarray) -> dict[str, list[float]]:
    """PSNR for each wavelet and fraction."""
    return {
        wavelet: [psnr(image, from_largest(image, wavelet, f)) for f in FRACTIONS]
        for wavelet in WAVELETS
    }


def picture(image: np.ndarray, found: dict[str, list[float]]) -> Figure:
    """The image from all, 5 % and 1 % of its coefficients, and the PSNR of each wavelet."""
    figure = Figure(figsize=(8.4, 7.8), layout="constrained")
    axes = figure.subplots(2, 2)
    shown = {"all coefficients": image}
    for fraction in (0.05, 0.01):
        decibels = found["bior4.4"][FRACTIONS.index(fraction)]
        rebuilt = from_largest(image, "bior4.4", fraction)
        shown[f"the largest {fraction:.0%} (bior4.4): {decibels:.1f} dB"] = rebuilt
    for ax, (title, values) in zip(axes.flat, shown.items(), strict=False):
        ax.imshow(values, cmap="gray", vmin=0, vmax=255)
        ax.set_title(title, fontsize=10)
        ax.set_axis_off()
    chart = axes[1, 1]
    for (wavelet, decibels), color in zip(
        found.items(), ("#9aa5b1", "#d1495b", "#1f4e79"), strict=True
    ):
        percent = [100 * f for f in FRACTIONS]
        chart.semilogx(percent, decibels, "o-", label=wavelet, color=color, markersize=4)
    chart.set_xticks([1, 2, 5, 10, 20, 40], ["1", "2", "5", "10", "20", "40"])
    chart.minorticks_off()
    chart.set_xlabel("% of the coefficients kept")
    chart.set_ylabel("PSNR (dB)")
    chart.spines[["top", "right"]].set_visible(False)
    chart.legend(frameon=False)
    return figure


def main(argv: list[str] | None = None) -> None:
    """Print the table of qualities, and plot the images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for pictures")
    output = parser.parse_args(argv).output
    output.mkdir(parents=True, exist_ok=True)

    image = pywt.data.ascent().astype(np.uint8)
    found = quality(image)
    print(f"{'kept':>6} " + " ".join(f"{wavelet:>9}" for wavelet in WAVELETS) + "   (PSNR, dB)")
    for index, fraction in enumerate(FRACTIONS):
        print(f"{fraction:>6.0%} " + " ".join(f"{found[w][index]:>9.2f}" for w in WAVELETS))
    picture(image, found).savefig(output / "photograph.png", dpi=90)
    mosaic = lw.decompose(image, "bior4.4", level=3, mode=MODE).plot("ascent, bior4.4")
    mosaic.savefig(output / "photograph_bands.png", dpi=90)


if __name__ == "__main__":
    main()
