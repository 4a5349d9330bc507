"""Pooling over windows by the CUDA kernels: kernel arguments and results.

Each plane is weighed separately. The reference kernels handle vectors along channels, interpolated
pooled values and unsupported windows, in the computation dtype.
"""

from __future__ import annotations

import ctypes

from array_api_compat import array_namespace

from liftwave._kernels.channels_first import channels_first, maxima_of_channels_first
from liftwave._kernels.cuda.common.memory import COMPUTED, ITEMSIZE
from liftwave._kernels.cuda.common.runtime import Runtime, kernel
from liftwave._kernels.cuda.pooling.launch import Call, grouped
from liftwave._kernels.cuda.pooling.structures import (
    GatherArguments,
    Items,
    LargestArguments,
    PlacedArguments,
    PoolArguments,
    SpreadArguments,
)
from liftwave._kernels.cuda.pooling.windows import KINDS, MOST_AXES, serves_windows
from liftwave._kernels.pooling_contract import PoolingArguments, PoolingKernels
from liftwave._plan.windows import WindowPlan
from liftwave._typing import Array

_POOL_VJP, _UNPOOL, _UNPOOL_VJP = range(3)  # ``Task`` of ``pooling/spread.cuh``


class CudaPooling:
    """Pooling over windows.

    Parameters
    ----------
    runtime : Runtime
        Runs the kernels and allocates results.
    fallback : PoolingKernels
        Handles what these kernels do not support.
    """

    def __init__(self, runtime: Runtime, fallback: PoolingKernels) -> None:
        self._runtime = runtime
        self._fallback = fallback

    def pool(
        self,
        x: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> Array:
        """The weighted sum of each region: (planes, *outputs)."""
        if _has_too_many_axes(arguments):
            return channels_first(self.pool, (x,), arguments, beta)
        if not _serves(arguments, x, by_sample=False):
            return self._fallback.pool(x, arguments, beta)
        plan, kind = arguments.plan, KINDS[arguments.weights]
        call = Call(x, plan, "pool", self._runtime)
        result = call.empty(plan.outputs)
        wide = call.side_by_side(x)

        def structure(first: int, items: Items) -> ctypes.Structure:
            pooling = call.pooling(first, items, kind, beta, arguments.delta)
            return PoolArguments(pooling, call.planes(result, first))

        compiled = kernel(
            "pooling/pool.cuh", "pool_windows", call.dtype, kind.family, *call.held(wide)
        )
        call.run(compiled, grouped(call.windows.outputs, wide), structure)
        return result

    def pool_vjp(
        self,
        x: Array,
        cotangent: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> tuple[Array, Array | None]:
        """The cotangents of ``x`` and ``beta``."""
        if _has_too_many_axes(arguments):
            return channels_first(self.pool_vjp, (x, cotangent), arguments, beta)
        if not _serves(arguments, x):
            return self._fallback.pool_vjp(x, cotangent, arguments, beta)
        call = Call(x, arguments.plan, "pool_vjp", self._runtime)
        of_x, _, of_beta = _spread(call, _POOL_VJP, arguments, cotangent, None, beta)
        return of_x, of_beta

    def unpool(
        self,
        x: Array,
        pooled: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> Array:
        """Pooled values spread over the samples of their regions by the weights of ``x``."""
        if _has_too_many_axes(arguments):
            return channels_first(self.unpool, (x, pooled), arguments, beta)
        if not _serves(arguments, x):
            return self._fallback.unpool(x, pooled, arguments, beta)
        call = Call(x, arguments.plan, "unpool", self._runtime)
        return _spread(call, _UNPOOL, arguments, pooled, None, beta)[0]

    def unpool_vjp(
        self,
        x: Array,
        pooled: Array,
        cotangent: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> tuple[Array, Array, Array | None]:
        """The cotangents of ``x``, ``pooled`` and ``beta``."""
        if _has_too_many_axes(arguments):
            return channels_first(self.unpool_vjp, (x, pooled, cotangent), arguments, beta)
        if not _serves(arguments, x):
            return self._fallback.unpool_vjp(x, pooled, cotangent, arguments, beta)
        call = Call(x, arguments.plan, "unpool_vjp", self._runtime)
        return _spread(call, _UNPOOL_VJP, arguments, pooled, cotangent, beta)

    def max_pool(
        self, x: Array, plan: WindowPlan, channels_last: bool = False
    ) -> tuple[Array, Array]:
        """The largest sample of each region, and its place, flat within a plane."""
        if channels_last and plan.ndim > MOST_AXES:
            return maxima_of_channels_first(self.max_pool, (x,), plan)
        if not serves_windows(x, plan):
            return self._fallback.max_pool(x, plan, channels_last)
        call = Call(x, plan, "max_pool", self._runtime)
        result, places = call.empty(plan.outputs), call.empty(plan.outputs, "int64")
        wide, channels = call.side_by_side(x), plan.inputs[-1] if channels_last else 1

        def arguments(first: int, items: Items) -> ctypes.Structure:
            planes = (call.planes(array, first) for array in (x, result, places))
            return LargestArguments(*planes, call.axes, items, channels)

        compiled = kernel("pooling/largest.cuh", "largest_windows", call.dtype, *call.held(wide))
        call.run(compiled, grouped(call.windows.outputs, wide), arguments)
        return result, places

    def max_pool_vjp(
        self, cotangent: Array, indices: Array, plan: WindowPlan, channels_last: bool = False
    ) -> Array:
        """Cotangents added at the places from :meth:`max_pool`."""
        if channels_last and plan.ndim > MOST_AXES:
            return maxima_of_channels_first(self.max_pool_vjp, (cotangent, indices), plan)
        if not serves_windows(cotangent, plan):
            return self._fallback.max_pool_vjp(cotangent, indices, plan, channels_last)
        xp = array_namespace(indices)
        places = indices if indices.dtype == xp.int64 else xp.astype(indices, xp.int64)
        call = Call(cotangent, plan, "max_pool_vjp", self._runtime)
        result, channels = call.empty(plan.inputs), plan.inputs[-1] if channels_last else 1

        def arguments(first: int, items: Items) -> ctypes.Structure:
            planes = (call.planes(array, first) for array in (cotangent, places, result))
            return PlacedArguments(*planes, call.axes, items, channels)

        compiled = kernel("pooling/largest.cuh", "placed_samples", call.dtype)
        call.run(compiled, call.windows.inputs, arguments)
        return result


def _has_too_many_axes(arguments: PoolingArguments) -> bool:
    """Whether kernels read copies with the channels first: they have three axes at most."""
    return arguments.channels_last and arguments.plan.ndim > MOST_AXES


def _serves(arguments: PoolingArguments, x: Array, *, by_sample: bool = True) -> bool:
    """Whether kernels support this pooling of ``x``, with results by sample or by window."""
    if arguments.channels > 1 or arguments.up != "nearest" or arguments.weights not in KINDS:
        return False
    return serves_windows(x, arguments.plan, arguments.weights if by_sample else None)


# --- results by sample ---------------------------------------------------------------------------


def _spread(
    call: Call,
    task: int,
    arguments: PoolingArguments,
    by_window: Array,
    by_sample: Array | None,
    beta: Array | None,
) -> tuple[Array, Array, Array | None]:
    """The result by sample, the cotangents of pooled values (if any), and of beta."""
    kind, windows = KINDS[arguments.weights], call.windows
    mean = task != _POOL_VJP and arguments.preserve == "mean"
    result = call.empty(windows.plan.inputs)
    of_windows = call.empty(windows.plan.outputs) if task == _UNPOOL_VJP else None
    of_betas = None
    if beta is not None and task != _UNPOOL:
        of_betas = call.empty(windows.plan.outputs, COMPUTED[call.dtype])
    tiling = windows.tiling(kind.numbers * ITEMSIZE[COMPUTED[call.dtype]])

    def structure(first: int, items: Items) -> ctypes.Structure:
        arrays = (by_window, by_sample, result, of_windows, of_betas)
        pooling = call.pooling(first, items, kind, beta, arguments.delta)
        planes = (call.planes(array, first) for array in arrays)
        spread = SpreadArguments(pooling, *planes, mean, 0)
        return spread if tiling is None else GatherArguments(spread, *tiling.fields())

    parameters = (call.dtype, kind.family, task)
    if tiling is None:
        wide = call.side_by_side(call.x, by_sample)
        compiled = kernel("pooling/spread.cuh", "spread_windows", *parameters, *call.held(wide))
        call.run(compiled, grouped(windows.covering, wide), structure)
    else:
        compiled = kernel("pooling/gather.cuh", "gather_samples", *parameters, *windows.held)
        call.run(compiled, tiling.tiles, structure, tiling)
    return result, of_windows, _of_beta(of_betas, beta)


def _of_beta(of_windows: Array | None, beta: Array | None) -> Array | None:
    """The gradient of beta: the sums over all windows and planes that share a value."""
    if of_windows is None or beta is None:
        return None
    xp, shape = array_namespace(beta), tuple(beta.shape)
    gradient = xp.reshape(of_windows, (-1, shape[0], *of_windows.shape[1:]))
    single = (k + 1 for k in range(1, len(shape)) if shape[k] == 1)
    axes = tuple(k for k in (0, *single) if gradient.shape[k] != 1)
    if axes:
        gradient = xp.sum(gradient, axis=axes, dtype=xp.float64, keepdims=True)
    return xp.reshape(xp.astype(gradient, beta.dtype), shape)
