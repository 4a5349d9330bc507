"""Wavelet packets as an operation: one transform of one level, for all nodes of a level at once.

The nodes of a level have the same lengths, so one array holds them, and each level is one call of
the kernels. In results, the axis of the nodes, the node axis, is in front of the first transformed
axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from liftwave._arrays.convert import NativeHalf, Opened, open_arrays
from liftwave._arrays.taps import check_library_of_taps
from liftwave._kernels.axis_by_axis import padded, trimmed
from liftwave._kernels.contract import Kernels, NativeRun
from liftwave._operations.node_axis import (
    Results,
    assembled,
    joined,
    parted,
    root,
    selected,
    signal_of,
)
from liftwave._operations.operation import Operation, Residuals, Shape
from liftwave._operations.planned_packets import PlannedPackets
from liftwave._operations.tap_gradients import StepGradient
from liftwave._operations.transform import Transform
from liftwave._operations.transform_vjp import sum_of_gradients
from liftwave._plan.packets import Nodes, subnodes
from liftwave._typing import Array

# Nodes of more samples together are split one by one, so that their subnodes stay in the cache.
_LARGEST_BLOCK = 1 << 15


@dataclass(frozen=True, eq=False)
class PacketTransform(PlannedPackets):
    """The packets of a signal, the signal of packets, or the transpose of either."""

    kind = "packets"

    # --- execution -------------------------------------------------------------------------------

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """The inputs in one floating dtype."""
        if self.holds_arrays:
            check_library_of_taps(self.wavelets, arrays)
        return open_arrays(arrays, native_half)

    def open_floating(self, arrays: Sequence[Array]) -> list[Opened]:
        """The inputs in one floating dtype."""
        return open_arrays(arrays)

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """The bands, or the signal."""
        data, taps = self.split_inputs(arrays)
        results = self._run_native(data, sizes, kernels)
        if results is not None:
            return results
        self.check([x.shape for x in data], sizes)
        if self.is_transposed:
            shapes = self.transpose.shapes_from(data[0].shape, sizes)
            return self.transpose.pull_back(data, [], "nothing", shapes, taps, kernels)[0]
        if self.is_synthesis:
            return [self._merged(data, sizes, taps, kernels)]
        return self._split(data[0], taps, kernels)

    def channels_last(self, ndim: int) -> PacketTransform | None:
        """The form for images (N, C, H, W), whose packets have the shape (N, C, nodes, H, W)."""
        return self._channels_last if self._is_of_images(ndim) else None

    def dimensions_with_channels(self, ndim: int) -> tuple[int, ...]:
        """The numbers of dimensions of images and of packets."""
        return (4, 5) if self._is_of_images(ndim) else (ndim,)

    def _is_of_images(self, ndim: int) -> bool:
        return min(self._axes, default=0) == -2 and ndim in (4, 5)

    @cached_property
    def _channels_last(self) -> PacketTransform:
        return replace(self, step=self.step.channels_last(4))

    @cached_property
    def native_runs(self) -> dict[Kernels, NativeRun | None]:  # type: ignore[override]
        """The native functions of an analysis, and of a synthesis of fixed sizes."""
        return {}

    def _run_native(
        self, data: Sequence[Array], sizes: Sequence[int], kernels: Kernels
    ) -> list[Array] | None:
        """The bands, or the signal, by one native call; ``None`` if the kernels have none."""
        plan = self.plan_for([x.shape for x in data], sizes)
        if plan is None:
            return None
        native = kernels.native_packets(plan)
        results = None if native is None else native(data)
        if results is None:
            return None
        whole = not self.is_synthesis or results[0].shape == plan.shape
        is_fixed = not self.is_synthesis or self.fixed_sizes == tuple(sizes)
        if whole and is_fixed and type(data[0]) is np.ndarray and self.is_plain:
            self.native_runs[kernels] = native
        return results if whole else [trimmed(results[0], plan.shape)]

    def _split(
        self,
        x: Array,
        taps: Sequence[Array],
        kernels: Kernels,
        inputs: list[Array] | None = None,
    ) -> list[Array]:
        """The bands. The inputs of the step are appended to ``inputs``, one for each level."""
        nodes = self.nodes
        results = [Results(order, self.node_axis) for order in nodes.results]
        # Large blocks are faster on devices, and the derivative needs them.
        in_parts = type(x) is np.ndarray and inputs is None

        def split(block: Array, members: Nodes, level: int) -> None:
            of_results, of_parents = nodes.selected(level, members)
            if of_results.nodes:
                results[level].add(of_results.nodes, selected(block, of_results.places))
            if not of_parents.nodes:
                return
            parents = selected(block, of_parents.places)
            if inputs is not None:
                inputs.append(parents)
            halves = self.steps[level].run([parents, *taps], (), kernels)
            if in_parts and sum(half.size for half in halves) > _LARGEST_BLOCK:
                for c, half in enumerate(halves):
                    split(half, tuple(nodes.width * k + c for k in of_parents.nodes), level + 1)
            else:
                split(joined(halves), subnodes(of_parents.nodes, nodes.width), level + 1)

        split(root(x), (0,), 0)
        return [results[level].array for level in self._used_levels]

    def _merged(
        self,
        bands: Sequence[Array],
        sizes: Sequence[int],
        taps: Sequence[Array],
        kernels: Kernels,
        inputs: list[list[Array]] | None = None,
    ) -> Array:
        """The signal. The inputs of the step are appended to ``inputs``, deepest level first."""
        remaining, lengths = list(bands), self.level_lengths(sizes)
        signal = self.signal_shape(tuple(bands[0].shape), sizes)
        merged: Array | None = None
        for level in reversed(range(self.nodes.depth + 1)):
            results = remaining.pop() if self.nodes.results[level] else None
            current = assembled(results, merged, self.nodes, level, self.node_axis)
            if level:
                halves = parted(current, self.nodes.width)
                if inputs is not None:
                    inputs.append(halves)
                (whole,) = self.steps[level - 1].run([*halves, *taps], (), kernels)
                nodes = self.nodes.splits[level - 1]
                merged = trimmed(whole, self._inner(signal, nodes, lengths[level - 1]))
        return signal_of(current)

    # --- derivative ------------------------------------------------------------------------------

    @cached_property
    def transpose(self) -> PacketTransform:
        """The transposed operation."""
        transposed = replace(self, is_transposed=not self.is_transposed)
        vars(transposed)["transpose"] = self
        return transposed

    def derivative(self, present: tuple[bool, ...], residuals: Residuals) -> Operation:
        """The transpose; with slots, the general derivative, which also has that of the taps."""
        return self.transpose if self.is_linear else super().derivative(present, residuals)

    def residuals(
        self, shapes: Sequence[Shape], sizes: Sequence[int], *, exact: bool, parameters: bool
    ) -> Residuals:
        """The data, for gradients of the taps."""
        return "inputs" if parameters and self.nodes.depth else "nothing"

    def pull_back(
        self,
        cotangents: Sequence[Array | None],
        values: Sequence[Array],
        residuals: Residuals,
        shapes: Sequence[Shape],
        taps: Sequence[Array],
        kernels: Kernels,
    ) -> tuple[list[Array], Sequence[StepGradient]]:
        """Cotangents of the data, and gradients of the taps if there are values."""
        if self.is_synthesis:
            (cotangent,) = cotangents
            assert cotangent is not None  # the only one
            return self._pull_back_merged(cotangent, values, taps, kernels)
        return self._pull_back_split(cotangents, values, tuple(shapes[0]), taps, kernels)

    def _pull_back_split(
        self,
        cotangents: Sequence[Array | None],
        values: Sequence[Array],
        shape: Shape,
        taps: Sequence[Array],
        kernels: Kernels,
    ) -> tuple[list[Array], Sequence[StepGradient]]:
        parents: list[Array] = []
        if values:
            self._split(values[0], taps, kernels, parents)
        remaining = self._filled(cotangents, shape)
        lengths = self.level_lengths([shape[axis] for axis in self._axes])
        gradients: list[Sequence[StepGradient]] = []
        merged: Array | None = None
        for level in reversed(range(self.nodes.depth + 1)):
            results = remaining.pop() if self.nodes.results[level] else None
            current = assembled(results, merged, self.nodes, level, self.node_axis)
            if level:
                nodes = self.nodes.splits[level - 1]
                of_parent = self._inner(shape, nodes, lengths[level - 1])
                inputs = [parents.pop()] if values else []
                halves = parted(current, self.nodes.width)
                (merged,), gradient = _back(
                    self.steps[level - 1], halves, inputs, [of_parent], taps, kernels
                )
                gradients.append(gradient)
        return [signal_of(current)], _total(gradients)

    def _pull_back_merged(
        self,
        cotangent: Array,
        values: Sequence[Array],
        taps: Sequence[Array],
        kernels: Kernels,
    ) -> tuple[list[Array], Sequence[StepGradient]]:
        shape, nodes = tuple(cotangent.shape), self.nodes
        sizes = [shape[axis] for axis in self._axes]
        children: list[list[Array]] = []
        if values:
            self._merged(values, sizes, taps, kernels, children)
        lengths = self.level_lengths(sizes)
        gradients: list[Sequence[StepGradient]] = []
        current, bands = root(cotangent), []
        for level in range(nodes.depth + 1):
            if nodes.results[level]:
                of_results, _ = nodes.selected(level, nodes.computed[level])
                results = Results(nodes.results[level], self.node_axis)
                results.add(of_results.nodes, selected(current, of_results.places))
                bands.append(results.array)
            if level < nodes.depth:
                whole = padded(
                    selected(current, nodes.selected(level, nodes.computed[level])[1].places),
                    self._inner(shape, nodes.splits[level], self._whole(lengths[level + 1])),
                )
                of_child = self._inner(shape, nodes.splits[level], lengths[level + 1])
                inputs = children.pop() if values else []
                halves, gradient = _back(
                    self.steps[level], [whole], inputs, [of_child] * nodes.width, taps, kernels
                )
                gradients.append(gradient)
                current = joined(halves)
        return bands, _total(gradients)

    # --- other forms -----------------------------------------------------------------------------

    def with_slots(self) -> tuple[PacketTransform, list[Array]]:
        """The operation with slots in place of arrays of taps, and these arrays."""
        step, taps = self.step.with_slots()
        return (replace(self, step=step), taps) if taps else (self, taps)

    def with_numbers(self) -> PacketTransform:
        """The operation with numbers in place of arrays of taps. This reads the arrays."""
        return replace(self, step=self.step.with_numbers())

    def recordable(self, tensors: Sequence[Array], rounds_numbers: bool) -> Operation:
        """The operation, with taps in arrays if the exporter rounds numbers."""
        x = tensors[0] if self._takes_bands else root(tensors[0])
        step = self.step.recordable([x], rounds_numbers)
        assert isinstance(step, Transform)
        return replace(self, step=step)


def _back(
    step: Transform,
    cotangents: Sequence[Array],
    inputs: Sequence[Array],
    shapes: Sequence[Shape],
    taps: Sequence[Array],
    kernels: Kernels,
) -> tuple[list[Array], Sequence[StepGradient]]:
    """The derivative of one step."""
    kind: Residuals = "inputs" if inputs else "nothing"
    return step.pull_back(cotangents, inputs, kind, shapes, taps, kernels)


def _total(gradients: Sequence[Sequence[StepGradient]]) -> Sequence[StepGradient]:
    """The sums over all levels, for each axis."""
    total: Sequence[StepGradient] = ()
    for axes in gradients:
        total = (
            [sum_of_gradients(a, b) for a, b in zip(total, axes, strict=True)] if total else axes
        )
    return total
