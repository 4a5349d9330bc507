"""What the constraints share: taps as users pass them, mirror images, demands that clash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from array_api_compat import array_namespace, device

from liftwave._arrays.convert import Opened, open_arrays
from liftwave._typing import Array, ArrayLike
from liftwave.errors import ArgumentTypeError, ConstraintError, ShapeError


def open_filters(**filters: ArrayLike) -> list[Opened]:
    """Filters of one shape (..., K) in the dtype of computation; the keywords name them in errors.

    Raises
    ------
    ShapeError
        If there are no taps, or the shapes differ.
    ArgumentTypeError
        If the taps are complex, or the arrays of different libraries.
    """
    opened = open_arrays(list(filters.values()))
    for name, taps in zip(filters, opened, strict=True):
        check_real(taps, name)
        if taps.array.ndim == 0 or taps.array.shape[-1] == 0:
            raise ShapeError(
                f"{name} must hold taps along its last axis, got shape {tuple(taps.array.shape)}"
            )
    shapes = {name: tuple(o.array.shape) for name, o in zip(filters, opened, strict=True)}
    if len(set(shapes.values())) > 1:
        raise ShapeError(f"the filters of a bank must have one shape, got {shapes}")
    return opened


def check_real(opened: Opened, name: str) -> None:
    """Raise if an array is complex."""
    if opened.xp.isdtype(opened.array.dtype, "complex floating"):
        raise ArgumentTypeError(f"{name} must be real, got dtype {opened.array.dtype}")


def mirror(low: Array) -> Array:
    """The quadrature mirror ``(-1)**i * low[..., K-1-i]``."""
    xp: Any = array_namespace(low)
    return xp.flip(low, axis=-1) * signs(low)


def mirror_transposed(high: Array) -> Array:
    """The transpose of :func:`mirror`."""
    xp: Any = array_namespace(high)
    return xp.flip(high * signs(high), axis=-1)


def signs(taps: Array) -> Array:
    """1, -1, 1, … for each of the taps."""
    xp: Any = array_namespace(taps)
    values = [(-1.0) ** i for i in range(taps.shape[-1])]
    return xp.asarray(values, dtype=taps.dtype, device=device(taps))


def require_possible(length: int, demands: Sequence[str]) -> None:
    """Raise if filters of ``length`` taps are to be both orthonormal and symmetric.

    Raises
    ------
    ConstraintError
        Unless there are two taps, or one of the two is not among the demands.
    """
    if length > 2 and {"orthonormal", "symmetric"} <= set(demands):
        raise ConstraintError(
            f"no filters of {length} taps are both orthonormal and symmetric: Haar's two taps are "
            "the only ones that are (Daubechies, Ten Lectures on Wavelets, theorem 8.1.4). Ask for "
            "one of the two, or take symmetric_lifting, which is symmetric and reconstructs"
        )
