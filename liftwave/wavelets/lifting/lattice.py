r"""The rotation lattice of orthonormal filters: angles to filters and back.

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
from math import atan2, cos, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Lattice(NamedTuple):
    """Angles :math:`t_1 … t_N` (input side first), the sign, and how well they fit."""

    angles: tuple[float, ...]
    sign: float
    residual: float


def filters_from_angles(
    angles: Iterable[float], sign: float = 1.0
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The orthonormal analysis filters of a lattice.

    Parameters
    ----------
    angles : iterable of float
        N of them, in radians, that of the input side first.
    sign : float, optional
        1 or -1, the sign of the high-pass.

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
    first, *others = angles
    matrix = _rotation(first)[np.newaxis]
    for angle in others:
        delayed = np.zeros((len(matrix) + 1, 2, 2))
        delayed[:-1, 0] = matrix[:, 0]
        delayed[1:, 1] = matrix[:, 1]
        matrix = _rotation(angle) @ delayed
    low, high = (matrix[:, row, ::-1].reshape(-1) for row in (0, 1))
    return tuple(low.tolist()), tuple((sign * high).tolist())


def peel_angles(dec_lo: Sequence[float], dec_hi: Sequence[float]) -> Lattice:
    r"""The lattice of a pair of orthonormal filters.

    Parameters
    ----------
    dec_lo, dec_hi : sequence of float, length 2N
        Without pairs of zeros at their ends.

    Returns
    -------
    Lattice
        Its ``residual`` is the largest coefficient that should have vanished
        and did not: rounding for orthonormal filters, large for others.

    Notes
    -----
    One rotation is taken off the input side at a time. The angle is the one
    that makes the last coefficient of the first column and the first of the
    second column vanish in the sense of least squares; from this side the
    recursion is stable, from the output side it loses all digits of long
    filters.

    Examples
    --------
    >>> h, g = [0.6, 0.8], [-0.8, 0.6]
    >>> lattice = peel_angles(h, g)
    >>> filters_from_angles(lattice.angles, lattice.sign)[0]
    (0.6, 0.8)
    """
    columns = np.array([dec_lo, dec_hi]).T  # row 2k+1 of it multiplies channel 0, 2k channel 1
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
    left = np.array([[a, b], [sign * c, sign * d]]) - _rotation(angles[-1])
    return Lattice(tuple(angles), sign, max(residual, float(np.abs(left).max())))


def _input_angle(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Angle of the rotation of the columns that loses least at the two ends."""
    keep_first = first[0] @ first[0] + second[-1] @ second[-1]
    keep_second = second[0] @ second[0] + first[-1] @ first[-1]
    mixed = first[0] @ second[0] - first[-1] @ second[-1]
    return 0.5 * atan2(2.0 * float(mixed), float(keep_first - keep_second))


def _rotation(angle: float) -> NDArray[np.float64]:
    c, s = cos(angle), sin(angle)
    return np.array([[c, s], [-s, c]])
