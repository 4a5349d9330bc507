"""LiftPool as layers: downsampling by learned lifting, and its exact inverse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeAlias, overload

import torch
from torch import Tensor, nn

from liftwave._bridge.tensors import HALF_PRECISION
from liftwave._numbers import flag, is_one_of, items, positive_number, real_number
from liftwave._operations.lift_pool import Reversible
from liftwave._plan.lift_pool import band_names
from liftwave.errors import ArgumentTypeError, OptionError, ShapeError
from liftwave.pooling import LiftFilters, lift_filters, lift_up
from liftwave.pooling.lifting_arguments import (
    LINEAR_RANGE,
    REDUCTIONS,
    check_bands,
    checked_padding,
    checked_range,
    checked_reversible,
    chosen_output,
)
from liftwave.pooling.lifting_calls import run_lift_down
from liftwave.torch._typing import SUM, Joined, LiftT_co, Pooled
from liftwave.torch.docstrings import documented
from liftwave.torch.inputs import check_axes, check_factory, check_tensor, fill
from liftwave.torch.leaf import Layer
from liftwave.torch.penalties import CallPenaltyLayer, Penalties

Init: TypeAlias = Literal["wavelet", "random"]
Bands: TypeAlias = "Mapping[str, Tensor] | Sequence[Tensor] | Tensor"


class _LiftDownPool(CallPenaltyLayer, Generic[LiftT_co]):
    """Parameters, and a call of :func:`lift_down`."""

    dimensions: ClassVar[int]
    weight: Tensor
    bias: Tensor
    gain: Tensor
    offset: Tensor
    linear_range: Tensor

    def __init__(
        self,
        channels: int,
        kernel_size: int = 5,
        output: LiftT_co = SUM,
        bands: Sequence[str] | None = None,
        *,
        padding: str = "reflect",
        shared: bool = False,
        init: Init = "wavelet",
        linear_range: float | None = None,
        penalty_weights: tuple[float, float] = (0.01, 0.1),
        reduction: str = "mean",
        return_penalty: bool = False,
        reversible: Reversible = "auto",
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.output: str = output
        _, self.bands = chosen_output(self.output, bands, self.dimensions)
        self._bands = None if bands is None else self.bands
        self.padding = checked_padding(padding)
        self.channels = positive_number(channels, "channels", ShapeError)
        self.kernel_size = positive_number(kernel_size, "kernel_size", ShapeError)
        self.shared = flag(shared, "shared")
        self.init = _one_of("init", init, ("wavelet", "random"))
        self.reduction = _one_of("reduction", reduction, REDUCTIONS)
        self.penalty_weights = _pair(penalty_weights)
        self.return_penalty = flag(return_penalty, "return_penalty")
        self.reversible = checked_reversible(reversible)
        if linear_range is None:
            linear_range = LINEAR_RANGE if init == "wavelet" else 0.0
        self._range = checked_range(linear_range)
        check_factory(device, dtype)
        like: dict[str, Any] = {"dtype": dtype or torch.get_default_dtype(), "device": device}
        for name, values in self._first()._asdict().items():
            self.register_parameter(name, nn.Parameter(torch.as_tensor(values, **like)))
        self.register_buffer("linear_range", torch.full((), self._range, **like))
        self.penalties = Penalties()
        if init == "random":
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Reset the parameters: to a wavelet, or at random like torch's convolutions."""
        first = self._first()
        limit = self.kernel_size**-0.5
        with torch.no_grad():
            self.linear_range.fill_(self._range)
            for name, values in first._asdict().items():
                parameter = getattr(self, name)
                if self.init == "random":
                    most = limit if name in ("weight", "bias") else 1.0
                    parameter.uniform_(-most, most)
                else:
                    fill(parameter, values)

    def _first(self) -> LiftFilters:
        """The initial parameters: bias and offset are relative to the linear range."""
        size = (self.channels, self.kernel_size, self.dimensions)
        return lift_filters(*size, shared=self.shared, linear_range=0.0)

    @property
    def filters(self) -> LiftFilters:
        """The parameters in the paper's form, for the functions of ``liftwave.pooling``."""
        bias, gain, offset = self.bias, self.gain, self.offset
        if bias.dtype in HALF_PRECISION:  # too coarse for a sum with the linear range
            bias, gain, offset = bias.float(), gain.float(), offset.float()
        offset = torch.addcmul(offset, gain, self.linear_range.to(gain), value=-1)
        return LiftFilters(self.weight, bias + self.linear_range, gain, offset)

    if TYPE_CHECKING:

        @overload
        def __call__(self: _LiftDownPool[Joined], x: Tensor) -> Tensor: ...
        @overload
        def __call__(self: _LiftDownPool[Literal["bands"]], x: Tensor) -> dict[str, Tensor]: ...
        def __call__(self, x: Tensor) -> Any: ...

    def forward(self, x: Tensor) -> Any:
        """The bands of signals of shape (C, ...) or (N, C, ...), in the form of ``output``."""
        check_axes(self, x, self.channels)
        has_penalty = self.training and any(self.penalty_weights)
        filters = self.filters
        reduction = self.reduction if has_penalty else None
        form, place = (self.output, self._bands), (self.padding, self.dimensions)
        result = run_lift_down(x, filters, *form, *place, reduction, self.reversible)
        penalty = None
        if has_penalty:
            result, (update, predict) = result
            weights = self.penalty_weights
            penalty = weights[0] * update + weights[1] * predict
        if self.return_penalty:
            return result, self._no_penalty() if penalty is None else penalty
        if penalty is not None:
            self.penalties.add(self, (x, *filters), penalty)
        elif not self.penalties.collecting:
            self.penalties.clear()
        return result

    def penalty(self) -> Tensor:
        """The weighted penalties of the last call in training, or of all collected calls.

        Zero before the first call.
        """
        total = self.penalties.total(self, by_mean=self.reduction == "mean")
        return self._no_penalty() if total is None else total

    def _no_penalty(self) -> Tensor:
        return torch.zeros((), dtype=self.weight.dtype, device=self.weight.device)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *arguments: Any
    ) -> None:
        """Load a state; one without a linear range has its ReLU at zero."""
        bias = state_dict.get(f"{prefix}bias")
        if isinstance(bias, Tensor):
            state_dict.setdefault(f"{prefix}linear_range", bias.new_zeros(()))
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        text = f"{self.channels}, kernel_size={self.kernel_size}, output={self.output!r}"
        if self._bands is not None and self.bands != band_names(self.dimensions):
            text += f", bands={self.bands!r}"
        for name, default in (("padding", "reflect"), ("shared", False), ("init", "wavelet")):
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)!r}"
        if self.reversible != "auto":
            text += f", reversible={self.reversible}"
        if self._range != (LINEAR_RANGE if self.init == "wavelet" else 0.0):
            text += f", linear_range={self._range}"
        return f"{text}, penalty_weights={self.penalty_weights}"


