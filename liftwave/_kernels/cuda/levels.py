"""Whole transforms on CUDA devices: two axes of a level in one pass, levels one after the other.

How each level is done is decided once per plan. Half precision is computed in float32, and what
passes from level to level, or from axes to axes, stays in it. Each band has memory of its own, so
that one which is kept does not keep the others; it begins where the library's allocator begins
blocks, at a multiple of 256 bytes at least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from math import prod
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from array_api_compat import array_namespace

from liftwave._kernels import axis_by_axis
from liftwave._kernels.cuda import filter_tiles
from liftwave._kernels.cuda.filter_tiles import Pair, TileLaunch, pair_of
from liftwave._kernels.cuda.filters import CudaFilters
from liftwave._kernels.cuda.lifting import (
    CudaLifting,
    Group,
    analyse_level,
    level_groups,
    name_of,
    synthesise_level,
)
from liftwave._kernels.cuda.lifting_gradient import CudaLiftingGradient
from liftwave._kernels.cuda.runtime import COMPUTED, ITEMSIZE, Memory, address_of, memory_of
from liftwave._plan.axes import with_length
from liftwave._plan.axis import bounded
from liftwave._plan.levels import (
    AnalysisLevel,
    AnalysisPlan,
    FilterStep,
    Step,
    SynthesisLevel,
    SynthesisPlan,
)
from liftwave._typing import Array

_NAME = "cuda"
_PAIR_KEYS = ("aa", "ad", "da", "dd")
_LAYOUT = attrgetter("dtype", "shape", "strides")
Shape: TypeAlias = tuple[int, ...]


# --- what is done on a level ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Pass:
    """What is done to all bands at once: along one axis, or along two.

    Attributes
    ----------
    first, second : FilterStep
        In the order of the keys' letters.
    pair : Pair or None
        Both, if a kernel does them at once.
    """

    first: FilterStep
    second: FilterStep | None = None
    pair: Pair | None = None

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters that keys get, in order."""
        return ("a", "d") if self.second is None else _PAIR_KEYS

    def resized(self, shape: Shape) -> Shape:
        """The shape of results."""
        shape = with_length(shape, self.first.axis, self.first.plan.n_out)
        if self.second is None:
            return shape
        return with_length(shape, self.second.axis, self.second.plan.n_out)


class _Work(NamedTuple):
    """How a level is done: lifting, passes of filter banks, or axis by axis if both are None."""

    groups: tuple[Group, ...] | None
    passes: tuple[_Pass, ...] | None


def _work_of(
    kind: Literal["analysis", "synthesis"], keyed_steps: Sequence[tuple[str, Step]]
) -> _Work:
    """How a level is done, given its steps by key, in the order of the keys' letters."""
    groups = level_groups(keyed_steps)
    return _Work(groups, _passes(kind, keyed_steps) if groups is None else None)


def _passes(
    kind: Literal["analysis", "synthesis"], keyed_steps: Sequence[tuple[str, Step]]
) -> tuple[_Pass, ...] | None:
    """The passes of a level; None if it is not done by filter banks, the same for all bands."""
    depths = [[step for _, step in same] for _, same in groupby(keyed_steps, lambda s: len(s[0]))]
    passes: list[_Pass] = []
    for step, *others in depths:
        # Steps of one depth come from one axis' wavelet: their filters are the same.
        if not isinstance(step, FilterStep) or any(not _alike(step, s) for s in others):
            return None
        passes.append(_Pass(step))
    # From the last axis, which lies in a row in memory, two by two.
    end = len(passes)
    while end >= 2:
        first, second = passes[end - 2].first, passes[end - 1].first
        pair = pair_of(kind, first, second)
        if pair is not None:
            passes[end - 2 : end] = [_Pass(first, second, pair)]
            end -= 1
        end -= 1
    return tuple(passes)


def _alike(a: FilterStep, b: Step) -> bool:
    return isinstance(b, FilterStep) and a.axis == b.axis and a.plan == b.plan


class _Native(NamedTuple):
    """What is kept with a plan: how each level is done, and launches by the layout of arrays."""

    works: list[_Work]
    launches: dict[Any, list[_LevelLaunch] | Literal[False]]


class _LevelLaunch(NamedTuple):
    """A level that one kernel does: its bands (or its result), and the launch."""

    shape: Shape
    dtypes: tuple[str, ...]
    launch: TileLaunch
    pair: Pair
    what: str


def _native_analysis(plan: AnalysisPlan) -> _Native:
    works = [_work_of("analysis", level.analysis_steps) for level in plan.levels]
    return _Native(works, {})


def _native_synthesis(plan: SynthesisPlan) -> _Native:
    works = []
    for level in plan.levels:
        keyed_steps = [(key, step) for key, step, _ in reversed(level.synthesis_steps)]
        works.append(_work_of("synthesis", keyed_steps))
    return _Native(works, {})


