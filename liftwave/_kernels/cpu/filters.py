"""Filter banks along one axis by the compiled kernels, and their native plans.

The fallback handles taps that are arrays, since these may need gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import liftwave._cpu as _cpu
from liftwave._kernels.contract import Kernels
from liftwave._kernels.cpu.circular import circular_analysis, circular_axis, circular_synthesis
from liftwave._kernels.cpu.memory import all_like, is_floating, like, memory, serves, with_copies
from liftwave._plan.axis import FilterPlan, bounded
from liftwave._plan.boundary import Extension
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps

NAME = "cpu"

_Analysis: TypeAlias = _cpu.Analysis | _cpu.CircularAnalysis
_Synthesis: TypeAlias = _cpu.Synthesis | _cpu.CircularSynthesis
_Gradients: TypeAlias = _cpu.TapGradients | _cpu.CircularTapGradients


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
        """``y[k] = sum_j f[j] * x[stride k + phase - dilation j]``, the input extended."""
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
        """The sum over bands of the transpose of an analysis, each band extended."""
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
        """``G[j] = sum_k x[stride k + phase - dilation j] * y[k]`` for each cotangent ``y``."""
        native = _native_gradients(plan, axis)
        sums = None if native is None else native.run(x, list(cotangents))
        if sums is not None:
            scaled = sums if plan.factor == 1.0 else plan.factor * sums
            return list(scaled.astype(x.real.dtype))
        same = all(y.dtype == x.dtype for y in cotangents)
        if native is None or not same or not all(map(is_floating, (x, *cotangents))):
            return self._fallback.tap_gradients(x, cotangents, plan, axis)
        work = memory(x)
        sums = plan.factor * with_copies(native.run, work, list(map(memory, cotangents)))
        return list(like(x, sums.astype(work.real.dtype)))


# --- native plans, cached with a plan of one axis ------------------------------------------------


def _native_analysis(plan: FilterPlan, filters: tuple[Any, ...], axis: int) -> _Analysis | None:
    """The native analysis; None for more than two filters, or taps that are arrays."""
    if len(filters) > 2 or not all(type(taps) is tuple for taps in filters):
        return None
    key = (NAME, "analysis", axis, filters)
    native: _Analysis | None = plan.native.get(key)
    if native is None:
        native = _new_analysis(plan, filters, axis)
        bounded(plan.native)[key] = native
    return native


def _new_analysis(plan: FilterPlan, filters: tuple[Any, ...], axis: int) -> _Analysis | None:
    if plan.extend.joined:
        return circular_analysis(plan, filters, axis)
    return _cpu.Analysis([[analysis_axis(plan, filters, axis)]], None) if plan.is_dyadic else None


def _native_synthesis(plan: FilterPlan, filters: tuple[Any, ...], axis: int) -> _Synthesis | None:
    """The native synthesis; None for filters that the module does not support."""
    if len(filters) > 2 or not all(type(taps) is tuple for taps in filters):
        return None
    key = (NAME, "synthesis", axis, filters)
    native: _Synthesis | None = plan.native.get(key)
    if native is None:
        native = _new_synthesis(plan, filters, axis)
        bounded(plan.native)[key] = native
    return native


def _new_synthesis(plan: FilterPlan, filters: tuple[Any, ...], axis: int) -> _Synthesis | None:
    if plan.length % 2:  # the native sums have groups of equal size
        return None
    if plan.extend.joined:
        return circular_synthesis(plan, filters, axis)
    if not plan.is_dyadic:
        return None
    level = [synthesis_axis(plan, filters, axis)], [True] * len(filters)
    return _cpu.Synthesis([level], None, None)


def _native_gradients(plan: FilterPlan, axis: int) -> _Gradients | None:
    """The native gradients; None for plans that the module does not support."""
    key = (NAME, "tap gradients", axis)
    native: _Gradients | None = plan.native.get(key)
    if native is None:
        native = _new_gradients(plan, axis)
        bounded(plan.native)[key] = native
    return native


def _new_gradients(plan: FilterPlan, axis: int) -> _Gradients | None:
    any_taps = ((0.0,) * plan.length,)
    if plan.extend.joined:
        return _cpu.CircularTapGradients([circular_axis(plan, any_taps, axis)])
    return _cpu.TapGradients(analysis_axis(plan, any_taps, axis)) if plan.is_dyadic else None


def analysis_axis(plan: FilterPlan, filters: Sequence[Any], axis: int) -> Any:
    """The native plan of one axis of an analysis."""
    extend, fold = _extension(plan.extend), _extension(plan.fold)
    return (axis, plan.n_out, plan.length, plan.phase, extend, fold, list(map(list, filters)))


def synthesis_axis(plan: FilterPlan, filters: Sequence[Any], axis: int) -> Any:
    """The native plan of one axis of a synthesis: even taps, then odd ones."""
    return analysis_axis(plan, [half for f in filters for half in (f[0::2], f[1::2])], axis)


def _extension(extension: Extension) -> Any:
    return extension.n, list(map(list, extension.left)), list(map(list, extension.right))
