"""Energy attention as a layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from liftwave._numbers import flag, positive_number
from liftwave._plan.lengths import check_size
from liftwave.errors import ShapeError
from liftwave.pooling.calls import EPSILON
from liftwave.torch.inputs import check_factory, check_real, check_tensor
from liftwave.torch.leaf import Layer


class _AnyBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Normalisation of channels, for any number of axes after them."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass


class _WideLinear(nn.Linear):
    """A linear layer that computes in the dtype of its input, not in that of its parameters.

    The sigmoid would turn the rounding of large sums into errors of many units of half precision.
    """

    def forward(self, input: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.to(input.dtype)
        return nn.functional.linear(input, self.weight.to(input.dtype), bias)


class EnergyAttention(Layer):
    """Weight channels by their energies, through a small network (squeeze and excitation).

    Parameters
    ----------
    channels : int
        Channels of the input.
    ratio : int, optional
        The factor by which the hidden layer is smaller than ``channels`` (its size is at least 1).
    normalize : bool, optional
        Whether to use the mean of the squares instead of their sum, so that one layer fits images
        of several sizes.
    dimensions : int, optional
        The number of axes after the channels.
    device, dtype : optional
        Device and dtype of the parameters; torch's defaults if not given.

    Raises
    ------
    ShapeError, ArgumentTypeError
        If a number is not positive, or not an integer.

    See Also
    --------
    liftwave.pooling.energy_attention : the function, with formulas.

    Notes
    -----
    Input and output: shape (C, …) or (N, C, …). Energies are computed from the batch-normalised
    input, in float32 even for half precision. The weights multiply the original input.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import EnergyAttention
    >>> EnergyAttention(64)(torch.randn(8, 64, 16, 16)).shape
    torch.Size([8, 64, 16, 16])
    """

    def __init__(
        self,
        channels: int,
        ratio: int = 16,
        normalize: bool = False,
        dimensions: int = 2,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_factory(device, dtype)
        self.channels = channels = positive_number(channels, "channels", ShapeError)
        self.ratio = positive_number(ratio, "ratio", ShapeError)
        self.normalize = flag(normalize, "normalize")
        self.dimensions = positive_number(dimensions, "dimensions", ShapeError)
        inner = max(channels // self.ratio, 1)
        check_size("the layers", (inner, channels), (channels, inner))
        factory: Any = {"device": device, "dtype": dtype}
        # Any of the three can be replaced by another module, such as nn.Identity.
        self.norm: nn.Module = _AnyBatchNorm(channels, eps=EPSILON, **factory)
        self.squeeze: nn.Module = _WideLinear(channels, inner, **factory)
        self.excite: nn.Module = _WideLinear(inner, channels, **factory)

    def reset_parameters(self) -> None:
        """Reset the normalisation and both linear layers."""
        for layer in (self.norm, self.squeeze, self.excite):
            if callable(reset := getattr(layer, "reset_parameters", None)):
                reset()

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor:
            """As ``forward``; it also calls hooks."""

    def forward(self, x: Tensor) -> Tensor:
        """The input, with each channel multiplied by its weight."""
        check_tensor(self, x)
        dims = self.dimensions
        batched = x.ndim == dims + 2
        if x.ndim not in (dims + 1, dims + 2) or x.shape[-dims - 1] != self.channels:
            raise ShapeError(
                f"EnergyAttention takes tensors of shape ({self.channels}, …) or "
                f"(N, {self.channels}, …) with {dims} spatial axes, got shape {tuple(x.shape)}"
            )
        with torch.autocast(x.device.type, enabled=False):
            wide = x.to(_wide_dtype(x))
            wide = wide if batched else wide.unsqueeze(0)
            weight = self._weights(wide)
            weight = weight.reshape(*weight.shape, *(1,) * dims)
            return ((weight if batched else weight.squeeze(0)) * x).to(x.dtype)

    def _weights(self, x: Tensor) -> Tensor:
        axes = tuple(range(2, x.ndim))
        squares = self._cast(self.norm, x).square()
        energy = squares.mean(axes) if self.normalize else squares.sum(axes)
        hidden = self._cast(self.squeeze, energy).relu()
        return self._cast(self.excite, hidden).sigmoid()

    @staticmethod
    def _cast(layer: nn.Module, x: Tensor) -> Tensor:
        """The result in the dtype of ``x``. Torch's modules compute in that of their parameters."""
        if isinstance(layer, _WideLinear):
            result: Tensor = layer(x)
            return result
        numbers = next((t for t in _numbers(layer) if t.is_floating_point()), x)
        result = layer(x.to(numbers.dtype))
        return result.to(x.dtype)

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        return f"{self.channels}, ratio={self.ratio}, normalize={self.normalize}"


def _numbers(layer: nn.Module) -> Iterator[Tensor]:
    """The parameters and buffers. Some layers have neither, or only buffers."""
    yield from layer.parameters()
    yield from layer.buffers()


def _wide_dtype(x: Tensor) -> torch.dtype:
    """The dtype of computations with ``x``: single or double precision."""
    check_real(x)
    if not x.is_floating_point():
        return torch.float64
    return torch.promote_types(x.dtype, torch.float32)
