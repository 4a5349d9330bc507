"""Tiles, threads, half precision and learned taps of the CUDA derivative of lifting, on the host.

``test_lifting_gradient_kernels.py`` compares it with the reference for all layouts.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import cuda_compile
import numpy as np
import pytest
from cuda_host import ORDERS, HostKernels, HostRuntime, compiler
from helpers import paired
from lifting_cases import data, forward, inverse, scheme_of
from lifting_gradient_cases import compare, liftings

from liftwave._kernels.cuda.common.runtime import kernel
from liftwave._kernels.cuda.lifting import gradient as cuda_lifting_gradient
from liftwave._kernels.cuda.lifting import tiles as cuda_lifting_tiles
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.boundary import LIFTING_MODES

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

cuda = HostKernels()
reference = ReferenceKernels()

SCHEMES = ["haar", "cdf9.7", "db4", "db10", "custom 1", "custom 4"]


@pytest.fixture(autouse=True)
def host() -> HostRuntime:
    """Kernels run on the host; a fallback raises unless a test allows it."""
    return cuda.reset()


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tiles as short as the steps allow, and more tiles than blocks."""
    monkeypatch.setattr(cuda_lifting_tiles, "LINE_BYTES", (900,))
    monkeypatch.setattr(cuda_lifting_tiles, "LINE_PAIRS", 16)
    monkeypatch.setattr(cuda_lifting_tiles, "LINE_COLUMNS", 4)
    monkeypatch.setattr(cuda_lifting_tiles, "BLOCKS", 0)
    monkeypatch.setattr(cuda_lifting_gradient, "MOST_BLOCKS", 3)
    cuda_lifting_tiles.tiling.cache_clear()
    yield
    cuda_lifting_tiles.tiling.cache_clear()


@pytest.mark.parametrize(("name", "mode"), paired(SCHEMES, LIFTING_MODES))
def test_several_tiles(name: str, mode: str, small_tiles: None) -> None:
    for n in (101, 256):
        for is_analysis, lift in liftings(scheme_of(name), n, mode):
            compare(cuda, lift, is_analysis, (2, n), 1, "float64")
            compare(cuda, lift, is_analysis, (n, 6), 0, "float64")


@pytest.mark.parametrize("order", ORDERS)
def test_threads_in_any_order(
    order: int, monkeypatch: pytest.MonkeyPatch, small_tiles: None
) -> None:
    cuda.use(HostRuntime(order))
    for mode in LIFTING_MODES:
        for is_analysis, lift in liftings(scheme_of("db4"), 90, mode):
            compare(cuda, lift, is_analysis, (3, 90), 1, "float64")
            compare(cuda, lift, is_analysis, (90, 5), 0, "float64")


def test_sums_are_the_same_each_time(small_tiles: None) -> None:
    lift = forward(scheme_of("cdf9.7"), 200, "symmetric")
    bands, cotangents = ([data((4, 100), "float32", k + s) for k in (0, 1)] for s in (0, 2))
    first, second = (cuda.lift_vjp(bands, cotangents, *lift, 1) for _ in range(2))
    for a, b in zip([*first.taps, *first.scale], [*second.taps, *second.scale], strict=True):
        np.testing.assert_array_equal(a, b)


def test_halves_are_computed_with_in_single_precision() -> None:
    torch = pytest.importorskip("torch")
    lift = forward(scheme_of("cdf9.7"), 36, "reflect")
    given = [torch.from_numpy(data((5, 18), "float32", k)).bfloat16() for k in range(4)]
    actual = cuda.lift_vjp(given[:2], given[2:], *lift, 1)
    wide = [x.float() for x in given]
    expected = reference.lift_vjp(wide[:2], wide[2:], *lift, 1)
    for a, e in zip(
        [*actual.inputs, *actual.cotangents, *actual.taps, *actual.scale],
        [*expected.inputs, *expected.cotangents, *expected.taps, *expected.scale],
        strict=True,
    ):
        assert a.dtype == torch.bfloat16
        torch.testing.assert_close(a.float(), e, rtol=2**-8, atol=1e-5)


def test_taps_that_are_learned(host: HostRuntime) -> None:
    torch = pytest.importorskip("torch")
    for is_analysis in (True, False):
        lift = forward(scheme_of("db4"), 36, "constant")
        given = [torch.from_numpy(data((5, 18), "float64", k)) for k in range(4)]
        outputs, cotangents = given[:2], given[2:]
        if not is_analysis:
            lift = inverse(scheme_of("db4"), 36, "constant")
            whole = [torch.from_numpy(data((5, 36), "float64", k)) for k in range(2)]
            outputs, cotangents = whole[:1], whole[1:]
        taps = [torch.tensor(t, dtype=torch.float64) for t in lift.taps]
        scale = [torch.tensor(s, dtype=torch.float64) for s in lift.scale]
        actual = cuda.lift_vjp(outputs, cotangents, lift.plan, taps, scale, 1)
        expected = reference.lift_vjp(outputs, cotangents, *lift, 1)
        for a, e in zip(
            [*actual.inputs, *actual.cotangents, *actual.taps, *actual.scale],
            [*expected.inputs, *expected.cotangents, *expected.taps, *expected.scale],
            strict=True,
        ):
            torch.testing.assert_close(a, e, rtol=1e-11, atol=1e-11)
    assert all("true, " in expression for expression in host.launched)


def test_what_is_dropped_and_integers_are_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    class ServedError(Exception):
        pass

    class Fallback:
        pooling = lift_pool = None

        @staticmethod
        def lift_vjp(*_: Any) -> Any:
            raise ServedError

    cuda.use(fallback=Fallback())
    x = data((7,), "float64")
    drops = inverse(scheme_of("cdf5.3"), 7, "periodization")
    whole = inverse(scheme_of("cdf5.3").to_integer(), 7, "reflect")
    for lift in (drops, whole):
        with pytest.raises(ServedError):
            cuda.lift_vjp([x], [x], *lift, 0)


@pytest.mark.skipif(cuda_compile.compiler() is None, reason="neither NVRTC nor nvcc")
@pytest.mark.parametrize("architecture", cuda_compile.SLOW_ARCHITECTURES)
def test_kernels_compile_without_spills(architecture: str) -> None:
    kernels = [
        kernel("lifting/gradient.cuh", "lift_vjp", "float32", rows, learned, merges)
        for rows, learned, merges in ((False, True, True), (True, True, False))
    ]
    for each, usage in cuda_compile.usages(kernels, architecture).items():
        assert usage.spilled == 0, each
        assert usage.stack == 0, each


def test_arguments_fit_where_devices_have_room() -> None:
    for real in ("float", "double"):
        for learned in (False, True):
            made = cuda_lifting_gradient._arguments(real, learned)
            assert ctypes.sizeof(made) <= 4096
