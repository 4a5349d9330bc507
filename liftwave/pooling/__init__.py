"""Learned pooling, invertible pooling, and unpooling, for arrays of any library.

Channels come first: arrays have the shape ``(..., C, *spatial)``.
"""

from liftwave.pooling.adaptive import (
    ada_pool,
    ada_unpool,
    edscw_pool,
    idw_pool,
    similarity_pool,
    soft_pool,
)
from liftwave.pooling.attention import energy_attention
from liftwave.pooling.inspection import region_weights
from liftwave.pooling.lifting import lift_down, lift_filters, lift_up
from liftwave.pooling.lifting_calls import LiftFilters, LiftPenalties
from liftwave.pooling.unpooling import (
    bed_of_nails_unpool,
    conv_transpose,
    conv_transpose_matrix,
    max_pool,
    max_unpool,
    nearest_unpool,
)

__all__ = [
    "LiftFilters",
    "LiftPenalties",
    "ada_pool",
    "ada_unpool",
    "bed_of_nails_unpool",
    "conv_transpose",
    "conv_transpose_matrix",
    "edscw_pool",
    "energy_attention",
    "idw_pool",
    "lift_down",
    "lift_filters",
    "lift_up",
    "max_pool",
    "max_unpool",
    "nearest_unpool",
    "region_weights",
    "similarity_pool",
    "soft_pool",
]
