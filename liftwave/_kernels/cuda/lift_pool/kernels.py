"""Lifting pooling on CUDA devices.

One kernel halves two axes if tiles of a plane, with the samples that filters read around them, fit
into shared memory. Otherwise axes are halved one after the other. Only the device reads filters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from liftwave._kernels.cuda.common.layout import Strided
from liftwave._kernels.cuda.common.memory import (
    COMPUTED,
    ITEMSIZE,
    Memory,
    contiguous,
    converted,
    memory_of,
)
from liftwave._kernels.cuda.common.runtime import Runtime
from liftwave._kernels.cuda.lift_pool.launch import (
    MAX_DIMENSIONS,
    SERVED,
    BackArguments,
    Call,
    NodeMemories,
    Stage,
    TransformArguments,
)
from liftwave._kernels.cuda.lift_pool.tiles import Need
from liftwave._kernels.pooling_contract import LiftPoolKernels
from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan
from liftwave._typing import Array

_TRANSFORM = Need(2)


class CudaLiftPool:
    """Lifting pooling.

    Parameters
    ----------
    runtime : Runtime
        Runs the kernels and allocates results.
    fallback : LiftPoolKernels
        Handles what these kernels do not support.
    """

    def __init__(self, runtime: Runtime, fallback: LiftPoolKernels) -> None:
        self._runtime = runtime
        self._fallback = fallback

    def lift_down(
        self, x: Array, filters: Array, plan: LiftPoolPlan, output: LiftOutput, with_sums: bool
    ) -> tuple[list[Array], Array | None]:
        """The bands of ``output``, and for each pass the sums of ``(s - o)**2`` and ``d**2``."""
        need = Need(2, with_penalties=with_sums)
        work = _prepared("lift_down", filters, plan, [x], need, self._runtime)
        if work is None:
            return self._fallback.lift_down(x, filters, plan, output, with_sums)
        work.values[0] = memory_of(x)
        results, bands, mask = _outputs(work, output)
        sums: dict[int, Array] = {}
        for stage in work.stages:
            for node in stage.nodes:
                children = stage.children(node)
                if stage is work.stages[-1]:
                    work.values.update((c, bands.get(c)) for c in children)
                    if not with_sums and all(work.values[c] is None for c in children):
                        continue
                else:
                    work.allocate(work.values, children)
                of_node = _split(work, stage, node, mask, need)
                if of_node is not None:
                    sums.update((p, of_node[k, ...]) for k, p in enumerate(stage.passes(node)))
        if output.combination == "sum" and not mask:
            results = [converted(sum(results[1:], results[0]), work.call.dtype)]
        if not with_sums:
            return results, None
        total = array_namespace(x).stack([sums[k] for k in range(len(plan.passes))])
        return results, converted(total, work.call.computed)

    def lift_up(self, bands: Sequence[Array], filters: Array, plan: LiftPoolPlan) -> Array:
        """The signal with these bands; none of them is missing."""
        work = _prepared("lift_up", filters, plan, bands, _TRANSFORM, self._runtime)
        if work is None:
            return self._fallback.lift_up(bands, filters, plan)
        result = work.call.result(work.call.shape_of(0))
        work.values.update(work.bands(bands, _all_bands(plan)))
        _merge_all(work)
        work.values[0] = memory_of(result)
        _merge(work, work.stages[0], 0)
        return result

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
        with_sums = sums_cotangent is not None
        need = Need(3 if from_outputs and not with_sums else 4, with_penalties=with_sums, back=True)
        present = [g for g in cotangents if g is not None]
        arrays = [*values, *present]
        work = _prepared("lift_down_vjp", filters, plan, arrays, need, self._runtime)
        if work is None:
            return self._fallback.lift_down_vjp(
                values, cotangents, sums_cotangent, filters, plan, output, from_outputs
            )
        call, node_cotangents = work.call, work.cotangents
        if from_outputs:
            work.values.update(work.bands(values, output))
        else:
            work.values[0] = memory_of(values[0])
            _split_all(work)
        node_cotangents.update(work.bands(cotangents, output))
        result = call.result(call.shape_of(0))
        node_cotangents[0] = memory_of(result)
        weights = (
            None if sums_cotangent is None else contiguous(converted(sums_cotangent, call.computed))
        )
        for stage in reversed(work.stages):
            for node in stage.nodes:
                if node:
                    work.allocate(node_cotangents, [node])
                if node and from_outputs:
                    work.allocate(work.values, [node])
                _pull(work, stage, node, need, False, from_outputs, weights)
        return result, _collected(work, filters)

    def lift_up_vjp(
        self,
        values: Sequence[Array],
        cotangent: Array,
        filters: Array,
        plan: LiftPoolPlan,
        from_outputs: bool,
    ) -> tuple[list[Array], Array]:
        """Cotangents of the bands and of the filters."""
        need = Need(3 if from_outputs else 4, back=True)
        arrays = [cotangent, *values]
        work = _prepared("lift_up_vjp", filters, plan, arrays, need, self._runtime)
        if work is None:
            return self._fallback.lift_up_vjp(values, cotangent, filters, plan, from_outputs)
        call, node_cotangents = work.call, work.cotangents
        if from_outputs:
            work.values[0] = memory_of(values[0])
        else:
            work.values.update(work.bands(values, _all_bands(plan)))
            _merge_all(work)
        node_cotangents[0] = memory_of(cotangent)
        results = [call.result(call.shape_of(call.first_band)) for _ in range(2**plan.dimensions)]
        for stage in work.stages:
            is_last = stage is work.stages[-1]
            for node in stage.nodes:
                if not is_last:
                    work.allocate(node_cotangents, stage.children(node))
                else:
                    node_cotangents.update(
                        (c, memory_of(results[c - call.first_band])) for c in stage.children(node)
                    )
                if from_outputs and not is_last:
                    work.allocate(work.values, stage.children(node))
                _pull(work, stage, node, need, True, from_outputs, None)
        return results, _collected(work, filters)


# --- nodes ---------------------------------------------------------------------------------------


class _Work(NamedTuple):
    """A call in progress: memory of values and cotangents by node, and gradients."""

    call: Call
    stages: list[Stage]
    values: NodeMemories
    cotangents: NodeMemories
    gradients: list[tuple[tuple[int, ...], Array]]  # passes, and their gradients by block
    buffers: list[Array]

    def allocate(self, memories: NodeMemories, nodes: Iterable[int]) -> None:
        """Allocate arrays for these nodes, which only stages use."""
        for node in nodes:
            self.buffers.append(self.call.empty(self.call.shape_of(node), self.call.computed))
            memories[node] = memory_of(self.buffers[-1])

    def bands(self, arrays: Sequence[Array | None], output: LiftOutput) -> NodeMemories:
        """The memory of each band of such outputs that is not None, by node."""
        memories: NodeMemories = {}
        for place, band in enumerate(output.bands):
            x = arrays[place if output.combination == "bands" else 0]
            if x is None:
                continue
            if self.call.plan.dimensions == MAX_DIMENSIONS:  # two axes are merged into one
                x = contiguous(x)
                self.buffers.append(x)
            memory = memory_of(x)
            if output.combination == "concat":
                memory = _block(memory, place, self.call.channels)
            memories[self.call.first_band + band] = memory
        return memories


def _split(work: _Work, stage: Stage, node: int, mask: int, need: Need) -> Array | None:
    """Split a node into its bands, and return the sums of squares of its passes, if needed."""
    call, signal = work.call, work.values[node]
    bands = [work.values[c] for c in stage.children(node)]
    job, arrays, tiles = call.job(stage, node, need, [signal, *bands])
    sums = None
    if need.sums:
        sums = call.empty((job.blocks, len(stage.passes(node)), 2), "float64")
    address = None if sums is None else memory_of(sums).address
    arguments = TransformArguments(job, arrays[0], _four(arrays[1:]), address, mask, 0)
    call.launch("lift_pool", _dtypes(call, [signal], bands), False, arguments, tiles)
    return None if sums is None else array_namespace(sums).sum(sums, axis=0)


def _split_all(work: _Work) -> None:
    """Run all stages of the analysis but the last one."""
    for stage in work.stages[:-1]:
        for node in stage.nodes:
            work.allocate(work.values, stage.children(node))
            _split(work, stage, node, 0, _TRANSFORM)


def _merge(work: _Work, stage: Stage, node: int) -> None:
    call, signal = work.call, work.values[node]
    bands = [work.values[c] for c in stage.children(node)]
    job, arrays, tiles = call.job(stage, node, _TRANSFORM, [signal, *bands])
    arguments = TransformArguments(job, arrays[0], _four(arrays[1:]), None, 0, 0)
    call.launch("lift_pool", _dtypes(call, [signal], bands), True, arguments, tiles)


def _merge_all(work: _Work) -> None:
    """Run all stages of the synthesis but the last one."""
    for stage in reversed(work.stages[1:]):
        for node in stage.nodes:
            work.allocate(work.values, [node])
            _merge(work, stage, node)


def _pull(
    work: _Work,
    stage: Stage,
    node: int,
    need: Need,
    up: bool,
    from_outputs: bool,
    weights: Array | None,
) -> None:
    """Compute the cotangents of a node or of its bands, and the gradients of its passes.

    From outputs, it also rebuilds the inputs that have memory allocated.
    """
    call, children, passes = work.call, stage.children(node), stage.passes(node)
    signal, bands = work.values.get(node), [work.values.get(c) for c in children]
    if not from_outputs:  # the kernel computes the outputs again
        signal = None if up else signal
        bands = bands if up else [None for _ in bands]
    of_signal, of_bands = work.cotangents[node], [work.cotangents.get(c) for c in children]
    memories = [signal, *bands, of_signal, *of_bands]
    job, arrays, tiles = call.job(stage, node, need, memories)
    shape = (job.parts, len(passes), 2, call.channels, call.filters.shape[-1])
    gradient, count = call.empty(shape, "float64"), len(children) + 1
    arguments = BackArguments(
        *(job, arrays[0], _four(arrays[1:count]), arrays[count], _four(arrays[count + 1 :])),
        memory_of(gradient).address,
        None if weights is None else memory_of(weights).address,
        *(from_outputs, 0),
    )
    dtypes = _dtypes(call, [of_signal], [*of_bands, *bands])
    call.launch("lift_pool_back", dtypes, up, arguments, tiles)
    work.gradients.append((passes, gradient))


def _collected(work: _Work, filters: Array) -> Array:
    """The gradient of the filters: of all passes, or summed if the passes share one pair."""
    xp, shared = array_namespace(filters), filters.shape[0] == 1
    if len(work.gradients) == 1:
        ((_, parts),) = work.gradients
        gradient = xp.sum(parts, axis=(0, 1) if shared else 0)
        return xp.reshape(xp.astype(gradient, filters.dtype), filters.shape)
    by_pass: dict[int, Array] = {}
    for passes, parts in work.gradients:
        summed = xp.sum(parts, axis=0)
        by_pass.update((p, summed[k, ...]) for k, p in enumerate(passes))
    gradient = xp.stack([by_pass[p] for p in range(len(by_pass))])
    return xp.astype(xp.sum(gradient, axis=0, keepdims=True) if shared else gradient, filters.dtype)


# --- arrays --------------------------------------------------------------------------------------


def _prepared(
    what: str,
    filters: Array,
    plan: LiftPoolPlan,
    arrays: Sequence[Array],
    need: Need,
    runtime: Runtime,
) -> _Work | None:
    """The state of a new call; None if the kernels do not support these arrays."""
    dtype, *dtypes = (memory_of(x).dtype for x in arrays)
    is_served = memory_of(filters).dtype in SERVED.get(dtype, ())
    if not is_served or any(name != dtype for name in dtypes):
        return None
    shape = tuple(arrays[0].shape)
    if plan.dimensions > MAX_DIMENSIONS or 0 in shape or 0 in filters.shape:
        return None
    taps = contiguous(converted(filters, COMPUTED[dtype]))
    call = Call(runtime, plan, taps, arrays[0], shape[0], dtype, f"{what} of shape {shape}")
    stages = call.stages(need)
    return None if stages is None else _Work(call, stages, {}, {}, [], [])


def _outputs(work: _Work, output: LiftOutput) -> tuple[list[Array], NodeMemories, int]:
    """Results, the memory of their bands, and a bit mask of the bands that the kernel sums.

    Kernels sum bands in calls of a single stage only. With several stages each band is a result,
    in the dtype of the computation, and the mask is zero.
    """
    call, is_single = work.call, len(work.stages) == 1
    batch, channels, *spatial = call.shape_of(call.first_band)
    summed = output.combination == "sum"
    blocks = len(output.bands) if output.combination == "concat" else 1
    count = len(output.bands) if output.combination == "bands" or (summed and not is_single) else 1
    shape = (batch, blocks * channels, *spatial)
    is_wide = summed and not is_single
    results = [
        call.empty(shape, call.computed) if is_wide else call.result(shape) for _ in range(count)
    ]
    if summed and is_single:
        mask = sum(1 << band for band in output.bands)
        return results, {call.first_band: memory_of(results[0])}, mask
    combination = "bands" if summed else output.combination
    return results, work.bands(results, LiftOutput(output.bands, combination)), 0


def _all_bands(plan: LiftPoolPlan) -> LiftOutput:
    return LiftOutput(tuple(range(2**plan.dimensions)), "bands")


def _block(memory: Memory, number: int, channels: int) -> Memory:
    """Block ``number`` of an array whose blocks have ``channels`` channels each."""
    step = number * channels * memory.strides[1] * ITEMSIZE[memory.dtype]
    shape = (memory.shape[0], channels, *memory.shape[2:])
    return memory._replace(address=memory.address + step, shape=shape)


def _dtypes(
    call: Call, signals: Sequence[Memory | None], bands: Sequence[Memory | None]
) -> tuple[str, str]:
    """The dtypes of signals and of bands; the dtype of the call if all are missing."""
    of_signals, of_bands = (
        next((m.dtype for m in memories if m is not None), call.dtype)
        for memories in (signals, bands)
    )
    return of_signals, of_bands


def _four(arrays: Sequence[Strided]) -> Any:
    return (Strided * 4)(*arrays)
