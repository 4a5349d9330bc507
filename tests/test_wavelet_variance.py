"""Wavelet variance, covariance and correlation, with confidence intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pywt
import torch
from helpers import Library, to_numpy, zero_mean
from scipy.stats import chi2

import liftwave as lw
from liftwave.errors import DTypeError, LevelError, OptionError, ShapeError
from liftwave.transforms import estimates
from liftwave.transforms.estimates import deviation

NINO = pywt.data.nino()[1]

intervals = pytest.mark.parametrize("interval", ["chi2", "chi2eta1", "gaussian"])


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


@pytest.mark.parametrize("mode", ["periodic", "reflection"])
def test_gaussian_intervals(mode: Any) -> None:
    """Those of biased estimates of reflected series follow from the samples before the mirror."""
    is_periodic, n = mode == "periodic", NINO.size
    gaussian = lw.wavelet_variance(
        NINO,
        "haar",
        1,
        mode=mode,
        estimator="unbiased" if is_periodic else "biased",
        interval="gaussian",
    )
    w = lw.modwt(NINO, "haar", 1, mode=mode)[1][1 if is_periodic else 0 : n]
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
    V, *W = lw.modwt(x, "db2", 2, mode="reflection")
    reflected = lw.wavelet_variance(x, "db2", 2, mode="reflection", estimator="biased")
    np.testing.assert_allclose(reflected.value, [(w**2).mean() for w in reversed(W)], rtol=1e-12)
    assert reflected.value.sum() + (V**2).mean() == pytest.approx((x**2).mean())
    assert reflected.counts == (77, 77)


@intervals
def test_unbiased_estimates_use_no_mirror_image(interval: Any) -> None:
    x = np.stack([zero_mean(77), zero_mean(77, 1)])
    expected = lw.wavelet_variance(x, "db2", 2, interval=interval)
    reflected = lw.wavelet_variance(x, "db2", 2, mode="reflection", interval=interval)
    assert reflected.counts == expected.counts == (77 - 3, 77 - 9)
    for a, b in zip(reflected[:3], expected[:3], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


@intervals
@pytest.mark.parametrize("wavelet", ["haar", "db2"])
def test_intervals_of_reflected_series_cover_the_variance(wavelet: str, interval: Any) -> None:
    x = np.random.default_rng(0).standard_normal((600, 256))
    result = lw.wavelet_variance(
        x, wavelet, 3, mode="reflection", estimator="biased", interval=interval
    )
    expected = 0.5 ** np.arange(1, 4)
    covered = (result.lower <= expected) & (expected <= result.upper)
    assert (covered.mean(0) > 0.88).all()


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


# --- dtypes and ranges ---------------------------------------------------------------------------


@intervals
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_intervals_in_lower_precision(dtype: torch.dtype, interval: Any) -> None:
    x = torch.from_numpy(0.1 * np.random.default_rng(0).standard_normal(4000))
    expected = lw.wavelet_variance(x, "haar", 2, interval=interval)
    actual = lw.wavelet_variance(x.to(dtype), "haar", 2, interval=interval)
    for a, b in zip(actual[:3], expected[:3], strict=True):
        assert a.dtype == dtype
        torch.testing.assert_close(a.double(), b, rtol=4 * torch.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("function", [lw.wavelet_covariance, lw.wavelet_correlation])
def test_pairs_in_half_precision(dtype: torch.dtype, function: Any) -> None:
    x, noise = torch.from_numpy(0.01 * np.random.default_rng(0).standard_normal((2, 4000)))
    expected = function(x, x + noise, "haar", 2)
    actual = function(x.to(dtype), (x + noise).to(dtype), "haar", 2)
    for a, b in zip(actual[:3], expected[:3], strict=True):
        assert a.dtype == dtype
        torch.testing.assert_close(a.double(), b, rtol=8 * torch.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("size", [1e-12, 2e4])
@pytest.mark.parametrize("library", [np.asarray, torch.from_numpy])
def test_intervals_of_long_series_of_any_size(library: Any, size: float) -> None:
    x = np.random.default_rng(0).standard_normal(500_000)
    series = library((size * x).astype(np.float32))
    for interval in ("chi2eta1", "gaussian"):
        expected = lw.wavelet_variance(x, "haar", 1, interval=interval)  # type: ignore[arg-type]
        actual = lw.wavelet_variance(series, "haar", 1, interval=interval)  # type: ignore[arg-type]
        for a, b in zip(actual[:3], expected[:3], strict=True):
            np.testing.assert_allclose(to_numpy(a) / size**2, b, rtol=1e-5)
    correlation = lw.wavelet_correlation(series, series, "haar", 1)
    np.testing.assert_allclose(to_numpy(correlation.value), 1, rtol=1e-6)


def test_deviations_without_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some devices compute in float32 at most."""
    a, b = np.random.default_rng(0).standard_normal((2, 500_000))
    expected = deviation(a, b, 500_000)
    monkeypatch.setattr(estimates, "_double", lambda x: x)
    for size in (1e-12, 2e4):
        of_floats = deviation(*((size * x).astype(np.float32) for x in (a, b)), 500_000)
        assert of_floats.dtype == np.float32
        np.testing.assert_allclose(of_floats / size**2, expected, rtol=1e-5)


