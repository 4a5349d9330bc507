"""Threads, instruction sets and arguments of the CPU's lifting pooling.

``test_lift_pool_kernels.py`` compares it with the reference.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import zero_mean
from lift_pool_cases import EXTENSIONS
from lift_pool_comparison import CHANNELS, Comparison, filters, outputs

import liftwave as lw
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.lift_pool import LiftPoolPlan

_cpu = pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
from liftwave._kernels.cpu.lift_pool import CpuLiftPool  # noqa: E402

reference = ReferenceKernels().lift_pool
cpu = CpuLiftPool(reference)
family = SimpleNamespace(name="cpu", lift_pool=cpu)


def test_empty_batches() -> None:
    plan = LiftPoolPlan((5, 6), 5, "reflect", False)
    for output in outputs(2):
        Comparison(family, plan).down(output, "float32", batch=0)
    Comparison(family, plan).up("float32", batch=0)


@pytest.mark.parametrize("sizes", [(70000,), (97, 130)], ids=str)
def test_threads_change_nothing(sizes: tuple[int, ...]) -> None:
    plan = LiftPoolPlan(sizes, 5, "reflect", False)
    taps, output = filters(plan, "float32"), outputs(len(sizes))[0]
    x = zero_mean((5, CHANNELS, *sizes), 0, "float32")
    before = lw.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            lw.set_num_threads(count)
            bands, sums = cpu.lift_down(x, taps, plan, output, True)
            back = cpu.lift_down_vjp(bands, bands, sums, taps, plan, output, True)
            y = cpu.lift_up(bands, taps, plan)
            found.append([*bands, sums, *back, y])
    finally:
        lw.set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "sizes", [(1,), (2,), (9,), (1, 1), (7, 8), (2, 3), (31, 6), (6, 1)], ids=str
)
def test_channels_last_are_read_in_place(sizes: tuple[int, ...]) -> None:
    """With the bits of channels first; the last register overlaps the one before."""
    rng = np.random.default_rng(0)
    for padding, kernel in product(EXTENSIONS, (1, 2, 5)):
        plan = LiftPoolPlan(sizes, kernel, padding, False)
        taps = rng.standard_normal((len(plan.passes), 2, 21, kernel + 3)).astype("float32")
        x = rng.standard_normal((2, 21, *sizes)).astype("float32")
        last = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
        for output in outputs(len(sizes)):
            bands, _ = cpu.lift_down(x, taps, plan, output, False)
            found, _ = cpu.lift_down(last, taps, plan, output, False)
            for a, b in zip(found, bands, strict=True):
                np.testing.assert_array_equal(a, b)


def test_instruction_sets_agree() -> None:
    """Bitwise equal, including sums and gradients."""
    code = """
import hashlib, sys
import numpy as np
from liftwave import _dispatch
from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan
cpu = _dispatch.families()["cpu"].lift_pool
digest = hashlib.sha256()
rng = np.random.default_rng(0)
for dtype in ("float32", "float64"):
    for kernel in (2, 5):
        plan = LiftPoolPlan((9, 50), kernel, "reflect", False)
        taps = rng.standard_normal((3, 2, 17, kernel + 3)).astype(dtype)
        x = rng.standard_normal((2, 17, 9, 50)).astype(dtype)
        output = LiftOutput((0, 1, 2, 3), "bands")
        bands, sums = cpu.lift_down(x, taps, plan, output, True)
        back = cpu.lift_down_vjp(bands, bands, sums, taps, plan, output, True)
        last = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
        in_place, _ = cpu.lift_down(last, taps, plan, output, False)
        for a in (*bands, *in_place, sums, *back, cpu.lift_up(bands, taps, plan)):
            digest.update(a.tobytes())
print(digest.hexdigest())
"""
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "LIFTWAVE_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for isa in _cpu.available_isas()
    }
    assert len(found) == 1


def test_what_is_not_served_goes_to_the_reference() -> None:
    plan = LiftPoolPlan((6,), 3, "reflect", False)
    x, taps = zero_mean((1, CHANNELS, 6)), filters(plan, "float64")
    output = outputs(1)[0]
    for signal, numbers in ((x.astype("longdouble"), taps.astype("longdouble")), (x, taps)):
        got, _ = cpu.lift_down(signal, numbers, plan, output, False)
        wanted, _ = reference.lift_down(signal, numbers, plan, output, False)
        for a, b in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(a, b, strict=True)


def test_the_module_checks_what_it_gets() -> None:
    """No access outside of the arrays."""
    module = _cpu.LiftPool((4,), (3,), [[[1, 0, 1, 0]] * 2], 3, False)
    x, taps, band = np.ones((1, 1, 4)), np.ones((1, 2, 1, 6)), np.ones((1, 1, 2))
    assert module.down(x, taps, [0, 1], 2, False) is not None
    for arguments, match in [
        ((x, taps[..., :5].copy(), [0, 1], 2, False), "does not fit"),
        ((x, taps[0], [0, 1], 2, False), "does not fit"),
        ((band, taps, [0, 1], 2, False), "does not fit"),
        ((x.reshape(1, 4, 1), taps, [0, 1], 2, False), "does not fit"),
        ((x[0], taps, [0, 1], 2, False), "does not fit"),
        ((x, taps, [0, 2], 2, False), "no such band"),
        ((x, taps[:, :, :0].copy(), [0, 1], 2, False), "no channels"),
    ]:
        with pytest.raises(RuntimeError, match=match):
            module.down(*arguments)
    for call, match in [
        (lambda: module.up([band, None], taps), "a band is missing"),
        (lambda: module.up([band], taps), "do not match the bands"),
        (lambda: module.up([band, x], taps), "does not fit"),
        (lambda: module.up([], taps), "an array is missing"),
        (lambda: module.up_vjp([x], True, band, taps), "does not fit"),
        (lambda: module.up_vjp([x, x], True, x, taps), "one signal"),
        (
            lambda: module.down_vjp([x], False, [band], None, taps, [0, 1], 2),
            "do not match the bands",
        ),
        (
            lambda: module.down_vjp([x], False, [band, band], x, taps, [0, 1], 2),
            "does not fit",
        ),
    ]:
        with pytest.raises(RuntimeError, match=match):
            call()
    for sources, last in (
        ([[[5, 0, 1, 0]] * 2], 3),
        ([[[1, 0, 1, 0], [1, 1, 0, 0]]], 3),
        ([[[0, 1]] * 2], 3),
        ([[[1, 0, 1, 0]] * 2], 4),
        ([], 3),
    ):
        with pytest.raises(RuntimeError, match=r"axis' sources|are the samples|of 1 to 8 axes"):
            _cpu.LiftPool((4,), (last,), sources, 3, False)


def test_the_module_leaves_other_arrays_to_python() -> None:
    """None for arrays that are not plain: other dtypes, strides, byte orders."""
    module = _cpu.LiftPool((4,), (3,), [[[1, 0, 1, 0]] * 2], 3, False)
    x, taps = np.ones((1, 1, 8)), np.ones((1, 2, 1, 6))
    for signal, its_taps in [
        (x[..., :4].astype("float32"), taps),
        (x[..., :4].astype(">f8"), taps),
        (x[..., ::2], taps),
        (x[..., :4].astype(int), taps.astype(int)),
        (x[..., :4].astype(complex), taps.astype(complex)),
        (x[..., :4].tolist(), taps),
    ]:
        assert module.down(signal, its_taps, [0, 1], 2, False) is None
