"""Pullbacks of transforms that go axis by axis, or along one axis only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from liftwave._arrays.convert import open_array, zeros
from liftwave._dispatch import kernels_for
from liftwave._kernels.contract import Kernels
from liftwave._operations import transform_vjp as _vjp
from liftwave._operations.transform_vjp import StepGradient
from liftwave._plan.axes import AxisPlan, with_length
from liftwave._plan.levels import (
    AnalysisPlan,
    Shape,
    SynthesisPlan,
    flatten_bands,
    plan_analysis,
    plan_synthesis,
    plan_upsampling,
    unflatten_bands,
)
from liftwave._pullbacks import Gradient, Pullback, Shared, checked_cotangent
from liftwave._typing import Array
from liftwave.transforms.calls import Details
from liftwave.transforms.dwt import upcoef
from liftwave.transforms.fully_separable import FswavedecnResult, fswavedecn, fswaverecn
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import resolve_wavelet

# --- one axis after the other ----------------------------------------------------------------


class _Stage(NamedTuple):
    """All levels along one axis, whose bands lie one after the other."""

    plan: AxisPlan
    places: Sequence[slice]

    def bands(self, x: Array) -> tuple[Array, list[dict[str, Array]]]:
        """The approximation and the details (coarsest first) in an array."""
        before = (slice(None),) * self.plan.axis
        approx, *details = [x[(*before, where, ...)] for where in self.places]
        return approx, [{"d": band} for band in details]

    def joined(self, approx: Array, details: Details) -> Array:
        """The array with these bands."""
        xp = array_namespace(approx)
        return xp.concat([approx, *(bands["d"] for bands in details)], axis=self.plan.axis)

    def analysis(self, shape: Shape) -> AnalysisPlan:
        """The plan of the analysis of an array of this shape; it may have no levels."""
        return plan_analysis(shape, (self.plan,), len(self.places) - 1)

    def synthesis(self, shape: Shape) -> SynthesisPlan:
        """The plan of the synthesis of the bands in an array of this shape."""
        shapes = tuple(
            with_length(shape, self.plan.axis, where.stop - where.start) for where in self.places
        )
        return plan_synthesis(shapes, (("d",),) * (len(shapes) - 1), True, (self.plan,), True)


def _stages(result: FswavedecnResult) -> list[_Stage]:
    return [_Stage(*each) for each in zip(result._plans, result.coeff_slices, strict=True)]


def fully_separable_analysis(
    data: Any, wavelet: Any, mode: Any, levels: Any, axes: Any
) -> tuple[Any, Pullback]:
    """Result and pullback of :func:`fswavedecn`."""
    result = fswavedecn(data, wavelet, mode, levels, axes)
    stages, shared, opened = _stages(result), Shared(result._plans, wavelet), open_array(data)
    shared.check(opened.array)
    plan_of, shape = [], tuple(opened.array.shape)
    for stage in stages:
        plan_of.append(stage.analysis(shape))
        shape = with_length(shape, stage.plan.axis, stage.places[-1].stop)

    def pullback(cotangents: Any, wavelet: bool = True) -> Gradient:
        given = cotangents.coeffs if isinstance(cotangents, FswavedecnResult) else cotangents
        current = checked_cotangent(given, shape, opened, "the coefficients")
        kernels = kernels_for(opened.array, current)
        inputs = _analysed(opened.array, stages, plan_of, kernels) if wavelet else []
        found: list[StepGradient | None] = [None] * len(stages)
        for index in reversed(range(len(stages))):
            bands = stages[index].bands(current)
            if plan_of[index].levels and wavelet:
                current, (found[index],) = _vjp.analysis_vjp(
                    inputs[index], None, bands, plan_of[index], kernels
                )
            elif plan_of[index].levels:
                current = _vjp.analysis_adjoint(*bands, plan_of[index], kernels)
        of_wavelet = shared.gradient(found, current, True) if wavelet else None
        return Gradient(opened.close(current), of_wavelet)

    return result, pullback


def _analysed(
    x: Array,
    stages: Sequence[_Stage],
    plan_of: Sequence[AnalysisPlan],
    kernels: Kernels,
) -> list[Array]:
    """What goes into each stage."""
    inputs = [x]
    for stage, plan in zip(stages[:-1], plan_of, strict=False):
        if plan.levels:
            approx, *_ = bands = kernels.analyse(x, plan)
            x = stage.joined(approx, unflatten_bands(bands, plan.keys)[1])
        inputs.append(x)
    return inputs


def fully_separable_synthesis(fswavedecn_result: FswavedecnResult) -> tuple[Any, Pullback]:
    """Result and pullback of :func:`fswaverecn`."""
    given = fswavedecn_result
    shared = Shared(given._plans, given.wavelets)
    opened = open_array(given.coeffs)
    shared.check(opened.array)
    result = fswaverecn(given)
    stages, plan_of, shape = _stages(given)[::-1], [], tuple(opened.array.shape)
    for stage in stages:
        plan_of.append(stage.synthesis(shape))
        shape = plan_of[-1].shape

    def pullback(cotangent: Any, wavelet: bool = True) -> Gradient:
        current = checked_cotangent(cotangent, shape, opened, "the result")
        kernels = kernels_for(opened.array, current)
        inputs = _synthesised(opened.array, stages, plan_of, kernels) if wavelet else []
        found: list[StepGradient | None] = [None] * len(stages)
        for index in reversed(range(len(stages))):
            stage, plan = stages[index], plan_of[index]
            if plan.levels and wavelet:
                back = _vjp.synthesis_vjp(stage.bands(inputs[index]), None, current, plan, kernels)
                approx, details, (found[-1 - index],) = back
                current = stage.joined(approx, details)
            elif plan.levels:
                current = stage.joined(*_vjp.synthesis_adjoint(current, plan, kernels))
        coeffs = FswavedecnResult._of_plans(opened.close(current), given.coeff_slices, given._plans)
        return Gradient(coeffs, shared.gradient(found, current, False) if wavelet else None)

    return result, pullback


def _synthesised(
    x: Array,
    stages: Sequence[_Stage],
    plan_of: Sequence[SynthesisPlan],
    kernels: Kernels,
) -> list[Array]:
    """What goes into each stage."""
    inputs = [x]
    for stage, plan in zip(stages[:-1], plan_of, strict=False):
        x = kernels.synthesise(flatten_bands(*stage.bands(x))[0], plan) if plan.levels else x
        inputs.append(x)
    return inputs


# --- one band --------------------------------------------------------------------------------


def upsampling(
    part: Any, coeffs: Any, wavelet: Any, level: Any, take: Any
) -> tuple[Array, Pullback]:
    """Result and pullback of :func:`upcoef`.

    The gradient is that in the filter bank, also where a lifting scheme stands for it.
    """
    result = upcoef(part, coeffs, wavelet, level, take)
    bank = resolve_wavelet(wavelet)
    bank = bank.to_filter_bank() if isinstance(bank, LiftingScheme) else bank
    shared = Shared([AxisPlan(0, bank, "zero")], bank)
    opened = open_array(coeffs)
    shared.check(opened.array)
    band = opened.array
    plan = plan_upsampling(part, band.shape[0], (bank.rec_lo, bank.rec_hi), level)
    approx = band if part == "a" else None
    details: list[dict[str, Array]] = [{} for _ in plan.levels]
    if part == "d":
        details[0]["d"] = band
    n = plan.shape[0]
    before = (n - result.shape[0]) // 2

    def pullback(cotangent: Any, wavelet: bool = True) -> Gradient:
        outer = checked_cotangent(cotangent, tuple(result.shape), opened, "the result")
        cut = zeros((before,), outer, opened.xp)
        whole = _vjp.padded(opened.xp.concat([cut, outer]), (n,))
        kernels = kernels_for(band, whole)
        if wavelet:
            back = _vjp.synthesis_vjp((approx, details), None, whole, plan, kernels)
            bands, found = (back.approx, back.details), shared.gradient(back.axes, whole, False)
        else:
            bands, found = _vjp.synthesis_adjoint(whole, plan, kernels), None
        data = bands[0] if part == "a" else bands[1][0]["d"]
        return Gradient(opened.close(data), found)

    return result, pullback
