"""Quarter turns of the longest wavelets, chosen for signals shorter than the filter.

Any choice of quarter turns gives the same filters, and the same accuracy in
the interior. These keep rounding errors small near mirrored edges, too, where
the default choice would lose two digits on signals of a dozen samples. Found
by ``python -m benchmarks.quarter_turns``, which prints these lines.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

import pywt

from liftwave.wavelets.filter_bank import FilterBank


class Turns(NamedTuple):
    """Shears for each rotation, and which rotations take one quarter turn more."""

    shears: Literal[2, 3]
    rotations: tuple[int, ...]


# The comments: gain of rounding errors at the edges before and after, largest tap.
TURNS: dict[str, Turns] = {
    "db30": Turns(2, (7, 8, 9)),  # 26 -> 14, taps to 1.0
    "db32": Turns(2, (6, 7, 8)),  # 25 -> 16, taps to 1.3
    "db34": Turns(2, (6, 8, 9, 11)),  # 29 -> 18, taps to 2.0
    "db36": Turns(2, (10, 11)),  # 41 -> 20, taps to 0.8
    "db38": Turns(3, (3, 7, 9, 11, 12)),  # 55 -> 16, taps to 1.0
    "sym20": Turns(2, (12, 18)),  # 29 -> 8, taps to 2.3
    "coif10": Turns(2, (3, 14, 16, 17)),  # 61 -> 18, taps to 1.4
    "coif11": Turns(3, (7, 13)),  # 79 -> 11, taps to 0.9
    "coif12": Turns(3, (1, 7, 17)),  # 106 -> 12, taps to 0.9
    "coif13": Turns(3, (5, 7, 10, 16, 19)),  # 150 -> 13, taps to 1.0
    "coif14": Turns(3, (0, 2, 4, 7, 11, 17, 24, 26)),  # 283 -> 16, taps to 1.0
    "coif15": Turns(3, (3, 7, 8, 22, 24, 27)),  # 471 -> 16, taps to 0.9
    "coif16": Turns(3, (2, 3, 5, 7, 8, 27, 29)),  # 592 -> 28, taps to 1.0
    "coif17": Turns(3, (0, 2, 4, 6, 7, 26, 28, 31)),  # 1107 -> 21, taps to 1.0
}


def turns_of(bank: FilterBank) -> Turns | None:
    """The turns for a bank that is one of these wavelets."""
    for name, turns in TURNS.items():
        if _filters(name) == (bank.dec_lo, bank.dec_hi):
            return turns
    return None


@cache
def _filters(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    wavelet = pywt.Wavelet(name)
    return tuple(wavelet.dec_lo), tuple(wavelet.dec_hi)
