"""Selects the kernels for an array, once per public call.

Arrays that no compiled kernel supports use the reference kernels, on the array's own device.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, cast

import numpy as np

from liftwave._arrays.convert import PLAIN_DTYPES, is_half
from liftwave._arrays.tensors import is_on_device
from liftwave._kernels.contract import CompiledKernels, Kernels
from liftwave._kernels.missing import explanation, hidden_installation, warn_of_missing_kernels
from liftwave._kernels.no_fallback import Cause, no_fallback
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._typing import Array
from liftwave.errors import ArgumentTypeError, KernelsError

_COMPILED = ("cpu", "cuda")
"""The compiled families, in order of preference."""

# "cpu!" and "cuda!" are the same kernels without a fallback.
_families: dict[str, Kernels] = {"reference": ReferenceKernels()}

try:
    from liftwave._kernels.cpu.family import CpuKernels
except ModuleNotFoundError as error:
    if error.name != "liftwave._cpu":
        raise
else:
    _families["cpu"] = CpuKernels(_families["reference"])
    _families["cpu!"] = CpuKernels(no_fallback("cpu", "arguments"))

CHOICE: ContextVar[str | None] = ContextVar(
    "liftwave_kernels", default=os.environ.get("LIFTWAVE_KERNELS") or None
)
"""The family that the user chose; ``None`` without a choice."""


PLAIN_KERNELS: dict[str | None, Kernels] = {}
"""The kernels for NumPy arrays of floats, for each choice of the user."""


def _compiled(name: str) -> CompiledKernels | None:
    family: Any = None if name == "reference" else _families.get(name)
    compiled_family: CompiledKernels | None = family
    return compiled_family


CPU_KERNELS: dict[str | None, CompiledKernels] = {}
"""The compiled kernels for the processor's memory, for each choice of the user that allows them."""


def _update_plain_kernels() -> None:
    CPU_KERNELS.clear()
    for choice, name in ((None, "cpu"), ("cpu", "cpu"), ("cpu!", "cpu!")):
        family = _compiled(name)
        if family is not None:
            CPU_KERNELS[choice] = family
    PLAIN_KERNELS.clear()
    PLAIN_KERNELS.update(CPU_KERNELS)
    PLAIN_KERNELS["reference"] = _families["reference"]


_update_plain_kernels()

# --- families ------------------------------------------------------------------------------------


def families() -> dict[str, Kernels]:
    """The families of kernels that are loaded, by name."""
    return {name: family for name, family in _families.items() if not name.endswith("!")}


@contextmanager
def registered(kernels: Kernels) -> Iterator[None]:
    """Replace the family of kernels of the same name within a ``with`` block, in all threads.

    Tests use it to run kernels on another runtime, or to record which kernels are called.

    Parameters
    ----------
    kernels : Kernels
    The family. It has the methods of :class:`CompiledKernels`, unless it is the reference.
    """
    before = _families.get(kernels.name)
    _families[kernels.name] = kernels
    _update_plain_kernels()
    try:
        yield
    finally:
        if before is None:
            del _families[kernels.name]
        else:
            _families[kernels.name] = before
        _update_plain_kernels()


def _serving(arrays: Sequence[Array]) -> Sequence[CompiledKernels]:
    """The compiled families that may support these arrays, in order of preference."""
    forced = CHOICE.get()
    if forced is None:
        on_host = type(arrays[0]) is np.ndarray
        if "cuda" not in _families and not on_host and all(map(is_on_device, arrays)):
            _load_cuda()
        names: tuple[str, ...] = _COMPILED
    else:
        if forced not in _families:
            _check(forced)
        names = () if forced == "reference" else (forced,)
    return cast("list[CompiledKernels]", [_families[name] for name in names if name in _families])


def _load_cuda() -> str | None:
    """Load the kernels for devices if they can run here; otherwise return the missing part."""
    from liftwave._kernels.cuda.common.runtime import DeviceRuntime
    from liftwave._kernels.cuda.family import CudaKernels  # with the first array on a device
    from liftwave._kernels.half_precision import in_float32

    runtime = DeviceRuntime()
    missing = runtime.missing()
    if missing is None:
        _families["cuda"] = CudaKernels(runtime, in_float32(_families["reference"]))
        _families["cuda!"] = CudaKernels(runtime, no_fallback("cuda", "arguments"))
    return missing


# --- kernels for arrays --------------------------------------------------------------------------


def kernels_for(*arrays: Array) -> Kernels:
    """The kernels that support all these arrays."""
    for x in arrays:
        if type(x) is not np.ndarray or x.dtype not in PLAIN_DTYPES:
            break
    else:
        kernels = PLAIN_KERNELS.get(CHOICE.get())
        if kernels is not None:
            return kernels
    for family in _serving(arrays):
        if family.serves(*arrays):
            return family
    if "cpu" not in _families and CHOICE.get() is None:
        _say_what_is_missing()
    return fallback_for(arrays)


