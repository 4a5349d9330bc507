"""Filters without downsampling by compiled kernels equal the reference, for all families.

The CPU kernels are bitwise equal; gradients in taps agree up to rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from families import reference
from filter_comparison import (
    LAYOUTS,
    assert_close,
    check_circular,
    filters_of,
    numbers,
    signals,
    terms_of,
)
from helpers import paired

import liftwave as lw
from liftwave._plan.axis import FilterPlan, joined_plan

FAR = 2**40
"""A dilation many times as long as the signals."""


def plans_of(n: int, length: int, dilation: int) -> list[FilterPlan]:
    """Centred and causal filters, and the transpose of the latter."""
    centred = joined_plan(n, length, dilation * (length // 2), dilation, 1.0)
    causal = joined_plan(n, length, 0, dilation, 0.5)
    return [centred, causal, causal.analysis_adjoint()]


@pytest.mark.parametrize(("length", "layout"), paired([2, 8, 14], LAYOUTS))
def test_sizes_and_dilations(family: Any, length: int, layout: str) -> None:
    for n in (1, 2, 7, 30, 64):
        for dilation in (1, 2, 4, 16, 32, FAR):
            for plan in plans_of(n, length, dilation):
                check_circular(family, plan, layout)


def test_odd_numbers_of_taps(family: Any) -> None:
    """The CPU kernels once read beyond the taps."""
    for plan in plans_of(9, 3, 2):
        check_circular(family, plan, "across")


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("length", [3, 4, 6, 7, 10, 12, 16, 20, 21, 62, 130])
def test_every_number_of_taps(family: Any, length: int, layout: str) -> None:
    for n in (1, 5, 33, 130):
        for dilation in (1, 2, 16, 31, 64, FAR):
            for plan in plans_of(n, length, dilation):
                check_circular(family, plan, layout)


DTYPES = [
    *(("cpu", dtype) for dtype in ("float32", "complex64", "complex128")),
    *(("cuda", dtype) for dtype in ("float32", "complex64")),
    pytest.param("cuda", "complex128", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("family", "dtype"), DTYPES, indirect=["family"])
def test_dtypes(family: Any, dtype: str, layout: str) -> None:
    for dilation in (1, 16):
        check_circular(family, plans_of(40, 8, dilation)[0], layout, dtype)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_strides(family: Any, layout: str) -> None:
    plan, filters = plans_of(23, 8, 2)[0], filters_of(8)
    views = (
        lambda x: x[:, ::-1],
        lambda x: x[::-1, :, ::-1],
        lambda x: np.repeat(x, 3, 2)[:, :, 1::3],
        np.asfortranarray,
        lambda x: np.broadcast_to(x[:1], x.shape),
    )
    for view in views:
        x, y = view(signals(5, 23, layout)), view(signals(6, 23, layout))
        before = x.copy()
        found = family.analysis(x, filters, plan, 1)
        wanted = reference.analysis(x, filters, plan, 1)
        for a, b in zip(found, wanted, strict=True):
            assert_close(a, b, terms_of(family, plan))
        result = family.synthesis([x, y], filters, plan, 1)
        wanted_sum = reference.synthesis([x, y], filters, plan, 1)
        assert_close(result, wanted_sum, terms_of(family, plan))
        (found,) = family.tap_gradients(x, [y], plan, 1)
        (wanted,) = reference.tap_gradients(x, [y], plan, 1)
        assert_close(found, wanted, 128)
        np.testing.assert_array_equal(x, before)


def test_more_axes_than_kernels_know(family: Any) -> None:
    x = numbers(0, *(3,) * 9)[(slice(None, 2),) * 8][..., ::2]
    plan, filters = plans_of(2, 4, 1)[0], filters_of(4)
    found = family.analysis(x, filters, plan, 4)
    for a, b in zip(found, reference.analysis(x, filters, plan, 4), strict=True):
        assert_close(a, b, terms_of(family, plan))
    result = family.synthesis([x, x + 1], filters, plan, 4)
    wanted = reference.synthesis([x, x + 1], filters, plan, 4)
    assert_close(result, wanted, terms_of(family, plan))


def test_places_of_what_is_not_a_number(family: Any) -> None:
    plan = joined_plan(40, 8, 8, 2, 1.0)
    for layout in LAYOUTS:
        x = signals(0, 40, layout)
        x[1, 39, 3], x[0, 5, 5] = np.nan, np.inf
        with np.errstate(invalid="ignore"):
            found = family.analysis(x, filters_of(8), plan, 1)
            wanted = reference.analysis(x, filters_of(8), plan, 1)
        for a, b in zip(found, wanted, strict=True):
            assert_close(a, b, terms_of(family, plan))


@pytest.mark.parametrize("shape", [(2_100_001,), (2, 350_003, 3)])
def test_levels_in_blocks(shape: tuple[int, ...]) -> None:
    """Arrays that the caches do not hold go block by block through all levels."""
    pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
    x = np.random.default_rng(0).standard_normal(shape)
    results, axis = [], min(x.ndim - 1, 1)
    for kernels in ("cpu", "reference"):
        with lw.kernels(kernels):
            bands = lw.swt(x, "db2", 4, axis=axis, trim_approx=True)
            alone = [[bands[0], *[None] * 4], [None, bands[1], *[None] * 3], bands]
            rebuilt = [lw.iswt(c, "db2", axis=axis) for c in alone]
            results.append([y.tobytes() for y in (*bands, *rebuilt)])
    assert results[0] == results[1]


PLANES = [
    ((12, 516), (0, 1)),
    ((28, 1_292), (0, 1)),
    ((8, 12, 72), None),
    ((2, 12, 300, 3), (1, 2)),
]


@pytest.mark.parametrize(("shape", "axes"), PLANES)
def test_several_axes_part_by_part(shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    """Several outputs are summed together, part by part; at the end, there are fewer."""
    pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    results = []
    for kernels in ("cpu", "reference"):
        with lw.kernels(kernels):
            bands = lw.swtn(x, "db2", 2, axes=axes, trim_approx=True, mode="periodization")
            results.append([lw.iswtn(bands, "db2", axes=axes).tobytes()])
    assert results[0] == results[1]


@pytest.mark.parametrize("shape", [(2_104, 1_000), (2, 1_064, 100, 10)])
def test_levels_of_several_axes_in_blocks(shape: tuple[int, ...]) -> None:
    """Blocks of rows go through all levels of a synthesis; those at the ends join them."""
    pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
    x = np.random.default_rng(0).standard_normal(shape)
    axes = (0, 1) if x.ndim == 2 else (1, 2)
    with lw.kernels("cpu"):
        bands = lw.swtn(x, "db2", 3, axes=axes, trim_approx=True)
    some = [bands[0], {"ad": bands[1]["ad"]}, {"da": bands[2]["da"]}, {"dd": bands[3]["dd"]}]
    results = []
    for kernels in ("cpu", "reference"):
        with lw.kernels(kernels):
            rebuilt = [lw.iswtn(c, "db2", axes=axes) for c in (bands, some)]
            _, pullback = lw.vjp(lw.swtn, x, "db2", 3, axes=axes, trim_approx=True)
            rebuilt.append(pullback(bands, wavelet=False).data)
            results.append([y.tobytes() for y in rebuilt])
    assert results[0] == results[1]
    np.testing.assert_allclose(rebuilt[0], x, atol=1e-9)
