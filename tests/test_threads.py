"""Calls from many threads at once, while plans are built, cached and dropped."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers import axis_plans, zero_mean

import liftwave as lw
from liftwave._plan import planning as _planning
from liftwave.errors import ArgumentTypeError, ThreadsError

CALLERS = 6


@pytest.fixture
def eager() -> Iterator[None]:
    """Threads switch as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(call: Callable[[int], None]) -> None:
    """Run ``call(0)``, ``call(1)``, … in threads that start together; raise their errors."""
    failures: list[BaseException] = []
    start = threading.Barrier(CALLERS)

    def run(caller: int) -> None:
        try:
            start.wait(timeout=60)
            call(caller)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(caller,)) for caller in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    assert not any(thread.is_alive() for thread in threads)
    if failures:
        raise failures[0]


def check(n: int, family: str) -> None:
    """One level of Haar and its inverse, by the formula."""
    with lw.kernels(family):
        x = zero_mean(2 * n, n)
        cA, cD = lw.dwt(x, "haar")
        back = lw.idwt(cA, cD, "haar")
    np.testing.assert_allclose(cA, (x[0::2] + x[1::2]) / np.sqrt(2), atol=1e-14)
    np.testing.assert_allclose(back, x, atol=1e-14)


@pytest.mark.usefixtures("eager")
def test_plans_that_other_threads_drop(kernels: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_planning, "_MAX_SHAPES", 1)  # each new shape drops the previous one

    def call(caller: int) -> None:
        for n in range(1, 300):
            check(n + 10 * caller, kernels.name)

    at_once(call)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("order", range(2, 8))
def test_wavelets_that_nobody_used_before(order: int, kernels: Any) -> None:
    bank = lw.FilterBank(*lw.Wavelet(f"db{order}").filter_bank)
    scheme = replace(lw.LiftingScheme.from_name(f"db{order}"), name="used by all at once")
    x = zero_mean((30, 41), order)
    with lw.kernels("reference"):
        expected = lw.dwt2(x, f"db{order}"), lw.dwt2(x, f"db{order}", "periodization")

    def call(_: int) -> None:
        with lw.kernels(kernels.name):
            got = lw.dwt2(x, bank), lw.dwt2(x, scheme, "periodization")
        np.testing.assert_array_equal(got[0][1][2], expected[0][1][2])
        np.testing.assert_allclose(got[1][1][2], expected[1][1][2], atol=1e-8)

    at_once(call)


def test_plans_are_used_even_if_they_are_dropped_at_once() -> None:
    class Forgetful(dict[Any, Any]):
        def __setitem__(self, key: Any, value: Any) -> None:
            pass  # another thread has just dropped all plans

    plans = axis_plans((0,), "haar", "symmetric")
    plans = type(plans)(plans)
    plans.cache = Forgetful()
    assert _planning.plan_analysis((6,), plans, 1).shapes == ((3,), (3,))
    merging = _planning.plan_synthesis(((3,), (3,)), (("d",),), True, plans, False)
    assert merging.shape == (6,)


@pytest.mark.usefixtures("eager")
def test_families_of_kernels_are_chosen_per_thread() -> None:
    def call(caller: int) -> None:
        name = "reference"
        for _ in range(50):
            with lw.kernels(name):
                check(20 + caller, name)
        with pytest.raises(ValueError, match="unknown kernels"), lw.kernels("none"):
            pass

    at_once(call)


@pytest.mark.parametrize(
    ("count", "error", "message"),
    [
        (0, ThreadsError, "from 1 to 2147483647, got 0"),
        (-3, ThreadsError, "got -3"),
        (2**31, ThreadsError, "got 2147483648"),
        (2**70, ThreadsError, "got 1180591620717411303424"),
        ("two", ArgumentTypeError, "must be an integer, got 'two'"),
        (2.5, ArgumentTypeError, "must be an integer, got 2.5"),
    ],
)
def test_a_number_of_threads_that_is_none(count: Any, error: type[Exception], message: str) -> None:
    before = lw.get_num_threads()
    with pytest.raises(error, match=message):
        lw.set_num_threads(count)
    assert lw.get_num_threads() == before
