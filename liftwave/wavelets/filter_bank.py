"""Two-channel filter banks: four filters in PyWavelets' convention."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from liftwave.errors import WaveletError
from liftwave.wavelets.taps import (
    PlanOwner,
    Taps,
    as_taps,
    is_concrete,
    same_taps,
    tap_count,
    taps_key,
)

_FILTERS = ("dec_lo", "dec_hi", "rec_lo", "rec_hi")

# A reconstruction error above the rounding of a table means that the bank is wrong.
_RECONSTRUCTION_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class FilterBank(PlanOwner):
    r"""A two-channel filter bank, accepted wherever a wavelet is.

    Parameters
    ----------
    dec_lo, dec_hi : sequence of float or 1-D array
        Analysis low-pass and high-pass filters, in the convolution order of
        PyWavelets: :math:`cA_k = \sum_j \mathtt{dec\_lo}_j\, x_{2k+1-j}`.
    rec_lo, rec_hi : sequence of float or 1-D array
        Synthesis low-pass and high-pass filters.
    name : str, optional
        A name for ``repr`` and messages.

    Raises
    ------
    ValueError
        If a filter is empty, not one-dimensional, or not finite.
    TypeError
        If a filter does not hold real numbers.

    Notes
    -----
    Filters of odd or of unequal length are padded with zeros at the end, to
    the next even common length, as PyWavelets does. The four filters
    reconstruct only if their delays agree. :meth:`reconstruction_error` checks
    this.

    Taps may be arrays of torch, CuPy or another array library. They are not
    converted, so that gradients can be computed for them.

    Examples
    --------
    >>> import liftwave as lw
    >>> s = 0.5 ** 0.5
    >>> haar = lw.FilterBank([s, s], [-s, s], [s, s], [s, -s], name="my haar")
    >>> haar.orthogonal
    True
    >>> cA, cD = lw.dwt([1.0, 2.0, 3.0, 4.0], haar)
    >>> cA.round(6).tolist()
    [2.12132, 4.949747]
    """

    dec_lo: Taps
    dec_hi: Taps
    rec_lo: Taps
    rec_hi: Taps
    name: str = field(default="")

    def __post_init__(self) -> None:
        filters = {f: as_taps(getattr(self, f), f) for f in _FILTERS}
        longest = max(tap_count(taps) for taps in filters.values())
        even = longest + longest % 2
        for attribute, taps in filters.items():
            object.__setattr__(self, attribute, _padded(taps, even))

    @property
    def filter_bank(self) -> tuple[Taps, Taps, Taps, Taps]:
        """The four filters ``(dec_lo, dec_hi, rec_lo, rec_hi)``."""
        return self.dec_lo, self.dec_hi, self.rec_lo, self.rec_hi

    @property
    def dec_len(self) -> int:
        """Length of the analysis filters (even)."""
        return tap_count(self.dec_lo)

    @property
    def rec_len(self) -> int:
        """Length of the synthesis filters (even)."""
        return tap_count(self.rec_lo)

    @cached_property
    def is_concrete(self) -> bool:
        """Whether all taps are plain numbers rather than arrays of another library."""
        return all(is_concrete(taps) for taps in self.filter_bank)

    @cached_property
    def orthogonal(self) -> bool:
        """Whether the synthesis filters are the analysis filters reversed, and reconstruct."""
        self._require_numbers()
        dec_lo, dec_hi, rec_lo, rec_hi = map(np.asarray, self.filter_bank)
        mirrored = np.allclose(rec_lo, dec_lo[::-1], rtol=0, atol=1e-10) and np.allclose(
            rec_hi, dec_hi[::-1], rtol=0, atol=1e-10
        )
        return bool(mirrored and self.reconstruction_error() < 1e-8)

    @property
    def biorthogonal(self) -> bool:
        """Whether synthesis undoes analysis (to 1e-8)."""
        return self.reconstruction_error() < 1e-8

    def reconstruction_error(self) -> float:
        r"""Return the error of reconstruction: how far the bank is from perfect reconstruction.

        Returns
        -------
        float
            The largest absolute coefficient of the two defects

            .. math::

                T(z) &= H_0(z) G_0(z) + H_1(z) G_1(z) - 2 z^{-(L-1)} \\
                A(z) &= H_0(-z) G_0(z) + H_1(-z) G_1(z)

            with analysis filters :math:`H` and synthesis filters :math:`G`
            (distortion and aliasing; Strang & Nguyen, *Wavelets and Filter
            Banks*, 1996, section 4.1). Zero, up to rounding, for a bank that
            reconstructs.
        """
        self._require_numbers()
        return _reconstruction_error(*self.filter_bank)

    @cached_property
    def warning(self) -> str | None:
        """The message with which transforms by this bank warn; None without warning.

        Transforms warn if the synthesis does not undo the analysis. They never
        warn about PyWavelets' own wavelets and banks whose taps are arrays.
        """
        error = self.reconstruction_error() if self.is_concrete else 0.0
        if error <= _RECONSTRUCTION_TOLERANCE:
            return None
        return (
            f"{self!r} does not reconstruct perfectly: the error of its synthesis is "
            f"{error:.3g}. Check the alignment and signs of its four filters"
        )

    def _require_numbers(self) -> None:
        if not self.is_concrete:
            raise WaveletError(
                f"{self!r} holds array taps: their properties are not examined, because that would "
                "copy them from their device. Build a FilterBank of plain numbers to check them"
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FilterBank):
            return NotImplemented
        pairs = zip(self.filter_bank, other.filter_bank, strict=True)
        return all(same_taps(a, b) for a, b in pairs)

    def __hash__(self) -> int:
        return hash(tuple(taps_key(taps) for taps in self.filter_bank))

    def __repr__(self) -> str:
        kind = (
            "" if self.is_concrete else f" of {type(self.dec_lo).__module__.split('.')[0]} arrays"
        )
        label = f"{self.name!r}, " if self.name else ""
        return f"FilterBank({label}{self.dec_len} taps{kind})"


@lru_cache(maxsize=512)
def _reconstruction_error(dec_lo: Taps, dec_hi: Taps, rec_lo: Taps, rec_hi: Taps) -> float:
    sign = np.where(np.arange(len(dec_lo)) % 2, -1.0, 1.0)
    distortion = np.convolve(dec_lo, rec_lo) + np.convolve(dec_hi, rec_hi)
    distortion[len(dec_lo) - 1] -= 2.0
    aliasing = np.convolve(sign * dec_lo, rec_lo) + np.convolve(sign * dec_hi, rec_hi)
    return float(max(np.abs(distortion).max(), np.abs(aliasing).max()))


def _padded(taps: Taps, length: int) -> Taps:
    missing = length - tap_count(taps)
    if missing == 0:
        return taps
    if isinstance(taps, tuple):
        return taps + (0.0,) * missing
    xp: Any = array_namespace(taps)
    return xp.concat([taps, xp.zeros((missing,), dtype=taps.dtype, device=device_of(taps))])
