"""AdaPool and its reverse as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy

from liftwave._numbers import flag
from liftwave._operations.weighted_pool import Interpolation, Preserved
from liftwave._plan.windows import Size, per_axis
from liftwave.errors import ArgumentTypeError, ShapeError, WindowError
from liftwave.pooling import ada_pool, ada_unpool
from liftwave.pooling.calls import check_reverse
from liftwave.torch.docstrings import documented
from liftwave.torch.inputs import check_axes, check_factory, check_numbers, fill
from liftwave.torch.leaf import Layer
from liftwave.torch.masks import as_loaded, resized, unsized
from liftwave.torch.pooling_windows import WindowPool


class _AdaPool(LazyModuleMixin, WindowPool):
    """``beta`` of AdaPool can take its size from the first input, as in torch's lazy modules."""

    cls_to_become = None
    beta: Any

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        *,
        beta: float | Tensor = 0.5,
        mask: bool | Size = True,
        channels: int | None = None,
        trainable: bool = True,
        per_channel: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_factory(device, dtype)
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode, per_channel)
        self.channels = None if channels is None else per_axis("channels", channels, 1, 1)[0]
        self.trainable = flag(trainable, "trainable")
        self._start = self._copied(beta) if isinstance(beta, Tensor) else _number(beta)
        shape = self._shape(mask)
        if isinstance(self._start, Tensor):
            shape, dtype = tuple(self._start.shape), dtype or self._start.dtype
            if device is None and not torch.empty(0).is_meta:
                device = self._start.device
        if shape is None:
            self.beta = unsized(device, dtype)
            return
        values = torch.empty(shape, device=device, dtype=dtype)
        if self.trainable:
            self.beta = nn.Parameter(values)
        else:
            self.register_buffer("beta", values)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reset ``beta`` to its initial value, if it has a size."""
        if not is_lazy(self.beta):
            fill(self.beta, self._start)

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        """Move ``beta``, which has no size before the first call, to another kind of device."""
        if is_lazy(self.beta):
            empty = fn(torch.empty(0, device=self.beta.device, dtype=self.beta.dtype))
            if "meta" in (empty.device.type, self.beta.device.type):
                self.beta = unsized(empty.device, empty.dtype)
                return self
        parent: Any = super()
        return parent._apply(fn, recurse)

    def _copied(self, beta: Tensor) -> Tensor:
        values = beta.detach().clone()
        if not values.dtype.is_floating_point:
            values = values.to(torch.get_default_dtype())
        if values.ndim not in (0, self.dimensions, self.dimensions + 1):
            raise ShapeError(
                f"beta must have shape (), that of the windows along {self.dimensions} axes, or of "
                f"channels and windows, got shape {tuple(values.shape)}"
            )
        if not values.is_meta and not bool(((values >= 0) & (values <= 1)).all()):
            raise _outside(f"values from {float(values.min()):.4g} to {float(values.max()):.4g}")
        return values

    def _shape(self, mask: bool | Size) -> tuple[int, ...] | None:
        """The shape of ``beta``; None if its size is that of the first result."""
        if mask is True and not self.trainable:
            mask = False  # one number is equivalent
        if mask is True:
            return None
        size = (
            (1,) * self.dimensions if mask is False else per_axis("mask", mask, self.dimensions, 1)
        )
        if mask is False and self.channels is None:
            return ()
        return self._with_channels(size)

    def _with_channels(self, size: Sequence[int]) -> tuple[int, ...]:
        return tuple(size) if self.channels is None else (self.channels, *size)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Load ``beta``, interpolated if it has another number of windows."""
        saved, name = state_dict.get(f"{prefix}beta"), type(self).__name__
        if isinstance(saved, Tensor) and not is_lazy(saved) and not is_lazy(self.beta):
            mask = as_loaded(saved, self.beta.shape, self.dimensions, name)
            state_dict = {**state_dict, f"{prefix}beta": mask}
        super()._load_from_state_dict(state_dict, prefix, *args)

    def initialize_parameters(self, x: Tensor) -> None:
        """Give ``beta`` the size of the windows on this input, if it has none yet."""
        if not is_lazy(self.beta):
            return
        check_axes(self, x)
        outputs = self.windows.plan_for(x.shape).outputs
        self.beta.materialize(self._with_channels(outputs))
        self.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        """Pooled signals, of shape (C, …) or (N, C, …)."""
        check_axes(self, x)
        options: Any = {"beta": self._resized_beta(x), "per_channel": self.per_channel}
        pooled: Tensor = ada_pool(x, *self.windows, **options)
        return pooled

    def mask_for(self, x: Tensor) -> Tensor:
        """``beta`` for signals like ``x``: between 0 and 1, and of the shape of the windows."""
        check_axes(self, x)
        return self._resized_beta(x).clamp(0.0, 1.0)

    def _resized_beta(self, x: Tensor) -> Tensor:
        """``beta`` interpolated to the size of the windows on ``x``; never in half precision."""
        beta: Tensor = self.beta.float() if self.beta.dtype.itemsize < 4 else self.beta
        first = beta.ndim - self.dimensions
        if first >= 0:
            for k, size in enumerate(self.windows.plan_for(x.shape).outputs):
                beta = resized(beta, first + k, size)
        return beta

    def _own_repr(self) -> list[str]:
        size = "of the first result" if is_lazy(self.beta) else tuple(self.beta.shape)
        parts = [f"beta={size}", f"trainable={self.trainable}"]
        parts += [f"channels={self.channels}"] * (self.channels is not None)
        return [*parts, *super()._own_repr()]


