"""The noise of bands: estimated by the median of magnitudes, or set by the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from numbers import Integral
from typing import Any

import numpy as np
from array_api_compat import device, to_device

from liftwave._arrays.convert import common_namespace, is_array, real_dtype
from liftwave._typing import Array, Namespace
from liftwave.denoising.bands import Band
from liftwave.denoising.thresholds import flattened
from liftwave.errors import DTypeError, ShapeError, ThresholdError

ESTIMATES = ("mad", "level", "band")


def noise_of(bands: Sequence[Band], sigma: Any, gaps: Array | None = None) -> list[Array]:
    """The standard deviation of the noise of each band; the transformed axes have length 1.

    ``sigma`` is the name of an estimate, or the result of :func:`known_noise`.
    """
    if isinstance(sigma, Mapping):
        return [sigma[band.level] for band in bands]
    if not isinstance(sigma, str):
        return [sigma] * len(bands)
    groups = groups_of_noise(bands, sigma)
    if sigma == "mad":
        return [noise_level(groups[0], gaps)] * len(bands)
    return [noise_level(group) for group in groups]


def groups_of_noise(bands: Sequence[Band], estimate: str) -> list[list[Band]]:
    """The bands whose magnitudes together estimate the noise of each band."""
    if estimate == "mad":
        return [[band for band in bands if band.is_finest_diagonal]] * len(bands)
    if estimate == "band":
        return [[band] for band in bands]
    return [[other for other in bands if other.level == band.level] for band in bands]


def noise_level(bands: Sequence[Band], gaps: Array | None = None) -> Array:
    """The standard deviation of noise from some bands; the transformed axes have length 1.

    Coefficients at the places of ``gaps``, the missing samples of the data, count only if there
    are no other coefficients.
    """
    first, xp = bands[0], bands[0].xp
    scale, shape = first.median, first.values.shape
    batch = tuple(1 if a in first.axes else n for a, n in enumerate(shape))
    values = _joined([_magnitudes(band, scale, xp) for band in bands], xp)
    if gaps is None:
        return xp.reshape(_median(values, xp) / scale, batch)
    present = _joined([flattened(_present(gaps, b), b.axes, xp) for b in bands], xp)
    present = present | ~xp.any(present, axis=-1, keepdims=True)
    ordered = xp.sort(xp.where(present, values, xp.full_like(values, inf)), axis=-1)
    count = xp.sum(xp.astype(present, xp.int64), axis=-1, keepdims=True)
    middle = [xp.take_along_axis(ordered, k, axis=-1) for k in ((count - 1) // 2, count // 2)]
    return xp.reshape((middle[0] + middle[1]) / 2 / scale, batch)


def _magnitudes(band: Band, median: float, xp: Namespace) -> Array:
    """The magnitudes of all coefficients, divided by the median of noise."""
    magnitudes, own = flattened(xp.abs(band.values), band.axes, xp), band.median
    return magnitudes if own == median else magnitudes * (median / own)


def _joined(arrays: Sequence[Array], xp: Namespace) -> Array:
    return arrays[0] if len(arrays) == 1 else xp.concat(arrays, axis=-1)


def _present(gaps: Array, band: Band) -> Array:
    """Whether the two samples at the place of a coefficient are present, along each axis."""
    xp, present, stride = band.xp, ~gaps, band.stride
    for axis in band.axes:
        n, count = gaps.shape[axis], band.values.shape[axis]
        # Boundary modes add as many coefficients before as after.
        added = count - (n + stride - 1) // stride
        first = stride * np.arange(count) - stride * added // 2
        pair = [np.clip(first + k, 0, n - 1) for k in (0, 1)]
        places = [xp.asarray(indices, device=device(gaps)) for indices in pair]
        present = xp.take(present, places[0], axis=axis) & xp.take(present, places[1], axis=axis)
    return present


def _median(values: Array, xp: Namespace) -> Array:
    """The median along the last axis. NumPy's arrays are partitioned in place."""
    n = values.shape[-1]
    middle = ((n - 1) // 2, n // 2)
    if type(values) is np.ndarray:
        values.partition(middle, axis=-1)
    else:
        values = xp.sort(values, axis=-1)
    return (values[..., middle[0]] + values[..., middle[1]]) / 2


# --- noise that the user sets --------------------------------------------------------------------


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
            "sigma needs a number for each level from 1 (finest) to at most the coarsest level, "
            f"{levels}, got levels {', '.join(map(repr, sigma)) or 'none'}"
        )
    columns = {int(key): _as_column(value, data, axes, xp) for key, value in sigma.items()}
    return {level: columns[min(level, count)] for level in range(1, levels + 1)}


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
            "sigma must be a real number, an array of numbers, a dict of these by level, or one of "
            f"{', '.join(map(repr, ESTIMATES))}, got {sigma!r}"
        )
    if not bool(np.all((values >= 0) & (values < inf))):
        raise ThresholdError(f"sigma must be finite and at least 0, got {sigma}")
    return xp.asarray(values, dtype=dtype, device=device(data))
