"""Filters without downsampling for arrays on devices: the fallback computes them."""

from __future__ import annotations

from collections.abc import Sequence

from liftwave._kernels.cuda.common.runtime import CudaPart
from liftwave._plan.circular import CircularPlan
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps


class CudaCircular(CudaPart):
    """Filters without downsampling along a periodic axis."""

    def circular_analysis(
        self, x: Array, filters: Sequence[Taps], plan: CircularPlan, axis: int
    ) -> list[Array]:
        """``y[k] = sum_j f[j] * x[(k + first - dilation j) mod n]`` for each filter ``f``."""
        return self._fallback.circular_analysis(x, filters, plan, axis)

    def circular_synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: CircularPlan, axis: int
    ) -> Array:
        """The same sum with a filter for each band, summed over the bands."""
        return self._fallback.circular_synthesis(bands, filters, plan, axis)

    def circular_tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: CircularPlan, axis: int
    ) -> list[Array]:
        """``G[j] = sum_k x[(k + first - dilation j) mod n] * y[k]`` for each cotangent ``y``."""
        return self._fallback.circular_tap_gradients(x, cotangents, plan, axis)
