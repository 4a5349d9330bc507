"""Calls of the analyses: convert the arguments of each public function to an operation.

Those of the inverse transforms are in ``synthesis_calls.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liftwave._arrays.convert import as_array
from liftwave._numbers import items, whole_number
from liftwave._operations.call import SINGLE, Call
from liftwave._operations.plan_transforms import analysis
from liftwave._operations.transform import Transform
from liftwave._plan.arguments import (
    check_level,
    check_part,
    check_positive_level,
    useful_level,
)
from liftwave._plan.axes import AxisPlans, axis_plans, plans_along
from liftwave._plan.axis import bounded
from liftwave._plan.lengths import check_size
from liftwave._typing import Array, ArrayLike, ModeLike, Modes
from liftwave.errors import AxisTypeError, ShapeError, ShapeTypeError
from liftwave.transforms.structures import (
    BAND_LIST,
    PAIR,
    QUAD,
    TRIPLE_LIST,
    OneBand,
    dict_list,
    keyed_bands,
)
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import WaveletLike, Wavelets, resolve_wavelet

# --- analysis --------------------------------------------------------------------------------


def dwt(
    data: ArrayLike, wavelet: WaveletLike, mode: ModeLike = "symmetric", axis: int = -1
) -> Call:
    """The call of :func:`liftwave.dwt`."""
    x = data if type(data) is np.ndarray else as_array(data)
    plans = plans_along(wavelet, mode, axis, x.ndim)
    return Call(analysis(plans, x.ndim, 1), (x,), PAIR)


def dwt2(
    data: ArrayLike,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] = (-2, -1),
) -> Call:
    """The call of :func:`liftwave.dwt2`."""
    x = data if type(data) is np.ndarray else as_array(data)
    _check_ndim(x)
    plans = axis_plans(wavelet, mode, two_axes(axes), x.ndim, False)
    return Call(analysis(plans, x.ndim, 1), (x,), QUAD)


def dwtn(
    data: ArrayLike,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    axes: Sequence[int] | None = None,
) -> Call:
    """The call of :func:`liftwave.dwtn`."""
    x = data if type(data) is np.ndarray else as_array(data)
    _check_ndim(x)
    plans = axis_plans(wavelet, mode, axes, x.ndim, False)
    return Call(analysis(plans, x.ndim, 1), (x,), keyed_bands(len(plans)))


def wavedec(
    data: ArrayLike,
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    level: int | None = None,
    axis: int = -1,
) -> Call:
    """The call of :func:`liftwave.wavedec`."""
    x = data if type(data) is np.ndarray else as_array(data)
    plans = plans_along(wavelet, mode, axis, x.ndim)
    return Call(multilevel_analysis(x, plans, level), (x,), BAND_LIST)


def wavedec2(
    data: ArrayLike,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    level: int | None = None,
    axes: Sequence[int] = (-2, -1),
) -> Call:
    """The call of :func:`liftwave.wavedec2`."""
    x = data if type(data) is np.ndarray else as_array(data)
    if x.ndim < 2:
        raise ShapeError(
            f"Expected input data to have at least 2 dimensions, got shape {tuple(x.shape)}."
        )
    plans = axis_plans(wavelet, mode, two_axes(axes), x.ndim)
    return Call(multilevel_analysis(x, plans, level), (x,), TRIPLE_LIST)


def wavedecn(
    data: ArrayLike,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    level: int | None = None,
    axes: Sequence[int] | int | None = None,
) -> Call:
    """The call of :func:`liftwave.wavedecn`."""
    x = data if type(data) is np.ndarray else as_array(data)
    if x.ndim < 1:
        raise ShapeError("Expected at least 1D input data, got a 0-d array.")
    plans = axis_plans(wavelet, mode, axes, x.ndim)
    return Call(multilevel_analysis(x, plans, level), (x,), dict_list(len(plans)))


def decompose(
    data: ArrayLike,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    level: int | None = None,
    axes: Sequence[int] | int | None = None,
) -> Call:
    """As :func:`wavedecn`, but axes of one sample do not limit the number of levels."""
    x = data if type(data) is np.ndarray else as_array(data)
    if 1 not in x.shape:
        return wavedecn(x, wavelet, mode, level, axes)
    plans = axis_plans(wavelet, mode, axes, x.ndim)
    longer = [plan for plan in plans if x.shape[plan.axis] != 1]
    depth = check_level(level, [x.shape[p.axis] for p in longer], [p.wavelet for p in longer])
    return Call(analysis(plans, x.ndim, depth), (x,), dict_list(len(plans)))


def downcoef(
    part: str,
    data: ArrayLike,
    wavelet: WaveletLike,
    mode: ModeLike = "symmetric",
    level: int = 1,
) -> Call:
    """The call of :func:`liftwave.downcoef`."""
    x = data if type(data) is np.ndarray else as_array(data)
    if x.ndim != 1:
        raise ShapeError(f"downcoef only supports 1d data, got shape {tuple(x.shape)}.")
    check_part(part)
    level = check_positive_level(level)
    plans = plans_along(wavelet, mode, 0, 1)
    return Call(analysis(plans, 1, level), (x,), OneBand(part, level))


def upcoef(
    part: str, coeffs: ArrayLike, wavelet: WaveletLike, level: int = 1, take: int = 0
) -> Call:
    """The call of :func:`liftwave.upcoef`."""
    band = as_array(coeffs)
    if band.ndim != 1:
        raise ShapeError(f"upcoef only supports 1d coeffs, got shape {tuple(band.shape)}.")
    check_part(part)
    level = check_positive_level(level)
    take = _check_take(take)
    if band.shape[0] < 1:
        raise ShapeError("upcoef needs at least one coefficient, got none")
    bank = resolve_wavelet(wavelet)
    bank = bank.to_filter_bank() if isinstance(bank, LiftingScheme) else bank
    check_size("the result", (_upsampled_length(band.shape[0], bank.rec_len, level),))
    from liftwave._operations.upsample import Upsample  # few programs use it

    operation = Upsample(part, bank, level, whole_number(take, "take must be an integer"))
    return Call(operation, (band,), SINGLE)


def _upsampled_length(m: int, taps: int, level: int) -> int:
    """Apply ``m -> 2 m - 2 + taps`` ``level`` times (an upper bound from 64 levels on)."""
    return (m + taps - 2 << min(level, 64)) - taps + 2


def multilevel_analysis(x: Array, plans: AxisPlans, level: int | None) -> Transform:
    """The analysis of ``level`` levels of an array; ``None`` means the useful maximum."""
    shape = tuple(x.shape)
    key = ("analysis", shape, level)
    if type(level) is int or level is None:  # 2.0 equals 2, and would use its cache entry
        try:
            transform: Transform | None = plans.cache.get(key)
        except TypeError:  # a batch size that is a symbol has no hash
            return _multilevel_analysis(shape, plans, level)
        if transform is not None:
            return transform
    transform = _multilevel_analysis(shape, plans, level)
    if level is None or transform.level <= _useful_level(shape, plans):  # others warn each time
        bounded(plans.cache)[key] = transform
    return transform


def _multilevel_analysis(shape: Sequence[int], plans: AxisPlans, level: int | None) -> Transform:
    sizes, wavelets = [shape[p.axis] for p in plans], [p.wavelet for p in plans]
    return analysis(plans, len(shape), check_level(level, sizes, wavelets))


def _useful_level(shape: Sequence[int], plans: AxisPlans) -> int:
    return useful_level([shape[p.axis] for p in plans], [p.wavelet for p in plans])


# --- checks ----------------------------------------------------------------------------------


def two_axes(axes: Sequence[int]) -> tuple[int, ...]:
    """The axes of a 2-D transform.

    Raises
    ------
    ShapeError
        If the number of axes is not two.
    """
    pair = axes
    if type(pair) is not tuple:
        pair = tuple(items(axes, "axes must be two integers", AxisTypeError))
    if len(pair) != 2:
        raise ShapeError(f"Expected 2 axes, got {pair}")
    return pair


def _check_ndim(x: Array) -> None:
    if x.ndim < 1:
        raise ShapeError("Input data must be at least 1D, got a 0-d array")


def _check_take(take: int) -> int:
    number = whole_number(take, "take must be an integer", ShapeTypeError)
    if number < 0:
        raise ShapeError(f"take must be a number of samples, or 0 for all, got {number}")
    return number
