"""Calls of multiresolution analyses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from liftwave._arrays.convert import as_array
from liftwave._numbers import flag
from liftwave._operations.call import FLAT, Call, Structure
from liftwave._operations.planned_transform import detail_keys
from liftwave._operations.transform import Transform
from liftwave._plan.arguments import normalize_axes, normalize_axis, undecimated_level
from liftwave._plan.axes import AxisPlan, AxisPlans, axis_plans
from liftwave._plan.undecimated import Undecimated
from liftwave._typing import Array, ModeLike, Modes
from liftwave.errors import ModeError, OptionError, WaveletError
from liftwave.transforms import calls, synthesis_calls, undecimated_calls
from liftwave.transforms.components import Components, Part, decimated_parts, parts_of
from liftwave.transforms.structures import BAND_LIST, TRIPLE_LIST, dict_list
from liftwave.transforms.undecimated_modes import is_lifting
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import WaveletLike, Wavelets

_NORMALIZED = Undecimated("centred", 0, norm=True)


def mra(
    data: Any,
    wavelet: WaveletLike,
    level: int | None = None,
    axis: int = -1,
    transform: str = "swt",
    mode: ModeLike = "periodization",
) -> Components:
    """The call of :func:`liftwave.mra`."""
    x = as_array(data)
    if _is_undecimated(transform, "swt", "dwt", mode, wavelet):
        call = undecimated_calls.swt(x, wavelet, level, 0, axis, True, True)
        plans = _plans(wavelet, normalize_axis(axis, x.ndim), x.ndim)
        return _undecimated(x, call, plans, BAND_LIST)
    call = calls.wavedec(x, wavelet, mode, level, axis)
    return _decimated(x, call, 1, lambda c: synthesis_calls.waverec(c, wavelet, mode, axis))


def mra2(
    data: Any,
    wavelet: Wavelets,
    level: int | None = None,
    axes: Sequence[int] = (-2, -1),
    transform: str = "swt2",
    mode: Modes = "periodization",
    levels_only: bool = False,
) -> Components:
    """The call of :func:`liftwave.mra2`."""
    x, by_level = as_array(data), flag(levels_only, "levels_only")
    if _is_undecimated(transform, "swt2", "dwt2", mode, wavelet):
        call = undecimated_calls.swt2(x, wavelet, _depth(x, level, axes), 0, axes, True, True)
        return _undecimated(x, call, _plans(wavelet, axes, x.ndim), TRIPLE_LIST, by_level)
    call = calls.wavedec2(x, wavelet, mode, level, axes)
    return _decimated(
        x, call, 2, lambda c: synthesis_calls.waverec2(c, wavelet, mode, axes), by_level
    )


def mran(
    data: Any,
    wavelet: Wavelets,
    level: int | None = None,
    axes: Sequence[int] | int | None = None,
    transform: str = "swtn",
    mode: Modes = "periodization",
    levels_only: bool = False,
) -> Components:
    """The call of :func:`liftwave.mran`."""
    x, by_level = as_array(data), flag(levels_only, "levels_only")
    if _is_undecimated(transform, "swtn", "dwtn", mode, wavelet):
        count = len(normalize_axes(axes, x.ndim, unique=True))
        depth = _depth(x, level, axes)
        call = undecimated_calls.swtn(x, wavelet, depth, 0, axes, True, True)  # type: ignore[arg-type]
        return _undecimated(x, call, _plans(wavelet, axes, x.ndim), dict_list(count), by_level)
    call = calls.wavedecn(x, wavelet, mode, level, axes)
    count = len(normalize_axes(axes, x.ndim))
    return _decimated(
        x, call, count, lambda c: synthesis_calls.waverecn(c, wavelet, mode, axes), by_level
    )


# --- components ------------------------------------------------------------------------------


def _undecimated(
    x: Array, call: Call, plans: AxisPlans, structure: Structure, levels_only: bool = False
) -> Components:
    result = BAND_LIST if levels_only else structure
    return Components(
        replace(call, result=FLAT),
        lambda bands: parts_of(bands, plans, levels_only=levels_only),
        result.pack,
        result.unpack,
        tuple(x.shape),
    )


def _decimated(
    x: Array, call: Call, naxes: int, inverse: Callable[[Any], Call], levels_only: bool = False
) -> Components:
    structure = call.result
    result = BAND_LIST if levels_only else structure
    count = len(detail_keys(naxes)) if levels_only else 1

    operation = call.operation
    assert isinstance(operation, Transform)
    plans = operation.plans_for(x.ndim)

    def parts(bands: Sequence[Array]) -> list[Part]:
        if _needs_no_zeros(plans, tuple(x.shape), operation.level):
            return parts_of(bands, plans, levels_only=levels_only)
        numbers = range(len(bands))
        groups = [numbers[:1], *(numbers[k : k + count] for k in numbers[1::count])]
        return decimated_parts(bands, inverse, structure, groups)

    return Components(replace(call, result=FLAT), parts, result.pack, result.unpack, tuple(x.shape))


def _needs_no_zeros(plans: AxisPlans, shape: tuple[int, ...], level: int) -> bool:
    """Whether the length of a signal that is synthesised from one band alone does not matter.

    Filter banks compute each sample from the coefficients near it, so samples beyond the end can be
    cut off. With periodic or orthogonal boundaries, and with lifting schemes, the samples near the
    end depend on the length.
    """
    if any(_has_exact_length(plan) for plan in plans):
        return False
    periodic_axes = [plan.axis for plan in plans if plan.boundary == "periodization"]
    return all(shape[axis] % 2**level == 0 for axis in periodic_axes)


def _has_exact_length(plan: AxisPlan) -> bool:
    """Whether an inverse returns as many samples as there are coefficients."""
    return isinstance(plan.wavelet, LiftingScheme) or plan.boundary == "orthogonal"


# --- arguments -------------------------------------------------------------------------------


def _is_undecimated(
    transform: str, undecimated: str, decimated: str, mode: Any, wavelet: Wavelets
) -> bool:
    if not isinstance(transform, str) or transform not in (decimated, undecimated):
        raise OptionError(
            f"unrecognized transform: {transform!r}; use {undecimated!r} or {decimated!r}"
        )
    if transform == decimated:
        return False
    if not isinstance(mode, str) or mode != "periodization":
        raise ModeError(
            f"transform {undecimated!r} only supports mode='periodization', got {mode!r}"
        )
    if is_lifting(wavelet):
        raise WaveletError(
            f"transform {undecimated!r} is defined by filters, got {wavelet!r}: pass its filter "
            f"bank (scheme.to_filter_bank()), use transform={decimated!r}, or "
            "liftwave.undecimated(data, scheme).mra()"
        )
    return True


def _depth(x: Array, level: int | None, axes: Any) -> int:
    """The number of levels; by default the largest that all axes support."""
    if level is not None:
        return level
    lengths = [x.shape[axis] for axis in normalize_axes(axes, x.ndim)]
    return min(map(undecimated_level, lengths), default=0)


def _plans(wavelet: Wavelets, axes: Any, ndim: int) -> AxisPlans:
    return axis_plans(wavelet, _NORMALIZED, axes, ndim)
