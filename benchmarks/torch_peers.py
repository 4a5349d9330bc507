"""Differentiable transforms of torch tensors on the CPU: liftwave against its peers.

    python -m benchmarks.torch_peers [CASE ...] [--quick]

Times forward, and forward and backward, of two-dimensional transforms of
batches of images, with fixed and with learned taps, compared with ptwt,
pytorch_wavelets and plain ``conv2d``. Measures the memory saved for the backward
pass, and the peak. Writes ``torch_peers.md`` into ``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.checking import MISSING
from benchmarks.conventions import Bands, decomposition, pywt_split
from benchmarks.libraries import set_threads
from benchmarks.machine import caches, processor, processors, versions
from benchmarks.measuring import ROOT, interleaved
from benchmarks.memory import RESET, beyond
from benchmarks.torch_checking import checked, tensors
from benchmarks.torch_libraries import CASES, SUBJECTS, Case, Prepared, Subject, available

PAGE = ROOT / "benchmarks" / "results" / "torch_peers.md"
QUICK_SHAPE = (2, 3, 64, 64)
TARGET = 5.0


@dataclass
class Found:
    """One subject in one case: medians in seconds, bytes, and the result of the check."""

    verdict: str
    forward: float = 0.0
    both: float = 0.0
    forward_ratio: float = 1.0
    both_ratio: float = 1.0
    saved: int = 0
    peak: int | None = None


@dataclass
class Measured:
    """One case, with the results by subject."""

    case: Case
    copy: float
    subjects: dict[str, Found] = field(default_factory=dict)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="*", help="parts of cases' names; all by default")
    parser.add_argument("--rounds", type=int, default=9, help="timed runs of each (9)")
    parser.add_argument("--quick", action="store_true", help="small images, three runs")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page that is written")
    parser.add_argument("--peak", metavar="SUBJECT", help="print this subject's peak in the case")
    arguments = parser.parse_args(argv)
    set_threads(1 if arguments.quick else processors())
    chosen = [sized(case, arguments.quick) for case in CASES if _matches(case, arguments.cases)]
    if arguments.peak is not None:
        print(peak(next(s for s in SUBJECTS if s.name == arguments.peak), chosen[0]))
        return
    rounds = 3 if arguments.quick else arguments.rounds
    found = [measure(case, rounds, with_peaks=not arguments.quick) for case in chosen]
    arguments.out.write_text(page(found, rounds), encoding="utf-8")


def _matches(case: Case, parts: list[str]) -> bool:
    return not parts or any(part in case.name for part in parts)


def sized(case: Case, quick: bool) -> Case:
    """The case at the measured size."""
    return replace(case, shape=QUICK_SHAPE) if quick else case


# --- measuring -----------------------------------------------------------------------------------


def measure(case: Case, rounds: int, with_peaks: bool = True) -> Measured:
    """Check everything, then time all subjects in turn."""
    x = np.random.default_rng(0).standard_normal(case.shape).astype(case.dtype)
    if case.channels_last:
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    verdicts = _verdicts(case, x)
    runs: dict[str, Callable[[], object]] = {"copy": partial(x.copy, order="K")}
    saved = {}
    for subject in available():
        prepared = subject.prepare(subject.settled(case))
        if prepared is None or verdicts[subject.name].startswith("fails"):
            continue
        runs[f"{subject.name}: forward"] = forward_run(prepared, x)
        runs[f"{subject.name}: both"], saved[subject.name] = (
            both_run(prepared, x),
            kept(prepared, x),
        )
    times = interleaved(runs, rounds, before="itself")
    found = Measured(case, median(times["copy"]))
    for name, verdict in verdicts.items():
        found.subjects[name] = each = Found(verdict)
        if name in saved:
            _fill(each, name, times)
            each.saved = saved[name]
            each.peak = peak_elsewhere(name, case) if with_peaks else None
            print(f"{case.name:32}{name:32}{each.both * 1e3:9.1f} ms {each.verdict}", flush=True)
    return found


def _verdicts(case: Case, x: np.ndarray) -> dict[str, str]:
    expected: dict[str, Bands] = {}
    found = {}
    for subject in available():
        settled = subject.settled(case)
        if settled.mode not in expected:
            row = settled.row()
            expected[settled.mode] = decomposition(pywt_split(row), row, x)
        found[subject.name] = checked(subject, settled, x, expected[settled.mode])
    return found


def forward_run(prepared: Prepared, x: np.ndarray) -> Callable[[], object]:
    import torch

    return forward_run_on(prepared, torch.from_numpy(x))


def forward_run_on(prepared: Prepared, tensor: Any) -> Callable[[], object]:
    import torch

    def run() -> object:
        with torch.no_grad():
            return prepared.transform(tensor)

    return run


def both_run(prepared: Prepared, x: np.ndarray) -> Callable[[], object]:
    """The gradients of the data and of learned taps, for random incoming gradients."""
    import torch

    return both_run_on(prepared, torch.from_numpy(x))


def both_run_on(prepared: Prepared, tensor: Any) -> Callable[[], object]:
    """The same for a tensor, with incoming gradients in the format of the results."""
    import torch

    tensor = tensor.requires_grad_()
    weights = [torch.randn_like(each) for each in tensors(prepared.transform(tensor))]

    def run() -> object:
        outputs = tensors(prepared.transform(tensor))
        return torch.autograd.grad(outputs, (tensor, *prepared.taps), weights)

    return run


def kept(prepared: Prepared, x: np.ndarray) -> int:
    """Bytes that the graph saves for the backward pass, beyond the input, taps and outputs.

    Every block of memory counts once and completely, for any number of saved views.
    """
    import torch

    blocks: dict[int, int] = {}

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        blocks[storage.data_ptr()] = storage.nbytes()
        return tensor

    tensor = torch.from_numpy(x).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda packed: packed):
        outputs = tensors(prepared.transform(tensor))
    for known in (tensor, *prepared.taps, *outputs):
        blocks.pop(known.untyped_storage().data_ptr(), None)
    return sum(blocks.values())


def _fill(found: Found, name: str, times: dict[str, list[float]]) -> None:
    found.forward, found.both = (median(times[f"{name}: {what}"]) for what in ("forward", "both"))
    for what in ("forward", "both"):
        pairs = zip(times[f"{name}: {what}"], times[f"liftwave: {what}"], strict=True)
        setattr(found, f"{what}_ratio", median(theirs / ours for theirs, ours in pairs))


def peak(subject: Subject, case: Case) -> int:
    """Bytes of forward and backward beyond the input and the incoming gradients."""
    small = replace(case, shape=QUICK_SHAPE)
    for warm_up in (True, False):
        settled = subject.settled(small if warm_up else case)
        prepared = subject.prepare(settled)
        assert prepared is not None
        # A transform computes the incoming gradients; its memory is released.
        run = both_run(prepared, np.ones(settled.shape, settled.dtype))
        if warm_up:
            run()
    return beyond(run)


def peak_elsewhere(name: str, case: Case) -> int | None:
    """The peak in a separate process, on Linux only."""
    if not RESET.exists():
        return None
    command = [sys.executable, "-m", "benchmarks.torch_peers", case.name, "--peak", name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    return int(done.stdout) if done.returncode == 0 else None


# --- the page ------------------------------------------------------------------------------------

_LEGEND = """\
`forward` is without recording, `both` is forward and backward for the data (and for learned taps).
Beside each is how many times longer than `liftwave` it takes, the median over the runs. `kept` is
the memory that the graph saves for the backward pass beyond input, taps and outputs. `peak` is the
largest resident size of forward and backward minus that before, in a separate process. Both are
multiples of the input. Before the timing, each result is compared with that of PyWavelets at full
size, its gradient of the data with the transposed matrix of PyWavelets' transform, and that of the
taps with finite differences.

