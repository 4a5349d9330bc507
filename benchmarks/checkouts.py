"""Runs the benchmarks of this checkout on the liftwave of another one.

    python -m benchmarks.checkouts FOLDER BENCHMARK [ARGUMENT ...]

FOLDER contains the package ``liftwave``, with its compiled module if compiled kernels are
measured. BENCHMARK is a module of this folder, such as ``journeys``. Both versions of liftwave
run the same definitions.
"""

from __future__ import annotations

import importlib
import runpy
import sys
from importlib.machinery import PathFinder
from pathlib import Path


def command(folder: Path, benchmark: str, *arguments: str) -> list[str]:
    """Returns the command, for this checkout's root, that runs a benchmark on a checkout.

    Parameters
    ----------
    folder : Path
        The folder that contains the package ``liftwave``.
    benchmark : str
        The module of ``benchmarks``, such as ``"journeys"``.
    *arguments : str
        The arguments of the benchmark.
    """
    program = [sys.executable, "-m", "benchmarks.checkouts"]
    return [*program, str(folder.resolve()), benchmark, *arguments]


def use(folder: Path) -> None:
    """Imports liftwave from a folder, independent of installed versions.

    Raises
    ------
    SystemExit
        If the folder does not contain the package.
    """
    if not (folder / "liftwave" / "__init__.py").is_file():
        raise SystemExit(f"{folder} does not contain liftwave. Pass the root of a checkout.")
    # The finders of editable installations would take precedence over sys.path.
    sys.meta_path.insert(0, PathFinder)
    sys.path.insert(0, str(folder))
    importlib.import_module("liftwave")
    sys.path.remove(str(folder))


def main() -> None:
    folder, benchmark, *arguments = sys.argv[1:]
    use(Path(folder))
    sys.argv = [benchmark, *arguments]
    runpy.run_module(f"benchmarks.{benchmark}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
