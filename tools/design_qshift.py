"""Designs the quarter-shift filters of the dual tree and prints them, with their properties.

Run ``python tools/design_qshift.py`` (it takes a minute). It prints the low-pass filters of tree a,
which ``liftwave/wavelets/dual_tree.py`` contains.

A filter of 2M taps is the low-pass of a lattice of M rotations, whose angles sum to pi/4. So it is
orthonormal, sums to the square root of 2, and its high-pass sums to 0. The taps of a filter and of
the reversed filter, one after the other, are a filter of twice the length, on a grid of half the
step, whose delay is exactly linear. If its response vanishes above the pass band, both trees sample
the same smooth function half a step apart (N. Kingsbury, "Design of q-shift complex wavelets for
image processing using frequency domain energy minimization", ICIP 2003). The design minimises its
energy above 0.36 pi, from many random angles. The taps are computed from the angles with 50 digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, getcontext
from math import fsum, pi

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from liftwave.wavelets.lifting.lattice import filters_from_angles

STOP = 0.36 * pi
TAPS = (10, 14, 18)
STARTS = 40

getcontext().prec = 50


def interleaved(taps: Sequence[float]) -> NDArray[np.float64]:
    """The taps and the reversed taps, one after the other."""
    return np.stack([taps, taps[::-1]], axis=1).ravel()


def stop_matrix(count: int) -> NDArray[np.float64]:
    """The matrix of the energy above the edge of the stop band, as a quadratic form of the taps."""
    lags = np.subtract.outer(np.arange(count), np.arange(count))
    distance = np.where(lags == 0, 1, lags)
    return np.where(lags == 0, (pi - STOP) / pi, -np.sin(STOP * lags) / (pi * distance))


def all_angles(free: NDArray[np.float64]) -> NDArray[np.float64]:
    """The angles, with the last one that makes their sum pi/4."""
    return np.append(free, pi / 4 - free.sum())


def designed(count: int) -> NDArray[np.float64]:
    """The angles of the best filter with this number of taps."""
    matrix, generator = stop_matrix(2 * count), np.random.default_rng(0)

    def energy(free: NDArray[np.float64]) -> float:
        taps = interleaved(filters_from_angles(all_angles(free))[0])
        return float(taps @ matrix @ taps)

    starts = generator.uniform(-pi, pi, (STARTS, count // 2 - 1))
    results = [minimize(energy, start, method="BFGS", tol=1e-14) for start in starts]
    best = min(results, key=lambda result: result.fun)
    return all_angles(best.x)


# --- taps with many digits -----------------------------------------------------------------------


def exact_pi() -> Decimal:
    """Machin's formula."""
    return 4 * (4 * _arctan_of_reciprocal(5) - _arctan_of_reciprocal(239))


def _arctan_of_reciprocal(n: int) -> Decimal:
    power, total = Decimal(1) / n, Decimal(0)
    for k in range(1, 120, 2):
        total += power / k * (1 if k % 4 == 1 else -1)
        power /= n * n
    return total


def sine_and_cosine(angle: Decimal) -> tuple[Decimal, Decimal]:
    """Taylor series of a small part of the angle, and doubled angles."""
    small, sine, cosine, term = angle / 1024, Decimal(0), Decimal(0), Decimal(1)
    for k in range(40):
        value = term * (1 if k % 4 < 2 else -1)
        sine, cosine = (sine + value, cosine) if k % 2 else (sine, cosine + value)
        term = term * small / (k + 1)
    for _ in range(10):
        sine, cosine = 2 * sine * cosine, cosine * cosine - sine * sine
    return sine, cosine


def exact_low_pass(angles: Sequence[float]) -> list[Decimal]:
    """The low-pass of the lattice; the last angle makes the sum exactly pi/4."""
    exact = [Decimal(float(angle)) for angle in angles[:-1]]
    exact.append(exact_pi() / 4 - sum(exact))
    zeros = [Decimal(0), Decimal(0)]
    # Each row has the coefficients of both columns of the lattice's matrix, one after the other.
    matrix = [[Decimal(1), Decimal(0)], [Decimal(0), Decimal(1)]]
    for k, angle in enumerate(exact):
        if k:
            matrix = [matrix[0] + zeros, zeros + matrix[1]]
        sine, cosine = sine_and_cosine(angle)
        low = [cosine * a + sine * b for a, b in zip(*matrix, strict=True)]
        high = [cosine * b - sine * a for a, b in zip(*matrix, strict=True)]
        matrix = [low, high]
    pairs = zip(matrix[0][0::2], matrix[0][1::2], strict=True)
    return [tap for first, second in pairs for tap in (second, first)]


def in_order(taps: Sequence[float]) -> Sequence[float]:
    """The taps with the sign and the direction of tree a: its delay is a quarter sample shorter."""
    delay = sum(j * tap for j, tap in enumerate(taps)) / sum(taps)
    return taps if delay < (len(taps) - 1) / 2 else taps[::-1]


# --- report --------------------------------------------------------------------------------------


def report(taps: Sequence[float]) -> None:
    """Print the taps and their properties."""
    count, h = len(taps), np.array(taps)
    products = np.correlate(h, h, "full")[1::2]
    products[count // 2 - 1] -= 1
    doubled = interleaved(taps[::-1])  # tree b comes first: its function begins earlier
    energy = doubled @ stop_matrix(2 * count) @ doubled / (doubled @ doubled)
    delay = (np.arange(count) @ h) / h.sum() - (count - 1) / 2
    print(f'"q{count}": (')
    for tap in taps:
        print(f"    {tap!r},")
    print("),")
    print(
        f"orthonormal within {np.abs(products).max():.1e}, sum - sqrt(2) = "
        f"{fsum(taps) - 2**0.5:.1e}, alternating sum {fsum(h * (-1.0) ** np.arange(count)):.1e}, "
        f"energy above 0.36 pi {energy:.2e}, delay at frequency 0 {delay:+.4f} of the centre\n"
    )


if __name__ == "__main__":
    for number in TAPS:
        exact = exact_low_pass(designed(number).tolist())
        report(in_order([float(tap) for tap in exact]))
