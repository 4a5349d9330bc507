"""One level of an orthonormal wavelet on the interval, along one axis.

The filters inside the signal run by the kernels of filter banks. The functions at both ends are
two small products of matrices, which the library of the array computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import device

from liftwave._arrays.convert import namespace_of, real_dtype
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
    present = [band is not None for band in pair]
    parts = [
        _cut(band, count, plan.inside, axis)
        for band, count in zip(pair, plan.first.counts, strict=True)
        if band is not None
    ]
    first, inside, last = zip(*parts, strict=True)
    xp, taps = namespace_of(inside[0]), zip(step.filters, present, strict=True)
    filters = [
        _precise(reversed_taps(each), inside[0], kernels, xp) for each, is_used in taps if is_used
    ]
    signal = kernels.synthesis(inside, filters, plan.synthesis, axis)
    head = _signal_of_end(first, plan.first.of_bands(present), axis, xp)
    tail = _signal_of_end(last, plan.last.of_bands(present), axis, xp)
    start = plan.n - plan.last.samples
    head = head + _part(signal, axis, 0, plan.first.samples)
    tail = tail + _part(signal, axis, start, plan.last.samples)
    return _with_ends(signal, head, tail, plan.n, axis, xp)


def _precise(taps: Taps, x: Array, kernels: AxisKernels, xp: Namespace) -> Taps:
    """Taps as an array, if the library of ``x`` may record them: exporters round numbers."""
    if type(x) is np.ndarray or kernels.name != "reference":
        return taps
    return xp.asarray(taps, dtype=real_dtype(x, xp), device=device(x))


def _bands_of_end(x: Array, end: End, axis: int, xp: Namespace) -> list[Array]:
    """The coefficients of the low-pass and of the high-pass functions of one end."""
    coefficients = _product(end.rows, x, axis, xp)
    low, high = end.counts
    return [_part(coefficients, axis, 0, low), _part(coefficients, axis, low, high)]


def _cut(band: Array, count: int, inside: int, axis: int) -> tuple[Array, Array, Array]:
    """The coefficients of the first end, of the filters inside, and of the last end."""
    start = count + inside
    return (
        _part(band, axis, 0, count),
        _part(band, axis, count, inside),
        _part(band, axis, start, band.shape[axis] - start),
    )


def _signal_of_end(bands: Sequence[Array], rows: Matrix, axis: int, xp: Namespace) -> Array:
    """The samples of one end, from the coefficients of its functions."""
    return _product(rows.T, _joined(bands, axis, xp), axis, xp)


def _with_ends(x: Array, head: Array, tail: Array, n: int, axis: int, xp: Namespace) -> Array:
    """The first ``n`` samples of a new array ``x``, with others at both ends."""
    before, after = head.shape[axis], tail.shape[axis]
    stop = n - after
    if type(x) is np.ndarray and x.shape[axis] == n:
        _part(x, axis, 0, before)[...] = head
        _part(x, axis, stop, after)[...] = tail
        return x
    return _joined([head, _part(x, axis, before, stop - before), tail], axis, xp)


def _product(matrix: Matrix, x: Array, axis: int, xp: Namespace) -> Array:
    """The products of a matrix and the vectors along an axis."""
    if axis == x.ndim - 1:
        return xp.matmul(x, xp.asarray(matrix.T, dtype=x.dtype, device=device(x)))
    left = xp.asarray(matrix, dtype=x.dtype, device=device(x))
    if axis == x.ndim - 2:
        return xp.matmul(left, x)
    return xp.moveaxis(xp.matmul(left, xp.moveaxis(x, axis, -2)), -2, axis)


def _part(x: Array, axis: int, start: int, count: int) -> Array:
    return x[(*(slice(None),) * axis, slice(start, start + count), ...)]


def _joined(parts: Sequence[Array], axis: int, xp: Namespace) -> Array:
    """The parts that are not empty, one after the other."""
    used = [part for part in parts if part.shape[axis]]
    if len(used) < 2:
        return used[0] if used else parts[0]
    return xp.concat(used, axis=axis)
