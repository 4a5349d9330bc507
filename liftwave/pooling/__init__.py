"""Pooling and its reverse on arrays of any library, channels first: ``(..., C, *spatial)``."""

from liftwave.pooling.adaptive import (
    ada_pool,
    ada_unpool,
    edscw_pool,
    idw_pool,
    similarity_pool,
    soft_pool,
)

__all__ = [
    "ada_pool",
    "ada_unpool",
    "edscw_pool",
    "idw_pool",
    "similarity_pool",
    "soft_pool",
]
