"""The tour: examples of use on recordings and photographs that PyWavelets ships."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from timeit import timeit
from typing import Any, TypeAlias

import numpy as np
import pywt

import liftwave as lw
from liftwave.cli import console, pictures
from liftwave.cli.targets import check_target
from liftwave.errors import FileError

Rows: TypeAlias = list[tuple[str, str, str]]

_KEPT = 0.05
_NOISE = 20.0

# Noise that leaves the P and T waves visible. Hard thresholds keep the height of the R waves.
_ECG_NOISE = 6.0
_ECG_OPTIONS: dict[str, Any] = {"method": "visu", "rule": "hard", "shifts": 8}
_R_WAVES = (190, 518, 848)
_PICTURES = {
    "photograph_bands.png": "the bands of a photograph",
    "ecg_bands.png": "the bands of an ECG",
    "compression.png": "a photograph from its largest coefficients",
    "denoising.png": "a photograph with noise, and denoised",
    "ecg_denoising.png": "an ECG with noise, and denoised",
}
_FACE = (slice(70, 230), slice(180, 340))


def tour(folder: Path, *, force: bool = False) -> None:
    """Run all examples, print one table, and write the pictures into ``folder``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: cannot create this folder ({error.strerror})") from error
    for path in map(folder.joinpath, _PICTURES):
        # The tour can be repeated, but does not replace other pictures.
        check_target(path, force=force or (path.is_file() and pictures.is_of_the_tour(path)))
    photograph, ecg = pywt.data.camera(), pywt.data.ecg().astype(np.float64)
    rows: list[tuple[str, ...]] = []
    stops: tuple[tuple[str, Callable[[], Rows]], ...] = (
        ("decomposing", lambda: _decompose(photograph, ecg, folder)),
        ("lifting", lambda: _lift(photograph)),
        ("compressing", lambda: _compress(photograph, folder)),
        ("denoising a photograph", lambda: _denoise_photograph(photograph, folder)),
        ("denoising an ECG", lambda: _denoise_ecg(ecg, folder)),
        ("losslessly", lambda: _lossless(photograph)),
        ("measuring the time", lambda: _time(photograph)),
        ("differentiating", lambda: _differentiate(photograph)),
    )
    with console.progress(len(stops)) as step:
        for label, stop in stops:
            step(label)
            rows += stop()
    console.table("liftwave's tour", ("what", "how", "result"), rows)
    console.say(f"\nIn the folder {folder}:")
    for name, content in _PICTURES.items():
        console.say(f"  {name:<22}{content}")


def _decompose(photograph: Any, ecg: Any, folder: Path) -> Rows:
    # Periodization has as many coefficients as samples, so the bands fit together.
    d = lw.decompose(photograph, "db4", 3, "periodization")
    mosaic = d.plot("A photograph: db4, 3 levels, with the contrast scaled for each detail")
    pictures.save(mosaic, folder / "photograph_bands.png")
    line = lw.decompose(ecg, "db4", 5)
    pictures.save(line.plot("An ECG: db4, 5 levels"), folder / "ecg_bands.png")
    lifted = lw.decompose(photograph, lw.LiftingScheme.from_name("cdf9.7"), 3)
    return [
        ("photograph round trip", "db4, 3 levels", _error(d, photograph)),
        ("... by lifting", "cdf9.7, 3 levels", _error(lifted, photograph)),
        ("ECG round trip", "db4, 5 levels", _error(line, ecg)),
    ]


def _error(d: lw.Decomposition, x: Any) -> str:
    """The largest error of a round trip, as a share of the largest sample."""
    return f"differs by {np.abs(d.reconstruct() - x).max() / np.abs(x).max():.1e}"


def _lift(photograph: Any) -> Rows:
    image = photograph.astype(np.float64)
    lifted = lw.decompose(image, lw.LiftingScheme.from_name("cdf9.7"), 3, "periodization")
    filtered = lw.decompose(image, "bior4.4", 3, "periodization")
    bands = zip(lifted.bands.values(), filtered.bands.values(), strict=True)
    error = max(float(np.abs(a - b).max()) for a, b in bands) / np.abs(lifted.approx).max()
    odd = lw.decompose(image[:-1, :-3], lw.LiftingScheme.from_name("cdf9.7"), 3, "reflect")
    total = sum(band.size for band in odd.bands.values())
    samples = image[:-1, :-3].size
    return [
        ("lifting against filter bank", "cdf9.7, bior4.4", f"differs by {error:.1e}"),
        ("... critically sampled", f"511 x 509 = {samples}", f"{total} coefficients"),
    ]


