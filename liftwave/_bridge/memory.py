"""Computation on the memory of tensors, which is shared with the kernels and not copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from liftwave._dispatch import kernels_for_memory
from liftwave._kernels.contract import Kernels
from liftwave._typing import Array

Computation: TypeAlias = Callable[[list[Array], Kernels], Sequence[Array]]


def run_on_memory(computation: Computation, tensors: Sequence[Tensor]) -> list[Tensor]:
    """The results of a computation on tensors, each in memory of its own.

    Kernels of the processor get NumPy arrays that share the memory of the tensors, and what they
    allocate becomes the memory of the results. All others get the tensors.
    """
    memory = [x.detach().resolve_conj().resolve_neg() for x in tensors]
    kernels = kernels_for_memory(*memory)
    if kernels.wants_numpy:
        arrays = computation([x.numpy() for x in memory], kernels)
        results = [torch.from_numpy(np.asarray(y, order="C")) for y in arrays]
    else:
        results = [y.contiguous() for y in computation(memory, kernels)]
    return _in_own_memory(results, tensors)


def _in_own_memory(results: Sequence[Tensor], inputs: Sequence[Tensor]) -> list[Tensor]:
    """The results, copied where they share memory with an input or another result."""
    used = {x.untyped_storage().data_ptr() for x in inputs}
    separate = []
    for y in results:
        address = y.untyped_storage().data_ptr()
        separate.append(y.clone() if address in used else y)
        used.add(address)
    return separate
