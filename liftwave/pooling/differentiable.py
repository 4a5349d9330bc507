"""The differentiable pooling functions, and their calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from liftwave._operations.call import Call
from liftwave.pooling import calls, lifting_calls
from liftwave.pooling.adaptive import (
    ada_pool,
    ada_unpool,
    edscw_pool,
    idw_pool,
    similarity_pool,
    soft_pool,
)
from liftwave.pooling.attention import energy_attention
from liftwave.pooling.lifting import lift_down, lift_up
from liftwave.pooling.unpooling import (
    bed_of_nails_unpool,
    conv_transpose,
    max_pool,
    max_unpool,
    nearest_unpool,
)

CALLS: dict[Callable[..., Any], Callable[..., Call]] = {
    soft_pool: calls.soft_pool,
    edscw_pool: calls.edscw_pool,
    similarity_pool: calls.similarity_pool,
    idw_pool: calls.idw_pool,
    ada_pool: calls.ada_pool,
    ada_unpool: calls.ada_unpool,
    max_pool: calls.max_pool,
    max_unpool: calls.max_unpool,
    nearest_unpool: calls.nearest_unpool,
    bed_of_nails_unpool: calls.bed_of_nails_unpool,
    conv_transpose: calls.conv_transpose,
    lift_down: lifting_calls.lift_down,
    lift_up: lifting_calls.lift_up,
    energy_attention: calls.energy_attention,
}
"""For :func:`liftwave.vjp`: the function that creates each call, with the same signature."""
