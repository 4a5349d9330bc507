"""All axes and levels of a transform by the compiled kernels, in one call of the module.

The module has one native object per plan, which takes arrays and returns arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice, product
from math import inf, prod
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from array_api_compat import array_namespace

import liftwave._cpu as _cpu
from liftwave._kernels import axis_by_axis
from liftwave._kernels.contract import NativeRun, Targets
from liftwave._kernels.cpu.circular import circular_level
from liftwave._kernels.cpu.filters import NAME, CpuFilters, analysis_axis, synthesis_axis
from liftwave._kernels.cpu.lifting import CpuLifting, level_groups
from liftwave._kernels.cpu.memory import (
    ALIGNED_LIFTING_SIZE,
    all_like,
    allocation,
    band_memory,
    copied,
    like,
    memory,
    numpy_dtype,
    paged_empty,
    receiving,
    receiving_memory,
    serves,
    with_copies,
)
from liftwave._kernels.cpu.whole_lifting import whole_level
from liftwave._plan.axis import FilterPlan
from liftwave._plan.levels import (
    AnalysisPlan,
    FilterStep,
    Shape,
    Step,
    SynthesisLevel,
    SynthesisPlan,
)
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps, is_concrete

_RECEIVING = f"{NAME}, out"  # the key of native objects that write to the caller's arrays
# The most axes that the module transforms at once.
_MAX_AXES = 4
# The longest row of the last axis, in samples, of which several fit the L2 cache.
_LONGEST_ROW = 1 << 16
# Numbers behind the last axis from which a synthesis by one call per axis is faster.
FEWEST_COLUMNS = 8

_NativeAnalysis: TypeAlias = (
    "_cpu.Analysis | _cpu.CircularAnalysis | _cpu.LiftAnalysis | _cpu.WholeLiftAnalysis"
    " | Literal[False]"
)
_NativeSynthesis: TypeAlias = (
    "_cpu.Synthesis | _cpu.CircularSynthesis | _cpu.LiftSynthesis | _cpu.WholeLiftSynthesis"
    " | Literal[False]"
)


class CpuLevels(CpuFilters, CpuLifting):
    """All axes and levels."""

    name = NAME

    def analyse(
        self, x: Array, plan: AnalysisPlan, dtype: Any = None, out: Targets | None = None
    ) -> list[Array]:
        """All bands: the approximation, then the details; in ``dtype`` unless it is None."""
        if out is not None:
            return self._analyse_into(x, plan, dtype, out)
        native: _NativeAnalysis | None = plan.native.get(NAME)
        if native is None:
            native = plan.native[NAME] = _native_analysis(plan, tuple(x.shape))
        if native and dtype is None:
            bands = native.run(x)
            if bands is not None:
                return bands
        if not native:
            return self._analyse_in_parts(x, plan, dtype)
        return all_like(x, _analyse_memory(memory(x), native, dtype))

    def _analyse_into(self, x: Array, plan: AnalysisPlan, dtype: Any, out: Targets) -> list[Array]:
        """The bands, in arrays of ``out`` where these can be written while ``x`` is read."""
        native: _NativeAnalysis | None = plan.native.get(_RECEIVING)
        if native is None:
            native = _native_analysis(plan, tuple(x.shape), receives=True)
            plan.native[_RECEIVING] = native
        if not native:
            return self._analyse_in_parts(x, plan, dtype, out)
        work = memory(x)
        kind = work.dtype if dtype is None else numpy_dtype(dtype)
        targets = [None if array is None else _target(array, [work], kind) for array in out]
        bands = _analyse_memory(work, native, dtype, targets)
        return [
            like(x, band) if target is None else cast(Array, array)
            for band, target, array in zip(bands, targets, out, strict=True)
        ]

    def _analyse_in_parts(
        self, x: Array, plan: AnalysisPlan, dtype: Any, out: Targets | None = None
    ) -> list[Array]:
        """Level by level, or one level axis by axis."""
        if len(plan.levels) == 1:
            x = x if dtype is None else array_namespace(x).astype(x, dtype, copy=False)
            return axis_by_axis.analyse_level(x, plan.levels[0], self)
        details: list[Array] = []
        for part in plan.parts:
            x, *bands = self.analyse(x, part, dtype, _of_part(out, part, len(details), plan))
            details[:0] = bands
        return [x, *details]

    def synthesise(
        self, bands: Sequence[Array], plan: SynthesisPlan, out: Array | None = None
    ) -> Array:
        """The array with these bands; ``out`` if it can be written while the bands are read."""
        native: _NativeSynthesis | None = plan.native.get(NAME)
        if native is None:
            native = plan.native[NAME] = _native_synthesis(plan)
        if native and out is None:
            result = native.run(bands)
            if result is not None:
                return result
        if not native:
            return self._synthesise_in_parts(bands, plan, out)
        work = _fitting(list(map(memory, bands)), plan)
        may_be_shorter = isinstance(native, _cpu.CircularSynthesis)
        is_whole = out is None or tuple(out.shape) == plan.shape
        is_written = out is not None and (is_whole or may_be_shorter)
        target = _target(cast(Array, out), work, work[0].dtype) if is_written else None
        if target is None:
            return like(bands[0], with_copies(native.run, work))
        if native.write(work, target) is None:
            native.write(copied(work), target)
        return cast(Array, out)

    def native_run(self, plan: AnalysisPlan | SynthesisPlan) -> NativeRun | None:
        """The native object's method, which checks the arrays."""
        native: _NativeAnalysis | _NativeSynthesis | None = plan.native.get(NAME)
        return native.results if native else None

    def _synthesise_in_parts(
        self, bands: Sequence[Array], plan: SynthesisPlan, out: Array | None
    ) -> Array:
        """Level by level, or one level axis by axis."""
        if len(plan.levels) == 1:
            return axis_by_axis.synthesise(bands, plan, self)
        remaining = iter(bands)
        approx = [next(remaining)] if plan.has_approx else []
        for part in plan.parts:
            (level,) = part.levels
            if level.synthesis_steps:
                details = islice(remaining, len(level.detail_keys))
                target = out if level is plan.levels[-1] else None
                approx = [self.synthesise([*approx, *details], part, target)]
        return approx[0]


