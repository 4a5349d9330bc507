"""Pairs of down- and upsampling, and SegNet- and UNet-like networks built of them.

A *pair* halves feature maps, and can store data for the upsampling: max pooling stores the
positions of the maxima (SegNet), LiftPool and LDW-Pooling store the detail bands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from examples.models import convolutions
from liftwave import torch as lt


class Pair(nn.Module):
    """A downsampling and the upsampling that belongs to it.

    Attributes
    ----------
    growth : int
        Channels of ``down``'s output, and of ``up``'s input, per channel of the map.
    """

    growth = 1

    def down(self, x: Tensor) -> tuple[Tensor, Any]:
        """Map ``(N, C, H, W)`` to ``(N, growth * C, H / 2, W / 2)`` and the stored data."""
        raise NotImplementedError

    def up(self, y: Tensor, memory: Any) -> Tensor:
        """Map ``(N, growth * C, H / 2, W / 2)`` to ``(N, C, H, W)``."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Down, then up."""
        return self.up(*self.down(x))


PairFactory: TypeAlias = Callable[[int], Pair]
"""Returns a pair for a number of channels."""


class MaxUnpoolPair(Pair):
    """Max pooling; the upsampling writes values to the maxima's positions (SegNet)."""

    def down(self, x: Tensor) -> tuple[Tensor, Any]:  # noqa: D102
        y, places = F.max_pool2d(x, 2, return_indices=True)
        return y, (places, x.shape)

    def up(self, y: Tensor, memory: Any) -> Tensor:  # noqa: D102
        places, shape = memory
        return F.max_unpool2d(y, places, 2, output_size=shape)


class NailsPair(Pair):
    """Max pooling; the upsampling writes each value to the first corner of its window."""

    def __init__(self) -> None:
        super().__init__()
        self.unpool = lt.BedOfNailsUnpool2d(2)

    def down(self, x: Tensor) -> tuple[Tensor, Any]:  # noqa: D102
        return F.max_pool2d(x, 2), None

    def up(self, y: Tensor, memory: Any) -> Tensor:  # noqa: D102
        return self.unpool(y)


class NearestPair(Pair):
    """Max or average pooling; the upsampling writes each value to its whole window."""

    def __init__(self, pool: Callable[[Tensor, int], Tensor] = F.max_pool2d) -> None:
        super().__init__()
        self.pool, self.unpool = pool, lt.NearestUnpool2d(2)

    def down(self, x: Tensor) -> tuple[Tensor, Any]:  # noqa: D102
        return self.pool(x, 2), None

    def up(self, y: Tensor, memory: Any) -> Tensor:  # noqa: D102
        return self.unpool(y)


class DeconvolutionPair(Pair):
    """Max pooling, then a learned transposed convolution (UNet)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.deconvolution = nn.ConvTranspose2d(channels, channels, 2, stride=2)

    def down(self, x: Tensor) -> tuple[Tensor, Any]:  # noqa: D102
        return F.max_pool2d(x, 2), None

    def up(self, y: Tensor, memory: Any) -> Tensor:  # noqa: D102
        return self.deconvolution(y)


class AdaPair(Pair):
    """AdaPool and AdaUnpool; the weights come from the pooled map."""

    def __init__(self, beta: Any = 0.5, preserve: str = "mean") -> None:
        super().__init__()
        self.pool = lt.AdaPool2d(2, beta=beta)
        self.unpool = lt.AdaUnpool2d(self.pool, preserve=preserve)

    def down(self, x: Tensor) -> tuple[Tensor, Any]:  # noqa: D102
        return self.pool(x), x

    def up(self, y: Tensor, memory: Any) -> Tensor:  # noqa: D102
        return self.unpool(y, memory)


class LDWPair(Pair):
    """Down: the approximation of a wavelet. Up: the inverse with the details, or with zeros.

    Parameters
    ----------
    pool : LDWPool2d
        The layer; it must return all bands.
    remember : bool
        Whether the details are stored.
    """

    def __init__(self, pool: nn.Module, remember: bool = True) -> None:
        super().__init__()
        self.pool, self.unpool, self.remember = pool, lt.LDWUnpool2d(pool), remember

    def down(self, x: Tensor) -> tuple[Tensor, Any]:  # noqa: D102
        bands = dict(self.pool(x))
        smooth = bands.pop("LL")
        return smooth, (bands if self.remember else {}, x.shape[-2:])

    def up(self, y: Tensor, memory: Any) -> Tensor:  # noqa: D102
        details, size = memory
        return self.unpool({"LL": y, **details}, size)


class LiftPair(LDWPair):
    """Down: LiftPool's LL. Up: the inverse with the other bands, or with zeros."""

    def __init__(self, pool: nn.Module, remember: bool = True) -> None:
        Pair.__init__(self)
        self.pool, self.unpool, self.remember = pool, lt.LiftUpPool2d(pool), remember


