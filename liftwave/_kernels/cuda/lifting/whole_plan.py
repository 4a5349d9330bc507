"""Plans of lifting without downsampling as arguments of CUDA kernels.

The structures are those of ``lifting/whole.cuh``, field by field.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any, ClassVar

from liftwave._kernels.cuda.common.layout import Batch, Strided, mode_number
from liftwave._kernels.cuda.lifting.plan import TAP_TYPES, LiftAxis, length_of
from liftwave._kernels.cuda.lifting.tiles import Side
from liftwave._plan.levels import LiftStep
from liftwave._plan.undecimated_lifting import WholeLiftPlan, nearest_place
from liftwave._plan.undecimated_lifting import WholeStep as StepPlan
from liftwave._typing import Mode
from liftwave.wavelets.taps import FixedPoint, is_concrete

MOST_STEPS, MOST_TAPS = 64, 128
# Larger than any tile.
_FARTHEST = 1 << 14

_int, _index = ctypes.c_int, ctypes.c_longlong


class WholeStep(ctypes.Structure):
    """``WholeStep`` of ``lifting/whole.cuh``."""

    _fields_ = [
        ("first", ctypes.c_short),
        ("length", ctypes.c_short),
        ("target", ctypes.c_byte),
        ("subtract", ctypes.c_byte),
        ("transposed", ctypes.c_byte),
        ("bits", ctypes.c_byte),
        ("before", _int),
        ("after", _int),
    ]


@cache
def whole_steps(real: str) -> Any:
    """``WholeSteps``, by the taps' type: ``TAP_TYPES``."""
    fields = [
        ("tap", TAP_TYPES[real] * MOST_TAPS),
        ("place", _index * MOST_TAPS),
        ("step", WholeStep * MOST_STEPS),
    ]
    return type("WholeSteps", (ctypes.Structure,), {"_fields_": fields})


@cache
def whole_arguments(real: str) -> Any:
    """``WholeArguments``."""
    fields = [
        ("signal", Strided),
        ("band", Strided * 2),
        ("batch", Batch),
        ("axis", LiftAxis * 2),
        ("scale", TAP_TYPES[real] * 2),
        ("weight", TAP_TYPES[real]),
        ("blocks", _index),
        ("log_width", _int),
        ("mode", _int),
        ("steps", whole_steps(real)),
    ]
    return type("WholeArguments", (ctypes.Structure,), {"_fields_": fields})


@cache
def whole_step_arguments(real: str) -> Any:
    """``WholeStepArguments``."""
    fields = [
        ("source", ctypes.c_void_p),
        ("target", ctypes.c_void_p),
        ("out", ctypes.c_void_p),
        ("n", _index),
        ("inner", _index),
        ("total", _index),
        ("mode", _int),
        ("padding", _int),
        ("steps", whole_steps(real)),
    ]
    return type("WholeStepArguments", (ctypes.Structure,), {"_fields_": fields})


# --- one axis ------------------------------------------------------------------------------------


class WholeGroup:
    """One axis that is lifted without downsampling, with taps that are numbers.

    Attributes
    ----------
    axes : tuple of int
        The axis.
    plan : WholeLiftPlan
    scale : tuple of float
    integer : bool
        Whether taps are in fixed point.
    """

    learned: ClassVar[bool] = False

    def __init__(self, step: LiftStep, plan: WholeLiftPlan) -> None:
        self.axes, self.plan, self.scale = (step.axis,), plan, step.scale
        self.integer = any(isinstance(taps, FixedPoint) for taps in step.taps)
        self._taps = step.taps
        self._structures: dict[Any, Any] = {}

    @property
    def mode(self) -> int:
        """The boundary mode in ``common/boundary.cuh``; ours of joined ends repeats no sample."""
        mode: Mode = self.plan.mode
        return mode_number("periodic" if mode == "periodization" else mode)

    @property
    def fits(self) -> bool:
        """Whether the arguments of one launch have room for all steps."""
        return len(self.plan.steps) <= MOST_STEPS and sum(map(length_of, self._taps)) <= MOST_TAPS

    @cached_property
    def sides(self) -> list[Side]:
        """The lifted axis of tiles: whole lines if possible, otherwise parts with a halo.

        Tiles at the ends contain the samples that places beyond the ends repeat.
        """
        n, (before, after) = self.plan.n, self.halo
        if self.plan.mode == "periodization":
            return [Side(n, True, smallest=n), Side(n, True, before + after, periodic=True)]
        farthest = max((abs(p) for step in self._places for p in step), default=0)
        return [Side(n, True, before + after, max(before, after) + farthest + 1)]

    @cached_property
    def halo(self) -> tuple[int, int]:
        """The samples that all steps read before and behind those of a tile."""
        reaches = list(map(_reach, self.plan.steps, self._places))
        return sum(before for before, _ in reaches), sum(after for _, after in reaches)

    @cached_property
    def _places(self) -> list[list[int]]:
        n, mode = self.plan.n, self.plan.mode
        return [[nearest_place(p, n, mode) for p in step.places] for step in self.plan.steps]

    def steps(self, real: str, number: int | None = None) -> Any:
        """The steps as a structure, by the taps' type; only one of them unless it is None."""
        key = real, number
        if key not in self._structures:
            numbers = range(len(self.plan.steps)) if number is None else [number]
            self._structures[key] = self._steps(real, numbers)
        return self._structures[key]

    def _steps(self, real: str, numbers: Sequence[int]) -> Any:
        structure, first = whole_steps(real)(), 0
        for k, number in enumerate(numbers):
            step, places, taps = self.plan.steps[number], self._places[number], self._taps[number]
            bits = taps.bits if isinstance(taps, FixedPoint) else 0
            flags = step.target, step.subtract, step.is_transposed
            reach = (min(r, _FARTHEST) for r in _reach(step, places))
            structure.step[k] = WholeStep(first, len(places), *flags, bits, *reach)
            last = first + len(places)
            structure.tap[first:last] = taps.numerators if isinstance(taps, FixedPoint) else taps
            structure.place[first:last] = places
            first = last
        return structure


def _reach(step: StepPlan, places: Sequence[int]) -> tuple[int, int]:
    """The samples that a target reads before and behind its own place."""
    offsets = [-place for place in places] if step.is_transposed else places
    return max(0, -min(offsets, default=0)), max(0, *offsets, 0)


def whole_group(step: LiftStep) -> WholeGroup | None:
    """The axis of a step; None if the kernels do not support it."""
    plan, taps = step.plan, step.taps
    if not isinstance(plan, WholeLiftPlan) or not all(map(is_concrete, taps)):
        return None
    if not all(isinstance(factor, float | int) for factor in step.scale):
        return None
    fixed = {isinstance(values, FixedPoint) for values in taps}
    if len(fixed) > 1 or max(map(length_of, taps), default=0) > MOST_TAPS:
        return None
    return WholeGroup(step, plan)


def whole_groups(steps: Sequence[LiftStep]) -> tuple[WholeGroup, ...] | None:
    """The axes of these steps; None if the kernels do not support one of them."""
    groups = [group for group in map(whole_group, steps) if group is not None]
    return tuple(groups) if groups and len(groups) == len(steps) else None
