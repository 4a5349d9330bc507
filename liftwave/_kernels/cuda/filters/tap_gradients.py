"""Gradients of the taps of filter banks by CUDA kernels: ``filters/tap_gradients.cuh``."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from math import prod
from typing import cast

from array_api_compat import array_namespace, device

from liftwave._kernels.cuda.common.layout import (
    Batch,
    Boundary,
    Fold,
    Strided,
    boundary,
    fold,
    grid,
)
from liftwave._kernels.cuda.common.memory import (
    COMPLEX,
    COMPUTED,
    FLOATS,
    ITEMSIZE,
    REAL,
    memory_of,
)
from liftwave._kernels.cuda.common.runtime import Runtime, kernel
from liftwave._kernels.cuda.filters.lines import Lines, merged, ordered, share_out
from liftwave._kernels.cuda.filters.taps import COUNTS
from liftwave._plan.axis import FilterPlan
from liftwave._typing import Array

_SOURCE = "filters/tap_gradients.cuh"

# Blocks, each of which sums a part, and the most places that a thread sums in single precision
# before it adds the result to the block's sums.
_BLOCKS = 528
_LONGEST_RUN = 64
# Taps that a block processes at once if no kernel is compiled for their number.
_CHUNK = 8
# The most bytes of a thread's sums, one for each tap and cotangent.
_MOST_SUMS = 160


class GradientArguments(ctypes.Structure):
    """``GradientArguments`` of ``filters/tap_gradients.cuh``."""

    _fields_ = [
        ("lines", Lines),
        ("partial", ctypes.c_void_p),
        ("chunks", ctypes.c_int),
        ("padding", ctypes.c_int),
    ]


class SumArguments(ctypes.Structure):
    """``SumArguments`` of ``filters/tap_gradients.cuh``."""

    _fields_ = [
        ("partial", ctypes.c_void_p),
        ("result", ctypes.c_void_p),
        ("rows", ctypes.c_longlong),
        ("width", ctypes.c_longlong),
    ]


def tap_gradients(
    x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int, runtime: Runtime
) -> list[Array] | None:
    """One array of shape (length,) per cotangent; None if the kernels do not support these arrays.

    Gradients of half-precision arrays are computed and returned in float32.
    """
    memories = list(map(memory_of, (x, *cotangents)))
    dtype, xp = memories[0].dtype, array_namespace(x)
    layouts = {(m.shape, m.dtype) for m in memories[1:]}
    if dtype not in FLOATS | COMPLEX or {d for _, d in layouts} != {dtype} or len(layouts) > 1:
        return None
    if boundary(plan.extend) is None or fold(plan.fold) is None:
        return None
    if not all(prod(m.shape) for m in memories):
        real = getattr(xp, REAL[dtype])
        return [xp.zeros(plan.length, dtype=real, device=device(x)) for _ in cotangents]
    gradients: list[Array] = []
    for first in range(0, len(cotangents), 2):
        gradients += _of_some([x, *cotangents[first : first + 2]], plan, axis, runtime)
    return gradients


def _of_some(arrays: Sequence[Array], plan: FilterPlan, axis: int, runtime: Runtime) -> list[Array]:
    """The gradients for one or two cotangents; ``arrays`` are the signal and the cotangents."""
    memories = list(map(memory_of, arrays))
    layout = ordered(memories, axis)
    if layout is None:
        return _of_some([merged(x, axis) for x in arrays], plan, 1, runtime)
    x, dtype, bands = arrays[0], memories[0].dtype, len(arrays) - 1
    what = f"the gradients in the taps of an analysis of {memories[0].shape} along axis {axis}"
    lines = _lines(layout, plan)
    sums = bands * plan.length * ITEMSIZE[REAL[dtype]]
    count = plan.length if plan.length in COUNTS and sums <= _MOST_SUMS else 0
    taps = count or _CHUNK
    # Each warp has sums in double precision.
    units = lines.end - lines.begin
    size, extra = 2 * ITEMSIZE[COMPUTED[dtype]], -(-bands * taps * 8 // 32)
    launch = share_out(lines, units, (plan.length - 1) // 2, size, _LONGEST_RUN, extra)
    rows, chunks = min(launch.blocks, _BLOCKS), -(-plan.length // taps)
    width = bands * plan.length
    partial = runtime.empty((rows, width), "float64", x)
    compiled = kernel(_SOURCE, "tap_gradients", dtype, bands, count, launch.along)
    arguments = GradientArguments(lines, memory_of(partial).address, chunks, 0)
    runtime.launch(compiled, rows * chunks, launch.threads, launch.shared, arguments, x, what)
    result = runtime.empty((bands, plan.length), REAL[dtype], x)
    places = memory_of(partial).address, memory_of(result).address
    compiled = kernel(_SOURCE, "sum_of_rows", REAL[dtype])
    runtime.launch(compiled, grid(width), 32, 0, SumArguments(*places, rows, width), x, what)
    return [result[k] for k in range(bands)]


def _lines(layout: tuple[Batch, list[Strided]], plan: FilterPlan) -> Lines:
    """The lines of a signal and of cotangents, over the extended range of the cotangents."""
    batch, strided = layout
    lines = Lines(batch=batch)
    for k, array in enumerate(strided):
        lines.array[k] = array
    # tap_gradients has checked that both exist.
    lines.extend = cast(Boundary, boundary(plan.extend))
    lines.fold = cast(Fold, fold(plan.fold))
    lines.n_out, lines.length, lines.phase = plan.n_out, plan.length, plan.phase
    lines.begin = -len(plan.fold.left)
    lines.end = plan.n_out + len(plan.fold.right)
    return lines
