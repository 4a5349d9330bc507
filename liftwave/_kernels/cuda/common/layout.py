"""Arguments of the CUDA kernels: arrays and boundaries as C structures.

The structures are those of ``common/arrays.cuh`` and ``common/boundary.cuh``, field by field.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

from liftwave._kernels.cuda.common.memory import Memory
from liftwave._plan.boundary import Extension, channel_extension, signal_extension
from liftwave._typing import Mode

MAX_BATCH_AXES = 6
MAX_GRID = 2**31 - 1

_int = ctypes.c_int
_index = ctypes.c_longlong
Fields: TypeAlias = "list[tuple[str, Any]]"


class Batch(ctypes.Structure):
    """``Batch`` of ``common/arrays.cuh``."""

    _fields_ = [
        ("size", _index * MAX_BATCH_AXES),
        ("count", _index),
        ("ndim", _int),
        ("padding", _int),
    ]


class Strided(ctypes.Structure):
    """``Array`` of ``common/arrays.cuh``."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("batch_stride", _index * MAX_BATCH_AXES),
        ("stride", _index * 3),
    ]


class Boundary(ctypes.Structure):
    """``Extension`` of ``common/boundary.cuh``."""

    _fields_ = [("n", _index), ("signal", _index), ("mode", _int), ("parity", _int)]


class Fold(ctypes.Structure):
    """``Fold`` of ``common/boundary.cuh``."""

    _fields_ = [
        ("extension", Boundary),
        ("left_start", _index),
        ("left_stop", _index),
        ("right_start", _index),
        ("right_stop", _index),
        ("before", _int),
        ("after", _int),
    ]


# --- arrays --------------------------------------------------------------------------------------


Merged: TypeAlias = "tuple[int, list[int]]"
"""The size of an axis, and its stride in each array."""


def batched(memories: Sequence[Memory], axes: Sequence[int]) -> tuple[Batch, list[Strided]] | None:
    """The axes other than ``axes``, which the arrays share, and the arrays along both.

    Axes that are contiguous in all arrays are merged; the last of them changes fastest. None if
    the kernels do not support the remaining number of axes.
    """
    along = [[memory.strides[axis] for memory in memories] for axis in axes]
    return placed(memories, merged(memories, axes), along)


def merged(memories: Sequence[Memory], axes: Sequence[int]) -> list[Merged]:
    """The axes other than ``axes``; those that are contiguous in all arrays are merged."""
    shape = memories[0].shape
    groups: list[Merged] = []  # innermost first
    for d in reversed(range(len(shape))):
        if d in axes or shape[d] == 1:
            continue
        strides = [m.strides[d] for m in memories]
        if groups:
            size, inner = groups[-1]
            if all(s == size * i for s, i in zip(strides, inner, strict=True)):
                groups[-1] = size * shape[d], inner
                continue
        groups.append((shape[d], strides))
    return groups[::-1]


def placed(
    memories: Sequence[Memory], batch: Sequence[Merged], along: Sequence[Sequence[int]]
) -> tuple[Batch, list[Strided]] | None:
    """A batch of these axes, and the arrays with their strides along the batch and kernel axes.

    None if the batch has more axes than the kernels support.
    """
    if len(batch) > MAX_BATCH_AXES:
        return None
    sizes = [size for size, _ in batch]
    arrays = [
        Strided(
            memory.address,
            (_index * MAX_BATCH_AXES)(*(strides[k] for _, strides in batch)),
            (_index * 3)(*(strides[k] for strides in along)),
        )
        for k, memory in enumerate(memories)
    ]
    return Batch((_index * MAX_BATCH_AXES)(*sizes), prod(sizes), len(batch), 0), arrays


def grid(blocks: int) -> int:
    """The number of blocks to launch for ``blocks`` blocks of work; kernels loop over the rest."""
    return min(blocks, MAX_GRID)


# --- boundaries ----------------------------------------------------------------------------------

_MODES: tuple[Mode, ...] = (
    "zero",
    "constant",
    "symmetric",
    "antisymmetric",
    "reflect",
    "periodic",
    "periodization",
    "smooth",
    "antireflect",
)
"""The modes in the order of ``Mode`` in ``common/boundary.cuh``."""

LONG_ROWS = tuple(_MODES.index(mode) for mode in ("smooth", "antireflect"))
"""The modes whose rows may have more than one sample."""

_CHANNEL_REFLECT = len(_MODES)


@lru_cache(maxsize=4096)
def boundary(extension: Extension) -> Boundary | None:
    """The mode of an extension; None if the kernels do not support it."""
    n, sides = extension.n, (len(extension.left), len(extension.right))
    if extension.vanishes:
        return Boundary(n, n, _MODES.index("zero"), 0)
    for number, mode in enumerate(_MODES):
        if extension == signal_extension(n, mode, *sides):
            return Boundary(n, n, number, 0)
    for parity, signal in ((0, 2 * n), (0, 2 * n - 1), (1, 2 * n), (1, 2 * n + 1)):
        if extension == channel_extension(signal, parity, "reflect", *sides):
            return Boundary(n, signal, _CHANNEL_REFLECT, parity)
    return None


@lru_cache(maxsize=4096)
def fold(extension: Extension) -> Fold | None:
    """The fold by an extension's rows; None if the kernels do not support its mode."""
    extend = boundary(extension)
    if extend is None:
        return None
    ranges = []
    for rows in (extension.left, extension.right):
        indices = [index for row in rows for index, _ in row]
        ranges += [min(indices), max(indices) + 1] if indices else [0, 0]
    return Fold(extend, *ranges, len(extension.left), len(extension.right))
