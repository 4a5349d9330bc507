"""Transposed convolution as an operation.

It consists of array operations, which torch records and differentiates itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, ClassVar

from array_api_compat import array_namespace

from liftwave._arrays.convert import NativeHalf, Opened, open_arrays
from liftwave._kernels.contract import Kernels
from liftwave._kernels.reference.pooling.regions import folded, regions
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._operations.unpool import check_counts
from liftwave._plan.lengths import check_size
from liftwave._plan.windows import Ints, WindowPlan
from liftwave._typing import Array
from liftwave.errors import ShapeError, WindowError


@dataclass(frozen=True)
class ConvTranspose(Operation):
    """Transposed convolution: windows on the result, one per input sample.

    Its inputs are ``x``, of shape (..., C, spatial axes), the parameter ``weight``, of shape
    (C, D / groups, kernel), and a bias of shape (D,), if ``has_bias`` is true.
    """

    kind = "conv_transpose"
    records_itself: ClassVar[bool] = True

    stride: Ints
    padding: Ints
    output_padding: Ints
    dilation: Ints
    groups: int = 1
    has_bias: bool = False

    def fields(self) -> list[Any]:
        """The attributes, in their order."""
        sizes = (self.stride, self.padding, self.output_padding, self.dilation)
        return [*map(list, sizes), self.groups, self.has_bias]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> ConvTranspose:
        """The operation with these fields."""
        stride, padding, output_padding, dilation = map(tuple, fields[:4])
        return cls(stride, padding, output_padding, dilation, *fields[4:])

    @cached_property
    def is_plain(self) -> bool:
        """True: no conversion and no check is needed."""
        return True

    @cached_property
    def n_parameters(self) -> int:
        """The weight, and the bias."""
        return 1 + self.has_bias

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """The inputs in one floating dtype."""
        opened = open_arrays(arrays)
        self._layout(*(operand.array.shape for operand in opened))  # raises if shapes do not fit
        return opened

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """Map (..., C, inputs) and (C, D / groups, kernel) to (..., D, size)."""
        x, weight = arrays[:2]
        plan, lead = self._layout(*(array.shape for array in arrays))
        xp = array_namespace(x)
        planes = xp.reshape(x, (prod(lead), *x.shape[len(lead) :]))
        pairs = zip(self._split(planes, 1), self._split(weight, 0), strict=True)
        result = _joined([_spread(part, taps, plan) for part, taps in pairs], 1)
        if self.has_bias:
            result = result + xp.reshape(arrays[2], (-1, *(1,) * plan.ndim))
        return [xp.reshape(result, (*lead, *result.shape[1:]))]

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The shape of the result."""
        plan, lead = self._layout(*shapes)
        return [Output((*lead, self.groups * shapes[1][1], *plan.inputs))]

    def vjp(
        self,
        cotangents: Sequence[Array | None],
        saved: Sequence[Array],
        residuals: Residuals,
        sizes: Sequence[int],
        kernels: Kernels,
    ) -> list[Array]:
        """The cotangents of ``x``, ``weight`` and the bias."""
        x, weight = saved[:2]
        plan, lead = self._layout(*(array.shape for array in saved))
        xp, planes = array_namespace(x), prod(lead)
        data = xp.reshape(x, (planes, *x.shape[len(lead) :]))
        g = xp.reshape(cotangents[0], (planes, self.groups * weight.shape[1], *plan.inputs))
        groups = (self._split(data, 1), self._split(weight, 0), self._split(g, 1))
        pairs = [_gradients(*group, plan) for group in zip(*groups, strict=True)]
        of_x, of_weight = _joined([a for a, _ in pairs], 1), _joined([b for _, b in pairs], 0)
        gradients = [xp.reshape(of_x, x.shape), of_weight]
        if self.has_bias:
            gradients.append(xp.sum(g, axis=(0, *range(2, 2 + plan.ndim))))
        return gradients

    def _split(self, array: Array, axis: int) -> list[Array]:
        """The groups of channels of an array."""
        if self.groups == 1:
            return [array]
        count, before = array.shape[axis] // self.groups, (slice(None),) * axis
        return [array[(*before, slice(k * count, (k + 1) * count))] for k in range(self.groups)]

    def _layout(self, shape: Shape, weight: Shape, *bias: Shape) -> tuple[WindowPlan, Shape]:
        """The windows on the result, and the leading axes of the input."""
        check_weight(weight)
        ndim = len(weight) - 2
        if len(shape) < ndim + 1 or shape[-1 - ndim] != weight[0]:
            raise ShapeError(
                f"weights of shape {tuple(weight)} need data with {weight[0]} channels before "
                f"{ndim} spatial axes, got shape {tuple(shape)}"
            )
        channels = self.groups * weight[1]
        if weight[0] % self.groups:
            raise ShapeError(
                f"groups={self.groups} needs a multiple of {self.groups} channels, got weights of "
                f"shape {tuple(weight)}"
            )
        if bias and tuple(bias[0]) != (channels,):
            raise ShapeError(f"bias must have the shape ({channels},), got shape {tuple(bias[0])}")
        counts, kernel = tuple(map(int, shape[len(shape) - ndim :])), tuple(weight[2:])
        check_counts(shape, ndim)
        size = self._size(counts, kernel)
        lead = tuple(shape[: len(shape) - ndim - 1])
        check_size("the result", (*lead, channels, *size))
        return WindowPlan(kernel, self.stride, self.padding, self.dilation, size, counts), lead

    def _size(self, counts: Ints, kernel: Ints) -> Ints:
        options = (self.stride, self.padding, self.output_padding, self.dilation)
        axes = zip(counts, kernel, *options, strict=True)
        size = tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 + more for n, k, s, p, more, d in axes)
        if min(size) < 1:
            raise WindowError(
                f"padding {self.padding} removes all of {counts} samples: the result would have "
                f"size {size}"
            )
        limits = zip(self.output_padding, self.stride, self.dilation, strict=True)
        if any(more >= max(s, d) for more, s, d in limits):
            raise WindowError(
                f"output_padding must be less than the stride {self.stride} or the dilation "
                f"{self.dilation}, got {self.output_padding}"
            )
        return size


