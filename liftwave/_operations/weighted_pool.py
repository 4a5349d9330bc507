"""Pooling with weights that depend on the samples, and its reverse, as an operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from operator import attrgetter
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._arrays.convert import (
    REAL_DTYPES,
    NativeHalf,
    Opened,
    as_array,
    common_namespace,
    is_array,
    open_arrays,
)
from liftwave._kernels.contract import Kernels
from liftwave._kernels.pooling_contract import PoolingArguments, Weights
from liftwave._kernels.reference.pooling.kernels import ReferencePooling
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._operations.shapes import cached_by_shapes
from liftwave._plan.windows import WindowArguments, WindowPlan
from liftwave._typing import Array
from liftwave.errors import ArgumentTypeError, DTypeError, ShapeError

Interpolation: TypeAlias = Literal["nearest", "linear"]
Preserved: TypeAlias = Literal["sum", "mean"]


class Layout(NamedTuple):
    """The shapes of one run.

    Attributes
    ----------
    arguments : PoolingArguments
        The kernel arguments other than arrays.
    planes : tuple of tuple of int
        The shape of each data input with all leading axes merged.
    beta : tuple of int
        The shape of ``beta`` with all axes: rows, and one per spatial axis.
    result : tuple of int
        The shape of the result.
    """

    arguments: PoolingArguments
    planes: tuple[Shape, ...]
    beta: Shape
    result: Shape


@dataclass(frozen=True)
class WeightedPool(Operation):
    """A weighted pooling, or its reverse.

    Its inputs are ``x``, for a reverse also the pooled array, and for the weights ``"ada"`` the
    parameter ``beta``, which is clamped to [0, 1].

    Attributes
    ----------
    windows : WindowArguments
        Kernel size, stride and the other window arguments.
    weights : str
        The kind of the weights.
    delta : float
        The point where Huber's distance changes from quadratic to linear.
    per_channel : bool
        Whether each channel is compared separately.
    up : {None, "nearest", "linear"}
        How the reverse upsamples pooled values; ``None`` for pooling.
    preserve : {"sum", "mean"}
        The quantity of each region that the reverse preserves.
    channels_are_last : bool
        Whether the channels are the last axis of the data.
    """

    kind = "weighted_pool"
    plain_dtypes: ClassVar[frozenset[Any]] = REAL_DTYPES

    windows: WindowArguments
    weights: Weights
    delta: float = 1.0
    per_channel: bool = True
    up: Interpolation | None = None
    preserve: Preserved = "sum"
    channels_are_last: bool = False

    def fields(self) -> list[Any]:
        """The attributes, in their order."""
        options = [self.weights, self.delta, self.per_channel, self.up, self.preserve]
        options += [True] * self.channels_are_last
        return [self.windows.fields(), *options]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> WeightedPool:
        """The operation with these fields."""
        windows, *options = fields
        return cls(WindowArguments.from_fields(windows), *options)

    @cached_property
    def is_plain(self) -> bool:
        """True: no conversion and no check is needed."""
        return True

    @cached_property
    def batched_inputs(self) -> int:
        """All but ``beta``."""
        return 1 if self.up is None else 2

    def batch_axes(self, ndim: int) -> range:
        """The axes before the channels, which can be compared, or have their own ``beta``."""
        return range(ndim - self.windows.ndim - 1)

    @cached_property
    def n_parameters(self) -> int:
        """``beta``, for the weights that have one."""
        return int(self.weights == "ada")

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """The inputs in one real floating dtype; ``beta`` can be a number or a list."""
        data = arrays[:-1] if self.weights == "ada" else arrays
        opened = open_arrays(data, native_half)
        if self.weights == "ada":
            opened.append(_opened_beta(arrays[-1], opened[0]))
        for array, xp, *_ in opened:
            if xp.isdtype(array.dtype, "complex floating"):
                raise DTypeError(
                    f"weighted pooling needs real numbers, got complex data "
                    f"({array.dtype}): pool real and imaginary part separately"
                )
        self._layout(*(operand.array.shape for operand in opened))  # raises if shapes do not fit
        return opened

    def channels_last(self, ndim: int) -> WeightedPool | None:
        """The form in which each channel is a window along the last axis.

        Vectors along channels and interpolated values do not have this form.
        """
        if ndim != self.windows.ndim + 2 or not self.per_channel or self.up == "linear":
            return None
        return self._channels_last

    @cached_property
    def _channels_last(self) -> WeightedPool:
        return replace(self, channels_are_last=True)

    # --- execution -------------------------------------------------------------------------------

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """The pooled array, or for a reverse the upsampled array."""
        layout = self._layout(*map(_shape_of, arrays))
        planes, beta = self._planes(arrays, layout)
        if self.up is None:
            result = kernels.pooling.pool(planes[0], layout.arguments, beta)
        else:
            result = kernels.pooling.unpool(planes[0], planes[1], layout.arguments, beta)
        return [array_namespace(result).reshape(result, layout.result)]

    def region_weights(self, arrays: Sequence[Array]) -> Array:
        """The weights of all samples of a pooling: (..., windows, kernel)."""
        layout = self._layout(*map(_shape_of, arrays))
        planes, beta = self._planes(arrays, layout)
        weights = ReferencePooling().weights(planes[0], layout.arguments, beta)
        shape = (*layout.result, *self.windows.kernel)
        return array_namespace(weights).reshape(weights, shape)

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The shape of the result."""
        return [Output(self._layout(*shapes).result)]

    def vjp(
        self,
        cotangents: Sequence[Array | None],
        saved: Sequence[Array],
        residuals: Residuals,
        sizes: Sequence[int],
        kernels: Kernels,
    ) -> list[Array]:
        """The cotangents of all inputs, computed from the inputs."""
        layout = self._layout(*map(_shape_of, saved))
        planes, beta = self._planes(saved, layout)
        (cotangent,) = cotangents
        xp = array_namespace(*saved)
        if self.up is None:
            g = xp.reshape(cotangent, (layout.planes[0][0], *layout.arguments.plan.outputs))
            *gradients, of_beta = kernels.pooling.pool_vjp(planes[0], g, layout.arguments, beta)
        else:
            g = xp.reshape(cotangent, layout.planes[0])
            *gradients, of_beta = kernels.pooling.unpool_vjp(
                planes[0], planes[1], g, layout.arguments, beta
            )
        gradients = [xp.reshape(v, x.shape) for v, x in zip(gradients, saved, strict=False)]
        if of_beta is None:
            return gradients
        if self.channels_are_last:
            of_beta = xp.moveaxis(of_beta[0, ...], -1, 0)
        return [*gradients, _beta_gradient(of_beta, saved[-1])]

    def vjp_outputs(
        self,
        cotangents: Sequence[Shape],
        saved: Sequence[Shape],
        residuals: Residuals,
        sizes: Sequence[int],
    ) -> list[Output]:
        """The shapes and dtypes of the inputs."""
        return [Output(shape, len(cotangents) + k) for k, shape in enumerate(saved)]

    # --- shapes ----------------------------------------------------------------------------------

    @cached_property
    def _layout(self) -> Callable[..., Layout]:
        return cached_by_shapes(self._layout_of)

    def _layout_of(self, *shapes: Shape) -> Layout:
        shape, ndim = shapes[0], self.windows.ndim
        first = len(shape) - self.channels_are_last
        plan = self.windows.plan_for(shape[:first])
        lead = tuple(shape[: first - ndim])
        beta = shapes[-1] if self.weights == "ada" else ()
        _check_beta(beta, shape[first:] or lead[-1:], plan)
        if self.channels_are_last:
            plan = plan.with_channels(shape[-1])
        if not self.per_channel and not lead:
            raise ShapeError(
                f"per_channel=False compares vectors along the axis before the last {ndim}, but "
                f"an array of shape {tuple(shape)} does not have this axis: add it (x[None])"
            )
        pooled = (*lead, *plan.outputs)
        if self.up is not None and tuple(shapes[1]) != pooled:
            raise ShapeError(
                f"pooled has shape {tuple(shapes[1])}, but the windows on x of shape "
                f"{tuple(shape)} give {pooled}"
            )
        count, channels = prod(lead), 1 if self.per_channel else lead[-1]
        planes = ((count, *plan.inputs), (count, *plan.outputs))[: self.batched_inputs]
        full = (*(1,) * (ndim + 1 - len(beta)), *beta)
        options = (self.up or "nearest", self.preserve)
        arguments = PoolingArguments(
            *(plan, self.weights, self.delta, channels, *options), self.channels_are_last
        )
        return Layout(arguments, planes, full, pooled if self.up is None else tuple(shape))

    def _planes(self, inputs: Sequence[Array], layout: Layout) -> tuple[list[Array], Array | None]:
        """The data as planes, and ``beta`` in the form for kernels."""
        xp, plan = array_namespace(*inputs), layout.arguments.plan
        planes = [xp.reshape(x, shape) for x, shape in zip(inputs, layout.planes, strict=False)]
        if self.weights != "ada":
            return planes, None
        # Reshape first: NumPy turns arrays without axes into scalars.
        beta = xp.clip(xp.reshape(inputs[-1], layout.beta), 0.0, 1.0)
        if max(layout.beta[1:]) > 1:
            windows = plan.outputs[: self.windows.ndim]
            beta = xp.broadcast_to(beta, (layout.beta[0], *windows))
        return planes, xp.moveaxis(beta, 0, -1)[None, ...] if self.channels_are_last else beta


