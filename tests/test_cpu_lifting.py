"""Tiles, two axes at once, threads and arguments of the CPU's lifting kernels.

``test_lifting_kernels.py`` compares them with the reference kernels along one axis.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers import paired
from lifting_cases import (
    INTEGERS,
    NAMES,
    SCHEMES,
    Lift,
    analyses,
    assert_same,
    compare_axis,
    data,
    forward,
    scheme_of,
    syntheses,
)

import liftwave as lw
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.boundary import LIFTING_MODES, Extension
from liftwave.lifting import LiftingScheme, LiftingStep

_cpu = pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
from liftwave._kernels.cpu import lifting as cpu_lifting  # noqa: E402
from liftwave._kernels.cpu.family import CpuKernels  # noqa: E402

reference = ReferenceKernels()
cpu = CpuKernels(reference)

pytestmark = pytest.mark.filterwarnings("ignore:Level value of")


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = lw.get_num_threads()
    yield lw.set_num_threads
    lw.set_num_threads(before)


# --- one axis ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("name", SCHEMES)
def test_several_tiles(name: str, mode: str) -> None:
    """Long enough for tiles with neighbours, and tiles at both ends."""
    scheme = scheme_of(name)
    for n in (5000, 8191):
        compare_axis(cpu, scheme, mode, (n,), 0, "float32")
    compare_axis(cpu, scheme, mode, (2, 5001), 1, "complex64")
    compare_axis(cpu, scheme, mode, (3001, 3), 0, "float64")
    compare_axis(cpu, scheme, mode, (1001, 300), 0, "float32")
    if name in NAMES:
        compare_axis(cpu, scheme.to_integer(), mode, (20001,), 0, "int32")


def test_samples_that_are_not_aligned() -> None:
    memory = np.zeros(8 * 100 + 1, np.uint8)
    x = memory[1:].view(np.float64)
    x[:] = data((100,), "float64")
    assert not x.flags.aligned
    lift = forward(scheme_of("cdf9.7"), 100, "symmetric")
    for a, e in zip(
        cpu.lift_analysis(x, *lift, 0), reference.lift_analysis(x.copy(), *lift, 0), strict=True
    ):
        assert_same(a, e)


# --- two axes in one pass ------------------------------------------------------------------------


def compare_fused(
    schemes: tuple[LiftingScheme, LiftingScheme],
    modes: tuple[Any, Any],
    x: Any,
    work: str | None = None,
) -> None:
    """Compare both axes at once with one after the other; ``work``: dtype of the bands."""
    axes, lengths = (x.ndim - 2, x.ndim - 1), x.shape[-2:]
    dtype = np.dtype(work or x.dtype)

    def pairs(kind: Callable[..., Iterator[Lift]]) -> Iterator[tuple[Lift, ...]]:
        return zip(*map(kind, schemes, lengths, modes), strict=True)

    def group(lifts: tuple[Lift, ...]) -> Any:
        steps = [lift.step(a) for lift, a in zip(lifts, axes, strict=True)]
        return [[cpu_lifting.native_group(steps)]]

    for rows, cols in pairs(analyses):
        halves = reference.lift_analysis(x.astype(dtype), *rows, axes[0])
        expected = [b for half in halves for b in reference.lift_analysis(half, *cols, axes[1])]
        actual = _cpu.LiftAnalysis(group((rows, cols)), None, None).run_in(x, dtype)
        for a, e in zip(actual, expected, strict=True):
            assert_same(a, e)
    for rows, cols in pairs(syntheses):
        shapes = [(*x.shape[:-2], i, j) for i in rows.lengths() for j in cols.lengths()]
        bands = [data(shape, dtype.name, k) for k, shape in enumerate(shapes)]
        halves = [reference.lift_synthesis(*bands[i : i + 2], *cols, axes[1]) for i in (0, 2)]
        expected = reference.lift_synthesis(*halves, *rows, axes[0])
        merged = _cpu.LiftSynthesis(group((rows, cols)), None, None).run(bands)
        assert_same(merged, expected)


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("name", SCHEMES)
def test_two_axes(name: str, mode: str) -> None:
    schemes = scheme_of(name), scheme_of(name)
    for shape in ((1, 1), (1, 9), (8, 1), (2, 3), (7, 6), (33, 40), (2, 3, 31, 17)):
        for dtype in ("float32", "complex128"):
            compare_fused(schemes, (mode, mode), data(shape, dtype))


@pytest.mark.parametrize(("name", "mode"), paired(SCHEMES, LIFTING_MODES))
def test_two_axes_in_a_few_tiles(name: str, mode: str) -> None:
    schemes = scheme_of(name), scheme_of(name)
    compare_fused(schemes, (mode, mode), data((301, 1102), "float32"))
    compare_fused(schemes, (mode, mode), data((1101, 302), "float32").T)


@pytest.mark.parametrize(
    ("name", "mode"), paired(["haar", "cdf9.7", "db10", "custom 1"], LIFTING_MODES)
)
def test_two_axes_in_several_tiles(name: str, mode: str) -> None:
    """Tiles with neighbours on all sides, and rows that exceed one tile."""
    schemes = scheme_of(name), scheme_of(name)
    # More than 8 MiB, which are written past the caches.
    compare_fused(schemes, (mode, mode), data((603, 3603), "float32"))


def test_two_axes_that_differ() -> None:
    for modes in (("zero", "periodization"), ("periodization", "reflect"), ("constant", "zero")):
        schemes = scheme_of("db4"), scheme_of("cdf9.7")
        compare_fused(schemes, modes, data((35, 1301), "float32"))


@pytest.mark.parametrize(
    ("given", "work"),
    [
        *((f"{u}int8", w) for u in ("", "u") for w in INTEGERS),
        *(("int16", w) for w in INTEGERS),
        *(("uint16", w) for w in ("int32", "int64")),
        *(("int32", w) for w in ("int32", "int64")),
        ("uint32", "int64"),
        ("int64", "int64"),
    ],
)
def test_samples_are_widened_on_the_way(given: str, work: str) -> None:
    """Narrow samples are not copied; 32-bit sums are used only if they cannot overflow."""
    for name in ("cdf5.3", "cdf9.7", "haar", "bior2.8"):
        scheme = scheme_of(name).to_integer()
        for mode in LIFTING_MODES:
            for shape in ((1, 1), (33, 40), (130, 1203)):
                compare_fused((scheme, scheme), (mode, mode), data(shape, given), work)


# --- 16-bit lanes --------------------------------------------------------------------------------

# The largest samples and coefficients for which sums and results along two axes fit 16 bits.
LIMITS = {"cdf5.3": (4095, 4368), "haar": (8191, 4368), "bior1.3": (727, 1247)}


def signs(shape: tuple[int, ...], magnitude: int, dtype: str, seed: int = 0) -> Any:
    """Samples of one magnitude and random signs, which reach the largest sums somewhere."""
    rng = np.random.default_rng([seed, magnitude, *shape])
    return rng.choice(np.array([-magnitude, magnitude], dtype), shape)


def lifted(scheme: LiftingScheme, mode: Any, shape: tuple[int, ...], kind: Any) -> Any:
    """The plans of the last two axes, and the native group of both."""
    rows, cols = (next(kind(scheme, n, mode)) for n in shape[-2:])
    ndim = len(shape)
    return rows, cols, [[cpu_lifting.native_group([rows.step(ndim - 2), cols.step(ndim - 1)])]]


def check_analysis(scheme: LiftingScheme, mode: Any, x: Any, dtype: Any) -> None:
    rows, cols, group = lifted(scheme, mode, x.shape, analyses)
    halves = reference.lift_analysis(x.astype(dtype), *rows, x.ndim - 2)
    expected = [b for half in halves for b in reference.lift_analysis(half, *cols, x.ndim - 1)]
    actual = _cpu.LiftAnalysis(group, None, None).run_in(x, np.dtype(dtype))
    for a, e in zip(actual, expected, strict=True):
        assert_same(a, e)


def check_synthesis(
    scheme: LiftingScheme, mode: Any, shape: tuple[int, ...], bands: list[Any]
) -> None:
    rows, cols, group = lifted(scheme, mode, shape, syntheses)
    halves = [reference.lift_synthesis(*bands[i : i + 2], *cols, len(shape) - 1) for i in (0, 2)]
    expected = reference.lift_synthesis(*halves, *rows, len(shape) - 2)
    actual = _cpu.LiftSynthesis(group, None, None).run(bands)
    assert_same(actual, expected)


def places(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The first sample, one in the middle, and the last one."""
    return [tuple(k * (n - 1) // 2 for n in shape) for k in range(3)]


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize(
    ("given", "work"), [("int16", "int32"), ("int16", "int16"), ("int32", "int32")]
)
def test_samples_at_the_limit_of_16_bit_lanes(name: str, given: str, work: str) -> None:
    """One larger sample makes its tile use 32 bits; the others have the largest sums."""
    scheme, (largest, _) = scheme_of(name).to_integer(), LIMITS[name]
    shape = (157, 2303)  # several tiles along both axes
    for mode, magnitude in (("reflect", largest - 1), ("periodization", largest + 1)):
        check_analysis(scheme, mode, signs(shape, magnitude, given), work)
    x = signs(shape, largest, given)
    check_analysis(scheme, "reflect", x, work)
    for place in places(shape):
        for sample in (largest + 1, -largest - 1, np.iinfo(given).max, np.iinfo(given).min):
            changed = x.copy()
            changed[place] = sample
            check_analysis(scheme, "reflect", changed, work)


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("dtype", ["int16", "int32"])
def test_coefficients_at_the_limit_of_16_bit_lanes(name: str, dtype: str) -> None:
    scheme, (_, largest) = scheme_of(name).to_integer(), LIMITS[name]
    shape = (157, 2303)
    sizes = [(i, j) for i in (79, 78) for j in (1152, 1151)]
    for magnitude in (largest - 1, largest, largest + 1):
        bands = [signs(size, magnitude, dtype, k) for k, size in enumerate(sizes)]
        check_synthesis(scheme, "reflect", shape, bands)
    bands = [signs(size, largest, dtype, k) for k, size in enumerate(sizes)]
    for k, size in enumerate(sizes):
        for place in places(size):
            changed = [band.copy() for band in bands]
            changed[k][place] = np.iinfo(dtype).min
            check_synthesis(scheme, "reflect", shape, changed)


@pytest.mark.parametrize("given", ["int8", "uint8", "int16", "uint16"])
@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (33, 70), (3, 130, 41), (40, 1203)])
def test_layouts_in_16_bit_lanes(given: str, shape: tuple[int, ...]) -> None:
    """Short, odd, strided and reversed arrays; rows of pairs that end anywhere in a vector."""
    scheme = scheme_of("cdf5.3").to_integer()
    doubled = (*shape[:-1], 2 * shape[-1])
    x = data(doubled, given) // (8 if given.endswith("16") else 1)
    for view in (x[..., : shape[-1]], x[..., ::-2], x[..., ::-1, 1::2], x.swapaxes(-1, -2)):
        for mode in LIFTING_MODES:
            check_analysis(scheme, mode, view, "int32")
            rows, cols = (next(syntheses(scheme, n, mode)) for n in view.shape[-2:])
            bands = [
                np.resize(view, (*view.shape[:-2], i, 2 * j))[..., ::2].astype("int32")
                for i in rows.lengths()
                for j in cols.lengths()
            ]
            check_synthesis(scheme, mode, view.shape, bands)


