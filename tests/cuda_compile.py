"""Compiling CUDA kernels by NVRTC or nvcc for devices that can be absent."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from liftwave._kernels.cuda.common.runtime import OPTIONS, Kernel, source_text

FLUSHED = "-ftz=true"
"""CuPy adds this to the options of each kernel: subnormal numbers of float32 become zero."""
ADDED = (FLUSHED, "--device-as-default-execution-space")
"""All options that CuPy adds for NVRTC, except for the architecture."""

ARCHITECTURES = ("sm_75", "sm_80", "sm_90")
EACH_ARCHITECTURE = [pytest.param(a, marks=pytest.mark.slow) for a in ARCHITECTURES[:-1]]
EACH_ARCHITECTURE.append(pytest.param(ARCHITECTURES[-1]))
"""Parameters of tests: the newest architecture, and the others with the slow tests."""
SLOW_ARCHITECTURES = [pytest.param(a, marks=pytest.mark.slow) for a in ARCHITECTURES]
"""For kernels that take seconds; test_cuda_compiles.py compiles a form of each in every run."""


class Usage(NamedTuple):
    """Resources of a compiled kernel: registers, and bytes of spills and of stack."""

    registers: int
    spilled: int
    stack: int


@cache
def compiler() -> str | None:
    """``"nvrtc"`` if its library is installed, else the path of nvcc, else None."""
    if libraries():
        return "nvrtc"
    return shutil.which("nvcc")


@cache
def libraries() -> dict[int, Path]:
    """The installed NVRTC libraries of PyPI's packages, by CUDA's major version."""
    spec = importlib.util.find_spec("nvidia")
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    paths = [path for folder in folders for path in Path(folder).glob("*/lib/libnvrtc.so.*")]
    return {int(p.suffix[1:]): p for p in sorted(paths) if "alt" not in p.name}


def usages(
    kernels: Sequence[Kernel], architecture: str, major: int | None = None
) -> dict[Kernel, Usage]:
    """Compiles kernels for an architecture, those of a source together.

    ``major`` selects one of the NVRTC libraries; the default is the newest.
    """
    usage: dict[Kernel, Usage] = {}
    for source in dict.fromkeys(kernel.source for kernel in kernels):
        of_source = [kernel for kernel in kernels if kernel.source == source]
        names = [kernel.expression for kernel in of_source]
        if compiler() == "nvrtc":
            found = _by_nvrtc(source_text(source), names, architecture, major or max(libraries()))
        else:
            found = _by_nvcc(source_text(source), names, architecture)
        usage |= {kernel: found[kernel.expression] for kernel in of_source}
    return usage


_ENTRY = re.compile(
    r"Compiling entry function '(?P<name>\w+)'.*?"
    r"(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, "
    r"(?P<loads>\d+) bytes spill loads.*?Used (?P<registers>\d+) registers",
    re.DOTALL,
)


def _read(log: str) -> dict[str, Usage]:
    return {
        found["name"]: Usage(
            int(found["registers"]), int(found["stores"]) + int(found["loads"]), int(found["stack"])
        )
        for found in _ENTRY.finditer(log)
    }


# --- NVRTC ---------------------------------------------------------------------------------------


@cache
def _nvrtc(major: int) -> Any:
    """The library of a version; it looks for its built-in functions among loaded libraries."""
    path = libraries()[major]
    for builtins in path.parent.glob("libnvrtc-builtins.so.*"):
        if "alt" not in builtins.name:
            ctypes.CDLL(str(builtins))
    return ctypes.CDLL(str(path))


def _check(library: Any, result: int, log: str = "") -> None:
    if result:
        library.nvrtcGetErrorString.restype = ctypes.c_char_p
        raise AssertionError(f"{library.nvrtcGetErrorString(result).decode()}\n{log}")


def cubin(kernel: Kernel, architecture: str, major: int | None = None) -> tuple[Usage, bytes]:
    """A kernel's resources and its machine code, by NVRTC."""
    library = _nvrtc(major or max(libraries()))
    with _program(library, source_text(kernel.source), [kernel.expression], architecture) as made:
        program, usage = made
        size = ctypes.c_size_t()
        _check(library, library.nvrtcGetCUBINSize(program, ctypes.byref(size)))
        code = ctypes.create_string_buffer(size.value)
        _check(library, library.nvrtcGetCUBIN(program, code))
        return usage[kernel.expression], code.raw


def _by_nvrtc(text: str, names: Sequence[str], architecture: str, major: int) -> dict[str, Usage]:
    with _program(_nvrtc(major), text, names, architecture) as (_, usage):
        return usage


@contextmanager
def _program(
    library: Any, text: str, names: Sequence[str], architecture: str
) -> Iterator[tuple[ctypes.c_void_p, dict[str, Usage]]]:
    """A compiled program, and the resources of its kernels."""
    program = ctypes.c_void_p()
    made = library.nvrtcCreateProgram(
        ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None
    )
    _check(library, made)
    try:
        for name in names:
            _check(library, library.nvrtcAddNameExpression(program, name.encode()))
        options = [*OPTIONS, *ADDED, f"--gpu-architecture={architecture}", "--ptxas-options=-v"]
        given = (ctypes.c_char_p * len(options))(*(o.encode() for o in options))
        result = library.nvrtcCompileProgram(program, len(options), given)
        size = ctypes.c_size_t()
        _check(library, library.nvrtcGetProgramLogSize(program, ctypes.byref(size)))
        log = ctypes.create_string_buffer(size.value)
        _check(library, library.nvrtcGetProgramLog(program, log))
        _check(library, result, log.value.decode())
        found = _read(log.value.decode())
        yield program, {name: found[_lowered(library, program, name)] for name in names}
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))


def _lowered(library: Any, program: ctypes.c_void_p, name: str) -> str:
    lowered = ctypes.c_char_p()
    _check(library, library.nvrtcGetLoweredName(program, name.encode(), ctypes.byref(lowered)))
    assert lowered.value is not None
    return lowered.value.decode()


# --- nvcc ----------------------------------------------------------------------------------------


def _by_nvcc(text: str, names: Sequence[str], architecture: str) -> dict[str, Usage]:
    """Instantiate kernels by taking their addresses."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kernels.cu")
        addresses = ",\n".join(f"(const void*)&{name}" for name in names)
        path.write_text(f"{text}\nconst void* kernels[] = {{{addresses}}};\n")
        command = [
            str(shutil.which("nvcc")),
            *OPTIONS,
            FLUSHED,
            f"-arch={architecture}",
            "-Xptxas=-v",
            "-cubin",
        ]
        done = subprocess.run(
            [*command, str(path), "-o", str(Path(folder, "kernels.cubin"))],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found = _read(done.stderr)
    plain = subprocess.run(
        ["c++filt"], input="\n".join(found), capture_output=True, text=True, check=True
    ).stdout.splitlines()
    by_name = {
        p.partition("(")[0].removeprefix("void ").replace(" ", ""): usage
        for p, usage in zip(plain, found.values(), strict=True)
    }
    return {name: _of(by_name, name) for name in names}


def _of(by_name: dict[str, Usage], name: str) -> Usage:
    bare = name.replace(" ", "").replace("liftwave::", "")
    matches = [u for n, u in by_name.items() if n.replace("liftwave::", "") == bare]
    return matches[0]
