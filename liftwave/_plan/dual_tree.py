"""Plans of the dual tree: each level samples the outputs of two filters for each band and axis.

On the first level, both halves of the outputs have the same filters, and are the even and the odd
samples of a filtered signal. On other levels, they are the outputs of two trees, whose filters
delay by a quarter of a sample more and less.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any, Literal, NamedTuple, TypeAlias

from liftwave._plan.axis import Dilated, FilterPlan, analysis_padding
from liftwave._plan.boundary import Extension, Row
from liftwave.wavelets.dual_tree import Pair, TreeFilters

Edge: TypeAlias = Literal["repeat", "zero"]
"""The samples that are added at the ends if a length is not a multiple of 2 or 4."""


class Half(NamedTuple):
    """The outputs of one pair of filters along one axis.

    Attributes
    ----------
    filters : (filter, filter)
        Low-pass and high-pass.
    plan : FilterPlan
        Their places.
    parities : (int, int)
        Whether the outputs of the low-pass, and of the high-pass, are the even samples of their
        band (0) or the odd ones (1).
    """

    filters: Pair
    plan: FilterPlan
    parities: tuple[int, int]


@dataclass(frozen=True, eq=False)
class LevelPlan:
    """One level of a transform along the last axes.

    Attributes
    ----------
    lengths : tuple of int
        The lengths of the signal.
    pairs : tuple of (Half, Half)
        Both halves along each axis.
    native : dict
        The native plan of each family of kernels.
    """

    lengths: tuple[int, ...]
    pairs: tuple[tuple[Half, Half], ...]
    native: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)


def next_length(n: int, depth: int) -> int:
    """The length of the low-pass after a level; 0 is the first one."""
    return 2 * ((n + 3) // 4) if depth else 2 * ((n + 1) // 2)


@lru_cache(maxsize=256)
def level_plan(
    lengths: tuple[int, ...], filters: TreeFilters, depth: int, edge: Edge
) -> LevelPlan:
    """The plan of a level; 0 is the first one."""
    return LevelPlan(lengths, tuple(_halves(n, filters, depth, edge) for n in lengths))


@lru_cache(maxsize=1024)
def _halves(n: int, filters: TreeFilters, depth: int, edge: Edge) -> tuple[Half, Half]:
    """Both halves of one level of ``n`` samples."""
    if not depth:
        low, _ = filters.first
        first = [_plan(n, 0, len(low), len(low) // 2 - 1 + k, 2, 1, edge) for k in (0, 1)]
        return Half(filters.first, first[0], (0, 0)), Half(filters.first, first[1], (1, 1))
    length, pad = len(filters.tree_a[0]), int(n % 4 != 0)
    b, a = (_plan(n, pad, length, length + k - pad, 4, 2, edge) for k in (0, 1))
    low, high = (_swap(*pair) for pair in zip(filters.tree_a, filters.tree_b, strict=True))
    return Half(filters.tree_b, b, (low, high)), Half(filters.tree_a, a, (1 - low, 1 - high))


def _swap(a: tuple[float, ...], b: tuple[float, ...]) -> int:
    """The parity of the samples of tree b."""
    return int(sum(map(prod, zip(a, b, strict=True))) <= 0)


def _plan(
    n: int, pad: int, length: int, phase: int, stride: int, dilation: int, edge: Edge
) -> FilterPlan:
    """The plan of every ``stride``-th output; ``pad`` samples are added at both ends.

    On the first level, an odd length is made even by a sample at the end.
    """
    padded = n + 2 * pad if dilation > 1 else n + n % 2
    n_out = padded // stride
    left, right = analysis_padding(n, 0, n_out, Dilated(length, phase, stride, dilation))
    before, after = (
        tuple(_row(i + pad, n, pad, padded, edge) for i in places)
        for places in (range(-left, 0), range(n, n + right))
    )
    extend = Extension(n, before, after)
    return FilterPlan(n_out, length, phase, extend, Extension(n_out), stride, dilation)


def _row(i: int, n: int, before: int, padded: int, edge: Edge) -> Row:
    """The row of a sample of the padded signal, which is mirrored at its ends."""
    place = i % (2 * padded)
    at = min(place, 2 * padded - 1 - place) - before
    if edge == "zero" and not 0 <= at < n:
        return ()
    return ((min(max(at, 0), n - 1), 1.0),)
