"""Functions as single nodes of graphs that ``torch.compile`` traces.

Planning a transform is Python code that a compiler of tensor programs cannot trace. A public
function therefore becomes one node: torch runs it on tensors without numbers, and the operators
that it calls end up in the compiled graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch._C import _functorch
from torch.utils import _pytree as pytree

from liftwave._bridge.nodes import FUNCTIONS
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep

# Stands for None, which is no argument of a node.
_NONE = "no value"


def _node(function: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
    """The function as a single node, to be called with a dict of its arguments."""

    def run(packed: dict[str, Any]) -> Any:
        return function(**_unpacked(packed))

    traced: Any = torch._dynamo.nonstrict_trace(run)

    def call(arguments: dict[str, Any]) -> Any:
        return traced(_packed(arguments))

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


# --- operations inside of torch.func -------------------------------------------------------------


@torch._dynamo.assume_constant_result  # type: ignore[untyped-decorator]
def is_differentiated() -> bool:
    """Whether ``torch.func.grad`` or a similar transform is active.

    torch accepts no custom operators there, and traces into functions with gradients of their
    own; operations are nodes then.
    """
    interpreters = _functorch.get_interpreter_stack() or ()
    return any(each.key() != _functorch.TransformType.Vmap for each in interpreters)


# --- all nodes -----------------------------------------------------------------------------------

NODES: dict[str, Callable[[dict[str, Any]], Any]] = {}
"""The nodes by the full names of their functions. Dynamo cannot trace how a node is made."""


def add_node(name: str, function: Callable[..., Any]) -> None:
    """Make a function a node."""
    NODES[name] = _node(function)


for _name, _function in FUNCTIONS.items():
    add_node(_name, _function)


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
