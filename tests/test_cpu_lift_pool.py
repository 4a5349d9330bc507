"""Compiled lifting pooling equals the reference.

Bands, signals and the sums of the forward pass are bitwise equal (sums for penalties within
rounding). Cotangents and gradients agree within the rounding of their sums, and do not depend on
the number of threads.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers import zero_mean
from lift_pool_cases import PADDINGS

import liftwave as lw
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan

_cpu = pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
from liftwave._kernels.cpu.lift_pool import CpuLiftPool  # noqa: E402

reference = ReferenceKernels().lift_pool
cpu = CpuLiftPool(reference)

CHANNELS = 3
SIZES = [
    *((1,), (2,), (9,), (40,), (1030,)),
    *((1, 1), (7, 8), (5, 33), (12, 70), (1, 5), (66, 3)),
    *((3, 4, 5), (2, 1, 34)),
    (2, 3, 2, 5),
]


def outputs(dims: int) -> list[LiftOutput]:
    every = tuple(range(2**dims))
    return [
        *(LiftOutput(every, combination) for combination in ("bands", "concat", "sum")),
        LiftOutput(every[::-1], "concat"),
        LiftOutput((1, 0), "sum"),
        LiftOutput((1,), "bands"),
    ]


def filters(plan: LiftPoolPlan, dtype: str, seed: int = 0) -> np.ndarray:
    passes = 1 if plan.shared else len(plan.passes)
    shape = (passes, 2, CHANNELS, plan.kernel + 3)
    return (np.random.default_rng(seed).standard_normal(shape) / plan.kernel).astype(dtype)


def plans(sizes: tuple[int, ...], kernel: int) -> Iterator[LiftPoolPlan]:
    for number, padding in enumerate(PADDINGS):
        yield LiftPoolPlan(sizes, kernel, padding, number % 2 == 1)


def norm(x: Any) -> float:
    return float(np.linalg.norm(np.asarray(x, "float64").ravel()))


def near(got: Any, wanted: Any, size: float, eps: int = 8) -> None:
    """Equal within some eps of the largest possible term of the sums."""
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    tolerance = eps * np.finfo(wanted.dtype).eps * max(size, 1.0)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance)


def check_down(plan: LiftPoolPlan, output: LiftOutput, dtype: str, batch: int = 2) -> None:
    taps = filters(plan, dtype)
    x = zero_mean((batch, CHANNELS, *plan.sizes), 1, dtype)
    got, sums = cpu.lift_down(x, taps, plan, output, True)
    wanted, wanted_sums = reference.lift_down(x, taps, plan, output, True)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)
    near(sums, wanted_sums, float(wanted_sums.max()))
    cotangents: list[Any] = [zero_mean(a.shape, 2 + k, dtype) for k, a in enumerate(got)]
    if len(cotangents) > 1:
        cotangents[1] = None
    for of_sums in (None, zero_mean(sums.shape, 9, dtype)):
        for from_outputs in (False, True)[: 1 + output.holds_all(plan.dimensions)]:
            values = got if from_outputs else [x]
            arguments = values, cotangents, of_sums, taps, plan, output, from_outputs
            compare(cpu.lift_down_vjp(*arguments), reference.lift_down_vjp(*arguments), x, got)


def compare(got: Any, wanted: Any, x: Any, bands: Any) -> None:
    """Cotangents relative to their size; gradients relative to the products that they sum."""
    near(got[0], wanted[0], float(np.abs(wanted[0]).max(initial=0.0)), 64)
    products = max(norm(x), *map(norm, bands)) * norm(wanted[0])
    near(got[1], wanted[1], products + float(np.abs(wanted[1]).max()), 64)


def check_up(plan: LiftPoolPlan, dtype: str, batch: int = 2) -> None:
    taps, shape = filters(plan, dtype), (batch, CHANNELS, *plan.halves)
    bands = [zero_mean(shape, k, dtype) for k in range(2**plan.dimensions)]
    got, wanted = cpu.lift_up(bands, taps, plan), reference.lift_up(bands, taps, plan)
    np.testing.assert_array_equal(got, wanted, strict=True)
    cotangent = zero_mean(got.shape, 99, dtype)
    for from_outputs in (False, True)[: 1 + all(n % 2 == 0 for n in plan.sizes)]:
        values = [got] if from_outputs else bands
        arguments = values, cotangent, taps, plan, from_outputs
        found, expected = cpu.lift_up_vjp(*arguments), reference.lift_up_vjp(*arguments)
        for a, b in zip(found[0], expected[0], strict=True):
            compare((a, found[1]), (b, expected[1]), got, bands)


QUICK = [(1, "float32"), (2, "float32"), (5, "float32"), (5, "float64"), (9, "float64")]
"""Numbers of weights for which kernels are compiled, and others."""
SLOW = [k for k in product((1, 2, 3, 4, 5, 7, 9, 20), ("float32", "float64")) if k not in QUICK]


@pytest.mark.parametrize(
    ("kernel", "dtype"), [*QUICK, *(pytest.param(*k, marks=pytest.mark.slow) for k in SLOW)]
)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_every_shape(sizes: tuple[int, ...], kernel: int, dtype: str) -> None:
    for number, plan in enumerate(plans(sizes, kernel)):
        some = outputs(len(sizes))
        for output in some if number == 0 else some[number % 2 :: 3]:
            check_down(plan, output, dtype)
        check_up(plan, dtype)


def test_empty_batches() -> None:
    plan = LiftPoolPlan((5, 6), 5, "reflect", False)
    for output in outputs(2):
        check_down(plan, output, "float32", batch=0)
    check_up(plan, "float32", batch=0)


@pytest.mark.parametrize("sizes", [(70000,), (97, 130)], ids=str)
def test_threads_change_nothing(sizes: tuple[int, ...]) -> None:
    plan = LiftPoolPlan(sizes, 5, "reflect", False)
    taps, output = filters(plan, "float32"), outputs(len(sizes))[0]
    x = zero_mean((5, CHANNELS, *sizes), 0, "float32")
    before = lw.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            lw.set_num_threads(count)
            bands, sums = cpu.lift_down(x, taps, plan, output, True)
            back = cpu.lift_down_vjp(bands, bands, sums, taps, plan, output, True)
            y = cpu.lift_up(bands, taps, plan)
            found.append([*bands, sums, *back, y])
    finally:
        lw.set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_instruction_sets_agree() -> None:
    """Bitwise equal, including sums and gradients."""
    code = """
