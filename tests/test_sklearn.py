"""Transformers of scikit-learn: its own checks, and the numbers of the functions."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from helpers import zero_mean
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import liftwave as lw
from liftwave.errors import (
    DTypeError,
    EstimatorDataError,
    LevelError,
    ModeError,
    OptionError,
    OptionTypeError,
    ShapeError,
    ThresholdError,
    WaveletError,
)
from liftwave.sklearn import (
    ScatteringTransformer,
    WaveletDenoiser,
    WaveletFeatures,
    WaveletTransformer,
)

SCHEME = lw.LiftingScheme.from_name("cdf9.7")
ALL = (WaveletTransformer(), WaveletFeatures(), WaveletDenoiser(), ScatteringTransformer())
SIGNALS = zero_mean((5, 67), 0)
IMAGES = zero_mean((4, 15 * 18), 1)
SIDES = (15, 18)


@parametrize_with_checks([*ALL])
def test_conventions_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("transformer", ALL, ids=lambda t: type(t).__name__)
def test_names_and_data_frames(transformer: Any) -> None:
    features = clone(transformer).fit(SIGNALS)
    names = features.get_feature_names_out()
    assert len(names) == len(set(names)) == features.transform(SIGNALS).shape[1]
    if importlib.util.find_spec("pandas") is None:
        pytest.skip("pandas is not installed")
    frame = features.set_output(transform="pandas").transform(SIGNALS)
    assert [*frame.columns] == [*names]


def test_names_of_columns_are_checked() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(SIGNALS, columns=[f"t{k}" for k in range(67)])
    for transformer in (WaveletTransformer(), WaveletFeatures(), ScatteringTransformer()):
        features = clone(transformer).fit(frame)
        names = features.get_feature_names_out()
        np.testing.assert_array_equal(features.get_feature_names_out(frame.columns), names)
        with pytest.raises(
            EstimatorDataError, match="input_features is not equal to feature_names"
        ):
            features.get_feature_names_out(frame.columns[::-1])


# --- coefficients --------------------------------------------------------------------------------


def test_coefficients_are_those_of_wavedec() -> None:
    transformer = WaveletTransformer("db3", 3, "reflect").fit(SIGNALS)
    expected = np.concatenate(lw.wavedec(SIGNALS, "db3", "reflect", 3), axis=1)
    np.testing.assert_array_equal(transformer.transform(SIGNALS), expected)
    assert list(transformer.columns_) == [(3, "a"), (3, "d"), (2, "d"), (1, "d")]


def test_columns_and_names_of_images() -> None:
    transformer = WaveletTransformer("haar", 2, shape=SIDES).fit(IMAGES)
    rows, names = transformer.transform(IMAGES), transformer.get_feature_names_out()
    d = lw.decompose(IMAGES.reshape(4, *SIDES), "haar", 2, axes=(1, 2))
    for (level, key), band in d.items():
        columns = transformer.columns_[level, key]
        np.testing.assert_array_equal(rows[:, columns].reshape(band.shape), band)
        assert names[columns][-1] == f"{key}{level}_{band.shape[1] - 1}_{band.shape[2] - 1}"


@pytest.mark.parametrize(
    ("parameters", "X"),
    [
        ({}, SIGNALS),
        ({"level": 0}, SIGNALS),
        ({"wavelet": "bior4.4", "mode": "periodization", "level": 2}, SIGNALS),
        ({"wavelet": SCHEME, "mode": "reflect"}, SIGNALS),
        ({"wavelet": "sym4", "shape": SIDES}, IMAGES),
        ({"wavelet": "haar", "shape": (3, 5, 18), "level": 1}, IMAGES),
        ({"wavelet": ("haar", "db2"), "mode": ("zero", "smooth"), "shape": SIDES}, IMAGES),
    ],
)
def test_inverse(parameters: dict[str, Any], X: np.ndarray) -> None:
    transformer = WaveletTransformer(**parameters)
    coefficients = transformer.fit_transform(X)
    np.testing.assert_allclose(transformer.inverse_transform(coefficients), X, atol=1e-11)


def test_the_precision_is_kept() -> None:
    X = SIGNALS.astype("float32")
    transformer = WaveletTransformer()
    coefficients = transformer.fit_transform(X)
    assert coefficients.dtype == transformer.inverse_transform(coefficients).dtype == np.float32


# --- statistics ----------------------------------------------------------------------------------


def test_statistics_of_bands() -> None:
    features = WaveletFeatures("db2", 2).fit(SIGNALS)
    rows, names = features.transform(SIGNALS), [*features.get_feature_names_out()]
    for (level, key), band in lw.decompose(SIGNALS, "db2", 2, axes=1).items():
        share = band**2 / np.sum(band**2, axis=1, keepdims=True)
        expected = {
            "energy": np.sum(band**2, axis=1),
            "entropy": -np.sum(share * np.log(share), axis=1),
            "std": np.std(band, axis=1),
        }
        for name, values in expected.items():
            column = rows[:, names.index(f"{key}{level}_{name}")]
            np.testing.assert_allclose(column, values, rtol=1e-12)


def test_statistics_of_small_and_of_no_coefficients() -> None:
    features = WaveletFeatures(level=2, statistics=["entropy"]).fit(SIGNALS)
    assert not features.transform(np.zeros((2, 67))).any()
    expected = features.transform(SIGNALS)
    np.testing.assert_allclose(features.transform(1e-200 * SIGNALS), expected, rtol=1e-9)


# --- denoising and scattering --------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{"method": "sure"}, {"kind": "swt", "sigma": 0.5}, {"sigma": {1: 0.3, 2: 0.2}, "shifts": 2}],
)
def test_rows_are_denoised_on_their_own(options: dict[str, Any]) -> None:
    rows = WaveletDenoiser("db2", level=2, **options).fit_transform(SIGNALS)
    names = {"transform": options["kind"]} if "kind" in options else {}
    others = {name: value for name, value in options.items() if name != "kind"}
    expected = [lw.denoise(row, "db2", level=2, **others, **names) for row in SIGNALS]
    np.testing.assert_allclose(rows, expected, atol=1e-12)


def test_denoising_of_images() -> None:
    rows = WaveletDenoiser("db2", shape=SIDES).fit_transform(IMAGES)
    expected = lw.denoise(IMAGES[1].reshape(SIDES), "db2")
    np.testing.assert_allclose(rows[1].reshape(SIDES), expected, atol=1e-12)


def test_missing_samples() -> None:
    X = SIGNALS.copy()
    X[2, 7] = np.nan
    with pytest.raises(EstimatorDataError, match="contains NaN"):
        WaveletDenoiser().fit(X)
    denoiser = WaveletDenoiser(missing="interpolate")
    assert np.isfinite(denoiser.fit_transform(X)).all()
    assert get_tags(denoiser).input_tags.allow_nan
    assert not get_tags(WaveletDenoiser()).input_tags.allow_nan


def test_scattering_of_signals_and_images() -> None:
    transformer = ScatteringTransformer(3, 2)
    expected = lw.scattering1d(SIGNALS, 3, 2)
    rows = transformer.fit_transform(SIGNALS)
    np.testing.assert_allclose(rows, expected.coefficients.reshape(5, -1), rtol=1e-12)
    np.testing.assert_array_equal(transformer.order_, expected.order)
    images = ScatteringTransformer(L=4, shape=SIDES).fit(IMAGES)
    assert images.J_ == 1
    expected = lw.scattering2d(IMAGES.reshape(4, *SIDES), 1, 4).coefficients
    np.testing.assert_allclose(images.transform(IMAGES), expected.reshape(4, -1), rtol=1e-12)
    assert images.get_feature_names_out()[-1] == f"path{expected.shape[1] - 1}_6_8"


@pytest.mark.parametrize(("n", "J"), [(2, 1), (31, 1), (32, 2), (256, 5)])
def test_the_default_of_J(n: int, J: int) -> None:
    assert ScatteringTransformer(order=1).fit(np.ones((1, n))).J_ == J


# --- pipelines -----------------------------------------------------------------------------------


def test_a_search_of_wavelets() -> None:
    X, y = load_digits(n_class=2, return_X_y=True)
    pipeline = make_pipeline(
        WaveletTransformer(level=1, shape=(8, 8)), LogisticRegression(max_iter=200)
    )
    bank = lw.FilterBank(*lw.Wavelet("db2").filter_bank)
    wavelets = ["haar", lw.LiftingScheme.from_name("haar"), bank]
    search = GridSearchCV(pipeline, {"wavelettransformer__wavelet": wavelets}, cv=2)
    search.fit(X[:100], y[:100])
    assert np.all(search.cv_results_["mean_test_score"] > 0.9)
    assert search.best_params_["wavelettransformer__wavelet"] in wavelets


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transformer", "error", "message"),
    [
        (WaveletTransformer("db0"), WaveletError, "db0"),
        (WaveletTransformer(mode="mirror"), ModeError, "mirror"),
        (WaveletFeatures(level=-1), LevelError, "-1"),
        (WaveletFeatures(statistics=["mean"]), OptionError, r"from energy, entropy, std, got"),
        (WaveletFeatures(statistics=()), OptionError, r"got \(\)"),
        (WaveletFeatures(statistics=3), OptionTypeError, "an object of type int"),
        (WaveletDenoiser(method="magic"), ThresholdError, "unknown method 'magic'"),
        (WaveletDenoiser(kind="fft"), ThresholdError, "unknown transform 'fft'"),
        (ScatteringTransformer(J=9), ShapeError, r"J=9 averages over 2\*\*9"),
        (ScatteringTransformer(order=3), OptionError, "order must be 1 or 2"),
        (ScatteringTransformer(shape=(67, 1)), ShapeError, "n_features=67"),
        (
            WaveletTransformer(shape=(8, 8)),
            ShapeError,
            r"has 64 samples, .* n_features=67",
        ),
        (WaveletTransformer(shape=(-67, -1)), ShapeError, "shape="),
        (WaveletTransformer(SCHEME.to_integer()), DTypeError, r"before to_integer\(\)"),
    ],
)
def test_wrong_parameters_raise_in_fit(
    transformer: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        transformer.fit(SIGNALS)


def test_data_of_another_width() -> None:
    transformer = WaveletTransformer().fit(SIGNALS)
    with pytest.raises(EstimatorDataError, match="X has 66 features, but WaveletTransformer is"):
        transformer.transform(SIGNALS[:, :66])
    with pytest.raises(EstimatorDataError, match="but WaveletTransformer returned"):
        transformer.inverse_transform(SIGNALS[:, :66])
    with pytest.raises(EstimatorDataError, match="Complex data not supported"):
        transformer.inverse_transform(1j * SIGNALS)
