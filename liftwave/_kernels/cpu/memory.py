"""Memory that arrays of NumPy and tensors of torch share."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from liftwave._arrays.tensors import is_numbers, is_unwatched
from liftwave._typing import Array

INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64")
"""The dtypes that integer lifting schemes read."""

_FLOATS = ("float32", "float64", "complex64", "complex128")


def memory(x: Array) -> Any:
    """The NumPy array that shares the memory of ``x``."""
    return x if type(x) is np.ndarray else x.detach().numpy()


def like(x: Array, result: Any) -> Array:
    """A result in the library of ``x``, without copying."""
    return result if type(x) is np.ndarray else sys.modules["torch"].from_numpy(result)


def is_in_memory(x: Array) -> bool:
    """Whether ``x`` is a torch tensor whose numbers the module reads, whoever watches it."""
    torch = sys.modules["torch"]
    known = (getattr(torch, name) for name in (*_FLOATS, *INTEGERS))
    return bool(x.device.type == "cpu" and x.dtype in known and is_numbers(x))


def is_plain_tensor(x: Array) -> bool:
    """Whether ``x`` is a torch tensor in memory that nothing (autograd, tracing) watches."""
    return is_unwatched(x) and is_in_memory(x)
