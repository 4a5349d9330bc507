"""Checks and conversions of the arguments of thresholds."""

from __future__ import annotations

from math import inf
from numbers import Real
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._arrays.convert import as_array, as_number, common_namespace, is_array, is_complex
from liftwave._typing import Array
from liftwave.errors import DTypeError, ShapeError, ThresholdError


def check_limit(value: Any, mode: str) -> None:
    """Raise unless ``value`` can be a threshold of a band.

    A threshold of magnitudes must be at least 0. The numbers of tensors and of arrays on devices
    are not read.

    Raises
    ------
    DTypeError, ThresholdError
        If it is not real, is NaN, or is negative and compared with magnitudes.
    """
    number = as_number(value)
    least = -inf if mode in ("greater", "less") else 0
    if number is not None:
        is_valid = bool(_real_number(number) >= least)
    else:
        limits = value if is_array(value) else _converted(value, np.empty(0))
        if not _is_real(limits):
            raise DTypeError(f"a threshold must be real, got {value!r}")
        is_valid = not isinstance(limits, np.ndarray) or bool((limits >= least).all())
    if not is_valid:
        raise ThresholdError(f"a threshold must be a number of at least {least}, got {value!r}")


def as_limit(value: Any, x: Array) -> Any:
    """Return the threshold as a number, or as a real array of the library of ``x``.

    Raises
    ------
    DTypeError, ShapeError
        If it is neither, or does not broadcast against ``x``.
    """
    if type(value) is float:
        return value
    number = as_number(value)
    if number is not None:
        return _real_number(number)
    limits = value if type(value) is type(x) else _converted(value, x)
    if not _is_real(limits):
        raise DTypeError(f"a threshold must be real, got an array of {limits.dtype}")
    _check_fits(tuple(limits.shape), tuple(x.shape))
    if type(limits) is np.ndarray and limits.size == 1 and limits.ndim <= x.ndim:
        return limits.item()  # numbers are faster
    return limits


def _real_number(number: Any) -> Any:
    if isinstance(number, int) and abs(number) >= 2**1023:
        raise DTypeError(f"a threshold must be in the range of floats, got {number:#x}")
    if not isinstance(number, Real):
        raise DTypeError(f"a threshold must be real, got {number}")
    return number


def _converted(value: Any, x: Array) -> Array:
    """Return nested sequences and NumPy arrays of numbers as arrays of the library of ``x``."""
    try:
        limits = as_array(value)
    except (TypeError, ValueError):  # not numbers, or rows of different lengths
        raise DTypeError(
            f"a threshold must be a real number or an array of real numbers, got {value!r}"
        ) from None
    xp = common_namespace([x])
    if type(limits) is np.ndarray and type(x) is not np.ndarray:
        return xp.asarray(limits, device=device(x))
    common_namespace([x, limits])
    return limits


def _is_real(x: Array) -> bool:
    if type(x) is np.ndarray:
        return x.dtype.kind in "iuf"
    return bool(array_namespace(x).isdtype(x.dtype, ("integral", "real floating")))


def _check_fits(limits: tuple[int, ...], shape: tuple[int, ...]) -> None:
    for n, m in zip(reversed(limits), reversed(shape), strict=False):
        if n != m and 1 not in (n, m):
            raise ShapeError(
                f"thresholds of shape {limits} do not broadcast against data of shape {shape}: "
                "the lengths must be equal or 1"
            )


def single_limit(value: Any, name: str, x: Array) -> Any:
    """Return the threshold as a number, or as a 0-d array.

    Raises
    ------
    DTypeError, ThresholdError
        If it is not a real number.
    """
    limit = as_limit(value, x)
    if is_array(limit) and limit.ndim:
        raise ThresholdError(f"{name} must be one number, got an array of shape {limit.shape}")
    return limit


def as_substitute(value: Any, x: Array) -> Any:
    """Return the number that replaces values of ``x``.

    Raises
    ------
    DTypeError
        If it is not a number, or is complex and the data are real.
    """
    if type(value) in (int, float):
        return value
    number = as_number(value)
    if number is None:
        raise DTypeError(f"substitute must be a number, got {value!r}")
    if not isinstance(number, Real) and not is_complex(x):
        raise DTypeError(f"substitute must be real for data of {x.dtype}, got {number}")
    return number
