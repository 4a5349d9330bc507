"""Simple pooling layers with which LiftPool, LDW-Pooling and AdaPool are compared.

Every layer takes feature maps ``(N, C, H, W)``, drops windows that do not fit (as
``torch.nn.MaxPool2d`` does), and cites its source. :data:`POOLINGS` contains factories of these
layers and of liftwave's, which take a number of channels and halve the size.
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
