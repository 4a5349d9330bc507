"""Orders of the nodes of a level: natural order, and the order of frequencies.

A high-pass filter followed by downsampling mirrors the frequencies of a band. Therefore the node
on place ``f`` of the frequency order is the node ``f ^ (f >> 1)`` of the natural order (Gray code).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any, Literal, TypeAlias

from liftwave.errors import OrderError

Order: TypeAlias = Literal["freq", "natural"]
"""The name of an order."""

_ORDERS = ("natural", "freq")


def check_order(order: Any) -> Order:
    """The order itself.

    Raises
    ------
    OrderError
        If it does not exist.
    """
    if not isinstance(order, str) or order not in _ORDERS:
        raise OrderError(f"Invalid order: {order!r}; use one of {', '.join(map(repr, _ORDERS))}")
    return "freq" if order == "freq" else "natural"


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


@lru_cache(maxsize=64)
def grid_nodes(level: int, naxes: int, order: Order) -> tuple[int, ...]:
    """The natural indices of all nodes of a level, in the order of a grid of one index per axis."""
    places = range(1 << level)
    indices = [natural_index(place) if order == "freq" else place for place in places]
    return tuple(_interleaved(node, level) for node in product(indices, repeat=naxes))


def _interleaved(indices: tuple[int, ...], level: int) -> int:
    """The natural index of a node, from its index along each axis."""
    index = 0
    for k in reversed(range(level)):
        for of_axis in indices:
            index = index << 1 | of_axis >> k & 1
    return index
