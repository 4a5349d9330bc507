r"""Lifting steps of a rotation lattice.

A rotation is two shears and two scales,

.. math::

    R(f) = \begin{pmatrix} c & \\ & 1/c \end{pmatrix}
    \begin{pmatrix} 1 & \\ -sc & 1 \end{pmatrix}
    \begin{pmatrix} 1 & s/c \\ & 1 \end{pmatrix}, \quad c = \cos f,\; s = \sin f,

or three shears with :math:`\tan(f/2), -\sin f, \tan(f/2)` and no scales
(Daubechies & Sweldens, *Factoring wavelet transforms into lifting steps*,
1998, section 7; Calderbank et al., 1998). A quarter turn only exchanges the
channels and negates one of them, and a delay only changes offsets, so neither
costs a step. Each rotation is reduced by quarter turns to
:math:`|f| \le \pi/4`, which keeps all taps near 1. Scales move through all later
steps to the end. The last shear of each rotation merges with the first shear of
the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import cos, pi, sin, tan
from typing import NamedTuple

from liftwave.wavelets.lifting.lattice import Lattice, Shears
from liftwave.wavelets.lifting.laurent import Laurent
from liftwave.wavelets.lifting.polyphase import Factors, max_tap, noise_gain
from liftwave.wavelets.lifting.step import LiftingStep

# Number of rotations tried for the extra quarter turn. Large angles cost
# least, but the cheapest one is only known after all steps are written.
_ROTATIONS_TRIED = 3

# Above this angle (taps of tan(1.3) = 3.6) a rotation takes three shears.
_STEEP = 1.3


class _Rotation(NamedTuple):
    """A rotation by ``angle``, followed by ``quarters`` quarter turns."""

    angle: float
    quarters: int

    @classmethod
    def reduced(cls, angle: float) -> _Rotation:
        quarters = round(angle / (pi / 2))
        return cls(angle - quarters * (pi / 2), quarters)

    def with_quarter_turn(self) -> _Rotation:
        """Return the same rotation with one more quarter turn and the complementary angle."""
        direction = 1 if self.angle >= 0 else -1
        return _Rotation(self.angle - direction * (pi / 2), self.quarters + direction)


@dataclass
class _Channel:
    """A channel of the lattice: ``gain * samples_of_parity[k - delay]``."""

    parity: int
    delay: int
    gain: float


class _Builder:
    """Collects the lifting steps of rotations and delays, which are added one by one."""

    def __init__(self, position: int) -> None:
        # The lattice reads x[2i + position] and x[2i + position + 1]. For an odd
        # position the odd sample comes first. The whole pairs of samples in
        # ``position`` become shifts at the end.
        odd_first = position % 2
        self.first = _Channel(odd_first, odd_first, 1.0)
        self.second = _Channel(1 - odd_first, 0, 1.0)
        self.advance = (position + 1) // 2
        self.steps: list[tuple[int, Laurent]] = []
        # The first step is a predict step. An update step instead would give the
        # inverse transpose of every step: the same transform with taps of the same size.
        self._last_target = 1

    def rotate(self, rotation: _Rotation, shears: Shears) -> None:
        """Add a rotation of two or three shears; the first one merges with the previous step."""
        begins_first = self.first.parity == self._last_target
        a, b = (self.first, self.second) if begins_first else (self.second, self.first)
        angle = rotation.angle if begins_first else -rotation.angle
        if angle != 0.0 and shears == 2:
            self._shear(a, b, tan(angle))
            a.gain *= cos(angle)
            b.gain /= cos(angle)
            self._shear(b, a, -tan(angle))
        elif angle != 0.0:
            self._shear(a, b, tan(angle / 2))
            self._shear(b, a, -sin(angle))
            self._shear(a, b, tan(angle / 2))
        for _ in range(rotation.quarters % 4):
            self.first, self.second = self.second, self.first
            self.second.gain *= -1.0

    def delay(self) -> None:
        """Add a delay of the second channel by one sample."""
        self.second.delay += 1

    def factors(self, sign: float, detail_delay: int) -> Factors:
        """Return the factors; the first channel is the approximation, the second the detail."""
        steps = (
            LiftingStep("predict" if target else "update", p.coefficients, p.low)
            for target, p in self.steps
        )
        approx_shift = self.first.delay - self.advance
        detail_shift = self.second.delay - self.advance + detail_delay
        scale = (self.first.gain, sign * self.second.gain)
        return Factors(tuple(steps), scale, (approx_shift, detail_shift))

    def _shear(self, target: _Channel, source: _Channel, factor: float) -> None:
        tap = factor * source.gain / target.gain
        increment = Laurent.of(target.delay - source.delay, [tap])
        if self.steps and self.steps[-1][0] == target.parity:
            increment = self.steps.pop()[1] + increment
        self.steps.append((target.parity, increment))
        self._last_target = target.parity


def lattice_factors(lattice: Lattice, position: int, detail_delay: int, shears: Shears) -> Factors:
    """Factor a lattice into lifting steps.

    Parameters
    ----------
    lattice : Lattice
        Angles and sign.
    position : int
        The lattice's inputs are ``x[2i + position]`` and ``x[2i + position + 1]``.
    detail_delay : int
        Pairs of samples by which the detail is delayed further.
    shears : 2 or 3
        Shears for each rotation. Three make scales of exactly 1 or -1.

    Returns
    -------
    Factors
        Those with the least noise gain of all that were tried. Their
        approximation is on even samples.
    """
    rotations = [_Rotation.reduced(angle) for angle in lattice.angles]
    candidates = [
        _built(variant, counts, position, lattice.sign, detail_delay)
        for variant, counts in _variants(rotations, position, shears)
    ]
    return min(candidates, key=lambda factors: (noise_gain(factors.steps), max_tap(factors.steps)))


def factors_with_quarter_turns(
    lattice: Lattice, position: int, detail_delay: int, shears: Shears, turned: Collection[int]
) -> Factors | None:
    """Factor a lattice with an extra quarter turn at exactly the given rotations.

    Parameters
    ----------
    lattice, position, detail_delay, shears
        As for :func:`lattice_factors`.
    turned : collection of int
        Numbers of the rotations that take one more quarter turn.

    Returns
    -------
    Factors or None
        None if the approximation would be on odd samples, or a tap would be large.
    """
    rotations = [_Rotation.reduced(angle) for angle in lattice.angles]
    variant = [r.with_quarter_turn() if k in turned else r for k, r in enumerate(rotations)]
    steep = any(abs(r.angle) >= _STEEP for r in variant)
    if steep or not _ends_on_even(variant, position):
        return None
    return _built(variant, [shears] * len(variant), position, lattice.sign, detail_delay)


def _built(
    rotations: Sequence[_Rotation],
    counts: Sequence[Shears],
    position: int,
    sign: float,
    detail_delay: int,
) -> Factors:
    builder = _Builder(position)
    for number, (rotation, count) in enumerate(zip(rotations, counts, strict=True)):
        if number:
            builder.delay()
        builder.rotate(rotation, count)
    return builder.factors(sign, detail_delay)


def _ends_on_even(rotations: Sequence[_Rotation], position: int) -> bool:
    """Whether the approximation is on even samples at the end.

    Each quarter turn, and an odd position, exchange the channels.
    """
    return (position + sum(r.quarters for r in rotations)) % 2 == 0


def _variants(
    rotations: Sequence[_Rotation], position: int, shears: Shears
) -> Iterator[tuple[list[_Rotation], list[Shears]]]:
    """Yield rotations that end on even samples, with the number of shears of each.

    If the approximation would end on odd samples, one rotation takes one more
    quarter turn and the complementary angle.
    """
    counts: list[Shears] = [shears] * len(rotations)
    if _ends_on_even(rotations, position):
        yield list(rotations), counts
        return
    turned = [rotation.with_quarter_turn() for rotation in rotations]
    by_size = sorted(range(len(rotations)), key=lambda k: -abs(rotations[k].angle))
    gentle = [k for k in by_size[:_ROTATIONS_TRIED] if abs(turned[k].angle) < _STEEP]
    for k in gentle or by_size[:1]:
        variant = [*rotations[:k], turned[k], *rotations[k + 1 :]]
        # Two shears cannot make a right angle, and close to it their taps diverge.
        yield variant, [*counts[:k], shears if gentle else 3, *counts[k + 1 :]]
