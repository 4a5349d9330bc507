"""Bases of wavelet packets: trees whose leaves are the packets of a basis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

from liftwave._numbers import as_numbers, flag, is_several, items, whole_number
from liftwave._plan.arguments import natural_level
from liftwave._plan.packets import PacketNodes, packet_nodes
from liftwave._typing import Array
from liftwave.errors import PathError, PathTypeError, ScaleError, ShapeError, ShapeTypeError
from liftwave.packets.order import frequency_place
from liftwave.packets.plotting import plot_tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_AXES = 16


class PacketTree:
    """A basis of wavelet packets: the leaves of a tree of decompositions.

    Parameters
    ----------
    leaves : iterable of str
        The paths of the leaves. A path has one letter for each level and axis, ``a`` (low-pass) or
        ``d`` (high-pass); the letters of the axes of one level follow each other. The path of the
        root is empty.
    ndim : int, optional
        The number of transformed axes.

    Attributes
    ----------
    leaves : tuple of str
        The paths, sorted by frequency along the first axis, then along the others.
    ndim : int
        The number of transformed axes.

    Raises
    ------
    PathError
        If the leaves are not those of a tree: a leaf is below another, or a leaf is missing.

    See Also
    --------
    best_basis, joint_basis, discriminant_basis, least_dependent_basis : Trees for data.

    Examples
    --------
    >>> import liftwave as lw
    >>> tree = lw.PacketTree(["d", "aa", "ad"])
    >>> tree.leaves, tree.depth
    (('aa', 'ad', 'd'), 2)
    >>> tree.bands(fs=1000.0)
    [(0.0, 125.0), (125.0, 250.0), (250.0, 500.0)]
    >>> print(tree)
    PacketTree of 3 leaves, depth 2
    ├─ a
    │  ├─ aa ■
    │  └─ ad ■
    └─ d ■
    """

    leaves: tuple[str, ...]
    ndim: int

    def __init__(self, leaves: Iterable[str], ndim: int = 1) -> None:
        self.ndim = _number_of_axes(ndim)
        paths = items(leaves, "leaves must be paths", PathTypeError)
        for path in paths:
            self._check_path(path)
        self._check_leaves(paths)
        self.leaves = tuple(sorted(paths, key=self._sort_key))

    @classmethod
    def complete(cls, level: int, ndim: int = 1) -> PacketTree:
        """Return the tree of all packets of one level.

        Parameters
        ----------
        level : int
            The level.
        ndim : int, optional
            The number of transformed axes.

        Returns
        -------
        PacketTree
            The tree.
        """
        letters = natural_level(level) * _number_of_axes(ndim)
        if letters > 24:
            raise ShapeError(f"level {level} of {ndim} axes has 2**{letters} packets: too many")
        return cls(map("".join, product("ad", repeat=letters)), ndim)

    @classmethod
    def wavelet(cls, level: int, ndim: int = 1) -> PacketTree:
        """Return the tree of a wavelet transform, which splits only approximations.

        Parameters
        ----------
        level : int
            The number of levels.
        ndim : int, optional
            The number of transformed axes.

        Returns
        -------
        PacketTree
            The tree.
        """
        depth, naxes = natural_level(level), _number_of_axes(ndim)
        approx, *details = map("".join, product("ad", repeat=naxes))
        leaves = [approx * k + detail for k in range(depth) for detail in details]
        return cls([approx * depth, *leaves], naxes)

    # --- properties ------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """The level of the deepest leaf."""
        return max(map(len, self.leaves)) // self.ndim

    def bands(self, fs: float = 1.0) -> list[Any]:
        """Return the frequency band of each leaf, for ideal filters.

        Parameters
        ----------
        fs : float, optional
            The sampling frequency.

        Returns
        -------
        list
            ``(low, high)`` for each leaf, in the unit of ``fs``; for several axes, a tuple of one
            such pair for each axis.
        """
        rate = sampling_frequency(fs)
        bands = []
        for leaf in self.leaves:
            width = rate / 2 ** (len(leaf) // self.ndim + 1)
            pairs = tuple((f * width, (f + 1) * width) for f in self._places(leaf))
            bands.append(pairs[0] if self.ndim == 1 else pairs)
        return bands

    def plot(
        self,
        packets: Sequence[Array] | None = None,
        fs: float = 1.0,
        *,
        redundant: bool = False,
    ) -> Figure:
        """Draw the basis: tiles of the time-frequency plane, or of the plane of two frequencies.

        Parameters
        ----------
        packets : sequence of array, optional
            The coefficients of the leaves, as :func:`wpdec` or :func:`swpdec` returns them for a
            single signal or image. Tiles of larger magnitudes are darker. With two axes, a tile
            shows the root mean square of its leaf.
        fs : float, optional
            The sampling frequency.
        redundant : bool, optional
            Whether the packets are those of :func:`swpdec`, which are as long as the signal. By
            default, packets of the same length count as such only if the depths of the leaves
            differ.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.

        Raises
        ------
        ShapeError
            If the tree has more than two axes, or the packets do not belong to it.
        """
        frequency, is_redundant = sampling_frequency(fs), flag(redundant, "redundant")
        return plot_tree(self, packets, frequency, redundant=is_redundant)

    @cached_property
    def nodes(self) -> PacketNodes:
        """The nodes that a transform splits and returns."""
        splits: list[set[int]] = [set() for _ in range(self.depth)]
        results: list[list[int]] = [[] for _ in range(self.depth + 1)]
        for leaf in self.leaves:
            level = len(leaf) // self.ndim
            results[level].append(_index(leaf))
            for above in range(level):
                splits[above].add(_index(leaf[: above * self.ndim]))
        return packet_nodes(2**self.ndim, splits, [tuple(nodes) for nodes in results])

    def _places(self, path: str) -> tuple[int, ...]:
        """The place of a node in frequency order along each axis."""
        return tuple(frequency_place(_index(path[k :: self.ndim])) for k in range(self.ndim))

    def _sort_key(self, path: str) -> tuple[float, ...]:
        return tuple(place / 2 ** (len(path) // self.ndim) for place in self._places(path))

    # --- checks ----------------------------------------------------------------------------------

    def _check_path(self, path: Any) -> None:
        if not isinstance(path, str):
            raise PathTypeError(f"a path must be text, got {path!r}")
        if not set(path) <= set("ad") or len(path) % self.ndim:
            raise PathError(
                f"a path has {self.ndim} letters 'a' or 'd' for each level, got {path!r}"
            )

    def _check_leaves(self, paths: Sequence[str]) -> None:
        missing = _missing(sorted(paths), "", self.ndim)
        for path, problem in missing:
            raise PathError(f"the leaves are not those of a tree: {problem} {path!r}")

    # --- comparison and text ---------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PacketTree):
            return NotImplemented
        return (self.leaves, self.ndim) == (other.leaves, other.ndim)

    def __hash__(self) -> int:
        return hash((self.leaves, self.ndim))

    def __len__(self) -> int:
        return len(self.leaves)

    def __repr__(self) -> str:
        return f"PacketTree({list(self.leaves)!r}, ndim={self.ndim})"

    def __str__(self) -> str:
        head = f"PacketTree of {len(self)} leaves, depth {self.depth}"
        return "\n".join([head, *self._lines("", "")])

    def _lines(self, path: str, indent: str) -> Iterator[str]:
        if path in self.leaves:
            return
        parts = list(map("".join, product("ad", repeat=self.ndim)))
        for part in parts:
            last = part == parts[-1]
            mark = " ■" if path + part in self.leaves else ""
            yield f"{indent}{'└─' if last else '├─'} {path + part}{mark}"
            yield from self._lines(path + part, indent + ("   " if last else "│  "))


def sampling_frequency(fs: Any) -> float:
    """A sampling frequency as a number.

    Raises
    ------
    ScaleError
        If it is not a positive number.
    """
    value = as_numbers(fs)
    if value.ndim or value.dtype.kind == "c" or not 0 < value < float("inf"):
        raise ScaleError(f"fs must be a positive number, got {fs!r}")
    return float(value)


def _number_of_axes(ndim: Any) -> int:
    number = whole_number(ndim, "ndim must be an integer", ShapeTypeError)
    if not 0 < number <= _MOST_AXES:
        raise ShapeError(f"ndim must be from 1 to {_MOST_AXES}, got {number}")
    return number


def _index(path: str) -> int:
    """The natural index of a node: its path as a binary number."""
    return int("0" + path.replace("a", "0").replace("d", "1"), 2)


def _missing(paths: Sequence[str], root: str, ndim: int) -> Iterator[tuple[str, str]]:
    """The nodes below a root at which sorted paths are not leaves of a tree, with the problem."""
    if not paths:
        yield root, "no leaf is at or below"
    elif paths[0] == root:
        if len(paths) > 1:
            yield paths[1], "another leaf is at or above"
    else:
        for part in map("".join, product("ad", repeat=ndim)):
            child = root + part
            yield from _missing([p for p in paths if p.startswith(child)], child, ndim)


def as_tree(tree: Any, naxes: int) -> PacketTree:
    """A tree of a number of axes.

    Raises
    ------
    PathTypeError, ShapeError
        If the argument is not a tree, or has another number of axes.
    """
    if not isinstance(tree, PacketTree):
        paths = tree if is_several(tree) else None
        if paths is None:
            raise PathTypeError(f"tree must be a PacketTree, got {type(tree).__name__}")
        return PacketTree(paths, naxes)
    if tree.ndim != naxes:
        raise ShapeError(f"the tree has {tree.ndim} axes, but {naxes} are transformed")
    return tree