import hashlib, sys
import numpy as np
from liftwave import _dispatch
from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan
cpu = _dispatch.families()["cpu"].lift_pool
digest = hashlib.sha256()
rng = np.random.default_rng(0)
for dtype in ("float32", "float64"):
    for kernel in (2, 5):
        plan = LiftPoolPlan((9, 50), kernel, "reflect", False)
        taps = rng.standard_normal((3, 2, 3, kernel + 3)).astype(dtype)
        x = rng.standard_normal((2, 3, 9, 50)).astype(dtype)
        output = LiftOutput((0, 1, 2, 3), "bands")
        bands, sums = cpu.lift_down(x, taps, plan, output, True)
        back = cpu.lift_down_vjp(bands, bands, sums, taps, plan, output, True)
        for a in (*bands, sums, *back, cpu.lift_up(bands, taps, plan)):
            digest.update(a.tobytes())
print(digest.hexdigest())
"""
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "LIFTWAVE_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for isa in _cpu.available_isas()
    }
    assert len(found) == 1


def test_what_is_not_served_goes_to_the_reference() -> None:
    plan = LiftPoolPlan((6,), 3, "reflect", False)
    x, taps = zero_mean((1, CHANNELS, 6)), filters(plan, "float64")
    output = outputs(1)[0]
    for signal, numbers in ((x.astype("longdouble"), taps.astype("longdouble")), (x, taps)):
        got, _ = cpu.lift_down(signal, numbers, plan, output, False)
        wanted, _ = reference.lift_down(signal, numbers, plan, output, False)
        for a, b in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(a, b, strict=True)


def test_the_module_checks_what_it_gets() -> None:
    """No access outside of the arrays."""
    module = _cpu.LiftPool((4,), [[1, 0, 1, 0]], 3, False)
    x, taps, band = np.ones((1, 1, 4)), np.ones((1, 2, 1, 6)), np.ones((1, 1, 2))
    module.down(x, taps, [band, band.copy()], [0, 1], 2, None)
    for arguments, match in [
        ((x, taps[..., :5].copy(), [band, band], [0, 1], 2, None), "does not fit"),
        ((x, taps, [band], [0, 1], 2, None), "do not match the bands"),
        ((x, taps, [band, x], [0, 1], 2, None), "does not fit"),
        ((x, taps, [band, band], [0, 2], 2, None), "no such band"),
        ((x, taps, [band.astype("float32"), band], [0, 1], 2, None), "dtypes"),
    ]:
        with pytest.raises(RuntimeError, match=match):
            module.down(*arguments)
    with pytest.raises(RuntimeError, match="a band is missing"):
        module.up([band, None], taps, x)
    for sources, kernel in (([[5, 0, 1, 0]], 3), ([[1, 1, 0, 0]], 3), ([[0, 1]], 3), ([], 3)):
        with pytest.raises(RuntimeError, match=r"axis' sources|are the samples|of 1 to 8 axes"):
            _cpu.LiftPool((4,), sources, kernel, False)
