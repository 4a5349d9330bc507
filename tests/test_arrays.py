"""Arrays in and out: library, device, dtype, layout, gradients; inputs are not modified."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import array_api_strict
import numpy as np
import pytest
import pywt
import torch
from calls import CASES, image
from helpers import (
    DISCRETE,
    LIFTING_MODES,
    MODES,
    Library,
    assert_all_close,
    assert_close,
    byte_copy,
    has_cuda,
    largest,
    mapped,
    to_numpy,
    zero_mean,
)
from scipy import sparse

import liftwave as lw
from liftwave._plan.axis import analysis_plan, synthesis_plan
from liftwave.errors import ArgumentTypeError, AxisError, DTypeError, ShapeError

pytestmark = pytest.mark.filterwarnings("ignore:Level value of")

SCHEMES = {
    "haar": lw.LiftingScheme.from_name("haar"),
    "cdf9.7": lw.LiftingScheme.from_name("cdf9.7"),
    "db3": lw.LiftingScheme.from_name("db3"),
}

# Calls on one array: all kinds of wavelets, one or more levels, analysis and reconstruction.
ROUND_TRIPS: dict[str, Callable[[Any], Any]] = {
    "dwt": lambda x: lw.dwt(x, "db2", "smooth"),
    "dwt by lifting": lambda x: lw.dwt(x, SCHEMES["cdf9.7"], "reflect"),
    "idwt": lambda x: lw.idwt(x, x, "bior4.4"),
    "idwt by lifting": lambda x: lw.idwt(x, x, SCHEMES["db3"], "periodization"),
    "dwtn": lambda x: lw.dwtn(x, "haar"),
    "wavedec": lambda x: lw.wavedec(x, "db2", "symmetric", level=2),
    "wavedec by lifting": lambda x: lw.wavedec(x, SCHEMES["db3"], "symmetric", level=2),
    "wavedec2": lambda x: lw.wavedec2(x, "haar", level=2),
    "waverec": lambda x: lw.waverec(lw.wavedec(x, "db2", level=2), "db2"),
    "waverec2": lambda x: lw.waverec2(lw.wavedec2(x, "haar", level=2), "haar"),
    "waverecn": lambda x: lw.waverecn(lw.wavedecn(x, "haar", level=2), "haar"),
    "fswavedecn": lambda x: lw.fswavedecn(x, "haar", levels=1).coeffs,
    "threshold": lambda x: lw.threshold(x, 0.5),
    "threshold_firm": lambda x: lw.threshold_firm(x, 0.5, 1.0),
    "pad": lambda x: lw.pad(x, 3, "antireflect"),
    "coeffs_to_array": lambda x: lw.coeffs_to_array(lw.wavedec2(x, "haar", level=2))[0],
    "ravel_coeffs": lambda x: lw.ravel_coeffs(lw.wavedecn(x, "haar", level=2))[0],
}


# --- libraries, devices, dtypes ------------------------------------------------------------------


@pytest.mark.gpu
def test_cupy_takes_part() -> None:
    """The skip reports a missing GPU: without one, ``xp`` has no CuPy cases."""
    if not has_cuda():
        pytest.skip("no CuPy with a CUDA device: the GPU cases of all tests are left out")
    cupy = pytest.importorskip("cupy")
    assert isinstance(lw.dwt(cupy.ones(8), "haar")[0], cupy.ndarray)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_library_device_and_dtype_are_kept(
    name: str, dtype: str, xp: Library, kernels: Any
) -> None:
    """Every library gives NumPy's values, in its own arrays."""
    function = ROUND_TRIPS[name]
    x = zero_mean((12, 10), 1, dtype)
    expected = function(x)
    assert_all_close(function(xp.asarray(x)), xp.tree(expected), ulps=32, scale=largest(expected))


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
)
@pytest.mark.parametrize("name", [n for n in ROUND_TRIPS if n != "pad"])
def test_integers_and_booleans_become_float64(name: str, dtype: str, xp: Library) -> None:
    function = ROUND_TRIPS[name]
    x = np.random.default_rng(2).integers(0, 2 if dtype == "bool" else 120, (8, 10)).astype(dtype)
    expected = function(x.astype("float64"))
    assert_all_close(function(xp.asarray(x)), xp.tree(expected), ulps=32, scale=largest(expected))


