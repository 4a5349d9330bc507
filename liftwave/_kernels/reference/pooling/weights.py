r"""The weights of the samples of regions, and their derivatives, in array-API code.

Weights are :math:`w_i = h_i / \sum_j h_j`. With the mean :math:`m` of the region:

==================  ===============================================================
softmax             :math:`h_i = e^{a_i}`
exp-sum             :math:`h_i = e^{\sum_c a_{ic}}`
exp-*similarity*    :math:`h_i = e^{s_i}`
*similarity*        :math:`h_i = \max(s_i, 0)`
idw-*distance*      :math:`h_i = 1 / d_i`
ada                 :math:`\beta\, w^{\text{exp-dice}} + (1 - \beta)\, w^{\text{softmax}}`
==================  ===============================================================

No form overflows: exponents are at most zero, similarities are computed from ratios of at most
one, and distances are divided by the smallest one. Samples have the shape
(groups, channels, o1, k1, …): similarities and distances are those of the vectors along the
channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from liftwave._kernels.pooling_contract import Weights
from liftwave._kernels.reference.pooling.regions import Regions
from liftwave._typing import Array


class Weighting(NamedTuple):
    """Weights, and their vector-Jacobian product.

    Attributes
    ----------
    weights : array
        The weights, in the shape of the samples or with one channel for all.
    pull : callable
        Maps cotangents of the weights, (groups, channels, o1, k1, …), to those of the samples.
    mean : callable
        Maps samples to their sums times the weights.
    contrast : array, optional
        The derivative of the weights with respect to ``beta``.
    """

    weights: Array
    pull: Callable[[Array], Array]
    mean: Callable[[Array], Array]
    contrast: Array | None = None


class Similarity(NamedTuple):
    """Similarities of samples and means, (groups, 1, …), and their derivatives by both."""

    value: Array
    in_sample: Array
    in_mean: Array


def weighting(
    region: Regions, weights: Weights, beta: Array | None = None, delta: float = 1.0
) -> Weighting:
    """The weights of a region's samples; ``beta`` has shape (groups, channels, o1, 1, …)."""
    if weights == "ada":
        return _ada(region, beta)
    if weights == "softmax":
        return _softmax(region)
    kind, _, name = weights.rpartition("-")
    mean = region.mean(region.samples)
    if kind == "idw":
        return _plain(region, _inverse_distance(region, mean, name, delta))
    similarity = _SIMILARITIES[name](region.samples, mean)
    return (_exponential if kind == "exp" else _plain)(region, similarity)


def _ada(region: Regions, beta: Array) -> Weighting:
    dice, softmax = weighting(region, "exp-dice"), _softmax(region)
    contrast = dice.weights - softmax.weights

    def pull(cotangent: Array) -> Array:
        return dice.pull(beta * cotangent) + softmax.pull((1.0 - beta) * cotangent)

    def mean(samples: Array) -> Array:
        return beta * dice.mean(samples) + (1.0 - beta) * softmax.mean(samples)

    weights = beta * dice.weights + (1.0 - beta) * softmax.weights
    return Weighting(weights, pull, mean, contrast)


def _softmax(region: Regions) -> Weighting:
    a = region.samples
    xp = array_namespace(a)
    top = region.largest(a)
    h = region.mask(xp.exp(region.mask(a, top) - top))
    total = region.total(h)
    w = h / total
    return Weighting(w, lambda c: w * (c - region.total(w * c)), lambda x: region.mean(x, h, total))


def _exponential(region: Regions, similarity: Similarity) -> Weighting:
    s = similarity.value
    xp = array_namespace(s)
    top = region.largest(s)
    h = region.mask(xp.exp(region.mask(s, top) - top))
    total = region.total(h)
    w = h / total

    def pull(cotangent: Array) -> Array:
        c = xp.sum(cotangent, axis=1, keepdims=True)
        return _through(region, w * (c - region.total(w * c)), similarity)

    return Weighting(w, pull, lambda x: region.mean(x, h, total))


