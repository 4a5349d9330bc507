"""Transforms as SciPy's linear operators: their matrices, adjoints, and solvers that use them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pywt
from helpers import LIFTING_MODES, MODES, assert_close, eps, has_cuda, zero_mean
from scipy.sparse.linalg import LinearOperator, lsqr

import liftwave as lw
from liftwave import operators
from liftwave.errors import AxisError, DTypeError, ModeError, ShapeError, WaveletError
from liftwave.operators import WaveletOperator

pytestmark = [
    pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning"),
    pytest.mark.filterwarnings("ignore:Level value of:UserWarning"),  # PyWavelets'
]

CDF97 = lw.LiftingScheme.from_name("cdf9.7")


def operator(wavelet: Any, mode: str, shape: Any = (6, 7), **named: Any) -> WaveletOperator:
    return WaveletOperator(shape, wavelet, mode, **named)


OPERATORS = {
    f"{mode} {name}": (wavelet, mode)
    for name, wavelet, modes in (
        ("db2", "db2", MODES),
        ("bior2.2", "bior2.2", MODES),
        ("cdf9.7", CDF97, LIFTING_MODES),
    )
    for mode in modes
}


# --- results -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPERATORS)
def test_matvec_is_pywavelets_ravelled(name: str, kernels: Any) -> None:
    wavelet, mode = OPERATORS[name]
    x = zero_mean((6, 7), 1)
    made = operator(wavelet, mode, level=2)
    coeffs = lw.wavedecn(x, wavelet, mode, 2)
    if isinstance(wavelet, str):
        coeffs = pywt.wavedecn(x, wavelet, mode, 2)
        assert_close(made @ x.ravel(), pywt.ravel_coeffs(coeffs)[0], ulps=64, scale=10.0)
    assert_close(made @ x.ravel(), lw.ravel_coeffs(coeffs)[0], ulps=64, scale=10.0)


@pytest.mark.parametrize("name", OPERATORS)
def test_rmatvec_is_the_transpose(name: str, kernels: Any) -> None:
    """The dense matrices, of the analysis and of the reconstruction, entry by entry."""
    wavelet, mode = OPERATORS[name]
    for shape, level, axes in (((6, 7), 1, None), ((3, 9), 2, None), ((4, 5, 3), 2, (2, 0))):
        made = operator(wavelet, mode, shape, level=level, axes=axes)
        for each in (made, made.inverse()):
            m, n = each.shape
            there, back = each.matmat(np.eye(n)), each.rmatmat(np.eye(m))
            scale = float(np.abs(there).sum(axis=1).max())
            assert_close(np.ascontiguousarray(back.T), there, ulps=16, scale=scale)
            assert_close(each.T.matmat(np.eye(m)), back, ulps=0)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("name", OPERATORS)
def test_dot_products(name: str, dtype: str, kernels: Any) -> None:
    wavelet, mode = OPERATORS[name]
    made = operator(wavelet, mode, (9, 14), level=2, dtype=dtype)
    for each in (made, made.inverse()):
        x, y = (zero_mean(n, n, dtype) for n in each.shape[::-1])
        forward, backward = each.matvec(x), each.rmatvec(y)
        assert forward.dtype == backward.dtype == np.dtype(dtype)
        gap = abs(np.vdot(y, forward) - np.vdot(backward, x))
        bound = np.linalg.norm(x) * np.linalg.norm(y) * np.linalg.norm(made.matmat(np.eye(126)))
        assert gap <= 64 * eps(x) * bound


@pytest.mark.parametrize("name", ["periodization db2", "symmetric bior2.2", "reflect cdf9.7"])
def test_inverse_undoes(name: str, kernels: Any) -> None:
    """Odd sizes, for which a synthesis alone returns one sample too many."""
    wavelet, mode = OPERATORS[name]
    for shape in ((6, 7), (11, 5)):
        made = operator(wavelet, mode, shape, level=2)
        x = zero_mean(made.shape[1], 1)
        assert_close(made.inverse() @ (made @ x), x, ulps=64, scale=10.0)


def test_matrices_column_by_column(kernels: Any) -> None:
    made = operator("db3", "smooth", level=1)
    for each in (made, made.inverse()):
        x, y = (zero_mean((n, 4), n) for n in each.shape[::-1])
        forward = np.stack([each.matvec(column) for column in x.T], axis=1)
        backward = np.stack([each.rmatvec(column) for column in y.T], axis=1)
        assert_close(each @ x, forward, ulps=16)
        assert_close(each.H @ y, backward, ulps=16)


def test_adjoint_is_not_the_inverse() -> None:
    made = operator("db2", "symmetric", level=1)
    x = zero_mean(42, 1)
    assert np.abs(made.H @ (made @ x) - x).max() > 0.1
    orthogonal = operator("db2", "periodization", (8, 16), level=2)
    x = zero_mean(128, 1)
    assert_close(orthogonal.H @ (orthogonal @ x), x, ulps=64)


def test_no_level_is_the_identity() -> None:
    made = operator("db2", "zero", level=0)
    x = zero_mean(42, 1)
    for each in (made, made.inverse(), made.H, made.inverse().H):
        assert_close(each @ x, x)


# --- its vectors ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["wavedec", "wavedec2", "wavedecn"])
def test_vectors_to_coefficients_and_back(kind: str) -> None:
    shape = 23 if kind == "wavedec" else (11, 14)
    x = zero_mean(shape, 1)
    made = operator("db2", "reflect", shape, level=2)
    coeffs = getattr(lw, kind)(x, "db2", "reflect", 2)
    vector = made @ x.ravel()
    assert_close(made.ravel(coeffs), vector, ulps=0)
    back = made.unravel(vector, kind)
    assert_close(
        getattr(lw, kind.replace("dec", "rec"))(back, "db2", "reflect")[:11], x[:11], ulps=64
    )
    assert (made.level, made.axes, made.data_shape) == (2, tuple(range(x.ndim)), x.shape)


def test_bands_of_another_transform_do_not_fit() -> None:
    made = operator("db2", "reflect", (11, 14), level=2)
    with pytest.raises(ShapeError, match="of this operator, got"):
        made.ravel(lw.wavedec2(np.ones((11, 14)), "db3", "reflect", 2))


# --- solvers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["symmetric", "antireflect"])
def test_lsqr_finds_the_data(mode: str) -> None:
    """With a wrong adjoint, least squares do not converge: they follow the gradient."""
    made = operator("sym4", mode, (16, 19), level=2)
    x = zero_mean(made.shape[1], 1)
    found, stopped, iterations, *_ = lsqr(made, made @ x, atol=1e-14, btol=1e-14, iter_lim=400)
    assert stopped in (1, 2)
    assert iterations < 400
    assert_close(found, x, ulps=1e6)


def test_least_squares_by_reconstruction() -> None:
    """Coefficients whose reconstruction matches samples: a wide operator, minimum norm."""
    made = operator("db2", "periodization", (8, 8), level=2)
    keep = np.flatnonzero(zero_mean(64, 1) > 0)
    sampling = LinearOperator(
        (keep.size, 64),
        matvec=lambda x: x.ravel()[keep],
        rmatvec=lambda y: np.bincount(keep, y.ravel(), 64),
    )
    y = zero_mean(keep.size, 2)
    coeffs = lsqr(sampling @ made.inverse(), y, atol=1e-14, btol=1e-14)[0]
    assert_close((made.inverse() @ coeffs)[keep], y, ulps=1e6)


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"shape": ()}, ShapeError, "sequence of positive lengths"),
        ({"shape": (4, 0)}, ShapeError, "sequence of positive lengths"),
        ({"shape": 4.5}, TypeError, "sequence of positive lengths, got 4.5"),
        ({"dtype": np.int32}, DTypeError, "floating-point or complex dtype, got int32"),
        ({"axes": 2}, AxisError, "Axis greater than data dimensions"),
        ({"mode": "mirror"}, ModeError, "Unknown mode name 'mirror'"),
        ({"wavelet": CDF97.to_integer(), "mode": "zero"}, WaveletError, "is not linear"),
        ({"wavelet": "db99"}, WaveletError, "Unknown wavelet name"),
    ],
)
def test_errors(arguments: dict[str, Any], error: type, match: str) -> None:
    given = {"shape": (8, 8), "wavelet": "db2", **arguments}
    with pytest.raises(error, match=match):
        WaveletOperator(**given)


def test_vectors_of_another_length() -> None:
    with pytest.raises(ValueError, match="dimension mismatch"):
        operator("db2", "zero") @ np.ones(41)


def test_names_that_are_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Operator'"):
        operators.Operator  # noqa: B018


@pytest.mark.gpu
@pytest.mark.skipif(not has_cuda(), reason="needs CuPy and a device")
def test_cupy() -> None:
    import cupy

    made = operators.CupyWaveletOperator((16, 19), "db2", "reflect", level=2)
    x = zero_mean(made.shape[1], 1)
    y = made @ cupy.asarray(x)
    assert_close(y.get(), operator("db2", "reflect", (16, 19), level=2) @ x, ulps=64, scale=10.0)
    assert_close((made.inverse() @ y).get(), x, ulps=64, scale=10.0)
    back = operator("db2", "reflect", (16, 19), level=2).H @ y.get()
    assert_close((made.H @ y).get(), back, ulps=64, scale=10.0)
