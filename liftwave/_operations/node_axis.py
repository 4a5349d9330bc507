"""Arrays of wavelet packets: the nodes of one level along the first axis.

Results have their node axis elsewhere. Its (negative) index is the argument ``axis``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from liftwave._arrays.convert import zeros
from liftwave._plan.packets import Nodes, PacketNodes
from liftwave._typing import Array


def root(signal: Array) -> Array:
    """The root: a signal with a node axis."""
    return array_namespace(signal).expand_dims(signal, axis=0)


def signal_of(x: Array) -> Array:
    """The signal of a root."""
    return array_namespace(x).squeeze(x, axis=0)


def results_of(x: Array, places: Nodes | None, axis: int) -> Array:
    """The nodes at these places as results, in separate memory; all nodes for ``None``."""
    place = x.ndim + axis
    moved = array_namespace(x).moveaxis(x, 0, place)
    return moved if places is None else _taken(moved, places, place)


def parents_of(x: Array, places: Nodes | None) -> Array:
    """The nodes at these places; all nodes for ``None``."""
    return x if places is None else _taken(x, places, 0)


def _taken(x: Array, places: Sequence[int], axis: int) -> Array:
    xp = array_namespace(x)
    index = xp.asarray(list(places), dtype=xp.int64, device=device_of(x))
    return xp.take(x, index, axis=axis)


class LevelMemory:
    """One block of memory for NumPy arrays, which all levels of a transform use.

    New memory for each level takes several times as long as the transform, if the C library gives
    it back to the system in between. The bands of a level have memory of their own, so the nodes
    that were split can be overwritten.

    Parameters
    ----------
    size : int
        The number of coefficients of the largest level.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._block: Any = None

    def joined(self, bands: Sequence[Array]) -> Array:
        """As :func:`joined`. The result is valid until the next call."""
        if type(bands[0]) is not np.ndarray:
            return joined(bands)
        if self._block is None:
            self._block = np.empty(self._size, bands[0].dtype)
        shape = (len(bands) * bands[0].shape[0], *bands[0].shape[1:])
        block = self._block[: prod(shape)].reshape(shape)
        return np.concatenate(bands, axis=0, out=block)


def joined(bands: Sequence[Array]) -> Array:
    """The subnodes of all nodes, from the bands of all nodes."""
    return array_namespace(*bands).concat(list(bands), axis=0)


def parted(x: Array, width: int) -> list[Array]:
    """The bands of all nodes, from their subnodes."""
    count = x.shape[0] // width
    return [x[k * count : (k + 1) * count, ...] for k in range(width)]


def assembled(
    results: Array | None, merged: Array | None, nodes: PacketNodes, level: int, axis: int
) -> Array:
    """All computed nodes of a level, from its results and from the nodes that were split.

    Nodes that are both are sums. Others are missing in both only if they are zero.
    """
    split = nodes.splits[level] if level < nodes.depth else ()
    if results is not None:
        results = array_namespace(results).moveaxis(results, results.ndim + axis, 0)
    pairs = ((results, nodes.results[level]), (merged, split))
    parts: list[tuple[Any, Nodes]] = [(x, members) for x, members in pairs if x is not None]
    if len(parts) == 1 or set(split) & set(nodes.results[level]):
        first, *others = [_placed(x, members, nodes.computed[level]) for x, members in parts]
        return first + others[0] if others else first
    both = array_namespace(results).concat([x for x, _ in parts], axis=0)
    return _placed(both, (*parts[0][1], *parts[1][1]), nodes.computed[level])


def _placed(x: Array, members: Nodes, computed: Nodes) -> Array:
    """These nodes in the order of memory, with zeros for nodes that are missing."""
    if members == computed:
        return x
    at = {node: place for place, node in enumerate(members)}
    if len(at) < len(computed):
        xp = array_namespace(x)
        x = xp.concat([x, zeros((1, *x.shape[1:]), x, xp)], axis=0)
    return _taken(x, [at.get(node, len(members)) for node in computed], 0)
