"""Layouts, blocks, threads, exponentials and arguments of the CPU's kernels of pooling.

``test_pooling_kernels.py`` compares them with the reference for all kinds of windows.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers import eps
from pooling_calls import Windowed
from pooling_comparison import FLOATS, KINDS, betas, compare, data, geometry, reference, results

import liftwave as lw
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.windows import window_plan

_cpu = pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
from liftwave._kernels.cpu import pooling as cpu_pooling  # noqa: E402
from liftwave._kernels.cpu.family import CpuKernels  # noqa: E402

cpu_kernels = CpuKernels(ReferenceKernels())
cpu = Windowed(cpu_kernels)


def test_every_kind_of_weights_is_compared() -> None:
    assert set(KINDS) == set(cpu_pooling._WEIGHTS)


# --- layouts -----------------------------------------------------------------------------------

LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "every third column": lambda x: np.repeat(x, 3, axis=-1)[..., ::3],
    "every second column": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "backwards": lambda x: np.ascontiguousarray(x[:, ::-1, ::-1])[:, ::-1, ::-1],
    "columns first": lambda x: np.asfortranarray(x),
    "rows apart": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "planes last": lambda x: np.ascontiguousarray(np.moveaxis(x, 0, -1)).transpose(2, 0, 1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["2 x 2", "3 x 3", "3 x 3, stride 2", "whole planes"])
def test_strides(name: str, layout: str) -> None:
    shape, plan = geometry(cpu_kernels, name)
    view = LAYOUTS[layout]
    x, g = data(shape, "float32"), data((shape[0], *plan.outputs), "float32", 1)
    for array in (x, g):
        array.flags.writeable = False
    beta = betas(plan, shape[0], "float32")[3]
    for kind in ("ada", "softmax"):
        b = beta if kind == "ada" else None
        v = None if b is None else view(b)
        pairs = [
            (cpu.pool(view(x), plan, kind, v), cpu.pool(x, plan, kind, b)),
            *zip(
                cpu.pool_vjp(view(x), view(g), plan, kind, v),
                cpu.pool_vjp(x, g, plan, kind, b),
                strict=True,
            ),
            (cpu.unpool(view(x), view(g), plan, kind, v), cpu.unpool(x, g, plan, kind, b)),
            *zip(
                cpu.unpool_vjp(view(x), view(g), view(x), plan, kind, v),
                cpu.unpool_vjp(x, g, x, plan, kind, b),
                strict=False,
            ),
            *zip(cpu.max_pool(view(x), plan), cpu.max_pool(x, plan), strict=True),
        ]
        for got, wanted in pairs:
            np.testing.assert_array_equal(got, wanted)


def test_numbers_that_are_not_aligned() -> None:
    shape, plan = geometry(cpu_kernels, "2 x 2")
    x = data(shape, "float32")
    memory = np.zeros(x.nbytes + 1, np.uint8)
    moved = memory[1:].view(np.float32).reshape(shape)
    moved[:] = x
    assert not moved.flags.aligned
    np.testing.assert_array_equal(cpu.pool(moved, plan, "dice"), cpu.pool(x, plan, "dice"))
    for got, wanted in zip(cpu.max_pool(moved, plan), cpu.max_pool(x, plan), strict=True):
        np.testing.assert_array_equal(got, wanted)


# --- blocks ------------------------------------------------------------------------------------

# Larger than one block, along the first axis or by planes.
LARGE: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "2 x 2": ((2, 700, 260), {"kernel_size": 2}),
    "2 x 2, a rest": ((2, 701, 261), {"kernel_size": 2}),
    "3 x 3, stride 1": ((1, 600, 200), {"kernel_size": 3, "stride": 1, "padding": 1}),
    "5 x 5, stride 2": ((1, 900, 150), {"kernel_size": 5, "stride": 2, "padding": 2}),
    "dilated": ((1, 900, 120), {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": (4, 3)}),
    "gaps": ((1, 900, 140), {"kernel_size": 2, "stride": (5, 3), "ceil_mode": True}),
    "1-d": ((1, 100_001), {"kernel_size": (3,), "stride": 2, "padding": 1}),
    "1-d, stride 1": ((2, 60_001), {"kernel_size": (4,), "stride": 1, "dilation": 3}),
    "1-d, disjoint": ((1, 90_001), {"kernel_size": (3,)}),
    "tall": ((1, 90_000, 1), {"kernel_size": (3, 1), "stride": (2, 1), "padding": (1, 0)}),
    "3-d": ((1, 60, 30, 31), {"kernel_size": 3, "stride": 2, "padding": 1, "ndim": 3}),
    "many": ((90, 33, 31), {"kernel_size": 3, "stride": 2}),
}


@pytest.mark.parametrize("name", LARGE)
def test_several_parts(name: str) -> None:
    shape, arguments = LARGE[name]
    plan = window_plan(shape, **arguments)
    x = data(shape, "float64")
    compare(cpu_kernels, x, plan, "softmax")
    compare(cpu_kernels, x, plan, "ada", betas(plan, shape[0], "float64")[1])


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = lw.get_num_threads()
    yield lw.set_num_threads
    lw.set_num_threads(before)


@pytest.mark.parametrize("name", LARGE)
def test_any_number_of_threads(threads: Callable[[int], None], name: str) -> None:
    shape, arguments = LARGE[name]
    plan = window_plan(shape, **arguments)
    x = data(shape, "float32")
    beta = betas(plan, shape[0], "float32")[0]
    found = []
    for count in (1, 2, 3, 8, 2):
        threads(count)
        values, places = cpu.max_pool(x, plan)
        back = cpu.max_pool_vjp(values, places, plan)
        found.append([*results(cpu, x, plan, "ada", beta), values, places, back])
    for other in found[1:]:
        for got, wanted in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(got, wanted)


DIGESTS = """
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
from pooling_comparison import CPU_GEOMETRIES, KINDS, FLOATS, betas, data, geometry, results
from test_cpu_pooling import cpu
from liftwave import _cpu
import numpy as np
digests = {}
for name in CPU_GEOMETRIES:
    shape, plan = geometry(cpu.family, name)
    for dtype in FLOATS:
        x = data(shape, dtype)
        for kind in KINDS:
            beta = betas(plan, shape[0], dtype)[1] if kind == "ada" else None
            found = [a for a in results(cpu, x, plan, kind, beta) if a is not None]
            found += cpu.max_pool(x, plan)
            text = b"".join(np.ascontiguousarray(a).tobytes() for a in found)
            digests[f"{name}, {dtype}, {kind}"] = hashlib.sha256(text).hexdigest()
