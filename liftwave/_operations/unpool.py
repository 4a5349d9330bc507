"""Max unpooling, and nearest and bed-of-nails upsampling, as operations.

They consist of array operations, which torch records and differentiates itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any, ClassVar

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_namespace

from liftwave._arrays.convert import (
    NativeHalf,
    Opened,
    as_array,
    common_namespace,
    open_array,
)
from liftwave._arrays.tensors import is_readable
from liftwave._kernels.contract import Kernels
from liftwave._kernels.reference.pooling.regions import Table, flat_indices, sums
from liftwave._numbers import lengths
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._plan.windows import Ints
from liftwave._typing import Array
from liftwave.errors import DTypeError, ShapeError, ShapeTypeError

# --- by index --------------------------------------------------------------------------------


@dataclass(frozen=True)
class MaxUnpool(Operation):
    """Puts values at flat indices of each plane, and zeros elsewhere.

    ``sizes`` are those of the result. If several values have the same index, the last one is used.

    Attributes
    ----------
    ndim : int
        The number of spatial axes.
    channels_are_last : bool
        Whether the channels are the last axis of the data. Indices do not count them.
    """

    kind = "max_unpool"
    records_itself: ClassVar[bool] = True

    ndim: int
    channels_are_last: bool = False

    def fields(self) -> list[Any]:
        """The attributes, in their order."""
        return [self.ndim, *[True] * self.channels_are_last]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> MaxUnpool:
        """The operation with these fields."""
        return cls(*fields)

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """Values in a floating dtype; indices stay unchanged."""
        values, indices = open_array(arrays[0]), as_array(arrays[1])
        xp = common_namespace([values.array, indices])
        _check_integers(indices)
        shape = tuple(values.array.shape)
        if tuple(indices.shape) != shape:
            raise ShapeError(
                f"indices must have the shape {shape} of the values, got {tuple(indices.shape)}"
            )
        return [values, Opened(indices, xp, indices.dtype)]

    def channels_last(self, ndim: int) -> MaxUnpool | None:
        """The form for data with the channels last."""
        return replace(self, channels_are_last=True) if ndim == self.ndim + 2 else None

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """The array with the values at their indices."""
        values, indices = arrays
        return [_scatter_last(values, *self._in_planes(indices, sizes))]

    def _in_planes(self, indices: Array, sizes: Sequence[int]) -> tuple[Array, Ints]:
        """The indices within planes, and the size of these. The channels may belong to them."""
        if not self.channels_are_last:
            return indices, tuple(sizes)
        xp, count = array_namespace(indices), indices.shape[-1]
        channels = xp.arange(count, dtype=xp.int64, device=device(indices))
        return xp.astype(indices, xp.int64) * count + channels, (*sizes, count)

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The shape of the result."""
        shape = shapes[0]
        first = len(shape) - self.channels_are_last - self.ndim
        return [Output((*shape[:first], *sizes, *shape[first + self.ndim :]))]

    def saved(
        self, inputs: Sequence[Array], results: Sequence[Array], residuals: Residuals
    ) -> list[Array]:
        """The indices."""
        return [inputs[1]]

    def vjp(
        self,
        cotangents: Sequence[Array | None],
        saved: Sequence[Array],
        residuals: Residuals,
        sizes: Sequence[int],
        kernels: Kernels,
    ) -> list[Array]:
        """The cotangent of the values. Indices have none."""
        return [_scatter_last_vjp(cotangents[0], *self._in_planes(saved[0], sizes))]


def _check_integers(indices: Array) -> None:
    if not array_namespace(indices).isdtype(indices.dtype, "integral"):
        raise DTypeError(f"indices must be integers from max_pool, got {indices.dtype}")


