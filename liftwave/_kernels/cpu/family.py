"""Compiled kernels for arrays in the processor's memory: NumPy's and torch's.

This adapter turns plans into the module's own, allocates results, and hands
over what the module does not do to the reference kernels: taps that are
arrays (gradients may have to flow into them).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, islice, product
from math import prod
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from array_api_compat import array_namespace

import liftwave._cpu as _cpu
from liftwave._arrays.convert import is_plain
from liftwave._kernels import axis_by_axis
from liftwave._kernels.contract import Kernels, LiftPoolKernels, LiftPullback, PoolingKernels
from liftwave._kernels.cpu import lifting as cpu_lifting
from liftwave._kernels.cpu.lift_pool import CpuLiftPool
from liftwave._kernels.cpu.memory import INTEGERS, is_in_memory, is_plain_tensor
from liftwave._kernels.cpu.memory import like as _like
from liftwave._kernels.cpu.memory import memory as _memory
from liftwave._kernels.cpu.pooling import CpuPooling
from liftwave._plan.axis import FilterPlan, LiftPlan, bounded
from liftwave._plan.boundary import Extension
from liftwave._plan.levels import (
    AnalysisLevel,
    AnalysisPlan,
    FilterStep,
    Step,
    SynthesisLevel,
    SynthesisPlan,
)
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps, is_concrete

_NAME = "cpu"

# Axes that the module transforms at once, at most.
_MAX_AXES = 4
# A row of the last axis, in samples, that still fits the L2 cache several times over.
_LONGEST_ROW = 1 << 16
# Numbers behind the last axis from which axes are better done one by one, across.
_FEWEST_COLUMNS = 8
# Results of so many samples are laid out for writing past the caches: each array begins on a cache
# line, at a multiple of so many samples (of any dtype) of aligned memory.
_ALIGNED_SIZE = 1 << 20
_SPACING = 16
# Results of so many bytes get memory of their own each time, in large pages where these fit: they
# begin with one, which saves the first touch of many small pages.
_MAPPED_BYTES = 1 << 25
_LARGE_PAGE = 1 << 21
# What integer lifting schemes read.
_INTEGER_DTYPES = frozenset(map(np.dtype, INTEGERS))


class CpuKernels:
    """The family ``"cpu"``.

    Parameters
    ----------
    fallback : Kernels
        Serves what these kernels do not.
    """

    name = _NAME
    wants_numpy = True
    native_half = False

    def __init__(self, fallback: Kernels) -> None:
        self._fallback = fallback
        self.pooling: PoolingKernels = CpuPooling(fallback.pooling)
        self.lift_pool: LiftPoolKernels = CpuLiftPool(fallback.lift_pool)

    def serves(self, *arrays: Array) -> bool:
        """Whether these kernels serve the arrays together: numbers in the processor's memory."""
        return serves(*arrays)

    def serves_memory(self, *tensors: Array) -> bool:
        """Whether the module reads the tensors' memory, even if autograd or tracing is active."""
        return all(map(is_in_memory, tensors))

    def analysis(
        self, x: Array, filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """``y[k] = sum_j f[j] * x[2 k + phase - j]`` for each filter ``f``, the input extended."""
        filters = tuple(filters)
        if len(filters) > 2 or not all(map(is_concrete, filters)) or not serves(x):
            return self._fallback.analysis(x, filters, plan, axis)
        key = (_NAME, "analysis", axis, filters)
        module = plan.native.get(key)
        if module is None:
            module = _cpu.Analysis([[_analysis_axis(plan, filters, axis)]], 1)
            bounded(plan.native)[key] = module
        out = _empty((len(filters), *_with_length(x.shape, axis, plan.n_out)), x)
        _run(module, _memory(x), out)
        return list(_like(x, out))

    def synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> Array:
        """``x[i] = sum_k y[k] * g[i + phase - 2 k]``, summed over the bands, each extended."""
        filters = tuple(filters)
        served = all(map(is_concrete, filters)) and all(map(serves, bands))
        if len(filters) > 2 or plan.length % 2 or not served:
            return self._fallback.synthesis(bands, filters, plan, axis)
        key = (_NAME, "synthesis", axis, filters)
        module = plan.native.get(key)
        if module is None:
            module = _cpu.Synthesis(
                [([_synthesis_axis(plan, filters, axis)], [True] * len(filters))]
            )
            bounded(plan.native)[key] = module
        out = _empty(_with_length(bands[0].shape, axis, plan.n_out), bands[0])
        _run(module, [_memory(band) for band in bands], out)
        return _like(bands[0], out)

    def lift_analysis(
        self, x: Array, plan: LiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
    ) -> tuple[Array, Array]:
        """Split into even and odd samples, run the steps, scale, roll."""
        numbers = _numbers(taps, scale)
        group = numbers and cpu_lifting.axis_group(
            plan, *numbers, axis, keep=_are_numbers(taps, scale)
        )
        if group is None:
            return self._fallback.lift_analysis(x, plan, taps, scale, axis)
        approx, detail = cpu_lifting.analyse_group(_memory(x), group)
        return _like(x, approx), _like(x, detail)

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
        numbers = _numbers(taps, scale)
        group = numbers and cpu_lifting.axis_group(
            plan, *numbers, axis, keep=_are_numbers(taps, scale)
        )
        if group is None:
            return self._fallback.lift_synthesis(approx, detail, plan, taps, scale, axis)
        return _like(
            approx, cpu_lifting.synthesise_group([_memory(approx), _memory(detail)], group)
        )

    def tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """``G[j] = sum_k x[2 k + phase - j] * y[k]`` for each cotangent ``y``."""
        if not all(map(_is_floating, (x, *cotangents))) or any(
            y.dtype != x.dtype for y in cotangents
        ):
            return self._fallback.tap_gradients(x, cotangents, plan, axis)
        key = (_NAME, "tap gradients", axis)
        if key not in plan.native:
            any_taps = ((0.0,) * plan.length,)
            bounded(plan.native)[key] = _cpu.TapGradients(_analysis_axis(plan, any_taps, axis))
        module, out = plan.native[key], np.empty((len(cotangents), plan.length))
        arrays = [_memory(a) for a in (x, *cotangents)]
        if not module.run(arrays[0], arrays[1:], out):
            arrays = [a.copy() for a in arrays]  # numbers that are not aligned
            module.run(arrays[0], arrays[1:], out)
        return list(_like(x, out.astype(arrays[0].real.dtype)))

    def lift_vjp(
        self,
        outputs: Sequence[Array],
        cotangents: Sequence[Array],
        plan: LiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> LiftPullback:
        """Inputs, their cotangents, and gradients in taps and scales, from the outputs."""
        numbers = _numbers(taps, scale) if all(map(serves, (*outputs, *cotangents))) else None
        keep = _are_numbers(taps, scale)
        back = numbers and cpu_lifting.axis_pullback(plan, *numbers, axis, keep=keep)
        if back is None or (len(outputs) == 1 and plan.edge.right):
            return self._fallback.lift_vjp(outputs, cotangents, plan, taps, scale, axis)
        values, given = (list(map(_memory, each)) for each in (outputs, cotangents))
        inputs, pulled, gradients = cpu_lifting.pull_back(values, given, back)
        like, real = outputs[0], values[0].real.dtype
        of_taps = cpu_lifting.tap_gradients(gradients[:-2], back)
        return LiftPullback(
            [_like(like, x) for x in inputs],
            [_like(like, g) for g in pulled],
            [_like(like, np.asarray(g, real)) for g in of_taps],
            (
                _like(like, np.asarray(gradients[-2], real)),
                _like(like, np.asarray(gradients[-1], real)),
            ),
        )

    def analyse(self, x: Array, plan: AnalysisPlan, dtype: Any = None) -> list[Array]:
        """All bands: the approximation, then the details; in ``dtype``, if given."""
        native = _analysis_of(plan)
        if native is None or dtype is not None:
            return self._analyse_stepwise(x, plan, dtype)
        memory = _memory(x)
        out = native.empty(native.shape, memory.dtype)
        if not native.module.run(memory, out):
            native.module.run(memory.copy(), out)  # numbers that are not aligned
        approx, finest_first = native.layout.of(out if memory is x else _like(x, out))
        return [approx, *(band for bands in reversed(finest_first) for band in bands.values())]

    def synthesise(
        self, bands: Sequence[Array], plan: SynthesisPlan, out: Array | None = None
    ) -> Array:
        """The array with these bands; ``out``, if that can be written to while they are read."""
        native = _synthesis_of(plan)
        if native is None:
            return self._synthesise_stepwise(bands, plan, out)
        memory = list(map(_memory, bands))
        approx_shape = plan.levels[0].approx_shape
        if approx_shape is not None:
            memory[0] = axis_by_axis.trimmed(memory[0], approx_shape)
        target = None if out is None else _target(out, memory)
        result = native.empty(native.shape, memory[0].dtype) if target is None else target
        if not native.module.run(memory, result):
            native.module.run([band.copy() for band in memory], result)  # numbers not aligned
        return _like(bands[0], result) if out is None or target is None else out

    def _analyse_stepwise(self, x: Array, plan: AnalysisPlan, dtype: Any) -> list[Array]:
        details: list[Array] = []
        for part in plan.parts:
            if _analysis_of(part) is not None:
                x, *bands = self.analyse(x, part)
            else:
                x, *bands = self._analyse_lifted(x, part.levels[0], dtype)
            details[:0] = bands
        return [x, *details]

    def _analyse_lifted(self, x: Array, level: AnalysisLevel, dtype: Any) -> list[Array]:
        """A level of lifting, or one that the module does axis by axis."""
        groups = cpu_lifting.analysis_groups(level) if level.analysis_steps else None
        if groups is None:
            x = x if dtype is None else array_namespace(x).astype(x, dtype, copy=False)
            return axis_by_axis.analyse_level(x, level, self)
        bands = cpu_lifting.analyse_level(_memory(x), groups, _numpy_dtype(dtype or x.dtype))
        return [_like(x, band) for band in bands]

    def _synthesise_stepwise(
        self, bands: Sequence[Array], plan: SynthesisPlan, out: Array | None
    ) -> Array:
        remaining = iter(bands)
        approx = next(remaining) if plan.has_approx else None
        for part in plan.parts:
            level = part.levels[0]
            target = out if level is plan.levels[-1] else None
            if not level.synthesis_steps:
                continue
            if len(plan.levels) > 1 and _synthesis_of(part) is not None:
                details = islice(remaining, len(level.detail_keys))
                approx = self.synthesise(
                    [*([] if approx is None else [approx]), *details], part, target
                )
            else:
                keyed = axis_by_axis.bands_of_level(remaining, approx, level)
                approx = self._synthesise_lifted(keyed, level, target)
        return cast(Array, approx)

    def _synthesise_lifted(
        self, bands: Mapping[str, Array], level: SynthesisLevel, out: Array | None
    ) -> Array:
        groups = cpu_lifting.synthesis_groups(level)
        if groups is None or len(bands) < 2 ** sum(len(group.plans) for group in groups):
            return axis_by_axis.synthesise_level(bands, level, self)
        memory = {key: _memory(band) for key, band in bands.items()}
        target = None if out is None else _target(out, list(memory.values()))
        result = cpu_lifting.synthesise_level(memory, groups, target)
        return out if target is not None else _like(next(iter(bands.values())), result)


def serves(*arrays: Array) -> bool:
    """Whether these kernels serve the arrays together: numbers in the processor's memory.

    Integers come to integer lifting schemes only.
    """
    return all(is_plain(x) or _is_integral(x) or is_plain_tensor(x) for x in arrays)


def _are_numbers(taps: Sequence[Any], scale: Sequence[Any]) -> bool:
    """Whether taps and scales are plain numbers, not arrays."""
    return all(isinstance(t, tuple) for t in taps) and all(
        isinstance(factor, float | int) for factor in scale
    )


def _numbers(taps: Sequence[Any], scale: Sequence[Any]) -> tuple[Any, Any] | None:
    """Taps and scales as numbers; None if they are in arrays that are not just memory here."""
    if _are_numbers(taps, scale):
        return tuple(taps), tuple(scale)
    arrays = [each for each in (*taps, *scale) if not isinstance(each, tuple | float | int)]
    if not all(map(is_plain_tensor, arrays)):
        return None
    taps = tuple(t if isinstance(t, tuple) else tuple(t.tolist()) for t in taps)
    return taps, tuple(map(float, scale))


def _analysis_axis(plan: FilterPlan, filters: Sequence[Taps], axis: int) -> Any:
    """The module's plan of one axis."""
    extend, fold = _extension(plan.extend), _extension(plan.fold)
    return (axis, plan.n_out, plan.length, plan.phase, extend, fold, list(map(list, filters)))


def _synthesis_axis(plan: FilterPlan, filters: Sequence[Taps], axis: int) -> Any:
    return _analysis_axis(plan, [half for f in filters for half in (f[0::2], f[1::2])], axis)


def _extension(extension: Extension) -> Any:
    return extension.n, list(map(list, extension.left)), list(map(list, extension.right))


class _Analysis(NamedTuple):
    """Levels that the module runs in one go; their bands share one piece of memory."""

    module: _cpu.Analysis
    shape: tuple[int, ...]  # of the memory
    empty: Callable[[tuple[int, ...], Any], Any]
    layout: _cpu.Layout


def _analysis_of(plan: AnalysisPlan) -> _Analysis | None:
    if _NAME not in plan.native:
        plan.native[_NAME] = _make_analysis(plan.levels)
    return cast("_Analysis | None", plan.native[_NAME])


def _make_analysis(levels: Sequence[AnalysisLevel]) -> _Analysis | None:
    """The native plan of all levels, if the module does each in one go."""
    axes = [_fused(level.analysis_steps, level.shape) for level in levels]
    if any(steps is None or _folds(steps) for steps in axes):
        return None
    shape, spacing, layout = _layout(levels)
    arguments = [[_analysis_axis(*step) for step in steps or ()] for steps in axes]
    return _Analysis(_cpu.Analysis(arguments, spacing), shape, _allocation(shape), layout)


def _layout(levels: Sequence[AnalysisLevel]) -> tuple[tuple[int, ...], int, _cpu.Layout]:
    """Shape of the memory for all bands that are returned, their spacing, and where each lies."""
    kept = [
        {key: shape for key, shape in level.shapes.items() if "d" in key or level is levels[-1]}
        for level in levels
    ]
    size = sum(prod(shape) for bands in kept for shape in bands.values())
    if len(levels) == 1 and size < _ALIGNED_SIZE:  # one after the other along a first dimension
        approx, *details = [(key, index, None) for index, key in enumerate(kept[0])]
        return (len(kept[0]), *levels[0].shape), 1, _cpu.Layout(approx, [details])
    spacing = 1 if size < _ALIGNED_SIZE else _SPACING
    places: list[list[Any]] = []
    stop = 0
    for bands in kept:
        places.append([])
        for key, shape in bands.items():
            start = -(-stop // spacing) * spacing
            stop = start + prod(shape)
            places[-1].append((key, slice(start, stop), shape if len(shape) > 1 else None))
    return (stop,), spacing, _cpu.Layout(places[-1].pop(0), places)


class _Synthesis(NamedTuple):
    """Levels that the module runs in one go."""

    module: _cpu.Synthesis
    shape: tuple[int, ...]
    empty: Callable[[tuple[int, ...], Any], Any]


def _target(out: Array, memory: Sequence[Any]) -> Any:
    """The NumPy array to write to ``out``; None if its numbers do not lie in a row or are read."""
    if not serves(out):
        return None
    target = _memory(out)
    free = target.dtype == memory[0].dtype and target.flags.c_contiguous and target.flags.aligned
    return target if free and not any(np.may_share_memory(target, x) for x in memory) else None


def _synthesis_of(plan: SynthesisPlan) -> _Synthesis | None:
    if _NAME not in plan.native:
        plan.native[_NAME] = _make_synthesis(plan.levels)
    return cast("_Synthesis | None", plan.native[_NAME])


def _make_synthesis(levels: Sequence[SynthesisLevel]) -> _Synthesis | None:
    """The native plan of all levels, if the module does each in one go."""
    arguments = []
    for level in levels:
        # Steps come from the last axis to the first.
        keyed = [(key, step) for key, step, _ in reversed(level.synthesis_steps)]
        steps = _fused(keyed, level.shape)
        if steps is None:
            return None
        present = [
            key in level.detail_keys or ("d" not in key and level.approx_shape is not None)
            for key in _keys(len(steps))
        ]
        if len(steps) == 1:  # along one axis a missing band is left out
            plan, filters, axis = steps[0]
            steps = [(plan, tuple(f for f, p in zip(filters, present, strict=True) if p), axis)]
        arguments.append(([_synthesis_axis(*step) for step in steps], present))
    shape = levels[-1].shape
    return _Synthesis(_cpu.Synthesis(arguments), shape, _allocation(shape))


_Fused: TypeAlias = tuple[FilterPlan, tuple[Taps, ...], int]


def _fused(splits: Sequence[tuple[str, Step]], shape: tuple[int, ...]) -> list[_Fused] | None:
    """Plan, filters and number of each axis, in order, if the module does them in one go.

    It does up to four axes next to each other, by filter banks of numbers. Where many numbers
    lie behind the last axis, or its rows are long, going axis by axis is faster.
    """
    axes: list[_Fused] = []
    for _, of_axis in groupby(splits, key=lambda split: len(split[0])):
        step = next(of_axis)[1]
        if not isinstance(step, FilterStep) or not all(map(is_concrete, step.filters)):
            return None
        if step.plan.length % 2 or (axes and step.axis != axes[-1][2] + 1):
            return None
        axes.append((step.plan, step.filters, step.axis))
    if not 1 <= len(axes) <= _MAX_AXES:
        return None
    last = axes[-1][2]
    behind = prod(shape[last + 1 :])
    fits = behind < _FEWEST_COLUMNS and 2 * shape[last] * behind <= _LONGEST_ROW
    return axes if len(axes) == 1 or fits else None


def _folds(axes: Sequence[_Fused]) -> bool:
    """Whether several axes would have to fold: an analysis folds one axis at a time."""
    folds = any(plan.fold.left or plan.fold.right for plan, _, _ in axes)
    return len(axes) > 1 and folds


def _keys(naxes: int) -> list[str]:
    return ["".join(letters) for letters in product("ad", repeat=naxes)]


def _is_floating(x: Array) -> bool:
    return is_plain(x) or (is_plain_tensor(x) and (x.is_floating_point() or x.is_complex()))


def _is_integral(x: Array) -> bool:
    return type(x) is np.ndarray and x.dtype in _INTEGER_DTYPES


def _empty(shape: tuple[int, ...], x: Array) -> Any:
    return np.empty(shape, _numpy_dtype(x.dtype))


def _numpy_dtype(dtype: Any) -> Any:
    of_torch = type(dtype).__module__ == "torch"
    return np.dtype(str(dtype).removeprefix("torch.") if of_torch else dtype)


def _allocation(shape: tuple[int, ...]) -> Callable[[tuple[int, ...], Any], Any]:
    """What makes the memory for a result: a large one begins on a cache line."""
    return np.empty if prod(shape) < _ALIGNED_SIZE else _aligned_empty


def _aligned_empty(shape: tuple[int, ...], dtype: Any) -> Any:
    size, itemsize = prod(shape), np.dtype(dtype).itemsize
    unit = _LARGE_PAGE // itemsize if size * itemsize >= _MAPPED_BYTES else _SPACING
    memory = np.empty(size + unit, dtype)
    past = memory.__array_interface__["data"][0] // itemsize % unit
    return memory[-past % unit :][:size].reshape(shape)


def _with_length(shape: Sequence[int], axis: int, length: int) -> tuple[int, ...]:
    return (*shape[:axis], length, *shape[axis + 1 :])


def _run(module: Any, given: Any, out: Any) -> None:
    """Run a plan of the module; numbers that are not aligned are copied first."""
    if not module.run(given, out):
        copies = [x.copy() for x in given] if isinstance(given, list) else given.copy()
        module.run(copies, out)
