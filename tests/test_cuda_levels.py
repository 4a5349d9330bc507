"""Complete transforms by CUDA kernels, run on the host: two axes at once, levels, n-D."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cuda_compile
import numpy as np
import pytest
from cuda_host import ORDERS, HostKernels, HostRuntime, compiler
from helpers import MODES, assert_all_close, axis_plans, largest, mapped, to_numpy, zero_mean

import liftwave as lw
from liftwave._kernels.cuda.common import layout as cuda_layout
from liftwave._kernels.cuda.common.memory import ITEMSIZE
from liftwave._kernels.cuda.common.runtime import Kernel, kernel
from liftwave._kernels.cuda.filters import tiles as cuda_tiling
from liftwave._kernels.cuda.filters.fused_launch import _analysis_shape, _synthesis_shape
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.axes import AxisPlans
from liftwave._plan.levels import (
    AnalysisPlan,
    Keys,
    SynthesisPlan,
    flatten_bands,
    unflatten_bands,
)
from liftwave._plan.planning import plan_analysis, plan_synthesis
from liftwave._plan.transpose import adjoint_of_analysis, adjoint_of_synthesis

needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

cuda = HostKernels()
reference = ReferenceKernels()

# At least one eps per summed tap, axis and level.
ULPS = 60.0


@pytest.fixture
def runtime() -> HostRuntime:
    return cuda.use(HostRuntime(), reference)


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several strips and segments even for small images, and several of these per block."""
    monkeypatch.setattr(cuda_tiling, "MAX_THREADS", 48)
    monkeypatch.setattr(cuda_tiling, "UNIT", 2)
    monkeypatch.setattr(cuda_tiling, "SEGMENT", 8)
    monkeypatch.setattr(cuda_tiling, "BUSY_BLOCKS", 1)


def kernels_of(runtime: HostRuntime) -> set[str]:
    return {name.partition("<")[0].removeprefix("liftwave::") for name in runtime.launched}


# --- comparisons -------------------------------------------------------------------------------


def widened(x: Any) -> Any:
    """Half-precision arrays converted to float32."""
    if str(x.dtype).endswith("float16"):
        return x.float() if hasattr(x, "data_ptr") else x.astype(np.float32)
    return x


def assert_alike(found: Any, wanted: Any, *, ulps: float = ULPS) -> None:
    """Equal up to rounding; half precision up to the rounding of float32 results."""
    numbers = mapped(lambda x: np.abs(to_numpy(widened(x))), wanted)
    scale = max(largest(numbers), 1e-30)

    def check(a: Any, b: Any) -> Any:
        assert tuple(a.shape) == tuple(b.shape)
        assert_all_close(widened(a), widened(b), ulps=ulps, scale=scale)

    flat_found, flat_wanted = leaves(found), leaves(wanted)
    assert len(flat_found) == len(flat_wanted)
    for a, b in zip(flat_found, flat_wanted, strict=True):
        check(a, b)


def leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree]


def check_analysis(x: Any, plan: AnalysisPlan, **options: Any) -> Any:
    found = cuda.analyse(x, plan)
    assert_alike(found, reference.analyse(x, plan), **options)
    return found


def check_synthesis(bands: Any, plan: SynthesisPlan, **options: Any) -> None:
    found = cuda.synthesise(bands, plan)
    assert_alike(found, reference.synthesise(bands, plan), **options)


def synthesis_plan(
    bands: Sequence[Any], keys: Keys, plans: AxisPlans, has_approx: bool = True
) -> SynthesisPlan:
    shapes = tuple(tuple(band.shape) for band in bands)
    return plan_synthesis(shapes, keys, has_approx, plans, True)


def check(x: Any, plans: AxisPlans, level: int = 1) -> None:
    """Analysis, synthesis, and the adjoints of both."""
    plan = plan_analysis(tuple(x.shape), plans, level)
    bands = check_analysis(x, plan)
    check_synthesis(bands, adjoint_of_analysis(plan))
    back = synthesis_plan(bands, plan.keys, plans)
    check_synthesis(bands, back)
    result = zero_mean(back.shape, 9, "float64").astype(x.dtype)
    check_analysis(result, adjoint_of_synthesis(back))


