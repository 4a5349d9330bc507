"""Constraints on learned filters: penalties, orthonormal filters, symmetric and free lifting."""

from __future__ import annotations

from functools import partial
from math import pi, sqrt
from typing import Any

import numpy as np
import pytest
import pywt
import torch
from helpers import assert_close, eps, to_numpy, zero_mean

import liftwave as lw
from liftwave import constraints as lc
from liftwave.constraints.design import _LogPowers, _Objective
from liftwave.errors import ArgumentTypeError, ConstraintError, ShapeError
from liftwave.wavelets.lifting.lattice import filters_from_angles

ROOT_HALF = sqrt(0.5)
ORTHONORMAL = [w for f in ("haar", "db", "sym", "coif") for w in pywt.wavelist(f)]
SYMMETRIC = ("bior2.2", "bior2.8", "bior4.4", "bior5.5", "bior6.8", "rbio2.6", "rbio4.4", "rbio6.8")


# --- penalties -----------------------------------------------------------------------------------


def of_low(low):
    return (sum(v * v for v in low) - 1) ** 2 + (sum(low) - 2**0.5) ** 2


def of_high(high):
    return (sum(v * v for v in high) - 1) ** 2 + sum(high) ** 2


def reverse(low, high):
    return (sum(v * v for v in low) + sum(v * v for v in high) - 2) ** 2


def symmetric(low, high, symmetry="linear-phase"):
    K = len(low)
    sign = -1 if symmetry == "linear-phase" and K % 2 == 0 else 1
    pairs = [(i, K - 1 - i) for i in range(K // 2)]
    return sum((low[i] - low[j]) ** 2 + (high[i] - sign * high[j]) ** 2 for i, j in pairs)


def shifts(low):
    lags = range(0, len(low), 2)
    products = [sum(low[i] * low[i + m] for i in range(len(low) - m)) for m in lags]
    return sum((p - (m == 0)) ** 2 for p, m in zip(products, lags, strict=True))


def orthonormal(low, high):
    low, high = ([*f, 0.0] if len(f) % 2 else list(f) for f in (low, high))
    K = len(low)
    return shifts(low) + sum((high[i] - (-1) ** i * low[K - 1 - i]) ** 2 for i in range(K))


def wavelet(low, high, symmetry="linear-phase"):
    return (
        of_low(low)
        + of_high(high)
        + reverse(low, high)
        + (symmetric(low, high, symmetry) if symmetry else 0.0)
    )


# Each penalty, and its formula for lists.
PENALTIES = {
    "low": (lambda low, high: lc.lowpass_penalty(low), lambda low, high: of_low(low)),
    "high": (lambda low, high: lc.highpass_penalty(high), lambda low, high: of_high(high)),
    "reverse": (lc.reversibility_penalty, reverse),
    "linear phase": (lc.symmetry_penalty, symmetric),
    "paper": (
        partial(lc.symmetry_penalty, symmetry="paper"),
        partial(symmetric, symmetry="paper"),
    ),
    "shifts": (lambda low, high: lc.orthonormality_penalty(low), lambda low, high: shifts(low)),
    "orthonormal": (lc.orthonormality_penalty, orthonormal),
    "wavelet": (lc.wavelet_penalty, wavelet),
    "wavelet, paper": (
        partial(lc.wavelet_penalty, symmetry="paper"),
        partial(wavelet, symmetry="paper"),
    ),
    "wavelet, orthonormal": (
        partial(lc.wavelet_penalty, symmetry=None, orthonormal=True),
        lambda low, high: wavelet(low, high, None) + orthonormal(low, high),
    ),
}
each_penalty = pytest.mark.parametrize("name", PENALTIES)


def filters(K: int, seed: int = 0, batch: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((*batch, K)), rng.standard_normal((*batch, K))


@each_penalty
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("K", [1, 2, 3, 4, 5, 8, 12])
def test_penalties_are_the_formulas(xp, name, K, dtype):
    penalty, formula = PENALTIES[name]
    low, high = filters(K, K, batch=(2, 3))
    pairs = zip(low.reshape(6, K), high.reshape(6, K), strict=True)
    expected = np.array([formula(*pair) for pair in pairs])
    actual = penalty(xp.asarray(low, dtype), xp.asarray(high, dtype))
    assert_close(actual, xp.asarray(expected.reshape(2, 3), dtype), ulps=20 * K)


@each_penalty
def test_a_single_pair_of_lists_has_a_single_penalty(name):
    penalty, formula = PENALTIES[name]
    low, high = (f.tolist() for f in filters(6))
    value = penalty(low, high)
    assert np.ndim(value) == 0
    assert float(value) == pytest.approx(formula(low, high), rel=1e-14)


@pytest.mark.parametrize("name", ["low", "high", "reverse", "orthonormal", "wavelet, orthonormal"])
@pytest.mark.parametrize("known", ["haar", "db2", "db7", "coif3"])
def test_orthonormal_wavelets_have_no_penalty(name, known):
    bank = pywt.Wavelet(known)
    penalty, _ = PENALTIES[name]
    # Squares of rounding errors.
    assert float(penalty(bank.rec_lo, bank.rec_hi)) < 1e-26
    # In convolution order, filters are reversed, and the high-pass filter has the other sign.
    assert float(penalty(bank.dec_lo, -np.array(bank.dec_hi))) < 1e-26


@pytest.mark.parametrize("known", ["bior1.3", "bior3.5", "rbio1.5"])
def test_the_linear_phase_of_even_filters_has_an_antisymmetric_high_pass(known):
    bank = pywt.Wavelet(known)
    assert float(lc.symmetry_penalty(bank.rec_lo, bank.rec_hi)) < 1e-26
    assert float(lc.symmetry_penalty(bank.rec_lo, bank.rec_hi, symmetry="paper")) > 0.1


def test_of_odd_length_both_readings_are_one():
    low, high = filters(5)
    assert lc.symmetry_penalty(low, high) == lc.symmetry_penalty(low, high, symmetry="paper")


def test_the_penalties_of_the_paper_do_not_make_a_bank_reconstruct():
    low, high = [0.0, ROOT_HALF, ROOT_HALF, 0.0], [0.5, -0.5, 0.5, -0.5]
    assert float(lc.wavelet_penalty(low, high)) < 1e-30
    assert lw.FilterBank(low[::-1], high[::-1], low, high).reconstruction_error() > 0.1
    assert float(lc.orthonormality_penalty(low, high)) > 0.1


def test_the_reading_of_the_paper_contradicts_itself_for_two_taps():
    values = np.linspace(-2, 2, 401)
    high = np.stack(np.meshgrid(values, values[::4]), -1)
    low = np.full_like(high, ROOT_HALF)
    penalties = lc.wavelet_penalty(low, high, symmetry="paper")
    assert penalties.shape == (101, 401)
    assert penalties.min() > 0.5


def test_half_precision_is_computed_in_single():
    low, high = (torch.as_tensor(f, dtype=torch.bfloat16) for f in filters(8))
    half = lc.wavelet_penalty(low, high)
    assert_close(half, lc.wavelet_penalty(low.float(), high.float()).bfloat16())


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: lc.lowpass_penalty([]), ShapeError, r"lowpass .*got shape \(0,\)"),
        (lambda: lc.highpass_penalty(1.0), ShapeError, r"highpass .*got shape \(\)"),
        (lambda: lc.lowpass_penalty([1j, 1]), ArgumentTypeError, "lowpass must be real"),
        (
            lambda: lc.reversibility_penalty([1, 2], [1, 2, 3]),
            ShapeError,
            r"'lowpass': \(2,\), 'highpass': \(3,\)",
        ),
        (
            lambda: lc.symmetry_penalty([1, 2], [1, 2], symmetry="even"),
            ConstraintError,
            "unknown symmetry 'even': use 'linear-phase' .*'paper'",
        ),
        (
            lambda: lc.wavelet_penalty(torch.ones(2), np.ones(2)),
            ArgumentTypeError,
            "arrays of one library",
        ),
        (
            lambda: lc.wavelet_penalty([1, 2, 3, 4], [1, 2, 3, 4], orthonormal=True),
            ConstraintError,
            "no filters of 4 taps are both orthonormal and symmetric: only Haar's",
        ),
    ],
)
def test_penalties_reject(call, error, match):
    with pytest.raises(error, match=match) as caught:
        call()
    assert isinstance(caught.value, lw.errors.LiftwaveError)


