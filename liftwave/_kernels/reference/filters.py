"""Filter banks along one axis in array-API code."""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace

from liftwave._kernels.reference.pieces import (
    extended,
    folded,
    inner,
    merged,
    slice_along,
    tap_values,
    total,
)
from liftwave._plan.axis import FilterPlan
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps


class ReferenceFilters:
    """Filter banks along one axis."""

    def analysis(
        self, x: Array, filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """``y[k] = sum_j f[j] * x[2 k + phase - j]`` for each filter ``f``, the input extended."""
        xp = array_namespace(x)
        wide = extended(x, plan.extend, axis)
        first, count = _first_tap(plan)
        bands = []
        for taps in filters:
            terms = (
                tap * slice_along(wide, axis, first - j, 2, count)
                for j, tap in enumerate(tap_values(taps, x, xp))
            )
            bands.append(folded(total(terms), plan.fold, axis, xp))
        return bands

    def synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> Array:
        """``x[i] = sum_k y[k] * g[i + phase - 2 k]``, summed over the bands, each extended."""
        xp = array_namespace(*bands)
        wide = [extended(band, plan.extend, axis) for band in bands]
        start = -len(plan.fold.left)
        count = plan.n_out + len(plan.fold.left) + len(plan.fold.right)
        phases = []
        for parity in (0, 1):
            # Outputs start + parity, start + parity + 2, … use the taps of one parity only.
            used = (start + parity + plan.phase) % 2
            first = (start + parity + plan.phase - used) // 2 + len(plan.extend.left)
            parts = [
                total(
                    tap * slice_along(band, axis, first - q, 1, (count + 1 - parity) // 2)
                    for q, tap in enumerate(tap_values(taps, band, xp)[used::2])
                )
                for band, taps in zip(wide, filters, strict=True)
            ]
            phases.append(total(parts))
        return folded(merged(phases, axis, xp), plan.fold, axis, xp)

    def tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """``G[j] = sum_k x[2 k + phase - j] * y[k]`` for each cotangent ``y``, both extended."""
        xp = array_namespace(x, *cotangents)
        wide = extended(x, plan.extend, axis)
        first, count = _first_tap(plan)
        gradients = []
        for cotangent in cotangents:
            wide_cotangent = extended(cotangent, plan.fold, axis)
            sums = [
                inner(slice_along(wide, axis, first - j, 2, count), wide_cotangent)
                for j in range(plan.length)
            ]
            gradients.append(xp.stack(sums))
        return gradients


def _first_tap(plan: FilterPlan) -> tuple[int, int]:
    """The start of an analysis' first tap in its extended input, and the number of outputs."""
    before, after = len(plan.fold.left), len(plan.fold.right)
    return plan.phase + len(plan.extend.left) - 2 * before, plan.n_out + before + after
