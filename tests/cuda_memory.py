"""Memory between pages that nobody may access, for arrays of the CUDA kernels on the host.

A kernel that accesses such a page ends with an error (see ``cuda_host.hpp``). Pages are larger than
most arrays, so an array touches the guard at one side only. The bytes between its other side and
the guard there have a pattern. ``check_memory`` raises if a kernel changed it.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Sequence
from math import prod
from typing import Any
from weakref import WeakSet

import numpy as np

PATTERN = 0xAB
_ALIGNMENT = 16
"""The kernels read packs of up to 16 bytes."""


class GuardedMemory(mmap.mmap):
    """Bytes that end at a guard, up to their alignment, or that begin at one."""

    begin: int
    end: int

    def __new__(cls, size: int, at_end: bool) -> GuardedMemory:
        inner = _rounded_up(size, mmap.PAGESIZE)
        memory = super().__new__(cls, -1, inner + 2 * mmap.PAGESIZE)
        bytes_ = np.frombuffer(memory, np.uint8)
        bytes_[mmap.PAGESIZE : mmap.PAGESIZE + inner] = PATTERN
        for page in (0, mmap.PAGESIZE + inner):
            _protect(bytes_.ctypes.data + page)
        free = inner - _rounded_up(size, _ALIGNMENT) if at_end else 0
        memory.begin = mmap.PAGESIZE + free
        memory.end = memory.begin + size
        return memory

    def array(self) -> np.ndarray:
        """The memory as numbers of type uint8."""
        return np.frombuffer(self, np.uint8, self.end - self.begin, self.begin)

    def is_intact(self) -> bool:
        """Whether the bytes beside the array have the pattern."""
        return all(self[part] == _pattern(part) for part in self._beside())

    def repair(self) -> None:
        """Write the pattern."""
        for part in self._beside():
            self[part] = _pattern(part)

    def _beside(self) -> tuple[slice, slice]:
        stop = len(self) - mmap.PAGESIZE
        return slice(mmap.PAGESIZE, self.begin), slice(self.end, stop)


_memories: WeakSet[GuardedMemory] = WeakSet()


def guarded_empty(shape: Sequence[int], dtype: Any, at_end: bool = True) -> np.ndarray:
    """An array of NumPy in guarded memory; its bytes have a pattern."""
    dtype, shape = np.dtype(dtype), tuple(shape)
    if not prod(shape):
        return np.empty(shape, dtype)
    memory = GuardedMemory(prod(shape) * dtype.itemsize, at_end)
    _memories.add(memory)
    return memory.array().view(dtype).reshape(shape)


def guarded(x: Any, at_end: bool = True) -> Any:
    """A contiguous copy of an array of NumPy or torch in guarded memory."""
    if not hasattr(x, "data_ptr"):
        copy = guarded_empty(x.shape, x.dtype, at_end)
        copy[...] = x
        return copy
    copy = guarded_tensor(x.shape, x.dtype, at_end)
    copy.copy_(x.detach())
    return copy.requires_grad_(x.requires_grad)


def guarded_tensor(shape: Sequence[int], dtype: Any, at_end: bool = True) -> Any:
    """A tensor of torch in guarded memory; its bytes have a pattern."""
    import torch

    if not prod(shape):
        return torch.empty(tuple(shape), dtype=dtype)
    memory = guarded_empty((prod(shape) * dtype.itemsize,), np.uint8, at_end)
    return torch.from_numpy(memory).view(dtype).reshape(tuple(shape))


def check_memory() -> None:
    """Raise if bytes beside an array were changed."""
    if not all(memory.is_intact() for memory in _memories):
        repair_memory()
        raise AssertionError("bytes beside an array were written")


def repair_memory() -> None:
    """Forget what kernels wrote beside arrays."""
    for memory in _memories:
        memory.repair()


def _pattern(part: slice) -> bytes:
    return bytes([PATTERN]) * (part.stop - part.start)


def _rounded_up(size: int, step: int) -> int:
    return -(-size // step) * step


def _protect(address: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    protect = library.mprotect
    protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if protect(address, mmap.PAGESIZE, 0):
        raise OSError(ctypes.get_errno(), "mprotect")
