"""Lifting by the compiled kernels: plans as the module's own, results, and what is left over.

Two axes, the last ones of an array, are lifted in one pass over memory. The
module copies samples beyond the edges or takes them as zero; that, and taps
that are numbers, is all that lifting needs. Taps that are arrays (gradients
may have to flow into them) stay with the reference kernels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from liftwave import _cpu
from liftwave._plan.axis import LiftPlan, StepPlan, bounded
from liftwave._plan.boundary import Extension, Row
from liftwave._plan.levels import AnalysisLevel, LiftStep, Step, SynthesisLevel, lifted_axes
from liftwave.wavelets.taps import FixedPoint, is_concrete

_ALIGNMENT = 64
"""Bytes: bands that begin on a cache line are written past the caches, whole lines at a time."""

# Results of so many bytes get fresh memory each time, in large pages: they begin with one.
_MAPPED_BYTES = 1 << 25
_LARGE_PAGE = 1 << 21


class Group(NamedTuple):
    """One axis, or two that are lifted together."""

    plans: tuple[tuple[int, _cpu.LiftPlan], ...]
    lengths: tuple[tuple[int, tuple[int, int]], ...]  # axis, lengths of its bands
    shape: tuple[tuple[int, int], ...]  # axis, length of the signal

    def band_shapes(self, shape: Sequence[int]) -> list[tuple[int, ...]]:
        """Shapes of the bands of an array of this shape."""
        shapes = [tuple(shape)]
        for axis, lengths in self.lengths:
            shapes = [(*s[:axis], n, *s[axis + 1 :]) for s in shapes for n in lengths]
        return shapes


# --- one axis, or a group --------------------------------------------------------------------


def axis_group(
    plan: LiftPlan, taps: Sequence[Any], scale: Sequence[float], axis: int, *, keep: bool
) -> Group | None:
    """One axis for the module; None where it is for the reference kernels.

    Without ``keep`` (taps that are learned change from call to call) it is not remembered.
    """
    key = ("cpu", axis, tuple(taps), tuple(scale))
    if key in plan.native:
        found: Group | None = plan.native[key]
        return found
    made = group_of([LiftStep(axis, plan, tuple(taps), (scale[0], scale[1]))])
    if keep:
        bounded(plan.native)[key] = made
    return made


def analyse_group(x: Any, group: Group, dtype: Any = None) -> list[Any]:
    """The bands of a NumPy array, in the order of their keys; in ``dtype``, if that is another."""
    bands = aligned(group.band_shapes(x.shape), dtype or x.dtype)
    if not _cpu.lift_analyse(x, bands, group.plans):
        _cpu.lift_analyse(x.copy(), bands, group.plans)  # samples that are not aligned
    return bands


def synthesise_group(bands: Sequence[Any], group: Group, out: Any = None) -> Any:
    """The NumPy array with these bands: ``out``, if given."""
    if out is None:
        shape = list(bands[0].shape)
        for axis, n in group.shape:
            shape[axis] = n
        (out,) = aligned([tuple(shape)], bands[0].dtype)
    if not _cpu.lift_synthesise(bands, out, group.plans):
        _cpu.lift_synthesise([band.copy() for band in bands], out, group.plans)
    return out


class Pullback(NamedTuple):
    """The way back through lifting along one axis: undone on values, transposed on cotangents."""

    undoing: _cpu.LiftPlan
    transposed: _cpu.LiftPlan
    axis: int
    shape: tuple[int, tuple[int, int]]  # lengths of the signal and of its bands
    tap_counts: tuple[int, ...]


def axis_pullback(
    plan: LiftPlan, taps: Sequence[Any], scale: Sequence[float], axis: int, *, keep: bool
) -> Pullback | None:
    """The way back along one axis for the module; None where it is for the reference kernels."""
    key = ("cpu pullback", axis, tuple(taps), tuple(scale))
    if key in plan.native:
        found: Pullback | None = plan.native[key]
        return found
    made = _pullback(plan, taps, scale, axis)
    if keep:
        bounded(plan.native)[key] = made
    return made


def _pullback(
    plan: LiftPlan, taps: Sequence[Any], scale: Sequence[float], axis: int
) -> Pullback | None:
    if any(isinstance(each, FixedPoint) for each in taps):
        return None
    back = tuple(reversed(taps))
    inverse = (1 / scale[0], 1 / scale[1])
    undoing = _module_plan(LiftStep(axis, plan.inverse(), back, inverse))
    flipped = tuple(each[::-1] for each in back)
    transposed = _module_plan(LiftStep(axis, plan.adjoint(), flipped, (scale[0], scale[1])))
    if undoing is None or transposed is None:
        return None
    padded = plan.n + len(plan.edge.right)
    lengths = plan.n, ((padded + 1) // 2, padded // 2)
    return Pullback(undoing, transposed, axis, lengths, tuple(map(len, taps)))


def pull_back(
    outputs: Sequence[Any], cotangents: Sequence[Any], pullback: Pullback
) -> tuple[list[Any], list[Any], Any]:
    """Inputs and their cotangents, NumPy arrays; the gradients of all taps and the scales."""
    merges = len(outputs) == 2
    n, halves = pullback.shape
    shape, axis = outputs[0].shape, pullback.axis
    shapes = [(*shape[:axis], m, *shape[axis + 1 :]) for m in ((n,) if merges else halves)]
    made = aligned(shapes * 2, outputs[0].dtype)
    inputs, pulled = made[: len(shapes)], made[len(shapes) :]
    arguments = (axis, pullback.undoing, pullback.transposed, merges)

    def run(values: Sequence[Any], given: Sequence[Any]) -> Any:
        if merges:
            return _cpu.lift_vjp([*inputs, *pulled], [*values, *given], *arguments)
        return _cpu.lift_vjp([*values, *given], [*inputs, *pulled], *arguments)

    gradients = run(outputs, cotangents)
    if gradients is None:  # numbers that are not aligned
        gradients = run([y.copy() for y in outputs], [g.copy() for g in cotangents])
    return inputs, pulled, gradients


def tap_gradients(gradients: Sequence[float], pullback: Pullback) -> list[Sequence[float]]:
    """Those of each step, in the order of the lifting; the way back is in the opposite order."""
    found, start = [], 0
    for count in reversed(pullback.tap_counts):
        found.append(gradients[start : start + count])
        start += count
    return found[::-1]


def aligned(shapes: Sequence[tuple[int, ...]], dtype: Any) -> list[Any]:
    """Arrays of these shapes, one after the other in one piece of memory, each on a cache line."""
    dtype = np.dtype(dtype)
    sizes = [prod(shape) * dtype.itemsize for shape in shapes]
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + -(-size // _ALIGNMENT) * _ALIGNMENT)
    alignment = _LARGE_PAGE if starts[-1] >= _MAPPED_BYTES else _ALIGNMENT
    memory = np.empty(starts[-1] + alignment, np.uint8)
    first = -memory.ctypes.data % alignment
    return [
        np.ndarray(shape, dtype, memory, first + start)
        for shape, start in zip(shapes, starts[:-1], strict=True)
    ]


# --- levels ----------------------------------------------------------------------------------


def analysis_groups(level: AnalysisLevel) -> tuple[Group, ...] | None:
    """The groups in which a level is lifted, in order; None if the module does not lift it."""
    key = "cpu lifting"
    if key not in level.native:
        ndim = len(level.shape)
        level.native[key] = _groups(list(level.analysis_steps), ndim)
    groups: tuple[Group, ...] | None = level.native[key]
    return groups


def synthesis_groups(level: SynthesisLevel) -> tuple[Group, ...] | None:
    """The groups in which a level is put together, the last axes first."""
    key = "cpu lifting"
    if key not in level.native:
        keyed = [(key, step) for key, step, _ in reversed(level.synthesis_steps)]
        in_order = _groups(keyed, len(level.shape))
        level.native[key] = None if in_order is None else in_order[::-1]
    groups: tuple[Group, ...] | None = level.native[key]
    return groups


def analyse_level(x: Any, groups: Sequence[Group], dtype: Any = None) -> list[Any]:
    """All bands of a NumPy array; in ``dtype``, if that is another."""
    bands = [x]
    for group in groups:
        bands = [half for band in bands for half in analyse_group(band, group, dtype)]
    return bands


def synthesise_level(bands: Mapping[str, Any], groups: Sequence[Group], out: Any = None) -> Any:
    """The NumPy array with these bands, all of which are there: ``out``, if given."""
    current = [bands[key] for key in sorted(bands)]
    for group in groups[:-1]:
        count = 2 ** len(group.plans)
        current = [
            synthesise_group(current[i : i + count], group) for i in range(0, len(current), count)
        ]
    return synthesise_group(current, groups[-1], out)


def _groups(keyed: Sequence[tuple[str, Step]], ndim: int) -> tuple[Group, ...] | None:
    steps = lifted_axes(keyed)
    if steps is None:
        return None
    fused = len(steps) > 1 and [step.axis for step in steps[-2:]] == [ndim - 2, ndim - 1]
    tail = 2 if fused else 1
    grouped = [[step] for step in steps[:-tail]] + [steps[-tail:]]
    groups = [group_of(group) for group in grouped]
    return None if any(group is None for group in groups) else tuple(g for g in groups if g)


# --- plans -----------------------------------------------------------------------------------


def group_of(steps: Sequence[LiftStep]) -> Group | None:
    """These axes, lifted in this order, for the module; None where they are not for it."""
    plans = [(step.axis, _module_plan(step)) for step in steps]
    if any(plan is None for _, plan in plans):
        return None
    padded = [(step, step.plan.n + len(step.plan.edge.right)) for step in steps]
    return Group(
        tuple((axis, plan) for axis, plan in plans if plan is not None),
        tuple((step.axis, ((n + 1) // 2, n // 2)) for step, n in padded),
        tuple((step.axis, step.plan.n) for step in steps),
    )


def _module_plan(step: LiftStep) -> _cpu.LiftPlan | None:
    """The plan as the module's; None if something in it is not for the module."""
    plan = step.plan
    edge = _edge(plan)
    if edge is None or not all(map(_is_number, step.scale)) or not all(map(is_concrete, step.taps)):
        return None
    if any(_sides(rows) is None for s in plan.steps for rows in (s.extend, s.fold)):
        return None
    steps = [_step(s, taps) for s, taps in zip(plan.steps, step.taps, strict=True)]
    scale = (float(step.scale[0]), float(step.scale[1]))
    return _cpu.LiftPlan(plan.n, edge, steps, plan.shift, scale)


