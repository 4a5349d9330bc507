"""Executes the calls of transforms on arrays of dask: builds a graph, and computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import dask.array as da

from liftwave._arrays.convert import Opened, namespace_of, open_arrays
from liftwave._arrays.integers import open_integer_coefficients, open_integer_samples
from liftwave._arrays.lazy import is_lazy
from liftwave._blocks.tasks import BandName, as_dtype, sample_of
from liftwave._blocks.transforms import analysis_in_blocks, names_of, synthesis_in_blocks
from liftwave._operations.call import Call
from liftwave._operations.every_level import EveryLevel
from liftwave._operations.transform import Transform
from liftwave._plan.axes import AxisPlans
from liftwave._typing import Array
from liftwave.dask.graph import analysis_arrays, bounds_of, synthesis_array
from liftwave.errors import ArgumentTypeError, warn

MOST_BLOCKS = 50_000
"""The largest number of blocks without a warning."""


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
    _check_library(arrays)
    if not transform.keys:
        return call.result.pack(arrays)
    if transform.is_synthesis:
        return call.result.pack([synthesised(transform, arrays)])
    return call.result.pack(analysed(transform, arrays[0], every_level=every_level))


def _check_library(arrays: Sequence[Array]) -> None:
    if not all(map(is_lazy, arrays)):
        kinds = sorted({type(x).__module__.split(".")[0] for x in arrays})
        raise ArgumentTypeError(
            f"all bands must be arrays of dask if one is, got arrays of {', '.join(kinds)}: "
            "convert the others by dask.array.from_array"
        )


def shape_of(x: da.Array) -> tuple[int, ...]:
    """The shape as integers of Python."""
    return tuple(map(int, x.shape))


def analysed(transform: Transform, x: da.Array, *, every_level: bool = False) -> list[da.Array]:
    """The bands of an analysis, in the order of the results of the operation."""
    blocks = analysis_in_blocks(
        transform, shape_of(x), x._meta, bounds_of(x), every_level=every_level
    )
    _warn_of_blocks(max(prod(group.grid) for group, _ in blocks.groups))
    approx, source = "a" * len(blocks.plans), x
    bands: dict[BandName, da.Array] = {}
    for group, shared in blocks.groups:
        for (level, key), band in analysis_arrays(source, group, shared).items():
            bands[group.depth + level, key] = band
        source = bands[group.depth + group.levels - 1, approx]
    if every_level:
        return [as_dtype(bands[name], blocks.dtype) for name in blocks.names]
    return [bands[name] for name in names_of(transform)]


def _warn_of_blocks(count: int) -> None:
    """Warn of graphs that take longer than the transform."""
    if count > MOST_BLOCKS:
        warn(
            f"the graph has {count} blocks, and the scheduler needs about a millisecond for each: "
            "merge chunks by x.rechunk to about 16 to 64 MB",
            da.PerformanceWarning,
        )


def synthesised(transform: Transform, arrays: Sequence[da.Array]) -> da.Array:
    """The samples of a synthesis."""
    bands = dict(zip(names_of(transform), arrays, strict=True))
    blocks = synthesis_in_blocks(
        transform,
        [shape_of(x) for x in arrays],
        [x._meta for x in arrays],
        {name: bounds_of(x) for name, x in bands.items()},
    )
    approx, x = "a" * len(blocks.plans), None
    for group, shared in blocks.groups:
        of_group = {
            (level - group.depth, key): band
            for (level, key), band in bands.items()
            if 0 <= level - group.depth < group.levels
        }
        if x is not None:
            of_group[group.levels - 1, approx] = x
        x = synthesis_array(of_group, group, shared)
    assert x is not None
    return x


# --- dtypes of fully separable transforms --------------------------------------------------------


def open_samples(x: da.Array, plans: AxisPlans, level: int) -> Opened:
    """The data of a fully separable transform, and the dtype of its result."""
    sample = sample_of(x._meta, x.ndim)
    opened = (
        open_integer_samples(sample, plans, level) if plans.is_integer else open_arrays([sample])[0]
    )
    return Opened(as_dtype(x, opened.array.dtype), namespace_of(x), opened.result_dtype)


def open_coefficients(coeffs: da.Array, plans: AxisPlans) -> Opened:
    """The coefficients of a fully separable transform, and the dtype of its inverse."""
    sample = sample_of(coeffs._meta, coeffs.ndim)
    (opened,) = open_integer_coefficients([sample]) if plans.is_integer else open_arrays([sample])
    return Opened(as_dtype(coeffs, opened.array.dtype), namespace_of(coeffs), opened.result_dtype)
