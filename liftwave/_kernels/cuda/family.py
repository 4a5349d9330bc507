"""CUDA kernels for arrays of CuPy and CUDA tensors of torch, compiled by CuPy at their first use.

This is the family; its methods are in the modules beside it, and how kernels are launched in
``runtime.py``. Nothing here waits for a device or reads its memory.
"""

from __future__ import annotations

from liftwave._kernels.contract import Kernels, LiftPoolKernels, PoolingKernels
from liftwave._kernels.cuda.levels import CudaLevels
from liftwave._kernels.cuda.lift_pool import CudaLiftPool
from liftwave._kernels.cuda.pooling import CudaPooling
from liftwave._kernels.cuda.runtime import CudaArrays, Runtime


class CudaKernels(CudaLevels, CudaArrays):
    """The family ``"cuda"``.

    Parameters
    ----------
    runtime : Runtime
        Runs the kernels and allocates results.
    fallback : Kernels
        Serves what these kernels do not, half precision included.
    """

    name = "cuda"
    wants_numpy = False
    native_half = True

    def __init__(self, runtime: Runtime, fallback: Kernels) -> None:
        super().__init__(runtime, fallback)
        self.pooling: PoolingKernels = CudaPooling(runtime, fallback.pooling)
        self.lift_pool: LiftPoolKernels = CudaLiftPool(runtime, fallback.lift_pool)
