"""Undecimated lifting along one axis by the compiled kernels: learned taps, and the derivative.

The derivative goes step by step, from the last one to the first. The module computes what each step
adds to its target, and the products that are the gradients of taps.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np

import liftwave._cpu as _cpu
from liftwave._kernels.contract import LiftPullback
from liftwave._kernels.cpu.memory import ALIGNED_LIFTING_SIZE, allocation, with_copies
from liftwave._kernels.cpu.whole_lifting import whole_axis, whole_step_axis
from liftwave._plan.levels import LiftStep
from liftwave._plan.undecimated_lifting import WholeLiftPlan, WholeStep, nearest_place
from liftwave._typing import Mode

Numbers: TypeAlias = tuple[tuple[Any, ...], tuple[float, float]]
"""Taps of each step, and scales, as numbers."""

# NumPy's names of the modes in which a step reads samples beyond the ends.
_PADDING: dict[Mode, Any] = {
    "zero": "constant",
    "constant": "edge",
    "symmetric": "symmetric",
    "reflect": "reflect",
}


def whole_bands(x: Any, plan: WholeLiftPlan, numbers: Numbers, axis: int) -> list[Any]:
    """Approximation and detail of a NumPy array."""
    memory = allocation(prod(x.shape), ALIGNED_LIFTING_SIZE)
    bands = _cpu.BandMemory([(x.shape, memory, []), (x.shape, memory, [])])
    level = [whole_axis(LiftStep(axis, plan, *numbers))]
    return with_copies(_cpu.WholeLiftAnalysis([level], bands, None).run, x)


def whole_signal(bands: list[Any], plan: WholeLiftPlan, numbers: Numbers, axis: int) -> Any:
    """The signal with these bands, which are NumPy arrays."""
    memory = allocation(prod(bands[0].shape), ALIGNED_LIFTING_SIZE)
    level = [whole_axis(LiftStep(axis, plan, *numbers))]
    return with_copies(_cpu.WholeLiftSynthesis([level], [[True, True]], memory, None).run, bands)


# --- the derivative ------------------------------------------------------------------------------


def whole_pullback(
    values: Sequence[Any],
    cotangents: Sequence[Any],
    plan: WholeLiftPlan,
    numbers: Numbers,
    axis: int,
) -> LiftPullback:
    """The vector-Jacobian product of an analysis from its bands, or of a synthesis from its bands.

    A synthesis has one cotangent.
    """
    taps, scale = numbers
    pairs = zip(plan.steps, taps, strict=True)
    steps = [_Step(step, step_taps, plan, axis) for step, step_taps in pairs]
    if len(cotangents) == 1:
        return _synthesis_pullback(values, cotangents[0], plan, steps, scale)
    channels = [band * (1 / factor) for band, factor in zip(values, scale, strict=True)]
    approx, detail = map(_inner, channels, cotangents)
    back = [g * factor for g, factor in zip(cotangents, scale, strict=True)]
    gradients = _undo(steps, channels, back)
    signal = (back[0] + back[1]) * plan.weight
    return LiftPullback([channels[0]], [signal], gradients, (approx, detail))


def _synthesis_pullback(
    bands: Sequence[Any],
    cotangent: Any,
    plan: WholeLiftPlan,
    steps: Sequence[_Step],
    scale: tuple[float, float],
) -> LiftPullback:
    channels = [band * factor for band, factor in zip(bands, scale, strict=True)]
    for step in steps:
        step.run(channels)
    back = [cotangent * plan.weight] * 2
    gradients = _undo(steps, channels, back)
    approx, detail = map(_inner, bands, back)
    scaled = [g * factor for g, factor in zip(back, scale, strict=True)]
    return LiftPullback(list(bands), scaled, gradients, (approx, detail))


def _undo(steps: Sequence[_Step], channels: list[Any], back: list[Any]) -> list[Any]:
    """Set channels and cotangents to those before all steps; return the gradients of the taps."""
    return [step.undo(channels, back) for step in reversed(steps)][::-1]


def _inner(x: Any, y: Any) -> Any:
    """``Re <x, y>``, as an array of shape ()."""
    return np.asarray(np.sum((np.conj(x) * y).real))


class _Step:
    """A step, and its derivative."""

    def __init__(self, step: WholeStep, taps: Any, plan: WholeLiftPlan, axis: int) -> None:
        self._target, self._subtract = step.target, step.subtract
        step = step._replace(subtract=False)
        adjoint = step.adjoint(plan.mode)
        self._forward = _cpu.WholeLiftIncrement(whole_step_axis(step, taps, plan, axis))
        self._backward = _cpu.WholeLiftIncrement(whole_step_axis(adjoint, taps[::-1], plan, axis))
        self._slopes = _Slopes(step, plan, axis)

    def run(self, channels: list[Any]) -> None:
        """Change the target."""
        source = channels[1 - self._target]
        self._add(channels, self._target, with_copies(self._forward.run, source), self._subtract)

    def undo(self, channels: list[Any], back: list[Any]) -> Any:
        """Undo the step on the channels, pull cotangents back; return the gradient of the taps."""
        source, cotangent = channels[1 - self._target], back[self._target]
        increment = with_copies(self._forward.run, source)
        self._add(channels, self._target, increment, not self._subtract)
        pulled = with_copies(self._backward.run, cotangent)
        self._add(back, 1 - self._target, pulled, self._subtract)
        gradient = self._slopes(source, cotangent)
        return -gradient if self._subtract else gradient

    @staticmethod
    def _add(arrays: list[Any], place: int, increment: Any, subtract: bool) -> None:
        arrays[place] = arrays[place] - increment if subtract else arrays[place] + increment


class _Slopes:
    """The gradients of a step's taps: sums of products of moved samples and cotangents.

    The products are those of a periodic filter. In other modes, the source is extended as far as
    the taps reach, and the cotangent by zeros.
    """

    def __init__(self, step: WholeStep, plan: WholeLiftPlan, axis: int) -> None:
        self._axis, self._is_transposed, self._mode = axis, step.is_transposed, plan.mode
        places = [nearest_place(place, plan.n, plan.mode) for place in step.places]
        is_periodic = plan.mode == "periodization"
        self._before = 0 if is_periodic else max(0, -min(places))
        self._behind = 0 if is_periodic else max(0, *places)
        length = plan.n + self._before + self._behind
        offsets = [(place + self._before) % length for place in places]
        zeros = [0.0] * len(places)
        self._native = _cpu.CircularTapGradients([(axis, length, offsets, zeros, zeros)])

    def __call__(self, source: Any, cotangent: Any) -> Any:
        """One gradient per tap, in the precision of the data."""
        if self._is_transposed:
            source, cotangent = cotangent, source
        if self._before + self._behind:
            source = self._padded(source, self._before, self._behind, _PADDING[self._mode])
            cotangent = self._padded(cotangent, 0, self._before + self._behind, "constant")
        (sums,) = with_copies(self._native.run, source, [cotangent])
        return sums.astype(source.real.dtype)

    def _padded(self, x: Any, before: int, behind: int, mode: Any) -> Any:
        widths = [(0, 0)] * x.ndim
        widths[self._axis] = (before, behind)
        return np.pad(x, widths, mode)