class _LiftUpPool(Layer):
    """The inverse, with the parameters of a downsampling layer."""

    dimensions: ClassVar[int]
    down_type: ClassVar[type[_LiftDownPool[Any]]]

    def __init__(self, down: _LiftDownPool[Pooled]) -> None:
        super().__init__()
        if not isinstance(down, self.down_type):
            raise ArgumentTypeError(
                f"{type(self).__name__} shares the parameters of a {self.down_type.__name__}, "
                f"got {type(down).__name__}"
            )
        self.down = down

    if TYPE_CHECKING:

        def __call__(self, bands: Bands, output_size: Sequence[int] | None = None) -> Tensor: ...

    def forward(self, bands: Bands, output_size: Sequence[int] | None = None) -> Tensor:
        """The signal that has these bands, with the spatial lengths ``output_size``."""
        tensors = complete_bands(self, bands)
        for band in tensors:
            check_axes(self, band, self.down.channels)
        x: Tensor = lift_up(
            *(tensors, self.down.filters, output_size),
            padding=self.down.padding,
            dimensions=self.dimensions,
            reversible=self.down.reversible,
        )
        return x.to(tensors[0].dtype) if tensors[0].is_floating_point() else x


# --- common to layers with bands -----------------------------------------------------------------


def _one_of(name: str, value: str, choices: Sequence[str]) -> str:
    if not is_one_of(value, choices):
        raise OptionError(f"unknown {name} {value!r}: use one of {', '.join(map(repr, choices))}")
    return value


