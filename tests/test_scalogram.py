"""The continuous transform of analysts: constants, amplitudes, the definition, inverses."""

from __future__ import annotations

import math
from typing import Any

import array_api_strict
import numpy as np
import pytest
import torch
from helpers import zero_mean
from numpy.testing import assert_allclose, assert_array_equal

import liftwave as lw
from liftwave.continuous.families import AnalyticWavelet
from liftwave.continuous.shapes import shape_of
from liftwave.continuous.wavelet_text import resolve_analytic
from liftwave.errors import (
    ModeError,
    OptionError,
    ReconstructionWarning,
    ScaleError,
    ShapeError,
    WaveletError,
)

WAVELETS = ("morse(3, 20)", "morlet(6)", "paul(4)", "dog(2)", "bump(5, 0.6)")
MODES = ("symmetric", "reflect", "antisymmetric", "constant", "zero", "periodic")
N = 240
LINE = zero_mean(N)


def by_definition(x: Any, frequency: float, wavelet: AnalyticWavelet) -> Any:
    """The coefficients of a periodic signal, as a sum over bins."""
    n = x.size
    bins = np.arange(1, n // 2 + 1)
    w = wavelet.peak * bins / n / frequency
    response = 2 * np.exp(wavelet._log_response(w, np))
    waves = np.exp(2j * np.pi * np.outer(np.arange(n), bins) / n)
    return waves @ (np.fft.fft(x)[bins] * response) / n


# --- wavelets and constants ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "peak", "admissibility", "unit"),
    [
        ((3, 20), 1.882072, 0.655343, 1.911842),
        ((3, 60), 2.714418, 0.375226, 2.093649),
        ((3, 3), 1.0, 1.812188, 1.643000),
    ],
)
def test_constants_of_morse_wavelets_are_their_closed_forms(
    parameters: tuple[float, float], peak: float, admissibility: float, unit: float
) -> None:
    gamma, beta = parameters
    shape = shape_of(lw.Morse(gamma, beta).concrete)
    closed = 2 * math.e ** (beta / gamma) * shape.peak**-beta * math.gamma(beta / gamma) / gamma
    assert_allclose(shape.admissibility, closed, rtol=1e-12)
    r = (2 * beta + 1) / gamma
    energy = (
        4 * math.e ** (2 * beta / gamma) * math.gamma(r) / (gamma * 2**r * shape.peak ** (2 * beta))
    )
    assert_allclose(shape.energy, energy, rtol=1e-12)
    numbers = (shape.peak, shape.admissibility, math.sqrt(2 * math.pi / shape.energy))
    assert_allclose(numbers, (peak, admissibility, unit), atol=6e-7)


def test_constants_of_torrence_and_compo() -> None:
    """Table 2: the reconstruction factor and the decorrelation of scales, to their digits."""
    at_zero = math.pi**-0.25, 2**4 * math.factorial(4) / math.sqrt(math.pi * math.factorial(8))
    expected = {lw.Morlet(6): 0.7784 * at_zero[0], lw.Paul(4): 1.1330 * at_zero[1]}
    for wavelet, factor in expected.items():
        shape = shape_of(wavelet.concrete)
        # psi0 has unit energy; sqrt(pi / 2) / ln 2 times the integral of its transform over log w.
        integral = shape.admissibility / math.sqrt(shape.energy)
        assert_allclose(math.sqrt(math.pi / 2) / math.log(2) * integral, factor, atol=1e-4)
    assert_allclose(shape_of(lw.Morlet(6).concrete).decorrelation_octaves, 0.60, atol=5e-3)
    assert_allclose(shape_of(lw.Morlet(6).concrete).decorrelation_time, math.sqrt(2 * math.pi))
    # Theirs of real wavelets differ by 2 %. Psi0 has unit energy at both signs of frequency.
    for order, table in ((2, 3.541 * 0.867), (6, 1.966 * 0.884)):
        shape = shape_of(lw.GaussianDerivative(order).concrete)
        integral = shape.admissibility / math.sqrt(shape.energy / 2)
        assert_allclose(math.sqrt(math.pi / 2) / math.log(2) * integral, table, rtol=0.025)
    efoldings = {"morlet(6)": math.sqrt(2), "paul(4)": math.sqrt(0.5), "dog(2)": math.sqrt(2)}
    for text, time in efoldings.items():  # table 1
        assert_allclose(shape_of(resolve_analytic(text).concrete).efolding, time)
    second = shape_of(lw.GaussianDerivative(2).concrete)
    half_of_cosh = math.sqrt(math.pi) * math.gamma(2.5) / math.gamma(3) / math.log(2)
    assert_allclose(second.decorrelation_octaves, half_of_cosh, rtol=1e-12)


