"""Checks of the inputs of layers."""

from __future__ import annotations

from typing import Any

import numpy as np
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
    if is_traced(x):
        raise ArgumentTypeError(
            f"torch.fx cannot trace into {type(layer).__name__}, which is a single node of the "
            "graph of a model: trace the model, or nn.Sequential(layer)"
        )
    if not isinstance(x, Tensor):
        raise ArgumentTypeError(
            f"{type(layer).__name__} takes {what}, got an object of type {type(x).__name__}: use "
            "torch.as_tensor"
        )
    if x.is_nested or x.layout != torch.strided:
        check_dense(x)


def is_traced(x: object) -> bool:
    """Whether ``x`` is a value in a graph that torch.fx records, without a shape."""
    return isinstance(x, torch.fx.Proxy)


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


def check_factory(device: Any, dtype: Any) -> None:
    """Raise unless parameters can be of this device and dtype.

    Raises
    ------
    ArgumentTypeError, DTypeError
        If they cannot.
    """
    try:
        torch.device("cpu" if device is None else device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ArgumentTypeError(
            f"device must be a device of torch, got {device!r}: {error}"
        ) from None
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise DTypeError(f"dtype must be a floating-point dtype of torch, got {dtype!r}")


def register(
    module: nn.Module, name: str, count: int, device: Any, dtype: torch.dtype | None
) -> None:
    """Register a parameter without values, by default of torch's device and dtype.

    Without numbers, it is a buffer: FSDP cannot reduce a gradient without numbers.
    """
    values = torch.empty(count, device=device, dtype=dtype)
    if count:
        module.register_parameter(name, nn.Parameter(values))
    else:
        module.register_buffer(name, values)


def fill(tensor: Any, values: Any) -> None:
    """Copy values to a tensor, for which no gradient is recorded."""
    numbers = values if isinstance(values, Tensor) else np.asarray(values)  # not in float32
    source = torch.as_tensor(numbers, device="cpu")
    if is_sharded(tensor):
        from torch.distributed.tensor import distribute_tensor

        mesh = tensor.device_mesh
        source = source.to(mesh.device_type, tensor.dtype).expand(tensor.shape).contiguous()
        source = distribute_tensor(source, mesh, tensor.placements)
    with torch.no_grad():
        tensor.copy_(source)


def is_sharded(tensor: Any) -> bool:
    """Whether a tensor is a ``DTensor``, as parameters under FSDP are."""
    return hasattr(tensor, "full_tensor")


def check_numbers(x: Tensor) -> None:
    """Raise if ``x`` is quantised or holds 8-bit floats, with which torch cannot compute.

    Raises
    ------
    DTypeError
        If it is.
    """
    if x.is_quantized or (x.is_floating_point() and x.dtype.itemsize == 1):
        check_dense(x)


def check_real(x: Tensor) -> None:
    """Raise if ``x`` is complex or quantised, or holds 8-bit floats.

    Raises
    ------
    DTypeError
        If it is.
    """
    check_numbers(x)
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