def ldw() -> nn.Module:
    """LDW-Pooling that returns all bands; its filters are always orthonormal."""
    return lt.LDWPool2d(learn="orthonormal", init="pretrain", output="bands")


def lift(channels: int) -> nn.Module:
    """LiftPool that returns all bands, with random parameters."""
    return lt.LiftDownPool2d(channels, output="bands", init="random")


PAIRS: dict[str, PairFactory] = {
    "max, nearest": lambda channels: NearestPair(),
    "average, nearest": lambda channels: NearestPair(F.avg_pool2d),
    "max, bed of nails": lambda channels: NailsPair(),
    "max, unpooling": lambda channels: MaxUnpoolPair(),
    "AdaPool": lambda channels: AdaPair(),
    "AdaPool, sums preserved": lambda channels: AdaPair(preserve="sum"),
    "LDW": lambda channels: LDWPair(ldw()),
    "LDW, details forgotten": lambda channels: LDWPair(ldw(), remember=False),
    "LiftPool": lambda channels: LiftPair(lift(channels)),
    "LiftPool, details forgotten": lambda channels: LiftPair(lift(channels), remember=False),
}
"""Pairs by name, without those that are useful only after training."""


class AutoEncoder(nn.Module):
    """Convolutions and downsampling, then upsampling and convolutions.

    Parameters
    ----------
    pair : callable
        Returns a :class:`Pair` for a number of channels.
    outputs : int
        Channels of the result: those of the image, or a number of classes.
    inputs : int
        Channels of the images.
    channels : sequence of int
        For each level, from the full size down.
    skips : bool
        Whether the decoder also gets each level's maps (UNet), or not (SegNet).
    """

    def __init__(
        self,
        pair: PairFactory,
        outputs: int = 1,
        inputs: int = 1,
        channels: Sequence[int] = (8, 16),
        skips: bool = False,
    ) -> None:
        super().__init__()
        self.skips = skips
        self.pairs = nn.ModuleList(pair(width) for width in channels)
        grown = [width * way.growth for width, way in zip(channels, self.pairs, strict=True)]
        befores = [inputs, *grown[:-1]]
        self.encoder = nn.ModuleList(
            convolutions(before, width, width)
            for before, width in zip(befores, channels, strict=True)
        )
        self.bottom = convolutions(grown[-1], grown[-1])
        afters = [channels[0], *grown[:-1]]
        self.decoder = nn.ModuleList(
            convolutions(width * (1 + skips), width, after)
            for width, after in zip(channels, afters, strict=True)
        )
        self.head = nn.Conv2d(channels[0], outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, inputs, H, W)`` to ``(N, outputs, H, W)``."""
        kept = []
        for encode, way in zip(self.encoder, self.pairs, strict=True):
            maps = encode(x)
            x, memory = way.down(maps)
            kept.append((maps, memory))
        x = self.bottom(x)
        for k in reversed(range(len(kept))):
            maps, memory = kept[k]
            x = self.pairs[k].up(x, memory)
            x = self.decoder[k](torch.cat([x, maps], dim=1) if self.skips else x)
        return self.head(x)


def segnet(pair: PairFactory = lambda channels: MaxUnpoolPair(), **settings: Any) -> AutoEncoder:
    """A small SegNet: besides the maps, the decoder gets only the data stored by the pairs.

    References
    ----------
    Badrinarayanan, Kendall and Cipolla, "SegNet: a deep convolutional encoder-decoder
    architecture for image segmentation", IEEE Trans. PAMI 39(12), 2017; with LiftPool's pair:
    Zhao and Snoek, "LiftPool: bidirectional ConvNet pooling", ICLR 2021, section 4.2.
    """
    return AutoEncoder(pair, skips=False, **settings)


def unet(pair: PairFactory = DeconvolutionPair, **settings: Any) -> AutoEncoder:
    """A small UNet: the decoder gets each level's maps.

    References
    ----------
    Ronneberger, Fischer and Brox, "U-Net: convolutional networks for biomedical image
    segmentation", MICCAI 2015; with LDW-Pooling's pair: that paper's section 4.1 and table 4.
    """
    return AutoEncoder(pair, skips=True, **settings)
