"""Red noise as the null hypothesis: AR(1) parameters, spectra, distributions, random series."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftwave._numbers import real_number
from liftwave._optional import needed_by
from liftwave.continuous.extension import Layout
from liftwave.continuous.grid import Grid, plan_of
from liftwave.errors import OptionError

_Floats = NDArray[np.float64]

# Closer to 1, the noise is a random walk, whose mean has no bounds.
_LARGEST = 0.9999


def lag_one(x: _Floats) -> _Floats:
    """The AR(1) coefficients of series along the last axis, without the bias of their means.

    Subtracting the sample mean reduces the variance and the covariances of lag 1 by the share
    ``m``, so their ratio is ``r = (a - m) / (1 - m)``. The share follows from ``a`` (Allen and
    Smith, J. Climate 9, 1996). The function iterates this equation.
    """
    n = x.shape[-1]
    x = x - x.mean(axis=-1, keepdims=True)
    variance = (x * x).mean(axis=-1)
    covariance = (x[..., 1:] * x[..., :-1]).sum(axis=-1) / max(n - 1, 1)
    ratio = np.where(variance > 0, covariance / np.where(variance > 0, variance, 1), 0)
    a = ratio = np.clip(ratio, -_LARGEST, _LARGEST)
    for _ in range(50):
        share = _share_of_mean(a, n)
        a = np.clip(ratio * (1 - share) + share, -_LARGEST, _LARGEST)
    return np.where(variance > 0, a, 0.0)


def _share_of_mean(a: _Floats, n: int) -> _Floats:
    """The variance of the mean of ``n`` samples of AR(1) noise of variance 1."""
    last = a ** (n - 1)
    pairs = n * a * (1 - last) / (1 - a) - a * (1 - n * last + (n - 1) * last * a) / (1 - a) ** 2
    return (1 + 2 * pairs / n) / n


def checked_lag(a: Any) -> float:
    """An AR(1) coefficient, after a check.

    Raises
    ------
    OptionError, ArgumentTypeError
        If it is not a number between -1 and 1.
    """
    demand = "ar1 must be a number above -1 and below 1; 0 is white noise"
    number = real_number(a, demand)
    if not -1 < number < 1:
        raise OptionError(f"{demand}, got {a!r}")
    return number


def checked_level(level: Any) -> float:
    """A probability, after a check.

    Raises
    ------
    OptionError, ArgumentTypeError
        If it is not a number between 0 and 1.
    """
    demand = "level must be a probability between 0 and 1"
    number = real_number(level, demand)
    if not 0 < number < 1:
        raise OptionError(f"{demand}, got {level!r}")
    return number


def background(grid: Grid, layout: Layout, a: _Floats) -> _Floats:
    """The mean power of AR(1) noise of variance 1 in each row, of the shape (..., rows)."""
    bins = np.arange(layout.length // 2 + 1) / layout.length
    a = np.asarray(a)[..., None]
    spectrum = (1 - a * a) / (1 + a * a - 2 * a * np.cos(2 * np.pi * bins))
    plan = plan_of(grid.plain, layout, "float64")
    rows = [
        (spectrum[..., w.start : w.start + w.response.size] * w.response**2).sum(axis=-1)
        for w in plan.windows
    ]
    half = 2 if grid.concrete.is_real else 1
    return np.stack(rows, axis=-1) / (half * layout.length)


# --- distributions ---------------------------------------------------------------------------


def chi2_ratio(level: float, freedom: _Floats | float) -> _Floats:
    """The quantile of a chi-square variable, divided by its degrees of freedom."""
    if np.ndim(freedom) == 0 and freedom == 2:
        return np.asarray(-math.log1p(-level))
    if np.ndim(freedom) == 0 and freedom == 1:
        return np.asarray(NormalDist().inv_cdf((1 + level) / 2) ** 2)
    with needed_by("this significance level"):
        from scipy.stats import chi2

    return np.asarray(chi2.ppf(level, freedom) / freedom)


def product_ratio(level: float, freedom: int) -> float:
    r"""The quantile of the root of a product of two chi-square variables, over their freedom.

    Torrence and Compo's :math:`Z_\nu(p)/\nu` (their equations 30 and 31).
    """
    t = np.linspace(0, 12, 4001)
    step, cosh = t[1], np.cosh(t)
    weights = np.full(t.size, step)
    weights[0] /= 2

    def beyond(z: float) -> float:
        """The probability of more than ``z``: integrals of Bessel functions over ``t``."""
        waves = np.exp(-z * cosh)
        if freedom == 2:
            return float(z * np.sum(weights * waves * cosh))
        return float(2 / math.pi * np.sum(weights * waves / cosh))

    return _root(lambda z: beyond(z) - (1 - level)) / freedom


def _root(function: Callable[[float], float]) -> float:
    """The zero of a decreasing function."""
    low, high = 1e-9, 1.0
    while function(high) > 0:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) > 0 else (low, middle)
    return high


def red_series(a: float, shape: tuple[int, int], rng: np.random.Generator) -> _Floats:
    """Random AR(1) series of variance 1, along the last axis."""
    count, n = shape
    noise = rng.standard_normal((n, count))
    noise[1:] *= math.sqrt(1 - a * a)
    for t in range(1, n):
        noise[t] += a * noise[t - 1]
    return np.ascontiguousarray(noise.T)
