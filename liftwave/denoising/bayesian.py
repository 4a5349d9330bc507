"""Recipes that estimate a coefficient from a statistical model of its neighbourhood."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import sqrt
from typing import Any

import numpy as np
from array_api_compat import device
from numpy.typing import NDArray

from liftwave._typing import Array, Namespace
from liftwave.denoising.bands import Band
from liftwave.denoising.neighbourhoods import energy, neighbours
from liftwave.denoising.thresholds import flattened
from liftwave.transforms.components import total

# The window of the local variance.
_WINDOW = 7
# The number of coefficients that are estimated at once on a device, to save memory.
_PIECE = 8192
# Matrix products with at most this many multiplications run in one thread in CPU libraries. More
# threads are not faster for matrices of ten rows, and much slower on a busy machine.
_ONE_THREAD = 1 << 17
# The grid of the logarithm of the multiplier z, on which its prior density is constant.
_LOG_MULTIPLIERS = np.arange(-20.5, 3.6, 2.0)


def bivariate(band: Band, sigma: Array, samples: int) -> Array:
    """Shrink by the coefficient and its parent, with a local variance (Sendur and Selesnick)."""
    xp = band.xp
    noise = sigma**2 / band.parts
    # In images, adjacent coefficients of undecimated bands have the same variance. In signals, they
    # are oscillations with zeros in the window.
    spacing = 1 if len(band.axes) > 1 else None
    local = energy(band, _WINDOW, spacing) / (_WINDOW ** len(band.axes) * band.parts)
    joint, parent = xp.abs(band.values) ** 2, band.parent
    if parent is not None:
        joint = joint + xp.abs(parent) ** 2
    # The square of deviation * radius; both are positive where the coefficient is kept.
    product_ = (local - noise) * joint
    limit = (2.0 if parent is None else 3.0) * noise**2
    is_kept = (local > noise) & (product_ > limit)
    ratios = xp.sqrt(limit / xp.where(is_kept, product_, xp.ones_like(product_)))
    return band.values * xp.where(is_kept, 1 - ratios, xp.zeros_like(ratios))


def bls_gsm(band: Band, sigma: Array, samples: int) -> Array:
    """Bayes' least squares estimate under a Gaussian scale mixture (Portilla and others, 2003)."""
    xp = band.xp
    if band.parts == 2:
        real, imaginary = (
            _least_squares(band, part(band.values), part, sigma / sqrt(2), sign)
            for part, sign in ((xp.real, 1), (xp.imag, -1))
        )
        return real + 1j * imaginary
    return _least_squares(band, band.values, lambda x: x, sigma)


def _least_squares(band: Band, values: Array, part: Any, sigma: Array, sign: int = 1) -> Array:
    xp = band.xp
    is_noisy = sigma > 0
    scale = xp.where(is_noisy, sigma, xp.ones_like(sigma))
    vectors = _vectors(band, part, scale)
    root = _noise_root(band, vectors.shape[-2], sign)
    inverse = xp.asarray(np.linalg.inv(root), dtype=vectors.dtype, device=device(vectors))
    starts = range(0, vectors.shape[-1], size := _piece(vectors))
    white = [inverse @ vectors[..., k : k + size] for k in starts]
    covariance = total(w @ xp.matrix_transpose(w) for w in white) / vectors.shape[-1]
    powers, basis = xp.linalg.eigh(covariance)
    powers = xp.where(powers > 1, powers - 1, xp.zeros_like(powers))
    centre = xp.asarray(root[:1], dtype=vectors.dtype, device=device(vectors)) @ basis
    rotation = xp.matrix_transpose(basis)
    mixed = xp.concat([_mixed(rotation @ w, powers, centre, xp) for w in white], axis=-1)
    return xp.where(is_noisy, scale * _restored(mixed, band), values)


