r"""The rotation lattice of orthonormal filters: angles to filters, and filters to angles.

Every orthonormal pair of filters of length 2N is a product of N rotations and
N - 1 delays (Vaidyanathan & Hoang, *Lattice structures for optimal design and
robust implementation of two-channel perfect-reconstruction QMF banks*, IEEE
Trans. ASSP 36, 1988):

.. math::

    E(z) = \begin{pmatrix} 1 & \\ & \sigma \end{pmatrix}
    R(t_N)\, D\, R(t_{N-1})\, D \cdots D\, R(t_1), \quad
    R(t) = \begin{pmatrix} \cos t & \sin t \\ -\sin t & \cos t \end{pmatrix}, \quad
    D = \begin{pmatrix} 1 & \\ & z^{-1} \end{pmatrix}

where :math:`\sigma` is 1 or -1 and the coefficient of :math:`z^{-k}` in E is
``[[h[2k+1], h[2k]], [g[2k+1], g[2k]]]`` for the analysis filters h and g. The
low-pass sums to :math:`\sqrt 2` and the high-pass to 0 exactly when the angles
sum to :math:`\pi/4` modulo :math:`2\pi`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from math import atan2, cos, sin
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pywt
from numpy.typing import NDArray

from liftwave.wavelets.filter_bank import FilterBank

Shears: TypeAlias = Literal[2, 3]
"""Number of shears of a rotation."""


class Lattice(NamedTuple):
    """Angles :math:`t_1 … t_N` (input side first), the sign, and the error of the fit."""

    angles: tuple[float, ...]
    sign: float
    residual: float


def filters_from_angles(
    angles: Iterable[float], sign: float = 1.0
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the orthonormal analysis filters of a lattice.

    Parameters
    ----------
    angles : iterable of float
        N angles in radians, starting at the input side.
    sign : float, optional
        1 or -1, the sign of the high-pass. Default 1.

    Returns
    -------
    dec_lo, dec_hi : tuple of float, length 2N

    Examples
    --------
    >>> from math import pi
    >>> dec_lo, dec_hi = filters_from_angles([-pi / 6, 5 * pi / 12])
    >>> [round(tap, 6) for tap in dec_lo]
    [-0.12941, 0.224144, 0.836516, 0.482963]
    """
    first, *later = angles
    matrix = _rotation(first)[np.newaxis]
    for angle in later:
        delayed = np.zeros((len(matrix) + 1, 2, 2))
        delayed[:-1, 0] = matrix[:, 0]
        delayed[1:, 1] = matrix[:, 1]
        matrix = _rotation(angle) @ delayed
    low, high = (matrix[:, row, ::-1].reshape(-1) for row in (0, 1))
    return tuple(low.tolist()), tuple((sign * high).tolist())


def lattice_of_filters(dec_lo: Sequence[float], dec_hi: Sequence[float]) -> Lattice:
    r"""Factor a pair of orthonormal filters into a lattice.

    Parameters
    ----------
    dec_lo, dec_hi : sequence of float, length 2N
        Without pairs of zeros at their ends.

    Returns
    -------
    Lattice
        Its ``residual`` is the largest absolute value of the coefficients that
        are zero for orthonormal filters. It is a rounding error for these, and
        large for other filters.

    Notes
    -----
    The rotations are split off one at a time, from the input side. Each angle
    minimises, in the sense of least squares, the last coefficient of the first
    column and the first coefficient of the second column. The recursion is
    stable from this side. From the output side it loses all digits of long
    filters.

    Examples
    --------
    >>> h, g = [0.6, 0.8], [-0.8, 0.6]
    >>> lattice = lattice_of_filters(h, g)
    >>> filters_from_angles(lattice.angles, lattice.sign)[0]
    (0.6, 0.8)
    """
    columns = np.array([dec_lo, dec_hi]).T  # rows 2k+1 multiply channel 0, rows 2k channel 1
    first, second = columns[1::2], columns[0::2]
    angles, residual = [], 0.0
    while len(first) > 1:
        angle = _input_angle(first, second)
        c, s = cos(angle), sin(angle)
        first, second = c * first + s * second, c * second - s * first
        residual = max(residual, float(np.abs(first[-1]).max()), float(np.abs(second[0]).max()))
        first, second = first[:-1], second[1:]
        angles.append(angle)
    (a, c), (b, d) = first[0], second[0]
    sign = 1.0 if a * d - b * c > 0 else -1.0
    angles.append(atan2(b - sign * c, a + sign * d))
    rest = np.array([[a, b], [sign * c, sign * d]]) - _rotation(angles[-1])
    return Lattice(tuple(angles), sign, max(residual, float(np.abs(rest).max())))


