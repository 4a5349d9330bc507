"""Boundary modes of undecimated transforms: plans with these modes, and checks of arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from liftwave._numbers import is_several, items
from liftwave._plan.arguments import modes_per_axis, resolve_mode
from liftwave._plan.axes import AxisPlan, AxisPlans
from liftwave._plan.boundary import check_extends
from liftwave._plan.lengths import check_lifting_mode
from liftwave._plan.undecimated import Undecimated
from liftwave._typing import Array, Mode, Modes
from liftwave.errors import LevelError, ModeError, ModeTypeError, ShapeError, WaveletError
from liftwave.wavelets.lifting.scheme import LiftingScheme


def extended(plans: AxisPlans, mode: Modes, x: Array, level: int) -> AxisPlans:
    """The plans of an analysis of ``x`` with these modes, from plans of periodic axes.

    Raises
    ------
    ModeError, LevelError
        If a mode does not exist, or taps of filters are as far apart as the ends of an axis that is
        not periodic.
    ShapeError, WaveletError
        As :func:`check_lifting`.
    """
    if type(mode) is str and mode == "periodization" and not plans.is_lifted:
        return plans
    plans = bounded(plans, mode)
    if plans.is_lifted:
        check_lifting(plans, x.shape)
        return plans
    for plan in plans:
        _check_reach(x.shape[plan.axis], plan, level)
    return plans


def bounded(plans: AxisPlans, mode: Modes) -> AxisPlans:
    """Plans with these modes, from plans of periodic axes.

    Raises
    ------
    ModeError
        If a mode does not exist.
    """
    if type(mode) is str and mode == "periodization":
        return plans
    modes = modes_per_axis(mode, len(plans))
    derived: AxisPlans | None = plans.cache.get(modes)
    if derived is None:
        pairs = zip(plans, modes, strict=True)
        derived = plans.cache[modes] = AxisPlans(_bounded(plan, name) for plan, name in pairs)
    return derived


def check_lifting(plans: AxisPlans, shape: Sequence[int]) -> None:
    """Raise if lifting schemes do not support the plans of a transform.

    Raises
    ------
    ModeError, ShapeError, WaveletError
        If a mode is not defined for lifting, an axis has no samples, filter banks and schemes are
        mixed, or norm is set for an integer scheme.
    """
    for plan in plans:
        _check_scheme(plan)
        if isinstance(shape[plan.axis], int) and shape[plan.axis] < 1:
            raise ShapeError(f"axis {plan.axis} of shape {tuple(shape)} has no samples")
    if plans.is_integer and _options(plans[0]).norm:
        raise WaveletError("norm=True divides by sqrt(2): integer schemes cannot, use norm=False")


def _check_scheme(plan: AxisPlan) -> None:
    if not isinstance(plan.wavelet, LiftingScheme):
        raise WaveletError(
            "an undecimated transform has lifting schemes along all axes or along none, got also "
            f"{plan.wavelet!r}"
        )
    check_lifting_mode(plan.wavelet, plan.mode)


def is_lifting(wavelet: Any) -> bool:
    """Whether a wavelet, or one of several, is a lifting scheme."""
    if type(wavelet) is str:
        return False
    wavelets = wavelet if isinstance(wavelet, list | tuple) else [wavelet]
    return any(isinstance(item, LiftingScheme) for item in wavelets)


def _bounded(plan: AxisPlan, boundary: Mode) -> AxisPlan:
    check_extends(boundary, "an undecimated transform")
    return plan._replace(mode=_options(plan)._replace(boundary=boundary))


def _options(plan: AxisPlan) -> Undecimated:
    assert isinstance(plan.mode, Undecimated)
    return plan.mode


def _check_reach(n: int, plan: AxisPlan, level: int) -> None:
    """Raise if the taps of the last level are as far apart as the ends of a signal."""
    options = _options(plan)
    if options.is_periodic or not level:  # lengths that are symbols stay symbols
        return
    deepest, largest = options.start_level + level, max(1, (n - 1).bit_length())
    if deepest <= largest:
        return
    raise LevelError(
        f"start_level + level is {deepest}: the last filters have taps {2 ** (deepest - 1)} "
        f"samples apart, but axis {plan.axis} has {n}. With mode={options.boundary!r}, the sum "
        f"must be at most {largest} (mode='periodization' has no limit)"
    )


def check_start(options: Undecimated, x: Array, plans: AxisPlans) -> None:
    """Raise if the gaps of the first dilated filters are as long as a signal."""
    start = options.start_level
    if not start:  # lengths that are symbols stay symbols, as nothing compares them
        return
    shortest = min((x.shape[plan.axis] for plan in plans), default=1)
    if 2**start >= shortest:
        raise LevelError(
            "2**start_level must be less than the number of samples, got "
            f"start_level={start} for {shortest} samples"
        )


def invertible(name: str, plans: AxisPlans, mode: Modes, shape: Sequence[int]) -> AxisPlans:
    """The plans of a synthesis with these modes, from plans of periodic axes.

    Raises
    ------
    ModeError, ShapeError, WaveletError
        If a mode has no inverse, or as :func:`check_lifting`.
    """
    if not plans.is_lifted:
        check_periodic(name, mode)
        return plans
    plans = bounded(plans, mode)
    check_lifting(plans, shape)
    return plans


def check_periodic(name: str, mode: Modes) -> None:
    """Raise unless the modes of a synthesis by filter banks are periodic."""
    if type(mode) is str and mode == "periodization":
        return
    single: list[Any] = [mode]
    names = items(mode, "expected one mode per axis", ModeTypeError) if is_several(mode) else single
    if not all(resolve_mode(value) in ("periodization", "periodic") for value in names):
        raise ModeError(
            f"{name} inverts filter banks with mode='periodization' only, got {mode!r}: the other "
            "modes have no inverse. Use a LiftingScheme, which has one in each of its modes"
        )
