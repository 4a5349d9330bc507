"""Detects whether torch records, traces or batches tensors, or whether they are plain memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from liftwave._arrays.tensors import is_numbers
from liftwave._dispatch import reference_kernels
from liftwave._operations.operation import Operation
from liftwave.errors import ArgumentTypeError, ExportError

HALF_PRECISION = (torch.float16, torch.bfloat16)

TORCH_OPERATIONS = reference_kernels(half_precision=True)
"""The reference kernels. On tensors they are torch's own operations, which torch records."""


# --- one tensor ----------------------------------------------------------------------------------


def is_dense(x: Tensor) -> bool:
    """Whether ``x`` is a plain tensor with its own memory, even if autograd records it.

    In a dispatch mode (tracing, fake tensors, counting), no tensor is plain.
    """
    return (
        type(x) in (Tensor, torch.nn.Parameter)
        and x.device.type != "meta"
        and not torch._C._functorch.is_functorch_wrapped_tensor(x)
        and not torch._C._len_torch_dispatch_stack()
        and is_numbers(x)
    )


def in_old_vmap(x: Tensor) -> bool:
    """Whether ``x`` is a batch of ``is_grads_batched`` or ``vectorize``."""
    return bool(torch._C._functorch.is_legacy_batchedtensor(x))


# --- state of torch ------------------------------------------------------------------------------


def in_forward_mode() -> bool:
    """Whether forward-mode derivatives are being computed."""
    return torch.autograd.forward_ad._current_level >= 0


def records_operators() -> bool:
    """Whether torch records a graph that can hold operators of liftwave: compile and export.

    ``torch.onnx`` also exports such a graph, but ONNX has no operators of liftwave.
    """
    return torch.compiler.is_compiling() and not torch.onnx.is_in_onnx_export()


def records_operations() -> bool:
    """Whether torch records only its own operations: TorchScript and ONNX."""
    return torch._C._get_tracing_state() is not None or torch.onnx.is_in_onnx_export()


def check_operators_allowed() -> None:
    """Raise if ``torch.onnx`` converts a graph that holds operators of liftwave.

    Raises
    ------
    ExportError
        If it does.
    """
    if torch.onnx.is_in_onnx_export():
        raise ExportError(
            "a program of torch.export holds operators of liftwave, which ONNX does not "
            "support: pass the module itself to torch.onnx.export, with dynamo=True"
        )


def several_devices(tensors: Sequence[Tensor]) -> ArgumentTypeError:
    """The error for tensors on several devices."""
    names = sorted({str(x.device) for x in tensors})
    return ArgumentTypeError(
        f"taps and filters must be on the device of the data, got tensors on {names}: "
        "move them (tensor.to, module.to)"
    )


# --- batches -------------------------------------------------------------------------------------


def batched(inputs: Sequence[Tensor], dims: Sequence[int | None], size: int) -> list[Tensor]:
    """The tensors with the batch axis first; tensors without it are repeated."""
    return [
        x.expand(size, *x.shape) if dim is None else x.movedim(dim, 0)
        for x, dim in zip(inputs, dims, strict=True)
    ]


def stacked(
    function: Callable[[list[Tensor]], Sequence[Tensor]],
    tensors: Sequence[Tensor],
    dims: Sequence[int | None],
    size: int,
) -> list[Tensor]:
    """The results for each element of a batch, stacked along a new first axis."""
    results = [
        function([x if d is None else x.select(d, i) for x, d in zip(tensors, dims, strict=True)])
        for i in range(size)
    ]
    return [torch.stack(list(of_element)) for of_element in zip(*results, strict=True)]


def vmapped(
    function: Callable[[list[Tensor]], list[Tensor]],
    operation: Operation,
    tensors: Sequence[Tensor],
    dims: Sequence[int | None],
    size: int,
) -> list[Tensor]:
    """The results with the batch axis first, by a function that runs the operation."""
    count = len(tensors) if operation.is_linear else operation.batched_inputs
    if count and all(dim is None for dim in dims[count:]):
        data = batched(tensors[:count], dims[:count], size)
        return function([*data, *tensors[count:]])
    # Gradients of parameters are sums over data, separately for each element of the batch.
    return stacked(function, tensors, dims, size)


def run_in_old_vmap(
    function: Callable[..., tuple[Tensor, ...]], inputs: Sequence[Tensor]
) -> list[Tensor]:
    """The results of a function on batches of ``is_grads_batched``, by :func:`torch.vmap`.

    Those batches do not use the batching rules of custom operators.
    """
    level = torch._C._vmapmode_increment_nesting()
    torch._C._vmapmode_decrement_nesting()
    level -= 1
    plain = [torch._remove_batch_dim(x, level, 1, 0) if in_old_vmap(x) else x for x in inputs]
    dims = tuple(0 if in_old_vmap(x) else None for x in inputs)
    results = torch.vmap(function, in_dims=dims)(*plain)
    return [torch._add_batch_dim(y, 0, level) for y in results]
