"""Compiled kernels for arrays in the processor's memory: NumPy's and torch's.

This is the family; its methods are in the modules beside it.
"""

from __future__ import annotations

from liftwave._kernels.contract import Kernels, LiftPoolKernels, PoolingKernels
from liftwave._kernels.cpu.filters import NAME
from liftwave._kernels.cpu.levels import CpuLevels
from liftwave._kernels.cpu.lift_pool import CpuLiftPool
from liftwave._kernels.cpu.memory import serves, serves_memory
from liftwave._kernels.cpu.pooling import CpuPooling


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

    serves = staticmethod(serves)
    serves_memory = staticmethod(serves_memory)
