"""LDW-Pooling as layers: the wavelet transform with learned filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, overload

import torch
from torch import Tensor

from liftwave._bridge.tensors import HALF_PRECISION
from liftwave._kernels.reference.rows import extended_by_terms
from liftwave._plan.arguments import resolve_mode
from liftwave._plan.boundary import Row, check_extends, signal_row
from liftwave._plan.lift_pool import band_names
from liftwave._typing import Mode, ModeLike
from liftwave.errors import ArgumentTypeError, ShapeError
from liftwave.pooling.lifting_arguments import checked_size, chosen_output
from liftwave.torch._typing import FIRST_BAND, FilterLearning, Joined, LDWT_co, Pooled
from liftwave.torch.docstrings import documented
from liftwave.torch.inputs import check_axes, check_factory, check_real
from liftwave.torch.leaf import Layer
from liftwave.torch.pooling_filters import pooled_bands, pooling_wavelet
from liftwave.torch.pooling_lifting import Bands, complete_bands
from liftwave.torch.transform_layers import from_band_list, key_of
from liftwave.torch.transforms import DWT1d, DWT2d, DWT3d
from liftwave.torch.wavelets import LearnableWavelet, Symmetry
from liftwave.wavelets.resolve import WaveletLike


class _LDWPool(Layer, Generic[LDWT_co]):
    """One level of the transform. Its input is extended under modes that are not periodic."""

    dimensions: ClassVar[int]
    transform_type: ClassVar[Any]

    def __init__(
        self,
        wavelet: int | WaveletLike | LearnableWavelet = 4,
        output: LDWT_co = FIRST_BAND,
        bands: Sequence[str] | None = None,
        *,
        learn: FilterLearning | None = "filters",
        init: Literal["pretrain", "random"] | None = None,
        mode: ModeLike = "periodization",
        penalty_weight: float = 1.0,
        symmetry: Symmetry | None = None,
        orthonormal: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_factory(device, dtype)
        self.output: str = "L" * self.dimensions if output is None else output
        lift_output, self.bands = chosen_output(self.output, bands, self.dimensions)
        names = band_names(self.dimensions)
        keys = [key_of(names[k]) for k in lift_output.bands]
        low = "a" * self.dimensions
        self._has_approx = low in keys
        self._details = tuple(sorted(set(keys) - {low}))
        self._places = [sorted(keys).index(key) for key in keys]
        self.mode: Mode = resolve_mode(mode)
        check_extends(self.mode, type(self).__name__)
        options = (learn, init, penalty_weight, symmetry, orthonormal, device, dtype)
        self.transform = self.transform_type(pooling_wavelet(wavelet, *options), 1, "periodization")
        # Exported programs cannot be saved if they hold a wavelet that is not used.
        self._taps = int(self._bank().dec_len)

    def reset_parameters(self) -> None:
        """Reset the learned filters to their initial values, or to new random ones."""
        self.transform.reset_parameters()

    @property
    def wavelet(self) -> Any:
        """The learnable wavelet, or the fixed one."""
        return self.transform.wavelet

    @property
    def learn(self) -> str | None:
        """The kind of learned parameters; None for a fixed wavelet."""
        learn: str | None = self.transform.learn
        return learn

    if TYPE_CHECKING:

        @overload
        def __call__(self: _LDWPool[Joined | None], x: Tensor) -> Tensor: ...
        @overload
        def __call__(self: _LDWPool[Literal["bands"]], x: Tensor) -> dict[str, Tensor]: ...
        def __call__(self, x: Tensor) -> Any: ...

    def forward(self, x: Tensor) -> Any:
        """The bands of signals of shape (C, …) or (N, C, …), in the form of ``output``."""
        _check_signal(self, x)
        if x.dtype in HALF_PRECISION:  # sums and extensions are in single precision, too
            result = self._forward(x.float())
            if isinstance(result, dict):
                return {name: band.to(x.dtype) for name, band in result.items()}
            return result.to(x.dtype)
        return self._forward(x)

    def _forward(self, x: Tensor) -> Any:
        parts = self._transformed(x)
        if self.output == "bands":
            return dict(zip(self.bands, parts, strict=True))
        if self.output == "concat":
            return torch.cat(parts, x.ndim - self.dimensions - 1)
        total = parts[0]
        for band in parts[1:]:
            total = total + band
        return total

    def _transformed(self, x: Tensor) -> list[Tensor]:
        if self.mode == "periodization":
            return self._pooled(x)
        halves = [(n + 1) // 2 for n in x.shape[x.ndim - self.dimensions :]]
        reach = _reach(self._taps)
        for axis in range(-self.dimensions, 0):
            n = x.shape[axis]
            more = n % 2 if type(n) is int else 1  # an even number in place of a symbol is a guard
            x = extended(x, axis, 2 * reach, 2 * reach + more, self.mode)
        return [_cut(band, [reach] * self.dimensions, halves) for band in self._pooled(x)]

    def _pooled(self, x: Tensor) -> list[Tensor]:
        """The wanted bands, computed without the others."""
        bands = pooled_bands(x, self._bank(), self._details, self._has_approx, self.dimensions)
        return [bands[k] for k in self._places]

    def _bank(self) -> Any:
        wavelet = self.wavelet
        return wavelet() if isinstance(wavelet, LearnableWavelet) else wavelet

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        text = f"output={self.output!r}"
        if self.output in ("sum", "concat", "bands"):
            text += f", bands={self.bands!r}"
        return f"{text}, mode={self.mode!r}"


class _LDWUnpool(Layer):
    """The synthesis with the filters of a downsampling layer."""

    dimensions: ClassVar[int]
    pool_type: ClassVar[type[_LDWPool[Any]]]

    def __init__(self, pool: _LDWPool[Pooled | None]) -> None:
        super().__init__()
        if not isinstance(pool, self.pool_type):
            raise ArgumentTypeError(
                f"{type(self).__name__} shares the filters of a {self.pool_type.__name__}, "
                f"got {type(pool).__name__}"
            )
        self.pool = pool
        self.inverse = pool.transform.inverse()

    if TYPE_CHECKING:

        def __call__(self, bands: Bands, output_size: Sequence[int] | None = None) -> Tensor: ...

    def forward(self, bands: Bands, output_size: Sequence[int] | None = None) -> Tensor:
        """The signal that has these bands, with the spatial lengths ``output_size``."""
        tensors = complete_bands(self, bands)
        for band in tensors:
            _check_signal(self, band)
        halves = tensors[0].shape[tensors[0].ndim - self.dimensions :]
        sizes = checked_size(halves, output_size)
        mode, margin = self.pool.mode, 0
        if mode != "periodization":
            margin = _reach(self.pool._taps)
            for axis in range(-self.dimensions, 0):
                tensors = [extended(band, axis, margin, margin, mode) for band in tensors]
        x: Tensor = self.inverse(from_band_list(tensors, self.dimensions))
        return _cut(x, [2 * margin] * self.dimensions, sizes)


def _check_signal(layer: Any, x: Tensor) -> None:
    check_axes(layer, x)
    if 0 in x.shape[-layer.dimensions - 1 :]:
        raise ShapeError(f"a tensor of shape {tuple(x.shape)} has no samples to pool")
    check_real(x)


def _reach(taps: int) -> int:
    """The number of coefficients beyond an end that depend on samples inside."""
    return taps // 2


def extended(x: Tensor, axis: int, left: int, right: int, mode: Mode) -> Tensor:
    """A signal extended by a boundary mode, differentiably."""
    n = x.shape[axis]
    if type(n) is not int:  # a symbol of an exported graph
        result: Tensor = extended_by_terms(x, axis % x.ndim, left, right, mode)
        return result
    # The cached extensions are not used here: torch.compile cannot trace caches.
    before = [signal_row(k, n, mode) for k in range(-left, 0)]
    after = [signal_row(k, n, mode) for k in range(n, n + right)]
    parts = [x]
    if left:
        parts.insert(0, _in_memory_order(_rows(x, axis, before), x))
    if right:
        parts.append(_in_memory_order(_rows(x, axis, after), x))
    return torch.cat(parts, axis)


def _in_memory_order(rows: Tensor, x: Tensor) -> Tensor:
    """Rows with the channels last in memory if those of ``x`` are. Their union then is, too."""
    # Not by memory formats, which vmap does not support.
    if x.is_contiguous() or x.ndim < 4 or x.stride(1) != 1:
        return rows
    return rows.movedim(1, -1).contiguous().movedim(-1, 1)


def _rows(x: Tensor, axis: int, rows: Sequence[Row]) -> Tensor:
    """Weighted sums of samples, one per row. Short rows are padded with zero weights."""
    terms: list[Tensor] = []
    shape = [1] * x.ndim
    shape[axis] = len(rows)
    for column in range(max(map(len, rows))):
        pairs = [row[column] if column < len(row) else (0, 0.0) for row in rows]
        indices = torch.tensor([index for index, _ in pairs], device=x.device)
        weights = torch.tensor([w for _, w in pairs], dtype=x.dtype, device=x.device)
        terms.append(x.index_select(axis, indices) * weights.reshape(shape))
    if not terms:
        shape = list(x.shape)
        shape[axis] = len(rows)
        return x.new_zeros(shape)
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _cut(x: Tensor, starts: Sequence[int], lengths: Sequence[int]) -> Tensor:
    for k, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        x = x.narrow(k - len(lengths), start, length)
    return x


# --- layers --------------------------------------------------------------------------------------

_LDW_POOL = r"""
Parameters
----------
wavelet : int, str, pywt.Wavelet, FilterBank or LearnableWavelet, optional
    Number of taps; the initial wavelet (or the fixed one with ``learn=None``); or a module of
    :mod:`liftwave.torch` that several layers can share.
