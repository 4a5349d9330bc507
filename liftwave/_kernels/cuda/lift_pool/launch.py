"""Launching the CUDA kernels of lifting pooling: stages, tiles, and kernel arguments."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import NamedTuple, TypeAlias

from array_api_compat import array_namespace

from liftwave._kernels.cuda.common.layout import (
    CHANNEL_REFLECT,
    MAX_GRID,
    Batch,
    Boundary,
    Strided,
    batched,
    boundary,
    grid,
)
from liftwave._kernels.cuda.common.memory import COMPUTED, ITEMSIZE, Memory, memory_of
from liftwave._kernels.cuda.common.runtime import SHARED, Runtime, kernel
from liftwave._kernels.cuda.lift_pool.tiles import Axis, Need, Tiling, tiling
from liftwave._plan.lift_pool import LiftPoolPlan
from liftwave._typing import Array

MAX_OVERLAP = 2.5
"""The most reads per sample of a kernel that halves two axes at once."""

SUMMING_BLOCKS = 2048
"""The number of blocks that sum gradients, each over several tiles of one channel."""

MAX_DIMENSIONS = 3
KNOWN_KERNELS = 8
"""Filters with up to this number of weights are unrolled."""

SERVED = {
    "float16": ("float16", "float32"),
    "bfloat16": ("bfloat16", "float32"),
    "float32": ("float32",),
    "float64": ("float64",),
}
"""The dtypes of signals, and the supported dtypes of their filters."""

_SOURCES = {"lift_pool": "lift_pool/transform.cuh", "lift_pool_back": "lift_pool/gradient.cuh"}
"""The source of each kernel."""

NodeMemories: TypeAlias = "dict[int, Memory | None]"
"""Arrays by the nodes of the tree of passes; bands are the nodes after the last pass."""

_int = ctypes.c_int
_index = ctypes.c_longlong


# --- kernel arguments ----------------------------------------------------------------------------


class AxisOfTiles(ctypes.Structure):
    """``LiftPoolAxis`` of ``lift_pool/tile.cuh``."""

    _fields_ = [
        ("extension", Boundary * 2),
        ("n", _index),
        ("tile", _index),
        ("tiles", _index),
        ("split", _int),
        ("ends", _int),
        ("back", _int),
        ("padding", _int),
    ]


class Shared(ctypes.Structure):
    """``LiftPoolMemory`` of ``lift_pool/tile.cuh``."""

    _fields_ = [
        *((name, ctypes.c_uint) for name in ("place", "totals", "partial", "beyond")),
        *((name, ctypes.c_uint) for name in ("values", "cotangents", "hidden", "gaps")),
        ("pitch", _int),
    ]


class Job(ctypes.Structure):
    """``LiftPoolJob`` of ``lift_pool/tile.cuh``."""

    _fields_ = [
        ("batch", Batch),
        ("rows", AxisOfTiles),
        ("cols", AxisOfTiles),
        ("filters", ctypes.c_void_p),
        ("channels", _index),
        ("parts", _index),
        ("blocks", _index),
        ("tiles", _index),
        ("memory", Shared),
        ("filter", _int * 3),
        ("number", _int * 3),
        ("kernel", _int),
        ("halo", _int),
        ("around", _int),
    ]


class TransformArguments(ctypes.Structure):
    """``LiftPoolTransformArguments`` of ``lift_pool/transform.cuh``."""

    _fields_ = [
        ("job", Job),
        ("signal", Strided),
        ("bands", Strided * 4),
        ("sums", ctypes.c_void_p),
        ("chosen", _int),
        ("padding", _int),
    ]


class BackArguments(ctypes.Structure):
    """``LiftPoolBackArguments`` of ``lift_pool/gradient.cuh``."""

    _fields_ = [
        ("job", Job),
        ("signal", Strided),
        ("bands", Strided * 4),
        ("signal_cotangent", Strided),
        ("bands_cotangent", Strided * 4),
        ("gradient", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("from_outputs", _int),
        ("padding", _int),
    ]


Arguments: TypeAlias = "TransformArguments | BackArguments"


# --- stages --------------------------------------------------------------------------------------


class Stage(NamedTuple):
    """One axis, or two adjacent ones, halved by one kernel.

    Arrays are numbered by the nodes of the tree of passes, bands by the nodes after the last pass.
    """

    axes: tuple[int, ...]  # the last one is halved first
    dimensions: int

    @property
    def depth(self) -> int:
        """The number of axes that are halved before."""
        return self.dimensions - 1 - self.axes[-1]

    @property
    def nodes(self) -> range:
        """The nodes that are halved."""
        first = 2**self.depth - 1
        return range(first, 2 * first + 1)

    def passes(self, node: int) -> tuple[int, ...]:
        """The passes that halve a node."""
        return (node,) if len(self.axes) == 1 else (node, 2 * node + 1, 2 * node + 2)

    def children(self, node: int) -> range:
        """The nodes into which a node is split."""
        count = 2 ** len(self.axes)
        first = count * node + count - 1
        return range(first, first + count)

    def merged(self, shape: Sequence[int]) -> tuple[int, ...]:
        """A shape with all axes behind those of the stage merged into one."""
        first = self.axes[-1] + 3
        return tuple(shape) if first >= len(shape) else (*shape[:first], prod(shape[first:]))

    def view(self, memory: Memory) -> Memory:
        """The same for an array, in which these axes are contiguous."""
        shape = self.merged(memory.shape)
        strides = (*memory.strides[: len(shape) - 1], memory.strides[-1])
        return memory._replace(shape=shape, strides=strides)

    @property
    def grid_axes(self) -> tuple[int, int, int]:
        """Channels, rows and columns in such a view; tiles consist of rows and columns."""
        if self.dimensions == 1:
            return 1, 0, 2
        row = min(self.axes[0], self.dimensions - 2) + 2
        return 1, row, row + 1

    @property
    def split(self) -> tuple[bool, bool]:
        """Whether rows and columns are halved."""
        is_last = self.axes[-1] == self.dimensions - 1
        return len(self.axes) == 2 or not is_last, is_last


class Call(NamedTuple):
    """The common parts of all launches of one call."""

    runtime: Runtime
    plan: LiftPoolPlan
    filters: Array  # of the computation dtype, contiguous
    like: Array
    batch: int
    dtype: str
    what: str

    @property
    def computed(self) -> str:
        """The dtype of computations and intermediate results."""
        return COMPUTED[self.dtype]

    @property
    def channels(self) -> int:
        """The number of channels of the signal and of each band."""
        return int(self.filters.shape[2])

    @property
    def first_band(self) -> int:
        """The node that is the first band."""
        return int(2**self.plan.dimensions) - 1

    def shape_of(self, node: int) -> tuple[int, ...]:
        """The shape of a node's array."""
        shapes = _shapes(self.plan)
        return (self.batch, self.channels, *shapes[min(node, len(shapes) - 1)])

    def empty(self, shape: Sequence[int], dtype: str) -> Array:
        """Memory for a result, on the device of the inputs."""
        return self.runtime.empty(shape, dtype, self.like)

    @property
    def channels_last(self) -> bool:
        """Whether results have the channels last in memory, as images that are passed.

        Volumes do not: the kernels merge two of their axes.
        """
        if self.plan.dimensions >= MAX_DIMENSIONS:
            return False
        memory = memory_of(self.like)
        order = (0, *range(2, len(memory.shape)), 1)
        shape, expected = [memory.shape[d] for d in order], 1
        for d, n in zip(reversed(order), reversed(shape), strict=True):
            if memory.strides[d] != expected and n > 1:
                return False
            expected *= n
        return memory.shape[1] > 1 and max(memory.shape[2:]) > 1

    def result(self, shape: Sequence[int]) -> Array:
        """Memory for data of shape (N, C, ...), in the order of the inputs' memory."""
        if not self.channels_last:
            return self.empty(shape, self.dtype)
        batch, channels, *sizes = shape
        array = self.empty((batch, *sizes, channels), self.dtype)
        return array_namespace(array).moveaxis(array, -1, 1)

    def stages(self, need: Need) -> list[Stage] | None:
        """The stages from signal to bands; None if filters are too long for shared memory."""
        dimensions = self.plan.dimensions
        stages: list[Stage] = []
        left = dimensions
        while left > 0:
            stage = Stage((left - 1,), dimensions)
            if left == dimensions > 1:
                pair = Stage((left - 2, left - 1), dimensions)
                tiles = self.tiling(pair, need)
                if tiles is not None and tiles.overlap <= MAX_OVERLAP:
                    stage = pair
            if self.tiling(stage, need) is None:
                return None
            stages.append(stage)
            left = stage.axes[0]
        return stages

    def grid(self, stage: Stage) -> tuple[int, int]:
        """Samples along rows and columns of the arrays that a stage halves."""
        shape = stage.merged(self.shape_of(stage.nodes[0]))
        _, row, col = stage.grid_axes
        return shape[row], shape[col]

    def tiling(self, stage: Stage, need: Need) -> Tiling | None:
        """The tiles of a stage; None if no tile fits into shared memory."""
        ends = self.plan.padding != "circular"
        axes = (
            Axis((n + 1) // 2 if split else n, split, ends or not split)
            for n, split in zip(self.grid(stage), stage.split, strict=True)
        )
        size, around = self.plan.kernel, around_of(self.plan)
        return tiling(*axes, size, around, ITEMSIZE[self.computed], need, self._budget(need))

    def _budget(self, need: Need) -> int:
        """Bytes of shared memory that a block may take.

        The gradient has several arrays of a tile's size, and wide halos. It takes up to half of the
        most that the device offers, such that a multiprocessor has room for two blocks.
        """
        return max(SHARED, self.runtime.most_shared(self.like) // 2) if need.back else SHARED

    def job(
        self, stage: Stage, node: int, need: Need, memories: Sequence[Memory | None]
    ) -> tuple[Job, list[Strided], Tiling]:
        """The structure for splitting a node, the arrays as structures, and the tiles."""
        plan, tiles = self.plan, self.tiling(stage, need)
        views = [None if m is None else stage.view(m) for m in memories]
        layout = batched([m for m in views if m is not None], stage.grid_axes)
        assert tiles is not None, "stages are made of what fits"
        assert layout is not None, "one axis is left at most"
        batch, arrays = layout
        iterator = iter(arrays)
        strided = [Strided() if m is None else next(iterator) for m in views]
        rows, cols = (
            _axis(plan, n, split, tile)
            for n, split, tile in zip(self.grid(stage), stage.split, tiles.tile, strict=True)
        )
        count = batch.count * rows.tiles * cols.tiles
        most = SUMMING_BLOCKS if need.sums else MAX_GRID
        parts = min(count, max(1, most // self.channels))
        passes = stage.passes(node)
        job = Job(
            *(batch, rows, cols, memory_of(self.filters).address),
            *(self.channels, parts, parts * self.channels, count),
            Shared(*tiles.memory),
            (_int * 3)(*(0 if plan.shared else p for p in passes)),
            (_int * 3)(*passes),
            *(plan.kernel, tiles.halo, around_of(plan)),
        )
        return job, strided, tiles

    def launch(
        self, name: str, dtypes: tuple[str, str], up: bool, arguments: Arguments, tiles: Tiling
    ) -> None:
        """Run a kernel for signals and bands of these dtypes."""
        size = self.plan.kernel if self.plan.kernel <= KNOWN_KERNELS else 0
        self.runtime.launch(
            kernel(_SOURCES[name], name, *dtypes, size, up),
            *(grid(arguments.job.blocks), tiles.threads, tiles.shared),
            *(arguments, self.like, self.what),
        )


@lru_cache(maxsize=1024)
def _axis(plan: LiftPoolPlan, n: int, split: bool, tile: int) -> AxisOfTiles:
    half = (n + 1) // 2 if split else n
    extensions = [
        _extension(plan, n, parity) if split else Boundary(n, n, 0, 0) for parity in (0, 1)
    ]
    tiles = -(-half // tile)
    ends = tiles == 1 or not split or plan.padding != "circular"
    back = n - plan.last(n) if split else 1
    return AxisOfTiles((Boundary * 2)(*extensions), n, tile, tiles, split, ends, back, 0)


def _extension(plan: LiftPoolPlan, n: int, parity: int) -> Boundary:
    """The boundary of the even (0) or odd (1) ones of ``n`` samples."""
    half = (n + 1) // 2
    if plan.extends_signal:
        return Boundary(half, n, CHANNEL_REFLECT, parity)
    extension = boundary(plan.extension(half))
    assert extension is not None, "kernels know the modes of all paddings"
    return extension


def around_of(plan: LiftPoolPlan) -> int:
    """The largest distance from a result to the samples that its filter reads.

    The last odd sample of an odd number repeats the one before. So the extension of the signal
    continues with a sample that is one further away.
    """
    return plan.kernel // 2 + plan.extends_signal


@lru_cache(maxsize=256)
def _shapes(plan: LiftPoolPlan) -> tuple[tuple[int, ...], ...]:
    """The shape of the array that each pass splits, and that of a band."""
    return (*(lift_pass.shape for lift_pass in plan.passes), plan.halves)
