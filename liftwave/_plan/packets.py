"""The nodes of wavelet packets that a transform computes, as data.

Nodes of a level have natural indices. For one axis, ``a`` is 0 and ``d`` is 1, and the first letter
of the path is the most significant digit. For several axes, the digits are the places of the keys
of :func:`dwtn` in their order.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

Nodes: TypeAlias = tuple[int, ...]
"""Natural indices of nodes of one level."""


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
    """

    width: int
    splits: tuple[Nodes, ...]
    results: tuple[Nodes, ...]

    @property
    def depth(self) -> int:
        """The number of levels below the root."""
        return len(self.splits)

    @cached_property
    def computed(self) -> tuple[Nodes, ...]:
        """For each level, the nodes that are computed, in their order in memory."""
        return ((0,), *(_subnodes(split, self.width) for split in self.splits))

    @cached_property
    def split_places(self) -> tuple[Nodes | None, ...]:
        """For each level, the places of split nodes; ``None`` for all nodes in order."""
        return self._places(self.splits)

    @cached_property
    def result_places(self) -> tuple[Nodes | None, ...]:
        """For each level, the places of results; ``None`` for all nodes in order.

        The root has a place, because its memory is that of the signal.
        """
        return ((0,) if self.results[0] else (), *self._places(self.results)[1:])

    def _places(self, nodes: Sequence[Nodes]) -> tuple[Nodes | None, ...]:
        places = []
        for computed, used in zip(self.computed, nodes, strict=False):
            at = {node: place for place, node in enumerate(computed)}
            places.append(None if used == computed else tuple(at[node] for node in used))
        return tuple(places)


def _subnodes(split: Nodes, width: int) -> Nodes:
    """The subnodes in memory: the first ones of all nodes come before the second ones."""
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
        computed = _subnodes(ordered[-1], width)
    return PacketNodes(width, tuple(ordered), tuple(results))
