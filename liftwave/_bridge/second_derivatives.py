"""Derivatives of derivatives: torch differentiates the reference kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from liftwave._dispatch import fallback_for
from liftwave._operations.operation import Operation

_vjp: Any = torch.func.vjp


def pull_back_by_torch(
    operation: Operation,
    sizes: Sequence[int],
    inputs: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """Cotangents by torch's own derivatives of the reference kernels. Indices have none."""
    kernels = fallback_for(inputs, "derivative")
    floating = [x.is_floating_point() or x.is_complex() for x in inputs]

    def function(*tensors: Tensor) -> tuple[Tensor, ...]:
        remaining = iter(tensors)
        arrays = [next(remaining) if f else x for x, f in zip(inputs, floating, strict=True)]
        return tuple(operation.run(arrays, sizes, kernels))

    primals = [x for x, f in zip(inputs, floating, strict=True) if f]
    results, pullback = _vjp(function, *primals)
    filled = [
        torch.zeros_like(y) if g is None else g.to(y.dtype)
        for y, g in zip(results, cotangents, strict=True)
    ]
    gradients = iter(pullback(tuple(filled)))
    return [next(gradients) if f else None for f in floating]
