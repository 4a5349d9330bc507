"""Checks of what users pass for steps and schemes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from liftwave.errors import WaveletError


def as_integer(value: Any, what: str) -> int:
    """An exact Python int, or a ``TypeError`` that names the argument."""
    try:
        return int(value.__index__())
    except (AttributeError, TypeError):
        raise TypeError(f"{what} must be an integer, got {value!r}") from None


def as_pair(values: Any, what: str) -> tuple[Any, Any]:
    """Two values, or an error that says what each is for."""
    try:
        approx, detail = values
    except (TypeError, ValueError):
        raise WaveletError(
            f"{what} must be a pair, one for approximation and one for detail, got {values!r}"
        ) from None
    return approx, detail


def as_scale(value: Any) -> Any:
    """A finite float that is not zero; 0-d arrays of other libraries stay as they are."""
    if is_foreign(value):
        if value.ndim:
            raise WaveletError(f"scale needs 0-d arrays, got shape {tuple(value.shape)}")
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"scale must hold numbers, got {value!r}") from None
    if not np.isfinite(number) or number == 0.0:
        raise WaveletError(f"scale must be finite and not zero, got {number}")
    return number


def all_of(kind: type, values: Any, what: str) -> tuple[Any, ...]:
    """A tuple of objects of one type from any iterable."""
    if not isinstance(values, Iterable):
        raise TypeError(f"{what} must be an iterable of {kind.__name__}, got {values!r}")
    checked = tuple(values)
    for value in checked:
        if not isinstance(value, kind):
            raise TypeError(f"{what} must be {kind.__name__} objects, got {value!r}")
    return checked


def is_foreign(value: Any) -> bool:
    """Whether a scalar is a 0-d array of a library other than NumPy."""
    return hasattr(value, "__dlpack__") and not isinstance(value, (np.ndarray, np.generic))


def library(value: Any) -> str:
    """The library an array is of, for messages."""
    return type(value).__module__.split(".")[0]
