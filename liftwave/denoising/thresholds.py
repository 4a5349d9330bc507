"""The classical rules for thresholds of a band, and the estimate of the noise.

``sigma`` is the standard deviation of the noise: the root of the mean of its squared magnitude.
Each of the two parts of complex noise has half of the variance.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, log2, prod, sqrt
from typing import Literal

import numpy as np
from array_api_compat import device

from liftwave._arrays.convert import is_complex
from liftwave._typing import Array, Namespace

Method = Literal["bayes", "sure", "visu"]

# The median of the magnitude of normal noise of variance 1. The magnitude of complex noise follows
# a Rayleigh distribution.
_MEDIAN_OF_REAL = 0.6744897501960817
_MEDIAN_OF_COMPLEX = sqrt(log(2))


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
    chosen = variance / xp.sqrt(xp.where(is_noise, xp.ones_like(signal), signal))
    return xp.where(is_noise, xp.full_like(chosen, xp.inf), chosen)


def _sure(band: Array, sigma: Array, samples: int, axes: tuple[int, ...], xp: Namespace) -> Array:
    flat = xp.sort(_flattened(xp.abs(band), axes, xp), axis=-1)
    count, parts = flat.shape[-1], _parts(band)
    variance = xp.reshape(sigma, (*flat.shape[:-1], 1)) ** 2
    # The risk has its minimum at zero or at a coefficient, so it is computed at all of these.
    candidates = xp.concat([xp.zeros_like(flat[..., :1]), flat], axis=-1)
    squares = candidates**2
    below = xp.arange(count + 1, dtype=flat.dtype, device=device(flat))
    kept = xp.cumulative_sum(squares, axis=-1) + (count - below) * squares
    risk = count * variance - 2 * variance * below + kept
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


METHODS: dict[str, Callable[..., Array]] = {
    "bayes": _bayes,
    "sure": _sure,
    "visu": _visu,
}


# --- the noise -----------------------------------------------------------------------------------


def noise_level(finest: Array, axes: tuple[int, ...], xp: Namespace) -> Array:
    """The standard deviation of noise from the finest band; the transformed axes have length 1."""
    ratio = _MEDIAN_OF_COMPLEX if is_complex(finest) else _MEDIAN_OF_REAL
    median = _median(_flattened(xp.abs(finest), axes, xp), xp)
    batch = tuple(1 if a in axes else n for a, n in enumerate(finest.shape))
    return xp.reshape(median / ratio, batch)


def _flattened(band: Array, axes: tuple[int, ...], xp: Namespace) -> Array:
    """Move the batch axes to the front, and merge all transformed axes into the last one."""
    batch = tuple(a for a in range(band.ndim) if a not in axes)
    moved = xp.permute_dims(band, batch + axes)
    # The size is computed, because an empty batch does not determine -1.
    return xp.reshape(moved, (*(band.shape[a] for a in batch), prod(band.shape[a] for a in axes)))


def _median(values: Array, xp: Namespace) -> Array:
    n = values.shape[-1]
    middle = ((n - 1) // 2, n // 2)
    ordered = (
        np.partition(values, middle, axis=-1)
        if type(values) is np.ndarray
        else xp.sort(values, axis=-1)
    )
    return (ordered[..., middle[0]] + ordered[..., middle[1]]) / 2
