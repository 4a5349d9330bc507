"""Poolings with parameters."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from examples.pooling_zoo._windows import per_channel, windows


class _Windowed(nn.Module):
    """A pooling with kernel and stride."""

    def __init__(self, kernel_size: int, stride: int | None) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride or kernel_size

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}"


class MixedPool2d(_Windowed):
    r"""A learned mixture of max and average pooling.

    :math:`y = \alpha \max_i a_i + (1 - \alpha) \frac 1 n \sum_i a_i`, one :math:`\alpha` in [0, 1]
    for the layer.

    References
    ----------
    Lee, Gallagher and Tu, "Generalizing pooling functions in convolutional neural networks: mixed,
    gated, and tree", AISTATS 2016, section 3.
    """

    def __init__(self, kernel_size: int = 2, stride: int | None = None) -> None:
        super().__init__(kernel_size, stride)
        self.logit = nn.Parameter(torch.tensor(0.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, H', W')``."""
        share = self.logit.sigmoid()
        highest = F.max_pool2d(x, self.kernel_size, self.stride)
        return share * highest + (1 - share) * F.avg_pool2d(x, self.kernel_size, self.stride)


class GatedPool2d(_Windowed):
    r"""A mixture of max and average pooling with a gate computed from each window.

    :math:`y = \sigma(\omega^T a) \max_i a_i + (1 - \sigma(\omega^T a)) \frac 1 n \sum_i a_i` with
    one gate :math:`\omega`, of the window's size, for the layer, or for each of ``channels``.

    References
    ----------
    Lee, Gallagher and Tu, "Generalizing pooling functions in convolutional neural networks: mixed,
    gated, and tree", AISTATS 2016, section 3.
    """

    def __init__(
        self, kernel_size: int = 2, stride: int | None = None, channels: int | None = None
    ) -> None:
        super().__init__(kernel_size, stride)
        self.gate = nn.Parameter(torch.zeros(channels or 1, kernel_size**2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, H', W')``."""
        samples = windows(x, self.kernel_size, self.stride)
        share = (samples * self.gate[:, None, None, :]).sum(-1).sigmoid()
        return share * samples.amax(-1) + (1 - share) * samples.mean(-1)


class DetailPreservingPool2d(_Windowed):
    r"""Weights that grow with the distance from a smoothed version of the window (DPP).

    .. math::
        y = \frac{\sum_i w_i a_i}{\sum_i w_i}, \quad w_i = \alpha + \rho(a_i - \tilde a), \quad
        \rho(v) = \big(v^2 + \epsilon^2\big)^{\lambda / 2}

    with :math:`\alpha` and :math:`\lambda` positive and learned for each channel, and
    :math:`\max(v, 0)` for ``v`` when ``symmetric=False``, so that only values above the mean are
    emphasised. :math:`\tilde a` is the mean of the window ("DPP lite").

    References
    ----------
    Saeedan et al., "Detail-preserving pooling in deep networks", CVPR 2018, section 3.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 2,
        stride: int | None = None,
        symmetric: bool = True,
        eps: float = 1e-3,
    ) -> None:
        super().__init__(kernel_size, stride)
        self.symmetric, self.eps = symmetric, eps
        self.log_alpha = nn.Parameter(torch.zeros(channels))
        self.log_lambda = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, H', W')``."""
        samples = windows(x, self.kernel_size, self.stride)
        distance = samples - samples.mean(-1, keepdim=True)
        if not self.symmetric:
            distance = distance.relu()
        reward = (distance**2 + self.eps**2) ** (per_channel(self.log_lambda.exp()) / 2)
        weights = per_channel(self.log_alpha.exp()) + reward
        return (weights * samples).sum(-1) / weights.sum(-1)


class LocalImportancePool2d(nn.Module):
    r"""Weights :math:`\exp G(a)` that a small network computes from the map (LIP).

    :math:`y = \sum_i a_i e^{G(a)_i} / \sum_i e^{G(a)_i}`. ``G`` is the simplest in the paper: a
    3x3 convolution, instance normalization, and a sigmoid times 12. The normalization's initial
    scale is zero, so that training starts with average pooling. Samples beyond the edge belong to
    no window.

    References
    ----------
    Gao, Wang and Wu, "LIP: local importance-based pooling", ICCV 2019, section 3.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 3,
        stride: int = 2,
        padding: int = 1,
        gain: float = 12.0,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding, self.gain = kernel_size, stride, padding, gain
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.normalization = nn.GroupNorm(channels, channels)  # by instance and channel
        nn.init.zeros_(self.normalization.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, H', W')``."""
        logits = self.gain * self.normalization(self.convolution(x)).sigmoid()
        weights = logits.exp()
        window = (self.kernel_size, self.stride, self.padding)
        return F.avg_pool2d(x * weights, *window) / F.avg_pool2d(weights, *window)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class GaussianPool2d(_Windowed):
    r"""The window's mean plus a multiple of its standard deviation, computed from the map.

    :math:`y = \mu_X + \operatorname{softplus}(\mu_0 + \sigma_0 \epsilon)\, \sigma_X` with the
    window's mean and standard deviation. Two layers compute :math:`\mu_0` and :math:`\sigma_0` of
    each channel from the channels' averages. :math:`\epsilon` is a normal random number for each
    output in training and zero in evaluation.

    References
    ----------
    Kobayashi, "Gaussian-based pooling for convolutional neural networks", NeurIPS 2019,
    the "inverse softplus" Gaussian, eq. (10) and following.
    """

    def __init__(
        self, channels: int, kernel_size: int = 2, stride: int | None = None, eps: float = 1e-6
    ) -> None:
        super().__init__(kernel_size, stride)
        hidden = max(channels // 2, 1)
        self.eps = eps
        self.squeeze = nn.Sequential(nn.Linear(channels, hidden), nn.BatchNorm1d(hidden), nn.ReLU())
        self.centre = nn.Sequential(nn.Linear(hidden, channels), nn.BatchNorm1d(channels))
        self.spread = nn.Sequential(
            nn.Linear(hidden, channels), nn.BatchNorm1d(channels), nn.Sigmoid()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, H', W')``."""
        samples = windows(x, self.kernel_size, self.stride)
        mean, variance = samples.mean(-1), samples.var(-1, correction=0)
        hidden = self.squeeze(x.mean((-2, -1)))
        share = self.centre(hidden)[..., None, None]
        if self.training:
            share = share + self.spread(hidden)[..., None, None] * torch.randn_like(mean)
        return mean + F.softplus(share) * (variance + self.eps).sqrt()
