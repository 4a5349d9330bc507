"""Lossless integer transforms: exact round trips, and the entropy of the bands.

Run ``python examples/lossless.py --output pictures``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pywt
from matplotlib.figure import Figure

import liftwave as lw

IMAGES = {"camera": pywt.data.camera, "ascent": pywt.data.ascent, "aero": pywt.data.aero}
SCHEMES = ("haar", "cdf5.3", "bior2.4", "cdf9.7")
LEVEL, MODE = 5, "reflect"


def entropy(values: np.ndarray) -> float:
    """Empirical entropy in bits per value."""
    _, counts = np.unique(values, return_counts=True)
    shares = counts / values.size
    return float(-(shares * np.log2(shares)).sum())


def bits_per_pixel(bands: Iterable[np.ndarray], pixels: int) -> float:
    """Bits of an ideal coder that knows only the histogram of each band."""
    return sum(entropy(band) * band.size for band in bands) / pixels


def measured(image: np.ndarray) -> dict[str, float]:
    """Bits per pixel of the image and for each scheme; checks every round trip."""
    results = {"pixels": entropy(image)}
    for name in SCHEMES:
        scheme = lw.LiftingScheme.from_name(name).to_integer()
        decomposition = lw.decompose(image, scheme, level=LEVEL, mode=MODE)
        back = decomposition.reconstruct()
        if back.dtype != image.dtype or not np.array_equal(back, image):
            raise AssertionError(f"{name} lost something")
        results[name] = bits_per_pixel(decomposition.bands.values(), image.size)
    return results


def picture(image: np.ndarray, results: dict[str, dict[str, float]]) -> Figure:
    """Histograms of pixels and of detail coefficients, and the bits per pixel."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    histogram, bars = figure.subplots(1, 2, width_ratios=(1, 1.4))
    _draw_histograms(histogram, image)
    kinds = ("pixels", *SCHEMES)
    colors = ("#9aa5b1", "#f3b562", "#1f4e79", "#5b8db8", "#d1495b")
    for k, (kind, color) in enumerate(zip(kinds, colors, strict=True)):
        at = np.arange(len(results)) + (k - 2) * 0.16
        found = bars.bar(at, [r[kind] for r in results.values()], 0.15, label=kind, color=color)
        bars.bar_label(found, fmt="%.1f", fontsize=7, padding=1)
    bars.set_xticks(range(len(results)), list(results))
    bars.set_ylabel("bits per pixel (entropy)")
    bars.legend(frameon=False, fontsize=8, ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    for ax in (histogram, bars):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_histograms(ax: object, image: np.ndarray) -> None:
    scheme = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    details = lw.decompose(image, scheme, level=1, mode=MODE).details[0]
    joined = np.concatenate([band.ravel() for band in details.values()])
    centred = image.astype(int) - int(np.median(image))
    for values, label, color in (
        (centred, "pixels, minus their median", "#9aa5b1"),
        (joined, "finest details, cdf5.3", "#1f4e79"),
    ):
        at, counts = np.unique(values, return_counts=True)
        ax.semilogy(at, counts / values.size, ".", markersize=3, color=color, label=label)
    ax.set_xlabel("value")
    ax.set_ylabel("share")
    ax.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


def main(argv: list[str] | None = None) -> None:
    """Measure all images, print the table, and plot it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for pictures")
    output = parser.parse_args(argv).output
    output.mkdir(parents=True, exist_ok=True)

    images = {name: load().astype(np.uint8) for name, load in IMAGES.items()}
    results = {name: measured(image) for name, image in images.items()}
    print(f"{'':>8} " + " ".join(f"{kind:>8}" for kind in ("pixels", *SCHEMES)))
    for name, bits in results.items():
        print(f"{name:>8} " + " ".join(f"{value:>8.2f}" for value in bits.values()))
    print("every round trip is exact")
    picture(images["camera"], results).savefig(output / "lossless.png", dpi=110)


if __name__ == "__main__":
    main()