@pytest.mark.parametrize("axis", [0, 1])
def test_one_axis_in_16_bit_lanes(axis: int, threads: Callable[[int], None]) -> None:
    """With large samples in a few tiles, past the caches, in one and in two threads."""
    scheme = scheme_of("bior2.4").to_integer()
    x = signs((1501, 2100), 371, "int16")
    x[700, 1100] = x[1500, 0] = 372
    for count in (1, 2):
        threads(count)
        bands, expected = both(lambda: lw.dwt(x, scheme, "symmetric", axis=axis))
        for a, e in zip(bands, expected, strict=True):
            assert_same(a, e)
        assert_same(lw.idwt(*bands, scheme, "symmetric", axis=axis), x.astype("int32"))


# --- through the public functions ----------------------------------------------------------------


def both(call: Callable[[], Any]) -> tuple[Any, Any]:
    results = []
    for name in ("cpu", "reference"):
        with lw.kernels(name):
            results.append(call())
    return results[0], results[1]


def leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        tree = [tree[key] for key in sorted(tree)]
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree]


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("integer", [False, True])
def test_public_transforms(mode: Any, integer: bool) -> None:
    scheme = scheme_of("cdf9.7")
    scheme = scheme.to_integer() if integer else scheme
    x = data((21, 26, 35), "int16" if integer else "float32")
    calls: list[Callable[[], Any]] = [
        lambda: lw.dwt(x, scheme, mode, axis=1),
        lambda: lw.dwt2(x, scheme, mode),
        lambda: lw.dwt2(x, scheme, mode, axes=(2, 0)),
        lambda: lw.dwtn(x, scheme, mode),
        lambda: lw.wavedec(x, scheme, mode, level=2, axis=0),
        lambda: lw.wavedec2(x, scheme, mode, level=3),
    ]
    for call in calls:
        for a, e in zip(*map(leaves, both(call)), strict=True):
            assert_same(a, e)
    coeffs = lw.wavedec2(x, scheme, mode, level=3)
    assert_same(*both(lambda: lw.waverec2(coeffs, scheme, mode)))
    bands = lw.dwtn(x, scheme, mode)
    assert_same(*both(lambda: lw.idwtn(bands, scheme, mode)))
    assert_same(*both(lambda: lw.idwtn(dict(list(bands.items())[3:6]), scheme, mode)))
    assert_same(*both(lambda: lw.idwt2((None, coeffs[-1]), scheme, mode)))


