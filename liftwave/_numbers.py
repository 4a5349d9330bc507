"""Converts numbers of any Python type to NumPy arrays."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftwave.errors import ArgumentTypeError, DTypeError, LiftwaveError, OptionTypeError

# float() converts text, and NumPy converts dates: both are no numbers here.
_TEXT_AND_DATES = (str, bytes, bytearray, np.datetime64, np.timedelta64)


def whole_number(value: Any, demand: str, error: type[LiftwaveError] = ArgumentTypeError) -> int:
    """An integer, also from a float without a fraction.

    Raises
    ------
    LiftwaveError
        The given error, if the value is not a whole number. Its message begins with ``demand``.
    """
    if type(value) is int:
        return value
    if isinstance(value, float | np.floating) and value.is_integer():
        return int(value)
    try:
        return operator.index(value)
    except TypeError:
        raise error(f"{demand}, got {value!r}") from None


def flag(value: Any, name: str) -> bool:
    """The truth of a value.

    Raises
    ------
    OptionTypeError
        If it is neither true nor false, as an array of several numbers.
    """
    try:
        return bool(value)
    except (TypeError, ValueError, RuntimeError):
        raise OptionTypeError(
            f"{name} must be True or False, got an object of type {type(value).__name__}"
        ) from None


def is_several(value: Any) -> bool:
    """Whether a value holds one item for each axis: it is iterable, but no text or 0-d array."""
    single = isinstance(value, str | bytes) or getattr(value, "ndim", 1) == 0
    return isinstance(value, Iterable) and not single


def items(values: Any, demand: str, error: type[LiftwaveError] = ArgumentTypeError) -> list[Any]:
    """The items of a sequence.

    Raises
    ------
    LiftwaveError
        The given error, if the values are no sequence. Its message begins with ``demand``.
    """
    if is_several(values):
        try:
            return list(values)
        except (TypeError, RuntimeError):  # matrices and tensors that cannot be iterated over
            pass
    raise error(f"{demand}, got an object of type {type(values).__name__}")


def as_numbers(data: Any) -> NDArray[Any]:
    """A NumPy array of numbers. Objects become floats if they convert to them, and ``None`` NaN.

    Raises
    ------
    DTypeError
        If the data are not numbers, or lists of unequal lengths.
    """
    try:
        array = np.asarray(data)
    except (TypeError, ValueError, RuntimeError) as error:
        raise _no_numbers(data, str(error)) from None
    if array.dtype.kind == "O":
        return _floats(array, data)
    if array.dtype.kind not in "biufc":
        raise _no_numbers(data, f"its dtype is {array.dtype}")
    return array


def _floats(objects: NDArray[Any], data: Any) -> NDArray[np.float64]:
    """Objects as float64."""
    types = set(map(type, objects.flat))
    refused = [each.__name__ for each in types if issubclass(each, _TEXT_AND_DATES)]
    if refused:
        raise _no_numbers(data, f"it contains objects of type {', '.join(sorted(refused))}")
    if objects.ndim == 0 and data is None:
        raise _no_numbers(data, "there are no data")
    try:
        return objects.astype(np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise _no_numbers(data, str(error)) from None


def _no_numbers(data: Any, reason: str) -> DTypeError:
    hint = "; convert it with toarray()" if hasattr(data, "toarray") else ""
    return DTypeError(
        f"Input must be a numeric array-like, got {type(data).__name__}: {reason}{hint}"
    )
