"""Names of types that all layers share: arrays and boundary modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias


class _ArrayObject(Protocol):
    """The attributes that arrays of all libraries have."""

    @property
    def shape(self) -> Any: ...

    @property
    def dtype(self) -> Any: ...

    @property
    def ndim(self) -> int: ...


if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import TypeVar

    ArrayT = TypeVar("ArrayT", bound=_ArrayObject, default=NDArray[Any])
else:
    from typing import TypeVar

    ArrayT = TypeVar("ArrayT")
"""The arrays of one library. Lists and numbers become arrays of NumPy."""

Data: TypeAlias = "ArrayT | Sequence[Any] | complex"
"""An array, or nested lists of numbers."""

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
    "orthogonal",
]
"""The name of a boundary mode."""

OldMode: TypeAlias = Literal["zpd", "cpd", "sym", "ppd", "sp1", "per"]
"""An old name of a boundary mode. PyWavelets still accepts it, with a warning."""

ModeLike: TypeAlias = "Mode | OldMode | int"
"""A mode's name, or PyWavelets' number for it."""

Modes: TypeAlias = "ModeLike | Sequence[ModeLike]"
"""One mode for all axes, or one per axis."""

Rule: TypeAlias = Literal["soft", "hard", "garrote", "garotte", "greater", "less"]
"""The name of a rule of thresholding."""

ShrinkageRule: TypeAlias = Literal["soft", "hard", "garrote"]
"""The name of a rule of thresholding that denoises."""

CoefficientFormat: TypeAlias = Literal["wavedec", "wavedec2", "wavedecn", "swt", "swt2", "swtn"]
"""The name of the transform whose list of coefficients is built."""
