"""Pooling of arrays with the channels last, on copies with the channels first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from array_api_compat import array_namespace

from liftwave._kernels.pooling_contract import PoolingArguments
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
    results: Any = function(
        *map(_as_planes, arrays),
        arguments._replace(plan=_without_channels(arguments.plan), channels_last=False),
        None if beta is None else xp.moveaxis(beta[0, ...], -1, 0),
    )
    if not isinstance(results, tuple):
        return cast(T, _from_planes(results, arrays[0]))
    *data, of_beta = results
    of_beta = None if of_beta is None else xp.moveaxis(of_beta, 0, -1)[None, ...]
    return cast(T, (*(_from_planes(y, arrays[0]) for y in data), of_beta))


def maxima_of_channels_first(
    function: Callable[..., T], arrays: tuple[Array, ...], plan: WindowPlan
) -> T:
    """The results of a method for max pooling for copies, with the channels last again.

    Parameters
    ----------
    function : callable
        The method.
    arrays : tuple of array
        The data, of shape (N, ..., C).
    plan : WindowPlan
        A plan with the channels.
    """
    results: Any = function(*map(_as_planes, arrays), _without_channels(plan))
    if isinstance(results, tuple):
        return cast(T, tuple(_from_planes(y, arrays[0]) for y in results))
    return cast(T, _from_planes(results, arrays[0]))


def _as_planes(x: Array) -> Array:
    xp = array_namespace(x)
    first = xp.moveaxis(x, -1, 1)
    return xp.reshape(first, (first.shape[0] * first.shape[1], *first.shape[2:]))


def _from_planes(y: Array, like: Array) -> Array:
    """Planes as an array (N, ..., C), with N and C of ``like``."""
    xp = array_namespace(y)
    return xp.moveaxis(xp.reshape(y, (like.shape[0], like.shape[-1], *y.shape[1:])), 1, -1)


def _without_channels(plan: WindowPlan) -> WindowPlan:
    return WindowPlan(*(row[:-1] for row in plan))
