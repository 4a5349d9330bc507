"""Smoothing of scalograms in time and scale, for coherence (Grinsted's window)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.convert import real_dtype
from liftwave._plan.spectral import fast_length
from liftwave._typing import Array
from liftwave.continuous.fourier import inverse
from liftwave.continuous.grid import Grid

# Deviations beyond which a Gaussian is below the rounding error.
_REACH = 9

# Rows whose means over scale are computed together. Their windows have some rows more.
_ROWS_AT_ONCE = 16


def smoothed(x: Array, grid: Grid) -> Array:
    """Complex rows, smoothed in time by a Gaussian and then in scale by a boxcar."""
    return in_scale(in_time(x, grid, 0), grid)


def in_time(x: Array, grid: Grid, first: int) -> Array:
    """Rows from the row ``first`` on, each smoothed by a Gaussian of the width of its wavelet.

    That is its scale, for Morlet wavelets.
    """
    xp, n = array_namespace(x), x.shape[-1]
    widths = _widths(grid)[first : first + x.shape[-2]]
    # Samples beyond the ends are zero. The circular overlap is negligible.
    length = fast_length(n + min(n, math.ceil(_REACH * widths.max())))
    spectrum = xp.fft.fft(x, n=length, axis=-1)
    gaussian = _transfer(widths.tobytes(), length, "complex64" in str(x.dtype))
    if type(x) is np.ndarray:
        spectrum *= gaussian
    else:
        transfer = xp.asarray(gaussian, dtype=real_dtype(x, xp), device=device_of(x))
        spectrum = spectrum * xp.astype(transfer, spectrum.dtype)
    rows = inverse(spectrum, (-1,))[..., :n]
    return rows if rows.dtype == x.dtype else xp.astype(rows, x.dtype)


def _widths(grid: Grid) -> NDArray[np.float64]:
    """The width of each Gaussian, in samples."""
    return np.asarray(grid.shape.efolding / math.sqrt(2) * grid.scales * grid.fs)


@lru_cache(maxsize=64)
def _transfer(widths: bytes, length: int, is_single: bool) -> NDArray[Any]:
    """The Fourier transforms of Gaussians of these widths."""
    frequencies = 2 * np.pi * np.fft.fftfreq(length)
    transfer = np.exp(-0.5 * (np.frombuffer(widths)[:, None] * frequencies) ** 2)
    return transfer.astype(np.float32) if is_single else transfer


def in_scale(x: Array, grid: Grid) -> Array:
    """The mean over rows within the decorrelation length of the wavelet."""
    matrix = _boxcar(grid)
    if type(x) is not np.ndarray:
        xp, n = array_namespace(x), x.shape[-1]
        weights = xp.asarray(matrix, dtype=real_dtype(x, xp), device=device_of(x))
        parts = xp.matmul(weights, xp.concat([xp.real(x), xp.imag(x)], axis=-1))
        return parts[..., :n] + 1j * parts[..., n:]
    numbers = np.ascontiguousarray(x).view(x.real.dtype)  # real and imaginary parts
    result, matrix = np.empty_like(numbers), matrix.astype(numbers.dtype)
    for start in range(0, len(matrix), _ROWS_AT_ONCE):
        weights = matrix[start : start + _ROWS_AT_ONCE]
        inside = np.flatnonzero(weights.any(axis=0))
        rows = slice(inside[0], inside[-1] + 1)
        np.matmul(
            weights[:, rows],
            numbers[..., rows, :],
            out=result[..., start : start + len(weights), :],
        )
    return result.view(x.dtype)


def _boxcar(grid: Grid) -> NDArray[Any]:
    """The matrix of means over rows. A row that is partly within the window counts partly."""
    octaves = np.log2(grid.frequencies)
    own = grid.weights / math.log(2)
    distance = abs(octaves[:, None] - octaves)
    inside = (grid.shape.decorrelation_octaves + own) / 2 - distance
    weights = np.clip(inside, 0, own)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
