"""Attention by energy: channels weighted by what a small network makes of their energies."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from liftwave._arrays.convert import Opened, common_namespace, open_array
from liftwave._typing import Array, ArrayLike
from liftwave.errors import ArgumentTypeError, DTypeError, ShapeError

EPSILON = 1e-5


def energy_attention(
    x: ArrayLike,
    squeeze: tuple[Array, Array],
    excite: tuple[Array, Array],
    mean: Array | None = None,
    variance: Array | None = None,
    *,
    dimensions: int = 2,
    normalize: bool = False,
    epsilon: float = EPSILON,
) -> Array:
    r"""Weight channels by their energies (squeeze and excitation on energies).

    Parameters
    ----------
    x : array_like, shape (..., C, spatial axes)
        Feature maps.
    squeeze : (array of shape (R, C), array of shape (R,))
        Weights and bias of the first layer.
    excite : (array of shape (C, R), array of shape (C,))
        Weights and bias of the second layer.
    mean, variance : array, shape (C,), optional
        By which the channels are normalised before their energy is taken. Without them they are
        not.
    dimensions : int, optional
        How many of the last axes are spatial.
    normalize : bool, optional
        Whether to take the mean of the squares rather than their sum (the paper's), so that the
        same layers serve images of several sizes.
    epsilon : float, optional
        What is added to the variance.

    Returns
    -------
    array, of the shape of ``x``
        ``x`` with each channel times its weight, which is between 0 and 1.

    Raises
    ------
    ShapeError
        If the layers do not fit the channels, or axes are missing.
    ArgumentTypeError
        If only one of mean and variance is given, or a layer is no pair.
    DTypeError
        For complex numbers.

    Notes
    -----
    With the normalised channels :math:`\hat x_c`,

    .. math:: E_c = \sum_k \hat x_{c,k}^2, \qquad
              y_c = \sigma(W_2 \max(0, W_1 E + b_1) + b_2)_c\, x_c.

    References
    ----------
    Equations (16) and (17) of the paper on LDW-Pooling.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.pooling import energy_attention
    >>> x = np.ones((1, 2, 4, 4))
    >>> layers = (np.zeros((1, 2)), np.zeros(1)), (np.zeros((2, 1)), np.zeros(2))
    >>> float(energy_attention(x, *layers)[0, 0, 0, 0])  # the weight of no preference
    0.5
    """
    call = attention_call(x, squeeze, excite, mean, variance, dimensions, normalize, epsilon)
    return call.opened.close(call.run().result)


class Forward(NamedTuple):
    """What is computed on the way forward."""

    normalized: Array
    energy: Array  # (..., C)
    hidden: Array  # (..., R), before the maximum with zero
    weight: Array  # (..., C)
    result: Array


class AttentionCall(NamedTuple):
    """A call of :func:`energy_attention`, ready to be run."""

    opened: Opened
    layers: tuple[Array, Array, Array, Array]
    mean: Array | None
    deviation: Array | None
    over: tuple[int, ...]  # the spatial axes
    share: float  # what a square counts in the energy

    def run(self) -> Forward:
        """All of it."""
        xp, x = self.opened.xp, self.opened.array
        normalized = x
        if self.mean is not None and self.deviation is not None:
            normalized = (x - self._spread(self.mean)) / self._spread(self.deviation)
        energy = self.share * xp.sum(normalized * normalized, axis=self.over)
        squeeze, first, excite, second = self.layers
        hidden = _product(energy, squeeze, xp) + first
        weight = _sigmoid(_product(_relu(hidden, xp), excite, xp) + second, xp)
        return Forward(normalized, energy, hidden, weight, self._spread(weight) * x)

    def pull_back(self, cotangent: Array) -> tuple[Array, tuple[Array, Array, Array, Array]]:
        """The cotangents of ``x`` and of the layers' four arrays."""
        xp, x, found = self.opened.xp, self.opened.array, self.run()
        squeeze, _, excite, _ = self.layers
        of_weight = xp.sum(cotangent * x, axis=self.over)
        outer = of_weight * found.weight * (1 - found.weight)
        inner = _product(outer, xp.matrix_transpose(excite), xp)
        inner = xp.where(found.hidden <= 0, xp.zeros_like(inner), inner)
        of_energy = self._spread(_product(inner, xp.matrix_transpose(squeeze), xp))
        through = 2 * self.share * of_energy * found.normalized
        if self.deviation is not None:
            through = through / self._spread(self.deviation)
        active = _relu(found.hidden, xp)
        layers = (
            *_layer_gradient(inner, found.energy, xp),
            *_layer_gradient(outer, active, xp),
        )
        return self._spread(found.weight) * cotangent + through, layers

    def _spread(self, per_channel: Array) -> Array:
        return per_channel[(..., *(None for _ in self.over))]


def _product(x: Array, matrix: Array, xp: Any) -> Array:
    """``matrix @ x`` along the last axis."""
    return xp.matmul(x[..., None, :], xp.matrix_transpose(matrix))[..., 0, :]


def _relu(x: Array, xp: Any) -> Array:
    return xp.where(x <= 0, xp.zeros_like(x), x)


def _sigmoid(x: Array, xp: Any) -> Array:
    """Without overflow: the exponent is never positive."""
    small = xp.exp(-xp.abs(x))
    return xp.where(x < 0, small, xp.ones_like(x)) / (1 + small)


def _layer_gradient(outer: Array, inner: Array, xp: Any) -> tuple[Array, Array]:
    """Of the weights and the bias of a layer, summed over what stands before the channels."""
    outer = xp.reshape(outer, (-1, outer.shape[-1]))
    inner = xp.reshape(inner, (-1, inner.shape[-1]))
    return xp.matmul(xp.matrix_transpose(outer), inner), xp.sum(outer, axis=0)


def attention_call(
    x: Any,
    squeeze: Any,
    excite: Any,
    mean: Any,
    variance: Any,
    dimensions: int,
    normalize: bool,
    epsilon: float,
) -> AttentionCall:
    """The arguments of :func:`energy_attention`, checked."""
    opened = open_array(x)
    array, xp = opened.array, opened.xp
    if xp.isdtype(array.dtype, "complex floating"):
        raise DTypeError(f"energy attention takes real numbers, got {array.dtype}")
    if dimensions < 1 or array.ndim <= dimensions:
        raise ShapeError(
            f"x has to be of shape (..., C, {dimensions} spatial axes), got {tuple(array.shape)}"
        )
    for name, layer in (("squeeze", squeeze), ("excite", excite)):
        if not isinstance(layer, list | tuple) or len(layer) != 2:
            raise ArgumentTypeError(f"{name} is a pair (weight, bias), got {type(layer).__name__}")
    if (mean is None) != (variance is None):
        raise ArgumentTypeError("mean and variance come together, only one of them was given")
    channels = array.shape[-dimensions - 1]
    _check_layers([tuple(a.shape) for a in (*squeeze, *excite)], channels)
    given = [*squeeze, *excite] + ([] if mean is None else [mean, variance])
    common_namespace([array, *given])
    *layers, scaled, spread = (
        None if a is None else xp.astype(a, array.dtype, copy=False)
        for a in (*squeeze, *excite, mean, variance)
    )
    deviation = None if spread is None else xp.sqrt(spread + epsilon)
    over = tuple(range(-dimensions, 0))
    size = prod(array.shape[-dimensions:])
    share = 1 / max(size, 1) if normalize else 1.0
    return AttentionCall(opened, tuple(layers), scaled, deviation, over, share)  # type: ignore[arg-type]


def _check_layers(shapes: list[tuple[int, ...]], channels: int) -> None:
    squeeze, first, excite, second = shapes
    inner = first[0] if len(first) == 1 else -1
    if squeeze != (inner, channels) or excite != (channels, inner) or second != (channels,):
        raise ShapeError(
            f"for {channels} channels, layers have the shapes (R, {channels}), (R,), "
            f"({channels}, R), ({channels},); got {', '.join(map(str, shapes))}"
        )
