"""The derivative of thresholding, for arrays of all libraries."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array, is_array, is_complex
from liftwave._threshold_arguments import as_limit
from liftwave._typing import Array, Namespace
from liftwave.thresholding import POWERS, REMOVED, comparable, ratios


@dataclass(frozen=True, eq=False)
class ThresholdGradient:
    """The result of a pullback of :func:`threshold`.

    Attributes
    ----------
    data : array
        The gradient with respect to the data.
    value : array
        The gradient with respect to the threshold, in its shape (0-d for a number).
    """

    data: Any
    value: Any


def pull_back(cotangent: Array, x: Array, value: Any, mode: str) -> ThresholdGradient:
    r"""The gradients of :math:`\mathrm{Re} \langle g, f(x) \rangle` with respect to both inputs.

    A rule multiplies by a factor :math:`\phi(m)` of the magnitude :math:`m`. With the direction
    :math:`u = x / m`, the gradient is :math:`\phi g + m \phi'(m) \, u \, \mathrm{Re}(\bar u g)`.
    """
    xp = array_namespace(x)
    limit = comparable(as_limit(value, x), x, xp)
    if mode in REMOVED:
        factors = xp.astype(~REMOVED[mode](x, limit), cotangent.dtype)
        radial = derivative = xp.zeros_like(cotangent * factors)
    else:
        power, magnitude = POWERS[mode], xp.abs(x)
        is_removed = (magnitude <= limit) & (limit > 0)
        ratio = ratios(magnitude, limit, ~is_removed)
        factors = xp.where(is_removed, xp.zeros_like(ratio), 1 - ratio**power)
        is_regular = ~is_removed & (magnitude > 0) & (magnitude < inf)
        safe = xp.where(is_regular, magnitude, xp.ones_like(magnitude))
        direction = xp.where(is_regular, x, xp.zeros_like(x)) / safe
        along = _real_product(direction, cotangent, xp)
        radial = direction * (power * ratio**power * along)
        derivative = -power * ratio ** (power - 1) * along
    derivative = xp.real(derivative) if is_complex(derivative) else derivative
    shape = tuple(limit.shape) if is_array(limit) else ()
    return ThresholdGradient(
        _summed(factors * cotangent + radial, tuple(x.shape), xp), _summed(derivative, shape, xp)
    )


def _real_product(a: Array, b: Array, xp: Namespace) -> Array:
    return xp.real(xp.conj(a) * b) if is_complex(a) else a * b


def _summed(x: Array, shape: tuple[int, ...], xp: Namespace) -> Array:
    """Sum over the axes along which an array of this shape was broadcast."""
    extra = x.ndim - len(shape)
    repeated = tuple(k for k in range(extra, x.ndim) if shape[k - extra] != x.shape[k])
    axes = (*range(extra), *repeated)
    return as_array(xp.reshape(xp.sum(x, axis=axes), shape)) if axes else x
