"""Operations on tensors that torch records, traces or batches: one operator for all of them.

``liftwave::run`` runs an operation, which it gets in its serialized form. It is the node of
compiled and exported graphs. Eager code comes through :func:`run`, which wraps the operation in a
``torch.autograd.Function``: that also supports forward mode and the transforms of ``torch.func``,
which custom operators do not, and passes tensors in plain memory straight to the kernels. The
derivative of an operation is an operation (:meth:`Operation.derivative`), so derivatives of any
order come through here as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor

from liftwave._bridge.memory import run_on_memory
from liftwave._bridge.tensors import (
    HALF_PRECISION,
    TORCH_OPERATIONS,
    are_eager,
    batched,
    check_devices,
    check_operators_allowed,
    in_forward_mode,
    in_old_vmap,
    is_dense,
    records_operations,
    records_operators,
    run_in_old_vmap,
    stacked,
)
from liftwave._dispatch import fallback_for
from liftwave._operations.operation import Derivative, Operation, Residuals, parse

Sizes: TypeAlias = Sequence[int]
Gradients: TypeAlias = list[Tensor | None]

_vjp: Any = torch.func.vjp


def run(operation: Operation, tensors: Sequence[Tensor], sizes: Sizes = ()) -> list[Tensor]:
    """Run an operation on tensors of any kind, differentiably.

    Raises
    ------
    ArgumentTypeError
        If the tensors are on several devices.
    ExportError
        If an exporter asks for what it cannot record.
    """
    if len(tensors) > 1:
        check_devices(tensors)
    if operation.records_itself:
        return operation.run(tensors, sizes, TORCH_OPERATIONS)
    if are_eager(tensors):
        return list(_Run.apply(operation, sizes, True, *tensors))  # type: ignore[no-untyped-call]
    return _run_traced(operation, tensors, sizes)


def _run_traced(operation: Operation, tensors: Sequence[Tensor], sizes: Sizes) -> list[Tensor]:
    """Run an operation that torch traces or batches, or on tensors that are not dense."""
    if records_operators():
        from liftwave._bridge import graph  # it loads torch's compiler

        if not graph.is_differentiated():
            return list(_operator(tensors, operation.text, sizes))
        if torch.compiler.is_dynamo_compiling():
            return graph.run_as_node(operation.text, tensors, sizes)
    if records_operations():
        rounds = tensors[0].dtype == torch.float64 and torch.onnx.is_in_onnx_export()
        return operation.recordable(tensors, rounds).run(tensors, sizes, TORCH_OPERATIONS)
    if in_forward_mode() and not operation.is_linear:
        return operation.run(tensors, sizes, TORCH_OPERATIONS)
    if any(map(in_old_vmap, tensors)):
        return run_in_old_vmap(lambda *t: tuple(run(operation, t, sizes)), tensors)
    return list(_Run.apply(operation, sizes, False, *tensors))  # type: ignore[no-untyped-call]


def _run_here(operation: Operation, tensors: Sequence[Tensor], sizes: Sizes) -> list[Tensor]:
    """The results by the kernels for the tensors' memory."""
    return run_on_memory(lambda arrays, kernels: operation.run(arrays, sizes, kernels), tensors)


# --- derivatives ---------------------------------------------------------------------------------


def _save(
    ctx: Any,
    operation: Operation,
    sizes: Sizes,
    inputs: Sequence[Tensor],
    results: Sequence[Tensor],
    parameters: bool,
) -> None:
    """Keep what the derivative needs."""
    ctx.operation, ctx.sizes = operation, sizes
    ctx.shapes = [x.shape for x in inputs]
    ctx.set_materialize_grads(False)
    if operation.is_linear:
        ctx.residuals = "nothing"
    elif isinstance(operation, Derivative):  # differentiated by torch, from its inputs
        ctx.save_for_backward(*inputs)
    else:
        exact = inputs[0].dtype not in HALF_PRECISION
        ctx.residuals = operation.residuals(ctx.shapes, sizes, exact=exact, parameters=parameters)
        ctx.save_for_backward(*operation.saved(inputs, results, ctx.residuals))


def _pull_back(ctx: Any, cotangents: Sequence[Tensor | None]) -> Gradients:
    """Cotangents of the inputs, ``None`` where they are zero."""
    count = len(ctx.shapes)
    if all(g is None for g in cotangents):
        return [None] * count
    if isinstance(ctx.operation, Derivative) and not ctx.operation.is_linear:
        return _pull_back_by_torch(ctx.operation, ctx.sizes, ctx.saved_tensors, cotangents)
    found = _run_derivative(
        ctx.operation, ctx.residuals, ctx.shapes, ctx.sizes, ctx.saved_tensors, cotangents
    )
    return [*found, *[None] * (count - len(found))]


