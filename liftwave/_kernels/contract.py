"""Kernels: the few functions that touch samples.

Every family of kernels (the reference, and compiled ones) is an object with the methods of
:class:`Kernels`. It gets validated plans and makes no decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from liftwave._plan.axis import FilterPlan, LiftPlan
from liftwave._plan.levels import AnalysisPlan, SynthesisPlan
from liftwave._plan.undecimated_lifting import WholeLiftPlan
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray

    from liftwave._kernels.pooling_contract import LiftPoolKernels, PoolingKernels
    from liftwave._plan.dual_tree import LevelPlan as DualTreeLevel
    from liftwave._plan.packets import PacketPlan
    from liftwave._plan.spectral import SpectralPlan
    from liftwave._plan.squeezing import SqueezePlan


class LiftPullback(NamedTuple):
    """The results of :meth:`AxisKernels.lift_vjp`.

    Attributes
    ----------
    inputs : list of array
        The reconstructed inputs: the signal, or approximation and detail.
    cotangents : list of array
        The cotangents of the inputs.
    taps : list of array
        The gradient of the taps of each step, of shape (length,), in the order of the plan.
    scale : (array, array)
        The gradients of the two factors, of shape ().
    """

    inputs: list[Array]
    cotangents: list[Array]
    taps: list[Array]
    scale: tuple[Array, Array]


AnyLiftPlan: TypeAlias = LiftPlan | WholeLiftPlan
"""Lifting with downsampling, or on the whole grid."""


Targets: TypeAlias = Sequence[Array | None]
"""Arrays of the shapes of bands; None for bands that have none."""


class AxisKernels(Protocol):
    """Transforms along one axis.

    Attributes
    ----------
    name : str
        The name by which users choose the family.
    """

    @property
    def name(self) -> str: ...

    def analysis(
        self, x: Array, filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """One band per filter: filtered, and downsampled by the stride of the plan."""
        ...

    def synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> Array:
        """The sum over bands, each upsampled by the stride of the plan and filtered."""
        ...

    def lift_analysis(
        self, x: Array, plan: AnyLiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
    ) -> tuple[Array, Array]:
        """Split, step, scale, roll: approximation and detail.

        On the whole grid, both channels start as copies of the signal.
        """
        ...

    def lift_synthesis(
        self,
        approx: Array,
        detail: Array,
        plan: AnyLiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> Array:
        """Roll back, scale, step, merge.

        On the whole grid, the channels are added.
        """
        ...

    def tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int
    ) -> list[Array]:
        r"""The gradients of the taps of an analysis: an array of shape (length,) per cotangent.

        For :math:`y = \mathtt{analysis}(x, f)` and a cotangent :math:`g` of :math:`y`, each is
        the gradient of :math:`\mathrm{Re}\langle g, y\rangle` with respect to :math:`f`, in the
        precision of ``x``:

        .. math:: G_j = \sum_k \mathrm{Re}(\overline{\tilde x_{sk+\mathtt{phase}-dj}}\, \tilde g_k)

        summed over all other axes too, times the plan's factor (with stride :math:`s` and dilation
        :math:`d`). The first tilde is the extension ``plan.extend``. The second
        is ``plan.fold``, which extends cotangents as far as it folds outputs.
        """
        ...

    def lift_vjp(
        self,
        outputs: Sequence[Array],
        cotangents: Sequence[Array],
        plan: AnyLiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> LiftPullback:
        """The vector-Jacobian product of lifting, computed from its outputs.

        Two outputs are those of :meth:`lift_analysis`, one is that of :meth:`lift_synthesis`,
        called with the same plan, taps and scale. On the whole grid, the output of a synthesis does
        not determine its inputs: the bands are passed in place of the output, with one cotangent.
        Cotangents have the outputs' shapes and dtype.
        Values are reconstructed step by step, last step first. Therefore a synthesis must not have
        dropped any sample (its plan's ``edge`` has no rows).
        """
        ...


class TimeFrequencyKernels(Protocol):
    """Coefficients of continuous transforms: synchrosqueezing and ridges.

    Families without such kernels use operations of the array library.
    """

    def squeeze(
        self, total: Array, rows: Array, slopes: Array, floor: Array, plan: SqueezePlan, first: int
    ) -> None:
        r"""Add coefficients to the rows of ``total`` of their instantaneous frequencies.

        ``rows`` and ``slopes`` have shape (..., rows, columns), ``total`` (..., count, columns).
        The slopes are derivatives in time over :math:`2 \pi i`, so the instantaneous frequency is
        the real part of slope over value. ``floor``, of shape (..., 1), is the largest squared
        magnitude without a reliable phase. ``first`` is the row of the transform that ``rows``
        begin with.
        """
        ...

    def best_path(
        self,
        score: NDArray[float64],
        places: NDArray[float64],
        order: NDArray[int64],
        penalty: float,
    ) -> NDArray[int64]:
        """The row at each time of the path with the largest sum of scores, less its penalty.

        ``score`` has shape (rows, times). ``places`` are the places of the rows ``order``, in
        increasing order. The positive penalty is that of the squared distance of two places.
        """
        ...


NativeRun: TypeAlias = Callable[[Sequence[Array]], list[Array] | None]
"""Runs one plan on NumPy arrays of floats of the plan's shapes; ``None`` for other arrays."""


NativeSpectral: TypeAlias = Callable[[Array], Array | None]
"""Computes the rows of one plan from spectra; ``None`` for arrays that it does not support."""


class Kernels(AxisKernels, Protocol):
    """A family of kernels: for one axis, for all axes and levels at once, and for pooling.

    Attributes
    ----------
    wants_numpy : bool
        Whether it works on host memory, reads tensors as NumPy arrays, and needs the values of
        learned taps.
    native_half : bool
        Whether it accepts and returns half precision, and computes in float32. Other families get
        float32 instead.
    pooling : PoolingKernels
        Pooling over windows.
    lift_pool : LiftPoolKernels
        Lifting pooling.
    time_frequency : TimeFrequencyKernels
        Synchrosqueezing and ridges.
    """

    @property
    def wants_numpy(self) -> bool: ...
    @property
    def native_half(self) -> bool: ...
    @property
    def pooling(self) -> PoolingKernels: ...
    @property
    def lift_pool(self) -> LiftPoolKernels: ...
    @property
    def time_frequency(self) -> TimeFrequencyKernels: ...

    def analyse(
        self, x: Array, plan: AnalysisPlan, dtype: Any = None, out: Targets | None = None
    ) -> list[Array]:
        """All bands: the approximation, then the details, coarsest level first, as in ``plan``.

        They are computed and returned in ``dtype`` if that is wider than the dtype of ``x``.
        Kernels may write bands to the arrays of ``out``, and then return these.
        """
        ...

    def synthesise(
        self, bands: Sequence[Array], plan: SynthesisPlan, out: Array | None = None
    ) -> Array:
        """The array with these bands, in the order of ``plan``.

        Kernels may write it to ``out`` and then return ``out``: an array of its shape, or of the
        shape of its first samples along the only axis.
        """
        ...

    def native_run(self, plan: AnalysisPlan | SynthesisPlan) -> NativeRun | None:
        """The function that runs a plan these kernels ran before, if arrays need no conversion."""
        ...

    def native_packets(self, plan: PacketPlan) -> NativeRun | None:
        """The function that computes all levels of packets at once; ``None`` if there is none.

        It also accepts tensors.
        """
        ...

    def native_spectral(self, plan: SpectralPlan) -> NativeSpectral | None:
        """The function that computes the rows of a continuous transform.

        ``None`` if there is none, or if the transforms of the array's library take less time.
        """
        ...

    def native_dual_tree(self, plan: DualTreeLevel) -> NativeRun | None:
        """The function that runs one level of the dual tree; ``None`` if there is none.

        It returns low-pass and bands of one array, and the array of low-pass and bands, which is
        the transpose. It also accepts tensors.
        """
        ...


class CompiledKernels(Kernels, Protocol):
    """A family of kernels that supports only some arrays."""

    def serves(self, *arrays: Array) -> bool:
        """Whether these kernels support the arrays together, unconverted."""
        ...

    def serves_memory(self, *tensors: Array) -> bool:
        """Whether these kernels support the tensors' memory, even if autograd is active."""
        ...
