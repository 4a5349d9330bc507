"""The base class of nodes of wavelet packet trees: access, lazy evaluation, traversal.

A node computes its subnodes when they are first used. The results are those of :func:`dwt`,
:func:`dwt2` and :func:`dwtn`, so the data can be arrays of any library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from liftwave._arrays.convert import as_array
from liftwave._kernels.axis_by_axis import trimmed
from liftwave._numbers import flag
from liftwave._typing import Array, ArrayLike
from liftwave.errors import (
    ArgumentTypeError,
    LevelError,
    PathError,
    PathTypeError,
    ShapeError,
)
from liftwave.packets.node_arguments import (
    called,
    check_function,
    coefficients,
    has_any,
    path_text,
    useful_levels,
)


class BaseNode:
    """A node of a wavelet packet tree, without a transform. The base class of all nodes.

    Parameters
    ----------
    parent : BaseNode or None
        The parent. ``None`` makes a root.
    data : array_like or None
        The coefficients of the node; ``None`` if they are unknown.
    node_name : str
        The name of the node among the subnodes of its parent.

    Attributes
    ----------
    data : array_like or None
        The coefficients. They can be replaced.
    level : int
        The depth of the node in the tree; 0 for the root.
    path : str
        The names of all nodes from the root to this node.
    wavelet, mode, axes
        As passed to the root.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.BaseNode(None, [1.0, 2.0], "").level
    0
    """

    PARTS: Any = ()
    PART_LEN: int = 1

    def __init__(self, parent: BaseNode | None, data: ArrayLike | None, node_name: str) -> None:
        if parent is not None and not isinstance(parent, BaseNode):
            raise ArgumentTypeError(
                f"the parent of a node must be a node or None, got {type(parent).__name__}"
            )
        if not isinstance(node_name, str):
            raise PathTypeError(f"the name of a node must be text, got {node_name!r}")
        self.parent = parent
        self.wavelet: Any = None if parent is None else parent.wavelet
        self.mode: Any = None if parent is None else parent.mode
        self.axes: Any = None if parent is None else parent.axes
        self.path: str = "" if parent is None else parent.path + node_name
        self.level: int = 0 if parent is None else parent.level + 1
        self._maxlevel: int | None = None if parent is None else parent.maxlevel
        self.data: Any = data
        self._data_shape: tuple[int, ...] | None = (
            None if data is None else tuple(as_array(data).shape)
        )
        self._subnodes: dict[str, BaseNode | None] = dict.fromkeys(self.PARTS)

    # --- the transform ---------------------------------------------------------------------------

    def _new_subnode(self, part: str, data: Array | None) -> BaseNode:
        """A subnode with these coefficients."""
        return type(self)(self, data, part)

    def _analysed(self) -> dict[str, Array]:
        """The coefficients of all subnodes."""
        return {}

    def _synthesised(self, bands: Mapping[str, Array | None]) -> Array:
        """The coefficients of a node from those of its subnodes; nodes with subnodes define it."""
        raise NotImplementedError

    # --- properties ------------------------------------------------------------------------------

    @property
    def node_name(self) -> str:
        """The name of the node among the subnodes of its parent; empty for the root."""
        return self.path[-self.PART_LEN :]

    @property
    def path_tuple(self) -> tuple[str, ...]:
        """The names of the nodes from the root to this node, one for each level."""
        step = self.PART_LEN
        return tuple(self.path[k : k + step] for k in range(0, len(self.path), step))

    @property
    def is_empty(self) -> bool:
        """Whether the node has no coefficients."""
        return self.data is None

    @property
    def has_any_subnode(self) -> bool:
        """Whether at least one subnode exists."""
        return has_any(self._subnodes)

    @property
    def maxlevel(self) -> int | None:
        """The largest level of the tree.

        It is the argument of the root, or follows from the lengths of the transformed axes.
        ``None`` if no node of the tree has data.
        """
        if self._maxlevel is None:
            self._maxlevel = self._level_from(_ancestors(self))
        if self._maxlevel is None:
            self._maxlevel = self._level_from(_descendants(self))
        return self._maxlevel

    def _level_from(self, nodes: Iterator[BaseNode]) -> int | None:
        """The largest level, from the first of the nodes that determines it."""
        for node in nodes:
            if node._maxlevel is not None:
                return node._maxlevel
            if node.data is not None and node.wavelet is not None:
                data = as_array(node.data)
                return node.level + useful_levels(data, node.wavelet, node.axes)
        return None

    # --- decomposition and reconstruction --------------------------------------------------------

    def decompose(self) -> tuple[BaseNode | None, ...]:
        """Compute the coefficients of all subnodes by a transform of one level.

        Returns
        -------
        tuple of BaseNode
            The subnodes, in the order of ``PARTS``. Existing ones are replaced. Subnodes of a node
            without data have no data.

        Raises
        ------
        LevelError
            If the node is on the last level (a :class:`ValueError`).
        """
        self._decompose(set(self._subnodes))
        return tuple(self._subnodes.values())

    def _decompose(self, parts: set[str]) -> None:
        """Compute some of the subnodes."""
        if self.maxlevel is not None and self.level >= self.maxlevel:
            raise LevelError(
                f"Maximum decomposition level reached: node {self.path!r} is on the last of "
                f"{self.maxlevel} levels"
            )
        bands = {} if self.is_empty else self._analysed()
        for part in self._subnodes:
            if part in parts and (bands or self._subnodes[part] is None):
                self._subnodes[part] = self._new_subnode(part, bands.get(part))

    def reconstruct(self, update: bool = False) -> Any:
        """Return the coefficients of the node, from those of its subnodes.

        Parameters
        ----------
        update : bool, optional
            Whether to replace the data of this node by the result.

        Returns
        -------
        array
            The coefficients, in the shape of the data with which the node was created. If the node
            has no subnodes, its data. Missing subnodes count as zero.

        Raises
        ------
        ShapeError
            If all subnodes lack data, or they do not fit together (a :class:`ValueError`).
        """
        if not has_any(self._subnodes):
            return self.data
        bands = {
            part: None if node is None else node.reconstruct()
            for part, node in self._subnodes.items()
        }
        if not has_any(bands):
            raise ShapeError(f"cannot reconstruct node {self.path!r}: its subnodes have no data")
        data = self._synthesised(bands)
        if self._data_shape is not None:
            data = trimmed(data, self._data_shape)
        if update:
            self.data = data
        return data

    # --- access to nodes -------------------------------------------------------------------------

    def get_subnode(self, part: str, decompose: bool = True) -> BaseNode | None:
        """Return a subnode.

        Parameters
        ----------
        part : str
            Its name, one of ``PARTS``.
        decompose : bool, optional
            Whether to compute the subnodes that do not exist, if the node has data.

        Returns
        -------
        BaseNode or None
            The subnode; ``None`` if it does not exist and is not computed.

        Raises
        ------
        PathError
            If no subnode can have the name (a :class:`ValueError`).
        """
        self._check_part(part)
        if flag(decompose, "decompose") and self._subnodes[part] is None and not self.is_empty:
            self._decompose({name for name, node in self._subnodes.items() if node is None})
        return self._subnodes[part]

    def _check_part(self, part: str) -> None:
        if not isinstance(part, str) or part not in self._subnodes:
            names = ", ".join(map(repr, self._subnodes))
            raise PathError(f"Subnode name must be in [{names}], not {part!r}.")

    def __getitem__(self, path: str | tuple[str, ...]) -> Any:
        """The node at a path below this node. Missing nodes are computed.

        Raises
        ------
        PathError
            If the path is too long or names no node (an :class:`IndexError` and a
            :class:`ValueError`); if it is not text, or the node cannot be computed (also a
            :class:`TypeError`).
        """
        node: BaseNode | None = self
        for part in self._parts_of(path):
            node = node.get_subnode(part) if node is not None else None
        if node is None:
            raise PathTypeError(
                f"node {path!r} does not exist, and cannot be computed, because the nodes above it "
                "have no data"
            )
        return node

    def __setitem__(self, path: str | tuple[str, ...], data: ArrayLike | BaseNode) -> None:
        """Set the coefficients of the node at a path, from an array or from another node."""
        node: BaseNode = self
        for part in self._parts_of(path):
            subnode = node.get_subnode(part, False)
            if subnode is None:
                subnode = node._subnodes[part] = node._new_subnode(part, None)
            node = subnode
        values = data.data if isinstance(data, BaseNode) else data
        node.data = coefficients(values, node.wavelet, node.axes)

    def __delitem__(self, path: str | tuple[str, ...]) -> None:
        """Remove the node at a path from the tree. Its data and its subnodes are unchanged."""
        node = self[path]
        parent, node.parent = node.parent, None
        if parent is not None:
            parent._subnodes[node.node_name] = None

    def _parts_of(self, path: str | tuple[str, ...]) -> list[str]:
        """The names of the nodes on a path, after a check of its length."""
        text, step, most = path_text(path), self.PART_LEN, self.maxlevel
        if most is not None and len(self.path) + len(text) > most * step:
            raise PathError(
                f"Path length is out of range: {text!r} below node {self.path!r} is deeper than "
                f"the {most} levels of the tree"
            )
        return list(text) if step == 1 else [text[k : k + step] for k in range(0, len(text), step)]

    # --- traversal -------------------------------------------------------------------------------

    def get_leaf_nodes(self, decompose: bool = False) -> list[BaseNode]:
        """Return the leaves below this node.

        Parameters
        ----------
        decompose : bool, optional
            Whether to compute the whole tree first.

        Returns
        -------
        list of BaseNode
            The nodes without subnodes, from left to right.
        """
        leaves: list[BaseNode] = []
        decompose = flag(decompose, "decompose")

        def collect(node: BaseNode) -> bool:
            is_last = node.level == node.maxlevel and not node.is_empty
            is_leaf = is_last or (not decompose and not node.has_any_subnode)
            if is_leaf:
                leaves.append(node)
            return not is_leaf

        self._walk(collect, decompose)
        return leaves

    def walk(
        self,
        func: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        decompose: bool = True,
    ) -> None:
        """Call a function for each node, before its subnodes.

        Parameters
        ----------
        func : callable
            ``func(node, *args, **kwargs)``. The subnodes are only visited if it returns a true
            value.
        args, kwargs : optional
            Further arguments of the function.
        decompose : bool, optional
            Whether to compute nodes that do not exist.
        """
        check_function(func, args, kwargs)
        self._walk(partial(called, func, args, kwargs or {}), decompose)

    def _walk(self, visit: Callable[[BaseNode], Any], decompose: bool) -> None:
        if visit(self):
            for node in self._next_nodes(decompose):
                node._walk(visit, decompose)

    def walk_depth(
        self,
        func: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        decompose: bool = True,
    ) -> None:
        """Call a function for each node, after its subnodes.

        Parameters
        ----------
        func : callable
            ``func(node, *args, **kwargs)``.
        args, kwargs : optional
            Further arguments of the function.
        decompose : bool, optional
            Whether to compute nodes that do not exist.
        """
        check_function(func, args, kwargs)
        self._walk_depth(partial(called, func, args, kwargs or {}), decompose)

    def _walk_depth(self, visit: Callable[[BaseNode], Any], decompose: bool) -> None:
        for node in self._next_nodes(decompose):
            node._walk_depth(visit, decompose)
        visit(self)

    def _next_nodes(self, decompose: bool) -> Iterator[BaseNode]:
        if self.maxlevel is None or self.level < self.maxlevel:
            for part in self._subnodes:
                node = self.get_subnode(part, decompose)
                if node is not None:
                    yield node

    def __str__(self) -> str:
        return f"{self.path}: {self.data}"


def _ancestors(node: BaseNode | None) -> Iterator[BaseNode]:
    """The node, then its parents up to the root."""
    while node is not None:
        yield node
        node = node.parent


def _descendants(node: BaseNode) -> Iterator[BaseNode]:
    """All existing nodes below a node, each before its own subnodes."""
    for subnode in node._subnodes.values():
        if subnode is not None:
            yield subnode
            yield from _descendants(subnode)