def test_haar_may_be_orthonormal_and_symmetric():
    penalty = lc.wavelet_penalty([ROOT_HALF] * 2, [ROOT_HALF, -ROOT_HALF], orthonormal=True)
    assert float(penalty) < 1e-30


# --- orthonormal filters -------------------------------------------------------------------------


def free_angles(K: int, seed: int, batch: tuple[int, ...] = (), *, zero_sum: bool = True) -> Any:
    return np.random.default_rng(seed).uniform(-pi, pi, (*batch, K // 2 - zero_sum))


@pytest.mark.parametrize("zero_sum", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("K", [2, 4, 6, 16, 40])
def test_filters_are_the_product_of_rotations(xp, K, dtype, zero_sum):
    angles = free_angles(K, K, (3,), zero_sum=zero_sum).astype(dtype)
    every = angles.astype("float64")
    if zero_sum:
        every = np.concatenate([every, pi / 4 - every.sum(axis=-1, keepdims=True)], axis=-1)
    expected = np.array([filters_from_angles(row)[0][::-1] for row in every])
    actual = lc.orthonormal_lowpass(xp.asarray(angles), zero_sum=zero_sum)
    # The rounding error of the sum is proportional to the angles.
    assert_close(actual, xp.asarray(expected, dtype), ulps=K, scale=K)


@pytest.mark.parametrize("K", [2, 4, 10, 64])
def test_all_angles_reconstruct_and_sum_to_zero(K):
    bank = lc.orthonormal_filters(free_angles(K, K))
    assert bank.dec_len == K
    assert bank.reconstruction_error() < 4 * K * eps("float64")
    others = pywt.orthogonal_filter_bank(bank.rec_lo)
    assert_close(np.array(bank.filter_bank), np.array(others), ulps=K)
    assert abs(sum(bank.rec_lo) - sqrt(2)) < 4 * K * eps("float64")
    assert max(abs(sum(bank.dec_hi)), abs(sum(bank.rec_hi))) < 4 * K * eps("float64")
    x = zero_mean(1001)
    coeffs = lw.wavedec(x, bank, mode="periodization", level=3)
    assert_close(lw.waverec(coeffs, bank, mode="periodization")[:1001], x, ulps=4 * K)


def test_without_zero_sum_the_high_pass_sums_to_something_and_the_bank_reconstructs():
    bank = lc.orthonormal_filters([0.1, 0.2, 0.3], zero_sum=False)
    assert bank.dec_len == 6
    assert abs(sum(bank.dec_hi)) > 0.1
    assert bank.reconstruction_error() < 1e-14


@pytest.mark.parametrize("name", ORTHONORMAL)
def test_wavelets_have_angles(name):
    wavelet = pywt.Wavelet(name)
    bank = lc.orthonormal_filters(lc.lattice_angles(name))
    # PyWavelets' tables of symlets have 11 or 12 digits.
    for actual, expected in zip(bank.filter_bank, wavelet.filter_bank, strict=True):
        assert np.abs(np.subtract(actual, expected)).max() < 2e-11


@pytest.mark.parametrize("zero_sum", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_angles_are_found_again(xp, dtype, zero_sum):
    angles = np.random.default_rng(0).uniform(-1.5, 1.5, 3)
    low = lc.orthonormal_lowpass(xp.asarray(angles, dtype), zero_sum=zero_sum)
    found = lc.lattice_angles(low, zero_sum=zero_sum)
    assert_close(found, xp.asarray(angles, dtype), ulps=200)


def test_every_kind_of_wavelet_has_its_angles():
    expected = lc.lattice_angles("db3")
    for same in (
        pywt.Wavelet("db3"),
        lw.FilterBank(*pywt.Wavelet("db3").filter_bank),
        lw.LiftingScheme.from_name("db3"),
        pywt.Wavelet("db3").rec_lo,
    ):
        assert_close(lc.lattice_angles(same), expected, ulps=100)


@pytest.mark.parametrize(
    "low",
    [
        [0, ROOT_HALF, ROOT_HALF, 0],
        [0, 0, ROOT_HALF, ROOT_HALF],
        [ROOT_HALF, ROOT_HALF, 0, 0],
        [ROOT_HALF, 0, 0, ROOT_HALF],
        [0, 0, 0, 0, ROOT_HALF, ROOT_HALF],
    ],
)
def test_filters_that_end_in_zeros_have_angles(low):
    again = lc.orthonormal_lowpass(lc.lattice_angles(low))
    assert_close(again, np.array(low, dtype=float), ulps=4)


def test_a_tolerance_gives_an_orthonormal_filter_nearby():
    near = np.array(pywt.Wavelet("db4").rec_lo) + 1e-3 * np.array([1, -1, 1, -1, -1, 1, -1, 1])
    with pytest.raises(ConstraintError, match="not orthonormal"):
        lc.lattice_angles(near)
    bank = lc.orthonormal_filters(lc.lattice_angles(near, tolerance=0.01))
    assert bank.orthogonal
    assert 1e-4 < np.abs(np.subtract(bank.rec_lo, near)).max() < 0.01


def test_random_filters_satisfy_the_constraints_and_differ():
    banks = [lc.random_orthonormal_filters(10, seed) for seed in range(20)]
    for bank in banks:
        low, high = bank.rec_lo, bank.rec_hi
        assert float(lc.wavelet_penalty(low, high, symmetry=None, orthonormal=True)) < 1e-26
    assert len(set(banks)) == 20
    assert lc.random_orthonormal_filters(10, 3) == banks[3]
    generator = np.random.default_rng(3)
    assert lc.random_orthonormal_filters(10, generator) == banks[3]
    assert lc.random_orthonormal_filters(10, generator) != banks[3]
    assert abs(sum(lc.random_orthonormal_filters(2, 0, zero_sum=False).rec_hi)) > 0.1
    assert lc.random_orthonormal_filters(2).dec_len == 2


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: lc.orthonormal_filters([0.1], symmetric=True),
            ConstraintError,
            "no filters of 4 taps are both orthonormal and symmetric",
        ),
        (lambda: lc.orthonormal_filters(np.zeros((2, 3))), ShapeError, r"shape \(2, 8\).*lowpass"),
        (lambda: lc.orthonormal_lowpass([], zero_sum=False), ShapeError, "at least 1 angles"),
        (lambda: lc.orthonormal_lowpass(0.3), ShapeError, r"got shape \(\)"),
        (lambda: lc.orthonormal_lowpass([0.3j]), ArgumentTypeError, "angles must be real"),
        (lambda: lc.random_orthonormal_filters(7), ConstraintError, "even number of taps.*got 7"),
        (lambda: lc.random_orthonormal_filters(0), ConstraintError, "at least 2, got 0"),
        (lambda: lc.lattice_angles([1.0, 2.0, 3.0]), ShapeError, r"even number.*\(3,\)"),
        (lambda: lc.lattice_angles(np.zeros((2, 4))), ShapeError, r"1-D array.*\(2, 4\)"),
        (
            lambda: lc.lattice_angles([1.0, 1.0]),
            ConstraintError,
            "shifted by 0 is 2 instead of 1, an error of 1 ",
        ),
        (
            lambda: lc.lattice_angles([0.5, 0.5, 0.5, 0.5]),
            ConstraintError,
            "shifted by 2 is 0.5 instead of 0, an error of 0.5 .*symmetric: only Haar",
        ),
        (lambda: lc.lattice_angles("dmey"), ConstraintError, "an error of 0.00224"),
        (
            lambda: lc.lattice_angles([1.0, 0.0]),
            ConstraintError,
            r"sums to 1 instead of sqrt\(2\), an error of 0.414 .*zero_sum=False",
        ),
        (
            lambda: lc.lattice_angles(lc.random_orthonormal_filters(64, 12)),
            ConstraintError,
            "of 64 taps is orthonormal, but the computed angles reproduce it .*Keep the angles",
        ),
        (lambda: lc.lattice_angles("db99"), lw.errors.WaveletError, "Unknown wavelet name"),
    ],
)
def test_orthonormal_filters_reject(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_haar_is_what_is_orthonormal_and_symmetric():
    bank = lc.orthonormal_filters([], symmetric=True)
    np.testing.assert_allclose(bank.filter_bank, pywt.Wavelet("haar").filter_bank, rtol=1e-15)


# --- lifting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SYMMETRIC)
def test_symmetric_wavelets_are_made_again_from_their_free_taps(name):
    scheme = lw.LiftingScheme.from_name(name)
    first, product = scheme.steps[0].kind, scheme.scale[0] * scheme.scale[1]
    for zero_sum, dual in [(True, True), (True, False), (False, True), (False, False)]:
        taps = lc.symmetric_taps(name, zero_sum=zero_sum, dual_zero_sum=dual)
        assert sum(map(len, taps)) == sum(s.length // 2 for s in scheme.steps) - zero_sum - dual
        again = lc.symmetric_lifting(
            taps, first=first, zero_sum=zero_sum, dual_zero_sum=dual, sign=round(product)
        )
        assert again.polyphase.distance(scheme.polyphase) < 1e-12
        assert again.scale == pytest.approx(scheme.scale, rel=1e-12)


def random_halves(kinds: int, seed: int, determined: tuple[int, ...]) -> list[np.ndarray]:
    """Halves of different lengths; those of determined steps have one tap fewer, perhaps none."""
    rng = np.random.default_rng(seed)
    lengths = [(k % 3) + (k not in determined) for k in range(kinds)]
    return [rng.uniform(-0.5, 0.5, n) + 0.1 for n in lengths]


@pytest.mark.parametrize("first", ["predict", "update"])
@pytest.mark.parametrize("steps", [2, 3, 4, 5])
def test_symmetric_lifting_has_the_properties_it_promises(xp, steps, first):
    halves = random_halves(steps, steps, (steps - 1, steps - 2))
    scheme = lc.symmetric_lifting([xp.asarray(high) for high in halves], first=first)
    numbers = lw.LiftingScheme(
        [lw.LiftingStep(s.kind, to_numpy_taps(s.taps), s.offset) for s in scheme.steps],
        tuple(float(s) for s in scheme.scale),
    )
    for step, half in zip(numbers.steps, halves, strict=True):
        assert step.taps == step.taps[::-1]
        if len(half):
            assert step.taps[-len(half) :] == tuple(half)
    bank = numbers.to_filter_bank()
    size = max(np.abs(bank.filter_bank).sum(axis=-1))
    assert bank.reconstruction_error() < 100 * eps("float64") * size**2
    assert abs(sum(bank.dec_lo) - sqrt(2)) < 50 * eps("float64") * size
    assert max(abs(sum(bank.dec_hi)), abs(sum(bank.rec_hi))) < 100 * eps("float64") * size
    for taps in bank.filter_bank:
        trimmed = np.trim_zeros(np.array(taps))
        assert len(trimmed) % 2 == 1
        assert np.abs(trimmed - trimmed[::-1]).max() < 50 * eps("float64") * size


def to_numpy_taps(taps: Any) -> Any:
    return taps if isinstance(taps, tuple) else to_numpy(taps)


@pytest.mark.parametrize("zero_sum", [True, False])
@pytest.mark.parametrize("dual", [True, False])
def test_each_zero_sum_is_its_own_condition(zero_sum, dual):
    determined = (2,) * zero_sum + (3,) * dual
    taps = random_halves(4, 1, determined)
    scheme = lc.symmetric_lifting(taps, zero_sum=zero_sum, dual_zero_sum=dual, sign=1)
    bank = scheme.to_filter_bank()
    assert scheme.scale[0] * scheme.scale[1] == pytest.approx(1)
    assert (abs(sum(bank.dec_hi)) < 1e-13) == zero_sum
    assert (abs(sum(bank.rec_hi)) < 1e-13) == dual
    assert sum(bank.dec_lo) == pytest.approx(sqrt(2), rel=1e-13)


def test_the_shortest_symmetric_scheme_is_cdf_5_3():
    expected = lw.LiftingScheme.from_name("cdf5.3")
    scheme = lc.symmetric_lifting([[], []])
    assert scheme.steps == expected.steps
    assert scheme.scale == pytest.approx(expected.scale, rel=1e-15)


def test_two_steps_predict_with_sum_minus_one_and_update_with_half():
    predict, update = lc.symmetric_lifting([[0.3, -0.1], [0.07]]).steps
    assert sum(predict.taps) == pytest.approx(-1, rel=1e-15)
    assert sum(update.taps) == pytest.approx(0.5, rel=1e-15)


def test_symmetric_lifting_keeps_the_dtype():
    scheme = lc.symmetric_lifting([torch.tensor([0.1], dtype=torch.bfloat16), []])
    assert [s.taps.dtype for s in scheme.steps] == [torch.bfloat16] * 2
    assert [s.dtype for s in scheme.scale] == [torch.bfloat16] * 2


def test_free_lifting_reconstructs_and_is_centred(xp):
    rng = np.random.default_rng(0)
    taps = [xp.asarray(rng.standard_normal(r)) for r in (1, 2, 3, 4, 5)]
    scheme = lc.free_lifting(taps, first="update", scale=(2.0, 3.0), name="mine")
    assert [s.kind for s in scheme.steps] == ["update", "predict", "update", "predict", "update"]
    assert [s.offset for s in scheme.steps] == [0, 0, -1, -1, -2]
    assert (scheme.scale, scheme.name) == ((2.0, 3.0), "mine")
    x = xp.asarray(zero_mean(63))
    back = lw.idwt(*lw.dwt(x, scheme, mode="reflect"), scheme, mode="reflect")
    assert_close(back, x, ulps=1e5)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: lc.symmetric_lifting([[0.1], []], first="even"), ConstraintError, "got 'even'"),
        (lambda: lc.free_lifting([[0.1]], first="odd"), ConstraintError, "got 'odd'"),
        (lambda: lc.symmetric_lifting([[], []], sign=0), ConstraintError, "1 or -1, got 0"),
        (
            lambda: lc.symmetric_lifting([[]]),
            ConstraintError,
            "dual_zero_sum determines the last update step, which is missing",
        ),
        (
            lambda: lc.symmetric_lifting([], dual_zero_sum=False),
            ConstraintError,
            "zero_sum determines the last predict step, which is missing",
        ),
        (
            lambda: lc.symmetric_lifting([[0.1], [], [], []]),
            ConstraintError,
            "step 1 has no taps, and no condition",
        ),
        (lambda: lc.symmetric_lifting([np.zeros((2, 2)), []]), ShapeError, r"shape \(2, 2\)"),
        (lambda: lc.symmetric_lifting([[1j], []]), ArgumentTypeError, "taps must be real"),
        (
            lambda: lc.symmetric_lifting([np.ones(1), torch.ones(1)]),
            ArgumentTypeError,
            "arrays of one library",
        ),
        (
            # The update step removes a constant from the even samples completely.
            lambda: lc.symmetric_lifting([[-0.5], [], []], first="update"),
            ConstraintError,
            "with these taps no predict step removes a constant",
        ),
        (
            lambda: lc.symmetric_lifting([[0.5], []], first="predict", zero_sum=False),
            ConstraintError,
            "no update step removes an alternating signal",
        ),
        (
            lambda: lc.symmetric_lifting(
                [[-0.5]], first="update", zero_sum=False, dual_zero_sum=False
            ),
            ConstraintError,
            "the low-pass sums to zero",
        ),
        (lambda: lc.symmetric_taps("db2"), ConstraintError, "not made of symmetric steps"),
        (lambda: lc.symmetric_taps("bior1.3"), ConstraintError, "not made of symmetric steps"),
        (
            lambda: lc.symmetric_taps(lc.free_lifting([[-0.4, -0.4], [0.2, 0.2]])),
            ConstraintError,
            "do not both sum to zero: a middle tap would change by 0.1",
        ),
    ],
)
def test_lifting_rejects(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_steps_that_do_not_take_turns_are_no_symmetric_lifting():
    step = lw.LiftingStep("predict", [-0.25, -0.25])
    with pytest.raises(ConstraintError, match="do not alternate"):
        lc.symmetric_taps(lw.LiftingScheme([step, step]))


# --- gradients without torch ---------------------------------------------------------------------


def by_hand(function: Any, args: list[Any], gradient: Any, **options: Any) -> tuple[Any, ...]:
    """The gradients of ``<gradient, function(*args)>``."""
    value, pullback = lc.vjp(function, *args, **options)
    expected = function(*args, **options)
    if isinstance(value, lw.FilterBank | lw.LiftingScheme):
        assert type(value) is type(expected)
    else:
        assert_close(value, expected)
    return pullback(gradient)


def by_differences(number: Any, args: list[np.ndarray]) -> list[np.ndarray]:
    """The gradients of a scalar by central differences."""
    step, gradients = 1e-6, [np.zeros(a.shape) for a in args]
    for k, gradient in enumerate(gradients):
        for index in np.ndindex(gradient.shape):
            beside = []
            for sign in (1, -1):
                moved = [a.copy() for a in args]
                moved[k][index] += sign * step
                beside.append(float(number(*moved)))
            gradient[index] = (beside[0] - beside[1]) / (2 * step)
    return gradients


def assert_like_differences(actual: Any, expected: list[np.ndarray]) -> None:
    for a, e in zip(actual, expected, strict=True):
        # Rounding error divided by the step, and the square of the step.
        assert_close(np.asarray(a), e, ulps=1e9 * (1 + np.abs(e).max(initial=0)), scale=1.0)


RULES = {
    "low": (lc.lowpass_penalty, 1, {}),
    "high": (lc.highpass_penalty, 1, {}),
    "reverse": (lc.reversibility_penalty, 2, {}),
    "linear phase": (lc.symmetry_penalty, 2, {}),
    "paper": (lc.symmetry_penalty, 2, {"symmetry": "paper"}),
    "shifts": (lc.orthonormality_penalty, 1, {}),
    "orthonormal": (lc.orthonormality_penalty, 2, {}),
    "wavelet": (lc.wavelet_penalty, 2, {}),
    "everything": (lc.wavelet_penalty, 2, {"symmetry": None, "orthonormal": True}),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("K", [2, 3, 5, 8])
def test_gradients_of_penalties_are_those_of_differences(name, K):
    function, count, options = RULES[name]
    args = list(filters(K, K, batch=(2,))[:count])
    weights = np.array([1.5, -0.5])
    expected = by_differences(lambda *f: weights @ function(*f, **options), args)
    assert_like_differences(by_hand(function, args, weights, **options), expected)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_penalties_are_those_of_torch(xp, name, dtype):
    function, count, options = RULES[name]
    args = [np.asarray(f, dtype) for f in filters(6, 7)[:count]]
    leaves = [torch.tensor(f, requires_grad=True) for f in args]
    expected = torch.autograd.grad(function(*leaves, **options), leaves)
    actual = by_hand(function, [xp.asarray(f) for f in args], 1.0, **options)
    for a, e in zip(actual, expected, strict=True):
        assert_close(a, xp.asarray(e.numpy()), ulps=50)


@pytest.mark.parametrize("zero_sum", [True, False])
@pytest.mark.parametrize("K", [2, 4, 12])
def test_gradients_in_angles_are_those_of_torch(xp, K, zero_sum):
    angles, weights = free_angles(K, K, (2,), zero_sum=zero_sum), zero_mean((2, K))
    leaf = tensor(angles)
    low = lc.orthonormal_lowpass(leaf, zero_sum=zero_sum)
    (expected,) = torch.autograd.grad((low * torch.tensor(weights)).sum(), leaf)
    (actual,) = by_hand(
        lc.orthonormal_lowpass, [xp.asarray(angles)], xp.asarray(weights), zero_sum=zero_sum
    )
    assert_close(actual, xp.asarray(expected.numpy()), ulps=20 * K, scale=1.0)


@pytest.mark.parametrize("given", [(0, 1, 2, 3), (0,), (1, 2), (3,)])
def test_gradients_of_banks_are_those_of_differences(given):
    angles, weights = free_angles(8, 1), zero_mean((4, 8))

    def number(angles):
        taps = lc.orthonormal_filters(angles).filter_bank
        return sum(weights[k] @ np.array(taps[k]) for k in given)

    cotangents = [weights[k] if k in given else None for k in range(4)]
    actual = by_hand(lc.orthonormal_filters, [angles], cotangents)
    assert_like_differences(actual, by_differences(number, [angles]))


@pytest.mark.parametrize("first", ["predict", "update"])
@pytest.mark.parametrize("zero_sum", [True, False])
@pytest.mark.parametrize("dual", [True, False])
def test_gradients_of_symmetric_lifting_are_those_of_differences(first, zero_sum, dual):
    kinds = ["predict", "update"] if first == "predict" else ["update", "predict"]
    determined = {4: kinds[0], 3: kinds[1]}
    wanted = {"predict": zero_sum, "update": dual}
    halves = random_halves(5, 2, tuple(k for k, kind in determined.items() if wanted[kind]))
    options = {"first": first, "zero_sum": zero_sum, "dual_zero_sum": dual, "sign": 1}
    scheme = lc.symmetric_lifting(halves, **options)
    rng = np.random.default_rng(3)
    of_taps, of_scale = [rng.standard_normal(s.length) for s in scheme.steps], rng.random(2)

    def number(*halves):
        scheme = lc.symmetric_lifting(halves, **options)
        taps = sum(w @ np.array(s.taps) for w, s in zip(of_taps, scheme.steps, strict=True))
        return taps + of_scale @ np.array(scheme.scale)

    actual = by_hand(lc.symmetric_lifting, [halves], (of_taps, of_scale), **options)
    assert_like_differences(actual, by_differences(number, halves))


@pytest.mark.parametrize("mode", ["reflect", "periodization"])
def test_gradients_in_angles_and_taps_go_through_transforms(xp, mode):
    x, angles, halves = zero_mean(21), free_angles(6, 1), [np.array([0.2]), np.zeros(0)]
    of_bands = [zero_mean(w.size) for w in lw.dwt(x, lc.symmetric_lifting(halves), mode)]
    scheme, to_halves = lc.vjp(lc.symmetric_lifting, [xp.asarray(h) for h in halves])
    _, to_taps = lw.vjp(lw.dwt, xp.asarray(x), scheme, mode)
    actual = to_halves(to_taps(tuple(map(xp.asarray, of_bands))).wavelet)
    expected = by_differences(
        lambda *h: sum(map(np.dot, of_bands, lw.dwt(x, lc.symmetric_lifting(h), mode))), halves
    )
    assert_like_differences(map(to_numpy, actual), expected)

    low, high = lw.dwt(x, lc.orthonormal_filters(angles), mode)
    bank, to_angles = lc.vjp(lc.orthonormal_filters, xp.asarray(angles))
    _, to_taps = lw.vjp(lw.idwt, xp.asarray(low), xp.asarray(high), bank, mode)
    weights = zero_mean(22)
    actual = to_angles(to_taps(xp.asarray(weights)).wavelet)
    expected = by_differences(
        lambda a: weights @ lw.idwt(low, high, lc.orthonormal_filters(a), mode), [angles]
    )
    assert_like_differences(map(to_numpy, actual), expected)


def test_half_precision_gradients_come_back_in_half():
    low = torch.ones(4, dtype=torch.bfloat16)
    _, pullback = lc.vjp(lc.lowpass_penalty, low)
    assert pullback(torch.tensor(1.0, dtype=torch.bfloat16))[0].dtype == torch.bfloat16


def test_other_functions_have_no_rule():
    with pytest.raises(
        ArgumentTypeError, match="vjp does not support free_lifting: use one of highpass"
    ):
        lc.vjp(lc.free_lifting, [[0.1]])


# --- gradients by torch --------------------------------------------------------------------------


def tensor(values: Any) -> torch.Tensor:
    return torch.tensor(np.array(values), dtype=torch.float64, requires_grad=True)


@each_penalty
@pytest.mark.parametrize("K", [2, 5, 8])
def test_torch_differentiates_penalties(name, K):
    penalty, _ = PENALTIES[name]
    pair = [tensor(f) for f in filters(K, seed=1, batch=(2,))]
    assert torch.autograd.gradcheck(penalty, pair)
    assert torch.autograd.gradgradcheck(penalty, pair)


@pytest.mark.parametrize("zero_sum", [True, False])
@pytest.mark.parametrize("K", [4, 8, 14])
def test_torch_differentiates_filters_in_their_angles(K, zero_sum):
    angles = tensor(free_angles(K, 2, (2,), zero_sum=zero_sum))
    function = partial(lc.orthonormal_lowpass, zero_sum=zero_sum)
    assert torch.autograd.gradcheck(function, angles)
    assert torch.autograd.gradgradcheck(function, angles)


def test_torch_differentiates_a_transform_in_the_angles():
    x = tensor(zero_mean(24))

    def details(angles: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        bank = lc.orthonormal_filters(angles)
        coeffs = lw.wavedec(x, bank, mode="symmetric", level=1)
        return torch.cat([*coeffs, lw.waverec(coeffs, bank, mode="symmetric")])

    angles = tensor(free_angles(6, 3))
    assert torch.autograd.gradcheck(details, (angles, x))
    assert torch.autograd.gradgradcheck(details, (angles, x))
    # The reconstruction does not depend on the angles.
    back = details(angles, x)[-24:].square().sum()
    (of_angles,) = torch.autograd.grad(back, angles)
    assert of_angles.abs().max() < 1e-13


def test_torch_differentiates_a_transform_in_symmetric_taps():
    x = tensor(zero_mean(13))
    halves = [tensor(h) for h in random_halves(4, 5, (2, 3))]

    def details(*halves: torch.Tensor) -> torch.Tensor:
        return torch.cat(lw.dwt(x, lc.symmetric_lifting(halves), mode="reflect"))

    assert torch.autograd.gradcheck(details, halves)
    assert torch.autograd.gradgradcheck(details, halves)


def test_angles_that_were_learned_are_still_a_wavelet():
    angles = tensor(free_angles(12, 4))
    target = torch.as_tensor(np.random.default_rng(5).standard_normal((2, 32)))
    x = torch.as_tensor(zero_mean((2, 64), seed=6))
    optimizer = torch.optim.Adam([angles], lr=0.05)
    before = angles.detach().clone()
    for _ in range(300):
        approx, detail = lw.dwt(x, lc.orthonormal_filters(angles), mode="periodization")
        loss = ((approx - target) ** 2).sum() + ((detail + target) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (angles - before).abs().max() > 0.1
    bank = lc.orthonormal_filters(angles.detach().numpy())
    assert bank.reconstruction_error() < 100 * eps("float64")
    assert abs(sum(bank.rec_hi)) < 100 * eps("float64")


# --- design --------------------------------------------------------------------------------------


def tone(n: int = 512) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.sin(0.9 * np.arange(n)) + 0.1 * rng.standard_normal(n)


@pytest.mark.parametrize("name", ["haar", "db3", "sym6"])
@pytest.mark.parametrize("shape", [256, (3, 128)])
def test_the_coding_gain_is_the_formula(name, shape):
    x = zero_mean(shape) + 1
    bands = [np.asarray(b) for b in pywt.wavedec(x, name, "periodization", level=3)]
    count = sum(b.size for b in bands)
    product = np.prod([np.mean(b**2) ** (b.size / count) for b in bands])
    expected = 10 * np.log10(np.mean(x**2) / product)
    assert lc.coding_gain(x, name, level=3) == pytest.approx(expected, rel=1e-12)
    assert lc.coding_gain(torch.as_tensor(x), name, level=3) == pytest.approx(expected, rel=1e-12)


def test_the_coding_gain_of_a_band_without_energy_is_infinite():
    assert lc.coding_gain(np.ones(8), "haar", level=1) == np.inf


def test_a_design_gains_more_than_daubechies_and_reconstructs(xp):
    x = tone()
    bank = lc.design_orthonormal(xp.asarray(x), 8, level=3, starts=2)
    assert bank.is_concrete
    assert bank.reconstruction_error() < 1e-14
    assert abs(sum(bank.dec_hi)) < 1e-14
    gain = lc.coding_gain(x, bank, level=3)
    assert gain > lc.coding_gain(x, "db4", level=3) + 2
    # A stationary point: no angle changes the gain at first order.
    angles = lc.lattice_angles(bank)
    for k in range(3):
        step = 1e-4 * np.eye(3)[k]
        beside = [
            lc.coding_gain(x, lc.orthonormal_filters(angles + s), level=3) for s in (step, -step)
        ]
        assert abs(beside[0] - beside[1]) < 1e-5 * gain
        assert max(beside) < gain + 1e-9


@pytest.mark.parametrize("mode", ["periodization", "symmetric", "zero"])
@pytest.mark.parametrize("n", [63, 64])
def test_the_gradient_of_a_design_is_that_of_differences(mode, n):
    x = tone(n)

    def cost(bands):
        return sum((b**3).sum() for b in bands), [3 * b**2 for b in bands]

    objective = _Objective(x, cost, mode, 2, -1)
    angles = free_angles(8, 1)
    value, gradient = objective(angles)
    bands = pywt.wavedec(x, as_pywt(lc.orthonormal_filters(angles)), mode, level=2)
    assert value == pytest.approx(cost(bands)[0], rel=1e-12)
    h = 1e-5
    differences = [
        (objective(angles + h * e)[0] - objective(angles - h * e)[0]) / (2 * h) for e in np.eye(3)
    ]
    np.testing.assert_allclose(gradient, differences, rtol=1e-7, atol=1e-7 * abs(value))


def test_the_gradient_of_the_coding_gain_is_that_of_differences():
    bands = [zero_mean(n, seed=n) for n in (4, 5, 9)]
    cost = _LogPowers(power=1.0)
    value, gradients = cost(bands)
    assert_like_differences(gradients, by_differences(lambda *b: cost(list(b))[0], bands))
    # Nepers of power instead of decibels.
    logarithms = sum(b.size / 18 * np.log(np.mean(b**2)) for b in bands)
    assert value == pytest.approx(logarithms, rel=1e-9)


def as_pywt(bank: lw.FilterBank) -> pywt.Wavelet:
    return pywt.Wavelet("mine", filter_bank=bank)


def test_a_design_follows_its_own_cost_axis_and_seed():
    x = np.stack([tone(), tone()[::-1]], axis=1)

    def backwards(bands):
        return sum((b**4).sum() for b in bands), [4 * b**3 for b in bands]

    options = {"axis": 0, "level": 2, "starts": 1}
    bank = lc.design_orthonormal(x, 6, cost=backwards, **options)
    assert bank == lc.design_orthonormal(x, 6, cost=backwards, **options)
    cost, known = (
        backwards(lw.wavedec(x, w, "periodization", 2, axis=0))[0] for w in (bank, "db3")
    )
    assert cost < known


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: lc.design_orthonormal(tone(), 2), ConstraintError, "Haar is the only wavelet"),
        (lambda: lc.design_orthonormal(tone(), 5), ConstraintError, "even number of taps"),
        (lambda: lc.design_orthonormal(np.zeros(64), 4), ConstraintError, "not all zero"),
        (lambda: lc.design_orthonormal([np.nan] * 64, 4), ConstraintError, "finite data"),
        (
            lambda: lc.design_orthonormal(tone(7), 8),
            ConstraintError,
            "7 samples are too few for 8 taps: pass level=1",
        ),
        (
            lambda: lc.design_orthonormal(tone(), 78, starts=0),
            ConstraintError,
            "db39 does not exist as a start",
        ),
        (
            lambda: lc.design_orthonormal(tone(), 4, mode="mirror"),
            lw.errors.ModeError,
            "mirror",
        ),
        (lambda: lc.design_orthonormal(tone(), 4, axis=1), lw.errors.AxisError, "axis"),
    ],
)
def test_a_design_rejects(call, error, match):
    with pytest.raises(error, match=match):
        call()
