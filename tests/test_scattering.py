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
from liftwave.continuous.scattering_filters import response_of
from liftwave.errors import AxisError, DTypeError, LevelError, OptionError, ShapeError

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


def test_coefficients_are_those_of_kymatio() -> None:
    """Kymatio 0.3.0 (BSD-3), Scattering1D(5, 256, 4): paths that it computes at the full rate."""
    t = np.arange(256)
    x = np.cos(0.3 * t + 0.004 * t**2) + 0.5 * np.cos(0.05 * t)
    expected = [
        (0.023562557146, 0.002458669171, 0.02694563039),
        (0.000295405473, 0.007020217909, 0.216985609934),
        (0.013448404627, 0.130022100731, 0.053528906927),
    ]
    ours = lw.scattering1d(x, 5, 4).coefficients[:, [0, 3, 7]]
    assert_allclose(ours[[0, 1, 4]], expected, atol=2e-8)  # its filters are in single precision


@pytest.mark.parametrize("centre", [0.2, 0.0113])
def test_magnitudes_of_filters_have_the_sum_1_in_time(centre: float) -> None:
    """Also of those whose sum is computed from fewer samples, or in closed form."""
    for length, width in ((64, 0.002), (4096, 0.0016), (4096, 0.15 * centre), (4096, 0.4 * centre)):
        response = response_of(centre, width, length, 0)
        assert_allclose(abs(np.fft.ifft(response)).sum(), 1, rtol=1e-13)
        assert abs(response[0]) < 1e-15


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


def test_batches_without_signals() -> None:
    assert lw.scattering1d(X.reshape(1, -1)[:0], 3, 2).coefficients.shape[::2] == (0, 64)
    assert lw.scattering2d(np.zeros((0, 16, 16)), 2, 2).coefficients.shape == (0, 9, 4, 4)


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


# --- images --------------------------------------------------------------------------------------


def test_image_paths_are_those_of_kymatio() -> None:
    s = lw.scattering2d(zero_mean((2, 3, 32, 32)), 4)
    assert s.coefficients.shape == (2, 3, 417, 2, 2)  # test_data_2d.npz
    assert np.bincount(s.order).tolist() == [1, 32, 384]
    assert s.scales[:2].tolist() == [[-1, -1], [0, -1]]
    assert_allclose(s.angles[1], [3 * np.pi / 8, np.nan])
    second = s.scales[s.order == 2]
    assert (second[:, 1] > second[:, 0]).all()


def test_image_coefficients_are_those_of_kymatio() -> None:
    """Kymatio 0.3.0 (BSD-3), Scattering2D(2, (16, 24), 4)."""
    i, j = np.mgrid[:16, :24]
    image = np.cos(0.02 * i**2 + 0.9 * j) + 0.3 * np.cos(0.4 * (i - j))
    expected = {
        0: (0.5775259631, 0.5206250643, -0.2151292424),
        4: (0.1888277688, 0.2028687514, 0.1791759659),
        6: (0.0408283183, 0.042401892, 0.0698417374),
        12: (0.0114982109, 0.0108255428, 0.0055175856),
    }
    ours = lw.scattering2d(image, 2, 4).coefficients[:, [0, 1, 3], [0, 5, 2]]
    assert_allclose(ours[list(expected)], list(expected.values()), atol=2e-7)


def oriented(shape: tuple[int, int], level: int, angle: float, slant: float, wave: bool) -> Any:
    """A Gabor filter in space, as kymatio's documentation has it."""
    sigma, xi = 0.8 * 2**level, 0.75 * np.pi / 2**level
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    curve = turn @ np.diag([1, slant**2]) @ turn.T / (2 * sigma**2)
    total = np.zeros(shape, complex)
    for u in range(-3, 4):
        for v in range(-3, 4):
            i, j = np.mgrid[u * shape[0] : (u + 1) * shape[0], v * shape[1] : (v + 1) * shape[1]]
            square = curve[0, 0] * i * i + 2 * curve[0, 1] * i * j + curve[1, 1] * j * j
            total += np.exp(-square + 1j * wave * xi * (i * c + j * s))
    return total * slant / (2 * 3.1415 * sigma**2)


