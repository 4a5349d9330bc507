"""Statistics of wavelet bands as features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftwave._numbers import is_one_of, items
from liftwave._typing import Modes
from liftwave.decomposition.decomposition import Decomposition, decompose
from liftwave.errors import OptionError, OptionTypeError
from liftwave.sklearn.signals import NamedFeatures, SignalTransformer, band_name
from liftwave.wavelets.resolve import Wavelets


class WaveletFeatures(NamedFeatures, SignalTransformer):
    r"""Energy, entropy and spread of the wavelet bands of each sample.

    Parameters
    ----------
    wavelet, level, mode, shape : optional
        As for :class:`WaveletTransformer`. The default wavelet is ``"db4"``.
    statistics : sequence of {"energy", "entropy", "std"}, optional
        The statistics of each band (see Notes); all by default.

    Attributes
    ----------
    level_ : int
        The number of levels.
    n_features_in_ : int
        The number of samples of a signal.
    feature_names_in_ : ndarray of str
        The names of the columns that :meth:`fit` got, if they are text.

    Notes
    -----
    Of the coefficients :math:`c_i` of a band:

    * ``energy``: :math:`E = \sum_i c_i^2`;
    * ``entropy``: :math:`-\sum_i p_i \ln p_i` of the shares :math:`p_i = c_i^2 / E`; 0 if all
      coefficients are 0. It is small if few coefficients have most of the energy;
    * ``std``: the standard deviation.

    Features are named by key, level and statistic, such as ``d1_energy``.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.sklearn import WaveletFeatures
    >>> time = np.arange(256)
    >>> X = [np.cos(0.1 * time), np.cos(2.5 * time)]
    >>> features = WaveletFeatures(level=2, statistics=["energy"]).fit(X)
    >>> features.get_feature_names_out()
    array(['a2_energy', 'd2_energy', 'd1_energy'], dtype=object)
    >>> features.transform(X).argmax(axis=1)  # slow waves are in a2, fast ones in d1
    array([0, 2])
    """

    def __init__(
        self,
        wavelet: Wavelets = "db4",
        level: int | None = None,
        mode: Modes = "symmetric",
        statistics: Sequence[str] = ("energy", "entropy", "std"),
        shape: Sequence[int] | None = None,
    ) -> None:
        self.wavelet, self.level, self.mode = wavelet, level, mode
        self.statistics, self.shape = statistics, shape

    def _learn(self, signal: NDArray[Any]) -> None:
        names = _checked_statistics(self.statistics)
        d = self._decomposed(signal, self.level)
        self.level_ = d.level
        self._names = [f"{band_name(*band)}_{name}" for band in d for name in names]

    def _transformed(self, signals: NDArray[Any]) -> NDArray[Any]:
        functions = [_STATISTICS[name] for name in _checked_statistics(self.statistics)]
        bands = self._decomposed(signals, self.level_).values()
        rows = [band.reshape(len(signals), -1) for band in bands]
        return np.stack([function(row) for row in rows for function in functions], axis=1)

    def _decomposed(self, signals: NDArray[Any], level: int | None) -> Decomposition:
        return decompose(signals, self.wavelet, level, self.mode, self._axes)


def _energy(rows: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.sum(rows**2, axis=1))


def _entropy(rows: NDArray[Any]) -> NDArray[Any]:
    # The division by the largest magnitude prevents squares of small numbers from becoming 0.
    largest = np.max(np.abs(rows), axis=1, keepdims=True)
    squares = (rows / np.where(largest > 0, largest, 1)) ** 2
    total = np.sum(squares, axis=1, keepdims=True)
    shares = squares / np.where(total > 0, total, 1)
    return np.asarray(-np.sum(shares * np.log(np.where(shares > 0, shares, 1)), axis=1))


def _std(rows: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.std(rows, axis=1))


_STATISTICS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "energy": _energy,
    "entropy": _entropy,
    "std": _std,
}


def _checked_statistics(statistics: Any) -> list[str]:
    demand = f"statistics must be a sequence of names from {', '.join(_STATISTICS)}"
    names = items(statistics, demand, OptionTypeError)
    if not names or not all(is_one_of(name, _STATISTICS) for name in names):
        raise OptionError(f"{demand}, got {statistics!r}")
    return names
