"""Grids, half precision and learned taps of CUDA filters without downsampling, run on the host.

``test_circular_kernels.py`` compares them with the reference.
"""

from __future__ import annotations

import cuda_compile
import numpy as np
import pytest
from cuda_host import ORDERS, HostKernels, HostRuntime, compiler
from filter_comparison import assert_close, check_circular, filters_of, numbers, signals

from liftwave._kernels.cuda.common import layout as cuda_layout
from liftwave._kernels.cuda.common.runtime import Kernel, kernel
from liftwave._kernels.cuda.filters import tap_gradients as cuda_tap_gradients
from liftwave._kernels.half_precision import in_float32
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.axis import joined_plan

needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

cuda = HostKernels()
reference = ReferenceKernels()


@pytest.fixture(autouse=True)
def runtime() -> HostRuntime:
    """Runs kernels on the host instead of devices; a fallback raises unless a test allows it."""
    return cuda.reset()


def groups_of(runtime: HostRuntime) -> set[int]:
    """The outputs of a group, of the kernels that filtered lines."""
    found = {name.split(", ")[4] for name in runtime.launched if "_lines<" in name}
    runtime.launched.clear()
    return set(map(int, found))


@needs_compiler
def test_outputs_of_a_group(runtime: HostRuntime) -> None:
    """Several if neighbouring threads then use neighbouring memory, and registers suffice."""
    x, filters = signals(0, 64, "along"), filters_of(8)
    for dilation, several in ((1, 1), (8, 1), (16, 4), (32, 4), (33, 1), (64, 1)):
        cuda.analysis(x, filters, joined_plan(64, 8, 0, dilation, 1.0), 1)
        assert groups_of(runtime) == {several}
    for length, several in ((8, 4), (20, 2), (62, 1)):
        plan = joined_plan(64, length, 0, 1, 1.0)
        cuda.synthesis([signals(0, 64, "across")] * 2, filters_of(length), plan, 1)
        assert groups_of(runtime) == {several}


