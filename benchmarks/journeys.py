"""The functions that a call runs within liftwave: calls, files, changes of file.

    python -m benchmarks.journeys [JOURNEY ...] [--walk JOURNEY] [--json FILE]

Runs eight calls of a user twice and counts, in the second run:

* *calls*: calls of functions and methods that are defined in liftwave's own files;
* *files*: the distinct files of these functions;
* *changes*: the number of successive calls in different files;
* *frames*: calls, including those of lambdas, comprehensions and generator expressions.
  Python 3.12 and later run comprehensions without a separate frame, so this number is
  comparable within one version of Python only.

A generator counts each time that it is entered. The counts include the backward pass of torch,
because torch runs it in the calling thread for tensors in CPU memory.
``--walk`` prints the calls of one journey in order, for reading the code.
``python -m benchmarks.checkouts FOLDER journeys`` counts those of another checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

import liftwave as lw
from benchmarks import host_kernels
from benchmarks.machine import versions

PACKAGE = str(Path(lw.__file__).parent)
_PACKAGES = ("liftwave", "numpy", "pywt")
Run = Callable[[], object]


class MissingError(Exception):
    """The reason why a journey cannot run on this machine."""


@dataclass(frozen=True)
class Journey:
    """A call of a user, and the targets for its counts.

    ``prepare`` is a context that returns the call with its arguments bound.
    """

    name: str
    title: str
    prepare: Callable[[], Any]
    calls: int
    files: int


@dataclass(frozen=True)
class Counts:
    """The counts of a journey's second run."""

    calls: int
    files: int
    changes: int
    frames: int


class Call(NamedTuple):
    """A frame of liftwave: its file, its function, and its depth."""

    file: str
    function: str
    depth: int

    @property
    def is_named(self) -> bool:
        """True for functions; names of comprehensions, lambdas etc. contain <>."""
        return not self.function.endswith(">")


# --- recording -----------------------------------------------------------------------------------


def record(run: Run, package: str = PACKAGE) -> list[Call]:
    """Returns all frames of a package's files that a run enters in this thread, in order."""
    calls: list[Call] = []
    depth = 0
    folder = package + os.sep

    def hook(frame: FrameType, event: str, _: object) -> None:
        nonlocal depth
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(folder):
            return
        file = code.co_filename.removeprefix(folder).replace(os.sep, "/")
        call = Call(file, code.co_qualname, depth)
        if event == "call":
            calls.append(call)
        if call.is_named:
            depth += 1 if event == "call" else -1

    before = sys.getprofile()
    sys.setprofile(hook)
    try:
        run()
    finally:
        sys.setprofile(before)
    return calls


def counted(frames: Sequence[Call]) -> Counts:
    """Counts the calls, files and changes of file of recorded frames."""
    files = [call.file for call in frames if call.is_named]
    changes = sum(one != other for one, other in pairwise(files))
    return Counts(len(files), len(set(files)), changes, len(frames))


def warm(journey: Journey) -> list[Call]:
    """Returns the frames of a journey's second run."""
    with journey.prepare() as run:
        run()
        return record(run)


# --- the journeys --------------------------------------------------------------------------------


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingError("torch is not installed") from None
    return torch


@contextmanager
def _wavedec2() -> Iterator[Run]:
    yield partial(lw.wavedec2, _noise(64, 64), "db4", level=3)


@contextmanager
def _torch_gradient() -> Iterator[Run]:
    """Forward, and backward from two of the ten bands."""
    data = _torch().from_numpy(_noise(64, 64)).requires_grad_()

    def run() -> None:
        approximation, details, *_ = lw.wavedec2(data, "db4", level=3)
        (approximation.sum() + details[0].sum()).backward()

    yield run


@contextmanager
def _lifting() -> Iterator[Run]:
    yield partial(lw.dwt, _noise(64), lw.LiftingScheme.from_name("cdf9.7"))


@contextmanager
def _ada_pool() -> Iterator[Run]:
    yield partial(lw.pooling.ada_pool, _noise(2, 3, 16, 16).astype("float32"), 2)


