"""Inverses by least squares, and the Morlet wavelet without mean."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest
import torch
from helpers import zero_mean
from numpy.testing import assert_allclose

import liftwave as lw
from liftwave.continuous.wavelet_text import resolve_analytic
from liftwave.errors import OptionError, ReconstructionWarning, WaveletError

N = 240


@pytest.mark.parametrize("wavelet", ["morse", "dog(2)", "dog(3)"])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_unchanged_coefficients_give_the_signal(wavelet: str, dtype: str) -> None:
    for n, mode, keeps in ((N, "symmetric", False), (101, "zero", True), (64, "periodic", False)):
        x = zero_mean(n, 3, dtype) + 2
        s = lw.scalogram(x, 4.0, wavelet, mode=mode, norm="energy", invertible=keeps)
        if wavelet == "dog(3)" and s._analysis.layout.length % 2 == 0:
            continue  # an odd real wavelet has no row for half the sampling rate
        assert_allclose(s.inverse(method="least_squares"), x, atol=1e-12)


def test_the_result_is_that_of_the_normal_equations() -> None:
    """For changed coefficients, in rows that do not cover all frequencies."""
    n, frequencies = 24, [0.4, 0.3, 0.1]
    options = {"frequencies": frequencies, "mode": "periodic", "norm": "energy"}
    columns = [lw.scalogram(e, **options).coefficients.ravel() for e in np.eye(n)]
    matrix = np.stack(columns, axis=1)
    changed = zero_mean((3, n), 5, "complex128")
    both = np.concatenate([matrix.real, matrix.imag])
    target = np.concatenate([changed.real.ravel(), changed.imag.ravel()])
    expected = np.linalg.lstsq(both, target, rcond=0.01)[0]
    s = lw.scalogram(np.zeros(n), **options).replace(changed)
    with pytest.warns(ReconstructionWarning, match="the rows cover"):
        found = s.inverse(method="least_squares")
    assert_allclose(found, expected, atol=1e-10)


def test_rows_of_a_band_and_rows_with_gaps_between_them() -> None:
    t = np.arange(1000)
    slow, fast = np.cos(2 * np.pi * 0.02 * t), np.cos(2 * np.pi * 0.2 * t)
    s = lw.scalogram(slow + fast + 1, voices=8)
    middle = slice(100, 900)
    part = s.inverse((0.19, 0.21), method="least_squares")
    assert np.std((part - fast)[middle]) < 5e-3
    assert np.std((s.inverse((0.19, 0.21)) - fast)[middle]) > 0.1  # the sum of few rows
    assert_allclose(s.inverse((0, 0.05), method="least_squares").mean(), 1, atol=0.01)
    # The symbol of these rows has a zero between them, where the signal has no power.
    gap = lw.scalogram(slow + fast, frequencies=[0.2, 0.02], mode="periodic")
    with pytest.warns(ReconstructionWarning):
        both = gap.inverse(method="least_squares")
    assert np.std(both - slow - fast) < 1e-12


@pytest.mark.parametrize("library", [torch, array_api_strict])
def test_least_squares_in_other_libraries(library: object) -> None:
    x = zero_mean((2, 60), 2, "complex128")
    s = lw.scalogram(library.asarray(x), voices=4)  # type: ignore[attr-defined]
    expected = lw.scalogram(x, voices=4).inverse((0.1, 0.3), method="least_squares")
    found = s.inverse((0.1, 0.3), method="least_squares")
    assert_allclose(np.asarray(found), expected, atol=1e-12)
    single = lw.scalogram(x.real.astype(np.float32)).inverse(method="least_squares")
    assert single.dtype == np.float32
    assert_allclose(single, x.real, atol=1e-5)
    with pytest.raises(OptionError, match="'exact', 'integral' or 'least_squares'"):
        s.inverse(method="dual")


# --- Morlet wavelets without mean ----------------------------------------------------------------


@pytest.mark.parametrize("omega", [1.0, 2.0, 6.0])
def test_a_zero_mean_morlet_is_the_corrected_gaussian(omega: float) -> None:
    wavelet = lw.Morlet(omega, zero_mean=True)
    w = np.linspace(1e-6, omega + 6, 4001)
    shape = np.exp(-((w - omega) ** 2) / 2) - np.exp(-(omega**2) / 2 - w**2 / 2)
    response = np.exp(wavelet._log_response(w, np))
    assert_allclose(response / response.max(), shape / shape.max(), atol=1e-6)
    assert_allclose(w[shape.argmax()], wavelet.peak, atol=(w[1] - w[0]))
    assert_allclose(np.exp(wavelet._log_response(np.asarray(wavelet.peak), np)), 1, rtol=1e-14)
    x = zero_mean(200, 3) + 4
    s = lw.scalogram(x, wavelet=wavelet, voices=8)
    assert_allclose(s.inverse(), x, atol=1e-11)
    # Its mean vanishes: no row sees a constant, nor almost a trend.
    assert wavelet._log_response(np.asarray(1e-12), np) < -25


def test_the_option_of_morlet_wavelets_is_text_too_and_has_gradients() -> None:
    wavelet = resolve_analytic("morlet(2, zero_mean)")
    assert wavelet == lw.Morlet(2, zero_mean=True) != lw.Morlet(2)
    assert resolve_analytic(wavelet.text) == wavelet.concrete == wavelet
    assert str(wavelet) == "morlet(2, zero_mean)"
    with pytest.raises(WaveletError, match="must be numbers"):
        lw.scalogram(np.ones(9), wavelet="morlet(2, mean)")
    x = torch.as_tensor(zero_mean(24))

    def rows(omega: torch.Tensor) -> torch.Tensor:
        wavelet = lw.Morlet(omega, zero_mean=True)
        return lw.scalogram(x, wavelet=wavelet, frequencies=[0.2, 0.05]).coefficients

    omega = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    options = {"wavelet": lw.Morlet(2, zero_mean=True), "frequencies": [0.2, 0.05]}
    s, pullback = lw.vjp(lw.scalogram, x.numpy(), **options)
    (expected,) = torch.autograd.grad(rows(omega).abs().square().sum() / 2, omega)
    assert_allclose(pullback(s.coefficients).wavelet["omega0"], expected, rtol=1e-9)
