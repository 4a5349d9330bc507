"""Parametrizations for ``torch.nn.utils.parametrize``: filters that keep a property."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from liftwave._numbers import flag, positive_number
from liftwave.constraints import lattice_angles, orthonormal_lowpass
from liftwave.errors import ShapeError
from liftwave.torch.inputs import check_tensor
from liftwave.torch.leaf import Layer


class Orthonormal(Layer):
    r"""Keeps a pair of filters orthonormal: low-pass and high-pass of a wavelet.

    The parameter has shape (2, 2N): the synthesis low-pass and high-pass, in the convention of
    :class:`~liftwave.FilterBank`. The learned parameters are the angles of their rotation
    lattice.

    Parameters
    ----------
    zero_sum : bool, optional
        Whether the high-pass sums to zero.

    See Also
    --------
    liftwave.constraints.orthonormal_lowpass : the map from angles to filters.

    Examples
    --------
    >>> import pywt
    >>> import torch
    >>> from torch import nn
    >>> from torch.nn.utils import parametrize
    >>> from liftwave.torch import Orthonormal
    >>> layer = nn.Module()
    >>> bank = pywt.Wavelet("db2")
    >>> layer.filters = nn.Parameter(torch.tensor([bank.rec_lo, bank.rec_hi]))
    >>> _ = parametrize.register_parametrization(layer, "filters", Orthonormal())
    >>> layer.filters.shape, layer.parametrizations.filters.original.shape
    (torch.Size([2, 4]), torch.Size([1]))
    """

    def __init__(self, zero_sum: bool = True) -> None:
        super().__init__()
        self.zero_sum = flag(zero_sum, "zero_sum")

    if TYPE_CHECKING:

        def __call__(self, angles: Tensor) -> Tensor:
            """As ``forward``; it also calls hooks."""

    def forward(self, angles: Tensor) -> Tensor:
        """Low-pass and high-pass of these angles, shape (2, 2N)."""
        check_tensor(self, angles)
        low: Tensor = orthonormal_lowpass(angles, zero_sum=self.zero_sum)
        signs = torch.ones_like(low)
        signs[1::2] = -1.0
        return torch.stack([low, signs * low.flip(0)])

    def right_inverse(self, filters: Tensor) -> Tensor:
        """The angles of a low-pass (the high-pass follows from it)."""
        check_tensor(self, filters)
        if filters.ndim != 2 or filters.shape[0] != 2:
            raise ShapeError(
                "expected a low-pass and a high-pass, in a parameter of shape (2, taps), "
                f"got shape {tuple(filters.shape)}"
            )
        angles: Tensor = lattice_angles(filters[0].detach(), zero_sum=self.zero_sum)
        return angles


class LinearPhase(Layer):
    r"""Keeps filters symmetric or antisymmetric in their last dimension: linear phase.

    Parameters
    ----------
    length : int
        Number of taps.
    antisymmetric : bool, optional
        Whether :math:`h_i = -h_{K-1-i}` instead of :math:`h_i = h_{K-1-i}`. The middle tap of an
        odd number of taps is then zero.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from torch.nn.utils import parametrize
    >>> from liftwave.torch import LinearPhase
    >>> layer = nn.Conv1d(1, 4, 5, bias=False)
    >>> _ = parametrize.register_parametrization(layer, "weight", LinearPhase(5))
    >>> bool((layer.weight == layer.weight.flip(-1)).all())
    True
    >>> layer.parametrizations.weight.original.shape
    torch.Size([4, 1, 3])
    """

    def __init__(self, length: int, antisymmetric: bool = False) -> None:
        super().__init__()
        self.length = positive_number(length, "length", ShapeError)
        self.antisymmetric = flag(antisymmetric, "antisymmetric")

    @property
    def _free(self) -> int:
        return self.length // 2 if self.antisymmetric else (self.length + 1) // 2

    if TYPE_CHECKING:

        def __call__(self, half: Tensor) -> Tensor:
            """As ``forward``; it also calls hooks."""

    def forward(self, half: Tensor) -> Tensor:
        """The filters with this first half, which includes the middle tap if it is free."""
        check_tensor(self, half)
        if not half.ndim or half.shape[-1] != self._free:
            raise ShapeError(
                f"expected the first {self._free} of {self.length} taps, got shape "
                f"{tuple(half.shape)}"
            )
        mirror = half[..., : self.length // 2].flip(-1)
        if not self.antisymmetric:
            return torch.cat([half, mirror], -1)
        middle = half.new_zeros((*half.shape[:-1], self.length % 2))
        return torch.cat([half, middle, -mirror], -1)

    def right_inverse(self, filters: Tensor) -> Tensor:
        """The first half of the mean of the filters and their mirror image."""
        check_tensor(self, filters)
        if not filters.ndim or filters.shape[-1] != self.length:
            raise ShapeError(
                f"expected filters of {self.length} taps, got shape {tuple(filters.shape)}"
            )
        sign = -1.0 if self.antisymmetric else 1.0
        return 0.5 * (filters + sign * filters.flip(-1))[..., : self._free]
