"""The reference kernels: array-API code for any library, written to be read.

They are the truth that compiled kernels are tested against, and they serve
every array that no compiled kernel serves, on the array's own device. Nothing
is written in place, so libraries that record operations differentiate them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from array_api_compat import array_namespace, device

from liftwave._arrays.convert import real_dtype, zeros
from liftwave._kernels import axis_by_axis
from liftwave._kernels.contract import LiftPullback
from liftwave._kernels.reference import pooling as reference_pooling
from liftwave._kernels.reference.reversible import Step, run, vjp
from liftwave._plan.axis import FilterPlan, LiftPlan, StepPlan
from liftwave._plan.boundary import Column, Extension, Fold
from liftwave._plan.levels import AnalysisPlan, SynthesisPlan
from liftwave._typing import Array, Namespace
from liftwave.wavelets.taps import FixedPoint, Taps, is_concrete, reversed_taps

if TYPE_CHECKING:
    from liftwave._kernels.contract import AxisKernels

name = "reference"
on_host = False
reads_halves = False
pooling = reference_pooling


# --- filter banks ----------------------------------------------------------------------------


def analysis(x: Array, filters: Sequence[Taps], plan: FilterPlan, axis: int) -> list[Array]:
    """``y[k] = sum_j f[j] * x[2 k + phase - j]`` for each filter ``f``, the input extended."""
    xp = array_namespace(x)
    wide = extended(x, plan.extend, axis)
    first, count = _first_tap(plan)
    bands = []
    for taps in filters:
        terms = (
            tap * _slice(wide, axis, first - j, 2, count)
            for j, tap in enumerate(_values(taps, x, xp))
        )
        bands.append(_folded(_total(terms), plan.fold, axis, xp))
    return bands


def synthesis(
    bands: Sequence[Array], filters: Sequence[Taps], plan: FilterPlan, axis: int
) -> Array:
    """``x[i] = sum_k y[k] * g[i + phase - 2 k]``, summed over the bands, each extended."""
    xp = array_namespace(*bands)
    wide = [extended(band, plan.extend, axis) for band in bands]
    start = -len(plan.fold.left)
    count = plan.n_out + len(plan.fold.left) + len(plan.fold.right)
    phases = []
    for parity in (0, 1):
        # Outputs start + parity, start + parity + 2, … meet the taps of one parity only.
        used = (start + parity + plan.phase) % 2
        first = (start + parity + plan.phase - used) // 2 + len(plan.extend.left)
        each = [
            _total(
                tap * _slice(band, axis, first - q, 1, (count + 1 - parity) // 2)
                for q, tap in enumerate(_values(taps, band, xp)[used::2])
            )
            for band, taps in zip(wide, filters, strict=True)
        ]
        phases.append(_total(each))
    return _folded(_merged(phases, axis, xp), plan.fold, axis, xp)


def tap_gradients(
    x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int
) -> list[Array]:
    """``G[j] = sum_k x[2 k + phase - j] * y[k]`` for each cotangent ``y``, both extended."""
    xp = array_namespace(x, *cotangents)
    wide = extended(x, plan.extend, axis)
    first, count = _first_tap(plan)
    gradients = []
    for cotangent in cotangents:
        over = extended(cotangent, plan.fold, axis)
        sums = [_inner(_slice(wide, axis, first - j, 2, count), over) for j in range(plan.length)]
        gradients.append(xp.stack(sums))
    return gradients


def _first_tap(plan: FilterPlan) -> tuple[int, int]:
    """Where in an analysis' extended input its first tap begins, and how many outputs there are."""
    before, after = len(plan.fold.left), len(plan.fold.right)
    return plan.phase + len(plan.extend.left) - 2 * before, plan.n_out + before + after


# --- lifting ---------------------------------------------------------------------------------


