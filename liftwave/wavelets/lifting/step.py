"""Lifting steps, and the argument checks that steps and schemes share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj

from liftwave._numbers import as_numbers, is_several, real_number, whole_number
from liftwave.errors import ArgumentTypeError, WaveletError
from liftwave.wavelets.lifting.laurent import Laurent
from liftwave.wavelets.taps import (
    Taps,
    as_taps,
    is_concrete,
    reversed_taps,
    same_taps,
    tap_count,
    taps_key,
)

StepKind: TypeAlias = Literal["predict", "update"]

MOST_OFFSET = 100_000
"""The largest distance between a target and its sources.

Each sample beyond the ends of a signal needs a boundary row, so plans of larger distances take
seconds.
"""

_CHANNELS = ("even", "odd")


@dataclass(frozen=True, eq=False, repr=False)
class LiftingStep:
    r"""One lifting step: adds filtered samples of one parity to the samples of the other.

    .. math:: \mathtt{target}_k \mathrel{+}= \sum_j \mathtt{taps}_j\,
              \mathtt{source}_{k + \mathtt{offset} + j}

    (Daubechies & Sweldens, 1998, section 4). Subtracting the same sum undoes
    the step for any taps.

    Parameters
    ----------
    kind : {"predict", "update"}
        ``"predict"`` changes the odd samples by a filter of the even ones,
        ``"update"`` the even samples by a filter of the odd ones.
    taps : sequence of float, or 1-D array, shape (r,)
        Arrays of torch, CuPy or another array library are not converted, so
        that gradients can be computed for them.
    offset : int, optional
        The source index of the first tap, relative to the index of the target
        sample. Default 0. All source indices relative to the target's must be
        from -100000 to 100000.

    Raises
    ------
    ValueError
        If ``kind`` is not one of these, or a source is too far away (as
        :class:`WaveletError`), or the taps are empty, not one-dimensional or
        not finite.
    TypeError
        If the taps are not real numbers or ``offset`` is not an integer.

    Examples
    --------
    >>> from liftwave.lifting import LiftingStep
    >>> print(LiftingStep("predict", [-0.5, -0.5]))
    odd[k]  += -0.5*even[k] -0.5*even[k+1]
    """

    kind: StepKind
    taps: Taps
    offset: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in ("predict", "update"):
            raise WaveletError(
                f"unknown kind of lifting step {self.kind!r}: use 'predict' (changes odd samples) "
                "or 'update' (changes even samples)"
            )
        object.__setattr__(self, "taps", as_taps(self.taps, "taps of a lifting step"))
        object.__setattr__(self, "offset", whole_number(self.offset, "offset must be an integer"))
        last = self.offset + self.length - 1
        if not -MOST_OFFSET <= self.offset <= last <= MOST_OFFSET:
            raise WaveletError(
                f"a lifting step reads sources {self.offset} to {last} relative to its target: "
                f"offset must keep them between {-MOST_OFFSET} and {MOST_OFFSET}"
            )

    @property
    def target_parity(self) -> int:
        """Parity of the samples that change: 1 (odd) for ``"predict"``, 0 (even) otherwise."""
        return 1 if self.kind == "predict" else 0

    @property
    def length(self) -> int:
        """Number of taps."""
        return tap_count(self.taps)

    @property
    def is_concrete(self) -> bool:
        """Whether the taps are plain numbers rather than an array of another library."""
        return is_concrete(self.taps)

    def negated(self) -> LiftingStep:
        """Return the step that undoes this one."""
        return self.scaled(-1.0)

    def scaled(self, factor: Any) -> LiftingStep:
        """Return the step with all taps multiplied by ``factor``."""
        if not is_array_api_obj(factor):
            factor = real_number(factor, "factor must be a number or a 0-d array")
        elif isinstance(factor, np.ndarray):
            factor = as_numbers(factor)
        if is_concrete(self.taps) and isinstance(factor, float):
            return LiftingStep(self.kind, [t * factor for t in self.taps], self.offset)
        if is_concrete(self.taps):  # an array as factor: gradients reach it through the taps
            xp: Any = array_namespace(factor)
            return LiftingStep(self.kind, xp.stack([t * factor for t in self.taps]), self.offset)
        return LiftingStep(self.kind, self.taps * factor, self.offset)

    def moved(self, by: int) -> LiftingStep:
        """Return the step that reads its source ``by`` samples later."""
        return LiftingStep(
            self.kind, self.taps, self.offset + whole_number(by, "by must be an integer")
        )

    def adjoint(self) -> LiftingStep:
        """Return the transpose under periodization.

        Source and target swap roles. The taps are mirrored. The sign stays the same.
        """
        kind: StepKind = "update" if self.kind == "predict" else "predict"
        return LiftingStep(kind, reversed_taps(self.taps), 1 - self.offset - self.length)

    def polynomial(self) -> Laurent:
        """Return the taps as a Laurent polynomial (plain numbers only)."""
        return Laurent.of(self.offset, self.taps)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LiftingStep):
            return NotImplemented
        return (self.kind, self.offset) == (other.kind, other.offset) and same_taps(
            self.taps, other.taps
        )

    def __hash__(self) -> int:
        return hash((self.target_parity, self.offset, taps_key(self.taps)))

    def __repr__(self) -> str:
        taps = self.taps if is_concrete(self.taps) else _array_label(self.taps)
        return f"LiftingStep({self.kind!r}, {taps}, offset={self.offset})"

    def __str__(self) -> str:
        target, source = _CHANNELS[self.target_parity], _CHANNELS[1 - self.target_parity]
        first, last = self.offset, self.offset + self.length - 1
        if not is_concrete(self.taps):
            window = f"{source}{_index(first)} .. {source}{_index(last)}"
            return f"{target + '[k]':<7} += {_array_label(self.taps)} * {window}"
        terms = [f"{t:+.6g}*{source}{_index(first + j)}" for j, t in enumerate(self.taps)]
        return f"{target + '[k]':<7} += {' '.join(terms).removeprefix('+')}"


def band_formulas(scale: tuple[Any, Any], shift: tuple[int, int]) -> Iterator[str]:
    """Yield the formulas of approximation and detail after the last step."""
    bands = zip(("approx", "detail"), _CHANNELS, scale, shift, strict=True)
    for band, channel, factor, by in bands:
        yield f"{band}[k] = {scale_text(factor, 6)}*{channel}{_index(-by)}"


def scale_text(value: Any, digits: int = 5) -> str:
    """Format a scale to some digits, or name the library of an array."""
    if is_array_scalar(value):
        return f"<{library_of(value)} array>"
    return f"{value:.{digits}g}"


def _array_label(taps: Any) -> str:
    return f"<{taps.shape[0]} taps, {library_of(taps)} array>"


def _index(shift: int) -> str:
    return f"[k{shift:+d}]" if shift else "[k]"


# --- checks of arguments -------------------------------------------------------------------------


def as_pair(values: Any, label: str) -> tuple[Any, Any]:
    """Unpack two values, or raise an error that names the role of each."""
    try:
        approx, detail = values
    except (TypeError, ValueError):
        raise WaveletError(
            f"{label} must be a pair, one for approximation and one for detail, got {values!r}"
        ) from None
    return approx, detail


def as_scale(value: Any) -> Any:
    """Convert to a finite float other than zero; 0-d arrays of other libraries stay arrays."""
    if is_array_scalar(value):
        if value.ndim:
            raise WaveletError(f"scale needs 0-d arrays, got shape {tuple(value.shape)}")
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ArgumentTypeError(f"scale must hold numbers, got {value!r}") from None
    if not np.isfinite(number) or number == 0.0:
        raise WaveletError(f"scale must be finite and not zero, got {number}")
    return number


def as_tuple_of(kind: type, values: Any, label: str) -> tuple[Any, ...]:
    """Convert any iterable of objects of one type to a tuple."""
    if isinstance(values, str):
        raise ArgumentTypeError(
            f"{label} must be {kind.__name__} objects, got {values!r}: LiftingScheme.from_name "
            "returns the scheme of a name"
        )
    if not is_several(values):
        raise ArgumentTypeError(f"{label} must be an iterable of {kind.__name__}, got {values!r}")
    items = tuple(values)
    for item in items:
        if not isinstance(item, kind):
            raise ArgumentTypeError(f"{label} must be {kind.__name__} objects, got {item!r}")
    return items


def is_array_scalar(value: Any) -> bool:
    """Whether a scale is an array of a library other than NumPy."""
    return hasattr(value, "__dlpack__") and not isinstance(value, (np.ndarray, np.generic))


def library_of(array: Any) -> str:
    """Name the library of an array, for messages."""
    return type(array).__module__.split(".")[0]
