"""Conditions on random calls and on their outcomes, for the rules of differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from fuzz_arguments import NO_LEVELS, NO_MODES, NO_WAVELETS, Samples, made
from fuzz_calls import Call
from fuzz_outcomes import Outcome

# --- outcomes ------------------------------------------------------------------------------------


def accepted(ours: Outcome, theirs: Outcome | None) -> bool:
    """Only PyWavelets raises."""
    return not ours.errors and theirs is not None and bool(theirs.errors)


def rejected(ours: Outcome, theirs: Outcome | None) -> bool:
    """Only liftwave raises; PyWavelets returns something, or crashes."""
    return bool(ours.errors) and (theirs is None or not theirs.errors)


def other_class(ours: Outcome, theirs: Outcome | None) -> bool:
    """Both raise, errors of different classes."""
    return bool(ours.errors) and theirs is not None and bool(theirs.errors)


def other_result(ours: Outcome, theirs: Outcome | None) -> bool:
    """Both return a result."""
    return theirs is not None and not ours.errors and not theirs.errors


def raises(name: str, then: Callable[[Outcome, Outcome | None], bool]) -> Any:
    """An outcome in which liftwave raises this error."""
    return lambda ours, theirs: name in ours.errors and then(ours, theirs)


def either(*outcomes: Callable[[Outcome, Outcome | None], bool]) -> Any:
    """One of several outcomes."""
    return lambda ours, theirs: any(outcome(ours, theirs) for outcome in outcomes)


# --- conditions ----------------------------------------------------------------------------------


def leaves(values: Any) -> Iterator[Any]:
    """All arguments, also those in lists, tuples and dicts."""
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, list | tuple):
        for value in values:
            yield from leaves(value)
    else:
        yield values


def arguments(call: Call) -> list[Any]:
    """All arguments and options of a call."""
    return list(leaves([list(call.arguments), call.options]))


def samples(call: Call) -> list[Samples]:
    """The arrays of a call."""
    return [value for value in arguments(call) if isinstance(value, Samples)]


def some(condition: Callable[[Samples], bool]) -> Callable[[Call], bool]:
    """Whether the condition holds for an array of a call."""
    return lambda call: any(map(condition, samples(call)))


def of(*functions: str) -> Callable[[Call], bool]:
    """Whether the call is of one of these functions."""
    return lambda call: call.function in functions


def both(*conditions: Callable[[Call], bool]) -> Callable[[Call], bool]:
    """All conditions."""
    return lambda call: all(condition(call) for condition in conditions)


def either_of(*conditions: Callable[[Call], bool]) -> Callable[[Call], bool]:
    """At least one condition."""
    return lambda call: any(condition(call) for condition in conditions)


def option(name: str, place: int, condition: Callable[[Any], bool]) -> Callable[[Call], bool]:
    """A condition on an argument that is positional at ``place`` or an option."""

    def holds(call: Call) -> bool:
        if name in call.options:
            return condition(call.options[name])
        return len(call.arguments) > place and condition(call.arguments[place])

    return holds


def has_dtype(*dtypes: str) -> Callable[[Call], bool]:
    """Whether an array has one of the dtypes."""
    return some(lambda x: x.dtype in dtypes)


def is_of_wrong_type(value: Any) -> bool:
    """Whether the fuzzer passes the value in place of a wavelet, a mode, a level or a count."""
    wrong = (
        *NO_WAVELETS,
        *NO_MODES,
        *NO_LEVELS,
        "text",
        "a",
        "b",
        "x",
        "A",
        "8",
        "0",
        "other",
        2.5,
        3.5,
        0.0,
        0.5,
    )
    return any(type(value) is type(w) and value == w for w in wrong) or value != value


def wrong_types(call: Call) -> bool:
    """Whether an argument is of a wrong type or no value of this argument."""
    values = [*arguments(call), *call.options.values(), *call.arguments]
    return any(
        is_of_wrong_type(value) or value is object
        for value in values
        if not isinstance(value, Samples)
    ) or call.arguments[:1] == ({},)


def has_negative(call: Call) -> bool:
    """Whether a number among the arguments is negative."""
    return any(isinstance(v, int | float) and v < 0 for v in arguments(call))


def has_whole_float(call: Call) -> bool:
    """Whether a level or an axis is a float."""
    named = [call.options.get(name) for name in ("level", "levels", "axis", "axes")]
    return any(type(value) is float for value in leaves(named))


def has_repeats(axes: Any) -> bool:
    """Whether an axis is named twice."""
    return isinstance(axes, tuple) and len(set(axes)) < len(axes)


def is_mixed(call: Call) -> bool:
    """Whether the arrays have different dtypes."""
    return len({np.dtype(x.dtype) for x in samples(call)}) > 1


def has_empty_list(call: Call) -> bool:
    """Whether an argument is an empty list."""
    return any(isinstance(value, list) and not value for value in call.arguments)


def adds_nothing(call: Call) -> bool:
    """Whether one of the widths of pad is zero."""
    return 0 in leaves(call.arguments[1])


def lacks_details(call: Call) -> bool:
    """Whether a level of the coefficients has no details."""
    return {} in call.arguments[0]


def has_large_first_row(call: Call) -> bool:
    """Whether all values above the upper threshold are in the first row."""
    data, _, high = made(call.arguments)
    places = np.where(np.abs(np.asarray(data)) > high)
    return bool(places and places[0].size and not places[0].any())


def is_firm_limit(call: Call) -> bool:
    """Whether the upper threshold is infinite, or equals the lower one."""
    return not call.arguments[1] < call.arguments[2] < np.inf


def has_few_samples(call: Call) -> bool:
    return any(1 in x.shape for x in samples(call))
