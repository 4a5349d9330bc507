"""Pooling and its reverse on arrays of any library, channels first: ``(..., C, *spatial)``."""

from liftwave.pooling.adaptive import (
    ada_pool,
    ada_unpool,
    edscw_pool,
    idw_pool,
    similarity_pool,
    soft_pool,
)
from liftwave.pooling.unpooling import (
    bed_of_nails_unpool,
    conv_transpose,
    conv_transpose_matrix,
    max_pool,
    max_unpool,
    nearest_unpool,
)

__all__ = [
    "ada_pool",
    "ada_unpool",
    "bed_of_nails_unpool",
    "conv_transpose",
    "conv_transpose_matrix",
    "edscw_pool",
    "idw_pool",
    "max_pool",
    "max_unpool",
    "nearest_unpool",
    "similarity_pool",
    "soft_pool",
]
