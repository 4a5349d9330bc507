"""Wavelet and pooling layers for PyTorch, with exact gradients and exact inverses.

The functions of ``liftwave`` accept tensors like other arrays. This package has the modules:
transforms (such as :class:`DWT1d`, :class:`SWT1d`, :class:`MODWT1d` and
:class:`WaveletPacket1d`), learnable wavelets (:class:`LearnableWavelet`), pooling
(:class:`LiftDownPool2d`, :class:`LDWPool2d`, :class:`SoftPool2d`, :class:`EDSCWPool2d`,
:class:`IDWPool2d`, :class:`AdaPool2d`) and its reverse, parametrizations for
``torch.nn.utils.parametrize``, and :func:`auxiliary_loss`.
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

# Registers the operator of liftwave, which saved programs of torch.export need.
import liftwave._bridge.operator  # noqa: F401
from liftwave.torch.attention import EnergyAttention
from liftwave.torch.blocks import LDWBottleneck
from liftwave.torch.denoising import Denoise1d, Denoise2d
from liftwave.torch.dual_tree import (
    DualTree1d,
    DualTree2d,
    DualTree3d,
    IDualTree1d,
    IDualTree2d,
    IDualTree3d,
)
from liftwave.torch.lifting_wavelets import LiftingWavelet, LinearPhaseWavelet
from liftwave.torch.losses import WaveletLoss
from liftwave.torch.models import (
    Replacement,
    Replacements,
    pooling_modules,
    replace_pooling,
)
from liftwave.torch.modwt import IMODWT1d, MODWT1d
from liftwave.torch.packets import (
    IWaveletPacket1d,
    IWaveletPacket2d,
    WaveletPacket1d,
    WaveletPacket2d,
)
from liftwave.torch.parametrizations import LinearPhase, Orthonormal
from liftwave.torch.penalties import auxiliary_loss, collect_penalties
from liftwave.torch.pooling_adaptive import (
    AdaPool1d,
    AdaPool2d,
    AdaPool3d,
    AdaUnpool1d,
    AdaUnpool2d,
    AdaUnpool3d,
)
from liftwave.torch.pooling_gated import GatedAdaPool1d, GatedAdaPool2d, GatedAdaPool3d
from liftwave.torch.pooling_lifting import (
    LiftDownPool1d,
    LiftDownPool2d,
    LiftDownPool3d,
    LiftUpPool1d,
    LiftUpPool2d,
    LiftUpPool3d,
)
from liftwave.torch.pooling_places import Place
from liftwave.torch.pooling_wavelets import (
    LDWPool1d,
    LDWPool2d,
    LDWPool3d,
    LDWUnpool1d,
    LDWUnpool2d,
    LDWUnpool3d,
)
from liftwave.torch.pooling_windows import (
    EDSCWPool1d,
    EDSCWPool2d,
    EDSCWPool3d,
    IDWPool1d,
    IDWPool2d,
    IDWPool3d,
    SimilarityPool1d,
    SimilarityPool2d,
    SimilarityPool3d,
    SoftPool1d,
    SoftPool2d,
    SoftPool3d,
)
from liftwave.torch.scalogram import Scalogram1d
from liftwave.torch.scattering import Scattering1d, Scattering2d
from liftwave.torch.transforms import DWT1d, DWT2d, DWT3d, IDWT1d, IDWT2d, IDWT3d
from liftwave.torch.undecimated import (
    ISWT1d,
    ISWT2d,
    ISWT3d,
    SWT1d,
    SWT2d,
    SWT3d,
)
from liftwave.torch.unpooling import (
    BedOfNailsUnpool1d,
    BedOfNailsUnpool2d,
    BedOfNailsUnpool3d,
    NearestUnpool1d,
    NearestUnpool2d,
    NearestUnpool3d,
)
from liftwave.torch.wavelet_convolutions import WTConv1d, WTConv2d, WTConv3d
from liftwave.torch.wavelets import FiltersWavelet, LearnableWavelet, OrthonormalWavelet

__all__ = [
    "AdaPool1d",
    "AdaPool2d",
    "AdaPool3d",
    "AdaUnpool1d",
    "AdaUnpool2d",
    "AdaUnpool3d",
    "BedOfNailsUnpool1d",
    "BedOfNailsUnpool2d",
    "BedOfNailsUnpool3d",
    "DWT1d",
    "DWT2d",
    "DWT3d",
    "Denoise1d",
    "Denoise2d",
    "DualTree1d",
    "DualTree2d",
    "DualTree3d",
    "EDSCWPool1d",
    "EDSCWPool2d",
    "EDSCWPool3d",
    "EnergyAttention",
    "FiltersWavelet",
    "GatedAdaPool1d",
    "GatedAdaPool2d",
    "GatedAdaPool3d",
    "IDWPool1d",
    "IDWPool2d",
    "IDWPool3d",
    "IDWT1d",
    "IDWT2d",
    "IDWT3d",
    "IDualTree1d",
    "IDualTree2d",
    "IDualTree3d",
    "IMODWT1d",
    "ISWT1d",
    "ISWT2d",
    "ISWT3d",
    "IWaveletPacket1d",
    "IWaveletPacket2d",
    "LDWBottleneck",
    "LDWPool1d",
    "LDWPool2d",
    "LDWPool3d",
    "LDWUnpool1d",
    "LDWUnpool2d",
    "LDWUnpool3d",
    "LearnableWavelet",
    "LiftDownPool1d",
    "LiftDownPool2d",
    "LiftDownPool3d",
    "LiftUpPool1d",
    "LiftUpPool2d",
    "LiftUpPool3d",
    "LiftingWavelet",
    "LinearPhase",
    "LinearPhaseWavelet",
    "MODWT1d",
    "NearestUnpool1d",
    "NearestUnpool2d",
    "NearestUnpool3d",
    "Orthonormal",
    "OrthonormalWavelet",
    "Place",
    "Replacement",
    "Replacements",
    "SWT1d",
    "SWT2d",
    "SWT3d",
    "Scalogram1d",
    "Scattering1d",
    "Scattering2d",
    "SimilarityPool1d",
    "SimilarityPool2d",
    "SimilarityPool3d",
    "SoftPool1d",
    "SoftPool2d",
    "SoftPool3d",
    "WTConv1d",
    "WTConv2d",
    "WTConv3d",
    "WaveletLoss",
    "WaveletPacket1d",
    "WaveletPacket2d",
    "auxiliary_loss",
    "collect_penalties",
    "pooling_modules",
    "replace_pooling",
]
