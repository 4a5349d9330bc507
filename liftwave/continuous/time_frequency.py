"""The common base class of scalograms, synchrosqueezed transforms and cross scalograms."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.host import as_numpy
from liftwave._numbers import items, real_number
from liftwave._typing import Array
from liftwave.continuous.analysis import Analysis
from liftwave.continuous.families import AnalyticWavelet
from liftwave.continuous.grid import Grid
from liftwave.continuous.plotting import Picture, check_plane, checked_options, draw
from liftwave.continuous.ridges import Ridge
from liftwave.errors import ArgumentTypeError, OptionError, ShapeError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class TimeFrequency(ABC):
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
        """The cone of influence: at each time the lowest frequency independent of the ends.

        A row is independent of them if its e-folding time is at most the distance to the nearer
        end.
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
        8.9
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

    def plot(
        self,
        title: str | None = None,
        *,
        ridges: Sequence[Ridge] = (),
        level: float | None = None,
        unit: str = "",
        time_unit: str = "s",
        period: bool = False,
    ) -> Figure:
        """Draw magnitudes over time and frequency with matplotlib.

        The axis of frequencies is logarithmic. The cone of influence is shaded: coefficients there
        depend on samples beyond the ends.

        Parameters
        ----------
        title : str, optional
            Heading of the figure.
        ridges : sequence of Ridge, optional
            Ridges to draw, from :meth:`ridges`.
        level : float, optional
            Surrounds the coefficients that are significant at this level, such as 0.95.
        unit : str, optional
            The unit of the signal, such as ``"mV"``.
        time_unit : str, optional
            The unit of time; default ``"s"``.
        period : bool, optional
            Draws periods in place of frequencies. Default False.

        Returns
        -------
        matplotlib.figure.Figure
            Created without pyplot, so it is neither shown nor kept open.

        Raises
        ------
        ShapeError
            If there are several signals, or fewer than two frequencies or times.
        OptionError, ArgumentTypeError
            If an option is not valid.
        """
        periods = checked_options(title, unit, time_unit, period)
        check_plane(tuple(self.coefficients.shape))
        lines = [np.asarray(ridge.frequencies) for ridge in checked_ridges(ridges, self.times.size)]
        picture = Picture(
            *(self._shown(), self.frequencies, self.times, self.coi),
            label=self._label(unit),
            heading=f"{self._name}, {self.wavelet}",
            limit=None if level is None else self._shown_limit(level),
            ridges=lines,
            highest=self._highest,
            arrows=self._arrows(),
        )
        return draw(picture, title, time_unit, periods)

    _name: ClassVar[str] = "scalogram"
    _highest: ClassVar[float | None] = None

    def _shown(self) -> NDArray[Any]:
        """The values of a figure."""
        return np.asarray(np.abs(as_numpy(self.coefficients)))

    def _shown_limit(self, level: float) -> NDArray[Any]:
        """The smallest significant value of each row."""
        raise OptionError(f"{type(self).__name__} has no significance: do not pass level")

    def _label(self, unit: str) -> str:
        """The name of the values."""
        name = "amplitude" if self.norm == "amplitude" else "magnitude, unit energy"
        return f"{name} ({unit})" if unit else name

    def _arrows(self) -> NDArray[Any] | None:
        """The phases of a figure."""
        return None

    def _rows_in(self, band: Any) -> NDArray[np.bool_]:
        """Whether the peak of each row is in a band."""
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


def checked_ridges(ridges: Any, count: int) -> list[Ridge]:
    """Ridges to draw.

    Raises
    ------
    ArgumentTypeError, ShapeError
        If they are not ridges of one signal with this number of times.
    """
    demand = "ridges must be a sequence of ridges, from ridges()"
    lines = items(ridges, demand)
    for line in lines:
        if not isinstance(line, Ridge):
            raise ArgumentTypeError(f"{demand}, got an object of type {type(line).__name__}")
        if line.frequencies.shape != (count,):
            raise ShapeError(
                f"ridges must have {count} times, got one of shape {line.frequencies.shape}"
            )
    return lines


def _dtype(x: Array) -> str:
    return str(x.dtype).rpartition(".")[2] or str(x.dtype)
