"""Levels of separable transforms, ready for kernels: which band is split or merged, and how.

Made once for a shape and kept with the plan of the axes (:class:`AxisPlans`),
so that repeated calls look up one object and run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeAlias

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
    band_lengths,
    check_size,
    lift_plan,
    synthesis_plan,
    upsampling_plan,
)
from liftwave._typing import Array
from liftwave.errors import ShapeError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.taps import FixedPoint, Taps, tap_count

Shape: TypeAlias = tuple[int, ...]

# Shapes for which an axis plan keeps its levels; beyond that it starts anew.
_KEPT = 256


@dataclass(frozen=True, eq=False)
class FilterStep:
    """One band split or merged along one axis by a filter bank."""

    axis: int
    plan: FilterPlan
    filters: tuple[Taps, Taps]


@dataclass(frozen=True, eq=False)
class LiftStep:
    """One band split or merged along one axis by lifting."""

    axis: int
    plan: LiftPlan
    taps: tuple[Any, ...]
    scale: tuple[Any, Any]


Step: TypeAlias = FilterStep | LiftStep


@dataclass(frozen=True, eq=False)
class AnalysisLevel:
    """One level of an analysis.

    Attributes
    ----------
    splits : tuple of (key, step)
        In the order in which they run: band ``key`` becomes ``key + 'a'`` and ``key + 'd'``.
    shapes : dict
        The shape of each band, in the order of the keys; approximation first.
    prepared : dict
        What families of kernels made of the levels from this one on.
    """

    splits: tuple[tuple[str, Step], ...]
    shapes: dict[str, Shape]
    prepared: dict[Any, Any] = field(default_factory=dict)

    @property
    def shape(self) -> Shape:
        """The shape of the approximation."""
        return next(iter(self.shapes.values()))


@dataclass(frozen=True, eq=False)
class SynthesisLevel:
    """One level of a synthesis.

    Attributes
    ----------
    merges : tuple of (key, step, shapes)
        In the order in which they run: bands ``key + 'a'`` and ``key + 'd'``, of
        these shapes also where they are missing, become band ``key``.
    used : tuple of int or None
        The part of the previous level's result that is used; ``None`` if there is no approximation.
    given : tuple of str
        The keys of the bands that are given beside the approximation, in order.
    shape : tuple of int
        Of the result.
    prepared : dict
        What families of kernels made of the levels from this one on.
    """

    merges: tuple[tuple[str, Step, tuple[Shape, Shape]], ...]
    used: Shape | None
    given: tuple[str, ...]
    shape: Shape
    prepared: dict[Any, Any] = field(default_factory=dict)


# --- analysis --------------------------------------------------------------------------------


def analysis_levels(
    shape: Shape, plans: tuple[AxisPlan, ...], level: int
) -> tuple[AnalysisLevel, ...]:
    """The levels of an analysis, finest first.

    Raises
    ------
    ShapeError, ModeError
        If a level cannot be: nothing has been computed then.
    """
    kept = plans.kept if isinstance(plans, AxisPlans) else {}
    key = (shape, level)
    try:
        found: tuple[AnalysisLevel, ...] | None = kept.get(key)
    except TypeError:  # a batch whose size is a symbol has no hash
        return _analysis_levels(shape, plans, level)
    if found is None:
        found = _analysis_levels(shape, plans, level)
        _keep(kept, key, found)
    return found


def _analysis_levels(
    shape: Shape, plans: tuple[AxisPlan, ...], level: int
) -> tuple[AnalysisLevel, ...]:
    check_lengths(shape, plans, level)
    levels, current = [], shape
    for _ in range(level):
        levels.append(_analysis_level(current, plans))
        current = levels[-1].shape
    return tuple(levels)


def _keep(kept: dict[Any, Any], key: Any, value: Any) -> None:
    # Another thread may drop all at any time: nobody counts on finding what was kept.
    if len(kept) >= _KEPT:
        kept.clear()
    kept[key] = value


def _analysis_level(shape: Shape, plans: Sequence[AxisPlan]) -> AnalysisLevel:
    bands, splits = {"": shape}, []
    for plan in plans:
        halves: dict[str, Shape] = {}
        steps: dict[int, Step] = {}
        for key, band in bands.items():
            n = band[plan.axis]
            # An axis that occurs twice may have bands of two lengths, by lifting.
            step = steps.setdefault(n, _analysis_step(plan, n))
            splits.append((key, step))
            for letter, length in zip("ad", band_lengths(n, plan.wavelet, plan.mode), strict=True):
                halves[key + letter] = with_length(band, plan.axis, length)
        bands = halves
    check_size(f"the bands of shape {shape}", *bands.values())
    return AnalysisLevel(tuple(splits), bands)


def _analysis_step(plan: AxisPlan, n: int) -> Step:
    wavelet = plan.wavelet
    if isinstance(wavelet, LiftingScheme):
        geometry = lift_plan(wavelet, n, plan.mode)
        return LiftStep(plan.axis, geometry, step_taps(wavelet), wavelet.scale)
    filters = (wavelet.dec_lo, wavelet.dec_hi)
    return FilterStep(plan.axis, analysis_plan(n, wavelet.dec_len, plan.mode), filters)


# --- synthesis -------------------------------------------------------------------------------


def synthesis_levels(
    approx: Array | None,
    details: Sequence[Mapping[str, Array]],
    plans: tuple[AxisPlan, ...],
    fit: bool,
) -> tuple[SynthesisLevel, ...]:
    """The levels of a synthesis from these bands, coarsest first.

    With ``fit``, an approximation may have one sample too many.

    Raises
    ------
    ShapeError, ModeError
        If bands do not belong together: nothing has been computed then.
    """
    shape = None if approx is None else tuple(approx.shape)
    shapes = tuple([tuple([(k, tuple(b.shape)) for k, b in bands.items()]) for bands in details])
    return synthesis_levels_of(shape, shapes, plans, fit)


def synthesis_levels_of(
    shape: Shape | None,
    shapes: tuple[tuple[tuple[str, Shape], ...], ...],
    plans: tuple[AxisPlan, ...],
    fit: bool,
) -> tuple[SynthesisLevel, ...]:
    """The levels of a synthesis from bands of these shapes (see :func:`synthesis_levels`)."""
    kept = plans.kept if isinstance(plans, AxisPlans) else {}
    key = (shape, shapes, fit)
    try:
        found: tuple[SynthesisLevel, ...] | None = kept.get(key)
    except TypeError:  # a batch whose size is a symbol has no hash
        return _synthesis_levels(shape, [dict(s) for s in shapes], plans, fit)
    if found is None:
        found = _synthesis_levels(shape, [dict(s) for s in shapes], plans, fit)
        _keep(kept, key, found)
    return found


def _synthesis_levels(
    shape: Shape | None, details: Sequence[dict[str, Shape]], plans: tuple[AxisPlan, ...], fit: bool
) -> tuple[SynthesisLevel, ...]:
    if shape is None and not any(details):
        raise ShapeError("At least one coefficient must contain a valid value.")
    _check_dimensions(shape, details)
    levels = []
    for shapes in details:
        used = fitting_shape(shape, shapes, plans) if fit and shape is not None else shape
        bands = dict(shapes)
        if used is not None:
            bands["a" * len(plans)] = used
        merges: list[tuple[str, Step, tuple[Shape, Shape]]] = []
        if bands:
            planned, shape = plan_merges(bands, plans)
            merges = [(m.key, _synthesis_step(m.plan, m.shapes), m.shapes) for m in planned]
        made = () if shape is None else shape
        check_size("the result", made)
        levels.append(SynthesisLevel(tuple(merges), used, tuple(sorted(shapes)), made))
    return tuple(levels)


def _check_dimensions(shape: Shape | None, details: Sequence[dict[str, Shape]]) -> None:
    dimensions = {len(band) for bands in details for band in bands.values()}
    dimensions |= set() if shape is None else {len(shape)}
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


def upsampling_levels(
    part: str, m: int, filters: tuple[Taps, Taps], level: int
) -> tuple[SynthesisLevel, ...]:
    """The levels of the upsampled convolutions of one band of ``m`` coefficients with edges.

    Details (``part`` is ``"d"``) are those of the first level; all others merge approximations.
    """
    levels = []
    for depth in range(level):
        is_detail = part == "d" and depth == 0
        plan = upsampling_plan(m, tap_count(filters[0]))
        merge = ("", FilterStep(0, plan, filters), ((m,), (m,)))
        used, given = (None, ("d",)) if is_detail else ((m,), ())
        levels.append(SynthesisLevel((merge,), used, given, (plan.n_out,)))
        m = plan.n_out
    return tuple(levels)


def step_taps(scheme: LiftingScheme) -> tuple[Any, ...]:
    """The taps of a scheme's steps, in the arithmetic in which it runs."""
    if scheme.integer:
        return tuple(FixedPoint(*scheme.fixed_point(step)) for step in scheme.steps)
    return tuple(step.taps for step in scheme.steps)


def lifted_axes(keyed: Sequence[tuple[str, Step]]) -> list[LiftStep] | None:
    """The step of each axis, for keys and steps from the first axis to the last.

    None if one of them is not lifting, differs among bands, or is left out for some.
    """
    steps: list[LiftStep] = []
    for _, of_axis in groupby(keyed, key=lambda each: len(each[0])):
        first, *others = [step for _, step in of_axis]
        if not isinstance(first, LiftStep):
            return None
        if not all(isinstance(step, LiftStep) and _same(step, first) for step in others):
            return None
        if 1 + len(others) != 2 ** len(steps):  # bands that nobody needs are left out
            return None
        steps.append(first)
    return steps


def _same(a: LiftStep, b: LiftStep) -> bool:
    # Taps and scales belong to the axis' wavelet, which is the same for all bands.
    return a is b or (a.axis == b.axis and a.plan == b.plan)
