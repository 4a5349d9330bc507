"""Wavelet packets as modules: all packets of the last level in one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from liftwave._bridge.memory_formats import format_of, in_format
from liftwave._numbers import lengths
from liftwave._typing import Modes
from liftwave.errors import ShapeError, ShapeTypeError
from liftwave.packets.arrays import wpdec, wprec
from liftwave.packets.order import Order, check_order
from liftwave.torch._typing import Learning, Packed
from liftwave.torch.docstrings import documented
from liftwave.torch.transform_layers import AnalysisLayer, LayerWavelet, SynthesisLayer
from liftwave.torch.transforms import Decimated


class _Packets(Decimated):
    """The arguments of a transform to packets."""

    options = ("mode", "order", "output")
    outputs = ("stack", "concat")

    def __init__(
        self,
        wavelet: LayerWavelet = "haar",
        level: int = 1,
        mode: Modes = "symmetric",
        *,
        order: Order = "freq",
        learn: Learning | None = None,
        random: bool = False,
        output: Packed = "stack",
        groups: int = 1,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(wavelet, level, mode, learn, random, output, groups, device, dtype)
        self.order = check_order(order)


class _Analysis(_Packets, AnalysisLayer):
    """The analysis."""

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor: ...
        def inverse(self) -> _Synthesis: ...

    def forward(self, x: Tensor) -> Tensor:
        """The packets of signals of shape (C, …) or (N, C, …)."""
        self._check_dimensions(x, "signals")
        packets: Tensor = self._grouped(x)
        if self.output == "stack":
            return packets
        dims, first = self.dimensions, x.ndim - self.dimensions
        if format_of(x) is None:
            return packets.movedim(first - 1, first + dims - 1).flatten(first - 1, first + dims - 1)
        nodes, last = (*range(first, first + dims), first - 1), tuple(range(-dims - 1, 0))
        return packets.movedim(nodes, last).flatten(-dims - 1).movedim(-1, first - 1)

    def _analyse(self, x: Tensor, wavelet: Any) -> Tensor:
        packets: Tensor = wpdec(x, wavelet, self.mode, self.level, self._axes, order=self.order)
        return packets


class _Synthesis(_Packets, SynthesisLayer):
    """The synthesis."""

    if TYPE_CHECKING:

        def __call__(self, packets: Tensor, output_size: Sequence[int] | None = None) -> Tensor: ...

    def forward(self, packets: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """The signal that has these packets, with the spatial lengths ``output_size``."""
        dims = self.dimensions
        if self.output == "concat":
            packets = self._unflattened(packets)
        self._check_dimensions(packets, "packets", node_axes=dims)
        nodes = packets.shape[-2 * dims : -dims]
        if any(count != 2**self.level for count in nodes):
            raise ShapeError(
                f"{type(self).__name__} of {self.level} levels takes {2**self.level} nodes along "
                f"each axis, got shape {tuple(packets.shape)}"
            )
        size = None if output_size is None else self._lengths(output_size)

        def synthesise(packets: Tensor, wavelet: Any) -> Tensor:
            shape = None if size is None else (*packets.shape[: packets.ndim - 2 * dims], *size)
            options: Any = {"shape": shape, "order": self.order}
            signal: Tensor = wprec(packets, wavelet, self.mode, self._axes, **options)
            return signal

        return self._grouped(packets, synthesise, dims)

    def _unflattened(self, packets: Tensor) -> Tensor:
        """Packets with axes of nodes, from packets along the channels.

        Raises
        ------
        ShapeError, ArgumentTypeError
            If the channels are not those of all packets.
        """
        self._check_dimensions(packets, "packets")
        axis, nodes = packets.ndim - self.dimensions - 1, (2**self.level,) * self.dimensions
        if packets.shape[axis] % prod(nodes):
            raise ShapeError(
                f"{type(self).__name__} with output='concat' takes {prod(nodes)} packets along "
                f"the channels, got shape {tuple(packets.shape)}"
            )
        before, after = packets.shape[:axis], packets.shape[axis + 1 :]
        memory_format = format_of(packets)
        packets = packets.reshape(*before, *nodes, -1, *after)
        packets = packets.movedim(axis + self.dimensions, axis)
        return packets if memory_format is None else self._with_last_channels(packets)

    def _with_last_channels(self, packets: Tensor) -> Tensor:
        """Packets of images with the channels last in memory."""
        (flat,) = in_format([packets.flatten(2, 3)], torch.channels_last_3d)
        return flat.reshape(*flat.shape[:2], *packets.shape[2:4], *flat.shape[3:])

    def _lengths(self, output_size: Sequence[int]) -> tuple[int, ...]:
        size = lengths(output_size, "output_size", ShapeTypeError)
        if len(size) != self.dimensions:
            raise ShapeError(
                f"output_size must have one length for each of {self.dimensions} axes, got {size}"
            )
        return size


# --- layers --------------------------------------------------------------------------------------

_PACKETS = """
Parameters
----------
$wavelet_parameters
$mode_parameter
order : {"freq", "natural"}, optional
    The order of packets: with increasing frequency, or from left to right in the tree.
