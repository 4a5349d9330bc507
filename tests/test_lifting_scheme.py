"""Lifting steps and schemes as data: formulas, inverse, adjoint, filters, integers."""

import copy
import pickle
from fractions import Fraction
from math import floor

import array_api_strict
import numpy as np
import pytest
import pywt

from liftwave.errors import WaveletError
from liftwave.lifting import LiftingScheme, LiftingStep
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.fixed_point import fixed_point

SPLINES = ("haar", "cdf5.3", "bior1.5", "rbio3.3", "cdf9.7", "bior5.5", "rbio6.8")
ORTHONORMAL = ("db2", "db3", "db7", "sym4", "coif2", "coif4")


def transform(scheme, x):
    """One level under periodization, computed from the definition, sample by sample."""
    channels = [list(x[0::2]), list(x[1::2])]
    half = len(channels[0])
    for step in scheme.steps:
        target, source = channels[step.target_parity], channels[1 - step.target_parity]
        for k in range(half):
            target[k] = target[k] + sum(
                tap * source[(k + step.offset + j) % half] for j, tap in enumerate(step.taps)
            )
    return [
        np.array([scale * channel[(i - shift) % half] for i in range(half)])
        for channel, scale, shift in zip(channels, scheme.scale, scheme.shift, strict=True)
    ]


def interleaved(approx, detail):
    return np.stack([approx, detail], axis=1).reshape(-1)


def matrix(scheme, n):
    """The transform as a matrix onto interleaved bands."""
    return np.array([interleaved(*transform(scheme, unit)) for unit in np.eye(n)]).T


def random_scheme(seed, steps=4, shift=(2, -1)):
    rng = np.random.default_rng(seed)
    made = [
        LiftingStep(
            ("predict", "update")[int(rng.integers(2))],
            rng.uniform(-1, 1, int(rng.integers(1, 4))),
            int(rng.integers(-3, 3)),
        )
        for _ in range(steps)
    ]
    return LiftingScheme(made, (1.3, -0.6), shift=shift)


def foreign(values):
    return array_api_strict.asarray(values, dtype=array_api_strict.float64)


# --- steps -----------------------------------------------------------------------------------


def test_a_step_reads_its_source_forwards():
    approx, detail = transform(
        LiftingScheme([LiftingStep("predict", [2.0, 3.0], offset=1)]), np.arange(8.0)
    )
    assert approx.tolist() == [0, 2, 4, 6]
    assert detail.tolist() == [1 + 2 * 2 + 3 * 4, 3 + 2 * 4 + 3 * 6, 5 + 2 * 6, 7 + 3 * 2]


def test_steps_normalise_their_taps_and_know_their_target():
    step = LiftingStep("predict", np.array([1, 2], dtype=np.int32), np.int64(-1))
    assert step.taps == (1.0, 2.0)
    assert type(step.offset) is int
    assert (step.target_parity, step.length, step.is_concrete) == (1, 2, True)
    assert LiftingStep("update", [1]).target_parity == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("lift", [1.0]), WaveletError, "unknown kind of lifting step 'lift'"),
        (("predict", []), ValueError, "non-empty 1-D"),
        (("predict", [[1.0]]), ValueError, "non-empty 1-D"),
        (("predict", [np.nan]), ValueError, "must be finite"),
        (("predict", [1j]), TypeError, "must be real numbers"),
        (("predict", [1.0], 0.5), TypeError, "offset must be an integer, got 0.5"),
    ],
)
def test_wrong_steps_say_what_is_wrong(arguments, error, message):
    with pytest.raises(error, match=message):
        LiftingStep(*arguments)


def test_steps_are_equal_by_value():
    step = LiftingStep("predict", [0.5, 0.5], 1)
    assert step == LiftingStep("predict", (0.5, 0.5), 1)
    assert hash(step) == hash(LiftingStep("predict", (0.5, 0.5), 1))
    others = [("update", [0.5, 0.5], 1), ("predict", [0.5, 0.25], 1), ("predict", [0.5, 0.5], 0)]
    assert all(step != LiftingStep(*other) for other in others)
    assert step != "step"