for dtype in FLOATS:
    x = np.linspace(-800, 800, 100_003).astype(dtype)
    y = np.empty_like(x)
    _cpu.exponentials(x, y)
    digests[dtype] = hashlib.sha256(y.tobytes()).hexdigest()
print(json.dumps(digests))
"""


def test_every_instruction_set_gives_the_same() -> None:
    here = str(Path(__file__).parent)
    found = {}
    for isa in _cpu.available_isas():
        run = subprocess.run(
            [sys.executable, "-c", DIGESTS, here],
            env=os.environ | {"LIFTWAVE_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        )
        found[isa] = json.loads(run.stdout)
    for isa, digests in found.items():
        assert digests == found["baseline"], isa


# --- the exponential function --------------------------------------------------------------------


def exponentials(x: Any) -> np.ndarray:
    found = np.empty_like(x)
    _cpu.exponentials(x, found)
    return found


@pytest.mark.parametrize("dtype", FLOATS)
def test_exponentials_are_within_one_ulp(dtype: str) -> None:
    bounds = (-87.0, 88.7) if dtype == "float32" else (-708.0, 709.7)
    rng = np.random.default_rng(0)
    x = np.concatenate([
        rng.uniform(*bounds, 40_000),
        rng.uniform(-1.0, 1.0, 40_000),
        math.log(2) / 2 * np.arange(-60, 60),
        10.0 ** -np.arange(30.0),
    ]).astype(dtype)  # fmt: skip
    exact = np.array([math.exp(v) for v in x])
    ulps = np.abs(exponentials(x) - exact) / np.spacing(exact.astype(dtype))
    # The exact values of double precision have an error of about half a unit themselves.
    assert ulps.max() <= (1.0 if dtype == "float32" else 1.5)


@pytest.mark.parametrize("dtype", FLOATS)
def test_exponentials_at_the_ends(dtype: str) -> None:
    tiny, deep = (-103.0, -90.0) if dtype == "float32" else (-744.0, -720.0)
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e4, -1e4, tiny, deep, 1e-40], dtype)
    x = np.append(x, np.finfo(dtype).max * np.array([1, -1], dtype))
    with np.errstate(all="ignore"):
        expected = np.exp(x)
    found = exponentials(x)
    least = float(np.finfo(dtype).smallest_subnormal)
    np.testing.assert_allclose(found, expected, rtol=2 * eps(dtype), atol=least)
    for count in range(len(x)):
        np.testing.assert_array_equal(exponentials(x[:count]), found[:count])


# --- extremes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["dice", "exp-dice"])
@pytest.mark.parametrize("name", ["2 x 2", "3 x 3"])
def test_similarities_do_not_depend_on_the_unit(name: str, kind: str, dtype: str) -> None:
    shape, plan = geometry(cpu_kernels, name)
    x, g = data(shape, dtype), data((shape[0], *plan.outputs), dtype, 1)
    pooled, gradient = cpu.pool(x, plan, kind), cpu.pool_vjp(x, g, plan, kind)[0]
    # Beyond these, means or derivatives of the similarity are subnormal.
    largest = np.finfo(dtype).maxexp - 16
    for exponent in (largest, largest // 2, -largest // 2, 24 - largest):
        unit = np.asarray(2.0**exponent, dtype)
        np.testing.assert_array_equal(cpu.pool(x * unit, plan, kind), pooled * unit)
        np.testing.assert_array_equal(cpu.pool_vjp(x * unit, g, plan, kind)[0], gradient)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", KINDS)
def test_regions_of_all_kinds(kind: str, dtype: str) -> None:
    large = 1e30 if dtype == "float32" else 1e300
    rows = [
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
    ]
    x = np.array(rows, dtype)
    plan = window_plan(x.shape, (4,))
    beta = np.full((1, 1), 0.25, dtype) if kind == "ada" else None
    got, wanted = (k.pool(x, plan, kind, beta) for k in (cpu, reference))
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, wanted, rtol=16 * eps(dtype), atol=0)
    g = np.ones_like(wanted)
    of_x, expected = (k.pool_vjp(x, g, plan, kind, beta)[0] for k in (cpu, reference))
    assert np.isfinite(of_x).all()
    scale = np.maximum(1.0, np.abs(expected).max(axis=1, keepdims=True))
    np.testing.assert_allclose(of_x / scale, expected / scale, rtol=0, atol=64 * eps(dtype))


# --- unsupported and invalid arguments -----------------------------------------------------------


def test_what_the_reference_does() -> None:
    asked = []

    class Recorder:
        def __getattr__(self, name: str) -> Any:
            return lambda *arguments: asked.append(name)

    shape, plan = geometry(cpu_kernels, "2 x 2")
    x, g = data((6, *shape[1:]), "float64"), data((6, *plan.outputs), "float64", 1)
    cpu = Windowed(SimpleNamespace(pooling=cpu_pooling.CpuPooling(Recorder())))
    cpu.pool(x, plan, "dice", channels=2)
    cpu.pool_vjp(x, g, plan, "dice", channels=2)
    cpu.unpool(x, g, plan, "dice", channels=2)
    cpu.unpool_vjp(x, g, x, plan, "dice", channels=2)
    cpu.unpool(x, g, plan, "dice", up="linear")
    cpu.unpool_vjp(x, g, x, plan, "dice", up="linear")
    both = ["unpool", "unpool_vjp"]
    assert asked == ["pool", "pool_vjp", *both, *both]


AXIS = (2, 2, 0, 1, 8, 4)


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ((0, 2, 0, 1, 8, 4), "plan of windows"),
        ((2, 0, 0, 1, 8, 4), "plan of windows"),
        ((2, 2, 0, 0, 8, 4), "plan of windows"),
        ((2, 2, -1, 1, 8, 4), "plan of windows"),
        ((2, 2, 0, 1, 8, 5), "plan of windows"),  # a window beyond the end
        ((2, 2, 2, 1, 8, 4), "plan of windows"),  # one before the start
        ((2**31, 2, 0, 1, 8, 4), "plan of windows"),
    ],
)
def test_plans_that_are_not_sound(axis: tuple[int, ...], message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        _cpu.Pooling([axis], 0, 1.0, False)


def test_sizes_that_overflow() -> None:
    with pytest.raises(RuntimeError, match="plan of windows"):
        _cpu.Pooling([(1, 2**29, 0, 1, 2**40, 2)] * 2, 0, 1.0, False)
    with pytest.raises(RuntimeError, match="plan of windows"):
        _cpu.Pooling([], 0, 1.0, False)
    with pytest.raises(RuntimeError, match="unknown weights"):
        _cpu.Pooling([AXIS], 10, 1.0, False)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": (3, 7)}, "does not fit the plan"),
        ({"x": (3, 2, 8)}, "does not fit the plan"),
        ({"g": (2, 4)}, "does not fit the plan"),
        ({"g": (3, 5)}, "does not fit the plan"),
        ({"beta": None}, "beta belongs to ada"),
        ({"beta": (2, 4)}, "beta does not fit"),
        ({"beta": (3, 3)}, "beta does not fit"),
        ({"g": "float32"}, None),
        ({"x": "int64"}, None),
        ({"x": "complex128", "beta": "complex128", "g": "complex128"}, None),
    ],
)
def test_arrays_that_do_not_fit(arrays: dict[str, Any], message: str | None) -> None:
    """An unsupported dtype gives no result; anything else raises."""
    shapes = {"x": (3, 8), "beta": (3, 4), "g": (3, 4)}
    given: list[Any] = []
    for name, shape in shapes.items():
        changed = arrays.get(name, shape)
        of_dtype = isinstance(changed, str)
        zeros = np.zeros(shape if of_dtype else changed or (), changed if of_dtype else "float64")
        given.append(None if changed is None else zeros)
    module = _cpu.Pooling([AXIS], cpu_pooling._WEIGHTS["ada"], 1.0, False)
    if message is None:
        assert module.pool_vjp(*given) is None
    else:
        with pytest.raises(RuntimeError, match=message):
            module.pool_vjp(*given)


def test_places_that_are_none() -> None:
    plan = window_plan((2, 8), (2,))
    g = np.ones((2, 4))
    for wrong in (-1, 8):
        places = np.zeros((2, 4), np.int64)
        places[1, 2] = wrong
        with pytest.raises(RuntimeError, match="outside of the plane"):
            cpu.max_pool_vjp(g, places, plan)
    with pytest.raises(RuntimeError, match="one place for each"):
        cpu.max_pool_vjp(g, np.zeros((2, 3), np.int64), plan)
