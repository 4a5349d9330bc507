"""Rows of a continuous transform by Fourier transforms of the array's library.

The inverse transforms are long, and several rows at a time: NumPy and torch compute them on the
lanes of vectors. Short transforms of folded bands, which compiled kernels compute, were no faster
here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._arrays.convert import zeros
from liftwave._plan.spectral import SpectralPlan, Window
from liftwave._typing import Array

# Bytes of the spectra of one step: larger steps do not fit into the caches, smaller ones are slow.
_STEP = 1 << 23
_LEAST_ROWS = 8


def spectral_rows(spectrum: Array, plan: SpectralPlan) -> Array:
    """The rows ``ifft(response * spectrum)`` of a plan, along a new axis before the last one.

    Parameters
    ----------
    spectrum : array, shape (..., length // 2 + 1)
        The bins of non-negative frequency of real signals, complex.
    plan : SpectralPlan
        The rows.

    Returns
    -------
    array, shape (..., rows, columns)
        The analytic rows.
    """
    shape = (*spectrum.shape[:-1], len(plan.windows), plan.columns)
    if type(spectrum) is not np.ndarray:
        xp = array_namespace(spectrum)
        parts = list(_steps(spectrum, plan))
        return xp.concat(parts, axis=-2) if parts else zeros(shape, spectrum, xp)
    result = np.empty(shape, spectrum.dtype)
    start = 0
    for part in _steps(spectrum, plan):
        result[..., start : start + part.shape[-2], :] = part
        start += part.shape[-2]
    return result


def _steps(spectrum: Array, plan: SpectralPlan) -> Iterator[Array]:
    """The rows, several at a time."""
    xp = array_namespace(spectrum)
    stop = plan.before + plan.count
    for windows in steps_of(plan, spectrum):
        rows = xp.fft.ifft(_products(spectrum, windows, plan.length), axis=-1)
        rows = rows[..., plan.before : stop : plan.hop]
        # NumPy before 2.0 transforms in double precision.
        yield rows if rows.dtype == spectrum.dtype else xp.astype(rows, spectrum.dtype)


def steps_of(plan: SpectralPlan, spectrum: Array) -> Iterator[Sequence[Window]]:
    """The windows of rows that are computed together."""
    batch = 1
    for n in spectrum.shape[:-1]:
        batch *= n
    size = 8 if "64" in str(spectrum.dtype) else 16
    rows = max(_STEP // (size * plan.length * max(batch, 1)), _LEAST_ROWS if batch == 1 else 1)
    for start in range(0, len(plan.windows), rows):
        yield plan.windows[start : start + rows]


def _products(spectrum: Array, windows: Sequence[Window], length: int) -> Array:
    """The products of the spectrum and responses, with zeros in all other bins."""
    batch = tuple(spectrum.shape[:-1])
    if type(spectrum) is np.ndarray:
        products = np.zeros((*batch, len(windows), length), spectrum.dtype)
        for k, (window, bins) in enumerate(zip(windows, _places(windows), strict=True)):
            np.multiply(spectrum[..., bins], window.response, out=products[..., k, bins])
        return products
    xp = array_namespace(spectrum)
    rows = []
    for window, bins in zip(windows, _places(windows), strict=True):
        before = zeros((*batch, bins.start), spectrum, xp)
        after = zeros((*batch, length - bins.stop), spectrum, xp)
        response = as_response(window.response, spectrum)
        rows.append(xp.concat([before, spectrum[..., bins] * response, after], axis=-1))
    return xp.stack(rows, axis=-2)


def _places(windows: Sequence[Window]) -> list[slice]:
    return [slice(w.start, w.start + w.response.shape[0]) for w in windows]


def as_response(response: Any, spectrum: Array) -> Array:
    """The response in the library and the dtype of a spectrum."""
    xp = array_namespace(spectrum)
    if isinstance(response, np.ndarray):
        response = xp.asarray(response, device=device(spectrum))
    return xp.astype(response, spectrum.dtype)
