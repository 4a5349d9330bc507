"""The base of all transformers: the check of their data, and the shape of one signal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from liftwave._numbers import lengths
from liftwave._typing import ArrayLike
from liftwave.errors import EstimatorDataError, ShapeError

if TYPE_CHECKING:

    class BaseEstimator:
        """The part of scikit-learn's class that this package uses."""

        n_features_in_: int

        def __sklearn_tags__(self) -> Any: ...

    class TransformerMixin:
        """The part of scikit-learn's class that this package uses."""

        def fit_transform(self, X: ArrayLike, y: object = None) -> NDArray[Any]:
            """Fit, and transform the same data."""
else:
    from sklearn.base import BaseEstimator, TransformerMixin

FLOATS = [np.float64, np.float32]
"""Other dtypes become the first one."""


class SignalTransformer(TransformerMixin, BaseEstimator, ABC):
    """A transformer whose samples are signals, images or volumes.

    Derived classes have the parameter ``shape``, and implement :meth:`_learn` and
    :meth:`_transformed`.
    """

    shape: Sequence[int] | None

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Check the parameters on the first sample, and learn the number of features.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            A signal in each row.
        y : object, optional
            Not used.

        Returns
        -------
        self
            The transformer.

        Raises
        ------
        LiftwaveError
            If a parameter is not valid, or does not fit the data.
        """
        self._learn(self._signals(X, reset=True)[:1])
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Transform each row.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            A signal in each row.

        Returns
        -------
        ndarray or data frame, shape (n_samples, n_features_out)
            In the precision of the data, float64 for integers.

        Raises
        ------
        EstimatorDataError
            If scikit-learn's checks reject the data.
        """
        check_is_fitted(self)
        return self._transformed(self._signals(X, reset=False))

    @abstractmethod
    def _learn(self, signal: NDArray[Any]) -> None:
        """Set the attributes of a fitted transformer, from the first signal."""

    @abstractmethod
    def _transformed(self, signals: NDArray[Any]) -> NDArray[Any]:
        """The features of signals of the shape (n_samples, *shape)."""

    @property
    def _finite(self) -> bool | str:
        """The argument of scikit-learn's check for samples that are not finite."""
        return True

    def _signals(self, X: ArrayLike, *, reset: bool) -> NDArray[Any]:
        try:
            rows = validate_data(self, X, reset=reset, dtype=FLOATS, ensure_all_finite=self._finite)
        except (ValueError, TypeError) as error:
            raise EstimatorDataError(str(error)) from error
        return np.reshape(rows, (len(rows), *self._signal_shape()))

    def _signal_shape(self) -> tuple[int, ...]:
        n = self.n_features_in_
        if self.shape is None:
            return (n,)
        shape = lengths(self.shape, "shape", ShapeError)
        if prod(shape) != n or any(size < 1 for size in shape):
            raise ShapeError(
                f"{type(self).__name__}: shape={self.shape!r} has {prod(shape)} samples, but the "
                f"rows have n_features={n}"
            )
        return shape

    @property
    def _axes(self) -> tuple[int, ...]:
        """The axes of one signal in an array of signals."""
        return tuple(range(1, len(self._signal_shape()) + 1))


class NamedFeatures:
    """A transformer whose names of features do not depend on those of its input."""

    _names: list[str]

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Return the names of the features.

        Parameters
        ----------
        input_features : array_like of str, optional
            The names of the columns of ``X``. They are only checked.

        Returns
        -------
        ndarray of str
            One name for each column of the result.

        Raises
        ------
        EstimatorDataError
            If ``input_features`` are not the names that :meth:`fit` got.
        """
        check_is_fitted(self)
        if input_features is not None and hasattr(self, "feature_names_in_"):
            names = np.asarray(input_features, dtype=object)
            if not np.array_equal(names, self.feature_names_in_):
                raise EstimatorDataError("input_features is not equal to feature_names_in_")
        return np.asarray(self._names, dtype=object)


def checked_rows(X: ArrayLike, count: int, name: str) -> NDArray[Any]:
    """Rows of ``count`` finite numbers.

    Raises
    ------
    EstimatorDataError
        If they are not.
    """
    try:
        rows: NDArray[Any] = check_array(X, dtype=FLOATS)
    except (ValueError, TypeError) as error:
        raise EstimatorDataError(str(error)) from error
    if rows.shape[1] != count:
        raise EstimatorDataError(
            f"X has {rows.shape[1]} features, but {name} returned {count} features"
        )
    return rows


def band_name(level: int, key: str) -> str:
    """The name of a band in names of features."""
    return f"{key}{level}"
