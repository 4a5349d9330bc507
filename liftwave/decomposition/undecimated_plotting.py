"""Figures of undecimated bands and components. Matplotlib is imported when a figure is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from liftwave._numbers import flag, real_number
from liftwave._optional import needed_by
from liftwave._plan.axes import AxisPlan
from liftwave._typing import Array
from liftwave.decomposition.plotting import magnitudes
from liftwave.errors import OptionError, ShapeError
from liftwave.transforms.alignment import Alignment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _EDGE, _FRAME = "#1f4e79", "#e4e4e4", "#ffb000"

# The largest number of points that a line of a figure can show.
_MOST_POINTS = 8000


@dataclass(frozen=True)
class Panel:
    """A band or a component, aligned with the data.

    Attributes
    ----------
    label : str
        Its name.
    values : ndarray
        Real values, of the shape of the data.
    edges : sequence of (float, float)
        For each axis, the lengths at both ends whose values depend on samples beyond the ends.
    is_detail : bool
        Whether its values vary around zero.
    scale : str
        The range of its periods.
    """

    label: str
    values: np.ndarray[Any, Any]
    edges: Sequence[tuple[float, float]]
    is_detail: bool
    scale: str = ""


class UndecimatedBands(Protocol):
    """The parts of an undecimated transform that a figure shows."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data."""
        ...

    @property
    def plans(self) -> tuple[AxisPlan, ...]:
        """The axes, wavelets and modes."""
        ...

    @property
    def modes(self) -> tuple[str, ...]:
        """The mode of each axis."""
        ...

    @property
    def level(self) -> int:
        """The number of levels."""
        ...

    @property
    def transform(self) -> str:
        """The name of the transform."""
        ...

    @property
    def bands(self) -> Mapping[tuple[int, str], Array]:
        """The bands by level and key."""
        ...

    def mra(self) -> Mapping[tuple[int, str], Array]:
        """The components that add up to the data, by level and key."""
        ...


def plot_undecimated(
    subject: UndecimatedBands, title: str | None, components: bool, spacing: float, unit: str
) -> Figure:
    """Draw the bands or the components of a 1-D signal or of a 2-D image.

    Raises
    ------
    ShapeError
        If the data have another shape, or not all axes were transformed.
    OptionError
        If the spacing is not a positive number, or the unit is not text.
    """
    distance = real_number(spacing, "spacing must be a number", OptionError)
    if not 0 < distance < float("inf"):
        raise OptionError(f"spacing must be a positive number, got {spacing!r}")
    if not isinstance(unit, str):
        raise OptionError(f"unit must be text, got {unit!r}")
    if len(subject.shape) not in (1, 2) or len(subject.plans) != len(subject.shape):
        raise ShapeError(
            "plot() draws a 1-D signal or a 2-D image transformed along all axes, got shape "
            f"{subject.shape} transformed along axes {tuple(plan.axis for plan in subject.plans)}; "
            "index a batch before the transform"
        )
    panels = panels_of(subject, components=flag(components, "components"))
    if len(subject.shape) == 1:
        figure = draw_signals(panels, distance, unit)
    else:
        figure = draw_images(panels)
    figure.suptitle("" if title is None else str(title), fontsize=11)
    if title is None:
        figure.suptitle(_heading(subject, components), fontsize=11)
    return figure


# --- panels ----------------------------------------------------------------------------------


def panels_of(subject: UndecimatedBands, *, components: bool) -> list[Panel]:
    """The bands or the components, aligned with the data, coarsest level first."""
    # Axes can be in any order; keys and edges are drawn in that of the data.
    order = sorted(range(len(subject.plans)), key=lambda k: subject.plans[k].axis)
    alignments = [Alignment(subject.plans[k]) for k in order]
    arrays: Mapping[tuple[int, str], Array] = subject.mra() if components else subject.bands
    panels = []
    for (level, key), array in arrays.items():
        letters = "".join(key[k] for k in order)
        places = [Place.of(a, level, x) for a, x in zip(alignments, letters, strict=True)]
        values = magnitudes(array)
        if not components:
            values = _aligned(values, [place.shift for place in places], subject.shape)
        edges = [place.spread if components else place.edges for place in places]
        is_detail = "d" in key
        label = _label(level, letters, components=components)
        panels.append(Panel(label, values, edges, is_detail))
    return panels


@dataclass(frozen=True)
class Place:
    """The position of a band along one axis.

    Attributes
    ----------
    shift : int
        The offset of its centre.
    edges : (float, float)
        The lengths at both ends whose aligned coefficients depend on samples beyond the ends.
    spread : (float, float)
        The same for the component of the band, which uses its coefficients on both sides.
    """

    shift: int
    edges: tuple[float, float]
    spread: tuple[float, float]

    @classmethod
    def of(cls, alignment: Alignment, level: int, letter: str) -> Place:
        """The position of an approximation (``"a"``) or detail (``"d"``)."""
        if not level:
            return cls(0, (0, 0), (0, 0))
        index = "ad".index(letter)
        shift = round(alignment.centres(level)[index])
        reach, spread = alignment.supports(level)[index], alignment.spreads(level)[index]
        edges = (shift - reach.first, reach.last - shift)
        return cls(shift, edges, (-spread.first, spread.last))


def _aligned(
    values: np.ndarray[Any, Any], shifts: Sequence[int], shape: tuple[int, ...]
) -> np.ndarray[Any, Any]:
    rolled = np.roll(values, shifts, axis=tuple(range(values.ndim)))
    return rolled[tuple(slice(n) for n in shape)]


