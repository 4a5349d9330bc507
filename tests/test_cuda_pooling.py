"""The CUDA kernels of pooling, run on the host, equal the reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import cuda_compile
import numpy as np
import pytest
from cuda_host import ORDERS, HostKernels, HostRuntime, compiler
from cuda_siblings import SiblingsRuntime
from helpers import assert_close, eps
from pooling_calls import Windowed

from liftwave._kernels.cuda.common.runtime import Kernel, kernel
from liftwave._kernels.cuda.pooling import launch, windows
from liftwave._kernels.cuda.pooling.structures import divider
from liftwave._kernels.half_precision import in_float32
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._kernels.reference.pooling import regions as reference_regions
from liftwave._plan.windows import WindowPlan, window_plan

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

reference = Windowed(ReferenceKernels())
host = HostKernels()
cuda = Windowed(host)

KINDS = tuple(windows.KINDS)
JOBS = range(3)

# Shapes with the planes first, and window arguments.
GEOMETRIES: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "2 x 2": ((3, 6, 36), {"kernel_size": 2}),
    "2 x 2, rows left": ((2, 7, 24), {"kernel_size": 2}),
    "2 x 2, odd": ((3, 6, 22), {"kernel_size": 2}),
    "2 x 2, a rest": ((3, 7, 37), {"kernel_size": 2}),
    "2 x 2, a rest kept": ((3, 7, 37), {"kernel_size": 2, "ceil_mode": True}),
    "2 x 2, padded": ((3, 7, 37), {"kernel_size": 2, "padding": 1}),
    "3 x 3": ((2, 12, 50), {"kernel_size": 3}),
    "3 x 3, a rest kept": ((2, 13, 50), {"kernel_size": 3, "ceil_mode": True, "padding": 1}),
    "3 x 3, stride 2": ((4, 17, 45), {"kernel_size": 3, "stride": 2, "padding": 1}),
    "3 x 3, stride 1": ((2, 9, 40), {"kernel_size": 3, "stride": 1, "padding": 1}),
    "5 x 4, stride 2 x 3": ((2, 15, 50), {"kernel_size": (5, 4), "stride": (2, 3), "padding": 2}),
    "4 x 4": ((2, 10, 41), {"kernel_size": 4}),
    "gaps": ((2, 14, 60), {"kernel_size": 2, "stride": (4, 5)}),
    "dilated": ((3, 13, 40), {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": (3, 2)}),
    "dilated, apart": ((2, 12, 66), {"kernel_size": 2, "stride": 6, "dilation": 3}),
    "dilated, general": ((2, 15, 33), {"kernel_size": (4, 3), "stride": 2, "dilation": (2, 4)}),
    "whole planes": ((19, 5, 3), {"kernel_size": (5, 3)}),
    "single samples": ((3, 4, 5), {"kernel_size": 1}),
    "1-d": ((5, 101), {"kernel_size": (4,), "stride": 3, "padding": 2}),
    "1-d, pairs": ((2, 300), {"kernel_size": (2,)}),
    "1-d, threes": ((2, 100), {"kernel_size": (3,), "stride": 2, "padding": 1}),
    "1-d, stride 1": ((2, 70), {"kernel_size": (5,), "stride": 1, "dilation": 2}),
    "1-d, several tiles": ((1, 2100), {"kernel_size": (6,), "stride": 5, "ceil_mode": True}),
    "several tiles": ((1, 40, 90), {"kernel_size": 4, "stride": 3, "padding": 2}),
    "3-d": ((3, 6, 4, 12), {"kernel_size": 2, "ndim": 3}),
    "3-d, overlapping": ((2, 5, 6, 7), {"kernel_size": 3, "stride": 2, "padding": 1, "ndim": 3}),
}

HELD = ["2 x 2", "2 x 2, rows left", "2 x 2, a rest kept", "2 x 2, padded"]
OVERLAPPING = ["3 x 3, stride 2", "3 x 3, stride 1", "dilated"]
GENERAL = [
    "5 x 4, stride 2 x 3",
    "4 x 4",
    "dilated, general",
    "whole planes",
    "single samples",
    "1-d",
    "1-d, stride 1",
    "1-d, several tiles",
    "several tiles",
    "3-d, overlapping",
]
QUICK = [(name, "float32") for name in HELD + OVERLAPPING] + [(n, "float64") for n in GENERAL]
ALL = list(product(GEOMETRIES, ("float32", "float64")))
SLOW = [pytest.param(*each, marks=pytest.mark.slow) for each in ALL if each not in QUICK]


def siblings(one: Kernel) -> list[Kernel]:
    """The kernels of all weights, and of all tasks if results are per sample."""
    name, _, arguments = one.expression.removesuffix(">").partition("<")
    dtype, *rest = arguments.split(", ")
    jobs = {"pool_windows": [()], "spread_windows": JOBS, "gather_samples": JOBS}
    found = jobs.get(name.removeprefix("liftwave::"))
    if found is None:
        return [one]
    behind = rest[1:] if found == [()] else rest[2:]
    made = []
    for family, job in product(range(4), found):
        middle = [str(family)] if job == () else [str(family), str(job)]
        made.append(one._replace(expression=f"{name}<{', '.join([dtype, *middle, *behind])}>"))
    return made


@pytest.fixture(autouse=True)
def runtime() -> SiblingsRuntime:
    return host.use(SiblingsRuntime(siblings, 2), in_float32(ReferenceKernels()))


def geometry(name: str) -> tuple[tuple[int, ...], WindowPlan]:
    shape, arguments = GEOMETRIES[name]
    return shape, window_plan(shape, **arguments)


def data(shape: Sequence[int], dtype: str, seed: int = 0) -> np.ndarray:
    """Numbers of both signs whose means are not near zero, so that nothing cancels."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([1.0, 1.0, 1.0, -0.1], shape)
    return (rng.uniform(0.5, 2.0, shape) * signs).astype(dtype)


