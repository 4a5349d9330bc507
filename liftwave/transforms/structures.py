"""Structures of coefficients: convert flat bands to the results of PyWavelets' functions.

Bands are flat: the approximation first, then the details, coarsest level first, sorted by key
within a level. ``None`` stands for a missing band, which counts as zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array, is_array
from liftwave._operations.planned_transform import detail_keys
from liftwave._typing import Array
from liftwave.errors import CoefficientsError, ShapeError

Bands: TypeAlias = "Sequence[Array | None]"


class Pair:
    """``(cA, cD)`` of :func:`dwt`."""

    def pack(self, arrays: Bands) -> tuple[Array | None, Array | None]:
        """The two bands."""
        approx, detail = arrays
        return approx, detail

    def unpack(self, value: Any) -> Bands:
        """The two bands. One of them can be missing."""
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ShapeError(f"expected the bands (cA, cD) as dwt returns them, got {value!r}")
        return as_arrays(value)


class Quad:
    """``(cA, (cH, cV, cD))`` of :func:`dwt2`."""

    def pack(self, arrays: Bands) -> tuple[Array | None, tuple[Array | None, ...]]:
        """The approximation and the details."""
        approx, lowhigh, highlow, highhigh = arrays
        return approx, (highlow, lowhigh, highhigh)

    def unpack(self, value: Any) -> Bands:
        """The four bands. Some of them can be missing."""
        try:
            approx, (highlow, lowhigh, highhigh) = value
        except (TypeError, ValueError, RuntimeError):
            raise CoefficientsError(
                "expected the bands (cA, (cH, cV, cD)) as dwt2 returns them, got "
                + type(value).__name__
                + (f" of {len(value)} items" if isinstance(value, Sequence) else "")
            ) from None
        return as_arrays((approx, lowhigh, highlow, highhigh))


class KeyedBands:
    """The dict by key of :func:`dwtn`."""

    def __init__(self, naxes: int) -> None:
        self.keys = ("a" * naxes, *detail_keys(naxes))

    def pack(self, arrays: Bands) -> dict[str, Array]:
        """The bands that are present, by key."""
        pairs = zip(self.keys, arrays, strict=True)
        return {key: band for key, band in pairs if band is not None}

    def unpack(self, value: Any) -> Bands:
        """The bands in a dict. Missing keys and ``None`` stand for missing bands."""
        bands = present_bands(value)
        check_key_lengths([bands], len(self.keys[0]))
        return [bands.get(key) for key in self.keys]


class BandList:
    """The list ``[cA_n, cD_n, …, cD_1]`` of :func:`wavedec`."""

    def pack(self, arrays: Bands) -> list[Array | None]:
        """The list."""
        return list(arrays)

    def unpack(self, value: Any) -> Bands:
        """The bands in a list."""
        if not isinstance(value, list | tuple) or not value:
            raise _no_list(value)
        for detail in value[1:]:
            if type(detail) is not np.ndarray and detail is not None and not is_array(detail):
                raise ShapeError(
                    f"Unexpected detail coefficient type: {type(detail)}. Detail coefficients must "
                    "be arrays as returned by wavedec. If you are using array_to_coeffs or "
                    "unravel_coeffs, please specify output_format='wavedec'"
                )
        return as_arrays(value)


class TripleList:
    """The list ``[cA_n, (cH_n, cV_n, cD_n), …]`` of :func:`wavedec2`."""

    def pack(self, arrays: Bands) -> list[Any]:
        """The list."""
        triples = [(arrays[k + 1], arrays[k], arrays[k + 2]) for k in range(1, len(arrays), 3)]
        return [arrays[0], *triples]

    def unpack(self, value: Any) -> Bands:
        """The bands in a list."""
        if not isinstance(value, list | tuple) or not value:
            raise _no_list(value)
        bands = [value[0]]
        for details in value[1:]:
            if not isinstance(details, list | tuple) or len(details) != 3:
                raise _no_triple(details)
            highlow, lowhigh, highhigh = details
            bands += (lowhigh, highlow, highhigh)
        arrays = as_arrays(bands)
        _check_triples(arrays)
        return arrays


class DictList:
    """The list ``[cA_n, {details of level n}, …]`` of :func:`wavedecn`."""

    def __init__(self, naxes: int) -> None:
        self.keys = detail_keys(naxes)
        self.key_set = frozenset(self.keys)

    def pack(self, arrays: Bands) -> list[Any]:
        """The list; missing details have no key."""
        step, count = len(self.keys), len(arrays)
        levels = [zip(self.keys, arrays[k : k + step], strict=True) for k in range(1, count, step)]
        return [arrays[0], *({k: b for k, b in level if b is not None} for level in levels)]

    def unpack(self, value: Any) -> Bands:
        """The bands in a list."""
        if not isinstance(value, Sequence) or not value:
            raise _no_list(value)
        flat = [value[0]]
        for details in value[1:]:
            if type(details) is not dict or not details.keys() <= self.key_set:
                break
            flat += [details.get(key) for key in self.keys]
        else:
            return as_arrays(flat)
        approx, checked = dict_list_bands(value)
        check_key_lengths(checked, len(self.keys[0]) if self.keys else 0)
        return [approx, *(bands.get(key) for bands in checked for key in self.keys)]


class OneBand:
    """One band of one axis, as :func:`downcoef` returns it."""

    def __init__(self, part: str, level: int) -> None:
        self.index, self.count = (0 if part == "a" else 1), level + 1

    def pack(self, arrays: Bands) -> Array | None:
        """The band."""
        return arrays[self.index]

    def unpack(self, value: Any) -> Bands:
        """All bands: only this one is present."""
        bands: list[Array | None] = [None] * self.count
        bands[self.index] = as_array(value)
        return bands


class Joined:
    """All bands of one axis, concatenated in one array."""

    def __init__(self, axis: int, slices: Sequence[slice]) -> None:
        self.axis, self.slices = axis, slices

    def pack(self, arrays: Bands) -> Array:
        """The array."""
        return array_namespace(*arrays).concat(list(arrays), axis=self.axis)

    def unpack(self, value: Any) -> Bands:
        """The bands, which are views of the array."""
        before = (slice(None),) * self.axis
        return [value[(*before, where, ...)] for where in self.slices]


PAIR, QUAD, BAND_LIST, TRIPLE_LIST = Pair(), Quad(), BandList(), TripleList()
keyed_bands, dict_list = cache(KeyedBands), cache(DictList)
"""The structure for a number of axes."""


# --- checks ----------------------------------------------------------------------------------


def as_arrays(bands: Sequence[Any]) -> list[Array | None]:
    """The bands that are present, as arrays."""
    return [band if band is None or type(band) is np.ndarray else as_array(band) for band in bands]


def _no_list(coeffs: Any) -> ShapeError:
    """The error for coefficients that are not a list of at least one item."""
    if isinstance(coeffs, Sequence) and not isinstance(coeffs, str):
        return ShapeError("Coefficient list too short (minimum 1 arrays required).")
    return CoefficientsError(
        f"Expected sequence of coefficient arrays, got {type(coeffs).__name__}."
    )


def _no_triple(details: Any) -> ShapeError:
    """The error for details of one level that are not a triple."""
    return ShapeError(
        f"Unexpected detail coefficient type: {type(details)}. Detail coefficients must be a "
        "3-tuple of arrays as returned by wavedec2. If you are using array_to_coeffs or "
        "unravel_coeffs, please specify output_format='wavedec2'"
    )


def _check_triples(bands: Bands) -> None:
    """Raise unless the details of each level have the same shape, up to one sample.

    Only the shapes of lifting bands can differ by one sample.
    """
    for k in range(1, len(bands), 3):
        triple = bands[k + 1], bands[k], bands[k + 2]  # as the user passed it
        shapes = [tuple(band.shape) for band in triple if band is not None]
        if all(shape == shapes[0] for shape in shapes):
            continue
        same_ndim = len({len(shape) for shape in shapes}) == 1
        if not same_ndim or any(max(n) - min(n) > 1 for n in zip(*shapes, strict=True)):
            raise ShapeError(f"All detail shapes must be the same length, got {shapes}.")


def dict_list_bands(coeffs: Sequence[Any]) -> tuple[Array | None, list[dict[str, Array]]]:
    """Approximation and details by key in a list as :func:`wavedecn` returns it.

    Raises
    ------
    ShapeError
        If it is not such a list.
    """
    if not isinstance(coeffs, Sequence) or not coeffs:
        raise _no_list(coeffs)
    for bands in coeffs[1:]:
        if not isinstance(bands, Mapping):
            raise ShapeError(
                f"Unexpected detail coefficient type: {type(bands)}. Detail coefficients must be a "
                "dictionary of arrays as returned by wavedecn. If you are using array_to_coeffs "
                "or unravel_coeffs, please specify output_format='wavedecn'"
            )
    details = [checked_bands(bands) for bands in coeffs[1:]]
    return None if coeffs[0] is None else as_array(coeffs[0]), details


def present_bands(bands: Any) -> dict[str, Array]:
    """The bands of a dict that are not ``None``, as arrays.

    Raises
    ------
    CoefficientsError, ShapeError
        If it is not a dict, or its keys are not valid.
    """
    if not isinstance(bands, Mapping):
        raise CoefficientsError(
            "expected a dict of bands as dwtn returns it, got an object of type "
            + type(bands).__name__
        )
    return checked_bands({key: band for key, band in bands.items() if band is not None})


def checked_bands(bands: Mapping[str, Any]) -> dict[str, Array]:
    """The bands as arrays, after a check of their keys.

    Raises
    ------
    ShapeError
        If a band is ``None``, a key has other letters than ``a`` and ``d``,
        or keys differ in length.
    """
    missing = [key for key, band in bands.items() if band is None]
    if missing:
        raise ShapeError(
            f"The following detail coefficients were set to None:\n{missing}\n"
            "For multilevel transforms use arrays of zeros instead of None, or leave the key out."
        )
    invalid = [key for key in bands if not isinstance(key, str) or not set(key) <= set("ad")]
    if invalid:
        raise ShapeError(
            "The following invalid keys were found in the detail coefficient dictionary: "
            f"{invalid}; a key has one letter per axis, 'a' or 'd'"
        )
    if len({len(key) for key in bands}) > 1:
        raise ShapeError(f"All detail coefficient names must have equal length, got {list(bands)}.")
    return {key: as_array(band) for key, band in bands.items()}


def check_key_lengths(details: Sequence[Mapping[str, Array]], naxes: int) -> None:
    """Raise unless the keys have one letter per axis.

    Raises
    ------
    ShapeError
        If they do not.
    """
    letters = {len(key) for bands in details for key in bands}
    if not letters <= {naxes}:
        raise ShapeError(
            f"keys of {sorted(letters)} letters do not belong to {naxes} axes; "
            "pass the axes that were transformed"
        )
