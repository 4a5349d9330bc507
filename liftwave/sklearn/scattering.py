"""Scattering coefficients as features."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftwave.continuous.scattering import Scattering, scattering1d
from liftwave.continuous.scattering_images import ImageScattering, scattering2d
from liftwave.errors import ShapeError
from liftwave.sklearn.signals import NamedFeatures, SignalTransformer

# By default at least this many averages cover a signal of sufficient length.
_AVERAGES = 8


class ScatteringTransformer(NamedFeatures, SignalTransformer):
    """Scattering transform of each sample: features that small shifts of a signal hardly change.

    Parameters
    ----------
    J : int, optional
        Averages are over ``2**J`` samples, along both axes of images. The default is the largest J
        with at least 8 averages along the shortest axis, but at least 1.
    Q : int, optional
        Wavelets per octave, for signals (:func:`liftwave.scattering1d`). Default 8.
    L : int, optional
        The number of angles, for images (:func:`liftwave.scattering2d`). Default 8.
    order : {1, 2}, optional
        The highest order. Default 2.
    shape : sequence of int, optional
        The height and width of one sample, for images whose rows are flattened; by default a row
        is a signal.

    Attributes
    ----------
    J_ : int
        The J that was used.
    order_ : ndarray of int, shape (paths,)
        The number of wavelets of each path.
    n_features_in_ : int
        The number of samples of a signal.
    feature_names_in_ : ndarray of str
        The names of the columns that :meth:`fit` got, if they are text.

    Notes
    -----
    Features are named by path and place: ``path3_0`` is the first average of the path with the
    index 3, whose order is ``order_[3]``.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.sklearn import ScatteringTransformer
    >>> X = np.cos(0.6 * np.arange(256) + np.arange(4)[:, None])
    >>> features = ScatteringTransformer(J=4, Q=4).fit_transform(X)
    >>> features.shape
    (4, 464)
    >>> bool(np.std(features, axis=0).mean() < 0.1 * np.std(X, axis=0).mean())  # phases matter less
    True
    """

    def __init__(
        self,
        J: int | None = None,
        Q: int = 8,
        L: int = 8,
        order: int = 2,
        shape: Sequence[int] | None = None,
    ) -> None:
        self.J, self.Q, self.L, self.order, self.shape = J, Q, L, order, shape

    def _learn(self, signal: NDArray[Any]) -> None:
        shape = signal.shape[1:]
        if len(shape) not in (1, 2) or min(shape) < 2:
            raise ShapeError(
                "scattering needs signals or images of at least two samples along each axis, got "
                f"the shape {shape}, n_features={self.n_features_in_}"
            )
        longest = max(1, (min(shape) // _AVERAGES).bit_length() - 1)
        self.J_: int = longest if self.J is None else self.J
        scattering = self._scattered(signal)
        self.order_ = scattering.order
        _, paths, *places = scattering.coefficients.shape
        self._names = [
            "_".join([f"path{path}", *map(str, place)])
            for path, *place in product(range(paths), *map(range, places))
        ]

    def _transformed(self, signals: NDArray[Any]) -> NDArray[Any]:
        return np.reshape(self._scattered(signals).coefficients, (len(signals), -1))

    def _scattered(self, signals: NDArray[Any]) -> Scattering | ImageScattering:
        if signals.ndim == 2:
            return scattering1d(signals, self.J_, self.Q, order=self.order)
        return scattering2d(signals, self.J_, self.L, order=self.order)
