"""The continuous transform as a module, with learnable frequencies and wavelets."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from liftwave._arrays.convert import is_half
from liftwave._execute import graph_node
from liftwave._numbers import is_one_of
from liftwave.continuous.extension import Layout, checked_mode, extended
from liftwave.continuous.families import AnalyticWavelet, unchecked
from liftwave.continuous.grid import GridOptions, Norm, make_grid, responses, sampling_rate
from liftwave.continuous.wavelet_text import resolve_analytic
from liftwave.errors import DTypeError, OptionError, ScaleError
from liftwave.torch.docstrings import documented
from liftwave.torch.inputs import check_axes, check_factory, fill, register
from liftwave.torch.leaf import Layer

_OUTPUTS = ("magnitude", "power", "complex")
_LEARN = (None, "frequencies", "wavelet", "all")


class _Scalogram(Layer):
    """The transform."""

    dimensions = 1
    log_frequencies: Tensor
    log_parameters: Tensor

    def __init__(
        self,
        frequencies: Any,
        fs: float = 1.0,
        wavelet: AnalyticWavelet | str = "morse",
        *,
        norm: Norm = "amplitude",
        mode: str = "symmetric",
        output: str = "magnitude",
        learn: str | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_factory(device, dtype)
        self.fs, self.mode = sampling_rate(fs), checked_mode(mode)
        family = resolve_analytic(wavelet).concrete
        grid = make_grid(family, 1, self.fs, GridOptions(frequencies=frequencies, norm=norm))
        if not grid.frequencies.size:
            raise ScaleError("a layer needs at least one frequency, got none")
        if not is_one_of(output, _OUTPUTS):
            raise OptionError(f"output must be one of {', '.join(_OUTPUTS)}; got {output!r}")
        if learn is not None and not is_one_of(learn, [name for name in _LEARN if name]):
            raise OptionError(
                f"learn must be 'frequencies', 'wavelet', 'all' or None, got {learn!r}"
            )
        self.norm, self.output, self.learn = grid.norm, output, learn
        self._family, self._text, self._reach = family, family.text, grid.reach
        values = [family.parameters[name] for name in learnable_names(family)]
        self._logs = {
            "log_frequencies": np.log(grid.frequencies),
            "log_parameters": np.log(np.asarray(values, dtype=np.float64)),
        }
        for name, is_learned in zip(self._logs, self._is_learned(), strict=True):
            self._store(name, is_learned, device, dtype)
        self.reset_parameters()

    def _is_learned(self) -> tuple[bool, bool]:
        return self.learn in ("frequencies", "all"), self.learn in ("wavelet", "all")

    def _store(self, name: str, is_learned: bool, device: Any, dtype: torch.dtype | None) -> None:
        """Store logarithms, so that values stay positive. Constants are in double precision."""
        count = len(self._logs[name])
        if is_learned:
            register(self, name, count, device, dtype)
        else:
            values = torch.empty(count, dtype=torch.float64, device=device)
            self.register_buffer(name, values, persistent=False)

    def reset_parameters(self) -> None:
        """Reset the frequencies and the wavelet to their initial values."""
        for name, values in self._logs.items():
            fill(getattr(self, name), values)

    @property
    def frequencies(self) -> Tensor:
        """The peak frequency of each row, at most half the sampling rate."""
        return torch.exp(self.log_frequencies).clamp(max=self.fs / 2)

    @property
    def wavelet(self) -> AnalyticWavelet:
        """The wavelet with its current parameters."""
        values = torch.exp(self.log_parameters).unbind()
        learned = dict(zip(learnable_names(self._family), values, strict=True))
        return unchecked(self._family, {**self._family.parameters, **learned})

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        return (
            f"{len(self.log_frequencies)} frequencies, fs={self.fs:g}, {str(self._family)!r}, "
            f"norm={self.norm!r}, mode={self.mode!r}, output={self.output!r}, learn={self.learn!r}"
        )

    def forward(self, x: Tensor) -> Tensor:
        """The rows of signals of shape (C, L) or (N, C, L)."""
        check_axes(self, x)
        if x.is_complex():
            raise DTypeError(f"Scalogram1d takes real signals, got {x.dtype}")
        dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
        signal = x.float() if is_half(x) else x.to(dtype)
        rows = scalogram_rows(
            *(signal, self.frequencies, torch.exp(self.log_parameters), self._text),
            *(self.fs, self.norm, self.mode, self._reach),
        )
        if self.output == "magnitude":
            rows = rows.abs()
        elif self.output == "power":
            rows = rows.real**2 + rows.imag**2 if rows.is_complex() else rows**2
        return rows if rows.is_complex() else rows.to(dtype)


@graph_node
def scalogram_rows(
    x: Tensor,
    frequencies: Tensor,
    parameters: Tensor,
    wavelet: str,
    fs: float,
    norm: Norm,
    mode: str,
    reach: float,
) -> Tensor:
    """The coefficients of signals, with parameters in place of those of the wavelet."""
    family, n = resolve_analytic(wavelet), x.shape[-1]
    names = learnable_names(family)
    learned = dict(zip(names, parameters.unbind(), strict=True))
    current = unchecked(family, {**family.parameters, **learned})
    layout = Layout.of(n, reach, mode)
    spectrum = torch.fft.rfft(extended(x, layout))
    dtype = torch.promote_types(parameters.dtype, x.dtype)
    bins = torch.arange(1, spectrum.shape[-1], dtype=torch.float64, device=x.device)
    cycles = (bins / layout.length).to(dtype)
    response = responses(current, frequencies[:, None].to(dtype), cycles, fs, norm).to(x.dtype)
    products = nn.functional.pad(spectrum[..., None, 1:] * response, (1, 0))
    rows: Tensor = torch.fft.ifft(products, n=layout.length)
    rows = rows[..., layout.before : layout.before + n]
    if not family.is_real:
        return rows
    phase = family.phase
    return rows.real * phase.real if phase.imag == 0 else -rows.imag * phase.imag


def learnable_names(wavelet: AnalyticWavelet) -> tuple[str, ...]:
    """The names of the parameters that can be learned: orders of derivatives cannot."""
    return tuple(name for name, value in wavelet.parameters.items() if isinstance(value, float))


@documented(
    """
