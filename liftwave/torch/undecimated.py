"""Undecimated (stationary) transforms as modules: each band has the shape of the signal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, overload

import torch
from torch import Tensor

from liftwave._numbers import flag
from liftwave._typing import Modes
from liftwave.torch._typing import LIST, BandT, Learning, OutputT_co, Packed
from liftwave.torch.docstrings import documented
from liftwave.torch.transform_layers import (
    AnalysisLayer,
    Coefficients,
    LayerWavelet,
    ModePerAxis,
    SynthesisLayer,
)
from liftwave.transforms import undecimated_calls as calls
from liftwave.transforms.undecimated import iswt, iswt2, iswtn, swt, swt2, swtn
from liftwave.transforms.undecimated_modes import check_periodic, is_lifting


class _Stationary(ModePerAxis, Generic[OutputT_co]):
    """The arguments of the stationary transform."""

    options = ("mode", "norm", "output")

    def __init__(
        self,
        wavelet: LayerWavelet = "haar",
        level: int = 1,
        mode: Modes = "periodization",
        *,
        norm: bool = False,
        learn: Learning | None = None,
        random: bool = False,
        output: OutputT_co = LIST,
        groups: int = 1,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(wavelet, level, mode, learn, random, output, groups, device, dtype)
        self.norm = flag(norm, "norm")
        if not self._is_checked:
            self._check()

    def _check(self) -> None:
        """Raise the errors of the function for arguments that are not valid."""
        x = torch.ones((1,) * self.dimensions)
        calls.swtn(x, self._current_wavelet(), 1, norm=self.norm, mode=self.mode)


class _SWT(_Stationary[OutputT_co], AnalysisLayer, Generic[OutputT_co, BandT]):
    """The analysis."""

    if TYPE_CHECKING:

        @overload
        def __call__(self: _SWT[Literal["list"], BandT], x: Tensor) -> list[BandT]: ...
        @overload
        def __call__(self: _SWT[Packed, BandT], x: Tensor) -> Tensor: ...
        def __call__(self, x: Tensor) -> Any: ...
        def inverse(self) -> _ISWT: ...

    def _analyse(self, x: Tensor, wavelet: Any) -> Coefficients:
        level, axes, norm = self.level, self._axes, self.norm
        if self.dimensions == 1:
            return swt(x, wavelet, level, trim_approx=True, norm=norm, mode=self.modes[0])
        transform = swt2 if self.dimensions == 2 else swtn
        return transform(x, wavelet, level, axes=axes, trim_approx=True, norm=norm, mode=self.mode)


class _ISWT(_Stationary[Any], SynthesisLayer):
    """The synthesis."""

    def _check(self) -> None:
        super()._check()
        if not is_lifting(self._current_wavelet()):
            check_periodic(type(self).__name__, self.mode)

    if TYPE_CHECKING:

        def __call__(self, coeffs: Sequence[Any] | Tensor) -> Tensor: ...

    def forward(self, coeffs: Coefficients | Tensor) -> Tensor:
        """The signal that has these coefficients."""
        return self._grouped(self._checked(coeffs), self._synthesise)

    def _synthesise(self, coeffs: Coefficients, wavelet: Any) -> Tensor:
        if self.dimensions == 1:
            signal: Tensor = iswt(coeffs, wavelet, self.norm, mode=self.modes[0])
        else:
            inverse = iswt2 if self.dimensions == 2 else iswtn
            signal = inverse(coeffs, wavelet, norm=self.norm, axes=self._axes, mode=self.mode)
        return signal


# --- layers --------------------------------------------------------------------------------------

_STATIONARY = """
Parameters
----------
$wavelet_parameters
mode : $mode, optional
    Boundary mode, for all axes or for each. Default ``"periodization"``, the only mode in which
    filter banks have an inverse. Lifting schemes have an inverse in each mode of lifting.
norm : bool, optional
    Whether to divide the filters by the square root of 2. With an orthonormal wavelet, the
    coefficients then have the energy of the signal.
$learn_parameters
$output_parameter
$groups_parameter

Raises
------
WaveletError, ModeError, LevelError, ConstraintError, OptionError
    If the wavelet, mode or level does not exist, or ``learn`` does not support the wavelet. The
    call raises :class:`ShapeError` if its input does not fit.

Warns
-----
NormWarning
    If ``norm`` is set and a fixed wavelet is not orthogonal.
"""

_SWT_TEMPLATE = (
    _STATIONARY
    + """
See Also
--------
liftwave.$undecimated : the function.
I$layer : the inverse layer; ``swt.inverse()`` returns it with the same (shared) wavelet.

Notes
-----
Input: shape $shape.
Output: as from ``lw.$undecimated`` with ``trim_approx=True``, coarsest first, each band with the
shape of the input:
$coefficients.$names

With ``"periodization"``, a circular shift of the input shifts all bands.

$transform_notes

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer
>>> swt = $layer("db2", level=2, norm=True, learn="orthonormal")
>>> x = torch.randn($odd)
>>> coeffs = swt(x)
>>> len(coeffs), tuple(coeffs[0].shape)
(3, ($odd))
>>> torch.allclose(swt.inverse()(coeffs), x, atol=1e-5)
True
>>> [tuple(p.shape) for p in swt.parameters()]  # the angles
[(1,)]
"""
)

_ISWT_TEMPLATE = (
    _STATIONARY
    + """
See Also
--------
liftwave.$undecimated_inverse : the function.
SWT${d}d : the transform; ``swt.inverse()`` returns its inverse with the same (shared) wavelet.

Notes
-----
Call it with the result of the transform:
$coefficients.
Each band has the shape $shape.
$missing

If the bands are not the transform of any signal, the result with an orthonormal wavelet is the
signal with the nearest bands.

Examples
--------
>>> import torch
>>> from liftwave.torch import SWT${d}d, $layer
>>> x = torch.randn($odd)
>>> coeffs = SWT${d}d("haar", level=2)(x)
>>> torch.allclose($layer("haar", level=2)(coeffs), x, atol=1e-5)
True
"""
)


@documented(_ISWT_TEMPLATE)
class ISWT1d(_ISWT):
    """Inverse 1-D undecimated (stationary) wavelet transform as a layer."""

    dimensions = 1


@documented(_ISWT_TEMPLATE)
class ISWT2d(_ISWT):
    """Inverse 2-D undecimated (stationary) wavelet transform as a layer."""

    dimensions = 2


@documented(_ISWT_TEMPLATE)
class ISWT3d(_ISWT):
    """Inverse 3-D undecimated (stationary) wavelet transform as a layer."""

    dimensions = 3


@documented(_SWT_TEMPLATE)
class SWT1d(_SWT[OutputT_co, Tensor]):
    """1-D undecimated (stationary) wavelet transform as a layer."""

    dimensions = 1
    inverse_type = ISWT1d


@documented(_SWT_TEMPLATE)
class SWT2d(_SWT[OutputT_co, Any]):
    """2-D undecimated (stationary) wavelet transform as a layer."""

    dimensions = 2
    inverse_type = ISWT2d


@documented(_SWT_TEMPLATE)
class SWT3d(_SWT[OutputT_co, Any]):
    """3-D undecimated (stationary) wavelet transform as a layer."""

    dimensions = 3
    inverse_type = ISWT3d
