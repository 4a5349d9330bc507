"""Calls of window pooling, unpooling and attention: convert and check users' arguments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from liftwave._arrays.convert import REAL_DTYPES, as_array
from liftwave._numbers import flag, is_one_of, positive_number, real_number, whole_number
from liftwave._operations.attention import Attention
from liftwave._operations.call import SINGLE, Call
from liftwave._operations.conv_transpose import ConvTranspose, check_weight
from liftwave._operations.max_pool import MaxPool
from liftwave._operations.unpool import (
    MaxUnpool,
    WindowUpsample,
    check_counts,
    check_places,
    checked_size,
    result_size,
)
from liftwave._operations.weighted_pool import WeightedPool
from liftwave._plan.lengths import check_size
from liftwave._plan.windows import (
    Ints,
    Size,
    WindowArguments,
    per_axis,
    window_arguments,
)
from liftwave._typing import Array, ArrayLike
from liftwave.errors import ArgumentTypeError, ShapeError, WindowError
from liftwave.pooling.structures import MAX_PAIR, MAX_VALUES, AttentionInputs, Inputs

DISTANCES = ("l1", "l2", "huber", "chebyshev", "gower")
SIMILARITIES = ("dice", "cosine", "pce")
UPS = ("nearest", "linear")
PRESERVED = ("sum", "mean")
EPSILON = 1e-5

ONLY_DATA = Inputs()
DATA_AND_BETA = Inputs("beta")
DATA_POOLED_BETA = Inputs("pooled", "beta")
DATA_AND_WEIGHT = Inputs("weight")
DATA_WEIGHT_BIAS = Inputs("weight", "bias")
ATTENTION_INPUTS = AttentionInputs()

# Operations cache their shape plans, so equal arguments share one operation.
_weighted_pool = lru_cache(maxsize=256)(WeightedPool)
_max_pool = lru_cache(maxsize=256)(MaxPool)


# --- by weights ----------------------------------------------------------------------------------


def soft_pool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    per_channel: bool = True,
    ndim: int | None = None,
) -> Call:
    """The call of :func:`liftwave.pooling.soft_pool`."""
    windows = window_arguments(kernel_size, stride, padding, dilation, ceil_mode, ndim)
    if per_channel is True or flag(per_channel, "per_channel"):
        return Call(_weighted_pool(windows, "softmax"), (x,), SINGLE, ONLY_DATA)
    operation = _weighted_pool(windows, "exp-sum", per_channel=False)
    return Call(operation, (x,), SINGLE, ONLY_DATA)


def edscw_pool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    per_channel: bool = True,
    ndim: int | None = None,
) -> Call:
    """The call of :func:`liftwave.pooling.edscw_pool`."""
    windows = window_arguments(kernel_size, stride, padding, dilation, ceil_mode, ndim)
    operation = _weighted_pool(windows, "exp-dice", per_channel=flag(per_channel, "per_channel"))
    return Call(operation, (x,), SINGLE, ONLY_DATA)


def similarity_pool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    similarity: str = "dice",
    exponential: bool = True,
    per_channel: bool = True,
    ndim: int | None = None,
) -> Call:
    """The call of :func:`liftwave.pooling.similarity_pool`."""
    checked_similarity(similarity)
    weights: Any = f"exp-{similarity}" if flag(exponential, "exponential") else similarity
    windows = window_arguments(kernel_size, stride, padding, dilation, ceil_mode, ndim)
    operation = _weighted_pool(windows, weights, per_channel=flag(per_channel, "per_channel"))
    return Call(operation, (x,), SINGLE, ONLY_DATA)


def idw_pool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    distance: str = "l2",
    delta: float = 1.0,
    per_channel: bool = True,
    ndim: int | None = None,
) -> Call:
    """The call of :func:`liftwave.pooling.idw_pool`."""
    distance, delta = checked_distance(distance, delta)
    weights: Any = f"idw-{distance}"
    windows = window_arguments(kernel_size, stride, padding, dilation, ceil_mode, ndim)
    operation = _weighted_pool(windows, weights, delta, flag(per_channel, "per_channel"))
    return Call(operation, (x,), SINGLE, ONLY_DATA)


def ada_pool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    beta: ArrayLike = 0.5,
    per_channel: bool = True,
    ndim: int | None = None,
) -> Call:
    """The call of :func:`liftwave.pooling.ada_pool`."""
    windows = window_arguments(kernel_size, stride, padding, dilation, ceil_mode, ndim)
    per_channel = per_channel is True or flag(per_channel, "per_channel")
    operation = _weighted_pool(windows, "ada", per_channel=per_channel)
    return Call(operation, (x, _plain_beta(beta, x)), SINGLE, DATA_AND_BETA)


def ada_unpool(
    x: ArrayLike,
    pooled: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    beta: ArrayLike = 0.5,
    up: str = "nearest",
    preserve: str = "sum",
    per_channel: bool = True,
    ndim: int | None = None,
) -> Call:
    """The call of :func:`liftwave.pooling.ada_unpool`."""
    check_reverse(up, preserve)
    options: Any = {"per_channel": flag(per_channel, "per_channel"), "up": up, "preserve": preserve}
    windows = window_arguments(kernel_size, stride, padding, dilation, ceil_mode, ndim)
    operation = _weighted_pool(windows, "ada", **options)
    arrays = (x, pooled, _plain_beta(beta, x))
    return Call(operation, arrays, SINGLE, DATA_POOLED_BETA)


def _plain_beta(beta: ArrayLike, x: ArrayLike) -> ArrayLike:
    """Return ``beta``; a number becomes an array if the data are one, to skip a conversion."""
    if type(beta) is float and type(x) is np.ndarray and x.dtype in REAL_DTYPES:
        return np.asarray(beta, x.dtype)
    return beta


def check_reverse(up: str, preserve: str) -> None:
    """Raise unless the options of :func:`ada_unpool` have known values.

    Raises
    ------
    WindowError
        If they do not.
    """
    _check_name("up", up, UPS)
    _check_name("preserve", preserve, PRESERVED)


def _check_name(option: str, name: Any, names: Sequence[str]) -> None:
    if not is_one_of(name, names):
        raise WindowError(f"{option} must be one of {', '.join(map(repr, names))}, got {name!r}")


def checked_similarity(similarity: str) -> str:
    """The name of a similarity, if it exists."""
    _check_name("similarity", similarity, SIMILARITIES)
    return similarity


def checked_distance(distance: str, delta: Any) -> tuple[str, float]:
    """The distance and ``delta`` of :func:`idw_pool`, if they are valid.

    Raises
    ------
    WindowError, ArgumentTypeError
        If they are not.
    """
    _check_name("distance", distance, DISTANCES)
    number = real_number(delta, "delta must be a number")
    if not 0 < number < float("inf"):
        raise WindowError(f"delta must be a positive number, got {delta!r}")
    return distance, number


# --- by index ------------------------------------------------------------------------------------


def max_pool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    return_indices: bool = False,
    ndim: int | None = None,
) -> Call:
    """The call of :func:`liftwave.pooling.max_pool`."""
    windows = window_arguments(kernel_size, stride, padding, dilation, ceil_mode, ndim)
    result = MAX_PAIR if flag(return_indices, "return_indices") else MAX_VALUES
    return Call(_max_pool(windows), (x,), result, ONLY_DATA)


def max_unpool(
    x: ArrayLike,
    indices: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
    *,
    ndim: int | None = None,
) -> Call:
    """The call of :func:`liftwave.pooling.max_unpool`."""
    values, places = as_array(x), as_array(indices)
    windows = window_arguments(kernel_size, stride, padding, ndim=ndim)
    size = _size_of_result(values, windows, output_size)
    check_places(places, size)
    return Call(MaxUnpool(windows.ndim), (values, places), SINGLE, ONLY_DATA, size)


def nearest_unpool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    output_size: Sequence[int] | None = None,
    *,
    ndim: int | None = None,
) -> Call:
    """The call of :func:`liftwave.pooling.nearest_unpool`."""
    windows = separate_windows(kernel_size, stride, ndim)
    return _upsample(as_array(x), windows, windows.kernel, output_size)


def separate_windows(kernel_size: Size, stride: Size | None, ndim: int | None) -> WindowArguments:
    """Windows that do not overlap.

    Raises
    ------
    WindowError
        If they overlap.
    """
    windows = window_arguments(kernel_size, stride, ndim=ndim)
    if any(s < k for k, s in zip(windows.kernel, windows.stride, strict=True)):
        raise WindowError(
            f"windows must not overlap, because each sample copies one value: stride "
            f"{windows.stride} is less than kernel_size {windows.kernel}"
        )
    return windows


def bed_of_nails_unpool(
    x: ArrayLike,
    kernel_size: Size,
    stride: Size | None = None,
    output_size: Sequence[int] | None = None,
    *,
    ndim: int | None = None,
) -> Call:
    """The call of :func:`liftwave.pooling.bed_of_nails_unpool`."""
    windows = window_arguments(kernel_size, stride, ndim=ndim)
    return _upsample(as_array(x), windows, (1,) * windows.ndim, output_size)


def _upsample(
    x: Array, windows: WindowArguments, width: Ints, output_size: Sequence[int] | None
) -> Call:
    size = _size_of_result(x, windows, output_size)
    check_size("the result", tuple(x.shape[: x.ndim - windows.ndim]) + size)
    return Call(WindowUpsample(width, windows.stride), (x,), SINGLE, ONLY_DATA, size)


def _size_of_result(x: Array, windows: WindowArguments, output_size: Sequence[int] | None) -> Ints:
    """The spatial size of the array that was pooled to ``x``."""
    shape, ndim = tuple(x.shape), windows.ndim
    check_counts(shape, ndim)
    counts = shape[len(shape) - ndim :]
    span = result_size(counts, windows.kernel, windows.stride, windows.padding)
    return checked_size(output_size, span, windows.stride, shape)


def conv_transpose(
    x: ArrayLike,
    weight: ArrayLike,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
    *,
    bias: ArrayLike | None = None,
    groups: int = 1,
) -> Call:
    """The call of :func:`liftwave.pooling.conv_transpose`."""
    taps = as_array(weight)
    check_weight(taps.shape)
    ndim = taps.ndim - 2
    operation = ConvTranspose(
        per_axis("stride", stride, ndim, 1),
        per_axis("padding", padding, ndim, 0),
        per_axis("output_padding", output_padding, ndim, 0),
        per_axis("dilation", dilation, ndim, 1),
        positive_number(groups, "groups", WindowError),
        bias is not None,
    )
    if bias is None:
        return Call(operation, (x, taps), SINGLE, DATA_AND_WEIGHT)
    return Call(operation, (x, taps, bias), SINGLE, DATA_WEIGHT_BIAS)


# --- attention -----------------------------------------------------------------------------------


def energy_attention(
    x: ArrayLike,
    squeeze: tuple[Array, Array],
    excite: tuple[Array, Array],
    mean: Array | None = None,
    variance: Array | None = None,
    *,
    dimensions: int = 2,
    normalize: bool = False,
    epsilon: float = EPSILON,
) -> Call:
    """The call of :func:`liftwave.pooling.energy_attention`."""
    array, dimensions = as_array(x), whole_number(dimensions, "dimensions must be an integer")
    if dimensions < 1 or array.ndim <= dimensions:
        raise ShapeError(
            f"x must have the shape (..., C, {dimensions} spatial axes), got {tuple(array.shape)}"
        )
    for name, layer in (("squeeze", squeeze), ("excite", excite)):
        if not isinstance(layer, list | tuple) or len(layer) != 2:
            raise ArgumentTypeError(
                f"{name} must be a pair (weight, bias), got {type(layer).__name__}"
            )
    if (mean is None) != (variance is None):
        raise ArgumentTypeError("pass both mean and variance or neither, got only one of them")
    statistics = () if mean is None else (mean, variance)
    parameters = [as_array(a) for a in (*squeeze, *excite, *statistics)]
    _check_layers([tuple(a.shape) for a in parameters], array.shape[-dimensions - 1])
    number = real_number(epsilon, "epsilon must be a number")
    operation = Attention(dimensions, flag(normalize, "normalize"), number)
    return Call(operation, (array, *parameters), SINGLE, ATTENTION_INPUTS)


def _check_layers(shapes: list[tuple[int, ...]], channels: int) -> None:
    squeeze, first, excite, second, *statistics = shapes
    inner = first[0] if len(first) == 1 else -1
    if squeeze != (inner, channels) or excite != (channels, inner) or second != (channels,):
        raise ShapeError(
            f"for {channels} channels, layers must have the shapes (R, {channels}), (R,), "
            f"({channels}, R), ({channels},); got {', '.join(map(str, shapes[:4]))}"
        )
    if any(shape != (channels,) for shape in statistics):
        raise ShapeError(
            f"mean and variance must have one number for each of {channels} channels, got shapes "
            f"{' and '.join(map(str, statistics))}"
        )
