"""Options of undecimated transforms, in place of a boundary mode.

One level has as many outputs as inputs, and its filters are dilated: their taps are ``2**j``
samples apart on level ``j``.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from liftwave._plan.boundary import PERIODIC_MODES
from liftwave._typing import Mode
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.taps import Taps

_HALF_POWER = 0.5**0.5


class Undecimated(NamedTuple):
    """The options of an undecimated transform, in place of a boundary mode.

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
        The mode with which an analysis extends the input of each level. A synthesis is periodic.
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
        return self.boundary in PERIODIC_MODES

    def analysis_taps(self, length: int, depth: int) -> tuple[int, int, float]:
        """Phase, dilation and factor of an analysis on the level ``depth`` (0 is the finest)."""
        dilation = 2 ** (self.start_level + depth)
        return 0 if self.is_causal else dilation * (length // 2), dilation, self.factors[0]

    def synthesis_taps(self, length: int, depth: int) -> tuple[int, int, float]:
        """The same of the synthesis that inverts a periodic analysis."""
        phase, dilation, _ = self.analysis_taps(length, depth)
        return dilation * (length - 1) - phase, dilation, self.factors[1]


AxisMode: TypeAlias = Mode | Undecimated
"""The boundary mode of an axis, or the options of an undecimated transform."""
