"""Filter banks along one axis in array-API code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from array_api_compat import array_namespace

from liftwave._arrays.convert import zeros
from liftwave._kernels.reference.pieces import (
    extended,
    folded,
    inner,
    merged,
    rolled,
    slice_along,
    tap_values,
    total,
)
from liftwave._numbers import is_symbol
from liftwave._plan.axes import with_length
from liftwave._plan.axis import FilterPlan
from liftwave._plan.boundary import Extension
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps, scaled_taps

_Reader: TypeAlias = Callable[[int, int, int], Array]
_Run: TypeAlias = list[tuple[int, int]]


class ReferenceFilters:
    """Filter banks along one axis."""

    def analysis(
        self, x: Array, filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """``y[k] = sum_j f[j] * x[stride k + phase - dilation j]``, the input extended."""
        xp, read = array_namespace(x), _reader(x, plan.extend, axis)
        first, count = _first_tap(plan)
        bands = []
        for taps in filters:
            terms = (
                tap * read(first - plan.dilation * j, plan.stride, count)
                for j, tap in enumerate(tap_values(scaled_taps(taps, plan.factor), x, xp))
            )
            bands.append(folded(total(terms), plan.fold, axis, xp))
        return bands

    def synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> Array:
        """The sum over bands ``y`` of the transpose of :meth:`analysis`, each band extended.

        ``x[i] = sum_j y[(i + phase - dilation j) / stride] * g[j]`` over the whole quotients.
        """
        xp = array_namespace(*bands)
        readers = [_reader(band, plan.extend, axis) for band in bands]
        values = [
            tap_values(scaled_taps(taps, plan.factor), band, xp)
            for band, taps in zip(bands, filters, strict=True)
        ]
        count = plan.n_out + len(plan.fold.left) + len(plan.fold.right)
        phases = []
        for offset in range(plan.stride):
            # Outputs at this offset, and multiples of the stride from it, use the same taps.
            number = (count + plan.stride - 1 - offset) // plan.stride
            runs = _runs(plan, offset - len(plan.fold.left))
            parts = [
                total(total(taps[j] * read(at, 1, number) for j, at in run) for run in runs)
                for read, taps in zip(readers, values, strict=True)
                if runs
            ]
            shape = with_length(tuple(bands[0].shape), axis, number)
            phases.append(total(parts) if parts else zeros(shape, bands[0], xp))
        return folded(merged(phases, axis, xp), plan.fold, axis, xp)

    def tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """``G[j] = sum_k x[stride k + phase - dilation j] * y[k]``, both extended."""
        xp, read = array_namespace(x, *cotangents), _reader(x, plan.extend, axis)
        first, count = _first_tap(plan)
        gradients = []
        for cotangent in cotangents:
            wide_cotangent = extended(cotangent, plan.fold, axis)
            sums = [
                inner(read(first - plan.dilation * j, plan.stride, count), wide_cotangent)
                for j in range(plan.length)
            ]
            gradients.append(xp.stack(sums))
        return gradients if plan.factor == 1.0 else [plan.factor * g for g in gradients]


def _reader(x: Array, extension: Extension, axis: int) -> _Reader:
    """The function that returns ``count`` samples of the extended signal, from a place on."""
    if extension.joined:
        xp, n = array_namespace(x), extension.n
        if is_symbol(n):
            return lambda start, step, count: rolled(x, -start, axis, xp)
        return lambda start, step, count: rolled(x, -(start % n), axis, xp)
    wide, before = extended(x, extension, axis), len(extension.left)
    return lambda start, step, count: slice_along(wide, axis, start + before, step, count)


def _first_tap(plan: FilterPlan) -> tuple[int, int]:
    """The place of the first tap's first sample in an analysis, and the number of outputs."""
    before, after = len(plan.fold.left), len(plan.fold.right)
    return plan.phase - plan.stride * before, plan.n_out + before + after


def _runs(plan: FilterPlan, output: int) -> list[_Run]:
    """The taps that an output of a synthesis uses, and the places of their coefficients.

    Without downsampling, a sum goes from both ends of the filter to its middle. The taps there are
    the largest, so this loses less accuracy than a sum from one end to the other.
    """
    places = [(j, output + plan.phase - plan.dilation * j) for j in range(plan.length)]
    used = [(j, at // plan.stride) for j, at in places if at % plan.stride == 0]
    half = len(used) // 2
    runs = [used] if plan.stride > 1 else [used[:half], used[half:][::-1]]
    return [run for run in runs if run]
