"""Averages, significance against red noise, cross scalograms and coherence."""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np
import pytest
import pywt
import torch
from helpers import zero_mean
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

import liftwave as lw
from liftwave.continuous.red_noise import chi2_ratio, lag_one, product_ratio, red_series
from liftwave.continuous.smoothing import _boxcar, smoothed
from liftwave.errors import DTypeError, OptionError, ShapeError

RNG = np.random.default_rng(7)
RED = red_series(0.7, (60, 500), RNG)


# --- red noise -----------------------------------------------------------------------------------


@pytest.mark.parametrize("a", [0.0, 0.5, 0.9])
def test_lag_one_has_little_bias(a: float) -> None:
    series = red_series(a, (2000, 80), np.random.default_rng(3))
    assert_allclose(series.var(axis=0).mean(), 1, rtol=0.05)
    x = series - series.mean(axis=1, keepdims=True)
    plain = ((x[:, 1:] * x[:, :-1]).mean(1) / (x * x).mean(1)).mean()
    assert abs(lag_one(series).mean() - a) < 0.5 * abs(plain - a) + 0.005
    assert lag_one(np.zeros((2, 5))).tolist() == [0, 0]


def test_quantiles_of_products_are_those_of_bessel_functions() -> None:
    for level in (0.5, 0.9, 0.95, 0.999):
        z = 2 * product_ratio(level, 2)
        assert_allclose(z * special.k1(z), 1 - level, rtol=1e-9)
        z = product_ratio(level, 1)
        assert_allclose(1 - 2 / np.pi * special.iti0k0(z)[1], 1 - level, rtol=1e-6)
    assert_allclose(2 * product_ratio(0.95, 2), 3.999, atol=1e-3)
    assert_allclose([chi2_ratio(0.95, 2), chi2_ratio(0.95, 1)], [2.9957, 3.8415], atol=1e-4)


@pytest.mark.parametrize("wavelet", ["morse", "morlet(6)", "dog(2)"])
def test_noise_exceeds_its_limits_as_often_as_it_should(wavelet: str) -> None:
    s = lw.scalogram(RED, wavelet=wavelet, limits=(0.02, 0.3), voices=4)
    assert_allclose((s.power() > s.significance(0.9)[..., None]).mean(), 0.1, atol=0.025)
    fixed = s.power() > s.significance(0.9, ar1=0.7)[..., None]
    assert_allclose(fixed.mean(axis=(0, 2)), 0.1, atol=0.05)
    spectrum = s.global_spectrum() > s.significance(0.9, of="global_spectrum")
    assert_allclose(spectrum.mean(), 0.1, atol=0.05)
    options = {"band": (0.04, 0.15), "of": "marginal"}
    share = s.marginal((0.04, 0.15)) > s.significance(0.9, **options)[:, None]
    assert_allclose(share.mean(), 0.1, atol=0.04)


def test_marginals_are_variances() -> None:
    t = np.arange(600)
    x = 3 * np.cos(2 * np.pi * 0.1 * t) + np.cos(2 * np.pi * 0.01 * t)
    for wavelet in ("morse", "dog(2)", "paul(4)"):
        for norm in ("amplitude", "energy"):
            s = lw.scalogram(x, wavelet=wavelet, norm=norm, voices=12)
            assert_allclose(s.marginal().mean(), 5, rtol=0.02)
            if wavelet == "morse":
                assert_allclose(s.marginal((0.04, 0.3)).mean(), 4.5, rtol=0.01)


def test_el_nino_of_torrence_and_compo() -> None:
    """Anomalies by season: significant power at periods of some years, most at 3 to 4."""
    _, temperatures = pywt.data.nino()
    seasons = temperatures.reshape(-1, 4)
    x = (seasons - seasons.mean(axis=0)).ravel()
    assert_allclose(lag_one(x), 0.72, atol=0.07)  # theirs is that of a longer series
    s = lw.scalogram(x, 4.0, "morlet(6)", norm="torrence", limits="resolved")
    spectrum, limit = s.global_spectrum(), s.significance(0.95, of="global_spectrum")
    periods = 1 / s.frequencies[spectrum > limit]
    assert 1 < periods.min() < periods.max() < 8
    assert 3 < 1 / s.frequencies[(spectrum / limit).argmax()] < 6


def test_statistics_in_other_libraries_and_errors() -> None:
    x = RED[0, :100]
    s = lw.scalogram(x, voices=4)
    for library in (torch, array_api_strict):
        other = lw.scalogram(library.asarray(x), voices=4)
        assert_allclose(np.asarray(other.significance()), s.significance(), rtol=1e-12)
        assert_allclose(np.asarray(other.marginal()), s.marginal(), rtol=1e-12)
        assert_allclose(np.asarray(other.global_spectrum()), s.global_spectrum(), rtol=1e-12)
    for options, match in (
        ({"level": 1.0}, "between 0 and 1"),
        ({"of": "scale"}, "'power', 'global_spectrum' or 'marginal'"),
        ({"ar1": 1.0}, "above -1 and below 1"),
    ):
        with pytest.raises(OptionError, match=match):
            s.significance(**options)
    with pytest.raises(DTypeError, match="real signals"):
        lw.scalogram(x + 0j).significance()


