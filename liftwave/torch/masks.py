"""Masks of AdaPool: without a size until the first call, and interpolated to other sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import UninitializedParameter

from liftwave.errors import MaskWarning, ShapeError, warn


class UnsizedMask(UninitializedParameter):
    """A mask without a size. Its errors name the layer and say how to set a size."""

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        parent: Any = super()
        try:
            return parent.__torch_function__(func, types, args, kwargs)
        except ValueError:
            raise ShapeError(
                "the mask of AdaPool gets its size in the first call, but "
                f"{getattr(func, '__name__', func)} needs it: call the model once before, or pass "
                "the size: AdaPool2d(…, mask=(H, W))"
            ) from None


def unsized(device: Any = None, dtype: torch.dtype | None = None) -> UnsizedMask:
    """A mask without a size, by default of torch's device and dtype."""
    make: Callable[..., UnsizedMask] = UnsizedMask
    return make(device=device, dtype=dtype)


def resized(mask: Tensor, axis: int, size: int) -> Tensor:
    """A mask interpolated linearly along one axis; a single value stays unchanged."""
    count = mask.shape[axis]
    # A size that is a symbol of an exported graph is not compared: this would make it a constant.
    if count == 1 or (type(size) is int and count == size):
        return mask
    # Not torch's interpolation, whose gradient depends on the order of threads on a GPU.
    samples, places = (torch.arange(n, dtype=mask.dtype, device=mask.device) for n in (count, size))
    middles = (places + 0.5) * (count / size) - 0.5
    distances = middles.clamp(0, count - 1)[:, None] - samples
    shares = (1 - distances.abs()).clamp_min(0)
    result: Tensor = torch.tensordot(shares, mask, dims=([1], [axis]))
    return result.movedim(0, axis)


def as_loaded(mask: Tensor, shape: Sequence[int], dimensions: int, name: str) -> Tensor:
    """A saved mask, interpolated to the windows of the layer that loads it.

    The mask is returned unchanged if it has these windows, or a different number of axes or
    channels.

    Warns
    -----
    MaskWarning
        If the mask is interpolated.
    """
    first = len(shape) - dimensions
    if mask.ndim != len(shape) or first < 0 or mask.shape[:first] != tuple(shape[:first]):
        return mask
    if tuple(mask.shape) == tuple(shape):
        return mask
    wide, windows = mask if mask.dtype.itemsize >= 4 else mask.float(), tuple(shape[first:])
    for axis, size in enumerate(windows, first):
        wide = resized(wide, axis, size)
    warn(
        f"{name} has {windows} windows, the mask in the state_dict {tuple(mask.shape[first:])}: "
        "it was interpolated",
        MaskWarning,
    )
    return wide.to(mask.dtype).expand(shape).contiguous()
