"""Learnable wavelets: modules whose parameters define a filter bank or a lifting scheme.

A call of a wavelet module, without arguments, returns a wavelet for any transform. Layers that
hold the same module share its parameters.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from math import pi
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from liftwave._numbers import flag, real_number
from liftwave.constraints import (
    lattice_angles,
    orthonormal_filters,
    wavelet_penalty,
)
from liftwave.constraints.penalties import check_symmetry
from liftwave.constraints.terms import require_possible
from liftwave.torch.inputs import check_factory, fill, is_sharded, register
from liftwave.torch.leaf import Layer
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import WaveletLike

Made: TypeAlias = "FilterBank | LiftingScheme"

Symmetry: TypeAlias = Literal["linear-phase", "paper"]


class LearnableWavelet(Layer):
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

    def reset_parameters(self) -> None:
        """Reset the parameters to their initial values, or to new random ones."""
        tensors = dict(chain(self.named_parameters(), self.named_buffers()))
        for name, values in self.initial_values().items():
            fill(tensors[name], values)

    @abstractmethod
    def initial_values(self) -> dict[str, Any]:
        """The initial values of all parameters, by name."""

    @abstractmethod
    def make(self) -> Made:
        """The wavelet of the current parameters."""

    if TYPE_CHECKING:

        def __call__(self) -> Made:
            """As ``forward``; it also calls hooks."""

    def forward(self) -> Made:
        """The wavelet of the current parameters, computed in float32 or better."""
        if not _may_autocast():
            return self.make()
        with _not_autocast(self.any_tensor):
            return self.make()

    @property
    def any_tensor(self) -> Tensor:
        """The first parameter, or a buffer if no number is free: it has the device and dtype."""
        return next(chain(self.parameters(), self.buffers()))

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        return repr(self.name) if self.name else ""


def _may_autocast() -> bool:
    """Whether autocast is active, or can be active when a recorded graph runs."""
    return torch.compiler.is_compiling() or bool(torch._C._is_any_autocast_enabled())


def _not_autocast(like: Tensor) -> AbstractContextManager[Any]:
    """A context without autocast for this device (empty if the device has no autocast)."""
    device = like.device.type
    if not torch.amp.is_autocast_available(device):
        return nullcontext()
    return torch.autocast(device, enabled=False)


def widened(parameter: Any) -> Tensor:
    """The full parameter, also if it is sharded, and never in half precision."""
    x: Tensor = parameter.full_tensor() if is_sharded(parameter) else parameter
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def uniform(count: int, limit: float) -> Tensor:
    """Random numbers up to ``limit``, on the CPU even if the default device is another one."""
    return (2 * torch.rand(count, device="cpu") - 1) * limit


def numbers(values: Any) -> NDArray[Any]:
    """Taps of any array library as numbers of NumPy."""
    return np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values, np.float64)


def label(wavelet: WaveletLike) -> str:
    """The name of a wavelet, for ``repr``."""
    return wavelet if isinstance(wavelet, str) else str(getattr(wavelet, "name", ""))


class OrthonormalWavelet(LearnableWavelet):
    """A wavelet that is orthonormal by construction, for any parameters.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme, optional
        An orthonormal wavelet of the required length.
    random : bool, optional
        Whether to start at random angles instead of those of ``wavelet``.
    zero_sum : bool, optional
        Whether the high-pass sums to zero.
    device, dtype : optional
        Device and dtype of the parameters; torch's defaults if not given.

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
    angles: Tensor

    def __init__(
        self,
        wavelet: WaveletLike = "haar",
        *,
        random: bool = False,
        zero_sum: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(label(wavelet))
        check_factory(device, dtype)
        self._angles = numbers(lattice_angles(wavelet, zero_sum=zero_sum))
        self.random = flag(random, "random")
        self.zero_sum = flag(zero_sum, "zero_sum")
        register(self, "angles", len(self._angles), device, dtype)
        self.reset_parameters()

    def initial_values(self) -> dict[str, Any]:
        """The angles."""
        return {"angles": uniform(len(self._angles), pi) if self.random else self._angles}

    if TYPE_CHECKING:

        def __call__(self) -> FilterBank:
            """As ``forward``; it also calls hooks."""

    def make(self) -> FilterBank:
        """The filter bank of the current angles."""
        return orthonormal_filters(widened(self.angles), zero_sum=self.zero_sum)


class FiltersWavelet(LearnableWavelet):
    """Two free filters, which penalties keep close to a wavelet.

    The parameters are the synthesis low-pass and high-pass. The analysis filters are the same
    reversed, as in LDW-Pooling. The reconstruction error decreases with the penalties, which
    :func:`~liftwave.torch.auxiliary_loss` of a model sums.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme, optional
        An orthonormal wavelet of the required length.
    random : bool, optional
        Whether to start at a random orthonormal wavelet instead.
    weight : float, optional
        The factor of the penalty.
    symmetry : {'linear-phase', 'paper', None}, optional
        The term of symmetry, as for :func:`liftwave.constraints.wavelet_penalty`. None by
        default, because only filters of two taps are both symmetric and orthonormal.
    orthonormal : bool, optional
        Whether to add the term that makes the filters reconstruct. Pass False for a symmetry.
    device, dtype : optional
        Device and dtype of the parameters; torch's defaults if not given.

    Raises
    ------
    ConstraintError
        If the wavelet is not orthonormal, or more than two taps cannot meet both ``symmetry``
        and ``orthonormal``.

    Examples
    --------
    >>> from liftwave.torch import FiltersWavelet
    >>> wavelet = FiltersWavelet("db2")
    >>> bool(wavelet.penalty() < 1e-12)
    True
    """

    learn = "filters"
    lowpass: Tensor
    highpass: Tensor

    def __init__(
        self,
        wavelet: WaveletLike = "haar",
        *,
        random: bool = False,
        weight: float = 1.0,
        symmetry: Symmetry | None = None,
        orthonormal: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(label(wavelet))
        check_factory(device, dtype)
        self._angles = numbers(lattice_angles(wavelet))
        self.random = flag(random, "random")
        taps = self._number_of_taps()
        for name in ("lowpass", "highpass"):
            register(self, name, taps, device, dtype)
        is_tensor = isinstance(weight, Tensor)
        self.weight = weight if is_tensor else real_number(weight, "the weight must be a number")
        if symmetry is not None:
            check_symmetry(symmetry)
        self.symmetry, self.orthonormal = symmetry, flag(orthonormal, "orthonormal")
        if symmetry is not None and self.orthonormal:
            require_possible(taps, ("orthonormal", "symmetric"))
        self.reset_parameters()

    def _number_of_taps(self) -> int:
        return 2 * (len(self._angles) + 1)

    def initial_values(self) -> dict[str, Any]:
        """The synthesis filters."""
        count = len(self._angles)
        bank = orthonormal_filters(
            uniform(count, pi).double().numpy() if self.random else self._angles
        )
        return {"lowpass": bank.rec_lo, "highpass": bank.rec_hi}

    if TYPE_CHECKING:

        def __call__(self) -> FilterBank:
            """As ``forward``; it also calls hooks."""

    def make(self) -> FilterBank:
        """The filter bank of the current filters."""
        low, high = widened(self.lowpass), widened(self.highpass)
        return FilterBank(low.flip(0), high.flip(0), low, high)

    def penalty(self) -> Tensor:
        """The penalty of the filters, times the weight."""
        low, high = widened(self.lowpass), widened(self.highpass)
        with _not_autocast(low):
            penalty: Tensor = wavelet_penalty(
                low, high, symmetry=self.symmetry, orthonormal=self.orthonormal
            )
            return self.weight * penalty
