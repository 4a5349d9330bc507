"""Filters without downsampling by the compiled kernels, and their native plans.

The fallback handles taps that are arrays, since these may need gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import liftwave._cpu as _cpu
from liftwave._kernels.cpu.filters import NAME, CpuPart
from liftwave._kernels.cpu.memory import all_like, is_floating, like, memory, serves, with_copies
from liftwave._plan.axis import bounded
from liftwave._plan.circular import CircularPlan
from liftwave._plan.levels import CircularStep, Step
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps, is_concrete

# The most axes that the module transforms at once.
_MAX_AXES = 4


class CpuCircular(CpuPart):
    """Filters without downsampling along a periodic axis."""

    def circular_analysis(
        self, x: Array, filters: Sequence[Taps], plan: CircularPlan, axis: int
    ) -> list[Array]:
        """``y[k] = sum_j f[j] * x[(k + first - dilation j) mod n]`` for each filter ``f``."""
        native = _native_analysis(plan, tuple(filters), axis)
        if native is None or not serves(x):
            return self._fallback.circular_analysis(x, filters, plan, axis)
        return all_like(x, with_copies(native.run, memory(x)))

    def circular_synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: CircularPlan, axis: int
    ) -> Array:
        """The same sum with a filter for each band, summed over the bands."""
        native = _native_synthesis(plan, tuple(filters), axis)
        if native is None or not serves(*bands):
            return self._fallback.circular_synthesis(bands, filters, plan, axis)
        return like(bands[0], with_copies(native.run, list(map(memory, bands))))

    def circular_tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: CircularPlan, axis: int
    ) -> list[Array]:
        """``G[j] = sum_k x[(k + first - dilation j) mod n] * y[k]`` for each cotangent ``y``."""
        same = all(y.dtype == x.dtype for y in cotangents)
        if not same or not all(map(is_floating, (x, *cotangents))):
            return self._fallback.circular_tap_gradients(x, cotangents, plan, axis)
        native, work = _native_gradients(plan, axis), memory(x)
        sums = plan.factor * with_copies(native.run, work, list(map(memory, cotangents)))
        return list(like(x, sums.astype(work.real.dtype)))


def _native_analysis(
    plan: CircularPlan, filters: tuple[Any, ...], axis: int
) -> _cpu.CircularAnalysis | None:
    """The native analysis; None unless there are two filters of numbers."""
    if len(filters) != 2 or not all(map(is_concrete, filters)):
        return None
    key = (NAME, "analysis", axis, filters)
    native: _cpu.CircularAnalysis | None = plan.native.get(key)
    if native is None:
        native = _cpu.CircularAnalysis([[circular_axis(plan, filters, axis)]], None, None)
        bounded(plan.native)[key] = native
    return native


def _native_synthesis(
    plan: CircularPlan, filters: tuple[Any, ...], axis: int
) -> _cpu.CircularSynthesis | None:
    """The native synthesis of one or two bands; None for taps that are arrays."""
    if len(filters) > 2 or not all(map(is_concrete, filters)):
        return None
    key = (NAME, "synthesis", axis, filters)
    native: _cpu.CircularSynthesis | None = plan.native.get(key)
    if native is None:
        level = [circular_axis(plan, filters, axis)]
        present = [True, len(filters) == 2]  # a filter of zeros takes the place of the second one
        native = _cpu.CircularSynthesis([level], [present], None, None)
        bounded(plan.native)[key] = native
    return native


def _native_gradients(plan: CircularPlan, axis: int) -> _cpu.CircularTapGradients:
    key = (NAME, "tap gradients", axis)
    native: _cpu.CircularTapGradients | None = plan.native.get(key)
    if native is None:
        any_taps = ((0.0,) * plan.length,)
        native = _cpu.CircularTapGradients([circular_axis(plan, any_taps, axis)])
        bounded(plan.native)[key] = native
    return native


def circular_level(keyed_steps: Sequence[tuple[str, Step]]) -> Any:
    """The native plans of the axes of a level, in order; None if one call does not filter it."""
    axes: list[CircularStep] = []
    for _, steps in groupby(keyed_steps, key=lambda keyed: len(keyed[0])):
        step = next(steps)[1]
        if not isinstance(step, CircularStep) or not all(map(is_concrete, step.filters)):
            return None
        if axes and step.axis != axes[-1].axis + 1:
            return None
        axes.append(step)
    if not 1 <= len(axes) <= _MAX_AXES:
        return None
    return [circular_axis(step.plan, step.filters, step.axis) for step in axes]


def circular_axis(plan: CircularPlan, filters: Sequence[Any], axis: int) -> Any:
    """The native plan of one axis: the offset of each tap, and the scaled taps of two filters."""
    low, *high = [list(plan.scaled(taps)) for taps in filters]
    return (axis, plan.n_out, list(plan.offsets), low, high[0] if high else [0.0] * plan.length)
