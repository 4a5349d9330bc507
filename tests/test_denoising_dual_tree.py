"""Denoising by the dual tree: the noise of its bands, and recipes on them."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from helpers import assert_close, to_numpy, zero_mean
from test_denoising_recipes import Slow

import liftwave as lw
from liftwave._plan.axes import axis_plans
from liftwave.denoising.analyses import ANALYSES
from liftwave.denoising.bayesian import _noise_root
from liftwave.denoising.noise import _present, noise_of


def analysed(x, level=2, axes=None, mode="symmetric", transform="dtcwt"):
    axes = tuple(range(x.ndim)) if axes is None else axes
    wavelet = "cdf9.7" if transform == "dtcwt" else "sym4"
    return ANALYSES[transform](x, axis_plans(wavelet, mode, axes, x.ndim), level)


# --- noise ---------------------------------------------------------------------------------------

SIDE = 64
PLACES = sorted(product((-1, 0, 1), repeat=2), key=any)


def rows(j, k):
    """The complex filters of a coefficient, and of its neighbours, in a level of ``lw.dtcwt``."""
    tree, pull = lw.vjp(lw.dtcwt, np.zeros((18, SIDE, SIDE)), 2, axes=(1, 2))
    bands = [np.zeros_like(band) for band in tree.bands]
    centre = SIDE // 2**j // 2
    for number, (a, b) in enumerate(PLACES):  # the centre first
        bands[2 - j][number, centre + a, centre + b, k] = 1
        bands[2 - j][9 + number, centre + a, centre + b, k] = 1j
    seeds = replace(tree, lowpass=np.zeros_like(tree.lowpass), bands=tuple(bands))
    signals = pull(seeds).data
    return (signals[:9] + 1j * signals[9:]).reshape(9, -1)


@pytest.mark.parametrize("j", [1, 2])
@pytest.mark.parametrize("k", range(6))
def test_the_noise_of_bands_is_that_of_their_filters(j, k):
    """The variance, and the covariance of the parts of adjacent coefficients."""
    band = analysed(zero_mean((SIDE, SIDE))).bands[6 * (2 - j) + k]
    filters = rows(j, k)
    values = lw.dtcwt(zero_mean((SIDE, SIDE)), 2)[j][..., k]
    deviation = np.linalg.norm(filters[0])
    assert_close(band.values * deviation, values, ulps=1e3)
    filters = filters / deviation
    assert band.circularity() == pytest.approx(abs(np.sum(filters[0] ** 2)), abs=1e-12)
    for sign, part in ((1, np.real), (-1, np.imag)):
        root = _noise_root(band, 10, sign)
        covariance = 2 * part(filters) @ part(filters).T
        np.testing.assert_allclose((root @ root.T)[:9, :9], covariance, atol=1e-7)
        assert np.array_equal((root @ root.T)[9].round(7), np.eye(10)[9])


@pytest.mark.parametrize("shape", [(2**15,), (256, 256), (40, 40, 40)])
@pytest.mark.parametrize("estimate", ["mad", "level", "band"])
def test_estimates_of_pure_noise(shape, estimate):
    bands = analysed(3 * zero_mean(shape), (len(shape) == 1 and 3) or 2).bands
    assert len(bands) == {1: 3, 2: 12, 3: 56}[len(shape)]
    for band, sigma in zip(bands, noise_of(bands, estimate), strict=True):
        # (At the ends of a volume, where mirror images meet, the noise is stronger.)
        tolerance = 0.04 if estimate == "mad" else 0.04 + 1.5 / band.values.size**0.5
        assert sigma.shape == (1,) * len(shape)
        assert float(sigma.flat[0]) == pytest.approx(3, rel=tolerance), (band.level, band.key)
        pooled = {
            "mad": [other for other in bands if other.is_finest_diagonal],
            "level": [other for other in bands if other.level == band.level],
            "band": [band],
        }[estimate]
        ratios = [np.abs(other.values).ravel() / other.median for other in pooled]
        assert float(sigma.flat[0]) == pytest.approx(np.median(np.concatenate(ratios)), rel=1e-12)


@pytest.mark.parametrize("transform", ["swt", "dtcwt"])
@pytest.mark.parametrize("mode", ["symmetric", "periodization"])
def test_the_noise_beside_gaps_does_not_count(transform, mode):
    """Where samples are missing, other bands are far too large."""
    x = zero_mean(600)
    gaps = np.zeros(600, bool)
    gaps[100:380] = True
    loud = np.where(gaps, 50 * zero_mean(600, 1), x)
    bands = analysed(loud, 1, mode=mode, transform=transform).bands
    actual = float(noise_of(bands, "mad", gaps)[0][0])
    assert actual == pytest.approx(1, rel=0.2)
    assert float(noise_of(bands, "mad", ~gaps)[0][0]) == pytest.approx(50, rel=0.2)


@pytest.mark.parametrize("transform", ["dwt", "swt", "dtcwt"])
@pytest.mark.parametrize("mode", ["symmetric", "smooth"])
def test_the_coefficients_at_gaps_are_those_of_an_impulse_there(transform, mode):
    for place in range(10, 50):
        gaps = np.arange(61) == place
        band = analysed(1.0 * gaps, 1, mode=mode, transform=transform).bands[0]
        counted = _present(gaps, band)
        assert 1 <= np.sum(~counted) <= 2
        strongest = np.argmax(np.abs(band.values))
        assert np.abs(np.flatnonzero(~counted) - strongest).min() <= 1


# --- recipes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["neighcoeff", "neighblock", "fdr", "bivariate"])
def test_denoising_is_the_slow_recipe_on_each_band(method):
    image = zero_mean((36, 40)) + 3 * (np.arange(40) > 20)
    tree = lw.dtcwt(image, level=2)
    scales = [[np.linalg.norm(rows(j, k)[0]) for k in range(6)] for j in (2, 1)]
    clean = []
    for depth, (bands, scale) in enumerate(zip(tree.bands, scales, strict=True)):
        values = bands / scale
        parents = None
        if depth:
            parents = (tree.bands[0] / scales[0]).repeat(2, 0).repeat(2, 1)
        results = [
            getattr(
                Slow(
                    values[..., k],
                    None if parents is None else parents[..., k],
                    *(0.8, image.size, 1, False),
                ),
                method,
            )()
            for k in range(6)
        ]
        clean.append(np.stack(results, axis=-1) * scale)
    rest = iter(clean)
    expected = tree.map(lambda bands: next(rest)).reconstruct()
    actual = lw.denoise(image, method=method, transform="dtcwt", sigma=0.8, level=2)
    assert np.abs(actual - image).max() > 0.3
    assert_close(actual, expected, ulps=1e4)


def test_thresholds_keep_phases():
    """By one number for all bands, so that the transform alone is an independent formula."""
    image = zero_mean((36, 40)) + 3 * (np.arange(40) > 20)
    limit = 0.6 * np.sqrt(np.log(image.size))
    scales = {j: np.array([np.linalg.norm(rows(j, k)[0]) for k in range(6)]) for j in (1, 2)}

    def shrink(bands):
        magnitudes = np.abs(bands) / scales[1 if bands.shape[0] == 18 else 2]
        return bands * np.maximum(1 - limit / magnitudes, 0)

    expected = lw.dtcwt(image, level=2).map(shrink).reconstruct()
    options = {"method": "visu", "sigma": 0.6, "level": 2, "transform": "dtcwt"}
    assert_close(lw.denoise(image, **options), expected, ulps=1e3)


@pytest.mark.parametrize(
    ("method", "shape", "level"),
    [
        ("bayes", (37,), 2),
        ("bls-gsm", (18, 19), 1),
        ("bivariate", (36, 41), 2),
        ("bivariate", (18, 19, 20), 1),
    ],
)
def test_batches_and_libraries(method, shape, level):
    x = np.stack([zero_mean(shape, k) for k in (0, 1)], axis=-1)
    axes = tuple(range(len(shape)))
    options = {"method": method, "transform": "dtcwt", "level": level, "axes": axes}
    together = lw.denoise(x, sigma=np.array([0.3, 0.9]), **options)
    for k, sigma in enumerate((0.3, 0.9)):
        alone = lw.denoise(x[..., k], sigma=sigma, **options)
        assert_close(together[..., k], alone, ulps=1e5)
    tensor = lw.denoise(torch.asarray(x), sigma=np.array([0.3, 0.9]), **options)
    np.testing.assert_allclose(to_numpy(tensor), together, atol=1e-9)
    single = lw.denoise(x.astype("float32"), sigma=np.array([0.3, 0.9]), **options)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, together, atol=1e-4)
    unchanged = lw.denoise(x, sigma=0.0, **options)
    assert_close(unchanged, x, ulps=1e3)


@pytest.mark.parametrize("mode", ["smooth", "periodization"])
def test_other_boundary_modes_extend_the_data(mode):
    x, reach = np.linspace(0, 9, 90) + 0.3 * zero_mean(90), 20
    options = {"method": "bayes", "transform": "dtcwt", "level": 2, "sigma": 0.3}
    padded = "periodic" if mode == "periodization" else mode
    longer = lw.denoise(lw.pad(x, reach, padded), **options)
    assert_close(lw.denoise(x, mode=mode, **options), longer[reach:-reach], ulps=1e3)


def test_a_photograph_gets_better_than_without_directions():
    clean = lw.data.camera()[100:356, 100:356].astype(float)
    noisy = clean + 20 * zero_mean(clean.shape)
    errors = {
        transform: np.mean(
            (lw.denoise(noisy, method="bivariate", transform=transform) - clean) ** 2
        )
        for transform in ("dwt", "dtcwt")
    }
    assert errors["dtcwt"] < 0.87 * errors["dwt"]


def test_the_wavelet_is_that_of_the_first_level():
    x = zero_mean((20, 30))
    options = {"transform": "dtcwt", "sigma": 0.5, "level": 1}
    usual = lw.denoise(x, **options)
    assert np.array_equal(usual, lw.denoise(x, "cdf9.7", **options))
    assert np.array_equal(usual, lw.denoise(x, ["bior4.4", "cdf9.7"], **options))
    assert np.abs(usual - lw.denoise(x, "cdf5.3", **options)).max() > 0.01
    options = {"transform": "dwt", "sigma": 0.5}
    assert np.array_equal(lw.denoise(x, **options), lw.denoise(x, "sym8", **options))


# --- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.ones((16, 12), complex), {}, "takes real data, got complex128: denoise the real"),
        (np.ones((4, 4, 4, 4)), {}, r"one, two or three axes, got \(0, 1, 2, 3\): pass the axes"),
        (np.ones((16, 12)), {"wavelet": "sym8"}, "needs symmetric filters of odd lengths"),
        (np.ones((16, 12)), {"wavelet": ("cdf9.7", "cdf5.3")}, "one wavelet for all axes"),
        (np.ones((16, 12)), {"shifts": 2}, "'dtcwt' already averages over shifts. Remove shifts"),
    ],
)
def test_mistakes(x, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        lw.denoise(x, transform="dtcwt", level=1, **options)


# --- defaults ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "options", "chosen"),
    [
        ((40,), {}, {"method": "neighcoeff", "transform": "dtcwt"}),
        ((40, 1), {}, {"method": "neighcoeff", "transform": "dtcwt"}),
        ((3, 40), {"axes": -1}, {"method": "neighcoeff", "transform": "dtcwt"}),
        ((24, 20), {}, {"method": "bivariate", "transform": "dtcwt"}),
        ((12, 10, 8), {}, {"method": "bivariate", "transform": "dtcwt"}),
        ((4, 4, 4, 4), {}, {"method": "bivariate", "transform": "dwt"}),
        ((40,), {"wavelet": "db2"}, {"method": "neighcoeff", "transform": "dwt"}),
        ((24, 20), {"shifts": 2}, {"method": "bivariate", "transform": "dwt"}),
        ((24, 20), {"rule": "hard"}, {"method": "bayes", "transform": "dtcwt"}),
        ((24, 20), {"method": "visu"}, {"method": "visu", "transform": "dtcwt"}),
        ((24, 20), {"transform": "swt"}, {"method": "bivariate", "transform": "swt"}),
    ],
)
def test_defaults(shape: tuple[int, ...], options: dict[str, Any], chosen: dict[str, Any]) -> None:
    x = np.random.default_rng(3).standard_normal(shape)
    np.testing.assert_array_equal(lw.denoise(x, **options), lw.denoise(x, **options | chosen))


def test_defaults_of_complex_data() -> None:
    x = np.random.default_rng(3).standard_normal((24, 40)).view(complex)
    expected = lw.denoise(x, method="bivariate", transform="dwt")
    np.testing.assert_array_equal(lw.denoise(x), expected)
