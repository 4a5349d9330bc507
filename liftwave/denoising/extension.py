"""Data beyond their ends, for transforms whose own boundary is another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from liftwave._plan.axes import AxisPlans
from liftwave._typing import Array
from liftwave.transforms.padding import pad

Box: TypeAlias = tuple[slice, ...]
"""The place of the data in extended ones."""


def extended(
    x: Array, plans: AxisPlans, native: Sequence[str], reach: Callable[[int], int]
) -> tuple[Array, Box]:
    """The data continued by the boundary mode of each axis, and the place of the data in it.

    Axes of a mode in ``native`` stay as they are. ``reach`` returns the number of samples of an
    axis, by its place in ``plans``; there are at most as many as data.
    """
    box = [slice(n) for n in x.shape]
    for k, plan in enumerate(plans):
        if plan.boundary in native:
            continue
        n = x.shape[plan.axis]
        count = min(reach(k), n)
        widths = [(0, 0)] * x.ndim
        widths[plan.axis] = (count, count)
        x = pad(x, widths, plan.boundary)
        box[plan.axis] = slice(count, count + n)
    return x, tuple(box)
