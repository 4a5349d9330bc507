"""Pooling by compiled kernels, compared with the reference: windows, data, results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from families import is_exact
from families import reference as reference_kernels
from helpers import assert_close
from pooling_calls import Windowed

from liftwave._kernels.reference.pooling import regions as reference_regions
from liftwave._plan.windows import WindowPlan, window_plan

reference = Windowed(reference_kernels)

DISTANCES = ("l1", "l2", "chebyshev", "gower", "huber")
KINDS = ("softmax", "exp-dice", "dice", "ada", *(f"idw-{name}" for name in DISTANCES))
FLOATS = ("float32", "float64")

# Shapes with the planes first, and window arguments: rows longer than the CPU's vectors, and small
# images for CUDA kernels, which run slowly on the host.
CPU_GEOMETRIES: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "2 x 2": ((5, 10, 70), {"kernel_size": 2}),
    "2 x 2, a rest": ((3, 7, 37), {"kernel_size": 2}),
    "2 x 2, a rest kept": ((3, 7, 37), {"kernel_size": 2, "ceil_mode": True}),
    "3 x 3": ((2, 12, 150), {"kernel_size": 3}),
    "3 x 3, stride 2": ((4, 17, 45), {"kernel_size": 3, "stride": 2, "padding": 1}),
    "3 x 3, stride 1": ((2, 9, 40), {"kernel_size": 3, "stride": 1, "padding": 1}),
    "5 x 4, stride 2 x 3": ((2, 15, 50), {"kernel_size": (5, 4), "stride": (2, 3), "padding": 2}),
    "gaps": ((2, 14, 60), {"kernel_size": 2, "stride": (4, 5)}),
    "dilated": ((3, 13, 40), {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": (3, 2)}),
    "dilated, disjoint": ((2, 12, 66), {"kernel_size": 2, "stride": 6, "dilation": 3}),
    "many small planes": ((37, 4, 6), {"kernel_size": 2}),
    "whole planes": ((19, 5, 3), {"kernel_size": (5, 3)}),
    "single samples": ((3, 4, 5), {"kernel_size": 1}),
    "1-d": ((5, 101), {"kernel_size": (4,), "stride": 3, "padding": 2}),
    "1-d, pairs": ((2, 300), {"kernel_size": (2,)}),
    "1-d, stride 1": ((2, 70), {"kernel_size": (5,), "stride": 1, "dilation": 2}),
    "3-d": ((3, 6, 4, 38), {"kernel_size": 2, "ndim": 3}),
    "3-d, overlapping": ((2, 5, 6, 7), {"kernel_size": 3, "stride": 2, "padding": 1, "ndim": 3}),
    "4-d": ((2, 3, 4, 5, 6), {"kernel_size": (2, 1, 3, 2), "stride": (1, 2, 2, 1)}),
}
CUDA_GEOMETRIES: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "2 x 2": ((3, 6, 36), {"kernel_size": 2}),
    "2 x 2, rows left": ((2, 7, 24), {"kernel_size": 2}),
    "2 x 2, odd": ((3, 6, 22), {"kernel_size": 2}),
    "2 x 2, a rest": ((3, 7, 37), {"kernel_size": 2}),
    "2 x 2, a rest kept": ((3, 7, 37), {"kernel_size": 2, "ceil_mode": True}),
    "2 x 2, padded": ((3, 7, 37), {"kernel_size": 2, "padding": 1}),
    "3 x 3": ((2, 12, 50), {"kernel_size": 3}),
    "3 x 3, a rest kept": ((2, 13, 50), {"kernel_size": 3, "ceil_mode": True, "padding": 1}),
    "3 x 3, stride 2": ((4, 17, 45), {"kernel_size": 3, "stride": 2, "padding": 1}),
    "3 x 3, stride 1": ((2, 9, 40), {"kernel_size": 3, "stride": 1, "padding": 1}),
    "5 x 4, stride 2 x 3": ((2, 15, 50), {"kernel_size": (5, 4), "stride": (2, 3), "padding": 2}),
    "4 x 4": ((2, 10, 41), {"kernel_size": 4}),
    "gaps": ((2, 14, 60), {"kernel_size": 2, "stride": (4, 5)}),
    "dilated": ((3, 13, 40), {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": (3, 2)}),
    "dilated, apart": ((2, 12, 66), {"kernel_size": 2, "stride": 6, "dilation": 3}),
    "dilated, general": ((2, 15, 33), {"kernel_size": (4, 3), "stride": 2, "dilation": (2, 4)}),
    "whole planes": ((19, 5, 3), {"kernel_size": (5, 3)}),
    "single samples": ((3, 4, 5), {"kernel_size": 1}),
    "1-d": ((5, 101), {"kernel_size": (4,), "stride": 3, "padding": 2}),
    "1-d, pairs": ((2, 300), {"kernel_size": (2,)}),
    "1-d, threes": ((2, 100), {"kernel_size": (3,), "stride": 2, "padding": 1}),
    "1-d, stride 1": ((2, 70), {"kernel_size": (5,), "stride": 1, "dilation": 2}),
    "1-d, several tiles": ((1, 2100), {"kernel_size": (6,), "stride": 5, "ceil_mode": True}),
    "several tiles": ((1, 40, 90), {"kernel_size": 4, "stride": 3, "padding": 2}),
    "3-d": ((3, 6, 4, 12), {"kernel_size": 2, "ndim": 3}),
    "3-d, overlapping": ((2, 5, 6, 7), {"kernel_size": 3, "stride": 2, "padding": 1, "ndim": 3}),
}


def geometry(family: Any, name: str) -> tuple[tuple[int, ...], WindowPlan]:
    every = CPU_GEOMETRIES if is_exact(family) else CUDA_GEOMETRIES
    shape, arguments = every[name]
    return shape, window_plan(shape, **arguments)


def data(shape: Sequence[int], dtype: str, seed: int = 0) -> np.ndarray:
    """Numbers of both signs whose means are not near zero, so that nothing cancels."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([1.0, 1.0, 1.0, -0.1], shape)
    return (rng.uniform(0.5, 2.0, shape) * signs).astype(dtype)


