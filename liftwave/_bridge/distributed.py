"""Distributed tensors of torch (``DTensor``): each rank runs an operation on its own part.

Data can be split (``Shard``) along axes whose items are computed independently, such as the batch.
Along other axes they are gathered first, as in operations of torch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from torch import Size, Tensor

from liftwave._operations.operation import Operation, Shape
from liftwave.errors import ArgumentTypeError

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor
    from torch.distributed.tensor.placement_types import Placement

Run: TypeAlias = Callable[[Operation, Sequence[Tensor], Sequence[int]], list[Tensor]]


def is_distributed(x: Tensor) -> bool:
    """Whether ``x`` is a distributed tensor. This does not import ``torch.distributed``."""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(x, module.DTensor)


def run_distributed(
    run: Run, operation: Operation, tensors: Sequence[Tensor], sizes: Sequence[int]
) -> list[Tensor]:
    """The results of an operation on distributed tensors, as distributed tensors.

    Parameters that are not distributed count as equal on all ranks. Gradients of parameters are
    sums over the ranks.

    Raises
    ------
    ArgumentTypeError
        If only some of the data are distributed.
    """
    from torch.distributed.tensor import DTensor, Partial, Replicate, Shard

    n_data = len(tensors) - operation.n_parameters
    if not all(map(is_distributed, tensors[:n_data])):
        raise ArgumentTypeError(
            "the data must all be distributed tensors, or none of them: use "
            "torch.distributed.tensor.distribute_tensor"
        )
    x: Any = tensors[0]
    axes = operation.batch_axes(x.ndim)
    placements = [p if _is_shard_along(p, axes, x.ndim) else Replicate() for p in x.placements]
    whole = [Replicate() for _ in placements]
    sums = [Partial() if isinstance(p, Shard) else Replicate() for p in placements]
    local = [_local(data, placements, placements) for data in tensors[:n_data]]
    local += [_local(_replicated(taps, x), whole, sums) for taps in tensors[n_data:]]
    results = run(operation, local, sizes)
    outputs = operation.outputs([tuple(tensor.shape) for tensor in tensors], sizes)
    return [
        DTensor.from_local(
            result.contiguous(),
            x.device_mesh,
            placements,
            run_check=False,
            shape=Size(output.shape),
            stride=_strides(output.shape),
        )
        for result, output in zip(results, outputs, strict=True)
    ]


def _is_shard_along(placement: Placement, axes: Sequence[int], ndim: int) -> bool:
    from torch.distributed.tensor import Shard

    return isinstance(placement, Shard) and placement.dim % ndim in axes


def _replicated(taps: Tensor, like: Any) -> Tensor:
    """The taps as a distributed tensor that is equal on all ranks."""
    from torch.distributed.tensor import DTensor, Replicate

    if is_distributed(taps):
        return taps
    placements = [Replicate() for _ in like.placements]
    return DTensor.from_local(taps, like.device_mesh, placements, run_check=False)


def _local(
    tensor: Any, placements: Sequence[Placement], of_gradient: Sequence[Placement]
) -> Tensor:
    """The part of this rank, after a change of the placements if needed."""
    distributed: DTensor = tensor.redistribute(placements=placements)
    return distributed.to_local(grad_placements=of_gradient)


def _strides(shape: Shape) -> tuple[int, ...]:
    """The strides of a contiguous tensor."""
    return tuple(prod(shape[k + 1 :]) for k in range(len(shape)))
