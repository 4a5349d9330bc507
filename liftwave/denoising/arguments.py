"""Checks and conversions of the arguments of denoising."""

from __future__ import annotations

import operator
import sys
from collections.abc import Sequence
from math import inf
from typing import Literal, TypeAlias

from liftwave._arrays.convert import is_complex
from liftwave._numbers import is_one_of, real_number
from liftwave._plan.arguments import check_level, normalize_axes, normalize_axis
from liftwave._plan.axes import AxisPlan, AxisPlans, axis_plans
from liftwave._plan.boundary import check_extends
from liftwave._typing import Array, Modes
from liftwave.denoising.analyses import ANALYSES, TransformName
from liftwave.denoising.dual_tree import check_dual_tree
from liftwave.denoising.recipes import Method
from liftwave.denoising.steps import Step, anscombe, haar_fisz, opponent_colours
from liftwave.errors import ArgumentTypeError, AxisError, DTypeError, ShapeError, ThresholdError
from liftwave.transforms.dual_tree_calls import MOST_AXES
from liftwave.wavelets.resolve import Wavelets

Stabilisation: TypeAlias = Literal["anscombe", "haar-fisz"]
"""The name of a transform after which the noise of counts has the standard deviation 1."""

# Number of coarsest levels left unchanged by default. They hold the signal and little noise, and
# the universal threshold would damage them. Thresholds for each band adapt to this.
_LEVELS_KEPT = {"visu": 3}


def check_shifts(transform: object, shifts: int) -> None:
    """Raise if the transform does not exist, or does not fit the number of shifts.

    Raises
    ------
    ThresholdError
        In both cases.
    """
    if transform is not None and not is_one_of(transform, ANALYSES):
        names = ", ".join(map(repr, ANALYSES))
        raise ThresholdError(f"unknown transform {transform!r}; use one of {names}")
    if shifts > 1 and transform not in (None, "dwt"):
        raise ThresholdError(
            f"shifts={shifts} needs transform='dwt': {transform!r} already averages over shifts. "
            "Remove shifts"
        )


def number_of_shifts(shifts: object) -> int:
    """The number of shifts along each axis.

    Raises
    ------
    ArgumentTypeError, ThresholdError
        If it is not a positive integer.
    """
    try:
        number = operator.index(shifts)  # type: ignore[arg-type]
    except TypeError:
        raise ArgumentTypeError(f"shifts must be an integer, got {shifts!r}") from None
    if number < 1:
        raise ThresholdError(f"shifts must be at least 1 (no cycle spinning), got {shifts}")
    if number > sys.maxsize:
        raise ThresholdError(f"shifts must be at most {sys.maxsize}, got {shifts}")
    return number


# --- axes and levels -----------------------------------------------------------------------------


def data_axes(
    axes: Sequence[int] | int | None, data: Array, channel_axis: int | None = None
) -> tuple[int, ...]:
    """The axes to transform; by default all but that of the channels.

    Raises
    ------
    ShapeError, AxisError
        If the data do not have these axes, or the channels are along one of them.
    """
    if data.ndim < 1:
        raise ShapeError("Expected at least 1D input data, got a 0-d array.")
    if channel_axis is None:
        return normalize_axes(axes, data.ndim, unique=True)
    channel = normalize_axis(channel_axis, data.ndim)
    if axes is None:
        axes = tuple(a for a in range(data.ndim) if a != channel)
    normalized = normalize_axes(axes, data.ndim, unique=True)
    if channel in normalized:
        raise AxisError(f"channel_axis={channel_axis} is one of the axes to transform, {axes}")
    return normalized


def usual_transform(
    wavelet: Wavelets | None, shifts: int, axes: tuple[int, ...], data: Array
) -> TransformName:
    """The transform of data if none is chosen: the dual tree, if it fits the other arguments."""
    long_axes = sum(data.shape[axis] != 1 for axis in axes)
    fits = wavelet is None and shifts == 1 and not is_complex(data) and long_axes <= MOST_AXES
    return "dtcwt" if fits else "dwt"


def usual_method(axes: tuple[int, ...], data: Array, rule: object) -> Method:
    """The method if none is chosen: the best of the fast ones by ``benchmarks.denoising``."""
    if rule is not None:  # other methods have no rule
        return "bayes"
    return "neighcoeff" if sum(data.shape[axis] != 1 for axis in axes) < 2 else "bivariate"


def linear_plans(
    wavelet: Wavelets | None,
    mode: Modes,
    axes: tuple[int, ...],
    data: Array,
    transform: str = "dwt",
) -> AxisPlans:
    """The plans of the axes with more than one sample: other axes have no details.

    Raises
    ------
    ThresholdError
        If the wavelet is an integer scheme.
    LiftwaveError
        If the dual tree does not fit the data or the wavelet.
    """
    if wavelet is None:
        wavelet = "cdf9.7" if transform == "dtcwt" else "sym8"
    plans = axis_plans(wavelet, mode, axes, data.ndim)
    if not all(data.shape[plan.axis] != 1 for plan in plans):
        plans = AxisPlans(plan for plan in plans if data.shape[plan.axis] != 1)
    if plans.is_integer:
        raise ThresholdError(
            "denoising needs a linear transform, got an integer lifting scheme; "
            "use the scheme before to_integer()"
        )
    if transform != "dwt":
        for plan in plans:
            check_extends(plan.boundary, f"transform={transform!r}")
    if transform == "dtcwt":
        check_dual_tree(plans, data)
    return plans


def depth_of(
    level: int | None, method: str, shape: tuple[int, ...], plans: tuple[AxisPlan, ...]
) -> int:
    """The number of levels."""
    if not plans:
        return 0
    depth = check_level(level, [shape[p.axis] for p in plans], [p.wavelet for p in plans])
    return max(1, depth - _LEVELS_KEPT.get(method, 0)) if level is None else depth


# --- steps before and after denoising ------------------------------------------------------------


def steps_of(
    vst: object,
    gain: float,
    read_noise: float,
    channel_axis: int | None,
    data: Array,
    axes: tuple[int, ...],
) -> list[Step]:
    """The steps that change the data before denoising.

    Raises
    ------
    ThresholdError, DTypeError
        If the stabilisation does not exist, a number is out of range, or the data are complex.
    """
    steps = [] if vst is None else [_stabilisation(vst, gain, read_noise, data, axes)]
    if vst is None and (gain, read_noise) != (1.0, 0.0):
        raise ThresholdError("gain and read_noise need a stabilisation: use vst='anscombe'")
    if channel_axis is not None:
        steps.append(opponent_colours(normalize_axis(channel_axis, data.ndim)))
    return steps


def _stabilisation(
    vst: object, gain: float, read_noise: float, data: Array, axes: tuple[int, ...]
) -> Step:
    if not is_one_of(vst, ("anscombe", "haar-fisz")):
        raise ThresholdError(f"unknown vst {vst!r}; use 'anscombe', 'haar-fisz' or None")
    if is_complex(data):
        raise DTypeError(f"vst needs real counts of photons, got data of {data.dtype}: remove vst")
    gain = real_number(gain, "gain must be a number")
    read_noise = real_number(read_noise, "read_noise must be a number")
    if not 0 < gain < inf:
        raise ThresholdError(f"gain must be positive and finite, got {gain}")
    if not 0 <= read_noise < inf:
        raise ThresholdError(f"read_noise must be at least 0 and finite, got {read_noise}")
    if vst == "anscombe":
        return anscombe(gain, read_noise)
    if read_noise:
        raise ThresholdError("vst='haar-fisz' does not support read_noise: use vst='anscombe'")
    return haar_fisz(axes, tuple(data.shape), gain)
