"""Launching CUDA kernels.

CuPy compiles kernels at their first use, for the device that they run on. From version 14.2 on, it
caches them on disk. They run on the caller's current stream, on CuPy arrays and on CUDA tensors of
torch. The library of the arrays allocates results. No code here waits for a device.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from liftwave._arrays.tensors import is_on_device
from liftwave._kernels.contract import Kernels
from liftwave._typing import Array
from liftwave.errors import DeviceError


class Kernel(NamedTuple):
    """A kernel: its source file, and its name with template arguments."""

    source: str
    expression: str


SHARED = 48 * 1024
"""Bytes of a block's shared memory that every device offers. More needs a setting of the kernel."""


class Runtime(Protocol):
    """Runs kernels and allocates results: on devices, or on the host in tests."""

    def missing(self) -> str | None:
        """The part that is missing to run kernels here, in words; None if nothing is missing."""
        ...

    def holds(self, x: Array) -> bool:
        """Whether ``x`` is in memory that kernels can access, for any dtype."""
        ...

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
        """Run a kernel on the device and the current stream of ``like``.

        Parameters
        ----------
        kernel : Kernel
            The kernel; it has one parameter, a structure.
        blocks, threads, shared : int
            Blocks, threads in each, and bytes of shared memory.
        arguments : ctypes.Structure
            The kernel's parameter.
        like : array
            One of the arrays that the kernel reads or writes.
        what : str
            The transform and the shape, for error messages.

        Raises
        ------
        DeviceError
            If the kernel cannot be compiled or launched.
        """
        ...

    def most_shared(self, like: Array) -> int:
        """The most bytes of shared memory of a block on the device of ``like``; at least SHARED."""
        ...

    def empty(self, shape: Sequence[int], dtype: str, like: Array) -> Array:
        """Memory for a result, in the library and on the device of ``like``."""
        ...


class CudaPart:
    """A part of the family.

    Parameters
    ----------
    runtime : Runtime
        Runs the kernels and allocates results.
    fallback : Kernels
        Handles what these kernels do not support.
    """

    def __init__(self, runtime: Runtime, fallback: Kernels) -> None:
        self._runtime = runtime
        self._fallback = fallback


# --- sources -------------------------------------------------------------------------------------

CXX = {
    "float16": "liftwave::half",
    "bfloat16": "liftwave::bfloat",
    "float32": "float",
    "float64": "double",
    "complex64": "liftwave::complex<float>",
    "complex128": "liftwave::complex<double>",
    "int8": "signed char",
    "uint8": "unsigned char",
    "int16": "short",
    "uint16": "unsigned short",
    "int32": "int",
    "uint32": "unsigned",
    "int64": "long long",
    "uint64": "unsigned long long",
}
"""The types of C++ of the supported dtypes."""


def kernel(source: str, name: str, *parameters: Any) -> Kernel:
    """A kernel by its name and template arguments: names of dtypes, numbers and booleans."""
    return _kernel(source, name, parameters)


@cache
def _kernel(source: str, name: str, parameters: tuple[Any, ...]) -> Kernel:
    written = ", ".join(CXX[p] if isinstance(p, str) else str(p).lower() for p in parameters)
    return Kernel(source, f"liftwave::{name}<{written}>" if written else f"liftwave::{name}")


@cache
def source_folder() -> Path:
    """The folder of the sources: in the installed package, or in the source tree."""
    package = Path(__file__).resolve().parents[3]
    installed = package / "_backends" / "cuda"
    return installed if installed.is_dir() else package.parent / "backends" / "cuda"


def include_folders() -> tuple[Path, Path]:
    """The folders of includes: that of the sources, and that of all backends."""
    return source_folder(), source_folder().parent


@cache
def source_text(name: str) -> str:
    """A source and all its includes, as one text."""
    return _with_includes(name, set())


_INCLUDE = re.compile(r'^#include "(.+)"$', re.MULTILINE)


def _with_includes(name: str, included: set[str]) -> str:
    if name in included:
        return ""
    included.add(name)
    paths = [folder / name for folder in include_folders()]
    path = next(filter(Path.is_file, paths), paths[0])
    text = path.read_text(encoding="utf-8").replace("#pragma once\n", "")
    return _INCLUDE.sub(lambda match: _with_includes(match.group(1), included), text)


# --- devices -------------------------------------------------------------------------------------

OPTIONS = ("-std=c++17",)
"""Options of the compiler."""


# Numbers of CUDA's headers: CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, and
# cudaDevAttrMaxSharedMemoryPerBlockOptin.
_MOST_DYNAMIC_SHARED, _SHARED_OF_BLOCK = 8, 97


