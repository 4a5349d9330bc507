"""LiftPool as layers: down by learned lifting, and exactly up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import torch
from torch import Tensor, nn

from liftwave._dispatch import bridge
from liftwave._plan.lift_pool import LiftPoolPlan, band_names
from liftwave.errors import ArgumentTypeError, DTypeError, OptionError, ShapeError
from liftwave.pooling.lifting import (
    REDUCTIONS,
    LiftFilters,
    checked_padding,
    checked_size,
    chosen_output,
    lift_filters,
)

_bridge = bridge()
_lift_pool = _bridge.lift_pool

Init: TypeAlias = Literal["wavelet", "random"]
Bands: TypeAlias = "Mapping[str, Tensor] | Sequence[Tensor] | Tensor"


class _LiftDownPool(nn.Module):
    """Parameters, and one call of the operator."""

    dimensions: ClassVar[int]
    weight: Tensor
    bias: Tensor
    gain: Tensor
    offset: Tensor

    def __init__(
        self,
        channels: int,
        kernel_size: int = 5,
        output: str = "sum",
        bands: Sequence[str] | None = None,
        *,
        padding: str = "reflect",
        shared: bool = False,
        init: Init = "wavelet",
        penalty_weights: tuple[float, float] = (0.01, 0.1),
        reduction: str = "mean",
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self._output, self._names = chosen_output(output, bands, self.dimensions)
        self.channels, self.kernel_size, self.output = channels, kernel_size, output
        self.bands, self.padding = self._names, checked_padding(padding)
        self.shared, self.init = shared, _one_of("init", init, ("wavelet", "random"))
        self.reduction = _one_of("reduction", reduction, REDUCTIONS)
        update, predict = penalty_weights
        self.penalty_weights = float(update), float(predict)
        begin = lift_filters(channels, kernel_size, self.dimensions, shared=shared)
        for name, values in begin._asdict().items():
            made = torch.as_tensor(values, dtype=dtype or torch.get_default_dtype(), device=device)
            self.register_parameter(name, nn.Parameter(made))
        self._penalty: Tensor | None = None
        if init == "random":
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin again: at a wavelet, or at random as torch's convolutions do."""
        begin = lift_filters(self.channels, self.kernel_size, self.dimensions, shared=self.shared)
        limit = self.kernel_size**-0.5
        with torch.no_grad():
            for name, values in begin._asdict().items():
                parameter = getattr(self, name)
                if self.init == "random":
                    most = limit if name in ("weight", "bias") else 1.0
                    parameter.uniform_(-most, most)
                else:
                    parameter.copy_(torch.as_tensor(values))

    @property
    def filters(self) -> LiftFilters:
        """The parameters as the functions of ``liftwave.pooling`` take them."""
        return LiftFilters(self.weight, self.bias, self.gain, self.offset)

    def forward(self, x: Tensor) -> Any:
        """The bands of signals of shape (C, …) or (N, C, …), as ``output`` says."""
        check_signal(self, x, self.channels)
        batched = x.ndim == self.dimensions + 2
        compute = compute_dtype(x)
        ready = x.to(compute)
        ready = ready if batched else ready.unsqueeze(0)
        plan = self._plan(ready.shape[2:])
        penalised = self.training and any(self.penalty_weights)
        given, sums = _lift_pool.lift_down(
            ready, self._packed(compute), plan, self._output, penalised
        )
        planes = ready.shape[0] * self.channels
        self._penalty = None if sums is None else self._weighted(sums, plan.counts(planes))
        dtype = x.dtype if x.is_floating_point() else compute
        given = [y.to(dtype) if batched else y.squeeze(0).to(dtype) for y in given]
        if self.output == "bands":
            return dict(zip(self._names, given, strict=True))
        return given[0]

    def penalty(self) -> Tensor:
        """The weighted penalties of the last call in training; zero if there was none."""
        if self._penalty is None:
            return self.weight.new_zeros(())
        return self._penalty

    def _plan(self, sizes: Sequence[int]) -> LiftPoolPlan:
        return LiftPoolPlan(tuple(sizes), self.kernel_size, self.padding, self.shared)

    def _packed(self, dtype: torch.dtype) -> Tensor:
        """The parameters for data of this dtype: in single precision for half precision."""
        own = (self.bias.unsqueeze(-1), self.gain.unsqueeze(-1), self.offset.unsqueeze(-1))
        wide = torch.promote_types(dtype, torch.float32)
        return torch.cat([self.weight, *own], -1).to(wide)

    def _weighted(self, sums: Tensor, counts: Sequence[int]) -> Tensor:
        if self.reduction == "mean":
            sums = torch.stack([row / max(n, 1) for row, n in zip(sums, counts, strict=True)])
        elif self.reduction == "norm":
            there = sums > 0
            sums = torch.where(there, torch.where(there, sums, 1.0).sqrt(), 0.0)
        update, predict = self.penalty_weights
        return update * sums[:, 0].sum() + predict * sums[:, 1].sum()

    def __getstate__(self) -> dict[str, Any]:
        """Without the last penalty, which belongs to a call."""
        return {**self.__dict__, "_penalty": None}

    def extra_repr(self) -> str:
        """What is printed between the parentheses."""
        shown = f"{self.channels}, kernel_size={self.kernel_size}, output={self.output!r}"
        if self._names != band_names(self.dimensions) and self.output not in self._names:
            shown += f", bands={self._names!r}"
        for name, default in (("padding", "reflect"), ("shared", False), ("init", "wavelet")):
            if getattr(self, name) != default:
                shown += f", {name}={getattr(self, name)!r}"
        return f"{shown}, penalty_weights={self.penalty_weights}"


