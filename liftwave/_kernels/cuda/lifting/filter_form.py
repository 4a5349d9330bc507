"""Lifting as filter banks: the same bands by other sums, for kernels of filter banks.

A lifting scheme is a filter bank that was factored into steps. On a GPU, the kernels of filter
banks keep the samples in registers, while lifting changes a tile in shared memory, step by step. So
short filters are faster in one sum. Rounding errors differ: this is for float32 and half precision.

Both agree where the extended signal, lifted without ends, is the extension of the lifted signal:

- Ends are joined (``periodization``).
- The mode is ``reflect``, the number of samples is even, and the taps of each step are symmetric
  around the target: the mirrored signal then has mirrored channels after each step.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from liftwave._kernels.cuda.filters.fused_launch import MAX_TAPS
from liftwave._kernels.cuda.lifting.groups import is_learned
from liftwave._kernels.cuda.lifting.plan import geometry
from liftwave._plan.axis import (
    Dilated,
    FilterPlan,
    LiftPlan,
    analysis_padding,
    synthesis_padding,
)
from liftwave._plan.boundary import Extension, channel_extension, signal_extension
from liftwave._plan.levels import FilterStep, LiftStep, Step
from liftwave._typing import Mode
from liftwave.wavelets.taps import FixedPoint

Kind: TypeAlias = Literal["analysis", "synthesis"]
_Sum: TypeAlias = "dict[tuple[int, int], float]"
"""A number as a sum of others: weights by the channel of a number, and its distance in pairs."""


def filter_form(kind: Kind, step: Step) -> FilterStep | None:
    """The filter bank that computes the same as a step; None if it is not known to, or is long."""
    if isinstance(step, FilterStep):
        return step
    if not isinstance(step, LiftStep) or not isinstance(step.plan, LiftPlan):
        return None
    mode = _mode(kind, step)
    if mode is None:
        return None
    form = _analysis(step, mode) if kind == "analysis" else _synthesis(step)
    return None if form.plan.length > MAX_TAPS else form


def _mode(kind: Kind, step: LiftStep) -> Mode | None:
    """The mode of the filter bank; None if the steps are not a filter bank with an extension."""
    plan = step.plan
    assert isinstance(plan, LiftPlan)
    if is_learned(step) or any(isinstance(taps, FixedPoint) for taps in step.taps):
        return None
    axis = geometry(plan)
    if axis is None:
        return None
    # An odd number of samples is padded with the last one. Its inverse drops the padding, but its
    # adjoint folds it.
    if axis.padded > plan.n and axis.repeats != (kind == "analysis"):
        return None
    if axis.periodic:
        return "periodization"
    return "reflect" if kind == "analysis" and _is_mirrored(step, plan) else None


def _is_mirrored(step: LiftStep, plan: LiftPlan) -> bool:
    """Whether each step maps mirrored channels to mirrored ones."""
    return plan.n % 2 == 0 and all(
        s.fold.vanishes
        and 2 * s.offset + s.length == 2 * s.target
        and taps == taps[::-1]
        and s.extend == _mirrored(plan.n, 1 - s.target, s.extend)
        for s, taps in zip(plan.steps, step.taps, strict=True)
    )


def _mirrored(n: int, parity: int, extension: Extension) -> Extension:
    return channel_extension(n, parity, "reflect", len(extension.left), len(extension.right))


def _lifted(step: LiftStep) -> tuple[_Sum, _Sum]:
    """Both channels after all steps, as sums of those before."""
    channels: tuple[_Sum, _Sum] = ({(0, 0): 1.0}, {(1, 0): 1.0})
    assert isinstance(step.plan, LiftPlan)
    for s, taps in zip(step.plan.steps, step.taps, strict=True):
        target, source = channels[s.target], channels[1 - s.target]
        for j, tap in enumerate(taps):
            for (channel, at), weight in source.items():
                place = channel, at + s.offset + j
                change = -tap * weight if s.subtract else tap * weight
                target[place] = target.get(place, 0.0) + change
    return channels


def _analysis(step: LiftStep, mode: Mode) -> FilterStep:
    plan = step.plan
    assert isinstance(plan, LiftPlan)
    # Band number k is the channel at k - shift. Its filter begins at sample 2 k.
    places = [
        {2 * (at - shift) + parity: factor * weight for (parity, at), weight in channel.items()}
        for channel, shift, factor in zip(_lifted(step), plan.shift, step.scale, strict=True)
    ]
    phase = max(map(max, places))
    length = phase + 1 - min(map(min, places))
    length += length % 2
    taps = tuple(tuple(band.get(phase - j, 0.0) for j in range(length)) for band in places)
    n_out = plan.band_lengths[0]
    padding = analysis_padding(plan.n, 0, n_out, Dilated(length, phase))
    extend = signal_extension(plan.n, mode, *padding)
    return FilterStep(step.axis, FilterPlan(n_out, length, phase, extend, Extension(n_out)), taps)


def _synthesis(step: LiftStep) -> FilterStep:
    plan = step.plan
    assert isinstance(plan, LiftPlan)
    # Sample 2 m + p is the sum of the bands at m + d. The tap number of a filter is p - 2 d, up to
    # the phase. Channels are bands that are rolled back and scaled.
    places: tuple[dict[int, float], dict[int, float]] = ({}, {})
    for parity, channel in enumerate(_lifted(step)):
        for (band, at), weight in channel.items():
            place = parity - 2 * (at + plan.shift[band])
            places[band][place] = step.scale[band] * weight
    phase, last = max(0, -min(map(min, places))), max(map(max, places))
    phase += phase % 2 and last % 2  # a zero in front: kernels of even phases are faster
    length = phase + 1 + last
    length += length % 2
    taps = tuple(tuple(band.get(j - phase, 0.0) for j in range(length)) for band in places)
    count = plan.band_lengths[0]
    padding = synthesis_padding(count, 0, plan.n, Dilated(length, phase))
    extend = signal_extension(count, "periodic", *padding)
    return FilterStep(step.axis, FilterPlan(plan.n, length, phase, extend, Extension(plan.n)), taps)