@pytest.mark.parametrize("mode", ["zero", "symmetric", "periodization"])
def test_padding_keeps_integers(mode: str, xp: Library) -> None:
    x = np.arange(8).astype("int16").reshape(2, 4)
    assert_close(lw.pad(xp.asarray(x), 2, mode), xp.asarray(pywt.pad(x, 2, mode)))


def test_padding_by_differences_leaves_unsigned_integers(xp: Library) -> None:
    """2 * 1 - 3 overflows uint8, where PyWavelets wraps around."""
    for mode in ("smooth", "antisymmetric", "antireflect"):
        x = np.array([1, 3, 200], dtype="uint8")
        expected = lw.pad(x.astype("float64"), 2, mode)
        assert expected.min() < 0
        assert_close(lw.pad(xp.asarray(x), 2, mode), xp.asarray(expected))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize(
    "name", [n for n in ROUND_TRIPS if "waverec" not in n and "coeffs" not in n]
)
def test_half_precision_is_computed_in_float32(name: str, dtype: torch.dtype) -> None:
    """The result is that of float32, rounded once at the end of the call.

    (The round trips of two calls are left out: they round between the calls.)
    """
    function = ROUND_TRIPS[name]
    x = torch.asarray(zero_mean((12, 10), 3)).to(dtype)
    expected = mapped(lambda y: y.to(dtype), function(x.float()))
    assert_all_close(function(x), expected, ulps=0)


def test_numpy_half_precision_becomes_float32() -> None:
    x = zero_mean(20, 3).astype("float16")
    assert_all_close(lw.dwt(x, "db2"), pywt.dwt(x, "db2"), ulps=8)
    assert lw.wavedec(x, SCHEMES["db3"], "periodization", level=2)[0].dtype == np.float32


def test_longdouble_is_kept_and_complex_longdouble_is_not() -> None:
    """PyWavelets supports neither; liftwave preserves real extended precision."""
    tiny = np.longdouble(2) ** -60
    x = np.array([1 + tiny, 1, 1, 1 + tiny], dtype=np.longdouble)
    cA, cD = lw.dwt(x, lw.FilterBank([0.5, 0.5], [-0.5, 0.5], [1, 1], [1, -1]))
    assert cA.dtype == cD.dtype == np.longdouble
    if np.finfo(np.longdouble).eps < 2.0**-61:
        assert cD.tolist() == [tiny / 2, -tiny / 2]
    z = x.astype(np.clongdouble)
    assert lw.dwt(z, "haar")[0].dtype == np.complex128
    assert_all_close(lw.dwt(z, "haar"), pywt.dwt(z, "haar"), ulps=4)


def test_firm_thresholds_of_longdouble_have_its_precision() -> None:
    x = zero_mean(50, 3).astype(np.longdouble)
    scale = 6 * np.finfo(np.longdouble).eps
    between = np.abs(x)[(np.abs(x) > 0.5) & (np.abs(x) <= 1.5)]
    expected = (between - np.longdouble(0.5)) * 3 / 2
    result = np.abs(lw.threshold_firm(x, 0.5, 1.5))[(np.abs(x) > 0.5) & (np.abs(x) <= 1.5)]
    assert between.size
    assert np.abs(result - expected).max() <= scale


def test_complex_parts_are_transformed_separately(xp: Library, kernels: Any) -> None:
    z = zero_mean((3, 9), 4, "complex128")
    for wavelet, mode in (("db3", "antireflect"), (SCHEMES["db3"], "reflect")):
        for band, re, im in zip(
            lw.dwt(xp.asarray(z), wavelet, mode),
            lw.dwt(z.real, wavelet, mode),
            lw.dwt(z.imag, wavelet, mode),
            strict=True,
        ):
            assert_close(band, xp.asarray(re + 1j * im), ulps=8)


def test_different_dtypes_of_bands_meet(xp: Library) -> None:
    cA, cD = zero_mean(9, 1, "float32"), zero_mean(9, 2, "float64")
    expected = pywt.idwt(cA, cD, "db2")
    assert_close(lw.idwt(xp.asarray(cA), xp.asarray(cD), "db2"), xp.asarray(expected), ulps=16)