class DeviceRuntime:
    """Runs kernels on CUDA devices, through CuPy's compiler and driver."""

    def missing(self) -> str | None:
        """The part that is missing to run kernels here: CuPy, or a device."""
        return _missing()

    def holds(self, x: Array) -> bool:
        """Whether ``x`` is a CuPy array or a CUDA tensor of torch."""
        if hasattr(x, "data_ptr"):  # torch for ROCm also names its devices CUDA
            return x.is_cuda and sys.modules["torch"].version.cuda is not None
        cupy = sys.modules.get("cupy")
        return cupy is not None and type(x) is cupy.ndarray

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
        """Run a kernel on the device and the current stream of ``like``."""
        cupy = _cupy()
        device, stream = _place(like)
        parameters = (ctypes.c_void_p * 1)(ctypes.addressof(arguments))
        try:
            if cupy.cuda.runtime.getDevice() == device:
                self._launch(kernel, (blocks, threads, shared), stream, parameters, device)
            else:
                with cupy.cuda.Device(device):
                    self._launch(kernel, (blocks, threads, shared), stream, parameters, device)
        except (cupy.cuda.driver.CUDADriverError, cupy.cuda.runtime.CUDARuntimeError) as error:
            raise DeviceError(
                f"{what}: the kernel {kernel.expression} could not be launched on CUDA device "
                f"{device} ({blocks} blocks of {threads} threads, {shared} bytes of shared "
                f"memory): {error}"
            ) from error
        except cupy.cuda.compiler.CompileException as error:
            raise DeviceError(
                f"{what}: the kernel {kernel.expression} could not be compiled for CUDA device "
                f"{device} by CuPy {cupy.__version__}: {error}"
            ) from error
        except _NotCompiledError as error:
            raise DeviceError(f"{what}: the kernel {kernel.expression} {error}") from error

    @staticmethod
    def _launch(
        kernel: Kernel, sizes: tuple[int, int, int], stream: int, parameters: Any, device: int
    ) -> None:
        blocks, threads, shared = sizes
        cuda = _cupy().cuda
        if not cuda.driver.ctxGetCurrent():  # a runtime may not have set a context in this thread
            cuda.runtime.setDevice(device)
        pointer = _function(kernel, device, stream).ptr
        if shared > SHARED:  # the most of the device: threads may launch tiles of other sizes
            cuda.driver.funcSetAttribute(pointer, _MOST_DYNAMIC_SHARED, _most_shared(device))
        cuda.driver.launchKernel(
            pointer,
            *(blocks, 1, 1, threads, 1, 1),
            *(shared, stream, ctypes.addressof(parameters), 0),
        )

    def most_shared(self, like: Array) -> int:
        """The most bytes of shared memory of a block on the device of ``like``; at least SHARED."""
        return _most_shared(_place(like)[0])

    def empty(self, shape: Sequence[int], dtype: str, like: Array) -> Array:
        """Memory for a result, from the library's allocator, on the device of ``like``."""
        if hasattr(like, "data_ptr"):
            torch = sys.modules["torch"]
            return torch.empty(tuple(shape), dtype=getattr(torch, dtype), device=like.device)
        with like.device:
            return _cupy().empty(tuple(shape), dtype)


@cache
def _cupy() -> Any:
    import cupy

    return cupy


@cache
def _missing() -> str | None:
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed (pip install liftwave[cuda12], or [cuda13])"
    try:
        cupy = _cupy()
    except ImportError as error:
        return f"CuPy cannot be imported: {error}"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return f"CuPy {cupy.__version__} finds no CUDA device: {error}"
    return None if count else f"CuPy {cupy.__version__} finds no CUDA device"


@cache
def _most_shared(device: int) -> int:
    return max(SHARED, int(_cupy().cuda.runtime.deviceGetAttribute(_SHARED_OF_BLOCK, device)))


def _place(x: Array) -> tuple[int, int]:
    """The number of the device of an array, and its library's current stream there."""
    if hasattr(x, "data_ptr"):
        torch = sys.modules["torch"]
        device = x.device.index
        return device, torch.cuda.current_stream(device).cuda_stream
    device = x.device.id
    if _cupy().cuda.runtime.getDevice() == device:
        return device, _cupy().cuda.get_current_stream().ptr
    return device, _cupy().cuda.get_current_stream(device).ptr


class _NotCompiledError(Exception):
    """The reason why a kernel cannot be compiled now."""


_functions: dict[tuple[Kernel, int], Any] = {}


def _function(kernel: Kernel, device: int, stream: int) -> Any:
    """A kernel, compiled for the current device, which is ``device``."""
    function = _functions.get((kernel, device))
    if function is None:
        _check_first_use(stream)
        function = _functions[kernel, device] = compiled(kernel)
    return function


def compiled(kernel: Kernel) -> Any:
    """A kernel, compiled for the current device or read from CuPy's cache."""
    module = _cupy().RawModule(
        code=source_text(kernel.source),
        options=OPTIONS,
        name_expressions=(kernel.expression,),
    )
    return module.get_function(kernel.expression).kernel


def _check_first_use(stream: int) -> None:
    """Raise if a kernel cannot be compiled and loaded during work on this stream."""
    cupy = _cupy()
    if cupy.cuda.runtime.streamIsCapturing(stream):
        raise _NotCompiledError(
            "is not loaded yet, and its stream is captured into a CUDA graph. Run the same call "
            "once before the capture."
        )
    try:
        cupy.cuda.nvrtc.getVersion()
    except (ImportError, OSError, RuntimeError) as error:
        raise _NotCompiledError(
            "cannot be compiled: NVRTC, NVIDIA's compiler library, cannot be loaded. Install it "
            'with "liftwave[cuda12]" or "liftwave[cuda13]", or install the CUDA toolkit. '
            f"CuPy {cupy.__version__} says: {error}"
        ) from error


def is_captured(x: Array) -> bool:
    """Whether a CUDA graph records the current stream of the library of ``x``, on its device."""
    return is_on_device(x) and bool(_cupy().cuda.runtime.streamIsCapturing(_place(x)[1]))
