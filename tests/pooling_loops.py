"""Pooling computed from the formulas, region by region and sample by sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

Vector = np.ndarray


def counted(n: int, k: int, s: int, p: int, d: int, ceil: bool) -> int:
    """The number of windows: those that begin before the end, and fit unless ``ceil``."""
    count = 0
    while True:
        first = count * s - p
        last = first + (k - 1) * d
        begins_before_the_end = first < n
        fits = last <= n - 1 + p
        if not begins_before_the_end or (not fits and not ceil):
            return count
        count += 1
        if not fits:  # with ceil: one more, the last
            return count


def per_axis(value: Any, ndim: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,) * ndim


def windows(
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil: bool = False,
) -> tuple[tuple[int, ...], Iterator[tuple[tuple[int, ...], list[tuple[int, ...]]]]]:
    """The number of windows, and the positions of the samples of each window."""
    ndim = len(kernel)
    stride = kernel if stride is None else per_axis(stride, ndim)
    padding, dilation = per_axis(padding, ndim), per_axis(dilation, ndim)
    each = zip(size, kernel, stride, padding, dilation, strict=True)
    counts = tuple(counted(*numbers, ceil) for numbers in each)

    def regions() -> Iterator[tuple[tuple[int, ...], list[tuple[int, ...]]]]:
        for window in product(*map(range, counts)):
            places = []
            for offset in product(*map(range, kernel)):
                at = tuple(
                    o * s - p + j * d
                    for o, s, p, j, d in zip(window, stride, padding, offset, dilation, strict=True)
                )
                if all(0 <= i < n for i, n in zip(at, size, strict=True)):
                    places.append(at)
            yield window, places

    return counts, regions()


# --- weights ---------------------------------------------------------------------------------


def softmax(values: list[Vector]) -> list[Vector]:
    top = np.max(values, axis=0)
    powers = [np.array([math.exp(a - b) for a, b in zip(v, top, strict=True)]) for v in values]
    return [power / sum(powers) for power in powers]


def dice(a: Vector, m: Vector) -> float:
    total = 0.0
    for x, y in zip(a, m, strict=True):
        total += 1.0 if x == y == 0 else 2 * abs(x * y) / (x * x + y * y)
    return total


def cosine(a: Vector, m: Vector) -> float:
    if not a.any() and not m.any():
        return 1.0
    below = math.sqrt(sum(a * a)) * math.sqrt(sum(m * m))
    return float(sum(a * m)) / below if below else 0.0


def pce(a: Vector, m: Vector) -> float:
    if not a.any() and not m.any():
        return 1.0
    return float(sum(a * m) / (sum(a * a) + sum(m * m) - sum(a * m)))


def distance(a: Vector, m: Vector, kind: str, delta: float) -> float:
    apart = [abs(x - y) for x, y in zip(a, m, strict=True)]
    l1, l2 = sum(apart), math.sqrt(sum(v * v for v in apart))
    if kind == "huber":
        return l1 * l1 / 2 if l2 <= delta else delta * (l1 - delta / 2)
    return {"l1": l1, "l2": l2, "chebyshev": max(apart), "gower": l1 / len(apart)}[kind]


SIMILARITIES: dict[str, Callable[[Vector, Vector], float]] = {
    "dice": dice,
    "cosine": cosine,
    "pce": pce,
}


def shares(numbers: list[float]) -> list[float]:
    """Numbers divided by their sum; equal shares if the sum is zero."""
    total = math.fsum(numbers)
    return [n / total if total else 1 / len(numbers) for n in numbers]


def vector_weights(values: list[Vector], kind: str, delta: float) -> list[float]:
    """One weight for each sample, where samples are vectors."""
    mean = sum(values) / len(values)
    first, _, name = kind.rpartition("-")
    if first == "idw":
        distances = [distance(a, mean, name, delta) for a in values]
        if 0 in distances:
            return shares([float(d == 0) for d in distances])
        return shares([1 / d for d in distances])
    similarities = [SIMILARITIES[name](a, mean) for a in values]
    if first == "exp":
        return shares([math.exp(s - max(similarities)) for s in similarities])
    return shares([max(s, 0.0) for s in similarities])


def weights(
    values: list[Vector], kind: str, beta: Any, delta: float, per_channel: bool
) -> list[Vector]:
    """The weights of a region's samples, for each channel."""
    if kind == "softmax":
        return softmax(values)
    if kind == "ada":
        one = weights(values, "exp-dice", None, delta, per_channel)
        other = softmax(values)
        return [beta * u + (1 - beta) * v for u, v in zip(one, other, strict=True)]
    channels = len(values[0])
    if per_channel:
        each = [
            vector_weights([v[c : c + 1] for v in values], kind, delta) for c in range(channels)
        ]
        return [np.array(w) for w in zip(*each, strict=True)]
    return [np.full(channels, w) for w in vector_weights(values, kind, delta)]


# --- pooling and unpooling -------------------------------------------------------------------


def beta_at(beta: Any, channels: int, window: tuple[int, ...], counts: tuple[int, ...]) -> Any:
    if beta is None:
        return None
    full = np.broadcast_to(np.clip(beta, 0, 1), (channels, *counts))
    return full[(slice(None), *window)]


def pool(
    x: np.ndarray,
    kind: str,
    arguments: tuple[Any, ...],
    beta: Any = None,
    delta: float = 1.0,
    per_channel: bool = True,
) -> np.ndarray:
    """Pooling of one image of shape (C, *spatial) by weights."""
    counts, regions = windows(x.shape[1:], *arguments)
    y = np.empty((len(x), *counts))
    for window, places in regions:
        values = [x[(slice(None), *at)] for at in places]
        w = weights(values, kind, beta_at(beta, len(x), window, counts), delta, per_channel)
        y[(slice(None), *window)] = sum(u * v for u, v in zip(w, values, strict=True))
    return y


def unpool(
    x: np.ndarray,
    pooled: np.ndarray,
    kind: str,
    arguments: tuple[Any, ...],
    beta: Any = None,
    up: str = "nearest",
    preserve: str = "sum",
    per_channel: bool = True,
) -> np.ndarray:
    """The pooled values distributed with the weights of ``x``."""
    counts, regions = windows(x.shape[1:], *arguments)
    back = np.zeros(x.shape)
    for window, places in regions:
        values = [x[(slice(None), *at)] for at in places]
        w = weights(values, kind, beta_at(beta, len(x), window, counts), 1.0, per_channel)
        for share, at in zip(w, places, strict=True):
            value = pooled[(slice(None), *window)]
            if up == "linear":
                value = between(pooled, at, *arguments)
            factor = len(places) if preserve == "mean" else 1
            back[(slice(None), *at)] += factor * share * value
    return back


def between(
    pooled: np.ndarray,
    at: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil: bool = False,
) -> np.ndarray:
    """The value at a sample, interpolated between the centers of windows."""
    ndim = len(kernel)
    stride = kernel if stride is None else per_axis(stride, ndim)
    padding, dilation = per_axis(padding, ndim), per_axis(dilation, ndim)
    value = pooled
    for i, k, s, p, d in zip(at, kernel, stride, padding, dilation, strict=True):
        middles = [o * s - p + (k - 1) * d / 2 for o in range(value.shape[1])]
        line = np.moveaxis(value, 1, -1)
        flat = line.reshape(-1, line.shape[-1])
        value = np.array([np.interp(i, middles, row) for row in flat]).reshape(line.shape[:-1])
    return value
