"""The sum of all penalties of a model."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from liftwave.torch.inputs import check_model


def auxiliary_loss(model: nn.Module) -> Tensor:
    """Return the sum of the penalties of all layers of a model.

    Parameters
    ----------
    model : torch.nn.Module
        Every module in it that has a method ``penalty()`` contributes once, even if several
        layers share it. The penalty of a learnable wavelet measures how far its filters are from
        a wavelet. That of lifting pooling is the weighted :math:`c_u` and :math:`c_p` of its last
        call in training.

    Returns
    -------
    Tensor, shape ()
        A term for the loss; zero if no layer has a penalty.

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
    methods = (getattr(module, "penalty", None) for module in model.modules())
    penalties: list[Tensor] = [penalty() for penalty in methods if callable(penalty)]
    if penalties:
        return torch.stack([p.to(penalties[0].device) for p in penalties]).sum()
    parameter = next(model.parameters(), None)
    return torch.zeros((), device=None if parameter is None else parameter.device)
