"""Wavelet variance, covariance and correlation, with confidence intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pywt
from helpers import Library, to_numpy, zero_mean
from scipy.stats import chi2

import liftwave as lw
from liftwave.errors import DTypeError, LevelError, OptionError, ShapeError

NINO = pywt.data.nino()[1]


def test_variances_of_nino() -> None:
    haar = lw.wavelet_variance(NINO, "haar", 4)
    np.testing.assert_allclose(haar.value, [0.30992, 0.359, 0.151672, 0.103184], atol=5e-7)
    sym4 = lw.wavelet_variance(NINO, "sym4", 4)
    np.testing.assert_allclose(sym4.value, [0.281855, 0.350569, 0.198467, 0.151074], atol=5e-7)
    assert haar.counts == (263, 261, 257, 249)
    assert sym4.counts == (257, 243, 215, 159)


def test_intervals_of_variances() -> None:
    result = lw.wavelet_variance(NINO, "haar", 3, confidence=0.9)
    for j, count in enumerate(result.counts, 1):
        eta, value = count / 2**j, result.value[j - 1]
        assert result.lower[j - 1] == pytest.approx(eta * value / chi2.ppf(0.95, eta))
        assert result.upper[j - 1] == pytest.approx(eta * value / chi2.ppf(0.05, eta))
    gaussian = lw.wavelet_variance(NINO, "haar", 1, interval="gaussian")
    w = lw.modwt(NINO, "haar", 1)[1][1:]
    covariances = np.correlate(w, w, "full")[w.size - 1 :] / w.size
    spread = 2 * (covariances[0] ** 2 / 2 + (covariances[1:] ** 2).sum()) / w.size
    assert gaussian.upper[0] - gaussian.value[0] == pytest.approx(1.959964 * spread**0.5)
    assert gaussian.value[0] - gaussian.lower[0] == pytest.approx(1.959964 * spread**0.5)


def test_degrees_of_freedom_from_the_spectrum() -> None:
    """Percival & Walden, equation 313c, with the integral of the squared spectrum as a sum."""
    x = np.stack([NINO, np.cumsum(NINO)])
    result = lw.wavelet_variance(x, "sym4", 3, interval="chi2eta1", confidence=0.9)
    for j in (1, 2, 3):
        for row in (0, 1):
            w = lw.modwt(x[row], "sym4", 3)[4 - j][-result.counts[j - 1] :]
            spectrum = abs(np.fft.fft(w, 4 * w.size)) ** 2 / w.size
            half_integral = (spectrum**2).mean() / 2
            eta, value = w.size * (w**2).mean() ** 2 / half_integral, (w**2).mean()
            assert result.value[row, j - 1] == pytest.approx(value)
            assert result.lower[row, j - 1] == pytest.approx(eta * value / chi2.ppf(0.95, eta))
            assert result.upper[row, j - 1] == pytest.approx(eta * value / chi2.ppf(0.05, eta))
    zeros = lw.wavelet_variance(np.zeros(64), "haar", 2, interval="chi2eta1")
    assert not zeros.value.any() | zeros.lower.any() | zeros.upper.any()


def test_intervals_cover_the_variance_of_white_noise() -> None:
    x = np.random.default_rng(0).standard_normal((600, 256))
    expected = 0.5 ** np.arange(1, 4)
    for options in ({"interval": name} for name in ("chi2", "chi2eta1", "gaussian")):
        result = lw.wavelet_variance(x, "haar", 3, **options)
        np.testing.assert_allclose(result.value.mean(0), expected, rtol=0.02)
        covered = (result.lower <= expected) & (expected <= result.upper)
        assert (covered.mean(0) > 0.88).all()


def test_biased_variances_add_up() -> None:
    x = zero_mean(77)
    V, *W = lw.modwt(x, "db2", 4)
    result = lw.wavelet_variance(x, "db2", 4, estimator="biased")
    np.testing.assert_allclose(result.value, [(w**2).mean() for w in reversed(W)], rtol=1e-12)
    assert result.value.sum() + (V**2).mean() == pytest.approx((x**2).mean())
    reflected = lw.wavelet_variance(x, "db2", 2, mode="reflection")
    assert reflected.counts == (154 - 3, 154 - 9)


def test_covariance_and_correlation() -> None:
    rng = np.random.default_rng(1)
    x, noise = rng.standard_normal((2, 3, 300))
    y = x + noise
    covariance = lw.wavelet_covariance(x, y, "haar", 3)
    correlation = lw.wavelet_correlation(x, y, "haar", 3)
    of_x, of_y = (lw.wavelet_variance(v, "haar", 3).value for v in (x, y))
    np.testing.assert_allclose(correlation.value, covariance.value / np.sqrt(of_x * of_y))
    count = np.asarray(correlation.counts) / 2.0 ** np.arange(1, 4) - 3
    np.testing.assert_allclose(
        correlation.upper,
        np.tanh(np.arctanh(correlation.value) + 1.959964 / np.sqrt(count)),
        rtol=1e-6,
    )
    a, b = (lw.modwt(v, "haar", 1)[1][:, 1:] for v in (x, y))
    cross = np.array([np.correlate(p, q, "full") for p, q in zip(a, b, strict=True)]) / 299
    auto = [np.array([np.correlate(p, p, "full") for p in v]) / 299 for v in (a, b)]
    spread = (auto[0] * auto[1] + cross * cross[:, ::-1]).sum(1) / (2 * 299)
    reach = (covariance.upper - covariance.value)[:, 0]
    np.testing.assert_allclose(reach, 1.959964 * np.sqrt(spread), rtol=1e-6)
    itself = lw.wavelet_correlation(x, x, "haar", 2)
    np.testing.assert_allclose(itself.value, 1, rtol=1e-12)


def test_default_levels_have_coefficients() -> None:
    for n in (2, 9, 64):
        result = lw.wavelet_variance(np.cos(np.arange(n) ** 2), "haar")
        assert min(result.counts) > 0
        assert result.value.shape == (len(result.counts),)
    assert len(lw.wavelet_variance(np.ones(64), "sym4").counts) == 3


@pytest.mark.parametrize("axis", [0, 1])
def test_libraries_and_axes(xp: Library, axis: int) -> None:
    x, y = zero_mean((40, 32)), zero_mean((40, 32), 1)
    for function, data in (
        (lw.wavelet_variance, (x,)),
        (lw.wavelet_covariance, (x, y)),
        (lw.wavelet_correlation, (x, y)),
    ):
        ours: Any = function(*map(xp.asarray, data), "db2", 2, axis)
        expected = function(*(np.moveaxis(v, axis, -1) for v in data), "db2", 2)
        for a, b in zip(ours[:3], expected[:3], strict=True):
            assert type(a) is type(xp.asarray(x))
            np.testing.assert_allclose(to_numpy(a), b, rtol=1e-10)


def test_errors() -> None:
    x = zero_mean(16)
    with pytest.raises(LevelError, match="level 3 has no coefficients that are free of the ends"):
        lw.wavelet_variance(x, "sym4", 3)
    with pytest.raises(OptionError, match="estimator must be"):
        lw.wavelet_variance(x, "haar", 1, estimator="best")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="interval must be"):
        lw.wavelet_variance(x, "haar", 1, interval="t")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="between 0 and 1, got 95"):
        lw.wavelet_covariance(x, x, "haar", 1, confidence=95)
    with pytest.raises(DTypeError, match="real series"):
        lw.wavelet_variance(1j * x, "haar", 1)
    with pytest.raises(ShapeError, match="same shape"):
        lw.wavelet_correlation(x, x[:8], "haar", 1)
