"""The course of every transform: look up or make the plan, open, run the levels, close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from liftwave._arrays.convert import (
    Halves,
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
from liftwave._plan.levels import (
    flatten_bands,
    plan_analysis,
    plan_synthesis,
    unflatten_bands,
)
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
        plan = plan_analysis(tuple(data.shape), plans, level)
    if level == 0:
        return data, []
    if plain:
        return _by_key(kernels_for_plain(data).analyse(data, plan), plan.keys)
    check_taps(plans, data)
    opened = open_samples(data, plans, level, keeps_halves)
    if bridge is not None:
        approx, details = bridge.analyse(opened.array, plans, level)
    else:
        kernels = kernels_for(opened.array)
        bands = kernels.analyse(opened.array, plan, opened.work_dtype)
        approx, details = _by_key(bands, plan.keys)
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
    arrays, keys = flatten_bands(approx, details)
    plain = out is None and bool(arrays) and are_plain(arrays) and _are_plain_plans(plans)
    bridge = None if plain else _bridge(plans, arrays)
    if bridge is None or out is not None:
        shapes = tuple([tuple(band.shape) for band in arrays])
        plan = plan_synthesis(shapes, keys, approx is not None, plans, fit)
    if plain:
        return kernels_for_plain(*arrays).synthesise(arrays, plan) if details else arrays[0]
    check_taps(plans, *arrays)
    opened = open_coefficients(arrays, plans, keeps_halves)
    arrays = [o.array for o in opened]
    if out is not None:
        check_out(out, opened[0], plan.shape)
    if bridge is not None:
        current, by_key = unflatten_bands(arrays, keys, approx is not None)
        result = bridge.synthesise(current, by_key, plans, fit)
    elif details:
        result = kernels_for(*arrays).synthesise(arrays, plan, out)
    else:
        result = arrays[0]
    return _delivered(result, opened[0], out)


def _by_key(
    bands: Sequence[Array], keys: tuple[tuple[str, ...], ...]
) -> tuple[Array, list[dict[str, Array]]]:
    approx, details = unflatten_bands(bands, keys)
    return cast(Array, approx), details


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
    data: Array, plans: Sequence[AxisPlan], level: int, halves: Halves | None = None
) -> Opened:
    """Data as ``plans`` are computed: floats in the dtype of the work, integers as they are."""
    if is_integer(plans):
        return open_integer_samples(data, plans, level)
    return open_array(data, halves)


def open_coefficients(
    arrays: Sequence[Array], plans: Sequence[AxisPlan], halves: Halves | None = None
) -> list[Opened]:
    """Coefficients in the one dtype in which ``plans`` are undone."""
    return open_integer_coefficients(arrays) if is_integer(plans) else open_arrays(arrays, halves)
