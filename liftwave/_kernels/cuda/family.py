"""CUDA kernels for arrays of CuPy and CUDA tensors of torch, compiled by CuPy at their first use.

This is the family; what its functions do is in the modules beside it, and how kernels are
launched in ``cuda_runtime``. Nothing here waits for a device or reads what is there.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from array_api_compat import device

from liftwave._arrays.tensors import is_numbers, is_tensor, is_unwatched
from liftwave._kernels.cuda import levels as cuda_levels
from liftwave._kernels.cuda import lift_pool, pooling
from liftwave._kernels.cuda import runtime as cuda_runtime
from liftwave._kernels.cuda.filters import analysis, synthesis, tap_gradients
from liftwave._kernels.cuda.levels import analyse, synthesise
from liftwave._kernels.cuda.lifting import lift_analysis, lift_synthesis
from liftwave._kernels.cuda.lifting_gradient import lift_vjp
from liftwave._typing import Array

if TYPE_CHECKING:
    from liftwave._kernels.contract import AxisKernels

__all__ = [
    "accepts",
    "analyse",
    "analysis",
    "holds",
    "lift_analysis",
    "lift_pool",
    "lift_synthesis",
    "lift_vjp",
    "pooling",
    "synthesis",
    "synthesise",
    "tap_gradients",
]

# Steps that no pass does are done one by one, by the functions of this family.
cuda_levels.axis = cast("AxisKernels", sys.modules[__name__])

name = "cuda"
on_host = False
reads_halves = True


def accepts(*arrays: Array) -> bool:
    """Whether these kernels serve the arrays together: numbers on one device, of known dtypes.

    Integers come to integer lifting schemes only.
    """
    return all(is_unwatched(x) for x in arrays if is_tensor(x)) and holds(*arrays)


def holds(*arrays: Array) -> bool:
    """Whether these are arrays on one device that kernels read, whoever watches them."""
    return all(map(_is_known, arrays)) and all(device(x) == device(arrays[0]) for x in arrays[1:])


def _is_known(x: Array) -> bool:
    if not cuda_runtime.runtime.holds(x):
        return False
    if is_tensor(x):
        return is_numbers(x) and str(x.dtype).removeprefix("torch.") in cuda_runtime.ITEMSIZE
    return x.dtype.isnative and x.dtype.name in cuda_runtime.ITEMSIZE
