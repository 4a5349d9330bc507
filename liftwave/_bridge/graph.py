"""Functions as single nodes of graphs that ``torch.compile`` traces.

Planning a transform is Python code that torch's compiler cannot trace. A public
function therefore becomes one node: torch runs it on fake tensors, and the compiled graph
contains the operators that it calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch._C import _functorch

from liftwave._bridge.nodes import FUNCTIONS
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.lifting.step import LiftingStep

Structure: TypeAlias = Any
"""Nested tuples: the kind of a value, its contents, and the indices of tensors."""


def _node(function: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
    """The function as a single node. It is called with a dict of its arguments."""
    structures: list[Structure] = []

    # Such a function gets flat lists of tensors and constants, and returns flat lists of tensors.
    @torch._dynamo.allow_in_graph  # type: ignore[untyped-decorator]
    def run(arguments: Structure, tensors: list[Tensor]) -> list[Tensor]:
        results: list[Tensor] = []
        structures[:] = [_flattened(function(**_rebuilt(arguments, tensors)), results)]
        return results

    @torch._dynamo.assume_constant_result  # type: ignore[untyped-decorator]
    def structure_of_results() -> Structure:
        return structures[0]

    def call(arguments: dict[str, Any]) -> Any:
        tensors: list[Tensor] = []
        structure = _flattened(arguments, tensors)
        results = run(structure, tensors)
        return _rebuilt(structure_of_results(), results)

    return call


def _flattened(value: Any, tensors: list[Tensor]) -> Structure:
    """The structure of a value. Its tensors are appended to a list."""
    if isinstance(value, Tensor):
        tensors.append(value)
        return ("tensor", len(tensors) - 1)
    if isinstance(value, dict):
        items = tuple([_flattened(item, tensors) for item in value.values()])
        return ("dict", tuple(value), items)
    if isinstance(value, FilterBank):
        return ("bank", _flattened(_parts_of_bank(value), tensors))
    if isinstance(value, LiftingScheme):
        return ("scheme", _flattened(_parts_of_scheme(value), tensors))
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return (kind, tuple([_flattened(item, tensors) for item in value]))
    return ("value", value)


def _rebuilt(structure: Structure, tensors: Sequence[Tensor]) -> Any:
    """The value of a structure."""
    kind, content = structure[0], structure[1]
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        items = [_rebuilt(item, tensors) for item in structure[2]]
        return dict(zip(content, items, strict=True))
    if kind == "bank":
        return FilterBank(*_rebuilt(content, tensors))
    if kind == "scheme":
        return _scheme_of(*_rebuilt(content, tensors))
    if kind == "list":
        return [_rebuilt(item, tensors) for item in content]
    if kind == "tuple":
        return tuple([_rebuilt(item, tensors) for item in content])
    return content


# --- wavelets as arguments -----------------------------------------------------------------------


def _parts_of_bank(bank: FilterBank) -> tuple[Any, ...]:
    return bank.dec_lo, bank.dec_hi, bank.rec_lo, bank.rec_hi, bank.name


def _parts_of_scheme(scheme: LiftingScheme) -> tuple[Any, ...]:
    steps = tuple([(step.kind, step.taps, step.offset) for step in scheme.steps])
    rest = (scheme.scale, scheme.name, scheme.shift, scheme.integer, scheme.origin)
    return (steps, *rest)


def _scheme_of(
    steps: Any, scale: Any, name: str, shift: Any, integer: bool, origin: Any
) -> LiftingScheme:
    lifting_steps = tuple([LiftingStep(*step) for step in steps])
    return LiftingScheme(lifting_steps, scale, name, shift, integer, origin=origin)


# --- operations inside of torch.func -------------------------------------------------------------


@torch._dynamo.assume_constant_result  # type: ignore[untyped-decorator]
def is_differentiated() -> bool:
    """Whether ``torch.func.grad`` or a similar transform is active.

    torch accepts no custom operators there, and traces into autograd functions. Operations are
    then nodes.
    """
    interpreters = _functorch.get_interpreter_stack() or ()
    return any(interpreter.key() != _functorch.TransformType.Vmap for interpreter in interpreters)


# --- all nodes -----------------------------------------------------------------------------------

NODES: dict[str, Callable[[dict[str, Any]], Any]] = {}
"""The nodes by the full names of their functions. Dynamo cannot trace their creation."""


def add_node(name: str, function: Callable[..., Any]) -> None:
    """Make a function a node."""
    NODES[name] = _node(function)


for _name, _function in FUNCTIONS.items():
    add_node(_name, _function)
