"""Checks every result before it is timed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pywt

from benchmarks.conventions import Bands, decomposition, undecimated_bands
from benchmarks.library import Call, Library
from benchmarks.rows import Row

MISSING = "–"


@dataclass(frozen=True)
class Checked:
    """A transform and its data, with the verdict of its check; without a call if it is missing."""

    verdict: str
    call: Call | None = None
    data: Any = None
    result_bytes: int = 0

    @property
    def timed(self) -> bool:
        """Whether the library provides the transform; wrong results are timed, too."""
        return self.call is not None


class Oracle:
    """The expected bands of one row, computed once for each convention."""

    def __init__(self, row: Row, x: np.ndarray) -> None:
        self._row, self._x = row, x
        self._known: dict[str, Bands] = {}

    def bands(self, library: Library) -> Bands:
        """The bands in ``library``'s convention, computed by PyWavelets."""
        if self._row.undecimated:
            if not self._known:
                self._known[""] = undecimated_bands(self._row, self._x)
            return self._known[""]
        split = library.split(self._row)
        key = library.name if "lifting" in library.name else split.__qualname__
        if key not in self._known:
            self._known[key] = decomposition(split, self._row, self._x)
        return self._known[key]


def checked(library: Library, row: Row, x: np.ndarray, oracle: Oracle) -> Checked:
    """Run the transform of one library once, and compare the result."""
    try:
        forward, inverse = library.forward(row), library.inverse(row)
        if forward is None or inverse is None:
            return Checked(MISSING)
        loaded = library.load(row, x)
        coeffs = forward(loaded)
        verdict = _compared(library, row, library.bands(row, coeffs), oracle.bands(library))
        if not row.inverse:
            return Checked(verdict, forward, loaded, nbytes(library.bands(row, coeffs)))
        back = library.array(row, inverse(coeffs))
        again = library.array(row, inverse(coeffs))
        verdict = verdict or difference(row, back, x) or difference(row, again, x)
        return Checked(verdict, inverse, coeffs, back.nbytes)
    except (ValueError, RuntimeError, TypeError, NotImplementedError) as error:
        return Checked(f"fails: {type(error).__name__}: {str(error).splitlines()[0][:80]}")


def nbytes(bands: Bands) -> int:
    return sum(band.nbytes for band in bands.values())


def _compared(library: Library, row: Row, found: Bands, expected: Bands) -> str:
    if found.keys() != expected.keys():
        return f"wrong: bands {sorted(found)}"
    edge = library.edge(row)
    inner = [slice(None)] * len(row.shape)
    for axis in row.axes:
        inner[axis] = slice(edge, -edge or None)
    compared = {key: (found[key][tuple(inner)], expected[key][tuple(inner)]) for key in found}
    if not any(mine.size for mine, _ in compared.values()):
        return "wrong: nothing left to compare"
    verdicts = (difference(row, mine, right) for mine, right in compared.values())
    return next(filter(None, verdicts), "")


def difference(row: Row, found: np.ndarray, expected: np.ndarray) -> str:
    """Empty if the arrays agree to rounding (integers: exactly), else the difference."""
    if found.shape != expected.shape:
        return f"wrong: shape {found.shape} instead of {expected.shape}"
    if found.size == 0:
        return ""
    size = float(np.abs(expected).max())
    error = float(np.abs(found - expected).max()) / (size or 1.0)
    return "" if error <= tolerance(row) else f"wrong: off by {error:.1e} of the largest"


def tolerance(row: Row) -> float:
    """Rounding of a sum of all taps, for each axis and level, forward and inverse."""
    if row.method == "integer lifting":
        return 0.0
    taps: int = pywt.Wavelet(row.wavelet).dec_len
    return float(np.finfo(row.dtype).eps) * 2 * taps * len(row.axes) * row.level
