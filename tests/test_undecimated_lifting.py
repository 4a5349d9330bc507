"""Undecimated transforms by lifting schemes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pywt
import torch
from helpers import LIFTING_MODES, Library, to_numpy, zero_mean

import liftwave as lw
from liftwave.errors import ModeError, WaveletError

NAMES = ("haar", "db2", "db4", "cdf5.3", "cdf9.7", "coif2")


def scheme(name: str) -> lw.LiftingScheme:
    return lw.LiftingScheme.from_name(name)


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("name", NAMES)
def test_every_length_is_reconstructed(name: str, mode: Any) -> None:
    for n in range(1, 38):
        x = np.cos(np.arange(n) ** 2) + 0.1
        for level in (1, 2, 5):
            bands = lw.swt(x, scheme(name), level, mode=mode)
            rec = lw.iswt(bands, scheme(name), mode=mode)
            np.testing.assert_allclose(rec, x, rtol=0, atol=3e-14)
            trimmed = lw.swt(x, scheme(name), level, trim_approx=True, norm=True, mode=mode)
            rec = lw.iswt(trimmed, scheme(name), True, mode=mode)
            np.testing.assert_allclose(rec, x, rtol=0, atol=3e-14)


def extended(x: Any, place: int, mode: Any) -> float:
    """A sample of an extended signal, by Python's integers."""
    n = len(x)
    if mode == "zero" and not 0 <= place < n:
        return 0.0
    if mode == "constant":
        return float(x[min(max(place, 0), n - 1)])
    period = {"symmetric": 2 * n, "reflect": 2 * n - 2}.get(mode, n)
    place %= period
    return float(x[min(place, period - (mode == "symmetric") - place) if period > n else place])


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_offsets_of_high_levels_exceed_64_bits(mode: Any, xp: Library) -> None:
    x, bank, level = zero_mean(11), scheme("cdf5.3"), 70
    bands = lw.swt(xp.asarray(x), bank, level, trim_approx=True, norm=True, mode=mode)
    rec = lw.iswt(bands, bank, True, mode=mode)
    np.testing.assert_allclose(to_numpy(rec), x, rtol=0, atol=1e-10)
    low, high = (factor / 2**0.5 for factor in bank.scale)
    approx = x
    for j in range(level):
        sums = [
            extended(approx, k - 2**j, mode) + extended(approx, k + 2**j, mode) for k in range(11)
        ]
        detail = approx - np.multiply(0.5, sums)
        sums = [
            extended(detail, k - 2**j, mode) + extended(detail, k + 2**j, mode) for k in range(11)
        ]
        approx = low * (approx + np.multiply(0.25, sums))
        np.testing.assert_allclose(to_numpy(bands[level - j]), high * detail, rtol=0, atol=1e-11)
    np.testing.assert_allclose(to_numpy(bands[0]), approx, rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("name", "wavelet"),
    [
        ("haar", "haar"),
        ("db2", "db2"),
        ("cdf5.3", "bior2.2"),
        ("cdf9.7", "bior4.4"),
        ("db4", "db4"),
    ],
)
def test_bands_are_those_of_pywavelets_shifted(name: str, wavelet: str) -> None:
    for n in (32, 48):
        x = zero_mean(n)
        ours, theirs = lw.swt(x, scheme(name), 1)[0], pywt.swt(x, wavelet, 1)[0]
        for y, expected in zip(ours, theirs, strict=True):
            gaps = [np.abs(y - np.roll(expected, shift)).max() for shift in range(-8, 9)]
            assert sum(gap < 1e-11 for gap in gaps) == 1


@pytest.mark.parametrize("name", ["cdf5.3", "cdf9.7"])
@pytest.mark.parametrize("mode", ["reflect", "symmetric"])
def test_symmetric_wavelets_transform_the_extended_signal(name: str, mode: Any) -> None:
    """Exactly: the extension of each channel is the channel of the extension."""
    n, level = 11, 3
    x, width = zero_mean(n), 80
    numpy_mode: Any = {"reflect": "reflect", "symmetric": "symmetric"}[mode]
    wide = np.pad(x, width, mode=numpy_mode)
    ours = lw.swt(x, scheme(name), level, mode=mode)
    extended = lw.swt(wide, scheme(name), level, mode="zero")
    for level_bands, wide_bands in zip(ours, extended, strict=True):
        for y, expected in zip(level_bands, wide_bands, strict=True):
            np.testing.assert_array_equal(y, expected[width : width + n])


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64"])
def test_integers_are_lossless(dtype: str, mode: Any) -> None:
    integer = scheme("cdf9.7").to_integer()
    rng = np.random.default_rng(0)
    for shape, axis in (((1,), 0), ((7,), 0), ((5, 33), 1), ((6, 4), 0)):
        x = rng.integers(0, 255, shape).astype(dtype)
        bands = lw.swt(x, integer, 3, axis=axis, mode=mode)
        assert all(band.dtype.kind == "i" for level in bands for band in level)
        rec = lw.iswt(bands, integer, axis=axis, mode=mode)
        np.testing.assert_array_equal(rec, x)
    image = rng.integers(0, 255, (5, 8)).astype(dtype)
    rec = lw.iswt2(lw.swt2(image, integer, 2, mode=mode), integer, mode=mode)
    np.testing.assert_array_equal(rec, image)


