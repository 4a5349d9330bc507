"""Lifting by the CUDA kernels: along one axis, or two in one pass over memory.

A block has a tile of two axes in shared memory. If one axis is lifted, the other one of the tile is
a batch axis, chosen such that neighbouring threads read neighbouring numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import prod
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._kernels.cuda.layout import MAX_BATCH_AXES, Merged, grid, merged, placed
from liftwave._kernels.cuda.lifting_plan import (
    AxisGeometry,
    LiftAxis,
    arguments,
    fill_steps,
    fits,
    geometry,
    steps_structure,
)
from liftwave._kernels.cuda.lifting_plan import length_of as len_of
from liftwave._kernels.cuda.lifting_tiles import Side, Tiling, tiling
from liftwave._kernels.cuda.runtime import (
    COMPUTED,
    ITEMSIZE,
    CudaPart,
    Memory,
    Runtime,
    kernel,
    memory_of,
)
from liftwave._plan.axis import LiftPlan, bounded
from liftwave._plan.levels import LiftStep, Step, lifted_axes
from liftwave._typing import Array
from liftwave.wavelets.taps import FixedPoint

_SOURCE = "lifting.cuh"
_REAL = {"float32": "float", "complex64": "float", "float64": "double", "complex128": "double"}
_HALVES = ("float16", "bfloat16")
_FLOATS = frozenset((*_REAL, *_HALVES))
_INTEGERS = frozenset(ITEMSIZE) - _FLOATS


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


# --- one axis ------------------------------------------------------------------------------------


class CudaLifting(CudaPart):
    """Lifting along one axis."""

    def lift_analysis(
        self, x: Array, plan: LiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
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
        plan: LiftPlan,
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


def axis_group(
    plan: LiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
) -> Group | None:
    """The group of one axis; None if the kernels do not support it."""
    step = LiftStep(axis, plan, tuple(taps), (scale[0], scale[1]))
    if _is_learned(step):  # taps that change at each call are not cached
        return group_of([step])
    key = ("cuda lifting", axis, step.taps, step.scale)
    if key not in plan.native:
        bounded(plan.native)[key] = group_of([step])
    group: Group | None = plan.native[key]
    return group


def group_of(steps: Sequence[LiftStep]) -> Group | None:
    """The group of these axes in this order; None if the kernels do not support them."""
    geometries = tuple(g for g in (geometry(step.plan) for step in steps) if g is not None)
    taps = tuple(step.taps for step in steps)
    all_taps = [t for of_step in taps for t in of_step]
    learned, fixed = any(map(_is_learned, steps)), [isinstance(t, FixedPoint) for t in all_taps]
    if len(geometries) < len(steps) or any(fixed) != all(fixed):
        return None
    if not fits(all_taps, learned=learned):
        return None
    axes, scales = tuple(step.axis for step in steps), tuple(step.scale for step in steps)
    return Group(axes, geometries, taps, scales, learned, any(fixed), {})


def _is_learned(step: LiftStep) -> bool:
    """Whether some taps or scales are arrays."""
    return not all(isinstance(t, tuple) for t in step.taps) or not all(
        isinstance(factor, float | int) for factor in step.scale
    )


# --- levels --------------------------------------------------------------------------------------


def analyse_level(
    x: Array, groups: Sequence[Group], approx: str, details: str, runtime: Runtime
) -> list[Array] | None:
    """All bands of a level; None if the kernels do not support these arrays.

    Parameters
    ----------
    x : array
        The signal.
    groups : sequence of Group
        The groups of the level (:func:`level_groups`).
    approx, details : str
        The dtypes of the approximation and of the details.
    runtime : Runtime
        Runs the kernels.
    """
    return _analyse_in_turn(x, groups, approx, details, runtime)


def synthesise_level(
    bands: Mapping[str, Array],
    groups: Sequence[Group],
    dtype: str,
    runtime: Runtime,
    out: Array | None = None,
) -> Array | None:
    """The array with these bands; None if unsupported, or if a band is missing.

    Parameters
    ----------
    bands : mapping
        The bands by key.
    groups : sequence of Group
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


