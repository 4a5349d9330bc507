"""Compiled lifting pooling of arrays in host memory.

The module supports arrays that are all float32 or all float64, without autograd or tracing. The
reference kernels handle all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

import liftwave._cpu as _cpu
from liftwave._kernels.contract import LiftPoolKernels
from liftwave._kernels.cpu.memory import all_like, is_plain_tensor, like
from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan
from liftwave._typing import Array

_FORMS = {"sum": 0, "concat": 1, "bands": 2}
_FLOATS = frozenset(map(np.dtype, ("float32", "float64")))


class CpuLiftPool:
    """Lifting pooling.

    Parameters
    ----------
    fallback : LiftPoolKernels
        Handles arrays that the module does not support.
    """

    def __init__(self, fallback: LiftPoolKernels) -> None:
        self._fallback = fallback

    def lift_down(
        self, x: Array, filters: Array, plan: LiftPoolPlan, output: LiftOutput, with_sums: bool
    ) -> tuple[list[Array], Array | None]:
        """The bands of ``output``, and for each pass the sums of ``(s - o)**2`` and ``d**2``."""
        arrays = _memories([x, filters])
        if arrays is None:
            return self._fallback.lift_down(x, filters, plan, output, with_sums)
        signal, taps = arrays
        batch, channels = signal.shape[:2]
        blocks = len(output.bands) if output.combination == "concat" else 1
        count = len(output.bands) if output.combination == "bands" else 1
        results = [
            np.empty((batch, blocks * channels, *plan.halves), signal.dtype) for _ in range(count)
        ]
        sums = np.zeros((len(plan.passes), 2)) if with_sums else None
        if signal.size:
            form = _FORMS[output.combination]
            _module(plan).down(signal, taps, results, output.bands, form, sums)
        sums = None if sums is None else sums.astype(signal.dtype)
        if type(x) is np.ndarray:
            return results, sums
        return all_like(x, results), None if sums is None else like(x, sums)

    def lift_up(self, bands: Sequence[Array], filters: Array, plan: LiftPoolPlan) -> Array:
        """The signal with these bands; none of them is missing."""
        arrays = _memories([*bands, filters])
        if arrays is None:
            return self._fallback.lift_up(bands, filters, plan)
        *halves, taps = arrays
        signal = np.empty((*halves[0].shape[:2], *plan.sizes), halves[0].dtype)
        if signal.size:
            _module(plan).up(halves, taps, signal)
        return like(bands[0], signal)

    def lift_down_vjp(
        self,
        values: Sequence[Array],
        cotangents: Sequence[Array | None],
        sums_cotangent: Array | None,
        filters: Array,
        plan: LiftPoolPlan,
        output: LiftOutput,
        from_outputs: bool,
    ) -> tuple[Array, Array]:
        """Cotangents of the signal and of the filters."""
        present = [g for g in cotangents if g is not None]
        extra = [] if sums_cotangent is None else [sums_cotangent]
        arrays = _memories([filters, *values, *present, *extra])
        if arrays is None:
            return self._fallback.lift_down_vjp(
                values, cotangents, sums_cotangent, filters, plan, output, from_outputs
            )
        taps, value_memories = arrays[0], arrays[1 : 1 + len(values)]
        remaining = iter(arrays[1 + len(values) :])
        cotangent_memories = [None if g is None else next(remaining) for g in cotangents]
        weights = None if sums_cotangent is None else next(remaining).astype(np.float64)
        signal = np.empty(
            (value_memories[0].shape[0], taps.shape[2], *plan.sizes), value_memories[0].dtype
        )
        gradient = np.zeros((len(plan.passes), *taps.shape[1:]))
        if signal.size:
            form = _FORMS[output.combination]
            _module(plan).down_vjp(
                *(value_memories, from_outputs, cotangent_memories, weights, taps),
                *(output.bands, form, signal, gradient),
            )
        gradient = _collected(gradient, taps)
        if type(filters) is np.ndarray:
            return signal, gradient
        return like(values[0], signal), like(filters, gradient)

    def lift_up_vjp(
        self,
        values: Sequence[Array],
        cotangent: Array,
        filters: Array,
        plan: LiftPoolPlan,
        from_outputs: bool,
    ) -> tuple[list[Array], Array]:
        """Cotangents of the bands and of the filters."""
        arrays = _memories([*values, cotangent, filters])
        if arrays is None:
            return self._fallback.lift_up_vjp(values, cotangent, filters, plan, from_outputs)
        *value_memories, cotangent_memory, taps = arrays
        shape = (*cotangent_memory.shape[:2], *plan.halves)
        bands = [np.empty(shape, cotangent_memory.dtype) for _ in range(2**plan.dimensions)]
        gradient = np.zeros((len(plan.passes), *taps.shape[1:]))
        if cotangent_memory.size:
            _module(plan).up_vjp(
                value_memories, from_outputs, cotangent_memory, taps, bands, gradient
            )
        return all_like(cotangent, bands), like(filters, _collected(gradient, taps))


@lru_cache(maxsize=256)
def _module(plan: LiftPoolPlan) -> _cpu.LiftPool:
    sources = []
    for half in plan.halves:
        extension = plan.extension(half)
        left, right = (
            [row[0][0] if row else -1 for row in rows] for rows in (extension.left, extension.right)
        )
        sources.append([*left, *range(half), *right])
    return _cpu.LiftPool(plan.sizes, sources, plan.kernel, plan.shared)


def _collected(gradient: Any, taps: Any) -> Any:
    """Sums of each pass as a gradient of the taps, which passes may share."""
    if gradient.shape[0] != taps.shape[0]:
        gradient = gradient.sum(axis=0, keepdims=True)
    return gradient.astype(taps.dtype)


# --- arrays --------------------------------------------------------------------------------------


def _memories(arrays: Sequence[Array]) -> list[Any] | None:
    """The arrays as contiguous NumPy arrays of one real dtype; None if not supported."""
    memories: list[Any] = []
    for x in arrays:
        memory = x
        if type(x) is not np.ndarray:
            if not is_plain_tensor(x):
                return None
            memory = x.detach().numpy()
        dtype = memories[0].dtype if memories else memory.dtype
        if memory.dtype != dtype or dtype not in _FLOATS or 0 in memory.shape[1:]:
            return None
        if not (memory.flags.c_contiguous and memory.flags.aligned):
            memory = np.require(memory, requirements=("C", "A"))
        memories.append(memory)
    return memories