def lift_analysis(
    x: Array, plan: LiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
) -> tuple[Array, Array]:
    """Split into even and odd samples, run the steps, scale, roll."""
    xp = array_namespace(x)
    channels = run(_channels(extended(x, plan.edge, axis), axis), _steps(plan, taps, axis))
    approx, detail = (
        _rolled(_scaled(channel, factor, xp), shift, axis, xp)
        for channel, factor, shift in zip(channels, scale, plan.shift, strict=True)
    )
    return approx, detail


def lift_synthesis(
    approx: Array,
    detail: Array,
    plan: LiftPlan,
    taps: Sequence[Any],
    scale: Sequence[Any],
    axis: int,
) -> Array:
    """Roll back, scale, run the steps, merge even and odd samples."""
    xp = array_namespace(approx, detail)
    channels = [
        _scaled(_rolled(band, -shift, axis, xp), factor, xp)
        for band, factor, shift in zip((approx, detail), scale, plan.shift, strict=True)
    ]
    channels = run(channels, _steps(plan, taps, axis))
    return _folded(_merged(channels, axis, xp), plan.edge, axis, xp)


def lift_vjp(
    outputs: Sequence[Array],
    cotangents: Sequence[Array],
    plan: LiftPlan,
    taps: Sequence[Any],
    scale: Sequence[Any],
    axis: int,
) -> LiftPullback:
    """Inputs, their cotangents, and gradients in taps and scales, from the outputs of lifting."""
    xp = array_namespace(*outputs, *cotangents)
    steps = _steps(plan, taps, axis)
    if len(outputs) == 2:
        bands = [_rolled(y, -s, axis, xp) for y, s in zip(outputs, plan.shift, strict=True)]
        pulled = [_rolled(g, -s, axis, xp) for g, s in zip(cotangents, plan.shift, strict=True)]
        channels, factors = _unscaled(bands, pulled, scale, xp)
        pulled = [_scaled(g, f, xp) for g, f in zip(pulled, scale, strict=True)]
        back = vjp(channels, pulled, steps)
        values, cotangent = (_merged(each, axis, xp) for each in (back.channels, back.cotangents))
        values = _slice(values, axis, 0, 1, plan.n)
        cotangent = _folded(cotangent, plan.edge, axis, xp)
        return LiftPullback([values], [cotangent], back.gradients, factors)
    (values,), (cotangent,) = outputs, cotangents
    back = vjp(
        _channels(values, axis), _channels(extended(cotangent, plan.edge, axis), axis), steps
    )
    channels, factors = _unscaled(back.channels, back.cotangents, scale, xp)
    pulled = [_scaled(g, f, xp) for g, f in zip(back.cotangents, scale, strict=True)]
    inputs, given = (
        [_rolled(c, s, axis, xp) for c, s in zip(both, plan.shift, strict=True)]
        for both in (channels, pulled)
    )
    return LiftPullback(inputs, given, back.gradients, factors)


def _unscaled(
    scaled: Sequence[Array], cotangents: Sequence[Array], scale: Sequence[Any], xp: Namespace
) -> tuple[list[Array], tuple[Array, Array]]:
    """Channels before they were scaled, and the gradients in the factors."""
    channels = [_scaled(c, 1 / factor, xp) for c, factor in zip(scaled, scale, strict=True)]
    approx, detail = map(_inner, channels, cotangents)
    return channels, (approx, detail)