def _of_part(
    out: Targets | None, part: AnalysisPlan, finer: int, plan: AnalysisPlan
) -> Targets | None:
    """The arrays for the bands of one level, with ``finer`` details of the levels before."""
    if out is None:
        return None
    stop = len(out) - finer
    approx = out[0] if part is plan.parts[-1] else None
    return [approx, *out[stop - len(part.keys[0]) : stop]]


def _analyse_memory(
    work: Any,
    native: _cpu.Analysis | _cpu.CircularAnalysis | _cpu.LiftAnalysis | _cpu.WholeLiftAnalysis,
    dtype: Any,
    targets: Sequence[Any] = (),
) -> list[Any]:
    """The bands of a NumPy array, in ``dtype`` unless it is None; lifting widens samples.

    ``targets`` are the arrays for the bands, if the native object writes to these.
    """
    arguments: tuple[Any, ...] = (work,)
    entry: Callable[..., list[Any] | None] = native.run
    if dtype is not None and isinstance(native, _cpu.LiftAnalysis):
        entry, arguments = native.run_in, (work, numpy_dtype(dtype))
    elif dtype is not None:
        arguments = (work.astype(numpy_dtype(dtype), copy=False),)
    return with_copies(receiving(entry, targets) if targets else entry, *arguments)


def _fitting(bands: list[Any], plan: SynthesisPlan) -> list[Any]:
    """The bands; an approximation is trimmed to the plan's number of samples."""
    shape = plan.levels[0].approx_shape
    if shape is not None and bands[0].shape != shape:
        return [bands[0][tuple(map(slice, shape))], *bands[1:]]
    return bands