def _piece(vectors: Array) -> int:
    """The number of coefficients that are estimated at once."""
    if str(device(vectors)) != "cpu":
        return _PIECE
    size: int = vectors.shape[-2]
    return max(1, _ONE_THREAD // (_LOG_MULTIPLIERS.size * size))


def _mixed(v: Array, powers: Array, centre: Array, xp: Namespace) -> Array:
    """The mean of the estimates for all multipliers, weighted by their likelihood."""
    grid = xp.asarray(np.exp(_LOG_MULTIPLIERS)[:, None], dtype=v.dtype, device=device(v))
    signal = grid * powers[..., None, :]  # (…, multiplier, direction)
    logs = (1 / (signal + 1)) @ v**2 + xp.sum(xp.log(signal + 1), axis=-1, keepdims=True)
    weights = xp.exp((xp.min(logs, axis=-2, keepdims=True) - logs) / 2)
    estimates = (centre * signal / (signal + 1)) @ v
    return xp.sum(weights * estimates, axis=-2) / xp.sum(weights, axis=-2)


def _vectors(band: Band, part: Any, scale: Array) -> Array:
    """The neighbourhood of each coefficient in standard deviations: (…, neighbour, place)."""
    xp = band.xp
    values = part(band.values) / scale
    fields = []
    for offsets in _offsets(len(band.axes)):
        field = values
        for axis, offset in zip(band.axes, offsets, strict=True):
            field = neighbours(band, field, axis, offset, spacing=1)
        fields.append(flattened(field, band.axes, xp))
    parent = band.parent
    if parent is not None:
        fields.append(flattened(part(parent) / scale, band.axes, xp))
    return xp.stack(fields, axis=-2)


def _restored(x: Array, band: Band) -> Array:
    """Values of (…, place), in the shape of the band."""
    order = (*(a for a in range(band.values.ndim) if a not in band.axes), *band.axes)
    shape = tuple(band.values.shape[a] for a in order)
    return band.xp.permute_dims(band.xp.reshape(x, shape), tuple(np.argsort(order).tolist()))


def _offsets(ndim: int) -> list[tuple[int, ...]]:
    """The places of a neighbourhood of three along each axis; the centre is the first."""
    return sorted(product((-1, 0, 1), repeat=ndim), key=lambda place: any(place))


def _noise_root(band: Band, size: int, sign: int) -> NDArray[Any]:
    """A root S of the covariance of the noise in a neighbourhood, S S^T.

    For complex coefficients, ``sign`` is 1 for the real parts and -1 for the imaginary ones.
    """
    offsets = _offsets(len(band.axes))
    covariance = np.eye(size)
    if band.responses is not None:
        filters = [np.asarray(r) for r in band.responses()]
        pairs = [(r, r.conj()) for r in filters]
        among = _correlations(pairs, offsets, band.stride)
        if any(map(np.iscomplexobj, filters)):
            # That of x is E|z|^2 / 2 + E z^2 / 2, and that of y their difference, for z = x + i y.
            among = among + sign * _correlations([(r, r) for r in filters], offsets, band.stride)
        covariance[: len(offsets), : len(offsets)] = among
    values, vectors = np.linalg.eigh(covariance)
    root: NDArray[Any] = vectors * np.sqrt(np.maximum(values, values.max() * 1e-10))
    return root


def _correlations(
    pairs: Sequence[tuple[NDArray[Any], NDArray[Any]]],
    offsets: Sequence[tuple[int, ...]],
    stride: int,
) -> NDArray[Any]:
    """The products over all axes of the correlations of two filters at the distances of places."""
    places, product_ = np.asarray(offsets), np.ones(1)
    for axis, (first, second) in enumerate(pairs):
        table = np.asarray([_correlation(first, second, lag * stride) for lag in range(-2, 3)])
        product_ = product_ * table[places[:, None, axis] - places[None, :, axis] + 2]
    return product_.real


def _correlation(first: NDArray[Any], second: NDArray[Any], lag: int) -> complex:
    n = first.size - abs(lag)
    if n <= 0:
        return 0
    return complex(first[max(lag, 0) :][:n] @ second[max(-lag, 0) :][:n])
