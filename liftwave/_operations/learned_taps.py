"""Transforms with taps that are tensors, by any kernels: the computation alone.

Kernels of the processor want numbers, so the values of the taps are read, once. All others take
the tensors as they are, on whatever device: reading them would have to wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from torch import Tensor

from liftwave._bridge.tensors import IN_OPERATIONS
from liftwave._kernels.contract import Kernels
from liftwave._operations.transform import Program
from liftwave._plan.axes import AxisPlan, AxisPlans
from liftwave._plan.levels import SynthesisPlan, plan_analysis, plan_synthesis
from liftwave._typing import Array
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.resolve import Resolved


def plans_of(program: Program, ndim: int, taps: Sequence[Tensor], kernels: Kernels) -> AxisPlans:
    """The plans with the values of the taps, or with the tensors where these are not read."""
    if not kernels.wants_numpy:
        return program.with_taps(ndim, taps)
    values = [t.tolist() for t in taps]
    return _read_plans(program, ndim, tuple(tuple(v) if type(v) is list else v for v in values))


# Training changes taps at each step: few are kept, for the way back and for repeated calls.
@lru_cache(maxsize=16)
def _read_plans(program: Program, ndim: int, values: tuple[Any, ...]) -> AxisPlans:
    return program.with_taps(ndim, values)


def with_taps_in_tensors(program: Program, like: Tensor) -> Program:
    """The program of a fixed wavelet with its numbers as tensors, as precise as ``like``."""
    plans = program.at(like.ndim)
    made = {id(p.wavelet): _wavelet_in_tensors(p.wavelet, like) for p in plans}
    exact = AxisPlans(AxisPlan(p.axis, made[id(p.wavelet)], p.mode) for p in plans)
    return replace(program, made={like.ndim: exact})


def _wavelet_in_tensors(wavelet: Resolved, like: Tensor) -> Resolved:
    if isinstance(wavelet, LiftingScheme):
        steps = tuple(replace(step, taps=like.new_tensor(step.taps)) for step in wavelet.steps)
        low, high = map(like.new_tensor, wavelet.scale)
        return replace(wavelet, steps=steps, scale=(low, high))
    dec_lo, dec_hi, rec_lo, rec_hi = map(like.new_tensor, wavelet.filter_bank)
    return FilterBank(dec_lo, dec_hi, rec_lo, rec_hi, wavelet.name)


def synthesis_plan_of(
    program: Program, shapes: Sequence[Sequence[int]], plans: AxisPlans
) -> SynthesisPlan:
    """The plan of a synthesis from bands of these shapes."""
    band_shapes = tuple(map(tuple, shapes))
    return plan_synthesis(band_shapes, program.keys, program.approx, plans, program.fit)


def run(
    program: Program, taps: Sequence[Tensor], inputs: Sequence[Array], kernels: Kernels
) -> list[Array]:
    """Run a program with these taps."""
    plans = plans_of(program, inputs[0].ndim, taps, kernels)
    if program.synthesis:
        merging = synthesis_plan_of(program, [x.shape for x in inputs], plans)
        return [kernels.synthesise(inputs, merging)]
    splitting = plan_analysis(tuple(inputs[0].shape), plans, program.level)
    return program.select(kernels.analyse(inputs[0], splitting))


def run_in_operations(
    program: Program, inputs: Sequence[Tensor], taps: Sequence[Tensor]
) -> list[Tensor]:
    """Run a program in torch's own operations, which torch differentiates any number of times."""
    return run(program, taps, inputs, IN_OPERATIONS)
