"""Names for the types that cross module borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import pywt

    from liftwave.wavelets.filter_bank import FilterBank
    from liftwave.wavelets.lifting.scheme import LiftingScheme

Array: TypeAlias = Any
"""An n-dimensional array of any array-API library (NumPy, CuPy, torch, …)."""

ArrayLike: TypeAlias = Any
"""An array, or what ``numpy.asarray`` makes one of."""

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

WaveletLike: TypeAlias = "str | pywt.Wavelet | FilterBank | LiftingScheme"
"""Whatever names or holds a discrete wavelet."""

Wavelets: TypeAlias = "WaveletLike | Sequence[WaveletLike]"
"""One wavelet for all axes, or one per axis."""

Modes: TypeAlias = "ModeLike | Sequence[ModeLike]"
"""One mode for all axes, or one per axis."""
