"""Synchrosqueezing: coefficients moved to their instantaneous frequency."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from array_api_compat import array_namespace, is_cupy_array, is_torch_array
from array_api_compat import device as device_of

from liftwave._arrays.convert import real_dtype, zeros
from liftwave._dispatch import kernels_for
from liftwave._kernels.reference.spectral import steps_of
from liftwave._plan.spectral import SpectralPlan
from liftwave._plan.squeezing import SqueezePlan
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
            Of the shape of the signal. The error is about 1e-3 of the signal, as for the integral
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
            raise OptionError("rate omitted columns that the inverse needs: do not pass rate")
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
        raise DTypeError("synchrosqueezing needs a real signal, got a complex one")
    analysis = replace(analysis, grid=replace(analysis.grid, norm="amplitude"))
    collected = _Collected(analysis, _plan(analysis), threshold)
    dtype = dtype_of_responses(analysis.spectrum)
    plan = plan_of(analysis.grid, analysis.layout, dtype, analysis.hop)
    first = 0
    for windows in steps_of(plan, analysis.spectrum):
        collected.add(replace(plan, windows=windows, native={}), first)
        first += len(windows)
    return Synchrosqueezed(collected.result(), analysis)


def _plan(analysis: Analysis) -> SqueezePlan:
    """The rows of frequencies, which have equal ratios."""
    grid = analysis.grid
    frequencies, count = grid.frequencies, grid.frequencies.size
    demand = "synchrosqueezing needs falling frequencies with equal ratios: pass voices, limits"
    if count < 2 or not frequencies[0] > frequencies[-1]:
        raise ScaleError(f"{demand}; got {frequencies}")
    voices = (count - 1) / math.log2(frequencies[0] / frequencies[-1])
    expected = frequencies[0] * 2.0 ** (-np.arange(count) / voices)
    if not np.allclose(frequencies, expected, rtol=1e-6, atol=0):
        raise ScaleError(f"{demand}; got {frequencies}")
    factors = grid.weights * (2 / grid.shape.admissibility)
    return SqueezePlan(float(frequencies[0]), voices, count, factors)


class _Collected:
    """Sums of coefficients by time and row of their instantaneous frequency."""

    def __init__(self, analysis: Analysis, plan: SqueezePlan, threshold: float | None) -> None:
        self.analysis, self.plan = analysis, plan
        spectrum = analysis.spectrum
        xp = array_namespace(spectrum)
        # Products with the frequencies give the derivative, up to the factor 2 pi i.
        cycles = np.arange(spectrum.shape[-1]) * (analysis.grid.fs / analysis.layout.length)
        waves = xp.asarray(cycles, dtype=real_dtype(spectrum, xp), device=device_of(spectrum))
        self.slope = spectrum * xp.astype(waves, spectrum.dtype)
        self.floor = self._floor(threshold)
        self.total: Array = None

    def _floor(self, threshold: float | None) -> Array:
        """The square of the threshold: magnitudes below have no reliable phase."""
        xp = array_namespace(self.slope)
        largest = xp.max(xp.abs(self.analysis.signal), axis=-1, keepdims=True)
        return (1e-6 * largest) ** 2 if threshold is None else xp.full_like(largest, threshold**2)

    def add(self, plan: SpectralPlan, first: int) -> None:
        """Compute some rows, and add them to the rows of their frequencies."""
        rows = rows_of(self.analysis.spectrum, plan)
        slopes = rows_of(self.slope, plan)
        if self.total is None:
            self.total = self._zeros(rows)
        kernels = kernels_for(rows, slopes).time_frequency
        kernels.squeeze(self.total, rows, slopes, self.floor, self.plan, first)

    def _zeros(self, rows: Array) -> Array:
        """The memory of the sums, in NumPy: the array API standard has no sums by index."""
        shape = (*rows.shape[:-2], self.plan.count, rows.shape[-1])
        if type(rows) is np.ndarray or is_torch_array(rows) or is_cupy_array(rows):
            return zeros(shape, rows, array_namespace(rows))
        return np.zeros(shape, str(rows.dtype).rpartition(".")[2])

    def result(self) -> Array:
        """The sums, in the library of the signal."""
        spectrum = self.analysis.spectrum
        if isinstance(self.total, np.ndarray) and type(spectrum) is not np.ndarray:
            return array_namespace(spectrum).asarray(self.total, device=device_of(spectrum))
        return self.total
