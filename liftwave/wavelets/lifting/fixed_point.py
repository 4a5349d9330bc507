"""Integer-to-integer lifting: taps as fixed-point numbers.

Calderbank, Daubechies, Sweldens & Yeo, *Wavelet transforms that map integers
to integers*, Appl. Comput. Harmon. Anal. 5, 1998: a step with a rounded
increment stays invertible, because the inverse subtracts the same rounded number.
"""

from __future__ import annotations

from functools import lru_cache

from liftwave.errors import WaveletError
from liftwave.wavelets.lifting.step import LiftingStep

_EXACT_BITS = 14
_ROUNDED_BITS = 16
_LARGEST = 2**63


@lru_cache(maxsize=4096)
def fixed_point(step: LiftingStep) -> tuple[tuple[int, ...], int]:
    r"""Return the taps of a step as integers over a power of two.

    The integer transform computes, in integer arithmetic,

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
        One number for each tap.
    bits : int
        At least 1. Taps that are multiples of :math:`2^{-14}` are exact.
        Other taps are rounded to multiples of :math:`2^{-16}`.

    Raises
    ------
    WaveletError
        If the taps are an array of another library, or a numerator does not fit
        64 bits.

    Examples
    --------
    >>> from liftwave.lifting import LiftingStep
    >>> fixed_point(LiftingStep("update", [0.25, 0.25], -1))
    ((1, 1), 2)
    """
    if not step.is_concrete:
        raise WaveletError(f"{step!r} has array taps: integer transforms need plain numbers")
    if max(map(abs, step.taps)) < _LARGEST / 2:
        numerators, bits = _numerators(step)
        if max(map(abs, numerators)) < _LARGEST:
            return numerators, bits
    raise WaveletError(
        f"{step!r} is too large for an integer scheme: its taps, as multiples of at least 2**-16, "
        "must fit 64 bits"
    )


def _numerators(step: LiftingStep) -> tuple[tuple[int, ...], int]:
    for bits in range(1, _EXACT_BITS + 1):
        scaled = [tap * 2.0**bits for tap in step.taps]
        if all(value.is_integer() for value in scaled):
            return tuple(int(value) for value in scaled), bits
    return tuple(round(tap * 2.0**_ROUNDED_BITS) for tap in step.taps), _ROUNDED_BITS
