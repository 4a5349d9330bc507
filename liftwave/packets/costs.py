"""Costs of wavelet packets: they are low if few coefficients hold most of the energy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, TypeAlias

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from liftwave._numbers import as_numbers
from liftwave._typing import Array
from liftwave.errors import CostError

Cost: TypeAlias = "str | Callable[[Any], Any]"
"""The name of a cost, or a function from coefficients to the costs of nodes."""

PLAIN_COSTS = ("shannon", "log-energy")
"""The costs without a parameter."""

COSTS = (*PLAIN_COSTS, "norm", "threshold", "sure")


def coefficient_cost(cost: Any, value: Any) -> Callable[[Array, Array], Array]:
    """A function from coefficients and the energy of the data to the cost of each coefficient.

    Raises
    ------
    CostError
        If the cost does not exist, or its parameter is missing or not valid.
    """
    if not isinstance(cost, str) or cost not in COSTS:
        names = ", ".join(map(repr, COSTS))
        raise CostError(f"cost must be one of {names}, or a function; got {cost!r}")
    if cost in PLAIN_COSTS:
        if value is not None:
            raise CostError(f"the cost {cost!r} has no parameter, got value={value!r}")
        return _shannon if cost == "shannon" else _log_energy
    number = _positive(value, cost)
    if cost == "norm":
        return lambda c, energy: _magnitudes(c) ** number
    return _counter(number) if cost == "threshold" else _sure(number)


def _positive(value: Any, cost: str) -> float:
    parameter = "its exponent" if cost == "norm" else "its threshold"
    if value is None:
        raise CostError(f"the cost {cost!r} needs {parameter}: pass value=")
    number = as_numbers(value)
    if number.ndim or number.dtype.kind == "c" or not 0 < number < np.inf:
        raise CostError(f"the cost {cost!r} needs {parameter}, a positive number; got {value!r}")
    return float(number)


def _magnitudes(c: Array) -> Array:
    return array_namespace(c).abs(c)


def _shares(c: Array, energy: Array) -> Array:
    """The share of each coefficient in the energy of the data."""
    return _magnitudes(c) ** 2 / energy


def _log_where_positive(x: Array) -> Array:
    """The logarithm; 0 for 0."""
    xp = array_namespace(x)
    return xp.log(xp.where(x > 0, x, xp.ones_like(x)))


def _shannon(c: Array, energy: Array) -> Array:
    shares = _shares(c, energy)
    return -shares * _log_where_positive(shares)


def _log_energy(c: Array, energy: Array) -> Array:
    return _log_where_positive(_shares(c, energy))


def _counter(threshold: float) -> Callable[[Array, Array], Array]:
    def count(c: Array, energy: Array) -> Array:
        magnitudes = _magnitudes(c)
        return array_namespace(c).astype(magnitudes > threshold, magnitudes.dtype)

    return count


def _sure(threshold: float) -> Callable[[Array, Array], Array]:
    def risk(c: Array, energy: Array) -> Array:
        squares, limit = _magnitudes(c) ** 2, threshold**2
        xp = array_namespace(squares)
        small = xp.astype(squares <= limit, squares.dtype)
        return 1 - 2 * small + xp.minimum(squares, xp.full_like(squares, limit))

    return risk


# --- statistics over signals ---------------------------------------------------------------------


def deviations(c: NDArray[Any]) -> NDArray[Any]:
    """The standard deviation of each coefficient over the signals, which are the second axis."""
    mean = c.mean(axis=1, keepdims=True)
    result: NDArray[Any] = np.sqrt(np.mean(np.abs(c - mean) ** 2, axis=1))
    return result


def spacing_entropy(c: NDArray[Any]) -> NDArray[Any]:
    """Vasicek's estimate of the differential entropy of each coefficient over the signals.

    It is the mean of ``log(K / (2 m) (c[k + m] - c[k - m]))`` over sorted samples, with ``m`` the
    rounded square root of their number ``K``. The first and the last sample are repeated beyond
    the ends.
    """
    count = c.shape[1]
    m = max(1, round(count**0.5))
    ordered = np.sort(c, axis=1)
    k = np.arange(count)
    upper, lower = np.minimum(k + m, count - 1), np.maximum(k - m, 0)
    spacings = ordered[:, upper] - ordered[:, lower]
    with np.errstate(divide="ignore"):  # equal samples have the entropy -inf
        result: NDArray[Any] = np.mean(np.log(count / (2 * m) * spacings), axis=1)
    return result


# Shifts of the histogram, as in Scott's averaged shifted histogram.
_SHIFTS = 5


def histogram_entropy(c: NDArray[Any]) -> NDArray[Any]:
    """The differential entropy of each coefficient over the signals, from a histogram.

    It is an averaged shifted histogram: ``ceil((30 K) ** (1 / 5))`` bins between the extremes of
    ``K`` samples, averaged over 5 shifts, which is a triangular kernel.
    """
    nodes, count, size = c.shape
    columns = np.moveaxis(c, 1, -1).reshape(-1, count)
    entropies = [_entropy_of(column) for column in columns]
    return np.reshape(entropies, (nodes, size))


def _entropy_of(samples: NDArray[Any]) -> float:
    low, high = float(samples.min()), float(samples.max())
    if low == high:
        return -np.inf
    bins = ceil((30 * samples.size) ** 0.2) * _SHIFTS
    width = (high - low) / bins
    counts, _ = np.histogram(samples, bins, (low, high))
    triangle = 1 - np.abs(np.arange(1 - _SHIFTS, _SHIFTS)) / _SHIFTS
    density = np.convolve(counts, triangle) / (samples.size * width * _SHIFTS)
    used = density[density > 0]
    return float(-np.sum(used * np.log(used)) * width)


def energy_maps(
    c: NDArray[Any], labels: NDArray[Any], energies: NDArray[Any]
) -> Sequence[NDArray[Any]]:
    """For each class, the energy of each coefficient over that of all signals of the class."""
    return [
        np.sum(np.abs(c[:, labels == label]) ** 2, axis=1) / np.sum(energies[labels == label])
        for label in np.unique(labels)
    ]


def symmetric_relative_entropy(p: NDArray[Any], q: NDArray[Any]) -> NDArray[Any]:
    """``p log(p / q) + q log(q / p)``; 0 if one of both is 0."""
    both = (p > 0) & (q > 0)
    ratio = np.log(np.where(both, p, 1.0) / np.where(both, q, 1.0))
    result: NDArray[Any] = (p - q) * ratio
    return result
