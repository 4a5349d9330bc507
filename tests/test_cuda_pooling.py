"""Launches, layouts, half precision and extremes of CUDA kernels of pooling, run on the host.

``test_pooling_kernels.py`` compares them with the reference for all kinds of windows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cuda_compile
import numpy as np
import pytest
from cuda_host import ORDERS, HostKernels, HostRuntime, compiler
from helpers import eps
from pooling_calls import Windowed
from pooling_comparison import KINDS, betas, compare, condition, data, geometry, reference, results

from liftwave._kernels.cuda.common.runtime import Kernel, kernel
from liftwave._kernels.cuda.pooling import launch, windows
from liftwave._kernels.cuda.pooling.structures import divider
from liftwave._kernels.half_precision import in_float32
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.windows import WindowPlan, window_plan

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

host = HostKernels()
cuda = Windowed(host)


@pytest.fixture(autouse=True)
def runtime() -> HostRuntime:
    return host.use(HostRuntime(2), in_float32(ReferenceKernels()))


def test_every_kind_of_weights_is_compared() -> None:
    assert set(KINDS) == set(windows.KINDS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2 x 2", ["pool_windows<float, 0, 1, 2, 2, true, 2>", "spread", "spread", "spread"]),
        ("2 x 2, a rest", ["pool_windows<float, 0, 1, 2, 2, true, 1>", "spread"]),
        ("3 x 3, stride 2", ["pool_windows<float, 0, 1, 3, 3, false, 1>", "gather"]),
        ("4 x 4", ["pool_windows<float, 0, 0, 0, 0, false, 0>", "gather"]),
        ("gaps", ["pool_windows<float, 0, 1, 2, 2, true, 1>", "gather"]),
    ],
)
def test_which_kernels_serve(
    name: str, expected: list[str], runtime: HostRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[str] = []

    def note(one: Kernel, *_: Any) -> None:
        launched.append(one.expression)

    monkeypatch.setattr(runtime, "launch", note)
    shape, plan = geometry(host, name)
    x, g = data(shape, "float32"), data((shape[0], *plan.outputs), "float32")
    cuda.pool(x, plan, "softmax")
    cuda.pool_vjp(x, g, plan, "softmax")
    cuda.unpool(x, g, plan, "softmax")
    cuda.unpool_vjp(x, g, x, plan, "softmax")
    assert len(launched) == 4
    for one, start in zip(launched, expected, strict=False):
        assert one.startswith(f"liftwave::{start}")


# --- half precision ------------------------------------------------------------------------------

HALVES = [
    ("2 x 2, rows left", "float16", ("softmax", "ada")),
    *(
        pytest.param(name, dtype, KINDS, marks=pytest.mark.slow)
        for name in ("2 x 2, odd", "3 x 3, stride 2", "3 x 3, a rest kept", "4 x 4")
        for dtype in ("float16", "bfloat16")
    ),
]


@pytest.mark.parametrize(("name", "dtype", "kinds"), HALVES)
def test_halves_are_computed_in_single_precision(
    name: str, dtype: str, kinds: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    shape, plan = geometry(host, name)
    half = getattr(torch, dtype)
    x = torch.from_numpy(data(shape, "float64")).to(half)
    for kind in kinds:
        beta = None
        if kind == "ada":
            beta = torch.from_numpy(betas(plan, shape[0], "float64")[1]).to(half)
        found = results(cuda, x, plan, kind, beta)
        singles = [None if v is None else v.float() for v in (x, beta)]
        # The other operands are also rounded to half precision.
        with monkeypatch.context() as patched:
            patched.setattr(reference_halves, "dtype", half)
            expected = results(reference_halves, singles[0], plan, kind, singles[1])
        for got, wanted in zip(found, expected, strict=True):
            if wanted is None:
                assert got is None
                continue
            assert got.dtype == half
            wanted = wanted.double()
            scale = max(1.0, float(wanted.abs().max()))
            ulps = 64 * condition(x.double().numpy(), plan, kind)
            room = torch.finfo(half).eps / 2 * wanted.abs() + ulps * eps("float32") * scale
            assert bool(((got.double() - wanted).abs() <= room).all())


class _ReferenceOfHalves:
    """The reference in single precision, with operands rounded to half precision first."""

    dtype: Any = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def rounded(value: Any) -> Any:
            return value.to(self.dtype).float() if hasattr(value, "data_ptr") else value

        return lambda *arguments: getattr(reference, name)(*map(rounded, arguments))


reference_halves = _ReferenceOfHalves()


def test_halves_of_numpy() -> None:
    shape, plan = geometry(host, "2 x 2")
    x = data(shape, "float16")
    got, wanted = cuda.pool(x, plan, "softmax"), reference.pool(x.astype("f4"), plan, "softmax")
    assert got.dtype == np.float16
    np.testing.assert_allclose(got, wanted, rtol=eps("float16") / 2 + 64 * eps("float32"))


# --- layouts -------------------------------------------------------------------------------------

LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "every third column": lambda x: np.repeat(x, 3, axis=-1)[..., ::3],
    "backwards": lambda x: np.ascontiguousarray(x[:, ::-1, ::-1])[:, ::-1, ::-1],
    "rows apart": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "planes last": lambda x: np.ascontiguousarray(np.moveaxis(x, 0, -1)).transpose(2, 0, 1),
    "off by one": lambda x: np.pad(x, ((0, 0), (0, 0), (1, 3)))[..., 1:-3],
}


SOME_LAYOUTS = [
    ("2 x 2", "float32", "every third column"),
    *(("4 x 4", "float64", layout) for layout in LAYOUTS),
    *(pytest.param("2 x 2", "float32", x, marks=pytest.mark.slow) for x in [*LAYOUTS][1:]),
]


@pytest.mark.parametrize(("name", "dtype", "layout"), SOME_LAYOUTS)
def test_strides(name: str, dtype: str, layout: str) -> None:
    if name == "2 x 2":  # this needs few kernels
        host.use(HostRuntime())
    shape, plan = geometry(host, name)
    view = LAYOUTS[layout]
    x, g = data(shape, dtype), data((shape[0], *plan.outputs), dtype, 1)
    for array in (x, g):
        array.flags.writeable = False
    b = betas(plan, shape[0], dtype)[3]
    pairs = [
        (cuda.pool(view(x), plan, "ada", view(b)), cuda.pool(x, plan, "ada", b)),
        *zip(
            cuda.unpool_vjp(view(x), view(g), view(x), plan, "ada", view(b)),
            cuda.unpool_vjp(x, g, x, plan, "ada", b),
            strict=True,
        ),
        *zip(cuda.max_pool(view(x), plan), cuda.max_pool(x, plan), strict=True),
    ]
    for got, wanted in pairs:
        np.testing.assert_array_equal(got, wanted)


def test_nothing_is_launched_for_nothing(runtime: HostRuntime) -> None:
    plan = window_plan((4, 6), 2)
    x, g = np.zeros((0, 4, 6)), np.zeros((0, 2, 3))
    assert cuda.pool(x, plan, "softmax").shape == (0, 2, 3)
    assert cuda.pool_vjp(x, g, plan, "softmax")[0].shape == (0, 4, 6)
    beta = np.ones((1, 1, 1))
    np.testing.assert_array_equal(cuda.pool_vjp(x, g, plan, "ada", beta)[1], 0 * beta)
    assert cuda.max_pool(x, plan)[1].shape == (0, 2, 3)
    assert cuda.max_pool_vjp(g, np.zeros((0, 2, 3), np.int64), plan).shape == (0, 4, 6)
    assert not runtime.launched


# --- launches ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["2 x 2", "3 x 3, stride 2"])
@pytest.mark.parametrize("most", [1, 230])
def test_several_launches(name: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shape, plan = geometry(host, name)
    planes = 7
    x = data((planes, *shape[1:]), "float32")
    wanted = [results(cuda, x, plan, "ada", beta) for beta in betas(plan, planes, "float32")]
    top, places = cuda.max_pool(x, plan)
    back = cuda.max_pool_vjp(top, places, plan)
    monkeypatch.setattr(launch, "MOST_ITEMS", most)
    found = [results(cuda, x, plan, "ada", beta) for beta in betas(plan, planes, "float32")]
    for one, other in zip(found, wanted, strict=True):
        for got, expected in zip(one, other, strict=True):
            np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(cuda.max_pool(x, plan)[1], places)
    np.testing.assert_array_equal(cuda.max_pool_vjp(top, places, plan), back)


def test_more_planes_than_two_bytes_count() -> None:
    plan = window_plan((2, 4), 2)
    x = np.arange(70_000 * 8, dtype="f4").reshape(-1, 2, 4)
    np.testing.assert_array_equal(cuda.max_pool(x, plan)[0], reference.max_pool(x, plan)[0])


@pytest.mark.parametrize("name", ["3 x 3, stride 1", "dilated"])
def test_any_order_of_threads(name: str, runtime: HostRuntime) -> None:
    shape, plan = geometry(host, name)
    x, beta = data(shape, "float32"), betas(plan, shape[0], "float32")[1]
    found = []
    for order in ORDERS:
        runtime.order = order
        found.append(results(cuda, x, plan, "ada", beta))
    for other in found[1:]:
        for got, wanted in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles for a small shared memory."""
    monkeypatch.setattr(windows, "MOST_SHARED", 2000)
    windows._tiling.cache_clear()
    for name in ("3 x 3, stride 2", "3 x 3, stride 1"):
        shape, plan = geometry(host, name)
        compare(host, data(shape, "float32"), plan, "exp-dice")
        compare(host, data(shape, "float32"), plan, "ada", betas(plan, shape[0], "float32")[1])
    windows._tiling.cache_clear()