def _analysis_launches(works: Sequence[_Work], memory: Memory, stored: str) -> Any:
    """A launch per level, for an array of this layout; False if not each level is one kernel."""
    launches = []
    for work in works:
        pair = _only_pair(work)
        if pair is None or work.passes is None:
            return False
        dtypes = (stored if work is works[-1] else COMPUTED[stored], stored)
        shape = work.passes[0].resized(memory.shape)
        launch = filter_tiles.split_launch(memory, shape, dtypes, pair) if prod(shape) else None
        if launch is None:
            return False
        what = f"analysis of {memory.shape} along axes {pair.axes}"
        launches.append(_LevelLaunch(shape, (dtypes[0], *dtypes[1:] * 3), launch, pair, what))
        # Memory that is allocated begins at a multiple of 16 bytes.
        memory = Memory(0, filter_tiles.contiguous_strides(shape), shape, dtypes[0])
    return launches


def _synthesis_launches(
    plan: SynthesisPlan, works: Sequence[_Work], memories: Sequence[Memory]
) -> Any:
    """A launch per level, for bands of these layouts; False if not each level is one kernel."""
    remaining, stored = iter(memories), memories[0].dtype
    approx = next(remaining) if plan.has_approx else None
    launches = []
    for level, work in zip(plan.levels, works, strict=True):
        pair = _only_pair(work)
        if pair is None or work.passes is None:
            return False
        details = islice(remaining, len(level.detail_keys))
        bands = dict(zip(level.detail_keys, details, strict=True))
        if approx is not None and level.approx_shape is not None:
            bands[level.approx_key] = approx._replace(shape=level.approx_shape)
        found = [bands.get(key) for key in work.passes[0].letters]
        dtype = stored if level is plan.levels[-1] else COMPUTED[stored]
        strides = filter_tiles.contiguous_strides(level.shape)
        approx = Memory(0, strides, level.shape, dtype)
        launch = filter_tiles.merge_launch(found, approx, pair) if prod(level.shape) else None
        if launch is None:
            return False
        what = f"synthesis of {level.shape} along axes {pair.axes}"
        launches.append(_LevelLaunch(level.shape, (dtype,), launch, pair, what))
    return launches


def _only_pair(work: _Work) -> Pair | None:
    """The pair of steps that are a whole level, by taps that are numbers."""
    if work.passes is None or len(work.passes) != 1:
        return None
    pair = work.passes[0].pair
    return None if pair is None or pair.learned else pair


# --- transforms ----------------------------------------------------------------------------------


