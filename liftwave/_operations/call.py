"""Calls: an operation, the arrays it gets, and how users see its inputs and results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from liftwave._operations.operation import Operation
from liftwave._typing import Array


class Structure(Protocol):
    """How a flat list of arrays is given to users, and read from what they give.

    ``None`` stands for an array that is missing, which counts as zero.
    """

    def pack(self, arrays: Sequence[Array | None]) -> Any:
        """The arrays as the user sees them."""
        ...

    def unpack(self, value: Any) -> Sequence[Array | None]:
        """The arrays in what :meth:`pack` returned, or in something of its structure."""
        ...


class Single:
    """One array, as it is."""

    def pack(self, arrays: Sequence[Array | None]) -> Any:
        """The array."""
        return arrays[0]

    def unpack(self, value: Any) -> Sequence[Array | None]:
        """The array, in a list."""
        return (value,)


SINGLE = Single()


class Call(NamedTuple):
    """A call of a public function, once its arguments are understood.

    Attributes
    ----------
    operation : Operation
        What is computed.
    arrays : sequence of array
        The inputs, in the dtypes that the user gave.
    result : Structure
        Of the results. It packs what the function returns and unpacks cotangents of it.
    data : Structure
        Of the inputs: it packs their gradients.
    sizes : tuple of int
        See :class:`Operation`.
    out : array or None
        Where the result goes.
    """

    operation: Operation
    arrays: Sequence[Array]
    result: Structure
    data: Structure = SINGLE
    sizes: tuple[int, ...] = ()
    out: Array | None = None