def test_divisions() -> None:
    numbers = np.unique(np.geomspace(1, 2**31 - 1, 4000).astype(np.uint64))
    numbers = np.concatenate([numbers - 1, numbers])
    for by in [*range(1, 70), 641, 2**16 - 1, 2**16 + 1, 2**30 - 1, 2**30, 2**31 - 1]:
        made = divider(by)
        assert made.multiplier < 2**32
        high = (numbers * np.uint64(made.multiplier)) >> np.uint64(32)
        np.testing.assert_array_equal((high + numbers) >> np.uint64(made.shift), numbers // by)


# --- extremes ------------------------------------------------------------------------------------


def regions_of_all_kinds(large: float) -> np.ndarray:
    return np.array([
        [0.0, 0.0, 0.0, 0.0],
        [-0.0, 0.0, 0.0, 0.0],
        [3.0, 3.0, 3.0, 3.0],
        [-2.0, -2.0, -2.0, -2.0],
        [1.0, -1.0, 2.0, -2.0],  # the mean is zero
        [0.0, 0.0, 0.0, 5.0],
        [large, -large, large, large],
        [large, large, large, large],
        [-large, 0.0, large / 2, 1.0 / large],
        [1e4, -1e4, 1e4, 1e-4],
        [1000.0, -1000.0, 0.0, 1000.0],
        [1.0, 2.0, 3.0, 4.0],
    ])  # fmt: skip


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_regions_of_all_kinds(kind: str, held: bool) -> None:
    dtype = "float32" if held else "float64"
    x, plan, beta = windows_of_four(regions_of_all_kinds(1e30 if held else 1e300), dtype, kind)
    got, wanted = (k.pool(x, plan, kind, beta) for k in (cuda, reference))
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, wanted, rtol=16 * eps(dtype), atol=0)
    g = np.ones_like(wanted)
    of_x, expected = (k.pool_vjp(x, g, plan, kind, beta)[0] for k in (cuda, reference))
    assert np.isfinite(of_x).all()
    scale = np.maximum(1.0, np.abs(expected))
    np.testing.assert_allclose(of_x / scale, expected / scale, rtol=0, atol=64 * eps(dtype))


