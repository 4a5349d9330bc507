"""Max pooling as an operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any, ClassVar, NamedTuple

from array_api_compat import array_namespace

from liftwave._arrays.convert import REAL_DTYPES, NativeHalf, Opened, open_array
from liftwave._kernels.contract import Kernels
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._operations.shapes import cached_by_shapes
from liftwave._plan.windows import WindowArguments, WindowPlan
from liftwave._typing import Array
from liftwave.errors import DTypeError


class Layout(NamedTuple):
    """The shapes of one run: those of the input and of the results, and both as planes."""

    plan: WindowPlan
    input: Shape
    input_planes: Shape
    result: Shape
    result_planes: Shape


@dataclass(frozen=True)
class MaxPool(Operation):
    """The largest sample of each window, and its index.

    Indices are int64, flat over the spatial axes. The derivative needs only the indices.

    Attributes
    ----------
    windows : WindowArguments
        Kernel size, stride and the other window arguments.
    channels_are_last : bool
        Whether the channels are the last axis of the data. Indices do not count them.
    """

    kind = "max_pool"
    plain_dtypes: ClassVar[frozenset[Any]] = REAL_DTYPES

    windows: WindowArguments
    channels_are_last: bool = False

    def fields(self) -> list[Any]:
        """The attributes, in their order."""
        return [*self.windows.fields(), *[True] * self.channels_are_last]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> MaxPool:
        """The operation with these fields."""
        return cls(WindowArguments.from_fields(fields), *fields[5:])

    @cached_property
    def is_plain(self) -> bool:
        """True: no conversion and no check is needed."""
        return True

    @cached_property
    def data_outputs(self) -> int:
        """One: the samples. Indices keep their dtype."""
        return 1

    @cached_property
    def batched_inputs(self) -> int:
        """The samples, the only input."""
        return 1

    def batch_axes(self, ndim: int) -> range:
        """The axes before the windows."""
        return range(ndim - self.windows.ndim)

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """The samples in a real floating dtype."""
        opened = open_array(arrays[0], native_half)
        if opened.xp.isdtype(opened.array.dtype, "complex floating"):
            raise DTypeError(f"max pooling needs real numbers, got {opened.array.dtype}")
        self._layout(opened.array.shape)  # raises if windows do not fit
        return [opened]

    def channels_last(self, ndim: int) -> MaxPool | None:
        """The form in which each channel is a window along the last axis."""
        return self._channels_last if ndim == self.windows.ndim + 2 else None

    @cached_property
    def _channels_last(self) -> MaxPool:
        return replace(self, channels_are_last=True)

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """The largest samples and their indices."""
        (x,) = arrays
        layout = self._layout(x.shape)
        xp = array_namespace(x)
        results = kernels.pooling.max_pool(
            xp.reshape(x, layout.input_planes), layout.plan, self.channels_are_last
        )
        return [xp.reshape(result, layout.result) for result in results]

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """Two arrays with one number per window."""
        shape = self._layout(shapes[0]).result
        return [Output(shape), Output(shape, None)]

    # --- derivative ------------------------------------------------------------------------------

    def residuals(
        self, shapes: Sequence[Shape], sizes: Sequence[int], *, exact: bool, parameters: bool
    ) -> Residuals:
        """The indices, which are an output."""
        return "outputs"

    def saved(
        self, inputs: Sequence[Array], results: Sequence[Array], residuals: Residuals
    ) -> list[Array]:
        """The indices."""
        return [results[1]]

    def derivative_sizes(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Sequence[int]:
        """The spatial lengths of the input, which the indices do not determine."""
        shape = shapes[0]
        first = self._first_axis(shape)
        return tuple(shape[first : first + self.windows.ndim])

    def vjp(
        self,
        cotangents: Sequence[Array | None],
        saved: Sequence[Array],
        residuals: Residuals,
        sizes: Sequence[int],
        kernels: Kernels,
    ) -> list[Array]:
        """The cotangents of the samples, added at their indices."""
        cotangent, indices = cotangents[0], saved[0]
        layout = self._layout(self._input_shape(indices.shape, sizes))
        xp = array_namespace(indices)
        g, places = (xp.reshape(v, layout.result_planes) for v in (cotangent, indices))
        gradient = kernels.pooling.max_pool_vjp(g, places, layout.plan, self.channels_are_last)
        return [xp.reshape(gradient, layout.input)]

    def vjp_outputs(
        self,
        cotangents: Sequence[Shape],
        saved: Sequence[Shape],
        residuals: Residuals,
        sizes: Sequence[int],
    ) -> list[Output]:
        """The shape of the input."""
        return [Output(self._input_shape(saved[0], sizes))]

    def _first_axis(self, shape: Shape) -> int:
        """The first spatial axis."""
        return len(shape) - self.channels_are_last - self.windows.ndim

    def _input_shape(self, shape: Shape, sizes: Sequence[int]) -> Shape:
        first = self._first_axis(shape)
        return (*shape[:first], *sizes, *shape[first + self.windows.ndim :])

    @cached_property
    def _layout(self) -> Callable[..., Layout]:
        return cached_by_shapes(self._layout_of)

    def _layout_of(self, shape: Shape) -> Layout:
        first = self._first_axis(shape)
        plan = self.windows.plan_for(shape[: max(first, 0) + self.windows.ndim])
        lead = tuple(shape[:first])
        if self.channels_are_last:
            plan = plan.with_channels(shape[-1])
        count = prod(lead)
        return Layout(
            plan,
            tuple(shape),
            (count, *plan.inputs),
            (*lead, *plan.outputs),
            (count, *plan.outputs),
        )
