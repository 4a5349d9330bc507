"""Computation on the memory of tensors: in by their addresses, out without a copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from liftwave._kernels import Kernels
from liftwave._typing import Array

Computation: TypeAlias = Callable[[list[Array], Kernels], Sequence[Array]]

# The kernels that serve tensors which nothing watches; the dispatch says.
kernels_of = cast("Callable[[Sequence[Tensor]], Kernels]", None)


def computed(function: Computation, tensors: Sequence[Tensor]) -> list[Tensor]:
    """The results of a computation on tensors, each in memory of its own.

    Compiled kernels get NumPy arrays that are the tensors' memory, and what they allocate
    becomes the memory of the results.
    """
    ready = [x.detach().resolve_conj().resolve_neg() for x in tensors]
    kernels = kernels_of(ready)
    if kernels.name == "reference":
        results = [y.contiguous() for y in function(ready, kernels)]
    else:
        arrays = function([x.numpy() for x in ready], kernels)
        results = [torch.from_numpy(np.asarray(y, order="C")) for y in arrays]
    taken = {x.untyped_storage().data_ptr() for x in tensors}
    return [_own(y, taken) for y in results]


def _own(result: Tensor, taken: set[int]) -> Tensor:
    address = result.untyped_storage().data_ptr()
    if address in taken:
        return result.clone()
    taken.add(address)
    return result
