"""Arrays with a node axis: the wavelet packets of one level. The (negative) axis is an argument."""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from liftwave._arrays.convert import zeros
from liftwave._plan.packets import Nodes, PacketNodes
from liftwave._typing import Array


def with_node_axis(x: Array, axis: int) -> Array:
    """The root: a signal with a node axis."""
    return array_namespace(x).expand_dims(x, axis=axis)


def without_node_axis(x: Array, axis: int) -> Array:
    """The signal of a root."""
    return array_namespace(x).squeeze(x, axis=axis)


def selected(x: Array, places: Nodes | None, axis: int) -> Array:
    """The nodes at these places, in separate memory; the array itself for ``None``."""
    return x if places is None else _taken(x, places, axis)


def _taken(x: Array, places: Sequence[int], axis: int) -> Array:
    xp = array_namespace(x)
    index = xp.asarray(list(places), dtype=xp.int64, device=device_of(x))
    return xp.take(x, index, axis=x.ndim + axis)


def stacked(bands: Sequence[Array], axis: int) -> Array:
    """The subnodes of all nodes, from the bands of all nodes."""
    xp, place = array_namespace(*bands), bands[0].ndim + axis
    shape = bands[0].shape
    sizes = (*shape[:place], shape[place] * len(bands), *shape[place + 1 :])
    return xp.reshape(xp.stack(list(bands), axis=place + 1), sizes)


def unstacked(x: Array, width: int, axis: int) -> list[Array]:
    """The bands of all nodes, from their subnodes."""
    place = x.ndim + axis
    shape = (*x.shape[:place], x.shape[place] // width, width, *x.shape[place + 1 :])
    pairs = array_namespace(x).reshape(x, shape)
    before = (slice(None),) * (place + 1)
    return [pairs[(*before, k, ...)] for k in range(width)]


def assembled(
    results: Array | None, merged: Array | None, nodes: PacketNodes, level: int, axis: int
) -> Array:
    """All computed nodes of a level, from its results and from the nodes that were split.

    Nodes that are both are sums. Others are missing in both only if they are zero.
    """
    split = nodes.splits[level] if level < nodes.depth else ()
    pairs = ((results, nodes.results[level]), (merged, split))
    parts = [(x, members) for x, members in pairs if x is not None]
    if len(parts) == 1 or set(split) & set(nodes.results[level]):
        first, *others = [_placed(x, members, nodes, level, axis) for x, members in parts]
        return first + others[0] if others else first
    joined = array_namespace(results).concat([x for x, _ in parts], axis=axis)
    return _placed(joined, (*parts[0][1], *parts[1][1]), nodes, level, axis)


def _placed(x: Array, members: Nodes, nodes: PacketNodes, level: int, axis: int) -> Array:
    """These nodes in the order of memory, with zeros for nodes that are missing."""
    computed = nodes.computed[level]
    if members == computed:
        return x
    at = {node: place for place, node in enumerate(members)}
    if len(at) < len(computed):
        xp, place = array_namespace(x), x.ndim + axis
        zero = zeros((*x.shape[:place], 1, *x.shape[place + 1 :]), x, xp)
        x = xp.concat([x, zero], axis=place)
    return _taken(x, [at.get(node, len(members)) for node in computed], axis)
