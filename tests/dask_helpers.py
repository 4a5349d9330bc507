"""Shared by the tests of arrays of dask: data, and comparisons with the whole array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dask.array as da
import numpy as np


def leaves(value: Any) -> Iterator[Any]:
    """The arrays in a result, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def assert_same(lazy: Any, whole: Any) -> None:
    """The same arrays, to the last bit, but of dask."""
    for ours, expected in zip(leaves(lazy), leaves(whole), strict=True):
        assert isinstance(ours, da.Array)
        assert (ours.shape, ours.dtype) == (expected.shape, expected.dtype)
        computed = ours.compute(scheduler="synchronous")
        assert computed.dtype == ours.dtype
        np.testing.assert_array_equal(computed, expected)


def lazily(value: Any, chunks: Any = 40) -> Any:
    """The arrays of a structure as arrays of dask."""
    if isinstance(value, dict):
        return {key: lazily(each, chunks) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(lazily(each, chunks) for each in value)
    return None if value is None else da.from_array(value, chunks=chunks)


def noise(*shape: int, dtype: str = "float64") -> Any:
    values = np.random.default_rng(0).standard_normal(shape)
    if dtype.startswith("complex"):
        values = values + 1j * np.random.default_rng(1).standard_normal(shape)
    return (100 * values).astype(dtype)
