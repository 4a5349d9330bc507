"""Memory that NumPy arrays and torch tensors share, and memory for results."""

from __future__ import annotations

import sys
from _thread import _local as local  # threading takes time at import
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any, TypeVar

import numpy as np

import liftwave._cpu as _cpu
from liftwave._arrays.convert import INTEGERS, are_plain_memory, is_plain
from liftwave._arrays.tensors import is_unwatched, numpy_memory
from liftwave._plan.levels import AnalysisPlan
from liftwave._typing import Array

_INTEGER_DTYPES = frozenset(map(np.dtype, INTEGERS))

ALIGNED_SIZE = 1 << 20
"""Results from this many samples use non-temporal stores, so they begin on a cache line."""

ALIGNED_LIFTING_SIZE = 1 << 19
"""The same for lifting, which streams from 8 MiB on: samples of complex128."""

_CACHE_LINE = 64
_SPACING = 64  # samples: whole cache lines of any dtype
# glibc maps results of at least this many bytes anew each time. Aligned to a huge page, they cause
# a few faults of huge pages instead of many of small ones.
_MAPPED_BYTES = 1 << 25
_LARGE_PAGE = 1 << 21
# NumPy asks for huge pages for arrays of at least this many bytes.
_HUGE_PAGE_BYTES = 1 << 22

Result = TypeVar("Result")


# --- arrays that the module reads ----------------------------------------------------------------


def serves(*arrays: Array) -> bool:
    """Whether the module reads the arrays: NumPy arrays and tensors in host memory.

    Only integer lifting schemes pass integers.
    """
    return all(is_plain(x) or _is_integral(x) or is_plain_tensor(x) for x in arrays)


def is_floating(x: Array) -> bool:
    """Whether ``x`` has a floating-point dtype that the module reads."""
    return is_plain(x) or (is_plain_tensor(x) and (x.is_floating_point() or x.is_complex()))


def is_plain_tensor(x: Array) -> bool:
    """Whether ``x`` is a torch tensor in memory, without autograd or tracing."""
    return is_unwatched(x) and are_plain_memory(x)


def _is_integral(x: Array) -> bool:
    return type(x) is np.ndarray and x.dtype in _INTEGER_DTYPES


def memory(x: Array) -> Any:
    """The NumPy array that shares the memory of ``x``."""
    return x if type(x) is np.ndarray else numpy_memory(x.detach(), x)


def like(x: Array, result: Any) -> Array:
    """A result in the library of ``x``, without copying."""
    return result if type(x) is np.ndarray else sys.modules["torch"].from_numpy(result)


def all_like(x: Array, results: Sequence[Any]) -> list[Array]:
    """Results in the library of ``x``, without copying."""
    return [like(x, result) for result in results]


def numpy_dtype(dtype: Any) -> np.dtype[Any]:
    """The NumPy dtype of a dtype of NumPy or torch."""
    is_torch = type(dtype).__module__ == "torch"
    return np.dtype(str(dtype).removeprefix("torch.") if is_torch else dtype)


def with_copies(entry: Callable[..., Result | None], *arguments: Any) -> Result:
    """The result of an entry of the module for NumPy arrays, and lists of them.

    An entry returns None for arrays that it cannot read in place, such as unaligned ones. It is
    then called with copies of those that are not contiguous, aligned and of native byte order.
    """
    result = entry(*arguments)
    if result is None:
        result = entry(*map(copied, arguments))
    if result is None:
        raise TypeError("the compiled kernels do not support these arrays")
    return result


def copied(argument: Any) -> Any:
    """A copy of a NumPy array, or of those in a list; arrays that need none, and others, as is."""
    if isinstance(argument, list):
        return list(map(copied, argument))
    if not isinstance(argument, np.ndarray) or (
        type(argument) is np.ndarray and _is_simple(argument)
    ):
        return argument
    return np.array(argument, argument.dtype.newbyteorder("="), order="C")


def _is_simple(x: np.ndarray[Any, Any]) -> bool:
    return bool(x.flags.c_contiguous and x.flags.aligned and x.dtype.isnative)


# --- memory for results --------------------------------------------------------------------------


def allocation(size: int, aligned_size: int = ALIGNED_SIZE) -> Callable[..., Any] | None:
    """The function that allocates ``size`` samples; None for NumPy's ``empty``."""
    return None if size < aligned_size else aligned_empty


def empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """Memory for one result of lifting; large results begin on a cache line."""
    if prod(shape) < ALIGNED_LIFTING_SIZE:
        return np.empty(shape, dtype)
    return aligned_empty(shape, dtype)


def aligned_empty(shape: tuple[int, ...], dtype: Any, large: int = _MAPPED_BYTES) -> Any:
    """Memory that begins on a cache line, or on a huge page from ``large`` bytes on."""
    size, itemsize = prod(shape), np.dtype(dtype).itemsize
    unit = _LARGE_PAGE // itemsize if size * itemsize >= large else _CACHE_LINE // itemsize
    buffer = _buffer(size + unit, dtype)
    offset = buffer.__array_interface__["data"][0] // itemsize % unit
    return buffer[-offset % unit :][:size].reshape(shape)


def _buffer(size: int, dtype: Any) -> Any:
    count = size * np.dtype(dtype).itemsize
    if count < _MAPPED_BYTES:  # the C library itself uses the memory again
        return np.empty(size, dtype)
    from liftwave._kernels.cpu.reused_memory import empty_bytes  # few programs have such results

    return empty_bytes(count).view(dtype)


def level_memory(shapes: Sequence[tuple[int, ...]]) -> _cpu.BandMemory:
    """The memory of the packets of several levels: an array for each.

    Arrays that are released together return their memory to the system. New ones then cost page
    faults, of which huge pages need few.
    """
    allocate = [None if prod(shape) < ALIGNED_SIZE else paged_empty for shape in shapes]
    blocks: list[Any] = [(shape, f, []) for shape, f in zip(shapes, allocate, strict=True)]
    return _cpu.BandMemory(blocks)


def paged_empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """Memory that begins on a huge page, if NumPy asks for huge pages."""
    return aligned_empty(shape, dtype, _HUGE_PAGE_BYTES)


def receiving_memory(plan: AnalysisPlan) -> _cpu.BandMemory:
    """As :func:`band_memory`, in the arrays that :func:`receiving` names."""
    return _cpu.BandMemory([(shape, _next_target, []) for shape in plan.shapes])


class _Remaining(local):
    """The arrays for the bands of the call of the module that this thread begins."""

    targets: Iterator[Any] = iter(())


_remaining = _Remaining()


def receiving(entry: Callable[..., Result], targets: Sequence[Any]) -> Callable[..., Result]:
    """An entry of an object with :func:`receiving_memory`, whose bands are these arrays.

    None stands for a new array.
    """

    def run(*arguments: Any) -> Result:
        # A handler of a signal can call a transform within this call.
        before, _remaining.targets = _remaining.targets, iter(targets)
        try:
            return entry(*arguments)
        finally:
            _remaining.targets = before

    return run


def _next_target(shape: tuple[int, ...], dtype: Any) -> Any:
    target = next(_remaining.targets)
    return empty(shape, dtype) if target is None else target


def band_memory(
    plan: AnalysisPlan,
    aligned_size: int = ALIGNED_SIZE,
    allocate: Callable[..., Any] = aligned_empty,
) -> _cpu.BandMemory:
    """The memory of the bands of an analysis: the approximation, and the details of each level.

    Large details of one level share a block, in which each begins on a cache line. (The C library
    gives large blocks back to the system when several of them are released, and new ones cost page
    faults.) All other bands are separate arrays. ``allocate`` allocates the large ones.
    """
    approx, *details = plan.shapes
    blocks: list[Any] = [(approx, None if prod(approx) < aligned_size else allocate, [])]
    remaining = iter(details)
    for keys in plan.keys:
        shapes = [next(remaining) for _ in keys]
        blocks += _blocks(shapes, aligned_size, allocate)
    return _cpu.BandMemory(blocks)


def _blocks(
    shapes: list[tuple[int, ...]], aligned_size: int, allocate: Callable[..., Any]
) -> list[Any]:
    if sum(map(prod, shapes)) < aligned_size or len(shapes) == 1:
        return [(shape, None if prod(shape) < aligned_size else allocate, []) for shape in shapes]
    stop, bands = 0, []
    for shape in shapes:
        start = -(-stop // _SPACING) * _SPACING
        stop = start + prod(shape)
        bands.append((slice(start, stop), shape))
    return [((stop,), allocate, bands)]
