"""Wavelet transforms as modules: fixed or learnable, channels first, with or without a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, TypeAlias

from torch import Tensor, nn

from liftwave._execute import execute, graph_node
from liftwave._operations.call import Call, Structure
from liftwave._operations.transform import analysis
from liftwave._plan.arguments import modes_per_axis, natural_level
from liftwave._plan.axes import axis_plans
from liftwave._plan.lengths import check_lifting_mode
from liftwave._typing import Mode, Modes
from liftwave.errors import LevelError, ShapeError, WaveletError
from liftwave.torch.docstrings import documented
from liftwave.torch.wavelets import LearnableWavelet, fixed, learnable
from liftwave.transforms.calls import synthesis_call
from liftwave.transforms.structures import BAND_LIST, TRIPLE_LIST, DictList
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import WaveletLike, wavelets_per_axis

Coefficients: TypeAlias = "list[Any]"
"""``[cA_n, details of level n, …, details of level 1]``, as the functions return them."""


class _Transform(nn.Module):
    """The common arguments of analysis and synthesis."""

    dimensions: ClassVar[int]

    def __init__(
        self,
        wavelet: WaveletLike | Sequence[WaveletLike] | LearnableWavelet = "haar",
        level: int = 1,
        mode: Modes = "symmetric",
        *,
        learn: str | None = None,
        random: bool = False,
    ) -> None:
        super().__init__()
        self.level = natural_level(level)
        if self.level < 1:
            raise LevelError(f"a layer needs at least one level, got {level}")
        self.modes = modes_per_axis(mode, self.dimensions)
        self.wavelet = self._wavelet(wavelet, learn, random)
        wavelets = wavelets_per_axis(self._current_wavelet(), self.dimensions)
        for axis_wavelet, axis_mode in zip(wavelets, self.modes, strict=True):
            if isinstance(axis_wavelet, LiftingScheme):
                check_lifting_mode(axis_wavelet, axis_mode)

    def _current_wavelet(self) -> Any:
        """The wavelet, or one per axis, with the current parameters."""
        return self.wavelet() if isinstance(self.wavelet, LearnableWavelet) else self.wavelet

    def _wavelet(self, wavelet: Any, learn: str | None, random: bool) -> Any:
        if isinstance(wavelet, LearnableWavelet):
            if learn not in (None, wavelet.learn) or random:
                raise WaveletError(f"{wavelet} is learnable already: do not pass learn={learn!r}")
            return wavelet
        if learn is not None:
            return learnable(wavelet, learn, random)
        if random:
            raise WaveletError("random=True needs learned parameters: pass learn=...")
        return fixed(wavelet)

    @property
    def learn(self) -> str | None:
        """The kind of learned parameters; None for a fixed wavelet."""
        return self.wavelet.learn if isinstance(self.wavelet, LearnableWavelet) else None

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        names = [w.name or repr(w) for w in _each(self.wavelet)]
        mode = self.modes[0] if len(set(self.modes)) == 1 else self.modes
        name = names[0] if len(names) == 1 else tuple(names)
        return f"{name!r}, level={self.level}, mode={mode!r}, learn={self.learn!r}"

    def _check_dimensions(self, ndim: int, shape: Sequence[int], what: str) -> None:
        if ndim not in (self.dimensions + 1, self.dimensions + 2):
            names = ("D, H, W", "H, W", "L")[3 - self.dimensions]
            raise ShapeError(
                f"{type(self).__name__} takes {what} of shape (C, {names}) or (N, C, {names}), "
                f"got shape {tuple(shape)}"
            )


def _each(wavelet: Any) -> Sequence[Any]:
    return wavelet if isinstance(wavelet, tuple) else (wavelet,)


STRUCTURES: dict[int, Structure] = {1: BAND_LIST, 2: TRIPLE_LIST, 3: DictList(3)}
"""The structure of coefficients, by number of dimensions."""


@graph_node
def analyse(
    x: Tensor, wavelet: Any, modes: tuple[Mode, ...], level: int, dimensions: int
) -> Coefficients:
    """The coefficients of ``level`` levels along the last axes."""
    plans = axis_plans(wavelet, modes, tuple(range(-dimensions, 0)), x.ndim)
    transform = analysis(plans, x.ndim, level)
    coeffs: Coefficients = execute(Call(transform, (x,), STRUCTURES[dimensions]))
    return coeffs


@graph_node
def synthesise(
    coeffs: Coefficients, wavelet: Any, modes: tuple[Mode, ...], dimensions: int
) -> Tensor:
    """The signal that has these coefficients. Some of them can be missing."""
    structure = STRUCTURES[dimensions]
    bands = structure.unpack(coeffs)
    ndim = next(band.ndim for band in bands if band is not None)
    plans = axis_plans(wavelet, modes, tuple(range(-dimensions, 0)), ndim)
    signal: Tensor = execute(synthesis_call(bands, plans, ndim, structure))
    return signal


def _bands(coeffs: Coefficients) -> Iterator[Tensor | None]:
    """All bands, level by level."""
    for item in coeffs:
        if isinstance(item, dict):
            yield from item.values()
        elif isinstance(item, list | tuple):
            yield from item
        else:
            yield item


class _Analysis(_Transform):
    """The analysis: from a signal to bands."""

    inverse_type: ClassVar[type[_Synthesis]]

    def forward(self, x: Tensor) -> Coefficients:
        """The coefficients of signals of shape (C, …) or (N, C, …)."""
        self._check_dimensions(x.ndim, x.shape, "signals")
        wavelet = self._current_wavelet()
        return analyse(x, wavelet, self.modes, self.level, self.dimensions)

    def inverse(self) -> _Synthesis:
        """The inverse module, with the same (shared) wavelet."""
        return self.inverse_type(self.wavelet, self.level, self.modes)


class _Synthesis(_Transform):
    """The synthesis: from bands to a signal."""

    def forward(self, coeffs: Coefficients, output_size: Sequence[int] | None = None) -> Tensor:
        """The signal that has these coefficients, with the spatial lengths ``output_size``."""
        if len(coeffs) != self.level + 1:
            raise ShapeError(
                f"{type(self).__name__} of {self.level} levels takes a list of {self.level + 1}, "
                f"an approximation and details of each level, got {len(coeffs)}"
            )
        coeffs = [coeffs[0], *map(self._details, coeffs[1:])]
        bands = [band for band in _bands(coeffs) if band is not None]
        if not bands:
            raise ShapeError("at least one band is needed, all are None")
        for band in bands:
            self._check_dimensions(band.ndim, band.shape, "bands")
        x = synthesise(coeffs, self._current_wavelet(), self.modes, self.dimensions)
        return x if output_size is None else self._cropped(x, output_size)

    def _details(self, details: Any) -> Any:
        """The details of one level. Some or all of them can be ``None``."""
        if self.dimensions == 2 and details is None:
            return (None, None, None)
        if self.dimensions == 3:
            return {k: band for k, band in (details or {}).items() if band is not None}
        return details

    def _cropped(self, x: Tensor, size: Sequence[int]) -> Tensor:
        lengths = x.shape[x.ndim - self.dimensions :]
        if len(size) != self.dimensions or any(
            n - length not in (0, 1) for n, length in zip(lengths, size, strict=True)
        ):
            raise ShapeError(
                f"output_size has to be {tuple(lengths)}, or one less where the signal's length "
                f"was odd, got {tuple(size)}"
            )
        for k, n in enumerate(size):
            x = x.narrow(k - self.dimensions, 0, n)
        return x


# --- layers --------------------------------------------------------------------------------------

_DWT = """
Parameters
----------
$wavelet_parameters

