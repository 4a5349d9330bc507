"""Parts of the calls of packets: nodes, operations, structures, and lengths of the signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeAlias

from liftwave._numbers import is_several, items, length
from liftwave._operations.call import SINGLE, Call, Structure
from liftwave._operations.packets import PacketTransform
from liftwave._operations.plan_transforms import analysis, synthesis
from liftwave._plan.axes import AxisPlans
from liftwave._plan.axis import bounded
from liftwave._plan.lengths import signal_length
from liftwave._plan.packets import PacketNodes, complete_nodes
from liftwave._typing import Array
from liftwave.errors import ShapeError, ShapeTypeError
from liftwave.packets.order import Order, grid_nodes
from liftwave.packets.packet_tree import PacketTree
from liftwave.packets.structures import Grid, Leaves, Levels

# More packets than this are a mistake: each has at least one coefficient.
_MOST_PACKETS = 2**24

# --- analysis ------------------------------------------------------------------------------------


def analysis_of_levels(x: Array, plans: AxisPlans, level: int, order: Order, full: bool) -> Call:
    """The call for the packets of one level, or with ``full`` of all levels up to it."""
    key = ("wpdec", tuple(x.shape), level, order, full)
    try:
        entry: _GridAnalysis | None = plans.cache.get(key)
    except TypeError:  # a length that is a symbol
        entry = _new_grid_analysis(plans, x, level, order, full)
        return Call(entry[0], (x,), entry[1])
    if entry is None:
        entry = bounded(plans.cache)[key] = _new_grid_analysis(plans, x, level, order, full)
    operation, structure = entry
    return Call(operation, (x,), structure)


_GridAnalysis: TypeAlias = tuple[PacketTransform, Structure]


def _new_grid_analysis(
    plans: AxisPlans, x: Array, level: int, order: Order, full: bool
) -> _GridAnalysis:
    """The analysis of data of this shape into the packets of levels, and their structure."""
    operation = _operation(plans, x.ndim, _complete(level, len(plans), order, full), False)
    operation.check([tuple(x.shape)], ())
    grid = Grid(len(plans), operation.node_axis)
    return operation, Levels(grid) if full else grid


def analysis_of_tree(x: Array, plans: AxisPlans, tree: PacketTree) -> Call:
    """The call for the packets of the leaves of a tree."""
    operation = _operation(plans, x.ndim, tree.nodes, False)
    operation.check([tuple(x.shape)], ())
    return Call(operation, (x,), Leaves(_levels(tree), operation.node_axis))


# --- synthesis -----------------------------------------------------------------------------------


def synthesis_of_leaves(
    packets: Any, plans: AxisPlans, ndim: int, tree: PacketTree, shape: Any
) -> Call:
    """The call for the signal with the packets of the leaves of a tree."""
    operation = _operation(plans, ndim, tree.nodes, True)
    leaves = Leaves(_levels(tree), operation.node_axis)
    arrays: list[Array] = [x for x in leaves.unpack(packets) if x is not None]
    sizes = _sizes(shape, arrays, plans, operation, ndim)
    operation.check([tuple(x.shape) for x in arrays], sizes)
    return Call(operation, arrays, SINGLE, leaves, sizes)


def synthesis_of_grid(
    packets: Array, plans: AxisPlans, ndim: int, shape: Any, order: Order
) -> Call:
    """The call for the signal with the packets of one level."""
    operation, grid, sizes = _grid_synthesis(plans, ndim, packets, shape, order)
    arrays = (packets,) if grid.naxes == 1 else grid.unpack(packets)  # they fit the plan
    return Call(operation, arrays, SINGLE, grid, sizes)


_GridSynthesis: TypeAlias = tuple[PacketTransform, Grid, tuple[int, ...]]


def _grid_synthesis(
    plans: AxisPlans, ndim: int, packets: Array, shape: Any, order: Order
) -> _GridSynthesis:
    """The synthesis from the packets of one level, their structure, and the signal's lengths."""
    key = ("wprec", tuple(packets.shape), shape, order)
    try:
        entry: _GridSynthesis | None = plans.cache.get(key)
    except TypeError:  # a list, or a length that is a symbol
        return _new_grid_synthesis(plans, ndim, packets, shape, order)
    if entry is None or not _has_exact_lengths(shape):
        entry = _new_grid_synthesis(plans, ndim, packets, shape, order)
        if _has_exact_lengths(shape):
            bounded(plans.cache)[key] = entry
    return entry


