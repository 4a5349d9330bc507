"""Calls of every function of ``liftwave.pooling``; see ``no_fallback_calls.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from helpers import zero_mean
from no_fallback_calls import Call, call, real

from liftwave import pooling

MAPS = zero_mean((2, 4, 6, 8), 3)
WINDOWS: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...] = (
    ((2,), {}),
    ((3, 2, 1), {"ndim": 1}),
    (((3, 2), (1, 2)), {}),
    (((2, 3, 2), 2, 0, (1, 2, 1), True), {}),
)


def on_windows(function: Callable[..., Any], **named: Any) -> list[Call]:
    """Calls on windows of several sizes, in one, two and three dimensions."""
    return [real(function, MAPS, *windows, **options, **named) for windows, options in WINDOWS]


POOLED = pooling.soft_pool(MAPS, 2)
FILTERS = pooling.lift_filters(4, 3)
BANDS = pooling.lift_down(MAPS, FILTERS, "bands")
WEIGHT = zero_mean((4, 3, 2, 3), 5)
LAYERS = (zero_mean((2, 4), 6), zero_mean(2, 7)), (zero_mean((4, 2), 8), zero_mean(4, 9))
STATISTICS = (zero_mean(4, 10), np.abs(zero_mean(4, 11)))


def max_unpooled(x: Any) -> Any:
    """Max pooling and unpooling."""
    values, places = pooling.max_pool(x, (2, 3), return_indices=True)
    return pooling.max_unpool(values, places, (2, 3), output_size=x.shape[-2:])


POOLING: dict[str, list[Call]] = {
    "soft_pool": on_windows(pooling.soft_pool),
    "edscw_pool": on_windows(pooling.edscw_pool),
    "similarity_pool": [
        c
        for exponential in (True, False)
        for c in on_windows(pooling.similarity_pool, exponential=exponential)
    ],
    "idw_pool": [
        c
        for distance in ("l1", "l2", "huber", "chebyshev", "gower")
        for c in on_windows(pooling.idw_pool, distance=distance, delta=0.5)
    ],
    "ada_pool": [
        *on_windows(pooling.ada_pool),
        *on_windows(pooling.ada_pool, beta=0.3),
        *(real(pooling.ada_pool, MAPS, 2, beta=zero_mean(s, 4)) for s in ((3, 4), (4, 3, 4))),
        real(pooling.ada_pool, MAPS, 2, beta=zero_mean((4, 1, 1), 4)),
        real(pooling.ada_pool, MAPS, 2, beta=0),
    ],
    "ada_unpool": [
        *(real(pooling.ada_unpool, MAPS, POOLED, 2, preserve=p) for p in ("sum", "mean")),
        real(pooling.ada_unpool, MAPS, POOLED, 2, beta=zero_mean((4, 3, 4), 4)),
        real(pooling.ada_unpool, MAPS, pooling.ada_pool(MAPS, 3, 2, ndim=1), 3, 2, ndim=1),
    ],
    "max_pool": [
        *on_windows(pooling.max_pool),
        *on_windows(pooling.max_pool, return_indices=True),
    ],
    "max_unpool": [
        real(max_unpooled, MAPS),
    ],
    "nearest_unpool": [
        call(pooling.nearest_unpool, MAPS, 2),
        call(pooling.nearest_unpool, MAPS, (2, 1, 3)),
    ],
    "bed_of_nails_unpool": [call(pooling.bed_of_nails_unpool, MAPS, 2, 3, ndim=1)],
    "conv_transpose": [
        call(pooling.conv_transpose, MAPS, WEIGHT),
        call(pooling.conv_transpose, MAPS, WEIGHT, (2, 3), 1, 1, (1, 2)),
    ],
    "energy_attention": [
        real(pooling.energy_attention, MAPS, *LAYERS),
        real(pooling.energy_attention, MAPS, *LAYERS, *STATISTICS, normalize=True),
    ],
    "lift_down": [
        *(
            real(pooling.lift_down, MAPS, FILTERS, form)
            for form in ("sum", "concat", "bands", "LH")
        ),
        *(
            real(pooling.lift_down, MAPS, FILTERS, padding=padding)
            for padding in ("zeros", "replicate", "circular")
        ),
        real(
            pooling.lift_down, MAPS[..., :5, :7], FILTERS, "concat", ("LL", "HH"), penalties="norm"
        ),
        real(pooling.lift_down, MAPS, pooling.lift_filters(6, 2, 1), dimensions=1),
        real(
            pooling.lift_down,
            MAPS,
            pooling.lift_filters(2, 5, shared=True, dimensions=3),
            dimensions=3,
        ),
    ],
    "lift_up": [
        real(pooling.lift_up, BANDS, FILTERS),
        real(pooling.lift_up, list(BANDS.values()), FILTERS, (5, 7), padding="zeros"),
        real(pooling.lift_up, {"LH": BANDS["LH"]}, FILTERS),
    ],
}

NO_ARRAYS = frozenset(
    (
        "LiftFilters",
        "LiftPenalties",
        "conv_transpose_matrix",
        "lift_filters",
        "region_weights",
    )
)
"""The other names, which compute nothing of arrays."""
