"""Lifting pooling as an operator of torch.

What is kept for the gradients is what came out, where the signal can be rebuilt from that, and
what went in otherwise; and the filters. The functions are called as those of the kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from liftwave._bridge.memory import computed
from liftwave._bridge.tensors import (
    HALVES,
    IN_OPERATIONS,
    is_bare,
    is_dual,
    is_legacy_batched,
    is_traced_in_operations,
    one_by_one,
    through_legacy_batch,
)
from liftwave._plan.lift_pool import LiftOutput, LiftPoolPlan
from liftwave._typing import Array
from liftwave.errors import ArgumentTypeError

_vjp: Any = torch.func.vjp


class Job(NamedTuple):
    """What is computed, but for the sizes: down or up, how, and what of it is given."""

    up: bool
    kernel: int
    padding: str
    shared: bool
    bands: tuple[int, ...] = ()
    form: str = ""
    penalised: bool = False

    @property
    def text(self) -> str:
        """The job as operators take it."""
        bands = "/".join(map(str, self.bands))
        flags = f"{int(self.up)},{self.kernel},{self.padding},{int(self.shared)}"
        return f"{flags},{bands},{self.form},{int(self.penalised)}"

    def plan(self, sizes: Sequence[int]) -> LiftPoolPlan:
        """The plan for signals of these sizes."""
        return LiftPoolPlan(tuple(sizes), self.kernel, self.padding, self.shared)

    @property
    def output(self) -> LiftOutput:
        """What is given of the bands."""
        return LiftOutput(self.bands, self.form)

    def keeps_outputs(self, sizes: Sequence[int], dtype: torch.dtype) -> bool:
        """Whether outputs are kept for the way back, rather than inputs.

        Inputs that are rebuilt from halves may be on the other side of a step's bend.
        """
        if dtype in HALVES:
            return False
        if self.up:
            return all(n % 2 == 0 for n in sizes)
        return self.output.holds_all(len(sizes))

    @property
    def penalties(self) -> int:
        """How many of the results are sums."""
        return int(self.penalised)


@lru_cache(maxsize=256)
def _read(text: str) -> Job:
    up, kernel, padding, shared, bands, form, penalised = text.split(",")
    numbers = tuple(int(k) for k in bands.split("/") if k)
    return Job(up == "1", int(kernel), padding, shared == "1", numbers, form, penalised == "1")


# --- as the kernels' functions --------------------------------------------------------------------


def lift_down(
    x: Tensor, filters: Tensor, plan: LiftPoolPlan, output: LiftOutput, penalised: bool
) -> tuple[list[Tensor], Tensor | None]:
    """The bands that are asked for and the sums for penalties, differentiably."""
    job = Job(False, plan.kernel, plan.padding, plan.shared, *output, penalised)
    found = _transform(job, plan.sizes, [x, filters])
    return (found[:-1], found[-1]) if penalised else (found, None)


def lift_up(bands: Sequence[Tensor], filters: Tensor, plan: LiftPoolPlan) -> Tensor:
    """The signal with these bands, differentiably."""
    job = Job(True, plan.kernel, plan.padding, plan.shared)
    return _transform(job, plan.sizes, [*bands, filters])[0]


def _transform(job: Job, sizes: Sequence[int], tensors: Sequence[Tensor]) -> list[Tensor]:
    if torch.compiler.is_compiling():
        return list(_operator(tensors, job.text, [*sizes]))
    found = {x.device for x in tensors}
    if len(found) > 1:
        raise ArgumentTypeError(
            f"filters have to be on the device of the data, got {sorted(map(str, found))}: "
            "move them (tensor.to, module.to)"
        )
    if is_dual() or is_traced_in_operations():
        return _run(job, sizes, tensors, IN_OPERATIONS)
    if any(map(is_legacy_batched, tensors)):
        each = torch.vmap(lambda *t: tuple(_transform(job, sizes, t)))
        return through_legacy_batch(lambda bare: each(*bare), tensors)
    return list(_LiftPool.apply(job, tuple(sizes), *tensors))  # type: ignore[no-untyped-call]


def _run(job: Job, sizes: Sequence[int], tensors: Sequence[Array], kernels: Any) -> list[Array]:
    *inputs, filters = tensors
    plan = job.plan(sizes)
    if job.up:
        return [kernels.lift_pool.lift_up(inputs, filters, plan)]
    given, sums = kernels.lift_pool.lift_down(inputs[0], filters, plan, job.output, job.penalised)
    return given if sums is None else [*given, sums]


class _LiftPool(torch.autograd.Function):
    """A job as a function of its tensors, the filters last."""

    @staticmethod
    def forward(job: Job, sizes: tuple[int, ...], *tensors: Tensor) -> tuple[Tensor, ...]:
        if all(map(is_bare, tensors)):
            return tuple(computed(partial(_run, job, sizes), tensors))
        return tuple(_operator(tensors, job.text, list(sizes)))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        job, sizes, *tensors = inputs
        _keep(ctx, job, sizes, tensors, output)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Any, ...]:
        return None, None, *_pull_back(ctx, cotangents)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[Any, ...], job: Job, sizes: tuple[int, ...], *tensors: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        # Sums for penalties are over data, of each sample in a batch its own.
        return one_by_one(
            lambda t: _transform(job, sizes, t), tensors, in_dims[2:], info.batch_size
        )


def _keep(
    ctx: Any, job: Job, sizes: Sequence[int], tensors: Sequence[Tensor], output: Sequence[Tensor]
) -> None:
    ctx.job, ctx.sizes, ctx.count = job, tuple(sizes), len(tensors)
    *inputs, filters = tensors
    keeps_outputs = job.keeps_outputs(sizes, inputs[0].dtype)
    kept = output[: len(output) - job.penalties] if keeps_outputs else inputs
    ctx.from_outputs = keeps_outputs
    ctx.save_for_backward(*kept, filters)
    ctx.set_materialize_grads(False)


def _pull_back(ctx: Any, cotangents: Sequence[Tensor | None]) -> list[Tensor | None]:
    given = [g for g in cotangents if g is not None]
    if not given:
        return [None] * ctx.count
    given_places = tuple(g is not None for g in cotangents)
    pull = Pull(ctx.job, ctx.sizes, given_places, ctx.from_outputs)
    return list(_vjp_of(pull, [*given, *ctx.saved_tensors]))


# --- the way back ---------------------------------------------------------------------------------


class Pull(NamedTuple):
    """What a pullback has to know besides tensors.

    Attributes
    ----------
    job : Job
        What was computed.
    sizes : tuple of int
        Of the signal.
    given : tuple of bool
        Which results have a cotangent.
    from_outputs : bool
        Whether outputs were kept, rather than inputs.
    """

    job: Job
    sizes: tuple[int, ...]
    given: tuple[bool, ...]
    from_outputs: bool


def _vjp_of(pull: Pull, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Cotangents of inputs and filters, from cotangents, what was kept, and filters."""
    if torch.compiler.is_compiling():
        return list(_vjp_operator(tensors, *_arguments(pull)))
    if any(map(is_legacy_batched, tensors)):
        each = torch.vmap(lambda *t: tuple(_vjp_of(pull, t)))
        return through_legacy_batch(lambda bare: each(*bare), tensors)
    return list(_LiftPoolVjp.apply(pull, *tensors))  # type: ignore[no-untyped-call]