def _number(beta: Any) -> float:
    if not isinstance(beta, float | int):
        raise ArgumentTypeError(f"beta must be a number or a tensor, got {type(beta).__name__}")
    if not 0 <= beta <= 1:
        raise _outside(str(beta))
    return float(beta)


def _outside(values: str) -> WindowError:
    return WindowError(f"beta is a share of the result, between 0 and 1, got {values}")


class _AdaUnpool(Layer):
    """The reverse of an AdaPool, with its ``beta``."""

    dimensions: ClassVar[int]

    def __init__(
        self, pool: _AdaPool, up: Interpolation = "nearest", preserve: Preserved = "sum"
    ) -> None:
        super().__init__()
        if not isinstance(pool, _AdaPool) or pool.dimensions != self.dimensions:
            raise ArgumentTypeError(
                f"{type(self).__name__} reverses an AdaPool{self.dimensions}d, got "
                f"{type(pool).__name__}"
            )
        check_reverse(up, preserve)
        self.up, self.preserve = up, preserve
        self.pool = pool

    if TYPE_CHECKING:

        def __call__(self, pooled: Tensor, x: Tensor) -> Tensor: ...

    def forward(self, pooled: Tensor, x: Tensor) -> Tensor:
        """``pooled`` spread over the samples of ``x``, by the weights of these samples."""
        check_axes(self, pooled)
        check_axes(self, x)
        check_numbers(pooled)
        check_numbers(x)
        pool = self.pool
        if not torch.compiler.is_compiling() and is_lazy(pool.beta):
            pool.initialize_parameters(x)
        # The result has the dtype of x.
        pooled = pooled.to(x.dtype if x.is_floating_point() else torch.float64)
        result: Tensor = ada_unpool(
            *(x, pooled, *pool.windows),
            beta=pool._resized_beta(x),
            up=self.up,
            preserve=self.preserve,
            per_channel=pool.per_channel,
        )
        return result

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        return f"up={self.up!r}, preserve={self.preserve!r}"


# --- one, two and three dimensions ---------------------------------------------------------------

