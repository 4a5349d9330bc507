"""The pullback of transforms with taps: cotangents of data and taps, as an operator of torch.

``liftwave::learned_vjp`` computes them by the kernels, from the input of a filter bank or the
output of lifting. Its own derivative, which second derivatives need, is that of the reference
kernels in torch's operations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from liftwave._bridge.linear import Sizes
from liftwave._bridge.memory import computed
from liftwave._bridge.tensors import (
    HALVES,
    is_bare,
    is_legacy_batched,
    one_by_one,
    through_legacy_batch,
)
from liftwave._kernels import axis_by_axis
from liftwave._kernels.contract import Kernels
from liftwave._operations.learned_taps import plans_of, run_in_operations, synthesis_plan_of
from liftwave._operations.transform import Program, read
from liftwave._operations.transform_vjp import (
    FilterGradient,
    StepGradient,
    analysis_adjoint,
    analysis_vjp,
    synthesis_adjoint,
    synthesis_vjp,
)
from liftwave._plan.axes import AxisPlans
from liftwave._plan.levels import plan_analysis
from liftwave._typing import Array

_vjp: Any = torch.func.vjp


class Pull(NamedTuple):
    """What a pullback has to know besides tensors.

    Attributes
    ----------
    program : Program
        The transform.
    sizes : tuple of int
        Lengths of each input along the axes.
    given : tuple of bool
        For each output, whether it has a cotangent.
    keeps : {"nothing", "inputs", "outputs"}
        What was kept of the way forward; with nothing, only data are differentiated.
    """

    program: Program
    sizes: tuple[int, ...]
    given: tuple[bool, ...]
    keeps: str

    def shapes(self, like: Tensor) -> list[tuple[int, ...]]:
        """The shapes of the inputs, of which ``like`` has all other lengths."""
        return self.program.shapes_of(like.shape, self.sizes)

    def spread(self, cotangents: Sequence[Tensor]) -> list[Tensor | None]:
        """The cotangents at their outputs' places."""
        remaining = iter(cotangents)
        return [next(remaining) if given else None for given in self.given]


def computed_vjp(
    pull: Pull, cotangents: Sequence[Tensor], kept: Sequence[Tensor], taps: Sequence[Tensor]
) -> list[Tensor]:
    """Cotangents of the inputs, and of the taps if anything was kept."""
    served: list[int] = []  # the numbers of the taps that have a cotangent

    def run(arrays: list[Array], kernels: Kernels) -> list[Array]:
        given, known = arrays[: len(cotangents)], arrays[len(cotangents) :]
        plans = plans_of(pull.program, given[0].ndim, taps, kernels)
        way = _synthesis_vjp if pull.program.synthesis else _analysis_vjp
        found, axes = way(pull, given, known, plans, kernels)
        sums = _summed(pull.program, axes)
        served.extend(sums)
        return [*found, *sums.values()]

    dtype = cotangents[0].dtype
    tensors = [*cotangents, *kept]
    if kept and dtype in HALVES:  # gradients in taps are long sums
        tensors = [x.float() for x in tensors]
    results = computed(run, tensors)
    count = len(results) - len(served)
    of_taps = dict(zip(served, results[count:], strict=True))
    return [x.to(dtype) for x in results[:count]] + [
        of_taps[k].to(tap.dtype) if k in of_taps else torch.zeros_like(tap)
        for k, tap in enumerate(taps if kept else ())
    ]


_Pulled: TypeAlias = tuple[list[Array], Sequence[StepGradient]]


def _analysis_vjp(
    pull: Pull,
    cotangents: Sequence[Array],
    kept: Sequence[Array],
    plans: AxisPlans,
    kernels: Kernels,
) -> _Pulled:
    program = pull.program
    plan = plan_analysis(pull.shapes(cotangents[0])[0], plans, program.level)
    approx, details = program.parted(pull.spread(cotangents))
    given = approx, [{k: g for k, g in level.items() if g is not None} for level in details]
    if not kept:
        return [analysis_adjoint(*given, plan, kernels)], ()
    outputs = program.parted(kept) if pull.keeps == "outputs" else None
    x = None if outputs else kept[0]
    back = analysis_vjp(x, outputs, given, plan, kernels)
    return [back.data], back.axes


def _synthesis_vjp(
    pull: Pull,
    cotangents: Sequence[Array],
    kept: Sequence[Array],
    plans: AxisPlans,
    kernels: Kernels,
) -> _Pulled:
    program, (cotangent,) = pull.program, cotangents
    plan = synthesis_plan_of(program, pull.shapes(cotangent), plans)
    if not kept:
        return program.joined(*synthesis_adjoint(cotangent, plan, kernels)), ()
    result = kept[0] if pull.keeps == "outputs" else None
    inputs = program.parted(kept) if result is None else None
    back = synthesis_vjp(inputs, result, cotangent, plan, kernels)
    return program.joined(back.approx, back.details), back.axes


def _summed(program: Program, axes: Sequence[StepGradient]) -> dict[int, Array]:
    """The cotangents of tensors by their numbers: sums over all the places where they serve."""
    sums: dict[int, Array] = {}
    for (_, wavelet, _), gradient in zip(program.plans, axes, strict=bool(axes)):
        for number, value in _places(wavelet, gradient, program.synthesis):
            sums[number] = sums[number] + value if number in sums else value
    return sums


