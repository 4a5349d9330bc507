"""Convolutions of wavelet bands on the CPU, compared with ``conv2d``.

    python -m benchmarks.convolutions [--shape 4x32x64x64] [--quick]

Times forward, and forward and backward (for the data and the parameters), of
``WTConv2d``, of depthwise ``conv2d`` with the same kernel and with the same
receptive field, and of ``conv2d`` across channels, interleaved. Writes
``convolutions.md`` into ``benchmarks/results``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.machine import processor, processors, versions
from benchmarks.measuring import ROOT, interleaved
from benchmarks.pooling import set_all_threads
from benchmarks.torch_libraries import Prepared
from benchmarks.torch_peers import both_run, forward_run

PAGE = ROOT / "benchmarks" / "results" / "convolutions.md"
SHAPE, QUICK_SHAPE = (4, 32, 64, 64), (1, 2, 16, 16)
KERNEL, LEVELS = 5, (1, 2)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shape", help="as 4x32x64x64")
    parser.add_argument("--rounds", type=int, default=11, help="timed runs of each (11)")
    parser.add_argument("--quick", action="store_true", help="a small image, three runs")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page that is written")
    arguments = parser.parse_args(argv)
    set_all_threads(1 if arguments.quick else processors())
    shape = QUICK_SHAPE if arguments.quick else SHAPE
    if arguments.shape is not None:
        shape = tuple(map(int, arguments.shape.split("x")))
    rounds = 3 if arguments.quick else arguments.rounds
    text = page(measured(shape, rounds), shape, rounds)
    arguments.out.write_text(text, encoding="utf-8")
    print(text)


def layers(channels: int) -> dict[str, Any]:
    """The compared layers by name; each has the receptive field that its name says."""
    from torch import nn

    from liftwave.torch import WTConv2d

    layers: dict[str, Any] = {}
    for level in LEVELS:
        layers[f"WTConv2d({KERNEL}), level {level}"] = WTConv2d(channels, KERNEL, level)
    for size in (KERNEL, *(2**level * KERNEL + 1 for level in LEVELS)):
        options: Any = {"padding": "same", "groups": channels}
        layers[f"depthwise conv2d({size})"] = nn.Conv2d(channels, channels, size, **options)
    layers["conv2d(3) across channels"] = nn.Conv2d(channels, channels, 3, padding=1)
    return layers


def measured(shape: tuple[int, ...], rounds: int) -> dict[str, tuple[float, float, int]]:
    """Seconds forward, forward and backward, and the number of parameters."""
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    runs: dict[str, Callable[[], object]] = {}
    counts = {}
    for name, layer in layers(shape[1]).items():
        prepared = Prepared(layer, tuple(layer.parameters()))
        runs[f"{name}: forward"], runs[f"{name}: both"] = (
            forward_run(prepared, x),
            both_run(prepared, x),
        )
        counts[name] = sum(p.numel() for p in layer.parameters())
    times = {name: median(found) for name, found in interleaved(runs, rounds, 2e-3).items()}
    return {name: (times[f"{name}: forward"], times[f"{name}: both"], counts[name])
            for name in counts}  # fmt: skip


def page(found: dict[str, tuple[float, float, int]], shape: tuple[int, ...], rounds: int) -> str:
    """``convolutions.md``."""
    lines = [
        "# Convolutions of wavelet bands on the CPU\n",
        f"{processor()}, {processors()} threads. {versions(['liftwave', 'torch', 'numpy'])}.",
        f"Images of {' × '.join(map(str, shape))}, single precision; medians of {rounds} "
        "interleaved runs.",
        "A depthwise convolution of `2**level * kernel + 1` samples covers at least the receptive "
        "field of `WTConv2d`.\n",
        "```console\n$ python -m benchmarks.convolutions\n```\n",
        "| layer | forward, ms | forward and backward, ms | parameters |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, (forward, both, count) in found.items():
        lines.append(f"| {name} | {forward * 1e3:.2f} | {both * 1e3:.2f} | {count} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
