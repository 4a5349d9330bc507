"""Calls of the undecimated transforms: convert the arguments of each function to an operation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pywt

from liftwave._arrays.convert import as_array
from liftwave._numbers import flag, whole_number
from liftwave._operations.call import Call, Structure
from liftwave._operations.every_level import EveryLevel
from liftwave._operations.operation import Operation
from liftwave._operations.plan_transforms import analysis
from liftwave._operations.planned_transform import detail_keys
from liftwave._operations.transform import Transform
from liftwave._plan.arguments import natural_level, resolve_mode, undecimated_level
from liftwave._plan.axes import AxisPlans, axis_plans, plans_along
from liftwave._plan.undecimated import Undecimated
from liftwave._typing import Array, ArrayLike, ModeLike, Modes
from liftwave.errors import (
    BandShapeError,
    LevelError,
    LevelTypeError,
    NormWarning,
    ShapeError,
    warn,
)
from liftwave.transforms.calls import two_axes
from liftwave.transforms.synthesis_calls import synthesis_call
from liftwave.transforms.undecimated_modes import check_start, extended, invertible, is_lifting
from liftwave.transforms.undecimated_structures import (
    ONE_AXIS,
    TWO_AXES,
    UndecimatedBands,
    any_axes,
    letters_of,
)
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.resolve import WaveletLike, Wavelets, resolve_wavelet

# --- analysis --------------------------------------------------------------------------------


def swt(
    data: ArrayLike,
    wavelet: WaveletLike,
    level: int | None = None,
    start_level: int = 0,
    axis: int = -1,
    trim_approx: bool = False,
    norm: bool = False,
    mode: ModeLike = "periodization",
) -> Call:
    """The call of :func:`liftwave.swt`."""
    x = data if type(data) is np.ndarray else as_array(data)
    options = undecimated_options(start_level, norm)
    plans = plans_along(wavelet, options, axis, x.ndim)
    count = level_of(level, [x.shape[plans[0].axis]])
    if count == 0:
        raise LevelError(
            "Level value must be greater than zero. swt computes any number of levels of "
            f"{x.shape[plans[0].axis]} samples: pass level"
        )
    warn_of_norm(wavelet, options.norm, "the wavelet is")
    check_start(options, x, plans)
    plans = extended(plans, mode if type(mode) is str else resolve_mode(mode), x, count)
    return _analysis_call(x, plans, count, trim_approx, ONE_AXIS)


def swt2(
    data: ArrayLike,
    wavelet: Wavelets,
    level: int,
    start_level: int = 0,
    axes: Sequence[int] = (-2, -1),
    trim_approx: bool = False,
    norm: bool = False,
    mode: Modes = "periodization",
) -> Call:
    """The call of :func:`liftwave.swt2`."""
    x = data if type(data) is np.ndarray else as_array(data)
    pair = two_axes(axes)
    if x.ndim < 2:
        raise ShapeError(
            f"Input array has fewer dimensions than the specified axes: shape {tuple(x.shape)}"
        )
    options = undecimated_options(start_level, norm)
    plans = axis_plans(wavelet, options, pair, x.ndim)
    warn_of_norm(wavelet, options.norm)
    check_start(options, x, plans)
    plans = extended(plans, mode, x, count := required_level(level))
    return _analysis_call(x, plans, count, trim_approx, TWO_AXES)


def swtn(
    data: ArrayLike,
    wavelet: Wavelets,
    level: int,
    start_level: int = 0,
    axes: Sequence[int] | None = None,
    trim_approx: bool = False,
    norm: bool = False,
    mode: Modes = "periodization",
) -> Call:
    """The call of :func:`liftwave.swtn`."""
    x = data if type(data) is np.ndarray else as_array(data)
    if x.ndim < 1:
        raise ShapeError("Input data must be at least 1D, got a 0-d array")
    options = undecimated_options(start_level, norm)
    plans = axis_plans(wavelet, options, axes, x.ndim)
    warn_of_norm(wavelet, options.norm)
    check_start(options, x, plans)
    plans = extended(plans, mode, x, count := required_level(level))
    return _analysis_call(x, plans, count, trim_approx, any_axes(len(plans)))


def _analysis_call(
    x: Array, plans: AxisPlans, level: int, trim_approx: bool, bands: UndecimatedBands
) -> Call:
    transform = analysis(plans, x.ndim, level)
    if flag(trim_approx, "trim_approx"):
        return Call(transform, (x,), bands.trimmed)
    if not level:
        return Call(transform, (x,), Nothing())
    return Call(_every_level(plans, transform), (x,), bands.levels)


def _every_level(plans: AxisPlans, transform: Transform) -> Operation:
    key = ("every level", transform.level)
    operation: EveryLevel | None = plans.cache.get(key)
    if operation is None:
        operation = plans.cache[key] = EveryLevel(transform)
    return operation


class Nothing:
    """The empty list of no levels."""

    def pack(self, arrays: Sequence[Array | None]) -> list[Any]:
        """The list."""
        return []

    def unpack(self, value: Any) -> Sequence[Array | None]:
        """The signal has no cotangent."""
        return [None]


# --- synthesis -------------------------------------------------------------------------------


def iswt(
    coeffs: Any,
    wavelet: WaveletLike,
    norm: bool = False,
    axis: int = -1,
    mode: ModeLike = "periodization",
) -> Call:
    """The call of :func:`liftwave.iswt`."""
    structure = ONE_AXIS.of_argument(coeffs, (tuple, list))
    bands = structure.unpack(coeffs)
    shape = shape_of_all(bands)
    plans = plans_along(wavelet, undecimated_options(0, norm), axis, len(shape))
    plans = invertible("iswt", plans, mode, shape)
    return undecimated_synthesis(bands, plans, len(shape), structure)


def iswt2(
    coeffs: Any,
    wavelet: Wavelets,
    norm: bool = False,
    axes: Sequence[int] = (-2, -1),
    mode: Modes = "periodization",
) -> Call:
    """The call of :func:`liftwave.iswt2`."""
    structure = TWO_AXES.of_argument(coeffs, (tuple, list))
    bands = structure.unpack(coeffs)
    shape = shape_of_all(bands)
    plans = axis_plans(wavelet, undecimated_options(0, norm), two_axes(axes), len(shape))
    plans = invertible("iswt2", plans, mode, shape)
    return undecimated_synthesis(bands, plans, len(shape), structure)


def iswtn(
    coeffs: Any,
    wavelet: Wavelets,
    axes: Sequence[int] | None = None,
    norm: bool = False,
    mode: Modes = "periodization",
) -> Call:
    """The call of :func:`liftwave.iswtn`."""
    letters = letters_of(coeffs, axes)
    structure = any_axes(letters).of_argument(coeffs, (dict,))
    bands = structure.unpack(coeffs)
    shape = shape_of_all(bands)
    plans = axis_plans(wavelet, undecimated_options(0, norm), axes, len(shape))
    check_letters(letters, plans)
    plans = invertible("iswtn", plans, mode, shape)
    return undecimated_synthesis(bands, plans, len(shape), structure)


def undecimated_synthesis(
    bands: Sequence[Array | None],
    plans: AxisPlans,
    ndim: int,
    structure: Structure,
) -> Call:
    """The call of a synthesis. All bands must have the same shape."""
    shape_of_all(bands)
    assert (len(bands) - 1) % len(detail_keys(len(plans))) == 0
    return synthesis_call(bands, plans, ndim, structure, trim_odd=False)


def shape_of_all(bands: Sequence[Array | None]) -> tuple[int, ...]:
    """The shape that all bands have."""
    shapes = [tuple(band.shape) for band in bands if band is not None]
    if not shapes:
        raise ShapeError("At least one coefficient must contain a valid value.")
    if any(shape != shapes[0] for shape in shapes):  # symbols in shapes have no hash
        raise BandShapeError(
            "Mismatch in shape of intermediate coefficient arrays: all bands of an undecimated "
            f"transform have the shape of the signal, got {shapes}"
        )
    return shapes[0]


def check_letters(letters: int, plans: AxisPlans) -> None:
    """Raise unless the keys of bands have a letter for each axis."""
    if len(plans) != letters:
        raise ShapeError(
            "The number of axes used in iswtn must match the number of dimensions transformed in "
            f"swtn: keys have {letters} letters, the axes are {tuple(p.axis for p in plans)}"
        )


# --- arguments -------------------------------------------------------------------------------


def undecimated_options(start_level: int, norm: bool) -> Undecimated:
    """The options of a transform with PyWavelets' names and alignment."""
    if type(start_level) is int and type(norm) is bool:
        return _options(start_level, norm)
    start = whole_number(start_level, "start_level must be an integer", LevelTypeError)
    return _options(start, flag(norm, "norm"))


