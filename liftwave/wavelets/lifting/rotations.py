r"""From a rotation lattice to lifting steps.

A rotation is two shears and two scales,

.. math::

    R(f) = \begin{pmatrix} c & \\ & 1/c \end{pmatrix}
    \begin{pmatrix} 1 & \\ -sc & 1 \end{pmatrix}
    \begin{pmatrix} 1 & s/c \\ & 1 \end{pmatrix}, \quad c = \cos f,\; s = \sin f,

or three shears with :math:`\tan(f/2), -\sin f, \tan(f/2)` and no scales
(Daubechies & Sweldens, *Factoring wavelet transforms into lifting steps*,
1998, section 7; Calderbank et al., 1998). Scales are carried along, delays and
quarter turns are bookkeeping, so that :math:`|f| \le \pi/4` and all taps stay
near 1; the last shear of each rotation merges with the first of the next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import cos, pi, sin, tan
from typing import Literal, NamedTuple, TypeAlias

from liftwave.wavelets.lifting.lattice import Lattice
from liftwave.wavelets.lifting.laurent import Laurent
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep

Shears: TypeAlias = Literal[2, 3]

# How many rotations are tried for the extra quarter turn. Those of the largest
# angles cost least, but which of them costs least is not known beforehand.
_TURNS_TRIED = 3

# Above this angle (taps of tan(1.3) = 3.6) a rotation takes three shears.
_STEEP = 1.3


class _Rotation(NamedTuple):
    """``quarters`` quarter turns after a rotation by ``angle``."""

    angle: float
    quarters: int

    @classmethod
    def reduced(cls, angle: float) -> _Rotation:
        quarters = round(angle / (pi / 2))
        return cls(angle - quarters * (pi / 2), quarters)

    def turned(self) -> _Rotation:
        """The same rotation with one quarter turn more, and the angle on the other side."""
        way = 1 if self.angle >= 0 else -1
        return _Rotation(self.angle - way * (pi / 2), self.quarters + way)


@dataclass
class _Channel:
    """A channel of the lattice: ``gain * samples_of_parity[k - delay]``."""

    parity: int
    delay: int
    gain: float


class _Builder:
    """Takes rotations and delays one by one and writes lifting steps."""

    def __init__(self, position: int) -> None:
        # The lattice reads x[2i + position] and x[2i + position + 1]. As even
        # and odd samples these may come in either order, and the pairs by
        # which they lie ahead are undone at the end.
        odd_first = position % 2
        self.first = _Channel(odd_first, odd_first, 1.0)
        self.second = _Channel(1 - odd_first, 0, 1.0)
        self.advance = (position + 1) // 2
        self.steps: list[tuple[int, Laurent]] = []
        # Begin with a predict step. To begin with an update gives the inverse
        # transpose of every step: the same transform with taps of the same size.
        self._last_target = 1

    def rotate(self, rotation: _Rotation, shears: Shears) -> None:
        """Rotate by two or three shears, the first of which joins the step before."""
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
        """Delay the second channel by one sample."""
        self.second.delay += 1

    def scheme(self, sign: float, detail_delay: int) -> LiftingScheme:
        """What was written, for bands that end on the first (approximation) and second channel."""
        steps = (
            LiftingStep("predict" if target else "update", p.coefficients, p.low)
            for target, p in self.steps
        )
        approx_shift = self.first.delay - self.advance
        detail_shift = self.second.delay - self.advance + detail_delay
        return LiftingScheme(
            tuple(steps),
            (self.first.gain, sign * self.second.gain),
            shift=(approx_shift, detail_shift),
        )

    def _shear(self, target: _Channel, source: _Channel, factor: float) -> None:
        tap = factor * source.gain / target.gain
        increment = Laurent.of(target.delay - source.delay, [tap])
        if self.steps and self.steps[-1][0] == target.parity:
            increment = self.steps.pop()[1] + increment
        self.steps.append((target.parity, increment))
        self._last_target = target.parity


def lattice_scheme(
    lattice: Lattice, position: int, detail_delay: int, shears: Shears
) -> LiftingScheme:
    """The lifting scheme of a lattice.

    Parameters
    ----------
    lattice : Lattice
        Its angles and sign.
    position : int
        The lattice's inputs are ``x[2i + position]`` and ``x[2i + position + 1]``.
    detail_delay : int
        Pairs of samples by which the detail is later still.
    shears : 2 or 3
        Shears for each rotation. Three make scales of exactly 1 or -1.

    Returns
    -------
    LiftingScheme
        Of all that were tried, the one of least noise gain; its approximation
        sits on even samples.
    """
    rotations = [_Rotation.reduced(angle) for angle in lattice.angles]
    candidates = [
        _built(variant, counts, position, lattice.sign, detail_delay)
        for variant, counts in _variants(rotations, position, shears)
    ]
    return min(candidates, key=lambda scheme: (scheme.noise_gain, scheme.max_tap))


def turned_scheme(
    lattice: Lattice, position: int, detail_delay: int, shears: Shears, turns: Collection[int]
) -> LiftingScheme | None:
    """The scheme in which exactly the rotations ``turns`` take one quarter turn more.

    Parameters
    ----------
    lattice, position, detail_delay, shears
        As for :func:`lattice_scheme`.
    turns : collection of int
        Numbers of rotations.

    Returns
    -------
    LiftingScheme or None
        None if its approximation would sit on odd samples, or a tap be large.
    """
    rotations = [_Rotation.reduced(angle) for angle in lattice.angles]
    variant = [r.turned() if number in turns else r for number, r in enumerate(rotations)]
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
) -> LiftingScheme:
    builder = _Builder(position)
    for number, (rotation, count) in enumerate(zip(rotations, counts, strict=True)):
        if number:
            builder.delay()
        builder.rotate(rotation, count)
    return builder.scheme(sign, detail_delay)


def _ends_on_even(rotations: Sequence[_Rotation], position: int) -> bool:
    """Channels change places with each quarter turn and with an odd position."""
    return (position + sum(r.quarters for r in rotations)) % 2 == 0


def _variants(
    rotations: Sequence[_Rotation], position: int, shears: Shears
) -> Iterator[tuple[list[_Rotation], list[Shears]]]:
    """The rotations, or those with one more quarter turn, that end on even samples.

    If the approximation would end on odd samples, one rotation goes the other
    way round: by its angle less a right angle, and one quarter turn more.
    """
    counts: list[Shears] = [shears] * len(rotations)
    if _ends_on_even(rotations, position):
        yield list(rotations), counts
        return
    by_size = sorted(range(len(rotations)), key=lambda k: -abs(rotations[k].angle))
    tried = [k for k in by_size[:_TURNS_TRIED] if abs(rotations[k].turned().angle) < _STEEP]
    for k in tried or by_size[:1]:
        variant = [*rotations[:k], rotations[k].turned(), *rotations[k + 1 :]]
        # Two shears cannot make a right angle, and near it their taps explode.
        yield variant, [*counts[:k], shears if tried else 3, *counts[k + 1 :]]
