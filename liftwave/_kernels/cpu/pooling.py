"""Pooling over windows by the compiled kernels, and native window plans.

The module weighs each plane separately. The fallback handles vectors along channels and
interpolated pooled values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

import numpy as np

import liftwave._cpu as _cpu
from liftwave._kernels.channels_first import channels_first, maxima_of_channels_first
from liftwave._kernels.cpu.memory import empty, like, memory, with_copies
from liftwave._kernels.pooling_contract import PoolingArguments, PoolingKernels
from liftwave._plan.windows import WindowPlan
from liftwave._typing import Array

T = TypeVar("T")

_WEIGHTS: dict[str, int] = {
    "softmax": 0,
    "dice": 1,
    "exp-dice": 2,
    # For vectors with one component, these distances are equal or proportional.
    "idw-l1": 3,
    "idw-l2": 3,
    "idw-chebyshev": 3,
    "idw-gower": 3,
    "idw-huber": 4,
    "ada": 5,
}
"""The numbers of ``Weights`` in ``backends/cpu/pooling/kernels.hpp``."""


class CpuPooling:
    """Pooling over windows.

    Parameters
    ----------
    fallback : PoolingKernels
        Handles vectors along channels and interpolated values.
    """

    def __init__(self, fallback: PoolingKernels) -> None:
        self._fallback = fallback

    def pool(self, x: Array, arguments: PoolingArguments, beta: Array | None = None) -> Array:
        """The weighted sum of each region: (planes, *outputs)."""
        if not _is_served(arguments):
            return _on_memory(self._fallback.pool, (x,), arguments, beta)
        if arguments.channels_last and arguments.plan.inputs[-1] < _FEWEST_CHANNELS:
            return channels_first(self.pool, (x,), arguments, beta)
        return like(x, with_copies(_native(arguments).pool, *_memories(x, beta)))

    def pool_vjp(
        self, x: Array, cotangent: Array, arguments: PoolingArguments, beta: Array | None = None
    ) -> tuple[Array, Array | None]:
        """The cotangents of ``x`` and ``beta``."""
        if not _is_served(arguments):
            return _on_memory(self._fallback.pool_vjp, (x, cotangent), arguments, beta)
        if not _reads_in_place(arguments, memory(x).itemsize):
            return channels_first(self.pool_vjp, (x, cotangent), arguments, beta)
        entry = _native(arguments).pool_vjp
        of_x, of_windows = with_copies(entry, *_memories(x, beta, cotangent))
        return like(x, of_x), _of_beta(of_windows, beta, arguments)

    def unpool(
        self, x: Array, pooled: Array, arguments: PoolingArguments, beta: Array | None = None
    ) -> Array:
        """Pooled values spread over the samples of their regions by the weights of ``x``."""
        if not _is_served(arguments):
            return _on_memory(self._fallback.unpool, (x, pooled), arguments, beta)
        if not _reads_in_place(arguments, memory(x).itemsize):
            return channels_first(self.unpool, (x, pooled), arguments, beta)
        return like(x, with_copies(_native(arguments).unpool, *_memories(x, beta, pooled)))

    def unpool_vjp(
        self,
        x: Array,
        pooled: Array,
        cotangent: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> tuple[Array, Array, Array | None]:
        """The cotangents of ``x``, ``pooled`` and ``beta``."""
        if not _is_served(arguments):
            return _on_memory(self._fallback.unpool_vjp, (x, pooled, cotangent), arguments, beta)
        if not _reads_in_place(arguments, memory(x).itemsize):
            return channels_first(self.unpool_vjp, (x, pooled, cotangent), arguments, beta)
        entry = _native(arguments).unpool_vjp
        of_x, of_pooled, of_windows = with_copies(entry, *_memories(x, beta, pooled, cotangent))
        return like(x, of_x), like(x, of_pooled), _of_beta(of_windows, beta, arguments)

    def max_pool(
        self, x: Array, plan: WindowPlan, channels_last: bool = False
    ) -> tuple[Array, Array]:
        """The largest sample of each region, and its place, flat within a plane."""
        if channels_last and plan.inputs[-1] < _FEWEST_CHANNELS:
            return maxima_of_channels_first(self.max_pool, (x,), plan)
        entry = _native(PoolingArguments(plan, "softmax", channels_last=channels_last)).max_pool
        values, places = with_copies(entry, memory(x))
        return like(x, values), like(x, places)

    def max_pool_vjp(
        self, cotangent: Array, indices: Array, plan: WindowPlan, channels_last: bool = False
    ) -> Array:
        """Cotangents added at the places from :meth:`max_pool`."""
        g = np.require(memory(cotangent), requirements=("C", "A"))
        result = empty((g.shape[0], *plan.inputs), g.dtype)
        if result.size:
            places = np.require(memory(indices), np.int64, ("C", "A"))
            channels = plan.inputs[-1] if channels_last else 1
            _cpu.add_to_places(g, places, result, len(result), channels)
        return like(cotangent, result)


# --- the module ------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _native(arguments: PoolingArguments) -> _cpu.Pooling:
    axes, weights = list(zip(*arguments.plan, strict=True)), _WEIGHTS[arguments.weights]
    average, last = arguments.preserve == "mean", arguments.channels_last
    return _cpu.Pooling(axes, weights, arguments.delta, average, empty, last)


def _is_served(arguments: PoolingArguments) -> bool:
    """Whether the module supports this: no vectors along channels, no interpolation.

    It does not support cosines and PCE either: for single numbers, these are mere signs.
    """
    is_nearest = arguments.up == "nearest"
    return arguments.channels == 1 and is_nearest and arguments.weights in _WEIGHTS


# Copies of fewer channels are faster: the lanes of a register would run over several windows.
_FEWEST_CHANNELS = 8

# Bytes of a tile, and of the fewest and most windows side by side in it (window_sweep.hpp).
_TILE_BYTES, _FEWEST_BYTES, _MOST_BYTES = 16 * 1024, 64, 1024


def _reads_in_place(arguments: PoolingArguments, itemsize: int) -> bool:
    """Whether results by sample are computed with the channels where they are.

    Sums over windows that share a sample have the order of channels first. With channels last this
    is so if one tile holds a row of windows of the channels first.
    """
    plan = arguments.plan
    if not arguments.channels_last:
        return True
    if plan.inputs[-1] < _FEWEST_CHANNELS:
        return False
    axes = zip(plan.outputs, plan.stride, plan.kernel, plan.dilation, strict=True)
    if not any(o > 1 and s < (k - 1) * d + 1 for o, s, k, d in axes):
        return True
    row = _TILE_BYTES // plan.size // _FEWEST_BYTES * _FEWEST_BYTES
    return plan.outputs[-2] * itemsize <= min(max(row, _FEWEST_BYTES), _MOST_BYTES)


def _on_memory(
    function: Callable[..., T],
    arrays: tuple[Array, ...],
    arguments: PoolingArguments,
    beta: Array | None,
) -> T:
    """The results of reference kernels on NumPy arrays, converted to the library of the arrays."""
    results: Any = function(*map(memory, arrays), arguments, None if beta is None else memory(beta))
    if isinstance(results, tuple):
        return cast(T, tuple(None if y is None else like(arrays[0], y) for y in results))
    return cast(T, like(arrays[0], results))


def _memories(x: Array, beta: Array | None, *arrays: Array) -> list[Any]:
    rows = None if beta is None else memory(beta)
    if rows is not None and rows.shape[-1] == memory(x).shape[-1]:
        rows = np.ascontiguousarray(rows)  # the channels are last, and beta's were moved there
    return [memory(x), rows, *map(memory, arrays)]


def _of_beta(of_windows: Any, beta: Array | None, arguments: PoolingArguments) -> Array | None:
    """The gradient of beta: the sums over all windows and planes that share a value."""
    if beta is None:
        return None
    shape = tuple(beta.shape)
    if not arguments.channels_last:
        return like(beta, _summed(of_windows, shape))
    # The order of the sums is that of channels first, so that results have the same bits.
    planes = np.ascontiguousarray(np.moveaxis(of_windows, -1, 1))
    planes = planes.reshape((-1, *planes.shape[2:]))
    gradient = _summed(planes, (*shape[-1:], *shape[1:-1]))
    return like(beta, np.moveaxis(gradient, 0, -1)[None])


def _summed(of_windows: Any, shape: tuple[int, ...]) -> Any:
    """Numbers of windows, summed over all that share a value of an array of this shape."""
    gradient = of_windows.reshape((-1, shape[0], *of_windows.shape[1:]))
    single = (k + 1 for k in range(1, len(shape)) if shape[k] == 1)
    axes = tuple(k for k in (0, *single) if gradient.shape[k] != 1)
    if axes:
        gradient = np.sum(gradient, axis=axes, dtype=np.float64, keepdims=True).astype(
            gradient.dtype
        )
    return gradient.reshape(shape)
