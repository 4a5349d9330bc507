"""Search for the quarter turns that keep lifting accurate on signals shorter than the filter.

    python -m benchmarks.quarter_turns [--seconds 30] [--above 20] [WAVELET ...]

A rotation of the lattice can be applied by its angle, or by its angle minus a
right angle and one more quarter turn. All choices are equal in the interior of
a signal. They differ near a mirrored edge, where the two shears of a rotation
read different samples and rounding errors grow over a hundred steps. The script
measures that growth (:func:`edge_gain`). If it exceeds ``--above``, the script
searches by local changes from random starts for the choice with the least growth.
It prints the lines of ``QUARTER_TURNS`` in ``liftwave/wavelets/lifting/lattice.py``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection

import numpy as np
import pywt

from liftwave._arrays.integers import step_matrix
from liftwave._plan.axis import LiftPlan, lift_plan
from liftwave.lifting import LiftingScheme
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.factorization import bank_factors_with_quarter_turns
from liftwave.wavelets.lifting.lattice import Shears, lattice_of_filters

LENGTHS = (3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 24)
MODES = ("reflect", "symmetric", "constant")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wavelets", nargs="*", help="default: all orthonormal ones")
    parser.add_argument("--seconds", type=float, default=30, help="for each wavelet and form")
    parser.add_argument(
        "--above", type=float, default=20, help="search where the gain exceeds this"
    )
    args = parser.parse_args()
    for name in args.wavelets or _orthonormal():
        wavelet = pywt.Wavelet(name)
        dec_lo, dec_hi, rec_lo, rec_hi = wavelet.filter_bank
        bank = FilterBank(dec_lo, dec_hi, rec_lo, rec_hi)
        gain = edge_gain(LiftingScheme.from_filter_bank(bank))
        if gain > args.above:
            print(_searched(name, bank, gain, args.seconds, args.above), flush=True)


def _orthonormal() -> list[str]:
    return [name for family in ("db", "sym", "coif") for name in pywt.wavelist(family)]


def _searched(name: str, bank: FilterBank, gain: float, seconds: float, above: float) -> str:
    rng = np.random.default_rng(0)
    for shears in (2, 3):
        best, turns = _search(bank, shears, seconds, rng)
        if best <= above:
            break
    scheme = scheme_with_quarter_turns(bank, shears, turns)
    return (
        f'    "{name}": QuarterTurns({shears}, {tuple(sorted(turns))}),  '
        f"# {gain:.0f} -> {best:.0f}, taps to {scheme.max_tap:.1f}"
    )


def _search(
    bank: FilterBank, shears: Shears, seconds: float, rng: np.random.Generator
) -> tuple[float, frozenset[int]]:
    """Search by local changes from random starts; returns the least gain and its turns."""
    turnable = _turnable(bank)
    best, chosen = np.inf, frozenset[int]()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        turns = frozenset(turnable[rng.random(turnable.size) < 0.25].tolist())
        gain, failures = _gain(bank, shears, turns, 3 * best), 0
        while failures < 60 and time.monotonic() < deadline:
            changed = turns ^ set(rng.choice(turnable, rng.integers(1, 3), replace=False).tolist())
            new = _gain(bank, shears, changed, gain)
            turns, gain, failures = (changed, new, 0) if new < gain else (turns, gain, failures + 1)
        if gain < best:
            best, chosen = gain, turns
    return best, chosen


def _turnable(bank: FilterBank) -> np.ndarray:
    """The rotations that can take one more quarter turn: their angles are not small."""
    angles = np.abs(lattice_of_filters(bank.dec_lo, bank.dec_hi).angles) % (np.pi / 2)
    return np.flatnonzero(np.minimum(angles, np.pi / 2 - angles) > np.pi / 2 - 1.3)


def _gain(bank: FilterBank, shears: Shears, turns: Collection[int], enough: float) -> float:
    scheme = scheme_with_quarter_turns(bank, shears, turns)
    return np.inf if scheme is None else edge_gain(scheme, enough)


def scheme_with_quarter_turns(
    bank: FilterBank, shears: Shears, turns: Collection[int]
) -> LiftingScheme | None:
    """The scheme of orthonormal filters with these quarter turns, None if there is none."""
    factors = bank_factors_with_quarter_turns(bank, shears, turns)
    return factors and LiftingScheme(factors.steps, factors.scale, shift=factors.shift)


def edge_gain(scheme: LiftingScheme, enough: float = np.inf) -> float:
    r"""The amplification of rounding errors by a round trip of short signals with mirrored edges.

    With :math:`A_s` the transform up to step :math:`s`, the error that step
    adds to sample :math:`k` returns as column :math:`k` of
    :math:`A_s^{-1}`; for white signals of :math:`n` samples

    .. math:: G^2 = \frac{1}{n} \sum_s \sum_k \|(A_s)_{k,:}\|^2 \|(A_s^{-1})_{:,k}\|^2 .

    Returns the largest over :data:`LENGTHS` and :data:`MODES`, or the first beyond ``enough``.
    """
    largest = 0.0
    for mode in MODES:
        for n in LENGTHS:
            plan = lift_plan(scheme, n, mode)
            largest = max(largest, _round_trip_gain(plan, [s.taps for s in scheme.steps]))
            if largest > enough:
                return largest
    return largest


def _round_trip_gain(plan: LiftPlan, taps: list[tuple[float, ...]]) -> float:
    forward = [np.eye(plan.n)[parity::2] for parity in (0, 1)]
    back = [np.eye(plan.n)[:, parity::2] for parity in (0, 1)]
    total = 0.0
    for step, values in zip(plan.steps, taps, strict=True):
        target, source = step.target, 1 - step.target
        matrix = step_matrix(step, values)
        forward[target] = forward[target] + matrix @ forward[source]
        back[source] = back[source] - back[target] @ matrix
        total += float(((forward[target] ** 2).sum(1) * (back[target] ** 2).sum(0)).sum())
    return float(np.sqrt(total / plan.n))


if __name__ == "__main__":
    main()
