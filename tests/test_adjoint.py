"""Adjoints are plans: the kernels that run them compute the transposes, up to rounding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pytest
import pywt
from helpers import LIFTING_MODES, MODES, Library, assert_close, eps, matrix, zero_mean

import liftwave as lw
from liftwave._plan.axis import (
    FilterPlan,
    LiftPlan,
    analysis_plan,
    lift_plan,
    synthesis_plan,
    upsampling_plan,
)

LENGTHS = (1, 2, 3, 5, 8, 9, 16, 31)
WAVELETS = ("haar", "db2", "db5", "bior2.2", "bior3.1", "sym8")


def random_scheme(seed: int) -> lw.LiftingScheme:
    """Long steps with distant taps, two consecutive steps of one kind, shifted bands."""
    rng = np.random.default_rng(seed)
    steps = [
        lw.LiftingStep(kind, rng.uniform(-1, 1, length), offset)
        for kind, length, offset in (
            ("update", 3, -4),
            ("predict", 5, 1),
            ("predict", 1, -2),
            ("update", 4, 0),
        )
    ]
    return lw.LiftingScheme(steps, (1.3, -0.7), shift=(2, -1))


SCHEMES = {
    name: lw.LiftingScheme.from_name(name)
    for name in ("haar", "cdf5.3", "cdf9.7", "db3", "bior1.3", "rbio3.3")
}
SCHEMES["random"] = random_scheme(1)
SCHEMES["no steps"] = lw.LiftingScheme([], (2.0, 3.0))


# --- running plans -------------------------------------------------------------------------------


def reversed_taps(filters: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
    return [tuple(taps)[::-1] for taps in filters]


def bands_in_a_row(bands: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(list(bands), axis=-1)


def weight_of(plan: FilterPlan | LiftPlan) -> float:
    """The largest weight in the plan's rows; it bounds the ratio of terms to their sum."""
    extensions = [plan.extend, plan.fold] if isinstance(plan, FilterPlan) else [plan.edge]
    rows = [row for e in extensions for row in (*e.left, *e.right)]
    return max([1.0, *(abs(weight) for row in rows for _, weight in row)])


class Pair:
    """A linear map computed by its plan, and the map computed by the adjoint plan."""

    def __init__(
        self,
        forward: Callable[[Any], Any],
        backward: Callable[[Any], Any],
        n: int,
        m: int,
        scale: float,
    ) -> None:
        self.forward, self.backward, self.n, self.m, self.scale = forward, backward, n, m, scale


Filters: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]


def analysis_filters(wavelet: str) -> Filters:
    bank = pywt.Wavelet(wavelet)
    return tuple(bank.dec_lo), tuple(bank.dec_hi)


def analysis_pair(kernels: Any, filters: Filters, n: int, mode: str) -> Pair:
    plan = analysis_plan(n, len(filters[0]), mode)
    adjoint, m = plan.analysis_adjoint(), plan.n_out
    return Pair(
        lambda x: bands_in_a_row(kernels.analysis(x, filters, plan, x.ndim - 1)),
        lambda y: kernels.synthesis(
            (y[..., :m], y[..., m:]), reversed_taps(filters), adjoint, y.ndim - 1
        ),
        n,
        2 * m,
        float(np.abs(filters).sum()) * weight_of(plan),
    )


def synthesis_pair(kernels: Any, wavelet: str, m: int, plan: FilterPlan) -> Pair:
    bank = pywt.Wavelet(wavelet)
    filters = (tuple(bank.rec_lo), tuple(bank.rec_hi))
    adjoint = plan.synthesis_adjoint()
    return Pair(
        lambda y: kernels.synthesis((y[..., :m], y[..., m:]), filters, plan, y.ndim - 1),
        lambda x: bands_in_a_row(kernels.analysis(x, reversed_taps(filters), adjoint, x.ndim - 1)),
        2 * m,
        plan.n_out,
        float(np.abs(filters).sum()) * weight_of(plan),
    )


def lifting_pair(kernels: Any, scheme: lw.LiftingScheme, n: int, mode: str) -> Pair:
    plan = lift_plan(scheme, n, mode)
    adjoint = plan.adjoint()
    taps = [step.taps for step in scheme.steps]
    mirrored = [t[::-1] for t in reversed(taps)]
    m = (n + 1) // 2

    def backward(y: Any) -> Any:
        return kernels.lift_synthesis(
            y[..., :m], y[..., m:], adjoint, mirrored, scheme.scale, y.ndim - 1
        )

    return Pair(
        lambda x: bands_in_a_row(kernels.lift_analysis(x, plan, taps, scheme.scale, x.ndim - 1)),
        backward,
        n,
        m + (m if mode == "periodization" else n - m),
        growth_of(scheme),
    )