def _run_derivative(
    operation: Operation,
    residuals: Residuals,
    shapes: Sequence[torch.Size],
    sizes: Sizes,
    saved: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
) -> list[Tensor]:
    if operation.needs_all_cotangents:
        like = next(g for g in cotangents if g is not None)
        outputs = operation.outputs(shapes, sizes)
        cotangents = [
            like.new_zeros(output.shape) if g is None else g
            for g, output in zip(cotangents, outputs, strict=True)
        ]
    present = [g for g in cotangents if g is not None]
    derivative = operation.derivative(tuple(g is not None for g in cotangents), residuals)
    return run(derivative, [*present, *saved], operation.derivative_sizes(shapes, sizes))


def _pull_back_by_torch(
    operation: Operation,
    sizes: Sizes,
    inputs: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
) -> Gradients:
    """Cotangents by torch's own derivatives of the reference kernels."""
    kernels = fallback_for(inputs, "derivative")
    places = [k for k, x in enumerate(inputs) if x.is_floating_point() or x.is_complex()]

    def run_on(*floating: Tensor) -> tuple[Tensor, ...]:
        tensors = [*inputs]
        for k, x in zip(places, floating, strict=True):
            tensors[k] = x
        return tuple(operation.run(tensors, sizes, kernels))

    results, pullback = _vjp(run_on, *[inputs[k] for k in places])
    filled = [
        torch.zeros_like(y) if g is None else g.to(y.dtype)
        for y, g in zip(results, cotangents, strict=True)
    ]
    found = dict(zip(places, pullback(tuple(filled)), strict=True))
    return [found.get(k) for k in range(len(inputs))]


class _Run(torch.autograd.Function):
    """An operation as a function of its tensors."""

    @staticmethod
    def forward(
        operation: Operation, sizes: Sizes, eager: bool, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        if eager or all(map(is_dense, tensors)):
            return tuple(_run_here(operation, tensors, sizes))
        return tuple(_operator(tensors, operation.text, sizes))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        operation, sizes, _, *tensors = inputs
        parameters = any(ctx.needs_input_grad[3 + len(tensors) - operation.n_parameters :])
        _save(ctx, operation, sizes, tensors, output, parameters)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Any, ...]:
        return None, None, None, *_pull_back(ctx, cotangents)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[Tensor, ...]:
        present = next(t for t in tangents[3:] if t is not None)
        filled = [
            present.new_zeros(shape) if t is None else t
            for t, shape in zip(tangents[3:], ctx.shapes, strict=True)
        ]
        return tuple(run(ctx.operation, filled, ctx.sizes))

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[Any, ...],
        operation: Operation,
        sizes: Sizes,
        eager: bool,
        *tensors: Tensor,
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        results = _vmapped(operation, sizes, tensors, in_dims[3:], info.batch_size)
        return tuple(results), (0,) * len(results)


def _vmapped(
    operation: Operation,
    sizes: Sizes,
    tensors: Sequence[Tensor],
    dims: Sequence[int | None],
    size: int,
) -> list[Tensor]:
    """The results with the batch in front."""
    count = len(tensors) if operation.is_linear else operation.batched_inputs
    if count and all(dim is None for dim in dims[count:]):
        data = batched(tensors[:count], dims[:count], size)
        return run(operation, [*data, *tensors[count:]], sizes)
    # Gradients in parameters are sums over data, for each element of the batch its own.
    return stacked(partial(run, operation, sizes=sizes), tensors, dims, size)


# --- the operator --------------------------------------------------------------------------------


@torch.library.custom_op(
    "liftwave::run",
    mutates_args=(),
    schema="(Tensor[] tensors, str operation, SymInt[] sizes) -> Tensor[]",
)
def _operator(tensors: Sequence[Tensor], operation: str, sizes: Sizes) -> list[Tensor]:
    return _run_here(parse(operation), tensors, sizes)


@_operator.register_fake
def _fake(tensors: Sequence[Tensor], operation: str, sizes: Sizes) -> list[Tensor]:
    check_operators_allowed()
    outputs = parse(operation).outputs([x.shape for x in tensors], sizes)
    return [
        tensors[0].new_empty(shape, dtype=torch.int64 if like is None else tensors[like].dtype)
        for shape, like in outputs
    ]


def _setup(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    tensors, text, sizes = inputs
    operation = parse(text)
    parameters = tensors[len(tensors) - operation.n_parameters :]
    _save(ctx, operation, sizes, tensors, output, any(x.requires_grad for x in parameters))


def _backward(ctx: Any, cotangents: Sequence[Tensor | None]) -> tuple[Any, None, Any]:
    # Sizes have no gradient; but an empty list passes for one of tensors, which has.
    return _pull_back(ctx, cotangents), None, None if ctx.sizes else []


_operator.register_autograd(_backward, setup_context=_setup)


@_operator.register_vmap
def _vmap(
    info: Any, in_dims: tuple[Any, ...], tensors: Sequence[Tensor], operation: str, sizes: Sizes
) -> tuple[list[Tensor], list[int]]:
    results = _vmapped(parse(operation), sizes, tensors, in_dims[0], info.batch_size)
    return results, [0] * len(results)
