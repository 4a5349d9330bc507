"""The memory of the arrays that CUDA kernels read and write, and the dtypes that they support."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._arrays.tensors import is_numbers, is_unwatched
from liftwave._kernels.cuda.common.runtime import CXX, CudaPart
from liftwave._typing import Array

ITEMSIZE = {name: {"bfloat16": 2}.get(name) or np.dtype(name).itemsize for name in CXX}
"""Bytes of a number of each dtype."""

COMPUTED = {name: name for name in CXX} | {"float16": "float32", "bfloat16": "float32"}
"""The computation dtype for each dtype."""

REAL = COMPUTED | {"complex64": "float32", "complex128": "float64"}
"""The dtype of real numbers, such as taps, in computations with each dtype."""

FLOATS = frozenset(("float16", "bfloat16", "float32", "float64"))
COMPLEX = frozenset(("complex64", "complex128"))
INTEGERS = frozenset(CXX) - FLOATS - COMPLEX


class Memory(NamedTuple):
    """An array's memory: its address, strides in numbers, shape, and the name of its dtype."""

    address: int
    strides: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: str


class CudaArrays(CudaPart):
    """Tells which arrays the family supports."""

    def serves(self, *arrays: Array) -> bool:
        """Whether these kernels support the arrays together: numbers on one device.

        Only integer lifting schemes pass integers.
        """
        for x in arrays:
            if hasattr(x, "data_ptr") and not is_unwatched(x):
                return False
        return self.serves_memory(*arrays)

    def serves_memory(self, *tensors: Array) -> bool:
        """Whether kernels read these arrays on one device, even if autograd is active."""
        if not all(map(self._reads, tensors)):
            return False
        return len(tensors) == 1 or all(device(x) == device(tensors[0]) for x in tensors[1:])

    def _reads(self, x: Array) -> bool:
        if not self._runtime.holds(x):
            return False
        if hasattr(x, "data_ptr"):
            return is_numbers(x) and str(x.dtype).removeprefix("torch.") in ITEMSIZE
        return x.dtype.isnative and x.dtype.name in ITEMSIZE


def memory_of(x: Array) -> Memory:
    """The memory of a CuPy, torch or NumPy array."""
    if hasattr(x, "data_ptr"):
        name = str(x.dtype).removeprefix("torch.")
        return Memory(x.data_ptr(), tuple(x.stride()), tuple(x.shape), name)
    address = x.ctypes.data if type(x) is np.ndarray else x.data.ptr
    strides = tuple(map(x.dtype.itemsize.__rfloordiv__, x.strides))
    return Memory(address, strides, tuple(x.shape), x.dtype.name)


def address_of(x: Array) -> int:
    """The address of an array."""
    if hasattr(x, "data_ptr"):
        return int(x.data_ptr())
    return int(x.ctypes.data if type(x) is np.ndarray else x.data.ptr)


def name_of(dtype: Any) -> str:
    """The name of a dtype of NumPy, CuPy or torch; a name is returned unchanged."""
    if isinstance(dtype, str):  # NumPy lacks some of these dtypes
        return dtype
    of_torch = type(dtype).__module__ == "torch"
    return str(dtype).removeprefix("torch.") if of_torch else np.dtype(dtype).name


def is_contiguous(memory: Memory) -> bool:
    """Whether an array is C-contiguous."""
    expected = 1
    for size, stride in zip(reversed(memory.shape), reversed(memory.strides), strict=True):
        if size > 1 and stride != expected:
            return False
        expected *= size
    return True


def contiguous(x: Array) -> Array:
    """The array, copied unless it is C-contiguous."""
    if is_contiguous(memory_of(x)):
        return x
    return x.contiguous() if hasattr(x, "data_ptr") else array_namespace(x).ascontiguousarray(x)


def converted(x: Array, dtype: str) -> Array:
    """The array in the dtype of this name, copied unless it has this dtype."""
    xp = array_namespace(x)
    return xp.astype(x, getattr(xp, dtype), copy=False)


def is_beside(x: Array, like: Array) -> bool:
    """Whether an array belongs to the library and is on the device of ``like``."""
    if hasattr(x, "data_ptr") != hasattr(like, "data_ptr"):
        return False
    return bool(device(x) == device(like))
