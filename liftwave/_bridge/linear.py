"""Linear transforms as an operator of torch, and its derivatives: the transposed program.

``liftwave::linear`` runs a program. It is what compiled and exported graphs hold. Eager code
comes through :func:`transform`, a ``torch.autograd.Function`` around it: that also knows
forward mode and the transforms of ``torch.func``, which operators do not, and hands tensors in
plain memory straight to the kernels. Derivatives of any order are programs again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor

from liftwave._bridge.memory import computed
from liftwave._bridge.tensors import (
    IN_OPERATIONS,
    batched,
    check_lengths_are_fixed,
    check_operators_serve,
    is_bare,
    is_legacy_batched,
    is_traced_in_operations,
    is_traced_in_operators,
    through_legacy_batch,
)
from liftwave._kernels.contract import Kernels
from liftwave._operations.learned_taps import with_taps_in_tensors
from liftwave._operations.transform import Program, read
from liftwave._operations.transform_vjp import analysis_adjoint, synthesis_adjoint
from liftwave._plan.levels import plan_analysis, plan_synthesis
from liftwave._typing import Array

Sizes: TypeAlias = Sequence[int]
"""Lengths along the axes: of the signal for a transposed analysis, of each band for a
transposed synthesis; otherwise none."""


def transform(program: Program, inputs: Sequence[Tensor], sizes: Sizes = ()) -> list[Tensor]:
    """Run a program on tensors of any kind, differentiably."""
    if is_traced_in_operators():
        from liftwave._bridge import differentiated  # it loads torch's compiler

        if not differentiated.is_differentiated():
            return list(_operator(inputs, program.text, sizes))
        if torch.compiler.is_dynamo_compiling():
            made: list[Tensor] = differentiated.linear_step(program.text, [*inputs], [*sizes])
            return made
    if is_traced_in_operations():
        return _run_in_operations(program, inputs, sizes)
    if any(map(is_legacy_batched, inputs)):
        return through_legacy_batch(lambda tensors: transform(program, tensors, sizes), inputs)
    return list(_Linear.apply(program, tuple(sizes), *inputs))  # type: ignore[no-untyped-call]


def _run_in_operations(program: Program, inputs: Sequence[Tensor], sizes: Sizes) -> list[Tensor]:
    check_lengths_are_fixed(inputs[0], program.axes)
    # The exporter to ONNX rounds numbers to single precision, but no tensors.
    if inputs[0].dtype == torch.float64 and torch.onnx.is_in_onnx_export():
        program = with_taps_in_tensors(program, inputs[0])
    return run(program, sizes, inputs, IN_OPERATIONS)


def run(program: Program, sizes: Sizes, inputs: Sequence[Array], kernels: Kernels) -> list[Array]:
    """Run a program by these kernels."""
    if program.synthesis:
        return _run_synthesis(program, sizes, inputs, kernels)
    x = inputs[0]
    shape = program.with_lengths(x.shape, sizes) if program.transposed else tuple(x.shape)
    plan = plan_analysis(shape, program.at(x.ndim), program.level)
    if program.transposed:
        approx, details = program.parted(inputs)
        return [analysis_adjoint(approx, details, plan, kernels)]
    return program.select(kernels.analyse(x, plan))


def _run_synthesis(
    program: Program, sizes: Sizes, inputs: Sequence[Array], kernels: Kernels
) -> list[Array]:
    shapes = [tuple(x.shape) for x in inputs]
    if program.transposed:
        shapes = program.shapes_of(inputs[0].shape, sizes)
    plans = program.at(inputs[0].ndim)
    plan = plan_synthesis(tuple(shapes), program.keys, program.approx, plans, program.fit)
    if program.transposed:
        return program.joined(*synthesis_adjoint(inputs[0], plan, kernels))
    return [kernels.synthesise(inputs, plan)]


# --- derivatives ---------------------------------------------------------------------------------


def pull_back(
    program: Program,
    shapes: Sequence[Sequence[int]],
    sizes: Sizes,
    cotangents: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """Cotangents of the inputs (of these shapes) from those of the outputs; None is zero."""
    given = [g for g in cotangents if g is not None]
    if not given:
        return [None] * len(shapes)
    transpose = program.transpose()
    if program.synthesis and not program.transposed:
        back = transform(transpose, given, [n for s in shapes for n in program.lengths(s)])
    elif program.synthesis:  # the signal's length follows from all the bands together
        zeros = map(given[0].new_zeros, program.shapes_of(shapes[0], sizes))
        filled = [z if g is None else g for z, g in zip(zeros, cotangents, strict=True)]
        back = transform(transpose, filled)
    elif program.transposed:
        back = transform(transpose, given)
    else:
        used = transpose.only([g is not None for g in cotangents])
        back = transform(used, given, program.lengths(shapes[0]))
    return list(back)


class _Linear(torch.autograd.Function):
    """A program of a transform as a function of its tensors."""

    @staticmethod
    def forward(program: Program, sizes: Sizes, *inputs: Tensor) -> tuple[Tensor, ...]:
        if all(map(is_bare, inputs)):
            return tuple(computed(partial(run, program, sizes), inputs))
        return tuple(_operator(inputs, program.text, sizes))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.program, ctx.sizes = inputs[:2]
        ctx.shapes = [x.shape for x in inputs[2:]]
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Any, ...]:
        return None, None, *pull_back(ctx.program, ctx.shapes, ctx.sizes, cotangents)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[Tensor, ...]:
        given = tangents[2:]
        like = next(t for t in given if t is not None)
        filled = [
            like.new_zeros(shape) if t is None else t
            for t, shape in zip(given, ctx.shapes, strict=True)
        ]
        return tuple(transform(ctx.program, filled, ctx.sizes))

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[Any, ...], program: Program, sizes: Sizes, *inputs: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        outputs = transform(program, batched(inputs, in_dims[2:], info.batch_size), sizes)
        return tuple(outputs), (0,) * len(outputs)


# --- the operator --------------------------------------------------------------------------------


@torch.library.custom_op(
    "liftwave::linear",
    mutates_args=(),
    schema="(Tensor[] inputs, str program, SymInt[] sizes) -> Tensor[]",
)
def _operator(inputs: Sequence[Tensor], program: str, sizes: Sizes) -> list[Tensor]:
    return computed(partial(run, read(program), sizes), inputs)


@_operator.register_fake
def _fake(inputs: Sequence[Tensor], program: str, sizes: Sizes) -> list[Tensor]:
    check_operators_serve()
    return [inputs[0].new_empty(shape) for shape in output_shapes(read(program), inputs, sizes)]


def output_shapes(
    program: Program, inputs: Sequence[Tensor], sizes: Sizes
) -> list[tuple[int, ...]]:
    """The shapes of a program's results."""
    shape = inputs[0].shape
    if program.transposed:
        if program.synthesis:
            return program.shapes_of(shape, sizes)
        return [program.with_lengths(shape, sizes)]
    if program.synthesis:
        return [program.signal_shape([x.shape for x in inputs])]
    return program.band_shapes(shape)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    tensors, ctx.program, ctx.sizes = inputs
    ctx.shapes = [x.shape for x in tensors]
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, cotangents: Sequence[Tensor | None]) -> tuple[Any, None, Any]:
    found = pull_back(read(ctx.program), ctx.shapes, ctx.sizes, cotangents)
    # Numbers have no gradient; but an empty list passes for one of tensors, which has.
    return found, None, None if ctx.sizes else []


_operator.register_autograd(_backward, setup_context=_setup)


@_operator.register_vmap
def _vmap(
    info: Any, in_dims: tuple[Any, ...], inputs: Sequence[Tensor], program: str, sizes: Sizes
) -> tuple[list[Tensor], list[int]]:
    outputs = _operator(batched(inputs, in_dims[0], info.batch_size), program, sizes)
    return outputs, [0] * len(outputs)
