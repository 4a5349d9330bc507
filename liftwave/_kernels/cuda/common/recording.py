"""Lists the CUDA kernels of a call, without a device; compiles them ahead of their first use."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from liftwave._arrays.tensors import is_tensor
from liftwave._kernels.cuda.common.runtime import SHARED, Kernel, compiled
from liftwave._typing import Array


class Launch(NamedTuple):
    """A launch of a kernel: blocks, threads in each, bytes of shared memory of each, arguments."""

    kernel: Kernel
    blocks: int
    threads: int
    shared: int
    arguments: ctypes.Structure


class RecordingRuntime:
    """Records the launches of calls on arrays of the host; see ``Runtime``. Results are zeros.

    Parameters
    ----------
    shared : int, optional
        The most bytes of shared memory of a block.
    """

    def __init__(self, shared: int = SHARED) -> None:
        self.launches: list[Launch] = []
        self.shared = shared

    @property
    def kernels(self) -> list[Kernel]:
        """The kernels, in the order of their first launch."""
        return list(dict.fromkeys(launch.kernel for launch in self.launches))

    def missing(self) -> str | None:
        """Return None: nothing runs."""
        return None

    def holds(self, x: Array) -> bool:
        """Whether ``x`` is a NumPy array or a tensor in the processor's memory."""
        return x.device.type == "cpu" if is_tensor(x) else type(x) is np.ndarray

    def launch(
        self,
        kernel: Kernel,
        blocks: int,
        threads: int,
        shared: int,
        arguments: ctypes.Structure,
        like: Array,
        what: str,
    ) -> None:
        """Record the launch."""
        self.launches.append(Launch(kernel, blocks, threads, shared, arguments))

    def most_shared(self, like: Array) -> int:
        """The most bytes of shared memory of a block."""
        return self.shared

    def empty(self, shape: Sequence[int], dtype: str, like: Array) -> Array:
        """Return zeros."""
        if not is_tensor(like):
            return np.zeros(tuple(shape), dtype)
        torch = sys.modules["torch"]
        return torch.zeros(tuple(shape), dtype=getattr(torch, dtype))


def compile_all(kernels: Iterable[Kernel]) -> Iterator[Kernel]:
    """Compile kernels for the current device into CuPy's cache; yields each when it is done."""
    for kernel in kernels:
        compiled(kernel)
        yield kernel