def betas(plan: WindowPlan, planes: int, dtype: str) -> list[np.ndarray]:
    """One for all windows, per window, per plane, per plane and window, and a mixture."""
    rng = np.random.default_rng(7)
    ones = (1,) * plan.ndim
    shapes = [(1, *ones), (1, *plan.outputs), (planes, *ones), (planes, *plan.outputs)]
    if planes % 2 == 0:
        shapes.append((planes // 2, *plan.outputs[:-1], 1))
    return [rng.uniform(0.0, 1.0, shape).astype(dtype) for shape in shapes]


def results(kernels: Any, x: Any, plan: WindowPlan, kind: Any, beta: Any) -> list[Any]:
    """The results of all functions."""
    g = data((x.shape[0], *plan.outputs), "float64", 1)
    back = data(x.shape, "float64", 2)
    if isinstance(x, np.ndarray):
        g, back = g.astype(x.dtype), back.astype(x.dtype)
    else:
        import torch

        g, back = (torch.from_numpy(v).to(x.dtype) for v in (g, back))
    found = [kernels.pool(x, plan, kind, beta, 0.4), *kernels.pool_vjp(x, g, plan, kind, beta, 0.4)]
    for preserve in ("sum", "mean"):
        how: tuple[Any, ...] = (beta, 0.4, 1, "nearest", preserve)
        found.append(kernels.unpool(x, g, plan, kind, *how))
        found.extend(kernels.unpool_vjp(x, g, back, plan, kind, *how))
    return found


def compare(x: Any, plan: WindowPlan, kind: str, beta: Any = None) -> None:
    actual = results(cuda, x, plan, kind, beta)
    expected = results(reference, x, plan, kind, beta)
    ulps = 32.0 * condition(x, plan, kind)
    for got, wanted in zip(actual, expected, strict=True):
        if wanted is None:
            assert got is None
        else:
            # Sums over windows accumulate the errors of all windows.
            count = x.shape[0] * np.prod(plan.outputs)
            terms = count / wanted.size if beta is not None and wanted.size < count else 1.0
            scale = max(1.0, float(np.abs(wanted).max())) * terms**0.5
            assert_close(got, wanted, ulps=ulps, scale=scale)


def condition(x: Any, plan: WindowPlan, kind: str) -> float:
    """The factor by which distances from the mean amplify an error of the mean."""
    if not kind.startswith("idw"):
        return 1.0
    region = reference_regions.regions(x.astype("float64"), plan)
    apart = np.abs(region.samples - region.total(region.samples * region.share))
    apart = apart[np.broadcast_to(True if region.present is None else region.present, apart.shape)]
    # The gradients' denominators are squared distances; single samples equal their mean.
    nearest = apart[apart > 1e-12].min(initial=1.0)
    return float(np.abs(x).max() / nearest) ** 2


@pytest.mark.parametrize(("name", "dtype"), [*QUICK, *SLOW])
def test_everything_equals_the_reference(name: str, dtype: str) -> None:
    shape, plan = geometry(name)
    x = data(shape, dtype)
    for kind in KINDS:
        for beta in betas(plan, shape[0], dtype) if kind == "ada" else [None]:
            compare(x, plan, kind, beta)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("idw")])
