"""The results as Markdown: the complete table, and the README's headline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.checking import MISSING
from benchmarks.measuring import Measured, exponent
from benchmarks.rows import Row, named

HEADLINE = (
    "dwt2 haar",
    "dwt2 db4",
    "dwt2 bior4.4",
    "wavedec2 db4, 4 levels",
    "waverec2 db4, 4 levels",
    "dwt db4",
    "dwtn bior4.4",
    "dwt2 CDF 5/3 integers",
)
BEGIN, END = "<!-- speed: begin -->", "<!-- speed: end -->"


@dataclass
class Results:
    """All measurements of one run, as stored in ``peers.json``."""

    command: str
    machine: str
    caches: str
    config: dict[str, str]
    versions: dict[str, str]
    rounds: int
    rows: list[Measured] = field(default_factory=list)
    growth: dict[str, dict[int, float]] = field(default_factory=dict)
    threads: dict[str, list[float]] = field(default_factory=dict)
    thread_counts: tuple[int, int] = (1, 2)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Results:
        rows = [Measured(**row) for row in stored.pop("rows")]
        growth = {
            name: {int(n): t for n, t in curve.items()}
            for name, curve in stored.pop("growth").items()
        }
        return cls(**stored, rows=rows, growth=growth)

    @property
    def peers(self) -> list[str]:
        """The measured libraries, without liftwave."""
        return [name for name in self.versions if name != "liftwave"]


# --- the page ------------------------------------------------------------------------------------


def page(results: Results) -> str:
    """``peers.md``."""
    return "\n".join(
        [
            "# liftwave against its peers on the CPU\n",
            _setting(results),
            "\n![Multiples of a copy, by row and library](peers.png)\n",
            "## Times and targets\n",
            _LEGEND,
            _table(*_targets(results)),
            "\n## Every library\n",
            _EVERY,
            _table(*_times(results)),
            "\n## Memory\n",
            _MEMORY,
            _table(*_memory(results)),
            *_findings(results),
            *_growth(results),
            "\n## Threads\n",
            f"liftwave, medians in milliseconds, {results.rounds} interleaved runs.\n",
            _table(*_threads(results)),
        ]
    )


_LEGEND = """\
`copies` is the time as a multiple of `x.copy()`, the median of each run's ratio to the two copies
around it. It includes the allocation and the page faults of the copy and of the result: liftwave
does not use memory of earlier results (`lw.set_reused_memory(0)`). `warm` is the same time as a
multiple of `np.copyto` into a buffer that is in memory already. `GB/s` counts one read of the input
and one write of the result. The column of each library contains how many times longer it takes, the
median over the runs; `–` means that it does not provide the transform.
Every result is compared with that of PyWavelets before the timing.

