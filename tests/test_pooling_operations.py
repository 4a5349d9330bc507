"""Pooling operations: their serialized form, and that public calls use compiled kernels."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from helpers import assert_close, zero_mean
from torch.autograd import gradcheck, gradgradcheck

import liftwave as lw
from liftwave import pooling
from liftwave import torch as lwt
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._operations.attention import Attention
from liftwave._operations.conv_transpose import ConvTranspose
from liftwave._operations.lift_pool import LiftDown, LiftUp
from liftwave._operations.max_pool import MaxPool
from liftwave._operations.operation import Operation, parse
from liftwave._operations.unpool import MaxUnpool, WindowUpsample
from liftwave._operations.weighted_pool import WeightedPool
from liftwave._plan.lift_pool import LiftOutput
from liftwave._plan.windows import window_arguments
from liftwave.pooling import LiftFilters, lift_down, lift_filters, lift_up

WINDOWS = window_arguments((2, 3), 2, 1, 1, True)
OPERATIONS: list[Operation] = [
    WeightedPool(WINDOWS, "softmax"),
    WeightedPool(WINDOWS, "idw-huber", 0.1, False),
    WeightedPool(WINDOWS, "ada", up="linear", preserve="mean"),
    MaxPool(WINDOWS),
    MaxUnpool(2),
    WindowUpsample((2, 2), (3, 2)),
    ConvTranspose((2,), (1,), (1,), (1,)),
    ConvTranspose((2,), (1,), (1,), (1,), 3, True),
    LiftDown(2, "reflect", LiftOutput((0, 3), "concat"), True),
    LiftUp(3, "zeros"),
    Attention(2, True, 1e-5),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: str(o.kind))
def test_operations_are_serialized(operation: Operation) -> None:
    derivative = operation.derivative((True,), "inputs")
    for made in (operation, derivative):
        assert parse(made.text).text == made.text
    assert parse(operation.text) == operation
    for again in (pickle.loads(pickle.dumps(operation)), copy.deepcopy(operation)):
        assert again == operation
        assert hash(again) == hash(operation)


def test_shapes_of_results_are_known_before() -> None:
    x, kernels = zero_mean((2, 3, 9, 8)), ReferenceKernels()
    filters = zero_mean((3, 2, 3, 8))
    for operation, inputs in (
        (OPERATIONS[0], [x]),
        (OPERATIONS[3], [x]),
        (OPERATIONS[8], [x, filters]),
    ):
        results = operation.run(inputs, (), kernels)
        outputs = operation.outputs([a.shape for a in inputs], ())
        assert [tuple(y.shape) for y in results] == [tuple(output.shape) for output in outputs]
        assert [y.dtype == "int64" for y in results] == [o.like is None for o in outputs]


# --- compiled kernels ----------------------------------------------------------------------------


@pytest.mark.skipif(not lw._dispatch.compiled(), reason="the compiled kernels were not built")
def test_plain_calls_do_not_fall_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all defaults, including AdaPool's ``beta``."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the reference kernels were called")

    for part in (ReferenceKernels().pooling, ReferenceKernels().lift_pool):
        for name in ("pool", "pool_vjp", "unpool", "unpool_vjp", "max_pool", "max_pool_vjp"):
            if hasattr(part, name):
                monkeypatch.setattr(type(part), name, fail)
        for name in ("lift_down", "lift_down_vjp", "lift_up", "lift_up_vjp"):
            if hasattr(part, name):
                monkeypatch.setattr(type(part), name, fail)
    for dtype in ("float32", "float64"):
        x = zero_mean((2, 3, 8, 6), dtype=dtype)
        filters = LiftFilters(*(f.astype(dtype) for f in lift_filters(3)))
        calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
            (pooling.soft_pool, (x, 2), {}),
            (pooling.edscw_pool, (x, 2), {}),
            (pooling.idw_pool, (x, 2), {}),
            (pooling.ada_pool, (x, 2), {}),
            (pooling.ada_pool, (x, 2), {"beta": 1}),
            (pooling.ada_pool, (x, 2), {"beta": [0.5]}),
            (pooling.ada_pool, (x, 2), {"beta": np.float64(0.5)}),
            (pooling.ada_pool, (x, 2), {"beta": np.array(0.5)}),
            (pooling.ada_unpool, (x, x[..., ::2, ::2], 2), {}),
            (pooling.max_pool, (x, 2), {}),
            (lift_down, (x, filters), {}),
            (lift_up, ([x] * 4, filters), {}),
        ]
        for function, args, options in calls:
            result = function(*args, **options)
            vjp_result, pullback = lw.vjp(function, *args, **options)
            assert_close(vjp_result, result)
            pullback(result)


def test_a_number_is_an_array_of_one_number(kernels: Any) -> None:
    x = zero_mean((2, 3, 8, 6), dtype="float32")
    for beta in (0.0, 0.3, 2.0):
        expected = pooling.ada_pool(x, 2, beta=np.full((1, 1), beta, "float32"))
        assert_close(pooling.ada_pool(x, 2, beta=beta), expected)
        back = pooling.ada_unpool(x, expected, 2, beta=np.full((1, 1), beta, "float32"))
        assert_close(pooling.ada_unpool(x, expected, 2, beta=beta), back)


# --- derivatives ---------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # torch's own
def test_all_derivatives_of_max_pool(kernels: Any) -> None:
    x = torch.asarray(zero_mean((2, 3, 5, 4), 3)).requires_grad_()

    def call(v: torch.Tensor) -> Any:
        return pooling.max_pool(v, (3, 2), 2, 1, return_indices=True)[0]

    assert gradcheck(call, x, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(call, x)
    tied = torch.asarray(np.round(zero_mean((1, 6, 6), 1))).requires_grad_()
    direction = torch.asarray(zero_mean((1, 6, 6), 2))
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(tied.detach(), direction)
        y, places = pooling.max_pool(dual, 3, return_indices=True)
        dy = torch.autograd.forward_ad.unpack_dual(y).tangent
    picked = direction.reshape(-1)[places.reshape(-1)].reshape(dy.shape)
    assert_close(dy, picked)  # the first of equal samples gets the gradient
    assert places.dtype == torch.int64
    batch = torch.vmap(lambda v: pooling.max_pool(v, 2))(x.detach())
    assert_close(batch, pooling.max_pool(x.detach(), 2))


def test_beta_is_clamped_in_all_derivatives() -> None:
    x = torch.asarray(zero_mean((2, 4, 4), 3)).requires_grad_()
    beta = torch.tensor([[-0.5, 0.25], [0.75, 1.5]], dtype=torch.float64, requires_grad=True)

    def call(x: torch.Tensor, beta: torch.Tensor) -> Any:
        return pooling.ada_pool(x, 2, beta=beta)

    assert gradcheck(call, (x, beta))
    assert gradgradcheck(call, (x, beta))
    (gradient,) = torch.autograd.grad(call(x, beta).sum(), beta)
    assert (gradient == 0).tolist() == [[True, False], [False, True]]


def test_batches_of_lifting_pooling() -> None:
    m = lwt.LiftDownPool2d(3, output="bands", init="random").double().eval()
    x = torch.asarray(zero_mean((4, 2, 3, 5, 6)))
    filters = LiftFilters(*(f.detach() for f in m.filters))
    bands = torch.vmap(lambda v: lift_down(v, filters, "bands"))(x)
    expected = lift_down(x, filters, "bands")
    for name, band in expected.items():
        assert_close(bands[name], band)
    back = torch.vmap(lambda b: lift_up(b, filters, (5, 6)))(expected)
    assert_close(back, lift_up(expected, filters, (5, 6)))
