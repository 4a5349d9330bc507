"""Denoising compared with slow formulas, band by band; libraries, batches, shifts, errors."""

from __future__ import annotations

from itertools import product
from math import log, log2, sqrt

import numpy as np
import pytest
import pywt
import torch
from helpers import assert_close, to_numpy, zero_mean

import liftwave as lw
from liftwave.errors import DTypeError, LevelError, LevelWarning, ModeError, ShapeError

METHODS = ("bayes", "sure", "visu")
RULES = ("soft", "hard", "garrote")
MAD = 0.6744897501960817

# A bound on the additions and products per coefficient; errors are far smaller.
ULPS = 400


def photograph(side=256):
    return pywt.data.camera()[:side, :side].astype(np.float64)


def noisy(shape, seed=0, sigma=0.4):
    """Smooth data with white noise."""
    rng = np.random.default_rng(seed)
    smooth = zero_mean(shape, seed)
    for axis in range(smooth.ndim):
        smooth = np.cumsum(smooth, axis=axis)
    return smooth / np.abs(smooth).max() * 5 + sigma * rng.standard_normal(shape)


# --- the thresholds, implemented again ----------------------------------------------------------


def sigma_of(x, wavelet="sym8", mode="symmetric"):
    finest = pywt.dwtn(x, wavelet, mode)["d" * x.ndim]
    return np.median(np.abs(finest)) / (sqrt(log(2)) if np.iscomplexobj(x) else MAD)


def visu(band, sigma, samples):
    return sigma * sqrt((1 if np.iscomplexobj(band) else 2) * log(samples))


def bayes(band, sigma, samples):
    signal = np.mean(np.abs(band) ** 2) - sigma**2
    return sigma**2 / sqrt(signal) if signal > 0 else np.inf


def risk(band, sigma, t):
    """Stein's unbiased estimate of the risk of shrinking ``band`` by ``t``."""
    magnitudes = np.abs(band).ravel()
    small = np.count_nonzero(magnitudes <= t)
    clipped = np.minimum(magnitudes, t) ** 2
    bend = t * np.sum(1 / magnitudes[magnitudes > t]) if np.iscomplexobj(band) else 0
    return magnitudes.size * sigma**2 - sigma**2 * (2 * small + bend) + clipped.sum()


def sure(band, sigma, samples):
    count, parts = band.size, 2 if np.iscomplexobj(band) else 1
    universal = visu(band, sigma, count)
    if np.mean(np.abs(band) ** 2) <= sigma**2 * (1 + log2(count) ** 1.5 / sqrt(count * parts)):
        return universal
    candidates = [0.0, *np.abs(band).ravel()]
    best = min(candidates, key=lambda t: risk(band, sigma, t))
    return min(best, universal)


FORMULAS = {"visu": visu, "bayes": bayes, "sure": sure}


def shrunk(band, t, rule):
    magnitude = np.abs(band)
    if rule == "hard":
        return np.where(magnitude >= t, band, 0)
    safe = np.where(magnitude > 0, magnitude, 1)
    ratio = t / safe
    factor = 1 - (ratio if rule == "soft" else ratio**2)
    return np.where(magnitude > t, band * factor, 0)


def denoised(x, wavelet, method, rule, sigma, level, mode="symmetric"):
    """The result of denoise, computed with PyWavelets band by band."""
    approx, *details = pywt.wavedecn(x, wavelet, mode, level)
    formula = FORMULAS[method]
    cleaned = [
        {key: shrunk(band, formula(band, sigma, x.size), rule) for key, band in bands.items()}
        for bands in details
    ]
    result = pywt.waverecn([approx, *cleaned], wavelet, mode)
    return result[tuple(slice(n) for n in x.shape)]


# --- against the formulas -----------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(300,), (45, 52), (21, 22, 23)])
def test_denoise_is_the_formula(shape, method, rule):
    x = noisy(shape)
    actual = lw.denoise(x, "db3", method=method, rule=rule, level=2)
    expected = denoised(x, "db3", method, rule, sigma_of(x, "db3"), 2)
    assert np.abs(expected - x).max() > 0.1  # denoising changed the data
    assert_close(actual, expected, ulps=ULPS)


