"""Plans of filters without downsampling along an axis whose ends are joined.

One level of the undecimated transform has as many outputs as inputs, and its filters are dilated:
their taps are ``2**j`` samples apart on level ``j``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple


class Undecimated(NamedTuple):
    """What an undecimated transform has in place of a boundary mode.

    Attributes
    ----------
    alignment : {"centred", "causal"}
        Where the taps of an analysis are: around the output, as in PyWavelets' ``swt``, or up to
        it, as in the maximal overlap transform (``modwt``).
    start_level : int
        The level of the input: taps of the first level are ``2**start_level`` samples apart.
    """

    alignment: Literal["centred", "causal"]
    start_level: int = 0

    def analysis_first(self, length: int) -> int:
        """The offset of the first tap of an analysis, in units of the dilation."""
        return length // 2 if self.alignment == "centred" else 0


@dataclass(frozen=True)
class CircularPlan:
    r"""Geometry of dilated filters on a periodic axis.

    Analysis computes, for each filter :math:`f`, and synthesis sums over the bands,

    .. math:: y_k = \sum_j f_j\, x_{(k + \mathtt{first} - \mathtt{dilation}\, j) \bmod n}.

    Attributes
    ----------
    n_out : int
        Length of the axis.
    length : int
        Number of taps of each filter.
    dilation : int
        The distance of the taps.
    first : int
        The offset of the first tap.
    native : dict
        The native plan of each family of kernels.
    """

    n_out: int
    length: int
    dilation: int
    first: int
    native: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def n_in(self) -> int:
        """Length of the input along the axis."""
        return self.n_out

    @property
    def offsets(self) -> tuple[int, ...]:
        """The offset of each tap, between 0 and ``n_out - 1``."""
        return tuple((self.first - self.dilation * j) % self.n_out for j in range(self.length))

    @property
    def folds(self) -> bool:
        """Whether outputs beyond the ends are added to others: there are none."""
        return False

    def analysis_adjoint(self) -> CircularPlan:
        """The synthesis plan that, with reversed taps, is the transpose of this analysis."""
        return _circular_plan(
            self.n_out, self.length, self.dilation, self.dilation * (self.length - 1) - self.first
        )

    synthesis_adjoint = analysis_adjoint

    def shortened(self, n_out: int) -> CircularPlan:
        """The plan itself: all outputs are used."""
        assert n_out == self.n_out
        return self


@lru_cache(maxsize=4096)
def _circular_plan(n: int, length: int, dilation: int, first: int) -> CircularPlan:
    return CircularPlan(n, length, dilation, first)


def circular_analysis_plan(n: int, length: int, mode: Undecimated, depth: int) -> CircularPlan:
    """The plan of an undecimated analysis on the level ``depth`` (0 is the finest)."""
    dilation = 2 ** (mode.start_level + depth)
    return _circular_plan(n, length, dilation, dilation * mode.analysis_first(length))


def circular_synthesis_plan(n: int, length: int, mode: Undecimated, depth: int) -> CircularPlan:
    """The plan of the synthesis that inverts :func:`circular_analysis_plan`."""
    dilation = 2 ** (mode.start_level + depth)
    return _circular_plan(n, length, dilation, dilation * (length - 1 - mode.analysis_first(length)))
