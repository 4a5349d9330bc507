"""Wavelet variance, covariance and correlation: how the variation of series depends on scale."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array, common_namespace
from liftwave._execute import execute
from liftwave._plan.arguments import check_positive_level, normalize_axis
from liftwave._typing import Array, ArrayLike
from liftwave.errors import DTypeError, LevelError, ShapeError
from liftwave.transforms.estimates import (
    Estimator,
    Interval,
    WaveletEstimate,
    around,
    check_estimator,
    check_interval,
    deviation,
    estimate,
    scaled,
    single,
    tail_of,
    variances,
)
from liftwave.transforms.modwt import Edges, analysis_call, plans_of
from liftwave.wavelets.resolve import WaveletLike


def wavelet_variance(
    x: ArrayLike,
    wavelet: WaveletLike = "sym4",
    level: int | None = None,
    axis: int = -1,
    *,
    mode: Edges = "periodic",
    estimator: Estimator = "unbiased",
    interval: Interval = "chi2",
    confidence: float = 0.95,
) -> WaveletEstimate:
    r"""Wavelet variance: the variance of a series, level by level.

    Parameters
    ----------
    x : array_like, shape (..., n, ...)
        Real series.
    wavelet, level, axis, mode
        As for :func:`modwt`. By default, the number of levels is the largest for which the
        estimator has coefficients.
    estimator : {"unbiased", "biased"}
        ``"unbiased"`` leaves out the coefficients that depend on samples beyond the ends of the
        series, so ``mode`` makes no difference to it. ``"biased"`` uses all coefficients, which are
        ``2 n`` per level with ``mode="reflection"``.
    interval : {"chi2", "chi2eta1", "gaussian"}
        The confidence interval: chi-square with :math:`\eta_j = \max(M_j / 2^j, 1)` degrees of
        freedom (``"chi2"``, :math:`\eta_3` of Percival & Walden); chi-square with degrees of
        freedom from the spectrum of the coefficients (``"chi2eta1"``, below); or Gaussian with the
        variance of the estimate from that spectrum. The first two need SciPy.
    confidence : float
        The probability that an interval covers the variance.

    Returns
    -------
    WaveletEstimate
        Variances :math:`\nu_j^2` of the levels 1, 2, …, along a last axis.

    Raises
    ------
    ValueError, TypeError
        As for :func:`modwt`; also for complex data, an option that does not exist, and levels
        without coefficients.

    Notes
    -----
    With the coefficients :math:`W_j` of :func:`modwt`, filters of :math:`L` taps,
    :math:`L_j = (2^j - 1)(L - 1) + 1` and :math:`M_j = n - L_j + 1`, the unbiased estimate is

    .. math:: \hat\nu_j^2 = \frac{1}{M_j} \sum_{t = L_j - 1}^{n - 1} W_j[t]^2,

    and the biased one is the mean over all :math:`t`, with :math:`M_j = n` (Percival & Walden,
    *Wavelet Methods for Time Series Analysis*, 2000, chapter 8; equations 306b and 313c, 313d for
    the intervals). The variances of all levels add up to the variance of a stationary series.

    The ``2 n`` coefficients of a reflected series repeat the variation of :math:`n` samples: their
    mean is as uncertain as one of :math:`n`. Therefore :math:`M_j = n` in all intervals and in
    ``counts``, and the intervals use the covariances of the first :math:`n` coefficients.

    The degrees of freedom of ``"chi2eta1"`` make the variance of the chi-square variable equal to
    that of the estimate. The biased autocovariances :math:`s_\tau` of the coefficients, whose
    squares add up to the integral of their squared spectrum, give

    .. math:: \eta_{1,j} = \frac{M_j \hat\nu_j^4}{\tfrac12 s_0^2 + \sum_{\tau \ge 1} s_\tau^2}.

    It suits long series with coefficients whose spectrum is not flat. ``"chi2"`` does not estimate
    the spectrum, and suits short series.

    Examples
    --------
    >>> import pywt
    >>> import liftwave as lw
    >>> variance = lw.wavelet_variance(pywt.data.nino()[1], "haar", level=4)
    >>> variance.value.round(4).tolist()
    [0.3099, 0.359, 0.1517, 0.1032]
    """
    check_interval(interval)
    tail = tail_of(confidence)
    series = _Series(x, wavelet, level, axis, mode, estimator)
    return variances(series.coefficients(), series.counts, interval, tail)


def wavelet_covariance(
    x: ArrayLike,
    y: ArrayLike,
    wavelet: WaveletLike = "sym4",
    level: int | None = None,
    axis: int = -1,
    *,
    mode: Edges = "periodic",
    estimator: Estimator = "unbiased",
    confidence: float = 0.95,
) -> WaveletEstimate:
    r"""Wavelet covariance of two series, level by level.

    Parameters
    ----------
    x, y : array_like
        Real series of the same shape.
    wavelet, level, axis, mode, estimator, confidence
        As for :func:`wavelet_variance`.

    Returns
    -------
    WaveletEstimate
        Covariances of the levels 1, 2, …, along a last axis: the means of the products of both
        series' coefficients. The intervals are Gaussian.

    Raises
    ------
    ValueError, TypeError
        As for :func:`wavelet_variance`; also if the shapes differ.

    Notes
    -----
    The variance of an estimate is
    :math:`\frac{1}{2 M_j} \sum_\tau (s_\tau^x s_\tau^y + s_\tau^{xy} s_{-\tau}^{xy})` with the
    biased covariances :math:`s_\tau` of the coefficients (Whitcher, Guttorp & Percival, *Wavelet
    analysis of covariance with application to atmospheric time series*, 2000).

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.cos(0.3 * np.arange(200.0))
    >>> covariance = lw.wavelet_covariance(x, 2 * x, "haar", level=2)
    >>> bool(np.allclose(covariance.value, 2 * lw.wavelet_variance(x, "haar", level=2).value))
    True
    """
    tail = tail_of(confidence)
    first, second = _pair(x, y, wavelet, level, axis, mode, estimator)
    of_x, of_y = first.coefficients(), second.coefficients()
    values, ends = [], []
    for a, b, count in zip(map(single, of_x), map(single, of_y), first.counts, strict=True):
        values.append(first.xp.mean(a * b, axis=-1))
        ends.append(around(values[-1], deviation(a, b, count), tail))
    return estimate(values, ends, first.counts, first.xp.result_type(of_x[0], of_y[0]))


def wavelet_correlation(
    x: ArrayLike,
    y: ArrayLike,
    wavelet: WaveletLike = "sym4",
    level: int | None = None,
    axis: int = -1,
    *,
    mode: Edges = "periodic",
    estimator: Estimator = "unbiased",
    confidence: float = 0.95,
) -> WaveletEstimate:
    r"""Wavelet correlation of two series, level by level.

    Parameters
    ----------
    x, y : array_like
        Real series of the same shape.
    wavelet, level, axis, mode, estimator, confidence
        As for :func:`wavelet_variance`.

    Returns
    -------
    WaveletEstimate
        Correlations of the levels 1, 2, …, along a last axis: covariances, divided by the square
        roots of both variances.

    Raises
    ------
    ValueError, TypeError
        As for :func:`wavelet_covariance`.

    Notes
    -----
    The intervals are those of Fisher's transformation :math:`z = \operatorname{artanh} \rho` with
    the standard deviation :math:`1 / \sqrt{\max(M_j / 2^j - 3, 1)}` (Whitcher, Guttorp & Percival,
    2000).

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.cos(0.3 * np.arange(200.0))
    >>> lw.wavelet_correlation(x, -x, "haar", level=2).value.round(6).tolist()
    [-1.0, -1.0]
    """
    tail = tail_of(confidence)
    first, second = _pair(x, y, wavelet, level, axis, mode, estimator)
    of_x, of_y, xp = first.coefficients(), second.coefficients(), first.xp
    quantile = NormalDist().inv_cdf
    values, ends = [], []
    for j, (a, b, count) in enumerate(zip(of_x, of_y, first.counts, strict=True), 1):
        value = _correlation(a, b)
        reach = quantile(1 - tail) / max(count / 2**j - 3, 1.0) ** 0.5
        most = 1 - float(xp.finfo(value.dtype).eps)
        z = xp.atanh(xp.clip(value, -most, most))
        values.append(value)
        ends.append((xp.tanh(z - reach), xp.tanh(z + reach)))
    return estimate(values, ends, first.counts, xp.result_type(of_x[0], of_y[0]))


def _correlation(a: Array, b: Array) -> Array:
    mean = array_namespace(a, b).mean
    (a, _), (b, _) = scaled(single(a)), scaled(single(b))
    squares = mean(a * a, axis=-1) * mean(b * b, axis=-1)
    return mean(a * b, axis=-1) / array_namespace(a).sqrt(squares)


# --- coefficients ------------------------------------------------------------------------------


class _Series:
    """The wavelet coefficients that estimates use, with the series along the last axis."""

    def __init__(
        self,
        x: ArrayLike,
        wavelet: WaveletLike,
        level: int | None,
        axis: int,
        mode: Edges,
        estimator: Estimator,
    ) -> None:
        check_estimator(estimator)
        array = as_array(x)
        self.xp: Any = common_namespace([array])
        if self.xp.isdtype(array.dtype, "complex floating"):
            raise DTypeError(f"wavelet variances are defined for real series, got {array.dtype}")
        array = self.xp.moveaxis(array, normalize_axis(axis, array.ndim), -1)
        self.plans = plans_of(wavelet, -1, array.ndim)
        self.mode, self.x, self.n = mode, array, int(array.shape[-1])
        self.is_biased = estimator == "biased"
        self.level = self._checked(level)

    def _checked(self, level: int | None) -> int:
        deepest = sum(self._skipped(j) < self.n for j in range(1, self.n.bit_length()))
        depth = max(1, deepest) if level is None else check_positive_level(level)
        if 0 < self.n <= self._skipped(depth):
            hint = f"use at most level={deepest}" if deepest else "use more samples"
            raise LevelError(
                f"all coefficients of level {depth} depend on the ends of the {self.n} samples: "
                f"{hint}, or estimator='biased'"
            )
        return depth

    def _skipped(self, level: int) -> int:
        """The number of first coefficients of a level that the estimates leave out."""
        return 0 if self.is_biased else (2**level - 1) * (self.plans[0].wavelet.dec_len - 1)

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of coefficients of each level, without those of the mirror image."""
        return tuple(self.n - self._skipped(j) for j in range(1, self.level + 1))

    def coefficients(self) -> list[Array]:
        """The coefficients of each level, finest first."""
        bands = execute(analysis_call(self.x, self.plans, self.level, self.mode))[:0:-1]
        if self.is_biased:
            return list(bands)
        return [w[..., self._skipped(j) : self.n] for j, w in enumerate(bands, 1)]


def _pair(x: ArrayLike, y: ArrayLike, *options: Any) -> tuple[_Series, _Series]:
    first, second = _Series(x, *options), _Series(y, *options)
    common_namespace([first.x, second.x])
    if tuple(first.x.shape) != tuple(second.x.shape):
        raise ShapeError(
            f"x and y must have the same shape, got {tuple(as_array(x).shape)} and "
            f"{tuple(as_array(y).shape)}"
        )
    return first, second