@pytest.mark.parametrize("method", METHODS)
def test_denoise_of_complex_data_is_the_formula(method):
    x = noisy((45, 52)) + 1j * noisy((45, 52), seed=1)
    actual = lw.denoise(x, "db3", method=method, level=2)
    assert_close(actual, denoised(x, "db3", method, "soft", sigma_of(x, "db3"), 2), ulps=ULPS)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sigma", [0.0, 0.05, 0.4, 3.0])
def test_the_noise_level_can_be_given(method, sigma):
    """Bands with almost no noise and with noise only; sparse and dense bands."""
    x = noisy((40, 48))
    actual = lw.denoise(x, "db3", method=method, sigma=sigma, level=2)
    assert_close(actual, denoised(x, "db3", method, "soft", sigma, 2), ulps=ULPS)
    if sigma == 0:
        assert_close(actual, x, ulps=ULPS)


def test_sure_leaves_strong_bands_alone():
    """If every coefficient is far above the noise, the threshold with the least risk is zero."""
    x = np.tile([100.0, -90.0, -100.0, 110.0], 16)
    assert sure(pywt.dwt(x, "haar")[1], 1.0, x.size) == 0
    assert_close(lw.denoise(x, "haar", method="sure", sigma=1.0, level=1), x, ulps=ULPS)


def test_sure_goes_no_further_than_the_universal_threshold():
    """The least risk is at 1.35, but the universal threshold of two samples is 1.18."""
    detail = 1.35 * sqrt(2)
    x = np.array([detail, 0.0, detail, 0.0])
    expected = denoised(x, "haar", "sure", "soft", 1.0, 1)
    assert_close(lw.denoise(x, "haar", method="sure", sigma=1.0, level=1), expected, ulps=ULPS)
    assert expected[0] - expected[1] > 0.1


@pytest.mark.parametrize("mode", ["periodization", "zero", "reflect"])
@pytest.mark.parametrize("wavelet", ["haar", "bior4.4"])
def test_wavelet_and_mode_reach_the_transform(wavelet, mode):
    x = noisy((43, 40))
    sigma = sigma_of(x, wavelet, mode)
    actual = lw.denoise(x, wavelet, method="bayes", level=2, mode=mode)
    assert_close(actual, denoised(x, wavelet, "bayes", "soft", sigma, 2, mode), ulps=ULPS)


@pytest.mark.parametrize(("method", "fewer"), [("bayes", 0), ("sure", 0), ("visu", 3)])
def test_levels_by_default(method, fewer):
    x = noisy(1000)
    deepest = pywt.dwt_max_level(1000, "db2")
    assert deepest == 8
    expected = lw.denoise(x, "db2", method=method, level=deepest - fewer)
    assert_close(lw.denoise(x, "db2", method=method), expected, ulps=0)
    # If no level is useful, denoise uses one, without a warning about a level that nobody set.
    short = noisy(20)
    one = lw.denoise(short, "db20", method=method)
    with pytest.warns(LevelWarning, match="Level value of 1"):
        expected = lw.denoise(short, "db20", method=method, level=1)
    assert_close(one, expected, ulps=0)


def test_no_level_leaves_everything():
    x = noisy((20, 21))
    assert_close(lw.denoise(x, "db2", level=0), x, ulps=0)


def test_a_deep_level_is_warned_of_once():
    with pytest.warns(LevelWarning) as caught:
        lw.denoise(noisy((16, 16)), "db2", level=5, shifts=2)
    assert len(caught) == 1


# --- estimate_sigma -----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(200,), (201,), (30, 37), (11, 12, 13)])
@pytest.mark.parametrize("wavelet", ["haar", "sym8", "bior2.2"])
def test_sigma_is_the_median_of_the_finest_details(shape, wavelet):
    x = zero_mean(shape, seed=2)
    expected = np.asarray(sigma_of(x, wavelet))
    assert_close(lw.estimate_sigma(x, wavelet), expected, ulps=50)


