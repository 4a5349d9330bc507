"""Synchrosqueezing, its inverse, and ridges."""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np
import pytest
import torch
from helpers import zero_mean
from numpy.testing import assert_allclose, assert_array_equal

import liftwave as lw
from liftwave.continuous.ridges import best_path, best_paths, scores
from liftwave.errors import DTypeError, OptionError, ScaleError

N = 1000
T = np.arange(N)
CHIRP = np.cos(2 * np.pi * (0.02 * T + 0.04 * T**2 / N))
TONE = 0.5 * np.cos(2 * np.pi * 0.23 * T)
MIDDLE = slice(150, -150)


# --- synchrosqueezing ----------------------------------------------------------------------------


def test_squeezed_rows_are_sums_of_rows_by_their_frequency() -> None:
    """The definition, one coefficient at a time, with the derivative of a periodic signal."""
    x = zero_mean(60, 3)
    s = lw.scalogram(x, 8.0, voices=5, mode="periodic")
    bins = abs(np.fft.fftfreq(60, 1 / 60))  # there are no negative frequencies
    slopes = np.fft.ifft(2j * np.pi * bins / 60 * 8 * np.fft.fft(s.coefficients))
    with np.errstate(divide="ignore", invalid="ignore"):
        frequencies = np.imag(slopes / s.coefficients) / (2 * np.pi)
    expected = np.zeros_like(s.coefficients)
    weight = 2 * np.log(2) / 5 / s._grid.shape.admissibility
    for (row, t), frequency in np.ndenumerate(frequencies):
        place = np.round(5 * np.log2(4 / frequency)) if frequency > 0 else -1
        if 0 <= place < len(s.frequencies):
            expected[int(place), t] += weight * s.coefficients[row, t]
    assert_allclose(s.synchrosqueeze(0).coefficients, expected, atol=1e-12)


@pytest.mark.parametrize("norm", ["amplitude", "energy"])
def test_squeezed_components_come_back(norm: str) -> None:
    q = lw.scalogram(CHIRP + TONE + 1, voices=16, norm=norm).synchrosqueeze()
    assert np.std((q.inverse() - CHIRP - TONE - 1)[MIDDLE]) < 1e-3
    assert np.std((q.inverse((0.17, 0.3)) - TONE)[MIDDLE]) < 2e-3
    assert np.std((q.inverse((0, 0.17)) - CHIRP - 1)[MIDDLE]) < 2e-3


def test_a_tone_is_one_row() -> None:
    q = lw.scalogram(TONE, voices=16).synchrosqueeze()
    row = abs(q.frequencies - 0.23).argmin()
    inside = abs(q.coefficients[:, MIDDLE])
    assert_allclose(inside[row], 0.5, rtol=1e-3)
    assert np.delete(inside, row, axis=0).max() < 1e-3


@pytest.mark.parametrize("library", [torch, array_api_strict])
def test_squeezing_in_other_libraries(library: Any) -> None:
    x = np.stack([CHIRP, TONE])[:, None, :200]
    expected = lw.scalogram(x, voices=4).synchrosqueeze()
    q = lw.scalogram(library.asarray(x), voices=4).synchrosqueeze()
    assert isinstance(q.coefficients, type(library.asarray(x)))
    assert_allclose(np.asarray(q.coefficients), expected.coefficients, atol=1e-12)
    assert_allclose(np.asarray(q.inverse()), expected.inverse(), atol=1e-12)
    assert_allclose(
        expected.coefficients[1, 0], lw.scalogram(x[1, 0], voices=4).synchrosqueeze().coefficients
    )


def test_squeezing_needs_real_signals_and_equal_ratios() -> None:
    with pytest.raises(DTypeError, match="needs a real signal"):
        lw.scalogram(CHIRP + 0j).synchrosqueeze()
    for frequencies in ([0.3], [0.1, 0.2], [0.4, 0.3, 0.1]):
        with pytest.raises(ScaleError, match="falling frequencies with equal ratios"):
            lw.scalogram(CHIRP, frequencies=frequencies).synchrosqueeze()
    with pytest.raises(ScaleError, match="at least 0"):
        lw.scalogram(CHIRP).synchrosqueeze(-1.0)
    with pytest.raises(OptionError, match="do not pass rate"):
        lw.scalogram(CHIRP, rate=0.5).synchrosqueeze().inverse()


# --- ridges --------------------------------------------------------------------------------------


def by_all_predecessors(score: Any, logs: Any, penalty: float) -> float:
    """The largest sum, by comparing each row with each."""
    steps = penalty * (logs[:, None] - logs) ** 2
    total = score[:, 0]
    for t in range(1, score.shape[1]):
        total = (total - steps).max(axis=1) + score[:, t]
    return float(total.max())


@pytest.mark.parametrize("penalty", [0.0, 0.3, 20.0, 1e4])
def test_paths_are_optimal(penalty: float) -> None:
    rng = np.random.default_rng(int(penalty))
    for count in (1, 2, 17, 40):
        score, logs = np.log(rng.random((count, 60))), np.sort(rng.random(count))[::-1]
        path = best_path(score, logs, penalty)
        value = score[path, np.arange(60)].sum() - penalty * (np.diff(logs[path]) ** 2).sum()
        assert_allclose(value, by_all_predecessors(score, logs, penalty), rtol=1e-12)


def test_rows_of_a_ridge_do_not_belong_to_the_next() -> None:
    logs = np.arange(10.0)
    power = np.ones((10, 5))
    power[0], power[1], power[9] = 5, 4, 3
    before = power.copy()
    first, second = best_paths(power, logs, 2, 1.0, 1.5)
    assert_array_equal(first, 0)
    assert_array_equal(second, 9)
    assert_array_equal(power, before)
    assert scores(np.zeros((2, 2))).max() == np.log(1e-10)


def test_ridges_are_components() -> None:
    x = np.stack([CHIRP + TONE, CHIRP + 4 * TONE])
    s = lw.scalogram(x, voices=16)
    for subject, precision in ((s, 0.01), (s.synchrosqueeze(), 0.005)):
        first, second = subject.ridges(2)
        for k, (chirp, tone) in enumerate(((first, second), (second, first))):
            assert_allclose(tone.frequencies[k, MIDDLE], 0.23, rtol=0.03)
            assert_allclose(chirp.frequencies[k, MIDDLE], (0.02 + 0.08 * T / N)[MIDDLE], rtol=0.05)
            assert_allclose(tone.amplitudes[k, MIDDLE], 0.5 + 1.5 * k, rtol=0.02)
            assert np.std((chirp.component[k] - CHIRP)[MIDDLE]) < precision
            assert np.std((tone.component[k] - (1 + 3 * k) * TONE)[MIDDLE]) < precision


def test_ridges_of_tensors_and_of_decimated_rows() -> None:
    (ridge,) = lw.scalogram(torch.as_tensor(TONE), voices=8).ridges()
    assert isinstance(ridge.component, torch.Tensor)
    assert np.std((ridge.component.numpy() - TONE)[MIDDLE]) < 5e-3
    (ridge,) = lw.scalogram(TONE, voices=8, rate=0.25).ridges()
    assert ridge.frequencies.shape == (250,)
    assert ridge.component is None
    for options, match in (
        ({"n": 0}, "at least 1"),
        ({"penalty": -1.0}, "at least 0"),
        ({"width": 0.0}, "positive number of octaves"),
    ):
        with pytest.raises(OptionError, match=match):
            lw.scalogram(TONE, voices=4).ridges(**options)
    with pytest.raises(ScaleError, match="distinct"):
        lw.scalogram(TONE, frequencies=[0.1, 0.1]).ridges()
