"""Transforms and layers on a GPU: shares of its memory's bandwidth, and other libraries.

    python -m benchmarks.gpu [ROW ...] [--quick]

First measures the bandwidth of copies within the device's memory, then batches of about 1 GB: one
level in two dimensions, its inverse, several levels, volumes, signals, lifting, undecimated
transforms, pooling layers, forward and backward, compared with ptwt, pytorch_wavelets, ``conv2d``
and plain operations of torch. Each result is checked first. Then measures the latency of small
inputs, plain and as CUDA graphs. Writes ``gpu.md`` into ``benchmarks/results``. ``--device cpu
--quick`` tests the program.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.checking import MISSING
from benchmarks.gpu_rows import (
    LATENCY,
    ROWS,
    Contender,
    GpuRow,
    checked,
    contenders,
    gigabytes,
    moved,
)
from benchmarks.machine import processor, versions
from benchmarks.measuring import ROOT
from benchmarks.torch_checking import tensors

PAGE = ROOT / "benchmarks" / "results" / "gpu.md"
COPIED = 2 << 30
AHEAD = 2_000_000
"""Cycles, about a millisecond, that a device waits while Python launches a timed run."""
ERRORS = (RuntimeError, ValueError, TypeError, NotImplementedError)
Run = Callable[[], object]


@dataclass
class Found:
    """One row: seconds by contender, ratios to ours by round, and the results of checks."""

    row: GpuRow
    share: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rows", nargs="*", help="parts of rows' names; all by default")
    parser.add_argument("--rounds", type=int, default=15, help="timed runs of each (15)")
    parser.add_argument("--quick", action="store_true", help="small arrays, three runs")
    parser.add_argument("--device", default="cuda", help="of torch (cuda)")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page that is written")
    arguments = parser.parse_args(argv)
    import torch

    if arguments.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error("torch has no CUDA device here; --device cpu --quick tries the program")
    rounds = 3 if arguments.quick else arguments.rounds
    clock = Clock(arguments.device)
    bandwidth = copy_bandwidth(clock, 1 << 20 if arguments.quick else COPIED, rounds)
    print(f"copies move {bandwidth / 1e9:.0f} GB/s", flush=True)
    found: list[Found] = []
    latencies: list[tuple[GpuRow, dict[str, float]]] = []

    def save() -> None:
        text = page(found, latencies, bandwidth, rounds, arguments.device)
        arguments.out.write_text(text, encoding="utf-8")

    # The page is written after each row, so that an interrupted run leaves the rows before.
    for row in ROWS:
        if _matches(row, arguments.rows):
            found.append(measured(row.sized(arguments.quick), clock, bandwidth, rounds))
            save()
    for row in LATENCY:
        if _matches(row, arguments.rows):
            latencies.append(latency(row, clock, arguments.quick))
            save()
    save()


def _matches(row: GpuRow, parts: list[str]) -> bool:
    return not parts or any(part in row.name for part in parts)


# --- measuring -----------------------------------------------------------------------------------


class Clock:
    """Times runs by events on a device, and by the wall clock on the CPU."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.on_gpu = device.startswith("cuda")

    def seconds(self, run: Run) -> float:
        """Time one run, which starts after all previous work.

        On a device, the launches of the run are queued behind a waiting kernel. So the time of
        Python is not part of the result, unless it is longer than ``AHEAD``.
        """
        self.wait()
        if not self.on_gpu:
            start = time.perf_counter()
            run()
            return time.perf_counter() - start
        import torch

        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda._sleep(AHEAD)
        begin.record()
        run()
        end.record()
        end.synchronize()
        return float(begin.elapsed_time(end)) / 1e3

    def wait(self) -> None:
        """Wait until the device has finished all work."""
        if self.on_gpu:
            import torch

            torch.cuda.synchronize()

    def interleaved(self, runs: dict[str, Run], rounds: int) -> dict[str, list[float]]:
        """The times of each in turn, after two untimed runs."""
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(2):
            for run in runs.values():
                run()
        for _ in range(rounds):
            for name, run in runs.items():
                times[name].append(self.seconds(run))
        return times


