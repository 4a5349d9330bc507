"""Arguments that all transforms share: modes, axes and levels, validated."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, cast

import pywt

from liftwave._typing import Mode, ModeLike, Modes
from liftwave._warnings import warn
from liftwave.errors import ArgumentTypeError, AxisError, LevelError, LevelWarning, ModeError
from liftwave.wavelets import Resolved


@lru_cache(maxsize=64)
def _mode_name(value: Any) -> Mode | None:
    for name in pywt.Modes.modes:
        if getattr(pywt.Modes, name) == value:
            return cast(Mode, name)
    return None


def resolve_mode(mode: ModeLike) -> Mode:
    """The name of a boundary mode, from its name or PyWavelets' number.

    Raises
    ------
    ModeError
        If there is no such mode.
    """
    if isinstance(mode, str) and mode in pywt.Modes.modes:
        return cast(Mode, mode)
    try:
        # PyWavelets also knows short old names, and warns of them.
        name = _mode_name(pywt.Modes.from_object(mode))
    except TypeError:
        raise ArgumentTypeError(
            f"mode must be a name or a number, got {mode!r} of type {type(mode).__name__}"
        ) from None
    except ValueError:
        name = None
    if name is None:
        raise ModeError(
            f"Unknown mode name {mode!r}; use one of {', '.join(map(repr, pywt.Modes.modes))}"
        )
    return name


def modes_per_axis(mode: Modes, naxes: int) -> tuple[Mode, ...]:
    """One mode for each of ``naxes`` axes."""
    if isinstance(mode, Iterable) and not isinstance(mode, str):
        each: Sequence[ModeLike] = list(mode)
        if len(each) not in (1, naxes):
            raise ModeError(
                "The number of modes must match the number of axes to be transformed: "
                f"got {len(each)} modes for {naxes} axes"
            )
        resolved = [resolve_mode(m) for m in each]
        return tuple(resolved * naxes if len(resolved) == 1 else resolved)
    return (resolve_mode(mode),) * naxes


def normalize_axis(axis: int, ndim: int) -> int:
    """A non-negative axis.

    Raises
    ------
    AxisError
        If the array has no such axis.
    """
    index = operator.index(axis)
    if not -ndim <= index < ndim:
        raise AxisError(f"Axis greater than data dimensions: axis {index} of an array with {ndim}")
    return index % ndim


def normalize_axes(axes: Any, ndim: int, *, unique: bool = False) -> tuple[int, ...]:
    """Non-negative axes; ``None`` is all of them, a number is one.

    Raises
    ------
    AxisError
        If the array lacks one of them, or one occurs twice and may not.
    """
    if axes is None:
        return tuple(range(ndim))
    given = (axes,) if not isinstance(axes, Iterable) else tuple(axes)
    normalized = tuple(normalize_axis(a, ndim) for a in given)
    if unique and len(set(normalized)) != len(normalized):
        raise AxisError(f"The axes passed must be unique, got {given} for an array with {ndim}")
    return normalized


def max_level(n: int, length: int) -> int:
    """``floor(log2(n / (length - 1)))``, and 0 for short signals."""
    return max(0, (n // (length - 1)).bit_length() - 1)


def check_level(level: int | None, sizes: Sequence[int], wavelets: Sequence[Resolved]) -> int:
    """The number of levels to go: the useful maximum for ``None``, else ``level``.

    Raises
    ------
    LevelError
        If ``level`` is negative or no integer.

    Warns
    -----
    LevelWarning
        If all coefficients of the last level feel the boundary.
    """
    deepest = min(
        (max_level(n, w.dec_len) for n, w in zip(sizes, wavelets, strict=True)), default=0
    )
    if level is None:
        return deepest
    try:
        level = operator.index(level)
    except TypeError:
        raise LevelError(f"level must be an integer >= 0 or None, got {level!r}") from None
    if level < 0:
        raise LevelError(f"Level value of {level} is too low . Minimum level is 0.")
    if level > deepest:
        warn(
            f"Level value of {level} is too high: all coefficients will experience boundary "
            f"effects (up to level {deepest} some do not).",
            LevelWarning,
        )
    return level
