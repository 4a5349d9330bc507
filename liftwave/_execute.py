"""The course of every transform: look up or make the plan, open, run the levels, close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from liftwave._arrays.convert import (
    NativeHalf,
    Opened,
    are_plain,
    check_out,
    common_namespace,
    is_array,
    is_plain,
    open_array,
    open_arrays,
)
from liftwave._arrays.integers import is_integer, open_integer_coefficients, open_integer_samples
from liftwave._dispatch import bridge_for, keeps_halves, kernels_for, kernels_for_plain
from liftwave._plan.axes import AxisPlan, AxisPlans
from liftwave._plan.levels import analysis_levels, synthesis_levels
from liftwave._typing import Array
from liftwave.wavelets.lifting.scheme import LiftingScheme


def analyse(
    data: Array, plans: tuple[AxisPlan, ...], level: int
) -> tuple[Array, list[dict[str, Array]]]:
    """Approximation and the details of each level, coarsest first.

    Everything that can be wrong with lengths is raised before any work.
    """
    plain = is_plain(data) and _are_plain_plans(plans)  # nothing to check or to convert
    bridge = None if plain or level == 0 else _bridge(plans, [data])
    if bridge is None:
        levels = analysis_levels(tuple(data.shape), plans, level)
    if level == 0:
        return data, []
    if plain:
        approx, details = kernels_for_plain(data).analyse(data, levels)
        details.reverse()
        return approx, details
    check_taps(plans, data)
    opened = open_samples(data, plans, level, keeps_halves)
    if bridge is not None:
        approx, details = bridge.analyse(opened.array, plans, level)
    else:
        kernels = kernels_for(opened.array)
        approx, details = kernels.analyse(opened.array, levels, opened.work_dtype)
        details.reverse()
    close = opened.close
    return close(approx), [{key: close(b) for key, b in bands.items()} for bands in details]


def synthesise(
    approx: Array | None,
    details: Sequence[Mapping[str, Array]],
    plans: tuple[AxisPlan, ...],
    *,
    fit: bool = True,
    out: Array | None = None,
) -> Array:
    """The array with this approximation and these details, coarsest first; missing bands are zero.

    With ``fit``, an approximation may have one sample too many, which is what
    a level of odd length leaves behind; without, the bands have to match.
    The result goes to ``out``, if given.
    """
    arrays = [band for bands in details for band in bands.values()]
    if approx is not None:
        arrays.append(approx)
    plain = out is None and bool(arrays) and are_plain(arrays) and _are_plain_plans(plans)
    bridge = None if plain else _bridge(plans, arrays)
    if bridge is None or out is not None:
        levels = synthesis_levels(approx, details, plans, fit)
    if plain:
        return kernels_for_plain(*arrays).synthesise(approx, details, levels)
    check_taps(plans, *arrays)
    opened = open_coefficients(arrays, plans, keeps_halves)
    arrays = [o.array for o in opened]
    if out is not None:
        check_out(out, opened[0], levels[-1].shape if levels else tuple(arrays[0].shape))
    ready = iter(arrays)
    details = [{key: next(ready) for key in bands} for bands in details]
    current = None if approx is None else next(ready)
    if bridge is not None:
        result = bridge.synthesise(current, details, plans, fit)
    elif levels:
        result = kernels_for(*arrays).synthesise(current, details, levels, out)
    else:
        result = arrays[0]
    return _delivered(result, opened[0], out)


def _delivered(result: Array, opened: Opened, out: Array | None) -> Array:
    """The result in the dtype that the caller expects, in ``out`` if that is given."""
    if out is None:
        return opened.close(result)
    if result is not out:
        out[...] = opened.close(result)
    return out


def _bridge(plans: Sequence[AxisPlan], arrays: Sequence[Array]) -> Any:
    """What transforms tensors that are recorded, or by taps that are; None for all others."""
    if not arrays or type(arrays[0]) is np.ndarray or is_integer(plans):
        return None
    return bridge_for(plans, arrays)


def _are_plain_plans(plans: tuple[AxisPlan, ...]) -> bool:
    return type(plans) is AxisPlans and plans.plain


def check_taps(plans: Sequence[AxisPlan], *arrays: Array) -> None:
    """Raise unless learned taps are arrays of the data's library: they are not moved to it."""
    for wavelet in (plan.wavelet for plan in plans if not plan.wavelet.is_concrete):
        if isinstance(wavelet, LiftingScheme):
            taps = [*(step.taps for step in wavelet.steps), *wavelet.scale]
        else:
            taps = list(wavelet.filter_bank)
        common_namespace([*arrays, *filter(is_array, taps)])


def open_samples(
    data: Array, plans: Sequence[AxisPlan], level: int, native_half: NativeHalf | None = None
) -> Opened:
    """Data as ``plans`` are computed: floats in the dtype of the work, integers as they are."""
    if is_integer(plans):
        return open_integer_samples(data, plans, level)
    return open_array(data, native_half)


def open_coefficients(
    arrays: Sequence[Array], plans: Sequence[AxisPlan], native_half: NativeHalf | None = None
) -> list[Opened]:
    """Coefficients in the one dtype in which ``plans`` are undone."""
    return (
        open_integer_coefficients(arrays) if is_integer(plans) else open_arrays(arrays, native_half)
    )
