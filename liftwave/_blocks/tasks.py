"""The work on one block, as pure functions of arrays in memory, without dask.

A task is data that can be pickled, and is called with the parts of the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from liftwave._dispatch import kernels_for
from liftwave._execute import execute
from liftwave._operations.plan_transforms import analysis
from liftwave._operations.planned_transform import detail_keys
from liftwave._plan.axes import AxisPlan, AxisPlans
from liftwave._plan.axis import bounded
from liftwave._plan.blocks import AnalysisBlock, SynthesisBlock
from liftwave._plan.levels import AnalysisPlan
from liftwave._plan.undecimated import Undecimated
from liftwave._typing import Array
from liftwave.transforms.structures import dict_list
from liftwave.transforms.synthesis_calls import synthesis_call

Region: TypeAlias = tuple[slice, ...]
"""A part of an array."""

BandName: TypeAlias = tuple[int, str]
"""The level of a band within its group, 0 for the finest, and its key."""

# Bands share their memory. A band that is a smaller share of it is copied: it may exist for long.
_SMALLEST_SHARE = 0.125


def at_depth(plans: AxisPlans, depth: int) -> AxisPlans:
    """The plans of the level ``depth``: the taps of undecimated transforms are further apart."""
    if not depth or not any(isinstance(plan.mode, Undecimated) for plan in plans):
        return plans
    key = ("at depth", depth)
    deeper: AxisPlans | None = plans.cache.get(key)
    if deeper is None:
        deeper = AxisPlans(_deeper(plan, depth) for plan in plans)
        bounded(plans.cache)[key] = deeper
    return deeper


def _deeper(plan: AxisPlan, depth: int) -> AxisPlan:
    if not isinstance(plan.mode, Undecimated):
        return plan
    return plan._replace(mode=plan.mode._replace(start_level=plan.mode.start_level + depth))


def joined(parts: Sequence[Array], lengths: Sequence[Sequence[int]]) -> Array:
    """The array made of parts in the order of their places, by the lengths along each axis."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    result = np.empty_like(first, shape=tuple(map(sum, lengths)), order="C", subok=False)
    edges = [np.cumsum([0, *of_axis]).tolist() for of_axis in lengths]
    for part, place in zip(parts, product(*(range(len(sizes)) for sizes in lengths)), strict=True):
        region = tuple(slice(e[k], e[k + 1]) for e, k in zip(edges, place, strict=True))
        result[region] = part
    return result


@dataclass(frozen=True)
class Pieces:
    """The regions of some chunks that are joined to one array.

    Attributes
    ----------
    regions : tuple of tuple of slice
        For each axis the slices of its chunks. Chunks are in the order of their product.
    """

    regions: tuple[tuple[slice, ...], ...]

    def join(self, chunks: Sequence[Array]) -> Array:
        """The array."""
        places = product(*self.regions)
        parts = [chunk[region] for chunk, region in zip(chunks, places, strict=True)]
        return joined(parts, [[s.stop - s.start for s in of_axis] for of_axis in self.regions])


# --- analysis ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Analysis:
    """The data that all blocks of a group of levels share, from samples to bands.

    Attributes
    ----------
    plans : AxisPlans
        The transformed axes, on the first level of the group.
    levels : int
        The number of levels.
    every_level : bool
        Whether the approximations of all levels are returned, and not only that of the last one.
    compute : dtype or None
        The dtype of the computation; ``None`` for integers, which kernels widen.
    coefficients : dtype
        The dtype of integer coefficients of all levels of the transform.
    approx, details : dtype
        The dtypes of the results. An approximation that is transformed further keeps the dtype of
        the computation.
    """

    plans: AxisPlans
    levels: int
    every_level: bool
    compute: Any
    coefficients: Any
    approx: Any
    details: Any

    @cached_property
    def names(self) -> list[BandName]:
        """The bands in the order of the results: coarsest level first, approximations first."""
        approx, keys = "a" * len(self.plans), detail_keys(len(self.plans))
        names = [(self.levels - 1, approx)]
        for level in reversed(range(self.levels)):
            if self.every_level and level < self.levels - 1:
                names.append((level, approx))
            names += [(level, key) for key in keys]
        return names

    def run(self, x: Array) -> list[Array]:
        """The bands of a block."""
        x = x if self.compute is None else as_dtype(x, self.compute)
        if not self.every_level:
            return self._analysed(x, self.plans, self.levels)
        results: list[Array] = []
        for level in range(self.levels):
            bands = self._analysed(x, at_depth(self.plans, level), 1)
            x = bands[0]
            results[:0] = bands
        return results

    def _analysed(self, x: Array, plans: AxisPlans, levels: int) -> list[Array]:
        plan = analysis(plans, x.ndim, levels).plan_for((tuple(x.shape),))
        assert isinstance(plan, AnalysisPlan)
        dtype = self.coefficients if self.compute is None else None
        return kernels_for(x).analyse(x, plan, dtype)


