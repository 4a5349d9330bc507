"""Pooling by compiled kernels equals the reference, for all kinds of windows and all families."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from families import cases, is_exact
from helpers import assert_close
from pooling_calls import Windowed
from pooling_comparison import (
    CPU_GEOMETRIES,
    CUDA_GEOMETRIES,
    FLOATS,
    KINDS,
    betas,
    compare,
    data,
    geometry,
    reference,
    results,
)

from liftwave._plan.windows import window_plan

# Windows that are held in registers, that overlap, and others, with a dtype each: the default
# run compiles a part of the CUDA kernels.
HELD = ["2 x 2", "2 x 2, rows left", "2 x 2, a rest kept", "2 x 2, padded"]
OVERLAPPING = ["3 x 3, stride 2", "3 x 3, stride 1", "dilated"]
GENERAL = [
    "5 x 4, stride 2 x 3",
    "4 x 4",
    "dilated, general",
    "whole planes",
    "single samples",
    "1-d",
    "1-d, stride 1",
    "1-d, several tiles",
    "several tiles",
    "3-d, overlapping",
]
QUICK = [(name, "float32") for name in HELD + OVERLAPPING] + [(GENERAL[0], "float64")]
QUICK_LARGEST = [
    *[(n, "float32") for n in ("2 x 2", "2 x 2, rows left", "3 x 3, stride 2", "dilated", "gaps")],
    *[(n, "float64") for n in GENERAL],
]


def windows(quick: list[tuple[str, str]]) -> list[Any]:
    """All windows and dtypes; for CUDA, those that are not in ``quick`` are slow."""
    every = [("cuda", *each) for each in product(CUDA_GEOMETRIES, FLOATS)]
    return [
        *product(["cpu"], CPU_GEOMETRIES, FLOATS),
        *(e if e[1:] in quick else pytest.param(*e, marks=pytest.mark.slow) for e in every),
    ]


@pytest.mark.parametrize(("family", "name", "dtype"), windows(QUICK), indirect=["family"])
def test_everything_equals_the_reference(family: Any, name: str, dtype: str) -> None:
    shape, plan = geometry(family, name)
    x = data(shape, dtype)
    for kind in KINDS:
        for beta in betas(plan, shape[0], dtype) if kind == "ada" else [None]:
            compare(family, x, plan, kind, beta)


EXACT = [
    *product(["cpu"], ("2 x 2", "many small planes", "1-d, pairs", "3-d"), FLOATS),
    *(("cuda", "2 x 2", "float32"), ("cuda", "4 x 4", "float64")),
]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("idw")])
@pytest.mark.parametrize(("family", "name", "dtype"), EXACT, indirect=["family"])
def test_distances_that_are_exact(family: Any, name: str, dtype: str, kind: str) -> None:
    """Means of 2, 4, 8 or 16 small integers are exact, and so are distances, including zero."""
    shape, plan = geometry(family, name)
    x = np.random.default_rng(0).integers(1, 7, shape).astype(dtype)
    found = (results(kernels, x, plan, kind, None) for kernels in (Windowed(family), reference))
    for got, wanted in zip(*found, strict=True):
        if wanted is not None:
            assert_close(got, wanted, ulps=64.0, scale=max(1.0, float(np.abs(wanted).max())))


@pytest.mark.parametrize("dtype", FLOATS)
def test_one_cotangent_for_all(family: Any, dtype: str) -> None:
    kernels, (shape, plan) = Windowed(family), geometry(family, "3 x 3, stride 2")
    x, g = data(shape, dtype), np.full((shape[0], *plan.outputs), 2.0, dtype)
    one = np.broadcast_to(g.dtype.type(2.0), g.shape)
    got, wanted = (kernels.pool_vjp(x, each, plan, "softmax")[0] for each in (one, g))
    np.testing.assert_array_equal(got, wanted)


def test_no_planes(family: Any) -> None:
    kernels, plan = Windowed(family), window_plan((4, 6), 2)
    x, g = np.zeros((0, 4, 6)), np.zeros((0, 2, 3))
    assert kernels.pool(x, plan, "softmax").shape == (0, 2, 3)
    assert kernels.pool_vjp(x, g, plan, "softmax")[0].shape == (0, 4, 6)
    beta = np.ones((1, 1, 1))
    np.testing.assert_array_equal(kernels.pool_vjp(x, g, plan, "ada", beta)[1], 0 * beta)
    assert kernels.max_pool(x, plan)[1].shape == (0, 2, 3)
    assert kernels.max_pool_vjp(g, np.zeros((0, 2, 3), np.int64), plan).shape == (0, 4, 6)


def test_tensors_in_tensors_out(family: Any) -> None:
    torch = pytest.importorskip("torch")
    kernels, (shape, plan) = Windowed(family), geometry(family, "2 x 2")
    x, g = data(shape, "float32"), data((shape[0], *plan.outputs), "float32", 1)
    beta = betas(plan, shape[0], "float32")[0 if family.name == "cuda" else 1]
    found = kernels.pool_vjp(*map(torch.from_numpy, (x, g)), plan, "ada", torch.from_numpy(beta))
    for got, wanted in zip(found, kernels.pool_vjp(x, g, plan, "ada", beta), strict=True):
        np.testing.assert_array_equal(got.numpy(), wanted)


# --- extremes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("family", "dtype"), cases(FLOATS, ["float32"]), indirect=["family"])
def test_what_is_not_finite_stays_in_its_windows(
    family: Any, dtype: str, kind: str, value: float
) -> None:
    kernels, (shape, plan) = Windowed(family), geometry(family, "3 x 3, stride 2")
    x = data(shape, dtype)
    x[1, 6, 7] = value
    x[2, 0, 0] = value
    beta = betas(plan, shape[0], dtype)[1] if kind == "ada" else None
    g = data((shape[0], *plan.outputs), dtype)
    with np.errstate(all="ignore"):
        got, wanted = (k.pool(x, plan, kind, beta) for k in (kernels, reference))
        touched = reference.pool(np.where(np.isfinite(x), 0.0, 1.0), plan, "idw-l1") > 0
        of_x = kernels.pool_vjp(x, g, plan, kind, beta)[0]
    spoilt = ~np.isfinite(got)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    assert spoilt[touched].any()
    assert not spoilt[~touched].any()
    # Samples that belong to an affected window.
    near = reference.unpool(np.ones(shape), touched.astype(float), plan, "softmax") > 0
    assert not np.isfinite(of_x[1, 6, 7])
    assert np.isfinite(of_x[~near]).all()


# --- comparison with torch -----------------------------------------------------------------------


ARGUMENTS = cases(
    [(2, 2, 0), (3, 3, 0), (3, 2, 1), (3, 1, 1), (4, 3, 2)],
    [(4, 3, 2), (5, 2, 1), (4, 4, 0), (4, 5, 0)],
)


@pytest.mark.parametrize(("family", "arguments"), ARGUMENTS, indirect=["family"])
def test_softmax_of_unfolded_tensors(family: Any, arguments: tuple[int, int, int]) -> None:
    torch = pytest.importorskip("torch")
    kernels, (size, stride, padding) = Windowed(family), arguments
    plan = window_plan((6, 20, 33), size, stride, padding)
    x = torch.randn(6, 20, 33, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x.requires_grad_()
    padded = torch.nn.functional.pad(x, (padding,) * 4, value=-1e9)
    regions = padded.unfold(1, size, stride).unfold(2, size, stride).flatten(3)
    wanted = (regions.softmax(-1) * regions).sum(-1)
    g = torch.randn(wanted.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (of_x,) = torch.autograd.grad(wanted, x, g)
    plain = x.detach().numpy()
    assert_close(kernels.pool(plain, plan, "softmax"), wanted.detach().numpy(), ulps=16)
    found = kernels.pool_vjp(plain, g.numpy(), plan, "softmax")[0]
    assert_close(found, of_x.numpy(), ulps=64)


@pytest.mark.parametrize(("family", "name", "dtype"), windows(QUICK_LARGEST), indirect=["family"])
def test_largest_numbers_and_their_places(family: Any, name: str, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    kernels, (shape, plan) = Windowed(family), geometry(family, name)
    # Few distinct values, so that several samples equal the maximum.
    x = np.random.default_rng(0).integers(-3, 3, shape).astype(dtype)
    values, places = kernels.max_pool(x, plan)
    assert places.dtype == np.int64
    if plan.ndim <= 3:
        function = getattr(torch.nn.functional, f"max_pool{plan.ndim}d")
        every = CPU_GEOMETRIES if is_exact(family) else CUDA_GEOMETRIES
        ceil = every[name][1].get("ceil_mode", False)
        arguments = plan.kernel, plan.stride, plan.padding, plan.dilation
        theirs = function(torch.from_numpy(x), *arguments, ceil, return_indices=True)
        for got, wanted in zip((values, places), theirs, strict=True):
            np.testing.assert_array_equal(got, wanted.numpy())
    for got, wanted in zip((values, places), reference.max_pool(x, plan), strict=True):
        np.testing.assert_array_equal(got, wanted)
    g = np.random.default_rng(1).integers(-9, 9, values.shape).astype(dtype)  # sums are exact
    found, expected = (k.max_pool_vjp(g, places, plan) for k in (kernels, reference))
    np.testing.assert_array_equal(found, expected)
    narrow = kernels.max_pool_vjp(g, places.astype("i4"), plan)
    np.testing.assert_array_equal(narrow, expected)


@pytest.mark.parametrize("size", [(2,), (5,)])
def test_nan_is_the_largest(family: Any, size: tuple[int, ...]) -> None:
    x = np.array([[1.0, np.nan, 2.0, np.nan, -np.inf, -np.inf, np.inf, np.nan, 0.0, 1.0]])
    plan = window_plan(x.shape, size)
    values, places = Windowed(family).max_pool(x, plan)
    expected = [1, 3, 4, 7, 9] if size == (2,) else [1, 7]
    np.testing.assert_array_equal(places, [expected])
    np.testing.assert_array_equal(values, x[:, expected])
