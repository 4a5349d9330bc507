"""Small networks with a choice of pooling, and the blocks of the papers' figures.

Poolings are passed as factories that take a number of channels (as those of
``examples.poolings.POOLINGS``). If a pooling multiplies the number of channels, its attribute
``growth`` is the factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from examples.poolings import PoolFactory, growth_of
from liftwave import torch as lt


def convolutions(*channels: int, kernel_size: int = 3) -> nn.Sequential:
    """Convolution, batch normalization, ReLU from each number of channels to the next."""
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += [
            nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers)


# --- classification ------------------------------------------------------------------------------


class VGG(nn.Module):
    """Stages of two convolutions and a pooling, then the average of each channel and one layer.

    Parameters
    ----------
    pool : callable
        Returns a pooling for a number of channels.
    classes, inputs : int
        Numbers of classes and of channels of the images.
    channels : sequence of int
        For each stage.
    attention : bool
        Whether energy attention follows each pooling (figure 2 of LDW-Pooling).
    """

    def __init__(
        self,
        pool: PoolFactory,
        classes: int = 10,
        inputs: int = 1,
        channels: Sequence[int] = (8, 16, 32),
        attention: bool = False,
    ) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for width in channels:
            pooling = pool(width)
            stages += [convolutions(inputs, width, width), pooling]
            inputs = width * growth_of(pooling)
            if attention:
                stages.append(lt.EnergyAttention(inputs))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, classes)``."""
        return self.head(self.stages(x).mean((-2, -1)))


class BasicBlock(nn.Module):
    """ResNet's block of two convolutions; with a pooling, main path and shortcut are pooled.

    A convolution with stride 1 and the pooling replace each of ResNet's convolutions with stride 2,
    so ``SkipPool2d`` gives the original ResNet.
    """

    def __init__(self, before: int, after: int, pool: PoolFactory | None = None) -> None:
        super().__init__()
        shrink = nn.Identity() if pool is None else pool(after)
        self.first = nn.Sequential(convolutions(before, after), shrink)
        self.second = nn.Sequential(
            nn.Conv2d(after * growth_of(shrink), after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.shortcut = _shortcut(before, after, pool)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, before, H, W)`` to ``(N, after, H', W')``."""
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


def _shortcut(before: int, after: int, pool: PoolFactory | None) -> nn.Module:
    if pool is None and before == after:
        return nn.Identity()
    shrink = nn.Identity() if pool is None else pool(before)
    one = nn.Conv2d(before * growth_of(shrink), after, 1, bias=False)
    return nn.Sequential(shrink, one, nn.BatchNorm2d(after))


class ResNet(nn.Module):
    """A stem and stages of :class:`BasicBlock`; all stages but the first begin with pooling.

    Parameters as in :class:`VGG`.
    """

    def __init__(
        self,
        pool: PoolFactory,
        classes: int = 10,
        inputs: int = 1,
        channels: Sequence[int] = (8, 16, 32),
    ) -> None:
        super().__init__()
        blocks: list[nn.Module] = [BasicBlock(channels[0], channels[0])]
        blocks += [BasicBlock(before, after, pool) for before, after in pairwise(channels)]
        self.stages = nn.Sequential(convolutions(inputs, channels[0]), *blocks)
        self.head = nn.Linear(channels[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, classes)``."""
        return self.head(self.stages(x).mean((-2, -1)))
