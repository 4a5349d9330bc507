"""Estimates of wavelet variances and covariances, and their confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from liftwave._arrays.convert import is_half
from liftwave._arrays.host import as_numpy
from liftwave._arrays.lazy import refuse_lazy
from liftwave._numbers import is_one_of, real_number
from liftwave._optional import needed_by
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
        The number of coefficients of each level that the estimates use. The mirror images that
        ``mode="reflection"`` adds do not count.
    """

    value: Array
    lower: Array
    upper: Array
    counts: tuple[int, ...]


def check_estimator(estimator: Estimator) -> None:
    """Raise if the estimator is unknown.

    Raises
    ------
    OptionError
        If it is unknown.
    """
    if not is_one_of(estimator, ("unbiased", "biased")):
        raise OptionError(f"estimator must be 'unbiased' or 'biased', got {estimator!r}")


def check_interval(interval: Interval) -> None:
    """Raise if the interval is unknown.

    Raises
    ------
    OptionError
        If it is unknown.
    """
    if not is_one_of(interval, _INTERVALS):
        names = ", ".join(map(repr, _INTERVALS[:-1]))
        raise OptionError(f"interval must be {names} or {_INTERVALS[-1]!r}, got {interval!r}")


def variances(
    coefficients: Sequence[Array], counts: Sequence[int], interval: Interval, tail: float
) -> WaveletEstimate:
    """The variances of the coefficients of each level, the finest level first.

    Coefficients are along the last axis. ``counts`` are the numbers of those before a mirror
    image. The intervals leave out a probability of ``tail`` on each side.
    """
    xp = array_namespace(*coefficients)
    bands = [single(w) for w in coefficients]
    values = [xp.mean(w * w, axis=-1) for w in bands]
    ends = []
    for j, (value, w, count) in enumerate(zip(values, bands, counts, strict=True), 1):
        if interval == "chi2":
            ends.append(_chi2(value, np.array(max(count / 2**j, 1.0)), tail))
        elif interval == "chi2eta1":
            ends.append(_chi2(value, _freedom(value, deviation(w, w, count)), tail))
        else:
            ends.append(around(value, deviation(w, w, count), tail))
    return estimate(values, ends, counts, coefficients[0].dtype)


def estimate(
    values: Sequence[Array],
    ends: Sequence[tuple[Array, Array]],
    counts: Sequence[int],
    dtype: Any,
) -> WaveletEstimate:
    """The estimates of all levels in one object, with arrays of this dtype."""
    xp = array_namespace(*values)
    lower, upper = zip(*ends, strict=True)
    stacked = [
        xp.stack([xp.astype(number, dtype, copy=False) for number in numbers], axis=-1)
        for numbers in (values, lower, upper)
    ]
    return WaveletEstimate(stacked[0], stacked[1], stacked[2], tuple(counts))


# --- intervals ---------------------------------------------------------------------------------


def tail_of(confidence: float) -> float:
    """The probability on each side of an interval."""
    demand = "confidence must be a number between 0 and 1"
    probability = real_number(confidence, demand, OptionError)
    if not 0 < probability < 1:
        raise OptionError(f"{demand}, got {confidence!r}")
    return (1 - probability) / 2


def _chi2(value: Array, freedom: Any, tail: float) -> tuple[Array, Array]:
    """The interval for these degrees of freedom: one number, or one for each value."""
    with needed_by("a chi-square interval"):
        from scipy.stats import chi2

    xp = array_namespace(value)
    factors = (freedom / chi2.ppf(probability, freedom) for probability in (1 - tail, tail))
    lower, upper = (xp.asarray(f, dtype=value.dtype, device=device(value)) for f in factors)
    return value * lower, value * upper


def _freedom(value: Array, deviation: Array) -> NDArray[np.float64]:
    """The degrees of freedom of a chi-square variable with this mean and standard deviation."""
    # SciPy's distributions do not support NumPy's longdouble.
    mean, spread = (as_numpy(number).astype(np.float64) for number in (value, deviation))
    ratio = np.divide(mean, spread, out=np.full_like(mean, 0.5**0.5), where=spread > 0)
    return 2 * ratio**2  # a band of zeros has one degree of freedom and an interval of zeros


def around(value: Array, deviation: Array, tail: float) -> tuple[Array, Array]:
    """The interval of a Gaussian variable with this mean and standard deviation."""
    reach = NormalDist().inv_cdf(1 - tail) * deviation
    return value - reach, value + reach


# --- moments -----------------------------------------------------------------------------------


def single(x: Array) -> Array:
    """The array, in at least single precision: squares of half precision overflow and underflow."""
    xp = array_namespace(x)
    return xp.astype(x, xp.float32) if is_half(x) else x


def scaled(x: Array) -> tuple[Array, Array]:
    """Series divided by powers of 2 so that their largest magnitudes are in [1, 2), and the powers.

    Products of such series neither overflow nor underflow, and the division does not round.
    """
    xp = array_namespace(x)
    peak = xp.max(xp.abs(x), axis=-1, keepdims=True)
    peak = xp.where((peak > 0) & xp.isfinite(peak), peak, xp.ones_like(peak))
    power = 2.0 ** xp.floor(xp.log2(peak))
    return x / power, power[..., 0]


def deviation(a: Array, b: Array, count: int) -> Array:
    """The standard deviation of the mean of the products of two stationary series.

    ``count`` is the number of samples before a mirror image. The spectrum of a series with its
    mirror image varies more, so the samples of the image are left out. Sums of products of
    covariances are integrals of products of spectra (Parseval).
    """
    refuse_lazy([a])  # dask has no transforms across chunks
    xp = array_namespace(a)
    (a, scale), (b, scale_of_b) = (scaled(_double(x[..., :count])) for x in (a, b))
    of_a, of_b = (xp.fft.rfft(x, n=2 * count, axis=-1, norm="forward") for x in (a, b))
    half = xp.real(xp.conj(of_a) * of_b) ** 2
    whole = 2 * xp.sum(half, axis=-1) - half[..., 0] - half[..., -1]  # negative frequencies too
    return scale * scale_of_b * xp.sqrt(8 * whole)


def _double(x: Array) -> Array:
    """The array in double precision, if its device supports it."""
    xp = array_namespace(x)
    if x.dtype != xp.float32:
        return x
    dtypes = xp.__array_namespace_info__().dtypes(device=device(x), kind="real floating")
    return xp.astype(x, xp.float64) if "float64" in dtypes else x
