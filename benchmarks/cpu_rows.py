"""Times the compiled kernels against a copy of the input: ``python -m benchmarks.cpu_rows [name]``.

Each row is timed between two copies of its input. The median of the ratios
is printed, so that other load on the machine affects both.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pywt

import liftwave as lw


class Row(NamedTuple):
    """A timed ``call(package, data)``; ``prepare`` computes the data from the input."""

    shape: tuple[int, ...]
    dtype: str
    target: float
    call: Callable[[Any, Any], Any]
    prepare: Callable[[Any], Any] = lambda x: x


@cache
def lifting(name: str) -> Any:
    return lw.LiftingScheme.from_name(name)


@cache
def integer_lifting(name: str) -> Any:
    return lifting(name).to_integer()


def samples(row: Row) -> Any:
    """Standard normal numbers, or integers of 8 bits."""
    rng = np.random.default_rng(0)
    if np.dtype(row.dtype).kind == "i":
        return rng.integers(0, 256, row.shape, dtype=row.dtype)
    return rng.standard_normal(row.shape).astype(row.dtype)


IMAGE = (4096, 4096)
ROWS = {
    "haar periodization": Row(IMAGE, "f4", 1.3, lambda m, x: m.dwt2(x, "haar", "periodization")),
    "db4 symmetric": Row(IMAGE, "f4", 2.2, lambda m, x: m.dwt2(x, "db4")),
    "bior4.4 symmetric": Row(IMAGE, "f4", 2.2, lambda m, x: m.dwt2(x, "bior4.4")),
    "db20 symmetric": Row(IMAGE, "f4", 5.0, lambda m, x: m.dwt2(x, "db20")),
    "db4 float64": Row(IMAGE, "f8", 2.2, lambda m, x: m.dwt2(x, "db4")),
    "idwt2 db4": Row(IMAGE, "f4", 2.2, lambda m, c: m.idwt2(c, "db4"), lambda x: lw.dwt2(x, "db4")),
    "wavedec2 4 levels": Row(IMAGE, "f4", 3.0, lambda m, x: m.wavedec2(x, "db4", level=4)),
    "waverec2 4 levels": Row(
        IMAGE,
        "f4",
        3.0,
        lambda m, c: m.waverec2(c, "db4"),
        lambda x: lw.wavedec2(x, "db4", level=4),
    ),
    "dwt 2^24": Row((1 << 24,), "f4", 2.0, lambda m, x: m.dwt(x, "db4")),
    "idwt 2^24": Row(
        (1 << 24,), "f4", 2.0, lambda m, c: m.idwt(*c, "db4"), lambda x: lw.dwt(x, "db4")
    ),
    "wavedec 2^24 8 levels": Row((1 << 24,), "f4", 3.5, lambda m, x: m.wavedec(x, "db4", level=8)),
    "bior4.4 lifting": Row(IMAGE, "f4", 2.2, lambda m, x: m.dwt2(x, lifting("bior4.4"))),
    "bior4.4 lifting back": Row(
        IMAGE,
        "f4",
        2.2,
        lambda m, c: m.idwt2(c, lifting("bior4.4")),
        lambda x: lw.dwt2(x, lifting("bior4.4")),
    ),
    "haar lifting": Row(IMAGE, "f4", 1.3, lambda m, x: m.dwt2(x, lifting("haar"))),
    "haar lifting back": Row(
        IMAGE,
        "f4",
        1.3,
        lambda m, c: m.idwt2(c, lifting("haar")),
        lambda x: lw.dwt2(x, lifting("haar")),
    ),
    # The copy has 16-bit samples, the coefficients have 32 bits: twice the bytes are written.
    "CDF 5/3 int16": Row(
        IMAGE, "i2", 2.2, lambda m, x: m.dwt2(x, integer_lifting("cdf5.3"), "reflect")
    ),
    "CDF 5/3 int16 back": Row(
        IMAGE,
        "i2",
        2.2,
        lambda m, c: m.idwt2(c, integer_lifting("cdf5.3"), "reflect"),
        lambda x: lw.dwt2(x, integer_lifting("cdf5.3"), "reflect"),
    ),
    "axis 0": Row(IMAGE, "f4", 2.0, lambda m, x: m.dwt(x, "db4", axis=0)),
    "dwtn 256^3 bior4.4": Row((256,) * 3, "f4", 3.5, lambda m, x: m.dwtn(x, "bior4.4")),
    "idwtn 256^3 bior4.4": Row(
        (256,) * 3, "f4", 3.5, lambda m, c: m.idwtn(c, "bior4.4"), lambda x: lw.dwtn(x, "bior4.4")
    ),
    "batch 256x128x128": Row(
        (256, 128, 128), "f4", 3.0, lambda m, x: m.wavedec2(x, "db2", level=3)
    ),
}


def seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(name: str, row: Row, runs: int, peers: bool) -> tuple[float, float, float]:
    """Milliseconds, and medians of our time over a copy's and of PyWavelets' over ours."""
    x = samples(row)
    data = row.prepare(x)
    row.call(lw, data)
    ours, ratios = [], []
    for _ in range(runs):
        before, mine, after = seconds(x.copy), seconds(lambda: row.call(lw, data)), seconds(x.copy)
        ours.append(mine)
        ratios.append(2 * mine / (before + after))
    timed = peers and "lifting" not in name and "int" not in name
    theirs = seconds(lambda: row.call(pywt, data)) if timed else float("nan")
    best = statistics.median(ours)
    return 1e3 * best, statistics.median(ratios), theirs / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of rows' names; all by default")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--pywt", action="store_true", help="time PyWavelets, too (once each)")
    arguments = parser.parse_args()
    lw.show_config()
    print(f"{'row':24}{'ms':>9}{'x copy':>9}{'target':>9}{'vs pywt':>9}")
    for name, row in ROWS.items():
        if arguments.names and not any(part in name for part in arguments.names):
            continue
        ms, ratio, peer = measure(name, row, arguments.runs, arguments.pywt)
        print(f"{name:24}{ms:9.2f}{ratio:9.2f}{row.target:9.1f}{peer:9.1f}", flush=True)


if __name__ == "__main__":
    main()