@lru_cache(maxsize=256)
def _options(start: int, norm: bool) -> Undecimated:
    if start < 0:
        raise LevelError(f"start_level must be at least 0, got {start}")
    return Undecimated("centred", natural_level(start), norm)


def level_of(level: int | None, sizes: Sequence[int]) -> int:
    """The number of levels; for ``None`` the largest that PyWavelets supports."""
    if level is None:
        return min((undecimated_level(n) for n in sizes), default=0)
    return required_level(level)


def required_level(level: Any) -> int:
    """The number of levels, which has no default."""
    if level is None:
        raise LevelTypeError("level must be an integer >= 0, got None")
    return natural_level(level)


def warn_of_norm(wavelet: Wavelets, norm: bool, subject: str = "the wavelets used are") -> None:
    """Warn if the wavelets are not orthogonal and ``norm`` is set; lifting schemes do not warn."""
    if not norm or is_lifting(wavelet):
        return
    wavelets = list(wavelet) if isinstance(wavelet, list | tuple) else [wavelet]
    if not all(map(_is_orthogonal, wavelets)):
        warn(
            f"norm=True, but {subject} not orthogonal: the conditions for energy preservation are "
            "not satisfied.",
            NormWarning,
        )


def _is_orthogonal(wavelet: Any) -> bool:
    """Whether energy is preserved; taps that are arrays are not examined."""
    if isinstance(wavelet, str):
        wavelet = pywt.Wavelet(resolve_wavelet(wavelet).name)
    if isinstance(wavelet, FilterBank) and not wavelet.is_concrete:
        return True
    return bool(wavelet.orthogonal)
