"""Thresholding of coefficients, with PyWavelets' names, signatures and results."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import (
    PLAIN_DTYPES,
    Opened,
    as_array,
    dtype_name,
    is_array,
    is_complex,
    open_array,
    real_dtype,
)
from liftwave._arrays.lazy import on_chunks
from liftwave._numbers import is_one_of
from liftwave._threshold_arguments import as_limit, as_substitute, single_limit
from liftwave._typing import Array, ArrayT, Data, Namespace, Rule
from liftwave.errors import ThresholdError, ThresholdTypeError

_EXTENDED = str(np.dtype(np.longdouble))


def threshold(data: Data[ArrayT], value: Any, mode: Rule = "soft", substitute: float = 0) -> ArrayT:
    r"""Set small coefficients to zero, or shrink them.

    Parameters
    ----------
    data : array_like
        Coefficients, real or (``'soft'``, ``'hard'``, ``'garrote'``) complex.
    value : float or array
        Threshold :math:`t`, a real number. An array broadcasts against ``data``.
    mode : {'soft', 'hard', 'garrote', 'greater', 'less'}
        The rule (see Notes).
    substitute : float, optional
        The number that replaces the values that the rule removes. For complex data it can be
        complex.

    Returns
    -------
    array
        A new array. Floating-point dtypes do not change, also if ``value`` has a wider dtype.

    Raises
    ------
    ValueError
        If ``mode`` does not exist, or does not support complex data; if the shape of ``value``
        does not fit; if ``value`` or ``substitute`` are not real numbers where these are required
        (also a TypeError).

    Notes
    -----
    ==========  ====================================================
    soft        :math:`x \max(0, 1 - t / |x|)`  [1]_
    hard        :math:`x` where :math:`|x| \ge t`
    garrote     :math:`x \max(0, 1 - t^2 / |x|^2)`  [2]_
    greater     :math:`x` where :math:`x \ge t`
    less        :math:`x` where :math:`x \le t`
    ==========  ====================================================

    Derivatives: the derivative with respect to removed values is 0. Soft thresholding and the
    garrote have a kink at :math:`|x| = t`; there, the derivative is 0, too. For infinite values
    that are kept it is 1. The rules ``'hard'``, ``'greater'`` and ``'less'`` have no derivative
    with respect to :math:`t`.

    References
    ----------
    .. [1] D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by
       wavelet shrinkage", Biometrika 81, 425-455, 1994.
    .. [2] H.-Y. Gao, "Wavelet shrinkage denoising using the non-negative
       garrote", J. Comput. Graph. Stat. 7, 469-488, 1998.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.threshold([-3.0, -1.0, 0.5, 2.0], 1.5).tolist()
    [-1.5, -0.0, 0.0, 0.5]
    >>> lw.threshold([-3.0, -1.0, 0.5, 2.0], 1.5, "hard").tolist()
    [-3.0, 0.0, 0.0, 2.0]
    """
    check_rule(mode)
    result: ArrayT
    if type(value) is float and type(substitute) in (int, float) and _is_plain(data):
        result = _thresholded(data, value, mode, substitute, True)
        return result
    array = as_array(data)
    limit, filler = as_limit(value, array), as_substitute(substitute, array)
    result = thresholded(array, limit, mode, filler)
    return result


@on_chunks("threshold")
def thresholded(array: Array, limit: Any, mode: Rule, filler: Any) -> Array:
    """The thresholded array, for checked arguments."""
    return _thresholded(array, limit, mode, filler, _is_plain(array))


def _thresholded(array: Array, limit: Any, mode: Rule, filler: Any, is_plain: bool) -> Array:
    if mode in POWERS:
        if is_plain and type(limit) is float and limit == inf and filler == 0:
            return _zeroed(array)
        shrink = _shrunk_numpy if is_plain and _is_regular(limit) else _shrunk
        return shrink(array, limit, filler, POWERS[mode])
    if mode != "hard" and (array.dtype.kind == "c" if is_plain else is_complex(array)):
        raise ThresholdError(f"{mode} thresholding only supports real data, got {array.dtype}")
    select = _selected_numpy if is_plain and type(limit) in (float, int) else _selected
    return select(array, limit, filler, REMOVED[mode])


# Rules that multiply by 1 - (t / |x|) ** power. PyWavelets keeps the misspelled name.
POWERS = {"soft": 1, "garrote": 2, "garotte": 2}

# Rules that remove some values and keep the others.
REMOVED: dict[str, Callable[[Array, Any], Array]] = {
    "hard": lambda x, limit: abs(x) < limit,
    "greater": lambda x, limit: x < limit,
    "less": lambda x, limit: x > limit,
}


_RULES = frozenset({*POWERS, *REMOVED})


def threshold_firm(data: Data[ArrayT], value_low: float, value_high: float) -> ArrayT:
    r"""Firm thresholding: soft for small values, hard for large ones.

    Parameters
    ----------
    data : array_like
        Coefficients, real or complex.
    value_low : float
        Values with magnitudes up to this number become zero.
    value_high : float
        Values with larger magnitudes stay unchanged.

    Returns
    -------
    array
        A new array. Floating-point dtypes do not change.

    Raises
    ------
    ValueError
        If ``value_low`` is negative or exceeds ``value_high``, or one of them is not a real
        number (also a TypeError).

    Notes
    -----
    Values in between become :math:`x \, t_h (1 - t_l / |x|) / (t_h - t_l)` [1]_. The derivative
    at :math:`|x| = t_l` is 0, and at :math:`|x| = t_h` that of the values in between.

    References
    ----------
    .. [1] H.-Y. Gao and A. G. Bruce, "WaveShrink with firm shrinkage",
       Statistica Sinica 7, 855-874, 1997.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.threshold_firm([0.5, 1.5, 3.0], 1.0, 2.0).round(6).tolist()
    [0.0, 1.0, 3.0]
    """
    array = as_array(data)
    low = single_limit(value_low, "value_low", array)
    high = single_limit(value_high, "value_high", array)
    if not low >= 0:
        raise ThresholdError(f"value_low must be non-negative, got {value_low}.")
    if not high >= low:
        raise ThresholdError(
            "value_high must be greater than or equal to value_low, "
            f"got {value_high} < {value_low}."
        )
    result: ArrayT = _firm(array, low, high)
    return result


def _firm(array: Array, low: Any, high: Any) -> Array:
    slope = 1 - low / high if high > low else 1.0
    if _is_plain(array) and _is_regular(low) and high > low:
        factors = _ratios_numpy(np.abs(array), low)
        np.subtract(1, factors, out=factors)
        np.divide(factors, slope, out=factors)
        return array * np.minimum(factors, 1, out=factors)
    return _firm_of_any(array, low, high)


@on_chunks("threshold_firm")
def _firm_of_any(array: Array, low: Any, high: Any) -> Array:
    slope = 1 - low / high if high > low else 1.0
    xp = array_namespace(array)
    opened = opened_floats(array, xp)
    magnitude = xp.abs(opened.array)
    if high > low and dtype_name(magnitude.dtype, xp) == _EXTENDED:
        slope = 1 - np.longdouble(low) / high  # Python's floats have fewer digits
    is_removed = (magnitude <= low) & (low > 0)
    is_scaled = ~is_removed & (magnitude <= high) & (high > low)
    ratio = ratios(magnitude, low, is_scaled)
    factors = xp.where(is_scaled, (1 - ratio) / slope, xp.astype(~is_removed, ratio.dtype))
    return opened.close(opened.array * factors)


# --- rules on NumPy arrays of floats, which record no derivatives --------------------------------

# Above this size, branches for each value take longer than a second copy.
_BRANCHES = 1024


def _is_plain(x: Any) -> bool:
    return type(x) is np.ndarray and x.dtype in PLAIN_DTYPES and x.ndim > 0


def _is_regular(limit: Any) -> bool:
    """Whether limits are positive and finite, so that no ratio of limits and magnitudes is NaN."""
    if type(limit) is np.ndarray:
        return limit.size > 0 and bool(limit.min() > 0) and bool(limit.max() < inf)
    return type(limit) in (float, int) and 0 < limit < inf


def _shrunk_numpy(x: Array, limit: Any, substitute: complex, power: int) -> Array:
    factors = _ratios_numpy(np.abs(x), limit)
    if power == 2:
        np.multiply(factors, factors, out=factors)
    np.subtract(1, factors, out=factors)
    shrunk = np.multiply(x, factors, out=factors if x.dtype == factors.dtype else None)
    if substitute != 0:
        np.putmask(shrunk, np.abs(x) < limit, substitute)
    return shrunk if shrunk.dtype == x.dtype else shrunk.astype(x.dtype)


def _zeroed(x: Array) -> Array:
    """Return zeros with the signs of ``x``, and NaN where ``x`` is not finite."""
    with np.errstate(invalid="ignore"):
        return x * 0.0


def _ratios_numpy(magnitude: Array, limit: Any) -> Array:
    """Return ``limit / magnitude``, or 1 where the magnitude is not larger."""
    number = type(limit) is not np.ndarray
    ratios = np.maximum(magnitude, limit, out=magnitude if number else None)
    return np.divide(limit, ratios, out=ratios)


def _selected_numpy(
    x: Array, limit: float, substitute: complex, is_removed: Callable[[Array, Any], Array]
) -> Array:
    if x.size > _BRANCHES:
        # An array, because NumPy takes longer to convert other numbers.
        return np.where(is_removed(x, limit), np.array(substitute, x.dtype), x)
    selected = x.copy()
    np.putmask(selected, is_removed(x, limit), substitute)
    return selected


# --- rules on all arrays -------------------------------------------------------------------------


def _shrunk(x: Array, limit: Any, substitute: complex, power: int) -> Array:
    xp = array_namespace(x)
    opened = opened_floats(x, xp)
    x, magnitude = opened.array, xp.abs(opened.array)
    limit = comparable(limit, magnitude, xp)
    is_removed = (magnitude <= limit) & (limit > 0)
    factors = 1 - ratios(magnitude, limit, ~is_removed) ** power
    shrunk = x * xp.where(is_removed, xp.zeros_like(factors), factors)
    if substitute != 0:
        shrunk = _where(magnitude < limit, substitute, shrunk, xp)
    return opened.close(shrunk)


def ratios(magnitude: Array, limit: Any, is_scaled: Array) -> Array:
    """Return ``limit / magnitude`` where values are scaled, and 0 for zero and infinite values.

    It is NaN for all values if the limit is NaN.

    The division has finite, positive denominators. Libraries that record derivatives multiply the
    derivatives of unused values by 0, which turns infinite derivatives into NaN.
    """
    xp = array_namespace(magnitude)
    is_regular = is_scaled & (magnitude > 0) & (magnitude < inf)
    # (Torch divides a number by an array with less precision than an array by an array.)
    limits = limit if is_array(limit) else xp.full_like(magnitude, limit)
    quotients = limits / xp.where(is_regular, magnitude, xp.ones_like(magnitude))
    return xp.where(is_regular | xp.isnan(limits), quotients, xp.zeros_like(quotients))


def _selected(
    x: Array, limit: Any, substitute: complex, is_removed: Callable[[Array, Any], Array]
) -> Array:
    xp = array_namespace(x)
    return _where(is_removed(x, comparable(limit, x, xp)), substitute, x, xp)


def comparable(limit: Any, x: Array, xp: Namespace) -> Any:
    """Return integer limits as floats if ``x`` are floats: the standard does not mix these."""
    if not is_array(limit) or not xp.isdtype(limit.dtype, "integral"):
        return limit
    return limit if xp.isdtype(x.dtype, "integral") else xp.astype(limit, real_dtype(x, xp))


def _where(condition: Array, substitute: complex, x: Array, xp: Namespace) -> Array:
    """Return ``substitute`` where the condition holds, in a dtype that can hold it."""
    if isinstance(substitute, float) and xp.isdtype(x.dtype, ("bool", "integral")):
        x = open_array(x).array
    elif xp.isdtype(x.dtype, "bool"):
        x = xp.astype(x, xp.int64)
    try:
        return xp.where(condition, xp.full_like(x, substitute), x)
    except OverflowError:
        raise ThresholdError(
            f"substitute={substitute} is out of the range of {x.dtype}: use a float, or convert "
            "the data"
        ) from None


def opened_floats(x: Array, xp: Namespace) -> Opened:
    """Return the data in a floating dtype: their own, or single for half precision."""
    if xp.isdtype(x.dtype, ("bool", "integral")):
        return open_array(x)
    half = dtype_name(x.dtype, xp) in ("float16", "bfloat16")
    return Opened(xp.astype(x, xp.float32) if half else x, xp, x.dtype)


# --- arguments ----------------------------------------------------------------------------------


def check_rule(mode: str) -> None:
    """Raise unless a rule of :func:`threshold` has this name.

    Raises
    ------
    ThresholdError
        If there is none.
    """
    if not is_one_of(mode, _RULES):
        names = ", ".join(f"'{name}'" for name in sorted(_RULES))
        error = ThresholdError if isinstance(mode, str) else ThresholdTypeError
        raise error(f"The mode parameter only takes values from: {names}. Got {mode!r}")
