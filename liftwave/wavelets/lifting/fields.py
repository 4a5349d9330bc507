"""The fields of a lifting scheme: checked, compared and printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from liftwave._numbers import flag, whole_number
from liftwave.errors import ArgumentTypeError, WaveletError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.fixed_point import fixed_point
from liftwave.wavelets.lifting.polyphase import Factors
from liftwave.wavelets.lifting.step import (
    LiftingStep,
    as_pair,
    as_scale,
    as_tuple_of,
    band_formulas,
    is_array_scalar,
    scale_text,
)
from liftwave.wavelets.taps import PlanOwner

MOST_INTEGER_SHIFT = 10_000


@dataclass(frozen=True, eq=False, repr=False)
class SchemeFields(PlanOwner):
    """The fields of a :class:`LiftingScheme`, which documents them."""

    steps: tuple[LiftingStep, ...]
    scale: tuple[Any, Any] = (1.0, 1.0)
    name: str = ""
    shift: tuple[int, int] = (0, 0)
    integer: bool = False
    origin: FilterBank | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        checked = {
            "steps": as_tuple_of(LiftingStep, self.steps, "steps"),
            "scale": tuple(map(as_scale, as_pair(self.scale, "scale"))),
            "shift": tuple(
                whole_number(s, "shift must be an integer") for s in as_pair(self.shift, "shift")
            ),
            "integer": flag(self.integer, "integer"),
        }
        if not isinstance(self.origin, FilterBank | None):
            raise ArgumentTypeError(f"origin must be a FilterBank or None, got {self.origin!r}")
        for attribute, value in checked.items():
            object.__setattr__(self, attribute, value)
        if self.integer:
            self._check_integer()

    def _check_integer(self) -> None:
        self._require_numbers("an integer transform")
        if any(abs(s) != 1.0 for s in self.scale):
            raise WaveletError(
                f"an integer scheme cannot scale its bands, but scale is {self.scale}: "
                "use (1, 1), or build the scheme without integer=True and call to_integer()"
            )
        self._check_integer_shift()
        for step in self.steps:
            fixed_point(step)

    def _check_integer_shift(self) -> None:
        """Check the shifts: the dtype of the coefficients follows from filters as long as these."""
        if any(abs(s) > MOST_INTEGER_SHIFT for s in self.shift):
            raise WaveletError(
                f"shifts of an integer scheme must be from {-MOST_INTEGER_SHIFT} to "
                f"{MOST_INTEGER_SHIFT}, got {self.shift}"
            )

    @cached_property
    def is_concrete(self) -> bool:
        """Whether taps and scales are plain numbers rather than arrays of another library."""
        steps_are = all(step.is_concrete for step in self.steps)
        return steps_are and not any(map(is_array_scalar, self.scale))

    @property
    def _factors(self) -> Factors:
        return Factors(self.steps, self.scale, self.shift)

    def _require_numbers(self, result: str) -> None:
        if not self.is_concrete:
            raise WaveletError(
                f"{self!r} holds array taps or scales: {result} is not computed, because that "
                "would copy them from their device. Build a LiftingScheme of plain numbers"
            )

    @cached_property
    def _scale_key(self) -> tuple[Any, ...]:
        return tuple(("array", id(s)) if is_array_scalar(s) else s for s in self.scale)

    @cached_property
    def _hash(self) -> int:
        return hash((self.steps, self._scale_key, self.shift, self.integer))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SchemeFields):
            return NotImplemented
        if self is other:
            return True
        own, foreign = ((s._scale_key, s.shift, s.integer, s.steps) for s in (self, other))
        return own == foreign

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        count = len(self.steps)
        parts = [repr(self.name)] if self.name else []
        parts.append(f"{count} step" if count == 1 else f"{count} steps")
        if any(is_array_scalar(s) or s != 1.0 for s in self.scale):
            parts.append("scale=({}, {})".format(*map(scale_text, self.scale)))
        if self.shift != (0, 0):
            parts.append(f"shift={self.shift}")
        if self.integer:
            parts.append("integer")
        return f"LiftingScheme({', '.join(parts)})"

    def __str__(self) -> str:
        return "\n".join([*map(str, self.steps), *band_formulas(self.scale, self.shift)])