def _places(wavelet: Any, gradient: StepGradient, synthesis: bool) -> Iterator[tuple[int, Array]]:
    """The tensors that a transform uses, by their numbers, and their cotangents."""
    if isinstance(wavelet, str):
        return
    if isinstance(gradient, FilterGradient):
        used = wavelet["taps"][2:] if synthesis else wavelet["taps"][:2]
        values = [gradient.low, gradient.high]
    else:
        used = [*(step[1] for step in wavelet["steps"]), *wavelet["scale"]]
        values = [*gradient.taps, gradient.scale[0], gradient.scale[1]]
    for written, value in zip(used, values, strict=True):
        if isinstance(written, dict):
            yield written["tensor"], value


# --- in torch's operations, to be differentiated again -------------------------------------------


def _vjp_in_operations(
    pull: Pull, cotangents: Sequence[Tensor], kept: Sequence[Tensor], taps: Sequence[Tensor]
) -> list[Tensor]:
    """:func:`computed_vjp` by torch's own derivatives."""
    shapes = pull.shapes(cotangents[0])
    if pull.keeps == "outputs":
        inputs = _undone(pull.program, kept, taps, shapes)
    elif kept:
        inputs = list(kept)
    else:  # the values do not matter
        inputs = [cotangents[0].new_zeros(shape) for shape in shapes]
    count = len(inputs)
    outputs, back = _vjp(
        lambda *t: run_in_operations(pull.program, t[:count], t[count:]), *inputs, *taps
    )
    spread = pull.spread(cotangents)
    filled = [torch.zeros_like(y) if g is None else g for y, g in zip(outputs, spread, strict=True)]
    return list(back(filled)[: count + (len(taps) if kept else 0)])


def _undone(
    program: Program,
    outputs: Sequence[Tensor],
    taps: Sequence[Tensor],
    shapes: Sequence[tuple[int, ...]],
) -> list[Tensor]:
    """The inputs of lifting from its outputs."""
    inverse = program.inverse()
    found = run_in_operations(inverse, outputs, taps)
    if program.synthesis:
        return program.joined(*program.picked(*inverse.parted(found)))
    return [axis_by_axis.trimmed(found[0], shapes[0])]


# --- functions -----------------------------------------------------------------------------------


def vjp(
    pull: Pull, cotangents: Sequence[Tensor], kept: Sequence[Tensor], taps: Sequence[Tensor]
) -> list[Tensor]:
    """:func:`computed_vjp` on tensors of any kind, differentiably."""
    if torch.compiler.is_dynamo_compiling():
        return list(_vjp_operator(cotangents, kept, taps, *_arguments(pull)))
    counts = len(cotangents), len(kept)
    tensors = [*cotangents, *kept, *taps]
    if any(map(is_legacy_batched, tensors)):
        return through_legacy_batch(lambda t: _vmapped(pull, counts, t), tensors)
    return list(_LearnedVjp.apply(pull, counts, *tensors))  # type: ignore[no-untyped-call]


def _vmapped(pull: Pull, counts: tuple[int, int], tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    return torch.vmap(lambda *t: vjp(pull, *_parted(t, counts)))(*tensors)


_Triple: TypeAlias = tuple[Sequence[Tensor], Sequence[Tensor], Sequence[Tensor]]


def _parted(tensors: Sequence[Tensor], counts: tuple[int, int]) -> _Triple:
    """Cotangents, what was kept, taps."""
    first, second = counts[0], sum(counts)
    return tensors[:first], tensors[first:second], tensors[second:]


class _LearnedVjp(torch.autograd.Function):
    """The pullback as a function of cotangents, what was kept, and taps."""

    @staticmethod
    def forward(pull: Pull, counts: tuple[int, int], *tensors: Tensor) -> tuple[Tensor, ...]:
        parts = _parted(tensors, counts)
        if all(map(is_bare, tensors)):
            return tuple(computed_vjp(pull, *parts))
        return tuple(_vjp_operator(*parts, *_arguments(pull)))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.pull, ctx.counts, *tensors = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Any, ...]:
        _, back = _vjp(
            lambda *t: _vjp_in_operations(ctx.pull, *_parted(t, ctx.counts)), *ctx.saved_tensors
        )
        return None, None, *back(list(cotangents))

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[Any, ...], pull: Pull, counts: tuple[int, int], *tensors: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        # Gradients in taps are sums over data, of each sample in a batch its own.
        return one_by_one(
            lambda t: vjp(pull, *_parted(t, counts)), tensors, in_dims[2:], info.batch_size
        )


# --- the operator --------------------------------------------------------------------------------


@torch.library.custom_op(
    "liftwave::learned_vjp",
    mutates_args=(),
    schema="(Tensor[] cotangents, Tensor[] kept, Tensor[] taps, str program, SymInt[] sizes, "
    "int[] given, str keeps) -> Tensor[]",
)
def _vjp_operator(
    cotangents: Sequence[Tensor],
    kept: Sequence[Tensor],
    taps: Sequence[Tensor],
    program: str,
    sizes: Sizes,
    given: Sequence[int],
    keeps: str,
) -> list[Tensor]:
    pull = Pull(read(program), tuple(sizes), tuple(map(bool, given)), keeps)
    return computed_vjp(pull, cotangents, kept, taps)


@_vjp_operator.register_fake
def _fake_vjp(
    cotangents: Sequence[Tensor],
    kept: Sequence[Tensor],
    taps: Sequence[Tensor],
    program: str,
    sizes: Sizes,
    given: Sequence[int],
    keeps: str,
) -> list[Tensor]:
    first = cotangents[0]
    found = [first.new_empty(shape) for shape in read(program).shapes_of(first.shape, sizes)]
    return found + ([t.new_empty(t.shape) for t in taps] if kept else [])


def _arguments(pull: Pull) -> tuple[str, tuple[int, ...], list[int], str]:
    return pull.program.text, pull.sizes, list(map(int, pull.given)), pull.keeps
