"""Wavelet transforms and lifting for arrays of any library.

The transforms have PyWavelets' names, signatures and results, on arrays of
NumPy, CuPy and torch. Every function with a wavelet also accepts a lifting scheme.
"""

import typing as _t
from importlib import import_module as _import_module
from importlib.util import find_spec as _find_spec

from pywt import (
    ContinuousWavelet,
    DiscreteContinuousWavelet,
    Modes,
    orthogonal_filter_bank,
    qmf,
    wavelist,
)

from liftwave._config import (
    get_num_threads,
    get_reused_memory,
    set_num_threads,
    set_reused_memory,
    show_config,
)
from liftwave._dispatch import kernels
from liftwave._version import __version__ as __version__
from liftwave.transforms.dwt import downcoef, dwt, idwt, upcoef
from liftwave.transforms.dwtn import dwt2, dwtn, idwt2, idwtn
from liftwave.transforms.multilevel import wavedec, wavedec2, wavedecn, waverec, waverec2, waverecn
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep
from liftwave.wavelets.names import Wavelet, families

if _t.TYPE_CHECKING:
    from liftwave import constraints as constraints
    from liftwave import data as data
    from liftwave import errors as errors
    from liftwave import gradients as gradients
    from liftwave import lifting as lifting
    from liftwave import operators as operators
    from liftwave import pooling as pooling
    from liftwave import sklearn as sklearn
    from liftwave import torch as torch
    from liftwave import xarray as xarray
    from liftwave.continuous.classic import cwt
    from liftwave.continuous.coherence import Coherence, wavelet_coherence
    from liftwave.continuous.cross import CrossScalogram, cross_scalogram
    from liftwave.continuous.families import Bump, GaussianDerivative, Morlet, Morse, Paul
    from liftwave.continuous.old_names import centrfrq, intwave, orthfilt, scal2frq
    from liftwave.continuous.ridges import Ridge
    from liftwave.continuous.scaling import scaling_function
    from liftwave.continuous.scalogram import Scalogram
    from liftwave.continuous.scattering import Scattering, scattering1d
    from liftwave.continuous.scattering_images import ImageScattering, scattering2d
    from liftwave.continuous.squeezing import Synchrosqueezed
    from liftwave.continuous.transform import scalogram
    from liftwave.continuous.wavelets import (
        central_frequency,
        frequency2scale,
        integrate_wavelet,
        scale2frequency,
        wavefun,
    )
    from liftwave.decomposition import Decomposition, Undecimated, decompose, undecimated
    from liftwave.decomposition.dual_tree import DualTree, dtcwt
    from liftwave.denoising import denoise, estimate_sigma, frequency_band, remove_trend
    from liftwave.gradients import vjp
    from liftwave.packets.arrays import packet_bands, wpdec, wprec
    from liftwave.packets.base_node import BaseNode
    from liftwave.packets.best_basis import (
        best_basis,
        discriminant_basis,
        joint_basis,
        least_dependent_basis,
    )
    from liftwave.packets.nodes import Node, Node2D, NodeND
    from liftwave.packets.packet_tree import PacketTree
    from liftwave.packets.tree import WaveletPacket, WaveletPacket2D, WaveletPacketND
    from liftwave.packets.undecimated import swpdec, swprec
    from liftwave.thresholding import threshold, threshold_firm
    from liftwave.transforms.coefficients import (
        array_to_coeffs,
        coeffs_to_array,
        ravel_coeffs,
        unravel_coeffs,
        wavedecn_size,
    )
    from liftwave.transforms.estimates import WaveletEstimate
    from liftwave.transforms.fully_separable import fswavedecn, fswaverecn
    from liftwave.transforms.fully_separable_result import FswavedecnResult
    from liftwave.transforms.lengths import (
        dwt_coeff_len,
        dwt_max_level,
        dwtn_max_level,
        swt_max_level,
        wavedecn_shapes,
    )
    from liftwave.transforms.modwt import imodwt, modwt, modwt_mra, modwt_shifts
    from liftwave.transforms.multiresolution import imra, imra2, imran, mra, mra2, mran
    from liftwave.transforms.padding import pad
    from liftwave.transforms.undecimated import (
        iswt,
        iswt2,
        iswtn,
        swt,
        swt2,
        swtn,
    )
    from liftwave.transforms.variance import (
        wavelet_correlation,
        wavelet_covariance,
        wavelet_variance,
    )

