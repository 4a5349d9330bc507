"""Nodes of wavelet packet trees of one, two and more axes, with PyWavelets' names."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from liftwave._numbers import whole_number
from liftwave._typing import Array, ArrayLike
from liftwave.errors import ShapeError, ShapeTypeError
from liftwave.packets.base_node import BaseNode
from liftwave.packets.node_arguments import axes_of
from liftwave.transforms.dwt import dwt, idwt
from liftwave.transforms.dwtn import dwt2, dwtn, idwt2, idwtn


class Node(BaseNode):
    """A node of a tree of one axis. Its subnodes are ``a`` (low-pass) and ``d`` (high-pass).

    Parameters
    ----------
    parent, data, node_name
        As for :class:`BaseNode`.

    Examples
    --------
    >>> import liftwave as lw
    >>> node = lw.WaveletPacket([1.0, 2.0, 3.0, 4.0], "haar")["ad"]
    >>> type(node).__name__, node.path, node.data.round(6).tolist()
    ('Node', 'ad', [-2.0])
    """

    A = "a"
    D = "d"
    PARTS = (A, D)

    @property
    def a(self) -> BaseNode | None:
        """The low-pass subnode, if it exists."""
        return self._subnodes["a"]

    @property
    def d(self) -> BaseNode | None:
        """The high-pass subnode, if it exists."""
        return self._subnodes["d"]

    def _new_subnode(self, part: str, data: Array | None) -> Node:
        return Node(self, data, part)

    def _analysed(self) -> dict[str, Array]:
        approx, detail = dwt(self.data, self.wavelet, self.mode, self.axes)
        return {"a": approx, "d": detail}

    def _synthesised(self, bands: Mapping[str, Array | None]) -> Array:
        return idwt(bands["a"], bands["d"], self.wavelet, self.mode, self.axes)


class Node2D(BaseNode):
    """A node of a tree of two axes. Its subnodes are ``a``, ``h``, ``v`` and ``d``.

    They are the four bands ``(cA, (cH, cV, cD))`` of :func:`dwt2`.

    Parameters
    ----------
    parent, data, node_name
        As for :class:`BaseNode`.

    Examples
    --------
    >>> import liftwave as lw
    >>> node = lw.WaveletPacket2D([[1.0, 1.0], [0.0, 0.0]], "haar")["h"]
    >>> type(node).__name__, node.data.round(6).tolist()
    ('Node2D', [[1.0]])
    """

    LL = "a"
    HL = "h"
    LH = "v"
    HH = "d"
    PARTS = (LL, HL, LH, HH)

    @property
    def a(self) -> BaseNode | None:
        """The subnode that is low-pass along both axes, if it exists."""
        return self._subnodes["a"]

    @property
    def h(self) -> BaseNode | None:
        """The subnode that is high-pass along the first axis, if it exists."""
        return self._subnodes["h"]

    @property
    def v(self) -> BaseNode | None:
        """The subnode that is high-pass along the second axis, if it exists."""
        return self._subnodes["v"]

    @property
    def d(self) -> BaseNode | None:
        """The subnode that is high-pass along both axes, if it exists."""
        return self._subnodes["d"]

    def expand_2d_path(self, path: str) -> tuple[str, str]:
        """Return the path of each axis.

        Parameters
        ----------
        path : str
            Names of nodes.

        Returns
        -------
        rows, columns : str
            The letters ``l`` (low-pass) and ``h`` (high-pass) of the first and the second axis.

        Raises
        ------
        PathError
            If no node can have the path.
        """
        parts = list(path) if isinstance(path, str) else []
        for part in parts if isinstance(path, str) else [path]:
            self._check_part(part)
        return "".join(_ROWS[p] for p in parts), "".join(_COLUMNS[p] for p in parts)

    def _new_subnode(self, part: str, data: Array | None) -> Node2D:
        return Node2D(self, data, part)

    def _analysed(self) -> dict[str, Array]:
        approx, details = dwt2(self.data, self.wavelet, self.mode, self.axes)
        return dict(zip("ahvd", (approx, *details), strict=True))

    def _synthesised(self, bands: Mapping[str, Array | None]) -> Array:
        coeffs = (bands["a"], (bands["h"], bands["v"], bands["d"]))
        return idwt2(coeffs, self.wavelet, self.mode, self.axes)


# Each node has 2**n subnodes.
_MOST_DIMENSIONS = 16

_ROWS = {"a": "l", "h": "h", "v": "l", "d": "h"}
_COLUMNS = {"a": "l", "h": "l", "v": "h", "d": "h"}


class NodeND(BaseNode):
    """A node of a tree of any number of axes. Its subnodes have the keys of :func:`dwtn`.

    Parameters
    ----------
    parent, data, node_name
        As for :class:`BaseNode`.
    ndim : int
        The number of dimensions of the data.
    ndim_transform : int
        The number of transformed axes.

    Attributes
    ----------
    PARTS : dict
        The subnodes by name; ``None`` for subnodes that do not exist.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> node = lw.WaveletPacketND(np.ones((4, 4, 4)), "haar")["aad"]
    >>> type(node).__name__, node.data.shape, list(node.PARTS)[:3]
    ('NodeND', (2, 2, 2), ['aaa', 'aad', 'ada'])
    """

    def __init__(
        self,
        parent: BaseNode | None,
        data: ArrayLike | None,
        node_name: str,
        ndim: int,
        ndim_transform: int,
    ) -> None:
        super().__init__(parent, data, node_name)
        self.ndim = _dimensions(ndim, "ndim")
        self.PART_LEN = self.ndim_transform = _dimensions(ndim_transform, "ndim_transform")
        names = map("".join, product("ad", repeat=self.PART_LEN))
        self.PARTS = self._subnodes = dict.fromkeys(names)

    def _new_subnode(self, part: str, data: Array | None) -> NodeND:
        return NodeND(self, data, part, self.ndim, self.ndim_transform)

    def _analysed(self) -> dict[str, Array]:
        return dwtn(self.data, self.wavelet, self.mode, axes_of(self.axes))

    def _synthesised(self, bands: Mapping[str, Array | None]) -> Array:
        return idwtn(bands, self.wavelet, self.mode, axes_of(self.axes))


def _dimensions(value: Any, name: str) -> int:
    number = whole_number(value, f"{name} must be an integer", ShapeTypeError)
    if not 0 < number <= _MOST_DIMENSIONS:
        raise ShapeError(f"{name} must be from 1 to {_MOST_DIMENSIONS}, got {number}")
    return number
