"""The protocols of pooling kernels; see :mod:`~liftwave._kernels.contract` for transforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

from liftwave._typing import Array

if TYPE_CHECKING:
    from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan
    from liftwave._plan.windows import WindowPlan


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
        The quantity that unpooling preserves in each region.
    channels_last : bool
        Whether the last axis of the plan is that of the channels, each with its own window.
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