@needs_compiler
@pytest.mark.parametrize("order", ORDERS)
def test_long_lines_in_any_order_of_threads(
    order: int, runtime: HostRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.order = order
    monkeypatch.setattr(cuda_layout, "MAX_GRID", 3)
    for n, layout in ((701, "along"), (150, "across")):
        for dilation in (2, 16):
            check_circular(cuda, joined_plan(n, 8, 4 * dilation, dilation, 0.5), layout)


@needs_compiler
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_halves_are_computed_in_single_precision(name: str) -> None:
    torch = pytest.importorskip("torch")
    plan, filters = joined_plan(19, 8, 8, 2, 1.0), filters_of(8)
    x = torch.from_numpy(numbers(3, 4, 19)).to(getattr(torch, name))
    bands = cuda.analysis(x, filters, plan, 1)
    back = cuda.synthesis(bands, filters, plan, 1)
    gradients = cuda.tap_gradients(x, bands, plan, 1)
    wide = [y.float() for y in bands]
    wanted = reference.analysis(x.float(), filters, plan, 1)
    wanted.append(reference.synthesis(wide, filters, plan, 1))
    wanted += reference.tap_gradients(x.float(), wide, plan, 1)
    for a, b in zip([*bands, back, *gradients], wanted, strict=True):
        assert a.dtype == (x.dtype if a.ndim > 1 else torch.float32)
        # Different rounding in single precision can change the half-precision rounding at a tie.
        step = torch.finfo(a.dtype).eps * b.abs() + 512 * torch.finfo(torch.float32).eps * 8
        assert bool(((a - b.to(a.dtype)).abs() <= step).all())


@needs_compiler
def test_learned_taps() -> None:
    torch = pytest.importorskip("torch")
    taps = torch.from_numpy(numbers(0, 2, 16))
    filters = [taps[0, ::2], tuple(map(float, taps[1, :8]))]
    plan = joined_plan(14, 8, 4, 1, 0.5)
    x = torch.from_numpy(numbers(1, 3, 14, dtype="float32"))
    found = cuda.analysis(x, filters, plan, 1)
    for a, b in zip(found, reference.analysis(x, filters, plan, 1), strict=True):
        assert_close(a.numpy(), b.numpy(), 8)
    wanted = reference.synthesis(found, filters, plan, 1)
    assert_close(cuda.synthesis(found, filters, plan, 1).numpy(), wanted.numpy(), 8)


@needs_compiler
def test_arrays_without_numbers(runtime: HostRuntime) -> None:
    plan = joined_plan(9, 8, 4, 1, 1.0)
    x = np.zeros((0, 9, 4))
    assert [y.shape for y in cuda.analysis(x, filters_of(8), plan, 1)] == [x.shape] * 2
    (gradient,) = cuda.tap_gradients(x, [x], plan, 1)
    np.testing.assert_array_equal(gradient, np.zeros(8))
    assert not runtime.launched


@needs_compiler
@pytest.mark.parametrize("blocks", [528, 2])
def test_gradients_of_floats_do_not_lose_precision(
    blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for filters with downsampling: a sum of equal products in one float loses many digits."""
    monkeypatch.setattr(cuda_tap_gradients, "_BLOCKS", blocks)
    plan = joined_plan(4096, 2, 0, 1, 1.0)
    x, g = np.full((64, 4096), 0.1, np.float32), np.full((64, 4096), 0.3, np.float32)
    wanted = x.size * float(x[0, 0]) * float(g[0, 0])
    for found in (
        cuda.tap_gradients(x, [g], plan, 1)[0],
        cuda.tap_gradients(x.T.copy(), [g.T.copy()], plan, 0)[0],
    ):
        np.testing.assert_allclose(found, wanted, rtol=8 * np.finfo(np.float32).eps)


def test_what_kernels_do_not_know_is_done_otherwise(runtime: HostRuntime) -> None:
    cuda.use(fallback=in_float32(reference))
    plan, x = joined_plan(11, 4, 2, 1, 1.0), numbers(0, 2, 11)
    found = cuda.analysis(x, filters_of(4, 3), plan, 1)
    for a, b in zip(found, reference.analysis(x, filters_of(4, 3), plan, 1), strict=True):
        np.testing.assert_array_equal(a, b)
    mixed = [x.astype(np.float32), x]
    wanted = reference.synthesis(mixed, filters_of(4), plan, 1)
    np.testing.assert_array_equal(cuda.synthesis(mixed, filters_of(4), plan, 1), wanted)
    (wanted,) = reference.tap_gradients(x, [x.astype(np.float32)], plan, 1)
    (gradient,) = cuda.tap_gradients(x, [x.astype(np.float32)], plan, 1)
    np.testing.assert_array_equal(gradient, wanted)
    assert not runtime.launched


# --- compiled for devices ------------------------------------------------------------------------


def forms(dtype: str, count: int, several: int, learned: bool, along: bool) -> list[Kernel]:
    """The kernels for two filters or bands."""
    flags = 2, count, several, learned, along
    source = "filters/circular_lines.cuh"
    kinds = ("analysis", "synthesis")
    lines = [kernel(source, f"circular_{kind}_lines", dtype, dtype, *flags) for kind in kinds]
    gradients = "filters/circular_gradients.cuh", "circular_tap_gradients"
    return [*lines, kernel(*gradients, dtype, 2, count, along)]


def assert_nothing_is_spilled(architecture: str, kernels: list[Kernel]) -> None:
    for compiled, usage in cuda_compile.usages(kernels, architecture).items():
        assert usage.spilled == usage.stack == 0, (compiled.expression, usage)
        assert usage.registers <= 128, (compiled.expression, usage)


needs_device_compiler = pytest.mark.skipif(
    cuda_compile.compiler() is None, reason="no compiler for CUDA devices"
)


@needs_device_compiler
@pytest.mark.parametrize("architecture", cuda_compile.EACH_ARCHITECTURE)
def test_nothing_is_spilled(architecture: str) -> None:
    assert_nothing_is_spilled(architecture, forms("float32", 8, 1, False, True))


@needs_device_compiler
@pytest.mark.slow
@pytest.mark.parametrize("architecture", cuda_compile.EACH_ARCHITECTURE)
def test_nothing_is_spilled_by_others(architecture: str) -> None:
    classes = [
        ("float16", 20, 4, False),
        ("float64", 16, 4, False),
        ("float32", 0, 4, True),
        ("complex64", 8, 4, False),
        ("complex128", 8, 4, False),
    ]
    for form in classes:
        for along in (False, True):
            assert_nothing_is_spilled(architecture, forms(*form, along)[:2])
