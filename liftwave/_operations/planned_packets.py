"""The definition of wavelet packets as an operation: its nodes, serialized form, and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from array_api_compat import array_namespace

from liftwave._arrays.convert import zeros
from liftwave._operations.every_level import level_of
from liftwave._operations.operation import Output, Shape
from liftwave._operations.planned_transform import keep
from liftwave._operations.transform import Transform
from liftwave._operations.wavelet_operation import WaveletOperation
from liftwave._plan.lengths import band_lengths, check_size, signal_length
from liftwave._plan.packets import Nodes, PacketNodes, PacketPlan
from liftwave._plan.undecimated import Undecimated
from liftwave._typing import Array
from liftwave.errors import ShapeError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Resolved


@dataclass(frozen=True, eq=False)
class PlannedPackets(WaveletOperation):
    """The fields of packets, and the properties, shapes and plans that follow from them.

    Its bands are one array for each level that has results, from the root on. ``sizes`` are the
    lengths of the signal along the transformed axes, if the operation goes from bands to a signal.

    Attributes
    ----------
    step : Transform
        The analysis or synthesis of one level. Without downsampling, that of the first level.
    nodes : PacketNodes
        The nodes that are computed.
    is_transposed : bool
        Whether it is transposed, with the opposite direction.
    fixed_sizes : tuple of int or None
        The lengths of all signals that it synthesises; ``None`` if they differ from run to run.
        They are not part of the serialized form.
    """

    step: Transform
    nodes: PacketNodes
    is_transposed: bool = False
    fixed_sizes: tuple[int, ...] | None = None

    def fields(self) -> list[Any]:
        """The fields, with those of the step."""
        width, splits, results = self.nodes.width, self.nodes.splits, self.nodes.results
        return [self.step.fields(), width, splits, results, int(self.is_transposed)]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> Self:
        """The operation with these fields."""
        step, width, splits, results, is_transposed = fields
        nodes = PacketNodes(width, tuple(map(tuple, splits)), tuple(map(tuple, results)))
        return cls(Transform.from_fields(step), nodes, bool(is_transposed))

    # --- properties ------------------------------------------------------------------------------

    @cached_property
    def steps(self) -> tuple[Transform, ...]:
        """The step of each level, finest first. Those of undecimated packets are dilated."""
        if isinstance(self.step.axes[0].mode, Undecimated):
            return tuple(level_of(self.step, level) for level in range(self.nodes.depth))
        return (self.step,) * self.nodes.depth

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
        """True: cotangents of some levels are rarely missing."""
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
            If a level is not valid, or its nodes have different lengths.
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
                is_lifted = isinstance(plan.wavelet, LiftingScheme)
                if (is_lifted or plan.mode == "orthogonal") and pair[0] != pair[1]:
                    cause = "lifting" if is_lifted else "mode 'orthogonal'"
                    raise ShapeError(
                        f"nodes of level {level} would have {pair[0]} and {pair[1]} samples: "
                        f"{cause} splits {n} samples unequally. Use mode 'periodization', a length "
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

    # --- plans -----------------------------------------------------------------------------------

    @cached_property
    def _plans(self) -> dict[Any, PacketPlan]:
        return {}

    def plan_for(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> PacketPlan | None:
        """The plan of all levels for data of these shapes, after a check of the shapes.

        ``None`` if taps are arrays or inputs, or the operation has no level or is transposed.
        """
        if self.n_slots or self.holds_arrays or self.is_transposed or not self.nodes.depth:
            return None
        key = tuple(shapes), tuple(sizes)
        try:
            return self._plans[key]
        except (KeyError, TypeError):  # a length that is a symbol has no hash
            self.check(shapes, sizes)
            if not all(isinstance(n, int) for shape in (*key[0], key[1]) for n in shape):
                return None
            plan = self._make_plan(*key)
            keep(self._plans, key, plan)
            return plan

    def _make_plan(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> PacketPlan:
        shape = tuple(shapes[0])
        if self.is_synthesis:
            shape = self.signal_shape(shape, sizes)
        lengths = self.level_lengths([shape[axis] for axis in self._axes])
        nodes = [self._inner(shape, (0,), of_level)[1:] for of_level in lengths]
        if self.is_synthesis:
            inputs = [(node,) * self.nodes.width for node in nodes[1:]]
        else:
            inputs = [(node,) for node in nodes[:-1]]
        levels = tuple(
            step.plan_for(data).levels[0] for step, data in zip(self.steps, inputs, strict=True)
        )
        return PacketPlan(levels, self.nodes, shape, tuple(self._band_shapes(shape)))

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
