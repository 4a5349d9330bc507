"""Pictures of decompositions, by matplotlib (imported when a picture is drawn)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from liftwave._typing import Array
from liftwave.errors import ShapeError
from liftwave.wavelets.lifting.scheme import LiftingScheme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from liftwave._plan.axes import AxisPlan
    from liftwave.decomposition import Decomposition

_INK = "#1f4e79"
_FRAME = "#ffb000"


def plot_decomposition(decomposition: Decomposition, title: str | None = None) -> Figure:
    """Draw a 1-D signal's or a 2-D image's bands; see :meth:`Decomposition.plot`."""
    drawn = {1: _plot_signal, 2: _plot_image}.get(len(decomposition.shape))
    if drawn is None or len(decomposition.plans) != len(decomposition.shape):
        raise ShapeError(
            "plot() draws a 1-D signal or a 2-D image transformed along all axes, got shape "
            f"{decomposition.shape} transformed along axes {decomposition.axes}; "
            "index a batch before decomposing"
        )
    return drawn(decomposition, title)


def on_host(x: Array) -> np.ndarray[Any, Any]:
    """An array of any library as a NumPy array of real numbers (magnitudes of complex ones)."""
    for method in ("detach", "cpu", "get"):
        if not isinstance(x, np.ndarray) and hasattr(x, method):
            x = getattr(x, method)()
    array = np.asarray(x)
    return np.abs(array) if np.iscomplexobj(array) else array


def _plot_signal(decomposition: Decomposition, title: str | None) -> Figure:
    from matplotlib.figure import Figure

    bands = decomposition.bands
    figure = Figure(figsize=(9, 1.1 * len(bands) + 0.8), layout="constrained")
    axes = np.atleast_1d(figure.subplots(len(bands), 1, sharex=True))
    n = decomposition.shape[0]
    for ax, ((level, key), band) in zip(axes, bands.items(), strict=True):
        values = on_host(band)
        step, first = 2**level, sample_positions(decomposition.plans[0], level)["ad".index(key)]
        edges = first + step * (np.arange(values.size + 1) - 0.5)
        ax.stairs(values, edges, baseline=None, color=_INK, linewidth=0.8)
        ax.set_ylabel(f"{key}{level}", rotation=0, ha="right", va="center")
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlim(0, n)
    axes[-1].set_xlabel("sample")
    figure.suptitle(title or _heading(decomposition), fontsize=11)
    return figure


def _plot_image(decomposition: Decomposition, title: str | None) -> Figure:
    from matplotlib.figure import Figure

    height, width = decomposition.shape
    figure = Figure(figsize=(7, 7 * height / width + 0.5), layout="constrained")
    ax = figure.subplots()
    corner = on_host(decomposition.approx).shape
    _tile(ax, decomposition.approx, (0, 0), f"LL{decomposition.level}", detail=False)
    for depth, bands in zip(range(decomposition.level, 0, -1), decomposition.details, strict=True):
        places = {"da": (corner[0], 0), "ad": (0, corner[1]), "dd": corner}
        for key, place in places.items():
            name = {"da": "LH", "ad": "HL", "dd": "HH"}[key]
            _tile(ax, bands[key], place, f"{name}{depth}", detail=True)
        corner = tuple(c + n for c, n in zip(corner, bands["dd"].shape, strict=True))
    ax.set_xlim(0, corner[1])
    ax.set_ylim(corner[0], 0)
    ax.set_aspect("equal")
    ax.set_axis_off()
    figure.suptitle(title or _heading(decomposition), fontsize=11)
    return figure


def _tile(ax: Axes, band: Array, place: tuple[int, ...], label: str, *, detail: bool) -> None:
    values = on_host(band)
    if values.size == 0:
        return
    top, left = place
    height, width = values.shape
    if detail:
        # Details are sparse: the 99th percentile shows structure that the maximum would drown.
        reach = float(np.percentile(np.abs(values), 99)) or 1.0
        lowest, highest = -reach, reach
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


def sample_positions(plan: AxisPlan, level: int) -> tuple[float, float]:
    """Where coefficient 0 of a level sits in the signal: approximation and detail.

    Coefficient ``k`` sits ``k * 2**level`` samples further. A filter's place is
    the centre of its energy, so that features line up across levels.
    """
    approx, detail = _centres(plan)
    before = approx * (2 ** (level - 1) - 1)
    return before + approx * 2 ** (level - 1), before + detail * 2 ** (level - 1)


def _centres(plan: AxisPlan) -> tuple[float, float]:
    """The positions for one level: of even and odd samples, or of the filters."""
    bank, periodic = plan.wavelet, plan.mode == "periodization"
    if isinstance(bank, LiftingScheme):
        if not periodic:
            return 0.0, 1.0
        bank = bank.to_filter_bank()
    phase = bank.dec_len / 2 if periodic else 1.0
    filters = (on_host(np.asarray(f) if isinstance(f, tuple) else f) for f in bank.filter_bank[:2])
    approx, detail = (phase - float(np.average(np.arange(f.size), weights=f**2)) for f in filters)
    return approx, detail


def _heading(decomposition: Decomposition) -> str:
    names = ", ".join(dict.fromkeys(w.name or repr(w) for w in decomposition.wavelets))
    modes = ", ".join(dict.fromkeys(decomposition.modes))
    size = " × ".join(map(str, decomposition.shape))
    return f"{size}, {names}, {modes}, {decomposition.level} levels"
