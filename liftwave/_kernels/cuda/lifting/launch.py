"""Launching the CUDA kernels of lifting.

A block has a tile of two axes in shared memory. If one axis is lifted, the other one of the tile is
a batch axis, chosen such that neighbouring threads read neighbouring numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import prod
from typing import Any, TypeAlias

from liftwave._kernels.cuda.common.layout import MAX_BATCH_AXES, Merged, grid, merged, placed
from liftwave._kernels.cuda.common.memory import (
    ITEMSIZE,
    REAL,
    Memory,
    contiguous,
    converted,
    memory_of,
)
from liftwave._kernels.cuda.common.runtime import Runtime, kernel
from liftwave._kernels.cuda.lifting.groups import Group
from liftwave._kernels.cuda.lifting.plan import (
    LiftAxis,
    arguments,
    fill_steps,
    length_of,
    steps_structure,
)
from liftwave._kernels.cuda.lifting.tiles import Side, Tiling, tiling
from liftwave._typing import Array

_SOURCE = "lifting/transform.cuh"
_REAL = {"float32": "float", "complex64": "float", "float64": "double", "complex128": "double"}


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
        self.lifted, self.along, self.batch = axes_of_tiles(group.axes, [signal, *bands])
        sides = [self._side(k) for k in (0, 1)]
        taps = sum(length_of(t) for t in chain(*group.taps))
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
        arrays = []

        def place(values: Any) -> int | None:
            if isinstance(values, tuple | float | int):
                return None
            arrays.append(contiguous(converted(values, REAL[self.work])))
            return memory_of(arrays[-1]).address

        for k, values in enumerate(chain(*self.group.taps)):
            steps.place[k] = place(values)
        for k, index in enumerate(self.lifted):
            for c in (0, 1):
                factor = 1.0 if index is None else self.group.scales[index][c]
                steps.scale_place[2 * k + c] = place(factor)
        return arrays


Tiled: TypeAlias = tuple[tuple[int | None, int | None], list[Merged], list[Merged]]


def axes_of_tiles(axes: Sequence[int], memories: Sequence[Memory]) -> Tiled:
    """Rows and columns of tiles: index in ``axes``, then size and strides; the batch axes.

    Neighbouring threads go along columns, the axis with the smallest stride in the signal.
    """
    own: list[Merged] = [
        (memories[0].shape[axis], [m.strides[axis] for m in memories]) for axis in axes
    ]
    batch_axes = merged(memories, axes)
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
