"""The common parts of the zoo's layers: checks, and the windows of a map."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from liftwave._bridge.memory_formats import format_of, in_format
from liftwave._numbers import positive_number
from liftwave.errors import ShapeError, WindowError
from liftwave.torch.inputs import check_axes, check_real
from liftwave.torch.leaf import Layer


class MapPool(Layer):
    """A pooling of maps of shape (C, H, W) or (N, C, H, W).

    Attributes
    ----------
    settings : tuple of str
        Names of the attributes that ``repr`` shows.
    """

    dimensions: ClassVar[int] = 2
    settings: ClassVar[tuple[str, ...]] = ()

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor:
            """As ``forward``; it also calls hooks."""

    def forward(self, x: Tensor) -> Tensor:
        """Pooled maps, of shape (C, H', W') or (N, C, H', W')."""
        check_axes(self, x)
        check_real(x)
        if x.ndim == 3:
            return self._pooled(x.unsqueeze(0)).squeeze(0)
        (pooled,) = in_format([self._pooled(x)], format_of(x))
        return pooled

    @abstractmethod
    def _pooled(self, x: Tensor) -> Tensor:
        """Pooled maps of a batch."""

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.settings)


class WindowedPool(MapPool):
    """A pooling with a size and a stride of windows; windows that do not fit are dropped."""

    settings = ("kernel_size", "stride")

    def __init__(self, kernel_size: int, stride: int | None) -> None:
        super().__init__()
        self.kernel_size = positive(kernel_size, "kernel_size")
        self.stride = self.kernel_size if stride is None else positive(stride, "stride")


def positive(number: int, name: str) -> int:
    """A size of windows.

    Raises
    ------
    WindowError, ArgumentTypeError
        If it is not a positive integer.
    """
    return positive_number(number, name, WindowError)


def channel_count(number: int) -> int:
    """A number of channels.

    Raises
    ------
    ShapeError, ArgumentTypeError
        If it is not a positive integer.
    """
    return positive_number(number, "channels", ShapeError)


def windows(x: Tensor, kernel_size: int, stride: int) -> Tensor:
    """All samples of each window: ``(N, C, H', W', kernel_size**2)``, row by row in the window."""
    rows = x.unfold(-2, kernel_size, stride)
    return rows.unfold(-2, kernel_size, stride).flatten(-2)


def per_channel(value: Tensor) -> Tensor:
    """One value for each channel, shaped to broadcast against ``(N, C, H, W, samples)``."""
    return value.reshape(-1, 1, 1, 1)
