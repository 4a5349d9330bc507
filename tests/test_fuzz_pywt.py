"""Random calls give PyWavelets' results, or errors of its classes.

``LIFTWAVE_FUZZ_CALLS`` is the number of calls, ``LIFTWAVE_FUZZ_SEED`` the seed of the first one.
A failure prints the seed. ``LIFTWAVE_FUZZ_SEED=12 LIFTWAVE_FUZZ_CALLS=1`` repeats the call alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from fuzz_calls import Call, random_call
from fuzz_outcomes import Outcome, outcomes
from fuzz_rules import RULES
from fuzz_tolerance import Tolerance

FIRST = int(os.environ.get("LIFTWAVE_FUZZ_SEED", "0"))
COUNT = int(os.environ.get("LIFTWAVE_FUZZ_CALLS", "20000"))
BATCH = 500


# --- comparison ----------------------------------------------------------------------------------


def difference(call: Call, ours: Outcome | None, theirs: Outcome | None) -> str | None:
    """The difference between the outcomes, in words; None if there is none."""
    if ours is None:
        return "liftwave crashed"
    if ours.changed:
        return "liftwave modified an argument"
    if ours.errors and "LiftwaveError" not in ours.errors:
        return f"liftwave raised an error that is not its own: {ours.message}"
    if theirs is None:
        return f"PyWavelets crashed, liftwave: {ours.message or 'a result'}"
    if ours.errors or theirs.errors:
        return error_difference(ours, theirs)
    return result_difference(ours.result, theirs.result, Tolerance(call, theirs.result))


def error_difference(ours: Outcome, theirs: Outcome) -> str | None:
    if ours.errors and theirs.errors and theirs.errors[0] in ours.errors:
        return None
    mine, other = ours.message or "a result", theirs.message or "a result"
    return f"liftwave: {mine}\n  PyWavelets: {other}"


def result_difference(
    ours: Any, theirs: Any, tolerance: Tolerance, path: str = "result"
) -> str | None:
    """The first difference between nested results."""
    if isinstance(theirs, Mapping):
        if not isinstance(ours, Mapping) or set(ours) != set(theirs):
            return f"{path}: keys {sorted(ours)} and {sorted(theirs)}"
        pairs = [(ours[key], theirs[key], f"{path}[{key!r}]") for key in theirs]
    elif isinstance(theirs, list | tuple):
        if type(ours) is not type(theirs) or len(ours) != len(theirs):
            return f"{path}: {type(ours)} and {type(theirs)}, or their lengths, differ"
        pairs = [(a, b, f"{path}[{k}]") for k, (a, b) in enumerate(zip(ours, theirs, strict=True))]
    elif isinstance(theirs, slice):
        same = isinstance(ours, slice) and (ours.start or 0, ours.stop) == (
            theirs.start or 0,
            theirs.stop,
        )
        return None if same else f"{path}: {ours} and {theirs}"
    else:
        return value_difference(ours, theirs, tolerance, path)
    return next(filter(None, (result_difference(a, b, tolerance, p) for a, b, p in pairs)), None)


def value_difference(ours: Any, theirs: Any, tolerance: Tolerance, path: str) -> str | None:
    if type(ours) is not type(theirs):
        return f"{path}: types {type(ours)} and {type(theirs)}"
    if not isinstance(theirs, np.ndarray):
        return None if ours == theirs else f"{path}: {ours!r} and {theirs!r}"
    if ours.dtype == np.longdouble and theirs.dtype == np.float64:
        ours = ours.astype(np.float64)  # PyWavelets computes longdouble in float64
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f"{path}: {ours.dtype} {ours.shape} and {theirs.dtype} {theirs.shape}"
    if not ours.dtype.isnative:
        return f"{path}: the result has the other byte order"
    finite = np.isfinite(theirs)
    with np.errstate(all="ignore"):
        if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True):
            return f"{path}: non-finite values differ"
        if theirs.dtype.kind not in "fc":
            return None if np.array_equal(ours, theirs) else f"{path}: integers differ"
        gap = np.abs(ours[finite] - theirs[finite]).max(initial=0.0)
    limit = tolerance.of(theirs.dtype)
    return (
        None
        if float(gap) <= limit
        else f"{path}: values differ by {gap:.3g}, more than {limit:.3g}"
    )


# --- tests ---------------------------------------------------------------------------------------


def compared(first: int, count: int) -> list[str]:
    """The unexplained differences of the calls with these seeds."""
    failures = []
    for start in range(first, first + count, BATCH):
        last = min(start + BATCH, first + count)
        pairs = zip(outcomes("liftwave", start, last), outcomes("pywt", start, last), strict=True)
        for seed, (ours, theirs) in enumerate(pairs, start):
            call = random_call(seed)
            words = difference(call, ours, theirs)
            if words and not any(rule.explains(call, ours, theirs) for rule in RULES):
                failures.append(f"seed {seed}: {call}\n  {words}")
    return failures


def test_some_random_calls_agree_with_pywavelets() -> None:
    failures = compared(0, 300)
    assert not failures, "\n".join(failures)


@pytest.mark.slow
def test_random_calls_agree_with_pywavelets() -> None:
    failures = compared(FIRST, COUNT)
    assert not failures, f"{len(failures)} calls differ\n" + "\n".join(failures)
