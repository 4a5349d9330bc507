"""CUDA filter banks along one axis, run on the host, compared with the reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cuda_compile
import numpy as np
import pytest
import pywt
from cuda_host import ORDERS, HostKernels, HostRuntime, compiler

from liftwave._kernels.cuda.common import layout as cuda_layout
from liftwave._kernels.cuda.common.runtime import kernel
from liftwave._kernels.cuda.filters import lines as cuda_lines
from liftwave._kernels.cuda.filters import tap_gradients as cuda_tap_gradients
from liftwave._kernels.half_precision import in_float32
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.axis import FilterPlan, analysis_plan, synthesis_plan, upsampling_plan
from liftwave._plan.boundary import MODES, Extension

needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

cuda = HostKernels()
reference = ReferenceKernels()

# Samples along the axis: contiguous, or beside the samples of other lines.
LAYOUTS = ("along", "across")


@pytest.fixture(autouse=True)
def runtime() -> HostRuntime:
    """Runs kernels on the host instead of devices; a fallback raises unless a test allows it."""
    return cuda.reset()


def numbers(seed: int, *shape: int, dtype: str = "float64") -> Any:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if "complex" in dtype else x).astype(dtype)


def signals(seed: int, n: int, layout: str, dtype: str = "float64") -> Any:
    """Lines of ``n`` samples, axis 1 of (2, n, 17)."""
    x = numbers(seed, 2, n, 17, dtype=dtype)
    return np.ascontiguousarray(x.transpose(0, 2, 1)).transpose(0, 2, 1) if layout == "along" else x


def filters_of(length: int, count: int = 2) -> list[tuple[float, ...]]:
    return [tuple(map(float, numbers(100 + k, length))) for k in range(count)]


def assert_close(found: Any, wanted: Any, length: int, eps: float | None = None) -> None:
    """Equal up to a few roundings per tap; NaN and infinities at the same positions."""
    assert found.shape == wanted.shape
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(np.isfinite(found), finite)
    if not finite.any():
        return
    eps = float(np.finfo(wanted.dtype).eps) if eps is None else eps
    size = np.abs(wanted[finite]).max() + 1
    assert np.abs(found[finite] - wanted[finite]).max() <= 4 * eps * length * size


def check_analysis(x: Any, filters: Sequence[Any], plan: FilterPlan, axis: int = 1) -> None:
    found = cuda.analysis(x, filters, plan, axis)
    wanted = reference.analysis(x, filters, plan, axis)
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == x.dtype
        assert_close(a, b, plan.length)


def check_synthesis(bands: Any, filters: Sequence[Any], plan: FilterPlan, axis: int = 1) -> None:
    found = cuda.synthesis(bands, filters, plan, axis)
    assert found.dtype == bands[0].dtype
    assert_close(found, reference.synthesis(bands, filters, plan, axis), plan.length)


def check_gradients(x: Any, plan: FilterPlan, layout: str, bands: int = 2) -> None:
    g = [signals(k, plan.n_out, layout, x.dtype.name) for k in range(bands)]
    found = cuda.tap_gradients(x, g, plan, 1)
    exact = np.complex128 if x.dtype.kind == "c" else np.float64
    wanted = reference.tap_gradients(x.astype(exact), [y.astype(exact) for y in g], plan, 1)
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == x.real.dtype
        # Float sums are short; longer sums use double precision.
        assert_close(a, b, 128, float(np.finfo(x.dtype).eps))


def every_plan(n: int, length: int, mode: Any) -> dict[str, FilterPlan]:
    """Analyses and syntheses, also transposed, of signals or bands of ``n`` numbers."""
    analysis = analysis_plan(n, length, mode)
    plans = {"analysis": analysis, "its adjoint": analysis.analysis_adjoint()}
    synthesis = synthesis_plan(n, length, mode)
    if synthesis.n_out > 1:
        plans |= {"synthesis": synthesis, "back": synthesis.synthesis_adjoint()}
        shorter = synthesis.shortened(synthesis.n_out - 1)
        plans |= {"shorter": shorter, "folded back": shorter.synthesis_adjoint()}
    return plans


def check_every(n: int, length: int, mode: Any, layout: str) -> None:
    filters = filters_of(length)
    for name, plan in every_plan(n, length, mode).items():
        if name in ("analysis", "back", "folded back"):
            x = signals(n, plan.extend.n, layout)
            check_analysis(x, filters, plan)
            check_gradients(x, plan, layout)
        else:
            bands = [signals(n + k, plan.extend.n, layout) for k in range(2)]
            check_synthesis(bands, filters, plan)


# --- modes, sizes, numbers of taps ---------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("mode", MODES)
def test_modes_and_sizes(mode: Any, layout: str, runtime: HostRuntime) -> None:
    for n in (1, 2, 3, 8, 13, 30):
        if n == 1 and "reflect" in mode:
            continue
        runtime.launched.clear()
        for length in (2, 8):
            check_every(n, length, mode, layout)
    last = "true>" if layout == "along" else "false>"
    assert all(name.endswith(last) for name in launched_lines(runtime))


def launched_lines(runtime: HostRuntime) -> list[str]:
    """The launched kernels that filter lines along or across."""
    others = ("folded", "sum_of_rows")
    return [name for name in runtime.launched if not any(other in name for other in others)]


@needs_compiler
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("length", [14, 62, 130])
def test_numbers_of_taps_that_are_not_compiled_for(length: int, layout: str) -> None:
    for n, mode in ((5, "symmetric"), (70, "periodization"), (41, "antireflect")):
        check_every(n, length, mode, layout)


@needs_compiler
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("length", [1, 3, 7, 21])
def test_odd_numbers_of_taps(length: int, layout: str) -> None:
    filters = filters_of(length)
    for n in (1, 6, 41):
        x = signals(n, n, layout)
        for plan in (analysis_plan(n, length, "symmetric"), analysis_plan(n, length, "zero")):
            check_analysis(x, filters, plan)
            check_gradients(x, plan, layout)
        if length > 1:  # the reference needs a tap for each output
            check_synthesis([x, x + 1], filters, upsampling_plan(n, length))


@needs_compiler
@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_filter_or_band(layout: str) -> None:
    for n, mode in ((13, "symmetric"), (12, "periodization")):
        (taps,) = filters_of(8, 1)
        x, plan = signals(n, n, layout), analysis_plan(n, 8, mode)
        check_analysis(x, [taps], plan)
        check_synthesis([signals(n, plan.n_out, layout)], [taps], plan.analysis_adjoint())
        check_gradients(x, plan, layout, 1)
        check_gradients(x, plan, layout, 3)


@needs_compiler
@pytest.mark.parametrize("mode", MODES)
def test_pywavelets_gives_the_same(mode: Any) -> None:
    x, wavelet = numbers(0, 3, 29), pywt.Wavelet("db4")
    plan = analysis_plan(29, 8, mode)
    approx, detail = cuda.analysis(x, [tuple(f) for f in wavelet.filter_bank[:2]], plan, 1)
    for found, wanted in zip((approx, detail), pywt.dwt(x, wavelet, mode), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-13)
    back = synthesis_plan(plan.n_out, 8, mode)
    found = cuda.synthesis([approx, detail], [tuple(f) for f in wavelet.filter_bank[2:]], back, 1)
    np.testing.assert_allclose(found, pywt.idwt(approx, detail, wavelet, mode), rtol=0, atol=1e-13)


# --- dtypes --------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "dtype", ["float32", "complex64", pytest.param("complex128", marks=pytest.mark.slow)]
)
def test_dtypes(dtype: str, layout: str) -> None:
    for mode in ("symmetric", "smooth"):
        plan = analysis_plan(21, 8, mode)
        x = signals(1, 21, layout, dtype)
        check_analysis(x, filters_of(8), plan)
        check_gradients(x, plan, layout)
        bands = [signals(k, plan.n_out, layout, dtype) for k in range(2)]
        check_synthesis(bands, filters_of(8), synthesis_plan(plan.n_out, 8, mode))


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

VIEWS: dict[str, Callable[[Any], Any]] = {
    "backwards": lambda x: x[:, ::-1],
    "every second": lambda x: np.repeat(x, 2, 1)[:, ::2],
    "lines backwards": lambda x: x[::-1, :, ::-1],
    "Fortran": np.asfortranarray,
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "columns": lambda x: np.repeat(x, 3, 2)[:, :, 1::3],
}


@needs_compiler
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("view", VIEWS)
def test_strides(view: str, layout: str) -> None:
    plan = analysis_plan(23, 8, "symmetric")
    x = VIEWS[view](signals(5, 23, layout))
    before = x.copy()
    check_analysis(x, filters_of(8), plan)
    check_gradients(x, plan, layout)
    bands = [VIEWS[view](signals(k, 23, layout)) for k in range(2)]
    check_synthesis(bands, filters_of(8), synthesis_plan(23, 8, "symmetric"))
    np.testing.assert_array_equal(x, before)


@needs_compiler
def test_more_axes_than_kernels_know() -> None:
    x = numbers(0, *(3,) * 9)[(slice(None, 2),) * 8][..., ::2]
    plan = analysis_plan(2, 8, "symmetric")
    check_analysis(x, filters_of(8), plan, 4)
    bands = [numbers(k, *x.shape[:4], 6, *x.shape[5:])[..., ::1] for k in range(2)]
    check_synthesis(bands, filters_of(8), synthesis_plan(6, 8, "symmetric"), 4)
    g = [numbers(k, *x.shape[:4], plan.n_out, *x.shape[5:]) for k in range(2)]
    found = cuda.tap_gradients(x, g, plan, 4)
    for a, b in zip(found, reference.tap_gradients(x, g, plan, 4), strict=True):
        assert_close(a, b, 128)


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
    check_analysis(x, filters_of(8), plan)
    (gradient,) = cuda.tap_gradients(x, [np.zeros((0, plan.n_out, 4))], plan, 1)
    np.testing.assert_array_equal(gradient, np.zeros(8))
    assert not runtime.launched


@needs_compiler
def test_what_is_not_a_number_stays_where_it_is() -> None:
    for mode in MODES:
        plan = analysis_plan(15, 8, mode)
        for layout in LAYOUTS:
            for place in (0, 7, 14):
                x = signals(0, 15, layout)
                x[1, place, 3], x[0, place, 5] = np.nan, np.inf
                with np.errstate(invalid="ignore"):
                    check_analysis(x, filters_of(8), plan)


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
        check_analysis(x, filters_of(8), plan)
        check_gradients(x, plan, layout)
        bands = [signals(k, plan.n_out, layout) for k in range(2)]
        check_synthesis(bands, filters_of(8), plan.analysis_adjoint())


@needs_compiler
def test_filters_that_reach_too_far_for_shared_memory(
    runtime: HostRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda_lines, "_LONGEST_REACH", 50)
    for n in (5, 40):
        check_every(n, 14, "symmetric", "along")
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
    check_analysis(x, filters_of(4, 3), plan)
    odd = Extension(11, plan.extend.left, (((3, 0.5), (4, 0.25)),) * len(plan.extend.right))
    strange = FilterPlan(plan.n_out, 4, plan.phase, odd, plan.fold)
    check_analysis(x, filters_of(4), strange)
    check_synthesis(
        [numbers(k, 2, plan.n_out) for k in range(2)], filters_of(4), strange.analysis_adjoint()
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
