"""The work of CUDA kernels that change a tile in shared memory: lifting, lifting pooling.

The machine code does not say how often a loop runs. The launch says it: the numbers that a tile
loads and changes, for each number that it stores. The cost of a change comes from the loops that
write shared memory. What a thread computes once for several lines is not counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from benchmarks.machine_code import Cost, Instruction, Loop, common_path, loops

RUN = 4
"""Numbers that a thread of lifting pooling changes at a time: ``run_length`` of its steps."""


class Changes(NamedTuple):
    """The numbers loaded for each stored one, and those changed, by the taps of a change.

    0 taps: those of lifting pooling, whose loops change ``RUN`` numbers at a time.
    """

    loaded: float
    changed: tuple[tuple[int, float], ...]


def changes_of(launch: Any) -> Changes | None:
    """The changes of a launch; None if its kernel does not change a tile."""
    name = re.findall(r"::(\w+)", launch.kernel.expression)[0]
    changes = _KERNELS.get(name)
    return None if changes is None else changes(launch.arguments)


def _of_lifting(arguments: Any) -> Changes:
    axes = list(arguments.axis)
    overheads = [_overhead(axis, (axis.padded + 1) // 2 if axis.steps else axis.n) for axis in axes]
    # The first axis is lifted on all lines of the tile, the other one on the tile's own lines.
    first = 1 if arguments.columns_first else 0
    changed = []
    for k, axis in enumerate(axes):
        lines = overheads[1 - k] if k == first else 1.0
        for step in arguments.steps.step[axis.first : axis.first + axis.steps]:
            changed.append((step.length, overheads[k] * lines / 2))
    return Changes(overheads[0] * overheads[1], tuple(changed))


def _of_whole_lifting(arguments: Any) -> Changes:
    axes = list(arguments.axis)
    steps = sum(axis.steps for axis in axes)
    overhead = _overhead(axes[0], axes[0].n) * _overhead(axes[1], axes[1].n)
    # Both channels have as many samples as the signal.
    lengths = [step.length for step in arguments.steps.step[:steps]]
    return Changes(overhead, tuple((length, overhead / 2) for length in lengths))


def _overhead(axis: Any, size: int) -> float:
    """Places of all tiles along an axis, for each one of the axis."""
    return max(1.0, float(axis.tiles * axis.room / max(size, 1)))


def _of_pooling(arguments: Any) -> Changes:
    overhead, axes = _overhead_of_pooling(arguments.job)
    # Along each axis, the first step changes one half of the numbers, the second the other half.
    return Changes(overhead, ((0, axes * overhead),))


def _of_pooling_back(arguments: Any) -> Changes:
    """Every step is computed again, and pulled back: the ReLU's cotangent, then its source's.

    With values of the outputs, each step is undone while it is pulled back. Otherwise they are
    computed from the inputs up to the last step of each axis.
    """
    overhead, axes = _overhead_of_pooling(arguments.job)
    again = 0.0 if arguments.from_outputs else axes * axes - axes / 2
    loaded = 2.0 if arguments.from_outputs else 1.0 + axes
    return Changes(loaded * overhead, ((0, (again + 2 * axes) * overhead),))


def _overhead_of_pooling(job: Any) -> tuple[float, int]:
    overhead, axes = 1.0, 0
    for axis in (job.rows, job.cols):
        if axis.split:
            axes += 1
            overhead *= 1 + (2 * job.halo / axis.tile if axis.tiles > 1 else 0)
    return overhead, axes


_KERNELS: dict[str, Callable[[Any], Changes]] = {
    "lift_analysis": _of_lifting,
    "lift_synthesis": _of_lifting,
    "whole_analysis": _of_whole_lifting,
    "whole_synthesis": _of_whole_lifting,
    "lift_pool": _of_pooling,
    "lift_pool_back": _of_pooling_back,
}


# --- the cost of changes -------------------------------------------------------------------------


def costs_of_changes(code: list[Instruction], taps: int) -> tuple[float, float] | None:
    """The least instructions, and words of shared memory, of a change; None if no loop has it."""
    costs = [cost for cost in map(_Change(code, taps).cost, _changing(code)) if cost is not None]
    return min(costs, default=None)


def _changing(code: list[Instruction]) -> Iterator[Loop]:
    """The innermost loops that write shared memory and do not access global memory."""
    chosen: list[Loop] = []
    for loop in loops(code):
        names = {i.name.split(".")[0] for i in code[loop.first : loop.last + 1]}
        inside = any(loop.first <= c.first and c.last <= loop.last for c in chosen)
        if {"LDS", "STS"} <= names and not names & {"LDG", "STG"} and not inside:
            chosen.append(loop)
            yield loop


class _Change(NamedTuple):
    code: list[Instruction]
    taps: int

    def cost(self, loop: Loop) -> tuple[float, float] | None:
        """The cost of each change of a loop; None if the loop has another number of taps."""
        path = common_path(self.code, loop, Cost.rank_of_change)
        if path is None or not path.changed:
            return None
        per_change = path.instructions / path.changed, path.shared / path.changed
        tap_loop = next((other for other in loops(self.code) if self._reads_in(other, loop)), None)
        of_tap = tap_loop and common_path(self.code, tap_loop, Cost.rank_of_reads)
        if of_tap:  # the path passes the loop over taps at most once
            once = path.shared > 2 * path.changed
            more = self.taps - once
            return per_change[0] + more * of_tap.instructions, per_change[1] + more * of_tap.shared
        if not self.taps:
            return per_change if path.changed >= RUN else None
        # The target is read and written, and each tap reads a number.
        if path.shared != (self.taps + 2) * path.changed:
            return None
        return per_change

    def _reads_in(self, loop: Loop, outer: Loop) -> bool:
        names = {i.name.split(".")[0] for i in self.code[loop.first : loop.last + 1]}
        return (
            loop != outer
            and outer.first <= loop.first <= loop.last <= outer.last
            and ("LDS" in names)
        )
