"""Tiles, orders of threads, layouts and half precision of CUDA lifting pooling, run on the host.

``test_lift_pool_kernels.py`` compares it with the reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import cuda_compile
import numpy as np
import pytest
from cuda_host import ORDERS, HostKernels, HostRuntime, compiler
from helpers import zero_mean
from lift_pool_cases import EXTENSIONS
from lift_pool_comparison import CHANNELS, Comparison, filters, norm, outputs, plans

from liftwave._kernels.cuda.common import layout as cuda_layout
from liftwave._kernels.cuda.common.runtime import kernel
from liftwave._kernels.cuda.lift_pool import launch as launch
from liftwave._kernels.cuda.lift_pool import tiles as tiles
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.lift_pool import LiftPoolPlan

runs = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

cuda = HostKernels()
reference = ReferenceKernels()

TILED = [(201,), (15, 90), (90, 14), (3, 5, 23)]


@pytest.fixture
def host() -> HostRuntime:
    """The runtime of the kernels; a fallback raises."""
    return cuda.reset()


@pytest.fixture(params=[1, 2], ids=["apart", "together"])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Small tiles with large overlaps; the number of axes that one kernel splits."""
    monkeypatch.setattr(tiles.Axis, "tiles", lambda axis, least: [min(axis.n, max(least, 4))])
    monkeypatch.setattr(launch, "MAX_OVERLAP", 0.0 if request.param == 1 else 1000.0)
    monkeypatch.setattr(launch, "SUMMING_BLOCKS", 7)
    tiles.tiling.cache_clear()
    yield request.param
    tiles.tiling.cache_clear()


QUICK = [((201,), 10), ((15, 90), 5), ((3, 5, 23), 5)]
"""An odd number of weights that the compiler knows, and an even one that it does not."""


def is_cut(plan: LiftPoolPlan, at_once: int) -> bool:
    """True if several tiles read the same samples, as the test requires."""
    need = tiles.Need(2)
    like = np.ones(1)
    call = launch.Call(HostRuntime(), plan, filters(plan, "float32"), like, 2, "float32", "")
    stages = call.stages(need)
    assert stages is not None
    dims = plan.dimensions
    assert len(stages) == (dims if at_once == 1 else max(1, dims - 1))
    found = [call.tiling(stage, need) for stage in stages]
    return any(one is not None and one.overlap > 1 for one in found)


@runs
@pytest.mark.parametrize(
    ("sizes", "kernel"),
    [
        pytest.param(s, k, marks=() if (s, k) in QUICK else pytest.mark.slow, id=f"K{k}-{s}")
        for s in TILED
        for k in (1, 2, 3, 4, 5, 7, 8, 10)
    ],
)
def test_several_tiles(
    sizes: tuple[int, ...], kernel: int, host: HostRuntime, at_once: int
) -> None:
    some = outputs(len(sizes))
    for number, plan in enumerate(plans(sizes, kernel)):
        assert is_cut(plan, at_once) or kernel == 1
        for bias in (0.0, 3.0):  # with large biases, distant samples have an effect
            Comparison(cuda, plan).down(some[number % 3], "float32", 1, bias)
            Comparison(cuda, plan).up("float32", 1, bias)


@runs
@pytest.mark.parametrize("order", ORDERS[1:])
@pytest.mark.parametrize("sizes", [(30,), (12, 14), (40, 44)], ids=str)
def test_order_of_threads_changes_nothing(
    sizes: tuple[int, ...], order: int, host: HostRuntime
) -> None:
    for size in (5, 10):
        plan = LiftPoolPlan(sizes, size, "reflect", False)
        found = []
        for each in (0, order):
            host.order = each
            found.append(everything(plan, "float32"))
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)


def everything(plan: LiftPoolPlan, dtype: str) -> list[Any]:
    """The results of all kernels."""
    taps, output = filters(plan, dtype), outputs(plan.dimensions)[0]
    x = zero_mean((2, CHANNELS, *plan.sizes), 1, dtype)
    bands, sums = cuda.lift_pool.lift_down(x, taps, plan, output, True)
    back = cuda.lift_pool.lift_down_vjp(bands, bands, sums, taps, plan, output, True)
    again = cuda.lift_pool.lift_down_vjp([x], bands, None, taps, plan, output, False)
    up = cuda.lift_pool.lift_up(bands, taps, plan)
    of_bands, of_taps = cuda.lift_pool.lift_up_vjp(bands, x, taps, plan, False)
    return [*bands, sums, *back, *again, up, *of_bands, of_taps]


