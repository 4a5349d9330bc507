"""Tiles, levels, half precision and learned taps of the CUDA lifting kernels, run on the host.

``test_lifting_kernels.py`` compares them with the reference kernels along one axis.
"""

from __future__ import annotations

from typing import Any

import cuda_compile
import numpy as np
import pytest
from cuda_host import ORDERS, HostKernels, HostRuntime, compiler
from helpers import paired
from lifting_cases import (
    assert_close,
    compare_axis,
    data,
    forward,
    inverse,
    scheme_of,
    terms_of,
)

from liftwave._kernels.cuda.common import layout as cuda_layout
from liftwave._kernels.cuda.common.memory import name_of
from liftwave._kernels.cuda.common.runtime import Kernel, kernel
from liftwave._kernels.cuda.lifting import kernels as cuda_lifting
from liftwave._kernels.cuda.lifting import tiles as cuda_lifting_tiles
from liftwave._kernels.cuda.lifting.groups import axis_group, level_groups
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.axes import AxisPlan
from liftwave._plan.boundary import LIFTING_MODES
from liftwave._plan.levels import flatten_bands
from liftwave._plan.planning import plan_analysis, plan_synthesis
from liftwave.lifting import LiftingScheme

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

cuda = HostKernels()
reference = ReferenceKernels()

SCHEMES = ["haar", "cdf5.3", "cdf9.7", "db4", "sym6", "db10", "custom 1", "custom 4"]


