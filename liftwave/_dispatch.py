"""Which kernels serve an array: decided once per public call.

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

from liftwave._arrays.convert import is_half
from liftwave._arrays.tensors import is_on_device
from liftwave._kernels.contract import CompiledKernels, Kernels
from liftwave._kernels.half_precision import in_float32
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.axes import AxisPlan
from liftwave._typing import Array
from liftwave._warnings import warn
from liftwave.errors import KernelsError, MissingKernelsWarning

_COMPILED = ("cpu", "cuda")
"""The compiled families, in the order in which they are asked."""

_families: dict[str, Kernels] = {"reference": ReferenceKernels()}

try:
    from liftwave._kernels.cpu.family import CpuKernels
except ModuleNotFoundError as error:
    if error.name != "liftwave._cpu":
        raise
else:
    _families["cpu"] = CpuKernels(_families["reference"])

_forced: ContextVar[str | None] = ContextVar(
    "liftwave_kernels", default=os.environ.get("LIFTWAVE_KERNELS") or None
)


# --- families ------------------------------------------------------------------------------------


def families() -> dict[str, Kernels]:
    """The families of kernels that are loaded, by name."""
    return dict(_families)


@contextmanager
def registered(kernels: Kernels) -> Iterator[None]:
    """Have a family of kernels serve under its name within a ``with`` block, in all threads.

    It takes the place of the family of that name. Tests use it to run kernels on a runtime of
    their own, or to see which kernels are called.

    Parameters
    ----------
    kernels : Kernels
        The family: one with the methods of :class:`CompiledKernels`, unless it is the reference.
    """
    before = _families.get(kernels.name)
    _families[kernels.name] = kernels
    try:
        yield
    finally:
        if before is None:
            del _families[kernels.name]
        else:
            _families[kernels.name] = before


def _serving(arrays: Sequence[Array]) -> Sequence[CompiledKernels]:
    """The compiled families that may serve these arrays, in the order in which they are asked."""
    forced = _forced.get()
    if forced is None:
        if "cuda" not in _families and all(map(is_on_device, arrays)):
            _load_cuda()
        names: tuple[str, ...] = _COMPILED
    else:
        if forced not in _families:
            _check(forced)
        names = () if forced == "reference" else (forced,)
    return cast("list[CompiledKernels]", [_families[name] for name in names if name in _families])


def _load_cuda() -> str | None:
    """Load the kernels for devices, if they can run here; what is missing, in words, if not."""
    from liftwave._kernels.cuda.family import CudaKernels  # with the first array on a device
    from liftwave._kernels.cuda.runtime import DeviceRuntime

    runtime = DeviceRuntime()
    missing = runtime.missing()
    if missing is None:
        _families["cuda"] = CudaKernels(runtime, in_float32(_families["reference"]))
    return missing


# --- kernels for arrays --------------------------------------------------------------------------


def kernels_for(*arrays: Array) -> Kernels:
    """The kernels that serve these arrays together."""
    for family in _serving(arrays):
        if family.serves(*arrays):
            return family
    if "cpu" not in _families and _forced.get() is None:
        _say_what_is_missing()
    return _reference_for(arrays)


def kernels_for_plain(*arrays: Array) -> Kernels:
    """The kernels that serve these plain arrays (``_arrays.is_plain``), of one dtype."""
    if _forced.get() in (None, "cpu") and "cpu" in _families:
        return _families["cpu"]
    return kernels_for(*arrays)


def _reference_for(arrays: Sequence[Array]) -> Kernels:
    reference = _families["reference"]
    return in_float32(reference) if any(map(is_half, arrays)) else reference


def keeps_halves(arrays: Sequence[Array]) -> bool:
    """Whether kernels take these arrays of half precision as they are, autograd or not."""
    return any(k.native_half and k.serves_memory(*arrays) for k in _serving(arrays))


# --- the bridge to torch -------------------------------------------------------------------------


def bridge_for(plans: Sequence[AxisPlan], arrays: Sequence[Array]) -> Any:
    """The bridge (``_bridge/routing.py``) if it has to do a transform of these tensors; or None."""
    torch = sys.modules.get("torch")
    if torch is None or not all(isinstance(x, torch.Tensor) for x in arrays):
        return None
    return bridge() if bridge().serves(plans, arrays) else None


def watched(arrays: Sequence[Array]) -> bool:
    """Whether these are tensors that something watches: gradients, tracing, batching."""
    torch = sys.modules.get("torch")
    if torch is None or not all(isinstance(x, torch.Tensor) for x in arrays):
        return False
    return bool(bridge().watches(arrays))


def lift_pool_for(*arrays: Array) -> Any:
    """What has lifting pooling's functions for these arrays: kernels, or the bridge."""
    return bridge().lift_pool if watched(arrays) else kernels_for(*arrays).lift_pool


@cache
def bridge() -> Any:
    """The bridge to torch, which is imported with the first call."""
    from liftwave._bridge import memory, routing  # they import torch

    memory.kernels_of, memory.keeps_halves = kernels_for_memory, keeps_halves
    return routing


def kernels_for_memory(tensors: Sequence[Any]) -> Kernels:
    """The kernels for the memory of tensors, whether or not autograd is active."""
    for family in _serving(tensors):
        if family.serves_memory(*tensors):
            return family
    return _reference_for(tensors)


# --- users' choice -------------------------------------------------------------------------------


def compiled() -> bool:
    """Whether the compiled kernels for the processor were built."""
    return "cpu" in _families


def _check(name: str | None) -> None:
    if name is None or name in _families:
        return
    if name == "cuda":
        missing = _load_cuda()
        if missing is not None:
            raise KernelsError(f"kernels 'cuda' cannot run here: {missing}")
        return
    hint = " (liftwave was installed without compiled kernels)" if name == "cpu" else ""
    available = ", ".join(map(repr, _families))
    raise KernelsError(f"unknown kernels {name!r}; available: {available}{hint}")


@cache
def _say_what_is_missing() -> None:
    warn(
        "liftwave was installed without its compiled kernels and is slower than it could be. "
        "Install it where there is a C++17 compiler (LIFTWAVE_BUILD=required shows what is "
        "missing), or set LIFTWAVE_KERNELS=reference to go without",
        MissingKernelsWarning,
    )


@contextmanager
def kernels(name: str) -> Iterator[None]:
    """Use one family of kernels within a ``with`` block, in this thread or task.

    Parameters
    ----------
    name : {"reference", "cpu", "cuda"}
        The family: ``"reference"`` is the array-API code that runs everywhere,
        ``"cpu"`` are the compiled kernels for NumPy arrays and torch tensors in
        the processor's memory, ``"cuda"`` those for CuPy arrays and torch tensors
        on a CUDA device, which CuPy compiles at their first use. What a family
        does not serve (other libraries and devices) is still done by the reference.

    Raises
    ------
    KernelsError
        If there is no such family here (a :class:`ValueError`), and what is missing.

    Notes
    -----
    Without a choice, each array is served by the compiled kernels for where it is, if there
    are any. The choice is of this thread or task alone: what torch does in threads of its own
    (the way back on devices) follows the environment's ``LIFTWAVE_KERNELS``.

    Examples
    --------
    >>> import liftwave as lw
    >>> with lw.kernels("reference"):
    ...     cA, cD = lw.dwt([1.0, 2.0, 3.0, 4.0], "haar")
    """
    _check(name)
    token = _forced.set(name)
    try:
        yield
    finally:
        _forced.reset(token)
