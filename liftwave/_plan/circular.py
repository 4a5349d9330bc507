"""Plans of filters without downsampling along an axis whose ends are joined.

One level of the undecimated transform has as many outputs as inputs, and its filters are dilated:
their taps are ``2**j`` samples apart on level ``j``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

from liftwave._typing import Mode
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.taps import Taps, scaled_taps

_HALF_POWER = 0.5**0.5


class Undecimated(NamedTuple):
    """What an undecimated transform has in place of a boundary mode.

    Attributes
    ----------
    alignment : {"centred", "causal"}
        ``"centred"``: an analysis convolves with the analysis filters, whose taps are around the
        output (PyWavelets' ``swt``). ``"causal"``: it convolves with the synthesis filters, whose
        taps are before the output (the maximal overlap transform, ``modwt``).
    start_level : int
        The level of the input: taps of the first level are ``2**start_level`` samples apart.
    norm : bool
        Whether analysis and synthesis share the factor 1/2 of a level equally. Otherwise it is part
        of the synthesis.
    boundary : str
        The mode by which an analysis extends the input of each level. A synthesis is periodic.
    """

    alignment: Literal["centred", "causal"]
    start_level: int = 0
    norm: bool = False
    boundary: Mode = "periodization"

    @property
    def is_causal(self) -> bool:
        """Whether the filters of analysis and synthesis are exchanged."""
        return self.alignment == "causal"

    @property
    def factors(self) -> tuple[float, float]:
        """The factors of the taps, in an analysis and in a synthesis."""
        return (_HALF_POWER, _HALF_POWER) if self.norm else (1.0, 0.5)

    def analysis_filters(self, bank: FilterBank) -> tuple[Taps, Taps]:
        """The filters of an analysis."""
        return (bank.rec_lo, bank.rec_hi) if self.is_causal else (bank.dec_lo, bank.dec_hi)

    def synthesis_filters(self, bank: FilterBank) -> tuple[Taps, Taps]:
        """The filters of a synthesis."""
        return (bank.dec_lo, bank.dec_hi) if self.is_causal else (bank.rec_lo, bank.rec_hi)

    @property
    def is_periodic(self) -> bool:
        """Whether the ends are joined: without downsampling, no sample needs to be repeated."""
        return self.boundary in ("periodic", "periodization")

    def dilation(self, depth: int) -> int:
        """The distance of the taps on the level ``depth`` (0 is the finest)."""
        return int(2 ** (self.start_level + depth))

    def first(self, length: int, depth: int) -> int:
        """The offset of the first tap of an analysis."""
        return 0 if self.is_causal else self.dilation(depth) * (length // 2)

    def analysis_plan(self, n: int, length: int, depth: int) -> CircularPlan:
        """The plan of a periodic analysis on the level ``depth``."""
        dilation, first = self.dilation(depth), self.first(length, depth)
        return circular_plan(n, length, dilation, first, self.factors[0])

    def synthesis_plan(self, n: int, length: int, depth: int) -> CircularPlan:
        """The plan of the synthesis that inverts :meth:`analysis_plan`."""
        dilation = self.dilation(depth)
        first = dilation * (length - 1) - self.first(length, depth)
        return circular_plan(n, length, dilation, first, self.factors[1])


AxisMode: TypeAlias = Mode | Undecimated
"""The boundary mode of an axis, or the options of an undecimated transform."""


@dataclass(frozen=True)
class CircularPlan:
    r"""Geometry of dilated filters on a periodic axis.

    Analysis computes, for each filter :math:`f`, and synthesis sums over the bands,

    .. math:: y_k = \sum_j (\mathtt{factor}\, f_j)\,
        x_{(k + \mathtt{first} - \mathtt{dilation}\, j) \bmod n}.

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
    factor : float
        The factor of all taps.
    native : dict
        The native plan of each family of kernels.
    """

    n_out: int
    length: int
    dilation: int
    first: int
    factor: float
    native: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def n_in(self) -> int:
        """Length of the input along the axis."""
        return self.n_out

    @property
    def offsets(self) -> tuple[int, ...]:
        """The offset of each tap, between 0 and ``n_out - 1``."""
        return tuple((self.first - self.dilation * j) % self.n_out for j in range(self.length))

    def scaled(self, taps: Taps) -> Taps:
        """Taps times the factor."""
        return scaled_taps(taps, self.factor)

    def adjoint(self) -> CircularPlan:
        """The plan that, with reversed taps, is the transpose of this one."""
        first = self.dilation * (self.length - 1) - self.first
        return circular_plan(self.n_out, self.length, self.dilation, first, self.factor)


@lru_cache(maxsize=4096)
def circular_plan(n: int, length: int, dilation: int, first: int, factor: float) -> CircularPlan:
    """The plan with these attributes: always the same object."""
    return CircularPlan(n, length, dilation, first, factor)
