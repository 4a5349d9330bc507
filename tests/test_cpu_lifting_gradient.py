"""Tiles, learned taps, threads and arguments of the CPU's derivative of lifting.

``test_lifting_gradient_kernels.py`` compares it with the reference for all layouts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from helpers import paired
from lifting_cases import SCHEMES, data, forward, inverse, scheme_of
from lifting_gradient_cases import check, compare, liftings

import liftwave as lw
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._plan.boundary import LIFTING_MODES

_cpu = pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")
from liftwave._kernels.cpu.family import CpuKernels  # noqa: E402

reference = ReferenceKernels()
cpu = CpuKernels(reference)


@pytest.mark.parametrize(("name", "mode"), paired(SCHEMES, LIFTING_MODES))
def test_several_tiles(name: str, mode: str) -> None:
    """Long enough for tiles with neighbours, and tiles at both ends."""
    scheme = scheme_of(name)
    for n, shape, axis, dtype in (
        (5000, (5000,), 0, "float32"),
        (8191, (8191,), 0, "float32"),
        (5001, (2, 5001), 1, "complex64"),
        (3000, (3000, 3), 0, "float64"),
        (400, (400, 1030), 0, "float32"),
    ):
        for is_analysis, lift in liftings(scheme, n, mode):
            compare(cpu, lift, is_analysis, shape, axis, dtype)


def test_numbers_that_are_not_aligned() -> None:
    lift = inverse(scheme_of("cdf9.7"), 100, "symmetric")
    memory = [np.zeros(8 * 100 + 1, np.uint8)[1:].view(np.float64) for _ in range(2)]
    for k, x in enumerate(memory):
        x[:] = data((100,), "float64", k)
        assert not x.flags.aligned
    copies = [x.copy() for x in memory]
    actual = cpu.lift_vjp(memory[:1], memory[1:], *lift, 0)
    check(cpu, actual, reference.lift_vjp(copies[:1], copies[1:], *lift, 0), copies[:1], copies[1:])


def test_learned_taps_are_served_and_not_remembered() -> None:
    torch = pytest.importorskip("torch")
    lift = forward(scheme_of("db4"), 36, "reflect")
    bands = [torch.from_numpy(data((5, 18), "float32", k)) for k in range(4)]
    taps = [torch.tensor(t, dtype=torch.float64, requires_grad=True) for t in lift.taps]
    scale = [torch.tensor(s, dtype=torch.float64, requires_grad=True) for s in lift.scale]
    signal = torch.from_numpy(data((5, 36), "float32", 4))
    remembered = len(lift.plan.native)
    with torch.no_grad():
        actual = cpu.lift_vjp(bands[:2], bands[2:], lift.plan, taps, scale, 1)
        lifted = cpu.lift_analysis(signal, lift.plan, taps, scale, 1)
    assert len(lift.plan.native) == remembered
    expected = [*cpu.lift_vjp(bands[:2], bands[2:], *lift, 1)]
    actual, expected = [*actual, lifted], [*expected, cpu.lift_analysis(signal, *lift, 1)]
    for got, wanted in zip(actual, expected, strict=True):
        for a, b in zip(got, wanted, strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = lw.get_num_threads()
    yield lw.set_num_threads
    lw.set_num_threads(before)


@pytest.mark.parametrize("axis", [0, 1])
def test_any_number_of_threads(threads: Callable[[int], None], axis: int) -> None:
    lift = forward(scheme_of("cdf9.7"), 1200, "symmetric")
    shape = [1200, 1200]
    shape[axis] = 600
    bands = [data(tuple(shape), "float32", k) for k in range(4)]
    results = []
    for count in (1, 2, 3, 8):
        threads(count)
        results.append(cpu.lift_vjp(bands[:2], bands[2:], *lift, axis))
    for other in results[1:]:
        for got, wanted in zip(other, results[0], strict=True):
            for a, b in zip(got, wanted, strict=True):
                np.testing.assert_array_equal(a, b)


DIGESTS = """
import hashlib, json, numpy as np, liftwave as lw
from liftwave import _dispatch
from liftwave._plan.axis import lift_plan
cpu = _dispatch.families()["cpu"]
digests = []
for name in ("haar", "cdf9.7", "db10", "bior3.7"):
    scheme = lw.LiftingScheme.from_name(name)
    taps = [step.taps for step in scheme.steps]
    for dtype in ("float32", "float64", "complex64"):
        rng = np.random.default_rng(1)
        bands = [rng.standard_normal((130, 801)).astype(dtype) for _ in range(4)]
        back = cpu.lift_vjp(bands[:2], bands[2:], lift_plan(scheme, 1602, "symmetric"), taps,
                            scheme.scale, 1)
        digests += [hashlib.sha256(a.tobytes()).hexdigest() for each in back for a in each]
print(json.dumps(digests))
"""


def test_every_instruction_set_gives_the_same() -> None:
    results = {}
    for isa in _cpu.available_isas():
        environment = os.environ | {"LIFTWAVE_ISA": isa}
        run = subprocess.run(
            [sys.executable, "-c", DIGESTS],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        results[isa] = json.loads(run.stdout)
    assert all(digests == results["baseline"] for digests in results.values())


def module_plan(n: int = 8, taps: tuple[float, ...] = (1.0, 1.0), target: int = 1) -> Any:
    extend = ([], [3]) if target else ([0], [])
    step = (target, False, target - 1, list(taps), (), 0, extend, ([], []))
    return _cpu.LiftPlan(n, 0, [step], (0, 0), (1.0, 1.0))


@pytest.mark.parametrize(
    ("undoing", "transposed", "arrays", "message"),
    [
        ((8, (1.0, 1.0), 1), (10, (1.0, 1.0), 0), "fitting", "lengths differ"),
        ((8, (1.0, 1.0), 1), (8, (1.0,), 0), "fitting", "steps differ"),
        ((8, (1.0, 1.0), 1), (8, (1.0, 1.0), 1), "fitting", "steps differ"),
        ((8, (1.0, 1.0), 1), (8, (1.0, 1.0), 0), "short", "does not belong"),
        ((8, (1.0, 1.0), 1), (8, (1.0, 1.0), 0), "mixed", "dtypes differ"),
    ],
)
def test_what_does_not_belong_is_refused(
    undoing: Any, transposed: Any, arrays: str, message: str
) -> None:
    outputs, cotangents = [np.zeros(4), np.zeros(4)], [np.zeros(4), np.zeros(4)]
    if arrays == "short":
        cotangents[1] = np.zeros(3)
    if arrays == "mixed":
        cotangents = [np.zeros(4, np.float32), np.zeros(4, np.float32)]
    back = _cpu.LiftPullback(0, module_plan(*undoing), module_plan(*transposed), None)
    with pytest.raises(RuntimeError, match=message):
        back.run(outputs, cotangents)


def test_numbers_of_arrays_that_do_not_belong() -> None:
    back = _cpu.LiftPullback(0, module_plan(), module_plan(8, (1.0, 1.0), 0), None)
    zeros = np.zeros(4)
    for outputs, cotangents in (([], []), ([zeros] * 3, [zeros] * 3), ([zeros] * 2, [zeros])):
        with pytest.raises(RuntimeError, match=r"expected|for each output"):
            back.run(outputs, cotangents)
    assert back.run([zeros, [0.0] * 4], [zeros, zeros]) is None
