"""Filter plans of any stride, dilation and extension: the reference kernels and their adjoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from families import reference
from filter_comparison import filters_of, numbers

from liftwave._plan.axis import Dilated, FilterPlan, analysis_padding, joined_plan
from liftwave._plan.boundary import EXTENSION_MODES, Extension, signal_extension

STEPS = ((1, 1), (1, 3), (2, 1), (2, 2), (3, 2), (4, 2))
"""Strides and dilations: (4, 2) is that of a dual tree."""


def plans(mode: Any) -> Iterator[FilterPlan]:
    """Analyses of short signals in a mode, and those of joined ends."""
    for stride, dilation in STEPS:
        for n, length, phase in ((5, 2, 0), (8, 6, 5), (13, 5, 3 * dilation), (2, 6, 1)):
            n_out = -(-n // stride)
            padding = analysis_padding(n, 0, n_out, Dilated(length, phase, stride, dilation))
            extend, fold = signal_extension(n, mode, *padding), Extension(n_out)
            yield FilterPlan(n_out, length, phase, extend, fold, stride, dilation, 0.5)
            if mode == "periodic":
                yield joined_plan(n, length, phase, dilation, 0.5)


def matrix(function: Callable[[Any], Any], n: int) -> Any:
    """The matrix of a linear function of ``n`` numbers."""
    return np.stack([function(column) for column in np.eye(n)], -1)


def written_out(plan: FilterPlan, taps: tuple[float, ...]) -> Any:
    """The matrix of an analysis, by its definition."""
    n, before = plan.n_in, len(plan.extend.left)
    inside = [((i, 1.0),) for i in range(n)]
    rows = [*plan.extend.left, *inside, *plan.extend.right]
    result = np.zeros((plan.n_out, n))
    for k in range(plan.n_out):
        for j, tap in enumerate(taps):
            place = plan.stride * k + plan.phase - plan.dilation * j
            row = ((place % n, 1.0),) if plan.extend.joined else rows[place + before]
            for index, weight in row:
                result[k, index] += plan.factor * tap * weight
    return result


@pytest.mark.parametrize("mode", EXTENSION_MODES)
def test_analysis_is_the_formula(mode: Any) -> None:
    for plan in plans(mode):
        (taps,) = filters_of(plan.length, 1)
        found = matrix(lambda x, p=plan, f=taps: reference.analysis(x, [f], p, 0)[0], plan.n_in)
        np.testing.assert_allclose(found, written_out(plan, taps), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("mode", EXTENSION_MODES)
def test_adjoints_are_transposes(mode: Any) -> None:
    for plan in plans(mode):
        (taps,), adjoint = filters_of(plan.length, 1), plan.analysis_adjoint()
        expected, back = written_out(plan, taps), adjoint.synthesis_adjoint()

        def merged(y: Any, plan: FilterPlan = adjoint, taps: Any = taps) -> Any:
            return reference.synthesis([y], [taps[::-1]], plan, 0)

        def split(x: Any, plan: FilterPlan = back, taps: Any = taps) -> Any:
            return reference.analysis(x, [taps], plan, 0)[0]

        np.testing.assert_allclose(matrix(merged, plan.n_out), expected.T, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(matrix(split, plan.n_in), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("mode", EXTENSION_MODES)
def test_gradients_are_those_of_each_tap(mode: Any) -> None:
    for plan in plans(mode):
        x, y = numbers(1, plan.n_in), numbers(2, plan.n_out)
        (found,) = reference.tap_gradients(x, [y], plan, 0)
        units = map(tuple, np.eye(plan.length))
        expected = [y @ reference.analysis(x, [taps], plan, 0)[0] for taps in units]
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def test_joined_ends_are_reached_from_any_distance() -> None:
    x, (taps,) = numbers(3, 7), filters_of(4, 1)
    far, near = joined_plan(7, 4, 7 * 2**40 + 3, 2**50 * 7 + 2, 1.0), joined_plan(7, 4, 3, 2, 1.0)
    np.testing.assert_array_equal(
        reference.analysis(x, [taps], far, 0)[0], reference.analysis(x, [taps], near, 0)[0]
    )
