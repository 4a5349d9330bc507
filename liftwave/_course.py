"""The course of every transform: check, open, run the levels, close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from liftwave._arrays import Opened, common_namespace, is_array, open_array, open_arrays
from liftwave._dispatch import kernels_for
from liftwave._separable_plan import AxisPlan, Merge, check_lengths, fitting_shape, plan_merges
from liftwave._typing import Array
from liftwave.errors import ShapeError
from liftwave.integers import is_integer, open_integer_coefficients, open_integer_samples
from liftwave.lifting import LiftingScheme
from liftwave.separable import analysis_nd, synthesis_nd


def analyse(
    data: Array, plans: tuple[AxisPlan, ...], level: int
) -> tuple[Array, list[dict[str, Array]]]:
    """Approximation and the details of each level, coarsest first.

    Everything that can be wrong with lengths is raised before any work.
    """
    check_lengths(tuple(data.shape), plans, level)
    if level == 0:
        return data, []
    _check_taps(plans, data)
    opened = open_samples(data, plans, level)
    kernels, approx = kernels_for(opened.array), opened.array
    details: list[dict[str, Array]] = []
    for _ in range(level):
        bands = analysis_nd(approx, plans, kernels)
        approx = bands.pop("a" * len(plans))
        details.insert(0, {key: opened.close(band) for key, band in bands.items()})
    return opened.close(approx), details


def synthesise(
    approx: Array | None,
    details: Sequence[Mapping[str, Array]],
    plans: tuple[AxisPlan, ...],
    *,
    fit: bool = True,
) -> Array:
    """The array with this approximation and these details, coarsest first; missing bands are zero.

    With ``fit``, an approximation may have one sample too many, which is what
    a level of odd length leaves behind; without, the bands have to match.
    """
    stages = _plan_stages(approx, details, plans, fit)
    arrays = [band for bands in details for band in bands.values()]
    if approx is not None:
        arrays.append(approx)
    _check_taps(plans, *arrays)
    opened = open_coefficients(arrays, plans)
    ready = iter(o.array for o in opened)
    levels = [{key: next(ready) for key in bands} for bands in details]
    current: Array = None if approx is None else next(ready)
    kernels = kernels_for(opened[0].array)
    for bands, (used, merges) in zip(levels, stages, strict=True):
        if used is not None:
            bands["a" * len(plans)] = current[tuple(slice(n) for n in used)]
        if merges:
            current = synthesis_nd(bands, merges, kernels)
    return opened[0].close(current)


def _plan_stages(
    approx: Array | None,
    details: Sequence[Mapping[str, Array]],
    plans: tuple[AxisPlan, ...],
    fit: bool,
) -> list[tuple[tuple[int, ...] | None, list[Merge]]]:
    """For each level the part of the approximation that is used, and the merges."""
    if approx is None and not any(details):
        raise ShapeError("At least one coefficient must contain a valid value.")
    _check_dimensions(approx, details)
    shape = None if approx is None else tuple(approx.shape)
    stages: list[tuple[tuple[int, ...] | None, list[Merge]]] = []
    for bands in details:
        shapes = {key: tuple(band.shape) for key, band in bands.items()}
        used = fitting_shape(shape, shapes, plans) if fit and shape is not None else shape
        if used is not None:
            shapes["a" * len(plans)] = used
        merges: list[Merge] = []
        if shapes:
            merges, shape = plan_merges(shapes, plans)
        stages.append((used, merges))
    return stages


def _check_dimensions(approx: Array | None, details: Sequence[Mapping[str, Array]]) -> None:
    arrays = [band for bands in details for band in bands.values()]
    arrays += [] if approx is None else [approx]
    if len({array.ndim for array in arrays}) > 1:
        raise ShapeError(
            "All coefficients must have a matching number of dimensions, "
            f"got {sorted({array.ndim for array in arrays})}"
        )


def _check_taps(plans: Sequence[AxisPlan], *arrays: Array) -> None:
    """Raise unless learned taps are arrays of the data's library: they are not moved to it."""
    for wavelet in (plan.wavelet for plan in plans if not plan.wavelet.is_concrete):
        if isinstance(wavelet, LiftingScheme):
            taps = [*(step.taps for step in wavelet.steps), *wavelet.scale]
        else:
            taps = list(wavelet.filter_bank)
        common_namespace([*arrays, *filter(is_array, taps)])


def open_samples(data: Array, plans: Sequence[AxisPlan], level: int) -> Opened:
    """Data in the dtype in which ``plans`` are computed."""
    return open_integer_samples(data, plans, level) if is_integer(plans) else open_array(data)


def open_coefficients(arrays: Sequence[Array], plans: Sequence[AxisPlan]) -> list[Opened]:
    """Coefficients in the one dtype in which ``plans`` are undone."""
    return open_integer_coefficients(arrays) if is_integer(plans) else open_arrays(arrays)