@pytest.mark.parametrize("kind", ["predict", "update"])
@pytest.mark.parametrize("r", [1, 2, 5])
@pytest.mark.parametrize("offset", [-3, 0, 2])
def test_adjoint_of_a_step_is_its_transpose(kind, r, offset):
    step = LiftingStep(kind, np.arange(1.0, r + 1), offset)
    for n in (2, 6, 16):
        forward, transposed = (matrix(LiftingScheme([s]), n) for s in (step, step.adjoint()))
        np.testing.assert_array_equal(transposed, forward.T)
    assert step.adjoint().adjoint() == step


def test_negated_undoes_a_step():
    step = LiftingStep("update", [0.5, -2.0, 1.0], -2)
    both = matrix(LiftingScheme([step, step.negated()]), 10)
    np.testing.assert_array_equal(both, np.eye(10))


def test_a_step_prints_its_formula():
    assert str(LiftingStep("predict", [-1.586134342, 0.5])) == (
        "odd[k]  += -1.58613*even[k] +0.5*even[k+1]"
    )
    assert str(LiftingStep("update", [0.25], -2)) == "even[k] += 0.25*odd[k-2]"
    assert repr(LiftingStep("update", [0.25], -2)) == "LiftingStep('update', (0.25,), offset=-2)"


# --- schemes ---------------------------------------------------------------------------------


def test_cdf53_is_linear_prediction_and_keeps_the_mean():
    x = 3.0 + 2.0 * np.arange(16)
    approx, detail = transform(LiftingScheme.from_name("cdf5.3"), x)
    np.testing.assert_array_equal(detail[:-1], 0)
    noise = np.random.default_rng(0).standard_normal(16)
    approx, _ = transform(LiftingScheme.from_name("cdf5.3"), noise)
    assert approx.mean() / np.sqrt(2) == pytest.approx(noise.mean(), abs=1e-15)


def test_shift_rolls_the_bands():
    x = np.arange(8.0)
    approx, detail = transform(LiftingScheme([], (2.0, 1.0), shift=(1, -1)), x)
    assert approx.tolist() == [12, 0, 4, 8]
    assert detail.tolist() == [3, 5, 7, 1]


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"steps": 3}, TypeError, "steps must be an iterable of LiftingStep"),
        ({"steps": LiftingStep("predict", [1])}, TypeError, "steps must be an iterable"),
        ({"steps": ["predict"]}, TypeError, "steps must be LiftingStep objects, got 'predict'"),
        ({"scale": 2.0}, WaveletError, "scale must be a pair"),
        ({"scale": (1.0, 0.0)}, WaveletError, "scale must be finite and not zero"),
        ({"scale": (1.0, np.inf)}, WaveletError, "scale must be finite and not zero"),
        ({"scale": ("a", "b")}, TypeError, "scale must hold numbers"),
        ({"shift": (1,)}, WaveletError, "shift must be a pair"),
        ({"shift": (0, 0.5)}, TypeError, "shift must be an integer"),
        ({"origin": "db2"}, TypeError, "origin must be a FilterBank or None"),
        ({"scale": (2.0, 1.0), "integer": True}, WaveletError, "integer scheme cannot scale"),
    ],
)
def test_wrong_schemes_say_what_is_wrong(keywords, error, message):
    with pytest.raises(error, match=message):
        LiftingScheme(**{"steps": (), **keywords})


def test_schemes_are_equal_by_value():
    one, two = random_scheme(0), random_scheme(0)
    assert one == two
    assert hash(one) == hash(two)
    assert one == LiftingScheme(iter(one.steps), one.scale, "other name", one.shift)
    assert one != random_scheme(1)
    assert one != LiftingScheme(one.steps, one.scale)
    assert one != LiftingScheme(one.steps, (1.3, 0.6), shift=one.shift)
    plain = LiftingScheme(one.steps)
    assert plain != LiftingScheme(one.steps, integer=True)
    assert one != "scheme"


