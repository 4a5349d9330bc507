"""Operations as data: every call's operation is serialized, planned and differentiated."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import pywt
from helpers import zero_mean

import liftwave as lw
from liftwave._arrays.convert import never_native_half
from liftwave._dispatch import kernels_for
from liftwave._operations.call import Call
from liftwave._operations.operation import Operation, parse
from liftwave._operations.transform import Transform
from liftwave.gradients import TRANSFORM_CALLS
from liftwave.pooling.differentiable import CALLS as POOLING_CALLS

X = zero_mean((2, 3, 13, 12))
SIGNAL = zero_mean(20)
SCHEME = lw.LiftingScheme.from_name("cdf5.3")
FILTERS = lw.pooling.lift_filters(3, 3)
LAYERS = ((zero_mean((2, 3)), zero_mean(2)), (zero_mean((3, 2), 1), zero_mean(3, 1)))
_, INDICES = lw.pooling.max_pool(X, 2, return_indices=True)

# Arguments for a call of each function that has an operation.
ARGUMENTS: dict[Callable[..., Any], tuple[Any, ...]] = {
    lw.dwt: (X, "db2", "symmetric", 2),
    lw.dwt2: (X, SCHEME, "reflect"),
    lw.dwtn: (X, "haar", "periodization", (1, 3)),
    lw.wavedec: (X, "db2", "zero", 1, 2),
    lw.wavedec2: (X, ("haar", "db2"), "smooth", 1),
    lw.wavedecn: (X, SCHEME, "zero", 1, (2, 3)),
    lw.downcoef: ("d", SIGNAL, "db2", "symmetric", 2),
    lw.idwt: (None, X, "db2"),
    lw.idwt2: (lw.dwt2(X, "db2"), "db2"),
    lw.idwtn: ({"ad": X, "dd": X}, SCHEME, "reflect", (2, 3)),
    lw.waverec: (lw.wavedec(X, "haar", level=2), "haar"),
    lw.waverec2: (lw.wavedec2(X, "haar", level=2), "haar"),
    lw.waverecn: (lw.wavedecn(X, "haar", level=1, axes=(2, 3)), "haar", "symmetric", (2, 3)),
    lw.upcoef: ("d", SIGNAL, "db2", 2, 30),
    lw.swt: (X, "db2", 2, 1, 2, False, True),
    lw.swt2: (X, ("haar", "db2"), 1, 0, (2, 3), True),
    lw.swtn: (X, "haar", 2, 0, (1, 3)),
    lw.iswt: (lw.swt(X, "db2", 2), "db2"),
    lw.iswt2: (lw.swt2(X, "haar", 2, trim_approx=True), "haar"),
    lw.iswtn: ([X, {"ad": X}], "haar", (2, 3)),
    lw.pooling.soft_pool: (X, 2),
    lw.pooling.edscw_pool: (X, 3, 2),
    lw.pooling.similarity_pool: (X, 2),
    lw.pooling.idw_pool: (X, 2),
    lw.pooling.ada_pool: (X, 2, None, 0, 1, False),
    lw.pooling.ada_unpool: (X, lw.pooling.ada_pool(X, 2), 2),
    lw.pooling.max_pool: (X, 2),
    lw.pooling.max_unpool: (lw.pooling.max_pool(X, 2), INDICES, 2),
    lw.pooling.nearest_unpool: (X, 2),
    lw.wpdec: (X, "db2", "reflect", 1, (-2, -1)),
    lw.wprec: (lw.wpdec(X, "haar", level=1), "haar"),
    lw.swpdec: (X, "db2", 2, (-2, -1)),
    lw.swprec: (lw.swpdec(X, "haar", 2), "haar"),
    lw.pooling.bed_of_nails_unpool: (X, 2),
    lw.pooling.conv_transpose: (X, zero_mean((3, 4, 2, 2))),
    lw.pooling.lift_down: (X, FILTERS, "bands"),
    lw.pooling.lift_up: (lw.pooling.lift_down(X, FILTERS, "bands"), FILTERS, (13, 12)),
    lw.pooling.energy_attention: (X, *LAYERS),
}
CALLS = TRANSFORM_CALLS | POOLING_CALLS


def call_of(function: Callable[..., Any]) -> tuple[Call, list[Any], Any]:
    """The call, its converted inputs, and the kernels for them."""
    call = CALLS[function](*ARGUMENTS[function])
    inputs = [o.array for o in call.operation.open(call.arrays, never_native_half)]
    return call, inputs, kernels_for(*inputs)


def shapes_of(arrays: list[Any]) -> list[tuple[int, ...]]:
    return [tuple(x.shape) for x in arrays]


def check_outputs(operation: Operation, inputs: list[Any], sizes: Any, results: list[Any]) -> None:
    """The results have the shapes and dtypes that the operation declares."""
    outputs = operation.outputs(shapes_of(inputs), sizes)
    assert [tuple(output.shape) for output in outputs] == shapes_of(results)
    dtypes = ["int64" if o.like is None else inputs[o.like].dtype for o in outputs]
    assert dtypes == [y.dtype for y in results]


def test_every_call_is_tried() -> None:
    assert set(ARGUMENTS) == set(CALLS)


@pytest.mark.parametrize("function", ARGUMENTS, ids=lambda function: function.__name__)
def test_operations_are_data(function: Callable[..., Any]) -> None:
    """Operations restored from the serialized form and from a pickle give the same results."""
    call, inputs, kernels = call_of(function)
    results = call.operation.run(inputs, call.sizes, kernels)
    check_outputs(call.operation, inputs, call.sizes, results)
    for twin in (parse(call.operation.text), pickle.loads(pickle.dumps(call.operation))):
        assert twin.text == call.operation.text
        for y, expected in zip(twin.run(inputs, call.sizes, kernels), results, strict=True):
            np.testing.assert_array_equal(y, expected)


def test_programs_find_operations_whose_modules_are_not_imported() -> None:
    """Exported programs are loaded before any function of liftwave is called."""
    program = (
        "import sys; from liftwave._operations.operation import parse; "
        "print([parse(text).kind for text in sys.argv[1:]])"
    )
    texts = [CALLS[f](*ARGUMENTS[f]).operation.text for f in ARGUMENTS]
    command = [sys.executable, "-c", program, *texts]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert found.strip() == str([parse(text).kind for text in texts])


# Torch differentiates the other operations itself.
DERIVED = [f for f in ARGUMENTS if not CALLS[f](*ARGUMENTS[f]).operation.records_itself]


@pytest.mark.parametrize("function", DERIVED, ids=lambda function: function.__name__)
def test_derivatives_are_operations(function: Callable[..., Any]) -> None:
    """They are serializable, too, and declare the shapes and dtypes of their results."""
    call, inputs, kernels = call_of(function)
    operation, shapes = call.operation, shapes_of(inputs)
    results = operation.run(inputs, call.sizes, kernels)
    residuals = operation.residuals(shapes, call.sizes, exact=True, parameters=True)
    saved = [] if operation.is_linear else operation.saved(inputs, results, residuals)
    present = tuple(y.dtype.kind == "f" for y in results)
    derivative = operation.derivative(present, residuals)
    sizes = operation.derivative_sizes(shapes, call.sizes)
    tensors = [*(y for y, p in zip(results, present, strict=True) if p), *saved]
    gradients = derivative.run(tensors, sizes, kernels)
    check_outputs(derivative, tensors, sizes, gradients)
    assert shapes_of(gradients) == shapes[: len(gradients)]
    twin = parse(derivative.text)
    assert type(twin) is type(derivative)
    for y, expected in zip(twin.run(tensors, sizes, kernels), gradients, strict=True):
        np.testing.assert_array_equal(y, expected)


def test_wavelets_keep_plans_for_some_shapes_only() -> None:
    bank = lw.FilterBank(*pywt.Wavelet("db2").filter_bank)
    for n in range(10, 310):
        lw.waverec(lw.wavedec(np.ones(n), bank, level=1), bank)
    assert bank._plans
    for plans in bank._plans.values():
        assert 1 < len(plans.cache) <= 64
        transforms = [value for value in plans.cache.values() if isinstance(value, Transform)]
        assert max(len(transform.shape_plans) for transform in transforms) <= 64
