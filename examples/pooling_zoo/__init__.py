"""The pooling layers that LiftPool, LDW-Pooling and AdaPool are compared with, small and readable.

Every layer takes feature maps ``(N, C, H, W)``, drops windows that do not fit as
``torch.nn.MaxPool2d`` does, and names its source. :data:`POOLINGS` makes each of them, and each of
liftwave's, for a number of channels, halving the size.
"""

from examples.pooling_zoo.fixed import (
    BlurPool2d,
    LpPool2d,
    MaxBlurPool2d,
    PixelShuffle2d,
    SkipPool2d,
    SpectralPool2d,
    WaveletPool2d,
)
from examples.pooling_zoo.learned import (
    DetailPreservingPool2d,
    GatedPool2d,
    GaussianPool2d,
    LocalImportancePool2d,
    MixedPool2d,
)
from examples.pooling_zoo.registry import (
    COMPARED,
    OURS,
    POOLINGS,
    PoolFactory,
    growth_of,
    ldw_of_the_paper,
)
from examples.pooling_zoo.stochastic import S3Pool2d, StochasticPool2d

__all__ = [
    "COMPARED",
    "OURS",
    "POOLINGS",
    "BlurPool2d",
    "DetailPreservingPool2d",
    "GatedPool2d",
    "GaussianPool2d",
    "LocalImportancePool2d",
    "LpPool2d",
    "MaxBlurPool2d",
    "MixedPool2d",
    "PixelShuffle2d",
    "PoolFactory",
    "S3Pool2d",
    "SkipPool2d",
    "SpectralPool2d",
    "StochasticPool2d",
    "WaveletPool2d",
    "growth_of",
    "ldw_of_the_paper",
]
