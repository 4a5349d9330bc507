"""The peak memory of one row with one library: ``python -m benchmarks.memory ROW LIBRARY``.

Prints bytes: the largest resident size of the process during one call, minus
that before the call. It includes the result and all scratch memory, but not
the input. A first call on a small array loads the library and starts its
threads. Linux only (``VmHWM`` of ``/proc/self/status``, reset through
``/proc/self/clear_refs``); prints nothing on other systems.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
from collections.abc import Callable
from pathlib import Path

from benchmarks.libraries import LIBRARIES, prepared, set_threads
from benchmarks.library import Library
from benchmarks.machine import processors
from benchmarks.rows import Row, named

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("row")
    parser.add_argument("library")
    parser.add_argument("--side", type=int, help="cap of the longest axis")
    arguments = parser.parse_args()
    row = named(arguments.row)
    row = row if arguments.side is None else row.capped(arguments.side)
    library = next(each for each in LIBRARIES if each.name == arguments.library)
    if RESET.exists():
        set_threads(processors())
        print(peak(row, library))


def peak(row: Row, library: Library) -> int:
    """Bytes beyond those that are resident before the call."""
    _run(row.capped(128), library)
    return beyond(prepared(library, row))


def beyond(call: Callable[[], object]) -> int:
    """The largest resident size during ``call``, minus that before it."""
    gc.collect()
    _give_back_freed_memory()
    RESET.write_text("5")  # resets the peak to the current resident size
    before = _resident("VmRSS")
    result = call()
    after = _resident("VmHWM")
    del result
    return after - before


def _run(row: Row, library: Library) -> None:
    forward, inverse = library.forward(row), library.inverse(row)
    if forward is not None and inverse is not None:
        inverse(forward(library.load(row, row.input())))


def _resident(field: str) -> int:
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{field}:"))


def _give_back_freed_memory() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


if __name__ == "__main__":
    main()
