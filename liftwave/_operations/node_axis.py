"""Arrays of wavelet packets: the nodes of one level along the first axis.

Results have their node axis elsewhere. Its (negative) index is the argument ``axis``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import device as device_of

from liftwave._arrays.convert import namespace_of, zeros
from liftwave._plan.packets import Nodes, PacketNodes
from liftwave._typing import Array


def root(signal: Array) -> Array:
    """The root: a signal with a node axis."""
    return namespace_of(signal).expand_dims(signal, axis=0)


def signal_of(x: Array) -> Array:
    """The signal of a root."""
    return namespace_of(x).squeeze(x, axis=0)


class Results:
    """The results of a level, in separate memory. Its nodes can be added in several parts.

    Parameters
    ----------
    order : tuple of int
        The nodes, in the order of the results.
    axis : int
        The node axis of the results.
    """

    def __init__(self, order: Nodes, axis: int) -> None:
        self._order, self._axis = order, axis
        self._places = {node: place for place, node in enumerate(order)}
        self.array: Any = None

    def add(self, nodes: Nodes, x: Array) -> None:
        """Add some nodes. Parts of NumPy arrays can have less than all nodes."""
        place = x.ndim + self._axis
        if len(nodes) == len(self._order):
            moved = namespace_of(x).moveaxis(x, 0, place)
            if nodes == self._order and nodes != (0,):  # the root has the memory of the signal
                self.array = moved
            else:
                at = {node: k for k, node in enumerate(nodes)}
                self.array = _taken(moved, [at[node] for node in self._order], place)
            return
        if self.array is None:
            shape = (*x.shape[1 : place + 1], len(self._order), *x.shape[place + 1 :])
            self.array = np.empty(shape, x.dtype)
        np.moveaxis(self.array, place, 0)[[self._places[node] for node in nodes]] = x


def selected(x: Array, places: Nodes | None) -> Array:
    """The nodes at these places; all nodes for ``None``."""
    return x if places is None else _taken(x, places, 0)


def _taken(x: Array, places: Sequence[int], axis: int) -> Array:
    xp = namespace_of(x)
    index = xp.asarray(list(places), device=device_of(x))
    return xp.take(x, index, axis=axis)


def joined(bands: Sequence[Array]) -> Array:
    """The subnodes of all nodes, from the bands of all nodes."""
    return namespace_of(bands[0]).concat(list(bands), axis=0)


def parted(x: Array, width: int) -> list[Array]:
    """The bands of all nodes, from their subnodes."""
    count = x.shape[0] // width
    return [x[k * count : (k + 1) * count, ...] for k in range(width)]


def assembled(
    results: Array | None, merged: Array | None, nodes: PacketNodes, level: int, axis: int
) -> Array:
    """All computed nodes of a level, from its results and from the nodes that were split.

    Nodes that are both are sums. Nodes that are missing in both are zero.
    """
    split = nodes.splits[level] if level < nodes.depth else ()
    if results is not None:
        results = namespace_of(results).moveaxis(results, results.ndim + axis, 0)
    pairs = ((results, nodes.results[level]), (merged, split))
    parts: list[tuple[Any, Nodes]] = [(x, members) for x, members in pairs if x is not None]
    if len(parts) == 1 or set(split) & set(nodes.results[level]):
        first, *rest = [_placed(x, members, nodes.computed[level]) for x, members in parts]
        return first + rest[0] if rest else first
    both = namespace_of(results).concat([x for x, _ in parts], axis=0)
    return _placed(both, (*parts[0][1], *parts[1][1]), nodes.computed[level])


def _placed(x: Array, members: Nodes, computed: Nodes) -> Array:
    """These nodes in the order of memory, with zeros for nodes that are missing."""
    if members == computed:
        return x
    at = {node: place for place, node in enumerate(members)}
    if len(at) < len(computed):
        xp = namespace_of(x)
        x = xp.concat([x, zeros((1, *x.shape[1:]), x, xp)], axis=0)
    return _taken(x, [at.get(node, len(members)) for node in computed], 0)
