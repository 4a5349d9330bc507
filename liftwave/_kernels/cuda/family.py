"""CUDA kernels for CuPy arrays and CUDA tensors of torch, compiled by CuPy at their first use.

This module defines the family; the other modules of this folder implement its methods, and
``runtime.py`` launches kernels. No code here waits for a device or reads its memory.
"""

from __future__ import annotations

from liftwave._kernels.contract import Kernels, TimeFrequencyKernels
from liftwave._kernels.cuda.common.memory import CudaArrays
from liftwave._kernels.cuda.common.runtime import Runtime
from liftwave._kernels.cuda.levels import CudaLevels
from liftwave._kernels.cuda.lift_pool.kernels import CudaLiftPool
from liftwave._kernels.cuda.pooling.kernels import CudaPooling
from liftwave._kernels.pooling_contract import LiftPoolKernels, PoolingKernels


class CudaKernels(CudaLevels, CudaArrays):
    """The family ``"cuda"``.

    Parameters
    ----------
    runtime : Runtime
        Runs the kernels and allocates results.
    fallback : Kernels
        Handles what these kernels do not support, including half precision.
    """

    wants_numpy = False
    native_half = True

    def __init__(self, runtime: Runtime, fallback: Kernels) -> None:
        super().__init__(runtime, fallback)
        self.pooling: PoolingKernels = CudaPooling(runtime, fallback.pooling)
        self.lift_pool: LiftPoolKernels = CudaLiftPool(runtime, fallback.lift_pool)

    @property
    def time_frequency(self) -> TimeFrequencyKernels:
        """Synchrosqueezing by CuPy and torch."""
        return self._fallback.time_frequency
