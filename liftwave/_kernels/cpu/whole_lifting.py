"""Native plans of undecimated lifting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from liftwave._plan.levels import LiftStep, Step
from liftwave._plan.undecimated_lifting import WholeLiftPlan, WholeStep, nearest_place
from liftwave._typing import Mode
from liftwave.wavelets.taps import FixedPoint, is_concrete

_ENDS: dict[Mode, int] = {
    "periodization": 0,
    "zero": 1,
    "constant": 2,
    "symmetric": 3,
    "reflect": 4,
}


def whole_level(keyed_steps: Sequence[tuple[str, Step]]) -> list[Any] | None:
    """The native axes of a level, in the order of an analysis; None if one call does not lift it.

    Not all bands of a synthesis need a step, because missing bands are zero.
    """
    steps: dict[int, LiftStep] = {}
    for key, step in keyed_steps:
        if not isinstance(step, LiftStep):
            return None
        steps.setdefault(len(key), step)
    axes = [whole_axis(step) for _, step in sorted(steps.items())]
    return axes if axes and None not in axes else None


def whole_axis(step: LiftStep) -> Any:
    """The native axis; None if the module does not support it."""
    plan = step.plan
    if not isinstance(plan, WholeLiftPlan) or not all(map(is_concrete, step.taps)):
        return None
    if not all(isinstance(factor, float | int) for factor in step.scale):
        return None
    pairs = zip(plan.steps, step.taps, strict=True)
    steps = [_step(whole, taps, plan) for whole, taps in pairs]
    return step.axis, plan.n, _ENDS[plan.mode], plan.weight, step.scale, steps


def whole_step_axis(step: WholeStep, taps: Any, plan: WholeLiftPlan, axis: int) -> Any:
    """The native axis with one step of a plan, without scales."""
    return axis, plan.n, _ENDS[plan.mode], 1.0, (1.0, 1.0), [_step(step, taps, plan)]


def _step(step: WholeStep, taps: Any, plan: WholeLiftPlan) -> tuple[Any, ...]:
    fixed = taps if isinstance(taps, FixedPoint) else FixedPoint((), 0)
    floats = [] if isinstance(taps, FixedPoint) else list(taps)
    places = [nearest_place(place, plan.n, plan.mode) for place in step.places]
    sign = step.target, step.subtract, step.is_transposed
    return *sign, places, floats, fixed.numerators, fixed.bits
