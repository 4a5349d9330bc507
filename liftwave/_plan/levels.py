"""Plans of separable transforms for one shape: the splits and merges of bands.

A plan is computed once for a shape and cached with the plans of the axes (:class:`AxisPlans`), so
repeated calls only look it up. Inputs and outputs are flat lists: the approximation first, then
the details, coarsest level first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias, TypeVar

from liftwave._plan.axes import (
    AxisPlan,
    AxisPlans,
    check_lengths,
    fitting_shape,
    plan_merges,
    with_length,
)
from liftwave._plan.axis import (
    FilterPlan,
    LiftPlan,
    analysis_plan,
    lift_plan,
    synthesis_plan,
    upsampling_plan,
)
from liftwave._plan.lengths import band_lengths, check_size
from liftwave.errors import ShapeError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.taps import FixedPoint, Taps, tap_count

Shape: TypeAlias = tuple[int, ...]
Keys: TypeAlias = tuple[tuple[str, ...], ...]
"""The keys of the detail bands of each level, coarsest level first."""

Band = TypeVar("Band")

# Maximum number of shapes in the cache of an axis plan; a full cache is emptied.
_MAX_SHAPES = 256


class FilterStep(NamedTuple):
    """One band split or merged along one axis by a filter bank."""

    axis: int
    plan: FilterPlan
    filters: tuple[Taps, Taps]


class LiftStep(NamedTuple):
    """One band split or merged along one axis by lifting."""

    axis: int
    plan: LiftPlan
    taps: tuple[Any, ...]
    scale: tuple[Any, Any]


Step: TypeAlias = FilterStep | LiftStep


class AnalysisLevel(NamedTuple):
    """One level of an analysis.

    Attributes
    ----------
    analysis_steps : tuple of (key, step)
        In the order of execution: band ``key`` becomes ``key + 'a'`` and ``key + 'd'``.
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
    """

    levels: tuple[AnalysisLevel, ...]
    keys: Keys
    shapes: tuple[Shape, ...]
    native: dict[Any, Any] = field(default_factory=dict)
    adjoints: dict[Any, SynthesisPlan] = field(default_factory=dict)

    @cached_property
    def parts(self) -> tuple[AnalysisPlan, ...]:
        """A separate plan of each level, finest first."""
        return tuple(analysis_plan_of((level,)) for level in self.levels)


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
    """

    levels: tuple[SynthesisLevel, ...]
    keys: Keys
    has_approx: bool
    shape: Shape
    native: dict[Any, Any] = field(default_factory=dict)
    adjoints: dict[Any, AnalysisPlan] = field(default_factory=dict)

    @cached_property
    def parts(self) -> tuple[SynthesisPlan, ...]:
        """A separate plan of each level, coarsest first."""
        return tuple(synthesis_plan_of((level,)) for level in self.levels)

    @cached_property
    def without_empty_levels(self) -> SynthesisPlan:
        """The plan without the coarsest levels that have no band."""
        first = next(
            (k for k, level in enumerate(self.levels) if level.synthesis_steps), len(self.levels)
        )
        if not first:
            return self
        return SynthesisPlan(self.levels[first:], self.keys[first:], self.has_approx, self.shape)


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


# --- analysis --------------------------------------------------------------------------------


def plan_analysis(shape: Shape, plans: tuple[AxisPlan, ...], level: int) -> AnalysisPlan:
    """The plan of an analysis of ``level`` levels.

    Raises
    ------
    ShapeError, ModeError
        If a level is not possible. Nothing is computed in this case.
    """
    cache = plans.cache if isinstance(plans, AxisPlans) else {}
    key = (shape, level)
    try:
        plan: AnalysisPlan | None = cache.get(key)
    except TypeError:  # a batch whose size is a symbol has no hash
        return _plan_analysis(shape, plans, level)
    if plan is None:
        plan = _plan_analysis(shape, plans, level)
        _cache(cache, key, plan)
    return plan


def _plan_analysis(shape: Shape, plans: tuple[AxisPlan, ...], level: int) -> AnalysisPlan:
    check_lengths(shape, plans, level)
    if not level:
        return AnalysisPlan((), (), (shape,))
    levels, current = [], shape
    for _ in range(level):
        levels.append(_analysis_level(current, plans))
        current = levels[-1].shape
    return analysis_plan_of(tuple(levels))


def _cache(cache: dict[Any, Any], key: Any, value: Any) -> None:
    # Another thread can empty the cache at any time, so no code may rely on an entry.
    if len(cache) >= _MAX_SHAPES:
        cache.clear()
    cache[key] = value


def _analysis_level(shape: Shape, plans: Sequence[AxisPlan]) -> AnalysisLevel:
    bands, keyed_steps = {"": shape}, []
    for plan in plans:
        pairs: dict[str, Shape] = {}
        steps: dict[int, Step] = {}
        for key, band in bands.items():
            n = band[plan.axis]
            # If an axis occurs twice, lifting can give bands of two lengths.
            step = steps.setdefault(n, _analysis_step(plan, n))
            keyed_steps.append((key, step))
            for letter, length in zip("ad", band_lengths(n, plan.wavelet, plan.mode), strict=True):
                pairs[key + letter] = with_length(band, plan.axis, length)
        bands = pairs
    check_size(f"the bands of shape {shape}", *bands.values())
    return AnalysisLevel(tuple(keyed_steps), bands, next(iter(bands)))


