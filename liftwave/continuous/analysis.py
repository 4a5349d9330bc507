"""Spectra of extended signals, rows of coefficients, and the inverse transform."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.convert import is_complex, real_dtype
from liftwave._dispatch import kernels_for
from liftwave._kernels.reference.spectral import spectral_rows
from liftwave._plan.spectral import SpectralPlan
from liftwave._typing import Array
from liftwave.continuous.extension import Layout, extended
from liftwave.continuous.grid import Grid, dtype_of_responses, plan_of

# Bins whose symbol is smaller than this, relative to its maximum, are not inverted: changes of
# coefficients would grow there.
LEAST_SYMBOL = 0.02


@dataclass(frozen=True, eq=False)
class Analysis:
    """A signal in the frequency domain, and the rows that are computed from it.

    Attributes
    ----------
    grid : Grid
        The rows.
    layout : Layout
        The place of the signal in its extension.
    spectrum : array, shape (..., length // 2 + 1)
        The bins of non-negative frequency. Complex signals have an axis of length 2 in front: the
        spectra of their real and imaginary parts.
    is_complex : bool
        Whether the signal is complex.
    axis : int
        The axis of time in the signal, counted from its first axis.
    hop : int
        The distance of two columns, in samples.
    """

    grid: Grid
    layout: Layout
    spectrum: Array
    is_complex: bool
    axis: int
    hop: int = 1

    @classmethod
    def of(cls, x: Array, grid: Grid, layout: Layout, axis: int, hop: int) -> Analysis:
        """The analysis of an opened signal."""
        xp = array_namespace(x)
        rows = xp.moveaxis(x, axis, -1)
        if is_complex(x):
            rows = xp.stack([xp.real(rows), xp.imag(rows)])
        spectrum = forward(extended(rows, layout))
        return cls(grid, layout, spectrum, is_complex(x), axis, hop)

    @cached_property
    def is_real(self) -> bool:
        """Whether coefficients of real signals are real."""
        return self.grid.concrete.is_real

    @cached_property
    def full_layout(self) -> Layout:
        """The layout whose columns are those of the whole extension."""
        return Layout(self.layout.length, 0, self.layout.length, self.layout.mode)

    def rows(self, layout: Layout | None = None) -> Array:
        """The analytic rows, of the shape (..., rows, columns)."""
        dtype = dtype_of_responses(self.spectrum)
        plan = plan_of(self.grid, layout or self.layout, dtype, self.hop)
        return rows_of(self.spectrum, plan)

    def coefficients(self, layout: Layout | None = None) -> tuple[Array, Array | None]:
        """The coefficients, and those of negative frequencies of complex signals."""
        rows, phase = self.rows(layout), self.grid.concrete.phase
        xp = array_namespace(rows)
        if self.is_real:
            real = xp.real(rows) * phase.real if phase.imag == 0 else -xp.imag(rows) * phase.imag
            if not self.is_complex:
                return real, None
            return real[0, ...] + 1j * real[1, ...], None
        if not self.is_complex:
            return rows, None
        first, second = rows[0, ...], rows[1, ...]
        return first + 1j * second, xp.conj(first) + 1j * xp.conj(second)

    @cached_property
    def mean(self) -> Array:
        """The mean of the extended signal, by real and imaginary part."""
        return array_namespace(self.spectrum).real(self.spectrum[..., 0]) / self.layout.length

    @cached_property
    def signal(self) -> Array:
        """The signal, with time as the last axis. Complex signals are two real signals."""
        return self.cut(backward(self.spectrum, self.layout.length))

    def cut(self, wide: Array) -> Array:
        """The columns of the signal."""
        return wide[..., self.layout.before : self.layout.before + self.layout.n]

    # --- the inverse -----------------------------------------------------------------------------

    @cached_property
    def symbol(self) -> NDArray[np.float64]:
        """The sum of all responses at each bin, in the amplitude norm."""
        return self.grid.symbol(self.layout)

    @cached_property
    def covered(self) -> NDArray[np.bool_]:
        """The bins that can be inverted. Bin 0 is never one of them."""
        peak = float(self.symbol.max(initial=0.0))
        covered: NDArray[np.bool_] = self.symbol > LEAST_SYMBOL * peak
        covered[0] = False
        return covered

    def deconvolved(self, total: Array, has_mean: bool) -> Array:
        """The signal from the sum of the real parts of rows in the amplitude norm.

        Real signals, along the last axis, of the length of the signal or of its extension.
        """
        if total.shape[-1] != self.layout.length:
            total = extended(total, self.layout_of_rows)
        spectrum = forward(total)
        xp = array_namespace(spectrum)
        weights = xp.asarray(self._factors, dtype=spectrum.dtype, device=device_of(spectrum))
        inverted = (spectrum * weights)[..., 1:]
        first = xp.astype(self.mean, spectrum.dtype)[..., None] * self.layout.length
        first = first if has_mean else xp.zeros_like(first)
        return self.cut(backward(xp.concat([first, inverted], axis=-1), self.layout.length))

    @property
    def layout_of_rows(self) -> Layout:
        """The extension of rows. That of odd wavelets has the opposite symmetry."""
        swapped = {"symmetric": "antisymmetric", "antisymmetric": "symmetric"}
        mode = self.layout.mode
        is_odd = self.is_real and self.grid.concrete.phase.imag != 0
        return self.layout._replace(mode=swapped.get(mode, mode) if is_odd else mode)

    @property
    def _factors(self) -> NDArray[Any]:
        """The factor of each bin that undoes the symbol."""
        factors = np.zeros(self.symbol.size, np.complex128)
        factors[self.covered] = 2 / self.symbol[self.covered]
        if self.layout.length % 2 == 0:  # the bin of half the sampling rate has no mirror image
            factors[-1] /= 2
        phase = self.grid.concrete.phase if self.is_real else 1.0
        if complex(phase).imag and self.layout.length % 2 == 0:
            factors[-1] = 0  # the real part of the row is zero there
        return factors / phase

    def joined(self, x: Array) -> Array:
        """A signal from its real and imaginary parts, with time at its place."""
        xp = array_namespace(x)
        if self.is_complex:
            x = x[0, ...] + 1j * x[1, ...]
        return xp.moveaxis(x, -1, self.axis)


def rows_of(spectrum: Array, plan: SpectralPlan) -> Array:
    """The analytic rows of a plan, by compiled kernels if there are any for the array."""
    native = kernels_for(spectrum).native_spectral(plan)
    rows = None if native is None else native(spectrum)
    return spectral_rows(spectrum, plan) if rows is None else rows


def forward(x: Array) -> Array:
    """The spectrum of real signals along the last axis, in their precision."""
    xp = array_namespace(x)
    spectrum = xp.fft.rfft(x, axis=-1)
    dtype = xp.complex64 if x.dtype == xp.float32 else xp.complex128
    return spectrum if spectrum.dtype == dtype else xp.astype(spectrum, dtype)


def backward(spectrum: Array, length: int) -> Array:
    """The real signals of a spectrum."""
    xp = array_namespace(spectrum)
    x = xp.fft.irfft(spectrum, n=length, axis=-1)
    dtype = real_dtype(spectrum, xp)
    return x if x.dtype == dtype else xp.astype(x, dtype)