The modes are zero, which all libraries support, and periodization for lifting.
"""


def page(found: list[Measured], rounds: int) -> str:
    """``torch_peers.md``."""
    packages = ["liftwave", "torch", *(subject.package for subject in available())]
    command = " ".join(["python -m benchmarks.torch_peers", *sys.argv[1:]])
    parts = [
        "# Differentiable transforms on the CPU\n",
        f"{processor()} (caches: {caches() or 'unknown'}), {processors()} threads.",
        f"{versions(packages)}.",
        f"Medians of {rounds} runs, the libraries interleaved within each, after "
        "an untimed call.\n",
        f"```console\n$ {command}\n```\n",
        _LEGEND,
        *(_section(each) for each in found),
        "## Targets\n",
        _targets(found),
    ]
    return "\n".join(parts)


def _section(found: Measured) -> str:
    case = found.case
    size = int(np.prod(case.shape)) * np.dtype(case.dtype).itemsize
    lines = [["", "forward", "", "both", "", "kept", "peak", "check"], ["---"] * 8]
    for name, each in found.subjects.items():
        if not each.both:
            lines.append([name, *[MISSING] * 6, each.verdict])
            continue
        lines.append([
            name,
            f"{each.forward * 1e3:.1f} ms",
            f"{each.forward_ratio:.2f}",
            f"{each.both * 1e3:.1f} ms",
            f"{each.both_ratio:.2f}",
            f"{each.saved / size:.2f}",
            MISSING if each.peak is None else f"{each.peak / size:.2f}",
            each.verdict or "right",
        ])  # fmt: skip
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    title = f"## {case.name}: `{case.wavelet}`, {case.dtype}, {size >> 20} MiB"
    return f"{title}\n\n`x.copy()` takes {found.copy * 1e3:.1f} ms.\n\n{table}\n"


def _targets(found: list[Measured]) -> str:
    lines = ["| | fastest right peer, fixed taps | learned taps | kept by lifting |"]
    lines.append("| --- | --- | --- | --- |")
    for each in found:
        fixed = _fastest(each, "", "liftwave")
        learned = _fastest(each, ", taps learned", "liftwave, taps learned")
        kept_bytes = each.subjects["liftwave lifting"].saved
        lines.append(f"| {each.case.name} | {fixed} | {learned} | {kept_bytes} bytes |")
    return "\n".join(lines) + "\n"


def _fastest(found: Measured, suffix: str, ours: str) -> str:
    """The ratio of the fastest peer's time, forward and backward, to ours, with the verdict."""
    peers = {
        name: each.both
        for name, each in found.subjects.items()
        if not name.startswith("liftwave")
        and name.endswith("learned") == bool(suffix)
        and each.both
        and not each.verdict
    }
    if not peers or not found.subjects[ours].both:
        return MISSING
    name = min(peers, key=peers.__getitem__)
    ratio = peers[name] / found.subjects[ours].both
    verdict = "met" if ratio >= TARGET else f"missed: {TARGET:g}"
    return f"{name.removesuffix(suffix)}: {ratio:.2f} times ({verdict})"


if __name__ == "__main__":
    main()
