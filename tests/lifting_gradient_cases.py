"""The derivative of lifting along one axis: its cases, and its comparison with the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from families import is_exact, reference
from lifting_cases import Lift, adjoint, data, forward, inverse

from liftwave._kernels.contract import LiftPullback
from liftwave.lifting import LiftingScheme


def liftings(scheme: LiftingScheme, n: int, mode: Any) -> Iterator[tuple[bool, Lift]]:
    """Analyses (True) and syntheses, including transposed ones."""
    yield True, forward(scheme, n, mode)
    yield True, adjoint(inverse(scheme, n, mode))
    if mode != "periodization" or n % 2 == 0:  # syntheses that drop no sample
        yield False, inverse(scheme, n, mode)
        yield False, adjoint(forward(scheme, n, mode))


def compare(
    family: Any,
    lift: Lift,
    is_analysis: bool,
    shape: tuple[int, ...],
    axis: int,
    dtype: str,
    view: Callable[[Any], Any] = lambda x: x,
) -> None:
    """Both kernels on (views of) random outputs and cotangents."""
    x = view(data(shape, dtype))
    if is_analysis:
        twice = np.concatenate([x, x[..., ::-1]], axis=axis)
        outputs = [np.take(twice, np.arange(m), axis=axis) for m in lift.lengths()]
        cotangents = [data(b.shape, dtype, 2 + k) for k, b in enumerate(outputs)]
    else:
        outputs, cotangents = [x], [view(data(shape, dtype, 1))]
    actual = family.lift_vjp(outputs, cotangents, *lift, axis)
    expected = reference.lift_vjp(outputs, cotangents, *lift, axis)
    check(family, actual, expected, outputs, cotangents)


def check(
    family: Any,
    actual: LiftPullback,
    expected: LiftPullback,
    outputs: list[Any],
    cotangents: list[Any],
) -> None:
    """Values and cotangents are equal, or equal up to rounding; gradients up to that of sums."""
    terms = sum(2 + len(gradient) for gradient in expected.taps)
    for got, wanted, others in (
        (actual.inputs, expected.inputs, outputs),
        (actual.cotangents, expected.cotangents, cotangents),
    ):
        # Values grow in the inverse.
        size = max(float(np.abs(x).max(initial=1.0)) for x in (*wanted, *others))
        rounding = 0 if is_exact(family) else 4 * terms * size
        for a, e in zip(got, wanted, strict=True):
            near(a, e, rounding)
    # The product of the norms bounds the terms of the sums.
    values, pulled = [*expected.inputs, *outputs], [*expected.cotangents, *cotangents]
    size = max(map(norm, values)) * max(map(norm, pulled))
    rounding = (64 if is_exact(family) else 16 * terms) * size
    for a, e in zip([*actual.taps, *actual.scale], [*expected.taps, *expected.scale], strict=True):
        near(a, e, rounding)


def near(actual: Any, expected: Any, rounding: float) -> None:
    """Equal within this number of eps."""
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    tolerance = rounding * np.finfo(expected.dtype).eps
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance)


def norm(x: Any) -> float:
    return float(np.linalg.norm(x.ravel()))
