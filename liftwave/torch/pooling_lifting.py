"""LiftPool as layers: downsampling by learned lifting, and its exact inverse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import torch
from torch import Tensor

from liftwave._plan.lift_pool import band_names
from liftwave.errors import ArgumentTypeError, OptionError, ShapeError
from liftwave.pooling import lift_up
from liftwave.pooling.lifting_arguments import (
    check_bands,
)
from liftwave.torch._typing import LiftT_co, Pooled
from liftwave.torch.docstrings import documented
from liftwave.torch.inputs import check_axes, check_tensor
from liftwave.torch.leaf import Layer
from liftwave.torch.lift_down import LiftDownLayer

Bands: TypeAlias = "Mapping[str, Tensor] | Sequence[Tensor] | Tensor"


class _LiftUpPool(Layer):
    """The inverse, with the parameters of a downsampling layer."""

    dimensions: ClassVar[int]
    down_type: ClassVar[type[LiftDownLayer[Any]]]

    def __init__(self, down: LiftDownLayer[Pooled]) -> None:
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
    compiled graphs, whose filters are not known. On a GPU, where reading the filters would wait
    for the device, ``"auto"`` is True.
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
class LiftDownPool1d(LiftDownLayer[LiftT_co]):
    """Halve signals by learned lifting (LiftDownPool)."""

    dimensions = 1


@documented(_LIFT_DOWN)
class LiftDownPool2d(LiftDownLayer[LiftT_co]):
    """Halve images by learned lifting (LiftDownPool)."""

    dimensions = 2


@documented(_LIFT_DOWN)
class LiftDownPool3d(LiftDownLayer[LiftT_co]):
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
