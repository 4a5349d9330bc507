r"""Blocks of a transform: the samples that a part of the coefficients needs, as plain data.

An array that does not fit into memory is transformed block by block. A block is the public
transform of a part of the array, with the same boundary mode. At an end of the array, the block
ends, too, so its extension is that of the array. At an inner end, the extension is wrong, and so
are the results in a margin. A block therefore reads more samples than it owns, and its results are
cropped.

All numbers are per axis, and nothing here depends on samples or on a library of arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from liftwave._plan.axes import AxisPlan
from liftwave._plan.axis import analysis_plan, lift_plan, synthesis_plan
from liftwave._plan.boundary import PERIODIC_MODES
from liftwave._plan.lengths import band_lengths
from liftwave._plan.undecimated import Undecimated
from liftwave._plan.undecimated_lifting import whole_lift_plan
from liftwave.errors import ModeError
from liftwave.wavelets.lifting.scheme import LiftingScheme


class Span(NamedTuple):
    """The numbers from ``start`` to ``stop - 1``."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """The count of these numbers."""
        return self.stop - self.start


class Reach(NamedTuple):
    """The numbers of values that a level reads before and after those at its own place."""

    before: int
    after: int


class BandLengths(NamedTuple):
    """The lengths of the approximation and the detail of one level along one axis."""

    approx: int
    detail: int

    def of(self, letter: str) -> int:
        """The length of the band with this letter."""
        return self.detail if letter == "d" else self.approx


class Spans(NamedTuple):
    """Spans of the approximation and the detail of one level along one axis."""

    approx: tuple[Span, ...]
    detail: tuple[Span, ...]

    def of(self, letter: str) -> tuple[Span, ...]:
        """The spans of the band with this letter."""
        return self.detail if letter == "d" else self.approx


class AnalysisBlock(NamedTuple):
    """A block of an axis, from samples to bands.

    Attributes
    ----------
    owned : Span
        The samples at the place of the coefficients that it returns.
    reads : tuple of Span
        The samples that it transforms, in this order. There are several spans if a periodic block
        crosses the ends.
    crops : tuple of Spans
        The part of the bands of the block that it returns, for each level, finest first.
    places : tuple of Spans
        The place of this part in the bands of the array, for each level, finest first.
    margins : Reach
        The numbers of transformed samples before and after those that it owns.
    """

    owned: Span
    reads: tuple[Span, ...]
    crops: tuple[Spans, ...]
    places: tuple[Spans, ...]
    margins: Reach = Reach(0, 0)


class SynthesisBlock(NamedTuple):
    """A block of an axis, from bands to samples.

    Attributes
    ----------
    owned : Span
        The samples that it returns.
    reads : tuple of Spans
        The coefficients that it reads, for each level, finest first.
    crops : tuple of Span
        The part of the result of each level that is used, finest first.
    """

    owned: Span
    reads: tuple[Spans, ...]
    crops: tuple[Span, ...]

    @property
    def places(self) -> tuple[Span]:
        """The place of its samples in the result."""
        return (self.owned,)


# --- reach ---------------------------------------------------------------------------------------


def stride_of(plan: AxisPlan) -> int:
    """The number of samples per coefficient of one level."""
    return 1 if isinstance(plan.mode, Undecimated) else 2


def analysis_reach(plan: AxisPlan, depth: int = 0) -> Reach:
    """The reach of coefficient ``k`` of level ``depth``, with ``s`` samples per coefficient.

    It reads the samples from ``s k - before`` to ``s k + s - 1 + after``.
    """
    wavelet, mode = plan.wavelet, plan.mode
    _check_local(plan)
    if isinstance(wavelet, LiftingScheme):
        return _lifted_reach(wavelet, plan, depth, inverse=False)
    length, dilation, stride = wavelet.dec_len, 1, stride_of(plan)
    if isinstance(mode, Undecimated):
        phase, dilation, _ = mode.analysis_taps(length, depth)
    else:
        phase = analysis_plan(2 * length, length, mode).phase
    return Reach(max(0, dilation * (length - 1) - phase), max(0, phase - (stride - 1)))


def synthesis_reach(plan: AxisPlan, depth: int = 0) -> Reach:
    """The reach of samples ``s k … s k + s - 1``: coefficients ``k - before … k + after``."""
    wavelet, mode = plan.wavelet, plan.mode
    _check_local(plan)
    if isinstance(wavelet, LiftingScheme):
        return _lifted_reach(wavelet, plan, depth, inverse=True)
    length, dilation, stride = wavelet.rec_len, 1, stride_of(plan)
    if isinstance(mode, Undecimated):
        phase, dilation, _ = mode.synthesis_taps(length, depth)
    else:
        phase = synthesis_plan(2 * length, length, mode).phase
    before = (dilation * (length - 1) - phase) // stride
    return Reach(max(0, before), max(0, (stride - 1 + phase) // stride))


def _check_local(plan: AxisPlan) -> None:
    if plan.mode == "orthogonal":
        raise ModeError(
            "mode 'orthogonal' does not support transforms in blocks (of dask or Zarr), because "
            "the ends of each block would be transformed differently: use another mode, or an "
            "array in memory"
        )


def _lifted_reach(scheme: LiftingScheme, plan: AxisPlan, depth: int, *, inverse: bool) -> Reach:
    """The samples that both channels depend on, followed through the steps in their order."""
    undecimated = isinstance(plan.mode, Undecimated)
    unit = 1 if inverse or undecimated else 2
    # The even and the odd sample of a pair; without downsampling both channels are the signal.
    first = [0, 0] if unit == 1 else [0, 1]
    last, shift = list(first), 0
    steps = _steps(scheme, plan, depth)
    for target, low, high in reversed(steps) if inverse else steps:
        first[target] = min(first[target], first[1 - target] + unit * low)
        last[target] = max(last[target], last[1 - target] + unit * high)
    if plan.mode == "periodization":
        shift = unit * max(map(abs, scheme.shift))
    return Reach(shift - min(first), shift + max(last) - (unit - 1))


def _steps(scheme: LiftingScheme, plan: AxisPlan, depth: int) -> list[tuple[int, int, int]]:
    """The target of each step, and the offsets of the first and the last sample that it reads."""
    if isinstance(plan.mode, Undecimated):
        whole = whole_lift_plan(scheme, 2, plan.mode, depth).steps
        return [(step.target, min(step.places), max(step.places)) for step in whole]
    steps = lift_plan(scheme, 2, plan.mode).steps
    return [(step.target, step.offset, step.offset + step.length - 1) for step in steps]


# --- cuts ----------------------------------------------------------------------------------------


def cuts(n: int, bounds: Sequence[int], unit: int, shortest: int) -> list[int]:
    """The ends of blocks of an axis: 0, the bounds between chunks rounded to ``unit``, ``n``.

    A bound is omitted if a block would be shorter than ``shortest``.
    """
    ends = [0]
    for bound in bounds:
        cut = (bound + unit // 2) // unit * unit
        if cut - ends[-1] >= shortest and n - cut >= shortest:
            ends.append(cut)
    return [*ends, n]


def _shortest(reaches: Sequence[Reach], unit: int) -> int:
    """The smallest length of a block: an extension at an end only reads samples of this block."""
    return unit * (2 * max(1, *(max(reach) for reach in reaches)) + 2)


def _around(first: int, last: int, n: int, period: int) -> tuple[Span, ...]:
    """The spans of ``n`` samples at ``first … last - 1`` of a periodic signal.

    ``period`` is ``n``, or ``n + 1`` if the last sample is repeated before the ends are joined.
    """
    spans = []
    while first < last:
        turn, start = divmod(first, period)
        stop = min(last - turn * period, period)
        if start < min(stop, n):
            spans.append(Span(start, min(stop, n)))
        if stop > n:
            spans.append(Span(n - 1, n))
        first += stop - start
    return tuple(spans)


# --- analysis ------------------------------------------------------------------------------------


def lengths_of(n: int, plan: AxisPlan, levels: int) -> list[BandLengths]:
    """The lengths of the bands of ``n`` samples on each level, finest first."""
    lengths = []
    for _ in range(levels):
        lengths.append(BandLengths(*band_lengths(n, plan.wavelet, plan.mode)))
        n = lengths[-1].approx
    return lengths


def analysis_blocks(
    n: int, plan: AxisPlan, levels: int, depth: int, bounds: Sequence[int]
) -> list[AnalysisBlock] | None:
    """The blocks of ``n`` samples that compute ``levels`` levels together.

    ``depth`` is the number of levels before. ``None`` if blocks cannot compute this many levels
    together, because a level is periodic with the length of its own, longer input.
    """
    stride = stride_of(plan)
    unit = stride**levels
    reaches = [analysis_reach(plan, depth + j) for j in range(levels)]
    ends = cuts(n, bounds, unit, _shortest(reaches, max(1, unit // stride)))
    lengths = lengths_of(n, plan, levels)
    if len(ends) == 2:
        places = tuple(Spans((Span(0, a),), (Span(0, d),)) for a, d in lengths)
        return [AnalysisBlock(Span(0, n), (Span(0, n),), places, places)]
    goes_around = plan.boundary in PERIODIC_MODES
    if goes_around and levels > 1 and lengths[-1].approx * unit != n:
        return None
    before = sum(reach.before * stride**j for j, reach in enumerate(reaches))
    after = sum(reach.after * stride**j for j, reach in enumerate(reaches))
    blocks = []
    for start, stop in pairwise(ends):
        last = max(stop, unit * max(lengths[-1])) if goes_around and stop == n else stop
        first, last = (start - before) // unit * unit, -(-(last + after) // unit) * unit
        if goes_around:
            reads = _around(first, last, n, _period(n, plan))
        else:
            first, last = max(0, first), min(n, last)
            reads = (Span(first, last),)
        places = tuple(
            _places(start, stop, n, stride ** (j + 1), lengths[j]) for j in range(levels)
        )
        crops = tuple(_moved(spans, first // stride ** (j + 1)) for j, spans in enumerate(places))
        margins = Reach(start - first, last - stop)
        blocks.append(AnalysisBlock(Span(start, stop), reads, crops, places, margins))
    return blocks


def _period(n: int, plan: AxisPlan) -> int:
    """The number of samples until the ends are joined: periodization makes it even."""
    return n + n % 2 if plan.mode == "periodization" else n


def _places(start: int, stop: int, n: int, factor: int, lengths: BandLengths) -> Spans:
    """The coefficients at the place of samples; the last block also has all further ones."""
    approx, detail = (
        (Span(start // factor, length if stop == n else stop // factor),) for length in lengths
    )
    return Spans(approx, detail)


def _moved(spans: Spans, offset: int) -> Spans:
    """The spans counted from another place."""
    approx, detail = (
        tuple(Span(start - offset, stop - offset) for start, stop in band) for band in spans
    )
    return Spans(approx, detail)


# --- synthesis -----------------------------------------------------------------------------------


class SynthesisLevelOfAxis(NamedTuple):
    """One level of a synthesis along one axis.

    Attributes
    ----------
    bands : BandLengths
        The numbers of coefficients that are used.
    n : int
        The number of samples of the result that are used.
    """

    bands: BandLengths
    n: int


def synthesis_blocks(
    plan: AxisPlan, levels: Sequence[SynthesisLevelOfAxis], depth: int, bounds: Sequence[int]
) -> list[SynthesisBlock] | None:
    """The blocks of the samples that are synthesised from these levels together, finest first.

    ``depth`` is the number of finer levels that follow, and ``bounds`` are those of the samples.
    ``None`` if blocks cannot compute this many levels together.
    """
    stride, n = stride_of(plan), levels[0].n
    reaches = [synthesis_reach(plan, depth + j) for j in range(len(levels))]
    unit = stride ** len(levels)
    ends = cuts(n, bounds, unit, _shortest(reaches, unit))
    if len(ends) == 2:
        whole = tuple(
            Spans((Span(0, level.bands.approx),), (Span(0, level.bands.detail),))
            for level in levels
        )
        return [SynthesisBlock(Span(0, n), whole, tuple(Span(0, level.n) for level in levels))]
    goes_around = _synthesis_goes_around(plan)
    lengths = [level.bands.approx for level in levels]
    if goes_around and any(fine != stride * coarse for fine, coarse in pairwise(lengths)):
        return None
    spans = [Span(*pair) for pair in pairwise(ends)]
    return [_synthesis_block(span, stride, reaches, levels, goes_around) for span in spans]


def _synthesis_goes_around(plan: AxisPlan) -> bool:
    """Whether a synthesis joins the ends of its bands."""
    if not isinstance(plan.mode, Undecimated):
        return plan.mode == "periodization"
    return plan.mode.is_periodic or not isinstance(plan.wavelet, LiftingScheme)


def _synthesis_block(
    owned: Span,
    stride: int,
    reaches: Sequence[Reach],
    levels: Sequence[SynthesisLevelOfAxis],
    goes_around: bool,
) -> SynthesisBlock:
    first, last = owned
    reads, crops = [], []
    for reach, level in zip(reaches, levels, strict=True):
        start, stop = first // stride - reach.before, (last - 1) // stride + reach.after + 1
        if goes_around:
            spans = Spans(*(_around(start, stop, n, n) for n in level.bands))
        else:
            start = max(0, start)
            spans = Spans(*((Span(start, min(stop, n)),) for n in level.bands))
            stop = min(stop, level.bands.approx)
        crops.append(Span(first - stride * start, last - stride * start))
        reads.append(spans)
        first, last = start, stop
    return SynthesisBlock(owned, tuple(reads), tuple(crops))
