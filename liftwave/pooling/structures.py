"""The structures of results and gradients of pooling functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array, common_namespace
from liftwave._plan.lift_pool import N_SCALARS
from liftwave._typing import Array, Namespace
from liftwave.errors import BandError, DTypeError, ShapeError

Arrays: TypeAlias = "Sequence[Array | None]"


class LiftFilters(NamedTuple):
    r"""What LiftPool learns: predictors and updaters.

    :math:`f_c(v)_k = a_c \max(0, \sum_i w_{c,i} v_{k + i - \lfloor (K-1)/2 \rfloor} + b_c) + e_c`
    for channel :math:`c`.

    Attributes
    ----------
    weight : array, shape (passes, 2, C, K)
        :math:`w`: for each pass predictor and updater. A single pass's filters are used by all
        passes.
    bias, gain, offset : array, shape (passes, 2, C)
        :math:`b, a, e`.
    """

    weight: Array
    bias: Array
    gain: Array
    offset: Array


class LiftPenalties(NamedTuple):
    r"""What LiftPool adds to the loss of a task, summed over the passes.

    Attributes
    ----------
    update : array, shape ()
        :math:`c_u`, of the difference between the approximation and the odd samples.
    predict : array, shape ()
        :math:`c_p`, of the details.
    """

    update: Array
    predict: Array


# --- gradients -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PoolingGradient:
    """What a pullback of a pooling function returns.

    Attributes
    ----------
    data : array
        The gradient in the first argument.
    parameters : dict
        Gradients in its other arguments that have one, by their names: ``"beta"``,
        ``"pooled"``, ``"weight"``, ``"filters"``, ``"squeeze"``, ``"excite"``.
    """

    data: Any
    parameters: dict[str, Any] = field(default_factory=dict)


PoolingPullback: TypeAlias = Callable[[Any], PoolingGradient]
"""From the gradient in a result to a :class:`PoolingGradient`."""


class Inputs:
    """The inputs of a call: the first argument, and others by their names."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def pack(self, arrays: Arrays) -> PoolingGradient:
        """The gradients in them."""
        return PoolingGradient(arrays[0], dict(zip(self.names, arrays[1:], strict=False)))

    def unpack(self, value: PoolingGradient) -> Arrays:
        """The gradients as a list."""
        return [value.data, *(value.parameters[name] for name in self.names)]


class AttentionInputs:
    """The inputs of :func:`energy_attention` that have gradients."""

    def pack(self, arrays: Arrays) -> PoolingGradient:
        """The gradients in the data and both layers."""
        data, *layers = arrays
        pairs = {"squeeze": tuple(layers[:2]), "excite": tuple(layers[2:4])}
        return PoolingGradient(data, pairs)

    def unpack(self, value: PoolingGradient) -> Arrays:
        """The gradients as a list."""
        return [value.data, *value.parameters["squeeze"], *value.parameters["excite"]]


class DownInputs:
    """The inputs of :func:`lift_down`; ``dtypes`` are those of the filters."""

    def __init__(self, dtypes: Sequence[Any]) -> None:
        self.dtypes = dtypes

    def pack(self, arrays: Arrays) -> PoolingGradient:
        """The gradients in the signal and the filters."""
        data, filters = arrays
        return PoolingGradient(data, {"filters": _separate(filters, self.dtypes)})

    def unpack(self, value: PoolingGradient) -> Arrays:
        """The gradients as a list."""
        return [value.data, joined(value.parameters["filters"])]


class UpInputs:
    """The inputs of :func:`lift_up`.

    Attributes
    ----------
    names : tuple of str
        Those of all bands.
    bands : mapping or sequence
        The bands that the caller passed.
    dtypes : sequence of dtype
        Those of the filters.
    """

    def __init__(self, names: tuple[str, ...], bands: Any, dtypes: Sequence[Any]) -> None:
        self.names, self.bands, self.dtypes = names, bands, dtypes

    def pack(self, arrays: Arrays) -> PoolingGradient:
        """The gradients in the bands that were passed, in their structure, and in the filters."""
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
    arrays = [weight, *(scalar[..., None] for scalar in scalars)]
    if any(scalar.dtype != weight.dtype for scalar in scalars):
        dtype = xp.result_type(*arrays)
        arrays = [xp.astype(a, dtype, copy=False) for a in arrays]
    return xp.concat(arrays, axis=-1)


def _separate(packed: Array, dtypes: Sequence[Any]) -> LiftFilters:
    """Filters, in these dtypes, from one array."""
    kernel = packed.shape[-1] - N_SCALARS
    parts = [packed[..., :kernel], *(packed[..., kernel + k] for k in range(N_SCALARS))]
    xp = array_namespace(packed)
    pairs = zip(parts, dtypes, strict=True)
    return LiftFilters(*(xp.astype(part, dtype, copy=False) for part, dtype in pairs))


# --- results -------------------------------------------------------------------------------------


class MaxResult:
    """Largest samples, and their places if these are wanted."""

    def __init__(self, return_indices: bool) -> None:
        self.return_indices = return_indices

    def pack(self, arrays: Arrays) -> Any:
        """The samples, or a pair of samples and places."""
        return tuple(arrays) if self.return_indices else arrays[0]

    def unpack(self, value: Any) -> Arrays:
        """The cotangent of the samples; places have none."""
        if self.return_indices and isinstance(value, tuple | list):
            value = value[0]
        return (value, None)


MAX_VALUES, MAX_PAIR = MaxResult(False), MaxResult(True)


class DownResult:
    """The bands of :func:`lift_down`, and the penalties if these are wanted.

    Attributes
    ----------
    names : tuple of str or None
        Those of the bands in a dict; ``None`` for a single array.
    reduction : {None, "mean", "sum", "norm"}
        How penalties are made of sums of squares; ``None`` without penalties.
    counts : sequence of int
        Samples in the bands of each pass.
    """

    def __init__(
        self, names: tuple[str, ...] | None, reduction: str | None, counts: Sequence[int] = ()
    ) -> None:
        self.names, self.reduction, self.counts = names, reduction, counts
        self._sums: Array = None

    def pack(self, arrays: Arrays) -> Any:
        """The array or the dict of bands; with penalties a pair."""
        bands = arrays if self.reduction is None else arrays[:-1]
        names = self.names
        result = bands[0] if names is None else dict(zip(names, bands, strict=True))
        if self.reduction is None:
            return result
        self._sums = sums = arrays[-1]  # the derivative of a norm needs them
        return result, LiftPenalties(*reduced(sums, self.counts, self.reduction))

    def unpack(self, value: Any) -> Arrays:
        """Cotangents of the bands, and of the sums that penalties are made of."""
        if self.reduction is None:
            return self._bands(value)
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ShapeError(
                "cotangents are of the result's structure, a pair (bands, penalties); "
                f"got {type(value).__name__}"
            )
        return [*self._bands(value[0]), self._of_sums(value[1], self.reduction)]

    def _bands(self, value: Any) -> list[Array | None]:
        if self.names is None:
            return [value]
        by_name = {} if value is None else value
        if not isinstance(by_name, Mapping):
            raise ShapeError(f"cotangents are a dict by band, got {type(value).__name__}")
        if unknown := [name for name in by_name if name not in self.names]:
            raise BandError(f"no band {unknown[0]!r} in the result: {', '.join(self.names)}")
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
        root = xp.sqrt(xp.where(is_positive, sums, xp.ones_like(sums)))  # zero has no slope
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