def test_arrays_of_different_libraries_do_not_meet() -> None:
    """Arrays are never copied to another library implicitly."""
    bank = lw.FilterBank(*[torch.ones(2)] * 4)
    scheme = lw.LiftingScheme([lw.LiftingStep("predict", torch.ones(2))])
    strict = array_api_strict.ones(4)
    for call in (
        lambda: lw.idwt(torch.ones(3), np.ones(3), "haar"),
        lambda: lw.waverec([torch.ones(4), strict], "haar"),
        lambda: lw.dwt(np.ones(4), bank),
        lambda: lw.idwt(strict, strict, bank),
        lambda: lw.wavedec(np.ones(4), scheme, "zero", level=1),
    ):
        with pytest.raises(ArgumentTypeError, match=r"arrays of one library.*got.*, "):
            call()


# --- inputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_inputs_are_never_modified(name: str, xp: Library, kernels: Any) -> None:
    call, data = CASES[name]
    given = xp.tree(data)
    before: list[bytes] = []
    mapped(lambda x: before.append(byte_copy(x)), given)
    call(lw, given)
    after: list[bytes] = []
    mapped(lambda x: after.append(byte_copy(x)), given)
    assert after == before
    assert len(before) > 0


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_lifting_does_not_modify_its_input(mode: str, xp: Library, kernels: Any) -> None:
    for dtype, scheme in (
        ("float64", SCHEMES["cdf9.7"]),
        ("int32", SCHEMES["cdf9.7"].to_integer()),
        ("int64", SCHEMES["db3"].to_integer()),
    ):
        x = (100 * zero_mean((7, 9))).astype(dtype)
        given = xp.asarray(x)
        coeffs = lw.wavedec2(given, scheme, mode, level=2)
        copies = mapped(lambda c: np.array(to_numpy(c)), coeffs)
        lw.waverec2(coeffs, scheme, mode)
        assert byte_copy(given) == x.tobytes()
        assert_all_close(mapped(lambda c: np.array(to_numpy(c)), coeffs), copies, ulps=0)


