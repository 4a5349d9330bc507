"""Poolings with parameters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from liftwave._numbers import flag, real_number
from liftwave._plan.lengths import check_size
from liftwave._plan.windows import window_arguments
from liftwave.torch.inputs import check_factory
from liftwave.torch.zoo.windows import (
    MapPool,
    WindowedPool,
    channel_count,
    per_channel,
    positive,
    windows,
)


class MixedPool2d(WindowedPool):
    r"""A learned mixture of max and average pooling.

    :math:`y = \alpha \max_i a_i + (1 - \alpha) \frac 1 n \sum_i a_i`, one :math:`\alpha` in [0, 1]
    for the layer.

    Parameters
    ----------
    kernel_size : int, optional
        Size of the windows; 2 by default.
    stride : int, optional
        Distance of windows; their size by default.
    device, dtype : optional
        Device and dtype of the parameters; torch's defaults if not given.

    References
    ----------
    Lee, Gallagher and Tu, "Generalizing pooling functions in convolutional neural networks: mixed,
    gated, and tree", AISTATS 2016, section 3.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import MixedPool2d
    >>> tuple(MixedPool2d(2)(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    def __init__(
        self,
        kernel_size: int = 2,
        stride: int | None = None,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(kernel_size, stride)
        check_factory(device, dtype)
        self.logit = nn.Parameter(torch.zeros((), device=device, dtype=dtype))

    def reset_parameters(self) -> None:
        """Reset the share of both poolings to 1/2."""
        nn.init.zeros_(self.logit)

    def _pooled(self, x: Tensor) -> Tensor:
        share = self.logit.sigmoid()
        highest = F.max_pool2d(x, self.kernel_size, self.stride)
        return share * highest + (1 - share) * F.avg_pool2d(x, self.kernel_size, self.stride)


class GatedPool2d(WindowedPool):
    r"""A mixture of max and average pooling with a gate computed from each window.

    .. math:: y = \sigma(\omega^T a) \max_i a_i + (1 - \sigma(\omega^T a)) \frac 1 n \sum_i a_i

    The layer has one gate :math:`\omega` of the window's size, or one for each of ``channels``.

    Parameters
    ----------
    kernel_size : int, optional
        Size of the windows; 2 by default.
    stride : int, optional
        Distance of windows; their size by default.
    channels : int, optional
        Number of channels, for one gate each; all share one by default.
    device, dtype : optional
        Device and dtype of the parameters; torch's defaults if not given.

    References
    ----------
    Lee, Gallagher and Tu, "Generalizing pooling functions in convolutional neural networks: mixed,
    gated, and tree", AISTATS 2016, section 3.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import GatedPool2d
    >>> tuple(GatedPool2d(2)(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    def __init__(
        self,
        kernel_size: int = 2,
        stride: int | None = None,
        channels: int | None = None,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(kernel_size, stride)
        check_factory(device, dtype)
        count = 1 if channels is None else channel_count(channels)
        shape = (count, self.kernel_size**2)
        check_size("the gate", shape)
        self.gate = nn.Parameter(torch.zeros(shape, device=device, dtype=dtype))

    def reset_parameters(self) -> None:
        """Set the gate to zero: both poolings have the share 1/2."""
        nn.init.zeros_(self.gate)

    def _pooled(self, x: Tensor) -> Tensor:
        samples = windows(x, self.kernel_size, self.stride)
        share = (samples * self.gate[:, None, None, :]).sum(-1).sigmoid()
        return share * samples.amax(-1) + (1 - share) * samples.mean(-1)


class DetailPreservingPool2d(WindowedPool):
    r"""Weights that grow with the distance from a smoothed version of the window (DPP).

    .. math::
        y = \frac{\sum_i w_i a_i}{\sum_i w_i}, \quad w_i = \alpha + \rho(a_i - \tilde a), \quad
        \rho(v) = \big(v^2 + \epsilon^2\big)^{\lambda / 2}

    with :math:`\alpha` and :math:`\lambda` positive and learned for each channel, and
    :math:`\max(v, 0)` for ``v`` when ``symmetric=False``, so that only values above the mean are
    emphasised. :math:`\tilde a` is the mean of the window ("DPP lite").

    Parameters
    ----------
    channels : int
        Channels of the input.
    kernel_size : int, optional
        Size of the windows; 2 by default.
    stride : int, optional
        Distance of windows; their size by default.
    symmetric : bool, optional
        Whether values below the mean have large weights, too.
    eps : float, optional
        :math:`\epsilon`.
    device, dtype : optional
        Device and dtype of the parameters; torch's defaults if not given.

    References
    ----------
    Saeedan et al., "Detail-preserving pooling in deep networks", CVPR 2018, section 3.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import DetailPreservingPool2d
    >>> tuple(DetailPreservingPool2d(4)(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 2,
        stride: int | None = None,
        symmetric: bool = True,
        eps: float = 1e-3,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(kernel_size, stride)
        check_factory(device, dtype)
        self.symmetric = flag(symmetric, "symmetric")
        self.eps = real_number(eps, "eps must be a number")
        count = channel_count(channels)
        self.log_alpha = nn.Parameter(torch.zeros(count, device=device, dtype=dtype))
        self.log_lambda = nn.Parameter(torch.zeros(count, device=device, dtype=dtype))

    def reset_parameters(self) -> None:
        """Reset both powers to 1."""
        nn.init.zeros_(self.log_alpha)
        nn.init.zeros_(self.log_lambda)

    def _pooled(self, x: Tensor) -> Tensor:
        samples = windows(x, self.kernel_size, self.stride)
        distance = samples - samples.mean(-1, keepdim=True)
        if not self.symmetric:
            distance = distance.relu()
        reward = (distance**2 + self.eps**2) ** (per_channel(self.log_lambda.exp()) / 2)
        weights = per_channel(self.log_alpha.exp()) + reward
        return (weights * samples).sum(-1) / weights.sum(-1)


class LocalImportancePool2d(MapPool):
    r"""Weights :math:`\exp G(a)` that a small network computes from the map (LIP).

    :math:`y = \sum_i a_i e^{G(a)_i} / \sum_i e^{G(a)_i}`. ``G`` is the simplest in the paper: a
    3x3 convolution, instance normalization, and a sigmoid times 12. The normalization's initial
    scale is zero, so that training starts with average pooling. Samples beyond the edge belong to
    no window.

    Parameters
    ----------
    channels : int
        Channels of the input.
    kernel_size, stride, padding : int, optional
        The windows; of 3 x 3 samples with stride 2 and padding 1 by default.
    gain : float, optional
        The largest logit.
    device, dtype : optional
        Device and dtype of the parameters; torch's defaults if not given.

    References
    ----------
    Gao, Wang and Wu, "LIP: local importance-based pooling", ICCV 2019, section 3.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import LocalImportancePool2d
    >>> tuple(LocalImportancePool2d(4)(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    settings = ("kernel_size", "stride", "padding")

    def __init__(
        self,
        channels: int,
        kernel_size: int = 3,
        stride: int = 2,
        padding: int = 1,
        gain: float = 12.0,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_factory(device, dtype)
        self.kernel_size = positive(kernel_size, "kernel_size")
        self.stride = positive(stride, "stride")
        self.padding = window_arguments(kernel_size, stride, padding, ndim=2).padding[0]
        self.gain = real_number(gain, "gain must be a number")
        count = channel_count(channels)
        factory: Any = {"device": device, "dtype": dtype}
        check_size("the kernels", (count, count, 3, 3))
        self.convolution = nn.Conv2d(count, count, 3, padding=1, bias=False, **factory)
        self.normalization = nn.GroupNorm(count, count, **factory)  # by instance and channel
        nn.init.zeros_(self.normalization.weight)

    def reset_parameters(self) -> None:
        """Reset the convolution at random, and the scale of the normalization to zero."""
        self.convolution.reset_parameters()
        self.normalization.reset_parameters()
        nn.init.zeros_(self.normalization.weight)

    def _pooled(self, x: Tensor) -> Tensor:
        normalized = self.normalization(self.convolution(x))
        # Exponentials of half precision would multiply its rounding by the largest logit.
        wide = torch.promote_types(x.dtype, torch.float32)
        weights = (self.gain * normalized.to(wide).sigmoid()).exp()
        window = (self.kernel_size, self.stride, self.padding)
        pooled = F.avg_pool2d(x.to(wide) * weights, *window) / F.avg_pool2d(weights, *window)
        return pooled.to(x.dtype)


class GaussianPool2d(WindowedPool):
    r"""The window's mean plus a multiple of its standard deviation, computed from the map.

    :math:`y = \mu_X + \operatorname{softplus}(\mu_0 + \sigma_0 \epsilon)\, \sigma_X` with the
    window's mean and standard deviation. Two layers compute :math:`\mu_0` and :math:`\sigma_0` of
    each channel from the channels' averages. :math:`\epsilon` is a normal random number for each
    output in training and zero in evaluation.

    Parameters
    ----------
    channels : int
        Channels of the input.
    kernel_size : int, optional
        Size of the windows; 2 by default.
    stride : int, optional
        Distance of windows; their size by default.
    eps : float, optional
        Added to the variances.
    device, dtype : optional
        Device and dtype of the parameters; torch's defaults if not given.

    References
    ----------
    Kobayashi, "Gaussian-based pooling for convolutional neural networks", NeurIPS 2019,
    the "inverse softplus" Gaussian, eq. (10) and following.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import GaussianPool2d
    >>> tuple(GaussianPool2d(4)(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 2,
        stride: int | None = None,
        eps: float = 1e-6,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(kernel_size, stride)
        check_factory(device, dtype)
        count = channel_count(channels)
        hidden = max(count // 2, 1)
        self.eps = real_number(eps, "eps must be a number")
        check_size("the layers", (hidden, count))

        def linear(inputs: int, outputs: int) -> tuple[nn.Module, nn.Module]:
            factory: Any = {"device": device, "dtype": dtype}
            return nn.Linear(inputs, outputs, **factory), nn.BatchNorm1d(outputs, **factory)

        self.squeeze = nn.Sequential(*linear(count, hidden), nn.ReLU())
        self.centre = nn.Sequential(*linear(hidden, count))
        self.spread = nn.Sequential(*linear(hidden, count), nn.Sigmoid())

    def reset_parameters(self) -> None:
        """Reset all linear layers and normalizations."""
        for layer in (*self.squeeze, *self.centre, *self.spread):
            if callable(reset := getattr(layer, "reset_parameters", None)):
                reset()

    def _pooled(self, x: Tensor) -> Tensor:
        samples = windows(x, self.kernel_size, self.stride)
        mean, variance = samples.mean(-1), samples.var(-1, correction=0)
        hidden = self.squeeze(x.mean((-2, -1)))
        share = self.centre(hidden)[..., None, None]
        if self.training:
            share = share + self.spread(hidden)[..., None, None] * torch.randn_like(mean)
        return mean + F.softplus(share) * (variance + self.eps).sqrt()
