"""Which CUDA kernels a call needs, without a device; their compilation ahead of the first use."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from liftwave._kernels.cuda.common.runtime import Kernel, compiled
from liftwave._typing import Array


class RecordingRuntime:
    """Records the kernels of calls on NumPy arrays; see ``Runtime``. All results are zeros."""

    def __init__(self) -> None:
        self.kernels: dict[Kernel, None] = {}  # in the order of their first launch

    def missing(self) -> str | None:
        """Return None: nothing runs."""
        return None

    def holds(self, x: Array) -> bool:
        """Whether ``x`` is a NumPy array."""
        return type(x) is np.ndarray

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
        """Record the kernel."""
        self.kernels[kernel] = None

    def empty(self, shape: Sequence[int], dtype: str, like: Array) -> Array:
        """Return zeros."""
        return np.zeros(tuple(shape), dtype)


def compile_all(kernels: Iterable[Kernel]) -> Iterator[Kernel]:
    """Compile kernels for the current device into CuPy's cache; yields each when it is done."""
    for kernel in kernels:
        compiled(kernel)
        yield kernel
