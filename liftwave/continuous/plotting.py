"""Figures of scalograms. Matplotlib is imported when a figure is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from liftwave._numbers import flag
from liftwave._optional import needed_by
from liftwave.errors import OptionError, ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RIDGE, _CONTOUR = "#ffb000", "white"

# The largest number of columns that a figure shows.
_MOST_COLUMNS = 2000


@dataclass(frozen=True)
class Picture:
    """The contents of a figure of a time-frequency plane.

    Attributes
    ----------
    values : ndarray, shape (frequencies, times)
        Real values that are not negative.
    frequencies, times, coi : ndarray
        The axes, and the cone of influence.
    label : str
        The name of the values, with their unit.
    heading : str
        The heading of the figure.
    limit : ndarray, shape (frequencies,), optional
        Values above are surrounded by a line.
    ridges : sequence of ndarray, shape (times,)
        Frequencies that are drawn as lines.
    highest : float, optional
        The end of the colours; the largest value by default.
    arrows : ndarray, shape (frequencies, times), optional
        Phases that are drawn as arrows.
    """

    values: NDArray[Any]
    frequencies: NDArray[np.float64]
    times: NDArray[np.float64]
    coi: NDArray[np.float64]
    label: str
    heading: str
    limit: NDArray[np.float64] | None = None
    ridges: Sequence[NDArray[np.float64]] = ()
    highest: float | None = None
    arrows: NDArray[np.float64] | None = None


def checked_options(title: Any, unit: Any, time_unit: Any, period: Any) -> bool:
    """Whether periods are drawn in place of frequencies.

    Raises
    ------
    OptionError
        If an argument is not text.
    """
    for name, value in (("unit", unit), ("time_unit", time_unit)):
        if not isinstance(value, str):
            raise OptionError(f"{name} must be text, got {value!r}")
    if title is not None and not isinstance(title, str):
        raise OptionError(f"title must be text, got {title!r}")
    return flag(period, "period")


def check_plane(shape: tuple[int, ...]) -> None:
    """Raise unless this is the shape of one plane with at least two frequencies and times.

    Raises
    ------
    ShapeError
        If there are several signals, or too few rows or columns.
    """
    if len(shape) != 2:
        raise ShapeError(f"plot() draws one signal, got shape {shape}; index a batch first")
    if min(shape) < 2:
        raise ShapeError(f"plot() needs at least two frequencies and two times, got shape {shape}")


def draw(picture: Picture, title: str | None, time_unit: str, period: bool) -> Figure:
    """Draw values over time and the logarithm of frequency."""
    with needed_by("plot()"):
        from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.6), layout="constrained")
    ax = figure.subplots()
    times, values = _columns(picture.times, picture.values)
    heights = 1 / picture.frequencies if period else picture.frequencies
    mesh = ax.pcolormesh(
        _edges(times), _ratio_edges(heights), values,
        cmap="viridis", vmin=0, vmax=picture.highest, rasterized=True,
    )  # fmt: skip
    figure.colorbar(mesh, ax=ax, label=picture.label, pad=0.02)
    _draw_axes(ax, times, heights, time_unit, period)
    _draw_cone(ax, picture, heights, period)
    if picture.limit is not None:
        _draw_limit(ax, picture, heights)
    if picture.arrows is not None:
        _draw_arrows(ax, picture, heights)
    for ridge in picture.ridges:
        ax.plot(picture.times, 1 / ridge if period else ridge, color=_RIDGE, linewidth=1.1)
    ax.set_title(picture.heading if title is None else title, fontsize=11)
    return figure


def _columns(times: NDArray[Any], values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Times and values; many columns are merged to their largest values."""
    step = -(-times.size // _MOST_COLUMNS)
    if step == 1:
        return times, values
    count = times.size // step
    pieces = values[:, : count * step].reshape(len(values), count, step)
    return times[: count * step].reshape(count, step).mean(axis=1), pieces.max(axis=2)


def _edges(places: NDArray[Any]) -> NDArray[Any]:
    """The borders of cells around places."""
    middle = (places[1:] + places[:-1]) / 2
    return np.concatenate([[2 * places[0] - middle[0]], middle, [2 * places[-1] - middle[-1]]])


def _ratio_edges(heights: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.exp(_edges(np.log(heights))))


def _draw_axes(
    ax: Axes, times: NDArray[Any], heights: NDArray[Any], time_unit: str, period: bool
) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    ax.set_yscale("log")
    edges = _ratio_edges(heights)
    ends = sorted((float(edges[0]), float(edges[-1])))
    ax.set_ylim(*(ends[::-1] if period else ends))  # high frequencies are at the top
    ax.set_xlim(times[0], times[-1])
    few = ends[1] / ends[0] < 200
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    ax.yaxis.set_major_formatter(ScalarFormatter())
    ax.yaxis.get_major_formatter().set_scientific(False)  # type: ignore[attr-defined]
    ax.yaxis.set_minor_formatter(NullFormatter())
    per = {"s": "Hz"}.get(time_unit, f"1/{time_unit}")
    ax.set_ylabel(f"period ({time_unit})" if period else f"frequency ({per})")
    ax.set_xlabel(f"time ({time_unit}); shaded: depends on samples beyond the ends")
    ax.tick_params(labelsize=9)


def _draw_cone(ax: Axes, picture: Picture, heights: NDArray[Any], period: bool) -> None:
    """Shade the coefficients that depend on samples beyond the ends."""
    cone = 1 / picture.coi if period else picture.coi
    edges = _ratio_edges(heights)
    slowest = float(edges.max()) if period else float(edges.min())
    cone = np.minimum(cone, slowest) if period else np.maximum(cone, slowest)
    ax.fill_between(picture.times, cone, slowest, color="white", alpha=0.45, linewidth=0)
    ax.plot(picture.times, cone, color="white", linewidth=0.8)


def _draw_limit(ax: Axes, picture: Picture, heights: NDArray[Any]) -> None:
    """Surround the values above the limit by a line."""
    limit = np.where(np.isfinite(picture.limit), picture.limit, np.inf)  # type: ignore[arg-type]
    times, values = _columns(picture.times, picture.values / limit[:, None])
    if values.max() > 1 > values.min():
        ax.contour(times, heights, values, levels=[1.0], colors=_CONTOUR, linewidths=0.9)


def _draw_arrows(ax: Axes, picture: Picture, heights: NDArray[Any]) -> None:
    """Draw phases where the values are large: to the right if both series are in phase."""
    rows = np.linspace(0, len(heights) - 1, 14).round().astype(int)
    columns = np.linspace(0, picture.times.size - 1, 30).round().astype(int)[1:-1]
    grid = np.ix_(np.unique(rows), np.unique(columns))
    phases = picture.arrows[grid]  # type: ignore[index]
    values = picture.values[grid]
    is_large = values > 0.5 * (picture.highest or float(picture.values.max()))
    x, y = np.meshgrid(picture.times[np.unique(columns)], heights[np.unique(rows)])
    ax.quiver(
        x[is_large], y[is_large], np.cos(phases[is_large]), np.sin(phases[is_large]),
        pivot="mid", scale=45, width=0.002, headwidth=4, color="black",
    )  # fmt: skip