@dataclass(frozen=True, eq=False)
class AnalysisTask:
    """The bands of one block.

    Attributes
    ----------
    shared : Analysis
        The data that all blocks share.
    blocks : tuple of AnalysisBlock
        The block of each axis.
    pieces : Pieces
        The pieces of the chunks of the source that are joined.
    """

    shared: Analysis
    blocks: tuple[AnalysisBlock, ...]
    pieces: Pieces

    def __call__(self, chunks: Sequence[Array]) -> list[Array]:
        """The cropped bands, from the chunks of the source."""
        return analysed(self.shared, self.blocks, self.pieces.join(chunks))


def analysed(shared: Analysis, blocks: Sequence[AnalysisBlock], x: Array) -> list[Array]:
    """The cropped bands of a block, from all of its samples."""
    bands = shared.run(x)
    most = _SMALLEST_SHARE * sum(band.nbytes for band in bands)
    results = []
    for name, band in zip(shared.names, bands, strict=True):
        region = region_of(shared.plans, name, [block.crops[name[0]] for block in blocks])
        band = as_dtype(band[region], shared.details if "d" in name[1] else shared.approx)
        results.append(band.copy() if band.nbytes < most else band)
    return results


def region_of(plans: AxisPlans, name: BandName, spans: Sequence[Any]) -> Region:
    """The region of a band with these spans along each axis."""
    letters = dict(zip((plan.axis for plan in plans), name[1], strict=True))
    slices = []
    for axis, spans_of_axis in enumerate(spans):
        (span,) = spans_of_axis.of(letters.get(axis, "a"))
        slices.append(slice(*span))
    return tuple(slices)


def sample_of(x: Array, ndim: int) -> Array:
    """An array of one sample, of the library and the dtype of ``x``, in the native byte order."""
    return np.zeros_like(x, shape=(1,) * ndim, dtype=x.dtype.newbyteorder("="))


def as_dtype(x: Array, dtype: Any) -> Array:
    """The array in another dtype, or itself."""
    return x if x.dtype == dtype else x.astype(dtype)


# --- synthesis -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Synthesis:
    """The data that all blocks of a group of levels share, from bands to samples.

    Attributes
    ----------
    plans : AxisPlans
        The transformed axes.
    depth : int
        The number of finer levels that follow.
    levels : int
        The number of levels.
    compute, result : dtype
        The dtypes of the computation and of the result.
    """

    plans: AxisPlans
    depth: int
    levels: int
    compute: Any
    result: Any

    def run(self, bands: dict[BandName, Array], crops: Sequence[Region]) -> Array:
        """The samples of a block. Missing bands count as zero."""
        approx_key = "a" * len(self.plans)
        approx = bands.get((self.levels - 1, approx_key))
        approx = None if approx is None else as_dtype(approx, self.compute)
        for level in reversed(range(self.levels)):
            details = [bands.get((level, key)) for key in detail_keys(len(self.plans))]
            flat = [approx, *(b if b is None else as_dtype(b, self.compute) for b in details)]
            ndim = next(band.ndim for band in flat if band is not None)
            plans = at_depth(self.plans, self.depth + level)
            call = synthesis_call(flat, plans, ndim, dict_list(len(plans)), trim_odd=False)
            approx = execute(call)[crops[level]]
        return as_dtype(approx, self.result)


@dataclass(frozen=True, eq=False)
class SynthesisTask:
    """The samples of one block.

    Attributes
    ----------
    shared : Synthesis
        The data that all blocks share.
    blocks : tuple of SynthesisBlock
        The block of each axis.
    pieces : dict of Pieces
        The pieces of the chunks of each band that are joined.
    """

    shared: Synthesis
    blocks: tuple[SynthesisBlock, ...]
    pieces: dict[BandName, Pieces]

    def __call__(self, chunks: Sequence[Sequence[Array]]) -> Array:
        """The samples, from the chunks of each band."""
        bands = {
            name: pieces.join(of_band)
            for (name, pieces), of_band in zip(self.pieces.items(), chunks, strict=True)
        }
        return synthesised(self.shared, self.blocks, bands)


def synthesised(
    shared: Synthesis, blocks: Sequence[SynthesisBlock], bands: dict[BandName, Array]
) -> Array:
    """The samples of a block, from its part of all bands."""
    crops = [
        tuple(slice(*block.crops[level]) for block in blocks) for level in range(shared.levels)
    ]
    return shared.run(bands, crops)
