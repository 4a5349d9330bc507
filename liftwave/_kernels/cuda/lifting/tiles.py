"""Sizes and thread counts of the tiles in which CUDA kernels lift."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import inf
from typing import NamedTuple

# Bytes of a block's shared memory that every device supports.
SHARED = 48 * 1024
# Pairs of numbers of a tile, with its halo, of two lifted axes: the first that fits is used.
ROOMS = ((40, 64), (32, 64), (24, 64), (24, 48), (16, 48), (16, 32), (12, 32), (8, 16))
# Bytes of a tile if one axis is lifted, and its fewest pairs or neighbouring columns.
LINE_BYTES = (24 * 1024, 12 * 1024, 6 * 1024)
LINE_PAIRS, LINE_COLUMNS = 512, 32
# This number of blocks keeps a device busy. With fewer blocks, tiles are made smaller.
BLOCKS = 264
# Loaded numbers per result, above which two axes are lifted one by one.
_LARGEST_OVERHEAD = 2.0
_MAX_THREADS = 256


class Side(NamedTuple):
    """One axis of tiles: its pairs, or its numbers if the axis is not lifted."""

    size: int
    lifted: bool = False
    halo: int = 0
    smallest: int = 1
    """The smallest size of a tile, if there are several."""
    periodic: bool = False


class Tiling(NamedTuple):
    """Tiles along both axes, room for pairs in each, and the threads of a block."""

    tiles: tuple[int, int]
    room: tuple[int, int]
    threads: int
    log_width: int
    shared: int


@lru_cache(maxsize=4096)
def tiling(
    rows: Side,
    columns: Side,
    batch: int,
    itemsize: int,
    extra: int,
    fields: int = 1,
    overhead_of_lines: float = inf,
    fewest_columns: int = 1,
) -> Tiling | None:
    """Tiles of ``fields`` arrays of numbers of ``itemsize`` bytes; None if they do not fit.

    ``extra`` is the number of bytes of shared memory that are used for other arrays.
    ``overhead_of_lines`` is the most loaded numbers per result if one axis is lifted, and
    ``fewest_columns`` the fewest columns of a tile, if there are several tiles.
    """
    most = _LARGEST_OVERHEAD if rows.lifted and columns.lifted else overhead_of_lines
    result = None
    for rooms in _rooms(rows, columns, itemsize * fields):
        (high, y), (wide, x) = (_cut(s, w) for s, w in zip((rows, columns), rooms, strict=True))
        pairs = y * x * (2 if rows.lifted else 1) * (2 if columns.lifted else 1)
        shared = extra + fields * pairs * itemsize
        if shared > SHARED:
            continue
        overhead = high * y / max(rows.size, 1) * wide * x / max(columns.size, 1)
        if high * wide > 1 and (overhead > most or x < min(fewest_columns, columns.size)):
            continue
        result = Tiling((high, wide), (y, x), *_threads(rows, columns, y, x), shared)
        if batch * high * wide >= BLOCKS:
            break
    return result


def _rooms(rows: Side, columns: Side, itemsize: int) -> Iterator[tuple[int, int]]:
    """Sizes of tiles to try, from large to small."""
    if rows.lifted and columns.lifted:
        yield from ROOMS
        return
    for size in (*LINE_BYTES, SHARED):
        if rows.lifted:
            width = max(1, min(columns.size, LINE_COLUMNS))
            while width:
                room = max(size // (2 * width * itemsize), 1)
                yield max(min(room, 4096), 2), width
                width = width // 2 if 4 * rows.halo > room else 0
        else:
            room = max(LINE_PAIRS, 4 * columns.halo)
            room = min(room, size // (2 * itemsize))
            room = min(room, columns.size + columns.halo)
            yield max(1, min(rows.size, size // (2 * room * itemsize))), room


def _cut(side: Side, room: int) -> tuple[int, int]:
    """The number of tiles of at most about this room, and the room that each needs."""
    if side.size <= room and not (side.periodic and side.size + side.halo > room):
        return 1, side.size + (side.halo if side.periodic else 0)
    count = -(-side.size // max(room - side.halo, 1))
    tiles = max(1, min(count, side.size // max(side.smallest, 1)))
    is_single = tiles == 1 and not side.periodic
    return tiles, -(-side.size // tiles) + (0 if is_single else side.halo)


def _threads(rows: Side, columns: Side, y: int, x: int) -> tuple[int, int]:
    """The number of threads, and the logarithm of the number along columns."""
    lines = y * x // 4
    threads = 32
    while threads < _MAX_THREADS and threads < lines:
        threads *= 2
    wide = x if rows.lifted else x // 4  # without rows, a thread has four pairs of its line
    log_width = 3
    while (1 << log_width) < (min(wide, 32) if rows.lifted else min(wide, threads)):
        log_width += 1
    return threads, log_width
