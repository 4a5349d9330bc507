"""Errors of layers, of options and of cotangents: what was passed, and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import liftwave as lw
import liftwave.torch as lt
from liftwave import constraints, pooling
from liftwave.errors import (
    ArgumentTypeError,
    CoefficientsError,
    ConstraintError,
    DTypeError,
    LiftwaveError,
    OptionTypeError,
    ShapeError,
    ShapeTypeError,
    ThresholdTypeError,
    WindowError,
)

MAPS, HALVES = np.ones((1, 2, 4, 4)), np.ones((1, 2, 2, 2))
X, BAND = torch.ones(1, 2, 8), torch.ones(1, 2, 4)
FILTERS = pooling.lift_filters(2, 3)
LINEAR = (np.ones((1, 2)), np.ones(1)), (np.ones((2, 1)), np.ones(2))
TO_ANGLES = constraints.vjp(constraints.orthonormal_filters, [0.1])[1]
TO_TAPS = constraints.vjp(
    constraints.symmetric_lifting, [[-0.5], [0.25]], zero_sum=False, dual_zero_sum=False
)[1]

Bad = tuple[Callable[[], Any], type[LiftwaveError], str]

LAYERS: dict[str, Bad] = {
    "a list": (
        lambda: lt.SoftPool2d(2)([[1.0]]),
        ArgumentTypeError,
        r"SoftPool2d takes a tensor, got an object of type list: use torch\.as_tensor",
    ),
    "a sparse tensor": (
        lambda: lt.EDSCWPool1d(2)(X.to_sparse()),
        DTypeError,
        r"dense tensor, got torch\.sparse_coo: use to_dense\(\)",
    ),
    "a list of coefficients": (
        lambda: lt.IDWT1d("haar")([[1.0], [2.0]]),
        ArgumentTypeError,
        "IDWT1d takes tensors as bands, got an object of type float",
    ),
    "no coefficients": (
        lambda: lt.IDWT1d("haar")(X),
        CoefficientsError,
        "IDWT1d of 1 levels takes a list of 2.*got Tensor",
    ),
    "details of three axes": (
        lambda: lt.IDWT3d("haar")([torch.ones(1, 2, 2, 2), (None,) * 7]),
        CoefficientsError,
        "details of a level are a dict by name, got tuple",
    ),
    "one output size": (
        lambda: lt.IDWT1d("haar")([BAND, BAND], 8),
        ShapeTypeError,
        "output_size must be a sequence of integers, one for each axis, got an object of type int",
    ),
    "bands that are not tensors": (
        lambda: lt.LiftUpPool1d(lt.LiftDownPool1d(2))([HALVES, HALVES]),
        ArgumentTypeError,
        "LiftUpPool1d takes tensors as bands, got an object of type ndarray",
    ),
    "penalty weights": (
        lambda: lt.LiftDownPool1d(2, penalty_weights=(1.0,)),
        ArgumentTypeError,
        "penalty_weights must be a pair of numbers, got 1 numbers",
    ),
    "a device": (
        lambda: lt.LiftDownPool1d(2, device="somewhere"),
        ArgumentTypeError,
        "device must be a device of torch, got 'somewhere'",
    ),
    "a dtype": (
        lambda: lt.LiftDownPool1d(2, dtype=torch.int32),
        DTypeError,
        r"dtype must be a floating-point dtype of torch, got torch\.int32",
    ),
    "channels": (
        lambda: lt.EnergyAttention(2.5),
        ArgumentTypeError,
        r"channels must be an integer of at least 1, got 2\.5",
    ),
    "half a filter": (
        lambda: lt.LinearPhase(5)(torch.ones(2)),
        ShapeError,
        r"the first 3 of 5 taps, got shape \(2,\)",
    ),
    "a symmetry": (
        lambda: lt.FiltersWavelet("db2", symmetry="mirror"),
        ConstraintError,
        "unknown symmetry 'mirror': use 'linear-phase'",
    ),
    "a model": (
        lambda: lt.auxiliary_loss([nn.ReLU()]),
        ArgumentTypeError,
        r"the model must be a torch\.nn\.Module, got list",
    ),
    "a factory": (
        lambda: lt.replace_pooling(nn.ReLU(), "SoftPool2d"),
        ArgumentTypeError,
        "the factory must be a function of a Place, got 'SoftPool2d'",
    ),
}

OPTIONS: dict[str, Bad] = {
    "a flag": (
        lambda: pooling.edscw_pool(MAPS, 2, per_channel=np.zeros(2)),
        OptionTypeError,
        "per_channel must be True or False, got an object of type ndarray",
    ),
    "a name": (
        lambda: pooling.idw_pool(MAPS, 2, distance=["l2"]),
        WindowError,
        r"distance must be one of 'l1'.*got \['l2'\]",
    ),
    "a huge stride": (
        lambda: pooling.soft_pool(MAPS, 2, 10**30),
        WindowError,
        "stride must be at most 2147483647, got 10",
    ),
    "many axes": (
        lambda: pooling.soft_pool(MAPS, 2, ndim=65),
        WindowError,
        "the number of spatial axes, from 1 to 64, got ndim=65",
    ),
    "huge filters": (
        lambda: pooling.lift_filters(10**20),
        ShapeError,
        "the filters would have shape.*more than memory can hold",
    ),
    "a huge result": (
        lambda: pooling.conv_transpose(MAPS, np.ones((2, 1, 1, 1)), 2**31 - 1),
        ShapeError,
        "the result would have shape.*more than memory can hold",
    ),
    "statistics": (
        lambda: pooling.energy_attention(MAPS, *LINEAR, np.ones(3), np.ones(2)),
        ShapeError,
        r"one number for each of 2 channels, got shapes \(3,\) and \(2,\)",
    ),
    "indices": (
        lambda: pooling.max_unpool(HALVES, np.full(HALVES.shape, np.nan), 2),
        DTypeError,
        "indices must be integers from max_pool, got float64",
    ),
    "a cost": (
        lambda: constraints.design_orthonormal(np.arange(16.0), 4, cost=5),
        ArgumentTypeError,
        "cost must be a function of the bands or None, got 5",
    ),
    "a cost without gradient": (
        lambda: constraints.design_orthonormal(np.arange(16.0), 4, cost=lambda bands: 1.0),
        ArgumentTypeError,
        "cost must return a number and a gradient for each band, got an object of type float",
    ),
    "a seed": (
        lambda: constraints.random_orthonormal_filters(4, -1),
        ArgumentTypeError,
        "seed must be None, an integer of at least 0.*got -1",
    ),
    "no steps": (
        lambda: constraints.symmetric_lifting([], zero_sum=False, dual_zero_sum=False),
        ConstraintError,
        "taps must be a sequence of arrays, one for each step, got none",
    ),
    "a rule": (
        lambda: lw.threshold([1.0], 1.0, ["soft"]),
        ThresholdTypeError,
        r"only takes values from: .*Got \['soft'\]",
    ),
}

COTANGENTS: dict[str, Bad] = {
    "of a penalty": (
        lambda: constraints.vjp(constraints.lowpass_penalty, [1.0, 1.0])[1]([1.0, 2.0]),
        ShapeError,
        r"the cotangent must have shape \(\), got shape \(2,\)",
    ),
    "of a filter": (
        lambda: TO_ANGLES([np.ones(3)] * 4),
        ShapeError,
        r"the cotangent of a filter must have shape \(4,\), got shape \(3,\)",
    ),
    "of three filters": (
        lambda: TO_ANGLES([np.ones(4)] * 3),
        ShapeError,
        "must be a FilterBankGradient or four arrays, got 3 arrays",
    ),
    "of a scheme": (
        lambda: TO_TAPS(([np.ones(2)] * 2,)),
        ShapeError,
        r"must be a LiftingGradient or a pair \(taps, scale\), got 1 objects",
    ),
    "of one step": (
        lambda: TO_TAPS(([np.ones(2)], [0.0, 0.0])),
        ShapeError,
        "the cotangents of the taps must be a sequence of 2, got 1",
    ),
    "complex": (
        lambda: constraints.vjp(constraints.orthonormal_lowpass, [0.1])[1](1j * np.ones(4)),
        ArgumentTypeError,
        "the cotangent must be real, got dtype complex128",
    ),
    "of another library": (
        lambda: constraints.vjp(constraints.orthonormal_lowpass, [0.1])[1](torch.ones(4)),
        ArgumentTypeError,
        "arrays of one library are required, got arrays of numpy, torch",
    ),
}

BAD = {**LAYERS, **OPTIONS, **COTANGENTS}


@pytest.mark.parametrize("name", BAD)
def test_errors_say_what_would_be_right(name: str) -> None:
    call, error, message = BAD[name]
    with pytest.raises(error, match=message):
        call()


def test_gradients_of_different_wavelets_have_no_sum() -> None:
    x = np.arange(8.0)
    bank = lw.vjp(lw.dwt, x, "haar")[1]((x[:4], x[:4])).wavelet
    with pytest.raises(TypeError, match="unsupported operand"):
        bank + 1.0
    schemes = [lw.LiftingScheme.from_name(name) for name in ("cdf5.3", "cdf9.7")]
    one, two = (lw.vjp(lw.dwt, x, s)[1]((x[:4], x[:4])).wavelet for s in schemes)
    with pytest.raises(ShapeError, match="of 2 and 4 lifting steps have no sum"):
        one + two


def test_cotangents_broadcast() -> None:
    angles = np.array([[0.1], [0.2]])
    _, pullback = constraints.vjp(constraints.orthonormal_lowpass, angles)
    np.testing.assert_array_equal(pullback(1.0)[0], pullback(np.ones((2, 4)))[0])


def test_a_missing_cotangent_of_pooling_is_zero() -> None:
    for function in (pooling.max_pool, pooling.soft_pool):
        _, pullback = lw.vjp(function, MAPS, 2)
        np.testing.assert_array_equal(pullback(None).data, np.zeros(MAPS.shape))


def test_lifting_steps_are_scaled_by_numbers_of_every_type() -> None:
    step = lw.LiftingStep("predict", [0.5, -1.0])
    for factor in (2, 2.0, np.float32(2), np.array(2.0)):
        assert step.scaled(factor).taps == (1.0, -2.0)
