"""Scattering of signals and images as modules."""

from __future__ import annotations

from torch import Tensor

from liftwave.continuous.scattering import check_scattering, scattering1d
from liftwave.continuous.scattering_images import check_image_scattering, scattering2d
from liftwave.torch.docstrings import documented
from liftwave.torch.inputs import check_axes
from liftwave.torch.leaf import Layer


class _Scattering(Layer):
    """The transform."""

    dimensions = 1

    def __init__(self, J: int, Q: int = 8, *, order: int = 2, average: bool = True) -> None:
        super().__init__()
        self.J, self.Q, self.order, self.average = check_scattering(J, Q, order, average)

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        return f"J={self.J}, Q={self.Q}, order={self.order}, average={self.average}"

    def forward(self, x: Tensor) -> Tensor:
        """The coefficients of signals of shape (C, L) or (N, C, L)."""
        check_axes(self, x)
        result = scattering1d(x, self.J, self.Q, order=self.order, average=self.average)
        coefficients: Tensor = result.coefficients
        return coefficients


@documented(
    """
Parameters
----------
J : int
    Averages are over ``2**J`` samples.
Q : int, optional
    Wavelets per octave of the first order. Default 8.
order : {1, 2}, optional
    The highest order. Default 2.
average : bool, optional
    Whether the moduli are averaged and reduced to one value for each ``2**J`` samples. Default
    True.

Raises
------
LevelError, OptionError
    If an argument is not valid. The call raises :class:`ShapeError` if its input does not fit.

See Also
--------
liftwave.scattering1d : the function, which also returns the frequencies of the paths.

Notes
-----
Input: shape (C, L) or (N, C, L), real.
Output: shape (C, P, n) or (N, C, P, n) with P paths and n = ceil(L / 2**J) times; n = L without
averages. The layer has no parameters.

Examples
--------
>>> import torch
>>> from liftwave.torch import Scattering1d
>>> Scattering1d(J=5, Q=4)(torch.randn(8, 2, 256)).shape
torch.Size([8, 2, 46, 8])
"""
)
class Scattering1d(_Scattering):
    """Scattering transform as a layer: features that hardly change if a signal moves a little."""

    dimensions = 1


class _ImageScattering(Layer):
    """The transform of images."""

    dimensions = 2

    def __init__(self, J: int, L: int = 8, *, order: int = 2, average: bool = True) -> None:
        super().__init__()
        self.J, self.L, self.order, self.average = check_image_scattering(J, L, order, average)

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        return f"J={self.J}, L={self.L}, order={self.order}, average={self.average}"

    def forward(self, x: Tensor) -> Tensor:
        """The coefficients of images of shape (C, H, W) or (N, C, H, W)."""
        check_axes(self, x)
        result = scattering2d(x, self.J, self.L, order=self.order, average=self.average)
        coefficients: Tensor = result.coefficients
        return coefficients


@documented(
    """
Parameters
----------
J : int
    Averages are over ``2**J`` pixels.
L : int, optional
    The number of angles. Default 8.
order : {1, 2}, optional
    The highest order. Default 2.
average : bool, optional
    Whether the moduli are averaged and reduced to one value for each ``2**J`` pixels along both
    axes. Default True.

Raises
------
LevelError, OptionError
    If an argument is not valid. The call raises :class:`ShapeError` if its input does not fit.

See Also
--------
liftwave.scattering2d : the function, which also returns the scales and angles of the paths.

Notes
-----
Input: shape (C, H, W) or (N, C, H, W), real.
Output: shape (C, P, h, w) or (N, C, P, h, w) with P paths, h = H // 2**J and w = W // 2**J; the
size of the image without averages. The layer has no parameters.

Examples
--------
>>> import torch
>>> from liftwave.torch import Scattering2d
>>> Scattering2d(J=3, L=4)(torch.randn(8, 2, 32, 40)).shape
torch.Size([8, 2, 61, 4, 5])
"""
)
class Scattering2d(_ImageScattering):
    """Scattering transform of images as a layer."""

    dimensions = 2
