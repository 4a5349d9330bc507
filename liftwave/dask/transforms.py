"""Executes the calls of transforms on arrays of dask: builds a graph, and computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np

from liftwave._arrays.convert import Opened, never_native_half
from liftwave._arrays.lazy import is_lazy
from liftwave._operations.call import Call
from liftwave._operations.every_level import EveryLevel
from liftwave._operations.planned_transform import detail_keys
from liftwave._operations.transform import Transform
from liftwave._plan.axes import AxisPlans
from liftwave._plan.block_groups import analysis_groups, synthesis_groups
from liftwave._plan.blocks import BandLengths, SynthesisLevelOfAxis, stride_of
from liftwave._plan.levels import SynthesisPlan
from liftwave._typing import Array
from liftwave.dask.graph import analysis_arrays, bounds_of, synthesis_array
from liftwave.dask.tasks import Analysis, BandName, Synthesis, as_dtype, at_depth
from liftwave.errors import ArgumentTypeError, AxisError


def execute(call: Call) -> Any:
    """The result of a call on arrays of dask, in the structure that its function returns.

    Raises
    ------
    ArgumentTypeError, AxisError
        If the call is not that of a transform, has learned taps, or repeats an axis.
    LiftwaveError
        If the arrays do not fit the transform, as for arrays in memory.
    """
    operation, arrays = call.operation, list(call.arrays)
    every_level = isinstance(operation, EveryLevel)
    transform = operation.transform if isinstance(operation, EveryLevel) else operation
    if not isinstance(transform, Transform) or transform.is_transposed:
        raise ArgumentTypeError(
            f"the operation {operation.kind!r} does not support arrays of dask: pass x.compute(), "
            "or apply the function to chunks along batch axes by x.map_blocks"
        )
    _check(transform, arrays)
    if not transform.keys:
        return call.result.pack(arrays)
    if transform.is_synthesis:
        return call.result.pack([synthesised(transform, arrays)])
    return call.result.pack(analysed(transform, arrays[0], every_level=every_level))


def _check(transform: Transform, arrays: Sequence[Array]) -> None:
    if transform.holds_arrays or transform.n_slots:
        raise ArgumentTypeError(
            "taps that are arrays do not support arrays of dask: pass numbers as taps"
        )
    if not all(map(is_lazy, arrays)):
        kinds = sorted({type(x).__module__.split(".")[0] for x in arrays})
        raise ArgumentTypeError(
            f"all bands must be arrays of dask if one is, got arrays of {', '.join(kinds)}: "
            "convert them by dask.array.from_array"
        )
    axes = [axis.axis for axis in transform.axes]
    if len({*axes}) < len(axes):
        raise AxisError("an axis is transformed twice, which arrays of dask do not support")


def opened(transform: Transform, arrays: Sequence[da.Array]) -> list[Opened]:
    """The dtypes of the computation and the results, from arrays of one sample.

    Raises
    ------
    LiftwaveError
        If the shapes or dtypes do not fit the transform.
    """
    transform.plan_for(tuple([tuple(x.shape) for x in arrays]))
    samples = [np.zeros_like(x._meta, shape=(1,) * x.ndim) for x in arrays]
    return transform.open_checked(samples, never_native_half)


def meta_of(x: da.Array, dtype: Any) -> Array:
    """An empty array of the library and the number of dimensions of a result."""
    return np.zeros_like(x._meta, shape=(0,) * x.ndim).astype(dtype)


# --- analysis ------------------------------------------------------------------------------------


def analysed(
    transform: Transform, x: da.Array, *, every_level: bool = False, most_redundancy: Any = None
) -> list[da.Array]:
    """The bands of an analysis, in the order of the results of the operation."""
    plans, shared = shared_analysis(transform, x, every_level=every_level)
    options = {} if most_redundancy is None else {"most_redundancy": most_redundancy}
    groups = analysis_groups(x.shape, plans, transform.level, bounds_of(x), **options)
    bands: dict[BandName, da.Array] = {}
    for group in groups:
        is_last = group.depth + group.levels == transform.level
        part = replace(
            shared,
            plans=at_depth(plans, group.depth),
            levels=group.levels,
            approx=shared.details if is_last else shared.approx,
        )
        metas = {
            name: meta_of(x, part.details if "d" in name[1] else part.approx)
            for name in part.names
        }
        for (level, key), band in analysis_arrays(x, group, part, metas).items():
            bands[group.depth + level, key] = band
        x = bands[group.depth + group.levels - 1, "a" * len(plans)]
    names = ordered_names(transform.level, len(plans), every_level=every_level)
    ordered = [bands[name] for name in names]
    if every_level:
        return [as_dtype(band, shared.details) for band in ordered]
    return transform.select(ordered, _positions(names, transform.level))


def shared_analysis(
    transform: Transform, x: da.Array, *, every_level: bool = False
) -> tuple[AxisPlans, Analysis]:
    """The plans of the axes, and what all blocks share if one group has all levels."""
    (sample,) = opened(transform, [x])
    plans, result = transform.plans_for(x.ndim), sample.result_dtype
    compute = None if plans.is_integer else sample.array.dtype
    approx = result if compute is None else compute
    return plans, Analysis(
        plans, transform.level, every_level, compute, result, approx, result, result
    )


def ordered_names(level: int, naxes: int, *, every_level: bool) -> list[BandName]:
    """All bands in the order of the results, by level (0 is the finest) and key."""
    approx, names = "a" * naxes, []
    for depth in reversed(range(level)):
        if every_level or depth == level - 1:
            names.append((depth, approx))
        names += [(depth, key) for key in detail_keys(naxes)]
    return names


def _positions(names: Sequence[BandName], level: int) -> list[tuple[int, str]]:
    """The names of bands as transforms number them: level 0 is the coarsest."""
    return [(level - 1 - depth, key) for depth, key in names]


# --- synthesis -----------------------------------------------------------------------------------


def synthesised(transform: Transform, arrays: Sequence[da.Array]) -> da.Array:
    """The samples of a synthesis."""
    samples = opened(transform, arrays)
    ndim, compute, result = arrays[0].ndim, samples[0].array.dtype, samples[0].result_dtype
    plans = transform.plans_for(ndim)
    plan = transform.plan_for(tuple([tuple(x.shape) for x in arrays]))
    assert isinstance(plan, SynthesisPlan)
    bands = _named(transform, arrays)
    levels = _levels_of_axes(plan, plans)
    bounds = _bounds_of_levels(bands, plans, len(levels[0]), ndim)
    groups = synthesis_groups(plan.shape, plans, levels, bounds)
    x: da.Array | None = None
    for group in groups:
        of_group = {
            (level - group.depth, key): band
            for (level, key), band in bands.items()
            if 0 <= level - group.depth < group.levels and ("d" in key or x is None)
        }
        if x is not None:
            of_group[group.levels - 1, "a" * len(plans)] = x
        dtype = compute if group.depth else result
        shared = Synthesis(plans, group.depth, group.levels, compute, dtype)
        x = synthesis_array(of_group, group, shared, meta_of(arrays[0], dtype))
    assert x is not None
    return x


def _named(transform: Transform, arrays: Sequence[da.Array]) -> dict[BandName, da.Array]:
    """The bands by level (0 is the finest) and key."""
    last = transform.level - 1
    return {(last - k, key): x for (k, key), x in zip(transform.names, arrays, strict=True)}


def _levels_of_axes(
    plan: SynthesisPlan, plans: AxisPlans
) -> list[list[SynthesisLevelOfAxis]]:
    """The lengths of the levels along each transformed axis, finest first."""
    levels = [level for level in plan.levels if level.synthesis_steps]
    of_axes = []
    for number, axis in enumerate(each.axis for each in plans):
        n, of_axis = plan.shape[axis], []
        for level in reversed(levels):
            pairs = [shapes for key, _, shapes in level.synthesis_steps if len(key) == number]
            bands = BandLengths(*(shape[axis] for shape in pairs[0]))
            of_axis.append(SynthesisLevelOfAxis(bands, n))
            n = bands.approx
        of_axes.append(of_axis)
    return of_axes


def _bounds_of_levels(
    bands: dict[BandName, da.Array], plans: AxisPlans, count: int, ndim: int
) -> list[list[list[int]]]:
    """The bounds of the blocks of each level's result along each axis, finest level first."""
    strides = [1] * ndim
    for plan in plans:
        strides[plan.axis] = stride_of(plan)
    bounds: list[list[list[int]]] = []
    for level in reversed(range(count)):
        of_level = [x for (depth, _), x in bands.items() if depth == level]
        # (The details come after the approximation, whose chunks can be those of other blocks.)
        inner = bounds_of(of_level[-1]) if of_level else bounds[0]
        scaled = [[s * bound for bound in b] for s, b in zip(strides, inner, strict=True)]
        bounds.insert(0, scaled)
    return bounds
