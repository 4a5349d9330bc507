"""Axis-by-axis fallback for separable transforms that no fused kernel supports.

It runs the kernels of one axis, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, cast

from array_api_compat import array_namespace

from liftwave._arrays.convert import taken_from, zeros
from liftwave._numbers import is_symbol
from liftwave._plan.levels import (
    AnalysisLevel,
    AnalysisPlan,
    FilterStep,
    LiftStep,
    Shape,
    Step,
    SynthesisLevel,
    SynthesisPlan,
)
from liftwave._typing import Array

if TYPE_CHECKING:
    from liftwave._kernels.contract import AxisKernels


# --- analysis --------------------------------------------------------------------------------


def analyse(x: Array, plan: AnalysisPlan, kernels: AxisKernels) -> list[Array]:
    """All bands: the approximation, then the details, coarsest level first."""
    details: list[Array] = []
    for level in plan.levels:
        x, *level_details = analyse_level(x, level, kernels)
        details[:0] = level_details
    return [x, *details]


def analyse_level(x: Array, level: AnalysisLevel, kernels: AxisKernels) -> list[Array]:
    """The bands of one level, the approximation first."""
    bands = {"": x}
    for key, step in level.analysis_steps:
        parts = split(bands.pop(key), step, kernels)
        for letter, band in zip(level.letters(key, step), parts, strict=True):
            bands[key + letter] = band
    return [bands[key] for key in level.shapes]


def split(x: Array, step: Step, kernels: AxisKernels) -> Sequence[Array]:
    """Approximation and detail of one step, or one of them."""
    if isinstance(step, FilterStep):
        return kernels.analysis(x, step.filters, step.plan, step.axis)
    if isinstance(step, LiftStep):
        return kernels.lift_analysis(x, step.plan, step.taps, step.scale, step.axis)
    from liftwave._kernels.interval import split_interval  # few programs use this mode

    return split_interval(x, step, kernels)


# --- synthesis -------------------------------------------------------------------------------


def synthesise(bands: Sequence[Array], plan: SynthesisPlan, kernels: AxisKernels) -> Array:
    """The array with these bands; bands that are not in the plan are zero."""
    remaining = iter(bands)
    approx = next(remaining) if plan.has_approx else None
    for level in plan.levels:
        if level.synthesis_steps:
            level_bands = bands_of_level(remaining, approx, level)
            approx = synthesise_level(level_bands, level, kernels)
    return cast(Array, approx)


def bands_of_level(
    details: Iterator[Array], approx: Array | None, level: SynthesisLevel
) -> dict[str, Array]:
    """The bands of one level by key: its details, and the used part of the approximation."""
    bands = dict(zip(level.detail_keys, islice(details, len(level.detail_keys)), strict=True))
    return with_approx(bands, approx, level)


def with_approx(
    details: Mapping[str, Array], approx: Array | None, level: SynthesisLevel
) -> dict[str, Array]:
    """The bands of one level, including the used part of the approximation."""
    if level.approx_shape is None:
        return dict(details)
    return {level.approx_key: trimmed(approx, level.approx_shape), **details}


def synthesise_level(
    bands: Mapping[str, Array], level: SynthesisLevel, kernels: AxisKernels
) -> Array:
    """The array with these bands; missing ones are zero."""
    remaining = dict(bands)
    for key, step, shapes in level.synthesis_steps:
        pair = [remaining.pop(key + letter, None) for letter in "ad"]
        remaining[key] = merge(pair, step, shapes, kernels)
    return remaining[""]


def merge(
    pair: Sequence[Array | None], step: Step, shapes: Sequence[Shape], kernels: AxisKernels
) -> Array:
    """The band that one step merges from approximation and detail; one may be missing."""
    if isinstance(step, FilterStep):
        # A filter bank omits a missing band.
        present = [entry for entry in zip(pair, step.filters, strict=True) if entry[0] is not None]
        bands, filters = zip(*present, strict=True)
        return kernels.synthesis(bands, filters, step.plan, step.axis)
    if isinstance(step, LiftStep):
        approx, detail = fill_missing(pair, shapes)
        return kernels.lift_synthesis(approx, detail, step.plan, step.taps, step.scale, step.axis)
    from liftwave._kernels.interval import merge_interval

    return merge_interval(pair, step, kernels)


def fill_missing(pair: Sequence[Array | None], shapes: Sequence[Shape]) -> list[Array]:
    """Both bands, since lifting needs both: zeros for a missing one."""
    like = next(band for band in pair if band is not None)
    xp = array_namespace(like)
    return [
        zeros(shape, like, xp) if band is None else band
        for band, shape in zip(pair, shapes, strict=True)
    ]


def trimmed(x: Array, shape: Shape) -> Array:
    """The first samples of ``x`` along each axis."""
    if any(map(is_symbol, shape)):
        return _trimmed_in_graph(x, shape)
    return x if tuple(x.shape) == shape else x[tuple(slice(n) for n in shape)]


def _trimmed_in_graph(x: Array, shape: Shape) -> Array:
    for axis, n in enumerate(shape):
        if str(n) != str(x.shape[axis]):  # comparing symbols would fix which lengths are even
            x = taken_from(x, axis, 0, n)
    return x


def padded(x: Array, shape: Shape) -> Array:
    """``x`` with zeros appended along each axis: the adjoint of :func:`trimmed`."""
    xp = array_namespace(x)
    for axis, length in enumerate(shape):
        count = length - x.shape[axis]
        if count:
            padding = zeros((*x.shape[:axis], count, *x.shape[axis + 1 :]), x, xp)
            x = xp.concat([x, padding], axis=axis)
    return x
