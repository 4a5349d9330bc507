"""Calls of pooling by weights on whatever a user has: opened, checked, dispatched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import device

from liftwave._arrays.convert import Opened, as_array, common_namespace, is_array, open_arrays
from liftwave._compiled_step import as_step, is_read
from liftwave._dispatch import bridge, keeps_halves, kernels_for, watched
from liftwave._operations.weighted_pool import PoolCall
from liftwave._plan.windows import windows
from liftwave._typing import Array, ArrayLike
from liftwave.errors import ArgumentTypeError, DTypeError, WindowError

DISTANCES = ("l1", "l2", "huber", "chebyshev", "gower")
SIMILARITIES = ("dice", "cosine", "pce")


class Ready(NamedTuple):
    """Inputs of a call, checked, in the dtype in which is computed; ``beta`` is within 0 and 1.

    ``given`` are those inputs before that, and ``first`` says what to do with results.
    """

    call: PoolCall
    inputs: list[Array]
    given: list[Array]
    first: Opened


def ready(call: PoolCall, data: Sequence[ArrayLike]) -> Ready:
    """Make the inputs of a call ready.

    Raises
    ------
    ShapeError, WindowError, DTypeError, ArgumentTypeError
        If the inputs do not fit, are complex, or no arrays of one library.
    """
    count = 1 + (call.up is not None)
    opened = open_arrays(list(data[:count]), keeps_halves)
    first = opened[0]
    given = [o.array for o in opened]
    if call.weights == "ada":
        given.append(_beta(data[count], first))
    xp = first.xp
    for x in given:
        if xp.isdtype(x.dtype, "complex floating"):
            raise DTypeError(
                f"pooling by weights compares numbers in size, got complex data ({x.dtype}): pool "
                "real and imaginary part each on its own"
            )
    call.check([x.shape for x in given])
    inputs = [*given[:count], *(xp.clip(beta, 0.0, 1.0) for beta in given[count:])]
    return Ready(call, inputs, given, first)


def _beta(beta: Any, like: Opened) -> Array:
    """``beta`` as an array of the library, dtype and device of the data."""
    xp, x = like.xp, like.array
    if is_array(beta) and not isinstance(beta, np.generic):
        array = as_array(beta)
        common_namespace([array, x])
        return array if array.dtype == x.dtype else xp.astype(array, x.dtype)
    values = as_array(beta).tolist() if isinstance(beta, list | tuple) else _number("beta", beta)
    return xp.asarray(values, dtype=x.dtype, device=device(x))


def _number(name: str, value: Any) -> float:
    """A number as Python has it, also where torch has numbers of its own."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ArgumentTypeError(f"{name} is a number, got {value!r}") from None


def weighted_pool(
    kind: str, data: tuple[ArrayLike, ...], arguments: tuple[Any, ...], *options: Any
) -> Array:
    """The result of a call of this kind, with these windows (arguments of :func:`windows`)."""
    if is_read():
        return as_step("weighted_pool", kind, data, arguments, *options)
    made = ready(CALLS[kind](arguments, *options), data)
    if watched(made.inputs):
        found = bridge().pool(made.call.text, made.inputs)
    else:
        found = made.call.run(made.inputs, kernels_for(*made.inputs).pooling)
    return made.first.close(found)


# --- calls -----------------------------------------------------------------------------------


def _softmax_call(arguments: tuple[Any, ...]) -> PoolCall:
    return PoolCall(windows(*arguments), "softmax")


def _similarity_call(
    arguments: tuple[Any, ...], similarity: Any, exponential: bool, per_channel: bool
) -> PoolCall:
    check_name("similarity", similarity, SIMILARITIES)
    weights: Any = f"exp-{similarity}" if exponential else similarity
    return PoolCall(windows(*arguments), weights, per_channel=bool(per_channel))


def _distance_call(
    arguments: tuple[Any, ...], distance: Any, delta: Any, per_channel: bool
) -> PoolCall:
    check_name("distance", distance, DISTANCES)
    number = _number("delta", delta)
    if not 0 < number < float("inf"):
        raise WindowError(f"delta is a positive number, got {delta!r}")
    weights: Any = f"idw-{distance}"
    return PoolCall(windows(*arguments), weights, number, bool(per_channel))


def _ada_call(arguments: tuple[Any, ...], per_channel: bool) -> PoolCall:
    return PoolCall(windows(*arguments), "ada", per_channel=bool(per_channel))


def _ada_reverse_call(
    arguments: tuple[Any, ...], up: Any, preserve: Any, per_channel: bool
) -> PoolCall:
    check_name("up", up, ("nearest", "linear"))
    check_name("preserve", preserve, ("sum", "mean"))
    return _ada_call(arguments, per_channel)._replace(up=up, preserve=preserve)


CALLS: dict[str, Callable[..., PoolCall]] = {
    "softmax": _softmax_call,
    "similarity": _similarity_call,
    "distance": _distance_call,
    "ada": _ada_call,
    "ada reverse": _ada_reverse_call,
}
"""The kinds of calls, from arguments of :func:`windows` and options of their own."""


def check_name(what: str, name: Any, names: Sequence[str]) -> None:
    """Raise unless a name is one of these."""
    if name not in names:
        raise WindowError(f"{what} is one of {', '.join(map(repr, names))}, got {name!r}")
