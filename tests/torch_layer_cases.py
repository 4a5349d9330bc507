"""A case of every layer of ``liftwave.torch``, for tests of tracing, compilation and export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import torch
from helpers import zero_mean
from no_fallback_layers import ZOO, new_of_zoo
from torch import nn

from liftwave import torch as lwt
from liftwave.torch import LearnableWavelet

CHANNELS = 3
SIZES = {1: (12,), 2: (8, 9), 3: (6, 5, 8)}


class Case(NamedTuple):
    """A layer, and its arguments for a signal of shape (N, C, …)."""

    layer: nn.Module
    arguments_for: Callable[[torch.Tensor], tuple[Any, ...]]

    def arguments(self, batch: int = 2, longer: int = 0) -> tuple[Any, ...]:
        """The arguments for ``batch`` signals, each axis ``longer`` than in :data:`SIZES`."""
        sizes = [n + longer for n in SIZES[self.layer.dimensions]]
        with torch.no_grad():
            return self.arguments_for(data(batch, CHANNELS, *sizes))


def data(*shape: int) -> torch.Tensor:
    return torch.asarray(zero_mean(shape, dtype="float32"))


def _signal(x: torch.Tensor) -> tuple[Any, ...]:
    return (x,)


def _pooling(dims: int) -> Iterator[tuple[str, Case]]:
    def layer(name: str, *args: Any, **options: Any) -> Any:
        return getattr(lwt, f"{name}{dims}d")(*args, **options)

    yield "", Case(layer("SoftPool", 2), _signal)
    yield "overlapping", Case(layer("SoftPool", 3, 2, 1), _signal)
    yield "", Case(layer("EDSCWPool", 2), _signal)
    yield "vectors", Case(layer("EDSCWPool", 2, per_channel=False), _signal)
    yield "", Case(layer("IDWPool", 2), _signal)
    yield "huber", Case(layer("IDWPool", 3, 2, distance="huber"), _signal)
    yield "", Case(layer("SimilarityPool", 2, similarity="cosine"), _signal)
    yield "", Case(layer("GatedAdaPool", 2), _signal)
    yield "channels", Case(layer("GatedAdaPool", 3, 2, 1, channels=CHANNELS), _signal)
    yield "", Case(layer("NearestUnpool", 2), _signal)
    yield "apart", Case(layer("NearestUnpool", 2, 3), _signal)
    yield "", Case(layer("BedOfNailsUnpool", 2), _signal)
    pool, masked = layer("AdaPool", 2, mask=False), layer("AdaPool", 2)
    masked(data(1, CHANNELS, *SIZES[dims]))  # the mask has the size of this result
    yield "", Case(pool, _signal)
    yield "masked", Case(masked, _signal)
    yield "", Case(layer("AdaUnpool", pool), lambda x: (pool(x), x))
    yield "linear", Case(layer("AdaUnpool", masked, "linear"), lambda x: (masked(x), x))
    yield "", Case(layer("LiftDownPool", CHANNELS), _signal)
    down = layer("LiftDownPool", CHANNELS, output="concat")
    yield "", Case(layer("LiftUpPool", down), lambda x: (down(x),))
    yield "", Case(layer("LDWPool", 4), _signal)
    yield "symmetric", Case(layer("LDWPool", 4, "sum", mode="symmetric"), _signal)
    for name, mode in (("", "periodization"), ("symmetric", "symmetric")):
        wavelet = layer("LDWPool", 4, "concat", mode=mode)
        inputs = lambda x, wavelet=wavelet: (wavelet(x),)  # noqa: E731
        yield name, Case(layer("LDWUnpool", wavelet), inputs)
    if dims == 2:
        yield "", Case(lwt.EnergyAttention(CHANNELS), _signal)
        yield "", Case(lwt.LDWBottleneck(CHANNELS, 8), _signal)
        yield from (("", Case(new_of_zoo(kind, CHANNELS), _signal)) for kind in ZOO.values())


_LEARNED = (
    ("DWT", "orthonormal", "db3", "symmetric"),
    ("DWT", "linear-phase", "cdf9.7", "reflect"),
    ("DWT", "lifting", "db2", "periodization"),
    ("DWT", "filters", "db2", "zero"),
    ("SWT", "filters", "db2", "periodization"),
    ("MODWT", "lifting", "haar", "periodic"),
    ("WaveletPacket", "orthonormal", "db2", "periodization"),
)


def _transforms(dims: int) -> Iterator[tuple[str, Case]]:
    layers = [
        ("", getattr(lwt, f"{name}{dims}d")("db2"))
        for name in ("DWT", "SWT", "MODWT", "WaveletPacket")
        if hasattr(lwt, f"{name}{dims}d")
    ]
    layers += [
        (learn, getattr(lwt, f"{name}{dims}d")(wavelet, 2, mode, learn=learn))
        for name, learn, wavelet, mode in _LEARNED
        if dims == 1
    ]
    for name, layer in layers:
        yield name, Case(layer, _signal)
        yield name, Case(layer.inverse(), lambda x, layer=layer: (layer(x),))
    tree = getattr(lwt, f"DualTree{dims}d")(1 if dims == 3 else 2, output="real")
    yield "", Case(tree, _signal)
    yield "", Case(tree.inverse(), lambda x: (tree(x),))
    yield "", Case(getattr(lwt, f"WTConv{dims}d")(CHANNELS, 3, 2), _signal)
    if dims < 3:
        denoise = getattr(lwt, f"Denoise{dims}d")("db2", 3 - dims, channels=CHANNELS, relative=True)
        yield "", Case(denoise, _signal)
    if dims == 2:
        denoise = lwt.Denoise2d(None, 2, transform="dtcwt", relative=True)
        yield "dual tree", Case(denoise, _signal)
    if dims == 1:
        both = lambda x: (x, x.square())  # noqa: E731
        yield "", Case(lwt.WaveletLoss("db2", 2, undecimated=False, dimensions=1), both)
        yield "undecimated", Case(lwt.WaveletLoss("db2", 2, "charbonnier", dimensions=1), both)


def _named(cases: Iterator[tuple[str, Case]]) -> Iterator[tuple[str, Case]]:
    for name, case in cases:
        yield f"{type(case.layer).__name__} {name}".strip(), case._replace(layer=case.layer.eval())


CASES: dict[str, Case] = {
    name: case
    for dims in (1, 2, 3)
    for family in (_pooling, _transforms)
    for name, case in _named(family(dims))
}
"""The cases by the name of the layer and what is special."""

OF_FIXED_LENGTH: dict[str, tuple[nn.Module, torch.Tensor]] = {
    "Scalogram1d": (lwt.Scalogram1d([0.2, 0.05], learn="all"), data(2, CHANNELS, 64)),
    "Scattering1d": (lwt.Scattering1d(2), data(2, CHANNELS, 64)),
    "Scattering2d": (lwt.Scattering2d(2, 4), data(2, CHANNELS, 16, 16)),
}
"""Layers whose programs are for one length, and their data."""

PARTS = (LearnableWavelet, lwt.Orthonormal, lwt.LinearPhase)
"""Modules that layers hold, which take no signal."""

_OTHERS = ("EnergyAttention", "WaveletLoss")
_QUICK = [name for name in CASES if "1d" in name or name in _OTHERS]

EACH = [name if name in _QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
"""The names as parameters of a test. The default run has each kind of layer in one dimension."""
