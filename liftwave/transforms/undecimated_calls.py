"""Calls of the undecimated transforms: convert the arguments of each function to an operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pywt

from liftwave._arrays.convert import as_array
from liftwave._numbers import flag, whole_number
from liftwave._operations.call import Call, Structure
from liftwave._operations.every_level import EveryLevel
from liftwave._operations.operation import Operation
from liftwave._operations.planned_transform import detail_keys
from liftwave._operations.transform import Transform, analysis
from liftwave._plan.arguments import natural_level, normalize_axis, resolve_mode, undecimated_level
from liftwave._plan.axes import AxisPlans, axis_plans, plans_along
from liftwave._plan.circular import Undecimated
from liftwave._typing import Array, ArrayLike, ModeLike, Modes
from liftwave.errors import (
    BandShapeError,
    LevelError,
    LevelTypeError,
    NormWarning,
    ShapeError,
    WaveletError,
    warn,
)
from liftwave.transforms.calls import synthesis_call, two_axes
from liftwave.transforms.undecimated_lifting import analyse, is_lifting, plans_for, synthesise
from liftwave.transforms.undecimated_modes import check_periodic, check_start, extended
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
    _check_filters(wavelet)
    x = data if type(data) is np.ndarray else as_array(data)
    options = _mode(start_level, norm)
    plans = plans_along(wavelet, options, axis, x.ndim)
    count = _level(level, [x.shape[plans[0].axis]])
    if count == 0:
        raise LevelError(
            "Level value must be greater than zero. swt computes any number of levels of "
            f"{x.shape[plans[0].axis]} samples: pass level"
        )
    _warn_of_norm(wavelet, options.norm, "the wavelet is")
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
    _check_filters(wavelet)
    x = data if type(data) is np.ndarray else as_array(data)
    pair = two_axes(axes)
    if x.ndim < 2:
        raise ShapeError(
            f"Input array has fewer dimensions than the specified axes: shape {tuple(x.shape)}"
        )
    options = _mode(start_level, norm)
    plans = axis_plans(wavelet, options, pair, x.ndim)
    _warn_of_norm(wavelet, options.norm, "the wavelets used are")
    check_start(options, x, plans)
    plans = extended(plans, mode, x, count := _natural_level(level))
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
    _check_filters(wavelet)
    x = data if type(data) is np.ndarray else as_array(data)
    if x.ndim < 1:
        raise ShapeError("Input data must be at least 1D, got a 0-d array")
    options = _mode(start_level, norm)
    plans = axis_plans(wavelet, options, axes, x.ndim)
    _warn_of_norm(wavelet, options.norm, "the wavelets used are")
    check_start(options, x, plans)
    plans = extended(plans, mode, x, count := _natural_level(level))
    return _analysis_call(x, plans, count, trim_approx, any_axes(len(plans)))


def _analysis_call(
    x: Array, plans: AxisPlans, level: int, trim_approx: bool, bands: UndecimatedBands
) -> Call:
    transform = analysis(plans, x.ndim, level)
    if flag(trim_approx, "trim_approx"):
        return Call(transform, (x,), bands.trimmed)
    if not level:
        return Call(transform, (x,), _Nothing())
    return Call(_every_level(plans, transform), (x,), bands.levels)


def _every_level(plans: AxisPlans, transform: Transform) -> Operation:
    key = ("every level", transform.level)
    operation: EveryLevel | None = plans.cache.get(key)
    if operation is None:
        operation = plans.cache[key] = EveryLevel(transform)
    return operation


class _Nothing:
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
    _check_filters(wavelet)
    check_periodic("iswt", mode)
    structure = ONE_AXIS.of_argument(coeffs, (tuple, list))
    bands = structure.unpack(coeffs)
    ndim = _ndim_of(bands)
    plans = plans_along(wavelet, _mode(0, norm), axis, ndim)
    return undecimated_synthesis(bands, plans, ndim, structure)


def iswt2(
    coeffs: Any,
    wavelet: Wavelets,
    norm: bool = False,
    axes: Sequence[int] = (-2, -1),
    mode: Modes = "periodization",
) -> Call:
    """The call of :func:`liftwave.iswt2`."""
    _check_filters(wavelet)
    check_periodic("iswt2", mode)
    structure = TWO_AXES.of_argument(coeffs, (tuple, list))
    bands = structure.unpack(coeffs)
    ndim = _ndim_of(bands)
    plans = axis_plans(wavelet, _mode(0, norm), two_axes(axes), ndim)
    return undecimated_synthesis(bands, plans, ndim, structure)


def iswtn(
    coeffs: Any,
    wavelet: Wavelets,
    axes: Sequence[int] | None = None,
    norm: bool = False,
    mode: Modes = "periodization",
) -> Call:
    """The call of :func:`liftwave.iswtn`."""
    _check_filters(wavelet)
    check_periodic("iswtn", mode)
    letters = letters_of(coeffs)
    structure = any_axes(letters).of_argument(coeffs, (dict,))
    bands = structure.unpack(coeffs)
    ndim = _ndim_of(bands)
    plans = axis_plans(wavelet, _mode(0, norm), axes, ndim)
    _check_letters(letters, plans)
    return undecimated_synthesis(bands, plans, ndim, structure)


def undecimated_synthesis(
    bands: Sequence[Array | None], plans: AxisPlans, ndim: int, structure: Structure
) -> Call:
    """The call of a synthesis. All bands must have the same shape."""
    _shape_of(bands)
    assert (len(bands) - 1) % len(detail_keys(len(plans))) == 0
    return synthesis_call(bands, plans, ndim, structure, trim_odd=False)


def _ndim_of(bands: Sequence[Array | None]) -> int:
    return len(_shape_of(bands))


def _shape_of(bands: Sequence[Array | None]) -> tuple[int, ...]:
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


def _check_letters(letters: int, plans: AxisPlans) -> None:
    if len(plans) != letters:
        raise ShapeError(
            "The number of axes used in iswtn must match the number of dimensions transformed in "
            f"swtn: keys have {letters} letters, the axes are {tuple(p.axis for p in plans)}"
        )


# --- lifting schemes -------------------------------------------------------------------------


def lifted_swt(
    data: ArrayLike,
    wavelet: WaveletLike,
    level: int | None,
    start_level: int,
    axis: int,
    trim_approx: bool,
    norm: bool,
    mode: ModeLike,
) -> list[Any]:
    """The result of :func:`liftwave.swt` with a lifting scheme."""
    x = as_array(data)
    plans = plans_for(wavelet, mode, normalize_axis(axis, x.ndim), x.shape)
    count = _level(level, [x.shape[plans[0].axis]])
    if count == 0:
        raise LevelError("Level value must be greater than zero: pass level")
    return _lifted(x, plans, count, _mode(start_level, norm), trim_approx, ONE_AXIS)


def lifted_swt2(
    data: ArrayLike,
    wavelet: Wavelets,
    level: int,
    start_level: int,
    axes: Sequence[int],
    trim_approx: bool,
    norm: bool,
    mode: Modes,
) -> list[Any]:
    """The result of :func:`liftwave.swt2` with lifting schemes."""
    x = as_array(data)
    plans = plans_for(wavelet, mode, two_axes(axes), x.shape)
    count = _natural_level(level)
    return _lifted(x, plans, count, _mode(start_level, norm), trim_approx, TWO_AXES)


def lifted_swtn(
    data: ArrayLike,
    wavelet: Wavelets,
    level: int,
    start_level: int,
    axes: Sequence[int] | None,
    trim_approx: bool,
    norm: bool,
    mode: Modes,
) -> list[Any]:
    """The result of :func:`liftwave.swtn` with lifting schemes."""
    x = as_array(data)
    plans = plans_for(wavelet, mode, axes, x.shape)
    count, options = _natural_level(level), _mode(start_level, norm)
    return _lifted(x, plans, count, options, trim_approx, any_axes(len(plans)))


def _lifted(
    x: Array,
    plans: AxisPlans,
    level: int,
    options: Undecimated,
    trim_approx: bool,
    bands: UndecimatedBands,
) -> list[Any]:
    check_start(options, x, plans)
    results = analyse(x, plans, level, options.start_level, options.norm)
    if not flag(trim_approx, "trim_approx"):
        return bands.levels.pack(results) if level else []
    # Each level has as many results as the first one; all approximations but the last are left out.
    count = bands.levels.count
    trimmed: list[Any] = bands.trimmed.pack(
        [y for k, y in enumerate(results) if k == 0 or k % count]
    )
    return trimmed


def lifted_iswt(coeffs: Any, wavelet: WaveletLike, norm: bool, axis: int, mode: ModeLike) -> Array:
    """The result of :func:`liftwave.iswt` with a lifting scheme."""
    bands = ONE_AXIS.of_argument(coeffs, (tuple, list)).unpack(coeffs)
    shape = _shape_of(bands)
    plans = plans_for(wavelet, mode, normalize_axis(axis, len(shape)), shape)
    return synthesise(bands, plans, flag(norm, "norm"))


def lifted_iswt2(
    coeffs: Any, wavelet: Wavelets, norm: bool, axes: Sequence[int], mode: Modes
) -> Array:
    """The result of :func:`liftwave.iswt2` with lifting schemes."""
    bands = TWO_AXES.of_argument(coeffs, (tuple, list)).unpack(coeffs)
    plans = plans_for(wavelet, mode, two_axes(axes), _shape_of(bands))
    return synthesise(bands, plans, flag(norm, "norm"))


def lifted_iswtn(
    coeffs: Any, wavelet: Wavelets, axes: Sequence[int] | None, norm: bool, mode: Modes
) -> Array:
    """The result of :func:`liftwave.iswtn` with lifting schemes."""
    letters = letters_of(coeffs)
    bands = any_axes(letters).of_argument(coeffs, (dict,)).unpack(coeffs)
    plans = plans_for(wavelet, mode, axes, _shape_of(bands))
    _check_letters(letters, plans)
    return synthesise(bands, plans, flag(norm, "norm"))


def _check_filters(wavelet: Wavelets) -> None:
    """Raise unless the wavelets are filter banks."""
    if is_lifting(wavelet):
        raise WaveletError(
            "an undecimated transform by a lifting scheme has no pullback: use its filter bank "
            "(scheme.to_filter_bank()), or torch, which differentiates it"
        )


# --- arguments -------------------------------------------------------------------------------


def _mode(start_level: int, norm: bool) -> Undecimated:
    start = whole_number(start_level, "start_level must be an integer", LevelTypeError)
    if start < 0:
        raise LevelError(f"start_level must be at least 0, got {start}")
    return Undecimated("centred", natural_level(start), flag(norm, "norm"))


def _level(level: int | None, sizes: Sequence[int]) -> int:
    """The number of levels; for ``None`` the largest that PyWavelets supports."""
    if level is None:
        return min((undecimated_level(n) for n in sizes), default=0)
    return _natural_level(level)


def _natural_level(level: Any) -> int:
    if level is None:
        raise LevelTypeError("level must be an integer >= 0, got None")
    return natural_level(level)


def _warn_of_norm(wavelet: Wavelets, norm: bool, subject: str) -> None:
    if not norm:
        return
    given = list(wavelet) if isinstance(wavelet, list | tuple) else [wavelet]
    if not all(map(_is_orthogonal, given)):
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
