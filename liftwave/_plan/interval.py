"""Plans of orthonormal wavelets on the interval: the boundary mode ``"orthogonal"``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from liftwave._numbers import is_symbol
from liftwave._plan.axis import FilterPlan
from liftwave._plan.boundary import Extension
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
    first, last : End
        The functions at both ends.
    """

    n: int
    inside: FilterPlan
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
    length = len(dec_lo)
    count = (n - length) // 2 + 1
    inside = FilterPlan(count, length, length - 1, Extension(n), Extension(count))
    first, *last = ends(dec_lo, dec_hi)
    return IntervalPlan(n, inside, first, last[n % 2])
