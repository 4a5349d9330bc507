"""Every pooling by name: factories that take a number of channels; all halve the size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from torch import nn

from liftwave import torch as lt
from liftwave.torch import zoo

PoolFactory: TypeAlias = Callable[[int], nn.Module]
"""Returns a pooling for a number of channels."""


def ldw_of_the_paper(**settings: Any) -> nn.Module:
    """LDW-Pooling with four taps and the paper's penalty, in a form that can be satisfied.

    The high-pass is antisymmetric, like the partner of a symmetric low-pass of even length.
    """
    return lt.LDWPool2d(4, symmetry="linear-phase", orthonormal=False, **settings)


COMPARED: dict[str, PoolFactory] = {
    "max": lambda channels: nn.MaxPool2d(2),
    "average": lambda channels: nn.AvgPool2d(2),
    "skip": lambda channels: zoo.SkipPool2d(2),
    "L_p": lambda channels: zoo.LpPool2d(2),
    "stochastic": lambda channels: zoo.StochasticPool2d(2),
    "S3": lambda channels: zoo.S3Pool2d(2, stride=2, grid_size=4),
    "mixed": lambda channels: zoo.MixedPool2d(2),
    "gated": lambda channels: zoo.GatedPool2d(2),
    "blur": lambda channels: zoo.MaxBlurPool2d(2, filter_size=3),
    "DPP": lambda channels: zoo.DetailPreservingPool2d(channels),
    "LIP": lambda channels: zoo.LocalImportancePool2d(channels),
    "spectral": lambda channels: zoo.SpectralPool2d(2),
    "wavelet": lambda channels: zoo.WaveletPool2d(),
    "Gauss": lambda channels: zoo.GaussianPool2d(channels),
    "pixel shuffle": lambda channels: zoo.PixelShuffle2d(2),
}

OURS: dict[str, PoolFactory] = {
    "SoftPool": lambda channels: lt.SoftPool2d(2),
    "eDSCW": lambda channels: lt.EDSCWPool2d(2),
    "IDW": lambda channels: lt.IDWPool2d(2),
    "AdaPool": lambda channels: lt.AdaPool2d(2),
    "LDW": lambda channels: ldw_of_the_paper(),
    "LiftPool": lambda channels: lt.LiftDownPool2d(channels, kernel_size=5),
}

POOLINGS: dict[str, PoolFactory] = {**COMPARED, **OURS}
"""All poolings, by the names in the papers' tables."""


def growth_of(pool: nn.Module) -> int:
    """The number of output channels of a pooling per input channel."""
    if getattr(pool, "output", None) == "concat":
        return len(pool.bands)
    growth = getattr(pool, "growth", 1)
    assert isinstance(growth, int)
    return growth
