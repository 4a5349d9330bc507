"""The work of CUDA kernels for levels: lifting, passes of filter banks, launches of whole levels.

This is decided once per plan and cached with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from math import prod
from typing import Any, Literal, NamedTuple, TypeAlias

from liftwave._kernels.cuda.common.memory import COMPUTED, REAL, Memory
from liftwave._kernels.cuda.filters import fused
from liftwave._kernels.cuda.filters.fused_launch import (
    Pair,
    TileLaunch,
    contiguous_strides,
    pair_of,
)
from liftwave._kernels.cuda.lifting.filter_form import Kind, filter_form
from liftwave._kernels.cuda.lifting.groups import AnyGroup, level_groups
from liftwave._plan.axes import with_length
from liftwave._plan.levels import AnalysisPlan, FilterStep, Shape, Step, SynthesisPlan

PAIR_KEYS = ("aa", "ad", "da", "dd")
"""The keys of the bands of two axes, in order."""


@dataclass(frozen=True, eq=False)
class Pass:
    """One pass over all bands: along one axis, or along two.

    Attributes
    ----------
    first, second : FilterStep
        The steps, in the order of the keys' letters.
    pair : Pair or None
        Both steps, if one kernel runs them at once.
    """

    first: FilterStep
    second: FilterStep | None = None
    pair: Pair | None = None

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters that the pass appends to keys, in order."""
        return ("a", "d") if self.second is None else PAIR_KEYS

    def resized(self, shape: Shape) -> Shape:
        """The shape of the results for this shape."""
        shape = with_length(shape, self.first.axis, self.first.plan.n_out)
        if self.second is None:
            return shape
        return with_length(shape, self.second.axis, self.second.plan.n_out)


class Work(NamedTuple):
    """The work of a level: lifting, passes of filter banks, or axis by axis if both are None.

    Attributes
    ----------
    groups : tuple of AnyGroup or None
        Lifting.
    passes : tuple of Pass or None
        Filter banks.
    short : tuple of Pass or None
        Short filter banks that replace lifting in float32 and half precision (``filter_form.py``).
    """

    groups: tuple[AnyGroup, ...] | None
    passes: tuple[Pass, ...] | None
    short: tuple[Pass, ...] | None = None

    def of(self, dtype: str) -> Work:
        """The work for arrays of this dtype: the only choice between lifting and filter banks."""
        if self.short is None or REAL.get(COMPUTED[dtype]) != "float32":
            return self
        return Work(None, self.short)


def work_of(kind: Kind, keyed_steps: Sequence[tuple[str, Step]]) -> Work:
    """The work of a level, from its steps by key, in the order of the keys' letters."""
    groups = level_groups(keyed_steps)
    if all(isinstance(step, FilterStep) for _, step in keyed_steps):
        return Work(groups, _passes(kind, keyed_steps))
    forms = [(key, filter_form(kind, step)) for key, step in keyed_steps]
    short = [(key, form) for key, form in forms if form is not None]
    return Work(groups, None, _passes(kind, short) if len(short) == len(forms) else None)


def _passes(kind: Kind, keyed_steps: Sequence[tuple[str, Step]]) -> tuple[Pass, ...] | None:
    """The passes of a level; None if its bands are not split by the same filter banks."""
    depths = [[step for _, step in same] for _, same in groupby(keyed_steps, lambda s: len(s[0]))]
    passes: list[Pass] = []
    for step, *siblings in depths:
        # Steps of one depth belong to one axis' wavelet: their filters are the same.
        if not isinstance(step, FilterStep) or any(not _alike(step, s) for s in siblings):
            return None
        if len(step.filters) == 1:
            return None
        passes.append(Pass(step))
    # Pairs begin at the last axis, which is contiguous.
    end = len(passes)
    while end >= 2:
        first, second = passes[end - 2].first, passes[end - 1].first
        pair = pair_of(kind, first, second)
        if pair is not None:
            passes[end - 2 : end] = [Pass(first, second, pair)]
            end -= 1
        end -= 1
    return tuple(passes)


def _alike(a: FilterStep, b: Step) -> bool:
    return isinstance(b, FilterStep) and a.axis == b.axis and a.plan == b.plan


class LevelLaunch(NamedTuple):
    """A level computed by one kernel: its bands (or its result), and the launch."""

    shape: Shape
    dtypes: tuple[str, ...]
    launch: TileLaunch
    pair: Pair
    what: str


Launches: TypeAlias = list[LevelLaunch] | Literal[False]
"""A launch per level; False if one kernel does not compute a whole level."""


class Native(NamedTuple):
    """Cached with a plan: how each level is computed, and launches by the layout of arrays."""

    works: list[Work]
    launches: dict[Any, Launches]


def native_analysis(plan: AnalysisPlan) -> Native:
    works = [work_of("analysis", level.analysis_steps) for level in plan.levels]
    return Native(works, {})


def native_synthesis(plan: SynthesisPlan) -> Native:
    works = []
    for level in plan.levels:
        keyed_steps = [(key, step) for key, step, _ in reversed(level.synthesis_steps)]
        works.append(work_of("synthesis", keyed_steps))
    return Native(works, {})


def analysis_launches(works: Sequence[Work], memory: Memory, stored: str) -> Launches:
    """A launch per level, for an array of this layout; False if a level needs several kernels."""
    launches: list[LevelLaunch] = []
    works = [work.of(stored) for work in works]
    for work in works:
        pair = _only_pair(work)
        if pair is None or work.passes is None:
            return False
        dtypes = (stored if work is works[-1] else COMPUTED[stored], stored)
        shape = work.passes[0].resized(memory.shape)
        launch = fused.split_launch(memory, shape, dtypes, pair) if prod(shape) else None
        if launch is None:
            return False
        what = f"analysis of {memory.shape} along axes {pair.axes}"
        launches.append(LevelLaunch(shape, (dtypes[0], *dtypes[1:] * 3), launch, pair, what))
        # Allocated memory begins at a multiple of 16 bytes.
        memory = Memory(0, contiguous_strides(shape), shape, dtypes[0])
    return launches


def synthesis_launches(
    plan: SynthesisPlan, works: Sequence[Work], memories: Sequence[Memory]
) -> Launches:
    """A launch per level, for bands of these layouts; False if a level needs several kernels."""
    remaining, stored = iter(memories), memories[0].dtype
    approx = next(remaining) if plan.has_approx else None
    launches: list[LevelLaunch] = []
    works = [work.of(stored) for work in works]
    for level, work in zip(plan.levels, works, strict=True):
        pair = _only_pair(work)
        if pair is None or work.passes is None:
            return False
        details = islice(remaining, len(level.detail_keys))
        bands = dict(zip(level.detail_keys, details, strict=True))
        if approx is not None and level.approx_shape is not None:
            bands[level.approx_key] = approx._replace(shape=level.approx_shape)
        band_memories = [bands.get(key) for key in work.passes[0].letters]
        dtype = stored if level is plan.levels[-1] else COMPUTED[stored]
        strides = contiguous_strides(level.shape)
        approx = Memory(0, strides, level.shape, dtype)
        launch = fused.merge_launch(band_memories, approx, pair) if prod(level.shape) else None
        if launch is None:
            return False
        what = f"synthesis of {level.shape} along axes {pair.axes}"
        launches.append(LevelLaunch(level.shape, (dtype,), launch, pair, what))
    return launches


def _only_pair(work: Work) -> Pair | None:
    """The pair of steps that forms a whole level, with taps that are numbers; None otherwise."""
    if work.passes is None or len(work.passes) != 1:
        return None
    pair = work.passes[0].pair
    return None if pair is None or pair.learned else pair
