"""Wavelet packet trees: the roots, with PyWavelets' names and signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from liftwave._arrays.convert import as_array
from liftwave._numbers import items, whole_number
from liftwave._plan.arguments import (
    modes_per_axis,
    natural_level,
    normalize_axes,
    normalize_axis,
    resolve_mode,
    useful_level,
)
from liftwave._plan.lengths import check_interval, check_lifting_mode
from liftwave._typing import ArrayLike, Mode, ModeLike, Modes
from liftwave.errors import AxisError, AxisTypeError, LevelError, ShapeError
from liftwave.packets.base_node import BaseNode
from liftwave.packets.node_arguments import axes_of
from liftwave.packets.nodes import Node, Node2D, NodeND
from liftwave.packets.order import check_order, frequency_paths
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import (
    Resolved,
    WaveletLike,
    Wavelets,
    as_pywt,
    resolve_wavelet,
    wavelets_per_axis,
)


class WaveletPacket(Node):
    """Wavelet packets of a signal: a tree of nodes that are computed when they are first used.

    Parameters
    ----------
    data : array_like or None
        The signal, or a batch of signals. ``None`` creates an empty tree, whose nodes you can set.
    wavelet : wavelet
        As for :func:`dwt`.
    mode : str, optional
        Boundary mode.
    maxlevel : int, optional
        The largest level; by default :func:`dwt_max_level`.
    axis : int, optional
        The axis to transform; all others are batch axes.

    Raises
    ------
    WaveletError, ModeError, AxisError, LevelError, DTypeError
        If an argument is not valid.

    See Also
    --------
    wpdec : The nodes of a level as one array.

    Notes
    -----
    ``tree[path]`` is a node, ``tree[path] = data`` sets its coefficients, and ``del tree[path]``
    removes it. A path has one letter for each level, ``a`` (low-pass) or ``d`` (high-pass).
    Trees can be pickled, with all their nodes.

    Examples
    --------
    >>> import liftwave as lw
    >>> tree = lw.WaveletPacket([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], "haar")
    >>> tree["aa"].data.round(6).tolist()
    [5.0, 13.0]
    >>> [node.path for node in tree.get_level(2, "freq")]
    ['aa', 'ad', 'dd', 'da']
    >>> del tree["d"]
    >>> tree.reconstruct().round(6).tolist()
    [1.5, 1.5, 3.5, 3.5, 5.5, 5.5, 7.5, 7.5]
    """

    def __init__(
        self,
        data: ArrayLike | None,
        wavelet: WaveletLike,
        mode: ModeLike = "symmetric",
        maxlevel: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(None, data, "")
        self.axes = (
            whole_number(axis, "axis must be an integer", AxisTypeError)
            if self._data_shape is None
            else normalize_axis(axis, len(self._data_shape))
        )
        self.mode = mode
        _plant(self, (resolve_wavelet(wavelet),), (resolve_mode(mode),), maxlevel)

    def reconstruct(self, update: bool = True) -> Any:
        """Return the signal, from the coefficients of the existing nodes.

        Parameters
        ----------
        update : bool, optional
            Whether to replace the data of the root by the result.

        Returns
        -------
        array
            As for :meth:`Node.reconstruct`.
        """
        return super().reconstruct(update)

    def get_level(
        self, level: int, order: str = "natural", decompose: bool = True
    ) -> list[BaseNode]:
        """Return the nodes of a level.

        Parameters
        ----------
        level : int
            The level; at most ``maxlevel``.
        order : {"natural", "freq"}, optional
            ``"natural"``: from left to right in the tree. ``"freq"``: with increasing frequency.
        decompose : bool, optional
            Whether to compute nodes that do not exist. Otherwise the result omits them.

        Returns
        -------
        list of Node
            The nodes.

        Raises
        ------
        LevelError, OrderError
            If the tree does not have the level, or the order does not exist.
        """
        check_order(order)
        nodes = _nodes_of_level(self, level, decompose)
        if order == "natural":
            return nodes
        by_path = {node.path: node for node in nodes}
        return [by_path[path] for path in frequency_paths(level, "ad") if path in by_path]


class WaveletPacket2D(Node2D):
    """Wavelet packets of an image: a tree of nodes that are computed when they are first used.

    Parameters
    ----------
    data : array_like or None
        The image, or a batch of images. ``None`` creates an empty tree, whose nodes you can set.
    wavelet : wavelet, or 2-sequence of wavelets
        As for :func:`dwt2`.
    mode : str, or 2-sequence of str, optional
        Boundary mode. The default is PyWavelets', which differs from that of other functions.
    maxlevel : int, optional
        The largest level; by default :func:`dwtn_max_level`.
    axes : 2-sequence of int, optional
        The axes to transform, vertical first.

    Raises
    ------
    WaveletError, ModeError, AxisError, ShapeError, LevelError, DTypeError
        If an argument is not valid.

    See Also
    --------
    wpdec : The nodes of a level as one array.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> tree = lw.WaveletPacket2D(np.arange(64.0).reshape(8, 8), "haar", "symmetric")
    >>> tree["av"].data.round(6).tolist()
    [[-4.0, -4.0], [-4.0, -4.0]]
    >>> [[node.path for node in row] for row in tree.get_level(1, "freq")]
    [['a', 'v'], ['h', 'd']]
    """

    def __init__(
        self,
        data: ArrayLike | None,
        wavelet: Wavelets,
        mode: Modes = "smooth",
        maxlevel: int | None = None,
        axes: Sequence[int] = (-2, -1),
    ) -> None:
        super().__init__(None, data, "")
        self.axes = _integers(items(axes, "axes must be two integers", AxisTypeError))
        if len(set(self.axes)) != 2 or len(self.axes) != 2:
            raise AxisError(f"Expected two unique axes, got {self.axes}")
        if self._data_shape is not None and len(self._data_shape) < 2:
            raise ShapeError(
                f"WaveletPacket2D requires data with 2 or more dimensions, got {self._data_shape}"
            )
        self.mode = mode
        count = len(self.axes)
        _plant(self, wavelets_per_axis(wavelet, count), modes_per_axis(mode, count), maxlevel)

    def reconstruct(self, update: bool = True) -> Any:
        """Return the image, from the coefficients of the existing nodes.

        Parameters
        ----------
        update : bool, optional
            Whether to replace the data of the root by the result.

        Returns
        -------
        array
            As for :meth:`Node2D.reconstruct`.
        """
        return super().reconstruct(update)

    def get_level(self, level: int, order: str = "natural", decompose: bool = True) -> list[Any]:
        """Return the nodes of a level.

        Parameters
        ----------
        level : int
            The level; at most ``maxlevel``.
        order : {"natural", "freq"}, optional
            ``"natural"``: from left to right in the tree. ``"freq"``: a list of rows, with
            increasing frequency along the first axis. The nodes of each row have increasing
            frequency along the second axis.
        decompose : bool, optional
            Whether to compute nodes that do not exist. Otherwise the result omits them.

        Returns
        -------
        list of Node2D, or list of list of Node2D
            The nodes.

        Raises
        ------
        LevelError, OrderError
            If the tree does not have the level, or the order does not exist.
        """
        check_order(order)
        nodes = _nodes_of_level(self, level, decompose)
        if order == "natural":
            return nodes
        places = {self.expand_2d_path(node.path): node for node in nodes}
        paths = frequency_paths(level, "lh")
        rows = [[places[r, c] for c in paths if (r, c) in places] for r in paths]
        return [row for row in rows if row]


class WaveletPacketND(NodeND):
    """Wavelet packets of an n-D array: a tree of nodes that are computed when first used.

    Parameters
    ----------
    data : array_like or None
        Array of at least one dimension. ``None`` creates an empty tree, whose nodes you can set.
    wavelet : wavelet, or sequence of wavelets
        As for :func:`dwtn`.
    mode : str, or sequence of str, optional
        Boundary mode. The default is PyWavelets', which differs from that of other functions.
    maxlevel : int, optional
        The largest level; by default :func:`dwtn_max_level`.
    axes : int or sequence of int, optional
        The axes to transform; all by default. They are required without data.

    Raises
    ------
    WaveletError, ModeError, AxisError, ShapeError, LevelError, DTypeError
        If an argument is not valid.

    See Also
    --------
    wpdec : The nodes of a level as one array.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> tree = lw.WaveletPacketND(np.ones((8, 8, 8)), "haar", axes=(0, 2))
    >>> [node.path for node in tree.get_level(1)]
    ['aa', 'ad', 'da', 'dd']
    >>> tree["aa", "ad"].data.shape
    (2, 8, 2)
    """

    def __init__(
        self,
        data: ArrayLike | None,
        wavelet: Wavelets,
        mode: Modes = "smooth",
        maxlevel: int | None = None,
        axes: Sequence[int] | int | None = None,
    ) -> None:
        ndim = None if data is None else int(as_array(data).ndim)
        if ndim is None and axes is None:
            raise ShapeError("If data is None, axes must be specified")
        if ndim == 0:
            raise ShapeError("data must be at least 1D, got a 0-d array")
        named = tuple(range(ndim or 0)) if axes is None else _integers(axes_of(axes))
        if len(set(named)) != len(named) or not named:
            raise AxisError(f"Expected a set of unique axes, got {named}")
        super().__init__(None, data, "", len(named) if ndim is None else ndim, len(named))
        self.axes = named
        self.mode = mode
        count = len(self.axes)
        _plant(self, wavelets_per_axis(wavelet, count), modes_per_axis(mode, count), maxlevel)

    def reconstruct(self, update: bool = True) -> Any:
        """Return the array, from the coefficients of the existing nodes.

        Parameters
        ----------
        update : bool, optional
            Whether to replace the data of the root by the result.

        Returns
        -------
        array
            As for :meth:`NodeND.reconstruct`.
        """
        return super().reconstruct(update)

    def get_level(self, level: int, decompose: bool = True) -> list[BaseNode]:
        """Return the nodes of a level, from left to right in the tree.

        Parameters
        ----------
        level : int
            The level; at most ``maxlevel``.
        decompose : bool, optional
            Whether to compute nodes that do not exist. Otherwise the result omits them.

        Returns
        -------
        list of NodeND
            The nodes.

        Raises
        ------
        LevelError
            If the tree does not have the level.
        """
        return _nodes_of_level(self, level, decompose)


# --- common to all roots -------------------------------------------------------------------------


def _plant(
    root: Any, wavelets: tuple[Resolved, ...], modes: tuple[Mode, ...], maxlevel: int | None
) -> None:
    """Set the attributes that all nodes inherit, after a check of the arguments."""
    shape = root._data_shape
    for k, wavelet in enumerate(wavelets):
        if isinstance(wavelet, LiftingScheme):
            check_lifting_mode(wavelet, modes[k])
        elif modes[k] == "orthogonal":
            check_interval(wavelet)
    axes = () if shape is None else _axes_of_shape(root.axes, shape)
    root.data_size = shape
    root.wavelet = _as_attribute(wavelets)
    if maxlevel is not None:
        root._maxlevel = natural_level(maxlevel)
    elif shape is not None:
        root._maxlevel = useful_level([shape[axis] for axis in axes], wavelets)


def _axes_of_shape(axes: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of data of this shape. A tree of one axis has already normalized it."""
    return (axes,) if type(axes) is int else normalize_axes(axes, len(shape), unique=True)


def _as_attribute(wavelets: tuple[Resolved, ...]) -> Any:
    """One wavelet, or one for each axis if they differ, as PyWavelets' objects if possible."""
    if len(wavelets) == 1 or len(set(map(id, wavelets))) == 1:
        return as_pywt(wavelets[0])
    return tuple(map(as_pywt, wavelets))


def _nodes_of_level(root: BaseNode, level: int, decompose: bool) -> list[BaseNode]:
    depth, most = natural_level(level), root.maxlevel
    if most is not None and depth > most:
        raise LevelError(
            "The level cannot be greater than the maximum decomposition level value "
            f"({most}), got {depth}"
        )
    nodes: list[BaseNode] = []

    def collect(node: BaseNode) -> bool:
        if node.level == depth:
            nodes.append(node)
        return node.level < depth

    root._walk(collect, decompose)
    return nodes


def _integers(axes: Sequence[Any]) -> tuple[int, ...]:
    return tuple(whole_number(axis, "axes must be integers", AxisTypeError) for axis in axes)