Raises
------
WaveletError, ModeError, LevelError, ConstraintError
    If the wavelet, mode or level does not exist, or ``learn`` does not support the wavelet. The
    call raises :class:`ShapeError` if the input has another number of dimensions.

See Also
--------
liftwave.$transform : the function.
I$layer : the inverse layer; ``dwt.inverse()`` returns it with the same (shared) wavelet.

Notes
-----
Input: shape $shape.
Output: as from ``lw.$transform``, coarsest first, each with the channels of the input:
$coefficients.$names

Half precision is computed in float32 and returned in half precision. Autocast has no effect.

A fixed wavelet is a constant of full precision: it has no parameters and no entries in
``state_dict``.

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer
>>> dwt = $layer("db2", mode="periodization", learn="orthonormal")
>>> $one_level = dwt(torch.randn($sizes))
>>> tuple(cA.shape)
($pooled)
>>> $details
$details_result
>>> [tuple(p.shape) for p in dwt.parameters()]  # the angles
[(1,)]
"""

_IDWT = """
Parameters
----------
$wavelet_parameters

Raises
------
WaveletError, ModeError, LevelError, ConstraintError
    If the wavelet, mode or level does not exist, or ``learn`` does not support the wavelet. The
    call raises :class:`ShapeError` if bands or ``output_size`` do not fit.

See Also
--------
liftwave.$inverse : the function.
DWT${d}d : the transform; ``dwt.inverse()`` returns its inverse with the same (shared) wavelet.

Notes
-----
Call it with the result of the transform:
$coefficients.
$missing

If a length of the signal can be odd, also pass ``output_size=x.shape[-$d:]``, as for
``torch.nn.MaxUnpool${d}d``. Only the coefficients of a lifting scheme determine the lengths.

Examples
--------
>>> import torch
>>> from liftwave.torch import DWT${d}d, $layer
>>> x = torch.randn($odd)
>>> coeffs = DWT${d}d("haar", level=2)(x)
>>> y = $layer("haar", level=2)(coeffs, output_size=x.shape[-$d:])
>>> torch.allclose(y, x, atol=1e-5)
True
>>> dwt = DWT${d}d("cdf9.7", mode="reflect", learn="lifting")
>>> torch.allclose(dwt.inverse()(dwt(x)), x, atol=1e-5)  # lifting determines the lengths
True
"""


@documented(_IDWT)
class IDWT1d(_Synthesis):
    """Inverse 1-D wavelet transform as a layer."""

    dimensions = 1


@documented(_IDWT)
class IDWT2d(_Synthesis):
    """Inverse 2-D wavelet transform as a layer."""

    dimensions = 2


@documented(_IDWT)
class IDWT3d(_Synthesis):
    """Inverse 3-D wavelet transform as a layer."""

    dimensions = 3


@documented(_DWT)
class DWT1d(_Analysis):
    """1-D wavelet transform as a layer."""

    dimensions = 1
    inverse_type = IDWT1d


@documented(_DWT)
class DWT2d(_Analysis):
    """2-D wavelet transform as a layer."""

    dimensions = 2
    inverse_type = IDWT2d


@documented(_DWT)
class DWT3d(_Analysis):
    """3-D wavelet transform as a layer."""

    dimensions = 3
    inverse_type = IDWT3d
