"""What scalograms, synchrosqueezed transforms and cross scalograms have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._numbers import items, real_number
from liftwave._typing import Array
from liftwave.continuous.analysis import Analysis
from liftwave.continuous.families import AnalyticWavelet
from liftwave.continuous.grid import Grid
from liftwave.errors import ArgumentTypeError, OptionError


@dataclass(frozen=True, eq=False, repr=False)
class TimeFrequency:
    """Coefficients with an axis of frequencies and an axis of time, the last two."""

    coefficients: Array
    _analysis: Analysis

    @property
    def _grid(self) -> Grid:
        return self._analysis.grid

    @property
    def wavelet(self) -> AnalyticWavelet:
        """The wavelet."""
        return self._grid.wavelet

    @property
    def norm(self) -> str:
        """The norm: ``"amplitude"``, ``"energy"`` or ``"torrence"``."""
        return self._grid.norm

    @property
    def mode(self) -> str:
        """The boundary mode."""
        return self._analysis.layout.mode

    @property
    def fs(self) -> float:
        """The number of samples of the signal per unit of time."""
        return self._grid.fs

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """The peak frequency of each row, in the unit of ``fs``."""
        return self._grid.frequencies

    @property
    def scales(self) -> NDArray[np.float64]:
        """The scale of each row, in the unit of time: the peak of the wavelet over frequency."""
        return self._grid.scales

    @property
    def times(self) -> NDArray[np.float64]:
        """The time of each column; 0 is the first sample."""
        return np.arange(0, self._analysis.layout.n, self._analysis.hop) / self.fs

    @property
    def coi(self) -> NDArray[np.float64]:
        """The cone of influence: the lowest frequency at each time that is free of the ends.

        A row is free of them if its e-folding time is at most the distance to the nearer end.
        """
        n, shape = self._analysis.layout.n, self._grid.shape
        places = np.arange(0, n, self._analysis.hop)
        distance = np.minimum(places, n - 1 - places) + 0.5
        return np.asarray(shape.efolding * shape.peak / (2 * np.pi) * self.fs / distance)

    def power(self) -> Array:
        """Return the squared magnitudes of the coefficients.

        Returns
        -------
        array, shape (..., frequencies, times)
            Real.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> t = np.arange(500) / 100
        >>> s = lw.scalogram(3 * np.cos(2 * np.pi * 10 * t), fs=100)
        >>> float(s.power()[:, 250].max().round(1))
        9.0
        """
        c = self.coefficients
        xp = array_namespace(c)
        if not xp.isdtype(c.dtype, "complex floating"):
            return c * c
        return xp.real(c) ** 2 + xp.imag(c) ** 2

    def global_spectrum(self) -> Array:
        """Return the mean of the power over time, for each frequency.

        Returns
        -------
        array, shape (..., frequencies)
            Torrence and Compo's global wavelet spectrum.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> s = lw.scalogram(np.cos(2 * np.pi * 0.05 * np.arange(500)), voices=16)
        >>> float(s.frequencies[s.global_spectrum().argmax()].round(2))
        0.05
        """
        return array_namespace(self.coefficients).mean(self.power(), axis=-1)

    def _rows_in(self, band: Any) -> NDArray[np.bool_]:
        """Which rows have their peak in a band."""
        if band is None:
            return np.ones(self.frequencies.size, bool)
        low, high = checked_band(band)
        return (self.frequencies >= low) & (self.frequencies <= high)

    def _weighted(self, weights: Sequence[float] | NDArray[Any], x: Array) -> Array:
        """The sum of rows with real weights."""
        xp = array_namespace(x)
        rows = np.flatnonzero(np.asarray(weights))
        factors = xp.asarray(np.asarray(weights)[rows], dtype=x.dtype, device=device_of(x))
        chosen = xp.take(x, xp.asarray(rows, device=device_of(x)), axis=-2)
        return xp.matmul(factors[None, :], chosen)[..., 0, :]

    def __repr__(self) -> str:
        shape, f = tuple(self.coefficients.shape), self.frequencies
        first = (
            f"{type(self).__name__} of shape {shape}, {_dtype(self.coefficients)}, by "
            f"{self.wavelet}, norm {self.norm!r}, mode {self.mode!r}"
        )
        ends = f" from {f[0]:.4g} to {f[-1]:.4g}" if f.size else ""
        return f"{first}\n  {f.size} frequencies{ends}"


def checked_band(band: Any) -> tuple[float, float]:
    """The lowest and the highest frequency of a band.

    Raises
    ------
    ArgumentTypeError, OptionError
        If it is not two increasing numbers.
    """
    demand = "band must be the lowest and the highest frequency"
    ends = items(band, demand)
    if len(ends) != 2:
        raise OptionError(f"{demand}, got {band!r}")
    low, high = (real_number(end, demand, ArgumentTypeError) for end in ends)
    if not low <= high:
        raise OptionError(f"{demand}, in this order; got {band!r}")
    return low, high


def _dtype(x: Array) -> str:
    return str(x.dtype).rpartition(".")[2] or str(x.dtype)