def _target(out: Array, inputs: Sequence[Any], dtype: Any) -> Any:
    """``out`` as a NumPy array to write to; None if not contiguous, or if an input overlaps it."""
    if not serves(out):
        return None
    target = memory(out)
    free = target.dtype == dtype and target.flags.c_contiguous and target.flags.aligned
    return target if free and not any(np.may_share_memory(target, x) for x in inputs) else None


# --- native objects ------------------------------------------------------------------------------


def _native_analysis(
    plan: AnalysisPlan, shape: tuple[int, ...], receives: bool = False
) -> _NativeAnalysis:
    """The native object of a plan for this shape, whose bands are new arrays or the caller's.

    False if one native call does not run all levels.
    """
    caller_memory = receiving_memory(plan) if receives else None
    axes = [fused_axes(level.analysis_steps, level.shape) for level in plan.levels]
    filter_levels = [steps for steps in axes if steps is not None and not _folds(steps)]
    if axes and len(filter_levels) == len(axes):
        arguments = [[analysis_axis(*step) for step in steps] for steps in filter_levels]
        return _cpu.Analysis(arguments, caller_memory or band_memory(plan), [shape])
    circular = [circular_level(level.analysis_steps) for level in plan.levels]
    if circular and None not in circular:
        return _cpu.CircularAnalysis(circular, caller_memory or _circular_memory(plan), [shape])
    axes_of_levels = [whole_level(level.analysis_steps) for level in plan.levels]
    whole_levels = [level for level in axes_of_levels if level is not None]
    if axes and len(whole_levels) == len(axes):
        bands = caller_memory or band_memory(plan, ALIGNED_LIFTING_SIZE)
        return _cpu.WholeLiftAnalysis(whole_levels, bands, [shape])
    ndim = len(plan.shapes[0])
    groups = [level_groups(level.analysis_steps, ndim) for level in plan.levels]
    lift_levels = [level for level in groups if level is not None]
    if groups and len(lift_levels) == len(groups):
        bands = caller_memory or band_memory(plan, ALIGNED_LIFTING_SIZE)
        return _cpu.LiftAnalysis(lift_levels, bands, None, [shape])
    return False


def _circular_memory(plan: AnalysisPlan) -> _cpu.BandMemory:
    """The memory of bands that are all as large as the data.

    Along one axis, each is a separate array. They are released together, like packets.
    """
    one_axis = all(len(keys) == 1 for keys in plan.keys)
    return band_memory(plan, allocate=paged_empty) if one_axis else band_memory(plan)


def _native_synthesis(plan: SynthesisPlan) -> _NativeSynthesis:
    """The native object of a plan; False if one native call does not run all levels."""
    if not plan.levels:
        return False
    size, shape = prod(plan.shape), plan.shape
    shapes = [
        band_shape
        for level in plan.levels
        for band_shape in _input_shapes(level, level is plan.levels[0])
    ]
    filter_levels = [filter_level(level) for level in plan.levels]
    if None not in filter_levels:
        return _cpu.Synthesis(filter_levels, shape, allocation(size), shapes)
    circular = [circular_synthesis_level(level) for level in plan.levels]
    if None not in circular:
        return _cpu.CircularSynthesis(circular, _all_present(plan), allocation(size), shapes)
    whole = [_whole_level(level) for level in plan.levels]
    if None not in whole:
        memory = allocation(size, ALIGNED_LIFTING_SIZE)
        return _cpu.WholeLiftSynthesis(whole, _all_present(plan), memory, shapes)
    lift_levels = [_lift_level(level) for level in plan.levels]
    if None not in lift_levels:
        memory = allocation(size, ALIGNED_LIFTING_SIZE)
        return _cpu.LiftSynthesis(lift_levels, shape, memory, shapes)
    return False


