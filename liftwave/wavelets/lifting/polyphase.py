r"""Polyphase matrices: what filters and lifting steps do to even and odd samples.

With :math:`e_k = x_{2k}`, :math:`o_k = x_{2k+1}` and :math:`z` reading one
sample further on, a level of analysis is

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
from math import sqrt
from typing import NamedTuple

import numpy as np

from liftwave.wavelets.lifting.laurent import ONE, ZERO, Laurent
from liftwave.wavelets.lifting.step import LiftingStep

# Coefficients this far below the largest are rounding errors of the expansion.
_NOISE = 1e-14


class Row(NamedTuple):
    """One output as a combination of even and odd samples."""

    even: Laurent
    odd: Laurent

    def plus(self, factor: Laurent, other: Row) -> Row:
        """The row ``self + factor * other``."""
        return Row(self.even + factor * other.even, self.odd + factor * other.odd)

    def times(self, factor: Laurent | float) -> Row:
        """The row with both entries multiplied."""
        return Row(self.even * factor, self.odd * factor)

    def shifted(self, by: int) -> Row:
        """The row with both entries multiplied by ``z**by``."""
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
        """Weights of ``x[2i + p]`` as the coefficients of ``z**p``."""
        return _spread(self.even, 0) + _spread(self.odd, 1)

    @classmethod
    def of_response(cls, response: Laurent) -> Row:
        """The inverse of :meth:`response`."""
        return cls(_every_second(response, 0), _every_second(response, 1))


class Polyphase(NamedTuple):
    """The matrix: a row for the approximation, one for the detail."""

    approx: Row
    detail: Row

    @classmethod
    def of_filters(cls, dec_lo: Iterable[float], dec_hi: Iterable[float]) -> Polyphase:
        """The matrix of two analysis filters of the same even length."""
        return cls(_analysis_row(dec_lo), _analysis_row(dec_hi))

    def distance(self, other: Polyphase) -> float:
        """Largest difference of coefficients, relative to the largest of ``other``."""
        difference = max(
            max((a - b).largest for a, b in zip(mine, theirs, strict=True))
            for mine, theirs in zip(self, other, strict=True)
        )
        return difference / max(row.largest for row in other)

    def exchanged(self) -> Polyphase:
        """The matrix with even and odd, approximation and detail exchanged."""
        return Polyphase(Row(*self.detail[::-1]), Row(*self.approx[::-1]))

    def after(self, step: LiftingStep) -> Polyphase:
        """The matrix with a lifting step on its output side."""
        rows = list(self)
        target = step.target_parity
        rows[target] = rows[target].plus(step.polynomial(), rows[1 - target])
        return Polyphase(*rows)

    def determinant(self) -> Laurent:
        """The largest term of the determinant: all of it where the bank reconstructs."""
        (a, b), (c, d) = self
        product = a * d - b * c
        return product.trimmed(0.5 * product.largest)


IDENTITY = Polyphase(Row(ONE, ZERO), Row(ZERO, ONE))


def noise_gain(steps: Iterable[LiftingStep]) -> float:
    """The root of the sum over all steps of the product of both channels' powers."""
    matrix, total = IDENTITY, 0.0
    for step in steps:
        matrix = matrix.after(step)
        total += matrix.approx.energy * matrix.detail.energy
    return sqrt(total)


def responses(matrix: Polyphase, determinant: Laurent) -> tuple[Laurent, ...]:
    """The responses of the four filters: two of analysis, two of synthesis.

    ``determinant`` must be a monomial. Then the inverse of the matrix is its
    adjugate up to that monomial, without any division of polynomials. The
    synthesis responses tell what one coefficient adds to ``x[2i + q]``, as
    powers ``z**q``. What rounding left beyond their ends is cut off.
    """
    (a, b), (c, d) = matrix
    one_over = Laurent(-determinant.low, 1.0 / determinant.coefficients)
    # A coefficient read from k + m lands m samples before its own place.
    low = Row((d * one_over).mirrored(), (c * -one_over).mirrored())
    high = Row((b * -one_over).mirrored(), (a * one_over).mirrored())
    expanded = (row.response() for row in (*matrix, low, high))
    return tuple(r.trimmed(_NOISE * r.largest) for r in expanded)


def shortest_length(responses: Iterable[Laurent]) -> int:
    """The least even length L whose window ``1 - L/2 .. L/2`` holds all responses."""
    return 2 * max(max(r.high, 1 - r.low, 1) for r in responses)


def analysis_filter(response: Laurent, length: int) -> tuple[float, ...]:
    """The filter h of ``sum_p response_p x[2i+p] = sum_k h_k x[2i + length/2 - k]``."""
    window = response.window(1 - length // 2, length // 2)
    return tuple(window[::-1].tolist())


def synthesis_filter(response: Laurent, length: int) -> tuple[float, ...]:
    """The synthesis filter in PyWavelets' alignment (the mirror of :func:`analysis_filter`)."""
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