def torch_views(x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Tensors with the values of ``x`` (2-D) and other layouts."""
    wide = torch.zeros(2 * x.shape[0], 3 * x.shape[1], dtype=x.dtype)
    strided = wide[::2, ::3]
    strided.copy_(x)
    return {
        "strided": strided,
        "transposed": x.T.contiguous().T,
        "batch expanded": x[:1].expand(x.shape[0], -1),
        "conjugated": x.to(torch.complex128).conj(),
    }


def test_torch_layouts(kernels: Any) -> None:
    x = torch.asarray(image())
    for view in torch_views(x).values():
        for function in ROUND_TRIPS.values():
            expected = function(view.resolve_conj().contiguous().clone())
            assert_all_close(function(view), expected, ulps=8, scale=50.0)


NUMPY_VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "fortran": np.asfortranarray,
    "strided": lambda x: np.repeat(np.repeat(x, 2, 0), 3, 1)[::2, ::3],
    "negative strides": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "big-endian": lambda x: x.astype(">f8"),
    "misaligned": lambda x: np.frombuffer(b"\0" + x.tobytes(), "f8", offset=1).reshape(x.shape),
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "subclass": lambda x: x.view(np.matrix),
    "masked": lambda x: np.ma.masked_array(x),
}


@pytest.mark.parametrize("view", NUMPY_VIEWS)
@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_numpy_layouts(name: str, view: str, kernels: Any) -> None:
    """Results are plain arrays in native byte order."""
    function = ROUND_TRIPS[name]
    x = NUMPY_VIEWS[view](image())
    expected = function(np.array(x, dtype="float64", order="C", subok=False))
    x.flags.writeable = False
    actual = function(x)
    assert_all_close(actual, expected, ulps=0)
    mapped(lambda y: _check_plain(y), actual)


def _check_plain(y: Any) -> None:
    assert type(y) is np.ndarray
    assert y.dtype.isnative


def test_inverse_transforms_of_layouts(kernels: Any) -> None:
    coeffs = pywt.wavedec2(image(), "db2", level=2)
    expected = lw.waverec2(coeffs, "db2")
    for view in NUMPY_VIEWS.values():
        viewed = mapped(view, coeffs)
        if view is NUMPY_VIEWS["broadcast"]:
            continue
        assert_close(lw.waverec2(viewed, "db2"), expected, ulps=0)


# --- sizes at the edge ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in ROUND_TRIPS if n not in ("dwtn", "fswavedecn", "pad")])
def test_an_empty_batch_gives_empty_bands(name: str, xp: Library, kernels: Any) -> None:
    x = xp.asarray(np.zeros((0, 8, 8)))
    if name in ("waverecn", "ravel_coeffs", "coeffs_to_array"):
        coeffs = lw.wavedecn(x, "haar", level=2, axes=(1, 2))
        assert tuple(lw.waverecn(coeffs, "haar", axes=(1, 2)).shape) == (0, 8, 8)
        assert 0 in lw.coeffs_to_array(coeffs, axes=(1, 2))[0].shape
        assert tuple(lw.ravel_coeffs(coeffs, axes=(1, 2))[0].shape) == (0,)
        return
    bands: list[Any] = []
    mapped(bands.append, ROUND_TRIPS[name](x))
    assert bands
    assert all(band.shape[0] == 0 for band in bands)


def test_batches_of_size_one_stay(xp: Library) -> None:
    """Axes are never squeezed."""
    x = xp.asarray(np.zeros((1, 1, 8, 1)))
    assert tuple(lw.dwt(x, "haar", axis=2)[0].shape) == (1, 1, 4, 1)
    assert tuple(lw.dwt(x, SCHEMES["haar"], "zero", axis=2)[1].shape) == (1, 1, 4, 1)


def test_one_sample(xp: Library) -> None:
    for mode in set(MODES) - {"reflect", "antireflect"}:
        expected = pywt.dwt([3.0], "db2", mode)
        bands = lw.dwt(xp.asarray([3.0]), "db2", mode)
        assert_all_close(bands, xp.tree(expected), ulps=8, scale=3.0)
    cA, cD = lw.dwt(xp.asarray([3.0]), SCHEMES["cdf9.7"], "reflect")
    assert (tuple(cA.shape), tuple(cD.shape)) == ((1,), (0,))


def test_no_dimensions(xp: Library) -> None:
    x = xp.asarray(3.0)
    for call in (lambda: lw.dwt(x, "haar"), lambda: lw.wavedec(x, "haar")):
        with pytest.raises(AxisError, match="of an array with 0"):
            call()
    for call in (
        lambda: lw.dwtn(x, "haar"),
        lambda: lw.wavedecn(x, "haar"),
        lambda: lw.wavedec2(x, "haar"),
    ):
        with pytest.raises(ShapeError, match="at least"):
            call()
    assert float(lw.threshold(x, 1.0)) == 2.0


@pytest.mark.parametrize(
    "data",
    [
        np.array([1, "2"], dtype=object),
        [1.0, b"2"],
        [[1.0, 2.0], [3.0]],
        np.array([[1.0], [2.0, 3.0]], dtype=object),
        [np.datetime64("2001-01-01"), 1.0],
        [datetime.date(2001, 1, 1)] * 2,
        np.array([1j, 2.0], dtype=object),
        [10**400, 1],
        sparse.eye(4).tocsr(),
        ["a", "b"],
        np.array(["1", "2"]),
        np.array([b"1"]),
        np.array(["2001-01-01"], dtype="datetime64[D]"),
        np.array([1], dtype="timedelta64[D]"),
        np.zeros(3, dtype=[("re", float)]),
        None,
        {"a": 1},
    ],
    ids=lambda d: type(d).__name__ if not isinstance(d, np.ndarray) else str(d.dtype),
)
def test_what_is_not_numbers_is_refused(data: Any) -> None:
    for call in (
        lambda: lw.dwt(data, "haar"),
        lambda: lw.wavedecn(data, "haar"),
        lambda: lw.fswavedecn(data, "haar"),
        lambda: lw.downcoef("a", data, "haar"),
        lambda: lw.upcoef("a", data, "haar"),
        lambda: lw.threshold(data, 1.0),
        lambda: lw.threshold_firm(data, 1.0, 2.0),
        lambda: lw.pad(data, 1, "zero"),
        lambda: lw.decompose(data, "haar"),
    ):
        with pytest.raises(DTypeError, match="Input must be a numeric array-like, got"):
            call()


class Row:
    """Like a row of a table with columns of different types: an array of objects."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array([1, 2.5, Decimal("3.5"), None], dtype=dtype or object)


@pytest.mark.parametrize(
    "data",
    [
        [1.0, 2.0, None, 4.0],
        [Decimal("1.5")] * 4,
        [Fraction(1, 3), 2, np.float32(0.1), True],
        [10**30, 1, 2, 3],
        Row(),
        [Row(), Row()],
        np.array([[1, None], [True, Decimal(2)]], dtype=object),
    ],
    ids=["None", "decimal", "mixed", "large integers", "row", "rows", "two axes"],
)
def test_objects_are_converted_as_in_pywavelets(data: Any) -> None:
    as_floats = np.asarray(data, dtype=float)
    calls: list[Callable[[Any, Any], Any]] = [
        lambda module, x: list(module.dwt(x, "db2", axis=0)),
        lambda module, x: module.wavedec(x, "haar", level=1),
        lambda module, x: [module.idwt(x, None, "haar", axis=0)],
    ]
    for call in calls:
        actual = call(lw, data)
        assert_all_close(actual, call(lw, as_floats), ulps=0)
        assert_all_close(actual, call(pywt, data), ulps=64)
    bands = lw.dwtn(data, "haar")  # for n-D transforms, PyWavelets refuses objects
    assert_all_close(bands, pywt.dwtn(as_floats, "haar"), ulps=64)
    assert_all_close([lw.pad(data, 1, "symmetric")], [lw.pad(as_floats, 1, "symmetric")], ulps=0)
    if as_floats.ndim == 1:
        bank = lw.FilterBank(*[np.nan_to_num(as_floats).astype(object)] * 4)
        assert bank.dec_lo == tuple(np.nan_to_num(as_floats).tolist())


# --- tensors -------------------------------------------------------------------------------------

TENSOR = torch.arange(16.0).reshape(4, 4)
NO_TENSORS: dict[str, tuple[Callable[[], Any], str]] = {
    "sparse": (TENSOR.to_sparse, "dense tensor, got torch.sparse_coo: use to_dense"),
    "compressed": (TENSOR.to_sparse_csr, "dense tensor, got torch.sparse_csr"),
    "nested": (lambda: torch.nested.nested_tensor([TENSOR[0], TENSOR[0, :3]]), "a nested one"),
    "jagged": (
        lambda: torch.nested.nested_tensor([TENSOR[0], TENSOR[0, :3]], layout=torch.jagged),
        "a nested one",
    ),
    "opaque": (TENSOR.to_mkldnn, r"got torch\._mkldnn"),
    "quantised": (
        lambda: torch.quantize_per_tensor(TENSOR, 0.1, 0, torch.qint8),
        r"got torch\.qint8.*dequantize\(\)",
    ),
    "float8": (lambda: TENSOR.to(torch.float8_e4m3fn), r"got torch\.float8_e4m3fn"),
}


@pytest.mark.filterwarnings("ignore")  # torch says that these layouts and dtypes are experimental
@pytest.mark.parametrize("name", NO_TENSORS)
def test_tensors_that_are_not_arrays_of_numbers_are_refused(name: str) -> None:
    make, match = NO_TENSORS[name]
    x = make()
    for call in (
        lambda: lw.dwt(x, "haar"),
        lambda: lw.wavedec2(x, "haar", level=1),
        lambda: lw.idwt(x, x, "haar"),
        lambda: lw.pad(x, 1, "zero"),
        lambda: lw.threshold(x, 1.0),
        lambda: lw.threshold_firm(x, 1.0, 2.0),
        lambda: lw.coeffs_to_array([x, {"aa": x}]),
        lambda: lw.ravel_coeffs([x, {"aa": x}]),
        lambda: lw.array_to_coeffs(x, [slice(2)]),
        lambda: lw.denoise(x),
        lambda: lw.pooling.soft_pool(x, 2),
    ):
        with pytest.raises(DTypeError, match=match):
            call()


@pytest.mark.parametrize("dtype", ["uint16", "uint8", "bool", "bfloat16", "complex64", "float64"])
def test_tensors_of_other_numbers_are_accepted(dtype: str) -> None:
    x = torch.ones(4, device="meta").to(getattr(torch, dtype))
    assert lw.dwt(x, "haar")[0].shape == (2,)


# --- not-a-number and infinity -------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("mode", MODES)
def test_bad_samples_spread_as_in_pywavelets(mode: str, bad: float, kernels: Any) -> None:
    """A coefficient is NaN or infinite if and only if one of its samples is."""
    for wavelet in ("haar", "db2", "db3", "bior2.2"):
        for n in (2, 3, 5, 8):
            for k in range(n):
                x = np.arange(1.0, n + 1) ** 1.5
                x[k] = bad
                # NumPy warns about the sum of infinities of both signs, C does not.
                with np.errstate(invalid="ignore"):
                    actual = lw.dwt(x, wavelet, mode)
                assert_all_close(actual, pywt.dwt(x, wavelet, mode), ulps=64, scale=50.0)


@pytest.mark.parametrize("mode", MODES)
def test_bad_coefficients_spread_as_in_pywavelets(mode: str, kernels: Any) -> None:
    for wavelet in ("haar", "db2", "bior2.2"):
        for k in range(6):
            cA, cD = zero_mean(6, 1), zero_mean(6, 2)
            cA[k] = np.nan
            for bands in ((cA, cD), (cD, cA)):
                expected = pywt.idwt(*bands, wavelet, mode)
                assert_close(lw.idwt(*bands, wavelet, mode), expected, ulps=64, scale=10.0)


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_bad_samples_stay_near_under_lifting(mode: str, kernels: Any) -> None:
    """One NaN affects coefficients within the length of the filters only."""
    for name, scheme in SCHEMES.items():
        x = zero_mean(64, 1)
        x[32] = np.nan
        for band in lw.dwt(x, scheme, mode):
            spread = np.flatnonzero(np.isnan(band))
            assert 1 <= spread.size <= scheme.dec_len, name
            assert np.abs(2 * spread - 32).max() <= 2 * scheme.dec_len, name


def test_warnings_of_numpy_are_not_caused_by_nan(kernels: Any) -> None:
    x = np.full(9, np.nan)
    for mode in MODES:
        assert np.isnan(lw.dwt(x, "db2", mode)[0]).all()
    assert np.isnan(lw.threshold(x, 1.0)).all()
    assert np.isnan(lw.threshold(x, 1.0, "garrote")).all()


# --- gradients -----------------------------------------------------------------------------------


def leaf(shape: Any, seed: int = 0, dtype: str = "float64") -> torch.Tensor:
    return torch.asarray(zero_mean(shape, seed, dtype)).requires_grad_()


def gradcheck(function: Callable[..., Any], *inputs: torch.Tensor) -> None:
    assert torch.autograd.gradcheck(function, inputs)


@pytest.mark.parametrize("mode", MODES)
def test_gradients_of_data(mode: str) -> None:
    for wavelet in ("haar", "bior2.2"):
        for n in (5, 8):
            gradcheck(lambda x, w=wavelet: lw.dwt(x, w, mode), leaf(n))
        gradcheck(lambda a, d, w=wavelet: lw.idwt(a, d, w, mode), leaf(4, 1), leaf(4, 2))
        gradcheck(lambda a, w=wavelet: lw.idwt(a, None, w, mode), leaf(4, 1))
    gradcheck(lambda x: tuple(lw.wavedec(x, "db2", mode, level=2)), leaf(7))
    gradcheck(lambda x: lw.waverec(lw.wavedec(x, "haar", mode, level=2), "haar", mode), leaf(6))


@pytest.mark.parametrize("mode", ["symmetric", "antireflect", "periodization"])
def test_gradients_of_everything_else(mode: str) -> None:
    x = leaf((5, 4))
    gradcheck(lambda x: tuple(lw.dwtn(x, "db2", mode).values()), x)
    gradcheck(lambda x: lw.coeffs_to_array(lw.wavedec2(x, "haar", mode, level=1))[0], x)
    gradcheck(lambda x: lw.ravel_coeffs(lw.wavedec2(x, "haar", mode, level=1))[0], x)
    gradcheck(lambda x: lw.fswavedecn(x, "haar", mode, levels=1).coeffs, x)
    gradcheck(lambda x: lw.pad(x, 3, mode), x)
    gradcheck(lambda x: lw.upcoef("a", x[0], "db2", 2), x)
    gradcheck(lambda x: lw.downcoef("d", x[0], "haar", mode, 2), x)
    gradcheck(lambda x: lw.decompose(x, "haar", 1, mode).reconstruct(), x)
    for rule in ("soft", "hard", "garrote", "greater", "less"):
        gradcheck(lambda x, rule=rule: lw.threshold(x, 0.3, rule), x)
    gradcheck(lambda x: lw.threshold_firm(x, 0.3, 0.8), x)


def test_gradients_of_complex_data() -> None:
    gradcheck(lambda x: lw.dwt(x, "db2", "antireflect"), leaf(6, 1, "complex128"))
    gradcheck(lambda x: lw.dwt(x, SCHEMES["cdf9.7"], "reflect"), leaf(6, 1, "complex128"))


def test_gradients_of_thresholds_are_finite_at_zero() -> None:
    for rule in ("soft", "hard", "garrote"):
        x = torch.zeros(3, dtype=torch.float64, requires_grad=True)
        lw.threshold(x, 0.5, rule).sum().backward()
        assert torch.isfinite(x.grad).all(), rule


def bank_of(*taps: torch.Tensor) -> lw.FilterBank:
    return lw.FilterBank(*taps)


@pytest.mark.parametrize("mode", MODES)
def test_gradients_of_filter_taps(mode: str) -> None:
    """Both analysis filters, then both synthesis filters; the other filters are ignored."""
    x, fixed = leaf(7), torch.ones(4, dtype=torch.float64)
    lo, hi = leaf(4, 1), leaf(4, 2)
    gradcheck(lambda x, lo, hi: lw.dwt(x, bank_of(lo, hi, fixed, fixed), mode), x, lo, hi)
    a, d = leaf(5, 3), leaf(5, 4)
    gradcheck(lambda a, d, lo, hi: lw.idwt(a, d, bank_of(fixed, fixed, lo, hi), mode), a, d, lo, hi)


def test_second_derivatives() -> None:
    """A transform is bilinear in data and taps: its mixed second derivatives are not zero."""
    fixed = torch.ones(4, dtype=torch.float64)
    inputs = (leaf(6), leaf(4, 1), leaf(4, 2))
    assert torch.autograd.gradgradcheck(
        lambda x, lo, hi: lw.dwt(x, bank_of(lo, hi, fixed, fixed), "antireflect"), inputs
    )
    assert torch.autograd.gradgradcheck(
        lambda x, p, u: lw.dwt(x, scheme_of(p, u), "reflect"), (leaf(6), leaf(2, 1), leaf(3, 2))
    )


def scheme_of(predict: torch.Tensor, update: torch.Tensor, *scale: Any) -> lw.LiftingScheme:
    return lw.LiftingScheme(
        [lw.LiftingStep("predict", predict, 0), lw.LiftingStep("update", update, -2)],
        scale or (1.5, -0.5),
        shift=(1, -1),
    )


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_gradients_of_lifting(mode: str) -> None:
    """Data, taps and scales; short, even and odd signals."""
    p, u = leaf(2, 1), leaf(3, 2)
    scale = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1.5, -0.5)]
    for n in (1, 2, 5, 8):
        gradcheck(lambda x, p, u, *s: lw.dwt(x, scheme_of(p, u, *s), mode), leaf(n), p, u, *scale)
        bands = [t.detach().requires_grad_() for t in lw.dwt(leaf(n), scheme_of(p, u), mode)]
        gradcheck(
            lambda a, d, p, u, *s: lw.idwt(a, d, scheme_of(p, u, *s), mode), *bands, p, u, *scale
        )


