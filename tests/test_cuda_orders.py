"""Every CUDA kernel on the host, in blocks of several warps that process several tiles.

The results do not depend on the order of the warps, and no kernel accesses memory outside of its
arrays. Tiles have the sizes that devices get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from cuda_host import (
    FORWARDS,
    ORDERS,
    HostKernels,
    HostRuntime,
    compiler,
    kernel_names,
    source_names,
)
from cuda_memory import guarded
from helpers import zero_mean

import liftwave as lw
from liftwave import _dispatch
from liftwave._kernels.cuda.common import layout as cuda_layout
from liftwave._kernels.cuda.filters import tap_gradients
from liftwave._kernels.cuda.lift_pool import launch as lift_pool_launch
from liftwave._kernels.cuda.lifting import gradient as lifting_gradient
from liftwave._kernels.cuda.lifting import tiles as lifting_tiles
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.axis import lift_plan, synthesis_plan
from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

CDF97 = lw.LiftingScheme.from_name("cdf9.7")
CDF53 = lw.LiftingScheme.from_name("cdf5.3").to_integer()

ONE_WARP = frozenset(("sum_of_rows",))
"""Its launch bound is one warp."""

Arrays = Callable[..., Any]
"""Returns an array of this shape in guarded memory."""


class Case(NamedTuple):
    """Calls of these kernels, by a function of the kernels and of the source of arrays."""

    kernels: str
    run: Callable[[Any, Arrays], Any]


def pulled(function: Any, *arguments: Any, **options: Any) -> list[Any]:
    """The results of a call, and its derivative for the data and the taps."""
    results, pullback = lw.vjp(function, *arguments, **options)
    return [results, pullback(results)]


def tiles(kernels: Any, array: Arrays) -> list[Any]:
    bands = lw.dwt2(array(100, 231), "db2", "symmetric")  # rows of bands are not aligned
    return [bands, lw.idwt2(bands, "db2", "symmetric")]


def lines(axis: int) -> Callable[[Any, Arrays], Any]:
    shape = (3, 1000) if axis else (150, 70)

    def run(kernels: Any, array: Arrays) -> list[Any]:
        x, y = array(*shape), array(*shape)
        mode = "antireflect"
        results = [lw.idwt(x, y, "db4", mode, axis)]
        return [*results, *pulled(lw.dwt, x, "db4", mode, axis)]

    return run


def folds(kernels: Any, array: Arrays) -> list[Any]:
    plan = synthesis_plan(17, 8, "periodization").shortened(33).synthesis_adjoint()
    taps = tuple(float(tap) for tap in zero_mean(8, 5))
    results = kernels.analysis(array(33, 900), [taps] * 2, plan, 0)
    return [results, *pulled(lw.dwt, array(33, 900), "db4", "symmetric", 0)]


def undecimated(kernels: Any, array: Arrays) -> list[Any]:
    results = []
    for shape, axis in (((3, 1000), 1), ((148, 70), 0)):
        results += pulled(lw.swt, array(*shape), "db4", 2, axis=axis)
        results.append(lw.iswt(results[-2], "db4", axis=axis))
    return results


def lifting(kernels: Any, array: Arrays) -> list[Any]:
    """With odd lengths, which filter banks do not replace."""
    results: list[Any] = []
    for shape, axis in (((5, 3001), 1), ((151, 90), 0)):
        bands, gradients = pulled(lw.dwt, array(*shape), CDF97, "reflect", axis)
        results += [bands, gradients, *pulled(lw.idwt, *bands, CDF97, "reflect", axis)]
    bands = lw.dwt2(array(131, 211), CDF97, "symmetric")
    return [*results, bands, lw.idwt2(bands, CDF97, "symmetric")]


def learned_lifting(kernels: Any, array: Arrays) -> list[Any]:
    """With taps and scales in memory, which a block copies before it uses them."""
    plan = lift_plan(CDF97, 3001, "reflect")
    taps = [array(len(step.taps), scale=0.5) for step in CDF97.steps]
    scale = array(1), array(1)
    bands = kernels.lift_analysis(array(5, 3001), plan, taps, scale, 1)
    signal = kernels.lift_synthesis(*bands, plan.inverse(), taps[::-1], scale, 1)
    return [*bands, signal]


def integers(kernels: Any, array: Arrays) -> list[Any]:
    bands = lw.dwt2(array(130, 210, dtype="int16", scale=100.0), CDF53, "reflect")
    return [bands, lw.idwt2(bands, CDF53, "reflect")]


def whole(kernels: Any, array: Arrays) -> list[Any]:
    results: list[Any] = []
    for shape, axis, level in (((5, 3000), 1, 2), ((256, 90), 0, 7)):
        bands = lw.swt(array(*shape), CDF97, level, axis=axis)
        results += [bands, lw.iswt(bands, CDF97, axis=axis)]
    return results


def pools(kernels: Any, array: Arrays) -> list[Any]:
    x = array(1, 2, 60, 70)
    return [
        pulled(lw.pooling.soft_pool, x, 3, 2, 1),
        pulled(lw.pooling.soft_pool, x, 2),
        pulled(lw.pooling.max_pool, x, 2),
    ]


def lift_pools(kernels: Any, array: Arrays) -> list[Any]:
    """With penalties of both axes, from outputs and from inputs."""
    plan = LiftPoolPlan((99, 91), 5, "reflect", False)
    output = LiftOutput((0, 1, 2, 3), "bands")
    taps = array(len(plan.passes), 2, 2, plan.kernel + 3, scale=0.2)
    x = array(1, 2, *plan.sizes)
    bands, sums = kernels.lift_pool.lift_down(x, taps, plan, output, True)
    by_outputs = kernels.lift_pool.lift_down_vjp(bands, bands, sums, taps, plan, output, True)
    by_inputs = kernels.lift_pool.lift_down_vjp([x], bands, sums, taps, plan, output, False)
    up = kernels.lift_pool.lift_up(bands, taps, plan)
    of_up = kernels.lift_pool.lift_up_vjp(bands, x, taps, plan, False)
    return [bands, sums, by_outputs, by_inputs, up, of_up]


CASES = {
    "tiles": Case("analysis_tile synthesis_tile", tiles),
    "lines along": Case("analysis_lines synthesis_lines tap_gradients sum_of_rows", lines(1)),
    "lines across": Case("analysis_lines synthesis_lines tap_gradients", lines(0)),
    "folds": Case("folded_analysis_lines folded_synthesis_lines", folds),
    "undecimated": Case(
        "circular_analysis_lines circular_synthesis_lines circular_tap_gradients", undecimated
    ),
    "lifting": Case("lift_analysis lift_synthesis lift_vjp", lifting),
    "learned lifting": Case("lift_analysis lift_synthesis", learned_lifting),
    "integers": Case("lift_analysis lift_synthesis", integers),
    "whole lifting": Case("whole_analysis whole_synthesis whole_step", whole),
    "pooling": Case(
        "pool_windows spread_windows gather_samples largest_windows placed_samples", pools
    ),
    "lifting pooling": Case("lift_pool lift_pool_back", lift_pools),
}


def test_the_cases_have_every_kernel() -> None:
    every = {name for source in source_names() for name in kernel_names(source)}
    assert {name for case in CASES.values() for name in case.kernels.split()} == every


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostKernels]:
    """The kernels; lifting has the tiles of large arrays, also with few blocks."""
    monkeypatch.setattr(lifting_tiles, "BLOCKS", 3)
    lifting_tiles.tiling.cache_clear()
    kernels = HostKernels(fallback=ReferenceKernels())
    with _dispatch.registered(kernels):
        yield kernels
    lifting_tiles.tiling.cache_clear()


def leaves(tree: Any) -> list[Any]:
    if is_dataclass(tree):
        tree = [getattr(tree, field.name) for field in fields(tree)]
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree]


def results_of(case: Case, kernels: Any, order: int) -> list[np.ndarray]:
    """The results as copies, so that guarded memory can be released."""
    number = iter(range(100))

    def array(*shape: int, dtype: str = "float32", scale: float = 1.0) -> Any:
        values = scale * zero_mean(shape, next(number))
        return guarded(values.astype(dtype), order % 2 == 0)

    return [np.array(leaf) for leaf in leaves(case.run(kernels, array)) if leaf is not None]


@pytest.fixture
def few_blocks(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A function after whose call each block processes several tiles."""

    def limit() -> None:
        for module in (cuda_layout, lift_pool_launch):
            monkeypatch.setattr(module, "MAX_GRID", 2)
        monkeypatch.setattr(lift_pool_launch, "SUMMING_BLOCKS", 2)
        monkeypatch.setattr(lifting_gradient, "MOST_BLOCKS", 2)
        monkeypatch.setattr(tap_gradients, "_BLOCKS", 2)

    return limit


@pytest.mark.parametrize("name", CASES)
def test_the_order_of_warps_changes_nothing(
    name: str, cuda: HostKernels, few_blocks: Callable[[], None]
) -> None:
    case = CASES[name]
    runtime = cuda.use(HostRuntime(FORWARDS), ReferenceKernels())
    with lw.kernels("cuda"):
        many_blocks = results_of(case, cuda, FORWARDS)
        for kernel in case.kernels.split():
            assert_several(kernel, runtime.grids[kernel])
        few_blocks()
        results = results_of(case, cuda, FORWARDS)
        for a, b in zip(results, many_blocks, strict=True):
            # Sums over blocks are rounded in another order.
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * float(np.abs(b).max()))
        for order in ORDERS[1:]:
            runtime.order = order
            for a, b in zip(results_of(case, cuda, order), results, strict=True):
                np.testing.assert_array_equal(a, b)


def assert_several(kernel: str, grids: set[tuple[int, int]]) -> None:
    """Some launch has three warps, and more tiles than the two blocks that are left later."""
    warps = 1 if kernel in ONE_WARP or kernel.endswith("_windows") else 3
    assert any(blocks > 2 and threads >= 32 * warps for blocks, threads in grids), grids
