"""Extends data beyond their ends, for transforms that do not support the boundary mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from liftwave._plan.axes import AxisPlans
from liftwave._typing import Array
from liftwave.transforms.padding import pad

Box: TypeAlias = tuple[slice, ...]
"""The place of the data in the extended data."""


def extended(
    x: Array, plans: AxisPlans, native: Sequence[str], reach: Callable[[int], int]
) -> tuple[Array, Box]:
    """The data extended by the boundary mode of each axis, and the place of the data in it.

    Axes with a mode in ``native`` are not extended. ``reach`` returns the number of samples to add
    to an axis, by its place in ``plans``; at most as many as the axis has.
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
