"""Plans of analyses of which only some bands are needed.

The bands of a level that one run of filters computes are a product: one or both letters for each
axis. A restricted plan has the smallest product that contains the needed bands.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from liftwave._plan.axis import bounded
from liftwave._plan.levels import (
    AnalysisLevel,
    AnalysisPlan,
    FilterStep,
    Keys,
    Step,
    analysis_plan_of,
    tuned_analysis,
)


def restricted(plan: AnalysisPlan, keys: Keys, has_approx: bool) -> AnalysisPlan:
    """The plan that computes at least these details, coarsest level first, and the approximation.

    Levels by lifting, and without downsampling, keep all bands.
    """
    key = keys, has_approx
    result = plan.restrictions.get(key)
    if result is None:
        if plan.template is None:
            result = _restricted(plan, keys, has_approx)
        else:
            result = tuned_analysis(restricted(plan.template, keys, has_approx), plan.filters)
        bounded(plan.restrictions)[key] = result
    return result


def _restricted(plan: AnalysisPlan, keys: Keys, has_approx: bool) -> AnalysisPlan:
    levels: list[AnalysisLevel] = []
    for level, details in zip(reversed(plan.levels), keys, strict=True):
        approx = [level.approx_key] if has_approx or levels else []
        levels.insert(0, _restricted_level(level, [*approx, *details]))
    return analysis_plan_of(tuple(levels))


def _restricted_level(level: AnalysisLevel, needed: Collection[str]) -> AnalysisLevel:
    letters = [{key[axis] for key in needed} for axis in range(len(level.approx_key))]
    for key, step in level.analysis_steps:
        if not isinstance(step, FilterStep) or not step.plan.is_dyadic:
            letters[len(key)] = {"a", "d"}
    steps = tuple(
        (key, _with_letters(step, letters[len(key)]))
        for key, step in level.analysis_steps
        if _is_among(key, letters)
    )
    shapes = {key: shape for key, shape in level.shapes.items() if _is_among(key, letters)}
    return AnalysisLevel(steps, shapes, level.approx_key)


def _with_letters(step: Step, letters: set[str]) -> Step:
    if not isinstance(step, FilterStep) or len(letters) == 2:
        return step
    return step._replace(filters=(step.filters["d" in letters],))


def _is_among(key: str, letters: Sequence[set[str]]) -> bool:
    return all(letter in of_axis for letter, of_axis in zip(key, letters, strict=False))
