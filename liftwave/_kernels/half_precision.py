"""Half precision for kernels that do not read it: computed in float32, and given back as it came.

What is a gradient in taps, a sum over samples, stays in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from array_api_compat import array_namespace

from liftwave._arrays.convert import is_array, is_half
from liftwave._kernels.contract import Kernels, LiftPullback


def widened(kernels: Kernels) -> Kernels:
    """The family for arrays of half precision, too."""
    return cast(Kernels, _Widened(kernels))


class _Widened:
    """The functions of a family, or of a part of one."""

    def __init__(self, functions: Any) -> None:
        self._functions = functions

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._functions, name)
        if name in ("pooling", "lift_pool"):
            made: Any = _Widened(found)
        elif callable(found):
            made = _widened_function(found, _NARROWED.get(name, _narrowed))
        else:
            return found
        setattr(self, name, made)
        return made


def _widened_function(function: Callable[..., Any], narrowed: Callable[..., Any]) -> Any:
    def run(*arguments: Any, **named: Any) -> Any:
        halves: list[Any] = []
        given = _each(arguments, lambda x: _as_single(x, halves))
        known = _each(named, lambda x: _as_single(x, halves))
        found = function(*given, **known)
        return narrowed(found, halves[0]) if halves else found

    return run


def _as_single(x: Any, halves: list[Any]) -> Any:
    """``x`` in float32, if it is of half precision; its dtype is noted."""
    if not is_half(x):
        return x
    halves.append(x.dtype)
    xp = array_namespace(x)
    return xp.astype(x, xp.float32)


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Arrays in nested sequences and dicts changed; plans are left alone."""
    if isinstance(value, list):
        return [_each(v, change) for v in value]
    if type(value) is tuple:
        return tuple([_each(v, change) for v in value])
    if isinstance(value, Mapping):
        return {key: _each(v, change) for key, v in value.items()}
    return change(value) if is_array(value) else value


def _narrowed(found: Any, dtype: Any) -> Any:
    """Results with what is in float32 in half precision."""

    def narrow(x: Any) -> Any:
        xp = array_namespace(x)
        return xp.astype(x, dtype) if x.dtype == xp.float32 else x

    return _each(found, narrow)


def _first_narrowed(found: Any, dtype: Any) -> Any:
    data, others = found
    return _narrowed(data, dtype), others


def _pullback_narrowed(found: LiftPullback, dtype: Any) -> LiftPullback:
    inputs, cotangents = _narrowed((found.inputs, found.cotangents), dtype)
    return found._replace(inputs=inputs, cotangents=cotangents)


_NARROWED: dict[str, Callable[[Any, Any], Any]] = {
    "tap_gradients": lambda found, dtype: found,
    "lift_vjp": _pullback_narrowed,
    "lift_down": _first_narrowed,
    "lift_down_vjp": _first_narrowed,
    "lift_up_vjp": _first_narrowed,
}
"""What is narrowed of the results of functions that give more than data."""
