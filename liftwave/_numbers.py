"""Converts numbers of any Python type to NumPy arrays."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from liftwave.errors import ArgumentTypeError, DTypeError, LiftwaveError, OptionTypeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# float() converts text, and NumPy converts dates. Neither counts as a number here.
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


def positive_number(value: Any, name: str, error: type[LiftwaveError]) -> int:
    """An integer of at least 1.

    Raises
    ------
    ArgumentTypeError
        If the value is not a whole number.
    LiftwaveError
        The given error, if it is less than 1.
    """
    number = whole_number(value, f"{name} must be an integer of at least 1")
    if number < 1:
        raise error(f"{name} must be at least 1, got {value!r}")
    return number


def length(value: Any, demand: str, error: type[LiftwaveError]) -> int:
    """An integer. A symbolic one, in graphs that torch records, stays symbolic.

    Raises
    ------
    LiftwaveError
        The given error, if the value is not a whole number. Its message begins with ``demand``.
    """
    return value if is_symbol(value) else whole_number(value, demand, error)


def is_symbol(value: Any) -> bool:
    """Whether a length is a symbol, in a graph that torch records."""
    return type(value).__name__ == "SymInt"


def lengths(values: Any, name: str, error: type[LiftwaveError]) -> tuple[int, ...]:
    """Integers, one for each axis, as :func:`length` returns them.

    Raises
    ------
    LiftwaveError
        The given error, if the values are not a sequence of whole numbers.
    """
    demand = f"{name} must be a sequence of integers, one for each axis"
    return tuple(length(n, demand, error) for n in items(values, demand, error))


def real_number(value: Any, demand: str, error: type[LiftwaveError] = ArgumentTypeError) -> float:
    """A float, from a real number or a 0-d array of any library.

    Raises
    ------
    LiftwaveError
        The given error, if the value is not one real number. Its message begins with ``demand``.
    """
    if type(value) is float:
        return value
    if not isinstance(value, _TEXT_AND_DATES) and getattr(value, "ndim", 0) == 0:
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError, RuntimeError):
            pass
    raise error(f"{demand}, got {value!r}")


def flag(value: Any, name: str) -> bool:
    """Whether an option is set, from any object that is true or false.

    Raises
    ------
    OptionTypeError
        If it is neither, such as an array.
    """
    try:
        return bool(value)
    except (TypeError, ValueError, RuntimeError):
        raise OptionTypeError(
            f"{name} must be True or False, got an object of type {type(value).__name__}"
        ) from None


def is_one_of(value: Any, names: Collection[str]) -> bool:
    """Whether a value, of any type, is one of these names."""
    return isinstance(value, str) and value in names


def is_several(value: Any) -> bool:
    """Whether a value holds one item per axis: it is iterable, and not text or a 0-d array."""
    single = isinstance(value, str | bytes) or getattr(value, "ndim", 1) == 0
    return isinstance(value, Iterable) and not single


def items(values: Any, demand: str, error: type[LiftwaveError] = ArgumentTypeError) -> list[Any]:
    """The items of a sequence.

    Raises
    ------
    LiftwaveError
        The given error, if the values are not a sequence. Its message begins with ``demand``.
    """
    if type(values) in (tuple, list):
        return [*values]
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
    refused = [kind.__name__ for kind in types if issubclass(kind, _TEXT_AND_DATES)]
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