def _plain(region: Regions, similarity: Similarity) -> Weighting:
    s = similarity.value
    xp = array_namespace(s)
    zero = xp.zeros_like(s)
    h = region.mask(xp.maximum(s, zero))
    total = region.total(h)
    is_uniform = total == 0  # no sample is similar to the mean: all have the same weight
    ones = region.mask(xp.ones_like(s))
    w = xp.where(
        is_uniform, ones * region.share, h / xp.where(is_uniform, xp.ones_like(total), total)
    )
    counts = (s > 0) & ~is_uniform
    total = xp.where(is_uniform, xp.ones_like(total), total)

    def pull(cotangent: Array) -> Array:
        c = xp.sum(cotangent, axis=1, keepdims=True)
        of_h = (c - region.total(w * c)) / total
        return _through(region, region.mask(xp.where(counts, of_h, zero)), similarity)

    def mean(samples: Array) -> Array:
        return xp.where(is_uniform, region.mean(samples), region.mean(samples, h, total))

    return Weighting(w, pull, mean)


def _through(region: Regions, cotangent: Array, similarity: Similarity) -> Array:
    """Cotangents of samples from those of similarities, directly and through the mean."""
    of_mean = region.total(cotangent * similarity.in_mean) * region.share
    return region.mask(cotangent * similarity.in_sample + of_mean)


# --- similarities ----------------------------------------------------------------------------


def _nonzero(x: Array, xp: Any) -> Array:
    """``x``, with ones in place of zeros."""
    return xp.where(x == 0, xp.ones_like(x), x)


def _dice(a: Array, mean: Array) -> Similarity:
    r""":math:`s = \sum_c 2 |m a| / (m^2 + a^2)`, each term one where both are zero.

    Each term is :math:`2 t / (1 + t^2)`, with :math:`t` the smaller one over the larger one.
    """
    xp = array_namespace(a)
    size, size_of_mean = xp.abs(a), xp.abs(mean)
    larger, smaller = xp.maximum(size, size_of_mean), xp.minimum(size, size_of_mean)
    by = _nonzero(larger, xp)
    t = xp.where(larger == 0, xp.ones_like(by), smaller / by)
    slope = 2.0 * (1.0 - t * t) / ((1.0 + t * t) * (1.0 + t * t))
    inner = size <= size_of_mean
    value = xp.sum(2.0 * t / (1.0 + t * t), axis=1, keepdims=True)
    in_sample = xp.sign(a) * xp.where(inner, slope, -slope * t) / by
    in_mean = xp.sign(mean) * xp.where(inner, -slope * t, slope) / by
    return Similarity(value, in_sample, in_mean)


def _cosine(a: Array, mean: Array) -> Similarity:
    r""":math:`s = m \cdot a / (|m| |a|)`; zero if one of them is zero, one if both are."""
    xp = array_namespace(a)
    length, length_of_mean = _length(a), _length(mean)
    u, v = a / _nonzero(length, xp), mean / _nonzero(length_of_mean, xp)
    s = xp.sum(u * v, axis=1, keepdims=True)
    both = (length == 0) & (length_of_mean == 0)
    in_sample = xp.where(length == 0, xp.zeros_like(a), (v - s * u) / _nonzero(length, xp))
    in_mean = xp.where(
        length_of_mean == 0, xp.zeros_like(a), (u - s * v) / _nonzero(length_of_mean, xp)
    )
    return Similarity(xp.where(both, xp.ones_like(s), s), in_sample, in_mean)


def _length(a: Array) -> Array:
    """Euclidean length along the channels, without overflow."""
    xp = array_namespace(a)
    size = xp.abs(a)
    if a.shape[1] == 1:
        return size
    largest = xp.max(size, axis=1, keepdims=True)
    parts = a / _nonzero(largest, xp)
    square = xp.sum(parts * parts, axis=1, keepdims=True)
    return largest * xp.sqrt(xp.where(largest == 0, xp.ones_like(square), square))


