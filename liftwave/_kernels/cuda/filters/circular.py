"""Filters without downsampling along one axis by CUDA kernels.

The kernels are in ``filters/circular_lines.cuh`` and ``filters/circular_gradients.cuh``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from liftwave._kernels.cuda.common.memory import COMPUTED, ITEMSIZE, REAL, memory_of
from liftwave._kernels.cuda.common.runtime import Runtime, kernel
from liftwave._kernels.cuda.filters.lines import (
    Kind,
    Lines,
    are_adjacent,
    are_alike,
    flattened,
    ordered,
    places,
    run_lines,
    share_out,
)
from liftwave._kernels.cuda.filters.tap_gradients import Form, gradients_by
from liftwave._kernels.cuda.filters.taps import COUNTS, device_taps
from liftwave._plan.axis import FilterPlan
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps, scaled_taps

# The most bytes of the samples of a group's outputs for which the compiler spills no registers.
_MOST_BYTES = 512
# The fewest taps apart for which threads along a line compute such groups. Neighbouring threads
# then read and write at least this many neighbouring samples.
_FEWEST_NEIGHBOURS = 16


def tap_gradients(
    x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int, runtime: Runtime
) -> list[Array] | None:
    """As ``tap_gradients`` of filters with downsampling."""

    def fill(lines: Lines) -> None:
        _fill(lines, plan)

    source, name = "filters/circular_gradients.cuh", "circular_tap_gradients"
    form = Form(source, name, plan.length, None, fill)
    gradients = gradients_by(form, x, cotangents, axis, runtime)
    if gradients is None or plan.factor == 1.0:
        return gradients
    return [plan.factor * gradient for gradient in gradients]


def run_circular(
    kind: Kind,
    inputs: Sequence[Array],
    results: Sequence[Array],
    filters: Sequence[Taps],
    plan: FilterPlan,
    axis: int,
    runtime: Runtime,
) -> bool:
    """Filter along joined ends into existing arrays; see ``CudaFilters.run_analysis``."""
    arrays, memories = [*inputs, *results], list(map(memory_of, [*inputs, *results]))
    dtypes = memories[0].dtype, memories[-1].dtype
    if not 1 <= len(filters) <= 2 or not are_alike(memories, len(inputs)):
        return False
    if prod(memories[-1].shape) == 0:
        return True
    layout = ordered(memories, axis)
    if layout is None:
        flat, count = flattened(arrays, len(inputs), axis), len(inputs)
        return flat is not None and run_circular(
            kind, flat[:count], flat[count:], filters, plan, 1, runtime
        )
    scaled = [scaled_taps(taps, plan.factor) for taps in filters]
    taps = device_taps(scaled, plan, REAL[dtypes[0]], inputs[0])
    if taps is None:
        return False
    lines = _lines(kind, plan, layout, len(filters))
    size = ITEMSIZE[COMPUTED[dtypes[0]]]
    several = _several(lines, size)
    lines.end = _groups(lines, several)
    launch = share_out(lines, lines.end, None, several * len(inputs) * size)
    count = plan.length if plan.length in COUNTS else 0
    flags = len(filters), count, several, taps.learned, launch.along
    compiled = kernel("filters/circular_lines.cuh", f"circular_{kind}_lines", *dtypes, *flags)
    description = f"{kind} without downsampling of {memories[0].shape} along axis {axis}"
    run_lines(compiled, lines, taps, count, launch, inputs[0], description, runtime)
    return True


def _lines(kind: Kind, plan: FilterPlan, layout: Any, bands: int) -> Lines:
    """The lines of arrays, not yet cut into pieces."""
    batch, strided = layout
    lines = Lines(batch=batch)
    for k, array in zip(places(kind, bands), strided, strict=True):
        lines.array[k] = array
    _fill(lines, plan)
    return lines


def _fill(lines: Lines, plan: FilterPlan) -> None:
    n = plan.n_out
    lines.n_out, lines.length, lines.end = n, plan.length, n
    lines.phase, lines.dilation = plan.phase % n, plan.dilation % n


def _several(lines: Lines, size: int) -> int:
    """The outputs of a group: several, if memory is read and written at neighbouring places.

    ``size`` is the number of bytes of a sample in the computation dtype.
    """
    is_near = are_adjacent(lines) or lines.dilation >= _FEWEST_NEIGHBOURS
    if not is_near or not 0 < 2 * lines.dilation <= lines.n_out:
        return 1
    return next((count for count in (4, 2) if count * lines.length * size <= _MOST_BYTES), 1)


def _groups(lines: Lines, several: int) -> int:
    """The groups of a line; some outputs of the last ones may be beyond the end."""
    if several == 1:
        return int(lines.n_out)
    return int(lines.dilation * -(-lines.n_out // (several * lines.dilation)))
