"""The packets of all levels, from which a basis is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from liftwave._arrays.convert import as_array, open_arrays
from liftwave._arrays.host import as_numpy
from liftwave._numbers import flag, is_several
from liftwave._plan.arguments import normalize_axes
from liftwave._typing import Array
from liftwave.errors import CoefficientsError
from liftwave.packets.order import Order, check_order, grid_nodes
from liftwave.packets.packet_tree import PacketTree


class LevelPackets(NamedTuple):
    """The packets of all levels, with the axes and the order of their nodes.

    Attributes
    ----------
    levels : list of array
        One array for each level.
    axes : tuple of int
        The transformed axes of the data.
    order : {"freq", "natural"}
        The order of the nodes.
    is_redundant : bool
        Whether no level is downsampled.
    """

    levels: list[Any]
    axes: tuple[int, ...]
    order: Order
    is_redundant: bool

    @classmethod
    def of(cls, packets: Any, axes: Any, order: Any, redundant: Any) -> LevelPackets:
        """The packets, after a check of their shapes."""
        named, is_redundant = check_order(order), flag(redundant, "redundant")
        if not isinstance(packets, list | tuple) or not packets:
            raise CoefficientsError(
                "expected the packets of all levels, wpdec(…, full=True), got "
                + ("an empty list" if isinstance(packets, list) else type(packets).__name__)
            )
        levels = [opened.array for opened in open_arrays([as_array(x) for x in packets])]
        ndim = levels[0].ndim
        naxes = ndim // 2 if axes is None else len(list(axes)) if is_several(axes) else 1
        normalized = normalize_axes(axes, max(ndim - naxes, 0), unique=True)
        if not naxes:
            raise CoefficientsError(
                "expected packets of at least one axis, wpdec(…, full=True), got arrays of "
                f"{ndim} axes and axes={axes}"
            )
        first = min(normalized)
        for level, x in enumerate(levels):
            sides = tuple(x.shape[first : first + naxes])
            if x.ndim != ndim or sides != (1 << level,) * naxes or 0 in x.shape:
                raise CoefficientsError(
                    f"expected the packets of all levels, wpdec(…, full=True): those of level "
                    f"{level} have {(1 << level,) * naxes} nodes, got shape {tuple(x.shape)}"
                )
        tree = cls(levels, normalized, named, is_redundant)
        if is_redundant:
            tree._check_lengths()
        return tree

    def _check_lengths(self) -> None:
        """Raise unless the packets of all levels have the same lengths."""
        _, batch, transformed = self._axes_of(self.levels[0])
        for level, x in enumerate(self.levels):
            if any(x.shape[axis] != self.levels[0].shape[axis] for axis in (*batch, *transformed)):
                raise CoefficientsError(
                    "redundant=True needs packets without downsampling, swpdec(…, full=True), "
                    f"which are as long as the data: level 0 has shape "
                    f"{tuple(self.levels[0].shape)}, but level {level} has {tuple(x.shape)}"
                )

    def rows(self) -> Iterator[Array]:
        """For each level, one row of coefficients for each node."""
        for x in self.levels:
            nodes, *rest = self._axes_of(x)
            xp = array_namespace(x)
            moved = xp.permute_dims(x, (*nodes, *rest[0], *rest[1]))
            yield xp.reshape(moved, (self._count(x), -1))

    def signals(self, fewest: int) -> Iterator[NDArray[Any]]:
        """For each level, an array of the shape (nodes, signals, coefficients), on the host.

        Raises
        ------
        CoefficientsError
            If there are fewer than ``fewest`` signals.
        """
        for x in self.levels:
            nodes, batch, transformed = self._axes_of(x)
            values = as_numpy(x)
            signals = int(np.prod([x.shape[axis] for axis in batch], initial=1))
            if signals < fewest:
                raise CoefficientsError(
                    f"expected the packets of at least {fewest} signals, got shape {tuple(x.shape)}"
                )
            moved = np.transpose(values, (*nodes, *batch, *transformed))
            yield moved.reshape(self._count(x), signals, -1)

    def _axes_of(self, x: Any) -> tuple[list[int], list[int], list[int]]:
        """The node axes, the batch axes, and the transformed axes."""
        first, naxes = min(self.axes), len(self.axes)
        nodes = list(range(first, first + naxes))
        transformed = [axis + naxes for axis in self.axes]
        batch = [axis for axis in range(x.ndim) if axis not in (*nodes, *transformed)]
        return nodes, batch, transformed

    def _count(self, x: Any) -> int:
        side: int = x.shape[min(self.axes)]
        return int(side ** len(self.axes))

    def cheapest(self, costs: Sequence[NDArray[Any]]) -> PacketTree:
        """The tree with the lowest sum of costs, of nodes in the order of the packets.

        A redundant node has the coefficients of many shifts, and its cost is their mean.
        """
        naxes = len(self.axes)
        if self.is_redundant:
            costs = [of_level / 2 ** (level * naxes) for level, of_level in enumerate(costs)]
        natural = []
        for level, of_level in enumerate(costs):
            places = np.empty(len(of_level))
            places[list(grid_nodes(level, naxes, self.order))] = of_level
            natural.append(places)
        return PacketTree(_leaves(natural, naxes), naxes)


def _leaves(costs: Sequence[NDArray[Any]], naxes: int) -> list[str]:
    """The paths of the leaves of the tree with the lowest costs, which are in natural order."""
    width = 2**naxes
    best, is_leaf = costs[-1], [np.ones(len(costs[-1]), bool)]
    for of_level in reversed(costs[:-1]):
        below = best.reshape(-1, width).sum(axis=-1)
        is_leaf.insert(0, of_level <= below)
        best = np.where(is_leaf[0], of_level, below)
    leaves: list[str] = []
    nodes = [0]
    for level, flags in enumerate(is_leaf):
        letters = level * naxes
        ends = [node for node in nodes if flags[node]]
        digits = (format(node, f"0{letters}b") if letters else "" for node in ends)
        leaves += [path.replace("0", "a").replace("1", "d") for path in digits]
        split = set(nodes) - set(ends)
        nodes = [width * node + c for node in sorted(split) for c in range(width)]
    return leaves
