"""Native plans of filters without downsampling along an axis whose ends are joined."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import liftwave._cpu as _cpu
from liftwave._plan.axis import FilterPlan
from liftwave._plan.levels import FilterStep, Step
from liftwave.wavelets.taps import is_concrete, scaled_taps

# The most axes that the module transforms at once.
_MAX_AXES = 4


def circular_analysis(
    plan: FilterPlan, filters: tuple[Any, ...], axis: int
) -> _cpu.CircularAnalysis | None:
    """The native analysis; None unless there are two filters."""
    if len(filters) != 2:
        return None
    return _cpu.CircularAnalysis([[circular_axis(plan, filters, axis)]], None, None)


def circular_synthesis(
    plan: FilterPlan, filters: tuple[Any, ...], axis: int
) -> _cpu.CircularSynthesis:
    """The native synthesis of one or two bands."""
    present = [True, len(filters) == 2]  # a filter of zeros takes the place of the second one
    level = [circular_axis(plan, filters, axis)]
    return _cpu.CircularSynthesis([level], [present], None, None)


def circular_level(keyed_steps: Sequence[tuple[str, Step]]) -> Any:
    """The native plans of the axes of a level, in order; None if one call does not filter it."""
    axes: list[FilterStep] = []
    for _, steps in groupby(keyed_steps, key=lambda keyed: len(keyed[0])):
        step = next(steps)[1]
        if not isinstance(step, FilterStep) or not step.plan.extend.joined or step.plan.length % 2:
            return None
        if not all(map(is_concrete, step.filters)) or (axes and step.axis != axes[-1].axis + 1):
            return None
        axes.append(step)
    if not 1 <= len(axes) <= _MAX_AXES:
        return None
    return [circular_axis(step.plan, step.filters, step.axis) for step in axes]


def circular_axis(plan: FilterPlan, filters: Sequence[Any], axis: int) -> Any:
    """The native plan of one axis: the offset of each tap, and the scaled taps of two filters."""
    n = plan.n_out
    offsets = [(plan.phase - plan.dilation * j) % n for j in range(plan.length)]
    low, *high = [list(scaled_taps(taps, plan.factor)) for taps in filters]
    return (axis, n, offsets, low, high[0] if high else [0.0] * plan.length)
