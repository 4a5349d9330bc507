"""Pooling layers on the CPU: liftwave compared with plain operations of torch, and copies.

    python -m benchmarks.pooling [SHAPE ...] [--quick] [--only NAME]

Times forward, and forward and backward (for the data and the parameters),
of all pooling layers, of the same layers in plain operations of torch, of
torch's own max and average pooling, of kornia's BlurPool2D, and of a copy of
the input, interleaved.
Times the layers with the channels last and in half precision, too. Measures
the memory saved for the backward pass, and the peak. Writes ``pooling.md``
into ``benchmarks/results``. With ``--only`` it prints the rows of some functions.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import pooling_formats
from benchmarks.checking import MISSING
from benchmarks.libraries import set_threads
from benchmarks.machine import caches, processor, processors, versions
from benchmarks.measuring import ROOT, interleaved
from benchmarks.memory import RESET, beyond
from benchmarks.pooling_layers import LAYERS, Layer, Shape, available, blur_layers, rulers
from benchmarks.torch_libraries import Prepared
from benchmarks.torch_peers import both_run, forward_run, kept

PAGE = ROOT / "benchmarks" / "results" / "pooling.md"
SHAPES: tuple[Shape, ...] = ((16, 64, 112, 112), (4, 16, 64, 64), (1, 3, 1024, 1024))
QUICK_SHAPE = (2, 3, 16, 32)
MAX, AVERAGE = "torch max_pool2d", "torch avg_pool2d"
PLAIN = ", plain"
# Relative to a number's size and the mean size; single precision, and sums over all of the data.
# Inverse distances of samples close to the mean of their region have fewer digits, and those of
# plain operations are NaN for samples at the mean: some can differ by more.
TOLERANCE, EXCEPTIONS = 1e-4, 1e-3


@dataclass
class Timed:
    """One function: medians in seconds, and ratios to copies and others by round."""

    forward: float = 0.0
    both: float = 0.0
    forward_ratios: dict[str, float] = field(default_factory=dict)
    both_ratios: dict[str, float] = field(default_factory=dict)
    saved: int = 0
    peak: int | None = None
    verdict: str = ""


@dataclass
class Measured:
    """One shape, with the results by function."""

    shape: Shape
    copy: float
    functions: dict[str, Timed]
    formats: list[pooling_formats.Row] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The bytes of the input."""
        return int(np.prod(self.shape)) * 4


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("shapes", nargs="*", help="as 16x64x112x112; three by default")
    parser.add_argument("--rounds", type=int, default=11, help="timed runs of each (11)")
    parser.add_argument("--quick", action="store_true", help="a small image, three runs")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page that is written")
    parser.add_argument("--only", metavar="NAME", help="print the rows whose names have this part")
    parser.add_argument("--peak", metavar="NAME", help="print this function's peak of memory")
    arguments = parser.parse_args(argv)
    set_all_threads(1 if arguments.quick else processors())
    shapes = [_read(text) for text in arguments.shapes]
    shapes = shapes or ([QUICK_SHAPE] if arguments.quick else list(SHAPES))
    if arguments.peak is not None:
        print(peak(arguments.peak, shapes[0]))
        return
    rounds = 3 if arguments.quick else arguments.rounds
    if arguments.only is not None:
        for shape in shapes:
            print(_section(measure(shape, rounds, not arguments.quick, arguments.only)))
        return
    found = [measure(shape, rounds, with_peaks=not arguments.quick) for shape in shapes]
    arguments.out.write_text(page(found, rounds), encoding="utf-8")


def set_all_threads(count: int) -> None:
    """The same number of threads for liftwave, its peers and torch."""
    import torch

    set_threads(count)
    torch.set_num_threads(count)


def _read(text: str) -> Shape:
    return tuple(map(int, text.split("x")))


# --- measuring -----------------------------------------------------------------------------------


