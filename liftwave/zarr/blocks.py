"""Blocks of arrays in files: their sizes, their reading and their execution."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import count, product
from math import prod
from typing import Any, TypeAlias

import numpy as np

from liftwave._blocks.tasks import joined
from liftwave._numbers import items, whole_number
from liftwave._plan.blocks import Span
from liftwave._typing import Array
from liftwave.errors import ArgumentTypeError, DTypeError, ShapeError

Place: TypeAlias = tuple[int, ...]
"""The number of a block along each axis."""

Progress: TypeAlias = Callable[[int, int], object]
"""A function that is called with the number of finished blocks, and that of all blocks."""

_MOST_SAMPLES = 2**22
"""The largest size of a block by default: 16 MB of float32. Larger blocks read fewer samples twice,
but allocate new pages of memory for each array, which takes longer.
"""

_MOST_CHUNKS = 4
"""The largest number of chunks of the source in a block along each axis, by default."""

_FEWEST_SAMPLES = 2**20
"""Smaller blocks get more chunks, because each band of a block is a file."""

_MOST_LEVELS = 10

MOST_REDUNDANCY = 2.0
"""The largest ratio of samples read to samples owned for levels that are computed together.

Reading neighbours again takes less time than storing and reading an approximation.
"""


def checked_source(source: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and the dtype of an array that slices.

    Raises
    ------
    ArgumentTypeError, DTypeError
        If it is not such an array, or not one of numbers.
    """
    if not all(hasattr(source, name) for name in ("shape", "dtype", "__getitem__")):
        raise ArgumentTypeError(
            "the source must be an array with slices (of Zarr, h5py, a memory map, …), got a "
            f"{type(source).__name__}"
        )
    try:
        dtype = np.dtype(source.dtype)
    except TypeError:
        raise DTypeError(f"the source must hold numbers, got {source.dtype}") from None
    return tuple(map(int, source.shape)), dtype


def block_shape(
    block: Any, shape: Sequence[int], chunks: Sequence[int] | None, axes: Sequence[int], level: int
) -> list[int]:
    """The size of blocks along each axis: along the transformed ones, a multiple of ``2**level``.

    After ten levels, approximations are separate blocks.

    Raises
    ------
    ShapeError
        If the sizes are not one positive number per axis.
    """
    unit = 1 << min(level, _MOST_LEVELS)
    if block is None:
        sizes = _default_block(shape, chunks)
    else:
        sizes = [whole_number(n, "block must be integers") for n in items(block, "block")]
        if len(sizes) != len(shape) or min(sizes, default=1) < 1:
            raise ShapeError(
                f"block must have one positive size for each of the {len(shape)} axes, got {block}"
            )
    return [-(-n // unit) * unit if axis in axes else n for axis, n in enumerate(sizes)]


def _default_block(shape: Sequence[int], chunks: Sequence[int] | None) -> list[int]:
    if chunks is None:
        side = int(_MOST_SAMPLES ** (1 / max(1, len(shape))))
        return [max(1, min(n, side)) for n in shape]
    sizes = list(chunks)
    for factor in count(2):
        larger = [min(n, factor * c) for n, c in zip(shape, chunks, strict=True)]
        most = _MOST_SAMPLES if factor <= _MOST_CHUNKS else _FEWEST_SAMPLES
        if larger == sizes or prod(larger) > most:
            return [max(1, n) for n in sizes]
        sizes = larger
    raise AssertionError


def bounds_of(shape: Sequence[int], block: Sequence[int]) -> list[list[int]]:
    """The bounds between blocks of a size."""
    return [list(range(size, n, size)) for n, size in zip(shape, block, strict=True)]


def read(source: Any, spans: Sequence[Sequence[Span]]) -> Array:
    """The part of an array at these spans along each axis, in their order."""
    parts = [np.asarray(source[tuple(slice(*span) for span in place)]) for place in product(*spans)]
    return joined(parts, [[span.length for span in of_axis] for of_axis in spans])


def execute_all(
    task: Callable[[Place], object],
    places: Iterable[Place],
    executor: Executor | None,
    finished: Callable[[], object],
) -> None:
    """Call a task for each place: here, or by an executor that has few calls at a time."""
    if executor is not None:
        _submit_all(task, iter(places), executor, finished)
        return
    for place in places:
        task(place)
        finished()


def _submit_all(
    task: Callable[[Place], object],
    places: Iterator[Place],
    executor: Executor,
    finished: Callable[[], object],
) -> None:
    # Finished results stay in memory until they are read, so few calls are submitted at a time.
    most = 2 * (getattr(executor, "_max_workers", None) or 8)
    running: set[Future[object]] = set()
    for place in places:
        running.add(executor.submit(task, place))
        while len(running) >= most:
            running = _some_finished(running, finished)
    while running:
        running = _some_finished(running, finished)


def _some_finished(
    running: set[Future[object]], finished: Callable[[], object]
) -> set[Future[object]]:
    complete, rest = wait(running, return_when=FIRST_COMPLETED)
    for future in complete:
        try:
            future.result()
        except BaseException:
            for other in rest:
                other.cancel()
            raise
        finished()
    return set(rest)
