"""Gradients of the taps of filter banks by CUDA kernels: ``filters/tap_gradients.cuh``."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from math import prod
from typing import NamedTuple

from array_api_compat import array_namespace, device

from liftwave._kernels.cuda.common.layout import boundary, fold, grid
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


class Form(NamedTuple):
    """The kernel that computes the gradients of a plan.

    Attributes
    ----------
    source, name : str
        The source and the name of the kernel.
    length : int
        The number of taps.
    reach : int or None
        As for ``share_out``.
    fill : callable
        Writes the numbers of the plan to the lines of a signal and of cotangents.
    """

    source: str
    name: str
    length: int
    reach: int | None
    fill: Callable[[Lines], None]


def tap_gradients(
    x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int, runtime: Runtime
) -> list[Array] | None:
    """One array of shape (length,) per cotangent; None if the kernels do not support these arrays.

    Gradients of half-precision arrays are computed and returned in float32.
    """
    if not plan.is_dyadic:
        return None
    extend, folds = boundary(plan.extend), fold(plan.fold)
    if extend is None or folds is None:
        return None

    def fill(lines: Lines) -> None:
        lines.extend, lines.fold = extend, folds
        lines.n_out, lines.length, lines.phase = plan.n_out, plan.length, plan.phase
        # The range of the cotangents is extended.
        lines.begin, lines.end = -len(plan.fold.left), plan.n_out + len(plan.fold.right)

    form = Form(_SOURCE, "tap_gradients", plan.length, (plan.length - 1) // 2, fill)
    return gradients_by(form, x, cotangents, axis, runtime)


def gradients_by(
    form: Form, x: Array, cotangents: Sequence[Array], axis: int, runtime: Runtime
) -> list[Array] | None:
    """The gradients by this kernel; None if it does not support these arrays."""
    memories = list(map(memory_of, (x, *cotangents)))
    dtype, xp = memories[0].dtype, array_namespace(x)
    layouts = {(m.shape, m.dtype) for m in memories[1:]}
    if dtype not in FLOATS | COMPLEX or {d for _, d in layouts} != {dtype} or len(layouts) > 1:
        return None
    if not all(prod(m.shape) for m in memories):
        real = getattr(xp, REAL[dtype])
        return [xp.zeros(form.length, dtype=real, device=device(x)) for _ in cotangents]
    gradients: list[Array] = []
    for first in range(0, len(cotangents), 2):
        gradients += _of_some(form, [x, *cotangents[first : first + 2]], axis, runtime)
    return gradients


def _of_some(form: Form, arrays: Sequence[Array], axis: int, runtime: Runtime) -> list[Array]:
    """The gradients for one or two cotangents; ``arrays`` are the signal and the cotangents."""
    memories = list(map(memory_of, arrays))
    layout = ordered(memories, axis)
    if layout is None:
        return _of_some(form, [merged(x, axis) for x in arrays], 1, runtime)
    x, dtype, bands, length = arrays[0], memories[0].dtype, len(arrays) - 1, form.length
    what = f"the gradients in the taps of an analysis of {memories[0].shape} along axis {axis}"
    lines = Lines(batch=layout[0])
    for k, array in enumerate(layout[1]):
        lines.array[k] = array
    form.fill(lines)
    sums = bands * length * ITEMSIZE[REAL[dtype]]
    count = length if length in COUNTS and sums <= _MOST_SUMS else 0
    taps = count or _CHUNK
    # Each warp has sums in double precision.
    units = lines.end - lines.begin
    size, extra = 2 * ITEMSIZE[COMPUTED[dtype]], -(-bands * taps * 8 // 32)
    launch = share_out(lines, units, form.reach, size, _LONGEST_RUN, extra)
    rows, chunks = min(launch.blocks, _BLOCKS), -(-length // taps)
    width = bands * length
    partial = runtime.empty((rows, width), "float64", x)
    compiled = kernel(form.source, form.name, dtype, bands, count, launch.along)
    arguments = GradientArguments(lines, memory_of(partial).address, chunks, 0)
    runtime.launch(compiled, rows * chunks, launch.threads, launch.shared, arguments, x, what)
    result = runtime.empty((bands, length), REAL[dtype], x)
    addresses = memory_of(partial).address, memory_of(result).address
    compiled = kernel(_SOURCE, "sum_of_rows", REAL[dtype])
    runtime.launch(compiled, grid(width), 32, 0, SumArguments(*addresses, rows, width), x, what)
    return [result[k] for k in range(bands)]
