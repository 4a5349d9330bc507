"""Tiles, steps and half precision of CUDA lifting without downsampling, run on the host.

``test_whole_lifting_kernels.py`` compares the kernels with the reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import cuda_compile
import numpy as np
import pytest
from cuda_host import ORDERS, HostKernels, HostRuntime, compiler
from helpers import LIFTING_MODES, zero_mean

import liftwave as lw
from liftwave import _dispatch
from liftwave._kernels.cuda.common import layout as cuda_layout
from liftwave._kernels.cuda.common.runtime import Kernel, kernel
from liftwave._kernels.cuda.lifting import tiles as cuda_lifting_tiles
from liftwave._kernels.half_precision import in_float32
from liftwave._kernels.reference.family import ReferenceKernels

needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

cuda = HostKernels()
CDF97 = lw.LiftingScheme.from_name("cdf9.7")
SYM8 = lw.LiftingScheme.from_name("sym8")


@pytest.fixture(autouse=True)
def runtime() -> Iterator[HostRuntime]:
    """Runs kernels on the host instead of devices; a fallback raises unless a test allows it."""
    runtime = cuda.reset()
    with _dispatch.registered(cuda):
        yield runtime


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tiles of few samples, so that small arrays have several."""
    monkeypatch.setattr(cuda_lifting_tiles, "LINE_BYTES", (2048,))
    monkeypatch.setattr(cuda_lifting_tiles, "LINE_PAIRS", 24)
    monkeypatch.setattr(cuda_lifting_tiles, "LINE_COLUMNS", 4)
    monkeypatch.setattr(cuda_lifting_tiles, "SHARED", 2048)
    cuda_lifting_tiles.tiling.cache_clear()
    yield
    cuda_lifting_tiles.tiling.cache_clear()


def launched(runtime: HostRuntime) -> list[str]:
    """The names of the kernels that ran, and forget them."""
    names = [re.findall(r"::(\w+)", expression)[0] for expression in runtime.launched]
    runtime.launched.clear()
    return names


def arrays(value: Any) -> list[Any]:
    """All arrays in a structure of bands."""
    if isinstance(value, dict):
        value = list(value.values())
    return (
        [y for part in value for y in arrays(part)] if isinstance(value, list | tuple) else [value]
    )


def compare(call: Callable[[], Any], eps: float = np.finfo(np.float64).eps) -> Any:
    """The result of these kernels, after a comparison with the reference kernels."""
    with lw.kernels("cuda"):
        result = call()
    with lw.kernels("reference"):
        expected = arrays(call())
    largest = max(float(abs(y).max()) for y in expected)
    for ours, theirs in zip(arrays(result), expected, strict=True):
        assert float(abs(ours - theirs).max()) <= 40 * eps * largest
    return result


def round_trip(x: Any, scheme: Any, level: int, axis: int, mode: Any) -> None:
    bands = compare(lambda: lw.swt(x, scheme, level, axis=axis, mode=mode))
    compare(lambda: lw.iswt(bands, scheme, axis=axis, mode=mode))
    _, pullback = lw.vjp(lw.swt, x, scheme, level, axis=axis, mode=mode)
    compare(lambda: pullback(bands, wavelet=False).data)