def _label(level: int, letters: str, *, components: bool) -> str:
    is_smooth = set(letters) == {"a"}
    if len(letters) == 2:
        names = {"aa": "LL", "da": "LH", "ad": "HL", "dd": "HH"}
        return ("S" if components and is_smooth else names[letters]) + str(level)
    kind = ("S" if is_smooth else "D") if components else letters
    return f"{kind}{level}"


def _heading(subject: UndecimatedBands, components: bool) -> str:
    wavelets = (plan.wavelet for plan in subject.plans)
    names = ", ".join(dict.fromkeys(w.name or repr(w) for w in wavelets))
    size = " × ".join(map(str, subject.shape))
    kind = f"{subject.transform}, components" if components else subject.transform
    modes = ", ".join(dict.fromkeys(subject.modes))
    return f"{size}, {names}, {kind}, {modes}, {subject.level} levels"


# --- signals ---------------------------------------------------------------------------------


def draw_signals(panels: Sequence[Panel], spacing: float, unit: str) -> Figure:
    """Signals one above the other, on one time axis.

    Grey areas mark values that depend on samples beyond the ends.
    """
    with needed_by("plot()"):
        from matplotlib.figure import Figure

    count = len(panels)
    figure = Figure(figsize=(9, 1.1 * count + 0.8), layout="constrained")
    axes = np.atleast_1d(figure.subplots(count, 1, sharex=True))
    for ax, panel in zip(axes, panels, strict=True):
        _draw_signal(ax, panel, spacing)
    figure.align_ylabels(axes)
    length = panels[0].values.size * spacing
    axes[-1].set_xlim(0, length)
    marks = any(edge > 0 for panel in panels for edge in panel.edges[0])
    note = "; grey: depends on samples beyond the ends" if marks else ""
    axes[-1].set_xlabel(f"time ({unit}){note}")
    return figure


def _draw_signal(ax: Axes, panel: Panel, spacing: float) -> None:
    length = panel.values.size * spacing
    before, after = panel.edges[0]
    if before + after >= panel.values.size:
        ax.axvspan(0, length, color=_EDGE, linewidth=0)
    else:
        ax.axvspan(0, before * spacing, color=_EDGE, linewidth=0)
        ax.axvspan(length - after * spacing, length, color=_EDGE, linewidth=0)
    times, values = _outline(panel.values, spacing)
    # A line of one point is invisible. Its dot is on the border, which would cut it in half.
    dot: dict[str, Any] = {"marker": "o", "clip_on": False} if values.size == 1 else {}
    ax.plot(times, values, color=_INK, linewidth=0.8, markersize=4, **dot)
    text = f"{panel.label}\n{panel.scale}" if panel.scale else panel.label
    ax.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=9)
    ax.tick_params(labelsize=8)
    ax.locator_params(axis="y", nbins=3)
    ax.spines[["top", "right"]].set_visible(False)


def _outline(
    values: np.ndarray[Any, Any], spacing: float
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Times and values; a long signal is drawn by the extreme values of short pieces."""
    if values.size <= _MOST_POINTS:
        return spacing * np.arange(values.size), values
    piece = -(-values.size // (_MOST_POINTS // 2))
    count = values.size // piece
    pieces = values[: count * piece].reshape(count, piece)
    times = spacing * piece * np.repeat(np.arange(count), 2)
    return times, np.stack([pieces.min(axis=1), pieces.max(axis=1)], axis=1).ravel()


# --- images ----------------------------------------------------------------------------------


def draw_images(panels: Sequence[Panel], columns: int = 3, leading: int = 1) -> Figure:
    """Images side by side, with the ``leading`` ones in a separate row.

    A frame surrounds the values that do not depend on samples beyond the ends.
    """
    with needed_by("plot()"):
        from matplotlib.figure import Figure

    first, rest = panels[:leading], panels[leading:]
    rows = [first, *(rest[k : k + columns] for k in range(0, len(rest), columns))]
    height, width = panels[0].values.shape
    side = 9 / columns
    row_height = min(max(side * height / width, 1.0), 3 * side) + 0.35
    figure = Figure(figsize=(9, row_height * len(rows) + 0.5), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for ax in grid.flat:
        ax.set_axis_off()
    for line, row in zip(grid, rows, strict=True):
        for ax, panel in zip(line, row, strict=False):
            _draw_image(ax, panel)
    if any(ax.lines for ax in grid.flat):
        note = "dashed frame: values that do not depend on samples beyond the edges"
        figure.supxlabel(note, fontsize=9)
    return figure


def _draw_image(ax: Axes, panel: Panel) -> None:
    values = panel.values
    lowest, highest = float(values.min()), float(values.max())
    if panel.is_detail:
        # Details are sparse: a scale up to the maximum would hide all but the largest values.
        highest = float(np.percentile(np.abs(values), 99)) or 1.0
        lowest = -highest
    ax.imshow(values, cmap="gray", vmin=lowest, vmax=highest)
    (top, bottom), (left, right) = panel.edges
    height, width = values.shape
    if 0 < top + bottom < height and 0 < left + right < width:
        x, y = (left - 0.5, width - right - 0.5), (top - 0.5, height - bottom - 0.5)
        corners = ([x[0], x[1], x[1], x[0], x[0]], [y[0], y[0], y[1], y[1], y[0]])
        ax.plot(*corners, color=_FRAME, linewidth=0.8, linestyle="--")
    text = f"{panel.label}, {panel.scale}" if panel.scale else panel.label
    ax.set_title(text, fontsize=9)
