"""Half precision for kernels without it: computed in float32, and cast back.

Gradients of taps, which are sums over samples, stay in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace

from liftwave._arrays.convert import is_array, is_half
from liftwave._kernels.contract import (
    AnyLiftPlan,
    Kernels,
    LiftPullback,
    NativeRun,
    NativeSpectral,
    Targets,
    TimeFrequencyKernels,
)
from liftwave._kernels.pooling_contract import LiftPoolKernels, PoolingArguments, PoolingKernels
from liftwave._plan.axis import FilterPlan
from liftwave._plan.levels import AnalysisPlan, SynthesisPlan
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps

if TYPE_CHECKING:
    from liftwave._plan.dual_tree import LevelPlan as DualTreeLevel
    from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan
    from liftwave._plan.packets import PacketPlan
    from liftwave._plan.spectral import SpectralPlan
    from liftwave._plan.windows import WindowPlan


def in_float32(kernels: Kernels) -> Kernels:
    """The family, extended to arrays of half precision."""
    return KernelsInFloat32(kernels)


class KernelsInFloat32:
    """A family of kernels that computes half precision in float32.

    Parameters
    ----------
    kernels : Kernels
        The family, which gets no half precision.
    """

    def __init__(self, kernels: Kernels) -> None:
        self._kernels = kernels
        self.name = kernels.name
        self.wants_numpy = kernels.wants_numpy
        self.native_half = kernels.native_half
        self.pooling: PoolingKernels = PoolingInFloat32(kernels.pooling)
        self.lift_pool: LiftPoolKernels = LiftPoolInFloat32(kernels.lift_pool)

    @property
    def time_frequency(self) -> TimeFrequencyKernels:
        """The kernels of the family: complex coefficients have no half precision."""
        return self._kernels.time_frequency

    def analysis(
        self, x: Array, filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """One band per filter, in the dtype of ``x``."""
        bands = self._kernels.analysis(_single(x), _singles(filters), plan, axis)
        return _all_like(bands, x)

    def synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> Array:
        """The sum over bands, in their dtype."""
        x = self._kernels.synthesis(_singles(bands), _singles(filters), plan, axis)
        return _like(x, bands[0])

    def lift_analysis(
        self, x: Array, plan: AnyLiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
    ) -> tuple[Array, Array]:
        """Approximation and detail, in the dtype of ``x``."""
        approx, detail = self._kernels.lift_analysis(
            _single(x), plan, _singles(taps), _singles(scale), axis
        )
        return _like(approx, x), _like(detail, x)

    def lift_synthesis(
        self,
        approx: Array,
        detail: Array,
        plan: AnyLiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> Array:
        """The signal, in the dtype of the bands."""
        x = self._kernels.lift_synthesis(
            _single(approx), _single(detail), plan, _singles(taps), _singles(scale), axis
        )
        return _like(x, approx)

    def tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """The gradients, in float32 for half precision."""
        return self._kernels.tap_gradients(_single(x), _singles(cotangents), plan, axis)

    def lift_vjp(
        self,
        outputs: Sequence[Array],
        cotangents: Sequence[Array],
        plan: AnyLiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> LiftPullback:
        """Inputs and cotangents in the dtype of the outputs, gradients in float32."""
        back = self._kernels.lift_vjp(
            _singles(outputs), _singles(cotangents), plan, _singles(taps), _singles(scale), axis
        )
        inputs, pulled = _all_like(back.inputs, outputs[0]), _all_like(back.cotangents, outputs[0])
        return back._replace(inputs=inputs, cotangents=pulled)

    def analyse(
        self, x: Array, plan: AnalysisPlan, dtype: Any = None, out: Targets | None = None
    ) -> list[Array]:
        """All bands, in the dtype of ``x`` or in ``dtype``: always new ones."""
        return _all_like(self._kernels.analyse(_single(x), plan, dtype), x)

    def synthesise(
        self, bands: Sequence[Array], plan: SynthesisPlan, out: Array | None = None
    ) -> Array:
        """The array with these bands, in their dtype."""
        if out is not None and is_half(out):
            out = None  # the kernels cannot write half precision
        return _like(self._kernels.synthesise(_singles(bands), plan, out), bands[0])

    def native_run(self, plan: AnalysisPlan | SynthesisPlan) -> NativeRun | None:
        """The function of the family; it accepts no half precision."""
        return self._kernels.native_run(plan)

    def native_packets(self, plan: PacketPlan) -> NativeRun | None:
        """The function of the family; it accepts no half precision."""
        return self._kernels.native_packets(plan)

    def native_spectral(self, plan: SpectralPlan) -> NativeSpectral | None:
        """The function of the family; spectra are never in half precision."""
        return self._kernels.native_spectral(plan)

    def native_dual_tree(self, plan: DualTreeLevel) -> NativeRun | None:
        """The function of the family; it accepts no half precision."""
        return self._kernels.native_dual_tree(plan)


class PoolingInFloat32:
    """Pooling of a family that computes half precision in float32; see :class:`PoolingKernels`."""

    def __init__(self, kernels: PoolingKernels) -> None:
        self._kernels = kernels

    def pool(self, x: Array, arguments: PoolingArguments, beta: Array | None = None) -> Array:
        """The weighted sum of each region."""
        return _like(self._kernels.pool(_single(x), arguments, _optional(beta)), x)

    def pool_vjp(
        self, x: Array, cotangent: Array, arguments: PoolingArguments, beta: Array | None = None
    ) -> tuple[Array, Array | None]:
        """The cotangents of ``x`` and of ``beta``."""
        of_x, of_beta = self._kernels.pool_vjp(
            _single(x), _single(cotangent), arguments, _optional(beta)
        )
        return _like(of_x, x), None if of_beta is None else _like(of_beta, x)

    def unpool(
        self, x: Array, pooled: Array, arguments: PoolingArguments, beta: Array | None = None
    ) -> Array:
        """Pooled values spread over the samples of their regions."""
        spread = self._kernels.unpool(_single(x), _single(pooled), arguments, _optional(beta))
        return _like(spread, x)

    def unpool_vjp(
        self,
        x: Array,
        pooled: Array,
        cotangent: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> tuple[Array, Array, Array | None]:
        """The cotangents of ``x``, ``pooled`` and ``beta``."""
        of_x, of_pooled, of_beta = self._kernels.unpool_vjp(
            _single(x), _single(pooled), _single(cotangent), arguments, _optional(beta)
        )
        return _like(of_x, x), _like(of_pooled, x), None if of_beta is None else _like(of_beta, x)

    def max_pool(
        self, x: Array, plan: WindowPlan, channels_last: bool = False
    ) -> tuple[Array, Array]:
        """The largest sample of each region, and its place."""
        values, indices = self._kernels.max_pool(_single(x), plan, channels_last)
        return _like(values, x), indices

    def max_pool_vjp(
        self, cotangent: Array, indices: Array, plan: WindowPlan, channels_last: bool = False
    ) -> Array:
        """Cotangents added at these places."""
        gradient = self._kernels.max_pool_vjp(_single(cotangent), indices, plan, channels_last)
        return _like(gradient, cotangent)


class LiftPoolInFloat32:
    """Lifting pooling of a family that computes half precision in float32.

    Sums and the gradients of filters stay in float32; see :class:`LiftPoolKernels`.
    """

    def __init__(self, kernels: LiftPoolKernels) -> None:
        self._kernels = kernels

    def lift_down(
        self, x: Array, filters: Array, plan: LiftPoolPlan, output: LiftOutput, with_sums: bool
    ) -> tuple[list[Array], Array | None]:
        """The bands in the dtype of ``x``, and the sums."""
        bands, sums = self._kernels.lift_down(_single(x), _single(filters), plan, output, with_sums)
        return _all_like(bands, x), sums

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
        """The cotangent of the signal in the dtype of the values, and that of the filters."""
        of_x, of_filters = self._kernels.lift_down_vjp(
            _singles(values),
            list(map(_optional, cotangents)),
            _optional(sums_cotangent),
            _single(filters),
            plan,
            output,
            from_outputs,
        )
        return _like(of_x, values[0]), of_filters

    def lift_up(self, bands: Sequence[Array], filters: Array, plan: LiftPoolPlan) -> Array:
        """The signal in the dtype of the bands."""
        return _like(self._kernels.lift_up(_singles(bands), _single(filters), plan), bands[0])

    def lift_up_vjp(
        self,
        values: Sequence[Array],
        cotangent: Array,
        filters: Array,
        plan: LiftPoolPlan,
        from_outputs: bool,
    ) -> tuple[list[Array], Array]:
        """The cotangents of the bands in the dtype of ``cotangent``, and that of the filters."""
        of_bands, of_filters = self._kernels.lift_up_vjp(
            _singles(values), _single(cotangent), _single(filters), plan, from_outputs
        )
        return _all_like(of_bands, cotangent), of_filters


# --- casts ---------------------------------------------------------------------------------------


def _single(x: Any) -> Any:
    """``x`` in float32 if it is an array of half precision; otherwise unchanged."""
    if not is_array(x) or not is_half(x):
        return x
    xp = array_namespace(x)
    return xp.astype(x, xp.float32)


def _optional(x: Array | None) -> Array | None:
    return None if x is None else _single(x)


def _singles(arrays: Sequence[Any]) -> list[Any]:
    return list(map(_single, arrays))


def _like(result: Array, x: Array) -> Array:
    """A result cast back to half precision, if ``x`` is of half precision."""
    xp = array_namespace(result)
    narrow = is_half(x) and result.dtype == xp.float32
    return xp.astype(result, x.dtype) if narrow else result


def _all_like(results: Sequence[Array], x: Array) -> list[Array]:
    return [_like(result, x) for result in results]
