"""Compiles kernels that differ in a few template arguments together, which is faster."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cuda_host import HEADER, HostRuntime, compiler

from liftwave._kernels.cuda.common.runtime import Kernel, source_folder
from liftwave._typing import Array


class SiblingsRuntime(HostRuntime):
    """A ``HostRuntime`` that compiles the siblings of a kernel together with it.

    Parameters
    ----------
    siblings : callable
        Returns, for a kernel, the kernel and others of the same source.
    order : int
        One of ``ORDERS``.
    """

    def __init__(self, siblings: Callable[[Kernel], Sequence[Kernel]], order: int = 0) -> None:
        super().__init__(order)
        self.siblings = siblings

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
        self.launched.append(kernel.expression)
        functions = together(tuple(self.siblings(kernel)))
        size = ctypes.sizeof(arguments)
        made = ctypes.byref(arguments), size, blocks, threads, shared, self.order
        message = functions[kernel](*made)
        if message:
            raise AssertionError(f"{kernel.expression} ({what}): {message.decode()}")


@cache
def together(kernels: tuple[Kernel, ...]) -> dict[Kernel, Any]:
    """The functions that launch these kernels on the host; all kernels have one source."""
    (source,) = {kernel.source for kernel in kernels}
    flags = ["-std=c++17", "-O1", "-fPIC", "-shared", "-ffp-contract=off"]
    flags += [f"-I{source_folder()}", f"-I{HEADER.parent}"]
    launches = "".join(
        f"""extern "C" const char* launch{k}(const void* arguments, std::size_t size,
    long long blocks, int threads, std::size_t shared, int order) {{
  return host::launch(&{kernel.expression}, arguments, size, blocks, threads, shared, order);
}}
"""
        for k, kernel in enumerate(kernels)
    )
    text = f'#include "{HEADER.name}"\n#include "{source}"\n{launches}'
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kernels.so")
        done = subprocess.run(
            [str(compiler()), *flags, "-x", "c++", "-", "-o", str(path)],
            input=text,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        library = ctypes.CDLL(str(path))
    functions = {kernel: library[f"launch{k}"] for k, kernel in enumerate(kernels)}
    for function in functions.values():
        function.restype = ctypes.c_char_p
        function.argtypes = [
            ctypes.c_void_p,
            ctypes.c_size_t,
            ctypes.c_longlong,
            ctypes.c_int,
            ctypes.c_size_t,
            ctypes.c_int,
        ]
    return functions
