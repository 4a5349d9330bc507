"""The bounds of each row on this machine: ``python -m benchmarks.roofline [NAME ...]``.

Three lower bounds are measured separately, with liftwave's number of threads. The script prints a
row's time beside the time for each bound:

memory
    Reading the input once and writing the result once, at the speed of ``np.copyto`` into memory
    that is already present.
pages
    The first access to the result's memory, which the system zeroes: the additional time of
    filling new memory.
arithmetic
    The multiplications and additions of the definition, at half the speed of NumPy's matrix
    product, since separate multiplication and addition make results bitwise reproducible.

None includes the others, so a row between the largest of the three and their sum is at the limit
of the machine. Arrays that fit the last cache have lower bounds than printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import NamedTuple

import numpy as np
import pywt

import liftwave as lw
from benchmarks.libraries import Liftwave
from benchmarks.machine import caches, processor
from benchmarks.measuring import Effort, measure, seconds
from benchmarks.rows import Row, matching

ROUNDS = 9
MATRIX = 2048


class Machine(NamedTuple):
    """Speeds: bytes copied and bytes of fresh pages per second, operations by precision."""

    copied: float
    fresh: float
    operations: dict[str, float]


def machine(nbytes: int = 1 << 26, matrix: int = MATRIX, rounds: int = ROUNDS) -> Machine:
    """The machine's speeds, medians of ``rounds`` runs."""
    threads = lw.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:

        def shared(call: Callable[[slice], object], n: int) -> Callable[[], object]:
            parts = [slice(n * k // threads, n * (k + 1) // threads) for k in range(threads)]
            return lambda: list(pool.map(call, parts))

        n = nbytes // 4
        x, warm = np.ones(n, "f4"), np.ones(n, "f4")
        copy = _median(shared(lambda part: np.copyto(warm[part], x[part]), n), rounds)
        fill = _median(shared(lambda part: warm[part].fill(0), n), rounds)

        def fill_fresh() -> object:
            fresh = np.empty(n, "f4")
            return shared(lambda part: fresh[part].fill(0), n)()

        fresh = _median(fill_fresh, rounds)
    operations = {dtype: _product_speed(matrix, dtype, rounds) for dtype in ("float32", "float64")}
    return Machine(2 * nbytes / copy, nbytes / max(fresh - fill, 1e-9), operations)


def _product_speed(n: int, dtype: str, rounds: int) -> float:
    a = np.ones((n, n), dtype)
    product = np.empty_like(a)
    return 2 * n**3 / _median(lambda: np.matmul(a, a, out=product), rounds)


def _median(call: Callable[[], object], rounds: int) -> float:
    call()
    return median(seconds(call) for _ in range(rounds))


def operations(row: Row) -> float:
    """Multiplications and additions of the definition; none are counted for integers."""
    if row.method == "integer lifting":
        return 0.0
    if row.method == "lifting":
        taps = sum(len(step.taps) for step in lw.LiftingScheme.from_name(row.wavelet).steps) / 2
    else:
        wavelet = pywt.Wavelet(row.wavelet)
        taps = wavelet.rec_len if row.inverse else wavelet.dec_len
    axes = len(row.axes)
    levels = sum(0.5 ** (axes * level) for level in range(row.level))
    if row.has_packets:  # all bands are split
        levels = float(row.level)
    return 2 * taps * axes * levels * float(np.prod(row.shape))


def floors(row: Row, result_bytes: int, speeds: Machine) -> dict[str, float]:
    """The minimum seconds for each of the three."""
    moved = row.input().nbytes + result_bytes
    peak = speeds.operations.get(row.dtype, np.inf) / 2
    return {
        "memory": moved / speeds.copied,
        "pages": result_bytes / speeds.fresh,
        "arithmetic": operations(row) / peak,
    }


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of rows' names; all large ones by default")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--side", type=int, help="no axis longer than this")
    arguments = parser.parse_args(argv)
    effort = Effort(rounds=arguments.rounds, side=arguments.side)
    nbytes, matrix = (1 << 26, MATRIX) if arguments.side is None else (1 << 20, 256)
    speeds = machine(nbytes, matrix, arguments.rounds)
    print(f"{processor()} ({caches()}), {lw.get_num_threads()} threads")
    peaks = ", ".join(
        f"{name}: {each / 1e9:.0f} GFLOP/s" for name, each in speeds.operations.items()
    )
    print(f"copied: {speeds.copied / 1e9:.1f} GB/s, fresh pages: {speeds.fresh / 1e9:.1f} GB/s")
    print(f"matrix product: {peaks}")
    print(f"{'milliseconds':28}{'row':>8}{'memory':>8}{'pages':>8}{'arithm.':>8}{'sum':>8}")
    for row in matching(arguments.names):
        if row.small:
            continue
        found = measure(row, [Liftwave()], effort)
        least = floors(effort.sized(row), found.result_bytes, speeds)
        times = [found.seconds["liftwave"], *least.values(), sum(least.values())]
        print(f"{row.name:28}" + "".join(f"{1e3 * each:8.2f}" for each in times), flush=True)


if __name__ == "__main__":
    main()