@runs
def test_more_blocks_than_a_grid_has(host: HostRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = LiftPoolPlan((9, 8), 5, "reflect", False)
    wanted = everything(plan, "float32")
    for module in (launch, cuda_layout):
        monkeypatch.setattr(module, "MAX_GRID", 2)
    for a, b in zip(everything(plan, "float32"), wanted, strict=True):
        np.testing.assert_array_equal(a, b)


@runs
def test_arrays_of_any_strides(host: HostRuntime) -> None:
    for sizes in ((8, 10), (4, 6, 8)):
        plan = LiftPoolPlan(sizes, 5, "circular", False)
        taps, output = filters(plan, "float32"), outputs(len(sizes))[0]
        wanted = everything(plan, "float32")
        x = strided(zero_mean((2, CHANNELS, *sizes), 1, "float32"))
        others = strided(np.repeat(taps, 2, axis=0))[::2]
        bands, sums = cuda.lift_pool.lift_down(x, others, plan, output, True)
        views = [strided(band) for band in bands]
        got = [*bands, sums]
        got += cuda.lift_pool.lift_down_vjp(views, views, sums, others, plan, output, True)
        got += cuda.lift_pool.lift_down_vjp([x], views, None, others, plan, output, False)
        got.append(cuda.lift_pool.lift_up(views, others, plan))
        of_bands, of_taps = cuda.lift_pool.lift_up_vjp(views, x, others, plan, False)
        for a, b in zip([*got, *of_bands, of_taps], wanted, strict=True):
            np.testing.assert_array_equal(a, b)


def strided(x: Any) -> Any:
    """The same numbers in another layout: axes in another order, the last one reversed."""
    spread = np.zeros((*x.shape[::-1], 2), x.dtype)
    view = spread[..., 1].transpose()[..., ::-1]
    view[...] = x
    return view


@runs
@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(9,), (7, 8), (40, 33), (3, 4, 5)], ids=str)
def test_double_precision(sizes: tuple[int, ...], host: HostRuntime) -> None:
    for plan in plans(sizes, 5):
        for output in outputs(len(sizes))[::2]:
            Comparison(cuda, plan).down(output, "float64")
        Comparison(cuda, plan).up("float64")


@runs
@pytest.mark.slow
@pytest.mark.parametrize("padding", EXTENSIONS)
@pytest.mark.parametrize("sizes", [(9,), (7, 8), (3, 4, 5)], ids=str)
def test_derivatives_are_those_of_differences(
    sizes: tuple[int, ...], padding: str, host: HostRuntime
) -> None:
    """Along a random direction; at random points, no ReLU is at its kink."""
    plan = LiftPoolPlan(sizes, 5, padding, False)
    taps, output = filters(plan, "float64"), outputs(len(sizes))[0]
    x = zero_mean((2, CHANNELS, *sizes), 1, "float64")
    bands, sums = cuda.lift_pool.lift_down(x, taps, plan, output, True)
    cotangents = [zero_mean(b.shape, 5 + k, "float64") for k, b in enumerate(bands)]
    weights = zero_mean(sums.shape, 4, "float64")
    way, of_taps = zero_mean(x.shape, 2, "float64"), filters(plan, "float64", 3)

    def loss(t: float) -> float:
        found, squares = cuda.lift_pool.lift_down(
            x + t * way, taps + t * of_taps, plan, output, True
        )
        terms = zip([*found, squares], [*cotangents, weights], strict=True)
        return float(sum(np.sum(a * b) for a, b in terms))

    step = 1e-6
    wanted = (loss(step) - loss(-step)) / (2 * step)
    for values, from_outputs in (([x], False), (bands, True)):
        g, of_filters = cuda.lift_pool.lift_down_vjp(
            values, cotangents, weights, taps, plan, output, from_outputs
        )
        found = float(np.sum(g * way) + np.sum(of_filters * of_taps))
        size = norm(g) * norm(way) + norm(of_filters) * norm(of_taps)
        assert abs(found - wanted) < 1e-8 * size