def copy_bandwidth(clock: Clock, size: int, rounds: int) -> float:
    """Bytes read and written per second by copies within the device's memory."""
    import torch

    source = torch.randint(0, 256, (size,), dtype=torch.uint8, device=clock.device)
    target = torch.empty_like(source)
    times = clock.interleaved({"copy": lambda: target.copy_(source)}, max(rounds, 9))
    return 2 * size / median(times["copy"])


def measured(row: GpuRow, clock: Clock, bandwidth: float, rounds: int) -> Found:
    """The measurement of a row, or its error."""
    try:
        return measure(row, clock, bandwidth, rounds)
    except ERRORS as error:
        print(f"{row.name:44} fails: {error}", flush=True)
        return Found(row, verdicts={"liftwave": failure(error)})


def failure(error: Exception) -> str:
    """An error as a verdict."""
    return f"fails: {type(error).__name__}: {str(error)[:60]}"


def on_device(make: Callable[[], Contender], clock: Clock) -> Contender:
    """A contender with its tensors on the device.

    The device is the default only while the contender is built: in timed calls, the default would
    cost time of Python in each call of torch.
    """
    import torch

    with torch.device(clock.device):
        return make()


def measure(row: GpuRow, clock: Clock, bandwidth: float, rounds: int) -> Found:
    """Check all contenders, then time them in turn."""
    x = row.input(clock.device)
    found, runs, bytes_moved = Found(row), {}, 0
    for name, make in contenders(row, x):
        try:
            contender = on_device(make, clock)
            found.verdicts[name] = checked(row, contender, x)
            runs[name] = run_of(row, contender)
            runs[name]()
        except ERRORS as error:
            found.verdicts[name] = failure(error)
            runs.pop(name, None)
            continue
        if name == "liftwave":
            bytes_moved = moved(row, contender)
    if row.kind == "layer":
        found.verdicts["liftwave"] = agreeing(row, x, clock)
    times = clock.interleaved(runs, rounds)
    found.seconds = {name: median(each) for name, each in times.items()}
    ours = times.get("liftwave", [])
    for name, each in times.items():
        if name != "liftwave" and ours:
            found.ratios[name] = median(a / b for a, b in zip(each, ours, strict=True))
    if ours:
        found.share = bytes_moved / found.seconds["liftwave"] / bandwidth
    said = ", ".join(f"{name} {t * 1e3:.2f} ms" for name, t in found.seconds.items())
    print(f"{row.name:44} {found.share:5.2f}  {said}", flush=True)
    return found


def run_of(row: GpuRow, contender: Contender) -> Run:
    """The timed call: forward without recording, or forward and backward."""
    import torch

    if not row.both:

        def forward() -> object:
            with torch.no_grad():
                return contender.function(contender.data)

        return forward
    x = contender.data.detach().requires_grad_()
    weights = [torch.randn_like(y) for y in tensors(contender.function(x))]

    def both() -> object:
        outputs = tensors(contender.function(x))
        return torch.autograd.grad(outputs, (x, *contender.learned), weights)

    return both


def agreeing(row: GpuRow, x: Any, clock: Clock) -> str:
    """Empty if a layer and plain operations agree in results and gradients."""
    import torch

    results = []
    for _, make in contenders(row, x):
        contender, tensor = on_device(make, clock), x.detach().requires_grad_()
        y = contender.function(tensor)
        torch.manual_seed(1)
        weight = torch.randn_like(y)
        results.append([y, *torch.autograd.grad(y, (tensor, *contender.learned), weight)])
    for number, (ours, plain) in enumerate(zip(*results, strict=True)):
        size = plain.abs()
        if ((ours - plain).abs() > 1e-4 * (size + size.mean())).double().mean() > 1e-3:
            return f"differs: {f'gradient {number}' if number else 'result'}"
    return ""


def latency(row: GpuRow, clock: Clock, quick: bool) -> tuple[GpuRow, dict[str, float]]:
    """Seconds per call in a sequence of calls, plain and as a CUDA graph."""
    import torch

    x, found = row.input(clock.device), {}
    calls = 20 if quick else 2000
    for name, make in contenders(row, x):
        run = run_of(row, on_device(make, clock))
        for _ in range(10):
            run()
        found[name] = _each(run, calls, clock)
        if name == "liftwave" and clock.on_gpu:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                run()
            found["liftwave, as a graph"] = _each(graph.replay, calls, clock)
    print(f"{row.name:44}", {name: f"{t * 1e6:.1f} µs" for name, t in found.items()}, flush=True)
    return row, found


