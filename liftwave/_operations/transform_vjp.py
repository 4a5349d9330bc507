"""Multilevel transforms differentiated: products with the transposed derivative.

With respect to the data a transform's derivative is the transform, and its adjoint is one
call of fused kernels (:func:`analysis_adjoint`, :func:`synthesis_adjoint`). With respect to
taps and scales it needs the values that went through the steps. Nothing is kept for it on the
way forward: filter banks are run again from the input, and lifting is undone from the output
(:func:`analysis_vjp`, :func:`synthesis_vjp`).

Cotangents are gradients in the sense of ``Re <cotangent, result>``; missing ones are zero.
Details are dicts by key, coarsest level first, as in ``_course.py``; levels are in the order in
which they run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from liftwave._arrays.convert import real_dtype, zeros
from liftwave._kernels.axis_by_axis import approx_key, completed, merge, split, with_approx
from liftwave._kernels.contract import Kernels, LiftPullback
from liftwave._plan.axis import FilterPlan
from liftwave._plan.levels import AnalysisLevel, FilterStep, LiftStep, Shape, Step, SynthesisLevel
from liftwave._plan.transpose import adjoint_of_analysis, adjoint_of_synthesis
from liftwave._typing import Array
from liftwave.wavelets.taps import reversed_taps, tap_count

Bands: TypeAlias = Mapping[str, Array]


class FilterGradient(NamedTuple):
    """The gradients in the low-pass and the high-pass filter of one axis."""

    low: Array
    high: Array


class LiftGradient(NamedTuple):
    """The gradients in what one axis is lifted by, in the order in which the levels run it."""

    taps: tuple[Array, ...]
    scale: Array  # of shape (2,)


StepGradient: TypeAlias = FilterGradient | LiftGradient


class AnalysisPullback(NamedTuple):
    """The cotangent of the data, and a gradient for each axis (in the order of the letters)."""

    data: Array
    axes: tuple[StepGradient, ...]


class SynthesisPullback(NamedTuple):
    """Cotangents of the bands that were given, and a gradient for each axis."""

    approx: Array | None
    details: list[dict[str, Array]]
    axes: tuple[StepGradient, ...]


# --- adjoints: data only ---------------------------------------------------------------------


def analysis_adjoint(
    approx: Array | None,
    details: Sequence[Bands],
    levels: Sequence[AnalysisLevel],
    kernels: Kernels,
) -> Array | None:
    """The cotangent of the data, for cotangents of some bands; ``None`` if there are none."""
    first = 0
    if approx is None:
        first = next((k for k, bands in enumerate(details) if bands), len(details))
        if first == len(details):
            return None
    if not levels:
        return approx
    given = tuple(tuple(sorted(bands)) for bands in details[first:])
    used = levels[: len(levels) - first]
    transposed = adjoint_of_analysis(used, given, approx is not None)
    return kernels.synthesise(approx, details[first:], transposed)


def synthesis_adjoint(
    cotangent: Array, levels: Sequence[SynthesisLevel], kernels: Kernels
) -> tuple[Array | None, list[dict[str, Array]]]:
    """Cotangents of the bands that the levels are given."""
    used = _merging(levels)
    if not used:  # no axis is transformed
        return cotangent, [{} for _ in levels]
    approx, details = kernels.analyse(cotangent, adjoint_of_synthesis(used))
    details.reverse()
    given = [
        {key: bands[key] for key in level.given} for level, bands in zip(used, details, strict=True)
    ]
    empty: list[dict[str, Array]] = [{} for _ in range(len(levels) - len(used))]
    return None if used[0].used is None else approx, [*empty, *given]


def _merging(levels: Sequence[SynthesisLevel]) -> Sequence[SynthesisLevel]:
    """The levels from the first one on that is given anything (before it there is nothing)."""
    first = next((k for k, level in enumerate(levels) if level.merges), len(levels))
    return levels[first:]


# --- analysis --------------------------------------------------------------------------------


def analysis_vjp(
    x: Array | None,
    outputs: tuple[Array, Sequence[Bands]] | None,
    cotangents: tuple[Array | None, Sequence[Bands]],
    levels: Sequence[AnalysisLevel],
    kernels: Kernels,
) -> AnalysisPullback:
    """Cotangent of the data, and gradients in taps and scales.

    Parameters
    ----------
    x : array, optional
        The data. Not needed where :func:`is_reversible` says so and ``outputs`` are there.
    outputs : (approx, details), optional
        What the analysis returned.
    cotangents : (approx or None, details)
        Those of the outputs.
    levels : sequence of AnalysisLevel
        At least one.
    """
    from_outputs = outputs is not None and is_reversible(levels)
    values = _outputs(outputs, levels) if from_outputs else _analysed_again(x, levels, kernels)
    sums: dict[int, StepGradient] = {}
    cotangent, details = cotangents
    upward: Array | None = None  # the value of the approximation, once it is rebuilt
    for level, bands in zip(reversed(levels), details, strict=True):
        known, first = values.pop(), next(iter(level.shapes))
        if upward is not None:
            known.setdefault(first, upward)
        given = dict(bands) if cotangent is None else {first: cotangent, **bands}
        cotangent = _split_back(given, known, level, kernels, sums)
        upward = known[""]
    if cotangent is None:
        cotangent = array_namespace(upward).zeros_like(upward)
    steps = [(key, step) for key, step in levels[0].splits]
    return AnalysisPullback(cotangent, _filled(sums, steps, cotangent))


def is_reversible(levels: Sequence[AnalysisLevel | SynthesisLevel]) -> bool:
    """Whether what went through these levels can be rebuilt from what came out.

    It can if all steps are lifting, and none drops a sample that the step before it made.
    """
    shape: Shape | None = None
    for level in levels:
        if isinstance(level, AnalysisLevel):
            steps = [step for _, step in level.splits]
        else:
            steps = [step for _, step, _ in level.merges]
            if shape is not None and level.used != shape:
                return False
            shape = level.shape if steps else None
        if not all(isinstance(step, LiftStep) for step in steps):
            return False
    return True


def _outputs(outputs: Any, levels: Sequence[AnalysisLevel]) -> list[dict[str, Array]]:
    """Bands of each level, finest first; the approximation only of the coarsest."""
    approx, details = outputs
    values = [dict(bands) for bands in reversed(details)]
    values[-1][next(iter(levels[-1].shapes))] = approx
    return values


def _analysed_again(
    x: Array, levels: Sequence[AnalysisLevel], kernels: Kernels
) -> list[dict[str, Array]]:
    """What goes into filters, and comes out of lifting, for each level, finest first."""
    values = []
    for level in levels:
        known = {"": x}
        inner = {key for key, _ in level.splits}
        for key, step in level.splits:
            if isinstance(step, LiftStep) or {key + "a", key + "d"} & inner:
                known[key + "a"], known[key + "d"] = split(known[key], step, kernels)
        values.append(known)
        if level is not levels[-1]:
            first = next(iter(level.shapes))
            x = known[first] if first in known else kernels.analyse(x, (level,))[0]
    return values


def _split_back(
    cotangents: dict[str, Array],
    values: dict[str, Array],
    level: AnalysisLevel,
    kernels: Kernels,
    sums: dict[int, StepGradient],
) -> Array | None:
    """One level: the cotangent of what was split (and its value, among ``values``)."""
    (transposed,) = adjoint_of_analysis((level,))
    for (key, step), (_, merging, shapes) in zip(
        reversed(level.splits), transposed.merges, strict=True
    ):
        pair = [cotangents.pop(key + letter, None) for letter in "ad"]
        missing = pair[0] is None and pair[1] is None
        if isinstance(step, LiftStep):
            halves = [values[key + letter] for letter in "ad"]
            if missing:
                values.setdefault(key, _unlifted(halves, step, kernels))
                continue
            back = kernels.lift_vjp(
                halves, completed(pair, shapes), step.plan, step.taps, step.scale, step.axis
            )
            values.setdefault(key, back.inputs[0])
            cotangents[key] = back.cotangents[0]
            _add(sums, len(key), _lift_gradient(back))
        elif not missing:
            _add(sums, len(key), _filter_gradient(values[key], pair, step.plan, step, kernels))
            cotangents[key] = merge(pair, merging, shapes, kernels)
    return cotangents.get("")


def _unlifted(bands: Sequence[Array], step: LiftStep, kernels: Kernels) -> Array:
    """The value of a band whose cotangent is zero."""
    scale = (1 / step.scale[0], 1 / step.scale[1])
    approx, detail = bands
    plan, taps = step.plan.inverse(), step.taps[::-1]
    return kernels.lift_synthesis(approx, detail, plan, taps, scale, step.axis)


# --- synthesis -------------------------------------------------------------------------------


def synthesis_vjp(
    inputs: tuple[Array | None, Sequence[Bands]] | None,
    result: Array | None,
    cotangent: Array,
    levels: Sequence[SynthesisLevel],
    kernels: Kernels,
) -> SynthesisPullback:
    """Cotangents of the bands, and gradients in taps and scales (those of the wavelet).

    Parameters
    ----------
    inputs : (approx or None, details), optional
        The bands. Not needed where :func:`is_reversible` says so and ``result`` is there.
    result : array, optional
        What the synthesis returned.
    cotangent : array
        That of the result.
    levels : sequence of SynthesisLevel
        At least one that merges something.
    """
    used = _merging(levels)
    from_result = result is not None and is_reversible(used)
    values: list[dict[str, Array]] = [{} for _ in used]
    if not from_result:
        values = _synthesised_again(inputs, used, kernels)
    sums: dict[int, StepGradient] = {}
    details: list[dict[str, Array]] = []
    current: Array | None = cotangent
    upward = result  # the value of what a level made, where it is rebuilt
    for level in reversed(used):
        known = values.pop()
        if from_result:
            known[""] = upward
        bands = _merge_back(padded(current, level.shape), known, level, kernels, sums)
        details.append({key: bands[key] for key in level.given})
        if level.used is not None:
            current, upward = bands[approx_key(level)], known.get(approx_key(level))
    details += [{} for _ in range(len(levels) - len(used))]
    steps = [(key, step) for key, step, _ in levels[-1].merges]
    gradients = tuple(map(_undone, _filled(sums, steps, cotangent), _by_axis(steps)))
    approx = None if levels[0].used is None else current
    return SynthesisPullback(approx, details[::-1], gradients)


def _synthesised_again(
    inputs: Any, levels: Sequence[SynthesisLevel], kernels: Kernels
) -> list[dict[str, Array]]:
    """What goes into filters, and comes out of lifting, for each level, coarsest first."""
    values = []
    current, details = inputs
    for level, bands in zip(levels, details[len(details) - len(levels) :], strict=True):
        known = dict(with_approx(bands, current, level))
        for key, step, shapes in level.merges:
            if key or isinstance(step, LiftStep) or level is not levels[-1]:
                pair = [known.get(key + letter) for letter in "ad"]
                known[key] = merge(pair, step, shapes, kernels)
        current = known.get("")
        values.append(known)
    return values


def _merge_back(
    cotangent: Array,
    values: dict[str, Array],
    level: SynthesisLevel,
    kernels: Kernels,
    sums: dict[int, StepGradient],
) -> dict[str, Array]:
    """One level: the cotangents of what was merged (and its values, if they were not known)."""
    (transposed,) = adjoint_of_synthesis((level,))
    splitting = dict(transposed.splits)
    cotangents = {"": cotangent}
    for key, step, _ in reversed(level.merges):
        outer, halves = cotangents.pop(key), [key + letter for letter in "ad"]
        if isinstance(step, LiftStep):
            back = kernels.lift_vjp(
                [values[key]], [outer], step.plan, step.taps, step.scale, step.axis
            )
            for half, value, inner in zip(halves, back.inputs, back.cotangents, strict=True):
                values.setdefault(half, value)
                cotangents[half] = inner
            _add(sums, len(key), _lift_gradient(back))
            continue
        split_by = cast(FilterStep, splitting[key])
        pair = [values.get(half) for half in halves]
        reversed_gradient = _filter_gradient(outer, pair, split_by.plan, step, kernels)
        _add(sums, len(key), FilterGradient(*map(reversed_taps, reversed_gradient)))
        for half, inner in zip(halves, split(outer, split_by, kernels), strict=True):
            cotangents[half] = inner
    return cotangents


def _undone(gradient: StepGradient, step: Step) -> StepGradient:
    """In terms of the scheme: a synthesis takes its steps last first, and divides by its scales."""
    if not isinstance(gradient, LiftGradient) or not isinstance(step, LiftStep):
        return gradient
    factors = [-(f * f) * gradient.scale[k] for k, f in enumerate(step.scale)]
    return LiftGradient(gradient.taps[::-1], array_namespace(gradient.scale).stack(factors))


def padded(x: Array, shape: Shape) -> Array:
    """``x`` with zeros behind it along each axis: :func:`separable.trimmed` transposed."""
    xp = array_namespace(x)
    for axis, length in enumerate(shape):
        missing = length - x.shape[axis]
        if missing:
            beyond = zeros((*x.shape[:axis], missing, *x.shape[axis + 1 :]), x, xp)
            x = xp.concat([x, beyond], axis=axis)
    return x


# --- gradients -------------------------------------------------------------------------------


def _filter_gradient(
    x: Array, bands: Sequence[Array | None], plan: FilterPlan, step: FilterStep, kernels: Kernels
) -> FilterGradient:
    """That of an analysis of ``x`` by ``plan`` into these bands; zero for one that is missing."""
    present = [band for band in bands if band is not None]
    found = iter(kernels.tap_gradients(x, present, plan, step.axis))
    low, high = (_no_taps(step, x) if band is None else next(found) for band in bands)
    return FilterGradient(low, high)


def _lift_gradient(back: LiftPullback) -> LiftGradient:
    return LiftGradient(tuple(back.taps), array_namespace(*back.scale).stack(list(back.scale)))


def _no_taps(step: FilterStep, like: Array) -> Array:
    return real_zeros((tap_count(step.filters[0]),), like)


def real_zeros(shape: Shape, like: Array) -> Array:
    """Zeros with the real precision, and on the device, of ``like``."""
    xp = array_namespace(like)
    return xp.zeros(shape, dtype=real_dtype(like, xp), device=device_of(like))


def _add(sums: dict[int, StepGradient], index: int, gradient: StepGradient) -> None:
    """Add to the gradient of an axis: over bands, and over levels."""
    known = sums.get(index)
    sums[index] = gradient if known is None else _sum(known, gradient)


def _sum(a: StepGradient, b: StepGradient) -> StepGradient:
    if isinstance(a, LiftGradient) and isinstance(b, LiftGradient):
        taps = tuple(s + t for s, t in zip(a.taps, b.taps, strict=True))
        return LiftGradient(taps, a.scale + b.scale)
    return FilterGradient(a[0] + b[0], a[1] + b[1])


def _by_axis(steps: Sequence[tuple[str, Step]]) -> list[Step]:
    """A step of each axis, in the order of the keys' letters."""
    return [step for _, step in sorted({len(key): step for key, step in steps}.items())]


def _filled(
    sums: dict[int, StepGradient], steps: Sequence[tuple[str, Step]], like: Array
) -> tuple[StepGradient, ...]:
    """The gradient of each axis, zero where nothing came back."""
    return tuple(
        sums[index] if index in sums else _no_gradient(step, like)
        for index, step in enumerate(_by_axis(steps))
    )


def _no_gradient(step: Step, like: Array) -> StepGradient:
    if isinstance(step, FilterStep):
        return FilterGradient(_no_taps(step, like), _no_taps(step, like))
    taps = tuple(real_zeros((tap_count(t),), like) for t in step.taps)
    return LiftGradient(taps, real_zeros((2,), like))
