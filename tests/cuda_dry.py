"""CUDA kernels that are chosen and launched but not executed: results are zeros.

Fallbacks of a family of kernels do not depend on the values that kernels compute.
Nothing is compiled, so every call is cheap.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import liftwave as lw
from liftwave import _dispatch
from liftwave._arrays.tensors import is_tensor
from liftwave._kernels.cuda.common.runtime import Kernel
from liftwave._kernels.cuda.family import CudaKernels
from liftwave._kernels.no_fallback import no_fallback
from liftwave._typing import Array


class DryRuntime:
    """Treats NumPy arrays and tensors in host memory as device arrays."""

    def missing(self) -> str | None:
        """Return None; see ``Runtime.missing``."""
        return None

    def holds(self, x: Array) -> bool:
        """True if ``x`` is a NumPy array or a torch tensor."""
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
        """Do nothing; see ``Runtime.launch``."""

    def empty(self, shape: Sequence[int], dtype: str, like: Array) -> Array:
        """Return zeros, which are also valid positions of maxima."""
        if type(like) is np.ndarray:
            return np.zeros(tuple(shape), dtype)
        import torch

        return torch.zeros(tuple(shape), dtype=getattr(torch, dtype))


@contextmanager
def dry_cuda() -> Iterator[None]:
    """Choose ``"cuda!"`` within a ``with`` block, with kernels that do not run."""
    families: dict[str, Any] = _dispatch._families
    before = families.get("cuda!")
    families["cuda!"] = CudaKernels(DryRuntime(), no_fallback("cuda", "arguments"))
    try:
        with lw.kernels("cuda!"):
            yield
    finally:
        del families["cuda!"]
        if before is not None:
            families["cuda!"] = before
