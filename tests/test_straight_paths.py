"""Straight paths of small calls: they return what the general ones do, and share nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import liftwave as lw
from liftwave._plan.boundary import EXTENSION_MODES
from liftwave.transforms.padding import _joined, _padded_shape

CUBE = np.random.default_rng(0).standard_normal((12, 9, 7))
TRANSFORMS: dict[str, Callable[[], list[Any]]] = {
    "wavedec": lambda: lw.wavedec(CUBE[0, 0], "haar", level=2),
    "wavedec2": lambda: lw.wavedec2(CUBE[0], "haar", level=2),
    "wavedecn": lambda: lw.wavedecn(CUBE, "haar", level=2),
}


def equal(a: Any, b: Any) -> bool:
    """Whether two structures hold equal arrays, keys and slices."""
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    return bool(np.all(a == b))


def emptied(structure: list[Any]) -> None:
    """Remove all that a caller can remove from a list of slices or shapes."""
    for level in structure[1:]:
        level.clear()
    structure.clear()


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_lists_of_slices_and_shapes_belong_to_the_caller(kind: str) -> None:
    coeffs = TRANSFORMS[kind]()
    for function in (lw.coeffs_to_array, lw.ravel_coeffs):
        array, *structures = function(coeffs)
        emptied(structures[0])
        emptied(structures[-1])
        again = function(coeffs)
        assert equal(array, again[0])
        assert all(len(structure) == len(coeffs) for structure in again[1:])
        assert all(level for structure in again[1:] for level in structure[1:])


def test_lists_of_shapes_of_a_transform_belong_to_the_caller() -> None:
    shapes = lw.wavedecn_shapes((64, 32), "db2")
    expected = [shapes[0], *map(dict, shapes[1:])]
    emptied(shapes)
    assert lw.wavedecn_shapes((64, 32), "db2") == expected
    assert lw.wavedecn_shapes([64.0, 32], "db2") == expected
    assert lw.wavedecn_shapes((64, 32), "db2", level=len(expected) - 1) == expected


def test_shapes_of_too_many_levels_warn_each_time() -> None:
    for _ in range(2):
        with pytest.warns(lw.errors.LevelWarning):
            lw.wavedecn_shapes((8,), "db4", level=3)


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_other_mappings_are_read_as_dicts(kind: Any) -> None:
    array, slices = lw.coeffs_to_array(TRANSFORMS[kind]())
    flat, *structures = lw.ravel_coeffs(TRANSFORMS[kind]())
    general = [[entry[0], *map(OrderedDict, entry[1:])] for entry in (slices, *structures)]
    views = lw.array_to_coeffs(array, slices, kind)
    assert equal(views, lw.array_to_coeffs(array, general[0], kind))
    assert equal(views, TRANSFORMS[kind]())
    bands = lw.unravel_coeffs(flat, structures[0], structures[1], kind)
    assert equal(bands, lw.unravel_coeffs(flat, general[1], general[2], kind))
    assert equal(bands, TRANSFORMS[kind]())


@pytest.mark.parametrize("level", [None, [("d", slice(2))], "d", np.zeros(3)])
def test_levels_that_are_no_dicts_are_an_error(level: Any) -> None:
    array, slices = lw.coeffs_to_array(TRANSFORMS["wavedec"]())
    with pytest.raises(lw.errors.CoefficientsError, match="got a level of type"):
        lw.array_to_coeffs(array, [*slices[:-1], level], "wavedec")
    flat, slices, shapes = lw.ravel_coeffs(TRANSFORMS["wavedec"]())
    with pytest.raises(lw.errors.CoefficientsError, match="got a level of type"):
        lw.unravel_coeffs(flat, [*slices[:-1], level], shapes, "wavedec")
    with pytest.raises(lw.errors.CoefficientsError, match="got a level of type"):
        lw.unravel_coeffs(flat, slices, [*shapes[:-1], level], "wavedec")


WIDTHS = [0, 3, 25, ((2, 0), (0, 1), (9, 4)), [[2, 0], [0, 1], [9, 4]]]


@pytest.mark.parametrize("mode", EXTENSION_MODES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int16", "longdouble"])
def test_padding_in_one_array_equals_that_axis_by_axis(mode: Any, dtype: str) -> None:
    """To the last bit, also for NaN, and in the same memory order."""
    x = (10 * CUBE[:4, :3, :5]).astype(dtype)
    if x.dtype.kind in "fc":
        x[1, 1, 0] = np.nan
    for samples in (x, x[::-1, :, ::2], x[:1, :2, :1]):
        for widths in WIDTHS:
            pairs = np.broadcast_to(np.array(widths), (3, 2))
            extra = [n % 2 if mode == "periodization" else 0 for n in samples.shape]
            each = tuple((int(b), int(a) + e) for (b, a), e in zip(pairs, extra, strict=True))
            expected = _joined(samples, _padded_shape(samples.shape, each), each, mode)
            padded = lw.pad(samples, widths, mode)
            assert padded.dtype == expected.dtype
            np.testing.assert_array_equal(padded, expected)
            np.testing.assert_array_equal(np.signbit(padded.real), np.signbit(expected.real))
            assert padded.flags.c_contiguous
            assert padded.base is None


def test_lengths_of_numbers_of_any_type_are_those_of_integers() -> None:
    for n in (1, 7, 8, 1000):
        for length in (2, 3, 8):
            assert lw.dwt_max_level(float(n), np.int8(length)) == lw.dwt_max_level(n, length)
            for mode in EXTENSION_MODES:
                assert lw.dwt_coeff_len(np.int16(n), float(length), mode) == lw.dwt_coeff_len(
                    n, length, mode
                )
