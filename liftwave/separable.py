"""One level of an n-dimensional transform: along one axis after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from array_api_compat import array_namespace

from liftwave._arrays import zeros
from liftwave._kernels import Kernels
from liftwave._plan import analysis_plan, lift_plan, synthesis_plan
from liftwave._separable_plan import AxisPlan, Merge
from liftwave._taps import FixedPoint
from liftwave._typing import Array
from liftwave.lifting import LiftingScheme


def analysis_axis(x: Array, plan: AxisPlan, kernels: Kernels) -> tuple[Array, Array]:
    """Approximation and detail of ``x`` along one axis."""
    wavelet, n = plan.wavelet, x.shape[plan.axis]
    if isinstance(wavelet, LiftingScheme):
        geometry = lift_plan(wavelet, n, plan.mode)
        return kernels.lift_analysis(x, geometry, step_taps(wavelet), wavelet.scale, plan.axis)
    filters = (wavelet.dec_lo, wavelet.dec_hi)
    approx, detail = kernels.analysis(
        x, filters, analysis_plan(n, wavelet.dec_len, plan.mode), plan.axis
    )
    return approx, detail


def synthesis_axis(
    approx: Array | None, detail: Array | None, plan: AxisPlan, kernels: Kernels
) -> Array:
    """The signal with these bands along one axis; a missing band is zero.

    Lifting needs both bands; a filter bank leaves out what is missing.
    """
    wavelet = plan.wavelet
    if isinstance(wavelet, LiftingScheme):
        return _lift_synthesis(approx, detail, plan, wavelet, kernels)
    present = [
        (band, taps)
        for band, taps in ((approx, wavelet.rec_lo), (detail, wavelet.rec_hi))
        if band is not None
    ]
    bands, filters = zip(*present, strict=True)
    geometry = synthesis_plan(bands[0].shape[plan.axis], wavelet.rec_len, plan.mode)
    return kernels.synthesis(bands, filters, geometry, plan.axis)


def _lift_synthesis(
    approx: Array, detail: Array, plan: AxisPlan, scheme: LiftingScheme, kernels: Kernels
) -> Array:
    n_approx, n_detail = approx.shape[plan.axis], detail.shape[plan.axis]
    geometry = lift_plan(scheme, n_approx + n_detail, plan.mode).inverse()
    taps = tuple(reversed(step_taps(scheme)))
    scale = tuple(1 / s for s in scheme.scale)
    return kernels.lift_synthesis(approx, detail, geometry, taps, scale, plan.axis)


def step_taps(scheme: LiftingScheme) -> tuple[Any, ...]:
    """The taps of a scheme's steps, in the arithmetic in which it runs."""
    if scheme.integer:
        return tuple(FixedPoint(*scheme.fixed_point(step)) for step in scheme.steps)
    return tuple(step.taps for step in scheme.steps)


def analysis_nd(x: Array, plans: Sequence[AxisPlan], kernels: Kernels) -> dict[str, Array]:
    """All bands of one level, keyed by one letter per axis (``a`` or ``d``)."""
    bands = {"": x}
    for plan in plans:
        bands = {
            key + letter: half
            for key, band in bands.items()
            for letter, half in zip("ad", analysis_axis(band, plan, kernels), strict=True)
        }
    return bands


def synthesis_nd(bands: Mapping[str, Array], merges: Sequence[Merge], kernels: Kernels) -> Array:
    """The array whose bands these are; missing ones are zero (see ``plan_merges``)."""
    remaining = dict(bands)
    for merge in merges:
        pair = [remaining.pop(merge.key + letter, None) for letter in "ad"]
        if isinstance(merge.plan.wavelet, LiftingScheme):
            pair = _completed(pair, merge)
        remaining[merge.key] = synthesis_axis(pair[0], pair[1], merge.plan, kernels)
    return remaining[""]


def _completed(pair: list[Array | None], merge: Merge) -> list[Array | None]:
    like = next(band for band in pair if band is not None)
    xp = array_namespace(like)
    return [
        zeros(shape, like, xp) if band is None else band
        for band, shape in zip(pair, merge.shapes, strict=True)
    ]
