"""Depthwise convolutions of the bands of a wavelet transform (WTConv)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from liftwave._numbers import flag, positive_number
from liftwave._plan.arguments import natural_level
from liftwave._plan.lengths import check_size
from liftwave._typing import Modes
from liftwave.errors import LevelError, ShapeError, WindowError
from liftwave.torch._typing import Learning
from liftwave.torch.docstrings import documented
from liftwave.torch.inputs import check_axes, check_factory, check_real
from liftwave.torch.layer_wavelets import is_learnable
from liftwave.torch.leaf import Layer
from liftwave.torch.transform_layers import LayerWavelet
from liftwave.torch.transforms import DWT1d, DWT2d, DWT3d

_CONVOLUTIONS: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}

# The paper's initial scale of the bands: training starts close to the base convolution.
_SCALE = 0.1


class _WTConv(Layer):
    """A base convolution, and one convolution of all bands for each level."""

    dimensions: ClassVar[int]
    transform_type: ClassVar[Any]

    def __init__(
        self,
        channels: int,
        kernel_size: int = 5,
        level: int = 1,
        wavelet: LayerWavelet = "haar",
        mode: Modes = "periodization",
        *,
        stride: int = 1,
        bias: bool = True,
        learn: Learning | None = None,
        random: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.channels = positive_number(channels, "channels", ShapeError)
        self.kernel_size = positive_number(kernel_size, "kernel_size", WindowError)
        if self.kernel_size % 2 == 0:
            raise WindowError(
                f"kernel_size must be odd, so that the size of bands does not change; got "
                f"{kernel_size}"
            )
        self.level = natural_level(level)
        if self.level < 1:
            raise LevelError(f"a layer needs at least one level, got {level}")
        self.stride = positive_number(stride, "stride", WindowError)
        check_factory(device, dtype)
        count, scalar = self.channels * 2**self.dimensions, (1,) * self.dimensions
        kernel = (count, *(self.kernel_size,) * self.dimensions)
        check_size("the kernels", kernel, (self.level, *kernel))
        factory: Any = {"device": device, "dtype": dtype}
        options: Any = {"learn": learn, "random": random, "output": "concat"}
        own = {} if is_learnable(wavelet) else factory
        self.dwt = self.transform_type(wavelet, 1, mode, **options, **own)
        self.idwt = self.dwt.inverse()
        self.base = self._depthwise(self.channels, flag(bias, "bias"), factory)
        self.base_scale = nn.Parameter(torch.ones(self.channels, *scalar, **factory))
        levels = range(self.level)
        self.convolutions = nn.ModuleList(self._depthwise(count, False, factory) for _ in levels)
        self.scales = nn.ParameterList(
            torch.full((count, *scalar), _SCALE, **factory) for _ in levels
        )

    def _depthwise(self, channels: int, bias: bool, factory: Any) -> nn.Module:
        sizes, options = (channels, channels, self.kernel_size), {"groups": channels, "bias": bias}
        kind = _CONVOLUTIONS[self.dimensions]
        convolution: nn.Module = kind(*sizes, padding="same", **options, **factory)
        return convolution

    def reset_parameters(self) -> None:
        """Reset a learnable wavelet, the convolutions (at random), and the scales."""
        for layer in (self.dwt, self.base, *self.convolutions):
            layer.reset_parameters()
        with torch.no_grad():
            self.base_scale.fill_(1.0)
            for scale in self.scales:
                scale.fill_(_SCALE)

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor: ...

    def forward(self, x: Tensor) -> Tensor:
        """Signals of shape (C, …) or (N, C, …), convolved."""
        check_axes(self, x, self.channels)
        check_real(x)
        y: Tensor = self.base_scale * self.base(x) + self._bands(x)
        if self.stride == 1:
            return y
        steps: list[Any] = [slice(None, None, self.stride)] * self.dimensions
        return y[(..., *steps)]

    def _bands(self, x: Tensor) -> Tensor:
        """The sum of the convolved bands of all levels, as a signal."""
        axis, sizes, levels = x.ndim - self.dimensions - 1, [], []
        for convolution, scale in zip(self.convolutions, self.scales, strict=True):
            sizes.append(x.shape[axis + 1 :])
            bands = self.dwt(x)
            x = bands.narrow(axis, 0, self.channels)
            levels.append(scale * convolution(bands))
        y = levels.pop()
        while levels:
            low = self.idwt(y, output_size=sizes.pop())
            bands = levels.pop()
            rest = bands.shape[axis] - self.channels
            parts = bands.split([self.channels, rest], axis)
            y = torch.cat([parts[0] + low, parts[1]], axis)
        signal: Tensor = self.idwt(y, output_size=sizes.pop())
        return signal

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        text = f"{self.channels}, kernel_size={self.kernel_size}, level={self.level}"
        return text if self.stride == 1 else f"{text}, stride={self.stride}"


_WT_CONV = r"""
Parameters
----------
channels : int
    Channels of the input and of the output. Each is convolved by itself.
kernel_size : int, optional
    Size of all kernels along each axis; odd.
level : int, optional
    Number of levels of the transform; 1 by default. Each level doubles the receptive field.
wavelet : str, pywt.Wavelet, FilterBank, LiftingScheme or LearnableWavelet
    The wavelet of all levels, in any form that the functions accept; ``"haar"`` by default.
mode : $mode, optional
    Boundary mode of the transform; ``"periodization"`` by default.
stride : int, optional
    Distance between the samples of the result; 1 by default.
bias : bool, optional
    Whether the base convolution has a bias.
$learn_parameters
device, dtype : optional
    Device and dtype of the parameters.

Raises
------
ShapeError, WindowError, LevelError, WaveletError, ModeError, ConstraintError
    If an argument is not valid. The call raises :class:`ShapeError` if its input does not fit.

See Also
--------
DWT${d}d : the transform.

Notes
-----
Input: shape $shape.
Output: the same shape, or every ``stride``-th sample along each axis.

With depthwise convolutions :math:`c_i` and scales :math:`s_i` for each channel and band, level
:math:`i` transforms the approximation of the level before:
:math:`(a_i, d_i) = W a_{i-1}`, :math:`(b_i, e_i) = s_i\, c_i(a_i, d_i)`. The inverse transform
computes :math:`z_i = W^{-1} (b_i + z_{i+1}, e_i)`, with :math:`z_{n+1} = 0`. The result is
:math:`s_0\, c_0(x) + z_1`. The scales start at :math:`s_0 = 1` and :math:`s_i = 0.1`.

A kernel of K taps covers about :math:`2^n K` samples of the input. The number of parameters grows
with the number of levels, not with the covered area.

References
----------
Finder, Amoyal, Treister and Freifeld, "Wavelet convolutions for large receptive fields",
ECCV 2024.

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer
>>> layer = $layer(3, kernel_size=3, level=2)
>>> layer(torch.randn($odd)).shape == ($odd)
True
"""


@documented(_WT_CONV)
class WTConv1d(_WTConv):
    """Depthwise convolution of signals with a large receptive field, by wavelets (WTConv)."""

    dimensions = 1
    transform_type = DWT1d


@documented(_WT_CONV)
class WTConv2d(_WTConv):
    """Depthwise convolution of images with a large receptive field, by wavelets (WTConv)."""

    dimensions = 2
    transform_type = DWT2d


@documented(_WT_CONV)
class WTConv3d(_WTConv):
    """Depthwise convolution of volumes with a large receptive field, by wavelets (WTConv)."""

    dimensions = 3
    transform_type = DWT3d
