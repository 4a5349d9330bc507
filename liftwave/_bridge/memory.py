"""Computation on the memory of tensors: in by their addresses, out without a copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from liftwave._kernels.contract import Kernels
from liftwave._typing import Array

Computation: TypeAlias = Callable[[list[Array], Kernels], Sequence[Array]]

# The kernels that serve tensors which nothing watches, and whether these take tensors of half
# precision as they are; the dispatch says.
kernels_of = cast("Callable[[Sequence[Tensor]], Kernels]", None)
keeps_halves = cast("Callable[[Sequence[Tensor]], bool]", None)


def computed(function: Computation, tensors: Sequence[Tensor]) -> list[Tensor]:
    """The results of a computation on tensors, each in memory of its own.

    Kernels of the processor get NumPy arrays that are the tensors' memory, and what they
    allocate becomes the memory of the results. All others get the tensors.
    """
    ready = [x.detach().resolve_conj().resolve_neg() for x in tensors]
    kernels = kernels_of(ready)
    if kernels.wants_numpy:
        arrays = function([x.numpy() for x in ready], kernels)
        results = [torch.from_numpy(np.asarray(y, order="C")) for y in arrays]
    else:
        results = [y.contiguous() for y in function(ready, kernels)]
    taken = {x.untyped_storage().data_ptr() for x in tensors}
    return [_own(y, taken) for y in results]


def _own(result: Tensor, taken: set[int]) -> Tensor:
    address = result.untyped_storage().data_ptr()
    if address in taken:
        return result.clone()
    taken.add(address)
    return result
