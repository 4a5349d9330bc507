"""Weighted pooling as modules without parameters: SoftPool, eDSCW, other similarities, IDW."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor

from liftwave._numbers import flag
from liftwave._plan.windows import Size, window_arguments
from liftwave.pooling import edscw_pool, idw_pool, similarity_pool, soft_pool
from liftwave.pooling.calls import checked_distance, checked_similarity
from liftwave.torch._typing import Distance, Similarity
from liftwave.torch.docstrings import documented
from liftwave.torch.inputs import check_axes
from liftwave.torch.leaf import Layer


class WindowPool(Layer):
    """The windows of a layer."""

    dimensions: ClassVar[int]

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None,
        padding: Size,
        dilation: Size,
        ceil_mode: bool,
        per_channel: bool = True,
    ) -> None:
        super().__init__()
        windows = (kernel_size, stride, padding, dilation, ceil_mode)
        self.windows = window_arguments(*windows, self.dimensions)
        self.per_channel = flag(per_channel, "per_channel")

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor:
            """As ``forward``; it also calls hooks."""

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        kernel, stride, padding, dilation, ceil_mode = self.windows
        parts = [f"kernel_size={_short(kernel)}", f"stride={_short(stride)}"]
        parts += [f"padding={_short(padding)}"] * any(padding)
        parts += [f"dilation={_short(dilation)}"] * (max(dilation) > 1)
        parts += ["ceil_mode=True"] * ceil_mode
        return ", ".join([*parts, *self._own_repr()])

    def _own_repr(self) -> list[str]:
        return [] if self.per_channel else ["per_channel=False"]


def _short(numbers: Sequence[int]) -> Any:
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)


# --- layers --------------------------------------------------------------------------------------


class _SoftPool(WindowPool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        *,
        per_channel: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode, per_channel)

    def forward(self, x: Tensor) -> Tensor:
        """Pooled signals, of shape (C, ...) or (N, C, ...)."""
        check_axes(self, x)
        pooled: Tensor = soft_pool(x, *self.windows, per_channel=self.per_channel)
        return pooled


class _EDSCWPool(WindowPool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        *,
        per_channel: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode, per_channel)

    def forward(self, x: Tensor) -> Tensor:
        """Pooled signals, of shape (C, ...) or (N, C, ...)."""
        check_axes(self, x)
        pooled: Tensor = edscw_pool(x, *self.windows, per_channel=self.per_channel)
        return pooled


class _SimilarityPool(WindowPool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        *,
        similarity: Similarity = "dice",
        exponential: bool = True,
        per_channel: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode, per_channel)
        self.similarity = checked_similarity(similarity)
        self.exponential = flag(exponential, "exponential")

    def forward(self, x: Tensor) -> Tensor:
        """Pooled signals, of shape (C, ...) or (N, C, ...)."""
        check_axes(self, x)
        options: Any = {"similarity": self.similarity, "exponential": self.exponential}
        pooled: Tensor = similarity_pool(x, *self.windows, per_channel=self.per_channel, **options)
        return pooled

    def _own_repr(self) -> list[str]:
        parts = [f"similarity={self.similarity!r}", f"exponential={self.exponential}"]
        return [*parts, *super()._own_repr()]


class _IDWPool(WindowPool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        *,
        distance: Distance = "l2",
        delta: float = 1.0,
        per_channel: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode, per_channel)
        self.distance, self.delta = checked_distance(distance, delta)

    def forward(self, x: Tensor) -> Tensor:
        """Pooled signals, of shape (C, ...) or (N, C, ...)."""
        check_axes(self, x)
        options: Any = {"distance": self.distance, "delta": self.delta}
        pooled: Tensor = idw_pool(x, *self.windows, per_channel=self.per_channel, **options)
        return pooled

    def _own_repr(self) -> list[str]:
        parts = [f"distance={self.distance!r}"]
        parts += [f"delta={self.delta}"] * (self.distance == "huber")
        return [*parts, *super()._own_repr()]


# --- one, two and three dimensions ---------------------------------------------------------------

_WINDOW_POOL = """
Parameters
----------
$window_parameters

