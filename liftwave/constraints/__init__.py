"""Constraints that keep learned filters wavelets: by construction or by penalties."""

from liftwave.constraints.design import coding_gain, design_orthonormal
from liftwave.constraints.gradients import vjp
from liftwave.constraints.lattice import lattice_angles
from liftwave.constraints.lifting import free_lifting, symmetric_lifting, symmetric_taps
from liftwave.constraints.orthonormal import (
    orthonormal_filters,
    orthonormal_lowpass,
    random_orthonormal_filters,
)
from liftwave.constraints.penalties import (
    highpass_penalty,
    lowpass_penalty,
    orthonormality_penalty,
    reversibility_penalty,
    symmetry_penalty,
    wavelet_penalty,
)

__all__ = [
    "coding_gain",
    "design_orthonormal",
    "free_lifting",
    "highpass_penalty",
    "lattice_angles",
    "lowpass_penalty",
    "orthonormal_filters",
    "orthonormal_lowpass",
    "orthonormality_penalty",
    "random_orthonormal_filters",
    "reversibility_penalty",
    "symmetric_lifting",
    "symmetric_taps",
    "symmetry_penalty",
    "vjp",
    "wavelet_penalty",
]
