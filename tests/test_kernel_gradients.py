"""Gradients of the kernels in taps and scales: definition, torch, finite differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from helpers import (
    LIFTING_MODES,
    MODES,
    Library,
    assert_close,
    axis_plans,
    paired,
    to_numpy,
    zero_mean,
)

import liftwave as lw
from liftwave._dispatch import kernels_for
from liftwave._kernels.contract import LiftPullback
from liftwave._kernels.reference import reversible as _reversible
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._operations import transform_vjp as _vjp
from liftwave._plan.axis import FilterPlan, LiftPlan, analysis_plan, lift_plan, synthesis_plan
from liftwave._plan.levels import unflatten_bands
from liftwave._plan.planning import plan_analysis

reference = ReferenceKernels()

LENGTHS = (1, 2, 3, 5, 8, 9, 17)
DTYPES = ("float32", "float64", "complex64", "complex128")


def inner(x: Any, y: Any) -> float:
    """``Re <x, y>`` in double precision."""
    return float(np.vdot(to_numpy(x), to_numpy(y)).real)


# --- taps of filters -----------------------------------------------------------------------------


def check_tap_gradients(kernels: Any, plan: FilterPlan, dtype: str) -> None:
    """The analysis is linear in its taps: gradients are products with the bands of unit taps.

    The product of the norms bounds the terms of the sums, hence the scale.
    """
    x = zero_mean((2, plan.extend.n, 3), 1, dtype)
    cotangents = [zero_mean((2, plan.n_out, 3), k, dtype) for k in (2, 3)]
    gradients = kernels.tap_gradients(x, cotangents, plan, 1)
    for gradient, cotangent in zip(gradients, cotangents, strict=True):
        units = [reference.analysis(x, [e], plan, 1)[0] for e in unit_taps(plan.length)]
        expected = np.asarray([inner(cotangent, y) for y in units], gradient.dtype)
        scale = max(np.linalg.norm(y) for y in units) * np.linalg.norm(cotangent)
        assert_close(gradient, expected, ulps=8, scale=float(scale))


def unit_taps(length: int) -> list[tuple[float, ...]]:
    return [tuple(map(float, row)) for row in np.eye(length)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", MODES)
def test_tap_gradients_of_analysis(mode: str, dtype: str, kernels: Any) -> None:
    for length in (2, 4, 10):
        for n in LENGTHS:
            if n > 1 or mode not in ("reflect", "antireflect"):
                check_tap_gradients(kernels, analysis_plan(n, length, mode), dtype)


@pytest.mark.parametrize("mode", MODES)
def test_tap_gradients_of_transposed_synthesis(mode: str, kernels: Any) -> None:
    """(With plans that extend by zeros or fold, as transposed plans do.)"""
    for length in (2, 4, 10):
        for n in LENGTHS:
            plan = synthesis_plan(n + length, length, mode).synthesis_adjoint()
            check_tap_gradients(kernels, plan, "float64")
            twice = analysis_plan(n, length, mode).analysis_adjoint().synthesis_adjoint()
            check_tap_gradients(kernels, twice, "float64")


def test_tap_gradients_in_any_library(xp: Library, kernels: Any) -> None:
    plan = analysis_plan(9, 6, "smooth")
    x, cotangent = zero_mean((2, 9), 1), zero_mean((2, plan.n_out), 2)
    (expected,) = reference.tap_gradients(x, [cotangent], plan, 1)
    (actual,) = kernels.tap_gradients(xp.asarray(x), [xp.asarray(cotangent)], plan, 1)
    assert_close(actual, xp.asarray(expected), ulps=8, scale=100.0)


# --- lifting -------------------------------------------------------------------------------------


def scheme_of(seed: int, shift: tuple[int, int] = (2, -1)) -> lw.LiftingScheme:
    """Long steps with distant taps, two consecutive steps of one kind, shifted bands."""
    rng = np.random.default_rng(seed)
    kinds = (("update", 3, -4), ("predict", 5, 1), ("predict", 1, -2), ("update", 4, 0))
    steps = [
        lw.LiftingStep(kind, rng.uniform(-0.5, 0.5, length), offset)
        for kind, length, offset in kinds
    ]
    return lw.LiftingScheme(steps, (1.3, -0.7), shift=shift)


class Case:
    """Lifting of random numbers in one direction, and its derivative by two methods."""

    def __init__(self, kernels: Any, scheme: lw.LiftingScheme, plan: LiftPlan, dtype: str) -> None:
        self.kernels, self.plan, self.dtype = kernels, plan, dtype
        self.taps = [step.taps for step in scheme.steps]
        self.scale = scheme.scale

    def check(self, inputs: Sequence[np.ndarray]) -> None:
        outputs = self.lift(self.kernels, inputs, self.taps, self.scale)
        cotangents = [zero_mean(y.shape, 7 + k, self.dtype) for k, y in enumerate(outputs)]
        actual = self.kernels.lift_vjp(outputs, cotangents, self.plan, self.taps, self.scale, 1)
        expected = self.by_torch(inputs, cotangents)
        size = float(max(np.abs(np.concatenate([a.ravel() for a in inputs])).max(), 1.0))
        self.compare(actual, expected, 100 * size)

    def compare(self, actual: LiftPullback, expected: LiftPullback, scale: float) -> None:
        pairs = [
            *zip(actual.inputs, expected.inputs, strict=True),
            *zip(actual.cotangents, expected.cotangents, strict=True),
            *zip(actual.taps, expected.taps, strict=True),
            *zip(actual.scale, expected.scale, strict=True),
        ]
        for got, wanted in pairs:
            assert_close(got, np.asarray(wanted, got.dtype), ulps=8, scale=scale)

    def by_torch(self, inputs: Sequence[Any], cotangents: Sequence[Any]) -> LiftPullback:
        """The result of torch's autograd on the reference kernels, in double precision."""
        wide = torch.complex128 if "complex" in self.dtype else torch.float64
        given = [torch.tensor(x, dtype=wide, requires_grad=True) for x in inputs]
        taps, scale = (
            [torch.tensor(t, dtype=torch.float64, requires_grad=True) for t in each]
            for each in (self.taps, self.scale)
        )
        outputs = self.lift(reference, given, taps, scale)
        leaves = [*given, *taps, *scale]
        found = torch.autograd.grad(
            outputs,
            leaves,
            [torch.tensor(g, dtype=wide) for g in cotangents],
            allow_unused=True,
            materialize_grads=True,
        )
        found = [g.numpy() for g in found]
        a, b = len(given), len(given) + len(taps)
        return LiftPullback(list(inputs), found[:a], found[a:b], (found[b], found[b + 1]))

    def lift(self, kernels: Any, inputs: Any, taps: Any, scale: Any) -> list[Any]:
        if len(inputs) == 1:
            return list(kernels.lift_analysis(*inputs, self.plan, taps, scale, 1))
        return [kernels.lift_synthesis(*inputs, self.plan, taps, scale, 1)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_lifting(mode: str, dtype: str, kernels: Any) -> None:
    for n in LENGTHS:
        scheme = scheme_of(n)
        plan = lift_plan(scheme, n, mode)
        Case(kernels, scheme, plan, dtype).check([zero_mean((2, n, 3), n, dtype)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_inverse_lifting(mode: str, dtype: str, kernels: Any) -> None:
    for n in (2, 8, 10) if mode == "periodization" else LENGTHS:
        scheme = scheme_of(n).inverse() if mode == "periodization" else scheme_of(n, (0, 0))
        plan = lift_plan(scheme, n, mode).inverse()
        undone = replace_steps(scheme, plan)
        bands = [zero_mean((2, m, 3), m, dtype) for m in ((n + 1) // 2, n // 2)]
        Case(kernels, undone, plan, dtype).check(bands)


def replace_steps(scheme: lw.LiftingScheme, plan: LiftPlan) -> lw.LiftingScheme:
    """The scheme with its steps in the order of the inverse plan."""
    assert len(plan.steps) == len(scheme.steps)
    return replace(scheme, steps=tuple(reversed(scheme.steps)))


def test_lifting_without_steps(kernels: Any) -> None:
    scheme = lw.LiftingScheme([], (2.0, -3.0))
    Case(kernels, scheme, lift_plan(scheme, 5, "zero"), "float64").check([zero_mean((2, 5, 3), 1)])


def test_lifting_in_any_library(xp: Library, kernels: Any) -> None:
    scheme = scheme_of(3)
    plan = lift_plan(scheme, 9, "reflect")
    taps = [step.taps for step in scheme.steps]
    bands, cotangents = ([zero_mean((2, m), m + k) for m in (5, 4)] for k in (0, 10))
    expected = reference.lift_vjp(bands, cotangents, plan, taps, scheme.scale, 1)
    actual = kernels.lift_vjp(*map(xp.tree, (bands, cotangents)), plan, taps, scheme.scale, 1)
    for got, wanted in zip(actual, expected, strict=True):
        for a, b in zip(got, wanted, strict=True):
            assert_close(a, xp.asarray(b), ulps=8, scale=100.0)


# --- steps that are not linear -------------------------------------------------------------------


class Perceptron:
    """``a * tanh(w * source + b) + e``; torch computes the derivative."""

    def __init__(self, seed: int) -> None:
        self.parameters = torch.tensor(zero_mean(4, seed))

    def value(self, source: Any, parameters: Any) -> Any:
        a, w, b, e = parameters
        return a * torch.tanh(w * source + b) + e

    def increment(self, source: Any) -> Any:
        return self.value(source, self.parameters)

    def vjp(self, source: Any, cotangent: Any) -> tuple[Any, Any]:
        _, pull = torch.func.vjp(self.value, source, self.parameters)
        return pull(cotangent)


def test_steps_of_any_function() -> None:
    """From the outputs alone; autograd with all values stored gives the same result."""
    steps = [_reversible.Step(k % 2, Perceptron(k), subtract=k == 2) for k in range(5)]
    channels = [torch.tensor(zero_mean((2, 7), k), requires_grad=True) for k in (8, 9)]
    for step in steps:
        step.function.parameters.requires_grad_()
    outputs = _reversible.run(channels, steps)
    cotangents = [torch.tensor(zero_mean((2, 7), k)) for k in (10, 11)]
    leaves = [*channels, *(step.function.parameters for step in steps)]
    expected = torch.autograd.grad(outputs, leaves, cotangents)
    back = _reversible.vjp([y.detach() for y in outputs], cotangents, steps)
    for got, wanted in zip([*back.cotangents, *back.gradients], expected, strict=True):
        assert_close(got.detach(), wanted, ulps=64)
    for got, wanted in zip(back.channels, channels, strict=True):
        assert_close(got.detach(), wanted.detach(), ulps=16)
    undone = _reversible.run(outputs, _reversible.undoing(steps))
    for got, wanted in zip(undone, channels, strict=True):
        assert_close(got.detach(), wanted.detach(), ulps=16)


# --- several axes and levels at once -------------------------------------------------------------

SHAPES = (((10, 11), (0, 1)), ((2, 7, 64), (1, 2)), ((5, 6, 7), (0, 1, 2)), ((9, 12, 3), (0, 1)))


@pytest.mark.parametrize(("mode", "dtype"), paired(MODES, DTYPES))
def test_adjoints_of_levels_are_the_same_by_all_kernels(
    mode: str, dtype: str, kernels: Any
) -> None:
    """Bitwise equal: folding of planes in the cache, or axis by axis."""
    for (shape, axes), wavelet in product(SHAPES, ("haar", "db2", "db4")):
        for level in (1, 2):
            plan = plan_analysis(shape, axis_plans(axes, wavelet, mode), level)
            bands = reference.analyse(zero_mean(shape, 1, dtype), plan)
            approx, details = unflatten_bands(bands, plan.keys)
            details = [
                {key: zero_mean(band.shape, k, dtype) for k, (key, band) in enumerate(b.items())}
                for b in details
            ]
            some = [{k: b for k, b in bands.items() if k[-1] == "a"} for bands in details]
            for given in ((approx, details), (None, details), (approx, some)):
                expected = _vjp.analysis_adjoint(*given, plan, reference)
                actual = _vjp.analysis_adjoint(*given, plan, kernels)
                assert_close(actual, expected, ulps=0)


def test_adjoint_of_a_large_array_in_blocks() -> None:
    """Each thread folds the rows that it computed."""
    shape = (3, 200, 260)
    for mode, wavelet in product(
        ("symmetric", "periodic", "smooth", "antireflect"), ("db2", "db8")
    ):
        plan = plan_analysis(shape, axis_plans((1, 2), wavelet, mode), 1)
        bands = reference.analyse(zero_mean(shape, 1), plan)
        approx, (details,) = unflatten_bands(bands, plan.keys)
        expected = _vjp.analysis_adjoint(approx, [details], plan, reference)
        for threads in (1, 2, 7):
            before = lw.get_num_threads()
            lw.set_num_threads(threads)
            try:
                actual = _vjp.analysis_adjoint(approx, [details], plan, kernels_for(approx))
            finally:
                lw.set_num_threads(before)
            assert_close(actual, expected, ulps=0)


@pytest.mark.parametrize("length", [2, 4, 10, 16])
def test_whole_periods_are_transposed_without_folding(length: int) -> None:
    """An even length under periodization: the matrix and its transpose are circulant."""
    for m in (1, 2, 3, 8, 15):
        there = analysis_plan(2 * m, length, "periodization").analysis_adjoint()
        back = synthesis_plan(m, length, "periodization").synthesis_adjoint()
        for plan in (there, back):
            assert (plan.fold.left, plan.fold.right) == ((), ())
