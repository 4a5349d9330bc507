"""Values put where they came from or belong, and transposed convolution: forward and back.

All are linear in the values. They are written in operations of the array's own library, which
differentiate themselves where the library does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_namespace

from liftwave._kernels.reference.regions import Table, folded, regions, sums
from liftwave._plan.windows import Ints, WindowPlan
from liftwave._typing import Array
from liftwave.errors import ShapeError, WindowError

# --- by index --------------------------------------------------------------------------------


def scattered(values: Array, indices: Array, size: Ints) -> Array:
    """Values put at flat places of each plane, zeros elsewhere; of several the last one stays."""
    lead = tuple(map(int, values.shape[: values.ndim - len(size)]))
    shape = (*lead, *size)
    xp = array_namespace(values)
    if 0 in values.shape:
        return xp.zeros(shape, dtype=values.dtype, device=device(values))
    source = _sources(indices, prod(size), prod(lead))
    found = xp.take(xp.reshape(values, (-1,)), xp.where(source < 0, 0, source), axis=0)
    return xp.reshape(xp.where(source < 0, xp.zeros_like(found), found), shape)


def scattered_back(cotangent: Array, indices: Array, size: Ints) -> Array:
    """The cotangent of the values of :func:`scattered`."""
    lead = tuple(indices.shape[: indices.ndim - len(size)])
    xp = array_namespace(cotangent)
    if 0 in indices.shape:
        return xp.zeros(indices.shape, dtype=cotangent.dtype, device=device(cotangent))
    source, at = _sources(indices, prod(size), prod(lead)), _flat(indices, prod(size), prod(lead))
    stays = xp.take(source, at, axis=0) == xp.arange(at.shape[0], device=device(at))
    found = xp.take(xp.reshape(cotangent, (-1,)), at, axis=0)
    return xp.reshape(xp.where(stays, found, xp.zeros_like(found)), indices.shape)


def picked(x: Array, indices: Array, ndim: int) -> Array:
    """The values at flat places of each plane."""
    xp = array_namespace(x)
    shape = tuple(map(int, x.shape))
    lead, size = shape[: x.ndim - ndim], prod(shape[x.ndim - ndim :])
    found = xp.take(xp.reshape(x, (-1,)), _flat(indices, size, prod(lead)), axis=0)
    return xp.reshape(found, indices.shape)


def _flat(indices: Array, size: int, planes: int) -> Array:
    """Places in all planes one behind the other."""
    xp = array_namespace(indices)
    indices = xp.reshape(xp.astype(indices, xp.int64), (planes, -1))
    first = xp.arange(planes, dtype=xp.int64, device=device(indices)) * size
    return xp.reshape(indices + first[:, None], (-1,))


def _sources(indices: Array, size: int, planes: int) -> Array:
    """For each place of all planes the last value that goes there, -1 if none does."""
    xp = array_namespace(indices)
    at = _flat(indices, size, planes)
    if is_numpy_namespace(xp):
        found = np.full(planes * size, -1)
        found[at] = np.arange(len(at))
        return found
    order = xp.argsort(at, stable=True)
    ordered = xp.take(at, order, axis=0)
    places = xp.arange(planes * size, dtype=at.dtype, device=device(at))
    behind = xp.searchsorted(ordered, places, side="right")
    last = xp.where(behind > 0, behind - 1, 0)
    there = (behind > 0) & (xp.take(ordered, last, axis=0) == places)
    return xp.where(there, xp.take(order, last, axis=0), -1)


# --- by window -------------------------------------------------------------------------------


class Spread(NamedTuple):
    """Each value is put at the first ``width`` samples of its window, along each axis.

    Windows begin every ``stride`` samples, which is at least ``width``.
    """

    width: Ints
    stride: Ints
    size: Ints  # of the result

    def run(self, values: Array) -> Array:
        """Values spread; zeros elsewhere."""
        first = values.ndim - len(self.size)
        for k, (width, stride, size) in enumerate(zip(*self, strict=True)):
            window, place = np.divmod(np.arange(size), stride)
            count = int(values.shape[first + k])
            taken = (window < count) & (place < width)
            entries = np.minimum(window, count - 1)
            values = sums(values, first + k, Table(entries[:, None], taken[:, None]))
        return values

    def back(self, cotangent: Array, counts: Ints) -> Array:
        """The cotangent of so many values from that of the result."""
        first = cotangent.ndim - len(self.size)
        for k, (width, stride, size) in enumerate(zip(*self, strict=True)):
            at = np.arange(counts[k])[:, None] * stride + np.arange(width)
            table = Table(np.minimum(at, size - 1), at < size)
            cotangent = sums(cotangent, first + k, table)
        return cotangent


def result_size(counts: Sequence[int], kernel: Ints, stride: Ints, padding: Ints) -> Ints:
    """Samples from the first one of the first window to the last one of the last window."""
    each = zip(counts, kernel, stride, padding, strict=True)
    return tuple((n - 1) * s - 2 * p + k for n, k, s, p in each)


def checked_size(given: Any, smallest: Ints, stride: Ints, shape: Sequence[int]) -> Ints:
    """The size of a result: as asked for, or what the windows span.

    Raises
    ------
    ShapeError
        If it could not have given this number of windows.
    """
    if given is None:
        if min(smallest) < 1:
            raise ShapeError(f"padding leaves nothing: the result would have size {smallest}")
        return smallest
    size = tuple(given)
    ndim = len(smallest)
    if len(size) == len(shape) and size[: len(shape) - ndim] == tuple(shape[: len(shape) - ndim]):
        size = size[len(size) - ndim :]
    fits = len(size) == ndim and all(
        n - s < wanted < n + s for n, wanted, s in zip(smallest, size, stride, strict=True)
    )
    if not fits or min(size) < 1:
        raise ShapeError(
            f"output_size is within one stride {stride} of {smallest}, got {tuple(given)}"
        )
    return size


# --- transposed convolution ------------------------------------------------------------------


class Transposed(NamedTuple):
    """A transposed convolution: windows on its result, of which there is one per input sample."""

    plan: WindowPlan

    def run(self, x: Array, weight: Array) -> Array:
        """(N, C, *inputs) by (C, D, *kernel) gives (N, D, *size)."""
        xp, ndim = array_namespace(x), self.plan.ndim
        columns = xp.tensordot(x, weight, axes=((1,), (0,)))  # (N, *inputs, D, *kernel)
        spatial = [axis for k in range(ndim) for axis in (1 + k, 2 + ndim + k)]
        return folded(xp.permute_dims(columns, (0, 1 + ndim, *spatial)), self.plan)

    def back(self, x: Array, weight: Array, cotangent: Array) -> tuple[Array, Array]:
        """The cotangents of ``x`` and ``weight``."""
        xp, ndim = array_namespace(x), self.plan.ndim
        columns = regions(cotangent, self.plan).samples  # (N, D, o1, k1, …)
        windows = tuple(range(2, 2 + 2 * ndim, 2))
        places = tuple(axis + 1 for axis in windows)
        kernel = tuple(range(2, 2 + ndim))
        of_x = xp.tensordot(columns, _conj(weight, xp), axes=((1, *places), (1, *kernel)))
        of_weight = xp.tensordot(_conj(x, xp), columns, axes=((0, *kernel), (0, *windows)))
        return xp.permute_dims(of_x, (0, 1 + ndim, *range(1, 1 + ndim))), of_weight


def _conj(x: Array, xp: Any) -> Array:
    return xp.conj(x) if xp.isdtype(x.dtype, "complex floating") else x


def transposed(
    sizes: Ints, kernel: Ints, stride: Ints, padding: Ints, more: Ints, dilation: Ints
) -> Transposed:
    """The transposed convolution of signals of this size.

    Raises
    ------
    WindowError
        If nothing is left, or more is added behind than belongs to it.
    """
    each = zip(sizes, kernel, stride, padding, more, dilation, strict=True)
    size = tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 + m for n, k, s, p, m, d in each)
    if min(size) < 1:
        raise WindowError(
            f"padding {padding} leaves nothing of {sizes} samples: the result has size {size}"
        )
    if any(m >= max(s, d) for m, s, d in zip(more, stride, dilation, strict=True)):
        raise WindowError(
            f"output_padding is less than the stride {stride} or the dilation {dilation}, "
            f"got {more}"
        )
    return Transposed(WindowPlan(kernel, stride, padding, dilation, size, sizes))
