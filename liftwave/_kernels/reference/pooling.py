"""Pooling over windows, in array-API code for any library: the truth of compiled kernels.

Derivatives need the inputs only: regions are gathered again. The functions are those of
:class:`~liftwave._kernels.contract.PoolingKernels`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._kernels.contract import WeightedPool
from liftwave._kernels.reference.pooling_weights import Weighting, weighting
from liftwave._kernels.reference.regions import (
    Regions,
    apart,
    flat_indices,
    folded,
    gathered,
    interpolated,
    interpolated_back,
    regions,
    together,
)
from liftwave._plan.windows import WindowPlan
from liftwave._typing import Array


class ReferencePooling:
    """Pooling over windows."""

    def pool(
        self,
        x: Array,
        arguments: WeightedPool,
        beta: Array | None = None,
    ) -> Array:
        """The weighted sum of each region: (planes, *outputs)."""
        plan = arguments.plan
        region, weigh = _weighted(x, arguments, beta)
        return _planes(together(region.total(weigh.weights * region.samples), plan))

    def pool_vjp(
        self,
        x: Array,
        cotangent: Array,
        arguments: WeightedPool,
        beta: Array | None = None,
    ) -> tuple[Array, Array | None]:
        """The cotangents of ``x`` and ``beta``."""
        plan, channels = arguments.plan, arguments.channels
        region, weigh = _weighted(x, arguments, beta)
        w, g = weigh.weights, apart(_grouped(cotangent, channels), plan)
        # The derivative in the weights does not see a constant, and loses digits to a large one.
        centred = region.only(region.samples - region.total(w * region.samples))
        back = folded(region.only(g * w) + weigh.pull(g * centred), plan)
        return _planes(back), _of_beta(region, weigh, g * centred, beta, plan)

    def unpool(
        self,
        x: Array,
        pooled: Array,
        arguments: WeightedPool,
        beta: Array | None = None,
    ) -> Array:
        """Pooled values spread over the samples of their regions by the weights of ``x``."""
        plan, channels = arguments.plan, arguments.channels
        region, weigh = _weighted(x, arguments, beta)
        w = _kept(region, weigh.weights, arguments.preserve)
        values = _grouped(pooled, channels)
        if arguments.up == "linear":
            return _planes(folded(w, plan) * interpolated(values, plan))
        return _planes(folded(w * apart(values, plan), plan))

    def unpool_vjp(
        self,
        x: Array,
        pooled: Array,
        cotangent: Array,
        arguments: WeightedPool,
        beta: Array | None = None,
    ) -> tuple[Array, Array, Array | None]:
        """The cotangents of ``x``, ``pooled`` and ``beta``."""
        plan, channels = arguments.plan, arguments.channels
        region, weigh = _weighted(x, arguments, beta)
        w = _kept(region, weigh.weights, arguments.preserve)
        values, g = _grouped(pooled, channels), _grouped(cotangent, channels)
        if arguments.up == "linear":
            of_pooled = interpolated_back(g * folded(w, plan), plan)
            of_weights = gathered(g * interpolated(values, plan), plan)
        else:
            spread = region.only(gathered(g, plan))
            of_pooled = together(region.total(w * spread), plan)
            of_weights = spread * apart(values, plan)
        of_weights = _kept(region, region.only(of_weights), arguments.preserve)
        of_x = folded(weigh.pull(of_weights), plan)
        of_beta = _of_beta(region, weigh, of_weights, beta, plan)
        return _planes(of_x), _planes(of_pooled), of_beta

    def max_pool(self, x: Array, plan: WindowPlan) -> tuple[Array, Array]:
        """The largest sample of each region, and where it is, flat within a plane."""
        xp = array_namespace(x)
        region = regions(x, plan)
        top = region.largest(region.samples)
        reached = (region.samples == top) | xp.isnan(region.samples)
        if region.present is not None:
            reached = reached & region.present
        where = _flat_places(plan, x)
        beyond = xp.full_like(where, int(np.prod(plan.inputs)))
        first = xp.min(xp.where(reached, where, beyond), axis=region.places, keepdims=True)
        places = together(first, plan)
        # Taken from there, the samples have the derivative of the first of several largest ones.
        flat = flat_indices(places, int(np.prod(plan.inputs)), x.shape[0])
        return xp.reshape(xp.take(xp.reshape(x, (-1,)), flat, axis=0), places.shape), places

    def max_pool_vjp(self, cotangent: Array, indices: Array, plan: WindowPlan) -> Array:
        """Cotangents added at the places that :meth:`max_pool` gave."""
        xp = array_namespace(cotangent)
        reached = _flat_places(plan, cotangent) == apart(indices, plan)
        g = apart(cotangent, plan)
        spread = xp.where(reached, g, xp.zeros_like(g))
        return folded(spread, plan)


def _flat_places(plan: WindowPlan, like: Array) -> Array:
    """The flat index of the sample at each place, and -1 where there is none."""
    shape = tuple(plan.inputs)
    xp = array_namespace(like)
    flat = np.arange(np.prod(shape)).reshape(shape)
    places = gathered(flat, plan)
    region = regions(np.ones(shape), plan)
    if region.present is not None:
        places = np.where(region.present, places, -1)
    return xp.asarray(places, device=device(like))


# --- groups of channels ----------------------------------------------------------------------


def _weighted(x: Array, arguments: WeightedPool, beta: Array | None) -> tuple[Regions, Weighting]:
    plan, channels = arguments.plan, arguments.channels
    region = regions(_grouped(x, channels), plan)
    if beta is not None:
        xp = array_namespace(beta)
        repeated = (x.shape[0] // beta.shape[0], *beta.shape)
        planes = (x.shape[0], *beta.shape[1:])
        beta = xp.reshape(xp.broadcast_to(beta[None, ...], repeated), planes)
        beta = apart(_grouped(beta, channels), plan)
    return region, weighting(region, arguments.weights, beta, arguments.delta)


def _of_beta(
    region: Regions, weigh: Weighting, of_weights: Array, beta: Array | None, plan: WindowPlan
) -> Array | None:
    """The cotangent of ``beta`` from that of the weights: a sum where it was repeated."""
    if beta is None:
        return None
    xp = array_namespace(beta)
    found = _planes(together(region.total(weigh.contrast * of_weights), plan))
    rows = beta.shape[0]
    found = xp.reshape(found, (found.shape[0] // rows, rows, *found.shape[1:]))
    found = xp.sum(found, axis=0)
    single = tuple(k for k in range(1, beta.ndim) if beta.shape[k] == 1 < found.shape[k])
    return xp.sum(found, axis=single, keepdims=True) if single else found


def _kept(region: Regions, weights: Array, preserve: str) -> Array:
    """What multiplies pooled values: the weights, or these times the sizes of regions."""
    return weights if preserve == "sum" else weights / region.share


def _grouped(x: Array, channels: int) -> Array:
    """(planes, …) as (groups, channels, …)."""
    shape = (x.shape[0] // channels, channels, *x.shape[1:])
    return array_namespace(x).reshape(x, shape)


def _planes(x: Array) -> Any:
    """(groups, channels, …) as (planes, …)."""
    return array_namespace(x).reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))
