"""Whole functions as single steps of what ``torch.compile`` reads.

Plans are made by looking things up, which is nothing for a compiler of tensor programs. A
function that finds itself being read hands over to itself as one step: it then runs, on tensors
without numbers, and what ends up in the graph are the operators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils import _pytree as pytree

from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep

# Stands for None, which is no argument of a step.
_NONE = "no value"


def step(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as a single step, to be called with its arguments by position."""

    def run(*packed: Any) -> Any:
        return function(*_unpacked(packed))

    traced: Any = torch._dynamo.nonstrict_trace(run)

    def call(*arguments: Any) -> Any:
        return traced(*_packed(arguments))

    return call


def _packed(value: Any) -> Any:
    if value is None:
        return _NONE
    if isinstance(value, tuple):
        return tuple([_packed(v) for v in value])
    if isinstance(value, list):
        return [_packed(v) for v in value]
    if isinstance(value, dict):
        return {key: _packed(v) for key, v in value.items()}
    return value


def _unpacked(value: Any) -> Any:
    if isinstance(value, str):
        return None if value == _NONE else value
    if isinstance(value, tuple | list):
        return type(value)(map(_unpacked, value))
    if isinstance(value, dict):
        return {key: _unpacked(v) for key, v in value.items()}
    return value


# --- wavelets as arguments -----------------------------------------------------------------------


def _parts_of_bank(bank: FilterBank) -> tuple[list[Any], str]:
    return [bank.dec_lo, bank.dec_hi, bank.rec_lo, bank.rec_hi], bank.name


def _bank_of(parts: Any, name: Any) -> FilterBank:
    dec_lo, dec_hi, rec_lo, rec_hi = parts
    return FilterBank(dec_lo, dec_hi, rec_lo, rec_hi, name)


def _parts_of_scheme(scheme: LiftingScheme) -> tuple[list[Any], Any]:
    steps = tuple([(step.kind, step.offset) for step in scheme.steps])
    taps = [step.taps for step in scheme.steps]
    origin = _NONE if scheme.origin is None else scheme.origin
    return [taps, scheme.scale, origin], (steps, scheme.name, scheme.shift, scheme.integer)


def _scheme_of(parts: Any, rest: Any) -> LiftingScheme:
    (taps, scale, origin), (steps, name, shift, integer) = parts, rest
    made = [LiftingStep(k, t, o) for (k, o), t in zip(steps, taps, strict=True)]
    return LiftingScheme(tuple(made), scale, name, shift, integer, origin=_unpacked(origin))


pytree.register_pytree_node(FilterBank, _parts_of_bank, _bank_of)
pytree.register_pytree_node(LiftingScheme, _parts_of_scheme, _scheme_of)