def test_sigma_of_complex_data_is_real():
    x = zero_mean((60, 61), seed=1, dtype="complex64")
    expected = np.asarray(sigma_of(x, "db2"), dtype="float32")
    assert_close(lw.estimate_sigma(x, "db2"), expected, ulps=50)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_sigma_of_complex_noise_is_its_standard_deviation(dtype, xp):
    rng = np.random.default_rng(0)
    noise = (rng.standard_normal((512, 512)) + 1j * rng.standard_normal((512, 512))).astype(dtype)
    assert np.std(noise) == pytest.approx(sqrt(2), rel=5e-3)
    sigma = lw.estimate_sigma(xp.asarray(noise), "db2")
    assert float(sigma) == pytest.approx(sqrt(2), rel=1e-2)


@pytest.mark.parametrize("complex_", [False, True])
def test_the_risk_is_an_estimate_of_the_error(complex_):
    """The mean of Stein's estimate is the squared error of the shrunk coefficients."""
    rng = np.random.default_rng(3)
    clean = np.where(rng.random(200_000) < 0.3, 4.0, 0.5)
    noise = rng.standard_normal(clean.size)
    if complex_:
        noise = (noise + 1j * rng.standard_normal(clean.size)) / sqrt(2)
    for t in (0.5, 1.0, 2.0):
        error = np.sum(np.abs(shrunk(clean + noise, t, "soft") - clean) ** 2)
        assert risk(clean + noise, 1.0, t) == pytest.approx(error, rel=0.01)


@pytest.mark.parametrize("method", ["bayes", "sure"])
def test_a_complex_signal_gets_better(method):
    rng = np.random.default_rng(0)
    clean = np.exp(1j * np.linspace(0, 20, 2048))
    noise = 0.4 * (rng.standard_normal(2048) + 1j * rng.standard_normal(2048))
    error = np.abs(lw.denoise(clean + noise, method=method) - clean)
    assert np.mean(error**2) < np.mean(np.abs(noise) ** 2) / 20


@pytest.mark.parametrize("axes", [(1,), (0, 2), (2, 0), 1, None, (-1,)])
def test_sigma_of_each_item_of_a_batch(axes):
    x = zero_mean((10, 33, 12), seed=4)
    listed = tuple(range(3)) if axes is None else (axes,) if isinstance(axes, int) else axes
    transformed = {a % 3 for a in listed}
    batch = [range(n) if a not in transformed else [slice(None)] for a, n in enumerate(x.shape)]
    expected = np.array([sigma_of(x[index], "db2") for index in product(*batch)])
    shape = tuple(n for a, n in enumerate(x.shape) if a not in transformed)
    assert_close(lw.estimate_sigma(x, "db2", axes=axes), expected.reshape(shape), ulps=50)


def test_sigma_finds_the_noise_of_a_photograph():
    for sigma in (5.0, 20.0, 60.0):
        x = photograph() + sigma * np.random.default_rng(0).standard_normal((256, 256))
        assert abs(lw.estimate_sigma(x) - sigma) < 0.1 * sigma + 0.5


# --- batches and shifts -------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_items_of_a_batch_are_denoised_one_by_one(method, axis):
    # Items with very different noise: a shared threshold would change the results.
    items = [noisy((30, 35), seed=k, sigma=10.0 ** (k - 2)) for k in range(4)]
    x = np.stack(items, axis=axis)
    axes = tuple(a for a in range(3) if a != axis)
    actual = lw.denoise(x, "db2", method=method, axes=axes, level=2)
    expected = np.stack([lw.denoise(i, "db2", method=method, level=2) for i in items], axis=axis)
    assert_close(actual, expected, ulps=ULPS)


def test_a_noise_level_for_each_item():
    x = np.stack([noisy(100, seed=k) for k in range(6)]).reshape(2, 3, 100)
    sigma = np.linspace(0.05, 2, 6).reshape(2, 3)
    actual = lw.denoise(x, "db2", sigma=sigma, axes=-1)
    expected = np.empty_like(x)
    for index in np.ndindex(2, 3):
        expected[index] = lw.denoise(x[index], "db2", sigma=sigma[index])
    assert_close(actual, expected, ulps=ULPS)


