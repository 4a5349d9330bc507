"""Transposed plans: the adjoint of an analysis is a synthesis, and vice versa.

The plan of each step is transposed and its taps are reversed. The same kernels, including fused
ones, then run the adjoint of a multilevel transform. Each plan caches its adjoints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from liftwave._plan.axes import with_length
from liftwave._plan.axis import bounded
from liftwave._plan.levels import (
    AnalysisLevel,
    AnalysisPlan,
    FilterStep,
    IntervalStep,
    Keys,
    LiftStep,
    Shape,
    Step,
    SynthesisLevel,
    SynthesisPlan,
    analysis_plan_of,
    synthesis_plan_of,
    tuned_analysis,
    tuned_synthesis,
)
from liftwave.wavelets.taps import is_concrete, reversed_taps

# --- steps -----------------------------------------------------------------------------------


def transposed_analysis_step(step: Step) -> Step:
    """The synthesis step that is the transpose of this analysis step."""
    if isinstance(step, IntervalStep):  # one plan has both directions
        return step
    if isinstance(step, LiftStep):
        return _transposed_lift(step)
    return FilterStep(step.axis, step.plan.analysis_adjoint(), _reversed(step.filters))


def transposed_synthesis_step(step: Step) -> Step:
    """The analysis step that is the transpose of this synthesis step."""
    if isinstance(step, IntervalStep):
        return step
    if isinstance(step, LiftStep):
        return _transposed_lift(step)
    return FilterStep(step.axis, step.plan.synthesis_adjoint(), _reversed(step.filters))


def _transposed_lift(step: LiftStep) -> LiftStep:
    taps = tuple(reversed_taps(t) for t in reversed(step.taps))
    return LiftStep(step.axis, step.plan.adjoint(), taps, step.scale)


def _reversed(filters: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(map(reversed_taps, filters))


def _is_concrete(step: Step) -> bool:
    """Whether a step can be cached: arrays can hold data that a library recorded in one call."""
    if isinstance(step, LiftStep):
        scales = all(isinstance(s, float | int) for s in step.scale)
        return scales and all(map(is_concrete, step.taps))
    return all(map(is_concrete, step.filters))


# --- analysis --------------------------------------------------------------------------------


def adjoint_of_analysis(
    plan: AnalysisPlan, keys: Keys | None = None, has_approx: bool = True
) -> SynthesisPlan:
    """The synthesis that is the transpose of this analysis.

    Parameters
    ----------
    plan : AnalysisPlan
        A plan of at least one level.
    keys : tuple of tuple of str, optional
        The sorted keys of the details that are present, coarsest level first; all by
        default. The others are zero.
    has_approx : bool
        Whether the approximation is present. At least one band must be present. The result
        omits coarsest levels without a band.
    """
    keys = plan.keys if keys is None else keys
    adjoint = plan.adjoints.get((keys, has_approx))
    if adjoint is None and plan.template is not None:
        template = adjoint_of_analysis(plan.template, keys, has_approx)
        adjoint = tuned_synthesis(template, tuple(map(_reversed, plan.filters)))
        bounded(plan.adjoints)[keys, has_approx] = adjoint
    if adjoint is None:
        adjoint = _adjoint_of_analysis(plan, keys, has_approx)
        if all(_is_concrete(step) for level in plan.levels for _, step in level.analysis_steps):
            bounded(plan.adjoints)[keys, has_approx] = adjoint
    return adjoint


def _adjoint_of_analysis(plan: AnalysisPlan, keys: Keys, has_approx: bool) -> SynthesisPlan:
    levels = []
    for level, level_keys in zip(reversed(plan.levels), keys, strict=True):
        if has_approx or level_keys:
            levels.append(_transposed_analysis(level, level_keys, has_approx))
            has_approx = True
    return synthesis_plan_of(tuple(levels))


def _transposed_analysis(
    level: AnalysisLevel, detail_keys: tuple[str, ...], has_approx: bool
) -> SynthesisLevel:
    present = {*detail_keys, level.approx_key} if has_approx else set(detail_keys)
    shapes, transpose = dict(level.shapes), _once(transposed_analysis_step)
    steps = []
    for key, step in reversed(level.analysis_steps):
        pair = shapes[key + "a"], shapes[key + "d"]
        shapes[key] = with_length(pair[0], step.axis, _signal_length(step))
        if any(band.startswith(key) for band in present):
            steps.append((key, transpose(step), pair))
    approx_shape = level.shape if has_approx else None
    shape = shapes[""] if steps else level.shape
    return SynthesisLevel(tuple(steps), approx_shape, detail_keys, shape)


def _once(transpose: Callable[[Step], Step]) -> Callable[[Step], Step]:
    """Steps that several bands share stay shared, so kernels prepare each plan once."""
    transposed: dict[int, Step] = {}

    def of(step: Step) -> Step:
        if id(step) not in transposed:
            transposed[id(step)] = transpose(step)
        return transposed[id(step)]

    return of


def _signal_length(step: Step) -> int:
    """The number of samples that an analysis step splits."""
    return step.plan.n_in if isinstance(step, FilterStep) else step.plan.n


# --- synthesis -------------------------------------------------------------------------------


def adjoint_of_synthesis(plan: SynthesisPlan) -> AnalysisPlan:
    """The analysis that is the transpose of this synthesis.

    It can have more bands than the synthesis. The last samples of a level's result that the
    next level does not use have zero cotangents.

    Parameters
    ----------
    plan : SynthesisPlan
        A plan of at least one level; each level has a step.
    """
    adjoint = plan.adjoints.get("all")
    if adjoint is None and plan.template is not None:
        filters = tuple(map(_reversed, plan.filters))
        adjoint = plan.adjoints["all"] = tuned_analysis(
            adjoint_of_synthesis(plan.template), filters
        )
    if adjoint is None:
        adjoint = _adjoint_of_synthesis(plan)
        if all(_is_concrete(s) for level in plan.levels for _, s, _ in level.synthesis_steps):
            plan.adjoints["all"] = adjoint
    return adjoint


def _adjoint_of_synthesis(plan: SynthesisPlan) -> AnalysisPlan:
    shapes = [level.approx_shape for level in plan.levels[1:]] + [plan.shape]
    levels = [
        _transposed_synthesis(level, shape)
        for level, shape in zip(plan.levels, shapes, strict=True)
        if shape is not None
    ]
    return analysis_plan_of(tuple(reversed(levels)))


def _transposed_synthesis(level: SynthesisLevel, used: Shape) -> AnalysisLevel:
    """The adjoint of a level, if only the part of shape ``used`` of its result is used."""
    transposed_steps: dict[str, Step] = {}
    transpose = _once(transposed_synthesis_step if used == level.shape else _of_shortened(used))
    for key, step, _ in reversed(level.synthesis_steps):
        transposed_steps[key] = transpose(step)
    bands, steps = {"": used}, []
    for depth in range(1 + max(map(len, transposed_steps), default=-1)):
        siblings = [step for key, step in transposed_steps.items() if len(key) == depth]
        pairs: dict[str, Shape] = {}
        for key, shape in bands.items():
            fitting = transposed_steps.get(key) or _fitting(siblings, shape)
            if fitting is None:
                pairs[key] = shape  # neither a step nor the plan of a sibling splits it
                continue
            steps.append((key, fitting))
            for letter, length in zip("ad", _band_lengths(fitting), strict=True):
                pairs[key + letter] = with_length(shape, fitting.axis, length)
        bands = pairs
    return AnalysisLevel(tuple(steps), bands, next(iter(bands)))


def _of_shortened(used: Shape) -> Callable[[Step], Step]:
    """Transposes synthesis steps if only the first samples of their result are used."""

    def transposed(step: Step) -> Step:
        n = used[step.axis]
        if isinstance(step, IntervalStep):
            return step._replace(plan=step.plan.shortened(n))
        if isinstance(step, LiftStep):
            return transposed_synthesis_step(step._replace(plan=step.plan.shortened(n)))
        return transposed_synthesis_step(step._replace(plan=step.plan.shortened(n)))

    return transposed


def _fitting(siblings: Sequence[Step], shape: Shape) -> Step | None:
    """A step for an unused band: kernels are faster for all bands than for some of them."""
    return next((s for s in siblings if _signal_length(s) == shape[s.axis]), None)


def _band_lengths(step: Step) -> tuple[int, int]:
    if isinstance(step, FilterStep):
        return step.plan.n_out, step.plan.n_out
    return step.plan.band_lengths