def _input_shapes(level: SynthesisLevel, is_first: bool) -> Iterator[Shape]:
    """The shapes of the bands of a level that the caller passes."""
    shapes = {
        key + letter: shape
        for key, _, pair in level.synthesis_steps
        for letter, shape in zip("ad", pair, strict=True)
    }
    if is_first and level.approx_shape is not None:
        yield level.approx_shape
    yield from (shapes[key] for key in level.detail_keys)


def filter_level(level: SynthesisLevel) -> Any:
    """The native arguments for a level of filter banks: axes, and which bands are present."""
    # Steps come from the last axis to the first.
    keyed_steps = [(key, step) for key, step, _ in reversed(level.synthesis_steps)]
    steps = fused_axes(keyed_steps, level.shape, FEWEST_COLUMNS)
    if steps is None:
        return None
    present = _present(level, True)
    if len(steps) == 1:  # along one axis a missing band is omitted
        plan, filters, axis = steps[0]
        steps = [(plan, tuple(f for f, p in zip(filters, present, strict=True) if p), axis)]
    return [synthesis_axis(*step) for step in steps], present


def _present(level: SynthesisLevel, has_approx: bool) -> list[bool]:
    """Whether each band of a level is an input, in the order of the keys, approximation first."""
    keys = map("".join, product("ad", repeat=len(level.approx_key)))
    has_approx = has_approx and level.approx_shape is not None
    return [key in level.detail_keys or ("d" not in key and has_approx) for key in keys]


def _all_present(plan: SynthesisPlan) -> list[list[bool]]:
    return [_present(level, level is plan.levels[0]) for level in plan.levels]


def _whole_level(level: SynthesisLevel) -> Any:
    """The native axes of a level of undecimated lifting."""
    return whole_level([(key, step) for key, step, _ in level.synthesis_steps])


def circular_synthesis_level(level: SynthesisLevel) -> Any:
    """The native axes of a level without downsampling."""
    if not level.synthesis_steps:
        return None
    return circular_level([(key, step) for key, step, _ in reversed(level.synthesis_steps)])


def _lift_level(level: SynthesisLevel) -> Any:
    """The native groups of a level of lifting, which needs all bands."""
    keyed_steps = [(key, step) for key, step, _ in reversed(level.synthesis_steps)]
    groups = level_groups(keyed_steps, len(level.shape))
    if groups is None or level.approx_shape is None:
        return None
    bands = 2 ** sum(map(len, groups))
    return groups if 1 + len(level.detail_keys) == bands else None


_Fused: TypeAlias = tuple[FilterPlan, tuple[Taps, ...], int]


def fused_axes(
    keyed_steps: Sequence[tuple[str, Step]],
    shape: tuple[int, ...],
    fewest_columns: float = inf,
) -> list[_Fused] | None:
    """Plan, filters and number of each axis, in order; None if they need several native calls.

    One call filters up to four adjacent axes by filter banks of numbers. If rows of the last axis
    are long, or at least ``fewest_columns`` numbers lie behind it, one call per axis is faster.
    """
    axes: list[_Fused] = []
    for _, steps in groupby(keyed_steps, key=lambda keyed: len(keyed[0])):
        step = next(steps)[1]
        if not isinstance(step, FilterStep) or not all(map(is_concrete, step.filters)):
            return None
        if step.plan.length % 2 or not step.plan.is_dyadic:
            return None
        if axes and step.axis != axes[-1][2] + 1:
            return None
        axes.append((step.plan, step.filters, step.axis))
    if not 1 <= len(axes) <= _MAX_AXES:
        return None
    last = axes[-1][2]
    columns = prod(shape[last + 1 :])
    fits = columns < fewest_columns and 2 * shape[last] * columns <= _LONGEST_ROW
    return axes if len(axes) == 1 or fits else None


def _folds(axes: Sequence[_Fused]) -> bool:
    """Whether several axes need folding: an analysis folds one axis at a time."""
    folds = any(plan.fold.left or plan.fold.right for plan, _, _ in axes)
    return len(axes) > 1 and folds
