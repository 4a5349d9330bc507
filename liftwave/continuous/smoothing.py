"""Smoothing of scalograms in time and scale, for coherence (Grinsted's window)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.convert import real_dtype
from liftwave._plan.spectral import fast_length
from liftwave._typing import Array
from liftwave.continuous.grid import Grid


def smoothed(x: Array, grid: Grid) -> Array:
    """Complex rows, smoothed in time by a Gaussian and then in scale by a boxcar."""
    return _in_scale(_in_time(x, grid), grid)


def _in_time(x: Array, grid: Grid) -> Array:
    """Each row, smoothed by a Gaussian of the width of the wavelet: its scale, for Morlet."""
    xp, n = array_namespace(x), x.shape[-1]
    length = fast_length(2 * n)
    width = grid.shape.efolding / math.sqrt(2) * grid.scales * grid.fs
    frequencies = 2 * np.pi * np.fft.fftfreq(length)
    transfer = np.exp(-0.5 * (width[:, None] * frequencies) ** 2)
    gaussian = xp.asarray(transfer, dtype=real_dtype(x, xp), device=device_of(x))
    spectrum = xp.fft.fft(x, n=length, axis=-1)
    rows = xp.fft.ifft(spectrum * xp.astype(gaussian, spectrum.dtype), axis=-1)[..., :n]
    return rows if rows.dtype == x.dtype else xp.astype(rows, x.dtype)


def _in_scale(x: Array, grid: Grid) -> Array:
    """The mean over rows within the decorrelation length of the wavelet."""
    xp, n = array_namespace(x), x.shape[-1]
    matrix = xp.asarray(_boxcar(grid), dtype=real_dtype(x, xp), device=device_of(x))
    parts = xp.matmul(matrix, xp.concat([xp.real(x), xp.imag(x)], axis=-1))
    return parts[..., :n] + 1j * parts[..., n:]


def _boxcar(grid: Grid) -> NDArray[Any]:
    """The matrix of means over rows. A row that is partly within the window counts partly."""
    octaves = np.log2(grid.frequencies)
    own = grid.weights / math.log(2)
    distance = abs(octaves[:, None] - octaves)
    inside = (grid.shape.decorrelation_octaves + own) / 2 - distance
    weights = np.clip(inside, 0, own)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
