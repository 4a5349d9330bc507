r"""Positions of the coefficients of undecimated transforms: centres, and the samples they use.

A coefficient at index :math:`k` of level :math:`j` is a weighted sum of the samples
:math:`k + m`, for offsets :math:`m` that grow with :math:`2^j`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from liftwave._arrays.host import as_numpy
from liftwave._plan.axes import AxisPlan
from liftwave._plan.undecimated import Undecimated
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep

Weights: TypeAlias = dict[int, float]
"""The weights of a filter, by offset of the sample."""


class Reach(NamedTuple):
    """The first and the last offset of samples, relative to the index of a result."""

    first: int
    last: int


class Response:
    """The weights of a filter on the first level, by offset of the sample.

    Parameters
    ----------
    weights : dict
        The weights by offset; at least one.
    """

    def __init__(self, weights: Weights) -> None:
        self.offsets, self.weights = np.array(list(weights)), np.array(list(weights.values()))

    @property
    def reach(self) -> Reach:
        """The samples under the taps, which can be zero."""
        return Reach(int(self.offsets.min()), int(self.offsets.max()))

    @property
    def support(self) -> Reach:
        """The samples with nonzero weights. Filters of biorthogonal wavelets are zero-padded."""
        used = self.offsets[self.weights != 0]
        return Reach(int(used.min()), int(used.max())) if used.size else self.reach

    @property
    def energy_centre(self) -> float:
        """The mean offset, weighted by the squared weights."""
        return float(self.offsets @ self.weights**2 / (self.weights @ self.weights))

    @property
    def group_delay(self) -> float:
        """The mean offset, weighted by the weights: minus the group delay at frequency 0."""
        total = self.weights.sum()
        if abs(total) < 1e-6 * np.abs(self.weights).sum():  # not a low-pass filter
            return self.energy_centre
        return float(self.offsets @ self.weights / total)


class Alignment:
    """The positions of the bands of one axis.

    Parameters
    ----------
    plan : AxisPlan
        The filter bank with the options of an undecimated transform, or the lifting scheme.
    """

    def __init__(self, plan: AxisPlan) -> None:
        self.plan = plan
        self.low, self.high = responses(plan)

    def centres(self, level: int) -> tuple[float, float]:
        """The offsets of the centres of approximation and detail of a level.

        The centre of the approximation is the group delay at frequency 0. The centre of the detail
        is that of the filters' energies (Hess-Nielsen & Wickerhauser, 1996).
        """
        low, high, scale = self.low.energy_centre, self.high.energy_centre, 2 ** (level - 1)
        return (2**level - 1) * self.low.group_delay, scale * (low + high) - low

    def reaches(self, level: int) -> tuple[Reach, Reach]:
        """The samples under the taps of approximation and detail of a level."""
        return _of_level(self.low.reach, self.high.reach, level)

    def supports(self, level: int) -> tuple[Reach, Reach]:
        """The samples that approximation and detail of a level depend on."""
        return _of_level(self.low.support, self.high.support, level)

    def spreads(self, level: int) -> tuple[Reach, Reach]:
        """The samples that the components of approximation and detail of a level depend on."""
        low, high = inverse_responses(self.plan)
        inverse = _of_level(low.support, high.support, level)
        approx, detail = (
            Reach(band.first + sample.first, band.last + sample.last)
            for band, sample in zip(inverse, self.supports(level), strict=True)
        )
        return approx, detail


def _of_level(low: Reach, high: Reach, level: int) -> tuple[Reach, Reach]:
    """The reaches of approximation and detail of a level, from those of the first level."""
    scale = 2 ** (level - 1)
    approx = Reach(*((2 * scale - 1) * offset for offset in low))
    pairs = zip(low, high, strict=True)
    return approx, Reach(*((scale - 1) * a + scale * b for a, b in pairs))


def responses(plan: AxisPlan) -> tuple[Response, Response]:
    """The filters of the first level: the low-pass and the high-pass one."""
    wavelet, mode = plan.wavelet, plan.mode
    if isinstance(wavelet, LiftingScheme):
        even, odd = _lifted(wavelet.steps, ({0: 1.0}, {0: 1.0}))
        return Response(even), Response(odd)
    assert isinstance(mode, Undecimated)
    filters = map(as_numpy, mode.analysis_filters(wavelet))
    first = 0 if mode.is_causal else wavelet.dec_len // 2
    low, high = ({first - k: float(tap) for k, tap in enumerate(taps)} for taps in filters)
    return Response(low), Response(high)


def inverse_responses(plan: AxisPlan) -> tuple[Response, Response]:
    """The filters from approximation and detail of the first level to the signal."""
    wavelet, mode = plan.wavelet, plan.mode
    if isinstance(wavelet, LiftingScheme):
        low, high = _unlifted(wavelet, {0: 1.0}, {}), _unlifted(wavelet, {}, {0: 1.0})
        return Response(low), Response(high)
    assert isinstance(mode, Undecimated)
    filters = map(as_numpy, mode.synthesis_filters(wavelet))
    first = wavelet.dec_len - 1 - (0 if mode.is_causal else wavelet.dec_len // 2)
    low, high = ({first - k: float(tap) for k, tap in enumerate(taps)} for taps in filters)
    return Response(low), Response(high)


def _unlifted(scheme: LiftingScheme, approx: Weights, detail: Weights) -> Weights:
    """The mean of both channels after the steps are undone."""
    even, odd = _lifted(scheme.steps[::-1], (approx, detail), sign=-1.0)
    return {k: (even.get(k, 0.0) + odd.get(k, 0.0)) / 2 for k in {**even, **odd}}


def _lifted(
    steps: Sequence[LiftingStep], channels: tuple[Weights, Weights], sign: float = 1.0
) -> list[Weights]:
    """The filters whose outputs the steps compute on the whole grid, or undo."""
    results = list(channels)
    for step in steps:
        target = step.target_parity
        side, source, changed = 1 - 2 * target, results[1 - target], dict(results[target])
        for k, tap in enumerate(as_numpy(step.taps)):
            for offset, weight in source.items():
                place = offset + 2 * (step.offset + k) + side
                changed[place] = changed.get(place, 0.0) + sign * float(tap) * weight
        results[target] = changed
    return results
