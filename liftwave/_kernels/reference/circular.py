"""Filters without downsampling along a periodic axis, by the reference kernels."""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace

from liftwave._kernels.reference.pieces import inner, tap_values, total
from liftwave._plan.circular import CircularPlan
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps


class ReferenceCircular:
    """Filters without downsampling along a periodic axis."""

    def circular_analysis(
        self, x: Array, filters: Sequence[Taps], plan: CircularPlan, axis: int
    ) -> list[Array]:
        """``y[k] = sum_j f[j] * x[(k + first - dilation j) mod n]`` for each filter ``f``."""
        return [self.circular_synthesis([x], [taps], plan, axis) for taps in filters]

    def circular_synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: CircularPlan, axis: int
    ) -> Array:
        """The same sum with a filter for each band, summed over the bands."""
        xp = array_namespace(*bands)
        taps = [tap_values(plan.scaled(f), x, xp) for f, x in zip(filters, bands, strict=True)]
        return total(
            tap * xp.roll(x, -offset, axis=axis)
            for x, values in zip(bands, taps, strict=True)
            for tap, offset in zip(values, plan.offsets, strict=True)
        )

    def circular_tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: CircularPlan, axis: int
    ) -> list[Array]:
        """``G[j] = sum_k x[(k + first - dilation j) mod n] * y[k]`` for each cotangent ``y``."""
        xp = array_namespace(x, *cotangents)
        sums = [
            xp.stack([inner(xp.roll(x, -offset, axis=axis), y) for offset in plan.offsets])
            for y in cotangents
        ]
        return [plan.factor * each for each in sums]
