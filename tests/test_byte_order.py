"""Arrays of either byte order, however NumPy spells it, give the results of plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from argument_continuous import OURS as CONTINUOUS
from argument_kinds import Case
from argument_layers import LAYERS
from argument_packets import OURS as OUR_PACKETS
from argument_packets import SHARED as SHARED_PACKETS
from argument_table import OURS, SHARED
from argument_undecimated import OURS as OUR_UNDECIMATED
from argument_undecimated import SHARED as SHARED_UNDECIMATED
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
    """``out`` must be native: it is written, not copied."""
    bands = lw.dwt(np.arange(8.0), "db2")
    out = np.empty(8, np.dtype("float64").newbyteorder("<"))
    np.testing.assert_array_equal(lw.idwt(*bands, "db2", out=out), lw.idwt(*bands, "db2"))
    other = np.empty(8, np.dtype("float64").newbyteorder(">"))
    with pytest.raises(lw.errors.LiftwaveError):
        lw.idwt(*bands, "db2", out=other)


# --- everything public ---------------------------------------------------------------------------

TABLE = {**SHARED, **OURS, **SHARED_PACKETS, **OUR_PACKETS, **CONTINUOUS, **LAYERS}
TABLE |= {**SHARED_UNDECIMATED, **OUR_UNDECIMATED}


def with_dtype(values: Any, dtype: Any) -> Any:
    """The arguments with all arrays of floating-point numbers in another dtype."""
    if isinstance(values, dict):
        return {key: with_dtype(value, dtype) for key, value in values.items()}
    if isinstance(values, list | tuple):
        items = [with_dtype(value, dtype) for value in values]
        return values._make(items) if hasattr(values, "_make") else type(values)(items)
    if type(values) is np.ndarray and values.dtype.kind == "f":
        return values.astype(dtype)
    return values


def is_tested(name: str, case: Case) -> bool:
    """Whether a call has arrays. Layers get tensors, and setters change the table."""
    is_record = name.startswith("FswavedecnResult.") or name == "pooling.LiftFilters"
    return bool(arrays_of([*case.arguments])) and not is_record


def outcome(case: Case, dtype: Any) -> list[Any]:
    """The arrays of a result, or the class of the error."""
    options = {name: value for name, value in case.options.items() if name != "out"}
    try:
        result = case.function(*with_dtype(case.arguments, dtype), **with_dtype(options, dtype))
    except Exception as error:
        return [type(error)]
    if isinstance(result, lw.Decomposition | lw.Undecimated):
        return list(result.values())
    if isinstance(result, lw.FswavedecnResult):
        return [result.coeffs, lw.fswaverecn(result)]
    return arrays_of(getattr(result, "coefficients", result))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name, case in TABLE.items() if is_tested(name, case)])
def test_everything_public(name: str) -> None:
    """The arrays of each argument, in each order, give the same arrays or the same error."""
    for dtype in map(np.dtype, ("float32", "float64", "complex128", "int16")):
        expected = outcome(TABLE[name], dtype)
        for order in "<=>":
            results = outcome(TABLE[name], dtype.newbyteorder(order))
            assert len(results) == len(expected), (results, expected)
            for result, wanted in zip(results, expected, strict=True):
                if isinstance(wanted, type):
                    assert result is wanted
                else:
                    assert result.dtype.isnative
                    np.testing.assert_array_equal(result, wanted, strict=True)
