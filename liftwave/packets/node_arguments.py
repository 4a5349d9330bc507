"""Arguments of the methods of packet nodes: paths, axes, and functions of a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from liftwave._arrays.convert import as_array, open_array
from liftwave._numbers import is_several
from liftwave._plan.arguments import useful_level
from liftwave._typing import Array, ArrayLike
from liftwave.errors import ArgumentTypeError, PathTypeError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Wavelets, wavelets_per_axis


def path_text(path: Any) -> str:
    """A path of nodes as one text.

    Raises
    ------
    PathTypeError
        If it is neither text nor a tuple of texts.
    """
    if isinstance(path, str):
        return path
    if not isinstance(path, tuple) or not all(isinstance(name, str) for name in path):
        raise PathTypeError(
            f"Invalid path parameter type - expected text or a tuple of texts, got {path!r}"
        )
    return "".join(path)


def called(func: Any, args: Any, kwargs: Any, node: Any) -> Any:
    """The result of a function of a node."""
    return func(node, *args, **kwargs)


def check_function(func: Any, args: Any, kwargs: Any) -> None:
    """Raise unless a function of a node can be called with further arguments."""
    if not callable(func):
        raise ArgumentTypeError(f"func must be a function of a node, got {func!r}")
    if not isinstance(args, Sequence) or not isinstance(kwargs, Mapping | None):
        raise ArgumentTypeError(
            f"args must be a sequence and kwargs a dict, got {args!r} and {kwargs!r}"
        )


def has_any(parts: Mapping[str, Any]) -> bool:
    """Whether at least one part exists."""
    for part in parts.values():  # noqa: SIM110 - faster than a generator
        if part is not None:
            return True
    return False


def axes_of(axes: Any) -> tuple[int, ...]:
    """The axes of a node as a tuple."""
    return tuple(axes) if type(axes) is not int and is_several(axes) else (axes,)


def useful_levels(x: Array, wavelet: Wavelets, axes: Any) -> int:
    """The number of useful levels below a node with these coefficients."""
    sizes = [x.shape[axis] for axis in axes_of(axes)]
    return useful_level(sizes, wavelets_per_axis(wavelet, len(sizes)))


def coefficients(data: ArrayLike, wavelet: Wavelets | None, axes: Any) -> Array:
    """The data in the dtype that transforms return for them. Integer schemes keep integers."""
    x = as_array(data)
    wavelets = () if wavelet is None else wavelets_per_axis(wavelet, len(axes_of(axes)))
    if any(isinstance(w, LiftingScheme) and w.integer for w in wavelets):
        return x
    opened = open_array(x)
    return x if x.dtype == opened.result_dtype else opened.array
