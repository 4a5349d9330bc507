"""Structures of undecimated coefficients, with and without the approximations of all levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from array_api_compat import array_namespace

from liftwave._numbers import is_several
from liftwave._operations.call import Structure
from liftwave._typing import Array
from liftwave.errors import CoefficientsError, ShapeError
from liftwave.transforms.structures import (
    BAND_LIST,
    PAIR,
    QUAD,
    TRIPLE_LIST,
    Bands,
    dict_list,
    keyed_bands,
)


class Levels:
    """A list of the bands of each level, approximations included, coarsest level first.

    Parameters
    ----------
    level : Structure
        The structure of one level.
    count : int
        The number of its bands.
    """

    def __init__(self, level: Structure, count: int) -> None:
        self.level, self.count = level, count

    def pack(self, arrays: Bands) -> list[Any]:
        """The list."""
        step = self.count
        return [self.level.pack(arrays[k : k + step]) for k in range(0, len(arrays), step)]

    def unpack(self, value: Any) -> Bands:
        """The bands of all levels."""
        return [band for of_level in value for band in self.level.unpack(of_level)]


class CoarsestApproximation:
    """The same list, for a synthesis: it uses the approximation of the coarsest level only."""

    def __init__(self, levels: Levels) -> None:
        self.levels = levels

    def pack(self, arrays: Bands) -> list[Any]:
        """The list, with zeros for the approximations that are not used."""
        step = self.levels.count - 1
        bands = list(arrays[: step + 1])
        for start in range(step + 1, len(arrays), step):
            details = arrays[start : start + step]
            bands += [_zeros_like(details), *details]
        return self.levels.pack(bands)

    def unpack(self, value: Any) -> Bands:
        """The approximation of the coarsest level, and the details of all levels."""
        bands, step = self.levels.unpack(value), self.levels.count
        return [band for k, band in enumerate(bands) if k == 0 or k % step]


def _zeros_like(bands: Bands) -> Array | None:
    like = next((band for band in bands if band is not None), None)
    return None if like is None else array_namespace(like).zeros_like(like)


class UndecimatedBands:
    """The structures of the coefficients of one function.

    Attributes
    ----------
    levels : Levels
        With the approximations of all levels.
    trimmed : Structure
        With the coarsest approximation only.
    """

    def __init__(self, level: Structure, count: int, trimmed: Structure) -> None:
        self.levels, self.trimmed = Levels(level, count), trimmed
        self.coarsest = CoarsestApproximation(self.levels)

    def of_argument(self, coeffs: Any, kinds: tuple[type, ...]) -> Structure:
        """The structure of an argument: its first item has one of these types unless trimmed.

        Raises
        ------
        CoefficientsError, ShapeError
            If the coefficients are not a list of at least one item.
        """
        if not isinstance(coeffs, Sequence) or isinstance(coeffs, str):
            raise CoefficientsError(
                f"expected a list of coefficients, got an object of type {type(coeffs).__name__}"
            )
        if not coeffs:
            raise CoefficientsError("expected a list of coefficients of at least one level, got []")
        if not isinstance(coeffs[0], kinds):
            return self.trimmed
        for of_level in coeffs:
            if not isinstance(of_level, kinds):
                raise ShapeError(
                    "a list that begins with all bands of a level has all bands of each level, got "
                    f"{type(of_level).__name__}"
                )
        return self.coarsest


ONE_AXIS = UndecimatedBands(PAIR, 2, BAND_LIST)
TWO_AXES = UndecimatedBands(QUAD, 4, TRIPLE_LIST)


@cache
def any_axes(naxes: int) -> UndecimatedBands:
    """The structures for a number of axes."""
    return UndecimatedBands(keyed_bands(naxes), 2**naxes, dict_list(naxes))


def letters_of(coeffs: Any, axes: Any) -> int:
    """The number of letters of the keys in a list of dicts; without keys, the number of axes.

    Raises
    ------
    CoefficientsError
        If the last item is not a dict, or there are neither keys nor axes.
    """
    finest = coeffs[-1] if isinstance(coeffs, Sequence) and coeffs else None
    letters = 0
    if isinstance(finest, Mapping):
        keys = [key for level in coeffs if isinstance(level, Mapping) for key in level]
        letters = max((len(key) for key in keys if isinstance(key, str)), default=_count(axes))
    if not letters:
        raise CoefficientsError(
            "expected a list of coefficients whose last item is a dict of bands, as swtn returns, "
            f"got {type(coeffs).__name__ if finest is None else type(finest).__name__}"
        )
    return letters


def _count(axes: Any) -> int:
    return len(list(axes)) if is_several(axes) else 0
