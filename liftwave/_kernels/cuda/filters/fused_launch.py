"""Launches of filter banks along two axes in one pass.

The kernels are in ``filters/fused_analysis.cuh`` and ``filters/fused_synthesis.cuh``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any, Literal, NamedTuple, TypeAlias

from liftwave._kernels.cuda.common.layout import (
    LONG_ROWS,
    Batch,
    Boundary,
    Strided,
    batched,
    boundary,
)
from liftwave._kernels.cuda.common.memory import COMPUTED, ITEMSIZE, REAL, Memory
from liftwave._kernels.cuda.common.runtime import Kernel, kernel
from liftwave._kernels.cuda.filters.taps import LearnedTaps, given_taps
from liftwave._kernels.cuda.filters.tiles import Cut, Tiling, cut
from liftwave._plan.axis import FilterPlan
from liftwave._plan.levels import FilterStep
from liftwave.wavelets.taps import is_concrete

MAX_TAPS = 20
"""The most taps for which the samples that filters reach fit into registers."""

# Numbers of rows and columns, and their indices, are 32-bit numbers.
_LONGEST = 1 << 30

_Kind: TypeAlias = Literal["analysis", "synthesis"]
_int = ctypes.c_int


@lru_cache(maxsize=256)
def _arguments(
    kind: _Kind, real: str, lengths: tuple[int, int], learned: bool
) -> type[ctypes.Structure]:
    """``AnalysisTileArguments`` or ``SynthesisTileArguments`` for taps of these kinds."""

    def taps(length: int) -> Any:
        return LearnedTaps if learned else given_taps(real, length)

    arrays: list[tuple[str, Any]] = [("image", Strided), ("out", Strided)]
    if kind == "analysis":
        arrays += [("band", ctypes.c_void_p * 4)]
    else:
        arrays = [("band", Strided * 4), ("out", Strided)]
    extra = ["packed", "padding"]
    if kind == "analysis":
        extra = ["lead", "packed", "across", "aligned"]
    fields = [
        ("batch", Batch),
        *arrays,
        ("rows", Boundary),
        ("columns", Boundary),
        ("tiling", Tiling),
        ("row_taps", taps(lengths[0])),
        ("column_taps", taps(lengths[1])),
        *((key, _int) for key in ("n_rows", "n_columns", "row_phase", "column_phase")),
        *((key, _int) for key in extra),
    ]
    return type(f"{kind}_tile", (ctypes.Structure,), {"_fields_": fields})


# --- pairs of axes -------------------------------------------------------------------------------


class TileLaunch(NamedTuple):
    """A kernel and its launch, except for the addresses."""

    kernel: Kernel
    blocks: int
    threads: int
    shared: int
    arguments: ctypes.Structure
    real: str


@dataclass(frozen=True, eq=False)
class Pair:
    """Two steps that one kernel runs at once.

    Attributes
    ----------
    rows, columns : FilterStep
        The steps along rows and columns; the later axis has the columns.
    order : tuple of int
        The kernel's index of each band ``aa, ad, da, dd`` of the two steps in their order.
    learned : bool
        Whether taps are arrays.
    launches : dict
        The prepared launches by dtypes and strides of the arrays; False if not supported.
    """

    rows: FilterStep
    columns: FilterStep
    order: tuple[int, int, int, int]
    learned: bool
    launches: dict[Any, TileLaunch | Literal[False]] = field(default_factory=dict)

    @property
    def plans(self) -> tuple[FilterPlan, FilterPlan]:
        """The plans of rows and columns."""
        return self.rows.plan, self.columns.plan

    @property
    def axes(self) -> tuple[int, int]:
        """The axes of rows and columns."""
        return self.rows.axis, self.columns.axis


def pair_of(kind: _Kind, first: FilterStep, second: FilterStep) -> Pair | None:
    """Two steps as a pair; None if the kernels do not support them in one pass.

    They support an even number of taps up to ``MAX_TAPS``, all numbers or all arrays, and no fold.
    """
    learned, *flags = (not is_concrete(taps) for taps in (*first.filters, *second.filters))
    if first.axis == second.axis or any(flag != learned for flag in flags):
        return None
    if not all(_is_served(kind, step.plan) for step in (first, second)):
        return None
    if first.axis < second.axis:
        return Pair(first, second, (0, 1, 2, 3), learned)
    return Pair(second, first, (0, 2, 1, 3), learned)


def _is_served(kind: _Kind, plan: FilterPlan) -> bool:
    if not plan.is_dyadic:
        return False
    extend = boundary(plan.extend)
    if extend is None or plan.length % 2 or plan.length > MAX_TAPS:
        return False
    if plan.fold.left or plan.fold.right or max(plan.n_out, plan.extend.n) >= _LONGEST:
        return False
    return kind == "analysis" or not _is_long(extend)


def _is_long(extend: Boundary) -> bool:
    """Whether a sample beyond the ends depends on several samples."""
    return extend.mode in LONG_ROWS


# --- launches ------------------------------------------------------------------------------------


class _Shape(NamedTuple):
    """The work of a thread: columns of an analysis, and rows (or pairs of them) at a time."""

    columns: int
    rows: int

    @property
    def beside(self) -> int:
        """The outputs of a thread of an analysis, side by side."""
        return self.columns * self.rows // 2


def _is_wide(computed: int, stored: int, taps: int, long: bool) -> bool:
    """Whether blocks may have more threads: for long filters, and with four columns of a thread."""
    return computed == 4 and not long and (taps > 12 or stored == 2)


def _analysis_shape(
    computed: int, stored: int, lengths: tuple[int, int], long: bool
) -> _Shape | None:
    """The shape that fits into registers, for these numbers of bytes; None if none does."""
    if computed == 4 and long:
        return _Shape(2, 2)
    if computed == 4:
        return _Shape(4, 2) if stored == 2 and max(lengths) <= 10 else _Shape(2, 4)
    if computed == 8:
        return _Shape(2, 2 if lengths[0] <= 16 else 1)
    return _Shape(2, 1) if max(lengths) <= 10 else None


def _synthesis_shape(computed: int, lengths: tuple[int, int]) -> _Shape | None:
    if computed == 4:
        return _Shape(1, 4 if lengths[0] <= 12 else 2)
    if computed == 8:
        return _Shape(1, 2 if lengths[0] <= 12 else 1)
    return _Shape(1, 1) if max(lengths) <= 10 else None


def analysis_launch(
    memory: Memory, shape: tuple[int, ...], dtypes: tuple[str, str], pair: Pair
) -> TileLaunch | None:
    rows, columns = pair.plans
    lengths, size = (rows.length, columns.length), ITEMSIZE[memory.dtype]
    computed = COMPUTED[memory.dtype]
    layout = batched([memory, Memory(0, contiguous_strides(shape), shape, dtypes[1])], pair.axes)
    kinds = [_boundary(plan) for plan in pair.plans]
    long = any(map(_is_long, kinds))
    of_thread = _analysis_shape(ITEMSIZE[computed], size, lengths, long)
    if layout is None or of_thread is None or memory.address % size:
        return None
    batch, (image, out) = layout
    # The numbers that one aligned read returns, and the offset of the first from such an address.
    vector = max(1, min(16, of_thread.columns * size) // size)
    offset = memory.address // size % vector
    strides = (memory.strides[pair.axes[0]] * (memory.shape[pair.axes[0]] > 1), *_of(batch, image))
    packed = image.stride[1] == 1 and all(s % vector == 0 for s in strides)
    lead = (columns.phase - columns.length + 1 + offset * packed) % of_thread.columns
    real, beside = REAL[computed], of_thread.beside
    # Rows of bands begin anywhere, and so do the first numbers that are written at once.
    aligned = out.stride[1] == 1
    misplaced = aligned and any(s % beside for s in (out.stride[0], *_of(batch, out)))

    def across(width: int) -> int:
        """Threads for the outputs of a row of a strip."""
        shifted = misplaced or (aligned and width % beside and width < columns.n_out)
        return -(-(width + (beside - 1) * bool(shifted)) // beside)

    def threads(width: int) -> int:
        of_columns = -(-(2 * width + columns.length - 2 + lead) // of_thread.columns)
        return max(of_columns, of_thread.rows * across(width))

    def buffer(threads: int) -> int:
        """Rows of both halves: ``shared_pitch`` of ``filters/fused_analysis.cuh``."""
        pitch = -(-threads * of_thread.columns // 2 // beside) * beside + 4 * beside
        return 2 * of_thread.rows * 2 * pitch * ITEMSIZE[computed]

    tiling, launch = cut(
        Cut(
            items=batch.count,
            rows=rows.n_out,
            columns=columns.n_out,
            threads=threads,
            at_once=of_thread.rows,
            reach=rows.length - 2,
            entries=2,
            entry=(-(-12 // ITEMSIZE[real]) + 3) * ITEMSIZE[real] if long else 4,
            taps=2 * sum(lengths) * ITEMSIZE[real] * pair.learned,
            buffer=buffer,
            wide=_is_wide(ITEMSIZE[computed], size, max(lengths), long),
        )
    )
    tiling.interleaved = _is_interleaved(batch, image)
    arguments = _arguments("analysis", real, lengths, pair.learned)()
    _fill(arguments, batch, tiling, kinds, pair)
    arguments.image, arguments.out = image, out
    arguments.lead, arguments.packed = lead, packed
    arguments.across, arguments.aligned = across(tiling.strip), aligned
    parameters = (memory.dtype, *dtypes, *lengths, *of_thread, pair.learned, long)
    compiled = kernel("filters/fused_analysis.cuh", "analysis_tile", *parameters)
    return TileLaunch(compiled, *launch, arguments, real)


def synthesis_launch(
    memories: Sequence[Memory | None], target: Memory, pair: Pair
) -> TileLaunch | None:
    rows, columns = pair.plans
    lengths, size = (rows.length, columns.length), ITEMSIZE[target.dtype]
    computed = COMPUTED[target.dtype]
    present = [m for m in memories if m is not None]
    details = {m.dtype for m in memories[1:] if m is not None} or {present[0].dtype}
    detail = details.pop()
    approx = memories[0].dtype if memories[0] is not None else detail
    # The result has the batch of the bands: all other axes have the same lengths.
    operands = [target._replace(shape=present[0].shape), *present]
    layout = batched(operands, pair.axes)
    of_thread = _synthesis_shape(ITEMSIZE[computed], lengths)
    same = not details and {COMPUTED[approx], COMPUTED[detail]} == {computed}
    if layout is None or of_thread is None or not same:
        return None
    if any(m.address % ITEMSIZE[m.dtype] for m in (*present, target)):
        return None
    batch, (out, *bands) = layout
    strides = (out.stride[0] * (target.shape[pair.axes[0]] > 1), *_of(batch, out))
    packed = out.stride[1] == 1 and all(s % 2 == 0 for s in strides)
    packed = packed and target.address % min(16, 2 * size) == 0
    odd = columns.phase % 2
    real = REAL[computed]
    tiling, launch = cut(
        Cut(
            items=batch.count,
            rows=(rows.n_out + 1 + rows.phase % 2) // 2,
            columns=(columns.n_out + 1) // 2,
            threads=lambda w: w + columns.length // 2 - 1 + odd,
            at_once=of_thread.rows,
            reach=rows.length // 2 - 1,
            entries=1,
            entry=4,
            taps=2 * sum(lengths) * ITEMSIZE[real] * pair.learned,
            buffer=lambda threads: 4 * of_thread.rows * threads * ITEMSIZE[computed],
        )
    )
    tiling.interleaved = _is_interleaved(batch, out)
    arguments = _arguments("synthesis", real, lengths, pair.learned)()
    _fill(arguments, batch, tiling, [_boundary(plan) for plan in pair.plans], pair)
    arguments.out, arguments.packed = out, packed
    ready = iter(bands)
    for place, memory in zip(pair.order, memories, strict=True):
        if memory is not None:
            arguments.band[place] = next(ready)
    parameters = (approx, detail, target.dtype, *lengths, of_thread.rows, bool(odd), pair.learned)
    compiled = kernel("filters/fused_synthesis.cuh", "synthesis_tile", *parameters)
    return TileLaunch(compiled, *launch, arguments, real)


def _fill(arguments: Any, batch: Batch, tiling: Tiling, kinds: list[Boundary], pair: Pair) -> None:
    arguments.batch, arguments.tiling = batch, tiling
    arguments.rows, arguments.columns = kinds
    (rows, columns) = pair.plans
    arguments.n_rows, arguments.n_columns = rows.n_out, columns.n_out
    arguments.row_phase, arguments.column_phase = rows.phase, columns.phase
    if not pair.learned:
        for taps, step in ((arguments.row_taps, pair.rows), (arguments.column_taps, pair.columns)):
            for k, values in enumerate(step.filters):
                taps[k][:] = values


def _boundary(plan: FilterPlan) -> Boundary:
    extend = boundary(plan.extend)
    assert extend is not None  # otherwise the plan would not be in a pair
    return extend


def _of(batch: Batch, array: Strided) -> list[int]:
    """The strides of the batch axes."""
    return list(array.batch_stride[: batch.ndim])


def _is_interleaved(batch: Batch, array: Strided) -> bool:
    """Whether items are interleaved with columns. One block then processes several items."""
    return any(abs(s) < abs(array.stride[1]) for s in _of(batch, array))


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of a C-contiguous array."""
    return tuple(prod(shape[d + 1 :]) for d in range(len(shape)))
