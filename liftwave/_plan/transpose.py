"""Levels transposed: the adjoint of an analysis is a synthesis, and the other way round.

With each step's plan transposed and its taps reversed, the same kernels run the adjoint of a
multilevel transform, fused where they fuse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from liftwave._plan.axes import with_length
from liftwave._plan.levels import AnalysisLevel, FilterStep, LiftStep, Shape, Step, SynthesisLevel
from liftwave.wavelets.taps import is_concrete, reversed_taps

Given: TypeAlias = tuple[tuple[str, ...], ...]
"""The keys of the details that are there, for each level, coarsest first."""


# --- steps -----------------------------------------------------------------------------------


def transposed_split(step: Step) -> Step:
    """The merge that is this split transposed."""
    if isinstance(step, LiftStep):
        return _transposed_lift(step)
    return FilterStep(step.axis, step.plan.analysis_adjoint(), _reversed(step.filters))


def transposed_merge(step: Step) -> Step:
    """The split that is this merge transposed."""
    if isinstance(step, LiftStep):
        return _transposed_lift(step)
    return FilterStep(step.axis, step.plan.synthesis_adjoint(), _reversed(step.filters))


def _transposed_lift(step: LiftStep) -> LiftStep:
    taps = tuple(reversed_taps(t) for t in reversed(step.taps))
    return LiftStep(step.axis, step.plan.adjoint(), taps, step.scale)


def _reversed(filters: tuple[Any, Any]) -> tuple[Any, Any]:
    low, high = map(reversed_taps, filters)
    return low, high


def _concrete(step: Step) -> bool:
    """Whether a step may be kept: arrays may hold what a library recorded about one call."""
    if isinstance(step, FilterStep):
        return all(map(is_concrete, step.filters))
    return all(isinstance(s, float | int) for s in step.scale) and all(map(is_concrete, step.taps))


# --- analysis --------------------------------------------------------------------------------


def adjoint_of_analysis(
    levels: Sequence[AnalysisLevel], given: Given | None = None, approx: bool = True
) -> tuple[SynthesisLevel, ...]:
    """The synthesis, coarsest level first, that is this analysis transposed.

    Parameters
    ----------
    levels : sequence of AnalysisLevel
        Finest first.
    given : tuple of tuples of str, optional
        The sorted keys of the details that will be there, coarsest level first; all by
        default. The others are zero.
    approx : bool
        Whether there will be an approximation. Without, the coarsest level needs a detail.
    """
    if given is None:
        given = tuple(tuple(sorted(level.shapes))[1:] for level in reversed(levels))
    key = ("adjoint", len(levels), given, approx)
    kept = levels[0].prepared
    if key in kept:
        found: tuple[SynthesisLevel, ...] = kept[key]
        return found
    transposed = []
    for level, keys in zip(reversed(levels), given, strict=True):
        transposed.append(_transposed_analysis(level, keys, approx))
        approx = True
    if all(_concrete(step) for level in levels for _, step in level.splits):
        kept[key] = tuple(transposed)
    return tuple(transposed)


def _transposed_analysis(
    level: AnalysisLevel, given: tuple[str, ...], approx: bool
) -> SynthesisLevel:
    first = next(iter(level.shapes))
    present = {*given, first} if approx else set(given)
    shapes, steps = dict(level.shapes), _once(transposed_split)
    merges = []
    for key, step in reversed(level.splits):
        halves = shapes[key + "a"], shapes[key + "d"]
        shapes[key] = with_length(halves[0], step.axis, _signal_length(step))
        if any(band.startswith(key) for band in present):
            merges.append((key, steps(step), halves))
    return SynthesisLevel(
        tuple(merges), level.shape if approx else None, given, shapes[""] if merges else level.shape
    )


def _once(transpose: Callable[[Step], Step]) -> Callable[[Step], Step]:
    """Steps that several bands share stay shared: kernels prepare each plan once."""
    made: dict[int, Step] = {}

    def of(step: Step) -> Step:
        if id(step) not in made:
            made[id(step)] = transpose(step)
        return made[id(step)]

    return of


def _signal_length(split: Step) -> int:
    return split.plan.n if isinstance(split, LiftStep) else split.plan.extend.n


# --- synthesis -------------------------------------------------------------------------------


def adjoint_of_synthesis(levels: Sequence[SynthesisLevel]) -> tuple[AnalysisLevel, ...]:
    """The analysis, finest level first, that is this synthesis transposed.

    It may give more bands than the synthesis was given. What a level did not use of the
    previous one's result (its last sample) gets zero there.

    Parameters
    ----------
    levels : sequence of SynthesisLevel
        Coarsest first; each merges something.
    """
    key = ("adjoint", len(levels))
    kept = levels[0].prepared
    if key in kept:
        found: tuple[AnalysisLevel, ...] = kept[key]
        return found
    used = [level.used for level in levels[1:]] + [levels[-1].shape]
    transposed = [
        _transposed_synthesis(level, shape)
        for level, shape in zip(levels, used, strict=True)
        if shape is not None
    ]
    if all(_concrete(step) for level in levels for _, step, _ in level.merges):
        kept[key] = tuple(reversed(transposed))
    return tuple(reversed(transposed))


def _transposed_synthesis(level: SynthesisLevel, used: Shape) -> AnalysisLevel:
    """Of a level of whose result the part of shape ``used`` is used."""
    steps: dict[str, Step] = {}
    transpose = _once(transposed_merge if used == level.shape else _of_shortened(used))
    for key, step, _ in reversed(level.merges):
        steps[key] = transpose(step)
    bands, splits = {"": used}, []
    for depth in range(1 + max(map(len, steps), default=-1)):
        siblings = [step for key, step in steps.items() if len(key) == depth]
        halves: dict[str, Shape] = {}
        for key, shape in bands.items():
            fitting = steps.get(key) or _fitting(siblings, shape)
            if fitting is None:
                halves[key] = shape  # wanted by nobody, and not split by any sibling's plan
                continue
            splits.append((key, fitting))
            for letter, length in zip("ad", _band_lengths(fitting), strict=True):
                halves[key + letter] = with_length(shape, fitting.axis, length)
        bands = halves
    return AnalysisLevel(tuple(splits), bands)


def _of_shortened(used: Shape) -> Callable[[Step], Step]:
    """Transposes merges of whose result only the first samples are used."""

    def transposed(step: Step) -> Step:
        n = used[step.axis]
        if isinstance(step, LiftStep):
            return transposed_merge(replace(step, plan=step.plan.shortened(n)))
        return transposed_merge(replace(step, plan=step.plan.shortened(n)))

    return transposed


def _fitting(siblings: Sequence[Step], shape: Shape) -> Step | None:
    """A step for a band that nobody needs: all bands at once are faster than some of them."""
    return next((s for s in siblings if _signal_length(s) == shape[s.axis]), None)


def _band_lengths(split: Step) -> tuple[int, int]:
    if isinstance(split, FilterStep):
        return split.plan.n_out, split.plan.n_out
    padded = split.plan.n + len(split.plan.edge.right)
    return (padded + 1) // 2, padded // 2
