"""The signal whose coefficients are nearest to changed or selected coefficients."""

from __future__ import annotations

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.convert import is_complex, zeros
from liftwave._typing import Array
from liftwave.continuous.analysis import LEAST_SYMBOL, Analysis, backward, forward
from liftwave.continuous.extension import extended
from liftwave.continuous.grid import plan_of

# The extension of the imaginary parts of analytic rows: those of an even signal are odd.
_SWAPPED = {
    "symmetric": "antisymmetric",
    "antisymmetric": "symmetric",
    "reflect": "antisymmetric",
}


def energies_of(analysis: Analysis, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The sum of the squared responses of some rows at each bin, in the norm of the rows."""
    total = np.zeros(analysis.layout.length // 2 + 1)
    plan = plan_of(analysis.grid.plain, analysis.full_layout, "float64")
    for row in np.flatnonzero(chosen).tolist():
        window = plan.windows[row]
        total[window.start : window.start + window.response.size] += window.response**2
    if analysis.is_real and complex(analysis.grid.concrete.phase).imag and _has_middle(analysis):
        total[-1] = 0  # the real part of the row is zero there
    return total


def covered_by(energies: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The bins of nonzero frequency that can be inverted."""
    covered: NDArray[np.bool_] = energies > LEAST_SYMBOL**2 * energies.max(initial=0.0)
    covered[0] = False
    return covered


def nearest_signal(
    analysis: Analysis, rows: Array, chosen: NDArray[np.bool_], has_mean: bool
) -> Array:
    """The real signals whose coefficients in some rows are nearest to ``rows``.

    Rows of real signals, of the length of the signal or of its extension.
    """
    energies, length = energies_of(analysis, chosen), analysis.layout.length
    covered = covered_by(energies)
    factors = np.zeros(energies.size, np.complex128)
    factors[covered] = 1 / (energies[covered] * _gains(analysis)[covered])
    total = _correlated(analysis, rows, chosen)
    xp = array_namespace(total)
    weights = xp.asarray(factors, dtype=total.dtype, device=device_of(total))
    first = xp.astype(analysis.mean, total.dtype)[..., None] * length
    first = first if has_mean else xp.zeros_like(first)
    inverted = (total * weights)[..., 1:]
    return analysis.cut(backward(xp.concat([first, inverted], axis=-1), length))


def _correlated(analysis: Analysis, rows: Array, chosen: NDArray[np.bool_]) -> Array:
    """The sum of the products of the spectra of rows and their responses."""
    plan = plan_of(analysis.grid.plain, analysis.full_layout, "float64")
    total = analysis.spectrum * 0
    xp = array_namespace(total)
    for row in np.flatnonzero(chosen).tolist():
        window = plan.windows[row]
        spectrum = _spectrum(rows[..., row, :], analysis)
        stop = window.start + window.response.size
        response = xp.asarray(window.response, dtype=total.dtype, device=device_of(total))
        part = xp.astype(spectrum[..., window.start : stop], total.dtype) * response
        batch = tuple(part.shape[:-1])
        before = zeros((*batch, window.start), part, xp)
        after = zeros((*batch, total.shape[-1] - stop), part, xp)
        total = total + xp.concat([before, part, after], axis=-1)
    return total


def _spectrum(row: Array, analysis: Analysis) -> Array:
    """The bins of non-negative frequency of a row, which is extended unless it is whole."""
    layout, xp = analysis.layout, array_namespace(row)
    is_whole = row.shape[-1] == layout.length
    if not is_complex(row):
        return forward(row if is_whole else extended(row, analysis.layout_of_rows))
    if not is_whole:
        odd = layout._replace(mode=_SWAPPED.get(layout.mode, layout.mode))
        row = extended(xp.real(row), layout) + 1j * extended(xp.imag(row), odd)
    return xp.fft.fft(row, axis=-1)[..., : layout.length // 2 + 1]


def _gains(analysis: Analysis) -> NDArray[np.complex128]:
    """The factor of each bin of a row besides its response: real rows have half of it."""
    gains = np.ones(analysis.layout.length // 2 + 1, np.complex128)
    if analysis.is_real:
        gains *= analysis.grid.concrete.phase / 2
        if _has_middle(analysis):  # the bin of half the sampling rate has no mirror image
            gains[-1] *= 2
    return gains


def _has_middle(analysis: Analysis) -> bool:
    return analysis.layout.length % 2 == 0
