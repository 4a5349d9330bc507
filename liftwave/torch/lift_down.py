"""The downsampling layer of LiftPool: its parameters, its call, and the penalties of calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NamedTuple, TypeAlias, overload
from weakref import ref

import torch
from torch import Tensor, nn

from liftwave._bridge.tensors import HALF_PRECISION
from liftwave._numbers import flag, is_one_of, items, positive_number, real_number
from liftwave._operations.lift_pool import Reversible
from liftwave._plan.lift_pool import band_names
from liftwave.errors import (
    ArgumentTypeError,
    OptionError,
    PenaltyError,
    PenaltyWarning,
    ShapeError,
    warn,
)
from liftwave.pooling import LiftFilters, lift_filters
from liftwave.pooling.lifting_arguments import (
    LINEAR_RANGE,
    REDUCTIONS,
    checked_padding,
    checked_range,
    checked_reversible,
    chosen_output,
)
from liftwave.pooling.lifting_calls import run_lift_down
from liftwave.torch._typing import SUM, Joined, LiftT_co
from liftwave.torch.inputs import check_axes, check_factory, fill
from liftwave.torch.leaf import Layer

Init: TypeAlias = Literal["wavelet", "random"]


class LiftDownLayer(Layer, Generic[LiftT_co]):
    """Parameters, and a call of :func:`lift_down`."""

    dimensions: ClassVar[int]
    weight: Tensor
    bias: Tensor
    gain: Tensor
    offset: Tensor
    linear_range: Tensor

    def __init__(
        self,
        channels: int,
        kernel_size: int = 5,
        output: LiftT_co = SUM,
        bands: Sequence[str] | None = None,
        *,
        padding: str = "reflect",
        shared: bool = False,
        init: Init = "wavelet",
        linear_range: float | None = None,
        penalty_weights: tuple[float, float] = (0.01, 0.1),
        reduction: str = "mean",
        return_penalty: bool = False,
        reversible: Reversible = "auto",
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.output: str = output
        _, self.bands = chosen_output(self.output, bands, self.dimensions)
        self._bands = None if bands is None else self.bands
        self.padding = checked_padding(padding)
        self.channels = positive_number(channels, "channels", ShapeError)
        self.kernel_size = positive_number(kernel_size, "kernel_size", ShapeError)
        self.shared = flag(shared, "shared")
        self.init = _one_of("init", init, ("wavelet", "random"))
        self.reduction = _one_of("reduction", reduction, REDUCTIONS)
        self.penalty_weights = _pair(penalty_weights)
        self.return_penalty = flag(return_penalty, "return_penalty")
        self.reversible = checked_reversible(reversible)
        if linear_range is None:
            linear_range = LINEAR_RANGE if init == "wavelet" else 0.0
        self._range = checked_range(linear_range)
        check_factory(device, dtype)
        like: dict[str, Any] = {"dtype": dtype or torch.get_default_dtype(), "device": device}
        for name, values in self._first()._asdict().items():
            self.register_parameter(name, nn.Parameter(torch.as_tensor(values, **like)))
        self.register_buffer("linear_range", torch.full((), self._range, **like))
        self.penalties = Penalties()
        if init == "random":
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reset the parameters: to a wavelet, or at random like torch's convolutions."""
        first = self._first()
        limit = self.kernel_size**-0.5
        with torch.no_grad():
            self.linear_range.fill_(self._range)
            for name, values in first._asdict().items():
                parameter = getattr(self, name)
                if self.init == "random":
                    most = limit if name in ("weight", "bias") else 1.0
                    parameter.uniform_(-most, most)
                else:
                    fill(parameter, values)

    def _first(self) -> LiftFilters:
        """The initial parameters: bias and offset are relative to the linear range."""
        size = (self.channels, self.kernel_size, self.dimensions)
        return lift_filters(*size, shared=self.shared, linear_range=0.0)

    @property
    def filters(self) -> LiftFilters:
        """The parameters in the paper's form, for the functions of ``liftwave.pooling``."""
        bias, gain, offset = self.bias, self.gain, self.offset
        if bias.dtype in HALF_PRECISION:  # too coarse for a sum with the linear range
            bias, gain, offset = bias.float(), gain.float(), offset.float()
        offset = torch.addcmul(offset, gain, self.linear_range.to(gain), value=-1)
        return LiftFilters(self.weight, bias + self.linear_range, gain, offset)

    if TYPE_CHECKING:

        @overload
        def __call__(self: LiftDownLayer[Joined], x: Tensor) -> Tensor: ...
        @overload
        def __call__(self: LiftDownLayer[Literal["bands"]], x: Tensor) -> dict[str, Tensor]: ...
        def __call__(self, x: Tensor) -> Any:
            """As ``forward``; it also calls hooks."""

    def forward(self, x: Tensor) -> Any:
        """The bands of signals of shape (C, ...) or (N, C, ...), in the form of ``output``."""
        check_axes(self, x, self.channels)
        has_penalty = self.training and any(self.penalty_weights)
        filters = self.filters
        reduction = self.reduction if has_penalty else None
        form, place = (self.output, self._bands), (self.padding, self.dimensions)
        result = run_lift_down(x, filters, *form, *place, reduction, self.reversible)
        penalty = None
        if has_penalty:
            result, (update, predict) = result
            weights = self.penalty_weights
            penalty = weights[0] * update + weights[1] * predict
        if self.return_penalty:
            return result, self._no_penalty() if penalty is None else penalty
        if penalty is not None:
            self.penalties.add(self, (x, *filters), penalty)
        elif not self.penalties.collecting:
            self.penalties.clear()
        return result

    def penalty(self) -> Tensor:
        """The weighted penalties of the last call in training, or of all collected calls.

        Zero before the first call.
        """
        total = self.penalties.total(self, by_mean=self.reduction == "mean")
        return self._no_penalty() if total is None else total

    def _no_penalty(self) -> Tensor:
        return torch.zeros((), dtype=self.weight.dtype, device=self.weight.device)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *arguments: Any
    ) -> None:
        """Load a state. In states without a linear range, the ReLU is at zero."""
        bias = state_dict.get(f"{prefix}bias")
        if isinstance(bias, Tensor):
            state_dict.setdefault(f"{prefix}linear_range", bias.new_zeros(()))
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        text = f"{self.channels}, kernel_size={self.kernel_size}, output={self.output!r}"
        if self._bands is not None and self.bands != band_names(self.dimensions):
            text += f", bands={self.bands!r}"
        for name, default in (("padding", "reflect"), ("shared", False), ("init", "wavelet")):
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)!r}"
        if self.reversible != "auto":
            text += f", reversible={self.reversible}"
        if self._range != (LINEAR_RANGE if self.init == "wavelet" else 0.0):
            text += f", linear_range={self._range}"
        return f"{text}, penalty_weights={self.penalty_weights}"


