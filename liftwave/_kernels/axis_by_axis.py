"""Separable transforms along one axis after the other, by the kernels of one axis.

The course of every transform that no kernel does in one go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from array_api_compat import array_namespace

from liftwave._arrays.convert import zeros
from liftwave._plan.levels import AnalysisLevel, LiftStep, Step, SynthesisLevel
from liftwave._typing import Array

if TYPE_CHECKING:
    from liftwave._kernels.contract import AxisKernels


def analyse(
    x: Array, levels: Sequence[AnalysisLevel], kernels: AxisKernels
) -> tuple[Array, list[dict[str, Array]]]:
    """Approximation, and the details of each level, finest first."""
    details = []
    for level in levels:
        bands = analyse_level(x, level, kernels)
        x = bands.pop(next(iter(bands)))
        details.append(bands)
    return x, details


def analyse_level(x: Array, level: AnalysisLevel, kernels: AxisKernels) -> dict[str, Array]:
    """All bands of one level, keyed by one letter per axis (``a`` or ``d``)."""
    bands = {"": x}
    for key, step in level.splits:
        bands[key + "a"], bands[key + "d"] = split(bands.pop(key), step, kernels)
    return {key: bands[key] for key in level.shapes}


def split(x: Array, step: Step, kernels: AxisKernels) -> Sequence[Array]:
    """Approximation and detail of one step."""
    if isinstance(step, LiftStep):
        return kernels.lift_analysis(x, step.plan, step.taps, step.scale, step.axis)
    return kernels.analysis(x, step.filters, step.plan, step.axis)


def synthesise(
    approx: Array | None,
    details: Sequence[Mapping[str, Array]],
    levels: Sequence[SynthesisLevel],
    kernels: AxisKernels,
) -> Array:
    """The array with this approximation and these details, coarsest first; what is missing is 0."""
    for bands, level in zip(details, levels, strict=True):
        if level.merges:
            approx = synthesise_level(with_approx(bands, approx, level), level, kernels)
    return approx


def synthesise_level(
    bands: Mapping[str, Array], level: SynthesisLevel, kernels: AxisKernels
) -> Array:
    """The array whose bands these are; missing ones are zero."""
    remaining = dict(bands)
    for key, step, shapes in level.merges:
        pair = [remaining.pop(key + letter, None) for letter in "ad"]
        remaining[key] = merge(pair, step, shapes, kernels)
    return remaining[""]


def merge(
    pair: Sequence[Array | None],
    step: Step,
    shapes: Sequence[tuple[int, ...]],
    kernels: AxisKernels,
) -> Array:
    """What approximation and detail, of which one may be missing, are merged into by one step."""
    if isinstance(step, LiftStep):
        approx, detail = completed(pair, shapes)
        return kernels.lift_synthesis(approx, detail, step.plan, step.taps, step.scale, step.axis)
    # A filter bank leaves out what is missing.
    present = [each for each in zip(pair, step.filters, strict=True) if each[0] is not None]
    bands, filters = zip(*present, strict=True)
    return kernels.synthesis(bands, filters, step.plan, step.axis)


def completed(pair: Sequence[Array | None], shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Both bands, which lifting needs: zeros for one that is missing."""
    like = next(band for band in pair if band is not None)
    xp = array_namespace(like)
    return [
        zeros(shape, like, xp) if band is None else band
        for band, shape in zip(pair, shapes, strict=True)
    ]


def with_approx(
    details: Mapping[str, Array], approx: Array | None, level: SynthesisLevel
) -> Mapping[str, Array]:
    """The bands of one level, the used part of the approximation among them."""
    if level.used is None:
        return details
    return {approx_key(level): trimmed(approx, level.used), **details}


def approx_key(level: SynthesisLevel) -> str:
    """The key of the approximation: one ``a`` per axis."""
    return "a" * (1 + max(len(key) for key, _, _ in level.merges))


def trimmed(x: Array, shape: tuple[int, ...]) -> Array:
    """The first samples of ``x`` along each axis."""
    return x if tuple(x.shape) == shape else x[tuple(slice(n) for n in shape)]
