"""Filter banks factored into lifting schemes, compared with PyWavelets and with themselves."""

from itertools import pairwise

import array_api_strict
import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st

from liftwave.errors import FactorizationError, WaveletError
from liftwave.lifting import LiftingScheme, LiftingStep
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.euclid import euclid_factors
from liftwave.wavelets.lifting.fixed_point import fixed_point
from liftwave.wavelets.lifting.lattice import (
    QUARTER_TURNS,
    filters_from_angles,
    lattice_of_filters,
)
from liftwave.wavelets.lifting.polyphase import Factors, Polyphase, matrix_of, noise_gain

NAMES = [name for name in pywt.wavelist(kind="discrete") if name != "dmey"]
ORTHONORMAL = [name for name in NAMES if pywt.Wavelet(name).orthogonal]
SPLINE = [name for name in NAMES if name.startswith(("bior", "rbio"))]
LENGTHS = (2, 4, 6, 10, 64, 201)


def table_error(name):
    """The accuracy of PyWavelets' tables."""
    exact = name.startswith(("haar", "db", "coif")) or name[4:] in {
        "1.1", "1.3", "1.5", "2.2", "2.4", "2.6", "2.8", "3.1", "3.3", "3.5", "3.7", "3.9",
    }  # fmt: skip
    return 1e-14 if exact else 3e-11


def lift(steps, channels, sign):
    for step in steps:
        target, source = step.target_parity, channels[1 - step.target_parity]
        for j, tap in enumerate(step.taps):
            read = np.roll(source, -(step.offset + j), axis=-1)
            channels[target] = channels[target] + source.dtype.type(sign * tap) * read


def forward(scheme, x):
    """One level under periodization, computed in the dtype of ``x``."""
    channels = [x[..., 0::2], x[..., 1::2]]
    lift(scheme.steps, channels, 1)
    bands = zip(channels, scheme.scale, scheme.shift, strict=True)
    return np.array([np.roll(x.dtype.type(k) * c, s, axis=-1) for c, k, s in bands])


def backward(scheme, bands):
    parts = zip(bands, scheme.scale, scheme.shift, strict=True)
    channels = [np.roll(b, -s, axis=-1) / b.dtype.type(k) for b, k, s in parts]
    lift(scheme.steps[::-1], channels, -1)
    return np.stack(channels, axis=-1).reshape(*channels[0].shape[:-1], -1)


def signals(n, dtype=np.float64):
    x = np.random.default_rng(n).standard_normal((16, n)).astype(dtype)
    return x if n % 2 == 0 else np.concatenate([x, x[:, -1:]], axis=-1)


def relative(result, expected):
    return np.abs(result - expected).max() / np.abs(expected).max()


def concrete(bank):
    return [np.array(taps) for taps in bank.filter_bank]


# --- all wavelets ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_wavelet_agrees_with_pywavelets(name):
    scheme = LiftingScheme.from_name(name)
    for n in LENGTHS:
        x = signals(n)
        bands = forward(scheme, x)
        expected = np.array(pywt.dwt(x[:, :n], name, "periodization"))
        assert relative(bands, expected) <= table_error(name), n
        assert relative(backward(scheme, bands), x) <= 5e-15, n


@pytest.mark.parametrize("name", NAMES)
def test_every_wavelet_is_accurate_in_float32(name):
    scheme = LiftingScheme.from_name(name)
    for n in LENGTHS:
        x = signals(n, np.float32)
        bands = forward(scheme, x)
        assert bands.dtype == np.float32
        expected = np.array(pywt.dwt(x[:, :n].astype(np.float64), name, "periodization"))
        assert relative(bands, expected) <= 2e-6, n
        assert relative(backward(scheme, bands), x) <= 3e-6, n


@pytest.mark.parametrize("name", NAMES)
def test_every_wavelet_expands_to_pywavelets_filters(name):
    bank = LiftingScheme.from_name(name).to_filter_bank()
    for mine, theirs in zip(concrete(bank), pywt.Wavelet(name).filter_bank, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=table_error(name))
    assert bank.reconstruction_error() < 1e-13


