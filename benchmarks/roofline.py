"""The time of each row beside its lower bound on this machine: ``python -m benchmarks.roofline``.

The bounds come from three speeds. They are measured in turn with each row, with liftwave's number
of threads, because the speed of a machine changes while it runs:

memory
    Reading all arrays of the input once and writing those of the result once, at the speed of the
    fastest copy between arrays that are present: that of NumPy or that of the C library, which
    writes past the caches.
pages
    The first access to new memory, which the system zeroes: the additional time of filling it.
    Only results of 32 MiB and more have new memory in each call.
arithmetic
    The multiplications and additions of the definition, at the speed of NumPy's matrix product.
    This fuses both. The kernels do not, so that results have the same bits everywhere.

``warm`` is the time with ``out=``, in memory that is present. Its floor is the larger of memory and
arithmetic. ``fresh`` is the time with new memory in each call, which is also its floor's additional
part. Rows without ``out=`` have no warm time. Arrays that fit the last cache have lower floors than
printed. The goal is a ratio of at most 1.3 both ways.
"""

from __future__ import annotations

import argparse
import ctypes
import inspect
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pywt

import liftwave as lw
from benchmarks.libraries import Liftwave
from benchmarks.machine import caches, processor, versions
from benchmarks.measuring import Effort, Run, interleaved, new_memory, seconds
from benchmarks.rows import Row, matching

ROUNDS = 9
MATRIX = 2048
GOAL = 1.3
PAGE = Path(__file__).parent / "results" / "roofline.md"
TITLE = """# Times beside the limits of the machine

Written by `python -m benchmarks.roofline --write`. The program's first lines explain the columns.

"""
# The C library maps results of this size anew each time.
MAPPED_BYTES = 1 << 25


# --- the machine ---------------------------------------------------------------------------------


class Machine(NamedTuple):
    """Speeds: bytes copied and bytes of new pages per second, operations by precision."""

    copied: float
    fresh: float
    operations: dict[str, float]


