"""Lifting by the CUDA kernels: along one axis, or two in one pass over memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from liftwave._kernels.contract import AnyLiftPlan
from liftwave._kernels.cuda.common.memory import COMPUTED, memory_of, name_of
from liftwave._kernels.cuda.common.runtime import CudaPart, Runtime
from liftwave._kernels.cuda.lifting.groups import AnyGroup, axis_group, serves
from liftwave._kernels.cuda.lifting.launch import Launch
from liftwave._kernels.cuda.lifting.whole_launch import analyse_whole, synthesise_whole
from liftwave._kernels.cuda.lifting.whole_plan import WholeGroup
from liftwave._typing import Array


class CudaLifting(CudaPart):
    """Lifting along one axis."""

    def lift_analysis(
        self, x: Array, plan: AnyLiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
    ) -> tuple[Array, Array]:
        """Split into even and odd samples, run the steps, scale, roll."""
        group, name = axis_group(plan, taps, scale, axis), name_of(x.dtype)
        bands = None if group is None else _analyse(x, group, name, name, self._runtime)
        if bands is None:
            return self._fallback.lift_analysis(x, plan, taps, scale, axis)
        return bands[0], bands[1]

    def lift_synthesis(
        self,
        approx: Array,
        detail: Array,
        plan: AnyLiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> Array:
        """Roll back, scale, run the steps, merge even and odd samples."""
        group, name = axis_group(plan, taps, scale, axis), name_of(detail.dtype)
        signal = None
        if group is not None:
            signal = _synthesise([approx, detail], group, name, self._runtime)
        if signal is None:
            return self._fallback.lift_synthesis(approx, detail, plan, taps, scale, axis)
        return signal


# --- levels -------------------------------------------------------------------------------------


def analyse_level(
    x: Array, groups: Sequence[AnyGroup], approx: str, details: str, runtime: Runtime
) -> list[Array] | None:
    """All bands of a level; None if the kernels do not support these arrays.

    Parameters
    ----------
    x : array
        The signal.
    groups : sequence of AnyGroup
        The groups of the level (:func:`level_groups`).
    approx, details : str
        The dtypes of the approximation and of the details.
    runtime : Runtime
        Runs the kernels.
    """
    bands = [x]
    for group in groups:
        if group is not groups[-1]:
            between = COMPUTED[details]
            results = [_analyse(band, group, between, between, runtime) for band in bands]
        else:
            names = [approx] + [details] * (len(bands) - 1)
            results = [
                _analyse(band, group, name, details, runtime)
                for band, name in zip(bands, names, strict=True)
            ]
        if any(halves is None for halves in results):
            return None
        bands = [band for halves in results for band in halves or ()]
    return bands


def synthesise_level(
    bands: Mapping[str, Array],
    groups: Sequence[AnyGroup],
    dtype: str,
    runtime: Runtime,
    out: Array | None = None,
) -> Array | None:
    """The array with these bands; None if unsupported, or if a band is missing.

    Parameters
    ----------
    bands : mapping
        The bands by key.
    groups : sequence of AnyGroup
        The groups of the level (:func:`level_groups`).
    dtype : str
        The dtype of the result.
    runtime : Runtime
        Runs the kernels.
    out : array, optional
        The array for the result.
    """
    if len(bands) < 2 ** sum(len(group.axes) for group in groups):
        return None
    ordered = [bands[key] for key in sorted(bands)]
    return _synthesise_in_turn(ordered, groups, dtype, runtime, out)


def _synthesise_in_turn(
    bands: Sequence[Array],
    groups: Sequence[AnyGroup],
    name: str,
    runtime: Runtime,
    out: Array | None = None,
) -> Array | None:
    current = list(bands)
    for group in reversed(groups):
        count, last = 2 ** len(group.axes), group is groups[0]
        results = [
            _synthesise(current[i : i + count], group, name, runtime, out)
            if last
            else _synthesise(current[i : i + count], group, COMPUTED[name], runtime)
            for i in range(0, len(current), count)
        ]
        current = [band for band in results if band is not None]
        if len(current) < len(results):
            return None
    return current[0]


# --- one pass ------------------------------------------------------------------------------------


def _analyse(
    x: Array, group: AnyGroup, approx: str, details: str, runtime: Runtime
) -> list[Array] | None:
    """The bands of an array; None if the kernels do not support it."""
    memory = memory_of(x)
    if not serves(group, (approx, details, memory.dtype), x):
        return None
    if isinstance(group, WholeGroup):
        return analyse_whole(x, group, approx, details, runtime)
    shapes = group.band_shapes(x.shape)
    names = [approx] + [details] * (len(shapes) - 1)
    bands = [runtime.empty(s, n, x) for s, n in zip(shapes, names, strict=True)]
    launch = Launch(group, memory, [memory_of(band) for band in bands], COMPUTED[approx])
    if launch.tiling is None:
        if len(group.axes) == 1:
            return None
        return analyse_level(x, group.singles, approx, details, runtime)
    names_of = memory.dtype, approx, details
    launch.run("lift_analysis", names_of, group.axes[0], x, runtime)
    return bands


def _synthesise(
    bands: Sequence[Array], group: AnyGroup, name: str, runtime: Runtime, out: Array | None = None
) -> Array | None:
    """The array with these bands; None if the kernels do not support them."""
    approx, *details = (name_of(band.dtype) for band in bands)
    if len(set(details)) > 1 or not serves(group, (approx, details[0], name), bands[0]):
        return None
    if isinstance(group, WholeGroup):
        return synthesise_whole(bands, group, name, runtime, out)
    shape = group.signal_shape(bands[0].shape)
    signal = runtime.empty(shape, name, bands[0]) if out is None else out
    memories = [memory_of(band) for band in bands]
    launch = Launch(group, memory_of(signal), memories, COMPUTED[approx])
    if launch.tiling is None:
        singles = group.singles
        if len(singles) == 1:
            return None
        return _synthesise_in_turn(bands, singles, name, runtime, out)
    names = approx, details[0], name
    launch.run("lift_synthesis", names, group.axes[-1], signal, runtime)
    return signal
