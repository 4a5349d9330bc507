"""Taps and the cache of plans, for filter banks and lifting schemes.

Taps are tuples of floats, or 1-D arrays that may require gradients.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace

from liftwave._numbers import as_numbers
from liftwave.errors import ArgumentTypeError, WaveletError

Taps: TypeAlias = "tuple[float, ...] | Any"
"""A tuple of floats, or a 1-D array of another library (torch, CuPy, …)."""


class FixedPoint(NamedTuple):
    """The taps of an integer step, ``numerators / 2**bits``."""

    numerators: tuple[int, ...]
    bits: int


def is_concrete(taps: Taps) -> bool:
    """Whether the taps are plain numbers. Does not read from a device."""
    return isinstance(taps, tuple)


def reversed_taps(taps: Taps) -> Taps:
    """Return the taps in reverse order (not all libraries support slices with a negative step)."""
    return taps[::-1] if isinstance(taps, tuple) else array_namespace(taps).flip(taps)


def scaled_taps(taps: Taps, factor: float) -> Taps:
    """Return the taps times a factor."""
    if factor == 1.0:
        return taps
    return tuple(tap * factor for tap in taps) if isinstance(taps, tuple) else taps * factor


def tap_count(taps: Taps) -> int:
    """Return the number of taps."""
    return len(taps) if isinstance(taps, tuple) else int(taps.shape[0])


def as_taps(values: Any, label: str) -> Taps:
    """Convert to a tuple of floats; arrays of other libraries stay as they are.

    They are not converted, so that learned taps receive gradients. ``label``
    names the taps in errors.
    """
    if hasattr(values, "__dlpack__") and not isinstance(values, np.ndarray):
        if values.ndim != 1 or values.shape[0] == 0:
            raise WaveletError(
                f"{label} must be a non-empty 1-D array, got shape {tuple(values.shape)}"
            )
        if getattr(values, "is_sparse", False):
            raise ArgumentTypeError(f"{label} must be a dense array, got a sparse one")
        return values
    array = as_numbers(values)
    if array.ndim != 1 or array.size == 0:
        raise WaveletError(f"{label} must be a non-empty 1-D sequence, got shape {array.shape}")
    if array.dtype.kind not in "biuf":
        raise ArgumentTypeError(f"{label} must be real numbers, got dtype {array.dtype}")
    if not np.all(np.isfinite(array)):
        raise WaveletError(f"{label} must be finite, got {array.tolist()}")
    return tuple(float(v) for v in array)


def same_taps(a: Taps, b: Taps) -> bool:
    """Compare plain numbers by value, and arrays of other libraries by identity."""
    if is_concrete(a) and is_concrete(b):
        return bool(a == b)
    return a is b


def taps_key(taps: Taps) -> Any:
    """Return a value to hash that is consistent with :func:`same_taps`."""
    return taps if is_concrete(taps) else id(taps)


class _Plans:
    """A dict for each wavelet of plain numbers, created at the first read.

    The dict replaces this descriptor in the wavelet, so later reads are plain
    lookups. A wavelet whose taps are arrays gets a new dict each time: its
    plans are not cached, because training changes the taps.
    """

    def __get__(self, wavelet: Any, owner: type) -> dict[Any, Any]:
        plans: dict[Any, Any] = {}
        if wavelet.is_concrete:
            vars(wavelet)["_plans"] = plans
        return plans


class PlanOwner:
    """Base class of wavelets, which are frozen dataclasses: caches plans in the wavelet.

    Plans live as long as their wavelet. The cache belongs to one object: equal
    wavelets do not share it, and copies and unpickled wavelets start without it.
    """

    _plans = _Plans()

    def __getstate__(self) -> dict[str, Any]:
        dataclass: Any = self
        return {field.name: getattr(self, field.name) for field in fields(dataclass)}