def test_several_axes_and_modes() -> None:
    x = zero_mean((5, 6, 7))
    schemes, modes = (scheme("cdf5.3"), scheme("db2")), ("reflect", "zero")
    bands = lw.swtn(x, schemes, 2, axes=(2, 0), mode=modes)
    assert [sorted(level) for level in bands] == [["aa", "ad", "da", "dd"]] * 2
    rec = lw.iswtn(bands, schemes, (2, 0), mode=modes)
    np.testing.assert_allclose(rec, x, rtol=0, atol=1e-13)
    approx, details = lw.swt2(x[0], scheme("haar"), 1, trim_approx=True)
    expected = lw.swt(lw.swt(x[0], scheme("haar"), 1, axis=0)[0][1], scheme("haar"), 1)[0][0]
    np.testing.assert_allclose(details[0], expected, rtol=0, atol=1e-14)
    missing = lw.iswt2([approx, (None, details[1], None)], scheme("haar"))
    zero = 0 * approx
    expected = lw.iswt2([approx, (zero, details[1], zero)], scheme("haar"))
    np.testing.assert_array_equal(missing, expected)
    assert lw.swt2(x[0], scheme("haar"), 0) == []


def test_coefficients_that_no_signal_has_are_averaged() -> None:
    """The inverse is the mean of both channels after the steps are undone."""
    a, d = zero_mean((2, 9))
    # Haar: predict by -1, update by 1/2, scales sqrt(2) and -1/sqrt(2).
    odd = -np.sqrt(2) * d
    even = a / np.sqrt(2) - 0.5 * np.roll(odd, -1)
    odd = odd + np.roll(even, 1)
    rec = lw.iswt([(a, d)], scheme("haar"))
    np.testing.assert_allclose(rec, (even + odd) / 2, rtol=0, atol=1e-14)


def test_libraries_agree(xp: Library) -> None:
    x = zero_mean((4, 9))
    for mode in LIFTING_MODES:
        ours = lw.swt(xp.asarray(x), scheme("cdf9.7"), 2, mode=mode)
        for level, expected in zip(ours, lw.swt(x, scheme("cdf9.7"), 2, mode=mode), strict=True):
            for y, of_numpy in zip(level, expected, strict=True):
                np.testing.assert_allclose(to_numpy(y), of_numpy, rtol=0, atol=1e-13)
        rec = lw.iswt(ours, scheme("cdf9.7"), mode=mode)
        np.testing.assert_allclose(to_numpy(rec), x, rtol=0, atol=1e-13)


def test_torch_differentiates_data_and_taps() -> None:
    x = torch.from_numpy(zero_mean((2, 5))).requires_grad_()
    steps = scheme("cdf5.3").steps
    taps = [torch.tensor(step.taps, dtype=torch.float64, requires_grad=True) for step in steps]

    def learned(*taps: Any) -> lw.LiftingScheme:
        pairs = zip(steps, taps, strict=True)
        return lw.LiftingScheme([lw.LiftingStep(s.kind, t, s.offset) for s, t in pairs])

    def forth(x: Any, *taps: Any) -> Any:
        return tuple(lw.swt(x, learned(*taps), 2, trim_approx=True, mode="symmetric"))

    def back(x: Any, *taps: Any) -> Any:
        return lw.iswt([x, x**2, -x], learned(*taps), mode="zero")

    assert torch.autograd.gradcheck(forth, (x, *taps))
    assert torch.autograd.gradcheck(back, (x, *taps))


def test_errors() -> None:
    x = zero_mean(8)
    with pytest.raises(ModeError, match="mode 'smooth' is not defined for lifting"):
        lw.swt(x, scheme("haar"), 1, mode="smooth")
    with pytest.raises(WaveletError, match="along all axes or along none"):
        lw.swt2(np.ones((4, 4)), ("haar", scheme("haar")), 1)
    with pytest.raises(WaveletError, match=r"norm=True divides by sqrt\(2\)"):
        lw.swt(np.ones(8, int), scheme("cdf5.3").to_integer(), 1, norm=True)
    with pytest.raises(WaveletError, match="rounds and has no derivative"):
        lw.vjp(lw.swt, np.ones(8, int), scheme("cdf5.3").to_integer(), 1)
    with pytest.raises(ValueError, match="has no samples"):
        lw.swt(np.zeros(0), scheme("haar"), 1)