def _joined(parts: list[Array], axis: int) -> Array:
    return parts[0] if len(parts) == 1 else array_namespace(*parts).concat(parts, axis=axis)


def _spread(planes: Array, weight: Array, plan: WindowPlan) -> Array:
    """Map (N, C, inputs) and (C, D, kernel) to (N, D, size)."""
    xp, ndim = array_namespace(planes), plan.ndim
    columns = xp.tensordot(planes, weight, axes=((1,), (0,)))  # (N, *inputs, D, *kernel)
    spatial = [axis for k in range(ndim) for axis in (1 + k, 2 + ndim + k)]
    return folded(xp.permute_dims(columns, (0, 1 + ndim, *spatial)), plan)


def _gradients(data: Array, weight: Array, g: Array, plan: WindowPlan) -> tuple[Array, Array]:
    """The cotangents of (N, C, inputs) and (C, D, kernel) from those of (N, D, size)."""
    xp, ndim = array_namespace(data), plan.ndim
    columns = regions(g, plan).samples  # (N, D, o1, k1, …)
    windows = tuple(range(2, 2 + 2 * ndim, 2))
    places = tuple(axis + 1 for axis in windows)
    kernel = tuple(range(2, 2 + ndim))
    of_x = xp.tensordot(columns, _conj(weight, xp), axes=((1, *places), (1, *kernel)))
    of_weight = xp.tensordot(_conj(data, xp), columns, axes=((0, *kernel), (0, *windows)))
    return xp.permute_dims(of_x, (0, 1 + ndim, *range(1, 1 + ndim))), of_weight


def check_weight(shape: Sequence[int]) -> None:
    """Raise unless weights of a convolution can have this shape."""
    if len(shape) < 3 or 0 in shape:
        raise ShapeError(
            f"weight must have shape (channels, new channels, *kernel) without 0, got "
            f"{tuple(shape)}"
        )


def _conj(x: Array, xp: Any) -> Array:
    return xp.conj(x) if xp.isdtype(x.dtype, "complex floating") else x
