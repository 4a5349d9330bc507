"""Integer-to-integer lifting: fixed-point taps, and how far coefficients can grow.

Calderbank, Daubechies, Sweldens & Yeo, *Wavelet transforms that map integers
to integers*, Appl. Comput. Harmon. Anal. 5, 1998: rounding the increment of
every step keeps each step invertible, since the same rounded number is
subtracted again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liftwave.errors import WaveletError
from liftwave.lifting.step import LiftingStep

_EXACT_BITS = 14
_ROUNDED_BITS = 16


@lru_cache(maxsize=4096)
def fixed_point(step: LiftingStep) -> tuple[tuple[int, ...], int]:
    r"""The taps of a step as integers over a power of two.

    The integer transform computes, on integers alone,

    .. math:: \mathtt{target}_k \mathrel{+}= \Bigl( \sum_j
              \mathtt{numerators}_j\,\mathtt{source}_{k+\mathtt{offset}+j}
              + 2^{\mathtt{bits}-1} \Bigr) \gg \mathtt{bits}

    which is :math:`\lfloor P + \tfrac12 \rfloor` of the real sum P.

    Parameters
    ----------
    step : LiftingStep
        A step whose taps are plain numbers.

    Returns
    -------
    numerators : tuple of int
        One for each tap.
    bits : int
        At least 1. Taps that are multiples of :math:`2^{-14}` are exact;
        all others are rounded to multiples of :math:`2^{-16}`.

    Raises
    ------
    WaveletError
        If the taps are an array of another library.

    Examples
    --------
    >>> from liftwave.lifting import LiftingStep
    >>> from liftwave.lifting.integer import fixed_point
    >>> fixed_point(LiftingStep("update", [0.25, 0.25], -1))
    ((1, 1), 2)
    """
    if not step.is_concrete:
        raise WaveletError(f"{step!r} has array taps: integer transforms need plain numbers")
    for bits in range(1, _EXACT_BITS + 1):
        scaled = [tap * 2.0**bits for tap in step.taps]
        if all(value.is_integer() for value in scaled):
            return tuple(int(value) for value in scaled), bits
    return tuple(round(tap * 2.0**_ROUNDED_BITS) for tap in step.taps), _ROUNDED_BITS


class IntegerBounds(NamedTuple):
    """Bounds on one level of the integer transform: ``gain * max|x| + offset``.

    ``approx_*`` and ``detail_*`` bound the two bands, ``peak_*`` every value
    that either channel holds between two steps (the bands included), and
    ``accumulator_*`` the sum of a step before its shift, rounding included.
    """

    approx_gain: float
    approx_offset: float
    detail_gain: float
    detail_offset: float
    peak_gain: float
    peak_offset: float
    accumulator_gain: float
    accumulator_offset: float


def exact_bounds(steps: Sequence[LiftingStep]) -> IntegerBounds:
    """The tightest gains: valid where the signal is extended, then filtered.

    Each channel is tracked as a linear form of the samples and of all rounding
    errors so far (at most 1/2 each); the sums of absolute weights are the
    bounds.
    """
    width, origin = _window(steps)
    # Rows: the even and the odd sample, then one rounding error for each step.
    channels = np.zeros((2, 2 + len(steps), width))
    channels[0, 0, origin] = channels[1, 1, origin] = 1.0
    values, sums = [(1.0, 0.0), (1.0, 0.0)], [(0.0, 0.0)]
    for number, step in enumerate(steps):
        source = channels[1 - step.target_parity]
        increment = _filtered(source, step)
        numerators, bits = fixed_point(step)
        sums.append(_accumulated(_norms(source), numerators, bits))
        channels[step.target_parity] += increment
        channels[step.target_parity, 2 + number, origin] += 1.0
        values.append(_norms(channels[step.target_parity]))
    return _collected(_norms(channels[0]), _norms(channels[1]), values, sums)


def safe_bounds(steps: Sequence[LiftingStep]) -> IntegerBounds:
    """Looser bounds that hold whichever sample (or zero) a step reads beyond an edge."""
    channels = [(1.0, 0.0), (1.0, 0.0)]
    values, sums = list(channels), [(0.0, 0.0)]
    for step in steps:
        numerators, bits = fixed_point(step)
        weight = sum(map(abs, numerators)) / 2.0**bits
        gain, offset = channels[step.target_parity]
        source_gain, source_offset = channels[1 - step.target_parity]
        sums.append(_accumulated((source_gain, source_offset), numerators, bits))
        channels[step.target_parity] = (
            gain + weight * source_gain,
            offset + weight * source_offset + 0.5,
        )
        values.append(channels[step.target_parity])
    return _collected(channels[0], channels[1], values, sums)


def _window(steps: Sequence[LiftingStep]) -> tuple[int, int]:
    """Width of a window that holds all responses, and where in it sample 0 is."""
    low, high = [0, 0], [0, 0]
    for step in steps:
        target = step.target_parity
        low[target] = min(low[target], low[1 - target] + step.offset)
        high[target] = max(high[target], high[1 - target] + step.offset + step.length - 1)
    return max(high) - min(low) + 1, -min(low)


def _filtered(source: NDArray[np.float64], step: LiftingStep) -> NDArray[np.float64]:
    result = np.zeros_like(source)
    numerators, bits = fixed_point(step)
    for j, numerator in enumerate(numerators):
        # The window has room for all responses: only zeros wrap around.
        result += numerator / 2.0**bits * np.roll(source, step.offset + j, axis=-1)
    return result


def _norms(channel: NDArray[np.float64]) -> tuple[float, float]:
    return float(np.abs(channel[:2]).sum()), 0.5 * float(np.abs(channel[2:]).sum())


def _accumulated(
    source: tuple[float, float], numerators: tuple[int, ...], bits: int
) -> tuple[float, float]:
    weight = float(sum(map(abs, numerators)))
    return weight * source[0], weight * source[1] + 2.0 ** (bits - 1)


def _collected(
    approx: tuple[float, float],
    detail: tuple[float, float],
    values: list[tuple[float, float]],
    sums: list[tuple[float, float]],
) -> IntegerBounds:
    return IntegerBounds(*approx, *detail, *_largest(values), *_largest(sums))


def _largest(bounds: list[tuple[float, float]]) -> Iterator[float]:
    return (max(column) for column in zip(*bounds, strict=True))
