"""An undecimated analysis that returns the approximation of each level, as an operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import NativeHalf, Opened
from liftwave._kernels.contract import Kernels, NativeRun, Targets
from liftwave._operations.operation import Operation, Output, Residuals, Shape
from liftwave._operations.tap_gradients import StepGradient
from liftwave._operations.transform import Transform
from liftwave._operations.transform_vjp import sum_of_gradients
from liftwave._operations.wavelet_operation import WaveletOperation
from liftwave._plan.axes import AxisPlans
from liftwave._plan.levels import AnalysisPlan
from liftwave._plan.undecimated import AxisMode, Undecimated
from liftwave._typing import Array
from liftwave.wavelets.resolve import Resolved


@dataclass(frozen=True, eq=False)
class EveryLevel(WaveletOperation):
    """All bands of all levels of an undecimated analysis, approximations included.

    Levels are in order of the results: coarsest first, and the approximation first in each.

    Attributes
    ----------
    transform : Transform
        The analysis, which returns the approximation of the coarsest level only.
    """

    transform: Transform
    native_runs: dict[Kernels, NativeRun | None] = field(
        default_factory=dict, init=False, repr=False
    )

    kind = "every_level"
    is_synthesis = False

    def fields(self) -> list[Any]:
        """The fields of the analysis."""
        return self.transform.fields()

    @classmethod
    def from_fields(cls, fields: list[Any]) -> EveryLevel:
        """The operation with these fields."""
        return cls(Transform.from_fields(fields))

    # --- properties ------------------------------------------------------------------------------

    @cached_property
    def n_slots(self) -> int:  # type: ignore[override]
        """The number of arrays of taps that are parameters of the operation."""
        return self.transform.n_slots

    @cached_property
    def is_plain(self) -> bool:
        """Whether NumPy arrays of one floating dtype need no conversion."""
        return self.transform.is_plain

    @cached_property
    def batched_inputs(self) -> int:
        """The signal."""
        return 1

    def batch_axes(self, ndim: int) -> list[int]:
        """The axes that are not transformed."""
        return self.transform.batch_axes(ndim)

    @cached_property
    def holds_arrays(self) -> bool:
        """Whether some taps are arrays."""
        return self.transform.holds_arrays

    @cached_property
    def wavelets(self) -> tuple[Resolved, ...]:
        """The wavelet of each axis."""
        return self.transform.wavelets

    @cached_property
    def tap_slots(self) -> Sequence[Sequence[int | None]]:
        """The slots of the taps of each axis."""
        return self.transform.tap_slots

    @cached_property
    def uses_synthesis_filters(self) -> bool:
        """Whether the taps are those of the synthesis filters."""
        return self.transform.uses_synthesis_filters

    @cached_property
    def result_names(self) -> list[str]:
        """The name of each band in messages."""
        return [name for part in self.parts for name in part.result_names]

    @cached_property
    def parts(self) -> tuple[Transform, ...]:
        """The analysis of each level, finest first."""
        return tuple(level_of(self.transform, depth) for depth in range(self.transform.level))

    # --- execution -------------------------------------------------------------------------------

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """The signal in a floating dtype."""
        return self.transform.open(arrays, native_half)

    def open_floating(self, arrays: Sequence[Array]) -> list[Opened]:
        """The signal in a floating dtype."""
        return self.transform.open_floating(arrays)

    def run(
        self,
        arrays: Sequence[Array],
        sizes: Sequence[int],
        kernels: Kernels,
        out: Targets | None = None,
    ) -> list[Array]:
        """The bands of all levels, coarsest level first. Kernels can write them to ``out``."""
        x, *taps = arrays
        results: list[Array] = []
        if not self.transform.is_differentiable:
            return self._run_integers(x, kernels, out)
        for part in self.parts:
            bands = part.run([x, *taps], (), kernels, _of_level(out, results, part))
            x = bands[0]
            results[:0] = bands
        if type(x) is np.ndarray and self.is_plain:
            self.native_runs[kernels] = self._native_run(kernels)
        return results

    def run_into(
        self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels, out: Targets
    ) -> list[Array]:
        """As :meth:`run`; results can be the arrays of ``out``."""
        return self.run(arrays, sizes, kernels, out)

    def _run_integers(self, x: Array, kernels: Kernels, out: Targets | None) -> list[Array]:
        """The bands of all levels, in the dtype that holds those of the last one."""
        dtype = self.transform.coefficient_dtype(x)
        x, results = array_namespace(x).astype(x, dtype, copy=False), list[Array]()
        for part in self.parts:
            plan = part.plan_for((tuple(x.shape),))
            assert isinstance(plan, AnalysisPlan)
            bands = kernels.analyse(x, plan, None, _of_level(out, results, part))
            x = bands[0]
            results[:0] = bands
        return results

    def _native_run(self, kernels: Kernels) -> NativeRun | None:
        """The native runs of all levels, one after the other."""
        runs = [part.native_runs.get(kernels) for part in self.parts]
        native = [run for run in runs if run is not None]
        return partial(_run_all, native) if len(native) == len(runs) else None

    def outputs(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Output]:
        """Each band has the shape of the signal."""
        return [Output(tuple(shapes[0]))] * len(self.result_names)

    # --- derivative ------------------------------------------------------------------------------

    def residuals(
        self, shapes: Sequence[Shape], sizes: Sequence[int], *, exact: bool, parameters: bool
    ) -> Residuals:
        """The signal, for gradients of the taps."""
        return "inputs" if parameters else "nothing"

    def shapes_from(self, like: Shape, sizes: Sequence[int]) -> list[Shape]:
        """The shape of the signal is that of each band."""
        return [tuple(like)]

    def pull_back(
        self,
        cotangents: Sequence[Array | None],
        values: Sequence[Array],
        residuals: Residuals,
        shapes: Sequence[Shape],
        taps: Sequence[Array],
        kernels: Kernels,
    ) -> tuple[list[Array], Sequence[StepGradient]]:
        """The cotangent of the signal, and the gradients of the taps of each axis."""
        inputs = self._inputs(values, taps, kernels)
        kind: Residuals = "inputs" if values else "nothing"
        count = len(cotangents) // len(self.parts)
        upward: Array | None = None  # the cotangent of the approximation, from coarser levels
        axes: Sequence[StepGradient] = ()
        for part, start in zip(reversed(self.parts), range(0, len(cotangents), count), strict=True):
            approx, *details = cotangents[start : start + count]
            bands = [_sum(approx, upward), *details]
            if all(band is None for band in bands):
                inputs = inputs[:-1]
                continue
            remaining, inputs = inputs[-1:], inputs[:-1]
            (upward,), gradients = part.pull_back(bands, remaining, kind, shapes, taps, kernels)
            axes = _sums(axes, gradients)
        assert upward is not None  # at least one band has a cotangent
        return [upward], axes

    def _inputs(
        self, values: Sequence[Array], taps: Sequence[Array], kernels: Kernels
    ) -> list[Array]:
        """The input of each level; empty without values."""
        inputs = list(values)
        for part in self.parts[:-1] if values else ():
            inputs.append(part.run([inputs[-1], *taps], (), kernels)[0])
        return inputs

    # --- other forms -----------------------------------------------------------------------------

    def with_slots(self) -> tuple[EveryLevel, list[Array]]:
        """The operation with slots in place of arrays of taps, and these arrays."""
        slotted, taps = self.transform.with_slots()
        return (replace(self, transform=slotted), taps) if taps else (self, [])

    def with_numbers(self) -> EveryLevel:
        """The operation with numbers in place of arrays of taps. This reads the arrays."""
        return replace(self, transform=self.transform.with_numbers())

    def recordable(self, tensors: Sequence[Array], rounds_numbers: bool) -> Operation:
        """The operation, with taps in arrays if the exporter rounds numbers."""
        transform = self.transform.recordable(tensors, rounds_numbers)
        assert isinstance(transform, Transform)
        return replace(self, transform=transform)


def _of_level(out: Targets | None, finer: Sequence[Array], part: Transform) -> Targets | None:
    """The arrays for the bands of a level, after those of the finer levels."""
    stop = 0 if out is None else len(out) - len(finer)
    return None if out is None else out[stop - len(part.names) : stop]


def _run_all(runs: Sequence[NativeRun], arrays: Sequence[Array]) -> list[Array] | None:
    """The results of runs on the first result of the run before; ``None`` for other arrays."""
    results: list[Array] = []
    for run in runs:
        bands = run(arrays)
        if bands is None:
            return None
        arrays = bands[:1]
        results[:0] = bands
    return results


def level_of(transform: Transform, depth: int) -> Transform:
    """The transform of one level, ``depth`` levels below the first one."""
    axes = tuple(axis._replace(mode=_deeper(axis.mode, depth)) for axis in transform.axes)
    plans = {
        ndim: AxisPlans(plan._replace(mode=_deeper(plan.mode, depth)) for plan in axis_plans)
        for ndim, axis_plans in transform.plans.items()
    }
    return replace(transform, axes=axes, keys=transform.keys[:1], plans=plans)


def _deeper(mode: AxisMode, depth: int) -> Undecimated:
    assert isinstance(mode, Undecimated)
    return mode._replace(start_level=mode.start_level + depth)


def _sum(a: Array | None, b: Array | None) -> Array | None:
    if a is None or b is None:
        return b if a is None else a
    return a + b


def _sums(total: Sequence[StepGradient], more: Sequence[StepGradient]) -> Sequence[StepGradient]:
    if not total:
        return more
    return [sum_of_gradients(a, b) for a, b in zip(total, more, strict=True)]
