"""Torch tensors and arrays on devices. This module imports neither torch nor CuPy."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from liftwave._typing import Array
from liftwave.errors import DTypeError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a torch tensor of any kind."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


@cache
def _number_dtypes() -> frozenset[Any]:
    """Torch's dtypes of numbers: not those of 8-bit floats, and of quantised and packed bits."""
    torch = sys.modules["torch"]
    names = (
        "bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 bfloat16 float16 float32 float64"
    )
    names += " complex32 complex64 complex128"
    return frozenset(getattr(torch, name) for name in names.split() if hasattr(torch, name))


ACCEPTED: set[tuple[Any, Any]] = set()
"""Layouts and dtypes of tensors that passed the check."""


def check_tensor(x: Any) -> None:
    """Raise unless a tensor is dense, and its dtype is one of numbers.

    Raises
    ------
    DTypeError
        If it is sparse, nested or quantised, or holds 8-bit floats.
    """
    if x.is_nested:  # checked first: nested tensors also claim to be dense
        raise DTypeError("Input must be a dense tensor, got a nested one: pad it to one shape")
    if x.layout is not sys.modules["torch"].strided:
        raise DTypeError(f"Input must be a dense tensor, got {x.layout}: use to_dense()")
    if x.dtype not in _number_dtypes():
        raise DTypeError(
            f"Input must be a tensor of integers, floats or complex numbers, got {x.dtype}: "
            "convert it, for example with to(torch.float32) or dequantize()"
        )
    ACCEPTED.add((x.layout, x.dtype))


def is_on_device(x: Any) -> bool:
    """Whether ``x`` is on a CUDA device: reading its numbers waits for the device."""
    if is_tensor(x):
        return bool(x.is_cuda)
    cupy = sys.modules.get("cupy")
    return cupy is not None and type(x) is cupy.ndarray


def is_unwatched(x: Array) -> bool:
    """Whether ``x`` is a torch tensor without active autograd, tracing or batching."""
    torch = sys.modules.get("torch")
    if torch is None or type(x) not in (torch.Tensor, torch.nn.Parameter):
        return False
    return bool(
        not (x.requires_grad and torch.is_grad_enabled())
        and not torch.compiler.is_compiling()
        and not torch._C._functorch.is_functorch_wrapped_tensor(x)
        and torch.autograd.forward_ad._current_level < 0
        and not torch._C._len_torch_dispatch_stack()
        and not torch.jit.is_tracing()
    )


def numpy_memory(x: Any, owner: Any) -> Any:
    """The NumPy array that shares the memory of a tensor on the CPU, which ``owner`` may own.

    ``Tensor.numpy`` forbids resizing the memory, but FSDP resizes the memory of parameters.
    """
    is_parameter = type(owner) is not sys.modules["torch"].Tensor
    return np.from_dlpack(x) if is_parameter else x.numpy()


def resolved(x: Array) -> Array:
    """``x``, with a lazily conjugated or negated tensor resolved to plain numbers."""
    return x.resolve_conj().resolve_neg() if is_tensor(x) else x


def is_readable(x: Array) -> bool:
    """Whether the numbers of ``x`` can be read: it is not traced, batched, or without memory."""
    if not is_tensor(x):
        return True
    torch = sys.modules["torch"]
    return bool(
        type(x) in (torch.Tensor, torch.nn.Parameter)
        and x.device.type != "meta"
        and not torch._C._functorch.is_functorch_wrapped_tensor(x)
        and not torch._C._len_torch_dispatch_stack()
        and is_numbers(x)
    )


def numbers_in_memory(x: Any) -> NDArray[Any] | None:
    """The numbers of an array or a sequence, in double precision.

    None if they cannot be read, or if reading them would wait for a device.
    """
    if is_on_device(x) or not is_readable(x):
        return None
    try:
        return np.asarray(x.detach() if is_tensor(x) else x, "float64")
    except RuntimeError:  # an array of another library on a device
        return None


def is_numbers(x: Array) -> bool:
    """Whether the memory of a tensor holds its numbers: dense, not lazily conjugated or negated."""
    torch = sys.modules["torch"]
    return bool(x.layout == torch.strided and not x.is_conj() and not x.is_neg())