@pytest.mark.parametrize("shape", [(64,), (65,), (24, 31)])
@pytest.mark.parametrize("shifts", [2, 3])
def test_cycle_spinning_is_the_average_over_shifts(shape, shifts):
    x, axes = noisy(shape), tuple(range(len(shape)))
    sigma = float(lw.estimate_sigma(x, "db2"))
    total = np.zeros(shape)
    for shift in product(range(shifts), repeat=len(shape)):
        once = lw.denoise(np.roll(x, shift, axes), "db2", sigma=sigma, level=2)
        total += np.roll(once, [-s for s in shift], axes)
    actual = lw.denoise(x, "db2", shifts=shifts, level=2)
    assert_close(actual, total / shifts ** len(shape), ulps=ULPS)
    assert np.abs(actual - lw.denoise(x, "db2", level=2)).max() > 1e-3


def test_cycle_spinning_leaves_the_batch_axes_in_place():
    x = np.stack([noisy(64, seed=k) for k in range(3)])
    actual = lw.denoise(x, "haar", axes=-1, shifts=4, level=2)
    expected = np.stack([lw.denoise(row, "haar", shifts=4, level=2) for row in x])
    assert_close(actual, expected, ulps=ULPS)


# --- axes of one sample ------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(40, 48), (200,)])
def test_axes_of_one_sample_change_nothing(shape, method, xp):
    """The noise, the levels, the thresholds and the shifts are those of the other axes."""
    x = noisy(shape)
    expected = lw.denoise(x, "db2", method=method, shifts=2)
    assert np.abs(expected - x).max() > 0.1
    sigma = lw.estimate_sigma(x, "db2")
    for place in range(len(shape) + 1):
        longer = np.expand_dims(x, place)
        actual = lw.denoise(xp.asarray(longer), "db2", method=method, shifts=2)
        assert_close(actual, xp.asarray(np.expand_dims(expected, place)), ulps=ULPS)
        assert_close(lw.estimate_sigma(xp.asarray(longer), "db2"), xp.asarray(sigma), ulps=50)
        every = tuple(range(len(shape) + 1))
        again = lw.denoise(longer, ["db2"] * len(every), method=method, shifts=2, axes=every)
        assert_close(again, np.expand_dims(expected, place), ulps=ULPS)
        assert lw.decompose(longer, "db2").level == lw.decompose(x, "db2").level > 0


def test_the_default_level_of_decompose_ignores_axes_of_one_sample():
    x = noisy((64, 1, 48))
    d = lw.decompose(x, "db2")
    assert (d.level, d.axes) == (lw.dwtn_max_level((64, 48), "db2"), (0, 1, 2))
    assert_close(d.reconstruct(), x, ulps=ULPS)
    assert len(lw.wavedecn(x, "db2")) == len(pywt.wavedecn(x, "db2")) == 1
    with pytest.warns(LevelWarning, match=r"up to level 4 some do not"):
        lw.decompose(x, "db2", 5)
    one = lw.decompose(np.ones((1, 1)), "db2")
    assert (one.level, one.approx.shape) == (0, (1, 1))


def test_batch_axes_of_one_sample_keep_their_place():
    x = noisy((1, 50))
    assert lw.estimate_sigma(x, "db2", axes=-1).shape == (1,)
    assert lw.estimate_sigma(x[..., None], "db2", axes=(1, 2)).shape == (1,)
    actual = lw.denoise(x[..., None], "db2", sigma=[0.4], axes=(1, 2))
    assert_close(actual[..., 0], lw.denoise(x, "db2", sigma=[0.4], axes=-1), ulps=ULPS)


def test_noise_of_one_sample_cannot_be_estimated():
    for x, axes in ((np.ones(1), None), (np.ones((5, 1)), -1), (np.ones((1, 1)), None)):
        with pytest.raises(ShapeError, match=r"needs at least two samples along one of the axes"):
            lw.estimate_sigma(x, "haar", axes=axes)
        result = lw.denoise(x, "haar", axes=axes)
        assert_close(result, x, ulps=0)
        assert result is not x
        assert not np.shares_memory(result, x)


