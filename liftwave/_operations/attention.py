"""Energy attention as an operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple

from array_api_compat import array_namespace

from liftwave._arrays.convert import NativeHalf, Opened, common_namespace, open_array
from liftwave._kernels.contract import Kernels
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._typing import Array
from liftwave.errors import DTypeError


class Forward(NamedTuple):
    """The intermediate results of a run.

    Attributes
    ----------
    normalized : array
        The normalized input.
    energy : array, shape (..., C)
        The energies of the channels.
    hidden : array, shape (..., R)
        The hidden layer before the maximum with zero.
    weight : array, shape (..., C)
        The weights of the channels.
    """

    normalized: Array
    energy: Array
    hidden: Array
    weight: Array


@dataclass(frozen=True)
class Attention(Operation):
    """Weights channels by their energies (squeeze and excitation).

    Its inputs are ``x``, of shape (..., C, spatial axes), and the weights and biases of both
    layers, of the shapes (R, C), (R,), (C, R) and (C,). Optional inputs are the mean and the
    variance of the channels, which are constants.

    Attributes
    ----------
    dimensions : int
        The number of spatial axes.
    normalize : bool
        Whether an energy is the mean of squares, not their sum.
    epsilon : float
        Added to the variance.
    """

    kind = "attention"
    records_itself: ClassVar[bool] = True

    dimensions: int
    normalize: bool
    epsilon: float

    def fields(self) -> list[Any]:
        """The attributes, in order."""
        return [self.dimensions, self.normalize, self.epsilon]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> Attention:
        """The operation with these fields."""
        return cls(*fields)

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """All inputs in the dtype of ``x``. Gradients of layers have the dtype of computation."""
        opened = open_array(arrays[0])
        x, xp = opened.array, opened.xp
        if xp.isdtype(x.dtype, "complex floating"):
            raise DTypeError(f"energy attention needs real numbers, got {x.dtype}")
        common_namespace([x, *arrays[1:]])
        parameters = [xp.astype(a, x.dtype, copy=False) for a in arrays[1:]]
        return [opened, *(Opened(a, xp, x.dtype) for a in parameters)]

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """``x`` with each channel multiplied by its weight."""
        return [self._spread(self._forward(arrays).weight) * arrays[0]]

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The shape of ``x``."""
        return [Output(tuple(shapes[0]))]

    def vjp(
        self,
        cotangents: Sequence[Array | None],
        saved: Sequence[Array],
        residuals: Residuals,
        sizes: Sequence[int],
        kernels: Kernels,
    ) -> list[Array]:
        """The cotangents of ``x`` and of the layers' four arrays."""
        x, squeeze, _, excite, _, *statistics = saved
        xp, forward, cotangent = array_namespace(x), self._forward(saved), cotangents[0]
        of_weight = xp.sum(cotangent * x, axis=self._axes)
        outer = of_weight * forward.weight * (1 - forward.weight)
        inner = _product(outer, xp.matrix_transpose(excite), xp)
        inner = xp.where(forward.hidden <= 0, xp.zeros_like(inner), inner)
        of_energy = self._spread(_product(inner, xp.matrix_transpose(squeeze), xp))
        of_x = 2 * self._share(x) * of_energy * forward.normalized
        if statistics:
            of_x = of_x / self._spread(self._deviation(statistics[1]))
        return [
            self._spread(forward.weight) * cotangent + of_x,
            *_layer_gradient(inner, forward.energy, xp),
            *_layer_gradient(outer, _relu(forward.hidden, xp), xp),
        ]

    def _forward(self, arrays: Sequence[Array]) -> Forward:
        x, squeeze, first, excite, second, *statistics = arrays
        xp, normalized = array_namespace(x), x
        if statistics:
            mean, variance = statistics
            normalized = (x - self._spread(mean)) / self._spread(self._deviation(variance))
        energy = self._share(x) * xp.sum(normalized * normalized, axis=self._axes)
        hidden = _product(energy, squeeze, xp) + first
        weight = _sigmoid(_product(_relu(hidden, xp), excite, xp) + second, xp)
        return Forward(normalized, energy, hidden, weight)

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(-self.dimensions, 0))

    def _share(self, x: Array) -> float:
        """The factor of a square in the energy."""
        return 1 / max(prod(x.shape[-self.dimensions :]), 1) if self.normalize else 1.0

    def _deviation(self, variance: Array) -> Array:
        return array_namespace(variance).sqrt(variance + self.epsilon)

    def _spread(self, per_channel: Array) -> Array:
        return per_channel[(..., *(None for _ in self._axes))]


def _product(x: Array, matrix: Array, xp: Any) -> Array:
    """``matrix @ x`` along the last axis."""
    return xp.matmul(x[..., None, :], xp.matrix_transpose(matrix))[..., 0, :]


def _relu(x: Array, xp: Any) -> Array:
    return xp.where(x <= 0, xp.zeros_like(x), x)


def _sigmoid(x: Array, xp: Any) -> Array:
    """The sigmoid. It does not overflow: the exponent is never positive."""
    small = xp.exp(-xp.abs(x))
    return xp.where(x < 0, small, xp.ones_like(x)) / (1 + small)


def _layer_gradient(outer: Array, inner: Array, xp: Any) -> tuple[Array, Array]:
    """The gradients of the weights and bias of a layer, summed over axes before the channels."""
    outer = xp.reshape(outer, (-1, outer.shape[-1]))
    inner = xp.reshape(inner, (-1, inner.shape[-1]))
    return xp.matmul(xp.matrix_transpose(outer), inner), xp.sum(outer, axis=0)
