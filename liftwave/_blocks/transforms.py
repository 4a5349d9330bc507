"""The blocks of a transform of an array that is not in memory, from its shape and dtype.

An array is described by its shape and by a *sample*: an empty array of the library and the dtype.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from liftwave._arrays.convert import Opened, never_native_half
from liftwave._blocks.tasks import Analysis, BandName, Synthesis, at_depth, sample_of
from liftwave._operations.planned_transform import detail_keys
from liftwave._operations.transform import Transform
from liftwave._plan.axes import AxisPlans
from liftwave._plan.block_groups import (
    MOST_REDUNDANCY,
    AnalysisGroup,
    SynthesisGroup,
    analysis_groups,
    synthesis_groups,
)
from liftwave._plan.blocks import BandLengths, SynthesisLevelOfAxis, stride_of
from liftwave._plan.levels import SynthesisPlan
from liftwave._typing import Array
from liftwave.errors import ArgumentTypeError, AxisError

WHOLE_BELOW = 2**20
"""The largest number of samples of an approximation that is one block, to save tasks."""

Shape = tuple[int, ...]
Bounds = Sequence[Sequence[int]]
"""The bounds between the chunks of each axis."""


def check_transform(transform: Transform) -> None:
    """Raise unless blocks can compute the transform.

    Raises
    ------
    ArgumentTypeError, AxisError
        If its taps are arrays, or it transforms an axis twice.
    """
    if transform.holds_arrays or transform.n_slots:
        raise ArgumentTypeError(
            "blocks need taps that are numbers, got taps that are arrays: convert them to numbers"
        )
    axes = [axis.axis for axis in transform.axes]
    if len({*axes}) < len(axes):
        raise AxisError("blocks cannot transform an axis twice")


def opened(transform: Transform, shapes: Sequence[Shape], samples: Sequence[Array]) -> list[Opened]:
    """The dtypes of the computation and of the results.

    Raises
    ------
    LiftwaveError
        If the shapes or dtypes do not fit the transform.
    """
    transform.plan_for(tuple(shapes))
    ones = [sample_of(x, len(shape)) for x, shape in zip(samples, shapes, strict=True)]
    return transform.open_checked(ones, never_native_half)


# --- analysis ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class AnalysisBlocks:
    """The blocks of an analysis.

    Attributes
    ----------
    groups : list of (AnalysisGroup, Analysis)
        The levels that are computed together, finest first, and the data that their blocks share.
    plans : AxisPlans
        The transformed axes.
    level : int
        The number of levels.
    dtype : dtype
        The dtype of the results.
    every_level : bool
        Whether the approximations of all levels are results.
    """

    groups: list[tuple[AnalysisGroup, Analysis]]
    plans: AxisPlans
    level: int
    dtype: Any
    every_level: bool

    @property
    def names(self) -> list[BandName]:
        """All bands in the order of the results, by level (0 is the finest) and key."""
        approx, names = "a" * len(self.plans), list[BandName]()
        for depth in reversed(range(self.level)):
            if self.every_level or depth == self.level - 1:
                names.append((depth, approx))
            names += [(depth, key) for key in detail_keys(len(self.plans))]
        return names


def analysis_in_blocks(
    transform: Transform,
    shape: Shape,
    sample: Array,
    bounds: Bounds,
    *,
    every_level: bool = False,
    most_redundancy: float = MOST_REDUNDANCY,
) -> AnalysisBlocks:
    """The blocks of an analysis of an array with these bounds between its chunks.

    Raises
    ------
    LiftwaveError
        If the array does not fit the transform, or blocks cannot compute it.
    """
    check_transform(transform)
    (data,) = opened(transform, [shape], [sample])
    plans, result = transform.plans_for(len(shape)), data.result_dtype
    compute = None if plans.is_integer else data.array.dtype
    inner = result if compute is None else compute
    arguments = shape, plans, transform.level, bounds
    groups = []
    for group in analysis_groups(*arguments, most_redundancy, WHOLE_BELOW):
        is_last = group.depth + group.levels == transform.level
        approx = result if is_last else inner
        of_group = at_depth(plans, group.depth)
        shared = Analysis(of_group, group.levels, every_level, compute, result, approx, result)
        groups.append((group, shared))
    return AnalysisBlocks(groups, plans, transform.level, result, every_level)


# --- synthesis -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SynthesisBlocks:
    """The blocks of a synthesis.

    Attributes
    ----------
    groups : list of (SynthesisGroup, Synthesis)
        The levels that are computed together, coarsest first, and the data that their blocks share.
    plans : AxisPlans
        The transformed axes.
    shape : tuple of int
        The shape of the result.
    """

    groups: list[tuple[SynthesisGroup, Synthesis]]
    plans: AxisPlans
    shape: Shape


def synthesis_in_blocks(
    transform: Transform,
    shapes: Sequence[Shape],
    samples: Sequence[Array],
    bounds: Mapping[BandName, Bounds],
    *,
    most_redundancy: float = MOST_REDUNDANCY,
) -> SynthesisBlocks:
    """The blocks of a synthesis from bands with these bounds between their chunks.

    Raises
    ------
    LiftwaveError
        If the bands do not fit together, or blocks cannot compute the transform.
    """
    check_transform(transform)
    first = opened(transform, shapes, samples)[0]
    plans, plan = transform.plans_for(len(shapes[0])), transform.plan_for(tuple(shapes))
    assert isinstance(plan, SynthesisPlan)
    levels = _levels_of_axes(plan, plans)
    of_levels = _bounds_of_levels(bounds, plans, len(levels[0]), len(plan.shape))
    shared = Synthesis(plans, 0, 0, first.array.dtype, first.result_dtype)
    groups = [
        (group, _shared_by(group, shared))
        for group in synthesis_groups(
            *(plan.shape, plans, levels, of_levels, most_redundancy, WHOLE_BELOW)
        )
    ]
    return SynthesisBlocks(groups, plans, tuple(plan.shape))


def _shared_by(group: SynthesisGroup, shared: Synthesis) -> Synthesis:
    """The data that the blocks of a group share. Inner groups return the dtype of computation."""
    dtype = shared.compute if group.depth else shared.result
    return replace(shared, depth=group.depth, levels=group.levels, result=dtype)


def names_of(transform: Transform) -> list[BandName]:
    """The names of the bands of a transform, by level (0 is the finest) and key."""
    return [(transform.level - 1 - k, key) for k, key in transform.names]


def _levels_of_axes(plan: SynthesisPlan, plans: AxisPlans) -> list[list[SynthesisLevelOfAxis]]:
    """The lengths of the levels along each transformed axis, finest first."""
    levels = [level for level in plan.levels if level.synthesis_steps]
    of_axes = []
    for number, axis in enumerate(axis_plan.axis for axis_plan in plans):
        n, of_axis = plan.shape[axis], []
        for level in reversed(levels):
            pairs = [shapes for key, _, shapes in level.synthesis_steps if len(key) == number]
            bands = BandLengths(*(shape[axis] for shape in pairs[0]))
            of_axis.append(SynthesisLevelOfAxis(bands, n))
            n = bands.approx
        of_axes.append(of_axis)
    return of_axes


def _bounds_of_levels(
    bounds: Mapping[BandName, Bounds], plans: AxisPlans, count: int, ndim: int
) -> list[list[list[int]]]:
    """The bounds of the blocks of each level's result along each axis, finest level first."""
    strides = [1] * ndim
    for plan in plans:
        strides[plan.axis] = stride_of(plan)
    of_levels: list[list[list[int]]] = []
    for level in reversed(range(count)):
        present = [b for (depth, _), b in bounds.items() if depth == level]
        # (Details come after the approximation, whose chunks can be larger.)
        inner = present[-1] if present else of_levels[0]
        scaled = [[s * bound for bound in b] for s, b in zip(strides, inner, strict=True)]
        of_levels.insert(0, scaled)
    return of_levels
