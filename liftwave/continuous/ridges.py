"""Ridges: the frequencies of components over time, by the best path through all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]

# Relative to the largest power at a time: coefficients below do not matter to a path.
_FLOOR = 1e-10


@dataclass(frozen=True, eq=False)
class Ridge:
    """A ridge of a scalogram: one component.

    Attributes
    ----------
    frequencies : ndarray, shape (..., times)
        Its frequency at each time.
    amplitudes : array, shape (..., times)
        The magnitude of the coefficients on the ridge.
    rows : ndarray of int, shape (..., times)
        The rows of the ridge.
    component : array
        The signal around the ridge, of the shape of the whole signal.
    """

    frequencies: _Floats
    amplitudes: Any
    rows: NDArray[np.int64]
    component: Any


def best_paths(
    power: _Floats, logs: _Floats, count: int, penalty: float, width: float
) -> list[NDArray[np.int64]]:
    """The rows of several ridges, one after the other, the strongest first.

    Parameters
    ----------
    power : ndarray, shape (rows, times)
        The power. It is not modified.
    logs : ndarray, shape (rows,)
        The logarithms of the frequencies.
    count : int
        The number of ridges.
    penalty : float
        The cost of a squared step of the logarithm of frequency.
    width : float
        Rows within this distance of a ridge do not belong to the next ones.
    """
    rest, paths = power.copy(), []
    for _ in range(count):
        path = best_path(scores(rest), logs, penalty)
        paths.append(path)
        rest[abs(logs[:, None] - logs[path]) <= width] = 0
    return paths


def scores(power: _Floats) -> _Floats:
    """The logarithm of the power relative to the largest at each time."""
    largest = power.max(axis=0)
    ratio = power / np.where(largest > 0, largest, 1)
    return np.asarray(np.log(np.maximum(ratio, _FLOOR)))


def best_path(score: _Floats, logs: _Floats, penalty: float) -> NDArray[np.int64]:
    """The path with the largest sum of scores, less the penalty of its squared steps.

    The best predecessor of each row is on the lower envelope of parabolas, which one pass over the
    rows builds. So a time step takes a time proportional to the number of rows, and the path is
    the exact optimum.
    """
    count, times = score.shape
    order = np.argsort(logs)
    x, costs = logs[order], -score[order]
    if penalty == 0 or count == 1:
        return np.asarray(order[costs.argmin(axis=0)])
    squares, slopes = penalty * x * x, (2 * penalty * x).tolist()
    total = costs[:, 0]
    sources = np.empty((times, count), np.int64)
    for t in range(1, times):
        source = _envelope((total + squares).tolist(), slopes, x)
        sources[t] = source
        total = total[source] + penalty * (x - x[source]) ** 2 + costs[:, t]
    path = np.empty(times, np.int64)
    path[-1] = int(total.argmin())
    for t in range(times - 1, 0, -1):
        path[t - 1] = sources[t, path[t]]
    return np.asarray(order[path])


def _envelope(heights: list[float], slopes: list[float], x: _Floats) -> NDArray[np.int64]:
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
