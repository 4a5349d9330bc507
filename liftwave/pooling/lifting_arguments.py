"""The arguments of lifting pooling: bands, filters, paddings and sizes, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array
from liftwave._numbers import is_one_of, items, lengths, real_number, whole_number
from liftwave._operations.lift_pool import Reversible
from liftwave._operations.operation import Shape
from liftwave._plan.lift_pool import PADDINGS, LiftOutput, band_names
from liftwave._typing import Array
from liftwave.errors import BandError, OptionError, ShapeError, ShapeTypeError

FORMS = ("sum", "concat", "bands")
REDUCTIONS = ("mean", "sum", "norm")
# The default for initial filters: larger than usual samples; float32 rounds sums with it to 4e-6.
LINEAR_RANGE = 64.0
# There are 2**dimensions bands.
_MOST_DIMENSIONS = 8


# --- bands ---------------------------------------------------------------------------------------


def complete_bands(bands: Any, names: tuple[str, ...]) -> list[Array]:
    """All bands in order. Missing bands are zeros.

    Raises
    ------
    BandError, ShapeError
        If a band is unknown, all bands are missing, or bands differ in shape.
    """
    in_order = _in_order(bands, names)
    arrays = [None if band is None else as_array(band) for band in in_order]
    present = [band for band in arrays if band is not None]
    if not present:
        raise ShapeError("at least one band is required, all are missing")
    check_bands(present)
    if len(present) == len(arrays):
        return present
    first = present[0]
    xp = array_namespace(first)
    return [xp.zeros_like(first) if band is None else band for band in arrays]


def check_bands(bands: Sequence[Array]) -> None:
    """Raise unless all bands have one shape, whose lengths can be symbols of torch.

    Raises
    ------
    ShapeError
        If they do not.
    """
    shapes = [tuple(band.shape) for band in bands]
    if any(shape != shapes[0] for shape in shapes):
        texts = ", ".join(map(str, sorted(set(shapes))))
        raise ShapeError(f"all bands must have the same shape, got {texts}")


def _in_order(bands: Any, names: tuple[str, ...]) -> Sequence[Any]:
    if isinstance(bands, Mapping):
        if unknown := [name for name in bands if name not in names]:
            raise _no_such_band(unknown[0], names)
        return [bands.get(name) for name in names]
    if not isinstance(bands, list | tuple) or len(bands) != len(names):
        number = f"{len(bands)}" if isinstance(bands, list | tuple) else type(bands).__name__
        raise ShapeError(
            f"bands must be a dict by name, or {len(names)} bands in the order "
            f"{', '.join(names)}, got {number}"
        )
    return bands


def chosen_output(
    output: str, bands: Sequence[str] | None, dimensions: int
) -> tuple[LiftOutput, tuple[str, ...]]:
    """The bands of a result and their form, and the names of the bands."""
    names = band_names(dimensions)
    if is_one_of(output, names):
        if bands is not None:
            raise OptionError(f"output={output!r} names a band: do not pass bands, got {bands!r}")
        return LiftOutput((names.index(output),), "bands"), (output,)
    if not is_one_of(output, FORMS):
        raise OptionError(
            f"unknown output {output!r}: use one of {', '.join(map(repr, FORMS))} or a band, "
            f"one of {', '.join(map(repr, names))}"
        )
    selected = names if bands is None else _as_names(bands)
    for name in selected:
        if not is_one_of(name, names):
            raise _no_such_band(name, names)
    if not selected or len(set(selected)) < len(selected):
        raise OptionError(f"bands must be at least one name, without repetitions, got {selected!r}")
    return LiftOutput(tuple(map(names.index, selected)), output), selected


def _as_names(bands: Any) -> tuple[Any, ...]:
    if isinstance(bands, str):
        return (bands,)
    return tuple(items(bands, "bands must be None or names of bands"))


def _no_such_band(name: Any, names: tuple[str, ...]) -> BandError:
    return BandError(f"no band {name!r}: the bands are {', '.join(map(repr, names))}")


# --- checks --------------------------------------------------------------------------------------


def checked_padding(padding: str) -> str:
    """The padding, if it exists."""
    if not is_one_of(padding, PADDINGS):
        raise OptionError(
            f"unknown padding {padding!r}: use one of {', '.join(map(repr, PADDINGS))}"
        )
    return padding


def checked_reversible(reversible: Any) -> Reversible:
    """The option ``reversible``, if it is valid."""
    if is_one_of(reversible, ("auto",)):
        return "auto"
    if isinstance(reversible, bool | np.bool_):
        return bool(reversible)
    raise OptionError(f"reversible must be 'auto', True or False, got {reversible!r}")


def checked_range(linear_range: float) -> float:
    """The distance from zero at which a ReLU cuts off, if it is valid."""
    demand = "linear_range must be a number that is not negative"
    number = real_number(linear_range, demand)
    if not 0 <= number < math.inf:
        raise OptionError(f"{demand}, got {number}: use 0 for a ReLU at zero")
    return number


def checked_dimensions(dimensions: int) -> int:
    """The number of spatial axes, if it is valid."""
    number = whole_number(dimensions, "dimensions must be an integer")
    if not 1 <= number <= _MOST_DIMENSIONS:
        raise ShapeError(f"dimensions must be from 1 to {_MOST_DIMENSIONS}, got {number}")
    return number


def checked_size(halves: Sequence[int], output_size: Sequence[int] | None) -> tuple[int, ...]:
    """The lengths of the signal that has bands of these lengths."""
    doubled = tuple(2 * m for m in halves)
    if output_size is None:
        return doubled
    size = lengths(output_size, "output_size", ShapeTypeError)
    if len(size) != len(doubled) or any(
        n - length not in (0, 1) for n, length in zip(doubled, size, strict=True)
    ):
        raise ShapeError(f"output_size must be {doubled}, or one less along some axes, got {size}")
    return size


def check_shapes(dimensions: int, name: str, shape: Shape, weight: Shape, *scalars: Shape) -> None:
    """Raise unless the shapes of data and filters match.

    Raises
    ------
    ShapeError
        If they do not.
    """
    if len(shape) <= dimensions:
        raise ShapeError(
            f"{name} must have the shape (..., C, {dimensions} spatial axes), got {tuple(shape)}"
        )
    if 0 in shape[-dimensions - 1 :]:
        raise ShapeError(f"{name} of shape {tuple(shape)} has no samples to pool")
    passes, channels = 2**dimensions - 1, shape[-dimensions - 1]
    fits = len(weight) == 4 and weight[0] in (1, passes) and weight[1:3] == (2, channels)
    if not fits or weight[3] < 1 or any(tuple(s) != tuple(weight[:3]) for s in scalars):
        first = f"{passes} (or 1)" if passes > 1 else "1"
        raise ShapeError(
            f"for {channels} channels in {dimensions} dimensions, weight must have the shape "
            f"({first}, 2, {channels}, K), and bias, gain and offset the same without K; got "
            f"{', '.join(map(str, map(tuple, (weight, *scalars))))}"
        )
