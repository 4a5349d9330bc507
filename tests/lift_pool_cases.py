"""LiftPool computed from its formulas, sample by sample; filters and plans for the tests."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from liftwave.pooling import LiftFilters

PADDINGS = ("reflect", "zeros", "replicate", "circular")  # of even samples and details
EXTENSIONS = (*PADDINGS, "signal")
SIZES = {1: (9,), 2: (5, 8), 3: (3, 4, 5)}


def random_filters(
    channels: int, kernel: int, dims: int, seed: int = 0, *, shared: bool = False, size: float = 1.0
) -> LiftFilters:
    """Random filters."""
    rng = np.random.default_rng(seed)
    shape = (1 if shared else 2**dims - 1, 2, channels)
    weight = size * rng.standard_normal((*shape, kernel)) / kernel
    return LiftFilters(weight, *(size * rng.standard_normal(shape) for _ in range(3)))


def beyond(source: np.ndarray, k: int, padding: str) -> float:
    """Sample ``k`` of a source, inside or beyond its ends."""
    n = len(source)
    if 0 <= k < n:
        return float(source[k])
    if padding == "zeros":
        return 0.0
    if padding == "circular":
        return float(source[k % n])
    if padding == "replicate":
        return float(source[0 if k < 0 else n - 1])
    while not 0 <= k < n:  # mirrored about the end samples, repeatedly
        if n == 1:
            return float(source[0])
        k = -k if k < 0 else 2 * (n - 1) - k
    return float(source[k])


def of_signal(source: np.ndarray, k: int, parity: int, n: int) -> float:
    """Even or odd sample ``k``, inside or in the reflection of the signal of ``n`` samples."""
    if 0 <= k < len(source):
        return float(source[k])
    place = 2 * k + parity
    while n > 1 and not 0 <= place < n:
        place = -place if place < 0 else 2 * (n - 1) - place
    return float(source[place // 2 if n > 1 else 0])


def function(
    source: np.ndarray, numbers: tuple[Any, ...], padding: str, parity: int, n: int
) -> np.ndarray:
    """``a * relu(sum_i w[i] * v[k + i - (K - 1) // 2] + b) + e``."""
    weight, bias, gain, offset = numbers
    result = np.empty(len(source))
    for k in range(len(source)):
        total = float(bias)
        for i, w in enumerate(weight):
            at = k + i - (len(weight) - 1) // 2
            sample = of_signal(source, at, parity, n) if padding == "signal" else None
            total += float(w) * (beyond(source, at, padding) if sample is None else sample)
        result[k] = float(gain) * max(total, 0.0) + float(offset)
    return result


def split_line(x: np.ndarray, filters: Any, padding: str) -> tuple[np.ndarray, ...]:
    """Smooth half, detail and odd samples of a line."""
    n = len(x)
    if n % 2:
        x = np.append(x, x[max(n - 2, 0)] if padding == "signal" else x[-1])
    even, odd = x[0::2], x[1::2]
    predict, update = filters
    detail = odd - function(even, predict, padding, 0, n)
    return even + function(detail, update, padding, 1, n), detail, odd


def split_axis(x: np.ndarray, axis: int, one: LiftFilters, padding: str) -> list[np.ndarray]:
    """The same along an axis of an array of shape (C, …)."""
    moved = np.moveaxis(x, axis, -1)
    lines: list[list[np.ndarray]] = [[], [], []]
    for place in product(*map(range, moved.shape[:-1])):
        c = place[0]
        numbers = tuple(tuple(each[k, c] for each in one) for k in (0, 1))
        for to, line in zip(lines, split_line(moved[place], numbers, padding), strict=True):
            to.append(line)
    shape = moved.shape[:-1]
    return [np.moveaxis(np.reshape(each, (*shape, -1)), -1, axis) for each in lines]


def slow_down(
    x: np.ndarray, filters: LiftFilters, dims: int, padding: str
) -> tuple[dict[str, np.ndarray], list[tuple[np.ndarray, np.ndarray]]]:
    """All bands of a signal of shape (C, …) by name; ``s - o`` and ``d`` for each pass."""
    arrays, gaps = {"": x}, []
    number = 0
    for axis in range(-1, -dims - 1, -1):
        halves: dict[str, np.ndarray] = {}
        for name, array in arrays.items():
            chosen = 0 if filters.weight.shape[0] == 1 else number
            one = LiftFilters(*(each[chosen] for each in filters))
            smooth, detail, odd = split_axis(array, axis, one, padding)
            halves[name + "L"], halves[name + "H"] = smooth, detail
            gaps.append((smooth - odd, detail))
            number += 1
        arrays = halves
    return arrays, gaps


def slow_batch(x: np.ndarray, *arguments: Any) -> tuple[dict[str, np.ndarray], list[Any]]:
    """All bands of a batch of signals."""
    each = [slow_down(one, *arguments) for one in x]
    bands = {name: np.stack([found[0][name] for found in each]) for name in each[0][0]}
    gaps = [
        tuple(np.stack([found[1][p][k] for found in each]) for k in (0, 1))
        for p in range(len(each[0][1]))
    ]
    return bands, gaps


def stacked(bands: Mapping[str, np.ndarray]) -> np.ndarray:
    """All bands concatenated along the channels."""
    return np.concatenate(list(bands.values()), axis=1)