Parameters
----------
frequencies : sequence of float
    The peak frequencies of the rows, above 0 and at most ``fs / 2``.
fs : float, optional
    Samples per unit of time. Default 1.
wavelet : str, Morse, Morlet, Paul, GaussianDerivative or Bump, optional
    The wavelet; ``"morse"`` by default, which is ``"morse(3, 20)"``.
norm : {"amplitude", "energy"}, optional
    As for :func:`liftwave.scalogram`. Default ``"amplitude"``.
mode : str, optional
    Boundary mode; ``"symmetric"`` by default.
output : {"magnitude", "power", "complex"}, optional
    The values that the layer returns. Default ``"magnitude"``.
learn : {"frequencies", "wavelet", "all"}, optional
    The learned values: the frequencies, the parameters of the wavelet, or both. By default none.
device, dtype : optional
    Device of the values, and dtype of the learned ones.

Raises
------
ScaleError, WaveletError, ModeError, OptionError
    If an argument is not valid. The call raises :class:`ShapeError` if its input does not fit.

See Also
--------
liftwave.scalogram : the function.

Notes
-----
Input: shape (C, L) or (N, C, L), real.
Output: shape (C, S, L) or (N, C, S, L) with one row for each of S frequencies.

Logarithms are learned, so that frequencies and parameters stay positive. Learned frequencies above
``fs / 2`` count as ``fs / 2``.

Examples
--------
>>> import torch
>>> from liftwave.torch import Scalogram1d
>>> layer = Scalogram1d([40.0, 20.0, 10.0], fs=100.0, learn="all")
>>> layer(torch.randn(8, 2, 300)).shape
torch.Size([8, 2, 3, 300])
>>> [name for name, _ in layer.named_parameters()]
['log_frequencies', 'log_parameters']
"""
)
class Scalogram1d(_Scalogram):
    """Continuous wavelet transform as a layer, with learnable frequencies."""

    dimensions = 1