@pytest.mark.parametrize(("name", "dtype"), [("2 x 2", "float32"), ("4 x 4", "float64")])
def test_distances_that_are_exact(name: str, dtype: str, kind: str) -> None:
    """Means of 4 or 16 small integers are exact, and so are distances, including zero."""
    shape, plan = geometry(name)
    x = np.random.default_rng(0).integers(1, 7, shape).astype(dtype)
    found = (results(kernels, x, plan, kind, None) for kernels in (cuda, reference))
    for got, wanted in zip(*found, strict=True):
        if wanted is not None:
            assert_close(got, wanted, ulps=64.0, scale=max(1.0, float(np.abs(wanted).max())))


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
    name: str, expected: list[str], runtime: SiblingsRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[str] = []

    def note(one: Kernel, *_: Any) -> None:
        launched.append(one.expression)

    monkeypatch.setattr(runtime, "launch", note)
    shape, plan = geometry(name)
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
    shape, plan = geometry(name)
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
    shape, plan = geometry("2 x 2")
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
    shape, plan = geometry(name)
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


def test_one_cotangent_for_all() -> None:
    shape, plan = geometry("3 x 3, stride 2")
    x, g = data(shape, "float32"), np.full((shape[0], *plan.outputs), 2.0, "f4")
    one = np.broadcast_to(np.float32(2.0), g.shape)
    got, wanted = (cuda.pool_vjp(x, each, plan, "softmax")[0] for each in (one, g))
    np.testing.assert_array_equal(got, wanted)


def test_tensors_in_tensors_out() -> None:
    torch = pytest.importorskip("torch")
    shape, plan = geometry("2 x 2")
    x, g = data(shape, "float32"), data((shape[0], *plan.outputs), "float32", 1)
    beta = betas(plan, shape[0], "float32")[0]
    found = cuda.pool_vjp(*map(torch.from_numpy, (x, g)), plan, "ada", torch.from_numpy(beta))
    for got, wanted in zip(found, cuda.pool_vjp(x, g, plan, "ada", beta), strict=True):
        np.testing.assert_array_equal(got.numpy(), wanted)


def test_no_planes(runtime: SiblingsRuntime) -> None:
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
    shape, plan = geometry(name)
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
def test_any_order_of_threads(name: str, runtime: SiblingsRuntime) -> None:
    shape, plan = geometry(name)
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
        shape, plan = geometry(name)
        compare(data(shape, "float32"), plan, "exp-dice")
        compare(data(shape, "float32"), plan, "ada", betas(plan, shape[0], "float32")[1])
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
    shape, plan = geometry(name)
    x = np.round(64 * data(shape, "float32"))  # exact with the constant, too
    g = data((shape[0], *plan.outputs), "float32", 1)
    got, wanted = (cuda.pool_vjp(v, g, plan, "softmax")[0] for v in (x / 64 + 4096, x / 64))
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_finite_stays_in_its_windows(kind: str, value: float) -> None:
    shape, plan = geometry("3 x 3, stride 2")
    x = data(shape, "float32")
    x[1, 6, 7] = value
    x[2, 0, 0] = value
    beta = betas(plan, shape[0], "float32")[1] if kind == "ada" else None
    g = data((shape[0], *plan.outputs), "float32")
    with np.errstate(all="ignore"):
        got, wanted = (k.pool(x, plan, kind, beta) for k in (cuda, reference))
        touched = reference.pool(np.where(np.isfinite(x), 0.0, 1.0), plan, "idw-l1") > 0
        of_x = cuda.pool_vjp(x, g, plan, kind, beta)[0]
    spoilt = ~np.isfinite(got)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    assert spoilt[touched].any()
    assert not spoilt[~touched].any()
    # Samples that belong to an affected window.
    near = reference.unpool(np.ones(shape), touched.astype(float), plan, "softmax") > 0
    assert not np.isfinite(of_x[1, 6, 7])
    assert np.isfinite(of_x[~near]).all()