$learn_parameters
output : {"stack", "concat"}, optional
    Whether nodes have their own axes (default), or packets are joined along the channels: all
    channels of the first packet, then those of the second.
$groups_parameter

Raises
------
WaveletError, ModeError, LevelError, OrderError, ConstraintError, OptionError
    If the wavelet, mode, level or order does not exist, or ``learn`` does not support the wavelet.
    The call raises :class:`ShapeError` if its input does not fit.
"""

_WAVELET_PACKET = (
    _PACKETS
    + """
See Also
--------
liftwave.wpdec : the function.
liftwave.packet_bands : the frequency band of each packet.
I$layer : the inverse layer; ``packets.inverse()`` returns it, with the same (shared)
    wavelet.

Notes
-----
Input: shape $shape.
Output: as from ``lw.wpdec`` with ``axes=$split_axes``, one tensor of shape
$packets.
For an input of n samples along an axis, each packet has about n / 2**level samples.

With a lifting scheme, modes other than ``"periodization"`` need lengths that ``2**level`` divides.

$transform_notes

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer
>>> packets = $layer("db2", level=2, mode="periodization", learn="orthonormal")
>>> y = packets(torch.randn($sizes))
>>> tuple(y.shape)
($split)
>>> [tuple(p.shape) for p in packets.parameters()]  # the angles
[(1,)]
"""
)

_INVERSE = (
    _PACKETS
    + """
See Also
--------
liftwave.wprec : the function.
WaveletPacket${d}d : the transform; its method ``inverse()`` returns the inverse with the same
    (shared) wavelet.

Notes
-----
Call it with the result of the transform, of shape
$packets.
By default, the lengths of the signal are the largest that belong to the packets. For other lengths,
also pass ``output_size=x.shape[-$d:]``.

Examples
--------
>>> import torch
>>> from liftwave.torch import WaveletPacket${d}d, $layer
>>> x = torch.randn($odd)
>>> packets = WaveletPacket${d}d("haar", level=2)(x)
>>> y = $layer("haar", level=2)(packets, output_size=x.shape[-$d:])
>>> torch.allclose(y, x, atol=1e-5)
True
"""
)


@documented(_INVERSE)
class IWaveletPacket1d(_Synthesis):
    """Inverse 1-D wavelet packet transform as a layer."""

    dimensions = 1


@documented(_INVERSE)
class IWaveletPacket2d(_Synthesis):
    """Inverse 2-D wavelet packet transform as a layer."""

    dimensions = 2


@documented(_WAVELET_PACKET)
class WaveletPacket1d(_Analysis):
    """1-D wavelet packet transform as a layer."""

    dimensions = 1
    inverse_type = IWaveletPacket1d


@documented(_WAVELET_PACKET)
class WaveletPacket2d(_Analysis):
    """2-D wavelet packet transform as a layer."""

    dimensions = 2
    inverse_type = IWaveletPacket2d
