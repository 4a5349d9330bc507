"""Parity with PyWavelets: same calls, same values, same structure, same dtypes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
import pywt
import torch
from calls import CASES, WAVEDEC, WAVEDEC2, WAVEDECN, WAVEDECN_AXES, volume
from helpers import (
    DISCRETE,
    MODES,
    SOME_WAVELETS,
    Library,
    all_of,
    assert_all_close,
    assert_close,
    eps,
    filter_gain,
    largest,
    mapped,
    reach_gain,
    zero_mean,
)
from hypothesis import assume, given
from hypothesis import strategies as st

import liftwave as lw
from liftwave.errors import ReconstructionWarning

# Short signals are intended; both libraries warn of them (test_errors.py tests our warning).
pytestmark = pytest.mark.filterwarnings("ignore:Level value of")

NEEDS_TWO = ("reflect", "antireflect")


# --- every wavelet, every mode -------------------------------------------------------------------


def compare_level(wavelet: str, mode: str, n: int) -> None:
    """Analysis of ``n`` samples and synthesis of ``n`` coefficients."""
    if n == 1 and mode in NEEDS_TWO:
        return
    bank = pywt.Wavelet(wavelet)
    x = zero_mean(n, seed=n)
    scale = reach_gain(x, wavelet, mode)
    assert_all_close(
        lw.dwt(x, wavelet, mode), pywt.dwt(x, wavelet, mode), ulps=bank.dec_len, scale=scale
    )
    m = pywt.dwt_coeff_len(n, bank.dec_len, mode)
    cA, cD = zero_mean(m, seed=n + 1), zero_mean(m, seed=n + 2)
    assert_close(
        lw.idwt(cA, cD, wavelet, mode),
        pywt.idwt(cA, cD, wavelet, mode),
        ulps=bank.dec_len,
        scale=2 * filter_gain(wavelet) * max(np.abs(cA).max(), np.abs(cD).max()),
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", all_of(DISCRETE))
def test_dwt_and_idwt(wavelet: str, mode: str, kernels: Any) -> None:
    """Very short lengths, one shorter and one longer than the filter, both parities."""
    length = pywt.Wavelet(wavelet).dec_len
    for n in (1, 2, 3, length - 1, 2 * length + 2):
        compare_level(wavelet, mode, n)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", all_of(DISCRETE))
def test_dwt_and_idwt_of_every_length(wavelet: str, mode: str, kernels: Any) -> None:
    for n in range(1, 41):
        compare_level(wavelet, mode, n)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("mode", MODES)
def test_haar_to_the_last_bit(mode: str, dtype: str, kernels: Any) -> None:
    """Haar needs two products and one sum, so that rounding is unique.

    The samples are small integers, so extrapolation beyond odd lengths is also exact.
    """
    rng = np.random.default_rng(3)
    for n in (2, 3, 4, 7, 8, 33):
        x = rng.integers(-(2**11), 2**11, n).astype(dtype)
        assert_all_close(lw.dwt(x, "haar", mode), pywt.dwt(x, "haar", mode), ulps=0)
        bands = zero_mean(n, 1, dtype), zero_mean(n, 2, dtype)
        assert_close(lw.idwt(*bands, "haar", mode), pywt.idwt(*bands, "haar", mode), ulps=0)


def test_haar_of_full_range_samples_to_the_last_bit(xp: Library, kernels: Any) -> None:
    for dtype in ("float32", "float64"):
        x = zero_mean(64, 5, dtype) * np.asarray(10.0 ** np.arange(-8, 8, 0.25), dtype=dtype)
        assert_all_close(lw.dwt(xp.asarray(x), "haar"), xp.tree(pywt.dwt(x, "haar")), ulps=0)


# --- every function, on every library ------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CASES)
def test_functions(name: str, dtype: str, xp: Library, kernels: Any) -> None:
    """Values, structure, dtype, library and device."""
    call, data = CASES[name]
    data = mapped(lambda x: x.astype(dtype), data)
    expected = call(pywt, data)
    assert_all_close(call(lw, xp.tree(data)), xp.tree(expected), ulps=64, scale=largest(expected))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize(
    "name", [n for n in CASES if "threshold" not in n and n not in ("array_to_coeffs",)]
)
def test_functions_of_complex_data(name: str, dtype: str, xp: Library, kernels: Any) -> None:
    call, data = CASES[name]
    seeds = iter(range(100, 1000))
    data = mapped(lambda x: (x + 1j * zero_mean(x.shape, next(seeds))).astype(dtype), data)
    expected = call(pywt, data)
    assert_all_close(call(lw, xp.tree(data)), xp.tree(expected), ulps=64, scale=largest(expected))


def test_thresholds_of_complex_data(xp: Library) -> None:
    for dtype in ("complex64", "complex128"):
        x = zero_mean((5, 7), 4, dtype)
        x[0, 0] = 0
        for mode in ("soft", "hard", "garrote"):
            expected = pywt.threshold(x, 0.7, mode)
            assert_close(lw.threshold(xp.asarray(x), 0.7, mode), xp.asarray(expected), ulps=8)
        expected = pywt.threshold_firm(x, 0.3, 0.9)
        assert_close(lw.threshold_firm(xp.asarray(x), 0.3, 0.9), xp.asarray(expected), ulps=8)


def mapped_slices(places: list[Any]) -> Any:
    """Slices in a normal form: an omitted start equals zero."""
    approx, *details = places
    plain = [tuple((s.start or 0, s.stop) for s in approx)]
    for level in details:
        plain.append({k: tuple((s.start or 0, s.stop) for s in w) for k, w in level.items()})
    return plain


@pytest.mark.parametrize("mode", ["symmetric", "periodization"])
@pytest.mark.parametrize("key", ["ad", "da", "dd"])
def test_one_band_of_a_level_determines_its_lengths(key: str, mode: str) -> None:
    """A level of odd lengths is reconstructed with one sample too many along each axis."""
    coeffs = pywt.wavedecn(zero_mean((9, 9)), "haar", mode, level=2)
    coeffs[-1] = {key: coeffs[-1][key]}
    expected = pywt.waverecn(coeffs, "haar", mode)
    assert_close(lw.waverecn(coeffs, "haar", mode), expected, ulps=16)


@pytest.mark.parametrize("keys", [("da", "dd"), ("dd",)])
def test_padding_in_place_of_missing_bands(keys: tuple[str, ...], xp: Library) -> None:
    coeffs = [zero_mean((3, 4)), {key: zero_mean((3, 5), seed) for seed, key in enumerate(keys)}]
    coeffs[1] |= {"da": zero_mean((3, 4))} if "da" in keys else {}
    expected, _ = pywt.coeffs_to_array(coeffs, 7.0)
    assert_close(lw.coeffs_to_array(xp.tree(coeffs), 7.0)[0], xp.asarray(expected))
    with pytest.raises(lw.errors.ShapeError, match="cannot be tightly packed"):
        lw.coeffs_to_array(coeffs, None)


def test_slices_and_shapes_of_packed_coefficients() -> None:
    for coeffs, axes in (
        (WAVEDEC, None),
        (WAVEDEC2, None),
        (WAVEDECN, None),
        (WAVEDECN_AXES, (2, 0)),
        (WAVEDEC[:1], None),
    ):
        ours, theirs = (
            lw.coeffs_to_array(coeffs, axes=axes),
            pywt.coeffs_to_array(coeffs, axes=axes),
        )
        assert mapped_slices(ours[1]) == mapped_slices(theirs[1])
        ours, theirs = lw.ravel_coeffs(coeffs, axes), pywt.ravel_coeffs(coeffs, axes)
        assert ours[1:] == theirs[1:]
    for output_format in ("wavedec", "wavedec2", "wavedecn", "swt", "swt2", "swtn"):
        coeffs = WAVEDEC if output_format in ("wavedec", "swt") else WAVEDEC2
        packed = pywt.ravel_coeffs(coeffs)
        assert_all_close(
            lw.unravel_coeffs(*packed, output_format=output_format),
            pywt.unravel_coeffs(*packed, output_format=output_format),
            ulps=0,
        )
        if output_format.startswith("swt"):
            continue
        packed = pywt.coeffs_to_array(coeffs)
        assert_all_close(
            lw.array_to_coeffs(*packed, output_format=output_format),
            pywt.array_to_coeffs(*packed, output_format=output_format),
            ulps=0,
        )


@pytest.mark.parametrize("axes", [None, (1, 0)])
def test_places_of_coefficients_are_those_of_pywavelets(axes: Any) -> None:
    """Slices and the order of keys are equal, not only the coefficients that they select."""
    lists = [
        pywt.wavedec2(zero_mean((9, 12)), "db2", level=2),
        pywt.wavedecn(zero_mean((9, 12)), "db2", level=2),
        [np.ones((1, 1)), {key: np.ones((1, 1)) for key in ("dd", "da", "ad")}],
    ]
    for coeffs in lists:
        for name in ("coeffs_to_array", "ravel_coeffs"):
            ours, theirs = (getattr(m, name)(coeffs, axes=axes) for m in (lw, pywt))
            assert repr(ours[1:]) == repr(theirs[1:])
    one = pywt.wavedec(zero_mean(9), "db2", level=2)
    assert repr(lw.coeffs_to_array(one)[1]) == repr(pywt.coeffs_to_array(one)[1])


def test_fully_separable_results_describe_themselves() -> None:
    x = volume()
    arguments = (x, ("haar", "db2"), ("zero", "periodic"), (2, 1), (2, 0))
    ours, theirs = lw.fswavedecn(*arguments), pywt.fswavedecn(*arguments)
    assert ours.coeff_slices == theirs.coeff_slices
    assert ours.detail_keys() == theirs.detail_keys()
    assert ours.wavelet_names == theirs.wavelet_names
    for name in ("levels", "axes", "ndim", "ndim_transform", "modes"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert_close(ours.approx, theirs.approx, ulps=16)
    for key in theirs.detail_keys():
        assert_close(ours[key], theirs[key], ulps=16, scale=largest(x))
    for result in (ours, theirs):
        result.approx = np.ones_like(result.approx)
        result[(1, 1)] = 2 * np.ones_like(result[(1, 1)])
    assert_close(lw.fswaverecn(ours), pywt.fswaverecn(theirs), ulps=64, scale=10.0)


CUSTOM = [[0.5, 0.5], [-0.5, 0.5], [1.0, 1.0], [1.0, -1.0]]


@pytest.mark.parametrize(
    "wavelets",
    [("haar", "db2"), (pywt.Wavelet("mine", filter_bank=CUSTOM), "bior2.2")],
    ids=["built-in", "custom"],
)
def test_fully_separable_results_are_exchanged_with_pywavelets(wavelets: Any) -> None:
    arguments = (volume(), wavelets, ("zero", "periodic"), (2, 1), (2, 0))
    ours, theirs = lw.fswavedecn(*arguments), pywt.fswavedecn(*arguments)
    expected = pywt.fswaverecn(theirs)
    assert_close(pywt.fswaverecn(ours), expected, ulps=64)
    assert_close(lw.fswaverecn(theirs), lw.fswaverecn(ours), ulps=64)
    assert_close(lw.vjp(lw.fswaverecn, theirs)[0], expected, ulps=64)
    for our, their in zip(ours.wavelets, theirs.wavelets, strict=True):
        names = [name for name in dir(their) if not name.startswith("_")]
        assert [name for name in names if not hasattr(our, name)] == []
        for name in ("name", "filter_bank", "orthogonal", "biorthogonal", "symmetry", "dec_len"):
            assert getattr(our, name) == getattr(their, name), name
        assert our.short_family_name == their.short_family_name


def test_schemes_and_learned_filters_of_fully_separable_results_stay() -> None:
    learned = lw.FilterBank(*torch.tensor(CUSTOM))
    scheme = lw.LiftingScheme.from_name("haar")
    result = lw.fswavedecn(torch.ones(4, 4), (learned, scheme), "periodization")
    assert result.wavelets[0] is learned
    assert result.wavelets[1] is scheme


# --- numbers about transforms --------------------------------------------------------------------


def test_lengths_and_levels() -> None:
    for n in range(1, 41):
        for wavelet in SOME_WAVELETS:
            length = pywt.Wavelet(wavelet).dec_len
            assert lw.dwt_max_level(n, wavelet) == pywt.dwt_max_level(n, wavelet)
            assert lw.dwt_max_level(n, length) == pywt.dwt_max_level(n, length)
            assert lw.dwtn_max_level((n, 25), wavelet) == pywt.dwtn_max_level((n, 25), wavelet)
            for mode in MODES:
                expected = pywt.dwt_coeff_len(n, length, mode)
                assert lw.dwt_coeff_len(n, length, mode) == expected
                assert lw.dwt_coeff_len(n, pywt.Wavelet(wavelet), mode) == expected
    assert lw.dwtn_max_level((64, 32, 5), ("db2", "haar"), (0, 1)) == 4
    assert lw.dwt_max_level(8.0, 2.0) == pywt.dwt_max_level(8.0, 2.0)


@pytest.mark.parametrize(
    "arguments",
    [
        ((64, 32), "db2"),
        ((9, 10, 11), ("haar", "db2", "db3"), ("zero", "periodization", "reflect"), 1),
        ((9, 10, 11), "haar", "symmetric", 2, (2, 0)),
        ((9, 10), "haar", "symmetric", None, 1),
        ((9, 10), "haar", "symmetric", 0),
        ((75,), "db3", "smooth", 3),
    ],
)
def test_shapes_without_computing(arguments: tuple[Any, ...]) -> None:
    shapes = lw.wavedecn_shapes(*arguments)
    assert shapes == pywt.wavedecn_shapes(*arguments)
    assert lw.wavedecn_size(shapes) == pywt.wavedecn_size(shapes)
    coeffs = pywt.wavedecn(np.zeros(arguments[0]), *arguments[1:])
    assert lw.wavedecn_size(coeffs) == pywt.wavedecn_size(coeffs)


SHARED_FUNCTIONS = sorted(
    name
    for name in lw.__all__
    if inspect.isfunction(getattr(lw, name)) and hasattr(pywt, name) and name != "kernels"
)


@pytest.mark.parametrize("name", SHARED_FUNCTIONS)
def test_signatures(name: str) -> None:
    """Arguments and defaults agree; liftwave's additional arguments are optional keywords."""
    ours, theirs = (inspect.signature(getattr(m, name)).parameters for m in (lw, pywt))
    added = [p for p in ours.values() if p.name not in theirs]
    assert all(p.kind == p.KEYWORD_ONLY and p.default is not p.empty for p in added)
    shared = [(p.name, p.kind, p.default) for p in ours.values() if p not in added]
    assert shared == [(p.name, p.kind, p.default) for p in theirs.values()]


