"""Wavelet packets without downsampling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from liftwave._execute import execute, graph_node
from liftwave._typing import Array, ArrayT, Data
from liftwave.packets import calls
from liftwave.packets.packet_tree import PacketTree
from liftwave.wavelets.resolve import Wavelets


@graph_node
def swpdec(
    data: Data[ArrayT],
    wavelet: Wavelets,
    level: int | None = None,
    axes: Sequence[int] | int | None = -1,
    *,
    order: str = "freq",
    full: bool = False,
    tree: PacketTree | Sequence[str] | None = None,
    norm: bool = False,
) -> Any:
    r"""Undecimated (stationary) wavelet packet decomposition into arrays.

    No level is downsampled, so packets are as long as the data. They shift with the data: a shift
    of the data along a transformed axis is the same circular shift of all packets.

    Parameters
    ----------
    data : array_like
        Signal, image, or n-D array, or a batch of these, of any lengths. An array of any library.
    wavelet : wavelet, or sequence of wavelets
        As for :func:`swtn`, without lifting schemes.
    level : int
        The number of levels. It is required without ``tree``.
    axes : int or sequence of int, optional
        The axes to transform; ``None`` means all. They are periodic.
    order : {"freq", "natural"}, optional
        The order of packets: with increasing frequency, or from left to right in the tree.
    full : bool, optional
        Whether to return the packets of all levels.
    tree : PacketTree, optional
        The basis whose packets are returned, in place of ``level``.
    norm : bool, optional
        Whether the filters are divided by :math:`\sqrt 2`. Each level then preserves the energy of
        the data, if the wavelet is orthogonal.

    Returns
    -------
    array or list of array
        The packets of the last level, of shape ``(…, 2**level, …)``: for each transformed axis
        there is an index of the packet, in front of the first transformed axis. With ``full``, a
        list of such arrays for the levels from 0 on. With ``tree``, a list with the coefficients of
        each leaf, in the order of ``tree.leaves``.

    Raises
    ------
    WaveletError, AxisError, LevelError, ShapeError, OrderError, OptionError, DTypeError
        If an argument is not valid. All but the last are :class:`ValueError`.

    Warns
    -----
    NormWarning
        If ``norm`` is set, but a wavelet is not orthogonal.

    See Also
    --------
    swprec : The inverse.
    wpdec : Packets with downsampling.
    swtn : Splits only the approximation of each level.
    packet_bands : The frequency band of each packet.

    Notes
    -----
    Each packet of level :math:`j` is split by one level of :func:`swtn` with
    ``start_level=j`` [1]_. Packets of level :math:`J` contain those of :func:`wpdec` for all
    :math:`2^J` shifts of the data. Every :math:`2^J`-th coefficient is that of
    ``wpdec(data, wavelet, "periodization", J)`` if :math:`2^J` divides the length.

    References
    ----------
    .. [1] A. T. Walden and A. Contreras Cristán, "The phase-corrected undecimated discrete wavelet
       packet transform and its application to interpreting the timing of events",
       Proc. R. Soc. Lond. A 454, 2243-2266, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.sin(2 * np.pi * 100 * np.arange(500) / 1000)  # 100 Hz, sampled with 1000 Hz
    >>> packets = lw.swpdec(x, "db8", level=4)
    >>> packets.shape
    (16, 500)
    >>> energy = (packets**2).sum(axis=-1)
    >>> lw.packet_bands(4, fs=1000.0)[energy.argmax()].tolist()
    [93.75, 125.0]
    >>> shifted = lw.swpdec(np.roll(x, 3), "db8", level=4)
    >>> bool(np.allclose(shifted, np.roll(packets, 3, axis=-1)))
    True
    """
    return execute(
        calls.swpdec(data, wavelet, level, axes, order=order, full=full, tree=tree, norm=norm)
    )


@graph_node
def swprec(
    packets: Any,
    wavelet: Wavelets,
    axes: Sequence[int] | int | None = -1,
    *,
    order: str = "freq",
    tree: PacketTree | Sequence[str] | None = None,
    norm: bool = False,
) -> Array:
    """Reconstruct data from undecimated wavelet packets: the inverse of :func:`swpdec`.

    Parameters
    ----------
    packets : array, or sequence of array
        The packets of one level in one array. With ``tree``, the packets of its leaves.
    wavelet, axes, order, tree, norm
        As passed to :func:`swpdec`.

    Returns
    -------
    array
        The data. Changed packets are in general not the packets of any data. The result is then the
        mean of the reconstructions from the subsampled packets of all shifts, as in :func:`iswtn`.

    Raises
    ------
    WaveletError, AxisError, ShapeError, OrderError, CoefficientsError, DTypeError
        If an argument is not valid.

    Warns
    -----
    NormWarning
        If ``norm`` is set, but a wavelet is not orthogonal.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.arange(15.0)
    >>> packets = lw.swpdec(x, "db2", level=2)
    >>> bool(np.allclose(lw.swprec(packets, "db2"), x))
    True
    """
    return execute(calls.swprec(packets, wavelet, axes, order=order, tree=tree, norm=norm))
