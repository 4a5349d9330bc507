"""Groups of levels that blocks of an array compute together, as plain data.

Blocks that compute several levels read and write less, but read more of their neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import NamedTuple

from liftwave._plan.axes import AxisPlan
from liftwave._plan.blocks import (
    AnalysisBlock,
    Span,
    Spans,
    SynthesisBlock,
    SynthesisLevelOfAxis,
    analysis_blocks,
    synthesis_blocks,
)

MOST_REDUNDANCY = 1.25
"""The largest ratio of samples read to samples owned for levels that are computed together."""


def batch_blocks(n: int, bounds: Sequence[int], levels: int) -> list[AnalysisBlock]:
    """The blocks of an axis that is not transformed: its chunks, from samples to bands."""
    blocks = []
    for pair in pairwise([0, *bounds, n]):
        owned = Span(*pair)
        place, crop = Spans((owned,), (owned,)), Span(0, owned.length)
        crops = (Spans((crop,), (crop,)),) * levels
        blocks.append(AnalysisBlock(owned, (owned,), crops, (place,) * levels))
    return blocks


def batch_synthesis_blocks(n: int, bounds: Sequence[int], levels: int) -> list[SynthesisBlock]:
    """The blocks of an axis that is not transformed: its chunks, from bands to samples."""
    return [
        SynthesisBlock(block.owned, block.places, (block.crops[0].approx[0],) * levels)
        for block in batch_blocks(n, bounds, levels)
    ]


class AnalysisGroup(NamedTuple):
    """Levels that blocks compute together, from samples to bands.

    Attributes
    ----------
    depth : int
        The number of levels before.
    levels : int
        The number of levels.
    axes : tuple of list of AnalysisBlock
        The blocks of each axis of the array, also of those that are not transformed.
    """

    depth: int
    levels: int
    axes: tuple[list[AnalysisBlock], ...]

    @property
    def grid(self) -> tuple[int, ...]:
        """The number of blocks along each axis."""
        return tuple(map(len, self.axes))

    @property
    def redundancy(self) -> float:
        """The average number of times that each sample is read."""
        return prod(
            sum(span.length for block in blocks for span in block.reads)
            / max(1, blocks[-1].owned.stop)
            for blocks in self.axes
        )


class SynthesisGroup(NamedTuple):
    """Levels that blocks compute together, from bands to samples; ``depth`` finer ones follow."""

    depth: int
    levels: int
    axes: tuple[list[SynthesisBlock], ...]

    @property
    def grid(self) -> tuple[int, ...]:
        """The number of blocks along each axis."""
        return tuple(map(len, self.axes))

    @property
    def redundancy(self) -> float:
        """The average number of times that each coefficient of the coarsest level is read."""
        return prod(_redundancy(blocks) for blocks in self.axes)


def _redundancy(blocks: Sequence[SynthesisBlock]) -> float:
    read = sum(span.length for block in blocks for span in block.reads[-1].approx)
    present = max(span.stop for block in blocks for span in block.reads[-1].approx)
    return read / max(1, present)


def analysis_groups(
    shape: Sequence[int],
    plans: Sequence[AxisPlan],
    level: int,
    bounds: Sequence[Sequence[int]],
    most_redundancy: float = MOST_REDUNDANCY,
    whole_below: int = 0,
) -> list[AnalysisGroup]:
    """The levels of an analysis, in groups that blocks compute together, finest first.

    ``bounds`` are those between chunks along each axis. An approximation of at most ``whole_below``
    samples is one block.
    """
    groups: list[AnalysisGroup] = []
    depth, shape, bounds = 0, list(shape), list(bounds)
    while depth < level:
        if depth and prod(shape) <= whole_below:
            bounds = [()] * len(shape)
        for levels in range(level - depth, 0, -1):
            group = _analysis_group(shape, plans, depth, levels, bounds)
            if group and (levels == 1 or group.redundancy <= most_redundancy):
                break
        assert group is not None  # one level is always possible
        groups.append(group)
        depth += group.levels
        for axis, blocks in enumerate(group.axes):
            ends = [block.places[-1].approx[0].stop for block in blocks]
            shape[axis], bounds[axis] = ends[-1], ends[:-1]
    return groups


def _analysis_group(
    shape: Sequence[int],
    plans: Sequence[AxisPlan],
    depth: int,
    levels: int,
    bounds: Sequence[Sequence[int]],
) -> AnalysisGroup | None:
    axes = [batch_blocks(n, b, levels) for n, b in zip(shape, bounds, strict=True)]
    for plan in plans:
        blocks = analysis_blocks(shape[plan.axis], plan, levels, depth, bounds[plan.axis])
        if blocks is None:
            return None
        axes[plan.axis] = blocks
    return AnalysisGroup(depth, levels, tuple(axes))


def synthesis_groups(
    shape: Sequence[int],
    plans: Sequence[AxisPlan],
    levels: Sequence[Sequence[SynthesisLevelOfAxis]],
    bounds: Sequence[Sequence[Sequence[int]]],
    most_redundancy: float = MOST_REDUNDANCY,
    whole_below: int = 0,
) -> list[SynthesisGroup]:
    """The levels of a synthesis, in groups that blocks compute together, coarsest first.

    Parameters
    ----------
    shape : sequence of int
        The shape of the result.
    plans : sequence of AxisPlan
        The transformed axes.
    levels : sequence of sequence of SynthesisLevelOfAxis
        For each transformed axis its levels, finest first.
    bounds : sequence of sequence of sequence of int
        For each level, finest first, the bounds of the blocks of its result along each axis.
    most_redundancy : float
        The largest number of times that coefficients of the coarsest level of a group are read.
    whole_below : int
        The largest number of samples of an approximation that is one block.
    """
    groups: list[SynthesisGroup] = []
    remaining = len(bounds)
    while remaining:
        for count in range(remaining, 0, -1):
            depth = remaining - count
            is_small = depth and _size(shape, plans, levels, depth) <= whole_below
            of_group = [()] * len(shape) if is_small else bounds[depth]
            group = _synthesis_group(shape, plans, levels, depth, count, of_group)
            if group and (count == 1 or group.redundancy <= most_redundancy):
                break
        assert group is not None  # one level is always possible
        groups.append(group)
        remaining = group.depth
    return groups


def _size(
    shape: Sequence[int],
    plans: Sequence[AxisPlan],
    levels: Sequence[Sequence[SynthesisLevelOfAxis]],
    depth: int,
) -> int:
    """The number of samples of the result of a level."""
    lengths = list(shape)
    for plan, of_axis in zip(plans, levels, strict=True):
        lengths[plan.axis] = of_axis[depth].n
    return prod(lengths)


def _synthesis_group(
    shape: Sequence[int],
    plans: Sequence[AxisPlan],
    levels: Sequence[Sequence[SynthesisLevelOfAxis]],
    depth: int,
    count: int,
    bounds: Sequence[Sequence[int]],
) -> SynthesisGroup | None:
    axes = [batch_synthesis_blocks(n, b, count) for n, b in zip(shape, bounds, strict=True)]
    for plan, of_axis in zip(plans, levels, strict=True):
        part = of_axis[depth : depth + count]
        blocks = synthesis_blocks(plan, part, depth, bounds[plan.axis])
        if blocks is None:
            return None
        axes[plan.axis] = blocks
    return SynthesisGroup(depth, count, tuple(axes))
