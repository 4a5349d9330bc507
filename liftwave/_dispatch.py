"""Which kernels serve an array: decided once per public call.

Whatever no compiled kernel accepts is served by the reference kernels, on the
array's own device.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Protocol, cast

from liftwave._kernels import AxisKernels, Kernels, PoolingKernels, reference
from liftwave._separable_plan import AxisPlan
from liftwave._typing import Array
from liftwave._warnings import warn
from liftwave.errors import KernelsError, MissingKernelsWarning


class _CompiledPooling(PoolingKernels, Protocol):
    fallback: PoolingKernels


class _CompiledKernels(Kernels, Protocol):
    fallback: AxisKernels
    pooling: _CompiledPooling

    def accepts(self, x: Array) -> bool:
        """Whether these kernels serve ``x``."""
        ...

    def holds(self, x: Array) -> bool:
        """Whether these kernels would serve the tensor ``x`` if nothing watched it."""
        ...


_FAMILIES: dict[str, Kernels] = {"reference": cast(Kernels, reference)}
_cpu: _CompiledKernels | None = None

try:
    from liftwave._kernels import cpu
except ModuleNotFoundError as error:
    if error.name != "liftwave._cpu":
        raise
else:
    _cpu = cast(_CompiledKernels, cpu)
    _cpu.fallback = _FAMILIES["reference"]
    _cpu.pooling.fallback = _FAMILIES["reference"].pooling
    cpu.lift_pool.fallback = _FAMILIES["reference"].lift_pool
    _FAMILIES["cpu"] = _cpu

_forced: ContextVar[str | None] = ContextVar(
    "liftwave_kernels", default=os.environ.get("LIFTWAVE_KERNELS") or None
)


def kernels_for(*arrays: Array) -> Kernels:
    """The kernels that serve these arrays together."""
    kernels = kernels_for_plain()
    if kernels is _cpu and not all(map(_cpu.accepts, arrays)):
        return _FAMILIES["reference"]
    return kernels


def kernels_for_plain() -> Kernels:
    """The kernels that serve plain arrays (``_arrays.is_plain``): all families do."""
    forced = _forced.get()
    if _cpu is not None and (forced is None or forced == "cpu"):
        return _FAMILIES["cpu"]
    _check(forced)
    if forced is None:
        _say_what_is_missing()
    return _FAMILIES["reference"]


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

    memory.kernels_of = _kernels_beneath
    return routing


def _kernels_beneath(tensors: Sequence[Any]) -> Kernels:
    """The kernels for tensors that nothing watches any more."""
    if _forced.get() in (None, "cpu") and _cpu is not None and all(map(_cpu.holds, tensors)):
        return _FAMILIES["cpu"]
    return _FAMILIES["reference"]


def compiled() -> bool:
    """Whether the compiled kernels were built."""
    return _cpu is not None


def _check(name: str | None) -> None:
    if name is not None and name not in _FAMILIES:
        hint = " (liftwave was installed without compiled kernels)" if name == "cpu" else ""
        available = ", ".join(map(repr, _FAMILIES))
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
    name : {"reference", "cpu"}
        The family: ``"reference"`` is the array-API code that runs everywhere,
        ``"cpu"`` are the compiled kernels for NumPy arrays and torch tensors in
        the processor's memory. What these do not serve (other libraries and
        devices) is still done by the reference.

    Raises
    ------
    KernelsError
        If there is no such family here (a :class:`ValueError`).

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
