"""Rows of a continuous transform in the frequency domain: lengths, windows of bins, columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_FACTORS = (2, 3, 5, 7)

# Lengths of 8 to 15 times a power of two: at most a seventh longer, and fast in all libraries.
_MULTIPLES = (8, 9, 10, 12, 14, 15)


def is_fast_length(n: int) -> bool:
    """Whether Fourier transforms of this length are fast: it has no prime factor above 7."""
    for factor in _FACTORS:
        while n % factor == 0:
            n //= factor
    return n == 1


def fast_length(n: int) -> int:
    """The next length whose Fourier transforms are fast."""
    if is_fast_length(n):
        return n
    power = 1 << max(n.bit_length() - 4, 0)
    return min(length for m in (*_MULTIPLES, 16) if (length := m * power) >= n)


@dataclass(frozen=True)
class Window:
    """The bins of one row.

    Attributes
    ----------
    start : int
        The first bin, at least 1.
    response : array, shape (bins,)
        The real response at the bins. It is zero, to rounding, at all others.
    """

    start: int
    response: Any


@dataclass(frozen=True, eq=False)
class SpectralPlan:
    """Rows of a continuous transform of one length.

    Attributes
    ----------
    length : int
        The length of the extended signal.
    before, count : int
        The columns of the result: ``count`` samples, from sample ``before`` on.
    windows : sequence of Window
        The bins of each row.
    hop : int
        The distance of two columns, in samples.
    native : dict
        The compiled forms of the plan, by the name of the family.
    """

    length: int
    before: int
    count: int
    windows: Sequence[Window]
    hop: int = 1
    native: dict[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> int:
        """The number of columns of a result."""
        return -(-self.count // self.hop)