__all__ = [
    "BaseNode",
    "Bump",
    "Coherence",
    "ContinuousWavelet",
    "CrossScalogram",
    "Decomposition",
    "DiscreteContinuousWavelet",
    "DualTree",
    "FilterBank",
    "FswavedecnResult",
    "GaussianDerivative",
    "ImageScattering",
    "LiftingScheme",
    "LiftingStep",
    "Modes",
    "Morlet",
    "Morse",
    "Node",
    "Node2D",
    "NodeND",
    "PacketTree",
    "Paul",
    "Ridge",
    "Scalogram",
    "Scattering",
    "Synchrosqueezed",
    "Undecimated",
    "Wavelet",
    "WaveletEstimate",
    "WaveletPacket",
    "WaveletPacket2D",
    "WaveletPacketND",
    "array_to_coeffs",
    "best_basis",
    "central_frequency",
    "centrfrq",
    "coeffs_to_array",
    "cross_scalogram",
    "cwt",
    "decompose",
    "denoise",
    "discriminant_basis",
    "downcoef",
    "dtcwt",
    "dwt",
    "dwt2",
    "dwt_coeff_len",
    "dwt_max_level",
    "dwtn",
    "dwtn_max_level",
    "estimate_sigma",
    "families",
    "frequency2scale",
    "frequency_band",
    "fswavedecn",
    "fswaverecn",
    "get_num_threads",
    "get_reused_memory",
    "idwt",
    "idwt2",
    "idwtn",
    "imodwt",
    "imra",
    "imra2",
    "imran",
    "integrate_wavelet",
    "intwave",
    "iswt",
    "iswt2",
    "iswtn",
    "joint_basis",
    "kernels",
    "least_dependent_basis",
    "modwt",
    "modwt_mra",
    "modwt_shifts",
    "mra",
    "mra2",
    "mran",
    "orthfilt",
    "orthogonal_filter_bank",
    "packet_bands",
    "pad",
    "qmf",
    "ravel_coeffs",
    "remove_trend",
    "scal2frq",
    "scale2frequency",
    "scaling_function",
    "scalogram",
    "scattering1d",
    "scattering2d",
    "set_num_threads",
    "set_reused_memory",
    "show_config",
    "swpdec",
    "swprec",
    "swt",
    "swt2",
    "swt_max_level",
    "swtn",
    "threshold",
    "threshold_firm",
    "undecimated",
    "unravel_coeffs",
    "upcoef",
    "vjp",
    "wavedec",
    "wavedec2",
    "wavedecn",
    "wavedecn_shapes",
    "wavedecn_size",
    "wavefun",
    "wavelet_coherence",
    "wavelet_correlation",
    "wavelet_covariance",
    "wavelet_variance",
    "wavelist",
    "waverec",
    "waverec2",
    "waverecn",
    "wpdec",
    "wprec",
]

# Public names by module. A module is imported when one of its names is first used.
_LATE_NAMES = {
    "continuous.classic": ("cwt",),
    "continuous.coherence": ("Coherence", "wavelet_coherence"),
    "continuous.cross": ("CrossScalogram", "cross_scalogram"),
    "continuous.families": ("GaussianDerivative", "Bump", "Morlet", "Morse", "Paul"),
    "continuous.old_names": ("centrfrq", "intwave", "orthfilt", "scal2frq"),
    "continuous.scaling": ("scaling_function",),
    "continuous.ridges": ("Ridge",),
    "continuous.scalogram": ("Scalogram",),
    "continuous.scattering": ("Scattering", "scattering1d"),
    "continuous.scattering_images": ("ImageScattering", "scattering2d"),
    "continuous.squeezing": ("Synchrosqueezed",),
    "continuous.transform": ("scalogram",),
    "continuous.wavelets": (
        "central_frequency",
        "frequency2scale",
        "integrate_wavelet",
        "scale2frequency",
        "wavefun",
    ),
    "decomposition": ("Decomposition", "Undecimated", "decompose", "undecimated"),
    "decomposition.dual_tree": ("DualTree", "dtcwt"),
    "denoising": ("denoise", "estimate_sigma", "frequency_band", "remove_trend"),
    "gradients": ("vjp",),
    "packets.arrays": ("packet_bands", "wpdec", "wprec"),
    "packets.best_basis": (
        "best_basis",
        "discriminant_basis",
        "joint_basis",
        "least_dependent_basis",
    ),
    "packets.base_node": ("BaseNode",),
    "packets.nodes": ("Node", "Node2D", "NodeND"),
    "packets.packet_tree": ("PacketTree",),
    "packets.undecimated": ("swpdec", "swprec"),
    "packets.tree": ("WaveletPacket", "WaveletPacket2D", "WaveletPacketND"),
    "thresholding": ("threshold", "threshold_firm"),
    "transforms.coefficients": (
        "array_to_coeffs",
        "coeffs_to_array",
        "ravel_coeffs",
        "unravel_coeffs",
        "wavedecn_size",
    ),
    "transforms.estimates": ("WaveletEstimate",),
    "transforms.fully_separable": ("fswavedecn", "fswaverecn"),
    "transforms.fully_separable_result": ("FswavedecnResult",),
    "transforms.lengths": (
        "dwt_coeff_len",
        "dwt_max_level",
        "dwtn_max_level",
        "swt_max_level",
        "wavedecn_shapes",
    ),
    "transforms.modwt": ("imodwt", "modwt", "modwt_mra", "modwt_shifts"),
    "transforms.multiresolution": ("imra", "imra2", "imran", "mra", "mra2", "mran"),
    "transforms.padding": ("pad",),
    "transforms.undecimated": (
        "iswt",
        "iswt2",
        "iswtn",
        "swt",
        "swt2",
        "swtn",
    ),
    "transforms.variance": (
        "wavelet_correlation",
        "wavelet_covariance",
        "wavelet_variance",
    ),
}
_MODULES = {name: module for module, names in _LATE_NAMES.items() for name in names}

# Public submodules, and the libraries that they need. They are imported when first used.
_SUBMODULES = {
    "constraints": "numpy",
    "dask": "dask",
    "data": "numpy",
    "errors": "numpy",
    "gradients": "numpy",
    "lifting": "numpy",
    "operators": "scipy",
    "pooling": "numpy",
    "sklearn": "sklearn",
    "torch": "torch",
    "xarray": "xarray",
    "zarr": "zarr",
}


def __getattr__(name: str) -> _t.Any:
    if name in _SUBMODULES:
        return _import_module(f"liftwave.{name}")
    if name in _MODULES:  # stored, so that this function is not called again
        module = _import_module(f"liftwave.{_MODULES[name]}")
        return globals().setdefault(name, getattr(module, name))
    raise AttributeError(f"module 'liftwave' has no attribute {name!r}")


def __dir__() -> list[str]:
    # help() imports all listed names, so submodules whose library is missing are not listed.
    submodules = {name for name, library in _SUBMODULES.items() if _find_spec(library)}
    return sorted({*__all__, *submodules, "__doc__", "__name__", "__version__"})
