"""Max pooling and all unpoolings, compared with torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from helpers import Library, assert_close, byte_copy, zero_mean
from torch.nn import functional

from liftwave import pooling
from liftwave._kernels.contract import Kernels
from liftwave.errors import ShapeError, WindowError

MAX: dict[int, Any] = {d: getattr(functional, f"max_pool{d}d") for d in (1, 2, 3)}
SIZES = {1: (11,), 2: (9, 8), 3: (6, 5, 7)}
WINDOWS: list[tuple[Any, ...]] = [
    (2,),
    (3,),
    (3, 2, 1),
    (2, 3),
    (2, 1),
    (3, 1, 1, 2),
    (2, 2, 0, 2),
    (3, 2, 1, 1, True),
    (2, 3, 1, 3, True),
]


def tied(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Small integers, so that several samples of a region are equal to the maximum."""
    return np.random.default_rng(seed).integers(-3, 3, shape).astype("float64")


# --- max pooling -----------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", WINDOWS)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_max_pool_is_that_of_torch(kernels: Kernels, ndim: int, arguments: Any) -> None:
    for x in (zero_mean((2, 3, *SIZES[ndim])), tied((2, 3, *SIZES[ndim]))):
        y, where = MAX[ndim](torch.asarray(x), *arguments, return_indices=True)
        found, places = pooling.max_pool(x, *arguments, ndim=ndim, return_indices=True)
        assert_close(found, y.numpy())
        assert_close(places, where.numpy())
        assert_close(pooling.max_pool(x, *arguments, ndim=ndim), y.numpy())


def test_max_pool_of_every_library(xp: Library) -> None:
    for dtype in ("float32", "float64"):
        x = tied((2, 3, 7, 8)).astype(dtype)
        given = xp.asarray(x)
        before = byte_copy(given)
        y, where = functional.max_pool2d(torch.asarray(x), (3, 2), 2, 1, return_indices=True)
        found, places = pooling.max_pool(given, (3, 2), 2, 1, return_indices=True)
        assert_close(found, xp.asarray(y.numpy()))
        assert_close(places, xp.asarray(where.numpy()))
        assert byte_copy(given) == before
        back = pooling.max_unpool(found, places, (3, 2), 2, 1, (7, 8))
        assert_close(back, xp.asarray(last_stays(y.numpy(), where.numpy(), (7, 8))))


