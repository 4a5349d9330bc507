"""Coordinates of bands: the coordinates of the data at the positions of coefficients."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from liftwave._plan.axes import AxisPlan
from liftwave.decomposition.positions import sample_positions


def band_coordinate(
    array: xr.DataArray, dim: str, plan: AxisPlan, level: int, letter: str, count: int
) -> xr.Variable:
    """The coordinates of the coefficients of a band along one dimension.

    A coefficient is at the centre of energy of its filter. Between samples, numbers and times are
    interpolated, and beyond the ends they continue with the distance of the last two samples.
    Without a coordinate of numbers or times, these are the positions in samples.
    """
    first = sample_positions(plan, level)["ad".index(letter)]
    positions = first + 2.0**level * np.arange(count)
    if dim not in array.coords or array.coords[dim].dims != (dim,):
        return xr.Variable((dim,), positions)
    coordinate = array.coords[dim]
    values = coordinate.to_numpy()
    if values.dtype.kind in "mM":
        return xr.Variable((dim,), _times_at(values, positions), coordinate.attrs)
    if values.dtype.kind in "iuf":
        return xr.Variable((dim,), _numbers_at(values, positions), coordinate.attrs)
    return xr.Variable((dim,), positions)


def _times_at(times: NDArray[Any], positions: NDArray[Any]) -> NDArray[Any]:
    """Times, to the nearest tick of their unit."""
    ticks = times.astype(np.int64)
    elapsed = _numbers_at(ticks - ticks[0], positions)  # differences are exact in float64
    return np.asarray((np.rint(elapsed).astype(np.int64) + ticks[0]).astype(times.dtype))


def _numbers_at(values: NDArray[Any], positions: NDArray[Any]) -> NDArray[Any]:
    """Numbers at fractional indices: linear between samples and beyond the ends."""
    numbers, last = values.astype(np.float64), len(values) - 1
    if last < 1:
        return np.full(positions.shape, numbers[0])
    left = np.clip(np.floor(positions), 0, last - 1).astype(np.int64)
    slopes = numbers[left + 1] - numbers[left]
    return np.asarray(numbers[left] + (positions - left) * slopes)