@pytest.mark.parametrize("name", ORTHONORMAL)
def test_orthonormal_wavelets_have_short_and_quiet_schemes(name):
    scheme, half = LiftingScheme.from_name(name), pywt.Wavelet(name).dec_len // 2
    shears = QUARTER_TURNS[name].shears if name in QUARTER_TURNS else 2
    assert len(scheme.steps) == (shears - 1) * half + 1
    assert sum(step.length for step in scheme.steps) == shears * half
    assert scheme.noise_gain <= np.sqrt(shears * half + 2)
    assert scheme.max_tap < 10
    assert scheme.scale[0] * scheme.scale[1] == pytest.approx(
        np.sign(scheme.scale[0] * scheme.scale[1])
    )


@pytest.mark.parametrize("name", SPLINE)
def test_spline_wavelets_come_from_the_closed_forms(name):
    scheme = LiftingScheme.from_filter_bank(pywt.Wavelet(name))
    assert scheme == LiftingScheme.from_name(name.replace("rbio1.1", "bior1.1"))
    assert scheme.name == name
    assert scheme.shift == (0, 0)
    if name[4] in "12":  # dyadic: no rounding
        assert all(fixed_point(step)[1] <= 14 for step in scheme.steps)


@pytest.mark.parametrize("name", SPLINE)
def test_reverse_wavelets_are_the_inverse_transposes(name):
    other = {"b": "rbio", "r": "bior"}[name[0]] + name[4:]
    dual = LiftingScheme.from_name(name).inverse().adjoint()
    assert dual.polyphase.distance(LiftingScheme.from_name(other).polyphase) < 1e-15


# --- integers --------------------------------------------------------------------------------


def shifted_sum(step, source):
    """The increment in wrapping arithmetic of the data's width."""
    numerators, bits = fixed_point(step)
    total = np.full_like(source, source.dtype.type(1 << (bits - 1)))
    for j, numerator in enumerate(numerators):
        total += source.dtype.type(numerator) * np.roll(source, -(step.offset + j), axis=-1)
    return total >> bits


def integer_channels(scheme, channels, sign):
    for step in scheme.steps[::sign]:
        increment = shifted_sum(step, channels[1 - step.target_parity])
        channels[step.target_parity] = channels[step.target_parity] + sign * increment
    return channels


@pytest.mark.parametrize("name", NAMES)
def test_integer_schemes_are_lossless_on_the_full_range(name):
    scheme = LiftingScheme.from_name(name).to_integer()
    for dtype in (np.int32, np.int64):
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        x = np.random.default_rng(0).integers(low, high, (2, 4, 32), dtype, endpoint=True)
        bands = integer_channels(scheme, [x[0], x[1]], 1)
        assert bands[0].dtype == dtype
        assert not np.array_equal(bands[1], x[1])
        np.testing.assert_array_equal(integer_channels(scheme, list(bands), -1), x)


@pytest.mark.parametrize("name", [n for n in ORTHONORMAL if n not in ("haar", "db1")])
def test_integer_schemes_of_orthonormal_wavelets_round_the_real_bands(name):
    scheme = LiftingScheme.from_name(name).to_integer()
    half = pywt.Wavelet(name).dec_len // 2
    assert [abs(s) for s in scheme.scale] == [1.0, 1.0]
    assert scheme.max_tap <= 2
    assert len(scheme.steps) == 2 * half + 1
    x = np.random.default_rng(0).integers(-(2**15), 2**15, 256)
    channels = integer_channels(scheme, [x[0::2], x[1::2]], 1)
    parts = zip(channels, scheme.scale, scheme.shift, strict=True)
    bands = [np.roll(k * c, s) for c, k, s in parts]
    expected = np.array(pywt.dwt(x, name, "periodization"))
    assert np.abs(bands - expected).max() <= 2 + 2 * np.sqrt(half)


# --- the lattice -----------------------------------------------------------------------------

ANGLES = st.lists(st.floats(-3.2, 3.2), min_size=1, max_size=8)


@given(angles=ANGLES, sign=st.sampled_from([1.0, -1.0]))
@settings(deadline=None)
def test_a_lattice_is_orthonormal(angles, sign):
    dec_lo, dec_hi = filters_from_angles(angles, sign)
    bank = FilterBank(dec_lo, dec_hi, dec_lo[::-1], dec_hi[::-1])
    assert bank.reconstruction_error() < 1e-14
    assert sum(dec_lo) == pytest.approx(np.sqrt(2) * np.sin(sum(angles) + np.pi / 4), abs=1e-14)


