"""Filter banks along one axis by CUDA kernels.

The kernels are in ``filters/analysis.cuh`` and ``filters/synthesis.cuh``. They address lines by
strides, without copies. Taps that are numbers are launch arguments. Taps that are arrays are read
in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from liftwave._kernels.cuda.common.layout import Boundary, Fold, boundary, fold
from liftwave._kernels.cuda.common.memory import COMPUTED, ITEMSIZE, REAL, memory_of
from liftwave._kernels.cuda.common.runtime import CudaPart, Runtime, kernel
from liftwave._kernels.cuda.filters import circular
from liftwave._kernels.cuda.filters.lines import (
    Kind,
    Launch,
    Lines,
    are_alike,
    flattened,
    ordered,
    places,
    run_lines,
    share_out,
)
from liftwave._kernels.cuda.filters.tap_gradients import tap_gradients
from liftwave._kernels.cuda.filters.taps import COUNTS, device_taps
from liftwave._plan.axes import with_length
from liftwave._plan.axis import FilterPlan, bounded
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps

# Threads of a block that recomputes outputs onto which others are folded.
_FOLD_THREADS = 128


class CudaFilters(CudaPart):
    """Filter banks along one axis."""

    def analysis(
        self, x: Array, filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """``y[k] = sum_j f[j] * x[stride k + phase - dilation j]``, the input extended."""
        shape = with_length(x.shape, axis, plan.n_out)
        out = self._runtime.empty((len(filters), *shape), memory_of(x).dtype, x)
        bands = [out[k] for k in range(len(filters))]
        if self.run_analysis(x, bands, filters, plan, axis):
            return bands
        return self._fallback.analysis(x, filters, plan, axis)

    def synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> Array:
        """The sum over bands of the transpose of an analysis, each band extended."""
        shape = with_length(bands[0].shape, axis, plan.n_out)
        out = self._runtime.empty(shape, memory_of(bands[0]).dtype, bands[0])
        if self.run_synthesis(bands, out, filters, plan, axis):
            return out
        return self._fallback.synthesis(bands, filters, plan, axis)

    def tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """``G[j] = sum_k x[stride k + phase - dilation j] * y[k]``, both extended.

        Gradients of half-precision arrays are computed and returned in float32.
        """
        gradients_of = circular.tap_gradients if plan.extend.joined else tap_gradients
        gradients = gradients_of(x, cotangents, plan, axis, self._runtime)
        if gradients is not None:
            return gradients
        return self._fallback.tap_gradients(x, cotangents, plan, axis)

    def run_analysis(
        self, x: Array, outs: Sequence[Array], filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> bool:
        """Analyse into existing arrays of any strides.

        Parameters
        ----------
        x : array
            The signal.
        outs : sequence of array
            One band per filter, all of one dtype with the same computation dtype as ``x``.
        filters, plan, axis
            As in :meth:`analysis`.

        Returns
        -------
        bool
            False if the kernels do not support the arguments; nothing is computed then.
        """
        run = circular.run_circular if plan.extend.joined else _run
        return run("analysis", [x], outs, filters, plan, axis, self._runtime)

    def run_synthesis(
        self,
        bands: Sequence[Array],
        out: Array,
        filters: Sequence[Taps],
        plan: FilterPlan,
        axis: int,
    ) -> bool:
        """Synthesise into an existing array of any strides; see :meth:`run_analysis`."""
        run = circular.run_circular if plan.extend.joined else _run
        return run("synthesis", bands, [out], filters, plan, axis, self._runtime)


# --- launching -----------------------------------------------------------------------------------


def _run(
    kind: Kind,
    inputs: Sequence[Array],
    results: Sequence[Array],
    filters: Sequence[Taps],
    plan: FilterPlan,
    axis: int,
    runtime: Runtime,
) -> bool:
    arrays = [*inputs, *results]
    memories = list(map(memory_of, arrays))
    dtypes = memories[0].dtype, memories[-1].dtype
    if not 1 <= len(filters) <= 2 or not are_alike(memories, len(inputs)):
        return False
    prepared = _prepared(kind, plan, dtypes[0])
    if prepared is None:
        return False
    if prod(memories[-1].shape) == 0:
        return True
    layout = ordered(memories, axis)
    if layout is None:
        flat, count = flattened(arrays, len(inputs), axis), len(inputs)
        return flat is not None and _run(
            kind, flat[:count], flat[count:], filters, plan, 1, runtime
        )
    taps = device_taps(filters, plan, prepared.real, inputs[0])
    if taps is None:
        return False
    lines = prepared.lines(plan, layout, kind, len(filters))
    reach = (plan.length + 1) // 2 - (kind == "analysis")
    # A unit has two samples in an analysis, and one sample of each band in a synthesis.
    size = (2 if kind == "analysis" else len(inputs)) * ITEMSIZE[COMPUTED[dtypes[0]]]
    launch = share_out(lines, lines.end, reach, size)
    what = f"{kind} of {memories[0].shape} along axis {axis}"
    source, parameters = f"filters/{kind}.cuh", (*dtypes, len(filters))
    flags = prepared.taps, taps.learned, launch.along
    compiled = kernel(source, f"{kind}_lines", *parameters, *flags)
    run_lines(compiled, lines, taps, prepared.taps, launch, inputs[0], what, runtime)
    folded = prepared.folded_places * lines.batch.count
    if folded:
        compiled = kernel(source, f"folded_{kind}_lines", *parameters, taps.learned)
        launch = Launch(-(-folded // _FOLD_THREADS), _FOLD_THREADS, 0, along=False)
        run_lines(compiled, lines, taps, 0, launch, inputs[0], what, runtime)
    return True


# --- cached with a plan --------------------------------------------------------------------------


class _Prepared(NamedTuple):
    """The arguments of kernels that do not depend on arrays."""

    real: str
    taps: int  # their number, as a template argument
    extend: Boundary
    fold: Fold
    units: tuple[int, int, int]

    def lines(self, plan: FilterPlan, layout: Any, kind: Kind, bands: int) -> Lines:
        """The lines of arrays, not yet cut into pieces."""
        batch, strided = layout
        lines = Lines(batch=batch, extend=self.extend, fold=self.fold)
        for k, array in zip(places(kind, bands), strided, strict=True):
            lines.array[k] = array
        lines.n_out, lines.length, lines.phase = plan.n_out, plan.length, plan.phase
        lines.end, lines.inner_begin, lines.inner_end = self.units
        return lines

    @property
    def folded_places(self) -> int:
        """The number of places of a line onto which samples are folded, from both ends."""
        fold = self.fold
        return int(fold.left_stop - fold.left_start + fold.right_stop - fold.right_start)


def _prepared(kind: Kind, plan: FilterPlan, dtype: str) -> _Prepared | None:
    """The kernel arguments of a plan; None if the kernels do not support it."""
    key = ("cuda", kind, dtype)
    if key not in plan.native:
        bounded(plan.native)[key] = _prepare(kind, plan, dtype)
    prepared: _Prepared | None = plan.native[key]
    return prepared


def _prepare(kind: Kind, plan: FilterPlan, dtype: str) -> _Prepared | None:
    if not plan.is_dyadic:
        return None
    extend, folds = boundary(plan.extend), fold(plan.fold)
    if extend is None or folds is None:
        return None
    count = plan.length if plan.length in COUNTS else 0
    units = (_inner_outputs if kind == "analysis" else _inner_pairs)(plan)
    return _Prepared(REAL[dtype], count, extend, folds, units)


def _inner_outputs(plan: FilterPlan) -> tuple[int, int, int]:
    """The number of outputs, and the range of those that need no extension."""
    end = min(plan.n_out, (plan.extend.n - 1 - plan.phase) // 2 + 1)
    return plan.n_out, max(0, -((plan.phase - plan.length + 1) // 2)), end


def _inner_pairs(plan: FilterPlan) -> tuple[int, int, int]:
    """The same for pairs of outputs."""
    begin = max(0, (plan.length + 1) // 2 - 1 - plan.phase // 2)
    end = min(plan.n_out // 2, plan.extend.n - (plan.phase + 1) // 2)
    return (plan.n_out + 1) // 2, begin, end
