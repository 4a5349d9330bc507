"""The wavelet of a layer: a fixed one, a new learnable one, or one for each group of channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from liftwave._numbers import is_one_of
from liftwave.errors import WaveletError
from liftwave.torch.lifting_wavelets import LiftingWavelet, LinearPhaseWavelet
from liftwave.torch.wavelets import FiltersWavelet, LearnableWavelet, Made, OrthonormalWavelet
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import WaveletLike, resolve_wavelet


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

    @property
    def any_tensor(self) -> Tensor:
        """The first parameter or buffer of the first wavelet."""
        first: Any = self[0]
        tensor: Tensor = first.any_tensor
        return tensor


def is_learnable(wavelet: object) -> bool:
    """Whether a wavelet consists of modules, which have their own device and dtype."""
    return isinstance(wavelet, LearnableWavelet | WaveletGroups)


_KINDS: dict[str, Callable[..., LearnableWavelet]] = {
    kind.learn: kind
    for kind in (OrthonormalWavelet, LinearPhaseWavelet, LiftingWavelet, FiltersWavelet)
}


def learnable(
    wavelet: WaveletLike,
    learn: str,
    random: bool,
    device: Any = None,
    dtype: torch.dtype | None = None,
) -> LearnableWavelet:
    """The learnable wavelet of the kind ``learn``, from a fixed wavelet."""
    if not is_one_of(learn, _KINDS):
        raise WaveletError(
            f"unknown way to learn a wavelet {learn!r}: use None (fixed) or one of "
            f"{', '.join(map(repr, _KINDS))}"
        )
    return _KINDS[learn](wavelet, random=random, device=device, dtype=dtype)


def check_no_factory(wavelet: LearnableWavelet | WaveletGroups, device: Any, dtype: Any) -> None:
    """Raise if a device or a dtype is passed with a wavelet that already has them.

    Raises
    ------
    WaveletError
        If one is.
    """
    if device is not None or dtype is not None:
        raise WaveletError(
            f"{wavelet} has its device and dtype already: do not pass device= or dtype=, use "
            "wavelet.to(device, dtype)"
        )


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
