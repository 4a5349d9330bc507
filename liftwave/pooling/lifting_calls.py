"""Calls of lifting pooling, from users' arguments."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array, common_namespace
from liftwave._operations.call import SINGLE, Call
from liftwave._operations.lift_pool import LiftDown, LiftUp
from liftwave._operations.operation import Shape
from liftwave._operations.shapes import cached_by_shapes
from liftwave._plan.lift_pool import PADDINGS, LiftOutput, band_names
from liftwave._plan.windows import PLAIN_TYPES, are_plain
from liftwave._typing import Array, ArrayLike
from liftwave.errors import ArgumentTypeError, BandError, OptionError, ShapeError
from liftwave.pooling.structures import (
    DownInputs,
    DownResult,
    LiftFilters,
    UpInputs,
    joined,
)

FORMS = ("sum", "concat", "bands")
REDUCTIONS = ("mean", "sum", "norm")
# There are 2**dimensions bands.
_MOST_DIMENSIONS = 8

_lift_up = lru_cache(maxsize=256)(LiftUp)
_dtype_of, _shape_of = operator.attrgetter("dtype"), operator.attrgetter("shape")


def lift_down(
    x: ArrayLike,
    filters: LiftFilters,
    output: str = "sum",
    bands: Sequence[str] | None = None,
    padding: str = "reflect",
    dimensions: int = 2,
    penalties: str | None = None,
) -> Call:
    """The call of :func:`liftwave.pooling.lift_down`."""
    options = (output, bands, padding, dimensions, penalties)
    is_cacheable = PLAIN_TYPES.issuperset(map(type, options)) or are_plain(options)
    operation, names = (_cached_down if is_cacheable else _down)(*options)
    array = x if hasattr(x, "shape") else as_array(x)
    packed = _packed(filters, array, dimensions, "x")
    counts = () if penalties is None else operation.counts(array.shape, packed.shape)
    inputs = DownInputs(tuple(map(_dtype_of, filters)))
    return Call(operation, (array, packed), DownResult(names, penalties, counts), inputs)


class _Down(NamedTuple):
    """What the options of :func:`lift_down` determine."""

    operation: LiftDown
    names: tuple[str, ...] | None  # of the bands in a dict


def _down(
    output: str,
    bands: Sequence[str] | None,
    padding: str,
    dimensions: int,
    penalties: str | None,
) -> _Down:
    dimensions = checked_dimensions(dimensions)
    chosen, names = chosen_output(output, bands, dimensions)
    if penalties is not None and penalties not in REDUCTIONS:
        raise OptionError(
            f"unknown reduction of penalties {penalties!r}: use None or one of "
            f"{', '.join(map(repr, REDUCTIONS))}"
        )
    operation = LiftDown(dimensions, checked_padding(padding), chosen, penalties is not None)
    return _Down(operation, names if output == "bands" else None)


_cached_down = lru_cache(maxsize=256)(_down)


def lift_up(
    bands: Mapping[str, Array] | Sequence[Array],
    filters: LiftFilters,
    output_size: Sequence[int] | None = None,
    padding: str = "reflect",
    dimensions: int = 2,
) -> Call:
    """The call of :func:`liftwave.pooling.lift_up`."""
    dimensions = checked_dimensions(dimensions)
    names = band_names(dimensions)
    arrays = complete_bands(bands, names)
    shape = arrays[0].shape
    packed = _packed(filters, arrays[0], dimensions, "bands")
    sizes = checked_size(tuple(shape[len(shape) - dimensions :]), output_size)
    operation = _lift_up(dimensions, checked_padding(padding))
    inputs = UpInputs(names, bands, tuple(map(_dtype_of, filters)))
    return Call(operation, (*arrays, packed), SINGLE, inputs, sizes)


# --- bands ---------------------------------------------------------------------------------------


def complete_bands(bands: Any, names: tuple[str, ...]) -> list[Array]:
    """All bands in their order; missing ones are zeros.

    Raises
    ------
    BandError, ShapeError
        If there is an unknown band or none at all, or bands differ in shape.
    """
    in_order = _in_order(bands, names)
    arrays = [None if band is None else as_array(band) for band in in_order]
    present = [band for band in arrays if band is not None]
    if not present:
        raise ShapeError("at least one band has to be there, all are missing")
    shapes = {tuple(band.shape) for band in present}
    if len(shapes) > 1:
        raise ShapeError(f"all bands have one shape, got {', '.join(map(str, sorted(shapes)))}")
    if len(present) == len(arrays):
        return present
    first = present[0]
    xp = array_namespace(first)
    return [xp.zeros_like(first) if band is None else band for band in arrays]


def _in_order(bands: Any, names: tuple[str, ...]) -> Sequence[Any]:
    if isinstance(bands, Mapping):
        if unknown := [name for name in bands if name not in names]:
            raise _no_such_band(unknown[0], names)
        return [bands.get(name) for name in names]
    if not isinstance(bands, list | tuple) or len(bands) != len(names):
        got = f"{len(bands)}" if isinstance(bands, list | tuple) else type(bands).__name__
        raise ShapeError(
            f"bands are a dict by name or {len(names)} in the order {', '.join(names)}, got {got}"
        )
    return bands


def chosen_output(
    output: str, bands: Sequence[str] | None, dimensions: int
) -> tuple[LiftOutput, tuple[str, ...]]:
    """The bands of a result and their form, and the names of the bands."""
    names = band_names(dimensions)
    if output in names:
        if bands is not None:
            raise OptionError(f"output={output!r} names a band already, got bands={bands!r}, too")
        return LiftOutput((names.index(output),), "bands"), (output,)
    if output not in FORMS:
        raise OptionError(
            f"unknown output {output!r}: use one of {', '.join(map(repr, FORMS))} or a band, "
            f"one of {', '.join(map(repr, names))}"
        )
    wanted = names if bands is None else (bands,) if isinstance(bands, str) else tuple(bands)
    for name in wanted:
        if name not in names:
            raise _no_such_band(name, names)
    if not wanted or len(set(wanted)) < len(wanted):
        raise OptionError(f"bands have to be different ones, at least one, got {wanted!r}")
    return LiftOutput(tuple(map(names.index, wanted)), output), wanted


def _no_such_band(name: Any, names: tuple[str, ...]) -> BandError:
    return BandError(f"no band {name!r}: the bands are {', '.join(map(repr, names))}")


# --- checks --------------------------------------------------------------------------------------


def checked_padding(padding: str) -> str:
    """The padding, if it is a known one."""
    if padding not in PADDINGS:
        raise OptionError(
            f"unknown padding {padding!r}: use one of {', '.join(map(repr, PADDINGS))}"
        )
    return padding


def checked_dimensions(dimensions: int) -> int:
    """The number of spatial axes, if it is a possible one."""
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise ShapeError(f"1 to {_MOST_DIMENSIONS} dimensions are pooled, got {dimensions}")
    return operator.index(dimensions)


def checked_size(halves: Sequence[int], output_size: Sequence[int] | None) -> tuple[int, ...]:
    """The lengths of the signal with bands of these lengths."""
    doubled = tuple(2 * m for m in halves)
    if output_size is None:
        return doubled
    size = tuple(output_size)
    if len(size) != len(doubled) or any(
        n - wanted not in (0, 1) for n, wanted in zip(doubled, size, strict=True)
    ):
        raise ShapeError(
            f"output_size has to be {doubled}, or one less along some axes, got {size}"
        )
    return size


def _packed(filters: Any, x: Array, dimensions: int, name: str) -> Array:
    """The filters in one array of shape (passes, 2, C, K + 3)."""
    if not isinstance(filters, list | tuple) or len(filters) != len(LiftFilters._fields):
        raise ArgumentTypeError(
            f"filters are LiftFilters(weight, bias, gain, offset), got {type(filters).__name__}"
        )
    common_namespace([x, *filters])
    _checks_of(dimensions, name)(x.shape, *map(_shape_of, filters))
    return joined(LiftFilters(*filters))


@lru_cache(maxsize=16)
def _checks_of(dimensions: int, name: str) -> Callable[..., None]:
    """The check of shapes, which is made once for equal shapes."""
    return cached_by_shapes(partial(_check_shapes, dimensions, name))


def _check_shapes(dimensions: int, name: str, shape: Shape, weight: Shape, *scalars: Shape) -> None:
    """Raise unless data and filters have shapes that fit."""
    if len(shape) <= dimensions:
        raise ShapeError(
            f"{name} has to be of shape (..., C, {dimensions} spatial axes), got {tuple(shape)}"
        )
    if 0 in shape[-dimensions - 1 :]:
        raise ShapeError(f"{name} of shape {tuple(shape)} has no samples to pool")
    passes, channels = 2**dimensions - 1, shape[-dimensions - 1]
    fits = len(weight) == 4 and weight[0] in (1, passes) and weight[1:3] == (2, channels)
    if not fits or weight[3] < 1 or any(tuple(s) != tuple(weight[:3]) for s in scalars):
        first = f"{passes} (or 1)" if passes > 1 else "1"
        raise ShapeError(
            f"for {channels} channels in {dimensions} dimensions, weight has to be of shape "
            f"({first}, 2, {channels}, K), bias, gain and offset of the same without K; got "
            f"{', '.join(map(str, map(tuple, (weight, *scalars))))}"
        )
