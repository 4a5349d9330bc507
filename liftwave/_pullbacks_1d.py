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
    AnalysisLevel,
    Shape,
    SynthesisLevel,
    analysis_levels,
    synthesis_levels_of,
    upsampling_levels,
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

    def analysis(self, shape: Shape) -> tuple[AnalysisLevel, ...]:
        """The levels that analyse an array of this shape, of which there may be none."""
        return analysis_levels(shape, (self.plan,), len(self.places) - 1)

    def synthesis(self, shape: Shape) -> tuple[SynthesisLevel, ...]:
        """The levels that put together the bands in an array of this shape."""
        first, *others = [
            with_length(shape, self.plan.axis, where.stop - where.start) for where in self.places
        ]
        details = tuple((("d", other),) for other in others)
        return synthesis_levels_of(first, details, (self.plan,), True) if others else ()


def _stages(result: FswavedecnResult) -> list[_Stage]:
    return [_Stage(*each) for each in zip(result._plans, result.coeff_slices, strict=True)]


def fully_separable_analysis(
    data: Any, wavelet: Any, mode: Any, levels: Any, axes: Any
) -> tuple[Any, Pullback]:
    """Result and pullback of :func:`fswavedecn`."""
    result = fswavedecn(data, wavelet, mode, levels, axes)
    stages, shared, opened = _stages(result), Shared(result._plans, wavelet), open_array(data)
    shared.check(opened.array)
    levels_of, shape = [], tuple(opened.array.shape)
    for stage in stages:
        levels_of.append(stage.analysis(shape))
        shape = with_length(shape, stage.plan.axis, stage.places[-1].stop)

    def pullback(cotangents: Any, wavelet: bool = True) -> Gradient:
        given = cotangents.coeffs if isinstance(cotangents, FswavedecnResult) else cotangents
        current = checked_cotangent(given, shape, opened, "the coefficients")
        kernels = kernels_for(opened.array, current)
        inputs = _analysed(opened.array, stages, levels_of, kernels) if wavelet else []
        found: list[StepGradient | None] = [None] * len(stages)
        for index in reversed(range(len(stages))):
            bands = stages[index].bands(current)
            if levels_of[index] and wavelet:
                current, (found[index],) = _vjp.analysis_vjp(
                    inputs[index], None, bands, levels_of[index], kernels
                )
            elif levels_of[index]:
                current = _vjp.analysis_adjoint(*bands, levels_of[index], kernels)
        of_wavelet = shared.gradient(found, current, True) if wavelet else None
        return Gradient(opened.close(current), of_wavelet)

    return result, pullback


def _analysed(
    x: Array,
    stages: Sequence[_Stage],
    levels_of: Sequence[Sequence[AnalysisLevel]],
    kernels: Kernels,
) -> list[Array]:
    """What goes into each stage."""
    inputs = [x]
    for stage, levels in zip(stages[:-1], levels_of, strict=False):
        if levels:
            approx, details = kernels.analyse(x, levels)
            x = stage.joined(approx, details[::-1])
        inputs.append(x)
    return inputs


def fully_separable_synthesis(fswavedecn_result: FswavedecnResult) -> tuple[Any, Pullback]:
    """Result and pullback of :func:`fswaverecn`."""
    given = fswavedecn_result
    shared = Shared(given._plans, given.wavelets)
    opened = open_array(given.coeffs)
    shared.check(opened.array)
    result = fswaverecn(given)
    stages, levels_of, shape = _stages(given)[::-1], [], tuple(opened.array.shape)
    for stage in stages:
        levels_of.append(stage.synthesis(shape))
        shape = levels_of[-1][-1].shape if levels_of[-1] else shape

    def pullback(cotangent: Any, wavelet: bool = True) -> Gradient:
        current = checked_cotangent(cotangent, shape, opened, "the result")
        kernels = kernels_for(opened.array, current)
        inputs = _synthesised(opened.array, stages, levels_of, kernels) if wavelet else []
        found: list[StepGradient | None] = [None] * len(stages)
        for index in reversed(range(len(stages))):
            stage, levels = stages[index], levels_of[index]
            if levels and wavelet:
                back = _vjp.synthesis_vjp(
                    stage.bands(inputs[index]), None, current, levels, kernels
                )
                approx, details, (found[-1 - index],) = back
                current = stage.joined(approx, details)
            elif levels:
                current = stage.joined(*_vjp.synthesis_adjoint(current, levels, kernels))
        coeffs = FswavedecnResult._of_plans(opened.close(current), given.coeff_slices, given._plans)
        return Gradient(coeffs, shared.gradient(found, current, False) if wavelet else None)

    return result, pullback


def _synthesised(
    x: Array,
    stages: Sequence[_Stage],
    levels_of: Sequence[Sequence[SynthesisLevel]],
    kernels: Kernels,
) -> list[Array]:
    """What goes into each stage."""
    inputs = [x]
    for stage, levels in zip(stages[:-1], levels_of, strict=False):
        x = kernels.synthesise(*stage.bands(x), levels) if levels else x
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
    levels = upsampling_levels(part, band.shape[0], (bank.rec_lo, bank.rec_hi), level)
    approx = band if part == "a" else None
    details: list[dict[str, Array]] = [{} for _ in levels]
    if part == "d":
        details[0]["d"] = band
    n = levels[-1].shape[0]
    before = (n - result.shape[0]) // 2

    def pullback(cotangent: Any, wavelet: bool = True) -> Gradient:
        outer = checked_cotangent(cotangent, tuple(result.shape), opened, "the result")
        cut = zeros((before,), outer, opened.xp)
        whole = _vjp.padded(opened.xp.concat([cut, outer]), (n,))
        kernels = kernels_for(band, whole)
        if wavelet:
            back = _vjp.synthesis_vjp((approx, details), None, whole, levels, kernels)
            bands, found = (back.approx, back.details), shared.gradient(back.axes, whole, False)
        else:
            bands, found = _vjp.synthesis_adjoint(whole, levels, kernels), None
        data = bands[0] if part == "a" else bands[1][0]["d"]
        return Gradient(opened.close(data), found)

    return result, pullback
