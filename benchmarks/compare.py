"""Compares the speed of two checkouts of liftwave, interleaved, in one run.

    python -m benchmarks.compare OLD [--new NEW] [--rows peers,torch_peers,pooling] [--rounds 5]

Times the rows of other benchmarks, without the other libraries, on the liftwave of two
checkouts: folders with the package ``liftwave`` and its compiled module. NEW is this checkout
by default. The rows are those of this checkout. One process per checkout runs all rows, round
by round. The order of the two alternates between rounds, so that other load on the machine
slows both down.

The table contains the medians and their ratio, and the ratio of the shortest times. Each row has
at least the given number of rounds, and more if half a second allows. Other load on the machine
changes one of the ratios, slower code changes both: a row is marked as slower if both are above
1.05. Rows for which both differ by more than this, in either direction, are first measured
again, three times as long. Rows whose results are not bitwise equal are marked, too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any, NamedTuple

from benchmarks.checkouts import command
from benchmarks.comparable import GROUPS
from benchmarks.machine import processor
from benchmarks.measuring import ROOT

LIMIT = 1.05
AGAIN = 3


class Effort(NamedTuple):
    """The minimum number of rounds and the minimum seconds for each row."""

    rounds: int
    seconds: float


class Checkout:
    """A process that times rows on the liftwave of one checkout."""

    def __init__(self, folder: Path, groups: Sequence[str], quick: bool) -> None:
        self.folder = folder.resolve()
        self._process = subprocess.Popen(
            command(folder, "comparable"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
        )
        self.file, self.version = self._exchange({"groups": list(groups), "quick": quick})
        if not Path(self.file).is_relative_to(self.folder):
            raise SystemExit(f"{self.file} was imported instead of the liftwave of {folder}.")

    def names(self) -> list[str]:
        """The names of all rows."""
        return list(self._exchange(["names"]))

    def prepare(self, name: str) -> tuple[str, int]:
        """The digest of a row's result, and the number of calls in a round."""
        digest, number = self._exchange(["prepare", name])
        return digest, number

    def seconds(self, number: int) -> float:
        """The time of a call of the prepared row."""
        return float(self._exchange(["seconds", number]))

    def __enter__(self) -> Checkout:
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the input of the process, which ends it."""
        with self._process:
            pass

    def _exchange(self, request: object) -> Any:
        source, sink = self._process.stdin, self._process.stdout
        assert source is not None
        assert sink is not None
        source.write(json.dumps(request) + "\n")
        source.flush()
        line = sink.readline()
        if not line:
            raise SystemExit(f"The benchmarks of {self.folder} ended; see the messages above.")
        answer = json.loads(line)
        if "error" in answer:
            raise RowError(f"{self.folder}: {answer['error']}")
        return answer["answer"]


class RowError(Exception):
    """The reason why a checkout cannot run a row."""


@dataclass(frozen=True)
class Compared:
    """A row: medians in seconds, ratios of the new to the old times, and equal results."""

    name: str
    old: float
    new: float
    median_ratio: float
    shortest_ratio: float
    is_equal: bool

    @property
    def is_slower(self) -> bool:
        """Whether the new checkout takes longer than the limit."""
        return min(self.median_ratio, self.shortest_ratio) > LIMIT

    @property
    def is_faster(self) -> bool:
        """Whether the old checkout takes longer than the limit."""
        return max(self.median_ratio, self.shortest_ratio) < 1 / LIMIT


# --- measuring -----------------------------------------------------------------------------------


def compared(name: str, old: Checkout, new: Checkout, effort: Effort) -> Compared:
    """Measures a row; measures it again, for longer, if the ratios exceed the limit.

    This applies in both directions: otherwise the mean of all ratios would be too small.
    """
    row = measured(name, old, new, effort)
    if not (row.is_slower or row.is_faster):
        return row
    return measured(name, old, new, Effort(AGAIN * effort.rounds, AGAIN * effort.seconds))


def measured(name: str, old: Checkout, new: Checkout, effort: Effort) -> Compared:
    """Prepares a row in both checkouts and times them in turn."""
    (old_digest, old_number), (new_digest, new_number) = old.prepare(name), new.prepare(name)
    number = max(old_number, new_number)
    times: dict[Checkout, list[float]] = {old: [], new: []}
    end = time.perf_counter() + effort.seconds
    while len(times[old]) < effort.rounds or time.perf_counter() < end:
        for checkout in (old, new) if len(times[old]) % 2 == 0 else (new, old):
            times[checkout].append(checkout.seconds(number))
    old_median, new_median = median(times[old]), median(times[new])
    return Compared(
        name,
        old_median,
        new_median,
        new_median / old_median,
        min(times[new]) / min(times[old]),
        old_digest == new_digest,
    )


# --- the program ---------------------------------------------------------------------------------


def main(argv: list[str] | None = None) -> None:
    arguments = _parser().parse_args(argv)
    groups = arguments.rows.split(",")
    if unknown := sorted(set(groups) - set(GROUPS)):
        raise SystemExit(f"No rows {', '.join(unknown)}. Choose from {', '.join(GROUPS)}.")
    effort = Effort(arguments.rounds, arguments.seconds)
    with (
        Checkout(arguments.old, groups, arguments.quick) as old,
        Checkout(arguments.new, groups, arguments.quick) as new,
    ):
        rows = report(old, new, arguments.only, effort)
    if arguments.json is not None:
        results = {"machine": processor(), "rows": [asdict(row) for row in rows]}
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("old", type=Path, metavar="OLD", help="the root of a checkout")
    parser.add_argument("--new", type=Path, default=ROOT, help="the other one; this by default")
    help_of_rows = f"of {', '.join(GROUPS)}, with commas"
    parser.add_argument("--rows", default="peers,torch_peers,pooling", help=help_of_rows)
    parser.add_argument("--only", default="", metavar="PART", help="rows whose name contains it")
    parser.add_argument("--rounds", type=int, default=5, help="timed runs of each (5)")
    parser.add_argument("--seconds", type=float, default=0.5, help="at least for each row (0.5)")
    parser.add_argument("--quick", action="store_true", help="small arrays")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the times to a file")
    return parser


def report(old: Checkout, new: Checkout, part: str, effort: Effort) -> list[Compared]:
    """Measures all rows, prints each when it is done, and prints a summary."""
    print(f"{processor()}; medians of {effort.rounds} rounds or more\n")
    print(f"old: {old.version}, {old.folder}\nnew: {new.version}, {new.folder}\n")
    print("| row | old | new | new / old | shortest | |")
    print("| --- " * 6 + "|", flush=True)
    rows: list[Compared] = []
    for name in [name for name in old.names() if part in name]:
        try:
            rows.append(compared(name, old, new, effort))
        except RowError as error:
            print(f"| {name} | – | – | – | – | {error} |", flush=True)
        else:
            print(_line(rows[-1]), flush=True)
    print(f"\n{_summary(rows)}{_load()}")
    return rows


def _line(row: Compared) -> str:
    marks = [f"slower than {LIMIT}"] * row.is_slower + ["other results"] * (not row.is_equal)
    ratios = [f"{ratio:.3f}" for ratio in (row.median_ratio, row.shortest_ratio)]
    cells = [row.name, _time(row.old), _time(row.new), *ratios, ", ".join(marks)]
    return f"| {' | '.join(cells)} |"


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds > 1e-3 else f"{seconds * 1e6:.1f} µs"


def _load() -> str:
    """The load average; the two measured processes, one at a time, contribute to it."""
    if not hasattr(os, "getloadavg"):
        return ""
    return f" The load average of the last five minutes is {os.getloadavg()[1]:.1f}."


def _summary(rows: Sequence[Compared]) -> str:
    if not rows:
        return "No row was measured."
    medians = geometric_mean(row.median_ratio for row in rows)
    shortest = geometric_mean(row.shortest_ratio for row in rows)
    slower = sum(row.is_slower for row in rows)
    other = sum(not row.is_equal for row in rows)
    return (
        f"{len(rows)} rows: geometric means of the ratios {medians:.3f} (medians) and "
        f"{shortest:.3f} (shortest), {slower} rows slower, {other} with other results."
    )


if __name__ == "__main__":
    main()
