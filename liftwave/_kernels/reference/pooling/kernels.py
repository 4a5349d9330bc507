"""Pooling over windows, in array-API code for any library: compiled kernels are tested against it.

Derivatives need only the inputs: they gather the regions again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._kernels.channels_first import maxima_of_channels_first
from liftwave._kernels.pooling_contract import PoolingArguments
from liftwave._kernels.reference.pooling.regions import (
    Regions,
    flat_indices,
    folded,
    from_windows,
    gathered,
    interpolated,
    interpolated_back,
    regions,
    to_windows,
)
from liftwave._kernels.reference.pooling.weights import Weighting, weighting
from liftwave._plan.windows import WindowPlan
from liftwave._typing import Array


class ReferencePooling:
    """Pooling over windows."""

    def pool(
        self,
        x: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> Array:
        """The weighted sum of each region: (planes, *outputs)."""
        plan = arguments.plan
        region, weigh = _weighted(x, arguments, beta)
        return _planes(from_windows(weigh.mean(region.samples), plan))

    def weights(
        self,
        x: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> Array:
        """The weights of all samples: (planes, *outputs, *kernel); zero outside of the signal."""
        region, weigh = _weighted(x, arguments, beta)
        xp, ndim = array_namespace(x), arguments.plan.ndim
        weights = _planes(xp.broadcast_to(weigh.weights, region.samples.shape))
        windows = range(1, 1 + 2 * ndim, 2)
        return xp.permute_dims(weights, (0, *windows, *(axis + 1 for axis in windows)))

    def pool_vjp(
        self,
        x: Array,
        cotangent: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> tuple[Array, Array | None]:
        """The cotangents of ``x`` and ``beta``."""
        plan, channels = arguments.plan, arguments.channels
        region, weigh = _weighted(x, arguments, beta)
        w, g = weigh.weights, to_windows(_grouped(cotangent, channels), plan)
        # Constants do not change the derivative of the weights, but large ones cost digits.
        centred = region.mask(region.samples - region.total(w * region.samples))
        back = folded(region.mask(g * w) + weigh.pull(g * centred), plan)
        return _planes(back), _of_beta(region, weigh, g * centred, beta, plan)

    def unpool(
        self,
        x: Array,
        pooled: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> Array:
        """Pooled values spread over the samples of their regions by the weights of ``x``."""
        plan, channels = arguments.plan, arguments.channels
        region, weigh = _weighted(x, arguments, beta)
        w = _factors(region, weigh.weights, arguments.preserve)
        values = _grouped(pooled, channels)
        if arguments.up == "linear":
            return _planes(folded(w, plan) * interpolated(values, plan))
        return _planes(folded(w * to_windows(values, plan), plan))

    def unpool_vjp(
        self,
        x: Array,
        pooled: Array,
        cotangent: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> tuple[Array, Array, Array | None]:
        """The cotangents of ``x``, ``pooled`` and ``beta``."""
        plan, channels = arguments.plan, arguments.channels
        region, weigh = _weighted(x, arguments, beta)
        w = _factors(region, weigh.weights, arguments.preserve)
        values, g = _grouped(pooled, channels), _grouped(cotangent, channels)
        if arguments.up == "linear":
            of_pooled = interpolated_back(g * folded(w, plan), plan)
            of_weights = gathered(g * interpolated(values, plan), plan)
        else:
            spread = region.mask(gathered(g, plan))
            of_pooled = from_windows(region.total(w * spread), plan)
            of_weights = spread * to_windows(values, plan)
        of_weights = _factors(region, region.mask(of_weights), arguments.preserve)
        of_x = folded(weigh.pull(of_weights), plan)
        of_beta = _of_beta(region, weigh, of_weights, beta, plan)
        return _planes(of_x), _planes(of_pooled), of_beta

    def max_pool(
        self, x: Array, plan: WindowPlan, channels_last: bool = False
    ) -> tuple[Array, Array]:
        """The largest sample of each region, and its place, flat within a plane."""
        if channels_last:
            return maxima_of_channels_first(self.max_pool, (x,), plan)
        xp = array_namespace(x)
        region = regions(x, plan)
        top = region.largest(region.samples)
        is_largest = (region.samples == top) | xp.isnan(region.samples)
        if region.present is not None:
            is_largest = is_largest & region.present
        samples = _flat_samples(plan, x)
        sentinel = xp.full_like(samples, int(np.prod(plan.inputs)))
        first = xp.min(
            xp.where(is_largest, samples, sentinel), axis=region.place_axes, keepdims=True
        )
        places = from_windows(first, plan)
        # The values are read at these places, so that the derivative goes to the first maximum.
        flat = flat_indices(places, int(np.prod(plan.inputs)), x.shape[0])
        return xp.reshape(xp.take(xp.reshape(x, (-1,)), flat, axis=0), places.shape), places

    def max_pool_vjp(
        self, cotangent: Array, indices: Array, plan: WindowPlan, channels_last: bool = False
    ) -> Array:
        """Cotangents added at the places from :meth:`max_pool`."""
        if channels_last:
            return maxima_of_channels_first(self.max_pool_vjp, (cotangent, indices), plan)
        xp = array_namespace(cotangent)
        is_largest = _flat_samples(plan, cotangent) == to_windows(indices, plan)
        g = to_windows(cotangent, plan)
        spread = xp.where(is_largest, g, xp.zeros_like(g))
        return folded(spread, plan)


def _flat_samples(plan: WindowPlan, like: Array) -> Array:
    """The flat index of the sample at each place; -1 outside of the signal."""
    shape = tuple(plan.inputs)
    xp = array_namespace(like)
    samples = gathered(np.arange(np.prod(shape)).reshape(shape), plan)
    region = regions(np.ones(shape), plan)
    if region.present is not None:
        samples = np.where(region.present, samples, -1)
    return xp.asarray(samples, device=device(like))


# --- groups of channels ----------------------------------------------------------------------


def _weighted(
    x: Array, arguments: PoolingArguments, beta: Array | None
) -> tuple[Regions, Weighting]:
    plan, channels = arguments.plan, arguments.channels
    region = regions(_grouped(x, channels), plan)
    if beta is not None:
        xp = array_namespace(beta)
        shape = (x.shape[0] // beta.shape[0], *beta.shape)
        planes = (x.shape[0], *beta.shape[1:])
        beta = xp.reshape(xp.broadcast_to(beta[None, ...], shape), planes)
        beta = to_windows(_grouped(beta, channels), plan)
    return region, weighting(region, arguments.weights, beta, arguments.delta)


def _of_beta(
    region: Regions, weigh: Weighting, of_weights: Array, beta: Array | None, plan: WindowPlan
) -> Array | None:
    """The cotangent of ``beta`` from that of the weights, summed where ``beta`` was repeated."""
    if beta is None:
        return None
    xp = array_namespace(beta)
    gradient = _planes(from_windows(region.total(weigh.contrast * of_weights), plan))
    rows = beta.shape[0]
    gradient = xp.reshape(gradient, (gradient.shape[0] // rows, rows, *gradient.shape[1:]))
    gradient = xp.sum(gradient, axis=0)
    single = tuple(k for k in range(1, beta.ndim) if beta.shape[k] == 1 < gradient.shape[k])
    return xp.sum(gradient, axis=single, keepdims=True) if single else gradient


def _factors(region: Regions, weights: Array, preserve: str) -> Array:
    """The factors of pooled values: the weights, or the weights times the sizes of regions."""
    return weights if preserve == "sum" else weights / region.share


def _grouped(x: Array, channels: int) -> Array:
    """(planes, …) as (groups, channels, …)."""
    shape = (x.shape[0] // channels, channels, *x.shape[1:])
    return array_namespace(x).reshape(x, shape)


def _planes(x: Array) -> Any:
    """(groups, channels, …) as (planes, …)."""
    return array_namespace(x).reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))
