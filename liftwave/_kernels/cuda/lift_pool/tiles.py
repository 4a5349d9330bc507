"""Tiles of the CUDA kernels of lifting pooling, and their layout in shared memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from liftwave._plan.lift_pool import N_SCALARS

MAX_THREADS = 256
WARP = 32
CELLS_OF_A_THREAD = 16
PLACE = 96
"""Bytes of ``Place`` of ``lift_pool/tile.cuh``."""


class Axis(NamedTuple):
    """Rows or columns of an array that is cut into tiles."""

    n: int  # samples, of a half if the axis is halved
    split: bool
    ends: bool  # False: the signal is periodic

    def lengths(self, tile: int, halo: int) -> tuple[int, int]:
        """Samples of a half in the largest tile, and in all tiles together."""
        margin = 2 * halo if self.split else 0
        if tile >= self.n:
            return self.n, self.n
        tiles = -(-self.n // tile)
        length = tile + margin
        if self.ends:
            return min(length, self.n), self.n + (tiles - 1) * margin
        return length, self.n + tiles * margin

    def tiles(self, least: int) -> Iterator[int]:
        """Sizes to try: each divides the axis into tiles of about equal length."""
        size, sizes = 1, set()
        while size < 2 * self.n:
            for candidate in (size, size + size // 2):
                tile = -(-self.n // -(-self.n // min(candidate, self.n)))
                if tile not in sizes and (tile >= least or tile == self.n or not self.split):
                    sizes.add(tile)
                    yield tile
            size *= 2


class Need(NamedTuple):
    """The needs of a kernel besides the samples.

    Attributes
    ----------
    steps : int
        The number of nested lifting steps that a result depends on.
    with_penalties : bool
        Whether the kernel also needs the odd samples, or the differences from them.
    back : bool
        Whether cotangents are pulled back.
    """

    steps: int
    with_penalties: bool = False
    back: bool = False

    @property
    def sums(self) -> bool:
        """Whether the kernel computes sums over all tiles."""
        return self.with_penalties or self.back


class Tiling(NamedTuple):
    """Tiles of rows and columns, and their shared memory."""

    tile: tuple[int, int]
    halo: int
    overlap: float  # reads per sample
    threads: int
    shared: int  # bytes
    memory: tuple[int, ...]  # ``LiftPoolMemory`` of ``lift_pool/tile.cuh``


@lru_cache(maxsize=1024)
def tiling(
    rows: Axis, cols: Axis, kernel: int, around: int, itemsize: int, need: Need, budget: int
) -> Tiling | None:
    """The cheapest tiles to read and compute; None if none fits into shared memory."""
    halo = need.steps * around
    best: tuple[float, Tiling] | None = None
    for row in rows.tiles(kernel):
        for col in cols.tiles(kernel):
            (height, all_rows), (width, all_cols) = rows.lengths(row, halo), cols.lengths(col, halo)
            cells = (height << rows.split) * (width << cols.split)
            threads = min(MAX_THREADS, -(-cells // (WARP * CELLS_OF_A_THREAD)) * WARP)
            memory, shared = _memory(
                (height, rows.split), (width, cols.split), kernel, itemsize, need, threads
            )
            if shared > budget:
                continue
            count = -(-rows.n // row) * -(-cols.n // col)
            # Every tile has a fixed cost. Short rows waste parts of memory transactions. Large
            # tiles reduce occupancy. Warps with few lines have bank conflicts.
            cost = float(all_rows * all_cols + 64 * count)
            cost *= 1 + 4 / (width << cols.split) + 0.1 * shared / budget
            if cols.split:
                cost *= 1 + 0.3 * (1 - min(height << rows.split, WARP) / WARP)
            if rows.split:
                cost *= 1 + 0.3 * (1 - min(width, WARP) / WARP)
            if best is None or cost < best[0]:
                overlap = all_rows * all_cols / (rows.n * cols.n)
                best = cost, Tiling((row, col), halo, overlap, threads, shared, memory)
    return None if best is None else best[1]


def _memory(
    rows: tuple[int, bool],
    cols: tuple[int, bool],
    kernel: int,
    itemsize: int,
    need: Need,
    threads: int,
) -> tuple[tuple[int, ...], int]:
    """Offsets of the arrays in shared memory, the pitch of rows, and the total size."""
    (height, halves_rows), (width, halves_cols) = rows, cols
    pitch = (width << halves_cols) | 1
    cells = (height << halves_rows) * pitch
    hidden = 0
    if halves_cols:
        hidden = (height << halves_rows) * (width | 1)
    if halves_rows:
        hidden = max(hidden, height * pitch)
    passes = 1 + 2 * (halves_rows and halves_cols)
    count = 2 * (kernel + N_SCALARS) if need.back else 2
    warps = threads // WARP
    sizes = {
        "place": PLACE,
        "totals": 8 * passes * count if need.sums else 0,
        "partial": itemsize * 2 * warps * (kernel + N_SCALARS if need.back else 2)
        if need.sums
        else 0,
        "beyond": 4 * 4 * (kernel - 1),
        "values": itemsize * cells,
        "cotangents": itemsize * cells if need.back else 0,
        "hidden": itemsize * hidden if need.sums else 0,
        "gaps": itemsize * hidden if need.back and need.with_penalties else 0,
    }
    offsets, end = [], 0
    for size in sizes.values():
        offsets.append(end)
        end += -(-size // 16) * 16
    return (*offsets, pitch), end
