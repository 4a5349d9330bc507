"""Lifting through the public functions: PyWavelets' values, exact inverses, integers."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
import pywt
from helpers import (
    DISCRETE,
    LIFTING_MODES,
    Library,
    all_of,
    assert_close,
    mapped,
    paired,
    to_numpy,
    zero_mean,
)
from hypothesis import given
from hypothesis import strategies as st

import liftwave as lw
from liftwave.errors import DTypeError, IntegerRangeWarning, ModeError, WaveletError

pytestmark = pytest.mark.filterwarnings("ignore:Level value of")

LIFTED = [name for name in DISCRETE if name != "dmey"]
# PyWavelets' tables of these wavelets are exact to the last bit; others have about eleven digits.
# Lifting reconstructs exactly, so it cannot equal an inexact table.
EXACT_TABLES = ("haar", "db", "coif", "bior1", "bior2", "bior3", "rbio1", "rbio2", "rbio3")
WHOLE_SAMPLE = [
    f"{kind}{order}"
    for kind in ("bior", "rbio")
    for order in ("2.2", "2.4", "2.6", "2.8", "4.4", "5.5", "6.8")
]
# Boundary modes under which even signals shorter than the wavelet keep their size.
FAITHFUL = ("periodization", "zero", "constant")
SOME = ("haar", "cdf5.3", "cdf9.7", "db2", "db5", "sym8", "bior3.3", "rbio1.5", "bior5.5", "coif2")


@cache
def scheme(name: str) -> lw.LiftingScheme:
    return lw.LiftingScheme.from_name(name)


@cache
def integer_scheme(name: str) -> lw.LiftingScheme:
    return scheme(name).to_integer()


def table_bound(wavelet: str, dtype: str) -> float:
    if dtype == "float32":
        return 2e-6
    return 1e-14 if wavelet.startswith(EXACT_TABLES) else 3e-11


def relative_gap(actual: Any, expected: Any) -> float:
    """The largest difference of both bands, relative to the largest coefficient."""
    size = max(np.abs(band).max() for band in expected)
    gap = max(np.abs(a - e).max() for a, e in zip(actual, expected, strict=True))
    return float(gap / size)


# --- the same numbers as PyWavelets --------------------------------------------------------------


@pytest.mark.parametrize("wavelet", all_of(LIFTED))
def test_periodization_gives_pywavelets_coefficients(wavelet: str, kernels: Any) -> None:
    """All coefficients: alignment, order, sign and scale; also for odd lengths."""
    for n in (1, 2, 3, 4, 7, 12, 33, 64):
        x = zero_mean(n, n)
        expected = pywt.dwt(x, wavelet, "periodization")
        for dtype in ("float64", "float32"):
            actual = lw.dwt(x.astype(dtype), scheme(wavelet), "periodization")
            assert [band.dtype for band in actual] == [np.dtype(dtype)] * 2
            assert [band.shape for band in actual] == [band.shape for band in expected]
            assert relative_gap(actual, expected) <= table_bound(wavelet, dtype), (n, dtype)
            back = lw.idwt(*(b.astype(dtype) for b in expected), scheme(wavelet), "periodization")
            assert back.shape == (n + n % 2,)
            assert np.abs(back[:n] - x).max() <= table_bound(wavelet, dtype) * np.abs(x).max() * 4


def test_dmey_has_no_scheme() -> None:
    with pytest.raises(WaveletError, match="dmey"):
        scheme("dmey")


def test_multilevel_periodization_gives_pywavelets_coefficients(xp: Library, kernels: Any) -> None:
    x = zero_mean((9, 20, 17))
    given = xp.asarray(x)
    for wavelet in ("db2", "coif2", "bior3.3"):
        lifted = scheme(wavelet)
        wanted = pywt.wavedecn(x, wavelet, "periodization", 2, (1, 2))
        actual = lw.wavedecn(given, lifted, "periodization", 2, (1, 2))
        for a, e in zip(actual[1:], wanted[1:], strict=True):
            for key in e:
                assert_close(a[key], xp.asarray(e[key]), ulps=64, scale=np.abs(wanted[0]).max())
        assert_close(actual[0], xp.asarray(wanted[0]), ulps=64)
        approx, (horizontal, vertical, diagonal) = lw.dwt2(given, lifted, "periodization")
        wanted = pywt.dwt2(x, wavelet, "periodization")
        assert_close(approx, xp.asarray(wanted[0]), ulps=64)
        for a, e in zip((horizontal, vertical, diagonal), wanted[1], strict=True):
            assert_close(a, xp.asarray(e), ulps=64, scale=np.abs(wanted[0]).max())
        result = lw.fswavedecn(given, lifted, "periodization", 2, (1, 2)).coeffs
        wanted = pywt.fswavedecn(x, wavelet, "periodization", 2, (1, 2)).coeffs
        assert_close(result, xp.asarray(wanted), ulps=64)
        for part in "ad":
            band = lw.downcoef(part, given[0, 0, :], lifted, "periodization", 2)
            wanted = pywt.downcoef(part, x[0, 0], wavelet, "periodization", 2)
            assert_close(band, xp.asarray(wanted), ulps=64, scale=10.0)
            band = lw.upcoef(part, given[0, 0, :], lifted, 2)
            wanted = pywt.upcoef(part, x[0, 0], wavelet, 2)
            assert_close(band, xp.asarray(wanted), ulps=64, scale=10.0)


@pytest.mark.parametrize("wavelet", WHOLE_SAMPLE)
def test_reflect_is_the_transform_of_the_reflected_signal(wavelet: str, kernels: Any) -> None:
    """For symmetric filters of odd length, the signal's period is 2 n - 2 samples."""
    for n in range(2, 25):
        x = zero_mean(n, n)
        whole = np.concatenate([x, x[-2:0:-1]])
        cA, cD = pywt.dwt(whole, wavelet, "periodization")
        expected = cA[: (n + 1) // 2], cD[: n // 2]
        actual = lw.dwt(x, scheme(wavelet), "reflect")
        assert [b.size for b in actual] == [b.size for b in expected]
        assert relative_gap(actual, expected) <= table_bound(wavelet, "float64")


@pytest.mark.parametrize("wavelet", [w for w in WHOLE_SAMPLE if not w.endswith("5.5")])
def test_reflect_is_a_slice_of_pywavelets_reflect(wavelet: str, kernels: Any) -> None:
    """Half the filter length is odd: both use the same samples of the convolution."""
    start = (pywt.Wavelet(wavelet).dec_len // 2 - 1) // 2
    for n in range(2, 25):
        x = zero_mean(n, n)
        wide = pywt.dwt(x, wavelet, "reflect")
        lengths = ((n + 1) // 2, n // 2)
        expected = [b[start : start + m] for b, m in zip(wide, lengths, strict=True)]
        actual = lw.dwt(x, scheme(wavelet), "reflect")
        assert relative_gap(actual, expected) <= table_bound(wavelet, "float64")


# --- extension of steps at the boundaries --------------------------------------------------------

NUMPY_MODES = {
    "periodization": "wrap",
    "symmetric": "symmetric",
    "zero": "constant",
    "constant": "edge",
}


def lifted_by_hand(x: np.ndarray, steps: Any, mode: str, rounded: bool = False) -> list[np.ndarray]:
    """Even and odd samples after the steps; :func:`numpy.pad` extends each source."""
    if mode == "periodization" and x.size % 2:
        x = np.append(x, x[-1])
    channels = [x[0::2].copy(), x[1::2].copy()]
    for step in steps:
        target, source = channels[step.target_parity], channels[1 - step.target_parity]
        if target.size and source.size:
            reach = abs(step.offset) + step.length + target.size
            if mode == "reflect":
                wide = _reflected(source, 1 - step.target_parity, x.size, reach)
            else:
                wide = np.pad(source, reach, NUMPY_MODES[mode])
            taps, bits = (step.taps, 0)
            if rounded:
                taps, bits = lw.LiftingScheme.fixed_point(step)
            for k in range(target.size):
                first = reach + k + step.offset
                terms = (t * wide[first + j] for j, t in enumerate(taps))
                total = sum(terms)
                target[k] += (total + (1 << (bits - 1))) >> bits if rounded else total
    return channels


def _reflected(source: np.ndarray, parity: int, n: int, reach: int) -> np.ndarray:
    """The channel of the reflected signal: whole-sample symmetry preserves parity."""
    signal = np.zeros(n, dtype=source.dtype)
    signal[parity::2] = source
    return (
        np.pad(signal, 2 * reach, "reflect")[parity::2] if n > 1 else np.pad(source, reach, "edge")
    )


def any_scheme(seed: int) -> lw.LiftingScheme:
    """Steps of any length and offset, unlike those of any wavelet."""
    rng = np.random.default_rng(seed)
    steps = [
        lw.LiftingStep(
            ("predict", "update")[int(rng.integers(2))],
            rng.integers(-24, 25, int(rng.integers(1, 6))) / 16,
            int(rng.integers(-6, 5)),
        )
        for _ in range(int(rng.integers(1, 5)))
    ]
    return lw.LiftingScheme(steps, (1.25, -0.5))


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_boundaries_of_lifting(mode: str, kernels: Any) -> None:
    """Samples and taps with few bits: every sum is exact in any order."""
    rng = np.random.default_rng(11)
    for seed in range(12):
        lifted = any_scheme(seed)
        for n in (1, 2, 3, 4, 5, 8, 9):
            x = rng.integers(-64, 65, n).astype("float64")
            even, odd = lifted_by_hand(x, lifted.steps, mode)
            cA, cD = lw.dwt(x, lifted, mode)
            assert_close(cA, 1.25 * even)
            assert_close(cD, -0.5 * odd)


# --- reconstruction of every length --------------------------------------------------------------


def check_return(wavelet: str, mode: str, n: int, level: int = 1) -> None:
    lifted = scheme(wavelet)
    amplified = amplification(lifted, mode, n, level)
    for dtype, bound in (("float64", 5e-15), ("float32", 3e-6)):
        x = zero_mean(n, n, dtype)
        back = lw.waverec(lw.wavedec(x, lifted, mode, level), lifted, mode)
        if mode == "periodization":
            back = back[:n]
        assert back.shape == x.shape
        assert back.dtype == x.dtype
        assert np.abs(back - x).max() <= bound * amplified * np.abs(x).max(), (n, dtype)


def amplification(lifted: lw.LiftingScheme, mode: str, n: int, level: int) -> float:
    """The factor by which boundaries can amplify rounding errors.

    Steps invert exactly. However, if a signal is shorter than the wavelet and the mode is not
    suitable, coefficients are many times larger than the samples. The condition number of each
    level's matrix is the factor.
    """
    if mode == "periodization" or (level == 1 and (n >= lifted.dec_len or mode in FAITHFUL)):
        return 1.0
    factor = 1.0
    for _ in range(level):
        matrix = np.concatenate(lw.dwt(np.eye(n), lifted, mode, axis=0))
        factor *= float(np.linalg.cond(matrix, np.inf))
        n = (n + 1) // 2
    return max(1.0, factor)


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("wavelet", all_of(LIFTED))
def test_reconstruction(wavelet: str, mode: str, kernels: Any) -> None:
    for n in (1, 2, 3, 8, 17, 40):
        check_return(wavelet, mode, n)
    check_return(wavelet, mode, 37, level=3)


@pytest.mark.slow
@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("wavelet", all_of(LIFTED))
def test_reconstruction_of_every_length(wavelet: str, mode: str, kernels: Any) -> None:
    for n in range(1, 41):
        check_return(wavelet, mode, n)
        check_return(wavelet, mode, n, level=3)


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("wavelet", SOME)
def test_reconstruction_of_some_wavelets_at_every_length(
    wavelet: str, mode: str, kernels: Any
) -> None:
    for n in range(1, 41):
        check_return(wavelet, mode, n)


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_reconstruction_in_several_dimensions(mode: str, xp: Library, kernels: Any) -> None:
    x = zero_mean((5, 12, 7))
    given = xp.asarray(x)
    for wavelet in ("cdf9.7", "db3", "haar"):
        lifted = scheme(wavelet)
        for axes, level in (((0, 1, 2), 2), ((2, 0), 1), ((1,), 3)):
            coeffs = lw.wavedecn(given, lifted, mode, level, axes)
            back = lw.waverecn(coeffs, lifted, mode, axes)
            if mode == "periodization":
                back = back[tuple(slice(n) for n in x.shape)]
            assert_close(back, given, ulps=64)
        coeffs = lw.wavedec2(given, (lifted, scheme("cdf5.3")), mode, 2)
        back = lw.waverec2(coeffs, (lifted, scheme("cdf5.3")), mode)
        assert_close(back[:, :12, :7], given, ulps=64)
        result = lw.fswavedecn(given, lifted, mode, 2)
        assert_close(lw.fswaverecn(result)[:5, :12, :7], given, ulps=64)


@pytest.mark.parametrize("axes", [(0, 0), (0, 1, 0), (-1, -1, 0), (0, 0, 1, 2)])
def test_an_axis_may_be_lifted_twice(axes: tuple[int, ...], xp: Library, kernels: Any) -> None:
    values = np.random.default_rng(0).standard_normal((8, 12, 16))
    x = xp.asarray(values)
    bands = lw.dwtn(x, scheme("haar"), "symmetric", axes)
    expected = pywt.dwtn(values, "haar", "symmetric", axes)
    assert bands.keys() == expected.keys()
    for key, band in bands.items():
        assert_close(to_numpy(band), expected[key], ulps=16, scale=8)
    assert_close(lw.idwtn(bands, scheme("haar"), "symmetric", axes), x, ulps=16, scale=8)


def test_critically_sampled() -> None:
    """ceil(n / 2) and floor(n / 2); periodization first makes odd lengths even."""
    for n in range(1, 12):
        for mode in LIFTING_MODES:
            cA, cD = lw.dwt(np.ones(n), scheme("cdf9.7"), mode)
            half = (n + 1) // 2
            assert cA.shape == (half,)
            assert cD.shape == (half if mode == "periodization" else n - half,)
            assert lw.dwt_coeff_len(n, scheme("cdf9.7"), mode) == half
    shapes = lw.wavedecn_shapes((9, 7), scheme("haar"), "reflect", 2)
    coeffs = lw.wavedecn(np.ones((9, 7)), scheme("haar"), "reflect", 2)
    assert shapes == mapped(lambda c: c.shape, coeffs)
    assert lw.wavedecn_size(shapes) == 63


def test_missing_bands_are_zeros(xp: Library, kernels: Any) -> None:
    x = zero_mean((7, 9))
    for mode in LIFTING_MODES:
        bands = lw.dwtn(xp.asarray(x), scheme("db2"), mode)
        kept = {"aa": bands["aa"], "dd": bands["dd"]}
        zeroed = {**bands, "ad": 0 * bands["ad"], "da": 0 * bands["da"]}
        expected = lw.idwtn(zeroed, scheme("db2"), mode)
        assert_close(lw.idwtn(kept, scheme("db2"), mode), expected, ulps=4)
        assert_close(
            lw.idwtn({**kept, "ad": None, "da": None}, scheme("db2"), mode), expected, ulps=4
        )


def test_lifting_and_filter_banks_mix() -> None:
    """One axis by lifting, the other by convolution."""
    x = zero_mean((10, 9))
    wavelets, modes = (scheme("cdf5.3"), "db2"), ("reflect", "smooth")
    expected = lw.dwt(lw.dwt(x, wavelets[0], modes[0], axis=0)[1], wavelets[1], modes[1])[0]
    assert_close(lw.dwtn(x, wavelets, modes)["da"], expected, ulps=8)
    coeffs = lw.wavedec2(x, wavelets, modes, level=2)
    assert_close(lw.waverec2(coeffs, wavelets, modes)[:, :9], x, ulps=64)


# --- integers ------------------------------------------------------------------------------------

NEXT = {
    "int8": "int16",
    "uint8": "int16",
    "int16": "int32",
    "uint16": "int32",
    "int32": "int64",
    "uint32": "int64",
    "int64": "int64",
}


def full_range(shape: Any, dtype: str, seed: int = 0) -> np.ndarray:
    """Random integers of the full range, including both ends."""
    info = np.iinfo(dtype)
    rng = np.random.default_rng(seed)
    x = rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    extreme = rng.random(shape) < 0.3
    return np.where(extreme, rng.choice(np.array([info.min, info.max], dtype), shape), x)


def check_lossless(x: np.ndarray, wavelet: str, mode: str, level: int, axes: Any) -> None:
    with warnings.catch_warnings():
        if x.dtype.itemsize >= 4:
            warnings.simplefilter("ignore", IntegerRangeWarning)
        coeffs = lw.wavedecn(x, integer_scheme(wavelet), mode, level, axes)
    assert coeffs[0].dtype.kind == "i"
    back = lw.waverecn(coeffs, integer_scheme(wavelet), mode, axes)
    back = back[tuple(slice(n) for n in x.shape)]
    assert back.dtype.kind == "i"
    assert np.array_equal(back, x.astype(back.dtype))


@pytest.mark.parametrize("dtype", NEXT)
@pytest.mark.parametrize(("wavelet", "mode"), paired(SOME, LIFTING_MODES, 2))
def test_integers_come_back(wavelet: str, mode: str, dtype: str, kernels: Any) -> None:
    for n in (1, 2, 3, 5, 8, 21):
        check_lossless(full_range(n, dtype, n), wavelet, mode, 1, 0)
    check_lossless(full_range(40, dtype, 1), wavelet, mode, 3, 0)
    check_lossless(full_range((7, 10), dtype, 2), wavelet, mode, 2, (0, 1))
    check_lossless(full_range((5, 4, 6), dtype, 3), wavelet, mode, 2, (2, 0, 1))


@pytest.mark.parametrize("wavelet", all_of(LIFTED))
def test_integers_of_every_wavelet_come_back(wavelet: str, kernels: Any) -> None:
    for dtype in ("uint8", "int64"):
        for n in (9, 32):
            check_lossless(full_range(n, dtype, n), wavelet, "periodization", 2, 0)
            check_lossless(full_range(n, dtype, n), wavelet, "reflect", 1, 0)


@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    dtype=st.sampled_from(sorted(NEXT)),
    mode=st.sampled_from(LIFTING_MODES),
    wavelet=st.sampled_from(LIFTED),
    level=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_integers_come_back(
    shape: list[int], dtype: str, mode: str, wavelet: str, level: int, seed: int, kernels: Any
) -> None:
    check_lossless(full_range(shape, dtype, seed), wavelet, mode, level, None)


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_integers_come_back_from_fully_separable_transforms(mode: str, kernels: Any) -> None:
    x = full_range((9, 6), "uint8")
    result = lw.fswavedecn(x, integer_scheme("cdf5.3"), mode, levels=(2, 1))
    assert result.coeffs.dtype.kind == "i"
    back = lw.fswaverecn(result)[:9, :6]
    assert back.dtype.kind == "i"
    assert np.array_equal(back, x)


def test_integers_of_every_library_come_back(xp: Library, kernels: Any) -> None:
    for dtype in ("int8", "uint8", "int16", "int32"):
        for mode in LIFTING_MODES:
            x = full_range((6, 7), dtype)
            lifted = integer_scheme("cdf9.7")
            given = xp.asarray(x)
            coeffs = lw.wavedec2(given, lifted, mode, level=2)
            wanted = lw.wavedec2(x, lifted, mode, level=2)
            for a, e in zip((coeffs[0], *coeffs[1]), (wanted[0], *wanted[1]), strict=True):
                assert_close(a, xp.asarray(e))
            back = to_numpy(lw.waverec2(coeffs, lifted, mode))[:6, :7]
            assert np.array_equal(back, x)


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("wavelet", ["haar", "cdf5.3", "cdf9.7", "db2", "bior3.3", "bior5.5"])
def test_coefficients_are_never_wrapped(wavelet: str, mode: str, kernels: Any) -> None:
    """Unbounded integers agree, also for samples that maximize each coefficient."""
    lifted = integer_scheme(wavelet)
    real = lw.LiftingScheme(lifted.steps)
    every = ("int8", "uint8", "uint16", "int16", "int32", "uint32")  # every other for each mode
    for dtype in every[LIFTING_MODES.index(mode) % 2 :: 2]:
        info = np.iinfo(dtype)
        for n in (2, 3, 9, 16):
            rows = np.concatenate(lw.dwt(np.eye(n), real, mode, axis=0))
            for row in [*rows, *-rows]:
                x = np.where(row > 0, info.max, info.min).astype(dtype)
                unbounded = np.array([int(v) for v in x], dtype=object)
                exact = lifted_by_hand(unbounded, lifted.steps, mode, rounded=True)
                for band, channel, shift in zip(
                    lw.dwt(x, lifted, mode), exact, lifted.shift, strict=True
                ):
                    rolled = np.roll(channel, shift if mode == "periodization" else 0)
                    assert band.tolist() == rolled.tolist()


def reversible_5_3(x: list[int]) -> tuple[list[int], list[int]]:
    """JPEG 2000's reversible transform (ISO/IEC 15444-1, annex F), sample by sample.

    d[k] = x[2 k + 1] - floor((x[2 k] + x[2 k + 2]) / 2)
    s[k] = x[2 k] + floor((d[k - 1] + d[k] + 2) / 4)
    """
    n = len(x)
    if n == 1:
        return list(x), []

    def at(p: int) -> int:
        """Position p under x[-k] = x[k], x[n - 1 + k] = x[n - 1 - k]."""
        p = abs(p)
        return p if p < n else 2 * (n - 1) - p

    y = list(x)
    for p in range(1, n, 2):
        y[p] = x[p] - (x[at(p - 1)] + x[at(p + 1)]) // 2
    for p in range(0, n, 2):
        y[p] = x[p] + (y[at(p - 1)] + y[at(p + 1)] + 2) // 4
    return y[0::2], y[1::2]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32"])
def test_cdf_5_3_is_the_reversible_transform_of_jpeg_2000(dtype: str, kernels: Any) -> None:
    for n in range(1, 34):
        for seed in range(3):
            x = full_range(n, dtype, 100 * n + seed)
            low, high = reversible_5_3([int(v) for v in x])
            cA, cD = lw.dwt(x, integer_scheme("cdf5.3"), "reflect")
            assert cA.tolist() == low
            assert cD.tolist() == high


@pytest.mark.parametrize(("given_dtype", "expected"), NEXT.items())
def test_dtype_of_integer_coefficients(given_dtype: str, expected: str, xp: Library) -> None:
    """The next wider dtype, which the inverse preserves."""
    x = xp.asarray(np.ones(8), given_dtype)
    lifted = integer_scheme("cdf5.3")
    wanted = xp.asarray(np.ones(4), expected).dtype
    coeffs = lw.wavedec(x, lifted, "reflect", level=2)
    assert {band.dtype for band in coeffs} == {wanted}
    assert lw.waverec(coeffs, lifted, "reflect").dtype == wanted
    assert {band.dtype for band in lw.dwt(x, lifted, "zero")} == {wanted}


def test_more_levels_get_more_room() -> None:
    """A wider dtype is used if growth over levels and axes can exceed the next dtype."""
    x = full_range((32, 32, 32), "uint8")
    lifted = integer_scheme("bior5.5")
    coeffs = lw.wavedecn(x, lifted, "zero", level=3)
    assert coeffs[0].dtype in (np.int32, np.int64)
    assert lw.dwt(np.zeros(8, "uint8"), integer_scheme("cdf5.3"), "reflect")[0].dtype == np.int16


def test_signed_coefficients_of_different_width_meet() -> None:
    x = full_range(9, "int8")
    cA, cD = lw.dwt(x, integer_scheme("cdf5.3"), "reflect")
    back = lw.idwt(cA.astype("int64"), cD, integer_scheme("cdf5.3"), "reflect")
    assert back.dtype == np.int64
    assert np.array_equal(back, x)


def test_unsigned_coefficients_are_what_they_say(kernels: Any) -> None:
    """For coefficients stored as unsigned integers: 200 does not become -56."""
    lifted = integer_scheme("haar")
    for dtype, wider in (("uint8", "int16"), ("uint16", "int32"), ("uint32", "int64")):
        top = int(np.iinfo(dtype).max)
        cA, cD = np.array([top, 7, top], dtype), np.array([0, 2, top], dtype)
        back = lw.idwt(cA, cD, lifted, "zero")
        assert back.dtype == np.dtype(wider)
        # even = s - floor((d + 1) / 2), odd = d + even
        expected = [top, top, 6, 8, top - (top + 1) // 2, 2 * top - (top + 1) // 2]
        assert back.tolist() == expected


def test_huge_integers_are_warned_of() -> None:
    lifted = integer_scheme("cdf5.3")
    huge = np.array([2**62, -(2**62), 2**62, -(2**62), 5])
    with pytest.warns(IntegerRangeWarning, match=r"4\.61e\+18 in int64: the coefficients overflow"):
        coeffs = lw.dwt(huge, lifted, "reflect")
    assert np.array_equal(lw.idwt(*coeffs, lifted, "reflect"), huge)
    moderate = huge // 2**20
    low, high = reversible_5_3(moderate.tolist())
    cA, cD = lw.dwt(moderate, lifted, "reflect")
    assert (cA.tolist(), cD.tolist()) == (low, high)


@pytest.mark.parametrize("dtype", ["uint64", "float32", "float64", "complex64", "bool"])
def test_other_dtypes_are_refused_by_integer_schemes(dtype: str, xp: Library) -> None:
    x, lifted = xp.asarray(np.ones(8), dtype), integer_scheme("cdf5.3")
    message = f"an integer lifting scheme needs int8 to int64 or uint8 to uint32, got {dtype}"
    for call in (
        lambda: lw.dwt(x, lifted, "reflect"),
        lambda: lw.wavedecn(x, lifted, "reflect", level=1),
        lambda: lw.idwt(x, x, lifted, "reflect"),
        lambda: lw.waverec([x, x], lifted, "reflect"),
        lambda: lw.downcoef("a", x, lifted, "reflect"),
    ):
        with pytest.raises(DTypeError, match=message):
            call()


def test_integer_and_other_wavelets_do_not_mix() -> None:
    x = np.ones((8, 8), dtype="int16")
    for other in ("haar", scheme("cdf5.3")):
        pair = (integer_scheme("cdf5.3"), other)
        for call in (
            lambda pair=pair: lw.dwt2(x, pair, "zero"),
            lambda pair=pair: lw.wavedecn(x, pair, "zero", level=1),
            lambda pair=pair: lw.idwt2((x, (x, x, x)), pair, "zero"),
            lambda pair=pair: lw.decompose(x, pair, 1, "zero"),
            lambda pair=pair: lw.fswavedecn(x, pair, "zero", levels=1),
        ):
            with pytest.raises(WaveletError, match="integer lifting schemes cannot be mixed"):
                call()
    pair = (integer_scheme("cdf5.3"), integer_scheme("haar"))
    back = lw.waverec2(lw.wavedec2(x, pair, "zero", level=2), pair, "zero")
    assert np.array_equal(back, x)


@pytest.mark.parametrize("mode", ["periodic", "smooth", "antisymmetric", "antireflect"])
def test_modes_without_lifting(mode: str) -> None:
    x = np.ones(8)
    for call in (
        lambda: lw.dwt(x, scheme("haar"), mode),
        lambda: lw.idwt(x, x, scheme("haar"), mode),
        lambda: lw.wavedec(x, scheme("haar"), mode, level=0),
        lambda: lw.wavedecn_shapes((8,), scheme("haar"), mode),
        lambda: lw.waverec([x, x], scheme("haar"), mode),
    ):
        with pytest.raises(ModeError, match=rf"mode '{mode}' is not defined for lifting"):
            call()
