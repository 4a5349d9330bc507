"""One level of an orthonormal wavelet on the interval, along one axis.

The kernels of filter banks compute the coefficients inside the signal. Those at both ends are small
matrix products, which the library of the array computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import device

from liftwave._arrays.convert import namespace_of, real_dtype
from liftwave._arrays.tensors import is_tensor
from liftwave._typing import Array, Namespace
from liftwave.wavelets.taps import Taps, reversed_taps

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from liftwave._kernels.contract import AxisKernels
    from liftwave._plan.interval_ends import End
    from liftwave._plan.levels import IntervalStep

    Matrix = NDArray[float64]


def split_interval(x: Array, step: IntervalStep, kernels: AxisKernels) -> list[Array]:
    """Approximation and detail."""
    xp, plan, axis = namespace_of(x), step.plan, step.axis
    filters = [_precise(taps, x, kernels, xp) for taps in plan.filters]
    bands = kernels.analysis(x, filters, plan.analysis, axis)
    start = plan.n - plan.last.samples
    head = _part(x, axis, 0, plan.first.samples)
    tail = _part(x, axis, start, plan.last.samples)
    first = _bands_of_end(head, plan.first, axis, xp)
    last = _bands_of_end(tail, plan.last, axis, xp)
    parts = zip(bands, first, last, plan.band_lengths, strict=True)
    return [_with_ends(*parts_of_band, axis, xp) for parts_of_band in parts]


def merge_interval(pair: Sequence[Array | None], step: IntervalStep, kernels: AxisKernels) -> Array:
    """The signal with this approximation and detail; one may be missing."""
    plan, axis = step.plan, step.axis
    used = [k for k, band in enumerate(pair) if band is not None]
    bands = [band for band in pair if band is not None]
    xp = namespace_of(bands[0])
    head, tail = (
        _signal_of_end(bands, [end.rows[k] for k in used], end is plan.last, axis, xp)
        for end in (plan.first, plan.last)
    )
    if not plan.synthesis.n_out:
        return _joined([head, tail], axis, xp)
    starts = [plan.first.counts[k] for k in used]
    inside = [
        _part(band, axis, start, plan.inside) for band, start in zip(bands, starts, strict=True)
    ]
    filters = [_precise(reversed_taps(step.filters[k]), inside[0], kernels, xp) for k in used]
    middle = kernels.synthesis(inside, filters, plan.synthesis, axis)
    return _joined([head, middle, tail], axis, xp)


def _precise(taps: Taps, x: Array, kernels: AxisKernels, xp: Namespace) -> Taps:
    """Taps as an array, if the library of ``x`` may record them: exporters round numbers."""
    if type(x) is np.ndarray or kernels.name != "reference":
        return taps
    return xp.asarray(taps, dtype=real_dtype(x, xp), device=device(x))


def _bands_of_end(x: Array, end: End, axis: int, xp: Namespace) -> list[Array]:
    """The coefficients of the low-pass and of the high-pass functions of one end."""
    coefficients = _product(end.functions, x, axis, xp)
    low, high = end.counts
    return [_part(coefficients, axis, 0, low), _part(coefficients, axis, low, high)]


def _signal_of_end(
    bands: Sequence[Array], rows: Sequence[Matrix], is_last: bool, axis: int, xp: Namespace
) -> Array:
    """The samples of one end, from the coefficients of the rows that are not zero there."""
    parts = []
    for band, rows_of_band in zip(bands, rows, strict=True):
        count = len(rows_of_band)
        parts.append(_part(band, axis, band.shape[axis] - count if is_last else 0, count))
    return _product(np.concatenate(rows).T, _joined(parts, axis, xp), axis, xp)


def _with_ends(x: Array, head: Array, tail: Array, n: int, axis: int, xp: Namespace) -> Array:
    """A new array ``x`` with other samples at both ends, and ``n`` samples in total."""
    before, after = head.shape[axis], tail.shape[axis]
    stop = n - after
    if type(x) is np.ndarray and x.shape[axis] == n:
        _part(x, axis, 0, before)[...] = head
        _part(x, axis, stop, after)[...] = tail
        return x
    return _joined([head, _part(x, axis, before, stop - before), tail], axis, xp)


def _product(matrix: Matrix, x: Array, axis: int, xp: Namespace) -> Array:
    """The products of a matrix and the vectors along an axis."""
    factor = xp.asarray(matrix, dtype=x.dtype, device=device(x))
    if is_tensor(x):
        # Matrix products of torch round to half precision under autocast, and to TF32 by a setting.
        factor = xp.reshape(factor, (*matrix.shape, *(1,) * (x.ndim - 1 - axis)))
        return xp.sum(xp.expand_dims(x, axis=axis) * factor, axis=axis + 1)
    if axis == x.ndim - 1:
        return xp.matmul(x, factor.T)
    if axis == x.ndim - 2:
        return xp.matmul(factor, x)
    return xp.moveaxis(xp.matmul(factor, xp.moveaxis(x, axis, -2)), -2, axis)


def _part(x: Array, axis: int, start: int, count: int) -> Array:
    return x[(*(slice(None),) * axis, slice(start, start + count), ...)]


def _joined(parts: Sequence[Array], axis: int, xp: Namespace) -> Array:
    """The parts that are not empty, one after the other."""
    used = [part for part in parts if part.shape[axis]]
    if len(used) < 2:
        return used[0] if used else parts[0]
    return xp.concat(used, axis=axis)
