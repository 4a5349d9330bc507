"""Plans of undecimated lifting: steps on the whole grid, in every boundary mode of lifting."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

from liftwave._plan.undecimated import Undecimated
from liftwave._typing import Mode
from liftwave.wavelets.lifting.scheme import LiftingScheme


class WholeStep(NamedTuple):
    r"""Geometry of a step on the whole grid, :math:`t_k \mathrel{\pm}= \sum_j c_j s_{k + p_j}`.

    Attributes
    ----------
    target : {0, 1}
        The channel that changes: 0 the approximation, 1 the detail.
    places : tuple of int
        The offset of the sample that each tap multiplies. Those of high levels exceed 64 bits.
    subtract : bool
        Whether the increment is subtracted (the inverse of a step).
    is_transposed : bool
        Whether the moves by the places are transposed: sample k is then added to sample
        :math:`k + p_j` of the extended signal.
    """

    target: int
    places: tuple[int, ...]
    subtract: bool = False
    is_transposed: bool = False

    def adjoint(self, mode: Mode) -> WholeStep:
        """The transposed step: channels swap roles; the caller reverses the taps."""
        places = self.places[::-1]
        if mode in ("periodization", "zero"):  # the transpose of a move is the opposite move
            opposite = tuple(-place for place in places)
            return self._replace(target=1 - self.target, places=opposite)
        transposed = not self.is_transposed
        return self._replace(target=1 - self.target, places=places, is_transposed=transposed)


@dataclass(frozen=True, repr=False)
class WholeLiftPlan:
    """Geometry of undecimated lifting along one axis.

    An analysis begins with the signal times ``weight`` as both channels. A synthesis ends with the
    sum of both channels times ``weight``.

    Attributes
    ----------
    n : int
        Length of the signal and of both bands.
    mode : str
        The boundary mode, which extends each source.
    steps : tuple of WholeStep
        The steps in the order of execution.
    weight : float
        1 for an analysis, 1/2 for a synthesis, and the same for their transposes.
    factor : float
        The common factor in the scales of both bands.
    native : dict
        The native plan of each family of kernels.
    """

    n: int
    mode: Mode
    steps: tuple[WholeStep, ...]
    weight: float = 1.0
    factor: float = 1.0
    native: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    is_bijective: ClassVar[bool] = False

    @property
    def band_lengths(self) -> tuple[int, int]:
        """The lengths of approximation and detail."""
        return self.n, self.n

    def inverse(self) -> WholeLiftPlan:
        """The plan of the synthesis that inverts this analysis (with reciprocal scales)."""
        steps = tuple(s._replace(subtract=not s.subtract) for s in reversed(self.steps))
        return replace(self, steps=steps, weight=0.5)

    def shortened(self, n: int) -> WholeLiftPlan:
        """The plan itself: bands and signal have the same length."""
        assert n == self.n
        return self

    def adjoint(self) -> WholeLiftPlan:
        """The transposed plan (same scales, taps reversed within each step)."""
        return replace(self, steps=tuple(s.adjoint(self.mode) for s in reversed(self.steps)))


def whole_lift_plan(
    scheme: LiftingScheme, n: int, options: Undecimated, depth: int
) -> WholeLiftPlan:
    """The plan of an analysis of ``n`` samples on the level ``depth`` (0 is the finest)."""
    dilation = 2 ** (options.start_level + depth)
    steps = []
    for step in scheme.steps:
        side = 1 if step.target_parity == 0 else -1
        places = (dilation * (2 * (step.offset + i) + side) for i in range(step.length))
        steps.append(WholeStep(step.target_parity, tuple(places)))
    return WholeLiftPlan(n, options.boundary, tuple(steps), factor=options.factors[0])


def whole_scales(scheme: LiftingScheme, factor: float) -> tuple[Any, Any]:
    """The scales of both bands of an analysis, with a factor. Integer schemes have none."""
    if scheme.integer:
        return 1.0, 1.0
    if factor == 1:
        return scheme.scale
    return scheme.scale[0] * factor, scheme.scale[1] * factor


def nearest_place(place: int, n: int, mode: Mode) -> int:
    """The smallest offset of the same samples, at most the length of the signal."""
    if mode in ("zero", "constant"):
        return max(-n, min(n, place))
    period = {"symmetric": 2 * n, "reflect": max(2 * n - 2, 1)}.get(mode, n)
    nearest = place % period
    return nearest - period if nearest > period // 2 else nearest