def windows_of_four(rows: np.ndarray, dtype: str, kind: str) -> tuple[np.ndarray, WindowPlan, Any]:
    """Rows of four as adjacent windows of 2 x 2; in double precision as rows."""
    x, plan = rows.astype(dtype), window_plan(rows.shape, (4,))
    if dtype == "float32":
        x = x.reshape(-1, 2, 2).transpose(1, 0, 2).reshape(1, 2, -1)
        plan = window_plan(x.shape, 2)
    return x, plan, np.full((1,) * x.ndim, 0.25, dtype) if kind == "ada" else None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("idw")])
def test_means_of_the_largest_numbers(kind: str, dtype: str) -> None:
    top = float(np.finfo(dtype).max)
    rows = np.array([[top] * 4, [-top] * 4, [top, top, top, top / 2], [0.0, top, top, 1.0]])
    x, plan, beta = windows_of_four(rows, dtype, kind)
    got, wanted = (k.pool(x, plan, kind, beta) for k in (cuda, reference))
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, wanted, rtol=16 * eps(dtype), atol=0)


@pytest.mark.parametrize("name", ["2 x 2", "3 x 3, stride 2"])
def test_softmax_does_not_see_a_constant(name: str) -> None:
    shape, plan = geometry(host, name)
    x = np.round(64 * data(shape, "float32"))  # exact with the constant, too
    g = data((shape[0], *plan.outputs), "float32", 1)
    got, wanted = (cuda.pool_vjp(v, g, plan, "softmax")[0] for v in (x / 64 + 4096, x / 64))
    np.testing.assert_array_equal(got, wanted)


# --- fallbacks -----------------------------------------------------------------------------------


