"""Transforms from a signal to bands or back, and the transposes of both, as operations.

The fields and the plans of a transform are in ``planned_transform.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import NativeHalf, Opened, open_arrays, open_unchanged
from liftwave._arrays.integers import (
    COEFFICIENT_DTYPES,
    open_integer_coefficients,
    open_integer_samples,
    requested_dtype,
)
from liftwave._arrays.out import common_dtype
from liftwave._arrays.taps import check_library_of_taps
from liftwave._arrays.tensors import is_tensor
from liftwave._kernels.axis_by_axis import padded
from liftwave._kernels.contract import Kernels, Targets
from liftwave._operations.operation import Operation, Residuals, Shape, parse
from liftwave._operations.planned_transform import (
    PlannedTransform,
    TransformAxis,
    as_json,
    keep,
)
from liftwave._operations.rebuilding import growth_of_schemes, keeps_half_of_the_digits
from liftwave._operations.tap_gradients import StepGradient
from liftwave._operations.transform_vjp import (
    analysis_adjoint,
    analysis_vjp,
    synthesis_adjoint,
    synthesis_vjp,
)
from liftwave._operations.wavelet_data import as_numbers, slot_structure, with_tap_arrays
from liftwave._plan.axes import AxisPlans
from liftwave._plan.levels import AnalysisPlan, SynthesisPlan, flatten_bands
from liftwave._plan.shapes import trims_approximations
from liftwave._plan.transpose import adjoint_of_analysis
from liftwave._plan.undecimated import Undecimated
from liftwave._typing import Array
from liftwave.errors import ExportError, OptionError
from liftwave.wavelets.lifting.scheme import LiftingScheme


class Transform(PlannedTransform):
    """A transform of a signal to bands or back, or the transpose of either."""

    kind = "transform"

    # --- execution -------------------------------------------------------------------------------

    @cached_property
    def is_plain(self) -> bool:
        """Whether NumPy arrays of one floating dtype need no conversion."""
        has_numbers = not self.holds_arrays and not self.n_slots
        return bool(self.keys) and self.is_differentiable and has_numbers

    def in_dtype(self, dtype: Any) -> Operation:
        """The analysis by an integer scheme with coefficients of this dtype."""
        if self.is_differentiable or self.is_synthesis:
            return super().in_dtype(dtype)
        if not self.keys:
            raise OptionError(f"dtype={dtype!r} needs at least one level: no level changes nothing")
        name = requested_dtype(dtype)
        form = self._in_dtypes.get(name)
        if form is None:
            form = self._in_dtypes[name] = replace(self, dtype=name)
        return form

    @cached_property
    def _in_dtypes(self) -> dict[str, Transform]:
        return {}

    def for_targets(self, out: Any) -> Operation:
        """The analysis by an integer scheme with coefficients in the dtype of ``out``."""
        if self.is_differentiable or self.is_synthesis or not self.keys:
            return self
        name = common_dtype(out)
        return self.in_dtype(name) if name in COEFFICIENT_DTYPES else self

    def open(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """The inputs in one floating dtype; integers for integer lifting schemes."""
        if self.holds_arrays and self.is_differentiable:  # it is planned when it runs
            wavelets = [w for _, w, _ in self.axes if not isinstance(w, str | dict)]
            check_library_of_taps(wavelets, arrays)
            return open_arrays(arrays, native_half)
        if self.n_slots:
            data, taps = self.split_inputs(arrays)
            opened = open_arrays(data, native_half)
            return [*opened, *[Opened(values, opened[0].xp, values.dtype) for values in taps]]
        self._check_shapes(tuple([x.shape for x in arrays]))
        return self.open_checked(arrays, native_half)

    def open_checked(self, arrays: Sequence[Array], native_half: NativeHalf) -> list[Opened]:
        """As :meth:`open`, for arrays whose shapes fit."""
        if self.is_plain:
            return open_arrays(arrays, native_half)
        if not self.keys:
            return open_unchanged(arrays)
        plans = self.plans_for(arrays[0].ndim)
        if plans.is_integer and not self.is_synthesis:
            return [open_integer_samples(arrays[0], plans, self.level, self.dtype)]
        if plans.is_integer:
            return open_integer_coefficients(arrays)
        return open_arrays(arrays, native_half)

    def open_floating(self, arrays: Sequence[Array]) -> list[Opened]:
        """The inputs in one floating dtype, even if nothing is computed."""
        self._check_shapes(tuple([x.shape for x in arrays]))
        return open_arrays(arrays)

    def _check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """Make the plan, which raises for wrong shapes before any computation.

        Transforms with learned taps or symbolic lengths are planned when they run.
        """
        if not self.holds_arrays and all(isinstance(n, int) for shape in shapes for n in shape):
            self.plan_for(shapes)

    def run(
        self,
        arrays: Sequence[Array],
        sizes: Sequence[int],
        kernels: Kernels,
        out: Targets | None = None,
    ) -> list[Array]:
        """Bands or the signal. Kernels can write them to the arrays of ``out``."""
        data, taps = self.split_inputs(arrays) if self.n_slots else (arrays, ())
        if not self.keys:
            return list(data)
        if self.is_transposed:
            return self._run_transposed(data, sizes, kernels)
        shapes = tuple([x.shape for x in data])
        plan = self.plan_with(shapes, taps, kernels) if taps else self.plan_for(shapes)
        if isinstance(plan, SynthesisPlan):
            results = [kernels.synthesise(data, plan, out[0] if out else None)]
        else:
            dtype = None if self.is_differentiable else self.coefficient_dtype(data[0])
            if not self.is_complete:
                from liftwave._plan.restricted import restricted  # few programs omit bands

                part = restricted(plan, self.keys, self.has_approx)
                return self.select(kernels.analyse(data[0], part, dtype), part.names)
            results = kernels.analyse(data[0], plan, dtype, out)
        self._keep_native(data[0], plan, kernels)
        return results

    def run_into(
        self, arrays: Sequence[Array], sizes: Sequence[int], kernels: Kernels, out: Targets
    ) -> list[Array]:
        """As :meth:`run`; results can be the arrays of ``out``."""
        return self.run(arrays, sizes, kernels, out)

    def channels_last(self, ndim: int) -> Transform:
        """The same transform along the moved axes."""
        form = self._channels_last.get(ndim)
        if form is None:
            axes = tuple([axis._replace(axis=_moved(axis.axis, ndim)) for axis in self.axes])
            form = self._channels_last[ndim] = replace(self, axes=axes, plans={})
        return form

    @cached_property
    def _channels_last(self) -> dict[int, Transform]:
        return {}

    def plan_for(self, shapes: tuple[Shape, ...]) -> AnalysisPlan | SynthesisPlan:
        """The plan for data of these shapes, if no taps are inputs."""
        try:
            plan: AnalysisPlan | SynthesisPlan = self.shape_plans[shapes]
        except (KeyError, TypeError):  # a length that is a symbol has no hash
            plan = self.make_plan(shapes, self.plans_for(len(shapes[0])))
            keep(self.shape_plans, shapes, plan)
        return plan

    def _keep_native(self, x: Array, plan: AnalysisPlan | SynthesisPlan, kernels: Kernels) -> None:
        """Store the native plan: the next run of NumPy arrays of these shapes uses it directly."""
        if type(x) is np.ndarray and self.is_plain:
            self.native_runs[kernels] = kernels.native_run(plan)

    def _run_transposed(
        self, data: Sequence[Array], sizes: Sequence[int], kernels: Kernels
    ) -> list[Array]:
        key = (data[0].shape, tuple(sizes))
        try:
            plan, shapes = self.shape_plans[key]
        except (KeyError, TypeError):  # a length that is a symbol has no hash
            shapes = self.shapes_from(data[0].shape, sizes)
            plan = self._transposed_plan(shapes)
            keep(self.shape_plans, key, (plan, shapes))
        if not self.is_synthesis:
            return [kernels.synthesise(data, plan)]
        approx, details = synthesis_adjoint(data[0], plan, kernels)
        bands, _ = flatten_bands(approx, details)
        return [padded(band, shape) for band, shape in zip(bands, shapes, strict=True)]

    def _transposed_plan(self, shapes: Sequence[Shape]) -> SynthesisPlan:
        """The plan of the transpose of an analysis; the plan itself for a synthesis."""
        plan = self.make_plan(shapes, self.plans_for(len(shapes[0])))
        if isinstance(plan, SynthesisPlan):
            return plan
        return adjoint_of_analysis(plan, self.keys, self.has_approx)

    def _unflatten(self, bands: Sequence[Any]) -> tuple[Any, list[dict[str, Any]]]:
        """Approximation and details by key, without bands that are ``None``."""
        remaining = iter(bands)
        approx = next(remaining) if self.has_approx else None
        details = []
        for keys in self.keys:
            pairs = [(key, next(remaining)) for key in keys]
            details.append({key: band for key, band in pairs if band is not None})
        return approx, details

    # --- shapes, whose lengths may be symbols --------------------------------------------------

    def result_shapes(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> list[Shape]:
        """The shapes of the results, after a check of those of the inputs.

        Raises
        ------
        ShapeError, ModeError
            If inputs of these shapes do not fit together.
        """
        if self.keys and not self.is_transposed:
            self.plan_for(tuple(shapes))
        return super().result_shapes(shapes, sizes)

    # --- derivative ------------------------------------------------------------------------------

    @cached_property
    def transpose(self) -> Transform:
        """The transposed transform."""
        return replace(self, is_transposed=not self.is_transposed)

    def restrict_to(self, present: Sequence[bool]) -> Transform:
        """The transform of some of the bands, in their order."""
        if all(present):
            return self
        flags = iter(present)
        has_approx = next(flags) if self.has_approx else False
        keys = tuple(tuple(key for key in level if next(flags)) for level in self.keys)
        return replace(self, has_approx=has_approx, keys=keys)

    def residuals(
        self, shapes: Sequence[Shape], sizes: Sequence[int], *, exact: bool, parameters: bool
    ) -> Residuals:
        """No arrays for gradients of the data; else inputs, or the outputs of lifting."""
        if not parameters or not self.keys:
            return "nothing"
        return "outputs" if exact and self.is_reversible(shapes) else "inputs"

    def rebuilds_precisely(self, inputs: Sequence[Array], in_memory: bool) -> bool:
        """Whether the gains of lifting are small enough for the precision of the data."""
        schemes = self.wavelets
        if self.n_slots:
            if not in_memory:
                return False
            _, taps = self.split_inputs(inputs)
            schemes = tuple(plan.wavelet for plan in self.plans_of_values(inputs[0].ndim, taps))
        x = inputs[0]
        epsilon = array_namespace(x).finfo(x.dtype).eps
        growth = growth_of_schemes(cast("tuple[LiftingScheme, ...]", schemes), self.level)
        return keeps_half_of_the_digits(growth, float(epsilon))

    def is_reversible(self, shapes: Sequence[Shape]) -> bool:
        """Whether inputs of these shapes can be rebuilt from the outputs.

        This holds for lifting with downsampling, unless bands are missing or a synthesis drops
        computed samples.
        """
        if not self.is_synthesis and not self.is_complete:
            return False
        if not all(isinstance(plan.wavelet, LiftingScheme) for plan in self.outline):
            return False
        if any(isinstance(plan.mode, Undecimated) for plan in self.outline):
            return False
        if not self.is_synthesis or not self.trim_odd:
            return True
        data = [tuple(shape) for shape in shapes[: self.batched_inputs]]
        return not trims_approximations(data, self.keys, self.has_approx, self.outline)

    def derivative_sizes(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Sequence[int]:
        """Lengths of the inputs that the inputs of the derivative do not determine."""
        if self.is_transposed:
            return ()
        data = shapes[: self.batched_inputs]
        return [shape[axis] for shape in data for axis in self._axis_numbers]

    @cached_property
    def needs_all_cotangents(self) -> bool:
        """Whether all bands together determine the length of the signal."""
        return self.is_transposed and self.is_synthesis

    def derivative(self, present: tuple[bool, ...], residuals: Residuals) -> Operation:
        """The transpose for the bands that have a cotangent, or a derivative with taps."""
        if not self.is_linear:
            return super().derivative(present, residuals)
        if self._takes_bands or all(present):
            return self.transpose
        restricted = self.restricted.get(present)
        if restricted is None:
            restricted = self.restricted[present] = self.transpose.restrict_to(present)
        return restricted

    @cached_property
    def restricted(self) -> dict[tuple[bool, ...], Transform]:
        """The transposes of some of the bands."""
        return {}

    def pull_back(
        self,
        cotangents: Sequence[Array | None],
        values: Sequence[Array],
        residuals: Residuals,
        shapes: Sequence[Shape],
        taps: Sequence[Array],
        kernels: Kernels,
    ) -> tuple[list[Array], Sequence[StepGradient]]:
        """Cotangents of data of these shapes, and gradients of the taps of each axis."""
        if not self.keys:
            return [g for g in cotangents if g is not None], ()
        plan = self.plan_with(shapes, taps, kernels) if taps else self.plan_for(tuple(shapes))
        if isinstance(plan, SynthesisPlan):
            return self._pull_back_synthesis(cotangents, values, residuals, shapes, plan, kernels)
        approx, details = self._unflatten(cotangents)
        if residuals == "nothing":
            return [analysis_adjoint(approx, details, plan, kernels)], ()
        x = values[0] if residuals == "inputs" else None
        outputs = self._unflatten(values) if residuals == "outputs" else None
        back = analysis_vjp(x, outputs, (approx, details), plan, kernels)
        return [back.data], back.axes

    def _pull_back_synthesis(
        self,
        cotangents: Sequence[Array | None],
        values: Sequence[Array],
        residuals: Residuals,
        shapes: Sequence[Shape],
        plan: SynthesisPlan,
        kernels: Kernels,
    ) -> tuple[list[Array], Sequence[StepGradient]]:
        (cotangent,) = cotangents
        axes: Sequence[StepGradient] = ()
        if residuals == "nothing":
            approx, details = synthesis_adjoint(cotangent, plan, kernels)
        else:
            result = values[0] if residuals == "outputs" else None
            inputs = self._unflatten(values) if residuals == "inputs" else None
            approx, details, axes = synthesis_vjp(inputs, result, cotangent, plan, kernels)
        bands, _ = flatten_bands(approx, details)
        return [padded(band, shape) for band, shape in zip(bands, shapes, strict=True)], axes

    # --- other forms -----------------------------------------------------------------------------

    def with_slots(self) -> tuple[Transform, list[Array]]:
        """The transform with slots in place of arrays of taps, and these arrays."""
        if not self.holds_arrays:
            return self, []
        taps: list[Array] = []
        wavelets: dict[int, Any] = {id(w): w for _, w, _ in self.axes}
        structures = {key: slot_structure(w, taps) for key, w in wavelets.items()}
        axes = tuple([(axis, structures[id(w)], mode) for axis, w, mode in self.axes])
        flags = (self.is_synthesis, self.has_approx, self.trim_odd, self.is_transposed)
        key = (axes, self.keys, flags)
        slotted = _SLOTTED.get(key)
        if slotted is None:
            slotted = self._make_slotted(wavelets)
            keep(_SLOTTED, key, slotted)
        return slotted, taps

    def _make_slotted(self, wavelets: dict[int, Any]) -> Transform:
        taps: list[Array] = []
        data = {key: as_json(w, taps) for key, w in wavelets.items()}
        axes = tuple(TransformAxis(a, data[id(w)], m) for a, w, m in self.axes)
        slotted = replace(self, axes=axes, n_slots=len(taps), plans={})
        # Equal forms are parsed into one object, which has the caches.
        same = parse(slotted.text)
        assert isinstance(same, Transform)
        return same

    def with_numbers(self) -> Transform:
        """The transform with numbers in place of arrays of taps. This reads the arrays."""
        slotted, taps = self.with_slots()
        plans = slotted._make_plans(0, tuple(map(as_numbers, taps)))
        axes = tuple(TransformAxis(plan.axis, plan.wavelet, plan.mode) for plan in plans)
        return replace(self, axes=axes, plans={})

    def recordable(self, tensors: Sequence[Array], rounds_numbers: bool) -> Operation:
        """The transform, with taps in arrays if the exporter rounds numbers."""
        x = tensors[0]
        if any(is_tensor(x.shape[axis]) for axis in self._axis_numbers):
            raise ExportError(
                "torch.jit.trace cannot record transforms of wavelets: use torch.export.export"
            )
        if not rounds_numbers or self.n_slots:
            return self
        plans = self.plans_for(x.ndim)
        wavelets = {id(p.wavelet): with_tap_arrays(p.wavelet, x.new_tensor) for p in plans}
        exact = AxisPlans(
            # Functions at the ends are computed from numbers.
            p if p.mode == "orthogonal" else p._replace(wavelet=wavelets[id(p.wavelet)])
            for p in plans
        )
        return replace(self, plans={x.ndim: exact})


def _moved(axis: int, ndim: int) -> int:
    """The number of an axis, counted from the end, after axis 1 of ``ndim`` is moved to the end."""
    channels = 1 - ndim
    return axis if axis < channels else -1 if axis == channels else axis - 1


_SLOTTED: dict[Any, Transform] = {}
"""Transforms with slots, by all fields except taps, which change in each step of training."""
