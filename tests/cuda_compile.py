"""Compiling CUDA kernels by NVRTC or nvcc for devices that can be absent."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from liftwave._kernels.cuda.common.runtime import OPTIONS, Kernel, source_text

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
    if _nvrtc() is not None:
        return "nvrtc"
    return shutil.which("nvcc")


def usages(kernels: Sequence[Kernel], architecture: str) -> dict[Kernel, Usage]:
    """Compiles kernels for an architecture, those of a source together."""
    log = _by_nvrtc if compiler() == "nvrtc" else _by_nvcc
    usage: dict[Kernel, Usage] = {}
    for source in dict.fromkeys(kernel.source for kernel in kernels):
        of_source = [kernel for kernel in kernels if kernel.source == source]
        names = [kernel.expression for kernel in of_source]
        found = log(source_text(source), names, architecture)
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
def _nvrtc() -> Any:
    spec = importlib.util.find_spec("nvidia")
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    for folder in folders:
        for path in sorted(Path(folder).glob("*/lib/libnvrtc.so.*")):
            if "alt" not in path.name and "builtins" not in path.name:
                return ctypes.CDLL(str(path))
    return None


def _check(result: int, log: str = "") -> None:
    if result:
        library = _nvrtc()
        library.nvrtcGetErrorString.restype = ctypes.c_char_p
        raise AssertionError(f"{library.nvrtcGetErrorString(result).decode()}\n{log}")


def _by_nvrtc(text: str, names: Sequence[str], architecture: str) -> dict[str, Usage]:
    library, program = _nvrtc(), ctypes.c_void_p()
    made = library.nvrtcCreateProgram(
        ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None
    )
    _check(made)
    try:
        for name in names:
            _check(library.nvrtcAddNameExpression(program, name.encode()))
        options = [*OPTIONS, f"--gpu-architecture={architecture}", "--ptxas-options=-v"]
        given = (ctypes.c_char_p * len(options))(*(o.encode() for o in options))
        result = library.nvrtcCompileProgram(program, len(options), given)
        size = ctypes.c_size_t()
        _check(library.nvrtcGetProgramLogSize(program, ctypes.byref(size)))
        log = ctypes.create_string_buffer(size.value)
        _check(library.nvrtcGetProgramLog(program, log))
        _check(result, log.value.decode())
        found = _read(log.value.decode())
        usage = {}
        for name in names:
            lowered = ctypes.c_char_p()
            _check(library.nvrtcGetLoweredName(program, name.encode(), ctypes.byref(lowered)))
            assert lowered.value is not None
            usage[name] = found[lowered.value.decode()]
        return usage
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))


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
