"""Figures of dual trees: magnitudes of bands. Matplotlib is imported when a figure is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from liftwave._typing import Array
from liftwave.decomposition.plotting import magnitudes
from liftwave.decomposition.undecimated_plotting import Panel, draw_images, draw_signals
from liftwave.errors import ShapeError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class DualTreeBands(Protocol):
    """The parts of a dual tree that a figure shows."""

    @property
    def lowpass(self) -> Array:
        """The low-pass."""
        ...

    @property
    def bands(self) -> tuple[Array, ...]:
        """The bands of each level, coarsest first."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data."""
        ...

    @property
    def axes(self) -> tuple[int, ...]:
        """The transformed axes."""
        ...

    @property
    def angles(self) -> tuple[int, ...]:
        """The directions of the bands."""
        ...


def plot_dual_tree(tree: DualTreeBands, title: str | None) -> Figure:
    """Draw the low-pass and the magnitudes of the bands.

    Raises
    ------
    ShapeError
        If the data are neither a 1-D signal nor a 2-D image.
    """
    if len(tree.shape) not in (1, 2) or len(tree.axes) != len(tree.shape):
        raise ShapeError(
            "plot() draws a 1-D signal or a 2-D image transformed along all axes, got shape "
            f"{tree.shape} transformed along axes {tree.axes}; index a batch before the transform"
        )
    is_image = len(tree.shape) == 2
    panels = _panels_of_image(tree) if is_image else _panels_of_signal(tree)
    figure = draw_images(panels, columns=6) if is_image else draw_signals(panels, 1.0, "samples")
    size = " × ".join(map(str, tree.shape))
    heading = f"{size}, magnitudes of {len(tree.bands)} levels of the dual tree"
    figure.suptitle(heading if title is None else str(title), fontsize=11)
    return figure


def _panels_of_signal(tree: DualTreeBands) -> list[Panel]:
    """The low-pass and one magnitude for each level, at the times of the samples."""
    n, level = tree.shape[0], len(tree.bands)
    arrays = [magnitudes(tree.lowpass), *map(magnitudes, tree.bands)]
    labels = ["low-pass", *(f"level {level - k}" for k in range(level))]
    return [
        Panel(label, _stretched(values, n), ((0, 0),), False)
        for label, values in zip(labels, arrays, strict=True)
    ]


def _stretched(values: np.ndarray[Any, Any], n: int) -> np.ndarray[Any, Any]:
    """Values repeated to the length of the data; padding at both ends is cut off equally."""
    step = 2 ** max(0, ceil(log2(n / len(values))))
    repeated = np.repeat(values, step)
    start = (len(repeated) - n) // 2
    return repeated[start : start + n]


def _panels_of_image(tree: DualTreeBands) -> list[Panel]:
    """The low-pass, and six magnitudes for each level."""
    panels, level = [_image("low-pass", magnitudes(tree.lowpass))], len(tree.bands)
    for k, bands in enumerate(tree.bands):
        values = magnitudes(bands)
        panels += [
            _image(f"{level - k}: {angle}°", values[..., j]) for j, angle in enumerate(tree.angles)
        ]
    return panels


def _image(label: str, values: np.ndarray[Any, Any]) -> Panel:
    edges: Sequence[tuple[float, float]] = ((0, 0), (0, 0))
    return Panel(label, values, edges, False)
