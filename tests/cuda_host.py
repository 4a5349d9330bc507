"""The CUDA kernels' sources, compiled for the host and run on arrays of NumPy and torch.

The C++ compiler compiles each requested kernel once, with ``cuda_host.hpp``. A temporary folder
caches the result under a name derived from the sources that the kernel includes.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from cuda_memory import check_memory, guarded_empty, guarded_tensor

from liftwave._kernels.cuda.common.runtime import (
    SHARED,
    Kernel,
    include_folders,
    source_folder,
    source_text,
)
from liftwave._kernels.cuda.family import CudaKernels
from liftwave._typing import Array

HEADER = Path(__file__).with_name("cuda_host.hpp")
RUNTIME = HEADER.with_suffix(".cpp")

FORWARDS, BACKWARDS, GREEDY, GREEDY_BACKWARDS, SHUFFLED = ORDERS = range(5)
"""In which order the threads of a block run.

If greedy, each warp runs ahead of the next as far as barriers of the block let it. If shuffled,
warps sometimes do.
"""


def source_names() -> list[str]:
    """The sources of the kernels, as kernels name them."""
    folder = source_folder()
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.cuh"))


def kernel_names(source: str) -> set[str]:
    """The names of the kernels in a source, without its includes."""
    return set(launch_bounds((source_folder() / source).read_text(encoding="utf-8")))


def compiler() -> str | None:
    """The C++ compiler; None if it is missing or does not support fibers."""
    if not sys.platform.startswith("linux"):
        return None
    return os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")


class HostRuntime:
    """Runs kernels on the host, as ``DeviceRuntime`` does on devices.

    Attributes
    ----------
    order : int
        One of ``ORDERS``.
    shared : int
        The most bytes of shared memory of a block.
    launched : list of str
        The kernels that ran.
    grids : dict
        The numbers of blocks, and of threads in each, of all launches of a kernel, by its name.
    """

    def __init__(self, order: int = FORWARDS) -> None:
        self.order, self.shared = order, SHARED
        self.launched: list[str] = []
        self.grids: dict[str, set[tuple[int, int]]] = {}

    def missing(self) -> str | None:
        """The reason why kernels cannot run: no compiler; see ``Runtime.missing``."""
        return None if compiler() else "there is no C++ compiler for CUDA sources"

    def holds(self, x: Array) -> bool:
        """True if ``x`` is a NumPy array or a torch tensor on the host."""
        if hasattr(x, "data_ptr"):
            return x.device.type == "cpu"
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
        """Run a kernel to its end; see ``Runtime.launch``."""
        assert shared <= self.shared, f"{kernel.expression}: {shared} bytes of shared memory"
        self.launched.append(kernel.expression)
        self.grids.setdefault(name_of(kernel), set()).add((blocks, threads))
        function = compiled(kernel)
        size = ctypes.sizeof(arguments)
        message = function(ctypes.byref(arguments), size, blocks, threads, shared, self.order)
        if message:
            raise AssertionError(f"{kernel.expression} ({what}): {message.decode()}")
        check_memory()

    def most_shared(self, like: Array) -> int:
        """The most bytes of shared memory of a block."""
        return self.shared

    def empty(self, shape: Sequence[int], dtype: str, like: Array) -> Array:
        """Memory for a result between guards, with values that every kernel must overwrite."""
        at_end = self.order % 2 == 0
        if type(like) is np.ndarray:
            return guarded_empty(shape, dtype, at_end)
        import torch

        return guarded_tensor(shape, getattr(torch, dtype), at_end)


class NoFallback:
    """A fallback that raises if a kernel uses it."""

    def __getattr__(self, name: str) -> Any:
        if name in ("pooling", "lift_pool"):
            return self
        raise AssertionError(f"the fallback was asked for {name}")


class HostKernels(CudaKernels):
    """The CUDA kernels on the host, with a replaceable runtime and fallback."""

    def __init__(self, runtime: Any = None, fallback: Any = None) -> None:
        super().__init__(runtime or HostRuntime(), fallback or NoFallback())

    def use(self, runtime: Any = None, fallback: Any = None) -> Any:
        """Set another runtime or another fallback; return the runtime."""
        HostKernels.__init__(self, runtime or self._runtime, fallback or self._fallback)
        return self._runtime

    def reset(self) -> Any:
        """Reset to a new runtime and no fallback; return the runtime."""
        return self.use(HostRuntime(), NoFallback())


def name_of(kernel: Kernel) -> str:
    """The name of a kernel without its template arguments."""
    return kernel.expression.partition("<")[0].removeprefix("liftwave::")


MOST_THREADS = "1024"

_BOUNDS = r"(?:__launch_bounds__\((?P<threads>\w+)(?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\s*)?"


def launch_bounds(text: str) -> dict[str, str]:
    """The most threads of a block for each kernel in a source, as expressions of C++."""
    found = re.finditer(rf"__global__\s+void\s+{_BOUNDS}(?P<name>\w+)\(", text)
    return {kernel["name"]: kernel["threads"] or MOST_THREADS for kernel in found}


@cache
def compiled(kernel: Kernel) -> Any:
    """The function that launches a kernel on the host."""
    _runtime_library()
    most_threads = launch_bounds(source_text(kernel.source))[name_of(kernel)]
    text = f"""#include "{HEADER.name}"
#include "{kernel.source}"
namespace liftwave {{ constexpr int most_threads = {most_threads}; }}
extern "C" const char* launch(const void* arguments, host::size_t size, long long blocks,
                              int threads, host::size_t shared, int order) {{
  return host::launch(&{kernel.expression}, liftwave::most_threads, arguments, size, blocks,
                      threads, shared, order);
}}
"""
    function = ctypes.CDLL(str(_library(text, kernel.expression, kernel.source))).launch
    function.restype = ctypes.c_char_p
    function.argtypes = [
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_longlong,
        ctypes.c_int,
        ctypes.c_size_t,
        ctypes.c_int,
    ]
    return function


@cache
def _runtime_library() -> ctypes.CDLL:
    """Barriers, threads and shared memory, which all kernels share."""
    return ctypes.CDLL(str(_library(RUNTIME.read_text(), RUNTIME.name)), ctypes.RTLD_GLOBAL)


def _library(text: str, name: str, source: str = "") -> Path:
    """The shared library of a C++ text that includes a source; compiled if it is new."""
    cxx = compiler()
    assert cxx is not None, "tests ask for a compiler first"
    flags = ["-std=c++17", "-O1", "-fPIC", "-shared", "-ffp-contract=off", "-Wall", "-Wextra"]
    # A device faults on misaligned packs. The host reads them unless this check is compiled in.
    flags += ["-fsanitize=alignment,bounds", "-fno-sanitize-recover=all"]
    if "clang" in Path(cxx).name:  # the executable must contain its run-time library
        flags.append("-fsanitize-trap=all")
    flags += os.environ.get("LIFTWAVE_CUDA_HOST_FLAGS", "").split()
    sources = [HEADER.read_text(), source_text(source) if source else ""]
    key = hashlib.sha256("\0".join([text, cxx, *flags, *sources]).encode()).hexdigest()[:24]
    folders = [f"-I{folder}" for folder in (*include_folders(), HEADER.parent)]
    folder = Path(tempfile.gettempdir()) / f"liftwave-cuda-host-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    library = folder / f"{key}.so"
    if not library.exists():
        made = folder / f"{key}.{os.getpid()}.tmp"
        done = subprocess.run(
            [cxx, *flags, *folders, "-x", "c++", "-", "-o", str(made)],
            input=text,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{name} does not compile:\n{done.stderr}")
        made.replace(library)
    return library