def test_gradients_of_half_precision() -> None:
    """They have the precision of the data and of the taps."""
    x = torch.ones(8, dtype=torch.float16, requires_grad=True)
    taps = [torch.ones(2, dtype=torch.float32, requires_grad=True) for _ in range(4)]
    sum(band.sum() for band in lw.dwt(x, bank_of(*taps))).backward()
    assert x.grad.dtype == torch.float16
    assert taps[0].grad.dtype == torch.float32
    assert taps[0].grad.tolist() == [4.0, 4.0]


def test_learned_taps_are_cast_to_the_data(xp: Library) -> None:
    """float64 taps do not promote a float32 transform to float64."""
    x = zero_mean(12, 1, "float32")
    taps = pywt.Wavelet("db3").filter_bank
    bank = lw.FilterBank(*(xp.asarray(t, "float64") for t in taps))
    assert_all_close(lw.dwt(xp.asarray(x), bank), xp.tree(pywt.dwt(x, "db3")), ulps=16)
    z = x.astype("complex64")
    assert_all_close(lw.dwt(xp.asarray(z), bank), xp.tree(pywt.dwt(z, "db3")), ulps=16)
    steps = SCHEMES["cdf9.7"].steps
    scheme = lw.LiftingScheme(
        [lw.LiftingStep(s.kind, xp.asarray(s.taps, "float64"), s.offset) for s in steps],
        SCHEMES["cdf9.7"].scale,
    )
    expected = lw.dwt(x, SCHEMES["cdf9.7"], "reflect")
    assert_all_close(lw.dwt(xp.asarray(x), scheme, "reflect"), xp.tree(expected), ulps=16)


