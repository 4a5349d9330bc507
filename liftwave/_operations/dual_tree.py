"""The dual-tree complex transform as an operation on real arrays, and its transpose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from math import prod
from typing import Any, ClassVar, TypeAlias

from array_api_compat import array_namespace, device

from liftwave._arrays.convert import (
    REAL_DTYPES,
    NativeHalf,
    Opened,
    is_complex,
    open_arrays,
)
from liftwave._kernels.contract import Kernels
from liftwave._kernels.reference.pieces import extended, folded, merged, slice_along, total
from liftwave._numbers import is_symbol
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._plan.dual_tree import AxisLevel, Edge, LevelPlan, level_plan, next_length
from liftwave._typing import Array
from liftwave.errors import DTypeError, ExportError
from liftwave.wavelets.dual_tree import Pair, TreeFilters
from liftwave.wavelets.taps import Taps, reversed_taps

Key: TypeAlias = tuple[int, ...]
"""One number per axis: 0 for the low-pass or even samples, 1 for the high-pass or odd samples."""

Parts: TypeAlias = dict[tuple[Key, Key], Array]
"""The outputs of one level by filters and by parities of the samples."""


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
        bands = [(*lead, self.bands, *(n // 2 for n in each), 2) for each in reversed(levels)]
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
                f"the dual tree is a transform of real data, got {opened[0].array.dtype}: "
                "transform the real and the imaginary part"
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
            taps = [reversed_taps(each) for each in self._taps(half.filters, inputs[0])]
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
        """Nothing: the operation is linear."""
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


# --- complex bands -----------------------------------------------------------------------------


@lru_cache
def signs(dimensions: int) -> tuple[Key, ...]:
    """The signs of the imaginary unit of each axis, for the bands from the same filters."""
    return tuple((*each, 1) for each in product((1, -1), repeat=dimensions - 1))


@lru_cache
def band_places(dimensions: int) -> tuple[tuple[Key, Key], ...]:
    """The filters and the signs of each band, in the order of Kingsbury's toolbox."""
    choices = signs(dimensions)
    if dimensions == 1:
        return (((1,), choices[0]),)
    if dimensions == 2:
        filters = ((1, 0), (1, 1), (0, 1))
        rising, falling = choices
        return (
            *((key, rising) for key in filters),
            *((key, falling) for key in reversed(filters)),
        )
    first = [(0, 1, 0), (1, 0, 0), (1, 1, 0), (0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1)]
    return tuple(product(first, choices))


def _weight(band_signs: Key, parities: Key) -> int:
    """The sign with which samples of these parities are part of a band."""
    units = [sign for sign, parity in zip(band_signs, parities, strict=True) if parity]
    return prod(units) * (1, 1, -1, -1)[len(units)]


def _parities(dimensions: int, part: int) -> list[Key]:
    """The parities whose samples are in the real (0) or the imaginary part (1)."""
    return [key for key in product((0, 1), repeat=dimensions) if sum(key) % 2 == part]


def complex_bands(parts: Mapping[tuple[Key, Key], Array], dimensions: int) -> Array:
    r"""The bands of one level, as real and imaginary parts.

    With samples :math:`y_e` of parities :math:`e` and signs :math:`s`, a band is
    :math:`2^{(1-d)/2} \sum_e y_e \prod_k (s_k i)^{e_k}`.
    """
    xp, scale = array_namespace(*parts.values()), 0.5 ** ((dimensions - 1) / 2)
    planes = [
        xp.stack(
            [
                _scaled(
                    total(
                        _signed(parts[key, parities], _weight(band_signs, parities))
                        for parities in _parities(dimensions, part)
                    ),
                    scale,
                )
                for part in (0, 1)
            ],
            axis=-1,
        )
        for key, band_signs in band_places(dimensions)
    ]
    return xp.stack(planes, axis=-dimensions - 2)


def parts_of_bands(bands: Array, dimensions: int) -> Parts:
    """The transpose of :func:`complex_bands`, which is its inverse."""
    scale, parts = 0.5 ** ((dimensions - 1) / 2), Parts()
    places = band_places(dimensions)
    for key in dict(places):
        for parities in product((0, 1), repeat=dimensions):
            terms = [
                _signed(_plane(bands, k, sum(parities) % 2, dimensions), _weight(s, parities))
                for k, (of_band, s) in enumerate(places)
                if of_band == key
            ]
            parts[key, parities] = _scaled(total(terms), scale)
    return parts


def _plane(bands: Array, band: int, part: int, dimensions: int) -> Array:
    """The real or the imaginary part of one band."""
    return bands[(..., band, *[slice(None)] * dimensions, part)]


def _signed(x: Array, sign: int) -> Array:
    return x if sign > 0 else -x


def _scaled(x: Array, factor: float) -> Array:
    return x if factor == 1.0 else x * factor


def interleaved(parts: Mapping[tuple[Key, Key], Array], dimensions: int) -> Array:
    """The low-pass of one level, from its samples by parities."""
    low = (0,) * dimensions
    arrays = {parities: part for (key, parities), part in parts.items() if key == low}
    xp = array_namespace(*arrays.values())
    for axis in range(-1, -dimensions - 1, -1):
        keys = dict.fromkeys(parities[:-1] for parities in arrays)
        arrays = {
            key: merged([arrays[*key, 0], arrays[*key, 1]], arrays[*key, 0].ndim + axis, xp)
            for key in keys
        }
    return arrays[()]


def parts_of_low(x: Array, dimensions: int) -> Parts:
    """The inverse of :func:`interleaved`."""
    arrays: dict[Key, Array] = {(): x}
    for axis in range(-dimensions, 0):
        n, number = x.shape[axis] // 2, x.ndim + axis
        arrays = {
            (*key, parity): slice_along(array, number, parity, 2, n)
            for key, array in arrays.items()
            for parity in (0, 1)
        }
    return {((0,) * dimensions, key): array for key, array in arrays.items()}
