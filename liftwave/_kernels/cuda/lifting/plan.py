"""Lifting plans as arguments of CUDA kernels: steps as structures, axes cut into tiles.

The structures are those of ``lifting/plan.cuh``, field by field.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from liftwave._kernels.cuda.common.layout import CHANNEL_REFLECT, Batch, Strided, mode_number
from liftwave._plan.axis import LiftPlan, StepPlan, step_padding
from liftwave._plan.boundary import Extension, channel_extension
from liftwave._typing import Mode
from liftwave.wavelets.taps import FixedPoint, tap_count

# Fits into the structure's fields, and is larger than any tile.
_FARTHEST = 1 << 14
GIVEN_STEPS, GIVEN_TAPS = 112, 160
LEARNED_STEPS, LEARNED_TAPS = 48, 96

_int, _index = ctypes.c_int, ctypes.c_longlong


class LiftStep(ctypes.Structure):
    """``LiftStep`` of ``lifting/plan.cuh``."""

    _fields_ = [
        ("first", ctypes.c_short),
        ("length", ctypes.c_short),
        ("offset", ctypes.c_short),
        ("before", ctypes.c_short),
        ("after", ctypes.c_short),
        ("target", ctypes.c_byte),
        ("subtract", ctypes.c_byte),
        ("extend", ctypes.c_byte),
        ("fold", ctypes.c_byte),
        ("bits", ctypes.c_byte),
        ("narrow", ctypes.c_byte),
    ]


class LiftAxis(ctypes.Structure):
    """``LiftAxis`` of ``lifting/plan.cuh``."""

    _fields_ = [
        ("n", _index),
        ("padded", _index),
        ("shift", _index * 2),
        ("tiles", _index),
        ("halo", _int * 2),
        ("first", _int),
        ("steps", _int),
        ("periodic", _int),
        ("repeats", _int),
        ("room", _int),
        ("padding", _int),
    ]


TAP_TYPES: dict[str, Any] = {"float": ctypes.c_float, "double": ctypes.c_double, "int": _index}


@cache
def steps_structure(real: str, learned: bool) -> Any:
    """``GivenSteps`` or ``LearnedSteps``, by the taps' type: ``TAP_TYPES``."""
    number = TAP_TYPES[real]
    if not learned:
        fields = [("tap", number * GIVEN_TAPS), ("step", LiftStep * GIVEN_STEPS)]
        return type("GivenSteps", (ctypes.Structure,), {"_fields_": fields})
    fields = [
        ("place", ctypes.c_void_p * LEARNED_STEPS),
        ("scale_place", ctypes.c_void_p * 4),
        ("tap", number * LEARNED_TAPS),
        ("step", LiftStep * LEARNED_STEPS),
    ]
    return type("LearnedSteps", (ctypes.Structure,), {"_fields_": fields})


@cache
def arguments(real: str, learned: bool) -> Any:
    """``LiftArguments``."""
    fields = [
        ("signal", Strided),
        ("band", Strided * 4),
        ("batch", Batch),
        ("axis", LiftAxis * 2),
        ("scale", TAP_TYPES[real] * 4),
        ("blocks", _index),
        ("log_width", _int),
        ("columns_first", _int),
        ("paired", _int),
        ("taps", _int),
        ("steps", steps_structure(real, learned)),
    ]
    return type("LiftArguments", (ctypes.Structure,), {"_fields_": fields})


# --- one axis ------------------------------------------------------------------------------------


class AxisGeometry(NamedTuple):
    """One axis of a plan, without the values of the taps."""

    n: int
    padded: int
    shift: tuple[int, int]
    halo: tuple[int, int]
    margin: int
    """If there are several tiles, those at the ends of the signal are longer than this."""
    periodic: bool
    repeats: bool
    steps: tuple[tuple[int, ...], ...]
    """Per step: length, offset, before, after, target, subtract, and modes of both extensions."""

    @property
    def lengths(self) -> tuple[int, int]:
        """The lengths of the bands."""
        return (self.padded + 1) // 2, self.padded // 2


def geometry(plan: LiftPlan) -> AxisGeometry | None:
    """The geometry of a plan; None if the kernels do not support its extensions."""
    key = "cuda lifting geometry"
    if key not in plan.native:
        plan.native[key] = _geometry(plan)
    axis_geometry: AxisGeometry | None = plan.native[key]
    return axis_geometry