SAMPLES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64")


@pytest.mark.filterwarnings("ignore:integers up to")
@pytest.mark.parametrize("dtype", SAMPLES)
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_integer_samples_of_every_dtype(library: str, dtype: str) -> None:
    """With the full range, overflow occurs: results are bitwise equal, and inverses are exact."""
    x = data((23, 4, 30), dtype)
    if library == "torch":
        x = pytest.importorskip("torch").from_numpy(x)
    for name in ("cdf5.3", "cdf9.7"):
        scheme = scheme_of(name).to_integer()
        for call in (
            lambda: lw.dwt2(x, scheme, "reflect", axes=(0, 2)),  # noqa: B023
            lambda: lw.dwt(x, scheme, "periodization", axis=1),  # noqa: B023
            lambda: lw.wavedecn(x, scheme, "symmetric", level=2),  # noqa: B023
        ):
            actual, expected = map(leaves, both(call))
            for a, e in zip(actual, expected, strict=True):
                assert type(a) is type(x)
                assert a.dtype == e.dtype
                np.testing.assert_array_equal(a, e, strict=True)
        bands = lw.dwt2(x, scheme, "reflect", axes=(0, 2))
        back, expected_back = both(lambda: lw.idwt2(bands, scheme, "reflect", axes=(0, 2)))  # noqa: B023
        assert back.dtype == expected_back.dtype == bands[0].dtype
        np.testing.assert_array_equal(back, expected_back, strict=True)
        np.testing.assert_array_equal(np.asarray(back), np.asarray(x))


