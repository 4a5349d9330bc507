"""One lifting step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from array_api_compat import array_namespace

from liftwave.errors import WaveletError
from liftwave.wavelets.lifting._checks import as_integer, library
from liftwave.wavelets.lifting.laurent import Laurent
from liftwave.wavelets.taps import Taps, as_taps, is_concrete, same_taps, taps_key

StepKind: TypeAlias = Literal["predict", "update"]

_CHANNELS = ("even", "odd")


@dataclass(frozen=True, eq=False, repr=False)
class LiftingStep:
    r"""One lifting step: samples of one parity change by a filter of the others.

    .. math:: \mathtt{target}_k \mathrel{+}= \sum_j \mathtt{taps}_j\,
              \mathtt{source}_{k + \mathtt{offset} + j}

    (Daubechies & Sweldens, 1998, section 4). Whatever the taps are, the step
    is undone by subtracting the same sum.

    Parameters
    ----------
    kind : {"predict", "update"}
        ``"predict"`` changes odd samples by a filter of the even ones,
        ``"update"`` even samples by a filter of the odd ones.
    taps : sequence of float, or 1-D array, shape (r,)
        Arrays of torch, CuPy or another array library are kept as they are,
        so that gradients flow into them.
    offset : int, optional
        Where the first tap reads, relative to the sample that changes.

    Raises
    ------
    ValueError
        If ``kind`` is another word (as :class:`WaveletError`), or the taps are
        empty, not one-dimensional or not finite.
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
        if self.kind not in ("predict", "update"):
            raise WaveletError(
                f"unknown kind of lifting step {self.kind!r}: use 'predict' (changes odd samples) "
                "or 'update' (changes even samples)"
            )
        object.__setattr__(self, "taps", as_taps(self.taps, "taps of a lifting step"))
        object.__setattr__(self, "offset", as_integer(self.offset, "offset"))

    @property
    def target_parity(self) -> int:
        """Which samples change: 1 (odd) for ``"predict"``, 0 (even) for ``"update"``."""
        return 1 if self.kind == "predict" else 0

    @property
    def length(self) -> int:
        """Number of taps."""
        taps: Any = self.taps
        return len(taps) if is_concrete(taps) else int(taps.shape[0])

    @property
    def is_concrete(self) -> bool:
        """Whether the taps are plain numbers rather than an array of another library."""
        return is_concrete(self.taps)

    def negated(self) -> LiftingStep:
        """The step that undoes this one."""
        return self.scaled(-1.0)

    def scaled(self, factor: Any) -> LiftingStep:
        """The step with all taps multiplied by ``factor``."""
        if is_concrete(self.taps) and isinstance(factor, float):
            return LiftingStep(self.kind, [t * factor for t in self.taps], self.offset)
        if is_concrete(self.taps):  # a factor that carries gradients makes taps that do
            xp: Any = array_namespace(factor)
            return LiftingStep(self.kind, xp.stack([t * factor for t in self.taps]), self.offset)
        return LiftingStep(self.kind, self.taps * factor, self.offset)

    def moved(self, by: int) -> LiftingStep:
        """The step that reads ``by`` samples further on."""
        return LiftingStep(self.kind, self.taps, self.offset + by)

    def adjoint(self) -> LiftingStep:
        """The transpose under periodization.

        Source and target change roles, the taps are mirrored, the sign stays.
        """
        kind: StepKind = "update" if self.kind == "predict" else "predict"
        return LiftingStep(kind, _reversed(self.taps), 1 - self.offset - self.length)

    def polynomial(self) -> Laurent:
        """The taps as a Laurent polynomial (plain numbers only)."""
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
        taps = self.taps if is_concrete(self.taps) else _foreign(self.taps)
        return f"LiftingStep({self.kind!r}, {taps}, offset={self.offset})"

    def __str__(self) -> str:
        target, source = _CHANNELS[self.target_parity], _CHANNELS[1 - self.target_parity]
        if not is_concrete(self.taps):
            reach = f"{_index(self.offset)} .. {source}{_index(self.offset + self.length - 1)}"
            return f"{target + '[k]':<7} += {_foreign(self.taps)} * {source}{reach}"
        terms = [f"{t:+.6g}*{source}{_index(self.offset + j)}" for j, t in enumerate(self.taps)]
        return f"{target + '[k]':<7} += {' '.join(terms).removeprefix('+')}"


def _reversed(taps: Taps) -> Taps:
    if is_concrete(taps):
        return taps[::-1]
    xp: Any = array_namespace(taps)
    return xp.flip(taps, axis=0)


def _foreign(taps: Any) -> str:
    return f"<{taps.shape[0]} taps, {library(taps)} array>"


def _index(shift: int) -> str:
    return f"[k{shift:+d}]" if shift else "[k]"
