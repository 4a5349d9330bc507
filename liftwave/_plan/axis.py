"""Plans: everything about a transform that does not depend on the samples.

Lengths, levels, axes, modes and boundary rows are validated and computed here,
as plain Python data, before a kernel gets an array. Plans of one axis are
cached. A kernel gets numbers and makes no decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar, NamedTuple, TypeAlias

from liftwave._numbers import is_symbol
from liftwave._plan.boundary import (
    PERIODIC_MODES,
    Extension,
    ModeRows,
    cached_by_length,
    channel_extension,
    far_extension,
    signal_extension,
    zero_extension,
)
from liftwave._plan.lengths import filter_bank_length
from liftwave._typing import Mode
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.taps import tap_count

Padding: TypeAlias = "Callable[[int, int, int, Dilated], tuple[int, int]]"

# Maximum number of entries in a plan's cache, one for each set of taps. A full cache is emptied,
# so that learned taps, which change all the time, do not accumulate.
_MAX_ENTRIES = 64


def bounded(cache: dict[Any, Any]) -> dict[Any, Any]:
    """Return the cache of a plan, emptied if full, so that it has room for one more entry."""
    if len(cache) >= _MAX_ENTRIES:
        cache.clear()
    return cache


# --- filter banks along one axis -------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class FilterPlan:
    r"""Geometry of a filter bank along one axis, for taps of a given length.

    With stride :math:`s`, dilation :math:`d` and :math:`f` times ``factor``, analysis computes
    :math:`y_k = \sum_j f_j\, \tilde x_{sk + \mathtt{phase} - dj}` and synthesis
    :math:`x_i = \sum_{k, j} \tilde y_k\, f_j` over all :math:`sk + dj = i + \mathtt{phase}`.
    The tilde is the extension of the input. With a ``fold``, outputs are also computed beyond the
    ends and then added to the samples in their rows. If the ends are joined, the stride is 1.

    Attributes
    ----------
    n_out : int
        Length of the output along the axis.
    length : int
        Number of taps of each filter.
    phase : int
        The alignment of the taps (see above).
    extend : Extension
        The extension of the input. It has a row for each sample that the taps reach.
    fold : Extension
        The fold of the output; without rows for a plain transform.
    stride : int
        The distance of the samples at which neighbouring outputs of an analysis begin.
    dilation : int
        The distance of the samples that neighbouring taps multiply.
    factor : float
        The factor of all taps.
    native : dict
        The native plan of each family of kernels.
    """

    n_out: int
    length: int
    phase: int
    extend: Extension
    fold: Extension
    stride: int = 2
    dilation: int = 1
    factor: float = 1.0
    native: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def n_in(self) -> int:
        """Length of the input along the axis."""
        return self.extend.n

    @cached_property
    def is_dyadic(self) -> bool:
        """Whether it keeps every second output of plain taps.

        Compiled kernels support such plans, and those whose ends are joined.
        """
        return (self.stride, self.dilation, self.factor) == (2, 1, 1.0)

    def analysis_adjoint(self) -> FilterPlan:
        """The synthesis plan that, with reversed taps, is the transpose of this analysis."""
        return self._transposed(synthesis_padding, self.extend.n == self.stride * self.n_out)

    def synthesis_adjoint(self) -> FilterPlan:
        """The analysis plan that, with reversed taps, is the transpose of this synthesis."""
        return self._transposed(analysis_padding, self.n_out == self.stride * self.extend.n)

    def shortened(self, n_out: int) -> FilterPlan:
        """The plan of the first ``n_out`` outputs, for a plan without a fold."""
        return replace(self, n_out=n_out, fold=Extension(n_out))

    def _transposed(self, padding_of: Padding, is_whole: bool) -> FilterPlan:
        """``is_whole``: the longer of both sides has ``stride`` times the samples of the other."""
        n_in, n_out = self.n_out, self.extend.n
        phase = self.dilation * (self.length - 1) - self.phase
        if self.extend.joined:
            return joined_plan(n_out, self.length, phase, self.dilation, self.factor)
        taps = Dilated(self.length, phase, self.stride, self.dilation)
        if is_whole and self._is_periodic:
            # The adjoint of a periodic extension is periodic: no fold rows are needed.
            extend = signal_extension(n_in, "periodic", *padding_of(n_in, 0, n_out, taps))
            fold = Extension(n_out)
        else:
            fold = _folding(self.extend)
            padding = padding_of(n_in, -len(fold.left), n_out + len(fold.right), taps)
            extend = zero_extension(n_in, *padding) if self.fold.vanishes else self.fold
        return replace(self, n_out=n_out, phase=phase, extend=extend, fold=fold)

    @property
    def _is_periodic(self) -> bool:
        """Whether the extension of the input is periodic (and not zero)."""
        x = self.extend
        if x.vanishes or self.fold.left or self.fold.right:
            return False
        if isinstance(x.left, ModeRows) and x.n > 2:
            return False
        periodic = signal_extension(x.n, "periodic", len(x.left), len(x.right))
        return (tuple(x.left), tuple(x.right)) == (periodic.left, periodic.right)


def _folding(extension: Extension) -> Extension:
    """The fold of a transposed extension; a zero extension needs no rows."""
    return Extension(extension.n) if extension.vanishes else extension


class Dilated(NamedTuple):
    """The places of taps: see the attributes of :class:`FilterPlan`."""

    length: int
    phase: int
    stride: int = 2
    dilation: int = 1

    @property
    def reach(self) -> int:
        """The distance of the first and the last tap."""
        return self.dilation * (self.length - 1)


def analysis_padding(n_in: int, start: int, stop: int, taps: Dilated) -> tuple[int, int]:
    """Samples needed before and after ``n_in`` for analysis outputs ``start`` … ``stop - 1``."""
    first = taps.stride * start + taps.phase - taps.reach
    last = taps.stride * (stop - 1) + taps.phase
    return max(0, -first), max(0, last - (n_in - 1))


def synthesis_padding(n_in: int, start: int, stop: int, taps: Dilated) -> tuple[int, int]:
    """Coefficients needed before and after ``n_in`` for outputs ``start`` … ``stop - 1``."""
    first = -((taps.reach - start - taps.phase) // taps.stride)
    last = (stop - 1 + taps.phase) // taps.stride
    return max(0, -first), max(0, last - (n_in - 1))


def _examples(n: int, length: int) -> tuple[int, ...]:
    """Lengths that need the same rows as ``n``: for a symbol, an even and an odd length."""
    return (2 * length, 2 * length + 1) if is_symbol(n) else (n,)


def _most(paddings: Iterable[tuple[int, int]]) -> tuple[int, int]:
    before, after = zip(*paddings, strict=True)
    return max(before), max(after)


@cached_by_length
def analysis_plan(n: int, length: int, mode: Mode) -> FilterPlan:
    """The plan of PyWavelets' ``dwt`` of ``n`` samples with filters of ``length`` taps."""
    phase = length // 2 if mode == "periodization" else 1
    n_out, taps = filter_bank_length(n, length, mode), Dilated(length, phase)
    left, right = _most(
        analysis_padding(m, 0, filter_bank_length(m, length, mode), taps)
        for m in _examples(n, length)
    )
    extend = signal_extension(n, mode, left, right)
    return FilterPlan(n_out, length, phase, extend, Extension(n_out))


