"""Lifting pooling by compiled kernels, compared with the reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from families import is_exact, reference
from helpers import zero_mean
from lift_pool_cases import EXTENSIONS

from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan

CHANNELS = 3


def outputs(dims: int) -> list[LiftOutput]:
    every = tuple(range(2**dims))
    return [
        *(LiftOutput(every, combination) for combination in ("bands", "concat", "sum")),
        LiftOutput(every[::-1], "concat"),
        LiftOutput((1, 0), "sum"),
        LiftOutput((1,), "bands"),
    ]


def filters(plan: LiftPoolPlan, dtype: str, seed: int = 0, bias: float = 0.0) -> Any:
    passes = 1 if plan.shared else len(plan.passes)
    shape = (passes, 2, CHANNELS, plan.kernel + 3)
    found = np.random.default_rng(seed).standard_normal(shape) / plan.kernel
    found[..., plan.kernel] += bias
    return found.astype(dtype)


def plans(sizes: tuple[int, ...], kernel: int) -> Iterator[LiftPoolPlan]:
    for number, padding in enumerate(EXTENSIONS):
        yield LiftPoolPlan(sizes, kernel, padding, number % 2 == 1)


def largest(x: Any) -> float:
    return float(np.abs(x).max(initial=0.0))


def norm(x: Any) -> float:
    return float(np.linalg.norm(np.asarray(x, "float64").ravel()))


def near(got: Any, wanted: Any, size: float, count: int) -> None:
    """Within eps times ``count`` terms of this size; equal if ``count`` is zero."""
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    tolerance = 4 * count * np.finfo(wanted.dtype).eps * max(float(size), 1.0)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance)


class Comparison:
    """A family of kernels, and the numbers of terms that its results accumulate.

    The CPU kernels are bitwise equal, except for sums and gradients.
    """

    def __init__(self, family: Any, plan: LiftPoolPlan) -> None:
        self.kernels, self.plan = family.lift_pool, plan
        terms = plan.kernel + 4
        self.of_values, self.of_sums, self.of_cotangents, self.of_gradients = (
            (0, 2, 16, 16) if is_exact(family) else (terms, terms, 4 * terms, terms)
        )

    def back(self, got: Any, wanted: Any, x: Any, bands: Any) -> None:
        """Cotangents relative to their size; gradients relative to the products that they sum."""
        near(got[0], wanted[0], largest(wanted[0]), self.of_cotangents)
        products = max(norm(x), *map(norm, bands)) * norm(wanted[0])
        near(got[1], wanted[1], products + largest(wanted[1]), self.of_gradients)

    def down(self, output: LiftOutput, dtype: str, batch: int = 2, bias: float = 0.0) -> None:
        plan, taps = self.plan, filters(self.plan, dtype, bias=bias)
        x = zero_mean((batch, CHANNELS, *plan.sizes), 1, dtype)
        before = x.copy()
        bands, sums = reference.lift_pool.lift_down(x, taps, plan, output, True)
        found, found_sums = self.kernels.lift_down(x, taps, plan, output, True)
        for a, b in zip(found, bands, strict=True):
            near(a, b, largest(b), self.of_values)
        near(found_sums, sums, largest(sums), self.of_sums)
        without, none = self.kernels.lift_down(x, taps, plan, output, False)
        assert none is None
        for a, b in zip(without, found, strict=True):
            near(a, b, largest(b), self.of_values)
        cotangents: list[Any] = [zero_mean(b.shape, 2 + k, dtype) for k, b in enumerate(bands)]
        if len(cotangents) > 1:
            cotangents[1] = None
        for of_sums in (None, zero_mean(sums.shape, 9, dtype)):
            for from_outputs in (False, True)[: 1 + output.holds_all(plan.dimensions)]:
                values = bands if from_outputs else [x]
                arguments = values, cotangents, of_sums, taps, plan, output, from_outputs
                wanted = reference.lift_pool.lift_down_vjp(*arguments)
                self.back(self.kernels.lift_down_vjp(*arguments), wanted, x, bands)
        np.testing.assert_array_equal(x, before)

    def up(self, dtype: str, batch: int = 2, bias: float = 0.0) -> None:
        plan, taps = self.plan, filters(self.plan, dtype, bias=bias)
        shape = (batch, CHANNELS, *plan.halves)
        bands = [zero_mean(shape, k, dtype) for k in range(2**plan.dimensions)]
        wanted = reference.lift_pool.lift_up(bands, taps, plan)
        near(self.kernels.lift_up(bands, taps, plan), wanted, largest(wanted), self.of_values)
        cotangent = zero_mean(wanted.shape, 99, dtype)
        for from_outputs in (False, True)[: 1 + all(n % 2 == 0 for n in plan.sizes)]:
            values = [wanted] if from_outputs else bands
            arguments = values, cotangent, taps, plan, from_outputs
            expected = reference.lift_pool.lift_up_vjp(*arguments)
            found = self.kernels.lift_up_vjp(*arguments)
            for a, b in zip(found[0], expected[0], strict=True):
                self.back((a, found[1]), (b, expected[1]), wanted, bands)
