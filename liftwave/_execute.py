"""Executes calls: converts the inputs, chooses what runs the operation, converts the results."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from liftwave._arrays.convert import Opened, are_plain, check_out
from liftwave._dispatch import kernels_for, plain_kernels, supports_half_precision
from liftwave._operations.call import Call
from liftwave._operations.operation import Operation
from liftwave._operations.transform import Transform
from liftwave._typing import Array
from liftwave.errors import OptionError


def execute(call: Call) -> Any:
    """The result of a call, in the structure that its function returns.

    Raises
    ------
    LiftwaveError
        If the inputs do not fit the operation; nothing is computed then.
    """
    operation, arrays = call.operation, call.arrays
    if call.out is not None:
        return _execute_into(call, call.out)
    if operation.is_plain and are_plain(arrays):  # nothing to convert
        return call.result.pack(operation.run(arrays, call.sizes, plain_kernels()))
    opened = operation.open(arrays, supports_half_precision)
    results = run(operation, [each.array for each in opened], call.sizes)
    return call.result.pack(close(operation, results, opened[0]))


def run(operation: Operation, arrays: Sequence[Array], sizes: Sequence[int] = ()) -> list[Array]:
    """Run an operation on opened arrays: by kernels, or by torch's operator if torch records."""
    if type(arrays[0]) is np.ndarray or not is_recorded(operation, arrays):
        return operation.run(arrays, sizes, kernels_for(*arrays))
    from liftwave._bridge import operator  # it imports torch

    if operation.holds_arrays:
        operation, parameters = operation.with_slots()
        arrays = [*arrays, *parameters]
    return operator.run(operation, arrays, sizes)


def is_recorded(operation: Operation, arrays: Sequence[Array]) -> bool:
    """Whether torch records, traces or batches what is done to the arrays, or to learned taps."""
    torch = sys.modules.get("torch")
    if torch is None or not operation.is_differentiable:
        return False
    if not all(isinstance(x, torch.Tensor) for x in arrays):
        return False
    from liftwave._bridge import tensors  # it imports torch

    return operation.holds_arrays or tensors.are_recorded(arrays)


def close(operation: Operation, results: Sequence[Array], opened: Opened) -> list[Array]:
    """The results in the dtypes that the caller expects."""
    count, dtype = operation.data_outputs, opened.result_dtype
    data, rest = (results, []) if count is None else (results[:count], results[count:])
    return [*[y if y.dtype == dtype else opened.close(y) for y in data], *rest]


def _execute_into(call: Call, out: Array) -> Array:
    """The result of a synthesis, written to ``out``."""
    operation = call.operation
    if not isinstance(operation, Transform):
        raise OptionError(f"out= is for inverse transforms, got it for {operation.kind}")
    opened = operation.open(call.arrays, supports_half_precision)
    arrays = [each.array for each in opened]
    check_out(out, opened[0], operation.result_shape([tuple(x.shape) for x in arrays]))
    if is_recorded(operation, arrays):
        (result,) = run(operation, arrays)
    else:
        (result,) = operation.run(arrays, (), kernels_for(*arrays), out)
    if result is not out:
        out[...] = opened[0].close(result)
    return out