def _channels(x: Array, axis: int) -> list[Array]:
    """Even and odd samples."""
    n = x.shape[axis]
    return [_slice(x, axis, parity, 2, (n + 1 - parity) // 2) for parity in (0, 1)]


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
        tap * _slice(wide, axis, first + j, 1, count)
        for j, tap in enumerate(_values(values, source, xp))
    )
    return _folded(_total(terms), step.fold, axis, xp)


def _step_gradient(source: Array, cotangent: Array, step: StepPlan, axis: int) -> Array:
    """The gradient of a step in its taps, for a cotangent of its increment."""
    xp = array_namespace(source, cotangent)
    if step.extend.n == 0 or step.fold.n == 0:
        return xp.zeros((step.length,), dtype=real_dtype(source, xp), device=device(source))
    wide, over = extended(source, step.extend, axis), extended(cotangent, step.fold, axis)
    first, count = _range(step)
    sums = [_inner(_slice(wide, axis, first + j, 1, count), over) for j in range(step.length)]
    return xp.stack(sums)


def _range(step: StepPlan) -> tuple[int, int]:
    """Where in the extended source the first tap begins, and how many targets there are."""
    before, after = len(step.fold.left), len(step.fold.right)
    return step.offset + len(step.extend.left) - before, step.fold.n + before + after


def _rounded_increment(
    source: Array, values: FixedPoint, first: int, count: int, axis: int, xp: Namespace
) -> Array:
    """``floor(P + 1/2)`` in integers: exact, and the same on every machine.

    Sums are taken modulo 2**64, and the result modulo the range of the data's
    dtype: adding and later subtracting it is lossless whatever overflows.
    """
    wide = xp.astype(source, xp.int64)
    terms = (
        numerator * _slice(wide, axis, first + j, 1, count)
        for j, numerator in enumerate(values.numerators)
    )
    rounded = (_total(terms) + (1 << (values.bits - 1))) >> values.bits
    return xp.astype(rounded, source.dtype)


# --- all axes and levels ---------------------------------------------------------------------


def analyse(x: Array, plan: AnalysisPlan, dtype: Any = None) -> list[Array]:
    """All bands: the approximation, then the details; in ``dtype``, if given."""
    if dtype is not None:
        x = array_namespace(x).astype(x, dtype, copy=False)
    return axis_by_axis.analyse(x, plan, _these())


def synthesise(bands: Sequence[Array], plan: SynthesisPlan, out: Array | None = None) -> Array:
    """The array with these bands: always a new one."""
    return axis_by_axis.synthesise(bands, plan, _these())


def _these() -> AxisKernels:
    return cast("AxisKernels", sys.modules[__name__])


# --- pieces ----------------------------------------------------------------------------------


def extended(x: Array, extension: Extension, axis: int) -> Array:
    """The signal with its extension on both sides."""
    xp = array_namespace(x)
    if not extension.left and not extension.right:
        return x
    parts = [x]
    if extension.left:
        parts.insert(0, _rows(x, len(extension.left), extension.left_columns, axis, xp))
    if extension.right:
        parts.append(_rows(x, len(extension.right), extension.right_columns, axis, xp))
    return xp.concat(parts, axis=axis)


def _rows(x: Array, count: int, columns: tuple[Column, ...], axis: int, xp: Namespace) -> Array:
    """Weighted sums of samples, one per row."""
    if not columns:
        shape = list(x.shape)
        shape[axis] = count
        return zeros(tuple(shape), x, xp)
    return _total(_column(x, column, axis, xp) for column in columns)


def _column(x: Array, column: Column, axis: int, xp: Namespace) -> Array:
    """Samples gathered and weighted; exactly zero where the weight is, whatever the sample."""
    where, weights = column
    gathered = _weighted(_taken(x, where, axis, xp), weights, axis, xp)
    if all(weights):
        return gathered
    # Not even 0 * nan of the sample that fills the place of one that a row does not name.
    named = _along(tuple(w != 0.0 for w in weights), xp.bool, gathered, axis, xp)
    return xp.where(named, gathered, xp.zeros_like(gathered))


def _taken(x: Array, where: tuple[int, ...], axis: int, xp: Namespace) -> Array:
    return xp.take(x, xp.asarray(where, dtype=xp.int64, device=device(x)), axis=axis)


def _weighted(x: Array, weights: tuple[float, ...], axis: int, xp: Namespace) -> Array:
    if all(w == 1.0 for w in weights):
        return x
    return x * _along(weights, real_dtype(x, xp), x, axis, xp)


def _along(values: tuple[Any, ...], dtype: Any, x: Array, axis: int, xp: Namespace) -> Array:
    """Values shaped to broadcast along ``axis`` of ``x``, on its device."""
    shape = [1] * x.ndim
    shape[axis] = len(values)
    return xp.reshape(xp.asarray(values, dtype=dtype, device=device(x)), tuple(shape))


def _folded(x: Array, fold: Extension, axis: int, xp: Namespace) -> Array:
    """The transpose of extending: samples beyond the ends are added onto those they came from."""
    before, after = len(fold.left), len(fold.right)
    if not before and not after:
        return x
    folded = _slice(x, axis, before, 1, fold.n)
    for where, part in (
        (fold.left_fold, _slice(x, axis, 0, 1, before)),
        (fold.right_fold, _slice(x, axis, before + fold.n, 1, after)),
    ):
        if where is not None:
            folded = _added(folded, part, where, axis, xp)
    return folded


def _added(x: Array, beyond: Array, fold: Fold, axis: int, xp: Namespace) -> Array:
    """``x`` with the samples ``beyond`` its end added where ``fold`` says."""
    count = len(fold.columns[0][0])
    stop = fold.start + count
    received = _slice(x, axis, fold.start, 1, count)
    for column in fold.columns:
        received = received + _column(beyond, column, axis, xp)
    parts = [
        _slice(x, axis, 0, 1, fold.start),
        received,
        _slice(x, axis, stop, 1, x.shape[axis] - stop),
    ]
    return xp.concat(parts, axis=axis)


def _merged(channels: Sequence[Array], axis: int, xp: Namespace) -> Array:
    """``even[0], odd[0], even[1], odd[1], …``; the odd ones may be one fewer."""
    even, odd = channels
    n_even, n_odd = even.shape[axis], odd.shape[axis]
    paired = xp.stack([_slice(even, axis, 0, 1, n_odd), odd], axis=axis + 1)
    shape = (*even.shape[:axis], 2 * n_odd, *even.shape[axis + 1 :])
    merged = xp.reshape(paired, shape)
    if n_even == n_odd:
        return merged
    return xp.concat([merged, _slice(even, axis, n_odd, 1, 1)], axis=axis)


def _slice(x: Array, axis: int, start: int, step: int, count: int) -> Array:
    """``count`` samples along ``axis``, from ``start`` on."""
    stop = start + step * (count - 1) + 1 if count else start
    return x[(*(slice(None),) * axis, slice(start, stop, step), ...)]


def _rolled(x: Array, shift: int, axis: int, xp: Namespace) -> Array:
    return xp.roll(x, shift, axis=axis) if shift else x


def _scaled(x: Array, factor: Any, xp: Namespace) -> Array:
    if isinstance(factor, float | int):
        return x if factor == 1 else -x if factor == -1 else x * factor
    return x * xp.astype(factor, real_dtype(x, xp))


def _values(taps: Taps, x: Array, xp: Namespace) -> Sequence[Any]:
    """The taps as numbers, or as 0-d arrays in the precision of ``x``."""
    if is_concrete(taps):
        return taps
    cast = xp.astype(taps, real_dtype(x, xp))
    return [cast[j] for j in range(cast.shape[0])]


def _inner(x: Array, y: Array) -> Array:
    """``Re <x, y>`` over all axes, as an array of shape ()."""
    xp = array_namespace(x, y)
    is_complex = xp.isdtype(x.dtype, "complex floating")
    product = xp.real(xp.conj(x) * y) if is_complex else x * y
    # Kept dimensions make an array also of what would be a number in NumPy.
    return xp.reshape(xp.sum(product, keepdims=True), ())


def _total(terms: Any) -> Array:
    """The sum from left to right (``sum`` would start from a stray zero)."""
    iterator = iter(terms)
    result = next(iterator)
    for term in iterator:
        result = result + term
    return result


# --- lifting pooling -------------------------------------------------------------------------

# Made of the pieces above, which have to be there when it is imported.
from liftwave._kernels.reference import lift_pool  # noqa: E402, F401
