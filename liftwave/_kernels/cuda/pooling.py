"""Pooling over windows by the CUDA kernels: kernel arguments and results.

Each plane is weighed separately. The reference kernels handle vectors along channels, interpolated
pooled values and unsupported windows, in the computation dtype.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, TypeAlias

from array_api_compat import array_namespace

from liftwave._kernels.contract import PoolingArguments, PoolingKernels, Weights
from liftwave._kernels.cuda.runtime import (
    COMPUTED,
    ITEMSIZE,
    Kernel,
    Memory,
    Runtime,
    kernel,
    memory_of,
)
from liftwave._plan.windows import Ints, WindowPlan
from liftwave._typing import Array

MOST_ITEMS = 2**30
"""The most items of a launch; more items need several launches."""

MOST_SHARED = 48 * 1024
"""The most bytes of shared memory of a block."""

MOST_PLACES = 1024
"""The most places of windows that do not overlap: one thread processes each window."""

TILE = 1024
"""The most samples of a tile."""

FLOATS = ("float16", "bfloat16", "float32", "float64")

_SINGLE = (1, 1, 0, 1, 1, 1)
"""The windows of an added axis of one sample."""

_HELD = ((1, 1, 2), (1, 1, 3), (1, 2, 2), (1, 3, 3), (2, 2, 2))
"""Kernel sizes whose regions are held in registers."""

_POOL_VJP, _UNPOOL, _UNPOOL_VJP = range(3)  # ``Task`` of ``pooling_spread.cuh``


class _Kind(NamedTuple):
    """``Family`` and ``Similarity`` of ``pooling_weights.cuh``, and numbers stored per window."""

    family: int
    similarity: int
    numbers: int


_KINDS: dict[str, _Kind] = {
    "softmax": _Kind(0, 0, 3),
    "exp-dice": _Kind(1, 0, 4),
    "dice": _Kind(2, 0, 6),
    # For vectors with one component, these distances are equal or proportional.
    "idw-l1": _Kind(2, 1, 7),
    "idw-l2": _Kind(2, 1, 7),
    "idw-chebyshev": _Kind(2, 1, 7),
    "idw-gower": _Kind(2, 1, 7),
    "idw-huber": _Kind(2, 2, 8),
    "ada": _Kind(3, 0, 7),
}


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
        if not _serves(arguments, x, by_sample=False):
            return self._fallback.pool(x, arguments, beta)
        plan, kind = arguments.plan, _KINDS[arguments.weights]
        call = _Call(x, plan, "pool", self._runtime)
        result = call.empty(plan.outputs)
        wide = call.side_by_side(x)

        def structure(first: int, items: _Items) -> ctypes.Structure:
            pooling = call.pooling(first, items, kind, beta, arguments.delta)
            return _PoolArguments(pooling, call.planes(result, first))

        compiled = kernel("pooling.cuh", "pool_windows", call.dtype, kind.family, *call.held(wide))
        call.run(compiled, _grouped(call.windows.outputs, wide), structure)
        return result

    def pool_vjp(
        self,
        x: Array,
        cotangent: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> tuple[Array, Array | None]:
        """The cotangents of ``x`` and ``beta``."""
        if not _serves(arguments, x):
            return self._fallback.pool_vjp(x, cotangent, arguments, beta)
        spread = _Spread(_POOL_VJP, arguments, cotangent, None, beta, mean=False)
        of_x, _, of_beta = _spread(_Call(x, arguments.plan, "pool_vjp", self._runtime), spread)
        return of_x, of_beta

    def unpool(
        self,
        x: Array,
        pooled: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> Array:
        """Pooled values spread over the samples of their regions by the weights of ``x``."""
        if not _serves(arguments, x):
            return self._fallback.unpool(x, pooled, arguments, beta)
        mean = arguments.preserve == "mean"
        spread = _Spread(_UNPOOL, arguments, pooled, None, beta, mean=mean)
        return _spread(_Call(x, arguments.plan, "unpool", self._runtime), spread)[0]

    def unpool_vjp(
        self,
        x: Array,
        pooled: Array,
        cotangent: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> tuple[Array, Array, Array | None]:
        """The cotangents of ``x``, ``pooled`` and ``beta``."""
        if not _serves(arguments, x):
            return self._fallback.unpool_vjp(x, pooled, cotangent, arguments, beta)
        mean = arguments.preserve == "mean"
        spread = _Spread(_UNPOOL_VJP, arguments, pooled, cotangent, beta, mean=mean)
        return _spread(_Call(x, arguments.plan, "unpool_vjp", self._runtime), spread)

    def max_pool(self, x: Array, plan: WindowPlan) -> tuple[Array, Array]:
        """The largest sample of each region, and its place, flat within a plane."""
        if not _is_served(x, plan):
            return self._fallback.max_pool(x, plan)
        call = _Call(x, plan, "max_pool", self._runtime)
        result, places = call.empty(plan.outputs), call.empty(plan.outputs, "int64")
        wide = call.side_by_side(x)

        def arguments(first: int, items: _Items) -> ctypes.Structure:
            planes = (call.planes(array, first) for array in (x, result, places))
            return _LargestArguments(*planes, call.axes, items)

        compiled = kernel("pooling_largest.cuh", "largest_windows", call.dtype, *call.held(wide))
        call.run(compiled, _grouped(call.windows.outputs, wide), arguments)
        return result, places

    def max_pool_vjp(self, cotangent: Array, indices: Array, plan: WindowPlan) -> Array:
        """Cotangents added at the places from :meth:`max_pool`."""
        if not _is_served(cotangent, plan):
            return self._fallback.max_pool_vjp(cotangent, indices, plan)
        xp = array_namespace(indices)
        places = indices if indices.dtype == xp.int64 else xp.astype(indices, xp.int64)
        call = _Call(cotangent, plan, "max_pool_vjp", self._runtime)
        result = call.empty(plan.inputs)

        def arguments(first: int, items: _Items) -> ctypes.Structure:
            planes = (call.planes(array, first) for array in (cotangent, places, result))
            return _PlacedArguments(*planes, call.axes, items)

        compiled = kernel("pooling_largest.cuh", "placed_samples", call.dtype)
        call.run(compiled, call.windows.inputs, arguments)
        return result


def _serves(arguments: PoolingArguments, x: Array, *, by_sample: bool = True) -> bool:
    """Whether kernels support this pooling of ``x``, with results by sample or by window."""
    if arguments.channels > 1 or arguments.up != "nearest" or arguments.weights not in _KINDS:
        return False
    return _is_served(x, arguments.plan, arguments.weights if by_sample else None)


# --- results by sample ---------------------------------------------------------------------------


class _Spread(NamedTuple):
    """Arguments of the scatter kernels other than ``x``."""

    task: int
    arguments: PoolingArguments
    by_window: Array
    by_sample: Array | None
    beta: Array | None
    mean: bool


def _spread(call: _Call, spread: _Spread) -> tuple[Array, Array, Array | None]:
    """The result by sample, the cotangents of pooled values (if any), and of beta."""
    kind, windows = _KINDS[spread.arguments.weights], call.windows
    result = call.empty(windows.plan.inputs)
    of_windows = call.empty(windows.plan.outputs) if spread.task == _UNPOOL_VJP else None
    of_betas = None
    if spread.beta is not None and spread.task != _UNPOOL:
        of_betas = call.empty(windows.plan.outputs, COMPUTED[call.dtype])
    tiling = windows.tiling(kind.numbers * ITEMSIZE[COMPUTED[call.dtype]])

    def arguments(first: int, items: _Items) -> ctypes.Structure:
        arrays = (spread.by_window, spread.by_sample, result, of_windows, of_betas)
        pooling = call.pooling(first, items, kind, spread.beta, spread.arguments.delta)
        planes = (call.planes(array, first) for array in arrays)
        structure = _SpreadArguments(pooling, *planes, spread.mean, 0)
        return structure if tiling is None else _GatherArguments(structure, *tiling.fields())

    parameters = (call.dtype, kind.family, spread.task)
    if tiling is None:
        wide = call.side_by_side(call.x, spread.by_sample)
        compiled = kernel("pooling_spread.cuh", "spread_windows", *parameters, *call.held(wide))
        call.run(compiled, _grouped(windows.covering, wide), arguments)
    else:
        compiled = kernel("pooling_gather.cuh", "gather_samples", *parameters, *windows.held)
        call.run(compiled, tiling.tiles, arguments, tiling)
    return result, of_windows, _of_beta(of_betas, spread.beta)


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


# --- windows -------------------------------------------------------------------------------------


class _Windows(NamedTuple):
    """Windows along three axes; axes that a plan lacks have one sample.

    Attributes
    ----------
    plan : WindowPlan
        The plan of the windows.
    held : (int, int, int)
        The kernel size, if regions are held in registers; else zeros.
    axes : array of structures
        The axes as kernel arguments.
    """

    plan: WindowPlan
    numbers: tuple[Ints, ...]
    held: tuple[int, int, int]
    axes: Any

    @property
    def inputs(self) -> Ints:
        return tuple(numbers[4] for numbers in self.numbers)

    @property
    def outputs(self) -> Ints:
        return tuple(numbers[5] for numbers in self.numbers)

    @property
    def covering(self) -> Ints:
        """The number of windows that cover all samples, if windows do not overlap."""
        return tuple(-(-(n + p) // s) for _, s, p, _, n, _ in self.numbers)

    @property
    def overlap(self) -> bool:
        return any((k - 1) * d + 1 > s for k, s, _, d, _, _ in self.numbers)

    def tiling(self, size: int) -> _Tiling | None:
        """Tiles for windows that need ``size`` bytes each; None if no tiles are needed."""
        is_tiling = all(k == s and (d == 1 or k == 1) for k, s, _, d, _, _ in self.numbers)
        return None if is_tiling and self.held[2] else _tiling(self.numbers, size)


@lru_cache(maxsize=1024)
def _windows(plan: WindowPlan) -> _Windows | None:
    """The windows as structures; None if the kernels do not support them."""
    if plan.ndim > 3:
        return None
    numbers = (*[_SINGLE] * (3 - plan.ndim), *zip(*plan, strict=True))
    extents = [n + p + 2 * (k * d + s) for k, s, p, d, n, _ in numbers]
    if max(*extents, prod(plan.inputs), prod(plan.outputs)) > 2**30:
        return None
    size = (numbers[0][0], numbers[1][0], numbers[2][0])
    axes = (_Axis * 3)(*(_axis(*row) for row in numbers))
    windows = _Windows(plan, numbers, size if size in _HELD else (0, 0, 0), axes)
    return None if plan.size > MOST_PLACES and not windows.overlap else windows


def _is_served(x: Array, plan: WindowPlan, spread: Weights | None = None) -> bool:
    """Whether kernels support these windows, and results by sample of these weights."""
    windows, dtype = _windows(plan), memory_of(x).dtype
    if windows is None or dtype not in FLOATS:
        return False
    if spread is None:
        return True
    size = _KINDS[spread].numbers * ITEMSIZE[COMPUTED[dtype]]
    tiling = windows.tiling(size)
    return tiling is None or tiling.shared <= MOST_SHARED


class _Tiling(NamedTuple):
    """Tiles of samples, their number, and the most windows that reach into one."""

    tile: Ints
    tiles: Ints
    windows: Ints
    shared: int

    def fields(self) -> tuple[Any, ...]:
        dividers = ((_Divider * 3)(*map(_divider, sizes)) for sizes in (self.tile, self.windows))
        return (_int * 3)(*self.tile), (_int * 3)(*self.windows), *dividers


@lru_cache(maxsize=1024)
def _tiling(numbers: tuple[Ints, ...], size: int) -> _Tiling:
    """The largest tiles that fit into shared memory, with rows longer than columns."""
    inputs = [row[4] for row in numbers]
    tile = [1, 1, 1]
    tiling = _tiling_of(numbers, tile, size)
    while prod(tile) < TILE:
        # Tiles grow until the last axis has four times as many samples as the others.
        growing = [d for d in range(3) if tile[d] < inputs[d]]
        if not growing:
            break
        d = min(growing, key=lambda d: tile[d] / (4 if d == 2 else 1))
        tile[d] *= 2
        larger = _tiling_of(numbers, tile, size)
        if larger.shared > MOST_SHARED:
            break
        tiling = larger
    return tiling


def _tiling_of(numbers: tuple[Ints, ...], tile: Sequence[int], size: int) -> _Tiling:
    pairs = list(zip(tile, numbers, strict=True))
    windows = tuple(min(o, (t + (k - 1) * d - 1) // s + 1) for t, (k, s, _, d, _, o) in pairs)
    tiles = tuple(-(-row[4] // t) for t, row in pairs)
    return _Tiling(tuple(tile), tiles, windows, prod(windows) * size)


def _grouped(sizes: Ints, wide: int) -> Ints:
    """The items along each axis if an item has ``wide`` neighbouring windows."""
    return (*sizes[:2], sizes[2] // max(wide, 1))


# --- calls ---------------------------------------------------------------------------------------

_Arguments: TypeAlias = "Callable[[int, _Items], ctypes.Structure]"


class _Call:
    """A call of a kernel on an array of shape (planes, …), for supported windows."""

    def __init__(self, x: Array, plan: WindowPlan, what: str, runtime: Runtime) -> None:
        windows = _windows(plan)
        assert windows is not None, "what is not served is left to others"
        self.x = x
        self.runtime = runtime
        self.windows = windows
        self.axes = windows.axes
        self.memory = memory_of(x)
        self.dtype = self.memory.dtype
        self.what = f"{what} of shape {self.memory.shape} with windows {tuple(plan.kernel)}"

    def empty(self, sizes: Ints, dtype: str | None = None) -> Array:
        """Memory for one number per sample, or per window, of each plane."""
        shape = (self.memory.shape[0], *sizes)
        return self.runtime.empty(shape, dtype or self.dtype, self.x)

    def planes(self, array: Array | None, first: int) -> _Planes:
        """An array from plane ``first`` on; a null structure for None."""
        if array is None:
            return _Planes()
        memory = memory_of(array)
        plane, *strides = memory.strides
        strides = [0] * (3 - len(strides)) + strides
        steps = [s * row[3] for s, row in zip(strides, self.windows.numbers, strict=True)]
        address = memory.address + first * plane * ITEMSIZE[memory.dtype]
        return _Planes(address, plane, (_index * 3)(*strides), (_index * 3)(*steps))

    def pooling(
        self, first: int, items: _Items, kind: _Kind, beta: Array | None, delta: float
    ) -> _Pooling:
        """The arguments of all kernels of weighted pooling."""
        samples, rows = self.planes(self.x, first), 1 if beta is None else beta.shape[0]
        return _Pooling(
            *(samples, self._betas(beta), delta, self.axes, items),
            *(_divider(rows), rows, first % rows, kind.similarity, 0),
        )

    def _betas(self, beta: Array | None) -> _Planes:
        if beta is None:
            return _Planes()
        planes, shape = self.planes(beta, 0), beta.shape[1:]
        for d, size in enumerate(shape, 3 - len(shape)):
            if size == 1:
                planes.stride[d] = 0
        return planes

    def side_by_side(self, *arrays: Array | None) -> int:
        """Windows per thread: several or one if samples are contiguous, otherwise zero."""
        memories = [memory_of(array) for array in arrays if array is not None]
        *_, (k, s, p, d, n, o) = self.windows.numbers
        if d != 1 or not all(m.strides[-1] == 1 or n == 1 for m in memories):
            return 0
        wide = 8 // ITEMSIZE[self.dtype]
        is_paired = (k, s, p, n) == (2, 2, 0, 2 * o) and o % wide == 0
        if is_paired and self.windows.plan.is_full and all(map(_is_aligned, memories)):
            return wide
        return 1

    def held(self, wide: int) -> tuple[Any, ...]:
        """Template arguments of kernels for ``wide`` neighbouring windows."""
        if not self.windows.held[2]:
            return 0, 0, 0, False, 0
        return *self.windows.held, self.windows.plan.is_full, wide

    def run(
        self, compiled: Kernel, sizes: Ints, arguments: _Arguments, tiling: _Tiling | None = None
    ) -> None:
        """Launch a kernel for all planes: one item per thread, or one tile per block."""
        planes, in_plane = self.memory.shape[0], prod(sizes)
        at_once = max(1, MOST_ITEMS // in_plane)
        dividers = (_Divider * 3)(*map(_divider, sizes))
        for first in range(0, planes, at_once):
            count = min(at_once, planes - first) * in_plane
            structure = arguments(first, _Items(dividers, (_int * 3)(*sizes), count))
            threads = _threads(count if tiling is None else prod(tiling.tile) * 64)
            blocks = -(-count // threads) if tiling is None else count
            shared = 0 if tiling is None else tiling.shared
            self.runtime.launch(compiled, blocks, threads, shared, structure, self.x, self.what)


def _threads(items: int) -> int:
    """Threads of a block: fewer for few items, so that there are more blocks."""
    return 256 if items >= 2**16 else 128 if items >= 2**13 else 64


def _is_aligned(memory: Memory) -> bool:
    """Whether rows are aligned to sixteen bytes."""
    size = ITEMSIZE[memory.dtype]
    pairs = zip(memory.shape[:-1], memory.strides[:-1], strict=True)
    return memory.address % 16 == 0 and all(n == 1 or s * size % 16 == 0 for n, s in pairs)


# --- structures ----------------------------------------------------------------------------------

_int = ctypes.c_int
_index = ctypes.c_longlong


class _Divider(ctypes.Structure):
    _fields_ = [("multiplier", ctypes.c_uint), ("shift", ctypes.c_uint)]


class _Axis(ctypes.Structure):
    _fields_ = [
        ("inputs", _int),
        ("outputs", _int),
        ("kernel", _int),
        ("stride", _int),
        ("padding", _int),
        ("dilation", _int),
        ("by_stride", _Divider),
        ("by_dilation", _Divider),
    ]


class _Planes(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("plane", _index),
        ("stride", _index * 3),
        ("step", _index * 3),
    ]


class _Items(ctypes.Structure):
    _fields_ = [("by", _Divider * 3), ("size", _int * 3), ("count", _int)]


class _Pooling(ctypes.Structure):
    _fields_ = [
        ("samples", _Planes),
        ("betas", _Planes),
        ("delta", ctypes.c_double),
        ("axes", _Axis * 3),
        ("items", _Items),
        ("by_rows", _Divider),
        ("rows", _int),
        ("first_row", _int),
        ("similarity", _int),
        ("padding", _int),
    ]


class _PoolArguments(ctypes.Structure):
    _fields_ = [("pooling", _Pooling), ("result", _Planes)]


class _SpreadArguments(ctypes.Structure):
    _fields_ = [
        ("pooling", _Pooling),
        ("windows", _Planes),
        ("beside", _Planes),
        ("result", _Planes),
        ("of_windows", _Planes),
        ("of_betas", _Planes),
        ("average", _int),
        ("padding", _int),
    ]


class _GatherArguments(ctypes.Structure):
    _fields_ = [
        ("spread", _SpreadArguments),
        ("tile", _int * 3),
        ("held", _int * 3),
        ("by_tile", _Divider * 3),
        ("by_held", _Divider * 3),
    ]


class _LargestArguments(ctypes.Structure):
    _fields_ = [
        ("samples", _Planes),
        ("result", _Planes),
        ("places", _Planes),
        ("axes", _Axis * 3),
        ("items", _Items),
    ]


class _PlacedArguments(ctypes.Structure):
    _fields_ = [
        ("cotangents", _Planes),
        ("places", _Planes),
        ("result", _Planes),
        ("axes", _Axis * 3),
        ("items", _Items),
    ]


def _divider(by: int) -> _Divider:
    """The constants that divide numbers below 2**31 by a multiplication."""
    shift = (by - 1).bit_length()
    return _Divider(2**32 * (2**shift - by) // by + 1, shift)


def _axis(kernel: int, stride: int, padding: int, dilation: int, n: int, outputs: int) -> _Axis:
    numbers = (n, outputs, kernel, stride, padding, dilation)
    return _Axis(*numbers, _divider(stride), _divider(dilation))