def test_e_folding_times_are_those_of_the_wavelet_in_time() -> None:
    for wavelet in (lw.Morse(3, 20), lw.Bump()):
        w = np.linspace(1e-9, 3 * wavelet.peak, 20001)
        response = np.exp(wavelet._log_response(w, np))
        t = shape_of(wavelet.concrete).efolding
        ratio = abs(np.trapezoid(response * np.exp(1j * w * t), w)) / np.trapezoid(response, w)
        assert_allclose(ratio, math.exp(-1), rtol=1e-6)


def test_text_and_objects_are_wavelets() -> None:
    assert resolve_analytic("morse") == lw.Morse(3, 20) == resolve_analytic(" Morse( 3,20 ) ")
    assert resolve_analytic("dog(6)") == lw.GaussianDerivative(6)
    assert str(lw.Bump(5, 0.5)) == "bump(5, 0.5)"
    for text, match in (
        ("mors", "unknown analytic wavelet"),
        ("morse(3", "unknown"),
        ("morse(a)", "must be numbers"),
        ("morlet(6, 2)", "only these exist: omega0"),
        ("morse(3, -1)", "positive number"),
        ("dog(1.5)", "integer"),
        ("bump(1, 2)", "less than mu"),
    ):
        with pytest.raises(WaveletError, match=match):
            lw.scalogram(LINE, wavelet=text)


# --- the transform -------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [240, 241])
@pytest.mark.parametrize("wavelet", ["morse(3, 20)", "morse(2, 3)", "morlet(6)", "paul(4)", "bump"])
def test_rows_are_the_definition(wavelet: str, n: int) -> None:
    x, family = zero_mean(n, 3), resolve_analytic(wavelet)
    frequencies = [0.5, 0.31, 0.02, 0.004]
    s = lw.scalogram(x, wavelet=wavelet, frequencies=frequencies, mode="periodic")
    for row, frequency in zip(s.coefficients, frequencies, strict=True):
        assert_allclose(row, by_definition(x, frequency, family), atol=2e-14)


@pytest.mark.parametrize("wavelet", ["morse(3, 20)", "morse(3, 60)", "morlet(6)", "bump"])
def test_a_cosine_has_its_amplitude_at_its_frequency(wavelet: str) -> None:
    t = np.arange(1200) / 300
    x = 0.8 * np.cos(2 * np.pi * 30 * t + 1)
    s = lw.scalogram(x, 300, wavelet, frequencies=[60, 30, 15])
    precision = 2e-3 if wavelet == "bump" else 1e-6
    assert_allclose(abs(s.coefficients[1, 300:900]), 0.8, rtol=precision)
    phase = np.angle(s.coefficients[1, 300:900] * np.exp(-2j * np.pi * 30 * t[300:900]))
    assert_allclose(phase, 1, atol=precision)


def test_an_impulse_gives_the_wavelet_without_a_shift() -> None:
    x = np.zeros(512)
    x[256] = 1
    s = lw.scalogram(x, wavelet="morlet(6)", norm="energy", frequencies=[0.05, 0.01])
    for row, scale in zip(s.coefficients, s.scales, strict=True):
        t = (np.arange(512) - 256) / scale
        psi = np.pi**-0.25 * np.exp(6j * t - t**2 / 2) / np.sqrt(scale)
        assert_allclose(row, psi, atol=2e-8)
    mexican = lw.scalogram(x, wavelet="dog(2)", norm="torrence", frequencies=[0.02])
    t = (np.arange(512) - 256) / mexican.scales[0]
    psi = 2 / np.sqrt(3) / np.pi**0.25 * (1 - t**2) * np.exp(-(t**2) / 2)
    assert_allclose(mexican.coefficients[0], psi / np.sqrt(mexican.scales[0]), atol=1e-12)


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_wavelets_of_norm_energy_have_unit_energy(wavelet: str) -> None:
    x = np.zeros(4096)
    x[512] = 1
    options = {"frequencies": [2, 0.5], "mode": "periodic"}
    s = lw.scalogram(x, 20.0, wavelet, norm="energy", **options)
    assert_allclose(s.power().sum(-1), 1, rtol=1e-5)
    amplitudes = lw.scalogram(x, 20.0, wavelet, **options)
    assert_allclose(abs(s.coefficients[:, 512] / amplitudes.coefficients[:, 512]), s._grid.gains)


