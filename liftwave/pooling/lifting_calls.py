"""Calls of lifting pooling from users' arguments, and the structures of their results."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array, common_namespace
from liftwave._execute import execute, graph_node
from liftwave._numbers import is_one_of
from liftwave._operations.call import SINGLE, Call
from liftwave._operations.lift_pool import LiftDown, LiftUp, Reversible
from liftwave._plan.axis import bounded
from liftwave._plan.lift_pool import N_SCALARS, band_names
from liftwave._typing import Array, ArrayLike, Namespace
from liftwave.errors import ArgumentTypeError, BandError, DTypeError, OptionError, ShapeError
from liftwave.pooling.lifting_arguments import (
    REDUCTIONS,
    check_shapes,
    checked_dimensions,
    checked_padding,
    checked_reversible,
    checked_size,
    chosen_output,
    complete_bands,
)
from liftwave.pooling.structures import Arrays, PoolingGradient


class LiftFilters(NamedTuple):
    r"""The learned filters of LiftPool: predictors and updaters.

    For channel :math:`c`,

    .. math::

        f_c(v)_k = a_c \max(0, \sum_i w_{c,i} v_{k + i - \lfloor (K-1)/2 \rfloor} + b_c) + e_c .

    Attributes
    ----------
    weight : array, shape (passes, 2, C, K)
        :math:`w`: the predictor and the updater of each pass. If ``passes`` is 1, all passes use
        them.
    bias, gain, offset : array, shape (passes, 2, C)
        :math:`b, a, e`.
    """

    weight: Array
    bias: Array
    gain: Array
    offset: Array


class LiftPenalties(NamedTuple):
    r"""The penalties that LiftPool adds to the loss of a task, summed over the passes.

    Attributes
    ----------
    update : array, shape ()
        :math:`c_u`, from the difference between the approximation and the odd samples.
    predict : array, shape ()
        :math:`c_p`, from the details.
    """

    update: Array
    predict: Array


_lift_up = lru_cache(maxsize=256)(LiftUp)
_dtype_of, _shape_of = operator.attrgetter("dtype"), operator.attrgetter("shape")

# Shapes of data and filters that match.
_CHECKED: dict[Any, None] = {}


def lift_down(
    x: ArrayLike,
    filters: LiftFilters,
    output: str = "sum",
    bands: Sequence[str] | None = None,
    padding: str = "reflect",
    dimensions: int = 2,
    penalties: str | None = None,
    reversible: Reversible = "auto",
) -> Call:
    """The call of :func:`liftwave.pooling.lift_down`."""
    options = (padding, dimensions, penalties, reversible)
    try:
        operation, names = _cached_down(output, bands, *options)
    except TypeError:  # a list of bands
        operation, names = _down(output, bands, *options)
    array = x if hasattr(x, "shape") else as_array(x)
    packed = _packed(filters, array, dimensions, "x")
    counts: tuple[int, ...] = ()
    if penalties is not None:
        shape = array.shape
        counts = operation.layout(shape, packed.shape, shape[len(shape) - dimensions :]).counts
    inputs = DownInputs(tuple(map(_dtype_of, filters)))
    return Call(operation, (array, packed), DownResult(names, penalties, counts), inputs)


@graph_node
def run_lift_down(
    x: ArrayLike,
    filters: LiftFilters,
    output: str,
    bands: Sequence[str] | None,
    padding: str,
    dimensions: int,
    penalties: str | None,
    reversible: Reversible,
) -> Any:
    """The result of :func:`lift_down`, with penalties as a plain tuple.

    Nodes of compiled graphs cannot return named tuples.
    """
    options = (output, bands, padding, dimensions, penalties, reversible)
    result = execute(lift_down(x, filters, *options))
    return result if penalties is None else (result[0], tuple(result[1]))


class _Down(NamedTuple):
    """The call options that follow from the arguments of :func:`lift_down`."""

    operation: LiftDown
    names: tuple[str, ...] | None  # of the bands in a dict


def _down(
    output: str,
    bands: Sequence[str] | None,
    padding: str,
    dimensions: int,
    penalties: str | None,
    reversible: Reversible,
) -> _Down:
    dimensions = checked_dimensions(dimensions)
    chosen, names = chosen_output(output, bands, dimensions)
    if penalties is not None and not is_one_of(penalties, REDUCTIONS):
        raise OptionError(
            f"unknown reduction of penalties {penalties!r}: use None or one of "
            f"{', '.join(map(repr, REDUCTIONS))}"
        )
    operation = LiftDown(
        *(dimensions, checked_padding(padding), chosen, penalties is not None),
        checked_reversible(reversible),
    )
    return _Down(operation, names if output == "bands" else None)


_cached_down = lru_cache(maxsize=256, typed=True)(_down)


def lift_up(
    bands: Mapping[str, Array] | Sequence[Array],
    filters: LiftFilters,
    output_size: Sequence[int] | None = None,
    padding: str = "reflect",
    dimensions: int = 2,
    reversible: Reversible = "auto",
) -> Call:
    """The call of :func:`liftwave.pooling.lift_up`."""
    dimensions = checked_dimensions(dimensions)
    names = band_names(dimensions)
    arrays = complete_bands(bands, names)
    shape = arrays[0].shape
    packed = _packed(filters, arrays[0], dimensions, "bands")
    sizes = checked_size(tuple(shape[len(shape) - dimensions :]), output_size)
    operation = _lift_up(dimensions, checked_padding(padding), checked_reversible(reversible))
    inputs = UpInputs(names, bands, tuple(map(_dtype_of, filters)))
    return Call(operation, (*arrays, packed), SINGLE, inputs, sizes)


def _packed(filters: Any, x: Array, dimensions: int, name: str) -> Array:
    """The filters in one array of shape (passes, 2, C, K + 3)."""
    if not isinstance(filters, list | tuple) or len(filters) != len(LiftFilters._fields):
        raise ArgumentTypeError(
            f"filters must be LiftFilters(weight, bias, gain, offset), got {type(filters).__name__}"
        )
    common_namespace([x, *filters])
    key = (dimensions, x.shape, *map(_shape_of, filters))
    try:
        is_known = key in _CHECKED
    except TypeError:  # a length that torch traces has no hash
        is_known = False
    if not is_known:
        check_shapes(dimensions, name, *key[1:])
        if all(type(n) is int for shape in key[1:] for n in shape):
            bounded(_CHECKED)[key] = None
    return joined(LiftFilters(*filters))


# --- structures -----------------------------------------------------------------------------------


@dataclass
class DownInputs:
    """The inputs of :func:`lift_down`; ``dtypes`` are those of the filters."""

    dtypes: Sequence[Any]

    def pack(self, arrays: Arrays) -> PoolingGradient:
        """The gradients with respect to the signal and the filters."""
        data, filters = arrays
        return PoolingGradient(data, {"filters": _separate(filters, self.dtypes)})

    def unpack(self, value: PoolingGradient) -> Arrays:
        """The gradients as a list."""
        return [value.data, joined(value.parameters["filters"])]


@dataclass
class DownResult:
    """The bands of :func:`lift_down`, and the penalties if requested.

    Attributes
    ----------
    names : tuple of str or None
        The names of the bands in a dict; ``None`` for a single array.
    reduction : {None, "mean", "sum", "norm"}
        How penalties follow from sums of squares; ``None`` without penalties.
    counts : sequence of int
        The number of samples in the bands of each pass.
    """

    names: tuple[str, ...] | None
    reduction: str | None
    counts: Sequence[int] = ()
    _sums: Array = None

    def pack(self, arrays: Arrays) -> Any:
        """The array or the dict of bands; with penalties, a pair of bands and penalties."""
        bands = arrays if self.reduction is None else arrays[:-1]
        packed = bands[0] if self.names is None else dict(zip(self.names, bands, strict=True))
        if self.reduction is None:
            return packed
        self._sums = arrays[-1]  # the derivative of a norm needs them
        return packed, LiftPenalties(*reduced(self._sums, self.counts, self.reduction))

    def unpack(self, value: Any) -> Arrays:
        """Cotangents of the bands, and of the sums of squares behind the penalties."""
        if self.reduction is None:
            return self._bands(value)
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ShapeError(
                "cotangents must have the result's structure, a pair (bands, penalties); "
                f"got {type(value).__name__}"
            )
        return [*self._bands(value[0]), self._of_sums(value[1], self.reduction)]

    def _bands(self, value: Any) -> list[Array | None]:
        if self.names is None:
            return [value]
        by_name = {} if value is None else value
        if not isinstance(by_name, Mapping):
            raise ShapeError(f"cotangents must be a dict by band, got {type(value).__name__}")
        if unknown := [name for name in by_name if name not in self.names]:
            raise BandError(f"the result has no band {unknown[0]!r}: {', '.join(self.names)}")
        return [by_name.get(name) for name in self.names]

    def _of_sums(self, value: Any, reduction: str) -> Array | None:
        if value is None:
            return None
        xp, sums = array_namespace(self._sums), self._sums
        pair = [
            xp.zeros_like(sums[0, 0, ...]) if g is None else _checked_scalar(g, sums)
            for g in LiftPenalties(*value)
        ]
        return reduced_vjp(sums, self.counts, reduction, pair)


def _checked_scalar(cotangent: Any, sums: Array) -> Array:
    array = as_array(cotangent)
    xp = common_namespace([array, sums])
    if tuple(array.shape) != ():
        raise ShapeError(
            f"the cotangent of a penalty has shape {tuple(array.shape)}, the result has ()"
        )
    if xp.isdtype(array.dtype, "complex floating"):
        raise DTypeError("the cotangent of a penalty is complex, the result is real")
    return xp.astype(array, sums.dtype, copy=False)


# --- penalties -----------------------------------------------------------------------------------


def reduced(sums: Array, counts: Sequence[int], reduction: str) -> tuple[Array, Array]:
    """Penalties from the sums of squares of each pass, of shape (passes, 2)."""
    xp: Namespace = array_namespace(sums)
    terms = sums
    if reduction == "norm":
        is_positive = sums > 0
        root = xp.sqrt(xp.where(is_positive, sums, xp.ones_like(sums)))  # no derivative at zero
        terms = xp.where(is_positive, root, xp.zeros_like(sums))
    elif reduction == "mean":
        terms = xp.stack([sums[k, ...] / max(count, 1) for k, count in enumerate(counts)])
    total = xp.sum(terms, axis=0)
    return total[0, ...], total[1, ...]


def reduced_vjp(
    sums: Array, counts: Sequence[int], reduction: str, cotangents: Sequence[Array]
) -> Array:
    """The cotangent of the sums, from those of the penalties."""
    xp = array_namespace(sums, *cotangents)
    row = xp.stack(list(cotangents))
    slopes = xp.ones_like(sums)
    if reduction == "norm":
        is_positive = sums > 0
        root = xp.sqrt(xp.where(is_positive, sums, xp.ones_like(sums)))
        slopes = xp.where(is_positive, 0.5 / root, xp.zeros_like(sums))
    elif reduction == "mean":
        slopes = xp.stack([slopes[k, ...] / max(count, 1) for k, count in enumerate(counts)])
    return slopes * row


class UpInputs:
    """The inputs of :func:`lift_up`.

    Attributes
    ----------
    names : tuple of str
        The names of all bands.
    bands : mapping or sequence
        The bands that the caller passed.
    dtypes : sequence of dtype
        The dtypes of the filters.
    """

    def __init__(self, names: tuple[str, ...], bands: Any, dtypes: Sequence[Any]) -> None:
        self.names, self.bands, self.dtypes = names, bands, dtypes

    def pack(self, arrays: Arrays) -> PoolingGradient:
        """The gradients with respect to the passed bands, in their structure, and the filters."""
        *bands, filters = arrays
        data: Any
        if isinstance(self.bands, Mapping):
            by_name = dict(zip(self.names, bands, strict=True))
            data = {k: None if v is None else by_name[k] for k, v in self.bands.items()}
        else:
            pairs = zip(bands, self.bands, strict=True)
            data = [None if band is None else gradient for gradient, band in pairs]
        return PoolingGradient(data, {"filters": _separate(filters, self.dtypes)})

    def unpack(self, value: PoolingGradient) -> Arrays:
        """The gradients as a list."""
        data = value.data
        bands = [data.get(k) for k in self.names] if isinstance(data, Mapping) else data
        return [*bands, joined(value.parameters["filters"])]


def joined(filters: LiftFilters) -> Array:
    """The filters in one array of shape (passes, 2, C, K + 3)."""
    weight, *scalars = filters
    xp: Namespace = array_namespace(*filters)
    arrays = [weight, *[scalar[..., None] for scalar in scalars]]
    if len({part.dtype for part in filters}) > 1:
        dtype = xp.result_type(*arrays)
        arrays = [xp.astype(a, dtype, copy=False) for a in arrays]
    return xp.concat(arrays, axis=-1)


def _separate(packed: Array, dtypes: Sequence[Any]) -> LiftFilters:
    """The filters in these dtypes, from one array."""
    kernel = packed.shape[-1] - N_SCALARS
    parts = [packed[..., :kernel], *(packed[..., kernel + k] for k in range(N_SCALARS))]
    xp = array_namespace(packed)
    pairs = zip(parts, dtypes, strict=True)
    return LiftFilters(*(xp.astype(part, dtype, copy=False) for part, dtype in pairs))