def test_what_the_reference_does() -> None:
    asked = []

    class Recorder:
        def __getattr__(self, name: str) -> Any:
            return lambda *arguments: asked.append((name, arguments[0].dtype.name))

    class Fallback:
        pooling = lift_pool = Recorder()

    host.use(fallback=Fallback())
    shape, plan = geometry(host, "2 x 2")
    x, g = data((6, *shape[1:]), "float64"), data((6, *plan.outputs), "float64", 1)
    cuda.pool(x, plan, "dice", channels=2)
    cuda.pool_vjp(x, g, plan, "dice", channels=2)
    cuda.unpool(x, g, plan, "dice", channels=2)
    cuda.unpool_vjp(x, g, x, plan, "dice", channels=2)
    cuda.unpool(x, g, plan, "dice", up="linear")
    cuda.unpool_vjp(x, g, x, plan, "dice", up="linear")
    both = [("unpool", "float64"), ("unpool_vjp", "float64")]
    assert asked == [("pool", "float64"), ("pool_vjp", "float64"), *both, *both]
    asked.clear()
    cuda.max_pool(x.astype("i4"), plan)
    four = window_plan((1, 2, 2, 2, 2), 2, ndim=4)
    cuda.pool(np.ones((1, 2, 2, 2, 2), "f4"), four, "softmax")
    large = window_plan((2, 1100), (1100,))
    cuda.pool(np.ones((2, 1100)), large, "softmax")
    wide = window_plan((1, 200, 200), 100, 1)
    cuda.pool_vjp(
        np.ones((1, 200, 200)), np.ones((1, *wide.outputs)), wide, "ada", np.ones((1, 1, 1))
    )
    names = ["max_pool", "pool", "pool", "pool_vjp"]
    assert asked == list(zip(names, ["int32", "float32", "float64", "float64"], strict=True))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_what_the_reference_does_of_halves(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    shape, plan = geometry(host, "2 x 2")
    x = torch.from_numpy(data((6, *shape[1:]), "float64")).to(getattr(torch, dtype))
    g = torch.ones((6, *plan.outputs), dtype=x.dtype)
    found = cuda.pool_vjp(x, g, plan, "dice", None, 1.0, 2)
    wanted = reference.pool_vjp(x.float(), g.float(), plan, "dice", None, 1.0, 2)
    assert found[0].dtype == x.dtype
    assert found[1] is None
    assert torch.equal(found[0], wanted[0].to(x.dtype))
    values, places = cuda.max_pool(x.reshape(6, 1, 1, *shape[1:]), _in_four_axes(plan))
    assert (values.dtype, places.dtype) == (x.dtype, torch.int64)


def _in_four_axes(plan: WindowPlan) -> WindowPlan:
    single = window_plan((1, 1), 1)
    return WindowPlan(*(a + b for a, b in zip(single, plan, strict=True)))


# --- compiled for devices ------------------------------------------------------------------------


def compiled_kernels(families: Sequence[int]) -> dict[str, list[Kernel]]:
    """The most common kernels by source, for kinds of weights."""
    forward = [
        *[("float32", f, 1, 2, 2, True, 2) for f in families],
        *[("float16", f, 1, 2, 2, True, 4) for f in families],
        *[(d, f, 1, 3, 3, False, 1) for d in ("float32", "float16") for f in families],
    ]
    backward = [
        (d, f, 0, 1, 2, 2, True, v) for d, v in (("float32", 2), ("float16", 4)) for f in families
    ]
    unpooling = [("float16", f, 2, 1, 2, 2, True, 4) for f in families]
    gather = [(d, f, 0, 1, 3, 3) for d in ("float32", "float16") for f in families]
    largest = [("float32", 1, 2, 2, True, 2), ("float16", 1, 3, 3, False, 1)]
    made = {
        "pooling/pool.cuh": [("pool_windows", *each) for each in forward],
        "pooling/spread.cuh": [("spread_windows", *each) for each in backward + unpooling],
        "pooling/gather.cuh": [("gather_samples", *each) for each in gather],
        "pooling/largest.cuh": [
            *(("largest_windows", *each) for each in largest),
            ("placed_samples", "float32"),
        ],
    }
    return {source: [kernel(source, *each) for each in all_of] for source, all_of in made.items()}


def check_compiled(architecture: str, families: Sequence[int]) -> None:
    for kernels in compiled_kernels(families).values():
        for one, usage in cuda_compile.usages(kernels, architecture).items():
            assert (usage.spilled, usage.stack) == (0, 0), one
            assert usage.registers <= 128, one


needs_compiler = pytest.mark.skipif(
    cuda_compile.compiler() is None, reason="neither NVRTC nor nvcc"
)


@needs_compiler
@pytest.mark.parametrize("architecture", cuda_compile.EACH_ARCHITECTURE)
def test_compiled_kernels_stay_in_registers(architecture: str) -> None:
    check_compiled(architecture, [0])


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("architecture", cuda_compile.EACH_ARCHITECTURE)
def test_all_compiled_kernels_stay_in_registers(architecture: str) -> None:
    check_compiled(architecture, range(4))
