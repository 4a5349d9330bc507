r"""Factoring any biorthogonal bank: Euclid's algorithm on Laurent polynomials.

Dividing the even part of a filter by the odd part, or the odd by the even,
splits off one lifting step on the input side (Daubechies & Sweldens, *Factoring
wavelet transforms into lifting steps*, 1998, section 7). Quotients of Laurent
polynomials are not unique: terms may be cancelled at either end. The choice
decides how large taps and rounding errors become. A greedy choice can end with
errors that are larger by many orders of magnitude. The module therefore runs a
beam search over partial factorizations, ranked by the noise gain of their steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from liftwave.wavelets.lifting.laurent import ONE, ZERO, Laurent
from liftwave.wavelets.lifting.polyphase import (
    IDENTITY,
    Factors,
    Polyphase,
    Row,
    matrix_of,
    noise_gain,
)
from liftwave.wavelets.lifting.step import LiftingStep

# States kept after each step of the beam search.
_BEAM = 16

# Factorizations whose noise gain is within this ratio of the least are ranked
# by how exactly they reproduce the filters.
_TOLERATED_GAIN = 1.25

# Remainders this small relative to the filter are rounding errors of zero.
_NOISE = 1e-12


@dataclass(frozen=True)
class _State:
    """A partial factorization: steps, the rest of the matrix, the steps' matrix and cost."""

    steps: tuple[LiftingStep, ...]
    rest: Polyphase
    channels: Polyphase
    cost: float

    def after(self, step: LiftingStep, tolerance: float) -> _State:
        """Return the state with one more step, whose inverse multiplies ``rest``."""
        approx, detail = (_without(row, step) for row in self.rest)
        approx = Row(*(part.trimmed(tolerance) for part in approx))
        channels = self.channels.after(step)
        cost = self.cost + channels.approx.energy * channels.detail.energy
        return _State((*self.steps, step), Polyphase(approx, detail), channels, cost)


def euclid_factors(matrix: Polyphase) -> list[Factors]:
    """Factor a polyphase matrix with a monomial determinant; the best factors come first.

    The search divides the low-pass, and in a second run the high-pass. One
    last step then makes the other filter.
    """
    determinant = matrix.determinant()
    candidates = [_factors(s, determinant) for s in _search(matrix)]
    candidates += [_exchanged(_factors(s, determinant)) for s in _search(matrix.exchanged())]
    gains = [noise_gain(factors.steps) for factors in candidates]
    least = min(gains, default=0.0)
    ranks = [
        (gain > _TOLERATED_GAIN * least, matrix_of(factors).distance(matrix))
        for gain, factors in zip(gains, candidates, strict=True)
    ]
    order = sorted(range(len(candidates)), key=ranks.__getitem__)
    return [candidates[k] for k in order]


def _search(matrix: Polyphase) -> list[_State]:
    """Return states whose low-pass is a single even sample, cheapest first."""
    tolerance = _NOISE * matrix.approx.largest
    start = _State((), matrix, IDENTITY, 0.0)
    beam, finished = [start], [start] if _is_done(start) else []
    # Every step shortens the low-pass, except one that may copy it to the even side.
    for _ in range(len(matrix.approx.even) + len(matrix.approx.odd) + 1):
        grown = [s.after(step, tolerance) for s in beam for step in _choices(s.rest.approx)]
        finished += [s for s in grown if _is_done(s)]
        beam = sorted((s for s in grown if not _is_done(s)), key=lambda s: s.cost)[:_BEAM]
    return sorted(finished, key=lambda s: s.cost)[:_BEAM]


def _is_done(state: _State) -> bool:
    even, odd = state.rest.approx
    return len(even) == 1 and not len(odd)


def _choices(row: Row) -> Iterator[LiftingStep]:
    """Yield the steps that shorten the longer part of a filter by a multiple of the other."""
    even, odd = row
    if len(even) >= len(odd) > 0:
        for quotient in _quotients(even, odd):
            yield LiftingStep("predict", quotient.coefficients, quotient.low)
    if len(odd) >= len(even) > 0:
        for quotient in _quotients(odd, even):
            yield LiftingStep("update", quotient.coefficients, quotient.low)
    if not len(even) and len(odd) == 1:
        yield LiftingStep("predict", [-1.0])  # copies the odd sample


def _quotients(dividend: Laurent, divisor: Laurent) -> Iterator[Laurent]:
    """Yield all quotients whose remainder is shorter than the divisor.

    They differ in how many terms are cancelled at the low end. All other terms
    are cancelled at the high end.
    """
    count = len(dividend) - len(divisor) + 1
    splits = range(count + 1) if len(divisor) > 1 else [count]
    for at_low in splits:
        yield _quotient(dividend, divisor, at_low, count)


def _quotient(dividend: Laurent, divisor: Laurent, at_low: int, count: int) -> Laurent:
    terms, rest = ZERO, dividend
    for number in range(count):
        low_end = number < at_low
        power = dividend.low - divisor.low + (number if low_end else count - 1 + at_low - number)
        end = divisor.low if low_end else divisor.high
        factor = rest.window(power + end, power + end)[0] / divisor.window(end, end)[0]
        term = Laurent.of(power, [factor])
        terms, rest = terms + term, rest - term * divisor
    return terms


def _without(row: Row, step: LiftingStep) -> Row:
    """Return the row times the inverse of a step, on the input side."""
    taps = step.polynomial()
    if step.target_parity:
        return Row(row.even - taps * row.odd, row.odd)
    return Row(row.even, row.odd - taps * row.even)


def _factors(state: _State, determinant: Laurent) -> Factors:
    """Append the predict step that reduces the high-pass to a single odd sample."""
    low = state.rest.approx.even
    high = Laurent(determinant.low - low.low, determinant.coefficients / low.coefficients)
    one_over = Laurent(-high.low, ONE.coefficients / high.coefficients)
    last = state.rest.detail.even * one_over
    last = last.trimmed(_NOISE * max(last.largest, 1.0))
    steps = list(state.steps)
    if len(last):
        steps.append(LiftingStep("predict", last.coefficients, last.low))
    scale = (float(low.coefficients[0]), float(high.coefficients[0]))
    return Factors(_merged(steps), scale, (-low.low, -high.low))


def _merged(steps: Iterable[LiftingStep]) -> tuple[LiftingStep, ...]:
    """Merge neighbouring steps that change the same samples."""
    merged: list[LiftingStep] = []
    for step in steps:
        if merged and merged[-1].kind == step.kind:
            total = merged.pop().polynomial() + step.polynomial()
            merged.append(LiftingStep(step.kind, total.coefficients, total.low))
        else:
            merged.append(step)
    return tuple(merged)


def _exchanged(factors: Factors) -> Factors:
    """Exchange even and odd samples, approximation and detail."""
    steps = (
        LiftingStep("update" if s.target_parity else "predict", s.taps, s.offset)
        for s in factors.steps
    )
    return Factors(tuple(steps), factors.scale[::-1], factors.shift[::-1])
