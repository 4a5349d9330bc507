"""Pooling over windows by the compiled kernels: plans as the module's own, and results.

The module weighs each plane on its own. Vectors along channels, and pooled
values that are interpolated, are left to the reference kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

import numpy as np

import liftwave._cpu as _cpu
from liftwave._kernels.contract import PoolingKernels, WeightedPool
from liftwave._kernels.cpu.memory import empty, like, memory
from liftwave._plan.windows import WindowPlan
from liftwave._typing import Array

T = TypeVar("T")

_WEIGHTS: dict[str, int] = {
    "softmax": 0,
    "dice": 1,
    "exp-dice": 2,
    # Of vectors with one component these distances are the same, or in proportion to it.
    "idw-l1": 3,
    "idw-l2": 3,
    "idw-chebyshev": 3,
    "idw-gower": 3,
    "idw-huber": 4,
    "cosine": 5,
    "exp-cosine": 6,
    "pce": 7,
    "exp-pce": 8,
    "ada": 9,
}
"""The numbers of ``Weights`` in ``backends/cpu/include/liftwave/pooling.hpp``."""


class CpuPooling:
    """Pooling over windows.

    Parameters
    ----------
    fallback : PoolingKernels
        Serves vectors along channels and interpolated values.
    """

    def __init__(self, fallback: PoolingKernels) -> None:
        self._fallback = fallback

    def pool(
        self,
        x: Array,
        arguments: WeightedPool,
        beta: Array | None = None,
    ) -> Array:
        """The weighted sum of each region: (planes, *outputs)."""
        if not _is_served(arguments):
            return _on_memory(self._fallback.pool, (x,), arguments, beta)
        found = _result(x, arguments.plan.outputs)
        _run(_module(arguments).pool, (x, beta), found)
        return like(x, found)

    def pool_vjp(
        self,
        x: Array,
        cotangent: Array,
        arguments: WeightedPool,
        beta: Array | None = None,
    ) -> tuple[Array, Array | None]:
        """The cotangents of ``x`` and ``beta``."""
        if not _is_served(arguments):
            return _on_memory(self._fallback.pool_vjp, (x, cotangent), arguments, beta)
        plan = arguments.plan
        of_x, of_beta = _result(x, plan.inputs), _of_windows(x, beta, plan)
        _run(_module(arguments).pool_vjp, (x, beta, cotangent), of_x, of_beta)
        return like(x, of_x), _of_beta(of_beta, beta)

    def unpool(
        self,
        x: Array,
        pooled: Array,
        arguments: WeightedPool,
        beta: Array | None = None,
    ) -> Array:
        """Pooled values spread over the samples of their regions by the weights of ``x``."""
        if not _is_served(arguments):
            return _on_memory(self._fallback.unpool, (x, pooled), arguments, beta)
        found = _result(x, arguments.plan.inputs)
        _run(_module(arguments).unpool, (x, beta, pooled), found)
        return like(x, found)

    def unpool_vjp(
        self,
        x: Array,
        pooled: Array,
        cotangent: Array,
        arguments: WeightedPool,
        beta: Array | None = None,
    ) -> tuple[Array, Array, Array | None]:
        """The cotangents of ``x``, ``pooled`` and ``beta``."""
        if not _is_served(arguments):
            return _on_memory(self._fallback.unpool_vjp, (x, pooled, cotangent), arguments, beta)
        plan = arguments.plan
        of_x, of_pooled = _result(x, plan.inputs), _result(x, plan.outputs)
        of_beta = _of_windows(x, beta, plan)
        _run(_module(arguments).unpool_vjp, (x, beta, pooled, cotangent), of_x, of_pooled, of_beta)
        return like(x, of_x), like(x, of_pooled), _of_beta(of_beta, beta)

    def max_pool(self, x: Array, plan: WindowPlan) -> tuple[Array, Array]:
        """The largest sample of each region, and where it is, flat within a plane."""
        found, places = _result(x, plan.outputs), _result(x, plan.outputs, np.int64)
        _run(_module(WeightedPool(plan, "softmax")).max_pool, (x,), found, places)
        return like(x, found), like(x, places)

    def max_pool_vjp(self, cotangent: Array, indices: Array, plan: WindowPlan) -> Array:
        """Cotangents added at the places that :meth:`max_pool` gave."""
        found = _result(cotangent, plan.inputs)
        if found.size:
            g = np.ascontiguousarray(memory(cotangent))
            places = np.ascontiguousarray(memory(indices), np.int64)
            _cpu.add_to_places(g, places, found, len(found))
        return like(cotangent, found)


# --- the module ------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _module(arguments: WeightedPool) -> _cpu.Pooling:
    axes, weights = list(zip(*arguments.plan, strict=True)), _WEIGHTS[arguments.weights]
    return _cpu.Pooling(axes, weights, arguments.delta, arguments.preserve == "mean")


def _is_served(arguments: WeightedPool) -> bool:
    """Whether the module does this: it has neither vectors along channels nor interpolation."""
    return arguments.channels == 1 and arguments.up == "nearest"


def _on_memory(
    function: Callable[..., T],
    arrays: tuple[Array, ...],
    arguments: WeightedPool,
    beta: Array | None,
) -> T:
    """The results of reference kernels on NumPy arrays, which are the same for tensors."""
    results: Any = function(*map(memory, arrays), arguments, None if beta is None else memory(beta))
    if isinstance(results, tuple):
        return cast(T, tuple(None if y is None else like(arrays[0], y) for y in results))
    return cast(T, like(arrays[0], results))


def _run(function: Callable[..., bool], given: tuple[Array | None, ...], *results: Any) -> None:
    """Run a function of the module; numbers that are not aligned are copied first."""
    arrays = [None if x is None else memory(x) for x in given]
    if not function(*arrays, *results):
        function(*(None if x is None else x.copy() for x in arrays), *results)


def _result(x: Array, sizes: tuple[int, ...], dtype: Any = None) -> Any:
    """Memory for one number per sample, or per window, of each plane."""
    return empty((x.shape[0], *sizes), dtype or memory(x).dtype)


def _of_windows(x: Array, beta: Array | None, plan: WindowPlan) -> Any:
    return None if beta is None else _result(x, plan.outputs)


def _of_beta(of_windows: Any, beta: Array | None) -> Array | None:
    """Summed over the windows, and the planes, that share a beta."""
    if beta is None:
        return None
    shape = tuple(beta.shape)
    found = of_windows.reshape((-1, shape[0], *of_windows.shape[1:]))
    single = (k + 1 for k in range(1, len(shape)) if shape[k] == 1)
    axes = tuple(k for k in (0, *single) if found.shape[k] != 1)
    if axes:
        found = np.sum(found, axis=axes, dtype=np.float64, keepdims=True).astype(found.dtype)
    return like(beta, found.reshape(shape))
