"""Calls of the dual-tree complex transform, and the structure of its results."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from array_api_compat import array_namespace

from liftwave._arrays.complex_parts import complex_of_parts, parts_of_complex
from liftwave._arrays.convert import as_array
from liftwave._execute import execute, graph_node
from liftwave._numbers import is_symbol
from liftwave._operations.call import FLAT, SINGLE, Call
from liftwave._operations.dual_tree import DualTreeTransform
from liftwave._plan.arguments import check_positive_level, normalize_axes
from liftwave._typing import Array, ArrayLike
from liftwave.errors import AxisError, ShapeError
from liftwave.wavelets.dual_tree import DualTreeFilters, TreeFilters, dual_tree_filters

MOST_AXES = 3


class DualTreeStructure:
    """A low-pass and complex bands, coarsest level first, along any axes.

    Parameters
    ----------
    axes : tuple of int
        The transformed axes, not negative.
    """

    def __init__(self, axes: tuple[int, ...]) -> None:
        self.axes = axes
        self._last = tuple(range(-len(axes), 0))

    def pack(self, arrays: Sequence[Array | None]) -> list[Array]:
        """The low-pass, and the bands, whose last axis is that of the directions."""
        xp = array_namespace(arrays[0])
        low, *bands = arrays
        return [xp.moveaxis(low, self._last, self.axes), *map(self._packed, bands)]

    def _packed(self, parts: Array) -> Array:
        xp, band = array_namespace(parts), complex_of_parts(parts)
        if len(self.axes) == 1:
            return xp.moveaxis(band[..., 0, :], -1, self.axes[0])
        band = xp.moveaxis(band, -len(self.axes) - 1, -1)
        return xp.moveaxis(band, tuple(axis - 1 for axis in self._last), self.axes)

    def unpack(self, value: Any) -> list[Array]:
        """The arrays in a result of :meth:`pack`."""
        low, *bands = value
        xp = array_namespace(low)
        return [xp.moveaxis(low, self.axes, self._last), *map(self._unpacked, bands)]

    def _unpacked(self, band: Array) -> Array:
        xp = array_namespace(band)
        if len(self.axes) == 1:
            return parts_of_complex(xp.moveaxis(band, self.axes[0], -1)[..., None, :])
        band = xp.moveaxis(band, self.axes, tuple(axis - 1 for axis in self._last))
        return parts_of_complex(xp.moveaxis(band, -1, -len(self.axes) - 1))


@lru_cache(maxsize=256)
def transform_of(dimensions: int, level: int, filters: TreeFilters) -> DualTreeTransform:
    """The transform with these filters."""
    return DualTreeTransform(dimensions, level, filters)


@lru_cache(maxsize=256)
def inverse_of(dimensions: int, level: int, dual: TreeFilters) -> DualTreeTransform:
    """The inverse: it drops the samples that the transform adds at the ends."""
    return DualTreeTransform(dimensions, level, dual, edge="zero", is_synthesis=True)


def dtcwt_call(x: ArrayLike, level: int, filters: DualTreeFilters, axes: Any) -> Call:
    """The call of :func:`liftwave.dtcwt`."""
    array, depth = as_array(x), check_positive_level(level)
    places = normalize_axes(axes, array.ndim, unique=True)
    if len(places) > MOST_AXES:
        raise AxisError(
            f"the dual tree has one, two or three axes, got axes {places} of an array with "
            f"{array.ndim} dimensions: pass the axes to transform"
        )
    if any(array.shape[axis] < 1 for axis in places):
        raise ShapeError(f"expected at least one sample along each axis, got {array.shape}")
    last = tuple(range(-len(places), 0))
    moved = array_namespace(array).moveaxis(array, places, last)
    operation = transform_of(len(places), depth, filters.analysis)
    return Call(operation, (moved,), DualTreeStructure(places))


def idtcwt_call(arrays: Sequence[Array], lengths: Sequence[int], filters: DualTreeFilters) -> Call:
    """The call of the inverse, from arrays of the operation.

    Raises
    ------
    ShapeError
        If the arrays do not have the shapes of a signal of these lengths.
    """
    dimensions, level = len(lengths), len(arrays) - 1
    transform, low = transform_of(dimensions, level, filters.analysis), arrays[0]
    _check_shapes(arrays, (*low.shape[: low.ndim - dimensions], *lengths), transform)
    return _synthesis_call(inverse_of(dimensions, level, filters.dual), arrays, lengths)


def _check_shapes(
    arrays: Sequence[Array], shape: tuple[int, ...], transform: DualTreeTransform
) -> None:
    """Raise unless arrays have the shapes of the transform of data of this shape."""
    if any(is_symbol(n) for array in arrays for n in array.shape):
        return  # a comparison would fix the lengths in the graph
    for array, output in zip(arrays, transform.outputs([shape], ()), strict=True):
        if tuple(array.shape) != output.shape:
            raise ShapeError(
                f"the bands do not fit: data of shape {shape} and {transform.level} levels have an "
                f"array of shape {output.shape}, got {tuple(array.shape)}"
            )


def adjoint_call(arrays: Sequence[Array], lengths: Sequence[int], filters: DualTreeFilters) -> Call:
    """The call of the transpose of the transform, from arrays of the operation."""
    transform = transform_of(len(lengths), len(arrays) - 1, filters.analysis)
    return _synthesis_call(transform.transpose, arrays, lengths)


def _synthesis_call(
    operation: DualTreeTransform, arrays: Sequence[Array], lengths: Sequence[int]
) -> Call:
    low, *bands = arrays
    xp = array_namespace(low)
    parts = [band if band.dtype == low.dtype else xp.astype(band, low.dtype) for band in bands]
    return Call(operation, (low, *parts), SINGLE, sizes=tuple(lengths))


def moved_back(signal: Array, axes: tuple[int, ...]) -> Array:
    """The signal with the last axes at the places of the transformed ones."""
    return array_namespace(signal).moveaxis(signal, tuple(range(-len(axes), 0)), axes)


@graph_node
def dual_tree_parts(x: Array, level: int, biort: Any, qshift: Any, dimensions: int) -> list[Array]:
    """The low-pass, and the real and imaginary parts of bands along the last axes.

    Bands have the shape (..., bands, *lengths, 2).
    """
    filters = dual_tree_filters(biort, qshift)
    operation = transform_of(dimensions, level, filters.analysis)
    result: list[Array] = execute(Call(operation, (x,), FLAT))
    return result


@graph_node
def dual_tree_signal(
    arrays: Sequence[Array], biort: Any, qshift: Any, lengths: Sequence[int]
) -> Array:
    """The inverse of :func:`dual_tree_parts`."""
    return execute(idtcwt_call(arrays, lengths, dual_tree_filters(biort, qshift)))
