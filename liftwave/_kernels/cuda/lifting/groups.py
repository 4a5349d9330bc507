"""Groups of axes that the CUDA kernels lift in one pass over memory: one axis, or two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from liftwave._kernels.contract import AnyLiftPlan
from liftwave._kernels.cuda.common.memory import (
    COMPLEX,
    COMPUTED,
    FLOATS,
    INTEGERS,
    is_beside,
)
from liftwave._kernels.cuda.lifting.plan import AxisGeometry, fits, geometry
from liftwave._kernels.cuda.lifting.whole_plan import WholeGroup, whole_group, whole_groups
from liftwave._plan.axis import LiftPlan, bounded
from liftwave._plan.levels import LiftStep, Step, lifted_axes
from liftwave._plan.undecimated_lifting import WholeLiftPlan
from liftwave._typing import Array
from liftwave.wavelets.taps import FixedPoint


class Group(NamedTuple):
    """One axis, or two that are lifted together, in the order of an analysis."""

    axes: tuple[int, ...]
    geometries: tuple[AxisGeometry, ...]
    taps: tuple[tuple[Any, ...], ...]
    scales: tuple[tuple[Any, Any], ...]
    learned: bool
    integer: bool
    structures: dict[Any, Any]
    """Steps as structures."""

    @property
    def singles(self) -> list[Group]:
        """Each axis as a group."""
        return [
            Group((axis,), (of_axis,), (taps,), (scale,), self.learned, self.integer, {})
            for axis, of_axis, taps, scale in zip(
                self.axes, self.geometries, self.taps, self.scales, strict=True
            )
        ]

    def band_shapes(self, shape: Sequence[int]) -> list[tuple[int, ...]]:
        """Shapes of the bands of an array of this shape, in the order of their keys."""
        shapes = [tuple(shape)]
        for axis, of_axis in zip(self.axes, self.geometries, strict=True):
            shapes = [(*s[:axis], n, *s[axis + 1 :]) for s in shapes for n in of_axis.lengths]
        return shapes

    def signal_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of an array that has bands of this shape."""
        lengths = list(shape)
        for axis, of_axis in zip(self.axes, self.geometries, strict=True):
            lengths[axis] = of_axis.n
        return tuple(lengths)


AnyGroup: TypeAlias = Group | WholeGroup
"""With downsampling, or on the whole grid."""


def axis_group(
    plan: AnyLiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
) -> AnyGroup | None:
    """The group of one axis; None if the kernels do not support it."""
    step = LiftStep(axis, plan, tuple(taps), (scale[0], scale[1]))
    if is_learned(step):  # taps that change at each call are not cached
        return _axis_group(step)
    key = ("cuda lifting", axis, step.taps, step.scale)
    if key not in plan.native:
        bounded(plan.native)[key] = _axis_group(step)
    group: AnyGroup | None = plan.native[key]
    return group


def _axis_group(step: LiftStep) -> AnyGroup | None:
    return whole_group(step) if isinstance(step.plan, WholeLiftPlan) else group_of([step])


def group_of(steps: Sequence[LiftStep]) -> Group | None:
    """The group of these axes in this order; None if the kernels do not support them."""
    plans = [step.plan for step in steps if isinstance(step.plan, LiftPlan)]
    geometries = tuple(g for g in map(geometry, plans) if g is not None)
    taps = tuple(step.taps for step in steps)
    all_taps = [t for of_step in taps for t in of_step]
    learned, fixed = any(map(is_learned, steps)), [isinstance(t, FixedPoint) for t in all_taps]
    if len(geometries) < len(steps) or any(fixed) != all(fixed):
        return None
    if not fits(all_taps, learned=learned):
        return None
    axes, scales = tuple(step.axis for step in steps), tuple(step.scale for step in steps)
    return Group(axes, geometries, taps, scales, learned, any(fixed), {})


def is_learned(step: LiftStep) -> bool:
    """Whether some taps or scales are arrays."""
    return not all(isinstance(t, tuple) for t in step.taps) or not all(
        isinstance(factor, float | int) for factor in step.scale
    )


def level_groups(keyed: Sequence[tuple[str, Step]]) -> tuple[AnyGroup, ...] | None:
    """The groups of a level's axes, in the order of an analysis: the last two axes together.

    On the whole grid, each axis is a group.

    None if the kernels do not support the level.
    """
    steps = lifted_axes(keyed) or []
    if any(isinstance(step.plan, WholeLiftPlan) for step in steps):
        return whole_groups(steps)
    fused = len(steps) > 1 and steps[-1].axis != steps[-2].axis
    tail = 2 if fused else 1
    parts = [[step] for step in steps[:-tail]] + [steps[-tail:]]
    groups = [group_of(part) for part in parts] if steps else [None]
    lifting_groups = tuple(group for group in groups if group is not None)
    return lifting_groups if len(lifting_groups) == len(groups) else None


# --- supported arrays ---------------------------------------------------------------------------


def serves(group: AnyGroup, names: Sequence[str], like: Array) -> bool:
    """Whether kernels support arrays of these dtypes, the approximation's first."""
    if group.integer:
        dtypes_match = set(names) <= INTEGERS and names[0] == names[1]
    else:
        dtypes_match = (
            set(names) <= FLOATS | COMPLEX and len({COMPUTED[name] for name in names}) == 1
        )
    if isinstance(group, WholeGroup) or not group.learned:
        return dtypes_match
    return dtypes_match and all(is_beside(t, like) for t in _learned(group))


def _learned(group: Group) -> Iterator[Any]:
    """Taps and scales that are arrays."""
    for values in (*chain(*group.taps), *chain(*group.scales)):
        if not isinstance(values, tuple | float | int):
            yield values
