"""Filters without downsampling along a periodic axis, by the reference kernels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
        order = range(plan.length)
        return [_sum(x, taps, order, plan, axis) for taps in filters]

    def circular_synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: CircularPlan, axis: int
    ) -> Array:
        """The same sum with a filter for each band, summed over the bands.

        Each sum goes from both ends of the filter to its middle. The taps there are the largest, so
        this loses less accuracy than a sum from one end to the other.
        """
        half = plan.length // 2
        orders = range(half), range(plan.length - 1, half - 1, -1)
        return total(
            total(_sum(x, taps, order, plan, axis) for order in orders)
            for x, taps in zip(bands, filters, strict=True)
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


def _sum(x: Array, taps: Taps, order: Iterable[int], plan: CircularPlan, axis: int) -> Array:
    """The sum over the taps in this order."""
    xp, offsets = array_namespace(x), plan.offsets
    values = tap_values(plan.scaled(taps), x, xp)
    return total(values[j] * xp.roll(x, -offsets[j], axis=axis) for j in order)