@runs
@pytest.mark.parametrize("sizes", [(24,), (11, 12)], ids=str)
def test_derivatives_of_inputs_undo_no_step(sizes: tuple[int, ...], host: HostRuntime) -> None:
    """Undoing steps with gains of a thousand would leave no digit."""
    plan = LiftPoolPlan(sizes, 5, "reflect", False)
    taps, output = filters(plan, "float32"), outputs(len(sizes))[0]
    taps[..., 6] *= 1000
    x = zero_mean((2, CHANNELS, *sizes), 1, "float32")
    bands, sums = reference.lift_pool.lift_down(x, taps, plan, output, True)
    cotangents = [zero_mean(b.shape, 5 + k, "float32") for k, b in enumerate(bands)]
    for weights in (None, zero_mean(sums.shape, 4, "float32") * np.float32(1e-6)):
        arrays = [x], cotangents, weights, taps
        found = cuda.lift_pool.lift_down_vjp(*arrays, plan, output, False)
        wide: list[Any] = [[v.astype("float64") for v in part] for part in arrays[:2]]
        wide += [None if part is None else part.astype("float64") for part in arrays[2:]]
        wanted = reference.lift_pool.lift_down_vjp(*wide, plan, output, False)
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * np.abs(b).max())


@runs
@pytest.mark.parametrize(
    ("dtype", "sizes"),
    [
        ("float16", (7, 8)),
        pytest.param("bfloat16", (7, 8), marks=pytest.mark.slow),
        pytest.param("float16", (3, 4, 6), marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("of_filters", ["same", "float32"])
def test_halves_are_computed_in_single_precision(
    dtype: str, sizes: tuple[int, ...], of_filters: str, host: HostRuntime
) -> None:
    torch = pytest.importorskip("torch")
    half = getattr(torch, dtype)
    plan = LiftPoolPlan(sizes, 5, "reflect", False)
    taps = torch.from_numpy(filters(plan, "float32")).to(half)
    wide = taps.float()
    if of_filters == "float32":
        taps = wide
    for output in outputs(len(sizes))[:3]:
        x = torch.from_numpy(zero_mean((2, CHANNELS, *sizes), 1, "float32")).to(half)
        bands, sums = cuda.lift_pool.lift_down(x, taps, plan, output, True)
        wanted, of_passes = reference.lift_pool.lift_down(x.float(), wide, plan, output, True)
        for a, b in zip(bands, wanted, strict=True):
            rounded(a, b, half)
        rounded(sums, of_passes, torch.float32)  # beyond the range of half precision
        full = [band.float() for band in bands]
        from_outputs = output.holds_all(len(sizes))
        values, as_floats = (bands, full) if from_outputs else ([x], [x.float()])
        rest = plan, output, from_outputs
        found = cuda.lift_pool.lift_down_vjp(values, bands, sums, taps, *rest)
        weights = sums.float()
        expected = reference.lift_pool.lift_down_vjp(as_floats, full, weights, wide, *rest)
        rounded(found[0], expected[0], half)
        rounded(found[1], expected[1], taps.dtype)
        if output.combination != "bands":
            continue
        rounded(cuda.lift_pool.lift_up(bands, taps, plan), x, half)
        found = cuda.lift_pool.lift_up_vjp(bands, x, taps, plan, False)
        expected = reference.lift_pool.lift_up_vjp(full, x.float(), wide, plan, False)
        for a, b in zip(found[0], expected[0], strict=True):
            rounded(a, b, half)
        rounded(found[1], expected[1], taps.dtype)


def rounded(got: Any, wanted: Any, dtype: Any) -> None:
    """Equal up to one rounding to ``dtype``."""
    import torch

    assert got.dtype == dtype
    size = float(wanted.abs().max())
    tolerance = 2 * torch.finfo(dtype).eps * max(size, 1.0)
    if dtype == torch.float32:
        tolerance *= 32
    np.testing.assert_allclose(got.double(), wanted.double(), rtol=0, atol=tolerance)


@runs
def test_filters_and_cotangents_of_any_strides(host: HostRuntime) -> None:
    plan = LiftPoolPlan((7, 8), 5, "reflect", False)
    taps, output = filters(plan, "float32"), outputs(2)[0]
    x = zero_mean((2, CHANNELS, 7, 8), 1, "float32")
    apart = np.repeat(taps, 2, axis=-1)[..., ::2]
    one = np.ones((3, 2), "float32")
    same = np.broadcast_to(one[:1, :1], one.shape)
    wanted, sums = cuda.lift_pool.lift_down(x, taps, plan, output, True)
    found, of_passes = cuda.lift_pool.lift_down(x, apart, plan, output, True)
    for a, b in zip([*found, of_passes], [*wanted, sums], strict=True):
        np.testing.assert_array_equal(a, b)
    back = [
        cuda.lift_pool.lift_down_vjp([x], wanted, weights, f, plan, output, False)
        for weights, f in ((one, taps), (same, apart))
    ]
    for a, b in zip(*back, strict=True):
        np.testing.assert_array_equal(a, b)


def test_more_shared_memory_gives_larger_tiles() -> None:
    """Of gradients, where a device offers it. Results differ by the order of sums."""
    plan, output = LiftPoolPlan((60, 80), 5, "reflect", True), outputs(2)[0]
    x, taps = zero_mean((1, CHANNELS, 60, 80), 0, "float32"), filters(plan, "float32")
    weights = np.ones((len(plan.passes), 2), np.float32)
    results, grids = [], []
    for shared in (48 << 10, 227 << 10):
        runtime = cuda.use(HostRuntime())
        runtime.shared = shared
        bands, _ = cuda.lift_pool.lift_down(x, taps, plan, output, True)
        results.append(cuda.lift_pool.lift_down_vjp([x], bands, weights, taps, plan, output, False))
        grids.append(runtime.grids["lift_pool_back"])
    assert max(grids[1]) < max(grids[0])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * float(np.abs(b).max()))


def test_what_is_not_served_goes_to_the_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty arrays, mixed dtypes, four axes, filters with more weights than fit shared memory."""
    monkeypatch.setattr(launch, "SHARED", 300)
    cuda.use(fallback=reference).shared = 300
    monkeypatch.setattr(HostRuntime, "launch", None)
    cases = [
        ((5, 6), 5, 0, "float32", "float32"),
        ((5, 6), 3, 1, "float32", "float64"),
        ((2, 2, 2, 2), 2, 1, "float32", "float32"),
        ((40,), 20, 1, "float32", "float32"),
    ]
    for sizes, size, batch, dtype, of_filters in cases:
        plan = LiftPoolPlan(sizes, size, "circular", True)
        taps, output = filters(plan, of_filters), outputs(len(sizes))[0]
        x = zero_mean((batch, CHANNELS, *sizes), 0, dtype)
        bands, sums = cuda.lift_pool.lift_down(x, taps, plan, output, True)
        wanted, of_passes = reference.lift_pool.lift_down(x, taps, plan, output, True)
        for a, b in zip([*bands, sums], [*wanted, of_passes], strict=True):
            np.testing.assert_array_equal(a, b, strict=True)
        bands = [band.astype(dtype) for band in bands]
        cuda.lift_pool.lift_up(bands, taps, plan)
        cuda.lift_pool.lift_down_vjp(bands, bands, None, taps, plan, output, True)
        cuda.lift_pool.lift_up_vjp(bands, x, taps, plan, False)


@pytest.mark.skipif(cuda_compile.compiler() is None, reason="neither NVRTC nor nvcc is here")
@pytest.mark.parametrize(
    ("architecture", "size", "dtype"),
    [
        pytest.param(*case, marks=pytest.mark.slow)  # seconds each; see test_cuda_compiles.py
        for case in product(cuda_compile.ARCHITECTURES, (3, 5), ("float32", "float16"))
    ],
)
def test_kernels_compile_without_spills(architecture: str, size: int, dtype: str) -> None:
    kernels = [
        kernel(launch._SOURCES[name], name, dtype, dtype, size, up)
        for name, up in product(("lift_pool", "lift_pool_back"), (False, True))
    ]
    for one, usage in cuda_compile.usages(kernels, architecture).items():
        assert (usage.spilled, usage.stack) == (0, 0), (one, usage)
