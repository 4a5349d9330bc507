"""CUDA kernels for arrays of CuPy and CUDA tensors of torch, compiled by CuPy at their first use.

This is the family; its methods are in the modules beside it, and how kernels are launched in
``runtime.py``. Nothing here waits for a device or reads its memory.
"""

from __future__ import annotations

from array_api_compat import device

from liftwave._arrays.tensors import is_numbers, is_unwatched
from liftwave._kernels.contract import Kernels, LiftPoolKernels, PoolingKernels
from liftwave._kernels.cuda.levels import CudaLevels
from liftwave._kernels.cuda.lift_pool import CudaLiftPool
from liftwave._kernels.cuda.pooling import CudaPooling
from liftwave._kernels.cuda.runtime import ITEMSIZE, Runtime
from liftwave._typing import Array


class CudaKernels(CudaLevels):
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

    def serves(self, *arrays: Array) -> bool:
        """Whether these kernels serve the arrays together: numbers on one device.

        Integers come to integer lifting schemes only.
        """
        for x in arrays:
            if hasattr(x, "data_ptr") and not is_unwatched(x):
                return False
        return self.serves_memory(*arrays)

    def serves_memory(self, *tensors: Array) -> bool:
        """Whether kernels read these arrays on one device, whether or not autograd is active."""
        if not all(map(self._reads, tensors)):
            return False
        return len(tensors) == 1 or all(device(x) == device(tensors[0]) for x in tensors[1:])

    def _reads(self, x: Array) -> bool:
        if not self._runtime.holds(x):
            return False
        if hasattr(x, "data_ptr"):
            return is_numbers(x) and str(x.dtype).removeprefix("torch.") in ITEMSIZE
        return x.dtype.isnative and x.dtype.name in ITEMSIZE
