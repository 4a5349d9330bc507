"""Computes the plans of separable transforms for one shape.

A plan is computed once for a shape and cached with the plans of the axes (:class:`AxisPlans`), so
repeated calls only look it up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from liftwave._plan.axes import (
    AxisPlan,
    AxisPlans,
    check_lengths,
    fitting_shape,
    plan_merges,
    with_length,
)
from liftwave._plan.axis import (
    analysis_plan,
    dilated_plan,
    joined_plan,
    lift_plan,
    synthesis_plan,
    upsampling_plan,
)
from liftwave._plan.lengths import band_lengths, check_size
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
    unflatten_bands,
)
from liftwave._plan.undecimated import Undecimated
from liftwave._plan.undecimated_lifting import whole_lift_plan, whole_scales
from liftwave.errors import ShapeError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.taps import FixedPoint, Taps, tap_count

# Maximum number of shapes in the cache of an axis plan; a full cache is emptied.
_MAX_SHAPES = 256

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
    for depth in range(level):
        levels.append(_analysis_level(current, plans, depth))
        current = levels[-1].shape
    return analysis_plan_of(tuple(levels))


def _cache(cache: dict[Any, Any], key: Any, value: Any) -> None:
    # Another thread can empty the cache at any time, so no code may rely on an entry.
    if len(cache) >= _MAX_SHAPES:
        cache.clear()
    cache[key] = value


def _analysis_level(shape: Shape, plans: Sequence[AxisPlan], depth: int) -> AnalysisLevel:
    bands, keyed_steps = {"": shape}, []
    for plan in plans:
        pairs: dict[str, Shape] = {}
        steps: dict[str, Step] = {}  # a length that is a symbol has no hash
        for key, band in bands.items():
            n = band[plan.axis]
            # If an axis occurs twice, lifting can give bands of two lengths.
            step = steps.setdefault(str(n), _analysis_step(plan, n, depth))
            keyed_steps.append((key, step))
            for letter, length in zip("ad", band_lengths(n, plan.wavelet, plan.mode), strict=True):
                pairs[key + letter] = with_length(band, plan.axis, length)
        bands = pairs
    check_size(f"the bands of shape {shape}", *bands.values())
    return AnalysisLevel(tuple(keyed_steps), bands, next(iter(bands)))


def _analysis_step(plan: AxisPlan, n: int, depth: int) -> Step:
    axis, wavelet, mode = plan
    if isinstance(mode, Undecimated):
        if isinstance(wavelet, LiftingScheme):
            return _whole_lift_step(axis, wavelet, n, mode, depth)
        taps = mode.analysis_taps(wavelet.dec_len, depth)
        undecimated = dilated_plan(n, wavelet.dec_len, *taps, mode.boundary)
        return FilterStep(axis, undecimated, mode.analysis_filters(wavelet))
    if isinstance(wavelet, LiftingScheme):
        geometry = lift_plan(wavelet, n, mode)
        return LiftStep(axis, geometry, step_taps(wavelet), wavelet.scale)
    if mode == "orthogonal":
        return _interval_step(axis, wavelet, n)
    filters = (wavelet.dec_lo, wavelet.dec_hi)
    return FilterStep(axis, analysis_plan(n, wavelet.dec_len, mode), filters)


def _interval_step(axis: int, bank: FilterBank, n: int) -> IntervalStep:
    from liftwave._plan.interval import interval_plan  # few programs use this mode

    filters = (bank.dec_lo, bank.dec_hi)
    return IntervalStep(axis, interval_plan(n, *filters), filters)


def _whole_lift_step(
    axis: int, scheme: LiftingScheme, n: int, options: Undecimated, depth: int
) -> LiftStep:
    plan = whole_lift_plan(scheme, n, options, depth)
    return LiftStep(axis, plan, step_taps(scheme), whole_scales(scheme, plan.factor))


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
    for depth, level_shapes in zip(reversed(range(len(details))), details, strict=True):
        levels.append(_synthesis_level(shape, level_shapes, plans, trim_odd, depth))
        if levels[-1].synthesis_steps:
            shape = levels[-1].shape
    return synthesis_plan_of(tuple(levels))


def _synthesis_level(
    approx_shape: Shape | None,
    details: Mapping[str, Shape],
    plans: tuple[AxisPlan, ...],
    trim_odd: bool,
    depth: int,
) -> SynthesisLevel:
    bands = dict(details)
    if approx_shape is not None:
        if trim_odd:
            approx_shape = fitting_shape(approx_shape, bands, plans)
        bands["a" * len(plans)] = approx_shape
    if not bands:
        return SynthesisLevel((), None, (), ())
    merges, shape = plan_merges(bands, plans)
    steps = tuple((m.key, _synthesis_step(m.plan, m.shapes, depth), m.shapes) for m in merges)
    check_size("the result", shape)
    return SynthesisLevel(steps, approx_shape, tuple(sorted(details)), shape)


def _check_dimensions(shapes: Sequence[Shape]) -> None:
    dimensions = {len(shape) for shape in shapes}
    if len(dimensions) > 1:
        raise ShapeError(
            f"All coefficients must have a matching number of dimensions, got {sorted(dimensions)}"
        )


def _synthesis_step(plan: AxisPlan, shapes: tuple[Shape, Shape], depth: int) -> Step:
    axis, wavelet, mode = plan
    n_approx, n_detail = (shape[axis] for shape in shapes)
    if isinstance(mode, Undecimated):
        if isinstance(wavelet, LiftingScheme):
            step = _whole_lift_step(axis, wavelet, n_approx, mode, depth)
            inverse = 1 / step.scale[0], 1 / step.scale[1]
            return LiftStep(axis, step.plan.inverse(), step.taps[::-1], inverse)
        taps = mode.synthesis_taps(wavelet.rec_len, depth)
        joined = joined_plan(n_approx, wavelet.rec_len, *taps)
        return FilterStep(axis, joined, mode.synthesis_filters(wavelet))
    if isinstance(wavelet, LiftingScheme):
        geometry = lift_plan(wavelet, n_approx + n_detail, mode).inverse()
        taps = tuple(reversed(step_taps(wavelet)))
        scale = (1 / wavelet.scale[0], 1 / wavelet.scale[1])
        return LiftStep(axis, geometry, taps, scale)
    if mode == "orthogonal":
        return _interval_step(axis, wavelet, n_approx + n_detail)
    filters = (wavelet.rec_lo, wavelet.rec_hi)
    return FilterStep(axis, synthesis_plan(n_approx, wavelet.rec_len, mode), filters)


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
