"""Converts the outputs of real filter banks to the complex bands of dual trees, and back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from math import prod
from typing import TypeAlias

from array_api_compat import array_namespace

from liftwave._kernels.reference.pieces import merged, slice_along, total
from liftwave._typing import Array

Key: TypeAlias = tuple[int, ...]
"""One number per axis: 0 for the low-pass or even samples, 1 for the high-pass or odd samples."""

Parts: TypeAlias = dict[tuple[Key, Key], Array]
"""The outputs of one level by filters and by parities of the samples."""


@lru_cache
def signs(dimensions: int) -> tuple[Key, ...]:
    """The signs of the imaginary unit of each axis, for the bands from the same filters."""
    return tuple((*key, 1) for key in product((1, -1), repeat=dimensions - 1))


@lru_cache
def band_places(dimensions: int) -> tuple[tuple[Key, Key], ...]:
    """The filters and the signs of each band, in the order of Kingsbury's toolbox."""
    choices = signs(dimensions)
    if dimensions == 1:
        return (((1,), choices[0]),)
    if dimensions == 2:
        filters = ((1, 0), (1, 1), (0, 1))
        rising, falling = choices
        return (
            *((key, rising) for key in filters),
            *((key, falling) for key in reversed(filters)),
        )
    first = [(0, 1, 0), (1, 0, 0), (1, 1, 0), (0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1)]
    return tuple(product(first, choices))


def _weight(band_signs: Key, parities: Key) -> int:
    """The sign of samples of these parities in a band."""
    units = [sign for sign, parity in zip(band_signs, parities, strict=True) if parity]
    return prod(units) * (1, 1, -1, -1)[len(units)]


def _parities(dimensions: int, part: int) -> list[Key]:
    """The parities whose samples are in the real (0) or the imaginary part (1)."""
    return [key for key in product((0, 1), repeat=dimensions) if sum(key) % 2 == part]


def complex_bands(parts: Mapping[tuple[Key, Key], Array], dimensions: int) -> Array:
    r"""The bands of one level, as real and imaginary parts.

    With samples :math:`y_e` of parities :math:`e` and signs :math:`s`, a band is
    :math:`2^{(1-d)/2} \sum_e y_e \prod_k (s_k i)^{e_k}`.
    """
    xp, scale = array_namespace(*parts.values()), 0.5 ** ((dimensions - 1) / 2)
    planes = [
        xp.stack(
            [
                _scaled(
                    total(
                        _signed(parts[key, parities], _weight(band_signs, parities))
                        for parities in _parities(dimensions, part)
                    ),
                    scale,
                )
                for part in (0, 1)
            ],
            axis=-1,
        )
        for key, band_signs in band_places(dimensions)
    ]
    return xp.stack(planes, axis=-dimensions - 2)


def parts_of_bands(bands: Array, dimensions: int) -> Parts:
    """The transpose of :func:`complex_bands`, which is its inverse."""
    scale, parts = 0.5 ** ((dimensions - 1) / 2), Parts()
    places = band_places(dimensions)
    for key in dict(places):
        for parities in product((0, 1), repeat=dimensions):
            terms = [
                _signed(_plane(bands, k, sum(parities) % 2, dimensions), _weight(s, parities))
                for k, (of_band, s) in enumerate(places)
                if of_band == key
            ]
            parts[key, parities] = _scaled(total(terms), scale)
    return parts


def _plane(bands: Array, band: int, part: int, dimensions: int) -> Array:
    """The real or the imaginary part of one band."""
    return bands[(..., band, *[slice(None)] * dimensions, part)]


def _signed(x: Array, sign: int) -> Array:
    return x if sign > 0 else -x


def _scaled(x: Array, factor: float) -> Array:
    return x if factor == 1.0 else x * factor


def interleaved(parts: Mapping[tuple[Key, Key], Array], dimensions: int) -> Array:
    """The low-pass of one level, from its samples by parities."""
    low = (0,) * dimensions
    arrays = {parities: part for (key, parities), part in parts.items() if key == low}
    xp = array_namespace(*arrays.values())
    for axis in range(-1, -dimensions - 1, -1):
        keys = dict.fromkeys(parities[:-1] for parities in arrays)
        arrays = {
            key: merged([arrays[*key, 0], arrays[*key, 1]], arrays[*key, 0].ndim + axis, xp)
            for key in keys
        }
    return arrays[()]


def parts_of_low(x: Array, dimensions: int) -> Parts:
    """The inverse of :func:`interleaved`."""
    arrays: dict[Key, Array] = {(): x}
    for axis in range(-dimensions, 0):
        n, number = x.shape[axis] // 2, x.ndim + axis
        arrays = {
            (*key, parity): slice_along(array, number, parity, 2, n)
            for key, array in arrays.items()
            for parity in (0, 1)
        }
    return {((0,) * dimensions, key): array for key, array in arrays.items()}
