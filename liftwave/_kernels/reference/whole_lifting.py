r"""Undecimated lifting along one axis in array-API code.

Both channels start as copies of the signal. A step of level :math:`j` adds samples of one channel
to the other, with taps :math:`s = 2^{j-1}` times as far apart as those of the scheme:

.. math::

    \text{predict:} \quad D_k &\mathrel{+}= \sum_i t_i A_{k + s (2 (\mathtt{offset} + i) - 1)} \\
    \text{update:} \quad A_k &\mathrel{+}= \sum_i t_i D_{k + s (2 (\mathtt{offset} + i) + 1)}

The inverse undoes the steps. Both channels are the signal again, and it returns their mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._kernels.contract import LiftPullback
from liftwave._kernels.reference.pieces import inner, scaled, tap_values, total
from liftwave._kernels.reference.reversible import Pullback, Step, run, vjp
from liftwave._kernels.reference.rows import samples_from
from liftwave._numbers import is_symbol
from liftwave._plan.undecimated_lifting import WholeLiftPlan, WholeStep
from liftwave._typing import Array, Mode, Namespace
from liftwave.wavelets.taps import FixedPoint


def whole_analysis(
    x: Array, plan: WholeLiftPlan, taps: Sequence[Any], scale: Sequence[Any], axis: int
) -> tuple[Array, Array]:
    """Run the steps on two copies of the signal, scale."""
    xp = array_namespace(x)
    start = scaled(x, plan.weight, xp)
    channels = run([start, start], _steps(plan, taps, axis))
    approx, detail = (scaled(c, factor, xp) for c, factor in zip(channels, scale, strict=True))
    return approx, detail


def whole_synthesis(
    bands: Sequence[Array],
    plan: WholeLiftPlan,
    taps: Sequence[Any],
    scale: Sequence[Any],
    axis: int,
) -> Array:
    """Scale, run the steps, add both channels."""
    xp = array_namespace(*bands)
    channels = [scaled(band, factor, xp) for band, factor in zip(bands, scale, strict=True)]
    even, odd = run(channels, _steps(plan, taps, axis))
    if xp.isdtype(even.dtype, "integral"):
        return even + ((odd - even) >> 1)
    return scaled(even + odd, plan.weight, xp)


def whole_vjp(
    values: Sequence[Array],
    cotangents: Sequence[Array],
    plan: WholeLiftPlan,
    taps: Sequence[Any],
    scale: Sequence[Any],
    axis: int,
) -> LiftPullback:
    """The vector-Jacobian product of an analysis from its bands, or of a synthesis from its bands.

    A synthesis has one cotangent.
    """
    xp, steps = array_namespace(*values, *cotangents), _steps(plan, taps, axis)
    if len(cotangents) == 1:
        channels = [scaled(band, factor, xp) for band, factor in zip(values, scale, strict=True)]
        half = scaled(cotangents[0], plan.weight, xp)
        back = vjp(run(channels, steps), [half, half], steps)
        slopes = tuple(map(inner, values, back.cotangents))
        bands = [scaled(g, factor, xp) for g, factor in zip(back.cotangents, scale, strict=True)]
        return LiftPullback(list(values), bands, back.gradients, (slopes[0], slopes[1]))
    channels = [scaled(band, 1 / factor, xp) for band, factor in zip(values, scale, strict=True)]
    slopes = tuple(map(inner, channels, cotangents))
    scaled_back = [scaled(g, factor, xp) for g, factor in zip(cotangents, scale, strict=True)]
    back = vjp(channels, scaled_back, steps)
    signal = scaled(_sum(back), plan.weight, xp)
    return LiftPullback([back.channels[0]], [signal], back.gradients, (slopes[0], slopes[1]))


def _sum(back: Pullback) -> Array:
    return back.cotangents[0] + back.cotangents[1]


class _WholeStep(NamedTuple):
    """The increment of one step: ``sum_j taps[j] * source[k + places[j]]``."""

    plan: WholeStep
    mode: Mode
    taps: Any
    axis: int

    def increment(self, source: Array) -> Array:
        xp, places = array_namespace(source), self.plan.places
        if isinstance(self.taps, FixedPoint):
            return self._rounded_increment(source, self.taps, xp)
        values = tap_values(self.taps, source, xp)
        terms = (
            tap * self._moved(source, place, xp) for tap, place in zip(values, places, strict=True)
        )
        return total(terms)

    def vjp(self, source: Array, cotangent: Array) -> tuple[Array, Array]:
        xp = array_namespace(source, cotangent)
        back = self._replace(plan=self.plan._replace(is_transposed=not self.plan.is_transposed))
        slopes = [inner(self._moved(source, place, xp), cotangent) for place in self.plan.places]
        return back.increment(cotangent), xp.stack(slopes)

    def _rounded_increment(self, source: Array, taps: FixedPoint, xp: Namespace) -> Array:
        """``floor(P + 1/2)`` in integers, modulo the range of the dtype."""
        wide = xp.astype(source, xp.int64)
        terms = zip(taps.numerators, self.plan.places, strict=True)
        exact = total(number * self._moved(wide, place, xp) for number, place in terms)
        rounded = (exact + (1 << (taps.bits - 1))) >> taps.bits
        return xp.astype(rounded, source.dtype)

    def _moved(self, x: Array, place: int, xp: Namespace) -> Array:
        """Sample ``k + place`` of the extended signal for each ``k``, or the transpose of this."""
        move = _moved_back if self.plan.is_transposed else _moved
        return move(x, place, self.mode, self.axis, xp)


def _steps(plan: WholeLiftPlan, taps: Sequence[Any], axis: int) -> list[Step]:
    return [
        Step(step.target, _WholeStep(step, plan.mode, values, axis), step.subtract)
        for step, values in zip(plan.steps, taps, strict=True)
    ]


# --- moves ---------------------------------------------------------------------------------------


def _moved(x: Array, place: int, mode: Mode, axis: int, xp: Namespace) -> Array:
    n = x.shape[axis]
    if is_symbol(n):
        of_rows: Mode = "periodic" if mode == "periodization" else mode  # odd lengths stay odd
        return samples_from(x, axis, _near(place, n, mode), n, of_rows)
    indices, is_inside = _sources(n, place, mode)
    moved = xp.take(x, xp.asarray(indices, device=device(x)), axis=axis)
    if is_inside is None:
        return moved
    return xp.where(_along(is_inside, x, axis, xp), moved, xp.zeros_like(moved))


@lru_cache(maxsize=1024)
def _sources(n: int, place: int, mode: Mode) -> tuple[Any, Any]:
    """The sources of ``k + place`` in an extended signal, and a mask of those that are not zero."""
    index = np.arange(n) + _near(place, n, mode)
    if mode == "zero":
        inside = (index >= 0) & (index < n)
        return np.where(inside, index, 0), inside
    if mode == "constant":
        return np.clip(index, 0, n - 1), None
    if mode == "symmetric":
        index = index % _period(n, mode)
        return np.minimum(index, 2 * n - 1 - index), None
    if mode == "reflect":
        index = index % _period(n, mode)
        return np.minimum(index, 2 * n - 2 - index), None
    return index % _period(n, mode), None


# Offsets of high levels exceed 64 bits. Python's integers hold them, arrays do not.
_FAR = 2**62


def _near(place: int, n: int, mode: Mode) -> int:
    """An offset below 2**63 of the same samples."""
    if abs(place) < _FAR:
        return place
    if mode in ("zero", "constant"):
        return _FAR if place > 0 else -_FAR
    return place % _period(n, mode)


def _period(n: int, mode: Mode) -> int:
    """The period of an extended signal of n samples, in the modes that have one."""
    if mode == "symmetric":
        return 2 * n
    return max(2 * n - 2, 1) if mode == "reflect" else n


# --- transposed moves ----------------------------------------------------------------------------


class _Back(NamedTuple):
    """The transpose of a move: ``x[m]`` is the sum of all ``y[k]`` whose source is ``m``.

    Attributes
    ----------
    layers : tuple of (indices, mask)
        Each sample has at most one source in a layer.
    sums : tuple of (sample, indices)
        Samples that are the source of many others: those at the ends.
    """

    layers: tuple[tuple[Any, Any], ...]
    sums: tuple[tuple[int, Any], ...]


# Reflections repeat a sample a few times, constant extensions as many times as their length.
_MOST_LAYERS = 4


def _moved_back(y: Array, place: int, mode: Mode, axis: int, xp: Namespace) -> Array:
    """The transpose of :func:`_moved`."""
    n = int(y.shape[axis])
    back = _back(n, place, mode)
    result = None
    for indices, mask in back.layers:
        samples = xp.take(y, xp.asarray(indices, device=device(y)), axis=axis)
        samples = xp.where(_along(mask, y, axis, xp), samples, xp.zeros_like(samples))
        result = samples if result is None else result + samples
    result = xp.zeros_like(y) if result is None else result
    for sample, indices in back.sums:
        samples = xp.take(y, xp.asarray(indices, device=device(y)), axis=axis)
        is_sample = _along(np.arange(n) == sample, y, axis, xp)
        result = xp.where(is_sample, xp.sum(samples, axis=axis, keepdims=True), result)
    return result


def _along(values: Any, like: Array, axis: int, xp: Namespace) -> Array:
    shape = [1] * like.ndim
    shape[axis] = values.shape[0]
    return xp.reshape(xp.asarray(values, device=device(like)), tuple(shape))


@lru_cache(maxsize=1024)
def _back(n: int, place: int, mode: Mode) -> _Back:
    index, is_inside = _sources(n, place, mode)
    targets = np.arange(n) if is_inside is None else np.flatnonzero(is_inside)
    by_source = np.argsort(index[targets], kind="stable")
    targets = targets[by_source]
    samples, starts, counts = np.unique(index[targets], return_index=True, return_counts=True)
    few = counts <= _MOST_LAYERS
    layers = []
    for depth in range(int(counts[few].max(initial=0))):
        present = few & (counts > depth)
        indices, mask = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
        indices[samples[present]] = targets[starts[present] + depth]
        mask[samples[present]] = True
        layers.append((indices, mask))
    sums = [
        (int(sample), targets[start : start + count])
        for sample, start, count in zip(samples[~few], starts[~few], counts[~few], strict=True)
    ]
    return _Back(tuple(layers), tuple(sums))
