"""The exact median of arrays of dask, without a sort: a selection by the digits of the numbers.

Magnitudes have the same order as the integers with the same bits. Each pass counts the next 16 bits
of the numbers that begin with the known digits of the median. This reduces a chunk to a table of
counts. The source is read once per pass: twice for float32, four times for float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any, NamedTuple, TypeAlias

import dask.array as da
import numpy as np
from dask.graph_manipulation import bind

from liftwave._typing import Array
from liftwave.errors import DTypeError

Values: TypeAlias = "Callable[[da.Array], list[da.Array]]"
"""Returns the arrays whose median is computed, from the data."""

# The number of items of a batch with tables of 2**16 counts in one chunk; more have shorter tables.
_MOST_ITEMS = 16


class _Digits(NamedTuple):
    """The digits of numbers: the total number of bits, and the number in one pass."""

    bits: int
    per_pass: int

    @property
    def shifts(self) -> list[int]:
        """The number of bits after the digit of each pass."""
        return list(range(self.bits - self.per_pass, -1, -self.per_pass))


def median_of_magnitudes(x: da.Array, values: Values, axes: Sequence[int]) -> da.Array:
    """The median of the magnitudes of all numbers in ``values(x)`` along ``axes``.

    The axes keep the length 1. Every pass computes the values again, so that none are stored.

    Raises
    ------
    DTypeError
        If the numbers have more than 64 bits.
    """
    first = values(x)
    real = np.zeros((), first[0].dtype).real.dtype
    if real.itemsize > 8:
        raise DTypeError(
            f"the median of arrays of dask needs float32 or float64, got {first[0].dtype}: convert "
            "the data"
        )
    digits = _Digits(8 * real.itemsize, _bits_per_pass(first[0], axes))
    count = sum(prod(band.shape[axis] for axis in axes) for band in first)
    state = _initial(first[0], axes, count)
    for number, shift in enumerate(digits.shifts):
        bands = values(bind(x, list(state))) if number else first
        state = _next(bands, axes, digits, shift, *state)
    return _as_numbers(state[0], first[0], axes, real)


def _bits_per_pass(band: da.Array, axes: Sequence[int]) -> int:
    batch = [max(sizes) for axis, sizes in enumerate(band.chunks) if axis not in axes]
    return 16 if prod(batch) <= _MOST_ITEMS else 8


def _batch_axes(band: da.Array, axes: Sequence[int]) -> list[int]:
    return [axis for axis in range(band.ndim) if axis not in axes]


def _initial(band: da.Array, axes: Sequence[int], count: int) -> tuple[da.Array, da.Array]:
    """Empty prefixes, and the ranks of both numbers in the middle, for each item of the batch."""
    batch = _batch_axes(band, axes)
    shape = (*(band.shape[axis] for axis in batch), 2)
    chunks = (*(band.chunks[axis] for axis in batch), (2,))
    ranks = da.zeros(shape, dtype=np.int64, chunks=chunks)
    middle = np.array([(count - 1) // 2, count // 2], np.int64)
    return da.zeros(shape, dtype=np.uint64, chunks=chunks), ranks + middle


def _next(
    bands: Sequence[da.Array],
    axes: Sequence[int],
    digits: _Digits,
    shift: int,
    prefixes: da.Array,
    ranks: da.Array,
) -> tuple[da.Array, da.Array]:
    """The prefixes with one more digit, and the ranks among the numbers with these prefixes."""
    counts = sum(_counts(band, axes, digits, shift, prefixes) for band in bands)
    batch = tuple(range(prefixes.ndim))
    options = {"dtype": np.uint64, "meta": np.empty((0,) * len(batch), np.uint64)}
    bins = (*batch, len(batch))
    digit = da.blockwise(_digit, batch, counts, bins, ranks, batch, concatenate=True, **options)
    below = da.blockwise(
        _below,
        batch,
        counts,
        bins,
        digit,
        batch,
        concatenate=True,
        dtype=np.int64,
        meta=np.empty((0,) * len(batch), np.int64),
    )
    return (prefixes << np.uint64(digits.per_pass)) | digit, ranks - below


def _counts(
    band: da.Array, axes: Sequence[int], digits: _Digits, shift: int, prefixes: da.Array
) -> da.Array:
    """The counts of each digit after the prefixes: an array (batch, 2, bins)."""
    every, batch = tuple(range(band.ndim)), _batch_axes(band, axes)
    ranks, bins = band.ndim, band.ndim + 1
    count = partial(_count, axes=tuple(axes), digits=digits, shift=shift)
    tables = da.blockwise(
        count,
        (*every, ranks, bins),
        band,
        every,
        prefixes,
        (*batch, ranks),
        new_axes={bins: 1 << digits.per_pass},
        adjust_chunks={axis: lambda n: 1 for axis in axes},
        dtype=np.int64,
        meta=np.empty((0,) * (band.ndim + 2), np.int64),
        concatenate=True,
    )
    return tables.sum(axis=tuple(axes))


# --- on chunks -----------------------------------------------------------------------------------


def _count(
    band: Array, prefixes: Array, *, axes: tuple[int, ...], digits: _Digits, shift: int
) -> Array:
    """The counts of one chunk."""
    batch = [axis for axis in range(band.ndim) if axis not in axes]
    shape = [band.shape[axis] for axis in batch]
    size = prod(band.shape[axis] for axis in axes)
    magnitudes = np.abs(band).transpose(*batch, *axes).reshape(prod(shape), size)
    bits = magnitudes.view(f"u{magnitudes.dtype.itemsize}")
    known_bits = digits.bits - shift - digits.per_pass
    tables = [
        [_table(numbers, int(prefix), known_bits, digits, shift) for prefix in of_item]
        for numbers, of_item in zip(bits, prefixes.reshape(prod(shape), 2), strict=True)
    ]
    ones = [1 if axis in axes else n for axis, n in enumerate(band.shape)]
    return np.asarray(tables, np.int64).reshape(*ones, 2, 1 << digits.per_pass)


def _table(numbers: Array, prefix: int, known_bits: int, digits: _Digits, shift: int) -> Array:
    """The counts of each digit in numbers that begin with the known bits."""
    if known_bits:
        numbers = numbers[(numbers >> (digits.bits - known_bits)) == prefix]
    digit = (numbers >> shift) & ((1 << digits.per_pass) - 1)
    return np.bincount(digit.astype(np.intp).ravel(), minlength=1 << digits.per_pass)


def _digit(counts: Array, ranks: Array) -> Array:
    """The digit of the number with this rank."""
    sums = np.cumsum(counts, axis=-1)
    return np.sum(sums <= ranks[..., None], axis=-1).astype(np.uint64)


def _below(counts: Array, digit: Array) -> Array:
    """The count of numbers with a smaller digit."""
    sums = np.cumsum(counts, axis=-1) - counts
    index = digit.astype(np.intp)[..., None]
    return np.take_along_axis(sums, index, axis=-1)[..., 0]


def _as_numbers(prefixes: da.Array, band: da.Array, axes: Sequence[int], real: Any) -> da.Array:
    """The mean of both numbers in the middle, with axes of length 1."""
    median = prefixes.map_blocks(
        _middle,
        real,
        dtype=real,
        drop_axis=prefixes.ndim - 1,
        meta=np.empty((0,) * (prefixes.ndim - 1), real),
    )
    shape = tuple(1 if axis in axes else n for axis, n in enumerate(band.shape))
    return median.reshape(shape)


def _middle(prefixes: Array, real: Any) -> Array:
    pair = prefixes.astype(f"u{real.itemsize}").view(real)
    return (pair[..., 0] + pair[..., 1]) / 2
