"""Writes coefficients of dask to groups of Zarr, block by block, and reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, product
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph

from liftwave._arrays.lazy import is_lazy
from liftwave._blocks.tasks import Region
from liftwave._numbers import flag
from liftwave._typing import Array
from liftwave.decomposition import Decomposition, Undecimated
from liftwave.decomposition.archive import band_name
from liftwave.errors import ArgumentTypeError
from liftwave.zarr.groups import GroupLike, Writer, contents, object_of


def to_zarr(
    d: Decomposition | Undecimated,
    group: GroupLike,
    *,
    overwrite: bool = False,
    metadata: Mapping[str, Any] | None = None,
    compressors: Any = "auto",
    compute: bool = True,
) -> Delayed | None:
    """Compute the bands of a decomposition, and write them to a group of Zarr.

    One task writes all bands of a block and marks it. If a run is interrupted, the same call
    computes the remaining blocks. The data are not compared: use ``overwrite`` for other data.
    Blocks can be written twice, so a worker that fails only costs time.

    Parameters
    ----------
    d : Decomposition or Undecimated
        The bands, which are arrays of dask.
    group : str, path or zarr.Group
        The group that receives the bands; it is created if necessary.
    overwrite : bool, optional
        Whether the contents of the group are deleted first. Default False.
    metadata : dict, optional
        Data in JSON that are stored with the bands.
    compressors : optional
        As for :func:`zarr.create_array`.
    compute : bool, optional
        Whether the bands are computed now, by the scheduler of dask that is in use. Otherwise the
        result is a ``Delayed`` object. Default True.

    Returns
    -------
    Delayed or None

    Raises
    ------
    FileError
        If the group has other contents.
    ArgumentTypeError
        If the bands are not arrays of dask.

    Examples
    --------
    >>> import tempfile
    >>> import dask.array as da
    >>> import liftwave as lw
    >>> import liftwave.dask
    >>> d = lw.decompose(da.ones((256, 256), chunks=64), "db2", 1)
    >>> path = tempfile.mkdtemp() + "/bands.zarr"
    >>> liftwave.dask.to_zarr(d, path)
    >>> liftwave.dask.from_zarr(path).reconstruct().shape
    (256, 256)
    """
    if not isinstance(d, Decomposition | Undecimated) or not all(map(is_lazy, d.bands.values())):
        raise ArgumentTypeError(
            "to_zarr needs a decomposition of arrays of dask: use save() for arrays in memory"
        )
    computes = flag(compute, "compute")
    writer = Writer(group, d, metadata, overwrite=overwrite, compressors=compressors)
    bands = {band_name(*which): _regular(band) for which, band in d.bands.items()}
    write = _written(bands, writer)
    if computes:
        write.compute()
        return None
    return write


def _regular(band: da.Array) -> da.Array:
    """The band in chunks of one size, so that two blocks never write the same chunk of the file."""
    chunks = tuple(
        sizes if all(n == sizes[0] for n in sizes[:-1]) else sizes[0] for sizes in band.chunks
    )
    return band if chunks == band.chunks else band.rechunk(chunks)


class _Write:
    """Writes the parts of a block to all bands, and marks the block."""

    def __init__(
        self, targets: Sequence[Any], regions: Sequence[Region], finished: Any, place: Any
    ) -> None:
        self.targets, self.regions, self.finished, self.place = targets, regions, finished, place

    def __call__(self, parts: Sequence[Array]) -> bool:
        for target, region, part in zip(self.targets, self.regions, parts, strict=True):
            target[region] = np.asarray(part)
        self.finished[self.place] = 1
        return True


def _written(bands: Mapping[str, da.Array], writer: Writer) -> Delayed:
    """The task that completes the group, after one task for each block that is not finished.

    Bands of the same grid are written together. The names of the tasks are numbers of blocks,
    because the scheduler computes tasks that are equal otherwise in the order of their names: row
    by row, so that it keeps only the neighbours of a row.
    """
    grids: dict[tuple[int, ...], list[str]] = {}
    if not writer.is_complete:
        for name, band in bands.items():
            grids.setdefault(band.numblocks, []).append(name)
    token = tokenize([band.name for band in bands.values()], str(writer.group))
    layer: dict[Any, Any] = {}
    for number, (grid, names) in enumerate(grids.items()):
        finished = writer.finished(number, grid)
        marks = np.asarray(finished[...])
        of_grid = {name: bands[name] for name in names}
        targets = [_target(name, band, writer) for name, band in of_grid.items()]
        edges = [_edges(band) for band in of_grid.values()]
        for place in product(*map(range, grid)):
            if not marks[place]:
                regions = [_region(of_band, place) for of_band in edges]
                work = _Write(targets, regions, finished, place)
                parts = [(band.name, *place) for band in of_grid.values()]
                layer[f"liftwave-write-{token}", number, *place] = (work, parts)
    complete = f"liftwave-complete-{token}"
    writes = HighLevelGraph.from_collections("writes" + token, layer, list(bands.values()))
    layers = {**writes.layers, complete: {complete: (_Complete(writer), list(layer))}}
    dependencies = {**writes.dependencies, complete: {"writes" + token}}
    return Delayed(complete, HighLevelGraph(layers, dependencies))


def _target(name: str, band: da.Array, writer: Writer) -> Any:
    chunks = [sizes[0] for sizes in band.chunks]
    return writer.array(name, band.shape, chunks, band.dtype)


def _edges(band: da.Array) -> list[list[int]]:
    return [[0, *accumulate(sizes)] for sizes in band.chunks]


def _region(edges: Sequence[Sequence[int]], place: Sequence[int]) -> Region:
    return tuple(slice(e[k], e[k + 1]) for e, k in zip(edges, place, strict=True))


class _Complete:
    """Marks a group as complete when all blocks are written."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    def __call__(self, _: Sequence[bool]) -> None:
        self.writer.complete()


def from_zarr(group: GroupLike) -> Decomposition | Undecimated:
    """The coefficients in a group of Zarr, as arrays of dask.

    Parameters
    ----------
    group : str, path or zarr.Group
        A group that :func:`to_zarr` or :func:`liftwave.zarr.decompose_to` wrote.

    Returns
    -------
    Decomposition or Undecimated
        Data are only read when they are needed. ``reconstruct()`` returns an array of dask.

    Raises
    ------
    FileError
        If it is not such a group, or the run that wrote it was interrupted.

    Examples
    --------
    See :func:`to_zarr`.
    """
    return object_of(contents(group, da.from_zarr))
