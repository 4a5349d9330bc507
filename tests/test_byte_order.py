"""Arrays of either byte order, however NumPy spells it, give the results of plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from helpers import zero_mean

import liftwave as lw
from liftwave import pooling
from liftwave.lifting import LiftingScheme

CDF = LiftingScheme.from_name("cdf5.3")
INTEGER = CDF.to_integer()
DTYPES = ("float32", "float64", "complex64", "complex128")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64")
FILTERS = pooling.lift_filters(3, 3, 2)

TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "dwt2": lambda x: lw.dwt2(x, "db3"),
    "idwt2": lambda x: lw.idwt2((x, (x, x, x)), "db3"),
    "wavedec2": lambda x: lw.wavedec2(x, "db2", level=2),
    "waverec2": lambda x: lw.waverec2([x, (x, None, x)], "db2"),
    "lifting": lambda x: lw.wavedec2(x, CDF, level=2),
    "inverse lifting": lambda x: lw.waverec2([x, (x, x, x)], CDF),
    "derivative": lambda x: lw.vjp(lw.dwt2, x, "db3")[0],
    "one band": lambda x: lw.downcoef("a", x[0], "db3"),
}
INTEGER_TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "analysis": lambda x: lw.wavedec2(x, INTEGER, level=2),
    "synthesis": lambda x: lw.idwt2((x, (x, x, x)), INTEGER),
    "floating point": lambda x: lw.dwt2(x, "db3"),
}
POOLINGS: dict[str, Callable[[Any], Any]] = {
    "max_pool": lambda x: pooling.max_pool(x, 2),
    "soft_pool": lambda x: pooling.soft_pool(x, 2),
    "ada_pool": lambda x: pooling.ada_pool(x, 2),
    "lift_down": lambda x: pooling.lift_down(x, FILTERS, "concat"),
    "derivative": lambda x: lw.vjp(pooling.soft_pool, x, 2)[0],
}


def variants(x: np.ndarray) -> Iterator[np.ndarray]:
    """Arrays of the same numbers: both orders spelt out, and fields of structures."""
    for order in ("<", ">"):
        yield x.astype(x.dtype.newbyteorder(order))
        assert x.dtype.newbyteorder("<").str.startswith(("<", "|"))
    for padding in ("u1", "f8"):  # unaligned, and aligned
        structure = np.zeros(x.shape, [("padding", padding), ("value", x.dtype)])
        structure["value"] = x
        yield structure["value"]


def arrays_of(result: Any) -> list[Any]:
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        return [array for item in result for array in arrays_of(item)]
    return [result] if isinstance(result, np.ndarray) else []


def check(function: Callable[[Any], Any], x: np.ndarray) -> None:
    expected = arrays_of(function(x))
    assert expected
    for variant in variants(x):
        results = arrays_of(function(variant))
        for result, wanted in zip(results, expected, strict=True):
            assert result.dtype.isnative
            np.testing.assert_array_equal(result, wanted, strict=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name: str, dtype: str, kernels: str) -> None:
    check(TRANSFORMS[name], zero_mean((32, 34), 0, dtype))


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", INTEGER_TRANSFORMS)
def test_integers(name: str, dtype: str, kernels: str) -> None:
    x = np.random.default_rng(0).integers(0, 100, (32, 34)).astype(dtype)
    check(INTEGER_TRANSFORMS[name], x)


@pytest.mark.parametrize("dtype", DTYPES[:2])
@pytest.mark.parametrize("name", POOLINGS)
def test_pooling(name: str, dtype: str, kernels: str) -> None:
    check(POOLINGS[name], zero_mean((2, 3, 8, 12), 0, dtype))


def test_results_in_memory_of_the_other_order() -> None:
    """``out`` has to be native: it is written, not copied."""
    bands = lw.dwt(np.arange(8.0), "db2")
    out = np.empty(8, np.dtype("float64").newbyteorder("<"))
    np.testing.assert_array_equal(lw.idwt(*bands, "db2", out=out), lw.idwt(*bands, "db2"))
    other = np.empty(8, np.dtype("float64").newbyteorder(">"))
    with pytest.raises(lw.errors.LiftwaveError):
        lw.idwt(*bands, "db2", out=other)
