"""The dual-tree complex transform as modules, and its inverse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from liftwave._arrays.convert import is_half
from liftwave._numbers import is_one_of, is_several, lengths
from liftwave._plan.arguments import check_positive_level
from liftwave.errors import CoefficientsError, DTypeError, OptionError, ShapeError, ShapeTypeError
from liftwave.torch.docstrings import documented
from liftwave.torch.inputs import check_axes, check_tensor
from liftwave.torch.leaf import Layer
from liftwave.transforms.dual_tree_calls import dual_tree_parts, dual_tree_signal
from liftwave.wavelets.dual_tree import dual_tree_filters

_OUTPUTS = ("complex", "real")


class _DualTreeLayer(Layer):
    """The arguments of the transform and its inverse."""

    dimensions: ClassVar[int]

    def __init__(
        self,
        level: int = 3,
        biort: Any = "cdf9.7",
        qshift: Any = "q14",
        *,
        output: str = "complex",
    ) -> None:
        super().__init__()
        self.level = check_positive_level(level)
        if not is_one_of(output, _OUTPUTS):
            raise OptionError(f"output must be 'complex' or 'real', got {output!r}")
        self.output = output
        names = dual_tree_filters(biort, qshift).names
        self.biort, self.qshift = (
            value if is_text else _numbers(value)
            for value, is_text in ((biort, _is_name(biort)), (qshift, _is_name(qshift)))
        )
        self._names = names

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        biort, qshift = self._names
        return f"level={self.level}, {biort!r}, {qshift!r}, output={self.output!r}"


def _is_name(value: Any) -> bool:
    """Whether filters are a name or a wavelet."""
    return not is_several(value) or hasattr(value, "dec_lo")


def _numbers(filters: Any) -> Any:
    """Filters as nested tuples of numbers."""
    if not is_several(filters):
        return float(filters)
    return tuple(_numbers(item) for item in filters)


class _Inverse(_DualTreeLayer):
    """The inverse."""

    if TYPE_CHECKING:

        def __call__(
            self, coeffs: Sequence[Tensor], output_size: Sequence[int] | None = None
        ) -> Tensor: ...

    def forward(self, coeffs: Sequence[Tensor], output_size: Sequence[int] | None = None) -> Tensor:
        """The signal that has these coefficients, with the spatial lengths ``output_size``."""
        low, *bands = self._checked(coeffs)
        parts = [self._parts(band) for band in bands]
        sizes = [2 * n for n in parts[-1].shape[-self.dimensions - 1 : -1]]
        if output_size is not None:
            sizes = self._lengths(sizes, output_size)
        signal: Tensor = dual_tree_signal([low, *parts], self.biort, self.qshift, sizes)
        return signal

    def _checked(self, coeffs: Any) -> list[Tensor]:
        count = len(coeffs) if isinstance(coeffs, list | tuple) else None
        if count != self.level + 1:
            got = type(coeffs).__name__ if count is None else count
            raise CoefficientsError(
                f"{type(self).__name__} of {self.level} levels takes a list of {self.level + 1}, "
                f"the low-pass and the bands of each level, got {got}"
            )
        for band in coeffs:
            check_tensor(self, band, "tensors as bands")
        check_axes(self, coeffs[0])
        ndim = coeffs[0].ndim + (self.dimensions > 1) + (self.output == "real")
        if any(band.ndim != ndim for band in coeffs[1:]):
            raise ShapeError(
                f"{type(self).__name__} with output={self.output!r} takes bands of {ndim} "
                f"dimensions, got {[band.ndim for band in coeffs[1:]]}"
            )
        return list(coeffs)

    def _parts(self, band: Tensor) -> Tensor:
        """The bands as an operation reads them."""
        if self.output == "complex":
            if not band.is_complex():
                raise DTypeError(
                    f"{type(self).__name__} with output='complex' takes complex bands, got "
                    f"{band.dtype}"
                )
            band = torch.view_as_real(band.resolve_conj())
        else:
            band = band.movedim(-self.dimensions - 1, -1)
        return band.unsqueeze(-3) if self.dimensions == 1 else band

    def _lengths(self, even: Sequence[int], output_size: Any) -> list[int]:
        size = lengths(output_size, "output_size", ShapeTypeError)
        if len(size) != len(even) or any(
            not 0 <= n - length <= 1 for n, length in zip(even, size, strict=True)
        ):
            raise ShapeError(
                f"output_size must be {tuple(even)}, or one less if the length of the signal was "
                f"odd, got {size}"
            )
        return list(size)


class _Analysis(_DualTreeLayer):
    """The transform."""

    inverse_type: ClassVar[type[_Inverse]]

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> list[Tensor]: ...

    def inverse(self) -> _Inverse:
        """The inverse module, with the same filters."""
        return self.inverse_type(self.level, self.biort, self.qshift, output=self.output)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The coefficients of signals of shape (C, …) or (N, C, …)."""
        check_axes(self, x)
        low, *parts = dual_tree_parts(x, self.level, self.biort, self.qshift, self.dimensions)
        return [low, *map(self._band, parts)]

    def _band(self, parts: Tensor) -> Tensor:
        if self.dimensions == 1:
            parts = parts.squeeze(-3)
        if self.output == "real":
            return parts.movedim(-1, -self.dimensions - 1)
        return torch.view_as_complex(parts.float() if is_half(parts) else parts)


