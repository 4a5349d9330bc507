"""Vector-Jacobian products of multilevel transforms.

With respect to the data, the derivative of a transform is the transform itself. Its adjoint is
one call of fused kernels (:func:`analysis_adjoint`, :func:`synthesis_adjoint`). The derivative
with respect to taps and scales needs the intermediate values. The forward pass does not store
them: filter banks are run again from the input, and lifting is undone from the output
(:func:`analysis_vjp`, :func:`synthesis_vjp`).

Cotangents are gradients in the sense of ``Re <cotangent, result>``. Missing ones are zero.
Details are dicts by key, coarsest level first, as in ``_execute.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from array_api_compat import array_namespace

from liftwave._kernels.axis_by_axis import bands_of_level, fill_missing, merge, padded, split
from liftwave._kernels.contract import Kernels, LiftPullback
from liftwave._operations.tap_gradients import (
    FilterGradient,
    LiftGradient,
    StepGradient,
    no_gradient,
    no_taps,
)
from liftwave._plan.levels import (
    AnalysisPlan,
    FilterStep,
    IntervalStep,
    LiftStep,
    Shape,
    Step,
    SynthesisPlan,
    flatten_bands,
    is_reversible,
    unflatten_bands,
)
from liftwave._plan.transpose import adjoint_of_analysis, adjoint_of_synthesis
from liftwave._typing import Array
from liftwave.wavelets.taps import reversed_taps

Bands: TypeAlias = Mapping[str, Array]


class AnalysisPullback(NamedTuple):
    """The cotangent of the data, and a gradient for each axis (in the order of the letters)."""

    data: Array
    axes: tuple[StepGradient, ...]


class SynthesisPullback(NamedTuple):
    """Cotangents of the present bands, and a gradient for each axis."""

    approx: Array | None
    details: list[dict[str, Array]]
    axes: tuple[StepGradient, ...]


# --- adjoints: data only ---------------------------------------------------------------------


def analysis_adjoint(
    approx: Array | None,
    details: Sequence[Bands],
    plan: AnalysisPlan,
    kernels: Kernels,
) -> Array | None:
    """The cotangent of the data from cotangents of some bands; ``None`` without cotangents."""
    bands, keys = flatten_bands(approx, details)
    if not bands:
        return None
    if not plan.levels:
        return approx
    return kernels.synthesise(bands, adjoint_of_analysis(plan, keys, approx is not None))


def synthesis_adjoint(
    cotangent: Array, plan: SynthesisPlan, kernels: Kernels
) -> tuple[Array | None, list[dict[str, Array]]]:
    """Cotangents of the bands of the plan."""
    used = plan.without_empty_levels
    if not used.levels:  # no axis is transformed
        return cotangent, [{} for _ in plan.levels]
    adjoint = adjoint_of_synthesis(used)
    approx, details = unflatten_bands(kernels.analyse(cotangent, adjoint), adjoint.keys)
    used_details = [
        {key: bands[key] for key in keys} for keys, bands in zip(used.keys, details, strict=True)
    ]
    empty: list[dict[str, Array]] = [{} for _ in range(len(plan.levels) - len(used.levels))]
    return approx if used.has_approx else None, [*empty, *used_details]


# --- analysis --------------------------------------------------------------------------------


def analysis_vjp(
    x: Array | None,
    outputs: tuple[Array, Sequence[Bands]] | None,
    cotangents: tuple[Array | None, Sequence[Bands]],
    plan: AnalysisPlan,
    kernels: Kernels,
) -> AnalysisPullback:
    """Cotangent of the data, and gradients of taps and scales.

    Parameters
    ----------
    x : array, optional
        The data. Not needed if ``outputs`` are passed and the plan :func:`is_reversible`.
    outputs : (approx, details), optional
        The result of the analysis.
    cotangents : (approx or None, details)
        The cotangents of the outputs.
    plan : AnalysisPlan
        A plan of at least one level.
    """
    from_outputs = outputs is not None and is_reversible(plan)
    values = _outputs(outputs, plan) if from_outputs else _analysed_again(x, plan, kernels)
    sums: dict[int, StepGradient] = {}
    cotangent, details = cotangents
    upward: Array | None = None  # the value of the approximation, once it is rebuilt
    for part, bands in zip(reversed(plan.parts), details, strict=True):
        level_values, first = values.pop(), part.levels[0].approx_key
        if upward is not None:
            level_values.setdefault(first, upward)
        level_cotangents = dict(bands) if cotangent is None else {first: cotangent, **bands}
        cotangent = _split_back(level_cotangents, level_values, part, kernels, sums)
        upward = level_values[""]
    if cotangent is None:
        cotangent = array_namespace(upward).zeros_like(upward)
    steps = plan.levels[0].analysis_steps
    return AnalysisPullback(cotangent, _filled(sums, steps, cotangent))


def _outputs(outputs: Any, plan: AnalysisPlan) -> list[dict[str, Array]]:
    """Bands of each level, finest first; the approximation only of the coarsest."""
    approx, details = outputs
    values = [dict(bands) for bands in reversed(details)]
    values[-1][plan.levels[-1].approx_key] = approx
    return values


def _analysed_again(x: Array, plan: AnalysisPlan, kernels: Kernels) -> list[dict[str, Array]]:
    """Inputs of filter banks and outputs of lifting, for each level, finest first."""
    values = []
    for part in plan.parts:
        (level,) = part.levels
        level_values = {"": x}
        inner = {key for key, _ in level.analysis_steps}
        for key, step in level.analysis_steps:
            if isinstance(step, LiftStep):
                level_values[key + "a"], level_values[key + "d"] = split(
                    level_values[key], step, kernels
                )
            elif {key + "a", key + "d"} & inner:
                bands = _analysed(level_values[key], step, kernels)
                level_values[key + "a"], level_values[key + "d"] = bands
        values.append(level_values)
        if part is not plan.parts[-1]:
            first = level.approx_key
            x = level_values[first] if first in level_values else kernels.analyse(x, part)[0]
    return values


def _split_back(
    cotangents: dict[str, Array],
    values: dict[str, Array],
    plan: AnalysisPlan,
    kernels: Kernels,
    sums: dict[int, StepGradient],
) -> Array | None:
    """The cotangent of the input of one level; its value is added to ``values``."""
    adjoint = plan.adjoints.get((plan.keys, True)) or adjoint_of_analysis(plan)
    (level,), (transposed,) = plan.levels, adjoint.levels
    for (key, step), (_, merging, shapes) in zip(
        reversed(level.analysis_steps), transposed.synthesis_steps, strict=True
    ):
        pair = [cotangents.pop(key + letter, None) for letter in "ad"]
        is_missing = pair[0] is None and pair[1] is None
        if isinstance(step, LiftStep):
            halves = [values[key + letter] for letter in "ad"]
            if is_missing:
                values.setdefault(key, _unlifted(halves, step, kernels))
                continue
            back = kernels.lift_vjp(
                halves, fill_missing(pair, shapes), step.plan, step.taps, step.scale, step.axis
            )
            values.setdefault(key, back.inputs[0])
            cotangents[key] = back.cotangents[0]
            _add(sums, len(key), _lift_gradient(back, step))
        elif not is_missing:
            if isinstance(step, FilterStep):  # other steps have no learned taps
                _add(sums, len(key), _filter_gradient(values[key], pair, step, kernels))
            cotangents[key] = _synthesised(pair, merging, shapes, kernels)
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
    plan: SynthesisPlan,
    kernels: Kernels,
) -> SynthesisPullback:
    """Cotangents of the bands, and gradients of the taps and scales of the wavelet.

    Parameters
    ----------
    inputs : (approx or None, details), optional
        The bands. Not needed if ``result`` is passed and the plan :func:`is_reversible`.
    result : array, optional
        The result of the synthesis.
    cotangent : array
        The cotangent of the result.
    plan : SynthesisPlan
        A plan with at least one step.
    """
    used = plan.without_empty_levels
    from_result = result is not None and is_reversible(used)
    values: list[dict[str, Array]] = [{} for _ in used.levels]
    if not from_result:
        values = _synthesised_again(inputs, used, kernels)
    sums: dict[int, StepGradient] = {}
    details: list[dict[str, Array]] = []
    current: Array | None = cotangent
    upward = result  # the value of a level's result, if values are rebuilt
    for part in reversed(used.parts):
        (level,), level_values = part.levels, values.pop()
        if from_result:
            level_values[""] = upward
        bands = _merge_back(padded(current, level.shape), level_values, part, kernels, sums)
        details.append({key: bands[key] for key in level.detail_keys})
        if level.approx_shape is not None:
            current, upward = bands[level.approx_key], level_values.get(level.approx_key)
    details += [{} for _ in range(len(plan.levels) - len(used.levels))]
    steps = [(key, step) for key, step, _ in plan.levels[-1].synthesis_steps]
    gradients = tuple(map(_undone, _filled(sums, steps, cotangent), _by_axis(steps)))
    approx = current if plan.has_approx else None
    return SynthesisPullback(approx, details[::-1], gradients)


def _synthesised_again(
    inputs: Any, plan: SynthesisPlan, kernels: Kernels
) -> list[dict[str, Array]]:
    """Inputs of filter banks and outputs of lifting, for each level, coarsest first."""
    values = []
    current, details = inputs
    remaining = iter(flatten_bands(None, details)[0])
    for level in plan.levels:
        level_values = bands_of_level(remaining, current, level)
        for key, step, shapes in level.synthesis_steps:
            if key or isinstance(step, LiftStep) or level is not plan.levels[-1]:
                pair = [level_values.get(key + letter) for letter in "ad"]
                if isinstance(step, LiftStep) and not step.plan.is_bijective:
                    pair = fill_missing(pair, shapes)
                    level_values |= {key + letter: x for letter, x in zip("ad", pair, strict=True)}
                level_values[key] = merge(pair, step, shapes, kernels)
        current = level_values.get("")
        values.append(level_values)
    return values


def _merge_back(
    cotangent: Array,
    values: dict[str, Array],
    plan: SynthesisPlan,
    kernels: Kernels,
    sums: dict[int, StepGradient],
) -> dict[str, Array]:
    """One level: the cotangents of the merged bands (and their values, if still unknown)."""
    (level,), (transposed,) = plan.levels, adjoint_of_synthesis(plan).levels
    splitting = dict(transposed.analysis_steps)
    cotangents = {"": cotangent}
    for key, step, _ in reversed(level.synthesis_steps):
        outer, halves = cotangents.pop(key), [key + letter for letter in "ad"]
        if isinstance(step, LiftStep):
            sources = [values[key]] if step.plan.is_bijective else [values[half] for half in halves]
            back = kernels.lift_vjp(sources, [outer], step.plan, step.taps, step.scale, step.axis)
            for half, value, inner in zip(halves, back.inputs, back.cotangents, strict=True):
                values.setdefault(half, value)
                cotangents[half] = inner
            _add(sums, len(key), _lift_gradient(back, step))
            continue
        split_by = splitting[key]
        if isinstance(split_by, FilterStep):
            pair = [values.get(half) for half in halves]
            reversed_gradient = _filter_gradient(outer, pair, split_by, kernels)
            _add(sums, len(key), FilterGradient(*map(reversed_taps, reversed_gradient)))
        for half, inner in zip(halves, split(outer, split_by, kernels), strict=True):
            cotangents[half] = inner
    return cotangents


def _undone(gradient: StepGradient, step: Step) -> StepGradient:
    """The gradients of the scheme: a synthesis reverses its steps and divides by its scales."""
    if not isinstance(gradient, LiftGradient) or not isinstance(step, LiftStep):
        return gradient
    factors = [-(f * f) * gradient.scale[k] for k, f in enumerate(step.scale)]
    return LiftGradient(gradient.taps[::-1], array_namespace(gradient.scale).stack(factors))


# --- gradients -------------------------------------------------------------------------------


def _filter_gradient(
    x: Array, bands: Sequence[Array | None], step: FilterStep, kernels: Kernels
) -> FilterGradient:
    """The gradient of an analysis step of ``x`` into these bands. Missing bands are zero."""
    present = [band for band in bands if band is not None]
    gradients = iter(kernels.tap_gradients(x, present, step.plan, step.axis))
    low, high = (no_taps(step, x) if band is None else next(gradients) for band in bands)
    return FilterGradient(low, high)


def _analysed(x: Array, step: FilterStep | IntervalStep, kernels: Kernels) -> Sequence[Array]:
    """Approximation and detail."""
    if not isinstance(step, FilterStep):
        return split(x, step, kernels)
    return kernels.analysis(x, step.filters, step.plan, step.axis)


def _synthesised(
    pair: Sequence[Array | None], step: Step, shapes: Sequence[Shape], kernels: Kernels
) -> Array:
    """The synthesis of the present bands."""
    if not isinstance(step, FilterStep):
        return merge(pair, step, shapes, kernels)
    present = [(g, f) for g, f in zip(pair, step.filters, strict=True) if g is not None]
    bands, filters = zip(*present, strict=True)
    return kernels.synthesis(bands, filters, step.plan, step.axis)


def _lift_gradient(back: LiftPullback, step: LiftStep) -> LiftGradient:
    """The gradients of taps and scales; those of a plan contain its factor."""
    scale = array_namespace(*back.scale).stack(list(back.scale))
    factor = step.plan.factor
    return LiftGradient(tuple(back.taps), scale if factor == 1 else factor * scale)


def _add(sums: dict[int, StepGradient], index: int, gradient: StepGradient) -> None:
    """Add to the gradient of an axis: sums over bands, and over levels."""
    total = sums.get(index)
    sums[index] = gradient if total is None else sum_of_gradients(total, gradient)


def sum_of_gradients(a: StepGradient, b: StepGradient) -> StepGradient:
    """The sum of two gradients of the same axis."""
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
    """The gradient of each axis, zero for axes without a gradient."""
    return tuple(
        sums[index] if index in sums else no_gradient(step, like)
        for index, step in enumerate(_by_axis(steps))
    )
