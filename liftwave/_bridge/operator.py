"""Operations on tensors that torch records, traces or batches: one operator for all of them.

``liftwave::run`` runs an operation, which is passed in its serialized form. It is the node of
compiled and exported graphs. Eager code calls :func:`run`, which wraps the operation in a
``torch.autograd.Function``. Unlike custom operators, this supports forward mode and the transforms
of ``torch.func``. It passes tensors in plain memory directly to the kernels. The derivative of an
operation is an operation (:meth:`Operation.derivative`), so derivatives of any order use the same
code.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from liftwave._bridge import nodes
from liftwave._bridge.distributed import is_distributed, run_distributed
from liftwave._bridge.memory_formats import (
    cotangent_in_format,
    format_of,
    in_format,
    run_in_format,
)
from liftwave._bridge.second_derivatives import pull_back_by_torch
from liftwave._bridge.tensors import (
    HALF_PRECISION,
    TORCH_OPERATIONS,
    check_operators_allowed,
    in_forward_mode,
    in_old_vmap,
    is_dense,
    records_operations,
    records_operators,
    run_in_old_vmap,
    several_devices,
    vmapped,
)
from liftwave._dispatch import kernels_for, kernels_for_memory
from liftwave._kernels.contract import Kernels
from liftwave._operations.operation import Derivative, Operation, parse
from liftwave._typing import Array

Sizes: TypeAlias = Sequence[int]
Gradients: TypeAlias = list[Tensor | None]


def are_eager(tensors: Sequence[Tensor]) -> bool:
    """Whether the tensors are dense, and torch at most records gradients."""
    if (
        torch.compiler.is_compiling()
        or torch._C._get_tracing_state() is not None
        or torch.onnx.is_in_onnx_export()
        or torch.autograd.forward_ad._current_level >= 0
        or torch._C._len_torch_dispatch_stack()
        or torch._C._are_functorch_transforms_active()
    ):
        return False
    for x in tensors:
        if (
            type(x) not in (Tensor, torch.nn.Parameter)
            or x.device.type == "meta"
            or torch._C._functorch.is_functorch_wrapped_tensor(x)
            or torch._C._functorch.is_legacy_batchedtensor(x)
            or x.layout is not torch.strided
            or x.is_conj()
            or x.is_neg()
        ):
            return False
    return True


def records(operation: Operation, arrays: Sequence[Array]) -> bool:
    """Whether torch records, traces or batches operations on the arrays or on learned taps."""
    if not all(isinstance(x, Tensor) for x in arrays):
        return False
    if not operation.is_differentiable:
        return any(map(is_distributed, arrays))
    if operation.holds_arrays or operation.n_slots:
        return True
    recorded = torch.is_grad_enabled() and any(x.requires_grad for x in arrays)
    return recorded or not are_eager(arrays)


def run_unrecorded(operation: Operation, arrays: Sequence[Array], sizes: Sizes) -> list[Array]:
    """Run an operation on arrays that torch does not record."""
    if not isinstance(arrays[0], Tensor):
        return operation.run(arrays, sizes, kernels_for(*arrays))
    memory_format = format_of(arrays[0])
    if memory_format is None:
        return operation.run(arrays, sizes, kernels_for(*arrays))

    def run_on(form: Operation, tensors: list[Tensor]) -> list[Tensor]:
        return form.run(tensors, sizes, kernels_for(*tensors))

    return run_in_format(operation, arrays, memory_format, run_on)


def run(operation: Operation, tensors: Sequence[Tensor], sizes: Sizes = ()) -> list[Tensor]:
    """Run an operation on tensors of any kind, differentiably.

    Raises
    ------
    ArgumentTypeError
        If the tensors are on several devices.
    ExportError
        If an exporter cannot record the operation.
    """
    device = tensors[0].device
    if any(x.device != device for x in tensors):
        raise several_devices(tensors)
    if not operation.records_itself and are_eager(tensors):
        if not torch.is_grad_enabled():
            return _run_on_memory(operation, tensors, sizes)
        return list(_EagerRun.apply(operation, sizes, *tensors))  # type: ignore[no-untyped-call]
    if any(map(is_distributed, tensors)):
        return run_distributed(run, operation, tensors, sizes)
    if operation.records_itself:
        return operation.run(tensors, sizes, TORCH_OPERATIONS)
    return _run_traced(operation, tensors, sizes)


def _run_traced(operation: Operation, tensors: Sequence[Tensor], sizes: Sizes) -> list[Tensor]:
    """Run an operation that torch traces or batches, or on tensors that are not dense."""
    if records_operators():
        from liftwave._bridge import graph  # it loads torch's compiler

        if not graph.is_differentiated():
            return list(_operator(tensors, operation.text, sizes or None))
        if torch.compiler.is_dynamo_compiling():
            arguments = {"text": operation.text, "tensors": [*tensors], "sizes": [*sizes]}
            results: list[Tensor] = graph.NODES[_NODE](arguments)
            return results
    if records_operations():
        rounds = tensors[0].dtype == torch.float64 and torch.onnx.is_in_onnx_export()
        return operation.recordable(tensors, rounds).run(tensors, sizes, TORCH_OPERATIONS)
    if in_forward_mode() and not operation.is_linear:
        return operation.run(tensors, sizes, TORCH_OPERATIONS)
    if any(map(in_old_vmap, tensors)):
        return run_in_old_vmap(lambda *t: tuple(run(operation, t, sizes)), tensors)
    return list(_Run.apply(operation, sizes, *tensors))  # type: ignore[no-untyped-call]


def _run_serialized(text: str, tensors: list[Tensor], sizes: list[int]) -> list[Tensor]:
    return run(parse(text), tensors, sizes)


_NODE = "liftwave._bridge.operator.run"
nodes.register(_NODE, _run_serialized)


def _run_on_memory(operation: Operation, tensors: Sequence[Tensor], sizes: Sizes) -> list[Tensor]:
    """The results, each in separate memory and in the memory format of the data."""
    memory = [x.detach().resolve_conj().resolve_neg() for x in tensors]
    kernels = kernels_for_memory(*memory)
    # Most tensors need no further call, because their channels are not adjacent.
    memory_format = format_of(memory[0]) if memory[0].stride()[1:2] == (1,) else None
    if memory_format is not None:
        run_on = partial(_run_by_kernels, sizes, kernels, tensors)
        results = run_in_format(operation, memory, memory_format, run_on)
    elif kernels.wants_numpy:
        arrays = operation.run(_numpy_views(memory, tensors), sizes, kernels)
        results = [torch.from_numpy(np.asarray(y, order="C")) for y in arrays]
    else:
        results = [y.contiguous() for y in operation.run(memory, sizes, kernels)]
    used = {x.untyped_storage().data_ptr() for x in tensors}
    separate = []
    for y in results:
        address = y.untyped_storage().data_ptr()
        separate.append(y.clone() if address in used else y)
        used.add(address)
    return separate


def _numpy_views(memory: Sequence[Tensor], owners: Sequence[Tensor]) -> list[Any]:
    """The memory as NumPy arrays; see `numpy_memory` about DLPack."""
    pairs = zip(memory, owners, strict=True)
    return [x.numpy() if type(t) is Tensor else np.from_dlpack(x) for x, t in pairs]


def _run_by_kernels(
    sizes: Sizes,
    kernels: Kernels,
    owners: Sequence[Tensor],
    operation: Operation,
    tensors: list[Tensor],
) -> list[Tensor]:
    """The results of kernels; ``owners`` own the memory of the tensors.

    CPU kernels get NumPy arrays that share the memory of the tensors, and the results share the
    memory that the kernels allocate. All other kernels get the tensors.
    """
    if not kernels.wants_numpy:
        return operation.run(tensors, sizes, kernels)
    arrays = operation.run(_numpy_views(tensors, owners), sizes, kernels)
    order: Literal["K", "C"] = "K" if operation.reads_channels_last else "C"
    return [torch.from_numpy(np.asarray(y, order=order)) for y in arrays]


# --- derivatives ---------------------------------------------------------------------------------


def _save(
    ctx: Any,
    operation: Operation,
    sizes: Sizes,
    inputs: Sequence[Tensor],
    results: Sequence[Tensor],
    parameters: bool,
) -> None:
    """Save the arrays that the derivative needs."""
    ctx.operation, ctx.sizes = operation, sizes
    x = inputs[0]
    ctx.memory_format = None if x.is_contiguous() or x.stride()[1:2] != (1,) else format_of(x)
    ctx.shapes = [x.shape for x in inputs]
    ctx.set_materialize_grads(False)
    if operation.is_linear:
        ctx.residuals = "nothing"
    elif isinstance(operation, Derivative):  # torch differentiates it from its inputs
        ctx.save_for_backward(*inputs)
    else:
        options = {"exact": inputs[0].dtype not in HALF_PRECISION, "parameters": parameters}
        ctx.residuals = operation.residuals(ctx.shapes, sizes, **options)
        if ctx.residuals == "outputs":
            in_memory = all(map(is_dense, inputs)) and kernels_for_memory(*inputs).wants_numpy
            if not operation.rebuilds_precisely(inputs, in_memory):
                ctx.residuals = "inputs"
        ctx.save_for_backward(*operation.saved(inputs, results, ctx.residuals))


def _pull_back(ctx: Any, cotangents: Sequence[Tensor | None]) -> Gradients:
    """Cotangents of the inputs, ``None`` where they are zero."""
    operation, shapes, count = ctx.operation, ctx.shapes, len(ctx.shapes)
    cotangents = [
        g
        if g is None
        or (ctx.memory_format is None and (g.is_contiguous() or g.stride()[1:2] != (1,)))
        else cotangent_in_format(g, ctx.memory_format, operation)
        for g in cotangents
    ]
    present = [g for g in cotangents if g is not None]
    if not present:
        return [None] * count
    if isinstance(operation, Derivative) and not operation.is_linear:
        return pull_back_by_torch(operation, ctx.sizes, ctx.saved_tensors, cotangents)
    if operation.needs_all_cotangents and len(present) < len(cotangents):
        outputs = operation.outputs(shapes, ctx.sizes)
        cotangents = present = [
            present[0].new_zeros(output.shape) if g is None else g
            for g, output in zip(cotangents, outputs, strict=True)
        ]
    derivative = operation.derivative(tuple([g is not None for g in cotangents]), ctx.residuals)
    sizes = operation.derivative_sizes(shapes, ctx.sizes)
    gradients = run(derivative, [*present, *ctx.saved_tensors], sizes)
    if ctx.memory_format is not None:
        n_data = count - operation.n_parameters
        gradients[:n_data] = in_format(gradients[:n_data], ctx.memory_format, operation)
    return [*gradients, *[None] * (count - len(gradients))]


class _EagerRun(torch.autograd.Function):
    """An operation as a function of dense tensors, for plain recording of gradients.

    A function with ``setup_context`` supports all of torch, but torch then inspects its signature
    in each call, which takes as long as a small transform.
    """

    @staticmethod
    def forward(
        ctx: Any, operation: Operation, sizes: Sizes, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        results = _run_on_memory(operation, tensors, sizes)
        parameters = any(ctx.needs_input_grad[2 + len(tensors) - operation.n_parameters :])
        _save(ctx, operation, sizes, tensors, results, parameters)
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Any, ...]:
        ctx.is_done = True
        return None, None, *_pull_back(ctx, cotangents)


class _Run(torch.autograd.Function):
    """An operation as a function of its tensors."""

    @staticmethod
    def forward(operation: Operation, sizes: Sizes, *tensors: Tensor) -> tuple[Tensor, ...]:
        if all(map(is_dense, tensors)):
            return tuple(_run_on_memory(operation, tensors, sizes))
        return tuple(_operator(tensors, operation.text, sizes or None))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        operation, sizes, *tensors = inputs
        parameters = any(ctx.needs_input_grad[2 + len(tensors) - operation.n_parameters :])
        _save(ctx, operation, sizes, tensors, output, parameters)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Any, ...]:
        return None, None, *_pull_back(ctx, cotangents)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[Tensor, ...]:
        present = next(t for t in tangents[2:] if t is not None)
        filled = [
            present.new_zeros(shape) if t is None else t
            for t, shape in zip(tangents[2:], ctx.shapes, strict=True)
        ]
        return tuple(run(ctx.operation, filled, ctx.sizes))

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[Any, ...],
        operation: Operation,
        sizes: Sizes,
        *tensors: Tensor,
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        function = partial(run, operation, sizes=sizes)
        results = vmapped(function, operation, tensors, in_dims[2:], info.batch_size)
        return tuple(results), (0,) * len(results)


# --- the operator --------------------------------------------------------------------------------


@torch.library.custom_op(
    "liftwave::run",
    mutates_args=(),
    # AOTInductor passes None for empty lists. (A default would be missing in the saved inputs.)
    schema="(Tensor[] tensors, str operation, SymInt[]? sizes) -> Tensor[]",
)
def _operator(tensors: Sequence[Tensor], operation: str, sizes: Sizes | None) -> list[Tensor]:
    return _run_on_memory(parse(operation), tensors, sizes or ())


@_operator.register_fake
def _fake(tensors: Sequence[Tensor], operation: str, sizes: Sizes | None) -> list[Tensor]:
    check_operators_allowed()
    parsed = parse(operation)
    outputs = parsed.outputs([x.shape for x in tensors], sizes or ())
    results = [
        tensors[0].new_empty(shape, dtype=torch.int64 if like is None else tensors[like].dtype)
        for shape, like in outputs
    ]
    stop = len(results) - parsed.parameter_outputs
    return [*in_format(results[:stop], format_of(tensors[0]), parsed), *results[stop:]]


def _setup(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    tensors, text, sizes = inputs
    operation = parse(text)
    parameters = tensors[len(tensors) - operation.n_parameters :]
    # Sizes have no gradient, but torch treats an empty list as a list of tensors with gradients.
    ctx.gradient_of_sizes = [] if sizes is not None and not len(sizes) else None
    sizes = () if sizes is None else sizes
    _save(ctx, operation, sizes, tensors, output, any(x.requires_grad for x in parameters))


def _backward(ctx: Any, cotangents: Sequence[Tensor | None]) -> tuple[Any, None, Any]:
    return _pull_back(ctx, cotangents), None, ctx.gradient_of_sizes


_operator.register_autograd(_backward, setup_context=_setup)


@_operator.register_vmap
def _vmap(
    info: Any,
    in_dims: tuple[Any, ...],
    tensors: Sequence[Tensor],
    operation: str,
    sizes: Sizes | None,
) -> tuple[list[Tensor], list[int]]:
    # Call the operator itself: torch runs no autograd.Function within this rule.
    def function(batch: list[Tensor]) -> list[Tensor]:
        return list(_operator(batch, operation, sizes))

    results = vmapped(function, parse(operation), tensors, in_dims[0], info.batch_size)
    return results, [0] * len(results)
