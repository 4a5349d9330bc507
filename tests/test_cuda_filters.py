"""Grids, shared memory, half precision and learned taps of CUDA filter banks, run on the host.

``test_filter_kernels.py`` compares them with the reference along one axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cuda_compile
import numpy as np
import pytest
from cuda_host import ORDERS, HostKernels, HostRuntime, compiler
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

from liftwave._kernels.cuda.common import layout as cuda_layout
from liftwave._kernels.cuda.common.runtime import kernel
from liftwave._kernels.cuda.filters import lines as cuda_lines
from liftwave._kernels.cuda.filters import tap_gradients as cuda_tap_gradients
from liftwave._kernels.half_precision import in_float32
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.axis import FilterPlan, analysis_plan, synthesis_plan
from liftwave._plan.boundary import Extension

needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

cuda = HostKernels()
reference = ReferenceKernels()


@pytest.fixture(autouse=True)
def runtime() -> HostRuntime:
    """Runs kernels on the host instead of devices; a fallback raises unless a test allows it."""
    return cuda.reset()


def launched_lines(runtime: HostRuntime) -> list[str]:
    """The launched kernels that filter lines along or across."""
    others = ("folded", "sum_of_rows")
    return [name for name in runtime.launched if not any(other in name for other in others)]


@needs_compiler
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("mode", ["symmetric", "periodization"])
def test_kernels_of_each_layout(mode: Any, layout: str, runtime: HostRuntime) -> None:
    for length in (2, 8):
        check_every(cuda, 30, length, mode, layout)
    last = "true>" if layout == "along" else "false>"
    assert all(name.endswith(last) for name in launched_lines(runtime))


# --- dtypes --------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_halves_are_computed_in_single_precision(name: str) -> None:
    torch = pytest.importorskip("torch")
    dtype = getattr(torch, name)
    plan, filters = analysis_plan(19, 8, "reflect"), filters_of(8)
    x = torch.from_numpy(numbers(3, 4, 19)).to(dtype)
    found = cuda.analysis(x, filters, plan, 1)
    wanted = reference.analysis(x.float(), filters, plan, 1)
    gradients = cuda.tap_gradients(x, found, plan, 1)
    of_wanted = reference.tap_gradients(x.float(), [y.float() for y in found], plan, 1)
    for a, b in zip([*found, *gradients], [*wanted, *of_wanted], strict=True):
        assert a.dtype == (dtype if a.ndim > 1 else torch.float32)
        rounded = b.to(a.dtype)
        # Different rounding in single precision can change the half-precision rounding at a tie.
        step = torch.finfo(a.dtype).eps * b.abs() + 64 * torch.finfo(torch.float32).eps * 8
        assert bool(((a - rounded).abs() <= step).all())


@needs_compiler
def test_halves_to_floats_and_back() -> None:
    plan, filters = analysis_plan(24, 8, "periodization"), filters_of(8)
    x = numbers(3, 3, 24).astype(np.float16)
    bands = np.full((2, 3, plan.n_out), np.nan, np.float32)
    assert cuda.run_analysis(x, list(bands), filters, plan, 1)
    wanted = reference.analysis(x.astype(np.float32), filters, plan, 1)
    for a, b in zip(bands, wanted, strict=True):
        assert_close(a, b, 8)
    back = synthesis_plan(plan.n_out, 8, "periodization")
    out = np.full((3, back.n_out), np.nan, np.float16)
    assert cuda.run_synthesis(list(bands), out, filters, back, 1)
    expected = reference.synthesis(list(bands), filters, back, 1)
    assert_close(out.astype(np.float32), expected, 1, float(np.finfo(np.float16).eps))
    assert not cuda.run_analysis(x, list(bands.astype(np.float64)), filters, plan, 1)


# --- memory --------------------------------------------------------------------------------------


@needs_compiler
def test_writing_into_views() -> None:
    plan, filters = analysis_plan(20, 8, "zero"), filters_of(8)
    for layout in LAYOUTS:
        x = signals(0, 20, layout)
        outs = [np.zeros((17, 2, 2 * plan.n_out))[..., ::2].transpose(1, 2, 0) for _ in range(2)]
        assert cuda.run_analysis(x, outs, filters, plan, 1)
        for a, b in zip(outs, reference.analysis(x, filters, plan, 1), strict=True):
            assert_close(a, b, 8)
        back = synthesis_plan(plan.n_out, 8, "zero")
        for wide in (np.zeros((2, 21, 17)), np.zeros((2, 17, 21)).transpose(0, 2, 1)):
            out = wide[:, 1 : 1 + back.n_out]
            assert cuda.run_synthesis(outs, out, filters, back, 1)
            assert_close(out, reference.synthesis(outs, filters, back, 1), 8)
            assert not wide[:, 0].any()
            assert not wide[:, 1 + back.n_out :].any()


@needs_compiler
def test_arrays_without_numbers(runtime: HostRuntime) -> None:
    plan = analysis_plan(9, 8, "symmetric")
    x = np.zeros((0, 9, 4))
    check_analysis(cuda, x, filters_of(8), plan)
    (gradient,) = cuda.tap_gradients(x, [np.zeros((0, plan.n_out, 4))], plan, 1)
    np.testing.assert_array_equal(gradient, np.zeros(8))
    assert not runtime.launched


# --- grids ---------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("mode", ["symmetric", "antireflect", "periodization"])
def test_long_lines_in_any_order_of_threads(
    mode: Any, order: int, runtime: HostRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.order = order
    monkeypatch.setattr(cuda_layout, "MAX_GRID", 3)
    for n, layout in ((701, "along"), (150, "across")):
        plan = analysis_plan(n, 8, mode)
        x = signals(order, n, layout)
        check_analysis(cuda, x, filters_of(8), plan)
        check_gradients(cuda, x, plan, layout)
        bands = [signals(k, plan.n_out, layout) for k in range(2)]
        check_synthesis(cuda, bands, filters_of(8), plan.analysis_adjoint())


@needs_compiler
def test_filters_that_reach_too_far_for_shared_memory(
    runtime: HostRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda_lines, "_LONGEST_REACH", 50)
    for n in (5, 40):
        check_every(cuda, n, 14, "symmetric", "along")
    assert all(name.endswith("false>") for name in launched_lines(runtime))


@needs_compiler
@pytest.mark.parametrize("blocks", [528, 2])
def test_gradients_of_floats_do_not_lose_precision(
    blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sum of a million equal products in one float has an error of hundreds of ulps.

    With few blocks, each thread sums several runs of products.
    """
    monkeypatch.setattr(cuda_tap_gradients, "_BLOCKS", blocks)
    plan = analysis_plan(4096, 2, "periodization")
    x = np.full((64, 4096), 0.1, np.float32)
    g = np.full((64, plan.n_out), 0.3, np.float32)
    wanted = 64 * plan.n_out * float(x[0, 0]) * float(g[0, 0])
    for found in (
        cuda.tap_gradients(x, [g], plan, 1)[0],
        cuda.tap_gradients(x.T, [g.T], plan, 0)[0],
        cuda.tap_gradients(np.ascontiguousarray(x.T), [np.ascontiguousarray(g.T)], plan, 0)[0],
    ):
        np.testing.assert_allclose(found, wanted, rtol=8 * np.finfo(np.float32).eps)


