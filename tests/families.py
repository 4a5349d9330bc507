"""The families of compiled kernels that tests compare with the reference kernels."""

from __future__ import annotations

from typing import Any

import pytest
from cuda_host import ORDERS, HostKernels, HostRuntime, compiler

from liftwave import _dispatch
from liftwave._kernels.reference.family import ReferenceKernels

FAMILIES = ("cpu", "cuda")

reference = ReferenceKernels()


def family_of(name: str) -> Any:
    """The CPU kernels, or the CUDA kernels on the host with shuffled threads.

    Skips the test if they are missing.
    """
    if name == "cuda":
        if compiler() is None:
            pytest.skip("no C++ compiler for CUDA sources")
        return HostKernels(HostRuntime(ORDERS[-1]))
    if name not in _dispatch.families():
        pytest.skip("the compiled kernels were not built")
    return _dispatch.families()[name]


def with_fallback(family: Any) -> Any:
    """The same kernels; calls that they do not support use the reference kernels."""
    return HostKernels(HostRuntime(ORDERS[-1]), reference) if family.name == "cuda" else family


def is_exact(family: Any) -> bool:
    """True if results are bitwise equal to the reference: CUDA kernels use fused multiply-add."""
    return bool(family.name == "cpu")


def cases(cpu: Any, cuda: Any) -> list[Any]:
    """Parameters of a test with a ``family`` and one more argument, with values of each family."""
    return [*(("cpu", each) for each in cpu), *(("cuda", each) for each in cuda)]
