"""Converts coefficient lists to one array, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, size

from liftwave._arrays.convert import (
    PLAIN_DTYPES,
    are_plain,
    as_array,
    as_number,
    common_namespace,
    is_array,
    is_complex,
)
from liftwave._numbers import items, whole_number
from liftwave._typing import Array, CoefficientFormat
from liftwave.errors import CoefficientsError, DTypeError, ShapeError, ShapeTypeError
from liftwave.transforms.coefficient_lists import (
    as_dicts,
    checked_list,
    formatted,
    plain_bands,
    plain_views,
)
from liftwave.transforms.coefficient_places import (
    cached_places,
    cached_row,
    cell_shape,
    places_of,
    row,
    shapes_of,
)


def coeffs_to_array(
    coeffs: list[Any], padding: float | None = 0, axes: Sequence[int] | None = None
) -> tuple[Array, list[Any]]:
    """Arrange the bands of a multilevel transform in one array (Mallat's layout).

    Parameters
    ----------
    coeffs : list
        As from :func:`wavedec`, :func:`wavedec2` or :func:`wavedecn`.
    padding : float or None, optional
        The value of array elements that no band covers. They occur if bands
        are larger than half of the signal, or if a level lacks a band. ``None``
        raises an error instead.
    axes : sequence of int, optional
        The axes that were transformed; all by default.

    Returns
    -------
    coeff_arr : array
        The approximation in the corner of low indices, and the details around
        it, from coarse to fine.
    coeff_slices : list
        The position of each band: a tuple of slices for the approximation, then
        a dict of such tuples per level, keyed as in :func:`wavedecn`.

    Raises
    ------
    ValueError
        If ``coeffs`` is not such a list; if a band is ``None``, or larger than its place;
        if a level lacks the band of details along all axes (``"dd"`` in two dimensions);
        or if the bands do not tile an array and ``padding`` is ``None``.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> coeffs = lw.wavedec2(np.arange(16.0).reshape(4, 4), "haar", level=1)
    >>> arr, slices = lw.coeffs_to_array(coeffs)
    >>> arr.shape, slices[1]["dd"]
    ((4, 4), (slice(2, 4, None), slice(2, 4, None)))
    """
    approx, details, transformed = as_dicts(coeffs, axes)
    if not details:
        return approx, [(slice(None),) * approx.ndim]
    layout = cached_places if are_plain(_flat(approx, details)) else places_of
    positions, shape, covered = layout(tuple(approx.shape), shapes_of(details), transformed)
    places = [positions[0], *[where.copy() for where in positions[1:]]]
    filler = _filler(padding, approx)
    if padding is None and covered != prod(shape):
        raise ShapeError(
            f"array coefficients cannot be tightly packed: {covered} coefficients in an array of "
            f"shape {shape}; pass a padding value"
        )
    if layout is cached_places:
        return _written(approx, details, places, np.full(shape, filler, approx.dtype)), places
    packed = approx
    for bands in details:
        packed = _mosaic(packed, bands, transformed, filler)
    return packed, places


def _flat(approx: Array, details: Sequence[Mapping[str, Array]]) -> list[Array]:
    return [approx, *(band for bands in details for band in bands.values())]


def _written(
    approx: Array, details: Sequence[Mapping[str, Array]], places: list[Any], packed: Array
) -> Array:
    """Write NumPy arrays to their places, which is faster than joining them."""
    packed[places[0]] = approx
    for bands, where in zip(details, places[1:], strict=True):
        for key, band in bands.items():
            packed[where[key]] = band
    return packed


def _filler(padding: Any, like: Array) -> Any:
    number = 0 if padding is None else as_number(padding)
    if number is None:
        raise DTypeError(f"padding must be a number or None, got {padding!r}")
    if isinstance(number, complex) and not is_complex(like):
        raise DTypeError(f"padding must be real for coefficients of {like.dtype}, got {number}")
    return number


def _mosaic(
    corner: Array, bands: Mapping[str, Array], axes: Sequence[int], padding: float
) -> Array:
    """The coarser levels in the corner, and the details of one level around them."""
    count = len(axes)
    ends = bands["d" * count]
    xp = array_namespace(corner)
    blocks = {}
    for key in map("".join, product("ad", repeat=count)):
        cell = cell_shape(tuple(corner.shape), tuple(ends.shape), key, axes)
        block = bands.get(key) if "d" in key else corner
        blocks[key] = _full(cell, padding, ends) if block is None else _filled(block, cell, padding)
    for position in range(count - 1, -1, -1):
        halves = sorted({key[:position] for key in blocks})
        blocks = {
            key: xp.concat([blocks[key + "a"], blocks[key + "d"]], axis=axes[position])
            for key in halves
        }
    return blocks[""]


def _full(shape: tuple[int, ...], padding: float, like: Array) -> Array:
    """Padding with the dtype and on the device of ``like``."""
    xp = array_namespace(like)
    return xp.full(shape, padding, dtype=like.dtype, device=device(like))


def _filled(block: Array, shape: Sequence[int], padding: float) -> Array:
    """The block with padding at its end along each axis."""
    xp = array_namespace(block)
    for axis, length in enumerate(shape):
        missing = list(block.shape)
        missing[axis] = length - block.shape[axis]
        if missing[axis] > 0:
            block = xp.concat([block, _full(tuple(missing), padding, block)], axis=axis)
    return block


def array_to_coeffs(
    arr: Array, coeff_slices: list[Any], output_format: CoefficientFormat = "wavedecn"
) -> list[Any]:
    """Undo :func:`coeffs_to_array`.

    Parameters
    ----------
    arr : array
        As from :func:`coeffs_to_array`.
    coeff_slices : list
        As from :func:`coeffs_to_array`.
    output_format : {'wavedecn', 'wavedec2', 'wavedec'}, optional
        The transform whose list is returned.

    Returns
    -------
    list
        Bands, as views of ``arr`` if its library has views.

    Raises
    ------
    ValueError
        If ``coeff_slices`` is empty or the format does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> arr, slices = lw.coeffs_to_array(lw.wavedec([1.0, 2.0, 3.0, 4.0], "haar"))
    >>> len(lw.array_to_coeffs(arr, slices, output_format="wavedec"))
    3
    """
    if type(arr) is np.ndarray and arr.dtype in PLAIN_DTYPES:
        bands = plain_views(arr, coeff_slices, output_format)
        if bands is not None:
            return bands
    places = checked_list(coeff_slices, "slices")
    array = as_array(arr)
    return formatted(lambda where, _: _band(array, where), places, places, output_format)


def ravel_coeffs(
    coeffs: list[Any], axes: Sequence[int] | None = None
) -> tuple[Array, list[Any], list[Any]]:
    """Concatenate all coefficients of a multilevel transform.

    Parameters
    ----------
    coeffs : list
        As from :func:`wavedec`, :func:`wavedec2` or :func:`wavedecn`.
    axes : sequence of int, optional
        The axes that were transformed; all by default.

    Returns
    -------
    coeff_arr : array, shape (number of coefficients,)
        The bands one after the other, keys in sorted order within a level.
    coeff_slices : list
        The position of each band: a slice, then a dict of slices per level.
    coeff_shapes : list
        The shapes of the bands, in the same structure.

    Raises
    ------
    ValueError
        If ``coeffs`` is not such a list, or a band is missing.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> flat, slices, shapes = lw.ravel_coeffs(lw.wavedec2(np.ones((4, 4)), "haar", level=1))
    >>> flat.shape, shapes[1]["dd"]
    ((16,), (2, 2))
    """
    approx, details, _ = as_dicts(coeffs, axes)
    arrays = _flat(approx, details)
    layout = cached_row if are_plain(arrays) else row
    slices, shapes = layout(tuple(approx.shape), shapes_of(details))
    reshape = _reshape_of(arrays)
    pieces = [reshape(approx, (-1,))]
    for bands, where in zip(details, slices[1:], strict=True):
        pieces += [reshape(bands[key], (-1,)) for key in where]
    return (
        _joined(pieces),
        [slices[0], *[where.copy() for where in slices[1:]]],
        [shapes[0], *[shape.copy() for shape in shapes[1:]]],
    )


def _joined(pieces: list[Array]) -> Array:
    if len(pieces) == 1:
        return pieces[0]
    join = np.concatenate if type(pieces[0]) is np.ndarray else array_namespace(*pieces).concat
    return join(pieces)


def _reshape_of(bands: Sequence[Array]) -> Callable[..., Array]:
    """The function that reshapes arrays of a library; NumPy's method needs the least time."""
    if set(map(type, bands)) == {np.ndarray}:
        return np.ndarray.reshape
    reshape: Callable[..., Array] = common_namespace(bands).reshape
    return reshape


def unravel_coeffs(
    arr: Array,
    coeff_slices: list[Any],
    coeff_shapes: list[Any],
    output_format: CoefficientFormat = "wavedecn",
) -> list[Any]:
    """Undo :func:`ravel_coeffs`.

    Parameters
    ----------
    arr : array
        As from :func:`ravel_coeffs`.
    coeff_slices, coeff_shapes : list
        As from :func:`ravel_coeffs`.
    output_format : {'wavedecn', 'wavedec2', 'wavedec', 'swtn', 'swt2', 'swt'}, optional
        The transform whose list is returned.

    Returns
    -------
    list
        The bands.

    Raises
    ------
    ValueError
        If the lists are empty or do not match, or the format does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> packed = lw.ravel_coeffs(lw.wavedec2(np.ones((4, 4)), "haar", level=1))
    >>> lw.unravel_coeffs(*packed, output_format="wavedec2")[0].shape
    (2, 2)
    """
    if type(arr) is np.ndarray and arr.dtype in PLAIN_DTYPES:
        bands = plain_bands(arr, coeff_slices, coeff_shapes, output_format)
        if bands is not None:
            return bands
    places = checked_list(coeff_slices, "slices")
    shapes = checked_list(coeff_shapes, "shapes")
    if len(coeff_shapes) != len(coeff_slices):
        raise ShapeError(
            "coeff_shapes and coeff_slices have unequal length: "
            f"{len(coeff_shapes)} and {len(coeff_slices)}"
        )
    array = as_array(arr)
    reshape = _reshape_of([array])

    def read(where: Any, shape: Any) -> Array:
        return _band(array, where, lambda band: reshape(band, shape))

    return formatted(read, places, shapes, output_format)


def _band(array: Array, where: Any, shaped: Callable[[Array], Array] = lambda band: band) -> Array:
    """The part of an array at slices, in a shape."""
    try:
        return shaped(array[where])
    except (IndexError, TypeError, ValueError, RuntimeError) as error:
        raise CoefficientsError(
            f"the coefficients at {where!r} are not in an array of shape {tuple(array.shape)}: "
            f"{error}"
        ) from None


def wavedecn_size(shapes: list[Any]) -> int:
    """Total number of coefficients of a multilevel transform.

    Parameters
    ----------
    shapes : list
        As from :func:`wavedecn_shapes`, or the coefficients of :func:`wavedecn`.

    Returns
    -------
    int
        Number of coefficients.

    Raises
    ------
    ValueError
        If a band is ``None``.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.wavedecn_size(lw.wavedecn_shapes((64, 32), "db2", mode="periodization"))
    2048
    """
    first, *levels = checked_list(shapes, "shapes")
    bands = [first, *(band for level in levels for band in level.values())]
    if any(band is None for band in bands):
        raise CoefficientsError("Setting coefficient arrays to None is not supported.")
    return sum(int(size(band)) if is_array(band) else _count(band) for band in bands)


def _count(shape: Any) -> int:
    return prod(
        whole_number(n, "a shape must hold integers", ShapeTypeError)
        for n in items(shape, "expected a shape", CoefficientsError)
    )
