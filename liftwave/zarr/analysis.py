"""The analysis of an array in a file, block by block, into a group of Zarr."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import reduce
from itertools import product
from math import gcd
from typing import Any

import numpy as np
import zarr

from liftwave._blocks.tasks import Analysis, BandName, Region, analysed, region_of
from liftwave._blocks.transforms import AnalysisBlocks, analysis_in_blocks
from liftwave._operations.transform import Transform
from liftwave._plan.block_groups import AnalysisGroup
from liftwave._plan.shapes import band_shapes
from liftwave._typing import Array, Modes
from liftwave.decomposition import Decomposition
from liftwave.decomposition.archive import band_name
from liftwave.errors import LevelError
from liftwave.transforms import calls
from liftwave.transforms.structures import dict_list
from liftwave.wavelets.resolve import Wavelets
from liftwave.zarr.arguments import check_executor, check_progress
from liftwave.zarr.blocks import (
    MOST_REDUNDANCY,
    Place,
    Progress,
    block_shape,
    bounds_of,
    checked_source,
    execute_all,
    read,
)
from liftwave.zarr.groups import GroupLike, Writer


def decompose_to(
    source: Any,
    group: GroupLike,
    wavelet: Wavelets,
    level: int | None = None,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = None,
    *,
    block: Sequence[int] | None = None,
    executor: Executor | None = None,
    overwrite: bool = False,
    metadata: Mapping[str, Any] | None = None,
    compressors: Any = "auto",
    progress: Progress | None = None,
) -> None:
    """Decompose an array that does not fit into memory, and write its bands.

    Each block reads its part of the source, with the samples of its neighbours that it needs, and
    writes its part of all bands. Therefore only the blocks that are computed at the same time are
    in memory. If a run is interrupted, the same call continues it. If all blocks are written, it
    does nothing. The data are not compared: use ``overwrite`` for other data.

    Parameters
    ----------
    source : array
        An array of Zarr, a dataset of h5py, a memory map, or any other array with ``shape``,
        ``dtype`` and slices.
    group : str, path or zarr.Group
        The group that receives the bands; it is created if necessary.
    wavelet, level, mode, axes
        As for :func:`liftwave.decompose`.
    block : sequence of int, optional
        The size of blocks along each axis, rounded up to multiples of ``2**level``, or of 1024 if
        there are more than ten levels; by default up to four chunks of the source, and at most
        2**22 samples.
    executor : concurrent.futures.Executor, optional
        Computes blocks in parallel, in threads or processes; by default one after the other.
    overwrite : bool, optional
        Whether the contents of the group are deleted first. Default False.
    metadata : dict, optional
        Data in JSON that are stored with the bands.
    compressors : optional
        As for :func:`zarr.create_array`.
    progress : callable, optional
        A function that is called with the number of finished blocks, and that of all blocks.

    Raises
    ------
    FileError
        If the group has other contents.
    LevelError
        If the number of levels is 0.
    ValueError, TypeError
        As for :func:`liftwave.decompose`.

    Notes
    -----
    The bands are bit-identical to those of the whole array. With ``periodic``, and with
    ``periodization`` of lengths that are not multiples of ``2**level``, approximations between
    levels are stored until the end.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import liftwave as lw
    >>> import liftwave.zarr
    >>> x = np.random.default_rng(0).standard_normal((256, 300))
    >>> folder = tempfile.mkdtemp()
    >>> liftwave.zarr.decompose_to(x, folder + "/bands.zarr", "bior4.4", 2, block=(64, 64))
    >>> liftwave.zarr.open_decomposition(folder + "/bands.zarr") == lw.decompose(x, "bior4.4", 2)
    True
    """
    check_executor(executor)
    check_progress(progress)
    shape, dtype = checked_source(source)
    whole = np.broadcast_to(np.zeros((), dtype), shape)
    transform = calls.decompose(whole, wavelet, mode, level, axes).operation
    assert isinstance(transform, Transform)
    if not transform.level:
        raise LevelError("decompose_to needs at least one level, got level=0")
    blocks = _blocks(transform, shape, dtype, block, getattr(source, "chunks", None))
    layout = _layout(transform, shape, dtype, blocks)
    writer = Writer(group, layout, metadata, overwrite=overwrite, compressors=compressors)
    if not writer.is_complete:
        _run(_stages(source, blocks, layout, writer), executor, progress)
        writer.complete()


def _blocks(
    transform: Transform, shape: tuple[int, ...], dtype: Any, block: Any, chunks: Any
) -> AnalysisBlocks:
    plans = transform.plans_for(len(shape))
    axes = [plan.axis for plan in plans]
    sizes = block_shape(block, shape, chunks, axes, transform.level)
    sample = np.zeros((0,) * len(shape), dtype)
    bounds = bounds_of(shape, sizes)
    return analysis_in_blocks(transform, shape, sample, bounds, most_redundancy=MOST_REDUNDANCY)


def _layout(
    transform: Transform, shape: tuple[int, ...], dtype: Any, blocks: AnalysisBlocks
) -> Decomposition:
    """A decomposition with the shapes of the bands, whose values share their memory."""
    zero = np.zeros((), blocks.dtype)
    bands = [np.broadcast_to(zero, n) for n in band_shapes(shape, blocks.plans, transform.level)]
    approx, *details = dict_list(len(blocks.plans)).pack(bands)
    return Decomposition(approx, tuple(details), shape, dtype, blocks.plans)


# --- stages --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Stage:
    """The blocks of some levels, their inputs and their outputs.

    Attributes
    ----------
    source : array
        The samples.
    targets : dict of zarr.Array
        The arrays of the bands.
    group : AnalysisGroup
        The blocks.
    shared : Analysis
        The data that all blocks share.
    finished : zarr.Array
        The marks of the finished blocks.
    """

    source: Any
    targets: Mapping[BandName, zarr.Array[Any]]
    group: AnalysisGroup
    shared: Analysis
    finished: zarr.Array[Any]

    def __call__(self, place: Place) -> None:
        """Compute a block, write its bands, and mark it as finished."""
        blocks = [of_axis[k] for of_axis, k in zip(self.group.axes, place, strict=True)]
        samples = read(self.source, [block.reads for block in blocks])
        bands: list[Array] = analysed(self.shared, blocks, samples)
        for name, band in zip(self.shared.names, bands, strict=True):
            self.targets[name][self.region(name, place)] = band
        self.finished[place] = 1

    def region(self, name: BandName, place: Place) -> Region:
        """The place of a block in a band."""
        blocks = [of_axis[k] for of_axis, k in zip(self.group.axes, place, strict=True)]
        return region_of(self.shared.plans, name, [block.places[name[0]] for block in blocks])

    def remaining(self) -> list[Place]:
        """The blocks that are not finished."""
        marks = np.asarray(self.finished[...])
        return [place for place in product(*map(range, self.group.grid)) if not marks[place]]


def _stages(
    source: Any, blocks: AnalysisBlocks, layout: Decomposition, writer: Writer
) -> list[Stage]:
    stages = []
    for number, (group, shared) in enumerate(blocks.groups):
        finished = writer.finished(number, group.grid)
        stage = Stage(source, {}, group, shared, finished)
        targets = {}
        for level, key in shared.names:
            depth = group.depth + level + 1
            chunks = _chunks(stage, (level, key))
            if "d" in key or depth == blocks.level:
                shape = layout.bands[depth, key].shape
                targets[level, key] = writer.array(
                    band_name(depth, key), shape, chunks, blocks.dtype
                )
            else:
                shape = [of_axis[-1].places[level].approx[0].stop for of_axis in group.axes]
                targets[level, key] = writer.scratch(
                    f"approximation_{depth}", shape, chunks, shared.approx
                )
        stages.append(Stage(source, targets, group, shared, finished))
        source = targets[group.levels - 1, "a" * len(shared.plans)]
    return stages


def _chunks(stage: Stage, name: BandName) -> list[int]:
    """The chunks of a band. Each block has whole chunks, so two blocks never write the same one."""
    chunks = []
    for axis, count in enumerate(stage.group.grid):
        spans = [
            stage.region(name, tuple(k if a == axis else 0 for a in range(len(stage.group.grid))))
            for k in range(count)
        ]
        starts = [region[axis].start for region in spans[1:]]
        chunks.append(reduce(gcd, starts) if starts else spans[0][axis].stop)
    return chunks


def _run(stages: Sequence[Stage], executor: Executor | None, progress: Progress | None) -> None:
    total = sum(int(np.prod(stage.group.grid)) for stage in stages)
    rest = [stage.remaining() for stage in stages]
    count = total - sum(map(len, rest))

    def finished() -> None:
        nonlocal count
        count += 1
        if progress is not None:
            progress(count, total)

    if progress is not None:
        progress(count, total)
    for stage, places in zip(stages, rest, strict=True):
        execute_all(stage, places, executor, finished)
