"""Finds missing samples before the computation, and fills them in from their neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from array_api_compat import device

from liftwave._arrays.convert import real_dtype
from liftwave._arrays.tensors import is_readable
from liftwave._numbers import is_one_of
from liftwave._plan.lengths import check_size
from liftwave._typing import Array, Namespace
from liftwave.errors import MissingSamplesError

Missing: TypeAlias = Literal["raise", "interpolate", "mask"]
"""The treatment of NaN: an error, filling in, or filling in and NaN at its place in the result."""

_CHOICES = ("raise", "interpolate", "mask")


def check_missing(missing: object) -> None:
    """Raise unless this is the name of a treatment of NaN.

    Raises
    ------
    MissingSamplesError
        If it is not one.
    """
    if not is_one_of(missing, _CHOICES):
        raise MissingSamplesError(
            f"missing must be one of {', '.join(map(repr, _CHOICES))}, got {missing!r}"
        )


def gaps_of(x: Array, missing: Missing, xp: Namespace) -> Array | None:
    """The places of NaN. None if there are none, or if the numbers cannot be read.

    Raises
    ------
    MissingSamplesError
        If there are infinite samples, or NaN and ``missing`` is ``"raise"``.
    ShapeError
        If the size of the data exceeds the address space.
    """
    check_size("the result", tuple(x.shape))
    is_plain = type(x) is np.ndarray
    if np.isfinite(x).all() if is_plain else not is_readable(x) or bool(xp.all(xp.isfinite(x))):
        return None
    gaps = xp.isnan(x)
    infinite = _count(xp.isinf(x) & ~gaps, xp)
    total = f"of {_count(xp.ones_like(gaps), xp)} samples"
    if infinite:
        raise MissingSamplesError(
            f"{infinite} {total} {_are(infinite)} infinite: replace them, or set them to NaN and "
            "use missing='interpolate'"
        )
    count = _count(gaps, xp)
    if missing == "raise":
        raise MissingSamplesError(
            f"{count} {total} {_are(count)} NaN: use missing='interpolate' to fill the gaps, or "
            "missing='mask' to return NaN at the same places"
        )
    return gaps


def without_gaps(
    x: Array, missing: Missing, axes: Sequence[int], xp: Namespace
) -> tuple[Array, Array | None]:
    """The data with all samples, and the places of NaN.

    Raises
    ------
    MissingSamplesError
        As :func:`gaps_of` and :func:`filled`.
    """
    gaps = gaps_of(x, missing, xp)
    return (x, None) if gaps is None else (filled(x, gaps, axes, xp), gaps)


def with_gaps(x: Array, gaps: Array | None, missing: Missing, xp: Namespace) -> Array:
    """The result, with NaN at the gaps if ``missing`` is ``"mask"``."""
    if gaps is None or missing != "mask":
        return x
    return xp.where(gaps, xp.full_like(x, xp.nan), x)


def _count(x: Array, xp: Namespace) -> int:
    return int(xp.sum(xp.astype(x, xp.int64)))


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def filled(x: Array, gaps: Array, axes: Sequence[int], xp: Namespace) -> Array:
    """Replace the samples of gaps by means of the nearest samples along each axis.

    The weights are the inverse distances. Along one axis this is linear interpolation, and the
    nearest sample is repeated at the ends.

    Raises
    ------
    MissingSamplesError
        If all samples of an item of the batch are missing.
    """
    x = xp.where(gaps, xp.zeros_like(x), x)
    while bool(xp.any(gaps)):
        total = xp.zeros_like(x)
        weight = xp.zeros_like(xp.abs(x))
        for axis in axes:
            for flipped in (False, True):
                nearest, near = _nearest(x, gaps, axis, flipped, xp)
                total, weight = total + nearest * near, weight + near
        is_reached = gaps & (weight > 0)
        if not bool(xp.any(is_reached)):
            raise MissingSamplesError(
                f"all samples of an item are NaN along the axes {tuple(axes)}: no sample can fill "
                "the gaps. Remove the item"
            )
        x = xp.where(is_reached, total / xp.where(is_reached, weight, xp.ones_like(weight)), x)
        gaps = gaps & ~is_reached
    return x


def _nearest(x: Array, gaps: Array, axis: int, flipped: bool, xp: Namespace) -> tuple[Array, Array]:
    """The nearest present sample before each sample (or after it), and its inverse distance."""
    if flipped:
        x, gaps = xp.flip(x, axis=axis), xp.flip(gaps, axis=axis)
    x, gaps = xp.moveaxis(x, axis, -1), xp.moveaxis(gaps, axis, -1)
    n = x.shape[-1]
    places = xp.broadcast_to(xp.arange(n, device=device(x)), gaps.shape)
    last = _running_maximum(xp.where(gaps, xp.full_like(places, -1), places), xp)
    exists = last >= 0
    nearest = xp.take_along_axis(x, xp.where(exists, last, xp.zeros_like(last)), axis=-1)
    distance = xp.where(exists & gaps, places - last, xp.ones_like(last))
    near = xp.astype(exists, real_dtype(x, xp)) / xp.astype(distance, real_dtype(x, xp))
    nearest, near = xp.moveaxis(nearest, -1, axis), xp.moveaxis(near, -1, axis)
    return (xp.flip(nearest, axis=axis), xp.flip(near, axis=axis)) if flipped else (nearest, near)


def _running_maximum(x: Array, xp: Namespace) -> Array:
    """The running maximum along the last axis."""
    step = 1
    while step < x.shape[-1]:
        shifted = xp.concat([x[..., :step], x[..., :-step]], axis=-1)
        x, step = xp.maximum(x, shifted), 2 * step
    return x
