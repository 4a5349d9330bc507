"""Blocks of networks from the papers of the pooling layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from liftwave._numbers import flag, positive_number
from liftwave._plan.lengths import check_size
from liftwave._typing import ModeLike
from liftwave.errors import ShapeError
from liftwave.torch._typing import FilterLearning
from liftwave.torch.attention import EnergyAttention
from liftwave.torch.inputs import check_axes, check_factory, check_real, is_traced
from liftwave.torch.layer_wavelets import is_learnable
from liftwave.torch.pooling_wavelets import LDWPool2d
from liftwave.torch.wavelets import LearnableWavelet, Symmetry
from liftwave.wavelets.resolve import WaveletLike


class LDWBottleneck(nn.Module):
    r"""ResNet's bottleneck with LDW-Pooling on the shortcut.

    The main path: a 1x1 convolution with stride 2 to ``channels / 4``, one of 3x3, and 1x1 to
    ``channels``, each with batch normalisation. The shortcut: a 1x1 convolution to
    ``channels / 4``, and LDW-Pooling, whose four bands have ``channels`` channels again. Energy
    attention weights them.

    Parameters
    ----------
    in_channels : int
        Channels of the input.
    channels : int
        Channels of the output, a multiple of 4.
    attention : bool, optional
        Whether energy attention weights the bands.
    wavelet, learn, mode, penalty_weight, symmetry, orthonormal
        As for :class:`LDWPool2d`.
    device, dtype : optional
        Device and dtype of the parameters.

    Raises
    ------
    ShapeError
        If ``channels`` is not a multiple of 4.

    See Also
    --------
    LDWPool2d, EnergyAttention : the layers of the shortcut.

    Notes
    -----
    Input: shape (C, H, W) or (N, C, H, W). Output: ceil(H / 2) times ceil(W / 2) samples. In
    training, batch normalisation needs more than one value for each channel.

    References
    ----------
    LDW-Pooling, section 3.4 and figure 4.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import LDWBottleneck
    >>> tuple(LDWBottleneck(8, 16)(torch.randn(2, 8, 9, 8)).shape)
    (2, 16, 5, 4)
    """

    dimensions = 2

    def __init__(
        self,
        in_channels: int,
        channels: int,
        attention: bool = True,
        wavelet: int | WaveletLike | LearnableWavelet = 4,
        *,
        learn: FilterLearning | None = "filters",
        mode: ModeLike = "periodization",
        penalty_weight: float = 1.0,
        symmetry: Symmetry | None = None,
        orthonormal: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_channels = positive_number(in_channels, "in_channels", ShapeError)
        self.channels = positive_number(channels, "channels", ShapeError)
        if self.channels % 4:
            raise ShapeError(
                f"channels must be a multiple of 4, because the output has the channels of four "
                f"bands; got {channels}"
            )
        check_factory(device, dtype)
        narrow = self.channels // 4
        check_size("the kernels", (2, self.in_channels, narrow), (narrow, narrow, 3, 3))
        factory: Any = {"device": device, "dtype": dtype}
        self.through = nn.Sequential(
            nn.Conv2d(self.in_channels, narrow, 1, stride=2, bias=False, **factory),
            nn.BatchNorm2d(narrow, **factory),
            nn.ReLU(),
            nn.Conv2d(narrow, narrow, 3, padding=1, bias=False, **factory),
            nn.BatchNorm2d(narrow, **factory),
            nn.ReLU(),
            nn.Conv2d(narrow, self.channels, 1, bias=False, **factory),
            nn.BatchNorm2d(self.channels, **factory),
        )
        first = nn.Conv2d(self.in_channels, narrow, 1, bias=False, **factory)
        pool = LDWPool2d(
            wavelet,
            "concat",
            learn=learn,
            mode=mode,
            penalty_weight=penalty_weight,
            symmetry=symmetry,
            orthonormal=orthonormal,
            **({} if is_learnable(wavelet) else factory),
        )
        attended = flag(attention, "attention")
        last = EnergyAttention(self.channels, **factory) if attended else nn.Identity()
        self.shortcut = nn.Sequential(first, pool, last)

    def reset_parameters(self) -> None:
        """Reset all layers."""
        for layer in (*self.through, *self.shortcut):
            if callable(reset := getattr(layer, "reset_parameters", None)):
                reset()

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor:
            """As ``forward``; it also calls hooks."""

    def forward(self, x: Tensor) -> Tensor:
        """The result of both paths, of half the size."""
        if not is_traced(x):
            check_axes(self, x, self.in_channels)
            check_real(x)
        # Without branches, which torch.fx cannot trace: a batch, also of one map.
        batch = x.reshape((-1,) + x.shape[-3:])  # noqa: RUF005
        y = F.relu(self.through(batch) + self.shortcut(batch))
        return y.reshape(x.shape[:-3] + y.shape[-3:])
