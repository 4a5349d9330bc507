"""Checks of filters, mirror images, and the terms of penalties, on any array library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._arrays.convert import Opened, as_array, common_namespace, open_arrays, zeros
from liftwave._typing import Array, ArrayLike, Namespace
from liftwave.errors import ArgumentTypeError, ConstraintError, ShapeError

# --- checks --------------------------------------------------------------------------------------


def open_filters(**filters: ArrayLike) -> list[Opened]:
    """Convert filters of one shape (..., K) to the dtype of computation.

    The keywords name the filters in errors.

    Raises
    ------
    ShapeError
        If there are no taps, or the shapes differ.
    ArgumentTypeError
        If the taps are complex, or the arrays belong to different libraries.
    """
    opened = open_arrays(list(filters.values()))
    for name, taps in zip(filters, opened, strict=True):
        check_real(taps, name)
        if taps.array.ndim == 0 or taps.array.shape[-1] == 0:
            raise ShapeError(
                f"{name} must hold taps along its last axis, got shape {tuple(taps.array.shape)}"
            )
    shapes = {name: tuple(o.array.shape) for name, o in zip(filters, opened, strict=True)}
    if len(set(shapes.values())) > 1:
        raise ShapeError(f"the filters of a bank must have the same shape, got {shapes}")
    return opened


def check_real(opened: Opened, name: str) -> None:
    """Raise if an array is complex."""
    if opened.xp.isdtype(opened.array.dtype, "complex floating"):
        raise ArgumentTypeError(f"{name} must be real, got dtype {opened.array.dtype}")


def cotangent_like(cotangent: Any, like: Array, shape: tuple[int, ...], name: str) -> Array:
    """Return a cotangent as an array of this shape, in the library and dtype of ``like``.

    Raises
    ------
    ShapeError
        If it does not broadcast to this shape.
    ArgumentTypeError, DTypeError
        If it is complex or not numeric, or an array of another library.
    """
    array, xp = as_array(cotangent), array_namespace(like)
    if type(array) is np.ndarray and type(like) is not np.ndarray:
        array = xp.asarray(array, device=device(like))
    check_real(Opened(array, common_namespace([array, like]), array.dtype), name)
    lengths = tuple(array.shape)
    pairs = zip(reversed(lengths), reversed(shape), strict=False)
    if len(lengths) > len(shape) or any(n not in (1, m) for n, m in pairs):
        raise ShapeError(f"{name} must have shape {shape}, got shape {lengths}")
    return xp.broadcast_to(xp.astype(array, like.dtype, copy=False), shape)


def generator(seed: Any) -> np.random.Generator:
    """Return NumPy's generator of a seed.

    Raises
    ------
    ArgumentTypeError
        If it is not a seed.
    """
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            "seed must be None, an integer of at least 0, a sequence of these or a "
            f"numpy.random.Generator, got {seed!r}"
        ) from None


def require_possible(length: int, demands: Sequence[str]) -> None:
    """Raise if filters of ``length`` taps are required to be both orthonormal and symmetric.

    Raises
    ------
    ConstraintError
        If both are required of more than two taps.
    """
    if length > 2 and {"orthonormal", "symmetric"} <= set(demands):
        raise ConstraintError(
            f"no filters of {length} taps are both orthonormal and symmetric: only Haar's two taps "
            "are both (Daubechies, Ten Lectures on Wavelets, theorem 8.1.4). Use one of the two "
            "conditions, or symmetric_lifting, which is symmetric and reconstructs"
        )


# --- mirror images -------------------------------------------------------------------------------


def mirror(low: Array) -> Array:
    """Return the quadrature mirror ``(-1)**i * low[..., K-1-i]``."""
    xp: Any = array_namespace(low)
    return xp.flip(low, axis=-1) * signs(low)


def mirror_transposed(high: Array) -> Array:
    """Apply the transpose of :func:`mirror`."""
    xp: Any = array_namespace(high)
    return xp.flip(high * signs(high), axis=-1)


def signs(taps: Array) -> Array:
    """Return the signs 1, -1, 1, … of the taps."""
    xp: Any = array_namespace(taps)
    values = [(-1.0) ** i for i in range(taps.shape[-1])]
    return xp.asarray(values, dtype=taps.dtype, device=device(taps))


# --- terms ---------------------------------------------------------------------------------------


class Term(NamedTuple):
    """A term's value, shape (..., 1), and a function for the gradients in its filters."""

    value: Array
    gradient: Callable[[], tuple[Array, ...]]


