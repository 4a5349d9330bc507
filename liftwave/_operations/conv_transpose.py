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
from liftwave._plan.windows import Ints, WindowPlan
from liftwave._typing import Array
from liftwave.errors import ShapeError, WindowError


@dataclass(frozen=True)
class ConvTranspose(Operation):
    """Transposed convolution: windows on the result, one per input sample.

    Its inputs are ``x``, of shape (..., C, spatial axes), and the parameter ``weight``, of shape
    (C, D, kernel).
    """

    kind = "conv_transpose"
    records_itself: ClassVar[bool] = True

    stride: Ints
    padding: Ints
    output_padding: Ints
    dilation: Ints

    def fields(self) -> list[Any]:
        """The attributes, in their order."""
        return [list(v) for v in (self.stride, self.padding, self.output_padding, self.dilation)]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> ConvTranspose:
        """The operation with these fields."""
        return cls(*map(tuple, fields))

    @cached_property
    def is_plain(self) -> bool:
        """Yes: no conversion and no check is needed."""
        return True

    @cached_property
    def n_parameters(self) -> int:
        """The weight."""
        return 1

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """The inputs in one floating dtype."""
        opened = open_arrays(arrays)
        self._layout(*(operand.array.shape for operand in opened))  # raises if shapes do not fit
        return opened

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """Map (..., C, inputs) and (C, D, kernel) to (..., D, size)."""
        x, weight = arrays
        plan, lead = self._layout(x.shape, weight.shape)
        xp, ndim = array_namespace(x), plan.ndim
        planes = xp.reshape(x, (prod(lead), *x.shape[len(lead) :]))
        columns = xp.tensordot(planes, weight, axes=((1,), (0,)))  # (N, *inputs, D, *kernel)
        spatial = [axis for k in range(ndim) for axis in (1 + k, 2 + ndim + k)]
        result = folded(xp.permute_dims(columns, (0, 1 + ndim, *spatial)), plan)
        return [xp.reshape(result, (*lead, *result.shape[1:]))]

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The shape of the result."""
        plan, lead = self._layout(*shapes)
        return [Output((*lead, shapes[1][1], *plan.inputs))]

    def vjp(
        self,
        cotangents: Sequence[Array | None],
        saved: Sequence[Array],
        residuals: Residuals,
        sizes: Sequence[int],
        kernels: Kernels,
    ) -> list[Array]:
        """The cotangents of ``x`` and ``weight``."""
        x, weight = saved
        plan, lead = self._layout(x.shape, weight.shape)
        xp, ndim, planes = array_namespace(x), plan.ndim, prod(lead)
        data = xp.reshape(x, (planes, *x.shape[len(lead) :]))
        g = xp.reshape(cotangents[0], (planes, weight.shape[1], *plan.inputs))
        columns = regions(g, plan).samples  # (N, D, o1, k1, …)
        windows = tuple(range(2, 2 + 2 * ndim, 2))
        places = tuple(axis + 1 for axis in windows)
        kernel = tuple(range(2, 2 + ndim))
        of_x = xp.tensordot(columns, _conj(weight, xp), axes=((1, *places), (1, *kernel)))
        of_weight = xp.tensordot(_conj(data, xp), columns, axes=((0, *kernel), (0, *windows)))
        of_x = xp.permute_dims(of_x, (0, 1 + ndim, *range(1, 1 + ndim)))
        return [xp.reshape(of_x, x.shape), of_weight]

    def _layout(self, shape: Shape, weight: Shape) -> tuple[WindowPlan, Shape]:
        """The windows on the result, and the leading axes of the input."""
        check_weight(weight)
        ndim = len(weight) - 2
        if len(shape) < ndim + 1 or shape[-1 - ndim] != weight[0]:
            raise ShapeError(
                f"weights of shape {tuple(weight)} are for {weight[0]} channels before {ndim} "
                f"spatial axes, got data of shape {tuple(shape)}"
            )
        counts, kernel = tuple(map(int, shape[len(shape) - ndim :])), tuple(weight[2:])
        check_counts(shape, ndim)
        size = self._size(counts, kernel)
        lead = tuple(shape[: len(shape) - ndim - 1])
        return WindowPlan(kernel, self.stride, self.padding, self.dilation, size, counts), lead

    def _size(self, counts: Ints, kernel: Ints) -> Ints:
        options = (self.stride, self.padding, self.output_padding, self.dilation)
        axes = zip(counts, kernel, *options, strict=True)
        size = tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 + more for n, k, s, p, more, d in axes)
        if min(size) < 1:
            raise WindowError(
                f"padding {self.padding} leaves nothing of {counts} samples: the result has size "
                f"{size}"
            )
        limits = zip(self.output_padding, self.stride, self.dilation, strict=True)
        if any(more >= max(s, d) for more, s, d in limits):
            raise WindowError(
                f"output_padding must be less than the stride {self.stride} or the dilation "
                f"{self.dilation}, got {self.output_padding}"
            )
        return size


def check_weight(shape: Sequence[int]) -> None:
    """Raise unless weights of a convolution can have this shape."""
    if len(shape) < 3 or 0 in shape:
        raise ShapeError(
            f"weight must have shape (channels, new channels, *kernel) without 0, got "
            f"{tuple(shape)}"
        )


def _conj(x: Array, xp: Any) -> Array:
    return xp.conj(x) if xp.isdtype(x.dtype, "complex floating") else x