def unlifting_pair(kernels: Any, scheme: lw.LiftingScheme, n: int, mode: str) -> Pair:
    """The inverse of lifting, and the adjoint of that inverse."""
    plan = lift_plan(scheme, n, mode).inverse()
    adjoint = plan.adjoint()
    taps = [step.taps for step in reversed(scheme.steps)]
    mirrored = [t[::-1] for t in reversed(taps)]
    scale = tuple(1 / s for s in scheme.scale)
    m = (n + 1) // 2

    def forward(y: Any) -> Any:
        return kernels.lift_synthesis(y[..., :m], y[..., m:], plan, taps, scale, y.ndim - 1)

    return Pair(
        forward,
        lambda x: bands_in_a_row(kernels.lift_analysis(x, adjoint, mirrored, scale, x.ndim - 1)),
        m + (m if mode == "periodization" else n - m),
        n,
        growth_of(scheme) / min(map(abs, scheme.scale)) ** 2,
    )


def growth_of(scheme: lw.LiftingScheme) -> float:
    """A bound on every intermediate value of a scheme, for samples of at most one."""
    channels = [1.0, 1.0]
    for step in scheme.steps:
        channels[step.target_parity] += sum(map(abs, step.taps)) * channels[1 - step.target_parity]
    return max(1.0, *map(abs, scheme.scale)) * max(channels)


# --- transposes ----------------------------------------------------------------------------------


def check_transpose(pair: Pair) -> None:
    """The dense matrices, entry by entry."""
    there, back = matrix(pair.forward, pair.n), matrix(pair.backward, pair.m)
    assert there.shape == (pair.m, pair.n)
    assert np.abs(there).max() > 0.1
    assert_close(back, np.ascontiguousarray(there.T), ulps=8, scale=pair.scale)


def check_dot_products(pair: Pair, seed: int) -> None:
    """<A x, y> = <x, A* y> on random data of zero mean, in each precision."""
    for dtype in ("float32", "float64", "complex128"):
        x, y = zero_mean(pair.n, seed, dtype), zero_mean(pair.m, seed + 1, dtype)
        forward, backward = pair.forward(x), pair.backward(y)
        assert forward.dtype == backward.dtype == np.dtype(dtype)
        gap = abs(np.vdot(y, forward) - np.vdot(backward, x))
        assert gap <= 8 * eps(x) * pair.scale * np.linalg.norm(x) * np.linalg.norm(y)


@pytest.mark.parametrize("wavelet", WAVELETS)
@pytest.mark.parametrize("mode", MODES)
def test_analysis(mode: str, wavelet: str, kernels: Any) -> None:
    for n in LENGTHS:
        pair = analysis_pair(kernels, analysis_filters(wavelet), n, mode)
        check_transpose(pair)
        check_dot_products(pair, n)


@pytest.mark.parametrize("wavelet", WAVELETS)
@pytest.mark.parametrize("mode", ["symmetric", "periodization"])
def test_synthesis(mode: str, wavelet: str, kernels: Any) -> None:
    """(The synthesis is the same for all modes except periodization.)"""
    length = pywt.Wavelet(wavelet).rec_len
    for n in LENGTHS:
        m = pywt.dwt_coeff_len(n, length, mode)
        pair = synthesis_pair(kernels, wavelet, m, synthesis_plan(m, length, mode))
        check_transpose(pair)
        check_dot_products(pair, n)


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_upsampling(wavelet: str, kernels: Any) -> None:
    for m in LENGTHS:
        pair = synthesis_pair(
            kernels, wavelet, m, upsampling_plan(m, pywt.Wavelet(wavelet).rec_len)
        )
        check_transpose(pair)
        check_dot_products(pair, m)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_lifting(mode: str, name: str, kernels: Any) -> None:
    for n in LENGTHS:
        pair = lifting_pair(kernels, SCHEMES[name], n, mode)
        check_transpose(pair)
        check_dot_products(pair, n)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_inverse_lifting(mode: str, name: str, kernels: Any) -> None:
    for n in LENGTHS:
        pair = unlifting_pair(kernels, SCHEMES[name], n, mode)
        check_transpose(pair)
        check_dot_products(pair, n)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_every_length(mode: str, kernels: Any) -> None:
    for n in range(1, 41):
        for wavelet in ("haar", "db2", "db3", "bior4.4", "db10"):
            check_transpose(analysis_pair(kernels, analysis_filters(wavelet), n, mode))
        for scheme in SCHEMES.values() if mode in LIFTING_MODES else ():
            check_transpose(lifting_pair(kernels, scheme, n, mode))
            check_transpose(unlifting_pair(kernels, scheme, n, mode))


