"""The definition of a transform: axes, wavelets and bands, serialized form, and plans.

A transform is independent of shapes. Axes count from the end, so that a batch can be added in
front. Lengths follow from the arrays or are passed as sizes. Bands are a flat list: the
approximation first, then the details, coarsest level first, sorted by key within a level.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from itertools import chain, product
from math import isfinite
from typing import Any, NamedTuple, Self, cast

from liftwave._arrays.convert import namespace_of
from liftwave._arrays.integers import coefficient_dtype as dtype_of_coefficients
from liftwave._kernels.contract import Kernels, NativeRun
from liftwave._operations.operation import Output, Shape
from liftwave._operations.wavelet_data import (
    WaveletData,
    as_numbers,
    filters,
    from_json,
    tap_slots,
    to_json,
)
from liftwave._operations.wavelet_operation import WaveletOperation
from liftwave._plan.axes import AxisPlan, AxisPlans
from liftwave._plan.axis import bounded
from liftwave._plan.levels import AnalysisPlan, Keys, SynthesisPlan, tuned_analysis, tuned_synthesis
from liftwave._plan.planning import plan_analysis, plan_synthesis
from liftwave._plan.shapes import band_shapes, signal_shape
from liftwave._plan.undecimated import AxisMode, Undecimated
from liftwave._typing import Array, Mode
from liftwave.errors import WaveletError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Resolved


class TransformAxis(NamedTuple):
    """One axis of a transform.

    Attributes
    ----------
    axis : int
        Negative: counted from the last one.
    wavelet : FilterBank, LiftingScheme or JSON data
        JSON data can have slots for taps (``wavelet_data.py``).
    mode : str or Undecimated
        The boundary mode, or the options of an undecimated transform.
    """

    axis: int
    wavelet: Resolved | WaveletData
    mode: AxisMode


@dataclass(frozen=True, eq=False, repr=False)
class PlannedTransform(WaveletOperation):
    """The fields of a transform, and the properties and plans that follow from them.

    Attributes
    ----------
    axes : tuple of TransformAxis
        The transformed axes.
    is_synthesis : bool
        Whether the transform goes from bands to a signal.
    has_approx : bool
        Whether the approximation is among the bands.
    keys : tuple of tuple of str
        The sorted keys of the details of each level that are among the bands, coarsest first.
    trim_odd : bool
        Whether an approximation can have one sample more than its details (synthesis only).
    is_transposed : bool
        Whether it is transposed, with the opposite direction.
    n_slots : int
        The number of arrays of taps that are parameters of the operation.
    dtype : str
        The dtype of integer coefficients; empty for the narrowest one that holds them for all
        samples of the dtype of the data.
    plans : dict
        The plans by the number of dimensions; a transform and its transpose share them.
    shape_plans : dict
        The plans for shapes of the inputs, if no taps are inputs.
    """

    axes: tuple[TransformAxis, ...]
    is_synthesis: bool
    has_approx: bool
    keys: Keys
    trim_odd: bool = True
    is_transposed: bool = False
    n_slots: int = 0
    dtype: str = ""
    plans: dict[int, AxisPlans] = field(default_factory=dict, repr=False)
    shape_plans: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)
    native_runs: dict[Kernels, NativeRun | None] = field(
        default_factory=dict, init=False, repr=False
    )

    # --- serialization -------------------------------------------------------------------------

    def fields(self) -> list[Any]:
        """The fields without the plans, with wavelets as JSON data."""
        axes = [[axis, as_json(wavelet), mode] for axis, wavelet, mode in self.axes]
        flags = [self.is_synthesis, self.has_approx, self.trim_odd, self.is_transposed]
        return [axes, self.keys, *map(int, flags), self.n_slots]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> Self:
        """The transform with these fields."""
        axes, keys, is_synthesis, has_approx, trim_odd, is_transposed, n_slots = fields
        return cls(
            tuple(TransformAxis(axis, wavelet, _mode(mode)) for axis, wavelet, mode in axes),
            bool(is_synthesis),
            bool(has_approx),
            tuple(map(tuple, keys)),
            bool(trim_odd),
            bool(is_transposed),
            n_slots,
        )

    # --- properties ----------------------------------------------------------------------------

    @cached_property
    def level(self) -> int:
        """The number of levels."""
        return len(self.keys)

    @cached_property
    def is_identity(self) -> bool:
        """Whether there is no level."""
        return not self.keys

    @cached_property
    def is_complete(self) -> bool:
        """Whether no band is missing."""
        complete = detail_keys(len(self.axes))
        return self.has_approx and all(keys == complete for keys in self.keys)

    @cached_property
    def outline(self) -> AxisPlans:
        """Plans for lengths only: with negative axes, and ones in the slots."""
        return self._make_plans(0, None)

    @cached_property
    def batched_inputs(self) -> int:
        """All data: axes count from the end."""
        return sum(map(len, self.keys)) + self.has_approx if self._takes_bands else 1

    def batch_axes(self, ndim: int) -> list[int]:
        """The axes that are not transformed."""
        transformed = {axis % ndim for axis in self._axis_numbers}
        return [axis for axis in range(ndim) if axis not in transformed]

    @cached_property
    def _takes_bands(self) -> bool:
        return self.is_synthesis != self.is_transposed

    @cached_property
    def wavelets(self) -> tuple[Resolved, ...]:
        """The wavelet of each axis."""
        plans = next(iter(self.plans.values()), self.outline)
        return tuple(plan.wavelet for plan in plans)

    @cached_property
    def tap_slots(self) -> list[list[int | None]]:
        """The slots of the taps of each axis, in the order of the gradients."""
        return [tap_slots(as_json(axis.wavelet), self.uses_synthesis_filters) for axis in self.axes]

    @cached_property
    def uses_synthesis_filters(self) -> bool:
        """Whether the synthesis filters are used: by an inverse transform, or a causal analysis."""
        mode = self.axes[0].mode if self.axes else None
        return self.is_synthesis != (isinstance(mode, Undecimated) and mode.is_causal)

    @cached_property
    def result_names(self) -> list[str]:
        """The name of the results in messages."""
        if self.is_synthesis or not self.keys:
            return ["the result"]
        names = ["the approximation"] if self.has_approx else []
        return names + [f"band {key!r}" for keys in self.keys for key in keys]

    @cached_property
    def holds_arrays(self) -> bool:
        """Whether some taps are arrays."""
        return any(
            not isinstance(wavelet, str | dict) and not wavelet.is_concrete
            for _, wavelet, _ in self.axes
        )

    @cached_property
    def is_differentiable(self) -> bool:
        """Whether it is not integer lifting, which rounds. JSON data has no integer schemes."""
        return not any(isinstance(w, LiftingScheme) and w.integer for _, w, _ in self.axes)

    # --- plans ---------------------------------------------------------------------------------

    def plans_for(self, ndim: int) -> AxisPlans:
        """The plans for arrays of ``ndim`` dimensions, if no taps are inputs."""
        plans = self.plans.get(ndim)
        if plans is None:
            plans = self.plans[ndim] = self._make_plans(ndim, None)
        return plans

    def _make_plans(self, ndim: int, taps: Sequence[Any] | None) -> AxisPlans:
        wavelets = {
            id(wavelet): wavelet
            if not isinstance(wavelet, str | dict)
            else from_json(wavelet, taps)
            for _, wavelet, _ in self.axes
        }
        return AxisPlans(
            AxisPlan(axis + ndim, wavelets[id(wavelet)], mode) for axis, wavelet, mode in self.axes
        )

    def plan_with(
        self, shapes: Sequence[Shape], taps: Sequence[Array], kernels: Kernels
    ) -> AnalysisPlan | SynthesisPlan:
        """The plan for data of these shapes and these taps."""
        ndim = len(shapes[0])
        if not kernels.wants_numpy:  # reading taps would wait for the device
            return self.make_plan(shapes, self._make_plans(ndim, taps))
        values = tuple(map(as_numbers, taps))
        if self.outline.is_lifted or not all(map(isfinite, chain.from_iterable(values))):
            return self.make_plan(shapes, _plans_with_values(self, ndim, values))
        return _tuned_plan(self, tuple([tuple(shape) for shape in shapes]), values)

    def tune(self, shapes: Sequence[Shape], values: Sequence[Any]) -> AnalysisPlan | SynthesisPlan:
        """The plan for data of these shapes and these numbers as taps of filter banks."""
        template = self.make_plan(shapes, self.plans_for(len(shapes[0])))
        pairs = [filters(axis.wavelet, values, self.uses_synthesis_filters) for axis in self.axes]
        if isinstance(template, SynthesisPlan):
            return tuned_synthesis(template, tuple(pairs))
        return tuned_analysis(template, tuple(pairs))

    def plans_of_values(self, ndim: int, taps: Sequence[Array]) -> AxisPlans:
        """The plans of the axes with the numbers of these taps, which are read."""
        return _plans_with_values(self, ndim, tuple(map(as_numbers, taps)))

    def make_plan(self, shapes: Sequence[Shape], plans: AxisPlans) -> AnalysisPlan | SynthesisPlan:
        """The plan for data of these shapes, with these plans of the axes."""
        if not self.is_synthesis:
            return plan_analysis(tuple(shapes[0]), plans, self.level)
        data = tuple([tuple(shape) for shape in shapes])
        return plan_synthesis(data, self.keys, self.has_approx, plans, self.trim_odd)

    def coefficient_dtype(self, x: Array) -> Any:
        """The dtype of the coefficients of integer lifting."""
        if self.dtype:
            return getattr(namespace_of(x), self.dtype)
        return dtype_of_coefficients(x, self.plans_for(x.ndim), self.level)

    # --- bands and lengths ---------------------------------------------------------------------

    @cached_property
    def names(self) -> list[tuple[int, str]]:
        """The level, 0 for the coarsest, and the key of each band, in order."""
        return _names(self.keys, len(self.axes), self.has_approx)

    def select(self, bands: Sequence[Any], names: Sequence[tuple[int, str]]) -> list[Any]:
        """The bands of the transform, from bands with these names."""
        by_name = dict(zip(names, bands, strict=True))
        return [by_name[name] for name in self.names]

    @cached_property
    def _axis_numbers(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(axis for axis, _, _ in self.axes))

    def lengths(self, shape: Shape) -> list[int]:
        """The lengths along the transformed axes."""
        return [shape[axis] for axis in self._axis_numbers]

    def shapes_from(self, like: Shape, sizes: Sequence[int]) -> list[Shape]:
        """Shapes with these lengths along the axes; other lengths are those of ``like``."""
        count = len(self._axis_numbers)
        if not count:  # the only band is the signal
            return [tuple(like)]
        shapes = []
        for start in range(0, len(sizes), count):
            shape = list(like)
            for axis, n in zip(self._axis_numbers, sizes[start : start + count], strict=True):
                shape[axis] = n
            shapes.append(tuple(shape))
        return shapes

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """The shapes of the bands, or that of the signal."""
        return [Output(shape) for shape in self._output_shapes(shapes, sizes)]

    def _output_shapes(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Shape]:
        if not self.keys:
            return [tuple(shape) for shape in shapes]
        if self.is_transposed:
            return self.shapes_from(shapes[0], sizes)
        if self.is_synthesis:
            data = [tuple(shape) for shape in shapes[: self.batched_inputs]]
            args = (self.keys, self.has_approx, self.outline, self.trim_odd)
            return [signal_shape(data, *args)]
        bands = band_shapes(tuple(shapes[0]), self.outline, self.level)
        if self.is_complete:
            return bands
        count = len(self.axes)
        return self.select(bands, _names((detail_keys(count),) * self.level, count, True))


def _names(keys: Keys, naxes: int, has_approx: bool) -> list[tuple[int, str]]:
    approx = [(0, "a" * naxes)] if has_approx else []
    return approx + [(k, key) for k, of_level in enumerate(keys) for key in of_level]


def _mode(mode: Any) -> AxisMode:
    """A mode from JSON data, which has a list for the options of an undecimated transform."""
    return Undecimated(*mode) if isinstance(mode, list) else cast(Mode, mode)


def keep(cache: dict[Any, Any], key: Any, value: Any) -> None:
    """Put a value into a bounded cache, unless its key holds symbolic lengths."""
    with suppress(TypeError):  # a symbol has no hash
        bounded(cache)[key] = value


def as_json(wavelet: Resolved | WaveletData, arrays: list[Array] | None = None) -> WaveletData:
    if isinstance(wavelet, str | dict):
        return wavelet
    if isinstance(wavelet, LiftingScheme) and wavelet.integer:
        raise WaveletError(f"{wavelet!r} rounds: its transform is not linear")
    return to_json(wavelet, [] if arrays is None else arrays)


# Training changes taps at each step, so few are cached: for backward passes and repeated calls.
@lru_cache(maxsize=16)
def _plans_with_values(
    transform: PlannedTransform, ndim: int, values: tuple[Any, ...]
) -> AxisPlans:
    return transform._make_plans(ndim, values)


@lru_cache(maxsize=64)
def _tuned_plan(
    transform: PlannedTransform, shapes: tuple[Shape, ...], values: tuple[Any, ...]
) -> AnalysisPlan | SynthesisPlan:
    return transform.tune(shapes, values)


@cache
def detail_keys(naxes: int) -> tuple[str, ...]:
    """The keys of all details of one level, in order."""
    return tuple(map("".join, product("ad", repeat=naxes)))[1:]
