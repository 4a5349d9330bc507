"""The tolerance for the results of random calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pywt
from fuzz_arguments import made
from fuzz_calls import Call
from fuzz_conditions import arguments, leaves
from helpers import DISCRETE

_ULPS = 64.0  # besides two for each tap


class Tolerance:
    """The tolerance of a result: the size of the problem, times the coarsest rounding error.

    PyWavelets computes with pairs of bands in their own precision, and converts the result.
    """

    def __init__(self, call: Call, result: Any) -> None:
        arrays = [
            np.asarray(each) for each in leaves(made([list(call.arguments)])) if is_data(each)
        ]
        numbers = [x for x in (*arrays, *leaves(result)) if isinstance(x, np.ndarray)]
        self.size = rounding_errors(call) * max(map(largest, numbers), default=1.0)
        self.eps = max((float(np.finfo(x.dtype).eps) for x in arrays if is_single(x)), default=0.0)

    def of(self, dtype: Any) -> float:
        """The tolerance of numbers of a dtype."""
        return self.size * max(float(np.finfo(dtype).eps), self.eps)


def rounding_errors(call: Call) -> float:
    """The number of rounding errors; extrapolation multiplies them by the number of taps."""
    banks = [value for value in made(arguments(call)) if isinstance(value, pywt.Wavelet)]
    banks += [pywt.Wavelet(v) for v in arguments(call) if v in DISCRETE]
    taps = max((bank.dec_len for bank in banks), default=1)
    grows = any(v in ("smooth", "antireflect", "sp1", 4, 8) for v in arguments(call))
    return (_ULPS + 2 * taps) * (taps if grows else 1)


def is_data(value: Any) -> bool:
    """Whether the value is an array or a number."""
    return isinstance(value, np.ndarray | float | int)


def is_single(x: np.ndarray) -> bool:
    """Whether PyWavelets computes in single precision."""
    return x.dtype in (np.float32, np.complex64)


def largest(x: np.ndarray) -> float:
    """The largest finite magnitude."""
    magnitudes = np.abs(x.astype(complex) if x.dtype.kind == "c" else x.astype(float))
    return float(magnitudes[np.isfinite(magnitudes)].max(initial=1.0))
