"""Compiled kernels for arrays in the processor's memory: NumPy's and torch's.

This is the family; its methods are in the modules beside it.
"""

from __future__ import annotations

from liftwave._kernels.contract import Kernels, LiftPoolKernels, PoolingKernels
from liftwave._kernels.cpu.filters import NAME
from liftwave._kernels.cpu.levels import CpuLevels
from liftwave._kernels.cpu.lift_pool import CpuLiftPool
from liftwave._kernels.cpu.memory import is_in_memory, serves
from liftwave._kernels.cpu.pooling import CpuPooling
from liftwave._typing import Array


class CpuKernels(CpuLevels):
    """The family ``"cpu"``.

    Parameters
    ----------
    fallback : Kernels
        Serves what these kernels do not.
    """

    name = NAME
    wants_numpy = True
    native_half = False

    def __init__(self, fallback: Kernels) -> None:
        super().__init__(fallback)
        self.pooling: PoolingKernels = CpuPooling(fallback.pooling)
        self.lift_pool: LiftPoolKernels = CpuLiftPool(fallback.lift_pool)

    def serves(self, *arrays: Array) -> bool:
        """Whether these kernels serve the arrays together: numbers in the processor's memory."""
        return serves(*arrays)

    def serves_memory(self, *tensors: Array) -> bool:
        """Whether the module reads the tensors, whether or not autograd is active."""
        return all(map(is_in_memory, tensors))
