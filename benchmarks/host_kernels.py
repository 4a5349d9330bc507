"""The CUDA kernels, compiled for the CPU, without a device."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import liftwave as lw
from benchmarks.measuring import ROOT


def missing() -> str | None:
    """Returns why the kernels cannot run on the CPU, or None if they can."""
    try:
        reason: str | None = _host_runtime().missing()
    except ImportError as error:
        return f"the checkout has no tests/cuda_host.py that can be imported: {error}"
    return reason


@contextmanager
def cuda_on_host() -> Iterator[None]:
    """Makes liftwave use the CUDA kernels for NumPy arrays and torch tensors on the CPU.

    The tests' runtime compiles each kernel with the C++ compiler at its first use and stores
    it in a temporary folder.
    """
    with _running_on(_host_runtime()), lw.kernels("cuda"):
        yield


def _running_on(runtime: Any) -> AbstractContextManager[None]:
    """Sets the runtime of the CUDA kernels; only this function depends on liftwave's internals.

    If the kernels are objects, one is built and registered. In earlier versions they are
    modules, and the runtime is a variable of one of them.
    """
    dispatch: Any = importlib.import_module("liftwave._dispatch")
    if hasattr(dispatch, "registered"):
        family: Any = importlib.import_module("liftwave._kernels.cuda.family")
        kernels = family.CudaKernels(runtime, dispatch.families()["reference"])
        registered: AbstractContextManager[None] = dispatch.registered(kernels)
        return registered
    try:
        module = importlib.import_module("liftwave._kernels.cuda.runtime")
    except ModuleNotFoundError:
        module = importlib.import_module("liftwave._kernels.cuda_runtime")
    return mock.patch.object(module, "runtime", runtime)


def _host_runtime() -> Any:
    """A new runtime from the tests of liftwave's checkout, or from the tests of this one."""
    for root in (Path(lw.__file__).parent.parent, ROOT):
        tests = str(root / "tests")
        if tests not in sys.path:
            sys.path.append(tests)
    return importlib.import_module("cuda_host").HostRuntime()
