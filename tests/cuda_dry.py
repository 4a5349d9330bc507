"""CUDA kernels that are chosen and launched but not executed: results are zeros.

Fallbacks of a family of kernels do not depend on the values that kernels compute.
Nothing is compiled, so every call is cheap.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import liftwave as lw
from liftwave import _dispatch
from liftwave._kernels.cuda.common.recording import RecordingRuntime
from liftwave._kernels.cuda.family import CudaKernels
from liftwave._kernels.no_fallback import no_fallback


@contextmanager
def dry_cuda() -> Iterator[None]:
    """Choose ``"cuda!"`` within a ``with`` block, with kernels that do not run."""
    families: dict[str, Any] = _dispatch._families
    before = families.get("cuda!")
    families["cuda!"] = CudaKernels(RecordingRuntime(), no_fallback("cuda", "arguments"))
    try:
        with lw.kernels("cuda!"):
            yield
    finally:
        del families["cuda!"]
        if before is not None:
            families["cuda!"] = before
