"""Scalar arguments that are not numbers of the right kind, for functions without arithmetic."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np
import pytest

import liftwave as lw
from liftwave.errors import LiftwaveError

X = np.arange(16.0)
IMAGE = np.arange(99.0).reshape(9, 11)
COEFFS = lw.wavedec2(IMAGE, "db2", level=1)
PACKED = lw.coeffs_to_array(COEFFS)

# A call of each argument with a value, the builtin error, and a part of the message.
BAD: dict[str, tuple[Any, list[Any], type[Exception], str]] = {
    "data_len of dwt_max_level": (
        lambda v: lw.dwt_max_level(v, 4),
        [-10, -1, 1.5, nan, inf, "a", None, 1j, [2]],
        ValueError,
        "number of samples(,| of at least 0,) got",
    ),
    "filter_len of dwt_max_level": (
        lambda v: lw.dwt_max_level(100, v),
        [-1, 1, 2.5, nan, inf, None, 1j, [2], np.array([2, 3])],
        ValueError,
        "filter",
    ),
    "shape of dwtn_max_level": (
        lambda v: lw.dwtn_max_level((v, 32), "db2"),
        [-10, -1, 1.5, nan, inf, "a", None, 1j, [2]],
        ValueError,
        "number of samples(,| of at least 0,) got",
    ),
    "a number as shape": (
        lambda v: lw.dwtn_max_level(v, "db2"),
        [3, None],
        ValueError,
        "shape must be",
    ),
    "data_len of dwt_coeff_len": (
        lambda v: lw.dwt_coeff_len(v, 4, "zero"),
        [-1, 0, 1.5, nan, inf, None, 1j],
        ValueError,
        "samples|data_len",
    ),
    "shape of wavedecn_shapes": (
        lambda v: lw.wavedecn_shapes((v, 32), "haar"),
        [-8, 1.5, nan, "a", None, 1j],
        ValueError,
        "number of samples(,| of at least 0,) got",
    ),
    "take of upcoef": (lambda v: lw.upcoef("a", X, "haar", 1, v), [-1, -10], ValueError, "take"),
    "type of take": (
        lambda v: lw.upcoef("a", X, "haar", 1, v),
        [1.5, nan, "a", None, 1j],
        TypeError,
        "take must be an integer",
    ),
    "level of upcoef": (
        lambda v: lw.upcoef("a", X, "haar", v),
        [1.5, nan, "a", None, 1j],
        TypeError,
        "level must be an integer",
    ),
    "level of downcoef": (
        lambda v: lw.downcoef("a", X, "haar", level=v),
        [1.5, nan, "a", None, 1j],
        TypeError,
        "level must be an integer",
    ),
    "part": (lambda v: lw.downcoef(v, X, "haar"), ["x", None, 1, X], ValueError, "'a' or 'd'"),
    "axes of dwt2": (lambda v: lw.dwt2(IMAGE, "haar", axes=v), [1, None], TypeError, "two integ"),
    "axes without dimensions": (
        lambda v: lw.dwtn(IMAGE, "haar", axes=v),
        [np.array(0.5), 1.5, "a"],
        TypeError,
        "an axis must be an integer",
    ),
    "pad_widths": (
        lambda v: lw.pad(X, v, "zero"),
        ["a", None, 1j, nan, inf, [(1, [2])]],
        TypeError,
        "pad_widths must be numbers of samples",
    ),
    "padding": (
        lambda v: lw.coeffs_to_array(COEFFS, padding=v),
        ["a", [2, 3], 1j],
        ValueError,
        "padding must be",
    ),
    "output_format": (
        lambda v: lw.array_to_coeffs(*PACKED, output_format=v),
        ["dwt", None, ["wavedec"]],
        ValueError,
        "Unrecognized output format",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_scalars_that_do_not_fit(name: str) -> None:
    call, values, builtin, message = BAD[name]
    for value in values:
        with pytest.raises(LiftwaveError, match=message) as raised:
            call(value)
        assert isinstance(raised.value, builtin), value


def test_scalars_of_numpy_fit() -> None:
    assert lw.dwt_max_level(np.int64(100), np.float64(4)) == lw.dwt_max_level(100.0, 4) == 5
    assert lw.dwtn_max_level((np.int32(64), 32.0), "db2") == 3
    assert lw.pad(X, np.array(2), "zero").shape == (20,)
    assert lw.upcoef("a", X, "haar", np.int64(1), np.int8(4)).shape == (4,)
    padded, _ = lw.coeffs_to_array(COEFFS, padding=np.array(0.5))
    assert padded.shape == PACKED[0].shape