def test_kernels_compute_in_the_precision_of_the_data(xp: Library, kernels: Any) -> None:
    """Also for taps of another precision: no intermediate result is wider."""
    x, plan = xp.asarray(zero_mean(8), "float32"), analysis_plan(8, 2, "symmetric")
    taps = xp.asarray([0.5, 0.5], "float64")
    if xp.is_numpy:  # NumPy taps are numbers
        taps = (0.5, 0.5)
    (band,) = kernels.analysis(x, [taps], plan, 0)
    assert band.dtype == x.dtype
    assert kernels.synthesis([band], [taps], synthesis_plan(4, 2, "zero"), 0).dtype == x.dtype


# --- no copies to the host ----------------------------------------------------------------------


def to_meta(x: np.ndarray) -> torch.Tensor:
    """A tensor without memory: reading its values raises."""
    return torch.empty(x.shape, dtype=torch.asarray(x).dtype, device="meta")


def test_the_guard_guards() -> None:
    for leak in (lambda x: x.numpy(), lambda x: float(x[0]), lambda x: np.asarray(x), bool):
        with pytest.raises((RuntimeError, NotImplementedError, TypeError)):
            leak(to_meta(np.ones(1)))


@pytest.mark.parametrize("name", CASES)
def test_values_are_never_asked_for(name: str) -> None:
    """Shapes and dtypes are right although there are no values."""
    call, data = CASES[name]
    actual = call(lw, mapped(to_meta, data))
    expected = call(pywt, data)
    assert_all_on_meta(actual, mapped(lambda x: torch.asarray(x), expected))


