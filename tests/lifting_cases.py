"""Lifting along one axis: schemes, data, plans, layouts; and its comparison with the reference."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from families import is_exact, reference

from liftwave._plan.axis import LiftPlan, lift_plan
from liftwave._plan.levels import LiftStep
from liftwave._plan.planning import step_taps
from liftwave.lifting import LiftingScheme, LiftingStep

NAMES = ["haar", "cdf5.3", "cdf9.7", "db4", "db10", "sym8"]
NAMES += ["bior1.5", "bior3.7", "rbio3.3", "bior5.5"]
CUSTOM = [f"custom {seed}" for seed in range(6)]
SCHEMES = NAMES + CUSTOM
FLOATS = ("float32", "float64", "complex64", "complex128")
INTEGERS = ("int16", "int32", "int64")
LENGTHS = (*range(1, 41), 257)


@cache
def scheme_of(name: str) -> LiftingScheme:
    """A wavelet's scheme, or one with up to five random steps with distant taps on both sides."""
    if not name.startswith("custom"):
        return LiftingScheme.from_name(name)
    rng = random.Random(name)
    steps = tuple(
        LiftingStep(
            rng.choice(["predict", "update"]),
            [rng.uniform(-1, 1) for _ in range(rng.randint(1, 9))],
            rng.randint(-9, 9),
        )
        for _ in range(rng.randint(2, 5))
    )
    scale = (rng.uniform(0.5, 2), -rng.uniform(0.5, 2))
    return LiftingScheme(steps, scale, shift=(rng.randint(-9, 9), rng.randint(-9, 9)))


def data(shape: tuple[int, ...], dtype: str, seed: int = 0) -> Any:
    """Random samples; integers from the full range of their dtype."""
    rng = np.random.default_rng([seed, *shape])
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return rng.integers(limits.min, limits.max, shape, dtype=kind, endpoint=True)
    x = rng.standard_normal(shape)
    if kind.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(kind)


class Lift(NamedTuple):
    """A plan of one axis, and its numbers."""

    plan: LiftPlan
    taps: tuple[Any, ...]
    scale: tuple[float, float]

    def lengths(self) -> tuple[int, int]:
        padded = self.plan.n + len(self.plan.edge.right)
        return (padded + 1) // 2, padded // 2

    def step(self, axis: int) -> LiftStep:
        return LiftStep(axis, self.plan, self.taps, self.scale)


def forward(scheme: LiftingScheme, n: int, mode: Any) -> Lift:
    return Lift(lift_plan(scheme, n, mode), step_taps(scheme), scheme.scale)


def inverse(scheme: LiftingScheme, n: int, mode: Any) -> Lift:
    scale = (1 / scheme.scale[0], 1 / scheme.scale[1])
    taps = tuple(reversed(step_taps(scheme)))
    return Lift(lift_plan(scheme, n, mode).inverse(), taps, scale)


def adjoint(lift: Lift) -> Lift:
    taps = tuple(tuple(reversed(t)) for t in reversed(lift.taps))
    return Lift(lift.plan.adjoint(), taps, lift.scale)


LAYOUTS: dict[str, tuple[Callable[[int], tuple[int, ...]], int, Callable[[Any], Any]]] = {
    "rows": (lambda n: (3, n), 1, lambda x: x),
    "columns": (lambda n: (n, 5), 0, lambda x: x),
    "many columns": (lambda n: (n, 150), 0, lambda x: x),
    "middle": (lambda n: (3, n, 70), 1, lambda x: x),
    "one column": (lambda n: (2, n, 1), 1, lambda x: x),
    "transposed": (lambda n: (6, n), 0, lambda x: x.T),
    "axes swapped": (lambda n: (4, n, 3), 0, lambda x: x.transpose(1, 0, 2)),
    "every second, backwards": (lambda n: (6, 2 * n), 1, lambda x: x[::2, ::-2]),
    "backwards": (lambda n: (n, 4), 0, lambda x: x[::-1]),
    "repeated": (lambda n: (n,), 1, lambda x: np.broadcast_to(x, (3, x.size))),
    "empty": (lambda n: (0, n), 1, lambda x: x),
}


def analyses(scheme: LiftingScheme, n: int, mode: Any) -> Iterator[Lift]:
    """The maps to two bands: the transform, and the adjoint of its inverse."""
    yield forward(scheme, n, mode)
    if not scheme.integer:
        yield adjoint(inverse(scheme, n, mode))


def syntheses(scheme: LiftingScheme, n: int, mode: Any) -> Iterator[Lift]:
    """The maps from two bands: the inverse, and the adjoint of the transform."""
    yield inverse(scheme, n, mode)
    if not scheme.integer:
        yield adjoint(forward(scheme, n, mode))


def terms_of(*lifts: Lift) -> int:
    return sum(2 + len(taps) for lift in lifts for taps in lift.taps)


def assert_same(actual: Any, expected: Any) -> None:
    assert actual.dtype == expected.dtype
    assert tuple(actual.shape) == tuple(expected.shape)
    np.testing.assert_array_equal(actual, expected)


def assert_close(actual: Any, expected: Any, terms: int, work: str | None = None) -> None:
    """Equal up to the rounding of ``terms`` terms as large as the largest result."""
    assert actual.dtype == expected.dtype
    assert tuple(actual.shape) == tuple(expected.shape)
    a, e = np.asarray(actual), np.asarray(expected)
    if e.dtype.kind in "iu" or not e.size:
        np.testing.assert_array_equal(a, e)
        return
    eps = np.finfo(work or e.dtype).eps
    tolerance = 4 * terms * eps * max(1.0, float(np.abs(e).max()))
    np.testing.assert_allclose(a, e, rtol=0, atol=tolerance)


def compare_axis(
    family: Any,
    scheme: LiftingScheme,
    mode: Any,
    shape: tuple[int, ...],
    axis: int,
    dtype: str,
    view: Callable[[Any], Any] = lambda x: x,
) -> None:
    """All directions along one axis of (a view of) random data."""
    x = view(data(shape, dtype))
    n = x.shape[axis]

    def check(actual: Any, expected: Any, lift: Lift) -> None:
        if is_exact(family):
            assert_same(actual, expected)
        else:
            assert_close(actual, expected, terms_of(lift))

    for lift in analyses(scheme, n, mode):
        bands = family.lift_analysis(x, *lift, axis)
        for a, e in zip(bands, reference.lift_analysis(x, *lift, axis), strict=True):
            check(a, e, lift)
    for lift in syntheses(scheme, n, mode):
        twice = np.concatenate([x, x], axis=axis)
        bands = [np.take(twice, np.arange(m), axis=axis) for m in lift.lengths()]
        if axis == x.ndim - 1 and n > 1:  # a strided view as a band
            bands[0] = twice[..., : 2 * lift.lengths()[0] : 2]
        expected = reference.lift_synthesis(*bands, *lift, axis)
        check(family.lift_synthesis(*bands, *lift, axis), expected, lift)
