"""Orders of the nodes of a level: natural order, and the order of frequencies.

A high-pass filter followed by downsampling mirrors the frequencies of a band. Therefore the node
on place ``f`` of the frequency order is the node ``f ^ (f >> 1)`` of the natural order (Gray code).
"""

from __future__ import annotations


def natural_index(place: int) -> int:
    """The natural index of the node on a place of the frequency order."""
    return place ^ (place >> 1)


def frequency_place(index: int) -> int:
    """The place in frequency order of the node with a natural index."""
    place = 0
    while index:
        place ^= index
        index >>= 1
    return place


def path_of(index: int, level: int, letters: str) -> str:
    """The path of a node of one axis from its natural index."""
    return "".join(letters[index >> k & 1] for k in reversed(range(level)))


def frequency_paths(level: int, letters: str) -> list[str]:
    """The paths of the nodes of a level, with increasing frequency."""
    return [path_of(natural_index(place), level, letters) for place in range(1 << level)]
