"""The cost of a call with very few samples, by the form of the wavelet argument.

    python -m benchmarks.small_calls [FUNCTION ...] [--rounds 300] [--json FILE]

Times the transforms of 64 samples, of 1,024 samples with all levels, and of 32 x 32
samples, float64 and db4, interleaved with PyWavelets in one process. The wavelet is its
name, a ``pywt.Wavelet``, a ``FilterBank`` or a ``LiftingScheme``. Filter banks run in mode
symmetric. In that mode, lifting has different coefficients at the ends. In mode periodization
they are equal, so the scheme runs in this mode, compared with the same mode of the others.

All results are compared with those of PyWavelets before the timing. The table contains
the shortest time of all rounds in microseconds, and its ratio to the shortest time of
PyWavelets with the wavelet's name, of PyWavelets with its ``Wavelet``, and of liftwave with
the name.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pywt

import liftwave as lw
from benchmarks.machine import processor, versions
from benchmarks.measuring import interleaved

Run = Callable[[], Any]
WAVELET = "db4"
# Relative to the largest coefficient; each axis and level adds a few dozen products.
TOLERANCE = 1e-13
# Minimum seconds of the calls of one round together: short, so that some rounds are
# free of other load on the machine.
AT_LEAST = 2e-4


@dataclass(frozen=True)
class Function:
    """A transform and the shape of its signal; ``undoes`` is the transform of an inverse."""

    name: str
    shape: tuple[int, ...]
    undoes: str | None = None

    def bound(self, library: Any, wavelet: Any, mode: str) -> Run:
        """The call with its arguments; an inverse gets PyWavelets' coefficients."""
        signal = np.random.default_rng(0).standard_normal(self.shape)
        function = getattr(library, self.name)
        if self.undoes is None:
            return partial(function, signal, wavelet, mode)
        coefficients = getattr(pywt, self.undoes)(signal, WAVELET, mode)
        if self.name == "idwt":
            return partial(function, *coefficients, wavelet, mode)
        return partial(function, coefficients, wavelet, mode)


FUNCTIONS = (
    Function("dwt", (64,)),
    Function("idwt", (64,), "dwt"),
    Function("dwt2", (32, 32)),
    Function("idwt2", (32, 32), "dwt2"),
    Function("wavedec", (1024,)),
    Function("waverec", (1024,), "wavedec"),
    Function("wavedec2", (32, 32)),
    Function("waverec2", (32, 32), "wavedec2"),
)


@dataclass(frozen=True)
class Form:
    """A form of the wavelet, the function that builds it, and the timed mode."""

    name: str
    make: Callable[[], Any]
    mode: str = "symmetric"


FORMS = (
    Form("name", lambda: WAVELET),
    Form("pywt.Wavelet", lambda: pywt.Wavelet(WAVELET)),
    Form("FilterBank", lambda: lw.FilterBank(*pywt.Wavelet(WAVELET).filter_bank)),
    Form("LiftingScheme", lambda: lw.LiftingScheme.from_wavelet(WAVELET), "periodization"),
)
NAME, WAVELET_OBJECT = FORMS[:2]


def bound_to_liftwave(function: Function, form: Form) -> Run:
    """The timed call of liftwave for a form of the wavelet."""
    return function.bound(lw, form.make(), form.mode)


@dataclass(frozen=True)
class Timed:
    """Microseconds of one call, and its ratios to the compared calls."""

    function: str
    form: str
    mode: str
    microseconds: float
    to_pywt_name: float
    to_pywt_wavelet: float
    to_name: float


# --- measuring -----------------------------------------------------------------------------------


def runs(function: Function) -> dict[tuple[str, str, str], Run]:
    """All calls of a function, by the library, the form of the wavelet, and the mode."""
    bound_calls: dict[tuple[str, str, str], Run] = {}
    for mode in ("symmetric", "periodization"):
        for form in FORMS[:2]:
            bound_calls["pywt", form.name, mode] = function.bound(pywt, form.make(), mode)
        for form in FORMS:
            if form is NAME or form.mode == mode:
                bound_calls["liftwave", form.name, mode] = function.bound(lw, form.make(), mode)
    return bound_calls


def check(bound_calls: dict[tuple[str, str, str], Run]) -> None:
    """Raises AssertionError if a result differs from PyWavelets."""
    for (_, form, mode), run in bound_calls.items():
        expected = leaves(bound_calls["pywt", NAME.name, mode]())
        for array, right in zip(leaves(run()), expected, strict=True):
            tolerance = TOLERANCE * np.abs(right).max()
            np.testing.assert_allclose(array, right, 0, tolerance, err_msg=f"{form}, {mode}")


def leaves(results: Any) -> Iterator[np.ndarray]:
    """The arrays of nested coefficients, in order."""
    if isinstance(results, np.ndarray):
        yield results
        return
    for part in results:
        yield from leaves(part)


def measure(function: Function, rounds: int) -> list[Timed]:
    """Checks one function, then times it with each form of the wavelet."""
    bound_calls = runs(function)
    check(bound_calls)
    named = {" ".join(key): run for key, run in bound_calls.items()}
    times = interleaved(named, rounds, AT_LEAST, rest=0.0)
    shortest = {key: 1e6 * min(times[" ".join(key)]) for key in bound_calls}
    return [_timed(function, form, shortest) for form in FORMS]


def _timed(function: Function, form: Form, shortest: dict[tuple[str, str, str], float]) -> Timed:
    ours = shortest["liftwave", form.name, form.mode]
    peers = [("pywt", NAME), ("pywt", WAVELET_OBJECT), ("liftwave", NAME)]
    ratios = [ours / shortest[library, peer.name, form.mode] for library, peer in peers]
    return Timed(function.name, form.name, form.mode, ours, *ratios)


# --- the program ---------------------------------------------------------------------------------


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    names = [function.name for function in FUNCTIONS]
    help_of_functions = f"of {', '.join(names)}; all by default"
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help=help_of_functions)
    parser.add_argument("--rounds", type=int, default=300, help="timed rounds (300)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the times to a file")
    arguments = parser.parse_args(argv)
    chosen = [each for each in FUNCTIONS if each.name in (arguments.functions or names)]
    timed = report(chosen, arguments.rounds)
    if arguments.json is not None:
        results = {**_heading(arguments.rounds), "rows": [asdict(row) for row in timed]}
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _heading(rounds: int) -> dict[str, object]:
    packages = versions(["liftwave", "numpy", "pywt"])
    return {"machine": processor(), "versions": packages, "rounds": rounds}


def report(functions: list[Function], rounds: int) -> list[Timed]:
    """Measures, and prints the table line by line."""
    print("; ".join(str(value) for value in _heading(rounds).values()), "rounds\n")
    print("| call | wavelet | mode | µs | to PyWavelets, name | Wavelet | to liftwave, name |")
    print("| --- " * 7 + "|")
    timed: list[Timed] = []
    for function in functions:
        rows = measure(function, rounds)
        print("\n".join(map(_line, rows)), flush=True)
        timed += rows
    return timed


def _line(row: Timed) -> str:
    ratios = (row.to_pywt_name, row.to_pywt_wavelet, row.to_name)
    cells = [row.function, row.form, row.mode, f"{row.microseconds:.1f}"]
    return f"| {' | '.join([*cells, *(f'{ratio:.2f}' for ratio in ratios)])} |"


if __name__ == "__main__":
    main()
