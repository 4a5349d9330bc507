"""Thresholding of coefficients, with PyWavelets' names, signatures and results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import Opened, as_array, dtype_name, open_array
from liftwave._typing import Array, ArrayLike, Namespace
from liftwave.errors import LiftwaveError

_EXTENDED = str(np.dtype(np.longdouble))


class ThresholdError(LiftwaveError, ValueError):
    """A thresholding rule that does not exist or does not fit the data."""


def threshold(data: ArrayLike, value: Any, mode: str = "soft", substitute: float = 0) -> Array:
    r"""Set small coefficients to zero, or shrink them.

    Parameters
    ----------
    data : array_like
        Coefficients, real or (``'soft'``, ``'hard'``, ``'garrote'``) complex.
    value : float or array
        Threshold :math:`t`. An array broadcasts against ``data``.
    mode : {'soft', 'hard', 'garrote', 'greater', 'less'}
        The rule (see Notes).
    substitute : float, optional
        The number that replaces the values that the rule removes.

    Returns
    -------
    array
        A new array; floating-point dtypes are kept.

    Raises
    ------
    ValueError
        If ``mode`` does not exist, or does not fit complex data.

    Notes
    -----
    ==========  ====================================================
    soft        :math:`x \max(0, 1 - t / |x|)`  [1]_
    hard        :math:`x` where :math:`|x| \ge t`
    garrote     :math:`x \max(0, 1 - t^2 / |x|^2)`  [2]_
    greater     :math:`x` where :math:`x \ge t`
    less        :math:`x` where :math:`x \le t`
    ==========  ====================================================

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
    if mode not in _RULES:
        names = ", ".join(f"'{name}'" for name in sorted(_RULES))
        raise ThresholdError(f"The mode parameter only takes values from: {names}. Got {mode!r}")
    array = as_array(data)
    return _RULES[mode](array, value, substitute, array_namespace(array))


def _soft(x: Array, value: Any, substitute: float, xp: Namespace) -> Array:
    return _shrunk(x, value, substitute, xp, lambda magnitude: 1 - value / magnitude)


def _garrote(x: Array, value: Any, substitute: float, xp: Namespace) -> Array:
    return _shrunk(x, value, substitute, xp, lambda magnitude: 1 - (value / magnitude) ** 2)


def _shrunk(
    x: Array, value: Any, substitute: float, xp: Namespace, factor: Callable[[Array], Array]
) -> Array:
    opened = _opened(x, xp)
    x, magnitude = opened.array, xp.abs(opened.array)
    # The factor does not matter where x is zero: one instead of zero avoids 0 / 0.
    safe = xp.where(magnitude == 0, xp.ones_like(magnitude), magnitude)
    shrink = factor(safe)
    shrunk = x * xp.where(shrink < 0, xp.zeros_like(shrink), shrink)
    if substitute != 0:
        shrunk = _where(magnitude < value, substitute, shrunk, xp)
    return opened.close(shrunk)


def _hard(x: Array, value: Any, substitute: float, xp: Namespace) -> Array:
    return _where(xp.abs(x) < value, substitute, x, xp)


def _greater(x: Array, value: Any, substitute: float, xp: Namespace) -> Array:
    _check_real(x, "greater", xp)
    return _where(x < value, substitute, x, xp)


def _less(x: Array, value: Any, substitute: float, xp: Namespace) -> Array:
    _check_real(x, "less", xp)
    return _where(x > value, substitute, x, xp)


def _check_real(x: Array, mode: str, xp: Namespace) -> None:
    if xp.isdtype(x.dtype, "complex floating"):
        raise ThresholdError(f"{mode} thresholding only supports real data, got {x.dtype}")


def _opened(x: Array, xp: Namespace) -> Opened:
    """Return the data in a floating dtype: their own, or single for half precision."""
    if xp.isdtype(x.dtype, ("bool", "integral")):
        return open_array(x)
    half = dtype_name(x.dtype, xp) in ("float16", "bfloat16")
    return Opened(xp.astype(x, xp.float32) if half else x, xp, x.dtype)


def _where(condition: Array, substitute: float, x: Array, xp: Namespace) -> Array:
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


_RULES: dict[str, Callable[[Array, Any, float, Namespace], Array]] = {
    "soft": _soft,
    "hard": _hard,
    "garrote": _garrote,
    # PyWavelets keeps the misspelled name for compatibility.
    "garotte": _garrote,
    "greater": _greater,
    "less": _less,
}


def threshold_firm(data: ArrayLike, value_low: float, value_high: float) -> Array:
    r"""Firm thresholding: soft for small values, hard for large ones.

    Parameters
    ----------
    data : array_like
        Coefficients, real or complex.
    value_low : float
        Values with magnitudes up to this become zero.
    value_high : float
        Values with larger magnitudes stay unchanged.

    Returns
    -------
    array
        A new array; floating-point dtypes are kept.

    Raises
    ------
    ValueError
        If ``value_low`` is negative or exceeds ``value_high``.

    Notes
    -----
    Values in between become :math:`x \, t_h (1 - t_l / |x|) / (t_h - t_l)` [1]_.

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
    if value_low < 0:
        raise ThresholdError(f"value_low must be non-negative, got {value_low}.")
    if value_high < value_low:
        raise ThresholdError(
            "value_high must be greater than or equal to value_low, "
            f"got {value_high} < {value_low}."
        )
    array = as_array(data)
    xp = array_namespace(array)
    opened = _opened(array, xp)
    x = opened.array
    magnitude = xp.abs(x)
    between = (magnitude > value_low) & (magnitude <= value_high)
    # Only the values in between need the formula. Elsewhere, one avoids a division by zero.
    safe = xp.where(between, magnitude, xp.ones_like(magnitude))
    # Python's floats have fewer digits than longdouble.
    low = np.longdouble(value_low) if dtype_name(magnitude.dtype, xp) == _EXTENDED else value_low
    slope = 1 - low / value_high if value_high > value_low else 1.0
    outside = xp.where(magnitude <= value_low, xp.zeros_like(x), x)
    return opened.close(xp.where(between, x * ((1 - value_low / safe) / slope), outside))
