"""Synchrosqueezing: the row of each instantaneous frequency, and the weights of the sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class SqueezePlan:
    """Sums of coefficients by their instantaneous frequencies, on rows of equal ratios.

    Attributes
    ----------
    highest : float
        The frequency of the first row.
    voices : float
        Rows per octave. Frequency ``f`` has the row ``round(voices * log2(highest / f))``.
    count : int
        The number of rows. Coefficients of frequencies beyond them are omitted.
    factors : ndarray of float64, shape (rows,)
        The factor of the coefficients of each row of the transform.
    """

    highest: float
    voices: float
    count: int
    factors: NDArray[np.float64]