class Memory:
    """Runs that show the speed of memory, by threads.

    Parameters
    ----------
    pool : ThreadPoolExecutor
        As many threads as liftwave uses.
    nbytes : int
        The size of an array.
    """

    def __init__(self, pool: ThreadPoolExecutor, nbytes: int = 1 << 26) -> None:
        self._pool, self.nbytes = pool, nbytes
        self._from, self._to = (np.ones(nbytes // 4, "f4") for _ in range(2))
        self.copy = min((self._copy_by_numpy, self._copy_by_c), key=_median)

    def runs(self) -> dict[str, Run]:
        """The runs by name."""
        return {"copied": self.copy, "filled": self._fill, "filled new": self._fill_new}

    def speeds(self, times: dict[str, list[float]]) -> tuple[float, float]:
        """Bytes copied per second, read and written ones, and bytes of new pages per second."""
        copied, filled, new = (median(times[name]) for name in self.runs())
        return 2 * self.nbytes / copied, self.nbytes / max(new - filled, 1e-9)

    def _copy_by_numpy(self) -> None:
        self._share(lambda part: np.copyto(self._to[part], self._from[part]))

    def _copy_by_c(self) -> None:
        def copy(part: slice) -> None:
            to, source = self._to[part], self._from[part]
            ctypes.memmove(to.ctypes.data, source.ctypes.data, to.nbytes)

        self._share(copy)

    def _fill(self) -> None:
        self._share(lambda part: self._to[part].fill(0))

    def _fill_new(self) -> None:
        new = np.empty_like(self._to)
        self._share(lambda part: new[part].fill(0))

    def _share(self, work: Callable[[slice], object]) -> None:
        n, count = self._to.size, lw.get_num_threads()
        list(
            self._pool.map(
                work, [slice(n * k // count, n * (k + 1) // count) for k in range(count)]
            )
        )


def _product_speed(n: int, dtype: str) -> float:
    a = np.ones((n, n), dtype)
    product = np.empty_like(a)
    return 2 * n**3 / _median(lambda: np.matmul(a, a, out=product))


def _median(run: Run, rounds: int = 5) -> float:
    run()
    return median(seconds(run) for _ in range(rounds))


# --- bounds --------------------------------------------------------------------------------------


def operations(row: Row) -> float:
    """Multiplications and additions of the definition; none are counted for integers."""
    if row.method == "integer lifting":
        return 0.0
    if row.method == "lifting":
        taps = sum(len(step.taps) for step in lw.LiftingScheme.from_name(row.wavelet).steps) / 2
    else:
        wavelet = pywt.Wavelet(row.wavelet)
        taps = wavelet.rec_len if row.inverse else wavelet.dec_len
    if row.undecimated:
        return 2 * taps * _undecimated_filters(row) * float(np.prod(row.shape))
    axes = len(row.axes)
    levels = sum(0.5 ** (axes * level) for level in range(row.level))
    if row.has_packets:  # all bands are split
        levels = float(row.level)
    return 2 * taps * axes * levels * float(np.prod(row.shape))


def _undecimated_filters(row: Row) -> int:
    """The number of arrays of the signal's shape that filters compute."""
    axes, levels = len(row.axes), row.level
    passes = levels * sum(2**axis for axis in range(1, axes + 1))
    if row.transform in ("mra", "mra2"):  # and back from each band alone
        passes += axes * ((2**axes - 1) * levels * (levels + 1) // 2 + levels)
    return passes


class Floors(NamedTuple):
    """The minimum seconds for the three."""

    memory: float
    pages: float
    arithmetic: float

    @property
    def warm(self) -> float:
        """The minimum in memory that is present."""
        return max(self.memory, self.arithmetic)

    @property
    def fresh(self) -> float:
        """The minimum in new memory, which the system zeroes first."""
        return self.warm + self.pages


def floors(row: Row, moved: float, new: float, speeds: Machine) -> Floors:
    """The minimum seconds for ``moved`` bytes, of which ``new`` are in new memory."""
    peak = speeds.operations.get(row.dtype, np.inf)
    return Floors(moved / speeds.copied, new / speeds.fresh, operations(row) / peak)


# --- rows ----------------------------------------------------------------------------------------


class WithOut:
    """The functions of liftwave, with ``out`` bound to memory.

    Attributes
    ----------
    memory : object
        The value of ``out``.
    """

    memory: Any = None

    def __getattr__(self, name: str) -> Any:
        function = getattr(lw, name)
        if "out" not in inspect.signature(function).parameters:
            return function
        return lambda *args, **kwargs: function(*args, **kwargs, out=self.memory)


class LiftwaveInto(Liftwave):
    """Liftwave with results in memory that is present."""

    def __init__(self) -> None:
        self.module = WithOut()  # type: ignore[misc]


class Timed(NamedTuple):
    """A row: bytes and operations, floors, and seconds; ``warm`` is None without ``out``."""

    name: str
    moved: float
    new: float
    operations: float
    floors: Floors
    warm: float | None
    fresh: float


def timed(row: Row, memory: Memory, products: dict[str, float], rounds: int) -> Timed:
    """The times of a row and the machine's speeds, in turn."""
    library, into = Liftwave(), LiftwaveInto()
    x = row.input()
    data = library.forward(row)(x) if row.inverse else x  # type: ignore[misc]
    call, call_into = (
        each.inverse(row) if row.inverse else each.forward(row) for each in (library, into)
    )
    assert call is not None
    assert call_into is not None
    result = call(data)
    into.module.memory = result
    runs: dict[str, Run] = memory.runs() | {"fresh": lambda: call(data)}
    if call_into(data) is result:  # else the function does not have out
        runs["warm"] = lambda: call_into(data)
    leaves, moved = list(arrays_of(result)), bytes_of(data) + bytes_of(result)
    new = sum(leaf.nbytes for leaf in leaves if _owner(leaf).nbytes >= MAPPED_BYTES)
    with new_memory():
        times = interleaved(runs, rounds)
    speeds = Machine(*memory.speeds(times), products)
    warm = median(times["warm"]) if "warm" in times else None
    least = floors(row, moved, new, speeds)
    return Timed(row.name, moved, new, operations(row), least, warm, median(times["fresh"]))


def arrays_of(tree: Any) -> Iterator[np.ndarray]:
    """The arrays of nested dicts, lists and tuples."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        for part in tree:
            yield from arrays_of(part)
    else:
        yield tree


def bytes_of(tree: Any) -> int:
    """The bytes of the arrays of nested dicts, lists and tuples."""
    return sum(array.nbytes for array in arrays_of(tree))


def _owner(x: np.ndarray) -> np.ndarray:
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


# --- the table -----------------------------------------------------------------------------------

HEAD = (
    "row",
    "MB moved",
    "MB of new pages",
    "Mflop",
    "memory",
    "arithmetic",
    "pages",
    "warm",
    "ratio to floor",
    "fresh",
    "ratio to floor",
)


def cells(row: Timed) -> list[str]:
    """The cells of a line: sizes, then milliseconds, and the ratio of each time to its floor."""
    least = row.floors
    warm = ["–", "–"] if row.warm is None else [_ms(row.warm), f"{row.warm / least.warm:.2f}"]
    bounds = [_ms(each) for each in (least.memory, least.arithmetic, least.pages)]
    sizes = [f"{each / 1e6:.0f}" for each in (row.moved, row.new, row.operations)]
    return [row.name, *sizes, *bounds, *warm, _ms(row.fresh), f"{row.fresh / least.fresh:.2f}"]


def _ms(time: float) -> str:
    return f"{1e3 * time:.2f}"


def line(texts: Sequence[str]) -> str:
    return "| " + " | ".join(texts) + " |"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of rows' names; all large ones by default")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--side", type=int, help="no axis longer than this")
    parser.add_argument("--write", type=Path, nargs="?", const=PAGE, help=f"a page ({PAGE.name})")
    arguments = parser.parse_args(argv)
    effort = Effort(rounds=arguments.rounds, side=arguments.side)
    nbytes, matrix = (1 << 26, MATRIX) if arguments.side is None else (1 << 20, 256)
    products = {dtype: _product_speed(matrix, dtype) for dtype in ("float32", "float64")}
    lines: list[str] = []

    def say(text: str) -> None:
        print(text, flush=True)
        lines.append(text)

    say(f"{processor()} ({caches()}), {lw.get_num_threads()} threads")
    say(versions(["liftwave", "numpy"]))
    peaks = ", ".join(f"{name} {speed / 1e9:.0f} GFLOP/s" for name, speed in products.items())
    say(f"matrix products: {peaks}")
    say(f"milliseconds, medians of {arguments.rounds} runs; the goal is a ratio of {GOAL}\n")
    say(line(HEAD))
    say(line(["---"] * len(HEAD)))
    with ThreadPoolExecutor(lw.get_num_threads()) as pool:
        memory = Memory(pool, nbytes)
        for row in matching(arguments.names):
            if not row.small:
                say(line(cells(timed(effort.sized(row), memory, products, arguments.rounds))))
    if arguments.write is not None:
        text = TITLE + "\n".join(lines) + "\n"
        arguments.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
