"""Learnable wavelets: modules whose parameters define a filter bank or a lifting scheme.

A call of a wavelet module, without arguments, returns a wavelet for any transform. Layers that
hold the same module share its parameters.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import pi
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from liftwave._numbers import flag, is_one_of, real_number
from liftwave.constraints import (
    lattice_angles,
    orthonormal_filters,
    symmetric_lifting,
    symmetric_taps,
    wavelet_penalty,
)
from liftwave.constraints.penalties import check_symmetry
from liftwave.errors import WaveletError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep
from liftwave.wavelets.resolve import WaveletLike, resolve_wavelet

Made: TypeAlias = "FilterBank | LiftingScheme"

Symmetry: TypeAlias = Literal["linear-phase", "paper"]

# The maximum of random free taps. For larger taps, the conditions on their sums can have no
# solution.
_RANDOM_TAPS = 0.25


class LearnableWavelet(nn.Module):
    """Base class of all learnable wavelets.

    A call returns a :class:`~liftwave.FilterBank` or a :class:`~liftwave.LiftingScheme` of the
    parameters. Every function and layer accepts it as wavelet, and gradients flow back to the
    parameters. Parameters in half precision are converted to float32. Autocast does not affect
    them.

    Examples
    --------
    >>> import torch
    >>> import liftwave as lw
    >>> from liftwave.torch import OrthonormalWavelet
    >>> wavelet = OrthonormalWavelet("db3")
    >>> approx, detail = lw.dwt(torch.ones(4, 16), wavelet(), "periodization")
    >>> bool(detail.abs().max() < 1e-6)
    True
    """

    learn: str

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    @abstractmethod
    def make(self) -> Made:
        """The wavelet of the current parameters."""

    if TYPE_CHECKING:

        def __call__(self) -> Made:
            """As ``forward``; it also calls hooks."""

    def forward(self) -> Made:
        """The wavelet of the current parameters, computed in float32 or better."""
        with _not_autocast(next(iter(self.parameters()))):
            return self.make()

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        return repr(self.name) if self.name else ""


def _not_autocast(like: Tensor) -> AbstractContextManager[Any]:
    """A context without autocast for this device (empty if the device has no autocast)."""
    device = like.device.type
    if not torch.amp.is_autocast_available(device):
        return nullcontext()
    return torch.autocast(device, enabled=False)


def _widened(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _parameter(values: Any) -> nn.Parameter:
    return nn.Parameter(torch.as_tensor(np.asarray(values), dtype=torch.get_default_dtype()))


def _uniform(count: int, limit: float) -> Tensor:
    return (2 * torch.rand(count) - 1) * limit


def _label(wavelet: WaveletLike) -> str:
    return wavelet if isinstance(wavelet, str) else str(getattr(wavelet, "name", ""))


class OrthonormalWavelet(LearnableWavelet):
    """A wavelet that is orthonormal by construction, for any parameters.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme, optional
        An orthonormal wavelet of the length that is wanted.
    random : bool, optional
        Whether to start at random angles instead of those of ``wavelet``.
    zero_sum : bool, optional
        Whether the high-pass sums to zero.

    Raises
    ------
    ConstraintError
        If the wavelet is not orthonormal.

    See Also
    --------
    liftwave.constraints.orthonormal_filters : computes the filters from the angles.

    Examples
    --------
    >>> from liftwave.torch import OrthonormalWavelet
    >>> wavelet = OrthonormalWavelet("db4")
    >>> wavelet.angles.shape, wavelet().dec_len
    (torch.Size([3]), 8)
    """

    learn = "orthonormal"

    def __init__(
        self, wavelet: WaveletLike = "haar", *, random: bool = False, zero_sum: bool = True
    ) -> None:
        super().__init__(_label(wavelet))
        angles = torch.as_tensor(lattice_angles(wavelet, zero_sum=zero_sum))
        if flag(random, "random"):
            angles = _uniform(len(angles), pi)
        self.zero_sum = flag(zero_sum, "zero_sum")
        self.angles = _parameter(angles)

    if TYPE_CHECKING:

        def __call__(self) -> FilterBank:
            """As ``forward``; it also calls hooks."""

    def make(self) -> FilterBank:
        """The filter bank of the current angles."""
        return orthonormal_filters(_widened(self.angles), zero_sum=self.zero_sum)


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
    ) -> None:
        super().__init__(_label(wavelet))
        scheme = LiftingScheme.from_wavelet(wavelet)
        random = flag(random, "random")
        self.zero_sum = flag(zero_sum, "zero_sum")
        self.dual_zero_sum = flag(dual_zero_sum, "dual_zero_sum")
        free = symmetric_taps(scheme, zero_sum=zero_sum, dual_zero_sum=dual_zero_sum)
        self.first = scheme.steps[0].kind
        self.sign = 1 if scheme.scale[0] * scheme.scale[1] > 0 else -1
        initial = [_uniform(len(taps), _RANDOM_TAPS) if random else taps for taps in free]
        self.taps = nn.ParameterList(map(_parameter, initial))

    if TYPE_CHECKING:

        def __call__(self) -> LiftingScheme:
            """As ``forward``; it also calls hooks."""

    def make(self) -> LiftingScheme:
        """The lifting scheme of the current taps."""
        taps = [_widened(t) for t in self.taps]
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

    def __init__(self, wavelet: WaveletLike = "cdf5.3", *, random: bool = False) -> None:
        super().__init__(_label(wavelet))
        scheme = LiftingScheme.from_wavelet(wavelet)
        if scheme.integer or not scheme.is_concrete:
            raise WaveletError(f"learning starts at a scheme of plain numbers, got {scheme!r}")
        self.steps = tuple((step.kind, step.offset) for step in scheme.steps)
        random = flag(random, "random")
        self.shift = scheme.shift
        taps = [step.taps for step in scheme.steps]
        initial = [_uniform(len(t), _RANDOM_TAPS) if random else t for t in taps]
        self.taps = nn.ParameterList(map(_parameter, initial))
        self.signs = tuple(1.0 if s > 0 else -1.0 for s in scheme.scale)
        self.log_scale = _parameter(np.log(np.abs(scheme.scale)))

    if TYPE_CHECKING:

        def __call__(self) -> LiftingScheme:
            """As ``forward``; it also calls hooks."""

    def make(self) -> LiftingScheme:
        """The lifting scheme of the current taps and scales."""
        steps = [
            LiftingStep(kind, _widened(taps), offset)
            for (kind, offset), taps in zip(self.steps, self.taps, strict=True)
        ]
        low, high = _widened(self.log_scale).exp().unbind()
        scale = self.signs[0] * low, self.signs[1] * high
        return LiftingScheme(tuple(steps), scale, shift=self.shift)


class FiltersWavelet(LearnableWavelet):
    """Two free filters, which penalties keep close to a wavelet.

    The parameters are the synthesis low-pass and high-pass. The analysis filters are the same
    reversed, as in LDW-Pooling. The reconstruction error decreases with the penalties, which
    :func:`~liftwave.torch.auxiliary_loss` of a model sums.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme, optional
        An orthonormal wavelet of the length that is wanted.
    random : bool, optional
        Whether to start at a random orthonormal wavelet instead.
    weight : float, optional
        The factor of the penalty.
    symmetry, orthonormal
        As for :func:`liftwave.constraints.wavelet_penalty`.

    Raises
    ------
    ConstraintError
        If the wavelet is not orthonormal.

    Examples
    --------
    >>> from liftwave.torch import FiltersWavelet
    >>> wavelet = FiltersWavelet("db2")
    >>> bool(wavelet.penalty() < 1e-12)
    True
    """

    learn = "filters"

    def __init__(
        self,
        wavelet: WaveletLike = "haar",
        *,
        random: bool = False,
        weight: float = 1.0,
        symmetry: Symmetry | None = None,
        orthonormal: bool = True,
    ) -> None:
        super().__init__(_label(wavelet))
        angles = lattice_angles(wavelet)
        if flag(random, "random"):
            angles = _uniform(len(angles), pi).double().numpy()
        bank = orthonormal_filters(angles)
        self.lowpass, self.highpass = _parameter(bank.rec_lo), _parameter(bank.rec_hi)
        is_tensor = isinstance(weight, Tensor)
        self.weight = weight if is_tensor else real_number(weight, "the weight must be a number")
        if symmetry is not None:
            check_symmetry(symmetry)
        self.symmetry, self.orthonormal = symmetry, flag(orthonormal, "orthonormal")

    if TYPE_CHECKING:

        def __call__(self) -> FilterBank:
            """As ``forward``; it also calls hooks."""

    def make(self) -> FilterBank:
        """The filter bank of the current filters."""
        low, high = _widened(self.lowpass), _widened(self.highpass)
        return FilterBank(low.flip(0), high.flip(0), low, high)

    def penalty(self) -> Tensor:
        """The penalty of the filters, times the weight."""
        low, high = _widened(self.lowpass), _widened(self.highpass)
        with _not_autocast(low):
            penalty: Tensor = wavelet_penalty(
                low, high, symmetry=self.symmetry, orthonormal=self.orthonormal
            )
            return self.weight * penalty


class WaveletGroups(nn.ModuleList):
    """The learnable wavelets of groups of channels, all of one kind."""

    @property
    def learn(self) -> str:
        """The kind of learned parameters."""
        return str(self[0].learn)

    @property
    def name(self) -> str:
        """The name of the initial wavelet."""
        return str(self[0].name)


_KINDS: dict[str, Callable[..., LearnableWavelet]] = {
    kind.learn: kind
    for kind in (OrthonormalWavelet, LinearPhaseWavelet, LiftingWavelet, FiltersWavelet)
}


def learnable(wavelet: WaveletLike, learn: str, random: bool) -> LearnableWavelet:
    """The learnable wavelet that ``learn`` names, from a fixed one."""
    if not is_one_of(learn, _KINDS):
        raise WaveletError(
            f"unknown way to learn a wavelet {learn!r}: use None (fixed) or one of "
            f"{', '.join(map(repr, _KINDS))}"
        )
    return _KINDS[learn](wavelet, random=random)


def fixed(wavelet: Any) -> tuple[Made, ...] | Made:
    """A wavelet of plain numbers for all axes, or one per axis."""
    if not isinstance(wavelet, Sequence) or isinstance(wavelet, str):
        return _fixed(wavelet)
    wavelets = tuple(_fixed(w) for w in wavelet)
    return wavelets[0] if len(wavelets) == 1 else wavelets


def _fixed(wavelet: Any) -> Made:
    resolved = resolve_wavelet(wavelet)
    if not resolved.is_concrete:
        raise WaveletError(
            f"learned taps must be parameters of the layer, got {resolved!r}: use learn=..., or a "
            "LearnableWavelet"
        )
    if isinstance(resolved, LiftingScheme) and resolved.integer:
        raise WaveletError(f"layers compute with floating-point numbers, got {resolved!r}")
    return resolved
