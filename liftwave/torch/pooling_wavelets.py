"""LDW-Pooling as layers: the wavelet transform with learned filters, and attention by energy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from liftwave._plan.arguments import resolve_mode
from liftwave._plan.boundary import Row, signal_row
from liftwave._plan.lift_pool import band_names
from liftwave._typing import Mode
from liftwave.constraints import orthonormal_filters
from liftwave.errors import ArgumentTypeError, DTypeError, OptionError, ShapeError, WaveletError
from liftwave.pooling.calls import EPSILON
from liftwave.pooling.lifting_calls import checked_size, chosen_output
from liftwave.torch.docstrings import documented
from liftwave.torch.pooling_lifting import Bands, complete_bands
from liftwave.torch.pooling_windows import check_axes
from liftwave.torch.transforms import DWT1d, DWT2d, DWT3d
from liftwave.torch.wavelets import (
    FiltersWavelet,
    LearnableWavelet,
    OrthonormalWavelet,
    Symmetry,
)
from liftwave.wavelets.filter_bank import FilterBank

_INITS = ("pretrain", "random")


class _KernelWavelet(FiltersWavelet):
    """Two free filters of any number of taps; an odd one is made even by a zero behind it."""

    def __init__(
        self,
        taps: int,
        init: str,
        weight: float,
        symmetry: Symmetry | None,
        orthonormal: bool,
    ) -> None:
        even = max(taps - taps % 2, 2)
        super().__init__(
            _orthonormal(even),
            random=True,
            weight=weight,
            symmetry=symmetry,
            orthonormal=orthonormal,
        )
        self.name = f"{taps} taps"
        # With zeros at both ends the high-pass of an orthonormal pair changes its sign.
        for name, sign in (("lowpass", 1.0), ("highpass", -1.0)):
            begin = getattr(self, name).detach()
            if init == "random":
                begin = (2 * torch.rand(taps) - 1) * taps**-0.5
            elif taps % 2:
                begin = torch.cat([begin.new_zeros(1), sign * begin])
            setattr(self, name, nn.Parameter(begin))

    def make(self) -> FilterBank:
        """The filter bank of the present filters."""
        low, high = (
            f.float() if f.dtype in (torch.float16, torch.bfloat16) else f
            for f in (self.lowpass, self.highpass)
        )
        if low.numel() % 2:
            low, high = (torch.cat([f, f.new_zeros(1)]) for f in (low, high))
        return FilterBank(low.flip(0), high.flip(0), low, high)


def _orthonormal(taps: int) -> FilterBank:
    """Some orthonormal wavelet of so many taps."""
    return orthonormal_filters([0.1] * (taps // 2 - 1), zero_sum=True)


class _LDWPool(nn.Module):
    """One level of the transform, its input extended where it does not go around."""

    dimensions: ClassVar[int]
    transform_type: ClassVar[Any]

    def __init__(
        self,
        wavelet: Any = 4,
        output: str | None = None,
        bands: Sequence[str] | None = None,
        *,
        learn: str | None = "filters",
        init: str | None = None,
        mode: str = "periodization",
        penalty_weight: float = 1.0,
        symmetry: Symmetry | None = None,
        orthonormal: bool = True,
    ) -> None:
        super().__init__()
        output = "L" * self.dimensions if output is None else output
        chosen, self.bands = chosen_output(output, bands, self.dimensions)
        self._chosen, self.output = chosen.bands, output
        self.mode: Mode = resolve_mode(mode)
        made = _wavelet(wavelet, learn, init, penalty_weight, symmetry, orthonormal)
        self.transform = self.transform_type(made, 1, "periodization")

    @property
    def wavelet(self) -> Any:
        """The learnable wavelet, or the fixed one."""
        return self.transform.wavelet

    @property
    def learn(self) -> str | None:
        """What is learned; None for a fixed wavelet."""
        found: str | None = self.transform.learn
        return found

    def forward(self, x: Tensor) -> Any:
        """The bands of signals of shape (C, …) or (N, C, …), as ``output`` says."""
        _check_signal(self, x)
        every = self._transformed(x)
        chosen = [every[k] for k in self._chosen]
        if self.output == "bands":
            return dict(zip(self.bands, chosen, strict=True))
        if self.output == "concat":
            return torch.cat(chosen, x.ndim - self.dimensions - 1)
        total = chosen[0]
        for band in chosen[1:]:
            total = total + band
        return total

    def _transformed(self, x: Tensor) -> list[Tensor]:
        if self.mode == "periodization":
            return in_order(self.transform(x), self.dimensions)
        halves = [(n + 1) // 2 for n in x.shape[x.ndim - self.dimensions :]]
        reach = _reach(self._taps)
        for axis in range(-self.dimensions, 0):
            n = x.shape[axis]
            x = extended(x, axis, 2 * reach, 2 * reach + n % 2, self.mode)
        found = in_order(self.transform(x), self.dimensions)
        return [_cut(band, [reach] * self.dimensions, halves) for band in found]

    @property
    def _taps(self) -> int:
        wavelet = self.wavelet
        made = wavelet() if isinstance(wavelet, LearnableWavelet) else wavelet
        return int(made.dec_len)

    def extra_repr(self) -> str:
        """What is printed between the parentheses."""
        shown = f"output={self.output!r}"
        if self.output in ("sum", "concat", "bands"):
            shown += f", bands={self.bands!r}"
        return f"{shown}, mode={self.mode!r}"


class _LDWUnpool(nn.Module):
    """The synthesis by the filters of a layer that goes down."""

    dimensions: ClassVar[int]
    pool_type: ClassVar[type[_LDWPool]]

    def __init__(self, pool: _LDWPool) -> None:
        super().__init__()
        if not isinstance(pool, self.pool_type):
            raise ArgumentTypeError(
                f"{type(self).__name__} shares the filters of a {self.pool_type.__name__}, "
                f"got {type(pool).__name__}"
            )
        self.pool = pool
        self.inverse = pool.transform.inverse()

    def forward(self, bands: Bands, output_size: Sequence[int] | None = None) -> Tensor:
        """The signal with these bands; ``output_size``: its lengths along the axes."""
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
        x: Tensor = self.inverse(out_of_order(tensors, self.dimensions))
        return _cut(x, [2 * margin] * self.dimensions, sizes)


def _wavelet(
    wavelet: Any,
    learn: str | None,
    init: str | None,
    weight: float,
    symmetry: Symmetry | None,
    orthonormal: bool,
) -> Any:
    """A learnable wavelet as it is, or one made from a number of taps or a wavelet."""
    if isinstance(wavelet, LearnableWavelet):
        return wavelet
    if learn not in (None, "filters", "orthonormal"):
        raise OptionError(
            f"unknown way to learn {learn!r}: use 'filters', 'orthonormal' or None, or give a "
            "LearnableWavelet"
        )
    if init is not None and (init not in _INITS or learn is None):
        raise OptionError(
            f"init is None, 'pretrain' or 'random', for filters that are learned; got {init!r} "
            f"with learn={learn!r}"
        )
    random = isinstance(wavelet, int) or init is not None
    if isinstance(wavelet, int):
        if wavelet < 2:
            raise WaveletError(f"a filter has at least two taps, got {wavelet}")
        if learn == "filters":
            return _KernelWavelet(wavelet, init or "pretrain", weight, symmetry, orthonormal)
        if learn is None or wavelet % 2:
            raise WaveletError(
                f"{wavelet} taps say no wavelet: orthonormal filters have an even number of taps, "
                "fixed ones need a name"
            )
        wavelet = _orthonormal(wavelet)
    if learn is None:
        return wavelet
    if init == "random" and learn == "filters":
        raise OptionError("init='random' wants a number of taps, not a wavelet")
    if learn == "orthonormal":
        return OrthonormalWavelet(wavelet, random=random)
    return FiltersWavelet(
        wavelet, random=random, weight=weight, symmetry=symmetry, orthonormal=orthonormal
    )


def _check_signal(layer: Any, x: Tensor) -> None:
    check_axes(layer, x)
    if 0 in x.shape[-layer.dimensions - 1 :]:
        raise ShapeError(f"a tensor of shape {tuple(x.shape)} has no samples to pool")
    _check_real(x)


def _check_real(x: Tensor) -> None:
    if x.is_complex():
        raise DTypeError(f"pooling takes real numbers, got {x.dtype}: give two channels each")


def _wide_dtype(x: Tensor) -> torch.dtype:
    """The dtype of computations with ``x``: single or double precision."""
    _check_real(x)
    if not x.is_floating_point():
        return torch.float64
    return torch.promote_types(x.dtype, torch.float32)


def _reach(taps: int) -> int:
    """Coefficients beyond an end that samples inside have a part in."""
    return taps // 2


def in_order(coeffs: list[Any], dimensions: int) -> list[Tensor]:
    """All bands of one level, as ``band_names`` has them, from what the layers give."""
    approx, details = coeffs
    if dimensions == 1:
        return [approx, details]
    if dimensions == 2:
        return [approx, *details]
    keys = [_key(name) for name in band_names(dimensions)]
    return [approx, *(details[key] for key in keys[1:])]


def out_of_order(bands: Sequence[Tensor], dimensions: int) -> list[Any]:
    """The reverse of :func:`in_order`."""
    approx, *details = bands
    if dimensions == 1:
        return [approx, details[0]]
    if dimensions == 2:
        return [approx, tuple(details)]
    keys = [_key(name) for name in band_names(dimensions)]
    return [approx, dict(zip(keys[1:], details, strict=True))]


def _key(name: str) -> str:
    """A band's name as PyWavelets has it: the first axis first."""
    return "".join("a" if letter == "L" else "d" for letter in reversed(name))


