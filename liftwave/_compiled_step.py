"""Public functions as single nodes of graphs that ``torch.compile`` traces."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from liftwave._bridge.nodes import register

_P = ParamSpec("_P")
_R = TypeVar("_R")


def graph_node(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorate a function so that ``torch.compile`` records it as one node and not its body.

    The arguments of a node are tensors, numbers, text, wavelets, and sequences and dicts of
    these. Eager calls, and calls with ``out``, run the function itself.
    """
    node = f"{function.__module__}.{function.__qualname__}"
    register(node, function)
    parameters = inspect.signature(function).parameters
    names = [name for name in parameters if name != "out"]
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if name != "out" and parameter.default is not inspect.Parameter.empty
    }

    module = sys.modules.get

    @wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        torch = module("torch")
        if torch is None or not torch.compiler.is_dynamo_compiling():
            return function(*args, **kwargs)
        arguments = {**defaults, **dict(zip(names, args, strict=False)), **kwargs}
        out = arguments.pop("out", None)
        if out is not None or len(args) > len(names) or set(arguments) != set(names):
            return function(*args, **kwargs)  # which says what is wrong, if that is it
        result: _R = _run_as_node(node, arguments)
        return result

    return call


def _run_as_node(node: str, arguments: dict[str, Any]) -> Any:
    from liftwave._bridge import graph  # it loads torch's compiler

    return graph.NODES[node](arguments)
