"""AdaPool whose blend is a gate that is computed from each region."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from liftwave._bridge.memory_formats import format_of, in_format
from liftwave._numbers import positive_number
from liftwave._plan.lengths import check_size
from liftwave._plan.windows import Size
from liftwave.errors import ShapeError
from liftwave.pooling import edscw_pool, soft_pool
from liftwave.torch.docstrings import documented
from liftwave.torch.inputs import check_axes, check_factory, check_real
from liftwave.torch.pooling_windows import WindowPool

_CONVOLUTIONS: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


class _GatedAdaPool(WindowPool):
    """The gate of AdaPool."""

    gate: Tensor

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        *,
        channels: int | None = None,
        per_channel: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode, per_channel)
        self.channels = (
            None if channels is None else positive_number(channels, "channels", ShapeError)
        )
        check_factory(device, dtype)
        shape = (self.channels or 1, *self.windows.kernel)
        check_size("the gate", shape)
        self.gate = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the gate to zero: both poolings have the share 1/2."""
        nn.init.zeros_(self.gate)

    def forward(self, x: Tensor) -> Tensor:
        """Pooled signals, of shape (C, …) or (N, C, …)."""
        share = self.share_of(x)
        similar: Tensor = edscw_pool(x, *self.windows, per_channel=self.per_channel)
        soft: Tensor = soft_pool(x, *self.windows)
        blended = (share * similar + (1 - share) * soft).to(similar.dtype)
        return in_format([blended], format_of(x))[0]

    def share_of(self, x: Tensor) -> Tensor:
        """The share of eDSCW in each region, between 0 and 1, of the shape of the result."""
        check_axes(self, x, self.channels)
        check_real(x)
        dims, lead, lengths = (
            self.dimensions,
            x.shape[: -self.dimensions],
            x.shape[-self.dimensions :],
        )
        kernel, stride, padding, dilation, _ = self.windows
        outputs, channels = self.windows.plan_for(x.shape).outputs, lead[-1]
        ends: list[int] = []  # from the last axis on, as torch's padding has them
        for axis in zip(outputs, kernel, stride, padding, dilation, lengths, strict=True):
            ends = [*_ends(*axis), *ends]
        gate = self.gate if self.gate.dtype.itemsize >= 4 else self.gate.float()
        padded = F.pad(x.to(gate.dtype), ends)
        planes = padded.reshape(-1, channels, *padded.shape[-dims:])
        taps = gate.expand(channels, *kernel).unsqueeze(1)
        options: Any = {"stride": stride, "dilation": dilation, "groups": channels}
        with torch.autocast(x.device.type, enabled=False):
            logits: Tensor = _CONVOLUTIONS[dims](planes, taps, **options)
        return logits.sigmoid().reshape(*lead, *outputs)

    def _own_repr(self) -> list[str]:
        parts = [f"channels={self.channels}"] * (self.channels is not None)
        return [*parts, *super()._own_repr()]


def _ends(
    count: int, kernel: int, stride: int, padding: int, dilation: int, length: int
) -> tuple[int, int]:
    """The zeros at both ends of an axis; a negative number removes samples of no window."""
    span = (count - 1) * stride + dilation * (kernel - 1) + 1
    return padding, span - padding - length


_GATED = r"""
Parameters
----------
$window_parameters
channels : int, optional
    The number of channels, to learn one gate per channel; all share one by default.
$per_channel
device, dtype : optional
    Device and dtype of the gate.

Raises
------
WindowError, ArgumentTypeError, ShapeError
    If the windows are not possible, or do not fit the input.

See Also
--------
AdaPool${d}d : shares that are learned, and do not depend on the input. With ``mask=False`` one
    share blends all regions ("mixed").
liftwave.pooling.ada_pool : the function, with the formulas of both poolings.

Notes
-----
$window_notes

.. math::
    y = \sigma(\omega \cdot a)\, y^{eDSCW} + (1 - \sigma(\omega \cdot a))\, y^{eM}

with the samples :math:`a` of a region and the learned gate :math:`\omega`, which has the size of
the windows and starts at zero. Places outside of the signal do not contribute. The gate is that of
mixed and gated pooling [1]_, for the poolings of AdaPool [2]_.

References
----------
.. [1] C.-Y. Lee, P. W. Gallagher, Z. Tu, "Generalizing pooling functions in convolutional neural
   networks: mixed, gated, and tree", AISTATS 2016.
.. [2] A. Stergiou, R. Poppe, "AdaPool: Exponential Adaptive Pooling for Information-Retaining
   Downsampling", IEEE Trans. Image Processing 32, 2023.

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer
>>> pool = $layer(2)
>>> tuple(pool(torch.randn($sizes)).shape)
($pooled)
"""


@documented(_GATED)
class GatedAdaPool1d(_GatedAdaPool):
    """AdaPool in 1-D with a share for each region, by a learned gate."""

    dimensions = 1


@documented(_GATED)
class GatedAdaPool2d(_GatedAdaPool):
    """AdaPool in 2-D with a share for each region, by a learned gate."""

    dimensions = 2


@documented(_GATED)
class GatedAdaPool3d(_GatedAdaPool):
    """AdaPool in 3-D with a share for each region, by a learned gate."""

    dimensions = 3
