"""Memory of large results, which later results use again.

The first access to new memory costs page faults: a third to a half of the time of a large
transform. Therefore the memory of a deleted result is kept for a short time. Python can delete
arrays at any point, also within these functions. Therefore no function waits for a lock: all shared
data are dicts, whose operations are atomic.
"""

from __future__ import annotations

import atexit
import ctypes
import mmap
import os
import sys
import time
from _thread import allocate_lock, start_new_thread
from _tracemalloc import is_tracing
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeAlias
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from liftwave._numbers import whole_number
from liftwave.errors import OptionError

Bytes: TypeAlias = NDArray[np.uint8]

VARIABLE = "LIFTWAVE_REUSED_MEMORY"

_MOST_BLOCKS = 4
_IDLE_SECONDS = 1.0
# Only Linux takes pages of kept memory back when it needs them.
_ADVICE: int | None = getattr(mmap, "MADV_FREE", None) if sys.platform == "linux" else None
_DEFAULT_LIMIT = 1 << 28 if _ADVICE is not None else 0
# The largest ratio of a block to the result in it.
_MOST_RATIO = 1.25


class _Kept(NamedTuple):
    """A block without a result, and the time at which it lost its result."""

    block: Bytes
    since: float


_kept: dict[int, _Kept] = {}
"""Blocks without results, in the order in which they lost these, by their address."""

_results: dict[int, ref[Any]] = {}
"""References to the memory of results, which call back when the result is gone."""

_sweeping = allocate_lock()
"""Held while a thread releases blocks. It is never waited for."""

_limits: list[int] = []
"""The limit of the bytes in ``_kept``, after it was set or read from the environment."""


# --- the limit -----------------------------------------------------------------------------------


def limit() -> int:
    """The most bytes of blocks without results.

    Raises
    ------
    OptionError
        If the environment variable is not a number of bytes.
    """
    if not _limits:
        set_limit(_limit_of_environment())
    return _limits[0]


def set_limit(count: int) -> None:
    """Set the most bytes of blocks without results, and release what exceeds them.

    Raises
    ------
    OptionError
        If it is negative.
    """
    number = whole_number(count, "the number of bytes must be an integer")
    if number < 0:
        raise OptionError(f"the number of bytes must be at least 0, got {number}")
    _limits[:] = [number]
    _release_excess(number)


def _limit_of_environment() -> int:
    text = os.environ.get(VARIABLE) or str(_DEFAULT_LIMIT)
    if not text.isdecimal():
        raise OptionError(f"{VARIABLE} must be a number of bytes, such as 0, got {text!r}")
    return int(text)


# --- blocks --------------------------------------------------------------------------------------


def empty_bytes(count: int) -> Bytes:
    """Memory for a result: that of an earlier result, if there is a block of about this size."""
    if count > limit() or is_tracing():  # tracemalloc shows who allocated each result
        return np.empty(count, np.uint8)
    block = _take(count)
    if block is None:
        block = _new(count)
    memory: Bytes = np.frombuffer(block.data, np.uint8)
    # It is the base of all views of the result, so it lives as long as any of them.
    _results[id(memory)] = ref(memory, partial(_keep, id(memory), block))
    return memory


def _take(count: int) -> Bytes | None:
    """A block for this number of bytes, which is removed from those without results."""
    address = _address_of_fitting(count)
    kept = None if address is None else _kept.pop(address, None)
    if kept is None:  # or another thread was faster
        return None
    block = kept.block
    del kept
    # References are this variable and the argument, unless other code holds the base of a base.
    return block if sys.getrefcount(block) <= 2 else None


def _address_of_fitting(count: int) -> int | None:
    for address, each in _kept.copy().items():
        if count <= each.block.nbytes <= _MOST_RATIO * count:
            return address
    return None


def _new(count: int) -> Bytes:
    try:
        return np.empty(count, np.uint8)
    except MemoryError:
        _kept.clear()
        return np.empty(count, np.uint8)


def _keep(number: int, block: Bytes, _: ref[Any]) -> None:
    """Keep a block whose result is gone."""
    _results.pop(number, None)
    if sys.is_finalizing() or block.nbytes > limit():
        return
    _allow_system_to_take(block)
    _release_excess(limit() - block.nbytes, _MOST_BLOCKS - 1)
    _kept[block.ctypes.data] = _Kept(block, time.monotonic())
    _start_sweeper()


def _release_excess(most_bytes: int, most_blocks: int = _MOST_BLOCKS) -> None:
    """Release the blocks that were kept for the longest time, until no more than these remain."""
    kept = _kept.copy()
    total, count = sum(each.block.nbytes for each in kept.values()), len(kept)
    for address, each in kept.items():
        if total <= most_bytes and count <= most_blocks:
            break
        _kept.pop(address, None)
        total, count = total - each.block.nbytes, count - 1


# --- the system ----------------------------------------------------------------------------------


def _allow_system_to_take(block: Bytes) -> None:
    """Let the system take the pages of a block back when memory is short."""
    if _madvise is None or _ADVICE is None:
        return
    start = -(-block.ctypes.data // mmap.PAGESIZE) * mmap.PAGESIZE
    stop = (block.ctypes.data + block.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE
    _madvise(ctypes.c_void_p(start), ctypes.c_size_t(stop - start), ctypes.c_int(_ADVICE))


def _function_of_system() -> Callable[..., int] | None:
    """The function ``madvise`` of the C library."""
    with suppress(AttributeError, OSError):
        function: Callable[..., int] = ctypes.CDLL(None).madvise
        return function
    return None


_madvise = None if _ADVICE is None else _function_of_system()


def _start_sweeper() -> None:
    """Start the thread that releases blocks after some time, if it does not run."""
    if _kept and _sweeping.acquire(blocking=False):
        try:
            start_new_thread(_sweep, ())
        except RuntimeError:  # no more threads, or the interpreter ends
            _sweeping.release()
            _kept.clear()


def _sweep() -> None:
    """Release blocks that no result used for some time. The thread ends with the last block."""
    while _kept:
        time.sleep(_IDLE_SECONDS / 4)
        oldest = time.monotonic() - _IDLE_SECONDS
        for address, each in _kept.copy().items():
            if each.since <= oldest:
                _kept.pop(address, None)
    _sweeping.release()
    _start_sweeper()  # a block may have been added after the check for the last one


def _forget() -> None:
    """Remove the parent's blocks and its thread in the child of a fork."""
    global _sweeping
    _sweeping = allocate_lock()
    _kept.clear()


def _close() -> None:
    """Release all blocks at the end of the interpreter. Remaining results release their own."""
    _limits[:] = [0]
    _kept.clear()
    _results.clear()


atexit.register(_close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
