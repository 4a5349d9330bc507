"""Ridges: the frequencies of components over time, by the best path over all rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftwave._dispatch import kernels_for

_Floats = NDArray[np.float64]

# Relative to the largest power at a time: a path does not depend on smaller coefficients.
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
    rest, paths = power, [best_path(scores(power), logs, penalty)]
    for _ in range(count - 1):
        rest = np.where(abs(logs[:, None] - logs[paths[-1]]) <= width, 0, rest)
        paths.append(best_path(scores(rest), logs, penalty))
    return paths


def scores(power: _Floats) -> _Floats:
    """The logarithm of the power relative to the largest at each time."""
    largest = power.max(axis=0)
    ratio = power / np.where(largest > 0, largest, 1)
    return np.asarray(np.log(np.maximum(ratio, _FLOOR)))


def best_path(score: _Floats, logs: _Floats, penalty: float) -> NDArray[np.int64]:
    """The path with the largest sum of scores, less the penalty of its squared steps.

    The best predecessor of each row is on the lower envelope of parabolas, which one pass over the
    rows builds. Therefore each time step is linear in the number of rows, and the path is the exact
    optimum.
    """
    order = np.argsort(logs)
    if penalty == 0 or logs.size == 1:
        return np.asarray(order[(-score[order]).argmin(axis=0)])
    return kernels_for(score).time_frequency.best_path(score, logs[order], order, penalty)
