"""Boundary modes of undecimated filter banks: plans with these modes, and checks of arguments."""

from __future__ import annotations

from typing import Any

from liftwave._numbers import is_several, items
from liftwave._plan.arguments import modes_per_axis, resolve_mode
from liftwave._plan.axes import AxisPlan, AxisPlans
from liftwave._plan.undecimated import Undecimated
from liftwave._typing import Array, Mode, Modes
from liftwave.errors import LevelError, ModeError, ModeTypeError


def extended(plans: AxisPlans, mode: Modes, x: Array, level: int) -> AxisPlans:
    """The plans of an analysis of ``x`` with these modes, from plans of periodic axes.

    Raises
    ------
    ModeError, LevelError
        If a mode does not exist, or taps are as far apart as the ends of an axis that is not
        periodic.
    """
    if type(mode) is str and mode == "periodization":
        return plans
    modes = modes_per_axis(mode, len(plans))
    derived: AxisPlans | None = plans.cache.get(modes)
    if derived is None:
        pairs = zip(plans, modes, strict=True)
        derived = plans.cache[modes] = AxisPlans(_bounded(plan, name) for plan, name in pairs)
    for plan in derived:
        _check_reach(x.shape[plan.axis], plan, level)
    return derived


def _bounded(plan: AxisPlan, boundary: Mode) -> AxisPlan:
    return plan._replace(mode=_options(plan)._replace(boundary=boundary))


def _options(plan: AxisPlan) -> Undecimated:
    assert isinstance(plan.mode, Undecimated)
    return plan.mode


def _check_reach(n: int, plan: AxisPlan, level: int) -> None:
    """Raise if the taps of the last level are as far apart as the ends of a signal."""
    options = _options(plan)
    deepest, largest = options.start_level + level, max(1, (n - 1).bit_length())
    if options.is_periodic or not level or deepest <= largest:
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


def check_periodic(name: str, mode: Modes) -> None:
    """Raise unless the modes of a synthesis by filter banks are periodic."""
    if type(mode) is str and mode == "periodization":
        return
    single: list[Any] = [mode]
    names = items(mode, "expected one mode per axis", ModeTypeError) if is_several(mode) else single
    if not all(resolve_mode(each) in ("periodization", "periodic") for each in names):
        raise ModeError(
            f"{name} inverts filter banks with mode='periodization' only, got {mode!r}: the other "
            "modes have no inverse. Use a LiftingScheme, which has one in each of its modes"
        )
