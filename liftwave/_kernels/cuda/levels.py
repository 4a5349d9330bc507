"""Whole transforms on CUDA devices: two axes of a level in one pass, levels one after the other.

Half precision is computed in float32. Intermediate results, between levels or axes, stay in
float32. Each band has separate memory, so that a reference to one does not keep the others alive.
The library's allocator aligns it to at least 256 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from liftwave._arrays.tensors import is_tensor, is_unwatched
from liftwave._kernels import axis_by_axis
from liftwave._kernels.contract import Targets
from liftwave._kernels.cuda.common.memory import (
    COMPUTED,
    ITEMSIZE,
    Memory,
    address_of,
    converted,
    is_beside,
    is_contiguous,
    memory_of,
    name_of,
)
from liftwave._kernels.cuda.filters import fused
from liftwave._kernels.cuda.filters.kernels import CudaFilters
from liftwave._kernels.cuda.lifting.gradient import CudaLiftingGradient
from liftwave._kernels.cuda.lifting.kernels import CudaLifting, analyse_level, synthesise_level
from liftwave._kernels.cuda.passes import (
    PAIR_KEYS,
    LevelLaunch,
    Native,
    Pass,
    Work,
    analysis_launches,
    native_analysis,
    native_synthesis,
    synthesis_launches,
)
from liftwave._plan.axis import bounded
from liftwave._plan.levels import (
    AnalysisLevel,
    AnalysisPlan,
    FilterStep,
    Shape,
    SynthesisLevel,
    SynthesisPlan,
)
from liftwave._typing import Array

if TYPE_CHECKING:
    from liftwave._plan.dual_tree import LevelPlan as DualTreeLevel
    from liftwave._plan.packets import PacketPlan
    from liftwave._plan.spectral import SpectralPlan

_NAME = "cuda"
_LAYOUT = attrgetter("dtype", "shape", "strides")


class CudaLevels(CudaFilters, CudaLifting, CudaLiftingGradient):
    """All axes and levels."""

    name = _NAME

    def analyse(
        self, x: Array, plan: AnalysisPlan, dtype: Any = None, out: Targets | None = None
    ) -> list[Array]:
        """All bands: the approximation, then the details; in ``dtype`` unless it is None.

        Plans with one kernel per level can write them to the arrays of ``out``.
        """
        native: Native | None = plan.native.get(_NAME)
        if native is None:
            native = plan.native[_NAME] = native_analysis(plan)
        memory = memory_of(x)
        stored = memory.dtype if dtype is None else name_of(dtype)
        if COMPUTED[memory.dtype] == COMPUTED[stored]:
            key = (memory.dtype, stored, memory.shape, memory.strides, memory.address % 16)
            launches = native.launches.get(key)
            if launches is None:
                launches = analysis_launches(native.works, memory, stored)
                bounded(native.launches)[key] = launches
            if launches:
                return self._launch_analysis(x, memory.address, launches, out)
        elif "int" not in stored:
            x = converted(x, stored)  # lifting kernels widen integers on load
        return self._analyse_by_levels(x, plan, native.works, stored)

    def _launch_analysis(
        self, x: Array, address: int, launches: Sequence[LevelLaunch], out: Targets | None
    ) -> list[Array]:
        """The bands, by one kernel per level, with prepared launches."""
        details: list[Array] = []
        empty = self._runtime.empty
        for level in launches:
            if out is None:
                bands = [empty(level.shape, dtype, x) for dtype in level.dtypes]
            else:
                stop = len(out) - len(details)
                approx_target = out[0] if level is launches[-1] else None
                targets = [approx_target, *out[stop + 1 - len(level.dtypes) : stop]]
                places = zip(level.dtypes, targets, strict=True)
                bands = [self._memory(level.shape, dtype, x, target) for dtype, target in places]
            addresses = list(map(address_of, bands))
            fused.run_split(
                level.launch, level.pair, address, addresses, x, level.what, self._runtime
            )
            # The next launch reads it: its memory must not be reused before.
            address, approx = addresses[0], bands[0]
            details[:0] = bands[1:]
        return [approx, *details]

    def _memory(self, shape: Shape, dtype: str, x: Array, target: Array | None) -> Array:
        """The target of a band if a kernel that reads ``x`` can write to it, else a new array."""
        if target is not None and _is_writable(target, x):
            usable = _target(target, dtype, [x])
            if usable is not None:
                return usable
        return self._runtime.empty(shape, dtype, x)

    def _analyse_by_levels(
        self, x: Array, plan: AnalysisPlan, works: Sequence[Work], stored: str
    ) -> list[Array]:
        details: list[Array] = []
        for level, work in zip(plan.levels, works, strict=True):
            approx = stored if level is plan.levels[-1] else COMPUTED[stored]
            x, *bands = self._analyse_level(x, level, work, approx, stored)
            details[:0] = bands
        return [x, *details]

    def _analyse_level(
        self, x: Array, level: AnalysisLevel, work: Work, approx: str, detail: str
    ) -> list[Array]:
        """The bands of one level, with an approximation and details of these dtypes."""
        work = work.of(detail)
        if work.groups is not None:
            lifted = analyse_level(x, work.groups, approx, detail, self._runtime)
            if lifted is not None:
                return lifted
        if work.passes is None:
            bands = axis_by_axis.analyse_level(converted(x, COMPUTED[detail]), level, self)
            return [converted(bands[0], approx), *(converted(b, detail) for b in bands[1:])]
        if len(work.passes) == 1:
            return self._split(x, work.passes[0], (approx, detail))
        return self._split_in_turn(x, level, work.passes, (approx, detail))

    def _split_in_turn(
        self, x: Array, level: AnalysisLevel, passes: Sequence[Pass], dtypes: tuple[str, str]
    ) -> list[Array]:
        approx, detail = dtypes
        bands, between = {"": x}, COMPUTED[detail]
        for axis_pass in passes:
            kinds = (between, between) if axis_pass is not passes[-1] else (approx, detail)
            bands = {
                key + letters: band
                for key, source in bands.items()
                for letters, band in zip(
                    axis_pass.letters,
                    self._split(
                        source, axis_pass, kinds if "d" not in key else (kinds[1], kinds[1])
                    ),
                    strict=True,
                )
            }
        return [bands[key] for key in level.shapes]

    def _split(self, x: Array, axis_pass: Pass, dtypes: tuple[str, str]) -> list[Array]:
        """The bands of ``x``: the first in the first dtype, the others in the second."""
        shape = axis_pass.resized(tuple(x.shape))
        if axis_pass.pair is None:
            return self._split_lines(x, axis_pass.first, shape, dtypes)
        bands = self._bands(x, shape, dtypes, 4)
        if prod(shape) == 0 or fused.split(x, bands, dtypes, axis_pass.pair, self._runtime):
            return bands
        wide = (COMPUTED[dtypes[0]], COMPUTED[dtypes[1]])
        approx, detail = self._split(x, Pass(axis_pass.first), wide)
        assert axis_pass.second is not None
        low = self._split(approx, Pass(axis_pass.second), dtypes)
        return [*low, *self._split(detail, Pass(axis_pass.second), (dtypes[1], dtypes[1]))]

    def _split_lines(
        self, x: Array, step: FilterStep, shape: Shape, dtypes: tuple[str, str]
    ) -> list[Array]:
        bands = self._bands(x, shape, dtypes, 2)
        if dtypes[0] == dtypes[1]:
            is_served = self.run_analysis(x, bands, step.filters, step.plan, step.axis)
        else:
            is_served = all(
                self.run_analysis(x, [band], [taps], step.plan, step.axis)
                for band, taps in zip(bands, step.filters, strict=True)
            )
        if is_served:
            return bands
        wide = converted(x, COMPUTED[dtypes[0]])
        bands = self._fallback.analysis(wide, step.filters, step.plan, step.axis)
        return [converted(band, dtype) for band, dtype in zip(bands, dtypes, strict=True)]

    def _bands(self, x: Array, shape: Shape, dtypes: tuple[str, str], count: int) -> list[Array]:
        empty = self._runtime.empty
        return [empty(shape, dtypes[k > 0], x) for k in range(count)]

    def synthesise(
        self, bands: Sequence[Array], plan: SynthesisPlan, out: Array | None = None
    ) -> Array:
        """The array with these bands; ``out`` if it has their shape."""
        if out is not None and tuple(out.shape) != plan.shape:
            out = None  # the caller copies the first samples
        native: Native | None = plan.native.get(_NAME)
        if native is None:
            native = plan.native[_NAME] = native_synthesis(plan)
        memories = list(map(memory_of, bands))
        if out is None:
            key = tuple(map(_LAYOUT, memories))
            launches = native.launches.get(key)
            if launches is None:
                launches = synthesis_launches(plan, native.works, memories)
                bounded(native.launches)[key] = launches
            if launches:
                return self._launch_synthesis(bands[0], memories, plan, launches)
        return self._synthesise_by_levels(bands, plan, native.works, out)

    def native_run(self, plan: AnalysisPlan | SynthesisPlan) -> None:
        """None: no CUDA kernel reads NumPy arrays."""

    def native_packets(self, plan: PacketPlan) -> None:
        """None: packets are computed level by level."""

    def native_spectral(self, plan: SpectralPlan) -> None:
        """None: CuPy computes Fourier transforms of many rows at once."""

    def native_dual_tree(self, plan: DualTreeLevel) -> None:
        """None: the dual tree is computed axis by axis."""

    def _launch_synthesis(
        self,
        like: Array,
        memories: Sequence[Memory],
        plan: SynthesisPlan,
        launches: Sequence[LevelLaunch],
    ) -> Array:
        """The array, by one kernel per level, with prepared launches."""
        remaining = iter(memories)
        approx, result = next(remaining).address if plan.has_approx else None, like
        for level, step in zip(plan.levels, launches, strict=True):
            previous = result  # this launch reads it: its memory must not be reused before
            result = self._runtime.empty(step.shape, step.dtypes[0], like)
            places: list[int | None] = []
            for key in PAIR_KEYS:
                if key in level.detail_keys:
                    places.append(next(remaining).address)
                else:
                    places.append(approx if key == "aa" else None)
            approx = address_of(result)
            fused.run_merge(
                step.launch, step.pair, places, approx, result, step.what, self._runtime
            )
            del previous
        return result

    def _synthesise_by_levels(
        self, bands: Sequence[Array], plan: SynthesisPlan, works: Sequence[Work], out: Array | None
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
        work: Work,
        dtype: str,
        out: Array | None,
    ) -> Array:
        """The array with these bands, in this dtype; written to ``out`` if it is not None."""
        work = work.of(dtype)
        if work.groups is not None:
            lifted = synthesise_level(bands, work.groups, dtype, self._runtime, out)
            if lifted is not None:
                return lifted
        if work.passes is None:
            if len({memory_of(band).dtype for band in bands.values()}) > 1:
                bands = {key: converted(band, COMPUTED[dtype]) for key, band in bands.items()}
            return converted(axis_by_axis.synthesise_level(bands, level, self), dtype)
        remaining = dict(bands)
        for axis_pass in reversed(work.passes):
            last = axis_pass is work.passes[0]
            kind, target = (dtype, out) if last else (COMPUTED[dtype], None)
            keys = dict.fromkeys(key[: -len(axis_pass.letters[0])] for key in remaining)
            remaining = {
                key: self._merge(
                    [remaining.get(key + letters) for letters in axis_pass.letters],
                    axis_pass,
                    kind,
                    target,
                )
                for key in keys
            }
        return remaining[""]

    def _merge(
        self, bands: Sequence[Array | None], axis_pass: Pass, dtype: str, out: Array | None
    ) -> Array:
        """The array with these bands; missing ones are None."""
        like = next(band for band in bands if band is not None)
        shape = axis_pass.resized(tuple(like.shape))
        if axis_pass.pair is None:
            return self._merge_lines(bands, axis_pass.first, shape, dtype, out)
        result = self._runtime.empty(shape, dtype, like) if out is None else out
        if prod(shape) == 0 or fused.merge(bands, result, axis_pass.pair, self._runtime):
            return result
        assert axis_pass.second is not None
        second = Pass(axis_pass.second)
        pair = [
            self._merge(halves, second, COMPUTED[dtype], None)
            if any(band is not None for band in halves)
            else None
            for halves in (bands[:2], bands[2:])
        ]
        return self._merge(pair, Pass(axis_pass.first), dtype, out)

    def _merge_lines(
        self,
        bands: Sequence[Array | None],
        step: FilterStep,
        shape: Shape,
        dtype: str,
        out: Array | None,
    ) -> Array:
        # A filter bank omits a missing band.
        pairs = [(b, taps) for b, taps in zip(bands, step.filters, strict=True) if b is not None]
        present, filters = [b for b, _ in pairs], [taps for _, taps in pairs]
        if len({memory_of(b).dtype for b in present}) > 1:
            present = [converted(b, COMPUTED[dtype]) for b in present]
        result = self._runtime.empty(shape, dtype, present[0]) if out is None else out
        if self.run_synthesis(present, result, filters, step.plan, step.axis):
            return result
        wide = [converted(b, COMPUTED[dtype]) for b in present]
        result = self._fallback.synthesis(wide, filters, step.plan, step.axis)
        return converted(result, dtype)


# --- output arrays -------------------------------------------------------------------------------


def _is_writable(target: Array, like: Array) -> bool:
    """Whether kernels can write vectors of numbers to an array, without autograd's knowledge."""
    if not is_beside(target, like) or (is_tensor(target) and not is_unwatched(target)):
        return False
    memory = memory_of(target)
    return is_contiguous(memory) and memory.address % 16 == 0


def _target(out: Array, dtype: str, bands: Sequence[Array]) -> Array | None:
    """``out``, if kernels may write to it: its numbers are aligned, and no input overlaps it."""
    memory = memory_of(out)
    is_aligned = memory.address % ITEMSIZE[memory.dtype] == 0
    if (
        memory.dtype != dtype
        or not is_aligned
        or any(_overlap(memory, memory_of(x)) for x in bands)
    ):
        return None
    return out


def _overlap(a: Any, b: Any) -> bool:
    (first, end), (begin, last) = _range(a), _range(b)
    return first < last and begin < end


def _range(memory: Any) -> tuple[int, int]:
    """The first address of an array, and the address after its last one."""
    if 0 in memory.shape:
        return 0, 0
    reach = [(n - 1) * s for n, s in zip(memory.shape, memory.strides, strict=True)]
    size = ITEMSIZE[memory.dtype]
    low, high = (sum(r for r in reach if (r > 0) == up) for up in (False, True))
    return memory.address + low * size, memory.address + (high + 1) * size
