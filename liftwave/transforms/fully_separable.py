"""Fully separable transforms: all levels along one axis before the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

from liftwave._arrays.convert import Opened, as_array, open_array, open_arrays
from liftwave._arrays.integers import open_integer_coefficients, open_integer_samples
from liftwave._arrays.lazy import on_chunks
from liftwave._execute import execute
from liftwave._numbers import is_several, items
from liftwave._operations.call import FLAT, SINGLE, Call
from liftwave._operations.plan_transforms import analysis, synthesis
from liftwave._plan.arguments import natural_level, useful_level, warn_of_depth
from liftwave._plan.axes import AxisPlan, AxisPlans, axis_plans, check_lengths, plans_of_axis
from liftwave._plan.planning import plan_analysis
from liftwave._typing import Array, ArrayLike, Modes
from liftwave.errors import (
    ArgumentTypeError,
    ShapeError,
)
from liftwave.transforms.fully_separable_result import FswavedecnResult
from liftwave.transforms.structures import Joined
from liftwave.wavelets.resolve import Wavelets


def fswavedecn(
    data: ArrayLike,
    wavelet: Wavelets,
    mode: Modes = "symmetric",
    levels: int | Sequence[int | None] | None = None,
    axes: Sequence[int] | None = None,
    *,
    out: FswavedecnResult | None = None,
) -> FswavedecnResult:
    """Fully separable (anisotropic) wavelet transform.

    All levels are computed along one axis before the next, so the number of
    levels can differ between axes.

    Parameters
    ----------
    data : array_like
        Array of at least one dimension.
    wavelet, mode
        As for :func:`dwtn`; one, or one per axis.
    levels : int or sequence of int, optional
        Number of levels, or one per axis; by default :func:`dwt_max_level` of each axis.
    axes : sequence of int, optional
        The axes to transform, each once; all by default.
    out : FswavedecnResult, optional
        The result of an earlier call with these arguments, for data of the same shape. The function
        writes all coefficients to it and returns it.

    Returns
    -------
    FswavedecnResult
        The coefficients in one array, with the slices of each band.

    Raises
    ------
    ValueError, TypeError
        As for :func:`wavedecn`, also for ``out``.

    References
    ----------
    .. [1] P. H. Westerink, "Subband coding of images", PhD thesis, Delft
       University of Technology, 1989, section 2.3.
    .. [2] R. A. DeVore, S. V. Konyagin and V. N. Temlyakov, "Hyperbolic
       wavelet approximation", Constr. Approx. 14, 1-26, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> result = lw.fswavedecn(np.ones((32, 32)), "sym2", levels=(1, 3))
    >>> result.detail_keys()
    [(0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)]
    >>> result[(1, 2)].shape
    (17, 10)
    """
    x, plans, depths = checked_arguments(data, wavelet, mode, levels, axes)
    opened, slices = _open(x, plans, max(depths)), _slices_of_axes(tuple(x.shape), plans, depths)
    if out is not None:
        _check_out(out, opened, slices, plans)
    coeffs = opened.array
    for plan, places in zip(plans, slices, strict=True):
        call = axis_analysis(coeffs, plan, places)
        if out is not None and plan is plans[-1]:
            _write(call, out.coeffs, opened)
            return out
        coeffs = execute(call)
    return FswavedecnResult._of_plans(opened.close(coeffs), slices, plans)


def _check_out(out: Any, opened: Opened, slices: list[list[slice]], plans: AxisPlans) -> None:
    """Raise unless coefficients with these slices can be written to ``out``.

    Raises
    ------
    ArgumentTypeError, ShapeError, DTypeError
        If it is not such a result, or its array is not writeable, or shares memory with the data.
    """
    from liftwave._arrays.out import (  # few calls have out
        Target,
        check_in_memory,
        check_separate,
        check_target,
    )

    if not isinstance(out, FswavedecnResult):
        raise ArgumentTypeError(
            f"out must be a result of fswavedecn, got an object of type {type(out).__name__}"
        )
    check_in_memory([opened.array])
    shape = list(opened.array.shape)
    for plan, places in zip(plans, slices, strict=True):
        shape[plan.axis] = places[-1].stop
    if out._plans != plans or out.coeff_slices != slices:
        raise ShapeError(
            f"out has bands of wavelets {out.wavelet_names}, modes {out.modes}, axes {out.axes} "
            f"and levels {out.levels} in an array of shape {tuple(out.coeffs.shape)}, which do not "
            "match these arguments: pass the result of a call with the same arguments"
        )
    target = Target(0, "out.coeffs", out.coeffs)
    check_target(target, opened, tuple(shape))
    check_separate([target], [opened.array])


def _write(call: Call, coeffs: Array, opened: Opened) -> None:
    """Write the results along the last axis to the places of their bands in an array."""
    places, bands = call.result.unpack(coeffs), replace(call, result=FLAT)
    if opened.array.dtype == coeffs.dtype:
        execute(bands, places)
        return
    for place, band in zip(places, execute(bands), strict=True):
        assert place is not None
        place[...] = opened.close(band)


@on_chunks("open_samples")
def _open(x: Array, plans: AxisPlans, level: int) -> Opened:
    """The data, and the dtype of the result."""
    if plans.is_integer:
        return open_integer_samples(x, plans, level)
    return open_array(x)


@on_chunks("open_coefficients")
def _open_coefficients(coeffs: Array, plans: AxisPlans) -> Opened:
    (opened,) = open_integer_coefficients([coeffs]) if plans.is_integer else open_arrays([coeffs])
    return opened


def checked_arguments(
    data: ArrayLike, wavelet: Wavelets, mode: Modes, levels: Any, axes: Any
) -> tuple[Array, AxisPlans, list[int]]:
    """The data, the plan of each axis, and its number of levels.

    Raises
    ------
    LiftwaveError
        If one of them is not valid. Nothing is computed in this case.
    """
    x = as_array(data)
    if x.ndim < 1:
        raise ShapeError("Expected at least 1D input data, got a 0-d array.")
    plans = axis_plans(wavelet, mode, axes, x.ndim)
    return x, plans, _levels_per_axis(levels, plans, tuple(x.shape))


def _slices_of_axes(
    shape: tuple[int, ...], plans: AxisPlans, depths: Sequence[int]
) -> list[list[slice]]:
    """The slices of the bands of each axis in the result."""
    return [band_slices(shape, plan, level) for plan, level in zip(plans, depths, strict=True)]


def band_slices(shape: tuple[int, ...], plan: AxisPlan, level: int) -> list[slice]:
    """The slices of the bands of one axis in the result, for data of this shape."""
    shapes = plan_analysis(shape, plans_of_axis(plan, len(shape)), level).shapes
    ends = accumulate((band[plan.axis] for band in shapes), initial=0)
    return [slice(*pair) for pair in pairwise(ends)]


def axis_analysis(x: Array, plan: AxisPlan, slices: list[slice]) -> Call:
    """The analysis along one axis to bands at these slices."""
    plans = plans_of_axis(plan, x.ndim)
    return Call(analysis(plans, x.ndim, len(slices) - 1), (x,), Joined(plan.axis, slices))


def axis_synthesis(coeffs: Array, plan: AxisPlan, slices: Sequence[slice]) -> Call:
    """The synthesis along one axis from bands at these slices."""
    structure = Joined(plan.axis, slices)
    plans = plans_of_axis(plan, coeffs.ndim)
    transform = synthesis(plans, coeffs.ndim, len(slices) - 1)
    return Call(transform, structure.unpack(coeffs), SINGLE, structure)


def _levels_per_axis(levels: Any, plans: Sequence[AxisPlan], shape: tuple[int, ...]) -> list[int]:
    """The number of levels of each axis, checked before the first transform."""
    several = is_several(levels) and hasattr(levels, "__len__")
    numbers = items(levels, "levels must be integers") if several else [levels] * len(plans)
    if len(numbers) != len(plans):
        raise ShapeError(
            "levels must match the length of the axes list: "
            f"got {len(numbers)} for {len(plans)} axes"
        )
    depths, excess = [], []
    for level, plan in zip(numbers, plans, strict=True):
        deepest = useful_level([shape[plan.axis]], [plan.wavelet])
        depths.append(deepest if level is None else natural_level(level))
        check_lengths(shape, (plan,), depths[-1])
        excess.append((depths[-1] - deepest, depths[-1], deepest))
    worst, level, deepest = max(excess)
    if worst > 0:
        warn_of_depth(level, deepest)
    return depths


def fswaverecn(fswavedecn_result: FswavedecnResult) -> Array:
    """Inverse of :func:`fswavedecn`.

    Parameters
    ----------
    fswavedecn_result : FswavedecnResult
        The result of :func:`fswavedecn` (also of PyWavelets'), possibly with changed coefficients.

    Returns
    -------
    array
        The data, with sizes as for :func:`waverec`.

    Raises
    ------
    TypeError, ValueError
        If the argument is not such a result, or its parts do not match.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.arange(24.0).reshape(4, 6)
    >>> bool(np.allclose(lw.fswaverecn(lw.fswavedecn(x, "haar")), x))
    True
    """
    result = FswavedecnResult._of(fswavedecn_result)
    plans, slices = result._plans, result.coeff_slices
    if len(plans) != len(slices):
        raise ShapeError(f"dimension mismatch: {len(plans)} axes, {len(slices)} slices")
    opened = _open_coefficients(result.coeffs, plans)
    data = opened.array
    # Rounding makes the order matter: the axis that was transformed last is undone first.
    for plan, places in reversed(list(zip(plans, slices, strict=True))):
        data = execute(axis_synthesis(data, plan, places))
    return opened.close(data)