def test_derivatives_of_gaussians_are_real() -> None:
    x = zero_mean(300) + 1j * zero_mean(300, 1)
    for order in (1, 2, 3, 4):
        s = lw.scalogram(x, wavelet=lw.GaussianDerivative(order), frequencies=[0.1])
        options = {"wavelet": lw.GaussianDerivative(order), "frequencies": [0.1]}
        parts = [lw.scalogram(part, **options) for part in (x.real, x.imag)]
        s = lw.scalogram(x, **options)
        assert parts[0].coefficients.dtype == np.float64
        first, second = (part.coefficients for part in parts)
        assert_allclose(s.coefficients, first + 1j * second, atol=1e-15)
        assert s.negative is None


def test_negative_frequencies_of_complex_signals() -> None:
    t = np.arange(400)
    x = 2 * np.exp(-2j * np.pi * 0.1 * t)
    s = lw.scalogram(x, frequencies=[0.1])
    assert abs(s.coefficients[0, 100:300]).max() < 1e-5
    assert_allclose(s.negative[0, 100:300], 2 * x[100:300], atol=1e-5)


# --- the grid ------------------------------------------------------------------------------------


def test_frequencies_scales_and_times() -> None:
    s = lw.scalogram(LINE, fs=10, voices=4)
    assert_allclose(s.frequencies, 5 * 2.0 ** (-np.arange(s.frequencies.size) / 4))
    assert s.frequencies[-1] >= 10 / (2 * N) > s.frequencies[-1] / 2**0.25
    assert_allclose(s.scales, shape_of(lw.Morse()).peak / (2 * np.pi * s.frequencies))
    assert_array_equal(s.times, np.arange(N) / 10)
    resolved = lw.scalogram(LINE, fs=10, limits="resolved").frequencies
    assert_allclose(resolved[0], 5 / 1.151743, rtol=1e-6)
    assert_allclose(resolved[-1], 4 * 5.50077 * 10 / (2 * np.pi * N), rtol=0.08)
    chosen = lw.scalogram(LINE, fs=10, limits=(1, 4), voices=2).frequencies
    assert_allclose(chosen, 4 * 2.0 ** (-np.arange(5) / 2))


def test_the_cone_of_influence_is_one_e_folding_time() -> None:
    s = lw.scalogram(LINE, fs=10, wavelet="morlet(6)")
    for k in (0, 7, 120, 239):
        distance = (min(k, 239 - k) + 0.5) / 10
        assert_allclose(s.coi[k], math.sqrt(2) * 6 / (2 * np.pi) / distance)


def test_a_rate_leaves_out_columns() -> None:
    s, all_columns = (lw.scalogram(LINE, 12.0, rate=rate, voices=4) for rate in (4, None))
    # Kernels that compute only these columns add bins in another order.
    assert_allclose(s.coefficients, all_columns.coefficients[:, ::3], rtol=0, atol=2e-15)
    assert_array_equal(s.times, all_columns.times[::3])
    assert_array_equal(s.coi, all_columns.coi[::3])
    for rate in (5, 24, 0, -1):
        with pytest.raises(ScaleError, match="rate must be"):
            lw.scalogram(LINE, 12.0, rate=rate)
    with pytest.raises(OptionError, match="do not pass rate"):
        s.inverse()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int16"])
def test_axes_batches_and_dtypes(dtype: str) -> None:
    x = (20 * zero_mean((3, 64, 2), 1, "complex128" if "complex" in dtype else "float64")).astype(
        dtype
    )
    s = lw.scalogram(x, axis=1, voices=4)
    single = np.dtype(dtype).itemsize // (1 + ("complex" in dtype)) == 4
    assert s.coefficients.dtype == (np.complex64 if single else np.complex128)
    alone = lw.scalogram(x[2, :, 1], voices=4)
    scale = 1e-6 if single else 1e-14
    assert_allclose(s.coefficients[2, 1], alone.coefficients, atol=400 * scale)
    back = s.inverse()
    assert back.dtype == (np.float64 if dtype == "int16" else dtype)
    assert_allclose(back, x, atol=400 * scale)


@pytest.mark.parametrize("library", [torch, array_api_strict])
@pytest.mark.parametrize("wavelet", ["morse", "dog(2)"])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_other_libraries(library: Any, wavelet: str, dtype: str) -> None:
    x = zero_mean((2, 90), 4, dtype)
    s = lw.scalogram(library.asarray(x), wavelet=wavelet, voices=4, mode="zero", invertible=True)
    expected = lw.scalogram(x, wavelet=wavelet, voices=4, mode="zero")
    assert_allclose(np.asarray(s.coefficients), expected.coefficients, atol=1e-14)
    assert_allclose(np.asarray(s.inverse()), x, atol=1e-13)
    assert_allclose(np.asarray(s.power()), expected.power(), atol=1e-13)


