"""From filter banks to lifting schemes: which way is taken, and whether it is accurate."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from math import copysign, inf, sqrt
from typing import Any

import numpy as np
import pywt

from liftwave.errors import FactorizationError, WaveletError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.euclid import euclid_schemes
from liftwave.wavelets.lifting.lattice import Lattice, peel_angles
from liftwave.wavelets.lifting.polyphase import Polyphase
from liftwave.wavelets.lifting.rotations import Shears, lattice_scheme, turned_scheme
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.tables import ORDERS, table_scheme
from liftwave.wavelets.lifting.turns import turns_of

_ALIASES = {"cdf5.3": "bior2.2", "cdf53": "bior2.2", "cdf9.7": "bior4.4", "cdf97": "bior4.4"}
_ALIAS_NAMES = {"bior2.2": "cdf5.3", "bior4.4": "cdf9.7"}

# PyWavelets' own tables miss reconstruction by up to 2e-11 (the long symlets);
# anything beyond this is not the same transform.
_ACCURACY = 1e-10

# Ends of filters taken for zero, relative to the largest tap. First none but
# zeros: the ends of long Daubechies filters are as small as 1e-18.
_TRIMS = (0.0, 1e-14)


def scheme_of_name(name: str) -> LiftingScheme:
    """See :meth:`LiftingScheme.from_name`."""
    if not isinstance(name, str):
        raise WaveletError(f"a wavelet's name must be a string, got {name!r}")
    return _named(name.lower())


def scheme_of_bank(bank: Any) -> LiftingScheme:
    """See :meth:`LiftingScheme.from_filter_bank`."""
    checked = _as_bank(bank)
    if not checked.is_concrete:
        raise FactorizationError(
            f"{checked!r} holds array taps: factoring it would copy them from their device and "
            "lose their gradients; learn the taps of a LiftingScheme instead, or use the filter "
            "bank itself, which every transform takes"
        )
    return replace(_factored(checked), name=checked.name)


def unscaled(scheme: LiftingScheme) -> LiftingScheme:
    """The integer scheme, see :meth:`LiftingScheme.to_integer`."""
    bank = scheme.origin or scheme.to_filter_bank()
    if scheme.dec_len > 2 and bank.orthogonal:
        for candidate in _lattice_schemes(bank, shears=3):
            if _defect(candidate, bank) <= _ACCURACY:
                first, second = candidate.scale
                signs = (copysign(1.0, first), copysign(1.0, second))
                return replace(candidate, scale=signs, name=scheme.name, integer=True, origin=bank)
    return replace(scheme, scale=(1.0, 1.0), integer=True)


@lru_cache(maxsize=512)
def _named(name: str) -> LiftingScheme:
    known = _ALIASES.get(name, name)
    label = _ALIAS_NAMES[known] if name in _ALIASES else name
    table = table_scheme(known)
    if table is not None:
        return replace(table, name=label)
    if known not in pywt.wavelist(kind="discrete"):
        raise WaveletError(
            f"no discrete wavelet is called {name!r}: lifting schemes exist for 'cdf5.3', "
            "'cdf9.7' and all of pywt.wavelist(kind='discrete') except 'dmey'"
        )
    return scheme_of_bank(pywt.Wavelet(known))


@lru_cache(maxsize=512)
def _factored(bank: FilterBank) -> LiftingScheme:
    error = bank.reconstruction_error()
    if error > _ACCURACY:
        raise FactorizationError(
            f"{bank!r} has no lifting scheme: its synthesis misses its analysis by {error:.3g}, "
            "and lifting always reconstructs; use the filter bank itself"
        )
    best = inf
    for scheme in _candidates(bank):
        defect = _defect(scheme, bank)
        if defect <= _ACCURACY:
            return replace(scheme, origin=bank)
        best = min(best, defect)
    found = f"the best one found is off by {best:.3g}" if best < inf else "none was found"
    raise FactorizationError(
        f"{bank!r} has no lifting scheme accurate to {_ACCURACY:.3g} of its largest tap: {found}; "
        "use the filter bank itself"
    )


def _candidates(bank: FilterBank) -> Iterator[LiftingScheme]:
    """Schemes that may be the bank's, the best first."""
    target = _polyphase(bank)
    for name in _table_names():
        table = table_scheme(name)
        if table is not None and table.polyphase.distance(target) <= _ACCURACY:
            yield table
    yield from _lattice_schemes(bank, shears=2)
    yield from euclid_schemes(target)


