"""Filter banks along one axis by compiled kernels equal the reference, for all families.

The CPU kernels are bitwise equal; gradients in taps agree up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import pywt
from families import reference
from filter_comparison import (
    LAYOUTS,
    assert_close,
    check_analysis,
    check_every,
    check_gradients,
    check_synthesis,
    filters_of,
    numbers,
    signals,
)
from helpers import paired

from liftwave._plan.axis import analysis_plan, synthesis_plan, upsampling_plan
from liftwave._plan.boundary import EXTENSION_MODES

# --- modes, sizes, numbers of taps ---------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("mode", EXTENSION_MODES)
def test_modes_and_sizes(family: Any, mode: Any, layout: str) -> None:
    for n in (1, 2, 3, 8, 13, 30):
        if n > 1 or "reflect" not in mode:
            for length in (2, 8):
                check_every(family, n, length, mode, layout)


@pytest.mark.parametrize(("length", "layout"), paired([14, 62, 130], LAYOUTS))
def test_numbers_of_taps_that_are_not_compiled_for(family: Any, length: int, layout: str) -> None:
    for n, mode in ((5, "symmetric"), (70, "periodization"), (41, "antireflect")):
        check_every(family, n, length, mode, layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("length", [1, 3, 7, 21])
def test_odd_numbers_of_taps(family: Any, length: int, layout: str) -> None:
    filters = filters_of(length)
    for n in (1, 6, 41):
        x = signals(n, n, layout)
        for plan in (analysis_plan(n, length, "symmetric"), analysis_plan(n, length, "zero")):
            check_analysis(family, x, filters, plan)
            check_gradients(family, x, plan, layout)
        if length > 1:  # the reference needs a tap for each output
            check_synthesis(family, [x, x + 1], filters, upsampling_plan(n, length))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_filter_or_band(family: Any, layout: str) -> None:
    for n, mode in ((13, "symmetric"), (12, "periodization")):
        (taps,) = filters_of(8, 1)
        x, plan = signals(n, n, layout), analysis_plan(n, 8, mode)
        check_analysis(family, x, [taps], plan)
        check_synthesis(family, [signals(n, plan.n_out, layout)], [taps], plan.analysis_adjoint())
        check_gradients(family, x, plan, layout, 1)
        check_gradients(family, x, plan, layout, 3)


@pytest.mark.parametrize("mode", EXTENSION_MODES)
def test_pywavelets_gives_the_same(family: Any, mode: Any) -> None:
    x, wavelet = numbers(0, 3, 29), pywt.Wavelet("db4")
    plan = analysis_plan(29, 8, mode)
    approx, detail = family.analysis(x, [tuple(f) for f in wavelet.filter_bank[:2]], plan, 1)
    for found, wanted in zip((approx, detail), pywt.dwt(x, wavelet, mode), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-13)
    back = synthesis_plan(plan.n_out, 8, mode)
    found = family.synthesis([approx, detail], [tuple(f) for f in wavelet.filter_bank[2:]], back, 1)
    np.testing.assert_allclose(found, pywt.idwt(approx, detail, wavelet, mode), rtol=0, atol=1e-13)


# --- dtypes --------------------------------------------------------------------------------------

DTYPES = [
    *(("cpu", dtype) for dtype in ("float32", "complex64", "complex128")),
    *(("cuda", dtype) for dtype in ("float32", "complex64")),
    pytest.param("cuda", "complex128", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("family", "dtype"), DTYPES, indirect=["family"])
def test_dtypes(family: Any, dtype: str, layout: str) -> None:
    for mode in ("symmetric", "smooth"):
        plan = analysis_plan(21, 8, mode)
        x = signals(1, 21, layout, dtype)
        check_analysis(family, x, filters_of(8), plan)
        check_gradients(family, x, plan, layout)
        bands = [signals(k, plan.n_out, layout, dtype) for k in range(2)]
        check_synthesis(family, bands, filters_of(8), synthesis_plan(plan.n_out, 8, mode))


# --- memory --------------------------------------------------------------------------------------

VIEWS: dict[str, Callable[[Any], Any]] = {
    "backwards": lambda x: x[:, ::-1],
    "every second": lambda x: np.repeat(x, 2, 1)[:, ::2],
    "lines backwards": lambda x: x[::-1, :, ::-1],
    "Fortran": np.asfortranarray,
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "columns": lambda x: np.repeat(x, 3, 2)[:, :, 1::3],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("view", VIEWS)
def test_strides(family: Any, view: str, layout: str) -> None:
    plan = analysis_plan(23, 8, "symmetric")
    x = VIEWS[view](signals(5, 23, layout))
    before = x.copy()
    check_analysis(family, x, filters_of(8), plan)
    check_gradients(family, x, plan, layout)
    bands = [VIEWS[view](signals(k, 23, layout)) for k in range(2)]
    check_synthesis(family, bands, filters_of(8), synthesis_plan(23, 8, "symmetric"))
    np.testing.assert_array_equal(x, before)


def test_more_axes_than_kernels_know(family: Any) -> None:
    x = numbers(0, *(3,) * 9)[(slice(None, 2),) * 8][..., ::2]
    plan = analysis_plan(2, 8, "symmetric")
    check_analysis(family, x, filters_of(8), plan, 4)
    bands = [numbers(k, *x.shape[:4], 6, *x.shape[5:])[..., ::1] for k in range(2)]
    check_synthesis(family, bands, filters_of(8), synthesis_plan(6, 8, "symmetric"), 4)
    g = [numbers(k, *x.shape[:4], plan.n_out, *x.shape[5:]) for k in range(2)]
    found = family.tap_gradients(x, g, plan, 4)
    for a, b in zip(found, reference.tap_gradients(x, g, plan, 4), strict=True):
        assert_close(a, b, 128)


def test_what_is_not_a_number_stays_where_it_is(family: Any) -> None:
    for mode in EXTENSION_MODES:
        plan = analysis_plan(15, 8, mode)
        for layout in LAYOUTS:
            for place in (0, 7, 14):
                x = signals(0, 15, layout)
                x[1, place, 3], x[0, place, 5] = np.nan, np.inf
                with np.errstate(invalid="ignore"):
                    check_analysis(family, x, filters_of(8), plan)
