"""The maximal overlap transform as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, overload

import torch
from torch import Tensor

from liftwave._execute import graph_node
from liftwave.torch._typing import LIST, Learning, OutputT_co, Packed
from liftwave.torch.docstrings import documented
from liftwave.torch.transform_layers import (
    AnalysisLayer,
    Coefficients,
    LayerWavelet,
    SynthesisLayer,
    TransformLayer,
)
from liftwave.transforms.dwt import dwt, idwt
from liftwave.transforms.modwt import Edges, analysis_call, imodwt, modwt, plans_of
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme


class _MaximalOverlap(TransformLayer, Generic[OutputT_co]):
    """The arguments of the maximal overlap transform."""

    def __init__(
        self,
        wavelet: LayerWavelet = "sym4",
        level: int = 1,
        mode: Edges = "periodic",
        *,
        learn: Learning | None = None,
        random: bool = False,
        output: OutputT_co = LIST,
        groups: int = 1,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(wavelet, level, learn, random, output, groups, device, dtype)
        self.mode = mode
        if self._is_checked:
            return
        plans = plans_of(self._current_wavelet(), 0, 1)
        analysis_call(torch.ones(1), plans, 1, mode)  # raises for arguments that are not valid

    def _current_wavelets(self) -> list[Any]:
        """The wavelet of each group: the filter banks of learned schemes."""
        wavelets = super()._current_wavelets()
        if not self.learn:
            return wavelets
        like = self.wavelet.any_tensor
        return [
            filter_bank_of(wavelet, like) if isinstance(wavelet, LiftingScheme) else wavelet
            for wavelet in wavelets
        ]


@graph_node
def filter_bank_of(scheme: LiftingScheme, like: Tensor) -> FilterBank:
    """The filters of a scheme whose taps are tensors: the impulse responses of its transforms.

    ``like`` has the device of the taps.
    """
    n, half = scheme.dec_len, scheme.dec_len // 2
    dtype = torch.promote_types(like.dtype, torch.float32)
    impulses = torch.eye(2 * n, dtype=dtype, device=like.device)
    # The coefficient in the middle: filters of n taps do not reach the ends of 2 n samples.
    window, middle, none = slice(half + 1, half + 1 + n), impulses[half, :n], impulses[n, :n]
    analysis = dwt(impulses, scheme, "periodization")
    low, high = (band[window, half].flip(0) for band in analysis)
    pairs = (middle, none), (none, middle)
    rec_low, rec_high = (idwt(*pair, scheme, "periodization")[window] for pair in pairs)
    return FilterBank(low, high, rec_low, rec_high, scheme.name)


class _MODWT(_MaximalOverlap[OutputT_co], AnalysisLayer):
    """The analysis."""

    if TYPE_CHECKING:

        @overload
        def __call__(self: _MODWT[Literal["list"]], x: Tensor) -> list[Tensor]: ...
        @overload
        def __call__(self: _MODWT[Packed], x: Tensor) -> Tensor: ...
        def __call__(self, x: Tensor) -> Any: ...
        def inverse(self) -> _IMODWT: ...

    def _analyse(self, x: Tensor, wavelet: Any) -> Coefficients:
        return modwt(x, wavelet, self.level, mode=self.mode)


class _IMODWT(_MaximalOverlap[Any], SynthesisLayer):
    """The synthesis."""

    if TYPE_CHECKING:

        def __call__(self, coeffs: Sequence[Any] | Tensor) -> Tensor: ...

    def forward(self, coeffs: Coefficients | Tensor) -> Tensor:
        """The signal that has these coefficients."""
        return self._grouped(self._checked(coeffs), self._synthesise)

    def _synthesise(self, coeffs: Coefficients, wavelet: Any) -> Tensor:
        signal: Tensor = imodwt(coeffs, wavelet, mode=self.mode)
        return signal


# --- layers --------------------------------------------------------------------------------------

_MAXIMAL_OVERLAP = """
Parameters
----------
wavelet : str, pywt.Wavelet, FilterBank or LearnableWavelet
    The wavelet, in any form that the functions accept; ``"sym4"`` by default. A
    :class:`LearnableWavelet` is shared with other modules that hold it.
level : int, optional
    Number of levels; 1 by default.
mode : {"periodic", "reflection"}, optional
    ``"reflection"`` transforms the signal followed by its mirror image. The bands then have twice
    the samples of the signal.
$learn_parameters
$output_parameter
$groups_parameter

Raises
------
WaveletError, ModeError, LevelError, ConstraintError, OptionError
    If the wavelet, mode or level does not exist, a fixed wavelet is a lifting scheme, or ``learn``
    does not support the wavelet. The call raises :class:`ShapeError` if its input does not fit.
"""

_MODWT_TEMPLATE = (
    _MAXIMAL_OVERLAP
    + """
See Also
--------
liftwave.modwt : the function.
liftwave.modwt_shifts : the delays of the bands.
IMODWT1d : the inverse layer; ``modwt.inverse()`` returns it with the same (shared) wavelet.

Notes
-----
Input: shape (C, L) or (N, C, L).
Output: as from ``lw.modwt``, coarsest first, each band with the channels of the input:
``[V_n, W_n, …, W_1]``.

With ``learn="linear-phase"`` or ``"lifting"`` the filters are those of the learned lifting scheme.

$transform_notes

Examples
--------
>>> import torch
>>> from liftwave.torch import MODWT1d
>>> modwt = MODWT1d("db2", level=3, learn="orthonormal")
>>> x = torch.randn(8, 3, 101)
>>> bands = modwt(x)
>>> len(bands), tuple(bands[0].shape)
(4, (8, 3, 101))
>>> energy = sum(band.square().sum() for band in bands)
>>> torch.allclose(energy, x.square().sum(), rtol=1e-4)
True
>>> torch.allclose(modwt.inverse()(bands), x, atol=1e-5)
True
"""
)

_IMODWT_TEMPLATE = (
    _MAXIMAL_OVERLAP
    + """
See Also
--------
liftwave.imodwt : the function.
MODWT1d : the transform; ``modwt.inverse()`` returns its inverse with the same (shared) wavelet.

Notes
-----
Call it with the result of the transform, in which each band has the shape (C, L) or (N, C, L):
``[V_n, W_n, …, W_1]``.
$missing

Examples
--------
>>> import torch
>>> from liftwave.torch import MODWT1d, IMODWT1d
>>> x = torch.randn(8, 3, 101)
>>> bands = MODWT1d("haar", level=2, mode="reflection")(x)
>>> torch.allclose(IMODWT1d("haar", level=2, mode="reflection")(bands), x, atol=1e-5)
True
"""
)


@documented(_IMODWT_TEMPLATE)
class IMODWT1d(_IMODWT):
    """Inverse maximal overlap wavelet transform as a layer."""

    dimensions = 1


@documented(_MODWT_TEMPLATE)
class MODWT1d(_MODWT[OutputT_co]):
    """Maximal overlap wavelet transform as a layer."""

    dimensions = 1
    inverse_type = IMODWT1d