def level_groups(keyed: Sequence[tuple[str, Step]]) -> tuple[Group, ...] | None:
    """The groups of a level's axes, in the order of an analysis: the last two axes together.

    None if the kernels do not support the level.
    """
    steps = lifted_axes(keyed) or []
    fused = len(steps) > 1 and steps[-1].axis != steps[-2].axis
    tail = 2 if fused else 1
    parts = [[step] for step in steps[:-tail]] + [steps[-tail:]]
    groups = [group_of(part) for part in parts] if steps else [None]
    lifting_groups = tuple(group for group in groups if group is not None)
    return lifting_groups if len(lifting_groups) == len(groups) else None


def _analyse_in_turn(
    x: Array, groups: Sequence[Group], approx: str, details: str, runtime: Runtime
) -> list[Array] | None:
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


def _synthesise_in_turn(
    bands: Sequence[Array],
    groups: Sequence[Group],
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
    x: Array, group: Group, approx: str, details: str, runtime: Runtime
) -> list[Array] | None:
    """The bands of an array; None if the kernels do not support it."""
    memory = memory_of(x)
    if not serves(group, (approx, details, memory.dtype), x):
        return None
    shapes = group.band_shapes(x.shape)
    names = [approx] + [details] * (len(shapes) - 1)
    bands = [runtime.empty(s, n, x) for s, n in zip(shapes, names, strict=True)]
    launch = Launch(group, memory, [memory_of(band) for band in bands], COMPUTED[approx])
    if launch.tiling is None:
        if len(group.axes) == 1:
            return None
        return _analyse_in_turn(x, group.singles, approx, details, runtime)
    names_of = memory.dtype, approx, details
    launch.run("lift_analysis", names_of, group.axes[0], x, runtime)
    return bands


def _synthesise(
    bands: Sequence[Array], group: Group, name: str, runtime: Runtime, out: Array | None = None
) -> Array | None:
    """The array with these bands; None if the kernels do not support them."""
    approx, *details = (name_of(band.dtype) for band in bands)
    if len(set(details)) > 1 or not serves(group, (approx, details[0], name), bands[0]):
        return None
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


def serves(group: Group, names: Sequence[str], like: Array) -> bool:
    """Whether kernels support arrays of these dtypes, the approximation's first."""
    if group.integer:
        dtypes_match = set(names) <= _INTEGERS and names[0] == names[1]
    else:
        dtypes_match = set(names) <= _FLOATS and len({COMPUTED[name] for name in names}) == 1
    return dtypes_match and (not group.learned or all(_is_beside(t, like) for t in _learned(group)))


def _learned(group: Group) -> Iterator[Any]:
    """Taps and scales that are arrays."""
    for values in (*chain(*group.taps), *chain(*group.scales)):
        if not isinstance(values, tuple | float | int):
            yield values


def _is_beside(values: Any, like: Array) -> bool:
    """Whether an array belongs to the same library and device."""
    if hasattr(values, "data_ptr") != hasattr(like, "data_ptr"):
        return False
    return bool(device(values) == device(like))