def last_stays(values: np.ndarray, where: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Values assigned one after the other to flat positions."""
    lead = values.shape[: values.ndim - len(size)]
    back = np.zeros((*lead, int(np.prod(size))))
    for plane in np.ndindex(lead):
        for value, at in zip(values[plane].ravel(), where[plane].ravel(), strict=True):
            back[(*plane, at)] = value
    return back.reshape(*lead, *size).astype(values.dtype)


def test_nan_is_the_largest(kernels: Kernels) -> None:
    x = np.arange(16.0).reshape(4, 4)
    x[1, 0] = np.nan
    y, where = pooling.max_pool(x, 2, return_indices=True)
    assert np.isnan(y[0, 0])
    assert where[0, 0] == 4
    assert_close(y.ravel()[1:], np.array([7.0, 13.0, 15.0]))


def test_nothing_but_infinity(kernels: Kernels) -> None:
    x = np.full((1, 3, 3), -np.inf)
    y, where = pooling.max_pool(x, 3, 2, 1, return_indices=True)
    assert_close(y, np.full((1, 2, 2), -np.inf))
    assert_close(where, np.array([[[0, 1], [3, 4]]]))


# --- unpooling by indices --------------------------------------------------------------------


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_max_unpool_is_that_of_torch(ndim: int) -> None:
    unpool = {1: functional.max_unpool1d, 2: functional.max_unpool2d, 3: functional.max_unpool3d}[
        ndim
    ]
    x = torch.asarray(zero_mean((2, 3, *SIZES[ndim])))
    for arguments in ((2,), (3,), (2, 3)):
        y, where = MAX[ndim](x, *arguments, return_indices=True)
        for size in (x.shape, x.shape[2:]):
            expected = unpool(y, where, *arguments, output_size=size)
            for values, places in ((y, where), (y.numpy(), where.numpy())):
                found = pooling.max_unpool(
                    values, places, *arguments, output_size=tuple(size), ndim=ndim
                )
                assert_close(torch.asarray(found), expected)
    y, where = MAX[ndim](x[..., : 2 * (SIZES[ndim][-1] // 2)], 2, return_indices=True)
    smallest = tuple(2 * n for n in y.shape[2:])
    assert tuple(pooling.max_unpool(y, where % 8, 2, ndim=ndim).shape[2:]) == smallest


def test_of_several_values_the_last_stays(xp: Library) -> None:
    values = xp.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    indices = xp.asarray([[1, 0, 1], [2, 2, 2]])
    found = pooling.max_unpool(values, indices, (1,))
    assert_close(found, xp.asarray([[2.0, 3.0, 0.0], [0.0, 0.0, 6.0]]))
    empty = pooling.max_unpool(
        xp.asarray(np.zeros((0, 3))), xp.asarray(np.zeros((0, 3), int)), (2,)
    )
    assert tuple(empty.shape) == (0, 6)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_nearest_is_that_of_torch(ndim: int) -> None:
    x = zero_mean((2, 3, *SIZES[ndim]))
    for factor in (1, 2, 3):
        expected = functional.interpolate(torch.asarray(x), scale_factor=factor, mode="nearest")
        assert_close(pooling.nearest_unpool(x, factor, ndim=ndim), expected.numpy())


def test_windows_with_gaps_and_sizes(xp: Library) -> None:
    x = xp.asarray([[1.0, 2.0]])
    for function, arguments, size, expected in (
        (pooling.nearest_unpool, ((2,), 3), None, [1, 1, 0, 2, 2]),
        (pooling.nearest_unpool, ((2,), 3), (7,), [1, 1, 0, 2, 2, 0, 0]),
        (pooling.nearest_unpool, ((3,),), (1, 5), [1, 1, 1, 2, 2]),
        (pooling.bed_of_nails_unpool, ((2,),), None, [1, 0, 2, 0]),
        (pooling.bed_of_nails_unpool, ((2,), 1), None, [1, 2, 0]),
        (pooling.bed_of_nails_unpool, ((2,), 4), (3,), [1, 0, 0]),
    ):
        wanted = xp.asarray(np.array([expected], dtype="float64"))
        assert_close(function(x, *arguments, output_size=size), wanted)


def test_max_pool_undoes_nails_and_copies(kernels: Kernels) -> None:
    x = np.abs(zero_mean((2, 3, 4, 5)))
    assert_close(pooling.max_pool(pooling.bed_of_nails_unpool(x, 3), 3), x)
    assert_close(pooling.max_pool(pooling.nearest_unpool(x, (2, 3)), (2, 3)), x)


# --- transposed convolution ------------------------------------------------------------------

CONVOLUTIONS: list[tuple[Any, ...]] = [(), (2,), (3, 1), (2, 1, 1), (2, 0, 1, 2), (1, 3, 0, 3)]


@pytest.mark.parametrize("arguments", CONVOLUTIONS)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_transposed_convolution_is_that_of_torch(ndim: int, arguments: Any) -> None:
    function = {
        1: functional.conv_transpose1d,
        2: functional.conv_transpose2d,
        3: functional.conv_transpose3d,
    }[ndim]
    stride, padding, more, dilation = (*arguments, *(1, 0, 0, 1)[len(arguments) :])
    size, kernel = (4, 5, 3)[:ndim], (3, 4, 2)[:ndim]
    if stride == 1:  # the last axis would become empty
        padding = min(padding, 3 - ndim)
    x, weight = zero_mean((2, 3, *size)), zero_mean((3, 2, *kernel), 1)
    expected = function(
        torch.asarray(x), torch.asarray(weight), None, stride, padding, more, 1, dilation
    ).numpy()
    found = pooling.conv_transpose(x, weight, stride, padding, more, dilation)
    assert_close(found, expected, ulps=64)
    assert_close(pooling.conv_transpose(x[0], weight, stride, padding, more, dilation), found[0])
    matrix = pooling.conv_transpose_matrix(weight, size, stride, padding, more, dilation)
    assert_close((x.reshape(2, -1) @ matrix.T).reshape(expected.shape), expected, ulps=64)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_transposed_convolution_with_bias_and_groups(groups: int) -> None:
    x, weight = zero_mean((2, 4, 5, 3)), zero_mean((4, 3, 3, 2), 1)
    bias = zero_mean((3 * groups,), 2)
    arguments = (torch.asarray(x), torch.asarray(weight), torch.asarray(bias))
    expected = functional.conv_transpose2d(*arguments, stride=2, padding=1, groups=groups).numpy()
    options = {"bias": bias, "groups": groups}
    assert_close(pooling.conv_transpose(x, weight, 2, 1, **options), expected, ulps=64)
    assert_close(pooling.conv_transpose(x[0], weight, 2, 1, **options), expected[0], ulps=64)
    matrix = pooling.conv_transpose_matrix(weight, (5, 3), 2, 1, groups=groups)
    flat = (x.reshape(2, -1) @ matrix.T).reshape(expected.shape)
    assert_close(flat + bias[:, None, None], expected, ulps=64)
    leaves = [array.clone().requires_grad_() for array in arguments]

    def run(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return pooling.conv_transpose(x, weight, 2, bias=bias, groups=groups)

    assert torch.autograd.gradcheck(run, leaves, fast_mode=True)


def test_biases_and_groups_that_do_not_fit() -> None:
    x, weight = zero_mean((2, 4, 5)), zero_mean((4, 3, 2), 1)
    with pytest.raises(ShapeError, match=r"bias must have the shape \(6,\), got shape \(3,\)"):
        pooling.conv_transpose(x, weight, bias=np.ones(3), groups=2)
    with pytest.raises(ShapeError, match="groups=3 needs a multiple of 3 channels"):
        pooling.conv_transpose(x, weight, groups=3)
    with pytest.raises(WindowError, match="groups"):
        pooling.conv_transpose(x, weight, groups=0)


def test_the_matrix_transposed_is_that_of_the_convolution() -> None:
    weight, x = zero_mean((1, 1, 3), 1), zero_mean((1, 1, 9), 2)
    expected = functional.conv1d(torch.asarray(x), torch.asarray(weight), stride=2).numpy().ravel()
    matrix = pooling.conv_transpose_matrix(weight, 4, 2)
    assert matrix.shape == (9, 4)
    assert_close(matrix.T @ x.ravel(), expected, ulps=16)


def test_convolution_of_every_library(xp: Library) -> None:
    x, weight = zero_mean((2, 3, 4, 5)), zero_mean((3, 2, 3, 2), 1)
    expected = functional.conv_transpose2d(
        torch.asarray(x), torch.asarray(weight), stride=2
    ).numpy()
    assert_close(
        pooling.conv_transpose(xp.asarray(x), xp.asarray(weight), 2), xp.asarray(expected), ulps=64
    )
    assert_close(
        pooling.conv_transpose_matrix(xp.asarray(weight[:1, :1, 0]), 2, 2),
        xp.asarray(pooling.conv_transpose_matrix(weight[:1, :1, 0], 2, 2)),
    )
    taps = torch.asarray(weight)
    both = x + 1j * zero_mean(x.shape, 5)
    parts = [functional.conv_transpose2d(torch.asarray(p), taps) for p in (both.real, both.imag)]
    found = pooling.conv_transpose(xp.asarray(both), xp.asarray(weight.astype(complex)))
    assert_close(found, xp.asarray(parts[0].numpy() + 1j * parts[1].numpy()), ulps=64)
