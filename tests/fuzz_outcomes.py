"""Outcomes of random calls in liftwave or PyWavelets, computed in a child process.

A crash, or a call that takes too long, ends the child process, not the tests.
"""

from __future__ import annotations

import importlib
import io
import os
import pickle
import signal
import subprocess
import sys
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from fuzz_arguments import made
from fuzz_calls import Call, random_call

_SECONDS = 10


class Outcome(NamedTuple):
    """The outcome of a call.

    Attributes
    ----------
    result : object
        The result, with NumPy arrays.
    errors : tuple of str
        The names of the exception's classes; empty if there was none.
    message : str
        The exception's message.
    changed : bool
        Whether an argument was modified.
    """

    result: Any = None
    errors: tuple[str, ...] = ()
    message: str = ""
    changed: bool = False


def outcome(library: Any, call: Call) -> Outcome:
    """The outcome of a call.

    PyWavelets converts arrays of the other byte order to float64 and drops imaginary parts, so it
    gets them in the byte order of the machine.
    """
    arguments = made((call.arguments, call.options), native=library.__name__ == "pywt")
    before = pickle.dumps(frozen(arguments))
    call = Call(call.function, *arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with np.errstate(all="ignore"):
                result = call.run(library)
        pickle.dumps(result)
        errors, message = (), ""
    except Exception as error:
        errors = tuple(c.__name__ for c in type(error).__mro__[:-1])
        result, message = None, f"{type(error).__name__}: {error}"
    changed = pickle.dumps(frozen(arguments)) != before
    return Outcome(result, errors, message, changed)


def frozen(values: Any) -> Any:
    """Nested lists, tuples and dicts with the bytes of arrays, and names of other objects."""
    if isinstance(values, Mapping):
        return [(key, frozen(value)) for key, value in values.items()]
    if isinstance(values, list | tuple):
        return [frozen(value) for value in values]
    return values.tobytes() if isinstance(values, np.ndarray) else repr(values)


def main(name: str, first: int, last: int) -> None:
    """Write the outcomes of the calls with the seeds from ``first`` to ``last`` - 1."""
    library = importlib.import_module(name)
    for seed in range(first, last):
        signal.alarm(_SECONDS)  # ends this process: PyWavelets can also hang
        data = pickle.dumps(outcome(library, random_call(seed)))
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def check_liftwave(first: int, last: int) -> int:
    """Run the calls with these seeds in liftwave, in this process; the number of calls."""
    library = importlib.import_module("liftwave")
    for seed in range(first, last):
        outcome(library, random_call(seed))
    return last - first


# --- the child process ---------------------------------------------------------------------------


def outcomes(library: str, first: int, last: int) -> list[Outcome | None]:
    """The outcomes of the calls with these seeds; None for a call that ended the process."""
    results: list[Outcome | None] = []
    while first + len(results) < last:
        child = started(library, first + len(results), last)
        results += unpickled(child.stdout)
        if first + len(results) < last:
            if child.returncode > 0:  # an error of the tests, not a crash
                raise RuntimeError(child.stderr.decode())
            results.append(None)
    return results


def started(library: str, first: int, last: int) -> subprocess.CompletedProcess[bytes]:
    """The child process, after its end."""
    code = f"import fuzz_outcomes; fuzz_outcomes.main({library!r}, {first}, {last})"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, env=environment
    )


def unpickled(data: bytes) -> list[Outcome]:
    """All complete objects of a stream."""
    stream, results = io.BytesIO(data), []
    while True:
        try:
            results.append(pickle.load(stream))
        except (EOFError, pickle.UnpicklingError):
            return results
