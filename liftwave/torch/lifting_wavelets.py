"""Learnable wavelets whose parameters are the taps of lifting steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from liftwave._numbers import flag
from liftwave.constraints import symmetric_lifting, symmetric_taps
from liftwave.errors import WaveletError
from liftwave.torch.inputs import check_factory, register
from liftwave.torch.wavelets import LearnableWavelet, label, numbers, uniform, widened
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep
from liftwave.wavelets.resolve import WaveletLike

# The maximum of random free taps. For larger taps, the conditions on their sums can have no
# solution.
_RANDOM_TAPS = 0.25


class LinearPhaseWavelet(LearnableWavelet):
    """A biorthogonal wavelet of symmetric lifting steps: linear phase and perfect reconstruction.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme, optional
        A wavelet whose lifting steps are symmetric.
    random : bool, optional
        Whether to start at random taps instead of those of ``wavelet``.
    zero_sum, dual_zero_sum : bool, optional
        Whether the analysis and the synthesis high-pass sum to zero.
    device, dtype : optional
        Device and dtype of the parameters; torch's defaults if not given.

    Raises
    ------
    ConstraintError
        If the steps of the wavelet are not symmetric.

    See Also
    --------
    liftwave.constraints.symmetric_lifting : computes the scheme from the taps.

    Examples
    --------
    >>> from liftwave.torch import LinearPhaseWavelet
    >>> wavelet = LinearPhaseWavelet("cdf9.7")
    >>> [taps.numel() for taps in wavelet.taps], len(wavelet().steps)
    ([1, 1, 0, 0], 4)
    """

    learn = "linear-phase"

    def __init__(
        self,
        wavelet: WaveletLike = "cdf9.7",
        *,
        random: bool = False,
        zero_sum: bool = True,
        dual_zero_sum: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(label(wavelet))
        check_factory(device, dtype)
        scheme = LiftingScheme.from_wavelet(wavelet)
        self.random = flag(random, "random")
        self.zero_sum = flag(zero_sum, "zero_sum")
        self.dual_zero_sum = flag(dual_zero_sum, "dual_zero_sum")
        free = symmetric_taps(scheme, zero_sum=zero_sum, dual_zero_sum=dual_zero_sum)
        self.first = scheme.steps[0].kind
        self.sign = 1 if scheme.scale[0] * scheme.scale[1] > 0 else -1
        self._taps = [numbers(taps) for taps in free]
        self.taps = _Taps(self._taps, device, dtype)
        self.reset_parameters()

    def initial_values(self) -> dict[str, Any]:
        """The taps of each step."""
        return _initial_taps(self._taps, self.random)

    if TYPE_CHECKING:

        def __call__(self) -> LiftingScheme:
            """As ``forward``; it also calls hooks."""

    def make(self) -> LiftingScheme:
        """The lifting scheme of the current taps."""
        taps = [widened(t) for t in self.taps]
        return symmetric_lifting(
            taps,
            first=self.first,
            sign=self.sign,
            zero_sum=self.zero_sum,
            dual_zero_sum=self.dual_zero_sum,
        )


class LiftingWavelet(LearnableWavelet):
    """A lifting scheme of free taps, which reconstructs for any taps.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme, optional
        The wavelet with the initial lifting steps.
    random : bool, optional
        Whether to start at random taps instead of those of ``wavelet``.
    device, dtype : optional
        Device and dtype of the parameters; torch's defaults if not given.

    Notes
    -----
    The learned parameters are the logarithms of both scales, so the scales keep their signs.

    Examples
    --------
    >>> from liftwave.torch import LiftingWavelet
    >>> wavelet = LiftingWavelet("cdf5.3")
    >>> [taps.tolist() for taps in wavelet.taps]
    [[-0.5, -0.5], [0.25, 0.25]]
    """

    learn = "lifting"
    log_scale: Tensor

    def __init__(
        self,
        wavelet: WaveletLike = "cdf5.3",
        *,
        random: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(label(wavelet))
        check_factory(device, dtype)
        scheme = LiftingScheme.from_wavelet(wavelet)
        if scheme.integer or not scheme.is_concrete:
            raise WaveletError(f"learning starts at a scheme of plain numbers, got {scheme!r}")
        self.steps = tuple((step.kind, step.offset) for step in scheme.steps)
        self.random = flag(random, "random")
        self.shift = scheme.shift
        self._taps = [numbers(step.taps) for step in scheme.steps]
        self._scale = np.log(np.abs(scheme.scale))
        self.taps = _Taps(self._taps, device, dtype)
        self.signs = tuple(1.0 if s > 0 else -1.0 for s in scheme.scale)
        register(self, "log_scale", 2, device, dtype)
        self.reset_parameters()

    def initial_values(self) -> dict[str, Any]:
        """The logarithms of the scales, and the taps of each step."""
        return {"log_scale": self._scale, **_initial_taps(self._taps, self.random)}

    if TYPE_CHECKING:

        def __call__(self) -> LiftingScheme:
            """As ``forward``; it also calls hooks."""

    def make(self) -> LiftingScheme:
        """The lifting scheme of the current taps and scales."""
        steps = [
            LiftingStep(kind, widened(taps), offset)
            for (kind, offset), taps in zip(self.steps, self.taps, strict=True)
        ]
        low, high = widened(self.log_scale).exp().unbind()
        scale = self.signs[0] * low, self.signs[1] * high
        return LiftingScheme(tuple(steps), scale, shift=self.shift)


class _Taps(nn.ParameterList):
    """The free taps of each step. Those of a step without free taps are a buffer."""

    def __init__(
        self, taps: Sequence[NDArray[Any]], device: Any, dtype: torch.dtype | None
    ) -> None:
        super().__init__()
        for number, values in enumerate(taps):
            register(self, str(number), len(values), device, dtype)
        self._size = len(taps)


def _initial_taps(taps: Sequence[NDArray[Any]], random: bool) -> dict[str, Any]:
    values = [uniform(len(t), _RANDOM_TAPS) if random else t for t in taps]
    return {f"taps.{number}": step_taps for number, step_taps in enumerate(values)}
