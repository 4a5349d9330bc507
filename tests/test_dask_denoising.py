"""Thresholds, noise and denoising of arrays of dask, against the whole array."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
from dask_helpers import assert_same, lazily, noise

import liftwave as lw
import liftwave.dask
from liftwave._blocks import transforms as block_transforms
from liftwave.errors import MissingSamplesError


@pytest.fixture(autouse=True)
def _blocks_on_all_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of small arrays, too."""
    monkeypatch.setattr(block_transforms, "WHOLE_BELOW", 0)


@pytest.mark.parametrize("mode", ["soft", "hard", "garrote", "greater"])
def test_thresholds(mode: Any) -> None:
    x, limits = noise(40, 50, dtype="float32"), np.abs(noise(40, 1)) / 100
    lazy = lazily(x, 17)
    assert_same(lw.threshold(lazy, 50.0, mode, 3), lw.threshold(x, 50.0, mode, 3))
    assert_same(lw.threshold(lazy, limits, mode), lw.threshold(x, limits, mode))
    assert_same(lw.threshold(lazy, lazily(limits, 9), mode), lw.threshold(x, limits, mode))
    assert_same(lw.threshold_firm(lazy, 10, 50), lw.threshold_firm(x, 10, 50))


@pytest.mark.parametrize("dtype", ["float32", "complex64", "int16"])
def test_the_noise_is_that_of_the_whole(dtype: str) -> None:
    x = noise(61, 50, dtype=dtype)
    assert_same(lw.estimate_sigma(lazily(x, 30), "db2"), np.asarray(lw.estimate_sigma(x, "db2")))


@pytest.mark.parametrize("batch", [5, 20])
def test_the_noise_of_a_batch(batch: int) -> None:
    x = noise(batch, 70, dtype="float32")
    along = lw.estimate_sigma(lazily(x, (batch - 1, 30)), "haar", axes=1)
    assert_same(along, lw.estimate_sigma(x, "haar", axes=1))


@pytest.mark.parametrize("options", [{}, {"sigma": 30.0}, {"sigma": "level", "mode": "periodic"}])
def test_denoising_by_the_universal_threshold(options: Any) -> None:
    x = noise(90, 61, dtype="float32")
    whole = lw.denoise(x, "db2", method="visu", level=2, **options)
    assert_same(lw.denoise(lazily(x, 30), "db2", method="visu", level=2, **options), whole)


@pytest.mark.parametrize("options", [{}, {"axes": 1}, {"rule": "hard", "sigma": {1: 30, 2: 9}}])
def test_denoising_by_thresholds_of_bands(options: Any) -> None:
    """(Chunks are summed in another order than the whole.)"""
    x = noise(90, 61)
    x[20:40] += 400
    whole = lw.denoise(x, "db2", method="bayes", level=2, **options)
    clean = lw.denoise(lazily(x, 30), "db2", level=2, **options)
    assert isinstance(clean, da.Array)
    np.testing.assert_allclose(clean.compute(scheduler="synchronous"), whole, rtol=0, atol=1e-9)


def test_denoising_counts() -> None:
    x = np.random.default_rng(0).poisson(9, (60, 70))
    whole = lw.denoise(x, "db2", method="visu", level=2, vst="anscombe")
    clean = lw.denoise(lazily(x, 30), "db2", method="visu", level=2, vst="anscombe")
    assert_same(clean, whole)


def test_samples_that_are_not_finite() -> None:
    x = noise(64, 64)
    x[40, 3] = np.nan
    for lazy in (lw.estimate_sigma(lazily(x)), lw.denoise(lazily(x), level=1)):
        with pytest.raises(MissingSamplesError, match="NaN or infinite"):
            lazy.compute(scheduler="synchronous")
