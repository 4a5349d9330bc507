"""Plans of separable transforms for one shape: the splits and merges of bands, as data.

``planning.py`` computes them. Inputs and outputs are flat lists: the approximation first, then
the details, coarsest level first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from liftwave._plan.axis import FilterPlan, LiftPlan
from liftwave._plan.undecimated_lifting import WholeLiftPlan
from liftwave.wavelets.taps import Taps

if TYPE_CHECKING:
    from liftwave._plan.interval import IntervalPlan

Shape: TypeAlias = tuple[int, ...]
Keys: TypeAlias = tuple[tuple[str, ...], ...]
"""The keys of the detail bands of each level, coarsest level first."""
Filters: TypeAlias = tuple[tuple[Taps, ...], ...]
"""The low-pass and the high-pass of each axis."""

Band = TypeVar("Band")


class FilterStep(NamedTuple):
    """One band split or merged along one axis by a filter bank.

    Attributes
    ----------
    axis : int
        The axis.
    plan : FilterPlan
        The geometry.
    filters : tuple of taps
        Both filters, or the one of the only band that an analysis computes.
    """

    axis: int
    plan: FilterPlan
    filters: tuple[Taps, ...]


class LiftStep(NamedTuple):
    """One band split or merged along one axis by lifting."""

    axis: int
    plan: LiftPlan | WholeLiftPlan
    taps: tuple[Any, ...]
    scale: tuple[Any, Any]


class IntervalStep(NamedTuple):
    """One band split or merged along one axis by an orthonormal wavelet on the interval.

    Attributes
    ----------
    axis : int
        The axis.
    plan : IntervalPlan
        The geometry, which is the same for both directions.
    filters : tuple of tuple of float
        The analysis filters.
    """

    axis: int
    plan: IntervalPlan
    filters: tuple[tuple[float, ...], tuple[float, ...]]


Step: TypeAlias = FilterStep | LiftStep | IntervalStep


class AnalysisLevel(NamedTuple):
    """One level of an analysis.

    Attributes
    ----------
    analysis_steps : tuple of (key, step)
        In the order of execution: band ``key`` becomes ``key + 'a'`` and ``key + 'd'``, or the one
        of them that the level has if the step has one filter.
    shapes : dict
        The shape of each band, in the order of the keys; approximation first.
    approx_key : str
        The key of the approximation.
    """

    analysis_steps: tuple[tuple[str, Step], ...]
    shapes: dict[str, Shape]
    approx_key: str

    @property
    def shape(self) -> Shape:
        """The shape of the approximation."""
        return next(iter(self.shapes.values()))

    @property
    def detail_keys(self) -> tuple[str, ...]:
        """The keys of the details, in order."""
        return tuple(self.shapes)[1:]

    def letters(self, key: str, step: Step) -> str:
        """The letters of the bands into which a step splits band ``key``."""
        if isinstance(step, LiftStep) or len(step.filters) == 2:
            return "ad"
        return next(iter(self.shapes))[len(key)]


class SynthesisLevel(NamedTuple):
    """One level of a synthesis.

    Attributes
    ----------
    synthesis_steps : tuple of (key, step, shapes)
        In the order of execution: bands ``key + 'a'`` and ``key + 'd'``, of these
        shapes even if they are missing, become band ``key``.
    approx_shape : tuple of int or None
        The part of the previous level's result that is used; ``None`` without an approximation.
    detail_keys : tuple of str
        The keys of the details that are present, in order.
    shape : tuple of int
        The shape of the result.
    """

    synthesis_steps: tuple[tuple[str, Step, tuple[Shape, Shape]], ...]
    approx_shape: Shape | None
    detail_keys: tuple[str, ...]
    shape: Shape

    @property
    def approx_key(self) -> str:
        """The key of the approximation: one ``a`` per axis."""
        return "a" * (1 + max(len(key) for key, _, _ in self.synthesis_steps))


@dataclass(frozen=True, eq=False, repr=False)
class AnalysisPlan:
    """All levels of an analysis of one shape.

    Attributes
    ----------
    levels : tuple of AnalysisLevel
        Finest first; empty if nothing is transformed.
    keys : tuple of tuple of str
        The keys of the details of each level, coarsest level first.
    shapes : tuple of tuple of int
        The shapes of all bands: the approximation, then the details, coarsest level first.
    native : dict
        The native plan of each family of kernels.
    adjoints : dict
        The transposed plans, by the bands that are present.
    restrictions : dict
        The plans of some of the bands, by these bands.
    template : AnalysisPlan or None
        The plan with other taps from which this one was made.
    filters : tuple of tuple of taps
        The filters of each axis, with a template.
    """

    levels: tuple[AnalysisLevel, ...]
    keys: Keys
    shapes: tuple[Shape, ...]
    native: dict[Any, Any] = field(default_factory=dict)
    adjoints: dict[Any, SynthesisPlan] = field(default_factory=dict)
    restrictions: dict[Any, AnalysisPlan] = field(default_factory=dict)
    template: AnalysisPlan | None = None
    filters: Filters = ()

    @cached_property
    def parts(self) -> tuple[AnalysisPlan, ...]:
        """A separate plan of each level, finest first."""
        if self.template is not None:
            return tuple(tuned_analysis(part, self.filters) for part in self.template.parts)
        return tuple(analysis_plan_of((level,)) for level in self.levels)

    @cached_property
    def names(self) -> list[tuple[int, str]]:
        """The level, 0 for the coarsest, and the key of each band, in order."""
        (first, *rest) = reversed(self.levels)
        details = [(k, key) for k, level in enumerate(rest, 1) for key in level.detail_keys]
        return [*((0, key) for key in first.shapes), *details]


@dataclass(frozen=True, eq=False, repr=False)
class SynthesisPlan:
    """All levels of a synthesis of bands of given shapes.

    Attributes
    ----------
    levels : tuple of SynthesisLevel
        Coarsest first; empty if nothing is transformed.
    keys : tuple of tuple of str
        The keys of the details that are present on each level, coarsest level first.
    has_approx : bool
        Whether the approximation is present.
    shape : tuple of int
        The shape of the result.
    native : dict
        The native plan of each family of kernels.
    adjoints : dict
        The transposed plan.
    template : SynthesisPlan or None
        The plan with other taps from which this one was made.
    filters : tuple of tuple of taps
        The filters of each axis, with a template.
    """

    levels: tuple[SynthesisLevel, ...]
    keys: Keys
    has_approx: bool
    shape: Shape
    native: dict[Any, Any] = field(default_factory=dict)
    adjoints: dict[Any, AnalysisPlan] = field(default_factory=dict)
    template: SynthesisPlan | None = None
    filters: Filters = ()

    @cached_property
    def parts(self) -> tuple[SynthesisPlan, ...]:
        """A separate plan of each level, coarsest first."""
        if self.template is not None:
            return tuple(tuned_synthesis(part, self.filters) for part in self.template.parts)
        return tuple(synthesis_plan_of((level,)) for level in self.levels)

    @cached_property
    def without_empty_levels(self) -> SynthesisPlan:
        """The plan without the coarsest levels that have no band."""
        first = next(
            (k for k, level in enumerate(self.levels) if level.synthesis_steps), len(self.levels)
        )
        if not first:
            return self
        if self.template is not None:
            return tuned_synthesis(self.template.without_empty_levels, self.filters)
        return SynthesisPlan(self.levels[first:], self.keys[first:], self.has_approx, self.shape)


# --- plans with other taps -------------------------------------------------------------------

# Training changes the taps in each step, but not the geometry. A tuned plan refers to its template,
# which was planned once for the shapes. Its parts and adjoints are those of the template, tuned.


def tuned_analysis(template: AnalysisPlan, filters: Filters) -> AnalysisPlan:
    """The plan of the same analysis with these filters, low-pass and high-pass of each axis."""
    levels = tuple([_tuned_level(level, filters) for level in template.levels])
    return AnalysisPlan(levels, template.keys, template.shapes, template=template, filters=filters)


def _tuned_level(level: AnalysisLevel, filters: Filters) -> AnalysisLevel:
    steps = tuple(
        [
            (key, _tuned(step, filters[len(key)], level.letters(key, step)))
            for key, step in level.analysis_steps
        ]
    )
    return level._replace(analysis_steps=steps)


def tuned_synthesis(template: SynthesisPlan, filters: Filters) -> SynthesisPlan:
    """The plan of the same synthesis with these filters, low-pass and high-pass of each axis."""
    levels = []
    for level in template.levels:
        steps = [
            (key, _tuned(step, filters[len(key)], "ad"), shapes)
            for key, step, shapes in level.synthesis_steps
        ]
        levels.append(level._replace(synthesis_steps=tuple(steps)))
    return SynthesisPlan(
        tuple(levels),
        template.keys,
        template.has_approx,
        template.shape,
        template=template,
        filters=filters,
    )


def _tuned(step: Step, pair: tuple[object, ...], letters: str) -> Step:
    if isinstance(step, IntervalStep):  # its taps are numbers
        return step
    assert isinstance(step, FilterStep)  # lifting is planned with its taps
    if len(letters) == 2:
        return step._replace(filters=pair)
    return step._replace(filters=(pair["d" in letters],))


def analysis_plan_of(levels: tuple[AnalysisLevel, ...]) -> AnalysisPlan:
    """The plan of these levels, finest first; at least one."""
    coarsest_first = levels[::-1]
    keys = tuple(level.detail_keys for level in coarsest_first)
    details = [level.shapes[key] for level in coarsest_first for key in level.detail_keys]
    return AnalysisPlan(levels, keys, (levels[-1].shape, *details))


def synthesis_plan_of(levels: tuple[SynthesisLevel, ...]) -> SynthesisPlan:
    """The plan of these levels, coarsest first; at least one."""
    keys = tuple(level.detail_keys for level in levels)
    return SynthesisPlan(levels, keys, levels[0].approx_shape is not None, levels[-1].shape)


def is_reversible(plan: AnalysisPlan | SynthesisPlan) -> bool:
    """Whether the input of this transform can be rebuilt from its output.

    This holds if all steps are lifting with downsampling, and none drops a sample computed by the
    previous step.
    """
    shape: Shape | None = None
    for level in plan.levels:
        if isinstance(level, AnalysisLevel):
            steps = [step for _, step in level.analysis_steps]
        else:
            steps = [step for _, step, _ in level.synthesis_steps]
            if shape is not None and level.approx_shape != shape:
                return False
            shape = level.shape if steps else None
        if not all(isinstance(step, LiftStep) and step.plan.is_bijective for step in steps):
            return False
    return True


# --- bands, flat and by key ------------------------------------------------------------------


def flatten_bands(
    approx: Band | None, details: Sequence[Mapping[str, Band]]
) -> tuple[list[Band], Keys]:
    """All bands in order (approximation first, keys sorted), and the keys of the details."""
    keys = tuple([tuple(sorted(bands)) for bands in details])
    flat = [] if approx is None else [approx]
    for bands, level_keys in zip(details, keys, strict=True):
        flat += [bands[key] for key in level_keys]
    return flat, keys


def unflatten_bands(
    bands: Sequence[Band], keys: Keys, has_approx: bool = True
) -> tuple[Band | None, list[dict[str, Band]]]:
    """Approximation and details by key, coarsest level first, from all bands in order."""
    remaining = iter(bands)
    approx = next(remaining) if has_approx else None
    return approx, [{key: next(remaining) for key in level_keys} for level_keys in keys]


# --- lifting along all axes -----------------------------------------------------------------


def lifted_axes(keyed: Sequence[tuple[str, Step]]) -> list[LiftStep] | None:
    """The step of each axis, for keys and steps from the first axis to the last.

    None if a step is not lifting, differs between bands, or is missing for some bands.
    """
    steps: list[LiftStep] = []
    for _, of_axis in groupby(keyed, key=lambda item: len(item[0])):
        first, *siblings = [step for _, step in of_axis]
        if not isinstance(first, LiftStep):
            return None
        if not all(isinstance(step, LiftStep) and _same(step, first) for step in siblings):
            return None
        if 1 + len(siblings) != 2 ** len(steps):  # steps of unused bands are missing
            return None
        steps.append(first)
    return steps


def _same(a: LiftStep, b: LiftStep) -> bool:
    # Taps and scales are those of the axis' wavelet, which is the same for all bands.
    return a is b or (a.axis == b.axis and a.plan == b.plan)
