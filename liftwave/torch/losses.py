"""Penalties that layers add to the loss of a task."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def auxiliary_loss(model: nn.Module) -> Tensor:
    """The sum of the penalties of all layers of a model.

    Parameters
    ----------
    model : torch.nn.Module
        Every module in it that has a method ``penalty()`` is asked, each once, however many
        layers share it: learnable wavelets for how far their filters are from a wavelet, lifting
        pooling for the weighted :math:`c_u` and :math:`c_p` of its last call in training.

    Returns
    -------
    Tensor, shape ()
        To be added to the loss; zero if no layer has a penalty.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from liftwave.torch import DWT1d, LiftDownPool2d, auxiliary_loss
    >>> model = nn.Sequential(DWT1d("db2", learn="filters"))
    >>> bool(auxiliary_loss(model) < 1e-10)  # a wavelet is where it begins
    True
    >>> model = LiftDownPool2d(1, penalty_weights=(0.0, 1.0))
    >>> ramp = torch.arange(64.0).reshape(1, 1, 8, 8)
    >>> _ = model(ramp)
    >>> loss = auxiliary_loss(model)  # the mean square of the details
    """
    asked = (getattr(module, "penalty", None) for module in model.modules())
    penalties: list[Tensor] = [penalty() for penalty in asked if callable(penalty)]
    if penalties:
        return torch.stack([p.to(penalties[0].device) for p in penalties]).sum()
    parameter = next(model.parameters(), None)
    return torch.zeros((), device=None if parameter is None else parameter.device)
