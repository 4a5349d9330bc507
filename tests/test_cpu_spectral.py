"""Rows of continuous transforms: compiled kernels against long transforms in double precision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from helpers import zero_mean
from numpy.testing import assert_array_equal

import liftwave as lw
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.spectral import SpectralPlan, Window
from liftwave.continuous.analysis import rows_of

_cpu = pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")

from liftwave._kernels.cpu.family import CpuKernels  # noqa: E402

cpu = CpuKernels(ReferenceKernels())

REAL = {"complex64": "float32", "complex128": "float64"}


def plan_of(
    length: int, bins: Sequence[tuple[int, int]], dtype: str, cut: tuple[int, int], hop: int = 1
) -> SpectralPlan:
    """A plan with random responses in these bins."""
    rng = np.random.default_rng(length)
    windows = [
        Window(start, rng.uniform(0.2, 2, stop - start).astype(REAL[dtype])) for start, stop in bins
    ]
    return SpectralPlan(length, *cut, windows, hop)


def spectra_of(plan: SpectralPlan, dtype: str, batch: tuple[int, ...] = ()) -> Any:
    shape = (*batch, plan.length // 2 + 1)
    return (zero_mean(shape, 1) + 1j * zero_mean(shape, 2)).astype(dtype)


def by_definition(spectra: Any, plan: SpectralPlan) -> Any:
    """The rows in double precision, by long transforms."""
    rows = np.zeros((*spectra.shape[:-1], len(plan.windows), plan.length), complex)
    for row, window in enumerate(plan.windows):
        bins = slice(window.start, window.start + window.response.size)
        rows[..., row, bins] = spectra[..., bins].astype(complex) * window.response
    return np.fft.ifft(rows)[..., plan.before : plan.before + plan.count : plan.hop]


def assert_rows(plan: SpectralPlan, dtype: str, batch: tuple[int, ...] = ()) -> Any:
    """Compare compiled rows with the definition; return them."""
    spectra = spectra_of(plan, dtype, batch)
    native = cpu.native_spectral(plan)
    assert native is not None
    rows = native(spectra)
    assert rows is not None
    expected = by_definition(spectra, plan)
    assert rows.shape == expected.shape
    assert rows.dtype == np.dtype(dtype)
    # Errors of bins are independent; a transform adds some roundings to each of them.
    largest = abs(expected).max(axis=(-2, -1), keepdims=True, initial=1e-300)
    assert (abs(rows - expected) <= 16 * np.finfo(dtype).eps * largest).all()
    return rows


def bands(length: int) -> list[tuple[int, int]]:
    """A narrow band, one of no bins, a wide one, the lowest bin, and the highest one."""
    half = length // 2 + 1
    return [(half // 3, half // 3 + 2 + length // 100), (1, 1), (1, half), (1, 2), (half - 1, half)]


# Lengths of extended signals, powers of the odd radices, and one factor that is no radix.
LENGTHS = (2, 3, 16, 35, 60, 243, 625, 22 * 16, 343 * 2, 512, 9 << 7, 14 << 8, 15 << 9, 1 << 14)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("length", LENGTHS)
def test_rows_are_the_definition(length: int, dtype: str) -> None:
    cut = (length // 3, length - length // 3)
    assert_rows(plan_of(length, bands(length), dtype, (0, length)), dtype)
    assert_rows(plan_of(length, bands(length), dtype, cut), dtype, (2, 1))
    for hop in (2, 3, 20):
        if math.gcd(hop, length) < length:  # else one column is left
            assert_rows(plan_of(length, bands(length), dtype, cut, hop), dtype)


def test_long_rows_are_the_definition() -> None:
    """Transforms that exceed the caches, stores past the caches, and aligned and other cuts."""
    length = 9 << 14
    for dtype, cut in (("complex64", (0, length)), ("complex64", (1001, 9999))):
        assert_rows(plan_of(length, bands(length) * 3, dtype, cut), dtype)


def test_threads_give_the_same_bits() -> None:
    results = []
    before = lw.get_num_threads()
    for threads in (1, 3):
        lw.set_num_threads(threads)
        for copies in (1, 8):  # few rows are divided, many are not
            plan = plan_of(15 << 10, bands(15 << 10) * copies, "complex64", (100, 14_000))
            rows = assert_rows(plan, "complex64")
            results.append(rows[:5].tobytes())
    lw.set_num_threads(before)
    assert len(set(results)) == 1


def test_arrays_of_any_memory_and_tensors() -> None:
    plan = plan_of(360, bands(360), "complex128", (7, 300))
    spectra = spectra_of(plan, "complex128", (3, 2))
    rows = cpu.native_spectral(plan)(spectra)  # type: ignore[misc]
    wide = np.repeat(spectra, 2, axis=-1)[..., ::2]
    for other in (wide, np.asfortranarray(spectra), torch.from_numpy(spectra)):
        with lw.kernels("cpu"):
            assert_array_equal(rows_of(other, plan), rows)
    empty = rows_of(spectra[:0], plan)
    assert empty.shape == (0, *rows.shape[1:])


def test_lengths_without_factors_use_the_array_library() -> None:
    for length in (509, 2 * 509):
        plan = plan_of(length, [(1, length // 2)], "complex128", (0, length))
        assert cpu.native_spectral(plan) is None
        spectra = spectra_of(plan, "complex128")
        with lw.kernels("cpu!"):
            rows = rows_of(spectra, plan)
        assert abs(rows - by_definition(spectra, plan)).max() < 1e-13


def test_scalograms_use_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    x = zero_mean(300)
    runs = []
    inner = CpuKernels.native_spectral
    monkeypatch.setattr(
        CpuKernels, "native_spectral", lambda self, plan: runs.append(plan) or inner(self, plan)
    )
    with lw.kernels("cpu!"):
        for each in (x, x.astype("float32"), x + 1j * x[::-1], torch.from_numpy(x)):
            s = lw.scalogram(each, voices=4)
            with lw.kernels("reference"):
                expected = lw.scalogram(each, voices=4).coefficients
            eps = 1e-6 if "float32" in str(each.dtype) else 1e-14
            assert abs(s.coefficients - expected).max() < eps * abs(expected).max()
        lw.scalogram(x, voices=4).synchrosqueeze()
    assert len(runs) >= 6