def test_angles_of_wavelets_sum_to_a_quarter_turn_halved():
    for name in ORTHONORMAL:
        wavelet = pywt.Wavelet(name)
        lattice = lattice_of_filters(wavelet.dec_lo, wavelet.dec_hi)
        assert np.cos(sum(lattice.angles) - np.pi / 4) == pytest.approx(1)
        assert lattice.residual <= table_error(name)
        again = filters_from_angles(lattice.angles, lattice.sign)
        bound = table_error(name)
        np.testing.assert_allclose(again[0], wavelet.dec_lo, rtol=0, atol=bound)
        np.testing.assert_allclose(again[1], wavelet.dec_hi, rtol=0, atol=bound)


def test_peeling_tells_what_is_not_orthonormal():
    wavelet = pywt.Wavelet("bior4.4")
    assert lattice_of_filters(wavelet.dec_lo, wavelet.dec_hi).residual > 1e-3


# --- other banks -----------------------------------------------------------------------------


def check_round_trip(bank, bound=1e-10):
    """Factor, expand, and compare the transforms, which have the same alignment."""
    scheme = LiftingScheme.from_filter_bank(bank)
    wavelet = pywt.Wavelet("bank", filter_bank=bank.filter_bank)
    x = signals(48)
    bands = forward(scheme, x)
    assert relative(bands, np.array(pywt.dwt(x, wavelet, "periodization"))) <= bound
    assert relative(pywt.idwt(*bands, wavelet, "periodization"), x) <= bound
    assert scheme.dec_len == bank.dec_len
    return scheme


@given(angles=ANGLES, sign=st.sampled_from([1.0, -1.0]))
@settings(max_examples=60, deadline=None)
def test_random_orthonormal_banks(angles, sign):
    dec_lo, dec_hi = filters_from_angles(angles, sign)
    check_round_trip(FilterBank(dec_lo, dec_hi, dec_lo[::-1], dec_hi[::-1]))


@pytest.mark.parametrize("seed", range(20))
def test_random_orthonormal_banks_are_quiet(seed):
    rng = np.random.default_rng(seed)
    angles = rng.uniform(-np.pi, np.pi, 1 + seed % 8)
    dec_lo, dec_hi = filters_from_angles(angles)
    scheme = check_round_trip(FilterBank(dec_lo, dec_hi, dec_lo[::-1], dec_hi[::-1]), 1e-13)
    assert len(scheme.steps) <= len(angles) + 3
    assert scheme.noise_gain < 7


@pytest.mark.parametrize("seed", range(30))
def test_random_biorthogonal_banks(seed):
    rng = np.random.default_rng(seed)
    steps = [
        LiftingStep(
            ("predict", "update")[(seed + k) % 2],
            rng.uniform(-1, 1, int(rng.integers(1, 4))),
            int(rng.integers(-2, 2)),
        )
        for k in range(int(rng.integers(1, 5)))
    ]
    shift = tuple(int(s) for s in rng.integers(-2, 3, 2))
    bank = LiftingScheme(steps, tuple(rng.uniform(0.5, 2, 2)), shift=shift).to_filter_bank()
    scheme = check_round_trip(bank, 1e-11)
    kinds = [step.kind for step in scheme.steps]
    assert all(a != b for a, b in pairwise(kinds))
    expanded = concrete(scheme.to_filter_bank())
    np.testing.assert_allclose(expanded, concrete(bank), rtol=0, atol=1e-10)
    target = Polyphase.of_filters(bank.dec_lo, bank.dec_hi)
    assert all(matrix_of(f).distance(target) < 1e-9 for f in euclid_factors(target))


@pytest.mark.parametrize("name", SPLINE)
def test_euclid_finds_schemes_as_quiet_as_the_closed_forms(name):
    wavelet = pywt.Wavelet(name)
    target = Polyphase.of_filters(wavelet.dec_lo, wavelet.dec_hi)
    best, known = euclid_factors(target)[0], LiftingScheme.from_name(name)
    assert matrix_of(best).distance(target) < 1e-11
    assert noise_gain(best.steps) <= 1.25 * known.noise_gain


@pytest.mark.parametrize("name", ["haar", "db3", "sym5", "cdf9.7", "bior3.3"])
@pytest.mark.parametrize("padding", [(0, 2), (2, 0), (1, 1), (3, 1), (2, 4)])
def test_padded_and_delayed_banks(name, padding):
    filters = concrete(LiftingScheme.from_name(name).to_filter_bank())
    before, after = padding
    padded = [np.pad(taps, (before, after)) for taps in filters[:2]]
    padded += [np.pad(taps, (after, before)) for taps in filters[2:]]
    scheme = check_round_trip(FilterBank(*padded), 1e-13)
    if before == after:
        assert scheme == LiftingScheme.from_filter_bank(filters)


