"""Penalties of models: those of calls, which layers keep, and the sum of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple
from weakref import ref

import torch
from torch import Tensor, nn

from liftwave.errors import PenaltyError, PenaltyWarning, warn
from liftwave.torch.inputs import check_model
from liftwave.torch.leaf import Layer

_COLLECT = "call the model under `with liftwave.torch.collect_penalties(model):`"
_RETURN = "create the layer with return_penalty=True, and return the penalty from there"

_functorch: Any = torch._C._functorch


class _Penalty(NamedTuple):
    """The penalty of one call, and what :meth:`Penalties.total` has to know about the call."""

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
        """Nothing is saved: penalties belong to calls."""
        return Penalties, ()

    def clear(self) -> None:
        """Forget all calls."""
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
                node = next((each for each, _ in node.next_functions if each is not None), None)
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


# --- models --------------------------------------------------------------------------------------


def collect_penalties(model: nn.Module) -> AbstractContextManager[None]:
    """Collect the penalties of all calls of all layers of a model, for :func:`auxiliary_loss`.

    Parameters
    ----------
    model : torch.nn.Module
        The model, which can be compiled, or wrapped in ``DataParallel`` and the like.

    Returns
    -------
    context manager
        Collects the penalties while it is active.

    Raises
    ------
    ArgumentTypeError
        If the model is not a module.

    See Also
    --------
    auxiliary_loss : sums the penalties, within the context or after it.

    Notes
    -----
    Without this context, the penalty of a layer is that of its last call. With it, the penalty is
    the sum over the calls since the outermost context was entered. A model needs it if it calls a
    layer more than once in a forward pass, or if a layer runs in replicas of ``DataParallel``.
    The penalties of replicas are weighted by their shares of the batch for the reduction
    ``"mean"``, and add up for others.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import LiftDownPool2d, auxiliary_loss, collect_penalties
    >>> pool = LiftDownPool2d(3)
    >>> x = torch.randn(2, 3, 32, 32)
    >>> with collect_penalties(pool):
    ...     y = pool(pool(x))
    >>> loss = y.square().mean() + auxiliary_loss(pool)  # the penalties of both calls
    """
    check_model(model)
    return _collecting([m.penalties for m in model.modules() if isinstance(m, CallPenaltyLayer)])


@contextmanager
def _collecting(collected: list[Penalties]) -> Iterator[None]:
    for penalties in collected:
        if not penalties.collecting:
            penalties.clear()
        penalties.collecting += 1
    try:
        yield
    finally:
        for penalties in collected:
            penalties.collecting -= 1


class CallPenaltyLayer(Layer):
    """A layer whose calls have penalties."""

    penalties: Penalties


def auxiliary_loss(model: nn.Module) -> Tensor:
    """Return the sum of the penalties of all layers of a model.

    Parameters
    ----------
    model : torch.nn.Module
        Every module in it that has a method ``penalty()`` contributes once, even if several
        layers share it. The penalty of a learnable wavelet measures how far its filters are from
        a wavelet. That of lifting pooling is the weighted :math:`c_u` and :math:`c_p` of its last
        call in training, or of all its calls under :func:`collect_penalties`.

    Returns
    -------
    Tensor, shape ()
        A term for the loss; zero if no layer has a penalty.

    Raises
    ------
    PenaltyError
        If a call has a penalty, but this penalty cannot be part of a loss: the layer ran without
        recording gradients (as under ``checkpoint`` with ``use_reentrant=True``), within
        ``torch.vmap``, or in replicas of ``DataParallel`` without :func:`collect_penalties`.

    Warns
    -----
    PenaltyWarning
        If a layer was called several times in a forward pass, without
        :func:`collect_penalties`.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from liftwave.torch import DWT1d, LiftDownPool2d, auxiliary_loss
    >>> model = nn.Sequential(DWT1d("db2", learn="filters"))
    >>> bool(auxiliary_loss(model) < 1e-10)  # learning starts at a wavelet
    True
    >>> model = LiftDownPool2d(1, penalty_weights=(0.0, 1.0))
    >>> ramp = torch.arange(64.0).reshape(1, 1, 8, 8)
    >>> _ = model(ramp)
    >>> loss = auxiliary_loss(model)  # the mean square of the details
    """
    check_model(model)
    methods = [getattr(module, "penalty", None) for module in model.modules()]
    # Wrappers such as compiled modules pass on the methods of their module: equal ones are one.
    penalties: list[Tensor] = [penalty() for penalty in dict.fromkeys(methods) if callable(penalty)]
    if penalties:
        return torch.stack([p.to(penalties[0].device) for p in penalties]).sum()
    parameter = next(model.parameters(), None)
    return torch.zeros((), device=None if parameter is None else parameter.device)