@cached_by_length
def joined_plan(n: int, length: int, phase: int, dilation: int, factor: float) -> FilterPlan:
    """The plan of filters without downsampling along an axis whose ends are joined."""
    return FilterPlan(
        n, length, phase, Extension(n, joined=True), Extension(n), 1, dilation, factor
    )


def dilated_plan(
    n: int, length: int, phase: int, dilation: int, factor: float, mode: Mode
) -> FilterPlan:
    """The plan of an analysis without downsampling in any mode.

    It is cached only if the ends are joined: other extensions have as many rows as the taps reach.
    """
    if mode in PERIODIC_MODES:
        return joined_plan(n, length, phase, dilation, factor)
    (m, *_), taps = _examples(n, length), Dilated(length, phase, 1, dilation)
    left, right = analysis_padding(m, 0, m, taps)
    extend = far_extension(n, mode, left, right)
    return FilterPlan(n, length, phase, extend, Extension(n), 1, dilation, factor)


@cached_by_length
def synthesis_plan(m: int, length: int, mode: Mode) -> FilterPlan:
    """The plan of PyWavelets' ``idwt`` of ``m`` coefficients per band."""
    if mode == "periodization":
        phase, n_out = length // 2 - 1, 2 * m
        taps = Dilated(length, phase)
        left, right = _most(synthesis_padding(n, 0, 2 * n, taps) for n in _examples(m, length))
        extend = signal_extension(m, "periodic", left, right)
    else:
        phase, n_out, extend = length - 2, 2 * m - length + 2, Extension(m)
    return FilterPlan(n_out, length, phase, extend, Extension(n_out))


@lru_cache(maxsize=4096)
def upsampling_plan(m: int, length: int) -> FilterPlan:
    """The plan of the full upsampled convolution of ``m`` coefficients, edges included."""
    n_out = 2 * m - 2 + length
    left, right = synthesis_padding(m, 0, n_out, Dilated(length, 0))
    return FilterPlan(n_out, length, 0, zero_extension(m, left, right), Extension(n_out))


