"""The sum of the penalties of all layers of a model, of the last call or of all calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor, nn

from liftwave.torch.inputs import check_model
from liftwave.torch.lift_down import LiftDownLayer, Penalties


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
    the sum over the calls since the outermost context was entered. Use it for a model that calls a
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
    return _collecting([m.penalties for m in model.modules() if isinstance(m, LiftDownLayer)])


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
    # Wrappers such as compiled modules pass on the methods of their module: equal ones count once.
    penalties: list[Tensor] = [penalty() for penalty in dict.fromkeys(methods) if callable(penalty)]
    if penalties:
        return torch.stack([p.to(penalties[0].device) for p in penalties]).sum()
    parameter = next(model.parameters(), None)
    return torch.zeros((), device=None if parameter is None else parameter.device)
