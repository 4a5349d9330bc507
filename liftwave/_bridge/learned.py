"""Transforms whose taps are tensors, as an operator of torch.

What is kept for the gradients is the input of a filter bank, or the output of lifting, which is
undone on the way back; and the taps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from liftwave._bridge import linear
from liftwave._bridge.memory import computed
from liftwave._bridge.pullback import Pull, vjp
from liftwave._bridge.tensors import (
    HALVES,
    batched,
    check_lengths_are_fixed,
    check_operators_serve,
    is_bare,
    is_dual,
    is_legacy_batched,
    is_traced_in_operations,
    is_traced_in_operators,
    one_by_one,
    through_legacy_batch,
)
from liftwave._operations.learned_taps import run, run_in_operations
from liftwave._operations.transform import Program, read
from liftwave.errors import ArgumentTypeError


def transform(program: Program, inputs: Sequence[Tensor], taps: Sequence[Tensor]) -> list[Tensor]:
    """Run a program on tensors of any kind, differentiably in them and in the taps."""
    _check_devices(inputs, taps)
    if is_traced_in_operators():
        from liftwave._bridge import differentiated  # it loads torch's compiler

        if not differentiated.is_differentiated():
            return list(_operator(inputs, taps, program.text))
        if torch.compiler.is_dynamo_compiling():
            made: list[Tensor] = differentiated.learned_step(program.text, [*inputs], [*taps])
            return made
    if is_traced_in_operations():
        check_lengths_are_fixed(inputs[0], program.axes)
        return run_in_operations(program, inputs, taps)
    if is_dual():
        return run_in_operations(program, inputs, taps)
    tensors = [*inputs, *taps]
    if any(map(is_legacy_batched, tensors)):
        count = len(inputs)
        each = torch.vmap(lambda *t: transform(program, t[:count], t[count:]))
        return through_legacy_batch(lambda bare: each(*bare), tensors)
    return list(_Learned.apply(program, len(inputs), *tensors))  # type: ignore[no-untyped-call]


def _check_devices(inputs: Sequence[Tensor], taps: Sequence[Tensor]) -> None:
    found = {x.device for x in (*inputs, *taps)}
    if len(found) > 1:
        raise ArgumentTypeError(
            f"taps have to be on the device of the data, got tensors on {sorted(map(str, found))}: "
            "move them (tensor.to, module.to) before the transform"
        )


class _Learned(torch.autograd.Function):
    """A program of a transform as a function of its tensors and taps."""

    @staticmethod
    def forward(program: Program, count: int, *tensors: Tensor) -> tuple[Tensor, ...]:
        inputs, taps = tensors[:count], tensors[count:]
        if all(map(is_bare, tensors)):
            return tuple(computed(partial(run, program, taps), inputs))
        return tuple(_operator(inputs, taps, program.text))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        program, count, *tensors = inputs
        data, taps = tensors[:count], tensors[count:]
        pull = _pull_of(program, data, any(ctx.needs_input_grad[2 + count :]))
        ctx.pull, ctx.count = pull, count
        kept = {"nothing": (), "inputs": data, "outputs": output}[pull.keeps]
        ctx.save_for_backward(*taps, *kept)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Any, ...]:
        count = len(ctx.needs_input_grad) - 2 - ctx.count
        saved = ctx.saved_tensors
        found = _pull_back(ctx.pull, cotangents, saved[count:], saved[:count], ctx.count)
        return None, None, *found

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[Any, ...], program: Program, count: int, *tensors: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        inputs, taps = tensors[:count], tensors[count:]
        dims = in_dims[2:]
        if all(dim is None for dim in dims[count:]):
            outputs = transform(program, batched(inputs, dims[:count], info.batch_size), taps)
            return tuple(outputs), (0,) * len(outputs)
        return one_by_one(
            lambda t: transform(program, t[:count], t[count:]), tensors, dims, info.batch_size
        )


def _pull_of(program: Program, data: Sequence[Tensor], taps_need: bool) -> Pull:
    shapes = [x.shape for x in data]
    keeps = "nothing"
    if taps_need:
        exact = data[0].dtype not in HALVES  # what comes out is rounded
        keeps = "outputs" if exact and program.is_reversible(shapes) else "inputs"
    sizes = tuple(n for shape in shapes for n in program.lengths(shape))
    return Pull(program, sizes, (), keeps)


def _pull_back(
    pull: Pull,
    cotangents: Sequence[Tensor | None],
    kept: Sequence[Tensor],
    taps: Sequence[Tensor],
    count: int,
) -> list[Tensor | None]:
    """Cotangents of ``count`` inputs and of the taps; None where they are zero."""
    given = [g for g in cotangents if g is not None]
    if not given:
        return [None] * (count + len(taps))
    pull = pull._replace(given=tuple(g is not None for g in cotangents))
    found: list[Tensor | None] = list(vjp(pull, given, kept, taps))
    return found + [None] * (count + len(taps) - len(found))


# --- the operator --------------------------------------------------------------------------------


@torch.library.custom_op(
    "liftwave::learned",
    mutates_args=(),
    schema="(Tensor[] inputs, Tensor[] taps, str program) -> Tensor[]",
)
def _operator(inputs: Sequence[Tensor], taps: Sequence[Tensor], program: str) -> list[Tensor]:
    return computed(partial(run, read(program), taps), inputs)


@_operator.register_fake
def _fake(inputs: Sequence[Tensor], taps: Sequence[Tensor], program: str) -> list[Tensor]:
    check_operators_serve()
    shapes = linear.output_shapes(read(program), inputs, ())
    return [inputs[0].new_empty(shape) for shape in shapes]


def _setup(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    data, taps, program = inputs
    ctx.pull = _pull_of(read(program), data, any(t.requires_grad for t in taps))
    ctx.counts = len(data), len(taps)
    kept = {"nothing": [], "inputs": data, "outputs": output}[ctx.pull.keeps]
    ctx.save_for_backward(*taps, *kept)
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, cotangents: Sequence[Tensor | None]) -> tuple[Any, Any, None]:
    count, n_taps = ctx.counts
    saved = ctx.saved_tensors
    found = _pull_back(ctx.pull, cotangents, saved[n_taps:], saved[:n_taps], count)
    return found[:count], found[count:], None


_operator.register_autograd(_backward, setup_context=_setup)


@_operator.register_vmap
def _vmap(
    info: Any,
    in_dims: tuple[Any, ...],
    inputs: Sequence[Tensor],
    taps: Sequence[Tensor],
    program: str,
) -> tuple[list[Tensor], list[int]]:
    count = len(inputs)
    found, dims = one_by_one(
        lambda t: _operator(t[:count], t[count:], program),
        [*inputs, *taps],
        [*in_dims[0], *in_dims[1]],
        info.batch_size,
    )
    return list(found), list(dims)