output : str, optional
    The name of one band (``"$low"`` by default), ``"sum"`` or ``"concat"`` of the bands along
    channels, ``"bands"`` for a dict of bands.
bands : sequence of str, optional
    Some of the bands; all by default:
    $bands.
learn : {"filters", "orthonormal", None}, optional
    The learned parameters: both filters, which a penalty keeps close to a wavelet (as in the
    paper); the angles of filters that are orthonormal by construction; or none.
init : {"pretrain", "random"}, optional
    Whether filters start at a random orthonormal wavelet (the pretraining of the paper, the
    default for a number of taps), or at arbitrary random numbers.
mode : str, optional
    Boundary mode. Under ``"periodization"`` an orthonormal wavelet is undone exactly.
penalty_weight, symmetry, orthonormal
    Weight and terms of the penalty (:func:`liftwave.constraints.wavelet_penalty`), which
    :func:`~liftwave.torch.auxiliary_loss` adds up. Those of the paper are
    ``symmetry="paper"``, ``orthonormal=False``. By default there is no term of symmetry, because
    only two taps can be both symmetric and orthonormal, and only orthonormal filters reconstruct.
    Symmetric filters need ``symmetry="linear-phase"``, ``orthonormal=False``.
$factory_parameters

Raises
------
OptionError, WaveletError, ModeError, ConstraintError
    If an argument is not valid, or filters cannot meet both ``symmetry`` and ``orthonormal``.

