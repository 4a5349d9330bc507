"""Caches by the shapes of arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

_MAX_SHAPES = 64


def cached_by_shapes(function: Callable[..., T]) -> Callable[..., T]:
    """Wrap a function of shapes with a bounded cache for shapes of plain integers.

    Traced lengths are symbols or tensors. Results for these are not cached.
    """
    cached = lru_cache(maxsize=_MAX_SHAPES)(function)

    def lookup(*shapes: tuple[int, ...]) -> T:
        for shape in shapes:
            if not _INTEGERS.issuperset(map(type, shape)):
                return function(*shapes)
        return cached(*shapes)

    return lookup


_INTEGERS = frozenset((int,))
