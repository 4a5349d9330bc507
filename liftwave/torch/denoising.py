"""Denoising as modules, with learned thresholds."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from liftwave._numbers import flag, is_one_of, positive_number, real_number
from liftwave._typing import Modes, ShrinkageRule
from liftwave.denoising.dual_tree import QSHIFT, filters_of, first_level, noises
from liftwave.errors import ModeError, OptionError, ShapeError, ThresholdError, WaveletError
from liftwave.thresholding import threshold
from liftwave.torch._typing import Learning
from liftwave.torch.docstrings import documented
from liftwave.torch.transform_layers import LayerWavelet, ModePerAxis
from liftwave.torch.transforms import first_samples
from liftwave.transforms.dual_tree_calls import dual_tree_parts, dual_tree_signal
from liftwave.transforms.multilevel import wavedecn, waverecn
from liftwave.transforms.undecimated import iswtn, swtn
from liftwave.transforms.undecimated_modes import check_periodic, is_lifting

_MEDIAN = 0.6744897501960817


class _Denoise(ModePerAxis):
    """Analysis, shrinkage by learned thresholds, synthesis."""

    options = ("mode", "transform", "rule", "initial", "channels", "relative")

    def __init__(
        self,
        wavelet: LayerWavelet | None = None,
        level: int = 3,
        mode: Modes | None = None,
        *,
        transform: str = "dwt",
        rule: ShrinkageRule = "soft",
        initial: float = 0.1,
        channels: int | None = None,
        relative: bool = False,
        learn: Learning | None = None,
        random: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        checked = _checked(transform, rule)
        usual: Modes = "periodization" if transform == "swt" else "symmetric"
        mode = usual if mode is None else mode
        if wavelet is None:
            wavelet = "cdf9.7" if transform == "dtcwt" else "sym4"
        super().__init__(wavelet, level, mode, learn, random, "list", 1, device, dtype)
        self.transform, self.rule = checked
        if transform == "swt" and not is_lifting(self._current_wavelet()):
            check_periodic(type(self).__name__, self.mode)
        if transform == "dtcwt":
            self._set_dual_tree()
        self.relative = flag(relative, "relative")
        self.initial = real_number(initial, "initial must be a number")
        if not 0 < self.initial < float("inf"):
            raise ThresholdError(f"initial must be positive and finite, got {initial!r}")
        self.channels = (
            None if channels is None else positive_number(channels, "channels", OptionError)
        )
        shape = (self.level,) if self.channels is None else (self.level, self.channels)
        try:
            self.log_threshold = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        except (RuntimeError, TypeError):  # out of memory, or of the range of sizes
            raise OptionError(f"channels={channels} needs too much memory") from None
        nn.init.constant_(self.log_threshold, log(self.initial))

    def reset_parameters(self) -> None:
        """Reset the thresholds to ``initial``, and a learnable wavelet to its initial values."""
        super().reset_parameters()
        nn.init.constant_(self.log_threshold, log(self.initial))

    @property
    def threshold(self) -> Tensor:
        """The thresholds by level, coarsest first, and by channel if there are ``channels``."""
        # Beyond the range of the dtype, the derivative of the exponential would be infinite.
        largest = log(torch.finfo(self.log_threshold.dtype).max)
        return self.log_threshold.clamp(max=0.99 * largest).exp()

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor: ...

    def forward(self, x: Tensor) -> Tensor:
        """The denoised signals, of shape (C, …) or (N, C, …)."""
        self._check_dimensions(x, "signals")
        axis = x.ndim - self.dimensions - 1
        if self.channels not in (None, x.shape[axis]):
            raise ShapeError(
                f"{type(self).__name__} with channels={self.channels} takes this number of "
                f"channels, got shape {tuple(x.shape)}"
            )
        if self.transform == "dtcwt":
            return self._by_dual_tree(x)
        approx, *details = self._analysed(x)
        noise = self._noise(details[-1]["d" * self.dimensions]) if self.relative else None
        clean = [
            {key: self._shrunk(band, limit, noise) for key, band in level.items()}
            for level, limit in zip(details, self.threshold, strict=True)
        ]
        signal = self._synthesised([approx, *clean])
        for place in self._axes:
            signal = first_samples(signal, place, x.shape[place])
        return signal

    def _analysed(self, x: Tensor) -> list[Any]:
        wavelet, axes = self._current_wavelet(), self._axes
        if self.transform == "dwt":
            return wavedecn(x, wavelet, self.mode, self.level, axes)
        return swtn(x, wavelet, self.level, axes=axes, trim_approx=True, mode=self.mode)

    def _synthesised(self, coeffs: list[Any]) -> Tensor:
        wavelet, axes = self._current_wavelet(), self._axes
        signal: Any
        if self.transform == "dwt":
            signal = waverecn(coeffs, wavelet, self.mode, axes)
        else:
            signal = iswtn(coeffs, wavelet, axes, mode=self.mode)
        result: Tensor = signal
        return result

    def _shrunk(self, band: Tensor, limit: Tensor, noise: Tensor | None) -> Tensor:
        limit = limit.to(band.dtype).reshape(-1, *[1] * self.dimensions)
        shrunk: Tensor = threshold(band, limit if noise is None else limit * noise, self.rule)
        return shrunk

    def _noise(self, finest: Tensor) -> Tensor:
        """The noise of each item and channel, by the median of the finest details."""
        median = _median(finest.abs().flatten(finest.ndim - self.dimensions))
        return (median / _MEDIAN).reshape(*median.shape, *[1] * self.dimensions)

    # --- the dual tree ---------------------------------------------------------------------------

    def _set_dual_tree(self) -> None:
        """Set the filters and the noise of bands; the wavelet is a fixed one for all axes."""
        if self.learn is not None or isinstance(self.wavelet, tuple):
            raise WaveletError(
                "transform='dtcwt' needs one fixed wavelet for all axes: remove learn=..., or use "
                "'dwt' or 'swt'"
            )
        if self.mode != "symmetric":
            raise ModeError(f"transform='dtcwt' needs mode='symmetric', got {self.mode!r}")
        self._biort = first_level(self.wavelet)
        filters, count = filters_of(self.wavelet), self.level
        levels = [noises(filters, self.dimensions, depth) for depth in reversed(range(count))]
        self._deviations = [[noise.deviation for noise in level] for level in levels]
        diagonal = [k for k, noise in enumerate(levels[-1]) if set(noise.key) == {"d"}]
        self._diagonal, self._tree_median = diagonal, levels[-1][diagonal[0]].median

    def _by_dual_tree(self, x: Tensor) -> Tensor:
        dims = self.dimensions
        low, *levels = dual_tree_parts(x, self.level, self._biort, QSHIFT, dims)
        noise = self._noise_of_tree(levels[-1]) if self.relative else None
        clean = [
            self._shrunk_parts(parts, limit, noise, scales)
            for parts, limit, scales in zip(levels, self.threshold, self._deviations, strict=True)
        ]
        result: Tensor = dual_tree_signal([low, *clean], self._biort, QSHIFT, x.shape[-dims:])
        return result

    def _noise_of_tree(self, parts: Tensor) -> Tensor:
        """The noise of each item and channel, of shape (…, 1, 1, …) with an axis for the bands."""
        axis, scales = parts.ndim - self.dimensions - 2, self._deviations[-1]
        powers = [parts.select(axis, k).square().sum(-1) / scales[k] ** 2 for k in self._diagonal]
        median = _median(torch.cat([_root(power).flatten(axis) for power in powers], -1))
        median = median / self._tree_median
        return median.reshape(*median.shape, *[1] * (self.dimensions + 1))

    def _shrunk_parts(
        self, parts: Tensor, limit: Tensor, noise: Tensor | None, deviations: list[float]
    ) -> Tensor:
        """Shrink magnitudes; the last axis has the real and the imaginary part."""
        limit = limit.to(parts.dtype).reshape(-1, 1) * parts.new_tensor(deviations)
        limit = limit.reshape(*limit.shape, *[1] * self.dimensions)
        if noise is not None:
            limit = limit * noise
        square, power = limit.square().unsqueeze(-1), parts.square().sum(-1, keepdim=True)
        is_kept = (power >= square) & (power > 0)
        safe = torch.where(is_kept, power, torch.ones_like(power))
        ratio = {
            "soft": lambda: limit.unsqueeze(-1) / safe.sqrt(),
            "hard": lambda: torch.zeros_like(safe),
            "garrote": lambda: square / safe,
        }[self.rule]()
        return parts * torch.where(is_kept, 1 - ratio, torch.zeros_like(safe))


def _root(power: Tensor) -> Tensor:
    """The square root, with the derivative 0 at 0."""
    is_positive = power > 0
    root = torch.where(is_positive, power, torch.ones_like(power)).sqrt()
    return torch.where(is_positive, root, torch.zeros_like(power))


def _median(magnitudes: Tensor) -> Tensor:
    """The median along the last axis."""
    ordered, n = magnitudes.sort(-1).values, magnitudes.shape[-1]
    median: Tensor = (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2
    return median


def _checked(transform: str, rule: ShrinkageRule) -> tuple[str, ShrinkageRule]:
    if not is_one_of(transform, ("dwt", "swt", "dtcwt")):
        raise OptionError(f"unknown transform {transform!r}: use 'dwt', 'swt' or 'dtcwt'")
    if not is_one_of(rule, ("soft", "hard", "garrote")):
        raise ThresholdError(f"unknown rule {rule!r}: use 'soft', 'hard' or 'garrote'")
    return transform, rule


# --- layers --------------------------------------------------------------------------------------

_TEMPLATE = """
Parameters
----------
wavelet : str, pywt.Wavelet, FilterBank, LiftingScheme or LearnableWavelet
    The wavelet, in any form that the functions accept; ``"sym4"`` by default. A
    :class:`LearnableWavelet` is shared with other modules that hold it.$per_axis
    With ``transform="dtcwt"`` it is that of the first level, fixed; ``"cdf9.7"`` by default.
