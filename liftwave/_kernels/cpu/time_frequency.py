"""Synchrosqueezing and ridges by the compiled kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import liftwave._cpu as _cpu
from liftwave._kernels.cpu.memory import memory
from liftwave._plan.squeezing import SqueezePlan
from liftwave._typing import Array

_Floats = NDArray[np.float64]


class CpuTimeFrequency:
    """Synchrosqueezing and ridges; see :class:`TimeFrequencyKernels`."""

    def squeeze(
        self, total: Array, rows: Array, slopes: Array, floor: Array, plan: SqueezePlan, first: int
    ) -> None:
        """Add coefficients to the rows of their instantaneous frequencies."""
        factors = np.ascontiguousarray(plan.factors[first : first + rows.shape[-2]])
        limits = np.asarray(memory(floor), np.float64).reshape(-1)
        arrays = _batch(total), _batch(rows), _batch(slopes)
        _cpu.squeeze(*arrays, limits, factors, plan.highest, plan.voices)

    def best_path(
        self, score: _Floats, places: _Floats, order: NDArray[np.int64], penalty: float
    ) -> NDArray[np.int64]:
        """The row at each time on the best path."""
        path: NDArray[np.int64] = _cpu.best_path(
            np.ascontiguousarray(score), places, np.asarray(order, np.int64), penalty
        )
        return path


def _batch(rows: Array) -> NDArray[Any]:
    """The contiguous memory of rows, with one axis for the batch."""
    array = np.ascontiguousarray(memory(rows))
    return array.reshape(-1, *array.shape[-2:])
