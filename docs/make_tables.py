"""Measure and write the tables of the documentation: ``python docs/make_tables.py``.

Writes Markdown into ``docs/tables``. Everything in it is measured or computed
by the installed liftwave; errors of rounding differ a little from machine to
machine.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pywt

import liftwave as lw
from liftwave._arrays.integers import integer_gain
from liftwave._plan.boundary import LIFTING_MODES

TABLES = Path(__file__).parent / "tables"

SIGNALS, SAMPLES = 16, 1024
FAMILIES = ("haar", "db", "sym", "coif", "bior", "rbio")
INTEGER_SCHEMES = ("haar", "cdf5.3", "bior2.4", "cdf9.7", "bior6.8", "bior3.3")
INTEGER_SCHEMES += ("db2", "db4", "sym8")
INTEGER_DTYPES = ("uint8", "int16", "int32")


# --- accuracy of lifting -------------------------------------------------------------------------


@dataclass(frozen=True)
class Accuracy:
    """The parts and the accuracy of one wavelet's lifting scheme."""

    name: str
    steps: int
    taps: int
    max_tap: float
    noise_gain: float
    table_error: float
    error_f64: float
    error_f32: float
    reconstruction_f64: float
    reconstruction_f32: float

    @property
    def errors(self) -> tuple[float, ...]:
        """In the order of their headings."""
        return (
            self.table_error,
            self.error_f64,
            self.error_f32,
            self.reconstruction_f64,
            self.reconstruction_f32,
        )


def wavelets_with_schemes() -> list[str]:
    """PyWavelets' discrete wavelets without dmey, whose table does not reconstruct."""
    return [name for name in pywt.wavelist(kind="discrete") if name != "dmey"]


def measured(name: str) -> Accuracy:
    scheme = lw.LiftingScheme.from_name(name)
    x = np.random.default_rng(0).standard_normal((SIGNALS, SAMPLES))
    reference = np.stack(pywt.dwt(x, name, "periodization"))
    errors = []
    for dtype in (np.float64, np.float32):
        bands = lw.dwt(x.astype(dtype), scheme, "periodization")
        errors.append((_relative(np.stack(bands), reference), _worst_round_trip(scheme, dtype)))
    (f64, round_trip_f64), (f32, round_trip_f32) = errors
    return Accuracy(
        name,
        len(scheme.steps),
        sum(step.length for step in scheme.steps),
        scheme.max_tap,
        scheme.noise_gain,
        lw.FilterBank(*pywt.Wavelet(name).filter_bank).reconstruction_error(),
        f64,
        f32,
        round_trip_f64,
        round_trip_f32,
    )


def _worst_round_trip(scheme: lw.LiftingScheme, dtype: Any) -> float:
    """The largest error over all lengths up to 40, a long signal, and all modes of lifting."""
    rng, worst = np.random.default_rng(0), 0.0
    for n, mode in product((*range(1, 41), SAMPLES), LIFTING_MODES):
        x = rng.standard_normal((SIGNALS, n)).astype(dtype)
        back = lw.idwt(*lw.dwt(x, scheme, mode), scheme, mode)[:, :n]
        worst = max(worst, _relative(back, x))
    return worst


def _relative(got: np.ndarray, expected: np.ndarray) -> float:
    wide = got.astype(np.float64)
    return float(np.abs(wide - expected).max() / np.abs(expected).max())


_ERROR_HEADINGS = (
    "error of PyWavelets' table",
    "f64 against PyWavelets",
    "f32 against PyWavelets",
    "f64 round trip",
    "f32 round trip",
)


def accuracy_table(rows: Iterable[Accuracy]) -> str:
    headings = ("wavelet", "steps", "taps", "largest tap", "noise gain", *_ERROR_HEADINGS)
    return _markdown(headings, [_accuracy_row(r) for r in rows])


def _accuracy_row(r: Accuracy) -> tuple[object, ...]:
    errors = (f"{error:.1e}" for error in r.errors)
    return (f"`{r.name}`", r.steps, r.taps, f"{r.max_tap:.3g}", f"{r.noise_gain:.2f}", *errors)