def _one_of(name: str, value: str, choices: Sequence[str]) -> str:
    if not is_one_of(value, choices):
        raise OptionError(f"unknown {name} {value!r}: use one of {', '.join(map(repr, choices))}")
    return value


def _pair(weights: Any) -> tuple[float, float]:
    demand = "penalty_weights must be a pair of numbers"
    numbers = [real_number(w, demand) for w in items(weights, demand)]
    if len(numbers) != 2:
        raise ArgumentTypeError(f"{demand}, got {len(numbers)} numbers")
    return numbers[0], numbers[1]


# --- penalties of calls ---------------------------------------------------------------------------

_COLLECT = "call the model under `with liftwave.torch.collect_penalties(model):`"
_RETURN = "create the layer with return_penalty=True, and return the penalty from there"

_functorch: Any = torch._C._functorch


class _Penalty(NamedTuple):
    """The penalty of one call, and the properties of the call for :meth:`Penalties.total`."""

    value: Tensor
    needs_gradient: bool
    recorded: bool  # whether autograd recorded the call
    replica: tuple[int, int] | None  # its number and its samples; None for the layer itself


class Penalties:
    """The penalties of a layer: of its last call, or of all calls while they are collected.

    Replicas of DataParallel share this object with their layer. Copies and files of a layer have
    an empty one.

    Attributes
    ----------
    collecting : int
        The number of active :func:`collect_penalties`.
    """

    def __init__(self) -> None:
        self.collecting = 0
        self._calls: list[_Penalty] = []
        self._is_read = True
        self._earlier: list[ref[Any]] = []  # the nodes in torch's graph of calls before the last
        self._in_replicas = False

    def __reduce__(self) -> tuple[type[Penalties], tuple[()]]:
        """An empty object is saved: penalties belong to calls."""
        return Penalties, ()

    def clear(self) -> None:
        """Remove the penalties of all calls."""
        self._calls, self._earlier, self._in_replicas = [], [], False

    def add(self, layer: nn.Module, inputs: Sequence[Tensor], value: Tensor) -> None:
        """Keep the penalty of a call of ``layer`` with a signal and parameters."""
        is_compiling = torch.compiler.is_compiling()
        # In backward, checkpointing repeats calls that were counted before.
        repeats = not is_compiling and torch._C._current_graph_task_id() != -1
        if repeats or torch.compiler.is_exporting():
            return
        is_replica = getattr(layer, "_is_replica", False)
        replica = (id(layer), inputs[0].numel()) if is_replica else None
        needs_gradient = any(x.requires_grad for x in inputs)
        call = _Penalty(value, needs_gradient, torch.is_grad_enabled(), replica)
        if self.collecting:
            self._calls.append(call)
            return
        if not is_compiling and self._calls and not self._is_read:
            node: Any = self._calls[-1].value.grad_fn
            while node is not None and not hasattr(node, "operation"):  # of the operation itself
                node = next((n for n, _ in node.next_functions if n is not None), None)
            self._earlier = [*filter(_is_pending, self._earlier)]
            if node is not None:
                self._earlier.append(ref(node))
        self._calls, self._in_replicas, self._is_read = [call], is_replica, False

    def total(self, layer: nn.Module, *, by_mean: bool) -> Tensor | None:
        """The sum over the calls; ``None`` without calls.

        Parameters
        ----------
        layer : torch.nn.Module
            The layer, for messages.
        by_mean : bool
            Whether penalties are means over the samples of a call. The penalties of replicas are
            then weighted by their shares of the batch.

        Raises
        ------
        PenaltyError
            If a penalty lost its gradient or does not exist any more.

        Warns
        -----
        PenaltyWarning
            If earlier calls are missing.
        """
        name, unread = type(layer).__name__, sum(map(_is_pending, self._earlier))
        self._is_read, self._earlier = True, []
        if self._in_replicas:
            raise PenaltyError(f"{name} ran in replicas of DataParallel: {_COLLECT}")
        if unread:
            warn(
                f"{name} was called {unread + 1} times, and only the last call counts: to sum all "
                f"calls of a forward pass, {_COLLECT}",
                PenaltyWarning,
            )
        values = [_usable(call, name) for call in self._calls]
        if by_mean:
            shares = _shares(self._calls)
            values = [value * share for value, share in zip(values, shares, strict=True)]
        if not values:
            return None
        return torch.stack([value.to(values[0].device) for value in values]).sum()


