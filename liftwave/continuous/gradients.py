"""The vector-Jacobian product of scalograms: signal, frequencies, parameters of the wavelet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.convert import as_array, common_namespace
from liftwave._arrays.host import as_numpy
from liftwave._numbers import items
from liftwave._plan.spectral import Window
from liftwave.continuous.analysis import Analysis
from liftwave.continuous.extension import folded
from liftwave.continuous.families import unchecked
from liftwave.continuous.grid import plan_of, responses
from liftwave.continuous.scalogram import Scalogram
from liftwave.continuous.transform import scalogram
from liftwave.errors import ArgumentTypeError, ShapeError

# The size of the complex steps that give derivatives: their error is below that of rounding.
_STEP = 1e-30


@dataclass(frozen=True, eq=False)
class ScalogramGradient:
    """The result of a pullback of :func:`scalogram`.

    Attributes
    ----------
    data : array
        The gradient with respect to the signal.
    frequencies : ndarray, shape (frequencies,)
        The gradient with respect to the frequencies of the rows.
    wavelet : dict
        The gradient with respect to each parameter of the wavelet, by name.
    """

    data: Any
    frequencies: Any
    wavelet: dict[str, float]


def scalogram_vjp(**arguments: Any) -> tuple[Scalogram, Callable[[Any], ScalogramGradient]]:
    """Result and pullback of :func:`scalogram`."""
    result = scalogram(arguments.pop("x"), **arguments)

    def pullback(cotangents: Any) -> ScalogramGradient:
        return pull_back(result, _checked(cotangents, result))

    return result, pullback


def _checked(cotangents: Any, result: Scalogram) -> list[NDArray[Any]]:
    """The cotangents of the coefficients, and of those of negative frequencies.

    Raises
    ------
    ArgumentTypeError, ShapeError
        If they do not fit the result.
    """
    if isinstance(cotangents, Scalogram):
        cotangents = (cotangents.coefficients, cotangents.negative)
    if result.negative is None:
        pages = [cotangents[0] if isinstance(cotangents, tuple) else cotangents]
    else:
        demand = "expected the cotangents of coefficients and of negative"
        pages = items(cotangents, demand)
        if len(pages) != 2:
            raise ArgumentTypeError(f"{demand}, got {len(pages)} objects")
    shape = tuple(result.coefficients.shape)
    arrays = [np.zeros(shape) if page is None else as_array(page) for page in pages]
    for page, array in zip(pages, arrays, strict=True):
        if page is not None:
            common_namespace([array, result.coefficients])
        if tuple(array.shape) != shape:
            raise ShapeError(f"expected cotangents of shape {shape}, got {tuple(array.shape)}")
    return [as_numpy(array) for array in arrays]


def pull_back(result: Scalogram, cotangents: list[NDArray[Any]]) -> ScalogramGradient:
    r"""The gradients of :math:`\mathrm{Re} \langle g, W \rangle`."""
    analysis = result._analysis
    spectra = np.fft.fft(_wide(_of_rows(analysis, cotangents), analysis), axis=-1)
    plan = plan_of(analysis.grid.plain, analysis.layout, "float64")
    data = _data_gradient(analysis, spectra, plan.windows)
    frequencies, parameters = _parameter_gradients(analysis, spectra, plan.windows)
    c = result.coefficients
    xp = array_namespace(c)
    array = xp.asarray(data, device=device_of(c))
    return ScalogramGradient(xp.astype(array, result._dtype), frequencies, parameters)


def _of_rows(analysis: Analysis, cotangents: list[NDArray[Any]]) -> NDArray[Any]:
    """The cotangents of the analytic rows of real signals."""
    g, phase = cotangents[0], analysis.grid.concrete.phase
    if analysis.is_real:
        parts = [np.real(g), np.imag(g)] if analysis.is_complex else [np.real(g)]
        rows = [np.conj(phase) * part for part in parts]
    elif analysis.is_complex:
        negative = np.conj(cotangents[1])
        rows = [g + negative, -1j * g + 1j * negative]
    else:
        rows = [g]
    return np.stack(rows) if analysis.is_complex else rows[0]


def _wide(rows: NDArray[Any], analysis: Analysis) -> NDArray[Any]:
    """The cotangents with zeros in all columns that the result does not have."""
    layout = analysis.layout
    wide = np.zeros((*rows.shape[:-1], layout.length), np.complex128)
    wide[..., layout.before : layout.before + layout.n : analysis.hop] = rows
    return wide


def _data_gradient(analysis: Analysis, spectra: NDArray[Any], windows: Any) -> NDArray[Any]:
    """The adjoint of the transform."""
    total = np.zeros((*spectra.shape[:-2], spectra.shape[-1]), np.complex128)
    for row, bins, window in _bins(windows):
        total[..., bins] += spectra[..., row, bins] * window.response
    signal = folded(np.fft.ifft(total, axis=-1).real, analysis.layout)
    if analysis.is_complex:
        signal = signal[0] + 1j * signal[1]
    return np.moveaxis(signal, -1, analysis.axis)


def _bins(windows: Any) -> Iterator[tuple[int, slice, Window]]:
    for row, window in enumerate(windows):
        yield row, slice(window.start, window.start + window.response.size), window


def _parameter_gradients(
    analysis: Analysis, spectra: NDArray[Any], windows: Any
) -> tuple[NDArray[np.float64], dict[str, float]]:
    """The gradients of frequencies and parameters, from those of the responses."""
    grid, length = analysis.grid, analysis.layout.length
    wavelet, values = grid.concrete, grid.concrete.parameters
    x = as_numpy(analysis.spectrum).astype(np.complex128)
    frequencies = np.zeros(grid.frequencies.size)
    names = [name for name, value in values.items() if isinstance(value, float)]
    parameters = dict.fromkeys(names, 0.0)
    for row, bins, _ in _bins(windows):
        products = np.real(x[..., bins] * np.conj(spectra[..., row, bins])) / length
        gradient = products.reshape(-1, products.shape[-1]).sum(axis=0)
        cycles, f = np.arange(bins.start, bins.stop) / length, grid.frequencies[row]
        moved = responses(wavelet, f + 1j * _STEP * f, cycles, grid.fs, grid.norm)
        frequencies[row] = gradient @ moved.imag / (_STEP * f)
        for name in names:
            step = _STEP * values[name]
            other = unchecked(wavelet, {**values, name: values[name] + 1j * step})
            moved = responses(other, f, cycles, grid.fs, grid.norm)
            parameters[name] += float(gradient @ moved.imag / step)
    return frequencies, parameters
