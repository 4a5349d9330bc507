"""Arrays of dask, whose chunks are computed later.

This module does not import dask. :mod:`liftwave.dask` registers functions that work on chunks.
Without it, such arrays raise an error, because other code would compute them completely.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from types import FunctionType
from typing import Any, TypeVar, cast

from liftwave._typing import Array
from liftwave.errors import ArgumentTypeError, ShapeError

_F = TypeVar("_F", bound=Callable[..., Any])

ON_CHUNKS: dict[str, Callable[..., Any]] = {}
"""The functions for arrays of dask, by the name of the function that they replace."""


def is_lazy(x: object) -> bool:
    """Whether ``x`` is an array of dask."""
    dask = sys.modules.get("dask.array")
    return dask is not None and isinstance(x, dask.Array)


def check_lazy(x: Array) -> None:
    """Raise unless functions for arrays of dask are registered, and all lengths are known.

    Raises
    ------
    ArgumentTypeError
        If :mod:`liftwave.dask` is not imported.
    ShapeError
        If a chunk has an unknown length.
    """
    if not is_lazy(x):
        return
    if not ON_CHUNKS:
        raise ArgumentTypeError(
            "got an array of dask: `import liftwave.dask` first, so that transforms work on its "
            "chunks, or pass x.compute()"
        )
    if any(n != n for n in x.shape):  # NaN
        raise ShapeError(
            f"got an array of dask of shape {tuple(x.shape)}, whose chunks have unknown lengths: "
            "call x.compute_chunk_sizes() first"
        )


def refuse_lazy(arrays: Sequence[Array]) -> None:
    """Raise if one of the arrays is an array of dask.

    Raises
    ------
    ArgumentTypeError
        If one is.
    """
    if any(map(is_lazy, arrays)):
        raise ArgumentTypeError(
            "this function does not support arrays of dask: pass x.compute(), or apply the "
            "function to chunks along batch axes by x.map_blocks"
        )


def on_chunks(name: str) -> Callable[[_F], _F]:
    """Decorate a function so that arrays of dask use the function registered by this name.

    The array is the first argument.
    """

    def decorated(function: _F) -> _F:
        parameter = cast(FunctionType, function).__code__.co_varnames[0]

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if ON_CHUNKS and is_lazy(x := args[0] if args else kwargs.get(parameter)):
                check_lazy(x)
                return ON_CHUNKS[name](*args, **kwargs)
            return function(*args, **kwargs)

        return cast(_F, call)

    return decorated
