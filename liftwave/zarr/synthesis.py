"""The synthesis of an array in a file, block by block, from a group of Zarr."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import reduce
from itertools import product
from math import gcd, prod
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import zarr

from liftwave._blocks.tasks import BandName, Synthesis, synthesised
from liftwave._blocks.transforms import SynthesisBlocks, synthesis_in_blocks
from liftwave._numbers import flag
from liftwave._operations.plan_transforms import synthesis
from liftwave._plan.axes import as_axis_plans
from liftwave._plan.block_groups import SynthesisGroup
from liftwave._plan.blocks import Span, SynthesisBlock
from liftwave.decomposition import Decomposition
from liftwave.decomposition.stored import restored
from liftwave.errors import ArgumentTypeError, FileError, ShapeError
from liftwave.zarr.arguments import (
    WRITES_EMPTY_CHUNKS,
    check_compressors,
    check_executor,
    check_progress,
)
from liftwave.zarr.blocks import (
    MOST_REDUNDANCY,
    Place,
    Progress,
    block_shape,
    bounds_of,
    execute_all,
    read,
)
from liftwave.zarr.groups import GroupLike, contents, object_of

_LONGEST_CHUNK = 1024
"""The largest length of chunks of a new array, which are halved until they fit."""


def reconstruct_to(
    group: GroupLike,
    target: Any,
    *,
    block: Sequence[int] | None = None,
    executor: Executor | None = None,
    overwrite: bool = False,
    compressors: Any = "auto",
    progress: Progress | None = None,
) -> None:
    """Reconstruct the data from a group of coefficients, and write them block by block.

    Parameters
    ----------
    group : str, path or zarr.Group
        A group that :func:`decompose_to` or :func:`liftwave.dask.to_zarr` wrote.
    target : str, path, or array
        The path of a new array of Zarr, or an array of the shape of the data that is written to.
    block, executor, compressors, progress : optional
        As for :func:`decompose_to`.
    overwrite : bool, optional
        Whether an array at the path is replaced. Default False.

    Raises
    ------
    FileError
        If the group is not one of coefficients, or not complete.
    ShapeError
        If the target has another shape than the data.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import liftwave.zarr
    >>> x = np.random.default_rng(0).standard_normal((256, 300))
    >>> folder = tempfile.mkdtemp()
    >>> liftwave.zarr.decompose_to(x, folder + "/bands.zarr", "db2", 2, block=(64, 64))
    >>> again = np.empty_like(x)
    >>> liftwave.zarr.reconstruct_to(folder + "/bands.zarr", again)
    >>> bool(np.allclose(again, x))
    True
    """
    check_executor(executor)
    check_progress(progress)
    check_compressors(compressors)
    replaces = flag(overwrite, "overwrite")
    found = contents(group, lambda array: array)
    layout = object_of(found._replace(**_stand_ins(found)))
    if not isinstance(layout, Decomposition):
        raise ArgumentTypeError(
            "reconstruct_to needs coefficients of a transform with downsampling: use "
            "liftwave.dask.from_zarr for other coefficients"
        )
    bands = {(layout.level - 1, "a" * len(layout.plans)): found.approx}
    for k, of_level in enumerate(found.details):
        bands |= {(layout.level - 1 - k, key): band for key, band in of_level.items()}
    blocks = _blocks(layout, bands, block)
    result = _target(target, layout, blocks, replaces, compressors)
    _check_chunks(result, blocks, executor)
    with TemporaryDirectory(dir=_folder_of(target)) as folder:
        stages = _stages(layout, bands, blocks, result, folder)
        _run(stages, executor, progress)


def _blocks(layout: Decomposition, bands: Mapping[BandName, Any], block: Any) -> SynthesisBlocks:
    plans, ndim = as_axis_plans(layout.plans), len(layout.shape)
    axes = {plan.axis for plan in plans}
    chunks = list(bands[0, "d" * len(plans)].chunks)
    chunks = [2 * n if axis in axes else n for axis, n in enumerate(chunks)]
    sizes = block_shape(block, layout.shape, chunks, [*axes], layout.level)
    bounds = bounds_of(layout.shape, sizes)
    of_bands = {
        (level, key): [
            [bound >> (level + 1) if axis in axes else bound for bound in of_axis]
            for axis, of_axis in enumerate(bounds)
        ]
        for level, key in bands
    }
    return synthesis_in_blocks(
        synthesis(plans, ndim, layout.level),
        [tuple(band.shape) for band in bands.values()],
        [np.zeros((0,) * ndim, band.dtype) for band in bands.values()],
        of_bands,
        most_redundancy=MOST_REDUNDANCY,
    )


def _stand_ins(stored: Any) -> dict[str, Any]:
    """The bands as arrays of NumPy whose values share their memory."""

    def stand_in(array: Any) -> Any:
        return np.broadcast_to(np.zeros((), array.dtype), array.shape)

    details = tuple({key: stand_in(band) for key, band in b.items()} for b in stored.details)
    return {"approx": stand_in(stored.approx), "details": details}


# --- the target ----------------------------------------------------------------------------------


def _folder_of(target: Any) -> str | None:
    """The folder for temporary files; None for that of the system."""
    return str(Path(target).absolute().parent) if isinstance(target, str | PathLike) else None


def _target(
    target: Any, layout: Decomposition, blocks: SynthesisBlocks, overwrite: bool, compressors: Any
) -> Any:
    if not isinstance(target, str | PathLike):
        if tuple(getattr(target, "shape", ())) != layout.shape:
            raise ShapeError(
                f"the target must have the shape {layout.shape} of the data, got "
                f"{getattr(target, 'shape', target)!r}"
            )
        return target
    group, shared = blocks.groups[-1]
    try:
        return zarr.create_array(
            str(target),
            shape=layout.shape,
            chunks=tuple(_chunk(of_axis) for of_axis in group.axes),
            dtype=layout.dtype if layout._is_integer else shared.result,
            overwrite=overwrite,
            compressors=compressors,
            config=WRITES_EMPTY_CHUNKS,
        )
    except zarr.errors.ContainsArrayError as error:
        raise FileError(f"{target}: exists: use another path, or overwrite=True") from error
    except OSError as error:
        raise FileError(f"{target}: cannot be written: {error}") from error


def _chunk(blocks: Sequence[SynthesisBlock]) -> int:
    """A length of chunks for which two blocks never write the same chunk."""
    starts = [block.owned.start for block in blocks[1:]]
    length = reduce(gcd, starts) if starts else blocks[0].owned.stop
    while starts and length > _LONGEST_CHUNK and length % 2 == 0:
        length //= 2
    return max(1, length)


def _check_chunks(target: Any, blocks: SynthesisBlocks, executor: Executor | None) -> None:
    """Raise if two blocks could write the same chunk at the same time."""
    if executor is None or not isinstance(target, zarr.Array):
        return
    group, _ = blocks.groups[-1]
    for axis, (of_axis, chunk) in enumerate(zip(group.axes, target.chunks, strict=True)):
        if any(block.owned.start % chunk for block in of_axis):
            raise ShapeError(
                f"blocks along axis {axis} start within chunks of {chunk} samples of the target: "
                "use a block of whole chunks, or no executor"
            )


# --- stages --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Stage:
    """The blocks of some levels, their inputs and their outputs.

    Attributes
    ----------
    sources : dict of array
        The bands.
    target : array
        The samples.
    group : SynthesisGroup
        The blocks.
    shared : Synthesis
        The data that all blocks share.
    layout : Decomposition or None
        The shape and the dtype of the data, if the samples are the data.
    """

    sources: Mapping[BandName, Any]
    target: Any
    group: SynthesisGroup
    shared: Synthesis
    layout: Decomposition | None

    def __call__(self, place: Place) -> None:
        """Compute a block, and write its samples."""
        blocks = [of_axis[k] for of_axis, k in zip(self.group.axes, place, strict=True)]
        axes = [plan.axis for plan in self.shared.plans]
        bands = {}
        for (level, key), source in self.sources.items():
            letters = dict(zip(axes, key, strict=True))
            spans = [b.reads[level].of(letters.get(axis, "a")) for axis, b in enumerate(blocks)]
            bands[level, key] = read(source, spans)
        samples = synthesised(self.shared, blocks, bands)
        owned = [block.owned for block in blocks]
        if self.layout is not None:
            ends = [min(span.stop, n) for span, n in zip(owned, self.layout.shape, strict=True)]
            samples = samples[tuple(slice(e - s.start) for e, s in zip(ends, owned, strict=True))]
            samples = restored(self.layout, samples)
            owned = [Span(span.start, e) for e, span in zip(ends, owned, strict=True)]
        self.target[tuple(slice(*span) for span in owned)] = samples


def _stages(
    layout: Decomposition,
    bands: Mapping[BandName, Any],
    blocks: SynthesisBlocks,
    target: Any,
    folder: str,
) -> list[Stage]:
    stages, approx, source = [], "a" * len(blocks.plans), None
    for group, shared in blocks.groups:
        sources = {
            (level - group.depth, key): band
            for (level, key), band in bands.items()
            if 0 <= level - group.depth < group.levels
        }
        if source is not None:
            sources[group.levels - 1, approx] = source
        if group.depth:
            source = zarr.create_array(
                f"{folder}/{group.depth}",
                shape=tuple(of_axis[-1].owned.stop for of_axis in group.axes),
                chunks=tuple(_chunk(of_axis) for of_axis in group.axes),
                dtype=shared.result,
                config=WRITES_EMPTY_CHUNKS,
            )
            stages.append(Stage(sources, source, group, shared, None))
        else:
            stages.append(Stage(sources, target, group, shared, layout))
    return stages


def _run(stages: Sequence[Stage], executor: Executor | None, progress: Progress | None) -> None:
    total, count = sum(prod(stage.group.grid) for stage in stages), 0

    def finished() -> None:
        nonlocal count
        count += 1
        if progress is not None:
            progress(count, total)

    for stage in stages:
        execute_all(stage, product(*map(range, stage.group.grid)), executor, finished)
