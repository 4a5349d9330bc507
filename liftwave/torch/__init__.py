"""Wavelet layers for PyTorch: fixed or learnable, with exact gradients and exact inverses.

The functions of ``liftwave`` take tensors as they take other arrays. Here are the modules:
transforms (:class:`DWT1d` and its kin), learnable wavelets (:class:`LearnableWavelet`),
parametrizations for ``torch.nn.utils.parametrize``, and :func:`auxiliary_loss`.
"""

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ModuleNotFoundError(
        "liftwave.torch needs PyTorch, which is not installed: pip install 'liftwave[torch]'",
        name="torch",
    ) from error

from liftwave.torch.losses import auxiliary_loss
from liftwave.torch.parametrizations import LinearPhase, Orthonormal
from liftwave.torch.transforms import DWT1d, DWT2d, DWT3d, IDWT1d, IDWT2d, IDWT3d
from liftwave.torch.wavelets import (
    FiltersWavelet,
    LearnableWavelet,
    LiftingWavelet,
    LinearPhaseWavelet,
    OrthonormalWavelet,
)

__all__ = [
    "DWT1d",
    "DWT2d",
    "DWT3d",
    "FiltersWavelet",
    "IDWT1d",
    "IDWT2d",
    "IDWT3d",
    "LearnableWavelet",
    "LiftingWavelet",
    "LinearPhase",
    "LinearPhaseWavelet",
    "Orthonormal",
    "OrthonormalWavelet",
    "auxiliary_loss",
]
