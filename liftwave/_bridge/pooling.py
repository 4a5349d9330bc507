"""Pooling by weights as an operator of torch, its derivative another one.

Nothing is kept for the gradients but the inputs. A call (``_pooling.py``) comes as its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor
from torch.func import vjp as _vjp

from liftwave._bridge.memory import computed
from liftwave._bridge.tensors import (
    IN_OPERATIONS,
    batched,
    is_bare,
    is_dual,
    is_legacy_batched,
    is_traced_in_operations,
    one_by_one,
    through_legacy_batch,
)
from liftwave._operations.weighted_pool import read

_IN_OPERATIONS = IN_OPERATIONS.pooling


def transform(text: str, inputs: Sequence[Tensor]) -> Tensor:
    """The result of a call on tensors of any kind, differentiably."""
    if torch.compiler.is_compiling():
        return cast(Tensor, _operator(inputs, text))
    if is_dual() or is_traced_in_operations():
        return cast(Tensor, read(text).run(inputs, _IN_OPERATIONS))
    if any(map(is_legacy_batched, inputs)):
        return through_legacy_batch(lambda bare: [_batch(text, bare)], inputs)[0]
    return cast(Tensor, _Pool.apply(text, *inputs))  # type: ignore[no-untyped-call]


def vjp(text: str, inputs: Sequence[Tensor], cotangent: Tensor) -> list[Tensor]:
    """The cotangents of the inputs from that of the result, differentiably."""
    if torch.compiler.is_compiling():
        return list(_vjp_operator(inputs, cotangent, text))
    tensors = [*inputs, cotangent]
    if is_dual() or is_traced_in_operations():
        return _vjp_in_operations(text, tensors)
    if any(map(is_legacy_batched, tensors)):
        each = torch.vmap(lambda *t: tuple(vjp(text, t[:-1], t[-1])))
        return through_legacy_batch(lambda bare: each(*bare), tensors)
    return list(_PoolVjp.apply(text, *tensors))  # type: ignore[no-untyped-call]


def _batch(text: str, inputs: Sequence[Tensor]) -> Tensor:
    found: Tensor = torch.vmap(lambda *t: transform(text, t))(*inputs)
    return found


def _vjp_in_operations(text: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    *inputs, cotangent = tensors
    return read(text).vjp(inputs, cotangent, _IN_OPERATIONS)


def _computed(text: str, inputs: Sequence[Tensor]) -> Tensor:
    call = read(text)
    return computed(lambda arrays, kernels: [call.run(arrays, kernels.pooling)], inputs)[0]


def _computed_vjp(text: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    call = read(text)
    return computed(lambda a, kernels: call.vjp(a[:-1], a[-1], kernels.pooling), tensors)


class _Pool(torch.autograd.Function):
    """A call as a function of its tensors."""

    @staticmethod
    def forward(text: str, *inputs: Tensor) -> Tensor:
        if all(map(is_bare, inputs)):
            return _computed(text, inputs)
        return cast(Tensor, _operator(inputs, text))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.text, *tensors = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Any, ...]:
        return None, *vjp(ctx.text, ctx.saved_tensors, cotangent)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], text: str, *inputs: Tensor) -> tuple[Tensor, int]:
        dims, data = in_dims[1:], 1 + (read(text).up is not None)
        if all(dim is None for dim in dims[data:]):
            arrays = batched(inputs[:data], dims[:data], info.batch_size)
            return transform(text, [*arrays, *inputs[data:]]), 0
        (found,), _ = one_by_one(lambda t: [transform(text, t)], inputs, dims, info.batch_size)
        return found, 0


class _PoolVjp(torch.autograd.Function):
    """The derivative of a call as a function of its tensors and the cotangent."""

    @staticmethod
    def forward(text: str, *tensors: Tensor) -> tuple[Tensor, ...]:
        if all(map(is_bare, tensors)):
            return tuple(_computed_vjp(text, tensors))
        return tuple(_vjp_operator(tensors[:-1], tensors[-1], text))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.text, *tensors = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Any, ...]:
        function = partial(_vjp_in_operations, ctx.text)
        back = _vjp(lambda *tensors: function(tensors), *ctx.saved_tensors)[1]
        return None, *back(list(cotangents))

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[Any, ...], text: str, *tensors: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        # The gradient in beta is a sum over data, of each sample in a batch its own.
        return one_by_one(lambda t: vjp(text, t[:-1], t[-1]), tensors, in_dims[1:], info.batch_size)


# --- the operators -------------------------------------------------------------------------------


@torch.library.custom_op(
    "liftwave::pool", mutates_args=(), schema="(Tensor[] inputs, str call) -> Tensor"
)
def _operator(inputs: Sequence[Tensor], text: str) -> Tensor:
    return _computed(text, inputs)


@_operator.register_fake
def _fake(inputs: Sequence[Tensor], text: str) -> Tensor:
    return inputs[0].new_empty(read(text).result_shape(inputs[0].shape))


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    tensors, ctx.text = inputs
    ctx.save_for_backward(*tensors)


def _backward(ctx: Any, cotangent: Tensor) -> tuple[list[Tensor], None]:
    return vjp(ctx.text, ctx.saved_tensors, cotangent), None


_operator.register_autograd(_backward, setup_context=_setup)


@_operator.register_vmap
def _vmap(
    info: Any, in_dims: tuple[Any, ...], inputs: Sequence[Tensor], text: str
) -> tuple[Tensor, int]:
    return _Pool.vmap(info, (None, *in_dims[0]), text, *inputs)


@torch.library.custom_op(
    "liftwave::pool_vjp",
    mutates_args=(),
    schema="(Tensor[] inputs, Tensor cotangent, str call) -> Tensor[]",
)
def _vjp_operator(inputs: Sequence[Tensor], cotangent: Tensor, text: str) -> list[Tensor]:
    return _computed_vjp(text, [*inputs, cotangent])


@_vjp_operator.register_fake
def _fake_vjp(inputs: Sequence[Tensor], cotangent: Tensor, text: str) -> list[Tensor]:
    return [x.new_empty(x.shape) for x in inputs]
