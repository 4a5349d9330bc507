"""Fourier transforms of temporary arrays, in place if the library supports it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from liftwave._arrays.convert import real_dtype
from liftwave._numbers import is_symbol
from liftwave._typing import Array

# NumPy before 2.0 transforms in double precision, and not in place.
_IN_PLACE = int(np.__version__.partition(".")[0]) >= 2


def arrays_at_once(most: int, shape: tuple[int, ...], hop: int) -> int:
    """The number of arrays, with one of ``hop`` numbers of a shape, that have ``most`` numbers.

    It is at least 1. In a graph for any batch it is ``most``, so that the number of steps does not
    depend on the batch.
    """
    numbers = math.prod(shape)
    return most if is_symbol(numbers) else max(most // max(numbers // hop, 1), 1)


def inverse(spectra: Array, axes: tuple[int, ...]) -> Array:
    """The inverse transforms of spectra, whose memory may be overwritten."""
    if type(spectra) is np.ndarray and _IN_PLACE:
        return _in_place(np.fft.ifft, spectra, axes, "backward")
    xp = array_namespace(spectra)
    rows = xp.fft.ifftn(spectra, axes=axes)
    return rows if rows.dtype == spectra.dtype else xp.astype(rows, spectra.dtype)


def spectra_of(x: Array, axes: tuple[int, ...]) -> Array:
    """The spectra of real signals, in their precision, divided by the number of samples."""
    xp = array_namespace(x)
    dtype = xp.complex64 if real_dtype(x, xp) == xp.float32 else xp.complex128
    # NumPy's transforms of complex arrays that are divided by their lengths are the fastest.
    signals = xp.astype(x, dtype)
    if type(x) is np.ndarray and _IN_PLACE:
        return _in_place(np.fft.fft, signals, axes, "forward")
    spectra = xp.fft.fftn(signals, axes=axes, norm="forward")
    return spectra if spectra.dtype == dtype else xp.astype(spectra, dtype)


def _in_place(transform: Any, x: NDArray[Any], axes: tuple[int, ...], norm: str) -> NDArray[Any]:
    for axis in axes:
        transform(x, axis=axis, norm=norm, out=x)
    return x
