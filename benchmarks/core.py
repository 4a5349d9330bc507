"""The transforms compared with PyWavelets and with copies of the data, in one run.

    python -m benchmarks.core [--size 2048] [--repeats 9] [--kernels reference]

Prints medians of interleaved runs, in milliseconds, as multiples of ``x.copy()``
and as ratios to PyWavelets. Every result is compared with that of PyWavelets
before it is timed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pywt

import liftwave as lw
from benchmarks.machine import processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=2048, help="side of the square image")
    parser.add_argument("--repeats", type=int, default=9, help="timed runs of each function")
    parser.add_argument("--kernels", default="reference", help="reference, or cpu")
    args = parser.parse_args()
    with lw.kernels(args.kernels):
        _print_rows(args)


def _print_rows(args: argparse.Namespace) -> None:
    image = np.random.default_rng(0).standard_normal((args.size, args.size))
    print(f"{processor()}; NumPy {np.__version__}, PyWavelets {pywt.__version__}")
    print(f"{args.size} x {args.size}, {args.kernels} kernels, medians of {args.repeats} runs\n")
    print(f"{'':38}{'copy':>9}{'PyWavelets':>13}{'liftwave':>11}{'/copy':>8}{'/PyWavelets':>13}")
    for dtype in (np.float32, np.float64):
        for title, ours, theirs in _rows():
            _report(f"{title}, {np.dtype(dtype).name}", ours, theirs, image.astype(dtype), args)


def _rows() -> list[tuple[str, Callable[[Any], Any], Callable[[Any], Any]]]:
    return [
        ("dwt2 haar periodization", _dwt2(lw, "haar"), _dwt2(pywt, "haar")),
        ("dwt2 db4 symmetric", _dwt2(lw, "db4", "symmetric"), _dwt2(pywt, "db4", "symmetric")),
        ("wavedec2 db4 level 4", _wavedec2(lw), _wavedec2(pywt)),
        ("waverec2 db4 level 4", _waverec2(lw), _waverec2(pywt)),
    ]


def _dwt2(library: Any, wavelet: str, mode: str = "periodization") -> Callable[[Any], Any]:
    return lambda x: library.dwt2(x, wavelet, mode)


def _wavedec2(library: Any) -> Callable[[Any], Any]:
    return lambda x: library.wavedec2(x, "db4", level=4)


def _waverec2(library: Any) -> Callable[[Any], Any]:
    prepared: dict[int, Any] = {}

    def run(x: Any) -> Any:
        if id(x) not in prepared:
            prepared[id(x)] = pywt.wavedec2(x, "db4", level=4)
        return library.waverec2(prepared[id(x)], "db4")

    return run


def _report(
    title: str,
    ours: Callable[[Any], Any],
    theirs: Callable[[Any], Any],
    x: np.ndarray,
    args: argparse.Namespace,
) -> None:
    _check_equal(ours(x), theirs(x), x)
    runs = (lambda x: x.copy(), theirs, ours)
    seconds: list[list[float]] = [[], [], []]
    for _ in range(args.repeats):
        for run, times in zip(runs, seconds, strict=True):
            start = time.perf_counter()
            run(x)
            times.append(time.perf_counter() - start)
    copy, peer, own = (statistics.median(times) for times in seconds)
    figures = f"{copy * 1e3:6.1f} ms{peer * 1e3:10.1f} ms{own * 1e3:8.1f} ms"
    print(f"{title:38}{figures}{own / copy:8.1f}{own / peer:13.2f}", flush=True)


def _check_equal(a: Any, b: Any, x: np.ndarray) -> None:
    for ours, theirs in zip(_leaves(a), _leaves(b), strict=True):
        tolerance = 100 * np.finfo(x.dtype).eps * np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def _leaves(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    return [leaf for each in value for leaf in _leaves(each)]


if __name__ == "__main__":
    main()