# --- comparison with torch -----------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [(4, 3, 2), (5, 2, 1), (4, 4, 0), (4, 5, 0)])
def test_softmax_of_unfolded_tensors(arguments: tuple[int, int, int]) -> None:
    torch = pytest.importorskip("torch")
    size, stride, padding = arguments
    plan = window_plan((6, 20, 33), size, stride, padding)
    x = torch.randn(6, 20, 33, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x.requires_grad_()
    padded = torch.nn.functional.pad(x, (padding,) * 4, value=-1e9)
    regions = padded.unfold(1, size, stride).unfold(2, size, stride).flatten(3)
    wanted = (regions.softmax(-1) * regions).sum(-1)
    g = torch.randn(wanted.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (of_x,) = torch.autograd.grad(wanted, x, g)
    plain = x.detach().numpy()
    assert_close(cuda.pool(plain, plan, "softmax"), wanted.detach().numpy(), ulps=16)
    found = cuda.pool_vjp(plain, g.numpy(), plan, "softmax")[0]
    assert_close(found, of_x.numpy(), ulps=64)


LARGEST = [
    *[(n, "float32") for n in ("2 x 2", "2 x 2, rows left", "3 x 3, stride 2", "dilated", "gaps")],
    *[(n, "float64") for n in GENERAL],
]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [*LARGEST, *(pytest.param(*e, marks=pytest.mark.slow) for e in ALL if e not in LARGEST)],
)
def test_largest_numbers_and_their_places(name: str, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    shape, plan = geometry(name)
    # Few distinct values, so that several samples equal the maximum.
    x = np.random.default_rng(0).integers(-3, 3, shape).astype(dtype)
    values, places = cuda.max_pool(x, plan)
    assert places.dtype == np.int64
    function = getattr(torch.nn.functional, f"max_pool{plan.ndim}d")
    arguments = plan.kernel, plan.stride, plan.padding, plan.dilation
    ceil = GEOMETRIES[name][1].get("ceil_mode", False)
    theirs = function(torch.from_numpy(x), *arguments, ceil, return_indices=True)
    for got, wanted in zip((values, places), theirs, strict=True):
        np.testing.assert_array_equal(got, wanted.numpy())
    g = np.random.default_rng(1).integers(-9, 9, values.shape).astype(dtype)  # sums are exact
    found, expected = (k.max_pool_vjp(g, places, plan) for k in (cuda, reference))
    np.testing.assert_array_equal(found, expected)
    narrow = cuda.max_pool_vjp(g, places.astype("i4"), plan)
    np.testing.assert_array_equal(narrow, expected)


@pytest.mark.parametrize("size", [(2,), (5,)])
def test_nan_is_the_largest(size: tuple[int, ...]) -> None:
    x = np.array([[1.0, np.nan, 2.0, np.nan, -np.inf, -np.inf, np.inf, np.nan, 0.0, 1.0]])
    plan = window_plan(x.shape, size)
    values, places = cuda.max_pool(x, plan)
    expected = [1, 3, 4, 7, 9] if size == (2,) else [1, 7]
    np.testing.assert_array_equal(places, [expected])
    np.testing.assert_array_equal(values, x[:, expected])


# --- fallbacks -----------------------------------------------------------------------------------


def test_what_the_reference_does() -> None:
    asked = []

    class Recorder:
        def __getattr__(self, name: str) -> Any:
            return lambda *arguments: asked.append((name, arguments[0].dtype.name))

    class Fallback:
        pooling = lift_pool = Recorder()

    host.use(fallback=Fallback())
    shape, plan = geometry("2 x 2")
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
    shape, plan = geometry("2 x 2")
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
