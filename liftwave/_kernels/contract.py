"""Kernels: the few functions that touch samples.

Every family of kernels (the reference, and compiled ones) is an object with the methods of
:class:`Kernels`. It gets validated plans and never decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

from liftwave._plan.axis import FilterPlan, LiftPlan
from liftwave._plan.levels import AnalysisPlan, SynthesisPlan
from liftwave._plan.undecimated_lifting import WholeLiftPlan
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray

    from liftwave._plan.dual_tree import LevelPlan as DualTreeLevel
    from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan
    from liftwave._plan.packets import PacketPlan
    from liftwave._plan.spectral import SpectralPlan
    from liftwave._plan.squeezing import SqueezePlan
    from liftwave._plan.windows import WindowPlan


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

        On the whole grid, both channels begin as the signal.
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
        Values are reconstructed step by step, last step first. So a synthesis must not have
        dropped any sample (its plan's ``edge`` has no rows).
        """
        ...


Weights: TypeAlias = Literal[
    "softmax",
    "dice",
    "exp-dice",
    "idw-l1",
    "idw-l2",
    "idw-huber",
    "idw-chebyshev",
    "idw-gower",
    "cosine",
    "exp-cosine",
    "pce",
    "exp-pce",
    "exp-sum",
    "ada",
]
"""The weights of the samples of a region; they sum to one.

The formulas are in ``reference/pooling/weights.py``.
"""


class PoolingArguments(NamedTuple):
    """The arguments of weighted pooling and unpooling besides arrays.

    Attributes
    ----------
    plan : WindowPlan
        The windows.
    weights : str
        The kind of the weights.
    delta : float
        The threshold of Huber's distance.
    channels : int
        The number of consecutive planes that form one vector per sample. Similarities and
        distances compare these vectors, so the planes share one weight (except for softmax).
    up : {"nearest", "linear"}
        How unpooling interpolates pooled values at the samples.
    preserve : {"sum", "mean"}
        What unpooling preserves in each region.
    channels_last : bool
        Whether the last axis of the plan is that of the channels, each of which is a window.
    """

    plan: WindowPlan
    weights: Weights
    delta: float = 1.0
    channels: int = 1
    up: Literal["nearest", "linear"] = "nearest"
    preserve: Literal["sum", "mean"] = "sum"
    channels_last: bool = False


class PoolingKernels(Protocol):
    r"""Pooling over windows.

    Signals ``x`` have shape (planes, *spatial) and are real float32 or float64; results have
    their dtype. Padding has no numbers: a region consists of the samples inside the signal.

    ``beta`` is for the weights ``"ada"`` only, ``beta * exp-dice + (1 - beta) * softmax``. Its
    shape is (rows, *outputs) or (rows, 1, …, 1), where ``rows`` divides ``planes``: plane ``p``
    has row ``p % rows``. Its dtype is that of ``x``, its values are between 0 and 1. With the
    channels last, their axis has either one value or all.
    """

    def pool(self, x: Array, arguments: PoolingArguments, beta: Array | None = None) -> Array:
        r"""The weighted sum of each region, :math:`\sum_i w_i a_i`: (planes, *outputs)."""
        ...

    def pool_vjp(
        self, x: Array, cotangent: Array, arguments: PoolingArguments, beta: Array | None = None
    ) -> tuple[Array, Array | None]:
        """The cotangents of ``x`` and of ``beta`` (of their shapes), from the input alone."""
        ...

    def unpool(
        self, x: Array, pooled: Array, arguments: PoolingArguments, beta: Array | None = None
    ) -> Array:
        r"""Pooled values spread over the samples of their regions by the weights of ``x``.

        ``pooled`` has shape (planes, *outputs), the result that of ``x``:
        :math:`a_i = \sum_{R \ni i} c_R\, w_i^R\, \mathrm{up}(p)_i`, a sum over the regions
        that contain a sample. Nearest: :math:`\mathrm{up}(p)_i = p_R`. Linear: interpolated
        between the centres of windows, constant beyond the first and the last of them. To
        preserve the sum, :math:`c_R = 1`. To preserve the mean, :math:`c_R` is the number of
        samples in the region.
        """
        ...

    def unpool_vjp(
        self,
        x: Array,
        pooled: Array,
        cotangent: Array,
        arguments: PoolingArguments,
        beta: Array | None = None,
    ) -> tuple[Array, Array, Array | None]:
        """The cotangents of ``x``, ``pooled`` and ``beta``, from the inputs alone."""
        ...

    def max_pool(
        self, x: Array, plan: WindowPlan, channels_last: bool = False
    ) -> tuple[Array, Array]:
        """The largest sample of each region, the first if there are several, and its place.

        Places are int64, flat within a plane. NaN is larger than any number. With the channels
        last, as for :class:`PoolingArguments`, places do not count the channels.
        """
        ...

    def max_pool_vjp(
        self, cotangent: Array, indices: Array, plan: WindowPlan, channels_last: bool = False
    ) -> Array:
        """Cotangents added at the places from :meth:`max_pool`: (planes, *inputs)."""
        ...


class LiftPoolKernels(Protocol):
    """Lifting pooling of arrays of shape (N, C, …), by filters of shape (passes, 2, C, K + 3).

    If the plan is shared, all passes use one pair of filters. Filters, their gradients and sums
    have the dtype of the arrays, or float32 for arrays in half precision.
    """

    def lift_down(
        self, x: Array, filters: Array, plan: LiftPoolPlan, output: LiftOutput, with_sums: bool
    ) -> tuple[list[Array], Array | None]:
        """The bands of ``output``, and the sums of ``(s - o)**2`` and ``d**2`` of each pass."""
        ...

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
        """Cotangents of the signal and of the filters, from outputs (all bands) or the signal."""
        ...

    def lift_up(self, bands: Sequence[Array], filters: Array, plan: LiftPoolPlan) -> Array:
        """The signal with these bands; none of them is missing."""
        ...

    def lift_up_vjp(
        self,
        values: Sequence[Array],
        cotangent: Array,
        filters: Array,
        plan: LiftPoolPlan,
        from_outputs: bool,
    ) -> tuple[list[Array], Array]:
        """Cotangents of the bands and of the filters, from the signal (even sizes) or the bands."""
        ...


class TimeFrequencyKernels(Protocol):
    """Coefficients of continuous transforms: synchrosqueezing and ridges.

    Families without kernels for these have those of the array library.
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

    def analyse(self, x: Array, plan: AnalysisPlan, dtype: Any = None) -> list[Array]:
        """All bands: the approximation, then the details, coarsest level first, as in ``plan``.

        They are computed and returned in ``dtype`` if that is wider than the dtype of ``x``.
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
