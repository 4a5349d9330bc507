"""Filters of the dual-tree complex transform: names, tables, and checks of users' filters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from liftwave._numbers import as_numbers, is_several, items
from liftwave.errors import WaveletError, WaveletTypeError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.names import did_you_mean
from liftwave.wavelets.resolve import resolve_wavelet

_Filter: TypeAlias = tuple[float, ...]
Pair: TypeAlias = tuple[_Filter, _Filter]
"""A low-pass and a high-pass filter of the same length."""

NEAR_SYMMETRIC = "nearsym5.7"
"""The name of the pair of rational filters that are nearly mirror images of each other."""

# Published rational numbers, whose centres are in the middle.
_NEAR_LOW = (-1 / 20, 5 / 20, 12 / 20, 5 / 20, -1 / 20)
_NEAR_HIGH = tuple(tap / 280 for tap in (3, -15, -73, 170, -73, -15, 3))

# Low-pass filters of tree a, as ``tools/design_qshift.py`` prints them: each is the filter of an
# orthonormal lattice that minimises the energy of aliases.
_QSHIFT: dict[str, _Filter] = {
    "q10": (
        0.0048376442287467614,
        -0.022421237770611564,
        -0.11218122859397264,
        0.2549427991974215,
        0.7728355162263019,
        0.5606215229116215,
        0.004354107873946325,
        -0.09407574382353426,
        0.037260741451525234,
        0.00803944067165029,
    ),
    "q14": (
        0.0021604540504515913,
        -0.002583536823137692,
        0.031509232787539684,
        -0.034751334498599976,
        -0.11520316438254027,
        0.2702740462164782,
        0.7606958399909027,
        0.5667714391925359,
        0.009819048256302006,
        -0.10357374469208347,
        0.02254296116018812,
        0.014664073060652868,
        -0.0044175906762963036,
        -0.0036941612692984157,
    ),
    "q18": (
        0.0007844596846849238,
        0.0007653817883339586,
        -0.006830983373436214,
        0.0031293394976684734,
        0.04330973483115834,
        -0.050467355150457444,
        -0.11263794575951909,
        0.2784066554720372,
        0.7550034099517025,
        0.5653737306343013,
        0.022425576687576734,
        -0.1177448518400171,
        0.016938349863972503,
        0.02938276719121552,
        -0.010824402642769727,
        -0.0028267613558276643,
        -0.0010614180568224248,
        0.001087874949293278,
    ),
}
QSHIFT_NAMES = tuple(_QSHIFT)

# Tables of users have eight digits at least.
_TOLERANCE = 1e-6


class TreeFilters(NamedTuple):
    """The filters of an analysis.

    Attributes
    ----------
    first : (filter, filter)
        Low-pass and high-pass of the first level. Their length is even: the last tap is zero, and
        the centre is tap ``length // 2 - 1``.
    tree_a, tree_b : (filter, filter)
        Low-pass and high-pass of each tree on the other levels. The trees are mirror images.
    """

    first: Pair
    tree_a: Pair
    tree_b: Pair


class DualTreeFilters(NamedTuple):
    """The filters of a transform and of its inverse.

    Attributes
    ----------
    names : (str, str)
        The names of the filters of the first level, and of the other levels.
    analysis : TreeFilters
        The filters of the transform.
    dual : TreeFilters
        The inverse is the transpose of the transform with these filters.
    """

    names: tuple[str, str]
    analysis: TreeFilters
    dual: TreeFilters


def dual_tree_filters(biort: Any, qshift: Any) -> DualTreeFilters:
    """The filters with these names, or from these numbers.

    Raises
    ------
    WaveletError
        If a name does not exist, or filters do not fit the transform.
    """
    name, first, dual_first = _first_level(biort)
    deeper_name, trees, dual_trees = _deeper_levels(qshift)
    return DualTreeFilters(
        (name, deeper_name), TreeFilters(first, *trees), TreeFilters(dual_first, *dual_trees)
    )


# --- the first level -------------------------------------------------------------------------


def _first_level(biort: Any) -> tuple[str, Pair, Pair]:
    """The name, the filters, and those of the dual transform."""
    if isinstance(biort, str) and biort == NEAR_SYMMETRIC:
        low, dual_low = _NEAR_LOW, _modulated(_NEAR_HIGH)
        return biort, *_first_of_low_passes(low, dual_low)
    if is_several(biort) and not isinstance(biort, FilterBank):
        return "custom", *_first_of_four(biort)
    bank = resolve_wavelet(biort)
    if isinstance(bank, LiftingScheme) and not bank.integer and bank.is_concrete:
        bank = bank.to_filter_bank()
    if not isinstance(bank, FilterBank) or not bank.is_concrete:
        raise WaveletError(
            f"biort must be a wavelet with fixed symmetric filters, got {biort!r}: use a name such "
            f"as 'cdf9.7', or {NEAR_SYMMETRIC!r}"
        )
    name = biort if isinstance(biort, str) else bank.name or "custom"
    pairs = _first_of_low_passes(*_low_passes(bank))
    if bank is biort:
        return name, *pairs
    # PyWavelets' tables have twelve digits. Filters from lifting steps invert each other exactly.
    exact = LiftingScheme.from_name(bank.name).to_filter_bank() if bank.name else bank
    return name, *_first_of_low_passes(*_low_passes(exact))


def _low_passes(bank: FilterBank) -> tuple[_Filter, _Filter]:
    """The low-pass of the analysis and of the synthesis, with the sum 1."""
    low, dual_low = (_without_zeros(taps) for taps in (bank.dec_lo, bank.rec_lo))
    return tuple(tap * 0.5**0.5 for tap in low), tuple(tap * 0.5**0.5 for tap in dual_low)


def _first_of_low_passes(low: _Filter, dual_low: _Filter) -> tuple[Pair, Pair]:
    return _checked_first(low, _modulated(dual_low), dual_low, _modulated(low))


def _first_of_four(filters: Any) -> tuple[Pair, Pair]:
    values = items(filters, "biort must be the name of a wavelet or four filters", WaveletTypeError)
    if len(values) != 4:
        raise WaveletError(
            "biort takes four filters (h0o, g0o, h1o, g1o), low-pass of analysis and synthesis, "
            f"then high-pass; got {len(values)}"
        )
    low, dual_low, high, dual_high = (_as_filter(v, "biort") for v in values)
    return _checked_first(low, high, dual_low, dual_high)


def _checked_first(
    low: _Filter, high: _Filter, dual_low: _Filter, dual_high: _Filter
) -> tuple[Pair, Pair]:
    filters = (low, high, dual_low, dual_high)
    lengths = tuple(map(len, filters))
    if any(n % 2 == 0 for n in lengths) or any(_asymmetry(f) > _TOLERANCE for f in filters):
        raise WaveletError(
            "the first level of the dual tree needs symmetric filters of odd lengths, such as "
            f"those of 'cdf9.7' or {NEAR_SYMMETRIC!r}; got lengths {lengths}"
        )
    error = _first_error(filters)
    if not error < _TOLERANCE:
        raise WaveletError(
            f"the synthesis filters of biort do not invert its analysis filters: error {error:.1e}"
        )
    length = max(lengths)
    low, high, dual_low, dual_high = (_centred(f, length) for f in filters)
    return (low, high), (dual_low, dual_high)


def _first_error(filters: Sequence[_Filter]) -> float:
    """The largest difference of the sum of the two products of filters from an impulse."""
    low, high, dual_low, dual_high = filters
    products = np.convolve(low, dual_low), np.convolve(high, dual_high)
    total = np.zeros(max(map(len, products)))
    for product in products:
        start = (len(total) - len(product)) // 2
        total[start : start + len(product)] += product
    total[len(total) // 2] -= 1
    return float(np.abs(total).max())


def _modulated(taps: _Filter) -> _Filter:
    """The taps with alternating signs, positive in the middle."""
    centre = len(taps) // 2
    return tuple((-1) ** (j - centre) * tap for j, tap in enumerate(taps))


def _centred(taps: _Filter, length: int) -> _Filter:
    """The taps with zeros on both sides up to an odd length, and one more zero."""
    zeros = ((length - len(taps)) // 2) * (0.0,)
    return (*zeros, *taps, *zeros, 0.0)


def _without_zeros(taps: _Filter) -> _Filter:
    places = [j for j, tap in enumerate(taps) if tap]
    return taps[places[0] : places[-1] + 1] if places else taps


def _asymmetry(taps: _Filter) -> float:
    return max(abs(a - b) for a, b in zip(taps, reversed(taps), strict=True))


# --- other levels ----------------------------------------------------------------------------


def _deeper_levels(qshift: Any) -> tuple[str, tuple[Pair, Pair], tuple[Pair, Pair]]:
    """The name, the filters of both trees, and those of the dual transform."""
    if isinstance(qshift, str):
        if qshift not in _QSHIFT:
            raise WaveletError(
                f"unknown qshift {qshift!r}: use one of {', '.join(map(repr, QSHIFT_NAMES))}, or "
                "filters" + did_you_mean(qshift, QSHIFT_NAMES)
            )
        trees = _orthonormal_trees(_QSHIFT[qshift])
        return qshift, trees, trees
    values = items(qshift, "qshift must be a name or filters", WaveletTypeError)
    if values and is_several(values[0]):
        return "custom", *_of_eight(values)
    trees = _orthonormal_trees(_as_filter(qshift, "qshift"))
    _check_trees(trees, trees)
    return "custom", trees, trees


@lru_cache(maxsize=64)
def _orthonormal_trees(low: _Filter) -> tuple[Pair, Pair]:
    """The filters of both trees from the low-pass of tree a."""
    high = tuple((-1) ** j * tap for j, tap in enumerate(reversed(low)))
    return (low, high), (low[::-1], high[::-1])


def _of_eight(values: Sequence[Any]) -> tuple[tuple[Pair, Pair], tuple[Pair, Pair]]:
    if len(values) != 8:
        raise WaveletError(
            "qshift takes one orthonormal low-pass filter, or eight filters (h0a, h0b, g0a, g0b, "
            f"h1a, h1b, g1a, g1b); got {len(values)}"
        )
    h0a, h0b, g0a, g0b, h1a, h1b, g1a, g1b = (_as_filter(v, "qshift") for v in values)
    trees = (h0a, h1a), (h0b, h1b)
    duals = (g0a[::-1], g1a[::-1]), (g0b[::-1], g1b[::-1])
    _check_trees(trees, duals)
    return trees, duals


def _check_trees(trees: tuple[Pair, Pair], duals: tuple[Pair, Pair]) -> None:
    """Raise unless the trees are mirror images, and the dual filters invert each of them."""
    lengths = {len(taps) for pair in (*trees, *duals) for taps in pair}
    if len(lengths) != 1 or min(lengths) % 2:
        raise WaveletError(
            f"the filters of qshift must have one even length, got lengths {sorted(lengths)}"
        )
    for (low, high), mirrored in ((trees[0], trees[1]), (duals[0], duals[1])):
        difference = np.abs(np.subtract((low[::-1], high[::-1]), mirrored)).max()
        if not difference < _TOLERANCE:
            raise WaveletError(
                "the filters of tree b must be the reversed filters of tree a; they differ by "
                f"{difference:.1e}"
            )
    error = max(_error(pair, dual) for pair, dual in zip(trees, duals, strict=True))
    if not error < _TOLERANCE:
        raise WaveletError(
            "the synthesis filters of qshift do not invert its analysis filters (a single filter "
            f"must be orthonormal): error {error:.1e}"
        )


def _error(pair: Pair, dual: Pair) -> float:
    """The largest deviation of shifts by multiples of two from a biorthogonal basis."""
    worst = 0.0
    for i, taps in enumerate(pair):
        for j, other in enumerate(dual):
            centre = len(taps) - 1  # of all shifts
            shifts = np.correlate(taps, other, "full")[1::2]
            shifts[centre // 2] -= i == j
            worst = max(worst, float(np.abs(shifts).max()))
    return worst


def _as_filter(values: Any, name: str) -> _Filter:
    array: NDArray[Any] = as_numbers(values).reshape(-1)
    if array.size == 0 or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise WaveletError(f"a filter of {name} must be a sequence of finite numbers")
    return tuple(array.astype(np.float64).tolist())
