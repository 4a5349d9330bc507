r"""Undecimated transforms by lifting schemes: steps on the whole grid, in every boundary mode.

Approximation and detail both begin as the signal. A step of level :math:`j` adds filtered samples
of one to the other, with taps :math:`s = 2^{j-1}` times as far apart as those of the scheme:

.. math::

    \text{predict:} \quad D_k &\mathrel{+}= \sum_i t_i A_{k + s (2 (\mathtt{offset} + i) - 1)} \\
    \text{update:} \quad A_k &\mathrel{+}= \sum_i t_i D_{k + s (2 (\mathtt{offset} + i) + 1)}

The inverse undoes the steps. Both channels are the signal again, and it returns their mean. So the
transform is inverted for every length and boundary mode, without loss for integers.

The functions consist of operations of the arrays' library, which torch differentiates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._arrays.convert import open_arrays
from liftwave._arrays.integers import open_integer_coefficients, open_integer_samples
from liftwave._kernels.reference.pieces import scaled, tap_values, total
from liftwave._operations.planned_transform import detail_keys
from liftwave._plan.axes import AxisPlan, AxisPlans, axis_plans
from liftwave._plan.lengths import check_lifting_mode
from liftwave._plan.planning import step_taps
from liftwave._typing import Array, Mode, Modes
from liftwave.errors import ShapeError, WaveletError
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep
from liftwave.wavelets.resolve import Resolved
from liftwave.wavelets.taps import FixedPoint


class Channel(NamedTuple):
    """One axis of one level.

    Attributes
    ----------
    axis : int
        The axis.
    scheme : LiftingScheme
        The scheme.
    mode : str
        The boundary mode.
    dilation : int
        How much further apart the taps are than those of the scheme.
    factor : float
        The factor of both bands.
    """

    axis: int
    scheme: LiftingScheme
    mode: Mode
    dilation: int
    factor: float

    def split(self, x: Array) -> tuple[Array, Array]:
        """Approximation and detail."""
        channels = [x, x]
        self.lift(channels)
        approx, detail = self.scaled(channels)
        return approx, detail

    def merge(self, approx: Array, detail: Array) -> Array:
        """The signal: the mean of both channels after the steps are undone."""
        channels = self.unscaled([approx, detail])
        self.lift(channels, inverse=True)
        even, odd = channels
        if self.scheme.integer:
            return even + ((odd - even) >> 1)
        return 0.5 * (even + odd)

    def lift(self, channels: list[Array], *, inverse: bool = False) -> list[Array]:
        """Run the steps on both channels, or undo them, and return the source of each."""
        sources = []
        for step, taps in self.steps(inverse=inverse):
            target = step.target_parity
            source = channels[1 - target]
            increment = self._increment(source, step, taps)
            before = channels[target]
            channels[target] = before - increment if inverse else before + increment
            sources.append(source)
        return sources

    def steps(self, *, inverse: bool = False) -> list[tuple[LiftingStep, Any]]:
        """The steps with their taps, in the order of execution."""
        pairs = list(zip(self.scheme.steps, step_taps(self.scheme), strict=True))
        return pairs[::-1] if inverse else pairs

    def scaled(self, channels: Sequence[Array]) -> list[Array]:
        """The bands: channels times the scheme's scale."""
        return [
            scaled(x, factor * self.factor if self.factor != 1 else factor, array_namespace(x))
            for x, factor in zip(channels, self.scale, strict=True)
        ]

    def unscaled(self, bands: Sequence[Array]) -> list[Array]:
        """The channels: bands divided by the scheme's scale."""
        return [
            scaled(x, 1 / (factor * self.factor), array_namespace(x))
            for x, factor in zip(bands, self.scale, strict=True)
        ]

    @property
    def scale(self) -> tuple[Any, Any]:
        """The factors of both bands, without the common one."""
        return (1.0, 1.0) if self.scheme.integer else self.scheme.scale

    def _increment(self, source: Array, step: LiftingStep, taps: Any) -> Array:
        xp, places = array_namespace(source), self.places(step)
        if isinstance(taps, FixedPoint):
            wide = xp.astype(source, xp.int64)
            terms = zip(taps.numerators, places, strict=True)
            exact = total(number * self.moved(wide, place, xp) for number, place in terms)
            rounded = (exact + (1 << (taps.bits - 1))) >> taps.bits
            return xp.astype(rounded, source.dtype)
        values = tap_values(taps, source, xp)
        moved = (self.moved(source, place, xp) for place in places)
        return total(tap * samples for tap, samples in zip(values, moved, strict=True))

    def places(self, step: LiftingStep) -> list[int]:
        """The offset of the sample that each tap multiplies."""
        side = 1 if step.target_parity == 0 else -1
        return [self.dilation * (2 * (step.offset + i) + side) for i in range(step.length)]

    def moved(self, x: Array, place: int, xp: Any) -> Array:
        """``x[k + place]`` for each ``k``, the signal extended."""
        n = x.shape[self.axis]
        if isinstance(n, int):
            indices, is_inside = sources(n, place, self.mode)
        else:  # a length that is a symbol: in the graph, the indices are computed from it
            indices, is_inside = _sources_at(
                xp.arange(n, device=device(x)), place, n, self.mode, xp
            )
        moved = xp.take(x, xp.asarray(indices, device=device(x)), axis=self.axis)
        if is_inside is None:
            return moved
        shape = [1] * x.ndim
        shape[self.axis] = n
        mask = xp.reshape(xp.asarray(is_inside, device=device(x)), tuple(shape))
        return xp.where(mask, moved, xp.zeros_like(moved))


