"""Windows of a feature map, laid out for the layers of the zoo."""

from __future__ import annotations

import torch


def windows(x: torch.Tensor, kernel_size: int, stride: int) -> torch.Tensor:
    """All samples of each window: ``(N, C, H', W', kernel_size**2)``, row by row in the window."""
    rows = x.unfold(-2, kernel_size, stride)
    return rows.unfold(-2, kernel_size, stride).flatten(-2)


def per_channel(value: torch.Tensor) -> torch.Tensor:
    """One value for each channel, shaped to broadcast against ``(N, C, H, W, samples)``."""
    return value.reshape(-1, 1, 1, 1)
