"""Reports about transforms of arrays of dask: blocks, margins, tasks, memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import dask.array as da
import numpy as np

from liftwave._arrays.lazy import check_lazy, is_lazy
from liftwave._blocks.tasks import Analysis
from liftwave._blocks.transforms import analysis_in_blocks
from liftwave._operations.transform import Transform
from liftwave._plan.block_groups import AnalysisGroup
from liftwave._typing import Modes
from liftwave.dask.graph import bounds_of
from liftwave.dask.transforms import shape_of
from liftwave.errors import ArgumentTypeError
from liftwave.transforms import calls
from liftwave.wavelets.resolve import Wavelets

# The blocks that the scheduler keeps for each block of a row: of the source, and of the bands.
_KEPT = 4
_THREADS = 4


@dataclass(frozen=True, eq=False)
class GroupReport:
    """Levels that blocks compute together.

    Attributes
    ----------
    levels : tuple of int
        The numbers of the levels; 1 is the finest.
    blocks : tuple of int
        The number of blocks along each axis.
    largest : tuple of int
        The lengths of the largest block along each axis, with its margins.
    margins : tuple of (int, int)
        The most samples that a block reads before and after those it owns, along each axis.
    redundancy : float
        The average number of times that each sample is read.
    tasks : int
        The number of tasks: one per block, and one per block and band.
    """

    levels: tuple[int, ...]
    blocks: tuple[int, ...]
    largest: tuple[int, ...]
    margins: tuple[tuple[int, int], ...]
    redundancy: float
    tasks: int

    def __str__(self) -> str:
        first, last = self.levels[0], self.levels[-1]
        levels = f"level {first}" if first == last else f"levels {first} to {last}"
        return (
            f"{levels}: {_times(self.blocks)} blocks of at most {_times(self.largest)} samples, "
            f"margins {', '.join(f'{a}+{b}' for a, b in self.margins)}, "
            f"{self.redundancy:.2f} reads per sample, {self.tasks} tasks"
        )


@dataclass(frozen=True, eq=False)
class Report:
    """The blocks of an analysis, as :func:`liftwave.dask.plan` returns them.

    Attributes
    ----------
    groups : tuple of GroupReport
        The levels that blocks compute together, finest first.
    tasks : int
        The number of tasks in the graph, without those of the source.
    expected_peak : int
        The approximate number of bytes in memory while the graph is computed: the blocks of one
        row of the grid, which the scheduler keeps for their neighbours.
    """

    groups: tuple[GroupReport, ...]
    tasks: int
    expected_peak: int

    def __str__(self) -> str:
        peak = f"{self.tasks} tasks, about {self.expected_peak / 1e6:.0f} MB in memory"
        return "\n".join([*map(str, self.groups), peak])


def plan(
    x: da.Array,
    wavelet: Wavelets,
    level: int | None = None,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = None,
) -> Report:
    """Describe the blocks in which :func:`liftwave.decompose` computes an array of dask.

    Parameters
    ----------
    x : dask.array.Array
        The data. Nothing is computed.
    wavelet, level, mode, axes
        As for :func:`liftwave.decompose`.

    Returns
    -------
    Report
        Its text lists, for each group of levels that blocks compute together, the blocks, their
        margins and how often samples are read; then the number of tasks and the expected memory.

    Raises
    ------
    ArgumentTypeError
        If ``x`` is not an array of dask.
    ValueError, TypeError
        As for :func:`liftwave.decompose`.

    Examples
    --------
    >>> import dask.array as da
    >>> import liftwave.dask
    >>> x = da.zeros((4096, 4096), chunks=1024, dtype="float32")
    >>> print(liftwave.dask.plan(x, "bior4.4", 1))
    level 1: 4 x 4 blocks of at most 1032 x 1032 samples, margins 8+0, 8+0, 1.01 reads per \
sample, 80 tasks
    80 tasks, about 68 MB in memory
    """
    if not is_lazy(x):
        raise ArgumentTypeError(f"plan needs an array of dask, got a {type(x).__name__}")
    check_lazy(x)
    call = calls.decompose(x, wavelet, mode, level, axes)
    transform = call.operation
    assert isinstance(transform, Transform)
    if not transform.keys:
        return Report((), 0, 0)
    blocks = analysis_in_blocks(transform, shape_of(x), x._meta, bounds_of(x))
    groups = tuple(_group_report(group, shared) for group, shared in blocks.groups)
    size = max(x.dtype.itemsize, np.dtype(blocks.dtype).itemsize)
    return Report(groups, sum(group.tasks for group in groups), _expected_peak(groups[0], size))


def _group_report(group: AnalysisGroup, shared: Analysis) -> GroupReport:
    reads = [[sum(span.length for span in b.reads) for b in blocks] for blocks in group.axes]
    margins = [[block.margins for block in blocks] for blocks in group.axes]
    return GroupReport(
        levels=tuple(range(group.depth + 1, group.depth + group.levels + 1)),
        blocks=group.grid,
        largest=tuple(map(max, reads)),
        margins=tuple((max(m.before for m in of), max(m.after for m in of)) for of in margins),
        redundancy=group.redundancy,
        tasks=prod(group.grid) * (1 + len(shared.names)),
    )


def _expected_peak(group: GroupReport, size: int) -> int:
    """The memory of the blocks of one row of the grid, or of those that threads compute."""
    row = prod(group.blocks) // max(group.blocks[0], 1)
    return _KEPT * prod(group.largest) * size * max(row, _THREADS)


def _times(numbers: Sequence[int]) -> str:
    return " x ".join(map(str, numbers))