@lru_cache(maxsize=1024)
def sources(n: int, place: int, mode: Mode) -> tuple[Any, Any]:
    """The samples ``k + place`` of an extended signal of n samples, as :func:`_sources_at`."""
    return _sources_at(np.arange(n), place, n, mode, np)


def _sources_at(numbers: Any, place: int, n: int, mode: Mode, xp: Any) -> tuple[Any, Any]:
    """The sample that each place of an extended signal repeats; and where it is not zero."""
    index = numbers + (place if abs(place) < _FAR else _nearer(place, n, mode))
    if mode == "zero":
        inside = (index >= 0) & (index < n)
        return xp.where(inside, index, 0), inside
    if mode == "constant":
        return xp.clip(index, 0, n - 1), None
    if mode == "symmetric":
        index = index % _period(n, mode)
        return xp.minimum(index, 2 * n - 1 - index), None
    if mode == "reflect":
        index = index % _period(n, mode)
        return xp.minimum(index, 2 * n - 2 - index), None
    return index % _period(n, mode), None


# Offsets of high levels exceed 64 bits. Python's integers hold them, arrays do not.
_FAR = 2**62


def _nearer(place: int, n: int, mode: Mode) -> int:
    """An offset below 2**63 that leads to the same samples."""
    if mode in ("zero", "constant"):
        return _FAR if place > 0 else -_FAR
    return place % _period(n, mode)


def _period(n: int, mode: Mode) -> int:
    """The period of an extended signal of n samples, in the modes that have one."""
    if mode == "symmetric":
        return 2 * n
    return max(2 * n - 2, 1) if mode == "reflect" else n


# --- all axes and levels -----------------------------------------------------------------------


def is_lifting(wavelet: Any) -> bool:
    """Whether a wavelet, or one of several, is a lifting scheme."""
    if type(wavelet) is str:
        return False
    wavelets = wavelet if isinstance(wavelet, list | tuple) else [wavelet]
    return any(isinstance(each, LiftingScheme) for each in wavelets)


def plans_for(wavelet: Any, mode: Modes, axes: Any, shape: Sequence[int]) -> AxisPlans:
    """The scheme and the boundary mode of each axis.

    Raises
    ------
    AxisError, ModeError, ShapeError, WaveletError
        If an axis or a mode is not valid, an axis has no samples, or filter banks and schemes are
        mixed.
    """
    plans = axis_plans(wavelet, mode, axes, len(shape))
    for plan in plans:
        check_lifting_mode(_scheme(plan.wavelet), plan.mode)
        if shape[plan.axis] < 1:
            raise ShapeError(f"axis {plan.axis} of shape {tuple(shape)} has no samples")
    return plans