# --- the adjoint of the adjoint ------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_twice_transposed_analysis_is_the_analysis(mode: str, kernels: Any) -> None:
    for wavelet in WAVELETS:
        filters = analysis_filters(wavelet)
        for n in LENGTHS:
            plan = analysis_plan(n, len(filters[0]), mode)
            twice = plan.analysis_adjoint().synthesis_adjoint()
            assert (twice.n_out, twice.phase) == (plan.n_out, plan.phase)
            expected = filter_matrix(kernels, filters, plan, n)
            assert_close(filter_matrix(kernels, filters, twice, n), expected, ulps=0)


def filter_matrix(kernels: Any, filters: Filters, plan: FilterPlan, n: int) -> np.ndarray:
    return matrix(lambda x: bands_in_a_row(kernels.analysis(x, filters, plan, 1)), n)


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_twice_transposed_lifting_is_the_lifting(mode: str, kernels: Any) -> None:
    for scheme in SCHEMES.values():
        for n in LENGTHS:
            plan = lift_plan(scheme, n, mode)
            twice = plan.adjoint().adjoint()
            expected = lift_matrix(kernels, scheme, plan, n)
            assert_close(lift_matrix(kernels, scheme, twice, n), expected, ulps=0)


def lift_matrix(kernels: Any, scheme: lw.LiftingScheme, plan: LiftPlan, n: int) -> np.ndarray:
    taps = [step.taps for step in scheme.steps]
    return matrix(
        lambda x: bands_in_a_row(kernels.lift_analysis(x, plan, taps, scheme.scale, 1)), n
    )


# --- any axis of any array -----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["antireflect", "smooth", "periodization", "symmetric"])
def test_any_axis_of_any_library(mode: str, xp: Library, kernels: Any) -> None:
    """The adjoint of a batch is the batch of adjoints, for every position of the axis."""
    bank = pywt.Wavelet("db3")
    filters = (tuple(bank.dec_lo), tuple(bank.dec_hi))
    plan = analysis_plan(9, 6, mode)
    bands = [zero_mean((2, plan.n_out, 3), k) for k in (1, 2)]
    transposed = matrix(lambda x: bands_in_a_row(kernels.analysis(x, filters, plan, x.ndim - 1)), 9)
    expected = np.einsum("mn,bmc->bnc", transposed, np.concatenate(bands, axis=1))
    actual = kernels.synthesis(
        [xp.asarray(b) for b in bands], reversed_taps(filters), plan.analysis_adjoint(), 1
    )
    assert_close(actual, xp.asarray(expected), ulps=16, scale=50.0)


# --- not-a-number --------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [2, 4, 6])
@pytest.mark.parametrize("mode", MODES)
def test_nan_does_not_spread_beyond_what_names_it(mode: str, length: int, kernels: Any) -> None:
    """Folding must not multiply by the zeros that pad short rows: 0 * nan is nan."""
    filters = (tuple(zero_mean(length, 1) + 2), tuple(zero_mean(length, 2) - 3))
    for n in (2, 3, 5, 8, 16):
        check_nan(analysis_pair(kernels, filters, n, mode))


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_nan_does_not_spread_in_lifting(mode: str, name: str, kernels: Any) -> None:
    steps = [
        lw.LiftingStep(step.kind, zero_mean(step.length, seed) + 2, step.offset)
        for seed, step in enumerate(SCHEMES[name].steps)
    ]
    for n in (2, 3, 5, 8, 16):
        check_nan(lifting_pair(kernels, lw.LiftingScheme(steps, shift=(1, 0)), n, mode))


def check_nan(pair: Pair) -> None:
    """NaN samples affect their coefficients only; NaN coefficients affect their samples only.

    (The taps are in general position: nothing cancels, so the matrix shows all dependences.)
    """
    takes_part = matrix(pair.forward, pair.n) != 0
    for k in range(pair.m):
        spread = np.isnan(pair.backward(np.where(np.arange(pair.m) == k, np.nan, 1.0)))
        assert spread.tolist() == takes_part[k].tolist()
    for i in range(pair.n):
        spread = np.isnan(pair.forward(np.where(np.arange(pair.n) == i, np.nan, 1.0)))
        assert spread.tolist() == takes_part[:, i].tolist()
