"""The coefficients of a fully separable transform, in one array."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from liftwave._arrays.convert import as_array
from liftwave._numbers import items
from liftwave._plan.axes import AxisPlans, axis_plans
from liftwave._typing import Array
from liftwave.errors import (
    ArgumentTypeError,
    AxisTypeError,
    ModeTypeError,
    ShapeError,
    WaveletTypeError,
    warn,
)
from liftwave.wavelets.resolve import as_pywt


class FswavedecnResult:
    """Coefficients of a fully separable wavelet transform, in one array.

    Parameters
    ----------
    coeffs : array
        All coefficients.
    coeff_slices : list of list of slice
        For each transformed axis the slices of the approximation and of the
        details, coarsest first.
    wavelets : sequence of wavelet
        One per axis.
    mode_enums : sequence of mode
        One per axis, as PyWavelets' number or as a name.
    axes : tuple of int
        The transformed axes.
    """

    def __init__(
        self,
        coeffs: Array,
        coeff_slices: list[list[slice]],
        wavelets: Sequence[Any],
        mode_enums: Sequence[Any],
        axes: Sequence[int],
    ) -> None:
        self._coeffs = as_array(coeffs)
        self._coeff_slices = coeff_slices
        self._plans = axis_plans(
            items(wavelets, "wavelets must be a sequence", WaveletTypeError),
            items(mode_enums, "mode_enums must be a sequence", ModeTypeError),
            tuple(items(axes, "axes must be a sequence of integers", AxisTypeError)),
            self._coeffs.ndim,
        )

    @classmethod
    def _of_plans(
        cls, coeffs: Array, coeff_slices: list[list[slice]], plans: AxisPlans
    ) -> FswavedecnResult:
        result = cls.__new__(cls)
        result._coeffs, result._coeff_slices, result._plans = coeffs, coeff_slices, plans
        return result

    @classmethod
    def _of(cls, result: Any) -> FswavedecnResult:
        """The result itself, or a result of :func:`pywt.fswavedecn` as one of this class."""
        if isinstance(result, cls):
            return result
        try:
            fields = (result.coeffs, result.coeff_slices, result.wavelets, result.modes)
            return cls(*fields, result.axes)
        except AttributeError:
            raise ArgumentTypeError(
                f"expected the result of fswavedecn, got an object of type {type(result).__name__}"
            ) from None

    @property
    def coeffs(self) -> Array:
        """All coefficients in one array."""
        return self._coeffs

    @coeffs.setter
    def coeffs(self, c: Array) -> None:
        c = as_array(c)
        if c.shape != self._coeffs.shape:
            raise ShapeError(
                "new coefficient array must match the existing coefficient shape "
                f"{tuple(self._coeffs.shape)}, got {tuple(c.shape)}"
            )
        self._coeffs = c

    @property
    def coeff_slices(self) -> list[list[slice]]:
        """The slices of the bands of each axis, approximation first."""
        return self._coeff_slices

    @property
    def ndim(self) -> int:
        """Number of dimensions of the data."""
        return int(self.coeffs.ndim)

    @property
    def ndim_transform(self) -> int:
        """Number of transformed axes."""
        return len(self.axes)

    @property
    def axes(self) -> tuple[int, ...]:
        """The transformed axes."""
        return tuple(plan.axis for plan in self._plans)

    @property
    def levels(self) -> list[int]:
        """Number of levels along each transformed axis."""
        return [len(slices) - 1 for slices in self.coeff_slices]

    @property
    def wavelets(self) -> list[Any]:
        """The wavelet of each transformed axis, a ``pywt.Wavelet`` if PyWavelets can describe it.

        Lifting schemes, and filter banks whose taps are arrays of another library, stay as they
        are.
        """
        return [as_pywt(plan.wavelet) for plan in self._plans]

    @property
    def wavelet_names(self) -> list[str]:
        """The wavelets' names."""
        return [plan.wavelet.name for plan in self._plans]

    @property
    def modes(self) -> list[str]:
        """The boundary mode of each transformed axis."""
        return [plan.boundary for plan in self._plans]

    @property
    def approx(self) -> Array:
        """The band that is an approximation along every axis."""
        return self._coeffs[self._index_of((0,) * self.ndim_transform)]

    @approx.setter
    def approx(self, a: Array) -> None:
        self._assign((0,) * self.ndim_transform, a)

    def detail_keys(self) -> list[tuple[int, ...]]:
        """The sorted keys of all bands except the approximation."""
        keys = product(*(range(levels + 1) for levels in self.levels))
        return sorted(key for key in keys if any(key))

    def __getitem__(self, levels: Sequence[int]) -> Array:
        """The band with these level numbers along the axes (0: approximation, 1: coarsest)."""
        return self._coeffs[self._index_of(self._checked(levels))]

    def __setitem__(self, levels: Sequence[int], x: Array) -> None:
        """Replace a band by an array of its shape."""
        self._assign(self._checked(levels), x)

    def _assign(self, levels: tuple[int, ...], x: Array) -> None:
        index, x = self._index_of(levels), as_array(x)
        band = self._coeffs[index]
        if band.shape != x.shape:
            raise ShapeError(
                "x does not match the shape of the requested coefficient: "
                f"got {tuple(x.shape)} for a band of shape {tuple(band.shape)}"
            )
        if x.dtype != band.dtype:
            warn(
                f"dtype mismatch:  converting the provided array to dtype {band.dtype}", UserWarning
            )
        self._coeffs[index] = x

    def _index_of(self, levels: tuple[int, ...]) -> tuple[slice, ...]:
        index = [slice(None)] * self.ndim
        for axis, slices, level in zip(self.axes, self.coeff_slices, levels, strict=True):
            index[axis] = slices[level]
        return tuple(index)

    def _checked(self, levels: Sequence[int]) -> tuple[int, ...]:
        numbers = tuple(items(levels, "levels must be a tuple of integers"))
        if len(numbers) != self.ndim_transform:
            raise ShapeError(
                "levels must match the number of transformed axes: "
                f"got {len(numbers)} levels for {self.ndim_transform} axes"
            )
        if not all(_is_natural(level) for level in numbers):
            raise ShapeError(f"Index must be a tuple of non-negative integers, got {numbers}")
        index = tuple(int(level) for level in numbers)
        if any(level > most for level, most in zip(index, self.levels, strict=True)):
            raise ShapeError(
                "Specified indices exceed the number of transform levels: "
                f"{index}, of {self.levels}"
            )
        return index


def _is_natural(level: Any) -> bool:
    try:
        return bool(level >= 0 and int(level) == level)
    except (TypeError, ValueError):
        return False
