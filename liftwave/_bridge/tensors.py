"""What torch does with tensors: record for gradients, trace, batch; and tensors in plain memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from liftwave._arrays.tensors import is_numbers
from liftwave._dispatch import reference_kernels
from liftwave.errors import ArgumentTypeError, ExportError

HALF_PRECISION = (torch.float16, torch.bfloat16)

TORCH_OPERATIONS = reference_kernels(half_precision=True)
"""The reference kernels, which on tensors are torch's own operations: torch records these."""


# --- one tensor ----------------------------------------------------------------------------------


def is_dense(x: Tensor) -> bool:
    """Whether ``x`` is a plain tensor with memory of its own, even if autograd records it.

    Under a dispatch mode (tracing, fake tensors, counting) no tensor is.
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


# --- what is going on ----------------------------------------------------------------------------


def in_forward_mode() -> bool:
    """Whether forward-mode derivatives are being computed."""
    return torch.autograd.forward_ad._current_level >= 0


def records_operators() -> bool:
    """Whether torch records a graph that may hold operators of liftwave: compile and export.

    ``torch.onnx`` exports such a graph as well, but ONNX has no operators of liftwave.
    """
    return torch.compiler.is_compiling() and not torch.onnx.is_in_onnx_export()


def records_operations() -> bool:
    """Whether torch records its own operations only: TorchScript and ONNX."""
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
            "a program that torch.export made holds operators of liftwave, which ONNX does not "
            "know: give torch.onnx.export the module itself, with dynamo=True"
        )


def several_devices(tensors: Sequence[Tensor]) -> ArgumentTypeError:
    """The error that tensors are on several devices."""
    names = sorted({str(x.device) for x in tensors})
    return ArgumentTypeError(
        f"taps and filters have to be on the device of the data, got tensors on {names}: "
        "move them (tensor.to, module.to)"
    )


# --- batches -------------------------------------------------------------------------------------


def batched(inputs: Sequence[Tensor], dims: Sequence[int | None], size: int) -> list[Tensor]:
    """The tensors with the batch in front; those without one are repeated."""
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
    """The results for each element of a batch, stacked in front."""
    results = [
        function([x if d is None else x.select(d, i) for x, d in zip(tensors, dims, strict=True)])
        for i in range(size)
    ]
    return [torch.stack(list(of_element)) for of_element in zip(*results, strict=True)]


def run_in_old_vmap(
    function: Callable[..., tuple[Tensor, ...]], inputs: Sequence[Tensor]
) -> list[Tensor]:
    """The results of a function on batches of ``is_grads_batched``, by :func:`torch.vmap`.

    Those batches do not know the batching rules of custom operators.
    """
    level = torch._C._vmapmode_increment_nesting()
    torch._C._vmapmode_decrement_nesting()
    level -= 1
    plain = [torch._remove_batch_dim(x, level, 1, 0) if in_old_vmap(x) else x for x in inputs]
    dims = tuple(0 if in_old_vmap(x) else None for x in inputs)
    results = torch.vmap(function, in_dims=dims)(*plain)
    return [torch._add_batch_dim(y, 0, level) for y in results]
