"""Launching the CUDA kernels of pooling: arrays as arguments, threads and blocks."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from math import prod
from typing import Any, TypeAlias

from liftwave._kernels.cuda.common.memory import ITEMSIZE, Memory, memory_of
from liftwave._kernels.cuda.common.runtime import Kernel, Runtime
from liftwave._kernels.cuda.pooling.structures import Divider, Items, Planes, Pooling, divider
from liftwave._kernels.cuda.pooling.windows import Kind, Tiling, windows_of
from liftwave._plan.windows import Ints, WindowPlan
from liftwave._typing import Array

_int = ctypes.c_int
_index = ctypes.c_longlong

MOST_ITEMS = 2**30
"""The most items of a launch; more items need several launches."""

_Arguments: TypeAlias = "Callable[[int, Items], ctypes.Structure]"


class Call:
    """A call of a kernel on an array of shape (planes, …), for supported windows."""

    def __init__(self, x: Array, plan: WindowPlan, what: str, runtime: Runtime) -> None:
        windows = windows_of(plan)
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

    def planes(self, array: Array | None, first: int) -> Planes:
        """An array from plane ``first`` on; a null structure for None."""
        if array is None:
            return Planes()
        memory = memory_of(array)
        plane, *strides = memory.strides
        strides = [0] * (3 - len(strides)) + strides
        steps = [s * row[3] for s, row in zip(strides, self.windows.numbers, strict=True)]
        address = memory.address + first * plane * ITEMSIZE[memory.dtype]
        return Planes(address, plane, (_index * 3)(*strides), (_index * 3)(*steps))

    def pooling(
        self, first: int, items: Items, kind: Kind, beta: Array | None, delta: float
    ) -> Pooling:
        """The arguments of all kernels of weighted pooling."""
        samples, rows = self.planes(self.x, first), 1 if beta is None else beta.shape[0]
        return Pooling(
            *(samples, self._betas(beta), delta, self.axes, items),
            *(divider(rows), rows, first % rows, kind.similarity, 0),
        )

    def _betas(self, beta: Array | None) -> Planes:
        if beta is None:
            return Planes()
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
        self, compiled: Kernel, sizes: Ints, arguments: _Arguments, tiling: Tiling | None = None
    ) -> None:
        """Launch a kernel for all planes: one item per thread, or one tile per block."""
        planes, in_plane = self.memory.shape[0], prod(sizes)
        at_once = max(1, MOST_ITEMS // in_plane)
        dividers = (Divider * 3)(*map(divider, sizes))
        for first in range(0, planes, at_once):
            count = min(at_once, planes - first) * in_plane
            structure = arguments(first, Items(dividers, (_int * 3)(*sizes), count))
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


def grouped(sizes: Ints, wide: int) -> Ints:
    """The items along each axis if an item has ``wide`` neighbouring windows."""
    return (*sizes[:2], sizes[2] // max(wide, 1))
