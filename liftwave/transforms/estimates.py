"""Estimates of wavelet variances and covariances, and their confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._arrays.convert import is_half
from liftwave._arrays.host import as_numpy
from liftwave._numbers import is_one_of
from liftwave._typing import Array
from liftwave.errors import OptionError

Estimator: TypeAlias = Literal["unbiased", "biased"]
"""Whether coefficients that depend on the ends of the series are left out."""

Interval: TypeAlias = Literal["chi2", "chi2eta1", "gaussian"]
"""The distribution that a confidence interval of a variance assumes."""

_INTERVALS = ("chi2", "chi2eta1", "gaussian")


class WaveletEstimate(NamedTuple):
    """Estimates for each level, with confidence intervals.

    Attributes
    ----------
    value : array, shape (..., level)
        The estimate of level 1, 2, … (the last axis; level 1 is the finest).
    lower, upper : array, shape (..., level)
        The ends of the confidence intervals.
    counts : tuple of int
        The number of coefficients of each level that the estimates use.
    """

    value: Array
    lower: Array
    upper: Array
    counts: tuple[int, ...]


def check_estimator(estimator: Estimator) -> None:
    """Raise unless there is such an estimator.

    Raises
    ------
    OptionError
        If there is not.
    """
    if not is_one_of(estimator, ("unbiased", "biased")):
        raise OptionError(f"estimator must be 'unbiased' or 'biased', got {estimator!r}")


def check_interval(interval: Interval) -> None:
    """Raise unless there is such an interval.

    Raises
    ------
    OptionError
        If there is not.
    """
    if not is_one_of(interval, _INTERVALS):
        names = ", ".join(map(repr, _INTERVALS[:-1]))
        raise OptionError(f"interval must be {names} or {_INTERVALS[-1]!r}, got {interval!r}")


def variances(coefficients: Sequence[Array], interval: Interval, tail: float) -> WaveletEstimate:
    """The variances of the coefficients of each level, the finest level first.

    Coefficients are along the last axis. The intervals leave out a probability of ``tail`` on each
    side.
    """
    xp = array_namespace(*coefficients)
    values = [xp.mean(w * w, axis=-1) for w in coefficients]
    ends = []
    for j, (value, w) in enumerate(zip(values, coefficients, strict=True), 1):
        if interval == "chi2":
            ends.append(_chi2(value, np.array(max(w.shape[-1] / 2**j, 1.0)), tail))
        elif interval == "chi2eta1":
            ends.append(_chi2(value, _freedom(value, spread(w, w)), tail))
        else:
            ends.append(around(value, spread(w, w), tail))
    return estimate(values, ends, [w.shape[-1] for w in coefficients])


def estimate(
    values: Sequence[Array], ends: Sequence[tuple[Array, Array]], counts: Sequence[int]
) -> WaveletEstimate:
    """The estimates of all levels in one object."""
    xp = array_namespace(*values)
    lower, upper = zip(*ends, strict=True)
    stacked = [xp.stack(list(each), axis=-1) for each in (values, lower, upper)]
    return WaveletEstimate(stacked[0], stacked[1], stacked[2], tuple(counts))


# --- intervals ---------------------------------------------------------------------------------


def tail_of(confidence: float) -> float:
    """The probability on each side of an interval."""
    if not isinstance(confidence, float | int) or not 0 < confidence < 1:
        raise OptionError(f"confidence must be a number between 0 and 1, got {confidence!r}")
    return (1 - confidence) / 2


def _chi2(value: Array, freedom: Any, tail: float) -> tuple[Array, Array]:
    """The interval for these degrees of freedom: one number, or one for each value."""
    from scipy.stats import chi2

    xp = array_namespace(value)
    factors = (freedom / chi2.ppf(probability, freedom) for probability in (1 - tail, tail))
    lower, upper = (xp.asarray(f, dtype=value.dtype, device=device(value)) for f in factors)
    return value * lower, value * upper


def _freedom(value: Array, variance: Array) -> Any:
    """The degrees of freedom of a chi-square variable with this mean and variance."""
    mean, spread_of_mean = as_numpy(value), as_numpy(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = 2 * mean**2 / spread_of_mean
    return np.where(spread_of_mean > 0, freedom, 1.0)  # a band of zeros has an interval of zeros


def around(value: Array, variance: Array, tail: float) -> tuple[Array, Array]:
    """The interval of a Gaussian variable with this mean and variance."""
    reach = NormalDist().inv_cdf(1 - tail) * array_namespace(variance).sqrt(variance)
    return value - reach, value + reach


def spread(a: Array, b: Array) -> Array:
    """The variance of the mean of the products of two stationary series.

    Sums of products of covariances are integrals of products of spectra (Parseval).
    """
    xp, n, dtype = array_namespace(a), a.shape[-1], a.dtype
    if is_half(a):  # has no Fourier transform
        a, b = xp.astype(a, xp.float32), xp.astype(b, xp.float32)
    of_a, of_b = (xp.fft.rfft(x, n=2 * n, axis=-1) for x in (a, b))
    auto = (xp.real(of_a * xp.conj(of_a))) * (xp.real(of_b * xp.conj(of_b)))
    cross = xp.conj(of_a) * of_b
    half = auto + xp.real(cross * cross)
    whole = 2 * xp.sum(half, axis=-1) - half[..., 0] - half[..., -1]  # negative frequencies too
    return xp.astype(whole / (4 * n**4), dtype)
