"""The places of the bands of a multilevel transform in one array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

from liftwave._plan.lengths import check_size
from liftwave._typing import Array
from liftwave.errors import ShapeError

Shapes: TypeAlias = tuple[tuple[tuple[str, tuple[int, ...]], ...], ...]
"""The keys and shapes of the details of each level."""


def shapes_of(details: Sequence[Mapping[str, Array]]) -> Shapes:
    """The keys and shapes of these bands."""
    return tuple([tuple([(key, tuple(x.shape)) for key, x in level.items()]) for level in details])


def places_of(
    approx: tuple[int, ...], details: Shapes, axes: tuple[int, ...]
) -> tuple[list[Any], tuple[int, ...], int]:
    """The slices of each band, the shape of the array of all bands, and the number of coefficients.

    Raises
    ------
    ShapeError
        If the bands do not fit together, or are too large.
    """
    places: list[Any] = [tuple(slice(n) for n in approx)]
    corner, covered = list(approx), prod(approx)
    for bands in map(dict, details):
        where = {}
        _check_shapes(tuple(corner), bands, axes)
        for key, shape in bands.items():
            place = [slice(None)] * len(corner)
            for axis, letter in zip(axes, key, strict=True):
                start, length = corner[axis], shape[axis]
                place[axis] = slice(length) if letter == "a" else slice(start, start + length)
            where[key] = tuple(place)
            covered += prod(shape)
        places.append(where)
        last = bands["d" * len(axes)]
        for axis in axes:
            corner[axis] += last[axis]
    check_size("the array of all coefficients", tuple(corner))
    return places, tuple(corner), covered


cached_places = lru_cache(maxsize=256)(places_of)
""":func:`places_of` with a cache. Callers copy the dicts."""


def _check_shapes(
    corner: tuple[int, ...], bands: Mapping[str, tuple[int, ...]], axes: Sequence[int]
) -> None:
    """Raise if a band of one level is larger than its place."""
    largest = "d" * len(axes)
    if largest not in bands:
        raise ShapeError(f"a level lacks the band {largest!r}: it has the bands {list(bands)}")
    ends = bands[largest]
    for key, shape in bands.items():
        if len(shape) != len(corner):
            raise ShapeError(f"band {key!r} must have {len(corner)} axes, got shape {shape}")
        cell = cell_shape(corner, ends, key, axes)
        if any(n > limit for n, limit in zip(shape, cell, strict=True)):
            raise ShapeError(
                f"band {key!r} is larger than its place: got shape {shape}, at most {cell} fits"
            )


def row(approx: tuple[int, ...], details: Shapes) -> tuple[list[Any], list[Any]]:
    """The slices and the shapes of bands one after the other, keys in sorted order.

    Raises
    ------
    ShapeError
        If all bands together are too large.
    """
    all_shapes = [approx, *(shape for level in details for _, shape in level)]
    check_size("all coefficients in a row", *all_shapes)
    end = prod(approx)
    slices: list[Any] = [slice(end)]
    shapes: list[Any] = [approx]
    for level in details:
        shapes.append(dict(sorted(level)))
        slices.append({})
        for key, shape in shapes[-1].items():
            start, end = end, end + prod(shape)
            slices[-1][key] = slice(start, end)
    return slices, shapes


cached_row = lru_cache(maxsize=256)(row)
""":func:`row` with a cache. Callers copy the dicts."""


def cell_shape(
    corner: tuple[int, ...], ends: tuple[int, ...], key: str, axes: Sequence[int]
) -> tuple[int, ...]:
    """The shape of the place of a band."""
    cell = list(corner)
    for axis, letter in zip(axes, key, strict=True):
        cell[axis] = corner[axis] if letter == "a" else ends[axis]
    return tuple(cell)
