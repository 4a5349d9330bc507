"""Pooling by weights as data: what is computed, on arrays of any number of leading axes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from liftwave._kernels.contract import PoolingKernels, WeightedPool, Weights
from liftwave._plan.windows import WindowPlan, Windows, planned
from liftwave._typing import Array
from liftwave.errors import ShapeError


class PoolCall(NamedTuple):
    """A pooling by weights, or the reverse of one.

    Its inputs are the array to pool; for a reverse the pooled array too; and ``beta``, for the
    weights that have one. All have the dtype in which is computed.

    Attributes
    ----------
    windows : Windows
        Kernel sizes and the like.
    weights : str
        The kind of the weights.
    delta : float
        Huber's.
    per_channel : bool
        Whether each channel is compared on its own.
    up : {None, "nearest", "linear"}
        How pooled values are brought to the samples; None for pooling.
    preserve : {"sum", "mean"}
        What a reverse keeps of each region.
    """

    windows: Windows
    weights: Weights
    delta: float = 1.0
    per_channel: bool = True
    up: str | None = None
    preserve: str = "sum"

    @property
    def text(self) -> str:
        """The call as operators of torch take it; :func:`read` gives it back."""
        return repr((tuple(self.windows), *self[1:]))

    def result_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of what comes of an array of this shape."""
        if self.up is not None:
            return tuple(shape)
        ndim = self.windows.ndim
        return (*shape[: len(shape) - ndim], *planned(self.windows, shape).outputs)

    def check(self, shapes: Sequence[Sequence[int]]) -> None:
        """Raise unless inputs of these shapes fit together.

        Raises
        ------
        ShapeError, WindowError
            If they do not.
        """
        shape, ndim = tuple(shapes[0]), self.windows.ndim
        plan = planned(self.windows, shape)
        lead = shape[: len(shape) - ndim]
        if not self.per_channel and not lead:
            raise ShapeError(
                f"per_channel=False compares vectors along the axis before the last {ndim}, "
                f"got an array of shape {shape}, which has none: add it (x[None])"
            )
        if self.up is not None and tuple(shapes[1]) != (*lead, *plan.outputs):
            raise ShapeError(
                f"pooled has shape {tuple(shapes[1])}, but the windows on x of shape {shape} "
                f"give {(*lead, *plan.outputs)}"
            )
        if self.weights == "ada":
            check_beta(shapes[-1], lead, plan)

    def run(self, inputs: Sequence[Array], kernels: PoolingKernels) -> Array:
        """The result, by these kernels."""
        (x, *pooled), arguments, beta = self._arguments(inputs)
        if self.up is None:
            found = kernels.pool(x, arguments, beta)
        else:
            found = kernels.unpool(x, pooled[0], arguments, beta)
        shape = self.result_shape(inputs[0].shape)
        return array_namespace(inputs[0]).reshape(found, shape)

    def vjp(
        self, inputs: Sequence[Array], cotangent: Array, kernels: PoolingKernels
    ) -> list[Array]:
        """The cotangents of the inputs from that of the result, and the inputs."""
        xp, g = array_namespace(cotangent), _planes(cotangent, self.windows.ndim)
        (x, *pooled), arguments, beta = self._arguments(inputs)
        if self.up is None:
            of_x, of_beta = kernels.pool_vjp(x, g, arguments, beta)
            found = [of_x]
        else:
            of_x, of_pooled, of_beta = kernels.unpool_vjp(x, pooled[0], g, arguments, beta)
            found = [of_x, of_pooled]
        found = [xp.reshape(v, like.shape) for v, like in zip(found, inputs, strict=False)]
        return found if of_beta is None else [*found, _summed(of_beta, inputs[-1])]

    def _arguments(self, inputs: Sequence[Array]) -> tuple[list[Array], WeightedPool, Array | None]:
        """Arrays with planes for the leading axes, other arguments, and ``beta`` of kernels."""
        x, ndim = inputs[0], self.windows.ndim
        plan = planned(self.windows, x.shape)
        beta = _rows(inputs[-1], plan) if self.weights == "ada" else None
        channels = 1 if self.per_channel else x.shape[-1 - ndim]
        arrays = [_planes(v, ndim) for v in inputs[: 1 + (self.up is not None)]]
        how: Any = (self.up or "nearest", self.preserve)
        return arrays, WeightedPool(plan, self.weights, self.delta, channels, *how), beta


@lru_cache(maxsize=256)
def read(text: str) -> PoolCall:
    """The call that has this text."""
    windows, *rest = ast.literal_eval(text)
    return PoolCall(Windows(*windows), *rest)


def check_beta(shape: Sequence[int], lead: Sequence[int], plan: WindowPlan) -> None:
    """Raise unless a ``beta`` of this shape belongs to these leading axes and windows.

    Raises
    ------
    ShapeError
        If it does not.
    """
    full = (*lead[-1:], *plan.outputs)
    behind = zip(reversed(tuple(shape)), reversed(full), strict=False)
    if len(shape) > len(full) or any(n not in (1, wanted) for n, wanted in behind):
        shown = full if lead else plan.outputs
        raise ShapeError(
            f"beta is a number, or has the shape of the windows {plan.outputs}, or of channels "
            f"and windows {shown} (each may be 1), got shape {tuple(shape)}"
        )


def _planes(x: Array, ndim: int) -> Array:
    """The leading axes as one."""
    lead = x.shape[: x.ndim - ndim]
    return array_namespace(x).reshape(x, (prod(lead), *x.shape[x.ndim - ndim :]))


def _rows(beta: Array, plan: WindowPlan) -> Array:
    """``beta`` as kernels take it: rows, and windows or ones."""
    xp = array_namespace(beta)
    shape = (*(1,) * (plan.ndim + 1 - beta.ndim), *beta.shape)
    beta = xp.reshape(beta, shape)
    if all(n == 1 for n in shape[1:]):
        return beta
    return xp.broadcast_to(beta, (shape[0], *plan.outputs))


def _summed(values: Array, like: Array) -> Array:
    """Summed over what was repeated to get from the shape of ``like`` to that of ``values``."""
    xp = array_namespace(values)
    shape = (*(1,) * (values.ndim - like.ndim), *like.shape)
    axes = tuple(k for k, n in enumerate(shape) if n == 1 < values.shape[k])
    if axes:
        values = xp.sum(values, axis=axes, keepdims=True)
    return xp.reshape(values, like.shape)
