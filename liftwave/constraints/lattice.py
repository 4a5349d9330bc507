"""Computes the lattice angles of orthonormal filters from their taps."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pywt
from array_api_compat import device

from liftwave._arrays.convert import open_array
from liftwave._numbers import flag, real_number
from liftwave._typing import Array, ArrayLike
from liftwave.constraints.terms import check_real, mirror
from liftwave.errors import ConstraintError, ShapeError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.lattice import filters_from_angles, lattice_of_filters
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import WaveletLike, resolve_wavelet

# PyWavelets' tables of orthonormal wavelets have errors up to 2e-11.
_TABLE_ERROR = 1e-10

# The largest error, in eps of the taps' dtype, that counts as rounding of orthonormal filters.
_ROUNDING = 100.0


def lattice_angles(
    lowpass: ArrayLike | WaveletLike, *, zero_sum: bool = True, tolerance: float | None = None
) -> Array:
    r"""Return the lattice angles of an orthonormal filter: inverts :func:`orthonormal_filters`.

    Parameters
    ----------
    lowpass : array_like, shape (2N,), or a wavelet
        A synthesis low-pass ``rec_lo``; or a name, a ``pywt.Wavelet``, a :class:`FilterBank` or a
        :class:`LiftingScheme`, whose ``rec_lo`` is used.
    zero_sum : bool, optional
        Whether to omit the last angle, as ``orthonormal_filters`` expects. Default True.
    tolerance : float, optional
        The largest accepted deviation from orthonormality. The default is 1e-10, or the rounding
        error of the filter's dtype if that is larger. With a larger tolerance, the angles are those
        of a nearby orthonormal filter.

    Returns
    -------
    array, shape (N - 1,), or (N,) without ``zero_sum``
        In the library, dtype and device of the filter; float64 NumPy for wavelets. The angles
        have no gradient: detach tensors that require one.

    Raises
    ------
    ConstraintError
        If the filter is not orthonormal, if it does not sum to :math:`\sqrt 2` with ``zero_sum``,
        or if its angles cannot be computed accurately. The message states the error. The last case
        occurs for filters of 16 taps and more with arbitrary angles (rarely for 16, often for 64),
        so keep the angles of learned filters. It does not occur for ``db``, ``sym`` and ``coif``.
    ShapeError
        If the filter is not one-dimensional, or its length is odd.

    Examples
    --------
    >>> from liftwave.constraints import lattice_angles, orthonormal_lowpass
    >>> angles = lattice_angles("db4")
    >>> angles.round(4).tolist()
    [-0.3118, -0.6814, 0.2537]
    >>> orthonormal_lowpass(angles).round(4).tolist()
    [0.2304, 0.7148, 0.6309, -0.028, -0.187, 0.0308, 0.0329, -0.0106]
    """
    opened = open_array(_taps_of(lowpass))
    check_real(opened, "lowpass")
    if opened.array.ndim != 1 or opened.array.shape[0] % 2 or not opened.array.shape[0]:
        raise ShapeError(
            "lowpass must be a 1-D array of an even number of taps, got shape "
            f"{tuple(opened.array.shape)}"
        )
    xp = opened.xp
    low = np.array([float(opened.array[i]) for i in range(opened.array.shape[0])])
    zero_sum = flag(zero_sum, "zero_sum")
    if tolerance is None:
        tolerance = max(_TABLE_ERROR, _ROUNDING * float(xp.finfo(opened.array.dtype).eps))
    tolerance = real_number(tolerance, "tolerance must be a number")
    _check_orthonormal(low, tolerance)
    if zero_sum:
        _check_sum(low, tolerance)
    angles = _checked_angles(low, tolerance)[: low.size // 2 - zero_sum]
    return opened.close(
        xp.asarray(list(angles), dtype=opened.array.dtype, device=device(opened.array))
    )


def _taps_of(lowpass: ArrayLike | WaveletLike) -> ArrayLike:
    if not isinstance(lowpass, str | pywt.Wavelet | FilterBank | LiftingScheme):
        return lowpass
    wavelet = resolve_wavelet(lowpass)
    bank = wavelet.to_filter_bank() if isinstance(wavelet, LiftingScheme) else wavelet
    return bank.rec_lo


def _checked_angles(low: np.ndarray, tolerance: float) -> tuple[float, ...]:
    """Return the lattice angles of a filter. Raise if they do not reproduce the filter."""
    high = mirror(low)
    angles = lattice_of_filters(low[::-1].tolist(), high[::-1].tolist()).angles
    miss = float(np.abs(np.array(filters_from_angles(angles)[0]) - low[::-1]).max())
    if miss > tolerance:
        raise ConstraintError(
            f"this filter of {low.size} taps is orthonormal, but the computed angles reproduce it "
            f"with an error of {miss:.3g}: long filters do not determine their angles accurately. "
            "Keep the angles from which it was computed"
        )
    return angles


def _check_orthonormal(low: np.ndarray, tolerance: float) -> None:
    products = [float(low[lag:] @ low[: low.size - lag]) for lag in range(0, low.size, 2)]
    misses = [abs(p - (lag == 0)) for lag, p in enumerate(products)]
    worst = int(np.argmax(misses))
    if misses[worst] <= tolerance:
        return
    symmetric = low.size > 2 and np.allclose(np.abs(low), np.abs(low[::-1]), rtol=0, atol=tolerance)
    hint = ". It is symmetric: only Haar is symmetric and orthonormal" if symmetric else ""
    raise ConstraintError(
        f"the low-pass is not orthonormal: its product with itself shifted by {2 * worst} is "
        f"{products[worst]:.12g} instead of {int(worst == 0)}, an error of {misses[worst]:.3g} "
        f"(tolerance {tolerance:.3g}){hint}"
    )


def _check_sum(low: np.ndarray, tolerance: float) -> None:
    miss = abs(float(low.sum()) - sqrt(2.0))
    if miss > tolerance:
        raise ConstraintError(
            f"the low-pass sums to {low.sum():.12g} instead of sqrt(2), an error of {miss:.3g} "
            f"(tolerance {tolerance:.3g}), so its high-pass does not sum to zero: use "
            "zero_sum=False for all of its angles"
        )