Targets are a maximum number of copies (`at most`), minimum ratios to PyWavelets and ndwt, and no
library faster than liftwave. The last column shows by how much a target is missed. `ndwt` are its
filter banks, in its own phase (for some wavelets, it returns the samples that PyWavelets drops).
`ndwt lifting` is its lifting, which treats non-periodic edges differently: there it is compared
away from the edges, and by its round trip.
"""

_EVERY = """\
Medians in milliseconds (small arrays: microseconds), and as multiples of the copy.
"""

_MEMORY = """\
The largest resident size during one call minus that before it, in a separate process for each
cell, as a multiple of the input's bytes. It includes the result and all scratch memory, but not the
input.
"""


def _setting(results: Results) -> str:
    versions = ", ".join(f"{name} {each}" for name, each in results.versions.items())
    config = "\n".join(f"{name:18}{value}" for name, value in results.config.items())
    return (
        f"{results.machine} (caches: {results.caches or 'unknown'}).\n"
        f"{versions}. PyWavelets runs on one thread, the others on {results.thread_counts[1]}.\n"
        f"Medians of {results.rounds} runs, the libraries interleaved within each.\n\n"
        f"```console\n$ {results.command}\n{config}\n```\n"
    )


def _targets(results: Results) -> tuple[list[str], list[list[str]]]:
    heading = ["row", "input", "copies", "at most", "warm", "GB/s", *results.peers, "targets"]
    rows = []
    for found in results.rows:
        row = named(found.name)
        ours = found.seconds["liftwave"]
        ratios = [_ratio(found, name) for name in results.peers]
        traffic = (found.input_bytes + found.result_bytes) / ours / 1e9
        rows.append([
            found.name,
            _input(found),
            MISSING if row.small else f"**{found.copies:.2f}**",
            MISSING if row.copies is None else f"{row.copies:g}",
            MISSING if row.small else f"{ours / found.copyto:.2f}",
            MISSING if row.small else f"{traffic:.1f}",
            *ratios,
            verdict(row, found),
        ])  # fmt: skip
    return heading, rows


def _input(found: Measured) -> str:
    size = found.input_bytes / 2**20
    shape = " × ".join(map(str, found.shape))
    return f"{shape} {found.dtype}, " + (f"{size:.0f} MiB" if size >= 1 else "in cache")


def _ratio(found: Measured, name: str) -> str:
    """The ratio of times, with the check's result; the library's target is in ``verdict``."""
    if name not in found.ratios:
        return MISSING
    return f"{found.ratios[name]:.3g}" + (" (wrong)" if found.verdicts[name] else "")


def verdict(row: Row, found: Measured) -> str:
    """``met``, or the missed targets with their values."""
    missed = []
    if row.copies is not None and found.copies > row.copies:
        missed.append(f"{found.copies:.2f} > {row.copies:g} copies")
    for name, ratio in found.ratios.items():
        least = row.faster.get(name, 1.0)
        if ratio < least:
            missed.append(f"{name} {ratio:.2g} < {least:g}")
    if found.verdicts["liftwave"]:
        missed.append(found.verdicts["liftwave"])
    return "; ".join(missed) or "met"


def _times(results: Results) -> tuple[list[str], list[list[str]]]:
    names = ["liftwave", *results.peers]
    rows = []
    for found in results.rows:
        small = named(found.name).small
        scale, digits = (1e6, 1) if small else (1e3, 1)
        cells = [
            f"{found.seconds[name] * scale:.{digits}f}"
            + ("" if small else f" ({found.seconds[name] / found.copy:.3g})")
            if name in found.seconds
            else MISSING
            for name in names
        ]
        copies = [f"{each * scale:.{digits}f}" for each in (found.copy, found.copyto)]
        rows.append([found.name, *copies, *cells])
    return ["row", "`x.copy()`", "`np.copyto`", *names], rows


def _memory(results: Results) -> tuple[list[str], list[list[str]]]:
    names = ["liftwave", *results.peers]
    rows = [
        [found.name, f"{found.result_bytes / found.input_bytes:.2f}"]
        + [
            f"{found.memory[name] / found.input_bytes:.2f}" if name in found.memory else MISSING
            for name in names
        ]
        for found in results.rows
        if found.memory
    ]
    return ["row", "result alone", *names], rows


def _findings(results: Results) -> list[str]:
    """The results of the checks."""
    found = [
        f"- {row.name}, {name}: {verdict}"
        for row in results.rows
        for name, verdict in row.verdicts.items()
        if verdict not in ("", MISSING)
    ]
    return ["\n## Results that differ from PyWavelets'\n", *(found or ["None."])]


def _growth(results: Results) -> list[str]:
    if not results.growth:
        return []
    return [
        "\n## Growth with size\n",
        _growth_text(results),
        "\n![Time per sample by number of samples](peers_growth.png)\n",
        _table(*_growth_table(results)),
    ]


def _growth_text(results: Results) -> str:
    powers = {name: exponent(curve) for name, curve in results.growth.items()}
    fitted = ", ".join(f"{name} {power:.3f}" for name, power in powers.items() if power)
    text = "`dwt` with db4 of float32 signals, symmetric: nanoseconds per sample."
    return f"{text} Fitted power of the number of samples beyond 2^15 (1 is linear): {fitted}.\n"


def _growth_table(results: Results) -> tuple[list[str], list[list[str]]]:
    names = list(results.growth)
    sizes = sorted({n for curve in results.growth.values() for n in curve})
    rows = [
        [f"2^{n.bit_length() - 1}"]
        + [
            f"{results.growth[name][n] / n * 1e9:.3f}" if n in results.growth[name] else MISSING
            for name in names
        ]
        for n in sizes
    ]
    return ["samples", *names], rows


def _threads(results: Results) -> tuple[list[str], list[list[str]]]:
    one, more = results.thread_counts
    rows = [
        [name, f"{a * 1e3:.2f}", f"{b * 1e3:.2f}", f"{a / b:.2f}"]
        for name, (a, b) in results.threads.items()
    ]
    return ["row", f"{one} thread", f"{more} threads", "times faster"], rows


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


# --- the README ----------------------------------------------------------------------------------


def headline(results: Results) -> str:
    """The README's section on speed."""
    peers = [name for name in results.peers if name != "ndwt lifting"]
    rows = [
        [
            found.name,
            _input(found),
            f"{found.seconds['liftwave'] * 1e3:.1f} ms",
            f"{found.copies:.1f}",
            *(_ratio(found, name) for name in peers),
        ]
        for found in results.rows
        if found.name in HEADLINE
    ]
    return "\n".join(
        [
            f"On {results.machine} with {results.thread_counts[1]} threads, in one run: liftwave's",
            "time, the time as a multiple of `x.copy()`, and how many times longer the others take",
            "for the same result (– means that a library does not provide the transform).\n",
            _table(["", "input", "liftwave", "copies", *peers], rows),
            "![Multiples of a copy, by row and library](benchmarks/results/peers.png)\n",
            f"`{results.command}` prints it; [all rows](benchmarks/results/peers.md), with memory,",
            "growth with size, and threads.",
        ]
    )


def written_between_markers(text: str, section: str) -> str:
    """``text`` with the part between the markers replaced."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"the text needs {BEGIN} and {END} once each")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{section}\n{END}{rest.split(END)[1]}"


def rewrite(readme: Path, results: Results) -> None:
    text = readme.read_text(encoding="utf-8")
    readme.write_text(written_between_markers(text, headline(results)), encoding="utf-8")
