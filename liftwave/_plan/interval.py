"""Plans of orthonormal wavelets on the interval: the boundary mode ``"orthogonal"``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from liftwave._numbers import is_symbol
from liftwave._plan.axis import Dilated, FilterPlan, analysis_padding
from liftwave._plan.boundary import Extension, zero_extension
from liftwave._plan.interval_ends import End, ends
from liftwave._plan.lengths import interval_lengths
from liftwave.errors import ExportError


@dataclass(frozen=True, eq=False)
class IntervalPlan:
    """Geometry of one level along one axis, of both directions.

    Attributes
    ----------
    n : int
        The number of samples.
    inside : FilterPlan
        The analysis by the filters that lie inside the signal.
    bands : (FilterPlan, FilterPlan)
        The same with room for the coefficients of both ends, for approximation and detail.
    first, last : End
        The functions at both ends.
    """

    n: int
    inside: FilterPlan
    bands: tuple[FilterPlan, FilterPlan]
    first: End
    last: End

    @property
    def band_lengths(self) -> tuple[int, int]:
        """The lengths of approximation and detail."""
        return interval_lengths(self.n)

    @cached_property
    def inside_adjoint(self) -> FilterPlan:
        """The transpose of the analysis inside, with reversed taps."""
        return self.inside.analysis_adjoint()

    def shortened(self, n: int) -> IntervalPlan:
        """The plan of the first ``n`` samples: always of all, as none is in excess."""
        assert n == self.n
        return self


def interval_plan(n: int, dec_lo: tuple[float, ...], dec_hi: tuple[float, ...]) -> IntervalPlan:
    """The plan of ``n`` samples for an orthonormal pair of filters."""
    if is_symbol(n):
        raise ExportError(
            "mode 'orthogonal' needs lengths that are numbers, but the graph has a dynamic one: "
            "functions at the end depend on its parity. Export with a fixed length, or use "
            "another mode"
        )
    length, (first, *last) = len(dec_lo), ends(dec_lo, dec_hi)
    inside = _analysis(n, length, (n - length) // 2 + 1, 0)
    low, high = zip(interval_lengths(n), first.counts, strict=True)
    approx = _analysis(n, length, *low)
    bands = approx, approx if low == high else _analysis(n, length, *high)
    return IntervalPlan(n, inside, bands, first, last[n % 2])


def _analysis(n: int, length: int, n_out: int, before: int) -> FilterPlan:
    """An analysis of ``n`` samples with ``before`` outputs before the first one inside."""
    taps = Dilated(length, length - 1 - 2 * before)
    extend = zero_extension(n, *analysis_padding(n, 0, n_out, taps))
    return FilterPlan(n_out, length, taps.phase, extend, Extension(n_out))
