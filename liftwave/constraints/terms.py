"""The penalties as sums of terms, each a value and a gradient, on any array library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from array_api_compat import device

from liftwave._arrays.convert import Opened, zeros
from liftwave._typing import Array, Namespace
from liftwave.constraints._filters import mirror, mirror_transposed


class Term(NamedTuple):
    """A penalty's value, shape (..., 1), and what gives the gradient for each of its filters."""

    value: Array
    gradient: Callable[[], tuple[Array, ...]]


TermOf: TypeAlias = Callable[..., Term]


class Penalty:
    """A sum of terms of some filters.

    Parameters
    ----------
    filters : list of Opened
        Arrays of shape (..., K).
    *parts : (term, numbers of filters)
        The terms, and which of the filters each is a function of.
    """

    def __init__(self, filters: list[Opened], *parts: tuple[TermOf, tuple[int, ...]]) -> None:
        self._filters = filters
        xp = filters[0].xp
        self._terms = [
            (which, term(xp, *(filters[k].array for k in which))) for term, which in parts
        ]

    @property
    def value(self) -> Array:
        """The sum, shape (...), in the dtype of the filters."""
        total = sum(term.value for _, term in self._terms)
        return self._filters[0].close(total[..., 0])

    def pullback(self, cotangent: Any) -> tuple[Array, ...]:
        """The gradient for each filter, times a cotangent of the value's shape."""
        first = self._filters[0]
        weight = first.xp.asarray(cotangent, dtype=first.array.dtype, device=device(first.array))
        gradients: list[Any] = [0.0] * len(self._filters)
        for which, term in self._terms:
            for k, gradient in zip(which, term.gradient(), strict=True):
                gradients[k] = gradients[k] + gradient
        weighted = (weight[..., None] * gradient for gradient in gradients)
        return tuple(f.close(g) for f, g in zip(self._filters, weighted, strict=True))


def norm_and_sum(xp: Namespace, taps: Array, *, total: float) -> Term:
    """Energy 1, and a given sum."""
    energy, rest = _sum(xp, taps * taps) - 1.0, _sum(xp, taps) - total
    return Term(energy**2 + rest**2, lambda: (4.0 * energy * taps + 2.0 * rest,))


def both_norms(xp: Namespace, low: Array, high: Array) -> Term:
    """Energies of 2 together."""
    energy = _sum(xp, low * low) + _sum(xp, high * high) - 2.0
    return Term(energy**2, lambda: (4.0 * energy * low, 4.0 * energy * high))


def mirrored_taps(xp: Namespace, low: Array, high: Array, *, antisymmetric: bool) -> Term:
    """A symmetric low-pass, and a symmetric or antisymmetric high-pass."""
    flipped = xp.flip(high, axis=-1)
    of_low = low - xp.flip(low, axis=-1)
    of_high = high + flipped if antisymmetric else high - flipped
    # Every pair of mirrored taps is met twice.
    value = 0.5 * (_sum(xp, of_low * of_low) + _sum(xp, of_high * of_high))
    return Term(value, lambda: (2.0 * of_low, 2.0 * of_high))


def own_shifts(xp: Namespace, low: Array) -> Term:
    """Energy 1, and orthogonal to its own shifts by 2, 4 and so on."""
    length = low.shape[-1]
    lags = range(0, length, 2)
    misses = [
        _sum(xp, low[..., : length - lag] * low[..., lag:]) - (0.0 if lag else 1.0) for lag in lags
    ]

    def gradient() -> tuple[Array, ...]:
        pairs = (
            (miss, _moved(xp, low, -lag), _moved(xp, low, lag))
            for lag, miss in zip(lags, misses, strict=True)
        )
        return (2.0 * sum(miss * (ahead + behind) for miss, ahead, behind in pairs),)

    return Term(sum(miss**2 for miss in misses), gradient)


def mirror_image(xp: Namespace, low: Array, high: Array) -> Term:
    """The high-pass is the quadrature mirror of the low-pass, both of even length."""
    length = low.shape[-1]
    missing = length % 2
    miss = _padded(xp, high, 0, missing) - mirror(_padded(xp, low, 0, missing))

    def gradient() -> tuple[Array, ...]:
        return -2.0 * mirror_transposed(miss)[..., :length], 2.0 * miss[..., :length]

    return Term(_sum(xp, miss * miss), gradient)


def _sum(xp: Namespace, values: Array) -> Array:
    return xp.sum(values, axis=-1, keepdims=True)


def _moved(xp: Namespace, taps: Array, by: int) -> Array:
    """The taps moved to later places (earlier ones, if negative); zeros come in."""
    length = taps.shape[-1]
    if by >= 0:
        return _padded(xp, taps[..., : length - by], by, 0)
    return _padded(xp, taps[..., -by:], 0, -by)


def _padded(xp: Namespace, taps: Array, before: int, after: int) -> Array:
    """The taps between zeros."""
    if before == after == 0:
        return taps
    batch = tuple(taps.shape[:-1])
    parts = [zeros((*batch, before), taps, xp), taps, zeros((*batch, after), taps, xp)]
    return xp.concat(parts, axis=-1)
