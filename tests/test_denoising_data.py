"""Denoising of data with gaps, counts, colours and correlated noise."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import torch
from helpers import assert_close, to_numpy, zero_mean

import liftwave as lw
from liftwave.denoising.missing import filled
from liftwave.denoising.steps import anscombe, haar_fisz, opponent_colours
from liftwave.errors import MissingSamplesError

CLEAN = 5 * np.sin(np.linspace(0, 12, 1024))
NOISY = CLEAN + 0.5 * np.random.default_rng(0).standard_normal(1024)


def rms(x):
    return float(np.sqrt(np.mean(np.abs(x) ** 2)))


# --- missing samples -----------------------------------------------------------------------------


@pytest.mark.parametrize("function", [lw.denoise, lw.estimate_sigma])
@pytest.mark.parametrize("library", [np.asarray, torch.asarray])
def test_missing_samples_raise_before_any_work(function, library):
    x = NOISY.copy()
    x[[3, 50, 51]] = np.nan
    with pytest.raises(MissingSamplesError, match=r"^3 of 1024 samples are NaN: use missing="):
        function(library(x))
    x[7] = -np.inf
    with pytest.raises(ValueError, match=r"^1 of 1024 samples is infinite: replace them, or set"):
        function(library(x), missing="interpolate")
    with pytest.raises(MissingSamplesError, match="'raise', 'interpolate', 'mask', got 'drop'"):
        function(library(x), missing="drop")
    with pytest.raises(MissingSamplesError, match="all samples of an item are NaN along the axes"):
        function(library(np.full((2, 8), np.nan)), "haar", axes=1, missing="mask")


def test_gaps_are_interpolated_along_a_line(xp):
    x, n = zero_mean((2, 40)), np.arange(40)
    gaps = np.zeros((2, 40), bool)
    gaps[0, [0, 1, 5, 20, 21, 22, 39]] = gaps[1, 10:30] = True
    expected = [np.interp(n, n[~g], row[~g]) for row, g in zip(x, gaps, strict=True)]
    broken = xp.asarray(np.where(gaps, np.nan, x))
    space = __import__("array_api_compat").array_namespace(broken)
    assert_close(filled(broken, xp.asarray(gaps), (1,), space), xp.asarray(expected), ulps=50)


def test_gaps_of_images_are_means_of_the_nearest_samples():
    x = np.arange(12.0).reshape(3, 4) ** 2
    gaps = np.zeros(x.shape, bool)
    gaps[1, 1:3] = True
    result = filled(x, gaps, (0, 1), np)
    weights = np.array([1, 1, 1, 0.5])
    assert result[1, 1] == pytest.approx(np.average([1, 81, 16, 49], weights=weights))
    assert np.array_equal(result[~gaps], x[~gaps])
    cross = np.zeros((3, 3), bool)
    cross[1], cross[:, 1] = True, True
    assert np.isfinite(filled(np.ones((3, 3)), cross, (0, 1), np)).all()


@pytest.mark.parametrize("transform", ["dwt", "swt"])
def test_a_signal_with_gaps_is_denoised(transform):
    x = NOISY.copy()
    x[::9] = x[300:310] = np.nan
    gaps = np.isnan(x)
    clean = lw.denoise(x, transform=transform, missing="interpolate")
    assert rms(clean - CLEAN) < 0.25
    masked = lw.denoise(x, transform=transform, missing="mask")
    np.testing.assert_array_equal(masked, np.where(gaps, np.nan, clean))


def test_the_noise_is_that_of_the_present_samples():
    """Half of the finest details of the filled signal are zero."""
    x = NOISY.copy()
    x[:540] = np.nan
    assert lw.estimate_sigma(x, missing="interpolate") == pytest.approx(0.5, rel=0.15)


# --- noise ---------------------------------------------------------------------------------------


def test_noise_of_each_level():
    options = {"level": 3, "axes": -1}
    d = lw.decompose(NOISY, "db3", 3)
    medians = {j: np.median(np.abs(d[j, "d"])) / 0.6744897501960817 for j in (1, 2, 3)}
    expected = lw.denoise(NOISY, "db3", sigma=medians, **options)
    for sigma in ("level", "band"):
        assert_close(lw.denoise(NOISY, "db3", sigma=sigma, **options), expected, ulps=50)
    assert rms(expected - lw.denoise(NOISY, "db3", **options)) > 1e-3
    same = lw.denoise(NOISY, "db3", sigma={1: 0.4}, **options)
    assert_close(same, lw.denoise(NOISY, "db3", sigma=0.4, **options), ulps=0)


def test_correlated_noise_needs_its_level():
    rng = np.random.default_rng(1)
    noise = np.convolve(rng.standard_normal(4096 + 15), np.ones(16) / 4, "valid")
    clean = 5 * np.sin(np.linspace(0, 12, 4096))
    one, each = (rms(lw.denoise(clean + noise, sigma=s, level=5) - clean) for s in ("mad", "level"))
    assert each < 0.8 * one


def test_level_pools_the_bands_of_images():
    x = zero_mean((64, 64))
    bands = lw.decompose(x, "db2", 1)[1]
    details = np.concatenate([np.abs(band).ravel() for key, band in bands.items() if key != "aa"])
    sigma = np.median(details) / 0.6744897501960817
    expected = lw.denoise(x, "db2", sigma=sigma, level=1)
    assert_close(lw.denoise(x, "db2", sigma="level", level=1), expected, ulps=50)


# --- counts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gain", "read_noise"), [(1.0, 0.0), (2.5, 4.0)])
def test_the_inverse_of_anscombe_is_unbiased(gain, read_noise):
    rng = np.random.default_rng(0)
    step = anscombe(gain, read_noise)
    for mean in (3.0, 10.0, 40.0):
        counts = gain * rng.poisson(mean, 400_000) + read_noise * rng.standard_normal(400_000)
        stable = step.apply(counts)
        assert np.std(stable) == pytest.approx(1, abs=0.05)
        assert step.undo(np.mean(stable)[None])[0] == pytest.approx(gain * mean, rel=0.02)


@pytest.mark.parametrize("shape", [(64,), (37,), (8, 12), (2, 5, 1)])
def test_haar_fisz_is_inverted_exactly(shape):
    x = np.random.default_rng(0).poisson(3.0, shape) * 1.0
    axes = tuple(range(len(shape)))[-2:]
    step = haar_fisz(axes, shape, 2.0)
    assert_close(step.undo(step.apply(x)), x, ulps=1e3)


def test_haar_fisz_of_two_samples():
    """The mean stays, and the difference is divided by its root."""
    step = haar_fisz((0,), (2,), 1.0)
    np.testing.assert_allclose(step.apply(np.array([7.0, 11.0])), [9 - 2 / 3, 9 + 2 / 3])
    counts = np.random.default_rng(0).poisson(9.0, 4096) * 1.0
    assert np.std(haar_fisz((0,), (4096,), 1.0).apply(counts)) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("vst", ["anscombe", "haar-fisz"])
def test_counts_get_better(vst):
    means = 20 + 18 * np.sin(np.linspace(0, 25, 2048))
    counts = np.random.default_rng(0).poisson(means)
    plain = rms(lw.denoise(counts, transform="swt") - means)
    assert rms(lw.denoise(counts, transform="swt", vst=vst) - means) < min(0.9 * plain, 1.2)
    scaled = lw.denoise(3.0 * counts, transform="swt", vst=vst, gain=3.0)
    assert_close(scaled / 3, lw.denoise(1.0 * counts, transform="swt", vst=vst), ulps=1e4)


# --- colours -------------------------------------------------------------------------------------


def test_opponent_colours_are_orthonormal():
    step = opponent_colours(1)
    mixed = step.apply(np.eye(3)[:, :, None])[..., 0].T
    a, b, c = 1 / sqrt(3), 1 / sqrt(2), 1 / sqrt(6)
    np.testing.assert_allclose(mixed, [[a, a, a], [b, 0, -b], [c, -2 * c, c]], atol=1e-15)
    x = zero_mean((2, 5, 4))
    assert_close(step.undo(step.apply(x)), x, ulps=20)


def test_colours_share_their_edges():
    rng = np.random.default_rng(0)
    grey = np.kron(rng.integers(0, 5, (8, 8)), np.ones((8, 8))) * 20.0
    image = np.stack([grey, 0.8 * grey, 0.9 * grey], axis=-1)
    noisy = image + 10 * rng.standard_normal(image.shape)
    apart = rms(lw.denoise(noisy, "haar", sigma=10, axes=(0, 1)) - image)
    together = lw.denoise(noisy, "haar", sigma=10, channel_axis=-1)
    assert rms(together - image) < 0.95 * apart
    mixed = opponent_colours(2).apply(noisy)
    expected = opponent_colours(2).undo(lw.denoise(mixed, "haar", sigma=10, axes=(0, 1)))
    assert_close(together, expected, ulps=1e3)
    moved = lw.denoise(torch.asarray(noisy).movedim(2, 0), "haar", sigma=10, channel_axis=0)
    np.testing.assert_allclose(to_numpy(moved), np.moveaxis(together, 2, 0), atol=1e-9)


# --- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "neighcoeff", "rule": "soft"}, "'neighcoeff' shrinks without a threshold, so"),
        ({"transform": "fft"}, "unknown transform 'fft'; use one of 'dwt', 'swt'"),
        ({"transform": "swt", "shifts": 2}, "shifts=2 needs transform='dwt'"),
        ({"vst": "log"}, "unknown vst 'log'; use 'anscombe'"),
        ({"vst": "anscombe", "gain": 0}, "gain must be positive and finite, got 0"),
        ({"vst": "anscombe", "gain": "2x"}, "gain must be a number, got '2x'"),
        ({"vst": "anscombe", "read_noise": -1}, "read_noise must be at least 0 and finite, got -1"),
        ({"vst": "haar-fisz", "read_noise": 1}, "does not support read_noise: use vst='anscombe'"),
        ({"gain": 2.0}, "gain and read_noise need a stabilisation"),
        ({"channel_axis": 1, "axes": (0, 1)}, "channel_axis=1 is one of the axes to transform"),
        ({"channel_axis": 5}, "axis 5 of an array with 2"),
        ({"sigma": {2: 1.0}, "level": 2}, r"each level from 1 \(finest\) to at most .* levels 2"),
        (
            {"sigma": {1: 1.0, 2: 1.0}, "level": 1},
            r"coarsest level, 1, got levels 1, 2",
        ),
        ({"sigma": {1: 1.0, 2: -1.0}, "level": 2}, "sigma must be finite and at least 0"),
    ],
)
def test_mistakes(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        lw.denoise(np.ones((16, 12)), "haar", **options)


def test_counts_are_real():
    with pytest.raises(TypeError, match="needs real counts of photons, got data of complex128"):
        lw.denoise(np.ones(8) * 1j, "haar", vst="anscombe")
