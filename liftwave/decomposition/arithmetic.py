"""Decompositions as vectors: sums, multiples, magnitudes, and comparison by value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from numbers import Number
from typing import Self

from array_api_compat import array_namespace

from liftwave._arrays.convert import common_namespace
from liftwave._numbers import real_number
from liftwave._typing import Array
from liftwave.decomposition.bands import Bands
from liftwave.errors import ShapeError


class BandArithmetic(Bands):
    """The operators of a decomposition. Each returns a new decomposition, or a comparison."""

    __array_ufunc__ = None  # a number of NumPy times a decomposition is a decomposition

    def __add__(self, other: Self) -> Self:
        """The sum of two decompositions with the same layout, band by band."""
        return self._with(other, lambda x, y: x + y) if _is_bands(other) else NotImplemented

    def __sub__(self, other: Self) -> Self:
        """The difference of two decompositions with the same layout, band by band."""
        return self._with(other, lambda x, y: x - y) if _is_bands(other) else NotImplemented

    def __mul__(self, factor: float) -> Self:
        """All coefficients times a number."""
        return self._each(lambda x: x * factor) if _is_number(factor) else NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Self:
        """All coefficients divided by a number."""
        return self._each(lambda x: x / divisor) if _is_number(divisor) else NotImplemented

    def __neg__(self) -> Self:
        """All coefficients with the opposite sign."""
        return self._each(lambda x: -x)

    def __pos__(self) -> Self:
        """The decomposition itself."""
        return self

    def __abs__(self) -> Self:
        """The magnitudes of all coefficients."""
        return self._each(lambda x: array_namespace(x).abs(x))

    def __eq__(self, other: object) -> bool:
        """Whether layout, wavelets, modes and all coefficients are equal."""
        return self._agrees(other, lambda x, y: bool(array_namespace(x).all(x == y)))

    __hash__ = None  # type: ignore[assignment]

    def allclose(self, other: Bands, rtol: float = 1e-5, atol: float = 1e-8) -> bool:
        """Return whether the layouts are equal and the coefficients nearly equal.

        Parameters
        ----------
        other : Decomposition
            The decomposition to compare with.
        rtol, atol : float
            Coefficients ``x`` and ``y`` agree if ``abs(x - y) <= atol + rtol * abs(y)``.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> d = lw.decompose(np.arange(8.0), "db2", level=1)
        >>> d == d + 1e-12 * d, d.allclose(d + 1e-12 * d)
        (False, True)
        """
        rtol = real_number(rtol, "rtol must be a number")
        atol = real_number(atol, "atol must be a number")

        def close(x: Array, y: Array) -> bool:
            xp = array_namespace(x)
            return bool(xp.all(xp.abs(x - y) <= atol + rtol * xp.abs(y)))

        return self._agrees(other, close)

    def _each(self, function: Callable[[Array], Array]) -> Self:
        """The decomposition with a function of each band."""
        return self._with(self, lambda x, _: function(x))

    def _with(self, other: Bands, function: Callable[[Array, Array], Array]) -> Self:
        """The decomposition with a function of each band and the same band of another one."""
        if not self._has_layout_of(other):
            raise ShapeError(
                "only decompositions with the same shape, level, wavelets, modes and axes can be "
                f"added or subtracted, got {self!r} and {other!r}"
            )
        common_namespace([self.approx, other.approx])
        details = tuple(
            {key: self._in_band_dtype(function(x, theirs[key]), x) for key, x in ours.items()}
            for ours, theirs in zip(self.details, other.details, strict=True)
        )
        approx = self._in_band_dtype(function(self.approx, other.approx), self.approx)
        return replace(self, approx=approx, details=details)

    def _agrees(self, other: object, equal: Callable[[Array, Array], bool]) -> bool:
        if not isinstance(other, Bands) or not self._has_layout_of(other):
            return False
        if array_namespace(self.approx) is not array_namespace(other.approx):
            return False
        pairs = zip(self.bands.values(), other.bands.values(), strict=True)
        return all(equal(x, y) for x, y in pairs)

    def _has_layout_of(self, other: Bands) -> bool:
        return self._layout == other._layout and [
            (which, tuple(band.shape)) for which, band in self.bands.items()
        ] == [(which, tuple(band.shape)) for which, band in other.bands.items()]


def _is_bands(value: object) -> bool:
    return isinstance(value, Bands)


def _is_number(value: object) -> bool:
    return isinstance(value, Number)