# --- libraries and dtypes -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("method", METHODS)
def test_every_library_gives_the_same(xp, method, dtype):
    x = noisy((3, 40, 33)).astype(dtype)
    if x.dtype.kind == "c":
        x = x * np.exp(0.7j).astype(dtype)
    given = xp.asarray(x)
    before = to_numpy(given).copy()
    options = {"method": method, "axes": (1, 2), "shifts": 2, "level": 2}
    expected = lw.denoise(x, "db2", **options)
    assert expected.dtype == x.dtype
    assert_close(lw.denoise(given, "db2", **options), xp.asarray(expected), ulps=ULPS)
    np.testing.assert_array_equal(to_numpy(given), before)
    sigma = lw.estimate_sigma(given, "db2", axes=(1, 2))
    assert_close(sigma, xp.asarray(lw.estimate_sigma(x, "db2", axes=(1, 2))), ulps=ULPS)


@pytest.mark.parametrize("sigma", [0.3, [0.1, 0.2, 0.6]])
def test_every_library_takes_a_noise_level(xp, sigma):
    x = noisy((3, 40, 33))
    given = np.asarray(sigma)
    expected = lw.denoise(x, "db2", sigma=given, axes=(1, 2), level=2)
    levels = [sigma] if isinstance(sigma, float) else []
    for value in (*levels, xp.asarray(given)):
        actual = lw.denoise(xp.asarray(x), "db2", sigma=value, axes=(1, 2), level=2)
        assert_close(actual, xp.asarray(expected), ulps=ULPS)


def test_float32_is_as_close_as_it_can_be():
    x = noisy((64, 64))
    single = lw.denoise(x.astype("float32"), "sym4", shifts=2)
    double = lw.denoise(x, "sym4", shifts=2).astype("float32")
    assert_close(single, double, ulps=ULPS)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "bool"])
def test_integers_become_float64(xp, dtype):
    values = noisy((32, 30)) * 20 + 100
    x = (values > 100) if dtype == "bool" else values.astype(dtype)
    expected = lw.denoise(x.astype("float64"), "db2", level=1)
    assert_close(lw.denoise(xp.asarray(x), "db2", level=1), xp.asarray(expected), ulps=ULPS)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_of_torch_comes_back(dtype):
    import torch

    x = torch.asarray(noisy((32, 30))).to(getattr(torch, dtype))
    result = lw.denoise(x, "db2", level=1)
    assert result.dtype == x.dtype
    expected = lw.denoise(x.float(), "db2", level=1).to(x.dtype)
    assert float((result - expected).abs().max()) <= 2 * torch.finfo(x.dtype).eps * 8
    assert lw.estimate_sigma(x, "db2").dtype == x.dtype


def test_lists_are_data():
    x = noisy(40)
    assert_close(lw.denoise(x.tolist(), "haar"), lw.denoise(x, "haar"), ulps=0)


# --- special data -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 7.5, -3e6])
def test_a_constant_stays(method, value):
    x = np.full((20, 24), value)
    for sigma in (None, 0.0, 2.0):
        result = lw.denoise(x, "db3", method=method, sigma=sigma, shifts=2)
        assert_close(result, x, ulps=ULPS)


@pytest.mark.parametrize("method", METHODS)
def test_one_sample(method):
    assert_close(lw.denoise(np.array([3.0]), "haar", method=method), np.array([3.0]), ulps=ULPS)


@pytest.mark.parametrize("method", METHODS)
def test_it_commutes_with_scaling(method):
    """The noise has no absolute size."""
    x = noisy((40, 40))
    for scale in (2.0**-40, 2.0**40):
        scaled = lw.denoise(scale * x, "db2", method=method)
        assert_close(scaled / scale, lw.denoise(x, "db2", method=method), ulps=ULPS)


def test_a_lifting_scheme_denoises_as_its_filters_do():
    x = noisy((64, 64))
    scheme = lw.LiftingScheme.from_name("bior4.4")
    options = {"mode": "periodization", "level": 2}
    actual = lw.denoise(x, scheme, **options)
    # The table of the filters has fewer digits.
    assert_close(actual, lw.denoise(x, "bior4.4", **options), ulps=1e5)


# --- applications -------------------------------------------------------------------------------


def psnr(clean, x):
    return 10 * np.log10(255**2 / np.mean((clean - x) ** 2))


