"""Deterministic poolings with at most one learned number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from liftwave._bridge.tensors import HALF_PRECISION
from liftwave._numbers import real_number
from liftwave._plan.lengths import check_size
from liftwave._typing import Mode
from liftwave.errors import OptionError
from liftwave.torch.inputs import check_factory
from liftwave.torch.pooling_filters import pooled_bands
from liftwave.torch.pooling_wavelets import extended
from liftwave.torch.transforms import DWT2d
from liftwave.torch.zoo.windows import MapPool, WindowedPool, positive, windows
from liftwave.wavelets.filter_bank import FilterBank


class SkipPool2d(MapPool):
    """Every ``stride``-th sample: after a convolution, the same as a convolution with that stride.

    Parameters
    ----------
    stride : int, optional
        Distance of samples; 2 by default.

    References
    ----------
    Springenberg et al., "Striving for simplicity: the all convolutional net", ICLR workshop 2015.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import SkipPool2d
    >>> tuple(SkipPool2d(2)(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    settings = ("stride",)

    def __init__(self, stride: int = 2) -> None:
        super().__init__()
        self.stride = positive(stride, "stride")

    def _pooled(self, x: Tensor) -> Tensor:
        rows, columns = (n // self.stride * self.stride for n in x.shape[-2:])
        return x[..., : rows : self.stride, : columns : self.stride]


class LpPool2d(WindowedPool):
    r"""Power mean of the magnitudes with learned order :math:`p = 1 + \log(1 + e^\rho)`.

    .. math:: y = \Big(\frac 1 n \sum_{i \in R} |a_i|^p\Big)^{1/p}

    It ranges from the average of magnitudes (``p = 1``) to their maximum (``p`` to infinity).
    Windows of zeros have zero gradient.

    Parameters
    ----------
    kernel_size : int, optional
        Size of the windows; 2 by default.
    stride : int, optional
        Distance of windows; their size by default.
    p : float, optional
        The initial order, above 1.
    device, dtype : optional
        Device and dtype of the parameters; torch's defaults if not given.

    References
    ----------
    Gulcehre et al., "Learned-norm pooling for deep feedforward and recurrent neural networks",
    ECML 2014, section 2.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import LpPool2d
    >>> tuple(LpPool2d(2)(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    def __init__(
        self,
        kernel_size: int = 2,
        stride: int | None = None,
        p: float = 3.0,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(kernel_size, stride)
        check_factory(device, dtype)
        self._order = real_number(p, "the order p must be a number")
        if not self._order > 1:
            raise OptionError(f"the order p of LpPool2d must be above 1 to be learned, got {p}")
        self.rho = nn.Parameter(torch.empty((), device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reset the order."""
        nn.init.constant_(self.rho, math.log(math.expm1(self._order - 1)))

    @property
    def p(self) -> Tensor:
        """The current order."""
        return 1 + F.softplus(self.rho)

    def _pooled(self, x: Tensor) -> Tensor:
        magnitudes = windows(x, self.kernel_size, self.stride).abs()
        # Division by the largest magnitude prevents overflow. The result does not depend on the
        # divisor, so it needs no gradient.
        largest = magnitudes.amax(-1, keepdim=True).detach()
        flat = largest == 0
        relative = magnitudes / largest.masked_fill(flat, 1)
        means = relative.pow(self.p).mean(-1).masked_fill(flat.squeeze(-1), 1)
        return largest.squeeze(-1) * means.pow(1 / self.p)

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        return f"{super().extra_repr()}, p={self.p.detach().item():.3g}"


class BlurPool2d(MapPool):
    """A binomial filter, then every ``stride``-th sample of its output.

    Maps are mirrored about their outer samples.

    Parameters
    ----------
    filter_size : int, optional
        Number of taps; 3 by default.
    stride : int, optional
        Distance of samples; 2 by default. Other strides are convolutions of torch, which are
        several times slower than the kernels for stride 2.

    References
    ----------
    Zhang, "Making convolutional networks shift-invariant again", ICML 2019, section 3.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import BlurPool2d
    >>> tuple(BlurPool2d()(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    settings = ("filter_size", "stride")

    def __init__(self, filter_size: int = 3, stride: int = 2) -> None:
        super().__init__()
        self.filter_size = positive(filter_size, "filter_size")
        self.stride = positive(stride, "stride")
        check_size("the filter", (self.filter_size, self.filter_size))
        order = self.filter_size - 1
        self._taps = [math.comb(order, k) / 2**order for k in range(self.filter_size)]
        self._bank, self._start = _analysis_bank(self._taps)

    def _pooled(self, x: Tensor) -> Tensor:
        if self.stride != 2:
            return self._convolved(x)
        # A single sample has no others to mirror.
        modes: list[Mode] = ["constant" if n == 1 else "reflect" for n in x.shape[-2:]]
        (band,) = pooled_bands(x, self._bank, (), True, 2, modes)
        for axis in (-2, -1):
            band = band.narrow(axis, self._start, (x.shape[axis] + 1) // 2)
        return band

    def _convolved(self, x: Tensor) -> Tensor:
        for axis in (-2, -1):
            before, after = (self.filter_size - 1) // 2, self.filter_size // 2
            x = extended(x, axis, before, after, "reflect")
        taps = torch.as_tensor(self._taps, dtype=x.dtype, device=x.device)
        channels = x.shape[1]
        weight = torch.outer(taps, taps).expand(channels, 1, -1, -1)
        return F.conv2d(x, weight, stride=self.stride, groups=channels)


class _AnalysisBank(FilterBank):
    """A filter bank that is used without its synthesis."""

    @cached_property
    def warning(self) -> str | None:
        """Without a synthesis, none."""
        return None


def _analysis_bank(taps: Sequence[float]) -> tuple[FilterBank, int]:
    """The filter bank whose approximation has the outputs of :class:`BlurPool2d`, and their start.

    Output ``k`` of an analysis begins at sample ``2 k + 1``, that of the layer ``len(taps) // 2``
    samples after ``2 k``. A zero before the taps makes the difference even.
    """
    after = len(taps) // 2
    aligned = [*[0.0] * (1 - after % 2), *taps]
    aligned += [0.0] * (len(aligned) % 2)
    return _AnalysisBank(aligned, aligned, aligned, aligned, "binomial"), after // 2


class MaxBlurPool2d(MapPool):
    """Max pooling with stride 1, then :class:`BlurPool2d`.

    Parameters
    ----------
    kernel_size : int, optional
        Size of the windows of max pooling.
    filter_size, stride : int, optional
        As for :class:`BlurPool2d`.

    References
    ----------
    Zhang, "Making convolutional networks shift-invariant again", ICML 2019, section 3.2.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import MaxBlurPool2d
    >>> tuple(MaxBlurPool2d()(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    settings = ("kernel_size",)

    def __init__(self, kernel_size: int = 2, filter_size: int = 3, stride: int = 2) -> None:
        super().__init__()
        self.kernel_size = positive(kernel_size, "kernel_size")
        self.blur = BlurPool2d(filter_size, stride)

    def _pooled(self, x: Tensor) -> Tensor:
        return self.blur(F.max_pool2d(x, self.kernel_size, stride=1))


class SpectralPool2d(MapPool):
    """The lowest frequencies of the discrete Fourier transform, transformed back at a lower rate.

    For even output lengths, the highest frequency is the sum of a pair of the input's frequencies,
    so the result is real, and constants are preserved.

    Parameters
    ----------
    stride : int, optional
        The factor of both sizes; 2 by default.

    References
    ----------
    Rippel, Snoek and Adams, "Spectral representations for convolutional neural networks",
    NIPS 2015, algorithm 1 (whose treatment of corner cases is the addition above).

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import SpectralPool2d
    >>> tuple(SpectralPool2d(2)(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    settings = ("stride",)

    def __init__(self, stride: int = 2) -> None:
        super().__init__()
        self.stride = positive(stride, "stride")

    def _pooled(self, x: Tensor) -> Tensor:
        pooled = x.float() if x.dtype in HALF_PRECISION else x  # torch.fft has no half precision
        for axis in (-2, -1):
            pooled = self._along(pooled, axis)
        return pooled.to(x.dtype) if x.dtype in HALF_PRECISION else pooled

    def _along(self, x: Tensor, axis: int) -> Tensor:
        samples, kept = x.shape[axis], x.shape[axis] // self.stride
        spectrum = torch.fft.rfft(x, dim=axis, norm="forward")
        spectrum = spectrum.narrow(axis, 0, kept // 2 + 1)
        if kept % 2 == 0 and kept < samples:
            middle = spectrum.narrow(axis, kept // 2, 1)
            spectrum = torch.cat([spectrum.narrow(axis, 0, kept // 2), 2 * middle], dim=axis)
        result: Tensor = torch.fft.irfft(spectrum, n=kept, dim=axis, norm="forward")
        return result


class WaveletPool2d(MapPool):
    """Two levels of the Haar transform, of which only the second is transformed back.

    The second level represents the first approximation completely, so the result is that
    approximation: twice the average of each window. (The paper defines a different backward pass.
    Here the gradient is that of the result.)

    References
    ----------
    Williams and Li, "Wavelet pooling for convolutional neural networks", ICLR 2018, section 3.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import WaveletPool2d
    >>> tuple(WaveletPool2d()(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    def __init__(self) -> None:
        super().__init__()
        self.transform = DWT2d("haar", mode="periodization")

    def _pooled(self, x: Tensor) -> Tensor:
        approximation: Tensor = self.transform(x)[0]
        return approximation


class PixelShuffle2d(MapPool):
    """The samples of each window as separate channels, as by ``torch.nn.PixelUnshuffle``.

    The only loss are rows and columns that fill no window.

    Parameters
    ----------
    downscale_factor : int, optional
        The factor of both sizes; 2 by default.

    References
    ----------
    Jacobsen, Smeulders and Oyallon, "i-RevNet: deep invertible networks", ICLR 2018, section 3.1.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import PixelShuffle2d
    >>> tuple(PixelShuffle2d()(torch.rand(2, 4, 8, 8)).shape)
    (2, 16, 4, 4)
    """

    settings = ("downscale_factor",)

    def __init__(self, downscale_factor: int = 2) -> None:
        super().__init__()
        self.downscale_factor = positive(downscale_factor, "downscale_factor")
        self.growth = self.downscale_factor**2  # output channels per input channel

    def _pooled(self, x: Tensor) -> Tensor:
        factor = self.downscale_factor
        rows, columns = (n // factor * factor for n in x.shape[-2:])
        return F.pixel_unshuffle(x[..., :rows, :columns], factor)