@cache
def _table_names() -> tuple[str, ...]:
    return tuple(family + order for order in ORDERS for family in ("bior", "rbio"))


def _lattice_schemes(bank: FilterBank, shears: Shears) -> Iterator[LiftingScheme]:
    """Schemes of filters that are orthonormal, each up to a factor."""
    preferred = turns_of(bank) if shears == 2 else None
    if preferred and (scheme := lattice_variant(bank, *preferred)):
        yield scheme
    for lattice, position, delay, norms in _lattices(bank):
        yield _rescaled(lattice_scheme(lattice, position, delay, shears), norms)


def lattice_variant(
    bank: FilterBank, shears: Shears, turns: Collection[int]
) -> LiftingScheme | None:
    """The scheme of orthonormal filters with given quarter turns, if there is one."""
    for lattice, position, delay, norms in _lattices(bank):
        scheme = turned_scheme(lattice, position, delay, shears, turns)
        return scheme and _rescaled(scheme, norms)
    return None


def _rescaled(scheme: LiftingScheme, factors: tuple[float, float]) -> LiftingScheme:
    scale = (factors[0] * scheme.scale[0], factors[1] * scheme.scale[1])
    return replace(scheme, scale=scale)


def _lattices(bank: FilterBank) -> Iterator[tuple[Lattice, int, int, tuple[float, float]]]:
    """Lattices of a bank, with their position, the detail's delay and the filters' norms."""
    matrix = _polyphase(bank)
    norms = (sqrt(matrix.approx.energy), sqrt(matrix.detail.energy))
    low, high = (row.response() * (1 / n) for row, n in zip(matrix, norms, strict=True))
    for trim in _TRIMS:
        low = low.trimmed(trim * low.largest)
        # Orthonormal filters have even length, but for a single tap and for noise.
        last = low.high
        first = last + 1 - (len(low) + len(low) % 2)
        # The determinant tells by how many pairs of samples the high-pass lies
        # ahead of the window of the low-pass; the lattice has both in one.
        ahead = matrix.determinant().low - (first + last - 1) // 2
        aligned = high.shifted(-2 * ahead)
        dec_lo, dec_hi = (r.window(first, last)[::-1].tolist() for r in (low, aligned))
        lattice = peel_angles(dec_lo, dec_hi)
        if lattice.residual <= 10 * _ACCURACY:
            yield lattice, last - 1, -ahead, norms


def _defect(scheme: LiftingScheme, bank: FilterBank) -> float:
    """How far the scheme's impulse responses are from the bank's filters."""
    return scheme.polyphase.distance(_polyphase(bank))


@lru_cache(maxsize=512)
def _polyphase(bank: FilterBank) -> Polyphase:
    return Polyphase.of_filters(bank.dec_lo, bank.dec_hi)


def _as_bank(bank: Any) -> FilterBank:
    if isinstance(bank, FilterBank):
        return bank
    if isinstance(bank, pywt.Wavelet):
        dec_lo, dec_hi, rec_lo, rec_hi = bank.filter_bank
        return FilterBank(dec_lo, dec_hi, rec_lo, rec_hi, name=bank.name)
    if isinstance(bank, Sequence | np.ndarray) and not isinstance(bank, str) and len(bank) == 4:
        return FilterBank(*bank)
    raise WaveletError(
        "expected a FilterBank, a pywt.Wavelet or the four filters dec_lo, dec_hi, rec_lo, "
        f"rec_hi, got {bank!r}"
    )
