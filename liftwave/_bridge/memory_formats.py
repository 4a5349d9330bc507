"""Memory formats of tensors: results have the format of the data, as in torch's layers.

Tensors in ``torch.channels_last`` or ``torch.channels_last_3d`` have the channels of a sample
adjacent in memory. An operation runs on this memory with the channels as the last axis
(:meth:`~liftwave._operations.operation.Operation.channels_last`), so nothing is copied. If an
operation does not have this form, the data are copied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from liftwave._operations.operation import Operation

Format: TypeAlias = torch.memory_format
Run: TypeAlias = Callable[[Operation, list[Tensor]], list[Tensor]]

FORMATS: dict[int, Format] = {4: torch.channels_last, 5: torch.channels_last_3d}
"""The format with channels last, by the number of dimensions."""

_DIMENSIONS = {memory_format: ndim for ndim, memory_format in FORMATS.items()}


def format_of(x: Tensor) -> Format | None:
    """The format of a tensor that has the channels last in memory; ``None`` for any other.

    The first tensor of an operation decides for all data. Tensors with one channel, or with one
    sample per channel, can be in both formats. These count as contiguous.
    """
    memory_format = FORMATS.get(x.ndim)
    return memory_format if memory_format is not None and _has_channels_last(x) else None


def _has_channels_last(x: Tensor) -> bool:
    """Whether a tensor has the channels last in memory, as a whole or as a part of such a tensor.

    Contiguous tensors and batches of ``vmap`` do not.
    """
    if _is_batch(x) or x.layout is not torch.strided or x.is_contiguous() or x.stride(1) != 1:
        return False
    least = x.shape[1]
    for axis in (*range(x.ndim - 1, 1, -1), 0):
        if x.shape[axis] == 1:  # its stride can be any number
            continue
        if x.stride(axis) < least:
            return False
        least = x.stride(axis) * x.shape[axis]
    return True


def _is_batch(x: Tensor) -> bool:
    """Whether ``x`` may be a batch of ``vmap``, which has no memory format.

    Compilers choose the formats of their graphs, so this cannot be checked there.
    """
    return torch.compiler.is_dynamo_compiling() or bool(
        torch._C._functorch.is_functorch_wrapped_tensor(x)
        or torch._C._functorch.is_legacy_batchedtensor(x)
    )


def in_format(
    tensors: Sequence[Tensor], memory_format: Format | None, operation: Operation | None = None
) -> list[Tensor]:
    """The tensors in this format, copied if needed. For ``None`` and batches, they are unchanged.

    Data and results of an operation can have other numbers of dimensions than the format. They are
    converted to the format with the channels last for their number of dimensions.
    """
    if memory_format is None:
        return list(tensors)
    ndim = _DIMENSIONS[memory_format]
    dimensions = (ndim,) if operation is None else operation.dimensions_with_channels(ndim)
    return [
        x.contiguous(memory_format=FORMATS[x.ndim])
        if x.ndim in dimensions and not _is_batch(x)
        else x
        for x in tensors
    ]


def cotangent_in_format(
    cotangent: Tensor, memory_format: Format | None, operation: Operation
) -> Tensor:
    """A cotangent in the format of the data, if it is in another one."""
    if memory_format is not None:
        return in_format([cotangent], memory_format, operation)[0]
    return cotangent if format_of(cotangent) is None else cotangent.contiguous()


def run_in_format(
    operation: Operation, tensors: Sequence[Tensor], memory_format: Format, run: Run
) -> list[Tensor]:
    """The results for data in this format, in the same format.

    Parameters
    ----------
    operation : Operation
        The operation.
    tensors : sequence of Tensor
        Its inputs. The first data tensor is in the format.
    memory_format : torch.memory_format
        A value of :data:`FORMATS`.
    run : callable
        Runs an operation on tensors.
    """
    ndim, count = _DIMENSIONS[memory_format], len(tensors) - operation.n_parameters
    data, parameters = tensors[:count], tensors[count:]
    if operation.reads_channels_last:
        return _results_in_format(operation, run(operation, [*tensors]), memory_format)
    last = operation.channels_last(ndim)
    dimensions = operation.dimensions_with_channels(ndim)
    if last is None:
        copies = [x.contiguous() if x.ndim in dimensions else x for x in data]
        results = run(operation, [*copies, *parameters])
        return _results_in_format(operation, results, memory_format)
    moved = [x.movedim(1, -1) if x.ndim in dimensions else x for x in data]
    results = run(last, [*moved, *parameters])
    stop = len(results) - operation.parameter_outputs
    back = [y.movedim(-1, 1) if y.ndim in dimensions else y for y in results[:stop]]
    return _results_in_format(operation, [*back, *results[stop:]], memory_format)


def _results_in_format(
    operation: Operation, results: Sequence[Tensor], memory_format: Format
) -> list[Tensor]:
    stop = len(results) - operation.parameter_outputs
    return [*in_format(results[:stop], memory_format, operation), *results[stop:]]
