"""Executes calls: converts the inputs, selects the kernels or torch, converts the results.

Under ``torch.compile`` a public function becomes one node of the graph (:func:`graph_node`).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from liftwave._arrays.convert import are_plain
from liftwave._arrays.lazy import ON_CHUNKS, is_lazy
from liftwave._bridge.nodes import register
from liftwave._dispatch import CHOICE, PLAIN_KERNELS, kernels_for, supports_half_precision
from liftwave._operations.call import SINGLE, Call
from liftwave._operations.operation import Operation
from liftwave._typing import Array
from liftwave.errors import OptionError

_F = TypeVar("_F", bound=Callable[..., Any])


def execute(
    call: Call, out: Any = None, out_shape: tuple[int, ...] | None = None, dtype: Any = None
) -> Any:
    """The result of a call, in the structure that its function returns.

    Parameters
    ----------
    call : Call
        The call.
    out : array, or nested tuples, lists and dicts of arrays, optional
        Receives the result, and is returned.
    out_shape : tuple of int, optional
        The shape of the first samples of the only result, which ``out`` then receives.
    dtype : dtype or str, optional
        The dtype of the coefficients of an integer transform.

    Raises
    ------
    LiftwaveError
        If the inputs do not fit the operation. Nothing is computed in this case.
    """
    if dtype is not None:
        call = _in_dtype(call, dtype)
    if out is not None:
        return _execute_into(call, out, out_shape)
    operation, arrays = call.operation, call.arrays
    kernels = PLAIN_KERNELS.get(CHOICE.get())
    if kernels and type(arrays[0]) is np.ndarray:
        native_run = operation.native_runs.get(kernels)
        results = None if native_run is None else native_run(arrays)
        if results is None and _is_plain(operation, arrays):
            results = operation.run(arrays, call.sizes, kernels)  # nothing to convert
        if results is not None:
            result = call.result
            return results[0] if result is SINGLE else result.pack(results)
    if ON_CHUNKS and any(map(is_lazy, arrays)):
        return ON_CHUNKS["execute"](call)
    opened = operation.open(arrays, supports_half_precision)
    results = run(operation, [operand.array for operand in opened], call.sizes)
    return call.result.pack(opened[0].close_all(results, operation.data_outputs))


def _in_dtype(call: Call, dtype: Any) -> Call:
    if any(map(is_lazy, call.arrays)):
        raise OptionError("dtype= does not support arrays of dask: remove dtype=")
    return replace(call, operation=call.operation.in_dtype(dtype))


def _is_plain(operation: Operation, arrays: Sequence[Array]) -> bool:
    """Whether the operation runs on these NumPy arrays without a conversion."""
    return operation.is_plain and are_plain(arrays, operation.plain_dtypes)


def run(operation: Operation, arrays: Sequence[Array], sizes: Sequence[int] = ()) -> list[Array]:
    """Run an operation on opened arrays: by kernels, or by torch's operator if torch records."""
    if type(arrays[0]) is np.ndarray or "torch" not in sys.modules:
        return operation.run(arrays, sizes, kernels_for(*arrays))
    from liftwave._bridge import operator  # it imports torch

    if not operator.records(operation, arrays):
        return operator.run_unrecorded(operation, arrays, sizes)
    if operation.holds_arrays:
        operation, parameters = operation.with_slots()
        arrays = [*arrays, *parameters]
    return operator.run(operation, arrays, sizes)


def _execute_into(call: Call, out: Any, out_shape: tuple[int, ...] | None) -> Any:
    """``out``, whose arrays receive the results of a call."""
    from liftwave._arrays.out import check_in_memory, checked_targets  # few calls have out

    check_in_memory(call.arrays)
    operation = call.operation.for_targets(out)
    opened = operation.open(call.arrays, supports_half_precision)
    arrays = [operand.array for operand in opened]
    shapes = operation.result_shapes([tuple(x.shape) for x in arrays], call.sizes)
    pattern = call.result.pack(range(len(shapes)))
    shapes = shapes if out_shape is None else [out_shape]
    targets = checked_targets(out, pattern, shapes, opened)
    if _is_recorded(operation, arrays):
        results = run(operation, arrays, call.sizes)
    else:
        results = operation.run_into(arrays, call.sizes, kernels_for(*arrays), targets)
    for target, result in zip(targets, results, strict=True):
        if target is not None and result is not target:
            target[...] = opened[0].close(result)[tuple(map(slice, target.shape))]
    return out


def _is_recorded(operation: Operation, arrays: Sequence[Array]) -> bool:
    if type(arrays[0]) is np.ndarray or "torch" not in sys.modules:
        return False
    from liftwave._bridge import operator  # it imports torch

    return operator.records(operation, arrays)


# --- public functions in compiled graphs ---------------------------------------------------------


def graph_node(function: _F) -> _F:
    """Decorate a function so that ``torch.compile`` records it as one node and not its body.

    The arguments of a node are tensors, numbers, text, wavelets, and sequences and dicts of
    these. Eager calls, and calls with ``out``, run the function itself.
    """
    node = f"{function.__module__}.{function.__qualname__}"
    register(node, function)
    modules = sys.modules

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if "torch" not in modules or not modules["torch"].compiler.is_dynamo_compiling():
            return function(*args, **kwargs)
        arguments = _node_arguments(function, args, kwargs)
        if arguments is None:
            return function(*args, **kwargs)
        return _run_as_node(node, arguments)

    return cast(_F, call)


def _node_arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any] | None:
    """All arguments by name; ``None`` with ``out``, or if they do not fit the function."""
    parameters = inspect.signature(function).parameters
    names = [name for name in parameters if name != "out"]
    arguments = {
        name: parameters[name].default
        for name in names
        if parameters[name].default is not inspect.Parameter.empty
    }
    arguments.update(zip(names, args, strict=False))
    arguments.update(kwargs)
    if arguments.pop("out", None) is not None or len(args) > len(names):
        return None
    return arguments if set(arguments) == set(names) else None


def _run_as_node(node: str, arguments: dict[str, Any]) -> Any:
    from liftwave._bridge import graph  # it loads torch's compiler

    return graph.NODES[node](arguments)
