r"""Polyphase matrices and their factors: filters and lifting steps on even and odd samples.

With :math:`e_k = x_{2k}`, :math:`o_k = x_{2k+1}` and :math:`z` as the advance
by one sample, a level of analysis is

.. math::

    \begin{pmatrix} cA \\ cD \end{pmatrix} = \begin{pmatrix} A_e(z) & A_o(z) \\
    D_e(z) & D_o(z) \end{pmatrix} \begin{pmatrix} e \\ o \end{pmatrix}

(Daubechies & Sweldens, *Factoring wavelet transforms into lifting steps*,
J. Fourier Anal. Appl. 4, 1998, section 4; there :math:`z` is a delay).
Alignment is that of PyWavelets' periodization,
:math:`cA_i = \sum_k h_k\, x_{2i + L/2 - k}` for filters of even length L.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from liftwave.wavelets.lifting.laurent import ONE, ZERO, Laurent
from liftwave.wavelets.lifting.step import LiftingStep

# Coefficients this far below the largest are rounding errors of the expansion.
_NOISE = 1e-14


class Row(NamedTuple):
    """One row of the matrix: an output as a combination of even and odd samples."""

    even: Laurent
    odd: Laurent

    def plus(self, factor: Laurent, other: Row) -> Row:
        """Return the row ``self + factor * other``."""
        return Row(self.even + factor * other.even, self.odd + factor * other.odd)

    def times(self, factor: Laurent | float) -> Row:
        """Return the row with both entries multiplied."""
        return Row(self.even * factor, self.odd * factor)

    def shifted(self, by: int) -> Row:
        """Return the row with both entries multiplied by ``z**by``."""
        return Row(self.even.shifted(by), self.odd.shifted(by))

    @property
    def energy(self) -> float:
        """Power of the output for white input of power one."""
        return self.even.energy + self.odd.energy

    @property
    def largest(self) -> float:
        """Largest absolute coefficient."""
        return max(self.even.largest, self.odd.largest)

    def response(self) -> Laurent:
        """Return the weights of ``x[2i + p]`` as the coefficients of ``z**p``."""
        return _spread(self.even, 0) + _spread(self.odd, 1)

    @classmethod
    def of_response(cls, response: Laurent) -> Row:
        """Invert :meth:`response`."""
        return cls(_every_second(response, 0), _every_second(response, 1))


class Polyphase(NamedTuple):
    """The polyphase matrix: one row for the approximation and one for the detail."""

    approx: Row
    detail: Row

    @classmethod
    def of_filters(cls, dec_lo: Iterable[float], dec_hi: Iterable[float]) -> Polyphase:
        """Return the matrix of two analysis filters of the same even length."""
        return cls(_analysis_row(dec_lo), _analysis_row(dec_hi))

    def distance(self, other: Polyphase) -> float:
        """Return the largest difference of coefficients, relative to the largest of ``other``."""
        difference = max(
            max((a - b).largest for a, b in zip(row, other_row, strict=True))
            for row, other_row in zip(self, other, strict=True)
        )
        return difference / max(row.largest for row in other)

    def exchanged(self) -> Polyphase:
        """Return the matrix with even and odd, approximation and detail exchanged."""
        return Polyphase(Row(*self.detail[::-1]), Row(*self.approx[::-1]))

    def after(self, step: LiftingStep) -> Polyphase:
        """Return the product of a lifting step, on the output side, and this matrix."""
        rows = list(self)
        target = step.target_parity
        rows[target] = rows[target].plus(step.polynomial(), rows[1 - target])
        return Polyphase(*rows)

    def determinant(self) -> Laurent:
        """Return the largest term of the determinant (all of it, if the bank reconstructs)."""
        (a, b), (c, d) = self
        product = a * d - b * c
        return product.trimmed(0.5 * product.largest)


IDENTITY = Polyphase(Row(ONE, ZERO), Row(ZERO, ONE))


class Factors(NamedTuple):
    """A polyphase matrix in factored form: lifting steps, then scales and shifts.

    The scales and the taps may be arrays of another library in :func:`inverse`,
    :func:`adjoint` and :func:`with_unit_taps`; all other functions need numbers.
    """

    steps: tuple[LiftingStep, ...]
    scale: tuple[Any, Any] = (1.0, 1.0)
    shift: tuple[int, int] = (0, 0)


def matrix_of(factors: Factors) -> Polyphase:
    """Return the product of the factors: the matrix of the transform under periodization."""
    even, odd = reduce(Polyphase.after, factors.steps, IDENTITY)
    return Polyphase(
        even.times(factors.scale[0]).shifted(-factors.shift[0]),
        odd.times(factors.scale[1]).shifted(-factors.shift[1]),
    )


def max_tap(steps: Iterable[LiftingStep]) -> float:
    """Return the largest absolute tap, 0 without steps."""
    return max((abs(tap) for step in steps for tap in step.taps), default=0.0)


def noise_gain(steps: Iterable[LiftingStep]) -> float:
    """Return the root of the sum over all steps of the product of both channels' powers."""
    matrix, total = IDENTITY, 0.0
    for step in steps:
        matrix = matrix.after(step)
        total += matrix.approx.energy * matrix.detail.energy
    return sqrt(total)


