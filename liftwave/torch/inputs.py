"""Checks of the inputs of layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from liftwave._arrays.tensors import check_tensor as check_dense
from liftwave.errors import ArgumentTypeError, DTypeError, ShapeError


def check_tensor(layer: Any, x: object, what: str = "a tensor") -> None:
    """Raise unless ``x`` is a dense tensor.

    Raises
    ------
    ArgumentTypeError, DTypeError
        If it is not.
    """
    if not isinstance(x, Tensor):
        raise ArgumentTypeError(
            f"{type(layer).__name__} takes {what}, got an object of type {type(x).__name__}: use "
            "torch.as_tensor"
        )
    if x.is_nested or x.layout != torch.strided:
        check_dense(x)


def check_axes(layer: Any, x: Tensor, channels: int | None = None) -> None:
    """Raise unless ``x`` is of shape (C, ...) or (N, C, ...).

    Raises
    ------
    ArgumentTypeError, ShapeError
        If it is not, or does not have this number of channels.
    """
    if not isinstance(x, Tensor) or x.is_nested or x.layout != torch.strided:
        check_tensor(layer, x)
    dims = layer.dimensions
    fits = x.ndim in (dims + 1, dims + 2)
    if not fits or (channels is not None and x.shape[-dims - 1] != channels):
        names = ("D, H, W", "H, W", "L")[3 - dims]
        size = "C" if channels is None else str(channels)
        raise ShapeError(
            f"{type(layer).__name__} takes tensors of shape ({size}, {names}) or "
            f"(N, {size}, {names}), got shape {tuple(x.shape)}"
        )


def check_real(x: Tensor) -> None:
    """Raise if ``x`` is complex.

    Raises
    ------
    DTypeError
        If it is.
    """
    if x.is_complex():
        raise DTypeError(f"pooling takes real numbers, got {x.dtype}: use two channels for each")


def check_model(model: object) -> None:
    """Raise unless ``model`` is a module.

    Raises
    ------
    ArgumentTypeError
        If it is not.
    """
    if not isinstance(model, nn.Module):
        raise ArgumentTypeError(f"the model must be a torch.nn.Module, got {type(model).__name__}")
