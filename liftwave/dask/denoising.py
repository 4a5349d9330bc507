"""Denoising of arrays of dask, in passes over the data.

Thresholds depend on all coefficients of a band. The first passes compute the noise and the
thresholds. The last pass reads the data again and shrinks the bands, so that no bands are stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

import dask.array as da
import numpy as np
from dask.graph_manipulation import bind

from liftwave._arrays.convert import is_complex, namespace_of, open_array
from liftwave._arrays.lazy import is_lazy
from liftwave._blocks.tasks import sample_of
from liftwave._operations.plan_transforms import analysis
from liftwave._plan.axes import AxisPlans
from liftwave._typing import Array
from liftwave.dask.median import median_of_magnitudes
from liftwave.dask.transforms import analysed, execute
from liftwave.denoising.arguments import (
    check_shifts,
    data_axes,
    depth_of,
    linear_plans,
    number_of_shifts,
    steps_of,
)
from liftwave.denoising.bands import Band
from liftwave.denoising.missing import check_missing
from liftwave.denoising.noise import groups_of_noise, known_noise
from liftwave.denoising.recipes import recipe_of
from liftwave.denoising.thresholds import THRESHOLDS
from liftwave.errors import MissingSamplesError, ShapeError, ThresholdError
from liftwave.thresholding import threshold
from liftwave.transforms.structures import dict_list
from liftwave.transforms.synthesis_calls import synthesis_call

_METHODS = ("bayes", "visu")
"""The methods whose thresholds follow from sums over a band."""


def denoise(
    x: da.Array,
    wavelet: Any = None,
    *,
    method: Any = None,
    transform: Any = None,
    rule: Any = None,
    sigma: Any = None,
    level: int | None = None,
    mode: Any = "symmetric",
    axes: Any = None,
    shifts: int = 1,
    missing: Any = "raise",
    vst: Any = None,
    gain: float = 1.0,
    read_noise: float = 0.0,
    channel_axis: int | None = None,
) -> da.Array:
    """:func:`liftwave.denoise` of an array of dask, by default ``'bayes'`` with ``'dwt'``."""
    shifts = number_of_shifts(shifts)
    check_shifts(transform, shifts)
    method, transform = "bayes" if method is None else method, transform or "dwt"
    recipe_of(method, rule)
    check_missing(missing)
    _check_supported(
        method=(method, _METHODS),
        transform=(transform, ("dwt",)),
        shifts=(shifts, (1,)),
        missing=(missing, ("raise",)),
        vst=(vst, (None, "anscombe")),
        channel_axis=(channel_axis, (None,)),
    )
    sample = _stand_in(x)
    data = _as_floats(x)
    batched = data_axes(axes, sample)
    plans = linear_plans(wavelet, mode, batched, sample, transform)
    depth = depth_of(level, method, sample.shape, plans)
    steps = steps_of(vst, gain, read_noise, channel_axis, sample, batched)
    noise = _known_noise(1.0 if sigma is None and vst else sigma, sample, batched, depth)
    data = data.map_blocks(_finite, meta=data._meta)
    if not depth:
        return _closed(data, x)
    for step in steps:
        data = step.apply(data)
    clean = _Passes(plans, depth, sample.shape).run(data, method, rule or "soft", noise)
    for step in reversed(steps):
        clean = step.undo(clean)
    return _closed(clean, x)


def _check_supported(**options: tuple[Any, Sequence[Any]]) -> None:
    for name, (value, supported) in options.items():
        if value not in supported:
            raise ThresholdError(
                f"{name}={value!r} does not support arrays of dask: use "
                f"{' or '.join(f'{name}={each!r}' for each in supported)}, or pass x.compute()"
            )


def _stand_in(x: da.Array) -> Array:
    """An array of the shape and the dtype of the computation, whose samples share their memory."""
    sample = open_array(sample_of(x._meta, 0)).array
    return np.broadcast_to(sample, tuple(map(int, x.shape)))


def _as_floats(x: da.Array) -> da.Array:
    dtype = open_array(sample_of(x._meta, 0)).array.dtype
    return x if x.dtype == dtype else x.astype(dtype)


def _closed(result: da.Array, x: da.Array) -> da.Array:
    """The result in the dtype that the caller expects."""
    dtype = open_array(sample_of(x._meta, 0)).result_dtype
    return result if result.dtype == dtype else result.astype(dtype)


def _known_noise(sigma: Any, sample: Array, axes: tuple[int, ...], depth: int) -> Any:
    """The argument ``sigma``; an array of dask of the shape of the batch is not read."""
    if not is_lazy(sigma):
        return known_noise(sigma, sample, axes, depth, namespace_of(sample))
    expected = tuple(n for axis, n in enumerate(sample.shape) if axis not in axes)
    if tuple(sigma.shape) not in ((), expected):
        raise ShapeError(
            f"sigma must be a number or have the shape {expected} of the batch axes, got "
            f"{tuple(sigma.shape)}"
        )
    batch = tuple(1 if axis in axes else n for axis, n in enumerate(sample.shape))
    return sigma.reshape(batch) if sigma.ndim else da.broadcast_to(sigma, (1,) * sample.ndim)


def _finite(chunk: Array) -> Array:
    """The chunk itself.

    Raises
    ------
    MissingSamplesError
        If a sample is not finite.
    """
    if not np.isfinite(chunk).all():
        raise MissingSamplesError(
            "some samples are NaN or infinite: replace them, or pass x.compute() and "
            "missing='interpolate'"
        )
    return chunk


# --- passes --------------------------------------------------------------------------------------


class _Passes:
    """The passes over data of one shape, along the axes of the plans."""

    def __init__(self, plans: AxisPlans, depth: int, shape: tuple[int, ...]) -> None:
        self.plans, self.depth, self.shape = plans, depth, shape
        self.axes = tuple(plan.axis for plan in plans)
        self.structure = dict_list(len(plans))
        self.samples = prod(shape[axis] for axis in self.axes)

    def run(self, data: da.Array, method: str, rule: Any, noise: Any) -> da.Array:
        """The denoised data."""
        _, bands = self.analysed(data)
        levels = self.noise(data, bands, noise)
        limits = [
            THRESHOLDS[method](band.values, sigma, self.samples, band.axes, band.xp)
            for band, sigma in zip(bands, levels, strict=True)
        ]
        lazy = [limit for limit in limits if is_lazy(limit)]
        approx, bands = self.analysed(bind(data, lazy) if lazy else data)
        shrunk = [
            threshold(band.values, limit, rule) for band, limit in zip(bands, limits, strict=True)
        ]
        call = synthesis_call([approx, *shrunk], self.plans, data.ndim, self.structure)
        clean: da.Array = execute(call)
        return clean[tuple(slice(n) for n in self.shape)]

    def analysed(self, data: da.Array, depth: int | None = None) -> tuple[da.Array, list[Band]]:
        """The approximation and the detail bands of the data."""
        depth = depth or self.depth
        flat = analysed(analysis(self.plans, data.ndim, depth), data)
        approx, *details = self.structure.pack(flat)
        bands = [
            Band(values, depth - k, key, self.axes)
            for k, group in enumerate(details)
            for key, values in group.items()
        ]
        return approx, bands

    def noise(self, data: da.Array, bands: Sequence[Band], noise: Any) -> list[Any]:
        """The noise of each band, by its level or from the medians of some bands."""
        if isinstance(noise, Mapping):
            return [noise[band.level] for band in bands]
        if not isinstance(noise, str):
            return [noise] * len(bands)
        medians: dict[Any, da.Array] = {}
        levels = []
        for group in groups_of_noise(bands, noise):
            names = frozenset((band.level, band.key) for band in group)
            if names not in medians:
                median = median_of_magnitudes(data, partial(self._chosen, names), self.axes)
                medians[names] = median / group[0].median
            levels.append(medians[names])
        return levels

    def _chosen(self, names: frozenset[tuple[int, str]], data: da.Array) -> list[da.Array]:
        """The values of some bands."""
        _, bands = self.analysed(data, max(level for level, _ in names))
        return [band.values for band in bands if (band.level, band.key) in names]


def estimate_sigma(
    x: da.Array,
    wavelet: Any = "sym8",
    *,
    mode: Any = "symmetric",
    axes: Any = None,
    missing: Any = "raise",
) -> da.Array:
    """:func:`liftwave.estimate_sigma` of an array of dask."""
    check_missing(missing)
    _check_supported(missing=(missing, ("raise",)))
    sample = _stand_in(x)
    batched = data_axes(axes, sample)
    plans = linear_plans(wavelet, mode, batched, sample)
    if not plans:
        raise ShapeError(
            "estimating noise needs at least two samples along one of the axes, "
            f"got axes {batched} of an array of shape {tuple(sample.shape)}"
        )
    data = _as_floats(x)
    data = data.map_blocks(_finite, meta=data._meta)
    passes = _Passes(plans, 1, sample.shape)
    column, *_ = passes.noise(data, passes.analysed(data)[1], "mad")
    sigma = column.reshape(tuple(n for a, n in enumerate(sample.shape) if a not in batched))
    return sigma if is_complex(sample) else _closed(sigma, x)
