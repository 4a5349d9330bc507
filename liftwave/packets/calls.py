"""Calls of the transforms to packets: convert the arguments to an operation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from liftwave._arrays.convert import as_array
from liftwave._numbers import is_several, items, whole_number
from liftwave._operations.call import SINGLE, Call, Structure
from liftwave._operations.packets import PacketTransform
from liftwave._operations.transform import analysis, synthesis
from liftwave._plan.arguments import check_level
from liftwave._plan.axes import AxisPlans, axis_plans
from liftwave._plan.axis import bounded
from liftwave._plan.lengths import signal_length
from liftwave._plan.packets import PacketNodes, complete_nodes
from liftwave._typing import Array, ArrayLike, Modes
from liftwave.errors import (
    CoefficientsError,
    OptionError,
    ShapeError,
    ShapeTypeError,
    WaveletError,
)
from liftwave.packets.order import Order, check_order, grid_nodes
from liftwave.packets.packet_tree import PacketTree, as_tree
from liftwave.packets.structures import Grid, Leaves, Levels
from liftwave.wavelets.resolve import Wavelets

# More packets than this are a mistake: each has at least one coefficient.
_MOST_PACKETS = 2**24


def wpdec(
    data: ArrayLike,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    level: int | None = None,
    axes: Sequence[int] | int | None = -1,
    *,
    order: str = "freq",
    full: bool = False,
    tree: Any = None,
) -> Call:
    """The call of :func:`liftwave.wpdec`."""
    x = as_array(data)
    named = check_order(order)
    if not isinstance(full, int | np.bool_):  # bool is a kind of int
        raise OptionError(f"full must be True or False, got {full!r}")
    plans = _plans(wavelet, mode, axes, x.ndim)
    sizes, wavelets = [x.shape[p.axis] for p in plans], [p.wavelet for p in plans]
    if tree is None:
        nodes = _complete(check_level(level, sizes, wavelets), len(plans), named, full)
    elif level is not None or full:
        raise OptionError("a tree determines the packets: do not pass level or full with tree")
    else:
        tree = as_tree(tree, len(plans))
        check_level(tree.depth, sizes, wavelets)
        nodes = tree.nodes
    operation = _operation(plans, x.ndim, nodes, False)
    operation.check([tuple(x.shape)], ())
    return Call(operation, (x,), _structure(operation, len(plans), tree, full))


def wprec(
    packets: Any,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = -1,
    *,
    shape: Any = None,
    order: str = "freq",
    tree: Any = None,
) -> Call:
    """The call of :func:`liftwave.wprec`."""
    named = check_order(order)
    first, naxes = _first(packets, axes, tree)
    ndim = first.ndim - (naxes if tree is None else 0)
    plans = _plans(wavelet, mode, axes, ndim)
    if tree is None:
        operation, grid, sizes = _grid_synthesis(plans, ndim, first, shape, named)
        return Call(operation, grid.unpack(first), SINGLE, grid, sizes)
    tree = as_tree(tree, len(plans))
    operation = _operation(plans, ndim, tree.nodes, True)
    leaves = Leaves(_levels(tree), operation.node_axis)
    arrays: list[Array] = [x for x in leaves.unpack(packets) if x is not None]
    sizes = _sizes(shape, arrays, plans, operation, ndim)
    operation.check([tuple(x.shape) for x in arrays], sizes)
    return Call(operation, arrays, SINGLE, leaves, sizes)


_GridSynthesis: TypeAlias = tuple[PacketTransform, Grid, tuple[int, ...]]


def _grid_synthesis(
    plans: AxisPlans, ndim: int, packets: Array, shape: Any, order: Order
) -> _GridSynthesis:
    """The synthesis from the packets of one level, their structure, and the signal's lengths."""
    key = ("wprec", tuple(packets.shape), shape, order)
    try:
        known: _GridSynthesis | None = plans.cache.get(key)
    except TypeError:  # a list, or a length that is a symbol
        return _new_grid_synthesis(plans, ndim, packets, shape, order)
    if known is None or not _has_exact_lengths(shape):
        known = _new_grid_synthesis(plans, ndim, packets, shape, order)
        if _has_exact_lengths(shape):
            bounded(plans.cache)[key] = known
    return known


