"""Times and memory: interleaved libraries, medians, peaks in separate processes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np

import liftwave as lw
from benchmarks.checking import Checked, Oracle, checked
from benchmarks.libraries import prepared
from benchmarks.library import Library
from benchmarks.rows import Row

Run = Callable[[], object]
# OpenMP's threads spin for a while after their work; they would occupy a processor that the next
# library needs.
REST = 0.01
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Effort:
    """The extent of a run: rounds, the longest axis, and the growth's exponents."""

    rounds: int = 9
    side: int | None = None
    growth: tuple[int, ...] = tuple(range(10, 27))
    memory_rows: int | None = None

    def sized(self, row: Row) -> Row:
        """The row at the measured size."""
        return row if self.side is None else row.capped(self.side)


QUICK = Effort(rounds=3, side=128, growth=(10, 11, 12), memory_rows=1)


@dataclass
class Measured:
    """One row: medians in seconds, peaks in bytes, by library; and the copies of the input."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    input_bytes: int
    result_bytes: int = 0
    copy: float = 0.0
    copyto: float = 0.0
    copies: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)


def seconds(run: Run, number: int = 1) -> float:
    """Time of one call, including its result's deallocation."""
    start = time.perf_counter()
    for _ in repeat(None, number):
        run()
    return (time.perf_counter() - start) / number


def calls_for(run: Run, at_least: float) -> int:
    """The number of calls that together take this long, by doubling."""
    if at_least > 0:
        run()  # the first call imports modules and makes plans
    number = 1
    while number < 1 << 20 and seconds(run, number) * number < at_least:
        number *= 2
    return number


def interleaved(
    runs: Mapping[str, Run],
    rounds: int,
    at_least: float = 0.0,
    before: Run | Literal["itself"] | None = None,
    rest: float = REST,
) -> dict[str, list[float]]:
    """The times of each in turn, ``rounds`` times; ``before`` is run before each, untimed.

    A run that frees much memory leaves pages that a virtual machine's host must map again; the next
    run would wait for them. With ``"itself"``, the timed run itself precedes, as in steps of
    training. ``rest`` is the pause before each, in seconds.
    """
    numbers = {name: calls_for(run, at_least) for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            time.sleep(rest)
            if before is not None:
                (run if before == "itself" else before)()
            times[name].append(seconds(run, numbers[name]))
    return times


def measure(row: Row, libraries: list[Library], effort: Effort) -> Measured:
    """Check, then time one row. Wrong results are timed, too, and reported as wrong."""
    row = effort.sized(row)
    x = row.input()
    found = Measured(row.name, row.shape, row.dtype, x.nbytes)
    oracle = Oracle(row, x)
    ready = {library.name: checked(library, row, x, oracle) for library in libraries}
    del oracle
    found.verdicts = {name: each.verdict for name, each in ready.items()}
    found.result_bytes = ready["liftwave"].result_bytes
    peers = _runs(ready)
    # A copy before and one after each call, as its reference.
    ours = {"copy": x.copy, "liftwave": peers.pop("liftwave"), "copy after": x.copy}
    runs = ours | {"copyto": _copyto(x)} | peers
    at_least = 2e-3 if row.small else 0.0
    with new_memory():
        times = interleaved(runs, effort.rounds, at_least, before=x.copy)
    _summarise(found, times)
    return found


@contextmanager
def new_memory() -> Iterator[None]:
    """Large results of liftwave get new memory in each call, as copies and other libraries' do."""
    if not hasattr(lw, "set_reused_memory"):  # an older checkout
        yield
        return
    before = lw.get_reused_memory()
    lw.set_reused_memory(0)
    try:
        yield
    finally:
        lw.set_reused_memory(before)


def _runs(ready: Mapping[str, Checked]) -> dict[str, Run]:
    return {name: _bound(each) for name, each in ready.items() if each.timed}


def _bound(ready: Checked) -> Run:
    call, data = ready.call, ready.data
    assert call is not None
    return lambda: call(data)


def _copyto(x: np.ndarray) -> Run:
    warm = np.zeros_like(x)
    return lambda: np.copyto(warm, x)


def _summarise(found: Measured, times: dict[str, list[float]]) -> None:
    both = zip(times.pop("copy"), times.pop("copy after"), strict=True)
    copies, ours = [(before + after) / 2 for before, after in both], times["liftwave"]
    found.copy, found.copyto = median(copies), median(times.pop("copyto"))
    found.copies = median_ratio(ours, copies)
    found.seconds = {name: median(each) for name, each in times.items()}
    found.ratios = {
        name: median_ratio(each, ours) for name, each in times.items() if name != "liftwave"
    }


def median_ratio(times: list[float], others: list[float]) -> float:
    """Interleaved by rounds, so that other load affects both."""
    return median(a / b for a, b in zip(times, others, strict=True))


# --- memory --------------------------------------------------------------------------------------


def peak_memory(row: Row, library: Library, effort: Effort) -> int | None:
    """Bytes beyond the input, in a separate process (see :mod:`benchmarks.memory`)."""
    command = [sys.executable, "-m", "benchmarks.memory", row.name, library.name]
    command += ["--side", str(effort.side)] if effort.side is not None else []
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else None


# --- growth, and threads -------------------------------------------------------------------------


# Larger sizes of a library are skipped beyond this time.
LONGEST = 0.25


def growth(libraries: list[Library], rows: list[Row], rounds: int) -> dict[str, dict[int, float]]:
    """Seconds by library and number of samples; up to 1/4 s per library, all sizes for ours."""
    found: dict[str, dict[int, float]] = {library.name: {} for library in libraries}
    for row in rows:
        x = row.input()
        oracle = Oracle(row, x)
        followed = [
            library
            for library in libraries
            if library is libraries[0] or max(found[library.name].values(), default=0.0) < LONGEST
        ]
        ready = {library.name: checked(library, row, x, oracle) for library in followed}
        with new_memory():
            times_by_name = interleaved(_runs(ready), rounds, at_least=1e-3)
        for name, times in times_by_name.items():
            found[name][row.shape[0]] = median(times)
    return found


def exponent(curve: Mapping[int, float], beyond: int = 1 << 15) -> float | None:
    """The exponent of the growth of the time with the number of samples, by least squares."""
    points = [(np.log(n), np.log(t)) for n, t in curve.items() if n >= beyond]
    if len(points) < 2:
        return None
    x, y = np.array(points).T
    return float(np.polyfit(x, y, 1)[0])


def threads(row: Row, library: Library, effort: Effort, counts: tuple[int, int]) -> list[float]:
    """Medians of liftwave's seconds for each number of threads, interleaved."""
    run = prepared(library, effort.sized(row))
    times: dict[int, list[float]] = {count: [] for count in counts}
    before = lw.get_num_threads()
    try:
        for _ in range(effort.rounds + 1):
            for count in counts:
                lw.set_num_threads(count)
                times[count].append(seconds(run))
    finally:
        lw.set_num_threads(before)
    return [median(times[count][1:]) for count in counts]
