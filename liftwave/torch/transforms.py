"""Wavelet transforms as modules: fixed or learnable, channels first, with or without a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, overload

import torch
from torch import Tensor

from liftwave._execute import execute, graph_node
from liftwave._numbers import is_symbol, lengths
from liftwave._operations.call import Call, Structure
from liftwave._operations.learned import analysis_and_taps
from liftwave._operations.plan_transforms import analysis
from liftwave._operations.transform import Transform
from liftwave._plan.axes import axis_plans
from liftwave._plan.lengths import check_interval, check_lifting_mode
from liftwave._typing import Mode, Modes
from liftwave.errors import OptionError, ShapeError, ShapeTypeError
from liftwave.torch._typing import LIST, BandT, Learning, OutputT_co, Packed
from liftwave.torch.docstrings import documented
from liftwave.torch.transform_layers import (
    AnalysisLayer,
    Coefficients,
    LayerWavelet,
    ModePerAxis,
    SynthesisLayer,
)
from liftwave.transforms.structures import BAND_LIST, TRIPLE_LIST, DictList
from liftwave.transforms.synthesis_calls import synthesis_call
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import wavelets_per_axis

STRUCTURES: dict[int, Structure] = {1: BAND_LIST, 2: TRIPLE_LIST, 3: DictList(3)}
"""The structure of coefficients, by number of dimensions."""


@graph_node
def analyse(
    x: Tensor, wavelet: Any, modes: tuple[Mode, ...], level: int, dimensions: int
) -> Coefficients:
    """The coefficients of ``level`` levels along the last axes."""

    def make(wavelet: Any) -> Transform:
        plans = axis_plans(wavelet, modes, tuple(range(-dimensions, 0)), x.ndim)
        return analysis(plans, x.ndim, level)

    arguments = "analysis", modes, level, dimensions, x.ndim
    transform, taps = analysis_and_taps(wavelet, arguments, make)
    coeffs: Coefficients = execute(Call(transform, (x, *taps), STRUCTURES[dimensions]))
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


class Decimated(ModePerAxis):
    """The arguments of a transform with downsampling."""

    def __init__(
        self,
        wavelet: LayerWavelet,
        level: int,
        mode: Modes,
        learn: Learning | None,
        random: bool,
        output: str,
        groups: int,
        device: Any,
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__(wavelet, level, mode, learn, random, output, groups, device, dtype)
        if self._is_checked:
            return
        wavelets = wavelets_per_axis(self._current_wavelet(), self.dimensions)
        for axis_wavelet, axis_mode in zip(wavelets, self.modes, strict=True):
            if isinstance(axis_wavelet, LiftingScheme):
                check_lifting_mode(axis_wavelet, axis_mode)
            elif axis_mode == "orthogonal":
                check_interval(axis_wavelet)


class _Pyramid(Decimated, Generic[OutputT_co]):
    """The arguments of the transform and its inverse."""

    def __init__(
        self,
        wavelet: LayerWavelet = "haar",
        level: int = 1,
        mode: Modes = "symmetric",
        *,
        learn: Learning | None = None,
        random: bool = False,
        output: OutputT_co = LIST,
        groups: int = 1,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(wavelet, level, mode, learn, random, output, groups, device, dtype)
        if self.output != "list" and self.level > 1:
            raise OptionError(
                f"output={output!r} needs bands of equal sizes, got level={level}. Use level=1, "
                "output='list', or an undecimated transform"
            )


class _Analysis(_Pyramid[OutputT_co], AnalysisLayer, Generic[OutputT_co, BandT]):
    """The analysis."""

    if TYPE_CHECKING:

        @overload
        def __call__(self: _Analysis[Literal["list"], BandT], x: Tensor) -> list[BandT]: ...
        @overload
        def __call__(self: _Analysis[Packed, BandT], x: Tensor) -> Tensor: ...
        def __call__(self, x: Tensor) -> Any: ...
        def inverse(self) -> _Synthesis: ...

    def _analyse(self, x: Tensor, wavelet: Any) -> Coefficients:
        return analyse(x, wavelet, self.modes, self.level, self.dimensions)


class _Synthesis(_Pyramid[Any], SynthesisLayer):
    """The synthesis."""

    if TYPE_CHECKING:

        def __call__(
            self, coeffs: Sequence[Any] | Tensor, output_size: Sequence[int] | None = None
        ) -> Tensor: ...

    def forward(
        self, coeffs: Coefficients | Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        """The signal that has these coefficients, with the spatial lengths ``output_size``."""
        x = self._grouped(self._checked(coeffs), self._synthesise)
        return x if output_size is None else self._cropped(x, output_size)

    def _synthesise(self, coeffs: Coefficients, wavelet: Any) -> Tensor:
        return synthesise(coeffs, wavelet, self.modes, self.dimensions)

    def _cropped(self, x: Tensor, size: Sequence[int]) -> Tensor:
        full = x.shape[x.ndim - self.dimensions :]
        size = lengths(size, "output_size", ShapeTypeError)
        if len(size) != self.dimensions or any(
            not 0 <= n - length <= 1 for n, length in zip(full, size, strict=True)
        ):
            raise ShapeError(
                f"output_size must be {tuple(full)}, or one less if the length of the signal "
                f"was odd, got {size}"
            )
        for k, n in enumerate(size):
            x = first_samples(x, k - self.dimensions, n)
        return x


def first_samples(x: Tensor, axis: int, n: int) -> Tensor:
    """The first ``n`` samples along an axis, also if ``n`` is dynamic."""
    if is_symbol(n):  # a view would fix whether n is even, in the graph that is exported
        return x.index_select(axis, torch.arange(n, device=x.device))
    return x.narrow(axis, 0, n)


# --- layers --------------------------------------------------------------------------------------

_DWT = """
Parameters
----------
$wavelet_parameters
$mode_parameter
$learn_parameters
$output_parameter
$groups_parameter

Raises
------
WaveletError, ModeError, LevelError, ConstraintError, OptionError
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

$transform_notes

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
$mode_parameter
$learn_parameters
$output_parameter
$groups_parameter

Raises
------
WaveletError, ModeError, LevelError, ConstraintError, OptionError
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
class DWT1d(_Analysis[OutputT_co, Tensor]):
    """1-D wavelet transform as a layer."""

    dimensions = 1
    inverse_type = IDWT1d


@documented(_DWT)
class DWT2d(_Analysis[OutputT_co, Any]):
    """2-D wavelet transform as a layer."""

    dimensions = 2
    inverse_type = IDWT2d


@documented(_DWT)
class DWT3d(_Analysis[OutputT_co, Any]):
    """3-D wavelet transform as a layer."""

    dimensions = 3
    inverse_type = IDWT3d
