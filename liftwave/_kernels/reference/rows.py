"""Boundary modes for arrays of positions, and for lengths that are symbols of torch.

These are the rows of ``_plan/boundary.py`` as array-API code. A graph that torch records computes
them from the length, so that it supports any length.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import TypeAlias

from array_api_compat import array_namespace, device

from liftwave._arrays.convert import real_dtype
from liftwave._typing import Array, Mode, Namespace

Terms: TypeAlias = list[tuple[Array, Array | None]]
"""Indices and weights: one pair for each term of the sums. ``None``: weights of 1."""


def extended_by_terms(
    x: Array,
    axis: int,
    left: int,
    right: int,
    mode: Mode,
    channel: tuple[int, int] | None = None,
) -> Array:
    """The signal with ``left`` and ``right`` more samples. All lengths can be symbols.

    ``channel`` is that of :class:`~liftwave._plan.boundary.Extension`.
    """
    first = samples_from(x, axis, -left, left, mode, channel)
    last = samples_from(x, axis, x.shape[axis], right, mode, channel)
    return array_namespace(x).concat([first, x, last], axis=axis)


def samples_from(
    x: Array, axis: int, first: int, count: int, mode: Mode, channel: tuple[int, int] | None = None
) -> Array:
    """``count`` samples of the extended signal, from ``first`` on. All lengths can be symbols."""
    xp, n = array_namespace(x), x.shape[axis]
    places = xp.arange(count, dtype=xp.int64, device=device(x)) + first
    if channel is None:
        terms = row_terms(places, n, mode, xp)
    else:
        terms = _channel_terms(places, *channel, mode, xp)
    return reduce(add, (_weighted(x, *term, axis) for term in terms))


def _channel_terms(i: Array, parity: int, n: int, mode: Mode, xp: Namespace) -> Terms:
    """The rows of samples of one parity, in a mode that preserves the parity."""
    terms = row_terms(2 * i + parity, n, mode, xp)
    return [((indices - parity) // 2, weights) for indices, weights in terms]


def _weighted(x: Array, indices: Array, weights: Array | None, axis: int) -> Array:
    xp = array_namespace(x)
    samples = xp.take(x, indices, axis=axis)
    if weights is None:
        return samples
    shape = [1] * x.ndim
    shape[axis] = -1
    weights = xp.reshape(xp.astype(weights, real_dtype(x, xp)), tuple(shape))
    # The product of the weight 0 with NaN must be discarded.
    return xp.where(weights == 0, xp.zeros_like(samples), samples * weights)


def row_terms(i: Array, n: int, mode: Mode, xp: Namespace) -> Terms:
    """The rows of samples ``i`` (any integers) of an ``n``-sample signal under ``mode``."""
    return _TERMS[mode](i, n, xp)


def _zero(i: Array, n: int, xp: Namespace) -> Terms:
    return [(_clipped(i, n, xp), xp.astype((i >= 0) & (i < n), i.dtype))]


def _constant(i: Array, n: int, xp: Namespace) -> Terms:
    return [(_clipped(i, n, xp), None)]


def _symmetric(i: Array, n: int, xp: Namespace) -> Terms:
    p = _modulo(i, 2 * n, xp)
    return [(xp.minimum(p, 2 * n - 1 - p), None)]


def _antisymmetric(i: Array, n: int, xp: Namespace) -> Terms:
    p = _modulo(i, 2 * n, xp)
    return [(xp.minimum(p, 2 * n - 1 - p), 1 - 2 * xp.astype(p >= n, i.dtype))]


def _reflect(i: Array, n: int, xp: Namespace) -> Terms:
    p = _modulo(i, max(2 * n - 2, 1), xp)
    return [(xp.minimum(p, 2 * n - 2 - p), None)]


def _periodic(i: Array, n: int, xp: Namespace) -> Terms:
    return [(_modulo(i, n, xp), None)]


def _periodization(i: Array, n: int, xp: Namespace) -> Terms:
    return [(_clipped(_modulo(i, n + n % 2, xp), n, xp), None)]


def _smooth(i: Array, n: int, xp: Namespace) -> Terms:
    nearest = _clipped(i, n, xp)
    outside = i - nearest  # negative before the signal
    inner = _clipped(nearest - xp.sign(outside), n, xp)
    return [(nearest, 1 + xp.abs(outside)), (inner, -xp.abs(outside))]


def _antireflect(i: Array, n: int, xp: Namespace) -> Terms:
    period = max(2 * (n - 1), 1)
    p = _modulo(i, period, xp)
    mirrored = p >= n
    periods, turns = 2 * ((i - p) // (xp.zeros_like(i) + period)), xp.astype(mirrored, i.dtype)
    index = xp.where(mirrored, 2 * (n - 1) - p, p)
    first, last = xp.zeros_like(i), xp.zeros_like(i) + (n - 1)
    return [(index, 1 - 2 * turns), (last, periods + 2 * turns), (first, -periods)]


def _modulo(i: Array, n: int, xp: Namespace) -> Array:
    # The exporter of ONNX has no remainder by a symbol, only by an array.
    return i % (xp.zeros_like(i) + n)


def _clipped(i: Array, n: int, xp: Namespace) -> Array:
    return xp.clip(i, 0, n - 1)


_TERMS: dict[Mode, Callable[[Array, int, Namespace], Terms]] = {
    "zero": _zero,
    "constant": _constant,
    "symmetric": _symmetric,
    "antisymmetric": _antisymmetric,
    "reflect": _reflect,
    "periodic": _periodic,
    "periodization": _periodization,
    "smooth": _smooth,
    "antireflect": _antireflect,
}
