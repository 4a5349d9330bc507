"""Invalid arguments of pooling raise before any computation."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from test_errors import Bad, no_work
from torch.nn import functional

import liftwave as lw
from liftwave import pooling
from liftwave._plan.windows import window_plan
from liftwave.errors import (
    ArgumentTypeError,
    DTypeError,
    LiftwaveError,
    ShapeError,
    WindowError,
)

__all__ = ["no_work"]  # a fixture

X = np.arange(32.0).reshape(2, 4, 4)
Y, WHERE = pooling.max_pool(X, 2, return_indices=True)
TAPS = np.ones((2, 3, 2, 2))
FUNCTIONS: tuple[Callable[..., Any], ...] = (
    pooling.soft_pool,
    pooling.edscw_pool,
    pooling.similarity_pool,
    pooling.idw_pool,
    pooling.ada_pool,
    pooling.max_pool,
)

WINDOWS: dict[str, tuple[tuple[Any, ...], type[LiftwaveError], type[Exception], str]] = {
    "too large": ((5,), WindowError, ValueError, "it spans 5 samples, but the signal has 4"),
    "no size": ((0,), WindowError, ValueError, "kernel_size must be at least 1, got 0"),
    "no numbers": (((),), WindowError, ValueError, "one number for each spatial axis, got none"),
    "fraction": ((1.5,), ArgumentTypeError, TypeError, "kernel_size must be an integer.*1.5"),
    "text": (("2",), ArgumentTypeError, TypeError, "integer or a sequence of integers, got '2'"),
    "stride": ((2, 0), WindowError, ValueError, "stride must be at least 1, got 0"),
    "strides": ((2, (1, 2, 3)), WindowError, ValueError, r"one number or 2.*\(1, 2, 3\)"),
    "padding": ((2, 2, -1), WindowError, ValueError, "padding must be at least 0, got -1"),
    "much padding": ((3, 2, 2), WindowError, ValueError, r"at most half.*\(2, 2\) for \(3, 3\)"),
    "dilation": ((2, 2, 0, 0), WindowError, ValueError, "dilation must be at least 1, got 0"),
    "far dilation": ((2, 2, 0, 4), WindowError, ValueError, "it spans 5 samples.*dilation 4"),
    "axes": (((2, 2, 2, 2),), ShapeError, ValueError, r"the last 4 axes, got.*\(2, 4, 4\)"),
}


@pytest.mark.parametrize("function", FUNCTIONS, ids=operator.attrgetter("__name__"))
@pytest.mark.parametrize("what", WINDOWS)
def test_windows_that_cannot_be(no_work: None, function: Any, what: str) -> None:
    arguments, ours, builtin, match = WINDOWS[what]
    with pytest.raises(ours, match=match) as caught:
        function(X, *arguments)
    assert isinstance(caught.value, LiftwaveError)
    assert isinstance(caught.value, builtin)


BAD = {
    "ndim": Bad(lambda: pooling.soft_pool(X, 2, ndim=4), ShapeError, ValueError, "last 4 axes"),
    "no ndim": Bad(lambda: pooling.soft_pool(X, 2, ndim=0), WindowError, ValueError, "ndim=0"),
    "two ndims": Bad(
        lambda: pooling.soft_pool(X, (2, 2), ndim=1), WindowError, ValueError, r"ndim=1.*\(2, 2\)"
    ),
    "no samples": Bad(
        lambda: pooling.soft_pool(np.zeros((2, 0, 4)), 2), ShapeError, ValueError, "no samples"
    ),
    "a number": Bad(lambda: pooling.soft_pool(1.0, 2), ShapeError, ValueError, r"shape \(\)"),
    "text": Bad(lambda: pooling.soft_pool(["a", "b"], (2,)), DTypeError, TypeError, "numeric"),
    "complex": Bad(lambda: pooling.edscw_pool(X * 1j, 2), DTypeError, TypeError, "real and imag"),
    "complex maximum": Bad(
        lambda: pooling.max_pool(X * 1j, 2), DTypeError, TypeError, "max pooling needs real numbers"
    ),
    "a window beside the samples": Bad(
        lambda: pooling.soft_pool([1.0, 2.0], (2,), 1, 1, 3), WindowError, ValueError, "no sample"
    ),
    "similarity": Bad(
        lambda: pooling.similarity_pool(X, 2, similarity="sine"),
        WindowError,
        ValueError,
        "'dice', 'cosine', 'pce', got 'sine'",
    ),
    "distance": Bad(
        lambda: pooling.idw_pool(X, 2, distance="l0"), WindowError, ValueError, "'gower', got 'l0'"
    ),
    "delta": Bad(
        lambda: pooling.idw_pool(X, 2, distance="huber", delta=-1), WindowError, ValueError, "-1"
    ),
    "no delta": Bad(
        lambda: pooling.idw_pool(X, 2, delta=None),
        ArgumentTypeError,
        TypeError,
        "delta must be a number",
    ),
    "no channels": Bad(
        lambda: pooling.edscw_pool(X[0], 2, per_channel=False),
        ShapeError,
        ValueError,
        r"axis before the last 2, but.*\(4, 4\)",
    ),
    "no beta": Bad(
        lambda: pooling.ada_pool(X, 2, beta=None),
        ArgumentTypeError,
        TypeError,
        "beta must be a number",
    ),
    "beta": Bad(
        lambda: pooling.ada_pool(X, 2, beta=np.zeros((4, 4))),
        ShapeError,
        ValueError,
        r"windows \(2, 2\), or.*\(2, 2, 2\).*got shape \(4, 4\)",
    ),
    "beta of a batch": Bad(
        lambda: pooling.ada_pool(X[None], 2, beta=np.zeros((1, 2, 2, 2))),
        ShapeError,
        ValueError,
        r"got shape \(1, 2, 2, 2\)",
    ),
    "beta of another library": Bad(
        lambda: pooling.ada_pool(X, 2, beta=torch.zeros(2, 2)),
        ArgumentTypeError,
        TypeError,
        "arrays of one library",
    ),
    "pooled": Bad(
        lambda: pooling.ada_unpool(X, X, 2), ShapeError, ValueError, r"pooled has shape \(2, 4, 4\)"
    ),
    "up": Bad(lambda: pooling.ada_unpool(X, Y, 2, up="far"), WindowError, ValueError, "'far'"),
    "preserve": Bad(
        lambda: pooling.ada_unpool(X, Y, 2, preserve="all"), WindowError, ValueError, "'all'"
    ),
    "indices": Bad(
        lambda: pooling.max_unpool(Y, WHERE[0], 2),
        ShapeError,
        ValueError,
        r"\(2, 2, 2\).*got \(2, 2\)",
    ),
    "fractional indices": Bad(
        lambda: pooling.max_unpool(Y, WHERE * 1.0, 2), DTypeError, TypeError, "float64"
    ),
    "indices beyond": Bad(
        lambda: pooling.max_unpool(Y, WHERE + 1, 2), ShapeError, ValueError, "6 to 16.*(4, 4)"
    ),
    "indices before": Bad(
        lambda: pooling.max_unpool(Y, WHERE - 6, 2), ShapeError, ValueError, "-1 to 9"
    ),
    "output_size": Bad(
        lambda: pooling.max_unpool(Y, WHERE, 2, output_size=(4, 6)),
        ShapeError,
        ValueError,
        r"one stride \(2, 2\) of \(4, 4\), got \(4, 6\)",
    ),
    "output_size of one axis": Bad(
        lambda: pooling.bed_of_nails_unpool(Y, 2, output_size=(4,)),
        ShapeError,
        ValueError,
        r"\(4,\)",
    ),
    "nothing left": Bad(
        lambda: pooling.max_unpool(Y[:, :1, :1], WHERE[:, :1, :1], 2, 2, 1),
        ShapeError,
        ValueError,
        r"padding removes all.*\(0, 0\)",
    ),
    "overlapping copies": Bad(
        lambda: pooling.nearest_unpool(Y, 3, 2), WindowError, ValueError, "windows must not overlap"
    ),
    "no windows": Bad(
        lambda: pooling.nearest_unpool(Y[..., :0], 2), ShapeError, ValueError, r"\(2, 2, 0\)"
    ),
    "taps": Bad(
        lambda: pooling.conv_transpose(X, TAPS[0, 0]), ShapeError, ValueError, r"kernel.*\(2, 2\)"
    ),
    "channels": Bad(
        lambda: pooling.conv_transpose(X[:1], TAPS),
        ShapeError,
        ValueError,
        r"2 channels.*\(1, 4, 4\)",
    ),
    "negative padding": Bad(
        lambda: pooling.conv_transpose(X, TAPS, 1, -1), WindowError, ValueError, "at least 0"
    ),
    "all padded": Bad(
        lambda: pooling.conv_transpose(X, TAPS, 1, 3), WindowError, ValueError, "removes all"
    ),
    "output_padding": Bad(
        lambda: pooling.conv_transpose(X, TAPS, 2, 0, 2), WindowError, ValueError, "less than.*2"
    ),
    "size": Bad(
        lambda: pooling.conv_transpose_matrix(TAPS, (4,) * 3), WindowError, ValueError, "or 2"
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be(no_work: None, what: str) -> None:
    call, ours, builtin, match = BAD[what]
    with pytest.raises(ours, match=match) as caught:
        call()
    assert isinstance(caught.value, builtin)


def test_derivatives_say_the_same() -> None:
    with pytest.raises(WindowError, match="no window fits"):
        lw.vjp(pooling.soft_pool, X, 5)
    with pytest.raises(ShapeError, match="pooled has shape"):
        lw.vjp(pooling.ada_unpool, X, X, 2)


def test_there_are_as_many_windows_as_torch_has() -> None:
    """liftwave raises where torch raises or returns infinity."""
    for n, k, s, p, d, ceil in product(
        range(1, 8), range(1, 5), range(1, 4), range(3), range(1, 4), (False, True)
    ):
        line = torch.arange(float(n))[None, :, None]
        try:
            y = functional.max_pool2d(line, (k, 1), (s, 1), (p, 0), (d, 1), ceil)
            expected = y.shape[1] if torch.isfinite(y).all() else None
        except RuntimeError:
            expected = None
        try:
            found = window_plan((n,), (k,), s, p, d, ceil).outputs[0]
        except WindowError:
            found = None
        assert found == expected, (n, k, s, p, d, ceil)
