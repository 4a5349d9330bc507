"""Wavelet packets as arrays: all packets of a level at once, and the packets of a basis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftwave._execute import execute, graph_node
from liftwave._plan.arguments import natural_level
from liftwave._typing import Array, ArrayT, Data, Modes
from liftwave.errors import ShapeError
from liftwave.packets import calls
from liftwave.packets.order import check_order, frequency_place
from liftwave.packets.packet_tree import PacketTree, sampling_frequency
from liftwave.wavelets.resolve import Wavelets


@graph_node
def wpdec(
    data: Data[ArrayT],
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    level: int | None = None,
    axes: Sequence[int] | int | None = -1,
    *,
    order: str = "freq",
    full: bool = False,
    tree: PacketTree | Sequence[str] | None = None,
) -> Any:
    r"""Wavelet packet decomposition into arrays.

    Parameters
    ----------
    data : array_like
        Signal, image, or n-D array, or a batch of these. An array of any library.
    wavelet : wavelet, or sequence of wavelets
        As for :func:`dwtn`. With lifting schemes, modes other than ``"periodization"`` need lengths
        that ``2**level`` divides.
    mode : str, or sequence of str, optional
        Boundary mode, or one per axis.
    level : int, optional
        The number of levels; by default :func:`dwtn_max_level`.
    axes : int or sequence of int, optional
        The axes to transform; ``None`` means all.
    order : {"freq", "natural"}, optional
        The order of packets: with increasing frequency, or from left to right in the tree.
    full : bool, optional
        Whether to return the packets of all levels.
    tree : PacketTree, optional
        The basis whose packets are returned, in place of ``level``.

    Returns
    -------
    array or list of array
        The packets of the last level, of shape ``(…, 2**level, …)``: for each transformed axis
        there is an index of the packet, in front of the first transformed axis. With ``full``, a
        list of such arrays for the levels from 0 on. With ``tree``, a list with the coefficients of
        each leaf, in the order of ``tree.leaves``.

    Raises
    ------
    WaveletError, ModeError, AxisError, LevelError, ShapeError, OrderError, OptionError, DTypeError
        If an argument is not valid. All but the last are :class:`ValueError`.

    See Also
    --------
    wprec : The inverse.
    packet_bands : The frequency band of each packet.
    WaveletPacket : Packets as a tree, as in PyWavelets.

    Notes
    -----
    Each packet of level :math:`j` is split by :func:`dwtn` into packets of level :math:`j + 1`
    [1]_. The packet on place :math:`f` of the frequency order contains the frequencies from
    :math:`f F / 2^{J+1}` to :math:`(f + 1) F / 2^{J+1}`, where :math:`F` is the sampling
    frequency. It is the packet :math:`f \oplus \lfloor f / 2 \rfloor` of the natural order, because
    each high-pass filter mirrors the frequencies (Gray code).

    References
    ----------
    .. [1] M. V. Wickerhauser, "Adapted Wavelet Analysis from Theory to Software", A K Peters, 1994.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.sin(2 * np.pi * 100 * np.arange(512) / 1000)  # 100 Hz, sampled with 1000 Hz
    >>> packets = lw.wpdec(x, "db8", "periodization", level=4)
    >>> packets.shape
    (16, 32)
    >>> energy = (packets**2).sum(axis=-1)
    >>> lw.packet_bands(4, fs=1000.0)[energy.argmax()].tolist()
    [93.75, 125.0]
    """
    return execute(calls.wpdec(data, wavelet, mode, level, axes, order=order, full=full, tree=tree))


@graph_node
def wprec(
    packets: Any,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = -1,
    *,
    shape: Sequence[int] | int | None = None,
    order: str = "freq",
    tree: PacketTree | Sequence[str] | None = None,
) -> Array:
    """Reconstruct data from wavelet packets: the inverse of :func:`wpdec`.

    Parameters
    ----------
    packets : array, or sequence of array
        The packets of one level in one array. With ``tree``, the packets of its leaves.
    wavelet, mode, axes, order, tree
        As passed to :func:`wpdec`.
    shape : int or sequence of int, optional
        The shape of the data, or the length of a single transformed axis. By default the lengths
        are the largest that belong to the packets: they are even.

    Returns
    -------
    array
        The data.

    Raises
    ------
    WaveletError, ModeError, AxisError, ShapeError, OrderError, DTypeError
        If an argument is not valid, or the packets do not belong to data of this shape.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.arange(15.0)
    >>> packets = lw.wpdec(x, "db2", level=2)
    >>> bool(np.allclose(lw.wprec(packets, "db2", shape=x.shape), x))
    True
    """
    return execute(calls.wprec(packets, wavelet, mode, axes, shape=shape, order=order, tree=tree))


def packet_bands(level: int, fs: float = 1.0, order: str = "freq") -> NDArray[np.float64]:
    """Return the frequency band of each packet of a level, for ideal filters.

    Parameters
    ----------
    level : int
        The level, at most 24.
    fs : float, optional
        The sampling frequency.
    order : {"freq", "natural"}, optional
        The order of packets, as for :func:`wpdec`.

    Returns
    -------
    ndarray, shape (2**level, 2)
        The lowest and the highest frequency, in the unit of ``fs``.

    Raises
    ------
    LevelError, ShapeError, OrderError
        If an argument is not valid.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.packet_bands(2, fs=8000.0).tolist()
    [[0.0, 1000.0], [1000.0, 2000.0], [2000.0, 3000.0], [3000.0, 4000.0]]
    >>> lw.packet_bands(2, fs=8000.0, order="natural")[2].tolist()
    [3000.0, 4000.0]
    """
    depth, rate, named = natural_level(level), sampling_frequency(fs), check_order(order)
    if depth > 24:
        raise ShapeError(f"level {depth} has 2**{depth} packets: too many")
    places = np.arange(2**depth)
    if named == "natural":
        places = np.array([frequency_place(int(k)) for k in places])
    edges: NDArray[np.float64] = np.stack([places, places + 1], axis=-1) * (rate / 2 ** (depth + 1))
    return edges
