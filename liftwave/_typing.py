"""Names of types that all layers share: arrays and boundary modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

Array: TypeAlias = Any
"""An n-dimensional array of any array-API library (NumPy, CuPy, torch, …)."""

ArrayLike: TypeAlias = Any
"""An array, or an object that ``numpy.asarray`` converts to one."""

Namespace: TypeAlias = Any
"""The array-API namespace of an array."""

Mode: TypeAlias = Literal[
    "zero",
    "constant",
    "symmetric",
    "reflect",
    "periodic",
    "smooth",
    "antisymmetric",
    "antireflect",
    "periodization",
]
"""The name of a boundary mode."""

ModeLike: TypeAlias = "Mode | str | int"
"""A mode's name, or PyWavelets' number for it."""

Modes: TypeAlias = "ModeLike | Sequence[ModeLike]"
"""One mode for all axes, or one per axis."""
