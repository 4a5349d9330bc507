"""Compares liftwave with PyWavelets, ndwt, ptwt and pytorch_wavelets, in one run.

    python -m benchmarks.peers [ROW ...] [--quick] [--readme]

Writes ``peers.md``, ``peers.png``, ``peers_growth.png`` and the measured
figures, ``peers.json``, into ``benchmarks/results``; with ``--readme`` also
the README's section on speed. ``--redraw`` writes all of these again from
``peers.json``, without measuring. A ROW is a part of a row's name. If a ROW
is passed, only these rows are measured, without the growth with size. Missing
libraries are left out (``pip install -e ".[bench]"`` installs all).
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import warnings
from pathlib import Path

from benchmarks import measuring
from benchmarks.libraries import LIBRARIES, installed, set_threads
from benchmarks.library import Library
from benchmarks.machine import caches, processor, processors
from benchmarks.measuring import QUICK, Effort, Measured
from benchmarks.pictures import draw_bars, draw_growth
from benchmarks.report import Results, page, rewrite, verdict
from benchmarks.rows import Row, growing, matching, named
from liftwave._config import config

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def main(argv: list[str] | None = None) -> None:
    arguments = _parser().parse_args(argv)
    stored: Path = arguments.out / "peers.json"
    results = _read(stored) if arguments.redraw else run(arguments)
    store(results, arguments.out)
    (arguments.out / "peers.md").write_text(page(results), encoding="utf-8")
    draw_bars(results, arguments.out / "peers.png")
    if results.growth:
        draw_growth(results, arguments.out / "peers_growth.png")
    if arguments.readme:
        rewrite(ROOT / "README.md", results)


def store(results: Results, folder: Path) -> None:
    """Write the measured figures, from which all other files are generated."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results.as_json(), indent=1) + "\n"
    (folder / "peers.json").write_text(text, encoding="utf-8")


def _read(stored: Path) -> Results:
    return Results.from_json(json.loads(stored.read_text(encoding="utf-8")))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rows", nargs="*", help="parts of rows' names; all by default")
    names = [library.name for library in LIBRARIES]
    parser.add_argument("--without", nargs="+", default=[], choices=names[1:], help="leave out")
    parser.add_argument("--rounds", type=int, default=9, help="timed runs of each (9)")
    parser.add_argument("--quick", action="store_true", help="small arrays, three runs")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where results are written")
    parser.add_argument("--readme", action="store_true", help="rewrite the README's section")
    parser.add_argument("--redraw", action="store_true", help="from peers.json, without measuring")
    keep = "peaks of memory, half of the run's time, from peers.json"
    parser.add_argument("--keep-memory", action="store_true", help=keep)
    return parser


def run(arguments: argparse.Namespace) -> Results:
    """Measure everything, row by row; print one line for each row when it is done."""
    effort = QUICK if arguments.quick else Effort(rounds=arguments.rounds)
    threads = max(2, processors())
    set_threads(threads)
    libraries = [each for each in installed() if each.name not in arguments.without]
    rows = matching(arguments.rows)
    before = _read(arguments.out / "peers.json").rows if arguments.keep_memory else []
    known = {row.name: row.memory for row in before}
    results = Results(
        command=_command(),
        machine=processor(),
        caches=caches(),
        config=config(),
        versions={library.name: library.version for library in libraries},
        rounds=effort.rounds,
        thread_counts=(1, threads),
    )
    # PyWavelets warns because the small arrays have fewer levels.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Level value of", category=UserWarning)
        for index, row in enumerate(rows):
            found = _measured(row, libraries, effort)
            if row.name in known:
                found.memory = known[row.name]
            elif effort.memory_rows is None or index < effort.memory_rows:
                found.memory = _peaks(row, found, libraries, effort)
            results.rows.append(found)
            store(results, arguments.out)  # preserves the results of an interrupted run
        if not arguments.rows or arguments.quick:
            results.growth = _growth(libraries, effort)
        results.threads = _threads(rows, libraries[0], effort, results.thread_counts)
    return results


def _command() -> str:
    return shlex.join(["python", "-m", "benchmarks.peers", *sys.argv[1:]])


def _measured(row: Row, libraries: list[Library], effort: Effort) -> Measured:
    found = measuring.measure(row, libraries, effort)
    times = "  ".join(f"{name} {ratio:.3g}" for name, ratio in found.ratios.items())
    print(f"{row.name:30}{found.copies:7.2f} copies  {times}  {verdict(row, found)}", flush=True)
    return found


def _peaks(row: Row, found: Measured, libraries: list[Library], effort: Effort) -> dict[str, int]:
    measured = [each for each in libraries if each.name in found.seconds and not row.small]
    peaks = {each.name: measuring.peak_memory(row, each, effort) for each in measured}
    return {name: peak for name, peak in peaks.items() if peak is not None}


def _growth(libraries: list[Library], effort: Effort) -> dict[str, dict[int, float]]:
    # A library with two methods is drawn once.
    one_way = [library for library in libraries if library.name != "ndwt lifting"]
    return measuring.growth(one_way, [growing(k) for k in effort.growth], effort.rounds)


def _threads(
    rows: list[Row], ours: Library, effort: Effort, counts: tuple[int, int]
) -> dict[str, list[float]]:
    return {
        row.name: measuring.threads(named(row.name), ours, effort, counts)
        for row in rows
        if not row.small
    }


if __name__ == "__main__":
    main()
