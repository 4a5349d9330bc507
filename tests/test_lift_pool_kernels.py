"""Lifting pooling by compiled kernels equals the reference, for all families of kernels.

Bands, signals and results of the CPU's forward pass are bitwise equal. Sums, cotangents and
gradients agree within the rounding of their sums.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from families import reference
from helpers import zero_mean
from lift_pool_cases import EXTENSIONS
from lift_pool_comparison import CHANNELS, Comparison, filters, outputs, plans

from liftwave._plan.lift_pool import LiftPoolPlan

CPU_SIZES = [
    *((1,), (2,), (9,), (40,), (1030,)),
    *((1, 1), (7, 8), (5, 33), (12, 70), (1, 5), (66, 3)),
    *((3, 4, 5), (2, 1, 34)),
    (2, 3, 2, 5),
]
CUDA_SIZES = [
    *((1,), (2,), (9,), (40,)),
    *((1, 1), (1, 5), (7, 8), (6, 1), (5, 33), (12, 14)),
    *((3, 4, 5), (2, 1, 9)),
]
# Numbers of weights for which each family has a kernel, and others.
QUICK = [
    *(("cpu", k, "float32") for k in (1, 5)),
    ("cpu", 9, "float64"),
    *(("cuda", k, "float32") for k in (5, 10)),
]
EVERY = [
    *product(["cpu"], (1, 2, 3, 4, 5, 7, 9, 20), ("float32", "float64")),
    *product(["cuda"], (1, 2, 3, 4, 5, 7, 8, 10), ("float32",)),
]


# For kernels without a number of weights of their own, one and two axes.
GENERAL_SIZES = ((9,), (40,), (7, 8), (12, 14))


def all_cases() -> list[Any]:
    found = []
    for case in EVERY:
        sizes = CPU_SIZES if case[0] == "cpu" else CUDA_SIZES
        for each in sizes:
            is_quick = case in QUICK and (case[:2] != ("cuda", 10) or each in GENERAL_SIZES)
            marks = () if is_quick else pytest.mark.slow
            found.append(pytest.param(*case, each, marks=marks, id=named(*case, each)))
    return found


def named(family: str, kernel: int, dtype: str, sizes: tuple[int, ...]) -> str:
    return f"{family}-K{kernel}-{dtype}-{sizes}"


@pytest.mark.parametrize(("family", "kernel", "dtype", "sizes"), all_cases(), indirect=["family"])
def test_every_shape(family: Any, kernel: int, dtype: str, sizes: tuple[int, ...]) -> None:
    some = outputs(len(sizes))
    step = 3 if family.name == "cpu" else 2
    for number, plan in enumerate(plans(sizes, kernel)):
        comparison = Comparison(family, plan)
        for output in some if number == 0 else some[number % 2 :: step]:
            comparison.down(output, dtype)
        comparison.up(dtype)


def test_what_is_not_a_number_spreads_as_in_the_reference(family: Any) -> None:
    for padding in EXTENSIONS:
        plan = LiftPoolPlan((9, 12), 5, padding, False)
        taps, output = filters(plan, "float32"), outputs(2)[0]
        x = zero_mean((1, CHANNELS, 9, 12), 1, "float32")
        x[0, 0, 1, 2], x[0, 1, 8, 11] = np.nan, np.inf
        with np.errstate(invalid="ignore"):
            wanted, sums = reference.lift_pool.lift_down(x, taps, plan, output, True)
            got, found_sums = family.lift_pool.lift_down(x, taps, plan, output, True)
            arguments = [x], got, sums, taps, plan, output, False
            back = reference.lift_pool.lift_down_vjp(*arguments)
            found = family.lift_pool.lift_down_vjp(*arguments)
        for a, b in zip([*got, found_sums, *found], [*wanted, sums, *back], strict=True):
            np.testing.assert_array_equal(np.isnan(a), np.isnan(b))


def test_at_zero_the_relu_is_not_active(family: Any) -> None:
    """Integers have exact sums, and many of these are zero."""
    rng = np.random.default_rng(0)
    for sizes in ((12,), (9, 12)):
        plan = LiftPoolPlan(sizes, 5, "zeros", False)
        shape = (len(plan.passes), 2, CHANNELS, 8)
        taps = rng.integers(-1, 2, shape).astype("float32")
        x = rng.integers(-1, 2, (2, CHANNELS, *sizes)).astype("float32")
        output = outputs(len(sizes))[0]
        bands, _ = family.lift_pool.lift_down(x, taps, plan, output, False)
        wanted, _ = reference.lift_pool.lift_down(x, taps, plan, output, False)
        cotangents = [rng.integers(-2, 3, b.shape).astype("float32") for b in bands]
        arguments = [x], cotangents, None, taps, plan, output, False
        got = [*bands, *family.lift_pool.lift_down_vjp(*arguments)]
        expected = [*wanted, *reference.lift_pool.lift_down_vjp(*arguments)]
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_missing_cotangents_are_zero(family: Any) -> None:
    plan = LiftPoolPlan((6, 8), 5, "reflect", False)
    taps, output = filters(plan, "float32"), outputs(2)[0]
    x = zero_mean((2, CHANNELS, 6, 8), 1, "float32")
    weights = zero_mean((3, 2), 2, "float32")
    for of_sums in (None, weights):
        arguments = [x], [None] * 4, of_sums, taps, plan, output, False
        wanted = reference.lift_pool.lift_down_vjp(*arguments)
        Comparison(family, plan).back(family.lift_pool.lift_down_vjp(*arguments), wanted, x, [x])