def extended(x: Tensor, axis: int, left: int, right: int, mode: Mode) -> Tensor:
    """A signal continued beyond its ends by a boundary mode, differentiably."""
    n = int(x.shape[axis])
    # (Without the cache of extensions, which torch.compile does not look into.)
    before = [signal_row(k, n, mode) for k in range(-left, 0)]
    after = [signal_row(k, n, mode) for k in range(n, n + right)]
    parts = [x]
    if left:
        parts.insert(0, _rows(x, axis, before))
    if right:
        parts.append(_rows(x, axis, after))
    return torch.cat(parts, axis)


def _rows(x: Tensor, axis: int, rows: Sequence[Row]) -> Tensor:
    """Weighted sums of samples, one per row; rows that name few are filled with weight zero."""
    terms: list[Tensor] = []
    shape = [1] * x.ndim
    shape[axis] = len(rows)
    for column in range(max(map(len, rows))):
        pairs = [row[column] if column < len(row) else (0, 0.0) for row in rows]
        where = torch.tensor([index for index, _ in pairs], device=x.device)
        weights = torch.tensor([w for _, w in pairs], dtype=x.dtype, device=x.device)
        terms.append(x.index_select(axis, where) * weights.reshape(shape))
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
    Number of taps, the wavelet where learning starts (or the fixed one, ``learn=None``), or a
    module of :mod:`liftwave.torch` that several layers may share.
