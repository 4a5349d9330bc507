"""Graphs of dask: one task per block, and one per band and block that extracts the band."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, product
from operator import getitem
from typing import Any, TypeAlias

import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from liftwave._blocks.tasks import (
    Analysis,
    AnalysisTask,
    BandName,
    Pieces,
    Synthesis,
    SynthesisTask,
)
from liftwave._plan.block_groups import AnalysisGroup, SynthesisGroup
from liftwave._plan.blocks import Span

Layer: TypeAlias = dict[Any, Any]


def bounds_of(x: da.Array) -> list[list[int]]:
    """The bounds between the chunks of each axis; chunks without samples have none."""
    bounds = []
    for sizes in x.chunks:
        ends = list(accumulate(sizes))
        bounds.append(sorted({end for end in ends if 0 < end < ends[-1]}))
    return bounds


def _slices_of(spans: Sequence[Span], sizes: Sequence[int]) -> list[tuple[int, slice]]:
    """The chunks that spans meet along an axis, and the slice of each."""
    edges = [0, *accumulate(sizes)]
    pieces = []
    for start, stop in spans:
        chunk = min(bisect_right(edges, start), len(sizes)) - 1
        if start == stop:
            pieces.append((chunk, slice(0, 0)))
        while start < stop:
            low, high = edges[chunk], min(stop, edges[chunk + 1])
            if high > start:
                pieces.append((chunk, slice(start - low, high - low)))
            start, chunk = high, chunk + 1
    return pieces


class Source:
    """The chunks of an array, found by spans along each axis."""

    def __init__(self, x: da.Array) -> None:
        self.x = x
        self._found: dict[Any, list[tuple[int, slice]]] = {}

    def pieces(self, spans: Sequence[Sequence[Span]]) -> tuple[Pieces, list[tuple[Any, ...]]]:
        """The pieces that are joined for these spans along each axis, and their keys."""
        pieces = [self._of_axis(axis, tuple(of_axis)) for axis, of_axis in enumerate(spans)]
        regions = tuple(tuple(piece for _, piece in of_axis) for of_axis in pieces)
        numbers = product(*([chunk for chunk, _ in of_axis] for of_axis in pieces))
        return Pieces(regions), [(self.x.name, *place) for place in numbers]

    def _of_axis(self, axis: int, spans: tuple[Span, ...]) -> list[tuple[int, slice]]:
        key = (axis, spans)
        if key not in self._found:
            self._found[key] = _slices_of(spans, self.x.chunks[axis])
        return self._found[key]


def _meta(x: da.Array, dtype: Any) -> Any:
    """An empty array of the library of ``x``."""
    return np.zeros_like(x._meta, shape=(0,) * x.ndim).astype(dtype)


def _places(grid: Sequence[int]) -> Iterator[tuple[int, ...]]:
    return product(*map(range, grid))


# --- analysis ------------------------------------------------------------------------------------


def analysis_arrays(
    x: da.Array, group: AnalysisGroup, shared: Analysis
) -> dict[BandName, da.Array]:
    """The bands of a group of levels, as arrays of dask."""
    name = f"liftwave-analysis-{_token(x.name, group, shared)}"
    source, layer = Source(x), Layer()
    for place in _places(group.grid):
        blocks = tuple(of_axis[k] for of_axis, k in zip(group.axes, place, strict=True))
        pieces, keys = source.pieces([block.reads for block in blocks])
        layer[name, *place] = (AnalysisTask(shared, blocks, pieces), keys)
    graph = HighLevelGraph.from_collections(name, layer, dependencies=[x])
    bands = {}
    for number, band in enumerate(shared.names):
        chunks = _band_chunks(group, shared, band)
        dtype = shared.details if "d" in band[1] else shared.approx
        bands[band] = _item(graph, name, number, group.grid, chunks, _meta(x, dtype))
    return bands


def _band_chunks(
    group: AnalysisGroup, shared: Analysis, band: BandName
) -> tuple[tuple[int, ...], ...]:
    """The chunks of a band: the parts that blocks return."""
    sizes: list[tuple[int, ...]] = []
    letters = dict(zip((plan.axis for plan in shared.plans), band[1], strict=True))
    for axis, blocks in enumerate(group.axes):
        spans = [block.places[band[0]].of(letters.get(axis, "a"))[0] for block in blocks]
        sizes.append(tuple(span.length for span in spans))
    return tuple(sizes)


def _item(
    graph: HighLevelGraph,
    name: str,
    number: int,
    grid: Sequence[int],
    chunks: tuple[tuple[int, ...], ...],
    meta: Any,
) -> da.Array:
    """The array of one of the results of each block."""
    own = f"{name}-{number}"
    layer = {(own, *place): (getitem, (name, *place), number) for place in _places(grid)}
    layers = {**graph.layers, own: layer}
    dependencies = {**graph.dependencies, own: {name}}
    return da.Array(HighLevelGraph(layers, dependencies), own, chunks, meta=meta)


# --- synthesis -----------------------------------------------------------------------------------


def synthesis_array(
    bands: Mapping[BandName, da.Array], group: SynthesisGroup, shared: Synthesis
) -> da.Array:
    """The samples that are synthesised from the bands of a group of levels."""
    token = _token({band: x.name for band, x in bands.items()}, group, shared)
    name = f"liftwave-synthesis-{token}"
    sources = {band: Source(x) for band, x in bands.items()}
    layer = Layer()
    letters = {band: _letters(shared, band) for band in bands}
    for place in _places(group.grid):
        blocks = tuple(of_axis[k] for of_axis, k in zip(group.axes, place, strict=True))
        pieces, keys = {}, []
        for band, source in sources.items():
            spans = [
                block.reads[band[0]].of(letters[band].get(axis, "a"))
                for axis, block in enumerate(blocks)
            ]
            pieces[band], of_band = source.pieces(spans)
            keys.append(of_band)
        layer[name, *place] = (SynthesisTask(shared, blocks, pieces), keys)
    graph = HighLevelGraph.from_collections(name, layer, dependencies=list(bands.values()))
    chunks = tuple(tuple(block.owned.length for block in blocks) for blocks in group.axes)
    like = next(iter(bands.values()))
    return da.Array(graph, name, chunks, meta=_meta(like, shared.result))


def _letters(shared: Synthesis, band: BandName) -> dict[int, str]:
    """The letter of a band along each transformed axis."""
    return dict(zip((plan.axis for plan in shared.plans), band[1], strict=True))


def _token(source: Any, group: AnalysisGroup | SynthesisGroup, shared: Any) -> str:
    """A name for the results, the same for the same source, blocks and transform."""
    fields = [(plan.axis, plan.wavelet, plan.mode) for plan in shared.plans]
    options = [str(value) for key, value in vars(shared).items() if key not in ("plans", "names")]
    ends = [[block.owned.stop for block in blocks] for blocks in group.axes]
    token: str = tokenize(source, fields, options, group.depth, group.levels, ends)
    return token
