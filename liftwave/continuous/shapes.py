r"""Constants of analytic wavelets, computed from their responses.

Integrals over frequency are sums over :math:`v = \ln(\omega/\omega_0)`. Responses are smooth and
vanish at both ends, so the sums are exact up to rounding.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._typing import Array
from liftwave.continuous.families import AnalyticWavelet

# Responses below this do not contribute to sums in double precision.
_NEGLIGIBLE = math.log(1e-19)
_POINTS = 4096

# The response of Morlet wavelets does not vanish at frequency 0. Their integrals begin here.
_LOWEST, _PLATEAU = -600.0, math.log(1e-3)


class Shape(NamedTuple):
    """Constants of a wavelet without a scale: scales are 1.

    Attributes
    ----------
    peak : float
        The angular frequency of the largest response.
    lowest, highest : float
        Logarithms of ratios to the peak, between which the response is not negligible.
    admissibility : float
        The integral of the response over the logarithm of frequency.
    energy : float
        The integral of the squared response over frequency.
    log_energy : float
        The integral of the squared response over the logarithm of frequency.
    half : float
        The ratio to the peak above it at which the response is half of the peak's.
    efolding : float
        The time at which the squared magnitude of the wavelet has fallen to exp(-2).
    deviation : float
        The standard deviation in time of the squared magnitude.
    decorrelation_time, decorrelation_octaves : float
        The integrals of the squared correlation of coefficients over time and over octaves.
    """

    peak: float
    lowest: float
    highest: float
    admissibility: float
    energy: float
    log_energy: float
    half: float
    efolding: float
    deviation: float
    decorrelation_time: float
    decorrelation_octaves: float


@lru_cache(maxsize=64)
def shape_of(wavelet: AnalyticWavelet) -> Shape:
    """The constants of a wavelet, whose parameters are floats."""
    peak = float(wavelet.peak)
    lowest, highest = (_edge(wavelet, sign, _NEGLIGIBLE) for sign in (-1, 1))
    lowest = _PLATEAU if lowest < _LOWEST else lowest
    v = np.linspace(lowest, highest, _POINTS)
    step, w = v[1] - v[0], peak * np.exp(v)
    a = 2 * np.exp(wavelet._log_response(w, np))
    energy = float(np.sum(a**2 * w) * step)
    fourth = float(np.sum(a**4 * w) * step)
    correlations = math.pi if wavelet.is_real else 2 * math.pi
    return Shape(
        peak,
        lowest,
        highest,
        float(np.sum(a) * step),
        energy,
        float(np.sum(a**2) * step),
        math.exp(_edge(wavelet, 1, math.log(0.5))),
        wavelet.efolding or _efolding(a * w, w),
        _deviation(wavelet, a, w, step),
        correlations * fourth / energy**2,
        _octaves(a * np.sqrt(w), float(step)),
    )


def _log_response(wavelet: AnalyticWavelet, v: float) -> float:
    w = np.asarray([float(wavelet.peak) * math.exp(v)])
    with np.errstate(over="ignore", divide="ignore"):
        return float(wavelet._log_response(w, np)[0])


def _edge(wavelet: AnalyticWavelet, sign: int, level: float) -> float:
    """The logarithm of the ratio to the peak at which the response falls below a level."""
    inner, outer = 0.0, 0.1
    while _log_response(wavelet, sign * outer) > level and outer < -_LOWEST:
        inner, outer = outer, 2 * outer
    for _ in range(60):
        middle = (inner + outer) / 2
        if _log_response(wavelet, sign * middle) > level:
            inner = middle
        else:
            outer = middle
    return sign * outer


def upper_ratio(wavelet: AnalyticWavelet, epsilon: float) -> float:
    """The ratio to the peak above which responses are less than epsilon times the largest."""
    return math.exp(_edge(wavelet, 1, math.log(epsilon)))


def lower_ratio(wavelet: AnalyticWavelet, epsilon: float) -> float:
    """The ratio to the peak below which responses are less than epsilon times the largest."""
    return math.exp(_edge(wavelet, -1, math.log(epsilon)))


def _efolding(weights: NDArray[Any], w: NDArray[Any]) -> float:
    """The first time at which the magnitude has fallen to 1/e."""
    level = weights.sum() / math.e

    def magnitude(t: float) -> float:
        return float(abs(np.sum(weights * np.exp(1j * w * t))))

    step = 0.5 / (weights * w).sum() * weights.sum()
    after = step
    while magnitude(after) > level:
        after += step
    before = after - step
    for _ in range(50):
        middle = (before + after) / 2
        before, after = (middle, after) if magnitude(middle) > level else (before, middle)
    return float(after)


def _deviation(wavelet: AnalyticWavelet, a: NDArray[Any], w: NDArray[Any], step: float) -> float:
    """The root of the integral of the squared derivative of the response, by complex steps."""
    size = 1e-30
    slope = np.imag(wavelet._log_response(w + 1j * size * w, np)) / (size * w)
    slope = np.where(a > 0, slope, 0.0)
    return float(np.sqrt(np.sum((a * slope) ** 2 * w) / np.sum(a**2 * w)))


def _octaves(f: NDArray[Any], step: float) -> float:
    """The integral over octaves of the squared correlation of two scales."""
    spectrum = np.abs(np.fft.rfft(f, n=2 * f.size)) ** 2
    correlation = np.fft.irfft(spectrum) / np.sum(f**2)
    return float(np.sum(correlation**2) * step / math.log(2))


def energy_of(wavelet: AnalyticWavelet, like: Array) -> Array:
    """The integral of the squared response, in the library of ``like``: it can have a gradient."""
    xp, shape = array_namespace(like), shape_of(wavelet.concrete)
    v = np.linspace(shape.lowest, shape.highest, _POINTS)
    w = wavelet.peak * xp.asarray(np.exp(v), device=device_of(like))
    a = 2 * xp.exp(wavelet._log_response(w, xp))
    return xp.sum(a**2 * w) * float(v[1] - v[0])
