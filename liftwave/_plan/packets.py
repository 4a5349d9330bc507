"""The nodes of wavelet packets that a transform computes, as data.

Nodes of a level have natural indices. For one axis, ``a`` is 0 and ``d`` is 1, and the first letter
of the path is the most significant digit. For several axes, the digits are the places of the keys
of :func:`dwtn` in their order.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from liftwave._plan.levels import AnalysisLevel, Shape, SynthesisLevel

Nodes: TypeAlias = tuple[int, ...]
"""Natural indices of nodes of one level."""


class Selection(NamedTuple):
    """Some nodes of a block, and their places in it; ``None`` for all nodes in order."""

    nodes: Nodes
    places: Nodes | None


@dataclass(frozen=True)
class PacketNodes:
    """The nodes that are split, and the nodes that are results.

    Attributes
    ----------
    width : int
        The number of subnodes of a node: 2 to the power of the number of axes.
    splits : tuple of tuple of int
        For each level but the last, the nodes that are split, in their order in memory.
    results : tuple of tuple of int
        For each level, the nodes that are results, in the order of the results.
    selections : dict
        Selections of nodes, which were already computed.
    """

    width: int
    splits: tuple[Nodes, ...]
    results: tuple[Nodes, ...]
    selections: dict[tuple[int, Nodes], tuple[Selection, Selection]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def depth(self) -> int:
        """The number of levels below the root."""
        return len(self.splits)

    @cached_property
    def computed(self) -> tuple[Nodes, ...]:
        """For each level, the nodes that are computed, in their order in memory."""
        return ((0,), *(subnodes(split, self.width) for split in self.splits))

    def selected(self, level: int, block: Nodes) -> tuple[Selection, Selection]:
        """The nodes of a block that are results, and those that are split."""
        key = level, block
        selection = self.selections.get(key)
        if selection is None:
            split = set(self.splits[level]) if level < self.depth else ()
            selection = _selection(block, set(self.results[level])), _selection(block, split)
            self.selections[key] = selection
        return selection


@dataclass(frozen=True, eq=False, repr=False)
class PacketPlan:
    """All levels of packets of one shape.

    Attributes
    ----------
    levels : tuple of AnalysisLevel or SynthesisLevel
        The split of a node of each level but the last, or its synthesis.
    nodes : PacketNodes
        The nodes.
    shape : tuple of int
        The shape of the root.
    shapes : tuple of tuple of int
        The shape of the array of each level that has results.
    native : dict
        The native plan of each family of kernels.
    """

    levels: tuple[AnalysisLevel | SynthesisLevel, ...]
    nodes: PacketNodes
    shape: Shape
    shapes: tuple[Shape, ...]
    native: dict[Any, Any] = field(default_factory=dict)


def _selection(block: Nodes, used: Container[int]) -> Selection:
    places = tuple(place for place, node in enumerate(block) if node in used)
    if len(places) == len(block):
        return Selection(block, None)
    return Selection(tuple(block[place] for place in places), places)


def subnodes(split: Nodes, width: int) -> Nodes:
    """The subnodes of nodes: the first ones of all nodes come before the second ones."""
    return tuple(width * node + c for c in range(width) for node in split)


def complete_nodes(width: int, depth: int, results: Sequence[Nodes]) -> PacketNodes:
    """All nodes of ``depth`` levels."""
    return packet_nodes(width, [range(width**level) for level in range(depth)], results)


def packet_nodes(
    width: int, splits: Sequence[Container[int]], results: Sequence[Nodes]
) -> PacketNodes:
    """The nodes for these splits, which are put into their order in memory."""
    computed: Nodes = (0,)
    ordered = []
    for split in splits:
        ordered.append(tuple(node for node in computed if node in split))
        computed = subnodes(ordered[-1], width)
    return PacketNodes(width, tuple(ordered), tuple(results))
