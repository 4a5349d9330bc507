"""Public functions as single nodes of graphs that ``torch.compile`` traces."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def graph_node(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorate a function so that ``torch.compile`` records it as one node and not its body.

    The arguments of a node are tensors, numbers, text, wavelets, and sequences and dicts of
    these. Eager calls, and calls with ``out``, run the function itself.
    """
    parameters = inspect.signature(function).parameters
    names = [name for name in parameters if name != "out"]
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }

    @wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        torch = sys.modules.get("torch")
        if torch is None or not torch.compiler.is_dynamo_compiling():
            return function(*args, **kwargs)
        if kwargs.get("out") is not None or len(args) > len(names):
            return function(*args, **kwargs)
        missing = [name for name in names[len(args) :] if name not in kwargs | defaults]
        if missing:  # the function says what is missing
            return function(*args, **kwargs)
        return _run_as_node(
            function, [*args, *((defaults | kwargs)[n] for n in names[len(args) :])]
        )

    return call


def _run_as_node(function: Callable[..., _R], arguments: list[Any]) -> _R:
    from liftwave._bridge import graph  # it loads torch's compiler

    result: _R = graph.node(function)(*arguments)
    return result
