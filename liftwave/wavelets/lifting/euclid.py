r"""Factoring any biorthogonal bank: Euclid's algorithm on Laurent polynomials.

Dividing the even by the odd part of a filter, or the other way round, takes
one lifting step off the input side (Daubechies & Sweldens, *Factoring wavelet
transforms into lifting steps*, 1998, section 7). Quotients of Laurent
polynomials are not unique: the terms may be cancelled at either end. The
choice decides how large the taps and the rounding errors become, and the
choice that looks best at each step can be bad in the end by many orders of
magnitude. So the few best partial factorizations are kept, judged by the noise
gain of the steps so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from liftwave.wavelets.lifting.laurent import ONE, ZERO, Laurent
from liftwave.wavelets.lifting.polyphase import IDENTITY, Polyphase, Row
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep

_BEAM = 16

# Schemes whose noise gain is within this factor of the least are ranked by how
# exactly they reproduce the filters.
_TOLERATED = 1.25

# Remainders this small relative to the filter are what rounding left of zero.
_NOISE = 1e-12


@dataclass(frozen=True)
class _State:
    """Steps taken so far, what is left of the matrix, and the cost."""

    steps: tuple[LiftingStep, ...]
    left: Polyphase
    channels: Polyphase
    cost: float

    def after(self, step: LiftingStep, tolerance: float) -> _State:
        """The state with one step more, that is, with its inverse taken off ``left``."""
        approx, detail = (_without(row, step) for row in self.left)
        approx = Row(*(part.trimmed(tolerance) for part in approx))
        channels = self.channels.after(step)
        cost = self.cost + channels.approx.energy * channels.detail.energy
        return _State((*self.steps, step), Polyphase(approx, detail), channels, cost)


def euclid_schemes(matrix: Polyphase) -> list[LiftingScheme]:
    """Lifting schemes of a polyphase matrix with a monomial determinant, the best first.

    Both the low-pass and the high-pass are divided; the other filter then
    follows by one last step.
    """
    determinant = matrix.determinant()
    found = [_scheme(s, determinant) for s in _search(matrix)]
    found += [_exchanged(_scheme(s, determinant)) for s in _search(matrix.exchanged())]
    least = min((scheme.noise_gain for scheme in found), default=0.0)

    def rank(scheme: LiftingScheme) -> tuple[bool, float]:
        return scheme.noise_gain > _TOLERATED * least, scheme.polyphase.distance(matrix)

    return sorted(found, key=rank)


def _search(matrix: Polyphase) -> list[_State]:
    """States whose low-pass has become a single even sample, cheapest first."""
    tolerance = _NOISE * matrix.approx.largest
    start = _State((), matrix, IDENTITY, 0.0)
    beam, finished = [start], [start] if _is_done(start) else []
    # Every step makes the low-pass shorter, save one that brings it to the even side.
    for _ in range(len(matrix.approx.even) + len(matrix.approx.odd) + 1):
        grown = [s.after(step, tolerance) for s in beam for step in _choices(s.left.approx)]
        finished += [s for s in grown if _is_done(s)]
        beam = sorted((s for s in grown if not _is_done(s)), key=lambda s: s.cost)[:_BEAM]
    return sorted(finished, key=lambda s: s.cost)[:_BEAM]


def _is_done(state: _State) -> bool:
    even, odd = state.left.approx
    return len(even) == 1 and not len(odd)


def _choices(row: Row) -> Iterator[LiftingStep]:
    """Steps that shorten the longer part of a filter by the other one."""
    even, odd = row
    if len(even) >= len(odd) > 0:
        for quotient in _quotients(even, odd):
            yield LiftingStep("predict", quotient.coefficients, quotient.low)
    if len(odd) >= len(even) > 0:
        for quotient in _quotients(odd, even):
            yield LiftingStep("update", quotient.coefficients, quotient.low)
    if not len(even) and len(odd) == 1:
        yield LiftingStep("predict", [-1.0])  # the low-pass is one odd sample: copy it


def _quotients(dividend: Laurent, divisor: Laurent) -> Iterator[Laurent]:
    """All quotients whose remainder is shorter than the divisor.

    They differ in how many terms are cancelled at the low end, the others
    being cancelled at the high end.
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
    """The row with the inverse of a step on its input side."""
    taps = step.polynomial()
    if step.target_parity:
        return Row(row.even - taps * row.odd, row.odd)
    return Row(row.even, row.odd - taps * row.even)


def _scheme(state: _State, determinant: Laurent) -> LiftingScheme:
    """Finish with the predict step that leaves the high-pass a single odd sample."""
    low = state.left.approx.even
    high = Laurent(determinant.low - low.low, determinant.coefficients / low.coefficients)
    one_over = Laurent(-high.low, ONE.coefficients / high.coefficients)
    last = state.left.detail.even * one_over
    last = last.trimmed(_NOISE * max(last.largest, 1.0))
    steps = list(state.steps)
    if len(last):
        steps.append(LiftingStep("predict", last.coefficients, last.low))
    scale = (float(low.coefficients[0]), float(high.coefficients[0]))
    return LiftingScheme(_merged(steps), scale, shift=(-low.low, -high.low))


def _merged(steps: Iterable[LiftingStep]) -> tuple[LiftingStep, ...]:
    """The same steps, with neighbours that change the same samples made one."""
    merged: list[LiftingStep] = []
    for step in steps:
        if merged and merged[-1].kind == step.kind:
            total = merged.pop().polynomial() + step.polynomial()
            merged.append(LiftingStep(step.kind, total.coefficients, total.low))
        else:
            merged.append(step)
    return tuple(merged)


def _exchanged(scheme: LiftingScheme) -> LiftingScheme:
    """The scheme with even and odd samples, approximation and detail exchanged."""
    steps = (
        LiftingStep("update" if s.target_parity else "predict", s.taps, s.offset)
        for s in scheme.steps
    )
    return LiftingScheme(tuple(steps), scheme.scale[::-1], shift=scheme.shift[::-1])
