"""Filter banks along one axis by the compiled kernels, and their native plans.

The fallback handles taps that are arrays, since these may need gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import liftwave._cpu as _cpu
from liftwave._kernels.contract import Kernels
from liftwave._kernels.cpu.memory import all_like, is_floating, like, memory, serves, with_copies
from liftwave._plan.axis import FilterPlan, bounded
from liftwave._plan.boundary import Extension
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps

NAME = "cpu"


class CpuPart:
    """A part of the family.

    Parameters
    ----------
    fallback : Kernels
        Handles what these kernels do not support.
    """

    def __init__(self, fallback: Kernels) -> None:
        self._fallback = fallback


class CpuFilters(CpuPart):
    """Filter banks along one axis."""

    def analysis(
        self, x: Array, filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """``y[k] = sum_j f[j] * x[2 k + phase - j]`` for each filter ``f``, the input extended."""
        native = _native_analysis(plan, tuple(filters), axis)
        bands = None if native is None else native.run(x)
        if bands is not None:
            return bands
        if native is None or not serves(x):
            return self._fallback.analysis(x, filters, plan, axis)
        return all_like(x, with_copies(native.run, memory(x)))

    def synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> Array:
        """``x[i] = sum_k y[k] * g[i + phase - 2 k]``, summed over the bands, each extended."""
        native = _native_synthesis(plan, tuple(filters), axis)
        result = None if native is None else native.run(list(bands))
        if result is not None:
            return result
        if native is None or not serves(*bands):
            return self._fallback.synthesis(bands, filters, plan, axis)
        return like(bands[0], with_copies(native.run, list(map(memory, bands))))

    def tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """``G[j] = sum_k x[2 k + phase - j] * y[k]`` for each cotangent ``y``."""
        native = _native_gradients(plan, axis)
        sums = None if native is None else native.run(x, list(cotangents))
        if sums is not None:
            return list(sums.astype(x.real.dtype))
        same = all(y.dtype == x.dtype for y in cotangents)
        if native is None or not same or not all(map(is_floating, (x, *cotangents))):
            return self._fallback.tap_gradients(x, cotangents, plan, axis)
        work = memory(x)
        sums = with_copies(native.run, work, list(map(memory, cotangents)))
        return list(like(x, sums.astype(work.real.dtype)))


# --- native plans, cached with a plan of one axis ------------------------------------------------


def _native_analysis(plan: FilterPlan, filters: tuple[Any, ...], axis: int) -> _cpu.Analysis | None:
    """The native analysis; None for more than two filters, taps that are arrays, or other plans."""
    if len(filters) > 2 or not all(type(taps) is tuple for taps in filters) or not plan.is_dyadic:
        return None
    key = (NAME, "analysis", axis, filters)
    native: _cpu.Analysis | None = plan.native.get(key)
    if native is None:
        native = _cpu.Analysis([[analysis_axis(plan, filters, axis)]], None)
        bounded(plan.native)[key] = native
    return native


def _native_synthesis(
    plan: FilterPlan, filters: tuple[Any, ...], axis: int
) -> _cpu.Synthesis | None:
    """The native synthesis; None for filters that the module does not support."""
    if len(filters) > 2 or not all(type(taps) is tuple for taps in filters):
        return None
    if plan.length % 2 or not plan.is_dyadic:
        return None
    key = (NAME, "synthesis", axis, filters)
    native: _cpu.Synthesis | None = plan.native.get(key)
    if native is None:
        level = [synthesis_axis(plan, filters, axis)], [True] * len(filters)
        native = _cpu.Synthesis([level], None, None)
        bounded(plan.native)[key] = native
    return native


def _native_gradients(plan: FilterPlan, axis: int) -> _cpu.TapGradients | None:
    if not plan.is_dyadic:
        return None
    key = (NAME, "tap gradients", axis)
    native: _cpu.TapGradients | None = plan.native.get(key)
    if native is None:
        any_taps = ((0.0,) * plan.length,)
        native = _cpu.TapGradients(analysis_axis(plan, any_taps, axis))
        bounded(plan.native)[key] = native
    return native


def analysis_axis(plan: FilterPlan, filters: Sequence[Any], axis: int) -> Any:
    """The native plan of one axis of an analysis."""
    extend, fold = _extension(plan.extend), _extension(plan.fold)
    return (axis, plan.n_out, plan.length, plan.phase, extend, fold, list(map(list, filters)))


def synthesis_axis(plan: FilterPlan, filters: Sequence[Any], axis: int) -> Any:
    """The native plan of one axis of a synthesis: even taps, then odd ones."""
    return analysis_axis(plan, [half for f in filters for half in (f[0::2], f[1::2])], axis)


def _extension(extension: Extension) -> Any:
    return extension.n, list(map(list, extension.left)), list(map(list, extension.right))
