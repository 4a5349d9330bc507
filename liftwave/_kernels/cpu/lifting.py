"""Lifting along one axis by the compiled kernels, and native lifting plans.

The last two axes of an array are lifted in one pass over memory. Samples beyond the edges are
copies of samples, or zero. Taps are numbers, or arrays that the module can read. The fallback
handles all other taps, since these may need gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

import liftwave._cpu as _cpu
from liftwave._kernels.contract import AnyLiftPlan, LiftPullback
from liftwave._kernels.cpu.filters import NAME, CpuPart
from liftwave._kernels.cpu.memory import (
    all_like,
    empty,
    is_floating,
    is_plain_tensor,
    like,
    memory,
    serves,
    with_copies,
)
from liftwave._plan.axis import LiftPlan, StepPlan, bounded
from liftwave._plan.boundary import Extension, Row
from liftwave._plan.levels import LiftStep, Step, lifted_axes
from liftwave._plan.undecimated_lifting import WholeLiftPlan
from liftwave._typing import Array
from liftwave.wavelets.taps import FixedPoint, is_concrete

Native = TypeVar("Native")
Group: TypeAlias = list[tuple[int, _cpu.LiftPlan]]
"""One axis, or two that are lifted together, in the order of an analysis."""


class CpuLifting(CpuPart):
    """Lifting along one axis."""

    def lift_analysis(
        self, x: Array, plan: AnyLiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
    ) -> tuple[Array, Array]:
        """Split into even and odd samples, run the steps, scale, roll."""
        if isinstance(plan, WholeLiftPlan):
            return self._whole_analysis(x, plan, taps, scale, axis)
        native = _native_analysis(plan, taps, scale, axis) if serves(x) else None
        if native is None:
            return self._fallback.lift_analysis(x, plan, taps, scale, axis)
        approx, detail = all_like(x, with_copies(native.run, memory(x)))
        return approx, detail

    def lift_synthesis(
        self,
        approx: Array,
        detail: Array,
        plan: AnyLiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> Array:
        """Roll back, scale, run the steps, merge even and odd samples."""
        if isinstance(plan, WholeLiftPlan):
            return self._whole_synthesis(approx, detail, plan, taps, scale, axis)
        native = _native_synthesis(plan, taps, scale, axis) if serves(approx, detail) else None
        if native is None:
            return self._fallback.lift_synthesis(approx, detail, plan, taps, scale, axis)
        return like(approx, with_copies(native.run, [memory(approx), memory(detail)]))

    def lift_vjp(
        self,
        outputs: Sequence[Array],
        cotangents: Sequence[Array],
        plan: AnyLiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> LiftPullback:
        """Inputs, their cotangents, and gradients of taps and scales, from the outputs."""
        if isinstance(plan, WholeLiftPlan):
            return self._whole_vjp(outputs, cotangents, plan, taps, scale, axis)
        back = None
        if not (len(outputs) == 1 and plan.edge.right):
            served = serves(*outputs, *cotangents)
            back = _native_pullback(plan, taps, scale, axis) if served else None
        if back is None:
            return self._fallback.lift_vjp(outputs, cotangents, plan, taps, scale, axis)
        values, cotangent_memories = list(map(memory, outputs)), list(map(memory, cotangents))
        inputs, input_cotangents, sums = with_copies(back.native.run, values, cotangent_memories)
        x, real = outputs[0], values[0].real.dtype
        approx, detail = (like(x, np.asarray(g, real)) for g in sums[-2:])
        tap_sums = [like(x, np.asarray(g, real)) for g in back.by_step(sums[:-2])]
        return LiftPullback(
            all_like(x, inputs), all_like(x, input_cotangents), tap_sums, (approx, detail)
        )

    # --- on the whole grid -----------------------------------------------------------------------

    def _whole_analysis(
        self, x: Array, plan: WholeLiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
    ) -> tuple[Array, Array]:
        numbers = _floats([x], taps, scale)
        if numbers is None:
            return self._fallback.lift_analysis(x, plan, taps, scale, axis)
        from liftwave._kernels.cpu.whole_gradient import whole_bands  # few programs use it

        approx, detail = all_like(x, whole_bands(memory(x), plan, numbers, axis))
        return approx, detail

    def _whole_synthesis(
        self,
        approx: Array,
        detail: Array,
        plan: WholeLiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> Array:
        numbers = _floats([approx, detail], taps, scale)
        if numbers is None:
            return self._fallback.lift_synthesis(approx, detail, plan, taps, scale, axis)
        from liftwave._kernels.cpu.whole_gradient import whole_signal

        bands = [memory(approx), memory(detail)]
        return like(approx, whole_signal(bands, plan, numbers, axis))

    def _whole_vjp(
        self,
        values: Sequence[Array],
        cotangents: Sequence[Array],
        plan: WholeLiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> LiftPullback:
        numbers = _floats([*values, *cotangents], taps, scale)
        if numbers is None:
            return self._fallback.lift_vjp(values, cotangents, plan, taps, scale, axis)
        from liftwave._kernels.cpu.whole_gradient import whole_pullback

        arrays = list(map(memory, values)), list(map(memory, cotangents))
        back, x = whole_pullback(*arrays, plan, numbers, axis), values[0]
        approx, detail = all_like(x, back.scale)
        inputs, input_cotangents = all_like(x, back.inputs), all_like(x, back.cotangents)
        return LiftPullback(inputs, input_cotangents, all_like(x, back.taps), (approx, detail))


# --- native plans, cached with a plan of one axis ------------------------------------------------


def _native_analysis(
    plan: LiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
) -> _cpu.LiftAnalysis | None:
    """None if the module does not support it."""
    numbers = _numbers(taps, scale)
    if numbers is None:
        return None
    key = (NAME, "analysis", axis, *numbers)
    if key in plan.native:
        native: _cpu.LiftAnalysis | None = plan.native[key]
        return native
    group = native_group([LiftStep(axis, plan, *numbers)])
    native = None if group is None else _cpu.LiftAnalysis([[group]], None, empty)
    return _cached(plan, key, native, taps, scale)


def _native_synthesis(
    plan: LiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
) -> _cpu.LiftSynthesis | None:
    """None if the module does not support it."""
    numbers = _numbers(taps, scale)
    if numbers is None:
        return None
    key = (NAME, "synthesis", axis, *numbers)
    if key in plan.native:
        native: _cpu.LiftSynthesis | None = plan.native[key]
        return native
    group = native_group([LiftStep(axis, plan, *numbers)])
    native = None if group is None else _cpu.LiftSynthesis([[group]], None, empty)
    return _cached(plan, key, native, taps, scale)


class _Pullback(NamedTuple):
    """The native gradient of lifting, and the number of taps of each step."""

    native: _cpu.LiftPullback
    tap_counts: tuple[int, ...]

    def by_step(self, sums: Sequence[float]) -> list[Sequence[float]]:
        """The gradients of each step, in the order of the lifting; the pullback is last first."""
        counts = self.tap_counts[::-1]
        stops = list(accumulate(counts))
        return [sums[stop - n : stop] for stop, n in zip(stops, counts, strict=True)][::-1]


def _native_pullback(
    plan: LiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
) -> _Pullback | None:
    """None if the module does not support it."""
    numbers = _numbers(taps, scale)
    if numbers is None:
        return None
    key = (NAME, "pullback", axis, *numbers)
    if key in plan.native:
        back: _Pullback | None = plan.native[key]
        return back
    return _cached(plan, key, _pullback(plan, *numbers, axis), taps, scale)


def _pullback(
    plan: LiftPlan, taps: tuple[Any, ...], scale: tuple[float, float], axis: int
) -> _Pullback | None:
    if any(isinstance(t, FixedPoint) for t in taps):
        return None
    inverse_taps = taps[::-1]
    undoing = _native_plan(
        LiftStep(axis, plan.inverse(), inverse_taps, (1 / scale[0], 1 / scale[1]))
    )
    adjoint_taps = tuple(t[::-1] for t in inverse_taps)
    transposed = _native_plan(LiftStep(axis, plan.adjoint(), adjoint_taps, scale))
    if undoing is None or transposed is None:
        return None
    return _Pullback(_cpu.LiftPullback(axis, undoing, transposed, empty), tuple(map(len, taps)))


def _cached(
    plan: LiftPlan, key: Any, native: Native, taps: Sequence[Any], scale: Sequence[Any]
) -> Native:
    """Cache a native object with the plan, unless taps are learned and change at each call."""
    if _are_numbers(taps, scale):
        bounded(plan.native)[key] = native
    return native


def _are_numbers(taps: Sequence[Any], scale: Sequence[Any]) -> bool:
    """Whether taps and scales are plain numbers, not arrays."""
    return all(isinstance(t, tuple) for t in taps) and all(
        isinstance(factor, float | int) for factor in scale
    )


def _numbers(
    taps: Sequence[Any], scale: Sequence[Any]
) -> tuple[tuple[Any, ...], tuple[float, float]] | None:
    """Taps and scales as numbers; None if the module cannot read their arrays."""
    if _are_numbers(taps, scale):
        return tuple(taps), (scale[0], scale[1])
    arrays = [value for value in (*taps, *scale) if not isinstance(value, tuple | float | int)]
    if not all(map(is_plain_tensor, arrays)):
        return None
    values = tuple(t if isinstance(t, tuple) else tuple(t.tolist()) for t in taps)
    return values, (float(scale[0]), float(scale[1]))


def _floats(
    arrays: Sequence[Array], taps: Sequence[Any], scale: Sequence[Any]
) -> tuple[tuple[Any, ...], tuple[float, float]] | None:
    """Taps and scales as numbers; None unless the arrays have one floating dtype."""
    if not all(map(is_floating, arrays)) or any(x.dtype != arrays[0].dtype for x in arrays):
        return None
    return None if any(isinstance(t, FixedPoint) for t in taps) else _numbers(taps, scale)


# --- plans ---------------------------------------------------------------------------------------


def level_groups(keyed_steps: Sequence[tuple[str, Step]], ndim: int) -> list[Group] | None:
    """The groups in which a level is lifted, in the order of an analysis.

    None if the module does not support it.
    """
    steps = lifted_axes(keyed_steps) if keyed_steps else None
    if steps is None:
        return None
    fused = len(steps) > 1 and [step.axis for step in steps[-2:]] == [ndim - 2, ndim - 1]
    tail = 2 if fused else 1
    groups = [native_group([step]) for step in steps[:-tail]] + [native_group(steps[-tail:])]
    native_groups = [group for group in groups if group is not None]
    return native_groups if len(native_groups) == len(groups) else None


def native_group(steps: Sequence[LiftStep]) -> Group | None:
    """Native plans of these axes, in this order; None if the module does not support them."""
    plans = [(step.axis, _native_plan(step)) for step in steps]
    axis_plans = [(axis, plan) for axis, plan in plans if plan is not None]
    return axis_plans if len(axis_plans) == len(plans) else None


def _native_plan(step: LiftStep) -> _cpu.LiftPlan | None:
    """The native plan; None if the module does not support it."""
    plan = step.plan
    if not isinstance(plan, LiftPlan):
        return None
    edge = _edge(plan)
    if edge is None or not all(map(_is_number, step.scale)) or not all(map(is_concrete, step.taps)):
        return None
    if any(_sides(rows) is None for s in plan.steps for rows in (s.extend, s.fold)):
        return None
    steps = [_step(s, taps) for s, taps in zip(plan.steps, step.taps, strict=True)]
    scale = (float(step.scale[0]), float(step.scale[1]))
    return _cpu.LiftPlan(plan.n, edge, steps, plan.shift, scale)


def _step(step: StepPlan, taps: Any) -> tuple[Any, ...]:
    fixed = taps if isinstance(taps, FixedPoint) else FixedPoint((), 0)
    floats = [] if isinstance(taps, FixedPoint) else list(taps)
    sides = _sides(step.extend), _sides(step.fold)
    return step.target, step.subtract, step.offset, floats, fixed.numerators, fixed.bits, *sides


def _edge(plan: LiftPlan) -> int | None:
    """The sample after an odd number of samples: 0 none, 1 zero, 2 the last one again."""
    if plan.edge.left or len(plan.edge.right) > 1:
        return None
    if not plan.edge.right:
        return 0
    sample = _copied(plan.edge.right[0])
    return {-1: 1, plan.n - 1: 2}.get(plan.n if sample is None else sample)


def _sides(extension: Extension) -> tuple[list[int], list[int]] | None:
    """The sample that each row copies, -1 for zero; None if a row is not a copy."""
    left, right = map(_copied, extension.left), map(_copied, extension.right)
    sides = list(left), list(right)
    return None if None in sides[0] or None in sides[1] else sides  # type: ignore[return-value]


def _copied(row: Row) -> int | None:
    if not row:
        return -1
    index, weight = row[0]
    return index if len(row) == 1 and weight == 1.0 else None


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int)
