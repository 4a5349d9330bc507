"""Deterministic poolings with at most one learned number."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from examples.pooling_zoo._windows import windows
from liftwave.torch import DWT2d


class SkipPool2d(nn.Module):
    """Every ``stride``-th sample: after a convolution, the same as a convolution with that stride.

    References
    ----------
    Springenberg et al., "Striving for simplicity: the all convolutional net", ICLR workshop 2015.
    """

    def __init__(self, stride: int = 2) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, H // stride, W // stride)``."""
        rows, columns = (n // self.stride * self.stride for n in x.shape[-2:])
        return x[..., : rows : self.stride, : columns : self.stride]

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"stride={self.stride}"


class LpPool2d(nn.Module):
    r"""Power mean of the magnitudes with learned order :math:`p = 1 + \log(1 + e^\rho)`.

    .. math:: y = \Big(\frac 1 n \sum_{i \in R} |a_i|^p\Big)^{1/p}

    It ranges from the average of magnitudes (``p = 1``) to their maximum (``p`` to infinity).
    Windows of zeros have zero gradient.

    References
    ----------
    Gulcehre et al., "Learned-norm pooling for deep feedforward and recurrent neural networks",
    ECML 2014, section 2.
    """

    def __init__(self, kernel_size: int = 2, stride: int | None = None, p: float = 3.0) -> None:
        super().__init__()
        if not p > 1:
            raise ValueError(f"the order p of LpPool2d must be above 1 to be learned, got {p}")
        self.kernel_size = kernel_size
        self.stride = stride or kernel_size
        self.rho = nn.Parameter(torch.tensor(math.log(math.expm1(p - 1))))

    @property
    def p(self) -> torch.Tensor:
        """The current order."""
        return 1 + F.softplus(self.rho)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, H', W')``."""
        magnitudes = windows(x, self.kernel_size, self.stride).abs()
        # Division by the largest magnitude prevents overflow. The result does not depend on the
        # divisor, so it needs no gradient.
        largest = magnitudes.amax(-1, keepdim=True).detach()
        flat = largest == 0
        relative = magnitudes / largest.masked_fill(flat, 1)
        means = relative.pow(self.p).mean(-1).masked_fill(flat.squeeze(-1), 1)
        return largest.squeeze(-1) * means.pow(1 / self.p)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        order = self.p.detach().item()
        return f"kernel_size={self.kernel_size}, stride={self.stride}, p={order:.3g}"


class BlurPool2d(nn.Module):
    """A binomial filter, then every ``stride``-th sample of its output.

    References
    ----------
    Zhang, "Making convolutional networks shift-invariant again", ICML 2019, section 3.
    """

    taps: torch.Tensor

    def __init__(self, filter_size: int = 3, stride: int = 2) -> None:
        super().__init__()
        self.filter_size, self.stride = filter_size, stride
        row = torch.tensor([math.comb(filter_size - 1, k) for k in range(filter_size)])
        taps = row / 2.0 ** (filter_size - 1)
        self.register_buffer("taps", torch.outer(taps, taps))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, ceil(H / stride), ceil(W / stride))``."""
        before, after = (self.filter_size - 1) // 2, self.filter_size // 2
        around = (before, after, before, after)
        # Mirroring about the outer samples needs more samples than it adds.
        mode = "reflect" if min(x.shape[-2:]) > after else "replicate"
        channels = x.shape[1]
        weight = self.taps.to(x.dtype).expand(channels, 1, -1, -1)
        return F.conv2d(F.pad(x, around, mode), weight, stride=self.stride, groups=channels)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"filter_size={self.filter_size}, stride={self.stride}"


class MaxBlurPool2d(nn.Sequential):
    """Max pooling with stride 1, then :class:`BlurPool2d`.

    References
    ----------
    Zhang, "Making convolutional networks shift-invariant again", ICML 2019, section 3.2.
    """

    def __init__(self, kernel_size: int = 2, filter_size: int = 3, stride: int = 2) -> None:
        super().__init__(nn.MaxPool2d(kernel_size, stride=1), BlurPool2d(filter_size, stride))


class SpectralPool2d(nn.Module):
    """The lowest frequencies of the discrete Fourier transform, transformed back at a lower rate.

    For even output lengths, the highest frequency is the sum of a pair of the input's frequencies,
    so the result is real, and constants are preserved.

    References
    ----------
    Rippel, Snoek and Adams, "Spectral representations for convolutional neural networks",
    NIPS 2015, algorithm 1 (whose treatment of corner cases is the addition above).
    """

    def __init__(self, stride: int = 2) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, H // stride, W // stride)``."""
        for axis in (-2, -1):
            x = self._along(x, axis)
        return x

    def _along(self, x: torch.Tensor, axis: int) -> torch.Tensor:
        samples, kept = x.shape[axis], x.shape[axis] // self.stride
        spectrum = torch.fft.rfft(x, dim=axis, norm="forward")
        spectrum = spectrum.narrow(axis, 0, kept // 2 + 1)
        if kept % 2 == 0 and kept < samples:
            middle = spectrum.narrow(axis, kept // 2, 1)
            spectrum = torch.cat([spectrum.narrow(axis, 0, kept // 2), 2 * middle], dim=axis)
        return torch.fft.irfft(spectrum, n=kept, dim=axis, norm="forward")

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"stride={self.stride}"


class WaveletPool2d(nn.Module):
    """Two levels of the Haar transform, of which only the second is transformed back.

    The second level represents the first approximation completely, so the result is that
    approximation: twice the average of each window. (The paper defines a different backward pass.
    Here the gradient is that of the result.)

    References
    ----------
    Williams and Li, "Wavelet pooling for convolutional neural networks", ICLR 2018, section 3.
    """

    def __init__(self) -> None:
        super().__init__()
        self.transform = DWT2d("haar", mode="periodization")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, ceil(H / 2), ceil(W / 2))``."""
        approximation, _ = self.transform(x)
        return approximation


class PixelShuffle2d(nn.PixelUnshuffle):
    """The samples of each window as separate channels: invertible, without any reduction.

    References
    ----------
    Jacobsen, Smeulders and Oyallon, "i-RevNet: deep invertible networks", ICLR 2018, section 3.1.
    """

    def __init__(self, downscale_factor: int = 2) -> None:
        super().__init__(downscale_factor)
        self.growth = downscale_factor**2  # output channels per input channel
