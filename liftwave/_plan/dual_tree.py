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
    """The outputs of one pair of filters, ``y[k] = sum_j f[j] x[stride k + phase - dilation j]``.

    Attributes
    ----------
    filters : (filter, filter)
        Low-pass and high-pass.
    parities : (int, int)
        Whether the outputs of the low-pass, and of the high-pass, are the even samples of their
        band (0) or the odd ones (1).
    phase : int
        The place of the first tap for output 0.
    offset : int
        The first of the samples of the extended signal that the filters read, of every
        ``dilation``-th one.
    plan, adjoint : FilterPlan
        The plan of a filter bank that reads these samples, and that of its transpose.
    """

    filters: Pair
    parities: tuple[int, int]
    phase: int
    offset: int
    plan: FilterPlan
    adjoint: FilterPlan


class AxisLevel(NamedTuple):
    """One level along one axis.

    Attributes
    ----------
    extend : Extension
        The samples beyond the ends of the signal.
    stride, dilation : int
        2 and 1 on the first level, 4 and 2 on others.
    halves : (Half, Half)
        Both halves of the outputs.
    """

    extend: Extension
    stride: int
    dilation: int
    halves: tuple[Half, Half]


@dataclass(frozen=True, eq=False)
class LevelPlan:
    """One level of a transform along the last axes.

    Attributes
    ----------
    axes : tuple of AxisLevel
        The level along each axis.
    native : dict
        The native plan of each family of kernels.
    """

    axes: tuple[AxisLevel, ...]
    native: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)


def next_length(n: int, depth: int) -> int:
    """The length of the low-pass after a level; 0 is the first one."""
    return 2 * ((n + 3) // 4) if depth else 2 * ((n + 1) // 2)


@lru_cache(maxsize=256)
def level_plan(lengths: tuple[int, ...], filters: TreeFilters, depth: int, edge: Edge) -> LevelPlan:
    """The plan of a level; 0 is the first one."""
    plan = _deeper_level if depth else _first_level
    return LevelPlan(tuple(plan(n, filters, edge) for n in lengths))


@lru_cache(maxsize=1024)
def _first_level(n: int, filters: TreeFilters, edge: Edge) -> AxisLevel:
    """The first level of ``n`` samples; a sample at the end makes their number even."""
    length = len(filters.first[0])
    sides, phase = _Sides(n, 0, n + n % 2, edge), length // 2 - 1
    pairs = [(filters.first, (k, k), phase + k) for k in (0, 1)]
    return _axis_level(n, sides, 2, 1, pairs)


@lru_cache(maxsize=1024)
def _deeper_level(n: int, filters: TreeFilters, edge: Edge) -> AxisLevel:
    """Another level of ``n`` samples; samples at both ends make their number a multiple of 4."""
    length, pad = len(filters.tree_a[0]), int(n % 4 != 0)
    low, high = (_swap(*pair) for pair in zip(filters.tree_a, filters.tree_b, strict=True))
    pairs = [
        (filters.tree_b, (low, high), length - pad),
        (filters.tree_a, (1 - low, 1 - high), length + 1 - pad),
    ]
    return _axis_level(n, _Sides(n, pad, n + 2 * pad, edge), 4, 2, pairs)


def _swap(a: tuple[float, ...], b: tuple[float, ...]) -> int:
    """The parity of the samples of tree b."""
    return int(sum(map(prod, zip(a, b, strict=True))) <= 0)


def _axis_level(
    n: int,
    sides: _Sides,
    stride: int,
    dilation: int,
    pairs: list[tuple[Pair, tuple[int, int], int]],
) -> AxisLevel:
    count = sides.padded // stride
    length = len(pairs[0][0][0])
    paddings = [
        analysis_padding(n, 0, count, Dilated(length, phase, stride, dilation))
        for *_, phase in pairs
    ]
    left, right = (max(counts) for counts in zip(*paddings, strict=True))
    extend = Extension(n, sides.rows(-left, 0), sides.rows(n, n + right))
    halves = []
    for filters, parities, phase in pairs:
        offset = (phase + left) % dilation
        samples = (left + n + right - offset + dilation - 1) // dilation
        place = (phase + left - offset) // dilation
        plan = FilterPlan(count, length, place, Extension(samples), Extension(count))
        halves.append(Half(filters, parities, phase, offset, plan, plan.analysis_adjoint()))
    return AxisLevel(extend, stride, dilation, (halves[0], halves[1]))


class _Sides(NamedTuple):
    """A signal with ``before`` more samples at its beginning, ``padded`` in total; mirrored."""

    n: int
    before: int
    padded: int
    edge: Edge

    def rows(self, start: int, stop: int) -> tuple[Row, ...]:
        """The rows of samples ``start`` … ``stop - 1``."""
        return tuple(self._row(i + self.before) for i in range(start, stop))

    def _row(self, i: int) -> Row:
        place = i % (2 * self.padded)
        at = min(place, 2 * self.padded - 1 - place) - self.before
        if self.edge == "zero" and not 0 <= at < self.n:
            return ()
        return ((min(max(at, 0), self.n - 1), 1.0),)
