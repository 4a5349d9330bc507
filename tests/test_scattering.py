"""Scattering: kymatio's numbers, the definition, libraries, gradients, errors."""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np
import pytest
import torch
from helpers import zero_mean
from numpy.testing import assert_allclose

import liftwave as lw
import liftwave.torch as lwt
from liftwave.errors import DTypeError, LevelError, OptionError, ShapeError

X = zero_mean(512)

# Of kymatio's test data (test_data_1d.npz, BSD-3; J = 6, Q = 16, 512 samples): paths and times.
PATHS, TIMES = 222, 8


def test_paths_are_those_of_kymatio() -> None:
    s = lw.scattering1d(X, 6, 16)
    assert s.coefficients.shape == (PATHS, TIMES)
    assert np.bincount(s.order).tolist() == [1, 63, 158]
    # Its documentation: 1 / (1 + 2**(3 / Q)) is the highest frequency.
    assert_allclose(s.frequencies[1], [1 / (1 + 2 ** (3 / 16)), np.nan])
    assert np.isnan(s.frequencies[0]).all()
    second = s.frequencies[s.order == 2]
    assert (second[:, 1] < second[:, 0]).all()


@pytest.mark.parametrize("average", [True, False])
def test_coefficients_are_the_definition(average: bool) -> None:
    """Without lower sampling rates, on a signal that is extended by hand."""
    n, levels, voices = 200, 4, 4
    x = zero_mean(n, 5)
    s = lw.scattering1d(x, levels, voices, average=average)
    length, before = 512, 144  # a multiple of 16 before the signal
    wide = np.pad(x, (before, length - n - before), mode="reflect")
    f = np.fft.fftfreq(length)

    def gaussian(centre: float, width: float) -> Any:
        shifts = np.arange(-6, 7)[:, None]
        return np.exp(-((f + shifts - centre) ** 2) / (2 * width**2)).sum(axis=0)

    def filtered(y: Any, centre: float, width: float) -> Any:
        response = gaussian(centre, width)
        if centre:
            low = gaussian(0, width)
            response = response - response[0] / low[0] * low
        response = response / abs(np.fft.ifft(response)).sum()
        return np.fft.ifft(np.fft.fft(y) * response)

    def width_of(centre: float, q: int) -> float:
        ratio = 2 ** (-1 / q)
        width = centre * (1 - ratio) / (1 + ratio) / np.sqrt(np.log(2))
        return max(width, 0.1 / 2**levels)

    for row, (order, centres) in enumerate(zip(s.order, s.frequencies, strict=True)):
        y = wide
        for centre, q in zip(centres[:order], (voices, 1), strict=False):
            y = abs(filtered(y, centre, width_of(centre, q)))
        if average:
            y = filtered(y, 0, 0.1 / 2**levels).real[before : before + n : 16]
        else:
            y = y[before : before + n]
        # The moduli are sampled at lower rates, which costs some precision.
        assert_allclose(s.coefficients[row], y, atol=2e-4 if average else 1e-12)


@pytest.mark.parametrize("library", [torch, array_api_strict])
def test_other_libraries_axes_and_dtypes(library: Any) -> None:
    x = zero_mean((2, 100, 3), 2)
    expected = lw.scattering1d(x, 3, 2, axis=1).coefficients
    assert expected.shape[:2] == (2, 3)
    assert expected.shape[3] == 13
    ours = lw.scattering1d(library.asarray(x), 3, 2, axis=1).coefficients
    assert_allclose(np.asarray(ours), expected, atol=1e-14)
    assert_allclose(expected[1, 2], lw.scattering1d(x[1, :, 2], 3, 2).coefficients, atol=1e-14)
    single = lw.scattering1d(x.astype(np.float32), 3, 2, axis=1).coefficients
    assert single.dtype == np.float32
    assert_allclose(single, expected, atol=2e-6)
    half = lw.scattering1d(torch.as_tensor(X).half(), 3, 2).coefficients
    assert half.dtype == torch.float16


def test_scattering_hardly_changes_if_a_signal_moves() -> None:
    smooth = np.convolve(zero_mean(2100, 3), np.hanning(50), "same")
    one, two = (lw.scattering1d(smooth[k : k + 2048], 8).coefficients for k in (20, 24))
    assert np.linalg.norm(one - two) < 0.1 * np.linalg.norm(one)
    assert lw.scattering1d(X, 4, order=1).order.max() == 1


def test_the_layer_and_gradients() -> None:
    x = torch.as_tensor(zero_mean((2, 3, 64)))
    layer = lwt.Scattering1d(3, 2)
    assert_allclose(layer(x).numpy(), lw.scattering1d(x, 3, 2).coefficients.numpy())
    assert repr(layer) == "Scattering1d(J=3, Q=2, order=2, average=True)"
    short = torch.as_tensor(zero_mean(12)).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: lw.scattering1d(v, 2, 1).coefficients, short)


def test_errors_say_what_is_right() -> None:
    for arguments, error, match in (
        ((X, 0), LevelError, "at least 1"),
        ((X, 41), LevelError, "at most 40"),
        ((X, 10), ShapeError, "averages over 2\\*\\*10 samples, the signal has 512"),
        ((X, 4, 0), OptionError, "Q has to be at least 1"),
        ((X + 0j, 4), DTypeError, "real signals"),
    ):
        with pytest.raises(error, match=match):
            lw.scattering1d(*arguments)
    with pytest.raises(OptionError, match="order must be 1 or 2"):
        lw.scattering1d(X, 4, order=3)