@intervals
def test_intervals_in_extended_precision(interval: Any) -> None:
    result = lw.wavelet_variance(NINO.astype(np.longdouble), "sym4", 3, interval=interval)
    expected = lw.wavelet_variance(NINO, "sym4", 3, interval=interval)
    for a, b in zip(result[:3], expected[:3], strict=True):
        assert a.dtype == np.longdouble
        np.testing.assert_allclose(a.astype(float), b, rtol=1e-10)


@pytest.mark.parametrize("number", [np.float32(0.75), np.float64(0.75), np.array(0.75)])
def test_confidence_is_any_real_number(number: Any) -> None:
    result = lw.wavelet_variance(NINO, "haar", 2, confidence=number)
    expected = lw.wavelet_variance(NINO, "haar", 2, confidence=0.75)
    np.testing.assert_array_equal(result.lower, expected.lower)


# --- levels and errors ---------------------------------------------------------------------------


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


def test_biased_estimates_have_the_levels_of_the_transform() -> None:
    x = zero_mean(16)
    result = lw.wavelet_variance(x, "db4", 64, estimator="biased")
    expected = [(w**2).mean() for w in reversed(lw.modwt(x, "db4", 64)[1:])]
    np.testing.assert_allclose(result.value, expected, rtol=1e-12)
    assert result.counts == (16,) * 64
    assert lw.wavelet_variance([2.0], "haar", estimator="biased").value.tolist() == [0]
    with pytest.raises(LevelError, match="Maximum level is 1000"):
        lw.wavelet_variance(x, "db4", 1001, estimator="biased")


@pytest.mark.parametrize("level", [None, 1])
def test_series_without_free_coefficients(level: int | None) -> None:
    match = r"level 1 .* of the 1 samples: use more samples, or estimator='biased'"
    with pytest.raises(LevelError, match=match):
        lw.wavelet_variance([1.0], "haar", level)
    for function in (lw.wavelet_covariance, lw.wavelet_correlation):
        with pytest.raises(LevelError, match="use more samples"):
            function(np.arange(3.0), np.arange(3.0), "db2", level)
    with pytest.raises(ShapeError, match="greater than zero"):
        lw.wavelet_variance([], "haar", level)


def test_errors() -> None:
    x = zero_mean(16)
    with pytest.raises(LevelError, match="all coefficients of level 3 depend"):
        lw.wavelet_variance(x, "sym4", 3)
    with pytest.raises(OptionError, match="estimator must be"):
        lw.wavelet_variance(x, "haar", 1, estimator="best")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="interval must be"):
        lw.wavelet_variance(x, "haar", 1, interval="t")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="between 0 and 1, got 95"):
        lw.wavelet_covariance(x, x, "haar", 1, confidence=95)
    with pytest.raises(OptionError, match=r"between 0 and 1, got '0\.9'"):
        lw.wavelet_variance(x, "haar", 1, confidence="0.9")  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match="real series"):
        lw.wavelet_variance(1j * x, "haar", 1)
    with pytest.raises(ShapeError, match="same shape"):
        lw.wavelet_correlation(x, x[:8], "haar", 1)