_PARAMETERS = """
Parameters
----------
level : int, optional
    Number of levels. Default 3.
biort : wavelet, or sequence of four filters, optional
    The filters of the first level, as for :func:`liftwave.dtcwt`. Default ``"cdf9.7"``.
qshift : str, filter, or sequence of eight filters, optional
    The filters of the other levels, as for :func:`liftwave.dtcwt`. Default ``"q14"``.
output : {"complex", "real"}, optional
    Whether bands are complex, or real with an axis of real and imaginary parts before the lengths,
    which convolutions and ONNX need. Default ``"complex"``.

Raises
------
WaveletError, LevelError, OptionError
    If an argument is not valid. The call raises :class:`ShapeError` if its input does not fit, and
    :class:`DTypeError` for complex signals.
"""

_TEMPLATE = (
    _PARAMETERS
    + """
See Also
--------
liftwave.dtcwt : the function.
IDualTree${d}d : the inverse layer; ``tree.inverse()`` returns it with the same filters.

Notes
-----
Input: shape $shape, real.
Output: a list of the low-pass and of the bands of each level, coarsest first.
$of_bands The layer has no parameters.

Examples
--------
>>> import torch
>>> from liftwave.torch import $layer
>>> tree = $layer(level=2)
>>> x = torch.randn($odd)
>>> low, *bands = tree(x)
>>> [tuple(band.shape) for band in bands]
$shapes_of_bands
>>> torch.allclose(tree.inverse()([low, *bands], output_size=x.shape[-$d:]), x, atol=1e-5)
True
"""
)

_INVERSE_TEMPLATE = (
    _PARAMETERS
    + """
See Also
--------
liftwave.DualTree.reconstruct : the method.
DualTree${d}d : the transform; ``tree.inverse()`` returns its inverse with the same filters.

Notes
-----
Call it with the result of the transform of signals of shape
$shape.
The result has even lengths. If a length of the signal can be odd, also pass
``output_size=x.shape[-$d:]``.

Examples
--------
>>> import torch
>>> from liftwave.torch import DualTree${d}d, $layer
>>> x = torch.randn($sizes)
>>> torch.allclose($layer(level=2)(DualTree${d}d(level=2)(x)), x, atol=1e-5)
True
"""
)


@documented(_INVERSE_TEMPLATE)
class IDualTree1d(_Inverse):
    """Inverse dual-tree complex transform of signals as a layer."""

    dimensions = 1


@documented(_INVERSE_TEMPLATE)
class IDualTree2d(_Inverse):
    """Inverse dual-tree complex transform of images as a layer."""

    dimensions = 2


@documented(_INVERSE_TEMPLATE)
class IDualTree3d(_Inverse):
    """Inverse dual-tree complex transform of volumes as a layer."""

    dimensions = 3


@documented(
    _TEMPLATE,
    of_bands="Bands have the shape (C, L) or (N, C, L).",
    shapes_of_bands="[(8, 3, 26), (8, 3, 51)]",
)
class DualTree1d(_Analysis):
    """Dual-tree complex wavelet transform of signals as a layer."""

    dimensions = 1
    inverse_type = IDualTree1d


@documented(
    _TEMPLATE,
    of_bands="Bands have the shape (C, 6, H, W) or (N, C, 6, H, W), by angle.",
    shapes_of_bands="[(8, 3, 6, 8, 8), (8, 3, 6, 16, 16)]",
)
class DualTree2d(_Analysis):
    """Dual-tree complex wavelet transform of images as a layer: six directions per level."""

    dimensions = 2
    inverse_type = IDualTree2d


@documented(
    _TEMPLATE,
    of_bands="Bands have the shape (C, 28, D, H, W) or (N, C, 28, D, H, W).",
    shapes_of_bands="[(2, 3, 28, 1, 2, 2), (2, 3, 28, 2, 3, 4)]",
)
class DualTree3d(_Analysis):
    """Dual-tree complex wavelet transform of volumes as a layer: 28 directions per level."""

    dimensions = 3
    inverse_type = IDualTree3d
