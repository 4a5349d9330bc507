"""Pictures of bases of wavelet packets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from liftwave._arrays.convert import as_array
from liftwave._numbers import items
from liftwave._optional import needed_by
from liftwave._typing import Array
from liftwave.decomposition.plotting import magnitudes
from liftwave.errors import ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_EDGE, _LINE = "0.3", "0.6"
# If a leaf has more tiles, they are merged: the frames of more tiles would cover the tiles.
_MOST_TILES, _MOST_FRAMES = 700, 600


class Tree(Protocol):
    """The parts of a tree that are drawn."""

    leaves: tuple[str, ...]
    ndim: int

    @property
    def depth(self) -> int:
        """The level of the deepest leaf."""
        ...

    def bands(self, fs: float = 1.0) -> list[Any]:
        """The frequency band of each leaf."""
        ...


def plot_tree(
    tree: Tree, packets: Sequence[Array] | None, fs: float, *, redundant: bool = False
) -> Figure:
    """The tiles of a tree of one or two axes.

    Raises
    ------
    ShapeError
        If the tree has more than two axes, or the packets do not belong to it.
    """
    if tree.ndim > 2:
        raise ShapeError(f"cannot draw a tree of {tree.ndim} axes: only one or two are supported")
    values = None if packets is None else _checked(tree, packets)
    with needed_by("plot()"):
        from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    ax = figure.subplots()
    if tree.ndim == 2:
        _plot_frequencies(ax, tree, values, fs)
    else:
        _plot_times(ax, tree, values, fs, _span(tree, values, redundant) / fs)
    return figure


def _checked(tree: Tree, packets: Sequence[Array]) -> list[Any]:
    leaves = items(packets, "expected the packets of all leaves", ShapeError)
    arrays = [magnitudes(as_array(leaf)) for leaf in leaves]
    fits = all(a.ndim == tree.ndim and a.size for a in arrays)
    if len(arrays) != len(tree.leaves) or not fits:
        kind = "signal" if tree.ndim == 1 else "image"
        raise ShapeError(
            f"expected the coefficients of {len(tree.leaves)} leaves of one {kind}, as wpdec "
            f"returns them, got arrays of shapes {[a.shape for a in arrays]}"
        )
    return [np.abs(a) for a in arrays]


def _plot_times(ax: Axes, tree: Tree, values: list[Any] | None, fs: float, span: float) -> None:
    """Tiles of the time-frequency plane: one row of tiles for each leaf."""
    rows = values or [np.zeros(2 ** (tree.depth - len(leaf))) for leaf in tree.leaves]
    largest = max(float(row.max()) for row in rows)
    is_framed = sum(row.size for row in rows) <= _MOST_FRAMES
    for row, (low, high) in zip(rows, tree.bands(fs), strict=True):
        edges = np.linspace(0.0, span, row.size + 1)
        if row.size > _MOST_TILES:
            row, edges = _merged(row, edges)
        ax.pcolormesh(
            edges, [low, high], row[None, :], cmap="Greys", vmin=0.0, vmax=largest or 1.0,
            edgecolor=_EDGE if is_framed else "face", linewidth=0.4,
        )  # fmt: skip
        ax.axhline(high, color=_LINE, linewidth=0.4)
    ax.set_xlim(0.0, span)
    ax.set_ylim(0.0, fs / 2)
    ax.set_xlabel("time")
    ax.set_ylabel("frequency")


def _merged(row: Any, edges: Any) -> tuple[Any, Any]:
    """Fewer tiles, each with the largest value of the tiles that it replaces."""
    starts = np.linspace(0, row.size, _MOST_TILES, endpoint=False).astype(int)
    return np.maximum.reduceat(row, starts), np.append(edges[starts], edges[-1])


def _span(tree: Tree, values: list[Any] | None, redundant: bool) -> float:
    """The length of the signal in samples that its longest packets cover."""
    if values is None:
        return float(2**tree.depth)
    depths, sizes = {len(path) for path in tree.leaves}, {v.size for v in values}
    # Downsampling halves the length with each level, except near the length of the filters, where
    # packets of all levels are as long as the signal.
    if redundant or (len(depths) > 1 and len(sizes) == 1):
        return float(max(sizes))
    return float(max(v.size * 2 ** len(p) for v, p in zip(values, tree.leaves, strict=True)))


def _plot_frequencies(ax: Axes, tree: Tree, values: list[Any] | None, fs: float) -> None:
    """Tiles of the plane of two frequencies."""
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    sizes = [0.0] * len(tree.leaves) if values is None else [_root_mean_square(v) for v in values]
    largest = max(sizes) or 1.0
    for ((low, high), (left, right)), size in zip(tree.bands(fs), sizes, strict=True):
        ax.add_patch(
            Rectangle(
                (left, low), right - left, high - low, edgecolor=_EDGE, linewidth=0.6,
                facecolor=colormaps["Greys"](size / largest),
            )
        )  # fmt: skip
    ax.set_xlim(0.0, fs / 2)
    ax.set_ylim(0.0, fs / 2)
    ax.set_aspect("equal")
    ax.set_xlabel("frequency along the second axis")
    ax.set_ylabel("frequency along the first axis")


def _root_mean_square(x: Any) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