class Launch:
    """A kernel's tiles and arguments, for an array and its bands.

    Parameters
    ----------
    group : Group
    signal : Memory
    bands : list of Memory
        In the order of their keys, followed by other arrays with the same axes.
    work : str
        The computation dtype.
    fields : int, optional
        The number of arrays of the signal's size in a tile.
    extra : int, optional
        Bytes of shared memory for other purposes.

    Attributes
    ----------
    lifted : tuple of int or None
        The group's axes that are the rows and the columns of tiles.
    tiling : Tiling or None
        None if the tile does not fit.
    extras : list of structures
        The arrays passed after the bands; set by :meth:`arguments`.
    """

    def __init__(
        self,
        group: Group,
        signal: Memory,
        bands: Sequence[Memory],
        work: str,
        fields: int = 1,
        extra: int = 0,
    ) -> None:
        self.group, self.signal, self.bands, self.work = group, signal, bands, work
        self.lifted, self.along, self.batch = _axes_of_tiles(group, [signal, *bands])
        sides = [self._side(k) for k in (0, 1)]
        taps = sum(len_of(t) for t in chain(*group.taps))
        number = 8 if work in ("float64", "complex128") else 4
        extra += -(-(taps + 4) * number // 16) * 16 if group.learned else 0
        batch = prod(size for size, _ in self.batch)
        self.tiling: Tiling | None = None
        if self.is_empty or len(self.batch) <= MAX_BATCH_AXES:
            self.tiling = tiling(*sides, batch, ITEMSIZE[work], extra, fields)

    @staticmethod
    def real_of(work: str) -> str:
        """The C type of the taps for this computation dtype."""
        return _REAL.get(work, "int")

    @property
    def is_empty(self) -> bool:
        """Whether the arrays are empty."""
        return not prod(self.signal.shape)

    def _side(self, k: int) -> Side:
        index, (size, _) = self.lifted[k], self.along[k]
        if index is None:
            return Side(size)
        g = self.group.geometries[index]
        return Side(g.lengths[0], True, sum(g.halo), g.margin, g.periodic)

    def run(
        self, name: str, dtypes: tuple[str, ...], first: int, like: Array, runtime: Runtime
    ) -> None:
        """Launch the kernel of this name, which begins with array axis ``first``."""
        assert self.tiling is not None
        if self.is_empty:
            return
        structure, tap_arrays = self.arguments(like)
        structure.columns_first = int(self._is_along_columns(first))
        flags = (self.lifted[0] is not None, self.lifted[1] is not None, self.group.learned)
        what = f"lifting of shape {self.signal.shape} along {self.group.axes}"
        runtime.launch(
            kernel(_SOURCE, name, *dtypes, *flags),
            grid(structure.blocks),
            self.tiling.threads,
            self.tiling.shared,
            structure,
            like,
            what,
        )
        del tap_arrays

    def _is_along_columns(self, axis: int) -> bool:
        return self.lifted[1] is not None and self.group.axes[self.lifted[1]] == axis

    def arguments(self, like: Array) -> tuple[Any, Any]:
        """The kernel's arguments, and the arrays of taps, which must live until the launch."""
        assert self.tiling is not None
        layout = placed([self.signal, *self.bands], self.batch, [s for _, s in self.along])
        assert layout is not None
        batch, (signal, *bands) = layout
        structure = arguments(self.real_of(self.work), self.group.learned)()
        structure.signal, structure.batch = signal, batch
        bands, self.extras = bands[: 2 ** len(self.group.axes)], bands[2 ** len(self.group.axes) :]
        # Kernels number bands by rows first.
        swaps = self.lifted == (1, 0)
        for k, band in enumerate([bands[i] for i in (0, 2, 1, 3)] if swaps else bands):
            structure.band[k] = band
        structure.blocks = batch.count * prod(self.tiling.tiles)
        structure.log_width = self.tiling.log_width
        structure.paired = int(self._pairs(signal))
        for k in (0, 1):
            structure.axis[k] = self._axis(k)
        return structure, self._fill_steps(structure, like)

    def _axis(self, k: int) -> LiftAxis:
        assert self.tiling is not None
        index, tiles, room = self.lifted[k], self.tiling.tiles[k], self.tiling.room[k]
        if index is None:
            size = self.along[k][0]
            return LiftAxis(size, size, (0, 0), tiles, (0, 0), 0, 0, 0, 0, room, 0)
        g = self.group.geometries[index]
        first = sum(len(of_axis.steps) for of_axis in self.group.geometries[:index])
        flags = int(g.periodic), int(g.repeats)
        return LiftAxis(g.n, g.padded, g.shift, tiles, g.halo, first, len(g.steps), *flags, room, 0)

    def _pairs(self, signal: Any) -> bool:
        """Whether two neighbouring samples can be read at once."""
        size = ITEMSIZE[self.signal.dtype]
        strides = [*signal.batch_stride, signal.stride[0]]
        return (
            self.lifted[1] is not None
            and signal.stride[1] == 1
            and self.signal.address % (2 * size) == 0
            and not any(s % 2 for s in strides)
        )

    def _fill_steps(self, structure: Any, like: Array) -> list[Any]:
        group, real = self.group, self.real_of(self.work)
        if real not in group.structures:
            steps = steps_structure(real, group.learned)()
            all_taps = list(chain(*group.taps))
            group.structures[real] = steps, fill_steps(steps, group.geometries, all_taps)
        structure.steps, structure.taps = group.structures[real]
        number = int if real == "int" else float
        for k, index in enumerate(self.lifted):
            for c in (0, 1):
                factor = 1 if index is None else group.scales[index][c]
                if isinstance(factor, float | int):
                    structure.scale[2 * k + c] = number(factor)
        return self._point(structure.steps, like) if group.learned else []

    def _point(self, steps: Any, like: Array) -> list[Any]:
        """Write the addresses of learned taps and scales; return the arrays that hold them."""
        real = {"complex64": "float32", "complex128": "float64"}.get(self.work, self.work)
        arrays = []

        def place(values: Any) -> int | None:
            if isinstance(values, tuple | float | int):
                return None
            arrays.append(_contiguous(values, real))
            return memory_of(arrays[-1]).address

        for k, values in enumerate(chain(*self.group.taps)):
            steps.place[k] = place(values)
        for k, index in enumerate(self.lifted):
            for c in (0, 1):
                factor = 1.0 if index is None else self.group.scales[index][c]
                steps.scale_place[2 * k + c] = place(factor)
        return arrays


def _contiguous(values: Any, dtype: str) -> Any:
    """A contiguous array of taps in this dtype."""
    xp = array_namespace(values)
    cast = xp.astype(values, getattr(xp, dtype), copy=False)
    strides = memory_of(cast).strides
    return cast if all(s == 1 for s in strides) else xp.concat([cast, cast])[: cast.shape[0]]


Tiled: TypeAlias = tuple[tuple[int | None, int | None], list[Merged], list[Merged]]


def _axes_of_tiles(group: Group, memories: Sequence[Memory]) -> Tiled:
    """Rows and columns of tiles: index in the group, then size and strides; the batch axes.

    Neighbouring threads go along columns, the axis with the smallest stride in the signal.
    """
    own: list[Merged] = [
        (memories[0].shape[axis], [m.strides[axis] for m in memories]) for axis in group.axes
    ]
    batch_axes = merged(memories, group.axes)
    if len(own) == 2:
        columns = 0 if _distance(own[0]) < _distance(own[1]) else 1
        return (1 - columns, columns), [own[1 - columns], own[columns]], batch_axes
    if not batch_axes:
        return (None, 0), [(1, [0] * len(memories)), own[0]], []
    nearest = min(range(len(batch_axes)), key=lambda k: _distance(batch_axes[k]))
    if _distance(batch_axes[nearest]) < _distance(own[0]):
        columns_of = batch_axes.pop(nearest)
        return (0, None), [own[0], columns_of], batch_axes
    rows = batch_axes.pop(max(range(len(batch_axes)), key=lambda k: batch_axes[k][0]))
    return (None, 0), [rows, own[0]], batch_axes


def _distance(axis: Merged) -> int:
    """The distance of neighbours in the signal; very large for an axis of one number."""
    size, strides = axis
    return abs(strides[0]) if size > 1 and strides[0] else 1 << 62


def name_of(dtype: Any) -> str:
    """The name of a dtype of NumPy, CuPy or torch; a name is returned unchanged."""
    if isinstance(dtype, str):  # NumPy lacks some of these dtypes
        return dtype
    of_torch = type(dtype).__module__ == "torch"
    return str(dtype).removeprefix("torch.") if of_torch else np.dtype(dtype).name
