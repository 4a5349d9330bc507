r"""Pullbacks of undecimated transforms by lifting schemes.

A step adds :math:`\sum_i t_i M_i s` to its target, where :math:`M_i` moves the samples of the
source :math:`s`. So the cotangent of the source gets :math:`\sum_i t_i M_i^T g`, with the cotangent
:math:`g` of the target, and the tap :math:`t_i` has the gradient
:math:`\mathrm{Re} \langle M_i s, g \rangle`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

from liftwave._kernels.reference.pieces import inner, tap_values, total
from liftwave._operations.planned_transform import detail_keys
from liftwave._operations.tap_gradients import LiftGradient, real_zeros
from liftwave._plan.axes import AxisPlans
from liftwave._typing import Array, Mode
from liftwave.transforms.undecimated_lifting import Channel, channels_of, sources

Cotangent = Array | None


class Gradients:
    """The gradients of the taps and scales of one axis, summed over levels and bands."""

    def __init__(self, channel: Channel, like: Array) -> None:
        self._like = like
        self._taps = [[real_zeros((), like)] * step.length for step in channel.scheme.steps]
        self._scale = [real_zeros((), like)] * 2

    def add_tap(self, step: int, index: int, value: Array) -> None:
        """Add to the gradient of a tap."""
        self._taps[step][index] = self._taps[step][index] + value

    def add_scale(self, index: int, value: Array) -> None:
        """Add to the gradient of a scale."""
        self._scale[index] = self._scale[index] + value

    def total(self) -> LiftGradient:
        """The sums."""
        xp = array_namespace(self._like)
        return LiftGradient(tuple(map(xp.stack, self._taps)), xp.stack(self._scale))


class Tape(NamedTuple):
    """One axis of one band, and the arrays that its pullback uses."""

    channel: Channel
    gradients: Gradients
    sources: list[Array]
    channels: list[Array]
    inverse: bool

    @classmethod
    def split(cls, channel: Channel, gradients: Gradients, x: Array) -> tuple[Tape, list[Array]]:
        """The bands of :meth:`Channel.split`."""
        channels = [x, x]
        tape = cls(channel, gradients, channel.lift(channels), channels, inverse=False)
        return tape, channel.scaled(channels)

    @classmethod
    def merge(
        cls, channel: Channel, gradients: Gradients, bands: Sequence[Array]
    ) -> tuple[Tape, Array]:
        """The signal of :meth:`Channel.merge`."""
        unscaled = channel.unscaled(bands)
        channels = list(unscaled)
        tape = cls(channel, gradients, channel.lift(channels, inverse=True), unscaled, inverse=True)
        return tape, 0.5 * (channels[0] + channels[1])

    def pull_split(self, cotangents: Sequence[Cotangent]) -> Cotangent:
        """The cotangent of the signal, from those of both bands."""
        if all(g is None for g in cotangents):
            return None
        bands = [_filled(g, like) for g, like in zip(cotangents, self.channels, strict=True)]
        for k, (g, x) in enumerate(zip(bands, self.channels, strict=True)):
            self.gradients.add_scale(k, inner(x, g) * self.channel.factor)
        channels = self.channel.scaled(bands)
        self._pull_steps(channels)
        return channels[0] + channels[1]

    def pull_merge(self, cotangent: Array) -> list[Array]:
        """The cotangents of both bands, from that of the signal."""
        channels = [0.5 * cotangent, 0.5 * cotangent]
        self._pull_steps(channels)
        pairs = zip(channels, self.channels, self.channel.scale, strict=True)
        for k, (g, x, factor) in enumerate(pairs):
            self.gradients.add_scale(k, -inner(x, g) / factor)
        return self.channel.unscaled(channels)

    def _pull_steps(self, channels: list[Array]) -> None:
        """Run the transposed steps on the cotangents of both channels, the last step first."""
        count = len(self.sources)
        pairs = zip(self.channel.steps(inverse=self.inverse), self.sources, strict=True)
        for k, ((step, taps), source) in reversed(list(enumerate(pairs))):
            number = count - 1 - k if self.inverse else k
            target = step.target_parity
            g, xp = channels[target], array_namespace(source)
            places, values = self.channel.places(step), tap_values(taps, source, xp)
            for i, place in enumerate(places):
                slope = inner(self.channel.moved(source, place, xp), g)
                self.gradients.add_tap(number, i, -slope if self.inverse else slope)
            pulled = total(
                tap * moved_back(g, place, self.channel, xp)
                for tap, place in zip(values, places, strict=True)
            )
            before = channels[1 - target]
            channels[1 - target] = before - pulled if self.inverse else before + pulled


def _filled(cotangent: Cotangent, like: Array) -> Array:
    return array_namespace(like).zeros_like(like) if cotangent is None else cotangent


# --- transposed moves ------------------------------------------------------------------------


class Back(NamedTuple):
    """The transpose of a move: ``x[m]`` is the sum of all ``y[k]`` whose source is ``m``.

    Attributes
    ----------
    layers : tuple of (indices, mask)
        Each sample has at most one source in a layer.
    sums : tuple of (sample, indices)
        Samples that many others repeat: those at the ends.
    """

    layers: tuple[tuple[Any, Any], ...]
    sums: tuple[tuple[int, Any], ...]


# Reflections repeat a sample a few times, constant extensions as often as they are long.
_MOST_LAYERS = 4


def moved_back(y: Array, place: int, channel: Channel, xp: Any) -> Array:
    """The transpose of :meth:`Channel.moved`."""
    axis, n = channel.axis, int(y.shape[channel.axis])
    back = _back(n, place, channel.mode)
    result = None
    for indices, mask in back.layers:
        taken = xp.take(y, xp.asarray(indices, device=device(y)), axis=axis)
        taken = xp.where(_along(mask, y, axis, xp), taken, xp.zeros_like(taken))
        result = taken if result is None else result + taken
    result = xp.zeros_like(y) if result is None else result
    for sample, indices in back.sums:
        taken = xp.take(y, xp.asarray(indices, device=device(y)), axis=axis)
        one = _along(np.arange(n) == sample, y, axis, xp)
        result = xp.where(one, xp.sum(taken, axis=axis, keepdims=True), result)
    return result


def _along(values: Any, like: Array, axis: int, xp: Any) -> Array:
    shape = [1] * like.ndim
    shape[axis] = len(values)
    return xp.reshape(xp.asarray(values, device=device(like)), tuple(shape))


@lru_cache(maxsize=1024)
def _back(n: int, place: int, mode: Mode) -> Back:
    index, is_inside = sources(n, place, mode)
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
    return Back(tuple(layers), tuple(sums))


# --- all axes and levels -----------------------------------------------------------------------


class AnalysisTape:
    """The bands of all levels, and the arrays that the pullback uses.

    Parameters
    ----------
    x : array
        The signal, in a floating dtype.
    plans, level, start_level, norm
        As for ``analyse``.

    Attributes
    ----------
    bands : list of array
        Coarsest level first, the approximation first in each.
    """

    def __init__(
        self, x: Array, plans: AxisPlans, level: int, start_level: int, norm: bool
    ) -> None:
        self.bands: list[Array] = [] if level else [x]
        self._gradients = _gradients(plans, norm, x)
        self._levels: list[list[dict[str, Tape]]] = []
        for depth in range(level):
            x = self._add_level(x, channels_of(plans, start_level + depth, norm))

    def _add_level(self, x: Array, channels: Sequence[Channel]) -> Array:
        bands, stages = {"": x}, []
        for channel, gradients in zip(channels, self._gradients, strict=True):
            stage: dict[str, Tape] = {}
            results: dict[str, Array] = {}
            for key, band in bands.items():
                stage[key], pair = Tape.split(channel, gradients, band)
                results |= {key + letter: y for letter, y in zip("ad", pair, strict=True)}
            bands = results
            stages.append(stage)
        self._levels.append(stages)
        self.bands[:0] = [bands[key] for key in sorted(bands)]
        return bands["a" * len(channels)]

    def pull(self, cotangents: Sequence[Cotangent]) -> tuple[Cotangent, list[LiftGradient]]:
        """The cotangent of the signal, from those of all bands; and the gradients of each axis."""
        keys = ["a" * len(self._gradients), *detail_keys(len(self._gradients))]
        upward = cotangents[0] if not self._levels else None
        for k, stages in enumerate(reversed(self._levels)):
            of_level = cotangents[k * len(keys) : (k + 1) * len(keys)]
            bands = dict(zip(keys, of_level, strict=True))
            bands[keys[0]] = _sum(bands[keys[0]], upward)
            for stage in reversed(stages):
                bands = {
                    key: tape.pull_split([bands[key + letter] for letter in "ad"])
                    for key, tape in stage.items()
                }
            upward = bands[""]
        return upward, [gradients.total() for gradients in self._gradients]


class SynthesisTape:
    """The signal of a synthesis, and the arrays that the pullback uses.

    Parameters
    ----------
    bands : sequence of array
        The approximation, and the details of all levels, coarsest level first.
    plans, norm
        As for ``synthesise``.

    Attributes
    ----------
    signal : array
        The signal.
    """

    def __init__(self, bands: Sequence[Array], plans: AxisPlans, norm: bool) -> None:
        self.signal = bands[0]
        self._gradients = _gradients(plans, norm, bands[0])
        self._keys = detail_keys(len(plans))
        self._levels: list[list[dict[str, Tape]]] = []
        count = len(self._keys)
        for depth in reversed(range((len(bands) - 1) // count)):
            start = len(bands) - (depth + 1) * count
            details = dict(zip(self._keys, bands[start : start + count], strict=True))
            self._add_level(details, channels_of(plans, depth, norm))

    def _add_level(self, details: dict[str, Array], channels: Sequence[Channel]) -> None:
        bands, stages = {"a" * len(channels): self.signal, **details}, []
        pairs = list(zip(channels, self._gradients, strict=True))
        for channel, gradients in reversed(pairs):
            stage: dict[str, Tape] = {}
            results: dict[str, Array] = {}
            for key in dict.fromkeys(key[:-1] for key in bands):
                pair = [bands[key + letter] for letter in "ad"]
                stage[key], results[key] = Tape.merge(channel, gradients, pair)
            bands = results
            stages.append(stage)
        self._levels.append(stages)
        self.signal = bands[""]

    def pull(self, cotangent: Array) -> tuple[list[Array], list[LiftGradient]]:
        """The cotangents of all bands, and the gradients of each axis."""
        details: list[Array] = []
        for stages in reversed(self._levels):
            bands = {"": cotangent}
            for stage in reversed(stages):
                pulled = {key: tape.pull_merge(bands[key]) for key, tape in stage.items()}
                bands = {
                    key + letter: g
                    for key, pair in pulled.items()
                    for letter, g in zip("ad", pair, strict=True)
                }
            cotangent = bands["a" * len(self._gradients)]
            details[:0] = [bands[key] for key in self._keys]
        return [cotangent, *details], [gradients.total() for gradients in self._gradients]


def _gradients(plans: AxisPlans, norm: bool, like: Array) -> list[Gradients]:
    return [Gradients(channel, like) for channel in channels_of(plans, 0, norm)]


def _sum(a: Cotangent, b: Cotangent) -> Cotangent:
    if a is None or b is None:
        return b if a is None else a
    return a + b