TermOf: TypeAlias = Callable[..., Term]


class Penalty:
    """A sum of terms of some filters.

    Parameters
    ----------
    filters : list of Opened
        Arrays of shape (..., K).
    *parts : (term, indices)
        The terms, each with the indices of the filters that are its arguments.
    """

    def __init__(self, filters: list[Opened], *parts: tuple[TermOf, tuple[int, ...]]) -> None:
        self._filters = filters
        xp = filters[0].xp
        self._terms = [
            (indices, term(xp, *(filters[k].array for k in indices))) for term, indices in parts
        ]

    @property
    def value(self) -> Array:
        """The sum of the terms, shape (...), in the dtype of the filters."""
        total = sum(term.value for _, term in self._terms)
        return self._filters[0].close(total[..., 0])

    def pullback(self, cotangent: Any) -> tuple[Array, ...]:
        """Return the gradient in each filter, times a cotangent of the value's shape."""
        taps = self._filters[0].array
        weight = cotangent_like(cotangent, taps, tuple(taps.shape[:-1]), "the cotangent")
        gradients: list[Any] = [0.0] * len(self._filters)
        for indices, term in self._terms:
            for k, gradient in zip(indices, term.gradient(), strict=True):
                gradients[k] = gradients[k] + gradient
        weighted = (weight[..., None] * gradient for gradient in gradients)
        return tuple(f.close(g) for f, g in zip(self._filters, weighted, strict=True))


def norm_and_sum(xp: Namespace, taps: Array, *, total: float) -> Term:
    """The deviation from unit energy and from a sum."""
    energy, excess = _sum(xp, taps * taps) - 1.0, _sum(xp, taps) - total
    return Term(energy**2 + excess**2, lambda: (4.0 * energy * taps + 2.0 * excess,))


def both_norms(xp: Namespace, low: Array, high: Array) -> Term:
    """The deviation of the sum of both filters' energies from 2."""
    energy = _sum(xp, low * low) + _sum(xp, high * high) - 2.0
    return Term(energy**2, lambda: (4.0 * energy * low, 4.0 * energy * high))


def mirrored_taps(xp: Namespace, low: Array, high: Array, *, antisymmetric: bool) -> Term:
    """The deviation from a symmetric low-pass and a symmetric or antisymmetric high-pass."""
    flipped = xp.flip(high, axis=-1)
    of_low = low - xp.flip(low, axis=-1)
    of_high = high + flipped if antisymmetric else high - flipped
    # The sums contain every pair of mirrored taps twice.
    value = 0.5 * (_sum(xp, of_low * of_low) + _sum(xp, of_high * of_high))
    return Term(value, lambda: (2.0 * of_low, 2.0 * of_high))


def own_shifts(xp: Namespace, low: Array) -> Term:
    """The deviation from unit energy and from orthogonality to shifts by 2, 4 and so on."""
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
    """The difference of the high-pass and the quadrature mirror of the low-pass (even lengths)."""
    length = low.shape[-1]
    odd = length % 2
    miss = _padded(xp, high, 0, odd) - mirror(_padded(xp, low, 0, odd))

    def gradient() -> tuple[Array, ...]:
        return -2.0 * mirror_transposed(miss)[..., :length], 2.0 * miss[..., :length]

    return Term(_sum(xp, miss * miss), gradient)


def _sum(xp: Namespace, values: Array) -> Array:
    return xp.sum(values, axis=-1, keepdims=True)


def _moved(xp: Namespace, taps: Array, by: int) -> Array:
    """Move the taps ``by`` places to the end (to the start, if negative), and fill with zeros."""
    length = taps.shape[-1]
    if by >= 0:
        return _padded(xp, taps[..., : length - by], by, 0)
    return _padded(xp, taps[..., -by:], 0, -by)


def _padded(xp: Namespace, taps: Array, before: int, after: int) -> Array:
    """Pad the taps with zeros."""
    if before == after == 0:
        return taps
    batch = tuple(taps.shape[:-1])
    parts = [zeros((*batch, before), taps, xp), taps, zeros((*batch, after), taps, xp)]
    return xp.concat(parts, axis=-1)