def test_schemes_are_immutable():
    with pytest.raises(AttributeError, match="cannot assign"):
        random_scheme(0).scale = (1.0, 1.0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_are_equal(copied):
    scheme = LiftingScheme.from_name("db3")
    hash(scheme), scheme.noise_gain, scheme.dec_len
    twin = copied(scheme)
    assert twin == scheme
    assert hash(twin) == hash(scheme)
    assert (twin.name, twin.dec_len) == (scheme.name, scheme.dec_len)


def test_schemes_print_on_one_line_and_as_formulas():
    cdf97 = LiftingScheme.from_name("bior4.4")
    assert repr(cdf97) == "LiftingScheme('bior4.4', 4 steps, scale=(1.1496, -0.86986))"
    assert repr(LiftingScheme([LiftingStep("predict", [1])])) == "LiftingScheme(1 step)"
    shifted = LiftingScheme([], shift=(1, -1), integer=True)
    assert repr(shifted) == "LiftingScheme(0 steps, shift=(1, -1), integer)"
    assert str(shifted) == "approx[k] = 1*even[k-1]\ndetail[k] = 1*odd[k+1]"
    assert str(cdf97).splitlines()[0] == "odd[k]  += -1.58613*even[k] -1.58613*even[k+1]"
    assert len(str(cdf97).splitlines()) == 6


# --- inverse and adjoint ---------------------------------------------------------------------

SCHEMES = [random_scheme(seed) for seed in range(4)] + [
    LiftingScheme.from_name(name) for name in SPLINES + ORTHONORMAL
]


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
@pytest.mark.parametrize("n", [2, 6, 20])
def test_inverse_gives_back_the_samples(scheme, n):
    identity = matrix(scheme.inverse(), n) @ matrix(scheme, n)
    np.testing.assert_allclose(identity, np.eye(n), rtol=0, atol=3e-14)


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
@pytest.mark.parametrize("n", [2, 6, 20])
def test_adjoint_is_the_transpose(scheme, n):
    np.testing.assert_allclose(matrix(scheme.adjoint(), n), matrix(scheme, n).T, rtol=0, atol=3e-14)


@pytest.mark.parametrize("name", ORTHONORMAL)
def test_adjoint_of_an_orthonormal_wavelet_is_its_inverse(name):
    scheme = LiftingScheme.from_name(name)
    np.testing.assert_allclose(
        matrix(scheme.adjoint(), 32), matrix(scheme.inverse(), 32), rtol=0, atol=2e-11
    )


@pytest.mark.parametrize("operation", ["inverse", "adjoint"])
def test_inverse_and_adjoint_undo_themselves(operation):
    scheme = random_scheme(5)
    twice = getattr(getattr(scheme, operation)(), operation)()
    assert twice.shift == scheme.shift
    np.testing.assert_allclose(twice.scale, scheme.scale, rtol=1e-15)
    for one, two in zip(scheme.steps, twice.steps, strict=True):
        assert (one.kind, one.offset) == (two.kind, two.offset)
        np.testing.assert_allclose(one.taps, two.taps, rtol=1e-14)


def test_integer_schemes_have_neither_inverse_nor_adjoint():
    scheme = LiftingScheme.from_name("cdf5.3").to_integer()
    with pytest.raises(WaveletError, match="use idwt or waverec"):
        scheme.inverse()
    with pytest.raises(WaveletError, match="not linear"):
        scheme.adjoint()


# --- the equivalent filters ------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n", [2, 6, 40])
def test_filter_bank_computes_the_same(seed, n):
    scheme = random_scheme(seed)
    x = np.random.default_rng(seed).standard_normal(n)
    wavelet = pywt.Wavelet("lifted", filter_bank=scheme.to_filter_bank().filter_bank)
    expected = transform(scheme, x)
    np.testing.assert_allclose(pywt.dwt(x, wavelet, "periodization"), expected, rtol=0, atol=1e-13)
    back = pywt.idwt(*expected, wavelet, "periodization")
    np.testing.assert_allclose(back, x, rtol=0, atol=1e-13)


def test_filter_bank_has_the_shortest_length_that_keeps_the_alignment():
    identity = LiftingScheme([]).to_filter_bank()
    assert identity.filter_bank == ((0.0, 1.0), (1.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    far = LiftingScheme([LiftingStep("predict", [1.0], 3)]).to_filter_bank()
    # The detail reads x[2i + 1] and x[2i + 6], which is x[2i + L/2 - k] at k = 0.
    assert far.dec_hi == (1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 0, 0)
    padded = FilterBank([0, 0, 1, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0])
    assert LiftingScheme([], origin=padded).to_filter_bank() == padded
    assert far.reconstruction_error() == 0


def test_cdf53_has_pywavelets_filters():
    bank = LiftingScheme.from_name("bior2.2").to_filter_bank()
    for mine, theirs in zip(bank.filter_bank, pywt.Wavelet("bior2.2").filter_bank, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=3e-16)


@pytest.mark.parametrize("name", [n for n in pywt.wavelist(kind="discrete") if n != "dmey"])
def test_dec_len_is_pywavelets(name):
    scheme = LiftingScheme.from_name(name)
    assert scheme.dec_len == pywt.Wavelet(name).dec_len
    assert scheme.to_integer().dec_len == scheme.dec_len


def test_dec_len_of_own_schemes_comes_from_the_steps():
    step = LiftingStep("predict", [-0.5, -0.5])
    assert LiftingScheme([step]).dec_len == 4
    assert LiftingScheme([step, LiftingStep("update", [0.25, 0.25], -1)]).dec_len == 6
    assert LiftingScheme([step, step.negated()]).dec_len == 2


# --- names -----------------------------------------------------------------------------------


def test_names_are_known_in_any_case_and_under_their_other_names():
    from_name = LiftingScheme.from_name
    assert from_name("CDF9.7") is from_name("cdf9.7")
    assert from_name("cdf97") == from_name("bior4.4") == from_name("BIOR4.4")
    assert from_name("cdf53") == from_name("bior2.2")
    assert from_name("haar") == from_name("db1") == from_name("bior1.1")
    assert [from_name(n).name for n in ("CDF53", "haar", "db1", "db2")] == [
        "cdf5.3",
        "haar",
        "db1",
        "db2",
    ]


def test_from_wavelet_takes_whatever_describes_a_wavelet():
    scheme = LiftingScheme.from_name("db2")
    assert LiftingScheme.from_wavelet(scheme) is scheme
    assert LiftingScheme.from_wavelet("db2") is scheme
    assert LiftingScheme.from_wavelet(pywt.Wavelet("db2")) == scheme
    assert LiftingScheme.from_wavelet(FilterBank(*pywt.Wavelet("db2").filter_bank)) == scheme


@pytest.mark.parametrize("name", ["db39", "bior9.9", "mexh", ""])
def test_unknown_names_say_which_are_known(name):
    with pytest.raises(WaveletError, match="no discrete wavelet has the name"):
        LiftingScheme.from_name(name)


def test_what_is_no_wavelet_says_so():
    with pytest.raises(WaveletError, match="name must be a string"):
        LiftingScheme.from_name(3)
    with pytest.raises(WaveletError, match="expected a FilterBank"):
        LiftingScheme.from_wavelet(3)


# --- numbers about a scheme ------------------------------------------------------------------


def test_noise_gain_of_haar_by_hand():
    # After o -= e: powers 2 and 1; after e += o/2: 1/2 and 2.
    assert LiftingScheme.from_name("haar").noise_gain == pytest.approx(np.sqrt(3))
    assert LiftingScheme([]).noise_gain == 0


def test_max_tap():
    assert LiftingScheme.from_name("cdf9.7").max_tap == 1.5861343420599237
    assert LiftingScheme([]).max_tap == 0


# --- integers --------------------------------------------------------------------------------


def integer_transform(scheme, x):
    """The integer transform on Python integers, under periodization."""
    channels = [[int(v) for v in x[0::2]], [int(v) for v in x[1::2]]]
    half = len(channels[0])
    for step in scheme.steps:
        numerators, bits = fixed_point(step)
        target, source = channels[step.target_parity], channels[1 - step.target_parity]
        for k in range(half):
            products = (n * source[(k + step.offset + j) % half] for j, n in enumerate(numerators))
            target[k] += (sum(products) + (1 << (bits - 1))) >> bits
    return channels


def test_integer_cdf53_is_the_reversible_transform_of_jpeg2000():
    x = [int(v) for v in np.random.default_rng(0).integers(-128, 128, 64)]
    e, o = x[0::2], x[1::2]
    d = [o[k] - floor(Fraction(e[k] + e[(k + 1) % 32], 2)) for k in range(32)]
    s = [e[k] + floor(Fraction(d[k - 1] + d[k] + 2, 4)) for k in range(32)]
    assert integer_transform(LiftingScheme.from_name("cdf5.3").to_integer(), x) == [s, d]


def test_to_integer_keeps_spline_steps_and_drops_their_scales():
    for name in SPLINES:
        scheme = LiftingScheme.from_name(name)
        integer = scheme.to_integer()
        assert (integer.steps, integer.scale, integer.integer) == (scheme.steps, (1, 1), True)
        assert integer.name == scheme.name
        assert integer.to_integer() is integer


@pytest.mark.parametrize("name", ORTHONORMAL)
def test_to_integer_of_orthonormal_wavelets_needs_no_scales(name):
    scheme = LiftingScheme.from_name(name)
    integer = scheme.to_integer()
    assert [abs(s) for s in integer.scale] == [1, 1]
    np.testing.assert_allclose(matrix(integer, 40), matrix(scheme, 40), rtol=0, atol=2e-11)


@pytest.mark.parametrize(
    ("taps", "expected"),
    [
        ([-1.0], ((-2,), 1)),
        ([-0.5, -0.5], ((-1, -1), 1)),
        ([0.25, 0.25], ((1, 1), 2)),
        ([3 / 2**14, 2.0], ((3, 2**15), 14)),
        ([1 / 3], ((21845,), 16)),
        ([2.0**-15, -(2.0**-18)], ((2, 0), 16)),
    ],
)
def test_fixed_point(taps, expected):
    step = LiftingStep("predict", taps)
    assert fixed_point(step) == LiftingScheme.fixed_point(step) == expected


# --- taps of other libraries -----------------------------------------------------------------


def test_array_taps_are_kept_and_compared_by_identity():
    taps = foreign([0.5, 0.25])
    step = LiftingStep("predict", taps, 1)
    assert step.taps is taps
    assert step == LiftingStep("predict", taps, 1)
    assert step != LiftingStep("predict", foreign([0.5, 0.25]), 1)
    assert hash(step) == hash(LiftingStep("predict", taps, 1))
    assert repr(step) == "LiftingStep('predict', <2 taps, array_api_strict array>, offset=1)"
    assert str(step) == "odd[k]  += <2 taps, array_api_strict array> * even[k+1] .. even[k+2]"


def test_inverse_and_adjoint_of_array_taps():
    plain = LiftingScheme(
        [LiftingStep("predict", [0.5, 0.25], 1), LiftingStep("update", [2.0])], (2.0, -4.0)
    )
    learned = LiftingScheme(
        [LiftingStep(s.kind, foreign(s.taps), s.offset) for s in plain.steps],
        (foreign(2.0), foreign(-4.0)),
    )
    assert not learned.is_concrete
    for operation in ("inverse", "adjoint"):
        one, two = getattr(plain, operation)(), getattr(learned, operation)()
        assert [float(s) for s in two.scale] == list(one.scale)
        for a, b in zip(one.steps, two.steps, strict=True):
            assert (a.kind, a.offset) == (b.kind, b.offset)
            assert [float(t) for t in b.taps] == list(a.taps)


def test_array_scales_reach_plain_taps():
    scheme = LiftingScheme([LiftingStep("predict", [0.5, 0.25])], (foreign(2.0), foreign(-4.0)))
    (step,) = scheme.inverse().steps
    assert not step.is_concrete
    assert [float(t) for t in step.taps] == [1.0, 0.5]
    assert repr(scheme) == (
        "LiftingScheme(1 step, scale=(<array_api_strict array>, <array_api_strict array>))"
    )
    assert scheme == LiftingScheme(scheme.steps, scheme.scale)
    assert scheme != LiftingScheme(scheme.steps, (foreign(2.0), foreign(-4.0)))
    assert hash(scheme) == hash(LiftingScheme(scheme.steps, scheme.scale))


def test_copies_of_array_taps_are_other_taps():
    scheme = LiftingScheme([LiftingStep("predict", foreign([0.5]))])
    hash(scheme)
    twin = copy.deepcopy(scheme)
    assert twin != scheme
    assert hash(twin) == hash(LiftingScheme(twin.steps))


def test_array_taps_have_a_length_but_no_numbers():
    taps = foreign([-0.5, -0.5])
    scheme = LiftingScheme([LiftingStep("predict", taps), LiftingStep("update", taps, -1)])
    assert scheme.dec_len == 6
    for attribute in ("noise_gain", "max_tap", "polyphase"):
        with pytest.raises(WaveletError, match=f"array taps or scales: {attribute}"):
            getattr(scheme, attribute)
    for method in ("to_filter_bank", "to_integer"):
        with pytest.raises(WaveletError, match=f"array taps or scales: {method}"):
            getattr(scheme, method)()
    with pytest.raises(WaveletError, match="integer transforms need plain numbers"):
        fixed_point(scheme.steps[0])
    with pytest.raises(WaveletError, match="scale needs 0-d arrays"):
        LiftingScheme([], (taps, 1.0))
