"""CUDA kernels that are chosen and launched, but do not run: results are zeros.

What a family of kernels hands to its fallback does not depend on the values that kernels compute.
Nothing is compiled here, so that every call can be made.
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
from liftwave._kernels.cuda.family import CudaKernels
from liftwave._kernels.cuda.runtime import Kernel
from liftwave._kernels.no_fallback import no_fallback
from liftwave._typing import Array


class DryRuntime:
    """Takes arrays of NumPy and tensors on the processor for arrays on a device."""

    def missing(self) -> str | None:
        """Nothing; see ``Runtime.missing``."""
        return None

    def holds(self, x: Array) -> bool:
        """Whether ``x`` is an array of NumPy or a tensor of torch."""
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
        """Nothing; see ``Runtime.launch``."""

    def empty(self, shape: Sequence[int], dtype: str, like: Array) -> Array:
        """Zeros, which are places for maxima, too."""
        if type(like) is np.ndarray:
            return np.zeros(tuple(shape), dtype)
        import torch

        return torch.zeros(tuple(shape), dtype=getattr(torch, dtype))


@contextmanager
def dry_cuda() -> Iterator[None]:
    """Choose ``"cuda!"`` within a ``with`` block, whose kernels do not run."""
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
