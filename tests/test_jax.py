"""Arrays of JAX: the numbers of NumPy, compiled, differentiated and batched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from helpers import MODES, zero_mean

import liftwave as lw
from liftwave.errors import ArgumentTypeError

jax = pytest.importorskip("jax", reason="JAX is not installed")
testing = pytest.importorskip(
    "array_api_extra.testing", reason="array-api-extra is not installed", exc_type=ImportError
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning"),
    pytest.mark.filterwarnings("ignore::liftwave.errors.ReconstructionWarning"),
]

SCHEME = lw.LiftingScheme.from_name("cdf9.7")
INTEGER = lw.LiftingScheme.from_name("cdf5.3").to_integer()


def analysis(x: Any) -> Any:
    return lw.wavedec2(x, "db2", "symmetric", 2)


def synthesis(coeffs: Any) -> Any:
    return lw.waverec2(coeffs, "db2", "symmetric")


def lifting(x: Any) -> Any:
    return lw.wavedec(x, SCHEME, "reflect", 2)


def undecimated(x: Any) -> Any:
    return lw.swt(x, "db2", 2)


def soft_thresholds(x: Any) -> Any:
    return lw.threshold(x, 0.5)


def pooling(x: Any) -> Any:
    return lw.pooling.soft_pool(x, 2)


def denoising(x: Any) -> Any:
    return lw.denoise(x, "db2", level=1)


FUNCTIONS = (analysis, lifting, undecimated, soft_thresholds, pooling)
for function in (*FUNCTIONS, synthesis):
    testing.lazy_xp_function(function)


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def assert_same(actual: Any, expected: Any, tolerance: float = 1e-12) -> None:
    """Trees of arrays with the same structure, values and dtypes, of JAX."""
    leaves, structure = jax.tree.flatten(actual)
    wanted, expected_structure = jax.tree.flatten(expected)
    assert structure == expected_structure
    for x, y in zip(leaves, wanted, strict=True):
        assert isinstance(x, jax.Array)
        assert x.dtype == y.dtype
        np.testing.assert_allclose(np.asarray(x), y, atol=tolerance, rtol=tolerance)


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_boundary_modes(mode: str) -> None:
    x = zero_mean((3, 13), 1)
    bands = lw.dwt(jax.numpy.asarray(x), "db3", mode)
    assert_same(bands, lw.dwt(x, "db3", mode))
    assert_same(lw.idwt(*bands, "db3", mode), lw.idwt(*lw.dwt(x, "db3", mode), "db3", mode))


def test_single_precision_needs_no_wider_numbers() -> None:
    """(A warning of JAX would be an error.)"""
    x = zero_mean((6, 14), 1, "float32")
    with jax.enable_x64(False):
        bands = analysis(jax.numpy.asarray(x))
        assert_same(bands, analysis(x), 1e-5)
        assert_same(synthesis(bands), synthesis(analysis(x)), 1e-5)
        assert_same(
            lw.wpdec(jax.numpy.asarray(x), "haar", level=1), lw.wpdec(x, "haar", level=1), 1e-5
        )


@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128"])
def test_dtypes(dtype: str) -> None:
    x = zero_mean((3, 14), 1, dtype)
    assert_same(lw.dwt(jax.numpy.asarray(x), "db2"), lw.dwt(x, "db2"), 1e-5)


def test_integers_are_lossless() -> None:
    x = np.random.default_rng(0).integers(0, 255, 15).astype("uint8")
    d = lw.decompose(jax.numpy.asarray(x), INTEGER, 1)
    assert_same(d[1, "d"], lw.decompose(x, INTEGER, 1)[1, "d"], 0)
    assert_same(d.reconstruct(), x, 0)


def test_denoising() -> None:
    x = zero_mean(64, 2)
    assert_same(denoising(jax.numpy.asarray(x)), denoising(x))


# --- compiled functions, derivatives, batches ----------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_compiled_functions(function: Callable[[Any], Any], request: Any) -> None:
    x = zero_mean((8, 12), 3)
    expected = function(x)
    with testing.patch_lazy_xp_functions(request, xp=jax.numpy):
        assert_same(globals()[function.__name__](jax.numpy.asarray(x)), expected)


def test_compiled_inverse(request: Any) -> None:
    coeffs = analysis(zero_mean((8, 12), 3))
    expected = synthesis(coeffs)
    with testing.patch_lazy_xp_functions(request, xp=jax.numpy):
        assert_same(synthesis(jax.tree.map(jax.numpy.asarray, coeffs)), expected)


def test_gradients_are_those_of_vjp() -> None:
    x = zero_mean(14, 4)

    def energy(x: Any) -> Any:
        return sum((band**3).sum() for band in lw.wavedec(x, "db2", level=2))

    bands, pullback = lw.vjp(lw.wavedec, x, "db2", level=2)
    expected = pullback([3 * band**2 for band in bands]).data
    assert_same(jax.jit(jax.grad(energy))(jax.numpy.asarray(x)), expected)


def test_gradients_of_taps() -> None:
    x, taps = zero_mean(12, 5), [zero_mean(4, k) for k in range(4)]

    def energy(taps: Any) -> Any:
        cA, cD = lw.dwt(jax.numpy.asarray(x), lw.FilterBank(*taps))
        return (cA**2).sum() + (cD**3).sum()

    (cA, cD), pullback = lw.vjp(lw.dwt, x, lw.FilterBank(*taps))
    expected = pullback((2 * cA, 3 * cD**2)).wavelet
    gradients = jax.grad(energy)([jax.numpy.asarray(t) for t in taps])
    assert_same(gradients[:2], [expected.dec_lo, expected.dec_hi])


def test_batches() -> None:
    x = zero_mean((3, 14), 6)
    bands = jax.vmap(lambda row: lw.dwt(row, "db2"))(jax.numpy.asarray(x))
    assert_same(bands, lw.dwt(x, "db2"))


def test_libraries_do_not_meet() -> None:
    with pytest.raises(ArgumentTypeError, match="arrays of one library"):
        lw.idwt(jax.numpy.ones(4), np.ones(4), "haar")
