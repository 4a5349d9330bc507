"""Memory for NumPy's arrays between inaccessible pages.

An access beyond the end (or before the start) of an array, or to an array that was freed, ends the
process with SIGSEGV. Needs Linux.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np

_PAGE = mmap.PAGESIZE
_PROT_NONE, _PROT_READ, _PROT_WRITE = 0, 1, 2
_PRIVATE_ANONYMOUS = 0x22
_ALIGNMENT = 16
_SET_HANDLER = 304  # the place of PyDataMem_SetHandler in NumPy's table of functions

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

_size_t, _pointer = ctypes.c_size_t, ctypes.c_void_p
_Malloc = ctypes.CFUNCTYPE(_pointer, _pointer, _size_t)
_Calloc = ctypes.CFUNCTYPE(_pointer, _pointer, _size_t, _size_t)
_Realloc = ctypes.CFUNCTYPE(_pointer, _pointer, _pointer, _size_t)
_Free = ctypes.CFUNCTYPE(None, _pointer, _pointer, _size_t)


class _Handler(ctypes.Structure):
    """NumPy's ``PyDataMem_Handler``, with its allocator."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("context", _pointer),
        ("malloc", _Malloc),
        ("calloc", _Calloc),
        ("realloc", _Realloc),
        ("free", _Free),
    )


class GuardedMemory:
    """Allocates each array directly before an inaccessible page, or directly behind one."""

    def __init__(self, *, at_end: bool) -> None:
        self.at_end = at_end
        self.blocks: dict[int, tuple[int, int, int]] = {}  # mapping, its size, size of the array
        self.handler = _Handler(
            b"guarded",
            1,
            None,
            _Malloc(lambda _, size: self.allocate(size)),
            _Calloc(lambda _, count, size: self.allocate(count * size)),  # new pages are zero
            _Realloc(lambda _, address, size: self.resize(address, size)),
            _Free(lambda _, address, size: self.free(address)),
        )

    def allocate(self, size: int) -> int:
        """The address of a new block."""
        inner = max(-(-size // _PAGE), 1) * _PAGE
        total = inner + 2 * _PAGE
        readable = _PROT_READ | _PROT_WRITE
        mapping = _libc.mmap(None, total, _PROT_NONE, _PRIVATE_ANONYMOUS, -1, 0)
        assert mapping not in (None, 2**64 - 1), "no memory"
        assert _libc.mprotect(mapping + _PAGE, inner, readable) == 0
        # NumPy asks for one byte for an array without samples, and expects it to be aligned.
        used = size if size > 1 else _ALIGNMENT
        address: int = mapping + _PAGE + (inner - used if self.at_end else 0)
        self.blocks[address] = mapping, total, size
        return address

    def resize(self, address: int, size: int) -> int:
        """The address of a block with the same contents."""
        moved = self.allocate(size)
        ctypes.memmove(moved, address, min(size, self.blocks[address][2]))
        self.free(address)
        return moved

    def free(self, address: int | None) -> None:
        """Make a block inaccessible; nothing for the null pointer."""
        if address is None:
            return
        mapping, total, _ = self.blocks.pop(address)
        _libc.munmap(mapping, total)

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Use this memory for all new arrays of this thread."""
        module = importlib.import_module(
            np.empty.__module__.split(".")[0] + "._core._multiarray_umath"
        )
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype, pointer.argtypes = _pointer, [ctypes.py_object, ctypes.c_char_p]
        table = ctypes.cast(pointer(module._ARRAY_API, None), ctypes.POINTER(_pointer))
        set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(
            table[_SET_HANDLER] or 0
        )
        capsule = ctypes.pythonapi.PyCapsule_New
        capsule.restype, capsule.argtypes = ctypes.py_object, [_pointer, ctypes.c_char_p, _pointer]
        before = set_handler(capsule(ctypes.addressof(self.handler), b"mem_handler", None))
        try:
            yield
        finally:
            set_handler(before)

    def protect(self, x: Any) -> None:
        """Make the memory of an array of a whole block read-only."""
        mapping, total, _ = self.blocks[x.ctypes.data]
        assert _libc.mprotect(mapping + _PAGE, total - 2 * _PAGE, _PROT_READ) == 0
