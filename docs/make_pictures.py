"""Draw the pictures of the documentation: ``python docs/make_pictures.py``.

Writes into ``docs/pictures``. Every picture is computed by liftwave from data
made here or shipped with PyWavelets.
"""

from __future__ import annotations

import json
from pathlib import Path
from runpy import run_path
from typing import Any

import matplotlib as mpl
import numpy as np
import pywt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

import liftwave as lw
from liftwave._plan.boundary import MODES

PICTURES = Path(__file__).parent / "pictures"
EXAMPLES = Path(__file__).parent.parent / "examples"
RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"

INK, ACCENT, QUIET = "#1f4e79", "#d1495b", "#9aa5b1"
PEERS = {
    "PyWavelets": "#4c4c4c",
    "ndwt": "#2e86ab",
    "ptwt": "#edae49",
    "pytorch_wavelets": "#7a9e65",
}
SPEED_ROWS = {  # the rows of the chart of speed, and their labels
    "dwt db4": "dwt, db4, 16,777,216 samples",
    "dwt2 haar": "dwt2, haar, 4096 x 4096",
    "dwt2 db4": "dwt2, db4, 4096 x 4096",
    "dwt2 bior4.4": "dwt2, bior4.4, 4096 x 4096",
    "wavedec2 db4, 4 levels": "wavedec2, db4, 4 levels, 4096 x 4096",
    "waverec2 db4, 4 levels": "waverec2, db4, 4 levels, 4096 x 4096",
    "dwtn bior4.4": "dwtn, bior4.4, 256 x 256 x 256",
}
STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "savefig.facecolor": "white",
    "svg.hashsalt": "liftwave",  # the same picture is the same file
}


# --- boundary modes ------------------------------------------------------------------------------


