"""Figures of the bands of a transform. Matplotlib is imported when a figure is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from liftwave._arrays.host import as_numpy
from liftwave._optional import needed_by
from liftwave._typing import Array
from liftwave.decomposition.bands import Bands
from liftwave.decomposition.positions import sample_positions
from liftwave.errors import ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#1f4e79"
_FRAME = "#ffb000"


def plot_bands(subject: Bands, title: str | None = None) -> Figure:
    """Draw the bands of a 1-D signal or of a 2-D image.

    Raises
    ------
    ShapeError
        If the data have another shape, or not all axes were transformed.
    """
    plot = {1: _plot_signal, 2: _plot_image}.get(len(subject.shape))
    if plot is None or len(subject.plans) != len(subject.shape):
        raise ShapeError(
            "plot() draws a 1-D signal or a 2-D image transformed along all axes, got shape "
            f"{subject.shape} transformed along axes {tuple(plan.axis for plan in subject.plans)}; "
            "index a batch before decomposing"
        )
    figure = plot(subject)
    text = "" if title is None else str(title)
    figure.suptitle(text or _heading(subject), fontsize=11)
    return figure


def magnitudes(x: Array) -> np.ndarray[Any, Any]:
    """A real NumPy array, with complex numbers as magnitudes."""
    array = as_numpy(x)
    return np.abs(array) if np.iscomplexobj(array) else array


def _plot_signal(subject: Bands) -> Figure:
    with needed_by("plot()"):
        from matplotlib.figure import Figure

    count = len(subject.bands)
    figure = Figure(figsize=(9, 1.1 * count + 0.8), layout="constrained")
    axes = np.atleast_1d(figure.subplots(count, 1, sharex=True))
    for ax, ((level, key), band) in zip(axes, subject.bands.items(), strict=True):
        values = magnitudes(band)
        step, first = 2**level, sample_positions(subject.plans[0], level)["ad".index(key)]
        edges = first + step * (np.arange(values.size + 1) - 0.5)
        ax.stairs(values, edges, baseline=None, color=_INK, linewidth=0.8)
        ax.set_ylabel(f"{key}{level}", rotation=0, ha="right", va="center")
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlim(0, subject.shape[0])
    axes[-1].set_xlabel("sample")
    return figure


def _plot_image(subject: Bands) -> Figure:
    with needed_by("plot()"):
        from matplotlib.figure import Figure

    height, width = subject.shape
    figure = Figure(figsize=(7, 7 * height / width + 0.5), layout="constrained")
    ax = figure.subplots()
    approx = subject.bands[subject.level, "aa"]
    corner = tuple(approx.shape)
    _tile(ax, approx, (0, 0), f"LL{subject.level}", detail=False)
    for level in range(subject.level, 0, -1):
        tiles = {"da": ("LH", (corner[0], 0)), "ad": ("HL", (0, corner[1])), "dd": ("HH", corner)}
        for key, (name, place) in tiles.items():
            _tile(ax, subject.bands[level, key], place, f"{name}{level}", detail=True)
        shape = subject.bands[level, "dd"].shape
        corner = tuple(c + n for c, n in zip(corner, shape, strict=True))
    ax.set_xlim(0, corner[1])
    ax.set_ylim(corner[0], 0)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return figure


def _tile(ax: Axes, band: Array, place: tuple[int, ...], label: str, *, detail: bool) -> None:
    values = magnitudes(band)
    if values.size == 0:
        return
    top, left = place
    height, width = values.shape
    if detail:
        # Details are sparse: a scale up to the maximum would hide all but the largest coefficients.
        largest = float(np.percentile(np.abs(values), 99)) or 1.0
        lowest, highest = -largest, largest
    else:
        lowest, highest = float(values.min()), float(values.max())
    ax.imshow(
        values, cmap="gray", extent=(left, left + width, top + height, top),
        interpolation="nearest", vmin=lowest, vmax=highest,
    )  # fmt: skip
    box = {"boxstyle": "round,pad=0.2", "facecolor": "black", "alpha": 0.6, "linewidth": 0}
    ax.text(
        left + 0.03 * width, top + 0.03 * height, label,
        color="white", fontsize=8, va="top", ha="left", bbox=box,
    )  # fmt: skip
    edges = ([left, left + width, left + width], [top + height, top + height, top])
    ax.plot(*edges, color=_FRAME, linewidth=0.8)


def _heading(subject: Bands) -> str:
    wavelets = (plan.wavelet for plan in subject.plans)
    names = ", ".join(dict.fromkeys(w.name or repr(w) for w in wavelets))
    modes = ", ".join(dict.fromkeys(plan.boundary for plan in subject.plans))
    size = " × ".join(map(str, subject.shape))
    return f"{size}, {names}, {modes}, {subject.level} levels"
