"""Factoring of filter banks: which method is used, and whether its factors are accurate."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from math import copysign, inf, sqrt
from typing import Any, NamedTuple

import numpy as np
import pywt

from liftwave._numbers import is_several
from liftwave.errors import (
    FactorizationError,
    WaveletTypeError,
)
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.euclid import euclid_factors
from liftwave.wavelets.lifting.lattice import (
    Lattice,
    Shears,
    lattice_of_filters,
    quarter_turns_of,
)
from liftwave.wavelets.lifting.polyphase import Factors, Polyphase, matrix_of
from liftwave.wavelets.lifting.rotations import factors_with_quarter_turns, lattice_factors
from liftwave.wavelets.lifting.tables import tables

# PyWavelets' own tables have reconstruction errors up to 2e-11 (the long symlets).
# Factors with larger errors do not compute the same transform.
_ACCURACY = 1e-10

# Coefficients at the ends of filters that count as zero, relative to the
# largest tap. The first try cuts off exact zeros only, because the outer taps
# of long Daubechies filters are as small as 1e-18.
_TRIMS = (0.0, 1e-14)


def as_filter_bank(bank: Any) -> FilterBank:
    """Convert a FilterBank, a pywt.Wavelet or four filters to a filter bank.

    Raises
    ------
    WaveletError
        If ``bank`` is something else.
    """
    if isinstance(bank, FilterBank):
        return bank
    if isinstance(bank, pywt.Wavelet):
        dec_lo, dec_hi, rec_lo, rec_hi = bank.filter_bank
        return FilterBank(dec_lo, dec_hi, rec_lo, rec_hi, bank.name)
    if is_several(bank) and isinstance(bank, Sequence | np.ndarray) and len(bank) == 4:
        return FilterBank(*bank)
    raise WaveletTypeError(
        "expected a FilterBank, a pywt.Wavelet or the four filters dec_lo, dec_hi, rec_lo, "
        f"rec_hi, got {bank!r}"
    )


@lru_cache(maxsize=512)
def bank_factors(bank: FilterBank) -> Factors:
    """Factor a perfectly reconstructing filter bank into lifting steps.

    Raises
    ------
    FactorizationError
        If the bank does not reconstruct, its taps are arrays of another
        library, or no accurate factors were found.
    """
    _check_factorable(bank)
    target, least = _matrix(bank), inf
    for factors in _candidates(bank, target):
        error = matrix_of(factors).distance(target)
        if error <= _ACCURACY:
            return factors
        least = min(least, error)
    best = f"the best one has an error of {least:.3g}" if least < inf else "none was found"
    raise FactorizationError(
        f"{bank!r} has no lifting scheme accurate to {_ACCURACY:.3g} of its largest tap: {best}; "
        "use the filter bank itself"
    )


def unscaled_factors(bank: FilterBank) -> Factors | None:
    """Factor an orthonormal bank without scales, up to the norms of its filters.

    Returns
    -------
    Factors or None
        The scales are 1 or -1. None if no accurate factors were found.
    """
    target = _matrix(bank)
    for factors in _orthonormal_candidates(target, shears=3):
        if matrix_of(factors).distance(target) <= _ACCURACY:
            first, second = factors.scale
            return factors._replace(scale=(copysign(1.0, first), copysign(1.0, second)))
    return None


def bank_factors_with_quarter_turns(
    bank: FilterBank, shears: Shears, turned: Collection[int]
) -> Factors | None:
    """Factor orthonormal filters with extra quarter turns at exactly the given rotations.

    Returns
    -------
    Factors or None
        None if such factors do not exist.
    """
    for fit in _lattices(_matrix(bank)):
        place = (fit.lattice, fit.position, fit.detail_delay)
        factors = factors_with_quarter_turns(*place, shears, turned)
        return factors and _rescaled(factors, fit.norms)
    return None


def _check_factorable(bank: FilterBank) -> None:
    if not bank.is_concrete:
        raise FactorizationError(
            f"{bank!r} holds array taps: factoring it would copy them from their device and "
            "lose their gradients. Learn the taps of a LiftingScheme instead, or pass the filter "
            "bank itself to the transform"
        )
    error = bank.reconstruction_error()
    if error > _ACCURACY:
        raise FactorizationError(
            f"{bank!r} has no lifting scheme: the error of its synthesis is {error:.3g}, "
            "and lifting always reconstructs. Use the filter bank itself"
        )


def _matrix(bank: FilterBank) -> Polyphase:
    return Polyphase.of_filters(bank.dec_lo, bank.dec_hi)


def _candidates(bank: FilterBank, target: Polyphase) -> Iterator[Factors]:
    """Yield factors that may be the bank's, the best first."""
    for table, matrix in tables():
        if matrix.distance(target) <= _ACCURACY:
            yield table
    turns = quarter_turns_of(bank)
    if turns and (factors := bank_factors_with_quarter_turns(bank, *turns)):
        yield factors
    yield from _orthonormal_candidates(target, shears=2)
    yield from euclid_factors(target)


def _orthonormal_candidates(target: Polyphase, shears: Shears) -> Iterator[Factors]:
    """Yield factors of filters that are orthonormal, each up to its norm."""
    for fit in _lattices(target):
        factors = lattice_factors(fit.lattice, fit.position, fit.detail_delay, shears)
        yield _rescaled(factors, fit.norms)


def _rescaled(factors: Factors, norms: tuple[float, float]) -> Factors:
    scale = (norms[0] * factors.scale[0], norms[1] * factors.scale[1])
    return factors._replace(scale=scale)


class _Fit(NamedTuple):
    """A lattice, the position of its inputs, the detail's delay, and the norms of the filters."""

    lattice: Lattice
    position: int
    detail_delay: int
    norms: tuple[float, float]


def _lattices(matrix: Polyphase) -> Iterator[_Fit]:
    """Yield the lattices that fit a matrix."""
    norms = (sqrt(matrix.approx.energy), sqrt(matrix.detail.energy))
    low, high = (row.response() * (1 / n) for row, n in zip(matrix, norms, strict=True))
    for trim in _TRIMS:
        low = low.trimmed(trim * low.largest)
        # Orthonormal filters have even length, except a single tap and rounding errors.
        last = low.high
        first = last + 1 - (len(low) + len(low) % 2)
        # The determinant gives the number of sample pairs by which the high-pass is
        # ahead of the window of the low-pass. The lattice has both in one window.
        ahead = matrix.determinant().low - (first + last - 1) // 2
        aligned = high.shifted(-2 * ahead)
        dec_lo, dec_hi = (r.window(first, last)[::-1].tolist() for r in (low, aligned))
        lattice = lattice_of_filters(dec_lo, dec_hi)
        if lattice.residual <= 10 * _ACCURACY:
            yield _Fit(lattice, last - 1, -ahead, norms)
