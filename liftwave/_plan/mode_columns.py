"""Boundary modes as arrays: the rows of many samples beyond one end of a signal at once.

The formulas are those of ``boundary.py``, which has one row at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from liftwave._typing import Mode

    Column: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]


def mode_columns(mode: Mode, start: int, stop: int, n: int) -> tuple[Column, ...]:
    """The rows of samples ``start`` … ``stop - 1``, all before or all after a signal.

    Returns
    -------
    tuple of (indices, weights)
        The n-th samples of all rows, and their weights. A weight is zero if a row lacks the sample.
    """
    i = np.arange(start, stop)
    if mode == "antireflect" and n > 1:
        return _antireflect(i, n)
    if mode == "smooth" and n > 1:
        return _smooth(i, n)
    indices, weights = _single(mode, i, n)
    return ((indices, weights),) if weights.any() else ()


def _single(mode: Mode, i: NDArray[np.int64], n: int) -> Column:
    """Rows of one sample."""
    ones = np.ones(len(i))
    if mode == "zero":
        return np.zeros_like(i), 0.0 * ones
    if mode in ("constant", "smooth", "antireflect"):  # of one sample, the last two are constant
        return np.clip(i, 0, n - 1), ones
    if mode == "reflect":
        p = i % max(2 * n - 2, 1)
        return np.minimum(p, 2 * n - 2 - p), ones
    if mode in ("symmetric", "antisymmetric"):
        p = i % (2 * n)
        weights = np.where(p < n, 1.0, -1.0) if mode == "antisymmetric" else ones
        return np.minimum(p, 2 * n - 1 - p), weights
    return np.minimum(i % (n + n % 2) if mode == "periodization" else i % n, n - 1), ones


def _smooth(i: NDArray[np.int64], n: int) -> tuple[Column, ...]:
    """A straight line through the last two samples."""
    before = i < 0
    k = np.where(before, -i, i - (n - 1))
    first, second = np.where(before, 0, n - 1), np.where(before, 1, n - 2)
    return (first, 1.0 + k), (second, np.float64(-1) * k)


def _antireflect(i: NDArray[np.int64], n: int) -> tuple[Column, ...]:
    """Point reflection about the end samples; each period adds twice their difference."""
    periods, p = np.divmod(i, 2 * (n - 1))
    mirrored, inside = p >= n, (p > 0) & (p < n - 1)
    turns = 2.0 * periods.astype(np.float64)
    first = np.where(p == 0, 1.0, 0.0) - turns
    last = np.where(mirrored, 2.0, np.where(p == n - 1, 1.0, 0.0)) + turns
    middle = np.where(mirrored, 2 * (n - 1) - p, np.where(inside, p, 0))
    columns: tuple[Column, ...] = (
        (np.zeros_like(i), first),
        (middle, np.where(mirrored, -1.0, np.where(inside, 1.0, 0.0))),
        (np.full_like(i, n - 1), last),
    )
    return tuple(column for column in columns if column[1].any())
