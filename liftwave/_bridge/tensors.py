"""What torch does with tensors: record, trace, batch; and tensors in plain memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from liftwave._arrays.tensors import is_numbers
from liftwave._kernels.half_precision import in_float32
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave.errors import ExportError

HALVES = (torch.float16, torch.bfloat16)

IN_OPERATIONS = in_float32(ReferenceKernels())
"""The kernels that are torch's own operations, which torch records, traces and batches."""


def is_bare(x: Tensor) -> bool:
    """Whether ``x`` is numbers in memory and nothing else, whoever may record what is done to it.

    Under a dispatch mode (tracing, fake tensors, counting) no tensor is bare.
    """
    return (
        type(x) in (Tensor, torch.nn.Parameter)
        and x.device.type != "meta"
        and not torch._C._functorch.is_functorch_wrapped_tensor(x)
        and not torch._C._len_torch_dispatch_stack()
        and is_numbers(x)
    )


def is_watched(x: Tensor) -> bool:
    """Whether what is done to ``x`` is recorded, traced, or done to many at once."""
    return (
        (x.requires_grad and torch.is_grad_enabled())
        or torch.compiler.is_compiling()
        or is_traced_in_operations()
        or is_dual()
        or not is_bare(x)
    )


def is_dual() -> bool:
    """Whether forward mode is on."""
    return torch.autograd.forward_ad._current_level >= 0


def is_legacy_batched(x: Tensor) -> bool:
    """Whether ``x`` is a batch as ``is_grads_batched`` and ``vectorize`` make them."""
    return bool(torch._C._functorch.is_legacy_batchedtensor(x))


def is_traced_in_operators() -> bool:
    """Whether what is recorded may be operators of ours: compiled and exported programs.

    For ONNX, programs are exported too; but it knows no operators of ours.
    """
    return torch.compiler.is_compiling() and not torch.onnx.is_in_onnx_export()


def is_traced_in_operations() -> bool:
    """Whether what is recorded has to be torch's own operations: TorchScript, ONNX."""
    return torch._C._get_tracing_state() is not None or torch.onnx.is_in_onnx_export()


def check_operators_serve() -> None:
    """Raise if what operators of ours are recorded for is ONNX."""
    if torch.onnx.is_in_onnx_export():
        raise ExportError(
            "a program that torch.export made holds operators of liftwave, which ONNX does not "
            "know: give torch.onnx.export the module itself, with dynamo=True"
        )


def check_lengths_are_fixed(x: Tensor, axes: Sequence[int]) -> None:
    """Raise if a length along one of the (negative) axes is a symbol."""
    open_axes = [axis for axis in axes if isinstance(x.shape[axis], torch.SymInt)]
    if open_axes:
        raise ExportError(
            f"a transform becomes operations for fixed lengths along its axes {tuple(axes)}, got "
            f"a dynamic length along {open_axes} of shape {tuple(x.shape)}: leave only other "
            "dimensions dynamic, such as that of the batch"
        )


def batched(inputs: Sequence[Tensor], dims: Sequence[int | None], size: int) -> list[Tensor]:
    """The tensors with the batch in front, those without one repeated."""
    return [
        x.expand(size, *x.shape) if dim is None else x.movedim(dim, 0)
        for x, dim in zip(inputs, dims, strict=True)
    ]


def through_legacy_batch(
    function: Callable[[list[Tensor]], Sequence[Tensor]], inputs: Sequence[Tensor]
) -> list[Tensor]:
    """The function on the tensors with their batch in front; its results are batches again.

    The batches of ``is_grads_batched`` know no rules of other people's operators.
    """
    level = torch._C._vmapmode_increment_nesting()
    torch._C._vmapmode_decrement_nesting()
    level -= 1
    bare = [torch._remove_batch_dim(x, level, 1, 0) if is_legacy_batched(x) else x for x in inputs]
    size = next(t.shape[0] for t, x in zip(bare, inputs, strict=True) if is_legacy_batched(x))
    dims = [0 if is_legacy_batched(x) else None for x in inputs]
    return [torch._add_batch_dim(y, 0, level) for y in function(batched(bare, dims, size))]


def one_by_one(
    function: Callable[[list[Tensor]], Sequence[Tensor]],
    tensors: Sequence[Tensor],
    dims: Sequence[int | None],
    size: int,
) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
    """The function on each element of a batch; results are stacked in front."""
    each = [
        function([x if d is None else x.select(d, i) for x, d in zip(tensors, dims, strict=True)])
        for i in range(size)
    ]
    stacked = tuple(torch.stack(list(of_one)) for of_one in zip(*each, strict=True))
    return stacked, (0,) * len(stacked)