@contextmanager
def _lift_down_pool() -> Iterator[Run]:
    torch = _torch()
    from liftwave.torch import LiftDownPool2d

    layer, images = LiftDownPool2d(3), torch.randn(2, 3, 16, 16, requires_grad=True)
    yield lambda: layer(images).sum().backward()


@contextmanager
def _vjp() -> Iterator[Run]:
    image = _noise(64, 64)

    def run() -> None:
        bands, pullback = lw.vjp(lw.wavedec2, image, "db4", level=2)
        pullback(bands)

    yield run


@contextmanager
def _decompose() -> Iterator[Run]:
    image = _noise(64, 64)
    yield lambda: lw.decompose(image, "db4", level=3).reconstruct()


@contextmanager
def _cuda() -> Iterator[Run]:
    if reason := host_kernels.missing():
        raise MissingError(reason)
    with host_kernels.cuda_on_host():
        yield partial(lw.wavedec2, _noise(64, 64), "db4", level=2)


JOURNEYS = (
    Journey("wavedec2", "wavedec2, 3 levels, NumPy", _wavedec2, 14, 8),
    Journey("torch", "wavedec2, 3 levels, torch, forward and backward", _torch_gradient, 60, 12),
    Journey("lifting", "dwt of 64 samples by a LiftingScheme", _lifting, 14, 8),
    Journey("ada_pool", "pooling.ada_pool, NumPy", _ada_pool, 25, 9),
    Journey("layer", "torch.LiftDownPool2d, forward and backward", _lift_down_pool, 50, 10),
    Journey("vjp", "vjp of wavedec2, 2 levels, and the pullback", _vjp, 110, 12),
    Journey("decompose", "decompose, 3 levels, and reconstruct", _decompose, 28, 10),
    Journey("cuda", "wavedec2, 2 levels, CUDA kernels on the processor", _cuda, 45, 11),
)
"""The journeys with their targets: the largest number of calls and of files."""


def named(name: str) -> Journey:
    """The journey of this name."""
    return next(journey for journey in JOURNEYS if journey.name == name)


# --- the program ---------------------------------------------------------------------------------


def main(argv: list[str] | None = None) -> None:
    arguments = _parser().parse_args(argv)
    if arguments.walk is not None:
        print(walk(named(arguments.walk)))
        return
    chosen = [named(name) for name in arguments.journeys] or list(JOURNEYS)
    results = report(chosen)
    if arguments.json is not None:
        text = json.dumps({"versions": versions(_PACKAGES), "journeys": results}, indent=1)
        arguments.json.write_text(text + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    names = [journey.name for journey in JOURNEYS]
    help_of_journeys = f"of {', '.join(names)}; all by default"
    parser.add_argument("journeys", nargs="*", metavar="JOURNEY", help=help_of_journeys)
    parser.add_argument("--walk", choices=names, help="print the calls of one journey")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts to a file")
    return parser


def report(journeys: Sequence[Journey]) -> dict[str, dict[str, object]]:
    """Prints a table of all counts beside their targets, and returns it as plain data."""
    print("| journey | calls | at most | files | at most | changes | frames |")
    print("| --- " * 7 + "|")
    results: dict[str, dict[str, object]] = {}
    for journey in journeys:
        targets = {"calls_at_most": journey.calls, "files_at_most": journey.files}
        try:
            counts = counted(warm(journey))
        except MissingError as error:
            results[journey.name] = {"missing": str(error)}
            print(f"| {journey.title} | – ({error}) |", flush=True)
        else:
            results[journey.name] = asdict(counts) | targets
            print(_line(journey, counts), flush=True)
    return results


def _line(journey: Journey, counts: Counts) -> str:
    cells = [journey.title, counts.calls, journey.calls, counts.files, journey.files]
    return f"| {' | '.join(map(str, [*cells, counts.changes, counts.frames]))} |"


def walk(journey: Journey) -> str:
    """Returns a line for each call of a journey, indented by its depth."""
    try:
        frames = warm(journey)
    except MissingError as error:
        raise SystemExit(f"{journey.name}: {error}") from None
    return "\n".join(
        f"{'  ' * call.depth}{call.file}:{call.function}" for call in frames if call.is_named
    )


if __name__ == "__main__":
    main()