@pytest.fixture(autouse=True)
def host() -> HostRuntime:
    """Kernels run on the host; a fallback raises unless a test allows it."""
    return cuda.reset()


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles as short as the steps allow, so that short signals have several."""
    monkeypatch.setattr(cuda_lifting_tiles, "LINE_BYTES", (400,))
    monkeypatch.setattr(cuda_lifting_tiles, "LINE_PAIRS", 8)
    monkeypatch.setattr(cuda_lifting_tiles, "LINE_COLUMNS", 4)
    monkeypatch.setattr(cuda_lifting_tiles, "ROOMS", ((12, 12), (40, 44)))
    monkeypatch.setattr(cuda_lifting_tiles, "BLOCKS", 0)
    cuda_lifting_tiles.tiling.cache_clear()
    yield
    cuda_lifting_tiles.tiling.cache_clear()


# --- one axis ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "mode"), paired(SCHEMES, LIFTING_MODES, 2))
def test_several_tiles(name: str, mode: str, small_tiles: None) -> None:
    for n in (33, 64, 149):
        compare_axis(cuda, scheme_of(name), mode, (n,), 0, "float64")
        compare_axis(cuda, scheme_of(name), mode, (2, n), 1, "float64")
        compare_axis(cuda, scheme_of(name), mode, (n, 6), 0, "float64")


@pytest.mark.parametrize("order", ORDERS)
def test_threads_in_any_order(
    order: int, monkeypatch: pytest.MonkeyPatch, small_tiles: None
) -> None:
    cuda.use(HostRuntime(order))
    for name in ("cdf9.7", "db4", "custom 1"):
        for mode in LIFTING_MODES:
            compare_axis(cuda, scheme_of(name), mode, (3, 120), 1, "float64")
            compare_axis(cuda, scheme_of(name), mode, (61, 7), 0, "float64")


def test_more_tiles_than_blocks(monkeypatch: pytest.MonkeyPatch, small_tiles: None) -> None:
    monkeypatch.setattr(cuda_layout, "MAX_GRID", 3)
    for name in ("cdf9.7", "db4"):
        compare_axis(cuda, scheme_of(name), "reflect", (5, 80), 1, "float64")


# --- integers ------------------------------------------------------------------------------------


def plan_of(
    shape: tuple[int, ...], schemes: tuple[LiftingScheme, ...], modes: tuple[Any, ...]
) -> Any:
    axes = range(len(shape) - len(schemes), len(shape))
    plans = tuple(AxisPlan(*each) for each in zip(axes, schemes, modes, strict=True))
    return plan_analysis(shape, plans, 1), plans


def analyse_level(x: Any, level: Any, dtype: Any = None, approx: Any = None) -> Any:
    """The bands of a level, computed by the lifting kernels."""
    groups = level_groups(level.analysis_steps)
    assert groups is not None
    of_details = name_of(dtype or x.dtype)
    return cuda_lifting.analyse_level(x, groups, approx or of_details, of_details, cuda._runtime)


def synthesise_level(bands: Any, level: Any, out: Any = None) -> Any:
    """The array with these bands; None if the kernels do not support the level."""
    steps = [(key, step) for key, step, _ in reversed(level.synthesis_steps)]
    groups = level_groups(steps)
    if groups is None:
        return None
    name = name_of(bands[max(bands)].dtype)
    return cuda_lifting.synthesise_level(bands, groups, name, cuda._runtime, out)


def synthesis_plan(bands: Any, plans: Any) -> Any:
    """The plan of a level from bands by key."""
    details = {key: band for key, band in bands.items() if "d" in key}
    approx = next((band for key, band in bands.items() if "d" not in key), None)
    flat, keys = flatten_bands(approx, [details])
    shapes = tuple(band.shape for band in flat)
    return plan_synthesis(shapes, keys, approx is not None, plans, False)


def compare_level(
    schemes: tuple[LiftingScheme, ...], modes: tuple[Any, ...], x: Any, dtype: str | None = None
) -> None:
    """Compare the last axes at once, in both directions, with one after the other."""
    plan, plans = plan_of(x.shape, schemes, modes)
    (level,) = plan.levels
    wide = x.astype(dtype or x.dtype)
    flat = reference.analyse(wide, plan)
    expected = dict(zip(level.shapes, flat, strict=True))
    bands = analyse_level(x, level, dtype)
    assert bands is not None
    actual = dict(zip(level.shapes, bands, strict=True))
    lengths = x.shape[-len(schemes) :]
    lifts = [forward(s, n, m) for s, n, m in zip(schemes, lengths, modes, strict=True)]
    for key, band in expected.items():
        assert_close(actual[key], band, terms_of(*lifts))
    back = synthesis_plan(expected, plans)
    made = synthesise_level(expected, back.levels[0])
    assert made is not None
    assert_close(made, reference.synthesise(flat, back), terms_of(*lifts))


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_integers_are_read_as_they_are(mode: str) -> None:
    scheme = scheme_of("cdf5.3").to_integer()
    for shape in ((2, 7, 9), (1, 6, 12)):
        compare_level((scheme, scheme), (mode, mode), data(shape, "uint8"), "int16")
    compare_level((scheme,), (mode,), data((3, 11), "uint8"), "int16")


# --- two axes in one pass ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("name", ["haar", "cdf9.7", "db4", "custom 1"])
def test_two_axes(name: str, mode: str, host: HostRuntime) -> None:
    schemes = scheme_of(name), scheme_of(name)
    for shape in ((1, 1), (1, 9), (8, 1), (2, 3), (7, 6), (2, 13, 16)):
        compare_level(schemes, (mode, mode), data(shape, "float64"))
    compare_level(schemes, (mode, mode), data((11, 30), "float64").T)
    if name != "custom 1":  # its steps are too long
        assert all("true, true" in expression for expression in host.launched)


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("name", ["cdf9.7", "db4"])
def test_two_axes_in_several_tiles(name: str, mode: str, small_tiles: None) -> None:
    """Tiles with neighbours on all sides, and at all ends."""
    schemes = scheme_of(name), scheme_of(name)
    compare_level(schemes, (mode, mode), data((2, 65, 90), "float64"))
    compare_level(schemes, (mode, mode), data((71, 62), "float64").T)


def test_two_axes_that_differ(small_tiles: None) -> None:
    schemes = scheme_of("db4"), scheme_of("cdf9.7")
    for modes in (("zero", "periodization"), ("periodization", "reflect"), ("constant", "zero")):
        for shape in ((35, 61), (9, 1)):
            compare_level(schemes, modes, data(shape, "float64"))


def test_tiles_that_two_axes_do_not_fit_into(host: HostRuntime, small_tiles: None) -> None:
    schemes = scheme_of("db10"), scheme_of("db10")
    compare_level(schemes, ("reflect", "reflect"), data((250, 260), "float64"))
    assert not any("true, true" in expression for expression in host.launched)


def test_three_axes() -> None:
    schemes = scheme_of("cdf5.3"), scheme_of("haar"), scheme_of("cdf9.7")
    modes = ("reflect", "zero", "periodization")
    compare_level(schemes, modes, data((2, 5, 6, 7), "float64"))
    integers = tuple(s.to_integer() for s in (schemes[0], schemes[0], schemes[0]))
    compare_level(integers, modes, data((5, 6, 7), "int16"))


def test_results_are_written_where_they_shall() -> None:
    schemes = scheme_of("haar"), scheme_of("haar")
    plan, plans = plan_of((4, 6), schemes, ("zero", "zero"))
    shapes = plan.levels[0].shapes
    bands = {key: data(shape, "float64", k) for k, (key, shape) in enumerate(shapes.items())}
    back = synthesis_plan(bands, plans)
    out = np.zeros((4, 12))[:, ::2]
    assert synthesise_level(bands, back.levels[0], out) is out
    assert_close(out, reference.synthesise(list(bands.values()), back), 10)


def test_levels_of_which_bands_are_missing_are_not_served() -> None:
    plan, plans = plan_of((4, 6), (scheme_of("haar"),) * 2, ("zero", "zero"))
    shapes = plan.levels[0].shapes
    bands = {key: data(shape, "float64") for key, shape in shapes.items() if key != "da"}
    back = synthesis_plan(bands, plans)
    assert synthesise_level(bands, back.levels[0]) is None


# --- half precision, and learned taps ------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_computed_with_in_single_precision(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    scheme = scheme_of("cdf9.7")
    x = torch.from_numpy(data((4, 37), "float32")).to(getattr(torch, dtype))
    lift, back = forward(scheme, 37, "reflect"), inverse(scheme, 37, "reflect")
    expected = reference.lift_analysis(x.float(), *lift, 1)
    bands = cuda.lift_analysis(x, *lift, 1)
    for a, e in zip(bands, expected, strict=True):
        assert a.dtype == x.dtype
        torch.testing.assert_close(a.float(), e, rtol=torch.finfo(a.dtype).eps, atol=1e-6)
    made = cuda.lift_synthesis(*bands, *back, 1)
    e = reference.lift_synthesis(*(band.float() for band in bands), *back, 1)
    assert made.dtype == x.dtype
    torch.testing.assert_close(made.float(), e, rtol=torch.finfo(x.dtype).eps, atol=1e-6)


def test_halves_between_levels_stay_wide() -> None:
    x = data((12, 10), "float32").astype(np.float16)
    plan, plans = plan_of(x.shape, (scheme_of("cdf9.7"),) * 2, ("reflect", "reflect"))
    (level,) = plan.levels
    flat = analyse_level(x, level, approx="float32")
    assert flat is not None
    bands = dict(zip(level.shapes, flat, strict=True))
    approx, *_ = reference.analyse(x.astype(np.float32), plan)
    assert bands["aa"].dtype == np.float32
    assert_close(bands["aa"], approx, 30)
    assert all(bands[key].dtype == np.float16 for key in level.detail_keys)
    back = synthesis_plan(bands, plans)
    made = synthesise_level(bands, back.levels[0])
    assert made is not None
    assert made.dtype == np.float16
    np.testing.assert_allclose(made.astype(np.float32), x.astype(np.float32), atol=4e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_taps_that_are_learned(dtype: str, host: HostRuntime) -> None:
    torch = pytest.importorskip("torch")
    scheme = scheme_of("db4")
    x = torch.from_numpy(data((5, 36), dtype))
    for mode in LIFTING_MODES:
        lift = forward(scheme, 36, mode)
        taps: list[Any] = [torch.tensor(t, dtype=torch.float64) for t in lift.taps]
        taps[1] = lift.taps[1]  # some taps are numbers
        taps[2] = torch.stack([taps[2], taps[2]], 1)[:, 0]  # some are not contiguous
        scale = torch.tensor(lift.scale[0], dtype=torch.float64), lift.scale[1]
        learned = lift._replace(taps=tuple(taps), scale=scale)  # type: ignore[arg-type]
        for a, e in zip(
            cuda.lift_analysis(x, *learned, 1),
            reference.lift_analysis(x, *lift, 1),
            strict=True,
        ):
            assert_close(a, e, terms_of(lift))
        bands = reference.lift_analysis(x, *lift, 1)
        assert_close(
            cuda.lift_synthesis(*bands, *learned, 1),
            reference.lift_synthesis(*bands, *lift, 1),
            terms_of(lift),
        )
        assert not any(key[0] == "cuda lifting" for key in lift.plan.native if len(key) == 4)
    assert all(expression.endswith("true>") for expression in host.launched)


# --- fallbacks -----------------------------------------------------------------------------------


def test_schemes_that_are_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    lift = forward(LiftingScheme.from_name("db38"), 4001, "reflect")
    assert axis_group(*lift, 0) is not None
    x = data((4001, 2), "complex128")
    cuda.use(fallback=reference)
    for a, e in zip(
        cuda.lift_analysis(x, *lift, 0), reference.lift_analysis(x, *lift, 0), strict=True
    ):
        assert_close(a, e, terms_of(lift))


# --- compiled for devices ------------------------------------------------------------------------


def _kernel(name: str, *arguments: object) -> Kernel:
    return kernel("lifting/transform.cuh", name, *arguments)


COMMON = [
    _kernel("lift_analysis", *("float32",) * 3, True, True, False),
    _kernel("lift_synthesis", *("float32",) * 3, True, True, False),
]
OTHERS = [
    _kernel("lift_analysis", *("float32",) * 3, False, True, False),
    _kernel("lift_analysis", *("float32",) * 3, True, False, True),
    _kernel("lift_analysis", "uint8", "int16", "int16", True, True, False),
    kernel(
        "lifting/transform.cuh",
        "lift_synthesis",
        "float32",
        "float16",
        "float16",
        False,
        True,
        False,
    ),
]


@pytest.mark.skipif(cuda_compile.compiler() is None, reason="neither NVRTC nor nvcc")
@pytest.mark.parametrize("kernels", [COMMON, pytest.param(OTHERS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("architecture", cuda_compile.SLOW_ARCHITECTURES)
def test_kernels_compile_without_spills(architecture: str, kernels: list[Kernel]) -> None:
    for each, usage in cuda_compile.usages(kernels, architecture).items():
        assert usage.spilled == 0, each
        assert usage.stack == 0, each


def test_arguments_fit_where_devices_have_room() -> None:
    import ctypes

    from liftwave._kernels.cuda.lifting.plan import arguments

    for real in ("float", "double", "int"):
        for learned in (False, True):
            assert ctypes.sizeof(arguments(real, learned)) <= 4096
