"""Layers of undecimated transforms and packets in graphs of torch: compiled, exported, mapped."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from helpers import assert_close, zero_mean
from test_torch_transform_layers import same
from torch import nn
from torch.utils._pytree import tree_leaves

import liftwave as lw
from liftwave import torch as lwt

pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning"),
    # About array-api-compat's cache of array types, which tracing bypasses.
    pytest.mark.filterwarnings("ignore:Dynamo detected a call to a .functools.lru_cache"),
]

slow = pytest.mark.slow


class RoundTrips(nn.Module):
    """Coefficients of several layers of images, changed, and what is made of them."""

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        self.there = nn.ModuleList(layers)
        self.back = nn.ModuleList([layer.inverse() for layer in layers])

    def forward(self, x: torch.Tensor) -> list[Any]:
        results = []
        for layer, inverse in zip(self.there, self.back, strict=True):
            signal = x if layer.dimensions == 2 else x.flatten(1, 2)
            bands = layer(signal)
            if isinstance(bands, torch.Tensor):
                size = signal.shape[-1:] if layer.dimensions == 1 else None
                results += [bands, inverse(bands.sin(), output_size=size)]
            else:
                results += [bands, inverse([bands[0].sin(), *bands[1:]])]
        return results


def image(*shape: int) -> torch.Tensor:
    return torch.asarray(zero_mean(shape or (2, 3, 9, 8), dtype="float32"))


FIXED = (lwt.SWT2d("db2", 2), lwt.MODWT1d("haar", 2), lwt.WaveletPacket2d("db2", 2))
SCHEME = lw.LiftingScheme.from_name("cdf5.3")
MODELS = {
    "fixed": RoundTrips(*FIXED, lwt.SWT1d(SCHEME, 1, "reflect")),
    "learned": RoundTrips(
        lwt.SWT2d("db2", learn="filters"),
        lwt.SWT1d("cdf5.3", mode="symmetric", learn="linear-phase"),
        lwt.MODWT1d("haar", learn="lifting"),
        lwt.WaveletPacket1d("haar", 2, learn="orthonormal"),
    ),
}
MANY = (5, 3, 9, 8)


SINGLE = {
    f"{kind} {type(layer).__name__}": RoundTrips(layer)
    for kind, model in MODELS.items()
    for layer in model.there
}


# Each kind of layer at least once: a compilation takes seconds.
QUICK = ("fixed SWT2d", "fixed SWT1d", "learned MODWT1d", "learned WaveletPacket1d")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=slow) for name in SINGLE]
)
def test_layers_compile_whole(name: str) -> None:
    """Once for all lengths. (One graph of all layers takes longer than one for each.)"""
    model = SINGLE[name]
    parameters = [p for p in model.parameters() if p.numel()]
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager", dynamic=True)
    for shape in ((2, 3, 12, 13), (3, 3, 15, 12)):
        x = image(*shape).requires_grad_()
        pairs = []
        for function in (compiled, model):
            results = tree_leaves(function(x))
            loss = sum(y.square().sum() for y in results)
            pairs.append([*results, *torch.autograd.grad(loss, [x, *parameters])])
        for a, b in zip(*pairs, strict=True):
            assert_close(a.detach(), b.detach(), ulps=64, scale=8.0 + float(b.detach().abs().max()))
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


@pytest.mark.parametrize(
    ("kind", "strict"),
    [
        pytest.param("learned", False, marks=slow),
        pytest.param("fixed", True, marks=slow),
        pytest.param("fixed", False, marks=slow),
        pytest.param("learned", True, marks=slow),
    ],
)
def test_layers_export(kind: str, strict: bool) -> None:
    """To a program that is saved, loaded, and run on another batch."""
    batch, model = torch.export.Dim("batch", min=2), MODELS[kind]
    shapes = {"x": {0: batch}}
    program = torch.export.export(model, (image(),), dynamic_shapes=shapes, strict=strict)
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    x = image(*MANY)
    same(torch.export.load(file).module()(x), model(x), ulps=64, scale=8.0)


@pytest.mark.parametrize("kind", MODELS)
def test_layers_are_mapped(kind: str) -> None:
    """By ``vmap``, also with gradients for each element of a batch; and forward mode."""
    model, x = MODELS[kind], image(4, 2, 3, 9, 8)
    results = [tree_leaves(model(each)) for each in x]
    expected = [torch.stack(of_each) for of_each in zip(*results, strict=True)]
    same(tree_leaves(torch.vmap(model)(x)), expected, ulps=8)

    def loss(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([y.square().sum() for y in tree_leaves(model(x))]).sum()

    _, derivative = torch.func.jvp(lambda x: tuple(tree_leaves(model(x))), (x[0],), (x[1],))
    _, expected = torch.autograd.functional.jvp(lambda x: tuple(tree_leaves(model(x))), x[0], x[1])
    same(derivative, expected, ulps=64, scale=8.0)
    gradients = torch.stack([torch.func.grad(loss)(each) for each in x])
    assert_close(torch.vmap(torch.func.grad(loss))(x), gradients, ulps=64, scale=64.0)