def check_places(indices: Array, sizes: Sequence[int]) -> None:
    """Raise unless the indices are inside of a plane of this size, if they can be read.

    Raises
    ------
    ShapeError, DTypeError
        If an index is outside, or not an integer.
    """
    _check_integers(indices)
    if not is_readable(indices) or 0 in indices.shape:
        return
    xp = array_namespace(indices)
    least, most = int(xp.min(indices)), int(xp.max(indices))
    if least < 0 or most >= prod(sizes):
        raise ShapeError(
            f"indices from {least} to {most} are not all in a result of size {tuple(sizes)}: "
            "output_size must be the size of the array that was pooled"
        )


def _scatter_last(values: Array, indices: Array, size: Ints) -> Array:
    lead = tuple(values.shape[: values.ndim - len(size)])
    shape = (*lead, *size)
    xp = array_namespace(values)
    if 0 in values.shape:
        return xp.zeros(shape, dtype=values.dtype, device=device(values))
    source = _sources(indices, prod(size), prod(lead))
    samples = xp.take(xp.reshape(values, (-1,)), xp.where(source < 0, 0, source), axis=0)
    return xp.reshape(xp.where(source < 0, xp.zeros_like(samples), samples), shape)


def _scatter_last_vjp(cotangent: Array, indices: Array, size: Ints) -> Array:
    lead = tuple(indices.shape[: indices.ndim - len(size)])
    xp = array_namespace(cotangent)
    if 0 in indices.shape:
        return xp.zeros(indices.shape, dtype=cotangent.dtype, device=device(cotangent))
    source = _sources(indices, prod(size), prod(lead))
    flat = flat_indices(indices, prod(size), prod(lead))
    is_last = xp.take(source, flat, axis=0) == xp.arange(flat.shape[0], device=device(flat))
    gradient = xp.take(xp.reshape(cotangent, (-1,)), flat, axis=0)
    return xp.reshape(xp.where(is_last, gradient, xp.zeros_like(gradient)), indices.shape)


def _sources(indices: Array, size: int, planes: int) -> Array:
    """For each position of all planes the number of the last value there, -1 without a value."""
    xp = array_namespace(indices)
    flat = flat_indices(indices, size, planes)
    if is_numpy_namespace(xp):
        sources = np.full(planes * size, -1)
        sources[flat] = np.arange(len(flat))
        return sources
    order = xp.argsort(flat, stable=True)
    ordered = xp.take(flat, order, axis=0)
    places = xp.arange(planes * size, dtype=flat.dtype, device=device(flat))
    ends = xp.searchsorted(ordered, places, side="right")
    last = xp.where(ends > 0, ends - 1, 0)
    is_source = (ends > 0) & (xp.take(ordered, last, axis=0) == places)
    return xp.where(is_source, xp.take(order, last, axis=0), -1)


# --- by window -------------------------------------------------------------------------------


