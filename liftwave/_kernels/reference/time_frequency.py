"""Synchrosqueezing and ridges, in the array library of the coefficients."""

from __future__ import annotations

import numpy as np
from array_api_compat import array_namespace, is_torch_array
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.host import as_numpy
from liftwave._plan.squeezing import SqueezePlan
from liftwave._typing import Array

_Floats = NDArray[np.float64]
_Rows = NDArray[np.int64]


class ReferenceTimeFrequency:
    """Synchrosqueezing and ridges; see :class:`TimeFrequencyKernels`."""

    def squeeze(
        self, total: Array, rows: Array, slopes: Array, floor: Array, plan: SqueezePlan, first: int
    ) -> None:
        """Add coefficients to the rows of their instantaneous frequencies."""
        xp, count = array_namespace(rows), rows.shape[-2]
        places, is_inside = _places(rows, slopes, floor, plan)
        factors = plan.factors[first : first + count, None]
        weights = xp.asarray(factors, dtype=rows.dtype, device=device_of(rows))
        values = xp.where(is_inside, rows * weights, xp.zeros_like(rows))
        add_scattered(total, values, places)

    def best_path(
        self, score: _Floats, places: _Floats, order: _Rows, penalty: float
    ) -> NDArray[np.int64]:
        """The row at each time on the best path."""
        count, times = score.shape
        costs = -score[order]
        squares, slopes = penalty * places * places, (2 * penalty * places).tolist()
        total = costs[:, 0]
        sources = np.empty((times, count), np.int64)
        for t in range(1, times):
            source = _envelope((total + squares).tolist(), slopes, places)
            sources[t] = source
            total = total[source] + penalty * (places - places[source]) ** 2 + costs[:, t]
        path = np.empty(times, np.int64)
        path[-1] = int(total.argmin())
        for t in range(times - 1, 0, -1):
            path[t - 1] = sources[t, path[t]]
        return np.asarray(order[path])


def _places(rows: Array, slopes: Array, floor: Array, plan: SqueezePlan) -> tuple[Array, Array]:
    """The row of the instantaneous frequency, and whether there is one."""
    xp = array_namespace(rows)
    squared = xp.real(rows) ** 2 + xp.imag(rows) ** 2
    product = xp.real(slopes) * xp.real(rows) + xp.imag(slopes) * xp.imag(rows)
    tiny = float(xp.finfo(squared.dtype).smallest_normal)
    is_large = (squared > floor[..., None]) & (squared > tiny) & (product > 0)
    ones = xp.ones_like(squared)
    frequency = xp.where(is_large, product / xp.where(is_large, squared, ones), ones)
    place = xp.round(plan.voices * xp.log2(plan.highest / frequency))
    is_inside = is_large & (place >= 0) & (place < plan.count)
    return xp.astype(xp.where(is_inside, place, xp.zeros_like(place)), xp.int64), is_inside


def add_scattered(total: Array, values: Array, places: Array) -> None:
    """Add each value to the row of ``total`` that its place names, in its column."""
    if is_torch_array(total):
        total.scatter_add_(-2, places, values)
        return
    if isinstance(total, np.ndarray):
        values, places = as_numpy(values), as_numpy(places)
    columns = array_namespace(places).arange(places.shape[-1], device=device_of(places))
    flat = total.reshape(-1, *total.shape[-2:])
    rows, index = values.reshape(-1, *values.shape[-2:]), places.reshape(-1, *values.shape[-2:])
    for k in range(flat.shape[0]):
        for row in range(rows.shape[1]):
            # Each column occurs once in a row, so no sum is lost.
            flat[k, index[k, row], columns] += rows[k, row]


def _envelope(heights: list[float], slopes: list[float], x: _Floats) -> _Rows:
    """The parabola that is lowest at each place.

    All have the same quadratic term, so they are lines ``heights[i] - slopes[i] * x``. The slopes
    increase.
    """
    lowest, borders = [0], [-np.inf]
    for i in range(1, len(heights)):
        height, slope = heights[i], slopes[i]
        top = lowest[-1]
        border = (height - heights[top]) / (slope - slopes[top])
        while border <= borders[-1]:
            lowest.pop()
            borders.pop()
            top = lowest[-1]
            border = (height - heights[top]) / (slope - slopes[top])
        lowest.append(i)
        borders.append(border)
    return np.asarray(lowest)[np.searchsorted(borders, x, "right") - 1]
