"""The compared pooling layers: ours, and the same in plain operations of torch.

A layer returns, for an image's shape, a pair of functions of a tensor: our module, and a plain
version with the same parameters. The plain versions are numerically stable, too.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.torch_libraries import Prepared

Shape = tuple[int, ...]
Pair = tuple[Prepared, Prepared]


@dataclass(frozen=True)
class Layer:
    """A layer's name, its required class, the function that builds it, and its goals."""

    name: str
    class_name: str
    make: Callable[[Any, Shape, str], Pair]
    forward_copies: float | None = None
    both_copies: float | None = None
    forward_faster: float | None = None
    both_faster: float | None = None

    def available(self) -> bool:
        """True if ``liftwave.torch`` contains the class."""
        return hasattr(importlib.import_module("liftwave.torch"), self.class_name)

    def prepare(self, shape: Shape, device: str = "cpu") -> Pair:
        """Our layer and the plain one, ready for tensors of this shape."""
        module = getattr(importlib.import_module("liftwave.torch"), self.class_name)
        return self.make(module, shape, device)


# --- windows of 2 x 2 ----------------------------------------------------------------------------


def _regions(x: Any) -> Any:
    return x.unfold(-2, 2, 2).unfold(-2, 2, 2).flatten(-2)


def _softmax_weights(a: Any) -> Any:
    return a.softmax(-1)


def _dice_weights(a: Any) -> Any:
    mean = a.mean(-1, keepdim=True)
    below = mean * mean + a * a
    similarity = (2 * (mean * a).abs() / below.where(below > 0, 1.0)).where(below > 0, 1.0)
    return similarity.softmax(-1)


def _distance_weights(a: Any) -> Any:
    inverse = 1 / (a - a.mean(-1, keepdim=True)).abs()
    return inverse / inverse.sum(-1, keepdim=True)


def _weighted(weights: Callable[[Any], Any]) -> Callable[[Any, Shape, str], Pair]:
    def pool(x: Any) -> Any:
        a = _regions(x)
        return (weights(a) * a).sum(-1)

    return lambda module, shape, device: (Prepared(module(2).to(device)), Prepared(pool))