def _has_exact_lengths(shape: Any) -> bool:
    """Whether lengths are Python's integers: other numbers equal these, but may be invalid."""
    return shape is None or all(
        type(n) is int for n in (shape if type(shape) is tuple else (shape,))
    )


def _new_grid_synthesis(
    plans: AxisPlans, ndim: int, packets: Array, shape: Any, order: Order
) -> _GridSynthesis:
    node_axis = min(plan.axis for plan in plans) - ndim - 1
    grid = Grid(len(plans), node_axis)
    (x,) = grid.unpack(packets)
    assert x is not None  # the only one
    count: int = x.shape[node_axis]
    nodes = _complete((count.bit_length() - 1) // len(plans), len(plans), order, False)
    operation = _operation(plans, ndim, nodes, True)
    sizes = _sizes(shape, [x], plans, operation, ndim)
    operation.check([tuple(x.shape)], sizes)
    return operation, grid, sizes


def _plans(wavelet: Wavelets, mode: Modes, axes: Any, ndim: int) -> AxisPlans:
    """The plans of the axes.

    Raises
    ------
    WaveletError
        If a wavelet is an integer scheme.
    """
    if ndim < 1:
        raise ShapeError("Expected at least 1D input data, got a 0-d array.")
    plans = axis_plans(wavelet, mode, axes, ndim)
    if plans.is_integer:
        raise WaveletError(
            f"{plans[0].wavelet!r} computes in integers, whose dtype depends on the level: use "
            "WaveletPacket"
        )
    return plans


@lru_cache(maxsize=64)
def _complete(level: int, naxes: int, order: Order, full: bool) -> PacketNodes:
    if level * naxes >= _MOST_PACKETS.bit_length():
        raise ShapeError(f"level {level} of {naxes} axes has 2**{level * naxes} packets: too many")
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


def _structure(
    operation: PacketTransform, naxes: int, tree: PacketTree | None, full: bool
) -> Structure:
    axis = operation.node_axis
    if tree is not None:
        return Leaves(_levels(tree), axis)
    return Levels(Grid(naxes, axis)) if full else Grid(naxes, axis)


def _levels(tree: PacketTree) -> tuple[int, ...]:
    return tuple(len(leaf) // tree.ndim for leaf in tree.leaves)


# --- lengths of the signal -----------------------------------------------------------------------


def _first(packets: Any, axes: Any, tree: Any) -> tuple[Any, int]:
    """The first array of packets, and the number of transformed axes."""
    if tree is not None:
        leaves = items(packets, "expected the list of the packets of all leaves", CoefficientsError)
        if not leaves:
            raise CoefficientsError("expected the packets of all leaves, got an empty list")
        first = as_array(leaves[0])
        naxes = first.ndim
    else:
        if isinstance(packets, list | tuple) and any(hasattr(x, "shape") for x in packets):
            raise CoefficientsError(
                "expected the packets of one level in one array, got a list of arrays: pass the "
                "last one, or the tree to which they belong"
            )
        first = as_array(packets)
        naxes = first.ndim // 2
    if axes is not None:
        naxes = len(list(axes)) if is_several(axes) else 1
    return first, naxes


def _sizes(
    shape: Any, arrays: Sequence[Array], plans: AxisPlans, operation: PacketTransform, ndim: int
) -> tuple[int, ...]:
    """The lengths of the signal along the transformed axes."""
    if shape is None:
        sizes = []
        for plan in plans:
            n = int(arrays[-1].shape[plan.axis - ndim])
            for _ in range(operation.nodes.depth):
                n = signal_length(n, n, plan.wavelet, plan.mode)
            sizes.append(n)
        return tuple(sizes)
    numbers = items(shape, "", ShapeTypeError) if is_several(shape) else [shape]
    lengths = [whole_number(n, "shape must be integers", ShapeTypeError) for n in numbers]
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
