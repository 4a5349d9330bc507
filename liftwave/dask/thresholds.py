"""Thresholding of arrays of dask, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import dask.array as da
import numpy as np

from liftwave._arrays.lazy import is_lazy
from liftwave._typing import Array, Rule
from liftwave.thresholding import threshold_firm, thresholded


def threshold_chunks(x: da.Array, limit: Any, mode: Rule, substitute: Any) -> da.Array:
    """:func:`liftwave.threshold` of an array of dask, with checked arguments."""
    is_number = is_lazy(limit) and limit.size == 1
    function = partial(_threshold, mode=mode, substitute=substitute, is_number=is_number)
    return _on_chunks(function, x, limit)


def threshold_firm_chunks(x: da.Array, low: Any, high: Any) -> da.Array:
    """:func:`liftwave.threshold_firm` of an array of dask, with checked arguments."""
    return _on_chunks(threshold_firm, x, low, high)


def _threshold(chunk: Array, limit: Any, *, mode: Rule, substitute: Any, is_number: bool) -> Array:
    """A thresholded chunk. An array of one limit counts as a number, as for NumPy arrays."""
    if is_number and type(limit) is np.ndarray:
        limit = limit.item()
    result: Array = thresholded(chunk, limit, mode, substitute)
    return result


def _on_chunks(function: Callable[..., Array], x: da.Array, *limits: Any) -> da.Array:
    """The result on each chunk; limits that are arrays have the chunks of the array."""
    ones = [np.ones((1,) * v.ndim, v.dtype) if is_lazy(v) else v for v in limits]
    like = function(np.zeros_like(x._meta, shape=(1,) * x.ndim), *ones)
    pairs = [(v, _indices(v) if is_lazy(v) else None) for v in (x, *limits)]
    places = max((place for _, place in pairs if place is not None), key=len)
    meta = like[(slice(0, 0),) * like.ndim]
    return da.blockwise(function, places, *chain.from_iterable(pairs), dtype=like.dtype, meta=meta)


def _indices(x: da.Array) -> tuple[int, ...]:
    """The names of the axes, counted from the end, as for broadcasting."""
    return tuple(reversed(range(x.ndim)))