@pytest.mark.parametrize("later", [-4, -2, 2, 4])
def test_a_high_pass_that_lies_apart(later):
    known = LiftingScheme.from_name("db20")
    lo, hi, rlo, rhi = (np.pad(f, (6, 6)) for f in concrete(known.to_filter_bank()))
    bank = FilterBank(lo, np.roll(hi, later), rlo, np.roll(rhi, -later))
    scheme = check_round_trip(bank, 1e-13)
    for one, two in zip(scheme.steps, known.steps, strict=True):
        assert (one.kind, one.offset) == (two.kind, two.offset)
        np.testing.assert_allclose(one.taps, two.taps, rtol=1e-6)


@pytest.mark.parametrize("name", ["haar", "db2", "db20", "coif17", "bior2.4"])
def test_filters_of_another_normalisation(name):
    lo, hi, rlo, rhi = map(np.array, pywt.Wavelet(name).filter_bank)
    check_round_trip(FilterBank(2 * lo, -3 * hi, rlo / 2, rhi / -3), 1e-12)


def test_rounding_errors_beyond_the_ends_of_a_filter():
    noise = 1e-17 * np.random.default_rng(1).standard_normal((4, 28))
    dec_lo, dec_hi, rec_lo, rec_hi = pywt.Wavelet("db12").filter_bank
    noise[:2, 1:25], noise[2:, 3:27] = (dec_lo, dec_hi), (rec_lo, rec_hi)
    scheme = check_round_trip(FilterBank(*noise), 1e-13)
    assert (len(scheme.steps), sum(step.length for step in scheme.steps)) == (13, 24)


def test_single_samples():
    assert LiftingScheme.from_filter_bank([[0, 1], [1, 0], [1, 0], [0, 1]]).steps == ()
    # The approximation is the odd samples; moving them takes three steps.
    swapped = check_round_trip(FilterBank([1, 0], [0, 1], [0, 1], [1, 0]), 1e-15)
    assert 1 <= len(swapped.steps) <= 3


# --- banks without a factorization -----------------------------------------------------------


def test_dmey_does_not_reconstruct():
    with pytest.raises(FactorizationError, match=r"synthesis is 0\.00\d+.*filter bank itself"):
        LiftingScheme.from_name("dmey")


def test_banks_that_do_not_reconstruct():
    with pytest.raises(FactorizationError, match=r"no lifting scheme.*synthesis is 0.25"):
        LiftingScheme.from_filter_bank([[1, 1], [-1, 1], [0.5, 0.5], [0.5, -0.75]])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [([0.300001], r"best one has an error of \d.*e-0"), ([], "none was found")],
)
def test_a_scheme_that_is_not_accurate_is_refused(monkeypatch, wrong, message):
    def steps(tap):
        other = 0.1 + len(wrong)  # banks that are not cached
        return LiftingStep("predict", [tap, other]), LiftingStep("update", [0.2])

    candidates = [Factors(steps(tap)) for tap in wrong]
    monkeypatch.setattr(
        "liftwave.wavelets.lifting.factorization.euclid_factors", lambda target: candidates
    )
    scheme = LiftingScheme(steps(0.3))
    with pytest.raises(FactorizationError, match=message):
        LiftingScheme.from_filter_bank(scheme.to_filter_bank())
    candidates.append(Factors(steps(0.3)))
    assert LiftingScheme.from_filter_bank(scheme.to_filter_bank()) == scheme


def test_array_taps_are_not_factored():
    taps = [array_api_strict.asarray(f) for f in pywt.Wavelet("db2").filter_bank]
    with pytest.raises(FactorizationError, match=r"array taps.*Learn the taps of a LiftingScheme"):
        LiftingScheme.from_filter_bank(FilterBank(*taps))


def test_the_four_filters_may_be_rows_of_an_array():
    filters = np.array(pywt.Wavelet("db2").filter_bank)
    assert LiftingScheme.from_filter_bank(filters) == LiftingScheme.from_name("db2")


@pytest.mark.parametrize("bank", [None, "db2", [[1.0], [1.0]], np.eye(3), 3])
def test_what_is_no_bank(bank):
    with pytest.raises(WaveletError, match="expected a FilterBank"):
        LiftingScheme.from_filter_bank(bank)
