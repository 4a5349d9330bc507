"""Removal of trends, and bands of frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import assert_close, zero_mean

import liftwave as lw
from liftwave.errors import LevelError, MissingSamplesError, OptionError, ShapeError

TIME = np.arange(4096) / 256.0
TONES = {f: np.sin(2 * np.pi * f * TIME + 1) for f in (0.2, 3.0, 11.0, 45.0)}
SIGNAL = np.sum(list(TONES.values()), axis=0)


def rms(x):
    return float(np.sqrt(np.mean(x**2)))


def test_a_baseline_is_removed_and_events_stay():
    """An ECG with the drift that breathing causes."""
    ecg = lw.data.ecg().astype(float)
    ecg = ecg - ecg.mean()
    t = np.arange(ecg.size) / 360.0
    drift = 200 * np.sin(2 * np.pi * 0.25 * t) + 50 * t
    flat = lw.remove_trend(ecg + drift, 0.7, fs=360.0)
    assert rms(flat - lw.remove_trend(ecg, 0.7, fs=360.0)) < 0.1 * rms(drift)
    peaks = np.flatnonzero(ecg > 0.8 * ecg.max())
    assert np.abs(flat - ecg)[peaks].max() < 0.2 * ecg.max()


@pytest.mark.parametrize(
    ("band", "tones"),
    [((0, 1), [0.2]), ((2, 4), [3.0]), ((8, 16), [11.0]), ((8, 128), [11.0, 45.0])],
)
def test_a_band_has_its_tones(band, tones):
    expected = np.sum([TONES[f] for f in tones], axis=0)
    kept = lw.frequency_band(SIGNAL, band, 256.0, wavelet="sym16")
    assert rms(kept - expected) < 0.1
    dropped = lw.frequency_band(SIGNAL, band, 256.0, wavelet="sym16", drop=True)
    assert_close(kept + dropped, SIGNAL, ulps=50)


def test_the_trend_is_the_band_from_zero(xp):
    x = xp.asarray(np.stack([SIGNAL[:600], SIGNAL[600:1200]], axis=1))
    kept = lw.frequency_band(x, (0, 5), 256.0, axis=0)
    flat = lw.remove_trend(x, 5, 256.0, axis=0)
    assert_close(kept + flat, x, ulps=50)
    smooth = lw.modwt_mra(x, "sym8", 5, 0, "reflection")[0]
    assert_close(kept, smooth, ulps=50)
    everything = lw.frequency_band(x, (0, 128), 256.0, axis=0)
    assert_close(everything, x, ulps=0)


def test_gaps():
    x = SIGNAL.copy()
    x[100:105] = np.nan
    with pytest.raises(MissingSamplesError, match="5 of 4096 samples are NaN"):
        lw.remove_trend(x, 1, 256.0)
    flat = lw.remove_trend(x, 1, 256.0, missing="mask")
    assert np.isnan(flat[100:105]).all()
    assert rms(np.nan_to_num(flat - lw.remove_trend(SIGNAL, 1, 256.0))) < 0.05


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: lw.remove_trend(x, 0.6), LevelError, r"below fs / 2 = 0\.5, got 0\.6"),
        (lambda x: lw.remove_trend(x, 0), OptionError, "cutoff must be positive and finite, got 0"),
        (lambda x: lw.remove_trend(x, 1e-3), LevelError, r"64 samples is too short to separate"),
        (lambda x: lw.remove_trend(x, 0.1, np.inf), OptionError, "fs must be positive and finite"),
        (lambda x: lw.remove_trend(3.0, 0.1), ShapeError, "at least 1D"),
        (lambda x: lw.frequency_band(x, (0.2, 0.1)), LevelError, r"the lower first, between 0 and"),
        (lambda x: lw.frequency_band(x, (0.1, 0.7)), LevelError, r"fs / 2 = 0\.5, got \(0\.1, 0"),
        (lambda x: lw.frequency_band(x, 0.1), TypeError, "band must be two frequencies"),
        (lambda x: lw.frequency_band(x, (0.1, 0.11)), LevelError, "narrower than an octave"),
    ],
)
def test_mistakes(call, error, message):
    with pytest.raises(error, match=message):
        call(zero_mean(64))
