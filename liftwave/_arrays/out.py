"""Arrays that the caller passes for results (``out``): their structure and their checks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import is_writeable_array

from liftwave._arrays.convert import Opened, common_namespace, is_array
from liftwave._arrays.lazy import is_lazy
from liftwave._arrays.tensors import is_readable, is_tensor
from liftwave._typing import Array
from liftwave.errors import (
    ArgumentTypeError,
    CoefficientsError,
    DTypeError,
    OptionError,
    ShapeError,
)


class Target(NamedTuple):
    """An array that receives a result.

    Attributes
    ----------
    number : int
        The number of the result among those of the operation.
    name : str
        The place of the array in ``out``, for messages.
    array : array
        The array.
    """

    number: int
    name: str
    array: Array


def checked_targets(
    out: Any, pattern: Any, shapes: Sequence[tuple[int, ...]], inputs: Sequence[Opened]
) -> list[Array | None]:
    """The array in ``out`` for each result of these shapes; None if ``out`` has none.

    Raises
    ------
    CoefficientsError, ArgumentTypeError, ShapeError, DTypeError
        If ``out`` does not have the structure ``pattern`` (see :func:`targets_in`), or an array
        cannot receive its result.
    """
    targets = targets_in(out, pattern)
    for target in targets:
        check_target(target, inputs[0], shapes[target.number])
    if len(targets) > 1:  # a single result is copied if it overlaps an input
        check_separate(targets, [operand.array for operand in inputs])
    by_number = {target.number: target.array for target in targets}
    return [by_number.get(k) for k in range(len(shapes))]


def common_dtype(out: Any) -> str:
    """The name of the dtype of all arrays in ``out``; empty if they differ."""
    if isinstance(out, Mapping):
        out = list(out.values())
    if isinstance(out, list | tuple):
        names = {common_dtype(part) for part in out}
        return names.pop() if len(names) == 1 else ""
    return str(out.dtype).rpartition(".")[2] if is_array(out) else ""


def targets_in(out: Any, pattern: Any) -> list[Target]:
    """The arrays in ``out``.

    Parameters
    ----------
    out : array, or nested tuples, lists and dicts of arrays
        The argument of the caller.
    pattern : int, or nested tuples, lists and dicts of int
        The structure of the result, with the number of each array.

    Raises
    ------
    CoefficientsError
        If ``out`` does not have the structure.
    """
    if not _fits(out, pattern):
        raise CoefficientsError(
            f"out must have the structure of the result, {_outline(pattern)}; got {_outline(out)}"
        )
    return list(_targets(out, pattern, "out"))


def _fits(out: Any, pattern: Any) -> bool:
    """Whether ``out`` has the structure. Lists and tuples are equivalent."""
    if isinstance(pattern, dict):
        return (
            isinstance(out, Mapping)
            and out.keys() == pattern.keys()
            and all(_fits(out[key], part) for key, part in pattern.items())
        )
    if isinstance(pattern, list | tuple):
        return (
            isinstance(out, list | tuple)
            and len(out) == len(pattern)
            and all(map(_fits, out, pattern))
        )
    return True


def _outline(value: Any) -> str:
    """The structure of a value, in short."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_outline(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        parts = ", ".join(map(_outline, value))
        return f"[{parts}]" if isinstance(value, list) else f"({parts})"
    return "array" if isinstance(value, int) or is_array(value) else type(value).__name__


def _targets(out: Any, pattern: Any, name: str) -> Iterator[Target]:
    if isinstance(pattern, dict):
        for key, part in pattern.items():
            yield from _targets(out[key], part, f"{name}[{key!r}]")
    elif isinstance(pattern, list | tuple):
        for k, part in enumerate(pattern):
            yield from _targets(out[k], part, f"{name}[{k}]")
    else:
        yield Target(pattern, name, out)


def check_in_memory(arrays: Sequence[Array]) -> None:
    """Raise if the data are arrays of dask, which are computed later.

    Raises
    ------
    OptionError
        If one is.
    """
    if any(map(is_lazy, arrays)):
        raise OptionError("out= does not support arrays of dask: remove out=")


def check_target(target: Target, like: Opened, shape: tuple[int, ...]) -> None:
    """Raise unless a result of this shape can be written to an array.

    Raises
    ------
    ArgumentTypeError, ShapeError, DTypeError
        If it is not a writeable array of the data's library, shape or dtype.
    """
    _, name, out = target
    if not is_array(out) or not is_writeable_array(out):
        description = "a read-only array" if is_array(out) else type(out).__name__
        raise ArgumentTypeError(f"{name} must be a writeable array, got {description}")
    if is_tensor(out) and out.requires_grad and out.is_leaf and _records_gradients():
        raise ArgumentTypeError(
            f"{name} is a leaf tensor that requires a gradient, and torch does not permit to write "
            "to it: pass a tensor without requires_grad"
        )
    common_namespace([out, like.array])
    if tuple(out.shape) != shape:
        raise ShapeError(f"{name} has shape {tuple(out.shape)}, but the result has shape {shape}")
    if out.dtype != like.result_dtype:
        raise DTypeError(f"{name} has dtype {out.dtype}, but the result has {like.result_dtype}")


def _records_gradients() -> bool:
    return bool(sys.modules["torch"].is_grad_enabled())


# --- shared memory -------------------------------------------------------------------------------


def check_separate(targets: Sequence[Target], inputs: Sequence[Array]) -> None:
    """Raise if arrays for results share memory with each other, or with an input.

    Raises
    ------
    ArgumentTypeError
        If two arrays have a number in common.
    """
    places = [(target.name, _place(target.array)) for target in targets]
    data = [("the data", _place(array)) for array in inputs]
    pairs = [*combinations(places, 2), *((a, b) for a in places for b in data)]
    for (name, place), (other, other_place) in pairs:
        if place is not None and other_place is not None and np.shares_memory(place, other_place):
            raise ArgumentTypeError(
                f"{name} and {other} share memory: pass a separate array for each result"
            )


class _Place:
    """The memory of an array, as NumPy describes it. Its numbers are not read."""

    def __init__(self, address: int, shape: Sequence[int], strides: Sequence[int], size: int):
        self.__array_interface__ = {
            "data": (address, True),
            "shape": tuple(shape),
            "strides": tuple(strides),
            "typestr": f"|V{size}",
            "version": 3,
        }


def _place(x: Array) -> np.ndarray[Any, Any] | None:
    """The memory of an array on any device; None if it has no address."""
    if isinstance(x, np.ndarray):
        return x
    if 0 in x.shape:
        return None
    if is_tensor(x):
        if sys.modules["torch"].compiler.is_compiling() or not is_readable(x):
            return None
        size = x.element_size()
        return np.asarray(_Place(x.data_ptr(), x.shape, [size * n for n in x.stride()], size))
    cupy = sys.modules.get("cupy")
    if cupy is not None and type(x) is cupy.ndarray:
        return np.asarray(_Place(x.data.ptr, x.shape, x.strides, x.itemsize))
    return None