def reference_kernels(*, half_precision: bool) -> Kernels:
    """The reference kernels; with ``half_precision`` they compute in float32."""
    reference = _families["reference"]
    if not half_precision:
        return reference
    from liftwave._kernels.half_precision import in_float32  # few programs use half precision

    return in_float32(reference)


def fallback_for(arrays: Sequence[Array], cause: Cause = "arrays") -> Kernels:
    """The reference kernels, or kernels that raise if the user chose no fallback."""
    forced = CHOICE.get() or ""
    if forced.endswith("!"):
        return no_fallback(forced[:-1], cause)
    return reference_kernels(half_precision=any(map(is_half, arrays)))


def supports_half_precision(arrays: Sequence[Array]) -> bool:
    """Whether compiled kernels support half-precision arrays, even if torch records them."""
    return any(k.native_half and k.serves_memory(*arrays) for k in _serving(arrays))


def kernels_for_memory(*tensors: Array) -> Kernels:
    """The kernels for the memory of tensors, even if torch records or traces them."""
    cpu = CPU_KERNELS.get(CHOICE.get())
    if cpu is not None and cpu.serves_memory(*tensors):
        return cpu
    for family in _serving(tensors):
        if family.serves_memory(*tensors):
            return family
    return fallback_for(tensors)


# --- users' choice -------------------------------------------------------------------------------


def choice() -> str | None:
    """The user's choice of kernels in this thread or task."""
    return CHOICE.get()


def compiled() -> bool:
    """Whether the compiled kernels for the processor were built."""
    return "cpu" in _families


_HINTS = {
    "reference!": " (the reference kernels have no fallback, so '!' does not apply to them)",
}


def _check(name: str | None) -> None:
    if not isinstance(name, str | None):
        raise ArgumentTypeError(f"kernels must be a name, got {name!r}")
    if name is None or name in _families:
        return
    if name in ("cuda", "cuda!"):
        missing = _load_cuda()
        if missing is not None:
            raise KernelsError(f"kernels {name!r} cannot run here: {missing}")
        return
    hint = f" ({explanation()})" if name in ("cpu", "cpu!") else _HINTS.get(name, "")
    available = ", ".join(map(repr, _families))
    raise KernelsError(f"unknown kernels {name!r}; available: {available}{hint}")


@cache
def _say_what_is_missing() -> None:
    warn_of_missing_kernels()


# A source tree that hides an installation is a mistake, so the import itself warns. An installation
# without compiled kernels was perhaps intended, and is reported by the first transform.
if "cpu" not in _families and CHOICE.get() is None and hidden_installation(sys.path):
    _say_what_is_missing()


@contextmanager
def kernels(name: str) -> Iterator[None]:
    """Use one family of kernels within a ``with`` block, in this thread or task.

    Parameters
    ----------
    name : {"reference", "cpu", "cuda", "cpu!", "cuda!"}
        The family. ``"reference"`` is the array-API code that runs everywhere.
        ``"cpu"`` are the compiled kernels for NumPy arrays and torch tensors in
        the processor's memory. ``"cuda"`` are the kernels for CuPy arrays and torch
        tensors on a CUDA device, which CuPy compiles at their first use. Arrays and
        arguments that a family does not support use the reference kernels. With
        ``"cpu!"`` and ``"cuda!"`` they raise a :class:`KernelsError` instead.

    Raises
    ------
    KernelsError
        If this installation does not have the family (a :class:`ValueError`). The message
        names the missing part.

    Notes
    -----
    Without a choice, each array uses the compiled kernels for its device, if they exist. The
    choice applies only to this thread or task. Computations in torch's own threads (backward
    passes on devices) follow the environment variable ``LIFTWAVE_KERNELS``, which accepts the
    same names.

    ``"cpu!"`` and ``"cuda!"`` find calls that are slow because no compiled kernel supports them.
    The guide lists these calls (see "Kernels"). Operations of the arrays' own library do not
    count as a fallback: :func:`pad`, thresholds, and operations that exporters and forward-mode
    derivatives of torch record.

    Examples
    --------
    >>> import liftwave as lw
    >>> with lw.kernels("reference"):
    ...     cA, cD = lw.dwt([1.0, 2.0, 3.0, 4.0], "haar")

    An error instead of the reference kernels:

    >>> import numpy as np
    >>> with lw.kernels("cpu!"):  # doctest: +SKIP
    ...     lw.dwt(np.ones(4, "longdouble"), "haar")
    Traceback (most recent call last):
      ...
    liftwave.errors.KernelsError: kernels 'cpu!': no compiled kernel supports a transform of ...
    """
    _check(name)
    token = CHOICE.set(name)
    try:
        yield
    finally:
        CHOICE.reset(token)
