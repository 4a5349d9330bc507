"""Filter banks along one axis in array-API code."""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace

from liftwave._arrays.convert import zeros
from liftwave._kernels.reference.pieces import (
    extended,
    folded,
    inner,
    merged,
    slice_along,
    tap_values,
    total,
)
from liftwave._plan.axes import with_length
from liftwave._plan.axis import FilterPlan
from liftwave._typing import Array, Namespace
from liftwave.wavelets.taps import Taps, scaled_taps


class ReferenceFilters:
    """Filter banks along one axis."""

    def analysis(
        self, x: Array, filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """``y[k] = sum_j f[j] * x[stride k + phase - dilation j]``, the input extended."""
        xp = array_namespace(x)
        wide = extended(x, plan.extend, axis)
        first, count = _first_tap(plan)
        bands = []
        for taps in filters:
            terms = (
                tap * slice_along(wide, axis, first - plan.dilation * j, plan.stride, count)
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
        wide = [extended(band, plan.extend, axis) for band in bands]
        values = [
            tap_values(scaled_taps(taps, plan.factor), band, xp)
            for band, taps in zip(bands, filters, strict=True)
        ]
        count = plan.n_out + len(plan.fold.left) + len(plan.fold.right)
        phases = []
        for offset in range(plan.stride):
            # Outputs at this offset, and multiples of the stride from it, use the same taps.
            number = (count + plan.stride - 1 - offset) // plan.stride
            used = _taps_at(plan, offset - len(plan.fold.left))
            parts = [
                total(taps[j] * slice_along(band, axis, at, 1, number) for j, at in used)
                for band, taps in zip(wide, values, strict=True)
                if used
            ]
            phases.append(total(parts) if used else _zeros(wide[0], axis, number, xp))
        return folded(merged(phases, axis, xp), plan.fold, axis, xp)

    def tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """``G[j] = sum_k x[stride k + phase - dilation j] * y[k]``, both extended."""
        xp = array_namespace(x, *cotangents)
        wide = extended(x, plan.extend, axis)
        first, count = _first_tap(plan)
        gradients = []
        for cotangent in cotangents:
            wide_cotangent = extended(cotangent, plan.fold, axis)
            sums = [
                inner(
                    slice_along(wide, axis, first - plan.dilation * j, plan.stride, count),
                    wide_cotangent,
                )
                for j in range(plan.length)
            ]
            gradients.append(xp.stack(sums))
        return gradients if plan.factor == 1.0 else [plan.factor * each for each in gradients]


def _first_tap(plan: FilterPlan) -> tuple[int, int]:
    """The start of an analysis' first tap in its extended input, and the number of outputs."""
    before, after = len(plan.fold.left), len(plan.fold.right)
    first = plan.phase + len(plan.extend.left) - plan.stride * before
    return first, plan.n_out + before + after


def _taps_at(plan: FilterPlan, output: int) -> list[tuple[int, int]]:
    """The taps that an output of a synthesis uses, and the coefficients in the extended bands."""
    places = [(j, output + plan.phase - plan.dilation * j) for j in range(plan.length)]
    before = len(plan.extend.left)
    return [(j, at // plan.stride + before) for j, at in places if at % plan.stride == 0]


def _zeros(like: Array, axis: int, count: int, xp: Namespace) -> Array:
    return zeros(with_length(tuple(like.shape), axis, count), like, xp)
