"""Denoising against other packages: ``python -m benchmarks.denoising``.

Every recipe gets the same noisy data. Signals: Donoho and Johnstone's four at three noise levels,
and an ECG. Images: photographs, at standard deviations of 10, 25 and 50 grey levels of 256. A
volume. The table has the peak signal-to-noise ratio, the structural similarity of images, and the
CPU time of one call. The noise level is estimated by each package, except where its function
requires it. scikit-image and BM3D take part if they are installed.

    --quick        small data, one photograph
    --only NAME    the kinds of data: signals, images, volume (several times; all by default)
    --write FILE   the tables as a page in Markdown
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pywt

import liftwave as lw
from benchmarks.machine import processor, versions

Recipe = Callable[[Any, float], Any]
"""A function of noisy data and the true noise level."""

METHODS = ("visu", "sure", "bayes", "fdr", "blockjs", "neighblock", "neighcoeff", "neighsure")
METHODS += ("bivariate", "bls-gsm")


class Cell(NamedTuple):
    """Data with noise: the kind, a name, the clean data, the noise, and the range of values."""

    kind: str
    name: str
    clean: Any
    sigma: float
    peak: float

    @property
    def noisy(self) -> Any:
        """The data with noise, the same in each run."""
        noise = np.random.default_rng(0).standard_normal(self.clean.shape)
        return self.clean + self.sigma * noise


class Score(NamedTuple):
    """A result: decibels, structural similarity (NaN for signals), seconds."""

    psnr: float
    ssim: float
    seconds: float


# --- data ----------------------------------------------------------------------------------------


def cells(quick: bool) -> Iterator[Cell]:
    """All data of the benchmark."""
    for name in ("Blocks", "Bumps", "HeaviSine", "Doppler"):
        clean = pywt.data.demo_signal(name, 512 if quick else 2048)
        clean = 7 * clean / clean.std()
        for sigma in (0.5, 1.0, 2.0):
            yield Cell("signals", f"{name}, {sigma}", clean, sigma, np.ptp(clean))
    ecg = pywt.data.ecg().astype(float)
    yield Cell("signals", "ECG, 20", ecg, 20.0, np.ptp(ecg))
    for name, image in photographs(quick):
        for sigma in (10.0, 25.0, 50.0):
            yield Cell("images", f"{name}, {sigma:.0f}", image, sigma, 255.0)
    side = 16 if quick else 64
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, side)] * 3))
    shells = 100 * (np.sin(12 * np.sqrt((grid**2).sum(0))) > 0) + 50 * (grid[0] > 0.2)
    yield Cell("volume", "shells, 20", shells, 20.0, np.ptp(shells))


def photographs(quick: bool) -> Iterator[tuple[str, Any]]:
    """Pieces of grey photographs: PyWavelets', and scikit-image's if it is installed."""
    side = 64 if quick else 256
    images = {"camera": lw.data.camera(), "ascent": lw.data.ascent(), "aero": lw.data.aero()}
    if find_spec("skimage") is not None and not quick:
        from skimage import color, data

        for name in ("astronaut", "coffee", "chelsea", "brick", "gravel"):
            image = getattr(data, name)()
            images[name] = 255 * color.rgb2gray(image) if image.ndim == 3 else image
    for name, image in list(images.items())[: 1 if quick else None]:
        top, left = ((n - side) // 2 for n in image.shape)
        yield name, image.astype(float)[top : top + side, left : left + side]


# --- recipes -------------------------------------------------------------------------------------


def recipes(kind: str) -> dict[str, Recipe]:
    """The recipes for a kind of data by name, those of liftwave first."""
    wavelet = {"signals": "sym8", "images": "sym4", "volume": "sym4"}[kind]
    named: dict[str, Recipe] = {}
    for transform, ours in (("dwt", wavelet), ("swt", wavelet), ("dtcwt", "cdf9.7")):
        for method in METHODS:
            options = {"method": method, "transform": transform}
            named[f"liftwave {method}, {transform}"] = partial(_ours, ours, options)
    named["liftwave bayes, 4 shifts"] = partial(_ours, wavelet, {"method": "bayes", "shifts": 4})
    named["liftwave without options"] = lambda x, sigma: lw.denoise(x)
    named["PyWavelets universal soft"] = partial(_pywt, wavelet)
    if find_spec("skimage") is not None:
        named |= scikit_image(kind, wavelet)
    if find_spec("bm3d") is not None and kind == "images":
        named["BM3D (sigma known)"] = _bm3d
    return named


def _ours(wavelet: str, options: dict[str, Any], x: Any, sigma: float) -> Any:
    return lw.denoise(x, wavelet, **options)


def _pywt(wavelet: str, x: Any, sigma: float) -> Any:
    """The recipe of most tutorials: the universal threshold on all details."""
    level = max(1, pywt.dwtn_max_level(x.shape, wavelet))
    approx, *details = pywt.wavedecn(x, wavelet, mode="symmetric", level=level)
    noise = np.median(abs(details[-1]["d" * x.ndim])) / 0.6745
    limit = noise * np.sqrt(2 * np.log(x.size))
    clean = [{k: pywt.threshold(b, limit, "soft") for k, b in level.items()} for level in details]
    result = pywt.waverecn([approx, *clean], wavelet, mode="symmetric")
    return result[tuple(map(slice, x.shape))]


def scikit_image(kind: str, wavelet: str) -> dict[str, Recipe]:
    """The functions of scikit-image, with the parameters that its documentation recommends."""
    from skimage import restoration

    wavelets: Recipe = lambda x, sigma: restoration.denoise_wavelet(  # noqa: E731
        x, wavelet=wavelet, rescale_sigma=True
    )
    named: dict[str, Recipe] = {"scikit-image wavelet": wavelets}

    def spun(shifts: int, x: Any, sigma: float) -> Any:
        options = {"wavelet": wavelet, "rescale_sigma": True}
        return restoration.cycle_spin(
            x, func=restoration.denoise_wavelet, max_shifts=shifts, func_kw=options, num_workers=1
        )

    for shifts in (3, 7) if kind != "volume" else (1,):
        named[f"scikit-image {shifts + 1} shifts"] = partial(spun, shifts)
    named["scikit-image tv"] = lambda x, sigma: (
        sigma
        * restoration.denoise_tv_chambolle(x / sigma, weight=1.0 if kind == "signals" else 1.2)
    )
    if kind == "images":
        named["scikit-image nl_means"] = lambda x, sigma: restoration.denoise_nl_means(
            x, patch_size=5, patch_distance=6, h=0.8 * sigma, sigma=sigma, fast_mode=True
        )
    return named


def _bm3d(x: Any, sigma: float) -> Any:
    import bm3d

    return bm3d.bm3d(x, sigma)


# --- scores --------------------------------------------------------------------------------------


def score(cell: Cell, recipe: Recipe) -> Score:
    """Run a recipe on the data of a cell."""
    noisy = cell.noisy
    recipe(noisy[tuple(slice(32) for _ in noisy.shape)], cell.sigma)  # imports and plans
    start = time.process_time()
    clean = recipe(noisy, cell.sigma)
    seconds = time.process_time() - start
    error = float(np.mean((clean - cell.clean) ** 2))
    return Score(10 * np.log10(cell.peak**2 / error), similarity(cell, clean), seconds)


def similarity(cell: Cell, clean: Any) -> float:
    """The structural similarity of an image; NaN without scikit-image."""
    if cell.kind != "images" or find_spec("skimage") is None:
        return float("nan")
    from skimage.metrics import structural_similarity

    return float(structural_similarity(cell.clean, clean, data_range=cell.peak))


def row(kind: str, scores: list[Score]) -> str:
    """The cells of a row of a table: each result, and means."""
    numbers = [f"{score.psnr:.2f}" for score in scores]
    numbers.append(f"{np.mean([score.psnr for score in scores]):.2f}")
    if kind == "images":
        numbers.append(f"{np.mean([score.ssim for score in scores]):.3f}")
    numbers.append(f"{np.mean([score.seconds for score in scores]):.4f}")
    return " | ".join(numbers)


def table(kind: str, quick: bool) -> Iterator[str]:
    """The lines of a table in Markdown: a row for each recipe, a column for each cell."""
    data = [cell for cell in cells(quick) if cell.kind == kind]
    names = [cell.name for cell in data]
    names += ["mean", *(["SSIM"] if kind == "images" else []), "seconds"]
    yield f"| {kind} | {' | '.join(names)} |"
    yield "| --- |" + " ---: |" * len(names)
    for name, recipe in recipes(kind).items():
        yield f"| {name} | {row(kind, [score(cell, recipe) for cell in data])} |"
    yield ""


def main(arguments: list[str] | None = None) -> None:
    """Print the tables, and write them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=("signals", "images", "volume"))
    parser.add_argument("--write", type=Path)
    options = parser.parse_args(arguments)
    others = {"skimage": "scikit-image", "bm3d": "bm3d"}
    packages = ["liftwave", "pywt", *(name for key, name in others.items() if find_spec(key))]
    lines = [
        "# Denoising",
        "",
        f"{processor()}; {versions(packages)}.",
        "Peak signal-to-noise ratios in dB, mean structural similarity, CPU seconds of one call.",
        "",
        "```console",
        "$ python -m benchmarks.denoising --write benchmarks/results/denoising.md",
        "```",
        "",
    ]
    for kind in options.only or ("signals", "images", "volume"):
        for line in table(kind, options.quick):
            print(line, flush=True)
            lines.append(line)
    if options.write is not None:
        options.write.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
