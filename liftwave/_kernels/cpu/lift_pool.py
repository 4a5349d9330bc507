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
from liftwave._arrays.tensors import numpy_memory
from liftwave._kernels.cpu.memory import all_like, is_plain_tensor, like
from liftwave._kernels.pooling_contract import LiftPoolKernels
from liftwave._plan.boundary import Extension
from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan
from liftwave._typing import Array

_FORMS = {"sum": 0, "concat": 1, "bands": 2}
_FLOATS = frozenset(map(np.dtype, ("float32", "float64")))
_SUMS_NDIM = 2
"""Cotangents of sums have this number of dimensions, and data have more."""


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
        arrays, last = _memories(plan, [x], filters)
        if arrays is None:
            return self._fallback.lift_down(x, filters, plan, output, with_sums)
        form = _FORMS[output.combination]
        down = _native(plan, last).down(arrays[0], arrays[1], output.bands, form, with_sums)
        assert down is not None  # the module reads contiguous arrays
        results, sums = down
        if last:
            results = list(map(_channels_first, results))
        if type(x) is np.ndarray:
            return results, sums
        return all_like(x, results), None if sums is None else like(x, sums)

    def lift_up(self, bands: Sequence[Array], filters: Array, plan: LiftPoolPlan) -> Array:
        """The signal with these bands; none of them is missing."""
        arrays, last = _memories(plan, bands, filters)
        if arrays is None:
            return self._fallback.lift_up(bands, filters, plan)
        signal = _native(plan, last).up(arrays[:-1], arrays[-1])
        return like(bands[0], _channels_first(signal) if last else signal)

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
        arrays, last = _memories(plan, [*values, *cotangents, sums_cotangent], filters)
        if arrays is None:
            return self._fallback.lift_down_vjp(
                values, cotangents, sums_cotangent, filters, plan, output, from_outputs
            )
        count = len(values)
        back = _native(plan, last).down_vjp(
            arrays[:count],
            from_outputs,
            arrays[count:-2],
            arrays[-2],
            arrays[-1],
            output.bands,
            _FORMS[output.combination],
        )
        assert back is not None
        signal, gradient = back
        if last:
            signal = _channels_first(signal)
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
        arrays, last = _memories(plan, [*values, cotangent], filters)
        if arrays is None:
            return self._fallback.lift_up_vjp(values, cotangent, filters, plan, from_outputs)
        back = _native(plan, last).up_vjp(arrays[:-2], from_outputs, *arrays[-2:])
        assert back is not None
        bands, gradient = back
        if last:
            bands = list(map(_channels_first, bands))
        return all_like(cotangent, bands), like(filters, gradient)


@lru_cache(maxsize=256)
def _native(plan: LiftPoolPlan, channels_last: bool) -> _cpu.LiftPool:
    sources = [[_places(plan.source(n, parity)) for parity in (0, 1)] for n in plan.sizes]
    lasts = [plan.last(n) for n in plan.sizes]
    return _cpu.LiftPool(plan.sizes, lasts, sources, plan.kernel, plan.shared, channels_last)


def _places(extension: Extension) -> list[int]:
    """The sample at each place of an extended half; -1 for zero."""
    left, right = (
        [row[0][0] if row else -1 for row in rows] for rows in (extension.left, extension.right)
    )
    return [*left, *range(extension.n), *right]


# --- arrays --------------------------------------------------------------------------------------


def _memories(
    plan: LiftPoolPlan, arrays: Sequence[Array | None], filters: Array
) -> tuple[list[Any] | None, bool]:
    """The arrays and filters as contiguous NumPy arrays, which share their memory if possible.

    None if the module does not support them: it needs one real dtype, and at least one sample per
    plane. Arrays that are missing stay missing. If the memory of
    the first array has the channels last, those of all data do, which the second result tells.
    """
    memories: list[Any] = []
    dtype, last = None, False
    for x in (*arrays, filters):
        memory: Any = x
        if x is not None:
            if type(x) is not np.ndarray:
                if not is_plain_tensor(x):
                    return None, False
                memory = numpy_memory(x.detach(), x)
            dtype = dtype or memory.dtype
            if memory.dtype != dtype or dtype not in _FLOATS or 0 in memory.shape[1:]:
                return None, False
            if x is not filters and memory.ndim > _SUMS_NDIM:
                if not memories and not memory.flags.c_contiguous:
                    last = _has_channels_last(memory)
                memory = np.moveaxis(memory, 1, -1) if last else memory
            if not (memory.flags.c_contiguous and memory.flags.aligned and dtype.isnative):
                memory = np.require(memory, dtype.newbyteorder("="), requirements=("C", "A"))
        memories.append(memory)
    return memories, last


def _has_channels_last(x: np.ndarray[Any, Any]) -> bool:
    """Whether the memory of an array of shape (N, C, ...) has the channels last."""
    return bool(np.moveaxis(x, 1, -1).flags.c_contiguous)


def _channels_first(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A view of an array with the channels last as an array of shape (N, C, ...)."""
    return np.moveaxis(x, -1, 1)
