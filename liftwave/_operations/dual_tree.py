"""The dual-tree complex transform as an operation on real arrays, and its transpose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from array_api_compat import array_namespace, device

from liftwave._arrays.convert import (
    REAL_DTYPES,
    NativeHalf,
    Opened,
    is_complex,
    open_arrays,
)
from liftwave._kernels.contract import Kernels
from liftwave._kernels.reference.pieces import extended, folded, merged, slice_along
from liftwave._numbers import is_symbol
from liftwave._operations.dual_tree_bands import (
    Key,
    Parts,
    band_places,
    complex_bands,
    interleaved,
    parts_of_bands,
    parts_of_low,
)
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._plan.dual_tree import AxisLevel, Edge, LevelPlan, level_plan, next_length
from liftwave._typing import Array
from liftwave.errors import DTypeError, ExportError
from liftwave.wavelets.dual_tree import Pair, TreeFilters
from liftwave.wavelets.taps import Taps, reversed_taps


@dataclass(frozen=True, eq=False)
class DualTreeTransform(Operation):
    """The transform along the last axes, or its transpose.

    An analysis returns the low-pass of the last level, and the bands of each level, coarsest
    first. The bands of a level are an array of shape (..., bands, *lengths, 2), with real and
    imaginary parts last.

    Attributes
    ----------
    dimensions : int
        The number of transformed axes.
    level : int
        The number of levels, at least 1.
    filters : TreeFilters
        The filters of the analysis.
    edge : {"repeat", "zero"}
        The samples that the analysis adds to lengths that are not multiples of 2 or 4.
    is_synthesis : bool
        Whether the operation is the transpose. Its ``sizes`` are the lengths of the signal.
    has_arrays : bool
        Whether taps are used as arrays of the data's precision.
    is_stacked : bool
        Whether all parts are filtered together along each axis. Recorded programs then have fewer
        operations: 4 instead of 20 filter banks for a level of an image.
    """

    dimensions: int
    level: int
    filters: TreeFilters
    edge: Edge = "repeat"
    is_synthesis: bool = False
    has_arrays: bool = False
    is_stacked: bool = False

    kind = "dual_tree"
    plain_dtypes: ClassVar[frozenset[Any]] = REAL_DTYPES

    def fields(self) -> list[Any]:
        """The fields."""
        rest = (self.edge, self.is_synthesis, self.has_arrays, self.is_stacked)
        return [self.dimensions, self.level, self.filters, *rest]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> DualTreeTransform:
        """The operation with these fields."""
        dimensions, level, filters, *rest = fields
        first, a, b = ((tuple(low), tuple(high)) for low, high in filters)
        return cls(dimensions, level, TreeFilters(first, a, b), *rest)

    @cached_property
    def is_linear(self) -> bool:
        """True."""
        return True

    @cached_property
    def is_plain(self) -> bool:
        """True: no conversion and no check is needed."""
        return True

    def batch_axes(self, ndim: int) -> range:
        """The axes before the transformed ones."""
        return range(ndim - self.dimensions)

    @cached_property
    def needs_all_cotangents(self) -> bool:
        """True: the transpose needs all bands."""
        return True

    @cached_property
    def _axes(self) -> range:
        """The transformed axes, counted from the end."""
        return range(-self.dimensions, 0)

    # --- shapes ----------------------------------------------------------------------------------

    def _lengths(self, lengths: Sequence[int]) -> list[tuple[int, ...]]:
        """The lengths of the signal, and of the low-pass of each level."""
        result = [tuple(lengths)]
        for depth in range(self.level):
            result.append(tuple(next_length(n, depth) for n in result[-1]))
        return result

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The low-pass and the bands of each level; or the signal."""
        lead, lengths = tuple(shapes[0][: -self.dimensions]), shapes[0][-self.dimensions :]
        if self.is_synthesis:
            return [Output((*lead, *sizes))]
        _, *levels = self._lengths(lengths)
        bands = [(*lead, self.bands, *(n // 2 for n in low), 2) for low in reversed(levels)]
        return [Output((*lead, *levels[-1])), *map(Output, bands)]

    @cached_property
    def bands(self) -> int:
        """The number of bands of a level."""
        return len(band_places(self.dimensions))

    # --- execution -------------------------------------------------------------------------------

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """The inputs in a real floating dtype."""
        opened = open_arrays(arrays, native_half)
        if is_complex(opened[0].array):
            raise DTypeError(
                f"the dual tree needs real data, got {opened[0].array.dtype}: transform the real "
                "and the imaginary part separately"
            )
        return opened

    def run(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> list[Array]:
        """The low-pass and the bands of each level; or the signal."""
        if self.is_synthesis:
            return [self._synthesise(arrays, sizes, kernels)]
        x, results = arrays[0], list[Array]()
        for depth in range(self.level):
            x, bands = self._split_level(x, depth, kernels)
            results.insert(0, bands)
        return [x, *results]

    def _plan(self, lengths: Sequence[int], depth: int) -> LevelPlan:
        return level_plan(tuple(lengths), self.filters, depth, self.edge)

    def _split_level(self, x: Array, depth: int, kernels: Kernels) -> tuple[Array, Array]:
        """The low-pass and the bands of one level."""
        plan = self._plan(x.shape[-self.dimensions :], depth)
        native = None if self.has_arrays else kernels.native_dual_tree(plan)
        results = None if native is None else native([x])
        if results is not None:
            return results[0], results[1]
        parts = self._split(x, plan, kernels)
        return interleaved(parts, self.dimensions), complex_bands(parts, self.dimensions)

    def _synthesise(self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels) -> Array:
        low, *bands = arrays
        *lengths, _ = self._lengths(sizes)
        for depth, level_bands in zip(reversed(range(self.level)), bands, strict=True):
            low = self._merge_level(low, level_bands, lengths[depth], depth, kernels)
        return low

    def _merge_level(
        self, low: Array, bands: Array, lengths: Sequence[int], depth: int, kernels: Kernels
    ) -> Array:
        """The transpose of :meth:`_split_level`."""
        plan = self._plan(lengths, depth)
        native = None if self.has_arrays else kernels.native_dual_tree(plan)
        results = None if native is None else native([low, bands])
        if results is not None:
            return results[0]
        parts = parts_of_bands(bands, self.dimensions)
        parts.update(parts_of_low(low, self.dimensions))
        return self._merge(parts, plan, kernels)

    def _split(self, x: Array, plan: LevelPlan, kernels: Kernels) -> Parts:
        """The outputs of one level."""
        parts: Parts = {((), ()): x}
        for axis, level in zip(self._axes, plan.axes, strict=True):
            parts = {
                ((*bands, band), (*parities, parity)): part
                for keys in self._groups(parts)
                for band, parity, results in self._outputs_of(
                    self._joined([parts[key] for key in keys]), level, axis, kernels
                )
                for (bands, parities), part in self._members(keys, results)
            }
        return parts

    def _groups(self, keys: Iterable[tuple[Key, Key]]) -> list[list[tuple[Key, Key]]]:
        """The keys of the parts that are filtered together."""
        return [[*keys]] if self.is_stacked else [[key] for key in keys]

    def _joined(self, parts: Sequence[Array]) -> Array:
        """The parts of a group as one array."""
        return array_namespace(parts[0]).stack(parts) if self.is_stacked else parts[0]

    def _members(
        self, keys: Sequence[tuple[Key, Key]], results: Array
    ) -> Iterator[tuple[tuple[Key, Key], Array]]:
        """The keys of a group with their parts of the results."""
        return zip(keys, results if self.is_stacked else [results], strict=True)

    def _outputs_of(
        self, x: Array, level: AxisLevel, axis: int, kernels: Kernels
    ) -> Iterator[tuple[int, int, Array]]:
        """The outputs along one axis, with their filters and parities."""
        number = x.ndim + axis
        wide = extended(x, level.extend, number)
        for half in level.halves:
            n, step = half.plan.n_in, level.dilation
            samples = slice_along(wide, number, half.offset, step, n)
            taps = self._taps(half.filters, x)
            results = kernels.analysis(samples, taps, half.plan, number)
            for band, (parity, part) in enumerate(zip(half.parities, results, strict=True)):
                yield band, parity, part

    def _merge(self, parts: Parts, plan: LevelPlan, kernels: Kernels) -> Array:
        """The transpose of :meth:`_split`."""
        for axis, level in zip(reversed(self._axes), reversed(plan.axes), strict=True):
            every = dict.fromkeys((bands[:-1], parities[:-1]) for bands, parities in parts)
            parts = {
                key: part
                for keys in self._groups(every)
                for key, part in self._members(
                    keys, self._input_of(parts, keys, level, axis, kernels)
                )
            }
        return parts[(), ()]

    def _input_of(
        self,
        parts: Parts,
        keys: Sequence[tuple[Key, Key]],
        level: AxisLevel,
        axis: int,
        kernels: Kernels,
    ) -> Array:
        """The sum over filters and parities along one axis."""
        channels: list[Array | None] = [None] * level.dilation
        for half in level.halves:
            inputs = [
                self._joined(
                    [parts[(*bands, band), (*parities, parity)] for bands, parities in keys]
                )
                for band, parity in enumerate(half.parities)
            ]
            taps = [reversed_taps(f) for f in self._taps(half.filters, inputs[0])]
            number = inputs[0].ndim + axis
            samples = kernels.synthesis(inputs, taps, half.adjoint, number)
            earlier = channels[half.offset]
            channels[half.offset] = samples if earlier is None else earlier + samples
        xp = array_namespace(samples)
        wide = merged(channels, number, xp)
        return folded(wide, level.extend, number, xp)

    def _taps(self, filters: Pair, like: Array) -> Sequence[Taps]:
        if not self.has_arrays:
            return filters
        xp = array_namespace(like)
        return [xp.asarray(taps, dtype=like.dtype, device=device(like)) for taps in filters]

    # --- derivative ------------------------------------------------------------------------------

    def residuals(
        self, shapes: Sequence[Shape], sizes: Sequence[int], *, exact: bool, parameters: bool
    ) -> Residuals:
        """No arrays: the operation is linear."""
        return "nothing"

    def derivative_sizes(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Sequence[int]:
        """The lengths of the signal, for the transpose of an analysis."""
        return () if self.is_synthesis else shapes[0][-self.dimensions :]

    def derivative(self, present: tuple[bool, ...], residuals: Residuals) -> Operation:
        """The transpose."""
        return self.transpose

    @cached_property
    def transpose(self) -> DualTreeTransform:
        """The transpose of the operation."""
        return replace(self, is_synthesis=not self.is_synthesis)

    def recordable(self, tensors: Sequence[Array], rounds_numbers: bool) -> Operation:
        """The operation for fixed lengths, with taps in arrays if the exporter rounds numbers."""
        shape = tensors[0].shape
        if any(is_symbol(n) for n in shape[-self.dimensions :]):
            raise ExportError(
                "a dual tree can only be exported for fixed lengths along its axes, got shape "
                f"{tuple(shape)}: leave only other dimensions dynamic, such as that of the batch"
            )
        return replace(self, has_arrays=rounds_numbers, is_stacked=True)
