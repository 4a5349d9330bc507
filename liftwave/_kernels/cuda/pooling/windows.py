"""The windows of pooling as arguments of CUDA kernels, and tiles of samples."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

from liftwave._kernels.cuda.common.memory import COMPUTED, ITEMSIZE, memory_of
from liftwave._kernels.cuda.pooling.structures import Axis, Divider, axis, divider
from liftwave._kernels.pooling_contract import Weights
from liftwave._plan.windows import Ints, WindowPlan
from liftwave._typing import Array

MOST_SHARED = 48 * 1024
"""The most bytes of shared memory of a block."""

MOST_PLACES = 1024
"""The most places of windows that do not overlap: one thread processes each window."""

MOST_AXES = 3
"""The most axes of windows."""

TILE = 1024
"""The most samples of a tile."""

FLOATS = ("float16", "bfloat16", "float32", "float64")

_SINGLE = (1, 1, 0, 1, 1, 1)
"""The windows of an added axis of one sample."""

_HELD = ((1, 1, 2), (1, 1, 3), (1, 2, 2), (1, 3, 3), (2, 2, 2))
"""Kernel sizes whose regions are held in registers."""


class Kind(NamedTuple):
    """``Family`` and ``Similarity`` of ``pooling/weights.cuh``, and numbers stored per window."""

    family: int
    similarity: int
    numbers: int


KINDS: dict[str, Kind] = {
    "softmax": Kind(0, 0, 3),
    "exp-dice": Kind(1, 0, 4),
    "dice": Kind(2, 0, 6),
    # For vectors with one component, these distances are equal or proportional.
    "idw-l1": Kind(2, 1, 7),
    "idw-l2": Kind(2, 1, 7),
    "idw-chebyshev": Kind(2, 1, 7),
    "idw-gower": Kind(2, 1, 7),
    "idw-huber": Kind(2, 2, 8),
    "ada": Kind(3, 0, 7),
}


class Windows(NamedTuple):
    """Windows along three axes; axes that a plan lacks have one sample.

    Attributes
    ----------
    plan : WindowPlan
        The plan of the windows.
    held : (int, int, int)
        The kernel size, if regions are held in registers; else zeros.
    axes : array of structures
        The axes as kernel arguments.
    """

    plan: WindowPlan
    numbers: tuple[Ints, ...]
    held: tuple[int, int, int]
    axes: Any

    @property
    def inputs(self) -> Ints:
        return tuple(numbers[4] for numbers in self.numbers)

    @property
    def outputs(self) -> Ints:
        return tuple(numbers[5] for numbers in self.numbers)

    @property
    def covering(self) -> Ints:
        """The number of windows that cover all samples, if windows do not overlap."""
        return tuple(-(-(n + p) // s) for _, s, p, _, n, _ in self.numbers)

    @property
    def overlap(self) -> bool:
        return any((k - 1) * d + 1 > s for k, s, _, d, _, _ in self.numbers)

    def tiling(self, size: int) -> Tiling | None:
        """Tiles for windows that need ``size`` bytes each; None if no tiles are needed."""
        is_tiling = all(k == s and (d == 1 or k == 1) for k, s, _, d, _, _ in self.numbers)
        return None if is_tiling and self.held[2] else _tiling(self.numbers, size)


@lru_cache(maxsize=1024)
def windows_of(plan: WindowPlan) -> Windows | None:
    """The windows as structures; None if the kernels do not support them."""
    if plan.ndim > MOST_AXES:
        return None
    numbers = (*[_SINGLE] * (3 - plan.ndim), *zip(*plan, strict=True))
    extents = [n + p + 2 * (k * d + s) for k, s, p, d, n, _ in numbers]
    if max(*extents, prod(plan.inputs), prod(plan.outputs)) > 2**30:
        return None
    size = (numbers[0][0], numbers[1][0], numbers[2][0])
    axes = (Axis * 3)(*(axis(*row) for row in numbers))
    windows = Windows(plan, numbers, size if size in _HELD else (0, 0, 0), axes)
    return None if plan.size > MOST_PLACES and not windows.overlap else windows


def serves_windows(x: Array, plan: WindowPlan, spread: Weights | None = None) -> bool:
    """Whether kernels support these windows, and results by sample of these weights."""
    windows, dtype = windows_of(plan), memory_of(x).dtype
    if windows is None or dtype not in FLOATS:
        return False
    if spread is None:
        return True
    size = KINDS[spread].numbers * ITEMSIZE[COMPUTED[dtype]]
    tiling = windows.tiling(size)
    return tiling is None or tiling.shared <= MOST_SHARED


class Tiling(NamedTuple):
    """Tiles of samples, their number, and the most windows that reach into one."""

    tile: Ints
    tiles: Ints
    windows: Ints
    shared: int

    def fields(self) -> tuple[Any, ...]:
        dividers = ((Divider * 3)(*map(divider, sizes)) for sizes in (self.tile, self.windows))
        return (ctypes.c_int * 3)(*self.tile), (ctypes.c_int * 3)(*self.windows), *dividers


@lru_cache(maxsize=1024)
def _tiling(numbers: tuple[Ints, ...], size: int) -> Tiling:
    """The largest tiles that fit into shared memory, with rows longer than columns."""
    inputs = [row[4] for row in numbers]
    tile = [1, 1, 1]
    tiling = _tiling_of(numbers, tile, size)
    while prod(tile) < TILE:
        # Tiles grow until the last axis has four times as many samples as the others.
        growing = [d for d in range(3) if tile[d] < inputs[d]]
        if not growing:
            break
        d = min(growing, key=lambda d: tile[d] / (4 if d == 2 else 1))
        tile[d] *= 2
        larger = _tiling_of(numbers, tile, size)
        if larger.shared > MOST_SHARED:
            break
        tiling = larger
    return tiling


def _tiling_of(numbers: tuple[Ints, ...], tile: Sequence[int], size: int) -> Tiling:
    pairs = list(zip(tile, numbers, strict=True))
    windows = tuple(min(o, (t + (k - 1) * d - 1) // s + 1) for t, (k, s, _, d, _, o) in pairs)
    tiles = tuple(-(-row[4] // t) for t, row in pairs)
    return Tiling(tuple(tile), tiles, windows, prod(windows) * size)