# --- two series ----------------------------------------------------------------------------------


def test_cross_scalograms_are_products() -> None:
    x, y = zero_mean(90, 1), zero_mean(90, 2)
    c = lw.cross_scalogram(x, y, 3.0, "morse", limits="full")
    one, two = (lw.scalogram(v, 3.0, "morse", norm="energy", voices=12) for v in (x, y))
    assert_allclose(c.coefficients, one.coefficients * two.coefficients.conj(), atol=1e-14)
    assert_allclose(c.phase(), np.angle(c.coefficients))
    assert_allclose(c.delay(), c.phase() / (2 * np.pi * c.frequencies[:, None]))
    real = lw.cross_scalogram(x, y, wavelet="dog(2)")
    assert set(np.unique(real.phase())) <= {0, np.pi}
    tensors = lw.cross_scalogram(
        torch.as_tensor(x), torch.as_tensor(y), 3.0, "morse", limits="full"
    )
    assert_allclose(tensors.coefficients.numpy(), c.coefficients, atol=1e-14)
    assert_allclose(tensors.significance().numpy(), c.significance(), rtol=1e-12)


def test_noise_pairs_exceed_cross_limits_as_often_as_they_should() -> None:
    for wavelet in ("morlet(6)", "dog(2)"):
        c = lw.cross_scalogram(RED[:30], RED[30:], 1.0, wavelet, limits=(0.03, 0.3), voices=4)
        share = (abs(c.coefficients) > c.significance(0.9)[..., None]).mean()
        assert_allclose(share, 0.1, atol=0.03)


def test_smoothing_keeps_constants_and_is_gaussian_in_time() -> None:
    grid = lw.scalogram(zero_mean(200), wavelet="morlet(6)", voices=12, limits=(0.02, 0.3))._grid
    matrix = _boxcar(grid)
    assert_allclose(matrix.sum(axis=1), 1)
    inner = matrix[20]
    assert_allclose((inner > 0).sum() - 1, 0.605 * 12, atol=1)
    assert_allclose(inner[20], 1 / (12 * grid.shape.decorrelation_octaves), rtol=1e-6)
    impulse = np.zeros((grid.frequencies.size, 200), complex)
    impulse[:, [0, 120]] = 1  # that at the first sample does not reach the last one
    rows = smoothed(impulse, grid)
    scale, t = grid.scales[:, None], np.arange(200)
    bells = sum(np.exp(-(((t - place) / scale) ** 2) / 2) for place in (0, 120))
    assert_allclose(rows, matrix @ (bells / np.sqrt(2 * np.pi) / scale), atol=1e-3)


def test_coherence_is_between_noise_and_one() -> None:
    x, noise = RED[0], RED[1]
    same = lw.wavelet_coherence(x, 2 * x, surrogates=0)
    assert_allclose(same.coherence, 1, atol=1e-9)
    assert_allclose(same.phase(), 0, atol=1e-7)
    assert same.significance is None
    r = lw.wavelet_coherence(RED[:8], RED[8:16], voices=6, surrogates=0)
    assert 0 <= r.coherence.min() <= r.coherence.max() <= 1 + 1e-12
    limits = lw.wavelet_coherence(x, noise, voices=6, surrogates=60, level=0.9)
    is_free = r.frequencies[:, None] >= r.coi
    share = (r.coherence > limits.significance[:, None])[:, is_free]
    assert_allclose(share.mean(), 0.1, atol=0.03)
    again = lw.wavelet_coherence(x, noise, voices=6, surrogates=60, level=0.9)
    assert_array_equal(again.significance, limits.significance)


@pytest.mark.parametrize("library", [torch, array_api_strict])
def test_coherence_in_other_libraries(library: Any) -> None:
    x, y = RED[:2, :80], RED[2:4, :80]
    expected = lw.wavelet_coherence(x, y, voices=4, surrogates=2)
    r = lw.wavelet_coherence(library.asarray(x), library.asarray(y), voices=4, surrogates=2)
    assert_allclose(np.asarray(r.coefficients), expected.coefficients, atol=1e-9)
    assert_array_equal(r.significance, expected.significance)
    assert r.significance.shape == (2, len(r.frequencies))


def test_two_series_must_fit() -> None:
    for function in (lw.cross_scalogram, lw.wavelet_coherence):
        with pytest.raises(ShapeError, match="same shape"):
            function(RED[0], RED[0, :9])
        with pytest.raises(DTypeError, match="must be real"):
            function(RED[0] + 0j, RED[0])
    with pytest.raises(OptionError, match="complex wavelet"):
        lw.wavelet_coherence(RED[0], RED[1], wavelet="dog(2)")
    with pytest.raises(OptionError, match="seed must be"):
        lw.wavelet_coherence(RED[0], RED[1], seed=-1)
