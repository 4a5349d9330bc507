"""Regions of windows, gathered from a signal and folded back, in array-API code.

The samples of windows have the shape (…, o1, k1, o2, k2, …): for each spatial axis the windows,
then the places in a window. A table of the samples at all places gathers each axis.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import ceil, log2
from typing import Any, NamedTuple

import array_api_compat.numpy as numpy_namespace
import numpy as np
from array_api_compat import array_namespace, device

from liftwave._arrays.convert import zeros
from liftwave._plan.windows import Ints, WindowPlan
from liftwave._typing import Array, Namespace
from liftwave.errors import ExportError


class Table(NamedTuple):
    """For each output, some entries of the input and their weights.

    Attributes
    ----------
    entries : array of int, shape (outputs, entries)
        Indices of the input.
    valid : array of bool, shape (outputs, entries), or None
        Whether each entry counts; ``None``: all.
    weights : array, shape (outputs, entries), or None
        Their weights; ``None``: ones.
    """

    entries: Any
    valid: Any
    weights: Any = None


class Regions(NamedTuple):
    """The samples of all windows.

    Attributes
    ----------
    samples : array, shape (…, o1, k1, o2, k2, …)
        Zero at places outside of the signal.
    present : array of bool, shape (o1, k1, o2, k2, …), or None
        Whether each place is inside the signal; ``None``: all.
    share : array or float
        One over the number of samples of a region, of shape (o1, 1, o2, 1, …) or ().
    part : float
        A power of two, at most a quarter of ``share``.
    whole : array or float
        ``part`` times the number of samples.
    place_axes : tuple of int
        The axes k1, k2, ….
    """

    samples: Array
    present: Array | None
    share: Any
    part: float
    whole: Any
    place_axes: Ints

    def mask(self, values: Array, fill: Any = 0.0) -> Array:
        """``values`` at places inside of the signal, and ``fill`` elsewhere."""
        if self.present is None:
            return values
        xp = array_namespace(values)
        return xp.where(self.present, values, fill)

    def total(self, values: Array) -> Array:
        """The sum over each region; values must be zero outside of the signal."""
        return array_namespace(values).sum(values, axis=self.place_axes, keepdims=True)

    def mean(self, values: Array, weights: Any = 1.0, total: Any = None) -> Array:
        """The weighted mean over each region, with the sum of the weights; of equal ones if None.

        The sum is divided, so that means are exact if the sum is exact, as for integers. A power of
        two keeps the sum below the largest number.
        """
        sums = self.total(weights * (values * self.part))
        return sums / (self.whole if total is None else total * self.part)

    def largest(self, values: Array) -> Array:
        """The largest value in each region."""
        xp = array_namespace(values)
        return xp.max(self.mask(values, -xp.inf), axis=self.place_axes, keepdims=True)

    def smallest(self, values: Array) -> Array:
        """The smallest value in each region."""
        xp = array_namespace(values)
        return xp.min(self.mask(values, xp.inf), axis=self.place_axes, keepdims=True)


def regions(x: Array, plan: WindowPlan) -> Regions:
    """The regions of a signal whose last axes are the spatial ones."""
    samples = gathered(x, plan)
    places = tuple(range(samples.ndim + 1 - 2 * plan.ndim, samples.ndim, 2))
    part = 2.0 ** -(2 + ceil(log2(plan.size)))
    if plan.is_full:
        return Regions(samples, None, 1.0 / plan.size, part, part * plan.size, places)
    xp = array_namespace(x)
    present: Any = True
    for k, numbers in enumerate(zip(*plan, strict=True)):
        shape = [1] * (2 * plan.ndim)
        valid = _table(_samples, x, numbers).valid
        shape[2 * k : 2 * k + 2] = valid.shape
        present = present & valid.reshape(shape)
    count = present.sum(axis=tuple(range(1, 2 * plan.ndim, 2)), keepdims=True)
    share, whole = (
        xp.asarray(n, dtype=x.dtype, device=device(x)) for n in (1.0 / count, part * count)
    )
    region = Regions(samples, xp.asarray(present, device=device(x)), share, part, whole, places)
    return region._replace(samples=region.mask(samples))


def gathered(x: Array, plan: WindowPlan) -> Array:
    """The samples at all places of all windows; arbitrary numbers outside of the signal."""
    for k, numbers in enumerate(zip(*plan, strict=True)):
        axis = x.ndim - plan.ndim + k  # the axes after it are gathered later
        x = _windowed(x, axis, *numbers)
    return x


def folded(values: Array, plan: WindowPlan) -> Array:
    """The sum of the values at each sample; they must be zero outside of the signal."""
    first = values.ndim - 2 * plan.ndim
    for k in reversed(range(plan.ndim)):
        numbers = tuple(field[k] for field in plan)
        values = _unwindowed(values, first + 2 * k, *numbers)
    return values


def to_windows(values: Array, plan: WindowPlan) -> Array:
    """One value per window, (…, o1, o2, …), as (…, o1, 1, o2, 1, …)."""
    shape = tuple(values.shape)
    first = len(shape) - plan.ndim
    spatial = [n for size in shape[first:] for n in (size, 1)]
    return array_namespace(values).reshape(values, (*shape[:first], *spatial))


def from_windows(values: Array, plan: WindowPlan) -> Array:
    """One value per window, (…, o1, 1, o2, 1, …), as (…, o1, o2, …)."""
    shape = tuple(values.shape)
    first = len(shape) - 2 * plan.ndim
    return array_namespace(values).reshape(values, (*shape[:first], *shape[first::2]))


def sums(x: Array, axis: int, table: Table) -> Array:
    """For each output of a table, along one axis, the weighted sum of its entries."""
    xp = array_namespace(x)
    count, width = table.entries.shape
    entries = xp.asarray(table.entries.reshape((-1,)), device=device(x))
    terms = xp.take(x, entries, axis=axis)
    terms = xp.reshape(terms, (*x.shape[:axis], count, width, *x.shape[axis + 1 :]))
    shape = (count, width, *(1,) * (x.ndim - axis - 1))
    if table.weights is not None:
        weights = xp.asarray(table.weights, dtype=x.dtype, device=device(x))
        terms = terms * xp.reshape(weights, shape)
    if table.valid is not None:
        valid = xp.asarray(table.valid, device=device(x))
        terms = xp.where(xp.reshape(valid, shape), terms, 0.0)
    return xp.sum(terms, axis=axis + 1)


def flat_indices(places: Array, size: int, planes: int) -> Array:
    """Flat places within planes of ``size`` samples, as flat indices over all planes."""
    xp = array_namespace(places)
    places = xp.reshape(xp.astype(places, xp.int64), (planes, -1))
    first = xp.arange(planes, dtype=xp.int64, device=device(places)) * size
    return xp.reshape(places + first[:, None], (-1,))


# --- one axis --------------------------------------------------------------------------------


def _windowed(x: Array, axis: int, k: int, s: int, p: int, d: int, n: int, o: int) -> Array:
    xp = array_namespace(x)
    shape = (*x.shape[:axis], o, k, *x.shape[axis + 1 :])
    if _is_tiling(k, s, p, d, n, o):
        return xp.reshape(x[(*[slice(None)] * axis, slice(0, o * k), ...)], shape)
    table = _table(_samples, x, (k, s, p, d, n, o))
    entries = xp.asarray(table.entries.reshape((-1,)), device=device(x))
    return xp.reshape(xp.take(x, entries, axis=axis), shape)


def _unwindowed(x: Array, axis: int, k: int, s: int, p: int, d: int, n: int, o: int) -> Array:
    xp = array_namespace(x)
    x = xp.reshape(x, (*x.shape[:axis], o * k, *x.shape[axis + 2 :]))
    if not _is_tiling(k, s, p, d, n, o):
        if type(n) is not int:
            raise ExportError(
                f"exported graphs can only reverse windows with overlap, gaps or padding for fixed "
                f"lengths, got a dynamic length for kernel_size {k} with stride {s}, padding {p} "
                f"and dilation {d}: make only other dimensions dynamic"
            )
        return sums(x, axis, _places(k, s, p, d, n, o))
    if type(n) is not int:
        return sums(x, axis, _of_tiles(k, n, o, xp, device(x)))
    if n > o * k:
        shape = (*x.shape[:axis], n - o * k, *x.shape[axis + 1 :])
        x = xp.concat([x, zeros(shape, x, xp)], axis=axis)
    return x


def _table(make: Callable[..., Table], x: Array, numbers: Ints) -> Table:
    """A table for one axis. It consists of arrays of NumPy, if no length is a symbol."""
    if all(type(n) is int for n in numbers):
        return _cached_table(make, numbers)
    return make(*numbers, array_namespace(x), device(x))


@lru_cache(maxsize=128)
def _cached_table(make: Callable[..., Table], numbers: Ints) -> Table:
    return make(*numbers, numpy_namespace, "cpu")


def _is_tiling(k: int, s: int, p: int, d: int, n: int, o: int) -> bool:
    """Whether windows tile the signal, from the first sample on."""
    return k == s and d == 1 and p == 0 and o * k <= n


def _samples(k: int, s: int, p: int, d: int, n: int, o: int, xp: Namespace, place: Any) -> Table:
    """The sample at each place of each window."""
    windows, places = (xp.arange(count, dtype=xp.int64, device=place) for count in (o, k))
    samples = windows[:, None] * s - p + places * d
    valid = (samples >= 0) & (samples < n)
    return Table(xp.where(valid, samples, xp.zeros_like(samples)), valid)


def _of_tiles(k: int, n: int, o: int, xp: Namespace, place: Any) -> Table:
    """The place at each sample of windows that tile the signal; none after the last window."""
    samples = xp.arange(n, dtype=xp.int64, device=place)[:, None]
    return Table(xp.clip(samples, 0, o * k - 1), samples < o * k)


@lru_cache(maxsize=64)
def _places(k: int, s: int, p: int, d: int, n: int, o: int) -> Table:
    """The places (numbered window by window) that are at each sample."""
    table = _cached_table(_samples, (k, s, p, d, n, o))
    return _table_of_pairs(table.entries[table.valid], np.flatnonzero(table.valid), None, n)


def _table_of_pairs(outputs: Any, entries: Any, weights: Any, count: int) -> Table:
    """A table of pairs (output, entry)."""
    order = np.argsort(outputs, kind="stable")
    outputs = outputs[order]
    number = np.arange(len(outputs)) - np.searchsorted(outputs, outputs)
    shape = (count, int(number.max(initial=0)) + 1)
    table = Table(np.zeros(shape, np.int64), np.zeros(shape, bool))
    table.entries[outputs, number] = entries[order]
    table.valid[outputs, number] = True
    if weights is None:
        return table._replace(valid=None) if table.valid.all() else table
    sorted_weights = np.zeros(shape)
    sorted_weights[outputs, number] = weights[order]
    return table._replace(weights=sorted_weights)


# --- interpolation ---------------------------------------------------------------------------


def interpolated(values: Array, plan: WindowPlan) -> Array:
    """Interpolates (…, *outputs) at all samples: linear between window centres, constant beyond."""
    for k, numbers in enumerate(zip(*plan, strict=True)):
        table = _table(_neighbours, values, numbers)
        values = sums(values, values.ndim - plan.ndim + k, table)
    return values


def interpolated_back(values: Array, plan: WindowPlan) -> Array:
    """The adjoint of :func:`interpolated`."""
    for k, numbers in enumerate(zip(*plan, strict=True)):
        values = sums(values, values.ndim - plan.ndim + k, _neighbours_back(*numbers))
    return values


def _neighbours(k: int, s: int, p: int, d: int, n: int, o: int, xp: Namespace, place: Any) -> Table:
    """The two windows whose centres are closest to each sample."""
    samples = xp.arange(n, dtype=xp.float64, device=place)
    position = xp.clip((samples + p - (k - 1) * d / 2) / s, 0, o - 1)
    first = xp.clip(xp.astype(xp.floor(position), xp.int64), 0, max(o - 2, 0))
    part = position - first
    second = xp.clip(first + 1, 0, o - 1)
    return Table(xp.stack([first, second], axis=1), None, xp.stack([1 - part, part], axis=1))


@lru_cache(maxsize=64)
def _neighbours_back(k: int, s: int, p: int, d: int, n: int, o: int) -> Table:
    table = _cached_table(_neighbours, (k, s, p, d, n, o))
    samples = np.repeat(np.arange(n), 2)
    return _table_of_pairs(table.entries.reshape(-1), samples, table.weights.reshape(-1), o)
