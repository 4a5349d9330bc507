"""The classical rules for thresholds of a band.

``sigma`` is the standard deviation of the noise: the root of the mean of its squared magnitude.
Each of the two parts of complex noise has half of the variance.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import exp, inf, log, log2, prod, sqrt
from statistics import NormalDist
from typing import Literal

import numpy as np
from array_api_compat import device
from numpy.typing import NDArray

from liftwave._arrays.convert import is_complex
from liftwave._typing import Array, Namespace

ThresholdMethod = Literal["bayes", "sure", "visu", "fdr"]
"""The names of methods that choose a threshold."""

# The share of false discoveries among the coefficients that ``fdr`` keeps.
_FALSE_SHARE = 0.05


def _visu(band: Array, sigma: Array, samples: int, axes: tuple[int, ...], xp: Namespace) -> Array:
    return _universal(sigma, samples, band)


def _universal(sigma: Array, count: int, band: Array) -> Array:
    """Return the threshold that exceeds ``count`` magnitudes of noise with high probability."""
    return sigma * sqrt(2 * log(max(count, 2)) / _parts(band))


def _parts(band: Array) -> int:
    """Return the number of real numbers in a coefficient, which share the variance of the noise."""
    return 2 if is_complex(band) else 1


def _bayes(band: Array, sigma: Array, samples: int, axes: tuple[int, ...], xp: Namespace) -> Array:
    power = xp.mean(xp.abs(band) ** 2, axis=axes, keepdims=True)
    variance = sigma**2
    signal = power - variance
    # A band whose power does not exceed that of the noise is removed, under every rule.
    is_noise = signal <= 0
    chosen = variance / xp.sqrt(xp.where(is_noise, power + 1, signal))
    return xp.where(is_noise, chosen + inf, chosen)


def _sure(band: Array, sigma: Array, samples: int, axes: tuple[int, ...], xp: Namespace) -> Array:
    flat = xp.sort(flattened(xp.abs(band), axes, xp), axis=-1)
    count, parts = flat.shape[-1], _parts(band)
    variance = xp.reshape(sigma, (*flat.shape[:-1], 1)) ** 2
    # The risk has its minimum at zero or at a coefficient, so it is computed at all of these.
    candidates = xp.concat([xp.zeros_like(flat[..., :1]), flat], axis=-1)
    squares = candidates**2
    below = xp.arange(count + 1, dtype=flat.dtype, device=device(flat))
    sums = xp.cumulative_sum(squares, axis=-1) + (count - below) * squares
    risk = count * variance - 2 * variance * below + sums
    if parts == 2:
        risk = risk - variance * candidates * _inverse_sums(candidates, xp)
    best = xp.expand_dims(xp.argmin(risk, axis=-1), axis=-1)
    chosen = xp.take_along_axis(candidates, best, axis=-1)
    universal = _universal(xp.sqrt(variance), count, band)
    power = xp.sum(squares, axis=-1, keepdims=True) / count
    margin = log2(max(count, 2)) ** 1.5 / sqrt(count * parts)
    limited = xp.where(chosen < universal, chosen, universal)
    return xp.reshape(xp.where(power <= variance * (1 + margin), universal, limited), sigma.shape)


def _inverse_sums(candidates: Array, xp: Namespace) -> Array:
    """Return the sum of the inverses of all larger candidates, for sorted candidates."""
    positive = candidates > 0
    safe = xp.where(positive, candidates, xp.ones_like(candidates))
    inverses = xp.where(positive, 1 / safe, xp.zeros_like(candidates))
    sums = xp.cumulative_sum(xp.flip(inverses, axis=-1), axis=-1)
    return xp.flip(sums, axis=-1) - inverses


def _fdr(band: Array, sigma: Array, samples: int, axes: tuple[int, ...], xp: Namespace) -> Array:
    """Return the smallest magnitude that is significant against noise for its rank."""
    flat = xp.sort(flattened(xp.abs(band), axes, xp), axis=-1, descending=True)
    count, scale = flat.shape[-1], xp.reshape(sigma, (*flat.shape[:-1], 1))
    levels = xp.asarray(_levels(count, _parts(band)), dtype=flat.dtype, device=device(flat))
    ranks = xp.arange(1, count + 1, device=device(flat))
    last = xp.max(xp.where(flat >= scale * levels, ranks, xp.zeros_like(ranks)), axis=-1)
    last = xp.expand_dims(last, axis=-1)
    index = xp.where(last > 0, last - 1, xp.zeros_like(last))
    magnitudes = xp.take_along_axis(flat, index, axis=-1)
    none = xp.broadcast_to(_universal(scale, count, band), magnitudes.shape)
    return xp.reshape(xp.where(last > 0, magnitudes, none), sigma.shape)


@lru_cache(maxsize=64)
def _levels(count: int, parts: int) -> NDArray[np.float64]:
    """The magnitudes, in standard deviations, that noise exceeds with probability q i / count.

    Interpolated, because NumPy has no quantiles; the ranks are 1, 2, ….
    """
    logs = np.log(_FALSE_SHARE * np.arange(1, count + 1) / count)
    if parts == 2:
        return np.sqrt(-logs)
    knots = np.linspace(logs[0], logs[-1], 4096 if count > 1 else 1)
    quantiles = [NormalDist().inv_cdf(1 - exp(knot) / 2) for knot in knots]
    return np.interp(logs, knots, quantiles)


THRESHOLDS: dict[str, Callable[..., Array]] = {
    "bayes": _bayes,
    "sure": _sure,
    "visu": _visu,
    "fdr": _fdr,
}


def flattened(band: Array, axes: tuple[int, ...], xp: Namespace) -> Array:
    """Move the batch axes to the front, and merge all transformed axes into the last one."""
    if axes == (0,) and band.ndim == 1:
        return band  # the usual signal
    batch = tuple(a for a in range(band.ndim) if a not in axes)
    moved = xp.permute_dims(band, batch + axes)
    # The size is computed, because an empty batch does not determine -1.
    return xp.reshape(moved, (*(band.shape[a] for a in batch), prod(band.shape[a] for a in axes)))