def test_half_precision_is_computed_in_single() -> None:
    x = torch.as_tensor(LINE).half()
    s = lw.scalogram(x, voices=4)
    assert (s.coefficients.dtype, s.inverse().dtype) == (torch.complex64, torch.float16)
    assert lw.scalogram(x, wavelet="dog(2)", voices=4).coefficients.dtype == torch.float16
    assert_allclose(s.inverse().numpy(), x.numpy(), atol=4e-3)


def test_inputs_are_not_modified_and_errors_say_what_is_right() -> None:
    x = LINE.copy()
    lw.scalogram(x, mode="periodic").inverse()
    assert_array_equal(x, LINE)
    for options, error, match in (
        ({"mode": "smooth"}, ModeError, "are not bounded"),
        ({"norm": "L1"}, OptionError, "norm must be one of 'amplitude'"),
        ({"fs": 0}, ScaleError, "fs must be a positive"),
        ({"voices": 1e9}, ScaleError, "at most 100000"),
        ({"frequencies": [0.6]}, ScaleError, "at most fs / 2 = 0.5"),
        ({"limits": (0.4, 0.1)}, ScaleError, "lowest and the highest"),
        ({"limits": "all"}, OptionError, "got 'all'"),
        ({"rate": 0.5, "invertible": True}, OptionError, "do not pass rate"),
    ):
        with pytest.raises(error, match=match):
            lw.scalogram(x, **options)
    with pytest.raises(ShapeError, match="no samples"):
        lw.scalogram(np.zeros((3, 0)))


# --- inverses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", WAVELETS)
def test_white_noise_comes_back(wavelet: str, mode: str) -> None:
    for n in (1, 2, 5, 64, 101, 240):
        x = zero_mean(n, n) + 3
        s = lw.scalogram(x, 4.0, wavelet, mode=mode, norm="energy", invertible=True)
        assert_allclose(s.inverse(), x, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_symmetric_and_periodic_extensions_need_no_more_columns(dtype: str) -> None:
    x = zero_mean(240, 1, dtype) + 2
    for mode in ("symmetric", "antisymmetric", "periodic"):
        for wavelet in ("morse", "dog(2)"):
            s = lw.scalogram(x, wavelet=wavelet, mode=mode)
            assert_allclose(s.inverse(), x, atol=1e-12)
    # For a length with a large factor, the extension is longer than its period.
    s = lw.scalogram(zero_mean(1009, 1), voices=16)
    assert 1e-6 < abs(s.inverse() - zero_mean(1009, 1)).max() < 2e-3


def test_components_of_bands_add_up() -> None:
    x = zero_mean(200, 7) + 1
    s = lw.scalogram(x)
    parts = s.inverse((0, 0.1)) + s.inverse((0.1000001, 0.5))
    assert_allclose(parts, x, atol=1e-12)
    assert_allclose(s.inverse((0.01, 0.1)).mean(), 0, atol=1e-2)
    with pytest.raises(OptionError, match="in this order"):
        s.inverse((0.2, 0.1))


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_the_integral_is_close_for_smooth_signals(wavelet: str) -> None:
    t = np.arange(1000)
    x = np.cos(2 * np.pi * 0.02 * t) + np.sin(2 * np.pi * 0.05 * t)
    s = lw.scalogram(x, wavelet=wavelet, voices=12, norm="energy")
    error = s.inverse(method="integral") - x
    assert np.std(error[200:800]) < 0.02
    assert np.std(s.inverse()[200:800] - x[200:800]) < 1e-12
    with pytest.raises(OptionError, match="'exact', 'integral' or 'least_squares'"):
        s.inverse(method="fast")  # type: ignore[arg-type]


def test_missing_frequencies_are_reported() -> None:
    s = lw.scalogram(LINE, limits=(0.05, 0.2))
    with pytest.warns(ReconstructionWarning, match=r"cover 0\.0\d+ to 0\.\d+"):
        s.inverse()


def test_changed_coefficients() -> None:
    s = lw.scalogram(LINE, invertible=True)
    assert_allclose(s.replace(2 * s.coefficients).inverse(), 2 * LINE, atol=1e-12)
    with pytest.raises(ShapeError, match="expected coefficients"):
        s.replace(s.coefficients[:, :5])
    z = lw.scalogram(LINE + 1j * LINE[::-1])
    same = z.replace(z.coefficients, z.negative)
    assert_allclose(same.inverse(), z.inverse())
