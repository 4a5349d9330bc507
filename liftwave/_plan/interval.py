"""Plans of orthonormal wavelets on the interval: the boundary mode ``"orthogonal"``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from liftwave._numbers import is_symbol
from liftwave._plan.axis import Dilated, FilterPlan, analysis_padding, synthesis_plan
from liftwave._plan.boundary import Extension, zero_extension
from liftwave._plan.interval_ends import End, ends
from liftwave._plan.lengths import interval_lengths
from liftwave.errors import ExportError

Filters: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]
"""The low-pass and the high-pass filter."""


@dataclass(frozen=True, eq=False)
class IntervalPlan:
    """Geometry of one level along one axis, of both directions.

    Attributes
    ----------
    n : int
        The number of samples.
    analysis : FilterPlan
        The analysis by :attr:`filters`. The coefficients of both ends are replaced. For an odd
        length, the approximation has one more coefficient, at the last end.
    filters : (tuple of float, tuple of float)
        The analysis filters, with zeros at the beginning or at the end: see :func:`_aligned`.
    inside : int
        The number of coefficients in each band between those of the ends.
    synthesis : FilterPlan
        The synthesis from these of the samples between the ends.
    first, last : End
        The functions at both ends.
    """

    n: int
    analysis: FilterPlan
    filters: Filters
    inside: int
    synthesis: FilterPlan
    first: End
    last: End

    @property
    def band_lengths(self) -> tuple[int, int]:
        """The lengths of approximation and detail."""
        return interval_lengths(self.n)

    def shortened(self, n: int) -> IntervalPlan:
        """The plan of the first ``n`` samples, which are always all samples."""
        assert n == self.n
        return self


def interval_plan(n: int, dec_lo: tuple[float, ...], dec_hi: tuple[float, ...]) -> IntervalPlan:
    """The plan of ``n`` samples for an orthonormal pair of filters."""
    if is_symbol(n):
        raise ExportError(
            "mode 'orthogonal' needs fixed lengths, but the graph has a dynamic one: the functions "
            "at the end depend on its parity. Export with a fixed length, or use another mode"
        )
    first, *last = ends(dec_lo, dec_hi)
    filters, taps = _aligned((dec_lo, dec_hi), first.counts)
    n_out, inside = n // 2, (n - len(dec_lo)) // 2 + 1
    extend = zero_extension(n, *analysis_padding(n, 0, n_out, taps))
    analysis = FilterPlan(n_out, taps.length, taps.phase, extend, Extension(n_out))
    synthesis = synthesis_plan(inside, len(dec_lo), "zero")
    return IntervalPlan(n, analysis, filters, inside, synthesis, first, last[n % 2])


def _aligned(filters: Filters, before: tuple[int, int]) -> tuple[Filters, Dilated]:
    """The filters for these numbers of coefficients before the first ones inside, and their places.

    Both bands have one plan, because kernels compute them together. Therefore the filter of the
    band that has more coefficients before begins with zeros, and the other filter ends with zeros.
    """
    fewest, most = min(before), max(before)
    low, high = (
        (0.0,) * (2 * (count - fewest)) + taps + (0.0,) * (2 * (most - count))
        for taps, count in zip(filters, before, strict=True)
    )
    return (low, high), Dilated(len(low), len(filters[0]) - 1 - 2 * fewest)
