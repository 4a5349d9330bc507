"""Structures of packets: grids of nodes, levels of nodes, and leaves of a tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array, common_namespace
from liftwave._numbers import items
from liftwave._typing import Array
from liftwave.errors import CoefficientsError, ShapeError

Arrays = Sequence[Array | None]


class Grid(NamedTuple):
    """The packets of one level in one array, with one node axis for each transformed axis.

    Attributes
    ----------
    naxes : int
        The number of transformed axes.
    axis : int
        The (negative) node axis of an operation.
    """

    naxes: int
    axis: int

    def pack(self, arrays: Arrays) -> Array:
        """The array with several node axes."""
        (x,) = arrays
        return self.grid(x)

    def unpack(self, value: Any) -> Arrays:
        """The array with one node axis."""
        return [self.flat(as_array(value))]

    def grid(self, x: Any) -> Array:
        """An array with one node axis, with several node axes instead."""
        if self.naxes == 1:
            return x
        axis = x.ndim + self.axis
        count = (x.shape[axis].bit_length() - 1) // self.naxes
        sides = (1 << count,) * self.naxes
        return array_namespace(x).reshape(x, (*x.shape[:axis], *sides, *x.shape[axis + 1 :]))

    def flat(self, x: Any) -> Array:
        """An array with several node axes, with one node axis instead.

        Raises
        ------
        ShapeError
            If the node axes are not powers of two of the same length.
        """
        if self.is_flat(x):
            return x
        first = x.ndim + self.axis + 1 - self.naxes
        sides = tuple(x.shape[max(first, 0) : first + self.naxes])
        if (
            first < 0
            or any(n != sides[0] for n in sides)
            or sides[0] & (sides[0] - 1)
            or not sides[0]
        ):
            raise ShapeError(
                f"packets of {self.naxes} axes must have {self.naxes} node axes of equal lengths, "
                "a power of two, in front of the first transformed axis; got shape "
                f"{tuple(x.shape)}"
            )
        shape = (*x.shape[:first], sides[0] ** self.naxes, *x.shape[first + self.naxes :])
        return array_namespace(x).reshape(x, shape)

    def is_flat(self, x: Any) -> bool:
        """Whether the array already has a single node axis."""
        if self.naxes > 1 or x.ndim < -self.axis:
            return False
        count = x.shape[self.axis]
        return count > 0 and not count & (count - 1)


class Levels(NamedTuple):
    """The packets of several levels, one :class:`Grid` each."""

    grid: Grid

    def pack(self, arrays: Arrays) -> list[Array | None]:
        """The list of arrays."""
        return [None if x is None else self.grid.grid(x) for x in arrays]

    def unpack(self, value: Any) -> Arrays:
        """The arrays with one node axis. Some can be missing."""
        levels = items(value, "expected the list of all levels", CoefficientsError)
        return [None if x is None else self.grid.flat(as_array(x)) for x in levels]


class Leaves(NamedTuple):
    """The packets of a tree: a list with one array for each leaf.

    Attributes
    ----------
    levels : tuple of int
        The level of each leaf.
    axis : int
        The (negative) node axis of an operation.
    """

    levels: tuple[int, ...]
    axis: int

    def pack(self, arrays: Arrays) -> list[Array]:
        """The coefficients of each leaf, which are parts of the arrays of the levels."""
        stacks = dict(zip(sorted(set(self.levels)), arrays, strict=True))
        places = dict.fromkeys(stacks, 0)
        leaves = []
        for level in self.levels:
            x: Any = stacks[level]
            before = (slice(None),) * (x.ndim + self.axis)
            leaves.append(x[(*before, places[level], ...)])
            places[level] += 1
        return leaves

    def unpack(self, value: Any) -> Arrays:
        """One array for each level that has leaves."""
        leaves = items(value, "expected the list of the packets of all leaves", CoefficientsError)
        if len(leaves) != len(self.levels) or any(leaf is None for leaf in leaves):
            raise CoefficientsError(
                f"expected the packets of {len(self.levels)} leaves, got {len(leaves)} objects"
            )
        arrays = [as_array(leaf) for leaf in leaves]
        xp = common_namespace(arrays)
        return [self._stacked(arrays, level, xp) for level in sorted(set(self.levels))]

    def _stacked(self, arrays: Sequence[Any], level: int, xp: Any) -> Array:
        members = [x for x, of_leaf in zip(arrays, self.levels, strict=True) if of_leaf == level]
        shapes = {tuple(x.shape) for x in members}
        axis = members[0].ndim + 1 + self.axis
        if len(shapes) > 1 or axis < 0:
            raise ShapeError(
                f"the packets of level {level} have different shapes or too few axes: {shapes}"
            )
        return xp.stack(members, axis=axis)