def inverse(factors: Factors) -> Factors:
    """Return the factors of the inverse matrix."""
    steps = [step.negated() for step in reversed(factors.steps)]
    scale = (1.0 / factors.scale[0], 1.0 / factors.scale[1])
    return _scaled_first(steps, scale, factors.shift)


def adjoint(factors: Factors) -> Factors:
    """Return the factors of the transpose."""
    steps = [step.adjoint() for step in reversed(factors.steps)]
    return _scaled_first(steps, factors.scale, factors.shift)


def _scaled_first(
    steps: Iterable[LiftingStep], scale: tuple[Any, Any], shift: tuple[int, int]
) -> Factors:
    """Factor a transform that undoes ``shift``, multiplies by ``scale``, then takes ``steps``.

    Moving the scales behind the steps multiplies each step's taps by
    scale(source) / scale(target). Moving the shifts changes the offsets.
    """
    ahead = shift[0] - shift[1]
    moved = []
    for step in steps:
        target = step.target_parity
        ratio = scale[1 - target] / scale[target]
        moved.append(step.scaled(ratio).moved(ahead if target else -ahead))
    return Factors(tuple(moved), scale, (-shift[0], -shift[1]))


def with_unit_taps(factors: Factors) -> Factors:
    """Return the factors with all taps and scales replaced by ones.

    Sums of ones cannot cancel, so the filters of the result have the length
    of those of taps in general position.
    """
    steps = (LiftingStep(s.kind, [1.0] * s.length, s.offset) for s in factors.steps)
    return Factors(tuple(steps), shift=factors.shift)


# --- the equivalent filters ----------------------------------------------------------------------


def responses(factors: Factors) -> tuple[Laurent, ...]:
    """Return the responses of the four filters: two of analysis, two of synthesis.

    The determinant of the factors is a monomial. The inverse of the matrix is
    its adjugate over that monomial, so no polynomials are divided. The
    synthesis responses are the contributions of one coefficient to ``x[2i + q]``,
    as powers ``z**q``. Rounding errors beyond the ends of the responses are cut off.
    """
    matrix = matrix_of(factors)
    (a, b), (c, d) = matrix
    determinant = ONE.shifted(-sum(factors.shift)) * (factors.scale[0] * factors.scale[1])
    one_over = Laurent(-determinant.low, 1.0 / determinant.coefficients)
    # A coefficient read from k + m adds to the sample m places before its own.
    low = Row((d * one_over).mirrored(), (c * -one_over).mirrored())
    high = Row((b * -one_over).mirrored(), (a * one_over).mirrored())
    expanded = (row.response() for row in (*matrix, low, high))
    return tuple(r.trimmed(_NOISE * r.largest) for r in expanded)


def shortest_length(responses: Iterable[Laurent]) -> int:
    """Return the least even length L whose window ``1 - L/2 .. L/2`` holds all responses."""
    return 2 * max(max(r.high, 1 - r.low, 1) for r in responses)


def filters(factors: Factors, length: int) -> tuple[tuple[float, ...], ...]:
    """Return the four filters, of ``length`` or the shortest even length that holds them."""
    parts = responses(factors)
    length = max(length, shortest_length(parts))
    analysis = (analysis_filter(response, length) for response in parts[:2])
    synthesis = (synthesis_filter(response, length) for response in parts[2:])
    return (*analysis, *synthesis)


def analysis_filter(response: Laurent, length: int) -> tuple[float, ...]:
    """Return the filter h of ``sum_p response_p x[2i+p] = sum_k h_k x[2i + length/2 - k]``."""
    window = response.window(1 - length // 2, length // 2)
    return tuple(window[::-1].tolist())


def synthesis_filter(response: Laurent, length: int) -> tuple[float, ...]:
    """Return the synthesis filter, aligned as PyWavelets does (mirrors :func:`analysis_filter`)."""
    return tuple(response.window(1 - length // 2, length // 2).tolist())


def _analysis_row(taps: Iterable[float]) -> Row:
    values = tuple(taps)
    return Row.of_response(Laurent.of(1 - len(values) // 2, values[::-1]).trimmed())


def _spread(polynomial: Laurent, parity: int) -> Laurent:
    if not len(polynomial):
        return ZERO
    coefficients = np.zeros(2 * len(polynomial) - 1)
    coefficients[::2] = polynomial.coefficients
    return Laurent(2 * polynomial.low + parity, coefficients)


def _every_second(response: Laurent, parity: int) -> Laurent:
    skip = (response.low - parity) % 2
    low = (response.low + skip - parity) // 2
    return Laurent(low, response.coefficients[skip::2]).trimmed()
