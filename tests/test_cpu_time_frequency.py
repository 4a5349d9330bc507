"""Compiled kernels of synchrosqueezing and ridges against those of the array library."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import zero_mean
from numpy.testing import assert_allclose, assert_array_equal

import liftwave as lw
from liftwave._dispatch import compiled
from liftwave.continuous.ridges import best_path

pytestmark = pytest.mark.skipif(not compiled(), reason="needs compiled kernels")

X = zero_mean((2, 1, 300), 4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_squeezed_rows_are_those_of_the_reference(dtype: str) -> None:
    """The sums of each column and of most coefficients: roundings move some to the next row."""
    x = X.astype(dtype)
    s = lw.scalogram(x, voices=12)
    with lw.kernels("reference"):
        expected = s.synchrosqueeze().coefficients
    q = s.synchrosqueeze().coefficients
    assert q.dtype == expected.dtype
    precision = 1e-5 if dtype == "float32" else 1e-13
    assert_allclose(q.sum(axis=-2), expected.sum(axis=-2), atol=precision)
    is_near = abs(q - expected) < precision
    assert is_near.mean() > (0.998 if dtype == "float32" else 0.99999)
    tensors = lw.scalogram(torch.as_tensor(x), voices=12).synchrosqueeze().coefficients
    assert (abs(tensors.numpy() - q) < precision).mean() > 0.998


def test_squeezing_does_not_depend_on_threads() -> None:
    s = lw.scalogram(zero_mean(40_000), limits=(0.05, 0.4), voices=6)
    before = lw.get_num_threads()
    results = []
    try:
        for count in (1, 2):
            lw.set_num_threads(count)
            results.append(s.synchrosqueeze(1e-3).coefficients)
    finally:
        lw.set_num_threads(before)
    assert_array_equal(*results)


@pytest.mark.parametrize("penalty", [1e-3, 3.0, 1e5])
def test_paths_are_those_of_the_reference(penalty: float) -> None:
    rng = np.random.default_rng(5)
    for count, times in ((2, 1), (3, 40), (50, 33)):
        score, logs = np.log(rng.random((count, times))), np.sort(rng.random(count))[::-1]
        with lw.kernels("reference"):
            expected = best_path(score, logs, penalty)
        assert_array_equal(best_path(score, logs, penalty), expected)
        assert_array_equal(best_path(np.asfortranarray(score), logs, penalty), expected)
