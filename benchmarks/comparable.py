"""The rows of several benchmarks as calls of liftwave only, timed on request.

    python -m benchmarks.comparable

Reads requests from the standard input, one line of JSON each, and writes one line of JSON per
answer. :mod:`benchmarks.compare` starts one such process for each checkout.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import liftwave as lw
from benchmarks import pooling, pooling_layers, small_calls, torch_libraries, torch_peers
from benchmarks.libraries import Liftwave, prepared
from benchmarks.machine import processors
from benchmarks.measuring import QUICK, REST, Run, calls_for, seconds
from benchmarks.rows import ROWS

Row = tuple[str, Callable[[], Run]]
"""A row's name, and the function that makes its call with the data bound."""

# Minimum seconds of all calls of a round together.
AT_LEAST = 2e-3
# Rounds of at least this many calls: the calls are short and use one thread. No thread of the
# previous call is then active, and a pause is unnecessary.
MANY = 20


# --- the rows ------------------------------------------------------------------------------------


def peers_rows(quick: bool) -> Iterator[Row]:
    """The rows of :mod:`benchmarks.peers`."""
    for row in ROWS:
        yield row.name, partial(prepared, Liftwave(), QUICK.sized(row) if quick else row)


def torch_rows(quick: bool) -> Iterator[Row]:
    """The cases of :mod:`benchmarks.torch_peers`, fixed and learned, by filters and by lifting."""
    subjects = [each for each in torch_libraries.available() if each.package == "liftwave"]
    for case in torch_libraries.CASES:
        sized = torch_peers.sized(case, quick)
        for subject in subjects:
            make = partial(subject.prepare, subject.settled(sized))
            yield from _both_ways(f"{case.name}, {subject.name}", make, sized.shape, sized.dtype)


def pooling_rows(quick: bool) -> Iterator[Row]:
    """The layers of :mod:`benchmarks.pooling`."""
    for shape in [pooling.QUICK_SHAPE] if quick else pooling.SHAPES:
        for layer in pooling_layers.available():
            name = f"{' × '.join(map(str, shape))}, {layer.name}"
            yield from _both_ways(name, partial(_ours, layer, shape), shape, "float32")


def small_rows(quick: bool) -> Iterator[Row]:
    """The functions of :mod:`benchmarks.small_calls` with each form of the wavelet."""
    for function in small_calls.FUNCTIONS:
        for form in small_calls.FORMS:
            call = partial(small_calls.bound_to_liftwave, function, form)
            yield f"{function.name}, {form.name}", call


GROUPS: dict[str, Callable[[bool], Iterator[Row]]] = {
    "peers": peers_rows,
    "torch_peers": torch_rows,
    "pooling": pooling_rows,
    "small_calls": small_rows,
}


def _ours(layer: pooling_layers.Layer, shape: tuple[int, ...]) -> torch_libraries.Prepared:
    return layer.prepare(shape)[0]


def _both_ways(
    name: str, make: Callable[[], Any], shape: tuple[int, ...], dtype: str
) -> Iterator[Row]:
    """A row of the forward pass, and one of forward and backward."""
    ways = {"forward": torch_peers.forward_run, "both": torch_peers.both_run}
    for way, bind in ways.items():
        yield f"{name}: {way}", partial(_bound, bind, make, shape, dtype)


def _bound(
    bind: Callable[..., Run], make: Callable[[], Any], shape: tuple[int, ...], dtype: str
) -> Run:
    import torch

    torch.manual_seed(0)  # parameters of layers, and incoming gradients
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    return bind(make(), x)


# --- the results ---------------------------------------------------------------------------------


def digest(result: object) -> str:
    """A text that is equal for two results if they are bitwise equal."""
    summed = hashlib.blake2b(digest_size=16)
    for array in leaves(result):
        summed.update(f"{array.shape}{array.dtype}".encode())
        summed.update(np.ascontiguousarray(array).data)
    return summed.hexdigest()


def leaves(result: Any) -> Iterator[np.ndarray]:
    """The arrays and tensors of a nested result, in order, as NumPy arrays."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, tuple | list):
        for part in result:
            yield from leaves(part)
    else:
        yield np.asarray(result.detach() if hasattr(result, "detach") else result)


# --- the process ---------------------------------------------------------------------------------


class Server:
    """Answers requests for the names of rows, the preparation of a row, and its time.

    Parameters
    ----------
    groups : list of str
        Of :data:`GROUPS`.
    quick : bool
        True for small arrays.
    """

    def __init__(self, groups: list[str], quick: bool) -> None:
        self._rows = {
            f"{group}: {name}": make for group in groups for name, make in GROUPS[group](quick)
        }
        self._run: Run | None = None

    def names(self) -> list[str]:
        """The names of all rows."""
        return list(self._rows)

    def prepare(self, name: str) -> tuple[str, int]:
        """Prepares a row; returns the digest of its result and the number of calls in a round."""
        self._run = None  # frees memory for the next row
        self._run = self._rows[name]()
        return digest(self._run()), calls_for(self._run, AT_LEAST)

    def seconds(self, number: int) -> float:
        """Times calls of the row, after one untimed call."""
        assert self._run is not None
        time.sleep(REST if number < MANY else 0.0)
        self._run()
        return seconds(self._run, number)


def main() -> None:
    # PyWavelets warns because the small arrays have fewer levels.
    warnings.filterwarnings("ignore", message="Level value of", category=UserWarning)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # other output must not mix with answers
    options = json.loads(sys.stdin.readline())
    _set_threads(options["groups"])
    server = Server(**options)
    answers.write(json.dumps({"answer": [lw.__file__, lw.__version__]}) + "\n")
    answers.flush()
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answers.write(json.dumps(_answer(getattr(server, name), arguments)) + "\n")
        answers.flush()


def _set_threads(groups: list[str]) -> None:
    """As many threads as processors; imports torch only for rows that use it."""
    if {"torch_peers", "pooling"}.isdisjoint(groups):
        lw.set_num_threads(processors())
    else:
        pooling.set_all_threads(processors())


def _answer(method: Callable[..., object], arguments: list[Any]) -> dict[str, object]:
    """The answer, or the error: some rows exist in only one of the checkouts."""
    try:
        return {"answer": method(*arguments)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