@pytest.mark.parametrize(("method", "gain"), [("bayes", 4.5), ("sure", 4.5), ("visu", 1.0)])
def test_a_photograph_gets_better(method, gain):
    clean = photograph()
    x = clean + 25 * np.random.default_rng(1).standard_normal(clean.shape)
    once = psnr(clean, lw.denoise(x, method=method))
    assert once > psnr(clean, x) + gain
    # Cycle spinning gains most with Haar, whose artifacts are blocks.
    haar, spun = (lw.denoise(x, "haar", method=method, shifts=shifts) for shifts in (1, 4))
    assert psnr(clean, spun) > psnr(clean, haar) + 0.4


def test_pure_noise_goes():
    noise = np.random.default_rng(2).standard_normal((256, 256))
    for method in METHODS:
        assert np.std(lw.denoise(noise, "db4", method=method)) < 0.25


# --- mistakes -----------------------------------------------------------------------------------

X = np.ones((16, 12))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "best"}, ValueError, "unknown method 'best'; use one of 'bayes', 'sure'"),
        ({"rule": "firm"}, ValueError, "unknown rule 'firm'; use one of 'soft', 'hard'"),
        ({"rule": "less"}, ValueError, "unknown rule 'less'"),
        ({"shifts": 0}, ValueError, r"shifts must be at least 1 .*, got 0"),
        ({"shifts": -2}, ValueError, r"shifts must be at least 1 .*, got -2"),
        ({"sigma": -1.0}, ValueError, r"sigma must be finite and at least 0, got -1\.0"),
        ({"sigma": float("nan")}, ValueError, "sigma must be finite and at least 0, got nan"),
        ({"sigma": float("inf")}, ValueError, "sigma must be finite and at least 0, got inf"),
        ({"sigma": np.ones(3)}, ShapeError, r"the shape \(\) of the batch axes, got \(3,\)"),
        ({"sigma": np.ones(16), "axes": 0}, ShapeError, r"have the shape \(12,\) of the batch"),
        ({"method": ["bayes"]}, ValueError, r"unknown method \['bayes'\]"),
        ({"rule": ["soft"]}, ValueError, r"unknown rule \['soft'\]"),
        ({"shifts": 1.5}, TypeError, "shifts must be an integer, got 1.5"),
        ({"shifts": "2"}, TypeError, "shifts must be an integer, got '2'"),
        ({"sigma": "auto"}, DTypeError, "sigma must be a real number.*, got 'auto'"),
        ({"sigma": "auto"}, TypeError, "got 'auto'"),
        ({"sigma": 1j}, DTypeError, "sigma must be a real number.*, got 1j"),
        ({"sigma": True}, DTypeError, "sigma must be a real number.*, got True"),
        ({"sigma": [[1], [1, 2]]}, DTypeError, "sigma must be a real number, an array"),
        ({"sigma": np.float32(-1)}, ValueError, r"sigma must be finite and at least 0, got -1\.0"),
        ({"sigma": [1.0] * 11 + [np.nan], "axes": 0}, ValueError, "finite and at least 0"),
        ({"sigma": torch.ones(12), "axes": 0}, TypeError, "arrays of one library"),
        ({"level": -1}, LevelError, "Level value of -1 is too low"),
        ({"mode": "round"}, ModeError, "Unknown mode name 'round'"),
        ({"wavelet": "db99"}, ValueError, "db99"),
        ({"axes": (0, 0)}, ValueError, "must be unique"),
        ({"axes": 2}, ValueError, "axis 2 of an array with 2"),
    ],
)
def test_mistakes(options, error, message):
    with pytest.raises(error, match=message):
        lw.denoise(X, **options)


@pytest.mark.parametrize("function", [lw.denoise, lw.estimate_sigma, lw.decompose])
def test_a_number_is_not_data(function):
    with pytest.raises(ShapeError, match="Expected at least 1D input data, got a 0-d array"):
        function(3.0, "db2")


def test_integer_schemes_are_refused():
    scheme = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    with pytest.raises(ValueError, match="needs a linear transform, got an integer lifting"):
        lw.denoise(X.astype(int), scheme, sigma=1.0)


def test_empty_data_are_refused():
    for function in (lw.denoise, lw.estimate_sigma):
        with pytest.raises(ValueError, match="0 samples"):
            function(np.ones((0, 4)), "haar")
