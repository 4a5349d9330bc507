"""Lifting along one axis in array-API code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from liftwave._arrays.convert import real_dtype, taken_from, zeros
from liftwave._kernels.contract import AnyLiftPlan, LiftPullback
from liftwave._kernels.reference.pieces import (
    extended,
    folded,
    inner,
    merged,
    rolled,
    scaled,
    slice_along,
    split_channels,
    tap_values,
    total,
)
from liftwave._kernels.reference.reversible import Step, run, vjp
from liftwave._numbers import is_symbol
from liftwave._plan.axis import LiftPlan, StepPlan
from liftwave._plan.undecimated_lifting import WholeLiftPlan
from liftwave._typing import Array, Namespace
from liftwave.wavelets.taps import FixedPoint, reversed_taps


class ReferenceLifting:
    """Lifting along one axis.

    Few programs use undecimated lifting, so its module is imported when it is needed.
    """

    def lift_analysis(
        self, x: Array, plan: AnyLiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
    ) -> tuple[Array, Array]:
        """Split into even and odd samples, run the steps, scale, roll."""
        if isinstance(plan, WholeLiftPlan):
            from liftwave._kernels.reference.whole_lifting import (
                whole_analysis,
            )  # few programs use it

            return whole_analysis(x, plan, taps, scale, axis)
        xp, wide = array_namespace(x), extended(x, plan.edge, axis)
        channels = [
            slice_along(wide, axis, parity, 2, count)
            for parity, count in enumerate(plan.band_lengths)
        ]
        channels = run(channels, _steps(plan, taps, axis))
        approx, detail = (
            rolled(scaled(channel, factor, xp), shift, axis, xp)
            for channel, factor, shift in zip(channels, scale, plan.shift, strict=True)
        )
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
            from liftwave._kernels.reference.whole_lifting import (
                whole_synthesis,
            )  # few programs use it

            return whole_synthesis([approx, detail], plan, taps, scale, axis)
        xp = array_namespace(approx, detail)
        channels = [
            scaled(rolled(band, -shift, axis, xp), factor, xp)
            for band, factor, shift in zip((approx, detail), scale, plan.shift, strict=True)
        ]
        channels = run(channels, _steps(plan, taps, axis))
        if is_symbol(plan.n):
            return _merged_in_graph(channels, plan.n, axis, xp)
        return folded(merged(channels, axis, xp), plan.edge, axis, xp)

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
            from liftwave._kernels.reference.whole_lifting import whole_vjp  # few programs use it

            return whole_vjp(outputs, cotangents, plan, taps, scale, axis)
        xp = array_namespace(*outputs, *cotangents)
        steps = _steps(plan, taps, axis)
        if len(outputs) == 2:
            bands = [rolled(y, -s, axis, xp) for y, s in zip(outputs, plan.shift, strict=True)]
            channel_cotangents = [
                rolled(g, -s, axis, xp) for g, s in zip(cotangents, plan.shift, strict=True)
            ]
            channels, factors = _unscaled(bands, channel_cotangents, scale, xp)
            channel_cotangents = [
                scaled(g, f, xp) for g, f in zip(channel_cotangents, scale, strict=True)
            ]
            back = vjp(channels, channel_cotangents, steps)
            values, cotangent = (
                merged(pair, axis, xp) for pair in (back.channels, back.cotangents)
            )
            values = slice_along(values, axis, 0, 1, plan.n)
            cotangent = folded(cotangent, plan.edge, axis, xp)
            return LiftPullback([values], [cotangent], back.gradients, factors)
        (values,), (cotangent,) = outputs, cotangents
        back = vjp(
            split_channels(values, axis),
            split_channels(extended(cotangent, plan.edge, axis), axis),
            steps,
        )
        channels, factors = _unscaled(back.channels, back.cotangents, scale, xp)
        channel_cotangents = [scaled(g, f, xp) for g, f in zip(back.cotangents, scale, strict=True)]
        inputs, input_cotangents = (
            [rolled(c, s, axis, xp) for c, s in zip(pair, plan.shift, strict=True)]
            for pair in (channels, channel_cotangents)
        )
        return LiftPullback(inputs, input_cotangents, back.gradients, factors)


def _merged_in_graph(channels: Sequence[Array], n: int, axis: int, xp: Namespace) -> Array:
    """``n`` samples of both channels, in a graph for any length: ``n`` can be odd."""
    even, odd = channels
    filled = xp.concat([odd, slice_along(even, axis, 0, 1, 1)], axis=axis)
    filled = taken_from(filled, axis, 0, even.shape[axis])
    return taken_from(merged([even, filled], axis, xp), axis, 0, n)


def _unscaled(
    bands: Sequence[Array], cotangents: Sequence[Array], scale: Sequence[Any], xp: Namespace
) -> tuple[list[Array], tuple[Array, Array]]:
    """Channels before scaling, and the gradients of the factors."""
    channels = [scaled(c, 1 / factor, xp) for c, factor in zip(bands, scale, strict=True)]
    approx, detail = map(inner, channels, cotangents)
    return channels, (approx, detail)


class _LinearStep(NamedTuple):
    """The increment of one step: ``sum_j taps[j] * source[k + offset + j]``."""

    plan: StepPlan
    taps: Any
    axis: int

    def increment(self, source: Array) -> Array:
        return _increment(source, self.plan, self.taps, self.axis)

    def vjp(self, source: Array, cotangent: Array) -> tuple[Array, Array]:
        inner = _increment(cotangent, self.plan.adjoint(), reversed_taps(self.taps), self.axis)
        return inner, _step_gradient(source, cotangent, self.plan, self.axis)


def _steps(plan: LiftPlan, taps: Sequence[Any], axis: int) -> list[Step]:
    return [
        Step(step.target, _LinearStep(step, values, axis), step.subtract)
        for step, values in zip(plan.steps, taps, strict=True)
    ]


def _increment(source: Array, step: StepPlan, values: Any, axis: int) -> Array:
    """``sum_j taps[j] * source[k + offset + j]`` for every target ``k``, the source extended."""
    xp = array_namespace(source)
    if step.extend.n == 0 or step.fold.n == 0:
        return zeros((*source.shape[:axis], step.fold.n, *source.shape[axis + 1 :]), source, xp)
    wide = extended(source, step.extend, axis)
    first, count = _range(step)
    if isinstance(values, FixedPoint):
        return _rounded_increment(wide, values, first, count, axis, xp)
    terms = (
        tap * slice_along(wide, axis, first + j, 1, count)
        for j, tap in enumerate(tap_values(values, source, xp))
    )
    return folded(total(terms), step.fold, axis, xp)


def _step_gradient(source: Array, cotangent: Array, step: StepPlan, axis: int) -> Array:
    """The gradient of a step's taps, for a cotangent of its increment."""
    xp = array_namespace(source, cotangent)
    if step.extend.n == 0 or step.fold.n == 0:
        return xp.zeros((step.length,), dtype=real_dtype(source, xp), device=device(source))
    wide, wide_cotangent = extended(source, step.extend, axis), extended(cotangent, step.fold, axis)
    first, count = _range(step)
    sums = [
        inner(slice_along(wide, axis, first + j, 1, count), wide_cotangent)
        for j in range(step.length)
    ]
    return xp.stack(sums)


def _range(step: StepPlan) -> tuple[int, int]:
    """The start of the first tap in the extended source, and the number of targets."""
    before, after = len(step.fold.left), len(step.fold.right)
    return step.offset + len(step.extend.left) - before, step.fold.n + before + after


def _rounded_increment(
    source: Array, values: FixedPoint, first: int, count: int, axis: int, xp: Namespace
) -> Array:
    """``floor(P + 1/2)`` in integers: exact, and the same on every machine.

    Sums are computed modulo 2**64, and the result modulo the range of the data's
    dtype. Adding and later subtracting it is therefore lossless, even if sums overflow.
    """
    wide = xp.astype(source, xp.int64)
    terms = (
        numerator * slice_along(wide, axis, first + j, 1, count)
        for j, numerator in enumerate(values.numerators)
    )
    rounded = (total(terms) + (1 << (values.bits - 1))) >> values.bits
    return xp.astype(rounded, source.dtype)