@pytest.mark.thread_unsafe(reason="counts the memory of the process")
@pytest.mark.parametrize("dtype", SAMPLES)
def test_integer_samples_are_not_copied(dtype: str) -> None:
    x = data((600, 700), dtype) // 2**20 if dtype == "int64" else data((600, 700), dtype)
    scheme = scheme_of("cdf5.3").to_integer()
    with lw.kernels("cpu"):
        result = leaves(lw.dwt2(x, scheme, "reflect"))
        tracemalloc.start()
        lw.dwt2(x, scheme, "reflect")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < sum(band.nbytes for band in result) + 50_000


def test_tensors_share_their_memory() -> None:
    torch = pytest.importorskip("torch")
    scheme = scheme_of("db4")
    x = torch.from_numpy(data((30, 40), "float32"))
    actual, expected = both(lambda: lw.dwt2(x, scheme, "symmetric"))
    for a, e in zip(leaves(actual), leaves(expected), strict=True):
        assert isinstance(a, torch.Tensor)
        assert torch.equal(a, e)


def test_taps_that_are_arrays_stay_with_the_reference() -> None:
    torch = pytest.importorskip("torch")
    taps = torch.tensor([-0.5, -0.5], dtype=torch.float64, requires_grad=True)
    scheme = LiftingScheme((LiftingStep("predict", taps, 0),))
    x = torch.from_numpy(data((3, 12), "float64"))
    with lw.kernels("cpu"):
        _, detail = lw.dwt(x, scheme, "reflect")
    (gradient,) = torch.autograd.grad(detail.sum(), taps)
    even = x[:, ::2]
    expected = [even.sum(), even[:, 1:].sum() + even[:, -1].sum()]
    torch.testing.assert_close(gradient, torch.stack(expected))