class CudaLevels(CudaFilters, CudaLifting, CudaLiftingGradient):
    """All axes and levels."""

    def analyse(self, x: Array, plan: AnalysisPlan, dtype: Any = None) -> list[Array]:
        """All bands: the approximation, then the details; in ``dtype``, if given."""
        native: _Native | None = plan.native.get(_NAME)
        if native is None:
            native = plan.native[_NAME] = _native_analysis(plan)
        memory = memory_of(x)
        stored = memory.dtype if dtype is None else name_of(dtype)
        if COMPUTED[memory.dtype] == COMPUTED[stored]:
            key = (memory.dtype, stored, memory.shape, memory.strides, memory.address % 16)
            launches = native.launches.get(key)
            if launches is None:
                launches = _analysis_launches(native.works, memory, stored)
                bounded(native.launches)[key] = launches
            if launches:
                return self._launch_analysis(x, memory.address, launches)
        elif "int" not in stored:
            x = _converted(x, stored)  # kernels of lifting widen integers as they read them
        return self._analyse_by_levels(x, plan, native.works, stored)

    def _launch_analysis(
        self, x: Array, address: int, launches: Sequence[_LevelLaunch]
    ) -> list[Array]:
        """The bands, by one kernel per level, whose launches are known."""
        details: list[Array] = []
        for level in launches:
            bands = list(map(partial(self._runtime.empty, level.shape, like=x), level.dtypes))
            places = list(map(address_of, bands))
            filter_tiles.run_split(
                level.launch, level.pair, address, places, x, level.what, self._runtime
            )
            # It is read by the next launch: its memory may not be reused before.
            address, approx = places[0], bands[0]
            details[:0] = bands[1:]
        return [approx, *details]

    def _analyse_by_levels(
        self, x: Array, plan: AnalysisPlan, works: Sequence[_Work], stored: str
    ) -> list[Array]:
        details: list[Array] = []
        for level, work in zip(plan.levels, works, strict=True):
            approx = stored if level is plan.levels[-1] else COMPUTED[stored]
            x, *bands = self._analyse_level(x, level, work, approx, stored)
            details[:0] = bands
        return [x, *details]

    def _analyse_level(
        self, x: Array, level: AnalysisLevel, work: _Work, approx: str, detail: str
    ) -> list[Array]:
        """The bands of one level, with an approximation and details of these dtypes."""
        if work.groups is not None:
            lifted = analyse_level(x, work.groups, approx, detail, self._runtime)
            if lifted is not None:
                return lifted
        if work.passes is None:
            whole = axis_by_axis.analyse_level(_converted(x, COMPUTED[detail]), level, self)
            return [_converted(whole[0], approx), *(_converted(b, detail) for b in whole[1:])]
        if len(work.passes) == 1:
            return self._split(x, work.passes[0], (approx, detail))
        return self._split_in_turn(x, level, work.passes, (approx, detail))

    def _split_in_turn(
        self, x: Array, level: AnalysisLevel, passes: Sequence[_Pass], dtypes: tuple[str, str]
    ) -> list[Array]:
        approx, detail = dtypes
        bands, between = {"": x}, COMPUTED[detail]
        for each in passes:
            kinds = (between, between) if each is not passes[-1] else (approx, detail)
            bands = {
                key + letters: band
                for key, whole in bands.items()
                for letters, band in zip(
                    each.letters,
                    self._split(whole, each, kinds if "d" not in key else (kinds[1], kinds[1])),
                    strict=True,
                )
            }
        return [bands[key] for key in level.shapes]

    def _split(self, x: Array, each: _Pass, dtypes: tuple[str, str]) -> list[Array]:
        """The bands of ``x``, the first of one dtype and the others of another."""
        shape = each.resized(tuple(x.shape))
        if each.pair is None:
            return self._split_lines(x, each.first, shape, dtypes)
        bands = self._bands(x, shape, dtypes, 4)
        if prod(shape) == 0 or filter_tiles.split(x, bands, dtypes, each.pair, self._runtime):
            return bands
        wide = (COMPUTED[dtypes[0]], COMPUTED[dtypes[1]])
        approx, detail = self._split(x, _Pass(each.first), wide)
        assert each.second is not None
        low = self._split(approx, _Pass(each.second), dtypes)
        return [*low, *self._split(detail, _Pass(each.second), (dtypes[1], dtypes[1]))]

    def _split_lines(
        self, x: Array, step: FilterStep, shape: Shape, dtypes: tuple[str, str]
    ) -> list[Array]:
        bands = self._bands(x, shape, dtypes, 2)
        if dtypes[0] == dtypes[1]:
            done = self.run_analysis(x, bands, step.filters, step.plan, step.axis)
        else:
            done = all(
                self.run_analysis(x, [band], [taps], step.plan, step.axis)
                for band, taps in zip(bands, step.filters, strict=True)
            )
        if done:
            return bands
        wide = _converted(x, COMPUTED[dtypes[0]])
        bands = self._fallback.analysis(wide, step.filters, step.plan, step.axis)
        return [_converted(band, dtype) for band, dtype in zip(bands, dtypes, strict=True)]

    def _bands(self, x: Array, shape: Shape, dtypes: tuple[str, str], count: int) -> list[Array]:
        empty = self._runtime.empty
        return [empty(shape, dtypes[k > 0], x) for k in range(count)]

    def synthesise(
        self, bands: Sequence[Array], plan: SynthesisPlan, out: Array | None = None
    ) -> Array:
        """The array with these bands; ``out``, if given."""
        native: _Native | None = plan.native.get(_NAME)
        if native is None:
            native = plan.native[_NAME] = _native_synthesis(plan)
        memories = list(map(memory_of, bands))
        if out is None:
            key = tuple(map(_LAYOUT, memories))
            launches = native.launches.get(key)
            if launches is None:
                launches = _synthesis_launches(plan, native.works, memories)
                bounded(native.launches)[key] = launches
            if launches:
                return self._launch_synthesis(bands[0], memories, plan, launches)
        return self._synthesise_by_levels(bands, plan, native.works, out)

    def _launch_synthesis(
        self,
        like: Array,
        memories: Sequence[Memory],
        plan: SynthesisPlan,
        launches: Sequence[_LevelLaunch],
    ) -> Array:
        """The array, by one kernel per level, whose launches are known."""
        remaining = iter(memories)
        approx, result = next(remaining).address if plan.has_approx else None, like
        for level, step in zip(plan.levels, launches, strict=True):
            previous = result  # it is read by this launch: its memory may not be reused before
            result = self._runtime.empty(step.shape, step.dtypes[0], like)
            places: list[int | None] = []
            for key in _PAIR_KEYS:
                if key in level.detail_keys:
                    places.append(next(remaining).address)
                else:
                    places.append(approx if key == "aa" else None)
            approx = address_of(result)
            filter_tiles.run_merge(
                step.launch, step.pair, places, approx, result, step.what, self._runtime
            )
            del previous
        return result

    def _synthesise_by_levels(
        self, bands: Sequence[Array], plan: SynthesisPlan, works: Sequence[_Work], out: Array | None
    ) -> Array:
        stored = memory_of(bands[0]).dtype
        remaining = iter(bands)
        approx = next(remaining) if plan.has_approx else None
        pairs = [p for p in zip(plan.levels, works, strict=True) if p[0].synthesis_steps]
        for level, work in pairs:
            last = level is plan.levels[-1]
            target = _target(out, stored, bands) if last and out is not None else None
            keyed = axis_by_axis.bands_of_level(remaining, approx, level)
            dtype = stored if last else COMPUTED[stored]
            approx = self._synthesise_level(keyed, level, work, dtype, target)
        if out is None or approx is out:
            return cast(Array, approx)
        out[...] = approx
        return out

    def _synthesise_level(
        self,
        bands: Mapping[str, Array],
        level: SynthesisLevel,
        work: _Work,
        dtype: str,
        out: Array | None,
    ) -> Array:
        """The array of this dtype whose bands these are; in ``out``, if that is given."""
        if work.groups is not None:
            lifted = synthesise_level(bands, work.groups, dtype, self._runtime, out)
            if lifted is not None:
                return lifted
        if work.passes is None:
            if len({memory_of(band).dtype for band in bands.values()}) > 1:
                bands = {key: _converted(band, COMPUTED[dtype]) for key, band in bands.items()}
            return _converted(axis_by_axis.synthesise_level(bands, level, self), dtype)
        remaining = dict(bands)
        for each in reversed(work.passes):
            last = each is work.passes[0]
            kind, target = (dtype, out) if last else (COMPUTED[dtype], None)
            keys = dict.fromkeys(key[: -len(each.letters[0])] for key in remaining)
            remaining = {
                key: self._merge(
                    [remaining.get(key + letters) for letters in each.letters],
                    each,
                    kind,
                    target,
                )
                for key in keys
            }
        return remaining[""]

    def _merge(
        self, bands: Sequence[Array | None], each: _Pass, dtype: str, out: Array | None
    ) -> Array:
        """The array that bands, of which some may be missing, are merged into."""
        like = next(band for band in bands if band is not None)
        shape = each.resized(tuple(like.shape))
        if each.pair is None:
            return self._merge_lines(bands, each.first, shape, dtype, out)
        result = self._runtime.empty(shape, dtype, like) if out is None else out
        if prod(shape) == 0 or filter_tiles.merge(bands, result, each.pair, self._runtime):
            return result
        assert each.second is not None
        second = _Pass(each.second)
        pair = [
            self._merge(halves, second, COMPUTED[dtype], None)
            if any(band is not None for band in halves)
            else None
            for halves in (bands[:2], bands[2:])
        ]
        return self._merge(pair, _Pass(each.first), dtype, out)

    def _merge_lines(
        self,
        bands: Sequence[Array | None],
        step: FilterStep,
        shape: Shape,
        dtype: str,
        out: Array | None,
    ) -> Array:
        # A filter bank leaves out a missing band.
        pairs = [(b, taps) for b, taps in zip(bands, step.filters, strict=True) if b is not None]
        present, filters = [b for b, _ in pairs], [taps for _, taps in pairs]
        if len({memory_of(b).dtype for b in present}) > 1:
            present = [_converted(b, COMPUTED[dtype]) for b in present]
        result = self._runtime.empty(shape, dtype, present[0]) if out is None else out
        if self.run_synthesis(present, result, filters, step.plan, step.axis):
            return result
        wide = [_converted(b, COMPUTED[dtype]) for b in present]
        result = self._fallback.synthesis(wide, filters, step.plan, step.axis)
        return _converted(result, dtype)


def _converted(x: Array, dtype: str) -> Array:
    xp = array_namespace(x)
    return xp.astype(x, getattr(xp, dtype), copy=False)


# --- results that are written to -----------------------------------------------------------------


def _target(out: Array, dtype: str, bands: Sequence[Array]) -> Array | None:
    """``out``, if the last level may write to it: no band lies there."""
    memory = memory_of(out)
    if memory.dtype != dtype or any(_overlap(memory, memory_of(x)) for x in bands):
        return None
    return out


def _overlap(a: Any, b: Any) -> bool:
    (first, end), (begin, last) = _range(a), _range(b)
    return first < last and begin < end


def _range(memory: Any) -> tuple[int, int]:
    """The addresses that an array is between."""
    if 0 in memory.shape:
        return 0, 0
    reach = [(n - 1) * s for n, s in zip(memory.shape, memory.strides, strict=True)]
    size = ITEMSIZE[memory.dtype]
    low, high = (sum(r for r in reach if (r > 0) == up) for up in (False, True))
    return memory.address + low * size, memory.address + (high + 1) * size