def _run_vjp(pull: Pull, tensors: Sequence[Array], kernels: Any) -> list[Array]:
    job, plan = pull.job, pull.job.plan(pull.sizes)
    remaining = iter(tensors)
    spread = [next(remaining) if given else None for given in pull.given]
    *kept, filters = remaining
    from_outputs = pull.from_outputs
    if job.up:
        found, of_filters = kernels.lift_pool.lift_up_vjp(
            kept, spread[0], filters, plan, from_outputs
        )
        return [*found, of_filters]
    sums = spread.pop() if job.penalised else None
    return list(
        kernels.lift_pool.lift_down_vjp(kept, spread, sums, filters, plan, job.output, from_outputs)
    )


class _LiftPoolVjp(torch.autograd.Function):
    """The pullback as a function of its tensors; differentiated in torch's own operations."""

    @staticmethod
    def forward(pull: Pull, *tensors: Tensor) -> tuple[Tensor, ...]:
        if all(map(is_bare, tensors)):
            return tuple(computed(partial(_run_vjp, pull), tensors))
        return tuple(_vjp_operator(tensors, *_arguments(pull)))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.pull, *tensors = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Any, ...]:
        _, back = _vjp(lambda *t: tuple(_run_vjp(ctx.pull, t, IN_OPERATIONS)), *ctx.saved_tensors)
        return None, *back(cotangents)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[Any, ...], pull: Pull, *tensors: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        return one_by_one(lambda t: _vjp_of(pull, t), tensors, in_dims[1:], info.batch_size)


