"""Pullbacks of pooling and unpooling: what :func:`liftwave.vjp` gives back for these."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, TypeAlias

from liftwave._arrays.convert import Opened
from liftwave._dispatch import kernels_for
from liftwave._operations.unpool import scattered, scattered_back
from liftwave._pullbacks import checked_cotangent
from liftwave._typing import Array
from liftwave.pooling import (
    ada_pool,
    ada_unpool,
    bed_of_nails_unpool,
    conv_transpose,
    edscw_pool,
    idw_pool,
    max_pool,
    max_unpool,
    nearest_unpool,
    similarity_pool,
    soft_pool,
)
from liftwave.pooling._gradient import PoolingGradient, PoolingPullback
from liftwave.pooling._placed import (
    max_of,
    opened_for_convolution,
    opened_for_max,
    opened_for_spread,
    opened_for_unpool,
)
from liftwave.pooling.calls import CALLS, ready

Bound: TypeAlias = dict[str, Any]


def _arguments(bound: Bound) -> tuple[Any, ...]:
    """The windows, as :func:`windows` takes them."""
    names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "ndim")
    return tuple(bound[name] for name in names)


# --- by weights ------------------------------------------------------------------------------


def _weighted(
    kind: str, data: dict[str, Any], bound: Bound, *options: Any
) -> tuple[Any, PoolingPullback]:
    """A call on data by the names of the arguments."""
    call, inputs, given, first = ready(CALLS[kind](_arguments(bound), *options), [*data.values()])
    kernels = kernels_for(*inputs).pooling
    result = call.run(inputs, kernels)

    def pullback(cotangent: Any) -> PoolingGradient:
        g = checked_cotangent(cotangent, tuple(result.shape), first, "the result")
        found = dict(zip(data, call.vjp(inputs, g, kernels), strict=True))
        if "beta" in found:
            beta, zero = given[-1], first.xp.zeros_like(found["beta"])
            found["beta"] = first.xp.where((beta >= 0) & (beta <= 1), found["beta"], zero)
        closed = {name: first.close(value) for name, value in found.items()}
        return PoolingGradient(closed.pop("x"), closed)

    return first.close(result), pullback


def _soft(**bound: Any) -> tuple[Any, PoolingPullback]:
    return _weighted("softmax", {"x": bound["x"]}, bound)


def _edscw(**bound: Any) -> tuple[Any, PoolingPullback]:
    return _similarity(similarity="dice", exponential=True, **bound)


def _similarity(**bound: Any) -> tuple[Any, PoolingPullback]:
    options = (bound[name] for name in ("similarity", "exponential", "per_channel"))
    return _weighted("similarity", {"x": bound["x"]}, bound, *options)


def _idw(**bound: Any) -> tuple[Any, PoolingPullback]:
    options = (bound[name] for name in ("distance", "delta", "per_channel"))
    return _weighted("distance", {"x": bound["x"]}, bound, *options)


def _ada(**bound: Any) -> tuple[Any, PoolingPullback]:
    data = {name: bound[name] for name in ("x", "beta")}
    return _weighted("ada", data, bound, bound["per_channel"])


def _ada_reverse(**bound: Any) -> tuple[Any, PoolingPullback]:
    data = {name: bound[name] for name in ("x", "pooled", "beta")}
    options = (bound[name] for name in ("up", "preserve", "per_channel"))
    return _weighted("ada reverse", data, bound, *options)


# --- by place --------------------------------------------------------------------------------


def _max(**bound: Any) -> tuple[Any, PoolingPullback]:
    opened, plan = opened_for_max(bound["x"], _arguments(bound))
    shape, xp = tuple(opened.array.shape), opened.xp
    values, indices = max_of(opened.array, plan)
    planes = (prod(shape[: len(shape) - plan.ndim]), *plan.outputs)

    def pullback(cotangent: Any) -> PoolingGradient:
        if bound["return_indices"] and isinstance(cotangent, tuple | list):
            cotangent = cotangent[0]
        g = checked_cotangent(cotangent, tuple(values.shape), opened, "the result")
        g, at = xp.reshape(g, planes), xp.reshape(indices, planes)
        found = kernels_for(g).pooling.max_pool_vjp(g, at, plan)
        return PoolingGradient(opened.close(xp.reshape(found, shape)))

    closed = opened.close(values)
    return ((closed, indices) if bound["return_indices"] else closed), pullback


def _max_reverse(**bound: Any) -> tuple[Any, PoolingPullback]:
    names = ("kernel_size", "stride", "padding", "output_size", "ndim")
    arguments = tuple(bound[name] for name in names)
    opened, indices, size = opened_for_unpool(bound["x"], bound["indices"], arguments)
    return _linear(
        opened,
        scattered(opened.array, indices, size),
        lambda g: scattered_back(g, indices, size),
    )


def _nearest(**bound: Any) -> tuple[Any, PoolingPullback]:
    return _spread(bound, True)


def _nails(**bound: Any) -> tuple[Any, PoolingPullback]:
    return _spread(bound, False)


def _spread(bound: Bound, copies: bool) -> tuple[Any, PoolingPullback]:
    arguments = tuple(bound[name] for name in ("kernel_size", "stride", "output_size", "ndim"))
    opened, how = opened_for_spread(bound["x"], arguments, copies)
    counts = tuple(opened.array.shape)[opened.array.ndim - len(how.size) :]
    return _linear(opened, how.run(opened.array), lambda g: how.back(g, counts))


def _linear(
    opened: Opened, result: Array, back: Callable[[Array], Array]
) -> tuple[Any, PoolingPullback]:
    def pullback(cotangent: Any) -> PoolingGradient:
        g = checked_cotangent(cotangent, tuple(result.shape), opened, "the result")
        return PoolingGradient(opened.close(back(g)))

    return opened.close(result), pullback


def _convolution(**bound: Any) -> tuple[Any, PoolingPullback]:
    names = ("stride", "padding", "output_padding", "dilation")
    arguments = tuple(bound[name] for name in names)
    opened, how = opened_for_convolution(bound["x"], bound["weight"], arguments)
    first, (data, taps) = opened[0], (o.array for o in opened)
    xp, lead = first.xp, tuple(data.shape[: data.ndim - how.plan.ndim - 1])
    planes = xp.reshape(data, (prod(lead), *data.shape[len(lead) :]))
    result = how.run(planes, taps)
    shape = (*lead, *result.shape[1:])

    def pullback(cotangent: Any) -> PoolingGradient:
        g = checked_cotangent(cotangent, shape, first, "the result")
        of_x, of_weight = how.back(planes, taps, xp.reshape(g, tuple(result.shape)))
        closed = first.close(xp.reshape(of_x, tuple(data.shape)))
        return PoolingGradient(closed, {"weight": first.close(of_weight)})

    return first.close(xp.reshape(result, shape)), pullback


POOLINGS: dict[Any, Callable[..., tuple[Any, PoolingPullback]]] = {
    soft_pool: _soft,
    edscw_pool: _edscw,
    similarity_pool: _similarity,
    idw_pool: _idw,
    ada_pool: _ada,
    ada_unpool: _ada_reverse,
    max_pool: _max,
    max_unpool: _max_reverse,
    nearest_unpool: _nearest,
    bed_of_nails_unpool: _nails,
    conv_transpose: _convolution,
}
"""Each function's result and pullback, from its arguments by name."""
