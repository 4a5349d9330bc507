"""Rows of continuous transforms by the compiled kernels, in one call of the module."""

from __future__ import annotations

import math
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import liftwave._cpu as _cpu
from liftwave._kernels.cpu.filters import NAME
from liftwave._kernels.cpu.memory import (
    ALIGNED_SIZE,
    is_floating,
    like,
    memory,
    paged_empty,
    with_copies,
)
from liftwave._plan.spectral import SpectralPlan
from liftwave._typing import Array

_KINDS: dict[str, tuple[Any, Any]] = {
    "complex64": (_cpu.SpectralTables32, _cpu.SpectralRows32),
    "complex128": (_cpu.SpectralTables64, _cpu.SpectralRows64),
}
_PRECISION = {"float32": "complex64", "float64": "complex128"}


class NativeRows:
    """Runs the rows of a plan on NumPy arrays and torch tensors.

    Parameters
    ----------
    plan : SpectralPlan
        The plan, whose responses are NumPy arrays.
    dtype : {"complex64", "complex128"}
        The dtype of spectra.
    """

    def __init__(self, plan: SpectralPlan, dtype: str) -> None:
        # Columns of a divisor of the length are the rows of a shorter signal.
        divisor = math.gcd(plan.hop, plan.length)
        self._length, self._remainder = plan.length, plan.before % divisor
        self._dtype, self._count = dtype, len(plan.windows) * plan.columns
        _, rows = _KINDS[dtype]
        self._rows = rows(
            _tables(dtype, plan.length // divisor, plan.length // 2 + 1),
            [(window.start, window.response) for window in plan.windows],
            *(plan.length, plan.before // divisor, plan.columns, plan.hop // divisor),
        )

    @property
    def is_fast(self) -> bool:
        """Whether each row has a fast transform."""
        return bool(self._rows.is_fast())

    def __call__(self, spectrum: Array) -> Array | None:
        """The rows of spectra; ``None`` for arrays that the module does not read."""
        if not is_floating(spectrum):
            return None
        values = memory(spectrum)
        if values.dtype.name != self._dtype:
            return None
        if self._remainder:
            values = values * self._waves
        size = math.prod(values.shape[:-1]) * self._count
        allocate = None if size < ALIGNED_SIZE else paged_empty
        return like(spectrum, with_copies(self._rows.run, values, allocate))

    @cached_property
    def _waves(self) -> NDArray[Any]:
        """The factors of bins that move the first column to a multiple of the divisor."""
        turns = np.arange(self._length // 2 + 1) * self._remainder % self._length
        return np.asarray(np.exp(2j * np.pi / self._length * turns), self._dtype)


@lru_cache(maxsize=4)
def _tables(dtype: str, length: int, bins: int) -> Any:
    tables, _ = _KINDS[dtype]
    return tables(length, bins)


def native_spectral(plan: SpectralPlan) -> NativeRows | None:
    """The function that computes the rows of a plan; None if array libraries do it sooner."""
    if NAME not in plan.native:
        plan.native[NAME] = _new(plan)
    native: NativeRows | None = plan.native[NAME]
    return native


def _new(plan: SpectralPlan) -> NativeRows | None:
    kinds = {getattr(window.response, "dtype", None) for window in plan.windows}
    if len(kinds) != 1 or plan.columns == 0:
        return None
    dtype = _PRECISION.get(getattr(kinds.pop(), "name", ""))
    if dtype is None or not all(type(w.response) is np.ndarray for w in plan.windows):
        return None
    rows = NativeRows(plan, dtype)
    return rows if rows.is_fast else None
