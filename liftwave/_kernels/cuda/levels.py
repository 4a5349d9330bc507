"""Whole transforms on CUDA devices: two axes of a level in one pass, levels one after the other.

Halves are computed with in float32, and what passes from level to level, or from axes to axes,
stays in it. Each band has memory of its own, so that one which is kept does not keep the others;
it begins where the library's allocator begins blocks, at a multiple of 256 bytes at least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from array_api_compat import array_namespace

from liftwave._kernels import axis_by_axis
from liftwave._kernels.cuda import filter_tiles as cuda_tiles
from liftwave._kernels.cuda import filters as cuda_filters
from liftwave._kernels.cuda import lifting as cuda_lifting
from liftwave._kernels.cuda import runtime as cuda_runtime
from liftwave._kernels.cuda.filter_tiles import Pair, pair_of
from liftwave._kernels.cuda.lifting import name_of
from liftwave._kernels.cuda.runtime import COMPUTED, memory_of
from liftwave._plan.axes import with_length
from liftwave._plan.levels import (
    AnalysisLevel,
    AnalysisPlan,
    FilterStep,
    Step,
    SynthesisLevel,
    SynthesisPlan,
)
from liftwave._typing import Array

if TYPE_CHECKING:
    from liftwave._kernels.contract import AxisKernels

_NAME = "cuda"
Shape: TypeAlias = tuple[int, ...]


# The kernels of one axis, lifting among them, for what is not done in passes; the family says,
# since it is made of modules like this one.
axis: AxisKernels = cast("AxisKernels", None)


# --- passes --------------------------------------------------------------------------------------


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
        """What keys get, in order."""
        return ("a", "d") if self.second is None else ("aa", "ad", "da", "dd")

    @property
    def steps(self) -> tuple[FilterStep, ...]:
        """One or two."""
        return (self.first,) if self.second is None else (self.first, self.second)

    def resized(self, shape: Shape) -> Shape:
        """The shape of results."""
        for step in self.steps:
            shape = with_length(shape, step.axis, step.plan.n_out)
        return shape


def _passes(kind: Any, steps: Sequence[tuple[str, Step]]) -> tuple[_Pass, ...] | None:
    """The passes of a level, given its steps by key, in the order of the keys' letters.

    None if it is not done by filter banks, the same for all bands.
    """
    depths = [[step for _, step in each] for _, each in groupby(steps, lambda s: len(s[0]))]
    made: list[_Pass] = []
    for same in depths:
        step = same[0]
        # Steps of one depth come from one axis' wavelet: their filters are the same.
        if not isinstance(step, FilterStep) or any(not _alike(step, s) for s in same[1:]):
            return None
        made.append(_Pass(step))
    # From the last axis, which lies in a row in memory, two by two.
    end = len(made)
    while end >= 2:
        first, second = made[end - 2].first, made[end - 1].first
        pair = pair_of(kind, first, second)
        if pair is not None:
            made[end - 2 : end] = [_Pass(first, second, pair)]
            end -= 1
        end -= 1
    return tuple(made)


def _alike(a: FilterStep, b: Step) -> bool:
    return isinstance(b, FilterStep) and a.axis == b.axis and a.plan == b.plan


# --- analysis ------------------------------------------------------------------------------------


def analyse(x: Array, plan: AnalysisPlan, dtype: Any = None) -> list[Array]:
    """All bands: the approximation, then the details; in ``dtype``, if given."""
    stored = memory_of(x).dtype if dtype is None else name_of(dtype)
    if COMPUTED[memory_of(x).dtype] != COMPUTED[stored] and "int" not in stored:
        x = _converted(x, stored)  # kernels of lifting widen integers as they read them
    details: list[Array] = []
    for level in plan.levels:
        approx = stored if level is plan.levels[-1] else COMPUTED[stored]
        x, *bands = analyse_level(x, level, approx, stored)
        details[:0] = bands
    return [x, *details]


def analyse_level(x: Array, level: AnalysisLevel, approx: str, detail: str) -> list[Array]:
    """The bands of one level, with an approximation and details of these dtypes."""
    lifted = cuda_lifting.analyse_level(x, level, detail, approx)
    if lifted is not None:
        return lifted
    passes = _passes_of_analysis(level)
    if passes is None:
        whole = axis_by_axis.analyse_level(_converted(x, COMPUTED[detail]), level, axis)
        return [_converted(whole[0], approx), *(_converted(b, detail) for b in whole[1:])]
    if len(passes) == 1:
        return _split(x, passes[0], (approx, detail))
    bands, between = {"": x}, COMPUTED[detail]
    for each in passes:
        kinds = (between, between) if each is not passes[-1] else (approx, detail)
        bands = {
            key + letters: band
            for key, whole in bands.items()
            for letters, band in zip(
                each.letters,
                _split(whole, each, kinds if "d" not in key else (kinds[1], kinds[1])),
                strict=True,
            )
        }
    return [bands[key] for key in level.shapes]


def _passes_of_analysis(level: AnalysisLevel) -> tuple[_Pass, ...] | None:
    if _NAME not in level.native:
        level.native[_NAME] = _passes("analysis", level.analysis_steps)
    return cast("tuple[_Pass, ...] | None", level.native[_NAME])


def _split(x: Array, each: _Pass, dtypes: tuple[str, str]) -> list[Array]:
    """The bands of ``x``, the first of one dtype and the others of another."""
    shape = each.resized(tuple(x.shape))
    if each.pair is None:
        return _split_lines(x, each.first, shape, dtypes)
    bands = _bands(x, shape, dtypes, 4)
    if prod(shape) == 0 or cuda_tiles.split(x, bands, dtypes, each.pair):
        return bands
    wide = (COMPUTED[dtypes[0]], COMPUTED[dtypes[1]])
    halves = _split(x, _Pass(each.first), wide)
    assert each.second is not None
    low = _split(halves[0], _Pass(each.second), dtypes)
    return [*low, *_split(halves[1], _Pass(each.second), (dtypes[1], dtypes[1]))]


def _split_lines(x: Array, step: FilterStep, shape: Shape, dtypes: tuple[str, str]) -> list[Array]:
    bands = _bands(x, shape, dtypes, 2)
    if dtypes[0] == dtypes[1]:
        done = cuda_filters.run_analysis(x, bands, step.filters, step.plan, step.axis)
    else:
        done = all(
            cuda_filters.run_analysis(x, [band], [taps], step.plan, step.axis)
            for band, taps in zip(bands, step.filters, strict=True)
        )
    if done:
        return bands
    wide = _converted(x, COMPUTED[dtypes[0]])
    found = cuda_runtime.fallback.analysis(wide, step.filters, step.plan, step.axis)
    return [_converted(band, dtype) for band, dtype in zip(found, dtypes, strict=True)]


def _bands(x: Array, shape: Shape, dtypes: tuple[str, str], count: int) -> list[Array]:
    empty = cuda_runtime.runtime.empty
    return [empty(shape, dtypes[k > 0], x) for k in range(count)]


def _converted(x: Array, dtype: str) -> Array:
    xp = array_namespace(x)
    return xp.astype(x, getattr(xp, dtype), copy=False)


# --- synthesis -----------------------------------------------------------------------------------


def synthesise(bands: Sequence[Array], plan: SynthesisPlan, out: Array | None = None) -> Array:
    """The array with these bands; ``out``, if given."""
    stored = memory_of(bands[0]).dtype
    remaining = iter(bands)
    approx = next(remaining) if plan.has_approx else None
    levels = [level for level in plan.levels if level.synthesis_steps]
    for level in levels:
        last = level is levels[-1]
        target = _target(out, stored, bands, last)
        keyed = axis_by_axis.bands_of_level(remaining, approx, level)
        approx = synthesise_level(keyed, level, stored if last else COMPUTED[stored], target)
    if out is None or approx is out:
        return cast(Array, approx)
    out[...] = approx
    return out


def synthesise_level(
    bands: Mapping[str, Array], level: SynthesisLevel, dtype: str, out: Array | None = None
) -> Array:
    """The array of this dtype whose bands these are; in ``out``, if that is given."""
    lifted = cuda_lifting.synthesise_level(bands, level, out, dtype)
    if lifted is not None:
        return lifted
    passes = _passes_of_synthesis(level)
    if passes is None:
        if len({memory_of(band).dtype for band in bands.values()}) > 1:
            bands = {key: _converted(band, COMPUTED[dtype]) for key, band in bands.items()}
        return _converted(axis_by_axis.synthesise_level(bands, level, axis), dtype)
    remaining = dict(bands)
    for each in reversed(passes):
        last = each is passes[0]
        kind = dtype if last else COMPUTED[dtype]
        length = len(each.letters[0])
        keys = dict.fromkeys(key[:-length] for key in remaining)
        remaining = {
            key: _merge(
                [remaining.get(key + letters) for letters in each.letters],
                each,
                kind,
                out if last else None,
            )
            for key in keys
        }
    return remaining[""]


def _passes_of_synthesis(level: SynthesisLevel) -> tuple[_Pass, ...] | None:
    if _NAME not in level.native:
        steps = [(key, step) for key, step, _ in reversed(level.synthesis_steps)]
        level.native[_NAME] = _passes("synthesis", steps)
    return cast("tuple[_Pass, ...] | None", level.native[_NAME])


def _merge(bands: Sequence[Array | None], each: _Pass, dtype: str, out: Array | None) -> Array:
    """What bands, of which some may be missing, are merged into."""
    like = next(band for band in bands if band is not None)
    shape = each.resized(tuple(like.shape))
    if each.pair is None:
        return _merge_lines(bands, each.first, shape, dtype, out)
    made = cuda_runtime.runtime.empty(shape, dtype, like) if out is None else out
    if prod(shape) == 0 or cuda_tiles.merge(bands, made, each.pair):
        return made
    assert each.second is not None
    halves = [
        _merge(pair, _Pass(each.second), COMPUTED[dtype], None)
        if any(band is not None for band in pair)
        else None
        for pair in (bands[:2], bands[2:])
    ]
    return _merge(halves, _Pass(each.first), dtype, out)


def _merge_lines(
    bands: Sequence[Array | None], step: FilterStep, shape: Shape, dtype: str, out: Array | None
) -> Array:
    # A filter bank leaves out what is missing.
    there = [(b, taps) for b, taps in zip(bands, step.filters, strict=True) if b is not None]
    given, filters = [b for b, _ in there], [taps for _, taps in there]
    if len({memory_of(b).dtype for b in given}) > 1:
        given = [_converted(b, COMPUTED[dtype]) for b in given]
    made = cuda_runtime.runtime.empty(shape, dtype, given[0]) if out is None else out
    if cuda_filters.run_synthesis(given, made, filters, step.plan, step.axis):
        return made
    wide = [_converted(b, COMPUTED[dtype]) for b in given]
    found = cuda_runtime.fallback.synthesis(wide, filters, step.plan, step.axis)
    return _converted(found, dtype)


def _target(out: Array | None, dtype: str, read: Sequence[Array], last: bool) -> Array | None:
    """``out``, if the last level may write to it: nothing that is read lies there."""
    if out is None or not last:
        return None
    memory = memory_of(out)
    if memory.dtype != dtype or any(_overlap(memory, memory_of(x)) for x in read):
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
    size = cuda_runtime.ITEMSIZE[memory.dtype]
    low, high = (sum(r for r in reach if (r > 0) == up) for up in (False, True))
    return memory.address + low * size, memory.address + (high + 1) * size
