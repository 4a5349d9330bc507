"""Positions of coefficients: the centre of energy of the samples' weights, computed in full."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import liftwave as lw
from liftwave.decomposition.positions import sample_positions

SCHEMES = {name: lw.LiftingScheme.from_name(name) for name in ("cdf5.3", "cdf9.7", "db3", "sym4")}
FAR = lw.LiftingScheme([lw.LiftingStep("predict", [-0.5, -0.5], 9)], shift=(2, -1))
BANK = lw.FilterBank([0.9, 0.4, -0.1], [0.2, -0.7, 0.3], [1.0, 0.5, 0.1], [0.3, 0.2, 0.1])
WAVELETS = {
    **{name: name for name in ("haar", "db2", "db7", "sym5", "coif2", "bior3.1", "rbio2.8")},
    **{f"lifting {name}": scheme for name, scheme in SCHEMES.items()},
    "far steps": FAR,
    "own filters": BANK,
}


def centre(wavelet: Any, mode: str, level: int, key: str) -> float:
    """The same from all weights of a coefficient in the middle of a long signal."""
    x = np.zeros(4096)
    _, pullback = lw.vjp(lw.wavedec, x, wavelet, mode, level)
    bands = [np.zeros_like(band) for band in lw.wavedec(x, wavelet, mode, level)]
    band = bands["ad".index(key)]
    place = band.size // 2
    band[place] = 1
    weights = pullback(bands).data ** 2
    return float(np.average(np.arange(x.size), weights=weights) - 2**level * place)


@pytest.mark.filterwarnings("ignore::liftwave.errors.ReconstructionWarning")
@pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning")
@pytest.mark.parametrize("mode", ["symmetric", "periodization"])
@pytest.mark.parametrize("name", WAVELETS)
def test_positions_are_centres_of_energy(name: str, mode: str) -> None:
    plan = lw.decompose(np.zeros(64), WAVELETS[name], 1, mode).plans[0]
    for level in (1, 2, 3, 5):
        positions = sample_positions(plan, level)
        expected = [centre(WAVELETS[name], mode, level, key) for key in "ad"]
        np.testing.assert_allclose(positions, expected, atol=1e-9 * 2**level)


def test_data_and_integer_schemes() -> None:
    plan = lw.decompose(np.zeros(64), "db4", 1).plans[0]
    assert sample_positions(plan, 0) == (0.0, 0.0)
    integers = plan._replace(wavelet=SCHEMES["db3"].to_integer())
    linear = plan._replace(wavelet=replace(integers.wavelet, integer=False))
    assert sample_positions(integers, 3) == sample_positions(linear, 3)


def test_very_deep_levels_are_computed_at_once() -> None:
    """The weights of such a level would not fit into memory."""
    plan = lw.decompose(np.zeros(64), "db4", 1).plans[0]
    first, second = (np.array(sample_positions(plan, level)) / 2**level for level in (40, 60))
    np.testing.assert_allclose(first, second, rtol=1e-9)
