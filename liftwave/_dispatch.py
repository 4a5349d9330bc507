"""Which kernels serve an array: decided once per public call.

Whatever no compiled kernel accepts is served by the reference kernels, on the
array's own device.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Protocol, cast

from liftwave._arrays.convert import is_half
from liftwave._kernels.contract import Kernels
from liftwave._kernels.cuda import runtime as cuda_runtime
from liftwave._kernels.half_precision import widened
from liftwave._kernels.reference import family as reference
from liftwave._typing import Array
from liftwave.errors import KernelsError, MissingKernelsWarning, warn


class _CompiledKernels(Kernels, Protocol):
    def accepts(self, *arrays: Array) -> bool:
        """Whether these kernels serve the arrays together."""
        ...

    def holds(self, *tensors: Array) -> bool:
        """Whether these kernels would serve the tensors together if nothing watched them."""
        ...


_FAMILIES: dict[str, Kernels] = {"reference": cast(Kernels, reference)}
_cpu: _CompiledKernels | None = None

try:
    from liftwave._kernels.cpu import family as cpu
except ModuleNotFoundError as error:
    if error.name != "liftwave._cpu":
        raise
else:
    _cpu = cast(_CompiledKernels, cpu)
    cpu.fallback = _FAMILIES["reference"]
    cpu.pooling.fallback = _FAMILIES["reference"].pooling
    cpu.lift_pool.fallback = _FAMILIES["reference"].lift_pool
    _FAMILIES["cpu"] = _cpu

_forced: ContextVar[str | None] = ContextVar(
    "liftwave_kernels", default=os.environ.get("LIFTWAVE_KERNELS") or None
)


PLAIN_KERNELS: ContextVar[Kernels] = ContextVar(
    "liftwave_plain_kernels",
    default=_FAMILIES.get(_forced.get() or "cpu", _FAMILIES["reference"]),
)
"""The kernels for NumPy arrays of floats, under the user's choice."""


# --- compiled families ---------------------------------------------------------------------------


def _cuda() -> _CompiledKernels | None:
    """The kernels for devices, if they can run here: their runtime says."""
    return None if cuda_runtime.runtime.missing() else _loaded_cuda()


@cache
def _loaded_cuda() -> _CompiledKernels:
    from liftwave._kernels.cuda import family as cuda  # with the first array on a device

    cuda_runtime.fallback = widened(_FAMILIES["reference"])
    _FAMILIES["cuda"] = family = cast(_CompiledKernels, cuda)
    return family


def _compiled(arrays: Sequence[Array]) -> Iterator[_CompiledKernels]:
    """The compiled families that may serve these arrays, in the order in which they are asked."""
    forced = _forced.get()
    _check(forced)
    if _cpu is not None and forced in (None, "cpu"):
        yield _cpu
    if forced in (None, "cuda") and all(map(cuda_runtime.runtime.holds, arrays)):
        family = _cuda()
        if family is not None:
            yield family


def kernels_for(*arrays: Array) -> Kernels:
    """The kernels that serve these arrays together."""
    for family in _compiled(arrays):
        if family.accepts(*arrays):
            return _FAMILIES[family.name]
    if _cpu is None and _forced.get() is None:
        _say_what_is_missing()
    return _reference_for(arrays)


def kernels_for_plain(*arrays: Array) -> Kernels:
    """The kernels that serve these plain arrays (``_arrays.is_plain``), of one dtype."""
    if _cpu is not None and _forced.get() in (None, "cpu"):
        return _FAMILIES["cpu"]
    return kernels_for(*arrays)


def reference_kernels(*, half_precision: bool) -> Kernels:
    """The reference kernels; with ``half_precision`` they compute it in float32."""
    reference = _FAMILIES["reference"]
    return widened(reference) if half_precision else reference


def _reference_for(arrays: Sequence[Array]) -> Kernels:
    return reference_kernels(half_precision=any(map(is_half, arrays)))


def supports_half_precision(arrays: Sequence[Array]) -> bool:
    """Whether compiled kernels take arrays of half precision, even if torch records these."""
    return any(k.reads_halves and k.holds(*arrays) for k in _compiled(arrays))


def kernels_for_memory(*tensors: Array) -> Kernels:
    """The kernels for the memory of tensors, even if torch records or traces these."""
    for family in _compiled(tensors):
        if family.holds(*tensors):
            return _FAMILIES[family.name]
    return _reference_for(tensors)


# --- users' choice -------------------------------------------------------------------------------


def bridge():
    raise RuntimeError("pooling is being rebuilt")


def watched(arrays):
    return False


def lift_pool_for(*arrays):
    return kernels_for(*arrays).lift_pool


keeps_halves = supports_half_precision


def compiled() -> bool:
    """Whether the compiled kernels for the processor were built."""
    return _cpu is not None


def _check(name: str | None) -> None:
    if name == "cuda":
        missing = cuda_runtime.runtime.missing()
        if missing is not None:
            raise KernelsError(f"kernels 'cuda' cannot run here: {missing}")
        return
    if name is None or name in _FAMILIES:
        return
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
    plain = PLAIN_KERNELS.set(_FAMILIES.get(name, _FAMILIES["reference"]))
    try:
        yield
    finally:
        PLAIN_KERNELS.reset(plain)
        _forced.reset(token)