def _input_angle(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the angle whose rotation of the columns minimises the two ends."""
    first_energy = first[0] @ first[0] + second[-1] @ second[-1]
    second_energy = second[0] @ second[0] + first[-1] @ first[-1]
    product = first[0] @ second[0] - first[-1] @ second[-1]
    return 0.5 * atan2(2.0 * float(product), float(first_energy - second_energy))


def _rotation(angle: float) -> NDArray[np.float64]:
    c, s = cos(angle), sin(angle)
    return np.array([[c, s], [-s, c]])


# --- quarter turns of long wavelets --------------------------------------------------------------


class QuarterTurns(NamedTuple):
    """Shears for each rotation, and the rotations that take one more quarter turn."""

    shears: Shears
    rotations: tuple[int, ...]


# All choices of quarter turns give the same filters, and the same accuracy in
# the interior of a signal. They differ near mirrored edges of signals that are
# shorter than the filter: there the default choice loses two digits on a dozen
# samples, and these choices do not. ``python -m benchmarks.quarter_turns``
# searches for them and prints these lines.
#
# The comments say how much rounding errors grow at mirrored edges, without and
# with these turns, and the largest tap.
QUARTER_TURNS: dict[str, QuarterTurns] = {
    "db30": QuarterTurns(2, (7, 8, 9)),  # 26 -> 14, taps to 1.0
    "db32": QuarterTurns(2, (6, 7, 8)),  # 25 -> 16, taps to 1.3
    "db34": QuarterTurns(2, (6, 8, 9, 11)),  # 29 -> 18, taps to 2.0
    "db36": QuarterTurns(2, (10, 11)),  # 41 -> 20, taps to 0.8
    "db38": QuarterTurns(3, (3, 7, 9, 11, 12)),  # 55 -> 16, taps to 1.0
    "sym20": QuarterTurns(2, (12, 18)),  # 29 -> 8, taps to 2.3
    "coif10": QuarterTurns(2, (3, 14, 16, 17)),  # 61 -> 18, taps to 1.4
    "coif11": QuarterTurns(3, (7, 13)),  # 79 -> 11, taps to 0.9
    "coif12": QuarterTurns(3, (1, 7, 17)),  # 106 -> 12, taps to 0.9
    "coif13": QuarterTurns(3, (5, 7, 10, 16, 19)),  # 150 -> 13, taps to 1.0
    "coif14": QuarterTurns(3, (0, 2, 4, 7, 11, 17, 24, 26)),  # 283 -> 16, taps to 1.0
    "coif15": QuarterTurns(3, (3, 7, 8, 22, 24, 27)),  # 471 -> 16, taps to 0.9
    "coif16": QuarterTurns(3, (2, 3, 5, 7, 8, 27, 29)),  # 592 -> 28, taps to 1.0
    "coif17": QuarterTurns(3, (0, 2, 4, 6, 7, 26, 28, 31)),  # 1107 -> 21, taps to 1.0
}


def quarter_turns_of(bank: FilterBank) -> QuarterTurns | None:
    """Return the quarter turns of a bank that is one of the wavelets in the table."""
    for name, quarter_turns in QUARTER_TURNS.items():
        if _analysis_filters(name) == (bank.dec_lo, bank.dec_hi):
            return quarter_turns
    return None


@cache
def _analysis_filters(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    wavelet = pywt.Wavelet(name)
    return tuple(wavelet.dec_lo), tuple(wavelet.dec_hi)
