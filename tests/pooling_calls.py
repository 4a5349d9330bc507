"""Calls the kernels of pooling with separate windows, weights and options."""

from __future__ import annotations

from typing import Any

from liftwave._kernels.pooling_contract import PoolingArguments


class Windowed:
    """The pooling kernels of a family."""

    def __init__(self, family: Any) -> None:
        self.family = family

    def pool(
        self, x: Any, plan: Any, weights: Any, beta: Any = None, *options: Any, **named: Any
    ) -> Any:
        return self.family.pooling.pool(x, PoolingArguments(plan, weights, *options, **named), beta)

    def pool_vjp(
        self, x: Any, g: Any, plan: Any, weights: Any, beta: Any = None, *options: Any, **named: Any
    ) -> Any:
        arguments = PoolingArguments(plan, weights, *options, **named)
        return self.family.pooling.pool_vjp(x, g, arguments, beta)

    def unpool(
        self, x: Any, y: Any, plan: Any, weights: Any, beta: Any = None, *options: Any, **named: Any
    ) -> Any:
        arguments = PoolingArguments(plan, weights, *options, **named)
        return self.family.pooling.unpool(x, y, arguments, beta)

    def unpool_vjp(
        self,
        x: Any,
        y: Any,
        g: Any,
        plan: Any,
        weights: Any,
        beta: Any = None,
        *options: Any,
        **named: Any,
    ) -> Any:
        arguments = PoolingArguments(plan, weights, *options, **named)
        return self.family.pooling.unpool_vjp(x, y, g, arguments, beta)

    def max_pool(self, x: Any, plan: Any) -> Any:
        return self.family.pooling.max_pool(x, plan)

    def max_pool_vjp(self, g: Any, indices: Any, plan: Any) -> Any:
        return self.family.pooling.max_pool_vjp(g, indices, plan)
