"""Validates the common arguments of all transforms: modes, axes, levels, names of bands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import pywt

from liftwave._numbers import is_several, items, whole_number
from liftwave._plan.boundary import MODES
from liftwave._typing import Mode, ModeLike, Modes
from liftwave.errors import (
    AxisError,
    AxisTypeError,
    LevelError,
    LevelTypeError,
    LevelWarning,
    ModeError,
    ModeTypeError,
    ShapeError,
    ShapeTypeError,
    WaveletError,
    WaveletTypeError,
    warn,
)
from liftwave.wavelets.names import did_you_mean
from liftwave.wavelets.resolve import Resolved

_NAMES = frozenset(MODES)

# Old short names that PyWavelets still accepts.
_OLD_NAMES: dict[str, Mode] = {
    "zpd": "zero",
    "cpd": "constant",
    "sym": "symmetric",
    "ppd": "periodic",
    "sp1": "smooth",
    "per": "periodization",
}


@cache
def _mode_numbers() -> dict[int | str, Mode]:
    return {int(getattr(pywt.Modes, name)): cast(Mode, name) for name in pywt.Modes.modes}


def resolve_mode(mode: ModeLike | str) -> Mode:
    """The name of a boundary mode, from its name or PyWavelets' number.

    Raises
    ------
    ModeError
        If the mode does not exist.
    """
    if isinstance(mode, str) and mode in _NAMES:
        return mode
    if isinstance(mode, str) and mode in _OLD_NAMES:
        name = _OLD_NAMES[mode]
        warn(f"{mode} has been renamed to {name}; use the new name", DeprecationWarning)
        return name
    if not isinstance(mode, str | int):
        raise ModeTypeError(
            f"mode must be a name or a number, got {mode!r} of type {type(mode).__name__}"
        )
    known_mode = _mode_numbers().get(mode)
    if known_mode is None:
        raise ModeError(
            f"Unknown mode name {mode!r}; use one of {', '.join(map(repr, MODES))}."
            + (did_you_mean(mode, MODES) if isinstance(mode, str) else "")
        )
    return known_mode


def modes_per_axis(mode: Modes, naxes: int) -> tuple[Mode, ...]:
    """One mode for each of ``naxes`` axes."""
    if is_several(mode):
        mode_list: Sequence[ModeLike] = items(mode, "expected one mode per axis", ModeTypeError)
        if len(mode_list) not in (1, naxes):
            raise ModeError(
                "The number of modes must match the number of axes to be transformed: "
                f"got {len(mode_list)} modes for {naxes} axes"
            )
        resolved = [resolve_mode(m) for m in mode_list]
        return tuple(resolved * naxes if len(resolved) == 1 else resolved)
    return (resolve_mode(cast("ModeLike", mode)),) * naxes


def normalize_axis(axis: int, ndim: int) -> int:
    """A non-negative axis.

    Raises
    ------
    AxisError
        If the array does not have the axis.
    """
    index = whole_number(axis, "an axis must be an integer", AxisTypeError)
    if not -ndim <= index < ndim:
        raise AxisError(f"Axis greater than data dimensions: axis {index} of an array with {ndim}")
    return index % ndim


def normalize_axes(axes: Any, ndim: int, *, unique: bool = False) -> tuple[int, ...]:
    """Non-negative axes; ``None`` means all axes, a number means one.

    Raises
    ------
    AxisError
        If the array does not have one of the axes, or ``unique`` is set and one occurs twice.
    """
    if axes is None:
        return tuple(range(ndim))
    axis_list = (
        tuple(items(axes, "axes must be integers", AxisTypeError)) if is_several(axes) else (axes,)
    )
    normalized = tuple(normalize_axis(a, ndim) for a in axis_list)
    if unique and len(set(normalized)) != len(normalized):
        raise AxisError(f"The axes passed must be unique, got {axis_list} for an array with {ndim}")
    if unique and not normalized:
        raise AxisError("at least one axis is required, got axes ()")
    return normalized


def max_level(n: int, length: int) -> int:
    """``floor(log2(n / (length - 1)))``, and 0 for short signals."""
    return (int(n) // (length - 1) | 1).bit_length() - 1  # torch has its own integer type


def undecimated_level(n: int) -> int:
    """The number of times that ``n`` is divisible by two.

    Raises
    ------
    ShapeError
        If there are no samples.

    Warns
    -----
    LevelWarning
        If the number is odd.
    """
    number = whole_number(n, "expected a whole number of samples", ShapeTypeError)
    if number < 1:
        raise ShapeError(f"Cannot apply swt to a size {number} signal.")
    if number % 2:
        warn(
            "No levels of stationary wavelet decomposition are possible. The signal to be "
            "transformed must have a size that is a multiple of 2**n for an n-level "
            "decomposition. (swt accepts other sizes if level is passed.)",
            LevelWarning,
        )
    return (number & -number).bit_length() - 1


def check_level(level: int | None, sizes: Sequence[int], wavelets: Sequence[Resolved]) -> int:
    """The number of levels: the useful maximum for ``None``, else ``level``.

    Raises
    ------
    LevelError
        If ``level`` is negative or not an integer.

    Warns
    -----
    LevelWarning
        If all coefficients of the last level depend on the boundary.
    """
    if level is None:
        return useful_level(sizes, wavelets)
    level = natural_level(level)
    step = 2**level
    # A comparison keeps lengths symbolic in graphs; the useful level of a symbol is a number.
    if level and any(n // step < w.dec_len - 1 for n, w in zip(sizes, wavelets, strict=True)):
        warn_of_depth(level, useful_level(sizes, wavelets))
    return level


# Lengths are planned level by level; no array has more than 64 useful levels.
_DEEPEST = 1000


def useful_level(sizes: Sequence[int], wavelets: Sequence[Resolved]) -> int:
    """The largest level with a coefficient without boundary effects along every axis."""
    levels = map(max_level, sizes, [w.dec_len for w in wavelets])
    return min(levels, default=0)


def natural_level(level: Any) -> int:
    """A number of levels: an integer from 0 to 1000."""
    number = whole_number(level, "level must be an integer >= 0 or None", LevelTypeError)
    if number < 0:
        raise LevelError(f"Level value of {number} is too low . Minimum level is 0.")
    if number > _DEEPEST:
        raise LevelError(f"Level value of {number} is too high. Maximum level is {_DEEPEST}.")
    return number


def check_positive_level(level: int) -> int:
    """The level of a band: an integer of at least 1.

    Raises
    ------
    ArgumentTypeError
        If it is not an integer.
    LevelError
        If it is less than 1.
    """
    number = whole_number(level, "level must be an integer", LevelTypeError)
    if number < 1:
        raise LevelError(f"Value of level must be greater than 0, got {number}.")
    return number if number < 64 else natural_level(number)  # most levels are not too high


def warn_of_depth(level: int, deepest: int) -> None:
    """Warn that ``level`` is more than the ``deepest`` useful level."""
    warn(
        f"Level value of {level} is too high: all coefficients will experience boundary "
        f"effects (up to level {deepest} some do not).",
        LevelWarning,
    )


def check_part(part: str) -> None:
    """Raise unless ``part`` names a band of one axis.

    Raises
    ------
    WaveletError
        If it does not.
    """
    if not isinstance(part, str):
        raise WaveletTypeError(f"Argument 1 must be 'a' or 'd', not of type {type(part).__name__}.")
    if part not in ("a", "d"):
        raise WaveletError(f"Argument 1 must be 'a' or 'd', not '{part}'.")