# --- taps on the device --------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_learned_taps(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    length = 8
    taps = torch.from_numpy(numbers(0, 2, 2 * length)).to(getattr(torch, dtype))
    filters = [taps[0, ::2], taps[1, :length]]
    plan = analysis_plan(14, length, "symmetric")
    x = torch.from_numpy(numbers(1, 3, 14, dtype="float32"))
    found = cuda.analysis(x, filters, plan, 1)
    for a, b in zip(found, reference.analysis(x, filters, plan, 1), strict=True):
        assert_close(a.numpy(), b.numpy(), length)
    adjoint = plan.analysis_adjoint()
    mixed = [filters[0], tuple(map(float, taps[1, :length]))]
    assert_close(
        cuda.synthesis(found, mixed, adjoint, 1).numpy(),
        reference.synthesis(found, filters, adjoint, 1).numpy(),
        length,
    )


# --- unsupported arguments -----------------------------------------------------------------------


def test_what_kernels_do_not_know_is_done_otherwise(
    monkeypatch: pytest.MonkeyPatch, runtime: HostRuntime
) -> None:
    cuda.use(fallback=in_float32(reference))
    plan, x = analysis_plan(11, 4, "symmetric"), numbers(0, 2, 11)
    check_analysis(cuda, x, filters_of(4, 3), plan)
    odd = Extension(11, plan.extend.left, (((3, 0.5), (4, 0.25)),) * len(plan.extend.right))
    strange = FilterPlan(plan.n_out, 4, plan.phase, odd, plan.fold)
    check_analysis(cuda, x, filters_of(4), strange)
    check_synthesis(
        cuda,
        [numbers(k, 2, plan.n_out) for k in range(2)],
        filters_of(4),
        strange.analysis_adjoint(),
    )
    g = [numbers(1, 2, plan.n_out)]
    np.testing.assert_array_equal(
        cuda.tap_gradients(x, g, strange, 1), reference.tap_gradients(x, g, strange, 1)
    )
    half = x.astype(np.float16)
    (found,) = cuda.analysis(half, filters_of(4, 1), strange, 1)
    (wanted,) = reference.analysis(half.astype(np.float32), filters_of(4, 1), strange, 1)
    np.testing.assert_array_equal(found, wanted.astype(np.float16), strict=True)
    assert not runtime.launched


# --- compiled for devices ------------------------------------------------------------------------


def assert_nothing_is_spilled(
    architecture: str, classes: Sequence[tuple[str, int, bool]], sides: Sequence[bool]
) -> None:
    """For dtypes, numbers of taps, and fixed or learned taps; along and across."""
    lines = [
        kernel(f"filters/{kind}.cuh", f"{kind}_lines", dtype, dtype, 2, count, learned, along)
        for kind in ("analysis", "synthesis")
        for dtype, count, learned in classes
        for along in sides
    ]
    sums = [
        kernel("filters/tap_gradients.cuh", "tap_gradients", dtype, 2, count, along)
        for dtype, count, learned in classes
        for along in sides
        if not learned
    ]
    for kernels in (lines, sums):
        for made, usage in cuda_compile.usages(kernels, architecture).items():
            assert usage.spilled == usage.stack == 0, (made.expression, usage)
            assert usage.registers <= 128, (made.expression, usage)


needs_device_compiler = pytest.mark.skipif(
    cuda_compile.compiler() is None, reason="no compiler for CUDA devices"
)


@needs_device_compiler
@pytest.mark.parametrize("architecture", cuda_compile.EACH_ARCHITECTURE)
def test_nothing_is_spilled(architecture: str) -> None:
    along = architecture != "sm_80"
    assert_nothing_is_spilled(architecture, [("float32", 8, False)], [along])


@needs_device_compiler
@pytest.mark.slow
@pytest.mark.parametrize("architecture", cuda_compile.EACH_ARCHITECTURE)
def test_nothing_is_spilled_by_others(architecture: str) -> None:
    classes = [("float16", 20, False), ("float32", 0, True), ("complex64", 8, False)]
    assert_nothing_is_spilled(architecture, classes, [False, True])