def functions(shape: Shape, only: str = "") -> dict[str, Prepared]:
    """The timed functions by name: each layer is followed by its plain version.

    With ``only`` those with this part in their names, and torch's own.
    """
    layers = blur_layers()
    for layer in available():
        if only in layer.name:
            layers[layer.name], layers[layer.name + PLAIN] = layer.prepare(shape)
    return rulers() | {name: each for name, each in layers.items() if only in name}


def measure(shape: Shape, rounds: int, with_peaks: bool = True, only: str = "") -> Measured:
    """Check all layers, then time them in turn."""
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    every = functions(shape, only)
    verdicts = {name: checked(every, name, x) for name in every if name + PLAIN in every}
    runs: dict[str, Callable[[], object]] = {"copy": x.copy}
    for name, prepared in every.items():
        runs[f"{name}: forward"], runs[f"{name}: both"] = (
            forward_run(prepared, x),
            both_run(prepared, x),
        )
    small = x.nbytes < 1 << 20
    times = interleaved(runs, rounds, 2e-3 if small else 0.0, before="itself")
    found = Measured(shape, median(times["copy"]), {})
    for name, prepared in every.items():
        found.functions[name] = timed = _timed(name, times)
        timed.saved, timed.verdict = kept(prepared, x), verdicts.get(name, "")
        timed.peak = peak_elsewhere(name, shape) if with_peaks else None
        print(f"{_named(shape):22}{name:28}{timed.both * 1e3:9.2f} ms {timed.verdict}", flush=True)
    found.formats = [] if only else pooling_formats.measure(shape, rounds)
    return found


def _timed(name: str, times: dict[str, list[float]]) -> Timed:
    timed = Timed(median(times[f"{name}: forward"]), median(times[f"{name}: both"]))
    for part, ratios in (("forward", timed.forward_ratios), ("both", timed.both_ratios)):
        ours = times[f"{name}: {part}"]
        against = {"copy": times["copy"]}
        for other in (MAX, AVERAGE, name + PLAIN):
            against[other] = times.get(f"{other}: {part}", [])
        for other, theirs in against.items():
            if theirs:
                ratios[other] = median(a / b for a, b in zip(ours, theirs, strict=True))
    return timed


def checked(every: dict[str, Prepared], name: str, x: np.ndarray) -> str:
    """Empty if a layer and the plain one agree in results and gradients, else the difference."""
    import torch

    results = []
    for prepared in (every[name], every[name + PLAIN]):
        tensor = torch.from_numpy(x).requires_grad_()
        y = prepared.transform(tensor)
        weight = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
        results.append([y, *torch.autograd.grad(y, (tensor, *prepared.taps), weight)])
    for number, (ours, plain) in enumerate(zip(*results, strict=True)):
        size = plain.abs()
        wrong = ~((ours - plain).abs() <= TOLERANCE * (size + size.nanmean()))
        if wrong.double().mean() > EXCEPTIONS:
            return f"differs: {f'gradient {number}' if number else 'result'}"
    return ""


def peak(name: str, shape: Shape) -> int:
    """Bytes of forward and backward beyond the input and the incoming gradients."""
    for each in (QUICK_SHAPE[:2] + shape[2:], shape):  # the first is a warm-up
        x = np.ones(each, "float32")
        run = both_run(functions(each)[name], x)
        if each != shape:
            run()
    return beyond(run)