@dataclass(frozen=True)
class WindowUpsample(Operation):
    """Copies each value to the first ``width`` samples of its window, along each axis.

    Windows begin every ``stride`` samples, and ``stride`` is at least ``width``. The other samples
    are zero. ``sizes`` are those of the result; for the derivative, the numbers of windows.
    """

    kind = "window_upsample"
    records_itself: ClassVar[bool] = True

    width: Ints
    stride: Ints

    def fields(self) -> list[Any]:
        """Width and stride."""
        return [list(self.width), list(self.stride)]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> WindowUpsample:
        """The operation with these fields."""
        width, stride = map(tuple, fields)
        return cls(width, stride)

    @cached_property
    def is_plain(self) -> bool:
        """True: no conversion and no check is needed."""
        return True

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """The values in a floating dtype."""
        return [open_array(arrays[0])]

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """The upsampled array."""
        (values,) = arrays
        first = values.ndim - len(sizes)
        axes = zip(self.width, self.stride, sizes, strict=True)
        for axis, (width, stride, size) in enumerate(axes, first):
            values = _upsampled(values, axis, width, stride, size)
        return [values]

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The shape of the result."""
        shape = shapes[0]
        return [Output((*shape[: len(shape) - len(self.width)], *sizes))]

    def residuals(
        self, shapes: Sequence[Shape], sizes: Sequence[int], *, exact: bool, parameters: bool
    ) -> Residuals:
        """No arrays: the operation is linear."""
        return "nothing"

    def saved(
        self, inputs: Sequence[Array], results: Sequence[Array], residuals: Residuals
    ) -> list[Array]:
        """No array."""
        return []

    def derivative_sizes(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Sequence[int]:
        """The numbers of windows."""
        shape = shapes[0]
        return tuple(shape[len(shape) - len(self.width) :])

    def vjp(
        self,
        cotangents: Sequence[Array | None],
        saved: Sequence[Array],
        residuals: Residuals,
        sizes: Sequence[int],
        kernels: Kernels,
    ) -> list[Array]:
        """Sums over the samples of each window that hold its value."""
        cotangent = cotangents[0]
        assert cotangent is not None
        first = cotangent.ndim - len(sizes)
        axes = zip(self.width, self.stride, map(int, sizes), strict=True)
        for k, (width, stride, count) in enumerate(axes):
            size = int(cotangent.shape[first + k])
            samples = np.arange(count)[:, None] * stride + np.arange(width)
            table = Table(np.minimum(samples, size - 1), samples < size)
            cotangent = sums(cotangent, first + k, table)
        return [cotangent]


def _upsampled(values: Array, axis: int, width: int, stride: int, size: int) -> Array:
    """The upsampled array along one axis; its lengths can be symbols of an exported graph."""
    xp = array_namespace(values)
    before, count, after = values.shape[:axis], values.shape[axis], values.shape[axis + 1 :]

    def zeros(*shape: int) -> Array:
        return xp.zeros((*before, *shape, *after), dtype=values.dtype, device=device(values))

    copies = xp.reshape(values, (*before, count, 1, *after))
    copies = xp.broadcast_to(copies, (*before, count, width, *after))
    if stride > width:
        copies = xp.concat([copies, zeros(count, stride - width)], axis=axis + 1)
    result = xp.reshape(copies, (*before, count * stride, *after))
    if size > count * stride:
        return xp.concat([result, zeros(size - count * stride)], axis=axis)
    return result[(slice(None),) * axis + (slice(None, size),)]


def result_size(counts: Sequence[int], kernel: Ints, stride: Ints, padding: Ints) -> Ints:
    """Samples from the first sample of the first window to the last sample of the last one."""
    axes = zip(counts, kernel, stride, padding, strict=True)
    return tuple((n - 1) * s - 2 * p + k for n, k, s, p in axes)


def checked_size(
    output_size: Sequence[int] | None, smallest: Ints, stride: Ints, shape: Sequence[int]
) -> Ints:
    """The spatial size of a result: ``output_size``, or by default the span of the windows.

    Raises
    ------
    ShapeError
        If an array of this size has a different number of windows.
    """
    if output_size is None:
        if min(smallest) < 1:
            raise ShapeError(f"padding removes all samples: the result would have size {smallest}")
        return smallest
    size = passed = lengths(output_size, "output_size", ShapeTypeError)
    ndim = len(smallest)
    if len(size) == len(shape) and size[: len(shape) - ndim] == tuple(shape[: len(shape) - ndim]):
        size = size[len(size) - ndim :]
    fits = len(size) == ndim and all(
        n - s < length < n + s for n, length, s in zip(smallest, size, stride, strict=True)
    )
    if not fits or min(size) < 1:
        raise ShapeError(
            f"output_size must be within one stride {stride} of {smallest}, got {passed}"
        )
    return size


def check_counts(shape: Sequence[int], ndim: int) -> None:
    """Raise unless an array of this shape has values along its last axes."""
    if len(shape) < ndim or 0 in shape[len(shape) - ndim :]:
        raise ShapeError(
            f"expected values for windows along the last {ndim} axes, got an array of shape "
            f"{tuple(shape)}: kernel_size has one number per axis, and ndim is their number"
        )
