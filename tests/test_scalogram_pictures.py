"""Figures of scalograms: axes, cones, limits, ridges, errors."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import zero_mean

import liftwave as lw
from liftwave.errors import ArgumentTypeError, OptionError, ShapeError

T = np.arange(300) / 100
X = np.cos(2 * np.pi * 12 * T) + 0.3 * zero_mean(300)
S = lw.scalogram(X, 100.0, voices=4)


def test_a_figure_has_units_a_logarithmic_axis_and_a_cone() -> None:
    (ridge,) = S.ridges()
    figure = S.plot(ridges=[ridge], level=0.95, unit="mV")
    ax, bar = figure.axes
    assert ax.get_yscale() == "log"
    assert ax.get_ylabel() == "frequency (Hz)"
    assert ax.get_xlabel().startswith("time (s)")
    assert bar.get_ylabel() == "amplitude (mV)"
    assert ax.get_title() == "scalogram, morse(3, 20)"
    low, high = ax.get_ylim()
    assert low < S.frequencies.min() < S.frequencies.max() < high
    cone, line = ax.lines
    np.testing.assert_array_equal(line.get_ydata(), ridge.frequencies)
    np.testing.assert_allclose(cone.get_ydata(), np.maximum(S.coi, low))
    mesh = ax.collections[0].get_array()
    np.testing.assert_allclose(np.asarray(mesh), abs(S.coefficients))


def test_periods_are_upside_down() -> None:
    figure = S.plot("periods", period=True, time_unit="years")
    ax = figure.axes[0]
    low, high = ax.get_ylim()
    assert low > high
    assert (ax.get_ylabel(), ax.get_title()) == ("period (years)", "periods")
    assert S.plot(time_unit="years").axes[0].get_ylabel() == "frequency (1/years)"


def test_long_signals_are_drawn_by_their_largest_values() -> None:
    s = lw.scalogram(zero_mean(9001), frequencies=[0.2, 0.1])
    mesh = np.asarray(s.plot().axes[0].collections[0].get_array())
    assert mesh.shape == (2, 1800)
    np.testing.assert_allclose(mesh, abs(s.coefficients)[:, :9000].reshape(2, 1800, 5).max(-1))


def test_figures_of_two_series() -> None:
    c = lw.cross_scalogram(X, zero_mean(300, 2), 100.0)
    r = lw.wavelet_coherence(X, zero_mean(300, 2), 100.0, surrogates=2)
    assert c.plot(level=0.9).axes[1].get_ylabel() == "common power"
    assert r.plot(level=0.9).axes[1].get_ylabel() == "squared coherence"
    q = S.synchrosqueeze()
    assert q.plot(ridges=q.ridges()).axes[0].get_title().startswith("synchrosqueezed")
    bare = lw.wavelet_coherence(X, X, surrogates=0)
    for subject in (q, bare):
        with pytest.raises(OptionError, match=r"do not pass level|use wavelet_coherence"):
            subject.plot(level=0.9)


def test_errors_of_figures() -> None:
    with pytest.raises(ShapeError, match="draws one signal"):
        lw.scalogram(np.stack([X, X]), voices=2).plot()
    with pytest.raises(ShapeError, match="at least two"):
        lw.scalogram(X, frequencies=[0.1]).plot()
    with pytest.raises(ArgumentTypeError, match="must be a sequence of ridges"):
        S.plot(ridges=[S.frequencies])
    with pytest.raises(ShapeError, match="must have 300 times"):
        S.plot(ridges=lw.scalogram(X[:50]).ridges())
    with pytest.raises(OptionError, match="unit must be text"):
        S.plot(unit=1)  # type: ignore[arg-type]