def test_rows_that_do_not_copy_have_no_native_plan() -> None:
    lift = forward(scheme_of("cdf5.3"), 16, "reflect")
    first = lift.plan.steps[0]
    mean = Extension(first.extend.n, (), (((6, 0.5), (7, 0.5)),))
    plan = replace(lift.plan, steps=(first._replace(extend=mean), *lift.plan.steps[1:]))
    assert cpu_lifting._native_analysis(plan, lift.taps, lift.scale, 1) is None


# --- threads, instruction sets -------------------------------------------------------------------


def test_any_number_of_threads(threads: Callable[[int], None]) -> None:
    x = data((700, 900), "float32")
    results = []
    for count in (1, 2, 3, 8):
        threads(count)
        with lw.kernels("cpu"):
            bands = lw.dwt2(x, scheme_of("cdf9.7"), "periodization")
            results.append([*leaves(bands), lw.idwt2(bands, scheme_of("cdf9.7"), "periodization")])
    for other in results[1:]:
        for a, e in zip(other, results[0], strict=True):
            assert_same(a, e)


def test_calls_from_many_threads_at_once() -> None:
    scheme = scheme_of("db4")

    def transformed(seed: int) -> list[Any]:
        with lw.kernels("cpu"):
            return leaves(lw.dwt2(data((200, 300), "float32", seed), scheme, "periodization"))

    expected = [transformed(seed) for seed in range(16)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for actual, wanted in zip(pool.map(transformed, range(16)), expected, strict=True):
                for a, e in zip(actual, wanted, strict=True):
                    assert_same(a, e)


DIGESTS = """
import hashlib, json, numpy as np, liftwave as lw
from liftwave.lifting import LiftingScheme
digests = []
for name in ("haar", "cdf5.3", "cdf9.7", "db10", "bior3.7"):
    scheme = LiftingScheme.from_name(name)
    for dtype in ("float32", "float64", "complex64", "int16", "int64"):
        rng = np.random.default_rng(1)
        x = (100 * rng.standard_normal((130, 1501))).astype(dtype)
        wavelet = scheme.to_integer() if "int" in dtype else scheme
        cA, details = lw.dwt2(x, wavelet, "symmetric")
        back = lw.idwt2((cA, details), wavelet, "symmetric")
        digests += [hashlib.sha256(b.tobytes()).hexdigest() for b in (cA, *details, back)]
print(json.dumps(digests))
"""


def test_every_instruction_set_gives_the_same() -> None:
    results = {}
    for isa in _cpu.available_isas():
        environment = os.environ | {"LIFTWAVE_ISA": isa, "LIFTWAVE_KERNELS": "cpu"}
        run = subprocess.run(
            [sys.executable, "-c", DIGESTS],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        results[isa] = json.loads(run.stdout)
    assert all(digests == results["baseline"] for digests in results.values())


# --- arguments that the module rejects -----------------------------------------------------------


def module_plan(
    n: int = 8, offset: int = 0, right: tuple[int, ...] = (3,), taps: tuple[float, ...] = (1.0, 1.0)
) -> Any:
    step = (1, False, offset, list(taps), (), 0, ([], list(right)), ([], []))
    return _cpu.LiftPlan(n, 0, [step], (0, 0), (1.0, 1.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"right": ()}, "do not cover"),
        ({"offset": -1}, "do not cover"),
        ({"offset": 2**60}, "too large"),
        ({"right": (4,)}, "does not exist"),
        ({"right": (-2,)}, "does not exist"),
        ({"taps": ()}, "no taps"),
        ({"n": 0}, "no sample"),
    ],
)
def test_plans_that_would_read_elsewhere(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        module_plan(**arguments)


def lift_analysis(memory: Any = None, axis: int = 0) -> Any:
    return _cpu.LiftAnalysis([[[(axis, module_plan())]]], memory, None)


def lift_synthesis(shape: Any = None) -> Any:
    return _cpu.LiftSynthesis([[[(0, module_plan())]]], shape, None)


def bands(*sizes: int) -> Any:
    """Memory for bands with the given sizes."""
    return _cpu.BandMemory([((size,), None, []) for size in sizes])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lift_analysis().run(np.zeros(9)), "another length"),
        (lambda: lift_analysis(axis=1).run(np.zeros(8)), "axis does not exist"),
        (lambda: lift_analysis(bands(4, 4, 4)), "do not match their memory"),
        (lambda: lift_analysis(bands(4, 3)).run(np.zeros(8)), "does not fit its memory"),
        (lambda: lift_analysis(bands(4, 8)).run(np.zeros((8, 2))), "does not fit its memory"),
        (lambda: lift_analysis().run_in(np.zeros(8, "f4"), np.dtype("f8")), "wrong dtype"),
        (lambda: lift_synthesis().run([np.zeros(4), np.zeros(3)]), "shape does not belong"),
        (lambda: lift_synthesis().run([np.zeros(4)]), "not the bands"),
        (lambda: lift_synthesis((9,)).run([np.zeros(4), np.zeros(4)]), "does not fit its memory"),
        (lambda: lift_synthesis().run([np.zeros(4), np.zeros(4, "f4")]), "dtypes differ"),
        (lambda: _cpu.LiftAnalysis([], None, None), "no levels"),
        (lambda: _cpu.LiftAnalysis([[]], None, None), "no axis"),
        (lambda: _cpu.LiftAnalysis([[[]]], None, None), "one or two axes"),
    ],
)
def test_arrays_that_do_not_belong(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        call()


def test_results_with_gaps_are_refused() -> None:
    bands = [np.zeros(4), np.zeros(4)]
    with pytest.raises(RuntimeError, match="not contiguous"):
        lift_synthesis().write(bands, np.zeros(16)[::2])
    out = np.zeros(8)
    assert lift_synthesis().write(bands, out) is out
    assert lift_synthesis().write(bands, np.zeros(8, "f4")) is None


def test_arrays_that_are_not_plain() -> None:
    bytes_ = np.zeros(65, np.uint8)
    unaligned = bytes_[1:].view(np.float64)
    for x in ([0.0] * 8, np.zeros(8, ">f8"), np.zeros(8, "f2"), np.zeros(8, bool), unaligned):
        assert lift_analysis().run(x) is None
        assert lift_synthesis().run([x[:4], np.zeros(4)]) is None
    assert lift_analysis().run(np.zeros(8).view(np.recarray)) is None
