"""Types of the arguments and results of layers, for type checkers and editors.

A layer whose ``output`` chooses the form of its result is generic in ``output``. A call of it
therefore has the type of this form. ``torch.nn.Module`` declares that calls return ``Any``, so
each layer declares ``__call__`` again, with the types of its ``forward``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

Learning: TypeAlias = Literal["orthonormal", "linear-phase", "lifting", "filters"]
"""The learned parameters of a transform."""

FilterLearning: TypeAlias = Literal["orthonormal", "filters"]
"""The learned parameters of LDW-Pooling."""

Output: TypeAlias = Literal["list", "concat", "stack"]
"""The form of coefficients: a list, or one tensor."""

Packed: TypeAlias = Literal["concat", "stack"]
"""The form of packets, and of coefficients that are one tensor."""

Distance: TypeAlias = Literal["l1", "l2", "huber", "chebyshev", "gower"]
"""The distance of IDW pooling."""

Similarity: TypeAlias = Literal["dice", "cosine", "pce"]
"""The similarity of similarity pooling."""

Band: TypeAlias = Literal[
    "L", "H", "LL", "LH", "HL", "HH", "LLL", "LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH"
]
"""The name of a band of one level, in one to three dimensions."""

Joined: TypeAlias = Literal["sum", "concat"] | Band
"""Forms of pooled bands that are one tensor."""

Pooled: TypeAlias = Joined | Literal["bands"]
"""All forms of pooled bands."""

# The defaults of arguments whose types are type variables. Type checkers refuse constants there,
# because a caller could choose another type and not pass the argument.
LIST: Any = "list"
SUM: Any = "sum"
FIRST_BAND: Any = None

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    LiftT_co = TypeVar("LiftT_co", bound=Pooled, default=Literal["sum"], covariant=True)
    LDWT_co = TypeVar("LDWT_co", bound=Pooled | None, default=None, covariant=True)
    OutputT_co = TypeVar("OutputT_co", bound=Output, default=Literal["list"], covariant=True)
    BandT = TypeVar("BandT", default=Any)
else:
    from typing import TypeVar

    LiftT_co = TypeVar("LiftT_co", covariant=True)
    LDWT_co = TypeVar("LDWT_co", covariant=True)
    OutputT_co = TypeVar("OutputT_co", covariant=True)
    BandT = TypeVar("BandT")
"""The ``output`` of a transform, of LiftPool and of LDW-Pooling; an item of coefficients."""
