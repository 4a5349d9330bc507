"""Pooling layers of other papers, with which LiftPool, LDW-Pooling and AdaPool are compared.

Each layer takes maps of shape (C, H, W) or (N, C, H, W) and names its source. Windows that do not
fit are dropped, as by ``torch.nn.MaxPool2d``.
"""

from liftwave.torch.zoo.fixed import (
    BlurPool2d,
    LpPool2d,
    MaxBlurPool2d,
    PixelShuffle2d,
    SkipPool2d,
    SpectralPool2d,
    WaveletPool2d,
)
from liftwave.torch.zoo.learned import (
    DetailPreservingPool2d,
    GatedPool2d,
    GaussianPool2d,
    LocalImportancePool2d,
    MixedPool2d,
)
from liftwave.torch.zoo.stochastic import S3Pool2d, StochasticPool2d

__all__ = [
    "BlurPool2d",
    "DetailPreservingPool2d",
    "GatedPool2d",
    "GaussianPool2d",
    "LocalImportancePool2d",
    "LpPool2d",
    "MaxBlurPool2d",
    "MixedPool2d",
    "PixelShuffle2d",
    "S3Pool2d",
    "SkipPool2d",
    "SpectralPool2d",
    "StochasticPool2d",
    "WaveletPool2d",
]
