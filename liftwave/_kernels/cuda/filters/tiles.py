"""Cuts images into tiles for CUDA kernels: ``Tiling`` of ``filters/tile.cuh``."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

from liftwave._kernels.cuda.common.layout import grid

MAX_THREADS = 128
"""Threads of a block that is not wide: ``tile_threads`` of ``filters/tile.cuh``.

Wide ones have up to ``wide_tile_threads``, a quarter more.
"""

UNIT = 8
"""The widths of strips are multiples of this, so that strips begin on a sector of memory."""

SEGMENT = 128
"""The most rows of a segment: enough that few rows are read twice between segments."""

BUSY_BLOCKS = 1056
"""Blocks that keep a device busy: eight for each of 132 multiprocessors."""

_SHARED = 48 << 10
_WARP = 32
_int = ctypes.c_int
_index = ctypes.c_longlong


class Tiling(ctypes.Structure):
    """``Tiling`` of ``filters/tile.cuh``."""

    _fields_ = [
        ("tiles", _index),
        ("blocks", _index),
        ("segments", _int),
        ("strips", _int),
        ("segment", _int),
        ("strip", _int),
        ("threads", _int),
        ("table", _int),
        ("buffers", _int),
        ("interleaved", _int),
    ]


@dataclass(frozen=True)
class Cut:
    """The image to cut into tiles, and the needs of a tile."""

    items: int
    rows: int  # threads walk down the rows
    columns: int
    threads: Callable[[int], int]  # by the number of columns
    at_once: int  # rows at a time
    reach: int  # additional rows that a segment reads
    entries: int  # of the table, for each row
    entry: int  # bytes of an entry
    taps: int  # bytes in shared memory
    buffer: Callable[[int], int]  # bytes of each of two buffers, by the number of threads
    wide: bool = False  # whether blocks may have a quarter more threads

    def shared(self, segment: int, threads: int, groups: int) -> tuple[int, int, int]:
        """Bytes before the table, before the buffers, and in total."""
        steps = -(-segment // self.at_once)
        table = -(-self.taps // 16) * 16
        entries = self.reach + self.entries * self.at_once * steps
        buffers = table + -(-groups * entries * self.entry // 16) * 16
        return table, buffers, buffers + 2 * groups * self.buffer(threads)

    @property
    def most(self) -> int:
        """The most threads of a block."""
        return MAX_THREADS + self.wide * MAX_THREADS // 4


def cut(spec: Cut) -> tuple[Tiling, tuple[int, int, int]]:
    """Tiles, and the launch: number of blocks, threads of each, bytes of shared memory."""
    strip, strips, threads = _strips(spec)
    segment = _segment(spec, strips)
    segments = -(-spec.rows // segment)
    tiles = spec.items * strips * segments
    groups = _groups(spec, segment, threads, tiles) if strips == 1 else 1
    blocks = -(-tiles // groups)
    table, buffers, shared = spec.shared(segment, threads, groups)
    tiling = Tiling(tiles, blocks, segments, strips, segment, strip, threads, table, buffers, 0)
    return tiling, (grid(blocks), groups * threads, shared)


def _strips(spec: Cut) -> tuple[int, int, int]:
    """Width and number of strips, and threads of each, with the fewest idle threads."""
    candidates, most, columns = [], spec.most, spec.columns
    for width in (columns, *range(UNIT, min(columns, 2 * most), UNIT)):
        threads = spec.threads(width)
        if threads > most:
            continue
        strips = -(-columns // width)
        # Several tiles that span whole rows fill a block's last warp.
        unpadded = threads if width == columns and 2 * threads <= most else 0
        lanes = unpadded or -(-threads // _WARP) * _WARP
        candidates.append((strips * lanes, abs(lanes - 4 * _WARP), width, strips))
    _, _, width, strips = min(candidates)
    return width, strips, spec.threads(width)


def _segment(spec: Cut, strips: int) -> int:
    """Rows of a segment: the fewest segments that make enough blocks."""
    fewest = max(SEGMENT // 16, spec.reach + 2)
    segments = -(-spec.rows // SEGMENT)
    while spec.items * strips * segments < BUSY_BLOCKS and spec.rows >= 2 * segments * fewest:
        segments *= 2
    rows = -(-spec.rows // segments)
    return -(-rows // spec.at_once) * spec.at_once


def _groups(spec: Cut, segment: int, threads: int, tiles: int) -> int:
    """Tiles of a block: the number that leaves the fewest threads of a warp idle."""

    def idle(groups: int) -> float:
        return -groups * threads % _WARP / (groups * threads)

    fitting = [
        groups
        for groups in range(1, spec.most // threads + 1)
        if tiles >= groups * BUSY_BLOCKS and spec.shared(segment, threads, groups)[2] <= _SHARED
    ]
    return min(fitting, key=lambda g: (idle(g), -g), default=1)