def _pair(weights: Any) -> tuple[float, float]:
    demand = "penalty_weights must be a pair of numbers"
    numbers = [real_number(w, demand) for w in items(weights, demand)]
    if len(numbers) != 2:
        raise ArgumentTypeError(f"{demand}, got {len(numbers)} numbers")
    return numbers[0], numbers[1]


def complete_bands(layer: Any, bands: Bands) -> list[Tensor]:
    """All bands in order, from a dict, a sequence, or one tensor with bands along the channels.

    Missing bands are zeros.

    Raises
    ------
    ShapeError, OptionError, ArgumentTypeError
        If they are not the bands of signals of this layer.
    """
    names = band_names(layer.dimensions)
    if isinstance(bands, Tensor):
        check_tensor(layer, bands, "tensors as bands")
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
        tensors = [bands.get(name) for name in names]
    elif isinstance(bands, list | tuple) and len(bands) == len(names):
        tensors = list(bands)
    else:
        raise ArgumentTypeError(
            f"{type(layer).__name__} takes the bands {', '.join(names)}, by name or in this "
            f"order, got {type(bands).__name__}"
        )
    first = next((band for band in tensors if band is not None), None)
    if first is None:
        raise ShapeError("at least one band is needed, all are missing")
    for band in tensors:
        if band is not None:
            check_tensor(layer, band, "tensors as bands")
    check_bands([band for band in tensors if band is not None])
    return [torch.zeros_like(first) if band is None else band for band in tensors]


# --- layers --------------------------------------------------------------------------------------

