"""Filter banks reconstruct for every wavelet, mode and length, up to the table's accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pywt
from helpers import (
    DISCRETE,
    MODES,
    SOME_WAVELETS,
    Library,
    all_of,
    assert_close,
    eps,
    filter_gain,
    reach_gain,
    shared,
    zero_mean,
)

import liftwave as lw

pytestmark = pytest.mark.filterwarnings("ignore:Level value of")

ORTHOGONAL = [name for name in DISCRETE if pywt.Wavelet(name).orthogonal and name != "dmey"]
# The rationals of the spline families and the tables of db and coif are exact to the last bit.
# The other tables have about twelve digits (sym20 the fewest), and dmey has two.
EXACT_FAMILIES = ("haar", "db", "coif", "bior1", "bior2", "bior3", "rbio1", "rbio2", "rbio3")


def table_error(wavelet: str) -> float:
    """The reconstruction error of a wavelet's table, relative to the samples."""
    if wavelet.startswith(EXACT_FAMILIES):
        return 0.0
    return 2e-2 if wavelet == "dmey" else 1e-10


def tolerance(wavelet: str, dtype: str) -> float:
    """Rounding of two filter passes and the table's error, relative to the terms."""
    return 2 * pywt.Wavelet(wavelet).dec_len * eps(np.dtype(dtype)) + table_error(wavelet)


def check_reconstruction(wavelet: str, mode: str, n: int, dtype: str = "float64") -> None:
    if n == 1 and mode in ("reflect", "antireflect"):
        return
    x = zero_mean(n, n, dtype)
    back = lw.idwt(*lw.dwt(x, wavelet, mode), wavelet, mode)
    assert back.shape == (n + n % 2,)
    assert back.dtype == x.dtype
    # Coefficients and rounding errors grow with extrapolated extensions.
    scale = filter_gain(wavelet) * max(reach_gain(part, wavelet, mode) for part in (x.real, x.imag))
    assert np.abs(back[:n] - x).max() <= tolerance(wavelet, dtype) * scale


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", all_of(DISCRETE))
def test_one_level(wavelet: str, mode: str, kernels: Any) -> None:
    for n in (1, 2, 3, 5, 8, 31, 64):
        check_reconstruction(wavelet, mode, n)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", all_of(DISCRETE))
def test_one_level_of_every_length(wavelet: str, mode: str, kernels: Any) -> None:
    for n in range(1, 66):
        check_reconstruction(wavelet, mode, n)
        check_reconstruction(wavelet, mode, n, "float32")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", SOME_WAVELETS)
def test_every_length(wavelet: str, mode: str, kernels: Any) -> None:
    for n in shared(range(1, 66), MODES.index(mode)):
        check_reconstruction(wavelet, mode, n)


@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128"])
@pytest.mark.parametrize("mode", MODES)
def test_other_precisions(mode: str, dtype: str, kernels: Any) -> None:
    for wavelet in SOME_WAVELETS:
        for n in (2, 9, 16):
            check_reconstruction(wavelet, mode, n, dtype)


@pytest.mark.parametrize("mode", MODES)
def test_many_levels_and_axes(mode: str, xp: Library, kernels: Any) -> None:
    """Along odd axes, the result has one sample too many at every level."""
    x = zero_mean((13, 22, 7))
    for wavelet, axes, level in (("haar", (0, 1, 2), 2), ("db3", (1, 0), 2), ("rbio3.1", (-1,), 3)):
        coeffs = lw.wavedecn(xp.asarray(x), wavelet, mode, level, axes)
        back = lw.waverecn(coeffs, wavelet, mode, axes)[tuple(slice(n) for n in x.shape)]
        growth = 200.0 if mode in ("smooth", "antireflect") else 10.0
        assert_close(back, xp.asarray(x), ulps=64, scale=growth * np.abs(x).max())


@pytest.mark.parametrize("wavelet", all_of(DISCRETE))
def test_synthesis_then_analysis_under_periodization(wavelet: str, kernels: Any) -> None:
    """The number of coefficients equals that of samples: the inverse is two-sided."""
    for m in (1, 2, 5, 16):
        cA, cD = zero_mean(m, 1), zero_mean(m, 2)
        x = lw.idwt(cA, cD, wavelet, "periodization")
        back = lw.dwt(x, wavelet, "periodization")
        gain = 2 * filter_gain(wavelet) ** 2 * max(np.abs(cA).max(), np.abs(cD).max())
        gap = max(np.abs(b - c).max() for b, c in zip(back, (cA, cD), strict=True))
        assert gap <= tolerance(wavelet, "float64") * gain


@pytest.mark.parametrize("wavelet", all_of(ORTHOGONAL))
def test_orthonormal_wavelets_keep_the_energy(wavelet: str, kernels: Any) -> None:
    x = zero_mean((4, 32), 3)
    coeffs = lw.wavedec(x, wavelet, "periodization", level=3)
    energy = sum(float(np.sum(c**2)) for c in coeffs)
    bound = 8 * tolerance(wavelet, "float64") * filter_gain(wavelet) ** 2
    assert abs(energy / float(np.sum(x**2)) - 1) <= bound


@pytest.mark.parametrize("wavelet", all_of(w for w in DISCRETE if w != "dmey"))
def test_constants_have_no_details(wavelet: str, kernels: Any) -> None:
    """Modes that extend a constant by itself give zero details."""
    x = np.full(21, 5.0)
    for mode in ("constant", "symmetric", "reflect", "periodic", "smooth", "periodization"):
        cA, cD = lw.dwt(x, wavelet, mode)
        bound = 5 * (1e-10 if table_error(wavelet) else eps(x)) * filter_gain(wavelet) * 8
        assert np.abs(cD).max() <= bound, mode
        assert np.abs(cA - 5 * np.sqrt(2)).max() <= bound, mode