def _step(step: StepPlan, taps: Any) -> tuple[Any, ...]:
    fixed = taps if isinstance(taps, FixedPoint) else FixedPoint((), 0)
    floats = [] if isinstance(taps, FixedPoint) else list(taps)
    sides = _sides(step.extend), _sides(step.fold)
    return step.target, step.subtract, step.offset, floats, fixed.numerators, fixed.bits, *sides


def _edge(plan: LiftPlan) -> int | None:
    """What stands behind an odd number of samples: 0 nothing, 1 a zero, 2 the last one again."""
    if plan.edge.left or len(plan.edge.right) > 1:
        return None
    if not plan.edge.right:
        return 0
    sample = _copied(plan.edge.right[0])
    return {-1: 1, plan.n - 1: 2}.get(plan.n if sample is None else sample)


def _sides(extension: Extension) -> tuple[list[int], list[int]] | None:
    """For each row the sample that it copies, -1 for zero; None if rows do more than that."""
    left, right = map(_copied, extension.left), map(_copied, extension.right)
    sides = list(left), list(right)
    return None if None in sides[0] or None in sides[1] else sides  # type: ignore[return-value]


def _copied(row: Row) -> int | None:
    if not row:
        return -1
    index, weight = row[0]
    return index if len(row) == 1 and weight == 1.0 else None


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int)