def possible(mode: str, shape: Sequence[int]) -> bool:
    return "reflect" not in mode or min(shape) > 1


# --- two axes ----------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("mode", MODES)
def test_all_modes_and_sizes(mode: str, runtime: HostRuntime) -> None:
    for shape in ((1, 1), (1, 6), (2, 3), (5, 4), (7, 8), (16, 9), (33, 40)):
        if possible(mode, shape):
            check(zero_mean(shape, 1, "float32"), axis_plans((0, 1), "db2", mode))
    assert {"analysis_tile", "synthesis_tile"} <= kernels_of(runtime)


@needs_compiler
@pytest.mark.parametrize("mode", MODES)
def test_strips_and_segments_fit_together(
    mode: str, runtime: HostRuntime, small_tiles: None
) -> None:
    for shape in ((41, 173), (3, 26, 51), (9, 20, 21)):
        x = zero_mean(shape, 2, "float32")
        check(x, axis_plans((len(shape) - 2, len(shape) - 1), "db2", mode))


@needs_compiler
@pytest.mark.parametrize("order", ORDERS[1:])
def test_no_barrier_is_missing(order: int, runtime: HostRuntime, small_tiles: None) -> None:
    runtime.order = order
    for shape in ((41, 103), (9, 20, 21)):
        x = zero_mean(shape, 2, "float32")
        for mode in ("symmetric", "periodization", "smooth"):
            check(x, axis_plans((len(shape) - 2, len(shape) - 1), "db2", mode))


@needs_compiler
def test_a_level_is_one_kernel(runtime: HostRuntime) -> None:
    plans = axis_plans((1, 2), "db2", "symmetric")
    x = zero_mean((3, 40, 50), 0, "float32")
    plan = plan_analysis(x.shape, plans, 2)
    bands = cuda.analyse(x, plan)
    assert len(runtime.launched) == 2
    cuda.synthesise(bands, synthesis_plan(bands, plan.keys, plans))
    assert len(runtime.launched) == 4
    assert kernels_of(runtime) == {"analysis_tile", "synthesis_tile"}


@needs_compiler
def test_grids_smaller_than_the_work(
    runtime: HostRuntime, small_tiles: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda_layout, "MAX_GRID", 3)
    check(zero_mean((5, 40, 77), 0, "float32"), axis_plans((1, 2), "db2", "symmetric"))


@needs_compiler
def test_batches_beyond_a_grid_of_two_dimensions(runtime: HostRuntime) -> None:
    plans = axis_plans((1, 2), "haar", "symmetric")
    x = zero_mean((66_000, 2, 2), 0, "float32")
    check_analysis(x, plan_analysis(x.shape, plans, 1))


@needs_compiler
def test_wavelets_and_modes_of_each_axis(runtime: HostRuntime, small_tiles: None) -> None:
    x = zero_mean((30, 67), 3, "float32")
    for axes in ((0, 1), (1, 0)):
        check(x, axis_plans(axes, "db2", ("periodization", "smooth")))
        check(x, axis_plans(axes, "db2", ("antisymmetric", "zero")))
    check(x, axis_plans((1, 0), ("db2", "haar"), ("symmetric", "constant")))
    assert {"analysis_tile", "synthesis_tile"} <= kernels_of(runtime)
    runtime.launched.clear()
    check_analysis(x, plan_analysis(x.shape, axis_plans((0, 1), ("db2", "db20"), "constant"), 1))
    assert kernels_of(runtime) == {"analysis_lines"}


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("wavelet", ["db3", "db4", "bior4.4", "db6", "db7", "db8", "db9", "db10"])
def test_all_tap_counts(wavelet: str, runtime: HostRuntime, small_tiles: None) -> None:
    for mode in MODES:
        for shape in ((1, 3), (9, 8), (37, 81), (40, 64)):
            if possible(mode, shape):
                check(zero_mean(shape, 0, "float32"), axis_plans((0, 1), wavelet, mode))


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_all_small_sizes(mode: str, runtime: HostRuntime) -> None:
    for rows in range(1, 41):
        shape = (2, rows, 41 - rows)
        if possible(mode, shape[1:]):
            check(zero_mean(shape, 0, "float32"), axis_plans((1, 2), "db2", mode))
            check(zero_mean(shape, 0, "float32"), axis_plans((1, 2), "haar", mode))