def _geometry(plan: LiftPlan) -> AxisGeometry | None:
    repeats, padded = _repeats(plan), plan.n + len(plan.edge.right)
    periodic = padded % 2 == 0 and all(_goes_around(s, padded) for s in plan.steps)
    if repeats is None or (plan.shift != (0, 0) and not periodic):
        return None
    steps, margin = [], 0
    for step in plan.steps:
        modes = (0, 0) if periodic else _modes(step, padded)
        if modes is None:
            return None
        folded = () if periodic or step.fold.vanishes else (step.fold.left, step.fold.right)
        before, after = map(len, folded or ((), ()))
        steps.append(
            (step.length, step.offset, before, after, step.target, int(step.subtract), *modes)
        )
        sides = (step.extend.left, step.extend.right, step.fold.left, step.fold.right)
        margin = max(margin, *map(len, sides))
        if max(abs(step.offset), step.length, margin) > _FARTHEST:
            return None
    halo = (
        sum(max(0, -s.offset) for s in plan.steps),
        sum(max(0, s.offset + s.length - 1) for s in plan.steps),
    )
    half = max(padded // 2, 1)
    shift = plan.shift[0] % half, plan.shift[1] % half
    margin = 0 if periodic else max(halo) + margin + 1
    return AxisGeometry(plan.n, padded, shift, halo, margin, periodic, repeats, tuple(steps))


def _repeats(plan: LiftPlan) -> bool | None:
    """Whether the last sample pads an odd number; None if another sample does."""
    edge = plan.edge
    if edge.left or len(edge.right) > 1 or edge.right not in ((), ((),), (((plan.n - 1, 1.0),),)):
        return None
    return any(edge.right)


def _goes_around(step: StepPlan, padded: int) -> bool:
    """Whether a step works on periodic signals, or is the adjoint of such a step."""
    source, target = (_is(e, padded, p, "periodization") for e, p in _sides(step))
    if step.fold.vanishes:
        return source
    padding = step_padding(step.fold.n, 0, step.extend.n, step.length, -_last(step))
    return (
        step.extend.vanishes and target and padding == (len(step.fold.left), len(step.fold.right))
    )


def _last(step: StepPlan) -> int:
    return step.offset + step.length - 1


def _sides(step: StepPlan) -> tuple[tuple[Extension, int], tuple[Extension, int]]:
    """Source and target: their extensions and parities."""
    return (step.extend, 1 - step.target), (step.fold, step.target)


# The modes of channels whose rows copy one sample, with their numbers.
_MODES: tuple[tuple[Mode, int], ...] = (
    ("constant", mode_number("constant")),
    ("symmetric", mode_number("symmetric")),
    ("reflect", CHANNEL_REFLECT),
)
_ZERO = mode_number("zero")


def _modes(step: StepPlan, padded: int) -> tuple[int, int] | None:
    """The modes of both extensions; None if the kernels do not support one of them."""
    source, target = (_mode(extension, padded, parity) for extension, parity in _sides(step))
    return None if source is None or target is None else (source, target)


def _mode(extension: Extension, padded: int, parity: int) -> int | None:
    if extension.vanishes:
        return _ZERO
    return next((k for mode, k in _MODES if _is(extension, padded, parity, mode)), None)


def _is(extension: Extension, padded: int, parity: int, mode: Mode) -> bool:
    sides = len(extension.left), len(extension.right)
    return extension == channel_extension(padded, parity, mode, *sides)


# --- steps ---------------------------------------------------------------------------------------


def fits(taps: Sequence[Any], *, learned: bool) -> bool:
    """Whether an argument has room for all steps and their taps."""
    count = LEARNED_TAPS if learned else GIVEN_TAPS
    return len(taps) <= room_for_steps(learned=learned) and sum(map(length_of, taps)) <= count


def room_for_steps(*, learned: bool) -> int:
    """The number of steps that fit into an argument."""
    return LEARNED_STEPS if learned else GIVEN_STEPS


def length_of(taps: Any) -> int:
    """The number of taps."""
    return len(taps.numerators) if isinstance(taps, FixedPoint) else tap_count(taps)


def _is_narrow(taps: Any) -> bool:
    """Whether sums of the products of integer taps with 16-bit numbers have 32 bits."""
    if not isinstance(taps, FixedPoint):
        return False
    total: int = sum(map(abs, taps.numerators)) * (1 << 16) + (1 << (taps.bits - 1))
    return total < 1 << 31


def fill_steps(structure: Any, axes: Sequence[AxisGeometry], taps: Sequence[Any]) -> int:
    """Write steps, and taps that are numbers, to a structure; return the number of taps."""
    first = 0
    steps = [step for axis in axes for step in axis.steps]
    for k, (step, values) in enumerate(zip(steps, taps, strict=True)):
        length, offset, before, after, target, subtract, extend, fold = step
        bits = values.bits if isinstance(values, FixedPoint) else 0
        structure.step[k] = LiftStep(
            *(first, length, offset, before, after, target, subtract, extend, fold, bits),
            _is_narrow(values),
        )
        numbers = values.numerators if isinstance(values, FixedPoint) else values
        if isinstance(numbers, tuple):
            structure.tap[first : first + length] = numbers
        first += length
    return first
