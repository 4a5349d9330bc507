"""Coefficient lists as one array, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from array_api_compat import array_namespace, device, size

from liftwave._arrays.convert import as_array, is_array
from liftwave._plan.arguments import normalize_axes
from liftwave._plan.lengths import check_size
from liftwave._typing import Array
from liftwave.errors import ShapeError

_FORMATS = {
    "wavedec": "wavedec",
    "swt": "wavedec",
    "wavedec2": "wavedec2",
    "swt2": "wavedec2",
    "wavedecn": "wavedecn",
    "swtn": "wavedecn",
}


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
        If ``coeffs`` is not such a list, a band is ``None``, a level lacks the band of
        details along all axes (``"dd"`` in two dimensions), a band is larger than its
        place, or the bands do not tile an array and ``padding`` is ``None``.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> coeffs = lw.wavedec2(np.arange(16.0).reshape(4, 4), "haar", level=1)
    >>> arr, slices = lw.coeffs_to_array(coeffs)
    >>> arr.shape, slices[1]["dd"]
    ((4, 4), (slice(2, 4, None), slice(2, 4, None)))
    """
    approx, details, transformed = _as_dicts(coeffs, axes)
    if not details:
        return approx, [(slice(None),) * approx.ndim]
    places, shape = _places(tuple(approx.shape), details, transformed)
    check_size("the array of all coefficients", shape)
    covered = size(approx) + sum(size(band) for bands in details for band in bands.values())
    if padding is None and covered != prod(shape):
        raise ShapeError(
            f"array coefficients cannot be tightly packed: {covered} coefficients in an array of "
            f"shape {shape}; pass a padding value"
        )
    packed = approx
    for bands in details:
        packed = _mosaic(packed, bands, transformed, 0 if padding is None else padding)
    return packed, places


def _mosaic(
    corner: Array, bands: Mapping[str, Array], axes: Sequence[int], padding: float
) -> Array:
    """The coarser levels in the corner, and the details of one level around them."""
    count = len(axes)
    ends = bands["d" * count]
    xp = array_namespace(corner)
    blocks = {}
    for key in map("".join, product("ad", repeat=count)):
        cell = _cell(tuple(corner.shape), tuple(ends.shape), key, axes)
        block = bands.get(key) if "d" in key else corner
        blocks[key] = _full(cell, padding, ends) if block is None else _filled(block, cell, padding)
    for position in range(count - 1, -1, -1):
        halves = sorted({key[:position] for key in blocks})
        blocks = {
            key: xp.concat([blocks[key + "a"], blocks[key + "d"]], axis=axes[position])
            for key in halves
        }
    return blocks[""]


def _cell(
    corner: tuple[int, ...], ends: tuple[int, ...], key: str, axes: Sequence[int]
) -> tuple[int, ...]:
    """The shape of the place of a band."""
    cell = list(corner)
    for axis, letter in zip(axes, key, strict=True):
        cell[axis] = corner[axis] if letter == "a" else ends[axis]
    return tuple(cell)


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


def _places(
    approx: tuple[int, ...], details: Sequence[Mapping[str, Array]], axes: Sequence[int]
) -> tuple[list[Any], tuple[int, ...]]:
    """The slices of each band, and the shape of the array that holds them all."""
    places: list[Any] = [tuple(slice(n) for n in approx)]
    corner = list(approx)
    for bands in details:
        where = {}
        _check_shapes(tuple(corner), bands, axes)
        for key, band in bands.items():
            place = [slice(None)] * len(corner)
            for axis, letter in zip(axes, key, strict=True):
                start = corner[axis] if letter == "d" else 0
                place[axis] = slice(start, start + band.shape[axis])
            where[key] = tuple(place)
        places.append(where)
        last = bands["d" * len(axes)]
        for axis in axes:
            corner[axis] += last.shape[axis]
    return places, tuple(corner)


def _check_shapes(corner: tuple[int, ...], bands: Mapping[str, Array], axes: Sequence[int]) -> None:
    """Raise if a band of one level is larger than its place."""
    largest = "d" * len(axes)
    if largest not in bands:
        raise ShapeError(f"a level lacks the band {largest!r}: it has the bands {list(bands)}")
    ends = tuple(bands[largest].shape)
    for key, band in bands.items():
        shape = tuple(band.shape)
        if len(shape) != len(corner):
            raise ShapeError(f"band {key!r} must have {len(corner)} axes, got shape {shape}")
        cell = _cell(corner, ends, key, axes)
        if any(n > limit for n, limit in zip(shape, cell, strict=True)):
            raise ShapeError(
                f"band {key!r} is larger than its place: got shape {shape}, at most {cell} fits"
            )