def _compress(photograph: Any, folder: Path) -> Rows:
    image = photograph.astype(np.float64)
    rows, images = [], [("original", photograph)]
    for wavelet in ("haar", "bior4.4"):
        d = lw.decompose(image, wavelet, 5, "periodization").keep_largest(_KEPT)
        approximation = np.clip(d.reconstruct(), 0, 255)
        quality = console.psnr(image, approximation, 255)
        rows.append(
            ("largest 5 % of coefficients", f"{wavelet}, 5 levels", f"PSNR {quality:.2f} dB")
        )
        images.append((f"{wavelet}: {quality:.2f} dB", approximation))
    pictures.images(
        folder / "compression.png", images, _FACE, "From the largest 5 % of the coefficients"
    )
    return rows


def _denoise_photograph(photograph: Any, folder: Path) -> Rows:
    clean = photograph.astype(np.float64)
    noisy = clean + _NOISE * np.random.default_rng(0).standard_normal(clean.shape)
    estimate = float(lw.estimate_sigma(noisy, "sym8"))
    denoised = lw.denoise(noisy)
    before, after = (console.psnr(clean, image, 255) for image in (noisy, denoised))
    pictures.images(
        folder / "denoising.png",
        [
            ("original", clean),
            (f"with noise: {before:.2f} dB", noisy),
            (f"denoised: {after:.2f} dB", denoised),
        ],
        _FACE,
        "Bivariate shrinkage of the dual tree's bands",
    )
    return [
        ("noise level", f"added {_NOISE:g}", f"estimated {estimate:.2f}"),
        ("photograph denoised", "dual tree, bivariate", f"PSNR {before:.2f} -> {after:.2f} dB"),
    ]


def _denoise_ecg(ecg: Any, folder: Path) -> Rows:
    noisy = ecg + _ECG_NOISE * np.random.default_rng(1).standard_normal(ecg.size)
    denoised = lw.denoise(noisy, "sym5", **_ECG_OPTIONS)
    before, after = (_snr(ecg, signal) for signal in (noisy, denoised))
    pictures.signals(
        folder / "ecg_denoising.png",
        ecg,
        noisy,
        denoised,
        f"ECG: signal-to-noise ratio {before:.1f} dB before, {after:.1f} dB after",
    )
    recorded, kept = (", ".join(f"{signal[k]:.0f}" for k in _R_WAVES) for signal in (ecg, denoised))
    return [
        ("ECG denoised", "sym5, hard, 8 shifts", f"SNR {before:.1f} -> {after:.1f} dB"),
        ("... height of the R waves", recorded, kept),
    ]


def _snr(clean: Any, x: Any) -> float:
    return float(10 * np.log10(np.var(clean) / np.mean((x - clean) ** 2)))


def _lossless(photograph: Any) -> Rows:
    scheme = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    d = lw.decompose(photograph, scheme, 5, "reflect")
    equal = bool((d.reconstruct() == photograph).all())
    before, after = _bits([photograph]), _bits(d.bands.values())
    return [
        ("photograph in integers", "cdf5.3, 5 levels", f"exactly equal: {equal}"),
        ("... bits per pixel", "entropy of each band", f"{before:.2f} -> {after:.2f}"),
    ]


def _bits(bands: Iterable[Any]) -> float:
    """Empirical entropy, band by band, in bits for each sample."""
    bits, samples = 0.0, 0
    for band in bands:
        _, counts = np.unique(band, return_counts=True)
        bits -= float((counts * np.log2(counts / band.size)).sum())
        samples += band.size
    return bits / samples


def _time(photograph: Any) -> Rows:
    image = photograph.astype(np.float64)
    calls = [lambda of=of: of.wavedec2(image, "db4", level=3) for of in (pywt, lw)]
    # The measurements alternate, so that other programs slow down both.
    times = np.array([[timeit(call, number=4) / 4 for call in calls] for _ in range(5)])
    theirs, ours = times.min(axis=0)
    result = f"{1000 * theirs:.1f} ms, {1000 * ours:.1f} ms"
    return [("time of db4, 3 levels", "PyWavelets, liftwave", result)]


def _differentiate(photograph: Any) -> Rows:
    """The gradient of half the energy of orthonormal coefficients is the signal."""
    try:
        import torch
    except ImportError:
        return []
    image = torch.tensor(photograph, dtype=torch.float64, requires_grad=True)
    approx, *details = lw.wavedec2(image, "db4", mode="periodization", level=3)
    bands = [approx, *(band for level in details for band in level)]
    (gradient,) = torch.autograd.grad(sum(0.5 * (band**2).sum() for band in bands), image)
    error = np.abs(gradient.numpy() - photograph).max() / photograph.max()
    return [("torch, gradient of energy", "db4, 3 levels", f"differs by {error:.1e}")]
