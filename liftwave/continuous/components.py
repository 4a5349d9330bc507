"""Components of scalograms: ridges, and the signals around them."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.host import as_numpy
from liftwave._numbers import positive_number, real_number
from liftwave._typing import Array
from liftwave.continuous.ridges import Ridge, best_paths
from liftwave.continuous.time_frequency import TimeFrequency
from liftwave.errors import ArgumentTypeError, OptionError, ScaleError


@dataclass(frozen=True, eq=False, repr=False)
class Components(TimeFrequency):
    """Coefficients of one signal, from which components can be extracted."""

    def ridges(
        self, n: int = 1, *, penalty: float | None = None, width: float | None = None
    ) -> list[Ridge]:
        r"""Return the ridges of the strongest components: their frequencies over time.

        Parameters
        ----------
        n : int, optional
            The number of ridges. Default 1.
        penalty : float, optional
            The cost of steps; 0 follows the largest coefficient at each time. By default 40 for
            each column in a period of the middle frequency.
        width : float, optional
            Half the width of a component, in octaves: rows up to this distance from a ridge belong
            to it. By default three times the half width of the wavelet.

        Returns
        -------
        list of Ridge
            The strongest first. Ridges have :attr:`~Ridge.frequencies`,
            :attr:`~Ridge.amplitudes`, :attr:`~Ridge.rows` and :attr:`~Ridge.component`, the signal
            of the component (``None`` if ``rate`` omitted columns).

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
        logs = np.log(self.frequencies)
        if not logs.size or np.unique(logs).size < logs.size:
            raise ScaleError(f"ridges need distinct frequencies, got {self.frequencies}")
        cost = self._cost(penalty, logs)
        reach = 3 * math.log(self._grid.shape.half)
        if width is not None:
            demand = "width must be a positive number of octaves"
            reach = math.log(2) * real_number(width, demand, ArgumentTypeError)
            if not 0 < reach < math.inf:
                raise OptionError(f"{demand}, got {width!r}")
        power = as_numpy(self.power()).astype(np.float64, copy=False)
        flat = power.reshape(-1, *power.shape[-2:])
        paths = [best_paths(item, logs, count, cost, reach) for item in flat]
        shape = (*power.shape[:-2], power.shape[-1])
        return [
            self._ridge(np.stack([item[k] for item in paths]).reshape(shape), logs, reach)
            for k in range(count)
        ]

    def _cost(self, penalty: float | None, logs: NDArray[np.float64]) -> float:
        """The cost of a squared step."""
        if penalty is None:
            rate = self.fs / self._analysis.hop
            return 40 * rate / math.exp(float(logs.max() + logs.min()) / 2)
        demand = "penalty must be a number of at least 0"
        cost = real_number(penalty, demand, ArgumentTypeError)
        if not 0 <= cost < math.inf:
            raise OptionError(f"{demand}, got {penalty!r}")
        return cost

    def _ridge(self, rows: NDArray[np.int64], logs: NDArray[np.float64], reach: float) -> Ridge:
        """The ridge of a path."""
        component = None
        if self._analysis.hop == 1:
            near = abs(logs[:, None] - logs[rows[..., None, :]]) <= reach
            c = self.coefficients
            component = self._component(array_namespace(c).asarray(near, device=device_of(c)))
        return Ridge(self.frequencies[rows], self._amplitudes(rows), rows, component)

    def _amplitudes(self, rows: NDArray[np.int64]) -> Array:
        """The magnitude of the coefficients of a row at each time."""
        c, place = self.coefficients, rows[..., None, :]
        if type(c) is np.ndarray:
            return np.abs(np.take_along_axis(c, place, axis=-2)[..., 0, :])
        xp = array_namespace(c)
        on = xp.asarray(np.arange(self.frequencies.size)[:, None] == place, device=device_of(c))
        magnitudes = xp.abs(c)
        return xp.sum(xp.where(on, magnitudes, xp.zeros_like(magnitudes)), axis=-2)

    @abstractmethod
    def _component(self, mask: Array) -> Array:
        """The signal of some of the coefficients."""