_ADA_POOL = r"""
Parameters
----------
$window_parameters
beta : float or Tensor, optional
    The initial share of eDSCW (the rest is eM): one value for all, or the whole mask, of shape
    (), (\*windows) or (C, \*windows).
mask : bool, $size, optional
    ``True``: one ``beta`` per window of the first input. A size: a mask of this size. ``False``:
    one ``beta`` for all windows.
channels : int, optional
    The number of channels, to learn one ``beta`` per channel; all share it by default.
trainable : bool, optional
    Whether ``beta`` is a parameter, or a buffer.
$per_channel
$factory_parameters

Raises
------
WindowError, ArgumentTypeError, ShapeError
    If windows or ``beta`` are not possible (``beta`` is between 0 and 1), or do not fit the input.

See Also
--------
liftwave.pooling.ada_pool : the function, with the formula.

Notes
-----
$window_notes

A mask that takes its size from the first input is an ``UninitializedParameter`` until then, as
in torch's lazy modules: optimizers accept it, and loading a ``state_dict`` sets its size. Pass
the size as ``mask`` to count or initialize parameters, or to use ``DistributedDataParallel``,
before a first call. A ``state_dict`` with a mask of another size is interpolated to the size of
this mask, with a :class:`~liftwave.errors.MaskWarning`.
For inputs of another size the mask is interpolated linearly, like an image. The parameter
keeps its size. It never depends on the batch.

``beta`` is clamped to [0, 1] when it is used. Outside of this range its gradient is zero, and it
can stay there after large optimizer steps: call ``beta.data.clamp_(0, 1)`` after a step.

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer
>>> pool = $layer(2)
>>> tuple(pool(torch.randn($sizes)).shape), tuple(pool.beta.shape)
(($pooled), ($windows))
"""

_ADA_UNPOOL = """
Parameters
----------
pool : AdaPool${d}d
    The layer that is reversed. Both share its windows and its ``beta``.
up : {"nearest", "linear"}, optional
    How pooled values are upsampled: copied to all samples of their window, or interpolated
    between the centres of windows.
preserve : {"sum", "mean"}, optional
    Whether the pooled value is the sum of the samples of its region (as in the paper), or
    their mean.

Raises
------
ArgumentTypeError, WindowError
    If ``pool`` is another kind of layer, or a name is unknown. The call raises
    :class:`ShapeError` if the tensors do not fit.

See Also
--------
liftwave.pooling.ada_unpool : the function, with the formula.

Notes
-----
Called as ``unpool(pooled, x)`` with the pooled tensor and the tensor that was pooled.
Input: shape $shape.

Examples
--------
>>> import torch
>>> from liftwave.torch import AdaPool${d}d, $layer
>>> x = torch.randn($sizes)
>>> pool = AdaPool${d}d(2)
>>> unpool = $layer(pool)
>>> tuple(unpool(pool(x), x).shape) == tuple(x.shape)
True
"""


@documented(_ADA_POOL)
class AdaPool1d(_AdaPool):
    """AdaPool in 1-D: a learned blend of pooling by similarity to the mean and by softmax."""

    dimensions = 1


@documented(_ADA_POOL)
class AdaPool2d(_AdaPool):
    """AdaPool in 2-D: a learned blend of pooling by similarity to the mean and by softmax."""

    dimensions = 2


@documented(_ADA_POOL)
class AdaPool3d(_AdaPool):
    """AdaPool in 3-D: a learned blend of pooling by similarity to the mean and by softmax."""

    dimensions = 3


@documented(_ADA_UNPOOL)
class AdaUnpool1d(_AdaUnpool):
    """AdaUnPool in 1-D: pooled values spread over their regions by the weights of AdaPool."""

    dimensions = 1


@documented(_ADA_UNPOOL)
class AdaUnpool2d(_AdaUnpool):
    """AdaUnPool in 2-D: pooled values spread over their regions by the weights of AdaPool."""

    dimensions = 2


@documented(_ADA_UNPOOL)
class AdaUnpool3d(_AdaUnpool):
    """AdaUnPool in 3-D: pooled values spread over their regions by the weights of AdaPool."""

    dimensions = 3
