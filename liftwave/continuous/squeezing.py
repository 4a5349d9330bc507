"""Synchrosqueezing: coefficients moved to their instantaneous frequency."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from liftwave._arrays.convert import is_complex, real_dtype
from liftwave._arrays.host import as_numpy
from liftwave._kernels.reference.spectral import spectral_rows, steps_of
from liftwave._plan.spectral import SpectralPlan, Window
from liftwave._typing import Array
from liftwave.continuous.analysis import Analysis
from liftwave.continuous.grid import dtype_of_responses, plan_of
from liftwave.continuous.time_frequency import TimeFrequency
from liftwave.errors import ScaleError


@dataclass(frozen=True, eq=False, repr=False)
class Synchrosqueezed(TimeFrequency):
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
    >>> float(q.frequencies[abs(q.coefficients[:, 500]).argmax()].round())  # 20 + 10 t
    39.0
    """

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
        xp = array_namespace(self.coefficients)
        total = self._weighted(rows.astype(float), xp.real(self.coefficients))
        if band is None or band[0] <= 0:
            total = total + self._analysis.mean[..., None]
        return xp.moveaxis(total, -1, self._analysis.axis)


def synchrosqueezed(analysis: Analysis, threshold: float | None) -> Synchrosqueezed:
    """The coefficients of an analysis, moved to their instantaneous frequencies.

    Raises
    ------
    ScaleError
        If the frequencies do not have equal ratios.
    """
    grid = analysis.grid
    bins = _Bins.of(grid.frequencies)
    plan = plan_of(grid, analysis.layout, dtype_of_responses(analysis.spectrum), analysis.hop)
    factors = grid.weights * (2 / grid.shape.admissibility) / grid.gains
    collected = _Collected(analysis, bins, factors, threshold)
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

    def __init__(
        self, analysis: Analysis, bins: _Bins, factors: Any, threshold: float | None
    ) -> None:
        self.analysis, self.bins, self.factors = analysis, bins, factors
        self.threshold = threshold
        spectrum = analysis.spectrum
        xp = array_namespace(spectrum)
        k = np.arange(spectrum.shape[-1]) * (analysis.grid.fs / analysis.layout.length)
        # Real, so that the spectrum of the derivative is i times it.
        waves = xp.asarray(k, dtype=real_dtype(spectrum, xp), device=device_of(spectrum))
        self.slope = spectrum * xp.astype(waves, spectrum.dtype)
        self.values: list[Array] = []
        self.places: list[Array] = []

    def add(self, plan: SpectralPlan, first: int) -> None:
        """Compute some rows, and the rows that they are moved to."""
        rows = spectral_rows(self.analysis.spectrum, plan)
        slopes = spectral_rows(self.slope, plan)
        xp = array_namespace(rows)
        # The instantaneous frequency: the real part of slopes / rows.
        squared = xp.real(rows) ** 2 + xp.imag(rows) ** 2
        tiny = float(xp.finfo(squared.dtype).smallest_normal)
        floor = self._floor(squared, xp)
        product = xp.real(slopes) * xp.real(rows) + xp.imag(slopes) * xp.imag(rows)
        is_large = (squared > floor) & (squared > tiny) & (product > 0)
        frequency = xp.where(is_large, product / xp.where(is_large, squared, 1.0), 1.0)
        place = xp.round(self.bins.voices * xp.log2(self.bins.highest / frequency))
        is_inside = is_large & (place >= 0) & (place < self.bins.count)
        count = rows.shape[-2]
        factors = xp.asarray(
            self.factors[first : first + count, None], dtype=squared.dtype, device=device_of(rows)
        )
        self.values.append(xp.where(is_inside, rows * factors, xp.zeros_like(rows)))
        self.places.append(xp.astype(xp.where(is_inside, place, 0.0), xp.int64))

    def _floor(self, squared: Array, xp: Any) -> Any:
        """The square of the threshold: magnitudes below have no reliable phase."""
        if self.threshold is not None:
            return float(self.threshold) ** 2
        signal = self.analysis.signal
        largest = xp.max(xp.abs(signal), axis=-1)
        return ((1e-6 * largest) ** 2)[..., None, None]

    def result(self) -> Array:
        xp = array_namespace(self.values[0])
        values, places = (xp.concat(x, axis=-2) for x in (self.values, self.places))
        return scattered(values, places, self.bins.count)


def scattered(values: Array, places: Array, count: int) -> Array:
    """The sums of rows at each time, by their places: ``count`` rows."""
    xp = array_namespace(values)
    if hasattr(values, "scatter_add"):  # torch
        zeros = xp.zeros((*values.shape[:-2], count, values.shape[-1]), dtype=values.dtype)
        return zeros.to(values.device).scatter_add(-2, places, values)
    if hasattr(values, "get"):  # CuPy: one row at a time has each place once
        return _added(values, places, xp.zeros((*values.shape[:-2], count, values.shape[-1]), values.dtype))
    host, index = as_numpy(values), as_numpy(places)
    total = _added(host, index, np.zeros((*host.shape[:-2], count, host.shape[-1]), host.dtype))
    return total if type(values) is np.ndarray else xp.asarray(total, device=device_of(values))


def _added(values: Array, places: Array, total: Array) -> Array:
    xp = array_namespace(values)
    columns = xp.arange(values.shape[-1])
    flat, rows = total.reshape(-1, *total.shape[-2:]), values.reshape(-1, *values.shape[-2:])
    index = places.reshape(rows.shape)
    for k in range(flat.shape[0]):
        for row in range(rows.shape[1]):
            # Each column occurs once, so this adds without losing a term.
            flat[k, index[k, row], columns] += rows[k, row]
    return total