Raises
------
WindowError, ArgumentTypeError
    If the windows are not possible. The call raises these and :class:`ShapeError` if windows do
    not fit the input.

See Also
--------
liftwave.pooling.$function : the function, with the formula.

Notes
-----
$window_notes

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer
>>> tuple($layer(2)(torch.randn($sizes)).shape)
($pooled)
"""

_EDSCW_POOL = _WINDOW_POOL.replace("$window_parameters", "$window_parameters\n$per_channel")

_SHARED = """
per_channel : bool, optional
    Whether each channel has its own weights, or all channels share the softmax of their sum."""

_SOFT_POOL = _EDSCW_POOL.replace("\n$per_channel", _SHARED)

_SIMILARITY = """
similarity : {"dice", "cosine", "pce"}, optional
    The similarity to the mean of a region.
exponential : bool, optional
    Whether weights are the exponentials of similarities, or the similarities.
$per_channel"""

_SIMILARITY_POOL = _EDSCW_POOL.replace("\n$per_channel", _SIMILARITY)

_DISTANCE = """
distance : {"l2", "l1", "huber", "chebyshev", "gower"}, optional
    The distance.
delta : float, optional
    The point where Huber's distance changes from quadratic to linear.
$per_channel"""

_IDW_POOL = _EDSCW_POOL.replace("\n$per_channel", _DISTANCE)


@documented(_SOFT_POOL, function="soft_pool")
class SoftPool1d(_SoftPool):
    """Pooling by the softmax of each region, in 1-D (SoftPool)."""

    dimensions = 1


@documented(_SOFT_POOL, function="soft_pool")
class SoftPool2d(_SoftPool):
    """Pooling by the softmax of each region, in 2-D (SoftPool)."""

    dimensions = 2


@documented(_SOFT_POOL, function="soft_pool")
class SoftPool3d(_SoftPool):
    """Pooling by the softmax of each region, in 3-D (SoftPool)."""

    dimensions = 3


@documented(_EDSCW_POOL, function="edscw_pool")
class EDSCWPool1d(_EDSCWPool):
    """Pooling by the exponential of the Dice-Sørensen similarity to the mean, in 1-D."""

    dimensions = 1


@documented(_EDSCW_POOL, function="edscw_pool")
class EDSCWPool2d(_EDSCWPool):
    """Pooling by the exponential of the Dice-Sørensen similarity to the mean, in 2-D."""

    dimensions = 2


@documented(_EDSCW_POOL, function="edscw_pool")
class EDSCWPool3d(_EDSCWPool):
    """Pooling by the exponential of the Dice-Sørensen similarity to the mean, in 3-D."""

    dimensions = 3


@documented(_SIMILARITY_POOL, function="similarity_pool")
class SimilarityPool1d(_SimilarityPool):
    """Pooling by similarity to the mean, in 1-D."""

    dimensions = 1


@documented(_SIMILARITY_POOL, function="similarity_pool")
class SimilarityPool2d(_SimilarityPool):
    """Pooling by similarity to the mean, in 2-D."""

    dimensions = 2


@documented(_SIMILARITY_POOL, function="similarity_pool")
class SimilarityPool3d(_SimilarityPool):
    """Pooling by similarity to the mean, in 3-D."""

    dimensions = 3


@documented(_IDW_POOL, function="idw_pool")
class IDWPool1d(_IDWPool):
    """Pooling by inverse distance from the mean, in 1-D."""

    dimensions = 1


@documented(_IDW_POOL, function="idw_pool")
class IDWPool2d(_IDWPool):
    """Pooling by inverse distance from the mean, in 2-D."""

    dimensions = 2


@documented(_IDW_POOL, function="idw_pool")
class IDWPool3d(_IDWPool):
    """Pooling by inverse distance from the mean, in 3-D."""

    dimensions = 3
