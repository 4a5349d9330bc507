"""Upsampling of pooled values without parameters: nearest neighbour and bed of nails."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from liftwave._bridge.memory_formats import format_of, in_format
from liftwave._numbers import lengths
from liftwave._plan.windows import Size, WindowArguments, window_arguments
from liftwave.errors import ShapeTypeError
from liftwave.pooling import bed_of_nails_unpool, nearest_unpool
from liftwave.pooling.calls import separate_windows
from liftwave.torch.docstrings import documented
from liftwave.torch.inputs import check_axes
from liftwave.torch.leaf import Layer


class _WindowUnpool(Layer):
    """The windows of an upsampling layer."""

    dimensions: ClassVar[int]

    def __init__(self, windows: WindowArguments) -> None:
        super().__init__()
        self.kernel_size, self.stride = windows.kernel, windows.stride

    if TYPE_CHECKING:

        def __call__(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
            """As ``forward``; it also calls hooks."""

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Values of shape (C, …) or (N, C, …), upsampled to the lengths ``output_size``."""
        check_axes(self, x)
        size = None if output_size is None else lengths(output_size, "output_size", ShapeTypeError)
        (upsampled,) = in_format([self._upsampled(x, size)], format_of(x))
        return upsampled

    @abstractmethod
    def _upsampled(self, x: Tensor, size: tuple[int, ...] | None) -> Tensor:
        """The result of the function."""

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}"


class _NearestUnpool(_WindowUnpool):
    def __init__(self, kernel_size: Size, stride: Size | None = None) -> None:
        super().__init__(separate_windows(kernel_size, stride, self.dimensions))

    def _upsampled(self, x: Tensor, size: tuple[int, ...] | None) -> Tensor:
        options = (self.kernel_size, self.stride, size)
        signal: Tensor = nearest_unpool(x, *options, ndim=self.dimensions)
        return signal


class _BedOfNailsUnpool(_WindowUnpool):
    def __init__(self, kernel_size: Size, stride: Size | None = None) -> None:
        super().__init__(window_arguments(kernel_size, stride, ndim=self.dimensions))

    def _upsampled(self, x: Tensor, size: tuple[int, ...] | None) -> Tensor:
        options = (self.kernel_size, self.stride, size)
        signal: Tensor = bed_of_nails_unpool(x, *options, ndim=self.dimensions)
        return signal


# --- layers --------------------------------------------------------------------------------------

_UNPOOL = """
Parameters
----------
kernel_size : $size
    Size of the windows; tuples have one number per axis.
stride : $size, optional
    Distance between windows; their size by default.

Raises
------
WindowError, ArgumentTypeError
    If the windows are not valid. The call raises :class:`ShapeError` if ``output_size`` does
    not fit the windows.

See Also
--------
liftwave.pooling.$function : the function.

Notes
-----
Input: shape $shape.
If windows do not cover the whole signal, pass ``output_size=x.shape[-$d:]`` in the call.

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer
>>> tuple($layer(2)(torch.ones($pooled)).shape) == ($sizes)
True
"""


@documented(_UNPOOL, function="nearest_unpool")
class NearestUnpool1d(_NearestUnpool):
    """Copy each value to all samples of its window, in 1-D."""

    dimensions = 1


@documented(_UNPOOL, function="nearest_unpool")
class NearestUnpool2d(_NearestUnpool):
    """Copy each value to all samples of its window, in 2-D."""

    dimensions = 2


@documented(_UNPOOL, function="nearest_unpool")
class NearestUnpool3d(_NearestUnpool):
    """Copy each value to all samples of its window, in 3-D."""

    dimensions = 3


@documented(_UNPOOL, function="bed_of_nails_unpool")
class BedOfNailsUnpool1d(_BedOfNailsUnpool):
    """Put each value at the first sample of its window, and zeros elsewhere, in 1-D."""

    dimensions = 1


@documented(_UNPOOL, function="bed_of_nails_unpool")
class BedOfNailsUnpool2d(_BedOfNailsUnpool):
    """Put each value at the first sample of its window, and zeros elsewhere, in 2-D."""

    dimensions = 2


@documented(_UNPOOL, function="bed_of_nails_unpool")
class BedOfNailsUnpool3d(_BedOfNailsUnpool):
    """Put each value at the first sample of its window, and zeros elsewhere, in 3-D."""

    dimensions = 3
