"""Which kernels serve an array: decided once per public call.

A family of compiled kernels joins by being listed in :data:`_FAMILIES`; whatever
no family accepts is served by the reference kernels, on the array's own device.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast

from liftwave._kernels import Kernels, reference
from liftwave._typing import Array
from liftwave.errors import KernelsError

_FAMILIES: dict[str, Kernels] = {"reference": cast(Kernels, reference)}
_forced: ContextVar[str | None] = ContextVar("liftwave_kernels", default=None)


def kernels_for(x: Array) -> Kernels:
    """The kernels that serve ``x``."""
    return _FAMILIES[_forced.get() or "reference"]


@contextmanager
def kernels(name: str) -> Iterator[None]:
    """Use one family of kernels within a ``with`` block, in this thread or task.

    Parameters
    ----------
    name : {"reference"}
        The family: ``"reference"`` is the array-API code that runs everywhere.

    Raises
    ------
    KernelsError
        If there is no such family (a :class:`ValueError`).

    Examples
    --------
    >>> import liftwave as lw
    >>> with lw.kernels("reference"):
    ...     cA, cD = lw.dwt([1.0, 2.0, 3.0, 4.0], "haar")
    """
    if name not in _FAMILIES:
        raise KernelsError(
            f"unknown kernels {name!r}; available: {', '.join(map(repr, _FAMILIES))}"
        )
    token = _forced.set(name)
    try:
        yield
    finally:
        _forced.reset(token)