def _has_exact_lengths(shape: Any) -> bool:
    """Whether lengths are Python's integers: other numbers equal these, but may be invalid."""
    if type(shape) is tuple:
        return all(type(n) is int for n in shape)
    return shape is None or type(shape) is int


def _new_grid_synthesis(
    plans: AxisPlans, ndim: int, packets: Array, shape: Any, order: Order
) -> _GridSynthesis:
    node_axis = min(plan.axis for plan in plans) - ndim - 1
    grid = Grid(len(plans), node_axis)
    (x,) = grid.unpack(packets)
    assert x is not None  # the only one
    count: int = x.shape[node_axis]
    nodes = _complete((count.bit_length() - 1) // len(plans), len(plans), order, False)
    sizes = _sizes(shape, [x], plans, _operation(plans, ndim, nodes, True), ndim)
    operation = replace(_operation(plans, ndim, nodes, True), fixed_sizes=sizes)
    operation.check([tuple(x.shape)], sizes)
    return operation, grid, sizes


def _sizes(
    shape: Any, arrays: Sequence[Array], plans: AxisPlans, operation: PacketTransform, ndim: int
) -> tuple[int, ...]:
    """The lengths of the signal along the transformed axes."""
    if shape is None:
        sizes = []
        for plan in plans:
            n = arrays[-1].shape[plan.axis - ndim]
            for _ in range(operation.nodes.depth):
                n = signal_length(n, n, plan.wavelet, plan.mode)
            sizes.append(n)
        return tuple(sizes)
    numbers = items(shape, "", ShapeTypeError) if is_several(shape) else [shape]
    lengths = [length(n, "shape must be integers", ShapeTypeError) for n in numbers]
    if len(lengths) != ndim and (len(lengths) != 1 or len(plans) != 1):
        raise ShapeError(
            f"shape must be the shape of the signal, of {ndim} axes, got {tuple(lengths)}"
        )
    if len(lengths) == ndim:
        chosen = tuple(lengths[plan.axis] for plan in plans)
        expected = operation.signal_shape(tuple(arrays[0].shape), chosen)
        if expected != tuple(lengths):
            raise ShapeError(
                f"the packets belong to signals of shape {expected}, got shape {tuple(lengths)}"
            )
        return chosen
    return (lengths[0],)


# --- nodes and operations -----------------------------------------------------------------------


def check_count(level: int, naxes: int) -> None:
    """Raise if a level has too many packets."""
    if level * naxes >= _MOST_PACKETS.bit_length():
        raise ShapeError(f"level {level} of {naxes} axes has 2**{level * naxes} packets: too many")


@lru_cache(maxsize=64)
def _complete(level: int, naxes: int, order: Order, full: bool) -> PacketNodes:
    check_count(level, naxes)
    results = [grid_nodes(k, naxes, order) if full or k == level else () for k in range(level + 1)]
    return complete_nodes(2**naxes, level, results)


def _operation(
    plans: AxisPlans, ndim: int, nodes: PacketNodes, is_synthesis: bool
) -> PacketTransform:
    key = ("packets", nodes, is_synthesis)
    operation: PacketTransform | None = plans.cache.get(key)
    if operation is None:
        if is_synthesis:
            step = synthesis(plans, ndim, 1, trim_odd=False)
        else:
            step = analysis(plans, ndim, 1)
        operation = bounded(plans.cache)[key] = PacketTransform(step, nodes)
    return operation


def _levels(tree: PacketTree) -> tuple[int, ...]:
    return tuple(len(leaf) // tree.ndim for leaf in tree.leaves)
