"""Lines along one axis as arguments of CUDA kernels (``filters/lines.cuh``), and grids."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from math import prod
from typing import Any, Literal, NamedTuple, TypeAlias

from array_api_compat import array_namespace

from liftwave._kernels.cuda.common.layout import (
    Batch,
    Boundary,
    Fields,
    Fold,
    Strided,
    batched,
    grid,
)
from liftwave._kernels.cuda.common.memory import (
    COMPLEX,
    COMPUTED,
    FLOATS,
    Memory,
    is_contiguous,
    memory_of,
)
from liftwave._kernels.cuda.common.runtime import Kernel, Runtime
from liftwave._kernels.cuda.filters.taps import DeviceTaps, LearnedTaps, given_taps
from liftwave._typing import Array

Kind: TypeAlias = Literal["analysis", "synthesis"]

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
        ("phase", _index),
        ("dilation", _index),
        ("tile", _int),
        ("lines", _int),
        ("length", _int),
        ("padding", _int),
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


def run_lines(
    compiled: Kernel,
    lines: Lines,
    taps: DeviceTaps,
    count: int,
    launch: Launch,
    like: Array,
    what: str,
    runtime: Runtime,
) -> None:
    """Launch a kernel that is compiled for ``count`` taps (0: any number)."""
    arguments = filter_arguments(taps.real, count, taps.learned)(lines, taps.structure(count))
    sizes = grid(launch.blocks), launch.threads, launch.shared
    runtime.launch(compiled, *sizes, arguments, like, what)


# --- arrays --------------------------------------------------------------------------------------


def places(kind: Kind, bands: int) -> tuple[int, ...]:
    """The indices of inputs, then of outputs, among the structure's arrays."""
    return (0, 1, 2)[: 1 + bands] if kind == "analysis" else (*range(bands), 2)


def are_alike(memories: Sequence[Memory], n_inputs: int) -> bool:
    """Whether inputs share a dtype and a shape, results too, and the kernels support both."""
    for part in (memories[:n_inputs], memories[n_inputs:]):
        if any(m.dtype != part[0].dtype or m.shape != part[0].shape for m in part):
            return False
    dtypes = memories[0].dtype, memories[-1].dtype
    return set(dtypes) <= FLOATS | COMPLEX and COMPUTED[dtypes[0]] == COMPUTED[dtypes[1]]


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


def flattened(arrays: Sequence[Array], n_inputs: int, axis: int) -> list[Array] | None:
    """Arrays with the other axes merged; inputs are copied if needed.

    None unless all results are contiguous.
    """
    if not all(is_contiguous(memory_of(x)) for x in arrays[n_inputs:]):
        return None
    return [merged(x, axis) for x in arrays]


# --- pieces --------------------------------------------------------------------------------------


def share_out(
    lines: Lines, units: int, reach: int | None, size: int, longest: int = 128, extra: int = 0
) -> Launch:
    """Cut lines into pieces of units, and write the pieces to ``lines``.

    Parameters
    ----------
    lines : Lines
        The lines, with their batch and arrays.
    units : int
        Units of a line: two samples each, or a group of outputs without downsampling.
    reach : int or None
        The additional units that a piece reads, or None if it is not copied to shared memory.
    size : int
        Bytes of a unit in the computation dtype.
    longest : int
        The most units that a thread processes one after the other.
    extra : int
        Bytes of shared memory that each thread needs for other arrays.
    """
    if (reach or 0) * size > _LONGEST_REACH or are_adjacent(lines):
        return _across(lines, units, longest, extra)
    return _along(lines, units, reach, size, extra)


def are_adjacent(lines: Lines) -> bool:
    """Whether many lines are nearer to each other than the samples of a line."""
    batch, last, array = lines.batch, lines.batch.ndim - 1, lines.array[0]
    if last < 0 or batch.size[last] < _FEWEST_ACROSS:
        return False
    return bool(abs(array.batch_stride[last]) < abs(array.stride[0]))


def _across(lines: Lines, units: int, longest: int, extra: int) -> Launch:
    count = lines.batch.count
    threads = min(_THREADS_ACROSS, -(-count // 32) * 32)
    groups = -(-count // threads)
    pieces = max(1, -(-_BLOCKS // groups))
    tile = min(max(-(-units // pieces), 16), longest)
    return _cut(lines, units, tile, groups, Launch(0, threads, threads * extra, along=False))


def _along(lines: Lines, units: int, reach: int | None, size: int, extra: int) -> Launch:
    # As many units as fit into a block, but fewer if the device would lack blocks.
    count = lines.batch.count
    most = min(_PIECE_BYTES // size, max(_THREADS_ALONG // 2, units * count // _BLOCKS))
    tile = units if units <= most else -(-units // -(-units // most))
    of_line = ctypes.sizeof(_index * 3) + (0 if reach is None else (tile + reach) * size)
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