def array_to_coeffs(
    arr: Array, coeff_slices: list[Any], output_format: str = "wavedecn"
) -> list[Any]:
    """Undo :func:`coeffs_to_array`.

    Parameters
    ----------
    arr : array
        As from :func:`coeffs_to_array`.
    coeff_slices : list
        As from :func:`coeffs_to_array`.
    output_format : {'wavedecn', 'wavedec2', 'wavedec'}, optional
        Which transform's list to make.

    Returns
    -------
    list
        Bands, as views of ``arr`` where its library has views.

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
    if len(coeff_slices) == 0:
        raise ShapeError("empty list of coefficient slices")
    array = as_array(arr)
    details = [{key: array[where] for key, where in level.items()} for level in coeff_slices[1:]]
    return _formatted(array[coeff_slices[0]], details, output_format)


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
    approx, details, _ = _as_dicts(coeffs, axes)
    each = [approx, *(band for bands in details for band in bands.values())]
    check_size("all coefficients in a row", *(tuple(band.shape) for band in each))
    xp = array_namespace(approx)
    pieces, offset = [xp.reshape(approx, (-1,))], size(approx)
    all_slices: list[Any] = [slice(offset)]
    all_shapes: list[Any] = [tuple(approx.shape)]
    for bands in details:
        all_slices.append({})
        all_shapes.append({})
        for key in sorted(bands):
            band = bands[key]
            pieces.append(xp.reshape(band, (-1,)))
            all_slices[-1][key] = slice(offset, offset + size(band))
            all_shapes[-1][key] = tuple(band.shape)
            offset += size(band)
    return xp.concat(pieces) if details else pieces[0], all_slices, all_shapes


def unravel_coeffs(
    arr: Array, coeff_slices: list[Any], coeff_shapes: list[Any], output_format: str = "wavedecn"
) -> list[Any]:
    """Undo :func:`ravel_coeffs`.

    Parameters
    ----------
    arr : array
        As from :func:`ravel_coeffs`.
    coeff_slices, coeff_shapes : list
        As from :func:`ravel_coeffs`.
    output_format : {'wavedecn', 'wavedec2', 'wavedec', 'swtn', 'swt2', 'swt'}, optional
        Which transform's list to make.

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
    if len(coeff_slices) == 0:
        raise ShapeError("empty list of coefficient slices")
    if len(coeff_shapes) == 0:
        raise ShapeError("empty list of coefficient shapes")
    if len(coeff_shapes) != len(coeff_slices):
        raise ShapeError(
            "coeff_shapes and coeff_slices have unequal length: "
            f"{len(coeff_shapes)} and {len(coeff_slices)}"
        )
    array = as_array(arr)
    xp = array_namespace(array)
    details = [
        {key: xp.reshape(array[where], shapes[key]) for key, where in slices.items()}
        for slices, shapes in zip(coeff_slices[1:], coeff_shapes[1:], strict=True)
    ]
    approx = xp.reshape(array[coeff_slices[0]], coeff_shapes[0])
    return _formatted(approx, details, output_format)


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
    bands = [band for level in shapes[1:] for band in level.values()]
    if any(band is None for band in bands):
        raise ShapeError("Setting coefficient arrays to None is not supported.")
    return sum(int(size(b)) if is_array(b) else prod(b) for b in [shapes[0], *bands])


def _as_dicts(
    coeffs: Any, axes: Sequence[int] | None
) -> tuple[Array, list[dict[str, Array]], tuple[int, ...]]:
    """Approximation, details as dicts (coarsest first), and the transformed axes."""
    if not isinstance(coeffs, list) or len(coeffs) == 0:
        raise ShapeError("input must be a list of coefficients from wavedecn")
    approx = coeffs[0]
    if approx is None:
        raise ShapeError("missing coefficients are not supported: the approximation is None")
    if not is_array(approx):
        raise ShapeError(f"first list element must be an array, got {type(approx).__name__}")
    details = [_as_dict(level) for level in coeffs[1:]]
    if not details:
        return approx, [], tuple(axes or ())
    letters = len(next(iter(details[0])))
    if axes is None and letters < approx.ndim:
        raise ShapeError(
            "coeffs corresponds to a DWT performed over only a subset of the axes.  "
            "In this case, axes must be specified."
        )
    transformed = normalize_axes(axes, approx.ndim)
    if len(transformed) != letters:
        raise ShapeError(
            "The length of axes doesn't match the number of dimensions transformed: "
            f"got axes {transformed} for keys of {letters} letters"
        )
    for key in (key for bands in details for key in bands):
        if len(key) != letters:
            raise ShapeError(f"all keys must have {letters} letters, got {key!r}")
    return approx, details, transformed


def _as_dict(level: Any) -> dict[str, Array]:
    if is_array(level):
        if level.ndim != 1:
            raise ShapeError(f"expected a 1D coefficient array, got shape {tuple(level.shape)}")
        return {"d": level}
    if isinstance(level, list | tuple):
        if len(level) != 3:
            raise ShapeError(f"expected a 3-tuple of detail coefficients, got {len(level)}")
        level = dict(zip(("da", "ad", "dd"), level, strict=True))
    if not isinstance(level, Mapping) or not level:
        raise ShapeError(f"invalid coefficient list: a level is {level!r}")
    for key, band in level.items():
        if band is None:
            raise ShapeError("missing coefficients (None) are not supported; use arrays of zeros")
        if not is_array(band):
            raise ShapeError(f"band {key!r} must be an array, got {type(band).__name__}")
    if not all(set(key) <= set("ad") for key in level):
        raise ShapeError(f"unexpected letter in the keys {list(level)}: only 'a' and 'd' occur")
    return dict(level)


def _formatted(approx: Array, details: list[dict[str, Array]], output_format: str) -> list[Any]:
    if output_format not in _FORMATS:
        known = ", ".join(map(repr, _FORMATS))
        raise ShapeError(f"Unrecognized output format: {output_format!r}; use one of {known}")
    kind = _FORMATS[output_format]
    if kind == "wavedec":
        return [approx, *(bands["d"] for bands in details)]
    if kind == "wavedec2":
        return [approx, *((b["da"], b["ad"], b["dd"]) for b in details)]
    return [approx, *details]
