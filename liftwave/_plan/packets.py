"""The nodes of wavelet packets that a transform computes, as data.

Nodes of a level have natural indices. For one axis, ``a`` is 0 and ``d`` is 1, and the first letter
of the path is the most significant digit. For several axes, the digits are the places of the keys
of :func:`dwtn` in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        For each level but the last, the nodes that are split.
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
        """For each level, the nodes that are computed, in their order in memory.

        The same subnode of all nodes comes before the next subnode, as bands are computed.
        """
        levels: list[Nodes] = [(0,)]
        for split in self.splits:
            levels.append(tuple(self.width * p + c for c in range(self.width) for p in split))
        return tuple(levels)

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


def complete_nodes(width: int, depth: int, order: Sequence[Nodes]) -> PacketNodes:
    """All nodes of ``depth`` levels. The results of each level have the given order."""
    splits = tuple(tuple(range(width**level)) for level in range(depth))
    return PacketNodes(width, splits, tuple(order))
