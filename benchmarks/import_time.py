"""The time of ``import liftwave``, compared with the import of NumPy and PyWavelets.

    python -m benchmarks.import_time [--rounds 15] [--json FILE]

Each import runs in a fresh interpreter, in turn with the others, after one run of each that
writes the bytecode. The times are those of the import statement, without the start of the
interpreter. liftwave imports NumPy and PyWavelets itself; the ratio shows the additional time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import liftwave as lw
from benchmarks.machine import processor, versions
from benchmarks.measuring import median_ratio

PEERS, OURS = "import numpy, pywt", "import liftwave"
FOLDER = Path(lw.__file__).parent.parent


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="timed runs of each (15)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the times to a file")
    arguments = parser.parse_args(argv)
    results = measure(arguments.rounds)
    print(_page(results))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def measure(rounds: int) -> dict[str, object]:
    """Returns the medians in milliseconds, and the median of the ratios of each round."""
    times: dict[str, list[float]] = {PEERS: [], OURS: []}
    for statement in times:
        seconds(statement)
    for _ in range(rounds):
        for statement, measured in times.items():
            measured.append(seconds(statement))
    return {
        "machine": processor(),
        "versions": versions(["liftwave", "numpy", "pywt"]),
        "rounds": rounds,
        "milliseconds": {statement: 1e3 * median(each) for statement, each in times.items()},
        "ratio": median_ratio(times[OURS], times[PEERS]),
    }


_SCRIPT = """\
import sys, time
start = time.perf_counter()
{statement}
print(time.perf_counter() - start, getattr(sys.modules.get("liftwave"), "__file__", ""), sep="|")
"""


def seconds(statement: str) -> float:
    """Returns the seconds of an import of this liftwave in a fresh interpreter.

    Raises
    ------
    RuntimeError
        If the interpreter imports another liftwave, for example an editable installation.
    """
    variables = dict(os.environ)
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    variables["PYTHONPATH"] = os.pathsep.join([str(FOLDER), variables.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-P", "-c", _SCRIPT.format(statement=statement)],
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    elapsed, file = done.stdout.strip().split("|", 1)
    if file and Path(file) != Path(lw.__file__):
        raise RuntimeError(f"a fresh interpreter imports {file} instead of {lw.__file__}")
    return float(elapsed)


def _page(results: dict[str, object]) -> str:
    milliseconds = results["milliseconds"]
    assert isinstance(milliseconds, dict)
    lines = [f"{results['machine']}; {results['versions']}; {results['rounds']} rounds\n"]
    lines += ["| statement | median |", "| --- | --- |"]
    lines += [f"| `{statement}` | {each:.1f} ms |" for statement, each in milliseconds.items()]
    return "\n".join([*lines, f"| ratio | {results['ratio']:.2f} |"])


if __name__ == "__main__":
    main()
