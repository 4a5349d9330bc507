"""Every layer of ``liftwave.torch``, with default and other arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import liftwave.torch as lt
from liftwave.torch import zoo

IMAGES, LINES, VOLUMES = (2, 4, 8, 10), (2, 4, 11), (2, 4, 6, 8, 5)


class Layer(NamedTuple):
    """A layer, the shape of its input, and the function that calls it."""

    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    call: Callable[[Any, Tensor], Any] = lambda layer, x: layer(x)
    half: bool = True

    def run(self, dtype: torch.dtype) -> None:
        """Run forward and backward, in training and without gradients."""
        layer: Any = self.make()
        x = torch.randn(self.shape, dtype=torch.float64).to(dtype).requires_grad_()
        if dtype in (torch.float64, torch.complex128):
            layer = layer.double()
        loss = sum((y.abs() ** 2).sum() for y in tensors(self.call(layer, x)))
        assert isinstance(loss, Tensor)
        (loss + lt.auxiliary_loss(layer)).backward()
        with torch.no_grad():
            self.call(layer.eval(), x)


def tensors(result: Any) -> list[Tensor]:
    """The tensors in nested lists, tuples and dicts."""
    if isinstance(result, Tensor):
        return [result]
    parts = result.values() if isinstance(result, dict) else result
    return [x for part in parts for x in tensors(part)]


def of(make: Callable[[], Any], shape: tuple[int, ...], **options: Any) -> Layer:
    """A layer on inputs of the given shape."""
    return Layer(make, shape, **options)


def round_trip(layer: Any, x: Tensor) -> Tensor:
    """A transform and its inverse."""
    size = x.shape[x.ndim - layer.dimensions :]
    y: Tensor = layer.inverse()(layer(x), size)
    return y


def undone(layer: Any, x: Tensor) -> Tensor:
    """An undecimated transform and its inverse."""
    y: Tensor = layer.inverse()(layer(x))
    return y


def unpooled(layer: Any, x: Tensor) -> Tensor:
    """A pooling to bands and its inverse, which shares its parameters."""
    up = {"LiftDown": "LiftUp", "LDWPool": "LDWUnpool"}
    name = type(layer).__name__
    for pool, unpool in up.items():
        name = name.replace(pool, unpool)
    size = x.shape[x.ndim - layer.dimensions :]
    y: Tensor = getattr(lt, name)(layer)(layer(x), size)
    return y


def ada_unpooled(**options: Any) -> Callable[[Any, Tensor], Tensor]:
    """Adaptive pooling and its inverse."""

    def call(layer: Any, x: Tensor) -> Tensor:
        unpool = getattr(lt, type(layer).__name__.replace("Pool", "Unpool"))(layer, **options)
        y: Tensor = unpool(layer(x), x)
        return y

    return call


def transforms(name: str, shape: tuple[int, ...]) -> list[Layer]:
    """A transform, or a transform followed by its inverse."""
    forward = getattr(lt, name.removeprefix("I"))
    options: list[dict[str, Any]] = [
        {},
        {"wavelet": "db2", "level": 2, "mode": "periodization"},
        {"wavelet": "cdf9.7", "learn": "lifting"},
        {"wavelet": "db2", "learn": "orthonormal", "level": 2},
        {"wavelet": "bior2.2", "learn": "linear-phase", "mode": "zero"},
        {"wavelet": "db3", "learn": "filters", "random": True},
    ]
    call = round_trip if name.startswith("I") else Layer._field_defaults["call"]
    return [of(lambda o=o: forward(**o), shape, call=call) for o in options]  # type: ignore[misc]


def undecimated(name: str, shape: tuple[int, ...]) -> list[Layer]:
    """An undecimated transform, or one followed by its inverse."""
    forward = getattr(lt, name.removeprefix("I"))
    options: list[dict[str, Any]] = [
        {},
        {"wavelet": "db2", "level": 2, "learn": "orthonormal"},
        {"wavelet": "db3", "learn": "filters", "random": True},
    ]
    call = undone if name.startswith("I") else Layer._field_defaults["call"]
    return [of(lambda o=o: forward(**o), shape, call=call) for o in options]  # type: ignore[misc]


def packets(name: str, shape: tuple[int, ...]) -> list[Layer]:
    """A transform to packets, or one followed by its inverse."""
    forward = getattr(lt, name.removeprefix("I"))
    options: list[dict[str, Any]] = [
        {},
        {"wavelet": "db2", "level": 2, "order": "natural", "learn": "orthonormal"},
        {"wavelet": "cdf9.7", "learn": "lifting", "mode": "periodization"},
    ]
    call = round_trip if name.startswith("I") else Layer._field_defaults["call"]
    return [of(lambda o=o: forward(**o), shape, call=call) for o in options]  # type: ignore[misc]


def windows(name: str, shape: tuple[int, ...]) -> list[Layer]:
    """A pooling over windows."""
    pool = getattr(lt, name)
    layers = [of(lambda: pool(2), shape), of(lambda: pool(3, 2, 1, 2, True), shape)]
    if name.startswith("IDW"):
        layers += [of(lambda d=d: pool(2, distance=d), shape) for d in ("l1", "huber")]  # type: ignore[misc]
    return layers


def upsampled(name: str, shape: tuple[int, ...]) -> list[Layer]:
    """An upsampling, which uses no kernels for windows."""
    unpool = getattr(lt, name)
    return [of(lambda: unpool(2), shape), of(lambda: unpool(2, 3), shape)]


def adaptive(name: str, shape: tuple[int, ...]) -> list[Layer]:
    """Adaptive pooling, or adaptive pooling followed by its inverse."""
    pool = getattr(lt, name.replace("Unpool", "Pool"))
    options: list[dict[str, Any]] = [{}, {"mask": False}, {"channels": 4}, {"trainable": False}]
    if "Unpool" not in name:
        return [of(lambda o=o: pool(2, **o), shape) for o in options]  # type: ignore[misc]
    mean = of(lambda: pool(2), shape, call=ada_unpooled(preserve="mean"))
    return [mean, *(of(lambda o=o: pool(2, **o), shape, call=ada_unpooled()) for o in options)]  # type: ignore[misc]


def lifting(name: str, shape: tuple[int, ...]) -> list[Layer]:
    """Lifting pooling, or lifting pooling followed by its inverse."""
    pool = getattr(lt, name.replace("Up", "Down"))
    if "Up" in name:
        return [of(lambda: pool(4, 3, "bands"), shape, call=unpooled)]
    options: list[dict[str, Any]] = [
        {},
        {"output": "concat", "padding": "zeros", "shared": True},
        {"kernel_size": 2, "padding": "circular", "init": "random", "reduction": "norm"},
    ]
    return [of(lambda o=o: pool(4, **o), shape) for o in options]  # type: ignore[misc]


def wavelets(name: str, shape: tuple[int, ...]) -> list[Layer]:
    """Pooling by learned wavelets, or this pooling followed by its inverse."""
    pool = getattr(lt, name.replace("Unpool", "Pool"))
    if "Unpool" in name:
        return [of(lambda: pool(4, "bands"), shape, call=unpooled)]
    options: list[dict[str, Any]] = [
        {},
        {"wavelet": "db2", "output": "concat", "mode": "symmetric"},
        {"wavelet": 6, "learn": "orthonormal"},
        {"wavelet": "haar", "learn": None},
    ]
    return [of(lambda o=o: pool(**o), shape) for o in options]  # type: ignore[misc]


def learnable(name: str) -> list[Layer]:
    """A learnable wavelet in a transform."""
    return [
        of(
            lambda: lt.DWT2d(
                getattr(lt, name)("haar" if name != "LinearPhaseWavelet" else "cdf9.7")
            ),
            IMAGES,
        )
    ]


def parametrized(name: str) -> list[Layer]:
    """Constrained filters in a functional transform."""
    module: Any = {
        "Orthonormal": lambda: lt.Orthonormal(),
        "LinearPhase": lambda: lt.LinearPhase(5),
    }
    values = {"Orthonormal": torch.tensor([0.3, 0.2]), "LinearPhase": torch.ones(3)}

    def call(layer: Any, x: Tensor) -> Tensor:
        taps: Tensor = layer(values[name].to(x.dtype))
        return taps * x.sum()

    return [of(module[name], (3,), call=call, half=False)]


def convolutions(name: str, shape: tuple[int, ...]) -> list[Layer]:
    """Depthwise convolutions of bands."""
    layer = getattr(lt, name)
    options: list[dict[str, Any]] = [{"level": 2}, {"wavelet": "db2", "learn": "orthonormal"}]
    return [of(lambda o=o: layer(4, 3, **o), shape, half=False) for o in options]  # type: ignore[misc]


def against_zero(loss: Any, x: Tensor) -> list[Tensor]:
    """A loss of the data and zeros."""
    return [loss(x, torch.zeros_like(x))]


def spectral(name: str, shape: tuple[int, ...]) -> list[Layer]:
    """Layers by Fourier transforms of torch, which have no compiled kernels."""
    make = getattr(lt, name)
    if name == "Scalogram1d":
        return [of(lambda: make([0.2, 0.05], learn="all"), shape)]
    return [of(lambda: make(1, 2), shape)]


def denoisers(name: str, shape: tuple[int, ...]) -> list[Layer]:
    """All transforms."""
    make = getattr(lt, name)
    return [
        of(lambda t=t, w=w: make(w, 2, transform=t, relative=True), shape)  # type: ignore[misc]
        for w, t in (("db2", "dwt"), ("db2", "swt"), ("cdf9.7", "dtcwt"))
    ]


def trees(name: str, shape: tuple[int, ...]) -> list[Layer]:
    """The dual tree and its inverse; half precision has complex bands in single precision."""
    make = getattr(lt, name)
    if not name.startswith("I"):
        return [of(lambda: make(2, output="real"), shape)]
    there = getattr(lt, name[1:])(2, output="real")
    return [of(lambda: make(2, output="real"), shape, call=lambda layer, x: layer(there(x)))]


SHAPES = {"1d": LINES, "2d": IMAGES, "3d": VOLUMES}
_KINDS: dict[str, Callable[[str, tuple[int, ...]], list[Layer]]] = {
    "DWT": transforms,
    "IDWT": transforms,
    "SWT": undecimated,
    "ISWT": undecimated,
    "MODWT": undecimated,
    "IMODWT": undecimated,
    "Denoise": denoisers,
    "DualTree": trees,
    "IDualTree": trees,
    "Scalogram": spectral,
    "Scattering": spectral,
    "WaveletPacket": packets,
    "IWaveletPacket": packets,
    "AdaPool": adaptive,
    "AdaUnpool": adaptive,
    "EDSCWPool": windows,
    "IDWPool": windows,
    "GatedAdaPool": windows,
    "SimilarityPool": windows,
    "SoftPool": windows,
    "BedOfNailsUnpool": upsampled,
    "NearestUnpool": upsampled,
    "LiftDownPool": lifting,
    "LiftUpPool": lifting,
    "LDWPool": wavelets,
    "LDWUnpool": wavelets,
    "WTConv": convolutions,
}

LAYERS: dict[str, list[Layer]] = {
    **{
        kind + dimensions: make(kind + dimensions, shape)
        for kind, make in _KINDS.items()
        for dimensions, shape in SHAPES.items()
        if hasattr(lt, kind + dimensions)
    },
    **{
        name: learnable(name)
        for name in ("FiltersWavelet", "LiftingWavelet", "LinearPhaseWavelet", "OrthonormalWavelet")
    },
    **{name: parametrized(name) for name in ("Orthonormal", "LinearPhase")},
    "WaveletLoss": [of(lambda: lt.WaveletLoss("db2", 2), IMAGES, call=against_zero, half=False)],
    "LDWBottleneck": [of(lambda: lt.LDWBottleneck(4, 8), IMAGES, half=False)],
    "EnergyAttention": [
        of(lambda: lt.EnergyAttention(4, 2), IMAGES, half=False),
        of(lambda: lt.EnergyAttention(4, 2, normalize=True, dimensions=1), LINES, half=False),
    ],
}
"""Layers by the name of their class."""

ZOO: dict[str, type[nn.Module]] = {name: getattr(zoo, name) for name in zoo.__all__}
"""The layers of ``liftwave.torch.zoo``."""


def new_of_zoo(kind: type[nn.Module], channels: int, **options: Any) -> nn.Module:
    """A layer of the zoo with its default arguments."""
    channels_of = inspect.signature(kind).parameters.get("channels")
    is_needed = channels_of is not None and channels_of.default is inspect.Parameter.empty
    return kind(channels, **options) if is_needed else kind(**options)


NO_LAYERS = frozenset(
    (
        "LearnableWavelet",
        "Place",
        "Replacement",
        "Replacements",
        "auxiliary_loss",
        "collect_penalties",
        "pooling_modules",
        "replace_pooling",
    )
)
"""The other names of ``liftwave.torch``: a base class, reports, and functions on models."""

COMPLEX = tuple(name for name in LAYERS if name[:-2].endswith(("DWT", "SWT", "WaveletPacket")))
"""Layers that take complex tensors: the transforms."""
