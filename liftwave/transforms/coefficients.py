"""Coefficient lists as one array, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from array_api_compat import array_namespace, device, size

from liftwave._arrays.convert import as_array, is_array
from liftwave._numbers import items, whole_number
from liftwave._plan.arguments import normalize_axes
from liftwave._plan.lengths import check_size
from liftwave._typing import Array, CoefficientFormat
from liftwave.errors import BandError, CoefficientsError, ShapeError, ShapeTypeError

_AS_IT_IS = object()

_FORMATS = {
    "wavedec": "wavedec",
    "swt": "wavedec",
    "wavedec2": "wavedec2",
    "swt2": "wavedec2",
    "wavedecn": "wavedecn",
    "swtn": "wavedecn",
}


# The keys of a level that a format needs.
_KEYS: dict[str, tuple[str, ...]] = {
    "wavedec": ("d",),
    "wavedec2": ("da", "ad", "dd"),
    "wavedecn": (),
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
        are larger than half of the signal. ``None`` raises an error instead.
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
        If ``coeffs`` is not such a list, a band is missing, or the bands do not
        tile an array and ``padding`` is ``None``.

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
    ends = bands["d" * count].shape
    blocks = {"a" * count: corner, **bands}
    for key, block in blocks.items():
        cell = list(block.shape)
        for axis, letter in zip(axes, key, strict=True):
            cell[axis] = corner.shape[axis] if letter == "a" else ends[axis]
        blocks[key] = _filled(block, cell, padding)
    xp = array_namespace(corner)
    for position in range(count - 1, -1, -1):
        halves = sorted({key[:position] for key in blocks})
        blocks = {
            key: xp.concat([blocks[key + "a"], blocks[key + "d"]], axis=axes[position])
            for key in halves
        }
    return blocks[""]


def _filled(block: Array, shape: Sequence[int], padding: float) -> Array:
    """The block with padding at its end along each axis."""
    xp = array_namespace(block)
    for axis, length in enumerate(shape):
        missing = list(block.shape)
        missing[axis] = length - block.shape[axis]
        if missing[axis] > 0:
            pad = xp.full(tuple(missing), padding, dtype=block.dtype, device=device(block))
            block = xp.concat([block, pad], axis=axis)
    return block


def _places(
    approx: tuple[int, ...], details: Sequence[Mapping[str, Array]], axes: Sequence[int]
) -> tuple[list[Any], tuple[int, ...]]:
    """The slices of each band, and the shape of the array that holds them all."""
    places: list[Any] = [tuple(slice(n) for n in approx)]
    corner = list(approx)
    for bands in details:
        where = {}
        for key, band in bands.items():
            place = [slice(None)] * len(corner)
            for axis, letter in zip(axes, key, strict=True):
                start, length = corner[axis], band.shape[axis]
                place[axis] = slice(length) if letter == "a" else slice(start, start + length)
            where[key] = tuple(place)
        places.append(where)
        last = bands["d" * len(axes)]
        for axis in axes:
            corner[axis] += last.shape[axis]
    return places, tuple(corner)


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
    first, *levels = _checked_list(coeff_slices, "slices")
    array = as_array(arr)
    details = [{key: _band(array, where) for key, where in level.items()} for level in levels]
    return _formatted(_band(array, first), details, output_format)


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
    places = _checked_list(coeff_slices, "slices")
    shapes = _checked_list(coeff_shapes, "shapes")
    if len(coeff_shapes) != len(coeff_slices):
        raise ShapeError(
            "coeff_shapes and coeff_slices have unequal length: "
            f"{len(coeff_shapes)} and {len(coeff_slices)}"
        )
    array = as_array(arr)
    details = [
        {key: _band(array, where, by_key.get(key)) for key, where in level.items()}
        for level, by_key in zip(places[1:], shapes[1:], strict=True)
    ]
    return _formatted(_band(array, places[0], shapes[0]), details, output_format)


def _checked_list(entries: Any, what: str) -> list[Any]:
    """A list of slices or shapes: an entry for the approximation, and a dict for each level."""
    demand = f"expected the list of coefficient {what} of a transform"
    listed = items(entries, demand, CoefficientsError)
    if not listed:
        raise ShapeError(f"empty list of coefficient {what}")
    for level in listed[1:]:
        if not isinstance(level, Mapping):
            raise CoefficientsError(f"{demand}, got a level of type {type(level).__name__}")
    return listed


def _band(array: Array, where: Any, shape: Any = _AS_IT_IS) -> Array:
    """The part of an array at slices, in a shape."""
    try:
        band = array[where]
        return band if shape is _AS_IT_IS else array_namespace(array).reshape(band, shape)
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
    first, *levels = _checked_list(shapes, "shapes")
    bands = [first, *(band for level in levels for band in level.values())]
    if any(band is None for band in bands):
        raise CoefficientsError("Setting coefficient arrays to None is not supported.")
    return sum(int(size(band)) if is_array(band) else _count(band) for band in bands)


def _count(shape: Any) -> int:
    return prod(
        whole_number(n, "a shape must hold integers", ShapeTypeError)
        for n in items(shape, "expected a shape", CoefficientsError)
    )


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
    approx = as_array(approx)
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
    return approx, details, transformed


def _as_dict(level: Any) -> dict[str, Array]:
    if is_array(level):
        if level.ndim != 1:
            raise ShapeError(f"expected a 1D coefficient array, got shape {tuple(level.shape)}")
        return {"d": as_array(level)}
    if isinstance(level, list | tuple):
        if len(level) != 3:
            raise ShapeError(f"expected a 3-tuple of detail coefficients, got {len(level)}")
        horizontal, vertical, diagonal = level
        level = {"ad": vertical, "da": horizontal, "dd": diagonal}
    if not isinstance(level, Mapping) or not level:
        raise ShapeError(f"invalid coefficient list: a level is {level!r}")
    if any(band is None for band in level.values()):
        raise ShapeError("missing coefficients (None) are not supported; use arrays of zeros")
    if not all(set(key) <= set("ad") for key in level):
        raise ShapeError(f"unexpected letter in the keys {list(level)}: only 'a' and 'd' occur")
    return {key: as_array(band) for key, band in level.items()}


def _formatted(
    approx: Array, details: list[dict[str, Array]], output_format: CoefficientFormat
) -> list[Any]:
    if not isinstance(output_format, str) or output_format not in _FORMATS:
        known = ", ".join(map(repr, _FORMATS))
        raise CoefficientsError(
            f"Unrecognized output format: {output_format!r}; use one of {known}"
        )
    kind = _FORMATS[output_format]
    for bands in details:
        if not set(_KEYS[kind]) <= set(bands):
            raise BandError(
                f"output_format {output_format!r} needs the bands {', '.join(_KEYS[kind])}, "
                f"got {', '.join(map(str, bands))}"
            )
    if kind == "wavedec":
        return [approx, *(bands["d"] for bands in details)]
    if kind == "wavedec2":
        return [approx, *((b["da"], b["ad"], b["dd"]) for b in details)]
    return [approx, *details]
