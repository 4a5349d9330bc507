"""Pooling of arrays with the channels last, on copies with the channels first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from array_api_compat import array_namespace

from liftwave._kernels.contract import PoolingArguments
from liftwave._plan.windows import WindowPlan
from liftwave._typing import Array

T = TypeVar("T")


def channels_first(
    function: Callable[..., T],
    arrays: tuple[Array, ...],
    arguments: PoolingArguments,
    beta: Array | None,
) -> T:
    """The results of a method of pooling kernels for copies, with the channels last again.

    Parameters
    ----------
    function : callable
        The method.
    arrays : tuple of array
        The data, of shape (N, ..., C).
    arguments : PoolingArguments
        Arguments with ``channels_last``.
    beta : array or None
        Of shape (1, ..., 1) or (1, ..., C).
    """
    xp = array_namespace(*arrays)
    planes = [xp.moveaxis(x, -1, 1) for x in arrays]
    batch, channels = planes[0].shape[:2]
    results: Any = function(
        *(xp.reshape(x, (batch * channels, *x.shape[2:])) for x in planes),
        arguments._replace(plan=_without_channels(arguments.plan), channels_last=False),
        None if beta is None else xp.moveaxis(beta[0, ...], -1, 0),
    )

    def last(y: Array) -> Array:
        return xp.moveaxis(xp.reshape(y, (batch, channels, *y.shape[1:])), 1, -1)

    if not isinstance(results, tuple):
        return cast(T, last(results))
    *data, of_beta = results
    of_beta = None if of_beta is None else xp.moveaxis(of_beta, 0, -1)[None, ...]
    return cast(T, (*map(last, data), of_beta))


def _without_channels(plan: WindowPlan) -> WindowPlan:
    return WindowPlan(*(row[:-1] for row in plan))
