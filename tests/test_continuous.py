"""The continuous transform, and functions and frequencies of wavelets: PyWavelets' numbers."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import array_api_strict
import numpy as np
import pytest
import pywt
import torch
from helpers import zero_mean
from numpy.testing import assert_array_equal
from scipy.io import wavfile

import liftwave as lw
from liftwave.errors import (
    AxisError,
    DTypeError,
    LevelError,
    OptionError,
    ScaleError,
    ShapeError,
    WaveletError,
    WaveletTypeError,
)

CONTINUOUS = (
    *("gaus1", "gaus4", "gaus8", "mexh", "morl", "cgau1", "cgau5", "cgau8"),
    *("shan1.5-1.0", "fbsp2-1.0-0.5", "fbsp1-1.5-1.0", "cmor1.5-1.0"),
)
SCALES = np.geomspace(1.1, 40.0, 6)
LINE, BATCH = zero_mean(301), zero_mean((3, 64, 2), 1)


def close(ours: Any, theirs: Any, eps: float = 2.3e-16) -> None:
    """Equal to some hundred units of rounding."""
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=400 * eps * np.abs(theirs).max())


# --- cwt -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["conv", "fft"])
@pytest.mark.parametrize("wavelet", CONTINUOUS)
def test_coefficients_are_those_of_pywavelets(wavelet: str, method: str) -> None:
    (ours, frequencies), (theirs, expected) = (
        m.cwt(LINE, SCALES, wavelet, 0.25, method=method) for m in (lw, pywt)
    )
    close(ours, theirs)
    np.testing.assert_array_equal(frequencies, expected)


# MATLAB R2015b's cwt at scale 2, samples 0, 500 and 999, from PyWavelets' test data
# (cwt_matlabR2015b_result.npz, MIT): of the signal at this place among those of its test.
MATLAB = {
    "gaus1": (0, (0.056825402801038115, -1.843394259452435, 0.9233217994551276)),
    "mexh": (8, (-0.17600152216518167, -0.8189436171228202, -0.6845923456123094)),
    "morl": (9, (-0.19799823496455227, 0.29667852096556135, -1.4315743735122393)),
    "cgau2": (
        11,
        (
            -0.530012301564366 + 0.6026970622122496j,
            -1.8638555182893097 + 0.40741420057827926j,
            -0.16388988751724984 - 0.19463929023526833j,
        ),
    ),
}


@pytest.mark.parametrize("wavelet", MATLAB)
def test_coefficients_are_those_of_matlab(wavelet: str) -> None:
    place, expected = MATLAB[wavelet]
    signals = np.random.RandomState(1234).randn(2001 * place + 1000)
    ours = lw.cwt(signals[-1000:], [1, 2], wavelet, precision=10)[0][1, [0, 500, 999]]
    # MATLAB's coefficients are conjugates.
    np.testing.assert_allclose(ours, np.conj(expected), rtol=0, atol=4e-15)


@pytest.mark.parametrize("method", ["conv", "fft"])
@pytest.mark.parametrize("wavelet", ["mexh", "cgau2"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int16"])
def test_dtypes_and_axes_are_those_of_pywavelets(dtype: str, wavelet: str, method: str) -> None:
    data = (20 * (BATCH + 1j * BATCH[::-1] if "complex" in dtype else BATCH)).astype(dtype)
    for axis in (0, 1, -1, -2):
        for scales in (2, [2, 7], np.array([2, 7]), np.float32([2.0])):
            ours, theirs = (
                m.cwt(data, scales, wavelet, method=method, axis=axis, precision=10)
                for m in (lw, pywt)
            )
            close(ours[0], theirs[0], 2.3e-16 if dtype in ("int16",) else np.finfo(dtype).eps)
            np.testing.assert_array_equal(ours[1], theirs[1])
            assert ours[1].dtype == theirs[1].dtype


@pytest.mark.parametrize("method", ["conv", "fft"])
@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_short_signals_and_long_kernels(n: int, method: str) -> None:
    x = zero_mean(64, 5)[:n]
    ours, theirs = (m.cwt(x, [1, 3, 200], "cgau3", method=method)[0] for m in (lw, pywt))
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=1e-13)


@pytest.mark.parametrize("wavelet", ["mexh", "cgau3"])
def test_no_scales_give_no_coefficients(wavelet: str) -> None:
    ours, theirs = (m.cwt(np.float32(BATCH), [], wavelet) for m in (lw, pywt))
    assert (ours[0].shape, ours[0].dtype) == (theirs[0].shape, theirs[0].dtype)
    assert lw.cwt(torch.ones(4), [], wavelet)[0].shape == (0, 4)


def test_an_impulse_gives_the_wavelet() -> None:
    """At a large scale, the transform of an impulse is the reversed wavelet, delayed by 1/2."""
    x = np.zeros(1001)
    x[500] = 1.0
    coefs, _ = lw.cwt(x, [64], "mexh", precision=16)
    t = (500.5 - np.arange(1001)) / 64
    psi = 2 / np.sqrt(3) / np.pi**0.25 * (1 - t**2) * np.exp(-(t**2) / 2)
    np.testing.assert_allclose(coefs[0], psi / 8, atol=1e-4)


@pytest.mark.parametrize("wavelet", ["mexh", "cmor1.5-1.0"])
def test_tensors_have_their_library_and_gradients(wavelet: str) -> None:
    x = torch.tensor(BATCH, requires_grad=True)
    coefs, frequencies = lw.cwt(x, [2.0, 5.5], wavelet, axis=1, precision=8)
    expected, numbers = pywt.cwt(BATCH, [2.0, 5.5], wavelet, axis=1, precision=8)
    np.testing.assert_allclose(coefs.detach().numpy(), expected, atol=1e-13)
    np.testing.assert_array_equal(frequencies, numbers)
    short = torch.randn(2, 12, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: lw.cwt(x, [2.0, 5.5], wavelet, precision=6)[0], short)
    half, _ = lw.cwt(torch.ones(8, dtype=torch.float16), 2, wavelet)
    assert half.dtype == (torch.float16 if wavelet == "mexh" else torch.complex64)


@pytest.mark.parametrize("wavelet", ["mexh", "cgau2"])
def test_arrays_of_the_standard(wavelet: str) -> None:
    x = array_api_strict.asarray(BATCH)
    coefs, _ = lw.cwt(x, [2.0, 5.5], wavelet, axis=1, precision=8)
    assert isinstance(coefs, type(x))
    expected, _ = lw.cwt(BATCH, [2.0, 5.5], wavelet, axis=1, precision=8)
    np.testing.assert_allclose(np.asarray(coefs), expected, atol=1e-13)


def test_compiled_graphs_have_one_node() -> None:
    def transform(x: torch.Tensor) -> torch.Tensor:
        coefs: torch.Tensor = lw.cwt(x, (2.0, 5.5), "mexh", precision=8)[0]
        return 2 * coefs

    x = torch.tensor(LINE)
    compiled = torch.compile(transform, fullgraph=True, backend="aot_eager")
    np.testing.assert_allclose(compiled(x).numpy(), transform(x).numpy(), atol=1e-13)


@pytest.mark.parametrize(
    "wavelet",
    ["db4", "bior2.2", "cdf5.3", lw.LiftingScheme.from_name("cdf5.3"), pywt.Wavelet("db4")],
)
def test_discrete_wavelets_are_continuous_ones_of_the_analysis(wavelet: Any) -> None:
    """PyWavelets supports only continuous wavelets."""
    coefs, frequencies = lw.cwt(LINE, [4.0], wavelet, precision=6)
    _, psi, *_, x = lw.wavefun(wavelet, 6)
    integral = np.cumsum(psi) * (x[1] - x[0])
    k = (np.arange(4 * x[-1] + 1) / 4 / x[1]).astype(int)
    kernel = integral[k[k < integral.size]][::-1]
    expected = -2 * np.diff(np.convolve(LINE, kernel))
    start = (len(kernel) - 2) // 2
    np.testing.assert_allclose(coefs[0], expected[start : start + LINE.size], atol=1e-12)
    np.testing.assert_array_equal(frequencies, [lw.central_frequency(wavelet, 6) / 4])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"scales": [1, 0]}, ScaleError, r"must only include positive values.*\[1, 0\]"),
        ({"scales": [[1]]}, ScaleError, "in one dimension"),
        ({"scales": 1e30}, ScaleError, r"Selected scale of 1e\+30 is too large: .* 1.6e\+31"),
        ({"scales": "text"}, DTypeError, "numeric"),
        ({"scales": [1j]}, DTypeError, "real numbers"),
        ({"scales": [0.01]}, ScaleError, "Selected scale of 0.01 too small"),
        ({"wavelet": "mexhat"}, WaveletError, r"Did you mean 'mexh'\?"),
        ({"wavelet": 5}, WaveletTypeError, "got 5 of type int"),
        ({"wavelet": ""}, WaveletTypeError, "got the name ''"),
        ({"sampling_period": 0}, ScaleError, "positive number, got 0"),
        ({"method": "auto"}, OptionError, "'conv' or 'fft', got 'auto'"),
        ({"axis": 0.5}, AxisError, "got 0.5"),
        ({"data": np.ones((2, 2)), "axis": 2}, AxisError, "axis 2 of an array with 2"),
        ({"data": 1.0}, AxisError, "array with 0"),
        ({"data": np.ones((2, 0))}, ShapeError, "no samples"),
        ({"precision": 0}, LevelError, "from 1 to 30, got 0"),
        ({"precision": 70}, LevelError, "from 1 to 30, got 70"),
    ],
)
def test_errors_name_the_argument(
    change: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments = {"data": LINE, "scales": [1, 2], "wavelet": "mexh", **change}
    with pytest.raises(error, match=message):
        lw.cwt(**arguments)


# --- functions and frequencies -------------------------------------------------------------------

DISCRETE = ("haar", "db2", "sym5", "coif2", "dmey", "bior1.3", "bior4.4", "rbio3.1")


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
@pytest.mark.parametrize("level", [1, 3, 8])
def test_functions_are_those_of_pywavelets(name: str, level: int) -> None:
    theirs = pywt.DiscreteContinuousWavelet(name)
    for wavelet in (name, theirs):
        for ours, expected in (
            (lw.wavefun(wavelet, level), theirs.wavefun(level)),
            (lw.integrate_wavelet(wavelet, level), pywt.integrate_wavelet(name, level)),
        ):
            assert len(ours) == len(expected)
            for values, numbers in zip(ours, expected, strict=True):
                np.testing.assert_array_equal(values, numbers)
        assert lw.central_frequency(wavelet, level) == pywt.central_frequency(name, level)
        for call in ("scale2frequency", "frequency2scale"):
            for value in (3, 2.5, np.array([1, 2])):
                ours, expected = (getattr(m, call)(wavelet, value, level) for m in (lw, pywt))
                np.testing.assert_array_equal(ours, expected)


def test_filter_banks_and_schemes_have_functions() -> None:
    filters = pywt.Wavelet("db3").filter_bank
    for wavelet in (lw.FilterBank(*filters), lw.FilterBank(*filters, name="my own")):
        phi, psi, _ = lw.wavefun(wavelet)
        np.testing.assert_array_equal(phi, pywt.Wavelet("db3").wavefun()[0])
        assert lw.central_frequency(wavelet) == pywt.central_frequency("db3")
        assert psi.size == phi.size
    scheme = lw.LiftingScheme.from_name("cdf5.3")
    assert len(lw.wavefun(scheme)) == 5
    assert lw.central_frequency(scheme) == pywt.central_frequency("bior2.2")
    learned = lw.FilterBank(*(torch.tensor(taps) for taps in filters))
    with pytest.raises(WaveletError, match="array taps"):
        lw.wavefun(learned)


def test_functions_can_be_changed_by_the_caller() -> None:
    """(The samples of named wavelets are cached.)"""
    for call in (lw.wavefun, lw.integrate_wavelet):
        before = [values.copy() for values in call("morl")]
        for values in call("morl"):
            values[...] = 7.0
        np.testing.assert_array_equal(call("morl")[0], before[0])
        np.testing.assert_array_equal(call("morl")[-1], before[-1])


def test_integrals_of_samples_are_deprecated() -> None:
    with pytest.warns(DeprecationWarning, match="general signal"):
        ours, _ = lw.integrate_wavelet(([0.0, 1.0, 2.0], [0.0, 0.5, 1.0]))
    assert ours.tolist() == [0.0, 0.5, 1.5]
    with pytest.raises(WaveletTypeError, match="got 3 objects"):
        lw.integrate_wavelet([1, 2, 3])


def test_frequencies_of_tensors() -> None:
    frequencies = lw.scale2frequency("mexh", torch.tensor([1.0, 2.0]))
    assert frequencies.tolist() == [0.25, 0.125]


def test_example_data_are_those_of_pywavelets() -> None:
    assert lw.data.camera is pywt.data.camera
    names = {"aero", "ascent", "camera", "demo_signal", "ecg", "nino"}
    assert set(lw.data.__all__) == names | {"speech"}


def test_speech_is_as_scipy_reads_it() -> None:
    path = files("liftwave") / "_recordings" / "speech.wav"
    rate, x = lw.data.speech()
    expected_rate, expected = wavfile.read(str(path))
    assert (rate, x.dtype) == (expected_rate, np.int16)
    assert_array_equal(x, expected)
