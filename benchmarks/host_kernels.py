"""The CUDA kernels, compiled for the processor: what they are asked for, without a device."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import liftwave as lw

# The module that holds the runtime, in this version of liftwave and in earlier ones.
RUNTIMES = ("liftwave._kernels.cuda.runtime", "liftwave._kernels.cuda_runtime")


def missing() -> str | None:
    """Returns why the kernels cannot run on the processor, or None if they can."""
    try:
        reason: str | None = _host_runtime().missing()
    except ImportError as error:
        return f"the checkout has no tests/cuda_host.py that can be imported: {error}"
    return reason


@contextmanager
def cuda_on_host() -> Iterator[None]:
    """Makes liftwave use the CUDA kernels on arrays of NumPy and torch on the processor.

    The tests' runtime compiles each kernel with the C++ compiler at its first use and stores
    it in a temporary folder. This is the only function that knows where liftwave holds its
    runtime.
    """
    runtime = _host_runtime()
    with mock.patch.object(_runtime_module(), "runtime", runtime), lw.kernels("cuda"):
        yield


def _runtime_module() -> Any:
    for name in RUNTIMES:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not name.startswith(error.name or ""):
                raise
    raise ModuleNotFoundError(f"none of {', '.join(RUNTIMES)} exists")


def _host_runtime() -> Any:
    """A new runtime of the tests of the checkout that liftwave comes from."""
    tests = str(Path(lw.__file__).parent.parent / "tests")
    if tests not in sys.path:
        sys.path.append(tests)
    return importlib.import_module("cuda_host").HostRuntime()