# --- operators ------------------------------------------------------------------------------------


@torch.library.custom_op(
    "liftwave::lift_pool",
    mutates_args=(),
    schema="(Tensor[] tensors, str job, SymInt[] sizes) -> Tensor[]",
)
def _operator(tensors: Sequence[Tensor], job: str, sizes: Sequence[int]) -> list[Tensor]:
    return computed(partial(_run, _read(job), tuple(sizes)), tensors)


@_operator.register_fake
def _fake(tensors: Sequence[Tensor], job: str, sizes: Sequence[int]) -> list[Tensor]:
    what, first = _read(job), tensors[0]
    batch, channels = first.shape[:2]
    if what.up:
        return [first.new_empty((batch, channels, *sizes))]
    halves = [(n + 1) // 2 for n in sizes]
    each = len(what.bands) if what.form == "concat" else 1
    count = len(what.bands) if what.form == "bands" else 1
    found = [first.new_empty((batch, each * channels, *halves)) for _ in range(count)]
    passes = 2 ** len(sizes) - 1
    # Sums have the precision of the filters, which are never halves.
    return [*found, tensors[-1].new_empty((passes, 2))] if what.penalised else found


def _setup(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    tensors, job, sizes = inputs
    _keep(ctx, _read(job), sizes, tensors, output)


def _backward(ctx: Any, cotangents: Sequence[Tensor | None]) -> tuple[Any, None, None]:
    return _pull_back(ctx, cotangents), None, None


_operator.register_autograd(_backward, setup_context=_setup)


@_operator.register_vmap
def _vmap(
    info: Any, in_dims: tuple[Any, ...], tensors: Sequence[Tensor], job: str, sizes: Any
) -> tuple[list[Tensor], list[int]]:
    found, dims = one_by_one(
        lambda t: _operator(t, job, sizes), list(tensors), in_dims[0], info.batch_size
    )
    return list(found), list(dims)


@torch.library.custom_op(
    "liftwave::lift_pool_vjp",
    mutates_args=(),
    schema="(Tensor[] tensors, str job, SymInt[] sizes, int[] given, bool outputs) -> Tensor[]",
)
def _vjp_operator(
    tensors: Sequence[Tensor],
    job: str,
    sizes: Sequence[int],
    given: Sequence[int],
    outputs: bool,
) -> list[Tensor]:
    pull = Pull(_read(job), tuple(sizes), tuple(map(bool, given)), outputs)
    return computed(partial(_run_vjp, pull), tensors)


@_vjp_operator.register_fake
def _fake_vjp(
    tensors: Sequence[Tensor],
    job: str,
    sizes: Sequence[int],
    given: Sequence[int],
    outputs: bool,
) -> list[Tensor]:
    what, filters = _read(job), tensors[-1]
    kept = tensors[sum(given) : -1]
    first = kept[0]
    channels = filters.shape[2]
    if what.up:
        halves = [(n + 1) // 2 for n in sizes]
        shape = (first.shape[0], channels, *halves)
        found = [first.new_empty(shape) for _ in range(2 ** len(sizes))]
    else:
        found = [first.new_empty((first.shape[0], channels, *sizes))]
    return [*found, filters.new_empty(filters.shape)]


def _arguments(pull: Pull) -> tuple[str, list[int], list[int], bool]:
    return pull.job.text, list(pull.sizes), list(map(int, pull.given)), pull.from_outputs
