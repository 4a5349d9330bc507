"""Lines along one axis as arguments of CUDA kernels (``filters/lines.cuh``), and grids."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from math import prod
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from liftwave._kernels.cuda.common.layout import Batch, Boundary, Fields, Fold, Strided, batched
from liftwave._kernels.cuda.common.memory import Memory
from liftwave._kernels.cuda.filters.taps import LearnedTaps, given_taps
from liftwave._typing import Array

_int = ctypes.c_int
_index = ctypes.c_longlong

# Bytes of a block's piece in shared memory, its reach, threads, and blocks to fill a large device.
_PIECE_BYTES = 1 << 13
_LONGEST_REACH = 1 << 15
_THREADS_ALONG = 256
_THREADS_ACROSS = 128
_BLOCKS = 1056
# The fewest neighbouring lines that are read together.
_FEWEST_ACROSS = 16


class Lines(ctypes.Structure):
    """``Lines`` of ``filters/lines.cuh``."""

    _fields_ = [
        ("batch", Batch),
        ("array", Strided * 3),
        ("extend", Boundary),
        ("fold", Fold),
        ("n_out", _index),
        ("begin", _index),
        ("end", _index),
        ("inner_begin", _index),
        ("inner_end", _index),
        ("pieces", _index),
        ("blocks", _index),
        ("tile", _int),
        ("lines", _int),
        ("length", _int),
        ("phase", _int),
    ]


class FilterArguments(ctypes.Structure):
    """``FilterArguments`` of ``filters/lines.cuh`` for one dtype and number of taps."""

    lines: Lines
    taps: Any


@cache
def filter_arguments(real: str, count: int, learned: bool) -> type[FilterArguments]:
    """The structure for ``count`` taps of a dtype (0: any number), or for learned taps."""
    taps = LearnedTaps if learned else given_taps(real, count)
    fields: Fields = [("lines", Lines), ("taps", taps)]
    return type("FilterArguments", (FilterArguments,), {"_fields_": fields})


class Launch(NamedTuple):
    """A grid, and whether threads run along the lines."""

    blocks: int
    threads: int
    shared: int
    along: bool


def ordered(memories: Sequence[Memory], axis: int) -> tuple[Batch, list[Strided]] | None:
    """The lines of arrays that share all other axes, in the order of decreasing strides.

    None if the arrays have more axes than the kernels support.
    """
    strides, shape = memories[0].strides, memories[0].shape
    batch_axes = [d for d in range(len(shape)) if d != axis]
    order = sorted(batch_axes, key=lambda d: -abs(strides[d]))
    if order == batch_axes:
        return batched(memories, (axis,))
    order.append(axis)
    permuted = [
        Memory(m.address, tuple(m.strides[d] for d in order), tuple(m.shape[d] for d in order), "")
        for m in memories
    ]
    return batched(permuted, (len(order) - 1,))


def merged(x: Array, axis: int) -> Array:
    """The array with all axes before ``axis`` merged, and all axes after it merged.

    The array is copied only if its strides require it.
    """
    outer, inner = prod(x.shape[:axis]), prod(x.shape[axis + 1 :])
    return array_namespace(x).reshape(x, (outer, x.shape[axis], inner))


def share_out(
    lines: Lines, units: int, reach: int, size: int, longest: int = 128, extra: int = 0
) -> Launch:
    """Cut lines into pieces of units, of two samples each, and write the pieces to ``lines``.

    Parameters
    ----------
    lines : Lines
        The lines, with their batch and arrays.
    units, reach : int
        Units of a line, and additional units that a piece reads.
    size : int
        Bytes of a unit in the computation dtype.
    longest : int
        The most units that a thread processes one after the other.
    extra : int
        Bytes of shared memory that each thread needs for other arrays.
    """
    batch, last = lines.batch, lines.batch.ndim - 1
    is_adjacent = last >= 0 and abs(lines.array[0].batch_stride[last]) < abs(
        lines.array[0].stride[0]
    )
    if reach * size > _LONGEST_REACH or (is_adjacent and batch.size[last] >= _FEWEST_ACROSS):
        return _across(lines, units, longest, extra)
    return _along(lines, units, reach, size, extra)


def _across(lines: Lines, units: int, longest: int, extra: int) -> Launch:
    count = lines.batch.count
    threads = min(_THREADS_ACROSS, -(-count // 32) * 32)
    groups = -(-count // threads)
    pieces = max(1, -(-_BLOCKS // groups))
    tile = min(max(-(-units // pieces), 16), longest)
    return _cut(lines, units, tile, groups, Launch(0, threads, threads * extra, along=False))


def _along(lines: Lines, units: int, reach: int, size: int, extra: int) -> Launch:
    # As many units as fit into a block, but fewer if the device would lack blocks.
    count = lines.batch.count
    most = min(_PIECE_BYTES // size, max(_THREADS_ALONG // 2, units * count // _BLOCKS))
    tile = units if units <= most else -(-units // -(-units // most))
    of_line = (tile + reach) * size + ctypes.sizeof(_index * 3)
    n_lines = max(1, min(most // tile, 2 * _PIECE_BYTES // of_line, count))
    lines.lines = n_lines
    threads = min(_THREADS_ALONG, -(-n_lines * tile // 32) * 32)
    # Parts are padded by less than the banks' 128 bytes, and begin at multiples of 16.
    shared = n_lines * of_line + 24 + 128 + threads * extra + 16
    return _cut(lines, units, tile, -(-count // n_lines), Launch(0, threads, shared, along=True))


def _cut(lines: Lines, units: int, tile: int, groups: int, launch: Launch) -> Launch:
    lines.tile = tile
    lines.pieces = -(-units // tile)
    lines.blocks = lines.pieces * groups
    return launch._replace(blocks=lines.blocks)
