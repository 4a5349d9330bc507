"""Derivatives of pooling compared with finite differences, with torch and without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from helpers import Library, assert_close, paired, to_numpy, zero_mean
from test_pooling import DISTANCES, KINDS, WINDOWS
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional

import liftwave as lw
from liftwave import pooling
from liftwave._kernels.contract import Kernels
from liftwave.errors import ArgumentTypeError, DTypeError, ShapeError

pytestmark = [
    # torch's warnings while its forward mode and functorch are loaded
    pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning"),
]

STEP = 1e-6


def differences(function: Callable[..., Any], inputs: list[np.ndarray], g: np.ndarray) -> Any:
    """The gradient of ``sum(g * function(*inputs))`` for each input, by central differences."""
    found = []
    for k, x in enumerate(inputs):
        gradient = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            sides = []
            for sign in (1, -1):
                moved = [v.copy() for v in inputs]
                moved[k][index] += sign * STEP
                sides.append(np.sum(g * function(*moved)))
            gradient[index] = (sides[0] - sides[1]) / (2 * STEP)
        found.append(gradient)
    return found


def check(function: Any, data: dict[str, np.ndarray], *args: Any, **options: Any) -> None:
    """``vjp`` compared with finite differences, for all arrays among the arguments."""
    names = [*data]

    def call(*arrays: np.ndarray) -> Any:
        given = dict(zip(names, arrays, strict=True))
        return function(*leading(given), *args, **given, **options)

    inputs = list(data.values())
    given = dict(data)
    result, pullback = lw.vjp(function, *leading(given), *args, **given, **options)
    assert_close(result, call(*inputs))
    g = zero_mean(result.shape, 9)
    gradient = pullback(g)
    found = {names[0]: gradient.data, **gradient.parameters}
    assert set(found) == set(names)
    for name, expected in zip(names, differences(call, inputs, g), strict=True):
        scale = max(np.abs(expected).max(), 1.0)
        # Half of the digits: finite differences with a small step are no more accurate.
        assert_close(found[name], expected, ulps=2e8, scale=scale)


def leading(given: dict[str, Any]) -> list[Any]:
    """The arrays before the windows (removed from ``given``)."""
    return [given.pop(name) for name in ("x", "pooled", "weight") if name in given]


# --- without torch ---------------------------------------------------------------------------


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_weights(kernels: Kernels, kind: str, per_channel: bool) -> None:
    function, options, _ = KINDS[kind]
    if function is not pooling.soft_pool:
        options = {**options, "per_channel": per_channel}
    for size, arguments in ((6,), ((3,), 2, 1)), ((4, 5), ((2, 3), 2, 1, (1, 2), True)):
        x = 2 * zero_mean((1, 2, *size), 3)
        check(function, {"x": x}, *arguments, **options)


@pytest.mark.parametrize("case", WINDOWS)
def test_gradients_of_windows(kernels: Kernels, case: str) -> None:
    size, arguments = WINDOWS[case]
    counts = pooling.soft_pool(np.zeros(size), *arguments).shape
    x, rng = zero_mean((1, 2, *size), 3), np.random.default_rng(4)
    check(pooling.ada_pool, {"x": x, "beta": rng.uniform(size=(2, *counts))}, *arguments)


@pytest.mark.parametrize(("up", "preserve"), paired(["nearest", "linear"], ["sum", "mean"]))
def test_gradients_of_ada_unpool(kernels: Kernels, up: str, preserve: str) -> None:
    rng, options = np.random.default_rng(4), {"up": up, "preserve": preserve}
    for arguments, counts in (((2,), (2, 3)), (((3, 2), 2, 1), (3, 4))):
        for shape in ((), counts, (2, *counts), (2, 1, 1), (1, counts[1])):
            for per_channel in (True, False):
                data = {
                    "x": zero_mean((1, 2, 5, 6), 3),
                    "pooled": zero_mean((1, 2, *counts), 5),
                    "beta": rng.uniform(0.1, 0.9, shape),
                }
                check(pooling.ada_unpool, data, *arguments, per_channel=per_channel, **options)


def test_beta_outside_has_no_gradient(kernels: Kernels) -> None:
    x, beta = zero_mean((2, 4, 4)), np.array([[-0.5, 0.0], [1.0, 1.5]])
    y, pullback = lw.vjp(pooling.ada_pool, x, 2, beta=beta)
    expected = (pooling.edscw_pool(x, 2) - pooling.soft_pool(x, 2)).sum(0)
    found = pullback(np.ones(y.shape)).parameters["beta"]
    assert_close(found, expected * [[0, 1], [1, 0]], ulps=32)


@pytest.mark.parametrize("kind", [*KINDS, "ada"])
def test_gradients_of_nothing_and_of_one(kernels: Kernels, kind: str) -> None:
    """Regions of zeros (as after ReLUs) and of single samples: finite and correct."""
    function, options = (pooling.ada_pool, {}) if kind == "ada" else KINDS[kind][:2]
    for dtype in ("float32", "float64"):
        for value in (0.0, 1e30, -1e4):
            x = np.full((2, 4, 4), value, dtype)
            g = zero_mean((2, 2, 2), 1).astype(dtype)
            found = lw.vjp(function, x, 2, **options)[1](g).data
            assert_close(found, np.repeat(np.repeat(g / 4, 2, 1), 2, 2), ulps=16)
    x = zero_mean((2, 3, 4))
    found = lw.vjp(function, x, 1, **options)[1](x).data
    assert_close(found, x, ulps=4)


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_gradient_is_that_of_samples_at_the_mean(kernels: Kernels, distance: str) -> None:
    for x, expected in (([0.0, 2.0, 4.0], [0, 1, 0]), ([1.0, 3.0, 2.0, 2.0], [0, 0, 0.5, 0.5])):
        data = np.array(x)
        found = lw.vjp(pooling.idw_pool, data, data.shape, distance=distance)[1](np.ones(1)).data
        assert_close(found, np.array(expected, dtype="float64"), ulps=2)


@pytest.mark.parametrize("kind", [*KINDS, "ada"])
def test_gradients_of_large_numbers_are_finite(kernels: Kernels, kind: str) -> None:
    function, options = (pooling.ada_pool, {}) if kind == "ada" else KINDS[kind][:2]
    for size in (1e4, 1e30, 1e-30):
        x = (zero_mean((3, 8, 8), 2) * size).astype("float32")
        x[:, :4] = np.maximum(x[:, :4], 0)
        y, pullback = lw.vjp(function, x, 2, **options)
        assert np.isfinite(y).all()
        assert np.isfinite(pullback(np.ones_like(y)).data).all()


def test_gradients_of_max_pool(kernels: Kernels) -> None:
    for arguments in ((2,), (3, 2, 1), ((3, 2), 1, 1, 2)):
        x = zero_mean((2, 3, 7, 6), 3)
        check(pooling.max_pool, {"x": x}, *arguments)
        tied = np.round(x)
        leaf = torch.asarray(tied).requires_grad_()
        y = functional.max_pool2d(leaf, *arguments)
        g = zero_mean(tuple(y.shape), 4)
        y.backward(torch.asarray(g))
        result, pullback = lw.vjp(pooling.max_pool, tied, *arguments, return_indices=True)
        assert len(result) == 2
        assert_close(pullback((g, None)).data, to_numpy(leaf.grad), ulps=4)


def test_gradients_of_unpooling(xp: Library) -> None:
    y, where = pooling.max_pool(np.round(zero_mean((2, 3, 7, 6), 3)), 3, 2, 1, return_indices=True)
    if xp.name == "numpy":
        check(pooling.nearest_unpool, {"x": y}, (2, 3), 3, (11, 9))
        check(pooling.bed_of_nails_unpool, {"x": y}, (3, 2), 2, (8, 5))
        weight = zero_mean((3, 2, 3, 2), 1)
        check(pooling.conv_transpose, {"x": y, "weight": weight}, (2, 1), 1, (1, 0), (1, 2))
        check(pooling.conv_transpose, {"x": y[0], "weight": weight})
        data = {"x": y, "weight": weight, "bias": zero_mean((6,), 2)}
        check(pooling.conv_transpose, data, stride=2, groups=3)
    back, pullback = lw.vjp(
        pooling.max_unpool, xp.asarray(y), xp.asarray(where), 3, 2, 1, output_size=(7, 6)
    )
    g = zero_mean((2, 3, 7, 6), 6)
    found = pullback(xp.asarray(g)).data
    moved = pooling.max_unpool(y, where, 3, 2, 1, (7, 6))
    assert_close(back, xp.asarray(moved))
    expected = differences(lambda v: pooling.max_unpool(v, where, 3, 2, 1, (7, 6)), [y], g)
    assert_close(to_numpy(found), expected[0], ulps=2e8)


def test_gradients_in_every_library(xp: Library) -> None:
    x, beta = zero_mean((2, 3, 6, 8)), np.random.default_rng(0).uniform(size=(3, 3, 4))
    y, pullback = lw.vjp(pooling.ada_pool, x, 2, beta=beta)
    expected = pullback(y)
    y, pullback = lw.vjp(pooling.ada_pool, xp.asarray(x), 2, beta=xp.asarray(beta))
    found = pullback(y)
    assert_close(found.data, xp.asarray(expected.data), ulps=64)
    assert_close(found.parameters["beta"], xp.asarray(expected.parameters["beta"]), ulps=64)
    single = lw.vjp(pooling.soft_pool, xp.asarray(x.astype("float32")), 2)[1]
    assert_close(single(y).data, single(xp.asarray(to_numpy(y).astype("float32"))).data)
    weight = zero_mean((3, 2, 2, 2), 1)
    z, pullback = lw.vjp(pooling.conv_transpose, x + 1j * x[..., ::-1], weight + 1j * weight)
    expected = pullback(z)
    both = xp.asarray(x + 1j * x[..., ::-1]), xp.asarray(weight + 1j * weight)
    z, pullback = lw.vjp(pooling.conv_transpose, *both)
    found = pullback(z)
    assert_close(found.data, xp.asarray(expected.data), ulps=64)
    assert_close(found.parameters["weight"], xp.asarray(expected.parameters["weight"]), ulps=64)


def test_cotangents_have_to_fit() -> None:
    y, pullback = lw.vjp(pooling.soft_pool, zero_mean((3, 4, 4)), 2)
    with pytest.raises(ShapeError, match=r"cotangent.* has shape \(2,\), .*\(3, 2, 2\)"):
        pullback(y[0, 0])
    with pytest.raises(DTypeError, match="is complex, the result is real"):
        pullback(y * 1j)
    with pytest.raises(ArgumentTypeError, match="arrays of one library"):
        pullback(torch.asarray(y))


def test_the_adjoint_of_complex_convolution() -> None:
    x, weight = (zero_mean(s, 1, "complex128") for s in ((2, 3, 4, 5), (3, 2, 2, 2)))
    y, pullback = lw.vjp(pooling.conv_transpose, x, weight, 2)
    g = zero_mean(y.shape, 2, "complex128")
    expected = np.vdot(g, y)
    assert abs(np.vdot(pullback(g).data, x) - expected) < 1e-12 * abs(expected)
    assert abs(np.vdot(pullback(g).parameters["weight"], weight) - expected) < 1e-12 * abs(expected)


# --- with torch ------------------------------------------------------------------------------


def leaf(shape: Any, seed: int = 0) -> torch.Tensor:
    return torch.asarray(zero_mean(shape, seed)).requires_grad_()


# Variants of the other kinds, whose gradients test_gradients_of_weights compares.
VARIANTS = [kind for kind in KINDS if kind.startswith(("exp-", "idw-")) and kind != "idw-huber"]


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=pytest.mark.slow) if k in VARIANTS else k for k in KINDS]
)
def test_gradcheck_of_weights(kind: str) -> None:
    function, options, _ = KINDS[kind]
    x = leaf((1, 2, 4, 3), 3)
    each = [{}] if kind == "soft" else [{}, {"per_channel": False}]
    for more in each:
        for arguments in ((2,), ((3, 2), 2, 1, 1, True)):

            def call(x: torch.Tensor, a: Any = arguments, m: Any = more) -> Any:
                return function(x, *a, **options, **m)

            assert gradcheck(call, x, check_forward_ad=True, check_batched_grad=True)
            assert gradgradcheck(call, x, fast_mode=True)


def test_gradcheck_of_ada_pool_and_unpool() -> None:
    x, pooled = leaf((2, 2, 4, 2), 3), leaf((2, 2, 2, 1), 4)
    rng = np.random.default_rng(0)
    for shape in ((), (2, 1), (2, 2, 1)):
        beta = torch.asarray(rng.uniform(0.1, 0.9, shape)).requires_grad_()
        assert gradcheck(
            lambda x, b: pooling.ada_pool(x, 2, beta=b),
            (x, beta),
            check_forward_ad=True,
            check_batched_grad=True,
        )
        assert gradgradcheck(lambda x, b: pooling.ada_pool(x, 2, beta=b), (x, beta), fast_mode=True)
        for up, preserve in (("nearest", "mean"), ("linear", "sum")):

            def call(x: Any, p: Any, b: Any, up: str = up, preserve: str = preserve) -> Any:
                return pooling.ada_unpool(x, p, 2, beta=b, up=up, preserve=preserve)

            inputs = (x, pooled, beta)
            assert gradcheck(call, inputs, check_forward_ad=True, check_batched_grad=True)
            assert gradgradcheck(call, inputs, fast_mode=True)


def test_second_derivatives_of_max_pool() -> None:
    x = torch.asarray(zero_mean((2, 6, 6))).requires_grad_()
    assert gradgradcheck(lambda x: pooling.max_pool(x, 2), x)


@pytest.mark.parametrize("distance", DISTANCES)
def test_tensors_and_arrays_have_the_same_gradients(distance: str) -> None:
    x = leaf((2, 3, 6, 8), 3)
    y = pooling.idw_pool(x, 3, 2, 1, distance=distance, delta=0.5)
    g = zero_mean(tuple(y.shape), 5)
    y.backward(torch.asarray(g))
    pullback = lw.vjp(pooling.idw_pool, to_numpy(x), 3, 2, 1, distance=distance, delta=0.5)[1]
    assert_close(to_numpy(x.grad), pullback(g).data, ulps=64)


def test_gradcheck_of_places_and_convolution() -> None:
    x = leaf((1, 2, 5, 4), 3)
    weight = leaf((2, 1, 2, 3), 4)
    where = pooling.max_pool(x, 2, return_indices=True)[1]
    values = leaf((1, 2, 2, 2), 5)
    assert gradcheck(lambda x: pooling.max_pool(x, (3, 2), 2, 1), x)
    assert gradcheck(lambda v: pooling.max_unpool(v, where, 2, output_size=(5, 4)), values)
    assert gradcheck(lambda x: pooling.nearest_unpool(x, 2, 3), x)
    assert gradcheck(lambda x: pooling.bed_of_nails_unpool(x, 2, 1), x)
    assert gradcheck(lambda x, w: pooling.conv_transpose(x, w, 2, 1, 1), (x, weight))
    small = x.detach()[..., :2, :3].requires_grad_()
    assert gradgradcheck(lambda x, w: pooling.conv_transpose(x, w, 2), (small, weight))


def test_batches_by_vmap() -> None:
    x, beta = zero_mean((4, 2, 6, 8), 1), np.random.default_rng(0).uniform(size=(4, 3, 4))
    x, beta = torch.asarray(x), torch.asarray(beta)
    for dim in (0, 1):
        each = torch.vmap(lambda v: pooling.soft_pool(v, 2), in_dims=dim)(x.movedim(0, dim))
        assert_close(each, pooling.soft_pool(x, 2), ulps=4)
    one = torch.vmap(lambda v: pooling.ada_pool(v, 2, beta=beta[0]))(x)
    assert_close(one, pooling.ada_pool(x, 2, beta=beta[0]), ulps=4)
    own = torch.vmap(lambda v, b: pooling.ada_pool(v, 2, beta=b))(x, beta)
    expected = torch.stack([pooling.ada_pool(v, 2, beta=b) for v, b in zip(x, beta, strict=True)])
    assert_close(own, expected, ulps=4)

    def loss(v: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return pooling.ada_pool(v, 2, beta=b).square().sum()

    for argnum in (0, 1):
        per_sample = torch.vmap(torch.func.grad(loss, argnum))(x, beta)
        alone = [torch.func.grad(loss, argnum)(v, b) for v, b in zip(x, beta, strict=True)]
        assert_close(per_sample, torch.stack(alone), ulps=16)
    jacobian = torch.func.jacfwd(lambda v: pooling.soft_pool(v, 2))(x[0])
    assert_close(jacobian, torch.func.jacrev(lambda v: pooling.soft_pool(v, 2))(x[0]), ulps=16)


def test_only_inputs_are_kept() -> None:
    """The forward pass saves only the input (and beta)."""
    x, beta = leaf((2, 3, 8, 8)), torch.full((4, 4), 0.5, dtype=torch.float64, requires_grad=True)
    kept: list[torch.Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        pooling.ada_pool(x, 2, beta=beta)
    own = [t for t in kept if t.data_ptr() not in (x.data_ptr(), beta.data_ptr())]
    assert sum(t.numel() for t in own) <= 2 * beta.numel()  # clamped beta
    assert any(t.data_ptr() == x.data_ptr() for t in kept)