def family_table(rows: Sequence[Accuracy]) -> str:
    """The worst of each family, and which wavelet it is."""
    headings = ("family", "wavelets", "steps", "largest tap", "noise gain", *_ERROR_HEADINGS)
    return _markdown(headings, [_family_row(family, rows) for family in FAMILIES])


def _family_row(family: str, rows: Sequence[Accuracy]) -> tuple[str, ...]:
    members = [r for r in rows if r.name.rstrip("0123456789.") == family]
    steps = sorted({r.steps for r in members})
    gain = max(members, key=lambda r: r.noise_gain)
    tap = max(members, key=lambda r: r.max_tap)
    worst = [max(members, key=lambda r, i=i: r.errors[i]) for i in range(len(_ERROR_HEADINGS))]
    alone = len(members) == 1

    def labelled(number: str, row: Accuracy) -> str:
        return number if alone else f"{number} ({row.name})"

    return (
        family,
        str(len(members)),
        f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} – {steps[-1]}",
        labelled(f"{tap.max_tap:.3g}", tap),
        labelled(f"{gain.noise_gain:.2f}", gain),
        *(labelled(f"{row.errors[i]:.1e}", row) for i, row in enumerate(worst)),
    )


# --- integers ------------------------------------------------------------------------------------


def integer_table() -> str:
    """How large coefficients can get, and the dtype that they are given."""
    headings = ["scheme", "mode", "1-D, 1 level", "2-D, 1 level", "2-D, 5 levels"]
    headings += [f"{dtype}, 2-D, 5 levels" for dtype in INTEGER_DTYPES]
    rows = []
    for name, mode in product(INTEGER_SCHEMES, ("reflect", "periodization")):
        scheme = lw.LiftingScheme.from_name(name).to_integer()
        gains = [integer_gain(((scheme, mode),) * ndim, n) for ndim, n in ((1, 1), (2, 1), (2, 5))]
        dtypes = [_coefficients_dtype(scheme, mode, dtype, 5) for dtype in INTEGER_DTYPES]
        rows.append([f"`{name}`", mode, *(f"{gain:.3g}" for gain in gains), *dtypes])
    return _markdown(headings, rows)


def _coefficients_dtype(scheme: lw.LiftingScheme, mode: str, dtype: str, level: int) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of levels that such a small image does not have
        coeffs = lw.wavedec2(np.zeros((4, 4), dtype), scheme, mode, level=level)
    return str(coeffs[0].dtype)


# --- which scheme is what ------------------------------------------------------------------------


def dtype_table() -> str:
    """The dtype of the result of a transform for each dtype of the data."""
    import torch

    names = ("bool", "int8", "uint8", "int16", "int32", "int64", "float16", "bfloat16", "float32")
    names += ("float64", "longdouble", "complex64", "complex128", "clongdouble")
    rows = []
    for name in names:
        there = [_result_dtype(library, name) for library in (np, torch)]
        rows.append((name, *there))
    return _markdown(("dtype in", "NumPy out", "torch out"), rows)


def _result_dtype(library: Any, name: str) -> str:
    if not hasattr(library, name) and name != "bool":
        return "–"
    dtype = {"bool": getattr(library, "bool", None)}.get(name) or getattr(library, name)
    result = lw.dwt(library.ones(8, dtype=dtype), "db2")[0].dtype
    # The size of NumPy's extended precision is the platform's; its name here is not.
    same = result == dtype
    return name if same else str(result).removeprefix("torch.")


# --- kernels -------------------------------------------------------------------------------------


def fallback_table() -> str:
    """The calls that compiled kernels do not compute; they are among the tests."""
    sys.path.append(str(TABLES.parents[1] / "tests"))
    from fallback_rows import HEADINGS, ROWS, cells

    return _markdown(HEADINGS, map(cells, ROWS))


def _markdown(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def main() -> None:
    TABLES.mkdir(exist_ok=True)
    accuracies = [measured(name) for name in wavelets_with_schemes()]
    tables = {
        "lifting_accuracy": accuracy_table(accuracies),
        "lifting_families": family_table(accuracies),
        "integer_range": integer_table(),
        "dtypes": dtype_table(),
        "fallbacks": fallback_table(),
    }
    for name, table in tables.items():
        path = TABLES / f"{name}.md"
        path.write_text(table, encoding="utf-8")
        print(f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