class _LiftUpPool(nn.Module):
    """The way back, by the parameters of a layer that goes down."""

    dimensions: ClassVar[int]
    down_type: ClassVar[type[_LiftDownPool]]

    def __init__(self, down: _LiftDownPool) -> None:
        super().__init__()
        if not isinstance(down, self.down_type):
            raise ArgumentTypeError(
                f"{type(self).__name__} shares the parameters of a {self.down_type.__name__}, "
                f"got {type(down).__name__}"
            )
        self.down = down

    def forward(self, bands: Bands, output_size: Sequence[int] | None = None) -> Tensor:
        """The signal with these bands; ``output_size``: its lengths along the axes."""
        down = self.down
        given = named_bands(self, bands)
        for band in given:
            check_signal(self, band, down.channels)
        first = given[0]
        batched = first.ndim == self.dimensions + 2
        dtype = compute_dtype(*given)
        ready = [(b if batched else b.unsqueeze(0)).to(dtype) for b in given]
        sizes = checked_size(ready[0].shape[2:], output_size)
        x: Tensor = _lift_pool.lift_up(ready, down._packed(dtype), down._plan(sizes))
        x = x if batched else x.squeeze(0)
        return x.to(first.dtype) if first.is_floating_point() else x


# --- what pooling layers share --------------------------------------------------------------------