Notes
-----
Input: shape $shape.
Output: $lengths samples,
:math:`y_k = \sum_i w_i x_{2k + i - \lfloor (K-1)/2 \rfloor}` along each axis.

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer, auxiliary_loss
>>> pool = $layer(4, output="concat")
>>> pool(torch.randn($odd)).shape
torch.Size([$concatenated])
>>> bool(auxiliary_loss(pool) < 1e-6)
True
"""

_LDW_UNPOOL = """
Parameters
----------
pool : LDWPool${d}d
    The layer whose filters are shared.

Raises
------
ArgumentTypeError
    If ``pool`` is another kind of layer.

Notes
-----
$band_notes

Under ``"periodization"`` the layer is exact for orthonormal filters. For other filters the error
decreases with the penalty. Under other modes the bands are extended like the signal, which is
exact only away from the borders.

Examples
--------
>>> import torch
>>> from liftwave.torch import LDWPool${d}d, $layer
>>> pool = LDWPool${d}d(4, output="bands")
>>> x = torch.randn($odd)
>>> y = $layer(pool)(pool(x), x.shape[-$d:])
>>> torch.allclose(y, x, atol=1e-5)  # pretrained filters are orthonormal
True
"""


@documented(_LDW_POOL)
class LDWPool1d(_LDWPool[LDWT_co]):
    """Halve signals by a wavelet with learned filters (LDW-Pooling)."""

    dimensions = 1
    transform_type = DWT1d


@documented(_LDW_POOL)
class LDWPool2d(_LDWPool[LDWT_co]):
    """Halve images by a wavelet with learned filters (LDW-Pooling)."""

    dimensions = 2
    transform_type = DWT2d


@documented(_LDW_POOL)
class LDWPool3d(_LDWPool[LDWT_co]):
    """Halve volumes by a wavelet with learned filters (LDW-Pooling)."""

    dimensions = 3
    transform_type = DWT3d


@documented(_LDW_UNPOOL)
class LDWUnpool1d(_LDWUnpool):
    """The synthesis that belongs to an :class:`LDWPool1d` (reverse LDW-Pooling)."""

    dimensions = 1
    pool_type = LDWPool1d


@documented(_LDW_UNPOOL)
class LDWUnpool2d(_LDWUnpool):
    """The synthesis that belongs to an :class:`LDWPool2d` (reverse LDW-Pooling)."""

    dimensions = 2
    pool_type = LDWPool2d


@documented(_LDW_UNPOOL)
class LDWUnpool3d(_LDWUnpool):
    """The synthesis that belongs to an :class:`LDWPool3d` (reverse LDW-Pooling)."""

    dimensions = 3
    pool_type = LDWPool3d
