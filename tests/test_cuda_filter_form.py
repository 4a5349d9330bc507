"""Lifting as filter banks: the same bands in double precision, and the choice between both."""

from __future__ import annotations

import numpy as np
import pytest
from families import reference
from helpers import axis_plans
from lifting_cases import Lift, adjoint, data, forward, inverse, scheme_of

from liftwave._kernels.cuda.lifting.filter_form import Kind, filter_form
from liftwave._kernels.cuda.passes import work_of
from liftwave._plan.levels import FilterStep
from liftwave._plan.planning import plan_analysis

# Schemes whose steps are symmetric, others, and a long one.
SYMMETRIC, OTHERS, LONG = (
    ("cdf5.3", "cdf9.7", "bior2.6"),
    ("haar", "db2", "sym8", "bior3.7"),
    "db15",
)
LENGTHS = (1, 2, 3, 4, 7, 8, 30, 31)


def compare(kind: Kind, lift: Lift) -> bool:
    """Whether there is a filter bank; it computes the same as the steps."""
    form = filter_form(kind, lift.step(0))
    if form is None:
        return False
    if kind == "analysis":
        x = data((lift.plan.n, 3), "float64")
        results = reference.analysis(x, form.filters, form.plan, 0)
        expected = reference.lift_analysis(x, lift.plan, lift.taps, lift.scale, 0)
    else:
        bands = [data((n, 3), "float64", k) for k, n in enumerate(lift.lengths())]
        results = [reference.synthesis(bands, form.filters, form.plan, 0)]
        expected = [reference.lift_synthesis(*bands, lift.plan, lift.taps, lift.scale, 0)]
    for a, b in zip(results, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-13)
    return True


@pytest.mark.parametrize("name", [*SYMMETRIC, *OTHERS])
def test_ends_that_are_joined(name: str) -> None:
    scheme = scheme_of(name)
    for n in LENGTHS:
        lift, back = forward(scheme, n, "periodization"), inverse(scheme, n, "periodization")
        assert compare("analysis", lift)
        assert compare("synthesis", back)
        # The adjoint of a padded sample is a fold.
        assert compare("synthesis", adjoint(lift)) == (n % 2 == 0)
        assert compare("analysis", adjoint(back)) == (n % 2 == 0)


@pytest.mark.parametrize("name", [*SYMMETRIC, *OTHERS])
@pytest.mark.parametrize("mode", ["reflect", "symmetric", "constant", "zero"])
def test_ends_of_signals(name: str, mode: str) -> None:
    """Mirrored signals stay mirrored if steps are symmetric. Haar's steps meet no ends."""
    for n in LENGTHS[1:]:
        is_filter_bank = compare("analysis", forward(scheme_of(name), n, mode))
        if mode == "reflect" and n > 4:  # short signals are the same in several modes
            assert is_filter_bank == (n % 2 == 0 and (name in SYMMETRIC or name == "haar"))
        compare("synthesis", inverse(scheme_of(name), n, mode))
        compare("synthesis", adjoint(forward(scheme_of(name), n, mode)))


def test_no_filter_bank() -> None:
    """Of long filters, of integers, and of learned taps."""
    assert filter_form("analysis", forward(scheme_of(LONG), 64, "periodization").step(0)) is None
    integers = scheme_of("cdf5.3").to_integer()
    assert filter_form("analysis", forward(integers, 64, "periodization").step(0)) is None
    lift = forward(scheme_of("haar"), 64, "periodization")
    learned = lift._replace(taps=tuple(np.array(taps) for taps in lift.taps))
    assert filter_form("analysis", learned.step(0)) is None


def test_only_float32_and_halves_use_it() -> None:
    plan = plan_analysis((16, 16), axis_plans((0, 1), scheme_of("cdf9.7"), "periodization"), 1)
    work = work_of("analysis", plan.levels[0].analysis_steps)
    assert work.groups is not None
    assert work.passes is None
    for dtype in ("float32", "float16", "bfloat16", "complex64"):
        assert work.of(dtype).groups is None
        (only,) = work.of(dtype).passes or ()
        assert only.pair is not None
        assert isinstance(only.first, FilterStep)
    for dtype in ("float64", "complex128", "int16"):
        assert work.of(dtype) is work
