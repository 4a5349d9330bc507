"""Recipes that shrink a coefficient by the energy of its neighbourhood.

A neighbourhood is a block or a window of adjacent coefficients of a decimated transform. In a band
of an undecimated transform, these are ``spacing`` samples apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import log

import numpy as np
from array_api_compat import device
from numpy.typing import NDArray

from liftwave._typing import Array
from liftwave.denoising.bands import Band
from liftwave.denoising.thresholds import flattened

# The solution of x - ln x = 3.
_BLOCK_FACTOR = 4.505241495792883
# The sizes of windows that ``neighsure`` compares.
_SIZES = (3, 5, 7, 9)


def blockjs(band: Band, sigma: Array, samples: int) -> Array:
    """James and Stein's rule on blocks of about ln N coefficients (Cai, 1999)."""
    side = _side(int(log(max(samples, 3))), len(band.axes))
    count = side ** len(band.axes)
    return _shrunk(band, _of_blocks(band, side, 0), _BLOCK_FACTOR * count * sigma**2)


def neighblock(band: Band, sigma: Array, samples: int) -> Array:
    """As ``blockjs`` on blocks of half the size, by their energy with a border (Cai, Silverman)."""
    side = _side(int(log(max(samples, 8)) / 2), len(band.axes))
    border = max(1, side // 2)
    count = (side + 2 * border) ** len(band.axes)
    return _shrunk(band, _of_blocks(band, side, border), _BLOCK_FACTOR * count * sigma**2)


def neighshrink(band: Band, sigma: Array, samples: int) -> Array:
    """Shrink by the energy of the adjacent three coefficients along each axis (Chen, 2005)."""
    limit = 2 * log(max(samples, 2)) / band.parts
    return _shrunk(band, energy(band, 3, spacing=1), limit * sigma**2)


def neighcoeff(band: Band, sigma: Array, samples: int) -> Array:
    """As ``neighshrink``, with neighbours of one decimated transform (Cai and Silverman, 2001)."""
    limit = 2 * log(max(samples, 2)) / band.parts
    return _shrunk(band, energy(band, 3), limit * sigma**2)


def neighsure(band: Band, sigma: Array, samples: int) -> Array:
    """As :func:`neighshrink`, with the window and the limit of least estimated risk (Zhou)."""
    xp = band.xp
    best = lowest = None
    for size in _SIZES:
        sums = energy(band, size)
        limit, risk = _least_risk(band, sums, sigma)
        values = _shrunk(band, sums, limit)
        if best is None or lowest is None:
            best, lowest = values, risk
        else:
            best = xp.where(risk < lowest, values, best)
            lowest = xp.where(risk < lowest, risk, lowest)
    return best


def _side(count: int, ndim: int) -> int:
    """The side of a block of about this many coefficients."""
    side = float(count) ** (1 / ndim)
    nearest: int = round(side)
    return max(1, nearest)


def _shrunk(band: Band, sums: Array, limit: Array) -> Array:
    r"""The values multiplied by :math:`(1 - \mathrm{limit} / \mathrm{sums})_+`."""
    xp = band.xp
    is_kept = sums > limit
    ratios = limit / xp.where(is_kept, sums, xp.ones_like(sums))
    return band.values * xp.where(is_kept, 1 - ratios, xp.zeros_like(sums))


# --- the limit of least risk ---------------------------------------------------------------------


def _least_risk(band: Band, sums: Array, sigma: Array) -> tuple[Array, Array]:
    """The limit with the least risk by Stein's estimate, and this risk, for each item of the batch.

    Candidates are zero and the energies, at most that of the universal threshold.
    """
    xp, parts = band.xp, band.parts
    flat, squares = (flattened(x, band.axes, xp) for x in (sums, xp.abs(band.values) ** 2))
    order = xp.argsort(flat, axis=-1)
    flat, squares = (xp.take_along_axis(x, order, axis=-1) for x in (flat, squares))
    variance = xp.reshape(sigma, (*flat.shape[:-1], 1)) ** 2 / parts
    safe = xp.where(flat > 0, flat, xp.ones_like(flat))
    slopes = squares / safe**2
    bends = 2 * variance * (parts / safe - 2 * slopes)
    below = _before(squares - 2 * variance * parts, xp)
    above, bent = (xp.sum(x, axis=-1, keepdims=True) - _before(x, xp) for x in (slopes, bends))
    limits = xp.concat([xp.zeros_like(flat[..., :1]), flat], axis=-1)
    risks = below + limits**2 * above - limits * bent
    universal = 2 * log(max(flat.shape[-1], 2)) * variance
    risks = xp.where(limits <= universal, risks, xp.full_like(risks, xp.inf))
    least = xp.expand_dims(xp.argmin(risks, axis=-1), axis=-1)
    shape = sigma.shape
    limit, risk = (xp.take_along_axis(x, least, axis=-1) for x in (limits, risks))
    return xp.reshape(limit, shape), xp.reshape(risk, shape)


def _before(x: Array, xp: object) -> Array:
    """The sums of the first 0, 1, 2, … values."""
    sums = xp.cumulative_sum(x, axis=-1)  # type: ignore[attr-defined]
    return xp.concat([xp.zeros_like(x[..., :1]), sums], axis=-1)  # type: ignore[attr-defined]


# --- sums over neighbours ------------------------------------------------------------------------


def energy(band: Band, size: int, spacing: int | None = None) -> Array:
    """The sum of the squared magnitudes in the window of ``size`` along each axis."""
    sums = band.xp.abs(band.values) ** 2
    for axis in band.axes:
        sums = _sums(band, sums, axis, range(-(size // 2), size - size // 2), spacing)
    return sums


def _of_blocks(band: Band, side: int, border: int) -> Array:
    """The energy of the block of each coefficient, with a border along each axis."""
    xp = band.xp
    sums = xp.abs(band.values) ** 2
    for axis in band.axes:
        sums = _sums(band, sums, axis, range(-border, side + border))
        starts = _starts(sums.shape[axis], side, band.spacing)
        sums = xp.take(sums, xp.asarray(starts, device=device(sums)), axis=axis)
    return sums


def _sums(
    band: Band, x: Array, axis: int, offsets: Sequence[int], spacing: int | None = None
) -> Array:
    total = neighbours(band, x, axis, offsets[0], spacing)
    for offset in offsets[1:]:
        total = total + neighbours(band, x, axis, offset, spacing)
    return total


def neighbours(band: Band, x: Array, axis: int, offset: int, spacing: int | None = None) -> Array:
    """The neighbour of each coefficient at the distance ``offset`` along an axis."""
    if offset == 0:
        return x
    step = offset * (band.spacing if spacing is None else spacing)
    if band.is_periodic:
        return band.xp.roll(x, -step, axis=axis)
    places = _mirrored(x.shape[axis], step)
    return band.xp.take(x, band.xp.asarray(places, device=device(x)), axis=axis)


@lru_cache(maxsize=1024)
def _mirrored(n: int, step: int) -> NDArray[np.int64]:
    places = np.mod(np.arange(n) + step, 2 * n)
    mirrored: NDArray[np.int64] = np.minimum(places, 2 * n - 1 - places)
    return mirrored


@lru_cache(maxsize=256)
def _starts(n: int, side: int, spacing: int) -> NDArray[np.int64]:
    """The first coefficient of each coefficient's block, within its phase of ``spacing``."""
    places = np.arange(n)
    starts: NDArray[np.int64] = places // spacing // side * side * spacing + places % spacing
    return starts
