"""Kernels: the few functions that touch samples.

Every family of kernels (the reference, and compiled ones) is an object with the methods of
:class:`Kernels`. It gets validated plans and never decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

from liftwave._plan.axis import FilterPlan, LiftPlan
from liftwave._plan.levels import AnalysisPlan, SynthesisPlan
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps

if TYPE_CHECKING:
    from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan
    from liftwave._plan.windows import WindowPlan


class LiftPullback(NamedTuple):
    """What :meth:`AxisKernels.lift_vjp` gives back.

    Attributes
    ----------
    inputs : list of array
        What went in, rebuilt: the signal, or approximation and detail.
    cotangents : list of array
        Those of the inputs.
    taps : list of array
        The gradient in the taps of each step, of shape (length,), in the order of the plan.
    scale : (array, array)
        The gradients in the two factors, of shape ().
    """

    inputs: list[Array]
    cotangents: list[Array]
    taps: list[Array]
    scale: tuple[Array, Array]


class AxisKernels(Protocol):
    """Transforms along one axis."""

    def analysis(
        self, x: Array, filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> list[Array]:
        """One band per filter: filtered, and every second sample kept."""
        ...

    def synthesis(
        self, bands: Sequence[Array], filters: Sequence[Taps], plan: FilterPlan, axis: int
    ) -> Array:
        """The sum over bands, each upsampled by two and filtered."""
        ...

    def lift_analysis(
        self, x: Array, plan: LiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
    ) -> tuple[Array, Array]:
        """Split, step, scale, roll: approximation and detail."""
        ...

    def lift_synthesis(
        self,
        approx: Array,
        detail: Array,
        plan: LiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> Array:
        """Roll back, scale, step, merge."""
        ...

    def tap_gradients(
        self, x: Array, cotangents: Sequence[Array], plan: FilterPlan, axis: int
    ) -> list[Array]:
        r"""The gradient of an analysis in its taps, one array of shape (length,) per cotangent.

        For :math:`y = \mathtt{analysis}(x, f)` and a cotangent :math:`g` of :math:`y` it is that
        of :math:`\mathrm{Re}\langle g, y\rangle` in :math:`f`, with the precision of ``x``:

        .. math:: G_j = \sum_k \mathrm{Re}(\overline{\tilde x_{2k+\mathtt{phase}-j}}\, \tilde g_k)

        summed over all other axes too, where the first tilde is ``plan.extend`` and the second
        ``plan.fold``, which extends cotangents as far as it folds outputs.
        """
        ...

    def lift_vjp(
        self,
        outputs: Sequence[Array],
        cotangents: Sequence[Array],
        plan: LiftPlan,
        taps: Sequence[Any],
        scale: Sequence[Any],
        axis: int,
    ) -> LiftPullback:
        """The derivative of lifting, transposed, from what lifting returned.

        Two outputs are those of :meth:`lift_analysis`, one is that of :meth:`lift_synthesis`,
        called with the same plan, taps and scale; cotangents are of the outputs' shapes and
        dtype. Values are rebuilt step by step, last step first, so that a synthesis must not have
        dropped any (its plan's ``edge`` has no rows).
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
    "ada",
]
"""How much the samples of a region weigh; they sum to one (formulas: ``pooling_weights.py``)."""


class PoolingArguments(NamedTuple):
    """What kernels of weighted pooling, and of its reverse, get besides arrays.

    Attributes
    ----------
    plan : WindowPlan
        The windows.
    weights : str
        The kind of the weights.
    delta : float
        Huber's.
    channels : int
        So many planes one after the other are one vector per sample, which similarities and
        distances compare, so that they have one weight (softmax is not affected).
    up : {"nearest", "linear"}
        How unpooling brings pooled values to the samples.
    preserve : {"sum", "mean"}
        What unpooling keeps of each region.
    """

    plan: WindowPlan
    weights: Weights
    delta: float = 1.0
    channels: int = 1
    up: Literal["nearest", "linear"] = "nearest"
    preserve: Literal["sum", "mean"] = "sum"


class PoolingKernels(Protocol):
    r"""Pooling over windows.

    Signals ``x`` have shape (planes, *spatial) and are real float32 or float64; results have
    their dtype. Numbers in padding do not exist: a region is what is inside the signal.

    ``beta`` is for the weights ``"ada"`` only, ``beta * exp-dice + (1 - beta) * softmax``. Its
    shape is (rows, *outputs) or (rows, 1, …, 1), where ``rows`` divides ``planes``: plane ``p``
    has row ``p % rows``. Its dtype is that of ``x``, its values are between 0 and 1.
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
        that a sample is in. Nearest: :math:`\mathrm{up}(p)_i = p_R`. Linear: interpolated
        between the middles of windows, constant beyond the first and the last of them. To
        preserve the sum :math:`c_R = 1`, to preserve the mean it is the number of samples in
        the region.
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

    def max_pool(self, x: Array, plan: WindowPlan) -> tuple[Array, Array]:
        """The largest sample of each region, the first if there are several, and where it is.

        Places are int64, flat within a plane. NaN is larger than any number.
        """
        ...

    def max_pool_vjp(self, cotangent: Array, indices: Array, plan: WindowPlan) -> Array:
        """Cotangents added at the places that :meth:`max_pool` gave: (planes, *inputs)."""
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
        """The signal with these bands, all of which are there."""
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


NativeRun: TypeAlias = Callable[[Sequence[Array]], list[Array] | None]
"""Runs one plan on NumPy arrays of floats of the plan's shapes; ``None`` for other arrays."""


class Kernels(AxisKernels, Protocol):
    """What a family of kernels offers: one axis, all axes and levels at once, and pooling.

    Attributes
    ----------
    name : str
        By which users choose it.
    wants_numpy : bool
        Whether it works on memory of the processor, tensors as NumPy arrays, and wants the values
        of taps that are learned.
    native_half : bool
        Whether it takes half precision as it is, computes in float32 and returns half precision.
        Other families get float32 instead.
    pooling : PoolingKernels
        Pooling over windows.
    lift_pool : LiftPoolKernels
        Lifting pooling.
    """

    @property
    def name(self) -> str: ...
    @property
    def wants_numpy(self) -> bool: ...
    @property
    def native_half(self) -> bool: ...
    @property
    def pooling(self) -> PoolingKernels: ...
    @property
    def lift_pool(self) -> LiftPoolKernels: ...

    def analyse(self, x: Array, plan: AnalysisPlan, dtype: Any = None) -> list[Array]:
        """All bands: the approximation, then the details, coarsest level first, as in ``plan``.

        Computed and returned in ``dtype``, where that is wider than that of ``x``.
        """
        ...

    def synthesise(
        self, bands: Sequence[Array], plan: SynthesisPlan, out: Array | None = None
    ) -> Array:
        """The array with these bands, which are those of ``plan``, in its order.

        It may be written to ``out``, an array of its shape, and is that array then.
        """
        ...

    def native_run(self, plan: AnalysisPlan | SynthesisPlan) -> NativeRun | None:
        """What runs a plan that these kernels ran before, if arrays need no conversion."""
        ...


class CompiledKernels(Kernels, Protocol):
    """A family of kernels that serves some arrays only."""

    def serves(self, *arrays: Array) -> bool:
        """Whether these kernels serve the arrays together, as they are."""
        ...

    def serves_memory(self, *tensors: Array) -> bool:
        """Whether these kernels serve the tensors' memory, whether or not autograd is active."""
        ...
