"""The weights of the samples of each region, for pictures and analysis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from liftwave._operations.weighted_pool import WeightedPool
from liftwave._typing import Array
from liftwave.errors import OptionError
from liftwave.pooling import calls
from liftwave.pooling.adaptive import ada_pool, edscw_pool, idw_pool, similarity_pool, soft_pool

_CALLS: dict[Callable[..., Any], Callable[..., Any]] = {
    soft_pool: calls.soft_pool,
    edscw_pool: calls.edscw_pool,
    similarity_pool: calls.similarity_pool,
    idw_pool: calls.idw_pool,
    ada_pool: calls.ada_pool,
}


def region_weights(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Array:
    r"""Return the weights of a weighted pooling: one for each sample of each region.

    Parameters
    ----------
    function : callable
        :func:`soft_pool`, :func:`edscw_pool`, :func:`similarity_pool`, :func:`idw_pool` or
        :func:`ada_pool`.
    *args, **kwargs
        Its arguments.

    Returns
    -------
    array, shape (..., \*windows, \*kernel)
        The weights sum to one in each region. Places outside of the signal have the weight zero.
        With ``per_channel=False`` all channels have the same weights.

    Raises
    ------
    OptionError
        If the function is not one of these.
    WindowError, ShapeError, DTypeError, ArgumentTypeError
        As the function does.

    See Also
    --------
    ada_unpool : Returns the weights of :func:`ada_pool` at the samples, in the form of an image.

    Notes
    -----
    The reference kernels compute the weights, in array operations of the library of ``x``. The
    weights of half precision are in single precision.

    Examples
    --------
    >>> import liftwave as lw
    >>> x = [[0.0, 1.0, 5.0, 5.0], [1.0, 2.0, 5.0, 5.0]]
    >>> weights = lw.pooling.region_weights(lw.pooling.soft_pool, x, 2)
    >>> weights.shape
    (1, 2, 2, 2)
    >>> weights[0, 0].round(3).tolist()
    [[0.072, 0.197], [0.197, 0.534]]
    """
    call_of = _CALLS.get(function) if callable(function) else None
    if call_of is None:
        names = ", ".join(pooling.__name__ for pooling in _CALLS)
        raise OptionError(f"weights belong to one of the functions {names}, got {function!r}")
    call = call_of(*args, **kwargs)
    operation: WeightedPool = call.operation
    opened = operation.open(call.arrays, lambda arrays: False)
    return operation.region_weights([operand.array for operand in opened])
