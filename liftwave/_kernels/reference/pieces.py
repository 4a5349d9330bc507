"""Pieces of the reference kernels: extension and folding, channels, sums along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._arrays.convert import real_dtype, zeros
from liftwave._kernels.reference.rows import extended_by_terms, samples_from
from liftwave._numbers import is_symbol
from liftwave._plan.boundary import Column, Extension, Fold
from liftwave._typing import Array, Namespace
from liftwave.wavelets.taps import Taps, is_concrete


def extended(x: Array, extension: Extension, axis: int) -> Array:
    """The signal with its extension on both sides."""
    xp = array_namespace(x)
    if not extension.left and not extension.right:
        return x
    if extension.symbolic_mode is not None:
        counts = len(extension.left), len(extension.right)
        return extended_by_terms(x, axis, *counts, extension.symbolic_mode, extension.channel)
    parts = [x]
    if extension.left:
        parts.insert(0, extension_rows(x, len(extension.left), extension.left_columns, axis, xp))
    if extension.right:
        parts.append(extension_rows(x, len(extension.right), extension.right_columns, axis, xp))
    return xp.concat(parts, axis=axis)


def extension_rows(
    x: Array, count: int, columns: tuple[Column, ...], axis: int, xp: Namespace
) -> Array:
    """The samples beyond one end: weighted sums of samples, one per row."""
    if not columns:
        shape = list(x.shape)
        shape[axis] = count
        return zeros(tuple(shape), x, xp)
    return total(_column(x, column, axis, xp) for column in columns)


def _column(x: Array, column: Column, axis: int, xp: Namespace) -> Array:
    """Weighted samples; exactly zero where the weight is zero, even for infinite or NaN samples."""
    indices, weights = column
    samples = _weighted(_taken(x, indices, axis, xp), weights, axis, xp)
    present = np.asarray(weights) != 0.0
    if present.all():
        return samples
    # Short rows are padded by sample 0 with weight 0: its product with NaN must be discarded.
    mask = _along(present, xp.bool, samples, axis, xp)
    return xp.where(mask, samples, xp.zeros_like(samples))


def _taken(x: Array, indices: Any, axis: int, xp: Namespace) -> Array:
    if type(x) is np.ndarray:  # NumPy's take copies arrays with gaps as a whole
        place: Any = (*(slice(None),) * axis, np.asarray(indices))
        return x[place]
    # Without a dtype: JAX has 64-bit integers only if they are enabled.
    return xp.take(x, xp.asarray(indices, device=device(x)), axis=axis)


def _weighted(x: Array, weights: Any, axis: int, xp: Namespace) -> Array:
    if (np.asarray(weights) == 1.0).all():
        return x
    return x * _along(weights, real_dtype(x, xp), x, axis, xp)


def _along(values: Any, dtype: Any, x: Array, axis: int, xp: Namespace) -> Array:
    """Values shaped to broadcast along ``axis`` of ``x``, on its device."""
    shape = [1] * x.ndim
    shape[axis] = len(values)
    return xp.reshape(xp.asarray(values, dtype=dtype, device=device(x)), tuple(shape))


def folded(x: Array, fold: Extension, axis: int, xp: Namespace) -> Array:
    """The adjoint of :func:`extended`: adds samples beyond the ends onto their sources."""
    before, after = len(fold.left), len(fold.right)
    if not before and not after:
        return x
    result = slice_along(x, axis, before, 1, fold.n)
    for side, part in (
        (fold.left_fold, slice_along(x, axis, 0, 1, before)),
        (fold.right_fold, slice_along(x, axis, before + fold.n, 1, after)),
    ):
        if side is not None:
            result = _added(result, part, side, axis, xp)
    return result


def _added(x: Array, part: Array, fold: Fold, axis: int, xp: Namespace) -> Array:
    """``x`` with the samples of ``part``, which are beyond its end, added as ``fold`` specifies."""
    count = len(fold.columns[0][0])
    stop = fold.start + count
    target = slice_along(x, axis, fold.start, 1, count)
    for column in fold.columns:
        target = target + _column(part, column, axis, xp)
    parts = [
        slice_along(x, axis, 0, 1, fold.start),
        target,
        slice_along(x, axis, stop, 1, x.shape[axis] - stop),
    ]
    return xp.concat(parts, axis=axis)


def merged(channels: Sequence[Array], axis: int, xp: Namespace) -> Array:
    """The first sample of each channel, the second of each, …; later channels may be shorter."""
    if len(channels) == 1:
        return channels[0]
    count, shape = channels[-1].shape[axis], channels[-1].shape
    whole = xp.stack([slice_along(x, axis, 0, 1, count) for x in channels], axis=axis + 1)
    whole = xp.reshape(whole, (*shape[:axis], len(channels) * count, *shape[axis + 1 :]))
    rest = [slice_along(x, axis, count, 1, 1) for x in channels if x.shape[axis] > count]
    return xp.concat([whole, *rest], axis=axis) if rest else whole


def slice_along(x: Array, axis: int, start: int, step: int, count: int) -> Array:
    """``count`` samples along ``axis``, from ``start`` on."""
    stop = start + step * (count - 1) + 1 if count else start
    return x[(*(slice(None),) * axis, slice(start, stop, step), ...)]


def rolled(x: Array, shift: int, axis: int, xp: Namespace) -> Array:
    n = x.shape[axis]
    if is_symbol(n):  # ONNX has no circular shift, and torch's exporter none by more than a length
        return samples_from(x, axis, -shift, n, "periodic") if shift else x
    return xp.roll(x, shift, axis=axis) if shift else x


def scaled(x: Array, factor: Any, xp: Namespace) -> Array:
    if isinstance(factor, float | int):
        return x if factor == 1 else -x if factor == -1 else x * factor
    return x * xp.astype(factor, real_dtype(x, xp))


def tap_values(taps: Taps, x: Array, xp: Namespace) -> Sequence[Any]:
    """The taps as numbers, or as 0-d arrays in the precision of ``x``."""
    if is_concrete(taps):
        return taps
    cast = xp.astype(taps, real_dtype(x, xp))
    return [cast[j] for j in range(cast.shape[0])]


def inner(x: Array, y: Array) -> Array:
    """``Re <x, y>`` over all axes, as an array of shape ()."""
    xp = array_namespace(x, y)
    is_complex = xp.isdtype(x.dtype, "complex floating")
    product = xp.real(xp.conj(x) * y) if is_complex else x * y
    # With keepdims, NumPy returns an array instead of a scalar.
    return xp.reshape(xp.sum(product, keepdims=True), ())


def total(terms: Any) -> Array:
    """The sum from left to right (``sum`` would start from a stray zero)."""
    iterator = iter(terms)
    result = next(iterator)
    for term in iterator:
        result = result + term
    return result


def split_channels(x: Array, axis: int) -> list[Array]:
    """Even and odd samples."""
    n = x.shape[axis]
    return [slice_along(x, axis, parity, 2, (n + 1 - parity) // 2) for parity in (0, 1)]
