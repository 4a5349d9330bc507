"""Which tensors need the bridge, and transforms by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from liftwave._bridge import learned, lift_pool, linear, memory, pooling
from liftwave._bridge.tensors import HALVES, is_bare, is_watched
from liftwave._operations.transform import Keys, Program, all_keys, written_wavelet
from liftwave._plan.axes import AxisPlan, AxisPlans

__all__ = ["analyse", "compute_dtype", "is_watched", "lift_pool", "run", "serves", "synthesise"]


def serves(plans: Sequence[AxisPlan], tensors: Sequence[Tensor]) -> bool:
    """Whether a transform of these tensors by these plans is for the bridge.

    Tensors that nothing watches need it where taps are tensors only.
    """
    learns = not all(plan.wavelet.is_concrete for plan in plans)
    return learns or watches(tensors)


def watches(tensors: Sequence[Tensor]) -> bool:
    """Whether something watches any of these tensors."""
    return any(map(is_watched, tensors))


def are_bare(tensors: Sequence[Tensor]) -> bool:
    """Whether these are numbers in memory, which can be read."""
    return all(map(is_bare, tensors))


def compute_dtype(dtype: torch.dtype, like: Tensor) -> torch.dtype:
    """What operators are given for data of this dtype, on the device of ``like``.

    That is float32 for half precision that kernels do not read as it is.
    """
    if dtype not in HALVES:
        return dtype
    if torch.compiler.is_dynamo_compiling():
        from liftwave._bridge import differentiated  # it loads torch's compiler

        kept = differentiated.keeps_halves(like.device.type)
    else:
        kept = memory.keeps_halves([like])
    return dtype if kept else torch.float32


def pool(text: str, inputs: Sequence[Tensor]) -> Tensor:
    """The result of a pooling call (its text) on tensors."""
    return pooling.transform(text, inputs)


def analyse(
    x: Tensor, plans: tuple[AxisPlan, ...], level: int
) -> tuple[Tensor, list[dict[str, Tensor]]]:
    """Approximation and the details of each level, coarsest first."""
    program, taps = _program(plans, x.ndim, False, True, (all_keys(len(plans)),) * level, True)
    approx, details = program.parted(run(program, [x], taps))
    return approx, details


def synthesise(
    approx: Tensor | None,
    details: Sequence[Mapping[str, Tensor]],
    plans: tuple[AxisPlan, ...],
    fit: bool,
) -> Tensor:
    """The tensor with this approximation and these details, coarsest first."""
    keys = tuple(tuple(sorted(bands)) for bands in details)
    ndim = next(b for b in [approx, *_all(details)] if b is not None).ndim
    program, taps = _program(plans, ndim, True, approx is not None, keys, fit)
    return run(program, program.joined(approx, details), taps)[0]


def run(program: Program, inputs: Sequence[Tensor], taps: Sequence[Tensor]) -> list[Tensor]:
    """The results of a program, in order."""
    if taps:
        return learned.transform(program, inputs, taps)
    return linear.transform(program, inputs)


def _all(details: Sequence[Mapping[str, Tensor]]) -> list[Tensor]:
    return [band for bands in details for band in bands.values()]


def _program(
    plans: tuple[AxisPlan, ...], ndim: int, synthesis: bool, approx: bool, keys: Keys, fit: bool
) -> tuple[Program, list[Any]]:
    """The program of a transform, and the tensors among its taps."""
    key = ("program", ndim, synthesis, approx, keys, fit)
    kept = plans.kept if isinstance(plans, AxisPlans) else {}
    found: tuple[Program, list[Any]] | None = kept.get(key)
    if found is None:
        tensors: list[Any] = []
        written = {id(p.wavelet): written_wavelet(p.wavelet, tensors) for p in plans}
        lines = tuple((p.axis - ndim, written[id(p.wavelet)], p.mode) for p in plans)
        made = {ndim: plans} if isinstance(plans, AxisPlans) and not tensors else {}
        found = kept[key] = Program(lines, synthesis, approx, keys, fit, made=made), tensors
    return found