# --- memory ------------------------------------------------------------------------------------

VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "reversed": lambda x: x[:, ::-1, ::-1],
    "transposed": lambda x: x.transpose(0, 2, 1),
    "batch last": lambda x: np.moveaxis(x, 0, 2).copy().transpose(2, 0, 1),
    "every second": lambda x: x[:, ::2, ::2],
    "odd rows": lambda x: x[:, :, :-1],
    "begins after one": lambda x: x[:, :, 1:],
    "begins after two": lambda x: x[:, :, 2:],
    "even rows of more": lambda x: x[:, 1:, 2:-2],
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
}


@needs_compiler
@pytest.mark.parametrize("name", VIEWS)
def test_any_strides(name: str, runtime: HostRuntime, small_tiles: None) -> None:
    x = VIEWS[name](zero_mean((3, 22, 64), 4, "float32"))
    for mode in ("symmetric", "periodization"):
        plans = axis_plans((1, 2), "db2", mode)
        plan = plan_analysis(x.shape, plans, 1)
        check_analysis(x, plan)
        views = [VIEWS[name](zero_mean((3, 22, 64), k, "float32")) for k in (5, 0, 1, 2)]
        check_synthesis(views, synthesis_plan(views, plan.keys, plans))


class Recording(HostRuntime):
    """Records the arguments of kernels."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Any] = []

    def launch(self, *given: Any) -> None:
        self.given.append(given[4])


@pytest.mark.parametrize("dtype", ["float16", "float32", "complex64", "complex128"])
def test_packs_begin_where_they_may_be_read(dtype: str, runtime: HostRuntime) -> None:
    # The host reads misaligned packs, devices do not.
    recording = cuda.use(Recording())
    whole = np.zeros((3, 20, 64), dtype)
    size = whole.itemsize
    for mode in ("symmetric", "periodization"):
        for begin in range(5):
            x = whole[:, :, begin:]
            cuda.analyse(x, plan_analysis(x.shape, axis_plans((1, 2), "db3", mode), 1))
            told = recording.given[-1]
            width = 4 if dtype == "float16" else 2
            assert told.packed
            assert 0 <= told.lead < width
            first = told.image.data + (told.column_phase - 5 - told.lead) * size
            assert first % min(16, width * size) == 0
    for odd in (np.zeros((3, 20, 63), dtype), whole[:, :, ::2], whole[..., ::-1]):
        plan = plan_analysis(odd.shape, axis_plans((1, 2), "db3", "symmetric"), 1)
        cuda.analyse(odd, plan)
        contiguous = odd.strides[-1] == size
        assert recording.given[-1].packed == (contiguous and dtype == "complex128")


@needs_compiler
def test_axes_anywhere(runtime: HostRuntime) -> None:
    for shape, axes in (
        ((12, 15, 3), (0, 1)),
        ((12, 3, 15), (0, 2)),
        ((12, 3, 15), (2, 0)),
        ((2, 12, 2, 15, 2), (3, 1)),
        ((9, 15), (1, 1)),
    ):
        check(zero_mean(shape, 6, "float32"), axis_plans(axes, "db2", "symmetric"))


@needs_compiler
def test_batches_of_more_axes_than_kernels_know(runtime: HostRuntime) -> None:
    x = zero_mean((4,) * 9, 0, "float32")[(slice(None, 2),) * 7]
    check_analysis(x, plan_analysis(x.shape, axis_plans((7, 8), "haar", "symmetric"), 1))


@needs_compiler
def test_out_is_written_to(runtime: HostRuntime) -> None:
    plans = axis_plans((0, 1), "db2", "periodization")
    x = zero_mean((24, 36), 7, "float32")
    plan = plan_analysis(x.shape, plans, 2)
    bands = cuda.analyse(x, plan)
    back = synthesis_plan(bands, plan.keys, plans)
    wanted = cuda.synthesise(bands, back)
    for out in (
        np.empty_like(x),
        np.empty((36, 24), np.float32).T,
        np.empty((24, 37), np.float32)[:, 1:],
        np.empty((24, 36), np.float64),
    ):
        assert cuda.synthesise(bands, back, out) is out
        np.testing.assert_array_equal(out, wanted.astype(out.dtype))
    # With out= in the memory of bands, the kernels read the bands before they write.
    whole = np.concatenate([bands[4], bands[5]]).repeat(2, 1)
    inside = [*bands[:4], whole[:12, ::2], whole[12:, ::2], bands[6]]
    assert cuda.synthesise(inside, back, whole) is whole
    np.testing.assert_array_equal(whole, wanted)


@needs_compiler
def test_nothing_is_launched_for_nothing(runtime: HostRuntime) -> None:
    x = np.zeros((0, 8, 8), np.float32)
    plans = axis_plans((1, 2), "haar", "symmetric")
    plan = plan_analysis(x.shape, plans, 1)
    bands = cuda.analyse(x, plan)
    assert bands[0].shape == (0, 4, 4)
    back = cuda.synthesise(bands, synthesis_plan(bands, plan.keys, plans))
    assert back.shape == x.shape
    assert not runtime.launched


# --- levels and dimensions -----------------------------------------------------------------------


@needs_compiler
def test_levels_and_dimensions(runtime: HostRuntime) -> None:
    for shape, axes, level in (
        ((45,), (0,), 3),
        ((3, 45), (1,), 2),
        ((21, 37), (0, 1), 3),
        ((2, 30, 21), (1, 2), 2),
        ((11, 14, 17), (0, 1, 2), 2),
        ((6, 5, 8, 7), (0, 1, 2, 3), 1),
    ):
        for mode in ("symmetric", "periodization"):
            check(zero_mean(shape, 8, "float32"), axis_plans(axes, "haar", mode), level)


@needs_compiler
def test_volumes_take_two_passes(runtime: HostRuntime) -> None:
    plans = axis_plans((0, 1, 2), "haar", "symmetric")
    x = zero_mean((8, 10, 12), 0, "float32")
    plan = plan_analysis(x.shape, plans, 1)
    bands = cuda.analyse(x, plan)
    # One kernel for the first axis, then one for each of its two bands.
    assert len(runtime.launched) == 3
    cuda.synthesise(bands, synthesis_plan(bands, plan.keys, plans))
    assert len(runtime.launched) == 6


@needs_compiler
def test_missing_bands_are_zero(runtime: HostRuntime) -> None:
    plans = axis_plans((0, 1), "db2", "periodization")
    x = zero_mean((20, 26), 0, "float32")
    plan = plan_analysis(x.shape, plans, 2)
    approx, details = unflatten_bands(cuda.analyse(x, plan), plan.keys)
    for missing in (("ad",), ("ad", "da"), ("dd", "da"), ("ad", "da", "dd")):
        left = [{k: b for k, b in bands.items() if k not in missing} for bands in details]
        for first in (approx, None) if len(missing) < 3 else (approx,):
            bands, keys = flatten_bands(first, left)
            back = synthesis_plan(bands, keys, plans, first is not None)
            check_synthesis(bands, back)
            given = zero_mean(back.shape, 1, "float32")
            check_analysis(given, adjoint_of_synthesis(back))


LIFTED = {"lift_analysis", "lift_synthesis"}
BANKS = {"analysis_tile", "synthesis_tile", "analysis_lines", "synthesis_lines"}


@needs_compiler
def test_short_lifting_in_float32_is_a_filter_bank(runtime: HostRuntime) -> None:
    """Same results as by steps; ``test_cuda_filter_form.py`` compares more schemes."""
    for name, mode in (("haar", "reflect"), ("db2", "periodization")):
        scheme = lw.LiftingScheme.from_name(name)
        check(zero_mean((20, 36), 0, "float32"), axis_plans((0, 1), scheme, mode), 2)
        check(zero_mean((3, 34), 0, "float32"), axis_plans((1,), scheme, mode))
    assert kernels_of(runtime) == BANKS


@needs_compiler
def test_other_lifting_goes_by_its_own_kernels(runtime: HostRuntime) -> None:
    scheme = lw.LiftingScheme.from_name("cdf9.7")
    x = zero_mean((21, 33), 0, "float32")
    check(x, axis_plans((0, 1), scheme, "reflect"), 2)  # bands of different lengths
    assert kernels_of(runtime) == LIFTED
    check(x, axis_plans((0, 1), (scheme, "haar"), "symmetric"), 2)


@needs_compiler
def test_a_wider_dtype_is_computed_in(runtime: HostRuntime) -> None:
    x = zero_mean((12, 12), 0, "float32")
    plan = plan_analysis(x.shape, axis_plans((0, 1), "haar", "symmetric"), 1)
    found = cuda.analyse(x, plan, np.dtype("float64"))
    assert_alike(found, reference.analyse(x.astype(np.float64), plan))


# --- dtypes ------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize(
    "dtype", ["float64", "complex64", pytest.param("complex128", marks=pytest.mark.slow)]
)
def test_dtypes(dtype: str, runtime: HostRuntime, small_tiles: None) -> None:
    x = zero_mean((2, 19, 45), 0, dtype)
    for view in (x, x[:, :, 1:]):
        check(view, axis_plans((1, 2), "haar", "antisymmetric"))
    assert {"analysis_tile", "synthesis_tile"} <= kernels_of(runtime)


@needs_compiler
def test_halves_are_computed_with_in_float32(runtime: HostRuntime, small_tiles: None) -> None:
    x = zero_mean((2, 40, 76), 0, "float32").astype(np.float16)
    for mode in ("antisymmetric", "periodization"):
        plans = axis_plans((1, 2), "db2", mode)
        for view in (x, x[:, :, 3:]):
            plan = plan_analysis(view.shape, plans, 2)
            found = cuda.analyse(view, plan)
            assert_halves(found, reference.analyse(view.astype(np.float32), plan))
        back = synthesis_plan(found, plan.keys, plans)
        wide = [band.astype(np.float32) for band in found]
        assert_halves(cuda.synthesise(found, back), reference.synthesise(wide, back))


def assert_halves(found: Any, wanted: Any) -> None:
    """Only the results are rounded to half precision."""
    for a, b in zip(leaves(found), leaves(wanted), strict=True):
        assert a.dtype == np.float16
        rounded = b.astype(np.float16)
        gap = np.abs(a.astype(np.float64) - rounded.astype(np.float64))
        # A value midway between two half-precision numbers can round either way.
        assert gap.max() <= np.finfo(np.float16).eps * np.abs(b).max()
        assert np.mean(gap > 0) < 0.01


@needs_compiler
def test_tensors_and_bfloat(runtime: HostRuntime) -> None:
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(zero_mean((2, 16, 25), 0, "float32"))
    plans = axis_plans((1, 2), "haar", "symmetric")
    plan = plan_analysis(tuple(x.shape), plans, 2)
    bands = check_analysis(x, plan)
    check_synthesis(bands, synthesis_plan(bands, plan.keys, plans))
    narrow = x.to(torch.bfloat16)
    found = cuda.analyse(narrow, plan)
    wanted = reference.analyse(narrow.float(), plan)
    for a, b in zip(leaves(found), leaves(wanted), strict=True):
        assert a.dtype == torch.bfloat16
        torch.testing.assert_close(a.float(), b, rtol=2.0**-8, atol=1e-6)


@needs_compiler
def test_bands_in_the_memory_of_the_caller(runtime: HostRuntime) -> None:
    x = zero_mean((3, 24, 32))
    plan = plan_analysis(x.shape, axis_plans((1, 2), "haar", "symmetric"), 2)
    expected = cuda.analyse(x, plan)
    memory = [np.empty(band.size + 4) for band in expected]
    starts = [-(m.ctypes.data // 8) % 2 for m in memory]  # multiples of 16 bytes
    starts[2] += 1
    out = [
        m[start:][: band.size].reshape(band.shape)
        for m, start, band in zip(memory, starts, expected, strict=True)
    ]
    out[4] = np.empty(out[4].shape[::-1]).T
    bands = cuda.analyse(x, plan, None, out)
    written = [band is target for band, target in zip(bands, out, strict=True)]
    assert written == [True, True, False, True, False, True, True]
    for band, wanted in zip(bands, expected, strict=True):
        np.testing.assert_array_equal(band, wanted)


# --- taps --------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("order", ORDERS)
def test_taps_that_are_arrays(order: int, runtime: HostRuntime, small_tiles: None) -> None:
    torch = pytest.importorskip("torch")
    runtime.order = order
    x = torch.from_numpy(zero_mean((30, 61), 0, "float32"))
    # Taps of another precision, and not contiguous.
    values = [torch.from_numpy(zero_mean(16, k, "float64"))[::2] for k in range(4)]
    bank = lw.FilterBank(*values)
    for mode in ("symmetric", "periodization"):
        plans = axis_plans((0, 1), bank, mode)
        plan = plan_analysis(tuple(x.shape), plans, 1)
        bands = check_analysis(x, plan)
        check_synthesis(bands, synthesis_plan(bands, plan.keys, plans))
        check_synthesis(bands, adjoint_of_analysis(plan))
    assert kernels_of(runtime) >= {"analysis_tile", "synthesis_tile"}


@needs_compiler
def test_taps_of_both_kinds_go_axis_by_axis(runtime: HostRuntime) -> None:
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(zero_mean((14, 21), 0, "float32"))
    bank = lw.FilterBank(*(torch.from_numpy(zero_mean(4, k, "float32")) for k in range(4)))
    plans = axis_plans((0, 1), (bank, "haar"), "symmetric")
    check_analysis(x, plan_analysis(tuple(x.shape), plans, 1))
    assert kernels_of(runtime) == {"analysis_lines"}


@needs_compiler
def test_nan_stays_where_taps_reach(runtime: HostRuntime) -> None:
    x = zero_mean((24, 40), 0, "float32")
    x[0, 0] = x[13, 20] = np.nan
    x[23, 39] = np.inf
    for mode in ("zero", "smooth", "antireflect", "periodic"):
        plan = plan_analysis(x.shape, axis_plans((0, 1), "db2", mode), 1)
        with np.errstate(invalid="ignore"):
            found, wanted = cuda.analyse(x, plan), reference.analyse(x, plan)
        for a, b in zip(leaves(found), leaves(wanted), strict=True):
            np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b))


# --- resources of the kernels --------------------------------------------------------------------


def tile_kernels() -> list[Kernel]:
    """The kernels of the common classes, as the library requests them."""
    found = []
    for length in (2, 4, 6, 8, 10, 12, 16, 20):
        for dtype in ("float32", "float16"):
            for learned in (False, True):
                size, both = ITEMSIZE[dtype], (length, length)
                shape = _analysis_shape(4, size, both, long=False)
                back = _synthesis_shape(4, both)
                assert shape is not None
                assert back is not None
                parameters = (dtype, dtype, dtype, *both, *shape, learned, False)
                found.append(kernel("filters/fused_analysis.cuh", "analysis_tile", *parameters))
                parameters = (dtype, dtype, dtype, *both, back.rows, length % 4 == 0, learned)
                found.append(kernel("filters/fused_synthesis.cuh", "synthesis_tile", *parameters))
    return found


needs_device_compiler = pytest.mark.skipif(
    cuda_compile.compiler() is None, reason="no compiler for CUDA devices"
)


def check_usage(source: str, architecture: str, every: int) -> None:
    kernels = [k for k in tile_kernels() if k.source == source][::every]
    for made, usage in cuda_compile.usages(kernels, architecture).items():
        assert (usage.spilled, usage.stack) == (0, 0), made.expression
        assert usage.registers <= 128, made.expression


SOURCES = ["filters/fused_analysis.cuh", "filters/fused_synthesis.cuh"]


@needs_device_compiler
@pytest.mark.parametrize("architecture", cuda_compile.SLOW_ARCHITECTURES)
@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_spilled(source: str, architecture: str) -> None:
    check_usage(source, architecture, 9)


@needs_device_compiler
@pytest.mark.slow
@pytest.mark.parametrize("architecture", cuda_compile.EACH_ARCHITECTURE)
@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_spilled_by_any(source: str, architecture: str) -> None:
    check_usage(source, architecture, 1)
