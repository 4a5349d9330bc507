"""Lifting along one axis by compiled kernels equals the reference, for all families of kernels.

The CPU kernels are bitwise equal. Tests of what one family alone has, for example its tiles and
threads, are in ``test_cpu_lifting.py`` and ``test_cuda_lifting.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from families import cases, is_exact, reference, with_fallback
from helpers import shared
from lifting_cases import (
    FLOATS,
    INTEGERS,
    LAYOUTS,
    LENGTHS,
    NAMES,
    SCHEMES,
    assert_same,
    compare_axis,
    data,
    forward,
    scheme_of,
)

from liftwave._plan.boundary import LIFTING_MODES, Extension

# CUDA kernels run slowly on the host.
FEW_SCHEMES = ["haar", "cdf5.3", "cdf9.7", "db4", "sym6", "db10", "custom 1", "custom 4"]
FEW_LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8, 13, 30, 31)


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize(("family", "name"), cases(SCHEMES, FEW_SCHEMES), indirect=["family"])
def test_every_short_length(family: Any, name: str, mode: str) -> None:
    lengths = shared(LENGTHS, LIFTING_MODES.index(mode)) if is_exact(family) else FEW_LENGTHS
    for n in lengths:
        compare_axis(family, scheme_of(name), mode, (n,), 0, "float64")
    for n in FEW_LENGTHS:
        compare_axis(family, scheme_of(name), mode, (n, 3), 0, "float64")


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize(
    ("family", "name"),
    cases([*NAMES, "bior2.8"], ["cdf5.3", "db4", "bior2.8"]),
    indirect=["family"],
)
def test_integers_of_the_whole_range(family: Any, name: str, mode: str) -> None:
    scheme = scheme_of(name).to_integer()
    for dtype in INTEGERS if is_exact(family) else ("int16", "int64"):
        for n in (*range(1, 18), 257) if is_exact(family) else (1, 2, 17):
            compare_axis(family, scheme, mode, (n,), 0, dtype)
        shape = (31, 70) if is_exact(family) else (9, 5)
        compare_axis(family, scheme, mode, shape, 0, dtype)
        compare_axis(family, scheme, mode, (3, 40), 1, dtype)


LAYOUT_CASES = [
    *product(["cpu"], LAYOUTS, FLOATS),
    *product(["cuda"], [key for key in LAYOUTS if key != "many columns"], FLOATS[1:3]),
]


@pytest.mark.parametrize(("family", "layout", "dtype"), LAYOUT_CASES, indirect=["family"])
def test_axes_and_strides(family: Any, layout: str, dtype: str) -> None:
    shape, axis, view = LAYOUTS[layout]
    number = [*LAYOUTS].index(layout) + FLOATS.index(dtype)  # two schemes for each
    names, modes = (("cdf9.7", "db4"), ("rbio3.3", "custom 1"))[number % 2], LIFTING_MODES
    if not is_exact(family):
        names, modes = (("cdf9.7",) if dtype == "float64" else ("custom 1",)), modes[:2]
    for name in names:
        for mode in modes:
            for n in (1, 2, 7, 30):
                compare_axis(family, scheme_of(name), mode, shape(n), axis, dtype, view)


def test_samples_that_lie_at_odd_places(family: Any) -> None:
    """Then kernels cannot read pairs of samples at once."""
    views: tuple[Callable[[Any], Any], ...] = (
        lambda x: x[:, 1:41],
        lambda x: x[:, 1::2],
        lambda x: x[1:, :41],
        lambda x: x[:5:2, 2:],
        lambda x: x[:, :41][:, ::-1],
    )
    for view in views:
        compare_axis(family, scheme_of("cdf5.3"), "symmetric", (7, 43), 1, "float64", view)


def test_more_batch_axes_than_cuda_kernels_have(family: Any) -> None:
    kernels, lift = with_fallback(family), forward(scheme_of("haar"), 3, "reflect")
    x = data((3,) * 9, "float64")[(slice(None, 2),) * 8]
    expected = reference.lift_analysis(x, *lift, 8)
    for a, e in zip(kernels.lift_analysis(x, *lift, 8), expected, strict=True):
        assert_same(a, e)


def test_numbers_that_are_not_numbers_stay_where_they_reach(family: Any) -> None:
    x = np.ones(64)
    x[[0, 63]] = np.nan, np.inf
    for mode in LIFTING_MODES:
        lift = forward(scheme_of("cdf9.7"), 64, mode)
        with np.errstate(invalid="ignore"):
            expected = reference.lift_analysis(x, *lift, 0)
        for a, e in zip(family.lift_analysis(x, *lift, 0), expected, strict=True):
            np.testing.assert_array_equal(np.isnan(a), np.isnan(e))
            np.testing.assert_allclose(a, e, rtol=0, atol=1e-14)


def test_rows_that_do_not_copy_stay_with_the_reference(family: Any) -> None:
    kernels, lift = with_fallback(family), forward(scheme_of("cdf5.3"), 16, "reflect")
    first = lift.plan.steps[0]
    mean = Extension(first.extend.n, (), (((6, 0.5), (7, 0.5)),))
    plan = replace(lift.plan, steps=(first._replace(extend=mean), *lift.plan.steps[1:]))
    x = data((4, 16), "float64")
    expected = reference.lift_analysis(x, plan, lift.taps, lift.scale, 1)
    for a, e in zip(
        kernels.lift_analysis(x, plan, lift.taps, lift.scale, 1), expected, strict=True
    ):
        assert_same(a, e)
