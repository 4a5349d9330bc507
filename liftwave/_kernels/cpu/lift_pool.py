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
from liftwave._kernels.cpu.memory import all_like, is_plain_tensor, like, memory, with_copies
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
        if not _serves(filters, x):
            return self._fallback.lift_down(x, filters, plan, output, with_sums)
        arguments = (memory(x), memory(filters), output.bands, _FORMS[output.combination])
        results, sums = with_copies(_native(plan).down, *arguments, with_sums)
        return all_like(x, results), None if sums is None else like(x, sums)

    def lift_up(self, bands: Sequence[Array], filters: Array, plan: LiftPoolPlan) -> Array:
        """The signal with these bands; none of them is missing."""
        if not _serves(filters, *bands):
            return self._fallback.lift_up(bands, filters, plan)
        signal = with_copies(_native(plan).up, _memories(bands), memory(filters))
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
        if not _serves(filters, *values, *cotangents, sums_cotangent):
            return self._fallback.lift_down_vjp(
                values, cotangents, sums_cotangent, filters, plan, output, from_outputs
            )
        signal, gradient = with_copies(
            _native(plan).down_vjp,
            *(_memories(values), from_outputs, _memories(cotangents)),
            *(*_memories([sums_cotangent, filters]), output.bands, _FORMS[output.combination]),
        )
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
        if not _serves(filters, *values, cotangent):
            return self._fallback.lift_up_vjp(values, cotangent, filters, plan, from_outputs)
        arguments = (_memories(values), from_outputs, memory(cotangent), memory(filters))
        bands, gradient = with_copies(_native(plan).up_vjp, *arguments)
        return all_like(cotangent, bands), like(filters, gradient)


@lru_cache(maxsize=256)
def _native(plan: LiftPoolPlan) -> _cpu.LiftPool:
    sources = []
    for half in plan.halves:
        extension = plan.extension(half)
        left, right = (
            [row[0][0] if row else -1 for row in rows] for rows in (extension.left, extension.right)
        )
        sources.append([*left, *range(half), *right])
    return _cpu.LiftPool(plan.sizes, sources, plan.kernel, plan.shared)


# --- arrays --------------------------------------------------------------------------------------


def _serves(*arrays: Array | None) -> bool:
    """Whether the module supports the arrays: one real dtype, at least one sample per plane."""
    present = [x for x in arrays if x is not None]
    if not all(type(x) is np.ndarray or is_plain_tensor(x) for x in present):
        return False
    dtype = memory(present[0]).dtype
    return dtype in _FLOATS and all(
        memory(x).dtype == dtype and 0 not in x.shape[1:] for x in present
    )


def _memories(arrays: Sequence[Array | None]) -> list[Any]:
    return [None if x is None else memory(x) for x in arrays]
