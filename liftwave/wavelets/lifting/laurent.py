"""Laurent polynomials in one variable: the algebra of filters and lifting steps.

The variable ``z`` advances a sequence by one sample: ``z**m`` times a
sequence ``v`` is the sequence ``v[k + m]``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(eq=False, repr=False)
class Laurent:
    """The polynomial ``sum_j coefficients[j] * z**(low + j)``, immutable by convention.

    Parameters
    ----------
    low : int
        Exponent of the first coefficient.
    coefficients : ndarray of float64, shape (len,)
        Empty for the zero polynomial.
    """

    low: int
    coefficients: NDArray[np.float64]

    @classmethod
    def of(cls, low: int, coefficients: Iterable[float]) -> Laurent:
        """Build a polynomial from any iterable of numbers."""
        return cls(low, np.array(list(coefficients), dtype=np.float64))

    @property
    def high(self) -> int:
        """Exponent of the last coefficient."""
        return self.low + len(self) - 1

    @property
    def energy(self) -> float:
        """Sum of squared coefficients."""
        return float(self.coefficients @ self.coefficients)

    @property
    def largest(self) -> float:
        """Largest absolute coefficient, 0 for the zero polynomial."""
        return float(np.abs(self.coefficients).max(initial=0.0))

    def __len__(self) -> int:
        return int(self.coefficients.size)

    def __add__(self, other: Laurent) -> Laurent:
        if not len(self) or not len(other):
            return self if len(self) else other
        low, high = min(self.low, other.low), max(self.high, other.high)
        return Laurent(low, self.window(low, high) + other.window(low, high))

    def __neg__(self) -> Laurent:
        return Laurent(self.low, -self.coefficients)

    def __sub__(self, other: Laurent) -> Laurent:
        return self + -other

    def __mul__(self, other: Laurent | float) -> Laurent:
        if not isinstance(other, Laurent):
            return Laurent(self.low, self.coefficients * other)
        if not len(self) or not len(other):
            return ZERO
        return Laurent(self.low + other.low, np.convolve(self.coefficients, other.coefficients))

    def shifted(self, by: int) -> Laurent:
        """Return the product with ``z**by``."""
        return Laurent(self.low + by, self.coefficients)

    def mirrored(self) -> Laurent:
        """Return the polynomial with ``1/z`` in place of ``z``."""
        return Laurent(-self.high, self.coefficients[::-1])

    def trimmed(self, tolerance: float = 0.0) -> Laurent:
        """Cut off the coefficients at both ends whose size is at most ``tolerance``."""
        (large,) = np.nonzero(np.abs(self.coefficients) > tolerance)
        if not large.size:
            return ZERO
        first, last = int(large[0]), int(large[-1])
        return Laurent(self.low + first, self.coefficients[first : last + 1])

    def window(self, low: int, high: int) -> NDArray[np.float64]:
        """Return the coefficients of ``z**low .. z**high``, with zeros for missing ones."""
        result = np.zeros(high - low + 1)
        first, last = max(low, self.low), min(high, self.high)
        if first <= last:
            result[first - low : last - low + 1] = self.coefficients[
                first - self.low : last - self.low + 1
            ]
        return result


ZERO = Laurent(0, np.zeros(0))
ONE = Laurent(0, np.ones(1))