def _scheme(wavelet: Resolved) -> LiftingScheme:
    if not isinstance(wavelet, LiftingScheme):
        raise WaveletError(
            "an undecimated transform has lifting schemes along all axes or along none, got also "
            f"{wavelet!r}"
        )
    return wavelet


def analyse(data: Any, plans: AxisPlans, level: int, start_level: int, norm: bool) -> list[Array]:
    """All bands of all levels, coarsest level first, the approximation first in each."""
    _check_norm(plans, norm)
    if plans.is_integer:
        opened = open_integer_samples(data, plans, level)
        x = opened.xp.astype(opened.array, opened.result_dtype)
    else:
        (opened,) = open_arrays([data])
        x = opened.array
    results: list[Array] = []
    for depth in range(level):
        bands = {"": x}
        for channel in channels_of(plans, start_level + depth, norm):
            bands = dict(_split(bands, channel))
        x = bands["a" * len(plans)]
        results[:0] = [bands[key] for key in sorted(bands)]
    return [opened.close(band) for band in results] if level else [opened.close(x)]


def _split(bands: Mapping[str, Array], channel: Channel) -> list[tuple[str, Array]]:
    pairs = []
    for key, band in bands.items():
        approx, detail = channel.split(band)
        pairs += [(key + "a", approx), (key + "d", detail)]
    return pairs


def synthesise(bands: Sequence[Array | None], plans: AxisPlans, norm: bool) -> Array:
    """The signal with this approximation and these details, coarsest level first."""
    _check_norm(plans, norm)
    present = [band for band in bands if band is not None]
    opened = iter(open_integer_coefficients(present) if plans.is_integer else open_arrays(present))
    first = None
    arrays: list[Array | None] = []
    for band in bands:
        each = None if band is None else next(opened)
        first = first or each
        arrays.append(None if each is None else each.array)
    assert first is not None  # at least one band is present
    zero = first.xp.zeros_like(first.array)
    filled = iter([zero if array is None else array for array in arrays])
    x, keys = next(filled), detail_keys(len(plans))
    level = (len(bands) - 1) // len(keys)
    for depth in reversed(range(level)):
        x = _merged(x, dict(zip(keys, islice(filled, len(keys)), strict=True)), plans, depth, norm)
    return first.close(x)


def lifted_components(bands: Sequence[Array], plans: AxisPlans, norm: bool) -> list[Array]:
    """The inverse of each band alone: the approximation, then details, coarsest level first.

    Raises
    ------
    WaveletError
        If the schemes round to integers, so that the inverses do not add up.
    """
    if plans.is_integer:
        raise WaveletError(
            "the components of an integer scheme do not add up, because its steps round: use the "
            "scheme without to_integer(), or its filter bank"
        )
    smooth, *details = bands
    absent: list[Array | None] = [None] * len(details)
    results = [synthesise([smooth, *absent], plans, norm)]
    of_level = len(detail_keys(len(plans)))
    for k, band in enumerate(details):
        # Coarser levels are left out, since they have no bands.
        first, rest = [None] * (k % of_level), absent[k + 1 :]
        results.append(synthesise([None, *first, band, *rest], plans, norm))
    return results


def _merged(
    approx: Array, details: dict[str, Array], plans: AxisPlans, depth: int, norm: bool
) -> Array:
    bands = {"a" * len(plans): approx, **details}
    for channel in reversed(channels_of(plans, depth, norm)):
        keys = dict.fromkeys(key[:-1] for key in bands)
        bands = {key: channel.merge(bands[key + "a"], bands[key + "d"]) for key in keys}
    return bands[""]


def channels_of(plans: Sequence[AxisPlan], depth: int, norm: bool) -> list[Channel]:
    """Each axis of a level; ``depth`` is 0 for the finest one."""
    factor = 0.5**0.5 if norm else 1.0
    return [
        Channel(plan.axis, _scheme(plan.wavelet), plan.boundary, 2**depth, factor) for plan in plans
    ]


def _check_norm(plans: AxisPlans, norm: bool) -> None:
    if norm and plans.is_integer:
        raise WaveletError("norm=True divides by sqrt(2): integer schemes cannot, use norm=False")