def peak_elsewhere(name: str, shape: Shape) -> int | None:
    """The peak in a separate process, on Linux only."""
    if not RESET.exists():
        return None
    text = "x".join(map(str, shape))
    command = [sys.executable, "-m", "benchmarks.pooling", text, "--peak", name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    return int(done.stdout) if done.returncode == 0 else None


# --- the page ------------------------------------------------------------------------------------

_LEGEND = """\
`forward` is without recording, `both` is forward and backward, for the data and the parameters.
`copies` is the ratio to the time of `x.copy()`, `max pool` that to `max_pool2d` with kernel 2 and
stride 2. `plain` is how many times longer the same layer takes in plain operations of torch. All
are medians over the runs of ratios within a run. `kept` is the memory that the graph saves for the
backward pass beyond input, parameters and result. `peak` is the largest resident size of forward
and backward minus that before, in a separate process. Both are multiples of the input. Each layer's
result and gradients are compared with those of the plain operations before the timing.
"""


def page(found: list[Measured], rounds: int) -> str:
    """``pooling.md``."""
    command = " ".join(["python -m benchmarks.pooling", *sys.argv[1:]])
    parts = [
        "# Pooling layers on the CPU\n",
        f"{processor()} (caches: {caches() or 'unknown'}), {processors()} threads.",
        f"{versions(['liftwave', 'torch', 'numpy'])}.",
        f"Medians of {rounds} runs, interleaved within each, after an untimed call; "
        "single precision.\n",
        f"```console\n$ {command}\n```\n",
        _LEGEND,
        *map(_section, found),
        "## Memory formats and half precision\n",
        pooling_formats.LEGEND,
        *(
            f"### {_named(each.shape)}\n\n{pooling_formats.table(each.formats, _time)}"
            for each in found
        ),
        "## Targets\n",
        f"Images of {_named(found[0].shape)}; copies at most, times faster than plain at least.\n",
        _targets(found[0]),
    ]
    return "\n".join(parts)


def _named(shape: Shape) -> str:
    return " × ".join(map(str, shape))


def _section(found: Measured) -> str:
    heading = ["", "forward", "copies", "max pool", "plain"]
    heading += ["both", "copies", "max pool", "plain", "kept", "peak", "check"]
    rows = [heading, ["---"] * len(heading)]
    rows += [_row(name, each, found) for name, each in found.functions.items()]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    size = f"{found.size / 2**20:.3g} MiB"
    return f"## {_named(found.shape)}, {size}\n\n`x.copy()` takes {_time(found.copy)}.\n\n{table}\n"


def _row(name: str, timed: Timed, found: Measured) -> list[str]:
    cells = [name]
    for seconds, ratios in (
        (timed.forward, timed.forward_ratios),
        (timed.both, timed.both_ratios),
    ):
        plain = ratios.get(name + PLAIN)
        cells += [_time(seconds), f"{ratios['copy']:.2f}", f"{ratios[MAX]:.2f}"]
        cells.append(MISSING if plain is None else f"{1 / plain:.2f}")
    peaks = MISSING if timed.peak is None else f"{timed.peak / found.size:.2f}"
    verdict = timed.verdict or (MISSING if name + PLAIN not in found.functions else "right")
    return [*cells, f"{timed.saved / found.size:.2f}", peaks, verdict]


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms" if seconds > 1e-3 else f"{seconds * 1e6:.0f} µs"


def _targets(found: Measured) -> str:
    lines = ["| | forward, copies | both, copies | forward, plain | both, plain |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for layer in LAYERS:
        if layer.name in found.functions:
            lines.append(f"| {layer.name} | {' | '.join(_verdicts(layer, found))} |")
    return "\n".join(lines) + "\n"


def _verdicts(layer: Layer, found: Measured) -> list[str]:
    timed = found.functions[layer.name]
    plain = layer.name + PLAIN
    return [
        _at_most(timed.forward_ratios["copy"], layer.forward_copies),
        _at_most(timed.both_ratios["copy"], layer.both_copies),
        _at_least(1 / timed.forward_ratios[plain], layer.forward_faster),
        _at_least(1 / timed.both_ratios[plain], layer.both_faster),
    ]


def _at_most(value: float, goal: float | None) -> str:
    if goal is None:
        return f"{value:.2f}"
    return f"{value:.2f} ({'met' if value <= goal else 'missed'}: {goal:g})"


def _at_least(value: float, goal: float | None) -> str:
    if goal is None:
        return f"{value:.2f}"
    return f"{value:.2f} ({'met' if value >= goal else 'missed'}: {goal:g})"


if __name__ == "__main__":
    main()