def _one_of(name: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise OptionError(f"unknown {name} {value!r}: use one of {', '.join(map(repr, known))}")
    return value


def compute_dtype(*tensors: Tensor) -> torch.dtype:
    """The one dtype in which kernels get these."""
    dtype = tensors[0].dtype
    for x in tensors[1:]:
        dtype = torch.promote_types(dtype, x.dtype)
    if dtype.is_complex:
        raise DTypeError(f"pooling takes real numbers, got {dtype}: give two channels each")
    if not dtype.is_floating_point:
        return torch.float64
    found: torch.dtype = _bridge.compute_dtype(dtype, tensors[0])
    return found


def check_signal(layer: Any, x: Tensor, channels: int | None) -> None:
    """Raise unless ``x`` is of shape (C, …) or (N, C, …)."""
    dims = layer.dimensions
    names = ("D, H, W", "H, W", "L")[3 - dims]
    shown = "C" if channels is None else str(channels)
    fits = x.ndim in (dims + 1, dims + 2)
    if not fits or (channels is not None and x.shape[-dims - 1] != channels):
        raise ShapeError(
            f"{type(layer).__name__} takes tensors of shape ({shown}, {names}) or "
            f"(N, {shown}, {names}), got shape {tuple(x.shape)}"
        )
    if 0 in x.shape[-dims - 1 :]:
        raise ShapeError(f"a tensor of shape {tuple(x.shape)} has no samples to pool")


def named_bands(layer: Any, bands: Bands) -> list[Tensor]:
    """All bands in order, from a dict, a sequence, or one tensor with them along the channels."""
    names = band_names(layer.dimensions)
    if isinstance(bands, Tensor):
        axis, count = bands.ndim - layer.dimensions - 1, len(names)
        if axis not in (0, 1) or bands.shape[axis] % count:
            raise ShapeError(
                f"{type(layer).__name__} takes {count} bands, by name, in a sequence, or along "
                f"the channels of one tensor; got shape {tuple(bands.shape)}"
            )
        return list(bands.chunk(count, axis))
    if isinstance(bands, Mapping):
        if unknown := [name for name in bands if name not in names]:
            raise OptionError(f"no band {unknown[0]!r}: the bands are {', '.join(names)}")
        given = [bands.get(name) for name in names]
    elif isinstance(bands, list | tuple) and len(bands) == len(names):
        given = list(bands)
    else:
        raise ArgumentTypeError(
            f"{type(layer).__name__} takes the bands {', '.join(names)}, by name or in this "
            f"order, got {type(bands).__name__}"
        )
    first = next((band for band in given if band is not None), None)
    if first is None:
        raise ShapeError("at least one band has to be there, all are missing")
    shapes = {tuple(band.shape) for band in given if band is not None}
    if len(shapes) > 1:
        raise ShapeError(f"all bands have one shape, got {', '.join(map(str, sorted(shapes)))}")
    return [torch.zeros_like(first) if band is None else band for band in given]


# --- layers ---------------------------------------------------------------------------------------


class LiftDownPool1d(_LiftDownPool):
    """Halve signals by learned lifting, as :class:`LiftDownPool2d`.

    Parameters
    ----------
    channels, kernel_size, output, bands, padding, shared, init, penalty_weights, reduction
        As for :class:`LiftDownPool2d`; the bands are ``L`` and ``H``.

    Notes
    -----
    Input: shape (C, L) or (N, C, L).

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import LiftDownPool1d
    >>> LiftDownPool1d(3)(torch.randn(8, 3, 101)).shape
    torch.Size([8, 3, 51])
    """

    dimensions = 1


class LiftDownPool2d(_LiftDownPool):
    r"""Halve images by learned lifting (LiftDownPool).

    Parameters
    ----------
    channels : int
        Channels of the input; each has predictors and updaters of its own.
    kernel_size : int, optional
        Number of weights of each predictor and updater.
    output : str, optional
        ``"sum"`` (default) or ``"concat"`` of the bands along channels, ``"bands"`` for a dict of
        them, or the name of one band.
    bands : sequence of str, optional
        Which bands, of ``LL``, ``LH``, ``HL``, ``HH`` (the letter of the width first); all by
        default.
    padding : {"reflect", "zeros", "replicate", "circular"}, optional
        What predictors and updaters read beyond the ends.
    shared : bool, optional
        Whether all passes share one predictor and one updater.
    init : {"wavelet", "random"}, optional
        Where learning begins: at CDF 5/3 (for signals that are not negative), or at random, as
        torch's convolutions do.
    penalty_weights : (float, float), optional
        Weights of :math:`c_u` and :math:`c_p`, which
        :func:`~liftwave.torch.auxiliary_loss` adds up.
    reduction : {"mean", "sum", "norm"}, optional
        The penalties: mean or sum of the squares of a pass, or its root.
    device, dtype : optional
        Of the parameters.

    Raises
    ------
    OptionError, BandError, ShapeError
        If an argument is none of these.

    See Also
    --------
    liftwave.pooling.lift_down : the function, with formulas.

    Notes
    -----
    Input: shape (C, H, W) or (N, C, H, W). Output: ceil(H / 2) times ceil(W / 2). Half precision
    is computed in float32 and given back in half.

    Penalties are computed along in training mode, and are those of the last call.

    Where all bands are given, only they are kept for the way back; otherwise the input is.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import LiftDownPool2d
    >>> pool = LiftDownPool2d(64, kernel_size=5)
    >>> pool(torch.randn(8, 64, 32, 33)).shape
    torch.Size([8, 64, 16, 17])
    >>> sum(p.numel() for p in pool.parameters())
    3072
    """

    dimensions = 2


class LiftDownPool3d(_LiftDownPool):
    """Halve volumes by learned lifting, as :class:`LiftDownPool2d`.

    Parameters
    ----------
    channels, kernel_size, output, bands, padding, shared, init, penalty_weights, reduction
        As for :class:`LiftDownPool2d`; the bands are ``LLL`` to ``HHH``, letters of W, H, D.

    Notes
    -----
    Input: shape (C, D, H, W) or (N, C, D, H, W).

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import LiftDownPool3d
    >>> LiftDownPool3d(2, output="LLL")(torch.randn(2, 5, 8, 8)).shape
    torch.Size([2, 3, 4, 4])
    """

    dimensions = 3


class LiftUpPool1d(_LiftUpPool):
    """Undo a :class:`LiftDownPool1d`, as :class:`LiftUpPool2d`.

    Parameters
    ----------
    down : LiftDownPool1d
        Whose parameters are shared.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import LiftDownPool1d, LiftUpPool1d
    >>> down = LiftDownPool1d(3, output="bands")
    >>> x = torch.randn(8, 3, 101)
    >>> torch.allclose(LiftUpPool1d(down)(down(x), [101]), x, atol=1e-5)
    True
    """

    dimensions = 1
    down_type = LiftDownPool1d


class LiftUpPool2d(_LiftUpPool):
    """Undo a :class:`LiftDownPool2d` exactly, whatever its parameters are (LiftUpPool).

    Parameters
    ----------
    down : LiftDownPool2d
        Whose parameters are shared.

    Raises
    ------
    ArgumentTypeError
        If that is another kind of layer.

    Notes
    -----
    Called with the bands: a dict by name (missing ones are zero), a sequence of all of them, or
    one tensor that has them along its channels (``output="concat"``); and with
    ``output_size=x.shape[-2:]`` where that may be odd. In a decoder ``LL`` may come from elsewhere.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import LiftDownPool2d, LiftUpPool2d
    >>> down = LiftDownPool2d(3, output="bands")
    >>> up = LiftUpPool2d(down)
    >>> x = torch.randn(8, 3, 31, 32)
    >>> bands = down(x)
    >>> torch.allclose(up(bands, x.shape[-2:]), x, atol=1e-5)
    True
    """

    dimensions = 2
    down_type = LiftDownPool2d


class LiftUpPool3d(_LiftUpPool):
    """Undo a :class:`LiftDownPool3d`, as :class:`LiftUpPool2d`.

    Parameters
    ----------
    down : LiftDownPool3d
        Whose parameters are shared.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import LiftDownPool3d, LiftUpPool3d
    >>> down = LiftDownPool3d(1, output="concat")
    >>> x = torch.randn(2, 1, 4, 6, 8)
    >>> torch.allclose(LiftUpPool3d(down)(down(x)), x, atol=1e-5)
    True
    """

    dimensions = 3
    down_type = LiftDownPool3d
