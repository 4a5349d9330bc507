"""Layers of torch for the tests of CUDA kernels, and all results of a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

import liftwave.torch as lt

LAYERS: dict[str, Callable[[], torch.nn.Module]] = {
    "fixed": lambda: lt.DWT2d("db2", level=2),
    "filters": lambda: lt.DWT2d("db2", level=2, learn="filters"),
    "lifting": lambda: lt.DWT2d("cdf9.7", learn="lifting", mode="symmetric"),
    "lines": lambda: lt.DWT1d("db3", level=2, learn="filters"),
    "packets": lambda: lt.WaveletPacket2d("db2", level=2, learn="filters"),
    "SoftPool": lambda: lt.SoftPool2d(2),
    "AdaPool": lambda: lt.AdaPool2d(2),
    "LDWPool": lambda: lt.LDWPool2d(4),
    "LiftDownPool": lambda: lt.LiftDownPool2d(3, output="concat"),
    "LiftDownPool, even kernel": lambda: lt.LiftDownPool2d(3, kernel_size=2, padding="zeros"),
}


def flattened(result: Any) -> list[torch.Tensor]:
    """The tensors in nested lists, tuples and dicts."""
    if isinstance(result, torch.Tensor):
        return [result]
    parts = result.values() if isinstance(result, dict) else result
    return [x for part in parts for x in flattened(part)]


def run_layer(layer: torch.nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """Results, the gradient of the input, and those of the parameters of a layer."""
    x = x.detach().clone().requires_grad_()
    outputs = flattened(layer(x))
    losses = [(y.double() * y.double() * (k + 1)).sum() for k, y in enumerate(outputs)]
    gradients = torch.autograd.grad(torch.stack(losses).sum(), [x, *layer.parameters()])
    return [y.detach() for y in (*outputs, *gradients)]
