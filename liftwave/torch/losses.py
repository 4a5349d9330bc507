"""Losses of wavelet coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import torch
from torch import Tensor

from liftwave._numbers import flag, is_one_of, items, positive_number, real_number
from liftwave._typing import Modes
from liftwave.errors import ArgumentTypeError, OptionError, ShapeError
from liftwave.torch.inputs import check_axes, check_numbers
from liftwave.torch.leaf import Layer
from liftwave.torch.transform_layers import LayerWavelet, band_list
from liftwave.torch.transforms import DWT1d, DWT2d, DWT3d
from liftwave.torch.undecimated import SWT1d, SWT2d, SWT3d

Kind: TypeAlias = Literal["l1", "l2", "charbonnier"]
"""The measure of differences."""

_KINDS = ("l1", "l2", "charbonnier")
_REDUCTIONS = ("mean", "sum")
_DECIMATED: dict[int, Any] = {1: DWT1d, 2: DWT2d, 3: DWT3d}
_UNDECIMATED: dict[int, Any] = {1: SWT1d, 2: SWT2d, 3: SWT3d}


class WaveletLoss(Layer):
    r"""Weighted differences of the wavelet coefficients of two tensors.

    Parameters
    ----------
    wavelet : str, pywt.Wavelet, FilterBank, LiftingScheme or LearnableWavelet, optional
        The wavelet, in any form that the functions accept.
    level : int, optional
        Number of levels.
    kind : {"l1", "l2", "charbonnier"}, optional
        The measure :math:`\rho` of a difference :math:`d`: :math:`|d|`, :math:`d^2`, or
        :math:`\sqrt{d^2 + \epsilon^2}`.
    approximation : float, optional
        The weight of the approximation; 1 by default, and 0 to compare the details alone.
    details : float or sequence of float, optional
        The weight of the details: one for all levels, or one for each level, coarsest first.
    undecimated : bool, optional
        Whether to use the undecimated transform (default), whose bands have the size of the
        signal. A shift of both signals does not change the loss.
    mode : str or sequence of str, optional
        Boundary mode; ``"periodization"`` by default for the undecimated transform, and
        ``"symmetric"`` for the other.
    epsilon : float, optional
        :math:`\epsilon` of ``"charbonnier"``.
    reduction : {"mean", "sum"}, optional
        Whether each band contributes the mean or the sum of its differences.
    dimensions : int, optional
        The number of transformed axes: 1 to 3.

    Raises
    ------
    OptionError, ShapeError, WaveletError, ModeError, LevelError, ArgumentTypeError
        If an argument is not valid. The call raises :class:`ShapeError` if its tensors differ in
        shape.

    Warns
    -----
    NormWarning
        If the transform is undecimated and the wavelet is fixed and not orthogonal: the scale of
        its bands then depends on the level.

    See Also
    --------
    SWT2d, DWT2d : the transforms.

    Notes
    -----
    Both inputs: shape (C, …) or (N, C, …). The result is
    :math:`\sum_b w_b \operatorname{mean}_k \rho(W_b(x - y)_k)` over all bands :math:`b`. All bands
    of a level have the same weight.

    The coefficients of an undecimated transform have the energy of the signal (``norm=True``). Half
    precision is computed in float32.

    Weighted bands are losses for super-resolution [1]_ and for the training of diffusion models,
    where the mean square alone blurs details. The measure ``"charbonnier"`` is from [2]_.

    References
    ----------
    .. [1] C. Korkmaz, A. M. Tekalp, "Training transformer models by wavelet losses improves
       quantitative and visual performance in single image super-resolution", CVPR workshops 2024.
    .. [2] P. Charbonnier et al., "Two deterministic half-quadratic regularization algorithms for
       computed imaging", ICIP 1994.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch import WaveletLoss
    >>> loss = WaveletLoss("db2", level=2, kind="charbonnier", details=(1.0, 2.0))
    >>> x = torch.rand(2, 3, 16, 16, requires_grad=True)
    >>> loss(x, torch.rand(2, 3, 16, 16)).backward()
    >>> x.grad.shape
    torch.Size([2, 3, 16, 16])
    """

    def __init__(
        self,
        wavelet: LayerWavelet = "haar",
        level: int = 1,
        kind: Kind = "l1",
        *,
        approximation: float = 1.0,
        details: float | Sequence[float] = 1.0,
        undecimated: bool = True,
        mode: Modes | None = None,
        epsilon: float = 1e-3,
        reduction: Literal["mean", "sum"] = "mean",
        dimensions: int = 2,
    ) -> None:
        super().__init__()
        self.dimensions = positive_number(dimensions, "dimensions", ShapeError)
        if self.dimensions not in _DECIMATED:
            raise ShapeError(f"dimensions must be 1, 2 or 3, got {dimensions}")
        self.kind = _choice("kind", kind, _KINDS)
        self.reduction = _choice("reduction", reduction, _REDUCTIONS)
        self.epsilon = real_number(epsilon, "epsilon must be a number")
        self.undecimated = flag(undecimated, "undecimated")
        families = _UNDECIMATED if self.undecimated else _DECIMATED
        options: dict[str, Any] = {"norm": True} if self.undecimated else {}
        if mode is not None:
            options["mode"] = mode
        self.transform = families[self.dimensions](wavelet, level, **options)
        self.weights = self._weights(approximation, details)

    def _weights(self, approximation: float, details: float | Sequence[float]) -> tuple[float, ...]:
        """The weight of each band, in the order of the coefficients."""
        level = self.transform.level
        demand = f"details must be a number, or {level} numbers, one for each level"
        values = [details] * level if isinstance(details, float | int) else items(details, demand)
        if len(values) != level:
            raise OptionError(f"{demand}, got {len(values)}")
        first = real_number(approximation, "approximation must be a number")
        weights = (real_number(value, demand) for value in values)
        return (first, *(w for w in weights for _ in range(2**self.dimensions - 1)))

    if TYPE_CHECKING:

        def __call__(self, x: Tensor, y: Tensor) -> Tensor:
            """As ``forward``; it also calls hooks."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """The loss of two tensors of one shape, a tensor of shape ()."""
        for signal in (x, y):
            check_axes(self, signal)
            check_numbers(signal)
        if x.shape != y.shape:
            raise ShapeError(
                f"both tensors must have the same shape, got {tuple(x.shape)} and {tuple(y.shape)}"
            )
        difference = x - y
        if difference.dtype.itemsize < 4:
            difference = difference.float()
        bands = band_list(self.transform(difference), self.dimensions)
        pairs = zip(self.weights, bands, strict=True)
        terms = [weight * self._measured(band) for weight, band in pairs if weight]
        if not terms:
            return difference.new_zeros(())
        return torch.stack(terms).sum()

    def _measured(self, band: Tensor) -> Tensor:
        sizes = band.abs()
        if self.kind == "l2":
            sizes = sizes.square()
        elif self.kind == "charbonnier":
            sizes = (sizes.square() + self.epsilon**2).sqrt()
        return sizes.mean() if self.reduction == "mean" else sizes.sum()

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        details = self.weights[1 :: 2**self.dimensions - 1]
        return (
            f"kind={self.kind!r}, approximation={self.weights[0]}, details={details}, "
            f"reduction={self.reduction!r}"
        )


def _choice(name: str, value: str, choices: Sequence[str]) -> str:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name} must be a string, got {type(value).__name__}")
    if not is_one_of(value, choices):
        raise OptionError(f"unknown {name} {value!r}: use one of {', '.join(map(repr, choices))}")
    return value