# --- lifting along one axis ------------------------------------------------------------------


class StepPlan(NamedTuple):
    r"""Geometry of a step, :math:`t_k \mathrel{\pm}= \sum_j c_j \tilde s_{k+\mathtt{offset}+j}`.

    Attributes
    ----------
    target : {0, 1}
        The channel that changes: 0 the even samples, 1 the odd ones.
    length, offset : int
        The number of taps, and the offset of the first one.
    subtract : bool
        Whether the increment is subtracted (the inverse of a step).
    extend : Extension
        The extension of the source channel.
    fold : Extension
        The fold of the increment, as in :class:`FilterPlan`.
    """

    target: int
    length: int
    offset: int
    subtract: bool
    extend: Extension
    fold: Extension

    def adjoint(self) -> StepPlan:
        """The transposed step: channels swap roles; the caller reverses the taps."""
        offset, fold = -(self.offset + self.length - 1), _folding(self.extend)
        start, stop = -len(fold.left), self.extend.n + len(fold.right)
        padding = step_padding(self.fold.n, start, stop, self.length, offset)
        extend = zero_extension(self.fold.n, *padding) if self.fold.vanishes else self.fold
        return self._replace(target=1 - self.target, offset=offset, extend=extend, fold=fold)


@dataclass(frozen=True, repr=False)
class LiftPlan:
    """Geometry of a lifting scheme along one axis.

    Attributes
    ----------
    n : int
        Length of the signal.
    edge : Extension
        It has one more row on the right if a signal of odd length is made even:
        it extends the input of an analysis and folds the output of a synthesis.
    steps : tuple of StepPlan
        The steps in the order of execution.
    shift : (int, int)
        The circular shifts of the approximation and the detail after an analysis
        (undone before a synthesis).
    native : dict
        The native plan of each family of kernels.
    """

    n: int
    edge: Extension
    steps: tuple[StepPlan, ...]
    shift: tuple[int, int]
    native: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    is_bijective: ClassVar[bool] = True
    factor: ClassVar[float] = 1.0

    @property
    def band_lengths(self) -> tuple[int, int]:
        """The lengths of approximation and detail."""
        padded = self.n + self.n % 2 if self.edge.right else self.n
        return (padded + 1) // 2, padded // 2

    def inverse(self) -> LiftPlan:
        """The plan of the inverse (with reciprocal scales)."""
        steps = tuple(s._replace(subtract=not s.subtract) for s in reversed(self.steps))
        # The inverse of repeating the last sample drops it. The inverse of the drop appends a zero.
        return replace(self, steps=steps, edge=zero_extension(self.n, 0, len(self.edge.right)))

    def shortened(self, n: int) -> LiftPlan:
        """The plan of a synthesis of the first ``n`` samples: all, or all but the last."""
        return replace(self, n=n, edge=zero_extension(n, 0, self.n + len(self.edge.right) - n))

    def adjoint(self) -> LiftPlan:
        """The transposed plan (same scales, taps reversed within each step)."""
        return replace(self, steps=tuple(s.adjoint() for s in reversed(self.steps)))


def step_padding(n_source: int, start: int, stop: int, length: int, offset: int) -> tuple[int, int]:
    """Source samples needed before and after ``n_source`` for targets ``start`` … ``stop - 1``."""
    first, last = start + offset, stop - 1 + offset + length - 1
    return max(0, -first), max(0, last - (n_source - 1))


def lift_plan(scheme: LiftingScheme, n: int, mode: Mode) -> LiftPlan:
    """The plan of one analysis of ``n`` samples by ``scheme``."""
    steps = tuple((s.target_parity, tap_count(s.taps), s.offset) for s in scheme.steps)
    return _lift_plan(n, steps, scheme.shift, mode)


@cached_by_length
def _lift_plan(
    n: int, steps: tuple[tuple[int, int, int], ...], shift: tuple[int, int], mode: Mode
) -> LiftPlan:
    periodic = mode == "periodization"
    padded = n + n % 2 if periodic else n
    # A number that is a symbol has this row, too. It is not used if the number is even.
    edge = signal_extension(n, "constant", 0, int(periodic and (is_symbol(n) or n % 2)))
    return LiftPlan(
        n,
        edge,
        tuple(_step_plan(*step, padded, mode) for step in steps),
        shift if periodic else (0, 0),
    )


def _step_plan(target: int, length: int, offset: int, n: int, mode: Mode) -> StepPlan:
    left, right = _most(
        step_padding((m + target) // 2, 0, (m + 1 - target) // 2, length, offset)
        for m in _examples(n, length)
    )
    extend = channel_extension(n, 1 - target, mode, left, right)
    return StepPlan(target, length, offset, False, extend, Extension((n + 1 - target) // 2))
