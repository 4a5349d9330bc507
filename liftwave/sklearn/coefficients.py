"""Wavelet coefficients as features, and their inverse transform."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from liftwave._typing import ArrayLike, Modes
from liftwave.decomposition.decomposition import Decomposition, decompose
from liftwave.sklearn.signals import NamedFeatures, SignalTransformer, band_name, checked_rows
from liftwave.transforms.multilevel import waverecn
from liftwave.wavelets.resolve import Wavelets


class WaveletTransformer(NamedFeatures, SignalTransformer):
    """Multilevel wavelet transform of each sample, with an inverse.

    Parameters
    ----------
    wavelet, mode : optional
        As for :func:`liftwave.wavedecn`. Defaults ``"db2"`` and ``"symmetric"``.
    level : int, optional
        Number of levels; by default as many as the length of the filters allows.
    shape : sequence of int, optional
        The shape of one sample, for images and volumes whose rows are flattened; by default a row
        is a signal.

    Attributes
    ----------
    level_ : int
        The number of levels.
    columns_ : dict
        The columns of each band as a slice, by ``(level, key)`` as in
        :class:`liftwave.Decomposition`, coarsest level first.
    n_features_in_ : int
        The number of samples of a signal.
    feature_names_in_ : ndarray of str
        The names of the columns that :meth:`fit` got, if they are text.

    Notes
    -----
    The features are named by key, level and place: ``d1_0`` is the first detail of the finest
    level, and ``ad2_0_3`` a coefficient of an image.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.sklearn import WaveletTransformer
    >>> X = np.random.default_rng(0).standard_normal((5, 64))
    >>> transformer = WaveletTransformer("sym4", level=2).fit(X)
    >>> coefficients = transformer.transform(X)
    >>> coefficients.shape, transformer.columns_[2, "a"]
    ((5, 77), slice(0, 21, None))
    >>> bool(np.allclose(transformer.inverse_transform(coefficients), X))
    True
    >>> transformer.get_feature_names_out()[:2]
    array(['a2_0', 'a2_1'], dtype=object)
    """

    def __init__(
        self,
        wavelet: Wavelets = "db2",
        level: int | None = None,
        mode: Modes = "symmetric",
        shape: Sequence[int] | None = None,
    ) -> None:
        self.wavelet, self.level, self.mode, self.shape = wavelet, level, mode, shape

    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the signals of coefficients.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features_out)
            Coefficients, as from :meth:`transform`.

        Returns
        -------
        ndarray, shape (n_samples, n_features)
            The signals, exactly for coefficients that were not changed.

        Raises
        ------
        EstimatorDataError
            If scikit-learn's checks reject the data, or the number of features differs.
        """
        check_is_fitted(self)
        rows = checked_rows(X, len(self._names), type(self).__name__)
        coeffs: list[Any] = [None]
        for (level, key), columns in self.columns_.items():
            band = rows[:, columns].reshape(len(rows), *self._band_shapes[level, key])
            if set(key) == {"a"}:
                coeffs[0] = band
            else:
                while len(coeffs) <= self.level_ + 1 - level:
                    coeffs.append({})
                coeffs[-1][key] = band
        signals = waverecn(coeffs, self.wavelet, self.mode, self._axes)
        inner = tuple(slice(size) for size in self._signal_shape())
        return np.asarray(signals)[(slice(None), *inner)].reshape(len(rows), -1)

    def _learn(self, signal: NDArray[Any]) -> None:
        d = self._decomposed(signal, self.level)
        self.level_ = d.level
        self._band_shapes = {band: values.shape[1:] for band, values in d.items()}
        self.columns_, self._names, start = {}, [], 0
        for (level, key), shape in self._band_shapes.items():
            stop = start + prod(shape)
            self.columns_[level, key] = slice(start, stop)
            self._names += _names(band_name(level, key), shape)
            start = stop

    def _transformed(self, signals: NDArray[Any]) -> NDArray[Any]:
        d = self._decomposed(signals, self.level_)
        return np.concatenate([d[band].reshape(len(signals), -1) for band in self.columns_], axis=1)

    def _decomposed(self, signals: NDArray[Any], level: int | None) -> Decomposition:
        return decompose(signals, self.wavelet, level, self.mode, self._axes)


def _names(band: str, shape: tuple[int, ...]) -> list[str]:
    places = product(*map(range, shape))
    return ["_".join([band, *map(str, place)]) for place in places]
