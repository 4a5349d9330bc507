"""What scalograms, synchrosqueezed transforms and cross scalograms have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.host import as_numpy
from liftwave._numbers import items, positive_number, real_number
from liftwave._typing import Array
from liftwave.continuous.analysis import Analysis
from liftwave.continuous.families import AnalyticWavelet
from liftwave.continuous.grid import Grid
from liftwave.continuous.plotting import Picture, check_plane, checked_options, draw
from liftwave.continuous.ridges import Ridge, best_paths
from liftwave.errors import ArgumentTypeError, OptionError, ScaleError, ShapeError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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

    def ridges(
        self, n: int = 1, *, penalty: float = 400.0, width: float | None = None
    ) -> list[Ridge]:
        r"""Return the ridges of the strongest components: their frequencies over time.

        Parameters
        ----------
        n : int, optional
            The number of ridges. Default 1.
        penalty : float, optional
            The cost of steps; 0 follows the largest coefficient at each time. Default 400.
        width : float, optional
            Half the width of a component, in octaves: rows at this distance of a ridge belong to
            it. By default three times the half width of the wavelet.

        Returns
        -------
        list of Ridge
            The strongest first. Ridges have :attr:`~Ridge.frequencies`,
            :attr:`~Ridge.amplitudes`, :attr:`~Ridge.rows` and :attr:`~Ridge.component`, the signal
            of the component (``None`` if ``rate`` left out columns).

        Raises
        ------
        ScaleError
            If there are no frequencies, or one occurs twice.
        OptionError, ArgumentTypeError
            If an argument is not valid.

        Notes
        -----
        A ridge maximises

        .. math:: \sum_t \ln \frac{|W_{f_t, t}|^2}{\max_f |W_{f, t}|^2}
                  - p \sum_t (\ln f_t - \ln f_{t-1})^2

        over all paths. The optimum is exact: each step is a lower envelope of parabolas, in time
        proportional to the number of rows. The next ridge is that of the remaining rows.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> t = np.arange(1000) / 250
        >>> x = np.cos(2 * np.pi * (20 * t + 5 * t**2)) + 0.5 * np.cos(2 * np.pi * 5 * t)
        >>> first, second = lw.scalogram(x, 250, voices=16).ridges(2)
        >>> first.frequencies[[250, 750]].round(), second.frequencies[500].round()
        (array([30., 50.]), np.float64(5.0))
        >>> bool(np.std(second.component - 0.5 * np.cos(2 * np.pi * 5 * t)) < 0.01)
        True
        """
        count = positive_number(n, "n", OptionError)
        if count > max(self.frequencies.size, 1):
            raise OptionError(f"n={n} ridges of {self.frequencies.size} rows: pass a smaller n")
        cost = real_number(penalty, "penalty must be a number of at least 0", ArgumentTypeError)
        if not 0 <= cost < math.inf:
            raise OptionError(f"penalty must be a number of at least 0, got {penalty!r}")
        logs = np.log(self.frequencies)
        if not logs.size or np.unique(logs).size < logs.size:
            raise ScaleError(f"ridges need distinct frequencies, got {self.frequencies}")
        reach = 3 * math.log(self._grid.shape.half)
        if width is not None:
            demand = "width must be a positive number of octaves"
            reach = math.log(2) * real_number(width, demand, ArgumentTypeError)
            if not 0 < reach < math.inf:
                raise OptionError(f"{demand}, got {width!r}")
        power = as_numpy(self.power()).astype(np.float64)
        flat = power.reshape(-1, *power.shape[-2:])
        paths = [best_paths(item, logs, count, cost, reach) for item in flat]
        shape = (*power.shape[:-2], power.shape[-1])
        return [
            self._ridge(np.stack([item[k] for item in paths]).reshape(shape), logs, reach)
            for k in range(count)
        ]

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

    def _ridge(self, rows: NDArray[np.int64], logs: NDArray[np.float64], reach: float) -> Ridge:
        """The ridge of a path."""
        c, place = self.coefficients, rows[..., None, :]
        xp = array_namespace(c)
        index = np.arange(logs.size)[:, None]
        on, near = (
            xp.asarray(mask, device=device_of(c))
            for mask in (index == place, abs(logs[:, None] - logs[place]) <= reach)
        )
        magnitudes = xp.abs(c)
        amplitudes = xp.sum(xp.where(on, magnitudes, xp.zeros_like(magnitudes)), axis=-2)
        component = self._component(near) if self._analysis.hop == 1 else None
        return Ridge(self.frequencies[rows], amplitudes, rows, component)

    def _component(self, mask: Array) -> Array:
        """The signal of some of the coefficients."""
        raise NotImplementedError

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
