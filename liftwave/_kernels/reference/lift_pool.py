"""Lifting pooling in array-API code: compiled kernels are tested against it.

Signals have the shape (N, C, …), filters the shape (passes, 2, C, K + 3): predictor and updater;
weights, bias, gain and offset. Each pass consists of two general lifting steps
(``reversible.py``) with the functions

``gain * relu(sum_i weight[i] * source[k + i - (K - 1) // 2] + bias) + offset``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from liftwave._kernels.reference.pieces import (
    extended,
    folded,
    merged,
    slice_along,
    split_channels,
    total,
)
from liftwave._kernels.reference.reversible import Step, run, run_with_sources, undoing, vjp
from liftwave._plan.boundary import Extension, zero_extension
from liftwave._plan.lift_pool import LiftOutput, LiftPass, LiftPoolPlan
from liftwave._typing import Array

# Batch and channels come before the spatial axes.
_FIRST = 2


class _ReluStep(NamedTuple):
    """The function of one step, along one axis."""

    filters: Array  # (C, K + 3)
    extension: Extension
    axis: int

    def increment(self, source: Array) -> Array:
        gain, offset = self._own(source)[1:]
        return gain * _relu(self._linear(source)) + offset

    def vjp(self, source: Array, cotangent: Array) -> tuple[Array, Array]:
        """The cotangent of the source, and the gradient of the filters."""
        xp = array_namespace(source, cotangent)
        gain = self._own(source)[1]
        linear = self._linear(source)
        inner = xp.where(linear <= 0, xp.zeros_like(linear), cotangent * gain)
        windows = [
            slice_along(
                extended(source, self.extension, self.axis), self.axis, i, 1, self.extension.n
            )
            for i in range(self._kernel)
        ]
        axes = tuple(d for d in range(source.ndim) if d != 1)
        products = [*(inner * w for w in windows), inner, cotangent * _relu(linear), cotangent]
        gradient = xp.stack([xp.sum(p, axis=axes) for p in products], axis=-1)
        return self._linear_adjoint(inner), gradient

    def _linear_adjoint(self, cotangent: Array) -> Array:
        """The adjoint of the linear part: samples read beyond the ends are folded back."""
        reach = self._kernel - 1
        wide = extended(cotangent, zero_extension(self.extension.n, reach, reach), self.axis)
        count = self.extension.n + reach
        terms = (
            weight * slice_along(wide, self.axis, reach - i, 1, count)
            for i, weight in enumerate(self._weights(cotangent))
        )
        xp = array_namespace(cotangent)
        return folded(total(terms), self.extension, self.axis, xp)

    def _linear(self, source: Array) -> Array:
        wide = extended(source, self.extension, self.axis)
        terms = (
            weight * slice_along(wide, self.axis, i, 1, self.extension.n)
            for i, weight in enumerate(self._weights(source))
        )
        return total(terms) + self._own(source)[0]

    @property
    def _kernel(self) -> int:
        return len(self.extension.left) + len(self.extension.right) + 1

    def _weights(self, like: Array) -> list[Array]:
        return [self._spread(i, like) for i in range(self._kernel)]

    def _own(self, like: Array) -> list[Array]:
        """Bias, gain, offset."""
        return [self._spread(self._kernel + i, like) for i in range(3)]

    def _spread(self, column: int, like: Array) -> Array:
        """A column of the filters, one number per channel."""
        xp = array_namespace(self.filters)
        return xp.reshape(self.filters[:, column], (-1, *(1,) * (like.ndim - _FIRST)))


def _relu(x: Array) -> Array:
    xp = array_namespace(x)
    return xp.where(x <= 0, xp.zeros_like(x), x)


def _steps(plan: LiftPoolPlan, lift_pass: LiftPass, filters: Array) -> list[Step]:
    """Predict the odd samples from the even ones, and update the even ones by the details."""
    n, axis = lift_pass.shape[lift_pass.axis], lift_pass.axis + _FIRST
    own = filters[lift_pass.filter_index, ...]
    predict, update = (_ReluStep(own[k, ...], plan.source(n, k), axis) for k in (0, 1))
    return [Step(1, predict, True), Step(0, update)]


# --- the kernels ---------------------------------------------------------------------------


class ReferenceLiftPool:
    """Lifting pooling."""

    def lift_down(
        self, x: Array, filters: Array, plan: LiftPoolPlan, output: LiftOutput, with_sums: bool
    ) -> tuple[list[Array], Array | None]:
        """The bands of ``output``, and for each pass the sums of ``(s - o)**2`` and ``d**2``."""
        xp = array_namespace(x, filters)
        arrays, sums = [x], []
        for lift_pass in plan.passes:
            signal = arrays.pop(0)
            odd, halves = _split(signal, plan, lift_pass, filters)
            arrays += halves
            if with_sums:
                smooth, detail = halves
                sums.append(xp.stack([xp.sum((smooth - odd) ** 2), xp.sum(detail**2)]))
        return _selected(arrays, output), xp.stack(sums) if with_sums else None

    def lift_up(self, bands: Sequence[Array], filters: Array, plan: LiftPoolPlan) -> Array:
        """The signal with these bands; none of them is missing."""
        return _merge(bands, filters, plan)[0]

    def lift_down_vjp(
        self,
        values: Sequence[Array],
        cotangents: Sequence[Array | None],
        sums_cotangent: Array | None,
        filters: Array,
        plan: LiftPoolPlan,
        output: LiftOutput,
        from_outputs: bool,
    ) -> tuple[Array, Array]:
        """Cotangents of the signal and of the filters.

        ``values`` are the results of :meth:`lift_down` if ``from_outputs`` (all bands), or else
        the signal. Cotangents that are ``None`` are zero.
        """
        passes: list[_Halves | None]
        if from_outputs:
            arrays, passes = _all_bands(values, output, plan), [None] * len(plan.passes)
        else:
            arrays, passes = _all_passes(values[0], filters, plan)
        band_cotangents = _cotangents(cotangents, output, arrays)
        gradients: list[Any] = []
        for number, lift_pass in reversed(list(enumerate(plan.passes))):
            halves, arrays = arrays[-2:], arrays[:-2]
            pair, band_cotangents = band_cotangents[-2:], band_cotangents[:-2]
            weights = None if sums_cotangent is None else sums_cotangent[number, ...]
            signal, cotangent, gradient = _split_back(
                halves, pair, weights, plan, lift_pass, filters, passes[number]
            )
            arrays.insert(0, signal)
            band_cotangents.insert(0, cotangent)
            gradients.append(gradient)
        return band_cotangents[0], _collected(gradients[::-1], filters)

    def lift_up_vjp(
        self,
        values: Sequence[Array],
        cotangent: Array,
        filters: Array,
        plan: LiftPoolPlan,
        from_outputs: bool,
    ) -> tuple[list[Array], Array]:
        """Cotangents of the bands and of the filters.

        ``values`` are the signal (of even sizes) if ``from_outputs``, or else the bands.
        """
        merges = None if from_outputs else _merge(values, filters, plan)[1]
        arrays, cotangents, gradients = [values[0]], [cotangent], []
        for number, lift_pass in enumerate(plan.passes):
            xp, axis = array_namespace(cotangent), lift_pass.axis + _FIRST
            n = lift_pass.shape[lift_pass.axis]
            if merges is None:
                channels, sources = split_channels(arrays.pop(0), axis), None
            else:
                channels, sources = merges[number]
            padded = extended(cotangents.pop(0), zero_extension(n, 0, n % 2), axis)
            steps = undoing(_steps(plan, lift_pass, filters))
            back = vjp(channels, split_channels(padded, axis), steps, sources)
            arrays += back.channels
            cotangents += back.cotangents
            gradients.append(xp.stack(back.gradients[::-1]))
        return cotangents, _collected(gradients, filters)


def _split(
    x: Array, plan: LiftPoolPlan, lift_pass: LiftPass, filters: Array
) -> tuple[Array, list[Array]]:
    """The odd samples, and approximation and detail."""
    axis, count = lift_pass.axis + _FIRST, lift_pass.half[lift_pass.axis]
    wide = extended(x, plan.edge(lift_pass.axis), axis)
    channels = [slice_along(wide, axis, parity, 2, count) for parity in (0, 1)]
    return channels[1], run(channels, _steps(plan, lift_pass, filters))


class _Halves(NamedTuple):
    """The even and the odd samples of a pass, and the sources of its steps."""

    channels: list[Array]
    sources: list[Array] | None


def _all_passes(
    x: Array, filters: Array, plan: LiftPoolPlan
) -> tuple[list[Array], list[_Halves | None]]:
    """All bands, and what the derivative of each pass needs."""
    arrays: list[Array] = [x]
    passes: list[_Halves | None] = []
    for lift_pass in plan.passes:
        axis = lift_pass.axis + _FIRST
        signal = extended(arrays.pop(0), plan.edge(lift_pass.axis), axis)
        channels = split_channels(signal, axis)
        halves, sources = run_with_sources(channels, _steps(plan, lift_pass, filters))
        arrays += halves
        passes.append(_Halves(channels, sources))
    return arrays, passes


def _selected(bands: Sequence[Array], output: LiftOutput) -> list[Array]:
    parts = [bands[k] for k in output.bands]
    if output.combination == "sum":
        return [total(parts)]
    if output.combination == "concat":
        return [array_namespace(*parts).concat(parts, axis=1)]
    return parts


def _merge(
    bands: Sequence[Array], filters: Array, plan: LiftPoolPlan
) -> tuple[Array, list[_Halves]]:
    """The signal, and for each pass all even and odd samples, with the sources of its steps."""
    arrays, passes = list(bands), []
    for lift_pass in reversed(plan.passes):
        halves, arrays = arrays[-2:], arrays[:-2]
        steps = undoing(_steps(plan, lift_pass, filters))
        passes.append(_Halves(*run_with_sources(halves, steps)))
        axis = lift_pass.axis + _FIRST
        signal = merged(passes[-1].channels, axis, array_namespace(*halves))
        arrays.insert(0, slice_along(signal, axis, 0, 1, lift_pass.shape[lift_pass.axis]))
    return arrays[0], passes[::-1]


def _split_back(
    halves: list[Array],
    cotangents: list[Array],
    weights: Array | None,
    plan: LiftPoolPlan,
    lift_pass: LiftPass,
    filters: Array,
    before: _Halves | None,
) -> tuple[Array, Array, Array]:
    """One pass: the array that was split, its cotangent, and the gradient of its filters.

    The steps are undone unless the samples before them are known.
    """
    xp, axis = array_namespace(*halves), lift_pass.axis + _FIRST
    steps = _steps(plan, lift_pass, filters)
    of_odd = None
    if weights is not None:
        odd = (run(halves, undoing(steps)) if before is None else before.channels)[1]
        of_odd = -2 * weights[0] * (halves[0] - odd)
        cotangents = [cotangents[0] - of_odd, cotangents[1] + 2 * weights[1] * halves[1]]
    back = vjp(halves, cotangents, steps, None if before is None else before.sources)
    even, detail = back.cotangents
    if of_odd is not None:
        detail = detail + of_odd
    channels = back.channels if before is None else before.channels
    signal = slice_along(merged(channels, axis, xp), axis, 0, 1, lift_pass.shape[lift_pass.axis])
    cotangent = folded(merged([even, detail], axis, xp), plan.edge(lift_pass.axis), axis, xp)
    gradient = xp.stack(back.gradients)
    return signal, cotangent, gradient


def _all_bands(values: Sequence[Array], output: LiftOutput, plan: LiftPoolPlan) -> list[Array]:
    """All bands in order, from a result that contains all of them."""
    parts = list(values)
    if output.combination == "concat":
        count = parts[0].shape[1] // len(output.bands)
        parts = [slice_along(parts[0], 1, k * count, 1, count) for k in range(len(output.bands))]
    by_number = dict(zip(output.bands, parts, strict=True))
    return [by_number[k] for k in range(2**plan.dimensions)]


def _cotangents(
    cotangents: Sequence[Array | None], output: LiftOutput, like: Sequence[Array]
) -> list[Array]:
    """The cotangents of all bands."""
    xp, count = array_namespace(*like), like[0].shape[1]
    band_cotangents = [xp.zeros_like(band) for band in like]
    for place, k in enumerate(output.bands):
        part = cotangents[place if output.combination == "bands" else 0]
        if part is not None and output.combination == "concat":
            part = slice_along(part, 1, place * count, 1, count)
        if part is not None:
            band_cotangents[k] = band_cotangents[k] + part
    return band_cotangents


def _collected(gradients: Sequence[Array], filters: Array) -> Array:
    """Gradients in the shape of the filters: of all passes, or summed for a shared pair."""
    xp = array_namespace(*gradients)
    stacked = xp.stack(list(gradients))
    if filters.shape[0] == 1:
        return xp.sum(stacked, axis=0, keepdims=True)
    return stacked
