"""Filter taps and lifting taps: tuples of floats, or 1-D arrays that may carry gradients."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace

from liftwave.errors import ArgumentTypeError, WaveletError

Taps: TypeAlias = "tuple[float, ...] | Any"
"""A tuple of floats, or a 1-D array of another library (torch, CuPy, …)."""


class FixedPoint(NamedTuple):
    """The taps of an integer step, ``numerators / 2**bits``."""

    numerators: tuple[int, ...]
    bits: int


def is_concrete(taps: Taps) -> bool:
    """Whether the taps are plain numbers, known without asking a device."""
    return isinstance(taps, tuple)


def reversed_taps(taps: Taps) -> Taps:
    """The taps in reverse order (libraries differ in whether slices may run backwards)."""
    return taps[::-1] if isinstance(taps, tuple) else array_namespace(taps).flip(taps)


def tap_count(taps: Taps) -> int:
    """How many taps there are."""
    return len(taps) if isinstance(taps, tuple) else int(taps.shape[0])


def as_taps(values: Any, what: str) -> Taps:
    """Normalise to a tuple of floats; arrays of other libraries stay as they are.

    Keeping foreign arrays is what lets gradients flow into learned taps.
    """
    if hasattr(values, "__dlpack__") and not isinstance(values, np.ndarray):
        if values.ndim != 1 or values.shape[0] == 0:
            raise WaveletError(
                f"{what} must be a non-empty 1-D array, got shape {tuple(values.shape)}"
            )
        return values
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise WaveletError(f"{what} must be a non-empty 1-D sequence, got shape {array.shape}")
    if array.dtype.kind not in "biuf":
        raise ArgumentTypeError(f"{what} must be real numbers, got dtype {array.dtype}")
    if not np.all(np.isfinite(array)):
        raise WaveletError(f"{what} must be finite, got {array.tolist()}")
    return tuple(float(v) for v in array)


def same_taps(a: Taps, b: Taps) -> bool:
    """Equality: by value for plain numbers, by identity for arrays of other libraries."""
    if is_concrete(a) and is_concrete(b):
        return bool(a == b)
    return a is b


def taps_key(taps: Taps) -> Any:
    """What a hash may be built from, in step with :func:`same_taps`."""
    return taps if is_concrete(taps) else id(taps)