def assert_all_on_meta(actual: Any, expected: Any) -> None:
    got: list[torch.Tensor] = []
    wanted: list[torch.Tensor] = []
    mapped(got.append, actual)
    mapped(wanted.append, expected)
    assert [(t.shape, t.dtype) for t in got] == [(t.shape, t.dtype) for t in wanted]
    assert {t.device.type for t in got} == {"meta"}


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_values_are_never_asked_for_by_lifting(mode: str) -> None:
    for dtype in ("float32", "complex128"):
        x = to_meta(np.zeros((7, 9), dtype))
        coeffs = lw.wavedec2(x, SCHEMES["cdf9.7"], mode, level=2)
        assert {c.device.type for c in (coeffs[0], *coeffs[1], *coeffs[2])} == {"meta"}
        assert lw.waverec2(coeffs, SCHEMES["cdf9.7"], mode).device.type == "meta"
    for dtype in ("uint8", "int32"):
        x = to_meta(np.zeros((7, 9), dtype))
        coeffs = lw.wavedec2(x, SCHEMES["db3"].to_integer(), mode, level=2)
        assert lw.waverec2(coeffs, SCHEMES["db3"].to_integer(), mode).device.type == "meta"


def test_values_of_taps_are_never_asked_for() -> None:
    x = to_meta(np.zeros(9))
    bank = lw.FilterBank(*(to_meta(np.zeros(4)) for _ in range(4)))
    scheme = lw.LiftingScheme([lw.LiftingStep("predict", to_meta(np.zeros(2)))])
    for wavelet in (bank, scheme):
        coeffs = lw.wavedec(x, wavelet, "zero", level=2)
        assert lw.waverec(coeffs, wavelet, "zero").device.type == "meta"
        assert repr(wavelet)


def test_other_devices_are_not_left() -> None:
    """Arrays on the two devices of array-api-strict cannot be combined."""
    x = array_api_strict.asarray([1.0, 2.0, 3.0], device=array_api_strict.Device("device1"))
    with pytest.raises((ValueError, RuntimeError)):
        x + array_api_strict.ones(3)
    for wavelet in DISCRETE[::15]:
        assert lw.dwt(x, wavelet)[0].device == x.device