_shape_of = attrgetter("shape")


def _check_beta(shape: Shape, channels: Shape, plan: WindowPlan) -> None:
    full = (*channels, *plan.outputs)
    axes = zip(reversed(shape), reversed(full), strict=False)
    if len(shape) > len(full) or any(n not in (1, length) for n, length in axes):
        raise ShapeError(
            f"beta must be a number, or have the shape of the windows {plan.outputs}, or of "
            f"channels and windows {full} (each may be 1), got shape {tuple(shape)}"
        )


def _opened_beta(beta: Any, data: Opened) -> Opened:
    """``beta`` as an array of the library, dtype and device of the data."""
    xp, x = data.xp, data.array
    if type(beta) is float:
        array = xp.asarray(beta, dtype=x.dtype, device=device(x))
    elif is_array(beta) and not isinstance(beta, np.generic):
        array = as_array(beta)
        common_namespace([array, x])
        array = array if array.dtype == x.dtype else xp.astype(array, x.dtype)
    else:
        values = as_array(beta).tolist() if isinstance(beta, list | tuple) else _number(beta)
        array = xp.asarray(values, dtype=x.dtype, device=device(x))
    return data._replace(array=array)


def _number(beta: Any) -> float:
    try:
        return float(beta)
    except (TypeError, ValueError):
        raise ArgumentTypeError(f"beta must be a number, got {beta!r}") from None


def _beta_gradient(values: Array, beta: Array) -> Array:
    """The gradient of ``beta``: summed where it was repeated, zero where it was clamped."""
    xp = array_namespace(values)
    shape = (*(1,) * (values.ndim - beta.ndim), *beta.shape)
    axes = tuple(k for k, n in enumerate(shape) if n == 1 < values.shape[k])
    if axes:
        values = xp.sum(values, axis=axes, keepdims=True)
    values = xp.reshape(values, beta.shape)
    return xp.where((beta >= 0) & (beta <= 1), values, xp.zeros_like(values))