def test_shared_functions_are_many() -> None:
    """The list above comes from the package; it must not become empty."""
    assert len(SHARED_FUNCTIONS) >= 28


# --- dtypes --------------------------------------------------------------------------------------

DTYPE_CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "dwt": lambda m, x: m.dwt(x, "db2"),
    "idwt": lambda m, x: m.idwt(x, x, "db2"),
    "dwtn": lambda m, x: m.dwtn(x, "haar"),
    "wavedec": lambda m, x: m.wavedec(x, "haar", level=2),
    "wavedec level 0": lambda m, x: m.wavedec(x, "haar", level=0),
    "waverec": lambda m, x: m.waverec([x, x], "haar"),
    "downcoef": lambda m, x: m.downcoef("d", x, "haar"),
    "upcoef": lambda m, x: m.upcoef("d", x, "haar"),
    "pad": lambda m, x: [m.pad(x, 2, mode) for mode in ("symmetric", "zero", "periodic")],
    "soft": lambda m, x: m.threshold(x, 2),
    "garrote": lambda m, x: m.threshold(x, 2, "garrote"),
    "hard": lambda m, x: m.threshold(x, 2, "hard"),
    "hard substitute": lambda m, x: m.threshold(x, 2, "hard", substitute=3),
    "hard float substitute": lambda m, x: m.threshold(x, 2, "hard", substitute=0.5),
    "firm": lambda m, x: m.threshold_firm(x, 1, 3),
}
DTYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
DTYPES += ["float16", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("dtype", [*DTYPES, "clongdouble"])
@pytest.mark.parametrize("name", DTYPE_CALLS)
def test_dtypes(name: str, dtype: str) -> None:
    call = DTYPE_CALLS[name]
    x = np.arange(8).astype(dtype)
    # Complex extended precision is a dtype of results only, not of computations.
    ulps = 16 if dtype != "clongdouble" else 16 * eps("float64") / eps("clongdouble")
    assert_all_close(call(lw, x), call(pywt, x), ulps=ulps)


@pytest.mark.parametrize(
    "pair", [("float32", "float64"), ("complex64", "float64"), ("int8", "float32")]
)
def test_bands_of_different_dtypes_meet_as_in_pywavelets(pair: tuple[str, str]) -> None:
    cA, cD = (zero_mean(9, k).astype(dtype) for k, dtype in enumerate(pair))
    assert_close(lw.idwt(cA, cD, "db2"), pywt.idwt(cA, cD, "db2"), ulps=16)
    assert_close(lw.waverec([cA, cD], "db2"), pywt.waverec([cA, cD], "db2"), ulps=16)


def test_lists_and_numbers() -> None:
    assert_all_close(lw.dwt([1, 2, 3], "haar"), pywt.dwt([1, 2, 3], "haar"), ulps=2)
    assert_all_close(lw.dwt2([[1, 2], [3, 4]], "haar"), pywt.dwt2([[1, 2], [3, 4]], "haar"), ulps=2)
    assert_close(lw.idwt([1.0, 2.0], None, "haar"), pywt.idwt([1.0, 2.0], None, "haar"), ulps=2)
    assert_close(
        lw.idwt([1.0], np.array([3j]), "haar"), pywt.idwt([1.0], np.array([3j]), "haar"), ulps=2
    )
    assert_close(lw.pad([1, 2, 3], 1, "reflect"), pywt.pad([1, 2, 3], 1, "reflect"), ulps=0)
    assert_close(lw.threshold([1.0, -2.0], 1.5), pywt.threshold([1.0, -2.0], 1.5), ulps=1)


# --- custom filter banks -------------------------------------------------------------------------

BANKS = {
    "odd length": [(1.0, 2.0, 1.0), (-1.0, 2.0, -1.0), (0.5, 1.0, 0.5), (0.5, -1.0, 0.5)],
    "unequal lengths": [(1.0, 2.0, 3.0), (1.0, -1.0), (0.5, 0.25, -1.0, 0.125, 1.0), (2.0,)],
    "one tap": [(1.0,), (-1.0,), (0.5,), (0.25,)],
    "long": [tuple(zero_mean(24, k)) for k in range(4)],
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", BANKS)
def test_custom_filter_banks(name: str, mode: str, kernels: Any) -> None:
    """As a FilterBank and as a pywt.Wavelet; none has perfect reconstruction, so both warn."""
    taps = BANKS[name]
    ours, theirs = lw.FilterBank(*taps), pywt.Wavelet("custom", filter_bank=_padded(taps))
    x = zero_mean((3, 14), 1)
    expected = pywt.dwt(x, theirs, mode)
    back = pywt.idwt(*expected, theirs, mode)
    for bank in (ours, theirs):
        with pytest.warns(ReconstructionWarning, match="does not reconstruct perfectly"):
            assert_all_close(lw.dwt(x, bank, mode), expected, ulps=64, scale=largest(expected))
        with pytest.warns(ReconstructionWarning, match="does not reconstruct perfectly"):
            assert_close(lw.idwt(*expected, bank, mode), back, ulps=64, scale=largest(back))


def _padded(taps: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Filters of one length, as PyWavelets requires; it makes odd lengths even itself."""
    length = max(map(len, taps))
    return [t + (0.0,) * (length - len(t)) for t in taps]


# --- any shape, axes, mode, wavelet and view -----------------------------------------------------


def _strided(x: np.ndarray) -> np.ndarray:
    wide = np.full([2 * n for n in x.shape], 99, dtype=x.dtype)
    view = wide[(slice(None, None, 2),) * x.ndim]
    view[...] = x
    return view


def _readonly(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "contiguous": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "strided": _strided,
    "negative strides": lambda x: np.flip(np.flip(x).copy()),
    "read-only": _readonly,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "transposed": lambda x: x.T.copy().T,
    "subclass": lambda x: x.view(type("Tagged", (np.ndarray,), {})),
}


Problem: TypeAlias = tuple[np.ndarray, np.ndarray, tuple[int, ...], list[str], list[str]]


@st.composite
def problems(draw: st.DrawFn, longest: int = 102) -> Problem:
    """Data, a view of the same values, axes, wavelets and modes."""
    shape = tuple(draw(st.lists(st.integers(1, 11), min_size=1, max_size=3)))
    ndim = len(shape)
    axes = draw(st.lists(st.integers(0, ndim - 1), min_size=1, max_size=ndim, unique=True))
    axes = tuple(axis - ndim * draw(st.booleans()) for axis in axes)
    modes = [draw(st.sampled_from(MODES)) for _ in axes]
    for axis, mode in zip(axes, modes, strict=True):
        assume(shape[axis] > 1 or mode not in NEEDS_TWO)
    known = [name for name in DISCRETE if pywt.Wavelet(name).dec_len <= longest]
    wavelets = [draw(st.sampled_from(known)) for _ in axes]
    dtype = draw(st.sampled_from(["float32", "float64", "complex64", "complex128", "int16"]))
    x = 100 * zero_mean(shape, draw(st.integers(0, 2**32 - 1)), "complex128")
    x = (x if dtype.startswith("complex") else x.real).astype(dtype)
    view = VIEWS[draw(st.sampled_from(sorted(VIEWS)))](x)
    return x, view, axes, wavelets, modes


def gain_of(axes: tuple[int, ...], wavelets: list[str], modes: list[str]) -> float:
    """The largest possible ratio of a term in the sums of one level to the samples.

    The ratio grows with the distance in modes that extrapolate; the filter length bounds it.
    """
    gain = 1.0
    for wavelet, mode in zip(wavelets, modes, strict=True):
        growth = 2.0 * pywt.Wavelet(wavelet).dec_len + 7.0
        gain *= filter_gain(wavelet) * (growth if mode in ("smooth", "antireflect") else 1.0)
    return gain


def longest_filter(wavelets: list[str]) -> int:
    return max(pywt.Wavelet(w).dec_len for w in wavelets)


@given(problem=problems())
def test_any_single_level_problem(problem: Problem, kernels: Any) -> None:
    x, view, axes, wavelets, modes = problem
    ulps = longest_filter(wavelets)
    expected = pywt.dwtn(x, wavelets, modes, axes)
    scale = gain_of(axes, wavelets, modes) * largest(x)
    assert_all_close(lw.dwtn(view, wavelets, modes, axes), expected, ulps=ulps, scale=scale)
    back = pywt.idwtn(expected, wavelets, modes, axes)
    scale = 2 ** len(axes) * gain_of(axes, wavelets, ["zero"] * len(axes)) * largest(expected)
    assert_close(lw.idwtn(expected, wavelets, modes, axes), back, ulps=ulps, scale=scale)


@given(problem=problems(longest=20), level=st.integers(0, 2))
def test_any_multilevel_problem(problem: Problem, level: int, kernels: Any) -> None:
    x, view, axes, wavelets, modes = problem
    reached = zip(axes, wavelets, modes, strict=True)
    assume(all(reaches(x.shape[a], w, m, level) for a, w, m in reached))
    gain = gain_of(axes, wavelets, modes) ** level
    ulps = longest_filter(wavelets) * (level + 1)
    expected = pywt.wavedecn(x, wavelets, modes, level, axes)
    actual = lw.wavedecn(view, wavelets, modes, level, axes)
    if level == 0:
        # Level 0 changes nothing, not even the view's byte order.
        assert_close(np.asarray(actual[0]).astype(x.dtype), expected[0], ulps=0)
        return
    assert_all_close(actual, expected, ulps=ulps, scale=gain * largest(x))
    back = pywt.waverecn(expected, wavelets, modes, axes)
    scale = gain_of(axes, wavelets, ["zero"] * len(axes)) ** level * 2 ** len(axes)
    actual = lw.waverecn(expected, wavelets, modes, axes)
    assert_close(actual, back, ulps=ulps, scale=scale * largest(expected))


def reaches(n: int, wavelet: str, mode: str, level: int) -> bool:
    """True if every level has two samples for the reflection."""
    for _ in range(level):
        if n == 1 and mode in NEEDS_TWO:
            return False
        n = pywt.dwt_coeff_len(n, pywt.Wavelet(wavelet).dec_len, mode)
    return True


@given(problem=problems(longest=20), data=st.data())
def test_any_fully_separable_problem(problem: Problem, data: Any, kernels: Any) -> None:
    x, view, axes, wavelets, modes = problem
    levels = tuple(data.draw(st.integers(0, 2)) for _ in axes)
    for axis, wavelet, mode, level in zip(axes, wavelets, modes, levels, strict=True):
        assume(reaches(x.shape[axis], wavelet, mode, level))
    axes = tuple(a % x.ndim for a in axes)
    expected = pywt.fswavedecn(x, wavelets, modes, levels, axes)
    actual = lw.fswavedecn(view, wavelets, modes, levels, axes)
    assert actual.coeff_slices == expected.coeff_slices
    ulps = longest_filter(wavelets) * (max(levels) + 1)
    scale = gain_of(axes, wavelets, modes) ** max(levels) * largest(x)
    coeffs = np.asarray(actual.coeffs).astype(expected.coeffs.dtype)
    assert_close(coeffs, expected.coeffs, ulps=ulps, scale=scale)


@pytest.mark.parametrize("mode", MODES)
def test_padding_of_one_side_only(mode: str) -> None:
    x = zero_mean((6, 4))
    both = lw.pad(x, 3, mode)
    assert_close(lw.pad(x, ((3, 0), (0, 3)), mode), both[:-3, 3:], ulps=0)
    assert_close(lw.pad(x, 0, mode), x, ulps=0)


@given(
    x=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12),
    widths=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    mode=st.sampled_from(MODES),
)
def test_any_padding(x: list[float], widths: tuple[int, int], mode: str) -> None:
    assume(len(x) > 1 or mode not in (*NEEDS_TWO, "smooth"))
    # pywt.pad cannot pad one side only in modes that compute (see test_padding_of_one_side_only).
    assume(min(widths) > 0 or mode not in ("smooth", "antisymmetric", "antireflect"))
    expected = pywt.pad(x, widths, mode)
    # Extrapolation multiplies samples by the distance; all other modes copy.
    ulps = 4 * (max(widths) + 1) if mode in ("smooth", "antireflect") else 0
    assert_close(lw.pad(x, widths, mode), expected, ulps=ulps, scale=largest(np.array(x)))
