"""Executes calls: converts the inputs, chooses what runs the operation, converts the results."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from liftwave._arrays.convert import Opened, check_out, is_array
from liftwave._dispatch import PLAIN_KERNELS, kernels_for, supports_half_precision
from liftwave._operations.call import Call
from liftwave._operations.operation import Operation
from liftwave._operations.transform import Transform
from liftwave._typing import Array


def execute(call: Call) -> Any:
    """The result of a call, in the structure that its function returns.

    Raises
    ------
    LiftwaveError
        If the inputs do not fit the operation; nothing is computed then.
    """
    operation = call.operation
    if call.out is None and operation.is_plain:
        results = operation.run_plain(call.arrays, PLAIN_KERNELS.get())
        if results is not None:
            return call.result.pack(results)
    return call.result.pack(_run_opened(call))


def _run_opened(call: Call) -> list[Array]:
    operation = call.operation
    opened = operation.open(call.arrays, supports_half_precision)
    arrays = [each.array for each in opened]
    if call.out is not None:
        return [_run_into(call, opened)]
    results = run(operation, arrays, call.sizes)
    return close(operation, results, opened[0])


def close(operation: Operation, results: Sequence[Array], opened: Opened) -> list[Array]:
    """The results in the dtypes that the caller expects."""
    count = operation.data_outputs
    if count is None:
        return [opened.close(y) for y in results]
    return [*(opened.close(y) for y in results[:count]), *results[count:]]


def run(operation: Operation, arrays: Sequence[Array], sizes: Sequence[int] = ()) -> list[Array]:
    """Run an operation on opened arrays: by kernels, or by torch's operator if torch records."""
    if is_recorded(operation, arrays):
        from liftwave._bridge import operator  # it imports torch

        recorded, parameters = operation.with_tensor_inputs()
        return operator.run(recorded, [*arrays, *parameters], sizes)
    return operation.run(arrays, sizes, kernels_for(*arrays))
