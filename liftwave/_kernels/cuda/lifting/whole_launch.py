"""Launching the CUDA kernels of lifting without downsampling.

All steps of an axis run in one launch, in tiles. If tiles would read several times as much as they
write, each step has a separate launch.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from liftwave._kernels.cuda.common.layout import MAX_BATCH_AXES, Merged, grid, placed
from liftwave._kernels.cuda.common.memory import (
    COMPUTED,
    ITEMSIZE,
    Memory,
    address_of,
    contiguous,
    converted,
    memory_of,
    name_of,
)
from liftwave._kernels.cuda.common.runtime import Runtime, kernel
from liftwave._kernels.cuda.lifting.launch import Launch, axes_of_tiles
from liftwave._kernels.cuda.lifting.plan import LiftAxis
from liftwave._kernels.cuda.lifting.tiles import Side, Tiling, tiling
from liftwave._kernels.cuda.lifting.whole_plan import (
    WholeGroup,
    whole_arguments,
    whole_step_arguments,
)
from liftwave._typing import Array

_SOURCE = "lifting/whole_kernels.cuh"
_THREADS = 256
# Numbers that a tile loads per result, above which each step has a launch.
_LARGEST_OVERHEAD = 2.0
# The fewest bytes that neighbouring threads read together.
_FEWEST_BYTES = 32


def analyse_whole(
    x: Array, group: WholeGroup, approx: str, detail: str, runtime: Runtime
) -> list[Array]:
    """Both bands, of these dtypes."""
    bands = [runtime.empty(x.shape, name, x) for name in (approx, detail)]
    if not prod(x.shape):
        return bands
    names = name_of(x.dtype), approx, detail
    if _run_tiles("whole_analysis", names, group, [x, *bands], runtime):
        return bands
    start = contiguous(_scaled(converted(x, COMPUTED[approx]), group.plan.weight, group))
    channels = _run_steps([start, start], group, runtime)
    for band, channel, factor in zip(bands, channels, group.scale, strict=True):
        band[...] = _scaled(channel, factor, group)
    return bands


def synthesise_whole(
    bands: Sequence[Array], group: WholeGroup, name: str, runtime: Runtime, out: Array | None
) -> Array:
    """The signal with both bands; in ``out`` unless it is None."""
    signal = runtime.empty(bands[0].shape, name, bands[0]) if out is None else out
    if not prod(signal.shape):
        return signal
    names = name_of(bands[0].dtype), name_of(bands[1].dtype), name
    if _run_tiles("whole_synthesis", names, group, [signal, *bands], runtime):
        return signal
    scaled = [
        _scaled(converted(band, COMPUTED[name]), factor, group)
        for band, factor in zip(bands, group.scale, strict=True)
    ]
    approx, detail = _run_steps(list(map(contiguous, scaled)), group, runtime)
    if group.integer:
        signal[...] = approx + ((detail - approx) >> 1)
    else:
        signal[...] = (approx + detail) * group.plan.weight
    return signal


def _scaled(x: Array, factor: float, group: WholeGroup) -> Array:
    return x if group.integer else x * factor


# --- tiles ---------------------------------------------------------------------------------------


class _Tiles(NamedTuple):
    """Tiles of rows and columns: which are lifted, the axes and their strides, and the cut."""

    rows_are_lifted: bool
    is_periodic: bool
    along: list[Merged]
    batch: list[Merged]
    tiling: Tiling


def _run_tiles(
    name: str, dtypes: tuple[str, ...], group: WholeGroup, arrays: Sequence[Array], runtime: Runtime
) -> bool:
    """Launch the kernel for a signal and its bands; False if tiles are not worth it."""
    memories = list(map(memory_of, arrays))
    tiles = _tiles(group, memories, COMPUTED[memories[1].dtype]) if group.fits else None
    if tiles is None:
        return False
    layout = placed(memories, tiles.batch, [strides for _, strides in tiles.along])
    assert layout is not None
    structure = _arguments(group, tiles, layout, COMPUTED[memories[1].dtype])
    compiled = kernel(_SOURCE, name, *dtypes, tiles.rows_are_lifted)
    cut, what = tiles.tiling, f"lifting of shape {memories[0].shape} along {group.axes}"
    sizes = grid(structure.blocks), cut.threads, cut.shared
    runtime.launch(compiled, *sizes, structure, arrays[0], what)
    return True


def _tiles(group: WholeGroup, memories: Sequence[Memory], work: str) -> _Tiles | None:
    """The tiles of these arrays; None if they would take longer than one step after the other."""
    lifted, along, batch = axes_of_tiles(group.axes, memories)
    if len(batch) > MAX_BATCH_AXES:
        return None
    count, size = prod(of_axis for of_axis, _ in batch), ITEMSIZE[work]
    for side in group.sides:
        rows, columns = (
            Side(of_axis) if index is None else side
            for index, (of_axis, _) in zip(lifted, along, strict=True)
        )
        fewest = -(-_FEWEST_BYTES // size)
        cut = tiling(rows, columns, count, size, 0, 1, _LARGEST_OVERHEAD, fewest)
        if cut is not None:
            return _Tiles(rows.lifted, side.periodic, along, batch, cut)
    return None


def _arguments(group: WholeGroup, tiles: _Tiles, layout: Any, work: str) -> Any:
    batch, (signal, *bands) = layout
    real = Launch.real_of(work)
    structure = whole_arguments(real)()
    structure.signal, structure.batch = signal, batch
    structure.band[0], structure.band[1] = bands
    structure.steps, structure.mode = group.steps(real), group.mode
    structure.blocks = batch.count * prod(tiles.tiling.tiles)
    structure.log_width = tiles.tiling.log_width
    if not group.integer:
        structure.scale[:], structure.weight = group.scale, group.plan.weight
    for k, (size, _) in enumerate(tiles.along):
        is_lifted = tiles.rows_are_lifted == (k == 0)
        halo, periodic = (group.halo, int(tiles.is_periodic)) if is_lifted else ((0, 0), 0)
        steps = len(group.plan.steps) if is_lifted else 0
        count, room = tiles.tiling.tiles[k], tiles.tiling.room[k]
        structure.axis[k] = LiftAxis(
            size, size, (0, 0), count, halo, 0, steps, periodic, 0, room, 0
        )
    return structure


# --- one launch per step -------------------------------------------------------------------------


def _run_steps(channels: list[Array], group: WholeGroup, runtime: Runtime) -> list[Array]:
    """The channels after all steps. The arrays are contiguous, in the computation dtype."""
    (axis,), like = group.axes, channels[0]
    name = name_of(like.dtype)
    real, what = Launch.real_of(name), f"a lifting step of shape {tuple(like.shape)} along {axis}"
    total, inner = prod(like.shape), prod(like.shape[axis + 1 :])
    for number, step in enumerate(group.plan.steps):
        out = runtime.empty(like.shape, name, like)
        addresses = (address_of(x) for x in (channels[1 - step.target], channels[step.target], out))
        sizes = group.plan.n, inner, total, group.mode, 0
        structure = whole_step_arguments(real)(*addresses, *sizes, group.steps(real, number))
        blocks = grid(-(-total // _THREADS))
        compiled = kernel(_SOURCE, "whole_step", name)
        runtime.launch(compiled, blocks, _THREADS, 0, structure, like, what)
        channels[step.target] = out
    return channels