def _each(run: Run, calls: int, clock: Clock) -> float:
    clock.wait()
    start = time.perf_counter()
    for _ in range(calls):
        run()
    clock.wait()
    return (time.perf_counter() - start) / calls


# --- the page ------------------------------------------------------------------------------------

_LEGEND = """\
`share` is the bytes of input and result, divided by the time and by the bandwidth of copies. With
the backward pass, the bytes include the gradients, and for layers the input a second time. The
column of each other library contains how many times longer it takes, the median over the runs.
Before the timing, results of the first and the last item of the batch are compared with those of
PyWavelets in double precision, and results of layers with those of plain operations at full size.
"""


def page(
    found: list[Found],
    latencies: list[tuple[GpuRow, dict[str, float]]],
    bandwidth: float,
    rounds: int,
    device: str,
) -> str:
    """``gpu.md``."""
    others = list(dict.fromkeys(name for each in found for name in each.ratios))
    heading = ["row", "input", "time", "share", "target", *others, "check"]
    lines = [heading, ["---"] * len(heading), *(_line(each, others) for each in found)]
    command = " ".join(["python -m benchmarks.gpu", *sys.argv[1:]])
    names = list(dict.fromkeys(name for _, each in latencies for name in each))
    small = [["", *names], ["---"] * (1 + len(names))]
    for row, each in latencies:
        cells = [f"{each[n] * 1e6:.1f} µs" if n in each else MISSING for n in names]
        small.append([row.name, *cells])
    parts = [
        f"# {card(device)}\n",
        f"{driver(device)}{processor()}. Copies within its memory move "
        f"{bandwidth / 1e9:.0f} GB/s, bytes read and written.",
        f"{versions(_packages(found))}. Medians of {rounds} runs, interleaved.\n",
        f"```console\n$ {command}\n```\n",
        _LEGEND,
        _table(lines),
        "\n## Latency of small inputs\n",
        "Calls one after the other, from Python.\n",
        _table(small),
    ]
    return "\n".join(parts) + "\n"


def _table(lines: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _line(found: Found, others: list[str]) -> list[str]:
    row, ours = found.row, found.seconds.get("liftwave")
    wrong = {n: v for n, v in found.verdicts.items() if v and n != "liftwave"}
    said = found.verdicts.get("liftwave") or "right"
    said += "".join(f"; {name} {verdict}" for name, verdict in wrong.items())
    return [
        row.name,
        f"{' × '.join(map(str, row.shape))} {row.dtype}, {gigabytes(row):.2g} GB",
        MISSING if ours is None else f"{ours * 1e3:.3g} ms",
        f"{found.share:.2f}",
        _target(found),
        *(f"{found.ratios[n]:.2f}" if n in found.ratios else MISSING for n in others),
        said,
    ]


def _target(found: Found) -> str:
    row, said = found.row, []
    if row.share is not None:
        said.append(f"{row.share:g} {'met' if found.share >= row.share else 'missed'}")
    if row.faster is not None and found.ratios:
        right = [n for n in found.ratios if n != "conv2d" and not found.verdicts[n]]
        wavelets = {n: found.ratios[n] for n in right}
        least = min(wavelets.values(), default=row.faster)
        said.append(f"{row.faster:g} times {'met' if least >= row.faster else 'missed'}")
    return ", ".join(said) or MISSING


def _packages(found: list[Found]) -> list[str]:
    names = {name for each in found for name in each.verdicts}
    return ["liftwave", "torch", *(n for n in ("ptwt", "pytorch_wavelets") if n in names)]


def card(device: str) -> str:
    """The name of the measured device."""
    import torch

    return torch.cuda.get_device_name(device) if device.startswith("cuda") else "Not a GPU"


def driver(device: str) -> str:
    """CUDA's and CuPy's versions."""
    import torch

    if not device.startswith("cuda"):
        return ""
    import cupy

    return f"CUDA {torch.version.cuda}, CuPy {cupy.__version__}; "


if __name__ == "__main__":
    main()