def modes() -> Figure:
    """A short signal, and what each boundary mode takes it to be beyond its ends."""
    signal = np.array([0.55, 0.7, 1.25, 1.0, 0.3, 0.5, 0.75])
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    axes = figure.subplots(-(-len(MODES) // 3), 3, sharex=True, sharey=True)
    for ax in axes.flat[len(MODES) :]:
        ax.set_visible(False)
    for ax, mode in zip(axes.flat, MODES, strict=False):
        _draw_extension(ax, signal, mode)
    return figure


def _draw_extension(ax: Axes, signal: np.ndarray, mode: str) -> None:
    n, reach = signal.size, 7
    extended = lw.pad(signal, (reach, reach), mode)[: n + 2 * reach]
    at = np.arange(-reach, n + reach)
    inside = (at >= 0) & (at < n)
    ax.axvspan(-0.5, n - 0.5, color="#eef3f8", zorder=0)
    ax.axhline(0, color=QUIET, linewidth=0.6)
    ax.plot(at, extended, color=QUIET, linewidth=0.8, zorder=1)
    ax.plot(at[inside], extended[inside], "o", color=INK, markersize=5)
    outside = {"marker": "o", "markerfacecolor": "white", "markeredgecolor": ACCENT}
    ax.plot(at[~inside], extended[~inside], linestyle="", markersize=4.5, **outside)
    ax.set_title(mode, family="monospace")
    ax.set_xticks([0, n - 1], ["0", "n−1"])
    ax.tick_params(labelsize=8)


# --- bands ---------------------------------------------------------------------------------------


def bands() -> Figure:
    """Patches of stripes and checks, and a disc: which band sees what."""
    images = {"patches": _patches(), "a disc": _disc()}
    headings = ("image", "'aa'  cA  LL", "'da'  cH  LH", "'ad'  cV  HL", "'dd'  cD  HH")
    figure = Figure(figsize=(9, 4.1), layout="constrained")
    axes = figure.subplots(len(images), 5)
    for row, (label, image) in zip(axes, images.items(), strict=True):
        _draw_bands(row, image)
        row[0].set_ylabel(label, fontsize=9)
    for ax, heading in zip(axes[0], headings, strict=True):
        ax.set_title(heading, family="monospace")
    return figure


def _patches() -> np.ndarray:
    """Flat grey, horizontal stripes above; vertical stripes, checks below."""
    k = np.arange(16) % 2
    horizontal = np.repeat(k[:, None], 16, axis=1)
    flat, checks = np.full((16, 16), 0.5), k[:, None] ^ k
    patches = np.block([[flat, horizontal], [horizontal.T, checks]])
    return np.pad(patches, 2, constant_values=0.5)


def _disc() -> np.ndarray:
    k = np.arange(72) - 35.5
    return (np.hypot(k[:, None], k) < 25.3).astype(float)


def _draw_bands(row: np.ndarray, image: np.ndarray) -> None:
    found = lw.dwtn(image, "haar")
    details = max(float(np.abs(found[key]).max()) for key in ("da", "ad", "dd"))
    panels = [(image, 1.0), (found["aa"], 2.0)]
    panels += [(np.abs(found[key]), details) for key in ("da", "ad", "dd")]
    for ax, (values, white) in zip(row, panels, strict=True):
        ax.imshow(values, cmap="gray", vmin=0, vmax=white, interpolation="nearest")
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(True)
        ax.spines[:].set_color(QUIET)


# --- lifting -------------------------------------------------------------------------------------


def lifting() -> Figure:
    """One lifting transform and its inverse, as a diagram."""
    figure = Figure(figsize=(9.2, 5.4), layout="constrained")
    forward, inverse = figure.subplots(2, 1)
    _draw_forward(forward)
    _draw_inverse(inverse)
    return figure


def _canvas(ax: Axes, title: str) -> None:
    ax.set_xlim(0, 10)
    ax.set_ylim(0, 3.4)
    ax.set_axis_off()
    ax.set_title(title, loc="left", fontsize=11)


def _box(ax: Axes, x: float, y: float, text: str, color: str = INK) -> None:
    shape = FancyBboxPatch(
        (x - 0.42, y - 0.26), 0.84, 0.52, boxstyle="round,pad=0.06", fc="white", ec=color, lw=1.4
    )
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", fontsize=10, color=color)


def _arrow(ax: Axes, start: tuple[float, float], stop: tuple[float, float]) -> None:
    ax.add_patch(
        FancyArrowPatch(
            start, stop, arrowstyle="-|>", mutation_scale=11, color=QUIET, lw=1.3,
            shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip


def _sum(ax: Axes, x: float, y: float, sign: str) -> None:
    ax.plot([x], [y], "o", markersize=17, markerfacecolor="white", markeredgecolor=ACCENT)
    ax.text(x, y - 0.01, sign, ha="center", va="center", fontsize=13, color=ACCENT)


_EVEN, _ODD, _MIDDLE = 2.7, 0.7, 1.7


def _step(ax: Axes, x: float, source: float, target: float, text: str, sign: str) -> None:
    """A branch off one line, through a filter, onto the other."""
    towards = 1 if target > source else -1
    _arrow(ax, (x, source), (x, _MIDDLE - 0.34 * towards))
    _box(ax, x, _MIDDLE, text, ACCENT)
    _arrow(ax, (x, _MIDDLE + 0.34 * towards), (x, target - 0.2 * towards))
    _sum(ax, x, target, sign)


def _draw_forward(ax: Axes) -> None:
    _canvas(ax, "forward")
    ax.text(0.05, _MIDDLE, "x", fontsize=12, va="center")
    _arrow(ax, (0.25, _MIDDLE), (0.72, _MIDDLE))
    _box(ax, 1.2, _MIDDLE, "split")
    for y, label in ((_EVEN, "even  x[0], x[2], …"), (_ODD, "odd  x[1], x[3], …")):
        _arrow(ax, (1.68, _MIDDLE), (2.2, y))
        ax.plot([2.2, 7.0], [y, y], color=QUIET, lw=1.3, zorder=0)
        ax.text(2.3, y + 0.18, label, fontsize=9, color=INK)
    _step(ax, 4.4, _EVEN, _ODD, "predict", "+")
    _step(ax, 6.0, _ODD, _EVEN, "update", "+")
    for y, scale, band in ((_EVEN, "scale[0]", "approximation"), (_ODD, "scale[1]", "detail")):
        _arrow(ax, (6.9, y), (7.15, y))
        _box(ax, 7.65, y, scale)
        _arrow(ax, (8.14, y), (8.6, y))
        ax.text(8.68, y, band, fontsize=10, va="center", color=INK)


def _draw_inverse(ax: Axes) -> None:
    _canvas(ax, "inverse: the same steps, backwards, with the sign turned")
    for y, scale, band in ((_EVEN, "1/scale[0]", "approximation"), (_ODD, "1/scale[1]", "detail")):
        ax.text(0.05, y, band, fontsize=10, va="center", color=INK)
        _arrow(ax, (1.35, y), (1.75, y))
        _box(ax, 2.25, y, scale)
        ax.plot([2.75, 7.0], [y, y], color=QUIET, lw=1.3, zorder=0)
        _arrow(ax, (7.0, y), (7.55, _MIDDLE))
    _step(ax, 4.0, _ODD, _EVEN, "update", "−")
    _step(ax, 5.6, _EVEN, _ODD, "predict", "−")
    _box(ax, 8.05, _MIDDLE, "merge")
    _arrow(ax, (8.55, _MIDDLE), (9.0, _MIDDLE))
    ax.text(9.1, _MIDDLE, "x", fontsize=12, va="center")


# --- filters -------------------------------------------------------------------------------------


def responses() -> Figure:
    """How sharply some wavelets divide the frequencies between their bands."""
    figure = Figure(figsize=(9, 3.1), layout="constrained")
    names = ("haar", "db4", "cdf5.3", "cdf9.7")
    axes = figure.subplots(1, len(names), sharey=True)
    frequencies = np.linspace(0, 0.5, 401)
    for ax, name in zip(axes, names, strict=True):
        bank = lw.LiftingScheme.from_name(name).to_filter_bank()
        turns = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(bank.dec_len)))
        ax.plot(frequencies, np.abs(turns @ bank.dec_lo), color=INK, label="low-pass")
        ax.plot(frequencies, np.abs(turns @ bank.dec_hi), color=ACCENT, label="high-pass")
        ax.set_title(name, family="monospace")
        ax.set_xlabel("cycles per sample")
        ax.set_xticks([0, 0.25, 0.5])
        ax.axvline(0.25, color=QUIET, linewidth=0.6)
    axes[0].set_ylabel("magnitude")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


# --- decompositions ------------------------------------------------------------------------------


def ecg_bands() -> Figure:
    """The bands of an electrocardiogram with noise."""
    ecg = pywt.data.ecg().astype(float)
    noisy = ecg + 20 * np.random.default_rng(0).standard_normal(ecg.size)
    return lw.decompose(noisy, "sym4", level=4).plot("with noise, sym4")


def front() -> Figure:
    """The variables of the code on the front page."""
    image = pywt.data.camera().astype(float)
    bands = lw.decompose(image, "bior4.4", level=3)
    noisy = image + 25 * np.random.default_rng(0).standard_normal(image.shape)
    panels = {
        "image": image,
        "bands": _mosaic(bands),
        "sparse": bands.keep_largest(0.05).reconstruct(),
        "noisy": noisy,
        "clean": lw.denoise(noisy),
    }
    figure = Figure(figsize=(12, 2.75), layout="constrained")
    for ax, (name, values) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        ax.imshow(values, cmap="gray", vmin=0, vmax=255)
        ax.set_title(name, family="monospace")
        ax.set_axis_off()
    return figure


def _mosaic(bands: lw.Decomposition) -> np.ndarray:
    """All bands in one image: the approximation divided by its gain, the details around grey."""
    array, slices = lw.coeffs_to_array([bands.approx, *bands.details])
    approximation = array[slices[0]] / 2**bands.level
    array = 128 + 2 * array
    array[slices[0]] = approximation
    return array


def speed() -> Figure:
    """Times of other libraries as multiples of liftwave's, from ``benchmarks/results``."""
    results = json.loads((RESULTS / "peers.json").read_text(encoding="utf-8"))
    rows = {row["name"]: row["ratios"] for row in results["rows"]}
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    ax = figure.subplots()
    height = 0.8 / len(PEERS)
    for number, (library, color) in enumerate(PEERS.items()):
        times = [rows[name].get(library, np.nan) for name in SPEED_ROWS]
        places = np.arange(len(SPEED_ROWS)) + (number - (len(PEERS) - 1) / 2) * height
        bars = ax.barh(places, times, height, label=library, color=color)
        ax.bar_label(bars, ["" if np.isnan(t) else f"{t:.3g}" for t in times], padding=2, size=7)
    ax.axvline(1, color=INK, linewidth=2, label="liftwave")
    ax.set_yticks(range(len(SPEED_ROWS)), SPEED_ROWS.values())
    ax.set_ylim(len(SPEED_ROWS) - 0.5, -0.5)
    ax.set_xscale("log")
    ax.set_xlim(0.8, 700)
    ax.set_xticks([1, 10, 100], ["1", "10", "100"])
    ax.set_xlabel("time / liftwave's time")
    ax.set_title(f"{results['machine']}, float32", loc="left")
    figure.legend(loc="outside upper center", ncols=len(PEERS) + 1, frameon=False)
    return figure


def mosaic() -> Figure:
    """A photograph's bands."""
    return lw.decompose(pywt.data.camera(), "bior4.4", level=3, mode="periodization").plot()


def denoising() -> Figure:
    """A photograph with noise, denoised by two kinds of thresholds and by the default."""
    image = pywt.data.camera()[40:296, 120:376].astype(float)
    noisy = image + 25 * np.random.default_rng(0).standard_normal(image.shape)
    results = {
        "with noise": noisy,
        'method="visu"': lw.denoise(noisy, "db2", method="visu"),
        'method="bayes"': lw.denoise(noisy, "db2", method="bayes"),
        "the default": lw.denoise(noisy),
    }
    figure = Figure(figsize=(9, 2.75), layout="constrained")
    for ax, (title, values) in zip(figure.subplots(1, 4), results.items(), strict=True):
        decibels = 10 * np.log10(255**2 / np.mean((values - image) ** 2))
        ax.imshow(values, cmap="gray", vmin=0, vmax=255)
        ax.set_title(f"{title}\n{decibels:.1f} dB", fontsize=9)
        ax.set_axis_off()
    return figure


def denoising_cases() -> Figure:
    """An ECG, a photograph, counts of photons, a volume: with noise, denoised, the difference."""
    rng = np.random.default_rng(0)
    ecg = pywt.data.ecg()[:512].astype(float)
    image = pywt.data.camera()[40:296, 120:376].astype(float)
    means = pywt.data.ascent()[128:384, 128:384] / 25.0
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 48)] * 3))
    volume = 100 * (np.sin(12 * np.sqrt((grid**2).sum(0))) > 0)
    line = {"transform": "swt", "method": "fdr"}
    picture = {"transform": "swt", "method": "bls-gsm"}
    cases = {
        "ECG\nfdr": (ecg + 20 * rng.standard_normal(ecg.shape), line),
        "photograph\nbls-gsm": (image + 25 * rng.standard_normal(image.shape), picture),
        "counts\nbls-gsm, anscombe": (rng.poisson(means) * 1.0, {**picture, "vst": "anscombe"}),
        "volume\nneighcoeff": (
            volume + 40 * rng.standard_normal(volume.shape),
            {"transform": "swt", "method": "neighcoeff"},
        ),
    }
    figure = Figure(figsize=(7.5, 9), layout="constrained")
    for row, (title, (noisy, options)) in zip(figure.subplots(4, 3), cases.items(), strict=True):
        clean = lw.denoise(noisy, "sym8" if noisy.ndim == 1 else "sym4", **options)
        row[0].set_ylabel(title, fontsize=9)
        _denoised_row(row, noisy, clean, noisy.ndim)
    for ax, name in zip(figure.axes, ("with noise", "denoised", "difference"), strict=False):
        ax.set_title(name, fontsize=9)
    return figure


