"""CUDA kernels of lifting pooling, run on the host, give what the reference gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from cuda_host import HostRuntime, compiler
from helpers import zero_mean
from lift_pool_cases import PADDINGS

from liftwave._kernels import cuda_lift_pool, cuda_runtime
from liftwave._kernels import cuda_lift_pool_launch as launch
from liftwave._kernels import reference_lift_pool as wanted_kernels
from liftwave._lift_pool_plan import LiftOutput, LiftPoolPlan

runs = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

CHANNELS = 3
SIZES = [
    (1,),
    (2,),
    (9,),
    (40,),
    (1, 1),
    (1, 5),
    (7, 8),
    (6, 1),
    (5, 33),
    (12, 14),
    (3, 4, 5),
    (2, 1, 9),
]

Way = Callable[[Any], Any]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> HostRuntime:
    """What runs kernels; what they do not serve fails."""
    runtime = HostRuntime()
    monkeypatch.setattr(cuda_runtime, "runtime", runtime)
    monkeypatch.setattr(cuda_runtime, "fallback", None)
    return runtime


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little shared memory that planes are cut into several tiles."""
    monkeypatch.setattr(launch, "MAX_OVERLAP", 100.0)


def outputs(dims: int) -> list[LiftOutput]:
    every = tuple(range(2**dims))
    return [
        *(LiftOutput(every, form) for form in ("bands", "concat", "sum")),
        LiftOutput(every[::-1], "concat"),
        LiftOutput((1, 0), "sum"),
        LiftOutput((1,), "bands"),
    ]


def filters(plan: LiftPoolPlan, dtype: str, seed: int = 0, channels: int = CHANNELS) -> Any:
    passes = 1 if plan.shared else len(plan.passes)
    shape = (passes, 2, channels, plan.kernel + 3)
    return (np.random.default_rng(seed).standard_normal(shape) / plan.kernel).astype(dtype)


def near(got: Any, wanted: Any, size: Any, count: int) -> None:
    """Within eps times so many terms of that size."""
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    tolerance = 4 * count * np.finfo(wanted.dtype).eps * max(float(size), 1.0)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance)


def largest(x: Any) -> float:
    return float(np.abs(x).max(initial=0.0))


def norm(x: Any) -> float:
    return float(np.linalg.norm(np.asarray(x, "float64").ravel()))


def check_down(plan: LiftPoolPlan, output: LiftOutput, dtype: str, batch: int = 2) -> None:
    taps, terms = filters(plan, dtype), plan.kernel + 4
    x = zero_mean((batch, CHANNELS, *plan.sizes), 1, dtype)
    kept = x.copy()
    bands, sums = wanted_kernels.lift_down(x, taps, plan, output, True)
    found, found_sums = cuda_lift_pool.lift_down(x, taps, plan, output, True)
    for a, b in zip(found, bands, strict=True):
        near(a, b, largest(b), terms)
    near(found_sums, sums, largest(sums), terms)
    without, none = cuda_lift_pool.lift_down(x, taps, plan, output, False)
    assert none is None
    for a, b in zip(without, found, strict=True):
        near(a, b, largest(b), terms)
    cotangents: list[Any] = [zero_mean(b.shape, 2 + k, dtype) for k, b in enumerate(bands)]
    if len(cotangents) > 1:
        cotangents[1] = None
    for of_sums in (None, zero_mean(sums.shape, 9, dtype)):
        for from_outputs in (False, True)[: 1 + output.holds_all(plan.dimensions)]:
            values = bands if from_outputs else [x]
            arguments = values, cotangents, of_sums, taps, plan, output, from_outputs
            wanted = wanted_kernels.lift_down_vjp(*arguments)
            compare(cuda_lift_pool.lift_down_vjp(*arguments), wanted, x, bands, terms)
    np.testing.assert_array_equal(x, kept)


def compare(got: Any, wanted: Any, x: Any, bands: Any, terms: int) -> None:
    """Cotangents by their own size; gradients by that of the products which they sum."""
    near(got[0], wanted[0], largest(wanted[0]), 4 * terms)
    products = max(norm(x), *map(norm, bands)) * norm(wanted[0])
    near(got[1], wanted[1], products + largest(wanted[1]), terms)


def check_up(plan: LiftPoolPlan, dtype: str, batch: int = 2) -> None:
    taps, shape = filters(plan, dtype), (batch, CHANNELS, *plan.halves)
    terms = plan.kernel + 4
    bands = [zero_mean(shape, k, dtype) for k in range(2**plan.dimensions)]
    wanted = wanted_kernels.lift_up(bands, taps, plan)
    near(cuda_lift_pool.lift_up(bands, taps, plan), wanted, largest(wanted), terms)
    cotangent = zero_mean(wanted.shape, 99, dtype)
    for from_outputs in (False, True)[: 1 + plan.is_even]:
        values = [wanted] if from_outputs else bands
        arguments = values, cotangent, taps, plan, from_outputs
        expected = wanted_kernels.lift_up_vjp(*arguments)
        found = cuda_lift_pool.lift_up_vjp(*arguments)
        for a, b in zip(found[0], expected[0], strict=True):
            compare((a, found[1]), (b, expected[1]), wanted, bands, terms)


def plans(sizes: tuple[int, ...], kernel: int) -> Iterator[LiftPoolPlan]:
    for number, padding in enumerate(PADDINGS):
        yield LiftPoolPlan(sizes, kernel, padding, number % 2 == 1)


SLOW = [pytest.param(k, marks=pytest.mark.slow) for k in (1, 3, 4, 6, 7, 8, 20)]


@runs
@pytest.mark.parametrize("kernel", [2, 5, 9, *SLOW])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_every_shape(sizes: tuple[int, ...], kernel: int, host: HostRuntime) -> None:
    some = outputs(len(sizes))
    for number, plan in enumerate(plans(sizes, kernel)):
        for output in some[number % 2 :: 2] if number else some:
            check_down(plan, output, "float32")
        check_up(plan, "float32")
    assert host.launched
