"""The noise of bands: estimated by the median of magnitudes, or set by the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, log, sqrt
from numbers import Integral
from typing import Any

import numpy as np
from array_api_compat import device, to_device

from liftwave._arrays.convert import common_namespace, is_array, is_complex, real_dtype
from liftwave._typing import Array, Namespace
from liftwave.denoising.bands import Band
from liftwave.denoising.thresholds import flattened
from liftwave.errors import DTypeError, ShapeError, ThresholdError

# The median of the magnitude of normal noise of variance 1. The magnitude of complex noise follows
# a Rayleigh distribution.
_MEDIAN_OF_REAL = 0.6744897501960817
_MEDIAN_OF_COMPLEX = sqrt(log(2))

ESTIMATES = ("mad", "level", "band")


def noise_of(bands: Sequence[Band], sigma: Any, gaps: Array | None = None) -> list[Array]:
    """The standard deviation of the noise of each band; the transformed axes have length 1.

    ``sigma`` is the name of an estimate, or what :func:`noise_levels` returns.
    """
    if isinstance(sigma, Mapping):
        return [sigma[band.level] for band in bands]
    if not isinstance(sigma, str):
        return [sigma] * len(bands)
    if sigma == "mad":
        finest = next(band for band in bands if band.is_finest_diagonal)
        return [noise_level(finest.values, finest.axes, finest.xp, gaps)] * len(bands)
    groups = [[b for b in bands if sigma == "level" and b.level == band.level] for band in bands]
    return [_deviation(group or [band]) for group, band in zip(groups, bands, strict=True)]


def _deviation(bands: Sequence[Band]) -> Array:
    """The estimate from all coefficients of some bands."""
    first = bands[0]
    flat = [flattened(first.xp.abs(band.values), first.axes, first.xp) for band in bands]
    values = flat[0] if len(flat) == 1 else first.xp.concat(flat, axis=-1)
    return _scaled(_median(values, first.xp), first.values, first.axes, first.xp)


def noise_level(
    finest: Array, axes: tuple[int, ...], xp: Namespace, gaps: Array | None = None
) -> Array:
    """The standard deviation of noise from the finest band; the transformed axes have length 1.

    Coefficients at the places of ``gaps``, which are those of missing samples of the data, count
    only if there are no others.
    """
    values = flattened(xp.abs(finest), axes, xp)
    if gaps is None:
        return _scaled(_median(values, xp), finest, axes, xp)
    present = flattened(_present(gaps, finest.shape, axes, xp), axes, xp)
    present = present | ~xp.any(present, axis=-1, keepdims=True)
    ordered = xp.sort(xp.where(present, values, xp.full_like(values, inf)), axis=-1)
    count = xp.sum(xp.astype(present, xp.int64), axis=-1, keepdims=True)
    middle = [xp.take_along_axis(ordered, k, axis=-1) for k in ((count - 1) // 2, count // 2)]
    return _scaled((middle[0] + middle[1]) / 2, finest, axes, xp)


def _scaled(median: Array, band: Array, axes: tuple[int, ...], xp: Namespace) -> Array:
    ratio = _MEDIAN_OF_COMPLEX if is_complex(band) else _MEDIAN_OF_REAL
    batch = tuple(1 if a in axes else n for a, n in enumerate(band.shape))
    return xp.reshape(median / ratio, batch)


def _present(gaps: Array, shape: Sequence[int], axes: tuple[int, ...], xp: Namespace) -> Array:
    """Whether the two samples at the place of a coefficient are present, along each axis."""
    present = ~gaps
    for axis in axes:
        n, count = gaps.shape[axis], shape[axis]
        first = 2 * np.arange(count) - (count - (n + 1) // 2)
        pair = [np.clip(first + k, 0, n - 1) for k in (0, 1)]
        places = [xp.asarray(each, device=device(gaps)) for each in pair]
        present = xp.take(present, places[0], axis=axis) & xp.take(present, places[1], axis=axis)
    return present


def _median(values: Array, xp: Namespace) -> Array:
    n = values.shape[-1]
    middle = ((n - 1) // 2, n // 2)
    ordered = (
        np.partition(values, middle, axis=-1)
        if type(values) is np.ndarray
        else xp.sort(values, axis=-1)
    )
    return (ordered[..., middle[0]] + ordered[..., middle[1]]) / 2


# --- noise that the user knows -------------------------------------------------------------------


def known_noise(sigma: Any, data: Array, axes: tuple[int, ...], levels: int, xp: Namespace) -> Any:
    """The argument ``sigma``: the name of an estimate, an array, or a dict of arrays by level.

    Raises
    ------
    DTypeError, ShapeError, ThresholdError
        If it is none of these, a number is not valid, or a level is missing.
    """
    if sigma is None or (isinstance(sigma, str) and sigma in ESTIMATES):
        return sigma or "mad"
    if not isinstance(sigma, Mapping):
        return _as_column(sigma, data, axes, xp)
    count = len(sigma)
    names = {int(key) for key in sigma if isinstance(key, Integral)}
    if names != {*range(1, count + 1)} or not 1 <= count <= max(levels, 1):
        raise ThresholdError(
            "sigma needs a number for each level from 1 (finest) to at most the coarsest, "
            f"{levels}, got levels {', '.join(map(repr, sigma)) or 'none'}"
        )
    known = {int(key): _as_column(value, data, axes, xp) for key, value in sigma.items()}
    return {level: known[min(level, count)] for level in range(1, levels + 1)}


def _as_column(sigma: Any, data: Array, axes: tuple[int, ...], xp: Namespace) -> Array:
    """The noise level of each item of the batch, in a shape that broadcasts against the data."""
    batch = tuple(1 if a in axes else n for a, n in enumerate(data.shape))
    values = _noise_levels(sigma, data, xp)
    expected = tuple(n for a, n in enumerate(data.shape) if a not in axes)
    if values.ndim and tuple(values.shape) != expected:
        raise ShapeError(
            f"sigma must be a number or have the shape {expected} of the batch axes, "
            f"got {tuple(values.shape)}"
        )
    return xp.reshape(values, batch) if values.ndim else xp.broadcast_to(values, batch)


def _noise_levels(sigma: Any, data: Array, xp: Namespace) -> Array:
    """Return sigma as an array in the precision of the data.

    Raises
    ------
    DTypeError, ThresholdError
        If it is not real, negative or not finite. The numbers of tensors and of arrays on devices
        are not read.
    """
    dtype = real_dtype(data, xp)
    if type(sigma) is type(data) and type(data) is not np.ndarray:
        # (Torch may record gradients of it.)
        return to_device(xp.astype(sigma, dtype, copy=False), device(data))
    if is_array(sigma) and not isinstance(sigma, np.ndarray | np.generic):
        common_namespace([data, sigma])
    try:
        values = np.asarray(sigma)
    except ValueError:  # rows of different lengths
        values = np.asarray(None)
    if values.dtype.kind not in "iuf":
        raise DTypeError(
            "sigma must be a real number or an array of these, a dict of these by level, or one of "
            f"{', '.join(map(repr, ESTIMATES))}, got {sigma!r}"
        )
    if not bool(np.all((values >= 0) & (values < inf))):
        raise ThresholdError(f"sigma must be finite and at least 0, got {sigma}")
    return xp.asarray(values, dtype=dtype, device=device(data))