_LIFT_DOWN = r"""
Parameters
----------
channels : int
    Channels of the input. Each has its own predictors and updaters.
kernel_size : int, optional
    Number of weights of each predictor and updater.
output : str, optional
    ``"sum"`` (default) or ``"concat"`` of the bands along channels, ``"bands"`` for a dict of
    bands, or the name of one band.
bands : sequence of str, optional
    Some of the bands; all by default:
    $bands.
padding : {"reflect", "zeros", "replicate", "circular", "signal"}, optional
    The extension that predictors and updaters read beyond the ends: of the even samples and of the
    details, or, with ``"signal"``, of the signal, reflected about its end samples.
shared : bool, optional
    Whether all passes share one predictor and one updater.
init : {"wavelet", "random"}, optional
    The initial filters: those of the wavelet CDF 5/3, or random ones, like torch's convolutions.
linear_range : float, optional
    How far below zero the sums in the ReLU can be before it cuts them; by default 64 for a
    wavelet, and 0 for random filters.
penalty_weights : (float, float), optional
    Weights of :math:`c_u` and :math:`c_p`, which
    :func:`~liftwave.torch.auxiliary_loss` adds up.
reduction : {"mean", "sum", "norm"}, optional
    The penalties: mean or sum of the squares of a pass, or the root of the sum.
return_penalty : bool, optional
    Whether the layer returns its penalty, instead of keeping it for
    :func:`~liftwave.torch.auxiliary_loss`.
reversible : {"auto", True, False}, optional
    Whether gradients rebuild the input from all bands. ``"auto"`` stores the input instead if the
    gains of the filters are so large that less than half of its digits can be left, and in
    compiled graphs, whose filters are not known. Kernels on a GPU undo the steps in any case.
device, dtype : optional
    Device and dtype of the parameters.

Raises
------
OptionError, BandError, ShapeError
    If an argument is not valid.

See Also
--------
liftwave.pooling.lift_down : the function, with formulas.

Notes
-----
Input: shape $shape.
Output: $lengths samples.
Half precision is computed in float32 and returned in half precision.

Predictors and updaters are
:math:`a \bigl(\max(0, w * v + b + r) - r\bigr) + e`, with the parameters :math:`w` (``weight``),
:math:`b` (``bias``), :math:`a` (``gain``), :math:`e` (``offset``), and the constant :math:`r`, the
linear range. The paper's form is ``linear_range=0``. Both are the same functions; ``filters`` has
the parameters in the paper's form. A ReLU at zero would cut the negative half of the details, so
that the layer would not begin as a wavelet. With :math:`r` beyond the size of all sums, it begins
as :math:`w * v`, and learning does not depend on :math:`r`.

For samples of size :math:`m` the sums are of size :math:`2^{$d - 1} m` at most. The start is the
transform by ``LiftingScheme.from_name("cdf5.3")`` without its scales, for ``padding="signal"`` in
mode ``"reflect"``. Other paddings differ at the ends.

Penalties are computed in training mode only. They belong to the last call, or to all calls under
:func:`~liftwave.torch.collect_penalties`. With ``return_penalty=True`` the layer returns a pair
``(result, penalty)`` instead, where the penalty is zero outside of training. This is the form for
``torch.utils.checkpoint`` with ``use_reentrant=True``, and for ``torch.func``.

If the output has all bands, the derivative is computed from them and the input is not stored
(see ``reversible``).

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer
>>> $layer(3)(torch.randn($odd)).shape
torch.Size([$halved])
>>> band = $layer(3, output="$low")(torch.randn($odd))
>>> band.shape
torch.Size([$halved])
"""

_LIFT_UP = """
Parameters
----------
down : LiftDownPool${d}d
    The layer whose parameters are shared.

Raises
------
ArgumentTypeError
    If ``down`` is another kind of layer.

Notes
-----
$band_notes

Examples
--------
>>> import torch
>>> from liftwave.torch import LiftDownPool${d}d, $layer
>>> down = LiftDownPool${d}d(3, output="bands")
>>> up = $layer(down)
>>> x = torch.randn($odd)
>>> bands = down(x)
>>> torch.allclose(up(bands, x.shape[-$d:]), x, atol=1e-5)
True
"""


@documented(_LIFT_DOWN)
class LiftDownPool1d(_LiftDownPool[LiftT_co]):
    """Halve signals by learned lifting (LiftDownPool)."""

    dimensions = 1


@documented(_LIFT_DOWN)
class LiftDownPool2d(_LiftDownPool[LiftT_co]):
    """Halve images by learned lifting (LiftDownPool)."""

    dimensions = 2


@documented(_LIFT_DOWN)
class LiftDownPool3d(_LiftDownPool[LiftT_co]):
    """Halve volumes by learned lifting (LiftDownPool)."""

    dimensions = 3


@documented(_LIFT_UP)
class LiftUpPool1d(_LiftUpPool):
    """Undo a :class:`LiftDownPool1d` exactly, for any parameters (LiftUpPool)."""

    dimensions = 1
    down_type = LiftDownPool1d


@documented(_LIFT_UP)
class LiftUpPool2d(_LiftUpPool):
    """Undo a :class:`LiftDownPool2d` exactly, for any parameters (LiftUpPool)."""

    dimensions = 2
    down_type = LiftDownPool2d


@documented(_LIFT_UP)
class LiftUpPool3d(_LiftUpPool):
    """Undo a :class:`LiftDownPool3d` exactly, for any parameters (LiftUpPool)."""

    dimensions = 3
    down_type = LiftDownPool3d
