"""All levels of wavelet packets by the compiled kernels, in one call of the module."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

import liftwave._cpu as _cpu
from liftwave._kernels.cpu.circular import circular_level
from liftwave._kernels.cpu.filters import NAME, analysis_axis
from liftwave._kernels.cpu.levels import (
    circular_synthesis_level,
    filter_level,
    fused_axes,
)
from liftwave._kernels.cpu.memory import (
    all_like,
    allocation,
    is_floating,
    level_memory,
    memory,
    with_copies,
)
from liftwave._plan.levels import AnalysisLevel, Shape, SynthesisLevel
from liftwave._plan.packets import PacketNodes, PacketPlan
from liftwave._typing import Array

_Native: TypeAlias = (
    _cpu.PacketAnalysis
    | _cpu.PacketSynthesis
    | _cpu.CircularPacketAnalysis
    | _cpu.CircularPacketSynthesis
)


class NativePackets:
    """Runs a native object of packets on NumPy arrays and torch tensors.

    Parameters
    ----------
    native : PacketAnalysis, PacketSynthesis, or the circular ones
        The native object.
    shapes : sequence of tuple of int
        The shapes of its inputs.
    """

    def __init__(self, native: _Native, shapes: Sequence[Shape]) -> None:
        self._results, self._shapes = native.results, list(shapes)

    def __call__(self, arrays: Sequence[Array]) -> list[Array] | None:
        """The results; ``None`` for arrays of other shapes, or that the module does not read."""
        results = self._results(arrays)
        if results is not None or not self._are_readable(arrays):
            return results
        return all_like(arrays[0], with_copies(self._results, list(map(memory, arrays))))

    def _are_readable(self, arrays: Sequence[Array]) -> bool:
        if [tuple(x.shape) for x in arrays] != self._shapes:
            return False
        same = all(x.dtype == arrays[0].dtype for x in arrays)
        return same and all(map(is_floating, arrays))


def native_packets(plan: PacketPlan) -> NativePackets | None:
    """The function that runs a plan; None if one native call does not run all levels."""
    if NAME not in plan.native:
        plan.native[NAME] = _new(plan)
    native: NativePackets | None = plan.native[NAME]
    return native


def _new(plan: PacketPlan) -> NativePackets | None:
    is_synthesis = isinstance(plan.levels[0], SynthesisLevel)
    levels = [_axes(level) for level in plan.levels]
    if None not in levels:
        kind: Any = _cpu.PacketSynthesis if is_synthesis else _cpu.PacketAnalysis
    else:
        levels = [_circular_axes(level) for level in plan.levels]
        if None in levels:
            return None
        kind = _cpu.CircularPacketSynthesis if is_synthesis else _cpu.CircularPacketAnalysis
    nodes = _native_nodes(plan.nodes)
    if is_synthesis:
        shape = plan.levels[0].shape
        synthesis = kind(levels, nodes, shape, allocation(prod(shape)), plan.shapes)
        return NativePackets(synthesis, plan.shapes)
    analysis = kind(levels, nodes, level_memory(plan.shapes), [plan.shape])
    return NativePackets(analysis, [plan.shape])


def _axes(level: AnalysisLevel | SynthesisLevel) -> list[Any] | None:
    """The native axes of a level of filter banks."""
    if isinstance(level, SynthesisLevel):
        arguments = filter_level(level)
        return None if arguments is None else arguments[0]
    steps = fused_axes(level.analysis_steps, level.shape)
    return None if steps is None else [analysis_axis(*step) for step in steps]


def _circular_axes(level: AnalysisLevel | SynthesisLevel) -> Any:
    """The native axes of a level of filter banks without downsampling."""
    if isinstance(level, SynthesisLevel):
        return circular_synthesis_level(level)
    return circular_level(level.analysis_steps)


def _native_nodes(nodes: PacketNodes) -> list[tuple[int, int, int]]:
    """Level, place among the results of its level, and first child of each node; -1 for none."""
    places = [{node: k for k, node in enumerate(results)} for results in nodes.results]
    splits = [*map(set, nodes.splits), set()]
    numbered: list[tuple[int, int, int]] = []
    level: list[int] = [0]
    for depth, split in enumerate(splits):
        next_child = len(numbered) + len(level)
        below: list[int] = []
        for node in level:
            children = next_child + len(below) if node in split else -1
            numbered.append((depth, places[depth].get(node, -1), children))
            if node in split:
                below += range(nodes.width * node, nodes.width * (node + 1))
        level = below
    return numbered
