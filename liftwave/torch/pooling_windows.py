"""Pooling by weights as modules without parameters: SoftPool, eDSCW, IDW."""

from __future__ import annotations

from liftwave._plan.windows import Size
from liftwave.torch._pooling import WindowPool


class _SoftPool(WindowPool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__("softmax", (kernel_size, stride, padding, dilation, ceil_mode))


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
        windows = (kernel_size, stride, padding, dilation, ceil_mode)
        super().__init__("similarity", windows, "dice", True, per_channel)


class _IDWPool(WindowPool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        *,
        distance: str = "l2",
        delta: float = 1.0,
        per_channel: bool = True,
    ) -> None:
        windows = (kernel_size, stride, padding, dilation, ceil_mode)
        super().__init__("distance", windows, distance, delta, per_channel)
        self.distance, self.delta = distance, float(delta)

    def _own_repr(self) -> list[str]:
        shown = [f"distance={self.distance!r}"]
        shown += [f"delta={self.delta}"] * (self.distance == "huber")
        return [*shown, *super()._own_repr()]


# --- one, two and three dimensions -----------------------------------------------------------


class SoftPool1d(_SoftPool):
    """Pooling by the softmax of each region, in 1-D (SoftPool).

    Parameters
    ----------
    kernel_size : int or tuple of int
        Size of the windows.
    stride : int or tuple of int, optional
        Their distance; their size by default.
    padding : int or tuple of int, optional
        How far windows reach beyond the ends; at most half of ``kernel_size``. No samples are
        added: a region is what is inside.
    dilation : int or tuple of int, optional
        Distance of samples in a window.
    ceil_mode : bool, optional
        Keep windows at the end that do not fit.

    Raises
    ------
    WindowError, ArgumentTypeError
        If windows cannot be so; the call raises them too, and :class:`ShapeError`.

    Notes
    -----
    Input: shape (C, L) or (N, C, L). Half precision is computed in float32 and
    given back in half. The function is :func:`liftwave.pooling.soft_pool`.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import SoftPool1d
    >>> tuple(SoftPool1d(2)(torch.randn(8, 3, 32)).shape)
    (8, 3, 16)
    """

    dimensions = 1


class SoftPool2d(_SoftPool):
    """Pooling by the softmax of each region, in 2-D (SoftPool).

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode
        As for :class:`SoftPool1d`; tuples have one number per axis.

    Notes
    -----
    Input: shape (C, H, W) or (N, C, H, W). Half precision is computed in float32 and
    given back in half. The function is :func:`liftwave.pooling.soft_pool`.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import SoftPool2d
    >>> tuple(SoftPool2d(2)(torch.randn(8, 3, 32, 32)).shape)
    (8, 3, 16, 16)
    """

    dimensions = 2


class SoftPool3d(_SoftPool):
    """Pooling by the softmax of each region, in 3-D (SoftPool).

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode
        As for :class:`SoftPool1d`; tuples have one number per axis.

    Notes
    -----
    Input: shape (C, D, H, W) or (N, C, D, H, W). Half precision is computed in float32 and
    given back in half. The function is :func:`liftwave.pooling.soft_pool`.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import SoftPool3d
    >>> tuple(SoftPool3d(2)(torch.randn(2, 3, 8, 8, 8)).shape)
    (2, 3, 4, 4, 4)
    """

    dimensions = 3


class EDSCWPool1d(_EDSCWPool):
    """Pooling by the exponential of the Dice-Sørensen similarity to the mean, in 1-D.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode
        As for :class:`SoftPool1d`; tuples have one number per axis.
    per_channel : bool, optional
        Compare each channel on its own, or the vectors of all channels.

    Notes
    -----
    Input: shape (C, L) or (N, C, L). Half precision is computed in float32 and
    given back in half. The function is :func:`liftwave.pooling.edscw_pool`.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import EDSCWPool1d
    >>> tuple(EDSCWPool1d(2)(torch.randn(8, 3, 32)).shape)
    (8, 3, 16)
    """

    dimensions = 1


class EDSCWPool2d(_EDSCWPool):
    """Pooling by the exponential of the Dice-Sørensen similarity to the mean, in 2-D.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode
        As for :class:`SoftPool1d`; tuples have one number per axis.
    per_channel : bool, optional
        As for :class:`EDSCWPool1d`.

    Notes
    -----
    Input: shape (C, H, W) or (N, C, H, W). Half precision is computed in float32 and
    given back in half. The function is :func:`liftwave.pooling.edscw_pool`.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import EDSCWPool2d
    >>> tuple(EDSCWPool2d(2)(torch.randn(8, 3, 32, 32)).shape)
    (8, 3, 16, 16)
    """

    dimensions = 2


class EDSCWPool3d(_EDSCWPool):
    """Pooling by the exponential of the Dice-Sørensen similarity to the mean, in 3-D.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode
        As for :class:`SoftPool1d`; tuples have one number per axis.
    per_channel : bool, optional
        As for :class:`EDSCWPool1d`.

    Notes
    -----
    Input: shape (C, D, H, W) or (N, C, D, H, W). Half precision is computed in float32 and
    given back in half. The function is :func:`liftwave.pooling.edscw_pool`.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import EDSCWPool3d
    >>> tuple(EDSCWPool3d(2)(torch.randn(2, 3, 8, 8, 8)).shape)
    (2, 3, 4, 4, 4)
    """

    dimensions = 3


class IDWPool1d(_IDWPool):
    """Pooling by inverse distance from the mean, in 1-D.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode
        As for :class:`SoftPool1d`; tuples have one number per axis.
    distance : {"l2", "l1", "huber", "chebyshev", "gower"}, optional
        How distances are measured.
    delta : float, optional
        Where Huber's goes from quadratic to linear.
    per_channel : bool, optional
        Compare each channel on its own, or the vectors of all channels.

    Notes
    -----
    Input: shape (C, L) or (N, C, L). Half precision is computed in float32 and
    given back in half. The function is :func:`liftwave.pooling.idw_pool`.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import IDWPool1d
    >>> tuple(IDWPool1d(2)(torch.randn(8, 3, 32)).shape)
    (8, 3, 16)
    """

    dimensions = 1


class IDWPool2d(_IDWPool):
    """Pooling by inverse distance from the mean, in 2-D.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode
        As for :class:`SoftPool1d`; tuples have one number per axis.
    distance, delta, per_channel
        As for :class:`IDWPool1d`.

    Notes
    -----
    Input: shape (C, H, W) or (N, C, H, W). Half precision is computed in float32 and
    given back in half. The function is :func:`liftwave.pooling.idw_pool`.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import IDWPool2d
    >>> tuple(IDWPool2d(2, distance="huber")(torch.randn(8, 3, 32, 32)).shape)
    (8, 3, 16, 16)
    """

    dimensions = 2


class IDWPool3d(_IDWPool):
    """Pooling by inverse distance from the mean, in 3-D.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode
        As for :class:`SoftPool1d`; tuples have one number per axis.
    distance, delta, per_channel
        As for :class:`IDWPool1d`.

    Notes
    -----
    Input: shape (C, D, H, W) or (N, C, D, H, W). Half precision is computed in float32 and
    given back in half. The function is :func:`liftwave.pooling.idw_pool`.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import IDWPool3d
    >>> tuple(IDWPool3d(2)(torch.randn(2, 3, 8, 8, 8)).shape)
    (2, 3, 4, 4, 4)
    """

    dimensions = 3
