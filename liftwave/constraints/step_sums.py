"""The sums of the taps of lifting steps for which the high-pass filters sum to zero.

:mod:`liftwave.constraints.lifting` derives them from two signals, a constant and an alternating
signal. All even samples of such a signal are equal, and all odd samples, also after each step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from array_api_compat import is_numpy_namespace

from liftwave._typing import Array, Namespace
from liftwave.errors import ConstraintError
from liftwave.wavelets.lifting.step import StepKind


class Signals(NamedTuple):
    """Even and odd samples of the constant signal (a, b) and of the alternating one (u, v)."""

    a: Array
    b: Array
    u: Array
    v: Array


class StepSums(NamedTuple):
    """The sum of each step's taps, the signals before each step, and the gain of constants."""

    totals: list[Array]
    before: list[Signals]
    gain: Array


def propagate(
    xp: Namespace, kinds: Sequence[StepKind], free: Mapping[int, Array], one: Array
) -> StepSums:
    """Pass both signals through the steps, and compute the sums that are not free.

    Raises
    ------
    ConstraintError
        If a NumPy computation would divide by zero. Values of other libraries
        are not read.
    """
    signals = Signals(one, one, one, -one)
    totals, before = [], []
    for k, kind in enumerate(kinds):
        before.append(signals)
        total = free[k] if k in free else _needed(xp, kind, signals)
        a, b, u, v = signals
        if kind == "predict":
            signals = Signals(a, b + total * a, u, v + total * u)
        else:
            signals = Signals(a + total * b, b, u + total * v, v)
        totals.append(total)
    _check_divisor(xp, signals.a, "the low-pass sums to zero and cannot be scaled")
    return StepSums(totals, before, signals.a)


def propagate_vjp(
    sums: StepSums,
    kinds: Sequence[StepKind],
    free: Mapping[int, Array],
    of_totals: Sequence[Array],
    of_gain: Array,
) -> list[Array]:
    """Return the full cotangents of all totals, from their direct cotangents and the gain's.

    The cotangent of a total that is not free contributes to those of earlier steps.
    """
    zero = 0.0 * of_gain
    ga, gb, gu, gv = of_gain, zero, zero, zero
    complete = list(of_totals)
    for k in reversed(range(len(kinds))):
        a, b, u, v = sums.before[k]
        total = sums.totals[k]
        if kinds[k] == "predict":
            complete[k] = complete[k] + gb * a + gv * u
            ga, gu = ga + gb * total, gu + gv * total
            if k not in free:
                gb, ga = gb - complete[k] / a, ga + complete[k] * b / a**2
        else:
            complete[k] = complete[k] + ga * b + gu * v
            gb, gv = gb + ga * total, gv + gu * total
            if k not in free:
                gu, gv = gu - complete[k] / v, gv + complete[k] * u / v**2
    return complete


def _needed(xp: Namespace, kind: StepKind, signals: Signals) -> Array:
    a, b, u, v = signals
    if kind == "predict":
        _check_divisor(xp, a, "no predict step removes a constant from the details")
        return -b / a
    _check_divisor(xp, v, "no update step removes an alternating signal from the approximation")
    return -u / v


def _check_divisor(xp: Namespace, value: Array, reason: str) -> None:
    if is_numpy_namespace(xp) and value == 0.0:
        raise ConstraintError(f"with these taps {reason}: change one of them slightly")
