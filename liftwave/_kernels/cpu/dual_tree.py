"""One level of the dual tree by the compiled kernels: of lines or images."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import liftwave._cpu as _cpu
from liftwave._kernels.cpu.filters import NAME
from liftwave._kernels.cpu.memory import (
    ALIGNED_SIZE,
    is_floating,
    like,
    memory,
    paged_empty,
    with_copies,
)
from liftwave._plan.dual_tree import AxisLevel, LevelPlan
from liftwave._typing import Array

_MOST_AXES, _MOST_TAPS = 2, 64


class NativeDualTree:
    """Runs one level on NumPy arrays and torch tensors: of one array, or its transpose of two.

    Parameters
    ----------
    plan : LevelPlan
        The level.
    """

    def __init__(self, plan: LevelPlan) -> None:
        self._dimensions = len(plan.axes)
        axes = list(map(_native_axis, plan.axes))
        self._native = _cpu.DualTreeLevel(axes, paged_empty, ALIGNED_SIZE)

    def __call__(self, arrays: Sequence[Array]) -> list[Array] | None:
        """The low-pass and the bands, or the signal; ``None`` for arrays that it does not read."""
        first = arrays[0]
        if not all(is_floating(x) and x.dtype == first.dtype for x in arrays):
            return None
        batch = tuple(first.shape[: first.ndim - self._dimensions])
        flat = [_flat(memory(x), batch) for x in arrays]
        if flat[0].dtype.kind == "c":
            return None
        entry: Any = self._native.split if len(flat) == 1 else self._native.merge
        results = with_copies(entry, *flat)
        return [
            like(first, y.reshape(batch + y.shape[1:]))
            for y in (results if isinstance(results, tuple) else (results,))
        ]


def _flat(x: Any, batch: tuple[int, ...]) -> Any:
    """The array with one axis in place of those of the batch."""
    return x.reshape((prod(batch), *x.shape[len(batch) :]))


def native_dual_tree(plan: LevelPlan) -> NativeDualTree | None:
    """The function that runs a level; ``None`` if the module does not support it."""
    if NAME not in plan.native:
        longest = max(half.plan.length for axis in plan.axes for half in axis.halves)
        is_supported = len(plan.axes) <= _MOST_AXES and longest <= _MOST_TAPS
        plan.native[NAME] = NativeDualTree(plan) if is_supported else None
    native: NativeDualTree | None = plan.native[NAME]
    return native


def _native_axis(axis: AxisLevel) -> Any:
    """The places and the taps of both halves, and the samples beyond the ends (-1: zero)."""
    before, after = (
        [row[0][0] if row else -1 for row in rows] for rows in (axis.extend.left, axis.extend.right)
    )
    halves = [(h.phase, *map(list, h.filters), *h.parities) for h in axis.halves]
    count = axis.halves[0].plan.n_out
    return (axis.extend.n, count, axis.stride, axis.dilation, before, after, halves)
