"""Limits of the power of red noise, and degrees of freedom of averages (Torrence and Compo)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftwave._arrays.host import as_numpy
from liftwave.continuous.analysis import Analysis
from liftwave.continuous.grid import Grid
from liftwave.continuous.red_noise import background, checked_lag, lag_one
from liftwave.errors import DTypeError

_Floats = NDArray[np.float64]


def series_of(analysis: Analysis) -> _Floats:
    """The real signal of an analysis, along the last axis.

    Raises
    ------
    DTypeError
        If it is complex.
    """
    if analysis.is_complex:
        raise DTypeError("significance is defined for real signals, got a complex one")
    return as_numpy(analysis.signal).astype(np.float64)


def noise_limits(analysis: Analysis, ar1: Any) -> _Floats:
    """The mean power in each row of red noise with the variance of the signal."""
    if ar1 is not None:
        ar1 = checked_lag(ar1)
    x = series_of(analysis)
    a = lag_one(x) if ar1 is None else np.full(x.shape[:-1], ar1)
    return np.asarray(x.var(axis=-1)[..., None] * background(analysis.grid, analysis.layout, a))


def freedom_of_rows(analysis: Analysis, is_averaged: bool) -> Any:
    """The degrees of freedom of the power of each row, or of its mean over time."""
    grid, n = analysis.grid, analysis.layout.n
    single = 1 if grid.concrete.is_real else 2
    if not is_averaged:
        return single
    duration = n / grid.fs / (grid.shape.decorrelation_time * grid.scales)
    return single * np.sqrt(1 + duration**2)


def freedom_of_marginal(grid: Grid, rows: NDArray[np.bool_]) -> float:
    """The degrees of freedom of the scale-averaged power."""
    single = 1 if grid.concrete.is_real else 2
    count = int(rows.sum())
    if not count:
        return float(single)
    scales = grid.scales[rows]
    average = 1 / np.sum(1 / scales)
    middle = np.sqrt(scales.min() * scales.max())
    octaves = float(np.sum(grid.weights[rows]) / np.log(2))
    width = octaves / grid.shape.decorrelation_octaves
    return float(single * count * average / middle * np.sqrt(1 + width**2))
