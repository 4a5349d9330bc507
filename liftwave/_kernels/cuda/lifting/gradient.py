"""The vector-Jacobian product of lifting by the CUDA kernels, computed from its outputs."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from itertools import chain
from math import prod
from typing import Any

from array_api_compat import array_namespace

from liftwave._kernels.contract import AnyLiftPlan, LiftPullback
from liftwave._kernels.cuda.common.layout import Strided
from liftwave._kernels.cuda.common.memory import (
    COMPLEX,
    COMPUTED,
    REAL,
    converted,
    memory_of,
    name_of,
)
from liftwave._kernels.cuda.common.runtime import CudaPart, Runtime, kernel
from liftwave._kernels.cuda.lifting.groups import Group, group_of, serves
from liftwave._kernels.cuda.lifting.launch import Launch
from liftwave._kernels.cuda.lifting.plan import (
    AxisGeometry,
    LiftStep,
    arguments,
    fill_steps,
    geometry,
    room_for_steps,
    steps_structure,
)
from liftwave._plan.axis import LiftPlan
from liftwave._plan.levels import LiftStep as AxisStep
from liftwave._typing import Array

_SOURCE = "lifting/gradient.cuh"
# The most blocks; each has separate sums.
MOST_BLOCKS = 1024
# Numbers of a block for sums of up to four numbers per warp.
_WARP_SUMS = 32


class CudaLiftingGradient(CudaPart):
    """The vector-Jacobian product of lifting along one axis."""

    def lift_vjp(
        self,
        outputs: Sequence[Array],
        cotangents: Sequence[Array],
        plan: AnyLiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> LiftPullback:
        """Inputs, their cotangents, and gradients of taps and scales, from the outputs."""
        back = _lift_vjp(outputs, cotangents, plan, taps, scale, axis, self._runtime)
        if back is None:
            return self._fallback.lift_vjp(outputs, cotangents, plan, taps, scale, axis)
        return back


def _lift_vjp(
    outputs: Sequence[Array],
    cotangents: Sequence[Array],
    plan: AnyLiftPlan,
    taps: Sequence[Any],
    scale: Sequence[Any],
    axis: int,
    runtime: Runtime,
) -> LiftPullback | None:
    """Inputs, their cotangents, and gradients of taps and scales, from the outputs of lifting.

    None if the kernels do not support these arrays.
    """
    if not isinstance(plan, LiftPlan) or (len(outputs) == 1 and plan.edge.right):
        return None
    like, names = outputs[0], {name_of(x.dtype) for x in (*outputs, *cotangents)}
    back = _geometries(plan)
    step = AxisStep(axis, plan, tuple(reversed(taps)), (scale[0], scale[1]))
    group = None if back is None else group_of([step])
    if group is None or back is None or len(names) > 1 or group.integer or not prod(like.shape):
        return None
    (name,) = names
    if not serves(group, (name, name, name), like):
        return None
    if 2 * len(plan.steps) > room_for_steps(learned=group.learned):
        return None
    undoing, transposed = back
    group = group._replace(
        geometries=(undoing,), structures=_structures(group, undoing, transposed, name)
    )
    merges = len(outputs) == 2
    shapes = [group.signal_shape(like.shape)] if merges else group.band_shapes(like.shape)
    inputs = [runtime.empty(shape, name, like) for shape in shapes]
    input_cotangents = [runtime.empty(shape, name, like) for shape in shapes]
    signals = [inputs[0], input_cotangents[0]] if merges else [outputs[0], cotangents[0]]
    bands = [*outputs, *cotangents] if merges else [*inputs, *input_cotangents]
    total = _run(group, signals, bands, runtime, merges=merges)
    return None if total is None else _pullback(inputs, input_cotangents, total, plan)


def _pullback(
    inputs: list[Array], cotangents: list[Array], total: Array, plan: LiftPlan
) -> LiftPullback:
    gradients, stop = [], total.shape[0] - 2
    for step in plan.steps:  # the inverse runs the last step first
        gradients.append(total[stop - step.length : stop])
        stop -= step.length
    return LiftPullback(inputs, cotangents, gradients, (total[-2], total[-1]))


def _geometries(plan: LiftPlan) -> tuple[AxisGeometry, AxisGeometry] | None:
    """The geometries of the inverse plan, with halos for both plans, and of the adjoint plan."""
    key = "cuda lifting back"
    if key not in plan.native:
        plan.native[key] = _make_geometries(plan)
    geometries: tuple[AxisGeometry, AxisGeometry] | None = plan.native[key]
    return geometries


def _make_geometries(plan: LiftPlan) -> tuple[AxisGeometry, AxisGeometry] | None:
    forward, undoing, transposed = map(geometry, (plan, plan.inverse(), plan.adjoint()))
    if forward is None or undoing is None or transposed is None:
        return None
    if undoing.periodic != transposed.periodic:
        return None
    reach = sum(max(0, -s.offset, s.offset + s.length - 1) for s in plan.steps)
    margin = 0 if undoing.periodic else reach + max(undoing.margin, transposed.margin)
    undoing = undoing._replace(halo=(reach, reach), margin=margin, repeats=forward.repeats)
    return undoing, transposed


def _structures(
    group: Group, undoing: AxisGeometry, transposed: AxisGeometry, name: str
) -> dict[Any, Any]:
    """The steps of the inverse plan, then those of the adjoint plan, with the same taps."""
    real = Launch.real_of(COMPUTED[name])
    steps = steps_structure(real, group.learned)()
    count = fill_steps(steps, [undoing], list(chain(*group.taps)))
    for k, step in enumerate(transposed.steps):
        steps.step[len(undoing.steps) + k] = LiftStep(steps.step[k].first, *step, 0, 0)
    return {real: (steps, count)}


@cache
def _arguments(real: str, learned: bool) -> Any:
    """``LiftGradientArguments`` of ``lifting/gradient.cuh``."""
    fields = [
        ("values", arguments(real, learned)),
        ("signal", Strided),
        ("band", Strided * 2),
        ("partial", ctypes.c_void_p),
    ]
    return type("LiftGradientArguments", (ctypes.Structure,), {"_fields_": fields})


def _run(
    group: Group,
    signals: Sequence[Array],
    bands: Sequence[Array],
    runtime: Runtime,
    *,
    merges: bool,
) -> Array | None:
    """Launch the kernel; return the sums over all blocks, in the dtype of the taps."""
    like, work = signals[0], COMPUTED[name_of(signals[0].dtype)]
    memories = [memory_of(x) for x in (*bands[:2], signals[1], *bands[2:])]
    _, count = group.structures[Launch.real_of(work)]
    extra = -(-(count + 2 + _WARP_SUMS) * 8 // 16) * 16
    launch = Launch(group, memory_of(like), memories, work, fields=2, extra=extra)
    if launch.tiling is None:
        return None
    values, tap_arrays = launch.arguments(like)
    blocks = min(values.blocks, MOST_BLOCKS)
    partial = runtime.empty((blocks, count + 2), "float64", like)
    cotangents = launch.extras
    structure = _arguments(Launch.real_of(work), group.learned)(
        values, cotangents[0], (Strided * 2)(*cotangents[1:]), memory_of(partial).address
    )
    rows = launch.lifted[0] is not None
    runtime.launch(
        kernel(_SOURCE, "lift_vjp", name_of(like.dtype), rows, group.learned, merges),
        blocks,
        launch.tiling.threads,
        launch.tiling.shared,
        structure,
        like,
        f"derivative of lifting of shape {tuple(like.shape)} along {group.axes}",
    )
    del tap_arrays
    name = name_of(like.dtype)
    total = array_namespace(partial).sum(partial, axis=0)
    return converted(total, REAL[name] if name in COMPLEX else name)