output : str, optional
    The name of one band (``"$low"`` by default), ``"sum"`` or ``"concat"`` of the bands along
    channels, ``"bands"`` for a dict of them.
bands : sequence of str, optional
    Which bands, of $bands.
learn : {"filters", "orthonormal", None}, optional
    Both filters, which a penalty keeps close to a wavelet (the paper's); the angles of
    filters that are orthonormal by construction; or nothing.
init : {"pretrain", "random"}, optional
    Whether filters start at a random orthonormal wavelet (the paper's pretraining, default
    for a number of taps), or at any numbers.
mode : str, optional
    Boundary mode. Under ``"periodization"`` an orthonormal wavelet is undone exactly.
penalty_weight, symmetry, orthonormal
    Weight and terms of the penalty (:func:`liftwave.constraints.wavelet_penalty`), which
    :func:`~liftwave.torch.auxiliary_loss` adds up. The paper's: ``symmetry="paper"``,
    ``orthonormal=False``.

Raises
------
OptionError, WaveletError, ModeError
    If an argument is none of these.

Notes
-----
Input: shape $shape. Output: $lengths samples,
:math:`y_k = \sum_i w_i x_{2k + i - \lfloor (K-1)/2 \rfloor}` along each axis.

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer, auxiliary_loss
>>> pool = $layer(4, output="concat")
>>> pool(torch.randn($odd)).shape
torch.Size([$result])
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
    If that is another kind of layer.

Notes
-----
Called as :class:`LiftUpPool${d}d`. It is exact for orthonormal filters under
``"periodization"``, and as exact as the penalty is small otherwise. Under other modes the
bands are extended like the signal, which is exact away from the borders only.

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


@documented(
    _LDW_POOL,
    1,
    low="L",
    bands="``L`` and ``H``",
    lengths="ceil(L / 2)",
    odd="8, 3, 101",
    result="8, 6, 51",
)
class LDWPool1d(_LDWPool):
    """Halve signals by a wavelet whose filters are learned (LDW-Pooling)."""

    dimensions = 1
    transform_type = DWT1d


@documented(
    _LDW_POOL,
    2,
    low="LL",
    bands="``LL``, ``LH``, ``HL``, ``HH`` (the letter of the width first)",
    lengths="ceil(H / 2) times ceil(W / 2)",
    odd="8, 3, 31, 32",
    result="8, 12, 16, 16",
)
class LDWPool2d(_LDWPool):
    """Halve images by a wavelet whose filters are learned (LDW-Pooling)."""

    dimensions = 2
    transform_type = DWT2d


@documented(
    _LDW_POOL,
    3,
    low="LLL",
    bands="``LLL`` to ``HHH`` (letters of the width, the height, the depth)",
    lengths="ceil(D / 2) times ceil(H / 2) times ceil(W / 2)",
    odd="2, 3, 4, 6, 7",
    result="2, 24, 2, 3, 4",
)
class LDWPool3d(_LDWPool):
    """Halve volumes by a wavelet whose filters are learned (LDW-Pooling)."""

    dimensions = 3
    transform_type = DWT3d


@documented(_LDW_UNPOOL, 1, odd="8, 3, 101")
class LDWUnpool1d(_LDWUnpool):
    """The synthesis that belongs to an :class:`LDWPool1d` (reverse LDW-Pooling)."""

    dimensions = 1
    pool_type = LDWPool1d


@documented(_LDW_UNPOOL, 2, odd="8, 3, 31, 32")
class LDWUnpool2d(_LDWUnpool):
    """The synthesis that belongs to an :class:`LDWPool2d` (reverse LDW-Pooling)."""

    dimensions = 2
    pool_type = LDWPool2d


@documented(_LDW_UNPOOL, 3, odd="2, 3, 4, 6, 7")
class LDWUnpool3d(_LDWUnpool):
    """The synthesis that belongs to an :class:`LDWPool3d` (reverse LDW-Pooling)."""

    dimensions = 3
    pool_type = LDWPool3d


# --- attention ------------------------------------------------------------------------------------


class _AnyBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Normalisation of channels, however many axes follow them."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass


class EnergyAttention(nn.Module):
    """Weight channels by their energies, through a small network (squeeze and excitation).

    Parameters
    ----------
    channels : int
        Channels of the input.
    ratio : int, optional
        How many times fewer numbers the squeezed layer has (one at least).
    normalize : bool, optional
        Whether to take the mean of the squares instead of their sum, so that one layer serves
        images of several sizes.
    dimensions : int, optional
        How many axes follow the channels.

    Raises
    ------
    ShapeError
        If a number is not positive.

    See Also
    --------
    liftwave.pooling.energy_attention : the function, with formulas.

    Notes
    -----
    Input and output: shape (C, …) or (N, C, …). Energies are of the batch-normalised input, and
    computed in float32 also where it is of half precision; what is weighted is the input itself.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import EnergyAttention
    >>> EnergyAttention(64)(torch.randn(8, 64, 16, 16)).shape
    torch.Size([8, 64, 16, 16])
    """

    def __init__(
        self, channels: int, ratio: int = 16, normalize: bool = False, dimensions: int = 2
    ) -> None:
        super().__init__()
        if min(channels, ratio, dimensions) < 1:
            raise ShapeError(
                "channels, ratio and dimensions are at least 1, "
                f"got {channels}, {ratio}, {dimensions}"
            )
        self.channels, self.ratio, self.normalize = channels, ratio, normalize
        self.dimensions = dimensions
        inner = max(channels // ratio, 1)
        self.norm = _AnyBatchNorm(channels, eps=EPSILON)
        self.squeeze = nn.Linear(channels, inner)
        self.excite = nn.Linear(inner, channels)

    def forward(self, x: Tensor) -> Tensor:
        """The input, each channel times its weight."""
        dims = self.dimensions
        batched = x.ndim == dims + 2
        if x.ndim not in (dims + 1, dims + 2) or x.shape[-dims - 1] != self.channels:
            raise ShapeError(
                f"EnergyAttention takes tensors of shape ({self.channels}, …) or "
                f"(N, {self.channels}, …) with {dims} axes behind, got shape {tuple(x.shape)}"
            )
        with torch.autocast(x.device.type, enabled=False):
            wide = x.to(_wide_dtype(x))
            wide = wide if batched else wide.unsqueeze(0)
            weight = self._weights(wide)
            weight = weight.reshape(*weight.shape, *(1,) * dims)
            return ((weight if batched else weight.squeeze(0)) * x).to(x.dtype)

    def _weights(self, x: Tensor) -> Tensor:
        over = tuple(range(2, x.ndim))
        squares = self._cast(self.norm, x).square()
        energy = squares.mean(over) if self.normalize else squares.sum(over)
        hidden = self._cast(self.squeeze, energy).relu()
        return self._cast(self.excite, hidden).sigmoid()

    @staticmethod
    def _cast(layer: nn.Module, x: Tensor) -> Tensor:
        """The layer on what its parameters can take, its result in the dtype of ``x``."""
        dtype = next(layer.parameters()).dtype
        result: Tensor = layer(x.to(dtype))
        return result.to(x.dtype)

    def extra_repr(self) -> str:
        """What is printed between the parentheses."""
        return f"{self.channels}, ratio={self.ratio}, normalize={self.normalize}"