def _denoised_row(row: Any, noisy: Any, clean: Any, ndim: int) -> None:
    parts = [noisy, clean, noisy - clean]
    limits = dict(zip(("vmin", "vmax"), np.percentile(noisy, (1, 99)), strict=True))
    spread = {"vmin": -2.5 * parts[2].std(), "vmax": 2.5 * parts[2].std()}
    for ax, values, scale in zip(row, parts, (limits, limits, spread), strict=True):
        if ndim == 1:
            ax.plot(values, color=QUIET if values is noisy else INK, linewidth=0.7)
            ax.set_ylim(noisy.min(), noisy.max())
        else:
            ax.imshow(values if ndim == 2 else values[len(values) // 2], cmap="gray", **scale)
        ax.set_xticks([])
        ax.set_yticks([])


def pooling() -> Figure:
    """A photograph by windows of four, and up again."""
    image = pywt.data.camera()[60:188, 180:308] / 255.0
    at_most, indices = lw.pooling.max_pool(image, 4, return_indices=True)
    ada = lw.pooling.ada_pool(image, 4, beta=0.5)
    down = {
        "image": image,
        "max_pool": at_most,
        "soft_pool": lw.pooling.soft_pool(image, 4),
        "edscw_pool": lw.pooling.edscw_pool(image, 4),
        "idw_pool": lw.pooling.idw_pool(image, 4),
        "ada_pool, $\\beta = 1/2$": ada,
    }
    up = {
        "bed_of_nails_unpool": lw.pooling.bed_of_nails_unpool(at_most, 4),
        "max_unpool": lw.pooling.max_unpool(at_most, indices, 4),
        "nearest_unpool": lw.pooling.nearest_unpool(at_most, 4),
        'ada_unpool, "sum"': lw.pooling.ada_unpool(image, ada, 4),
        'ada_unpool, "mean"': lw.pooling.ada_unpool(image, ada, 4, preserve="mean"),
        'the same, "linear"': lw.pooling.ada_unpool(image, ada, 4, up="linear", preserve="mean"),
    }
    figure = Figure(figsize=(11, 4.1), layout="constrained")
    pictures = [*down.items(), *up.items()]
    for ax, (title, values) in zip(figure.subplots(2, 6).flat, pictures, strict=True):
        ax.imshow(values, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        ax.set_title(title, fontsize=9)
        ax.set_axis_off()
    return figure


# --- components ----------------------------------------------------------------------------------


def components() -> Figure:
    """An electrocardiogram and its components on six scales, which add up to it."""
    signal = pywt.data.ecg()[:1001].astype(float)
    smooth, *details = lw.mra(signal, "sym4", level=6)
    rows = {"signal": signal, "smooth, $S_6$": smooth}
    rows |= {f"detail, $D_{{{6 - k}}}$": detail for k, detail in enumerate(details)}
    figure = Figure(figsize=(9, 7.2), layout="constrained")
    axes = figure.subplots(len(rows), 1, sharex=True)
    for ax, (label, values) in zip(axes, rows.items(), strict=True):
        ax.plot(values, color=ACCENT if label == "signal" else INK, linewidth=0.8)
        ax.set_ylabel(label, rotation=0, ha="right", va="center")
        ax.set_yticks([])
        ax.margins(x=0)
    axes[-1].set_xlabel("sample")
    return figure


# --- packets -------------------------------------------------------------------------------------


def packets_of_a_sound() -> Figure:
    """The best basis of an increasing tone, a constant tone and a click, in Hz and seconds."""
    t = np.arange(8192) / 8000
    sound = np.sin(2 * np.pi * (400 * t + 1000 * t**2))
    sound += 0.5 * np.sin(2 * np.pi * 3200 * t) * (t > 0.5)
    sound[2400:2404] += 3.0
    return _best_tiles(sound, "db10", 5, 8000.0)


def packets_of_speech() -> Figure:
    """The best basis of recorded speech; the magnitudes are in decibels."""
    rate, speech = lw.data.speech()
    tree = lw.best_basis(lw.wpdec(speech / 2**15, "db16", "periodization", 6, full=True))
    leaves = lw.wpdec(speech / 2**15, "db16", "periodization", tree=tree)
    strongest = max(np.abs(leaf).max() for leaf in leaves)
    decibels = [
        np.fmax(20 * np.log10(np.abs(leaf) / strongest + 1e-12) + 60, 0.0) for leaf in leaves
    ]
    figure = tree.plot(decibels, rate)
    figure.axes[0].set(xlabel="time (s)", ylabel="frequency (Hz)")
    return figure


def packets_of_an_electrocardiogram() -> Figure:
    """The best basis of an electrocardiogram, in Hz and seconds."""
    ecg = pywt.data.ecg().astype(float)
    return _best_tiles(ecg - ecg.mean(), "sym8", 6, 360.0)


def _best_tiles(x: np.ndarray, wavelet: str, level: int, rate: float) -> Figure:
    tree = lw.best_basis(lw.wpdec(x, wavelet, "periodization", level, full=True))
    figure = tree.plot(lw.wpdec(x, wavelet, "periodization", tree=tree), rate)
    figure.axes[0].set(xlabel="time (s)", ylabel="frequency (Hz)")
    return figure


def aligned_bands() -> Figure:
    """The bands of an electrocardiogram, each moved by the delay of its filters."""
    signal = pywt.data.ecg()[:1001].astype(float)
    bands = lw.undecimated(signal, "sym4", level=5, transform="modwt")
    return bands.plot("electrocardiogram, sym4, modwt", spacing=1 / 360, unit="s")


def photograph_components() -> Figure:
    """A photograph and its components on three scales, which add up to it."""
    image = pywt.data.camera()[40:296, 120:376].astype(float)
    smooth, *details = lw.mra2(image, "sym4", level=3, levels_only=True)
    panels = {"photograph": image, "smooth, $S_3$: above 16 pixels": smooth}
    for level, detail in zip((3, 2, 1), details, strict=True):
        panels[f"detail, $D_{level}$: {2**level} to {2 ** (level + 1)} pixels"] = detail
    figure = Figure(figsize=(9, 6.3), layout="constrained")
    axes = figure.subplots(2, 3)
    axes[0, 2].set_axis_off()
    places = [axes[0, 0], axes[0, 1], *axes[1]]
    for ax, (title, values) in zip(places, panels.items(), strict=True):
        limit = 40 if title.startswith("detail") else None
        ax.imshow(values, cmap="gray", vmin=None if limit is None else -limit, vmax=limit)
        ax.set_title(title, fontsize=9)
        ax.set_axis_off()
    return figure


# --- dual tree -----------------------------------------------------------------------------------


def shift_invariance() -> Figure:
    """The energy of three levels of dwt and of the dual tree, as a step moves."""
    places = np.arange(100, 133)
    steps = [(np.arange(256) >= place).astype(float) for place in places]
    transforms: dict[str, Any] = {
        "dwt, sym4": [lw.wavedec(step, "sym4", level=4)[1:4] for step in steps],
        "dtcwt, q14": [lw.dtcwt(step, level=4).bands[:3] for step in steps],
    }
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots(1, 3)
    for k, ax in enumerate(axes):
        for (label, results), color in zip(transforms.items(), (ACCENT, INK), strict=True):
            energies = np.array([_energy_inside(bands[2 - k]) for bands in results])
            ax.plot(places - places[0], energies / energies.mean(), color=color, label=label)
        ax.set_title(f"level {k + 2}")
        ax.set_xlabel("shift of the step (samples)")
        ax.set_ylim(0, 2)
    axes[0].set_ylabel("energy / mean energy")
    axes[0].legend(frameon=False)
    return figure


def _energy_inside(band: np.ndarray) -> float:
    """The energy without the quarters at the ends."""
    quarter = len(band) // 4
    return float((np.abs(band[quarter:-quarter]) ** 2).sum())


# --- continuous transform ------------------------------------------------------------------------


def scalogram_of_heartbeats() -> Figure:
    """An electrocardiogram of three heartbeats."""
    ecg = lw.data.ecg().astype(float)
    s = lw.scalogram(ecg, fs=360, limits=(1, 180), voices=16)
    return s.plot("Electrocardiogram, morse(3, 20)")


def scalogram_of_speech() -> Figure:
    """Half a second of speech, with the ridge of the pitch."""
    rate, samples = lw.data.speech()
    x = samples[10000:18000] / 32768
    s = lw.scalogram(x, rate, "morse(3, 60)", limits=(80, 4000), voices=24)
    pitch = lw.scalogram(x, rate, "morse(3, 60)", limits=(80, 250), voices=24).ridges()
    return s.plot("Speech and its pitch, morse(3, 60)", ridges=pitch)


def scalogram_of_temperatures() -> Figure:
    """Anomalies of temperatures, with the limit of red noise."""
    _, temperatures = lw.data.nino()
    seasons = temperatures.reshape(-1, 4)
    anomalies = (seasons - seasons.mean(axis=0)).ravel()
    s = lw.scalogram(anomalies, 4, "morlet(6)", norm="energy", limits="resolved", voices=12)
    title = "Sea surface temperature, Niño 3, 1950 to 2015, morlet(6)"
    return s.plot(title, level=0.95, time_unit="years", period=True)


DRAWN: dict[str, Any] = {
    "ecg_bands.png": ecg_bands,
    "front.png": front,
    "speed.png": speed,
    "packets_sound.png": packets_of_a_sound,
    "packets_speech.png": packets_of_speech,
    "packets_ecg.png": packets_of_an_electrocardiogram,
    "ecg_components.png": components,
    "ecg_aligned.png": aligned_bands,
    "photograph_components.png": photograph_components,
    "shift_invariance.png": shift_invariance,
    "scalogram_ecg.png": scalogram_of_heartbeats,
    "scalogram_speech.png": scalogram_of_speech,
    "scalogram_nino.png": scalogram_of_temperatures,
    "modes.svg": modes,
    "bands.png": bands,
    "lifting.svg": lifting,
    "responses.svg": responses,
    "mosaic.png": mosaic,
    "denoising.png": denoising,
    "denoising_cases.png": denoising_cases,
    "pooling.png": pooling,
}


# An example draws its own.
DRAWN_BY_EXAMPLES = {
    "learned_digits": ("learned_digits.png",),
}

# Those of the page on the papers' claims take long: `python -m examples.reproduce` draws them.
DRAWN_BY_REPRODUCTIONS = (
    "reproduced_autoencoder.png",
    "reproduced_bidirectional.png",
    "reproduced_classification.png",
    "reproduced_classification_mnist5k.png",
    "reproduced_information.png",
    "reproduced_robustness.png",
    "reproduced_robustness_mnist5k.png",
)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    for name in DRAWN_BY_EXAMPLES:
        run_path(str(EXAMPLES / f"{name}.py"))["main"](["--output", str(PICTURES)])
    with mpl.rc_context(STYLE):
        for name, draw in DRAWN.items():
            path = PICTURES / name
            metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
            draw().savefig(path, dpi=90, metadata=metadata)
            print(f"{path} ({path.stat().st_size // 1024} kB)")


if __name__ == "__main__":
    main()