def _beta(shape: Shape) -> Any:
    """A mask of the size of the windows, the same for all channels."""
    import torch

    generator = torch.Generator("cpu").manual_seed(0)
    return torch.rand(shape[-2] // 2, shape[-1] // 2, generator=generator, device="cpu")


def _adaptive_weights(a: Any, beta: Any) -> Any:
    beta = beta.clamp(0, 1)[..., None]
    return beta * _dice_weights(a) + (1 - beta) * _softmax_weights(a)


def _ada(module: Any, shape: Shape, device: str) -> Pair:
    ours = module(2, beta=_beta(shape)).to(device)
    beta = ours.beta

    def pool(x: Any) -> Any:
        a = _regions(x)
        return (_adaptive_weights(a, beta) * a).sum(-1)

    return Prepared(ours, (beta,)), Prepared(pool, (beta,))


def _ada_reverse(module: Any, shape: Shape, device: str) -> Pair:
    import torch

    pool = importlib.import_module("liftwave.torch").AdaPool2d(2, beta=_beta(shape)).to(device)
    ours, beta = module(pool), pool.beta
    torch.manual_seed(0)
    pooled = torch.randn(*shape[:-2], shape[-2] // 2, shape[-1] // 2, device=device)
    pooled.requires_grad_()

    def unpool(x: Any) -> Any:
        values = _adaptive_weights(_regions(x), beta) * pooled[..., None]
        return values.unflatten(-1, (2, 2)).transpose(-3, -2).reshape(x.shape)

    learned = (beta, pooled)
    return Prepared(lambda x: ours(pooled, x), learned), Prepared(unpool, learned)


# --- lifting and wavelets ------------------------------------------------------------------------


def _lift(module: Any, shape: Shape, device: str) -> Pair:
    import torch
    from torch.nn import functional

    torch.manual_seed(0)
    ours = module(shape[-3], init="random").eval().to(device)  # without the penalties
    size = ours.kernel_size

    def learned(v: Any, number: int, kind: int, axis: int) -> Any:
        ends = ((size - 1) // 2, size // 2)
        wide = functional.pad(v, (*ends, 0, 0) if axis == -1 else (0, 0, *ends), mode="reflect")
        taps = ours.weight[number, kind][:, None].unsqueeze(-3 - axis)
        inner = functional.conv2d(wide, taps, ours.bias[number, kind], groups=shape[-3]).relu()
        gain, offset = (each[number, kind].reshape(-1, 1, 1) for each in (ours.gain, ours.offset))
        return gain * inner + offset

    def split(v: Any, number: int, axis: int) -> tuple[Any, Any]:
        even, odd = v.unflatten(axis, (-1, 2)).unbind(axis)
        detail = odd - learned(even, number, 0, axis)
        return even + learned(detail, number, 1, axis), detail

    def pool(x: Any) -> Any:
        smooth, detail = split(x, 0, -1)
        bands = [*split(smooth, 1, -2), *split(detail, 2, -2)]
        return bands[0] + bands[1] + bands[2] + bands[3]

    parameters = tuple(ours.parameters())
    return Prepared(ours, parameters), Prepared(pool, parameters)


def _wavelet(module: Any, shape: Shape, device: str) -> Pair:
    import torch
    from torch.nn import functional

    torch.manual_seed(0)
    ours = module(4).to(device)
    low = ours.wavelet.lowpass

    def pool(x: Any) -> Any:
        kernel = (low[:, None] * low).expand(shape[-3], 1, 4, 4)
        return functional.conv2d(
            functional.pad(x, (1, 2, 1, 2), mode="circular"), kernel, stride=2, groups=shape[-3]
        )

    return Prepared(ours, (low,)), Prepared(pool, (low,))


# --- all -----------------------------------------------------------------------------------------

_GOALS = (3.0, 9.0, 6.0, 4.0)
LAYERS = (
    Layer("SoftPool2d", "SoftPool2d", _weighted(_softmax_weights), *_GOALS),
    Layer("EDSCWPool2d", "EDSCWPool2d", _weighted(_dice_weights), *_GOALS),
    Layer("IDWPool2d", "IDWPool2d", _weighted(_distance_weights)),
    Layer("AdaPool2d", "AdaPool2d", _ada, *_GOALS),
    Layer("AdaUnpool2d", "AdaUnpool2d", _ada_reverse),
    Layer("LiftDownPool2d", "LiftDownPool2d", _lift, *_GOALS),
    Layer("LDWPool2d, 4 taps", "LDWPool2d", _wavelet, 3.0),
)
"""Goals: copies of the input forward, and forward and backward; times faster than plain ones."""


def available() -> list[Layer]:
    """The layers that this version contains."""
    return [layer for layer in LAYERS if layer.available()]


def rulers() -> dict[str, Prepared]:
    """Pooling of 2 x 2 by torch's own functions."""
    from torch.nn import functional

    return {
        "torch max_pool2d": Prepared(lambda x: functional.max_pool2d(x, 2)),
        "torch avg_pool2d": Prepared(lambda x: functional.avg_pool2d(x, 2)),
    }


def blur_layers() -> dict[str, Prepared]:
    """Pooling by the binomial filter: our layer, and that of kornia if it is installed.

    Ours mirrors the image at its borders, kornia extends it with zeros.
    """
    blur = importlib.import_module("liftwave.torch.zoo").BlurPool2d(3)
    layers = {"BlurPool2d, 3 taps": Prepared(blur)}
    if importlib.util.find_spec("kornia") is not None:
        filters = importlib.import_module("kornia.filters")
        layers["kornia BlurPool2D, 3 taps"] = Prepared(filters.BlurPool2D(3))
    return layers
