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
        layers share it.

    Returns
    -------
    Tensor, shape ()
        To be added to the loss; zero if no layer has a penalty.

    Examples
    --------
    >>> from torch import nn
    >>> from liftwave.torch import DWT1d, auxiliary_loss
    >>> model = nn.Sequential(DWT1d("db2", learn="filters"))
    >>> bool(auxiliary_loss(model) < 1e-10)  # a wavelet is where it begins
    True
    """
    asked = (getattr(module, "penalty", None) for module in model.modules())
    penalties: list[Tensor] = [penalty() for penalty in asked if callable(penalty)]
    if penalties:
        return torch.stack([p.to(penalties[0].device) for p in penalties]).sum()
    parameter = next(model.parameters(), None)
    return torch.zeros((), device=None if parameter is None else parameter.device)