def _pce(a: Array, mean: Array) -> Similarity:
    r""":math:`s = m \cdot a / (|m|^2 + |a|^2 - m \cdot a)`; one if both are zero."""
    xp = array_namespace(a)
    larger = xp.max(xp.maximum(xp.abs(a), xp.abs(mean)), axis=1, keepdims=True)
    by = _nonzero(larger, xp)
    u, v = a / by, mean / by
    product = xp.sum(u * v, axis=1, keepdims=True)
    squares = xp.sum(u * u + v * v, axis=1, keepdims=True)
    denominator = _nonzero(squares - product, xp)
    s = xp.where(larger == 0, xp.ones_like(denominator), product / denominator)
    in_sample = (v * squares - 2.0 * product * u) / (denominator * denominator) / by
    in_mean = (u * squares - 2.0 * product * v) / (denominator * denominator) / by
    return Similarity(s, in_sample, in_mean)


def _sum(a: Array, mean: Array) -> Similarity:
    r""":math:`s = \sum_c a`, so that exponentials are the softmax of whole vectors."""
    xp = array_namespace(a)
    return Similarity(xp.sum(a, axis=1, keepdims=True), xp.ones_like(a), xp.zeros_like(mean))


_SIMILARITIES: dict[str, Callable[[Array, Array], Similarity]] = {
    "dice": _dice,
    "cosine": _cosine,
    "pce": _pce,
    "sum": _sum,
}


# --- distances -------------------------------------------------------------------------------


def _inverse_distance(region: Regions, mean: Array, name: str, delta: float) -> Similarity:
    """The inverse of the distance, times a factor that all samples of a region share.

    If some samples equal the mean, they get one, and all others zero.
    """
    residual = region.samples - mean
    xp = array_namespace(residual)
    distance, slope = _DISTANCES[name](residual)
    nearest = region.smallest(distance)
    d = _nonzero(distance, xp)
    if name == "huber":
        length = _length(residual)
        value, fall = _huber(length, d, nearest, delta)
    else:
        value, fall = nearest / d, nearest / d / d
    value = xp.where(distance == 0, xp.ones_like(value), value)
    by_slope = xp.where(nearest == 0, xp.zeros_like(fall), fall) * slope
    return Similarity(value, -by_slope, by_slope)


def _huber(length: Array, d: Array, nearest: Array, delta: float) -> tuple[Array, Array]:
    r"""Inverse distance and its slope: :math:`d^2 / 2`, or :math:`\delta (d - \delta / 2)`.

    The second applies beyond ``delta``. Both results are multiplied by the nearest distance and by
    half the smaller of the nearest distance and ``delta``.
    """
    xp = array_namespace(d)
    bound = xp.minimum(nearest, xp.full_like(nearest, delta))
    inside = (nearest / d) * (bound / d)
    within = length <= delta
    above = xp.where(within, d, d - delta / 2)
    outside = (bound / (2.0 * delta)) * (nearest / above)
    value = xp.where(within, inside, outside)
    return value, xp.where(within, 2.0 * inside / d, outside / above)


def _manhattan(residual: Array) -> tuple[Array, Array]:
    xp = array_namespace(residual)
    return xp.sum(xp.abs(residual), axis=1, keepdims=True), xp.sign(residual)


def _euclidean(residual: Array) -> tuple[Array, Array]:
    length = _length(residual)
    return length, residual / _nonzero(length, array_namespace(residual))


def _chebyshev(residual: Array) -> tuple[Array, Array]:
    """The largest component; several equal components share the slope."""
    xp = array_namespace(residual)
    size = xp.abs(residual)
    largest = xp.max(size, axis=1, keepdims=True)
    indicator = xp.astype(size == largest, residual.dtype)
    return largest, xp.sign(residual) * indicator / xp.sum(indicator, axis=1, keepdims=True)


def _gower(residual: Array) -> tuple[Array, Array]:
    xp = array_namespace(residual)
    channels = residual.shape[1]
    return xp.sum(xp.abs(residual) / channels, axis=1, keepdims=True), xp.sign(residual) / channels


_DISTANCES: dict[str, Callable[[Array], tuple[Array, Array]]] = {
    "l1": _manhattan,
    "l2": _euclidean,
    "chebyshev": _chebyshev,
    "gower": _gower,
    "huber": _manhattan,
}