def test_one_launch_unless_steps_reach_far(
    runtime: HostRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Levels of short reach have a launch each, the others a launch for each step."""

    def note(self: HostRuntime, kernel: Kernel, *arguments: Any) -> None:
        self.launched.append(kernel.expression)

    monkeypatch.setattr(HostRuntime, "launch", note)
    steps = len(CDF97.steps)
    for shape, axis, near in (((1500, 8), 0, 6), ((2, 20_000), 1, 9)):
        with lw.kernels("cuda"):
            lw.swt(np.ones(shape, np.float32), CDF97, near + 1, axis=axis)
            assert launched(runtime) == ["whole_analysis"] * near + ["whole_step"] * steps


@needs_compiler
@pytest.mark.parametrize("order", ORDERS)
def test_several_tiles_in_any_order_of_threads(
    order: int, runtime: HostRuntime, small_tiles: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.order = order
    monkeypatch.setattr(cuda_layout, "MAX_GRID", 3)
    for mode in LIFTING_MODES:
        for scheme in (CDF97, SYM8):
            for shape, axis in (((3, 150), 1), ((140, 8), 0)):
                round_trip(zero_mean(shape), scheme, 4, axis, mode)
                names = set(launched(runtime))
                assert "whole_step" in names
                assert len(names) == 3 or (scheme is SYM8 and axis == 0)


@needs_compiler
def test_memory_of_any_strides(runtime: HostRuntime) -> None:
    x = zero_mean((5, 23, 6))
    views = (
        lambda x: x[:, ::-1],
        lambda x: x[::-1, :, ::-1],
        lambda x: np.repeat(x, 3, 2)[:, :, 1::3],
        np.asfortranarray,
        lambda x: np.broadcast_to(x[:1], x.shape),
    )
    for view in views:
        round_trip(view(x), CDF97, 2, 1, "reflect")
    many_axes = zero_mean((3,) * 9)[(slice(None, 2),) * 8][..., ::2]
    round_trip(many_axes, CDF97, 1, 4, "symmetric")
    assert {"whole_analysis", "whole_step"} <= set(launched(runtime))


@needs_compiler
def test_given_results(small_tiles: None) -> None:
    x, out = zero_mean((2, 60)), np.empty((2, 60))
    with lw.kernels("cuda"):
        for level in (1, 4):
            bands = lw.swt(x, CDF97, level, mode="symmetric")
            assert lw.iswt(bands, CDF97, mode="symmetric", out=out) is out
            np.testing.assert_allclose(out, x, rtol=0, atol=1e-13)


@needs_compiler
@pytest.mark.parametrize("name", ["float16", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_halves_are_computed_in_single_precision(
    name: str, runtime: HostRuntime, small_tiles: None
) -> None:
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(zero_mean((2, 600))).to(getattr(torch, name))
    with lw.kernels("cuda"):
        bands = lw.swt(x, CDF97, 6, trim_approx=True, mode="reflect")
        back = lw.iswt(bands, CDF97, mode="reflect")
    assert set(launched(runtime)) == {"whole_analysis", "whole_synthesis", "whole_step"}
    wanted = lw.swt(x.float(), CDF97, 6, trim_approx=True, mode="reflect")
    wide = lw.iswt([band.float() for band in bands], CDF97, mode="reflect")
    for a, b in zip([*bands, back], [*wanted, wide], strict=True):
        assert a.dtype == x.dtype
        # One rounding: by half a unit, or at a tie by a little more.
        single = 40 * torch.finfo(torch.float32).eps * b.abs().max()
        half = 0.51 * torch.finfo(x.dtype).eps * b.abs() + torch.finfo(x.dtype).smallest_normal
        assert bool(((a.float() - b).abs() <= half + single).all())


@needs_compiler
@pytest.mark.filterwarnings("ignore::liftwave.errors.IntegerRangeWarning")
def test_integers_in_tiles_and_steps(small_tiles: None, runtime: HostRuntime) -> None:
    scheme = SYM8.to_integer()
    x = np.random.default_rng(0).integers(-30_000, 30_000, (3, 700)).astype(np.int16)
    for level, names in ((1, 2), (2, 3)):
        with lw.kernels("cuda"):
            bands = lw.swt(x, scheme, level, mode="constant")
            np.testing.assert_array_equal(lw.iswt(bands, scheme, mode="constant"), x)
        with lw.kernels("reference"):
            expected = lw.swt(x, scheme, level, mode="constant")
        for ours, theirs in zip(arrays(bands), arrays(expected), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert len(set(launched(runtime))) == names


def test_what_kernels_do_not_know_is_done_otherwise(runtime: HostRuntime) -> None:
    torch = pytest.importorskip("torch")
    cuda.use(fallback=in_float32(ReferenceKernels()))
    x = zero_mean((2, 40))
    long = lw.LiftingScheme([lw.LiftingStep("update", tuple(zero_mean(129)), -60)])
    compare(lambda: lw.swt(x, long, 1))
    steps = [lw.LiftingStep(s.kind, torch.tensor(s.taps), s.offset) for s in CDF97.steps]
    learned = lw.LiftingScheme(steps, CDF97.scale, shift=CDF97.shift)
    compare(lambda: lw.swt(torch.from_numpy(x), learned, 1))
    assert not runtime.launched


@needs_compiler
def test_schemes_of_many_steps(runtime: HostRuntime) -> None:
    """More steps than an argument has room for run one by one."""
    steps = [lw.LiftingStep(kind, (0.01,), 0) for kind in ("predict", "update")] * 33
    compare(lambda: lw.swt(zero_mean((2, 30)), lw.LiftingScheme(steps), 1, mode="reflect"))
    assert launched(runtime) == ["whole_step"] * 66


# --- compiled for devices ------------------------------------------------------------------------


def _kernel(name: str, *arguments: object) -> Kernel:
    return kernel("lifting/whole_kernels.cuh", name, *arguments)


COMMON = [
    _kernel("whole_analysis", *("float32",) * 3, False),
    _kernel("whole_synthesis", *("float32",) * 3, True),
    _kernel("whole_step", "float32"),
]
OTHERS = [
    _kernel("whole_analysis", *("complex128",) * 3, True),
    _kernel("whole_analysis", "uint8", "int16", "int16", False),
    _kernel("whole_synthesis", "float32", "float16", "float16", False),
    _kernel("whole_synthesis", *("int64",) * 3, True),
    _kernel("whole_step", "complex128"),
    _kernel("whole_step", "int32"),
]


@pytest.mark.skipif(cuda_compile.compiler() is None, reason="neither NVRTC nor nvcc")
@pytest.mark.parametrize("kernels", [COMMON, pytest.param(OTHERS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("architecture", cuda_compile.EACH_ARCHITECTURE)
def test_kernels_compile_without_spills(architecture: str, kernels: list[Kernel]) -> None:
    for each, usage in cuda_compile.usages(kernels, architecture).items():
        assert usage.spilled == usage.stack == 0, each
        assert usage.registers <= 128, each
