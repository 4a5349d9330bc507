"""Complex arrays as real ones with the real and the imaginary parts along a last axis."""

from __future__ import annotations

import sys

import numpy as np
from array_api_compat import array_namespace, is_cupy_array, is_torch_array

from liftwave._arrays.convert import is_half
from liftwave._typing import Array


def complex_of_parts(parts: Array) -> Array:
    """The complex numbers of an array of shape (..., 2), without a copy if its memory permits.

    Half precision becomes complex64.
    """
    xp = array_namespace(parts)
    if is_half(parts):
        parts = xp.astype(parts, xp.float32)
    if is_torch_array(parts):
        return sys.modules["torch"].view_as_complex(parts.contiguous())
    if isinstance(parts, np.ndarray) or is_cupy_array(parts):
        dtype = np.result_type(parts.dtype, np.complex64)
        return xp.ascontiguousarray(parts).view(dtype)[..., 0]
    return parts[..., 0] + 1j * parts[..., 1]


def parts_of_complex(values: Array) -> Array:
    """The inverse of :func:`complex_of_parts`, for NumPy and torch without a copy."""
    if is_torch_array(values):
        return sys.modules["torch"].view_as_real(values.resolve_conj())
    if isinstance(values, np.ndarray) and values.dtype.kind == "c":
        return values[..., None].view(values.real.dtype)
    xp = array_namespace(values)
    return xp.stack([xp.real(values), xp.imag(values)], axis=-1)
