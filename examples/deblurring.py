"""Deblurring of a photograph by a sparse set of wavelet coefficients.

FISTA (Beck & Teboulle, SIAM J. Imaging Sci. 2, 2009) minimizes over the coefficients c
|blur(synthesis(c)) - given|² / 2 + weight · sum |c|. It needs the synthesis and its exact
adjoint; one call of ``lw.vjp`` returns both. The functions accept arrays of any library: run
``python examples/deblurring.py --output pictures``, and with ``--library torch``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pywt
from array_api_compat import array_namespace
from matplotlib.figure import Figure

import liftwave as lw

WAVELET, MODE, LEVEL = "bior4.4", "symmetric", 5
RADIUS = 4.5  # of the blur disc, in pixels
NOISE = 2.0  # standard deviation, in grey levels of 256
WEIGHT = 0.3
ROUNDS = 80


# --- the method: 40 lines for arrays of any library ----------------------------------------------


def blur(image: Any, response: Any) -> Any:
    """The blurred image; the disc is symmetric, so the blur is self-adjoint."""
    xp = array_namespace(image)
    return xp.fft.irfftn(response * xp.fft.rfftn(image), s=image.shape, axes=(0, 1))


def synthesis(c: Any, layout: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The image of a vector of coefficients, and its vector-Jacobian product."""
    coeffs = lw.unravel_coeffs(c, *layout, "wavedec2")
    image, pullback = lw.vjp(lw.waverec2, coeffs, WAVELET, MODE)
    return image, lambda y: lw.ravel_coeffs(pullback(y, wavelet=False).data)[0]


def steepness(c: Any, layout: Any, rounds: int = 20) -> float:
    """Largest eigenvalue of adjoint · synthesis, by the power method; blurring only lowers it."""
    value = 1.0
    for _ in range(rounds):
        image, adjoint = synthesis(c / float((c * c).sum()) ** 0.5, layout)
        value, c = float((image * image).sum()), adjoint(image)
    return 1.05 * value  # the method converges from below


def sharpen(given: Any, response: Any, rounds: int = ROUNDS) -> Iterator[Any]:
    """A sequence of improving images whose blurred version is the given one, up to noise."""
    mean = float(given.mean())
    c, *layout = lw.ravel_coeffs(lw.wavedec2(given - mean, WAVELET, MODE, level=LEVEL))
    steep, ahead, momentum = steepness(c, layout), c, 1.0
    for _ in range(rounds):
        image, adjoint = synthesis(ahead, layout)
        residual = blur(image, response) - (given - mean)
        moved = ahead - adjoint(blur(residual, response)) / steep
        previous, c = c, lw.threshold(moved, WEIGHT / steep, "soft")
        before, momentum = momentum, (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = c + (before - 1) / momentum * (c - previous)
        yield image + mean


# --- the test ------------------------------------------------------------------------------------


def disc(shape: tuple[int, int], radius: float = RADIUS) -> np.ndarray:
    """The frequency response of a defocused lens: a point becomes a disc."""
    y, x = (np.minimum(np.arange(n), n - np.arange(n)) for n in shape)
    kernel = (y[:, None] ** 2 + x**2 <= radius**2).astype(float)
    return np.fft.rfftn(kernel / kernel.sum()).real


def psnr(image: np.ndarray, other: Any) -> float:
    """Peak signal-to-noise ratio of an 8-bit image, in decibels."""
    return 10 * np.log10(255.0**2 / float(np.mean((np.asarray(other) - image) ** 2)))


def linear(given: np.ndarray, response: np.ndarray, weight: float) -> np.ndarray:
    """The minimizer of |blur(x) - given|² + weight · |gradient of x|², a filter, for comparison."""
    y, x = np.fft.fftfreq(given.shape[0]), np.fft.rfftfreq(given.shape[1])
    roughness = weight * (2 * np.pi) ** 2 * (y[:, None] ** 2 + x**2)
    return np.fft.irfftn(
        response / (response**2 + roughness) * np.fft.rfftn(given), s=given.shape, axes=(0, 1)
    )


def best_linear(image: np.ndarray, given: np.ndarray, response: np.ndarray) -> np.ndarray:
    """The linear result closest to the original; without the original, its weight is unknown."""
    found = [linear(given, response, weight) for weight in np.logspace(-5, 0, 26)]
    return max(found, key=lambda each: psnr(image, each))


def picture(images: dict[str, np.ndarray], course: list[float], known: float) -> Figure:
    """A crop of each image, and the quality after each iteration."""
    figure = Figure(figsize=(10.5, 6.9), layout="constrained")
    axes = figure.subplots(2, 3)
    for ax, (title, values) in zip(axes.flat[:4], images.items(), strict=True):
        ax.imshow(values[70:300, 170:400], cmap="gray", vmin=0, vmax=255)
        ax.set_title(title, fontsize=10)
        ax.set_axis_off()
    for ax in axes.flat[4:]:
        ax.remove()
    chart = figure.add_subplot(axes[1, 1].get_gridspec()[1, 1:])
    chart.plot(range(1, len(course) + 1), course, color="#1f4e79", linewidth=2, label="wavelets")
    chart.axhline(known, color="#d1495b", linestyle="--", linewidth=1, label="best linear filter")
    chart.set_xlabel("round")
    chart.set_title("PSNR (dB) after each round", fontsize=10)
    chart.legend(frameon=False, loc="lower right")
    chart.spines[["top", "right"]].set_visible(False)
    return figure


def main(argv: list[str] | None = None) -> None:
    """Blur a photograph, deblur it, print the quality, and plot the images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", choices=("numpy", "torch"), default="numpy")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for pictures")
    options = parser.parse_args(argv)
    options.output.mkdir(parents=True, exist_ok=True)

    image = pywt.data.camera().astype(float)
    response = disc(image.shape)
    noise = np.random.default_rng(0).standard_normal(image.shape)
    given = blur(image, response) + NOISE * noise
    arrays: list[Any] = [given, response]
    if options.library == "torch":
        import torch

        arrays = [torch.asarray(each) for each in arrays]
    course = [psnr(image, found := each) for each in sharpen(*arrays, options.rounds)]
    images = {
        "out of focus, with noise": given,
        "best linear filter": best_linear(image, given, response),
        "sparse wavelets": np.asarray(found),
        "the original": image,
    }
    decibels = {name: psnr(image, each) for name, each in list(images.items())[:3]}
    for name, value in decibels.items():
        print(f"{name:<26}{value:5.1f} dB")
    titles = [f"{name}: {value:.1f} dB" for name, value in decibels.items()]
    titled = dict(zip([*titles, "the original"], images.values(), strict=True))
    drawn = picture(titled, course, decibels["best linear filter"])
    drawn.savefig(options.output / "deblurring.png", dpi=90)


if __name__ == "__main__":
    main()