def _is_pending(node: ref[Any]) -> bool:
    """Whether a call is part of a graph that exists, and that had no backward pass."""
    call = node()
    return call is not None and not getattr(call, "is_done", False)


def _usable(call: _Penalty, name: str) -> Tensor:
    """The penalty of a call.

    Raises
    ------
    PenaltyError
        If its gradient is lost, or it is a batch of a ``vmap`` that ended.
    """
    value, has_ended, is_lost = call.value, False, False
    while _functorch.is_dead_tensor_wrapper(value):
        value, has_ended = _functorch.unwrap_if_dead(value), True
    if _functorch.is_functorch_wrapped_tensor(value):
        level = _functorch.maybe_current_level()
        is_lost = level is None or _functorch.maybe_get_level(value) > level
    elif has_ended and call.recorded:
        is_lost = call.needs_gradient and not value.requires_grad
    if is_lost:
        raise PenaltyError(
            f"{name} ran inside a transform of torch.func (such as vmap) that has ended. Its "
            f"penalties are results of the transformed function: {_RETURN}"
        )
    if call.needs_gradient and not call.recorded and torch.is_grad_enabled():
        raise PenaltyError(
            f"the penalty of {name} has no gradient, because the layer ran without recording: "
            f"under checkpoint(…, use_reentrant=True), pass use_reentrant=False, or {_RETURN}; "
            "after torch.no_grad(), compute the penalty under torch.no_grad(), too"
        )
    return value


def _shares(calls: list[_Penalty]) -> list[float]:
    """The share of the batch that each call had: 1 if it was not in a replica."""
    samples: dict[int, int] = {}  # of the first call of each replica
    for call in calls:
        if call.replica is not None:
            samples.setdefault(*call.replica)
    total = sum(samples.values())
    return [1.0 if c.replica is None else samples[c.replica[0]] / total for c in calls]