def betas(plan: WindowPlan, planes: int, dtype: str) -> list[np.ndarray]:
    """One for all windows, per window, per plane, per plane and window, and a mixture."""
    rng = np.random.default_rng(7)
    ones = (1,) * plan.ndim
    shapes = [(1, *ones), (1, *plan.outputs), (planes, *ones), (planes, *plan.outputs)]
    if planes % 2 == 0:
        shapes.append((planes // 2, *plan.outputs[:-1], 1))
    return [rng.uniform(0.0, 1.0, shape).astype(dtype) for shape in shapes]


def results(kernels: Any, x: Any, plan: WindowPlan, kind: Any, beta: Any) -> list[Any]:
    """The results of all functions."""
    g = data((x.shape[0], *plan.outputs), "float64", 1)
    back = data(x.shape, "float64", 2)
    if isinstance(x, np.ndarray):
        g, back = g.astype(x.dtype), back.astype(x.dtype)
    else:
        import torch

        g, back = (torch.from_numpy(v).to(x.dtype) for v in (g, back))
    found = [kernels.pool(x, plan, kind, beta, 0.4), *kernels.pool_vjp(x, g, plan, kind, beta, 0.4)]
    for preserve in ("sum", "mean"):
        how: tuple[Any, ...] = (beta, 0.4, 1, "nearest", preserve)
        found.append(kernels.unpool(x, g, plan, kind, *how))
        found.extend(kernels.unpool_vjp(x, g, back, plan, kind, *how))
    return found


def compare(family: Any, x: Any, plan: WindowPlan, kind: str, beta: Any = None) -> None:
    actual = results(Windowed(family), x, plan, kind, beta)
    expected = results(reference, x, plan, kind, beta)
    ulps = (64.0 if is_exact(family) else 32.0) * condition(x, plan, kind)
    for got, wanted in zip(actual, expected, strict=True):
        if wanted is None:
            assert got is None
            continue
        # Sums over windows accumulate the errors of all windows.
        windows = x.shape[0] * np.prod(plan.outputs)
        summed = beta is not None and wanted.size < windows and not is_exact(family)
        terms = windows / wanted.size if summed else 1.0
        scale = max(1.0, float(np.abs(wanted).max())) * terms**0.5
        assert_close(got, wanted, ulps=ulps, scale=scale)


def condition(x: Any, plan: WindowPlan, kind: str) -> float:
    """The factor by which distances from the mean amplify an error of the mean."""
    if not kind.startswith("idw"):
        return 1.0
    region = reference_regions.regions(x.astype("float64"), plan)
    apart = np.abs(region.samples - region.total(region.samples * region.share))
    apart = apart[np.broadcast_to(True if region.present is None else region.present, apart.shape)]
    # The gradients' denominators are squared distances; single samples equal their mean.
    nearest = apart[apart > 1e-12].min(initial=1.0)
    return float(np.abs(x).max() / nearest) ** 2
