"""Calls: an operation, its input arrays, and the users' structures of inputs and results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from liftwave._operations.operation import Operation
from liftwave._typing import Array


class Structure(Protocol):
    """Converts between a flat list of arrays and the structure that users see.

    ``None`` stands for a missing array, which counts as zero.
    """

    def pack(self, arrays: Sequence[Array | None]) -> Any:
        """Convert the arrays to the structure of the user."""
        ...

    def unpack(self, value: Any) -> Sequence[Array | None]:
        """The arrays in a result of :meth:`pack`, or in a value of the same structure."""
        ...


class Single:
    """One array, unchanged."""

    def pack(self, arrays: Sequence[Array | None]) -> Any:
        """The array."""
        return arrays[0]

    def unpack(self, value: Any) -> Sequence[Array | None]:
        """The array, in a list."""
        return (value,)


class Flat:
    """Arrays in a list."""

    def pack(self, arrays: Sequence[Array | None]) -> list[Any]:
        """The list."""
        return list(arrays)

    def unpack(self, value: Any) -> Sequence[Array | None]:
        """The arrays."""
        arrays: Sequence[Array | None] = value
        return arrays


SINGLE, FLAT = Single(), Flat()


@dataclass(slots=True, eq=False, repr=False)
class Call:
    """A call of a public function, after its arguments are converted.

    Attributes
    ----------
    operation : Operation
        The computation.
    arrays : sequence of array
        The inputs, in the user's dtypes.
    result : Structure
        The structure of the results. It packs the results and unpacks their cotangents.
    data : Structure
        The structure of the inputs. It packs their gradients.
    sizes : tuple of int
        See :class:`Operation`.
    """

    operation: Operation
    arrays: Sequence[Array]
    result: Structure
    data: Structure = SINGLE
    sizes: tuple[int, ...] = ()
