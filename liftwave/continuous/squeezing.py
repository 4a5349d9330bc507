"""Synchrosqueezing: coefficients moved to their instantaneous frequency."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from array_api_compat import array_namespace, is_cupy_array, is_torch_array
from array_api_compat import device as device_of

from liftwave._arrays.convert import real_dtype, zeros
from liftwave._arrays.host import as_numpy
from liftwave._kernels.reference.spectral import steps_of
from liftwave._plan.spectral import SpectralPlan
from liftwave._typing import Array
from liftwave.continuous.analysis import Analysis, rows_of
from liftwave.continuous.components import Components
from liftwave.continuous.grid import dtype_of_responses, plan_of
from liftwave.errors import DTypeError, OptionError, ScaleError


@dataclass(frozen=True, eq=False, repr=False)
class Synchrosqueezed(Components):
    r"""A synchrosqueezed transform, as :meth:`Scalogram.synchrosqueeze` returns it.

    Attributes
    ----------
    coefficients : array, shape (..., frequencies, times)
        Complex. The sum over the frequencies of a component is its analytic signal, and the real
        part of the sum over all frequencies is the signal without its mean.
    frequencies, times, coi : ndarray
        As of the scalogram.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> t = np.arange(1000) / 250
    >>> x = 2 * np.cos(2 * np.pi * (20 * t + 5 * t**2))
    >>> q = lw.scalogram(x, 250, voices=16).synchrosqueeze()
    >>> bool(abs(q.inverse() - x)[100:900].max() < 0.02)
    True
    >>> float(q.frequencies[abs(q.coefficients[:, 500]).argmax()].round())  # 20 + 10 t = 40
    41.0
    """

    _name: ClassVar[str] = "synchrosqueezed scalogram"

    def inverse(self, band: tuple[float, float] | None = None) -> Array:
        """Return the signal, or its component in a band of frequencies.

        Parameters
        ----------
        band : (float, float), optional
            The lowest and the highest frequency. By default all, and the mean.

        Returns
        -------
        array
            Of the shape of the signal. The error is about 1e-3 of the signal, as of the integral
            over scales (``Scalogram.inverse(method="integral")``).

        Raises
        ------
        OptionError, ArgumentTypeError
            If the band is not valid.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> t = np.arange(1000)
        >>> slow, fast = np.cos(0.1 * t), np.cos(0.6 * t)
        >>> q = lw.scalogram(slow + fast, voices=16).synchrosqueeze()
        >>> error = q.inverse((0.05, 0.2)) - fast
        >>> bool(np.std(error[100:900]) < 2e-3)
        True
        """
        rows = self._rows_in(band)
        if self._analysis.hop > 1:
            raise OptionError("rate left out columns, which the inverse needs: do not pass rate")
        total = self._weighted(
            rows.astype(float), array_namespace(self.coefficients).real(self.coefficients)
        )
        if band is None or band[0] <= 0:
            total = total + self._analysis.mean[..., None]
        return self._analysis.joined(total)

    def _component(self, mask: Array) -> Array:
        xp = array_namespace(self.coefficients)
        values = xp.real(self.coefficients)
        chosen = xp.where(mask, values, xp.zeros_like(values))
        return self._analysis.joined(xp.sum(chosen, axis=-2))


def synchrosqueezed(analysis: Analysis, threshold: float | None) -> Synchrosqueezed:
    """The coefficients of an analysis, moved to their instantaneous frequencies.

    Raises
    ------
    ScaleError
        If the frequencies do not have equal ratios.
    DTypeError
        If the signal is complex.
    """
    if analysis.is_complex:
        raise DTypeError("synchrosqueezing is for real signals, got a complex one")
    analysis = replace(analysis, grid=replace(analysis.grid, norm="amplitude"))
    collected = _Collected(analysis, _Bins.of(analysis.grid.frequencies), threshold)
    dtype = dtype_of_responses(analysis.spectrum)
    plan = plan_of(analysis.grid, analysis.layout, dtype, analysis.hop)
    first = 0
    for windows in steps_of(plan, analysis.spectrum):
        collected.add(replace(plan, windows=windows, native={}), first)
        first += len(windows)
    return Synchrosqueezed(collected.result(), analysis)


@dataclass(frozen=True)
class _Bins:
    """The row of a frequency, on a grid of equal ratios."""

    highest: float
    voices: float
    count: int

    @classmethod
    def of(cls, frequencies: Any) -> _Bins:
        count = frequencies.size
        demand = "synchrosqueezing needs falling frequencies with equal ratios: pass voices, limits"
        if count < 2 or not frequencies[0] > frequencies[-1]:
            raise ScaleError(f"{demand}; got {frequencies}")
        voices = (count - 1) / math.log2(frequencies[0] / frequencies[-1])
        expected = frequencies[0] * 2.0 ** (-np.arange(count) / voices)
        if not np.allclose(frequencies, expected, rtol=1e-6, atol=0):
            raise ScaleError(f"{demand}; got {frequencies}")
        return cls(float(frequencies[0]), voices, count)


class _Collected:
    """Sums of coefficients by time and row of their instantaneous frequency."""

    def __init__(self, analysis: Analysis, bins: _Bins, threshold: float | None) -> None:
        self.analysis, self.bins = analysis, bins
        grid, spectrum = analysis.grid, analysis.spectrum
        xp = array_namespace(spectrum)
        self.factors = grid.weights * (2 / grid.shape.admissibility)
        # Frequencies instead of their products with 2 pi i: the derivative, up to this factor.
        cycles = np.arange(spectrum.shape[-1]) * (grid.fs / analysis.layout.length)
        waves = xp.asarray(cycles, dtype=real_dtype(spectrum, xp), device=device_of(spectrum))
        self.slope = spectrum * xp.astype(waves, spectrum.dtype)
        self.floor = self._floor(threshold)
        self.total: Array = None

    def _floor(self, threshold: float | None) -> Any:
        """The square of the threshold: magnitudes below have no reliable phase."""
        if threshold is not None:
            return threshold**2
        xp = array_namespace(self.slope)
        largest = xp.max(xp.abs(self.analysis.signal), axis=-1)
        return ((1e-6 * largest) ** 2)[..., None, None]

    def add(self, plan: SpectralPlan, first: int) -> None:
        """Compute some rows, and add them to the rows of their frequencies."""
        rows = rows_of(self.analysis.spectrum, plan)
        xp, count = array_namespace(rows), rows.shape[-2]
        places, is_inside = self._places(rows, rows_of(self.slope, plan))
        factors = xp.asarray(
            self.factors[first : first + count, None], dtype=rows.dtype, device=device_of(rows)
        )
        values = xp.where(is_inside, rows * factors, xp.zeros_like(rows))
        if self.total is None:
            shape = (*rows.shape[:-2], self.bins.count, rows.shape[-1])
            self.total = (
                zeros(shape, rows, xp)
                if _adds_in_place(rows)
                else np.zeros(shape, str(rows.dtype).rpartition(".")[2])
            )
        add_scattered(self.total, values, places)

    def _places(self, rows: Array, slopes: Array) -> tuple[Array, Array]:
        """The row of the instantaneous frequency, and whether it is one of the grid."""
        xp = array_namespace(rows)
        squared = xp.real(rows) ** 2 + xp.imag(rows) ** 2
        product = xp.real(slopes) * xp.real(rows) + xp.imag(slopes) * xp.imag(rows)
        tiny = float(xp.finfo(squared.dtype).smallest_normal)
        is_large = (squared > self.floor) & (squared > tiny) & (product > 0)
        ones = xp.ones_like(squared)
        frequency = xp.where(is_large, product / xp.where(is_large, squared, ones), ones)
        place = xp.round(self.bins.voices * xp.log2(self.bins.highest / frequency))
        is_inside = is_large & (place >= 0) & (place < self.bins.count)
        return xp.astype(xp.where(is_inside, place, xp.zeros_like(place)), xp.int64), is_inside

    def result(self) -> Array:
        """The sums, in the library of the signal."""
        spectrum = self.analysis.spectrum
        if isinstance(self.total, np.ndarray) and type(spectrum) is not np.ndarray:
            return array_namespace(spectrum).asarray(self.total, device=device_of(spectrum))
        return self.total


def _adds_in_place(values: Array) -> bool:
    """Whether sums by index are computed in the library of the array. The standard has none."""
    return type(values) is np.ndarray or is_torch_array(values) or is_cupy_array(values)


def add_scattered(total: Array, values: Array, places: Array) -> None:
    """Add each value to the row of ``total`` that its place names, in its column."""
    if is_torch_array(total):
        total.scatter_add_(-2, places, values)
        return
    if isinstance(total, np.ndarray):
        values, places = as_numpy(values), as_numpy(places)
    columns = array_namespace(places).arange(places.shape[-1], device=device_of(places))
    flat = total.reshape(-1, *total.shape[-2:])
    rows, index = values.reshape(-1, *values.shape[-2:]), places.reshape(-1, *values.shape[-2:])
    for k in range(flat.shape[0]):
        for row in range(rows.shape[1]):
            # Each column occurs once in a row, so no sum is lost.
            flat[k, index[k, row], columns] += rows[k, row]