def _analysis_step(plan: AxisPlan, n: int) -> Step:
    wavelet = plan.wavelet
    if isinstance(wavelet, LiftingScheme):
        geometry = lift_plan(wavelet, n, plan.mode)
        return LiftStep(plan.axis, geometry, step_taps(wavelet), wavelet.scale)
    filters = (wavelet.dec_lo, wavelet.dec_hi)
    return FilterStep(plan.axis, analysis_plan(n, wavelet.dec_len, plan.mode), filters)


# --- synthesis -------------------------------------------------------------------------------


def plan_synthesis(
    shapes: tuple[Shape, ...],
    keys: Keys,
    has_approx: bool,
    plans: tuple[AxisPlan, ...],
    trim_odd: bool,
) -> SynthesisPlan:
    """The plan of a synthesis from bands of these shapes.

    Parameters
    ----------
    shapes : tuple of tuple of int
        The shapes of all present bands: the approximation, then the details.
    keys : tuple of tuple of str
        The sorted keys of the details on each level, coarsest level first.
    has_approx : bool
        Whether the first of the shapes is that of the approximation.
    plans : tuple of AxisPlan
        The axes, in the order of the keys' letters.
    trim_odd : bool
        Whether an approximation can have one sample too many, which is not used.

    Raises
    ------
    ShapeError, ModeError
        If bands do not fit together. Nothing is computed in this case.
    """
    cache = plans.cache if isinstance(plans, AxisPlans) else {}
    key = (shapes, keys, has_approx, trim_odd)
    try:
        plan: SynthesisPlan | None = cache.get(key)
    except TypeError:  # a batch whose size is a symbol has no hash
        return _plan_synthesis(shapes, keys, has_approx, plans, trim_odd)
    if plan is None:
        plan = _plan_synthesis(shapes, keys, has_approx, plans, trim_odd)
        _cache(cache, key, plan)
    return plan


def _plan_synthesis(
    shapes: tuple[Shape, ...],
    keys: Keys,
    has_approx: bool,
    plans: tuple[AxisPlan, ...],
    trim_odd: bool,
) -> SynthesisPlan:
    if not shapes:
        raise ShapeError("At least one coefficient must contain a valid value.")
    _check_dimensions(shapes)
    shape, details = unflatten_bands([tuple(s) for s in shapes], keys, has_approx)
    if not details:
        return SynthesisPlan((), (), has_approx, tuple(shapes[0]))
    levels = []
    for level_shapes in details:
        levels.append(_synthesis_level(shape, level_shapes, plans, trim_odd))
        if levels[-1].synthesis_steps:
            shape = levels[-1].shape
    return synthesis_plan_of(tuple(levels))


def _synthesis_level(
    approx_shape: Shape | None,
    details: Mapping[str, Shape],
    plans: tuple[AxisPlan, ...],
    trim_odd: bool,
) -> SynthesisLevel:
    bands = dict(details)
    if approx_shape is not None:
        if trim_odd:
            approx_shape = fitting_shape(approx_shape, bands, plans)
        bands["a" * len(plans)] = approx_shape
    if not bands:
        return SynthesisLevel((), None, (), ())
    merges, shape = plan_merges(bands, plans)
    steps = tuple((m.key, _synthesis_step(m.plan, m.shapes), m.shapes) for m in merges)
    check_size("the result", shape)
    return SynthesisLevel(steps, approx_shape, tuple(sorted(details)), shape)


def _check_dimensions(shapes: Sequence[Shape]) -> None:
    dimensions = {len(shape) for shape in shapes}
    if len(dimensions) > 1:
        raise ShapeError(
            f"All coefficients must have a matching number of dimensions, got {sorted(dimensions)}"
        )


def _synthesis_step(plan: AxisPlan, shapes: tuple[Shape, Shape]) -> Step:
    wavelet = plan.wavelet
    n_approx, n_detail = (shape[plan.axis] for shape in shapes)
    if isinstance(wavelet, LiftingScheme):
        geometry = lift_plan(wavelet, n_approx + n_detail, plan.mode).inverse()
        taps = tuple(reversed(step_taps(wavelet)))
        scale = (1 / wavelet.scale[0], 1 / wavelet.scale[1])
        return LiftStep(plan.axis, geometry, taps, scale)
    filters = (wavelet.rec_lo, wavelet.rec_hi)
    return FilterStep(plan.axis, synthesis_plan(n_approx, wavelet.rec_len, plan.mode), filters)


def plan_upsampling(
    part: str, shape: Shape, filters: tuple[Taps, Taps], level: int
) -> SynthesisPlan:
    """The plan of the upsampled convolutions of one band of this shape, along its last axis.

    Details (``part`` is ``"d"``) are those of the first level; all others merge approximations.
    """
    levels, axis = [], len(shape) - 1
    for depth in range(level):
        is_detail = part == "d" and depth == 0
        plan = upsampling_plan(shape[-1], tap_count(filters[0]))
        step = ("", FilterStep(axis, plan, filters), (shape, shape))
        approx_shape, keys = (None, ("d",)) if is_detail else (shape, ())
        shape = (*shape[:-1], plan.n_out)
        levels.append(SynthesisLevel((step,), approx_shape, keys, shape))
    return synthesis_plan_of(tuple(levels))


def step_taps(scheme: LiftingScheme) -> tuple[Any, ...]:
    """The taps of a scheme's steps, as numbers or as fixed-point numbers."""
    if scheme.integer:
        return tuple(FixedPoint(*scheme.fixed_point(step)) for step in scheme.steps)
    return tuple(step.taps for step in scheme.steps)


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
