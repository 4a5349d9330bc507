"""Wavelet packets as an operation: one transform of one level, for all nodes of a level at once.

The nodes of a level have the same lengths, so one array holds them, and each level is one call of
the kernels. In results, the axis of the nodes, the node axis, is in front of the first transformed
axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import NativeHalf, Opened, open_arrays, zeros
from liftwave._arrays.taps import check_library_of_taps
from liftwave._kernels.axis_by_axis import padded, trimmed
from liftwave._kernels.contract import Kernels
from liftwave._operations.node_axis import (
    Results,
    assembled,
    joined,
    parted,
    root,
    selected,
    signal_of,
)
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._operations.planned_transform import keep
from liftwave._operations.tap_gradients import StepGradient
from liftwave._operations.transform import Transform
from liftwave._operations.transform_vjp import sum_of_gradients
from liftwave._operations.wavelet_operation import WaveletOperation
from liftwave._plan.lengths import band_lengths, check_size, signal_length
from liftwave._plan.packets import Nodes, PacketNodes, subnodes
from liftwave._typing import Array
from liftwave.errors import ShapeError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Resolved

# Nodes of more samples together are split one by one, so that their subnodes stay in the cache.
_LARGEST_BLOCK = 1 << 15


@dataclass(frozen=True, eq=False)
class PacketTransform(WaveletOperation):
    """The packets of a signal, the signal of packets, or the transpose of either.

    Its bands are one array for each level that has results, from the root on. ``sizes`` are the
    lengths of the signal along the transformed axes, if the operation goes from bands to a signal.

    Attributes
    ----------
    step : Transform
        The analysis or synthesis of one level.
    nodes : PacketNodes
        The nodes that are computed.
    is_transposed : bool
        Whether it is transposed, and so has the opposite direction.
    """

    step: Transform
    nodes: PacketNodes
    is_transposed: bool = False

    kind = "packets"

    def fields(self) -> list[Any]:
        """The fields, with those of the step."""
        width, splits, results = self.nodes.width, self.nodes.splits, self.nodes.results
        return [self.step.fields(), width, splits, results, int(self.is_transposed)]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> PacketTransform:
        """The operation with these fields."""
        step, width, splits, results, is_transposed = fields
        nodes = PacketNodes(width, tuple(map(tuple, splits)), tuple(map(tuple, results)))
        return cls(Transform.from_fields(step), nodes, bool(is_transposed))

    # --- properties ------------------------------------------------------------------------------

    @cached_property
    def is_synthesis(self) -> bool:  # type: ignore[override]
        """Whether the step is a synthesis."""
        return self.step.is_synthesis

    @cached_property
    def n_slots(self) -> int:  # type: ignore[override]
        """The number of arrays of taps that are parameters."""
        return self.step.n_slots

    @cached_property
    def is_plain(self) -> bool:
        """Whether NumPy arrays of one floating dtype need no conversion."""
        return self.step.is_plain

    @cached_property
    def holds_arrays(self) -> bool:
        """Whether some taps are arrays."""
        return self.step.holds_arrays

    @property
    def wavelets(self) -> tuple[Resolved, ...]:
        """The wavelet of each axis."""
        return self.step.wavelets

    @property
    def tap_slots(self) -> Sequence[Sequence[int | None]]:
        """The slots of the taps of each axis."""
        return self.step.tap_slots

    @cached_property
    def _takes_bands(self) -> bool:
        return self.is_synthesis != self.is_transposed

    @cached_property
    def _used_levels(self) -> list[int]:
        return [level for level, nodes in enumerate(self.nodes.results) if nodes]

    @cached_property
    def batched_inputs(self) -> int:
        """All data."""
        return len(self._used_levels) if self._takes_bands else 1

    @cached_property
    def needs_all_cotangents(self) -> bool:
        """Always: cotangents of some levels are rarely missing."""
        return True

    @cached_property
    def result_names(self) -> list[str]:
        """The name of each result in messages."""
        if self.is_synthesis:
            return ["the result"]
        return [f"the packets of level {level}" for level in self._used_levels]

    # --- shapes ----------------------------------------------------------------------------------

    @cached_property
    def _axes(self) -> tuple[int, ...]:
        return self.step._axis_numbers

    @cached_property
    def node_axis(self) -> int:
        """The node axis of results."""
        return min(self._axes) - 1

    def level_lengths(self, lengths: Sequence[int]) -> list[list[int]]:
        """The lengths of the nodes of each level along the transformed axes.

        Raises
        ------
        ShapeError, ModeError
            If a level is not possible, or its nodes have different lengths.
        """
        key = tuple(lengths)
        try:
            return self._known_lengths[key]
        except (KeyError, TypeError):  # a length that is a symbol has no hash
            levels = self._level_lengths(lengths)
            keep(self._known_lengths, key, levels)
            return levels

    @cached_property
    def _known_lengths(self) -> dict[tuple[int, ...], list[list[int]]]:
        return {}

    def _level_lengths(self, lengths: Sequence[int]) -> list[list[int]]:
        levels = [list(lengths)]
        for level in range(1, self.nodes.depth + 1):
            pairs = [
                band_lengths(n, plan.wavelet, plan.mode, f"a node of level {level - 1}")
                for n, plan in zip(levels[-1], self.step.outline, strict=True)
            ]
            for n, pair, plan in zip(levels[-1], pairs, self.step.outline, strict=True):
                if isinstance(plan.wavelet, LiftingScheme) and pair[0] != pair[1]:
                    raise ShapeError(
                        f"nodes of level {level} would have {pair[0]} and {pair[1]} samples: "
                        f"lifting splits {n} samples unequally. Use mode 'periodization', a length "
                        f"that 2**{self.nodes.depth} divides, or WaveletPacket"
                    )
            levels.append([approx for approx, _ in pairs])
        return levels

    def _inner(self, shape: Shape, nodes: Nodes, lengths: Sequence[int]) -> Shape:
        """The shape of nodes of these lengths in memory, from the shape of a signal."""
        sizes = list(shape)
        for axis, n in zip(self._axes, lengths, strict=True):
            sizes[axis] = n
        return (len(nodes), *sizes)

    def _with_nodes(self, shape: Shape, nodes: Nodes, lengths: Sequence[int]) -> Shape:
        """The shape of nodes of these lengths as results, from the shape of a signal."""
        count, *sizes = self._inner(shape, nodes, lengths)
        place = len(shape) + self.node_axis + 1
        return (*sizes[:place], count, *sizes[place:])

    def _band_shapes(self, shape: Shape) -> list[Shape]:
        """The shapes of the bands of a signal of this shape."""
        lengths, results = (
            self.level_lengths([shape[axis] for axis in self._axes]),
            self.nodes.results,
        )
        return [self._with_nodes(shape, results[k], lengths[k]) for k in self._used_levels]

    def signal_shape(self, band: Shape, sizes: Sequence[int]) -> Shape:
        """The shape of a signal of these lengths, from that of a band."""
        place = len(band) + self.node_axis
        shape = [*band[:place], *band[place + 1 :]]
        for axis, n in zip(self._axes, sizes, strict=True):
            shape[axis] = n
        return tuple(shape)

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The shapes of the bands, or that of the signal."""
        if self._takes_bands:
            return [Output(self.signal_shape(tuple(shapes[0]), sizes))]
        return [Output(shape) for shape in self._band_shapes(tuple(shapes[0]))]

    def shapes_from(self, like: Shape, sizes: Sequence[int]) -> list[Shape]:
        """The shapes of the data, from the shape of a cotangent."""
        if self._takes_bands:
            return self._band_shapes(tuple(like))
        return [self.signal_shape(tuple(like), sizes)]

    def derivative_sizes(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Sequence[int]:
        """The lengths of the signal, if the derivative goes from bands to a signal."""
        return () if self._takes_bands else [shapes[0][axis] for axis in self._axes]

    def check(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> None:
        """Raise if bands or a signal of these shapes cannot be transformed.

        Raises
        ------
        ShapeError, ModeError
            If they cannot.
        """
        if not self._takes_bands:
            check_size("the packets", *self._band_shapes(tuple(shapes[0])))
            return
        shape = self.signal_shape(tuple(shapes[0]), sizes)
        check_size("the signal", shape)
        expected = self._band_shapes(shape)
        for level, band, fitting in zip(self._used_levels, shapes, expected, strict=True):
            if tuple(band) != fitting:
                raise ShapeError(
                    f"packets of level {level} have shape {tuple(band)}, but those of a signal of "
                    f"shape {shape} have shape {fitting}"
                )

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
        self.check([x.shape for x in data], sizes)
        if self.is_transposed:
            shapes = self.transpose.shapes_from(data[0].shape, sizes)
            return self.transpose.pull_back(data, [], "nothing", shapes, taps, kernels)[0]
        if self.is_synthesis:
            return [self._merged(data, sizes, taps, kernels)]
        return self._split(data[0], taps, kernels)

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
        # Large blocks are good for devices, and needed by the derivative.
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
            halves = self.step.run([parents, *taps], (), kernels)
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
                (whole,) = self.step.run([*halves, *taps], (), kernels)
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
                (merged,), gradient = self._back(
                    parted(current, self.nodes.width),
                    inputs,
                    [of_parent],
                    taps,
                    kernels,
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
                halves, gradient = self._back(
                    [whole], inputs, [of_child] * nodes.width, taps, kernels
                )
                gradients.append(gradient)
                current = joined(halves)
        return bands, _total(gradients)

    def _back(
        self,
        cotangents: Sequence[Array],
        inputs: Sequence[Array],
        shapes: Sequence[Shape],
        taps: Sequence[Array],
        kernels: Kernels,
    ) -> tuple[list[Array], Sequence[StepGradient]]:
        """The derivative of one step."""
        kind: Residuals = "inputs" if inputs else "nothing"
        return self.step.pull_back(cotangents, inputs, kind, shapes, taps, kernels)

    def _whole(self, lengths: Sequence[int]) -> list[int]:
        """The lengths that the step synthesises from bands of these lengths."""
        return [
            signal_length(n, n, plan.wavelet, plan.mode)
            for n, plan in zip(lengths, self.step.outline, strict=True)
        ]

    def _filled(self, cotangents: Sequence[Array | None], shape: Shape) -> list[Array]:
        """The cotangents of all bands; zeros for missing ones."""
        like = next(g for g in cotangents if g is not None)
        xp = array_namespace(like)
        return [
            zeros(band, like, xp) if g is None else g
            for g, band in zip(cotangents, self._band_shapes(shape), strict=True)
        ]

    # --- other forms -----------------------------------------------------------------------------

    def with_slots(self) -> tuple[PacketTransform, list[Array]]:
        """The operation with slots in place of arrays of taps, and these arrays."""
        step, taps = self.step.with_slots()
        return (replace(self, step=step), taps) if taps else (self, taps)

    def with_numbers(self) -> PacketTransform:
        """The operation with numbers in place of arrays of taps. This reads the arrays."""
        return replace(self, step=self.step.with_numbers())

    def recordable(self, tensors: Sequence[Array], rounds_numbers: bool) -> Operation:
        """The operation for fixed lengths, with taps in arrays if the exporter rounds numbers."""
        x = tensors[0] if self._takes_bands else root(tensors[0])
        step = self.step.recordable([x], rounds_numbers)
        assert isinstance(step, Transform)
        return replace(self, step=step)


def _total(gradients: Sequence[Sequence[StepGradient]]) -> Sequence[StepGradient]:
    """The sums over all levels, for each axis."""
    total: Sequence[StepGradient] = ()
    for axes in gradients:
        total = (
            [sum_of_gradients(a, b) for a, b in zip(total, axes, strict=True)] if total else axes
        )
    return total