@pytest.mark.parametrize("average", [True, False])
def test_image_coefficients_are_the_definition(average: bool) -> None:
    """Without lower sampling rates, on an image that is extended by hand."""
    x = zero_mean((16, 24), 8)
    s = lw.scattering2d(x, 2, 3, average=average)
    wide = np.pad(x, 4, mode="reflect")

    def filtered(y: Any, response: Any) -> Any:
        return np.fft.ifft2(np.fft.fft2(y) * np.fft.fft2(response))

    for row, (order, scales, angles) in enumerate(zip(s.order, s.scales, s.angles, strict=True)):
        y = wide
        for level, angle in zip(scales[:order], angles[:order], strict=True):
            wave, low = (oriented(wide.shape, level, angle, 4 / 3, w) for w in (True, False))
            y = abs(filtered(y, wave - wave.sum() / low.sum() * low))
        if average:
            y = filtered(y, oriented(wide.shape, 1, 0.0, 1.0, False)).real[4:-4:4, 4:-4:4]
        else:
            y = y[4:-4, 4:-4]
        # Lower rates alias moduli, as in kymatio.
        assert_allclose(s.coefficients[row], y, atol=0.02 if average else 1e-8)


@pytest.mark.parametrize("library", [torch, array_api_strict])
def test_images_of_other_libraries(library: Any) -> None:
    x = zero_mean((20, 2, 17), 2)
    s = lw.scattering2d(x, 2, 2, axes=(0, 2))
    assert s.coefficients.shape == (2, 9, 5, 4)
    ours = lw.scattering2d(library.asarray(x), 2, 2, axes=(0, 2)).coefficients
    assert_allclose(np.asarray(ours), s.coefficients, atol=1e-14)
    wide = zero_mean((48, 40), 3)  # whose wavelets do not reach all frequencies
    ours = lw.scattering2d(library.asarray(wide), 3, 2).coefficients
    assert_allclose(np.asarray(ours), lw.scattering2d(wide, 3, 2).coefficients, atol=1e-14)
    single = lw.scattering2d(x.astype(np.float32), 2, 2, axes=(0, 2)).coefficients
    assert single.dtype == np.float32
    assert_allclose(single, s.coefficients, atol=2e-6)
    assert lw.scattering2d(x, 2, 2, axes=(0, 2), order=1).coefficients.shape == (2, 5, 5, 4)


def test_the_layer_of_images() -> None:
    x = torch.as_tensor(zero_mean((2, 8, 9)), dtype=torch.float64).requires_grad_()
    layer = lwt.Scattering2d(2, 2)
    assert repr(layer) == "Scattering2d(J=2, L=2, order=2, average=True)"
    layer(x).square().sum().backward()
    assert x.grad.abs().max() > 0
    image = zero_mean((16, 16))
    for arguments, options, error, match in (
        ((image, 5), {}, ShapeError, r"2\*\*5 pixels, but the image has 16 x 16"),
        ((image, 21), {}, LevelError, "at most 20"),
        ((image, 2, 300), {}, OptionError, "at most 256 angles"),
        ((image, 2), {"axes": (0, 0)}, AxisError, "the same axis twice"),
        ((image + 0j, 2), {}, DTypeError, "real images"),
    ):
        with pytest.raises(error, match=match):
            lw.scattering2d(*arguments, **options)


def test_errors_say_what_is_right() -> None:
    for arguments, error, match in (
        ((X, 0), LevelError, "at least 1"),
        ((X, 41), LevelError, "at most 40"),
        ((X, 10), ShapeError, "averages over 2\\*\\*10 samples, but the signal has 512"),
        ((X, 4, 0), OptionError, "Q must be at least 1"),
        ((X + 0j, 4), DTypeError, "real signals"),
    ):
        with pytest.raises(error, match=match):
            lw.scattering1d(*arguments)
    with pytest.raises(OptionError, match="order must be 1 or 2"):
        lw.scattering1d(X, 4, order=3)