level : int, optional
    Number of levels; 3 by default.
mode : $mode, optional
    Boundary mode, for all axes or for each; ``"symmetric"`` by default, and ``"periodization"``
    with ``transform="swt"``, which has no other mode with filter banks.
transform : {"dwt", "swt", "dtcwt"}, optional
    ``"swt"`` shrinks the coefficients of all circular shifts and averages the results. It takes
    longer, but its results do not depend on the position of a signal. ``"dtcwt"`` shrinks the
    magnitudes of the dual tree (:func:`liftwave.dtcwt`), divided by the standard deviation of unit
    noise in their band.
rule : {"soft", "hard", "garrote"}, optional
    How coefficients are shrunk (:func:`liftwave.threshold`). ``"hard"`` has no derivative with
    respect to thresholds, so they do not learn.
initial : float, optional
    The initial thresholds, positive. Default 0.1.
channels : int, optional
    The number of channels, to learn thresholds for each; by default all channels share them.
relative : bool, optional
    Whether thresholds are multiples of the noise of each item and channel: the median of the
    magnitudes of the finest details, divided by 0.6745. Default False.
$learn_parameters

Raises
------
WaveletError, ModeError, LevelError, ConstraintError, OptionError, ThresholdError
    If an argument does not exist, is out of range, or ``learn`` does not support the wavelet. The
    call raises :class:`ShapeError` if its input does not fit.

See Also
--------
liftwave.denoise : denoising with thresholds from statistics of the data.

Notes
-----
Input and output: shape $shape.

The parameter ``log_threshold`` holds the logarithms of the thresholds, coarsest level first, so
thresholds stay positive. Gradients are finite for coefficients that are zero, and for infinite
thresholds. The approximation is not shrunk.

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer
>>> model = $layer("db2", level=2, channels=3)
>>> x = torch.randn($sizes)
>>> tuple(model(x).shape), tuple(model.threshold.shape)
(($sizes), (2, 3))
>>> model(x).square().mean().backward()
>>> bool(model.log_threshold.grad.isfinite().all())
True
"""


@documented(_TEMPLATE)
class Denoise1d(_Denoise):
    """Denoising of 1-D signals by learned thresholds as a layer."""

    dimensions = 1


@documented(_TEMPLATE)
class Denoise2d(_Denoise):
    """Denoising of images by learned thresholds as a layer."""

    dimensions = 2
