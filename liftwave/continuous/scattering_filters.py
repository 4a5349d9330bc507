"""The filters of scattering transforms of signals: Gabor filters without mean, and a low-pass."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Kymatio's constants: the width of the low-pass, the response where neighbours cross, and how
# many deviations of a Gaussian a sampling rate must hold.
WIDTH, _CROSSING, _DEVIATIONS = 0.1, math.sqrt(0.5), 5

# Deviations beyond which a Gaussian is below the rounding error, in frequency and in time.
_REACH, _REACH_IN_TIME = 9, 10

# Gaussians of the frequency 0 with smaller factors are negligible.
_NEGLIGIBLE = 1e-20


class Filter(NamedTuple):
    """A Gabor filter: its centre and width in cycles per sample, and its sampling rate."""

    centre: float
    width: float
    level: int


class Tree(NamedTuple):
    """The filters of both orders, and the filters of the second order of each path."""

    levels: int
    first: tuple[Filter, ...]
    second: tuple[Filter, ...]
    children: tuple[tuple[int, ...], ...]


@lru_cache(maxsize=64)
def tree_of(levels: int, voices: int, order: int) -> Tree:
    """The filters of a transform."""
    first, second = _bank(levels, voices), _bank(levels, 1) if order == 2 else ()
    children = tuple(
        tuple(k for k, child in enumerate(second) if child.level > parent.level) for parent in first
    )
    return Tree(levels, first, second, children)


def _bank(levels: int, voices: int) -> tuple[Filter, ...]:
    """Filters with equal ratios while they are broader than the low-pass, then equal steps."""
    least = WIDTH / 2**levels
    centre = max(1 / (1 + 2 ** (3 / voices)), 0.35)
    ratio = 2 ** (-1 / voices)
    width = centre * (1 - ratio) / (1 + ratio) / math.sqrt(-2 * math.log(_CROSSING))
    filters = []
    while width > least:
        filters.append(_filter(centre, width))
        centre, width = centre * ratio, width * ratio
    elbow = filters[-1].centre if filters else centre
    filters += [_filter(elbow * (1 - q / voices), least) for q in range(1, voices)]
    return tuple(filters)


def _filter(centre: float, width: float) -> Filter:
    """A filter, with the number of times that the rate of its result can be halved."""
    edge = min(centre + _DEVIATIONS * width, 0.5)
    return Filter(centre, width, math.floor(-math.log2(edge)) - 1)


# --- responses -----------------------------------------------------------------------------------


class Band(NamedTuple):
    """The Fourier transform of a filter: its bins from ``start`` on, which can be negative.

    The bins are those of the longest signals. At all rates, a bin is the sum of the bins at the
    distance of the number of samples.
    """

    start: int
    values: NDArray[Any]


@lru_cache(maxsize=1024)
def band_of(centre: float, width: float, length: int, dtype: str = "float64") -> Band:
    """A filter, divided by the sum of its magnitudes in time."""
    if dtype != "float64":
        start, values = band_of(centre, width, length)
        return Band(start, values.astype(dtype))
    share = _at_zero(centre, width) / _at_zero(0.0, width) if centre else 0.0
    share = share if share > _NEGLIGIBLE else 0.0
    first = math.floor(((0.0 if share else centre) - _REACH * width) * length)
    f = np.arange(first, math.ceil((centre + _REACH * width) * length) + 1) / length
    values = np.exp(-((f - centre) ** 2) / (2 * width**2))
    if share:
        values -= share * np.exp(-(f**2) / (2 * width**2))
    return Band(first, values / _sum_in_time(Band(first, values), width, share, length))


def _at_zero(centre: float, width: float) -> float:
    """The value at frequency 0 of a Gaussian that is repeated with the sampling rate."""
    reach = 9 * width + 0.5
    periods = range(math.ceil(-centre - reach), math.floor(reach - centre) + 1)
    return sum(math.exp(-((centre + period) ** 2) / (2 * width**2)) for period in periods)


def _sum_in_time(band: Band, width: float, share: float, length: int) -> float:
    """The sum of the magnitudes of a filter in time.

    The magnitude of a Gabor filter is a Gaussian, whose sum is the response at its centre. That of
    the others is smooth, so fewer samples have the same sum.
    """
    is_long = 2 * math.pi * width * length > 2 * _REACH_IN_TIME
    if is_long and not share:
        return _at_zero(0.0, width)
    count = length
    while is_long and count % 2 == 0 and count // 2 >= 16 * (band.start + band.values.size):
        count //= 2
    return float(np.abs(np.fft.ifft(_repeated(band, count))).sum())


def _repeated(band: Band, count: int) -> NDArray[np.float64]:
    """The bins of a signal of ``count`` samples, at the distance of the bins of a band."""
    total = np.zeros(count)
    for low, high in pieces(band, count):
        total[low % count : low % count + high - low] += band.values[
            low - band.start : high - band.start
        ]
    return total


def pieces(band: Band, count: int) -> list[tuple[int, int]]:
    """The bins of a band, divided at the multiples of a number of samples."""
    stop = band.start + band.values.size
    periods = range(band.start // count, -(-stop // count))
    return [(max(band.start, p * count), min(stop, (p + 1) * count)) for p in periods]


@lru_cache(maxsize=512)
def response_of(centre: float, width: float, length: int, level: int) -> NDArray[np.float64]:
    """All bins of a filter, for signals whose rate is halved several times."""
    return _repeated(band_of(centre, width, length), length >> level)
